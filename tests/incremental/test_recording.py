"""Recordings, replayed for another image."""

import pytest
import torch
from hypothesis import given, settings
from torch import nn

from tests.networks.architectures import plans
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
