"""The neurons of a study: what is asked, what is kept, what the views are told."""

import base64
import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import xwidgets as xw
from tests.widgets.pages import states
from xwidgets.live.neurons import LIMIT
from xwidgets.results import METRICS

from .waiting import resting, until


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(12, 3, 16, 16, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def other() -> torch.Tensor:
    return torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(2))


def columns(table: dict[str, bytes]) -> tuple[np.ndarray, ...]:
    return (
        np.frombuffer(table["layer"], np.int32),
        np.frombuffer(table["channel"], np.int32),
        np.frombuffer(table["importance"]).reshape(len(METRICS), -1),
        np.frombuffer(table["activation"]),
    )


def test_the_table_holds_the_ranking(study: xw.Study) -> None:
    view = xw.NeuronRanking(study, samples=7)
    answer = study.neurons.ranking.wait()
    expected = xw.rank_neurons(study.network, study.image, samples=7, minimum=0)
    layer, channel, importance, activation = columns(view.table)
    np.testing.assert_array_equal(layer, 0)
    np.testing.assert_array_equal(channel, range(4))
    np.testing.assert_allclose(importance, expected.importance)
    np.testing.assert_allclose(activation, expected.activation)
    assert np.frombuffer(view.maps["data"], np.uint8).size == answer.maps.size
    assert view.layers == [{"name": "0", "convolution": 1, "channels": 4, "size": [14, 14]}]
    assert view.target == study.network.class_name(study.target)
    assert view.progress["state"] == "complete"


def test_another_class_is_ranked_anew_and_a_known_one_at_once(study: xw.Study) -> None:
    ranking = study.neurons.ranking
    first = ranking.wait()
    study.target = (first.target + 1) % 3
    assert ranking.wait().target == study.target
    study.target = first.target
    assert ranking.answer is first


def test_another_image_turns_everything_to_it(study: xw.Study, other: torch.Tensor) -> None:
    table, gallery = xw.NeuronRanking(study), xw.PatchGallery(study)
    overlay, chooser = xw.RelevanceOverlay(study), xw.ClassChooser(study)
    study.neurons.selected = [("0", 1)]
    study.wait(), study.neurons.ranking.wait(), study.neurons.patches.wait()
    gallery.ticks = {"0 1": True}
    before = (table.table, gallery.photo, gallery.cards, overlay.photo, overlay.frames)

    study.image = other
    study.wait(), study.neurons.ranking.wait(), study.neurons.patches.wait()
    after = (table.table, gallery.photo, gallery.cards, overlay.photo, overlay.frames)
    assert all(one != two for one, two in zip(before, after, strict=True))
    assert study.target == study.network.top(other, 1)[0][0] == chooser.value
    assert study.neurons.selected == (("0", 1),), "the same neurons, in another image"
    assert gallery.ticks == {}
    np.testing.assert_array_equal(
        study.relevance.values,
        xw.prediction_difference(
            study.network, other, window=4, sampler=xw.ConstantSampler(0.5), samples=1
        ).values,
    )
    (patch,) = study.neurons.patches.answer
    np.testing.assert_array_equal(
        patch.pixels,
        xw.neuron_patches(study.network, other, [("0", 1)], start="maximum")[0].pixels,
    )


def test_an_image_that_cannot_be_is_refused_and_nothing_changes(study: xw.Study) -> None:
    before = study.image
    shown, classes = study.wait(), study.ranking
    wrong = (torch.rand(1, 16, 16), torch.rand(3, 16, 16) * 255, "bird.png", torch.rand(3, 9, 9))
    for image in wrong:
        with pytest.raises(ValueError, match=r"image|pixel|no picture at 'bird.png'"):
            study.image = image
        assert study.image is before
        assert (study.relevance, study.ranking) == (shown, classes)
        assert study.progress.state == "complete"


def test_selecting_shows_what_the_neurons_look_at(study: xw.Study, images: torch.Tensor) -> None:
    gallery = xw.PatchGallery(study, images)
    table = xw.NeuronRanking(study)
    table.selected = [["0", 2], ["0", 0]]
    assert study.neurons.selected == (("0", 2), ("0", 0))
    assert gallery.selected == table.selected
    expected = xw.neuron_patches(
        study.network, study.image, study.neurons.selected, start="maximum"
    )
    study.neurons.patches.wait()
    assert [(card["layer"], card["channel"]) for card in gallery.cards] == [("0", 2), ("0", 0)]
    for card, patch in zip(gallery.cards, expected, strict=True):
        assert card["box"] == patch.box
        assert card["color"] == "blue", "the only convolution is as deep as any"
        np.testing.assert_allclose(card["activation"], patch.activation, rtol=1e-6)
    found = study.neurons.matches.wait()
    assert [top.activations.tolist() for top in found] == [
        top.activations.tolist()
        for top in xw.search_images(study.network, images, table.selected, progress=False)
    ]
    assert gallery.search["state"] == "complete"
    assert len(gallery.matches[0]["images"]) == 5


