"""Removal of the windows of an image one after another, and its effect on nodes.

Windows are visited in sweeps whose first parts are spread over the picture: some that cover it,
then each one with its first sample, then each with its second ... up to S, or, where samples are
divided by the spread, up to the second, and then all at one pace to the end of their share. The
random numbers of a sample depend only on the seed, the window's corner and the sample's number, so
neither order, batches nor cancelling change it.

The first few windows run whole forwards, which need no set-up, so that a first map comes at once,
and all that cover the picture where they are few. From then on only what a window can change is
computed again, which is exact. Who asks for it gets these differences multiplied in bfloat16, as
``compute_dtype`` of the result says; that moved maps by half a hundredth of their spread, and a
comparison with plain forwards watches over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from xwidgets.explain.method import MapMethod
from xwidgets.explain.nodes import Nodes
from xwidgets.explain.running_moments import RunningMoments
from xwidgets.explain.standard_errors import standard_errors
from xwidgets.incremental import IncrementalInference, WholeInference
from xwidgets.incremental.free_memory import trim_heap
from xwidgets.incremental.precision import ComputeDtype
from xwidgets.networks.subject import Subject, finite
from xwidgets.networks.target import Resolved
from xwidgets.results import Relevance

from .division import PILOTS, further_samples, interleaved
from .windows import WindowGrid

Division = Literal["even", "spread"]
_FIRST = 4  # windows whose colours come at once
_FEW = 32  # windows that run whole in about the time that the set-up would take
Draw = Callable[[Tensor, Sequence[np.random.Generator]], Tensor]


class WindowRemoval:
    """Run of a method that removes windows and maps the loss of each target.

    Args:
        method: makes the results.
        subject, targets: image in a network, and what is explained of it.
        nodes: the targets, as nodes of the network.
        grid: the windows.
        prepared: returns a function that draws: it takes corners ``(n, 2)`` and a random generator
            each, and returns contents ``(n, C, h, w)``.
        samples: S, the mean number of contents that a window is filled with.
        seed: of the contents and of the order of the windows.
        memory: bytes that may be added, as of :class:`WholeInference`.
        compute_dtype: to multiply differences in, as of :class:`IncrementalInference`.
        division: of the samples among windows: each the same number, or as :mod:`.division` says.
        drawing_bytes: what drawing takes.

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
        prepared: Callable[[], Draw],
        samples: int = 1,
        seed: int = 0,
        memory: float | None = None,
        compute_dtype: ComputeDtype = "float32",
        division: Division = "even",
        drawing_bytes: float = 0,
    ) -> None:
        self._method, self._subject, self._targets = method, subject, targets
        self.nodes, self.grid = nodes, grid
        self._prepared = prepared
        self._draw: Draw | None = prepared()
        self._samples, self._seed = samples, seed
        self._divided = division == "spread" and samples > PILOTS
        self.moments = RunningMoments(len(grid), len(targets))
        net, held = subject.net, drawing_bytes + grid.map_bytes(len(targets))
        self._whole_count = len(grid.cover) if len(grid.cover) <= _FEW else 1
        self._first = WholeInference(net, subject.pixels, grid.window, memory, nodes.read, held)
        self._faster: IncrementalInference | None = None
        self._asked_dtype = compute_dtype
        self._note, self._compute_dtype = "", subject.net.dtype

    def steps(self) -> Iterator[None]:
        """Remove a batch of windows in each step."""
        for windows, samples in self._sweeps():
            while len(windows):
                count = self._step(windows, samples)
                windows, samples = windows[count:], samples[count:]
                yield

    def rest(self) -> None:
        """Free what the next step makes again."""
        self._draw = None
        if self._faster is not None:
            self._faster.rest()
        trim_heap()

    def further_samples(self) -> Tensor:
        """Number of samples ``(n,)`` of each window after the first ones, which must be there."""
        return further_samples(self._variances(), self.grid, self._samples - PILOTS)

    def results(self) -> list[Relevance]:
        """Maps so far, one a target."""
        moments, grid = self.moments, self.grid
        drawn = moments.count > 0
        lost = torch.where(drawn[:, None], self.nodes.lost(moments.mean), torch.nan)
        errors = self._errors(drawn) if self._samples > 1 else [None] * len(self._targets)
        samples = moments.count.int().view(grid.shape).numpy() if self._samples > 1 else None
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
                samples=samples,
            )
            for node, target in enumerate(self._targets)
        ]

    def _errors(self, drawn: Tensor) -> list[np.ndarray | None]:
        """Standard error at each pixel of the mean over its windows, one map a target.

        The variance of a window with one sample is taken to be that of the others. The degrees of
        freedom of their mean are those after Welch and Satterthwaite. Numbers of samples that
        follow the spread are not independent of the variances, and are averaged by them.
        """
        moments, grid = self.moments, self.grid
        several = moments.count > 1
        if not several.any():
            size = self._subject.image.shape[1:]
            return [np.full(size, np.nan, np.float32) for _ in self._targets]
        divided = self._divided and bool((moments.count >= PILOTS).all())
        windows, known = grid.covering(drawn), grid.covering(several)
        samples = windows / grid.total(torch.where(drawn, 1 / moments.count, 0))
        errors: list[np.ndarray | None] = []
        for variance in self._variances().T.where(several, 0):
            part = variance / moments.count if divided else variance
            total = grid.total(variance)
            parts = grid.total(part) if divided else total
            uncertainty = grid.total(torch.where(several, part**2 / (moments.count - 1), 0))
            mean_samples = total / parts if divided else samples
            maps = (total / known, parts**2 / uncertainty, mean_samples, windows)
            error = standard_errors(*(values.flatten() for values in maps))
            errors.append(error.view_as(total).float().numpy())
        return errors

    def _sweeps(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Order of the work: windows, and the number of the sample that each is filled with."""
        first = PILOTS if self._divided else self._samples
        for sample, windows in self.grid.sweeps(first, self._seed):
            yield windows, torch.full_like(windows, sample)
        if self._divided:
            order = self.grid.order(torch.Generator().manual_seed(self._seed))
            windows, numbers = interleaved(self.further_samples(), order)
            yield windows, PILOTS + numbers

    def _variances(self) -> Tensor:
        """Variance of the evidence of a sample, to first order ``(n, M)``."""
        moments = self.moments
        return moments.variance * self.nodes.slope(moments.mean) ** 2

    def _step(self, windows: Tensor, samples: Tensor) -> int:
        """Remove the first of some windows, and return how many.

        They are divided into batches of equal size, so that no small one comes last.
        """
        inference, most = self._inference()
        count = ceil(len(windows) / ceil(len(windows) / most))
        if self._draw is None:
            self._draw = self._prepared()
        batch, numbers = windows[:count], samples[:count]
        corners = self.grid.corners[batch]
        contents = self._draw(corners, self._rngs(batch, numbers))
        outputs = inference.outputs(corners, contents)
        self.moments.add(batch, self.nodes.values(finite(self._subject.net, outputs)))
        self._note = inference.note
        return len(batch)

    def _inference(self) -> tuple[WholeInference | IncrementalInference, int]:
        """Whole forwards at first, and incremental inference from then on; for how many windows."""
        done = self.moments.count.sum()
        if done < self._whole_count:
            return self._first, self._first.batch if done else min(self._first.batch, _FIRST)
        if self._faster is None:
            self._faster = IncrementalInference(self._first, self._asked_dtype)
            self._compute_dtype = self._faster.compute_dtype
        return self._faster, self._faster.batch

    def _rngs(self, windows: Tensor, samples: Tensor) -> list[np.random.Generator]:
        """Random generators of samples of windows, by their corners, whatever the stride."""
        width = self._subject.image.shape[2]
        return [
            np.random.Generator(
                np.random.Philox(key=self._seed, counter=[0, 0, sample, top * width + left])
            )
            for (top, left), sample in zip(
                self.grid.corners[windows].tolist(), samples.tolist(), strict=True
            )
        ]
