"""Gallery of the patches that selected neurons look at."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from xwidgets import live
from xwidgets.live.kind import is_study
from xwidgets.live.traits import Number, Whole
from xwidgets.results import NeuronPatch, TopImages, render

from .closing import Held
from .drawn_images import DrawnImages
from .view import View

if TYPE_CHECKING:
    from xwidgets.box import Box
    from xwidgets.live.neurons import Neurons
    from xwidgets.live.study import Study


class PatchGallery(View, module="patch_gallery.mjs"):
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
        start, threshold: of :func:`xwidgets.neuron_patches`, for a study; from a neuron's maximum
            unless changed, as from its whole map most boxes cover the picture.
        ticks: ``{"layer channel": True}`` for the patches that contain the object.
        whole: whether reconstructions are shown in the whole picture, and not in the patch alone.
        hovered: layer and channel of the neuron whose card or box is pointed at, or nothing.

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

    _study: Held[Study | None] = Held()
    photo = traitlets.Bytes().tag(sync=True)
    shape = traitlets.List(Whole()).tag(sync=True)
    selected: traitlets.List[Any] = traitlets.List().tag(sync=True)
    cards = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    matches = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    search = traitlets.Dict().tag(sync=True, echo_update=False)
    start = traitlets.Enum(["map", "maximum"], "maximum").tag(sync=True)
    threshold = Number(0.0, min=0, max=0.99).tag(sync=True)
    ticks = traitlets.Dict().tag(sync=True)
    whole = traitlets.Bool(False).tag(sync=True)
    hovered: traitlets.List[Any] = traitlets.List(maxlen=2).tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    target = traitlets.Unicode().tag(sync=True)
    alive = traitlets.Bool(False).tag(sync=True)

    def __init__(self, subject: Study | Sequence[NeuronPatch], images: object = None) -> None:
        if is_study(subject):
            patches: Sequence[NeuronPatch] = ()
            photo = subject.picture
        elif not isinstance(subject, Sequence) or not all(
            isinstance(patch, NeuronPatch) for patch in subject
        ):
            raise ValueError(
                "a gallery shows a study or a list of neuron patches, not "
                f"{type(subject).__name__}; make one with xw.neuron_patches(net, image, neurons)"
            )
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
            alive=is_study(subject),
        )
        self._patches = tuple(patches)
        self._study = None
        self._cards: dict[NeuronPatch, dict[str, Any]] = {}
        self._drawn = DrawnImages(_thumbnail)
        self._tops: dict[tuple[str, int], TopImages] = {}
        self._pictured: object = None
        if is_study(subject):
            neurons = live.Neurons.of(subject)
            neurons.search_in(images)
            self._study = subject
            self.show_work(search=neurons.matches, beside=subject)
            self.observe(lambda change: setattr(neurons, change.name, change.new), LOOK)
            self.follow(neurons, lambda: self._follow_look(neurons), LOOK)
            self.follow(neurons, lambda: self._follow_selection(neurons), "selected")
            self.follow(neurons.patches, lambda: self._follow_patches(neurons), "answer")
            self.follow(neurons.patches, lambda: self._follow_message(neurons), "progress")
            self.follow(neurons.matches, lambda: self._follow_matches(neurons), "answer")
            self.follow(neurons.matches, lambda: self._follow_search(neurons), "progress")
            self.follow(subject, lambda: self._turn_to(subject), ["image", "target"])
            self.refresh_after(neurons.patches)
            self._turn_to(subject)
            self._follow_look(neurons)
            self._follow_selection(neurons)
            self._follow_patches(neurons)
            self._follow_matches(neurons)
            self._follow_search(neurons)

    @property
    def localisation(self) -> float:
        """The share of the neurons shown whose patch is ticked; NaN when none is shown.

        As in :func:`xwidgets.evaluate.localisation`, a silent neuron's patch contains nothing.
        """
        known = {_id(card["layer"], card["channel"]) for card in self.cards}
        shown = [name for name in (_id(*neuron) for neuron in self.selected) if name in known]
        return sum(bool(self.ticks.get(name)) for name in shown) / len(shown) if shown else np.nan

    def about(self) -> list[str]:
        """What it shows."""
        if not self.cards:
            raise ValueError("no neuron is selected; set study.neurons.selected first")
        return ["What neurons look at"]

    def still(self) -> dict[str, Any]:
        """Nothing is searched."""
        return {"search": {}, "alive": False, "hovered": []}

    def preview(self) -> dict[str, str]:
        """The picture with the patches beside it, and whose they are."""
        if not self._patches:
            return {"text/plain": "What neurons look at; none is selected yet."}
        first = self._patches[0]
        pictures = [first.image, *(patch.crop for patch in self._patches if patch.box)]
        sheet = render.sheet([[render.enlarged(each, PREVIEW) for each in pictures[:SHOWN]]])
        names = [f"{patch.layer} {patch.channel}" for patch in self._patches]
        words = f"What neurons look at: the picture, and the patches of {', '.join(names)}"
        return {"image/png": b64encode(render.png(sheet)).decode(), "text/plain": words}

    def hear_look(self, layer: str, channel: int, source: str) -> None:
        """Make one of a neuron's top images the study's image."""
        top = self._tops.get((layer, channel))
        if self._study is not None and top is not None and source in top.sources:
            try:
                self._study.turn_to(top.images[top.sources.index(source)])
            except ValueError as error:
                self.message = str(error)

    def _follow_look(self, neurons: Neurons) -> None:
        with self.hold_sync():
            self.start, self.threshold = neurons.start, neurons.threshold
            self.ticks = {}

    def _follow_selection(self, neurons: Neurons) -> None:
        self.selected = [list(neuron) for neuron in neurons.shown]
        self._follow_message(neurons)

    def _follow_message(self, neurons: Neurons) -> None:
        count, shown = len(neurons.selected), len(neurons.shown)
        many = "" if count == shown else f"Of {count} selected neurons the last {shown} are shown."
        self.message = neurons.patches.progress.message or many

    def _follow_patches(self, neurons: Neurons) -> None:
        live = neurons.patches
        subject = live.question and live.question.subject
        if live.answer is not None or subject != self._pictured:
            drawn = self._cards
            patches = live.answer or ()
            self._cards = {patch: drawn.get(patch) or card(patch) for patch in patches}
            self.cards = list(self._cards.values())
            self._patches = tuple(patches)
        self._pictured = subject

    def _follow_matches(self, neurons: Neurons) -> None:
        answer = neurons.matches.answer
        if answer is not None:
            self._tops = {(top.layer, top.channel): top for top in answer}
            drawn = self._drawn.of(answer)
            self.matches = [_match(*pair) for pair in zip(answer, drawn, strict=True)]

    def _follow_search(self, neurons: Neurons) -> None:
        live = neurons.matches
        self.search = asdict(live.progress) if live.question else {}

    def _turn_to(self, study: Study) -> None:
        picture = study.picture
        photo = render.png(picture)
        with self.hold_sync():
            if photo != self.photo:
                self.photo, self.shape, self.ticks = photo, list(picture.shape[:2]), {}
            self.target = study.question.target.label(study.network)


LOOK = ["start", "threshold"]
PREVIEW, SHOWN = 224, 8
"""How wide a picture of the preview is, in pixels, and how many there are at most."""


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


def _match(top: TopImages, images: list[dict[str, Any]]) -> dict[str, Any]:
    """Top images of a neuron as the view takes them."""
    return {
        "layer": top.layer,
        "channel": top.channel,
        "searched": top.searched,
        "total": top.total,
        "images": images,
    }


def _thumbnail(image: NDArray[np.uint8], box: Box) -> dict[str, Any]:
    """A top image and its patch, as small as the view shows them."""
    picture = render.thumbnail(image, 96)
    scale = len(picture) / len(image)
    return {
        "picture": render.png(picture),
        "crop": render.png(render.thumbnail(image[box.slices], 96)),
        "box": [edge * scale for edge in box],
    }
