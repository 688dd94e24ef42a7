"""Fitting explanation modules to a network: what comes out, what is refused, and their files."""

import json
import random
from dataclasses import asdict, replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import xwidgets as xw
from xwidgets.explain import data_set
from xwidgets.explain.explanation_module import METHODS, Choice
from xwidgets.explain.explanation_module import fit as explanation_fit
from xwidgets.explain.explanation_module import training as explanation_training
from xwidgets.explain.explanation_module.training import split

from ..parts import untouched
from .classifier import CLASSES, HEIGHT, WIDTH, Fails, forward, network, pixels

fit_explanation, fit_explanation_steps = xw.fit_explanation, xw.fit_explanation_steps
each_method = pytest.mark.parametrize("method", METHODS)

COUNT = 200


def fit(net, images=None, target=1, layer=None, features=3, method="srae", seed=0, **options):
    images = pixels(COUNT) if images is None else images
    short = {} if method == "lasso" else {"epochs": 3, "hidden": (9, 7)}
    options = {"cache": False, "progress": False} | short | options
    return fit_explanation(net, images, target, layer, features, method, seed, **options)


def steps(net, target=(1, 2), method="srae", **options):
    options = {"cache": False, "epochs": 6, "hidden": (9, 7)} | options
    return fit_explanation_steps(net, pixels(COUNT), target, None, 3, method, **options)


def read(net, images=None, count=6):
    """Z and the scores of images, by the parts of the network."""
    images = pixels(COUNT) if images is None else images
    return forward(net, images, count).flatten(1).float(), forward(net, images, 7).float()


def assert_same(one, other, tolerance=0.0):
    assert asdict(one.facts) | {"curves": 0} == asdict(other.facts) | {"curves": 0}
    for name, curve in one.facts.curves.items():
        np.testing.assert_allclose(curve, other.facts.curves[name], rtol=tolerance)
    assert one.state_dict().keys() == other.state_dict().keys()
    for name, value in one.state_dict().items():
        torch.testing.assert_close(value, other.state_dict()[name], rtol=tolerance, atol=tolerance)


# What is fitted


@each_method
def test_a_module_approximates_the_score_from_what_the_layer_puts_out(method):
    net = network()
    module = fit(net, method=method, target=2, features=4)
    features, scores = read(net)
    approximations = module(features)
    assert approximations.shape == (COUNT,)
    encoded = module.encoder(features)
    assert encoded.shape == (COUNT, len(module.weights))
    torch.testing.assert_close(approximations, encoded @ module.weights + module.intercept)
    learned, held_out = split(scores.argmax(1).numpy(), 0.2, 0)
    error = (approximations - scores[:, 2])[held_out].abs().mean()
    curve = module.facts.curves["error"]
    expected = curve[-1] if method == "cae" else min(curve)
    assert float(error) == pytest.approx(expected, rel=1e-3)
    assert (module.decoder is None) == (method in ("nn", "lasso"))
    if module.decoder is not None:
        assert module.decoder(encoded).shape == features.shape
    assert method == "lasso" or (encoded >= 0).all()
    assert (module.intercept == 0) == (method != "lasso")
    if method == "lasso":
        assert error < 0.9 * scores[learned, 2].std()


def test_a_module_takes_what_the_layer_puts_out_as_it_is():
    net, images = network(), pixels(COUNT)
    for layer, count in (("0", 2), ("2", 3), ("4", 6)):
        module = fit(net, images, 1, layer)
        maps = forward(net, images, count)
        torch.testing.assert_close(module(maps), module(maps.flatten(1)))
        assert module.facts.layer == layer
    assert fit(net, layer=1).facts.layer == "0"
    assert fit(net).facts.layer == "4"


