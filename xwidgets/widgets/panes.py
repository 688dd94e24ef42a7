"""The views of one study in one widget that every host of anywidgets takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from xwidgets import live
from xwidgets._version import __version__
from xwidgets.errors import one_line, unknown
from xwidgets.files import whole
from xwidgets.live.kind import check_study

from .class_chooser import ClassChooser
from .class_model_explorer import ClassModelExplorer
from .closing import Held
from .filling_comparison import FillingComparison
from .group import Group, references
from .method_chooser import MethodChooser
from .method_comparison import MethodComparison
from .neuron_ranking import NeuronRanking
from .page import Page
from .parameter_control import MethodControls
from .patch_gallery import PatchGallery
from .picture_strip import PictureStrip
from .relevance_overlay import RelevanceOverlay
from .top_images_gallery import TopImagesGallery
from .view import View, page_of
from .xfeature_explorer import XFeatureExplorer

if TYPE_CHECKING:
    from xwidgets.live.history import History
    from xwidgets.live.pictures import Pictures
    from xwidgets.live.study import Study

LOOK = (
    "color_map", "opacity", "effect", "threshold", "hide_uncertain", "scale_locked", "scale",
    "outline", "object_threshold", "zoom", "center",
)  # fmt: skip
"""Traits of the overlay that settings keep."""

PANELS: Mapping[str, tuple[str, Callable[[Study], View]]] = {
    "fillings": ("Which should I believe?", FillingComparison),
    "methods": ("Methods side by side", MethodComparison),
    "neurons": (
        "Neurons",
        lambda study: Group({"table": NeuronRanking(study), "gallery": PatchGallery(study)}, "row"),
    ),
    "reasons": ("Because of what?", XFeatureExplorer),
    "model": ("Model of the class", lambda study: ClassModelExplorer(study, seeds=(0,))),
    "images": ("Top images", TopImagesGallery),
}
"""By name, what the button of a panel says, and the view that it opens."""


class Panes(Group, module="panes.mjs"):
    """Picture with its map on the left; on the right what is asked, and what was found.

    Args:
        study: what is looked at.
        pictures: others that it can turn to, as :class:`xwidgets.live.Pictures` takes them.

    Attributes:
        parts: the pictures, the method, its controls, the classes and the map.
        panels: further views that are open, by name.
        offered: name and label of each that can be opened.
        large: whether text and picture are large, for a projector.
        can_undo, can_redo: whether there is a step to go back, or forth.
        can_paint: whether there is room for a region painter beside it.
        painting: whether that is open.
        message: why settings were refused, or what was done with them.
    """

    _study: Held[Study] = Held()
    _history: Held[History] = Held()
    _pictures: Held[Pictures] = Held()
    panels = traitlets.Dict(value_trait=traitlets.Instance(View)).tag(
        sync=True, to_json=references, from_json=lambda _, panes: panes.panels
    )
    offered = traitlets.List(traitlets.Dict()).tag(sync=True)
    large = traitlets.Bool(False).tag(sync=True)
    can_undo = traitlets.Bool(False).tag(sync=True)
    can_redo = traitlets.Bool(False).tag(sync=True)
    can_paint = traitlets.Bool(False).tag(sync=True)
    painting = traitlets.Bool(False).tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    alive = traitlets.Bool(True).tag(sync=True)

    def __init__(self, study: Study, pictures: object = None) -> None:
        check_study(study)
        self._study, self._history = study, study.history
        self._pictures = live.Pictures(study, pictures)
        self.overlay, self.classes = RelevanceOverlay(study), ClassChooser(study)
        self.method, self.controls = MethodChooser(study), MethodControls(study)
        self.strip = PictureStrip(self._pictures)
        super().__init__(
            {
                "pictures": self.strip,
                "method": self.method,
                "controls": self.controls,
                "classes": self.classes,
                "map": self.overlay,
            },
            offered=[{"name": name, "label": label} for name, (label, _) in PANELS.items()],
        )
        self.follow(self._history, self._tell, ["can_undo", "can_redo"])
        self.refresh_after(study)
        self.follow(self._pictures, self._tell_scene, "selected")
        self._tell()
        self._tell_scene()

    def preview(self) -> dict[str, str]:
        """Preview of the map."""
        return self.overlay.preview()

    def with_legends(self) -> NDArray[np.uint8]:
        """The picture with its map and legend.

        Raises:
            ValueError: while there is no map.
        """
        return self.overlay.with_legends()

    def open_panel(self, name: str) -> View:
        """Open a panel, and return its view.

        Raises:
            ValueError: for an unknown panel, or a view that the study cannot have.
        """
        if name not in PANELS:
            raise unknown("panel", name, PANELS)
        if name not in self.panels:
            _, build = PANELS[name]
            self.panels = {**self.panels, name: build(self._study)}
            regions = self._study.made(live.Regions)
            if regions is not None:
                self._history.include(regions)
            self._tell_scene()
        view: View = self.panels[name]
        return view

    def close_panel(self, name: str) -> None:
        """Close a panel; nothing where it is not open."""
        panels = dict(self.panels)
        view = panels.pop(name, None)
        if view is not None:
            self.panels = panels
            view.close()

    def save(self, path: str | Path) -> None:
        """Write a file of what is asked and how it is shown, which :meth:`restore` reads.

        Raises:
            ValueError: for a target or method that no file can hold.
        """
        text = self.settings()
        with whole(path) as part:
            part.write_text(text, "utf-8")

    def restore(self, path: str | Path) -> None:
        """Ask and show what a file of :meth:`save` tells; nothing changes on an error.

        Raises:
            ValueError: for a file that cannot be read, or settings that do not fit the network.
        """
        try:
            text = Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(
                f"{path} cannot be read ({one_line(error)}); give a file of explorer.save(path)"
            ) from error
        self.take(text)

    def settings(self) -> str:
        """Text of a file of settings."""
        return json.dumps(
            {
                "xwidgets": __version__,
                "study": live.settings_of(self._study),
                "look": {name: getattr(self.overlay, name) for name in LOOK},
                "panels": list(self.panels),
                "large": self.large,
            }
        )

    def take(self, text: str) -> None:
        """Ask and show what the text of a file of settings tells; nothing changes on an error.

        Raises:
            ValueError: for another text, or settings that do not fit the network.
        """
        try:
            told = json.loads(text)
            look = {name: told["look"][name] for name in LOOK if name in told["look"]}
            panels, large = [str(name) for name in told["panels"]], bool(told["large"])
            asked = told["study"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(
                f"this is no file of settings ({one_line(error)}); give one of explorer.save(path)"
            ) from error
        before = {name: getattr(self.overlay, name) for name in look}
        try:
            for name, value in look.items():
                setattr(self.overlay, name, value)
            live.restore(self._study, asked)
        except (traitlets.TraitError, ValueError) as error:
            for name, value in before.items():
                setattr(self.overlay, name, value)
            raise ValueError(f"these settings do not fit here ({one_line(error)})") from error
        self.large = large
        for name in self.panels.keys() - set(panels):
            self.close_panel(name)
        for name in panels:
            if name in PANELS:
                self._try(self.open_panel, name)  # which another network may not have

    def python(self) -> str:
        """Python that makes the study again, and shows it in the same way.

        Raises:
            ValueError: for a target or method that cannot be written.
        """
        defaults = RelevanceOverlay.class_traits()
        look = [
            f"explorer.overlay.{name} = {getattr(self.overlay, name)!r}"
            for name in LOOK
            if getattr(self.overlay, name) != defaults[name].default(self.overlay)
        ]
        opened = [f"explorer.panes.open_panel({name!r})" for name in self.panels]
        lines = ["explorer = xw.Explorer(study)", *look, *opened, "explorer"]
        return live.python_of(self._study) + "\n".join(lines) + "\n"

    def hear_undo(self) -> None:
        """Go back a step."""
        self._history.undo()

    def hear_redo(self) -> None:
        """Go forth again."""
        self._history.redo()

    def hear_toggle(self, name: str) -> None:
        """Open a panel, or close it."""
        if name in self.panels:
            self.close_panel(name)
        else:
            self._try(self.open_panel, name)

    def hear_save(self) -> None:
        """Send the browser a file of settings."""
        self._try(lambda: self.send({"type": "file", "text": self.settings()}))

    def hear_take(self, text: str) -> None:
        """Take a file of settings from the browser."""
        self._try(self.take, text)

    def hear_python(self) -> None:
        """Send the browser the Python of what is shown."""
        self._try(lambda: self.send({"type": "python", "text": self.python()}))

    def held_views(self) -> dict[str, dict[str, View]]:
        """The parts and the open panels."""
        return {"parts": dict(self.parts), "panels": dict(self.panels)}

    def to_page(  # type: ignore[override]
        self,
        windows: Iterable[int] | None = None,
        title: str | None = None,
        **values: Iterable[Any],
    ) -> Page:
        """Map, classes and open panels, for where there is no kernel.

        Args:
            windows, title, **values: see :meth:`RelevanceOverlay.to_page`.
        """
        shown = self.overlay.to_page(windows, title, **values)
        views: list[View] = [self.classes, *self.panels.values()]
        return page_of(
            shown.title,
            shown.about,
            [
                (self, self.still()),
                (self.overlay, shown.parts[0].state),
                *(each for view in views for each in view.stills()),
            ],
        )

    def _let_go(self) -> None:
        self._pictures.close()
        super()._let_go()

    def _tell(self) -> None:
        self.can_undo, self.can_redo = self._history.can_undo, self._history.can_redo

    def _tell_scene(self) -> None:
        """Tell the views that know what to do with it which drawn scene the study has."""
        self.overlay.scene = self._pictures.scene
        if "fillings" in self.panels:
            self.panels["fillings"].scene = self._pictures.scene

    def _try(self, change: Callable[..., object], *arguments: object) -> None:
        try:
            change(*arguments)
            self.message = ""
        except ValueError as error:
            self.message = str(error)
