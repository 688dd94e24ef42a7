"""A watched pass is the plain pass to the bit, in every spelling, and leaves nothing behind."""

import copy
import gc
import operator
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import nn
from torch.nn import functional as F
from torch.overrides import _get_current_function_mode_stack
from torch.utils.checkpoint import checkpoint
from torchvision import models

import xwidgets as xw
from xwidgets import Network
from xwidgets.explain._excitation_backprop import RULES as EXCITATION
from xwidgets.explain.deconvnet import RULES as DECONVNET
from xwidgets.networks.forward_trace import ForwardTrace, go_back

from .architectures import plans, settled
from .forwards import (
    FORWARDS,
    Parts,
    constants,
    discarded,
    halves,
    image,
    network,
    residual,
    reused,
    views,
)

RULES = {"none": None, "deconvnet": DECONVNET, "excitation": EXCITATION}
each_rules = pytest.mark.parametrize("rules", RULES.values(), ids=RULES)


# The forward pass

OPTIONS = {
    "googlenet": {"init_weights": False, "aux_logits": False},
    "inception_v3": {"init_weights": False},
}
SIDES = {"inception_v3": 75}
NAMES = [
    "resnet18", "googlenet", "densenet121", "mobilenet_v3_small", "efficientnet_b0",
    "shufflenet_v2_x0_5", "squeezenet1_1", "regnet_y_400mf", "mnasnet0_5", "inception_v3",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_watched_cnn_computes_the_plain_logits_and_the_plain_gradient(name):
    torch.manual_seed(0)
    module = settled(models.get_model(name, weights=None, **OPTIONS.get(name, {})))
    side = SIDES.get(name, 48)
    net = Network(module, size=(side, side), normalize=([0.4] * 3, [0.2] * 3))
    x = image((side, side), count=2)  # autograd itself varies with one pixel of one image
    plain = net(x)
    convolutions = [layer.name for layer in net.layers if layer.convolution]
    for rules in RULES.values():
        watched = net.watched(x, convolutions[:: max(1, len(convolutions) // 8)], rules)
        assert torch.equal(watched.logits, plain)
    watched = net.watched(x, convolutions)
    assert torch.equal(watched.logits, plain)
    assert all(watched.activations[name].any() for name in convolutions)
    pixels = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(net.classify(pixels)[:, 7].sum(), pixels)
    (ours,) = torch.autograd.grad(watched.logits[:, 7].sum(), watched.pixels)
    assert gradient.any()
    assert torch.equal(ours, gradient)


each_forward = pytest.mark.parametrize("forward", FORWARDS, ids=lambda f: f and f.__name__)


@each_rules
@each_forward
def test_operations_in_place_arrive_whatever_becomes_of_their_results(forward, rules):
    net = network(forward)
    plain = net(image(count=2))
    for layers in ([], ["first"], ["first", "relu", "norm", "linear"]):
        used = [name for name in layers if name in [layer.name for layer in net.layers]]
        assert torch.equal(net.watched(image(count=2), used, rules).logits, plain)
        assert torch.equal(net(image(count=2)), plain)


@each_rules
@pytest.mark.parametrize("layer", ["relu", "same"])
def test_what_is_the_same_tensor_stays_the_same_where_its_layer_is_kept(layer, rules):
    def forward(m, x):
        y = m.first(x)
        z = m.same(m.relu(y))
        z += 1
        return y

    net = network(forward)
    assert torch.equal(net.watched(image(), [layer], rules).logits, net(image()))


@each_rules
def test_float64_stays_float64(rules):
    net = Network(Parts(residual).double(), size=(8, 8))
    plain = net(image().double())
    watched = net.watched(image().double(), ["first"], rules)
    assert watched.logits.dtype == watched.activations["first"].dtype == torch.float64
    assert torch.equal(watched.logits, plain)


@pytest.mark.parametrize("caller", [torch.no_grad, torch.inference_mode, torch.enable_grad])
@each_rules
def test_the_callers_gradient_mode_makes_no_difference(caller, rules):
    net = network(residual)
    expected = net.watched(image(), ["first"], rules)
    seeds = torch.eye(3)[:1, None]
    signals = go_back(expected.logits, seeds, expected.pixels)
    assert signals.any()
    with caller():
        before = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        watched = net.watched(image(), ["first"], rules)
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == before
    assert torch.equal(watched.logits, expected.logits)
    assert torch.equal(go_back(watched.logits, seeds, watched.pixels), signals)


@pytest.mark.parametrize("caller", [torch.no_grad, torch.inference_mode])
def test_both_methods_work_where_the_caller_wants_no_gradients(caller):
    net, x = network(residual), image()[0]
    pixels = xw.deconvolve(net, x, "second", [0, 1, 2, 3])
    values = xw.excitation_backprop(net, x, 0, "first").values
    assert pixels.any()
    assert values.any()
    with caller():
        assert torch.equal(xw.deconvolve(net, x, "second", [0, 1, 2, 3]), pixels)
        assert np.array_equal(xw.excitation_backprop(net, x, 0, "first").values, values)


def test_a_network_that_was_made_in_inference_mode_is_watched_too():
    with torch.inference_mode():
        net, x = network(), image()[0]
        expected = net(x[None])
    logits = net.watched(x[None], ["first"], DECONVNET).logits
    torch.testing.assert_close(logits, expected.clone())


@each_rules
def test_what_autograd_cannot_differentiate_is_refused_in_a_sentence(rules):
    net = network(halves)
    with pytest.raises(ValueError, match=r"cannot go back .* write the operation out of place"):
        net.watched(image(count=2), [], rules)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that CUDA can use")
@each_rules
@each_forward
def test_on_a_gpu_too_the_watched_pass_is_the_plain_one(forward, rules):
    if forward in (views, constants):
        pytest.skip("makes its constants on the CPU")
    net = network(forward)
    net.module.cuda()
    watched = net.watched(image(count=2), ["first"], rules)
    assert watched.logits.is_cuda
    assert torch.equal(watched.logits, net(image(count=2)))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that CUDA can use")
def test_on_a_gpu_too_signals_go_back():
    net, x = network(), image()[0]
    methods = (
        lambda: xw.deconvolve(net, x, "first", [0, 1, 2]).cpu(),
        lambda: torch.tensor(xw.excitation_backprop(net, x, 0, "pixels").values),
        lambda: torch.tensor(xw.saliency(net, x, 0, samples=3, sigma=0.1).values),
    )
    expected = [method() for method in methods]
    net.module.cuda()
    for method, on_the_cpu in zip(methods, expected, strict=True):
        torch.testing.assert_close(method(), on_the_cpu, atol=1e-5, rtol=1e-3)


# What is kept


def kept(forward, layer="first", rules=None, **options):
    return network(forward, **options).watched(image(), [layer], rules).activations[layer]


def computed(forward):
    """What ``forward`` of the same parts returns, plainly."""
    net = network()
    with torch.no_grad():
        return forward(net.module, ((image() - 0.5) / 0.25).contiguous())


BEHIND = {
    "convolution": (lambda m, x: m.first(x), lambda m, x: m.first(x)),
    "rectifier in place": (
        lambda m, x: m.first(x).relu_(), lambda m, x: m.first(x).relu(),
    ),
    "rectifier whose result is dropped": (discarded, lambda m, x: m.norm(m.first(x)).relu()),
    "batch norm": (lambda m, x: m.norm(m.first(x)), lambda m, x: m.norm(m.first(x))),
    "batch norm and rectifier": (
        lambda m, x: m.relu(m.norm(m.first(x))), lambda m, x: m.norm(m.first(x)).relu(),
    ),
    "batch norm, then a sum in place": (
        lambda m, x: m.norm(m.first(x)).add_(1).relu_(), lambda m, x: m.norm(m.first(x)),
    ),
    "rectifier, then others in place": (
        lambda m, x: m.first(x).relu_().mul_(3).sub_(1).sigmoid_(),
        lambda m, x: m.first(x).relu(),
    ),
    "a sum in place": (lambda m, x: m.first(x).add_(1).relu_(), lambda m, x: m.first(x)),
    "a pool": (lambda m, x: F.max_pool2d(m.first(x), 2).relu(), lambda m, x: m.first(x)),
    "a sigmoid in place": (lambda m, x: m.first(x).sigmoid_(), lambda m, x: m.first(x)),
    "two batch norms": (
        lambda m, x: m.other(m.norm(m.first(x))).relu(),
        lambda m, x: m.other(m.norm(m.first(x))).relu(),
    ),
    "only the first rectifier": (
        lambda m, x: F.leaky_relu(m.first(x)).mul(-1).relu_(),
        lambda m, x: F.leaky_relu(m.first(x)),
    ),
    "functions": (
        lambda m, x: F.hardtanh(F.batch_norm(
            m.first(x), m.norm.running_mean, m.norm.running_var, m.norm.weight, m.norm.bias
        ), 0, 6, True),
        lambda m, x: m.norm(m.first(x)).clamp(0, 6),
    ),
    "an unknown activation": (lambda m, x: m.first(x).clamp_(-1, 1), lambda m, x: m.first(x)),
}  # fmt: skip


@each_rules
@pytest.mark.parametrize("name", BEHIND)
def test_a_convolution_is_read_behind_its_batch_norm_and_rectifier(name, rules):
    forward, expected = BEHIND[name]
    found = kept(forward, rules=rules)
    assert found.grad_fn is not None
    torch.testing.assert_close(found.detach(), computed(expected), rtol=1e-5, atol=1e-6)


@each_rules
def test_layers_without_weights_are_read_as_they_are(rules):
    def forward(m, x):
        return m.same(m.norm(m.first(x))).relu_()

    for layer in ("same", "norm"):
        found = kept(forward, layer, rules)
        torch.testing.assert_close(
            found.detach(), computed(lambda m, x: m.norm(m.first(x))), rtol=1e-5, atol=1e-6
        )


@each_rules
def test_of_a_module_that_is_used_again_the_first_use_is_kept(rules):
    forward = computed(lambda m, x: m.second(m.first(x).relu()).relu())
    found = kept(lambda m, x: m.second(m.second(m.first(x).relu()).relu_()), "second", rules)
    torch.testing.assert_close(found.detach(), forward, rtol=1e-5, atol=1e-6)


ACTIVATIONS = [
    nn.ReLU(True), nn.ReLU6(True), nn.LeakyReLU(0.1, True), nn.ELU(inplace=True), nn.SELU(True),
    nn.SiLU(True), nn.Hardswish(True), nn.Mish(True), nn.Threshold(0, 0, True),
]  # fmt: skip


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda module: type(module).__name__)
def test_the_gradient_passes_a_kept_activation_in_place(activation):
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), activation, nn.Flatten(), nn.Linear(144, 2)
    )
    net = Network(settled(module), size=(8, 8))
    pixels = image().requires_grad_()
    (expected,) = torch.autograd.grad(module(pixels)[0, 0], pixels)
    watched = net.watched(image(), ["0"])
    (found,) = torch.autograd.grad(watched.logits[0, 0], watched.pixels)
    torch.testing.assert_close(watched.activations["0"], module[:3](pixels))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)


