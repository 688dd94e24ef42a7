"""Relevance of the units of a hidden layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from xwidgets.aliases import formerly

from . import numbers, render
from .facts import limits
from .result import Result, versions


@formerly(network="network_name")
@dataclass(frozen=True, eq=False, repr=False)
class UnitRelevance(Result):
    """Relevance of every unit of a layer for (positive) or against (negative) a node.

    Attributes:
        values: float32 ``(C, h, w)``, or ``(C,)`` for a layer without maps, in ``unit``. NaN where
            a partial result knows nothing yet.
        standard_error: float32 of the same shape, as of :class:`xwidgets.Relevance`.
        image: the picture, 8-bit ``(H, W, 3)``.
        layer: name of the layer whose units are removed.
        unit: such as ``"bits"``.
        network_name: name of the network.
        target: class index or channel of the node, and ``label`` its name.
        parameters: other parameters of the method, the seed among them.
        completed: share of the work behind ``values``; below 1 for a partial result.
        note: a sentence on a limitation of the computation; else "".
        compute_dtype: type of the multiplications, such as ``"float32"``; "" where not recorded.
        versions: of the packages that computed it.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> result = xw.unit_relevance(xw.network("birds"), scene.image, "features.28", samples=1)
        >>> result.values.shape, list(result.frame().columns)
        ((128, 4, 4), ['layer', 'channel', 'value', 'rank', 'known'])
    """

    values: NDArray[np.float32] = field(metadata=limits("C h w | C", gaps=True))
    standard_error: NDArray[np.float32] = field(metadata=limits("C h w | C", least=0, gaps=True))
    image: NDArray[np.uint8] = field(metadata=limits("H W 3"))
    layer: str
    unit: str
    network_name: str
    target: int
    label: str
    parameters: Mapping[str, Any]
    completed: float = field(default=1.0, metadata=limits(least=0, most=1))
    note: str = ""
    compute_dtype: str = ""
    versions: Mapping[str, str] = field(default_factory=versions)

    @property
    def title(self) -> str:
        """One-line description."""
        share = "" if self.completed >= 1 else f", {numbers.percent(self.completed)} computed"
        return (
            f"units of {self.layer} for {self.label!r} ({self.network_name}), in {self.unit}{share}"
        )

    def frame(self) -> pd.DataFrame:
        """Table of channels: layer, channel, value, rank and known.

        The value is the sum over the channel's units; rank 1 is the largest.

        In a partial result, the sum is over the units known so far, which are the share ``known``
        of the channel's; without any, value and rank are missing.
        """
        units = pd.DataFrame(self.values.reshape(self.values.shape[0], -1))
        frame = units.sum(axis=1, min_count=1).to_frame("value")
        frame.insert(0, "channel", frame.index)
        frame.insert(0, "layer", self.layer)
        frame["rank"] = frame["value"].rank(ascending=False, method="first").astype("Int64")
        frame["known"] = units.notna().mean(axis=1)
        return frame

    def png(self) -> bytes:
        """PNG file of the sum over channels, at the places of the units, over the picture.

        A unit covers its place in the map, not its receptive field. Of a layer without maps, the
        file shows the picture alone.
        """
        height, width = self.image.shape[:2]
        if self.values.ndim == 1:
            return render.png(self.image)
        total = Image.fromarray(np.nansum(self.values, axis=0, dtype=np.float32))
        resized = np.asarray(total.resize((width, height), Image.Resampling.NEAREST))
        return render.png(render.overlay(self.image, resized))

    def _repr_png_(self) -> bytes:
        return self.png()

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.values.shape))
        return f"<UnitRelevance {shape}: {self.title}>"
