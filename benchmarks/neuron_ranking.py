"""Ranking all neurons of all convolutions against bare forward passes of as many images.

    python -m benchmarks.neuron_ranking [vgg16 squeezenet1_1 ...]

torchvision's networks have random weights: their cost does not depend on them. All six metrics are
computed. The bare passes go through the network one image at a time, before and after.
"""

import argparse
from functools import partial

import torch

import xwidgets as xw
from xwidgets.networks.embedded import EMBEDDED

from .measure import peak, random_network, seconds

SAMPLES = 50
NETWORKS = ["vgg16", "squeezenet1_1", "resnet18", "birds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NETWORKS)
    print(
        f"| network | neurons | {SAMPLES} bare passes | ranking | ratio | peak, n = 50 | n = 500 "
        "|\n|---|---|---|---|---|---|---|"
    )
    for name in parser.parse_args().names:
        net = xw.network(name) if name in EMBEDDED else random_network(name)
        image = torch.rand(3, *net.size)

        def bare(net: xw.Network = net, images: torch.Tensor = image[None]) -> None:
            for _ in range(SAMPLES):
                net.logits(images)

        def rank(samples: int, net: xw.Network = net, image: torch.Tensor = image) -> xw.Ranking:
            return xw.rank_neurons(net, image, samples=samples, minimum=0)

        before = seconds(bare)
        taken = seconds(rank, SAMPLES)
        plain = (before + seconds(bare)) / 2
        few, many = (peak(partial(rank, count)) for count in (50, 500))
        neurons = len(rank(2).layer)
        print(
            f"| {name} | {neurons} | {plain:.1f} s | {taken:.1f} s | {taken / plain:.2f} "
            f"| {few / 1e6:.0f} MB | {many / 1e6:.0f} MB |",
            flush=True,
        )


if __name__ == "__main__":
    main()
