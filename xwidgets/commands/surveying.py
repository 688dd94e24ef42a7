"""The command ``survey``: maps of all pictures of a folder."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import terminal
from .classifier import class_of, network_of
from .method_choice import add_method
from .parameters import method_of
from .parser import Parser

if TYPE_CHECKING:
    from xwidgets.surveys import Survey

METHOD = "saliency"
"""Method where none is named, a quick one."""

DESCRIPTION = (
    "Maps every picture of a folder, and of the folders in it, into a folder of its own: maps as a "
    "Zarr array, and a table with a row for each picture as Parquet files, which Python reads "
    "with xw.open_survey, also while it grows. Whatever ends it, the same command goes on where "
    "it was."
)

EXAMPLES = """\
examples:
  xwidgets survey photographs --network resnet18 --out saliency
  xwidgets survey photographs --network resnet18 --workers 4 --out saliency
  xwidgets survey photographs --network resnet18 --method occlusion --window 32 --out occlusion
  xwidgets survey photographs --network resnet18 --measures half_area --until half_area=0.01 \
--out sample"""

FOLDER = "folder of pictures; where these lie in folders of classes, they are labelled by them"
OPTIONS = (
    ("--network", "NAME", "birds, street or a torchvision classifier; see xwidgets networks"),
    ("--out", "FOLDER", "new, empty, or of the same survey, which then goes on"),
    ("--method", "METHOD", f"what maps them (default: {METHOD}); with --help, its parameters"),
    ("--device", "DEVICE", "where the network runs (default: cpu), such as cuda"),
)  # fmt: skip
"""Options beside the parameters of the method: name, placeholder and help."""


LISTS = (
    ("--measures", "NAME,...", "columns of the table: half_area, sharpness, same_sign"),
    ("--layers", "LAYER,...", "by name, or convolutions by number, of whose channels the largest "
     "and the mean activation are kept"),
)  # fmt: skip
"""Options with names: name, placeholder and help."""


def run(words: Sequence[str]) -> int:
    """Survey a folder of pictures.

    Returns:
        Exit code, 1 where a picture has no map.

    Raises:
        ValueError: for what cannot be explained, or a folder that holds another survey.
        OSError: for a folder that cannot be written to.
        SystemExit: where the words cannot be understood.
    """
    parser = _parser()
    kind = add_method(parser, words, METHOD, EXAMPLES)
    if kind is None:
        return 0
    arguments = parser.parse(words)
    from xwidgets.surveys import survey

    net = network_of(arguments)
    done = survey(
        net,
        arguments.folder,
        method_of(kind, arguments),
        arguments.out,
        None if arguments.targets is None else [class_of(net, name) for name in arguments.targets],
        arguments.measures,
        layers=[int(name) if name.isdecimal() else name for name in arguments.layers],
        until=arguments.until,
        again=arguments.again,
        workers=arguments.workers,
        dtype=arguments.dtype,
        progress=not arguments.quiet and sys.stderr.isatty(),
    )
    return _tell(done, arguments.out)


def _parser() -> Parser:
    usage = "PICTURES --network NAME --out FOLDER [--method METHOD] [OPTION ...]"
    parser = Parser("survey", usage, DESCRIPTION)
    parser.add_argument("folder", metavar="PICTURES", help=FOLDER)
    for name, placeholder, line in OPTIONS:
        needed = name in ("--network", "--out")
        parser.add_argument(name, metavar=placeholder, help=line, required=needed)
    parser.add_argument(
        "--targets", "--target", type=_names, metavar="CLASS,...",
        help="names or indices of classes (default: of each picture that with the highest score)",
    )  # fmt: skip
    for name, placeholder, line in LISTS:
        parser.add_argument(name, default=(), type=_names, metavar=placeholder, help=line)
    parser.add_argument(
        "--until", type=_standard_errors, metavar="MEASURE=X,...",
        help="ends with a random sample, when standard errors of the means of measures are at most "
        "these",
    )  # fmt: skip
    parser.add_argument(
        "--again", action="store_true",
        help="compute batches again in which a picture has no map, or a map no measures",
    )  # fmt: skip
    parser.add_argument(
        "--workers", metavar="N", type=int, help="number of processes (default: this one alone)"
    )
    parser.add_argument(
        "--dtype", default="float32", choices=("float32", "float16"), metavar="float32|float16",
        help="type of the maps that are kept (default: float32)",
    )  # fmt: skip
    parser.add_argument("--quiet", action="store_true", help="no progress bar on a terminal")
    return parser


def _names(text: str) -> list[str]:
    """Names with commas between them."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise ArgumentTypeError(f"{text!r} must be names with commas between them")
    return names


def _standard_errors(text: str) -> dict[str, float]:
    """Numbers by measure, such as of ``half_area=0.01``."""
    try:
        return {
            name: float(most)
            for name, _, most in (part.strip().rpartition("=") for part in text.split(","))
        }
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} must be measures and standard errors, such as half_area=0.01"
        ) from None


def _tell(done: Survey, folder: str) -> int:
    """Print what a survey has; the exit code is 1 where a picture has no map."""
    from xwidgets.results.numbers import percent

    table = done.table().drop_duplicates("number")
    without, labelled = int(table["error"].notna().sum()), table["correct"].dropna()
    taken = f"{len(table)} pictures"
    if len(table) < len(done):
        taken = f"a random {len(table)} of {len(done)} pictures"
    told = f"{taken} by {done.facts.method} ({done.facts.network_name})"
    if len(labelled):
        told += f"; {percent(float(labelled.mean()))} of {len(labelled)} are classified right"
    if without:
        told += f"; {without} have no map, and the table says why"
    print(terminal.wrapped(terminal.plain(told)))
    print(f"  written to {terminal.plain(folder)}", flush=True)
    return 1 if without else 0
