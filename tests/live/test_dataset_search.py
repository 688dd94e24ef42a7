"""The dataset search of a study: what is searched for, in which images, and when anew."""

import numpy as np
import pytest
import torch
from PIL import Image

import xwidgets as xw
from xwidgets.explain import data_set

from .waiting import until


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(30, 3, 16, 16, generator=torch.Generator().manual_seed(3))


def best(values: list[float], k: int) -> list[str]:
    """Numbers of the k largest values, as sources of a data set."""
    return [str(n) for n in sorted(range(len(values)), key=lambda n: -values[n])[:k]]


def test_the_target_is_searched_for_and_followed(study, images) -> None:
    search = study.dataset_search
    search.k = 4
    search.search_in(images)
    module = study.network.module
    with torch.no_grad():
        scores = module(images)
    for target in (2, 0, 1):
        study.target = target
        top = search.wait()
        assert list(top.sources) == best(scores[:, target].tolist(), 4)
        assert top.label == study.network.class_name(target) == search.sought.name
        assert search.sought.kind == "target"
    study.ask(xw.Channel("0", 2), xw.Saliency())
    with torch.no_grad():
        maps = module[1](module[0](images))
    assert list(search.wait().sources) == best(maps[:, 2].amax((1, 2)).tolist(), 4)


def test_something_else_is_searched_for_whatever_the_target(study, images) -> None:
    search = study.dataset_search
    search.search_in(images)
    expected = {
        ("0", 3): ("channel", "0 channel 3", 3, "0"),
        (1, 3): ("channel", "0 channel 3", 3, "0"),
        "bee": ("class", "bee", 1, ""),
        xw.Unit("0", 1, 4, 5): ("other", "0, channel 1, row 4, column 5", 1, ""),
    }
    for searched, sought in expected.items():
        search.searched = searched
        answer = search.wait()
        assert search.sought == sought
        study.target = (study.question.target.index + 1) % 3
        assert search.growing.answer is answer
        [alone] = xw.search_images(
            study.network, images, [searched], 20, cache=False, progress=False
        )
        assert answer.sources == alone.sources
        assert answer.name == alone.name == search.sought.name
    search.searched = None
    assert search.wait().label == study.network.class_name(study.target)


def test_x_features_of_a_module_are_searched_for(images) -> None:
    net = xw.network("birds")
    scenes, _ = xw.scenes.draw("birds", range(120))
    module = xw.fit_explanation(net, scenes, target=3, epochs=1, cache=False, progress=False)
    with xw.Study(net, scenes[0]) as study:
        search = study.dataset_search
        search.searched = (module, 1)
        search.search_in(scenes)
        assert search.sought[:3] == ("x-feature", "x-feature 1 of Briar finch (hooked beak)", 1)
        top = search.wait()
        watched = net.watched(scenes, [module.facts.layer], gradients=False)
        with torch.no_grad():
            values = module.encoder(watched.activations[module.facts.layer])[:, 1]
        np.testing.assert_allclose(
            top.activations, values.sort(descending=True).values[:20], rtol=1e-4, atol=1e-4
        )
        with pytest.raises(ValueError, match="x-feature 9"):
            search.searched = (module, 9)


def test_nothing_changes_when_what_is_set_is_refused(study, images) -> None:
    search = study.dataset_search
    search.search_in(images)
    search.searched = ("0", 1)
    before = search.growing.question
    for wrong, told in ((("0", 9), "channel 9"), ("wren", "wren"), (("conv", 0), "conv"), (7, "7")):
        with pytest.raises(ValueError, match=told):
            search.searched = wrong
    for k in (0, -3):
        with pytest.raises(ValueError, match="k"):
            search.k = k
    assert search.growing.question == before


def test_without_images_it_says_so_and_waits_for_some(study, images) -> None:
    search = study.dataset_search
    assert search.wait() is None
    with pytest.raises(ValueError, match=r"no examples to search; give images="):
        search.search_in(None)
    search.search_in(images)
    assert search.wait().total == 30
    search.search_in(images[:7])
    assert search.wait().total == 7
    search.search_in(None)
    assert search.wait().total == 7


def test_other_weights_are_searched_anew(net, image, images) -> None:
    with xw.Study(net, image, xw.Channel("0", 1), xw.Saliency()) as study:
        search = study.dataset_search
        search.search_in(images)
        study.wait()
        before = search.wait()
        with torch.no_grad():
            net.module[0].weight.neg_()
            net.module[0].bias.neg_()
        study.wait()
        until(lambda: study.renewals == 1)
        after = search.wait()
        with torch.no_grad():
            maps = net.module[0](images)
        assert after.sources != before.sources
        np.testing.assert_allclose(
            after.activations, sorted(maps[:, 1].amax((1, 2)).relu().tolist(), reverse=True)[:20],
            rtol=1e-5,
        )  # fmt: skip


def test_it_grows_and_tells_what_it_skipped(study, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(data_set, "_MEMORY", 1)  # one image a batch
    random = np.random.default_rng(0)
    for name in range(40):
        picture = random.integers(0, 256, (16, 16, 3), np.uint8)
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    search = study.dataset_search
    seen: list[int] = []
    search.growing.observe(
        lambda change: change["new"] and seen.append(change["new"].searched), "answer"
    )
    search.search_in(tmp_path)
    with pytest.warns(UserWarning, match=r"1 of 41 pictures cannot be read .*broken\.png"):
        top = search.wait()
    assert top.searched == top.total == 41
    assert top.skipped == ("broken.png",)
    assert seen[0] == 1
    assert seen[-1] == 41
    assert seen == sorted(seen)
