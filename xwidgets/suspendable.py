"""What frees memory while it is suspended."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Suspendable(Protocol):
    """Steps that hold what they can make again."""

    def rest(self) -> None:
        """Free it, between two steps."""
        ...
