"""Results as files: arrays and facts in one ``.npz`` file."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from xwidgets._version import __version__
from xwidgets.errors import one_line
from xwidgets.files import whole

from . import facts, npz


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of the packages that compute results."""
    told = {"xwidgets": __version__, "python": platform.python_version()}
    for name in ("torch", "numpy"):
        with suppress(PackageNotFoundError):  # results are shown without torch too
            told[name] = version(name)
    return told


@dataclass(frozen=True, eq=False)
class Result:
    """Base of results: a frozen dataclass whose fields are arrays, and facts that JSON can hold.

    What is read from a file has the types of the annotations and keeps within the ``limits`` of the
    fields; see :mod:`.facts`.

    Attributes:
        former_names: current names of fields, by their names in earlier files.
    """

    former_names: ClassVar[Mapping[str, str]] = {}

    def save(self, path: str | Path) -> None:
        """Write to an ``.npz`` file that :meth:`load` reads.

        Raises:
            ValueError: for the name of a picture or page, which views write.
            OSError: when that is not possible; a file that was there stays as it was.
        """
        if Path(path).suffix.lower() in (".png", ".jpg", ".jpeg", ".svg", ".pdf", ".html", ".htm"):
            raise ValueError(
                f"{str(path)!r} is no name of an .npz file, which a result is saved as; a picture "
                "or page is written by its view, as in xw.RelevanceOverlay(result).to_html(path)"
            )
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
        others = {name: value for name, value in values.items() if name not in arrays}
        text = json.dumps(others | {"kind": type(self).__name__, "arrays": list(arrays)})
        with whole(path) as part, open(part, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, facts=np.array(text), **arrays)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            ValueError: when the file is missing, damaged or of another kind.
        """
        with _readable(path, f"{cls.__name__} result"):
            arrays: dict[str, Any] = {**npz.read(path)}
            told = facts.parsed(str(arrays.pop("facts")))
            if (kind := told.pop("kind")) != cls.__name__:
                raise ValueError(f"it holds a {kind}")
            if lost := set(told.pop("arrays", arrays)) - set(arrays):
                raise ValueError(f"it lacks {', '.join(sorted(lost))}")
            return cls.restored(arrays | told)

    @classmethod
    def restored(cls, values: Mapping[str, Any]) -> Self:
        """Result of arrays and of facts as JSON holds them, by names that its fields have or had.

        Raises:
            ValueError: for values of other types, or that do not fit together.
        """
        values = {cls.former_names.get(name, name): values[name] for name in values}
        result = cls(**facts.typed(cls, values))
        if fault := facts.misfit(result) or result._fault():
            raise ValueError(fault)
        return result

    def _fault(self) -> str | None:
        """What does not fit together beyond the limits of the fields; ``None`` for nothing."""
        return None


def kind_of(path: str | Path) -> str:
    """Name of the class of the result that a file holds, such as ``"Relevance"``.

    Raises:
        ValueError: when the file is missing, damaged or no result.

    Example:
        >>> from xwidgets.results import Relevance
        >>> values, image = np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)
        >>> Relevance(values, image, "bits", "", "birds", 0, "wren", {}).save("map.npz")
        >>> kind_of("map.npz")
        'Relevance'
    """
    with _readable(path, "result"):
        return str(facts.parsed(str(npz.read(path)["facts"]))["kind"])


@contextmanager
def _readable(path: str | Path, what: str) -> Iterator[None]:
    """Context whose errors say that a file cannot be read as ``what``."""
    try:
        yield
    except FileNotFoundError as error:
        raise ValueError(f"there is no result at {str(path)!r}; check the path") from error
    except npz.DAMAGE as error:
        raise ValueError(
            f"{str(path)!r} is no readable {what} ({one_line(error)}); compute it again and write "
            "it with result.save(path)"
        ) from error
