"""Several views in one, which every host of anywidgets takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets

from xwidgets.errors import listed, of_kind, one_of

from .page import REFERENCE
from .view import View

ARRANGEMENTS = ("column", "row")


def references(views: Mapping[str, View], _: object = None) -> dict[str, str]:
    """What the browser finds the views of a group by."""
    return {name: f"{REFERENCE}{view.model_id}" for name, view in views.items()}


class Group(View, module="group.mjs"):
    """Views in one, below or beside each other.

    Args:
        parts: views by name; an element of class ``xw-part-NAME`` holds each.
        arrangement: ``"column"``, or ``"row"`` for beside each other where there is room.
        shared: names of traits that stay the same in all parts, also without a kernel.

    Attributes:
        parts, arrangement, shared: as given; can be set.
        children: the views.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> maps = [xw.RelevanceOverlay(xw.saliency(net, scene.image, n)) for n in (0, 1)]
        >>> pair = Group({"left": maps[0], "right": maps[1]}, "row", shared=["pixel"])
        >>> len(pair.children)
        2
    """

    parts = traitlets.Dict(value_trait=traitlets.Instance(View), key_trait=traitlets.Unicode()).tag(
        sync=True, to_json=references, from_json=lambda _, group: group.parts
    )
    arrangement = traitlets.Enum(ARRANGEMENTS, "column").tag(sync=True)
    shared = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self,
        parts: Mapping[str, View],
        arrangement: str = "column",
        shared: Sequence[str] = (),
        **traits: Any,
    ) -> None:
        of_kind("parts", parts, Mapping, "views by name")
        for name, part in parts.items():
            of_kind(f"part {name!r}", part, View, "a view of this package")
        one_of("arrangement", arrangement, ARRANGEMENTS)
        names = listed("shared", shared, str, "a list of names of traits")
        super().__init__(parts=dict(parts), arrangement=arrangement, shared=names, **traits)

    def about(self) -> list[str]:
        """What the first part shows."""
        first = next(iter(self.children), None)
        return ["No view"] if first is None else first.about()

    def held_views(self) -> dict[str, dict[str, View]]:
        """The parts."""
        return {"parts": dict(self.parts)}

    @property
    def children(self) -> tuple[View, ...]:
        """The views."""
        return tuple(self.parts.values())
