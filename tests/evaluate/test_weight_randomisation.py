"""Maps of networks whose weights are randomised layer by layer."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.evaluate import agreement, weight_randomisation, weight_randomisation_steps


@pytest.fixture
def net() -> xw.Network:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 4, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(4 * 36, 3),
    ).double()  # fmt: skip
    return xw.Network(module, size=(8, 8), name="small")


@pytest.fixture
def image() -> torch.Tensor:
    return torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(1))


def test_each_step_is_the_map_of_a_network_with_so_many_layers_permuted(
    net: xw.Network, image: torch.Tensor
) -> None:
    method = xw.Saliency(reduce="signed")
    result = weight_randomisation(net, image, method, target=1, seed=5)
    assert result.layers == ("6", "3", "1", "0")
    original = method.run(net, image, 1)
    module, generator = copy.deepcopy(net.module), torch.Generator().manual_seed(5)
    for count, name in enumerate(result.layers):
        for weight in module.get_submodule(name).parameters(recurse=False):
            values = weight.detach().flatten()[torch.randperm(weight.numel(), generator=generator)]
            weight.data = values.reshape(weight.shape)
        random = method.run(xw.Network(module, size=(8, 8)), image, 1)
        assert result.agreements[count] == pytest.approx(agreement(original, random), abs=1e-9)
    np.testing.assert_array_equal(result.relevance.values, original.values)


def test_the_network_and_its_class_stay(net: xw.Network, image: torch.Tensor) -> None:
    before = copy.deepcopy(net.module.state_dict())
    steps = weight_randomisation_steps(net, image, xw.Saliency())
    shares = [step.completed for step in steps]
    assert shares == [0.25, 0.5, 0.75, 1]
    for name, value in net.module.state_dict().items():
        assert torch.equal(value, before[name])
    assert step_target(net, image) == net.top(image, 1)[0][0]


def step_target(net: xw.Network, image: torch.Tensor) -> int:
    return weight_randomisation(net, image, xw.Saliency()).relevance.target


def test_a_map_that_only_sees_the_picture_stays(net: xw.Network, image: torch.Tensor) -> None:
    class Edges(xw.Saliency):
        def explain(self, subject, target):  # type: ignore[no-untyped-def]
            return self.relevance(subject, target, subject.pixels.std(0))

    result = weight_randomisation(net, image, Edges())
    assert result.agreements == pytest.approx([1] * 4)


def test_a_network_without_weights_is_refused(image: torch.Tensor) -> None:
    net = xw.Network(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), size=(8, 8), name="mean")
    with pytest.raises(ValueError, match="mean has no weights that could be randomised"):
        weight_randomisation(net, image, xw.Saliency())
