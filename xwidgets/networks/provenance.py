"""Provenance: what the tensors of a forward pass are made of, and what operations are by that.

A network writes an activation as one operation or as several: `F.silu(x)`, `x * torch.sigmoid(x)`,
`x / (1 + torch.exp(-x))`. So every tensor that depends on the image carries which operation made it
and, while each value stays at its place, of which tensors it is a function value by value. An
operation whose inputs are all functions of one tensor x is a function f of x, whatever its name. It
is tried on numbers of both signs, and is

    a normalization   when f(x) = a x + b, with one a and one b a channel
    a rectifier       when f lets more of x pass than of -x: with r(x) = f(x) / x for x > 0,
                      f(x) > 0 and r(x) > r(-x), f becomes linear or, for a capped one, starts so,
                      and vanishes for large negative x, or is linear and smaller there (leaky)

A product of functions of x that is neither is unknown. The nearest such x counts, so that a gate of
another tensor, as in a squeeze-and-excitation block, remains a gate.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from typing import Any, NamedTuple, TypeGuard, cast

import torch
from torch import Tensor, nn

from .operation_table import Facts
from .operations import Operation, tensors


class Provenance:
    """How a tensor came about.

    Args:
        sources: the tensors that it is a function of, value by value; none where its values come
            from other places, or from several at a time.
        call: the operation that makes it of them, called with them; ``None`` for the same values.

    Attributes:
        sources: as given.
        depth: number of operations between it and the first of its sources.
        shape: of the tensor.
        axis: that of the channels: the last of what a linear layer puts out, otherwise the second.
    """

    def __init__(self, sources: Sequence[Provenance] = (), call: Operation | None = None) -> None:
        self.sources, self._call = tuple(sources), call
        self.depth: int = 1 + max((source.depth for source in sources), default=-1)
        self.shape, self.axis = torch.Size(), 1
        self._tensor: Callable[[], Tensor | None] = lambda: None
        self._version = 0

    def of(self, tensor: Tensor, producer: Operation | None = None) -> None:
        """Write down that this is where a tensor comes from, and which operation made it."""
        self._tensor, self._version = weakref.ref(tensor), _version(tensor)
        self.shape = tensor.shape
        self.axis = -1 if _is_linear(producer) and not producer.facts.axes else 1
        tensor.xwidgets_provenance = self  # type: ignore[attr-defined]
        tensor.xwidgets_producer = producer  # type: ignore[attr-defined]

    @property
    def tensor(self) -> Tensor | None:
        """The tensor; ``None`` when it is gone, or was written over."""
        tensor = self._tensor()
        return tensor if tensor is not None and provenance(tensor) is self else None

    @property
    def odd(self) -> bool:
        """Whether what makes it of its sources is unknown to a signal that goes back."""
        return self._call is not None and self._call.kind == "unknown"

    @property
    def constants(self) -> tuple[Tensor, ...]:
        """Tensors that it is made of beside its sources."""
        return () if self._call is None else self._call.given

    def within(self) -> set[Provenance]:
        """All that it is a function of, value by value."""
        reached: set[Provenance] = set()
        ahead = [*self.sources]
        while ahead:
            node = ahead.pop()
            if node not in reached:
                reached.add(node)
                ahead.extend(node.sources)
        return reached

    def behind(self, root: Provenance) -> set[Provenance] | None:
        """Itself and what leads to it from ``root``; ``None`` when it is not a function of that."""
        reached: set[Provenance] = set()
        ahead = [self]
        while ahead:
            node = ahead.pop()
            if node is root or node in reached:
                continue
            if not node.sources:
                return None
            reached.add(node)
            ahead.extend(node.sources)
        return reached

    def computed(self, values: dict[Provenance, Any], constant: Callable[[Tensor], Any]) -> Any:
        """Its value, from those of tensors that it is a function of.

        Args:
            values: by tensor; those on the way are added.
            constant: what to take for a tensor that does not depend on the image.
        """
        if self in values:
            return values[self]
        made = [source.computed(values, constant) for source in self.sources]
        given = dict(zip(self.sources, made, strict=True))

        def value(leaf: Any) -> Any:
            if isinstance(leaf, Provenance):
                return given[leaf]
            return constant(leaf) if isinstance(leaf, Tensor) else leaf

        values[self] = made[0] if self._call is None else self._call.on(value)
        return values[self]


def provenance(tensor: object) -> Provenance | None:
    """The provenance of a tensor; ``None`` for what does not depend on the image."""
    if not isinstance(tensor, Tensor):
        return None
    known: Provenance | None = getattr(tensor, "xwidgets_provenance", None)
    outer = tensor.requires_grad and not isinstance(tensor, nn.Parameter)
    if (known is None and outer) or (known is not None and not _known(tensor)):
        known = Provenance()  # it comes from outside, or a view of it was written over
        known.of(tensor)
    return known


def producer(tensor: object) -> Operation | None:
    """The operation that made a tensor, where others ask for that.

    A linear one, also behind normalizations; a gate or a comparison, also moved; or what was
    written as several operations.
    """
    if provenance(tensor) is None:
        return None
    made: Operation | None = getattr(tensor, "xwidgets_producer", None)
    return made


class Making:
    """An operation as it is called, and what it is by what it is called with.

    Args:
        operation: as it is called.

    Attributes:
        kind: what it is to the nearest tensor that its inputs are functions of.
        root: where that tensor comes from; ``None`` when nothing depends on the image.
        inner: what lies between that tensor and the result.
        whole: the operation on that tensor; as it is called where that is gone, or no other than
            its input.
    """

    def __init__(self, operation: Operation) -> None:
        self._operation, self._result = operation, _result(operation)
        self.whole, self.kind, self.inner = operation, operation.kind, set[Provenance]()
        self.root = provenance(operation.input)
        if self._result is None:
            return
        first = _dependents(operation)[0]
        self._shape, self._before = first.shape, producer(first)
        divided = operation.facts.divides and self.root is None
        if _masks(operation) or divided:
            self.whole = operation.unknown()
        self._try(self.whole, several=len(_dependents(operation)) > 1)

    def _try(self, known: Operation, several: bool) -> None:
        """Find out what it does to the tensors that it may be better known as a function of."""
        result = cast(Provenance, self._result)
        roots = [*_roots(known, self._operation, result)]
        told: tuple[Tried, Provenance] | None = None
        for root in roots:
            tried = _tried(result, root)
            if tried is not None and (told is None or tried.facts.kind == "rectifier"):
                told = tried, root
            if told is not None and told[0].facts.kind == "rectifier":
                break
        if told is not None and ((x := told[1].tensor) is not None or not several):
            tried, self.root = told
            self.kind, self.inner = tried.facts.kind, result.behind(self.root) or set()
            if x is not None:
                self.whole = FunctionOfOne(self._operation, result, self.root, x, tried)
        else:
            gate_of_its_own = roots and several and known.kind == "mul"
            self.whole = known.unknown() if gate_of_its_own else known
            self.kind = self.whole.kind

    def note(self, output: object) -> None:
        """Write down where the output, or what was written over, comes from."""
        operation, result = self._operation, self._result
        if result is None:
            return
        overwritten = [operation.input] if operation.input is not None else []
        outputs = overwritten if operation.overwrites else [*tensors(output)]
        made = self._producer()
        for tensor in outputs:
            if not operation.overwrites and tensor is operation.input:
                continue
            if not _known(tensor):  # by another watch, outside of this one
                (result if tensor.shape == self._shape else Provenance()).of(tensor, made)

    def _producer(self) -> Operation | None:
        operation, whole = self._operation, self.whole
        if whole.kind == "linear":
            return operation
        before = whole.before if isinstance(whole, FunctionOfOne) else self._before
        if whole.kind == "normalization":
            return before.signed(whole.scale) if _is_linear(before) else None
        if whole.kind in ("gate", "comparison") or isinstance(whole, FunctionOfOne):
            return whole.released()
        unmoved = operation.facts.moves in ("kept", "copied", "replaced")
        return before if whole.kind == "movement" and (unmoved or not _is_linear(before)) else None


class FunctionOfOne(Operation):
    """Several operations that are one function of a tensor, value by value.

    Attributes:
        root: where that tensor comes from.
        before: the operation that made it.
    """

    def __init__(
        self, last: Operation, result: Provenance, root: Provenance, x: Tensor, tried: Tried
    ) -> None:
        self.name, self.facts, self.root = last.name, tried.facts, root
        self.input, self.inplace, self.overwrites = x, False, False
        self.inputs = (x,) if x.requires_grad else ()
        self._last: Operation | None = last
        self._result, self._scale, self.before = result, tried.scale, producer(x)
        gain = tried.gain
        self.gain = self.spread(gain.to(x)) if isinstance(gain, Tensor) else gain

    def __call__(self, *inputs: Tensor, **changes: Any) -> Any:
        """Run the last of the operations as it was called, or all of them with another input."""
        if self._last is not None and not inputs:
            return self._last(**changes)
        return self._result.computed({self.root: inputs[0]}, lambda constant: constant)

    @property
    def has_inplace_form(self) -> bool:
        """It has none, as several of the operations may need the input."""
        return False

    @property
    def intermediates(self) -> int:
        """How many values are made, and kept until its end, on the way to its result."""
        return len(self._result.behind(self.root) or {self._result}) - 1

    @property
    def constants(self) -> tuple[Tensor, ...]:
        """The tensors that do not depend on the image."""
        nodes = self._result.behind(self.root) or set()
        return tuple(constant for node in nodes for constant in node.constants)

    @property
    def scale(self) -> Tensor:
        """The factor of a normalization for each channel, ``(C,)``."""
        return self._scale

    def spread(self, values: Tensor) -> Tensor:
        """``(C,)`` values along the channels of a normalization's input."""
        return values if self.root.axis == -1 else super().spread(values)

    def argument(self, name: str, default: Any = None) -> Any:
        """It has no arguments by name."""
        return default

    def holding(self, constants: Sequence[Tensor | None]) -> Operation:
        """The same: it has one input, which is no constant."""
        return self

    def released(self) -> Operation:
        """The same without its input."""
        other = copy(self)
        other.input, other.inputs, other._last, other.before = None, (), None, None
        return other


