"""What a network's outputs are: the same explanations whether it ends in a softmax or not."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.networks import Network

SIZE = (8, 8)


class Body(nn.Module):
    """A small classifier whose scores pass through ``link``."""

    def __init__(self, link, classes=3):
        super().__init__()
        torch.manual_seed(0)
        self.maps = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Flatten())
        self.last = nn.Linear(6 * 36, classes)
        self.link = link
        with torch.no_grad():
            self.last.weight.mul_(20)

    def forward(self, x):
        return self.link(self.last(self.maps(x)))


def plain(x):
    return x


def by_hand(x):
    x = (x - x.amax(1, keepdim=True)).exp()
    return x / x.sum(1, keepdim=True)


IMAGES = torch.rand(4, 3, *SIZE, generator=torch.Generator().manual_seed(1))
SPELLINGS = {
    "module": nn.Softmax(dim=1),
    "last axis": nn.Softmax(-1),
    "function": lambda x: nn.functional.softmax(x, dim=1),
    "method": lambda x: x.softmax(1),
    "then movements": lambda x: torch.softmax(x, 1).contiguous().float(),
    "of maps of one place": lambda x: nn.Softmax2d()(x[:, :, None, None]).flatten(1),
    "logarithm": nn.LogSoftmax(1),
    "logarithm function": lambda x: nn.functional.log_softmax(x, dim=-1),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("name", SPELLINGS)
def test_a_softmax_inside_changes_nothing(name, told):
    kind = "log-probabilities" if name.startswith("log") else "probabilities"
    link = SPELLINGS[name]
    without = Network(Body(plain), size=SIZE, outputs="logits")
    net = Network(Body(link), size=SIZE, outputs=kind if told else None)
    if not told:
        with pytest.warns(UserWarning, match=f"taken for {kind}"):
            net(IMAGES)
    assert torch.equal(net(IMAGES), without(IMAGES))
    assert net.outputs == kind
    assert net.top(IMAGES[0]) == without.top(IMAGES[0])
    assert kind in repr(net)
    for method in (
        xw.Saliency(),
        xw.ExcitationBackprop(),
        xw.PredictionDifference(window=3, sampler=xw.ConstantSampler(0.5), samples=1),
        xw.Occlusion(window=3, measure="drop"),
    ):
        values = [method.run(one, IMAGES[0]).values for one in (net, without)]
        np.testing.assert_array_equal(*values, err_msg=method.name)


def test_logits_are_guessed_without_a_word():
    net = Network(Body(plain), size=SIZE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert net.outputs == "logits"
    torch.testing.assert_close(net.probabilities(net(IMAGES)), net(IMAGES).double().softmax(1))


def test_what_is_told_counts_more_than_what_is_seen():
    net = Network(Body(nn.Softmax(1)), size=SIZE, outputs="logits")
    torch.testing.assert_close(net(IMAGES).sum(1), torch.ones(4))


@pytest.mark.parametrize(
    ("kind", "link"),
    [("probabilities", by_hand), ("log-probabilities", lambda x: by_hand(x).log())],
)
def test_probabilities_that_are_made_by_hand_are_told(kind, link):
    net = Network(Body(link).double(), size=SIZE, outputs=kind)
    without = Network(Body(plain).double(), size=SIZE)
    torch.testing.assert_close(
        net.probabilities(net(IMAGES)), without.probabilities(without(IMAGES))
    )
    window = xw.PredictionDifference(window=3, sampler=xw.ConstantSampler(0.5), samples=1)
    evidence = [window.run(one, IMAGES[0], 1).values for one in (net, without)]
    np.testing.assert_allclose(*evidence, rtol=1e-5, atol=1e-5)


def test_labels_of_their_own_are_no_probabilities_of_classes():
    net = Network(Body(torch.sigmoid), size=SIZE, outputs="probabilities")
    with pytest.raises(ValueError, match=r'sum to .*outputs="independent"'):
        net(IMAGES)


def test_a_single_probability_is_that_of_a_sigmoid():
    for link in (torch.sigmoid, lambda x: 1 / (1 + (-x).exp())):
        net = Network(Body(link, 1).double(), size=SIZE, outputs="probabilities")
        expected = Body(link, 1).double()(IMAGES.double())
        torch.testing.assert_close(net.probabilities(net(IMAGES)), expected.detach())


class Corners(nn.Module):
    """Two labels, each of whether its corner is bright, and both sure."""

    def __init__(self, link=plain):
        super().__init__()
        self.link = link

    def forward(self, x):
        corners = torch.stack([x[..., :3, :3].mean((1, 2, 3)), x[..., -3:, -3:].mean((1, 2, 3))], 1)
        return self.link(16.2 * corners - 8.1)


@pytest.mark.parametrize(
    "net",
    [
        Network(Corners(), size=SIZE, outputs="independent", training_size=10**7),
        Network(Corners(torch.sigmoid), size=SIZE, outputs="independent", training_size=10**7),
    ],
    ids=["scores", "sigmoids"],
)
def test_a_label_has_odds_of_its_own(net):
    """Log2 odds of sigmoid(8.1), and what the other label's object counts: nothing."""
    white = torch.ones(3, *SIZE)
    top = net.top(white, 2)
    np.testing.assert_allclose([value for _, _, value in top], [1 / (1 + np.exp(-8.1))] * 2)
    method = xw.PredictionDifference(window=3, stride=1, sampler=xw.ConstantSampler(0.0), samples=1)
    relevance = method.run(net, white, 0)

    def odds(score):
        p = (1 / (1 + np.exp(-score)) * 1e7 + 1) / (1e7 + 2)
        return np.log2(p / (1 - p))

    np.testing.assert_allclose(relevance.values[0, 0], odds(8.1) - odds(-8.1), rtol=1e-4)
    assert not relevance.values[-3:, -3:].any()
    mask = np.zeros(SIZE, bool)
    mask[-3:, -3:] = True
    removal = xw.remove_region(net, white, mask, xw.ConstantSampler(0.0), samples=1)
    np.testing.assert_allclose(removal.evidence, [0, odds(8.1) - odds(-8.1)], rtol=1e-4, atol=1e-9)