@each_method
def test_it_says_how_it_was_fitted(method):
    options = {"features": 2, "seed": 7, "beta": 0.3, "batch": 30, "held_out": 0.25, "q": 9.0}
    net = network(classes=["a", "b", "c", "d"])
    facts = fit(net, pixels(COUNT, 1), "c", method=method, **options).facts
    assert (facts.network_name, facts.layer, facts.target, facts.label) == ("small", "4", 2, "c")
    assert facts.method == method
    assert facts.parameters.items() >= (options | {"images": COUNT}).items()
    assert facts.versions.keys() == {"xwidgets", "torch", "numpy", "python"}
    if method == "lasso":
        assert [len(curve) for curve in facts.curves.values()] == [1]
    else:
        assert facts.curves.keys() == {"error", "loss"}
        assert {len(curve) for curve in facts.curves.values()} == {3}
        assert facts.parameters["hidden"] == [9, 7]
    text = repr(fit(net, target=2, method=method))
    assert f"x-features by {method} of 4 for 'c' (small)" in text
    assert "\n" not in text


def test_the_longer_it_trains_the_closer_it_is_and_far_closer_than_the_mean():
    net = network()
    features, scores = read(net)
    _, held_out = split(scores.argmax(1).numpy(), 0.2, 0)
    wrong = []
    for epochs in (1, 10, 40):  # of four steps each, as there are few images
        module = fit(net, epochs=epochs, patience=epochs, hidden=(32,), learning_rate=0.01)
        wrong.append(float((module(features) - scores[:, 1])[held_out].abs().mean()))
    plain = float((scores[:, 1] - scores[:, 1].mean())[held_out].abs().mean())
    assert wrong[0] > 1.5 * wrong[1] > 2 * wrong[2]
    assert wrong[2] < 0.25 * plain


def test_classes_come_by_index_name_several_or_all_that_are_met():
    net = network(classes=["a", "b", "c", "d"])
    _, scores = read(net)
    assert {*scores.argmax(1).tolist()} == {0, 1, 2, 3}
    one = fit(net, target=3)
    assert_same(fit(net, target="d"), one)
    [listed] = fit(net, target=["d"])
    assert_same(listed, one)
    assert [module.facts.target for module in fit(net, target=("d", 0))] == [3, 0]
    assert [module.facts.label for module in fit(net, target=None)] == ["a", "b", "c", "d"]
    met = pixels(COUNT)[scores.argmax(1) % 2 == 1]
    assert [module.facts.target for module in fit(net, met, target=None)] == [1, 3]


@each_method
def test_a_class_gets_the_same_module_alone_and_among_others(method):
    net = network(dtype=torch.float64)
    together = fit(net, target=[2, 0, 3], method=method)
    for module in together:
        assert_same(fit(net, target=module.facts.target, method=method), module, 2e-3)
    for one, other in pairwise(together):
        assert one.weights.shape != other.weights.shape or not torch.equal(
            one.weights, other.weights
        )


@pytest.mark.parametrize("method", ["srae", "cae"])
def test_a_seed_gives_the_same_again_and_another_seed_another(method):
    net = network()
    first = fit(net, method=method)
    assert_same(fit(net, method=method), first)
    assert first.fingerprint == fit(net, method=method).fingerprint
    other = fit(net, method=method, seed=1)
    assert other.facts.parameters["seed"] == 1
    assert not torch.equal(first.weights, other.weights)
    assert first.fingerprint != other.fingerprint


def test_the_images_that_are_held_out_come_from_the_seed():
    net = network()
    [penalty, again, other] = [
        fit(net, method="lasso", seed=seed).facts.curves["error"] for seed in (0, 0, 1)
    ]
    assert penalty == again != other


