"""Map of a small network with 120 MB of writable memory left, where 2 GB may be used; its note."""

import resource
from pathlib import Path

import torch
from torch import nn

import xwidgets as xw

torch.set_num_threads(1)
torch.manual_seed(0)
module = nn.Sequential(
    nn.Conv2d(3, 32, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(32, 32, 3, padding=1),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(32, 4),
)
net = xw.Network(module.eval(), size=(96, 96), name="small", training_size=50)
image = torch.rand(3, 96, 96)
net.classify(image[None])
lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
used = next(1024 * int(line[1]) for line in lines if line[0] == "VmData:")
resource.setrlimit(resource.RLIMIT_DATA, (used + 120_000_000, resource.RLIM_INFINITY))
result = xw.occlusion(net, image, 0, window=8, stride=8, memory=2e9)
assert result.completed == 1
print(result.note)
