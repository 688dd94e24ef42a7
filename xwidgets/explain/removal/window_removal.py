"""Removal of the windows of an image one after another, and its effect on nodes.

Windows are visited in sweeps: first some that cover the picture, then each one with its first
sample, then each with its second ... up to S. The random numbers of a sample depend only on the
seed, the window's corner and the sample's number, so neither order, batches nor cancelling change
it.

The first batch runs whole forwards, which need no set-up, so that a first map comes at once; from
then on only what a window can change is computed again, which is exact. Who asks for it gets these
differences multiplied in bfloat16, as ``compute_dtype`` of the result says; that moved maps by half
a hundredth of their spread, and a comparison with plain forwards watches over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from xwidgets.explain.method import MapMethod
from xwidgets.explain.nodes import Nodes
from xwidgets.explain.running_moments import RunningMoments
from xwidgets.explain.standard_errors import standard_errors
from xwidgets.incremental import IncrementalInference, WholeInference
from xwidgets.incremental.precision import ComputeDtype
from xwidgets.networks.subject import Subject, finite
from xwidgets.networks.target import Resolved
from xwidgets.results import Relevance

from .windows import WindowGrid

Draw = Callable[[Tensor, Sequence[np.random.Generator]], Tensor]


class WindowRemoval:
    """Run of a method that removes windows and maps the loss of each target.

    Args:
        method: makes the results.
        subject, targets: image in a network, and what is explained of it.
        nodes: the targets, as nodes of the network.
        grid: the windows.
        draw: takes corners ``(n, 2)`` and a random generator each; returns contents
            ``(n, C, h, w)``.
        samples: S, the number of contents that each window is filled with.
        seed: of the contents and of the order of the windows.
        memory: of a batch, in bytes.
        compute_dtype: to multiply differences in, as of :class:`IncrementalInference`.

    Attributes:
        nodes, grid: as given.
        moments: of the values of the nodes over the samples of each window.
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
        compute_dtype: ComputeDtype = "float32",
    ) -> None:
        self._method, self._subject, self._targets = method, subject, targets
        self.nodes, self.grid, self._draw = nodes, grid, draw
        self._samples, self._seed = samples, seed
        self.moments = RunningMoments(len(grid), len(targets))
        self._first = WholeInference(subject.net, subject.pixels, grid.window, memory, nodes.read)
        self._asked_dtype = compute_dtype
        self._note, self._compute_dtype = "", subject.net.dtype

    def steps(self) -> Iterator[None]:
        """Remove a batch of windows in each step."""
        inference: WholeInference | IncrementalInference | None = None
        for sample, windows in self.grid.sweeps(self._samples, self._seed):
            while len(windows):
                inference = self._first if inference is None else self._faster(inference)
                batch, windows = windows[: inference.batch], windows[inference.batch :]
                corners = self.grid.corners[batch]
                outputs = inference.outputs(corners, self._draw(corners, self._rngs(batch, sample)))
                values = self.nodes.values(finite(self._subject.net, outputs))
                self.moments.add(batch, values)
                yield

    def results(self) -> list[Relevance]:
        """Maps so far, one a target."""
        moments, grid = self.moments, self.grid
        drawn = moments.count > 0
        lost = torch.where(drawn[:, None], self.nodes.lost(moments.mean), torch.nan)
        errors = self._errors(drawn) if self._samples > 1 else [None] * len(self._targets)
        return [
            self._method.relevance(
                self._subject,
                target,
                grid.spread(lost[:, node]),
                unit=self.nodes.unit,
                signed=self.nodes.signed,
                completed=float(moments.count.sum()) / (self._samples * len(grid)),
                standard_error=errors[node],
                note="; ".join(filter(None, (self.nodes.note(node), self._note))),
                compute_dtype=str(self._compute_dtype).removeprefix("torch."),
            )
            for node, target in enumerate(self._targets)
        ]

    def _errors(self, drawn: Tensor) -> list[np.ndarray | None]:
        """Standard error at each pixel of the mean over its windows, one map a target.

        The variance of a window with one sample is taken to be that of the others. The degrees of
        freedom of their mean are those after Welch and Satterthwaite.
        """
        moments, grid = self.moments, self.grid
        several = moments.count > 1
        variances = (moments.variance * self.nodes.slope(moments.mean) ** 2).T.where(several, 0)
        windows, known = grid.covering(drawn), grid.covering(several)
        samples = windows / grid.total(torch.where(drawn, 1 / moments.count, 0))
        errors: list[np.ndarray | None] = []
        for variance in variances:
            total = grid.total(variance)
            uncertainty = grid.total(torch.where(several, variance**2 / (moments.count - 1), 0))
            maps = (total / known, total**2 / uncertainty, samples, windows)
            error = standard_errors(*(part.flatten() for part in maps))
            errors.append(error.view_as(total).float().numpy())
        return errors

    def _faster(
        self, inference: WholeInference | IncrementalInference
    ) -> WholeInference | IncrementalInference:
        """Incremental inference, from the second batch on."""
        if inference is self._first:
            inference = IncrementalInference(self._first, self._asked_dtype)
            self._note = inference.note
            self._compute_dtype = inference.compute_dtype
        return inference

    def _rngs(self, windows: Tensor, sample: int) -> list[np.random.Generator]:
        """Random generators of a sample of windows, by their corners, whatever the stride."""
        width = self._subject.image.shape[2]
        return [
            np.random.Generator(
                np.random.Philox(key=self._seed, counter=[0, 0, sample, top * width + left])
            )
            for top, left in self.grid.corners[windows].tolist()
        ]
