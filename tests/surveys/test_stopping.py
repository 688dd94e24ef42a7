"""A survey that stops when means are known well enough, and what is done of it till then."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import xwidgets as xw
from xwidgets.images.collection import Item
from xwidgets.surveys.folder import Facts
from xwidgets.surveys.stopping import LEAST, StoppingRule, in_order

from .test_neurons import assert_same_activations
from .test_resuming import Brightness
from .test_survey import maps, pictures, recorded, surveyed

COUNT, SIDE = 400, 4


def numbered(count: int = COUNT, seed: int = 0) -> torch.Tensor:
    """Pictures in one grey each, drawn at random, sorted so that the first are dark."""
    greys = torch.rand(count, generator=torch.Generator().manual_seed(seed)).sort().values
    return greys[:, None, None, None].expand(count, 3, SIDE, SIDE).contiguous()


def grey(values: np.ndarray, item: Item) -> float:
    """Mean of the map."""
    return float(values.mean())


def small() -> xw.Network:
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * SIDE * SIDE, 2))
    return xw.Network(module, size=(SIDE, SIDE), name="tiny")


def stopped(folder: Path, images: torch.Tensor, most: float | None, **options: Any) -> xw.Survey:
    """A survey of means of grey until their standard error is small; of 8 pictures a batch."""
    until = None if most is None else {"grey": most}
    return surveyed(
        folder, images, Brightness(), net=small(), measures=[grey], until=until, **options
    )


def expected_count(survey: xw.Survey, images: torch.Tensor, most: float) -> int:
    """Number of pictures of the oracle: whole batches in order, all numbers again each time."""
    facts, values = survey.facts, []
    for batch in range(facts.batches):
        values += [float(images[number].mean()) for number in facts.numbers(batch)]
        error = np.std(values, ddof=1) / len(values) ** 0.5
        if len(values) >= 64 and error <= most:
            break
    return len(values)


@pytest.mark.parametrize("most", [0.5, 0.025, 0.018])
def test_it_stops_where_a_plain_loop_does(tmp_path: Path, most: float) -> None:
    images = numbered()
    survey = stopped(tmp_path, images, most)
    table = survey.table()
    taken = expected_count(survey, images, most)
    assert LEAST <= taken < COUNT
    assert len(table) == taken
    assert survey.progress == taken / COUNT
    assert repr(survey) == f"<Survey of 400 pictures: brightness (tiny), a random {taken} computed>"
    assert table["number"].is_monotonic_increasing
    assert survey.means()["grey"]["count"].sum() == taken


def test_every_map_and_row_is_that_of_its_picture(tmp_path: Path) -> None:
    images = numbered()
    survey = stopped(tmp_path, images, 0.03)
    table = survey.table().set_index("number")
    for number in table.index:
        np.testing.assert_allclose(survey.map(number), images[number].mean(0), rtol=1e-5)
        assert table.loc[number, "grey"] == pytest.approx(float(images[number].mean()))
        relevance = survey.relevance(number, xw.images.picture(images[number]))
        assert relevance.probability == table.loc[number, "probability"]
    left = sorted({*range(COUNT)} - {*table.index})
    with pytest.raises(ValueError, match=rf"picture {left[0]} was not taken, as .* random"):
        survey.map(left[0])
    assert np.isnan(survey.maps[:]).all((1, 2, 3)).sum() == len(left)


def test_a_smaller_number_goes_on_and_none_completes_it(tmp_path: Path) -> None:
    images = numbered()
    once = stopped(tmp_path / "once", images, 0.02)
    with recorded() as first:
        stopped(tmp_path / "s", images, 0.03)
    with recorded() as second:
        twice = stopped(tmp_path / "s", images, 0.02)
    assert sorted(first + second) == sorted(once.done)
    assert second
    assert_same_table(once, twice)
    with recorded() as third:
        stopped(tmp_path / "s", images, 0.03)
    assert not third
    complete = stopped(tmp_path / "s", images, None)
    assert complete.progress == 1
    assert "complete" in repr(complete)
    plain = stopped(tmp_path / "plain", images, None)
    assert plain.facts.seed is None
    np.testing.assert_allclose(maps(complete), maps(plain), rtol=1e-5)
    assert complete.table()["number"].tolist() == [*range(COUNT)]


def test_pictures_that_are_too_few_but_tell_enough_are_no_reason_to_warn(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    survey = stopped(tmp_path / "few", numbered(40), 0.5)
    assert survey.progress == 1
    assert not [warning for warning in recwarn if "standard errors" in str(warning.message)]


def test_the_mean_over_all_is_that_which_until_goes_by(tmp_path: Path) -> None:
    survey = stopped(tmp_path, numbered(), 0.02)
    [row] = survey.means(by=None)["grey"].to_dict("records")
    values = survey.table()["grey"]
    reached = json.loads(survey.ended_file.read_text())["standard_errors"]["grey"]
    assert row == pytest.approx({"mean": values.mean(), "sem": reached, "count": len(values)})


def test_what_has_failed_counts_once(tmp_path: Path) -> None:
    images = numbered()
    bad: set[float] = {7.0}

    def fails(values: np.ndarray, item: Item) -> float:
        if bad and float(values[0, 0]) > 0.9:
            raise ValueError("it is too bright")
        return float(values.mean())

    def call(folder: str, **options: Any) -> xw.Survey:
        return surveyed(
            tmp_path / folder, images, Brightness(), net=small(), measures=[fails],
            until={"fails": 0.018}, **options,
        )  # fmt: skip

    with pytest.warns(UserWarning, match="have no measures"):
        call("s")
    bad.clear()
    assert_same_table(call("s", again=True), call("once"))


def test_it_has_ended_until_a_call_goes_on(tmp_path: Path) -> None:
    images = numbered()
    survey = stopped(tmp_path / "s", images, 0.03)
    assert survey.ended
    reached = json.loads(survey.ended_file.read_text())["standard_errors"]["grey"]
    values = survey.table()["grey"]
    assert reached == pytest.approx(values.std() / len(values) ** 0.5)
    with recorded(limit=1), pytest.raises(KeyboardInterrupt):
        stopped(tmp_path / "s", images, 0.02)
    assert not survey.ended
    stopped(tmp_path / "s", images, None)
    assert survey.ended
    assert not survey.ended_file.exists()


def assert_same_table(left: xw.Survey, right: xw.Survey) -> None:
    """Rows and arrays, also of pictures that are not done, are equal to the last bit."""
    assert left.table().equals(right.table())
    assert left.maps[:].tobytes() == right.maps[:].tobytes()


def test_neither_workers_nor_interrupts_change_what_is_taken(tmp_path: Path) -> None:
    images = numbered()
    alone = stopped(tmp_path / "alone", images, 0.025, layers=["1"])
    both = stopped(tmp_path / "both", images, 0.025, layers=["1"], workers=2)
    with recorded(limit=3), pytest.raises(KeyboardInterrupt):
        stopped(tmp_path / "s", images, 0.025, layers=["1"])
    again = stopped(tmp_path / "s", images, 0.025, layers=["1"])
    for other in (both, again):
        assert_same_table(alone, other)
        assert alone.activations("1").tobytes() == other.activations("1").tobytes()
    known = ~np.isnan(alone.activations("1")).any((1, 2))
    assert np.flatnonzero(known).tolist() == alone.table()["number"].tolist()


def test_completed_layers_are_those_of_pictures_by_number(tmp_path: Path) -> None:
    images = pictures(70)
    ordered = surveyed(tmp_path / "ordered", images, layers=["3"])
    with pytest.warns(UserWarning, match="all 70 pictures are done, and standard errors are still"):
        random = surveyed(
            tmp_path / "random", images, layers=["3"], measures=["half_area"],
            until={"half_area": 1e-9},
        )  # fmt: skip
    np.testing.assert_allclose(
        random.activations("3"), ordered.activations("3"), rtol=1e-4, atol=1e-6
    )
    assert random.top_pictures("3", 2) == ordered.top_pictures("3", 2)
    with pytest.raises(ValueError, match="takes its pictures by number, so that those that are do"):
        surveyed(tmp_path / "ordered", images, layers=["3"], until={"half_area": 1})
    assert_same_activations(ordered, xw.open_survey(tmp_path / "ordered"))


def test_most_means_are_within_three_standard_errors_of_the_whole(tmp_path: Path) -> None:
    within, errors = 0, []
    for seed in range(50):
        rule, values = StoppingRule({"grey": 0.02}), numbered(1000, seed)[:, 0, 0, 0].double()
        random = values[torch.randperm(1000, generator=torch.Generator().manual_seed(seed))]
        taken: list[float] = []
        while not rule.reached:
            batch = random[len(taken) : len(taken) + 8].tolist()
            rule.add([{"place": 0, "grey": value} for value in batch])
            taken += batch
        error = np.std(taken, ddof=1) / len(taken) ** 0.5
        assert rule.errors["grey"] == pytest.approx(error, rel=1e-9)
        assert error <= 0.02
        within += abs(np.mean(taken) - values.mean().item()) <= 3 * error
        errors.append(abs(np.mean(taken) - values.mean().item()) / error)
    assert within >= 47
    assert np.std(errors) > 0.3


def test_a_random_order_holds_each_picture_once() -> None:
    for count in (1, 7, 100):
        facts = Facts(
            network_name="", network="", pictures="", count=count, method="", parameters=(),
            targets=("",), explained="", units=("",), signed=True, measures=(), layers={}, seed=0,
            size=(1, 1), dtype="float32", batch_size=8, versions={},
        )  # fmt: skip
        numbers = [n for batch in range(facts.batches) for n in facts.numbers(batch)]
        assert sorted(numbers) == [*range(count)]
        assert facts.positions[numbers].tolist() == [*range(count)]
        assert numbers != [*range(count)] or count == 1
        if count == 7:
            assert numbers == ORDER


ORDER = [3, 2, 1, 6, 0, 4, 5]
"""Order of 7 pictures, in which folders are read for ever."""


def test_batches_come_in_order() -> None:
    class Numbered:
        def __init__(self, number: int) -> None:
            self.number = number

    several = map(Numbered, [3, 1, 2, 0, 5])
    assert [batch.number for batch in in_order(several, [0, 1, 2, 3, 5])] == [0, 1, 2, 3, 5]


def test_rows_without_the_measure_do_not_count() -> None:
    rule = StoppingRule({"a": 0.5})
    rows = [{"place": 0, "a": value} for value in (1.0, np.nan, None, 2.0)]
    rule.add([*rows, {"place": 1, "a": 99.0}, {"place": 0, "error": "none"}])
    assert rule.errors["a"] == pytest.approx(0.5)
    assert not rule.reached


@pytest.mark.parametrize(
    ("until", "sentence"),
    [
        ({"half_aera": 0.1}, "unknown measure 'half_aera'; did you mean 'half_area'"),
        ({"half_area": 0}, r"until\['half_area'\] is 0, but must be a number above 0"),
        ({"half_area": "small"}, r"until\['half_area'\] is 'small', but must be a number above 0"),
        (0.01, "until is 0.01, but must hold standard errors by measure, such as"),
        ({3: 0.1}, "unknown measure 3"),
        ({}, "until is {}, but must"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_written(
    tmp_path: Path, until: Any, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        surveyed(tmp_path / "s", measures=["half_area"], until=until)
    assert not (tmp_path / "s").exists()