def test_every_activation_leads_from_the_pixels_to_the_logits():
    layers = ["first", "norm", "relu", "second", "linear"]

    def forward(m, x):
        return m.second(m.relu(m.norm(m.first(x)))).relu_()

    watched = network(forward).watched(image(), layers)
    for layer in layers:
        up = torch.autograd.grad(
            watched.logits.sum(), watched.activations[layer], retain_graph=True
        )
        down = torch.autograd.grad(
            watched.activations[layer].sum(), watched.pixels, retain_graph=True
        )
        assert up[0].any()
        assert down[0].any()


def test_a_linear_layer_is_read_behind_its_rectifier():
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(inplace=True), nn.Linear(5, 2))
    found = Network(module, size=(2, 2)).watched(image((2, 2)), ["1", "2"]).activations
    assert torch.equal(found["1"], found["2"])
    assert (found["1"] == 0).any()


def test_a_module_under_two_names_is_kept_under_both():
    shared = nn.ReLU()
    module = nn.Sequential(
        nn.Conv2d(3, 3, 1), shared, nn.Conv2d(3, 3, 1), shared, nn.Flatten(), nn.Linear(12, 2)
    )
    watched = Network(module, size=(2, 2)).watched(image((2, 2)), ["1", "3"])
    assert set(watched.activations) == {"1", "3"}


