"""Several pictures in one pass have the maps that each has alone, whichever the method."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import xwidgets as xw
from xwidgets.explain import MapMethod
from xwidgets.networks import Channel, Class, Subject, Unit

SIDE = 12
METHODS = {
    "saliency": xw.Saliency(),
    "signed saliency": xw.Saliency("signed"),
    "smoothed saliency": xw.Saliency(samples=3, sigma=0.1, seed=5),
    "class activation map": xw.ClassActivationMap(),
    "class activation map of a layer": xw.ClassActivationMap("4"),
    "deconvnet": xw.Deconvnet(),
    "deconvnet of a maximum": xw.Deconvnet("maximum"),
    "excitation backprop": xw.ExcitationBackprop(contrastive=False),
    "contrastive excitation backprop": xw.ExcitationBackprop("1", contrastive=True),
    "occlusion": xw.Occlusion(window=4, stride=4),
    "prediction difference": xw.PredictionDifference(
        window=4, samples=2, stride=4, sampler=xw.ConstantSampler(0.5)
    ),
}
OF_HIDDEN = {
    name: method
    for name, method in METHODS.items()
    if not isinstance(method, xw.ClassActivationMap)
}


def network() -> xw.Network:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(8, 4),
    )  # fmt: skip
    scale = ([0.4, 0.5, 0.6], [0.2, 0.3, 0.25])
    return xw.Network(module.double(), normalize=scale, size=(SIDE, SIDE), name="small")


def pictures(count: int, seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, SIDE, SIDE, generator=random, dtype=torch.float64)


def check(method: MapMethod, images: torch.Tensor, targets: list[list]) -> None:
    """Compare a batch with its pictures one by one, and these with ``run``."""
    net = network()
    method = method.resolved(Subject(net, images[0]))
    maps = method.explain_pictures(net, images, targets)
    assert maps.shape == (len(targets), len(targets[0]), SIDE, SIDE)
    for image, row, together in zip(images, targets, maps, strict=False):
        alone = method.explain_pictures(net, image[None], [row])[0]
        np.testing.assert_allclose(together, alone, rtol=0, atol=1e-10 * max(1, alone.abs().max()))
        for target, values in zip(row, together, strict=True):
            single = method.run(net, image, target).values
            assert np.abs(single).max() > 0
            np.testing.assert_allclose(values, single, rtol=1e-6, atol=1e-6 * np.abs(single).max())


@pytest.mark.parametrize("name", METHODS)
def test_classes_one_by_one_and_together(name: str) -> None:
    classes = [[Class(0), Class(1)], [Class(3), Class(1)], [Class(2), Class(2)]]
    check(METHODS[name], pictures(3), classes)


@pytest.mark.parametrize("name", OF_HIDDEN)
@pytest.mark.parametrize("target", [Channel("4", 2), Unit("4", 3, 2, 1)], ids=repr)
def test_parts_of_a_layer(name: str, target: Channel | Unit) -> None:
    images = pictures(40)
    with torch.no_grad():
        maps = network().module[:5]((images - 0.5) / 0.25)
    active = images[maps[:, target.index].amin((1, 2)) > 0][:3]
    if len(active) < 2:
        active = images[:3]
    check(OF_HIDDEN[name], active, [[target]] * len(active))


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_any_number_of_pictures_and_targets(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([name for name in METHODS if "diff" not in name]))
    count, several = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 3))
    explained = data.draw(st.integers(1, count))
    index = st.integers(0, 3).map(Class)
    row = st.lists(index, min_size=several, max_size=several)
    targets = data.draw(st.lists(row, min_size=explained, max_size=explained))
    check(METHODS[name], pictures(count, data.draw(st.integers(0, 99))), targets)


def test_one_pass_is_enough_for_saliency(passes: list[int]) -> None:
    method, net = xw.Saliency(), network()
    method.explain_pictures(net, pictures(4), [[Class(1), Class(2)]] * 3)
    assert passes == [4]


def test_every_map_method_is_here() -> None:
    public = (getattr(xw.explain, name) for name in xw.explain.__all__)
    kinds = {kind for kind in public if isinstance(kind, type) and issubclass(kind, MapMethod)}
    assert kinds - {MapMethod} == {type(method) for method in METHODS.values()}
