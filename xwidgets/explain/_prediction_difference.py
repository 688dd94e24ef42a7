"""Prediction difference analysis: change of a node when a window of the image is unknown.

Algorithm 1 of Zintgraf et al. (2016), with its two misprints corrected (relevance is summed over
windows, and the sum over samples is divided by S). For every window w of k x k pixels

    p(c | x \\ w) = 1/S sum_s p(c | x with w replaced by a sample of p(w | rest))     (2, 6)
    WE_w         = log2 odds(c | x) - log2 odds(c | x \\ w)                           (4, 5)

where p <- (p N + 1) / (N + K) keeps the odds finite. For nodes other than class probabilities the
difference is that of their values (7 to 9). The relevance of a pixel is the mean of WE_w over the
windows it lies in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Self, get_args

from xwidgets.errors import at_least
from xwidgets.images.sampler import Sampler
from xwidgets.incremental.precision import ComputeDtype
from xwidgets.networks import Network
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Node, Resolved, in_layer
from xwidgets.results import Relevance

from ._parameter import (
    compute_dtype_parameter,
    front,
    memory_parameter,
    parameter,
    seed_parameter,
)
from .method import MapMethod, several
from .nodes import MEASURES, nodes_of, training_size_on
from .removal.samplers import drawing_bytes, sampler_on
from .removal.window_removal import Division, WindowRemoval
from .removal.windows import WindowGrid, check_windows, qualities

Measure = Literal["evidence", "difference"]


@dataclass(frozen=True)
class PredictionDifference(MapMethod):
    """Prediction difference analysis (Zintgraf et al. 2016) of every window of the image.

    A value and two standard errors above and below it are a 95 % interval, from two samples on.
    Evidence is a nonlinear function of the mean over samples, and its standard error is propagated
    to first order. Log odds are concave in a probability below a half and convex above: few samples
    draw the evidence of a window up where the class is left with less than a half without it, and
    down where with more. With ``measure="difference"`` there is no such bias.
    With ``division="spread"`` the same number of samples gives a map with a smaller error, the more
    so the fewer windows vary: each has two samples, and the others are divided by how much the
    values of neighbouring windows vary, never by the window's own samples, which would bias its
    mean. The result's ``samples`` tell how many each window had.
    Where a probability is so near 0 or 1 that the Laplace correction hides most of a change,
    evidence is flat by construction, and the note of the result says so.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> method = PredictionDifference(window=8, samples=1, stride=4)
        >>> method.run(net, scene.image)
        <Relevance 64 x 64: prediction difference for ...>
    """

    window: int = parameter(
        10,
        "k, the side of the windows that are removed, in pixels",
        least=lambda method, subject: method.stride,
        most=lambda method, subject: method.largest(subject),
        check=lambda name, value: at_least(name, value, 1),
        label="Window",
        unit="pixels",
    )
    sampler: Sampler | None = parameter(
        None,
        "fills the windows; ``None`` for the network's own conditional Gaussian",
        resolve=sampler_on,
    )
    samples: int = parameter(20, "S, how many contents each window is filled with", least=1)
    stride: int = parameter(
        1,
        "distance of neighbouring windows, at most ``window``; the last window of a row or column "
        "always ends at the border, so that every pixel is covered",
        least=1,
    )
    seed: int = seed_parameter("of the random contents")
    measure: Measure = parameter(
        "evidence",
        'of classes, ``"evidence"`` is the difference of log2 odds, in bits; ``"difference"`` is '
        "that of the score before softmax (their equation 9)",
        choices=("evidence", "difference"),
        label="Measure",
    )
    training_size: int | None = parameter(
        None,
        "N of the Laplace correction, how many images the network was trained on; ``None`` for "
        "what the network says. K is the number of classes, 2 for a single sigmoid",
        least=1,
        resolve=training_size_on,
    )
    memory: float | None = memory_parameter()
    compute_dtype: ComputeDtype = compute_dtype_parameter()
    division: Division = parameter(
        "even",
        'of the samples among windows: ``"even"``, S each, or ``"spread"``, two each and the '
        "others where neighbouring windows vary most, S a window on average",
        choices=get_args(Division),
    )

    name = "prediction difference"
    asks = (
        "How much speaks for the class in each window, beyond what the rest of the picture "
        "suggests there?"
    )
    cost = (
        "A pass for each sample of each window, of only what that changes: some 46,000 windows in "
        "a picture of 224 x 224 pixels, 1/16 of them with a stride of 4."
    )

    @property
    def unit(self) -> str:
        """Unit of the values of its results for a class."""
        return MEASURES[self.measure].unit

    def largest(self, subject: Subject) -> int:
        """Side of the largest window, in pixels, that can be removed from a subject's image."""
        return sampler_on(self.sampler, subject).largest(subject.pixels)

    @property
    def qualities(self) -> dict[str, dict[str, int]]:
        """Parameters of a "quick", a "normal" and a "fine" map."""
        return qualities(self.window, samples=(2, 10, 20))

    def suited(self, subject: Subject) -> Self:
        """Copy whose window is not larger than the picture and the sampler allow."""
        return replace(self, window=max(1, min(self.window, self.largest(subject))))

    def check(self, subject: Subject, targets: Sequence[Resolved]) -> None:
        """Check that the windows fit into the image and cover it."""
        check_windows(self.window, self.stride, subject.image.shape[1:])

    def begin(self, subject: Subject, targets: Sequence[Resolved]) -> WindowRemoval:
        """Prepare to remove windows."""
        assert self.sampler is not None
        assert self.training_size is not None
        window, pixels = int(self.window), subject.pixels
        _, height, width = pixels.shape
        return WindowRemoval(
            self,
            subject,
            targets,
            nodes_of(subject, targets, self.measure, int(self.training_size)),
            WindowGrid(height, width, window, int(self.stride)),
            partial(self.sampler.condition, pixels, window),
            int(self.samples),
            int(self.seed),
            self.memory,
            self.compute_dtype,
            self.division,
            drawing_bytes(self.sampler, window),
        )