# Nothing stays behind


def state(module):
    """Everything about a module that a pass could change."""
    return [
        (
            name, part.training, sorted(vars(part)),
            [list(hooks) for key, hooks in sorted(vars(part).items()) if key.endswith("hooks")],
            [
                (key, id(value), value.requires_grad, value.grad, value._version,
                 value.detach().numpy().tobytes(), sorted(vars(value)))
                for key, value in
                [*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)]
            ],
        )
        for name, part in module.named_modules()
    ]  # fmt: skip


def surroundings():
    return (
        torch.is_grad_enabled(), torch.is_inference_mode_enabled(),
        len(_get_current_function_mode_stack()), torch.get_default_dtype(),
        torch.random.get_rng_state().tolist(),
    )  # fmt: skip


def mixed(net):
    """The network with some of it in training mode, and some without gradients."""
    net.module.train()
    net.module.norm.eval()
    net.module.first.weight.requires_grad_(False)
    net.module.second.register_forward_hook(lambda *_: None)
    return net


@pytest.mark.parametrize("caller", [torch.no_grad, torch.inference_mode, torch.enable_grad])
@each_rules
def test_after_a_pass_everything_is_as_before(rules, caller):
    net = mixed(network(reused))
    with caller():
        before = state(net.module), surroundings()
        for _ in range(2):
            watched = net.watched(image(), ["first", "second", "relu"], rules)
            go_back(watched.logits, torch.eye(3)[:1, None], watched.pixels)
            assert (state(net.module), surroundings()) == before


@pytest.mark.parametrize("error", [RuntimeError, ValueError, KeyboardInterrupt])
@each_rules
def test_after_an_exception_in_the_middle_everything_is_as_before(rules, error):
    def fail(m, x):
        y = m.norm(m.first(x)).relu_()
        if fails:
            raise error("no more memory")
        return m.second(y)

    net, fails = mixed(network(fail)), False
    before, logits = (state(net.module), surroundings()), net(image())
    fails = True
    with pytest.raises(error, match="no more memory"):
        net.watched(image(), ["first", "second", "norm"], rules)
    assert (state(net.module), surroundings()) == before
    fails = False
    assert torch.equal(net.watched(image(), ["first"], rules).logits, logits)


def test_an_exception_in_a_rule_leaves_everything_as_before():
    def rule(operation):
        raise RuntimeError("no such rule")

    net = mixed(network(reused))
    before = state(net.module), surroundings()
    with pytest.raises(RuntimeError, match="no such rule"):
        net.watched(image(), ["first"], {"rectifier": rule})
    assert (state(net.module), surroundings()) == before


def test_what_came_in_stays_as_it_is():
    x = image()
    before = x.clone()
    module = nn.Sequential(nn.Hardtanh(0.2, 0.4, inplace=True), nn.Flatten(), nn.Linear(192, 2))
    net = Network(module, size=(8, 8))
    watched = net.watched(x, ["0"])
    assert torch.equal(x, before)
    assert torch.equal(watched.pixels, before)
    assert not x.requires_grad
    assert watched.pixels.is_leaf


