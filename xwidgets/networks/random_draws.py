"""Networks that draw random numbers in evaluation mode, which are not explained.

The same image has other scores in each pass through them, so that nothing that is computed from
several passes, or is to be found again, is right. Usually a functional dropout has no `training=`.
Numbers that are drawn and do not matter, or from a seed, are allowed. Random numbers of torch are
seen, those of Python and NumPy are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .evaluation_copy import evaluation_copy
from .operations import Operation, constant, tensors


@contextmanager
def refusing_random(name: str, module: nn.Module, image: Tensor) -> Iterator[None]:
    """A context in which a module runs, and at whose end it is refused if it is random.

    Args:
        name: of the network, in errors.
        module: in evaluation mode.
        image: ``(1, C, H, W)``, of the shape that it takes. Where random numbers were drawn, the
            module is run on such an image twice again, with 0 and with 1 in their place.

    Raises:
        ValueError: when these passes differ; it names the operation and its module.

    Example:
        >>> module = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
        >>> image = torch.rand(1, 3, 2, 2)
        >>> with refusing_random("small", module.eval(), image):
        ...     output = module(image)
    """
    before = evaluation_copy(module)  # what a pass writes down is not there in the next
    with _Draws(nn.Identity()) as draws:
        yield
    if draws.first is None:
        return
    probe = torch.linspace(0, 1, image.numel()).view(image.shape).to(image)
    outputs, states = [], []
    for instead in (0, 1):
        again = evaluation_copy(before)
        with _Draws(again, instead) as draws:
            outputs.append([*tensors(again(probe.clone()))])
        states.append(draws.states)
    alike = all(torch.equal(*pair) for pair in zip(*outputs, strict=True))
    seeded = any(states) and states[0] == states[1]
    if draws.first is not None and not alike and not seeded:
        operation, where = draws.first
        raise ValueError(
            f"{name} is random in evaluation mode: {operation!r} {where} draws random numbers, so "
            "that each pass gives other scores; write it with training=self.training, or draw "
            "only if self.training"
        )


class _Draws(TorchFunctionMode):
    """A context that finds operations that draw random numbers.

    Args:
        module: whose parts are named.
        instead: what they make from then on; ``None`` for what they draw. What is drawn from a
            generator of the network's own remains.

    Attributes:
        first: name of the first such operation, and where it is called; ``None`` for none.
        states: of the generator before each of them, which are the same where it was seeded.
    """

    def __init__(self, module: nn.Module, instead: float | None = None) -> None:
        super().__init__()
        self._names = {child: name for name, child in module.named_modules()}
        self._instead = instead
        self._running: list[nn.Module] = []
        self._handles: list[Any] = []
        self.first: tuple[str, str] | None = None
        self.states: list[bytes] = []

    def __enter__(self) -> _Draws:
        for child in self._names:
            self._handles += [
                child.register_forward_pre_hook(lambda child, _: self._running.append(child)),
                child.register_forward_hook(lambda *_: self._running.pop() and None),
            ]
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
        kwargs = dict(kwargs or {})
        operation = Operation(function, constant(args), kwargs)
        if not operation.facts.random:
            return function(*args, **kwargs)
        self.first = self.first or (operation.name, self._where())
        if self._instead is None or kwargs.get("generator") is not None:
            return function(*args, **kwargs)
        self.states.append(torch.random.get_rng_state().numpy().tobytes())
        output = function(*args, **kwargs)
        for value in tensors(output):
            if value.is_floating_point():
                value.fill_(self._instead)
        return output

    def _where(self) -> str:
        running = self._running[-1] if self._running else None
        name = "" if running is None else self._names[running]
        return f"in its module {name!r}" if name else "in its forward"
