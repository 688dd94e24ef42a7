"""What the fit of an explanation module minimises, against loops over images and features."""

from math import log

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from xwidgets.explain.explanation_module.loss import faithfulness_loss, reconstruction_loss


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def slow_faithfulness(approximations, scores, weights):
    found = []
    for one in range(len(scores)):
        total = 0.0
        for image in range(scores.shape[1]):
            error = float(approximations[one, image]) - float(scores[one, image])
            total += float(weights[one, image]) * error**2
        found.append(total / scores.shape[1])
    return torch.tensor(found, dtype=torch.float64)


def slow_reconstruction(reconstructions, features, weights, q):
    classes, images, count = reconstructions.shape
    found = []
    for one in range(classes):
        total = 0.0
        for feature in range(count):
            error = 0.0
            for image in range(images):
                wrong = float(reconstructions[one, image, feature] - features[image, feature])
                error += float(weights[one, image]) * wrong**2 / images
            total += (error if q is None else log(1 + q * error)) / count
        found.append(total)
    return torch.tensor(found, dtype=torch.float64)


sizes = st.integers(1, 5)


@settings(max_examples=50, deadline=None)
@given(sizes, sizes, st.integers(0, 99))
def test_faithfulness_is_the_weighted_mean_of_squares(classes, images, seed):
    given = [drawn(classes, images, seed=seed + place) for place in range(3)]
    torch.testing.assert_close(faithfulness_loss(*given), slow_faithfulness(*given))


@settings(max_examples=50, deadline=None)
@given(sizes, sizes, sizes, st.sampled_from([None, 0.01, 1.0, 100.0]), st.integers(0, 99))
def test_reconstruction_forgives_each_feature_by_its_logarithm(classes, images, count, q, seed):
    rebuilt, features = (
        drawn(classes, images, count, seed=seed),
        drawn(images, count, seed=seed + 1),
    )
    weights = drawn(classes, images, seed=seed + 2).abs()
    torch.testing.assert_close(
        reconstruction_loss(rebuilt, features, weights, q),
        slow_reconstruction(rebuilt, features, weights, q),
    )


@pytest.mark.parametrize("q", [None, 1.0, 100.0])
def test_gradients(q):
    approximations, rebuilt = drawn(3, 4).requires_grad_(), drawn(3, 4, 5, seed=1).requires_grad_()
    scores, features = drawn(3, 4, seed=2), drawn(4, 5, seed=3)
    weights = drawn(3, 4, seed=4).abs()
    assert torch.autograd.gradcheck(
        lambda y: faithfulness_loss(y, scores, weights), [approximations]
    )
    assert torch.autograd.gradcheck(
        lambda z: reconstruction_loss(z, features, weights, q), [rebuilt]
    )


def test_the_mean_is_the_limit_over_q_of_small_q():
    rebuilt, features, weights = drawn(2, 4, 6), drawn(4, 6, seed=1), drawn(2, 4, seed=2).abs()
    limit = reconstruction_loss(rebuilt, features, weights, None)
    before = torch.inf
    for q in (1e-1, 1e-3, 1e-5, 1e-9):
        gap = (reconstruction_loss(rebuilt, features, weights, q) / q - limit).abs().max()
        assert 0 < gap < before
        before = gap
    assert before < 1e-7


def test_a_weight_of_zero_leaves_an_image_out():
    weights = torch.tensor([[2.0, 0.0, 2.0, 0.0]], dtype=torch.float64)
    rebuilt, features = drawn(1, 4, 3), drawn(4, 3, seed=1)
    torch.testing.assert_close(
        reconstruction_loss(rebuilt, features, weights, 7.0),
        reconstruction_loss(rebuilt[:, ::2], features[::2], weights[:, ::2] / 2, 7.0),
    )
    y, scores = drawn(1, 4, seed=2), drawn(1, 4, seed=3)
    torch.testing.assert_close(
        faithfulness_loss(y, scores, weights),
        faithfulness_loss(y[:, ::2], scores[:, ::2], weights[:, ::2] / 2),
    )


# Shapes that would broadcast into something else


@pytest.mark.parametrize(
    ("approximations", "scores", "weights", "sentence"),
    [
        ((4,), (4, 1), (4,), r"scores are \(4, 1\), but must be \(4,\)"),
        ((4, 1), (4,), (4, 1), r"scores are \(4,\), but must be \(4, 1\)"),
        ((2, 4), (1, 4), (2, 4), r"scores are \(1, 4\), but must be \(2, 4\)"),
        ((2, 4), (2, 4), (4,), r"weights are \(4,\), but must be \(2, 4\)"),
        ((4,), (4,), (4,), r"approximations are \(4,\), but must be \(M, B\)"),
        ((1, 2, 4), (1, 2, 4), (1, 2, 4), r"approximations are \(1, 2, 4\), but must be"),
    ],
)
def test_other_shapes_of_scores_are_refused(approximations, scores, weights, sentence):
    with pytest.raises(ValueError, match=sentence):
        faithfulness_loss(*map(torch.zeros, (approximations, scores, weights)))


@pytest.mark.parametrize(
    ("rebuilt", "features", "weights", "sentence"),
    [
        ((4, 3), (4, 3), (4,), r"reconstructions are \(4, 3\), but must be \(M, B, S\)"),
        ((2, 4, 3), (2, 4, 3), (2, 4), r"features are \(2, 4, 3\), but must be \(4, 3\)"),
        ((2, 4, 3), (3,), (2, 4), r"features are \(3,\), but must be \(4, 3\)"),
        ((2, 4, 3), (4, 1), (2, 4), r"features are \(4, 1\), but must be \(4, 3\)"),
        ((2, 4, 3), (4, 3), (4,), r"weights are \(4,\), but must be \(2, 4\)"),
        ((2, 4, 3), (4, 3), (1, 4), r"weights are \(1, 4\), but must be \(2, 4\)"),
    ],
)
def test_other_shapes_of_features_are_refused(rebuilt, features, weights, sentence):
    with pytest.raises(ValueError, match=sentence):
        reconstruction_loss(*map(torch.zeros, (rebuilt, features, weights)), q=1.0)


shapes = st.lists(st.integers(1, 3), min_size=0, max_size=3).map(tuple)


@settings(max_examples=150, deadline=None)
@given(shapes, shapes, shapes)
def test_any_shapes_that_do_not_match_are_refused(one, other, another):
    assume(not (len(one) == 2 and one == other == another))
    with pytest.raises(ValueError, match="but must be"):
        faithfulness_loss(*map(torch.zeros, (one, other, another)))
    assume(not (len(one) == 3 and one[1:] == other and one[:2] == another))
    with pytest.raises(ValueError, match="but must be"):
        reconstruction_loss(*map(torch.zeros, (one, other, another)), q=None)
