"""The experiments: against their parts put together by hand, interrupted, and in words."""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import xwidgets as xw
from xwidgets.evaluate import orthogonality
from xwidgets.explain.explanation_module import METHODS, ExplanationModule
from xwidgets.images.scenes import Point
from xwidgets.images.scenes.birds import PARTS
from xwidgets.reproduce import qi2018
from xwidgets.reproduce.qi2018 import (
    COLUMNS,
    SETTINGS,
    HeatMaps,
    Laboratory,
    Reproduction,
    Setting,
    Trial,
    best_and_worst,
    cross_validated,
    experiments,
    findings,
    folds,
    heat_maps,
    localities,
    measures,
)
from xwidgets.reproduce.qi2018.cases import Photographed, cub_birds, drawn_birds
from xwidgets.reproduce.qi2018.part_pictures import parts_picture, points_picture

from .cub_copy import write_copy

TRIALS = (
    Trial("srae", "kl", "beta", (0.01, 1.0)),
    Trial("nn", "none", "weight_decay", (1e-4, 0.1)),
    Trial("lasso", "none", "n", (5,)),
)
SMALL = {
    "counts": (3,), "allowed": (5,), "variants": ((None, "srae", 1.0),), "tuned": TRIALS,
    "tuned_classes": (2, 3), "folds": 2,
}  # fmt: skip
TINY = Setting("tiny", (2, 3), 2, 200, 3, 1, epochs=3, **SMALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def lab(folder: Path) -> Laboratory:
    return Laboratory(TINY, folder, cache=folder)


@pytest.fixture(scope="module")
def found(lab: Laboratory) -> Reproduction:
    *_, found = qi2018.steps_of(lab)
    return found


# The tables


def test_every_class_seed_and_method_has_a_row(found: Reproduction) -> None:
    rows = found.table.set_index(["method", "seed", "class"]).index
    expected = {
        (method, seed, label)
        for method in COLUMNS
        for seed in range(1 if method == "excitation" else 2)
        for label in (2, 3)
    }
    assert rows.is_unique
    assert {*rows} == expected
    faithful = found.table.set_index("method").filter(like="f_")
    assert faithful.loc[list(METHODS)].notna().all(axis=None)
    assert faithful.drop(index=list(METHODS)).isna().all(axis=None)
    assert len(found.x_features) > 4
    assert found.lasso["chosen"].le(found.lasso["allowed"]).all()
    assert [len(found.degenerate), len(found.variants), len(found.shift)] == [4, 2, 6]
    assert len(found.masked) == 2 * 2 * 4 * 4
    assert len(found.tuned) == 3 * 2 * 2


def test_a_row_of_table_1_is_of_its_parts(lab: Laboratory, found: Reproduction) -> None:
    module, cases = lab.modules("srae", seed=1)[3], lab.material.cases[3]
    row = found.table.set_index(["method", "seed", "class"]).loc["srae", 1, 3]
    faithful = xw.evaluate.faithfulness(lab.net, module, lab.material.fresh)
    assert row["f_reg_fresh"] == pytest.approx(faithful.f_reg, abs=1e-4)
    assert row["f_share_fresh"] == pytest.approx(faithful.f_reg / faithful.spread, abs=1e-4)
    assert row["f_cls_fresh"] == pytest.approx(faithful.f_cls, abs=1e-5)
    each = [xw.x_features(lab.net, module, case.image) for case in cases]
    maps = np.stack([one.maps for one in each])
    assert row["o1"] == pytest.approx(orthogonality(maps).o1, abs=1e-4)
    for kind in ("voronoi", "masks"):
        shares = [
            xw.evaluate.part_shares(some, case.parts()[kind])
            for some, case in zip(maps, cases, strict=True)
        ]
        assert row[kind] == pytest.approx(xw.evaluate.locality(shares).mean, abs=1e-4)
    contributions = np.stack([one.contributions for one in each])
    assert row["positive"] == pytest.approx((contributions > 0).sum(1).mean())
    assert row["silent"] == pytest.approx((contributions == 0).mean(), abs=1e-5)
    assert row["ever"] == (contributions != 0).any(0).sum()


def test_rows_of_x_features_are_of_their_maps(lab: Laboratory, found: Reproduction) -> None:
    material = lab.material
    seen = heat_maps(lab.net, lab.modules("nn", seed=0)[2], material.cases[2])
    rows = found.x_features.set_index(["maps", "seed", "class"]).loc["nn", 0, 2]
    assert rows["x_feature"].tolist() == np.flatnonzero((seen.contributions != 0).any(0)).tolist()
    for row in rows.itertuples():
        assert row.contribution == pytest.approx(seen.contributions[:, row.x_feature].mean(), 1e-3)
        histogram = np.zeros(16)
        for case, some in zip(material.cases[2], seen.active, strict=True):
            histogram += (some[row.x_feature] * case.parts()["masks"]).sum((1, 2))
        histogram /= histogram.sum()
        assert row.masks == pytest.approx(-(histogram * np.log(histogram + 1e-30)).sum(), abs=1e-4)
        assert row.context == pytest.approx(histogram[-1], abs=1e-4)
        histogram = histogram[:-1] / histogram[:-1].sum()
        entropy = -(histogram * np.log(histogram + 1e-30)).sum()
        assert row.entropy == pytest.approx(entropy, abs=1e-4)
        assert row.part == PARTS[histogram.argmax()]
        assert row.share == pytest.approx(histogram.max(), abs=1e-4)
        assert row.mark == "beak"
        assert row.on_mark == pytest.approx(histogram[PARTS.index("beak")], abs=1e-4)


def test_controls_are_of_no_method(lab: Laboratory) -> None:
    cases = lab.material.cases[3]
    z = lab.controls("z", 3, 0)
    chosen = z.encoder[1].chosen
    assert len(chosen) == TINY.features
    features = lab.features("images")
    mine = features.values[features.scores.argmax(1) == 3]
    assert (mine[:, chosen] > 0).any(0).all()
    for method in ("z", "random"):
        one, same, other = (
            heat_maps(lab.net, lab.controls(method, 3, seed), cases).maps for seed in (0, 0, 1)
        )
        np.testing.assert_array_equal(one, same)
        assert np.abs(one - other).max() > 0


def test_masks_of_the_same_area_keep_as_much(found: Reproduction) -> None:
    kept = found.masked.pivot_table(index=["seed", "class", "gamma"], columns="maps", values="kept")
    np.testing.assert_allclose(kept["random, same area"], kept["x-features"], atol=1e-5)
    assert (kept["excitation, same area"] <= kept["x-features"] + 1e-5).all()
    assert (found.masked["accuracy"].between(0, 1)).all()


# Options by cross-validation


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=40), st.integers(2, 5), st.integers(0, 9))
def test_every_fold_has_as_many_of_each_class_as_the_others(top, count, seed) -> None:
    of_image = folds(np.array(top), count, seed)
    assert np.ptp(np.bincount(of_image, minlength=count)) <= 1
    for label in {*top}:
        mine = [fold for fold, one in zip(of_image.tolist(), top, strict=True) if one == label]
        assert np.ptp(np.bincount(mine, minlength=count)) <= 1


