"""Runs of methods, in steps.

A network may be trained, loaded or moved while it is explained. A run whose weights have changed
is of no use, so it starts again, from then on with a copy of the weights, which it ends with. One
that follows the weights starts again at each further change. Its results that were reached with a
copy are shown before that, so that there is something to see of a network that is being trained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from xwidgets.networks.subject import Subject
from xwidgets.suspendable import Suspendable

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Run(Protocol[R_co]):
    """Computation of a method for some targets, in steps.

    One that holds much is a :class:`Suspendable`.
    """

    def steps(self) -> Iterator[object]:
        """Compute one part a step, and nothing between steps."""
        ...

    def results(self) -> Sequence[R_co]:
        """Results so far, one a target."""
        ...


class InOneGo(Generic[R]):
    """Run of a single step, in which ``compute`` returns the results for all targets."""

    def __init__(self, compute: Callable[[], Sequence[R]]) -> None:
        self._compute = compute
        self._results: Sequence[R] = ()

    def steps(self) -> Iterator[None]:
        """Compute."""
        self._results = self._compute()
        yield

    def results(self) -> Sequence[R]:
        """Results, one a target; empty before the step."""
        return self._results


class SteadyRun(Generic[R]):
    """Run that starts again when the weights change.

    Args:
        begin: starts it on a subject.
        subject: the image in the network.
        follows: whether it starts again at every change, and not only at the first.

    Attributes:
        state: of the weights that the results are of, a :attr:`Network.state`.
    """

    def __init__(
        self, begin: Callable[[Subject], Run[R]], subject: Subject, follows: bool = False
    ) -> None:
        self._follows = follows
        self._begin, self._subject, self._net = begin, subject, subject.net
        self.state = self._net.state
        self._run = begin(subject)

    def steps(self) -> Iterator[None]:
        """Compute one part a step."""
        steps, frozen = self._run.steps(), False
        while True:
            try:
                next(steps)
            except StopIteration:
                return
            except Exception:  # as when the weights moved to another device meanwhile
                changed = self._net.state != self.state
                if frozen or not changed:
                    raise
            else:
                changed = self._net.state != self.state
                if frozen or not changed:
                    yield
            if changed and (self._follows or not frozen):
                steps, frozen = self._restarted(), True

    def results(self) -> Sequence[R]:
        """Results so far, one a target."""
        return self._run.results()

    def rest(self) -> None:
        """Free what the next step makes again, between two steps."""
        if isinstance(self._run, Suspendable):
            self._run.rest()

    def _restarted(self) -> Iterator[object]:
        self.state = self._net.state
        self._run = self._begin(Subject(self._net.frozen(), self._subject.image))
        return self._run.steps()
