"""Incremental inference against plain forwards of the replaced images, in float64."""

import re
from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torchvision import models

import xwidgets as xw
from tests.networks.architectures import plans
from xwidgets.incremental import IncrementalInference, WholeInference
from xwidgets.incremental.recording import record

from .replaced import ALWAYS, compare, picture, plain, windows, wrapped

# Random architectures, on differences also where that does not pay


@settings(max_examples=60, deadline=None)
@given(plans(), st.integers(1, 5), st.booleans())
def test_random_networks_however_they_are_spelled(plan, window, spelled):
    net = plan.spelled() if spelled else plan.plain()
    net.module.double()
    with ALWAYS:
        compare(net, plan.image().double(), window)


@settings(max_examples=40, deadline=None)
@given(plans(), st.integers(1, 5), st.data())
def test_hidden_layers_of_random_networks(plan, window, data):
    net, image = plan.plain(), plan.image().double()
    net.module.double()
    layer = data.draw(st.sampled_from([one for one in net.layers if len(one.shape) == 3]))
    row, column = (data.draw(st.integers(0, side - 1)) for side in layer.shape[1:])

    def read(x):
        maps = net.activations(x, layer.name)
        return torch.cat([maps.mean((2, 3)), maps[:, :, row, column]], 1)

    corners, contents = windows(image, window)
    with ALWAYS:
        inference = IncrementalInference(WholeInference(net, image, window, read=read))
    assert not re.search("do not agree|cannot be run again", inference.note)
    ours = inference.outputs(corners, contents)
    whole = WholeInference(net, image, window, read=read).outputs(corners, contents)
    scale = max(1, whole.abs().max())
    assert ours.shape == whole.shape == (len(corners), 2 * layer.shape[0])
    assert (ours - whole).abs().max() <= 1e-10 * scale


def test_behind_a_hidden_layer_nothing_is_run():
    net, image = wrapped(small(), 33, 30), picture(3, 33, 30)
    with net.evaluating():
        recording = record(lambda x: net.activations(x, "4").mean((2, 3)), image[None])
    names = [call.operation.name for call in recording.calls]
    assert names.count("conv2d") == 2
    assert "linear" not in names
    assert "adaptive_avg_pool2d" not in names


