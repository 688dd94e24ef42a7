"""Why this class: the x-features that give its score, to look at, to name, to trust or not."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from xwidgets import live
from xwidgets.aliases import FormerName
from xwidgets.errors import of_kind
from xwidgets.files import fault_of
from xwidgets.live.kind import is_study
from xwidgets.live.traits import Number, Whole
from xwidgets.results import XFeatures, render, sentences
from xwidgets.results.names import Names, Opinion

from .closing import Held
from .view import View

if TYPE_CHECKING:
    from xwidgets.explain import ExplanationModule
    from xwidgets.live.study import Study
    from xwidgets.live.x_feature_fit import XFeatureFit


class XFeatureExplorer(View, module="xfeature_explorer.mjs"):
    """The x-features behind a class's score (Qi et al. 2018, figures 3 and 4).

    Heat maps over the picture, sorted by what each x-feature adds to the score; names and votes;
    what the score would be without the x-features that are not trusted; a sentence of the names;
    and each x-feature in the images in which it is most active. An explanation module is fitted to
    each class that is looked at, while its x-features are shown as they are so far.

    Args:
        subject: a :class:`Study` to follow, or :class:`xwidgets.XFeatures`.
        images: what modules are fitted to, as :func:`xwidgets.fit_explanation` takes it; ``None``
            for the network's examples.
        modules: explanation modules that are fitted already.
        names: a file of names and votes: read when it is there, written at every change.
        contrastive: of :func:`xwidgets.x_features`, how heat maps are made.
        **options: further arguments of :func:`xwidgets.fit_explanation`, such as ``method="nn"``.

    Attributes:
        fit: the study's :class:`xwidgets.live.XFeatureFit`, such as
            ``fit.fitting.stop()``; ``None`` without a study.
        shown: the number of the x-feature that is shown in many images; -1 for none.
        heat: whether heat maps are shown over the pictures.
        lack: a sentence, shown in place of x-features that mean nothing, such as of a class with
            fewer images than x-features, and what mends it; ``""`` else.

    Raises:
        ValueError: when there is nothing to fit a module to, or the file holds no names.

    Example:
        >>> import xwidgets as xw
        >>> images, _ = xw.scenes.draw("birds", range(300))
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> explorer = XFeatureExplorer(study, images, epochs=2)
        >>> explorer.fit.wait().maps.shape, len(explorer.features)
        ((5, 64, 64), 5)
        >>> study.close()
    """

    _study: Held[Study | None] = Held()
    photo = traitlets.Bytes().tag(sync=True)
    shape = traitlets.List(Whole()).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    network = traitlets.Unicode().tag(sync=True)
    method = traitlets.Unicode().tag(sync=True)
    layer = traitlets.Unicode().tag(sync=True)
    remark = traitlets.Unicode().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)
    lack = traitlets.Unicode().tag(sync=True)
    score = Number().tag(sync=True)
    approximation = Number().tag(sync=True)
    intercept = Number().tag(sync=True)
    rivals = traitlets.List(traitlets.Dict()).tag(sync=True)
    features = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    opinion = traitlets.Dict().tag(sync=True)
    suggestions = traitlets.List(traitlets.Unicode()).tag(sync=True)
    shown = Whole(-1).tag(sync=True)
    heat = traitlets.Bool(True).tag(sync=True)
    images = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    work = traitlets.Dict().tag(sync=True, echo_update=False)
    training = traitlets.Dict().tag(sync=True, echo_update=False)
    message = traitlets.Unicode().tag(sync=True)
    alive = traitlets.Bool(False).tag(sync=True)
    fit: XFeatureFit | None = None
    concepts = FormerName("fit")

    def __init__(
        self,
        subject: Study | XFeatures,
        images: object = None,
        *,
        modules: ExplanationModule | Iterable[ExplanationModule] = (),
        names: str | Path | None = None,
        contrastive: bool | None = None,
        **options: Any,
    ) -> None:
        if not is_study(subject) and not isinstance(subject, XFeatures):
            raise ValueError(
                "an explorer shows a study or x-features, not "
                f"{type(subject).__name__}; make some with xw.x_features(net, module, image)"
            )
        if isinstance(subject, XFeatures) and (images is not None or modules or options):
            raise ValueError(
                "x-features are shown as they are; give a study to fit modules to images"
            )
        of_kind("names", names, str | Path | None, "the path of a file")
        of_kind("contrastive", contrastive, bool | None, "True, False or None")
        self._file = None if names is None else Path(names)
        if self._file is not None and not self._file.parent.is_dir():
            raise ValueError(
                f"there is no folder {str(self._file.parent)!r} to write names to; make it first"
            )
        self._known = Names.load(self._file) if self._file and self._file.exists() else Names()
        self._target = subject.target
        self._opinions = {self._target: blank(self._target)}  # of all classes so far
        self._found: XFeatures | None = None
        self._study = None
        self._settled = False  # whether the opinion is of the module shown, which stays
        super().__init__(
            alive=is_study(subject),
            suggestions=self._known.suggestions(),
            opinion=self._opinions[self._target],
        )
        if isinstance(subject, XFeatures):
            self._show(subject)
            self._settle()
        else:
            several = modules if isinstance(modules, Iterable) else [modules]
            fit = self.fit = live.XFeatureFit(subject, images, several, contrastive, **options)
            self._study = subject
            self.show_work(training=fit.fitting, work=fit.matches, beside=subject)
            self.observe(lambda change: setattr(fit, "shown", change.new), "shown")
            self.follow(subject, lambda: self._turn_to(subject, fit), "target")
            self.follow(fit.found, lambda: self._follow_found(fit), PROGRESS)
            self.follow(fit.fitting, lambda: self._follow_fitting(fit), PROGRESS)
            self.follow(fit.matches, lambda: self._follow_matches(fit), PROGRESS)
            self.refresh_after(fit.found)
            self._turn_to(subject, fit)
        self.observe(lambda _: self._note(), "opinion")

    @property
    def names(self) -> list[str]:
        """Names of the x-features, one for each; ``""`` where none."""
        return list(self.opinion["names"])

    @names.setter
    def names(self, names: Sequence[str]) -> None:
        self._say(Opinion(list(names), self.votes))

    @property
    def votes(self) -> list[str]:
        """Whether the x-features are trusted: ``"trust"``, ``"distrust"`` or ``""``."""
        return list(self.opinion["votes"])

    @votes.setter
    def votes(self, votes: Sequence[str]) -> None:
        self._say(Opinion(self.names, list(votes)))

    def _say(self, opinion: Opinion) -> None:
        count = len(self.features)
        if not opinion.fits(count):
            raise ValueError(
                f"there are {count} x-features; give {count} names, and as many votes of 'trust', "
                "'distrust' or ''"
            )
        self.opinion = self.opinion | opinion._asdict()

    @traitlets.validate("opinion")
    def _possible_opinion(self, proposal: dict[str, Any]) -> dict[str, Any]:
        opinion: dict[str, Any] = proposal["value"]
        if opinion["target"] == self._target:
            self._opinions[self._target] = opinion
        else:
            self.send_state("opinion")  # to a page that still showed another class
        return self._opinions[self._target]

    def save_names(self, path: str | Path) -> None:
        """Write all names and votes to a file that :meth:`load_names` and ``names=`` read."""
        self._known.save(path)

    def load_names(self, path: str | Path) -> None:
        """Take names and votes from a file; those of other modules become suggestions.

        Raises:
            ValueError: when it holds none of the module at hand, which then keeps its own, or that
                is not fitted yet.
        """
        if self._found is None or not self._settled:
            raise ValueError("the module is not fitted yet; wait for explorer.fit.wait()")
        other = Names.load(path)
        names, votes = other.of(self._found)
        if not other.knows(self._found):
            raise ValueError(
                f"{str(path)!r} holds no names of this module for {self._found.label!r}"
            )
        self._known.add(other)
        before = {"names": self.names, "votes": self.votes}
        history = [*self.opinion["history"], before]
        self.opinion = self.opinion | {"names": names, "votes": votes, "history": history}

    def _let_go(self) -> None:
        if self.fit is not None:
            self.fit.close()
        super()._let_go()

    def about(self) -> list[str]:
        """What is explained; on a page x-features can be named for as long as it is open."""
        if self._found is None:
            raise ValueError("there are no x-features yet; wait for explorer.fit.wait()")
        return [self._found.title]

    def still(self) -> dict[str, Any]:
        """Nothing is fitted, and what others said of the x-features stays with them."""
        quiet = {"alive": False, "training": {}, "work": {}, "message": "", "suggestions": []}
        return quiet | {"opinion": self.opinion | {"history": []}}

    def preview(self) -> dict[str, str]:
        """The heat maps over the picture, and what they are of."""
        if self._found is None:
            return {"text/plain": "The x-features behind the score; none were found yet."}
        if self.lack:
            return {"text/plain": self.lack}
        return {
            "image/png": b64encode(self._found.png()).decode(),
            "text/plain": f"{self._found.title}. {self.sentence}",
        }

    def hear_look(self, source: str) -> None:
        """Make one of many images the study's image."""
        matches = None if self.fit is None else self.fit.matches.answer
        sources = [image["source"] for image in self.images]
        if self._study is not None and matches is not None and source in sources:
            try:
                self._study.turn_to(matches.found[sources.index(source)].image)
            except ValueError as error:
                self.message = str(error)

    def _turn_to(self, study: Study, fit: XFeatureFit) -> None:
        """Show nothing of another class, and of this one what is known."""
        self._found, self._settled, self._target = None, False, study.target
        with self.hold_sync():
            self.label = study.question.target.label(study.network)
            self.network = study.network.name
            self.features, self.images, self.message, self.remark = [], [], "", ""
            self.lack = ""
            self.opinion = self._opinions.setdefault(study.target, blank(study.target))
            self._follow_found(fit)
            self._follow_fitting(fit)
            self._follow_matches(fit)

    def _follow_fitting(self, fit: XFeatureFit) -> None:
        progress, fitting = fit.fitting.progress, fit.fitting.answer
        epoch = 0 if fitting is None else fitting.epoch
        error = float(fitting.errors[-1, 0]) if fitting is not None and epoch else None
        complete = progress.state == "complete"
        self.training = {} if complete else asdict(progress) | {"epoch": epoch, "error": error}
        self._settle()

    def _follow_found(self, fit: XFeatureFit) -> None:
        found, progress = fit.found.answer, fit.found.progress
        if (
            found is not None and found.target == self._target
        ):  # or it is heard soon that it changed
            self._show(found)
            self._settle()
        elif progress.state == "failed":
            self.message = f"The x-features could not be found in the picture: {progress.message}"

    def _follow_matches(self, fit: XFeatureFit) -> None:
        matches, progress = fit.matches.answer, fit.matches.progress
        with self.hold_sync():
            self.work = asdict(progress) if fit.matches.question else {}
            self.images = [] if matches is None else [
                match(found, source, self.shown)
                for found, source in zip(matches.found, matches.sources, strict=True)
            ]  # fmt: skip

    def _show(self, found: XFeatures) -> None:
        count = len(found.weights)
        picture = render.png(found.image)
        if self._found is None or self._found.module != found.module:
            self._settled = False
        self._found = found
        with self.hold_sync():
            if picture != self.photo:
                self.photo, self.shape = picture, list(found.image.shape[:2])
            self.label, self.network = found.label, found.network_name
            self.method, self.layer = found.fitted_by, found.layer
            self.score, self.approximation = found.score, found.approximation
            self.lack, self.remark = as_sentence(found.lack), "" if found.lack else found.note
            self.sentence = "" if found.lack else sentences.sentence(found)
            self.intercept = found.intercept
            self.rivals = [{"label": label, "score": score} for label, score in found.rivals]
            shown = 0 if found.lack else count  # nothing that means nothing
            self.features = [feature(found, index) for index in range(shown)]
            if len(self.names) != count:
                self.opinion = blank(found.target, count)

    def _settle(self) -> None:
        """Take what is known of the module that is shown, once it is the one that stays.

        What was said while it was fitted holds, and what is known fills the gaps.
        """
        found, fit = self._found, self.fit
        if self._settled or found is None:
            return
        final = None if fit is None else fit.final
        if fit is not None and (final is None or final.fingerprint != found.module):
            return
        said = Opinion(self.names, self.votes)
        try:
            known = self._known.of(found)
        except ValueError as error:
            known, self.message = said, "" if said else str(error)
        self.opinion = self.opinion | {
            **said.filled(known)._asdict(),
            "history": [
                Opinion(**state).filled(known)._asdict() for state in self.opinion["history"]
            ],
        }
        self._settled = True
        if said:
            self._note()

    def _note(self) -> None:
        """Keep names and votes, unless the module still changes."""
        if not self._settled or self._found is None:
            return
        opinion = Opinion(self.names, self.votes)
        self.message = ""
        if self._file is None:
            self._known.note(self._found, opinion)
        else:
            try:
                held = self._known.note_in(self._file, self._found, opinion)
            except (OSError, ValueError) as error:
                self.message = (
                    f"The names are not kept: {fault_of(error)}; write them elsewhere with "
                    "explorer.save_names(path)"
                )
            else:  # with what others wrote meanwhile
                self.opinion = self.opinion | held._asdict()
        self.suggestions = self._known.suggestions()


