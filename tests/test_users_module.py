"""The user's module and all global settings stay as they were, whatever is called.

Every public callable that takes a network, a module or a study is called on a module in the middle
of its training. Each call is let through; ended by an error in its first pass through the network,
and by an interrupt half-way; and, where it goes in steps, left after the first.
"""

import ctypes
import gc
import inspect
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

import xwidgets as xw
from xwidgets.explain import MapMethod, Method
from xwidgets.incremental import IncrementalInference, WholeInference
from xwidgets.live import Question
from xwidgets.networks import Class, Subject
from xwidgets.reproduce.qi2018 import heat_maps, heat_maps_of_score
from xwidgets.reproduce.qi2018.cases import Drawn

from . import test_arguments as usual
from .usual import SIDE, arguments, classifier, explanation_module, public_callables

pytestmark = pytest.mark.filterwarnings("ignore")


class Broken(Exception):
    """Error of the network's forward pass."""


class Fuse:
    """Counts passes through a network forwards and back, and breaks in one of them."""

    def __init__(self) -> None:
        self.set()

    def set(self, at: int | None = None, error: type[BaseException] = Broken) -> None:
        self.passes, self.at, self.error = 0, at, error

    def __call__(self, *_: Any) -> None:
        self.passes += 1
        if self.passes == self.at:
            raise self.error("in the network")


def users_module(fuse: Fuse) -> nn.Module:
    """A network that is being trained, with all that its owner may hang into it."""
    module = classifier()
    module[1] = nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(inplace=True))
    module[6] = nn.Sequential(nn.Flatten(), nn.Dropout(0.5))
    parametrizations.weight_norm(module[7])
    with torch.no_grad():  # each class is that of some images
        module[7].bias -= module.eval()(arguments()["images"]).median(0).values
    module.train()
    module[6][1].eval()
    module[3].bias.requires_grad_(False)
    module(torch.rand(4, 3, SIDE, SIDE)).sum().backward()
    module[0].bias.grad = None
    module[0].register_forward_hook(fuse)
    module[0].weight.register_hook(lambda gradient: gradient)
    module[5].register_forward_pre_hook(lambda *_: None)
    forward = module[3].forward
    module[3].forward = lambda x: forward(x)
    module[4].seen, module[4].notes = [], {"of": ["the owner"]}
    module[2].register_buffer("calls", torch.zeros(2), persistent=False)
    return module


def tensor(value: torch.Tensor) -> tuple[Any, ...]:
    plain = value.detach()
    return (
        id(value), value.data_ptr(), value._version, value.requires_grad, value.dtype,
        value.stride(), plain.numpy().tobytes(), repr(value._backward_hooks),
        None if not value.is_leaf or value.grad is None else tensor(value.grad),
    )  # fmt: skip


