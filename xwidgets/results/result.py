"""Results as files: arrays and facts in one ``.npz`` file."""

from __future__ import annotations

import json
import platform
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from xwidgets._version import __version__
from xwidgets.files import whole


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

    For a fact that JSON changes, such as a tuple, ``_forms`` has the function that restores it.

    Attributes:
        former_names: current names of fields, by their names in earlier files.
    """

    former_names: ClassVar[Mapping[str, str]] = {}
    _forms: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}

    def save(self, path: str | Path) -> None:
        """Write to an ``.npz`` file that :meth:`load` reads.

        Raises:
            OSError: when that is not possible; a file that was there stays as it was.
        """
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
        facts = {name: value for name, value in values.items() if name not in arrays}
        text = json.dumps(facts | {"kind": type(self).__name__, "arrays": list(arrays)})
        with whole(path) as part, open(part, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, facts=np.array(text), **arrays)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            ValueError: when the file is missing, damaged or of another kind.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                facts: dict[str, Any] = json.loads(str(file["facts"]))
                kind = facts.pop("kind")
                arrays = {name: file[name] for name in file.files if name != "facts"}
            if lost := set(facts.pop("arrays", arrays)) - set(arrays):
                raise ValueError(f"it lacks {', '.join(sorted(lost))}")
            facts = {name: cls._forms.get(name, _same)(value) for name, value in facts.items()}
            if kind != cls.__name__:
                raise ValueError(f"it holds a {kind}")
            values = arrays | facts
            result = cls(**{cls.former_names.get(name, name): values[name] for name in values})
        except FileNotFoundError as error:
            raise ValueError(f"there is no result at {str(path)!r}; check the path") from error
        except _DAMAGE as error:
            raise ValueError(
                f"{str(path)!r} is no readable {cls.__name__} result ({error}); compute it again "
                "and write it with result.save(path)"
            ) from error
        if fault := result._fault():
            raise ValueError(f"{str(path)!r} holds no {cls.__name__} ({fault}); compute it again")
        return result

    def _fault(self) -> str | None:
        """Description of arrays that do not fit together; ``None`` when they do."""
        raise NotImplementedError


def _same(value: Any) -> Any:
    return value


_DAMAGE = (OSError, KeyError, TypeError, ValueError, EOFError, RuntimeError,
           zipfile.BadZipFile, zlib.error)  # fmt: skip
