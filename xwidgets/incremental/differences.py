"""A recorded network run on differences, and from its first operation without a rule on values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from xwidgets.errors import memory_ran_out
from xwidgets.networks.exact import exact_products
from xwidgets.networks.operations import tensors

from .boxes import BaseCrops, Places
from .extent import Extent
from .linear import FullyConnected, Linear
from .parts import in_parts
from .plan import Plan, Step
from .recording import Recording, Unrecordable
from .rule import DifferenceRule, whole_maps


class Differences:
    """Outputs of a network for an image, or a layer's values, that differ in a box.

    Args:
        recording: of the unchanged image, or what is behind a layer; what is not needed any more is
            released from it.
        extent: where boxes can lie; ``None`` for differences of vectors, which are whole.

    Attributes:
        stopped_at: the name of the first operation without a rule, if there is one.
        whole_from: the name of the operation from which on whole maps differ, if not of the first.
        cost: multiplications that a box takes.
        share: of the multiplications of a whole forward, those that remain to be done.
        need: bytes that a box takes while it is computed, rounded copies among them.

    Example:
        >>> from xwidgets.incremental.recording import record
        >>> module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
        >>> recording = record(module, torch.rand(1, 3, 8, 8))
        >>> differences = Differences(recording, Extent.of_windows(2, (8, 8)))
        >>> places = Places(rows=torch.tensor([0, 3]), columns=torch.tensor([6, 2]))
        >>> differences.outputs(places, torch.rand(2, 3, 2, 2)).shape
        torch.Size([2, 2])
    """

    def __init__(self, recording: Recording, extent: Extent | None) -> None:
        plan = Plan(recording, extent or Extent.of_windows(1, (1, 1)))
        self._start = plan.differences[0].layout
        self._steps = plan.steps
        self._parted = _before_vectors(plan)
        self._joints = {
            number: (plan.differences[number], whole_maps(plan.differences[number]))
            for number in plan.kept
        }
        self._rest = [
            (call.operation.released(), call.sources, call.results, over)
            for call, over in zip(plan.rest, plan.over, strict=True)
        ]
        self._shapes = [recording.values[call.made[0]].shape[1:] for call in plan.rest]
        self._output = recording.output
        self.stopped_at = plan.rest[0].operation.name if plan.rest else None
        self.whole_from = plan.whole_from
        self.cost, self.share = plan.cost, plan.share
        self._numbers, self._dtype = plan.numbers, recording.values[0].dtype
        self.need = self._numbers * self._dtype.itemsize
        self._weights = {
            _storage(call.operation.weight)
            for call in recording.calls
            if call.operation.kind == "linear"
        }

    @property
    def held(self) -> int:
        """Bytes that are held while boxes are computed, beside the network's own."""
        kept = [*(step.rule for step in self._steps), *self._joints.values()]
        storages = {_storage(tensor): tensor.untyped_storage().nbytes() for tensor in _held(kept)}
        return sum(size for at, size in storages.items() if at not in self._weights)

    def multiply_in(self, dtype: torch.dtype) -> None:
        """Round differences and weights to a type before they are multiplied."""
        rounded = 0 if dtype == self._dtype else dtype.itemsize
        self.need = self._numbers * (self._dtype.itemsize + rounded)
        for step in self._steps:
            if isinstance(step.rule, Linear):
                step.rule.multiply_in(dtype)

    def settle(
        self, dtypes: Sequence[torch.dtype], run: Callable[[], Tensor], plain: Tensor, base: Tensor
    ) -> torch.dtype | None:
        """Multiply in the first of some types that is exact enough, and return it.

        Args:
            dtypes: in the order of preference.
            run: computes outputs ``(n, K)`` of these differences.
            plain: the same outputs by plain forwards.
            base: as of :func:`agree`.

        Returns:
            The type; ``None`` where none is exact enough.

        Raises:
            Unrecordable: where the operations cannot be run.
        """
        for dtype in dict.fromkeys(dtypes):
            self.multiply_in(dtype)
            try:
                ours = run()
            except Exception as error:  # whatever the network's operations raise
                if memory_ran_out(error):
                    raise
                raise Unrecordable(f"its operations cannot be run again ({error})") from error
            if agree(ours, plain, base, dtype):
                return dtype
        return None

    def outputs(self, places: Places, boxes: Tensor) -> Tensor:
        """The output ``(n, K)`` when the values differ by ``boxes`` ``(n, C, k, k)`` at n places.

        Vectors differ by ``(n, C)``, whatever the places.
        """
        order = places.order
        here = order.to(boxes.device)
        with exact_products(boxes.device):
            values = self._outputs(Places(*(place[order] for place in places)), boxes[here])
        result = torch.empty_like(values)
        result[here] = values
        return result

    @torch.no_grad()
    def _outputs(self, places: Places, boxes: Tensor) -> Tensor:
        """Maps go in parts; vectors, whose weights take longest to read, all at once."""
        later = self._steps[self._parted :]
        if not later:
            return in_parts(self._part, boxes, *places)
        vectors = {later[0].sources[0]: in_parts(self._part, boxes, *places)}
        return self._continued(_stepped(later, places, vectors), places)

    @torch.no_grad()
    def _part(self, boxes: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        places = Places(rows, columns)
        start = self._start.map(boxes).contiguous(memory_format=torch.channels_last)
        left = _stepped(self._steps[: self._parted], places, {0: start})
        if self._parted < len(self._steps):
            (vectors,) = left.values()
            return vectors
        return self._continued(left, places)

    def _continued(self, boxes: Mapping[int, Tensor], places: Places) -> Tensor:
        """The output, from the differences that are left."""
        values = {}
        for number, (known, place) in self._joints.items():
            whole = place.into(places, boxes[number]) if place else boxes[number]
            values[number] = known.base + known.layout.value(whole)
        for (operation, sources, results, over), shape in zip(
            self._rest, self._shapes, strict=True
        ):
            inputs = [values[number] for number in sources]
            if operation.facts.moves == "reshaped":  # what was recorded is the shape for one image
                made = [inputs[0].reshape(len(inputs[0]), *shape)]
            elif operation.facts.moves == "expanded":
                made = [inputs[0].expand(len(inputs[0]), *shape)]
            else:
                made = list(tensors(operation(*inputs)))
            values.update(zip(results, made, strict=True))
            for number in over:
                del values[number]
        return values[self._output]


def _before_vectors(plan: Plan) -> int:
    """How many steps come before fully connected vectors, where nothing else is left; or all."""
    left = {0}
    for position, step in enumerate(plan.steps):
        rule, alone = step.rule, left == {*step.sources}
        vector = rule.extent.whole and rule.extent.area == 1
        if isinstance(rule, FullyConnected) and vector and alone:
            return position
        left = left - {*step.over} | {step.result}
    return len(plan.steps)


def _stepped(steps: Sequence[Step], places: Places, boxes: dict[int, Tensor]) -> dict[int, Tensor]:
    """The differences that are left behind some steps."""
    for step in steps:
        boxes[step.result] = step.rule(places, *[boxes[number] for number in step.sources])
        for number in step.over:
            del boxes[number]
    return boxes


def _held(holder: object) -> Iterator[Tensor]:
    """Tensors that rules hold, and the parts that they are made of."""
    match holder:
        case Tensor():
            yield holder
        case DifferenceRule() | BaseCrops():
            yield from _held([*vars(holder).values()])
        case list() | tuple():
            for part in holder:
                yield from _held(part)


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


# of the effect, and of the largest output
_TOLERANCE = {
    torch.float64: (1e-10, 1e-10), torch.float32: (1e-3, 2e-5), torch.bfloat16: (5e-2, 2e-5)
}  # fmt: skip


def agree(ours: Tensor, plain: Tensor, base: Tensor, dtype: torch.dtype | None = None) -> bool:
    """Whether two ways to compute outputs ``(n, K)`` give the same, up to rounding.

    Args:
        ours, plain: the outputs.
        base: ``(1, K)``, those of what was not changed, from which effects are measured.
        dtype: the type that was multiplied in; ``None`` for that of the outputs.
    """
    effect, rounding = _TOLERANCE.get(dtype or base.dtype, _TOLERANCE[torch.float32])
    allowed = effect * (plain - base).abs().amax(1) + rounding * base.abs().max()
    return ours.shape == plain.shape and bool(((ours - plain).abs().amax(1) <= allowed).all())
