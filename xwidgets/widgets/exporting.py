"""Files of what a view shows."""

from __future__ import annotations

from abc import abstractmethod
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from xwidgets.files import whole
from xwidgets.results import render

from .preview import Preview

if TYPE_CHECKING:
    from .page import Page


NO_MAP = "there is no map yet; wait for study.wait()"


class Exporting(Preview):
    """A view that can be written to a file that shows it without a kernel."""

    @abstractmethod
    def to_page(self, *shown: Any, **choices: Any) -> Page:
        """What is shown now as a :class:`xwidgets.Page`."""

    def to_html(self, path: str | Path, *shown: Any, **choices: Any) -> Page:
        """Write a page of one file that needs neither kernel nor network.

        Args:
            path: of the file.
            *shown: as :meth:`to_page` takes them.
            **choices: such as ``title="A bird"``.

        Returns:
            The page; its size is told where it is shown.

        Raises:
            ValueError: when there is nothing to show yet.
            OSError: when the file cannot be written; one that was there stays as it was.
            Exception: what ended a computation, when it failed.
        """
        page = self.to_page(*shown, **choices)
        page.save(path)
        return page

    def with_legends(self) -> NDArray[np.uint8] | None:
        """Picture of the maps, each with its legend or all with one; ``None`` without maps.

        Raises:
            ValueError: while none of a study's maps is there.
        """
        return None

    def to_png(self, path: str | Path, legend: bool = True) -> None:
        """Write the picture that readers without widgets see, of what is computed so far.

        Args:
            path: of the file.
            legend: whether it says below a map what colours and hatching mean, and what it shows;
                below a grid, what they mean in all its maps.

        Raises:
            ValueError: for a view that shows no picture, or no map yet.
            OSError: when the file cannot be written; one that was there stays as it was.
        """
        shown = self.preview()
        if "image/png" not in shown:
            raise ValueError(
                f"this {type(self).__name__} shows no picture ({shown['text/plain']}); "
                "write it with to_html(path)"
            )
        sheet = self.with_legends()
        drawn = None if sheet is None or not legend else render.png(sheet)
        with whole(path) as part:
            part.write_bytes(drawn or b64decode(shown["image/png"]))
