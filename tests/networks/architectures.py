"""Random small networks, each in two spellings that compute the very same.

`plain` asks for every operation as a module. `spelled` asks for the same operations as functions,
methods or operators, in place or with results that are dropped, as the plan says.

    @given(plans())
    def test(plan):
        one, other = plan.plain(), plan.spelled()

The same means to the bit where maps have two channels or more and are larger than one pixel. The
memory format of others is ambiguous, and torch may choose other kernels for another spelling.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from xwidgets import Network


def settled(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module in evaluation mode, its batch norms with statistics and scales of both signs."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            count = part.num_features
            part.running_mean.copy_(torch.randn(count, generator=generator) / 4)
            part.running_var.copy_(torch.rand(count, generator=generator) + 0.5)
            if part.affine:
                part.weight.data.copy_(torch.randn(count, generator=generator))
                part.bias.data.copy_(torch.randn(count, generator=generator) / 4)
    return module.eval()


def _dropped(module: nn.Module, x: Tensor) -> Tensor:
    module.inplace = True
    module(x)
    return x


def _convolution(convolution: Callable[..., Tensor]) -> Callable[[nn.Conv2d, Tensor], Tensor]:
    return lambda m, x: convolution(
        x, m.weight, m.bias, m.stride, m.padding, dilation=m.dilation, groups=m.groups
    )


SPELLINGS: dict[type[nn.Module], list[Callable[..., Tensor]]] = {
    nn.Conv2d: [
        _convolution(F.conv2d),
        _convolution(torch.conv2d),
        lambda m, x: F.conv2d(
            input=x, weight=m.weight, bias=m.bias, stride=m.stride, padding=m.padding,
            dilation=m.dilation, groups=m.groups,
        ),
    ],
    nn.BatchNorm2d: [
        lambda m, x: F.batch_norm(x, m.running_mean, m.running_var, m.weight, m.bias),
        lambda m, x: torch.batch_norm(
            x, m.weight, m.bias, m.running_mean, m.running_var, False, 0.1, 1e-5, False
        ),
    ],
    nn.ReLU: [
        _dropped,
        lambda m, x: F.relu(x),
        lambda m, x: F.relu(x, True),
        lambda m, x: torch.relu(input=x),
        lambda m, x: x.relu_(),
        lambda m, x: x.clamp(min=0),
        lambda m, x: x.clamp_(0),
        lambda m, x: F.threshold(x, 0, 0),
    ],
    nn.ReLU6: [
        _dropped,
        lambda m, x: F.relu6(x),
        lambda m, x: F.relu6(x, inplace=True),
        lambda m, x: x.clamp(0, 6),
        lambda m, x: F.hardtanh(x, 0, 6, True),
    ],
    nn.LeakyReLU: [
        _dropped,
        lambda m, x: F.leaky_relu(x, m.negative_slope),
        lambda m, x: F.leaky_relu_(x, m.negative_slope),
    ],
    nn.MaxPool2d: [
        lambda m, x: F.max_pool2d(x, m.kernel_size, m.stride, m.padding, ceil_mode=m.ceil_mode),
        lambda m, x: torch.max_pool2d(x, m.kernel_size, m.stride, m.padding, 1, m.ceil_mode),
        lambda m, x: F.max_pool2d(
            x, m.kernel_size, m.stride, m.padding, ceil_mode=m.ceil_mode, return_indices=True
        )[0],
    ],
    nn.AvgPool2d: [
        lambda m, x: F.avg_pool2d(x, m.kernel_size, m.stride, m.padding, m.ceil_mode),
        lambda m, x: F.avg_pool2d(
            input=x, kernel_size=m.kernel_size, stride=m.stride, padding=m.padding,
            ceil_mode=m.ceil_mode,
        ),
    ],
}  # fmt: skip


SUMS = [
    lambda x, branch: branch + x,
    lambda x, branch: branch.add(x),
    lambda x, branch: torch.add(input=branch, other=x),
    lambda x, branch: branch.add_(x),
    lambda x, branch: branch.__iadd__(x),
]
CONCATENATIONS = [
    lambda x, y: torch.cat([x, y], 1),
    lambda x, y: torch.cat(tensors=(x, y), dim=1),
    lambda x, y: torch.concat([x, y], 1),
]
PRODUCTS = [
    lambda x, gate: x * gate,
    lambda x, gate: torch.multiply(x, gate),
    lambda x, gate: torch.mul(gate, x),
    lambda x, gate: x.mul_(gate),
]


class Spelled(nn.Module):
    """What a module computes, asked for in another way."""

    def __init__(self, module: nn.Module, spelling: int) -> None:
        super().__init__()
        self.module = module
        spellings = SPELLINGS[type(module)]
        self.ask = spellings[spelling % len(spellings)]

    def forward(self, x: Tensor) -> Tensor:
        return self.ask(self.module, x)


class Join(nn.Module):
    """Two ways side by side, the second of which may be written over."""

    def __init__(self, left: nn.Module, right: nn.Module, join: Callable[..., Tensor]) -> None:
        super().__init__()
        self.left, self.right, self.join = left, right, join

    def forward(self, x: Tensor) -> Tensor:
        return self.join(self.left(x), self.right(x))


LEAST = 11
"""The smallest side of an image."""


class Build:
    """Makes the modules of a plan, from the pixels on."""

    def __init__(self, channels: int, spelled: bool) -> None:
        self.channels, self.spelled = channels, spelled
        self.shrunk = 0
        self.side = LEAST  # of the maps at hand, at least

    def one(self, module: nn.Module, spelling: int) -> nn.Module:
        return Spelled(module, spelling) if self.spelled else module

    def join(self, left: nn.Module, right: nn.Module, ways: list, spelling: int) -> nn.Module:
        return Join(left, right, ways[spelling % len(ways) if self.spelled else 0])

    def convolution(self, outputs, kernel, stride, dilation, spelling):
        padding = tuple(side // 2 * dilation for side in kernel)
        stride = self.stride(stride)
        module = nn.Conv2d(self.channels, outputs, kernel, stride, padding, dilation)
        self.side = -(-self.side // stride)
        self.channels = outputs
        return self.one(module, spelling)

    def norm(self, spelling):
        return self.one(nn.BatchNorm2d(self.channels), spelling)

    def rectifier(self, kind, spelling):
        return self.one(kind(), spelling)

    def pool(self, kind, kernel, stride, padded, ceil, spelling):
        padding = kernel // 2 * (padded or self.side < kernel)
        stride = self.stride(stride)
        module = kind(kernel, stride, padding, ceil_mode=ceil)
        self.side = (self.side + 2 * padding - kernel) // stride + 1
        return self.one(module, spelling)

    def residual(self, kernel, spelling):
        kept = self.channels
        branch = nn.Sequential(
            self.convolution(2, kernel, 1, 1, spelling),
            self.rectifier(nn.ReLU, spelling + 1),
            self.convolution(kept, (1, 3), 1, 1, spelling + 2),
            self.norm(spelling),
        )
        return self.join(nn.Identity(), branch, SUMS, spelling)

    def beside(self, kernel, spelling):
        kept = self.channels
        left = nn.Sequential(
            self.convolution(kept, kernel, 1, 1, spelling), self.rectifier(nn.ReLU, spelling + 1)
        )
        self.channels = kept
        right = nn.Sequential(
            self.pool(nn.MaxPool2d, 3, 1, True, False, spelling),
            self.convolution(2, (1, 1), 1, 1, spelling),
            self.rectifier(nn.ReLU, spelling),
        )
        self.channels = kept + 2
        return self.join(left, right, CONCATENATIONS, spelling)

    def gate(self, spelling):
        kept = self.channels
        scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), self.convolution(kept, (1, 1), 1, 1, spelling), nn.Sigmoid()
        )
        return self.join(nn.Identity(), scale, PRODUCTS, spelling)

    def again(self, times, spelling):
        shared = nn.Sequential(
            self.convolution(self.channels, (3, 3), 1, 1, spelling),
            self.rectifier(nn.ReLU, spelling),
        )
        return nn.Sequential(*[shared] * times)

    def stride(self, wanted: int) -> int:
        """At most two steps of a network halve its maps."""
        if wanted > 1 and self.shrunk < 2:
            self.shrunk += 1
            return wanted
        return 1


class Plan(NamedTuple):
    """A network of steps, each the name of a method of :class:`Build` and its arguments."""

    channels: int
    size: tuple[int, int]
    steps: list[tuple]
    seed: int

    def plain(self) -> Network:
        return self._network(spelled=False)

    def spelled(self) -> Network:
        return self._network(spelled=True)

    def image(self) -> Tensor:
        generator = torch.Generator().manual_seed(self.seed + 1)
        return torch.rand(self.channels, *self.size, generator=generator)

    def _network(self, spelled: bool) -> Network:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            build = Build(self.channels, spelled)
            features = nn.Sequential(*[getattr(build, kind)(*rest) for kind, *rest in self.steps])
            head = nn.Sequential(
                nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(build.channels, 3)
            )
        module = nn.Sequential()
        module.features, module.head = features, head
        normalize = ([0.4] * self.channels, [0.3] * self.channels)
        return Network(settled(module, self.seed), normalize=normalize, size=self.size)


def _step(kind: str, *arguments: st.SearchStrategy) -> st.SearchStrategy[tuple]:
    return st.tuples(st.just(kind), *arguments)


_spelling = st.integers(0, 7)
_kernel = st.sampled_from([(1, 1), (3, 3), (3, 1), (5, 3)])
_stride = st.integers(1, 2)
_rectifier = _step(
    "rectifier", st.sampled_from([nn.ReLU, nn.ReLU, nn.ReLU6, nn.LeakyReLU]), _spelling
)
_norm = _step("norm", _spelling)
_pool = _step(
    "pool", st.sampled_from([nn.MaxPool2d, nn.AvgPool2d]), st.integers(2, 3), _stride,
    st.booleans(), st.booleans(), _spelling,
)  # fmt: skip
_sides = st.integers(LEAST, 15)


def plans(least: int = 2) -> st.SearchStrategy[Plan]:
    """Plans of networks of one to five blocks, whose maps have at least ``least`` channels."""
    outputs, dilation = st.integers(least, 4), st.integers(1, 2)
    convolution = _step("convolution", outputs, _kernel, _stride, dilation, _spelling)
    blocks = st.one_of(
        st.tuples(convolution, _rectifier),
        st.tuples(convolution, _norm, _rectifier),
        st.tuples(_norm, _rectifier),
        st.tuples(_step("residual", _kernel, _spelling), _rectifier),
        st.tuples(_pool),
        st.tuples(_step("beside", _kernel, _spelling)),
        st.tuples(_step("gate", _spelling)),
        st.tuples(_step("again", st.integers(2, 3), _spelling)),
    )
    return st.builds(
        lambda channels, size, first, others, seed: Plan(
            channels, size, [step for block in (first, *others) for step in block], seed
        ),
        st.sampled_from([1, 3]),
        st.tuples(_sides, _sides),
        st.tuples(convolution, _rectifier),
        st.lists(blocks, min_size=1, max_size=4),
        st.integers(0, 1000),
    )
