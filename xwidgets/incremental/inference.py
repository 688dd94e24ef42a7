"""Outputs for one image with windows replaced, as fast as the network allows.

Only what a window can change is computed again, which is exact; on devices that are faster so, in
products of bfloat16, if two windows' effects are kept to a twentieth. Where a comparison with plain
forwards does not hold, or the network cannot be run so, the images with replaced windows go through
it whole, behind the same interface.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from xwidgets.aliases import FormerName
from xwidgets.networks.forward_trace import refuse_hiding

from .boxes import BaseCrops, Places
from .budget import batch_size
from .differences import Differences, agree
from .extent import Extent
from .precision import fast_type
from .recording import Unrecordable, record
from .whole import WholeInference

_BATCH = 64  # windows; more are hardly faster, and fewer are cancelled sooner
_WORTH = 0.9  # share of the multiplications of a whole forward above which differences do not pay


class IncrementalInference:
    """Values read off an image with windows of other content.

    Args:
        whole: the same by whole forwards, which it is checked against.

    Attributes:
        batch: how many windows are computed at a time.
        share: of the multiplications of a whole forward, those that remain to be done.
        compute_dtype: the type in which differences are multiplied: bfloat16 where the device is
            faster so and the check holds, or the network's own.
        note: what could not be done the fastest way, and why; otherwise empty.

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

    def __init__(self, whole: WholeInference) -> None:
        self._whole, net = whole, whole.net
        self._extent = Extent.of_windows(whole.window, whole.image.shape[1:])
        self._pixels = BaseCrops(whole.image[None], self._extent, fill=0)
        self._differences: Differences | None = None
        single = net.dtype == torch.float32
        self.compute_dtype = self._fast = fast_type(net.device) if single else net.dtype
        try:
            differences = self._checked()
        except Unrecordable as reason:
            self.note = f"{net.name} is run whole for every window: {reason}"
            self.compute_dtype, self.batch, self.share = net.dtype, whole.batch, 1.0
            return
        self._differences, self.share = differences, differences.share
        self.note = "; ".join(self._slower(differences))
        self.batch = batch_size(whole.memory, differences.need, net.device, _BATCH)

    def outputs(self, corners: Tensor, contents: Tensor) -> Tensor:
        """``(n, K)``, what is read off the image with one window replaced in each.

        Args:
            corners: ``(n, 2)``, the windows' upper left corners as (y, x), in any order.
            contents: ``(n, C, h, w)`` of the windows' size, pixels in [0, 1].
        """
        parts = zip(corners.split(self.batch), contents.split(self.batch), strict=True)
        return torch.cat([self._batch(*part) for part in parts])

    def _batch(self, corners: Tensor, contents: Tensor) -> Tensor:
        if self._differences is None:
            return self._whole.outputs(corners, contents)
        return self._differing(self._differences, corners, contents)

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
            recording = record(self._whole.read, image[None].to(memory_format=net.memory_format))
        differences = Differences(recording, self._extent)
        if differences.share > _WORTH:
            where = f" from {differences.stopped_at!r} on" if differences.stopped_at else ""
            raise Unrecordable(f"a window changes nearly all of its values{where}")
        self._check(differences, recording.values[recording.output])
        return differences

    def _slower(self, differences: Differences) -> Iterator[str]:
        name = self._whole.net.name
        if differences.stopped_at:
            yield f"{name} is run on whole values from {differences.stopped_at!r} on"
        if self.compute_dtype != self._fast:
            types = (
                str(dtype).removeprefix("torch.") for dtype in (self.compute_dtype, self._fast)
            )
            yield "differences are multiplied in {}, as {} is not exact enough here".format(*types)

    def _check(self, differences: Differences, base: Tensor) -> None:
        """Compare with plain forwards, first in the faster type and then in the network's own."""
        image, window = self._whole.image, self._whole.window
        random = torch.Generator().manual_seed(0)
        limits = torch.tensor(image.shape[1:]) - torch.tensor(window) + 1
        inside = (torch.rand(2, generator=random) * limits).long()
        corners = torch.stack([torch.zeros_like(inside), inside])
        shape = (2, len(image), *window)
        contents = torch.rand(shape, generator=random).to(image)
        plain = self._alone(corners, contents)
        for dtype in dict.fromkeys([self._fast, image.dtype]):
            differences.multiply_in(dtype)
            try:
                ours = self._differing(differences, corners, contents)
            except Exception as error:  # whatever the network's operations raise
                raise Unrecordable(f"its operations cannot be run again ({error})") from error
            if agree(ours, plain, base, dtype):
                self.compute_dtype = dtype
                return
        self._refuse_mixing(corners, contents, plain, base)
        raise Unrecordable("differences do not agree with a plain forward")

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
