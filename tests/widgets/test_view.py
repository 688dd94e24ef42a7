"""What all views have in common: messages, previews, and state that both sides change."""

import base64
from pathlib import Path
from typing import Any

import ipywidgets
import nbformat
import pytest
import traitlets
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient

import xwidgets as xw
from xwidgets.live.traits import Number
from xwidgets.widgets.view import View

from ..results.examples import relevance
from ..test_hostile_labels import VIEWS

MODULE = "export default { render({ el }) { el.append('note'); } };\n"


@pytest.fixture
def note(tmp_path: Path) -> Any:
    """A view that notes what it hears."""
    (tmp_path / "note.mjs").write_text(MODULE)

    class Note(View, module=str(tmp_path / "note.mjs")):
        heard: tuple[Any, ...] = ()

        def hear_look(self, source: str, channel: int = 0) -> None:
            self.heard = (*self.heard, (source, channel))

        def preview(self) -> dict[str, str]:
            return {"image/png": base64.b64encode(b"png").decode(), "text/plain": "a note"}

    return Note()


class Work:
    """Work that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def stop(self) -> None:
        self.told.append("stop")

    def resume(self) -> None:
        self.told.append("resume")

    def watched(self, viewers: int) -> None:
        self.told.append(viewers)


def tell(view: View, *messages: Any) -> None:
    for message in messages:
        view._handle_custom_msg(message, [])


def test_a_message_reaches_the_method_of_its_kind(note) -> None:
    tell(note, {"type": "look", "source": "a"}, {"type": "look", "source": "b", "channel": 3})
    assert note.heard == (("a", 0), ("b", 3))


@pytest.mark.parametrize(
    "message",
    [{"type": "dance"}, {"type": None}, {}, "look", None, {"type": "look"},
     {"type": "look", "source": "a", "path": "/"}, {"type": ["look"]}, {"type": "__class__"}],
)  # fmt: skip
def test_other_messages_are_refused_without_a_word(note, message, caplog) -> None:
    tell(note, message)
    assert note.heard == ()
    assert caplog.text == ""


def test_work_is_stopped_continued_and_watched_by_its_name(note) -> None:
    fit, search, beside = Work(), Work(), Work()
    note.show_work(training=fit, work=search, beside=beside)
    tell(note, {"type": "shown"}, {"type": "stop", "of": "work"}, {"type": "resume"})
    tell(note, {"type": "hidden"})
    assert fit.told == [1, "resume", -1]
    assert search.told == [1, "stop", "resume", -1]
    assert beside.told == [0, 0]


def test_the_picture_has_alternative_text(note) -> None:
    data, metadata = note._repr_mimebundle_()
    assert data["text/plain"] == "a note"
    assert metadata == {"image/png": {"alt": "a note"}}


def test_a_class_whose_modules_clash_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "a.mjs").write_text("export const a = 1;\nconst render = 2;\n")
    text = 'import { a } from "./a.mjs";\nconst render = a;\nexport default { render };\n'
    (tmp_path / "view.mjs").write_text(text)
    with pytest.raises(ValueError, match=r"a\.mjs and view\.mjs both call something 'render'"):

        class Wrong(View, module=str(tmp_path / "view.mjs")):
            pass


def test_every_view_says_in_words_what_it_shows(study: xw.Study) -> None:
    views = [
        xw.RelevanceOverlay(study),
        xw.RelevanceGrid([[study.wait()]]),
        xw.MethodComparison([study.wait()]),
        xw.NeuronRanking(study),
        xw.PatchGallery(study),
        xw.TopImagesGallery(study, images=[study.image]),
        xw.RegionPainter(study),
        xw.RegionPainter(study).scores,
        xw.RegionPainter(study).tools,
        xw.WindowSlider(study),
        xw.Explorer(study),
        xw.Comparison(study, study),
        xw.NeuronExplorer(study),
    ]
    for view in views:
        data, metadata = view._repr_mimebundle_()
        assert data["text/plain"]
        for kind in {"image/png"} & data.keys():
            assert metadata[kind]["alt"] == data["text/plain"]


def test_an_output_widget_holds_the_view_that_is_put_into_it(note) -> None:
    InteractiveShell.instance()
    output = ipywidgets.Output()
    output.append_display_data(note)
    [held] = output.outputs
    assert held["data"]["text/plain"] == "a note"
    assert "application/vnd.jupyter.widget-view+json" in held["data"]
    InteractiveShell.clear_instance()


def test_a_preview_follows_what_was_known_already(study: xw.Study, monkeypatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(
        "xwidgets.widgets.preview.update_display",
        lambda data, **options: shown.append(data["text/plain"]),
    )
    study.wait()
    study.window = 3
    study.wait()
    view = xw.RelevanceOverlay(study)
    view._displays = ("somewhere",)
    for window in (4, 3):  # both are known
        study.window = window
        study.wait()
        assert shown[-1] == f"{study.relevance.title}. {view.sentence}"
        assert study.relevance.parameters["window"] == window


def test_a_preview_that_fails_leaves_the_work_well(study, monkeypatch, caplog) -> None:
    view = xw.RelevanceOverlay(study)
    monkeypatch.setattr(view, "refresh", lambda: 1 / 0)
    assert study.wait().completed == 1
    assert study.progress.state == "complete"
    assert "a preview could not be brought up to date" in caplog.text


@pytest.mark.parametrize(
    ("name", "value"),
    [("pixel", [3, 4]), ("opacity", 0.5), ("threshold", 0.2), ("color_map", "orange-purple"),
     ("zoom", 4.0), ("center", [0.25, 1.0])],
)  # fmt: skip
def test_two_overlays_are_linked_in_the_kernel(study: xw.Study, name: str, value: Any) -> None:
    one, other = xw.RelevanceOverlay(study), xw.RelevanceOverlay(study)
    ipywidgets.link((one, name), (other, name))
    one.set_state({name: value})  # as the browser does
    assert getattr(other, name) == value


def test_what_a_person_chooses_in_a_view_is_state_of_it(study: xw.Study) -> None:
    """By view, what is chosen in the browser and kept there and in the kernel."""
    chosen: dict[str, tuple[View, dict[str, Any]]] = {
        "overlay": (
            xw.RelevanceOverlay(study),
            {"pixel": [1, 2], "hide_uncertain": True, "zoom": 2.5, "center": [0.5, 0.25]},
        ),
        "methods": (xw.MethodComparison([study.wait()]), {"zoom": 16, "center": [0, 1]}),
        "grid": (xw.RelevanceGrid([[study.wait()]]), {"hovered": [0, 0], "enlarged": [0, 0]}),
        "ranking": (
            xw.NeuronRanking(study),
            {"order": {"by": "channel", "down": True}, "find": "conv", "top": 2, "minimum": 0.3,
             "shown_layers": ["0"]},
        ),
        "gallery": (
            xw.PatchGallery(study), {"hovered": ["0", 3], "threshold": 0.3, "whole": True},
        ),
        "top images": (
            xw.TopImagesGallery(study, images=[study.image]),
            {"k": 2, "patches_alone": True},
        ),
    }  # fmt: skip
    for view, state in chosen.values():
        view.set_state(state)
        for name, value in state.items():
            assert getattr(view, name) == value
            assert name in view.keys, "goes to the browser too"


def test_a_pixel_has_a_row_and_a_column(study: xw.Study) -> None:
    with pytest.raises(Exception, match="pixel"):
        xw.RelevanceOverlay(study).pixel = [1, 2, 3]


@pytest.mark.parametrize("view", [xw.RelevanceOverlay, xw.MethodComparison])
@pytest.mark.parametrize(
    ("name", "value"),
    [("zoom", 0.5), ("zoom", 17), ("zoom", True), ("zoom", "4"), ("center", [0.5]),
     ("center", [0.1, 0.2, 0.3]), ("center", [-0.1, 0.5]), ("center", [0.5, float("nan")])],
)  # fmt: skip
def test_a_part_that_cannot_be_shown_is_refused(study, view, name: str, value: Any) -> None:
    shown = view([study.wait()])
    before = shown.zoom, shown.center
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(shown, name, value)
    assert (shown.zoom, shown.center) == before == (1.0, [0.5, 0.5])


NOTEBOOK = """
import torch
import xwidgets as xw
torch.manual_seed(0)
module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(784, 3))
net = xw.Network(module, size=(16, 16), classes=["ant", "bee", "cat"])
study = xw.Study(net, torch.rand(3, 16, 16), window=4, sampler=xw.ConstantSampler(0.5), samples=300)
xw.Explorer(study)
"""


def test_a_notebook_that_ran_without_a_browser_shows_what_was_computed() -> None:
    cells = [nbformat.v4.new_code_cell(cell) for cell in (NOTEBOOK, "result = study.wait()")]
    notebook = nbformat.v4.new_notebook(cells=[*cells, nbformat.v4.new_code_cell("result.title")])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = notebook.cells[0].outputs[-1]
    title = notebook.cells[2].outputs[-1]["data"]["text/plain"].strip("'\"")
    assert shown["data"]["text/plain"].startswith(f"{title}. ")
    assert shown["metadata"]["image/png"]["alt"] == shown["data"]["text/plain"]


# What browsers cannot be told


def _of(trait: Any) -> list[Any]:
    """A trait, and those of its items."""
    inner = [getattr(trait, name, None) for name in ("_trait", "_value_trait", "_key_trait")]
    return [trait, *(part for each in inner if each is not None for part in _of(each))]


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_numbers_that_browsers_read_are_finite(name: str) -> None:
    kind = getattr(xw.widgets, name)
    traits = kind.class_traits(sync=True) if issubclass(kind, View) else {}
    floats = {
        name
        for name, trait in traits.items()
        if any(
            isinstance(part, traitlets.Float) and type(part) is not Number for part in _of(trait)
        )
    }
    assert not floats


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused_and_changes_nothing(value: float) -> None:
    view = xw.RelevanceOverlay(relevance())
    for name in ("opacity", "threshold", "scale"):
        before = getattr(view, name)
        with pytest.raises(traitlets.TraitError):
            setattr(view, name, value)
        assert getattr(view, name) == before
