"""Every parameter of public functions, methods and views against a list of wrong values.

What is wrong follows from the annotation: a value of none of its types, numbers that are NaN or
infinite, counts below 0. It is answered with one clear sentence of this package; what is of a right
type may also be taken, and then works. ``pytest -s`` prints the counts.
"""

import inspect
import linecache
import math
import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xwidgets as xw
from xwidgets.explain import Method

from .results import examples
from .usual import SIDE, arguments, classifier, explanation_module, network


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
    (list, "list tuple Sequence Iterable ArrayLike"),
    (dict, "dict Mapping Iterable"), (np.ndarray, "NDArray Tensor ArrayLike"),
]  # fmt: skip
"""By type of a value, words of the annotations that it is right for."""

PACKAGE = str(Path(xw.__file__).parent)
ROOMS = xw, xw.evaluate, xw.explain, xw.live, xw.networks, xw.results, xw.widgets
NEVER = {"image", "images", "net", "subject", "study", "module", "source", "convolution"}
"""Parameters for which each of these values is wrong, but for a default."""


def records(value: Any) -> bool:
    """Whether it only holds what was computed."""
    fields = hasattr(value, "_fields") or hasattr(value, "__dataclass_fields__")
    return fields and not (inspect.isclass(value) and issubclass(value, Method))


def public() -> dict[str, Any]:
    """Public callables, by name."""
    known = {name: getattr(room, name) for room in ROOMS for name in room.__all__}
    return {name: value for name, value in known.items() if callable(value) and not records(value)}


def is_right(value: Any, parameter: inspect.Parameter) -> bool:
    """Whether a value is of a type that the annotation has, and may be accepted."""
    if value is parameter.default:
        return True
    if parameter.name in NEVER or isinstance(value, bytes):
        return False
    words = {*re.findall(r"\w+", str(parameter.annotation))}
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


LATER = {("NeuronExplorer", "images"), ("PatchGallery", "images"), ("XFeatureExplorer", "images"),
         ("XFeatureComparison", "images")}  # fmt: skip
"""Read beside the view, which shows what is wrong with them."""

OTHERS = {
    "ExplanationModule", "PooledNetwork",  # made by what fits them
    "ClassModels", "DatasetSearch", "Difference", "LiveResult", "LiveResults", "MethodMaps",
    "Neurons", "Regions", "XFeatureFit",  # made by the views
    "MapMethod", "Method", "Sampler", "layer_parameter", "parameter",  # for new methods
    "MethodControls", "ParameterControl", "WindowSlider",  # several studies, or keywords
    "MethodComparison",  # minutes
    "drawn_without", "locality", "mask_parts", "orthogonality", "part_deletion", "part_shares",
    "patch_accuracy",
    "point_shares", "voronoi_parts",  # structures of their own
}  # fmt: skip
"""Callables that this table leaves out."""

TARGETS = {
    "Deconvnet": xw.Channel("3", 1), "NeuronPatches": xw.Channel("3", 1), "UnitDifference": 1,
    "ImageSearch": xw.Channel("3", 1), "XFeatureMaps": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def usual() -> Iterator[dict[str, Any]]:
    """Usual arguments, by name of the parameter."""
    relevance = examples.relevance(values=np.arange(35, dtype=np.float32).reshape(5, 7))
    study = xw.Study(network(), arguments()["image"], 0, xw.Saliency())
    study.wait()
    yield arguments() | {
        "net": network(), "subject": study, "study": study, "relevance": relevance,
        "left": relevance, "right": relevance, "result": relevance, "results": [[relevance]],
        "found": [examples.x_features()], "parts": ["beak", "tail"], "name": "birds",
        "heat_map": np.ones((SIDE, SIDE)), "gamma": 0.1, "a": [("l", 1)], "b": [("l", 1)],
        "overlap": 0.5, "where": np.eye(5, 7, dtype=bool), "patches": [examples.patch()],
        "pictures": xw.live.Pictures(study), "settings": xw.live.settings_of(study),
        "text": xw.images.coded(arguments()["image"]),
        "region": np.eye(64, dtype=bool), "values": np.ones((64, 64)), "index": 1,
        "module": explanation_module(), "source": np.zeros((SIDE, SIDE, 3), np.uint8),
    }  # fmt: skip
    study.close()


def given(call: Any, known: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a call: those that are required, and of some that make it quick."""
    signature = inspect.signature(call).parameters
    quick = {"samples", "sigma", "stride", "window", "minimum", "cache", "progress", "epochs",
             "iterations", "mask", "images", "module"}  # fmt: skip
    if call in (xw.Saliency, xw.saliency):
        quick -= {"samples", "sigma"}
    chosen = {
        name: known[name]
        for name, item in signature.items()
        if name in known and (item.default is item.empty or name in quick)
    }
    if call is xw.Network:
        chosen["module"] = classifier()
    if call is xw.Group:
        chosen["parts"] = {}
    if call is xw.results.common_settings:
        chosen["results"] = [known["relevance"]]
    if "removed_layer" in signature:
        chosen.pop("layer", None)
    return chosen


def answered(name: str, known: dict[str, Any]) -> Callable[..., Any]:
    """A call of a function, of a generator to its end; of a view; or a method's preparation."""
    call = public()[name]

    def answer(**changed: Any) -> None:
        result = call(**changed)
        if isinstance(result, Method):
            result.validate(known["net"], known["image"], TARGETS.get(name, 0))
            result.steps(known["net"], known["image"], TARGETS.get(name, 0))
        elif inspect.isgenerator(result):
            next(result, None)
        elif hasattr(result, "close"):
            result.close()

    return answer


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(public().keys() - OTHERS))
def test_what_is_wrong_is_answered_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usual: dict[str, Any], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    call, answer = public()[name], answered(name, usual)
    right = given(call, usual)
    answer(**right)
    counts: Counter[str] = Counter()
    faults = []
    for parameter in inspect.signature(call).parameters.values():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if (name, parameter.name) in LATER:
            continue
        for value in WRONG:
            changed = right | {parameter.name: value}
            told = outcome(lambda changed=changed: answer(**changed), value, parameter)
            counts[told.partition(" ")[0]] += 1
            if told not in ("sentence", "taken"):
                faults.append(f"{parameter.name}={' '.join(repr(value).split())}: {told}")
    print(name, dict(counts))
    assert not faults, "\n".join(faults)
