from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import torch

import xwidgets as xw
from xwidgets.results.numbers import number
from xwidgets.widgets.charts import Curves, FittingCurves, LikenessCurves

TABLE = pd.DataFrame(
    {"seed": [0, 0, 0, 1, 1], "epoch": [0, 1, 2, 0, 1], "accuracy": [0.2, 0.4, 0.9, 0.4, 0.8]}
)
PUBLISHED = pd.DataFrame({"accuracy": [0.35, 0.89]}, index=["first", "last"])


def test_the_mean_is_strong_and_every_repetition_light() -> None:
    curves = Curves({"accuracy": "net"}, x="epoch", published=PUBLISHED)
    curves.show(TABLE)
    [light, mean, points] = curves.marks
    np.testing.assert_allclose(mean.x, [0, 1, 2])
    np.testing.assert_allclose(mean.y, [0.3, 0.6, 0.9])
    np.testing.assert_allclose(light.x, [0, 1, 2, 2] * 2)
    np.testing.assert_allclose(light.y, [0.2, 0.4, 0.9, np.nan, 0.4, 0.8, np.nan, np.nan])
    assert mean.stroke_width > light.stroke_width
    assert mean.labels == ["net"]
    assert mean.colors == light.colors == points.colors
    np.testing.assert_allclose(points.x, [0, 2])
    np.testing.assert_allclose(points.y, [0.35, 0.89])


def test_nothing_is_drawn_or_told_before_there_are_values() -> None:
    curves = Curves({"accuracy": "net"}, x="epoch", published=PUBLISHED, title="Figure 2")
    assert curves.preview()["text/plain"] == "Figure 2"
    assert not any(np.isfinite(mark.y).any() for mark in curves.marks)
    assert "<circle" not in curves.svg()
    assert ">net</text>" in curves.svg()
    curves.show(TABLE)
    assert curves.preview()["text/plain"] == f"Figure 2; net ends at {number(0.9)}"


def test_a_table_grows_from_one_row() -> None:
    curves = Curves({"accuracy": "net"}, x="epoch")
    for rows in range(1, 6):
        curves.show(TABLE.head(rows))
        assert len(curves.means["accuracy"].x) == min(rows, 3)
    assert len(curves.marks) == 2


@pytest.mark.filterwarnings(r"ignore:\d+ images are fewer")
def test_fitting_is_followed_epoch_by_epoch_and_class_by_class(study: xw.Study) -> None:
    images = torch.rand(60, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    options = {"features": 2, "hidden": (8, 4), "cache": False}
    with study._worker.lock:
        followed = {
            "SRAE": study.x_features(images, epochs=4, **options),
            "NN": study.x_features(images, epochs=6, method="nn", **options),
        }
        curves = FittingCurves(followed)
    later = next(one for one in study.network(images).argmax(1).tolist() if one != study.target)
    for target in (study.target, later):
        study.target = target
        for name, fit in followed.items():
            fit.wait()
            fitting = fit.fitting.answer
            line = curves.errors[name]
            np.testing.assert_array_equal(line.x, range(1, fitting.epoch + 1))
            np.testing.assert_array_equal(line.y, fitting.errors[:, 0])
            np.testing.assert_array_equal(curves.losses[name].y, fitting.losses[:, 0])


@pytest.mark.filterwarnings(r"ignore:\d+ images are fewer")
def test_what_was_fitted_before_is_shown_at_once(study: xw.Study) -> None:
    images = torch.rand(60, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    fit = study.x_features(images, epochs=3, hidden=(8, 4), cache=False)
    fit.wait()
    assert len(FittingCurves({"SRAE": fit}).errors["SRAE"].y) == 3


def correlation(maps: np.ndarray) -> float:
    """The mean correlation of two maps that are not silent, by a loop."""
    active = [one.ravel().astype(float) for one in maps if one.any()]
    pairs = [
        np.mean((a - a.mean()) * (b - b.mean())) / a.std() / b.std()
        for i, a in enumerate(active)
        for b in active[:i]
    ]
    return float(np.mean(pairs)) if pairs else np.nan


@pytest.mark.filterwarnings(r"ignore:\d+ images are fewer")
def test_likeness_is_that_of_the_maps_shown_and_begins_anew_with_them(study: xw.Study) -> None:
    images = torch.rand(60, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    seen: list[tuple[int, float]] = []
    with study._worker.lock:
        fit = study.x_features(
            images, epochs=300, patience=300, learning_rate=1e-4, hidden=(8, 4), cache=False
        )
        line = LikenessCurves({"SRAE": fit}).means["SRAE"]

        def note(_: object) -> None:
            found, look = fit.found.answer, fit.found.question
            if found is not None:
                epoch = len(look.method.module.facts.curves["error"])
                seen.append((epoch, correlation(found.maps)))

        fit.found.observe(note, "answer")
    fit.wait()
    assert len(seen) > 1
    np.testing.assert_allclose(np.array([line.x, line.y]).T, seen, atol=1e-6)
    epochs = [epoch for epoch, _ in seen]
    assert epochs == sorted({*epochs})
    labels = study.network(images).argmax(1)
    study.image = images[labels == study.target][0]
    last = fit.wait()
    assert line.x.tolist() == [fit.fitting.answer.epoch]
    np.testing.assert_allclose(line.y, [correlation(last.maps)], atol=1e-6)


def polylines(svg: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(svg).findall(".//{http://www.w3.org/2000/svg}polyline")


def test_a_chart_is_written_as_it_is_shown(tmp_path: Path) -> None:
    curves = Curves({"accuracy": "a <net>"}, x="epoch", published=PUBLISHED, title="Figure 2")
    curves.show(TABLE)
    curves.to_svg(tmp_path / "figure.svg")
    svg = (tmp_path / "figure.svg").read_text("utf-8")
    light, again, mean = polylines(svg)
    counts = [len(line.get("points").split()) for line in (light, again, mean)]
    assert counts == [3, 2, 3]
    assert [line.get("stroke-opacity") for line in (light, mean)] == ["0.4", "1"]
    assert {line.get("stroke") for line in (light, again, mean)} == {
        curves.means["accuracy"].colors[0]
    }
    assert svg.count("<circle") == 2
    for text in ("Figure 2", "a &lt;net&gt;", ">epoch<", ">0.8<"):
        assert text in svg


@pytest.mark.filterwarnings(r"ignore:\d+ images are fewer")
def test_both_axes_of_a_fit_are_drawn_and_a_saved_notebook_keeps_it(study: xw.Study) -> None:
    images = torch.rand(60, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    fit = study.x_features(images, epochs=3, hidden=(8, 4), cache=False)
    fit.wait()
    curves = FittingCurves({"SRAE": fit}, title="Fit")
    error, loss = polylines(curves.svg())
    assert loss.get("stroke-dasharray")
    assert not error.get("stroke-dasharray")
    assert "held-out error (solid)" in curves.svg()
    assert "loss (dashed)" in curves.svg()
    data, metadata = curves._repr_mimebundle_()
    assert data["image/svg+xml"] == curves.svg()
    assert "application/vnd.jupyter.widget-view+json" in data
    last = number(float(curves.errors["SRAE"].y[-1]))
    assert metadata["image/svg+xml"] == {"alt": f"Fit; SRAE ends at {last}"}
    empty = LikenessCurves({})
    assert empty.preview()["text/plain"] == ""
    assert empty.svg().startswith("<svg")
