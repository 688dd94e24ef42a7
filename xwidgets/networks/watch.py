"""Watching a forward pass: every operation of it, and the way back through each.

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

from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import get_ident
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import vmap
from torch.overrides import TorchFunctionMode

from .operations import Kind, Operation, producer

Rule = Callable[[Operation], Any]
"""Runs an operation, with a backward of its own."""


class Watch(TorchFunctionMode):
    """A context in which a module's forward pass is watched.

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
        >>> with Watch(module, layers=["0"]) as watch:
        ...     output = module(torch.rand(1, 3, 8, 8))
        >>> torch.equal(watch.activations["0"], output)
        True
    """

    def __init__(
        self,
        module: nn.Module,
        layers: Iterable[str] = (),
        rules: Mapping[Kind, Rule] | None = None,
    ) -> None:
        super().__init__()
        for child in module.modules():
            if isinstance(child, torch.jit.ScriptModule) or hasattr(child, "_orig_mod"):
                raise ValueError(
                    f"{type(child).__name__} is compiled and hides its operations; give the module "
                    "as it was before torch.jit.script, torch.jit.trace or torch.compile"
                )
        self.activations: dict[str, Tensor] = {}
        self._modules = {module.get_submodule(name): name for name in layers}
        self._rules = rules or {}
        self._handles: list[Any] = []

    def __enter__(self) -> Watch:
        self._thread = get_ident()
        self._handles = [child.register_forward_hook(self._arrive) for child in self._modules]
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        for handle in self._handles:
            handle.remove()

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        args = tuple(_constant(value) for value in args)
        kwargs = {name: _constant(value) for name, value in (kwargs or {}).items()}
        operation = Operation(function, args, kwargs)
        rule = self._rules.get(operation.kind) if operation.inputs else None
        layer = getattr(operation.input, "xwidgets_layer", None)
        if operation.kind not in ("normalization", "rectifier"):
            layer = None
        if rule is None and layer is None:
            output = function(*args, **kwargs)
        else:
            output = result = operation() if rule is None else rule(operation)
            if layer is not None:
                self.activations[layer] = result
                output = result.clone()
            if operation.inplace:
                output = operation.input.copy_(result)
        if isinstance(output, Tensor) and (operation.inplace or output is not operation.input):
            output.xwidgets_layer = layer if operation.kind == "normalization" else None  # type: ignore[attr-defined]
            known = bool(self._rules) and operation.kind in ("linear", "gate")
            output.xwidgets_producer = operation if known else None  # type: ignore[attr-defined]
        return output

    def _arrive(self, module: nn.Module, _: object, output: object) -> Tensor | None:
        name = self._modules[module]
        if get_ident() != self._thread or name in self.activations:
            return None
        if not isinstance(output, Tensor):
            raise ValueError(
                f"layer {name!r} returns {type(output).__name__}, not one tensor; choose a layer "
                "inside or behind it"
            )
        self.activations[name] = output
        onward = output.clone()  # in-place operations further on leave what is kept as it is
        if isinstance(module, nn.modules.conv._ConvNd | nn.Linear):
            onward.xwidgets_layer = name  # type: ignore[attr-defined]
            onward.xwidgets_producer = producer(output)  # type: ignore[attr-defined]
        return onward


def _constant(value: object) -> object:
    return value.detach() if isinstance(value, nn.Parameter) else value


def undefined(method: str) -> Rule:
    """The rule for operations through which ``method`` is not defined: no signal may come there."""

    def rule(operation: Operation) -> Any:
        def refuse(_: Tensor) -> None:
            raise ValueError(
                f"{method} is not defined through {operation.name!r}, which the signal passes on "
                "its way; start from a layer before it, or stop behind it"
            )

        output = operation()
        for value in output if isinstance(output, tuple | list) else (output,):
            if isinstance(value, Tensor) and value.requires_grad:
                value.register_hook(refuse)
        return output

    return rule


def go_back(start: Tensor, seeds: Tensor, to: Tensor) -> Tensor:
    """What arrives at ``to`` when signals set out from ``start``.

    Args:
        start: ``(N, ...)``, an output of a watched pass.
        seeds: ``(M, N, ...)``, M signals that set out together and do not meet.
        to: ``(N, ...)``, its pixels or activations.

    Returns:
        ``(M, N, ...)``, of the shape of ``to``.

    Raises:
        ValueError: when no operation leads from ``to`` to ``start``.
    """

    def back(seed: Tensor) -> Tensor:
        (signal,) = torch.autograd.grad(start, to, seed, retain_graph=True, allow_unused=True)
        if signal is None:
            raise ValueError("the layer to stop at does not lead to where the signal starts")
        return signal

    return back(seeds[0])[None] if len(seeds) == 1 else vmap(back)(seeds)


def nodes(tensor: Tensor, stop: Callable[[Any], bool] = lambda node: False) -> Iterator[Any]:
    """The autograd nodes behind a tensor; not beyond those where ``stop`` says so."""
    seen = set()
    ahead = [tensor.grad_fn]
    while ahead:
        node = ahead.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        if not stop(node):
            ahead.extend(following for following, _ in node.next_functions)
