"""What is handed in first: a module in place of a network, a picture in place of a tensor."""

import inspect
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import xwidgets as xw
from xwidgets.explain import MapMethod
from xwidgets.explain.data_set import DataSet
from xwidgets.networks import Subject
from xwidgets.networks.target import Resolved

from .usual import SIDE, arguments, classifier, explanation_module, network

pytestmark = pytest.mark.filterwarnings(
    r"ignore:\d+ images are fewer", "ignore:small takes 24 of the 24"
)

PIXELS = np.random.default_rng(0).integers(0, 256, (17, 23, 3), dtype=np.uint8)


@dataclass(frozen=True)
class Brightness(MapMethod):
    """Method of a user's own."""

    name, unit = "brightness", "share of white"

    def explain(self, subject: Subject, target: Resolved) -> xw.Relevance:
        """Mean over the channels."""
        return self.relevance(subject, target, subject.pixels.mean(0))


FOLDERS = {"folder": "survey", "survey": "survey"}
"""Arguments that name a folder."""


def begun(function: Any, **given: Any) -> Any:
    """Result of a function for usual arguments and those given, an iterator for one in steps."""
    known = inspect.signature(function).parameters
    hidden = {"target": None, "layer": None} if "removed_layer" in known else FOLDERS
    needed = {
        name: value
        for name, value in (arguments() | hidden | given).items()
        if name in known
        and not (name == "layer" and known[name].default is None)
        and not (name == "method" and isinstance(known[name].default, str))
    }
    if "module" in needed and needed["module"] is None:
        needed["module"] = explanation_module()
    return function(**needed)


def called(function: Any, **given: Any) -> Any:
    """The same, and all results of one in steps."""
    result = begun(function, **given)
    return list(result) if inspect.isgenerator(result) else result


def of_a_network() -> dict[str, Any]:
    """Public functions and classes that take a network."""
    rooms = (xw, xw.evaluate, xw.explain, xw.live, xw.networks)
    public = {name: getattr(room, name) for room in rooms for name in room.__all__}
    return {
        name: value
        for name, value in public.items()
        if callable(value) and "net" in inspect.signature(value).parameters
    }


FUNCTIONS = of_a_network()
METHODS = {
    "PredictionDifference": (xw.PredictionDifference(window=4, samples=2, stride=4), 0),
    "difference": (xw.PredictionDifference(4, samples=2, stride=4, measure="difference"), 0),
    "Occlusion": (xw.Occlusion(window=4, stride=4), 0),
    "Saliency": (xw.Saliency(), 0),
    "ClassActivationMap": (xw.ClassActivationMap(), 0),
    "ExcitationBackprop": (xw.ExcitationBackprop(), 0),
    "ActivationMaximization": (xw.ActivationMaximization(iterations=2), 0),
    "Deconvnet": (xw.Deconvnet(), xw.Channel(2, 1)),
    "NeuronPatches": (xw.NeuronPatches(), xw.Channel("3", 1)),
    "UnitDifference": (xw.UnitDifference(2, samples=2), 1),
    "InputResampling": (xw.InputResampling(samples=4, minimum=0), 0),
    "RegionDifference": (xw.RegionDifference(np.eye(SIDE, dtype=bool), samples=2), 0),
    "Brightness": (Brightness(), 0),
}


def told(result: Any) -> Any:
    """All that a result holds, as plain values that can be compared."""
    if isinstance(result, list | tuple):
        return [told(part) for part in result]
    if is_dataclass(result):
        return {item.name: told(getattr(result, item.name)) for item in fields(result)}
    return result.numpy() if isinstance(result, torch.Tensor) else result


def test_the_functions_are_all_here() -> None:
    assert {"saliency", "rank_neurons_steps", "faithfulness", "Study", "Subject"} <= set(FUNCTIONS)
    assert len(FUNCTIONS) > 25


# A module that is no network yet


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_module_is_answered_with_how_to_wrap_it(name: str) -> None:
    with pytest.raises(ValueError, match=r"net is a Sequential.*wrap .*xw\.Network\(mod") as caught:
        called(FUNCTIONS[name], net=classifier())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [*METHODS, "XFeatureMaps", "ImageSearch"])
