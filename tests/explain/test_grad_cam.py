"""A method that somebody new adds is live, comparable and exportable the same day."""

from pathlib import Path

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from torch.nn.functional import interpolate

import xwidgets as xw

from .grad_cam import GradCAM

SOURCE = Path(__file__).with_name("grad_cam.py")


@pytest.fixture(scope="module")
def net() -> xw.Network:
    return xw.network("birds")


@pytest.fixture(scope="module")
def image() -> torch.Tensor:
    return xw.scenes.bird(seed=3).image


def test_it_takes_at_most_25_lines() -> None:
    assert len(SOURCE.read_text("utf-8").splitlines()) <= 25


@pytest.mark.parametrize("rectified", [True, False])
@pytest.mark.parametrize("layer", [13, 5])
def test_it_is_captums(net: xw.Network, image: torch.Tensor, layer: int, rectified: bool) -> None:
    found = GradCAM(layer, rectified).run(net, image, 6)
    module = dict(net.module.named_modules())[f"{net.layer(layer).name}"]
    behind = list(net.module.features).index(module) + 1  # its rectifier
    grad_cam = LayerGradCam(net.classify, net.module.features[behind])
    pixels = image[None].clone().requires_grad_()
    expected = grad_cam.attribute(pixels, 6, relu_attributions=rectified)
    expected = interpolate(expected, size=(64, 64), mode="bilinear")[0, 0].detach().numpy()
    np.testing.assert_allclose(found.values, expected, atol=1e-5 * np.abs(expected).max())
    assert found.signed == bool((expected < 0).any())


def test_it_is_live_and_a_generated_control_moves_it(net: xw.Network, image: torch.Tensor) -> None:
    with xw.Study(net, image, method=GradCAM()) as study:
        explorer = xw.Explorer(study)
        overlay = explorer.overlay
        layer, rectified = explorer.panes.controls.children
        assert layer.options[:2] == ["features.0", "features.1"]
        first = study.wait()
        layer.value = "features.12"
        second = study.wait()
        assert second.parameters["layer"] == "features.12"
        assert overlay.frames[0]["title"] == second.title
        assert not np.array_equal(first.values, second.values)
        rectified.value = False
        assert study.wait().values.min() < 0
        layer.value, rectified.value = "features.28", True
        assert study.relevance.parameters == first.parameters, "what is known is there at once"


def test_it_is_compared_and_exported(net: xw.Network, image: torch.Tensor, tmp_path: Path) -> None:
    with (
        xw.Study(net, image, method=GradCAM()) as study,
        xw.Study(net, image, samples=1, stride=8, measure="difference") as other,
    ):
        study.wait(), other.wait()
        comparison = xw.Comparison(study, other)
        expected = study.relevance.values - other.relevance.values
        np.testing.assert_array_equal(comparison.difference.values, expected)
        comparison.to_html(tmp_path / "comparison.html")
        xw.RelevanceOverlay(study).to_html(tmp_path / "page.html", layer=[3, 5, 13])
        study.relevance.save(tmp_path / "map.npz")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.count('"title": "Grad-CAM for') == 3
    again = xw.Relevance.load(tmp_path / "map.npz")
    assert (again.method, again.parameters["rectified"]) == ("Grad-CAM", True)


def test_a_layer_that_there_is_not_is_refused_before_anything_is_computed(
    net: xw.Network, image: torch.Tensor
) -> None:
    with pytest.raises(ValueError, match=r"did you mean 'features\.28'"):
        GradCAM("featurs.28").validate(net, image)
    with xw.Study(net, image, method=GradCAM()) as study:
        with pytest.raises(ValueError, match="there is no convolution 99"):
            study.method = GradCAM(99)
        assert study.method == GradCAM()
