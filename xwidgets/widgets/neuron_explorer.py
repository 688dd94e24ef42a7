"""The neurons of a study in one piece: what is predicted, which matter, what they look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xwidgets import live
from xwidgets.live.kind import check_study

from .class_chooser import ClassChooser
from .closing import Held
from .group import Group
from .neuron_ranking import COMPLETE, NeuronRanking
from .page import write_page
from .patch_gallery import STILL, PatchGallery, card

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

    def to_html(self, path: str | Path, title: str | None = None) -> None:
        """Write a page without a kernel, in which the best neurons of the table can be looked at.

        Those are the best by each metric that is shown; what they look at is computed now. Top
        images are on the page for the neurons that are selected.

        Args:
            path: of the file.
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
        write_page(
            path,
            title,
            [self._table.preview()["text/plain"]],
            [
                (self._table, {"progress": COMPLETE}),
                (self._gallery, STILL | {"cards": [card(patch) for patch in patches]}),
                (self, {}),
            ],
            shared=["selected"],
        )
