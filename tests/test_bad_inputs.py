"""Every parameter of public functions, methods and views against a list of wrong values.

What is wrong follows from the annotation: a value of none of its types, numbers that are NaN or
infinite, counts below 0. It is answered with one clear sentence of this package; what is of a right
type may also be taken, and then works. ``pytest -s`` prints the counts.
"""

import inspect
import json
import linecache
import math
import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import traitlets
from ipywidgets import Widget
from torch import nn

import xwidgets as xw
from xwidgets.box import Box
from xwidgets.explain import Method
from xwidgets.images.scenes import Point
from xwidgets.incremental import WholeInference
from xwidgets.reproduce.qi2018.cases import Drawn
from xwidgets.results.result import Result

from .results import examples
from .test_hostile_labels import study_of, views_of
from .usual import SIDE, arguments, classifier, explanation_module, network, public_callables


class Strange:
    """A thing that nothing takes."""

    def __repr__(self) -> str:
        return "<strange>"


WRONG: list[Any] = [
    None, True, "nonsense", b"x", 1.5, math.nan, math.inf, -1, 0, 2**70, [], {}, Strange(),
    np.zeros((2, 2, 2, 2, 2)),
]  # fmt: skip
TYPES: list[tuple[Any, str]] = [
    (type(None), "None Target Node"), (bool, "bool"),
    (str, "str Path Literal Target Node Searched"), (int, "int float Target Node Searched"),
    (float, "float"),
    (list, "list tuple Sequence Iterable Collection ArrayLike"),
    (dict, "dict Mapping Iterable Collection"), (np.ndarray, "NDArray ndarray Tensor ArrayLike"),
]  # fmt: skip
"""By type of a value, words of the annotations that it is right for."""

PACKAGE = str(Path(xw.__file__).parent)
NEVER = {
    "image",
    "images",
    "net",
    "subject",
    "study",
    "studies",
    "module",
    "source",
    "convolution",
    "lab",
    "frame",
    "x_features",
    "seen",
    "cases",
    "scene",
    "points",
    "box",
    "training",
    "held_out",
    "whole",
    "read",
    "inputs",
    "targets",
    "table",
    "pictures",
    "marginal",
    "conditional",
    "masks",
}
"""Parameters for which each of these values is wrong, but for a default."""


def records(value: Any) -> bool:
    """Whether it only holds what was computed, or is a protocol."""
    if not inspect.isclass(value) or issubclass(value, Method):
        return False
    checks = "__post_init__" in vars(value) and not issubclass(value, Result)
    fields = hasattr(value, "_fields") or (is_dataclass(value) and not checks)
    return fields or getattr(value, "_is_protocol", False)


def public() -> dict[str, Any]:
    """Public callables, by name."""
    return {name: call for name, call in public_callables().items() if not records(call)}


def is_right(value: Any, parameter: inspect.Parameter) -> bool:
    """Whether a value is of a type that the annotation has, and may be accepted."""
    if value is parameter.default:
        return True
    words = {*re.findall(r"\w+", str(parameter.annotation))}
    named = isinstance(value, str) and "str" in words
    if (parameter.name in NEVER and not named) or isinstance(value, bytes):
        return False
    if words & {"object", "Any"}:
        return True
    if isinstance(value, float) and not math.isfinite(value):
        return False
    if isinstance(value, bool):
        return "bool" in words
    if isinstance(value, int) and "float" not in words and not 0 <= value < 2**63:
        return False
    return any(isinstance(value, kind) and words & {*right.split()} for kind, right in TYPES)


def outcome(call: Callable[[], Any], value: Any, parameter: inspect.Parameter) -> str:
    """ "sentence", "taken", or what is wrong with the answer."""
    try:
        call()
    except Exception as error:
        (*_, last) = traceback.extract_tb(error.__traceback__)
        line = linecache.getline(last.filename, last.lineno or 0).strip()
        ours = last.filename.startswith(PACKAGE) and line.startswith("raise")
        if ours and isinstance(error, ValueError | OSError) and "\n" not in str(error):
            return "sentence"
        place = f"{Path(last.filename).name}:{last.lineno}"
        return f"raw {type(error).__name__} at {place}: {error}"
    return "taken" if is_right(value, parameter) else "silently taken"


