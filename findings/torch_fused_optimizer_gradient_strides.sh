#!/usr/bin/env bash
# torch 2.15.0: fused optimizers on a processor step in wrong directions where strides differ.
#
# Adam, AdamW, Adagrad and SGD with fused=True read a gradient in the order of its memory, without a
# look at its strides. Where it lies otherwise than its parameter, each number of the parameter is
# moved by the gradient of another, and nothing is said. backward() lays gradients out as their
# parameters, so that a training loop is safe; torch.autograd.grad does not, and the gradient of a
# weight that torch.bmm takes transposed comes transposed. So p.grad = g from autograd.grad, as of
# gradients that are averaged or penalised first, trains wrongly with fused=True and rightly
# without. A good guess is that "fused" is about speed alone, as strides are nobody's business.
#
# Seen on Python 3.11, Linux, one step of .1 with the gradient of a weight (4, 7, 5), which it has
# in strides (35, 1, 7); largest difference from the same optimizer with fused=False:
#   gradient as it came / made contiguous
#   Adam .2 / 0, AdamW .2 / 0, Adagrad .2 / 0, SGD above .1 / 0
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.15.0" numpy
"$folder/venv/bin/python" - <<'EOF'
import torch
from torch.optim import SGD, Adagrad, Adam, AdamW


def stepped(kind, fused, contiguous):
    """A weight after a step, whose gradient may be made contiguous first."""
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.rand(4, 7, 5))
    inputs, wanted = torch.randn(4, 3, 5), torch.randn(4, 3, 7)
    loss = ((torch.bmm(inputs, weight.mT) - wanted) ** 2).sum()
    (gradient,) = torch.autograd.grad(loss, [weight])
    assert gradient.stride() == (35, 1, 7) != weight.stride(), "the gradient lies otherwise now"
    weight.grad = gradient.contiguous() if contiguous else gradient
    kind([weight], lr=0.1, fused=fused).step()
    return weight.detach()


print(f"torch {torch.__version__}")
for kind in (Adam, AdamW, Adagrad, SGD):
    far, near = (
        float((stepped(kind, True, same) - stepped(kind, False, same)).abs().max())
        for same in (False, True)
    )
    print(f"{kind.__name__}: as it came {far:.3g}, made contiguous {near:.3g}")
    assert far > 0.1, "fused steps follow strides now"
    assert near < 1e-5, "fused steps differ also where strides agree"
EOF
