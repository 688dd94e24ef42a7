"""Prediction difference analysis: is it exact, how fast is it, and how soon is it useful?

    OMP_NUM_THREADS=2 python -m benchmarks.prediction_difference [part ...] [--networks name ...]

The parts are equality, rounding, coverage, speed, bound, growth and progress; by default all.
Equality, speed and bound take networks by name, any of torchvision's. Prints tables, and draws
docs/prediction_difference/*.png. What is compared is measured in one run. torchvision's networks
have random weights, on which equality and speed do not depend, but for progress.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from copy import copy, deepcopy
from functools import partial
from math import ceil
from pathlib import Path
from statistics import median

import numpy as np
import torch
from captum.attr import Occlusion
from matplotlib import pyplot as plt
from scipy.stats import pearsonr
from torch import Tensor, nn

import xwidgets as xw
from benchmarks.measure import peak, random_network
from xwidgets.explain.removal.samplers import default_sampler
from xwidgets.files import whole
from xwidgets.images._photo import photographs
from xwidgets.incremental import IncrementalInference, WholeInference
from xwidgets.incremental.differences import Differences
from xwidgets.incremental.extent import Extent
from xwidgets.incremental.precision import ComputeDtype
from xwidgets.incremental.recording import record
from xwidgets.networks.subject import Subject
from xwidgets.results.evidence import log_odds

NETWORKS = (
    "birds", "street", "six convolutions", "squeezenet1_1", "alexnet", "resnet18", "googlenet",
    "vgg16",
)  # fmt: skip
GATED_AND_DEPTHWISE = (
    "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "shufflenet_v2_x1_0",
    "regnet_y_400mf", "convnext_tiny", "mnasnet1_0",
)  # fmt: skip
WINDOW, SAMPLES = 10, 20
POOL, SEEDS = 50, 30
DTYPES: tuple[ComputeDtype, ...] = ("float32", "bfloat16")
BATCHES = (4, 8, 16, 32)
SECONDS = 12.0
FIGURES = Path(__file__).parent.parent / "docs" / "prediction_difference"


def network(name: str) -> xw.Network:
    """An embedded network, or one of torchvision's with random weights."""
    if name in ("birds", "street"):
        return xw.network(name)
    net = six_convolutions() if name == "six convolutions" else random_network(name)
    net.module.to(memory_format=torch.channels_last)
    net.examples = lambda: [net.prepare(one) for one in photographs()]
    return net


