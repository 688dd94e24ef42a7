"""A form that asks people which parts heat maps show, for the same measure as with known parts."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from xwidgets.errors import a_seed, at_least, listed, of_kind
from xwidgets.evaluate import Locality, locality
from xwidgets.files import fault_of, whole
from xwidgets.live.traits import Whole
from xwidgets.results import XFeatures, render
from xwidgets.results.facts import parsed

from .view import View

CONTEXT = "context"
"""What is no part; the last column of the counts."""


class PartsForm(View, module="parts_form.mjs"):
    """Asks a person which parts each heat map shows (Qi et al. 2018, Table 1 (b)).

    One heat map after another is shown over its picture, in an order that the seed decides, without
    telling whose it is: all have the same colours, and silent ones are left out. Several parts can
    be ticked, or the context; or the person says that none can be told.

    Args:
        found: x-features of some pictures by one module, from :func:`xwidgets.x_features_each`.
        parts: what can be ticked, besides the context.
        seed: of the order.
        questions: at most so many heat maps are shown, the first ones of the order; ``None`` for
            all.
        path: a JSON file of answers: read when it is there, written after every answer.

    Attributes:
        answers: ``{"picture": 0, "x-feature": 2, "parts": ["beak"]}`` for each heat map that was
            answered; without parts where none could be told. Pictures count as in ``found``.
        questions: the heat maps that are asked about, in their order.
        position: the number of the question that is shown; after the last one, their number.
        heat: whether the heat map is shown over its picture.

    Raises:
        ValueError: when there is nothing to ask, the x-features are of several modules, a part is
            named twice, or the file holds no answers to this study.

    Example:
        >>> import xwidgets as xw
        >>> net, (images, _) = xw.network("birds"), xw.scenes.draw("birds", range(300))
        >>> module = xw.fit_explanation(net, images, target=3, epochs=2, progress=False)
        >>> found = xw.x_features_each(net, module, images[:4])
        >>> form = PartsForm(found, ["beak", "tail"], questions=6)
        >>> heat_map = {name: form.questions[0][name] for name in ("picture", "x-feature")}
        >>> form.answers = [heat_map | {"parts": ["beak", "tail"]}]
        >>> form.counts.sum(0), round(form.locality.mean, 3)
        (array([1, 1, 0]), 0.693)
    """

    facts = traitlets.Dict().tag(sync=True)
    pictures = traitlets.List(traitlets.Dict()).tag(sync=True)
    questions = traitlets.List(traitlets.Dict(), minlen=1).tag(sync=True)
    answers = traitlets.List(traitlets.Dict()).tag(sync=True)
    position = Whole().tag(sync=True)
    heat = traitlets.Bool(True).tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    alive = traitlets.Bool(True).tag(sync=True)

    def __init__(
        self,
        found: Iterable[XFeatures],
        parts: Sequence[str],
        seed: int = 0,
        questions: int | None = None,
        path: str | Path | None = None,
    ) -> None:
        several = _of_one_module(found)
        a_seed(seed)
        of_kind("path", path, str | Path | None, "the path of a file")
        asked = _asked(several, seed, questions)
        super().__init__(
            facts=_facts(several, _named(parts), seed),
            pictures=[
                {"photo": render.png(one.image), "shape": list(one.image.shape[:2])}
                for one in several
            ],
            questions=[
                {
                    "picture": picture,
                    "x-feature": feature,
                    "map": render.heat(several[picture].maps[feature]),
                }
                for picture, feature in asked
            ],
        )
        self._file = None if path is None else Path(path)
        if self._file and self._file.exists():
            self.load(self._file)
        self.observe(lambda _: self._keep(), "answers")

    @property
    def counts(self) -> NDArray[np.int64]:
        """``(n, P + 1)``: how often each part was ticked for each x-feature, the context last."""
        return _counts(self.facts, self.answers)

    @property
    def locality(self) -> Locality:
        """The entropy of each x-feature's counts; NaN for one for which nothing was ticked."""
        return locality(self.counts[None])

    def save(self, path: str | Path) -> None:
        """Write the answers, and what was asked, to a JSON file that is whole at any time."""
        text = json.dumps(self.facts | {"answers": self.answers}, indent=2, ensure_ascii=False)
        with whole(path) as part:
            part.write_text(text, "utf-8")

    def load(self, path: str | Path) -> None:
        """Take the answers in a file in place of those so far, and go on after them.

        Args:
            path: of a file that this study wrote, or that was downloaded from its page.

        Raises:
            ValueError: when it holds no answers, or those of another study.
        """
        facts, answers = _read(path)
        _same(path, facts, self.facts)
        try:
            self.answers = answers
        except ValueError as error:
            raise _damaged(path, error) from error
        known = {_heat_map(answer) for answer in answers}
        open_ = [at for at, one in enumerate(self.questions) if _heat_map(one) not in known]
        self.position = min(open_, default=len(self.questions))

    @staticmethod
    def counts_of(*paths: str | Path) -> NDArray[np.int64]:
        """The sum of the counts in several people's files, for :func:`xwidgets.evaluate.locality`.

        Args:
            *paths: of files about the same pictures, module and parts; seeds can differ.

        Returns:
            ``(n, P + 1)``; ``locality(counts[None])`` is their locality.

        Raises:
            ValueError: when a file holds no answers, or those of another study than the first.

        Example:
            >>> import xwidgets as xw
            >>> net, (images, _) = xw.network("birds"), xw.scenes.draw("birds", range(300))
            >>> module = xw.fit_explanation(net, images, target=3, epochs=2, progress=False)
            >>> form = PartsForm([xw.x_features(net, module, images[0])], ["beak", "tail"])
            >>> heat_map = {name: form.questions[0][name] for name in ("picture", "x-feature")}
            >>> form.answers = [heat_map | {"parts": ["beak"]}]
            >>> form.save("ann.json")
            >>> form.save("bob.json")
            >>> PartsForm.counts_of("ann.json", "bob.json").sum(0)
            array([2, 0, 0])
        """
        if not paths:
            raise ValueError("there is no file to count; give the paths of some")
        studies = [_read(path) for path in paths]
        first, _ = studies[0]
        for path, (facts, _) in zip(paths, studies, strict=True):
            _same(path, facts | {"seed": first["seed"]}, first)
        found: NDArray[np.int64] = np.sum([_counts(*study) for study in studies], 0)
        return found

    def about(self) -> list[str]:
        """What is asked."""
        return ["Which parts do the heat maps show?"]

    def still(self) -> dict[str, Any]:
        """No answers: who opens a page gives some, in the file that :meth:`load` reads."""
        return {"answers": [], "position": 0, "heat": True, "message": "", "alive": False}

    def preview(self) -> dict[str, str]:
        """The picture of the first question, and how many there are."""
        count = f"{len(self.questions)} heat maps, of which {len(self.answers)} are answered"
        photo = self.pictures[self.questions[0]["picture"]]["photo"]
        return {
            "image/png": b64encode(photo).decode(),
            "text/plain": f"Which parts do the heat maps show? {count}; the first one's picture.",
        }

    @traitlets.validate("answers")
    def _possible(self, proposal: traitlets.Bunch) -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = proposal.value
        _check(self.facts, answers, {_heat_map(question) for question in self.questions})
        return answers

    def _keep(self) -> None:
        if self._file is None:
            return
        try:
            self.save(self._file)
            self.message = ""
        except OSError as error:
            self.message = (
                f"The answers are not kept: {fault_of(error)}; write them elsewhere with "
                "form.save(path)"
            )


