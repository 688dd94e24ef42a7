"""The command ``lab``: JupyterLab on the quickstart notebook."""

import re
from collections.abc import Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from xwidgets.files import explained, made, whole

from .parser import Parser
from .terminal import plain

NAME = "quickstart.ipynb"
SOURCE = "https://github.com/xwidgets/xwidgets/blob/main/notebooks/"
"""Where the notebooks are that this one refers to."""

FOLDER = "where the notebook is put (default: here); made where there is none"
DESCRIPTION = (
    "Copies the quickstart notebook to a folder, and opens it in JupyterLab. A notebook of that "
    "name that is there already stays as it is, and is opened instead.\n\n"
    "What stands behind the folder goes to JupyterLab: see jupyter lab --help. Stop it with Ctrl-C."
)


def run(words: Sequence[str]) -> None:
    """Open the notebook.

    Raises:
        ValueError: where JupyterLab is not installed.
        OSError: where the folder cannot be written to.
    """
    parser = Parser("lab", "[FOLDER] [--no-browser] [JUPYTERLAB'S OWN OPTIONS ...]", DESCRIPTION)
    parser.add_argument("folder", metavar="FOLDER", nargs="?", default=".", help=FOLDER)
    ours = [*words[:1]] if words and (words[0] in ("-h", "--help") or words[0][:1] != "-") else []
    folder = Path(parser.parse(ours).folder)
    missing = [name for name in ("jupyterlab", "ipykernel") if find_spec(name) is None]
    if missing:
        raise ValueError(
            f"{' and '.join(missing)} cannot be found; install xwidgets with its extra 'lab': "
            'pip install "xwidgets[lab] @ git+https://github.com/xwidgets/xwidgets"'
        )
    notebook = notebook_in(folder)
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance([str(notebook), *words[len(ours) :]])


def notebook_in(folder: Path) -> Path:
    """Notebook in a folder, copied there unless there is one of its name, and said where.

    Raises:
        OSError: where the folder cannot be made or written to, or the name is that of a folder.
    """
    notebook, text = made(folder).resolve() / NAME, quickstart()
    if not notebook.exists():
        with whole(notebook) as part:
            part.write_text(text, "utf-8")
        print(f"{NAME} is now in {plain(notebook.parent)}", flush=True)
        return notebook
    with explained(notebook, "cannot be opened", "give another folder"):
        theirs = notebook.read_text("utf-8", "replace")
    if linked(theirs) != text:
        print(f"opening your own {plain(notebook)}, which stays as it is", flush=True)
    return notebook


def quickstart() -> str:
    """Text of the notebook, in the package or beside it in a clone, that can stand alone.

    Example:
        >>> quickstart().startswith("{")
        True
    """
    inside = files(__package__) / NAME
    beside = Path(__file__).parents[2] / "notebooks" / NAME
    return linked((inside if inside.is_file() else beside).read_text("utf-8"))


def linked(text: str) -> str:
    """Notebook whose links to others of the project lead there from any folder.

    Example:
        >>> linked("[more](x_features.ipynb)")
        '[more](https://github.com/xwidgets/xwidgets/blob/main/notebooks/x_features.ipynb)'
    """
    return re.sub(r"\]\((\w+\.ipynb)\)", rf"]({SOURCE}\1)", text)