def six_convolutions() -> xw.Network:
    """A small network of VGG's kind that is less deep than ours, with random weights."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    before = 3
    for width in (32, 64, 128):
        for channels in (before, width):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
        before = width
    layers += [nn.Flatten(), nn.Linear(128 * 8 * 8, 256), nn.ReLU(), nn.Linear(256, 8)]
    net = xw.Network(nn.Sequential(*layers).eval(), size=(64, 64), name="six convolutions")
    net.memory_format = torch.channels_last
    return net


def picture(net: xw.Network) -> Tensor:
    """A drawn scene, or a photograph."""
    if net.name == "birds":
        return xw.scenes.bird(seed=3).image
    if net.name == "street":
        return xw.scenes.street(seed=3).image
    return net.prepare("chelsea")


def windows_at_borders(size: tuple[int, int], count: int) -> Tensor:
    """Corners of windows: all corners and borders of the image, and random places."""
    bottom, right = size[0] - WINDOW, size[1] - WINDOW
    edges = [(y, x) for y in (0, bottom // 2, bottom) for x in (0, right // 2, right)]
    random = torch.Generator().manual_seed(0)
    inside = torch.rand(count - len(edges), 2, generator=random)
    return torch.cat([torch.tensor(edges), (inside * torch.tensor([bottom, right])).long()])


def equality(networks: Sequence[str]) -> None:
    """The largest error of an effect, relative to it and to the largest effect.

    The truth are plain forwards in float64; single precision is compared with what plain forwards
    in single precision make of the effect.
    """
    print("| network | float64 | float32 | plain float32 | float32, of the largest effect | note |")
    print("|---|---|---|---|---|---|")
    for name in networks or NETWORKS:
        net = network(name)
        double = copy(net)
        double.module = deepcopy(net.module).double()
        image = picture(net).double()
        corners = windows_at_borders(net.size, 21)
        draw = default_sampler(net).condition(image, WINDOW)
        contents = draw(corners, [np.random.default_rng(i) for i in range(len(corners))])
        truth, ours, _ = _effects(double, image, corners, contents)
        plain, single, inference = _effects(net, image, corners, contents)
        size = truth.abs().amax(1)
        errors = [(one - truth).abs().amax(1) for one in (ours, single, plain)]
        cells = [f"{(error / size).max():.1e}" for error in errors]
        cells.append(f"{errors[1].max() / size.max():.1e}")
        print(f"| {name} | {' | '.join(cells)} | {inference.note} |", flush=True)


def _effects(
    net: xw.Network,
    image: Tensor,
    corners: Tensor,
    contents: Tensor,
    compute_dtype: ComputeDtype = "float32",
) -> tuple[Tensor, Tensor, IncrementalInference]:
    """Effects of windows on the scores, by plain forwards and by differences."""
    whole = WholeInference(net, image.to(net.dtype), WINDOW)
    inference = IncrementalInference(whole, compute_dtype)
    base = net.logits(whole.image[None])
    plain, ours = (one.outputs(corners, contents.to(net.dtype)) for one in (whole, inference))
    return (plain - base).double(), (ours - base).double(), inference


def rounding() -> None:
    """Errors of bfloat16 in effects of windows and in maps (S = 2), on any machine."""
    print("| network | effect of a window, median error "
          "| error of the map, of its standard deviation | correlation "
          "| standard error of the map, of its standard deviation |")  # fmt: skip
    print("|---|---|---|---|---|")
    for name, stride in (("birds", 2), ("street", 2), ("squeezenet1_1", 10)):
        net = network(name)
        image, corners = picture(net), windows_at_borders(net.size, 40)
        contents = torch.rand(len(corners), 3, WINDOW, WINDOW)
        effects, maps = [], []
        for dtype in DTYPES:
            effects.append(_effects(net, image, corners, contents, dtype)[1])
            maps.append(
                xw.prediction_difference(net, image, samples=2, stride=stride, compute_dtype=dtype)
            )
        (exact, rounded), (one, other) = effects, maps
        assert other.compute_dtype == "bfloat16", other.note
        error = ((rounded - exact).abs().amax(1) / exact.abs().amax(1)).median()
        likeness = _likeness(other.values, one.values)
        sampling = np.sqrt(np.mean(one.standard_error**2)) / one.values.std()
        cells = [
            f"{error:.1%}",
            f"{likeness[0]:.2%}",
            f"{likeness[1]:.6f}",
            f"{sampling:.0%}",
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def coverage() -> None:
    """How often two standard errors hold the value of many samples, and how wide that is.

    Each window has a pool of contents, from which every seed draws S with replacement: the mean
    over the pool is the truth. The ideal width is 1.96 standard deviations over many such draws.
    """
    print("| network | measure | stride | S | coverage | width, of the ideal one |")
    print("|---|---|---|---|---|---|")
    window = 8
    for name, image in (
        ("birds", xw.scenes.bird(seed=3).image),
        ("street", xw.scenes.street(seed=36, person=False).image),  # others leave no doubt
    ):
        net = network(name)
        pool = _pool(net, image, window)
        for measure in ("evidence", "difference"):
            for stride in (1, window // 2, window):
                for samples in (2, 5, 20):
                    method = xw.PredictionDifference(
                        window=window, stride=stride, samples=samples, measure=measure
                    )
                    cells = [f"{cell:.3g}" for cell in _covered(method, net, image, pool)]
                    print(
                        f"| {name} | {measure} | {stride} | {samples} | {' | '.join(cells)} |",
                        flush=True,
                    )


def _pool(net: xw.Network, image: Tensor, window: int) -> Tensor:
    """Logits ``(H - k + 1, W - k + 1, POOL, K)`` with each window filled with each content."""
    inference = IncrementalInference(WholeInference(net, image, window))
    draw = default_sampler(net).condition(image, window)
    places = [side - window + 1 for side in image.shape[1:]]
    corners = torch.cartesian_prod(*map(torch.arange, places))
    rngs = [np.random.default_rng(place) for place in range(len(corners))]
    outputs = [inference.outputs(corners, draw(corners, rngs)) for _ in range(POOL)]
    return torch.stack(outputs, 1).unflatten(0, places)


def _covered(
    method: xw.PredictionDifference, net: xw.Network, image: Tensor, pool: Tensor
) -> tuple[float, float]:
    """Share of pixels and seeds whose interval holds the truth, and its width of the ideal one."""
    subject = Subject(net, image)
    target = subject.target(None)
    random = torch.Generator().manual_seed(0)

    def drawn(samples: int | None) -> xw.Relevance:
        """Map of contents drawn from the pool, or of all of it."""
        run = method.resolved(subject).begin(subject, [target])
        windows = torch.arange(len(run.grid))
        for number in range(samples or POOL):
            chosen = (
                torch.full_like(windows, number)
                if samples is None
                else torch.randint(POOL, windows.shape, generator=random)
            )
            run.moments.add(windows, values[windows, chosen])
        [relevance] = run.results()
        return relevance

    first = method.resolved(subject).begin(subject, [target])
    contents = pool[tuple(first.grid.corners.T)]
    values = first.nodes.values(contents.flatten(0, 1)).unflatten(0, contents.shape[:2])

    truth = drawn(None).values
    maps = [drawn(method.samples) for _ in range(SEEDS)]
    halves = np.array([2 * drawn_map.standard_error for drawn_map in maps])
    covered = np.mean([np.abs(drawn_map.values - truth) for drawn_map in maps] <= halves)
    further = [drawn(method.samples).values for _ in range(100)]
    ideal = 1.96 * np.std([*(drawn_map.values for drawn_map in maps), *further], axis=0)
    return float(covered), float(halves.mean() / ideal.mean())


def speed(networks: Sequence[str]) -> None:
    """Windows a second of four ways to do the same, the whole job from the call on."""
    print("| network | differences | best plain forward | ratio | of multiplications | whole job "
          "| literal Algorithm 1 | ratio | one grey sample | Captum | ratio |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name in networks or NETWORKS:
        net = network(name)
        image = picture(net)
        engine, plain = _in_turns(_differences(net, image), _plain(net, image))
        ours, literal = whole_job(net, image), literal_algorithm(net, image)
        occlusion, captum = occlusions(net, image)
        rates = (engine, plain, ours, literal, occlusion, captum)
        cells = [
            f"{one:.3g} | {other:.3g} | {one / other:.1f}"
            for one, other in zip(rates[::2], rates[1::2], strict=True)
        ]
        share = IncrementalInference(WholeInference(net, image, WINDOW)).share
        cells.insert(1, f"{1 / share:.1f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def bound(networks: Sequence[str], stride: int) -> None:
    """Differences against whole forwards and against the bound that multiplications give.

    And a map of one grey sample a window, the whole call, against Captum's Occlusion of the same
    windows at its best batch size, which is found on few, larger ones.
    """
    print("| network | differences | best plain forward | ratio | bound | share of the bound "
          "| one grey sample | Captum | ratio |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    for name in networks or (*NETWORKS, *GATED_AND_DEPTHWISE):
        net = network(name)
        image = picture(net)
        engine, plain = _in_turns(_differences(net, image), _plain(net, image))
        most = _saved(net, image)
        few = {size: _captum(net, image, 4 * WINDOW, size, 4 * WINDOW) for size in BATCHES}
        best = max(few, key=lambda size: max(_rate(few[size]) for _ in range(2)))
        ours, captum = _in_turns(
            _grey(net, image, stride), _captum(net, image, stride, best), turns=1
        )
        cells = [
            f"{engine:.3g} | {plain:.3g} | {engine / plain:.2f}",
            f"{most:.2f} | {engine / plain / most:.2f}",
            f"{ours:.3g} | {captum:.3g} | {ours / captum:.2f}",
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _saved(net: xw.Network, image: Tensor) -> float:
    """Multiplications of a whole forward, of those that remain; also where it is run whole."""
    with net.evaluating():
        recording = record(net.classify, image[None])
    return 1 / Differences(recording, Extent.of_windows(WINDOW, net.size)).share


def _rate(run: Callable[[], int]) -> float:
    start = time.perf_counter()
    count = run()
    return count / (time.perf_counter() - start)


def _in_turns(*runs: Callable[[], int], turns: int = 5) -> list[float]:
    """The median rate of each, measured in turns."""
    if turns > 1:
        for run in runs:
            run()
    rates = [[_rate(run) for run in runs] for _ in range(turns)]
    return [median(turn) for turn in zip(*rates, strict=True)]


def _differences(net: xw.Network, image: Tensor) -> Callable[[], int]:
    inference = IncrementalInference(WholeInference(net, image, WINDOW))
    batches = ceil(9 / inference.batch)  # whole ones
    corners = windows_at_borders(net.size, batches * inference.batch)
    contents = torch.rand(len(corners), 3, WINDOW, WINDOW)

    def run() -> int:
        inference.outputs(corners, contents)
        return len(corners)

    return run


def _plain(net: xw.Network, image: Tensor) -> Callable[[], int]:
    """At the best of several batch sizes."""

    def forward(size: int) -> Callable[[], int]:
        images = image.repeat(size, 1, 1, 1)
        return lambda: len(net.logits(images))

    runs = [forward(size) for size in BATCHES]
    return max(runs, key=lambda run: max(_rate(run) for _ in range(3)))


def whole_job(net: xw.Network, image: Tensor) -> float:
    """Samples a second of a call with the paper's setting that is stopped after a while."""
    grid = (net.size[0] - WINDOW + 1) * (net.size[1] - WINDOW + 1)

    def run() -> int:
        result = xw.prediction_difference(net, image, 0, WINDOW, samples=SAMPLES, seconds=SECONDS)
        return round(result.completed * SAMPLES * grid)

    return _rate(run)