def test_positive_are_the_images_that_the_network_takes_for_the_class(monkeypatch):
    tasks = []
    train = explanation_training.train

    def noting(task, *arguments):
        tasks.append(task)
        return train(task, *arguments)

    monkeypatch.setattr(explanation_fit, "train", noting)
    net = network()
    fit(net, target=[3, 1], held_out=0.3)
    [task], (features, scores) = tasks, read(net)
    top = scores.argmax(1)
    torch.testing.assert_close(task.features, features, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(task.scores, scores[:, [3, 1]].T, rtol=1e-4, atol=1e-5)
    assert torch.equal(task.positive, torch.stack([top == 3, top == 1]))
    learned, held_out = split(top.numpy(), 0.3, 0)
    assert task.learned.tolist() == learned.tolist()
    assert task.held_out.tolist() == held_out.tolist()


def test_networks_in_double_precision_and_of_grey_pictures():
    net = network(dtype=torch.float64)
    module = fit(net)
    assert_same(module, fit(network()), 0.05)
    grey = network(channels=1)
    images = pixels(COUNT, channels=1)
    module = fit(grey, images)
    error = (module(read(grey, images)[0]) - read(grey, images)[1][:, 1]).abs().mean()
    assert float(error) < 2 * min(module.facts.curves["error"])


def test_the_user_s_module_is_left_alone():
    net = network()
    net.module.train()
    with untouched(net.module):
        fit(net)
        fit(net, method="lasso", layer="2")
        cancelled = steps(net)
        for _ in range(3):
            next(cancelled)
        cancelled.close()


def test_random_numbers_and_threads_of_the_caller_are_left_alone():
    net, before = network(), torch.get_num_threads()
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    torch.set_num_threads(2)
    try:
        for method in METHODS:
            fit(net, method=method)
        closed = steps(net)
        for _ in range(4):
            next(closed)
            assert torch.get_num_threads() == 2
        closed.close()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert all(np.array_equal(*pair) for pair in zip(np.random.get_state(), states[1], strict=True))
    assert random.getstate() == states[2]


def test_features_are_kept_and_found_again(tmp_path, passes):
    net = network()
    first = fit(net, cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    passes.clear()
    assert_same(fit(net, cache=tmp_path), first)
    fit(net, cache=str(tmp_path), target=2, method="lasso")
    assert passes == []
    fit(net, cache=tmp_path, layer="0")
    assert passes
    assert len(list(tmp_path.iterdir())) == 2


def test_a_warning_where_images_are_few():
    net = network()
    with pytest.warns(UserWarning, match=r"10 images are fewer than the 12 features of layer '4'"):
        fit(net, pixels(10))
    with pytest.warns(UserWarning, match="fewer than the 48 features of layer '2'"):
        fit(net, pixels(40), layer="2")


def test_no_warning_where_they_are_many(recwarn):
    fit(network(), pixels(COUNT))
    assert [str(one.message) for one in recwarn] == []


def test_progress_goes_to_the_terminal_and_can_be_hidden(capsys):
    fit(network())
    assert capsys.readouterr().err == ""
    fit(network(), progress=True)
    shown = capsys.readouterr().err
    assert "fitting" in shown
    assert "epoch 3, held-out error" in shown
    assert "100%" in shown


# The Lasso


def lasso_parts(net, module, target, seed=0, share=0.2):
    """Z and y of the images that are learned from, centred by weight, and their weights."""
    features, scores = (part.double().numpy() for part in read(net))
    top = scores.argmax(1)
    learned, _ = split(top, share, seed)
    positive = top[learned] == target
    weights = np.where(positive, 0.5 / positive.mean(), 0.5 / (1 - positive.mean()))
    inputs, outputs = features[learned], scores[learned, target]
    inputs = inputs - np.average(inputs, 0, weights)
    outputs = outputs - np.average(outputs, weights=weights)
    return inputs, outputs, weights


@pytest.mark.parametrize("features", [1, 2, 5])
@pytest.mark.parametrize("target", [0, 3])
def test_the_lasso_is_optimal_for_its_penalty_and_the_next_smaller_chooses_more(features, target):
    net = network()
    module = fit(net, method="lasso", features=features, target=target)
    (chosen,) = [part.chosen for part in module.encoder if isinstance(part, Choice)]
    assert 1 <= len(chosen) == len({*chosen.tolist()}) == len(module.weights) <= features
    inputs, outputs, weights = lasso_parts(net, module, target)
    penalty, count = module.facts.parameters["penalty"], len(outputs)
    coefficients = np.zeros(inputs.shape[1])
    coefficients[chosen] = module.weights.double()
    assert (coefficients[chosen] != 0).all()
    pull = inputs.T @ (weights * (outputs - inputs @ coefficients)) / count
    np.testing.assert_allclose(pull[chosen], penalty * np.sign(coefficients[chosen]), rtol=0.02)
    assert np.abs(pull).max() <= penalty * 1.02
    # the intercept is that of the weighted least squares
    features_, scores = (part.double().numpy() for part in read(net))
    learned, _ = split(scores.argmax(1), 0.2, 0)
    wrong = scores[learned, target] - features_[learned] @ coefficients - float(module.intercept)
    assert abs(np.average(wrong, weights=weights)) < 1e-4 * np.abs(wrong).max()
    # the grid from the smallest penalty that chooses nothing
    largest = np.abs(inputs.T @ (weights * outputs)).max() / count
    grid = largest * np.geomspace(0.95, 1e-4, 100)
    place = int(np.argmin(np.abs(grid - penalty)))
    assert penalty == pytest.approx(grid[place], rel=1e-3)
    assert place + 1 < len(grid)
    assert np.count_nonzero(slow_lasso(inputs, outputs, weights, grid[place + 1])) > features


def slow_lasso(inputs, outputs, weights, penalty):
    """Coordinate descent, one feature after the other."""
    found = np.zeros(inputs.shape[1])
    norms = (weights[:, None] * inputs**2).mean(0)
    for _ in range(3000):
        before = found.copy()
        for one, norm in enumerate(norms):
            if norm > 0:
                rest = outputs - inputs @ found + inputs[:, one] * found[one]
                pull = (weights * rest * inputs[:, one]).mean()
                found[one] = np.sign(pull) * max(0, abs(pull) - penalty) / norm
        if np.abs(found - before).max() < 1e-12:
            break
    return found


def test_the_lasso_takes_all_features_where_it_may():
    net = network()
    module = fit(net, method="lasso", features=12)
    assert module.facts.parameters["penalty"] > 0
    features, scores = read(net)
    error = (module(features) - scores[:, 1]).abs().mean()
    assert error < 0.02 * scores[:, 1].std()


def test_the_lasso_says_where_no_penalty_chooses_so_few(monkeypatch):
    class Greedy(explanation_fit.Lasso):
        def fit(self, *arguments):
            super().fit(*arguments)
            self.coef_ = np.ones_like(self.coef_)
            return self

    monkeypatch.setattr(explanation_fit, "Lasso", Greedy)
    with pytest.raises(ValueError, match=r"no penalty chooses at most 3 features for 'class 1'; "
                       "allow more with features="):  # fmt: skip
        fit(network(), method="lasso")


def test_the_lasso_tells_how_far_it_is():
    net = network()
    fittings = list(fit_explanation_steps(net, pixels(COUNT), [0, 1, 2], method="lasso",
                                          cache=False))  # fmt: skip
    assert [len(fitting.modules) for fitting in fittings][-4:] == [0, 0, 3, 3]
    assert fittings[-1].completed == 1
    assert all(one.completed <= other.completed for one, other in pairwise(fittings))


# While it is fitted


def test_steps_tell_how_far_it_is(monkeypatch):
    monkeypatch.setattr(data_set, "batch_size", lambda net, total: 80)
    fittings = list(steps(network()))
    completed = [fitting.completed for fitting in fittings]
    assert completed[0] > 0
    assert completed[-1] == 1
    assert all(one <= other for one, other in pairwise(completed))
    reading = [fitting for fitting in fittings if not fitting.modules]
    assert len(reading) == 4
    assert [fitting.epoch for fitting in fittings] == [0] * 4 + [1, 2, 3, 4, 5, 6, 6]
    for fitting in fittings[4:]:
        assert fitting.errors.shape == fitting.losses.shape == (fitting.epoch, 2)
        for one, module in enumerate(fitting.modules):
            assert module.facts.curves["error"] == fitting.errors[:, one].tolist()
            assert module.facts.curves["loss"] == fitting.losses[:, one].tolist()
    assert np.array_equal(fittings[-1].errors[:3], fittings[6].errors)


def test_what_a_step_showed_is_not_changed_by_the_next():
    kept = []
    for fitting in steps(network()):
        kept.append((fitting, [module.fingerprint for module in fitting.modules]))
    for fitting, fingerprints in kept:
        assert [module.fingerprint for module in fitting.modules] == fingerprints
    assert len({tuple(fingerprints) for _, fingerprints in kept}) > 4


def test_closing_leaves_the_last_step_usable():
    net = network()
    fitting, running = None, steps(net)
    while fitting is None or fitting.epoch < 3:
        fitting = next(running)
    running.close()
    assert list(running) == []
    features, scores = read(net)
    _, held_out = split(scores.argmax(1).numpy(), 0.2, 0)
    for one, module in enumerate(fitting.modules):
        error = (module(features) - scores[:, module.facts.target])[held_out].abs().mean()
        assert float(error) == pytest.approx(fitting.errors[:, one].min(), rel=1e-3)
        assert len(module.facts.curves["loss"]) == 3


def test_nothing_is_read_before_the_first_step(passes):
    running = steps(network())
    assert passes == []
    next(running)
    assert passes


@pytest.mark.parametrize("at", [2, 3])
def test_interrupting_returns_the_best_so_far(monkeypatch, at):
    net, learn, count = network(), explanation_training._Trainer.learn, []
    whole = list(steps(net, epochs=9))

    def interrupted(self, order):
        count.append(1)
        if len(count) > at:
            raise KeyboardInterrupt
        return learn(self, order)

    monkeypatch.setattr(explanation_training._Trainer, "learn", interrupted)
    found = fit(net, target=[1, 2], epochs=9)
    expected = next(fitting for fitting in whole if fitting.epoch == at)
    assert [module.facts.target for module in found] == [1, 2]
    for one, other in zip(found, expected.modules, strict=True):
        assert_same(one, other)
    count.clear()
    assert fit(net, target=2, epochs=9).facts.target == 2


def test_interrupting_before_the_first_epoch_is_passed_on(monkeypatch):
    def interrupted(self, order):
        raise KeyboardInterrupt

    net = network()
    with monkeypatch.context() as patch:
        patch.setattr(explanation_training._Trainer, "learn", interrupted)
        with untouched(net.module), pytest.raises(KeyboardInterrupt):
            fit(net)
    watched = xw.Network.watched

    def interrupted_later(self, pixels, *arguments, **options):
        watched(self, pixels, *arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(xw.Network, "watched", interrupted_later)
    with untouched(net.module), pytest.raises(KeyboardInterrupt):
        fit(net)


# Files


@each_method
def test_a_module_survives_a_file(tmp_path, method):
    net = network()
    module = fit(net, method=method, hidden=None)
    path = str(tmp_path / "module.safetensors")
    module.save(path)
    again = xw.ExplanationModule.load(path)
    assert again.facts == module.facts
    assert again.fingerprint == module.fingerprint
    assert repr(again) == repr(module)
    assert [*again.state_dict()] == [*module.state_dict()]
    features = read(net)[0]
    torch.testing.assert_close(again(features), module(features))
    maps = features[:, :, None, None]
    torch.testing.assert_close(again(maps), module(features))
    if module.decoder is None:
        assert again.decoder is None
    else:
        coded = module.encoder(features)
        torch.testing.assert_close(again.decoder(coded), module.decoder(coded))
    assert not again.training
    assert not any(one.requires_grad for one in again.parameters())


def test_an_encoder_of_many_layers_keeps_their_order_in_a_file(tmp_path):
    net = network()
    module = fit(net, hidden=(8, 8, 8, 8, 8, 8))  # layers 1 to 13: 11 sorts before 3 as text
    module.save(tmp_path / "module")
    again, features = xw.ExplanationModule.load(tmp_path / "module"), read(net)[0]
    torch.testing.assert_close(again(features), module(features))
    coded = module.encoder(features)
    torch.testing.assert_close(again.decoder(coded), module.decoder(coded))


def test_the_fingerprint_changes_with_every_number(tmp_path):
    module = fit(network(), method="srae")
    module.save(tmp_path / "module")
    seen = {module.fingerprint}
    names = module.state_dict().keys()
    for name in names:
        changed = xw.ExplanationModule.load(tmp_path / "module")
        changed.state_dict()[name].view(-1)[0] += 0.5
        seen.add(changed.fingerprint)
    for fact in ({"network_name": "other"}, {"layer": "0"}, {"target": 3}):
        changed = xw.ExplanationModule.load(tmp_path / "module")
        changed.facts = replace(changed.facts, **fact)
        seen.add(changed.fingerprint)
    assert len(seen) == 1 + len(names) + 3


def test_the_module_is_for_looking_only():
    module = fit(network())
    assert not module.training
    assert not any(one.requires_grad for one in module.parameters())


def test_a_damaged_file_is_refused(tmp_path):
    module = fit(network(), method="srae")
    path = tmp_path / "module"
    module.save(path)
    whole = path.read_bytes()
    damaged = [b"", b"text", *(whole[:length] for length in range(0, len(whole), 499))]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"holds no readable explanation module \(.*; fit it"):
            xw.ExplanationModule.load(path)
    refusals = []
    for at in range(0, 2000, 17):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x81]) + whole[at + 1 :])
        try:
            again = xw.ExplanationModule.load(path)
        except ValueError as error:
            refusals.append(str(error))
        else:
            assert again.state_dict().keys() == module.state_dict().keys()
    assert len(refusals) > 50
    assert all("no readable explanation module" in refusal for refusal in refusals)