LATER = {
    ("live.XFeatureFit", "images"),
    ("NeuronExplorer", "images"),
    ("PatchGallery", "images"),
    ("XFeatureExplorer", "images"),
    ("XFeatureComparison", "images"),
}
"""Read beside the view, which shows what is wrong with them."""

OTHERS = {
    "ExplanationModule",
    "PooledNetwork",  # made by what fits them
    "live.LiveResult",
    "live.LiveResults",
    "live.Difference",  # made by a study, or a view of two
    "explain.MapMethod",
    "explain.Method",  # for new methods
    "explain.layer_parameter",
    "explain.parameter",
    "reproduce.lengerich2017.reproduce",
    "reproduce.qi2018.reproduce",  # the steps to their end
}
"""Callables that this table leaves out."""

TARGETS = {
    "Deconvnet": xw.Channel("3", 1), "NeuronPatches": xw.Channel("3", 1), "UnitDifference": 1,
    "ImageSearch": xw.Channel("3", 1), "XFeatureMaps": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def usual() -> Iterator[dict[str, Any]]:
    """Usual arguments, by name of the parameter."""
    relevance = examples.relevance(values=np.arange(35, dtype=np.float32).reshape(5, 7))
    net = network()
    target = int(net(net.examples()).argmax(1).mode().values)
    study = xw.Study(net, arguments()["image"], target, xw.Saliency())
    study.wait()
    whole = WholeInference(net, arguments()["image"], 4)
    yield arguments() | {
        "net": net, "subject": study, "study": study, "relevance": relevance,
        "left": relevance, "right": relevance, "result": relevance, "results": [[relevance]],
        "found": [examples.x_features()], "parts": ["beak", "tail"], "name": "birds",
        "heat_map": np.ones((SIDE, SIDE)), "gamma": 0.1, "a": [("l", 1)], "b": [("l", 1)],
        "overlap": 0.5, "where": np.eye(5, 7, dtype=bool), "patches": [examples.patch()],
        "pictures": xw.live.Pictures(study), "settings": xw.live.settings_of(study),
        "text": xw.images.coded(arguments()["image"]),
        "region": np.eye(64, dtype=bool), "values": np.ones((64, 64)), "index": 1,
        "module": explanation_module(), "source": np.zeros((SIDE, SIDE, 3), np.uint8),
        "shares": np.ones((2, 2, 3)), "points": [Point(1, 1, True)], "box": Box(0, 0, 4, 4),
        "size": 8, "masks": [np.eye(4, dtype=bool)], "training": PATCHES, "held_out": PATCHES,
        "whole": whole, "read": net.classify, "seeds": [3], "kind": "birds", "numbers": 4,
        "filter": (1.0, 2.0), "prediction": 1, "truth": 1, "why": "It is one.",
        "methods": [xw.Saliency()], "labels": [0, 1] * 12, "label": 0,
        "inputs": torch.rand(4, 2), "cells": [[relevance]], "rows": ["a"], "columns": ["a"],
        "frame": pd.DataFrame({"a": [1.0, 2.0]}), "by": "a", "differences": [1.0, 2.0],
        "cases": [Drawn(xw.scenes.bird(seed=3, size=SIDE))], "x_features": None,
    }  # fmt: skip
    study.close()


PATCHES = [([np.full((4, 4, 3), 100 * label, np.uint8)], label) for label in (0, 1)]

OWN: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "Network": lambda known: {"module": classifier()},
    "Group": lambda known: {"parts": {}},
    "evaluate.drawn_without": lambda known: {
        "net": xw.network("birds"), "scene": xw.scenes.bird(seed=3), "part": "beak"},
    "results.common_settings": lambda known: {"results": [known["relevance"]]},
    "results_page": lambda known: {"results": [known["relevance"]]},
    "evaluate.part_shares": lambda known: {"maps": np.ones((2, 3, 4)), "parts": np.ones((1, 3, 4))},
    "evaluate.point_shares": lambda known: {"maps": np.ones((2, 3, 4))},
    "evaluate.orthogonality": lambda known: {"maps": np.ones((2, 3, 4))},
    "evaluate.voronoi_parts": lambda known: {"size": (8, 8)},
    "ParameterControl": lambda known: {"name": "reduce"},
    "evaluate.part_deletion": lambda known: {"net": xw.network("birds")},
    "reproduce.qi2018.localities": lambda known: {"maps": np.ones((1, 2, SIDE, SIDE))},
    "reproduce.zintgraf2016.photographs": lambda known: {"images": None},
    "reproduce.zintgraf2016.Figures": lambda known: {"subject": "street"},
    "evaluate.patch_accuracy": lambda known: {"size": 16, "epochs": 1},
    "incremental.UnitInference": lambda known: {"layer": "3"},
    "lessons.fit": lambda known: {
        "module": nn.Sequential(nn.Linear(2, 1), nn.Sigmoid()), "targets": torch.rand(4, 1)},
    "lessons.overlap": lambda known: dict.fromkeys(["masks", "predicted"], torch.ones(2, 1, 4, 4)),
    "lessons.parameters": lambda known: {"module": classifier()},
    "reproduce.spread_table": lambda known: {"columns": ["a"]},
    "survey": lambda known: {"folder": "survey"},
}  # fmt: skip
"""Arguments of calls that mean something else by a name."""


