"""The listing of layers against known networks and against what units really see."""

import copy

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import avg_pool2d, max_pool2d, pad, relu
from torchvision import models

from xwidgets import Network
from xwidgets.networks.layers import list_layers

SIDE = 160


def box(module, name, row=None, column=None, channels=1, size=(SIDE, SIDE)):
    """The pixels that a unit of a layer sees, by default the middle one: where its gradient is not
    zero.

    Of a copy in which every weight is positive and every maximum is a mean, so that no path is
    lost.
    """
    module = copy.deepcopy(module).double().eval()
    for parent in module.modules():
        for key, child in parent.named_children():
            if isinstance(child, nn.MaxPool2d):
                setattr(parent, key, nn.AvgPool2d(
                    child.kernel_size, child.stride, child.padding, child.ceil_mode
                ))  # fmt: skip
            if isinstance(child, nn.ReLU):
                child.inplace = False
        for value in parent.parameters(recurse=False):
            value.data = torch.full_like(value, 1 / max(1, value[0].numel()))
    outputs = {}
    layer = module.get_submodule(name)
    handle = layer.register_forward_hook(lambda _, __, output: outputs.setdefault("y", output))
    image = torch.ones(1, channels, *size, dtype=torch.float64, requires_grad=True)
    module(image)
    handle.remove()
    output = outputs["y"][0].sum(0)
    row = output.shape[0] // 2 if row is None else row
    column = output.shape[1] // 2 if column is None else column
    output[row, column].backward()
    touched = image.grad[0].sum(0) != 0
    if not touched.any():
        return None  # padding alone
    rows, columns = touched.any(1).nonzero(), touched.any(0).nonzero()
    return int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1


def seen(module, name, channels=1, side=SIDE):
    """Height and width of what the middle unit of a layer sees."""
    top, left, bottom, right = box(module, name, channels=channels, size=(side, side))
    return bottom - top, right - left


# Networks that everybody knows


def convolutions(name, side=224):
    module = models.get_model(name, weights=None, **OPTIONS.get(name, {}))
    return [layer for layer in Network(module, size=(side, side)).layers if layer.convolution]


OPTIONS = {"googlenet": {"init_weights": False, "aux_logits": False}}
VGG16 = {
    0: 3, 2: 5, 5: 10, 7: 14, 10: 24, 12: 32, 14: 40, 17: 60, 19: 76, 21: 92,
    24: 132, 26: 164, 28: 196,
}  # fmt: skip


def test_vgg16_has_13_convolutions_with_the_published_receptive_fields():
    net = Network(models.vgg16(weights=None))
    found = [layer for layer in net.layers if layer.convolution]
    assert [layer.name for layer in found] == [f"features.{index}" for index in VGG16]
    assert [layer.convolution for layer in found] == list(range(1, 14))
    assert [layer.receptive_field for layer in found] == [(f, f) for f in VGG16.values()]
    assert net.layer("features.30").receptive_field == (212, 212)
    assert net.layer("features.30").shape == (512, 7, 7)
    assert net.layer("classifier.6").shape == (1000,)
    assert net.layer("classifier.6").receptive_field == (224, 224)
    assert [layer.name for layer in net.layers][-2:] == ["classifier.6", "classifier"]
    assert len(net.layers) == 31 + 1 + 7 + 2


def test_alexnet_has_the_published_receptive_fields():
    assert [
        (layer.name, layer.receptive_field[0], layer.shape) for layer in convolutions("alexnet")
    ] == [
        ("features.0", 11, (64, 55, 55)), ("features.3", 51, (192, 27, 27)),
        ("features.6", 99, (384, 13, 13)), ("features.8", 131, (256, 13, 13)),
        ("features.10", 163, (256, 13, 13)),
    ]  # fmt: skip


