"""Rules of single operations in random networks, against plain forwards in float64."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torchvision import models
from torchvision.models.convnext import CNBlockConfig, ConvNeXt

import xwidgets as xw
from tests.networks.architectures import settled
from xwidgets.incremental import IncrementalInference, WholeInference
from xwidgets.incremental.boxes import Places
from xwidgets.incremental.differences import Differences
from xwidgets.incremental.extent import Extent
from xwidgets.incremental.recording import record
from xwidgets.incremental.rulebook import _is_finite

from .replaced import ALWAYS, compare, picture, windows, wrapped
from .storages import LiveStorages

WIDTH = 4


class Block(nn.Module):
    """Some operations between two convolutions, whose results both are of WIDTH channels."""

    def __init__(self, name):
        super().__init__()
        self.name = name
        self.conv, self.other = nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.Conv2d(WIDTH, WIDTH, 1)
        self.pair, self.one = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(WIDTH, 1, 3, padding=1)
        self.depthwise = nn.Conv2d(WIDTH, WIDTH, 5, padding=2, groups=WIDTH)
        self.norm, self.scale = nn.LayerNorm(WIDTH), nn.Parameter(torch.rand(WIDTH, 1, 1) + 0.5)
        self.wide, self.narrow = nn.Linear(WIDTH, 6), nn.Linear(6, WIDTH)
        self.up = nn.ConvTranspose2d(WIDTH, WIDTH, 2, 2)

    def forward(self, x):
        return BLOCKS[self.name](self, x)


def shuffled(x, groups=2):
    n, channels, *size = x.shape
    x = x.view(n, groups, channels // groups, *size)
    return torch.transpose(x, 1, 2).contiguous().view(n, channels, *size)


def shuffle_unit(m, x):
    kept, changed = x.chunk(2, dim=1)
    return shuffled(torch.cat((kept, m.pair(changed).relu_()), dim=1))


def split_and_kept(m, x):
    first, second, third = x.split([1, 2, 1], 1)
    return x + torch.cat([m.pair(second.relu()), third, first], 1)


def sliced(m, x):
    return m.conv(torch.cat([F.silu(x[:, 3:]), x[:, :2] * 2, x.narrow(1, 1, 1)], 1))


def every_second(m, x):
    return torch.cat([m.pair(x[:, ::2]), x[:, torch.tensor([3, 0])]], 1)


def convnext(m, x):
    y = m.norm(m.depthwise(x).permute(0, 2, 3, 1))
    return x + m.scale * m.narrow(F.gelu(m.wide(y))).permute(0, 3, 1, 2)


def norm_behind(m, x):
    y = x.permute(0, 2, 3, 1)
    y = F.layer_norm(y, (WIDTH,)) * torch.tensor([1.0, 2, 3, 4]) + 1
    return torch.cat([y, y.sigmoid()], -1).movedim(-1, 1)[:, 2:6]


def over_channels(m, x):
    mean = x.softmax(1)
    return m.other(mean) + F.local_response_norm(x, 3)


def mean_behind(m, x):
    return x + m.wide(x.permute(0, 2, 3, 1).mean([1, 2])).relu()[:, :WIDTH, None, None].expand_as(x)


def gate(m, x):
    return x * m.other(F.silu(m.other(F.adaptive_avg_pool2d(x, 1)))).sigmoid()


def gate_in_front(m, x):
    return F.hardsigmoid(m.other(x.mean((2, 3), keepdim=True))) * m.conv(x)


def gate_of_vectors(m, x):
    n, channels, _, _ = x.shape
    vector = F.adaptive_avg_pool2d(x, 1).view(n, channels)
    return x * torch.sigmoid(m.narrow(F.relu(m.wide(vector)))).view(n, channels, 1, 1).expand_as(x)


def gate_of_places(m, x):
    return m.one(x).sigmoid() * x


def product(m, x):
    return m.conv(x) * m.other(x)


def products_of_different_boxes(m, x):
    return m.other(x) * m.depthwise(m.conv(x)).tanh() - x * x


def quotient(m, x):
    return m.conv(x) / (1 + m.other(x) ** 2)


def maximum(m, x):
    return torch.maximum(m.conv(x), x) + torch.minimum(x, -m.other(x))


def up_and_down(m, x):
    return F.avg_pool2d(m.up(x).relu(), 2)


BLOCKS = {
    function.__name__: function
    for function in (
        shuffle_unit, split_and_kept, sliced, every_second, convnext, norm_behind, over_channels,
        mean_behind, gate, gate_in_front, gate_of_vectors, gate_of_places, product,
        products_of_different_boxes, quotient, maximum, up_and_down,
    )
}  # fmt: skip


@st.composite
def transposed(draw):
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 2)))
    dilation = draw(st.integers(1, 2))
    limit = [max(side, dilation) - 1 for side in stride]
    return nn.ConvTranspose2d(
        WIDTH, WIDTH, draw(st.tuples(st.integers(1, 4), st.integers(1, 3))), stride,
        padding=draw(st.tuples(st.integers(0, 2), st.integers(0, 1))),
        output_padding=tuple(draw(st.integers(0, most)) for most in limit),
        groups=draw(st.sampled_from([1, 2, 4])), dilation=dilation, bias=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def resized(draw):
    mode = draw(st.sampled_from(["nearest", "nearest-exact", "bilinear", "bicubic", "area"]))
    options = {"align_corners": draw(st.booleans())} if mode.startswith("bi") else {}
    if draw(st.booleans()):
        return nn.Upsample(scale_factor=draw(st.sampled_from([2, 3, 1.5])), mode=mode, **options)
    size = draw(st.tuples(st.integers(5, 30), st.integers(5, 30)))
    return nn.Upsample(size=size, mode=mode, **options)


@st.composite
def networks(draw):
    block = st.one_of(
        st.sampled_from(list(BLOCKS)).map(Block),
        st.sampled_from(list(BLOCKS)).map(Block),
        transposed(),
        resized(),
        st.sampled_from([nn.SiLU(True), nn.Hardswish(), nn.GELU(), nn.ReLU(True), nn.ReLU6(True),
                         nn.BatchNorm2d(WIDTH), nn.MaxPool2d(2), nn.ChannelShuffle(2)]),
    )  # fmt: skip
    stride = draw(st.integers(1, 2))
    first = nn.Conv2d(3, WIDTH, 3, stride, padding=draw(st.integers(0, 1)))
    return nn.Sequential(first, *draw(st.lists(block, min_size=1, max_size=5)))


@settings(max_examples=100, deadline=None)
@given(networks(), st.tuples(st.integers(1, 6), st.integers(1, 6)))
def test_random_networks(features, window):
    try:
        maps = features.double().eval()(picture(3, 15, 18)[None])
    except RuntimeError:  # a map became too small
        return
    if not (maps.numel() and maps.isfinite().all() and maps[0].numel() < 20000):
        return
    head = nn.Sequential(nn.Flatten(), nn.Linear(maps[0].numel(), 3))
    with ALWAYS:
        compare(wrapped(nn.Sequential(features, head), 15, 18), picture(3, 15, 18), window)


def single(*parts):
    head = [nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(WIDTH * 9, 3)]
    return nn.Sequential(nn.Conv2d(3, WIDTH, 3), *parts, *head)


@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_has_rules_to_its_end(name):
    torch.manual_seed(0)
    with ALWAYS:
        assert compare(wrapped(single(Block(name)), 20, 17), picture(3, 20, 17), 3).note == ""


@pytest.mark.parametrize("part", [
    nn.Upsample(scale_factor=2), nn.Upsample(scale_factor=3, mode="bilinear", align_corners=True),
    nn.Upsample(scale_factor=2, mode="bilinear"), nn.Upsample((41, 30), mode="bicubic"),
    nn.ConvTranspose2d(WIDTH, WIDTH, 3, 2, 1, 1), nn.ConvTranspose2d(WIDTH, WIDTH, 4, 3, 0),
    nn.Sequential(nn.ConvTranspose2d(WIDTH, WIDTH, 2, 2), nn.BatchNorm2d(WIDTH), nn.ReLU(True)),
    nn.Sequential(nn.Conv2d(WIDTH, 6, 3), nn.ChannelShuffle(3), nn.Conv2d(6, WIDTH, 3)),
    nn.Sequential(nn.SiLU(), nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.GELU(), nn.MaxPool2d(2)),
], ids=str)  # fmt: skip
@pytest.mark.parametrize("window", [3, 15])
def test_single_operations_have_rules_to_their_end(part, window):
    torch.manual_seed(0)
    with ALWAYS:
        inference = compare(wrapped(single(part), 20, 17), picture(3, 20, 17), window)
    assert inference.note == ""


@pytest.mark.parametrize("make", [
    lambda: models.shufflenet_v2_x0_5(), lambda: models.mobilenet_v3_small(),
    lambda: ConvNeXt([CNBlockConfig(8, 16, 2), CNBlockConfig(16, None, 1)], layer_scale=1.0),
], ids=["shufflenet", "mobilenet", "convnext"])  # fmt: skip
def test_networks_of_torchvision(make):
    torch.manual_seed(0)
    module = make()
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight)
    with ALWAYS:
        assert compare(wrapped(module, 64, 64), picture(3, 64, 64), 5).note == ""


def test_a_map_turned_and_back():
    class Turned(nn.Module):
        def forward(self, x):
            return (x.transpose(2, 3) * 2).sigmoid().transpose(-1, -2)

    with ALWAYS:
        assert compare(wrapped(single(Turned()), 20, 17), picture(3, 20, 17), 3).note == ""


def test_weights_along_another_axis_than_that_of_the_channels_have_no_rule():
    class Turned(nn.Module):
        def __init__(self):
            super().__init__()
            self.prelu = nn.PReLU(18)

        def forward(self, x):
            return self.prelu(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    module = Turned()
    module.prelu.weight.data.uniform_()
    with ALWAYS:
        inference = compare(wrapped(single(module), 20, 17), picture(3, 20, 17), 3)
    assert inference.note == "small is run on whole values from 'prelu' on"


class Called(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def test_values_that_are_not_finite_are_compared_whole():
    """Two halves of a black corner are divided, where no window of the check looks."""

    def divided(x):
        first, second = x.chunk(2, 1)
        return (first / second).nan_to_num(0, 1, -1).clamp(-3, 3)

    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.ReLU(), Called(divided),
        nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(18, 3),
    )  # fmt: skip
    image = picture(3, 24, 24)
    image[:, 12:, 12:] = 0
    net = xw.Network(settled(module).double(), size=(24, 24), name="small")
    with ALWAYS:
        assert compare(net, image, 3).note == "small is run on whole values from 'div' on"


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_finite_values_are_told_though_their_sum_is_beyond_all_numbers(dtype):
    values = torch.full((1, 2, 3, 3), torch.finfo(dtype).max, dtype=dtype)
    assert _is_finite(values)
    assert _is_finite(values * torch.tensor([1, -1])[:, None, None])
    for odd in (torch.nan, torch.inf, -torch.inf):
        values[0, 1, 2, 2] = odd
        assert not _is_finite(values)
        assert not _is_finite(values / torch.finfo(dtype).max)


def test_a_gate_that_is_expanded_behind_whole_values():
    def gated(x):
        gate = F.group_norm(x, 2).mean((2, 3), keepdim=True).sigmoid()
        return x * gate.expand(x.shape[0], *x.shape[1:])

    torch.manual_seed(0)
    with ALWAYS:
        inference = compare(wrapped(single(Called(gated)), 20, 17), picture(3, 20, 17), 3)
    assert inference.note == "small is run on whole values from 'group_norm' on"


def test_an_empty_list_that_is_joined_has_no_rule():
    def joined(x):
        return torch.cat([torch.tensor([]), x], 1)

    with ALWAYS:
        inference = compare(wrapped(single(Called(joined)), 20, 17), picture(3, 20, 17), 3)
    assert inference.note == "small is run on whole values from 'cat' on"


@pytest.mark.parametrize("part", [
    *map(Block, BLOCKS), nn.Upsample(scale_factor=4, mode="bilinear"), nn.Upsample(size=(9, 9)),
    nn.ConvTranspose2d(WIDTH, WIDTH, 3, 2, 1, 1),
    nn.Sequential(Block("gate"), nn.Upsample(scale_factor=4, mode="bilinear")),
    nn.Sequential(Block("gate"), nn.ConvTranspose2d(WIDTH, WIDTH, 3, 2, 1, 1)),
], ids=str)  # fmt: skip
def test_what_is_held_is_not_more_than_was_counted(part):
    torch.manual_seed(0)
    image, count = picture(3, 40, 37), 16
    net = wrapped(single(part), 40, 37)
    recording = record(net.classify, image[None])
    differences = Differences(recording, Extent.of_windows(5, (40, 37)))
    corners, contents = windows(image, 5, count=count - 11)
    places = Places(*corners.T)
    with LiveStorages() as storages:
        differences.outputs(places, contents)
    assert storages.peak <= 1.1 * len(corners) * differences.need + 2**16


def test_multiplications_of_a_network_are_those_of_its_weights():
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ConvTranspose2d(4, 2, 3, 2, groups=2), nn.Flatten(),
        nn.Linear(2 * 41 * 41, 3),
    )  # fmt: skip
    image = picture(3, 20, 20)
    share = IncrementalInference(WholeInference(wrapped(module, 20, 20), image, 2)).share
    whole = 400 * 4 * 27 + 400 * 4 * 9 + 2 * 41 * 41 * 3
    left = 16 * 4 * 27 + 16 * 4 * 9 + 2 * 41 * 41 * 3
    assert share == pytest.approx(left / whole)
