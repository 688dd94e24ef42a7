"""Names that were called otherwise before still work, and say how they are called now."""

import dataclasses
import inspect
import subprocess
import sys
import warnings
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets import errors
from xwidgets.aliases import MEMBERS, MODULES, NAMES, FormerName, formerly, renamed
from xwidgets.live import LiveResult, Neurons, Regions, XFeatureFit

from .results.examples import relevance

LINES = Path(__file__).parent / "data" / "names-0.1.0.txt"
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


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_file_that_moved_has_what_was_called_otherwise_in_it():
    from xwidgets.widgets.concepts import Concepts
    from xwidgets.widgets.live_result import Inquiry

    assert (Concepts, Inquiry) == (XFeatureFit, LiveResult)
    with pytest.raises(ImportError, match="cannot import name 'Inq'"):
        from xwidgets.widgets.live_result import Inq  # noqa: F401


@pytest.mark.filterwarnings("ignore:.* is called:DeprecationWarning")
@pytest.mark.parametrize(("before", "now"), MEMBERS.items(), ids=MEMBERS)
def test_what_has_another_name_in_a_file_that_moved_is_found_there(before, now):
    assert value_of(f"xwidgets.{before}") is value_of(f"xwidgets.{now}")


FILE_BY_FILE = """
import pkgutil
import warnings
import xwidgets

warnings.filterwarnings("error", ".* is called", DeprecationWarning)
for room in pkgutil.iter_modules(xwidgets.__path__):
    package = getattr(xwidgets, room.name)
    for file in pkgutil.iter_modules(getattr(package, "__path__", [])):
        assert getattr(package, file.name), file
"""


def test_every_file_is_an_attribute_of_its_room():
    subprocess.run([sys.executable, "-c", FILE_BY_FILE], check=True)


@pytest.mark.filterwarnings("ignore:.* is called:DeprecationWarning")
@pytest.mark.parametrize("name", LINES.read_text("utf-8").split())
def test_what_notebooks_of_before_name_is_there(name):
    value_of(name)


def test_a_value_by_both_its_names_is_refused():
    net, image = xw.network("birds"), xw.scenes.bird(seed=3).image
    with pytest.raises(TypeError, match="excitation_backprop has layer and stop_at, which are one"):
        xw.excitation_backprop(net, image, layer=5, stop_at=3)


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


# Arguments and attributes


@formerly(radius="size", size="scale")
def disk(net, size, scale=1):
    return net, size, scale


@formerly(radius="size")
@dataclass(frozen=True)
class Disk:
    size: float
    scale: float = 1.0

    width = FormerName("size")


SIZE = "the argument radius of {} is called size now"
SCALE = "the argument size of disk is called scale now"


@pytest.mark.parametrize(
    ("call", "expected", "told"),
    [
        (lambda: disk(0, 1, 2), (0, 1, 2), []),
        (lambda: disk(0, size=1, scale=2), (0, 1, 2), []),
        (lambda: disk(0, radius=1), (0, 1, 1), [SIZE.format("disk")]),
        (lambda: disk(0, radius=1, scale=2), (0, 1, 2), [SIZE.format("disk")]),
        (lambda: disk(0, size=1, radius=2), (0, 2, 1), [SCALE, SIZE.format("disk")]),
        (lambda: Disk(1, scale=2), Disk(1, 2), []),
        (lambda: Disk(radius=1), Disk(1), [SIZE.format("Disk")]),
        (lambda: replace(Disk(1, 2), radius=3), Disk(3, 2), [SIZE.format("Disk")]),
        (lambda: Disk(1).radius, 1, ["Disk.radius is called Disk.size now"]),
        (lambda: Disk(1).width, 1, ["Disk.width is called Disk.size now"]),
    ],
)
def test_a_former_name_of_an_argument_means_that_of_now(call, expected, told):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert call() == expected
    assert sorted(str(one.message) for one in caught) == sorted(told)
    assert all(one.category is DeprecationWarning for one in caught)
    assert all(one.filename in (__file__, dataclasses.__file__) for one in caught)


def test_what_was_never_an_argument_is_none():
    with pytest.raises(TypeError, match="diameter"):
        disk(0, diameter=1)
    with pytest.raises(TypeError, match="diameter"):
        Disk(1, diameter=1)
    assert list(inspect.signature(Disk).parameters) == ["size", "scale"]


