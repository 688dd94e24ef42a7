"""Several live results as one piece of work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import traitlets

from .following import Following
from .live_result import LiveResult, Progress

STATES = ("computing", "stopped", "failed", "complete")
"""The state of the whole is the first of these that a part is in."""


class LiveResults(Following, traitlets.HasTraits):
    """Live results that are computed, stopped and watched together.

    Args:
        parts: of one study.

    Attributes:
        progress: a :class:`Progress`; its share is the mean of the parts, its time their longest.

    Example:
        >>> import xwidgets as xw
        >>> with xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image) as study:
        ...     parts = LiveResults([study.live(), study.live()])
        ...     for part, target in zip(parts, (1, 2)):
        ...         part.ask(xw.live.Question(study.subject, study.subject.target(target),
        ...                                   xw.Saliency()))
        ...     [part.wait().target for part in parts], parts.progress.state
        ([1, 2], 'complete')
    """

    progress = traitlets.Instance(Progress, args=("complete",), read_only=True)

    def __init__(self, parts: Sequence[LiveResult[Any, Any]]) -> None:
        super().__init__()
        self._parts = tuple(parts)
        for part in self._parts:
            self.follow(part, self._tell, "progress")

    def __iter__(self) -> Iterator[LiveResult[Any, Any]]:
        return iter(self._parts)

    def stop(self) -> None:
        """Stop computing, and keep the results so far."""
        for part in self:
            part.stop()

    def resume(self) -> None:
        """Continue after :meth:`stop`."""
        for part in self:
            part.resume()

    def watched(self, viewers: int) -> None:
        """Tell that the number of views on screen changed by ``viewers``."""
        for part in self:
            part.watched(viewers)

    def forget(self) -> None:
        """Discard all answers, as when the network has changed."""
        for part in self:
            part.forget()

    def close(self) -> None:
        """Drop all questions, and follow the parts no more."""
        self.unfollow()
        for part in self:
            part.drop()

    def _tell(self) -> None:
        each = [part.progress for part in self]
        state = next(state for state in STATES if any(progress.state == state for progress in each))
        ended = ("complete", "failed")
        shares = [1.0 if progress.state in ended else progress.share for progress in each]
        times = [progress.seconds_left for progress in each if progress.seconds_left is not None]
        message = next((progress.message for progress in each if progress.message), "")
        share, left = sum(shares) / len(shares), max(times, default=None)
        self.set_trait("progress", Progress(state, share, left, message))