def test_the_file_of_something_else_is_refused(tmp_path):
    module = fit(network(), method="srae")
    path = tmp_path / "module"
    module.save(path)
    tensors, facts = load_file(path), json.dumps(asdict(module.facts))
    renamed = {name.replace("encoder.1.", "encoder.one."): value for name, value in tensors.items()}
    fewer = {name: value for name, value in tensors.items() if name != "encoder.3.bias"}
    others = [
        (tensors, None),
        (tensors, {"format": "pt"}),
        (tensors, {"explanation_module": "{"}),
        (tensors, {"explanation_module": "[1, 2]"}),
        (tensors, {"explanation_module": '{"network": "small"}'}),
        ({"weights": tensors["weights"]}, {"explanation_module": facts}),
        (tensors | {"more": torch.zeros(2)}, {"explanation_module": facts}),
        (renamed, {"explanation_module": facts}),
        (fewer, {"explanation_module": facts}),
    ]
    for content, metadata in others:
        save_file(content, path, metadata)
        with pytest.raises(ValueError, match="holds no readable explanation module"):
            xw.ExplanationModule.load(path)
    torch.save(tensors, path)
    with pytest.raises(ValueError, match="holds no readable explanation module"):
        xw.ExplanationModule.load(path)
    with pytest.raises(ValueError, match="holds no readable explanation module"):
        xw.ExplanationModule.load(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"there is no explanation module at '.*gone'"):
        xw.ExplanationModule.load(tmp_path / "gone")


