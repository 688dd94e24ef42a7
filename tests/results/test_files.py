"""Every kind of result survives a file, and refuses the file of another."""

import dataclasses
import io
import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from PIL import Image

from xwidgets import (
    ClassModel,
    NeuronPatch,
    Ranking,
    RegionRemoval,
    Relevance,
    Segmentation,
    TopImages,
    UnitRelevance,
)
from xwidgets.box import Box

from .examples import (
    class_model,
    patch,
    ranking,
    relevance,
    removal,
    segmentation,
    top_images,
    unit_relevance,
    unscored,
)

importance = np.arange(42.0).reshape(6, 7)
importance[0, :3] = math.nan, math.inf, -math.inf

RESULTS = {
    "relevance": relevance(),
    "relevance without errors": relevance(standard_error=None),
    "relevance with numbers of samples": relevance(
        samples=np.arange(6, dtype=np.int32).reshape(2, 3)
    ),
    "class activation map": relevance(raw=np.ones((2, 3), np.float32), bias=0.25),
    "segmentation": segmentation(),
    "ranking": ranking(),
    "ranking in part, without numbers": ranking(
        importance=importance, completed=0.5, metric="activation_precision", top=2, minimum=0
    ),
    "patch": patch(),
    "patch of a silent neuron": patch(box=None, field=None),
    "patch that shows nothing": patch(box=None, convolution=None),
    "units": unit_relevance(),
    "units without a place": unit_relevance(
        values=np.ones(3, np.float32), standard_error=np.full(3, np.nan, np.float32)
    ),
    "top images": top_images(),
    "top images, all": top_images(searched=30, skipped=()),
    "class model": class_model(),
    "removal": removal(),
    "removal that is not scored": unscored(),
}
each_result = pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
KINDS = (
    ClassModel, Relevance, UnitRelevance, Ranking, NeuronPatch, TopImages, RegionRemoval,
    Segmentation,
)  # fmt: skip


@each_result
@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["str", "Path"])
def test_a_result_survives_a_file_with_all_that_it_holds(tmp_path, result, kind):
    result.save(kind(tmp_path / "result"))
    again = type(result).load(kind(tmp_path / "result"))
    assert type(again) is type(result)
    for item in dataclasses.fields(result):
        before, after = getattr(result, item.name), getattr(again, item.name)
        assert type(after) is type(before), item.name
        if isinstance(before, np.ndarray):
            assert after.dtype == before.dtype
            np.testing.assert_array_equal(after, before)
        else:
            assert after == before, item.name
    assert repr(again) == repr(result)


@pytest.mark.parametrize("name", ["ranking", "ranking in part, without numbers"])
def test_a_ranking_ranks_the_same_behind_a_file(tmp_path, name):
    result = RESULTS[name]
    result.save(tmp_path / "result")
    again = Ranking.load(tmp_path / "result")
    assert again.neurons == result.neurons
    assert again.frame().equals(result.frame())
    assert again.by("weight_sum", top=1).neurons == result.by("weight_sum", top=1).neurons
    assert again.title == result.title


def test_boxes_are_boxes_behind_a_file(tmp_path):
    patch().save(tmp_path / "patch")
    again = NeuronPatch.load(tmp_path / "patch")
    assert type(again.box) is type(again.field) is Box
    assert again.crop.shape == (3, 4, 3)
    assert again.contact == ("left",)
    patch(box=None, field=None).save(tmp_path / "silent")
    assert NeuronPatch.load(tmp_path / "silent").crop.size == 0
    top_images().save(tmp_path / "images")
    again = TopImages.load(tmp_path / "images")
    assert all(type(box) is Box for box in again.fields)
    assert [crop.shape for crop in again.crops] == [(2, 3, 3), (4, 5, 3), (5, 7, 3)]


@each_result
@pytest.mark.parametrize("kind", KINDS)
def test_the_file_of_another_kind_is_refused_in_a_sentence(tmp_path, result, kind):
    result.save(tmp_path / "result")
    if isinstance(result, kind):
        kind.load(tmp_path / "result")
        return
    match = f"no readable {kind.__name__} result .it holds a {type(result).__name__}.*compute it"
    with pytest.raises(ValueError, match=match) as caught:
        kind.load(tmp_path / "result")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_file_is_named(tmp_path, kind):
    with pytest.raises(ValueError, match=r"there is no result at .*gone"):
        kind.load(tmp_path / "gone")


@each_result
def test_a_file_that_lost_an_array_is_refused(tmp_path, result):
    path = tmp_path / "result.npz"
    result.save(path)
    with np.load(path) as file:
        arrays = dict(file)
    for lost in arrays.keys() - {"facts"}:
        np.savez(path, **{name: arrays[name] for name in arrays if name != lost})
        with pytest.raises(ValueError, match=f"it lacks {lost}"):
            type(result).load(path)


@each_result
def test_a_damaged_file_is_refused_or_holds_the_same(tmp_path, result):
    path = tmp_path / "result"
    result.save(path)
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(0, len(whole), 97)]
    damaged += [
        whole[:at] + bytes([whole[at] ^ 0x81]) + whole[at + 1 :] for at in range(0, len(whole), 61)
    ]
    refusals = []
    for content in damaged:
        path.write_bytes(content)
        try:
            again = type(result).load(path)
        except ValueError as error:
            refusals.append(str(error))
        else:
            assert repr(again) == repr(result)
            for item in dataclasses.fields(result):
                if isinstance(getattr(result, item.name), np.ndarray):
                    np.testing.assert_array_equal(
                        getattr(again, item.name), getattr(result, item.name)
                    )
    assert len(refusals) > len(damaged) / 2
    assert all(path.name in refusal and "\n" not in refusal for refusal in refusals)


