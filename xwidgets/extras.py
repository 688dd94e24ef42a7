"""Packages of extras, which not everybody installs."""

from importlib import import_module
from types import ModuleType


def needed(name: str, extra: str) -> ModuleType:
    """Import a module of a package that an extra of this one brings.

    Args:
        name: of the module.
        extra: of this package, such as ``"survey"``.

    Raises:
        ValueError: where the package is missing.

    Example:
        >>> needed("no_such_package", "survey")
        Traceback (most recent call last):
        ValueError: no_such_package is not installed; install it with pip install 'xwidgets[survey]'
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != name.partition(".")[0]:
            raise
        raise ValueError(
            f"{error.name} is not installed; install it with pip install 'xwidgets[{extra}]'"
        ) from error
