"""One image in one network: when two are the same, what is computed once, which targets exist."""

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.networks import Class, Subject
from xwidgets.networks.target import Above, in_layer

from .by_hand import CLASSES, MEAN, STD, Parts, by_hand, image, network


@pytest.fixture
def forwards():
    """A network and, of each forward of its module, how many images went through."""
    net, sizes = network(), []
    net.module.register_forward_hook(lambda module, inputs, output: sizes.append(len(inputs[0])))
    return net, sizes


# Which are the same


@pytest.mark.parametrize(
    "other",
    [
        image().clone(),
        image()[None],
        image().numpy(),
        image().contiguous().transpose(1, 2).contiguous().transpose(1, 2),
        image().clone().requires_grad_(),
        torch.nn.functional.pad(image(), (2, 3, 1, 0))[:, 1:, 2:-3],
    ],
    ids=["clone", "batch of one", "array", "other strides", "with a gradient", "view"],
)
def test_equal_images_of_a_network_are_the_same_subject_whatever_their_memory(other):
    net = network()
    one, two = Subject(net, image()), Subject(net, other)
    assert one == two
    assert hash(one) == hash(two)
    assert {one: "known"}[two] == "known"


def test_images_of_another_kind_or_of_another_network_are_not():
    net, x = network(), image()
    one = Subject(net, x)
    changed = x.clone()
    changed[2, 7, 8] = changed[2, 7, 8] / 2
    others = {
        "a pixel": Subject(net, changed),
        "type": Subject(net, x.float()),
        "network": Subject(network(), x),
        "shape": Subject(net, x.reshape(3, 9, 8)),
        "no subject": x,
    }
    assert [name for name, other in others.items() if one == other] == []
    assert len({one, *(other for other in others.values() if isinstance(other, Subject))}) == 5


def test_single_precision_of_an_image_is_another_and_its_copy_is_not():
    net, x = network(), image(dtype=torch.float32)
    assert Subject(net, x) == Subject(net, x.clone())
    assert Subject(net, x) != Subject(net, x.double())


def test_a_zero_is_a_zero():
    net, x = network(), torch.zeros(3, 8, 9)
    assert torch.equal(x, -x)
    one, two = Subject(net, x), Subject(net, -x)
    assert one == two
    assert hash(one) == hash(two)


# What is computed once


def test_logits_are_computed_once_and_when_asked_for(forwards):
    net, sizes = forwards
    subject = Subject(net, image())
    assert sizes == []
    first = subject.logits
    for target in (None, 0, "bee", Class(2)):
        subject.target(target)
    assert subject.logits is first
    assert sizes == [1]
    assert torch.equal(first, net.logits(image()[None]))


def test_logits_are_those_of_the_weights_as_they_are():
    net = network()
    subject = Subject(net, image())
    before = subject.logits
    with torch.no_grad():
        next(net.module.parameters()).mul_(2)
    assert not torch.equal(subject.logits, before)
    torch.testing.assert_close(subject.logits, net(image()[None]), rtol=0, atol=1e-12)


def test_pixels_are_the_networks_and_the_picture_is_to_look_at():
    net = network()
    net.module.float()
    subject = Subject(net, image())
    assert (subject.image.dtype, subject.pixels.dtype) == (torch.float64, torch.float32)
    assert (subject.picture.shape, subject.picture.dtype) == ((8, 9, 3), np.uint8)
    assert subject.pixels is subject.pixels


def test_activations_that_are_not_finite_are_refused():
    net = network()
    net.module.first.bias.data[1] = torch.nan
    with pytest.raises(ValueError, match="returned NaN or infinite"):
        Subject(net, image()).activations("second")


# Targets


def test_a_class_is_found_by_number_by_name_and_as_the_top():
    net = network()
    subject = Subject(net, image())
    top = int(subject.logits.argmax())
    for given, index in [
        (1, 1), (np.int64(2), 2), (torch.tensor(0), 0), ("cat", 2), (Class(1), 1),
        (None, top), (Class(np.int64(1)), 1),
    ]:  # fmt: skip
        target = subject.target(given)
        assert target == Class(index)
        assert type(target.index) is int
        assert target.label(net) == CLASSES[index]


@pytest.mark.parametrize(
    ("layer", "name"),
    [("first", "first"), (1, "first"), (2, "second"), (np.int64(2), "second"), ("linear",) * 2],
)
def test_a_layer_is_found_by_name_and_by_the_number_of_its_convolution(layer, name):
    net = network()
    subject = Subject(net, image())
    maps = by_hand(net, image())[name]
    most = int(maps.view(*maps.shape[:2], -1).mean(2).argmax())
    assert subject.target(xw.Channel(layer)) == xw.Channel(name, most)
    assert subject.target(xw.Channel(layer, np.int64(1))) == xw.Channel(name, 1)
    assert subject.target(Above(layer, 2)) == Above(name, 2)
    if maps.ndim == 4:
        assert subject.target(xw.Unit(layer, 1, np.int64(2), 0)) == xw.Unit(name, 1, 2, 0)


