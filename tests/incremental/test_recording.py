"""Recordings, replayed for another image."""

import weakref
from itertools import chain

import pytest
import torch
from hypothesis import given, settings
from torch import nn

from tests.networks.architectures import plans
from xwidgets.incremental.differences import Differences, _held
from xwidgets.incremental.extent import Extent
from xwidgets.incremental.recording import Unrecordable, record


@settings(max_examples=40, deadline=None)
@given(plans())
def test_a_recording_gives_what_the_network_gives(plan):
    module, image = plan.spelled().module.double(), plan.image().double()[None]
    recording = record(module, image)
    torch.testing.assert_close(recording.values[0], image)
    torch.testing.assert_close(recording.values[recording.output], module(image))
    other = torch.rand_like(image)
    torch.testing.assert_close(recording.replay(other), module(other.clone()))


def test_values_are_kept_as_they_were_before_they_were_overwritten():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Flatten())
    image = torch.rand(1, 3, 5, 5)
    recording = record(module, image)
    assert [call.operation.name for call in recording.calls] == [
        "clone", "conv2d", "relu", "flatten",
    ]  # fmt: skip
    torch.testing.assert_close(recording.values[2], module[0](image))
    torch.testing.assert_close(recording.values[3], module[0](image).relu())


@pytest.mark.parametrize("forward", [
    lambda x: x if x.sum() > 0 else -x,
    lambda x: x * x.mean().item(),
    lambda x: x.detach() * 2,
    lambda x: x * (x.roll(1, 3) > 0),
    lambda x: torch.zeros(1, 2),
    lambda x: x.copy_(x[:, :1]),
    lambda x: torch.jit.trace(nn.ReLU(), torch.rand(2))(x),
], ids=["branch", "item", "detach", "mask", "constant", "part", "compiled"])  # fmt: skip
def test_what_cannot_be_replayed_is_refused(forward):
    with pytest.raises(Unrecordable):
        record(forward, torch.rand(1, 3, 4, 4))


def test_a_value_that_is_written_over_another_takes_its_place():
    convolution = nn.Conv2d(3, 4, 3)

    def forward(x):
        y = convolution(x)
        y.copy_(y.clone().relu())
        return y.flatten(1)

    image, other = torch.rand(2, 1, 3, 5, 5)
    recording = record(forward, image)
    torch.testing.assert_close(recording.replay(other), convolution(other).relu().flatten(1))
    torch.testing.assert_close(recording.values[2], convolution(image))


@settings(max_examples=30, deadline=None)
@given(plans())
def test_what_rules_need_no_more_is_released_and_the_rest_is_replayed(plan):
    module, image = plan.spelled().module.double(), plan.image().double()[None]
    recording = record(module, image)
    output, shapes = recording.values[recording.output], [v.shape for v in recording.values]
    values = {number: [weakref.ref(value)] for number, value in enumerate(recording.values)}
    for call in recording.calls:
        for number, taken in zip(call.sources, call.operation.inputs, strict=True):
            values[number].append(weakref.ref(taken))
    del call, taken
    differences = Differences(recording, Extent.of_windows(2, image.shape[2:]))
    assert [value.shape for value in recording.values] == shapes
    rest = [(*sources, *made) for _, sources, made, _ in differences._rest]
    needed = {0, recording.output, *chain(*rest)}
    held = {tensor.data_ptr() for tensor in _held([step.rule for step in differences._steps])}
    held |= {recording.values[number].data_ptr() for number in needed}
    for number, kept in values.items():
        left = [ref() for ref in kept if ref() is not None]
        assert number in needed or all(value.data_ptr() in held for value in left)
    assert torch.equal(recording.values[recording.output], output)
    other = torch.rand_like(image)
    torch.testing.assert_close(recording.replay(other), module(other.clone()))


def test_values_behind_a_layer_that_is_read_are_not_kept():
    seen = []

    def forward(x):
        seen.append(x.relu())
        seen.append(seen[0].exp())
        return seen[0].flatten(1)

    recording = record(forward, torch.rand(1, 3, 4, 4))
    assert [call.operation.name for call in recording.calls] == ["clone", "relu", "flatten"]
    assert [value.is_meta for value in recording.values] == [False, False, False, True, False]
