"""Cost of 64 neurons of a layer in one call of deconvolve, against one neuron.

    python -m benchmarks.many_neurons [birds squeezenet1_1 ...]

torchvision's networks have random weights: their cost does not depend on them. The bound is the
ratio of the multiplications: a forward pass of the whole network, and for each neuron a pass from
its layer back to the pixels, which takes as many as the forward pass up to there.
"""

import argparse

import torch
from torch import Tensor, nn

import xwidgets as xw
from xwidgets.networks.embedded import EMBEDDED

from .measure import random_network, seconds

NEURONS = 64
NETWORKS = ["birds", "squeezenet1_1", "resnet18", "vgg16"]


def bounds(net: xw.Network, image: Tensor) -> dict[str, float]:
    """Ratio of the multiplications for many neurons to those for one, by name of the layer."""
    so_far, reached = 0, {}

    def count(name: str, module: nn.Module, output: Tensor) -> None:
        nonlocal so_far
        if isinstance(module, nn.Conv2d | nn.Linear):
            so_far += output.numel() * module.weight[0].numel()
        reached.setdefault(name, so_far)

    handles = [
        module.register_forward_hook(
            lambda module, _, output, name=name: count(name, module, output)
        )
        for name, module in net.module.named_modules()
    ]
    net.logits(image[None])
    for handle in handles:
        handle.remove()
    return {name: (so_far + NEURONS * back) / (so_far + back) for name, back in reached.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NETWORKS)
    print(f"| network | convolution | one neuron | {NEURONS} neurons | ratio | bound |")
    print("|---|---|---|---|---|---|")
    for name in parser.parse_args().names:
        net = xw.network(name) if name in EMBEDDED else random_network(name)
        image = torch.rand(3, *net.size)
        most = bounds(net, image)
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
                f"| {many / one:.0f} | {most[layer.name]:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