def literal_algorithm(net: xw.Network, image: Tensor) -> float:
    """Samples a second of Algorithm 1 as printed: a window at a time, 20 samples in a batch."""
    net = copy(net)
    net.memory_format = torch.contiguous_format
    net.module = deepcopy(net.module).to(memory_format=torch.contiguous_format)
    target, classes = 0, net.logits(image[None]).shape[1]
    draw = default_sampler(net).condition(image, WINDOW)
    probability = net.probabilities(net.logits(image[None]))[0, target]
    evidence, counts = np.zeros((2, *net.size))
    corners = windows_at_borders(net.size, 2000)
    start, done = time.perf_counter(), 0
    for y, x in corners.tolist():
        rngs = [np.random.default_rng((y, x, s)) for s in range(SAMPLES)]
        contents = draw(torch.tensor([[y, x]] * SAMPLES), rngs)
        images = image.repeat(SAMPLES, 1, 1, 1)
        images[:, :, y : y + WINDOW, x : x + WINDOW] = contents
        mean = net.probabilities(net.logits(images))[:, target].mean()
        here = np.s_[y : y + WINDOW, x : x + WINDOW]
        difference = log_odds(torch.stack([probability, mean]).numpy(), net.training_size, classes)
        evidence[here] += float(difference[0] - difference[1])
        counts[here] += 1
        done += SAMPLES
        if time.perf_counter() - start > SECONDS:
            break
    return done / (time.perf_counter() - start)


