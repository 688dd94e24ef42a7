"""Names and votes that people give to x-features, in a readable file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from xwidgets.files import locked, whole

from .facts import parsed
from .x_features import XFeatures

VOTES = ("", "trust", "distrust")


class Opinion(NamedTuple):
    """Names and votes of a person for the x-features of a module; ``""`` for none."""

    names: list[str]
    votes: list[str]

    def __bool__(self) -> bool:
        """Whether there is any name or vote."""
        return any(self.names) or any(self.votes)

    def fits(self, count: int) -> bool:
        """Whether there are ``count`` names and votes, and the votes are valid."""
        known = all(vote in VOTES for vote in self.votes)
        return known and len(self.names) == len(self.votes) == count

    def changed(self, before: Opinion, theirs: Opinion) -> Opinion:
        """Another's opinion with the names and votes in which this one differs from ``before``."""
        return Opinion(
            *(
                [ours if ours != old else others for ours, old, others in zip(*three, strict=True)]
                for three in zip(self, before, theirs, strict=True)
            )
        )

    def filled(self, other: Opinion) -> Opinion:
        """Opinion completed by another's names and votes where this one has none."""
        return Opinion(
            *(
                [ours or others for ours, others in zip(mine, theirs, strict=True)]
                for mine, theirs in zip(self, other, strict=True)
            )
        )


class Names:
    """Names and votes of the x-features of any number of modules.

    Modules are identified by fingerprint: fitted again with other images or another seed, a module
    has other x-features, to which these names do not apply.

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
        self._rest: dict[str, Any] = {}  # what newer versions have in their files besides
        self._held: dict[str, Opinion] = {}  # what the file held when a module was last in step
        self._unwritten: set[str] = set()  # modules that were noted since

    def note(self, found: XFeatures, opinion: Opinion) -> None:
        """Keep an opinion on the x-features of a module.

        Raises:
            ValueError: for an invalid vote, or another number of names than x-features.
        """
        count = len(found.weights)
        if not opinion.fits(count):
            raise ValueError(
                f"there are {count} x-features; give a name and a vote of 'trust', 'distrust' or "
                "'' for each"
            )
        known = self._modules.get(found.module, {})
        if len(known.get("x-features", [])) != count:
            known = {"x-features": [{}] * count}
        self._modules[found.module] = _noted(known, opinion) | _subject(found)
        self._unwritten.add(found.module)

    def of(self, found: XFeatures) -> Opinion:
        """Opinion on the x-features of a module; empty for an unknown module.

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
        return _opinion(known)

    def knows(self, found: XFeatures) -> bool:
        """Whether there is an opinion on the x-features of this module."""
        return found.module in self._modules

    def add(self, other: Names) -> None:
        """Add the opinions of ``other``, which replace those on the same modules."""
        self._modules |= other._modules
        self._rest |= other._rest

    def suggestions(self) -> list[str]:
        """Names given so far, sorted."""
        features = (feature for known in self._modules.values() for feature in known["x-features"])
        return sorted({feature["name"] for feature in features} - {""})

    def save(self, path: str | Path) -> None:
        """Write to a JSON file, which is replaced as a whole."""
        text = json.dumps(self._rest | {"modules": self._modules}, indent=2, ensure_ascii=False)
        with whole(path) as part:
            part.write_text(text, "utf-8")

    def note_in(self, path: str | Path, found: XFeatures, opinion: Opinion) -> Opinion:
        """Keep an opinion here and in a file that others may have changed meanwhile.

        Where it says the same as when the module was last in step with the file, names and votes
        that others have written hold. What could not be written before is written now.

        Args:
            path: of the file.
            found: x-features of the module.
            opinion: on them now.

        Returns:
            The opinion that the file holds now.

        Raises:
            ValueError: when the file holds something else; it stays as it is.
            OSError: when it cannot be written.
        """
        self.note(found, opinion)
        with locked(path):
            if Path(path).exists():
                self._merge(Names.load(path))
            self.save(path)
        self._held |= {name: _opinion(self._modules[name]) for name in self._unwritten}
        self._unwritten.clear()
        return self.of(found)

    def _merge(self, file: Names) -> None:
        """Take over what a file holds, but for what was changed here and not written."""
        changed = {
            name: _merged(self._modules[name], self._held.get(name), theirs)
            for name, theirs in file._modules.items()
            if name in self._unwritten
        }
        self._modules |= file._modules | changed
        self._rest |= file._rest

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            ValueError: when the file is missing, or holds something else.
        """
        names = cls()
        try:
            content = parsed(Path(path).read_text("utf-8"))
            names._modules = content.pop("modules")
            names._rest = content
            if not all(_is_known(module) for module in names._modules.values()):
                raise ValueError("an x-feature has no name or no vote")
            names._held = {name: _opinion(known) for name, known in names._modules.items()}
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


def _opinion(known: dict[str, Any]) -> Opinion:
    """The opinion in what is kept of a module."""
    features = known["x-features"]
    names, votes = ([feature[part] for feature in features] for part in ("name", "vote"))
    return Opinion(names, votes)


def _noted(known: dict[str, Any], opinion: Opinion) -> dict[str, Any]:
    """What is kept of a module, with another opinion."""
    features = [
        feature | {"name": name, "vote": vote}
        for feature, name, vote in zip(known["x-features"], *opinion, strict=True)
    ]
    return known | {"x-features": features}


def _merged(mine: dict[str, Any], held: Opinion | None, theirs: dict[str, Any]) -> dict[str, Any]:
    """What others keep of a module, with what was changed here since the file held an opinion."""
    opinion, count = _opinion(mine), len(theirs["x-features"])
    if not opinion.fits(count):
        raise ValueError(
            f"the names in the file are of {count} x-features, not of {len(opinion.names)}; "
            "correct the file"
        )
    before = held if held is not None and held.fits(count) else Opinion([""] * count, [""] * count)
    return _noted(theirs, opinion.changed(before, _opinion(theirs)))


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
        isinstance(feature["name"], str) and feature["vote"] in VOTES for feature in features
    )
