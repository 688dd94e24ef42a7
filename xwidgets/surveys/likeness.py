"""Likeness of maps: where they are strong, laid out in a plane so that like maps are neighbours."""

from __future__ import annotations

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

    Maps that come are placed among those that are there. Whenever there are twice as many, all are
    laid out anew from where they are, so that the picture changes little. Distances between groups
    and their sizes mean nothing; that maps are neighbours does.

    Attributes:
        places: ``(n, 2)``, of the maps so far; empty while there are fewer than twelve.

    Raises:
        ValueError: where openTSNE is missing.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> layout = Layout()
        >>> layout.add(reduced(rng.normal(size=(20, 8, 8))))
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

    def add(self, vectors: NDArray[np.float32]) -> None:
        """Place further maps.

        Args:
            vectors: ``(n, fields)``, as of :func:`reduced`, without NaN.
        """
        self._vectors.append(vectors)
        count = sum(map(len, self._vectors))
        if count >= FEWEST and count >= 2 * self._laid:
            self._lay(count)
        elif self._embedding is not None and len(vectors):
            self.places = np.concatenate([self.places, self._among(vectors)])

    def settle(self) -> None:
        """Lay all maps out anew, as when no more will come."""
        count = sum(map(len, self._vectors))
        if count >= FEWEST and count > self._laid:
            self._lay(count)

    def _among(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Places of maps among their neighbours of those that were laid out."""
        placed = self._embedding.prepare_partial(vectors @ self._axes, perplexity=5)
        return np.asarray(placed, np.float32)

    def _lay(self, count: int) -> None:
        vectors = np.concatenate(self._vectors)
        begun = self._begun(vectors)
        self._axes = np.linalg.eigh(np.cov(vectors.T))[1][:, -COMPONENTS:].astype(np.float32)
        components = vectors @ self._axes
        likeness = self._tsne.affinity.PerplexityBasedNN(
            components, perplexity=max(2, min(PERPLEXITY, count / 10)), random_state=0
        )
        first = _spread(components[:, :-3:-1]) if begun is None else begun
        embedding = self._tsne.TSNEEmbedding(first, likeness, random_state=0)
        if begun is None and count >= MANY:
            embedding.optimize(250, exaggeration=12, momentum=0.5, inplace=True)
        embedding.optimize(250, momentum=0.8, inplace=True)
        self._embedding, self._laid = embedding, count
        self.places = np.asarray(embedding, np.float32)

    def _begun(self, vectors: NDArray[np.float32]) -> NDArray[np.float64] | None:
        """Where a new layout begins; ``None`` for the first."""
        if self._embedding is None:
            return None
        missing = vectors[len(self.places) :]
        parts = [self.places, *([self._among(missing)] if len(missing) else [])]
        return np.concatenate(parts).astype(np.float64)


def _spread(components: NDArray[np.float32]) -> NDArray[np.float64]:
    """Close places to begin with, by two components; no two are the same."""
    centered = components - components.mean(axis=0)
    noise = np.random.default_rng(0).normal(size=centered.shape)
    places: NDArray[np.float64] = 1e-4 * (centered / (centered.std() or 1) + 0.01 * noise)
    return places
