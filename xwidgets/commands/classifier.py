"""Classifiers on the command line: a network by name, on its device, and its classes."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import nullcontext, redirect_stderr
from io import StringIO
from typing import TYPE_CHECKING

from xwidgets.errors import one_line

if TYPE_CHECKING:
    from xwidgets.networks import Network


def network_of(arguments: Namespace) -> Network:
    """Network on its device; torchvision tells of its download only where a bar may be shown.

    Args:
        arguments: with ``network``, ``device`` and ``quiet``.

    Raises:
        ValueError: for an unknown network, or a device that cannot have it.
    """
    from xwidgets.networks import network

    silent = arguments.quiet or not sys.stderr.isatty()
    with redirect_stderr(StringIO()) if silent else nullcontext():
        net = network(arguments.network)
    try:
        net.module.to(arguments.device or "cpu")
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = one_line(error).partition(". ")[0]
        raise ValueError(
            f"the network cannot be brought to the device {arguments.device!r} ({reason}); give "
            "another, or leave out --device"
        ) from error
    return net


def class_of(net: Network, text: str | None) -> int | str | None:
    """Class that a text names, or whose index it is."""
    is_index = text is not None and text.isdecimal() and text not in (net.classes or ())
    return int(text) if text is not None and is_index else text
