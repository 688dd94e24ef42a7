"""Dataset search as a view: images in which something is strongest, with the patch of each."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from xwidgets import explain, live
from xwidgets.errors import at_least, listed
from xwidgets.live.kind import is_study
from xwidgets.live.traits import Whole
from xwidgets.results import TopImages, render, sentences
from xwidgets.results.numbers import number

from .closing import Held
from .drawn_images import DrawnImages
from .view import View

if TYPE_CHECKING:
    from xwidgets.box import Box
    from xwidgets.explain import ExplanationModule
    from xwidgets.explain.image_search import Searched
    from xwidgets.live.dataset_search import DatasetSearch
    from xwidgets.live.study import Study


class TopImagesGallery(View, module="top_images_gallery.mjs"):
    """Images of a data set in which a neuron, class or x-feature is strongest, as they are found.

    In each image its patch is framed, the receptive field of the most active unit, and shown
    enlarged beside it. What is searched for is chosen in the view. Choosing an image makes it the
    study's image.

    Args:
        subject: a :class:`Study` to follow, or one or several :class:`xwidgets.TopImages`.
        searched: for a study, a neuron, class, x-feature or other target, as of
            :func:`xwidgets.search_images`; ``None`` for the study's target, which is followed.
        images: for a study, the data set that is searched, as :func:`xwidgets.search_images` takes
            it; ``None`` for the network's examples, or those of the last search.
        k: number of images that are shown at first.
        modules: for a study, fitted explanation modules whose x-features can be chosen.

    Attributes:
        k: number of images that are shown, of those that were found.
        patches_alone: whether the patches are shown without the images around them.

    Raises:
        ValueError: for another subject, something that cannot be searched for, or no images.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> gallery = TopImagesGallery(study, (5, 48), k=4)
        >>> study.dataset_search.wait()
        <TopImages: 20 for features.10 channel 48 (birds), of 150 images>
        >>> len(gallery.tops[0]["images"]), gallery.k
        (20, 4)
        >>> study.close()
    """

    sentence = traitlets.Unicode().tag(sync=True)
    tops = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    k = Whole(9, min=1).tag(sync=True)
    most = Whole(1).tag(sync=True)
    patches_alone = traitlets.Bool(False).tag(sync=True)
    choice = traitlets.Dict().tag(sync=True)
    target = traitlets.Unicode().tag(sync=True)
    classes = traitlets.List(traitlets.Unicode()).tag(sync=True)
    layers = traitlets.List(traitlets.Dict()).tag(sync=True)
    features = traitlets.List(traitlets.Unicode()).tag(sync=True)
    looked = traitlets.Unicode().tag(sync=True)
    work = traitlets.Dict().tag(sync=True, echo_update=False)
    message = traitlets.Unicode().tag(sync=True)
    alive = traitlets.Bool(False).tag(sync=True)

    _study: Held[Study | None] = Held()
    _search: Held[DatasetSearch | None] = Held()

    def __init__(
        self,
        subject: Study | TopImages | Sequence[TopImages],
        searched: Searched | None = None,
        images: object = None,
        k: int = 9,
        modules: ExplanationModule | Iterable[ExplanationModule] = (),
    ) -> None:
        at_least("k", k, 1)
        study = subject if is_study(subject) else None
        offered = _listed(modules)
        if study is None and (searched is not None or images is not None or offered):
            raise ValueError("top images are shown as they are; give a study to search anew")
        tops = () if study is not None else several(subject)
        search = None if study is None else _searching(study, searched, images, k)
        super().__init__(alive=study is not None)
        self.k = k
        self._study, self._search = study, search
        self._shown: tuple[TopImages, ...] = ()
        self._drawn = DrawnImages(card_of)
        self._features: list[tuple[ExplanationModule, int]] = []
        if study is None or search is None:
            self._show(tops)
            self.most = max(len(top.images) for top in tops)
            self.k = min(k, self.most)
            return
        for module in offered:
            self._offer(module)
        count = study.subject.logits.shape[1]
        self.classes = [study.network.class_name(index) for index in range(count)]
        self.layers = [
            {"name": layer.name, "convolution": layer.convolution, "channels": layer.channels}
            for layer in study.network.layers
            if layer.convolution is not None
        ]
        follow_choice = partial(self._follow_choice, study, search)
        follow_search = partial(self._follow_search, search)
        self.show_work(work=search.growing, beside=study)
        self.follow(study, self._turn_to, "image")
        self.follow(study, follow_choice, "target")
        self.follow(search, follow_choice, ["searched", "k"])
        self.follow(search.growing, follow_search, ["answer", "progress"])
        self.refresh_after(search.growing)
        follow_choice()
        follow_search()

    def about(self) -> list[str]:
        """What is strongest in the images; on a page their number can still be changed."""
        if not self._shown:
            raise ValueError("no image is found yet; wait for study.dataset_search.wait()")
        return [top.title for top in self._shown]

    def still(self) -> dict[str, Any]:
        """Nothing is searched."""
        return {"alive": False, "work": {}, "message": "", "looked": ""}

    def preview(self) -> dict[str, str]:
        """The images, dark outside of their patches, and what is strongest in them."""
        if not self._shown:
            return {"text/plain": "Images in which something is strongest; none is found yet."}
        count = min(self.k, PREVIEWED)
        rows = [[render.thumbnail(image, SIDE) for image in top.lit[:count]] for top in self._shown]
        width = max(map(len, rows))
        blank = render.thumbnail(self._shown[0].lit[0], 1)
        sheet = render.sheet([row + [blank] * (width - len(row)) for row in rows])
        words = "; ".join(
            f"{top.title}: {', '.join(map(told, top.sources[:count], top.activations[:count]))}"
            for top in self._shown
        )
        return {"image/png": b64encode(render.png(sheet)).decode(), "text/plain": words}

    def hear_search(self, kind: str, number: int = 0, layer: str = "") -> None:
        """Search for the study's target, a class, a channel of a layer, or an x-feature."""
        if self._search is None:
            return
        try:
            match kind:
                case "class":
                    self._search.searched = number
                case "channel":
                    self._search.searched = (layer, number)
                case "x-feature" if 0 <= number < len(self._features):
                    self._search.searched = self._features[number]
                case _:
                    self._search.searched = None
            self.message = ""
        except ValueError as error:
            self.message = str(error)

    def hear_look(self, source: str) -> None:
        """Make one of the images the study's image."""
        images = {
            one: image
            for top in self._shown
            for one, image in zip(top.sources, top.images, strict=True)
        }
        if self._study is None or source not in images:
            return
        try:
            self._study.turn_to(images[source])
            self.looked, self.message = source, ""
        except ValueError as error:
            self.message = str(error)

    def _offer(self, module: ExplanationModule) -> None:
        """Let the x-features of a module be chosen."""
        self._features += [(module, number) for number in range(len(module.weights))]
        self.features = [f"{number} of {module.facts.label}" for module, number in self._features]

    def _turn_to(self) -> None:
        self.looked = ""

    def _follow_choice(self, study: Study, search: DatasetSearch) -> None:
        """What is searched for, as the view's controls tell it."""
        searched, sought = search.searched, search.sought
        number = sought.number
        with self.hold_sync():
            if sought.kind == "x-feature":
                if searched not in self._features:
                    self._offer(searched[0])
                number = self._features.index(searched)
            self.choice = sought._asdict() | {"number": number}
            self.target = study.question.target.label(study.network)
            self.most = search.k

    def _follow_search(self, search: DatasetSearch) -> None:
        growing = search.growing
        with self.hold_sync():
            self.work = asdict(growing.progress)
            if growing.answer is not None:
                self._show((growing.answer,))
            else:
                self._shown, self.tops, self.sentence = (), [], ""

    def _show(self, tops: tuple[TopImages, ...]) -> None:
        self._shown = tops
        self.sentence = " ".join(map(sentences.sentence, tops))
        self.tops = [_section(*pair) for pair in zip(tops, self._drawn.of(tops), strict=True)]