def test_resnet18_has_the_published_receptive_fields():
    found = {layer.name: layer for layer in convolutions("resnet18", 448)}
    assert len(found) == 20
    assert list(found)[:3] == ["conv1", "layer1.0.conv1", "layer1.0.conv2"]
    expected = {
        "conv1": 7, "layer1.0.conv1": 19, "layer1.1.conv2": 43, "layer2.0.conv1": 51,
        "layer2.1.conv2": 99, "layer3.1.conv2": 211, "layer4.1.conv2": 435,
    }  # fmt: skip
    assert {name: found[name].receptive_field[0] for name in expected} == expected
    assert found["layer4.1.conv2"].shape == (512, 14, 14)


def test_receptive_fields_end_at_the_image():
    last = convolutions("resnet18", 224)[-1]
    assert last.receptive_field == (224, 224)


@pytest.mark.parametrize("name", ["googlenet", "squeezenet1_1"])
def test_branching_networks_see_what_gradients_see(name):
    module = models.get_model(name, weights=None, **OPTIONS.get(name, {}))
    net = Network(module, size=(SIDE, SIDE))
    found = [layer for layer in net.layers if layer.convolution]
    assert len(found) == sum(isinstance(part, nn.Conv2d) for part in module.modules())
    inside = [layer for layer in found if layer.receptive_field[0] < SIDE * 0.8]
    for layer in inside[:: max(1, len(inside) // 2)]:
        assert layer.receptive_field == seen(module, layer.name, channels=3), layer.name


# Random networks


class Twice(nn.Module):
    """Two branches side by side, joined by a sum or a concatenation."""

    def __init__(self, left, right, join):
        super().__init__()
        self.left, self.right, self.join = left, right, join

    def forward(self, x):
        left, right = self.left(x), self.right(x)
        return left + right if self.join == "sum" else torch.cat([left, right], 1).mean(1, True)


class Functional(nn.Module):
    """An operation without a module of its own."""

    def __init__(self, kind, size):
        super().__init__()
        self.kind, self.size = kind, size
        self.scale = nn.Parameter(torch.ones(1, 1, 1))

    def forward(self, x):
        if self.kind == "relu":
            return relu(x, inplace=not x.requires_grad)
        if self.kind == "scale":
            return self.scale * x
        if self.kind == "pad":
            return pad(x, (self.size,) * 4)
        if self.kind == "max":
            # the linearised copy needs a mean; a maximum sees just as much
            pool = avg_pool2d if x.requires_grad else max_pool2d
            return pool(x, self.size)
        return avg_pool2d(input=x, kernel_size=(self.size, 1), stride=1)


def convolution(size, stride=1, dilation=1, same=False, mode="zeros"):
    padding = (size - 1) * dilation // 2 if same else 0
    return nn.Conv2d(1, 1, size, stride, padding, dilation, padding_mode=mode)


sizes = st.integers(1, 4)
plain = st.one_of(
    st.builds(
        convolution, sizes | st.tuples(sizes, sizes), st.integers(1, 2), st.integers(1, 2)
    ),
    st.builds(convolution, st.sampled_from([1, 3, 5]), same=st.just(True),
              mode=st.sampled_from(["zeros", "reflect", "circular"])),
    st.builds(nn.MaxPool2d, st.integers(1, 3), st.integers(1, 2), ceil_mode=st.booleans()),
    st.builds(nn.AvgPool2d, st.integers(1, 3), st.integers(1, 2)),
    st.builds(nn.ZeroPad2d, st.integers(0, 2)),
    st.builds(nn.BatchNorm2d, st.just(1)),
    st.builds(nn.ReLU, st.booleans()),
    st.builds(Functional, st.sampled_from(["relu", "scale", "pad", "max", "mean"]), sizes),
)  # fmt: skip
same = st.builds(
    convolution, st.sampled_from([1, 3, 5]), dilation=st.integers(1, 2), same=st.just(True)
)
layers = plain | st.builds(Twice, same, same, st.sampled_from(["sum", "cat"]))


@settings(max_examples=40, deadline=None)
@given(st.lists(layers, min_size=1, max_size=4))
def test_random_networks_see_what_gradients_see(parts):
    module = nn.Sequential(*parts, nn.Identity()).eval()
    listed = list_layers(module, torch.zeros(1, 1, SIDE, SIDE))
    assert listed[-1].name == str(len(parts))
    assert listed[-1].receptive_field == seen(module, listed[-1].name)


class Gated(nn.Module):
    """Squeeze and excitation, with the gate on the left or on the right."""

    def __init__(self, gate_first):
        super().__init__()
        self.first, self.gate, self.last = (nn.Conv2d(1, 1, size) for size in (3, 1, 3))
        self.gate_first = gate_first

    def forward(self, x):
        x = self.first(x)
        gate = self.gate(x.mean((2, 3), keepdim=True)).sigmoid()
        return self.last(gate * x if self.gate_first else x * gate)


@pytest.mark.parametrize("gate_first", [True, False])
def test_behind_a_gate_every_unit_sees_everything(gate_first):
    listed = list_layers(Gated(gate_first), torch.zeros(1, 1, 20, 30))
    assert [layer.receptive_field for layer in listed] == [(3, 3), (20, 30), (20, 30)]


def test_a_split_keeps_its_field_and_flattening_sees_everything():
    class Split(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(1, 4, 3), nn.Conv2d(2, 1, (3, 1))
            self.linear = nn.Linear(16 * 18, 2)

        def forward(self, x):
            left, right = self.first(x).chunk(2, 1)
            return self.linear(self.second(left + right).flatten(1))

    listed = list_layers(Split(), torch.zeros(1, 1, 20, 20))
    assert [layer.receptive_field for layer in listed] == [(3, 3), (5, 3), (20, 20)]


# Looking a layer up


def small():
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(64, 2)
    )
    return Network(module, size=(8, 8), name="small")


def test_a_layer_is_found_by_name_and_a_convolution_by_number():
    net = small()
    assert net.layer("1").kind == "ReLU"
    assert net.layer(2) is net.layer("2")
    assert net.layer(2).kind == "Conv2d"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (3, "no convolution 3: small has 1 to 2"),
        (0, "no convolution 0"),
        ("features.1", "unknown layer 'features.1'.*list them with net.layers"),
    ],
)
def test_an_unknown_layer_is_refused_in_one_sentence(name, words):
    with pytest.raises(ValueError, match=words) as caught:
        small().layer(name)
    assert "\n" not in str(caught.value)


