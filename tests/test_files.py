"""What was saved before is whole whatever happens while it is saved again."""

import ast
import errno
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import xwidgets as xw
from xwidgets.files import whole

from .explain.explanation_module.modules import module_of
from .results.examples import relevance

pytest.importorskip("resource", reason="processes are limited and killed as Unix does it")
ROOT = Path(xw.__file__).parent.parent
SOURCES = [
    path
    for room in ("xwidgets", "scripts", "benchmarks")
    for path in (ROOT / room).rglob("*.py")
    if "hosts" not in path.parts  # which writes what it shows, into a temporary folder
]


def run(program: str, folder: Path, *disks: str, before: Sequence[str] = ()) -> str:
    """What a program prints that writes to a folder, after what all of these begin with."""
    return subprocess.run(
        [*before, sys.executable, "-c", PREAMBLE + program, str(folder), *disks],
        cwd=ROOT, capture_output=True, text=True, timeout=200, check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},  # or what it forks waits for threads
    ).stdout  # fmt: skip


PREAMBLE = """
import json, os, random, resource, signal, subprocess, sys, time, warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
import numpy as np
import pandas as pd
from PIL import Image
import xwidgets as xw
from xwidgets.reproduce import Figure
from xwidgets.reproduce.saved import SavedTables
from xwidgets.reproduce.setting import NamedSetting
from xwidgets.results.names import Names, Opinion
from xwidgets.networks import thin_vgg
from xwidgets.widgets.region_scores import RegionScores
from tests.explain.explanation_module.modules import module_of
from tests.results.examples import relevance, removal
folder = Path(sys.argv[1])
"""

KILLED = """
size = 200, 200
noise = np.random.default_rng(0).standard_normal(size).astype(np.float32)
picture = np.zeros((*size, 3), np.uint8)
results = [relevance(values=noise * k, image=picture, standard_error=None) for k in (1, 2)]
path = folder / "result.npz"
results[0].save(path)
for _ in range(15):
    child = os.fork()
    if not child:
        while True:
            for result in results:
                result.save(path)
    time.sleep(random.uniform(0.02, 0.1))
    os.kill(child, signal.SIGKILL)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    values = xw.Relevance.load(path).values
    assert any(np.array_equal(values, result.values) for result in results)
    print("whole")
"""


def test_a_result_is_whole_whenever_its_writer_is_killed(tmp_path: Path) -> None:
    assert run(KILLED, tmp_path).split() == ["whole"] * 15


REFUSED = """
from tests.results import examples
from tests.usual import arguments, network
noise = np.random.default_rng(0).standard_normal((99, 99)).astype(np.float32)
heat = relevance(values=noise, image=np.zeros((99, 99, 3), np.uint8), standard_error=None)
module, scores, found = module_of((60, 50, 2)), RegionScores(removal()), examples.x_features()
plain, facts = thin_vgg.load(Path(thin_vgg.__file__).parent / "weights" / "birds.safetensors")
images = np.random.default_rng(1).random((4, 3, 12, 12))
pooled = xw.pooled_network(
    network(), arguments()["images"], [*range(24)], classes=[f"{n}" * 99 for n in range(24)],
    epochs=1, progress=False,
)
names = Names()
names.note(found, Opinion(["long" * 2000] * 4, [""] * 4))
form = xw.PartsForm([found], ["beak", "long" * 2000])
table = pd.DataFrame({"row": range(4000)})


def tables(path):
    SavedTables(path, NamedSetting("small")).save({"table": table})


def answers(path):
    kept = xw.PartsForm([found], ["beak", "long" * 2000], path=path)
    asked = kept.questions[len(kept.answers)]
    answer = {name: asked[name] for name in ("picture", "x-feature")} | {"parts": ["beak"]}
    kept.answers = [*kept.answers, answer]
    return kept.message


def opinions(path):
    view = xw.XFeatureExplorer(found, names=path)
    view.names = [name + "longer" * 2000 for name in view.names]
    return view.message


def search(path):
    k = len(list(path.glob("*"))) + 1
    xw.search_images(network(), folder / "pictures", [(1, 0)], k, cache=path, progress=False)


def fit(path):
    layer = "3" if path.exists() else "4"
    xw.fit_explanation(
        network(), folder / "pictures", None, layer, hidden=(6, 4), epochs=1, progress=False,
        cache=path,
    )


WRITERS = {
    "result": heat.save,
    "figure": Figure([[heat]], ["row"], ["column"]).save,
    "module": module.save,
    "pooled network": pooled.save,
    "sampler": xw.ConditionalSampler.fit(images, window=3, patches=200).save,
    "page": scores.to_html,
    "network": lambda path: thin_vgg.save(path, plain, facts),
    "names": names.save,
    "shared names": lambda path: names.note_in(path, found, Opinion(["a" * 8000] * 4, [""] * 4)),
    "form": form.save,
    "tables": tables,
    "answers": answers,
    "opinions": opinions,
    "search": search,
    "fit": fit,
}


def content():
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def said(write, path):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            told = write(path)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    if isinstance(told, str):
        return f"message: {told}"
    return "".join(f"warning: {w.message}" for w in heard if "kept" in str(w.message))


def refused(disk):
    match disk:
        case "limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, -1))
        case "full":
            with suppress(OSError), open(folder / "large", "wb", buffering=0) as large:
                while True:
                    large.write(bytes(4096))
        case "read-only":
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    before = content()
    told = {name: said(write, folder / name) for name, write in WRITERS.items()}
    print(json.dumps([disk, told]), flush=True)
    assert content() == before, content().keys() ^ before.keys()


disks = sys.argv[2:]
if disks != ["limit"]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "none", folder], check=True)
(folder / "pictures").mkdir()
for number, image in enumerate(arguments()["images"]):
    Image.fromarray(xw.images.picture(image)).save(folder / "pictures" / f"{number}.png")
for name, write in WRITERS.items():
    said(write, folder / name)
for disk in disks:
    child = os.fork()
    if not child:
        refused(disk)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    if disk == "full":
        (folder / "large").unlink()
"""

