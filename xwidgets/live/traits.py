"""Traits of numbers that browsers and methods can take."""

from __future__ import annotations

from math import isfinite
from typing import Any

import traitlets


class Number(traitlets.Float[Any, Any]):
    """A finite number, as browsers know no other from Python; no boolean.

    Example:
        >>> class Square(traitlets.HasTraits):
        ...     side = Number(1.0)
        >>> Square(side=float("nan"))
        Traceback (most recent call last):
        traitlets.traitlets.TraitError: side is nan, but must be a finite number
    """

    def validate(self, obj: Any, value: Any) -> Any:
        """Refuse NaN, infinity and booleans."""
        if isinstance(value, bool):
            raise traitlets.TraitError(f"{self.name} is {value}, but must be a finite number")
        checked = super().validate(obj, value)
        if checked is not None and not isfinite(checked):
            raise traitlets.TraitError(f"{self.name} is {checked}, but must be a finite number")
        return checked


class Whole(traitlets.Int[Any, Any]):
    """A whole number; no boolean.

    Example:
        >>> class Pictures(traitlets.HasTraits):
        ...     count = Whole(1, min=1)
        >>> Pictures(count=True)
        Traceback (most recent call last):
        traitlets.traitlets.TraitError: count is True, but must be a whole number
    """

    def validate(self, obj: Any, value: Any) -> Any:
        """Refuse booleans."""
        if isinstance(value, bool):
            raise traitlets.TraitError(f"{self.name} is {value}, but must be a whole number")
        return super().validate(obj, value)


def a_point() -> traitlets.List[Any]:
    """Trait of a place in a picture, row and column as shares of height and width; its middle.

    Example:
        >>> class Look(traitlets.HasTraits):
        ...     center = a_point()
        >>> Look().center
        [0.5, 0.5]
    """
    share = Number(min=0, max=1)
    return traitlets.List(share, [0.5, 0.5], minlen=2, maxlen=2)