# More than one watch


@each_rules
def test_a_watch_inside_a_watch_sees_the_same(rules):
    module = Parts(residual)
    x = image().requires_grad_()
    with ForwardTrace(module, ["first"], rules) as alone:
        expected = module(x.clone())
    with ForwardTrace(module, ["first"], rules) as outer:
        with ForwardTrace(module, ["first", "second"]) as inner:
            output = module(x.clone())
        assert len(_get_current_function_mode_stack()) == 1
    assert not _get_current_function_mode_stack()
    assert torch.equal(output, expected)
    assert set(inner.activations) == {"first", "second"}
    for watch in (outer, inner):
        assert torch.equal(watch.activations["first"], alone.activations["first"])


def test_of_nested_watches_the_inner_rules_act_on_what_is_inside():
    body, head = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), nn.Sequential(nn.Linear(144, 2))
    x, acted = image().requires_grad_(), []

    def rules(name):
        def rule(operation):
            acted.append((name, operation.name))
            return operation()

        return {"linear": rule}

    with ForwardTrace(body, rules=rules("body")):
        maps = body(x.clone())
    with ForwardTrace(head, rules=rules("head")):
        logits = head(maps.flatten(1))
    assert acted == [("body", "conv2d"), ("head", "linear")]
    assert torch.equal(logits, head(body(x).flatten(1)))


def test_a_watch_can_be_entered_again():
    module = Parts()
    watch = ForwardTrace(module, ["first"])
    with watch:
        module(image().requires_grad_().clone())
    with watch:
        module(image(seed=2).requires_grad_().clone())
    with ForwardTrace(module, ["first"]) as expected:
        module(image(seed=2).requires_grad_().clone())
    assert torch.equal(watch.activations["first"], expected.activations["first"])


def test_two_threads_watch_one_module_at_once_each_with_its_own_rules():
    together = threading.Barrier(2, timeout=60)

    def forward(m, x):
        y = m.first(x).relu_()
        together.wait()
        y = m.norm(m.second(y)).relu_()
        together.wait()
        return y

    module = Parts(forward)

    def go(rules, seed):
        pixels = image(seed=seed).requires_grad_()
        with ForwardTrace(module, ["first", "second"], rules) as watch:
            logits = module(pixels.clone())
        (signal,) = torch.autograd.grad(logits[0, 1], pixels, retain_graph=True)
        return [signal, logits, watch.activations["first"], watch.activations["second"]]

    with ThreadPoolExecutor(2) as threads:
        jobs = [
            threads.submit(go, rules, seed) for seed, rules in ((1, DECONVNET), (2, EXCITATION))
        ]
        found = [job.result() for job in jobs]
    together = threading.Barrier(1)
    expected = [go(DECONVNET, 1), go(EXCITATION, 2), go(None, 1), go(None, 2)]
    for one, other in zip(found, expected, strict=False):
        assert all(torch.equal(left, right) for left, right in zip(one, other, strict=True))
    for one, plain in zip(found, expected[2:], strict=True):
        assert not torch.equal(one[0], plain[0])
    assert not any(part._forward_hooks for part in module.modules())


def test_another_threads_pass_is_not_kept():
    module, x = Parts(), image().requires_grad_()
    with ThreadPoolExecutor(1) as threads, ForwardTrace(module, ["first"]) as watch:
        threads.submit(module, x.clone()).result()
        assert not watch.activations
        module(x.clone())
    assert set(watch.activations) == {"first"}


def test_two_threads_use_one_network_at_once():
    net = network(residual).module.train()
    net = Network(net, size=(8, 8))
    expected = [net.watched(image(seed=seed), ["first"]).logits for seed in range(8)]

    def go(seed):
        return net.watched(image(seed=seed), ["first"], list(RULES.values())[seed % 3]).logits

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(go, range(8)))
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert all(part.training for part in net.module.modules())


# Rules


def test_rules_stand_in_for_their_kind_alone():
    seen = []

    def rule(operation):
        seen.append((operation.name, operation.inplace))
        return operation()

    network(residual).watched(image(), rules={"rectifier": rule, "sum": rule})
    assert seen == [
        ("relu", True), ("add", True), ("sub", True), ("relu", True),
    ]  # fmt: skip


def test_weights_get_no_gradient_even_when_asked():
    net = network(residual)
    net.watched(image(), ["first"], DECONVNET).logits.sum().backward()
    assert all(value.grad is None for value in net.module.parameters())


def test_operations_on_constants_meet_no_rule():
    seen = []

    def rule(operation):
        seen.append(operation.name)
        return operation()

    def forward(m, x):
        return m.first(x) * m.other.weight.relu().view(-1, 1, 1).sigmoid()

    network(forward).watched(image(), rules={"rectifier": rule, "gate": rule})
    assert seen == []


