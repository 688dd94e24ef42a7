"""Write docs/torchvision.md: what deconvnet and excitation backprop do on torchvision's CNNs.

python -m benchmarks.torchvision_page [NAME ...]

With names, only their rows are printed.
"""

import argparse
import re
import warnings
from pathlib import Path

import torch
from torchvision import models
from tqdm import tqdm

import xwidgets as xw
from xwidgets.explain._excitation_backprop import RULES as EXCITATION
from xwidgets.explain.deconvnet import RULES as DECONVNET
from xwidgets.files import whole

from .measure import REPEATS, peak, random_network, seconds

PAGE = Path(__file__).parents[1] / "docs" / "torchvision.md"
TRANSFORMERS = ("vit_", "swin_", "maxvit")
HEAD = """\
# On torchvision's networks

Deconvnet and excitation backprop on every convolutional classifier of torchvision, with random
weights (Kaiming) and random batch-norm statistics and scales, on one random image of 224 x 224
pixels (Inception: 299 x 299). Made by `python -m benchmarks.torchvision_page` with torch {torch} on
{where}.

- **forward**: whether the logits of the watched pass are those of the plain one, to the bit.
- **deconvnet**: whether it is defined from the strongest channel of the last convolution; otherwise
  the operation that stops it.
- **mass**: what arrives at the pixels of the probability 1 that excitation backprop puts on the top
  class. Less than 1 means that negative activations leaked, as they do where what a convolution
  reads was not rectified before.
- **time** and **memory** (the most that is held at once): ratios to a plain forward pass and the
  gradient of the top class by the pixels, medians of {repeats}. Excitation backprop runs every
  convolution once more than these, to know what its positive weights add up to. It is cheaper where
  it stops at a layer above the pixels, as it does by default.

| network | forward | deconvnet | mass | deconvnet time, memory | excitation time, memory |
|---|---|---|---|---|---|
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    names = parser.parse_args().names
    warnings.filterwarnings("ignore")
    if names:
        for name in names:
            print(row(name), flush=True)
        return
    networks = [
        name for name in models.list_models(module=models) if not name.startswith(TRANSFORMERS)
    ]
    where = f"{torch.get_num_threads()} cores"
    head = HEAD.format(torch=torch.__version__, where=where, repeats=REPEATS)
    with whole(PAGE) as part:
        part.write_text(head + "".join(row(name) + "\n" for name in tqdm(networks)))


def row(name: str) -> str:
    net = random_network(name)
    image = torch.rand(3, *net.size)
    logits = net(image[None])
    identical = all(
        torch.equal(net.watched(image[None], rules=rules).logits, logits)
        for rules in (DECONVNET, EXCITATION)
    )
    last = [layer.name for layer in net.layers if layer.convolution][-1]
    channel = int(net.watched(image[None], [last]).activations[last][0].flatten(1).sum(1).argmax())
    top = int(logits.argmax())

    def plain() -> None:
        x = image[None].clone().requires_grad_()
        torch.autograd.grad(net.module(x)[0, top], x)

    def deconvolve() -> str:
        xw.deconvolve(net, image, last, channel)
        return "yes"

    def excite() -> str:
        relevance = xw.excitation_backprop(net, image, top, "pixels", contrastive=False)
        return f"{relevance.mass:.4f}"

    time, memory = seconds(plain), peak(plain)
    results, costs = [], []
    for method in (deconvolve, excite):
        try:
            results.append(method())
            costs.append(f"{seconds(method) / time:.1f}, {peak(method) / memory:.1f}")
        except ValueError as error:
            operation = re.search(r"not defined through '(\w+)'", str(error))
            results.append(f"not through {operation[1]}" if operation else f"no: {error}")
            costs.append("")
    forward = "identical" if identical else "differs"
    return "| " + " | ".join([name, forward, *results, *costs]) + " |"


if __name__ == "__main__":
    main()
