"""Names that were called otherwise before, in one table."""

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any

from .errors import warn

ALIASES: Mapping[str, str] = {
    "xwidgets.widgets.Inquiry": "xwidgets.widgets.LiveResult",
}
"""By what it was called before, what it is called now."""


def renamed(module: str, name: str) -> Any:
    """What was called ``name`` before in a module, with a warning that tells its name now.

    Raises:
        AttributeError: when there was no such name.
    """
    now = ALIASES.get(f"{module}.{name}")
    if now is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    warn(f"{module}.{name} is called {now} now", DeprecationWarning)
    return resolve_name(now)
