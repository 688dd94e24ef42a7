"""The experiments: against their parts put together by hand, interrupted, and in words."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import xwidgets as xw
from xwidgets.box import Box
from xwidgets.evaluate import jaccard, localisation
from xwidgets.networks.training import train
from xwidgets.reproduce import lengerich2017, two_classes
from xwidgets.reproduce.lengerich2017 import PUBLISHED, SETTINGS, Reproduction, Setting, findings
from xwidgets.results import METRICS

TINY = Setting("tiny", 1, 64, 9, 1, (0, 1), 2, 4, samples=3, top=1, minimum=0.02)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Reproduction:
    return lengerich2017.reproduce(TINY, tmp_path_factory.mktemp("results"))


def test_there_is_a_row_for_each_checkpoint_and_each_metric(found: Reproduction) -> None:
    assert found.curves["epoch"].tolist() == [0, 1]
    assert found.table["metric"].tolist() == [*METRICS, "random"]
    shares = found.table.drop(columns=["seed", "metric"])
    assert shares.notna().all(axis=None)
    assert shares.stack().between(0, 1).all()


def test_the_numbers_are_those_of_the_parts(found: Reproduction) -> None:
    training, held_out = two_classes.streets(64, 9, seed=0)
    *_, (_, net) = train(training.images, training.labels, two_classes.CLASSES, epochs=1)
    right = net(held_out.images.float() / 255).argmax(1) == held_out.labels
    assert found.curves["network"].iloc[-1] == pytest.approx(right.double().mean().item(), abs=1e-4)

    similar, located, areas = [], [], []
    persons = held_out.labels.numpy() == 1
    for number in [*np.flatnonzero(persons)[:2], *np.flatnonzero(~persons)[:2]]:
        image = held_out.pixels(number)
        ranking = xw.rank_neurons(
            net, image, "activation_sum", range(3, 10), samples=3, top=1, minimum=0.02
        )
        similar.append(jaccard(*map(ranking.by, METRICS[:2])))
        patches = xw.neuron_patches(net, image, ranking, start="maximum")
        areas += [np.prod(patch.crop.shape[:2]) / 64**2 for patch in patches]
        if held_out.labels[number]:
            located.append(localisation(patches, held_out.masks[number]))
    assert len(located) == 2
    assert found.curves["jaccard"].iloc[-1] == pytest.approx(np.mean(similar), abs=1e-4)
    row = found.table.set_index("metric").loc["activation_sum"]
    assert row["localisation"] == pytest.approx(np.mean(located), abs=1e-4)
    assert row["area"] == pytest.approx(np.mean(areas), abs=1e-4)


def repetitions(monkeypatch: pytest.MonkeyPatch, stop_at: int | None = None) -> list[int]:
    """Replace the computation by one that counts, and is interrupted with a certain seed."""
    done: list[int] = []

    def repetition(setting, source, seed):
        for place in (1, 2):
            rows = pd.DataFrame({"seed": [seed] * place, "epoch": range(place)})
            yield Reproduction(rows, rows.tail(place - 1))
            if seed == stop_at:
                raise KeyboardInterrupt
        done.append(seed)

    monkeypatch.setattr(lengerich2017, "_repetition", repetition)
    return done


def test_what_was_interrupted_goes_on(tmp_path, monkeypatch) -> None:
    setting = replace(TINY, seeds=3)
    done = repetitions(monkeypatch, stop_at=1)
    with pytest.raises(KeyboardInterrupt):
        lengerich2017.reproduce(setting, tmp_path)
    assert done == [0]

    done = repetitions(monkeypatch)
    growing = list(lengerich2017.steps(setting, tmp_path))
    assert done == [1, 2]
    assert [len(partial.curves) for partial in growing] == [2, 3, 4, 5, 6]
    assert growing[-1].curves["seed"].tolist() == [0, 0, 1, 1, 2, 2]

    loaded = lengerich2017.reproduce(setting, tmp_path)
    assert done == [1, 2]
    for one, other in zip(loaded, growing[-1], strict=True):
        pd.testing.assert_frame_equal(one, other)

    lengerich2017.reproduce(setting, tmp_path, recompute=True)
    assert done == [1, 2, 0, 1, 2]


def test_results_of_another_setting_are_not_mistaken(tmp_path, monkeypatch) -> None:
    repetitions(monkeypatch)
    lengerich2017.reproduce(TINY, tmp_path)
    assert json.loads((tmp_path / "tiny.json").read_text("utf-8"))["samples"] == 3
    with pytest.raises(ValueError, match="another setting called 'tiny'"):
        lengerich2017.steps(replace(TINY, samples=4), tmp_path)
    with pytest.raises(ValueError, match="did you mean 'small'"):
        lengerich2017.steps("smal")
    assert all(setting.at[-1] == setting.epochs for setting in SETTINGS.values())


def test_results_of_other_images_are_not_mistaken(tmp_path, monkeypatch) -> None:
    repetitions(monkeypatch)
    lengerich2017.reproduce(TINY, tmp_path)

    def elsewhere(training: int, held_out: int, seed: int):
        raise AssertionError("the results were taken for those of other images")

    with pytest.raises(ValueError, match="or of other images"):
        lengerich2017.steps(TINY, tmp_path, source=elsewhere)


def test_training_that_ends_unseen_is_refused() -> None:
    with pytest.raises(ValueError, match="at ends with epoch"):
        lengerich2017.steps(replace(TINY, epochs=TINY.epochs + 1))


def told(precision: list[float], correlation: list[float], lot: list[float]) -> list[str]:
    """The findings about repetitions whose patches are told apart so well."""
    seeds = list(range(len(precision)))
    curves = pd.DataFrame(
        {
            "seed": seeds * 2,
            "epoch": [1] * len(seeds) + [2] * len(seeds),
            "network": 0.5,
            "activation_precision": precision * 2,
            "output_correlation": correlation * 2,
            "random": lot * 2,
            "chance": 0.5,
            "jaccard": [0.1] * len(seeds) + [0.3] * len(seeds),
            "jaccard_random": 0.05,
            "remaining": 0.9,
            "fewest": 7,
        }
    )
    table = pd.DataFrame(
        [
            {
                "seed": seed,
                "metric": metric,
                "localisation": value,
                "accuracy": value,
                "area": value / 20,
            }
            for seed in seeds
            for metric, value in zip([*METRICS, "random"], (4, 9, 1, 2, 3, 2, 7), strict=True)
        ]
    )
    return findings(Reproduction(curves, table))


def test_findings_say_what_the_numbers_say() -> None:
    higher, equal, lower = [0.7, 0.8, 0.9], [0.6, 0.8, 0.7], [0.5, 0.6, 0.6]
    sentences = told(higher, lower, equal)
    assert "Yes, above with 3 of 3 seeds (by 0.233 ± 0.058)" in sentences[1]
    assert "Precision: Not clear, above with 2 of 3 seeds" in sentences[2]
    assert "Correlation: No, the opposite, above with 0 of 3 seeds" in sentences[2]
    assert "Yes, above with 3 of 3 seeds (by 0.300" in sentences[3]
    assert "random neurons? Yes, above with 3 of 3 seeds (by 0.200" in sentences[3]
    assert "from 0.100 ± 0.000 to 0.300 ± 0.000" in sentences[4]
    assert "Growth: Yes" in sentences[4]
    assert "Yes, above with 3 of 3 seeds (by 2.000" in sentences[5]
    assert "No, the opposite, above with 0 of 3 seeds (by -3.000" in sentences[5]
    assert "cover 20% of the picture, those of the baselines 10% and" in sentences[5]
    assert "Those of output correlation (9.000" in sentences[6]
    assert "90% of the neurons" in sentences[7]
    assert "were 7" in sentences[7]
    assert "No, the opposite, above with 0 of 3" in told(lower, higher, equal)[1]


def test_published_values_are_jaccard_indices() -> None:
    assert PUBLISHED["jaccard"].round(2).tolist() == [0.19, 0.67]


def test_boxes_have_the_papers_colours() -> None:
    net, image = xw.network("street"), np.full((64, 64, 3), 200, np.uint8)
    [any_patch] = xw.neuron_patches(net, xw.scenes.street(seed=3).image, [(3, 0)])
    patches = [
        replace(any_patch, image=image, depth=number / 13, box=box)
        for number, box in [
            (4, Box(0, 0, 8, 8)), (5, Box(16, 16, 32, 32)), (9, Box(40, 0, 64, 64)), (9, None),
        ]
    ]  # fmt: skip
    drawn = lengerich2017.drawn_boxes(patches, size=128)
    assert drawn.shape == (128, 128, 3)
    corners = {(0, 0): (255, 0, 0), (15, 15): (255, 0, 0), (16, 16): (200, 200, 200),
               (32, 63): (0, 128, 0), (127, 0): (0, 0, 255)}  # fmt: skip
    for place, color in corners.items():
        assert tuple(drawn[place]) == color
    with pytest.raises(ValueError, match="no patch to draw"):
        lengerich2017.drawn_boxes([])
