"""Outputs of a classifier: logits, or what its last operation has made of them.

Explanations are of scores before softmax, or of each label's score before its sigmoid. Many
networks end in that softmax or sigmoid; then the scores are what goes into it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, cast

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
        scores: ``(N, K)``, what went into it.
    """

    name: str
    scores: Tensor


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
            fits = link is not None and isinstance(made, Tensor) and made.shape == link.scores.shape
            if fits or operation.overwrites:
                cast(Any, made).xwidgets_link = link
        return output

    def _link(self, operation: Operation) -> Link | None:
        scores = operation.input
        if not isinstance(scores, Tensor) or scores.ndim != 2:
            return None
        if operation.name in GUESSES and operation.argument("dim", 1) in (1, -1, None):
            return Link(operation.name, scores)
        moved = operation.kind == "movement" and not operation.overwrites
        return self.link(scores) if moved else None


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
        return outputs if kind == "logits" else link.scores
    if kind != "probabilities":
        return outputs
    if outputs.shape[1] == 1:
        return torch.logit(outputs, eps=torch.finfo(outputs.dtype).tiny)
    totals = outputs.sum(1)
    if (outputs < 0).any() or ((totals - 1).abs() > 0.01).any():
        raise ValueError(
            f"the outputs are said to be probabilities, but sum to {totals[0]:.3g} for an image; "
            'say outputs="independent" for labels of their own, or "logits"'
        )
    return outputs.clamp_min(torch.finfo(outputs.dtype).tiny).log()