@st.composite
def convolutions(draw, channels):
    groups = draw(st.sampled_from([1, 1, 2]))
    same = draw(st.booleans())
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    return nn.Conv2d(
        channels, 4, kernel,
        stride=1 if same else draw(st.tuples(st.integers(1, 3), st.integers(1, 2))),
        padding=draw(st.sampled_from(["same", "valid"]))
        if same else draw(st.tuples(st.integers(0, 3), st.integers(0, 2))),
        dilation=draw(st.integers(1, 2)), groups=groups if channels % groups == 0 else 1,
        bias=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def pools(draw):
    kernel = draw(st.integers(1, 3))
    padding, stride = draw(st.integers(0, kernel // 2)), draw(st.integers(1, 3))
    ceil = draw(st.booleans())
    if draw(st.booleans()):
        return nn.MaxPool2d(kernel, stride, padding, draw(st.integers(1, 2)), ceil_mode=ceil)
    included = draw(st.booleans())
    return nn.AvgPool2d(kernel, stride, padding, ceil_mode=ceil, count_include_pad=included)


class Residual(nn.Module):
    """A sum, a difference and a concatenation of branches."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.one, self.two = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, (1, 5), padding=(0, 2))
        self.three = nn.Conv2d(12, 4, 1)

    def forward(self, x):
        if self.kind == "sum":
            return torch.add(self.one(x), self.two(x).relu(), alpha=2)
        if self.kind == "difference":
            return 1 - (x - self.one(x)) * 0.5 + self.two(x).sigmoid() / torch.tensor(3.0)
        if self.kind == "concatenation":
            return self.three(torch.cat([x, self.one(x), self.two(x)], -3))
        return self.two(torch.cat([self.one(x).split(2, 1)[0], x], 1)[:, 1:5])


@st.composite
def networks(draw):
    layers = [draw(convolutions(3))]
    block = st.one_of(
        convolutions(4),
        pools(),
        st.builds(nn.BatchNorm2d, st.just(4)),
        st.builds(nn.LocalResponseNorm, st.integers(2, 5), st.just(0.1)),
        st.builds(Residual, st.sampled_from(["sum", "difference", "concatenation", "cut"])),
        st.sampled_from([nn.ReLU(), nn.ReLU(True), nn.ReLU6(), nn.SiLU(), nn.GELU(), nn.Sigmoid(),
                         nn.PReLU(), nn.PReLU(4), nn.Hardswish(), nn.Mish(), nn.Threshold(0, 0),
                         nn.ZeroPad2d((1, 2, 0, 3)),
                         nn.ZeroPad2d((-1, 1, 0, -1)), nn.Dropout(), nn.Tanh()]),
    )  # fmt: skip
    layers += draw(st.lists(block, min_size=1, max_size=6))
    return nn.Sequential(*layers)


@settings(max_examples=150, deadline=None)
@given(networks(), st.integers(1, 6), st.sampled_from([(16, 23), (21, 17)]), st.booleans())
def test_random_layers(features, window, size, dense):
    image = picture(3, *size)
    try:
        maps = features.double().eval()(image[None])
    except RuntimeError:  # a map became too small
        return
    if not (maps.numel() and maps.isfinite().all()):
        return
    head = nn.Sequential(nn.Flatten(), nn.Linear(maps[0].numel(), 7), nn.ReLU(), nn.Linear(7, 3))
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    net = wrapped(nn.Sequential(features, head if dense else pooled), *size)
    with ALWAYS:
        compare(net, image, window)


# Rectangles

rectangles = st.tuples(st.integers(1, 7), st.integers(1, 7))


@settings(max_examples=60, deadline=None)
@given(plans(), rectangles, st.booleans())
def test_rectangles_in_random_networks(plan, window, spelled):
    net = plan.spelled() if spelled else plan.plain()
    net.module.double()
    with ALWAYS:
        compare(net, plan.image().double(), window)


@settings(max_examples=60, deadline=None)
@given(networks(), st.tuples(st.integers(1, 21), st.integers(1, 17)))
def test_rectangles_of_any_shape_in_random_layers(features, window):
    image = picture(3, 21, 17)
    try:
        maps = features.double().eval()(image[None])
    except RuntimeError:  # a map became too small
        return
    if not (maps.numel() and maps.isfinite().all()):
        return
    head = nn.Sequential(nn.Flatten(), nn.Linear(maps[0].numel(), 3))
    with ALWAYS:
        compare(wrapped(nn.Sequential(features, head), 21, 17), image, window)


@settings(max_examples=30, deadline=None)
@given(rectangles, st.sampled_from([0, 3e5, 1e9]), st.integers(1, 9))
def test_whole_forwards_of_rectangles_are_plain_forwards(window, memory, count):
    net, image = wrapped(small(), 33, 30), picture(3, 33, 30)
    whole = WholeInference(net, image, window, memory)
    assert whole.window == window
    corners, contents = windows(image, window, count=count)
    expected = plain(net, image, corners, contents)
    assert (whole.outputs(corners, contents) - expected).abs().max() < 1e-12


@settings(max_examples=40, deadline=None)
@given(plans(), rectangles, st.data())
def test_rectangles_seen_by_a_hidden_layer(plan, window, data):
    net, image = plan.plain(), plan.image().double()
    net.module.double()
    layer = data.draw(st.sampled_from([one for one in net.layers if len(one.shape) == 3]))
    row, column = (data.draw(st.integers(0, side - 1)) for side in layer.shape[1:])

    def read(x):
        maps = net.activations(x, layer.name)
        return torch.cat([maps.mean((2, 3)), maps[:, :, row, column]], 1)

    corners, contents = windows(image, window)
    with ALWAYS:
        inference = IncrementalInference(WholeInference(net, image, window, read=read))
    assert not re.search("do not agree|cannot be run again", inference.note)
    ours = inference.outputs(corners, contents)
    alone = []
    for (y, x), content in zip(corners.tolist(), contents, strict=True):
        replaced = image.clone()
        replaced[:, y : y + window[0], x : x + window[1]] = content
        with net.evaluating():
            alone.append(read(replaced[None]))
    expected = torch.cat(alone)
    assert (ours - expected).abs().max() <= 1e-10 * max(1, expected.abs().max())


@pytest.mark.parametrize("window", [(1, 64), (64, 1), (3, 30), (20, 8)], ids=str)
def test_rectangles_in_an_embedded_network(window):
    net = xw.network("birds")
    net.module.double()
    assert compare(net, picture(3, 64, 64), window).note == ""


def test_a_rectangle_costs_less_than_the_square_around_it():
    net, image = wrapped(small(), 33, 30), picture(3, 33, 30)
    flat, square = (
        IncrementalInference(WholeInference(net, image, window)).share
        for window in [(2, 12), (12, 12)]
    )
    assert flat < square


# Known networks


def test_the_embedded_networks():
    for name in ("birds", "street"):
        net = xw.network(name)
        net.module.double()
        assert compare(net, picture(3, 64, 64), 10).note == ""


@pytest.mark.parametrize(("name", "side", "options"), [
    ("alexnet", 96, {}), pytest.param("vgg16", 64, {}, marks=pytest.mark.long),
    ("squeezenet1_1", 96, {}), ("resnet18", 96, {}),
    ("googlenet", 96, {"aux_logits": False, "init_weights": False}), ("mobilenet_v2", 96, {}),
])  # fmt: skip
def test_networks_of_torchvision(name, side, options):
    torch.manual_seed(0)
    net = wrapped(models.get_model(name, weights=None, **options), side, side)
    assert compare(net, picture(3, side, side), 7).note == ""


def test_single_precision_is_a_thousandth_of_the_effect_off_at_most():
    net = xw.network("birds")
    image = picture(3, 64, 64).float()
    inference = IncrementalInference(WholeInference(net, image, 10))
    corners, contents = windows(image, 10)
    expected = plain(net, image, corners, contents)
    effect = (expected - net.logits(image[None])).abs().amax(1)
    assert inference.note == ""
    assert ((inference.outputs(corners, contents) - expected).abs().amax(1) < 1e-3 * effect).all()


# Batches


def small():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.ReLU(True), nn.MaxPool2d(3, 2),
        nn.Conv2d(4, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3),
    )  # fmt: skip


def test_neither_order_nor_batches_nor_repeated_windows_matter():
    net, image = wrapped(small(), 33, 30), picture(3, 33, 30)
    corners, contents = windows(image, 4, count=30)
    corners[20:] = corners[3]
    whole = IncrementalInference(WholeInference(net, image, 4, memory=1e9))
    single = IncrementalInference(WholeInference(net, image, 4, memory=0))
    assert (whole.note, single.batch) == ("", 1)
    order = torch.randperm(len(corners), generator=torch.Generator().manual_seed(0))
    expected = whole.outputs(corners, contents)
    torch.testing.assert_close(single.outputs(corners, contents), expected)
    torch.testing.assert_close(whole.outputs(corners[order], contents[order]), expected[order])


def test_the_content_of_the_image_changes_nothing():
    net, image = wrapped(small(), 33, 30), picture(3, 33, 30)
    same = IncrementalInference(WholeInference(net, image, 5)).outputs(
        torch.tensor([[7, 8], [28, 25]]), torch.stack([image[:, 7:12, 8:13], image[:, 28:, 25:]])
    )
    torch.testing.assert_close(same, net.logits(image[None]).expand(2, -1), rtol=0, atol=1e-12)


def test_a_window_as_large_as_the_image_is_a_whole_forward():
    net, image = wrapped(small(), 16, 16), picture(3, 16, 16)
    inference = compare(net, image, 16)
    assert inference.note.endswith("for every window: a window changes nearly all of its values")


def test_a_note_tells_from_where_on_a_window_changes_everything():
    class Gated(nn.Module):
        def forward(self, x):
            return x * x.mean((2, 3), keepdim=True).sigmoid()

    later = [nn.Conv2d(4, 4, 3, padding=1) for _ in range(20)]
    module = nn.Sequential(nn.Conv2d(3, 4, 3), Gated(), *later, nn.Flatten(), nn.Linear(1296, 3))
    inference = compare(wrapped(module, 20, 20), picture(3, 20, 20), 3)
    words = "run whole for every window: a window changes nearly all of its values from 'mean' on"
    assert inference.note == f"small is {words}"


def test_batches_fit_into_the_memory():
    net, image = wrapped(small(), 33, 30), picture(3, 33, 30)
    one, two = (
        IncrementalInference(WholeInference(net, image, 8, memory=memory)) for memory in (4e5, 5e5)
    )
    assert 10 < one.batch < two.batch < 48
    need = one._differences.need
    assert two.batch - one.batch == pytest.approx(0.85 * 1e5 / (3 * need), abs=1)
    assert one.batch * need + one._differences.held <= 4e5


def test_a_memory_too_small_for_one_window_is_refused_with_what_is_needed():
    net, image = wrapped(small(), 33, 30), picture(3, 33, 30)
    words = r"memory is 10 bytes, but one image .* takes 0.1 MB; give at least 111_812"
    with pytest.raises(ValueError, match=words):
        IncrementalInference(WholeInference(net, image, 4, memory=10))


def test_a_large_network_goes_an_image_at_a_time_unless_told_otherwise():
    net, image = wrapped(small(), 33, 30), picture(3, 33, 30)
    with patch("xwidgets.incremental.budget._PROCESSOR", 10):
        assert WholeInference(net, image, 4).batch == 1


def test_the_module_is_left_as_it_came():
    module = small().train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    attributes = [set(vars(part)) for part in module.modules()]
    net, image = xw.Network(module.double(), size=(33, 30)), picture(3, 33, 30)
    copy = image.clone()
    IncrementalInference(WholeInference(net, image, 4)).outputs(*windows(image, 4))
    assert torch.equal(image, copy)
    assert all(part.training for part in module.modules())
    assert all(value.requires_grad and value.grad is None for value in module.parameters())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert [set(vars(part)) for part in module.modules()] == attributes


# What cannot be run on differences, or not to the end


class Odd(nn.Module):
    """A convolution, then something else, then a small head."""

    def __init__(self, what):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.linear = nn.Linear(4, 3)
        self.what = what

    def forward(self, x):
        x = self.second(self.first(x).relu())
        return self.linear(self.what(x).mean((2, 3)))


def batch_mixed(x):
    return x + 0.1 * x.mean()


def branch(x):
    return x * 2 if x.mean() > -100 else x


def overwritten(x):
    x[:, :, 0] = 0
    return x


def alias(x):
    y = x[:, 1:]
    x.mul_(2)
    return x + y.sum(1, keepdim=True)


REPLAYED = {
    "flip": (lambda x: x.flip(3), "flip"),
    "cumsum": (lambda x: x.cumsum(2), "cumsum"),
    "instance": (F.instance_norm, "instance_norm"),
    "turned": (lambda x: x.transpose(2, 3).cumsum(2), "cumsum"),
    "reflection": (lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"), "pad"),
}
WHOLE = {
    "branch": (branch, "looks at values"),
    "detach": (lambda x: x.detach() + 1, "not seen"),
    "mask": (lambda x: x * (x.roll(1, 3) > 0), "not seen"),
    "overwritten": (overwritten, "writes over a part"),
    "alias": (alias, "not seen"),
    "numpy": (lambda x: torch.from_numpy(x.detach().numpy()), "(not seen|looks at values)"),
}


@pytest.mark.parametrize("name", REPLAYED)
def test_from_an_unknown_operation_on_values_are_whole(name):
    what, stopped = REPLAYED[name]
    net, image = wrapped(Odd(what), 20, 20), picture(3, 20, 20)
    inference = compare(net, image, 3)
    assert inference.note == f"small is run on whole values from {stopped!r} on"


@pytest.mark.parametrize("name", WHOLE)
def test_a_network_that_cannot_be_replayed_is_run_whole(name):
    what, reason = WHOLE[name]
    net, image = wrapped(Odd(what), 20, 20), picture(3, 20, 20)
    inference = IncrementalInference(WholeInference(net, image, 3))
    assert inference.note.startswith("small is run whole for every window: ")
    assert re.search(reason, inference.note)
    compare(net, image, 3)


def test_a_network_that_is_random_is_refused():
    net, image = wrapped(Odd(lambda x: x + torch.rand_like(x)), 20, 20), picture(3, 20, 20)
    with pytest.raises(ValueError, match="random in evaluation mode: 'rand_like'"):
        IncrementalInference(WholeInference(net, image, 3))


class Summed(nn.Module):
    def forward(self, x):
        return x.sum((2, 3), keepdim=True).flatten(1) / 100 + x.sum([-1, -2])


@pytest.mark.parametrize("part", [nn.PReLU(4), nn.PReLU(), nn.Threshold(0, 0), Summed()], ids=str)
def test_every_operation_with_such_facts_has_the_rule(part):
    head = [] if isinstance(part, Summed) else [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    module = nn.Sequential(nn.Conv2d(3, 4, 3), part, *head, nn.Linear(4, 3))
    assert compare(wrapped(module, 20, 20), picture(3, 20, 20), 3).note == ""


def test_a_first_operation_without_a_rule_leaves_nothing_to_gain():
    module = nn.Sequential(nn.InstanceNorm2d(3), small())
    net, image = wrapped(module, 33, 30), picture(3, 33, 30)
    assert "from 'instance_norm' on" in compare(net, image, 4).note


def test_images_that_depend_on_each_other_go_one_at_a_time_or_not_at_all():
    net, image = wrapped(small(), 33, 30), picture(3, 33, 30)
    net.module[1] = nn.BatchNorm2d(4, track_running_stats=False).double()
    with pytest.raises(ValueError, match=r"when others are beside it.*give memory=0"):
        IncrementalInference(WholeInference(net, image, 4))
    single = IncrementalInference(WholeInference(net, image, 4, memory=0))
    corners, contents = windows(image, 4)
    torch.testing.assert_close(
        single.outputs(corners, contents), plain(net, image, corners, contents)
    )


def test_what_its_operations_raise_is_a_reason_to_run_it_whole():
    def own(x):
        return x[torch.arange(len(x)), :, 0, 0][:, :, None, None].expand_as(x) + x

    net, image = wrapped(Odd(own), 20, 20), picture(3, 20, 20)
    inference = IncrementalInference(WholeInference(net, image, 3))
    assert inference.note.startswith("small is run whole")
    corners, contents = windows(image, 3)
    torch.testing.assert_close(
        inference.outputs(corners, contents), plain(net, image, corners, contents)
    )
    ellipsis = wrapped(Odd(lambda x: x[:, :, 3, ..., 4][..., None, None] + x), 20, 20)
    compare(ellipsis, image, 3)


def test_nan_in_the_network_is_told():
    module = small()
    module[0].weight.data[0] = torch.nan
    net, image = wrapped(module, 33, 30), picture(3, 33, 30)
    inference = IncrementalInference(WholeInference(net, image, 4))
    assert "small is run whole for every window" in inference.note
    assert inference.outputs(*windows(image, 4)).isnan().any()
