"""Prediction difference analysis: how a node changes when a window of the image is unknown.

Algorithm 1 of Zintgraf et al. (2016), with its two misprints mended (relevance is added up over
windows, and the sum over samples is divided by S). For every window w of k x k pixels

    p(c | x \\ w) = 1/S sum_s p(c | x with w replaced by a sample of p(w | rest))     (2, 6)
    WE_w         = log2 odds(c | x) - log2 odds(c | x \\ w)                           (4, 5)

where p <- (p N + 1) / (N + K) keeps the odds finite. For nodes other than class probabilities the
difference is that of their values (7 to 9). The relevance of a pixel is the mean of WE_w over the
windows it lies in.

Windows are visited in sweeps: first some that cover the picture, then each one with its first
sample, then each with its second ... up to S. The randomness of a sample depends only on the seed,
the window's corner and the sample's number, so neither order, batches nor cancelling change it.

The first batch runs whole forwards, which need no set-up, so that first colours come at once; from
then on only what a window can change is computed again, which is exact. Devices that are faster so
multiply these differences in bfloat16, as ``products`` of the result says; that moved maps by
half a hundredth of their spread, and a comparison with plain forwards watches over it.
"""

import time
from collections.abc import Iterator, Sequence
from math import inf
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xwidgets.errors import a_seed, at_least, number
from xwidgets.images import picture
from xwidgets.incremental import IncrementalInference, WholeInference
from xwidgets.networks import Network
from xwidgets.networks.network import image_for
from xwidgets.results import Relevance

from .nodes import Measure, Target, finite, nodes_of
from .samplers import Sampler, own_sampler
from .tally import Tally
from .windows import WindowGrid


def prediction_difference(
    net: Network,
    image: object,
    target: Target = None,
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
) -> Relevance:
    """Relevance of every pixel by prediction difference analysis (Zintgraf et al. 2016).

    Args:
        net: the classifier.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1].
        target: class index or name; ``None`` for the class with the highest score. With a
            ``layer``, a channel, whose feature map is explained (the mean over its units), or
            ``(channel, row, column)`` for a single unit; ``None`` for the most active channel.
        window: k, the side of the windows that are removed, in pixels.
        sampler: fills the windows; ``None`` for the network's own conditional Gaussian.
        samples: S, how many contents each window is filled with.
        stride: distance of neighbouring windows, at most ``window``. The last window of a row or
            column always ends at the border, so that every pixel is covered.
        seed: of the random contents.
        measure: of classes, ``"evidence"`` is the difference of log2 odds, in bits;
            ``"difference"`` is that of the score before softmax (their equation 9).
        training_size: N of the Laplace correction, how many images the network was trained on;
            ``None`` for what the network says. K is the number of classes, 2 for a single sigmoid.
        memory: roughly how many bytes a batch of perturbed images may take in the network; 0 for
            one at a time. ``None`` for 48 MB on a processor, which stay in its cache and make
            cancelling prompt, and a quarter of the free memory of a GPU.
        layer: name, or number of a convolution, of the layer that ``target`` is of; its
            activations are those behind the batch norm and rectifier that directly follow it.
        seconds: from the call on, after which the map is returned as it is by then, at the end of a
            batch; ``None`` for the complete one.

    Returns:
        The map, positive where a pixel speaks for the node, and its standard error. Evidence is a
        curved function of the mean over samples, and its error a first-order one: with fewer than
        some ten samples a map of it is drawn towards zero, and its error can be half of the true
        one. With ``measure="difference"`` both are unbiased.

    Raises:
        ValueError: for an image, class, window or other argument that cannot be; in a sentence.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> xw.prediction_difference(net, scene.image, samples=1, stride=5)
        <Relevance 64 x 64: prediction difference for ...>
        >>> map5 = xw.prediction_difference(net, scene.image, 5, samples=1, stride=5, layer=3)
        >>> map5.unit
        'activation'
    """
    (relevance,) = prediction_difference_each(
        net, image, [target], window, sampler, samples, stride, seed, measure, training_size,
        memory, layer, seconds,
    )  # fmt: skip
    return relevance


def prediction_difference_each(
    net: Network,
    image: object,
    targets: Sequence[Target],
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
) -> list[Relevance]:
    """The maps of several nodes, for little more than the price of one.

    The arguments are those of :func:`prediction_difference`; all targets are of one kind: classes,
    channels, or units at the same place of a layer.

    Returns:
        A map for each of ``targets``.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> maps = prediction_difference_each(net, scene.image, [6, 7], samples=1, stride=8)
        >>> [one.label for one in maps]
        ['Dune finch (speckled breast)', 'Dune finch (ruby breast)']
    """
    removal = _Removal(
        net, image, targets, window, sampler, samples, stride, seed, measure, training_size,
        memory, layer, seconds,
    )  # fmt: skip
    for _ in removal.steps():
        pass
    return removal.results()


def prediction_difference_steps(
    net: Network,
    image: object,
    target: Target = None,
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
) -> Iterator[Relevance]:
    """The result of :func:`prediction_difference` as it grows, one step a batch.

    The arguments are those of :func:`prediction_difference`, checked at once. Closing the generator
    cancels; nothing is computed between steps.

    Yields:
        The map so far, NaN where no window was computed yet; ``completed`` tells how far it is. The
        last one is what :func:`prediction_difference` returns.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> steps = prediction_difference_steps(xw.network("birds"), scene.image)
        >>> next(steps).completed < 0.02
        True
        >>> steps.close()
    """
    removal = _Removal(
        net, image, [target], window, sampler, samples, stride, seed, measure, training_size,
        memory, layer, seconds,
    )  # fmt: skip
    return (removal.results()[0] for _ in removal.steps())


