"""The command itself: its help, its exit codes, and what it imports."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
from PIL import Image

import xwidgets as xw
from scripts import command_line as documentation
from xwidgets.commands import command_line, main
from xwidgets.images import picture

from ..results.examples import relevance
from ..test_without_torch import HIDDEN

ROOT = Path(__file__).parents[2]
COMMANDS = ["lab", "explain", "survey", "show", "networks", "methods"]
BIRD = picture(xw.scenes.bird(seed=3).image)
COMMAND = [sys.executable, "-m", "xwidgets"]


def process(*words: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, env=environment, timeout=120, **options
    )


def test_the_command_is_the_function() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["scripts"].keys() == {"xwidgets"}
    assert resolve_name(project["scripts"]["xwidgets"]) is main


@pytest.mark.skipif(
    not [each for each in entry_points(group="console_scripts") if each.name == "xwidgets"],
    reason="it is not installed since it has the command",
)
def test_the_installed_command_runs() -> None:
    script = Path(sys.executable).with_name("xwidgets")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, timeout=240)
    assert done.stdout.startswith("xwidgets ")


def test_a_photograph_is_explained_from_a_shell(tmp_path: Path) -> None:
    Image.fromarray(BIRD).save(tmp_path / "bird.png")
    words = ["explain", "bird.png", "--network", "birds", "--method", "saliency"]
    done = process(*words, "--out", "bird.html", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    [(_, label, _)] = xw.network("birds").top(BIRD, k=1)
    assert done.stdout.startswith(f"bird.png: {label!r}, ")
    assert "<script" in (tmp_path / "bird.html").read_text("utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: Any) -> None:
    for word in ("-h", "--help"):
        assert main([command, word]) == 0
        told = capsys.readouterr()
        assert told.out.startswith(f"usage: xwidgets {command}")
        assert told.err == ""
    assert command in command_line.COMMANDS


def test_help_lists_the_commands_and_imports_nothing_that_takes_long() -> None:
    code = (
        "import sys; from xwidgets.commands import main; code = main(['--help']); "
        "slow = {'torch', 'numpy', 'pandas', 'ipywidgets', 'PIL'} & {*sys.modules}; "
        "assert not slow, slow; sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=240
    )
    assert (done.returncode, done.stderr) == (0, "")
    for command in COMMANDS:
        assert f"\n  {command}" in done.stdout
    assert process("--help").stdout.split() == done.stdout.split()


def test_the_version_is_that_of_the_package(capsys: Any) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"xwidgets {xw.__version__}\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["explian"], "unknown command 'explian'; did you mean 'explain'?"),
        (["--verison"], "unknown option '--verison'; did you mean '--version'?"),
        (["\x1b[2J"], r"unknown command '\x1b[2J'"),
    ],
)
def test_what_is_no_command_is_refused_in_a_sentence(
    words: list[str], told: str, capsys: Any
) -> None:
    assert main(words) == 2
    out, error = capsys.readouterr()
    assert told in error
    assert error.count("\n") == 1
    assert out == ""


def test_without_a_command_the_help_is_shown_as_an_error(capsys: Any) -> None:
    assert main([]) == 2
    out, error = capsys.readouterr()
    assert error.startswith("usage: xwidgets COMMAND")
    assert out == ""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("no\n picture"), "xwidgets: no picture\n"),
        (OSError("the disk is full"), "xwidgets: the disk is full\n"),
        (RuntimeError("CUDA out of memory.\nTried"), "xwidgets: RuntimeError: CUDA out of memory."),
        (MemoryError(), "xwidgets: MemoryError\n"),
    ],
)
def test_an_error_is_a_sentence(
    error: Exception, told: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(words: Any) -> None:
        raise error

    monkeypatch.setattr(command_line, "COMMANDS", {"show": (fail, "")})
    assert main(["show"]) == 1
    assert capsys.readouterr().err.startswith(told)


@pytest.mark.parametrize("count", [1, 10_000])
def test_a_reader_who_has_seen_enough_is_no_error(
    count: int, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        monkeypatch.setattr(
            command_line, "COMMANDS", {"networks": (lambda _: print("birds\n" * count), "")}
        )
        assert main(["networks"]) == 1
    assert capsys.readouterr().err == ""


def test_any_text_is_printed_in_any_encoding(tmp_path: Path) -> None:
    relevance(label="grün", completed=1.0).save(tmp_path / "a.npz")
    done = subprocess.run(
        [*COMMAND, "show", str(tmp_path / "a.npz"), "--out", str(tmp_path / "a.html")],
        capture_output=True, text=True, cwd=ROOT, timeout=240,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert r"gr\xfcn" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="processes are interrupted as Unix does it")
def test_ctrl_c_in_the_middle_leaves_no_file(tmp_path: Path) -> None:
    Image.fromarray(BIRD).save(tmp_path / "bird.png")
    words = ["explain", "bird.png", "--network", "birds", "--method", "occlusion"]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *words, "--out", "a.html"],
        capture_output=True, text=True, timeout=240, cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    assert os.listdir(tmp_path) == ["bird.png"]


INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell ignores it
from xwidgets.commands import main
from xwidgets.explain.removal.window_removal import WindowRemoval
results = WindowRemoval.steps
def steps(run):
    for number, step in enumerate(results(run)):
        if number == 2:
            os.kill(os.getpid(), signal.SIGINT)
        yield step
WindowRemoval.steps = steps
sys.exit(main(sys.argv[1:]))
"""


WITHOUT_TORCH = """
from xwidgets.commands import main
def code(*words):
    return main(list(words))
assert code("show", sys.argv[1], "--out", sys.argv[2]) == 0
assert code("--help") == code("show", "--help") == code("explain", "--help") == 0
assert code("lab", "--help") == code("networks", "--help") == code("methods", "--help") == 0
assert code("methods") == code("networks") == code("explain", "a.png", "--network", "birds") == 1
"""


def test_without_torch_results_are_shown_and_help_is_given(tmp_path: Path) -> None:
    relevance(completed=1.0).save(tmp_path / "a.npz")
    paths = [str(tmp_path / name) for name in ("a.npz", "a.html")]
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN + WITHOUT_TORCH, *paths],
        capture_output=True, text=True, cwd=ROOT, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "<script" in (tmp_path / "a.html").read_text("utf-8")
    sentences = done.stderr.splitlines()
    assert len(sentences) == 3
    assert all(each.startswith("xwidgets: torch is not installed") for each in sentences)
    assert "torch is not installed, so no method is listed" in done.stdout


def test_the_documentation_is_current() -> None:
    assert documentation.PAGE.read_text("utf-8") == documentation.page(), (
        "run python -m scripts.command_line"
    )
    assert "command_line" in (documentation.PAGE.parent / "index.md").read_text("utf-8")
