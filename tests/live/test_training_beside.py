"""A study beside a training: neither reaches the other, and no map mixes two states."""

import time
from itertools import count, takewhile

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import xwidgets as xw

from .waiting import until

SIZE = 16


def module():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Dropout(0.3),
        nn.Flatten(),
        nn.Linear(8 * 49, 4),
    ).train()


def trained(user, more):
    """Losses, modes and state of a training that takes a step as long as ``more(step)``."""
    torch.manual_seed(1)
    images, labels = torch.rand(64, 3, SIZE, SIZE), torch.randint(4, (64,))
    optimizer = torch.optim.SGD(user.parameters(), 0.05, momentum=0.9)
    losses, modes = [], []
    for step in takewhile(more, count()):
        batch = torch.randperm(64)[:16]
        loss = cross_entropy(user(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        modes.append([part.training for part in user.modules()])
        if step % 50 == 49:
            user.eval()
            with torch.no_grad():
                losses.append(cross_entropy(user(images), labels).item())
            user.train()
    return losses, modes, {name: value.clone() for name, value in user.state_dict().items()}


def network(user):
    return xw.Network(user, normalize=([0.5] * 3, [0.25] * 3), size=(SIZE, SIZE))


IMAGE = torch.rand(3, SIZE, SIZE, generator=torch.Generator().manual_seed(2))
METHOD = xw.PredictionDifference(window=4, sampler=xw.ConstantSampler(0.5), samples=1)


@pytest.mark.parametrize("method", [METHOD, xw.Saliency()], ids=lambda method: method.name)
def test_a_training_beside_a_study_is_that_of_the_training_alone(method):
    user, shown = module(), []
    with xw.Study(network(user), IMAGE, 1, method) as study:
        study.watched(1)  # as a view would say
        study.observe(lambda change: shown.append(change.new), "result")
        end = time.monotonic() + 60
        beside = trained(
            user, lambda step: step < 200 or (len(shown) < 2 and time.monotonic() < end)
        )
        assert len(shown) > 1, "it was live meanwhile"
        losses, modes, values = trained(module(), lambda step: step < len(beside[1]))
        assert beside[0] == losses
        assert beside[1] == modes
        assert all(torch.equal(value, beside[2][name]) for name, value in values.items())
        after = method.run(network(user), IMAGE, 1)
        assert np.array_equal(study.wait(60).values, after.values)


def changing(user, call):
    """A network whose weights change while it runs for the ``call``-th time, and those calls."""
    calls = []

    def change(*_):
        calls.append(1)
        if len(calls) == call:
            with torch.no_grad():
                user[6].weight.mul_(-3)

    user[0].register_forward_hook(change)
    return network(user), calls


@pytest.mark.parametrize("call", range(1, 7))
def test_no_result_mixes_two_states(call):
    def values(net):
        method = xw.PredictionDifference(
            window=4, sampler=xw.ConstantSampler(0.5), samples=1, memory=0
        )
        return [step.values for step in method.steps(net, IMAGE, 1)]

    before, user = values(network(module())), module()
    net, calls = changing(user, call)
    seen = values(net)
    assert len(calls) >= call
    after = values(network(user))
    known = {array.tobytes() for array in (*before, *after)}
    assert {array.tobytes() for array in seen} <= known
    assert np.array_equal(seen[-1], after[-1], equal_nan=True)
    assert not np.array_equal(before[-1], after[-1])


def grown(user):
    """Weights changed by hand."""
    user[6].weight.data.mul_(-3)


def test_a_complete_map_is_computed_again_when_the_weights_change():
    user = module()
    net = network(user)
    with xw.Study(net, IMAGE, 1, METHOD) as study:
        first = study.wait(60)
        grown(user)
        again = METHOD.run(net, IMAGE, 1)
        assert not np.array_equal(again.values, first.values)
        assert np.array_equal(study.wait(60).values, again.values)
        grown(user)
        other = METHOD.changed(window=5).run(net, IMAGE, 1)
        assert np.array_equal(study.at(window=5).values, other.values)
        assert study.renewals == 2


def test_a_head_with_fewer_classes_has_no_class_of_before():
    user = module()
    with xw.Study(network(user), IMAGE, 2, xw.Saliency()) as study:
        study.wait(60)
        user[6] = nn.Linear(user[6].in_features, 2)
        with pytest.raises(ValueError, match="class 2 does not exist"):
            study.wait(60)


def test_a_head_with_more_classes_has_them_at_once():
    user = module()
    with xw.Study(network(user), IMAGE, 0, xw.Saliency()) as study:
        most = user[6].out_features
        user[6] = nn.Linear(user[6].in_features, most + 2)
        study.target = most + 1
        assert study.wait(60).target == most + 1
        user[6] = nn.Linear(user[6].in_features, most)
        with pytest.raises(ValueError, match=f"class {most} does not exist"):
            study.target = most
        assert study.target == most + 1


def test_a_move_of_the_slider_reads_the_weights_once(monkeypatch):
    reads, state = [], xw.Network.state
    monkeypatch.setattr(
        xw.Network, "state", property(lambda net: reads.append(1) or state.fget(net))
    )
    with xw.Study(network(module()), IMAGE, 1, METHOD) as study:
        study.wait(60)
        study.at(window=3)
        reads.clear()
        study.window = 3
        assert len(reads) == 1


def test_what_is_on_screen_follows_by_itself():
    user = module()
    with xw.Study(network(user), IMAGE, 1, xw.Saliency()) as study:
        study.watched(1)
        first = study.wait(60)
        grown(user)
        until(lambda: study.result is not None and study.result is not first, 60)
        assert not np.array_equal(study.result.values, first.values)


def test_no_map_of_the_weights_before_is_kept_when_they_changed_meanwhile():
    user = module()
    net = network(user)
    with xw.Study(net, IMAGE, 1, METHOD.changed(window=4, samples=5)) as study:
        first = study.wait(60)
        with study._worker.lock:
            study.window = 3
        until(lambda: study.progress.share > 0, 60)
        grown(user)
        until(lambda: study.progress.state == "complete", 60)
        study.window = 4
        assert not np.array_equal(study.wait(60).values, first.values)


def test_companions_follow_the_weights():
    user = module()
    net = network(user)
    with xw.Study(net, IMAGE, 1, METHOD) as study:
        study.neurons.ranking.wait(60)
        study.regions.mask = np.eye(SIZE, dtype=bool)
        before = study.regions.removal.wait(60)
        grown(user)
        study.wait(60)
        ranking = study.neurons.ranking.wait(60)
        np.testing.assert_array_equal(
            ranking.importance, xw.rank_neurons(net, IMAGE, target=1).importance
        )
        after = study.regions.removal.wait(60)
        assert not np.array_equal(after.before, before.before)
        np.testing.assert_allclose(after.before, net.probabilities(net(IMAGE[None]))[0])


def test_a_run_beside_a_training_ends():
    user = module()

    def change(*_):
        with torch.no_grad():
            user[6].weight.add_(0.01)

    user[0].register_forward_hook(change)
    result = xw.Occlusion(window=4).run(network(user), IMAGE, 1)
    assert np.isfinite(result.values).all()