def factors(operation: Operation) -> tuple[Tensor, Any] | None:
    """The signal in a product or quotient, and the tensor or number that only scales it.

    Of two inputs, a divisor scales, what comes from a gate such as a sigmoid, and what has fewer
    values. ``None`` when both carry the signal.
    """
    if len(operation.inputs) == 1:
        (x,) = operation.inputs
        return x, operation.argument("other") if x is operation.input else operation.input
    first, second = operation.inputs
    if operation.facts.divides:
        return first, second
    gates = [getattr(producer(value), "kind", None) == "gate" for value in (first, second)]
    if gates[0] != gates[1]:
        return (second, first) if gates[0] else (first, second)
    if first.numel() != second.numel():
        return (second, first) if first.numel() < second.numel() else (first, second)
    return None


def _known(tensor: Tensor) -> bool:
    known = getattr(tensor, "xwidgets_provenance", None)
    return known is not None and known._version == _version(tensor)


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _is_linear(operation: Operation | None) -> TypeGuard[Operation]:
    return operation is not None and operation.kind == "linear"


def _masks(operation: Operation) -> bool:
    """Whether it is a product with a comparison of the image, or picks values by one."""
    if operation.kind != "mul" and operation.facts.moves not in ("indexed", "assigned"):
        return False
    return any(getattr(producer(value), "kind", None) == "comparison" for value in operation.given)


