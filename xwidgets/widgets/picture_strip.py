"""The pictures that a study can turn to."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING

import traitlets

from xwidgets import live
from xwidgets.errors import of_kind
from xwidgets.live.traits import Whole
from xwidgets.results import render

from .closing import Held
from .view import View

if TYPE_CHECKING:
    from xwidgets.live.pictures import Pictures

SIDE = 96
"""Largest side of a thumbnail, in pixels."""

PAGE = 8
"""How many pictures are shown at once."""


class PictureStrip(View, module="picture_strip.mjs"):
    """Pictures of a study in a row, to turn to; others come by a file that is chosen or dropped.

    Args:
        pictures: of the study.

    Attributes:
        thumbs: name, picture and number of each that is shown.
        first: number of the first of these; can be set.
        count: how many there are.
        selected: number of the study's; -1 for none of these.
        can_grow: whether the network's examples can be added.
        message: why a picture was refused.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> scenes = [xw.scenes.bird(seed=seed) for seed in (3, 4)]
        >>> strip = PictureStrip(xw.live.Pictures(study, scenes))
        >>> [thumb["name"] for thumb in strip.thumbs]
        ['0', '1']
        >>> study.close()
    """

    needs_kernel = True
    _pictures: Held[Pictures] = Held()
    thumbs = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    first = Whole(0, min=0).tag(sync=True)
    count = Whole(0).tag(sync=True)
    page = Whole(PAGE).tag(sync=True)
    selected = Whole(-1).tag(sync=True)
    can_grow = traitlets.Bool(False).tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)

    def __init__(self, pictures: Pictures) -> None:
        of_kind("pictures", pictures, live.Pictures, "xw.live.Pictures(study, images)")
        self._pictures = pictures
        super().__init__()
        self.follow(pictures, self._show, "count")
        self.follow(pictures, self._mark, "selected")
        self.observe(lambda _: self._show(), "first")
        self._show()
        self._mark()

    def preview(self) -> dict[str, str]:
        """How many pictures there are."""
        return {"text/plain": f"{self.count} pictures to choose from."}

    def hear_choose(self, number: int) -> None:
        """Turn the study to a picture."""
        self._try(self._pictures.choose, number)

    def hear_more(self) -> None:
        """Add the network's examples."""
        self._try(self._pictures.more)

    def hear_add(self, name: str, file: str) -> None:
        """Add a picture, by its file's name and its bytes in base64, and turn the study to it."""
        self._try(lambda: self._pictures.add(b64decode(file), PurePath(str(name)).name))
        self.first = 0

    def _try(self, change: Callable[..., None], *arguments: object) -> None:
        try:
            change(*arguments)
            self.message = ""
        except ValueError as error:
            self.message = str(error)

    def _mark(self) -> None:
        self.selected = self._pictures.selected

    def _show(self) -> None:
        pictures = self._pictures
        shown = range(self.first, min(self.first + PAGE, pictures.count))
        with self.hold_sync():
            self.count, self.can_grow = pictures.count, pictures.can_grow
            self.thumbs = [thumb for number in shown if (thumb := self._thumb(number))]

    def _thumb(self, number: int) -> dict[str, object] | None:
        """A picture that can be chosen; ``None`` for one that cannot be read."""
        try:
            picture = render.thumbnail(self._pictures.picture(number), SIDE)
        except ValueError:
            return None
        return {"number": number, "name": self._pictures.name(number), "png": render.png(picture)}
