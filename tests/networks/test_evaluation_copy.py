"""Copies that are run in place of the user's module: the same numbers, and nothing written."""

import threading
from collections import namedtuple
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune, spectral_norm, weight_norm

from xwidgets.networks import Network
from xwidgets.networks.evaluation_copy import evaluation_copy

Pair = namedtuple("Pair", "first second")


class Holding(nn.Module):
    """A module that runs its parts by whatever way it holds them."""

    def __init__(self, hold):
        super().__init__()
        self.part = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
        self.held = hold(self)

    def forward(self, x):
        return self.held(x)


def listed(module):
    parts = [module.part[0], [*module.part[1:]]]
    return partial(lambda parts, x: parts[1][1](parts[1][0](parts[0](x))), parts)


def recursive(module):
    def go(x, depth=0):
        return module.part(x) if depth else go(x, 1)

    return go


def mutual(module):
    later = {"go": lambda x: module.part(x)}
    return lambda x: later["go"](x)


HOLDS = {
    "itself": lambda module: module.part,
    "method": lambda module: module.part.forward,
    "partial": lambda module: partial(module.part.forward),
    "keyword": lambda module: partial(lambda x, part: part(x), part=module.part),
    "closure": lambda module: lambda x: module.part(x),
    "recursive": recursive,
    "mutual": mutual,
    "list": listed,
    "named tuple": lambda module: partial(lambda pair, x: pair.second(x), Pair(0, module.part)),
    "dictionary": lambda module: partial(lambda held, x: held["part"](x), {"part": module.part}),
}


@pytest.mark.parametrize("hold", HOLDS.values(), ids=HOLDS)
def test_parts_run_as_copies_however_they_are_held(hold):
    torch.manual_seed(0)
    module = Holding(hold).train()
    x = torch.rand(6, 4)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    copied = evaluation_copy(module)
    assert torch.equal(copied(x), module.eval()(x))
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert {part for part in copied.modules()}.isdisjoint(module.modules())


def normed():
    return weight_norm(nn.Linear(3, 2))


def pruned():
    layer = nn.Linear(3, 2)
    prune.random_unstructured(layer, "weight", amount=2)
    return layer


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "make",
    [
        normed,
        pruned,
        lambda: spectral_norm(nn.Linear(3, 2)),
        lambda: parametrizations.weight_norm(nn.Linear(3, 2)),
        lambda: parametrizations.spectral_norm(nn.Linear(3, 2)),
    ],
)
def test_weights_that_are_made_when_it_runs_follow_their_parameters(make):
    torch.manual_seed(0)
    module, x = make().train(), torch.rand(5, 3)
    for _ in range(2):
        copied = evaluation_copy(module)
        expected = module.eval()(x)
        assert torch.equal(copied(x), expected)
        module.train()
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.mul_(1.5)
        assert not torch.equal(copied(x), expected)


