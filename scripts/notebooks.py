"""Run the notebooks and keep what they show, small enough to be committed.

``python -m scripts.notebooks [NAME ...]`` runs those of ``notebooks/`` in a copy of that folder,
all by default. Views stay as the pictures and tables that readers without widgets see: their state
would be megabytes, and without it JupyterLab could not show them.
"""

import re
import shutil
import sys
from base64 import b64decode, b64encode
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

from xwidgets.files import whole

FOLDER = Path(__file__).parents[1] / "notebooks"
PROGRESS = ("\r", "Downloading")
CODE = re.compile(r"\w+\(")
"""Beginning of a widget's ``repr``."""
LARGE = 30_000
"""Characters of a picture from which on it is made smaller."""
VIEW = "application/vnd.jupyter.widget-view+json"


def smaller(png: str) -> str:
    """A picture as base64; a large one in 128 colours."""
    if len(png) < LARGE:
        return png
    file = BytesIO()
    picture = Image.open(BytesIO(b64decode(png))).convert("RGB")
    picture.quantize(128).save(file, "PNG", optimize=True)
    return b64encode(file.getvalue()).decode()


def shown(output: Any) -> Any | None:
    """Output without its view; ``None`` for progress and for a widget without a picture."""
    output = nbformat.from_dict({**output})
    if output.output_type == "stream":
        kept = output.name == "stdout" and not output.text.startswith(PROGRESS)
        return output if kept else None
    data = output.get("data", {})
    is_view = data.pop(VIEW, None) is not None
    if is_view and list(data) == ["text/plain"] and CODE.match(data["text/plain"]):
        return None  # a widget that has no picture
    if "image/png" in data:
        data["image/png"] = smaller(data["image/png"])
    output.metadata = {kind: told for kind, told in output.get("metadata", {}).items() if told}
    return output


def run(name: str, folder: Path) -> None:
    """Run a notebook in a folder, and keep what it shows in the original."""
    path = folder / f"{name}.ipynb"
    notebook = nbformat.read(path, 4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    notebook.metadata.pop("widgets", None)
    count = 0
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            cell.outputs = [output for output in map(shown, cell.outputs) if output is not None]
    with whole(FOLDER / path.name) as part:
        nbformat.write(notebook, part)


def main() -> None:
    names = sys.argv[1:] or sorted(path.stem for path in FOLDER.glob("*.ipynb"))
    with TemporaryDirectory() as copy:
        shutil.copytree(FOLDER, copy, dirs_exist_ok=True)
        for name in names:
            run(name, Path(copy))


if __name__ == "__main__":
    main()