# What cannot be


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"net": nn.ReLU()}, "net is a ReLU, but must be an xw.Network"),
        ({"images": []}, "the data set is empty"),
        ({"images": "nowhere"}, "no folder 'nowhere'"),
        ({"method": "srea"}, "unknown method 'srea'; did you mean 'srae' or"),
        ({"method": "mean"}, "unknown method 'mean'; known: srae, nn, sae, cae, lasso"),
        ({"features": 0}, "features is 0, but must be a whole number of at least 1"),
        ({"features": 2.5}, "features is 2.5, but must be a whole number"),
        ({"seed": -1}, r"seed is -1, but must be a whole number from 0 to 2\*\*63 - 1"),
        ({"target": "robin"}, "unknown class 'robin'"),
        ({"target": "a2"}, "unknown class 'a2'; did you mean 'a'"),
        ({"target": 4}, "class 4 does not exist: small has classes 0 to 3"),
        ({"target": -1}, "class -1 does not exist"),
        ({"target": []}, r"target is \[\], but must be one class or several different ones"),
        ({"target": [1, 1]}, r"target is \[1, 1\], but must be one class or several different"),
        ({"target": [1, "b"]}, r"target is \[1, 'b'\], but must be one class or several"),
        ({"target": [1, 4]}, "class 4 does not exist"),
        ({"layer": "5.1"}, "unknown layer '5.1'; did you mean '5'"),
        ({"layer": 2}, "there is no convolution 2"),
        ({"cache": 3}, "cache is 3, but must be True, False or a folder"),
        ({"cache": __file__}, "cache is '.*', but must be True, False or a folder"),
        ({"epoch": 3}, "unknown option 'epoch'; did you mean 'epochs'"),
        ({"epochs": 0}, "epochs is 0, but must be"),
        ({"held_out": 1.0}, "held_out is 1.0, but must be a number between 0 and 1"),
        ({"beta": -1}, "beta is -1, but must be a number of at least 0"),
    ],
)
@pytest.mark.parametrize("function", [fit_explanation, fit_explanation_steps])
def test_what_cannot_be_is_said_at_once(function, changes, sentence):
    net = network(classes=["a", "b", "c", "d"])
    arguments = {"net": net, "images": pixels(30), "target": 1, "cache": False}
    with pytest.raises(ValueError, match=sentence) as caught:
        function(**(arguments | changes))
    assert "\n" not in str(caught.value)


