"""The explorer: what its parts tell each other, and what is kept of it."""

import base64
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

import xwidgets as xw
from xwidgets.widgets.group import Group
from xwidgets.widgets.method_chooser import MethodChooser
from xwidgets.widgets.view import page_of

from .pages import states


@pytest.fixture
def explorer(study, images):
    study.network.examples = lambda: images
    explorer = xw.Explorer(study, [study.image, 1 - study.image])
    study.history.pause = 0
    yield explorer
    explorer.close()


def tell(view, kind, **content):
    view._handle_custom_msg({"type": kind, **content}, [])


def test_a_group_tells_its_parts_by_their_identity():
    lessons = {"first": xw.DeconvolutionLesson(), "second": xw.UnpoolingLesson()}
    group = Group(lessons, shared=["step"])
    assert group.get_state(["parts"])["parts"] == {
        name: f"anywidget:{view.model_id}" for name, view in lessons.items()
    }
    group.set_state({"parts": {}})  # browsers do not say which views there are
    assert group.parts == lessons
    group.close()
    assert [view.comm for view in lessons.values()] == [None, None]


def test_a_page_holds_a_group_with_those_parts_that_are_given(tmp_path):
    parts = {"first": xw.DeconvolutionLesson(), "second": xw.UnpoolingLesson()}
    group = Group(parts)
    page_of(None, ["two"], [(group, {}), (parts["second"], {})]).save(tmp_path / "a.html")
    state, _ = states(tmp_path / "a.html")
    assert state["parts"] == {"second": "anywidget:1"}


def test_a_class_is_chosen_and_followed(study, explorer):
    chooser = explorer.panes.classes
    chooser.set_state({"value": 2})
    assert study.target == 2
    study.target = 0
    assert chooser.value == 0
    assert chooser.get_state(["value"])["value"] == 0
    shares = np.frombuffer(chooser.shares, "<f8")
    expected = study.network.probabilities(study.subject.logits)[0]
    np.testing.assert_allclose(shares, expected, rtol=1e-6)
    assert chooser.names == ["ant", "bee", "cat"]


def test_a_part_of_a_layer_is_told_and_no_class_is_marked(study, explorer):
    study.target = xw.Channel("0", 1)
    chooser = explorer.panes.classes
    assert chooser.part == "0, channel 1"
    assert chooser.get_state(["value"])["value"] is None
    chooser.set_state({"value": 1})
    assert (study.target, chooser.part) == (1, "")


def test_a_class_that_there_is_not_is_refused_and_put_back(study, explorer):
    before, chooser = study.target, explorer.panes.classes
    with pytest.raises(ValueError, match="class 99 does not exist"):
        chooser.set_state({"value": 99})
    assert study.target == before == chooser.value
    assert "class 99 does not exist" in chooser.message
    chooser.set_state({"value": 1})
    assert chooser.message == ""


def test_methods_are_offered_and_their_qualities_set(study):
    chooser = MethodChooser(study)
    assert [one["name"] for one in chooser.methods] == ["prediction difference"]
    chooser.hear_shown()
    names = [one["name"] for one in chooser.methods]
    assert names[chooser.chosen] == "prediction difference"
    assert {"saliency", "occlusion", "deconvnet", "excitation backprop"} <= set(names)
    assert "class activation map" not in names  # the network does not end in a pooling
    chooser.chosen = names.index("occlusion")
    assert study.method.name == "occlusion"
    chooser.quality = "normal"
    assert study.method.stride == 2
    study.move(stride=1)
    assert chooser.quality == "fine"
    study.move(stride=3)
    assert chooser.quality == ""
    chooser.chosen = names.index("saliency")
    assert chooser.qualities == []
    study.method = xw.Occlusion(window=3)
    assert chooser.chosen == names.index("occlusion")


@pytest.mark.parametrize("window", [1, 3, 4, 10])
@pytest.mark.parametrize("kind", [xw.PredictionDifference, xw.Occlusion])
def test_every_quality_is_possible_and_fine_is_the_finest(net, image, window, kind):
    method = kind(window=window)
    if kind is xw.PredictionDifference:
        method = method.changed(sampler=xw.ConstantSampler(0.5))
    counts = []
    for parameters in method.qualities.values():
        changed = method.changed(**parameters)
        changed.validate(net, image)
        counts.append(getattr(changed, "samples", 1) / changed.stride**2)
    assert counts == sorted(counts)
    assert list(method.qualities) == ["quick", "normal", "fine"]


def test_pictures_are_turned_to_by_thumbnail_and_file(study, explorer):
    strip = explorer.panes.strip
    assert (strip.count, strip.selected) == (2, 0)
    before = study.image
    tell(strip, "choose", number=1)
    assert torch.equal(study.image, 1 - before)
    assert strip.selected == 1
    pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    tell(strip, "add", name="../../mine.png", file=base64.b64encode(file.getvalue()).decode())
    assert torch.equal(study.image, study.network.prepare(pixels))
    assert [thumb["name"] for thumb in strip.thumbs] == ["mine.png", "0", "1"]
    assert strip.selected == 0
    before = study.image
    tell(strip, "add", name="notes.txt", file="AAAA")
    assert "notes.txt is no picture" in strip.message
    assert study.image is before
    tell(strip, "add", name="notes.txt", file="%%%")
    assert study.image is before
    tell(strip, "choose", number=77)
    assert "picture 77 does not exist" in strip.message


