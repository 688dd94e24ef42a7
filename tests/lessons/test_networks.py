"""The small networks of the lesson: shapes, learning, and numbers that depend on the seed alone."""

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.lessons import (
    deconvolution_generator,
    dense_generator,
    drawn_birds,
    encoder_decoder,
    fit,
    overlap,
    parameters,
)


@pytest.fixture(scope="module")
def birds():
    return drawn_birds(range(48))


def test_birds_are_those_of_the_scenes(birds):
    scene = xw.scenes.bird(7, size=32)
    mask = torch.from_numpy(np.logical_or.reduce(list(scene.masks.values())))
    torch.testing.assert_close(birds.pictures[7], scene.image)
    torch.testing.assert_close(birds.masks[7, 0] > 0, mask)
    assert (birds.alone[7][:, ~mask] == 0.5).all()
    torch.testing.assert_close(birds.alone[7][:, mask], scene.image[:, mask])


def test_a_description_tells_place_and_marks(birds):
    assert (birds.descriptions[:, 15:].reshape(-1, 5, 4).sum(2) == 1).all(), (
        "a variant of each mark"
    )
    assert birds.descriptions.abs().max() <= 1.01
    twins = [xw.scenes.birds.SPECIES[label].plumage for label in (0, 1)]
    assert sum(one != other for one, other in zip(*twins, strict=True)) == 1
    assert len(birds.descriptions.unique(dim=0)) == 48


def test_networks_have_the_shapes_and_sizes_that_the_text_compares(birds):
    for generator in (dense_generator(35), deconvolution_generator(35)):
        assert generator(birds.descriptions[:2]).shape == (2, 3, 32, 32)
    assert parameters(dense_generator(35)) == (35 + 1) * 3 * 32 * 32
    assert 3 * parameters(deconvolution_generator(35)) < parameters(dense_generator(35))
    assert encoder_decoder()(birds.pictures[:2]).shape == (2, 1, 32, 32)


def test_a_fit_depends_on_its_seed_alone_and_leaves_all_else(birds):
    module = encoder_decoder(2)
    before = [parameter.clone() for parameter in module.parameters()]
    state = torch.get_rng_state()

    def run(seed):
        *_, last = fit(module, birds.pictures, birds.masks, epochs=1, seed=seed)
        return last.module(birds.pictures[:1])

    one = run(3)
    torch.rand(5)
    assert torch.equal(one, run(3))
    assert not torch.equal(one, run(4))
    assert all(map(torch.equal, before, module.parameters()))
    torch.set_rng_state(state)
    run(3)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_fit_learns_and_its_epochs_stay_as_they_are(birds):
    pictures, masks = birds.pictures[:16], birds.masks[:16]
    epochs = [*fit(encoder_decoder(8), pictures, masks, epochs=100)]
    assert [epoch.number for epoch in epochs] == [*range(101)]
    assert np.isnan(epochs[0].loss)
    with torch.no_grad():
        overlaps = [overlap(masks, epochs[at].module(pictures)).mean() for at in (0, -1)]
    assert overlaps[1] > overlaps[0] + 0.3


def test_overlap_is_that_of_sets():
    random = np.random.default_rng(0)
    masks, predicted = random.integers(0, 2, (2, 9, 1, 3, 3)).astype(np.float32)
    masks[0], predicted[0], masks[1] = 0, 0, 0
    found = overlap(torch.from_numpy(masks), torch.from_numpy(predicted))
    for one, other, value in zip(masks, predicted, found, strict=True):
        sets = [set(np.flatnonzero(one)), set(np.flatnonzero(other))]
        union = len(sets[0] | sets[1])
        assert value == pytest.approx(len(sets[0] & sets[1]) / union if union else 1)


def test_what_cannot_be_fitted_is_refused(birds):
    linear = nn.Linear(35, 2)
    with pytest.raises(ValueError, match="epochs is 0"):
        fit(linear, birds.descriptions, birds.descriptions[:, :2], epochs=0)
    with pytest.raises(ValueError, match="48 inputs and 1 targets; give a target for each input"):
        fit(linear, birds.descriptions, birds.descriptions[:1])
    with pytest.raises(ValueError, match=r"outputs have the shape \(2,\), but targets \(35,\)"):
        fit(linear, birds.descriptions, birds.descriptions)
    with pytest.raises(ValueError, match="there is no seed; give one for each bird"):
        drawn_birds([])
    with pytest.raises(ValueError, match=r"size is .*, but must be a whole number"):
        drawn_birds([1], size=0)
