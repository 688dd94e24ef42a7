"""Protocol of computations that can free memory while they are suspended."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Suspendable(Protocol):
    """Steps that hold what they can make again."""

    def rest(self) -> None:
        """Free it, between two steps."""
        ...