def test_panels_open_once_and_close_with_all_they_hold(study, explorer):
    panes = explorer.panes
    for name in [one["name"] for one in panes.offered]:
        tell(panes, "toggle", name=name)
        view = panes.panels[name]
        assert panes.open_panel(name) is view
        tell(panes, "toggle", name=name)
        assert name not in panes.panels
        assert view.comm is None
    with pytest.raises(ValueError, match="unknown panel 'neuron'; did you mean 'neurons'"):
        panes.open_panel("neuron")
    panes.close_panel("neurons")  # which is not open


def test_a_region_painter_opens_below(study, explorer):
    explorer.panes.painting = True
    _, painter = explorer.children
    mask = np.zeros(study.image.shape[1:], bool)
    mask[:3] = True
    study.regions.mask = mask
    tell(explorer.panes, "undo")
    assert not study.regions.mask.any()
    explorer.panes.painting = False
    assert explorer.children == (explorer.panes,)
    assert painter.comm is None


def state_of(study, explorer):
    names = ["color_map", "opacity", "scale", "zoom", "center"]
    look = [getattr(explorer.overlay, name) for name in names]
    panes = explorer.panes
    return study.target, study.method, look, list(panes.panels), panes.large, study.image.tolist()


def change(study, explorer):
    study.image = 1 - study.image
    study.ask((study.target + 1) % 3, xw.Occlusion(window=5))
    explorer.overlay.color_map, explorer.overlay.opacity = "orange-purple", 0.5
    explorer.overlay.scale = 2.5
    explorer.overlay.zoom, explorer.overlay.center = 4.0, [0.25, 0.75]
    explorer.panes.open_panel("images")
    explorer.panes.large = True


def test_what_is_shown_is_saved_and_restored(study, explorer, tmp_path):
    change(study, explorer)
    after = state_of(study, explorer)
    explorer.save(tmp_path / "mine.json")
    study.ask(0, xw.Saliency())
    explorer.overlay.opacity, explorer.panes.large = 1.0, False
    explorer.panes.close_panel("images")
    explorer.panes.open_panel("neurons")
    explorer.restore(tmp_path / "mine.json")
    assert state_of(study, explorer) == after


def test_python_shows_the_same(study, explorer, net):
    change(study, explorer)
    known = {"net": net}
    exec(explorer.python(), known)
    assert state_of(known["study"], known["explorer"])[:4] == state_of(study, explorer)[:4]
    assert torch.equal(known["study"].image, study.image)
    known["explorer"].close()
    known["study"].close()


def test_the_browser_gets_settings_and_python_and_gives_settings(study, explorer, monkeypatch):
    sent = []
    monkeypatch.setattr(explorer.panes, "send", sent.append)
    tell(explorer.panes, "save")
    tell(explorer.panes, "python")
    file, python = sent
    assert (file["type"], python["type"]) == ("file", "python")
    assert python["text"] == explorer.python()
    before = study.method
    study.method = xw.Saliency()
    tell(explorer.panes, "take", text=file["text"])
    assert study.method == before
    tell(explorer.panes, "undo")
    assert study.method == xw.Saliency()
    tell(explorer.panes, "redo")
    assert study.method == before


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "[" * 100_000, '{"look": {}, "panels": 3, "large": 1, "study": {}}']
)
def test_other_files_are_refused_in_a_sentence(study, explorer, text, tmp_path):
    before = state_of(study, explorer)
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=r"settings|\.save\(path\)") as caught:
        explorer.restore(tmp_path / "a.json")
    assert "\n" not in str(caught.value)
    tell(explorer.panes, "take", text=text)
    assert explorer.panes.message
    assert state_of(study, explorer) == before
    with pytest.raises(ValueError, match="cannot be read"):
        explorer.restore(tmp_path / "none.json")


def test_settings_that_do_not_fit_change_nothing(study, explorer):
    told = json.loads(explorer.panes.settings())
    for part, change_ in (
        ("look", {"opacity": 7}),
        ("look", {"color_map": "<b>"}),
        ("look", {"zoom": 0}),
        ("look", {"center": [0.5, 1.5]}),
        ("study", {"target": {"kind": "Class", "parameters": {"index": 9}}}),
    ):
        wrong = {**told, part: {**told[part], **change_}}
        wrong["look"] = {**wrong["look"], "threshold": 0.5}
        before = state_of(study, explorer), explorer.overlay.threshold
        with pytest.raises(ValueError, match="these settings do not fit here"):
            explorer.panes.take(json.dumps(wrong))
        assert (state_of(study, explorer), explorer.overlay.threshold) == before
