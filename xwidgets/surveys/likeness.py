"""Likeness of maps: where they are strong, laid out in a plane so that like maps are neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xwidgets.extras import needed

from .folder import EXTRA

SIDE = 16
"""Rows and columns of a map when maps are compared."""

COMPONENTS = 50
"""Number of principal components by which neighbours are looked for, at most."""

FEWEST = 12
"""Number of maps from which on they are laid out."""

PERPLEXITY = 30
"""Number of neighbours that count for each map, roughly; a tenth of fewer than 300 maps."""

MANY = 300
"""Number of maps from which on they are drawn together before they are spread out; fewer would end
in one point."""

ITERATIONS, A_STEP = 250, 25
"""Iterations of a layout, and of a step of it."""


def reduced(maps: NDArray[np.floating], side: int = SIDE) -> NDArray[np.float32]:
    """Maps as unit vectors, by which they are compared: their dot product is the likeness.

    Each map is averaged over ``side x side`` fields of equal size and divided by its length, so
    that neither its strength nor its unit counts, but where it speaks for and against a class.

    Args:
        maps: ``(N, H, W)``.
        side: number of fields across and down, at most the smaller side of a map.

    Returns:
        ``(N, fields)``. Maps with NaN, and maps that are zero, are NaN.

    Example:
        >>> left, right = np.zeros((2, 32, 32))
        >>> left[4:9, :5] = 2
        >>> right[4:9, -5:] = 1
        >>> vectors = reduced(np.stack([left, left / 7, right]))
        >>> (vectors @ vectors.T).round(2).tolist()[0]
        [1.0, 1.0, 0.0]
    """
    _, height, width = maps.shape
    fields = np.asarray(maps, np.float64)
    for axis, length in ((1, height), (2, width)):
        fields = _means(fields, axis, min(side, length))
    vectors = fields.reshape(len(maps), fields.shape[1] * fields.shape[2])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (vectors / np.where(lengths > 0, lengths, np.nan)).astype(np.float32)


def _means(values: NDArray[np.float64], axis: int, parts: int) -> NDArray[np.float64]:
    """Means over parts of an axis, of equal length but for rounding."""
    edges = np.linspace(0, values.shape[axis], parts + 1).round().astype(int)
    sums: NDArray[np.float64] = np.add.reduceat(values, edges[:-1], axis)
    shape = [1] * values.ndim
    shape[axis] = parts
    return sums / np.diff(edges).reshape(shape)


class Layout:
    """Places of maps in a plane that grows with them, by t-SNE of their principal components.

    Maps that come are placed among those that are there. A new layout begins where they are, so
    that the picture changes little. Distances between groups and their sizes mean nothing; that
    maps are neighbours does.

    Attributes:
        places: ``(n, 2)``, of the maps so far; empty before the first layout.

    Raises:
        ValueError: where openTSNE is missing.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> layout = Layout()
        >>> layout.add(reduced(rng.normal(size=(20, 8, 8))))
        >>> for _ in layout.steps():
        ...     pass
        >>> layout.places.shape
        (20, 2)
    """

    def __init__(self) -> None:
        self._tsne: Any = needed("openTSNE", EXTRA)
        self.places: NDArray[np.float32] = np.zeros((0, 2), np.float32)
        self._vectors: list[NDArray[np.float32]] = []
        self._laid = 0
        self._embedding: Any = None
        self._axes: Any = None

    @property
    def is_due(self) -> bool:
        """Whether there are twice as many maps as were laid out, and enough of them."""
        return self._count >= max(FEWEST, 2 * self._laid)

    @property
    def is_behind(self) -> bool:
        """Whether there are maps that were not laid out, and enough of them."""
        return self._count >= FEWEST and self._count > self._laid

    def add(self, vectors: NDArray[np.float32]) -> None:
        """Place further maps among those that were laid out; before that, they have no place.

        Args:
            vectors: ``(n, fields)``, as of :func:`reduced`, without NaN.
        """
        self._vectors.append(vectors)
        if self._embedding is not None and len(vectors):
            self.places = np.concatenate([self.places, self._among(vectors)])

    def steps(self) -> Iterator[None]:
        """Lay all maps out, from where they are; :attr:`places` changes with each step."""
        vectors = np.concatenate(self._vectors)
        first = len(self.places) == 0
        covariance = np.atleast_2d(np.cov(vectors.T))
        self._axes = np.linalg.eigh(covariance)[1][:, -COMPONENTS:].astype(np.float32)
        components = vectors @ self._axes
        yield
        likeness = self._tsne.affinity.PerplexityBasedNN(
            components, perplexity=max(2, min(PERPLEXITY, len(vectors) / 10)), random_state=0
        )
        begun = _spread(components[:, :-3:-1]) if first else self.places.astype(np.float64)
        self._embedding = self._tsne.TSNEEmbedding(begun, likeness, random_state=0)
        self._laid = len(vectors)
        together = {"exaggeration": 12, "momentum": 0.5}
        apart = {"momentum": 0.8}
        for how in ([together] if first and len(vectors) >= MANY else []) + [apart]:
            for _ in range(ITERATIONS // A_STEP):
                self._embedding.optimize(A_STEP, inplace=True, **how)
                self.places = np.asarray(self._embedding, np.float32)
                yield

    @property
    def _count(self) -> int:
        return sum(map(len, self._vectors))

    def _among(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Places of maps among their neighbours of those that were laid out."""
        placed = self._embedding.prepare_partial(vectors @ self._axes, perplexity=5)
        return np.asarray(placed, np.float32)


def _spread(components: NDArray[np.float32]) -> NDArray[np.float64]:
    """Close places to begin with, by two components; no two are the same."""
    centered = components - components.mean(axis=0)
    centered = np.pad(centered, ((0, 0), (0, 2 - centered.shape[1])))
    noise = np.random.default_rng(0).normal(size=centered.shape)
    places: NDArray[np.float64] = 1e-4 * (centered / (centered.std() or 1) + 0.01 * noise)
    return places
