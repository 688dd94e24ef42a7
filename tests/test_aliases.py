"""Names that were called otherwise before still work, and say how they are called now."""

import subprocess
import sys
import warnings
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets import errors
from xwidgets.aliases import MODULES, NAMES, renamed
from xwidgets.live import Concepts, LiveResult, Neurons, Regions

SENTENCE = "{} is called {} now"
ALIASES = {f"xwidgets.{before}": f"xwidgets.{now}" for before, now in NAMES.items()}
FILES = {f"xwidgets.{before}": f"xwidgets.{now}" for before, now in MODULES.items()}


def split(name):
    module, _, attribute = name.rpartition(".")
    return module, attribute


def value_of(name):
    """What a dotted name means, a step at a time."""
    module, attribute = split(name)
    return getattr(import_module(module), attribute)


def run_as(path, source, **names):
    """Run source as if it stood in a file; returns its names and the warnings about aliases."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(compile(source, str(path), "exec"), names)
    return names, [one for one in caught if one.category is DeprecationWarning]


@pytest.mark.parametrize(("before", "now"), ALIASES.items(), ids=ALIASES)
def test_a_name_of_before_is_what_is_called_otherwise_now(before, now):
    with pytest.warns(DeprecationWarning, match=f"^{SENTENCE.format(before, now)}$") as caught:
        value = value_of(before)
    assert value is value_of(now)
    assert len(caught) == 1


@pytest.mark.parametrize(("before", "now"), ALIASES.items(), ids=ALIASES)
@pytest.mark.parametrize("way", ["attribute", "import", "function", "getattr"])
def test_the_warning_points_at_the_callers_line(tmp_path, before, now, way):
    module, name = split(before)
    source = {
        "attribute": f"import {module}\n\nfound = {before}\n",
        "import": f"import {module}\n\nfrom {module} import {name} as found\n",
        "function": f"import {module} as m\ndef f():\n    return m.{name}\nfound = f()\n",
        "getattr": f"import {module} as m\n\nfound = getattr(m, {name!r})\n",
    }[way]
    path = tmp_path / "notebook.py"
    names, caught = run_as(path, source)
    assert names["found"] is value_of(now)
    assert caught
    for one in caught:
        assert (one.filename, one.lineno) == (str(path), 3)
        assert str(one.message) == SENTENCE.format(before, now)


def test_a_file_beside_the_package_whose_name_begins_alike_is_the_callers():
    path = Path(errors.__file__).parent.with_name("xwidgets_of_mine.py")
    _, caught = run_as(path, "import xwidgets.widgets\nxwidgets.widgets.Inquiry\n")
    assert {(one.filename, one.lineno) for one in caught} == {(str(path), 2)}


def test_a_name_of_before_can_be_imported():
    with pytest.warns(DeprecationWarning, match=r"xwidgets\.widgets\.Inquiry is called"):
        from xwidgets.widgets import Inquiry
    assert Inquiry is LiveResult


def test_a_script_that_makes_warnings_errors_is_told_its_own_line(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import xwidgets.widgets\n\nfrom xwidgets.widgets import Inquiry\n")
    command = [sys.executable, "-W", "error::DeprecationWarning:__main__", str(script)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert f'File "{script}", line 3' in done.stderr
    assert "DeprecationWarning: xwidgets.widgets.Inquiry is called" in done.stderr


def test_names_of_now_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for now in ALIASES.values():
            value_of(now)


def test_names_of_before_are_no_longer_listed():
    for before in ALIASES:
        module, name = split(before)
        assert name not in import_module(module).__all__


IMPORTED = """
import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import {before} as former
    from {before} import {name}
import {now} as now

assert former.{name} is now.{name} is {name}
assert dir(now)
[told] = {{str(warning.message) for warning in caught if warning.filename == __file__}}
assert told == "{before} is called {now} now"
"""


@pytest.fixture(scope="module")
def imports(tmp_path_factory):
    """For each file that moved a script that imports it by both names, all run by one Python."""
    folder = tmp_path_factory.mktemp("imports")
    for before, now in FILES.items():
        name = next(name for name in vars(import_module(now)) if not name.startswith("_"))
        source = IMPORTED.format(before=before, now=now, name=name)
        (folder / f"{before}.py").write_text(source)
    run = """
import runpy, sys, traceback
from pathlib import Path
for path in sorted(Path(sys.argv[1]).glob("*.py")):
    try:
        runpy.run_path(str(path))
        print(path.stem, "works")
    except BaseException:
        print(path.stem, traceback.format_exc())
"""
    done = subprocess.run([sys.executable, "-c", run, folder], capture_output=True, text=True)
    return done.stdout


@pytest.mark.parametrize("before", FILES)
def test_a_file_that_moved_is_imported_by_its_name_of_before(imports, before):
    assert f"{before} works\n" in imports, imports


HIDDEN = """
import xwidgets as xw
import xwidgets.explain
from xwidgets.explain.saliency import Saliency

net, image = xw.network("birds"), xw.scenes.bird(seed=3).image
whole = xw.saliency(net, image).values
assert (xwidgets.explain.saliency(net, image).values == whole).all()
"""


def test_a_function_is_called_whatever_file_of_its_name_was_imported():
    subprocess.run([sys.executable, "-c", HIDDEN], check=True, capture_output=True)


def test_every_file_that_moved_lies_where_the_table_says():
    for now in FILES.values():
        assert import_module(now).__name__ == now


def test_what_has_never_had_a_name_has_none():
    with pytest.raises(AttributeError, match=r"module 'xwidgets\.widgets' has no attribute 'Inq'"):
        xw.widgets.Inq  # noqa: B018
    with pytest.raises(AttributeError, match="module 'xwidgets' has no attribute 'Inquiry'"):
        renamed("xwidgets", "Inquiry")
    with pytest.raises(ImportError, match="cannot import name 'Inq'"):
        from xwidgets.widgets import Inq  # noqa: F401
    assert not hasattr(xw.widgets, "Inq")


# What stands beside a study


@pytest.fixture
def study():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3))
    net = xw.Network(module, size=(8, 8), classes=["ant", "bee", "cat"])
    x = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(1))
    with xw.Study(net, x, window=4, sampler=xw.ConstantSampler(0.5), samples=1) as study:
        yield study


def test_the_neurons_and_regions_of_a_study_are_its_own_and_always_the_same(study):
    assert isinstance(study.neurons, Neurons)
    assert isinstance(study.regions, Regions)
    assert study.neurons is study.neurons is Neurons.of(study)
    assert study.regions is study.regions is Regions.of(study)
    assert {"neurons", "regions", "concepts", "wait"} <= set(dir(study))


@pytest.mark.filterwarnings(r"ignore:.* images")
def test_the_concepts_of_a_study_are_made_of_images(study):
    images = torch.rand(40, 3, 8, 8, generator=torch.Generator().manual_seed(3))
    options = {"features": 2, "epochs": 2, "hidden": (6, 4), "cache": False}
    concepts = study.concepts(images, **options)
    assert isinstance(concepts, Concepts)
    assert concepts.wait().target == study.target
    assert study.concepts(images, **options) is not concepts


@pytest.mark.parametrize("name", ["neuron", "Neurons", "concept", "_private", "__len__"])
def test_a_study_has_no_other_attributes(study, name):
    with pytest.raises(AttributeError, match=f"a study has no attribute '{name}'"):
        getattr(study, name)
    assert not hasattr(study, name)
