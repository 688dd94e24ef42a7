"""Masking against loops, inpainting against a dense system, accuracy against counting."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import laplace
from torch import nn

import xwidgets as xw
from xwidgets.evaluate import inpainted, masked_classification, union_map


def union_by_hand(maps):
    """Pixel by pixel."""
    found = np.zeros(maps.shape[1:])
    for heat in maps:
        for i, j in np.ndindex(heat.shape):
            if heat.max() > 0:
                found[i, j] = max(found[i, j], float(heat[i, j]) / float(heat.max()))
    return found


def inpainted_by_hand(channel, kept):
    """The biharmonic operator as a dense matrix; right where holes stay 2 pixels off the border."""
    size = channel.size
    units = np.eye(size).reshape(size, *channel.shape)
    operator = np.stack([laplace(laplace(unit)).ravel() for unit in units], 1)
    hole = ~kept.ravel()
    known = channel.ravel().astype(np.float64)
    found = known.copy()
    found[hole] = np.linalg.solve(
        operator[np.ix_(hole, hole)], -operator[np.ix_(hole, ~hole)] @ known[~hole]
    )
    return found.clip(known[~hole].min(), known[~hole].max()).reshape(channel.shape)


def test_a_union_is_the_maximum_of_scaled_maps() -> None:
    rng = np.random.default_rng(0)
    maps = (rng.random((4, 5, 6)) * 10.0 ** rng.integers(-9, 3, (4, 1, 1))).astype(np.float32)
    maps[2] = 0
    found = union_map(maps)
    np.testing.assert_allclose(found, union_by_hand(maps), rtol=1e-12)
    assert found.max() == 1
    assert not union_map(maps[2:3]).any()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.integers(6, 9), st.integers(6, 9), st.integers(0, 999))
def test_holes_are_filled_by_the_biharmonic_equation(channels, height, width, seed) -> None:
    rng = np.random.default_rng(seed)
    image = torch.tensor(rng.random((channels, height, width)))
    heat = np.ones((height, width))
    heat[2:-2, 2:-2] = rng.random((height - 4, width - 4))
    found = inpainted(image, heat, gamma=0.7)
    for channel, filled in zip(image.numpy(), found.numpy(), strict=True):
        np.testing.assert_allclose(filled, inpainted_by_hand(channel, heat >= 0.7), atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.floats(0.01, 1), st.integers(0, 999))
def test_what_is_kept_stays_and_the_rest_does_not_matter(height, width, gamma, seed) -> None:
    rng = np.random.default_rng(seed)
    image, other = (torch.tensor(rng.random((3, height, width), np.float32)) for _ in range(2))
    heat = 3e-5 * rng.random((height, width)) * (rng.random((height, width)) < 0.7)
    kept = torch.tensor((heat >= gamma * heat.max()) & (heat > 0))
    before = image.clone()
    found = inpainted(image, heat, gamma)
    assert torch.equal(image, before)
    assert found.dtype == torch.float32
    assert torch.equal(found[:, kept], image[:, kept])
    assert 0 <= found.min() <= found.max() <= 1
    assert torch.equal(found, inpainted(torch.where(kept, image, other), heat, gamma))


def test_gamma_is_a_share_of_the_maximum() -> None:
    image = torch.tensor([[[0.1, 0.9, 0.7, 0.8, 0.5]]])
    heat = np.array([[4.0, 0.99, 1.0, 0.0, 2.0]])

    def kept(gamma: float) -> list[bool]:
        return (inpainted(image, heat, gamma) == image)[0, 0].tolist()

    assert kept(0.25) == [True, False, True, False, True]
    assert kept(0.26) == [True, False, False, False, True]
    assert kept(0.2475) == kept(1e-9) == [True, True, True, False, True]
    assert torch.equal(inpainted(image, heat, gamma=1), torch.full((1, 1, 5), 0.1))
    assert torch.equal(inpainted(image, np.ones((1, 5)), gamma=1), image)


def test_a_silent_map_leaves_black() -> None:
    found = inpainted(torch.rand(3, 6, 7), np.zeros((6, 7)), gamma=0.01)
    assert torch.equal(found, torch.zeros(3, 6, 7))


def test_large_holes_are_filled_as_exactly_as_float64_can() -> None:
    image = xw.scenes.bird(seed=3).image
    heat = np.zeros((64, 64))
    heat[21:32, 21:32] = 1
    exact = inpainted(image.double(), heat, gamma=0.1)
    assert exact.dtype == torch.float64
    torch.testing.assert_close(inpainted(image, heat, gamma=0.1).double(), exact, atol=1e-7, rtol=0)


def network(outputs: int = 4, height: int = 8, width: int = 9) -> xw.Network:
    torch.manual_seed(0)
    linear = nn.Linear(3 * height * width, outputs)
    nn.init.normal_(linear.weight)
    module = nn.Sequential(nn.Flatten(), linear)
    return xw.Network(module, size=(height, width), normalize=([0.5] * 3, [0.2] * 3))


def pictures(count: int, n: int = 3):
    rng = np.random.default_rng(0)
    images = torch.tensor(rng.random((count, 3, 8, 9), np.float32))
    return images, rng.random((count, n, 8, 9), np.float32) ** 4 * 1e-5


@pytest.mark.parametrize("count", [1, 5, 33])
def test_accuracy_is_counted(count) -> None:
    net, (images, maps) = network(), pictures(count)
    maps[0, 1] = 0
    labels = net(images).argmax(1)
    labels[::3] = (labels[::3] + 1) % 4  # wrong from the beginning
    gammas = (0.02, 0.2, 0.6, 1)
    found = masked_classification(net, images, maps, labels, gammas)
    unions = [union_by_hand(each) for each in maps]
    accuracy, kept = [], []
    for gamma in gammas:
        right = share = 0
        for image, union, label in zip(images, unions, labels, strict=True):
            filled = inpainted(image, union, gamma)
            right += int(net(filled[None])[0].argmax()) == int(label)
            share += sum(value >= gamma for value in union.ravel()) / union.size
        accuracy.append(right / count)
        kept.append(share / count)
    np.testing.assert_allclose(found.accuracy, accuracy)
    np.testing.assert_allclose(found.kept, kept)
    assert found.original == pytest.approx(1 - len(range(0, count, 3)) / count)
    assert found.gammas == gammas
    if count > 1:
        assert len(set(accuracy)) > 2


def test_a_small_gamma_changes_nothing_and_silent_maps_leave_black() -> None:
    net, (images, maps) = network(), pictures(6)
    labels = net(images).argmax(1).tolist()
    found = masked_classification(net, images, maps + 1e-6, labels, [0.01])
    assert (found.original, found.accuracy.tolist(), found.kept.tolist()) == (1, [1], [1])
    black = int(net(torch.zeros(1, 3, 8, 9)).argmax())
    found = masked_classification(net, images, 0 * maps, labels, [0.01])
    assert found.kept.tolist() == [0]
    assert found.accuracy.tolist() == [labels.count(black) / 6]


def test_one_map_an_image_is_its_own_union() -> None:
    net, (images, maps) = network(), pictures(5)
    labels = net(images).argmax(1)
    one = masked_classification(net, images, maps[:, 0], labels)
    other = masked_classification(net, images, maps[:, :1] * 7, labels)
    assert one.gammas == (0.01, 0.05, 0.1, 0.3)
    np.testing.assert_array_equal(one.accuracy, other.accuracy)
    np.testing.assert_array_equal(one.kept, other.kept)
    assert (one.kept < masked_classification(net, images, maps, labels).kept).all()


def test_a_single_output_is_a_sigmoid() -> None:
    net, (images, maps) = network(outputs=1), pictures(12)
    labels = (net(images)[:, 0] > 0).long()
    assert 0 < labels.sum() < 12
    assert masked_classification(net, images, maps, labels, [0.1]).original == 1
    assert masked_classification(net, images, maps, 1 - labels, [0.1]).original == 0


def test_labels_may_be_names() -> None:
    net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
    edges = xw.evaluate.edge_map(scene.image)[None]
    names = masked_classification(net, scene.image[None], edges, [scene.name], [0.05])
    numbers = masked_classification(net, scene.image[None], edges, [scene.label], [0.05])
    assert names.original == numbers.original == 1
    assert names.accuracy == numbers.accuracy
    with pytest.raises(ValueError, match="unknown class"):
        masked_classification(net, scene.image[None], edges, ["robin"], [0.05])


IMAGES, MAPS = pictures(2)


@pytest.mark.parametrize(
    ("images", "maps", "labels", "sentence"),
    [
        (IMAGES, MAPS, [0], r"with maps \(2, 3, 8, 9\) and 1 labels"),
        (IMAGES, MAPS[:1], [0, 0], r"2 images of 8 x 9 are given with maps \(1, 3, 8, 9\)"),
        (IMAGES, MAPS[0, :1], [0, 0], r"2 images of 8 x 9 are given with maps \(1, 1, 8, 9\)"),
        (IMAGES, MAPS[..., :1], [0, 0], "of the same images"),
        (IMAGES, MAPS.swapaxes(2, 3), [0, 0], "of the same images"),
        (IMAGES, MAPS[0, 0], [0, 0], r"the maps have the shape \(8, 9\)"),
        (IMAGES, -MAPS, [0, 0], "the maps must be finite and not negative"),
        (IMAGES, MAPS * np.nan, [0, 0], "the maps must be finite and not negative"),
        (IMAGES, MAPS, [0, 4], "class 4 does not exist"),
        (IMAGES, MAPS, [0, 0.5], "class 0.5 does not exist"),
        (IMAGES, MAPS, torch.zeros(2, 2, dtype=int), "does not exist"),
        (IMAGES[0], MAPS, [0, 0], r"four dimensions \(N, C, H, W\)"),
        (IMAGES * 255, MAPS, [0, 0], r"pixels must lie in \[0, 1\]"),
        (IMAGES[:, :1], MAPS, [0, 0], "1 channels where the network takes 3"),
    ],
)
def test_what_does_not_fit_is_refused(images, maps, labels, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        masked_classification(network(), images, maps, labels, [0.1])


@pytest.mark.parametrize("gamma", [0, -0.1, 1.1, np.nan, "5 %"])
def test_a_gamma_is_a_share(gamma, monkeypatch) -> None:
    with pytest.raises(ValueError, match=r"gamma is .*above 0, up to 1"):
        inpainted(IMAGES[0], MAPS[0, 0], gamma)
    net = network()
    monkeypatch.setattr(net, "logits", None)  # it is found before anything is classified
    with pytest.raises(ValueError, match="gamma is"):
        masked_classification(net, IMAGES, MAPS, [0, 0], [0.1, gamma])


def test_other_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="net is a Sequential"):
        masked_classification(network().module, IMAGES, MAPS, [0, 0])
    for heat in (MAPS[0, 0, :, :1], MAPS[0, 0].T):
        with pytest.raises(ValueError, match="give one of the same size"):
            inpainted(IMAGES[0], heat, 0.1)
    for heat, sentence in ((MAPS[0], "must be"), (-MAPS[0, 0], "negative"), ([[np.nan]], "finite")):
        with pytest.raises(ValueError, match=sentence):
            inpainted(IMAGES[0], heat, 0.1)
    with pytest.raises(ValueError, match="one image"):
        inpainted(IMAGES, MAPS[0, 0], 0.1)
    for maps in (MAPS, MAPS[0, 0], -MAPS[0]):
        with pytest.raises(ValueError, match="the maps"):
            union_map(maps)
