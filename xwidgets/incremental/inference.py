"""Outputs for one image with windows replaced, as fast as the network allows.

Only what a window can change is computed again, which is exact; where bfloat16 is asked for, its
products are computed in that, if two windows' effects are kept to a twentieth. Where a comparison
with plain forwards does not hold, or the network cannot be run so, the images with replaced windows
go through it whole, behind the same interface.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from xwidgets.aliases import FormerName
from xwidgets.errors import of_kind
from xwidgets.networks.forward_trace import refuse_hiding

from .boxes import BaseCrops, Places
from .budget import RAN_OUT, Batches, joined
from .differences import Differences, agree
from .extent import Extent
from .free_memory import trim_heap
from .precision import ComputeDtype, asked_type, fallback_note
from .recording import Unrecordable, affordable, record
from .whole import WholeInference

# In a part; more are hardly faster, and fewer are cancelled sooner.
_WINDOWS = 48
_MULTIPLICATIONS = 5e10
_WORTH = 0.9  # share of the multiplications of a whole forward above which differences do not pay


class IncrementalInference:
    """Values read off an image with windows of other content.

    Args:
        whole: the same by whole forwards, which it is checked against.
        compute_dtype: the type to multiply differences in: ``"float32"`` for the network's own,
            ``"bfloat16"``, or ``"auto"`` for what the device is faster in.

    Attributes:
        share: of the multiplications of a whole forward, those that remain to be done.
        compute_dtype: the type in which differences are multiplied: the one that was asked for, or
            the network's own where that does not hold the check.

    Raises:
        ValueError: for a network in which the images of a batch depend on each other.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> inference = IncrementalInference(WholeInference(net, scene.image, window=10))
        >>> corners = torch.tensor([[0, 0], [20, 30]])
        >>> inference.outputs(corners, torch.full((2, 3, 10, 10), 0.5)).shape
        torch.Size([2, 20])
    """

    products = FormerName("compute_dtype")

    def __init__(self, whole: WholeInference, compute_dtype: ComputeDtype = "float32") -> None:
        of_kind("whole", whole, WholeInference, "a WholeInference")
        self._whole, net = whole, whole.net
        self._extent = Extent.of_windows(whole.window, whole.image.shape[1:])
        self._pixels = BaseCrops(whole.image[None], self._extent, fill=0)
        self._differences: Differences | None = None
        self._asked = asked_type(compute_dtype, net.dtype, net.device)
        self._types = [self._asked, net.dtype]
        self._batches: Batches | None = None
        self.compute_dtype, self.share = net.dtype, 1.0
        self._set_up()

    @property
    def batch(self) -> int:
        """How many windows are computed at a time."""
        return self._running.size

    @property
    def note(self) -> str:
        """Why computation is slower than asked for, in sentences; empty where it is not."""
        return joined([*self._notes, self._whole.note, self._running.note])

    def outputs(self, corners: Tensor, contents: Tensor) -> Tensor:
        """``(n, K)``, what is read off the image with one window replaced in each.

        Args:
            corners: ``(n, 2)``, the windows' upper left corners as (y, x), in any order.
            contents: ``(n, C, h, w)`` of the windows' size, pixels in [0, 1].
        """
        if self._batches is not None and self._differences is None:
            self._set_up()
        if self._batches is None or self._differences is None:
            return self._whole.outputs(corners, contents)
        try:
            return self._batches.run(partial(self._differing, self._differences), corners, contents)
        except MemoryError:
            self._run_whole(RAN_OUT)
        trim_heap()
        return self._whole.outputs(corners, contents)

    def rest(self) -> None:
        """Free what the next outputs make again; sizes of batches and types stay."""
        self._differences = None

    @property
    def _running(self) -> Batches:
        return self._batches or self._whole.batches

    def _set_up(self) -> None:
        trim_heap()  # what whole forwards took
        try:
            with affordable():
                self._differences = self._checked()
        except Unrecordable as reason:
            self._run_whole(str(reason))
            return
        finally:
            trim_heap()  # the values of the recording
        self.share = self._differences.share
        self._notes = [*self._slower(self._differences)]

    def _run_whole(self, reason: str) -> None:
        """Windows go through the network whole from now on."""
        self._differences = self._batches = None
        self.share = 1.0
        self._notes = [f"{self._whole.net.name} is run whole for every window: {reason}"]

    def _differing(self, differences: Differences, corners: Tensor, contents: Tensor) -> Tensor:
        places = Places(*corners.cpu().T)
        return differences.outputs(places, contents.to(self._whole.image) - self._pixels.at(places))

    def _checked(self) -> Differences:
        """Differences that pay, and agree with plain forwards on two windows."""
        net, image = self._whole.net, self._whole.image
        with net.evaluating() as module:
            try:
                refuse_hiding(module)
            except ValueError as error:
                raise Unrecordable(str(error)) from error
            pixels = image[None].to(memory_format=net.memory_format)
            recording = record(self._whole.read, pixels, self._whole.budget.recording)
        base, differences = recording.values[recording.output], Differences(recording, self._extent)
        del recording  # its values are in the differences, as far as they are needed
        if differences.share > _WORTH:
            first = differences.whole_from or differences.stopped_at
            where = f" from {first!r} on" if first else ""
            raise Unrecordable(f"a window changes nearly all of its values{where}")
        differences.multiply_in(self._types[0])
        budget = self._whole.budget.beside(differences.held)
        if budget.memory < differences.need:
            raise Unrecordable("what differences need does not fit into the memory")
        if self._batches is None:
            most = min(_WINDOWS, max(2, _MULTIPLICATIONS // max(1, differences.cost)))
            self._batches = Batches(budget.box_size(differences.need, most), "window")
        run = partial(self._batches.run, partial(self._differing, differences))
        self._check(differences, base, run)
        return differences

    def _slower(self, differences: Differences) -> Iterator[str]:
        name = self._whole.net.name
        if differences.stopped_at:
            yield f"{name} is run on whole values from {differences.stopped_at!r} on"
        if note := fallback_note(self.compute_dtype, self._asked):
            yield note

    def _check(
        self, differences: Differences, base: Tensor, run: Callable[[Tensor, Tensor], Tensor]
    ) -> None:
        """Compare with plain forwards, first in the asked type and then in the network's own."""
        image, window = self._whole.image, self._whole.window
        random = torch.Generator().manual_seed(0)
        limits = torch.tensor(image.shape[1:]) - torch.tensor(window) + 1
        inside = (torch.rand(2, generator=random) * limits).long()
        corners = torch.stack([torch.zeros_like(inside), inside])
        shape = (2, len(image), *window)
        contents = torch.rand(shape, generator=random).to(image)
        plain = self._alone(corners, contents)
        dtype = differences.settle(self._types, partial(run, corners, contents), plain, base)
        if dtype is None:
            self._refuse_mixing(corners, contents, plain, base)
            raise Unrecordable("differences do not agree with a plain forward")
        self.compute_dtype, self._types = dtype, [dtype]

    def _refuse_mixing(
        self, corners: Tensor, contents: Tensor, plain: Tensor, base: Tensor
    ) -> None:
        steady = agree(self._alone(corners, contents), plain, base)
        together = self._whole.outputs(corners, contents)
        if self._whole.batch > 1 and steady and not agree(together, plain, base):
            raise ValueError(
                f"{self._whole.net.name} gives an image other values when others are beside it, as "
                "a batch norm without running statistics does; give memory=0 for one at a time"
            )

    def _alone(self, corners: Tensor, contents: Tensor) -> Tensor:
        ones = zip(corners.split(1), contents.split(1), strict=True)
        return torch.cat([self._whole.outputs(*one) for one in ones])