def occlusions(net: xw.Network, image: Tensor) -> tuple[float, float]:
    """Windows a second with one grey sample: ours, and Captum's Occlusion at its best setting.

    VGG-16 gets a picture of half the size, as Captum would take minutes.
    """
    if net.name == "vgg16":
        image = torch.nn.functional.interpolate(image[None], (112, 112), mode="area")[0]
    stride = 3 if image.shape[1] == 64 else WINDOW
    theirs = [_captum(net, image, stride, size) for size in BATCHES]
    ours = _grey(net, image, stride)
    return max(_rate(ours) for _ in range(2)), max(map(_rate, theirs))


def _grey(net: xw.Network, image: Tensor, stride: int) -> Callable[[], int]:
    """A map with one grey sample a window, which tells how many windows it has."""
    grey = xw.ConstantSampler(0.5)

    def run() -> int:
        xw.prediction_difference(net, image, 0, WINDOW, grey, 1, stride, measure="difference")
        return _places(image, stride) ** 2

    return run


def _captum(
    net: xw.Network, image: Tensor, stride: int, at_once: int, window: int = WINDOW
) -> Callable[[], int]:
    """The same by Captum, with some windows at once."""
    occlusion = Occlusion(net.logits)

    def run() -> int:
        occlusion.attribute(
            image[None], (3, window, window), (3, stride, stride), 0.5, target=0,
            perturbations_per_eval=at_once,
        )  # fmt: skip
        return _places(image, stride, window) ** 2

    return run