class Scribbling(nn.Module):
    """A module that writes down what it does, and returns the same memory each time."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("returned", torch.zeros(4, 2))
        self.plain = torch.zeros(4, 2)
        self.seen, self.last = [], None

    def forward(self, x):
        x = x.flatten(1)
        self.calls += 1
        self.seen.append(x)
        self.last = x
        self.plain.copy_(self.linear(x))
        return self.returned.copy_(self.plain)


def test_what_it_writes_down_does_not_reach_the_users():
    module = Scribbling()
    net = Network(module, size=(1, 1))
    first = net(torch.zeros(4, 3, 1, 1))
    kept = first.clone()
    second = net(torch.ones(4, 3, 1, 1))
    assert torch.equal(first, kept)
    assert not torch.equal(first, second)
    assert (module.calls, module.seen, module.last) == (0, [], None)
    assert not module.plain.any()
    assert not module.returned.any()


def test_what_the_user_hangs_into_it_still_tells_the_user():
    module, calls = nn.Linear(3, 2), []
    forward = module.forward
    module.forward = lambda x: calls.append(len(x)) or forward(x)
    assert torch.equal(evaluation_copy(module)(torch.ones(4, 3)), forward(torch.ones(4, 3)))
    assert calls == [4]


def test_tied_weights_and_modules_stay_tied():
    module = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    module[2].weight = module[0].weight
    module.append(module[1])
    copied = evaluation_copy(module)
    assert copied[2].weight is module[0].weight
    assert copied[3] is copied[1]
    own = evaluation_copy(module, own_parameters=True)
    assert own[2].weight is own[0].weight
    assert own[0].weight is not module[0].weight
    assert torch.equal(own[0].weight, module[0].weight)


def test_hooks_of_the_copy_are_its_own_and_those_of_the_user_run():
    module = nn.Linear(3, 2)
    module.register_forward_hook(lambda module, inputs, output: output + 1)
    x = torch.rand(1, 3)
    copied = evaluation_copy(module)
    assert torch.equal(copied(x), module(x))
    copied.register_forward_hook(lambda *_: torch.zeros(1, 2))
    assert not copied(x).any()
    assert module(x).any()


def test_modules_that_hooks_refer_to_run_as_copies():
    module, norm = nn.Linear(3, 2).train(), nn.BatchNorm1d(2).train()
    module.norm = norm
    module.register_forward_hook(lambda module, inputs, output: norm(output))
    evaluation_copy(module)(torch.rand(4, 3))
    assert norm.num_batches_tracked == 0


@pytest.mark.parametrize(
    "buffer",
    [
        torch.eye(3).to_sparse(),
        torch.zeros(3, device="meta"),
        torch.zeros(3).to(torch.float8_e4m3fn),
        torch.tensor(3),
    ],
    ids=["sparse", "meta", "float8", "integer"],
)
def test_unusual_buffers_have_a_state(buffer):
    module = nn.Linear(3, 2)
    module.register_buffer("unusual", buffer)
    net = Network(module, size=(1, 1))
    before = net.state
    assert net.state == before
    module.weight.data.mul_(2)
    assert net.state != before


@pytest.mark.filterwarnings("ignore")
def test_a_scripted_module_is_not_switched():
    module = torch.jit.script(nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))).train()
    copied, x = evaluation_copy(module), torch.rand(20, 3)
    assert all(part.training for part in module.modules())
    assert torch.equal(copied(x), copied(x))


class Mode(nn.Module):
    """Logits that tell the mode in which they were made."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(3)

    def forward(self, x):
        x = self.norm(x).mean((2, 3))
        return torch.full_like(x, float(self.training or self.norm.training))


def test_two_networks_of_one_module_run_beside_its_training():
    module = Mode().train()
    nets = [Network(module, size=(8, 8)) for _ in range(2)]
    stop, wrong = threading.Event(), []

    def ask(net):
        while not stop.is_set():
            wrong.extend(net(torch.rand(2, 3, 8, 8)).flatten().tolist())

    threads = [threading.Thread(target=ask, args=(net,)) for net in nets]
    for thread in threads:
        thread.start()
    modes = []
    for step in range(300):
        module.train(step % 3 != 0)
        modes.append(module(torch.rand(2, 3, 8, 8))[0, 0].item() == float(step % 3 != 0))
    stop.set()
    for thread in threads:
        thread.join()
    assert all(modes)
    assert wrong
    assert not any(wrong)


CHANGES = {
    "a step": lambda module: torch.optim.SGD(module.parameters(), 0.1).step(),
    "in place": lambda module: module.weight.detach().mul_(2),
    "through data": lambda module: module.weight.data.mul_(2),
    "assigned data": lambda module: setattr(module.weight, "data", 2 * module.weight.data),
    "replaced": lambda module: setattr(module, "weight", nn.Parameter(2 * module.weight)),
    "loaded": lambda module: module.load_state_dict(nn.Linear(3, 2).state_dict()),
    "another type": lambda module: module.double(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_state_of_a_network_changes_with_its_weights(change):
    module = nn.Linear(3, 2)
    module.weight.grad = torch.ones_like(module.weight)
    net = Network(module, size=(1, 1))
    before, frozen = net.state, net.frozen()
    assert net.state == before
    values = frozen.module.weight.clone()
    change(module)
    assert net.state != before
    assert torch.equal(frozen.module.weight, values)
    assert frozen.state == frozen.state


def test_weights_that_change_all_the_time_are_refused(monkeypatch):
    net = Network(nn.Linear(3, 2), size=(1, 1))
    states = iter(range(10_000))
    monkeypatch.setattr(Network, "state", property(lambda _: next(states)))
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(RuntimeError, match="between steps of its training"):
        net.frozen()


class Reusing(nn.Module):
    """Returns the same memory each time."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(12, 2)
        self.output = None

    def forward(self, pixels):
        scores = self.linear(pixels.flatten(1))
        if self.output is None:
            self.output = scores.detach().clone()
        return self.output.copy_(scores)


def test_scores_stay_when_the_module_writes_the_next_to_the_same_memory():
    net = Network(Reusing(), size=(2, 2))
    images = torch.rand(2, 1, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    with net.evaluating():
        first, second = (net.classify(image) for image in images)
    for image, scores in zip(images, (first, second), strict=True):
        torch.testing.assert_close(scores, net.module.linear(image.flatten(1)).detach())
