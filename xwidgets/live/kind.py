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


def check_study(study: object) -> None:
    """Check that ``study`` is a study.

    Raises:
        ValueError: when it is not.

    Example:
        >>> check_study("a network")
        Traceback (most recent call last):
        ValueError: study is a str, but must be an xw.Study; make one with xw.Study(net, image)
    """
    if not is_study(study):
        raise ValueError(
            f"study is a {type(study).__name__}, but must be an xw.Study; make one with "
            "xw.Study(net, image)"
        )