CASE = {"image": torch.rand(3, 8, 8), "target": 1}
RENAMED = {
    "excitation backprop": (
        lambda net, **case: xw.excitation_backprop(net, **case, layer="0", contrastive=False),
        lambda net, **case: xw.excitation_backprop(net, **case, stop_at="0", contrastive=False),
    ),
    "its method": (
        lambda net, **case: xw.ExcitationBackprop(layer="0").run(net, **case),
        lambda net, **case: xw.ExcitationBackprop(stop_at="0").run(net, **case),
    ),
    "its method changed": (
        lambda net, **case: xw.ExcitationBackprop().changed(layer="0").run(net, **case),
        lambda net, **case: xw.ExcitationBackprop(stop_at="0").run(net, **case),
    ),
    "units": (
        lambda net, **case: xw.unit_relevance(net, **case, layer="0", samples=1),
        lambda net, **case: xw.unit_relevance(net, **case, removed_layer="0", samples=1),
    ),
    "units for a channel": (
        lambda net, **case: xw.unit_relevance(
            net, **case, layer="0", target_layer="2", samples=1
        ),
        lambda net, **case: xw.unit_relevance(
            net, **case, removed_layer="0", layer="2", samples=1
        ),
    ),
    "their method": (
        lambda net, **case: xw.UnitDifference(layer="0", samples=1).run(net, **case),
        lambda net, **case: xw.UnitDifference("0", samples=1).run(net, **case),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "now"), RENAMED.values(), ids=RENAMED)
def test_former_arguments_of_methods_give_the_same(before, now):
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)
    )
    images = torch.rand(4, 3, 8, 8)
    net = xw.Network(module, size=(8, 8), examples=lambda: images)
    with pytest.warns(DeprecationWarning, match="^the argument .*layer of .* is called .* now$"):
        ours = before(net, **CASE)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        theirs = now(net, **CASE)
    np.testing.assert_array_equal(ours.values, theirs.values)
    assert (ours.parameters, ours.label) == (theirs.parameters, theirs.label)


def test_former_fields_of_results_are_read():
    result = relevance(network_name="birds", compute_dtype="bfloat16")
    with pytest.warns(
        DeprecationWarning, match=r"Relevance\.network is called Relevance\.network_n"
    ):
        assert result.network == "birds"
    with pytest.warns(DeprecationWarning, match="is called Relevance.compute_dtype now"):
        assert result.products == "bfloat16"
    with pytest.warns(DeprecationWarning, match="argument network of Relevance"):
        assert relevance(network="street").network_name == "street"


class Grey:
    """A sampler as it was defined before."""

    def largest(self, image):
        return 8

    def given(self, image, window):
        return xw.ConstantSampler(0.5).condition(image, window)


def test_samplers_have_their_former_method():
    image = torch.rand(3, 8, 8)
    corners = torch.tensor([[2, 3]])
    with pytest.warns(DeprecationWarning, match="given is called ConstantSampler.condition now"):
        draw = xw.ConstantSampler(0.5).given(image, 4)
    np.testing.assert_array_equal(draw(corners, [None]), np.full((1, 3, 4, 4), 0.5, np.float32))


def test_a_sampler_with_a_former_method_still_samples():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 3))
    net, image = xw.Network(module, size=(8, 8)), torch.rand(3, 8, 8)
    options = {"window": 4, "samples": 1, "target": 0}
    expected = xw.prediction_difference(net, image, sampler=xw.ConstantSampler(0.5), **options)
    with pytest.warns(DeprecationWarning, match="rename that of Grey"):
        found = xw.prediction_difference(net, image, sampler=Grey(), **options)
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.parameters["sampler"].startswith("<tests.test_aliases.Grey")


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
    assert {"neurons", "regions", "x_features", "wait"} <= set(dir(study))


@pytest.mark.filterwarnings(r"ignore:.* images")
def test_the_fit_of_a_studys_x_features_is_made_of_images(study):
    images = torch.rand(40, 3, 8, 8, generator=torch.Generator().manual_seed(3))
    options = {"features": 2, "epochs": 2, "hidden": (6, 4), "cache": False}
    fit = study.x_features(images, **options)
    assert isinstance(fit, XFeatureFit)
    assert fit.wait().target == study.target
    assert study.x_features(images, **options) is not fit
    with pytest.warns(DeprecationWarning, match=r"Study\.concepts is called Study\.x_features now"):
        assert isinstance(study.concepts(images, **options), XFeatureFit)


@pytest.mark.parametrize("name", ["neuron", "Neurons", "x_feature", "_private", "__len__"])
def test_a_study_has_no_other_attributes(study, name):
    with pytest.raises(AttributeError, match=f"a study has no attribute '{name}'"):
        getattr(study, name)
    assert not hasattr(study, name)