def test_what_is_resolved_stays_as_it_is():
    subject = Subject(network(), image())
    for target in (0, xw.Channel(1), xw.Channel(2, 3), xw.Unit(1, 0, 7, 8), Above(None, 1)):
        once = subject.target(target)
        assert subject.target(once) == once


def test_units_are_those_of_this_image_and_not_of_the_size_that_the_network_was_made_for():
    net = network()
    wide = Subject(net, image((8, 20)))
    assert wide.target(xw.Unit("first", 0, 7, 19)) == xw.Unit("first", 0, 7, 19)
    with pytest.raises(ValueError, match="column 9 does not exist: layer 'first' has columns 0 to"):
        Subject(net, image()).target(xw.Unit("first", 0, 7, 9))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (3, "class 3 does not exist: small has classes 0 to 2"),
        (-1, "class -1 does not exist"),
        (1.0, "class 1.0 does not exist"),
        ("baa", "unknown class 'baa'.*of small"),
        ("bees", "unknown class 'bees'; did you mean 'bee'"),
        ((1, 2, 3), r"class \(1, 2, 3\) does not exist"),
        (Class(3), "class 3 does not exist"),
        (xw.Channel("first", 4), "channel 4 does not exist: layer 'first' has channels 0 to 3"),
        (xw.Channel("first", -1), "channel -1 does not exist"),
        (xw.Channel("first", 1.0), "channel 1.0 does not exist"),
        (xw.Channel("linear", 3), "channel 3 does not exist: layer 'linear' has channels 0 to 2"),
        (xw.Channel("frist", 0), "unknown layer 'frist'; did you mean 'first'.*net.layers"),
        (xw.Channel(3, 0), "there is no convolution 3: small has 1 to 2"),
        (xw.Channel(0, 0), "there is no convolution 0"),
        (xw.Unit("first", 4, 0, 0), "channel 4 does not exist"),
        (xw.Unit("second", 0, 3, 0), "row 3 does not exist: layer 'second' has rows 0 to 2"),
        (xw.Unit("second", 0, 0, 4), "column 4 does not exist: .* has columns 0 to 3"),
        (xw.Unit("second", 0, 0.0, 0), "row 0.0 does not exist"),
        (xw.Unit("linear", 0, 0, 0), "is no node of layer 'linear'; give a channel"),
        (Above("frist", 0), "unknown layer 'frist'"),
    ],
    ids=str,
)
def test_what_does_not_exist_is_told_in_a_sentence(target, words):
    with pytest.raises(ValueError, match=words):
        Subject(network(), image()).target(target)


class Sometimes(Parts):
    """Uses its second convolution for images that are wide enough."""

    def forward(self, x):
        x = self.norm(self.first(x)).relu()
        wide = x.shape[3] > 8
        return self.linear(self.second(x).relu().mean((2, 3)) if wide else x[:, [0] * 6, 0, 0])


@pytest.mark.parametrize("target", [xw.Channel("second", 0), xw.Unit(2, 0, 0, 0)], ids=str)
def test_a_layer_that_is_not_used_for_this_image_is_told(target):
    net = xw.Network(Sometimes(), normalize=(MEAN, STD), size=(8, 9), name="small")
    assert Subject(net, image()).target(target).layer == "second"
    with pytest.raises(ValueError, match="small does not use its layer 'second' for this image"):
        Subject(net, image((8, 8))).target(target)


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.rows = nn.Conv2d(3, 4, 3), nn.Flatten(2)

    def forward(self, x):
        return self.rows(self.first(x)).mean(2)


def test_a_layer_without_channels_is_told():
    net = xw.Network(Tokens(), size=(8, 9))
    with pytest.raises(ValueError, match=r"layer 'rows' puts out \(4, 42\) and has no channels"):
        Subject(net, image(dtype=torch.float32)).target(xw.Channel("rows", 0))


def test_what_is_no_network_and_no_image_is_refused():
    with pytest.raises(ValueError, match="wrap a module with xw"):
        Subject(Parts(), image())
    with pytest.raises(ValueError, match="have 1 channels where the network takes 3"):
        Subject(network(), image()[:1])
    with pytest.raises(ValueError, match="explained at a time, not 2"):
        Subject(network(), torch.stack([image()] * 2))


def test_a_node_beside_its_layer_is_a_target():
    assert in_layer(3, None) == 3
    assert in_layer("bee", None) == "bee"
    assert in_layer(None, "first") == xw.Channel("first", None)
    assert in_layer(3, 2) == xw.Channel(2, 3)
    assert in_layer((1, 2, 3), "first") == xw.Unit("first", 1, 2, 3)
    with pytest.raises(ValueError, match="is a unit; say of which layer with layer=name"):
        in_layer((1, 2, 3), None)
    with pytest.raises(ValueError, match="names its layer itself; leave out layer='second'"):
        in_layer(xw.Channel("first", 1), "second")