@each_method
def test_a_class_that_no_image_is_taken_for_is_refused(method):
    net = network(classes=["a", "b", "c", "d"])
    net.module[-1].bias.data[2] = -1000
    with pytest.raises(ValueError, match=r"small takes none of the 200 images for 'c'; give some"):
        fit(net, target=[1, "c"], method=method)
    assert [module.facts.label for module in fit(net, target=None)] == ["a", "b", "d"]


@each_method
def test_as_few_images_as_x_features_are_refused(method):
    with pytest.raises(ValueError, match="there are 6 images for 6 x-features; give many more"):
        fit(network(), pixels(6), target=None, features=6, method=method)


def test_values_that_are_not_finite_are_refused():
    net = network()
    net.module[4].weight.data[0, 0] = torch.nan
    with pytest.raises(ValueError, match="not all finite; check its weights"):
        fit(net)


def test_a_layer_that_is_random_is_refused():
    class Noise(nn.Module):
        def forward(self, x):
            return x + torch.rand(x.shape)

    with pytest.raises(
        ValueError, match="small is random in evaluation mode: 'rand' in its module"
    ):
        fit(network(Noise()), layer="6")


def test_images_that_the_network_cannot_take_are_named():
    images = [*pixels(2), torch.rand(3, HEIGHT, WIDTH) * 3 - 1]
    with pytest.raises(ValueError, match=r"image 2 of the data set: pixels must lie in \[0, 1\]"):
        fit(network(), images)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_pixels_that_are_not_finite_are_refused(value):
    images = pixels(5)
    images[3, 1, 2, 2] = value
    for given in (images, list(images)):
        with pytest.raises(ValueError, match="pixels must be finite, but some are NaN or inf"):
            fit(network(), given)