SIDE, PREVIEWED = 128, 9
"""Longest side of a picture that is sent, in pixels, and number of them in a preview's row."""


def _section(top: TopImages, images: list[dict[str, Any]]) -> dict[str, Any]:
    """Top images as the view takes them."""
    return {
        "name": top.name,
        "network": top.network_name,
        "unit": "activation" if top.layer else "logits",
        "width": top.images.shape[2],
        "searched": top.searched,
        "total": top.total,
        "skipped": list(top.skipped),
        "images": images,
    }


def _listed(modules: object) -> list[ExplanationModule]:
    if isinstance(modules, Sequence) and not modules:  # which takes no torch
        return []
    kind = explain.ExplanationModule
    needed = "explanation modules, as xw.fit_explanation returns them"
    return listed("modules", [modules] if isinstance(modules, kind) else modules, kind, needed)


def _searching(study: Study, searched: Searched | None, images: object, k: int) -> DatasetSearch:
    """The search of a study, turned to what is asked for; as before when that cannot be."""
    search = live.DatasetSearch.of(study)
    before = search.searched
    if searched is not None:
        search.searched = searched
    try:
        search.search_in(images)
    except Exception:
        search.searched = before
        raise
    search.k = max(search.k, k)
    return search


def several(subject: object) -> tuple[TopImages, ...]:
    """Top images, one or several, as a tuple.

    Raises:
        ValueError: for anything else.
    """
    tops = (subject,) if isinstance(subject, TopImages) else subject
    if not isinstance(tops, Sequence) or not all(isinstance(top, TopImages) for top in tops):
        raise ValueError(
            f"a gallery of top images shows a study or top images, not {type(subject).__name__}; "
            "make them with xw.search_images(net, images, neurons)"
        )
    if not tops:
        raise ValueError("there are no top images to show; give a study or some top images")
    return tuple(tops)


def told(source: str, activation: float) -> str:
    """Name of an image, with its activation."""
    return f"{source} ({number(activation)})"


def card_of(image: NDArray[np.uint8], box: Box) -> dict[str, Any]:
    """An image and its patch as PNG files, and the patch's box; no patch of a whole image."""
    picture = render.thumbnail(image, SIDE)
    scale = len(picture) / len(image)
    whole = image[box.slices].shape == image.shape
    patch = b"" if whole else render.png(render.thumbnail(image[box.slices], SIDE))
    edges = [] if whole else [edge * scale for edge in box]
    return {"picture": render.png(picture), "patch": patch, "box": edges}