def attribute(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return tensor(value)
    if isinstance(value, dict):
        return id(value), [(key, attribute(item)) for key, item in value.items()]
    if isinstance(value, list | tuple | set):
        return id(value), [attribute(item) for item in value]
    if isinstance(value, nn.Module):
        return id(value)
    return value if isinstance(value, bool | int | float | str) else (type(value), id(value))


def condition(module: nn.Module) -> dict[str, Any]:
    """All that a module holds, bit by bit."""
    parts = module.named_modules(remove_duplicate=False)
    return {name: (type(part), attribute(vars(part))) for name, part in parts}


def settings() -> dict[str, Any]:
    """State of the process and of this thread, by name."""
    everywhere = torch.nn.modules.module
    return {
        "torch's random numbers": torch.get_rng_state().numpy().tobytes(),
        "NumPy's random numbers": repr(np.random.get_state()),
        "Python's random numbers": random.getstate(),
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "type": torch.get_default_dtype(),
        "threads": torch.get_num_threads(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "anomalies": torch.is_anomaly_enabled(),
        "flush": torch.backends.mkldnn.flags,
        "modes": torch._C._len_torch_function_stack(),
        "dispatch": torch._C._len_torch_dispatch_stack(),
        "hooks": repr([
            everywhere._global_forward_hooks, everywhere._global_forward_pre_hooks,
            everywhere._global_backward_hooks, everywhere._global_backward_pre_hooks,
        ]),
    }  # fmt: skip


# Every public callable that takes a network

WORDS = {"Network", "Study", "Subject", "WholeInference", "Module"}
NAMES = {"net", "network", "study", "subject", "whole"}


def takes_a_network(call: Any) -> bool:
    if hasattr(call, "_fields"):  # it holds one
        return False
    known = inspect.signature(call).parameters.values()
    words = [{*re.findall(r"\w+", str(item.annotation))} for item in known]
    return any(item.name in NAMES for item in known) or any(each & WORDS for each in words)


def public() -> dict[str, Any]:
    """Public callables that take a network, module or study, by name."""
    return {
        name: call
        for name, call in public_callables().items()
        if (inspect.isclass(call) and issubclass(call, Method) and call not in (Method, MapMethod))
        or takes_a_network(call)
    }


# How each is called

STEPS = xw.PredictionDifference(window=4, samples=1, stride=4, sampler=xw.ConstantSampler(0.5))


def in_a_study(make: Callable[[xw.Study], Any]) -> Callable[[xw.Network], None]:
    """A call that follows a study until all that it computes is there."""

    def call(net: xw.Network) -> None:
        with xw.Study(net, arguments()["image"], 0, STEPS) as study:
            follower = make(study)
            try:
                for live in [study, *study._lives]:
                    live.wait(20)
                study.target = 1
                study.wait(20)
            finally:
                if hasattr(follower, "close"):
                    follower.close()

    return call


def by_method(name: str) -> Callable[[xw.Network], Iterator[Any]]:
    """A run of a method in steps."""
    if name == "XFeatureMaps":
        module = explanation_module()
        return lambda net: xw.XFeatureMaps(module).steps(
            net, arguments()["image"], module.facts.target
        )
    if name == "ImageSearch":
        search = xw.ImageSearch(arguments()["images"])
        return lambda net: search.steps(net, arguments()["image"], xw.Channel(1, 0))
    method, target = usual.METHODS[name]
    return lambda net: method.steps(net, arguments()["image"], target)


def fitted(study: xw.Study) -> Any:
    return study.x_features(
        arguments()["images"], layer="4", features=2, hidden=(6, 4), epochs=2, cache=False
    )


def painted(study: xw.Study) -> Any:
    regions = study.regions
    regions.mask = arguments()["mask"]
    return regions


def selected(study: xw.Study) -> Any:
    study.neurons.search_in(None)
    study.neurons.selected = arguments()["neurons"]
    return study.neurons


def compared(study: xw.Study) -> Any:
    comparison = xw.MethodComparison(study, [xw.Saliency(), xw.Occlusion(window=4, stride=4)])
    comparison.hear_randomise()
    return comparison


def bird_cases() -> list[Drawn]:
    return [Drawn(xw.scenes.bird(seed=3, size=SIDE))]


def figure(net: xw.Network) -> None:
    of, images = xw.reproduce.zintgraf2016, arguments()["images"]
    subject = of.Subject(
        net, dict(zip("abcd", images, strict=False)), xw.MarginalSampler(images),
        xw.ConstantSampler(0.5), (1, 2, 2),
    )  # fmt: skip
    of.Figures(subject, of.Setting("tiny", 1, 1, 4, 4, (1, 2, 4), feature_maps=3)).figure(1)


def drawn_once(net: xw.Network) -> None:
    inference = WholeInference(net, arguments()["image"], window=4)
    corners, contents = torch.tensor([[1, 2], [3, 0]]), torch.full((2, 3, 4, 4), 0.5)
    inference.outputs(corners, contents)
    IncrementalInference(inference).outputs(corners, contents)


def of_units(net: xw.Network) -> None:
    xw.unit_relevance(net, arguments()["image"], "3", 0, samples=2)


def fit(net: xw.Network) -> Iterator[Any]:
    inputs, targets = arguments()["images"], torch.full((24, 3), 0.5)
    return xw.lessons.fit(nn.Sequential(net.module, nn.Sigmoid()), inputs, targets, epochs=2)


def surveyed(net: xw.Network) -> None:
    with TemporaryDirectory() as folder:
        xw.survey(net, arguments()["images"], xw.Saliency(), folder, progress=False)


def explored(net: xw.Network) -> None:
    images = arguments()["images"]
    with TemporaryDirectory() as folder, xw.Study(net, images[0]) as study:
        xw.survey(net, images, xw.Saliency(), folder, progress=False)
        explorer = xw.SurveyExplorer(folder, images, study)
        explorer.growth.wait()
        explorer.selected, explorer.opened = [1, 2], 1
        explorer.close()


EXAMPLES: dict[str, Callable[[xw.Network], Any]] = {
    "ClassChooser": in_a_study(xw.ClassChooser),
    "ClassModelExplorer": in_a_study(
        lambda study: xw.ClassModelExplorer(study, (0,), iterations=2)),
    "Comparison": in_a_study(lambda study: xw.Comparison(study, study)),
    "ExplanationModule": lambda net: xw.x_features(
        net, explanation_module(), arguments()["image"]),
    "Explorer": in_a_study(xw.Explorer),
    "MethodComparison": in_a_study(compared),
    "MethodControls": in_a_study(xw.MethodControls),
    "Network": lambda net: xw.Network(net.module, size=net.size).layers,
    "NeuronExplorer": in_a_study(xw.NeuronExplorer),
    "NeuronRanking": in_a_study(xw.NeuronRanking),
    "ParameterControl": in_a_study(lambda study: xw.ParameterControl("window", study)),
    "PatchGallery": in_a_study(xw.PatchGallery),
    "PooledNetwork": lambda net: usual.begun(xw.pooled_network, net=net)(arguments()["images"]),
    "RegionPainter": in_a_study(xw.RegionPainter),
    "RelevanceOverlay": in_a_study(xw.RelevanceOverlay),
    "SurveyExplorer": explored,
    "Study": in_a_study(lambda study: study.at(window=5)),
    "TopImagesGallery": in_a_study(lambda study: xw.TopImagesGallery(study, k=2)),
    "WindowSlider": in_a_study(xw.WindowSlider),
    "XFeatureExplorer": in_a_study(lambda study: xw.XFeatureExplorer(
        study, arguments()["images"], layer="4", features=2, hidden=(6, 4), epochs=2, cache=False)),
    "incremental.IncrementalInference": drawn_once,
    "incremental.UnitInference": of_units,
    "incremental.WholeInference": drawn_once,
    "lessons.fit": fit,
    "lessons.parameters": lambda net: xw.lessons.parameters(net.module),
    "live.ClassModels": in_a_study(lambda study: study.class_models.move(iterations=2)),
    "live.DatasetSearch": in_a_study(lambda study: study.dataset_search),
    "live.MethodMaps": in_a_study(xw.live.MethodMaps),
    "live.Neurons": in_a_study(selected),
    "live.Question": lambda net: Question(
        Subject(net, arguments()["image"]), Class(0), xw.Saliency()).steps(),
    "live.Regions": in_a_study(painted),
    "live.XFeatureFit": in_a_study(fitted),
    "live.History": in_a_study(xw.live.History),
    "live.Pictures": in_a_study(xw.live.Pictures),
    "live.methods_for": in_a_study(xw.live.methods_for),
    "live.settings_of": in_a_study(xw.live.settings_of),
    "live.python_of": in_a_study(xw.live.python_of),
    "live.restore": in_a_study(
        lambda study: xw.live.restore(study, xw.live.settings_of(study))),
    "Panes": in_a_study(xw.Panes),
    "MethodChooser": in_a_study(xw.MethodChooser),
    "FillingComparison": in_a_study(xw.FillingComparison),
    "XFeatureComparison": in_a_study(
        lambda study: xw.XFeatureComparison(
            study, other=2, images=arguments()["images"], layer="4", features=2, hidden=(6, 4),
            epochs=2, cache=False)),
    "evaluate.drawn_without": lambda net: xw.evaluate.drawn_without(
        net, xw.scenes.bird(seed=3, size=SIDE), "beak"),
    "networks.Subject": lambda net: Subject(net, arguments()["image"]).target(None),
    "survey": surveyed,
    "reproduce.qi2018.heat_maps": lambda net: heat_maps(net, explanation_module(), bird_cases()),
    "reproduce.qi2018.heat_maps_of_score": lambda net: heat_maps_of_score(net, 0, bird_cases()),
    "reproduce.zintgraf2016.Figures": figure,
    "reproduce.zintgraf2016.Subject": figure,
}  # fmt: skip
"""Callables that are not called with usual arguments, by name."""


@cache
def known_calls() -> dict[str, Callable[[xw.Network], Any]]:
    calls = {}
    for name, call in public().items():
        if name in EXAMPLES:
            calls[name] = EXAMPLES[name]
        elif name in usual.METHODS or name in ("XFeatureMaps", "ImageSearch"):
            calls[name] = by_method(name)
        elif "net" in inspect.signature(call).parameters:
            calls[name] = lambda net, call=call: usual.begun(call, net=net)
    return calls


def ended(result: Any) -> Any:
    """A result; of steps, after the last of them."""
    if isinstance(result, Iterator):
        for _ in result:
            pass
    return result


def users() -> tuple[Fuse, xw.Network]:
    """A network of a module that is being trained, and what lets its passes fail."""
    fuse, images = Fuse(), arguments()["images"]
    module = users_module(fuse)
    net = xw.Network(
        module, size=(SIDE, SIDE), name="small", prepare_size=14, examples=lambda: images
    )
    net.sampler = xw.MarginalSampler(images)
    return fuse, net


class Left:
    """A network, and whether its module and all settings are left as they are now."""

    def __init__(self) -> None:
        self.fuse, self.net = users()
        self.module = self.net.module
        self.before = condition(self.module), settings()

    def check(self, what: str) -> None:
        module, others = condition(self.module), settings()
        for before, now in zip(self.before, (module, others), strict=True):
            changed = [name for name in before | now if before.get(name) != now.get(name)]
            assert not changed, what


@pytest.fixture(scope="module", autouse=True)
def prepared() -> None:
    explanation_module()
    torch.rand(1), np.random.rand(), random.random()


def test_every_public_callable_is_here() -> None:
    assert known_calls().keys() == public().keys()
    assert len(known_calls()) > 60


@pytest.mark.parametrize("name", sorted(known_calls()))
def test_it_stays_as_it_was(name: str) -> None:
    call, left = known_calls()[name], Left()
    ended(call(left.net))
    left.check("after a call")
    passes = left.fuse.passes
    for at, error in ((1, Broken), (passes // 2 + 1, KeyboardInterrupt)):
        left.fuse.set(at, error)
        with suppress(Broken, KeyboardInterrupt, RuntimeError, ValueError):
            ended(call(left.net))
        left.check(f"after {error.__name__} in pass {at} of {passes}")
    left.fuse.set()
    result = call(left.net)
    if isinstance(result, Iterator):
        next(result)
        left.check("between steps")
        close = getattr(result, "close", None)
        del result
        if close is not None:
            close()
        gc.collect()
        left.check("after steps that were left half-way")


QUICK = ["Occlusion", "class_model_steps", "deconvolve", "excitation_backprop", "neuron_patches",
         "prediction_difference_steps", "rank_neurons_steps", "saliency", "search_images_steps",
         "unit_relevance", "x_features"]  # fmt: skip


@pytest.mark.parametrize("name", QUICK)
def test_an_interrupt_at_any_time_leaves_the_module_as_it_was(name: str) -> None:
    call, left, seconds = known_calls()[name], Left(), 0.1
    interrupt = ctypes.pythonapi.PyThreadState_SetAsyncExc

    def run() -> None:
        with suppress(BaseException):
            ended(call(left.net))

    for share in (None, 0, 0.3, 0.6, 0.9):
        thread, begun = threading.Thread(target=run), time.perf_counter()
        thread.start()
        if share is None:
            thread.join()
            seconds = time.perf_counter() - begun
            continue
        time.sleep(share * seconds)
        interrupt(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(KeyboardInterrupt))
        thread.join()
        left.check(f"after {share:.0%}")


def test_in_any_mix_of_networks_studies_and_threads() -> None:
    left = Left()
    other = xw.Network(left.module, size=(SIDE, SIDE), name="small", examples=left.net.examples)
    nets = [left.net, other]
    faults: list[BaseException] = []

    def use(net: xw.Network, seed: int) -> None:
        order = random.Random(seed)
        for name in order.sample(QUICK, len(QUICK)):
            try:
                result = known_calls()[name](net)
                if isinstance(result, Iterator) and order.random() < 0.5:
                    next(result)
                else:
                    ended(result)
            except (Broken, RuntimeError):
                continue
            except BaseException as error:
                faults.append(error)

    left.fuse.set(40)
    with (
        xw.Study(nets[0], arguments()["image"], 0, STEPS) as first,
        xw.Study(nets[1], arguments()["image"], 1, xw.Saliency()) as second,
    ):
        threads = [threading.Thread(target=use, args=(nets[seed % 2], seed)) for seed in range(3)]
        for thread in threads:
            thread.start()
        for window in (6, 5, 4):
            first.window = window
            second.target = window % 3
        for study in (first, second):
            with suppress(Broken):
                study.wait(60)
        for thread in threads:
            thread.join()
    assert left.fuse.passes > 50
    assert not faults, faults
    gc.collect()
    left.check("after all of them")


def test_changes_are_seen() -> None:
    """Each of these would be, were it done by a call."""
    for change in (
        lambda module: module[1][0].train(not module[1][0].training),
        lambda module: module[0].weight.data.view(-1)[0].add_(1e-6),
        lambda module: module[0].bias.requires_grad_(False),
        lambda module: module[0].weight.grad.mul_(2),
        lambda module: setattr(module[0].weight, "grad", None),
        lambda module: setattr(module[0].bias, "grad", torch.zeros(4)),
        lambda module: module[1][0].running_mean.add_(1),
        lambda module: module[2].register_forward_hook(lambda *_: None),
        lambda module: module[0].weight.register_hook(lambda gradient: gradient),
        lambda module: setattr(module[3], "forward", lambda x: x),
        lambda module: delattr(module[3], "forward"),
        lambda module: setattr(module, "4", nn.ReLU()),
        lambda module: module[4].seen.append(1),
        lambda module: module[4].notes["of"].append("another"),
        lambda module: torch.rand(1),
    ):
        left = Left()
        change(left.module)
        with pytest.raises(AssertionError):
            left.check("after a change")
