"""The paper's full setting on a GPU: tests, exactness, and the time of whole maps.

    python -m benchmarks.gpu [NETWORK ...] [--device cuda] [--seconds 60] [--out FILE]

1. The tests marked gpu.
2. Exactness: windows by differences in float32 and bfloat16 against whole forwards in float64 on
   the processor, the largest deviation relative to the largest effect.
3. Maps as Zintgraf et al. (2016) made them: 224 x 224 pixels, k = 10, S = 20, stride 1, 924,500
   samples, in float32 (never TF32) and in bfloat16. A map that is not complete after ``--seconds``
   is extrapolated from the share that is done from a quarter of them on, and marked so.

It prints tables in Markdown, and writes them to a file. Weights are random, which takes no
download; times do not depend on them. With ``--device cpu --seconds 5`` it can be tried anywhere.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import torch

import xwidgets as xw
from benchmarks.measure import random_network
from xwidgets.errors import one_line
from xwidgets.explain.removal.samplers import ConditionalSampler
from xwidgets.files import whole
from xwidgets.incremental import IncrementalInference, WholeInference
from xwidgets.networks.subject import Subject

PAPER = {"alexnet": 3600, "googlenet": 7200, "vgg16": 43200}
"""Seconds that a map took in the paper."""
SIDE, WINDOW, SAMPLES, CHECKED = 224, 10, 20, 8
"""Side of the picture, window, samples a window, and number of windows that are checked."""
TYPES = ("float32", "bfloat16")
ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("networks", nargs="*", default=list(PAPER))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    try:
        torch.zeros(1, device=options.device)
    except (RuntimeError, AssertionError) as error:
        raise SystemExit(f"no device {options.device!r} ({one_line(error)})") from error
    lines = [*_machine(options.device), *_tests(options.device)]
    for line in lines:
        print(line)
    head = (
        "| network | type | largest deviation | samples a second | whole map | complete | paper |",
        "|---|---|---|---|---|---|---|",
    )
    print("\n".join(head), flush=True)
    lines += head
    for name in options.networks:
        for dtype in TYPES:
            lines.append(_row(name, dtype, options.device, options.seconds))
            print(lines[-1], flush=True)
    if options.out:
        with whole(options.out) as part:
            part.write_text("\n".join(lines) + "\n", "utf-8")


def _machine(device: str) -> list[str]:
    """Device and version of torch, in a line."""
    kind = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    return [f"{kind}, torch {torch.__version__}", ""]


def _tests(device: str) -> list[str]:
    """Outcome of the tests marked gpu, in a line; none where there is no GPU."""
    if not device.startswith("cuda"):
        return []
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:xdist", "tests"]
    tests = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    told = (tests.stdout or tests.stderr).strip().splitlines()[-1]
    return [f"tests marked gpu: {'passed' if tests.returncode == 0 else 'FAILED'} ({told})", ""]


def _row(name: str, dtype: str, device: str, seconds: float) -> str:
    """Row of a network in a type: exactness and time."""
    deviation = _deviation(name, dtype, device)
    rate, done = _rate(name, dtype, device, seconds)
    corners = (SIDE - WINDOW + 1) ** 2
    took = corners * SAMPLES / rate
    paper = f"{PAPER[name] / 3600:.0f} h" if name in PAPER else ""
    told = "yes" if done == 1 else f"extrapolated from {done:.1%}"
    return f"| {name} | {dtype} | {deviation:.1e} | {rate:.0f} | {took:.1f} s | {told} | {paper} |"


def _deviation(name: str, dtype: str, device: str) -> float:
    """Largest deviation from whole forwards in float64, relative to the largest effect."""
    random = torch.Generator().manual_seed(0)
    image = torch.rand(3, SIDE, SIDE, generator=random)
    corners = (torch.rand(CHECKED, 2, generator=random) * (SIDE - WINDOW + 1)).long()
    contents = torch.rand(CHECKED, 3, WINDOW, WINDOW, generator=random)
    double = random_network(name)
    double.module.double()
    plain = WholeInference(double, image.double(), WINDOW)
    truth = plain.outputs(corners, contents.double())
    net = random_network(name)
    net.module.to(device)
    inference = IncrementalInference(WholeInference(net, image.to(device), WINDOW), dtype)
    deviation = inference.outputs(corners, contents).double().cpu() - truth
    return float(deviation.abs().max() / (truth - double.logits(image[None])).abs().max())


def _rate(name: str, dtype: str, device: str, seconds: float) -> tuple[float, float]:
    """Samples a second of a map, and the share of it that was computed."""
    net = random_network(name)
    net.module.to(device)
    random = torch.Generator().manual_seed(0)
    pictures = torch.rand(20, 3, SIDE, SIDE, generator=random)
    sampler = ConditionalSampler.fit(pictures, window=WINDOW)
    method = xw.PredictionDifference(
        window=WINDOW, samples=SAMPLES, sampler=sampler, training_size=10_000, compute_dtype=dtype
    )
    run = method.on(Subject(net, pictures[0]), [0])
    begun, settled, before = time.monotonic(), None, 0.0
    for _ in run.steps():
        passed = time.monotonic() - begun
        if settled is None and passed > seconds / 4:
            settled, before = passed, run.results()[0].completed
        if passed > seconds:
            break
    passed, done = time.monotonic() - begun, run.results()[0].completed
    samples = (SIDE - WINDOW + 1) ** 2 * SAMPLES
    if done == 1 or settled is None:
        return samples * done / passed, done
    return samples * (done - before) / (passed - settled), done


if __name__ == "__main__":
    main()