@pytest.mark.parametrize("times", [0, 1])
def test_the_user_s_module_is_left_alone_when_it_fails(times):
    net = network(fails := Fails(10**9))
    net.module.train()
    net.module[-1].bias.grad = torch.ones(CLASSES)
    assert net.layer("4")
    with untouched(net.module):
        fails.passes.left = times
        with pytest.raises(RuntimeError, match="out of order"):
            fit(net)


def test_a_network_of_one_layer_needs_a_layer():
    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(3 * HEIGHT * WIDTH, CLASSES)

        def forward(self, x):
            return self.linear(x.flatten(1))

    with pytest.raises(ValueError, match="Flat has no layer before its scores; name one with"):
        fit(xw.Network(Flat(), size=(HEIGHT, WIDTH)))


@pytest.mark.parametrize("target", [np.int64(1), torch.tensor(1), np.array(1)], ids=repr)
def test_a_class_may_be_what_argmax_returns(target):
    assert fit(network(), target=target).facts.target == 1


@pytest.mark.parametrize(
    "options",
    [{"seed": np.int64(1)}, {"features": np.int64(2)}, {"beta": np.float32(1)},
     {"hidden": (np.int64(4),)}, {"epochs": np.int32(2)}],
    ids=repr,
)  # fmt: skip
def test_numbers_of_numpy_are_numbers(tmp_path, options):
    module = fit(network(), **options)
    module.save(tmp_path / "module")
    assert xw.ExplanationModule.load(tmp_path / "module").facts == module.facts


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"hidden": 5}, r"hidden is 5, but must be widths"),
        ({"q": float("inf")}, "q is inf, but must be a number above 0"),
        ({"learning_rate": float("inf")}, "learning_rate is inf"),
        ({"learning_rate": 1e30}, r"training diverges with learning_rate=1e\+30; take a smaller"),
    ],
)
def test_training_that_cannot_be_is_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        fit(network(), **options)


