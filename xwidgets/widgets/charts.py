"""Charts: of measurements that were repeated, and of modules while they are fitted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import bqplot
import numpy as np
import pandas as pd

from xwidgets import explain
from xwidgets.evaluate import orthogonality
from xwidgets.results.line_chart import COLORS, Axis, Line, line_chart, save
from xwidgets.results.numbers import number

from .preview import Preview

if TYPE_CHECKING:
    from xwidgets.explain import ExplanationModule, XFeatureMaps
    from xwidgets.live.live_result import Question
    from xwidgets.live.x_feature_fit import XFeatureFit


class Chart(Preview, bqplot.Figure):
    """Figure of lines that can be kept as a drawing; where there are no widgets, that is shown."""

    def svg(self) -> str:
        """What is shown now as the text of an SVG file."""
        axes = {axis.side or "bottom": axis for axis in self.axes}
        below, left, right = (axes.get(side) for side in ("bottom", "left", "right"))
        lines = [_line(mark, right is not None and mark.scales["y"] is right.scale)
                 for mark in self.marks]  # fmt: skip
        other = None if right is None else _axis(right)
        return line_chart(lines, _axis(below), _axis(left), other, self.title)

    def to_svg(self, path: str | Path) -> None:
        """Write what is shown now to an SVG file, for a document.

        Args:
            path: of the file.

        Raises:
            OSError: when that is not possible; a file that was there stays as it was.
        """
        save(self.svg(), path)

    def preview(self) -> dict[str, str]:
        """The drawing, and the last value of each line."""
        named = [(mark.labels[0], _last(mark)) for mark in self.marks if mark.display_legend]
        ends = [f"{name} ends at {number(end)}" for name, end in named if np.isfinite(end)]
        words = "; ".join(filter(None, (self.title, *ends)))
        return {"image/svg+xml": self.svg(), "text/plain": words}


def _line(mark: bqplot.Mark, right: bool) -> Line:
    """A mark as it is drawn."""
    points = isinstance(mark, bqplot.Scatter)
    return Line(
        mark.x,
        mark.y,
        mark.colors[0],
        name=mark.labels[0] if mark.display_legend else "",
        width=0 if points else mark.stroke_width,
        opacity=mark.opacities[0] if len(mark.opacities) else 1,
        dashed=not points and mark.line_style == "dashed",
        points=points or mark.marker is not None,
        right=right,
    )


def _axis(axis: bqplot.Axis) -> Axis:
    """An axis as it is drawn."""
    scale = axis.scale
    return Axis(axis.label, isinstance(scale, bqplot.LogScale), scale.min, scale.max)


def _last(mark: bqplot.Mark) -> float:
    """The last value of a line; NaN for none."""
    known = mark.y[np.isfinite(mark.y)]
    return float(known[-1]) if len(known) else np.nan


class Curves(Chart):
    """Lines of several columns of a table: strong the mean, light every repetition.

    Args:
        lines: by column, what its line is called; at most five.
        x: the column along the horizontal axis.
        repetition: the column that numbers the repetitions.
        published: values from elsewhere by column, the first and the last along the axis; they are
            shown as points.
        title: stands above the chart.

    Example:
        >>> curves = Curves({"network": "network"}, x="epoch")
        >>> rows = {"seed": [0, 0, 1, 1], "epoch": [0, 1] * 2, "network": [0.5, 0.8, 0.4, 1]}
        >>> curves.show(pd.DataFrame(rows))
        >>> curves.means["network"].y.round(2).tolist()
        [0.45, 0.9]
    """

    def __init__(
        self,
        lines: Mapping[str, str],
        *,
        x: str,
        repetition: str = "seed",
        published: pd.DataFrame | None = None,
        title: str = "",
    ) -> None:
        self._x, self._repetition = x, repetition
        self._published = pd.DataFrame() if published is None else published
        scales = {"x": bqplot.LinearScale(), "y": bqplot.LinearScale(min=0, max=1)}
        colors = dict(zip(lines, COLORS, strict=False))
        self.means = {
            column: bqplot.Lines(
                scales=scales, x=[0.0], y=[np.nan], colors=[colors[column]], stroke_width=3,
                labels=[name], display_legend=True,
            )
            for column, name in lines.items()
        }  # fmt: skip
        self._repetitions = {
            column: bqplot.Lines(
                scales=scales, x=[0.0], y=[np.nan], colors=[color], stroke_width=1, opacities=[0.4]
            )
            for column, color in colors.items()
        }
        self._points = {
            column: bqplot.Scatter(
                scales=scales, x=[0.0], y=[np.nan], colors=[colors[column]], marker="diamond",
                default_size=90, fill=False, stroke=colors[column],
            )
            for column in lines
            if column in self._published
        }  # fmt: skip
        super().__init__(
            marks=[*self._repetitions.values(), *self.means.values(), *self._points.values()],
            axes=[
                bqplot.Axis(scale=scales["x"], label=x),
                bqplot.Axis(scale=scales["y"], side="left", tick_format=".1f"),
            ],
            title=title,
            legend_location="top-left",
            layout={"width": "100%", "max_width": "640px", "height": "360px"},
        )

    def show(self, frame: pd.DataFrame) -> None:
        """Draw the lines of a table; while it grows, again and again."""
        for column, mean in self.means.items():
            wide = frame.pivot(index=self._repetition, columns=self._x, values=column)
            x = wide.columns.to_numpy(float)
            light = self._repetitions[column]
            with mean.hold_sync(), light.hold_sync():
                mean.x, mean.y = x, wide.mean().to_numpy(float)
                light.x = np.tile([*x, x[-1]], len(wide))  # one line, with a gap after each
                light.y = np.pad(
                    wide.to_numpy(float), ((0, 0), (0, 1)), constant_values=np.nan
                ).ravel()
            if column in self._points:
                points = self._points[column]
                with points.hold_sync():
                    points.x, points.y = x[[0, -1]], np.asarray(self._published[column], float)


class FittingCurves(Chart):
    """How the fitting of explanation modules goes: what is minimised, and the held-out error.

    Args:
        fits: by name, what is followed, such as ``explorer.fit``; at most five.
        title: stands above the chart.

    Example:
        >>> import xwidgets as xw
        >>> images, _ = xw.scenes.draw("birds", range(300))
        >>> with xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image) as study:
        ...     fit = xw.live.XFeatureFit(study, images, epochs=3)
        ...     curves = FittingCurves({"SRAE": fit})
        ...     _ = fit.wait()
        >>> len(curves.errors["SRAE"].y)
        3
    """

    def __init__(self, fits: Mapping[str, XFeatureFit], title: str = "") -> None:
        x = bqplot.LinearScale(min=1)
        scales = {"error": bqplot.LogScale(), "loss": bqplot.LogScale()}
        self.errors, self.losses = (
            {
                name: bqplot.Lines(
                    scales={"x": x, "y": scales[kind]}, x=[1.0], y=[np.nan], colors=[color],
                    stroke_width=width, line_style=style, labels=[name],
                    display_legend=kind == "error",
                )
                for name, color in zip(fits, COLORS, strict=False)
            }
            for kind, width, style in (("error", 3, "solid"), ("loss", 2, "dashed"))
        )  # fmt: skip
        super().__init__(
            marks=[*self.errors.values(), *self.losses.values()],
            axes=[
                bqplot.Axis(scale=x, label="epoch", tick_format="d"),
                bqplot.Axis(
                    scale=scales["error"],
                    side="left",
                    label="held-out error (solid)",
                    tick_format=".2g",
                ),
                bqplot.Axis(
                    scale=scales["loss"],
                    side="right",
                    label="loss (dashed)",
                    tick_format=".2g",
                    label_offset="3.5em",
                ),
            ],
            title=title,
            legend_location="top-right",
            fig_margin={"top": 40, "bottom": 50, "left": 60, "right": 80},
            layout={"width": "100%", "max_width": "640px", "height": "320px"},
        )
        for name, fit in fits.items():
            self.follow(fit.fitting, partial(self._show, name, fit), "answer")
            self._show(name, fit)

    def _show(self, name: str, fit: XFeatureFit) -> None:
        fitting = fit.fitting.answer or explain.Fitting()
        lines = (self.errors[name], fitting.errors), (self.losses[name], fitting.losses)
        for line, values in lines:
            with line.hold_sync():
                line.x = np.arange(1.0, max(1, fitting.epoch) + 1)
                line.y = values[:, 0] if fitting.epoch else np.array([np.nan])


class LikenessCurves(Chart):
    """How alike the x-features' maps of a study's picture are while modules are fitted.

    The mean correlation of two maps that are not silent: 1 where all x-features look at the same.

    Args:
        fits: by name, what is followed; at most five.
        title: stands above the chart.

    Example:
        >>> import xwidgets as xw
        >>> images, _ = xw.scenes.draw("birds", range(300))
        >>> with xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image) as study:
        ...     fit = xw.live.XFeatureFit(study, images, epochs=3)
        ...     curves = LikenessCurves({"SRAE": fit})
        ...     _ = fit.wait()
        >>> bool(curves.means["SRAE"].x[-1] == 3)
        True
    """

    def __init__(self, fits: Mapping[str, XFeatureFit], title: str = "") -> None:
        scales = {"x": bqplot.LinearScale(min=1), "y": bqplot.LinearScale(min=-0.5, max=1)}
        self.means = {
            name: bqplot.Lines(
                scales=scales, x=[1.0], y=[np.nan], colors=[color], stroke_width=3, labels=[name],
                marker="circle", marker_size=24, display_legend=True,
            )
            for name, color in zip(fits, COLORS, strict=False)
        }  # fmt: skip
        super().__init__(
            marks=[*self.means.values()],
            axes=[
                bqplot.Axis(scale=scales["x"], label="epoch", tick_format="d"),
                bqplot.Axis(
                    scale=scales["y"], side="left", label="mean correlation", tick_format=".1f"
                ),
            ],
            title=title,
            legend_location="bottom-right",
            layout={"width": "100%", "max_width": "640px", "height": "320px"},
        )
        self._points: dict[str, list[tuple[int, float]]] = {name: [] for name in fits}
        self._asked: dict[str, Question] = {}
        for name, fit in fits.items():
            self.follow(fit.found, partial(self._show, name, fit), "answer")
            self._show(name, fit)

    def _show(self, name: str, fit: XFeatureFit) -> None:
        found, asked = fit.found.answer, fit.found.question
        if found is None or asked is None:
            return
        points, before = self._points[name], self._asked.get(name)
        if before is None or (before.subject, before.target) != (asked.subject, asked.target):
            points.clear()
        self._asked[name] = asked
        pairs = orthogonality(found.maps[None]).correlations[np.triu_indices(len(found.maps), 1)]
        known = pairs[~np.isnan(pairs)]
        module = cast("ExplanationModule", cast("XFeatureMaps", asked.method).module)
        epoch = len(module.facts.curves["error"])
        points.append((epoch, float(known.mean()) if len(known) else np.nan))
        line = self.means[name]
        with line.hold_sync():
            line.x, line.y = np.array(points, float).T
