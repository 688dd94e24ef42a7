"""What is read off one image when single units of a hidden layer have other values."""

from __future__ import annotations

import torch
from torch import Tensor

from xwidgets.networks import Network
from xwidgets.networks.watch import Watch

from .boxes import Places
from .budget import batch_size, budget
from .differences import Differences, agree
from .extent import Extent
from .recording import Recording, Unrecordable, number_of, record
from .whole import Read


class UnitInference:
    """Values read off ``image`` with one unit of a layer changed at a time.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` in [0, 1], on the network's device.
        layer: the layer's name.
        read: what is read.
        memory: roughly how many bytes a batch may take; 0 for one unit at a time, ``None`` for what
            :func:`budget` says.

    Attributes:
        activations: the layer's ``(C, h, w)`` or ``(C,)``, which :meth:`outputs` starts from.
        batch: how many changes are computed at a time.

    Raises:
        ValueError: when the network cannot be run from there.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> inference = UnitInference(net, scene.image, "features.28", net.classify)
        >>> inference.outputs(torch.tensor([0, 17]), torch.tensor([0.5, -0.1])).shape
        torch.Size([2, 20])
    """

    def __init__(
        self, net: Network, image: Tensor, layer: str, read: Read, memory: float | None = None
    ) -> None:
        watch = Watch(net.module, [layer])

        def forward(pixels: Tensor) -> Tensor:
            with watch:
                return read(pixels)

        try:
            with net.evaluating():
                recording = record(forward, image[None].to(memory_format=net.memory_format))
            start = number_of(watch.activations.get(layer))
            if start is None:
                raise Unrecordable("the layer is not used for this image")
            self._run_behind(recording.behind(start), memory)
        except Unrecordable as reason:
            raise ValueError(
                f"{net.name} cannot be run from {layer!r} on: {reason}; choose another layer"
            ) from reason

    def _run_behind(self, behind: Recording, memory: float | None) -> None:
        base = behind.values[0]
        if base.ndim not in (2, 4):
            raise Unrecordable(f"it puts out {tuple(base.shape[1:])} and has no channels")
        self._mapped = base.ndim == 4
        self._shape = base.shape[1:]
        extent = Extent.of_windows(1, base.shape[2:]) if self._mapped else None
        self._differences = Differences(behind, extent)
        self.activations = base[0]
        need = self._differences.need
        if memory and memory < need:
            raise ValueError(
                f"memory is {memory:.3g} bytes, but one unit takes {need:.3g}; give at least that, "
                "or 0 for one unit at a time"
            )
        self.batch = batch_size(budget(memory, base.device), need, base.device, _BATCH)
        self._check(behind)

    def _check(self, behind: Recording) -> None:
        """The first unit and the most active one, changed, against a plain run of what follows."""
        flat = self.activations.flatten()
        units = torch.tensor([0, int(flat.argmax())])
        changes = torch.tensor([1.0, -1.0]).to(flat) * flat.abs().max().clamp_min(1)
        try:
            ours = self._batch(units, changes)
            changed = flat.repeat(2, 1)
            changed[torch.arange(2), units] += changes
            plain = torch.cat([behind.replay(one.reshape(1, *self._shape)) for one in changed])
        except Exception as error:  # whatever the network's operations raise
            raise Unrecordable(f"its operations cannot be run again ({error})") from error
        base = behind.values[behind.output]
        if base.isfinite().all() and not agree(ours, plain, base, base.dtype):
            raise Unrecordable("differences do not agree with a plain run")

    def outputs(self, units: Tensor, changes: Tensor) -> Tensor:
        """``(n, K)``, what is read with one unit changed in each.

        Args:
            units: ``(n,)``, their numbers in the flattened activations.
            changes: ``(n,)``, what is added to them.
        """
        parts = zip(units.split(self.batch), changes.split(self.batch), strict=True)
        return torch.cat([self._batch(*part) for part in parts])

    def _batch(self, units: Tensor, changes: Tensor) -> Tensor:
        channels, *cells = torch.unravel_index(units, self._shape)
        boxes = self.activations.new_zeros(len(units), self._shape[0])
        boxes[torch.arange(len(units)), channels] = changes.to(boxes)
        if not self._mapped:
            nowhere = torch.zeros_like(units)
            return self._differences.outputs(Places(nowhere, nowhere), boxes)
        return self._differences.outputs(Places(*cells), boxes[:, :, None, None])


_BATCH = 512  # units; more are hardly faster, and fewer are cancelled sooner