@pytest.mark.filterwarnings("ignore:.* images are fewer than")
def test_cross_validation_is_the_error_on_images_that_are_left_out(lab: Laboratory) -> None:
    features = lab.features("images")
    of_image = folds(features.scores.argmax(1), 2, seed=0)
    images = torch.stack([lab.material.images[n] for n in features.numbers.tolist()])
    validated = cross_validated(lab, TRIALS[0])
    assert validated.shape == (2, 2, 2)
    for place, fold in ((0, 1), (1, 0)):
        modules = xw.fit_explanation(
            lab.net, images[of_image != fold], [2, 3], cache=False, progress=False,
            epochs=TINY.epochs, sparsity="kl", beta=TRIALS[0].values[place],
        )  # fmt: skip
        unseen = images[of_image == fold]
        for number, module in enumerate(modules):
            faithful = xw.evaluate.faithfulness(lab.net, module, unseen)
            expected = pytest.approx(faithful.f_reg, rel=1e-3)
            assert validated[place, number, fold] == expected


def test_each_class_takes_the_option_with_the_least_error(
    lab: Laboratory, found: Reproduction
) -> None:
    for trial in TRIALS:
        errors = cross_validated(lab, trial)
        rows = found.tuned[found.tuned["method"] == trial.method]
        assert {*rows["sparsity"]} == {trial.sparsity}
        for number, label in enumerate((2, 3)):
            mine = rows[rows["class"] == label]
            best = errors[:, number].mean(1).argmin()
            assert mine["value"].tolist() == [trial.values[best]] * 2
            assert mine["cv"].to_list() == pytest.approx([errors[best, number].mean()] * 2, 1e-3)
            gap = abs(errors[best, number, 0] - errors[best, number, 1])
            assert mine["cv_spread"].iloc[0] == pytest.approx(gap / 2**0.5, abs=1e-4)


