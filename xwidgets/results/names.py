"""What people call x-features, and whether they trust them, in a file that they can read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple, Self

from xwidgets.files import whole

from .x_features import XFeatures

VOTES = ("", "trust", "distrust")
_WRITING = RLock()


class Opinion(NamedTuple):
    """What a person says of the x-features of a module: names and votes, each ``""`` where none."""

    names: list[str]
    votes: list[str]

    def __bool__(self) -> bool:
        """Whether it says anything."""
        return any(self.names) or any(self.votes)

    def fits(self, count: int) -> bool:
        """Whether it is of this many x-features, and its votes are such."""
        known = all(vote in VOTES for vote in self.votes)
        return known and len(self.names) == len(self.votes) == count

    def filled(self, other: Opinion) -> Opinion:
        """With what another says wherever this one says nothing."""
        return Opinion(
            *(
                [one or two for one, two in zip(mine, theirs, strict=True)]
                for mine, theirs in zip(self, other, strict=True)
            )
        )


class Names:
    """Names and votes of the x-features of any number of modules.

    A module is known by its fingerprint: fitted again with other images or another seed, its
    x-features are others, and names of the one are no names of the other.

    Example:
        >>> import xwidgets as xw
        >>> net, (images, _) = xw.network("birds"), xw.scenes.draw("birds", range(300))
        >>> module = xw.fit_explanation(net, images, target=3, epochs=2, progress=False)
        >>> found = xw.x_features(net, module, images[0])
        >>> names = Names()
        >>> names.note(found, Opinion(["yellow beak", "", "", "", ""], ["trust", "", "", "", ""]))
        >>> names.save("names.json")
        >>> Names.load("names.json").of(found).names
        ['yellow beak', '', '', '', '']
    """

    def __init__(self) -> None:
        self._modules: dict[str, dict[str, Any]] = {}

    def note(self, found: XFeatures, opinion: Opinion) -> None:
        """Keep what is said of the module that found these x-features.

        Raises:
            ValueError: for a vote that there is not, or names of more or fewer x-features.
        """
        count = len(found.weights)
        if not opinion.fits(count):
            raise ValueError(
                f"there are {count} x-features; give a name and a vote of 'trust', 'distrust' or "
                "'' for each"
            )
        self._modules[found.module] = _subject(found) | {
            "x-features": [
                {"name": name, "vote": vote} for name, vote in zip(*opinion, strict=True)
            ]
        }

    def of(self, found: XFeatures) -> Opinion:
        """What was said of the module that found these x-features; nothing, when none is known.

        Raises:
            ValueError: when only another module of the same class, layer and network is known.
        """
        known, count = self._modules.get(found.module), len(found.weights)
        if known is None:
            subject = _subject(found)
            if any(subject.items() <= other.items() for other in self._modules.values()):
                raise ValueError(
                    f"these names are of another module for {found.label!r}, fitted with other "
                    "images, options or seed; load that module with xw.ExplanationModule.load, or "
                    "name this one in another file"
                )
            return Opinion([""] * count, [""] * count)
        features = known["x-features"]
        if len(features) != count:
            raise ValueError(
                f"these names are of {len(features)} x-features, not of {count}; correct the file"
            )
        return Opinion([one["name"] for one in features], [one["vote"] for one in features])

    def knows(self, found: XFeatures) -> bool:
        """Whether something was said of the module that found these x-features."""
        return found.module in self._modules

    def add(self, other: Names) -> None:
        """Take over what others say; of a module of which both say something, what they say."""
        self._modules |= other._modules

    def suggestions(self) -> list[str]:
        """All names so far, sorted."""
        modules = self._modules.values()
        return sorted({one["name"] for known in modules for one in known["x-features"]} - {""})

    def save(self, path: str | Path) -> None:
        """Write to a JSON file, which is whole at any time."""
        text = json.dumps({"modules": self._modules}, indent=2, ensure_ascii=False)
        with whole(path) as part:
            part.write_text(text, "utf-8")

    def note_in(self, path: str | Path, found: XFeatures, opinion: Opinion) -> None:
        """Keep what is said, here and in a file to which others may have written meanwhile.

        Raises:
            ValueError: when the file holds something else, which is left alone.
        """
        with _WRITING:
            if Path(path).exists():
                self.add(Names.load(path))
            self.note(found, opinion)
            self.save(path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            ValueError: when the file is missing, or holds something else.
        """
        names = cls()
        try:
            names._modules = json.loads(Path(path).read_text("utf-8"))["modules"]
            if not all(_is_known(module) for module in names._modules.values()):
                raise ValueError("an x-feature has no name or no vote")
        except FileNotFoundError as error:
            raise ValueError(
                f"there is no file of names at {str(path)!r}; check the path"
            ) from error
        except (
            OSError, AttributeError, KeyError, TypeError, ValueError, RecursionError
        ) as error:  # fmt: skip
            raise ValueError(
                f"{str(path)!r} holds no names of x-features ({error}); give another file"
            ) from error
        return names


def _subject(found: XFeatures) -> dict[str, Any]:
    return {
        "network": found.network_name,
        "layer": found.layer,
        "label": found.label,
        "method": found.method,
    }


def _is_known(module: dict[str, Any]) -> bool:
    features: Sequence[dict[str, Any]] = module["x-features"]
    return bool(features) and all(
        isinstance(one["name"], str) and one["vote"] in VOTES for one in features
    )
