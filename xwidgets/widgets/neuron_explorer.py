"""The neurons of a study in one piece: what is predicted, which matter, what they look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from xwidgets import live
from xwidgets.live.kind import check_study

from .class_chooser import ClassChooser
from .closing import Held
from .group import Group
from .neuron_ranking import NeuronRanking
from .page import Page
from .patch_gallery import PatchGallery, card
from .view import page_of

if TYPE_CHECKING:
    from xwidgets.live.study import Study


class NeuronExplorer(Group):
    """Class chooser, neuron ranking and patch gallery of one study, linked.

    Table and gallery stand beside each other where the whole is at least 720 pixels wide.

    Args:
        study: what is looked at.
        metrics: which metrics the table shows, the first of them ranks.
        images: the data set that is searched for what drives a neuron most.
        **options: further arguments of :func:`xwidgets.rank_neurons`.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> len(NeuronExplorer(study).children)
        3
        >>> study.close()
    """

    _study: Held[Study] = Held()

    def __init__(
        self,
        study: Study,
        metrics: str | Sequence[str] | None = None,
        images: object = None,
        **options: Any,
    ) -> None:
        check_study(study)
        self._study = study
        self._table = NeuronRanking(study, metrics, **options)
        self._gallery = PatchGallery(study, images)
        super().__init__(
            {"classes": ClassChooser(study), "table": self._table, "gallery": self._gallery}, "row"
        )
        self.refresh_after(live.Neurons.of(study).ranking)

    def preview(self) -> dict[str, str]:
        """Preview of the table."""
        return self._table.preview()

    def to_page(self, title: str | None = None) -> Page:
        """Classes, table and gallery for where there is no kernel, with the best of the neurons.

        Those are the best by each metric that is shown; what they look at is computed now. Top
        images are on the page for the neurons that are selected.

        Args:
            title: of the page; what is ranked by default.

        Raises:
            Exception: what ended the ranking, when it failed.
        """
        neurons = live.Neurons.of(self._study)
        ranking = neurons.ranking.wait()
        if ranking is None or ranking.completed < 1:
            raise ValueError("the ranking was stopped; go on with study.neurons.ranking.resume()")
        best = [
            neuron
            for metric in self._table.chosen
            for neuron in ranking.by(metric, self._table.top or 5, self._table.minimum)
        ]
        patches = neurons.patches_of(dict.fromkeys([*neurons.shown, *best]))
        cards = {"cards": [card(patch) for patch in patches]}
        still = [
            (view, state | cards if view is self._gallery else state)
            for view, state in self.stills()
        ]
        return page_of(title, self._table.about(), still, ["selected"])
