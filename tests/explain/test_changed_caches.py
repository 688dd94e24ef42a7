"""Well-formed cache files that hold something else are computed anew, once, with a warning."""

import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.explain.data_set import Cached, DataSet
from xwidgets.explain.explanation_module.features import Features, read_features
from xwidgets.explain.image_search import _Best

COUNT = 6


def network(seed: int = 0) -> xw.Network:
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(5, 3),
    )  # fmt: skip
    return xw.Network(module, size=(8, 8), name="small", outputs="logits")


def images(count: int = COUNT, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(seed))


def searched(
    net: xw.Network, images: torch.Tensor, cache: Any, layer: Any = "0", k: int = 3
) -> Any:
    wanted = [(layer, 1)] if isinstance(layer, str) else [layer]
    [found] = xw.search_images(net, images, wanted, k, cache=cache, progress=False)
    return found


def read(net: xw.Network, images: torch.Tensor, cache: Any, layer: str = "0", k: int = 3) -> Any:
    *_, (_, found) = read_features(net, DataSet(net, images), net.layer(layer), cache)
    return found


def told(result: Any) -> dict[str, Any]:
    values = {item.name: getattr(result, item.name) for item in fields(result)}
    return {name: value for name, value in values.items() if name not in ("key", "versions")}


OTHERS: dict[str, Callable[[Any, Path], Any]] = {
    "network": lambda compute, cache: compute(network(1), images(), cache),
    "layer": lambda compute, cache: compute(network(), images(), cache, "2"),
    "pictures": lambda compute, cache: compute(network(), images(seed=1), cache),
    "fewer pictures": lambda compute, cache: compute(network(), images(5), cache),
}


@pytest.mark.parametrize("compute", [searched, read])
@pytest.mark.parametrize("other", [*OTHERS, "k", "classes", "another kind"])
def test_the_file_of_another_is_noticed(tmp_path: Path, compute: Any, other: str) -> None:
    expected = compute(network(), images(), tmp_path / "own")
    [own] = (tmp_path / "own").iterdir()
    made = {
        **OTHERS,
        "k": lambda compute, cache: searched(network(), images(), cache, k=2),
        "classes": lambda compute, cache: searched(network(), images(), cache, 1),
        "another kind": lambda compute, cache: (read if compute is searched else searched)(
            network(), images(), cache
        ),
    }
    made[other](compute, tmp_path / "others")
    [wrong] = (tmp_path / "others").iterdir()
    shutil.copy(wrong, own)
    check(compute, own, expected)


def check(compute: Any, own: Path, expected: Any) -> None:
    """The right result again: once with a warning that names the file, then from the file."""
    with pytest.warns(UserWarning, match=f"{own.name}.*computed anew") as caught:
        again = compute(network(), images(), own.parent)
    assert len(caught) == 1
    np.testing.assert_equal(told(again), told(expected))
    np.testing.assert_equal(told(compute(network(), images(), own.parent)), told(expected))


@pytest.mark.parametrize(
    "changes",
    [
        lambda best: {"numbers": best.numbers + COUNT},
        lambda best: {"numbers": best.numbers * 0},
        lambda best: {"places": best.places + 36},
        lambda best: {"values": -best.values},
        lambda best: {"values": best.values[1:], "numbers": best.numbers[1:],
                      "places": best.places[1:]},
        lambda best: {"values": best.values[:, 1:], "numbers": best.numbers[:, 1:],
                      "places": best.places[:, 1:]},
        lambda best: {"searched": COUNT - 1},
        lambda best: {"searched": COUNT + 1},
        lambda best: {"skipped": (int(best.numbers[0, 0]),)},
        lambda best: {"skipped": (COUNT,)},
        lambda best: {"key": "0" * 64},
    ],
)  # fmt: skip
def test_a_search_with_numbers_that_cannot_be_is_made_again(tmp_path: Path, changes: Any) -> None:
    changed(_Best, searched, tmp_path, changes)


@pytest.mark.parametrize(
    "changes",
    [
        lambda known: {"numbers": known.numbers[::-1]},
        lambda known: {"numbers": known.numbers * 0},
        lambda known: {"numbers": known.numbers + 1},
        lambda known: {"values": known.values[:, 1:]},
        lambda known: {"scores": known.scores[:, 1:]},
        lambda known: {"values": known.values * np.nan},
        lambda known: {"total": COUNT + 1},
        lambda known: {"total": 0},
        lambda known: {"key": "0" * 64},
    ],
)
def test_features_with_numbers_that_cannot_be_are_read_again(tmp_path: Path, changes: Any) -> None:
    changed(Features, read, tmp_path, changes)


def changed(kind: type[Cached], compute: Any, folder: Path, changes: Any) -> None:
    expected = compute(network(), images(), folder)
    [own] = folder.iterdir()
    known = kind.load(own)
    replace(known, **changes(known)).save(own)
    check(compute, own, expected)