def _of_one_module(found: Iterable[XFeatures]) -> list[XFeatures]:
    alone = isinstance(found, XFeatures) or not isinstance(found, Iterable)
    several = [] if alone else list(found)
    if not several or not all(isinstance(one, XFeatures) for one in several):
        raise ValueError(
            "a form asks about the x-features of some pictures; make them with "
            "xw.x_features_each(net, module, images)"
        )
    first = several[0]
    if any(one.module != first.module or one.parameters != first.parameters for one in several):
        raise ValueError(
            "these x-features are of several modules or layers; make one form for each of them"
        )
    return several


def _named(parts: Sequence[str]) -> list[str]:
    names = listed("parts", parts, str, "some names, such as ['beak', 'tail']")
    if not names or not all(name.strip() for name in names):
        raise ValueError(f"parts are {parts!r}, but must be some names, such as ['beak', 'tail']")
    if len({*names, CONTEXT}) <= len(names):
        raise ValueError(f"a part is named twice, or {CONTEXT!r}, which is always asked for")
    return names


def _asked(several: Sequence[XFeatures], seed: int, most: int | None) -> list[tuple[int, int]]:
    """Pictures and x-features whose heat maps are shown, in their order."""
    if most is not None:
        at_least("questions", most, 1)
    visible = [
        (picture, feature)
        for picture, one in enumerate(several)
        for feature in range(len(one.maps))
        if one.maps[feature].any()
    ]
    if not visible:
        raise ValueError("all heat maps are silent; give pictures in which x-features are active")
    Random(seed).shuffle(visible)
    return visible[:most]