UNFIT = {
    "fewer errors": relevance(standard_error=np.ones((5, 6), np.float32)),
    "numbers of samples without rows": relevance(samples=np.ones(6, np.int32)),
    "numbers of samples below zero": relevance(samples=np.full((2, 3), -1, np.int32)),
    "fractions of samples": relevance(samples=np.full((2, 3), 2.5)),
    "fewer units": unit_relevance(values=np.ones((3, 4), np.float32)),
    "fewer errors of units": unit_relevance(standard_error=np.ones((3, 2, 3), np.float32)),
    "no picture of units": unit_relevance(image=np.ones((5, 7), np.uint8)),
    "fewer channels": ranking(channel=np.arange(6)),
    "fewer activations": ranking(activation=np.ones(6)),
    "fewer maps": ranking(maps=np.zeros((6, 4, 4), np.uint8)),
    "fewer numbers": ranking(importance=np.ones((6, 6))),
    "fewer metrics": ranking(importance=np.ones((5, 7))),
    "another picture": patch(pixels=np.zeros((3, 7, 5), np.float32)),
    "no picture": patch(image=np.zeros((4, 7, 3), np.uint8)),
    "fewer images": top_images(images=np.zeros((2, 5, 7, 3), np.uint8)),
    "fewer fields": top_images(fields=(Box(0, 0, 1, 1),)),
    "fewer sources": top_images(sources=("a",)),
    "one image": top_images(images=np.zeros((3, 5, 7), np.uint8)),
    "no images": top_images(
        images=np.zeros((0, 5, 7, 3), np.uint8), activations=np.zeros(0, np.float32), fields=(),
        sources=(),
    ),
    "a region of another size": removal(mask=np.ones((4, 7), bool)),
    "a region of numbers": removal(mask=np.ones((5, 7))),
    "an empty region": removal(mask=np.zeros((5, 7), bool)),
    "samples of another size": removal(samples=np.zeros((2, 4, 7, 3), np.uint8)),
    "fewer samples": removal(samples=np.zeros((1, 5, 7, 3), np.uint8)),
    "fewer probabilities": removal(before=np.ones(2)),
    "fewer class names": removal(classes=("ant", "bee")),
}  # fmt: skip


@pytest.mark.parametrize("result", UNFIT.values(), ids=UNFIT)
def test_numbers_that_do_not_fit_together_are_refused(tmp_path, result):
    result.save(tmp_path / "result")
    with pytest.raises(
        ValueError, match=rf"no readable {type(result).__name__} result .*its .* again"
    ):
        type(result).load(tmp_path / "result")


NONSENSE = {
    "unknown metric": {"metric": "x"},
    "no top": {"top": 0},
    "negative minimum": {"minimum": -1},
}


@pytest.mark.parametrize("changes", NONSENSE.values(), ids=NONSENSE)
def test_a_ranking_by_what_cannot_be_is_refused_from_a_file_too(tmp_path, changes):
    one = ranking()
    for name, value in changes.items():
        object.__setattr__(one, name, value)  # as another version might have written it
    one.save(tmp_path / "result")
    with pytest.raises(ValueError, match="no readable Ranking result"):
        Ranking.load(tmp_path / "result")


STRANGE = {
    "another layer": ranking(layer=(0, 0, 0, 0, 1, 1, 2)),
    "a negative layer": ranking(layer=(0, 0, 0, 0, 1, 1, -1)),
    "fewer convolutions": ranking(convolutions=(1,)),
    "layers that are fractions": ranking(layer=np.array([0, 0, 0, 0, 1, 1, 0.5])),
    "two-dimensional numbers": ranking(activation=np.ones((7, 2))),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_ranking_of_layers_that_it_does_not_have_is_refused(tmp_path, name):
    STRANGE[name].save(tmp_path / "result")
    with pytest.raises(ValueError, match="compute it again"):
        Ranking.load(tmp_path / "result")


@each_result
def test_a_result_cannot_be_changed(result):
    with pytest.raises(FrozenInstanceError):
        result.network_name = "other"


def test_what_is_shown_of_top_images_is_dark_outside_of_their_patches():
    one = top_images()
    shown = np.asarray(Image.open(io.BytesIO(one.png())))
    row = np.concatenate(one.images, 1)
    bright = np.zeros((5, 21), bool)
    for at, box in enumerate(one.fields):
        bright[box.top : box.bottom, 7 * at + box.left : 7 * at + box.right] = True
    np.testing.assert_array_equal(shown, np.where(bright[:, :, None], row, row // 3))
    assert one.title == "3 for features.3 channel 4 (birds), of 30 images, 20 searched"
    assert replace(one, searched=30).title == "3 for features.3 channel 4 (birds), of 30 images"
    before = one.images.copy()
    assert one.png() == one._repr_png_()
    np.testing.assert_array_equal(one.images, before)


@pytest.mark.parametrize("name", ["bird.png", "bird.HTML", "bird.jpeg"])
def test_the_name_of_a_picture_or_page_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match=rf"{name}' is no name of an .npz file"):
        relevance().save(tmp_path / name)
    assert not [*tmp_path.iterdir()]
