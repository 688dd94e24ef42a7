"""The table of a network's neurons by their importance for a prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from xwidgets import live
from xwidgets.errors import at_least, listed, number, unknown
from xwidgets.live.kind import is_study
from xwidgets.live.live_result import Progress
from xwidgets.live.traits import Number, Whole
from xwidgets.results import METRICS, Ranking, sentences

from .closing import Held
from .view import COMPLETE, View

if TYPE_CHECKING:
    from xwidgets.live.neurons import Neurons
    from xwidgets.live.study import Study


class NeuronRanking(View, module="neuron_ranking.mjs"):
    """A table of neurons: layer, channel, feature map, importance by one metric or several.

    All six metrics come out of one computation, so metrics, layers, how many of each, sorting and
    filtering change in the browser, also in a page without a kernel. Neurons that are selected, by
    mouse or keyboard, are those of the study, and so those of its :class:`PatchGallery`.

    Args:
        subject: a :class:`Study` to follow, or a :class:`xwidgets.Ranking`.
        metrics: which are shown, the first of them ranks.
        top: how many neurons of each layer are listed; 0 for all.
        minimum: for the precision, the mean magnitude below which a neuron is not ranked.
        **options: for a study, further arguments of :func:`xwidgets.rank_neurons`, such as
            ``layers``, ``samples``, ``sigma``, ``seed``, ``output``. They are the study's, and so
            those of its other views.

    Attributes:
        chosen: the metrics shown.
        shown_layers: names of the layers listed; empty for all.
        selected: pairs of a layer's name and a channel.
        order: by what the rows are sorted: ``{"by": "layer", "down": True}``, the last layers
            first; ``"channel"``, or ``"value"``, ``"rank"`` or ``"share"`` of a ``"metric"``.
        find: a layer's name, a part of it, or a channel; "" lists all.

    Raises:
        ValueError: for an unknown metric, or options that cannot be.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> table = NeuronRanking(study, ["activation_precision", "output_correlation"], top=3)
        >>> study.neurons.ranking.wait().neurons[0] == ("features.0", 3)
        True
        >>> study.close()
    """

    _study: Held[Study | None] = Held()
    table = traitlets.Dict().tag(sync=True, echo_update=False)
    maps = traitlets.Dict().tag(sync=True, echo_update=False)
    layers = traitlets.List(traitlets.Dict()).tag(sync=True)
    metrics = traitlets.List(traitlets.Unicode(), list(METRICS)).tag(sync=True)
    chosen = traitlets.List(traitlets.Enum(METRICS), minlen=1).tag(sync=True)
    top = Whole(5, min=0).tag(sync=True)
    minimum = Number(0.1, min=0).tag(sync=True)
    shown_layers = traitlets.List(traitlets.Unicode()).tag(sync=True)
    selected: traitlets.List[Any] = traitlets.List().tag(sync=True)
    order = traitlets.Dict({"by": "layer", "down": True}).tag(sync=True)
    find = traitlets.Unicode().tag(sync=True)
    target = traitlets.Unicode().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)
    progress = traitlets.Dict().tag(sync=True, echo_update=False)

    def __init__(
        self,
        subject: Study | Ranking,
        metrics: str | Sequence[str] | None = None,
        top: int | None = None,
        minimum: float | None = None,
        **options: Any,
    ) -> None:
        result = subject if isinstance(subject, Ranking) else None
        wrong = options if result is not None else options.keys() & {"metric", "target", "top"}
        if wrong:
            raise ValueError(
                f"{', '.join(sorted(wrong))} cannot be given here: metrics= says what is shown, "
                "the target is the study's, and a finished ranking has its options"
            )
        if not is_study(subject) and result is None:
            raise ValueError(
                f"a table shows a study or a ranking, not {type(subject).__name__}; "
                "make one with xw.rank_neurons(net, image)"
            )
        metrics = [metrics] if isinstance(metrics, str) else metrics
        if metrics is not None:
            for metric in listed("metrics", metrics, str, "names of metrics"):
                if metric not in METRICS:
                    raise unknown("metric", metric, METRICS)
        if top is not None:
            at_least("top", top, 0)
        if minimum is not None:
            number("minimum", minimum, lambda least: least >= 0, "of at least 0")
        super().__init__(
            chosen=list(metrics or [METRICS[0] if result is None else result.metric]),
            top=(5 if result is None else result.top) if top is None else top,
            minimum=(0.1 if result is None else result.minimum) if minimum is None else minimum,
        )
        self._result: Ranking | None = None
        self._study = subject if is_study(subject) else None
        self.observe(lambda _: self._tell(), ["chosen", "minimum"])
        if result is not None:
            self._show(result, Progress("complete", 1.0))
        elif is_study(subject):
            neurons = live.Neurons.of(subject)
            neurons.rank(**options)
            self.show_work(progress=neurons.ranking, beside=subject)
            self.observe(lambda change: setattr(neurons, "selected", change.new), "selected")
            self.follow(neurons, lambda: self._follow_selection(neurons), "selected")
            self.follow(neurons.ranking, lambda: self._follow(neurons), ["answer", "progress"])
            self.refresh_after(neurons.ranking)
            self._follow_selection(neurons)
            self._follow(neurons)

    @property
    def ranking(self) -> Ranking | None:
        """Shown ranking, ordered as it is shown; ``None`` before anything is computed."""
        if self._result is None:
            return None
        count = max(len(self._result.layer), 1)
        return self._result.by(self.chosen[0], self.top or count, self.minimum)

    def about(self) -> list[str]:
        """What is ranked."""
        if self._result is None or self._result.completed < 1:
            raise ValueError("the ranking is not complete; wait with study.neurons.ranking.wait()")
        return [self.preview()["text/plain"]]

    def still(self) -> dict[str, Any]:
        """Nothing is ranked any more."""
        complete = self._result is not None and self._result.completed == 1
        return {"progress": COMPLETE if complete else {"state": "stopped", "share": 0.0}}

    def preview(self) -> dict[str, str]:
        """The best neurons as a table, and what they are ranked by."""
        if self._result is None:
            return {"text/plain": "The neurons; they were not ranked yet."}
        ranking = replace(self._result, metric=self.chosen[0])
        return {
            "text/html": ranking._repr_html_(),
            "text/plain": f"{ranking.title}. {sentences.sentence(ranking)}",
        }

    def _follow_selection(self, neurons: Neurons) -> None:
        self.selected = [list(neuron) for neuron in neurons.selected]

    def _follow(self, neurons: Neurons) -> None:
        live = neurons.ranking
        self._show(live.answer, live.progress)

    def _show(self, result: Ranking | None, progress: Progress) -> None:
        before = self._result
        self._result = before if result is None else result
        with self.hold_sync():
            self.progress = asdict(progress)
            if result is None or (before is not None and result.importance is before.importance):
                return
            self.table = {
                "layer": result.layer.astype(np.int32).tobytes(),
                "channel": result.channel.astype(np.int32).tobytes(),
                "importance": result.importance.tobytes(),
                "activation": result.activation.tobytes(),
            }
            if before is None or result.maps is not before.maps:
                _, height, width = result.maps.shape
                self.maps = {"data": result.maps.tobytes(), "height": height, "width": width}
            self.layers = self._layers_of(result)
            self.target = result.label
            self._tell()

    def _layers_of(self, result: Ranking) -> list[dict[str, Any]]:
        """Layers as the view takes them; the sizes of their maps where there is a network."""
        shapes: dict[str, tuple[int, ...]] = {}
        if self._study is not None:
            channels, height, width = self._study.image.shape
            listed = self._study.network.layers_for((channels, height, width))
            shapes = {layer.name: layer.shape for layer in listed}
        counts = np.bincount(result.layer, minlength=len(result.layers))
        return [
            {
                "name": name,
                "convolution": number,
                "channels": int(count),
                "size": list(shapes.get(name, ())[1:]),
            }
            for name, number, count in zip(result.layers, result.convolutions, counts, strict=True)
        ]

    def _tell(self) -> None:
        if self._result is not None:
            shown = replace(self._result, metric=self.chosen[0], minimum=self.minimum)
            self.sentence = sentences.sentence(shown)
