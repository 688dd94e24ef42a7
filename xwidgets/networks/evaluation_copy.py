"""Copies of a module that are run while its owner goes on using it.

A module's mode is a flag that whoever runs it would have to set, and what it writes down while it
runs is seen by everybody. So it is not run itself, but a copy that is made for each call: other
modules of the same classes, in evaluation mode, with the same parameters and with buffers, hooks
and scratch of their own. Nothing is computed and no parameter is copied, so that it costs
microseconds a module, and weights that change are seen at the next call.

Modules are found where they are registered, and in attributes: in lists, tuples, dictionaries,
bound methods, partials and closures. Modules in other objects are run as they are.
"""

from __future__ import annotations

import copy
import functools
from collections import OrderedDict
from collections.abc import Iterator
from types import CellType, FunctionType, MethodType
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


def evaluation_copy(module: M, own_parameters: bool = False) -> M:
    """Structural copy of a module, in evaluation mode.

    Args:
        module: left as it is.
        own_parameters: whether the copy keeps the values of now when they change.

    Example:
        >>> module = nn.Sequential(nn.Linear(2, 3), nn.Dropout())
        >>> copied = evaluation_copy(module)
        >>> copied[0].weight is module[0].weight, copied[1].training, module[1].training
        (True, False, True)
    """
    with torch.inference_mode(False), torch.no_grad():
        return cast(M, _Copies(own_parameters).module(module))


class _Copies:
    """Copies by the identity of what they were made of, which is kept as long."""

    def __init__(self, own_parameters: bool) -> None:
        self._own_parameters = own_parameters
        self._known: dict[int, tuple[object, Any]] = {}
        self._modules = 0  # how many were met

    def module(self, module: nn.Module) -> nn.Module:
        self._modules += 1
        if (known := self._known.get(id(module))) is not None:
            return cast(nn.Module, known[1])
        if isinstance(module, torch.jit.ScriptModule):  # whose submodules a copy would share
            return cast(nn.Module, self._keep(module, copy.deepcopy(module).eval()))
        attributes = dict(vars(module))
        if "_orig_mod" in attributes["_modules"]:  # compiled, of what is in it as it is now
            return self.module(attributes["_modules"]["_orig_mod"])
        copied = self._keep(module, object.__new__(type(module)))
        for name, value in attributes.items():
            if (kind := type(value)) in _PLAIN:
                continue
            if kind in _CONTAINERS and not value:
                attributes[name] = kind()
            elif not (kind is tuple and _PLAIN.issuperset(map(type, value))):
                attributes[name] = self._hooks(value) if name in _HOOKS else self.value(value)
        vars(copied).update(attributes, training=False, _compiled_call_impl=None)
        return cast(nn.Module, copied)

    def value(self, value: Any) -> Any:
        """An attribute: what refers to modules refers to their copies, and scratch is own."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if isinstance(value, nn.Module):
            return self.module(value)
        if (known := self._known.get(id(value))) is not None:
            return known[1]
        if isinstance(value, Tensor):
            return self._tensor(value)
        if kind is tuple or hasattr(kind, "_fields"):
            items = map(self.value, value)
            return tuple(items) if kind is tuple else kind(*items)
        if isinstance(value, list | set):
            copied = self._keep(value, copy.copy(value))
            if not _PLAIN.issuperset(map(type, value)):
                copied.clear()
                (copied.extend if isinstance(value, list) else copied.update)(
                    map(self.value, value)
                )
            return copied
        if isinstance(value, dict):
            copied = self._keep(value, copy.copy(value))
            copied.update({name: self.value(item) for name, item in dict(value).items()})
            return copied
        if isinstance(value, MethodType):
            return MethodType(value.__func__, self.value(value.__self__))
        if kind is functools.partial:
            keywords = {name: self._bound(item) for name, item in value.keywords.items()}
            arguments = map(self._bound, value.args)
            return functools.partial(self._bound(value.func), *arguments, **keywords)
        return self._function(value) if kind is FunctionType and value.__closure__ else value

    def _tensor(self, value: Tensor) -> Tensor:
        if isinstance(value, nn.Parameter) and not self._own_parameters:
            return value
        copied = value.detach().clone()
        if isinstance(value, nn.Parameter):
            copied = nn.Parameter(copied, value.requires_grad)
        return cast(Tensor, self._keep(value, copied))

    def _hooks(self, hooks: Any) -> Any:
        """Hooks, of which those that refer to modules refer to copies."""
        if not isinstance(hooks, dict):
            return hooks
        copied = copy.copy(hooks)
        copied.update({key: self._bound(hook) for key, hook in dict(hooks).items()})
        return copied

    def _bound(self, value: Any) -> Any:
        """A value that a function holds: the caller's own, unless it refers to modules."""
        met = self._modules
        copied = self.value(value)
        return copied if self._modules > met or isinstance(value, FunctionType) else value

    def _function(self, function: FunctionType) -> FunctionType:
        """A function whose closure refers to modules, with their copies in it."""
        cells = [CellType() for _ in function.__closure__ or ()]
        copied = FunctionType(
            function.__code__,
            function.__globals__,
            function.__name__,
            function.__defaults__,
            tuple(cells),
        )
        copied.__kwdefaults__ = function.__kwdefaults__
        vars(copied).update(vars(function))
        self._keep(function, copied)
        met = self._modules
        for cell, before in zip(cells, function.__closure__ or (), strict=True):
            for content in _contents(before):
                cell.cell_contents = self._bound(content)
        return copied if self._modules > met else cast(FunctionType, self._keep(function, function))

    def _keep(self, value: object, copied: Any) -> Any:
        self._known[id(value)] = value, copied
        return copied


_PLAIN = frozenset({int, float, bool, str, bytes, type(None), torch.dtype, torch.device, type})
_CONTAINERS = frozenset({list, dict, set, OrderedDict})


def _contents(cell: CellType) -> Iterator[Any]:
    try:
        yield cell.cell_contents
    except ValueError:  # not assigned yet
        return


_HOOKS = frozenset(name for name in vars(nn.Module()) if name.endswith("_hooks"))
