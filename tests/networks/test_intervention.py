"""A pass with changed activations against one whose operations are written out, in float64."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import _get_current_function_mode_stack

from xwidgets import Network, unit_relevance
from xwidgets.networks.forward_trace import ForwardTrace
from xwidgets.networks.intervention import Intervention

from .architectures import settled


class Parts(nn.Module):
    """A network whose forward pass is given as a function of its parts and the pixels."""

    def __init__(self, forward):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.norm = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.relu, self.same, self.flatten = nn.ReLU(inplace=True), nn.Identity(), nn.Flatten()
        self.last = nn.Linear(4 * 5 * 6, 3)
        self.maps = forward
        settled(self).double()

    def forward(self, x):
        return self.last(self.maps(self, x).flatten(1))


def dropped(m, x):
    y = m.norm(m.conv(x))
    m.relu(y)
    return y * 2


def overwritten(m, x):
    y = m.conv(x)
    y *= 3
    return y.cos_()


def used_twice(m, x):
    y = m.conv(x).relu_()
    return y + F.hardtanh(m.conv(y[:, :3]), 0, 6)


def frozen(m, x):
    with torch.no_grad():
        y = m.norm(m.conv(x))
        return F.relu_(y) * 2


def beside(m, x):
    y = m.conv(x)
    return m.flatten(y).cos() + y.sin().flatten(1)


def noticed(m, x):
    y = m.norm(m.conv(x))
    return y.relu() if y.mean() > -100 else y


def conv(m, x):
    return F.conv2d(x, m.conv.weight, m.conv.bias, padding=1)


def norm(m, x):
    mean, var = (value[:, None, None] for value in (m.norm.running_mean, m.norm.running_var))
    scale = m.norm.weight[:, None, None] / (var + m.norm.eps).sqrt()
    return (conv(m, x) - mean) * scale + m.norm.bias[:, None, None]


# layer, network, the layer's final activations, what follows from them, the stages
CASES = {
    "alone": ("conv", lambda m, x: m.conv(x).sin(), conv, lambda m, x, y: y.sin(), 1),
    "behind batch norm": (
        "conv", lambda m, x: m.norm(m.conv(x)).sin(), norm, lambda m, x, y: y.sin(), 2,
    ),
    "overwritten by the rectifier": (
        "conv", lambda m, x: m.relu(m.conv(x)),
        lambda m, x: conv(m, x).clamp(min=0), lambda m, x, y: y, 2,
    ),
    "behind both, returns dropped": (
        "conv", dropped, lambda m, x: norm(m, x).clamp(min=0), lambda m, x, y: 2 * y, 3,
    ),
    "overwritten by others": ("conv", overwritten, conv, lambda m, x, y: (3 * y).cos(), 1),
    "first of two uses": (
        "conv", used_twice, lambda m, x: conv(m, x).clamp(min=0),
        lambda m, x, y: y + conv(m, y[:, :3]).clamp(0, 6), 2,
    ),
    "the rectifier itself": (
        "relu", dropped, lambda m, x: norm(m, x).clamp(min=0), lambda m, x, y: 2 * y, 1,
    ),
    "one that returns what it is given": (
        "same", lambda m, x: m.same(m.conv(x)).sin(), conv, lambda m, x, y: y.sin(), 1,
    ),
    "one that hands on what is used beside it": (
        "same", lambda m, x: (lambda y: m.same(y).cos() + y.sin())(m.conv(x)), conv,
        lambda m, x, y: y.cos() + conv(m, x).sin(), 1,
    ),
    "a view of what is used beside it": (
        "flatten", beside, lambda m, x: conv(m, x).flatten(1),
        lambda m, x, y: y.cos() + conv(m, x).sin().flatten(1), 1,
    ),
    "without gradients": (
        "conv", frozen, lambda m, x: norm(m, x).clamp(min=0), lambda m, x, y: 2 * y, 3,
    ),
    "values are looked at": (
        "conv", noticed, lambda m, x: norm(m, x).clamp(min=0), lambda m, x, y: y, 3,
    ),
}  # fmt: skip


def pixels(count=4):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, 3, 5, 6, generator=generator, dtype=torch.float64)


def changes(shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_what_follows_is_computed_from_the_changed_activations(name, gradients):
    layer, forward, final, following, stages = CASES[name]
    module = Parts(forward)
    with torch.set_grad_enabled(gradients):
        with Intervention(module, layer) as first:
            output = module(pixels())
        activations = first.activations[layer]
        change = changes(activations.shape)
        with Intervention(module, layer, change, first.stages) as watch:
            changed = module(pixels())
        with ForwardTrace(module, [layer]) as plain:
            module(pixels())
        torch.testing.assert_close(output, module(pixels()))
        y = final(module, pixels())
        expected = following(module, pixels(), y + change)
    assert first.stages == watch.stages == stages
    for one in (activations, watch.activations[layer], plain.activations[layer]):
        torch.testing.assert_close(one, y)
    assert (changed - output).abs().amax(1).min() > 0.01
    torch.testing.assert_close(changed, module.last(expected.flatten(1)))


def test_the_module_is_left_as_it_came_also_by_an_exception():
    def fails(m, x):
        raise KeyError(m.relu(m.conv(x)).shape)

    module = Parts(fails)
    before = [set(vars(part)) for part in module.modules()]
    with pytest.raises(KeyError), Intervention(module, "conv", torch.ones(4, 4, 5, 6), 2) as change:
        module(pixels())
    assert change.stages == 2
    assert [set(vars(part)) for part in module.modules()] == before
    assert not any(part._forward_hooks for part in module.modules())
    assert _get_current_function_mode_stack() == []


class Shifted(nn.Module):
    """A parameter goes through a layer that hands it on."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.same = nn.Conv2d(3, 4, 3, padding=1), nn.Identity()
        self.shift = nn.Parameter(torch.randn(1, 4, 5, 6))
        self.double()

    def forward(self, x):
        return (self.conv(x) + self.same(self.shift)).sin().mean((2, 3))


def test_a_parameter_that_is_handed_on_stays_as_it_is():
    module, x = Shifted().eval(), pixels()
    shift, plain = module.shift.detach().clone(), module(x)
    change = changes((4, 4, 5, 6))
    with torch.no_grad(), Intervention(module, "same", change, 1):
        changed = module(x)
    assert torch.equal(module.shift, shift)
    assert torch.equal(module(x), plain)
    expected = (module.conv(x) + shift + change).sin().mean((2, 3))
    torch.testing.assert_close(changed, expected)


def test_units_that_are_the_same_in_every_image_are_refused():
    net = Network(Shifted().eval(), size=(5, 6))
    with pytest.raises(ValueError, match="'same' puts out the same for every image"):
        unit_relevance(net, pixels(1)[0], "same", 0, pixels(), samples=3)
