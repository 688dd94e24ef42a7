"""The figures and the claims: against their parts put together by hand, saved, and in words."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.evaluate import outline, sharpness, top_pixels
from xwidgets.images.scenes.birds import SPECIES
from xwidgets.reproduce import Figure
from xwidgets.reproduce.zintgraf2016 import (
    FAILS,
    HOLDS,
    SETTINGS,
    UNCLEAR,
    Figures,
    Setting,
    Subject,
    claims,
    drawn,
    findings,
    measures,
    patterns,
    show,
    summary,
    verdict,
)
from xwidgets.reproduce.zintgraf2016 import figures as figures_module
from xwidgets.reproduce.zintgraf2016.claims import Reproduction, reproduce, steps

TINY = Setting("tiny", 1, 1, 4, window=4, windows=(1, 2, 4), feature_maps=3)
CLAIMS = claims.Setting("tiny", 1, ("birds",), 1, 1, 8, (8,), (8, 10))


@pytest.fixture(scope="module")
def subject() -> Subject:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Conv2d(6, 5, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(5 * 10 * 10, 4),
    )  # fmt: skip
    net = xw.Network(module, size=(16, 16), classes=["ant", "bee", "cat", "dog"])
    images = torch.rand(7, 3, 16, 16)
    pictures = dict(zip("abcd", images, strict=False))
    return Subject(
        net, pictures, xw.MarginalSampler(images[4:]), xw.ConstantSampler(0.5), (1, 2, 3)
    )


@pytest.fixture
def figures(subject: Subject) -> Figures:
    return Figures(subject, TINY)


# Figures in files


def test_a_figure_comes_back_from_its_file(figures: Figures, tmp_path: Path) -> None:
    figure, masks = figures.figure(1), figures.figure(4)
    both = Figure(
        [[*figure.cells[0], masks.cells[1][0]], [*figure.cells[1], masks.cells[1][1]]],
        ["one", "two"], ["a", "b", "c", "d", "e"], "row",
    )  # fmt: skip
    both.save(tmp_path / "figure.npz", seed=1, sizes=(1, 2))
    loaded = Figure.load(tmp_path / "figure.npz", seed=1, sizes=(1, 2))
    assert (loaded.rows, loaded.columns, loaded.scale) == (both.rows, both.columns, "row")
    for row, saved in zip(loaded.cells, both.cells, strict=True):
        for one, other in zip(row, saved, strict=True):
            if isinstance(other, np.ndarray):
                assert one.dtype == other.dtype
                np.testing.assert_array_equal(one, other)
                continue
            largest = np.abs(other.values).max()
            np.testing.assert_allclose(one.values, other.values, atol=largest / 253)
            np.testing.assert_array_equal(one.image, other.image)
            assert (one.title, one.parameters) == (other.title, dict(other.parameters))
    with pytest.raises(ValueError, match="was computed with"):
        Figure.load(tmp_path / "figure.npz", seed=2, sizes=(1, 2))
    (tmp_path / "figure.npz").write_bytes(b"PK")
    with pytest.raises(ValueError, match="no readable figure"):
        Figure.load(tmp_path / "figure.npz")


def test_a_saved_figure_is_not_computed_again(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = Figures(subject, TINY, tmp_path)
    assert not figures.saved(3)
    first = figures.figure(3)
    assert figures.saved(3)
    named = Figures(subject.net.name, TINY, tmp_path)  # there is no network of this name to load
    assert named.figure(3).columns == first.columns
    with pytest.raises(ValueError, match="unknown network"):
        named.figure(1)
    with pytest.raises(ValueError, match="was computed with"):
        Figures(subject, replace(TINY, samples=2), tmp_path).figure(3)

    def computed(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(figures_module, "prediction_difference_each", computed)
    figures.figure(3)
    with pytest.raises(KeyboardInterrupt):
        Figures(subject, TINY, tmp_path, recompute=True).figure(3)


# Figures


def test_figure_1_has_the_methods_side_by_side(figures: Figures, subject: Subject) -> None:
    figure = figures.figure(1)
    assert (figure.rows, len(figure.columns)) == (["a", "b"], 4)
    assert "no sign" in figure.columns[1]
    for title, (_, sensitivity, marginal, conditional) in zip("ab", figure.cells, strict=True):
        image = subject.pictures[title]
        arguments = {"window": 4, "samples": 1, "stride": 4}
        np.testing.assert_array_equal(sensitivity.values, xw.saliency(subject.net, image).values)
        for found, sampler in ((marginal, subject.marginal), (conditional, subject.conditional)):
            expected = xw.prediction_difference(subject.net, image, sampler=sampler, **arguments)
            np.testing.assert_array_equal(found.values, expected.values)
            assert found.unit == "bits"


def test_figure_2_shows_the_best_classes_before_and_behind(
    figures: Figures, subject: Subject
) -> None:
    before, behind = figures.figure(2).cells
    best = [index for index, _, _ in subject.net.top(subject.pictures["a"], 3)]
    assert [one.target for one in before[1:]] == best
    assert [one.target for one in behind[1:]] == best
    assert ({one.unit for one in before[1:]}, {one.unit for one in behind[1:]}) == (
        {"logits"}, {"bits"},
    )  # fmt: skip
    score = subject.net(subject.pictures["a"][None])[0, best[0]]
    assert f"{score:.1f}" in figures.figure(2).columns[1]


def test_figures_3_and_4_remove_single_pixels(figures: Figures, subject: Subject) -> None:
    (row,) = figures.figure(3).cells
    assert [one.parameters["window"] for one in row[1:]] == [1, 2, 4]
    assert [one.parameters["stride"] for one in row[1:]] == [1, 2, 4]
    pictures, sensitivity, difference = figures.figure(4).cells
    assert len(pictures) == 2
    gradient = xw.saliency(subject.net, subject.pictures["b"]).values
    np.testing.assert_array_equal(sensitivity[1], top_pixels(gradient))
    np.testing.assert_array_equal(difference[0], top_pixels(row[1].values))
    assert difference[0].sum() == round(0.05 * 256)


def test_figure_5_goes_from_the_strongest_to_the_weakest(figures: Figures) -> None:
    figure = figures.figure(5)
    assert figure.scale == "row"
    for row, channels in zip(figure.cells, (4, 6, 5), strict=True):
        effects = [np.abs(one.values).max() for one in row]
        assert effects == sorted(effects, reverse=True)
        every = [np.abs(one.values).max() for one in figures._by_effect(row[0].parameters["layer"])]
        assert len(every) == channels
        assert (effects[0], effects[-1]) == (max(every), min(every))
    assert "of 4 maps nearly empty" in figure.rows[0]


def test_nearly_empty_maps_are_counted(subject: Subject) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), nn.Flatten(), nn.Linear(4 * 256, 2))
    net = xw.Network(module, size=(16, 16))
    with torch.no_grad():
        module[0].weight[:] = torch.tensor([1, 0.5, 0.01, 0])[:, None, None, None]
    weak = replace(subject, net=net, layers=(1, 1, 1))
    assert Figures(weak, TINY).figure(5).rows == ["0: 50% of 4 maps nearly empty"] * 3


def test_figure_6_follows_the_same_maps_through_the_pictures(figures: Figures) -> None:
    figure = figures.figure(6)
    assert figure.columns == list("abcd")
    for row in figure.cells:
        assert len({one.target for one in row}) == 1
        assert len({one.image.tobytes() for one in row}) == 4
        assert row[0].parameters["layer"] == figures.subject.net.layer(2).name


def test_what_cannot_be_shown_is_refused(figures: Figures) -> None:
    with pytest.raises(ValueError, match="no figure 7"):
        figures.figure(7)
    with pytest.raises(ValueError, match="the paper has 1 to 6"):
        show(7, figures)
    with pytest.raises(ValueError, match="did you mean 'small'"):
        Figures("birds", "smal")
    with pytest.raises(ValueError, match="did you mean 'birds'"):
        drawn("brids")
    assert SETTINGS["full"].samples == 20
    assert (SETTINGS["full"].stride, SETTINGS["full"].window) == (1, 10)


# Claims


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("claims")


@pytest.fixture(scope="module")
def found(folder: Path) -> Reproduction:
    return reproduce(CLAIMS, folder)


def test_the_numbers_are_those_of_the_parts(found: Reproduction) -> None:
    subject, scene = drawn("birds"), xw.scenes.bird(50_000, species=0)
    arguments = {"window": 8, "samples": 1, "stride": 8, "measure": "difference"}
    one, other = (
        xw.prediction_difference(
            subject.net, scene.image, scene.label, sampler=sampler, **arguments
        ).values
        for sampler in (subject.conditional, subject.marginal)
    )
    rows = found.maps.set_index("map")
    assert rows.loc["conditional", "sharpness"] == pytest.approx(sharpness(one), abs=1e-4)
    whole = np.any(list(scene.masks.values()), axis=0)
    share = np.abs(other)[whole].sum() / np.abs(other).sum() / whole.mean()
    assert rows.loc["marginal", "on_object"] == pytest.approx(share, abs=1e-4)
    assert rows.loc["marginal", "negative"] == pytest.approx(
        -other[other < 0].sum() / np.abs(other).sum(), abs=1e-4
    )
    assert rows.loc["sensitivity", "negative"] == 0
    deletion = xw.evaluate.part_deletion(subject.net, scene, one)
    ranks = [pd.Series(part).rank() for part in (deletion.effects, deletion.relevance)]
    assert rows.loc["conditional", "effects"] == pytest.approx(np.corrcoef(*ranks)[0, 1], abs=1e-4)

    assert scene.label == 0
    assert SPECIES[0].name.startswith("Alder")
    twins = xw.prediction_difference_each(
        subject.net, scene.image, [0, 1], window=8, samples=1, stride=8
    )
    expected = np.corrcoef(*(one.values.ravel() for one in twins))[0, 1]
    pairs = found.classes.set_index(["pair", "layer"])["correlation"]
    assert pairs["twins", "behind"] == pytest.approx(expected, abs=1e-4)

    mask = top_pixels(xw.saliency(subject.net, scene.image, 0).values)
    inside = whole & ~outline(whole, 1)
    row = found.top.set_index("map").loc["sensitivity"]
    assert row["inside"] == pytest.approx(mask[inside].mean() / mask.mean(), abs=1e-4)
    maps = xw.prediction_difference_each(
        subject.net, scene.image, range(128), window=8, samples=1, stride=8, layer=13,
        sampler=subject.conditional,
    )  # fmt: skip
    effects = np.array([np.abs(one.values).max() for one in maps])
    row = found.layers.set_index("depth").loc["last"]
    assert row["median"] == pytest.approx(np.median(effects) / effects.max(), abs=1e-4)
    assert row["empty"] == pytest.approx((effects < 0.05 * effects.max()).mean(), abs=1e-4)
    assert found.parts["channel"].tolist() == list(range(64))
    assert found.parts.drop(columns=["network", "scene", "channel"]).sum(axis=1).between(
        0.99, 1.01
    ).all()  # fmt: skip


def benches(monkeypatch: pytest.MonkeyPatch, stop_at: int | None = None) -> list[int]:
    """Replace the measuring by one that counts, and is interrupted at a certain scene."""
    done: list[int] = []

    class Bench:
        def __init__(self, setting: object, name: str) -> None:
            self._name = name

        def measure(self, number: int) -> Reproduction:
            if number == stop_at:
                raise KeyboardInterrupt
            done.append(number)
            row = pd.DataFrame([{"network": self._name, "scene": number}])
            return Reproduction(*[row] * len(Reproduction._fields))

    monkeypatch.setattr(claims, "_Bench", Bench)
    return done


def test_what_was_interrupted_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = replace(CLAIMS, scenes=3)
    done = benches(monkeypatch, stop_at=1)
    with pytest.raises(KeyboardInterrupt):
        reproduce(setting, tmp_path)
    assert done == [0]
    done = benches(monkeypatch)
    growing = list(steps(setting, tmp_path))
    assert done == [1, 2]
    assert [len(one.maps) for one in growing] == [1, 2, 3]
    assert reproduce(setting, tmp_path).top["scene"].tolist() == [0, 1, 2]
    assert done == [1, 2]
    reproduce(setting, tmp_path, recompute=True)
    assert done == [1, 2, 0, 1, 2]


def test_results_of_another_setting_are_not_mistaken(found: Reproduction, folder: Path) -> None:
    saved = json.loads((folder / "claims-tiny.json").read_text("utf-8"))
    assert saved.pop("versions")["xwidgets"] == xw.__version__
    assert saved == json.loads(json.dumps(asdict(CLAIMS)))
    again = reproduce(CLAIMS, folder)
    for one, other in zip(found, again, strict=True):
        pd.testing.assert_frame_equal(one, other, check_dtype=False)
    with pytest.raises(ValueError, match="another setting called 'tiny'"):
        steps(replace(CLAIMS, stride=4), folder)
    with pytest.raises(ValueError, match="did you mean 'small'"):
        steps("smal")


def test_a_verdict_needs_two_standard_errors() -> None:
    assert verdict([0.9, 1.0, 1.1]) == HOLDS
    assert verdict([-0.9, -1.0, -1.1]) == FAILS
    assert verdict([0.9, -1.0, 1.1]) == UNCLEAR
    assert verdict([1.0, 1.0, np.nan]) == HOLDS
    assert verdict([1.0]) == UNCLEAR


@pytest.fixture
def told(found: Reproduction) -> pd.DataFrame:
    return findings(_repeated(found))


def _repeated(found: Reproduction) -> Reproduction:
    """The same scene three times."""
    return Reproduction(*(
        pd.concat([frame.assign(scene=scene) for scene in range(3)], ignore_index=True)
        for frame in found
    ))  # fmt: skip


def test_findings_say_what_the_numbers_say(found: Reproduction, told: pd.DataFrame) -> None:
    assert (told["scenes"] == 3).all()
    verdicts = told.set_index("claim")["verdict"]
    pairs = found.classes.set_index(["pair", "layer"])["correlation"]
    assert pairs["twins", "before"] > pairs["twins", "behind"]
    assert verdicts["Behind softmax, maps of classes that are alike differ"] == HOLDS
    turned = found.classes.assign(layer=found.classes["layer"].map(
        {"before": "behind", "behind": "before"}
    ))  # fmt: skip
    opposite = findings(_repeated(found._replace(classes=turned))).set_index("claim")["verdict"]
    assert opposite["Behind softmax, maps of classes that are alike differ"] == FAILS
    row = told.set_index("claim").loc["Sensitivity lies on the object"]
    value = found.maps.set_index("map").loc["sensitivity", "on_object"]
    assert row[["measured", "value", "against", "other"]].tolist() == [
        "times expected", f"{value:.2f} ± 0.00", "if spread evenly", "1",
    ]  # fmt: skip
    assert row["difference"] == f"{value - 1:+.2f} ± 0.00"
    assert row["verdict"] == HOLDS


def test_a_difference_has_the_digits_that_show_its_verdict(found: Reproduction) -> None:
    def shown(mean: float, bound: float) -> str:
        """Of three scenes around the mean, whose standard error is half the bound."""
        maps = [
            found.maps.assign(scene=scene, on_object=1 + mean + place * bound)
            for scene, place in enumerate((-1, 0.5, 0.5))
        ]
        three = _repeated(found)._replace(maps=pd.concat(maps))
        rows = findings(three).set_index("claim")
        return str(rows.loc["Sensitivity lies on the object", "difference"])

    assert shown(0.5, 0.2) == "+0.50 ± 0.20"
    assert shown(-0.2536, 0.2451) == "-0.254 ± 0.245"
    assert shown(-0.0016, 0.0104) == "-0.002 ± 0.010"
    assert shown(-0.2, 0.2049) == "-0.20 ± 0.20", "not clear, and no more than that is shown"
    assert shown(0.0, 0.1) == "+0.00 ± 0.10"


def test_the_summary_has_every_claim_and_who_finds_the_parts(found: Reproduction) -> None:
    three = _repeated(found)
    said = summary(three)
    claims = findings(three)["claim"].unique()
    assert all(claim in " ".join(said) for claim in claims)
    assert not any(sentence.startswith("**...") for sentence in said)
    lies = next(one for one in said if one.startswith("**Sensitivity lies on the object:**"))
    value = found.maps.set_index("map").loc["sensitivity", "on_object"]
    assert lies.endswith(f"yes (times expected: birds {value:.2f} ± 0.00 against 1).")

    effects = {
        "conditional": 0.3,
        "marginal": 0.5,
        "sensitivity": 0.9,
        "edges": 0.1,
        "random": -0.2,
    }
    maps = three.maps.assign(effects=three.maps["map"].map(effects))
    maps.loc[maps["scene"] == 2, "effects"] = np.nan
    assert summary(three._replace(maps=maps))[-1] == (
        "**Which map finds the parts that matter (birds, 2 of 3 scenes)?** By rank correlation "
        "with what really happens without a part: sensitivity 0.90 ± 0.00, marginal (k = 8) "
        "0.50 ± 0.00, conditional (k = 8) 0.30 ± 0.00, edges 0.10 ± 0.00, random -0.20 ± 0.00. "
        "Above the paper's conditional sampling: sensitivity, marginal (k = 8)."
    )
    table = measures(maps)
    assert table.loc[("birds", "sensitivity"), "effects"] == "0.90 ± 0.00"
    assert (table["scenes"] == 2).all()


def test_patterns_are_of_the_same_map_elsewhere() -> None:
    rng = np.random.default_rng(0)
    own = rng.dirichlet(np.ones(6), size=10)
    rows = [
        {"network": "n", "scene": scene, "channel": channel, **dict(enumerate(own[channel]))}
        for scene in range(3)
        for channel in range(10)
    ]
    alike = patterns(pd.DataFrame(rows))
    assert alike["same"].round(6).tolist() == [1, 1, 1]
    assert (alike["other"] < 0.2).all()
    shuffled = pd.DataFrame(rows)
    shuffled["channel"] = np.concatenate([rng.permutation(10) for _ in range(3)])
    assert patterns(shuffled)["same"].mean() < 0.6