def given(name: str, known: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a call: those that are required, and of some that make it quick."""
    call = public()[name]
    signature = inspect.signature(call).parameters
    quick = {"samples", "sigma", "stride", "window", "minimum", "cache", "progress", "epochs",
             "iterations", "mask", "images", "module", "methods"}  # fmt: skip
    if call in (xw.Saliency, xw.saliency):
        quick -= {"samples", "sigma"}
    chosen = {
        name: known[name]
        for name, item in signature.items()
        if name in known
        and (item.default is item.empty or name in quick)
        and item.kind is not item.VAR_KEYWORD
    }
    if "removed_layer" in signature:
        chosen.pop("layer", None)
    return chosen | (OWN[name](known) if name in OWN else {})


def answered(name: str, known: dict[str, Any]) -> Callable[..., Any]:
    """A call of a function, of a generator to its end; of a view; or a method's preparation."""
    call = public()[name]
    studies = [known["study"]] if name in ("ParameterControl", "WindowSlider") else []

    def answer(studies: list[Any] = studies, **changed: Any) -> None:
        result = call(
            *([changed.pop("name")] if "name" in changed and studies else []), *studies, **changed
        )
        if isinstance(result, Method):
            result.validate(known["net"], known["image"], TARGETS.get(name, 0))
            result.steps(known["net"], known["image"], TARGETS.get(name, 0))
        elif inspect.isgenerator(result) and not name.startswith("reproduce."):
            next(result, None)
        elif hasattr(result, "close"):
            result.close()

    return answer


def parameters(name: str, right: dict[str, Any]) -> Iterator[inspect.Parameter]:
    """Parameters of a callable for which all others that are required are known."""
    known = [
        item
        for item in inspect.signature(public()[name]).parameters.values()
        if item.kind is not item.VAR_KEYWORD
    ]
    missing = {
        item.name
        for item in known
        if item.default is item.empty and item.kind is not item.VAR_POSITIONAL
    } - right.keys()
    yield from (item for item in known if missing <= {item.name} and (name, item.name) not in LATER)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(public().keys() - OTHERS))