def test_findings_on_tuning_name_what_was_taken(found: Reproduction) -> None:
    table = found.tuned.copy()
    table.loc[table["method"] == "srae", "sparsity"] = "log"
    table.loc[table["method"] == "srae", "o1"] = 0.25
    table.loc[table["method"] == "nn", "o1"] = [0.5, 0.75, 0.5, 0.75]
    table.loc[table["method"] == "nn", "value"] = [0.1, 0.1, 1e-4, 1e-4]
    table.loc[table["method"] == "nn", "seed"] = [0, 1, 0, 1]
    table.loc[table["method"] == "nn", "class"] = [2, 2, 3, 3]
    table.loc[table["method"] == "nn", "f_share_fresh"] = 0.125
    taken, close, nn, _ = findings(found._replace(tuned=table))["tuned"]
    assert "nn weight_decay 0.1 (1), 0.0001 (1)" in taken
    assert "nn 12.5% (cross-validated" in close
    assert "than tuned nn?" in nn
    assert "O1 yes (-0.375 ± 0.000, lower in 4 of 4)" in nn


# Heat maps


def test_a_bias_silences_an_x_feature_and_leaves_its_map(lab: Laboratory) -> None:
    module, cases = lab.modules("srae")[2], lab.material.cases[2]
    images = [case.image for case in cases]
    before = list(xw.x_features_each(lab.net, module, images))
    loudest = int(before[0].activations.argmax())
    encoder = deepcopy(module.encoder)
    encoder[-2].bias[loudest] -= 1_000
    quiet = ExplanationModule(module.facts, encoder, module.weights, module.intercept)
    seen = heat_maps(lab.net, quiet, cases)
    after = list(xw.x_features_each(lab.net, quiet, images))
    assert not seen.contributions[:, loudest].any()
    assert not seen.active[:, loudest].any()
    np.testing.assert_allclose(seen.active, np.stack([one.maps for one in after]), atol=1e-7)
    contributions = np.stack([one.contributions for one in after])
    np.testing.assert_allclose(seen.contributions, contributions, atol=1e-4)
    loud = np.stack([one.maps[loudest] for one in before])
    np.testing.assert_allclose(seen.maps[:, loudest], loud, atol=1e-7)
    assert loud.any()


def test_measures_leave_out_what_is_silent() -> None:
    cases = drawn_birds([3], 1, 2).cases[3]
    maps = np.random.default_rng(0).random((2, 3, 64, 64)).astype(np.float32)
    contributions = np.array([[2, 0, 1], [1, 0, -1]], np.float32)
    found = measures(HeatMaps(maps, contributions), cases)
    vectors = maps.transpose(1, 0, 2, 3).reshape(3, -1)
    for name, some in (("", vectors[[0, 2]]), ("_all", vectors)):
        p = np.corrcoef(some)
        assert found[f"o1{name}"] == pytest.approx(np.linalg.norm(p) - np.sqrt(len(p)))
        assert found[f"o2{name}"] == pytest.approx(-np.log(np.linalg.det(p)))
        pairs = p[np.triu_indices(len(p), 1)]
        assert found[f"correlation{name}"] == pytest.approx(pairs.mean())
    entropies = localities(maps, cases)["masks"].entropies
    assert found["masks_all"] == pytest.approx(entropies.mean())
    assert found["masks"] == pytest.approx(entropies[[0, 2]].mean())
    assert (found["ever"], found["positive"]) == (2, 1.5)
    assert found["silent"] == pytest.approx(1 / 3)


