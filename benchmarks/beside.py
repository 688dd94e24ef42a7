"""Calls of this build and of another one, in turns: what became slower?

    python -m benchmarks.beside ANOTHER_CHECKOUT [--networks birds resnet18 ...] [--turns 10]

Each build has a process of its own, in which every call has run once before it is timed. The ratio
is of the medians, this build's to the other's.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
CALLS = {
    "logits of 16 images": "net(images)",
    "saliency": "xw.saliency(net, image)",
    "excitation backprop": "xw.excitation_backprop(net, image, contrastive=False)",
    "contrastive excitation backprop": "xw.excitation_backprop(net, image, contrastive=True)",
    "deconvnet": "xw.deconvolve(net, image, 2, 0)",
    "occlusion": "xw.occlusion(net, image, window=size // 8, stride=size // 16)",
    "prediction difference": (
        "xw.prediction_difference(net, image, window=size // 8, stride=size // 16, samples=2, "
        "sampler=xw.ConstantSampler(0.5), measure='difference')"
    ),
    "neuron ranking": "xw.rank_neurons(net, image, samples=8, minimum=0)",
}
PROCESS = """
import sys, time
import torch
import xwidgets as xw
from benchmarks.measure import random_network
torch.manual_seed(0)
net = xw.network(sys.argv[1]) if sys.argv[1] in ("birds", "street") else random_network(sys.argv[1])
net.module.to(memory_format=torch.channels_last)  # in every build alike
size = net.size[0]
images = torch.rand(16, 3, size, size)
image = images[0]
for line in sys.stdin:
    begun = time.perf_counter()
    eval(line)
    print(time.perf_counter() - begun, flush=True)
"""


def process(checkout: Path, network: str) -> subprocess.Popen[str]:
    """A process that runs lines of code with the package of a checkout, and tells the seconds."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PROCESS, network],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
    )


def seconds(build: subprocess.Popen[str], call: str) -> float:
    """Seconds of a call in a process."""
    assert build.stdin is not None
    assert build.stdout is not None
    print(call, file=build.stdin, flush=True)
    return float(build.stdout.readline())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path)
    parser.add_argument("--networks", nargs="+", default=["birds", "squeezenet1_1", "resnet18"])
    parser.add_argument("--turns", type=int, default=10)
    arguments = parser.parse_args()
    print("| network | call | this build | the other | ratio |\n|---|---|---|---|---|")
    for network in arguments.networks:
        builds = [process(path.resolve(), network) for path in (ROOT, arguments.other)]
        for name, call in CALLS.items():
            turns = [[seconds(build, call) for build in builds] for _ in range(arguments.turns + 1)]
            here, there = (median(taken) for taken in zip(*turns[1:], strict=True))
            print(
                f"| {network} | {name} | {1000 * here:.1f} ms | {1000 * there:.1f} ms "
                f"| {here / there:.2f} |",
                flush=True,
            )
        for build in builds:
            build.terminate()


if __name__ == "__main__":
    main()
