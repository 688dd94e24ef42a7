"""What the selected neurons look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from xwidgets import render
from xwidgets.export import write_page
from xwidgets.results import NeuronPatch, TopImages

from .study import Study

HERE = Path(__file__).parent


class PatchGallery(anywidget.AnyWidget):
    """A card for each selected neuron: reconstruction, patch, and the images that drive it most.

    The patches' boxes are drawn on the picture, in the colours of Lengerich et al. (2017): red for
    shallow layers, green, and blue for deep ones. A tick on each card says that the patch contains
    the object; :attr:`localisation` is the share of them. Choosing one of a neuron's top images
    makes it the study's image.

    Args:
        subject: a :class:`Study` to follow, or patches of one picture.
        images: the data set that is searched, as :func:`xwidgets.search_images` takes it; ``None``
            for the network's examples, where it has some.

    Attributes:
        selected: the neurons shown, pairs of a layer's name and a channel.
        start, threshold: of :func:`xwidgets.neuron_patches`, for a study.
        ticks: ``{"layer channel": True}`` for the patches that contain the object.

    Raises:
        ValueError: when there is no patch, or patches of different pictures.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> gallery = PatchGallery(study)
        >>> study.neurons.selected = [(5, 3), (5, 7)]
        >>> len(study.neurons.patches.wait()), len(gallery.cards)
        (2, 2)
        >>> study.close()
    """

    _esm = HERE / "patch_gallery.mjs"
    _css = "".join(
        (HERE / f"{name}.css").read_text("utf-8") for name in ("controls", "patch_gallery")
    )

    photo = traitlets.Bytes().tag(sync=True)
    shape = traitlets.List(traitlets.Int()).tag(sync=True)
    selected: traitlets.List[Any] = traitlets.List().tag(sync=True)
    cards = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    matches = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    search = traitlets.Dict().tag(sync=True, echo_update=False)
    start = traitlets.Enum(["map", "maximum"], "map").tag(sync=True)
    threshold = traitlets.Float(0.0, min=0, max=0.99).tag(sync=True)
    ticks = traitlets.Dict().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    target = traitlets.Unicode().tag(sync=True)
    alive = traitlets.Bool(False).tag(sync=True)

    def __init__(self, subject: Study | Sequence[NeuronPatch], images: object = None) -> None:
        if isinstance(subject, Study):
            patches: Sequence[NeuronPatch] = ()
            photo = subject.picture
        else:
            patches = list(subject)
            if not patches:
                raise ValueError("there is no patch to show; give a study or some neuron patches")
            photo = patches[0].image
            if not all(np.array_equal(patch.image, photo) for patch in patches):
                raise ValueError("patches of different pictures cannot share one gallery")
        super().__init__(
            photo=render.png(photo),
            shape=list(photo.shape[:2]),
            cards=[card(patch) for patch in patches],
            selected=[[patch.layer, patch.channel] for patch in patches],
            alive=isinstance(subject, Study),
        )
        self._pictured: object = None
        if isinstance(subject, Study):
            neurons = subject.neurons
            if images is not None:
                neurons.search_in(images)
            self.on_msg(lambda _, content, __: self._heard(subject, content))
            for name in ("start", "threshold"):
                traitlets.link((neurons, name), (self, name))
            neurons.observe(lambda _: self._follow_selection(subject), "selected")
            neurons.patches.observe(lambda _: self._follow_patches(subject), ["answer", "progress"])
            neurons.matches.observe(lambda _: self._follow_search(subject), ["answer", "progress"])
            subject.observe(lambda _: self._turn_to(subject), ["image", "target"])
            self._turn_to(subject)
            self._follow_selection(subject)
            self._follow_patches(subject)
            self._follow_search(subject)

    @property
    def localisation(self) -> float:
        """The share of the patches shown that are ticked; NaN when none is shown."""
        cards = {_id(card["layer"], card["channel"]): card for card in self.cards}
        shown = [
            name
            for name in (_id(*neuron) for neuron in self.selected)
            if name in cards and cards[name]["box"] is not None
        ]
        return sum(bool(self.ticks.get(name)) for name in shown) / len(shown) if shown else np.nan

    def to_html(self, path: str | Path, title: str | None = None) -> None:
        """Write a page of one file that needs neither kernel nor network.

        Raises:
            ValueError: when no neuron is selected.
        """
        if not self.cards:
            raise ValueError("no neuron is selected; set study.neurons.selected first")
        write_page(path, title or "What neurons look at", [(self, STILL)])

    def _heard(self, study: Study, content: dict[str, Any]) -> None:
        if content["type"] == "look":
            study.neurons.look_at((content["layer"], content["channel"]), content["place"])
        else:
            study.neurons.matches.heard(content)
            study.rest()

    def _follow_selection(self, study: Study) -> None:
        self.selected = [list(neuron) for neuron in study.neurons.shown]

    def _follow_patches(self, study: Study) -> None:
        inquiry = study.neurons.patches
        image = inquiry.question and inquiry.question.image
        count, shown = len(study.neurons.selected), len(study.neurons.shown)
        many = "" if count == shown else f"Of {count} selected neurons the last {shown} are shown."
        with self.hold_sync():
            self.message = inquiry.progress.message or many
            if inquiry.answer is not None or image is not self._pictured:
                self.cards = [card(patch) for patch in inquiry.answer or ()]
            self._pictured = image

    def _follow_search(self, study: Study) -> None:
        inquiry = study.neurons.matches
        with self.hold_sync():
            self.search = asdict(inquiry.progress) if inquiry.question else {}
            if inquiry.answer is not None:
                self.matches = [_match(top) for top in inquiry.answer]

    def _turn_to(self, study: Study) -> None:
        picture = study.picture
        photo = render.png(picture)
        with self.hold_sync():
            if photo != self.photo:
                self.photo, self.shape, self.ticks = photo, list(picture.shape[:2]), {}
            self.target = study.network.class_name(study.target)


STILL = {"search": {}, "alive": False}


def _id(layer: str, channel: int) -> str:
    return f"{layer} {channel}"


def card(patch: NeuronPatch) -> dict[str, Any]:
    """A patch as the view takes it."""
    return {
        "layer": patch.layer,
        "channel": patch.channel,
        "convolution": patch.convolution,
        "color": render.depth_color(patch.depth),
        "activation": patch.activation,
        "reconstruction": render.png(render.signed(patch.pixels)),
        "crop": render.png(patch.crop) if patch.box else b"",
        "box": patch.box,
    }


def _match(top: TopImages) -> dict[str, Any]:
    shown = zip(top.images, top.crops, top.fields, top.activations, top.sources, strict=True)
    return {
        "layer": top.layer,
        "channel": top.channel,
        "searched": top.searched,
        "total": top.total,
        "images": [
            {
                "picture": render.png(image),
                "crop": render.png(crop),
                "box": box,
                "activation": float(activation),
                "source": source,
            }
            for image, crop, box, activation, source in shown
        ],
    }