def _dependents(operation: Operation) -> tuple[Tensor, ...]:
    """The tensors that an operation takes values of the image from."""
    facts = operation.facts
    if facts.like == "first":
        return ()
    given = operation.given
    if facts.like == "second":
        given = given[:1]
    elif facts.moves == "replaced":
        given = given[1:]
    return tuple(value for value in given if provenance(value) is not None)


def _result(operation: Operation) -> Provenance | None:
    """Provenance of what an operation makes; ``None`` when that does not depend on the image."""
    facts, dependents = operation.facts, _dependents(operation)
    if not dependents:
        return None
    alone = operation.overwrites and not operation.inplace  # it cannot be run out of place
    if facts.reads != "value" or alone or len({value.shape for value in dependents}) > 1:
        return Provenance()
    sources = dict.fromkeys(known for value in dependents if (known := provenance(value)))
    if facts.moves in ("kept", "copied", "replaced"):
        return Provenance([*sources])

    def source(leaf: Any) -> Any:
        known = provenance(leaf) if isinstance(leaf, Tensor) else None
        return leaf if known is None else known

    return Provenance([*sources], operation.with_each(source))


def _roots(known: Operation, operation: Operation, result: Provenance) -> Iterator[Provenance]:
    """Where tensors come from that an operation may be better known as a function of."""
    [*sources], kind = result.sources, known.kind
    if kind in ("sum", "mul") and len(_dependents(operation)) == 1:
        made = producer(_dependents(operation)[0])
        if result.constants:
            yield from sources
        elif kind == "mul" and isinstance(made, FunctionOfOne) and made.kind == "rectifier":
            yield made.root  # such as the division by 6 at the end of a hard swish
    elif kind in ("sum", "mul", "unknown") or (kind == "rectifier" and sources and sources[0].odd):
        nodes = result.within()
        if kind == "rectifier":  # of its input it is known
            nodes.difference_update(sources)
        nearest_first = sorted(nodes, key=lambda node: node.depth, reverse=True)
        del nearest_first[_NEAREST:-_FARTHEST]
        yield from (node for node in nearest_first if result.behind(node) is not None)


