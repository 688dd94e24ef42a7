"""Occlusion sensitivity: change of the score with a rectangle of one colour at every place.

Zeiler & Fergus (2014); cs230. For every place of the rectangle, a window w of the image x,

    score(x) - score(x with w of one colour)         ("difference", before softmax)
    p(c | x) - p(c | x with w of one colour)         ("drop")
    p(c | x with w of one colour)                    ("probability")

and the value of a pixel is the mean over the windows that it lies in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from torch import Tensor

from xwidgets.errors import at_least, number
from xwidgets.incremental.precision import ComputeDtype
from xwidgets.networks import Network
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Resolved, Target
from xwidgets.results import Relevance

from ._parameter import compute_dtype_parameter, front, memory_parameter, parameter
from .method import MapMethod
from .nodes import MEASURES, nodes_of
from .removal.samplers import ConstantSampler
from .removal.window_removal import WindowRemoval
from .removal.windows import WindowGrid, check_windows, qualities

Measure = Literal["difference", "drop", "probability"]


def _check_window(name: str, value: Any) -> None:
    sides = value if isinstance(value, tuple) else (value, value)
    if len(sides) != 2:
        raise ValueError(f"{name} is {value!r}, but must be a side or (height, width) in pixels")
    for side in sides:
        at_least(name, side, 1)


def _check_value(name: str, value: Any) -> None:
    for channel in value if isinstance(value, tuple) else (value,):
        number(name, channel, lambda x: 0 <= x <= 1, "from 0 to 1, or one for each channel")


@dataclass(frozen=True)
class Occlusion(MapMethod):
    """Occlusion sensitivity (Zeiler & Fergus 2014) to a rectangle at every place.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> Occlusion(window=(8, 16), stride=4, measure="drop").run(net, scene.image)
        <Relevance 64 x 64: occlusion for ..., in probability>
    """

    window: int | tuple[int, int] = parameter(
        8,
        "side of the rectangle in pixels, or its (height, width)",
        least=lambda method, subject: method.stride,
        most=lambda method, subject: min(subject.image.shape[1:]),
        check=_check_window,
        label="Window",
        unit="pixels",
        sides=lambda method, subject: subject.image.shape[1:],
    )
    stride: int = parameter(
        1,
        "distance of neighbouring places, at most the shorter side; the last of a row or column "
        "always ends at the border",
        least=1,
    )
    value: float | tuple[float, ...] = parameter(
        0.5,
        "of its pixels, one number for all channels or one a channel, from 0 to 1",
        least=0,
        most=1,
        check=_check_value,
        label="Colour",
        step=0.05,
    )
    measure: Measure = parameter(
        "difference",
        'of classes, what the score before softmax loses (``"difference"``), what the probability '
        'loses (``"drop"``), or the ``"probability"`` itself with the rectangle there',
        choices=("difference", "drop", "probability"),
        label="Measure",
    )
    memory: float | None = memory_parameter()
    compute_dtype: ComputeDtype = compute_dtype_parameter()

    name = "occlusion"
    asks = "What does the class lose, or keep, with a plain rectangle over each place?"
    cost = (
        "A pass for each place of the rectangle, of only what that changes: some 47,000 in a "
        "picture of 224 x 224 pixels, 1/16 of them with a stride of 4."
    )

    @property
    def unit(self) -> str:
        """Unit of the values of its results for a class."""
        return MEASURES[self.measure].unit

    @property
    def signed(self) -> bool:
        """Whether the values for a class can be negative; the remaining probability cannot."""
        return self.measure != "probability"

    @property
    def qualities(self) -> dict[str, dict[str, int]]:
        """Parameters of a "quick", a "normal" and a "fine" map."""
        return qualities(self.window)

    def suited(self, subject: Subject) -> Self:
        """Copy whose rectangle is not larger than the picture."""
        height, width = subject.image.shape[1:]
        if isinstance(self.window, tuple):
            return replace(self, window=(min(self.window[0], height), min(self.window[1], width)))
        return replace(self, window=min(self.window, height, width))

    def check(self, subject: Subject, targets: Sequence[Resolved]) -> None:
        """Check that the rectangle fits into the image, covers it, and has a valid colour."""
        check_windows(self.window, self.stride, subject.image.shape[1:])
        ConstantSampler(self.value).content(subject.image)

    def begin(self, subject: Subject, targets: Sequence[Resolved]) -> WindowRemoval:
        """Prepare to move the rectangle."""
        pixels = subject.pixels
        _, height, width = pixels.shape
        grid = WindowGrid(height, width, self.window, int(self.stride))
        content = ConstantSampler(self.value).content(pixels).expand(-1, *grid.window)

        def draw(corners: Tensor, rngs: Sequence[np.random.Generator]) -> Tensor:
            return content.expand(len(corners), -1, -1, -1)

        nodes = nodes_of(subject, targets, self.measure)
        return WindowRemoval(
            self,
            subject,
            targets,
            nodes,
            grid,
            lambda: draw,
            memory=self.memory,
            compute_dtype=self.compute_dtype,
        )


@front(Occlusion)
def occlusion(
    net: Network,
    image: object,
    target: Target = None,
    window: int | tuple[int, int] = 8,
    stride: int = 1,
    value: float | tuple[float, ...] = 0.5,
    measure: Measure = "difference",
    memory: float | None = None,
    compute_dtype: ComputeDtype = "float32",
) -> Relevance:
    """Map of the change of a score with a rectangle of one colour at every place.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1]; or a picture, as
            :class:`xwidgets.Network` says.
        target: class index or name, ``None`` for the class with the highest score; or an
            :class:`xwidgets.Channel` or :class:`xwidgets.Unit` of a layer, whose activation takes
            the place of the score.

    Returns:
        The map: at each pixel, the mean over the places of the rectangle that cover it.

    Raises:
        ValueError: for an invalid image, class, rectangle or other argument.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> occlusion(net, scene.image, window=8, stride=4).unit
        'logits'
    """
    method = Occlusion(window, stride, value, measure, memory, compute_dtype)
    return method.run(net, image, target)


@front(Occlusion)
def occlusion_steps(
    net: Network,
    image: object,
    target: Target = None,
    window: int | tuple[int, int] = 8,
    stride: int = 1,
    value: float | tuple[float, ...] = 0.5,
    measure: Measure = "difference",
    memory: float | None = None,
    compute_dtype: ComputeDtype = "float32",
) -> Iterator[Relevance]:
    """Yield the result of :func:`occlusion` as it grows, one step a batch.

    Args:
        net, image, target: as of :func:`occlusion`.

    Yields:
        The map so far, NaN where the rectangle has not been. The last is that of :func:`occlusion`.

    Example:
        >>> import xwidgets as xw
        >>> steps = occlusion_steps(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> next(steps).completed < 0.1
        True
        >>> steps.close()
    """
    method = Occlusion(window, stride, value, measure, memory, compute_dtype)
    return method.steps(net, image, target)
