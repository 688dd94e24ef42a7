"""Names of a network's classes, in the forms in which data sets and frameworks hand them out."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

from xwidgets.errors import WrongType, shown, unknown

ClassNames = Iterable[str] | Mapping[Any, Any]
"""Names in the order of the outputs; or by index, as in ``{"0": ["n01440764", "tench"]}`` whose
last part is the name; or indices by name, as ``class_to_idx`` of torchvision's data sets."""


def class_names(classes: ClassNames) -> tuple[str, ...]:
    """Names in the order of the outputs.

    Raises:
        ValueError: for a mapping that lacks an index, or what holds no names.

    Example:
        >>> class_names({"1": ["n01443537", "goldfish"], "0": ["n01440764", "tench"]})
        ('tench', 'goldfish')
        >>> class_names({"cat": 0, "dog": 1})
        ('cat', 'dog')
    """
    if isinstance(classes, Mapping) and classes:
        return _by_index(classes)
    if isinstance(classes, str | bytes | set | frozenset) or not isinstance(classes, Iterable):
        raise WrongType(
            f"classes is a {type(classes).__name__}, but must be a list of the class names, or a "
            "dict of them by index"
        )
    names = tuple(map(_name, classes))
    if not names:  # of a mapping too
        raise ValueError("classes is empty; give the name of each class, or None")
    return names


def index_of(name: str, names: Sequence[str], owner: str) -> int:
    """Index of the class of this name.

    Raises:
        ValueError: when there is none, or several.

    Example:
        >>> index_of("crane", ["crane", "tench", "crane"], "SqueezeNet")
        Traceback (most recent call last):
        ValueError: SqueezeNet has several classes 'crane': 0, 2; give the index of one
    """
    indices = [index for index, known in enumerate(names) if known == name]
    if not indices:
        raise unknown("class", name, names, f"(of {owner})")
    if len(indices) > 1:
        several = ", ".join(map(str, indices))
        raise ValueError(f"{owner} has several classes {name!r}: {several}; give the index of one")
    return indices[0]


def _by_index(classes: Mapping[Any, Any]) -> tuple[str, ...]:
    pairs: Iterable[tuple[Any, Any]] = classes.items()
    by_name = {*map(str, classes)} != {*map(str, range(len(classes)))}
    if by_name and all(isinstance(value, Integral) for value in classes.values()):
        pairs = ((index, name) for name, index in pairs)
    names = {str(index): _name(name) for index, name in pairs}
    missing = next((index for index in range(len(classes)) if str(index) not in names), None)
    if missing is not None:
        raise ValueError(
            f"classes has {len(classes)} names, but none for index {missing}; give one for each "
            f"of 0 to {len(classes) - 1}"
        )
    return tuple(names[str(index)] for index in range(len(names)))


def _name(given: Any) -> str:
    name = given[-1] if isinstance(given, list | tuple) and given else given
    if isinstance(name, bytes) or getattr(name, "ndim", False):
        raise WrongType(f"a class is called {shown(name)}, but must have a text for a name")
    return str(name)