@each_rules
@pytest.mark.parametrize("seeds", [1, 3])
def test_signals_that_set_out_together_do_not_meet(seeds, rules):
    watched = network(residual).watched(image(count=2), ["first"], rules)
    together = torch.rand(seeds, 2, 3, generator=torch.Generator().manual_seed(0))
    found = go_back(watched.logits, together, watched.activations["first"])
    assert found.shape == (seeds, *watched.activations["first"].shape)
    for seed, signal in zip(together, found, strict=True):
        (alone,) = torch.autograd.grad(
            watched.logits, watched.activations["first"], seed, retain_graph=True
        )
        torch.testing.assert_close(signal, alone)


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_signal_that_cannot_arrive_is_refused(seeds):
    watched = network(residual).watched(image(), ["first", "second"])
    first, second = watched.activations["first"], watched.activations["second"]
    with pytest.raises(ValueError, match="does not lead to"):
        go_back(first, torch.ones(seeds, *first.shape), second)


def test_excitation_goes_through_a_mean_of_what_is_written_over_later():
    def written(m, x):
        y = m.first(x).relu()
        z = y.mean((2, 3), keepdim=True)
        y.mul_(2)
        return y + z

    def copied(m, x):
        y = m.first(x).relu()
        z = y.mean((2, 3), keepdim=True)
        return y * 2 + z

    found, expected = (
        xw.excitation_backprop(network(forward), image()[0], 0, "pixels", contrastive=False)
        for forward in (written, copied)
    )
    assert np.array_equal(found.values, expected.values)


def test_excitation_treats_a_negative_factor_in_a_sum_as_a_difference():
    def forward(m, x):
        y = m.first(x).relu()
        return torch.add(y, m.second(y).relu(), alpha=-1)

    with pytest.raises(ValueError, match="not defined"):
        xw.excitation_backprop(network(forward), image()[0], 0, "pixels", contrastive=False)


# Without gradients


def without(forward, layers, x=None, **options):
    net = network(forward, **options)
    return net.watched(image() if x is None else x, layers, gradients=False)


@each_forward
def test_without_gradients_the_same_is_computed_and_kept(forward):
    net, x = network(forward), image(count=2)
    plain = net(x)
    used = [layer.name for layer in net.layers]
    for layers in ([], *([name] for name in used), used):
        found = net.watched(x, layers, gradients=False)
        assert torch.equal(found.logits, plain)
        expected = net.watched(x, layers)
        assert set(found.activations) == set(expected.activations) == set(layers)
        for name in layers:
            assert torch.equal(found.activations[name], expected.activations[name]), name


@pytest.mark.parametrize("name", BEHIND)
def test_without_gradients_too_a_convolution_is_read_behind_its_norm_and_rectifier(name):
    forward, expected = BEHIND[name]
    for layers in (["first"], [layer.name for layer in network(forward).layers]):
        found = without(forward, layers).activations["first"]
        assert torch.equal(found, computed(expected))


CLONED = [lambda m, x: m.first(x).clone().relu(), lambda m, x: m.first(x).clone().relu_()]


@pytest.mark.parametrize("forward", CLONED, ids=["relu", "relu_"])
def test_without_gradients_too_a_rectifier_of_a_copy_is_the_layers(forward):
    found = without(forward, ["first"]).activations["first"]
    assert torch.equal(found, kept(forward).detach())


OVERWRITTEN = {
    "in-place methods": lambda m, y: y.mul_(2).exp_().clamp_(-1, 1),
    "operators": lambda m, y: operator.ipow(operator.itruediv(operator.isub(y, 1), 3), 2),
    "an item": lambda m, y: operator.setitem(y, (0, 0), 7),
    "a mask": lambda m, y: operator.setitem(y, y > 0, 7),
    "a slice": lambda m, y: y[:, 1:3].add_(5),
    "a view": lambda m, y: y.view(-1).mul_(3),
    "a view of a view": lambda m, y: y.permute(0, 2, 3, 1)[..., 0].zero_(),
    "a chunk": lambda m, y: y.chunk(2, 1)[1].relu_(),
    "what is detached": lambda m, y: y.detach().neg_(),
    "another's values": lambda m, y: y.copy_(torch.ones(())),
    "a gate": lambda m, y: F.dropout(y.sigmoid_(), 0.5, False, True),
    "functions": lambda m, y: torch.sigmoid_(torch.neg_(torch.abs_(y))),
    "a hidden rectifier": lambda m, y: F.relu(y.view(-1)[:9], inplace=True),
    "the same twice": lambda m, y: (y.add_(1), y.add_(1)),
}


@pytest.mark.parametrize("name", OVERWRITTEN)
def test_without_gradients_what_is_kept_survives_what_is_written_over_it(name):
    write = OVERWRITTEN[name]

    def forward(m, x):
        y = m.same(m.norm(m.first(x)))
        write(m, y)
        return y

    net = network(forward)
    found = net.watched(image(), ["first", "norm", "same"], gradients=False)
    expected = computed(lambda m, x: m.norm(m.first(x)))
    for values in found.activations.values():
        assert torch.equal(values, expected)
    assert torch.equal(found.logits, net(image()))
    written = computed(forward)
    assert not torch.equal(written, expected)


def test_without_gradients_a_kept_norm_survives_a_residual_sum():
    def forward(m, x):
        y = m.relu(m.norm(m.first(x)))
        z = m.other(m.second(y))
        z += y
        return m.relu(z)

    def branch(m, x):
        return m.other(m.second(m.norm(m.first(x)).relu()))

    found = without(forward, ["first", "norm", "relu", "second", "other"]).activations
    for name in ("second", "other"):
        assert torch.equal(found[name], computed(branch))
    assert torch.equal(found["first"], computed(lambda m, x: m.norm(m.first(x)).relu()))
    assert torch.equal(found["relu"], found["first"])
    assert torch.equal(found["norm"], computed(lambda m, x: m.norm(m.first(x))))


