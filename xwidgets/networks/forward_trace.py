"""Trace of a forward pass: every operation of it, and the way back through each.

Module hooks do not see functional calls, sums of branches or a second use of the same module, so
methods that rest on them silently return the plain gradient for such networks. A
`TorchFunctionMode` sees every operation. Where a method has a rule for an operation's kind, the
rule stands in for it: an `autograd.Function` that computes the very same output, and another signal
on the way back. autograd then does what it always does, through whatever graph the network is.

In-place operations are computed out of place and written back, so that their result arrives even
where the network drops what they return. Weights are constants: what requires a gradient is what
depends on the image.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import get_ident
from typing import Any, Self, cast

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import BackwardCFunction
from torch.func import vmap
from torch.overrides import TorchFunctionMode

from xwidgets.errors import unknown

from .operation_table import ROWS, Facts, Kind
from .operations import Operation, constant, producer

BackwardRule = Callable[[Operation], Any]
"""Runs an operation, with a backward of its own."""


class ForwardTrace(TorchFunctionMode):
    """A context in which a module's forward pass is traced, operation by operation.

    On leaving, also by an exception, the module is exactly as before.

    Args:
        module: the module whose layers are named.
        layers: names of the submodules whose activations are kept. Of a module that is used several
            times, those of its first use.
        rules: what stands in for the operations of each kind; operations of other kinds keep the
            gradient.

    Attributes:
        activations: by layer, its output, behind the batch norm and the rectifier that directly
            follow a convolution or linear layer.

    Raises:
        ValueError: for a module that hides its operations.

    Example:
        >>> module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        >>> with ForwardTrace(module, layers=["0"]) as trace:
        ...     output = module(torch.rand(1, 3, 8, 8))
        >>> torch.equal(trace.activations["0"], output)
        True
    """

    def __init__(
        self,
        module: nn.Module,
        layers: Iterable[str] = (),
        rules: Mapping[Kind, BackwardRule] | None = None,
    ) -> None:
        super().__init__()
        refuse_hiding(module)
        known = dict(module.named_modules(remove_duplicate=False))
        self._names: dict[nn.Module, list[str]] = {}
        for name in layers:
            if name not in known:
                raise unknown("layer", name, known)
            self._names.setdefault(known[name], []).append(name)
        self._rules = rules or {}
        self._mark = f"xwidgets_layers_{id(self)}"
        self._handles: list[Any] = []

    def __enter__(self) -> Self:
        if self._handles:
            raise ValueError("this ForwardTrace is already open; make another one")
        self._thread = get_ident()
        self.activations: dict[str, Tensor] = {}
        self._handles = [child.register_forward_hook(self._arrive) for child in self._names]
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        while self._handles:
            self._handles.pop().remove()

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        args, kwargs = constant(args), constant(dict(kwargs or {}))
        operation = Operation(function, args, kwargs)
        rule = self._rules.get(operation.kind) if operation.inputs else None
        names = getattr(operation.input, self._mark, ())
        behind = names if operation.kind in ("normalization", "rectifier") else ()
        if not self._copies():
            if operation.overwrites:
                self._save(operation.input, but=behind)
            output = function(*args, **kwargs)
            if behind:
                self.activations.update(dict.fromkeys(behind, output))
                setattr(operation.input, self._mark, ())
            on = operation.kind == "normalization" or operation.facts.moves == "copied"
            return self._marked(output, operation, names if on else ())
        if rule is not None:
            result = rule(operation)
        elif behind or (operation.inplace and operation.kind in ("rectifier", "gate")):
            result = operation(*(value.clone() for value in operation.inputs))
        else:
            output = function(*args, **kwargs)
            copied = operation.facts.moves == "copied"
            return self._marked(output, operation, names if copied else ())
        output = result
        if behind:
            self.activations.update(dict.fromkeys(behind, result))
            setattr(operation.input, self._mark, ())
            output = self._onward(result)
        if operation.inplace:
            output = cast(Tensor, operation.input).copy_(output)
        return self._marked(output, operation, behind if operation.kind == "normalization" else ())

    def _marked(self, output: Any, operation: Operation, names: Sequence[str]) -> Any:
        """``output``, with what later operations ask: whose output it is, and what made it."""
        target = operation.input if operation.overwrites else output
        if isinstance(target, Tensor) and (operation.overwrites or output is not operation.input):
            setattr(target, self._mark, names)
            target.xwidgets_producer = _maker(operation)  # type: ignore[attr-defined]
        return output

    def _save(self, overwritten: object, but: Sequence[str]) -> None:
        """Copy the activations that are about to be overwritten."""
        for name, kept in self.activations.items():
            if name not in but and _share(kept, overwritten):
                self.activations[name] = kept.clone()

    def _arrive(self, module: nn.Module, inputs: tuple[Any, ...], output: object) -> Any:
        names = self._names[module]
        if get_ident() != self._thread or names[0] in self.activations:
            return None
        if not isinstance(output, Tensor):
            raise ValueError(
                f"layer {names[0]!r} returns {type(output).__name__}, not one tensor; choose a "
                "layer inside or behind it"
            )
        # where the network goes on with copies, in-place operations leave what is kept as it is;
        # elsewhere it is copied when one comes
        if not self._copies():
            kept = onward = output
        elif self._in_place(inputs, output):
            kept = output.clone()
            onward = output.copy_(self._onward(kept))
        else:
            kept, onward = output, self._onward(output)
        self.activations.update(dict.fromkeys(names, kept))
        made = producer(output)
        if made is not None and made.kind == "linear":
            setattr(onward, self._mark, names)
        onward.xwidgets_producer = made  # type: ignore[attr-defined]
        return onward

    def _in_place(self, inputs: tuple[Any, ...], output: Tensor) -> bool:
        """Whether what the network goes on with has to stand where the output does."""
        return any(output is one for one in inputs)

    def _copies(self) -> bool:
        """Whether the network goes on with copies of what is kept, which lies on the way back."""
        return torch.is_grad_enabled()

    def _onward(self, kept: Tensor) -> Tensor:
        """Tensor that the network goes on with."""
        return kept.clone()


def _share(one: Tensor, other: object) -> bool:
    if not isinstance(other, Tensor):
        return False
    return one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


def refuse_hiding(module: nn.Module) -> None:
    """Raise for a module that hides its operations, or one with such a part."""
    for child in module.modules():
        if isinstance(child, torch.jit.ScriptModule):
            raise ValueError(
                f"{type(child).__name__} is compiled and hides its operations; give the module "
                "as it was before torch.jit.script or torch.jit.trace"
            )


def _maker(operation: Operation) -> Operation | None:
    if operation.kind == "linear":
        return operation
    if operation.kind in ("gate", "comparison") and operation.inputs:
        return operation.released() if operation.overwrites else operation
    before = producer(operation.input)
    if operation.kind == "movement" and before is not None and before.kind != "linear":
        return before
    return None


def undefined(method: str) -> BackwardRule:
    """The rule for operations through which ``method`` is not defined: no signal may come there."""

    def rule(operation: Operation) -> Any:
        name = operation.name

        def refuse(_: Tensor) -> None:
            raise ValueError(
                f"{method} is not defined through {name!r}, which the signal passes on "
                "its way; start from a layer before it, or stop behind it"
            )

        inputs = [value.view_as(value) for value in operation.inputs]
        for value in inputs:
            value.register_hook(refuse)
        return operation(*inputs)

    return rule


def go_back(start: Tensor, seeds: Tensor, to: Tensor) -> Tensor:
    """Signals that arrive at ``to`` when they set out from ``start``.

    Args:
        start: ``(N, ...)``, an output of a watched pass.
        seeds: ``(M, N, ...)``, M signals that set out together and do not meet.
        to: ``(N, ...)``, its pixels or activations.

    Returns:
        ``(M, N, ...)``, of the shape of ``to``.

    Raises:
        ValueError: when no operation leads from ``to`` to ``start``, or one that has no gradient.
    """

    if start.grad_fn is None:
        raise ValueError(
            "what the signal starts from does not depend on the pixels; take detach() and "
            "no_grad() out of the forward pass"
        )

    def back(seed: Tensor) -> Tensor:
        (signal,) = torch.autograd.grad(start, to, seed, retain_graph=True, allow_unused=True)
        if signal is None:
            raise ValueError("the layer to stop at does not lead to where the signal starts")
        return signal

    with torch.inference_mode(False), explained():
        return back(seeds[0])[None] if len(seeds) == 1 else vmap(back)(seeds)


@contextmanager
def explained() -> Iterator[None]:
    """Refusals of autograd, of in-place operations and the like, as a sentence."""
    try:
        yield
    except RuntimeError as error:
        if not re.search("in-?place|inference tensor|checkpoint", str(error), re.IGNORECASE):
            raise
        raise ValueError(
            f"the gradient cannot go back through this network ({error}); write the operation out "
            "of place, or make the network without checkpoints and outside of inference_mode"
        ) from error


def refuse_hidden(start: Tensor, functions: Collection[type[Function]]) -> None:
    """Raise when rectifiers, or functions other than the rules' own, lead to ``start`` unseen."""
    own = {f"{function.__name__}Backward" for function in functions}
    rectifiers = f"DifferentiableGraph|^({'|'.join(_rectifier_nodes())})"
    for node in nodes(start.grad_fn):
        name = node.name()
        foreign = isinstance(node, BackwardCFunction) and name not in own
        if foreign or re.search(rectifiers, name):
            raise ValueError(
                f"the forward pass holds {name!r}, an operation that could not be seen; it "
                "is compiled, or an autograd function of its own: write it with torch's operations"
            )


def _rectifier_nodes() -> Iterator[str]:
    """Beginnings of the names of the autograd nodes of what always is a rectifier."""
    for name, row in ROWS.items():
        if isinstance(row.facts, Facts) and row.facts.kind == "rectifier":
            yield name.title().replace("_", "")


def nodes(first: Any, stop: Callable[[Any], bool] = lambda node: False) -> Iterator[Any]:
    """The autograd nodes from ``first`` on; not beyond those where ``stop`` says so."""
    seen = set()
    ahead = [first]
    while ahead:
        node = ahead.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        if not stop(node):
            following = [one for one, _ in node.next_functions]
            overwritten = node.name().endswith("CopyBackwards")  # first leads to what was there
            ahead.extend(following[1:] if overwritten else following)
