"""Recognition of studies by code that must not import what computes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from .study import Study


def is_study(value: object) -> TypeIs[Study]:
    """Whether ``value`` is a study. Imports neither torch nor the study's module.

    Example:
        >>> is_study("a picture")
        False
    """
    kind = getattr(sys.modules.get(f"{__package__}.study"), "Study", None)
    return kind is not None and isinstance(value, kind)
