"""Files in which one fact or array was changed: refused in a sentence, or shown like any other."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xwidgets as xw
from xwidgets.explain.explanation_module.features import Features
from xwidgets.reproduce import Figure
from xwidgets.results.result import Result

from ..widgets.pages import states
from . import examples

WRONG: list[Any] = [
    None, True, -1, 0, 0.5, -3.5, 10**6, 2**62, float("nan"), float("inf"), 10**30, "", "x", [],
    [1], ["x", None], [[0, 0, 1, 1]], {}, {"left": 1, "right": {}},
    {"left": {"label": 3}, "right": {}},
]  # fmt: skip
"""Values that replace a fact."""


def features() -> Features:
    rng = np.random.default_rng(0)
    return Features(
        values=rng.random((4, 3), np.float32), scores=rng.random((4, 2), np.float32),
        numbers=np.arange(4), total=5, network_name="small", layer="4",
    )  # fmt: skip


def map_of_difference() -> xw.Relevance:
    return xw.difference(examples.relevance(), examples.relevance(label="wren"))


RESULTS: dict[str, Callable[[], Result]] = {
    "relevance": lambda: examples.relevance(raw=np.ones((2, 3), np.float32), bias=0.25, mass=0.5),
    "difference": map_of_difference,
    "segmentation": examples.segmentation,
    "ranking": examples.ranking,
    "removal": examples.removal,
    "patch": examples.patch,
    "top images": examples.top_images,
    "units": examples.unit_relevance,
    "x-features": examples.x_features,
    "class model": examples.class_model,
    "features": features,
}


def changed(values: np.ndarray[Any, Any]) -> Iterator[Any]:
    """Wrong arrays in the place of one."""
    yield values[None]
    yield values[..., None]
    yield values[:0]
    yield values[:-1]
    yield np.concatenate([values, values[-1:]])
    yield values.swapaxes(0, -1)
    yield values.ravel()[0]
    with np.errstate(invalid="ignore"):
        for kind in (np.complex64, "U3", np.float16, np.int32, ">f4"):
            yield values.astype(kind)
    if values.dtype.kind in "if":
        yield np.full_like(values, -7)
        yield np.full_like(values, 10**6 if values.itemsize > 1 else 100)
    if values.dtype.kind == "f":
        for number in (np.nan, np.inf, -np.inf):
            yield np.full_like(values, number)


def files(path: Path, name: str = "facts") -> Iterator[str]:
    """Write a file in turn with each fact, and with each array, changed; yields what was done."""
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    facts = json.loads(str(arrays.pop(name)))

    def write(arrays: dict[str, Any], facts: Any) -> None:
        np.savez(path, **{name: np.array(json.dumps(facts))}, **arrays)

    for fact in facts:
        for value in WRONG:
            if json.dumps(value) != json.dumps(facts[fact]):
                write(arrays, facts | {fact: value})
                yield f"{fact} = {value!r}"
        write(arrays, {other: facts[other] for other in facts if other != fact})
        yield f"without {fact}"
    for value in WRONG:
        write(arrays, value)
        yield f"all facts = {value!r}"
    for array, values in arrays.items():
        for other in changed(values):
            write(arrays | {array: other}, facts)
            yield f"{array} = {np.asarray(other).dtype} {np.shape(other)}"
        write({other: arrays[other] for other in arrays if other != array}, facts)
        yield f"without {array}"


def show(result: Any, page: Path) -> None:
    """Everything that shows a result."""
    for name in ("title", "note", "completed", "contact", "crop", "neurons", "evidence_error"):
        getattr(result, name, None)
    repr(result)
    for name in ("png", "frame", "_repr_html_"):
        if hasattr(result, name):
            getattr(result, name)()
    match result:
        case xw.Relevance():
            result.box()
            xw.results.ends(result), xw.results.common_settings([result])
            views = [xw.RelevanceOverlay(result), xw.RelevanceGrid([[result]])]
        case xw.Ranking():
            views = [xw.NeuronRanking(result)] if result.completed == 1 else []
        case xw.NeuronPatch():
            views = [xw.PatchGallery([result])]
        case xw.ClassModel():
            views = [xw.ClassModelExplorer(result)]
        case xw.XFeatures():
            views = [xw.XFeatureExplorer(result)]
        case Figure():
            views = [xw.RelevanceGrid(result.cells, result.rows, result.columns, result.scale)]
        case _:
            views = []
    for view in views:
        view.to_html(page)
        view.close()
        assert states(page)


def loaded(load: Callable[[Path], Any], path: Path) -> tuple[Any, str]:
    """What a file holds, or ``None``, and what is wrong with how it was refused; "" for nothing."""
    try:
        return load(path), ""
    except ValueError as error:
        sentence = "\n" not in str(error) and str(path) in str(error)
        return None, "" if sentence else str(error)
    except Exception as error:
        return None, repr(error)


def test_a_damaged_header_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "damaged.npz"
    examples.relevance().save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for end in range(12, 90, 7):
        cut = {name: data[:end].ljust(len(data)) for name, data in members.items()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in cut.items():
                archive.writestr(name, data)
        with pytest.raises(ValueError, match=r"damaged\.npz") as caught:
            xw.Relevance.load(path)
        assert "\n" not in str(caught.value)


def test_an_array_that_claims_more_than_its_file_can_hold_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.npz"
    examples.relevance().save(path)
    with np.load(path, allow_pickle=False) as file:
        facts = file["facts"]
    np.savez(path, facts=facts, image=np.zeros((5, 7, 3), np.uint8))
    header = io.BytesIO()
    claim = {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**5)}  # of 400 GB
    np.lib.format.write_array_header_1_0(header, claim)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("values.npy", header.getvalue())
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"large\.npz.* claims to be of 400,000,000,128 bytes"):
            xw.Relevance.load(path)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", [*RESULTS, "figure"])
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_changed_file_is_refused_in_a_sentence_or_shown(tmp_path: Path, name: str) -> None:
    path, page = tmp_path / "changed.npz", tmp_path / "page.html"
    if name == "figure":
        picture, mask = examples.relevance().image, np.eye(3, dtype=bool)
        figure = Figure([[examples.relevance(), picture, mask]], ["row"], ["a", "b", "c"])
        figure.save(path, seed=1)
        load: Callable[[Path], Any] = lambda path: Figure.load(path, seed=1)  # noqa: E731
    else:
        result = RESULTS[name]()
        result.save(path)
        load = type(result).load
    show(load(path), page)
    raw, refused, shown = [], 0, 0
    for change in files(path, "figure" if name == "figure" else "facts"):
        again, fault = loaded(load, path)
        if again is None:
            refused += 1
            raw += [f"{change}: {fault}"] if fault else []
            continue
        try:
            show(again, page)
            shown += 1
        except Exception as error:
            raw.append(f"{change}, when shown: {error!r}")
    print(f"{name}: {refused} refused, {shown} shown, {len(raw)} raw")
    assert not raw, "\n".join(raw)
    assert refused > shown > 0
