"""``xwidgets notebook`` writes a page of a notebook that was run."""

from pathlib import Path

import pytest

from xwidgets.commands import main

from ..results.examples import relevance
from ..widgets.test_notebook_page import saved


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_notebook_is_a_page_beside_it(capsys: pytest.CaptureFixture) -> None:
    import xwidgets as xw

    saved(Path("lesson.ipynb"), xw.RelevanceOverlay(relevance()))
    assert main(["notebook", "lesson.ipynb"]) == 0
    assert capsys.readouterr().out.startswith("written to lesson.html, ")
    assert 'class="xw-page"' in Path("lesson.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["missing.ipynb"], 1, "'missing.ipynb' is no notebook that can be read"),
        (["lesson.ipynb", "--out", "lesson.pdf"], 2, "'lesson.pdf' does not end in .html"),
        (["lesson.ipynb", "--out", "no/lesson.html"], 1, "there is no folder 'no'; make it first"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    words: list[str], code: int, said: str, capsys: pytest.CaptureFixture
) -> None:
    assert main(["notebook", *words]) == code
    told = capsys.readouterr()
    assert said in told.err
    assert not told.out
    assert not list(Path().glob("*.html"))