def test_without_gradients_only_what_is_overwritten_is_copied():
    places = {}

    def forward(m, x):
        y = m.same(m.norm(m.first(x)))
        places["same"] = y.data_ptr()
        z = m.second(y)
        places["second"] = z.data_ptr()
        return z.relu_() + m.relu(y)

    found = without(forward, ["same", "second"]).activations
    assert found["second"].data_ptr() == places["second"]  # the rectifier is the layer's own
    assert found["same"].data_ptr() != places["same"]
    assert (found["same"] < 0).any()
    found = without(lambda m, x: forward(m, x) * 1, ["second"]).activations
    assert found["second"].data_ptr() == places["second"]


def test_without_gradients_nothing_can_be_gone_back_through():
    with torch.enable_grad():
        watched = without(residual, ["first", "second"])
    for values in (watched.pixels, watched.logits, *watched.activations.values()):
        assert values.grad_fn is None
        assert not values.requires_grad
        assert not values.is_inference()


def test_without_gradients_the_callers_pixels_stay_as_they_are():
    net, x = Network(Parts(lambda m, x: m.first(x.mul_(2)).relu_()), size=(8, 8)), image()
    found = net.watched(x, ["first"], gradients=False)
    assert torch.equal(x, image())
    assert torch.equal(found.logits, net(x))
    assert not x.requires_grad


def test_without_gradients_what_autograd_cannot_differentiate_can_be_watched():
    def apart(m, x):
        y = m.first(x)
        return torch.cat([y[:, :2].relu(), y[:, 2:].relu()], 1)

    found = without(halves, ["first", "linear"])
    assert torch.equal(found.logits, network(apart)(image()))
    assert torch.equal(found.activations["first"], computed(lambda m, x: m.first(x)))


@pytest.mark.parametrize("caller", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_without_gradients_too_everything_is_as_before(caller):
    net = mixed(network(reused))
    expected = network(reused).watched(image(), ["first", "second"], gradients=False)
    with caller():
        before = state(net.module), surroundings()
        for _ in range(2):
            watched = net.watched(image(), ["first", "second", "relu"], gradients=False)
            assert (state(net.module), surroundings()) == before
    assert torch.equal(watched.logits, expected.logits)
    for name in ("first", "second"):
        assert torch.equal(watched.activations[name], expected.activations[name])


@pytest.mark.parametrize("error", [RuntimeError, ValueError, KeyboardInterrupt])
def test_without_gradients_too_an_exception_leaves_everything_as_before(error):
    def fail(m, x):
        y = m.norm(m.first(x)).relu_()
        if fails:
            raise error("no more memory")
        return m.second(y)

    fails = False
    net = mixed(network(fail))
    before, logits = (state(net.module), surroundings()), net(image())
    fails = True
    with pytest.raises(error, match="no more memory"):
        net.watched(image(), ["first", "second", "norm"], gradients=False)
    assert (state(net.module), surroundings()) == before
    fails = False
    assert torch.equal(net.watched(image(), ["first"], gradients=False).logits, logits)


def test_without_gradients_too_layers_that_are_not_there_are_refused():
    def some(m, x):
        return m.second(m.first(x)) if x.mean() > 1 else m.first(x)

    refused(lambda: without(some, ["second"]), "does not use its layer 'second'")
    refused(lambda: without(some, ["fist"]), "unknown layer 'fist'")


def test_without_gradients_the_output_must_be_finite():
    net = network(lambda m, x: m.second(m.first(x)))
    net.module.second.weight.data[0, 0] = float("nan")
    refused(lambda: net.watched(image(), ["second"], gradients=False), "the output of Parts are")


@pytest.mark.parametrize("name", ["resnet18", "shufflenet_v2_x0_5"])
def test_without_gradients_cnns_keep_the_same(name):
    torch.manual_seed(0)
    module = settled(models.get_model(name, weights=None))
    net = Network(module, size=(48, 48), normalize=([0.4] * 3, [0.2] * 3))
    x = image((48, 48), count=2)
    layers = [layer.name for layer in net.layers]
    one, other = (net.watched(x, layers, gradients=some) for some in (True, False))
    assert torch.equal(one.logits, other.logits)
    for layer in layers:
        assert torch.equal(one.activations[layer], other.activations[layer]), layer


@settings(max_examples=10, deadline=None)
@given(plans())
def test_without_gradients_random_networks_keep_what_slow_hooks_see(plan):
    plain, x = plan.plain(), plan.image()[None].repeat(2, 1, 1, 1)
    layers = [layer.name for layer in plain.layers]
    logits, expected = seen_by_hooks(plain, layers, x)
    for net in (plain, plan.spelled()):
        for some in (layers, layers[::2], layers[1::3]):
            found = net.watched(x, some, gradients=False)
            assert torch.equal(found.logits, logits)
            gradients = net.watched(x, some)
            for name in some:
                assert torch.equal(found.activations[name], expected[name]), name
                assert torch.equal(found.activations[name], gradients.activations[name]), name


def seen_by_hooks(net, layers, x):
    """The activations of modules that overwrite nothing: of convolutions and linear layers, behind
    the batch norms and the rectifier whose input is their output."""
    calls = []
    with net.evaluating() as module:
        for part in module.modules():
            part.register_forward_hook(
                lambda part, inputs, output: calls.append((part, inputs[0], output))
            )
        logits = net(x)
    behind = nn.BatchNorm2d | nn.ReLU | nn.ReLU6 | nn.LeakyReLU
    following = {
        id(given): (part, output) for part, given, output in calls if isinstance(part, behind)
    }
    found = {}
    for name in layers:
        wanted = module.get_submodule(name)
        _, _, values = next(call for call in calls if call[0] is wanted)
        part = wanted
        while isinstance(part, nn.Conv2d | nn.Linear | nn.BatchNorm2d) and (
            isinstance(wanted, nn.Conv2d | nn.Linear) and id(values) in following
        ):
            part, values = following[id(values)]
        found[name] = values
    return logits, found


# Refusals


def small():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(64, 2)
    ).eval()