def test_holding_out_so_many_that_too_few_are_left_is_refused():
    with pytest.raises(ValueError, match=r"held_out=0\.999 leaves 1 of .* hold out fewer"):
        fit(network(), held_out=0.999)


def test_of_a_single_output_images_with_a_score_above_zero_are_positive():
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * HEIGHT * WIDTH, 12), nn.ReLU(),
                           nn.Linear(12, 1))  # fmt: skip
    net = xw.Network(module, size=(HEIGHT, WIDTH), name="one")
    scores = net(pixels(40, 1))[:, 0]
    module[-1].bias.data -= scores.sort().values[-8:-6].mean()  # seven of forty are positive
    [found] = fit(net, pixels(40, 1), target=None, epochs=40)
    assert found.facts.target == 0
    module[-1].bias.data -= 100
    with pytest.raises(ValueError, match="takes none of the 40 images"):
        fit(net, pixels(40, 1), target=0)


def test_a_target_that_is_no_class_is_refused():
    with pytest.raises(ValueError, match=r"target is 1\.5, but must be a class, or several"):
        fit(network(), target=1.5)


def test_few_positives_and_few_others_are_told():
    net = network()
    top = net(pixels(COUNT, 1)).argmax(1)
    mine, others = pixels(COUNT, 1)[top == 1], pixels(COUNT, 1)[top != 1]
    for images, count in ((torch.cat([mine[:2], others]), 2), (mine, len(mine))):
        with pytest.warns(UserWarning, match=rf"takes {count} of the {len(images)} images for"):
            fit(net, images, features=3)


def test_a_folder_that_there_is_not_is_told(tmp_path):
    with pytest.raises(OSError, match=r"there is no folder '.*gone'; make it first"):
        fit(network()).save(tmp_path / "gone" / "module")