REASONS = {"limit": "File too large", "full": "No space left on device",
           "read-only": "Read-only file system"}  # fmt: skip


def may_mount() -> bool:
    """Whether a process can have file systems of its own."""
    mount = "mount -t tmpfs none /mnt"
    return not subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True).returncode


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """By disk what the writers say of it, one after the other."""
    own = shutil.which("unshare") and may_mount()
    disks, before = (list(REASONS), ["unshare", "-rm"]) if own else (["limit"], [])
    told = run(REFUSED, tmp_path_factory.mktemp("disk"), *disks, before=before)
    return dict(json.loads(line) for line in told.splitlines())


@pytest.mark.parametrize("disk", REASONS)
def test_a_disk_that_takes_nothing_leaves_all_as_it_was_and_is_named(
    refusals: dict[str, dict[str, str]], disk: str
) -> None:
    if disk not in refusals:
        pytest.skip("file systems cannot be mounted here")
    why = rf"'[^']*' could not be (written|changed|made) \({REASONS[disk]}\)"
    if disk == "read-only":
        why = rf"({why}|'[^']*' is no file that may be written)"
    for name, sentence in refusals[disk].items():
        kind, rest = {
            "answers": ("message: The answers are not kept: ", r"write them elsewhere with .*"),
            "opinions": ("message: The names are not kept: ", r"write them elsewhere with .*"),
            "search": ("warning: what was found cannot be kept: ", "give another folder with .*"),
            "fit": ("warning: what was found cannot be kept: ", "give another folder with .*"),
        }.get(name, ("OSError: ", r"(what was there stays|give a)[^;]*"))
        assert re.fullmatch(f"{kind}{why}; {rest}", sentence), (name, sentence)


def test_an_error_leaves_all_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("before")

    def interrupted() -> None:
        with whole(path) as part:
            part.write_text("after")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_killed_processes_left_of_the_file_is_removed(tmp_path: Path) -> None:
    for name in ("notes", "others"):
        with whole(tmp_path / name) as part:
            part.write_text("before")
            os.link(part, tmp_path / part.name.replace(".part", "0.part"))
            os.utime(part, (0, 0))
    left = {path.name for path in tmp_path.iterdir()} - {"notes", "others"}
    with whole(tmp_path / "notes") as part:
        part.write_text("after")
    kept = {path.name for path in tmp_path.iterdir()} - {"notes", "others"}
    assert kept == {name for name in left if name.startswith(".others.")}
    assert len(left) == 2 * len(kept) == 2


def test_the_longest_name_can_be_written_and_what_cannot_be_removed_is_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ("n" * 250)
    (left := tmp_path / f".{'n' * 50}.left.part").touch()
    os.utime(left, (0, 0))

    def refused(part: Path, **_: object) -> None:
        if part == left:
            raise PermissionError(errno.EPERM, "not yours")

    monkeypatch.setattr(Path, "unlink", refused)
    relevance().save(path)
    assert xw.Relevance.load(path).values.shape == (5, 7)


def test_a_part_that_another_process_is_writing_stays(tmp_path: Path) -> None:
    with whole(tmp_path / "notes") as theirs:
        with whole(tmp_path / "notes") as part:
            part.write_text("mine")
        theirs.write_text("theirs")
    assert (tmp_path / "notes").read_text() == "theirs"


def test_a_disk_error_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match=r"notes' could not be written .No space left on device.;"):
        relevance().save(tmp_path / "notes")
    assert not list(tmp_path.iterdir())