def _facts(several: Sequence[XFeatures], parts: list[str], seed: int) -> dict[str, Any]:
    """Facts that tell studies apart, as files of answers have them."""
    first = several[0]
    names = ("layer", "label", "method", "module")
    return {name: getattr(first, name) for name in names} | {
        "network": first.network_name,
        "maps": {_NAMES.get(name, name): value for name, value in first.parameters.items()},
        "x-features": len(first.weights),
        "pictures": [_fingerprint(one.image) for one in several],
        "parts": parts,
        "seed": seed,
    }


_NAMES = {"stop_at": "layer"}
"""By name of a parameter, its name in files of answers."""


def _fingerprint(image: NDArray[np.uint8]) -> str:
    return sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()[:16]


def _heat_map(one: dict[str, Any]) -> tuple[int, int]:
    """Picture and x-feature of a question or an answer."""
    return one["picture"], one["x-feature"]


def _counts(facts: dict[str, Any], answers: list[dict[str, Any]]) -> NDArray[np.int64]:
    options = [*facts["parts"], CONTEXT]
    counts = np.zeros((facts["x-features"], len(options)), np.int64)
    for answer in answers:
        for part in answer["parts"]:
            counts[answer["x-feature"], options.index(part)] += 1
    return counts


def _check(
    facts: dict[str, Any], answers: list[dict[str, Any]], asked: set[tuple[int, int]]
) -> None:
    """Raise ValueError unless each answer is to another heat map asked about, of known parts."""
    options = {*facts["parts"], CONTEXT}
    for answer in answers:
        if answer.keys() != {"picture", "x-feature", "parts"}:
            raise ValueError(f"{answer} is not a picture, an x-feature and parts")
        if _heat_map(answer) not in asked:
            raise ValueError(f"{answer} is about a heat map that is not asked about")
        parts = answer["parts"]
        if not isinstance(parts, list) or len({*parts} & options) != len(parts):
            raise ValueError(f"{answer} has parts that are not offered, or one twice")
    if len({_heat_map(answer) for answer in answers}) < len(answers):
        raise ValueError("a heat map is answered twice")


def _read(path: str | Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Questions and answers of a file."""
    try:
        facts = parsed(Path(path).read_text("utf-8"))
        answers = facts.pop("answers")
        pictures, count = len(facts["pictures"]), facts["x-features"]
        facts["seed"]
        at_least("x-features", count, 1)
        asked = {
            pair
            for pair in map(_heat_map, answers)
            if pair[0] in range(pictures) and pair[1] in range(count)
        }
        _check(facts, answers, asked)
    except FileNotFoundError as error:
        raise ValueError(f"there is no file of answers at {str(path)!r}; check the path") from error
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error
    return facts, answers


def _damaged(path: str | Path, error: Exception) -> ValueError:
    return ValueError(f"{str(path)!r} holds no answers to this form ({error}); give another path")


def _same(path: str | Path, facts: dict[str, Any], expected: dict[str, Any]) -> None:
    """Raise ValueError unless a file is of this study."""
    others = [name for name in expected if facts.get(name) != expected[name]]
    if others:
        raise ValueError(
            f"{str(path)!r} holds answers of another study, which differs in its "
            f"{', '.join(others)}; give another path"
        )
