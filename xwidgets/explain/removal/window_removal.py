"""Windows of an image, removed one after the other, and what that does to nodes.

Windows are visited in sweeps: first some that cover the picture, then each one with its first
sample, then each with its second ... up to S. The randomness of a sample depends only on the seed,
the window's corner and the sample's number, so neither order, batches nor cancelling change it.

The first batch runs whole forwards, which need no set-up, so that first colours come at once; from
then on only what a window can change is computed again, which is exact. Devices that are faster so
multiply these differences in bfloat16, as ``products`` of the result says; that moved maps by
half a hundredth of their spread, and a comparison with plain forwards watches over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from xwidgets.explain.method import MapMethod
from xwidgets.explain.nodes import Nodes
from xwidgets.explain.tally import Tally
from xwidgets.incremental import IncrementalInference, WholeInference
from xwidgets.networks.subject import Subject, finite
from xwidgets.networks.target import Resolved
from xwidgets.results import Relevance

from .windows import WindowGrid

Draw = Callable[[Tensor, Sequence[np.random.Generator]], Tensor]


class WindowRemoval:
    """A run that removes windows, for a method that gives a map of what each target loses.

    Args:
        method: whose results are made.
        subject, targets: what it explains.
        nodes: the targets, as they are read off the network.
        grid: the windows.
        draw: gives contents ``(n, C, h, w)`` for corners ``(n, 2)`` and a source of randomness
            for each.
        samples: S, how many contents each window is filled with.
        seed: of the contents and of the order of the windows.
        memory: of a batch, in bytes.
    """

    def __init__(
        self,
        method: MapMethod,
        subject: Subject,
        targets: Sequence[Resolved],
        nodes: Nodes,
        grid: WindowGrid,
        draw: Draw,
        samples: int = 1,
        seed: int = 0,
        memory: float | None = None,
    ) -> None:
        self._method, self._subject, self._targets = method, subject, targets
        self._nodes, self._grid, self._draw = nodes, grid, draw
        self._samples, self._seed = samples, seed
        self._tally = Tally(len(grid), len(targets))
        self._first = WholeInference(subject.net, subject.pixels, grid.window, memory, nodes.read)
        self._note, self._products = "", subject.net.dtype

    def steps(self) -> Iterator[None]:
        """Remove a batch of windows in each step."""
        inference: WholeInference | IncrementalInference | None = None
        for sample, windows in self._grid.sweeps(self._samples, self._seed):
            while len(windows):
                inference = self._first if inference is None else self._faster(inference)
                batch, windows = windows[: inference.batch], windows[inference.batch :]
                corners = self._grid.corners[batch]
                outputs = inference.outputs(corners, self._draw(corners, self._rngs(batch, sample)))
                values = self._nodes.values(finite(self._subject.net, outputs))
                self._tally.add(batch, values)
                yield

    def results(self) -> list[Relevance]:
        """What is known so far of each target."""
        tally, grid = self._tally, self._grid
        drawn = tally.count > 0
        lost = torch.where(drawn[:, None], self._nodes.lost(tally.mean), torch.nan)
        errors = self._errors(drawn) if self._samples > 1 else [None] * len(self._targets)
        return [
            self._method.relevance(
                self._subject,
                target,
                grid.spread(lost[:, node]),
                unit=self._nodes.unit,
                signed=self._nodes.signed,
                completed=float(tally.count.sum()) / (self._samples * len(grid)),
                standard_error=errors[node],
                note=self._note,
                products=str(self._products).removeprefix("torch."),
            )
            for node, target in enumerate(self._targets)
        ]

    def _errors(self, drawn: Tensor) -> list[np.ndarray | None]:
        """Standard errors of a mean over the windows at a pixel, each a mean over its samples.

        A window with one sample is taken to vary as the others do.
        """
        tally, grid = self._tally, self._grid
        variances = tally.variance * self._nodes.slope(tally.mean) ** 2
        share = grid.spread(1 / tally.count) / grid.covering(drawn)
        return [
            (grid.spread(variance).clamp_min(0) * share).sqrt().float().numpy()
            for variance in variances.T
        ]

    def _faster(
        self, inference: WholeInference | IncrementalInference
    ) -> WholeInference | IncrementalInference:
        """Differences, once something is to be seen."""
        if inference is self._first:
            inference = IncrementalInference(self._first)
            self._note = inference.note
            self._products = inference.products
        return inference

    def _rngs(self, windows: Tensor, sample: int) -> list[np.random.Generator]:
        """The sources of the n-th sample of windows, by their corners, whatever the stride."""
        width = self._subject.image.shape[2]
        return [
            np.random.Generator(
                np.random.Philox(key=self._seed, counter=[0, 0, sample, top * width + left])
            )
            for top, left in self._grid.corners[windows].tolist()
        ]