def test_a_top_image_can_be_looked_at(study: xw.Study, images: torch.Tensor) -> None:
    gallery = xw.PatchGallery(study, images)
    study.neurons.selected = [("0", 3)]
    (top,) = study.neurons.matches.wait()
    for source in ("no such image", top.sources[1]):
        message = {"type": "look", "layer": "0", "channel": 3, "source": source}
        gallery._handle_custom_msg(message, [])
    np.testing.assert_array_equal(study.picture, top.images[1])


@pytest.mark.parametrize(("channels", "shown"), [(1, True), (2, False), (4, True)])
def test_a_top_image_is_looked_at_where_a_picture_has_its_channels(
    channels: int, shown: bool
) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(channels, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    images = (torch.rand(6, channels, 8, 8) * 255).round() / 255
    images[:, 3:] = 1  # opaque
    with xw.Study(xw.Network(module, size=(8, 8)), images[0], method=xw.Saliency()) as study:
        gallery = xw.PatchGallery(study, images)
        study.neurons.selected = [("0", 3)]
        (top,) = study.neurons.matches.wait()
        source = top.sources[1] if top.sources[0] == "0" else top.sources[0]
        message = {"type": "look", "layer": "0", "channel": 3, "source": source}
        gallery._handle_custom_msg(message, [])
        assert torch.equal(study.image, images[int(source)] if shown else images[0])
        assert ("give a tensor (2, H, W)" in gallery.message) == (not shown)


def test_the_patches_are_those_of_start_and_threshold(study: xw.Study) -> None:
    gallery = xw.PatchGallery(study)
    gallery.start = "map"
    study.neurons.selected = [("0", 0)]
    whole = study.neurons.patches.wait()[0]
    gallery.start = "maximum"
    single = study.neurons.patches.wait()[0]
    expected = xw.neuron_patches(study.network, study.image, [("0", 0)], start="maximum")[0]
    np.testing.assert_array_equal(single.pixels, expected.pixels)
    assert (single.pixels != whole.pixels).any()
    gallery.start, gallery.threshold = "map", 0.9
    tight = study.neurons.patches.wait()[0].box
    assert tight.height * tight.width < whole.box.height * whole.box.width


def test_what_is_known_is_not_computed_again(
    study: xw.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.neurons.selected = [("0", 0), ("0", 1)]
    first, second = study.neurons.patches.wait()
    monkeypatch.setattr(study.network, "watched", lambda *_: pytest.fail("computed again"))
    study.neurons.selected = [("0", 1), ("0", 0)]
    assert study.neurons.patches.wait() == (second, first)


def test_of_very_many_selected_neurons_the_last_are_looked_at() -> None:
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, LIMIT + 5, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(), torch.nn.Linear(LIMIT + 5, 2),
    )  # fmt: skip
    net = xw.Network(module, size=(8, 8))
    with xw.Study(
        net, torch.rand(3, 8, 8), window=4, sampler=xw.ConstantSampler(0.5), samples=1
    ) as study:
        gallery = xw.PatchGallery(study)
        study.neurons.selected = [("0", channel) for channel in range(LIMIT + 5)]
        study.neurons.patches.wait()
        assert [card["channel"] for card in gallery.cards] == list(range(5, LIMIT + 5))
        assert f"Of {LIMIT + 5} selected neurons the last {LIMIT} are shown" in gallery.message
        study.neurons.selected = [("0", 1)]
        study.neurons.patches.wait()
        assert gallery.message == ""


def test_neurons_that_do_not_exist_are_refused(study: xw.Study) -> None:
    study.neurons.selected = [(1, 3)]
    for neurons, match in (
        ([("0", 4)], "channel 4 does not exist"),
        ([("9", 0)], "unknown layer '9'"),
        ([(2, 0)], "no convolution 2"),
    ):
        with pytest.raises(ValueError, match=match):
            study.neurons.selected = neurons
        assert study.neurons.selected == (("0", 3),)


def test_options_are_those_of_rank_neurons(study: xw.Study) -> None:
    with pytest.raises(ValueError, match="sigma is -1"):
        xw.NeuronRanking(study, sigma=-1)
    xw.NeuronRanking(study, samples=3, output="probability")
    parameters = study.neurons.ranking.wait().parameters
    assert (parameters["samples"], parameters["output"]) == (3, "probability")


def test_a_failed_search_says_why_and_the_patches_are_there(study: xw.Study) -> None:
    gallery = xw.PatchGallery(study, ["gone.png"])
    study.neurons.selected = [("0", 0)]
    assert len(study.neurons.patches.wait()) == 1
    with pytest.raises(ValueError, match=r"gone\.png"):
        study.neurons.matches.wait()
    assert "gone.png" in gallery.search["message"]


def test_an_empty_folder_is_refused_at_once(study: xw.Study, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no pictures"):
        xw.PatchGallery(study, tmp_path)


def test_nothing_is_searched_without_a_gallery_or_a_selection(
    study: xw.Study, images: torch.Tensor
) -> None:
    xw.NeuronRanking(study)
    study.network.examples = lambda: images
    study.neurons.selected = [("0", 0)]
    assert study.neurons.matches.question is None
    xw.PatchGallery(study)
    assert len(study.neurons.matches.wait()) == 1
    study.neurons.selected = []
    assert study.neurons.matches.question is None


def test_ticks_are_of_the_boxes_at_hand(study: xw.Study) -> None:
    gallery = xw.PatchGallery(study)
    gallery.ticks = {"0 1": True}
    gallery.start = "map"
    assert gallery.ticks == {}


def test_a_closed_view_follows_nothing(study: xw.Study) -> None:
    views = [xw.PatchGallery(study), xw.NeuronRanking(study), xw.RelevanceOverlay(study)]
    study.neurons.ranking.wait()
    for view in views:
        view.close()
    study.neurons.selected = [("0", 0)]
    study.window = 5
    study.wait(), study.neurons.patches.wait()
    assert views[0].cards == []
    assert views[1].selected == []
    assert views[2].frames == [] or views[2].frames[0]["window"] == 4


def test_a_picture_is_encoded_once(
    study: xw.Study, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    xw.PatchGallery(study, images)
    encoded = []
    png = xw.results.render.png
    monkeypatch.setattr(xw.results.render, "png", lambda image: encoded.append(image) or png(image))
    study.neurons.selected = [("0", 0)]
    study.neurons.patches.wait(), study.neurons.matches.wait()
    assert len(encoded) <= 2 + 2 * 5
    study.neurons.selected = [("0", 0), ("0", 1)]
    study.neurons.patches.wait(), study.neurons.matches.wait()
    assert len(encoded) <= 2 * (2 + 2 * 5)


def test_a_closed_study_computes_nothing_more(net: xw.Network, image: torch.Tensor) -> None:
    study = xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5))
    table = xw.NeuronRanking(study, samples=10**6)
    study.close()
    assert table.progress["state"] == "stopped"
    with pytest.raises(ValueError, match="not complete"):
        table.to_html("page.html")


def test_what_is_no_study_is_refused(study: xw.Study) -> None:
    ranking = xw.rank_neurons(study.network, study.image, samples=2, minimum=0)
    for wrong in (None, study.network):
        with pytest.raises(ValueError, match="a table shows a study or a ranking"):
            xw.NeuronRanking(wrong)
    for wrong in (None, ranking, [1]):
        with pytest.raises(ValueError, match="a gallery shows a study or a list"):
            xw.PatchGallery(wrong)
    with pytest.raises(ValueError, match=r"must be an xw\.Study"):
        xw.NeuronExplorer(ranking)
    with pytest.raises(ValueError, match="did you mean 'weight_sum'"):
        xw.NeuronRanking(study, "weigt_sum")


def test_without_options_the_ranking_is_the_usual_one(study: xw.Study) -> None:
    xw.NeuronRanking(study, samples=3)
    xw.NeuronRanking(study)
    assert study.neurons.ranking.wait().parameters["samples"] == 50


def test_options_that_belong_elsewhere_are_refused(study: xw.Study) -> None:
    with pytest.raises(ValueError, match="metric cannot be given here"):
        xw.NeuronRanking(study, metric="output_correlation")
    ranking = xw.rank_neurons(study.network, study.image, samples=2, minimum=0)
    with pytest.raises(ValueError, match="samples cannot be given here"):
        xw.NeuronRanking(ranking, samples=3)


def test_without_a_data_set_nothing_is_searched(study: xw.Study) -> None:
    gallery = xw.PatchGallery(study)
    study.neurons.selected = [("0", 0)]
    study.neurons.patches.wait()
    assert gallery.search == {}
    assert gallery.matches == []


def test_the_map_rests_while_only_neurons_are_on_screen(
    net: xw.Network, image: torch.Tensor
) -> None:
    with xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5), samples=3000) as study:
        table = xw.NeuronRanking(study)
        table._handle_custom_msg({"type": "shown"}, [])
        study.neurons.ranking.wait()
        until(lambda: resting(study._live))
        before = study.progress.share
        time.sleep(0.2)
        assert study.progress.share == before
        overlay = xw.RelevanceOverlay(study)
        overlay._handle_custom_msg({"type": "shown"}, [])
        until(lambda: study.progress.share > before)


