"""What the fit of an explanation module minimises, against loops over images and features."""

from functools import partial
from math import log, sqrt

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from xwidgets.explain.explanation_module.loss import faithfulness_loss, reconstruction_loss
from xwidgets.explain.explanation_module.sparsity import log_penalty, squared
from xwidgets.explain.explanation_module.training import Training


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


def slow_reconstruction(reconstructions, features, weights, penalty):
    classes, images, count = reconstructions.shape
    found = []
    for one in range(classes):
        total = 0.0
        for feature in range(count):
            error = 0.0
            for image in range(images):
                wrong = float(reconstructions[one, image, feature] - features[image, feature])
                error += float(weights[one, image]) * wrong**2 / images
            total += penalty(error) / count
        found.append(total)
    return torch.tensor(found, dtype=torch.float64)


def divergence(error, q, rho):
    """Kullback-Leibler divergence of two coins, summed over their sides."""
    share = q * error / (1 + q * error)
    sides = [(rho, share), (1 - rho, 1 - share)]
    return sum(one * log(one / other) for one, other in sides)


PENALTIES = {
    "squared": (squared, lambda error: error),
    "log": (Training(q=7).penalty, lambda error: log(1 + 7 * error)),
    "log by default": (Training().penalty, lambda error: log(1 + 100 * error)),
    "l1": (Training(sparsity="l1").penalty, sqrt),
    "epsilon-l1": (
        Training(sparsity="epsilon-l1", epsilon=0.3).penalty,
        lambda error: sqrt(error + 0.3),
    ),
    "kl": (
        Training(sparsity="kl", q=3, rho=0.2).penalty,
        lambda error: divergence(error, q=3, rho=0.2),
    ),
}
"""Each penalty, and the same of one error in plain numbers."""

sizes = st.integers(1, 5)


@settings(max_examples=50, deadline=None)
@given(sizes, sizes, st.integers(0, 99))
def test_faithfulness_is_the_weighted_mean_of_squares(classes, images, seed):
    given = [drawn(classes, images, seed=seed + place) for place in range(3)]
    torch.testing.assert_close(faithfulness_loss(*given), slow_faithfulness(*given))


@settings(max_examples=80, deadline=None)
@given(sizes, sizes, sizes, st.sampled_from(list(PENALTIES)), st.integers(0, 99))
def test_reconstruction_forgives_each_feature_by_its_penalty(classes, images, count, name, seed):
    rebuilt, features = (
        drawn(classes, images, count, seed=seed),
        drawn(images, count, seed=seed + 1),
    )
    weights = drawn(classes, images, seed=seed + 2).abs()
    penalty, slow = PENALTIES[name]
    torch.testing.assert_close(
        reconstruction_loss(rebuilt, features, weights, penalty),
        slow_reconstruction(rebuilt, features, weights, slow),
    )


@pytest.mark.parametrize("name", PENALTIES)
def test_gradients(name):
    penalty, _ = PENALTIES[name]
    approximations, rebuilt = drawn(3, 4).requires_grad_(), drawn(3, 4, 5, seed=1).requires_grad_()
    scores, features = drawn(3, 4, seed=2), drawn(4, 5, seed=3)
    weights = drawn(3, 4, seed=4).abs()
    assert torch.autograd.gradcheck(
        lambda y: faithfulness_loss(y, scores, weights), [approximations]
    )
    assert torch.autograd.gradcheck(
        lambda z: reconstruction_loss(z, features, weights, penalty), [rebuilt]
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", PENALTIES)
def test_what_is_reconstructed_without_error_has_a_finite_loss_and_no_gradient(name, dtype):
    penalty, _ = PENALTIES[name]
    features, weights = drawn(4, 5).to(dtype), torch.ones(1, 4, dtype=dtype)
    rebuilt = features[None].clone().requires_grad_()
    loss = reconstruction_loss(rebuilt, features, weights, penalty)
    loss.backward()
    assert loss.isfinite().all()
    assert (rebuilt.grad == 0).all()
    nothing = torch.zeros(1, dtype=dtype)
    assert penalty(nothing) == (pytest.approx(sqrt(0.3)) if name == "epsilon-l1" else loss.detach())


def test_kl_is_least_at_its_own_share_and_the_log_penalty_for_a_small_rho():
    penalty = Training(sparsity="kl", q=4, rho=0.2).penalty
    errors = torch.linspace(0.001, 1, 1000, dtype=torch.float64)
    best = errors[penalty(errors).argmin()]
    assert float(best) == pytest.approx(0.2 / (0.8 * 4), abs=0.001)
    assert float(penalty(best)) == pytest.approx(0, abs=1e-5)
    gaps = [
        float((Training(sparsity="kl", q=4, rho=rho).penalty(errors) - log_penalty(errors, 4))
              .abs().max())
        for rho in (1e-1, 1e-3, 1e-6)
    ]  # fmt: skip
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 1e-4


def test_epsilon_l1_is_l1_for_a_small_epsilon():
    errors = drawn(50).abs()
    smooth = Training(sparsity="epsilon-l1", epsilon=1e-14).penalty(errors)
    torch.testing.assert_close(smooth, Training(sparsity="l1").penalty(errors), atol=1e-7, rtol=0)


def test_penalties_forgive_large_errors_in_the_order_that_is_said():
    """How much more an error of ten times the size costs."""
    growth = {
        name: float(penalty(torch.tensor(1e4)) / penalty(torch.tensor(1e2)))
        for name, (penalty, _) in PENALTIES.items()
    }
    order = ["log", "kl", "epsilon-l1", "l1", "squared"]
    assert sorted(order, key=growth.__getitem__) == order


def test_the_mean_is_the_limit_over_q_of_small_q():
    rebuilt, features, weights = drawn(2, 4, 6), drawn(4, 6, seed=1), drawn(2, 4, seed=2).abs()
    limit = reconstruction_loss(rebuilt, features, weights, squared)
    before = torch.inf
    for q in (1e-1, 1e-3, 1e-5, 1e-9):
        penalty = partial(log_penalty, q=q)
        gap = (reconstruction_loss(rebuilt, features, weights, penalty) / q - limit).abs().max()
        assert 0 < gap < before
        before = gap
    assert before < 1e-7


def test_a_weight_of_zero_leaves_an_image_out():
    weights = torch.tensor([[2.0, 0.0, 2.0, 0.0]], dtype=torch.float64)
    rebuilt, features = drawn(1, 4, 3), drawn(4, 3, seed=1)
    torch.testing.assert_close(
        reconstruction_loss(rebuilt, features, weights, torch.log1p),
        reconstruction_loss(rebuilt[:, ::2], features[::2], weights[:, ::2] / 2, torch.log1p),
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
        reconstruction_loss(*map(torch.zeros, (rebuilt, features, weights)), squared)


shapes = st.lists(st.integers(1, 3), min_size=0, max_size=3).map(tuple)


@settings(max_examples=150, deadline=None)
@given(shapes, shapes, shapes)
def test_any_shapes_that_do_not_match_are_refused(one, other, another):
    assume(not (len(one) == 2 and one == other == another))
    with pytest.raises(ValueError, match="but must be"):
        faithfulness_loss(*map(torch.zeros, (one, other, another)))
    assume(not (len(one) == 3 and one[1:] == other and one[:2] == another))
    with pytest.raises(ValueError, match="but must be"):
        reconstruction_loss(*map(torch.zeros, (one, other, another)), squared)
