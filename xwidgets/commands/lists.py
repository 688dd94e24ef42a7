"""The commands ``methods`` and ``networks``: what there is to choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from . import terminal
from .parser import Parser

if TYPE_CHECKING:
    from xwidgets.explain import MapMethod
    from xwidgets.networks.zoo import Entry


def methods() -> dict[str, type[MapMethod]]:
    """Methods that map a photograph, by their names on the command line.

    Example:
        >>> methods()["occlusion"].__name__
        'Occlusion'
    """
    from xwidgets import explain

    public = (getattr(explain, name) for name in explain.__all__)
    kinds = (kind for kind in public if isinstance(kind, type))
    maps = [kind for kind in kinds if issubclass(kind, explain.MapMethod)]
    return {kind().name.replace(" ", "-"): kind for kind in maps if kind is not explain.MapMethod}


def described(kinds: Mapping[str, type[MapMethod]]) -> str:
    """What each method asks, the unit of its values, and what it costs."""
    return terminal.entries(
        (f"{name}, in {method.unit}", list(filter(None, (method.asks, method.cost))))
        for name, kind in kinds.items()
        for method in [kind()]
    )


def run_methods(words: Sequence[str]) -> None:
    """Print what each method asks."""
    Parser("methods", "", "Lists the methods: what each asks, the unit, the cost.").parse(words)
    print(described(methods()))


def run_networks(words: Sequence[str]) -> None:
    """Print the networks, and whether their weights are here."""
    description = (
        "Lists the networks by name. The weights of torchvision's are downloaded at first use to "
        "the folder that the variable TORCH_HOME of the environment names."
    )
    Parser("networks", "", description).parse(words)
    from xwidgets.networks import zoo

    rows = [
        (entry.name, str(entry.classes), " x ".join(map(str, entry.size)), _weights(entry))
        for entry in zoo.entries()
    ]
    print(terminal.table([("network", "classes", "pixels", "weights"), *rows]))


def _weights(entry: Entry) -> str:
    """Where the weights of a network are."""
    if entry.shipped:
        return "part of xwidgets"
    return f"{entry.megabytes:.0f} MB to download" if entry.megabytes else "here"
