"""Outputs of a classifier: logits, or what its last operation has made of them.

Explanations are of scores before softmax, or of each label's score before its sigmoid. Many
networks end in that softmax or sigmoid; then the scores are what goes into it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .operations import Operation

Outputs = Literal["logits", "independent", "probabilities", "log-probabilities"]
"""Logits of classes that exclude each other, before softmax; of independent labels, before their
sigmoids; or the probabilities of either."""

OUTPUTS: tuple[Outputs, ...] = ("logits", "independent", "probabilities", "log-probabilities")

GUESSES: Mapping[str, Outputs] = {
    "softmax": "probabilities",
    "log_softmax": "log-probabilities",
    "sigmoid": "independent",
}
"""Outputs of a network, by its last operation."""


class Link(NamedTuple):
    """The operation that made probabilities of scores.

    Attributes:
        name: one of :data:`GUESSES`.
        scores: ``(N, ...)``, what went into it, K for each image.
    """

    name: str
    scores: Tensor

    def made(self, outputs: object) -> bool:
        """Whether outputs are as many."""
        return (
            isinstance(outputs, Tensor)
            and outputs.ndim > 0
            and len(outputs) == len(self.scores)
            and outputs.numel() == self.scores.numel()
        )


_IN_ORDER = ("kept", "copied", "reshaped")


class LinkTrace(TorchFunctionMode):
    """A context that finds out by which operation a network's outputs were made probabilities.

    Example:
        >>> scores = torch.randn(1, 3)
        >>> with LinkTrace() as trace:
        ...     outputs = scores.softmax(1).float()
        >>> trace.link(outputs).name, trace.link(outputs).scores is scores
        ('softmax', True)
    """

    def link(self, outputs: Tensor) -> Link | None:
        """The last such operation, ``None`` where the outputs were made by another."""
        return getattr(outputs, "xwidgets_link", None)

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        with torch._C.DisableTorchFunction():
            operation = Operation(function, args, kwargs)
            link = self._link(operation)
        if link is not None and operation.overwrites:
            link = link._replace(scores=link.scores.clone())
        output = function(*args, **kwargs)
        with torch._C.DisableTorchFunction():
            made = operation.input if operation.overwrites else output
            fits = link is not None and link.made(made)
            if isinstance(made, Tensor) and (fits or operation.overwrites):
                made.xwidgets_link = link  # type: ignore[attr-defined]
        return output

    def _link(self, operation: Operation) -> Link | None:
        scores = operation.input
        if not isinstance(scores, Tensor) or scores.ndim < 2:
            return None
        if operation.name in GUESSES and operation.argument("dim", 1) in (1, 1 - scores.ndim, None):
            link = Link(operation.name, scores)
            alone = scores[:, :1].numel() == len(scores)  # one place, and not a map of them
            return link if operation.name == "sigmoid" or alone else None
        moved = operation.kind == "movement" and not operation.overwrites
        return self.link(scores) if moved and operation.facts.moves in _IN_ORDER else None


def guessed(outputs: Tensor, link: Link | None) -> tuple[Outputs, str]:
    """Guess of what outputs ``(N, K)`` are, and the reason; none for logits."""
    if link is not None:
        return GUESSES[link.name], f"ends in a {link.name}"
    rounding = 16 * torch.finfo(outputs.dtype).eps * outputs.shape[1] ** 0.5
    if outputs.shape[1] > 1 and share_out(outputs, rounding):
        return "probabilities", "returns numbers that sum to 1"
    return "logits", ""


def scores_of(outputs: Tensor, kind: Outputs, link: Link | None) -> Tensor:
    """Scores ``(N, K)`` behind a network's outputs: logits, of all classes or of each label.

    Args:
        outputs: ``(N, K)``, as the network returns them.
        kind: what they are.
        link: how they were made, if that was seen.

    Raises:
        ValueError: for probabilities of classes that do not sum to 1.
    """
    if link is not None and (GUESSES[link.name] == kind or outputs.shape[1] == 1):
        return outputs if kind == "logits" else link.scores.reshape(outputs.shape)
    if kind in ("logits", "independent"):
        return outputs
    chances = outputs.exp() if kind == "log-probabilities" else outputs
    if outputs.shape[1] == 1:
        return torch.logit(chances, eps=torch.finfo(outputs.dtype).tiny)
    if not share_out(chances):
        raise ValueError(
            f"the outputs are said to be {kind}, but these sum to {chances[0].sum():.3g} for an "
            'image; say outputs="independent" for labels of their own, or "logits"'
        )
    if kind == "log-probabilities":
        return outputs
    return outputs.clamp_min(torch.finfo(outputs.dtype).tiny).log()


def share_out(outputs: Tensor, rounding: float = 0.01) -> bool:
    """Whether outputs ``(N, K)`` of each image are shares of 1, as probabilities of classes are."""
    with torch._C.DisableTorchFunction():  # no traced pass looks at values by this
        return bool((outputs >= 0).all() and ((outputs.sum(1) - 1).abs() <= rounding).all())
