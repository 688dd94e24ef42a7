"""Files that earlier builds wrote are read as they were written.

``tests/data`` has a folder for each build: its files, and in ``expected.json`` what they hold.
"""

import json
from pathlib import Path
from typing import Any

import pytest

import xwidgets as xw
from tests.data.contents import LOADERS, told
from xwidgets import results
from xwidgets.results.names import Names
from xwidgets.results.result import Result

DATA = Path(__file__).parent.parent / "data"
BUILDS = [path for path in sorted(DATA.iterdir()) if (path / "expected.json").exists()]


def kept(value: Any, expected: Any) -> Any:
    """Of ``value`` what is expected too, as later builds may tell more."""
    if isinstance(expected, dict) and isinstance(value, dict):
        return {name: kept(value[name], one) for name, one in expected.items() if name in value}
    if isinstance(expected, list) and isinstance(value, list) and len(value) == len(expected):
        return [kept(*pair) for pair in zip(value, expected, strict=True)]
    return value


@pytest.mark.filterwarnings("error::DeprecationWarning")
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
    assert {type(one) for one in loaded} >= kinds - {xw.Segmentation}  # which is newer
    assert {path.name for path in build.iterdir()} == {*LOADERS, "expected.json"}


@pytest.mark.parametrize(("name", "signed"), [("saliency", False), ("prediction_difference", True)])
def test_a_map_of_saliency_has_no_sign_though_no_file_of_then_says_so(name, signed) -> None:
    assert xw.Relevance.load(DATA / "0.1.0" / f"{name}.npz").signed is signed
