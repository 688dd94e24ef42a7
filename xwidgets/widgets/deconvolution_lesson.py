"""Convolution as a matrix, and what goes back from its outputs, to take apart by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import traitlets
from numpy.typing import ArrayLike

from xwidgets.errors import of_kind, unknown
from xwidgets.lessons import Convolution1d
from xwidgets.live.traits import Whole

from .number_table import html_table, short
from .view import View

PARTS = ("matrix", "transpose", "reconstruction", "sub-pixel")
LONGEST_FILTER, LONGEST_SIGNAL, LARGEST_STRIDE, STEPS = 8, 16, 8, 6
BUMP = (0, 1, 3, 4, 4, 3, 1, 0)


class DeconvolutionLesson(View, module="deconvolution_lesson.mjs"):
    """Convolution of a short signal in four parts, which a person can change and walk through.

    ``"matrix"`` shows y = W x; point at a row, or go there with the arrow keys, for the window
    that it reads. ``"transpose"`` shows Wᵀ y, ``"reconstruction"`` W Wᵀ and what transpose and
    pseudo-inverse make of y, ``"sub-pixel"`` how Wᵀ y becomes a convolution of stride 1. The
    numbers are computed in the browser, as :class:`xwidgets.lessons.Convolution1d` computes them,
    so that an exported page answers too.

    Args:
        convolution: at first; by default that of the cs230 lecture notes, with the filter
            (-1, 0, 0, 1), stride 2 and padding 2. At most 8 weights and stride 8.
        signal: 1 to 16 numbers.
        part: which is shown first.

    Attributes:
        setting: filter, stride, padding and signal, as a dict; follows the browser.
        part: shown part.
        row: row of the matrix that is highlighted, from 0.
        step: of the sub-pixel trick, from 0 to 5.

    Raises:
        ValueError: for what is no such convolution, signal or part, or a signal that is shorter
            than the filter with its padding.

    Example:
        >>> lesson = DeconvolutionLesson(part="transpose")
        >>> lesson.convolution
        Convolution1d(filter=(-1.0, 0.0, 0.0, 1.0), stride=2, padding=2)
        >>> lesson.convolution = Convolution1d((1, 2, 1))
        >>> lesson.setting["filter"]
        [1.0, 2.0, 1.0]
    """

    setting = traitlets.Dict().tag(sync=True)
    part = traitlets.Unicode("matrix").tag(sync=True)
    row = Whole(0).tag(sync=True)
    step = Whole(0).tag(sync=True)

    def __init__(
        self,
        convolution: Convolution1d | None = None,
        signal: Sequence[float] | ArrayLike = BUMP,
        part: str = "matrix",
    ) -> None:
        if convolution is None:
            convolution = Convolution1d((-1, 0, 0, 1), stride=2, padding=2)
        of_kind("part", part, str, "the name of a part")
        super().__init__(setting=_setting(convolution, signal), part=part)

    @property
    def convolution(self) -> Convolution1d:
        """Shown convolution; can be set."""
        return _convolution(self.setting)

    @convolution.setter
    def convolution(self, convolution: Convolution1d) -> None:
        self.setting = _setting(convolution, self.setting["signal"])

    @property
    def signal(self) -> list[float]:
        """Shown signal; can be set."""
        return list(self.setting["signal"])

    @signal.setter
    def signal(self, signal: Sequence[float] | ArrayLike) -> None:
        self.setting = _setting(self.convolution, signal)

    def about(self) -> list[str]:
        """Title of a page, and what can be done on it."""
        return [
            "Deconvolution by hand",
            "Change filter, stride, padding and signal; point at a row, or use the arrow keys.",
        ]

    def preview(self) -> dict[str, str]:
        """The matrix between signal and outputs as a table, and what there is to know of it."""
        convolution, signal = self.convolution, self.signal
        matrix, outputs = convolution.matrix(len(signal)), convolution.convolve(signal)
        table = html_table(
            [["x", *map(short, convolution.padded(signal)), ""]]
            + [
                [f"row {row}", *map(short, weights), f"y = {short(output)}"]
                for row, (weights, output) in enumerate(zip(matrix, outputs, strict=True), 1)
            ],
            self._words(),
        )
        return {"text/html": table, "text/plain": self._words()}

    def _words(self) -> str:
        convolution, n = self.convolution, len(self.signal)
        rows, columns = convolution.matrix(n).shape
        scale = convolution.row_scale(n)
        weights = ", ".join(map(short, convolution.filter))
        relation = "is no multiple of I" if scale is None else f"= {short(scale)} I"
        return (
            f"convolution by ({weights}), stride {convolution.stride}, padding "
            f"{convolution.padding}, of {n} numbers: W is {rows} × {columns}, W Wᵀ {relation}"
        )

    @traitlets.validate("setting")
    def _possible(self, proposal: traitlets.Bunch) -> dict[str, Any]:
        setting = proposal.value
        return _setting(_convolution(setting), setting["signal"])

    @traitlets.validate("part")
    def _known(self, proposal: traitlets.Bunch) -> str:
        part: str = proposal.value
        if part not in PARTS:
            raise unknown("part", part, PARTS)
        return part

    @traitlets.validate("row", "step")
    def _within(self, proposal: traitlets.Bunch) -> int:
        most = STEPS - 1 if proposal.trait.name == "step" else None
        value: int = proposal.value
        if value < 0 or (most is not None and value > most):
            until = "or more" if most is None else f"to {most}"
            raise ValueError(f"{proposal.trait.name} is {value}, but must be 0 {until}")
        return value


def _convolution(setting: dict[str, Any]) -> Convolution1d:
    missing = {"filter", "stride", "padding", "signal"} - set(setting)
    if missing:
        raise ValueError(
            f"setting lacks {', '.join(sorted(missing))}; it is a dict of filter, stride, padding "
            "and signal"
        )
    return Convolution1d(setting["filter"], setting["stride"], setting["padding"])


def _setting(convolution: Convolution1d, signal: Sequence[float] | ArrayLike) -> dict[str, Any]:
    """State of the view, checked to be one that it can show."""
    of_kind("convolution", convolution, Convolution1d, "an xw.lessons.Convolution1d")
    padded = convolution.padded(signal)
    values = padded[convolution.padding : len(padded) - convolution.padding].tolist()
    convolution.outputs(len(values))
    for name, count, most in (
        ("weights of the filter", len(convolution.filter), LONGEST_FILTER),
        ("numbers of the signal", len(values), LONGEST_SIGNAL),
        ("steps of the stride", convolution.stride, LARGEST_STRIDE),
    ):
        if count > most:
            raise ValueError(f"there are {count} {name}, but the lesson shows at most {most}")
    return {
        "filter": list(convolution.filter),
        "stride": int(convolution.stride),
        "padding": int(convolution.padding),
        "signal": values,
    }