def test_a_link_stays_one_and_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    file, link, other = tmp_path / "far" / "result", tmp_path / "link", tmp_path / "other"
    link.symlink_to(Path("far") / "result")
    other.symlink_to(link)
    for path, factor in ((link, 1), (other, 2)):
        result = relevance(values=np.full((5, 7), factor, np.float32))
        result.save(path)
        assert (link.readlink(), other.readlink()) == (Path("far") / "result", link)
        assert not file.is_symlink()
        assert xw.Relevance.load(file).values[0, 0] == factor
    assert {path.name for path in tmp_path.rglob("*")} == {"far", "result", "link", "other"}


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o660, 0o755])
def test_permissions_stay_as_they_are(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "module"
    for save in (relevance().save, module_of().save):
        save(path)
        path.chmod(mode)
        save(path)
        assert path.stat().st_mode & 0o777 == mode


def test_a_new_file_has_the_permissions_that_new_files_have(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    for name, save in (("result", relevance().save), ("module", module_of().save)):
        save(tmp_path / name)
        assert (tmp_path / name).stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("save", [relevance().save, module_of().save], ids=["result", "module"])
def test_a_folder_that_there_is_not_is_named(tmp_path: Path, save) -> None:
    with pytest.raises(OSError, match=f"there is no folder {str(tmp_path / 'gone')!r}; make it"):
        save(tmp_path / "gone" / "file")


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    for path in (tmp_path, os.devnull):
        with pytest.raises(OSError, match="is no file that may be written; give another path"):
            relevance().save(path)
    assert not list(tmp_path.iterdir())


def test_what_may_not_be_written_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine"
    path.write_text("before")
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(OSError, match="mine' is no file that may be written; give another path"):
        relevance().save(path)
    assert path.read_text() == "before"


# Nothing is written in another way

WRITERS = {"write_text", "write_bytes", "to_csv", "to_pickle", "to_parquet", "savez",
           "savez_compressed", "save_file", "savefig", "savetxt", "screenshot", "tofile",
           "dump"}  # fmt: skip

Named = tuple[ast.Call, frozenset[str]]


def calls(tree: ast.AST, names: frozenset[str] = frozenset()) -> list[Named]:
    """All calls, with the names of what is part of a whole file, or a file in memory."""
    found = [(tree, names)] if isinstance(tree, ast.Call) else []
    inside = names
    if isinstance(tree, ast.With):
        for item in tree.items:
            if isinstance(item.optional_vars, ast.Name) and (
                named(item.context_expr) == "whole" or uses(item.context_expr, inside)
            ):
                inside = inside | {item.optional_vars.id}
    if isinstance(tree, ast.FunctionDef):
        inside = frozenset(
            target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and ast.unparse(node.value) == "io.BytesIO()"
            for target in node.targets
            if isinstance(target, ast.Name)
        )
    for child in ast.iter_child_nodes(tree):
        found += calls(child, inside)
    return found


def named(node: ast.expr) -> str:
    """The last name of what is called."""
    called = node.func if isinstance(node, ast.Call) else node
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def uses(call: ast.expr, names: frozenset[str]) -> bool:
    """Whether a call is one of, or is given, something that has one of the names."""
    if not isinstance(call, ast.Call):
        return False
    owner = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    given = [*owner, *call.args, *(keyword.value for keyword in call.keywords)]
    return any(isinstance(one, ast.Name) and one.id in names for one in given)


def writes(call: ast.Call, images: set[str]) -> bool:
    """Whether a call writes a file; a result's ``save`` does not, but what it calls."""
    name = named(call)
    if name == "open":
        given = [*call.args, *(word.value for word in call.keywords)]
        modes = [one.value for one in given if isinstance(one, ast.Constant)]
        return any(re.fullmatch("[rbt]*[wax+][wax+rbt]*", str(mode)) for mode in modes)
    if name == "save" and isinstance(call.func, ast.Attribute):
        owner = ast.unparse(call.func.value)
        return owner.startswith(("Image.", "torch", "np")) or owner in images
    return name in WRITERS


def unguarded(source: str) -> list[str]:
    """Calls that write a file otherwise than as a part of a whole."""
    tree = ast.parse(source)
    images = {
        ast.unparse(node.targets[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("Image.")
    }
    return [
        ast.unparse(call)
        for call, names in calls(tree)
        if writes(call, images) and not uses(call, names)
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_replaced_whole(path: Path) -> None:
    assert not unguarded(path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("source", "faults"),
    [
        ("path.write_text('a')", 1),
        ("with whole(path) as part:\n    part.write_text('a')", 0),
        ("with whole(path) as part:\n    path.write_text('a')", 1),
        ("with whole(path) as part:\n    pass\npart.write_text('a')", 1),
        ("with open(path, 'wb') as file:\n    np.savez(file, a=a)", 2),
        ("with whole(path) as part, open(part, 'wb') as file:\n    np.savez(file, a=a)", 0),
        ("with open(path, mode='a') as file:\n    pass", 1),
        ("with path.open('rb+') as file:\n    pass", 1),
        ("with open(path) as file, open(path, 'rb') as other:\n    pass", 0),
        ("image = Image.fromarray(a)\nimage.save(path)", 1),
        ("def png():\n    file = io.BytesIO()\n    Image.fromarray(a).save(file, 'PNG')", 0),
        ("result.save(path)\ncanvas.save()", 0),
        ("frame.to_csv(path)\nsave_file(tensors, path)\nfigure.savefig(path)", 3),
    ],
)
def test_the_rule_sees_who_writes(source: str, faults: int) -> None:
    assert len(unguarded(source)) == faults