def test_buttons_stop_the_ranking_and_go_on(net: xw.Network, image: torch.Tensor) -> None:
    with xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5)) as study:
        table = xw.NeuronRanking(study, samples=4000, memory=1)
        until(lambda: study.neurons.ranking.answer is not None)
        table._handle_custom_msg({"type": "stop"}, [])
        assert table.progress["state"] == "stopped"
        held = study.neurons.ranking.wait().completed
        assert 0 < held < 1
        table._handle_custom_msg({"type": "resume"}, [])
        assert study.neurons.ranking.wait().completed == 1


def test_a_table_of_a_result_from_a_file(study: xw.Study, tmp_path: Path) -> None:
    ranking = xw.rank_neurons(study.network, study.image, "output_correlation", top=2, samples=5)
    ranking.save(tmp_path / "ranking.npz")
    view = xw.NeuronRanking(xw.Ranking.load(tmp_path / "ranking.npz"))
    assert (view.chosen, view.top) == (["output_correlation"], 2)
    assert view.ranking.neurons == ranking.neurons
    view.chosen, view.top = ["activation_sum", "weight_sum"], 0
    assert view.ranking.neurons == ranking.by("activation_sum", top=4).neurons


def test_a_gallery_of_results_and_its_localisation(study: xw.Study) -> None:
    patches = xw.neuron_patches(study.network, study.image, [(1, 0), (1, 1)])
    gallery = xw.PatchGallery(patches)
    assert len(gallery.cards) == len(gallery.selected) == 2
    assert gallery.localisation == 0
    gallery.ticks = {"0 1": True}
    assert (
        gallery.localisation
        == 0.5
        == xw.evaluate.localisation([patches[0], replace(patches[1], box=None)], [patches[0].box])
    )
    picture = Image.open(BytesIO(gallery.cards[0]["crop"]))
    assert picture.size == (patches[0].box.width, patches[0].box.height)
    with pytest.raises(ValueError, match="no patch"):
        xw.PatchGallery([])
    elsewhere = xw.neuron_patches(study.network, 1 - study.image, [(1, 0)])
    with pytest.raises(ValueError, match="different pictures"):
        xw.PatchGallery([*patches, *elsewhere])


