"""Files that earlier builds wrote are read as they were written.

``tests/data`` has a folder for each build: its files, and in ``expected.json`` what they hold.
"""

import json
from dataclasses import asdict, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import xwidgets as xw
from xwidgets import results
from xwidgets.reproduce.figure import Figure
from xwidgets.results.names import Names
from xwidgets.results.result import Result

DATA = Path(__file__).parent.parent / "data"
LOADERS = {
    "prediction_difference.npz": xw.Relevance.load,
    "saliency.npz": xw.Relevance.load,
    "excitation_backprop.npz": xw.Relevance.load,
    "difference.npz": xw.Relevance.load,
    "ranking.npz": xw.Ranking.load,
    "region_removal.npz": xw.RegionRemoval.load,
    "unit_relevance.npz": xw.UnitRelevance.load,
    "neuron_patch.npz": xw.NeuronPatch.load,
    "top_images.npz": xw.TopImages.load,
    "x_features.npz": xw.XFeatures.load,
    "module.safetensors": xw.ExplanationModule.load,
    "sampler.safetensors": xw.ConditionalSampler.load,
    "names.json": Names.load,
    "figure.npz": lambda path: Figure.load(path, seed=0),
}
BUILDS = [path for path in sorted(DATA.iterdir()) if (path / "expected.json").exists()]


def told(value: Any) -> Any:
    """What something holds, in a form that JSON can hold, to the bit."""
    match value:
        case np.ndarray():
            digest = sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
            return {"dtype": str(value.dtype), "shape": list(value.shape), "sha256": digest}
        case torch.Tensor():
            return told(value.numpy())
        case list() | tuple():
            return [told(one) for one in value]
        case Result():
            known = {item.name: told(getattr(value, item.name)) for item in fields(value)}
            return known | {"repr": repr(value), "title": getattr(value, "title", None)}
        case xw.ExplanationModule():
            known = {"facts": asdict(value.facts), "fingerprint": value.fingerprint}
            return known | {"repr": repr(value), "weights": told(value.weights)}
        case xw.ConditionalSampler():
            known = {"mean": told(value.mean), "covariance": told(value.covariance)}
            return known | {"repr": repr(value)}
        case Names():
            return {"suggestions": value.suggestions()}
        case Figure():
            return {item.name: told(getattr(value, item.name)) for item in fields(value)}
        case _:
            return value


def kept(value: Any, expected: Any) -> Any:
    """Of ``value`` what is expected too, as later builds may tell more."""
    if isinstance(expected, dict) and isinstance(value, dict):
        return {name: kept(value[name], one) for name, one in expected.items() if name in value}
    if isinstance(expected, list) and isinstance(value, list) and len(value) == len(expected):
        return [kept(*pair) for pair in zip(value, expected, strict=True)]
    return value


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize("build", BUILDS, ids=lambda path: path.name)
def test_a_file_holds_what_was_written(build: Path, name: str) -> None:
    expected = json.loads((build / "expected.json").read_text("utf-8"))[name]
    loaded = json.loads(json.dumps(told(LOADERS[name](build / name))))
    assert kept(loaded, expected) == expected


@pytest.mark.parametrize("build", BUILDS, ids=lambda path: path.name)
def test_names_are_those_of_the_x_features(build: Path) -> None:
    found = xw.XFeatures.load(build / "x_features.npz")
    opinion = Names.load(build / "names.json").of(found)
    assert opinion == (["<b>beak</b>", "Flügel"], ["trust", ""])
    assert xw.ExplanationModule.load(build / "module.safetensors").fingerprint == found.module


def test_every_kind_of_result_is_there() -> None:
    public = [getattr(results, name) for name in results.__all__]
    kinds = {one for one in public if isinstance(one, type) and issubclass(one, Result)}
    (build, *_) = BUILDS
    loaded = [load(build / name) for name, load in LOADERS.items()]
    assert {type(one) for one in loaded} >= kinds
    assert {path.name for path in build.iterdir()} == {*LOADERS, "expected.json"}
