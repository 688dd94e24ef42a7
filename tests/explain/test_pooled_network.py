"""Networks with a pooled head: what is trained, on what, and what is kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from scipy.optimize import minimize
from torch import nn

import xwidgets as xw
from xwidgets.explain._pooled_network import _trained

SIDE = 12


class Module(nn.Module):
    """Two convolutions, with functional rectifiers, and flattened maps."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.second = nn.Conv2d(4, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.flatten = nn.Flatten()
        self.linear = nn.Linear(6 * 9, 3)

    def forward(self, x):
        x = self.pool(self.first(x).relu())
        return self.linear(self.flatten(self.pool(self.norm(self.second(x)).relu())))


def network():
    return xw.Network(
        Module(), normalize=([0.4, 0.5, 0.6], [0.2, 0.25, 0.3]), size=(SIDE, SIDE),
        classes=["red", "green", "blue"], name="small",
    )  # fmt: skip


def pictures(count=60, seed=1):
    """Pictures in which one colour is the brightest, and its number."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    images = 0.5 * torch.rand(count, 3, SIDE, SIDE, generator=generator)
    images[torch.arange(count), labels] += 0.15
    return images, labels


def pooled(*arguments, **options):
    return xw.pooled_network(*arguments, progress=False, **options)


def test_the_scores_are_those_of_the_mean_maps_and_only_the_head_is_new():
    net, (images, labels) = network(), pictures()
    before = {name: value.clone() for name, value in net.module.state_dict().items()}
    made = pooled(net, images, labels, "first", epochs=20)
    watched = net.watched(images, ["first"], gradients=False)
    head = made.module.head
    expected = watched.activations["first"].mean((2, 3)) @ head.weight.T + head.bias
    torch.testing.assert_close(made(images), expected.detach(), atol=1e-5, rtol=1e-5)
    assert (watched.activations["first"] >= 0).all()
    assert made.facts.rectified
    assert made.module.body is net.module
    assert all(torch.equal(value, before[name]) for name, value in net.module.state_dict().items())
    assert (made.name, made.classes) == ("small, pooled", net.classes)


def test_the_training_ends_at_the_minimum_that_another_optimizer_finds():
    generator = torch.Generator().manual_seed(3)
    z = torch.randn(40, 3, generator=generator, dtype=torch.float64) * 5 + 2
    y = torch.randint(3, (40,), generator=generator)
    learned, tested = np.arange(30), np.arange(30, 40)
    options = {"learning_rate": 0.05, "weight_decay": 0.1, "epochs": 600}
    *_, last = _trained(z, y, learned, tested, 3, options, lambda *parts: parts)
    mean, std = z[learned].mean(0), z[learned].std(0)
    scaled = ((z - mean) / std)[learned].numpy()

    def loss(parameters):
        weight, bias = parameters[:9].reshape(3, 3), parameters[9:]
        logits = scaled @ weight.T + bias
        cross = np.log(np.exp(logits).sum(1)) - logits[np.arange(30), y[:30].numpy()]
        return cross.mean() + 0.05 * (weight**2).sum()

    best = minimize(loss, np.zeros(12), tol=1e-12)
    assert last.losses[-1, 0] == pytest.approx(best.fun, abs=1e-6)
    assert last.losses[0, 0] == pytest.approx(np.log(3))
    weight, bias = last.build()
    kept = int(last.losses[:, 1].argmin())
    logits = z[tested] @ weight.T + bias
    held_out = nn.functional.cross_entropy(logits, y[tested])
    assert float(held_out) == pytest.approx(last.losses[kept, 1])


def test_it_learns_to_tell_colours_apart_and_says_how_well():
    net, (images, labels) = network(), pictures()
    made = pooled(net, images, labels.tolist(), "first")
    facts = made.facts
    assert facts.accuracy == 1
    fresh, truth = pictures(seed=2)
    assert (made(fresh).argmax(1) == truth).float().mean() > 0.9
    own = (net(images).argmax(1) == labels).float().mean()
    assert facts.accuracy_before == pytest.approx(float(own), abs=0.2)
    assert (facts.held_out, facts.learned) == (12, 48)


def test_its_class_activation_maps_add_up_to_its_scores():
    net, (images, labels) = network(), pictures()
    made = pooled(net, images, labels, "pool", epochs=30)
    for target in range(3):
        found = xw.class_activation_map(made, images[0], target)
        score = float(made(images[:1])[0, target])
        assert float(found.raw.astype(float).mean()) + found.bias == pytest.approx(score, abs=1e-5)
        assert found.bias == pytest.approx(float(made.module.head.bias.detach()[target]), abs=1e-5)


def test_every_other_method_takes_it():
    net, (images, labels) = network(), pictures()
    made = pooled(net, images, labels, "first", epochs=5)
    assert xw.occlusion(made, images[0], window=4, stride=4).values.shape == (SIDE, SIDE)
    assert np.abs(xw.saliency(made, images[0]).values).max() > 0
    assert xw.excitation_backprop(made, images[0]).values.max() > 0


def test_other_classes_may_be_named():
    net, (images, labels) = network(), pictures()
    made = pooled(net, images, (labels > 0).long(), "first", classes=["warm", "cold"], epochs=5)
    assert made.classes == ("warm", "cold")
    assert made(images[:2]).shape == (2, 2)
    assert made.facts.accuracy_before is None


def test_by_default_the_deepest_fine_maps_are_pooled():
    net, (images, labels) = network(), pictures()
    assert pooled(net, images, labels, epochs=1).facts.layer == "first"  # others are 6 x 6 and less


def test_steps_read_then_train_and_may_be_left():
    net, (images, labels) = network(), pictures()
    steps = list(xw.pooled_network_steps(net, images, labels, "first", epochs=4))
    assert [step.epoch for step in steps[-4:]] == [1, 2, 3, 4]
    assert steps[0].network is None
    shares = [step.completed for step in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert steps[-1].losses.shape == (4, 2)
    begun = xw.pooled_network_steps(net, images, labels, "first")
    next(begun)
    begun.close()


# Files


def test_a_file_holds_the_head_alone(tmp_path):
    net, (images, labels) = network(), pictures()
    made = pooled(net, images, labels, "first", epochs=5)
    made.save(tmp_path / "head.safetensors")
    again = xw.PooledNetwork.load(tmp_path / "head.safetensors", network())
    assert torch.equal(again(images), made(images))
    assert again.facts == made.facts
    with safe_open(tmp_path / "head.safetensors", "pt") as file:
        assert sorted(file.keys()) == ["bias", "weight"]


def test_a_file_that_does_not_fit_is_refused(tmp_path):
    net, (images, labels) = network(), pictures()
    made = pooled(net, images, labels, "first", epochs=2)
    path = tmp_path / "head.safetensors"
    with pytest.raises(ValueError, match="there is no pooled network at"):
        xw.PooledNetwork.load(path, net)
    made.save(path)
    with pytest.raises(ValueError, match="goes with layer 'first' of 'small'"):
        xw.PooledNetwork.load(path, xw.network("birds"))
    made.facts = replace(made.facts, classes=("one",))
    made.save(path)
    with pytest.raises(ValueError, match=r"3 outputs and 1 classes.*; train it again"):
        xw.PooledNetwork.load(path, net)
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="holds no readable pooled network"):
        xw.PooledNetwork.load(path, net)
    with pytest.raises(OSError, match=r"there is no folder .*; make it first"):
        made.save(tmp_path / "nowhere" / "head")


# What cannot be


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"labels": [1] * 60}, "all labels are 1, but one class cannot be told from another"),
        ({"labels": [0, 1]}, r"labels are int64 \(2,\), but must be class indices \(60,\)"),
        ({"labels": [0.5] * 60}, r"labels are float64 \(60,\)"),
        ({"labels": [0, 3] * 30}, "go from 0 to 3, but must be 0 to 2, one of the 3 classes"),
        ({"labels": [-1, 2] * 30}, "go from -1 to 2"),
        ({"classes": ["a", "b"]}, "go from 0 to 2, but must be 0 to 1, one of the 2 classes"),
        ({"layer": "linear"}, r"layer 'linear' puts out \(3,\); choose one"),
        ({"layer": "frist"}, "unknown layer 'frist'; did you mean 'first'"),
        ({"layer": "second"}, "more than a rectifier; choose the layer behind"),
        ({"epochs": 0}, "epochs is 0"),
        ({"learning_rate": 0}, "learning_rate is 0, but must be a number above 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        (
            {"learning_rate": 1e6, "labels": [0, 1, 2, 2, 0, 1] * 10},
            "diverges with learning_rate=1000000.0; take a smaller one",
        ),
        ({"weight_decay": -1}, "weight_decay is -1"),
        ({"held_out": 1}, "held_out is 1"),
        ({"seed": -1}, "seed is -1"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_in_one_sentence(options, match):
    images, labels = pictures()
    options = {"labels": labels, "layer": "first"} | options
    with pytest.raises(ValueError, match=match) as error:
        pooled(network(), images, **options)
    assert "\n" not in str(error.value)


def test_a_training_that_diverges_later_keeps_what_was_good():
    net, (images, labels) = network(), pictures()
    with pytest.warns(UserWarning, match=r"learning_rate=1000000\.0; kept is step 1: take a small"):
        made = pooled(net, images, labels, "first", learning_rate=1e6)
    assert made(images).isfinite().all()
    assert made.facts.accuracy > 0.5


def test_a_network_without_maps_has_nothing_to_pool():
    net = xw.Network(nn.Sequential(nn.Flatten(), nn.Linear(432, 2)), size=(SIDE, SIDE), name="flat")
    images, labels = pictures()
    with pytest.raises(ValueError, match=r"flat has no layer with maps \(C, H, W\)"):
        pooled(net, images, labels % 2)


@pytest.mark.long
def test_birds_are_recognised_from_pooled_maps():
    images, labels = xw.scenes.draw("birds", range(2000))
    made = pooled(xw.network("birds"), images, labels)
    fresh, truth = xw.scenes.draw("birds", range(10_000, 10_200))
    assert (made(fresh).argmax(1) == truth).double().mean() >= 0.95
