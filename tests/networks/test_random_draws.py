"""Networks that are random in evaluation mode are refused before anything is computed of them."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision import ops

import xwidgets as xw


class Random(nn.Module):
    """A convolution, something random, and a linear layer."""

    def __init__(self, draw):
        super().__init__()
        torch.manual_seed(0)
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), Draw(draw))
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.features(x).mean((2, 3)))


class Draw(nn.Module):
    def __init__(self, draw):
        super().__init__()
        self.draw = draw

    def forward(self, x):
        return self.draw(self, x)


def network(draw):
    return xw.Network(Random(draw), size=(8, 8), name="small")


def image(seed=1):
    return torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(seed))


RANDOM = {
    "dropout": lambda m, x: F.dropout(x, 0.5),
    "dropout of torch": lambda m, x: torch.dropout(x, 0.5, True),
    "dropout2d": lambda m, x: F.dropout2d(x),
    "alpha_dropout": lambda m, x: F.alpha_dropout(x, training=True),
    "feature_alpha_dropout": lambda m, x: F.feature_alpha_dropout(x, 0.2, True),
    "in place": lambda m, x: F.dropout(x, 0.3, inplace=True),
    "rand_like": lambda m, x: x * torch.rand_like(x),
    "randn": lambda m, x: x + torch.randn(x.shape),
    "bernoulli": lambda m, x: x * torch.bernoulli(torch.full_like(x, 0.5)),
    "new_empty": lambda m, x: x * x.new_empty(1, 4, 1, 1).bernoulli_(0.5),
    "normal": lambda m, x: x + torch.empty_like(x).normal_(),
    "uniform": lambda m, x: x + torch.empty_like(x).uniform_(-1, 1),
    "rrelu": lambda m, x: F.rrelu(x, training=True),
    "stochastic depth": lambda m, x: x + ops.stochastic_depth(x, 0.01, "row"),
    "randperm": lambda m, x: x * torch.arange(4.0)[torch.randperm(4)].view(1, 4, 1, 1),
    "gumbel": lambda m, x: F.gumbel_softmax(x, dim=1),
    "fractional pool": lambda m, x: F.fractional_max_pool2d(x, 2, output_ratio=(0.6, 0.6)),
    "attention": lambda m, x: F.scaled_dot_product_attention(
        x.flatten(2), x.flatten(2), x.flatten(2), dropout_p=0.5
    ).view_as(x),
}  # fmt: skip

METHODS = {
    "saliency": lambda net, x: xw.saliency(net, x),
    "excitation": lambda net, x: xw.excitation_backprop(net, x, 1),
    "occlusion": lambda net, x: xw.Occlusion(window=3).run(net, x, 1),
    "a channel": lambda net, x: xw.saliency(net, x, xw.Channel(1, 2)),
    "ranking": lambda net, x: xw.rank_neurons(net, x),
    "deconvnet": lambda net, x: xw.deconvolve(net, x, 1, 0),
    "search": lambda net, x: xw.search_images(net, x[None], [(1, 0)], progress=False),
    "layers": lambda net, x: net.layers,
    "validation": lambda net, x: xw.Saliency().validate(net, x),
}


@pytest.mark.parametrize("name", RANDOM)
def test_what_draws_is_named_with_its_module_and_the_fix(name):
    net = network(RANDOM[name])
    with pytest.raises(ValueError, match="small is random in evaluation mode") as caught:
        xw.saliency(net, image(), 1)
    text = str(caught.value)
    assert "in its module 'features.1'" in text
    assert "training=self.training" in text
    assert "\n" not in text


@pytest.mark.parametrize("method", METHODS)
def test_no_method_computes_anything_of_it(method, monkeypatch):
    passes = []
    monkeypatch.setattr(xw.Network, "watched", lambda net, *_, **options: passes.append(net))
    with pytest.raises(ValueError, match="random in evaluation mode: 'dropout'"):
        METHODS[method](network(RANDOM["dropout"]), image())
    assert passes == []


def test_outside_of_a_module_it_is_called_in_its_forward():
    class Loose(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(192, 2)

        def forward(self, x):
            return F.dropout(self.head(x.flatten(1)))

    with pytest.raises(ValueError, match="'dropout' in its forward draws"):
        xw.saliency(xw.Network(Loose(), size=(8, 8)), image())


def once(m, x):
    if not hasattr(m, "table"):
        m.register_buffer("table", torch.randn(1, 4, 1, 1))
    return x * m.table


def seeded(m, x):
    return x * torch.rand(1, 4, 1, 1, generator=torch.Generator().manual_seed(0))


def reseeded(m, x):
    torch.manual_seed(3)
    return x * torch.rand(1, 4, 1, 1)


STEADY = {
    "reseeded": reseeded,
    "told of the mode": lambda m, x: F.dropout(x, training=m.training),
    "torch, told of the mode": lambda m, x: torch.dropout(x, 0.5, m.training),
    "without probability": lambda m, x: F.dropout(x, 0.0),
    "only in training": lambda m, x: x + torch.rand_like(x) if m.training else x,
    "does not matter": lambda m, x: x + 0 * torch.rand_like(x),
    "leaky": lambda m, x: F.rrelu(x),
    "seeded": seeded,
    "attention": lambda m, x: F.scaled_dot_product_attention(
        x.flatten(2), x.flatten(2), x.flatten(2)
    ).view_as(x),
}  # fmt: skip


@pytest.mark.parametrize("name", STEADY)
def test_what_is_the_same_each_time_is_explained(name):
    net, state = network(STEADY[name]), torch.random.get_rng_state()
    assert xw.saliency(net, image(), 1).values.any()
    if name not in ("does not matter", "reseeded"):
        assert torch.equal(torch.random.get_rng_state(), state)


def test_modules_of_torch_are_not_random_in_evaluation_mode():
    parts = [nn.Dropout(), nn.Dropout2d(), nn.AlphaDropout(), nn.RReLU(), nn.FeatureAlphaDropout()]
    module = nn.Sequential(nn.Conv2d(3, 4, 3), *parts, nn.Flatten(), nn.Linear(144, 2))
    assert xw.saliency(xw.Network(module, size=(8, 8)), image()).values.any()
    layer = nn.TransformerEncoderLayer(36, 2, 8, batch_first=True)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.Flatten(2), layer, nn.Flatten(), nn.Linear(144, 2)
    )
    assert xw.saliency(xw.Network(module, size=(8, 8)), image()).values.any()


def test_numbers_that_are_drawn_once_are_drawn_when_the_module_has_run():
    net = network(once)
    with pytest.raises(ValueError, match=r"'randn' in its module 'features\.1' draws"):
        xw.saliency(net, image())
    net.module(image()[None])
    assert xw.saliency(net, image()).values.any()


def test_the_network_itself_still_runs():
    net = network(RANDOM["dropout"])
    assert net(image()[None]).shape == (1, 3)
