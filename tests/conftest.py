"""What all tests need."""

import gc
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache, partial
from unittest.mock import patch

import pytest
import torch

from xwidgets import Network
from xwidgets.explain.removal import samplers
from xwidgets.images import scenes
from xwidgets.networks import embedded


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


@pytest.fixture(autouse=True, scope="session")
def fitted_once() -> Iterator[None]:
    """The sampler of an embedded network is fitted once in a process."""
    fit = samplers.default_sampler
    fitted = cache(lambda name: fit(embedded.embedded(name)))

    def shared(net: Network) -> samplers.Sampler:
        match getattr(net.examples, "__wrapped__", None):
            case partial(func=embedded._scenes, args=(name,)) if net.sampler is None:
                net.sampler = fitted(name)
        return fit(net)

    with patch.object(samplers, "default_sampler", shared):
        yield