def test_a_near_match_is_suggested():
    net = Network(models.squeezenet1_1(weights=None))
    with pytest.raises(ValueError, match=r"did you mean .*'features.3.squeeze'"):
        net.layer("features.3.sqeeze")


def test_a_module_used_twice_is_listed_once():
    shared = nn.ReLU()
    module = nn.Sequential(nn.Conv2d(1, 1, 3), shared, nn.Conv2d(1, 1, 3), shared)
    names = [layer.name for layer in list_layers(module, torch.zeros(1, 1, 9, 9))]
    assert names == ["0", "1", "2"]


def test_layers_are_in_the_order_of_the_forward_pass():
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Conv2d(2, 3, 1)
            self.first = nn.Conv2d(1, 2, 1)

        def forward(self, x):
            return self.last(self.first(x))

    listed = list_layers(Backwards(), torch.zeros(1, 1, 4, 4))
    assert [(layer.name, layer.convolution) for layer in listed] == [("first", 1), ("last", 2)]


def test_listing_leaves_no_hooks_and_no_mode_behind():
    module = models.resnet18(weights=None).train()
    before = module.bn1.running_mean.clone()
    assert Network(module).layers
    assert not any(part._forward_hooks for part in module.modules())
    assert all(part.training for part in module.modules())
    assert torch.equal(module.bn1.running_mean, before)


# Where a unit looks


class Padded(nn.Module):
    """`F.pad` before a convolution."""

    def __init__(self, *padding, mode="constant"):
        super().__init__()
        self.padding, self.mode = padding, mode
        self.convolution = nn.Conv2d(1, 1, (3, 2))

    def forward(self, x):
        return self.convolution(pad(x, self.padding, mode=self.mode))


class Beside(nn.Module):
    """Two branches, concatenated or added."""

    def __init__(self, left, right, join):
        super().__init__()
        self.left, self.right, self.join, self.last = left, right, join, nn.Conv2d(1, 1, 2)

    def forward(self, x):
        left, right = self.left(x), self.right(x)
        return self.last(
            left + right if self.join == "sum" else torch.cat([left, right], 1).sum(1, True)
        )


