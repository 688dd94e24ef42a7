"""Outputs for one image when single units of a hidden layer have other values.

Only what follows from the unit is computed again. Where the network cannot be run so, the image
goes through it whole for every unit, behind the same interface.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn

from xwidgets.errors import WrongType, memory_ran_out, number, of_kind, shown
from xwidgets.networks import Network
from xwidgets.networks._network import image_for
from xwidgets.networks.exact import exact_products
from xwidgets.networks.intervention import Intervention

from .boxes import Places
from .budget import RAN_OUT, Batches, Budget, joined
from .differences import Differences
from .extent import Extent
from .free_memory import trim_heap
from .precision import ComputeDtype, asked_type, fallback_note
from .recording import Recording, Unrecordable, affordable, number_of, record
from .whole import Read
from .whole_units import WholeUnitInference


class UnitInference:
    """Values read off ``image`` with one unit of a layer changed at a time.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` in [0, 1], on the network's device.
        layer: the layer's name.
        read: what is read.
        memory: bytes that may be added; 0 for one unit at a time, ``None`` for a share of what is
            free.
        compute_dtype: the type to multiply differences in, as of :class:`IncrementalInference`.
        held: those of ``memory`` that the caller uses for each unit of the layer.

    Attributes:
        activations: the layer's ``(C, h, w)`` or ``(C,)``, which :meth:`outputs` starts from.
        compute_dtype: the type in which differences are multiplied.
        budget: the bytes that are left beside what this and the caller hold.

    Raises:
        ValueError: for a layer that is not used or has no channels, or that nothing depends on.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> inference = UnitInference(net, scene.image, "features.28", net.classify)
        >>> inference.outputs(torch.tensor([0, 17]), torch.tensor([0.5, -0.1])).shape
        torch.Size([2, 20])
    """

    def __init__(
        self,
        net: Network,
        image: Tensor,
        layer: str,
        read: Read,
        memory: float | None = None,
        compute_dtype: ComputeDtype = "float32",
        held: float = 0,
    ) -> None:
        image = image_for(net, image)
        of_kind("layer", layer, str, "the name of a layer")
        if not callable(read):
            raise WrongType(f"read is {shown(read)}, but must be a function of pixels")
        number("held", held, lambda size: size >= 0, "of bytes, at least 0")
        pixels = image[None].to(memory_format=net.memory_format)
        with net.evaluating():
            base = net.activations(pixels, layer)
        if base.ndim not in (2, 4) or len(base) != 1:
            raise ValueError(
                f"{net.name} cannot be run from {layer!r} on: it puts out {tuple(base.shape)}, not "
                "(1, C, h, w) or (1, C), and has no channels; choose another layer"
            )
        self.activations = base[0]
        self.budget = budget = Budget.of(memory, net.device).beside(held * base.numel())
        self._whole: WholeUnitInference | None = None
        self._differences: Differences | None = None
        self._asked = asked_type(compute_dtype, net.dtype, net.device)
        self._whole_units = partial(WholeUnitInference, net, image, layer, read, budget)
        self._name = net.name
        try:
            with affordable():
                self._run_behind(_behind(net, pixels, layer, read, budget.recording), budget)
            return
        except Unrecordable as error:
            reason = str(error)
        self._run_whole(reason)  # behind the except clause, whose traceback holds the recording
        self.compute_dtype = net.dtype

    @property
    def batch(self) -> int:
        """How many changes are computed at a time."""
        return self._batches.size

    @property
    def note(self) -> str:
        """Why computation is slower than asked for, in sentences; empty where it is not."""
        return joined((self._note, self._batches.note))

    def _run_whole(self, reason: str) -> None:
        """Images with a changed unit go through the network whole from now on."""
        self._differences = None
        trim_heap()
        self._whole = self._whole_units()
        self._batches = self._whole.batches
        self._note = f"{self._name} is run whole for every unit: {reason}"

    def _run_behind(self, behind: Recording, budget: Budget) -> None:
        base = behind.values[0]
        extent = Extent.of_windows(1, base.shape[2:]) if base.ndim == 4 else None
        differences = Differences(behind, extent)
        differences.multiply_in(self._asked)
        need, budget = differences.need, budget.beside(differences.held)
        if budget.memory < need:
            raise Unrecordable("what differences need does not fit into the memory")
        self._batches = Batches(budget.box_size(need, _BATCH), "unit")
        self.compute_dtype = self._checked(behind, differences)
        self._differences, self.budget = differences, budget
        self._note = fallback_note(self.compute_dtype, self._asked)

    def _checked(self, behind: Recording, differences: Differences) -> torch.dtype:
        """Type that agrees with a plain run of what follows, for the first unit and the most active
        one, changed."""
        base, flat = behind.values[0], self.activations.flatten()
        units = torch.tensor([0, int(flat.argmax())])
        changes = torch.tensor([1.0, -1.0]).to(flat) * flat.abs().max().clamp_min(1)
        changed = flat.repeat(2, 1)
        changed[torch.arange(2), units] += changes
        try:
            with exact_products(base.device):
                plain = torch.cat([behind.replay(one.reshape_as(base)) for one in changed])
        except Exception as error:  # whatever the network's operations raise
            if memory_ran_out(error):
                raise
            raise Unrecordable(f"its operations cannot be run again ({error})") from error
        output = behind.values[behind.output]
        run = partial(self._batches.run, partial(self._changed, differences), units, changes)
        dtype = differences.settle([self._asked, base.dtype], run, plain, output)
        if dtype is None and output.isfinite().all():
            raise Unrecordable("differences do not agree with a plain run")
        return dtype or base.dtype

    def outputs(self, units: Tensor, changes: Tensor) -> Tensor:
        """``(n, K)``, what is read with one unit changed in each.

        Args:
            units: ``(n,)``, their numbers in the flattened activations.
            changes: ``(n,)``, what is added to them.
        """
        if self._differences is not None:
            try:
                run = self._batches.run
                return run(partial(self._changed, self._differences), units, changes)
            except MemoryError:
                pass  # and its traceback, which holds the differences, goes
            self._run_whole(RAN_OUT)
        assert self._whole is not None
        return self._whole.outputs(units, changes)

    def _changed(self, differences: Differences, units: Tensor, changes: Tensor) -> Tensor:
        channels, *cells = torch.unravel_index(units, self.activations.shape)
        boxes = self.activations.new_zeros(len(units), len(self.activations))
        boxes[torch.arange(len(units)), channels] = changes.to(boxes)
        if self.activations.ndim == 1:
            nowhere = torch.zeros_like(units)
            return differences.outputs(Places(nowhere, nowhere), boxes)
        return differences.outputs(Places(*cells), boxes[:, :, None, None])


_BATCH = 256  # units a part; more are hardly faster, and fewer are cancelled sooner


def _behind(net: Network, pixels: Tensor, layer: str, read: Read, most: float) -> Recording:
    """Computation behind the layer's activations for ``pixels`` ``(1, C, H, W)``."""
    with net.evaluating() as module:
        trace = _Numbered(module, layer)

        def forward(pixels: Tensor) -> Tensor:
            with trace:
                return read(pixels)

        recording = record(forward, pixels, most)
    start = trace.numbers.get(layer)
    if start is None:
        raise Unrecordable("how that layer depends on the image was not seen")
    return recording.behind(start)


class _Numbered(Intervention):
    """Trace of a recorded pass that keeps the numbers of a layer's activations.

    They are not copied, but for an input that the layer returns unchanged: what else uses that
    input is not behind the layer.

    Attributes:
        numbers: by layer, as of :func:`number_of`.
    """

    def __enter__(self) -> Self:
        self.numbers: dict[str, int | None] = {}
        return super().__enter__()

    def _arrive(self, module: nn.Module, inputs: tuple[Any, ...], output: object) -> Any:
        if (
            isinstance(output, Tensor)
            and any(output is value for value in inputs)
            and not self._in_place(inputs, output)
        ):
            output = output.clone()
        return super()._arrive(module, inputs, output)

    def _keep(self, layers: Sequence[str], values: Tensor) -> None:
        super()._keep(layers, values)
        self.numbers.update(dict.fromkeys(layers, number_of(values)))

    def _save(self, overwritten: object, but: Sequence[str]) -> None:
        """Leave that to the recording."""

    def _copies(self) -> bool:
        return False