def test_what_is_wrong_is_answered_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usual: dict[str, Any], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer, right = answered(name, usual), given(name, usual)
    tried = [*parameters(name, right)]
    if len(tried) > 1:
        answer(**right)
    counts: Counter[str] = Counter()
    faults = []
    for parameter in tried:
        for value in WRONG:
            several = parameter.kind is parameter.VAR_POSITIONAL
            changed = right | {parameter.name: [value] if several else value}
            told = outcome(lambda changed=changed: answer(**changed), value, parameter)
            counts[told.partition(" ")[0]] += 1
            if told not in ("sentence", "taken"):
                faults.append(f"{parameter.name}={' '.join(repr(value).split())}: {told}")
    print(name, dict(counts))
    assert not faults, "\n".join(faults)


# Traits of studies, of what computes behind views, and of views


def traits_of(owner: traitlets.HasTraits) -> list[str]:
    """Traits that the class documents as its attributes, and lets one set."""
    known = re.search(r"Attributes:\n(.*?)\n\n", f"{inspect.getdoc(type(owner))}\n\n", re.DOTALL)
    lines = re.findall(r"^    (\w[\w, ]*):", known[1] if known else "", re.MULTILINE)
    names = [name for line in lines for name in line.split(", ")]
    return [name for name in names if owner.has_trait(name) and not owner.traits()[name].read_only]


def check_usable(owner: traitlets.HasTraits) -> None:
    """Raise an error unless it can be shown, or computes."""
    if isinstance(owner, Widget):
        json.dumps(owner.get_state(), default=lambda value: len(value), allow_nan=False)
        if hasattr(owner, "preview"):
            owner.preview()
    for live in [owner, *vars(owner).values()]:
        if isinstance(live, xw.Study | xw.live.LiveResult):
            live.wait(30)


def trait_outcome(owner: traitlets.HasTraits, name: str, value: Any) -> str:
    """ "sentence", "taken", or what is wrong with the answer to a value that a trait is set to."""
    before, kind = getattr(owner, name), owner.traits()[name]
    try:
        setattr(owner, name, value)
    except Exception as error:
        right = isinstance(error, traitlets.TraitError | ValueError | OSError)
        if not right or "\n" in str(error):
            (*_, last) = traceback.extract_tb(error.__traceback__)
            return (
                f"raw {type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {error}"
            )
        return "sentence" if getattr(owner, name) is before else f"changed, though refused: {error}"
    try:
        check_usable(owner)
        numbers = isinstance(kind, traitlets.Int | traitlets.Float) and isinstance(value, bool)
        return "silently taken" if numbers else "taken"
    except Exception as error:
        return f"breaks it: {type(error).__name__}: {error}"
    finally:
        setattr(owner, name, before)


def owners(study: xw.Study) -> list[traitlets.HasTraits]:
    """A study, what computes beside it, and one of every view."""
    fit = study.x_features(arguments()["images"], layer="4", features=2, epochs=2, cache=False)
    beside = [study.class_models, study.dataset_search, study.neurons, study.regions, fit]
    views = {type(view): view for view in views_of("ant", study_of("ant"))}
    return [study, *beside, *views.values()]


@pytest.mark.filterwarnings("ignore")
def test_what_is_wrong_for_a_trait_is_answered_in_a_sentence(usual: dict[str, Any]) -> None:
    counts: Counter[str] = Counter()
    faults = []
    for owner in owners(usual["study"]):
        for name in traits_of(owner):
            for value in [*WRONG[:-1], np.zeros(3)]:
                told = trait_outcome(owner, name, value)
                counts[told.partition(" ")[0]] += 1
                if told not in ("sentence", "taken"):
                    shown = " ".join(repr(value).split())
                    faults.append(f"{type(owner).__name__}.{name}={shown}: {told}")
    print("traits", dict(counts))
    assert counts["sentence"] > 500
    assert not faults, "\n".join(faults)