@front(PredictionDifference)
def prediction_difference(
    net: Network,
    image: object,
    target: Node = None,
    window: int = 10,
    sampler: Sampler | None = None,
    samples: int = 20,
    stride: int = 1,
    seed: int = 0,
    measure: Measure = "evidence",
    training_size: int | None = None,
    memory: float | None = None,
    layer: str | int | None = None,
    seconds: float | None = None,
    compute_dtype: ComputeDtype = "float32",
    division: Division = "even",
) -> Relevance:
    """Relevance of every pixel by prediction difference analysis (Zintgraf et al. 2016).

    Args:
        net: the classifier.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1]; or a picture, as
            :class:`xwidgets.Network` says.
        target: class index or name; ``None`` for the class with the highest score. Or an
            :class:`xwidgets.Channel` or :class:`xwidgets.Unit` of a layer. With a ``layer``, a
            channel, whose feature map is explained (the mean over its units), or
            ``(channel, row, column)`` for a single unit; ``None`` for the most active channel.
        layer: name, or number of a convolution, of the layer that ``target`` is of; its
            activations are those behind the batch norm and rectifier that directly follow it.
        seconds: time limit from the call on, after which the map so far is returned, at the end of
            a batch; ``None`` for the complete map.

    Returns:
        The map, positive where a pixel speaks for the node, with its standard error; on their bias
        see :class:`xwidgets.PredictionDifference`.

    Raises:
        ValueError: for an invalid image, class, window or other argument.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> xw.prediction_difference(net, scene.image, samples=1, stride=5)
        <Relevance 64 x 64: prediction difference for ...>
        >>> map5 = xw.prediction_difference(net, scene.image, 5, samples=1, stride=5, layer=3)
        >>> map5.unit
        'activation'
    """
    method = PredictionDifference(
        window, sampler, samples, stride, seed, measure, training_size, memory, compute_dtype,
        division,
    )  # fmt: skip
    return method.run(net, image, in_layer(target, layer), seconds)


@front(PredictionDifference)
def prediction_difference_each(
    net: Network,
    image: object,
    targets: Sequence[Node],
    window: int = 10,
    sampler: Sampler | None = None,
    samples: int = 20,
    stride: int = 1,
    seed: int = 0,
    measure: Measure = "evidence",
    training_size: int | None = None,
    memory: float | None = None,
    layer: str | int | None = None,
    seconds: float | None = None,
    compute_dtype: ComputeDtype = "float32",
    division: Division = "even",
) -> list[Relevance]:
    """Relevance maps of several nodes from the same forwards, for little more than one costs.

    Args:
        net, image, layer, seconds: as of :func:`prediction_difference`.
        targets: all of one kind: classes, channels of one layer, or units at one place of one.

    Returns:
        A map for each of ``targets``, in their order.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> maps = prediction_difference_each(net, scene.image, [6, 7], samples=1, stride=8)
        >>> [relevance.label for relevance in maps]
        ['Dune finch (speckled breast)', 'Dune finch (ruby breast)']
    """
    method = PredictionDifference(
        window, sampler, samples, stride, seed, measure, training_size, memory, compute_dtype,
        division,
    )  # fmt: skip
    nodes = [in_layer(target, layer) for target in several(targets)]
    return method.run_each(net, image, nodes, seconds)


@front(PredictionDifference)
def prediction_difference_steps(
    net: Network,
    image: object,
    target: Node = None,
    window: int = 10,
    sampler: Sampler | None = None,
    samples: int = 20,
    stride: int = 1,
    seed: int = 0,
    measure: Measure = "evidence",
    training_size: int | None = None,
    memory: float | None = None,
    layer: str | int | None = None,
    seconds: float | None = None,
    compute_dtype: ComputeDtype = "float32",
    division: Division = "even",
) -> Iterator[Relevance]:
    """Yield the result of :func:`prediction_difference` as it grows, one step a batch.

    The arguments are checked at once. Closing the generator cancels; nothing is computed between
    steps.

    Args:
        net, image, target, layer, seconds: as of :func:`prediction_difference`.

    Yields:
        The map so far, NaN where no window was computed yet; ``completed`` is the share of the
        work. The last map is the result of :func:`prediction_difference`.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> steps = prediction_difference_steps(xw.network("birds"), scene.image)
        >>> next(steps).completed < 0.02
        True
        >>> steps.close()
    """
    method = PredictionDifference(
        window, sampler, samples, stride, seed, measure, training_size, memory, compute_dtype,
        division,
    )  # fmt: skip
    return method.steps(net, image, in_layer(target, layer), seconds)