def test_methods_say_so_too(name: str) -> None:
    made = {
        "XFeatureMaps": lambda: (xw.XFeatureMaps(explanation_module()), None),
        "ImageSearch": lambda: (xw.ImageSearch(arguments()["images"]), xw.Channel(1, 0)),
    }
    method, target = METHODS[name] if name in METHODS else made[name]()
    net, image = classifier(), arguments()["image"]
    calls = [
        lambda: method.run(net, image, target),
        lambda: method.run_each(net, image, [target]),
        lambda: method.steps(net, image, target),
        lambda: method.validate(net, image, target),
        lambda: xw.Study(net, image, target, method),
    ]
    if isinstance(method, xw.ImageSearch):
        calls.append(lambda: method.search(net, [(1, 0)]))
    if isinstance(method, xw.XFeatureMaps):
        calls.append(lambda: list(method.of_images(net, image[None])))
    for call in calls:
        with pytest.raises(ValueError, match=r"wrap .*xw\.Network\(module"):
            call()


@pytest.mark.parametrize(
    "view", [xw.ClassChooser, xw.ClassModelExplorer, xw.Explorer, xw.MethodControls,
             xw.NeuronExplorer, xw.NeuronRanking, xw.PatchGallery, xw.RegionPainter,
             xw.RelevanceOverlay, xw.TopImagesGallery, xw.WindowSlider, xw.XFeatureExplorer],
)  # fmt: skip
@pytest.mark.parametrize("given", [classifier(), network(), "birds"], ids=["module", "net", "name"])
def test_views_say_what_they_show(view: Any, given: Any) -> None:
    with pytest.raises(ValueError, match=r"study|xw\.Study") as caught:
        view(given)
    assert "\n" not in str(caught.value)


# A picture that is no tensor yet


@pytest.fixture
def pictures(tmp_path: Any) -> dict[str, Any]:
    """One picture in every form."""
    path = tmp_path / "picture.png"
    Image.fromarray(PIXELS).save(path)
    return {
        "path": path,
        "text": str(path),
        "Pillow": Image.open(path),
        "array": PIXELS,
        "flipped-array": PIXELS[::-1].copy()[::-1],
        "tensor": torch.from_numpy(PIXELS).permute(2, 0, 1),
        "batch-of-one": torch.from_numpy(PIXELS).permute(2, 0, 1)[None],
    }


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_picture_is_prepared_for_the_network(pictures: Any, channels: int) -> None:
    net = network(channels)
    prepared = net.prepare(xw.photo(PIXELS, channels))
    assert prepared.shape == (channels, SIDE, SIDE)
    for form, picture in pictures.items():
        assert torch.equal(net.prepare(picture), prepared), form
        assert torch.equal(Subject(net, picture).image, prepared), form
        assert net.top(picture) == net.top(prepared), form
    data = [path for form, path in pictures.items() if form != "batch-of-one"]
    for image in [DataSet(net, data).image(n) for n in range(len(data))]:
        assert torch.equal(image, prepared)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_picture_of_the_networks_size_stays_as_it_is(tmp_path: Any, channels: int) -> None:
    net, small = network(channels), PIXELS[:SIDE, :SIDE]
    Image.fromarray(small).save(tmp_path / "small.png")
    for picture in (small, tmp_path / "small.png"):
        assert torch.equal(Subject(net, picture).image, xw.photo(small, channels))


def test_tensors_and_floating_point_arrays_are_taken_as_they_are() -> None:
    image = torch.rand(3, 5, 7, dtype=torch.float64)
    net = xw.Network(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), size=(SIDE, SIDE))
    for given in (image, image[None], image.numpy(), image.numpy()[::1, ::-1]):
        assert Subject(net, given).image.tolist() == np.asarray(given).reshape(3, 5, 7).tolist()


def test_an_array_of_shares_with_its_colours_last_is_prepared_first() -> None:
    net, shares = network(), PIXELS / 255
    with pytest.raises(ValueError, match=r"net\.prepare\(image\) reads an array \(H, W, C\)"):
        xw.saliency(net, shares)
    torch.testing.assert_close(net.prepare(shares), net.prepare(PIXELS))