def test_the_odds_of_labels_live_on_in_a_file(tmp_path):
    net = Network(Corners(), size=SIZE, outputs="independent")
    mask = np.zeros(SIZE, bool)
    mask[:3, :3] = True
    removal = xw.remove_region(net, torch.ones(3, *SIZE), mask, xw.ConstantSampler(0), samples=1)
    removal.save(tmp_path / "removal.npz")
    loaded = xw.RegionRemoval.load(tmp_path / "removal.npz")
    np.testing.assert_array_equal(loaded.evidence, removal.evidence)


def test_an_unknown_kind_names_those_there_are():
    with pytest.raises(ValueError, match="did you mean 'independent'"):
        Network(Body(plain), outputs="independant")


def test_the_last_operation_counts_and_not_one_on_the_way():
    class Gated(Body):
        def forward(self, x):
            scores = super().forward(x)
            return scores * scores.sigmoid()

    net = Network(Gated(plain), size=SIZE)
    assert net.outputs == "logits"
    over_images = Network(Body(lambda x: x.softmax(0)), size=SIZE)
    assert over_images.outputs == "logits"


def test_an_operation_in_place_does_not_lose_the_scores():
    net = Network(Body(lambda x: x.sigmoid_()), size=SIZE, outputs="independent")
    without = Network(Body(plain), size=SIZE, outputs="independent")
    assert torch.equal(net(IMAGES), without(IMAGES))


@pytest.mark.parametrize("order", [lambda p: p[:, [2, 0, 1]], lambda p: p.flip(1)])
def test_classes_in_another_order_behind_a_softmax_keep_it(order):
    net = Network(Body(lambda x: order(x.softmax(1))), size=SIZE, outputs="probabilities")
    expected = order(Body(plain)(IMAGES).softmax(1)).double()
    torch.testing.assert_close(net.probabilities(net(IMAGES)), expected, check_dtype=False)


def test_what_sums_to_one_is_taken_for_probabilities_however_it_is_made():
    net = Network(Body(lambda x: (x.softmax(1) + x.flip(1).softmax(1)) / 2), size=SIZE)
    with pytest.warns(UserWarning, match="returns numbers that sum to 1"):
        assert net.outputs == "probabilities"
    expected = net.module(IMAGES).double()
    torch.testing.assert_close(net.probabilities(net(IMAGES)), expected)


def test_a_single_log_probability_is_that_of_a_sigmoid():
    net = Network(
        Body(lambda x: x.sigmoid().log(), 1).double(), size=SIZE, outputs="log-probabilities"
    )
    expected = Body(torch.sigmoid, 1).double()(IMAGES.double())
    torch.testing.assert_close(net.probabilities(net(IMAGES)), expected.detach())


class Writing(nn.Module):
    """Operations without a tensor to act on."""

    def forward(self, x):
        x = x.flatten(1)[:, :3]
        torch._foreach_mul_([x], 2.0)
        x[:, 0] = 0
        return x


def test_operations_without_an_input_are_passed_by():
    assert Network(Writing(), size=SIZE).outputs == "logits"


def test_scores_that_sum_to_one_by_and_large_are_logits():
    scores = torch.tensor([[0.3, 0.1, 0.6001]])
    net = Network(Body(lambda x: scores.expand(len(x), -1)), size=SIZE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert net.outputs == "logits"