class _Removal:
    """Windows of an image, removed one after the other, and what that does to nodes."""

    def __init__(
        self,
        net: Network,
        image: object,
        targets: Sequence[Target],
        window: int,
        sampler: Sampler | None,
        samples: int,
        stride: int,
        seed: int,
        measure: Measure,
        training_size: int | None,
        memory: float | None,
        layer: str | int | None,
        seconds: float | None,
    ) -> None:
        self._start = time.monotonic()
        self._net = net
        self._image = image_for(net, image).to(net.device, net.dtype)
        height, width = self._image.shape[1:]
        for name, value in {"samples": samples, "stride": stride, "window": window}.items():
            at_least(name, value, 1)
        if memory is not None:
            number("memory", memory, lambda size: 0 <= size < inf, "of bytes, at least 0")
        if seconds is not None:
            number("seconds", seconds, lambda time: time > 0, "above 0, or None for no limit")
        training_size = net.training_size if training_size is None else training_size
        if window > min(height, width):
            raise ValueError(
                f"window {window} is larger than the image of {height} x {width} pixels; "
                f"use a window of at most {min(height, width)}"
            )
        if stride > window:
            raise ValueError(
                f"stride {stride} is larger than window {window} and would leave pixels unseen; "
                f"use a stride of at most {window}"
            )
        self._window, self._samples, self._seed = int(window), int(samples), a_seed(seed)
        self._seconds = seconds
        self._nodes = nodes_of(net, self._image, targets, layer, measure, training_size)
        sampler = own_sampler(net) if sampler is None else sampler
        if isinstance(sampler, type) or not isinstance(sampler, Sampler):
            raise ValueError(
                f"sampler is a {type(sampler).__name__}, but must be one like "
                "xw.MarginalSampler(images) or xw.ConstantSampler(0.5)"
            )
        self._draw = sampler.given(self._image, self._window)
        self._grid = WindowGrid(height, width, self._window, int(stride))
        self._tally = Tally(len(self._grid), len(targets))
        self._first = WholeInference(net, self._image, self._window, memory, self._nodes.read)
        self._note, self._products = "", net.dtype
        self._parameters: dict[str, Any] = {
            "window": self._window,
            "sampler": repr(sampler),
            "samples": self._samples,
            "stride": int(stride),
            "seed": self._seed,
            "measure": measure,
            "training_size": int(training_size),
            **self._nodes.parameters,
        }

    def steps(self) -> Iterator[None]:
        """Remove a batch of windows in each step."""
        inference: WholeInference | IncrementalInference | None = None
        for sample, windows in self._grid.sweeps(self._samples, self._seed):
            while len(windows):
                inference = self._first if inference is None else self._faster(inference)
                batch, windows = windows[: inference.batch], windows[inference.batch :]
                corners = self._grid.corners[batch]
                outputs = inference.outputs(corners, self._draw(corners, self._rngs(batch, sample)))
                self._tally.add(batch, self._nodes.values(finite(self._net, outputs)))
                yield
                if self._seconds is not None and time.monotonic() - self._start >= self._seconds:
                    return

    def _faster(
        self, inference: WholeInference | IncrementalInference
    ) -> WholeInference | IncrementalInference:
        """Differences, once something is to be seen."""
        if inference is self._first:
            inference = IncrementalInference(self._first)
            self._note = inference.note
            self._products = inference.products
        return inference

    def results(self) -> list[Relevance]:
        """What is known so far of each node."""
        return [self._result(node) for node in range(len(self._nodes.indices))]

    def _result(self, node: int) -> Relevance:
        tally, grid = self._tally, self._grid
        drawn = tally.count > 0
        relevance = (self._nodes.whole - self._nodes.evidence(tally.mean))[:, node]
        error = None
        if self._samples > 1:
            # Of a mean over the windows at a pixel, each a mean over its own samples; a window
            # with one sample is taken to vary as the others do.
            variance = (tally.variance * self._nodes.slope(tally.mean) ** 2)[:, node]
            share = grid.spread(1 / tally.count) / grid.covering(drawn)
            error = (grid.spread(variance).clamp_min(0) * share).sqrt().float().numpy()
        return Relevance(
            values=grid.spread(torch.where(drawn, relevance, torch.nan)).float().numpy(),
            image=picture(self._image),
            unit=self._nodes.unit,
            method="prediction difference",
            network=self._net.name,
            target=self._nodes.indices[node],
            label=self._nodes.labels[node],
            parameters=self._parameters,
            completed=float(tally.count.sum()) / (self._samples * len(grid)),
            standard_error=error,
            note=self._note,
            products=str(self._products).removeprefix("torch."),
        )

    def _rngs(self, windows: Tensor, sample: int) -> list[np.random.Generator]:
        """The sources of the n-th sample of windows, by their corners, whatever the stride."""
        width = self._image.shape[2]
        return [
            np.random.Generator(
                np.random.Philox(key=self._seed, counter=[0, 0, sample, top * width + left])
            )
            for top, left in self._grid.corners[windows].tolist()
        ]
