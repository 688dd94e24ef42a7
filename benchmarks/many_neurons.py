"""Cost of 64 neurons of a layer in one call of deconvolve, against one neuron.

    python -m benchmarks.many_neurons [birds squeezenet1_1 ...]

torchvision's networks have random weights: their cost does not depend on them.
"""

import argparse

import torch

import xwidgets as xw
from xwidgets.networks.embedded import EMBEDDED

from .measure import random_network, seconds

NEURONS = 64
NETWORKS = ["birds", "squeezenet1_1", "resnet18", "vgg16"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NETWORKS)
    print(
        f"| network | convolution | one neuron | {NEURONS} neurons | ratio |\n|---|---|---|---|---|"
    )
    for name in parser.parse_args().names:
        net = xw.network(name) if name in EMBEDDED else random_network(name)
        image = torch.rand(3, *net.size)
        wide = [
            layer
            for layer in net.layers
            if layer.convolution and layer.shape[0] >= NEURONS and layer.convolution > 1
        ]
        for layer in wide[:: max(1, len(wide) // 3)]:
            one = seconds(xw.deconvolve, net, image, layer.name, 0)
            many = seconds(xw.deconvolve, net, image, layer.name, range(NEURONS))
            print(
                f"| {name} | {layer.convolution} | {one * 1e3:.0f} ms | {many * 1e3:.0f} ms "
                f"| {many / one:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