LOOKS = {
    "one pixel": nn.Conv2d(1, 1, 1),
    "a kernel": nn.Conv2d(1, 1, (3, 2)),
    "padding": nn.Conv2d(1, 1, 5, padding=(2, 1)),
    "stride": nn.Conv2d(1, 1, 3, stride=(2, 3), padding=1),
    "dilation": nn.Conv2d(1, 1, 3, dilation=(2, 3)),
    "same, odd": nn.Conv2d(1, 1, (5, 3), padding="same"),
    "same, even": nn.Conv2d(1, 1, (4, 2), padding="same"),
    "valid": nn.Conv2d(1, 1, 3, padding="valid"),
    "a pool": nn.MaxPool2d(3, 2, 1, ceil_mode=True),
    "a mean": nn.AvgPool2d((3, 2), (2, 1), (1, 0)),
    "nn.ZeroPad2d": nn.Sequential(nn.ZeroPad2d((3, 0, 1, 2)), nn.Conv2d(1, 1, 3)),
    "F.pad": Padded(2, 1, 3, 0),
    "F.pad of the width": Padded(2, 1),
    "F.pad that crops": Padded(-2, -1, -3, 1),
    "reflection": nn.Conv2d(1, 1, 5, padding=2, padding_mode="reflect"),
    "repetition": nn.Conv2d(1, 1, (3, 5), padding=(1, 2), padding_mode="replicate"),
    "one behind the other": nn.Sequential(
        nn.Conv2d(1, 1, 3, 2, 1), nn.ReLU(), nn.MaxPool2d(3, 1, 1),
        nn.Conv2d(1, 1, 3, 1, 1),
    ),
    "a sum": Beside(nn.Conv2d(1, 1, 5, padding=2), nn.Conv2d(1, 1, 3, padding=1), "sum"),
    "a concatenation": Beside(
        nn.Conv2d(1, 1, (1, 5), padding=(0, 2)), nn.Conv2d(1, 1, (3, 1), padding=(1, 0)), "cat"
    ),
    "a lopsided sum": Beside(
        nn.Sequential(nn.ZeroPad2d((2, 0, 0, 0)), nn.Conv2d(1, 1, (1, 3))), nn.Identity(), "sum"
    ),
    "a shrinking sum": Beside(
        nn.Conv2d(1, 1, 3, 2, 1), nn.Sequential(nn.AvgPool2d(2, 2, ceil_mode=True)), "sum"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOKS)
def test_every_unit_looks_where_its_gradient_is_not_zero(name):
    size = (17, 14)
    module = nn.Sequential(LOOKS[name], nn.Identity()).eval()
    listed = list_layers(module, torch.zeros(1, 1, *size))[-1]
    height, width = listed.shape[1:]
    for row in {0, 1, height // 2, height - 1}:
        for column in {0, 1, width // 2, width - 1}:
            top, left, bottom, right = found = listed.field_of(row, column, size)
            expected = box(module, "1", row, column, size=size)
            if expected is None:
                assert top == bottom or left == right
            else:
                assert found == expected


@pytest.mark.parametrize("padding", ["same", (2, 3), 0])
def test_dilated_units_look_where_their_gradient_is_not_zero(padding):
    convolution = nn.Conv2d(1, 1, (2, 3), padding=padding, dilation=(3, 2))
    module = nn.Sequential(convolution, nn.Identity())
    listed = list_layers(module, torch.zeros(1, 1, 17, 14))[-1]
    assert listed.field_of(6, 6, (17, 14)) == box(module, "1", 6, 6, size=(17, 14))


def test_where_a_unit_looks_ends_at_an_image_of_any_size():
    net = Network(nn.Sequential(nn.Conv2d(1, 1, 5, 2, 2)), size=(20, 20))
    layer = net.layer("0")
    assert layer.field_of(0, 9, (20, 20)) == (0, 16, 3, 20)
    assert layer.field_of(0, 9, (40, 18)) == (0, 16, 3, 18)
    assert layer.field_of(19, 0, (40, 18)) == (36, 0, 40, 3)


def test_behind_a_flattening_every_unit_looks_everywhere():
    for module in (
        nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten(), nn.Linear(36, 2)),
        nn.Sequential(nn.Conv2d(1, 1, 3), nn.AdaptiveAvgPool2d(1)),
    ):
        listed = list_layers(module, torch.zeros(1, 1, 8, 8))
        assert listed[0].field_of(0, 0, (8, 8)) == (0, 0, 3, 3)
        assert listed[-1].field_of(0, 0, (8, 8)) == (0, 0, 8, 8)


@pytest.mark.parametrize("name", ["googlenet", "squeezenet1_1", "resnet18"])
def test_units_of_known_networks_look_where_their_gradients_are(name):
    torch.manual_seed(0)
    module = models.get_model(name, weights=None, **OPTIONS.get(name, {}))
    size = (160, 128)
    inside = [
        layer for layer in Network(module, size=size).layers
        if len(layer.shape) == 3 and max(layer.receptive_field) < 70
    ]  # fmt: skip
    for layer in inside[:: max(1, len(inside) // 3)]:
        row, column = (side // 2 for side in layer.shape[1:])
        assert layer.field_of(row, column, size) == box(
            module, layer.name, row, column, channels=3, size=size
        ), layer.name


@settings(max_examples=30, deadline=None)
@given(st.lists(layers, min_size=1, max_size=4), st.data())
def test_units_of_random_networks_look_where_their_gradients_are(parts, data):
    assume(not any(getattr(part, "padding_mode", "") == "circular" for part in parts))
    size = (40, 36)
    module = nn.Sequential(*parts, nn.Identity()).eval()
    listed = list_layers(module, torch.zeros(1, 1, *size))[-1]
    row, column = (data.draw(st.integers(0, side - 1)) for side in listed.shape[1:])
    found = listed.field_of(row, column, size)
    expected = box(module, listed.name, row, column, size=size)
    if expected is not None:
        assert all(one <= other for one, other in zip(found[:2], expected[:2], strict=True))
        assert all(one >= other for one, other in zip(found[2:], expected[2:], strict=True))
    sides = (found[2] - found[0], found[3] - found[1])
    if sides == listed.receptive_field and max(sides) < min(size):
        assert found == expected


# Blocks


def test_blocks_are_listed_behind_their_parts():
    net = Network(models.resnet18(weights=None), size=(64, 64))
    names = [layer.name for layer in net.layers]
    block = net.layer("layer2.0")
    assert (block.kind, block.shape, block.convolution) == ("BasicBlock", (128, 8, 8), None)
    parts = [name for name in names if name.startswith("layer2.0.")]
    assert len(parts) == 8
    assert max(map(names.index, parts)) + 1 == names.index("layer2.0")
    assert names.index("layer2.1") + 1 == names.index("layer2")
    assert net.layer("layer2").kind == "Sequential"
    assert net.layer("layer2").fields == net.layer("layer2.1").fields
    assert "" not in names


def test_a_block_sees_what_the_widest_of_its_branches_sees():
    net = Network(models.squeezenet1_1(weights=None), size=(160, 160))
    fire, narrow, wide = (net.layer(f"features.3{end}") for end in ("", ".expand1x1", ".expand3x3"))
    assert fire.kind == "Fire"
    assert fire.shape[0] == narrow.shape[0] + wide.shape[0]
    assert fire.fields == wide.fields
    assert fire.field_of(9, 9, (160, 160)) != narrow.field_of(9, 9, (160, 160))


def test_a_module_that_returns_several_tensors_is_no_layer():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Conv2d(1, 1, 3)

        def forward(self, x):
            return self.one(x), x

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.two, self.last = Two(), nn.ReLU()

        def forward(self, x):
            return self.last(self.two(x)[0])

    listed = list_layers(Outer(), torch.zeros(1, 1, 8, 8))
    assert [layer.name for layer in listed] == ["two.one", "last"]
    assert listed[-1].receptive_field == (3, 3)
