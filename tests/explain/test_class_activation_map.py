"""Class activation maps against sums over channels in a loop, and against the scores."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

import xwidgets as xw
from xwidgets.networks.pooled_maps import pooled_maps

MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]
KINDS = [torch.float64, torch.float32]


class Body(nn.Module):
    """Convolutions in front of a head that a function writes out."""

    def __init__(self, head, channels=5, classes=4, outputs=None):
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 6, 3, stride=2)
        self.second = nn.Conv2d(6, channels, 3, padding=1)
        self.linear = nn.Linear(channels, classes)
        self.convolution = nn.Conv2d(channels, classes, 1)
        self.hidden = nn.Linear(channels, channels)
        self.flat = nn.Linear(channels * 20, classes)
        self.linear.weight.data *= 5
        self.linear.bias.data += 1
        self.convolution.weight.data[:] = self.linear.weight.data[..., None, None]
        self.convolution.bias.data[:] = self.linear.bias.data
        self.head = head

    def maps(self, x):
        return self.second(self.first(x).relu()).relu()

    def forward(self, x):
        return self.head(self, self.maps(x))


def written_in_place(m, maps):
    maps.mul_(1)
    return m.linear(F.adaptive_avg_pool2d(maps, 1).squeeze(-1).squeeze(-1))


POOLED = {
    "mean": lambda m, maps: m.linear(maps.mean((2, 3))),
    "adaptive": lambda m, maps: m.linear(F.adaptive_avg_pool2d(maps, 1).flatten(1)),
    "average pool": lambda m, maps: m.linear(F.avg_pool2d(maps, maps.shape[2:]).flatten(1)),
    "sum": lambda m, maps: m.linear(maps.sum(dim=(2, 3)) / maps[0, 0].numel()),
    "flattened": lambda m, maps: m.linear(maps.flatten(2).mean(2)),
    "dropout": lambda m, maps: m.linear(F.dropout(maps, training=False).mean([2, 3])),
    "in place": written_in_place,
    "matrix": lambda m, maps: maps.mean((2, 3)) @ m.linear.weight.T + m.linear.bias,
    "convolution first": lambda m, maps: m.convolution(maps).mean((2, 3)),
    "convolution last": lambda m, maps: m.convolution(maps.mean((2, 3), keepdim=True)).flatten(1),
}


def network(head, size=(9, 11), dtype=torch.float64, **options):
    module = Body(head, **options).to(dtype)
    classes = ["ant", "bee", "cat", "dog"]
    return xw.Network(module, normalize=(MEAN, STD), size=size, classes=classes, name="small")


def image(size=(9, 11), seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(3, *size, generator=generator, dtype=torch.float64)


def looped(net, x, target):
    """The sum over channels of weight and map, one place after the other, in float64."""
    mean, std = (torch.tensor(part, dtype=torch.float64)[:, None, None] for part in (MEAN, STD))
    module = net.module.double()
    with torch.no_grad():
        maps = module.maps(((x - mean) / std)[None])[0]
    weight, values = module.linear.weight.detach()[target].tolist(), np.zeros(maps.shape[1:])
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            for k in range(len(maps)):
                values[row, column] += weight[k] * float(maps[k, row, column])
    return values, float(module.linear.bias.detach()[target])


@pytest.mark.parametrize("dtype", KINDS, ids=str)
@pytest.mark.parametrize("name", POOLED)
def test_the_map_is_the_weighted_sum_of_the_last_maps_however_the_head_is_written(name, dtype):
    net, x = network(POOLED[name], dtype=dtype), image()
    score = float(net(x[None].to(dtype))[0, 2])
    result = xw.class_activation_map(net, x, "cat")
    [exact] = pooled_maps(net, x[None], [2])
    values, bias = looped(net, x, 2)
    assert np.ptp(values) > 0.1
    assert abs(bias) > 0.1
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    np.testing.assert_allclose(exact.values, values, atol=tolerance * 10)
    assert exact.bias == pytest.approx(bias, abs=tolerance * 10)
    assert float(exact.values.mean()) + exact.bias == pytest.approx(score, abs=tolerance * 10)
    assert (result.raw.dtype, result.raw.shape) == (np.float32, (4, 5))
    np.testing.assert_allclose(result.raw, values, atol=1e-5)
    assert float(result.raw.astype(float).mean()) + result.bias == pytest.approx(score, abs=1e-5)
    assert (result.unit, result.signed, result.note) == ("logits", True, "")
    expected = F.interpolate(torch.tensor(values)[None, None], (9, 11), mode="bilinear")[0, 0]
    np.testing.assert_allclose(result.values, expected, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(5, 14), st.integers(5, 14), st.integers(0, 3), st.sampled_from(sorted(POOLED)))
def test_mean_and_bias_are_the_score_for_images_of_any_size(height, width, target, name):
    net, x = network(POOLED[name], (height, width)), image((height, width))
    result = xw.class_activation_map(net, x, target)
    score = float(net(x[None])[0, target])
    assert float(result.raw.astype(float).mean()) + result.bias == pytest.approx(score, abs=1e-5)


RECTIFIED = {
    "function": lambda m, maps: m.convolution(maps).relu().mean((2, 3)),
    "in place": lambda m, maps: F.relu(m.convolution(maps), inplace=True).mean((2, 3)),
    "clamped": lambda m, maps: F.adaptive_avg_pool2d(
        F.dropout(m.convolution(maps).clamp(min=0), training=False), 1
    ).flatten(1),
}


@pytest.mark.parametrize("dtype", KINDS, ids=str)
@pytest.mark.parametrize("name", RECTIFIED)
def test_of_a_rectified_map_the_mean_of_its_positive_values_is_the_score(name, dtype):
    net, x = network(RECTIFIED[name], dtype=dtype), image()
    for target in range(4):
        score = float(net(x[None].to(dtype))[0, target])
        result = xw.class_activation_map(net, x, target)
        mean = float(np.maximum(result.raw.astype(float), 0).mean())
        assert mean == pytest.approx(score, abs=1e-5)
        assert result.bias == 0
        assert "with its negative values set to 0" in result.note
    values, bias = looped(net, x, 3)
    np.testing.assert_allclose(result.raw, values + bias, atol=1e-5)
    assert result.raw.min() < 0


def test_the_last_layer_with_maps_may_be_named():
    net, x = network(POOLED["mean"]), image()
    with pytest.raises(ValueError, match="does not end in global average pooling"):
        xw.class_activation_map(net, x, 1, layer="first")
    module = nn.Sequential(
        nn.Conv2d(3, 5, 3), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(5, 3),
    )  # fmt: skip
    plain = xw.Network(module.double(), size=(9, 11))
    named, result = (xw.class_activation_map(plain, x, 1, layer) for layer in ("1", None))
    np.testing.assert_allclose(named.raw, result.raw, atol=1e-6)
    assert (named.parameters["layer"], result.parameters["layer"]) == ("1", None)


def test_squeeze_and_excitation_before_the_head_is_no_head():
    class Squeezed(Body):
        def maps(self, x):
            maps = super().maps(x)
            return maps * self.hidden(maps.mean((2, 3))).sigmoid()[:, :, None, None]

    module = Squeezed(POOLED["adaptive"]).double()
    net, x = xw.Network(module, normalize=(MEAN, STD), size=(9, 11)), image()
    values, bias = looped(net, x, 0)
    [result] = pooled_maps(net, x[None], [0])
    np.testing.assert_allclose(result.values, values, atol=1e-12)
    assert result.bias == pytest.approx(bias)


# What cannot be


def hidden_layer(m, maps):
    return m.linear(m.hidden(maps.mean((2, 3))).relu())


OTHER = {
    "flat": lambda m, maps: m.flat(maps.flatten(1)),
    "hidden layer": hidden_layer,
    "maximum": lambda m, maps: m.linear(maps.amax((2, 3))),
    "rectified averages": lambda m, maps: m.linear((maps.mean((2, 3)) - 0.1).relu()),
    "squared": lambda m, maps: m.linear(maps.square().mean((2, 3)).square()),
    "normalized": lambda m, maps: m.linear(F.normalize(maps.mean((2, 3)))),
    "gate": lambda m, maps: m.linear(maps.mean((2, 3))).tanh(),
}


@pytest.mark.parametrize("name", OTHER)
def test_another_head_is_refused_in_one_sentence_that_names_the_way_out(name):
    net, x = network(OTHER[name]), image()
    with pytest.raises(ValueError, match=r"give it such a head with xw\.pooled_network\(") as error:
        xw.class_activation_map(net, x, 1)
    assert "\n" not in str(error.value)


def test_a_network_without_maps_is_refused():
    net = xw.Network(nn.Sequential(nn.Flatten(), nn.Linear(48, 3)), size=(4, 4), name="flat")
    with pytest.raises(ValueError, match=r"flat has no maps \(C, H, W\) of several places"):
        xw.class_activation_map(net, torch.rand(3, 4, 4), 1)


def test_a_part_of_a_layer_is_refused():
    with pytest.raises(ValueError, match="first, channel 2 is no class, but a class activation"):
        xw.ClassActivationMap().run(network(POOLED["mean"]), image(), xw.Channel("first", 2))


def test_the_module_stays_as_it_was():
    net, x = network(POOLED["in place"]), image()
    net.module.train()
    before = x.clone()
    xw.class_activation_map(net, x, 1)
    assert all(part.training and not part._forward_hooks for part in net.module.modules())
    assert all(parameter.grad is None for parameter in net.module.parameters())
    assert torch.equal(x, before)


# The result


def test_a_study_shows_it_and_a_file_keeps_it(tmp_path):
    net, x = network(POOLED["adaptive"]), image()
    with xw.Study(net, x, "ant", xw.ClassActivationMap()) as study:
        first = study.wait()
        study.target = "dog"
        assert not np.array_equal(study.wait().values, first.values)
    first.save(tmp_path / "map.npz")
    again = xw.Relevance.load(tmp_path / "map.npz")
    np.testing.assert_array_equal(again.raw, first.raw)
    assert again.bias == first.bias


def test_the_top_class_is_explained_by_default():
    net, x = network(POOLED["adaptive"]), image()
    result = xw.class_activation_map(net, x)
    assert result.target == int(net(x[None]).argmax())
