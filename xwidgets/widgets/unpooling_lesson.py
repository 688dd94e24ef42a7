"""Max pooling and unpooling by its switches, to take apart by hand."""

from __future__ import annotations

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from xwidgets.lessons import MaxPool
from xwidgets.live.traits import Number, Whole

from .number_table import html_table, short
from .view import View

LONGEST = 12


class UnpoolingLesson(View, module="unpooling_lesson.mjs"):
    """Max pooling of a signal and of a map, and what unpooling makes of it by the switches.

    Point at an output, or go there with the arrow keys, for its window, its switch, and the place
    to which it is put back. The numbers are computed in the browser, as
    :class:`xwidgets.lessons.MaxPool` computes them, so that an exported page answers too.

    Args:
        signal: ``(n,)``, up to 12 numbers.
        map: ``(H, W)``, up to 12 × 12 numbers.
        window: side of the windows, at most that of the signal and of the map.
        stride: how far the window moves.

    Attributes:
        signal, map, window, stride: follow the browser.
        output: of the signal, the one that is highlighted, from 0.
        cell: of the map, row and column of the output that is highlighted.

    Raises:
        ValueError: for what cannot be pooled.

    Example:
        >>> lesson = UnpoolingLesson()
        >>> lesson.pool(lesson.signal).unpool()
        array([3., 0., 0., 7., 0., 5., 6., 0.])
    """

    signal = traitlets.List(Number()).tag(sync=True)
    map = traitlets.List(traitlets.List(Number())).tag(sync=True)
    window = Whole(2).tag(sync=True)
    stride = Whole(2).tag(sync=True)
    output = Whole(0).tag(sync=True)
    cell = traitlets.List(Whole(), [0, 0], minlen=2, maxlen=2).tag(sync=True)

    def __init__(
        self,
        signal: ArrayLike = (3, 1, 2, 7, 4, 5, 6, 2),
        map: ArrayLike = ((1, 3, 2, 1), (4, 2, 0, 5), (6, 1, 7, 2), (0, 2, 3, 8)),
        window: int = 2,
        stride: int = 2,
    ) -> None:
        self._check(signal, map, window, stride)
        super().__init__(
            signal=np.asarray(signal, float).tolist(),
            map=np.asarray(map, float).tolist(),
            window=window,
            stride=stride,
        )

    @property
    def pool(self) -> MaxPool:
        """Shown max pool."""
        return MaxPool(self.window, self.stride)

    def about(self) -> list[str]:
        """Title of a page, and what can be done on it."""
        return [
            "Unpooling by hand",
            "Point at an output, or use the arrow keys, for its window and its switch.",
        ]

    def preview(self) -> dict[str, str]:
        """The signal, its outputs and what is put back, as a table."""
        pooled = self.pool(self.signal)
        words = f"max pool of windows of {self.window}, stride {self.stride}, and its unpooling"
        rows = [["signal", *map(short, self.signal)], ["pooled", *map(short, pooled.values)]]
        table = html_table([*rows, ["unpooled", *map(short, pooled.unpool())]], words)
        return {"text/html": table, "text/plain": words}

    @traitlets.validate("signal", "map", "window", "stride")
    def _possible(self, proposal: traitlets.Bunch) -> object:
        state = {name: getattr(self, name) for name in ("signal", "map", "window", "stride")}
        self._check(**state | {proposal.trait.name: proposal.value})
        return proposal.value

    @staticmethod
    def _check(signal: ArrayLike, map: ArrayLike, window: int, stride: int) -> None:
        pool = MaxPool(window, stride)
        for name, values, dimensions in (("signal", signal, 1), ("map", map, 2)):
            try:
                numbers = np.asarray(values, float)
            except (TypeError, ValueError):
                numbers = np.zeros(())
            if numbers.ndim != dimensions or not 1 <= max(numbers.shape) <= LONGEST:
                shape = "(n,)" if dimensions == 1 else "(H, W)"
                raise ValueError(
                    f"{name} must be numbers of shape {shape}, at most {LONGEST} long and wide"
                )
            pool(numbers)
        if stride < 1:
            raise ValueError(f"stride is {stride!r}, but must be a whole number of at least 1")
