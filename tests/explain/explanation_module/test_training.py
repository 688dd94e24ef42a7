"""Training many modules at once, against one at a time with modules, plain Adam and loops."""

import copy
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from math import cos, pi, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from xwidgets.explain.explanation_module import training as explanation_training
from xwidgets.explain.explanation_module.sparsity import SPARSITIES
from xwidgets.explain.explanation_module.training import Task, Training, _Autoencoders, split, train

METHODS = ("srae", "nn", "sae", "cae")
CLASSES = [4, 1, 7]
SHORT = Training(hidden=(7, 5), epochs=4, batch=20)


def task_of(count=60, width=6, classes=3, seed=0, dtype=torch.float64):
    """Rectified features, and scores that are no linear function of them."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(count, width, generator=generator, dtype=torch.float64).relu()
    mixed = torch.randn(classes, width, generator=generator, dtype=torch.float64)
    scores = (mixed @ features.T) + 3 * (mixed.flip(1) @ features.T).relu()
    learned, held_out = split(scores.argmax(0).numpy(), 0.2, seed)
    return Task(
        features=features.to(dtype),
        scores=scores.to(dtype),
        positive=scores.argmax(0) == torch.arange(classes)[:, None],
        learned=torch.from_numpy(learned),
        held_out=torch.from_numpy(held_out),
    )


def alone(task, one):
    return replace(task, scores=task.scores[[one]], positive=task.positive[[one]])


def trained(task, method="srae", classes=CLASSES, seed=0, options=SHORT, count=3):
    steps = train(task, method, count, classes, seed, options)
    return [(coded(), error, loss) for coded, error, loss in steps]


def through(layers, values, last):
    """Fully connected layers one after another; whether the last one is rectified."""
    for place, (weight, bias) in enumerate(layers):
        values = values @ weight.T + bias
        if last or place + 1 < len(layers):
            values = values.clamp(min=0)
    return values


def outputs(coded, features):
    """What a module makes of features: x-features, approximations, and the features again."""
    coded_features = through(coded.encoder, features, last=True)
    rebuilt = through(coded.decoder, coded_features, last=False) if coded.decoder else None
    return coded_features, coded_features @ coded.weights, rebuilt


# One class at a time


def layers_of(coders):
    """Weights ``(M, out, in)`` and biases of the encoders' layers, and of the decoders'."""
    each = [coders.weights_of(place)[:-1] for place in range(len(coders.weights))]
    values = [torch.stack(value) for value in zip(*each, strict=True)]
    layers = [*zip(values[::2], values[1::2], strict=True)]
    return layers[: len(layers) // 2], layers[len(layers) // 2 :]


def sequential(layers):
    parts = []
    for weight, bias in layers:
        part = nn.Linear(weight.shape[-1], weight.shape[-2], dtype=weight.dtype)
        part.weight.data, part.bias.data = weight[0].clone(), bias[0].clone()
        parts += [part, nn.ReLU()]
    return parts


def slow_penalty(errors, options):
    match options.sparsity:
        case "log":
            return (1 + options.q * errors).log()
        case "l1":
            return errors**0.5
        case "epsilon-l1":
            return (errors + options.epsilon) ** 0.5
    share, rho = options.q * errors / (1 + options.q * errors), options.rho
    return rho * (rho / share).log() + (1 - rho) * ((1 - rho) / (1 - share)).log()


def slow_train(task, method, index, seed, options, count=3):
    """The same for a single class; after each epoch (encoder, decoder, v), error and loss."""
    learned, held_out, weights = task.learned, task.held_out, task.weights[0]
    scale, spread = task.features[learned].std(), task.scores[0, learned].std()
    features, scores = task.features / scale, task.scores[0] / spread
    widths = options.widths(features.shape[1], count)
    start = _Autoencoders(widths, [(seed, index)], features)
    inward, outward = layers_of(start)
    encoder = nn.Sequential(*sequential(inward))
    decoder = nn.Sequential(*sequential(outward)[:-1])
    v = nn.Parameter(start.weights[0].clone())

    def losses(images):
        coded = encoder(features[images])
        terms = []
        if method != "cae":
            terms.append((weights[images] * (coded @ v - scores[images]) ** 2).mean())
        if method != "nn":
            wrong = (decoder(coded) - features[images]) ** 2
            per_feature = (weights[images, None] * wrong).mean(0)
            if method == "srae":
                per_feature = slow_penalty(per_feature, options)
            terms.append((1 if method == "cae" else options.beta) * per_feature.mean())
        return sum(terms)

    used = [encoder, *[decoder] * (method != "nn")]
    parameters = [one for part in used for one in part.parameters()] + [v] * (method != "cae")
    decayed = [one for one in parameters if one.ndim == 2 or one is v]
    adam = torch.optim.Adam(parameters, foreach=False, fused=False)
    order = torch.Generator().manual_seed(seed)
    best, since, kept = torch.inf, 0, None
    for epoch in range(options.epochs):
        adam.param_groups[0]["lr"] = (
            options.learning_rate * (1 + cos(pi * epoch / options.epochs)) / 2
        )
        mean = 0.0
        for batch in torch.randperm(len(learned), generator=order).split(options.batch):
            adam.zero_grad()
            loss = losses(learned[batch])
            decay = sum((one**2).sum() for one in decayed) * options.weight_decay / 2
            (loss + decay).backward()
            adam.step()
            mean += float(loss.detach()) * len(batch) / len(learned)
        with torch.no_grad():
            if method == "cae":
                root = weights[learned].sqrt()
                matrix = (encoder(features[learned]) * root[:, None]).numpy()
                v.data = torch.from_numpy(
                    np.linalg.lstsq(matrix, (scores[learned] * root).numpy(), rcond=1e-7)[0]
                )
            error = float((encoder(features[held_out]) @ v - scores[held_out]).abs().mean())
            criterion = float(losses(held_out)) if method == "cae" else error
        if since < options.patience and criterion < best:
            best, since, kept = criterion, 0, copy.deepcopy((encoder, decoder, v))
        else:
            since += 1
        yield (scale, spread, *kept), error * float(spread), mean, since


def assert_follows(task, method, classes, seed, options, steps):
    """That every class in ``steps`` is what it is alone, in other hands."""
    for one, index in enumerate(classes):
        slow = slow_train(alone(task, one), method, index, seed, options)
        for (found, error, loss), (kept, slow_error, slow_loss, _) in zip(
            steps, slow, strict=False
        ):
            scale, spread, encoder, decoder, v = kept
            coded = encoder(task.features / scale).detach()
            ours = outputs(found[one], task.features)
            torch.testing.assert_close(ours[0], coded, rtol=1e-6, atol=1e-8)
            torch.testing.assert_close(ours[1], (coded @ v).detach() * spread, rtol=1e-5, atol=1e-7)
            if method == "nn":
                assert found[one].decoder == []
            else:
                rebuilt = decoder(coded).detach() * scale
                torch.testing.assert_close(ours[2], rebuilt, rtol=1e-6, atol=1e-8)
            assert float(error[one]) == pytest.approx(slow_error, rel=1e-6)
            assert float(loss[one]) == pytest.approx(slow_loss, rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_classes_together_learn_what_each_learns_in_modules_with_plain_adam(method):
    options = replace(SHORT, weight_decay=0.02, beta=0.3, q=20.0, learning_rate=0.01)
    steps = trained(task_of(), method, seed=5, options=options)
    assert len(steps) == 4
    assert_follows(task_of(), method, CLASSES, 5, options, steps)
    coded, approximations, _ = outputs(steps[-1][0][0], task_of().features)
    assert (coded > 0).any(0).all()
    assert approximations.std() > 0


@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_whatever_the_sparsity_penalty_is(sparsity):
    options = replace(SHORT, sparsity=sparsity, q=20.0, epsilon=0.2, rho=0.1, learning_rate=0.01)
    steps = trained(task_of(), seed=2, options=options)
    assert_follows(task_of(), "srae", CLASSES, 2, options, steps)


def test_the_sparsity_penalty_is_srae_s_alone():
    for method in METHODS:
        [(plain, *_), (other, *_)] = (
            trained(task_of(), method, options=replace(SHORT, epochs=1, sparsity=sparsity))[0]
            for sparsity in ("log", "l1")
        )
        same = torch.equal(plain[0].encoder[0][0], other[0].encoder[0][0])
        assert same == (method != "srae")


@pytest.mark.parametrize("hidden", [(), (9,), (8, 6, 4)])
def test_however_many_layers_are_hidden(hidden):
    options = replace(SHORT, hidden=hidden, epochs=2)
    steps = trained(task_of(), options=options)
    assert_follows(task_of(), "srae", CLASSES, 0, options, steps)
    assert len(steps[-1][0][0].encoder) == len(steps[-1][0][0].decoder) == len(hidden) + 1


@pytest.mark.parametrize("method", ["nn", "cae"])
def test_a_class_that_is_done_stays_as_it_was_while_others_go_on(method):
    options = replace(SHORT, epochs=25, patience=1, learning_rate=0.02)
    task, steps = task_of(), trained(task_of(), method, options=options)
    assert_follows(task, method, CLASSES, 0, options, steps)
    ends = []
    for one, index in enumerate(CLASSES):
        slow = slow_train(alone(task, one), method, index, 0, options)
        ends.append(next(at for at, (*_, since) in enumerate(slow) if since == 1))
    assert len({*ends}) > 1
    assert len(steps) == max(ends) + 1 < 25
    if method == "nn":  # some class would have become better again
        errors = torch.stack([error for _, error, _ in steps])
        assert any(
            end + 1 < len(steps) and errors[end + 1 :, one].min() < errors[: end + 1, one].min()
            for one, end in enumerate(ends)
        )


@pytest.mark.parametrize("method", METHODS)
def test_a_class_gets_the_same_module_alone_and_among_others(method):
    task = task_of()
    together = trained(task, method)
    for one, index in enumerate(CLASSES):
        steps = trained(alone(task, one), method, [index])
        for (ours, error, loss), ([theirs], its_error, its_loss) in zip(
            together, steps, strict=True
        ):
            torch.testing.assert_close(error[[one]], its_error, rtol=1e-8, atol=0)
            torch.testing.assert_close(loss[[one]], its_loss, rtol=1e-8, atol=0)
            pairs = zip(outputs(ours[one], task.features), outputs(theirs, task.features),
                        strict=True)  # fmt: skip
            for mine, its in pairs:
                torch.testing.assert_close(mine, its, rtol=1e-6, atol=1e-9)


# The batched autoencoders


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=4), st.integers(1, 4), st.integers(1, 5),
    st.integers(0, 99),
)  # fmt: skip
def test_stacked_autoencoders_are_separate_ones_side_by_side(widths, classes, images, seed):
    features = torch.randn(images, widths[0], dtype=torch.float64)
    seeds = [(seed, one) for one in range(classes)]
    stacked = _Autoencoders(widths, seeds, features)
    for _, bias in stacked.encoder + stacked.decoder:
        bias.copy_(torch.randn_like(bias))
    stacked.weights = torch.randn_like(stacked.weights)
    coded = stacked.encode(features)
    rebuilt, weighed = stacked.decode(coded), stacked.weigh(coded)
    assert coded.shape == (classes, images, widths[-1])
    for one in range(classes):
        layers = [[(w[one : one + 1], b[one : one + 1]) for w, b in part]
                  for part in layers_of(stacked)]  # fmt: skip
        encoder = nn.Sequential(*sequential(layers[0]))
        decoder = nn.Sequential(*sequential(layers[1])[:-1])
        torch.testing.assert_close(coded[one], encoder(features).detach())
        torch.testing.assert_close(rebuilt[one], decoder(encoder(features)).detach())
        torch.testing.assert_close(weighed[one], coded[one] @ stacked.weights[one])


def test_the_weights_at_first_keep_the_size_of_what_goes_through():
    widths = [300, 200, 100, 5]
    features = torch.zeros(1, 300, dtype=torch.float64)
    start = _Autoencoders(widths, [(0, 3), (0, 4), (1, 3)], features)
    shapes = [(3, 200, 300), (3, 100, 200), (3, 5, 100)]
    mirrored = [(3, 100, 5), (3, 200, 100), (3, 300, 200)]
    encoder, decoder = layers_of(start)
    assert [tuple(weight.shape) for weight, _ in encoder] == shapes
    assert [tuple(weight.shape) for weight, _ in decoder] == mirrored
    for weight, _ in encoder + decoder:
        bound = sqrt(6 / weight.shape[2])
        assert 0.98 * bound < float(weight.abs().max()) <= bound
        assert float(weight.var()) == pytest.approx(2 / weight.shape[2], rel=0.1)
    *biases, last = [bias for _, bias in encoder]
    assert all(not bias.any() for bias in biases + [bias for _, bias in decoder])
    assert (last == 1).all()
    assert start.weights.tolist() == [[0.3, -0.3, 0.3, -0.3, 0.3]] * 3
    assert start.weights.is_contiguous()


def test_each_class_and_seed_has_its_own_weights_at_first():
    widths, like = [6, 4, 3], torch.zeros(1, 6, dtype=torch.float64)
    seeds = [(0, 0), (0, 1), (1, 0), (1, 1)]
    start = _Autoencoders(widths, seeds, like)
    for weight, _ in start.encoder + start.decoder:
        assert len({tuple(one.flatten().tolist()) for one in weight}) == 4
    for one, seed in enumerate(seeds):
        single = _Autoencoders(widths, [seed], like)
        for (weight, _), (its, _) in zip(start.encoder + start.decoder,
                                         single.encoder + single.decoder, strict=True):  # fmt: skip
            assert torch.equal(weight[one], its[0])


# On the scale of Z and y


@pytest.mark.parametrize("method", METHODS)
def test_the_modules_reproduce_the_held_out_errors(method):
    task = task_of()
    best = [None] * 3
    for found, error, _ in trained(task, method):
        for one, coded in enumerate(found):
            if best[one] is None or not torch.equal(coded.encoder[0][0], best[one][0]):
                best[one] = coded.encoder[0][0], float(error[one])
            wrong = outputs(coded, task.features)[1] - task.scores[one]
            measured = float(wrong[task.held_out].abs().mean())
            assert measured == pytest.approx(best[one][1], rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_the_loss_is_that_of_the_module_where_nothing_is_learned(method):
    """With steps of no size, the module that comes out is the one whose loss is told."""
    options = replace(SHORT, epochs=1, batch=1000, learning_rate=1e-300, q=7.0, beta=0.5)
    task = task_of()
    task = replace(task, features=task.features * 11, scores=task.scores / 9)
    [(found, _, losses)] = trained(task, method, options=options)
    on = task.learned
    scale = float(task.features[on].std())
    for one, coded in enumerate(found):
        _, approximations, rebuilt = outputs(coded, task.features)
        spread = float(task.scores[one, on].std())
        weights = task.weights[one, on]
        wrong = (approximations - task.scores[one])[on] / spread
        loss = 0.0 if method == "cae" else float((weights * wrong**2).mean())
        if method != "nn":
            errors = (weights[:, None] * ((rebuilt - task.features)[on] / scale) ** 2).mean(0)
            errors = torch.log(1 + 7 * errors) if method == "srae" else errors
            loss += (1 if method == "cae" else 0.5) * float(errors.mean())
        assert float(losses[one]) == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_beta_and_q_mean_the_same_on_every_scale(method):
    task = task_of()
    other = replace(task, features=task.features * 40, scores=task.scores / 16)
    for (found, error, loss), (scaled, its_error, its_loss) in zip(
        trained(task, method), trained(other, method), strict=True
    ):
        torch.testing.assert_close(its_error * 16, error, rtol=1e-6, atol=0)
        torch.testing.assert_close(its_loss, loss, rtol=1e-6, atol=0)
        for one, its in zip(found, scaled, strict=True):
            coded, approximations, rebuilt = outputs(one, task.features)
            its_coded, its_approximations, its_rebuilt = outputs(its, other.features)
            torch.testing.assert_close(its_coded, coded, rtol=1e-5, atol=1e-8)
            torch.testing.assert_close(
                its_approximations * 16, approximations, rtol=1e-5, atol=1e-7
            )
            if rebuilt is not None:
                torch.testing.assert_close(its_rebuilt / 40, rebuilt, rtol=1e-5, atol=1e-7)


def test_what_is_held_out_is_not_learned_from():
    task = task_of()
    features, scores = task.features.clone(), task.scores.clone()
    features[task.held_out] = 50
    scores[:, task.held_out] = -50
    options = replace(SHORT, epochs=1)
    for method in METHODS:
        [(found, error, loss)] = trained(task, method, options=options)
        changed = replace(task, features=features, scores=scores)
        [(others, its_error, its_loss)] = trained(changed, method, options=options)
        assert torch.equal(loss, its_loss)
        assert not torch.equal(error, its_error)
        for one, other in zip(found, others, strict=True):
            assert torch.equal(one.weights, other.weights)
            assert torch.equal(one.encoder[0][0], other.encoder[0][0])


# What tells the methods apart


def test_the_plain_mean_is_the_limit_of_the_logarithm():
    task, q = task_of(), 1e-8
    plain = trained(task, "sae", options=replace(SHORT, beta=0.4))
    limit = trained(task, "srae", options=replace(SHORT, beta=0.4 / q, q=q))
    other = trained(task, "srae", options=replace(SHORT, beta=0.4))
    for (found, error, loss), (others, its_error, its_loss) in zip(plain, limit, strict=True):
        torch.testing.assert_close(error, its_error, rtol=1e-4, atol=0)
        torch.testing.assert_close(loss, its_loss, rtol=1e-4, atol=0)
        for one, its in zip(found, others, strict=True):
            torch.testing.assert_close(
                outputs(one, task.features)[2], outputs(its, task.features)[2],
                rtol=1e-3, atol=1e-4,
            )  # fmt: skip
    assert not torch.allclose(plain[-1][1], other[-1][1], rtol=1e-3)


def test_without_reconstruction_it_is_the_one_that_only_predicts():
    task = task_of()
    for method in ("srae", "sae"):
        free = trained(task, method, options=replace(SHORT, beta=0.0, weight_decay=0.0))
        only = trained(task, "nn", options=replace(SHORT, weight_decay=0.0))
        for (_, error, loss), (_, its_error, its_loss) in zip(free, only, strict=True):
            torch.testing.assert_close(error, its_error)
            torch.testing.assert_close(loss, its_loss)


def test_the_weights_of_cae_are_those_of_least_weighted_squares():
    task = task_of()
    [*_, (found, _, _)] = trained(task, "cae")
    on = task.learned
    for one, coded in enumerate(found):
        root = task.weights[one, on].sqrt().numpy()
        matrix = through(coded.encoder, task.features[on], last=True).numpy() * root[:, None]
        scores = task.scores[one, on].numpy() * root
        solution, *_ = np.linalg.lstsq(matrix, scores, rcond=None)
        np.testing.assert_allclose(coded.weights, solution, rtol=1e-6)
        assert root.std() > 0.1


def test_an_x_feature_of_cae_that_is_never_active_has_no_weight():
    features = torch.rand(8, 3, dtype=torch.float64)
    coders = _Autoencoders([3, 2], [(0, 0), (0, 1)], features)
    coders.encoder[-1][1][1, 0, 0] = -100
    scores, weights = torch.rand(2, 8, dtype=torch.float64), torch.ones(2, 8).double()
    coders.solve(features, scores, weights)
    coded = coders.encode(features)
    assert coders.weights[1, 0] == 0
    for one in range(2):
        solution = np.linalg.lstsq(coded[one].numpy(), scores[one].numpy(), rcond=None)[0]
        np.testing.assert_allclose(coders.weights[one], solution, rtol=1e-6, atol=1e-12)


def test_the_encoder_of_cae_knows_nothing_of_the_scores():
    task = task_of()
    other = replace(task, scores=task.scores.flip(1) ** 2)
    for method in ("cae", "sae"):
        [*_, (found, _, _)] = trained(task, method)
        [*_, (others, _, _)] = trained(other, method)
        for one, its in zip(found, others, strict=True):
            same = [
                torch.equal(mine, theirs)
                for layer, its_layer in zip(
                    (*one.encoder, *one.decoder), (*its.encoder, *its.decoder), strict=True
                )
                for mine, theirs in zip(layer, its_layer, strict=True)
            ]
            assert all(same) if method == "cae" else not any(same)
            assert not torch.equal(one.weights, its.weights)


@pytest.mark.parametrize("method", METHODS)
def test_weights_decay_and_biases_do_not(method, monkeypatch):
    """With a loss of zero, all that changes is what decays."""
    monkeypatch.setattr(explanation_training, "faithfulness_loss", lambda y, *_: 0 * y.sum(1))
    monkeypatch.setattr(
        explanation_training, "reconstruction_loss", lambda z, *_: 0 * z.sum((1, 2))
    )
    options = replace(SHORT, weight_decay=0.5, learning_rate=0.01, batch=1000, epochs=1)
    task = task_of()
    trainer = explanation_training._Trainer(task, method, 3, [(0, 0)] * 3, options)
    coders = trainer.coders
    for _, bias in coders.encoder + coders.decoder:
        bias.data.fill_(1.0)
    before = coders.weights_of(1)
    trainer.learn(torch.arange(len(task.learned)))
    *layers, v = [
        not torch.equal(old, new) for old, new in zip(before, coders.weights_of(1), strict=True)
    ]
    encoder, decoder = layers[:6], layers[6:]
    assert encoder == [True, False] * 3
    assert decoder == ([False] * 6 if method == "nn" else [True, False] * 3)
    assert v == (method != "cae")


# The best epoch


@pytest.mark.parametrize("method", ["srae", "nn", "sae"])
def test_the_epoch_with_the_least_held_out_error_is_kept(method):
    options = replace(SHORT, epochs=30, patience=3, learning_rate=0.03)
    task = alone(task_of(), 1)
    steps = trained(task, method, [1], options=options)
    errors = [float(error) for _, error, _ in steps]
    rises = any(later > sooner for sooner, later in pairwise(errors))
    assert rises
    for at, ([found], _, _) in enumerate(steps):
        wrong = (outputs(found, task.features)[1] - task.scores[0])[task.held_out]
        assert float(wrong.abs().mean()) == pytest.approx(min(errors[: at + 1]), rel=1e-9)
    best = int(np.argmin(errors))
    assert len(errors) == min(30, best + 4)
    if len(errors) < 30:
        assert all(error >= errors[best] for error in errors[best + 1 :])


def test_it_stops_when_all_classes_are_done_and_not_before():
    task = task_of()
    for patience in (1, 2, 4):
        options = replace(SHORT, epochs=60, patience=patience, learning_rate=0.1)
        errors = torch.stack([error for _, error, _ in trained(task, "nn", options=options)])
        ends = []
        for curve in errors.T.tolist():
            best = 0
            for at, error in enumerate(curve):
                best = at if error < curve[best] else best
                if at - best == patience:
                    break
            ends.append(at)
        assert len(errors) == max(ends) + 1 < 60


def test_cae_keeps_the_epoch_with_the_best_reconstruction():
    options = replace(SHORT, epochs=40, patience=3, learning_rate=0.2, batch=7)
    task = alone(task_of(), 0)
    criteria, changed, before = [], [], None
    for [found], _, _ in trained(task, "cae", [4], options=options):
        if before is None or not torch.equal(found.decoder[0][0], before):
            changed.append(len(criteria))
            before = found.decoder[0][0]
        rebuilt = outputs(found, task.features)[2]
        wrong = (rebuilt - task.features)[task.held_out] ** 2
        weights = task.weights[0, task.held_out][:, None]
        criteria.append(float((weights * wrong).mean()))
    assert len(changed) < len(criteria)
    assert all(later <= sooner for sooner, later in pairwise(criteria))


# Seeds


@pytest.mark.parametrize("method", METHODS)
def test_a_seed_gives_the_same_again_and_another_seed_another(method):
    task = task_of(dtype=torch.float32)
    runs = [trained(task, method, seed=seed) for seed in (3, 3, 4)]
    for (found, error, loss), (others, its_error, its_loss) in zip(*runs[:2], strict=True):
        assert torch.equal(error, its_error)
        assert torch.equal(loss, its_loss)
        for one, other in zip(found, others, strict=True):
            assert torch.equal(one.weights, other.weights)
            assert torch.equal(one.encoder[0][0], other.encoder[0][0])
    assert not torch.equal(runs[0][-1][1], runs[2][-1][1])
    assert not torch.equal(runs[0][0][0][0].encoder[0][0], runs[2][0][0][0].encoder[0][0])


def test_the_order_of_the_images_comes_from_the_seed(monkeypatch):
    orders = []
    learn = explanation_training._Trainer.learn

    def noting(self, order):
        orders.append(order.tolist())
        return learn(self, order)

    monkeypatch.setattr(explanation_training._Trainer, "learn", noting)
    task = task_of()
    for seed in (0, 1):
        trained(task, seed=seed)
    assert len({tuple(order) for order in orders}) == 8
    assert all(sorted(order) == list(range(len(task.learned))) for order in orders)


def test_the_random_numbers_of_the_caller_are_left_alone():
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    steps = train(task_of(), "srae", 3, CLASSES, 0, SHORT)
    next(steps)
    steps.close()
    trained(task_of(), "cae")
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1][1])
    assert random.getstate() == states[2]


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("batch", "expected"), [(20, 1), (10**7, 2)])
def test_small_products_take_one_thread_and_the_caller_has_its_own(
    two_threads, monkeypatch, batch, expected
):
    seen = []
    loss = explanation_training._Trainer._loss

    def noting(self, images):
        seen.append(torch.get_num_threads())
        return loss(self, images)

    monkeypatch.setattr(explanation_training._Trainer, "_loss", noting)
    steps = train(task_of(), "srae", 3, CLASSES, 0, replace(SHORT, batch=batch))
    for _ in range(2):
        next(steps)
        assert torch.get_num_threads() == 2
    steps.close()
    assert torch.get_num_threads() == 2
    assert {*seen} == {expected}

    def broken(self, images):
        raise KeyboardInterrupt

    monkeypatch.setattr(explanation_training._Trainer, "_loss", broken)
    with pytest.raises(KeyboardInterrupt):
        trained(task_of())
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("classes", [[4, 1, 7, 2], [0, 1, 2, 3, 4]])
def test_each_core_has_classes_of_its_own(two_threads, monkeypatch, classes):
    seen, learn = {}, explanation_training._Trainer.learn
    together = threading.Barrier(2)

    def noting(self, order):
        if len(self._task.scores) > 1:  # not one class alone
            together.wait(60)
        seen[threading.get_ident()] = len(self._task.scores)
        return learn(self, order)

    monkeypatch.setattr(explanation_training._Trainer, "learn", noting)
    task = task_of(classes=len(classes))
    steps = trained(task, classes=classes)
    assert threading.get_ident() not in seen
    assert sorted(seen.values()) == [len(classes) // 2, (len(classes) + 1) // 2]
    assert torch.get_num_threads() == 2
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == 2
    for one, index in enumerate(classes):
        for step, its in zip(steps, trained(alone(task, one), classes=[index]), strict=True):
            for mine, others in zip(step[0][one].encoder, its[0][0].encoder, strict=True):
                torch.testing.assert_close(mine, others, rtol=1e-9, atol=1e-12)
            torch.testing.assert_close(step[1][one], its[1][0], rtol=1e-9, atol=1e-12)
            torch.testing.assert_close(step[2][one], its[2][0], rtol=1e-9, atol=1e-12)


# Balance


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 3), st.integers(2, 30), st.floats(0, 1), st.floats(0.1, 1), st.integers(0, 999)
)
def test_positives_count_as_much_as_all_others(classes, count, share, part, seed):
    random = np.random.default_rng(seed)
    positive = random.random((classes, count)) < share
    learned = np.sort(random.permutation(count)[: max(1, round(part * count))])
    task = Task(
        features=torch.zeros(count, 2, dtype=torch.float64),
        scores=torch.zeros(classes, count, dtype=torch.float64),
        positive=torch.from_numpy(positive),
        learned=torch.from_numpy(learned),
        held_out=torch.from_numpy(np.setdiff1d(np.arange(count), learned)),
    )
    weights = task.weights.numpy()
    assert weights.shape == (classes, count)
    assert np.isfinite(weights).all()
    assert (weights > 0).all()
    for one in range(classes):
        np.testing.assert_allclose(weights[one, learned].mean(), 1)
        inside, outside = (weights[one, group] for group in (positive[one], ~positive[one]))
        assert all(np.ptp(group) < 1e-9 for group in (inside, outside) if len(group))
        sums = [weights[one, learned][positive[one, learned] == sign].sum() for sign in (0, 1)]
        if all(sums):
            np.testing.assert_allclose(sums[0], sums[1])


# What is held out


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=2, max_size=60), st.floats(0.02, 0.45),
    st.integers(0, 99),
)  # fmt: skip
def test_of_each_class_the_same_share_is_held_out(top, share, seed):
    top = np.array(top)
    learned, held_out = split(top, share, seed)
    assert sorted([*learned, *held_out]) == list(range(len(top)))
    assert (np.diff(learned) > 0).all()
    assert (np.diff(held_out) > 0).all()
    assert len(held_out) == max(1, round(share * len(top)))
    for one in {*top.tolist()}:
        nearly = len(held_out) / len(top) * (top == one).sum()
        assert abs((top[held_out] == one).sum() - nearly) < 1


def test_of_classes_with_one_or_two_images_some_are_held_out_too():
    for top in (np.arange(200), np.repeat(np.arange(100), 2)):
        learned, held_out = split(top, 0.2, 0)
        assert (len(learned), len(held_out)) == (160, 40)


def test_the_split_is_random_and_comes_from_the_seed():
    top = np.repeat([0, 1], 20)
    splits = [tuple(split(top, 0.3, seed)[1]) for seed in (0, 0, 1, 2)]
    assert splits[0] == splits[1]
    assert len({*splits}) == 3
    assert len({int(split(np.arange(6), 0.2, seed)[1][0]) for seed in range(30)}) > 3


# What cannot be


def test_widths_are_those_of_the_paper_in_proportion():
    assert Training().widths(4096, 5) == [4096, 800, 100, 5]
    assert Training().widths(2048, 4) == [2048, 400, 50, 4]
    assert Training().widths(128, 5) == [128, 64, 32, 5]
    assert Training(hidden=(9, 8, 7)).widths(128, 5) == [128, 9, 8, 7, 5]
    assert Training(hidden=()).widths(128, 5) == [128, 5]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"batch": 0}, "batch is 0, but must be a whole number of at least 1"),
        ({"epochs": 0}, "epochs is 0, but must be a whole number of at least 1"),
        ({"epochs": 2.5}, "epochs is 2.5, but must be a whole number"),
        ({"patience": 0}, "patience is 0, but must be a whole number of at least 1"),
        ({"beta": -0.1}, "beta is -0.1, but must be a number of at least 0"),
        ({"beta": "1"}, "beta is '1', but must be a number of at least 0"),
        ({"weight_decay": -1}, "weight_decay is -1, but must be a number of at least 0"),
        ({"q": 0}, "q is 0, but must be a number above 0"),
        ({"q": float("nan")}, "q is nan, but must be a number above 0"),
        ({"learning_rate": 0}, "learning_rate is 0, but must be a number above 0"),
        ({"held_out": 0}, "held_out is 0, but must be a number between 0 and 1"),
        ({"held_out": 1}, "held_out is 1, but must be a number between 0 and 1"),
        ({"held_out": 1.5}, "held_out is 1.5, but must be a number between 0 and 1"),
        ({"hidden": (8, 0)}, "hidden is 0, but must be a whole number of at least 1"),
        ({"hidden": (8.5,)}, r"hidden is \(8.5,\), but must be widths, such as \(64, 32\)"),
    ],
)
def test_training_that_cannot_be_is_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        Training(**changes)
    assert "\n" not in str(caught.value)


def test_what_may_be_zero_may_be():
    Training(beta=0, weight_decay=0)
    Training(hidden=[3], epochs=1, patience=1, batch=1)