def test_a_page_holds_what_the_best_neurons_look_at(study: xw.Study, tmp_path: Path) -> None:
    explorer = xw.NeuronExplorer(study, ["output_correlation", "weight_sum"], samples=4)
    explorer._table.top = 1
    study.neurons.selected = [("0", 0)]
    explorer.to_html(tmp_path / "page.html")
    group, classes, table, gallery = states(tmp_path / "page.html")
    assert list(group["parts"]) == ["classes", "table", "gallery"]
    assert classes["names"] == list(study.network.classes)
    ranking = study.neurons.ranking.answer
    best = {*ranking.by("output_correlation", top=1), *ranking.by("weight_sum", top=1), ("0", 0)}
    assert {(card["layer"], card["channel"]) for card in gallery["cards"]} == best
    assert base64.b64decode(table["table"]["channel"]["base64"]) == explorer._table.table["channel"]
    assert table["progress"]["state"] == "complete"
    assert gallery["alive"] is False
    assert "<h1>neurons by output correlation" in (tmp_path / "page.html").read_text("utf-8")


def test_a_page_of_a_table_names_the_metric_it_ranks_by(study: xw.Study, tmp_path: Path) -> None:
    ranking = xw.rank_neurons(study.network, study.image, samples=2, minimum=0)
    xw.NeuronRanking(ranking, ["weight_sum"]).to_html(tmp_path / "page.html")
    assert "<h1>neurons by weight sum" in (tmp_path / "page.html").read_text("utf-8")


def test_a_ranking_that_lambda_leaves_empty_is_shown_all_the_same(study: xw.Study) -> None:
    view = xw.NeuronRanking(study, minimum=1e9)
    study.neurons.ranking.wait()
    assert len(view.table["channel"]) == 4 * 4
    assert "not ranked" not in view.preview()["text/plain"]
    with pytest.raises(ValueError, match="largest mean magnitude is"):
        _ = view.ranking


def test_readers_without_widgets_see_the_best_neurons(study: xw.Study) -> None:
    view = xw.NeuronRanking(study)
    study.neurons.ranking.wait()
    data, _ = view._repr_mimebundle_()
    assert "activation precision" in data["text/plain"]
    assert "<table" in data["text/html"]


def test_images_that_are_given_while_the_examples_are_read_are_searched(
    study: xw.Study, images: torch.Tensor
) -> None:
    def examples() -> torch.Tensor:
        study.neurons.search_in(images[:3])
        return images

    study.network.examples = examples
    study.neurons.search_in(None)
    study.neurons.selected = [("0", 1)]
    tops = study.neurons.matches.wait(60)
    assert tops is not None
    assert [top.total for top in tops] == [3]