# The constant shift


def test_the_shift_changes_gradients_and_not_excitation(found: Reproduction) -> None:
    means = found.shift.groupby("maps").mean(numeric_only=True)
    assert means.loc["excitation", "difference"] < 1e-3
    assert means.loc["x-features", "difference"] < 1e-3
    assert means.loc["gradient * input", "difference"] > 0.05


# Photographs of CUB-200-2011


def test_photographs_take_the_place_of_drawings(tmp_path) -> None:
    (tmp_path / "CUB").mkdir()
    write_copy(tmp_path / "CUB", {2: (8, 3), 3: (8, 3), 5: (4, 1)})
    net = xw.network("birds")
    tiny = Setting("cub", (2, 3), 1, 30, 2, 1, 2, features=2, **SMALL | {"tuned": ()})
    with_cub = Laboratory(tiny, source=cub_birds(net, tmp_path / "CUB"), cache=False)
    assert isinstance(with_cub.material.cases[2][0], Photographed)
    *_, found = qi2018.steps_of(with_cub)
    assert found.table["masks"].isna().all()
    assert found.table.loc[found.table["method"] == "excitation", "voronoi"].notna().all()
    assert "mark" not in found.x_features
    said = findings(found)
    assert "nan" not in " ".join(said["x_features"])
    assert {"table", "x_features", "masked", "shift", "lasso"} < said.keys()


# What is kept


def counted(monkeypatch: pytest.MonkeyPatch, stop_at: str | None = None) -> list[str]:
    """Replace the computation by one that counts, and is interrupted at a certain table."""
    done: list[str] = []

    def experiment(name):
        def one(lab):
            if name == stop_at:
                raise KeyboardInterrupt
            done.append(name)
            return pd.DataFrame({"class": [len(done)], "value": [1 / 3]})

        return one

    monkeypatch.setattr(
        experiments, "EXPERIMENTS", {name: experiment(name) for name in Reproduction._fields}
    )
    return done


def test_what_was_interrupted_goes_on(tmp_path, monkeypatch) -> None:
    names = list(Reproduction._fields)
    done = counted(monkeypatch, stop_at="variants")
    with pytest.raises(KeyboardInterrupt):
        qi2018.reproduce(TINY, tmp_path)
    assert done == names[:2]

    done = counted(monkeypatch)
    growing = list(qi2018.steps(TINY, tmp_path))
    assert done == names[2:]
    assert [sum(not table.empty for table in partial) for partial in growing] == [
        2,
        2,
        *range(3, 9),
    ]
    loaded = qi2018.reproduce(TINY, tmp_path)
    assert done == names[2:]
    for one, other in zip(loaded, growing[-1], strict=True):
        pd.testing.assert_frame_equal(one, other)

    qi2018.reproduce(TINY, tmp_path, recompute=True)
    assert done == [*names[2:], *names]


def test_results_of_another_setting_are_not_mistaken(tmp_path, monkeypatch) -> None:
    counted(monkeypatch)
    qi2018.reproduce(TINY, tmp_path)
    assert json.loads((tmp_path / "tiny.json").read_text("utf-8"))["classes"] == [2, 3]
    with pytest.raises(ValueError, match="another setting called 'tiny'"):
        qi2018.reproduce(replace(TINY, epochs=7), tmp_path)
    with pytest.raises(ValueError, match="another setting called 'tiny'"):
        qi2018.reproduce(TINY, tmp_path, source=lambda *_: None)
    qi2018.reproduce(replace(TINY, epochs=7), tmp_path, recompute=True)
    with pytest.raises(ValueError, match="did you mean 'small'"):
        qi2018.steps("smal")
    assert all(name == setting.name for name, setting in SETTINGS.items())