def _places(image: Tensor, stride: int, window: int = WINDOW) -> int:
    return -(-(image.shape[1] - window) // stride) + 1


def growth() -> None:
    """Time and memory against the number of windows and samples."""
    net, figure = xw.network("birds"), plt.figure(figsize=(9, 3.2), layout="constrained")
    image = picture(net)
    time_axes, memory_axes = figure.subplots(1, 2)
    print("| stride | S | windows x samples | seconds | peak, MB |")
    print("|---|---|---|---|---|")
    for samples, style in ((1, "o-"), (2, "s-"), (4, "^-")):
        rows = []
        for stride in (8, 4, 3, 2, 1):
            count = samples * len(range(0, 55, stride)) ** 2

            def run(stride: int = stride, samples: int = samples) -> object:
                return xw.prediction_difference(net, image, 0, samples=samples, stride=stride)

            run()
            start = time.perf_counter()
            run()
            taken = time.perf_counter() - start
            rows.append((count, taken, peak(run) / 1e6))
            print(
                f"| {stride} | {samples} | {count} | {taken:.2f} | {rows[-1][2]:.0f} |", flush=True
            )
        counts, times, peaks = zip(*rows, strict=True)
        time_axes.plot(counts, times, style, label=f"S = {samples}")
        memory_axes.plot(counts, peaks, style, label=f"S = {samples}")
    for axes, name in ((time_axes, "seconds"), (memory_axes, "peak memory, MB")):
        top = 1.15 * axes.dataLim.y1
        axes.set(xlabel="windows × samples", ylabel=name, ylim=(0, top), xlim=(0, None))
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    _save(figure, "growth")


PROGRESS: dict[str, tuple[str, int]] = {"birds": ("birds", 64), "street": ("street", 64),
                                        "SqueezeNet 1.1": ("squeezenet1_1", 112)}  # fmt: skip


def progress() -> None:
    """Error and correlation of the growing map against the complete one, over time."""
    figure = plt.figure(figsize=(9, 3.4), layout="constrained")
    error_axes, correlation_axes = figure.subplots(1, 2)
    print("| network | first colours, s | covered, s | S = 1, s | S = 2, s | complete, s "
          "| correlation at S = 1 | at S = 2 | at 1 s | at 5 s |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|")
    for label, (name, side) in PROGRESS.items():
        net = xw.network(name)
        image = picture(net)
        if side != net.size[0]:
            image = torch.nn.functional.interpolate(image[None], (side, side), mode="area")[0]
        default_sampler(net)
        start = time.perf_counter()
        steps = [
            (time.perf_counter() - start, step)
            for step in _thinned(xw.prediction_difference_steps(net, image, samples=SAMPLES))
        ]
        final = steps[-1][1].values
        rows = [(at, *_likeness(step.values, final), step.completed) for at, step in steps]
        times, errors, correlations, shares = map(np.array, zip(*rows, strict=True))
        covered = np.array([np.isfinite(step.values).all() for _, step in steps])
        marks = [times[0], times[covered][0]]
        marks += [times[shares >= sweeps / SAMPLES - 1e-9][0] for sweeps in (1, 2, SAMPLES)]
        one, two = (correlations[shares >= sweeps / SAMPLES - 1e-9][0] for sweeps in (1, 2))
        late = [correlations[times <= limit][-1] for limit in (1, 5)]
        cells = [f"{mark:.2f}" for mark in marks] + [f"{c:.4f}" for c in (one, two, *late)]
        print(f"| {label} | {' | '.join(cells)} |", flush=True)
        error_axes.loglog(times[:-1], errors[:-1], label=label)
        correlation_axes.semilogx(times[:-1], correlations[:-1], label=label)
    error_axes.set(xlabel="seconds", ylabel="error / spread of the complete map")
    correlation_axes.set(xlabel="seconds", ylabel="correlation with the complete map")
    for axes in (error_axes, correlation_axes):
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    _save(figure, "progress")


def _thinned(steps: Iterator[xw.Relevance]) -> Iterator[xw.Relevance]:
    """The first steps all, later ones when a hundredth more is done, and the last."""
    known = 0.0
    for step in steps:
        if step.completed < 0.05 or step.completed - known >= 0.01 or step.completed == 1:
            known = step.completed
            yield step


def _likeness(values: np.ndarray, final: np.ndarray) -> tuple[float, float]:
    filled = np.where(np.isfinite(values), values, 0)
    error = float(np.sqrt(np.mean((filled - final) ** 2)) / final.std())
    return error, float(pearsonr(filled.ravel(), final.ravel()).statistic)


def _save(figure: plt.Figure, name: str) -> None:
    FIGURES.mkdir(exist_ok=True)
    with whole(FIGURES / f"{name}.png") as part:
        figure.savefig(part, dpi=160, format="png")
    plt.close(figure)


def main() -> None:
    """Run the parts that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part")
    parser.add_argument("--networks", nargs="+", default=(), metavar="name")
    parser.add_argument("--stride", type=int, default=4, help="of the grey maps of bound")
    arguments = parser.parse_args()
    networks = arguments.networks
    parts: dict[str, Callable[[], None]] = {
        "equality": partial(equality, networks), "rounding": rounding, "coverage": coverage,
        "speed": partial(speed, networks), "bound": partial(bound, networks, arguments.stride),
        "growth": growth, "progress": progress,
    }  # fmt: skip
    for name in arguments.parts or parts:
        print(f"\n{name}\n")
        parts[name]()


if __name__ == "__main__":
    main()
