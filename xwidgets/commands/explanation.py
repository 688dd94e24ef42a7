"""The command ``explain``: a map of what speaks for a class in photographs."""

from __future__ import annotations

import os
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xwidgets.errors import one_line

from . import output, terminal
from .classifier import class_of, network_of
from .method_choice import add_method
from .parameters import method_of
from .parser import Parser

if TYPE_CHECKING:
    from xwidgets.explain import MapMethod
    from xwidgets.networks import Network, Subject
    from xwidgets.results import Relevance

METHOD = "prediction-difference"
"""Method where none is named, the one of a study."""

DESCRIPTION = (
    "Maps which pixels of photographs speak for a class of a network, and which against it. It "
    "prints the class, its probability and what the map shows; and writes a page that needs no "
    "network (.html), a picture with a legend (.png), or a result for Python and for xwidgets show "
    "(.npz)."
)

EXAMPLES = """\
examples:
  xwidgets explain cat.jpg --network resnet18 --out cat.html
  xwidgets explain cat.jpg --network resnet18 --target tabby --method occlusion --window 32
  xwidgets explain *.jpg --network resnet18 --method saliency --out 'maps/{name}.png'"""

PHOTO = "picture file; or chelsea, coffee and others that xw.photo has"
OPTIONS = (
    ("--network", "NAME", "birds, street or a torchvision classifier; see xwidgets networks"),
    ("--target", "CLASS", "name or index of a class (default: that with the highest score)"),
    ("--method", "METHOD", f"what maps it (default: {METHOD}); with --help, its parameters"),
    ("--out", "FILE", "ends in .html, .png or .npz; for several photographs a folder, for pages, "
     "or a path in which {name} stands for the name of each"),
    ("--device", "DEVICE", "where the network runs (default: cpu), such as cuda"),
)  # fmt: skip
"""Options beside the parameters of the method: name, placeholder and help."""

PERIOD = 0.5
"""Seconds between two looks at how far a map is, as a look takes time itself."""


def run(words: Sequence[str]) -> int:
    """Explain photographs.

    Returns:
        Exit code, 1 where a photograph could not be read.

    Raises:
        ValueError: for what cannot be explained.
        OSError: for files that cannot be written.
        SystemExit: where the words cannot be understood.
    """
    parser = _parser()
    kind = add_method(parser, words, METHOD, EXAMPLES)
    if kind is None:
        return 0
    arguments = parser.parse(words)
    paths = _paths(parser, arguments)
    method, net = method_of(kind, arguments), network_of(arguments)
    unreadable = 0
    for photo, path in zip(arguments.photos, paths, strict=True):
        try:
            subject = _subject(net, photo)
        except ValueError as error:
            print(terminal.plain(f"{parser.prog}: {one_line(error)}"), file=sys.stderr)
            unreadable += 1
            continue
        result = _explained(method, subject, arguments.target, _title(photo), arguments.quiet)
        _tell(photo, result)
        if path is not None:
            output.write(result, path, _title(photo))
            print(f"  written to {terminal.plain(path)}", flush=True)
    return 1 if unreadable else 0


def _parser() -> Parser:
    usage = "PHOTO [PHOTO ...] --network NAME [--method METHOD] [--out FILE] [OPTION ...]"
    parser = Parser("explain", usage, DESCRIPTION)
    parser.add_argument("photos", metavar="PHOTO", nargs="+", help=PHOTO)
    for name, placeholder, line in OPTIONS:
        parser.add_argument(name, metavar=placeholder, help=line, required=name == "--network")
    parser.add_argument("--quiet", action="store_true", help="no progress bar on a terminal")
    return parser


def _paths(parser: Parser, arguments: Namespace) -> Sequence[Path | None]:
    """File for each photograph, which can be written; ``None`` where none is asked for."""
    if arguments.out is None:
        return [None] * len(arguments.photos)
    try:
        paths = output.paths_for(arguments.out, arguments.photos)
    except ValueError as error:
        parser.error(f"argument --out: {error}")
    output.prepare(paths, arguments.out)
    return paths


def _subject(net: Network, photo: str) -> Subject:
    """Photograph in the network: a file, or a picture of :func:`xwidgets.photo` by its name."""
    from xwidgets.images._photo import NAMED
    from xwidgets.networks import Subject

    return Subject(net, photo if photo in NAMED and not Path(photo).exists() else Path(photo))


def _explained(
    method: MapMethod, subject: Subject, target: str | None, title: str, quiet: bool
) -> Relevance:
    """Map of a target, with a progress bar on a terminal while it grows."""
    from tqdm import tqdm

    layout = "{desc} {percentage:3.0f} %|{bar}| {elapsed}, {remaining} to go"
    with tqdm(
        total=1.0, desc=terminal.plain(title)[:30], disable=True if quiet else None, leave=False,
        bar_format=layout,
    ) as bar:  # fmt: skip
        resolved = subject.target(class_of(subject.net, target))
        method.admit(subject, resolved)
        run, looked = method.on(subject, [resolved]), time.monotonic()
        for _ in run.steps():
            if not bar.disable and time.monotonic() - looked > PERIOD:
                bar.update(run.results()[0].completed - bar.n)
                looked = time.monotonic()
    return run.results()[0]


def _tell(photo: str, result: Relevance) -> None:
    """Print the class, its probability and what the map shows."""
    from xwidgets.results.numbers import percent
    from xwidgets.results.sentences import sentence

    print(terminal.plain(f"{photo}: {result.label!r}, {percent(result.probability)}"))
    print(terminal.wrapped(terminal.plain(f"{result.method}: {sentence(result)}"), 2), flush=True)


def _title(photo: str) -> str:
    """Name of a file as text, whatever bytes it is of."""
    return os.fsencode(Path(photo).name).decode("utf-8", "replace")