def test_the_module_of_a_picture_is_kept(lab: Laboratory, found, folder, monkeypatch) -> None:
    module = lab.module("srae", 3, seed=1)
    assert module is lab.modules("srae", None, 1)[3]
    again = Laboratory(TINY, folder)
    monkeypatch.setattr(Laboratory, "material", None)
    assert again.module("srae", 3, seed=1).fingerprint != ""
    values = torch.rand(4, 128)
    torch.testing.assert_close(again.module("srae", 3, seed=1)(values), module(values))


# What it says


def changed(found: Reproduction, column: str, srae: list[float], nn: list[float]) -> Reproduction:
    """The same with other values of SRAE and NN in Table 1."""
    table = found.table.copy()
    for method, values in (("srae", srae), ("nn", nn)):
        table.loc[table["method"] == method, column] = values
    return found._replace(table=table)


def test_findings_say_what_the_numbers_say(found: Reproduction) -> None:
    lower, higher = [0.1, 0.2, 0.1, 0.2], [0.5, 0.4, 0.6, 0.7]
    said = findings(changed(found, "o1", lower, higher))["table"]
    assert "O1 yes (-0.400 ± 0.100, lower in 4 of 4)" in said[1]
    said = findings(changed(found, "o1", higher, lower))["table"]
    assert "O1 no, the opposite (+0.400 ± 0.100, lower in 0 of 4)" in said[1]
    said = findings(changed(found, "o1", [0.1, 0.6, 0.1, 0.6], [0.3, 0.3, 0.3, 0.3]))["table"]
    assert "O1 not clear" in said[1]
    said = findings(changed(found, "f_cls_fresh", [1, 1, 1, 0.98], lower))["table"]
    assert "99.50% (at least 98.00%; 99 % or more for 3 of 4 modules" in said[0]
    said = findings(changed(found, "f_share_fresh", [0.04, 0.04, 0.04, 0.08], lower))["table"]
    assert (
        "is 5.0% of the score's standard deviation (at most 8.0%; below 5 % for 3 of 4)" in said[0]
    )


def test_the_best_x_feature_is_active_and_positive() -> None:
    rows = pd.DataFrame(
        {
            "maps": ["srae", "srae", "srae", "srae", "nn", "srae"],
            "entropy": [0.1, 0.2, 0.3, 0.4, 0.0, 0.0],
            "active": [0.5, 1, 0.6, 1, 1, 1],
            "weight": [1, -1, 1, 2, 1, 1],
            "context": [0.1, 0.1, 0.5, 0.2, 0.1, 0.9],
        }
    )
    best, worst = best_and_worst(rows)
    assert (best.name, worst.name) == (2, 3)
    with pytest.raises(ValueError, match="no x-feature of SRAE"):
        best_and_worst(rows[:2])


# Pictures of parts


def test_points_have_the_colours_of_their_parts() -> None:
    image = np.full((8, 8, 3), 100, np.uint8)
    points = [Point(1, 1, True), Point(6, 6, True), Point(0, 7, False)]
    drawn = points_picture(image, points, 80)
    parts = np.zeros((4, 8, 8))
    parts[0, :4], parts[1, 4:, 4:], parts[2, 4:, 1:4], parts[3, 4:, 0] = 1, 1, 1, 1
    shown = parts_picture(image, parts, 80)
    for point in points[:2]:
        color = drawn[10 * point.y + 5, 10 * point.x + 5].astype(int)
        mixed = shown[10 * point.y + 5, 10 * point.x + 5]
        np.testing.assert_allclose(mixed, 0.2 * 100 + 0.8 * color, atol=1)
    assert drawn[75, 5].tolist() == shown[75, 5].tolist() == [100, 100, 100]
    with pytest.raises(ValueError, match="give those of one picture"):
        parts_picture(image, parts[:, :4])
