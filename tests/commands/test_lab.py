"""``xwidgets lab`` brings the quickstart notebook, and overwrites nobody's."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import time
import tomllib
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from xwidgets.commands import lab, main

from ..browser.lab import free_port

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "quickstart.ipynb"
pytest.importorskip("jupyterlab")


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """The words that JupyterLab was started with."""
    from jupyterlab.labapp import LabApp

    calls: list[list[str]] = []
    monkeypatch.setattr(LabApp, "launch_instance", calls.append)
    monkeypatch.chdir(tmp_path)
    return calls


def cells(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"]]


def test_the_notebook_is_brought_here(launched: Any, tmp_path: Path, capsys: Any) -> None:
    assert main(["lab"]) == 0
    path = tmp_path / "quickstart.ipynb"
    assert launched == [[str(path)]]
    theirs, ours = cells(path), cells(NOTEBOOK)
    assert [cell for cell in theirs if "](" not in cell] == [c for c in ours if "](" not in c]
    assert len(theirs) == len(ours)
    assert str(tmp_path) in capsys.readouterr().out


def test_its_links_lead_somewhere_without_the_other_notebooks(launched: Any) -> None:
    main(["lab"])
    links = re.findall(r"\]\((.+?)\)", "".join(cells(Path("quickstart.ipynb"))))
    assert links
    for link in links:
        assert link.startswith(lab.SOURCE)
        assert (ROOT / "notebooks" / link.removeprefix(lab.SOURCE)).is_file()


def test_a_folder_is_made_and_further_words_are_jupyters(launched: Any, tmp_path: Path) -> None:
    words = ["--no-browser", "--port", "9999"]
    assert main(["lab", "new/lessons", *words]) == 0
    assert main(["lab", *words]) == 0
    paths = [tmp_path / "new" / "lessons" / "quickstart.ipynb", tmp_path / "quickstart.ipynb"]
    assert launched == [[str(path), *words] for path in paths]
    assert all(path.is_file() for path in paths)


def test_what_a_reader_changed_stays_and_is_opened(
    launched: Any, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "quickstart.ipynb"
    path.write_text("mine", "utf-8")
    assert main(["lab", str(tmp_path)]) == 0
    assert path.read_text("utf-8") == "mine"
    assert launched == [[str(path)]]
    assert f"opening your own {path}" in capsys.readouterr().out


def test_one_that_nobody_changed_is_opened_without_a_word(launched: Any, capsys: Any) -> None:
    main(["lab"])
    capsys.readouterr()
    main(["lab"])
    assert capsys.readouterr().out == ""
    assert len(launched) == 2


def test_without_jupyterlab_a_sentence_names_the_extra(
    launched: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(lab, "find_spec", lambda name: find(name) if name != "jupyterlab" else None)
    assert main(["lab"]) == 1
    told = capsys.readouterr().err
    assert "jupyterlab" in told
    assert "extra 'lab'" in told
    assert told.count("\n") == 1
    assert not os.listdir()
    assert not launched


@pytest.mark.parametrize("folder", ["taken", "taken/inside"])
def test_a_folder_that_cannot_be_is_told(folder: str, launched: Any, capsys: Any) -> None:
    Path("taken").write_text("a file")
    assert main(["lab", folder]) == 1
    assert "could not be made" in capsys.readouterr().err
    assert not launched


def test_the_wheel_has_the_notebook_where_it_is_looked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    [(source, target)] = included.items()
    assert ROOT / source == NOTEBOOK
    assert target == f"{lab.__package__.replace('.', '/')}/{lab.NAME}"
    assert not (ROOT / target).exists(), "a second copy"


def test_the_notebook_of_the_package_comes_first(
    launched: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "quickstart.ipynb").write_text("of the wheel", "utf-8")
    monkeypatch.setattr(lab, "files", lambda package: tmp_path)
    assert lab.quickstart() == "of the wheel"


def test_a_real_jupyterlab_has_the_notebook(tmp_path: Path) -> None:
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    places = {name: str(tmp_path / "jupyter") for name in names}
    port = free_port()
    words = ["--no-browser", "--allow-root", "--IdentityProvider.token=", f"--port={port}",
             "--ServerApp.port_retries=0", "--LanguageServerManager.autodetect=False"]  # fmt: skip
    with open(tmp_path / "log", "w+", encoding="utf-8") as log:
        command = [sys.executable, "-m", "xwidgets", "lab", str(tmp_path / "here"), *words]
        server = subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | places, cwd=ROOT
        )
        try:
            address = f"http://127.0.0.1:{port}/api/contents/quickstart.ipynb"
            content = json.loads(_answer(address, server, tmp_path / "log"))["content"]
        finally:
            server.terminate()
            server.wait(30)
    assert len(content["cells"]) == len(cells(NOTEBOOK))


def _answer(address: str, server: "subprocess.Popen[Any]", log: Path) -> bytes:
    """Answer of a server that is starting."""
    for _ in range(300):
        assert server.poll() is None, log.read_text("utf-8")
        with suppress(OSError), urllib.request.urlopen(address) as answer:
            body: bytes = answer.read()
            return body
        time.sleep(0.1)
    raise AssertionError(log.read_text("utf-8"))