@pytest.mark.parametrize("channels", [2, 12])
def test_other_channels_come_from_tensors_only(pictures: Any, channels: int) -> None:
    net = network(channels)
    image = torch.rand(channels, 20, 30)
    assert net.prepare(image).shape == (channels, SIDE, SIDE)
    for picture in (pictures["path"], pictures["Pillow"], PIXELS):
        for call in (net.prepare, lambda picture: Subject(net, picture)):
            with pytest.raises(ValueError, match=rf"give a tensor \({channels}, H, W\)") as caught:
                call(picture)
            assert "\n" not in str(caught.value)
    with pytest.raises(
        ValueError, match=rf"image .* of the data set: .*give a tensor \({channels}, H, W\)"
    ):
        list(xw.search_images_steps(net, [pictures["path"]], [(1, 0)], cache=False))
    eight_bits = (image * 255).byte()
    assert torch.equal(net.prepare(eight_bits), net.prepare(eight_bits / 255))


@pytest.mark.parametrize("name", [n for n, f in FUNCTIONS.items()
                                  if "image" in inspect.signature(f).parameters])  # fmt: skip
def test_every_function_takes_a_picture(pictures: Any, name: str) -> None:
    net = network()
    prepared = net.prepare(PIXELS)
    if name == "Study":
        for picture in pictures.values():
            with xw.Study(net, picture, method=xw.Saliency()) as study:
                assert torch.equal(study.image, prepared)
                study.image = arguments()["image"]
                study.image = picture
                assert torch.equal(study.image, prepared)
        return
    if name == "Subject":
        assert Subject(net, pictures["path"]) == Subject(net, prepared)
        return
    expected = told(called(FUNCTIONS[name], net=net, image=prepared))
    for picture in (pictures["path"], pictures["Pillow"], pictures["array"]):
        np.testing.assert_equal(told(called(FUNCTIONS[name], net=net, image=picture)), expected)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_takes_a_picture(pictures: Any, name: str) -> None:
    method, target = METHODS[name]
    net = network()
    expected = told(method.run(net, net.prepare(PIXELS), target))
    np.testing.assert_equal(told(method.run(net, pictures["path"], target)), expected)


@pytest.mark.parametrize("picture", ["nowhere.png", "chelsae", np.zeros((3, 8, 8), np.uint8)])
def test_what_is_no_picture_is_told(picture: Any) -> None:
    with pytest.raises(ValueError, match=r"no picture at|did you mean 'chelsea'|not a picture"):
        xw.saliency(network(), picture)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_study_turns_to_a_picture(channels: int) -> None:
    net = network(channels)
    shown = PIXELS[:SIDE, :SIDE] if channels != 1 else PIXELS[:SIDE, :SIDE, :1].repeat(3, 2)
    with xw.Study(
        net, arguments()["image"][:1].expand(channels, -1, -1), method=xw.Saliency()
    ) as s:
        s.turn_to(shown)
        assert np.array_equal(s.picture, shown)
        assert torch.equal(s.image, xw.photo(shown, channels))


@pytest.mark.parametrize("channels", [2, 12])
def test_a_study_of_other_channels_stays_and_says_why(channels: int) -> None:
    net, image = network(channels), torch.rand(channels, SIDE, SIDE)
    with xw.Study(net, image, method=xw.Saliency()) as study:
        with pytest.raises(ValueError, match=rf"give a tensor \({channels}, H, W\)"):
            study.turn_to(study.picture)
        assert torch.equal(study.image, image)


@pytest.mark.parametrize("baseline", [xw.evaluate.random_map, xw.evaluate.edge_map])
@pytest.mark.parametrize("given", ["picture.png", PIXELS, torch.rand(5, 7), torch.randn(3, 5, 7)])
def test_baselines_are_of_images(baseline: Any, given: Any) -> None:
    image = torch.rand(3, 5, 7)
    assert np.array_equal(baseline(image), baseline(image.numpy()))
    assert baseline(image).shape == (5, 7)
    with pytest.raises(ValueError, match=r"images|pixels"):
        baseline(given)
