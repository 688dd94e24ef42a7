"""What all tests need."""

import gc
from collections.abc import Iterable, Iterator
from functools import lru_cache
from unittest.mock import patch

import pytest
import torch

from xwidgets.images import scenes


@pytest.fixture(autouse=True, scope="session")
def collected_fast() -> Iterator[None]:
    """Collections of garbage leave out what was there before the tests, such as all of torch."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True, scope="session")
def drawn_once() -> Iterator[None]:
    """The same scenes are painted once in a process, however many tests draw them."""
    kept = lru_cache(maxsize=8)(scenes.draw)

    def draw(
        kind: str, seeds: Iterable[int], size: int = 64, incomplete: float = 0.0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        images, labels = kept(kind, tuple(seeds), size, incomplete)
        return images.clone(), labels.clone()

    with patch.object(scenes, "draw", draw):
        yield