PROGRESS = ["answer", "progress"]


def as_sentence(text: str) -> str:
    """A text with a capital letter and a full stop; ``""`` stays."""
    return f"{text[0].upper()}{text[1:]}." if text else ""


def blank(target: int, count: int = 0) -> dict[str, Any]:
    """An opinion of a class that says nothing, and what was said before."""
    return {"target": target, "names": [""] * count, "votes": [""] * count, "history": []}


def feature(found: XFeatures, index: int) -> dict[str, Any]:
    """An x-feature as the view takes it."""
    return {
        "index": index,
        "activation": float(found.activations[index]),
        "weight": float(found.weights[index]),
        "contribution": float(found.contributions[index]),
        "map": heat(found, index),
    }


def match(found: XFeatures, source: str, index: int) -> dict[str, Any]:
    """An image in which an x-feature is active, as the view takes it."""
    return {
        "picture": render.png(render.thumbnail(found.image, 160)),
        "map": heat(found, index),
        "activation": float(found.activations[index]),
        "contribution": float(found.contributions[index]),
        "source": source,
        "label": found.top,
    }


def heat(found: XFeatures, index: int) -> bytes:
    """A heat map as a PNG file; none for a silent x-feature."""
    values = found.maps[index]
    positive = bool(found.contributions[index] >= 0)
    return render.heat(values, positive) if values.any() else b""