def _tried(result: Provenance, root: Provenance) -> Tried | None:
    """Facts of the result as a function of the tensor at ``root``; ``None`` for unknown ones."""
    if len(root.shape) < 2:
        return None
    shape = [1] * len(root.shape)
    shape[root.axis] = root.shape[root.axis]
    places = _PLACES.view(-1, *[1] * (len(shape) - 1)).expand(-1, *shape[1:])

    def constant(values: Tensor) -> Tensor:
        values = values.detach().cpu()
        for axis in range(-values.ndim, 0) if values.ndim > 1 else ():
            first = values.narrow(axis, 0, 1)
            if axis % len(shape) != root.axis % len(shape) and (values == first).all():
                values = first  # the same at every place
        return values.double() if values.is_floating_point() else values

    try:
        with torch.no_grad():
            values = result.computed({root: places}, constant)
    except (RuntimeError, ValueError, TypeError, IndexError):  # it cannot be run on so few numbers
        return None
    if not isinstance(values, Tensor) or values.shape != places.shape:
        return None
    return tried_out(values.double().movedim(root.axis, -1).reshape(len(_PLACES), -1))


_NEAREST, _FARTHEST = 12, 4  # all would take the square of a long chain's length
_SIZES = torch.tensor(
    [0.01, 0.02, 0.05, 0.1, 0.3, 0.6, 1, 2, 3, 4, 6, 10, 30, 125, 250, 500], dtype=torch.float64
)
_PLACES = torch.cat([-_SIZES.flip(0), torch.zeros(1, dtype=torch.float64), _SIZES])


class Tried(NamedTuple):
    """Facts of a function of a number, in each of C channels.

    Attributes:
        facts: of all channels.
        gain: of a rectifier, ``(C,)`` or one number, as of an :class:`Operation`.
        scale: of a normalization, ``(C,)``.
    """

    facts: Facts
    gain: Tensor | float = 1.0
    scale: Tensor = torch.ones(1)


def tried_out(values: Tensor) -> Tried | None:
    """Facts of functions by their values at :data:`_PLACES`, ``(P, C)``; ``None`` for unknown ones.

    All channels have to be of one kind.
    """
    zero, one = values[_PLACES.eq(0)][0], values[_PLACES.eq(1)][0]
    scale, x = one - zero, _PLACES[:, None]
    if torch.allclose(values, x * scale + zero, rtol=1e-9, atol=1e-9):
        return Tried(Facts("normalization", "value"), scale=scale)
    above, below = values[_PLACES > 0], values[_PLACES < 0].flip(0)
    size = _SIZES[:, None]
    kept, turned = above / size, -below / size  # the shares of x and of -x that pass
    if not (values.isfinite().all() and (above > 0).all() and (kept > turned).all()):
        return None
    (slope, before), (low, lower) = (
        ((ends[-1] - ends[-2]) / 250, (ends[-2] - ends[-3]) / 125) for ends in (above, -below)
    )
    capped = slope.abs() < 1e-6
    gain = torch.where(capped, kept[0], slope)
    settled = torch.where(capped, (kept[1] / kept[0] - 1).abs(), (before / slope - 1).abs()) < 1e-3
    leaky = low.abs() > 1e-6 * gain
    straight = torch.where(leaky, (turned - low).abs().amax(0), (low - lower).abs()) < 1e-6 * gain
    if not (settled & straight & (low > -1e-6 * gain) & (leaky == leaky[0])).all():
        return None
    plain = torch.equal(values, x.clamp(min=0).expand_as(values))
    facts = Facts("rectifier", "value", plain=plain, leaky=bool(leaky[0]))
    return Tried(facts, gain=float(gain[0]) if torch.allclose(gain, gain[0]) else gain)