def refused(call, words):
    with pytest.raises(ValueError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


HIDING = {
    "script": lambda module: torch.jit.script(module),
    "trace": lambda module: torch.jit.trace(module, image()),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("hide", HIDING.values(), ids=HIDING)
def test_a_module_that_hides_its_operations_is_refused(hide):
    net = Network(hide(small()), size=(8, 8))
    refused(lambda: net.watched(image()), "hides its operations")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("hide", HIDING.values(), ids=HIDING)
def test_so_is_a_module_with_such_a_part(hide):
    module = small()
    if hide is HIDING["trace"]:
        module[2] = torch.jit.trace(module[2], torch.rand(1, 4, 6, 6))
    else:
        module[2] = hide(module[2])
    refused(lambda: Network(module, size=(8, 8)).watched(image()), "hides its operations")


def compiled_in_place(module):
    module.compile(backend="eager")
    return module


@pytest.mark.parametrize(
    "compiled", [lambda module: torch.compile(module, backend="eager"), compiled_in_place]
)
@pytest.mark.parametrize("part", [False, True])
def test_of_a_compiled_module_what_was_compiled_is_traced(compiled, part):
    plain = Network(small(), size=(8, 8)).watched(image(), ["0", "2"], EXCITATION)
    module = small()
    if part:
        module[2] = compiled(module[2])
    net = Network(module if part else compiled(module), size=(8, 8))
    watched = net.watched(image(), ["0", "2"], EXCITATION)
    assert torch.equal(watched.logits, plain.logits)
    assert torch.equal(watched.activations["2"], plain.activations["2"])
    assert [layer.name for layer in net.layers] == ["0", "1", "2", "3", "4"]


@torch.jit.script
def scripted(x):
    return torch.relu(x)


class Own(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.relu()

    @staticmethod
    def backward(ctx, signal):
        return signal * (ctx.saved_tensors[0] > 0)


@pytest.mark.parametrize("rectify", [scripted, Own.apply], ids=["scripted", "autograd.Function"])
def test_a_rectifier_that_cannot_be_seen_does_not_pass_for_none(rectify):
    hidden = network(lambda m, x: m.second(rectify(m.first(x))).relu())
    seen = network(lambda m, x: m.second(m.first(x).relu()).relu())
    try:
        found = xw.deconvolve(hidden, image()[0], "second", [0, 1, 2, 3])
    except ValueError:
        return
    assert torch.equal(found, xw.deconvolve(seen, image()[0], "second", [0, 1, 2, 3]))


def test_a_pass_with_checkpoints_is_refused_or_right():
    hidden = network(
        lambda m, x: checkpoint(lambda y: m.second(m.first(y).relu()), x, use_reentrant=False)
    )
    seen = network(lambda m, x: m.second(m.first(x).relu()))
    try:
        found = xw.deconvolve(hidden, image()[0], "second", [0, 1, 2, 3])
    except ValueError:
        return
    assert torch.equal(found, xw.deconvolve(seen, image()[0], "second", [0, 1, 2, 3]))


def test_a_layer_that_does_not_exist_is_refused_with_near_matches():
    net = network()
    net.module.features = nn.Identity()
    for call in (
        lambda: net.layer("fist"),
        lambda: xw.deconvolve(net, image()[0], "fist", 0),
        lambda: net.watched(image(), ["fist"]),
    ):
        refused(call, "unknown layer 'fist'; did you mean .*'first'")


def test_a_layer_that_returns_several_tensors_is_refused():
    class Two(nn.Module):
        def forward(self, x):
            return x, x

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.two, self.linear = Two(), nn.Linear(3, 2)

        def forward(self, x):
            return self.linear(self.two(x)[1].mean((2, 3)))

    net = Network(Outer(), size=(8, 8))
    refused(lambda: net.watched(image(), ["two"]), "layer 'two' returns tuple, not one tensor")
    assert net.watched(image(), ["linear"]).logits.shape == (1, 2)


def test_a_layer_that_this_image_does_not_use_is_refused():
    net = network(lambda m, x: m.second(m.first(x)) if x.mean() > 1 else m.first(x))
    refused(lambda: net.watched(image(), ["second"]), "does not use its layer 'second'")
    bright = torch.ones(1, 3, 8, 8)
    assert set(net.watched(bright, ["second"]).activations) == {"second"}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("layers", [[], ["first"], ["second"]])
def test_activations_that_are_not_finite_are_refused(value, layers):
    net = network(lambda m, x: m.second(m.first(x)))
    net.module.second.weight.data[0, 0] = value
    name = "layer 'second'" if "second" in layers else "the output"
    refused(lambda: net.watched(image(), layers), f"{name} of Parts are not all finite")


# Random networks


@settings(max_examples=15, deadline=None)
@given(plans(least=1))
def test_random_networks_compute_the_same_while_they_are_watched(plan):
    x = plan.image()[None]
    for net in (plan.plain(), plan.spelled()):
        logits = net(x)
        layers = [layer.name for layer in net.layers if layer.name.startswith("features.")]
        for rules in RULES.values():
            for some in ([], layers[::2], layers[1::2]):
                assert torch.equal(net.watched(x, some, rules).logits, logits)


@settings(max_examples=15, deadline=None)
@given(plans())
def test_random_networks_are_explained_the_same_in_both_spellings(plan):
    plain, spelled, x = plan.plain(), plan.spelled(), plan.image()
    assert torch.equal(spelled(x[None]), plain(x[None]))
    channels = list(range(plain.layer("features").shape[0]))
    one, other = (xw.deconvolve(net, x, "features", channels) for net in (plain, spelled))
    assert torch.equal(one, other)
    for contrastive in (True, False):
        one, other = (
            xw.excitation_backprop(net, x, 0, "pixels", contrastive) for net in (plain, spelled)
        )
        assert np.array_equal(one.values, other.values)
        assert one.mass == other.mass


def test_a_copy_of_a_watched_module_is_as_good_as_the_module():
    net = network(residual)
    expected = net.watched(image(), ["first"]).logits
    again = Network(copy.deepcopy(net.module), size=(8, 8), normalize=([0.5] * 3, [0.25] * 3))
    assert torch.equal(again.watched(image(), ["first"]).logits, expected)


def test_a_watch_that_is_open_cannot_be_opened_again():
    module = Parts()
    watch = ForwardTrace(module, ["first"])
    with watch, pytest.raises(ValueError, match="already open"):
        watch.__enter__()
    assert not module.first._forward_hooks


def test_networks_that_view_their_maps_run():
    torch.manual_seed(0)

    class Views(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Conv2d(3, 4, 3), nn.Linear(4 * 36, 2)

        def forward(self, x):
            return self.last(F.relu(self.first(x)).view(len(x), -1))

    net = Network(Views(), size=(8, 8))
    x = torch.rand(3, 8, 8)
    assert torch.equal(net(x[None]), net.module(x[None]))
    assert xw.deconvolve(net, x, "first", 0).shape == (3, 8, 8)


def test_weights_that_a_forward_puts_together_are_weights():
    class Joined(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = (nn.Parameter(torch.rand(2, 3, 3, 3)) for _ in range(2))

        def forward(self, x):
            return F.conv2d(x, torch.cat([self.one, self.two])).relu().mean((2, 3))

    relevance = xw.excitation_backprop(
        Network(Joined(), size=(8, 8)), torch.rand(3, 8, 8), 0, "pixels"
    )
    assert relevance.values.shape == (8, 8)


@pytest.mark.parametrize("part", ["first", "whole"])
def test_a_pass_that_is_cut_off_from_the_pixels_is_refused(part):
    class Cut(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

        def forward(self, x):
            maps = self.first(x).relu().mean((2, 3))
            return self.last(maps.detach()) if part == "first" else self.last(maps).detach()

    net = Network(Cut(), size=(8, 8))
    with pytest.raises(ValueError, match="does not"):
        xw.saliency(net, torch.rand(3, 8, 8))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = (nn.Conv2d(3, 3, 3, padding=1) for _ in range(3))

    def forward(self, x):
        y = self.first(x).relu_()
        z = self.second(y).sigmoid_()
        z += y
        return (z * self.last(z).mean((2, 3), keepdim=True).sigmoid_()).mean((2, 3))


def refused_behind_the_gate(net, x):
    with pytest.raises(ValueError, match="not defined through 'sigmoid'"):
        xw.deconvolve(net, x, "last", 0)


def living():
    gc.collect()
    return sum(isinstance(one, torch.Tensor) for one in gc.get_objects())


@pytest.mark.parametrize(
    "method",
    [
        lambda net, x: xw.excitation_backprop(net, x, 0, "pixels"),
        lambda net, x: xw.deconvolve(net, x, "first", [0, 1]),
        refused_behind_the_gate,
        lambda net, x: xw.saliency(net, x, 0),
    ],
    ids=["excitation", "deconvnet", "refused", "saliency"],
)
def test_nothing_stays_in_memory(method):
    torch.manual_seed(0)
    net, x = Network(Residual(), size=(8, 8)), torch.rand(3, 8, 8)
    method(net, x)
    before = living()
    for _ in range(3):
        method(net, x)
    assert living() == before
