"""Results of experiments in a folder, and tables that grow there by repetitions."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

import xwidgets as xw
from xwidgets.reproduce import lengerich2017, qi2018, zintgraf2016
from xwidgets.reproduce.repetitions import grow
from xwidgets.reproduce.saved import SavedFiles, SavedTables
from xwidgets.reproduce.setting import NamedSetting, by_name, chosen

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@dataclass(frozen=True)
class Sizes(NamedSetting):
    windows: tuple[int, ...] = (1, 2)


SMALL = Sizes("small")
TABLE = pd.DataFrame({"seed": [0, 1], "value": [0.5, 0.25]})


def test_a_setting_is_chosen_by_its_name() -> None:
    settings = by_name(SMALL, Sizes("full", (3,)))
    assert chosen("full", settings) == settings["full"] == Sizes("full", (3,))
    own = Sizes("own")
    assert chosen(own, settings) is own
    with pytest.raises(ValueError, match="unknown setting 'smal'; did you mean 'small'"):
        chosen("smal", settings)


def test_what_a_file_holds_is_not_computed_again(tmp_path: Path) -> None:
    files = SavedFiles(tmp_path / "new" / "folder", "small")
    computed = []

    def kept(value: str, recompute: bool = False) -> str:
        def compute() -> str:
            computed.append(value)
            return value

        save = lambda value, path: path.write_text(value)  # noqa: E731
        return files.kept("-text.txt", compute, Path.read_text, save, recompute)

    assert not files.has("-text.txt")
    assert [kept("a"), kept("b"), kept("c", recompute=True), kept("d")] == ["a", "a", "c", "c"]
    assert computed == ["a", "c"]
    assert (tmp_path / "new" / "folder" / "small-text.txt").read_text() == "c"


def test_without_a_folder_nothing_is_kept() -> None:
    saved = SavedTables(None, SMALL, recompute=True)
    saved.save({"table": TABLE})
    assert saved.load(["table"]) == {}
    assert not saved.has("-text.txt")
    values = iter("ab")
    for expected in "ab":
        assert saved.kept("-text.txt", lambda: next(values), Path.read_text, print) == expected


def test_a_file_without_a_field_that_is_newer_has_its_default(tmp_path: Path) -> None:
    SavedTables(tmp_path, SMALL, source="streets").save({"table": TABLE})
    told = json.loads((tmp_path / "small.json").read_text("utf-8"))
    del told["windows"]
    (tmp_path / "small.json").write_text(json.dumps(told), "utf-8")
    assert SavedTables(tmp_path, SMALL, source="streets").load(["table"])["table"].equals(TABLE)
    with pytest.raises(ValueError, match="another setting called 'small'"):
        SavedTables(tmp_path, Sizes("small", (3,)), source="streets")


def test_tables_come_back_with_what_they_are_of(tmp_path: Path) -> None:
    saved = SavedTables(tmp_path, SMALL, source="streets")
    saved.save({"table": TABLE, "empty": pd.DataFrame()})
    tables = SavedTables(tmp_path, SMALL, source="streets").load(["empty", "table", "curves"])
    assert list(tables) == ["empty", "table"]
    pd.testing.assert_frame_equal(tables["table"], TABLE)
    assert tables["empty"].empty
    facts = json.loads((tmp_path / "small.json").read_text("utf-8"))
    assert facts.pop("versions")["xwidgets"] == xw.__version__
    assert facts == {"name": "small", "windows": [1, 2], "source": "streets"}


@pytest.mark.parametrize("other", [(Sizes("small", (1,)), "streets"), (SMALL, "photographs")])
def test_results_of_something_else_are_refused_or_removed(tmp_path: Path, other) -> None:
    SavedTables(tmp_path, SMALL, source="streets").save({"table": TABLE})
    setting, source = other
    with pytest.raises(ValueError, match="another setting called 'small', or of other images"):
        SavedTables(tmp_path, setting, source=source)
    saved = SavedTables(tmp_path, setting, recompute=True, source=source)
    assert not list(tmp_path.iterdir())
    assert saved.load(["table"]) == {}


def test_tables_of_nothing_that_is_known_are_not_taken(tmp_path: Path) -> None:
    SavedTables(tmp_path, SMALL).save({"table": TABLE})
    (tmp_path / "small.json").unlink()
    assert SavedTables(tmp_path, SMALL).load(["table"]) == {}


def test_starting_anew_spares_a_longer_name(tmp_path: Path) -> None:
    for name in ("small", "small-too", "other"):
        SavedTables(tmp_path, Sizes(name)).save({"table": TABLE})
    (tmp_path / "small.md").write_text("notes")
    SavedTables(tmp_path, SMALL, recompute=True)
    assert {path.name for path in tmp_path.iterdir()} == {
        "small.md", "small-too.json", "small-too-table.csv", "other.json", "other-table.csv",
    }  # fmt: skip


@pytest.mark.parametrize("version", [{}, {"versions": {"xwidgets": "0.0"}}])
def test_results_of_other_versions_are_taken(tmp_path: Path, version) -> None:
    SavedTables(tmp_path, SMALL).save({"table": TABLE})
    path = tmp_path / "small.json"
    facts = json.loads(path.read_text("utf-8"))
    del facts["versions"]
    path.write_text(json.dumps(facts | version), "utf-8")
    assert list(SavedTables(tmp_path, SMALL).load(["table"])) == ["table"]


# Tables that grow


class Tables(NamedTuple):
    scores: pd.DataFrame
    details: pd.DataFrame


KEYS = [("a", 0), ("a", 1), ("b", 0)]


class Measured:
    """Counts what is measured, and is interrupted at one repetition."""

    def __init__(self, stop_at: tuple[str, int] | None = None) -> None:
        self.stop_at, self.done = stop_at, []

    def __call__(self, network: str, scene: int) -> Iterator[Tables]:
        rows = pd.DataFrame({"network": network, "scene": scene, "value": [0.1, 0.2]})
        yield Tables(rows[:1], pd.DataFrame())
        if (network, scene) == self.stop_at:
            raise KeyboardInterrupt
        yield Tables(rows, rows if network == "a" else pd.DataFrame())
        self.done.append((network, scene))


def growing(folder: Path, measure: Measured) -> list[Tables]:
    saved = SavedTables(folder, SMALL)
    return list(grow(Tables, saved, ["network", "scene"], KEYS, measure))


def test_a_repetition_is_saved_when_it_is_whole(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        growing(tmp_path, Measured(stop_at=("a", 1)))
    measure = Measured()
    tables = growing(tmp_path, measure)
    assert measure.done == KEYS[1:]
    assert [len(part.scores) for part in tables] == [2, 3, 4, 5, 6]
    assert [len(part.details) for part in tables] == [2, 2, 4, 4, 4]
    measure = Measured()
    (again,) = growing(tmp_path, measure)
    assert measure.done == []
    for table, expected in zip(again, tables[-1], strict=True):
        pd.testing.assert_frame_equal(table, expected)


def test_rows_of_a_repetition_that_was_not_saved_whole_are_left_out(tmp_path: Path) -> None:
    whole = growing(tmp_path, Measured())[-1]
    path = tmp_path / "small-scores.csv"
    scores = pd.read_csv(path)
    scores[scores["scene"] == 0].to_csv(path, index=False)
    measure = Measured()
    tables = growing(tmp_path, measure)
    assert measure.done == [("a", 1)]
    for table, expected in zip(tables[-1], whole, strict=True):
        columns = ["network", "scene", "value"]
        pd.testing.assert_frame_equal(
            table.sort_values(columns, ignore_index=True),
            expected.sort_values(columns, ignore_index=True),
        )


def test_a_first_repetition_that_was_not_saved_whole_is_measured_again(tmp_path: Path) -> None:
    whole = growing(tmp_path, Measured())[-1]
    (tmp_path / "small-scores.csv").unlink()
    measure = Measured()
    tables = growing(tmp_path, measure)
    assert measure.done == KEYS
    for table, expected in zip(tables[-1], whole, strict=True):
        pd.testing.assert_frame_equal(table, expected)


# Results that come with the notebooks


@pytest.mark.parametrize(
    ("reproduce", "setting", "folder"),
    [
        (lengerich2017.reproduce, "small", "lengerich2017"),
        (qi2018.reproduce, "full", "qi2018"),
        (zintgraf2016.claims.reproduce, "full", "zintgraf2016"),
    ],
)
def test_results_saved_before_are_not_computed_again(
    reproduce, setting: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(*args: object) -> None:
        raise AssertionError("something was computed and written")

    shutil.copytree(NOTEBOOKS / folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(SavedTables, "write", written)
    tables = reproduce(setting, tmp_path)
    assert all(len(table) for table in tables)
