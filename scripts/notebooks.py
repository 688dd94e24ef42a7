"""Run the notebooks and keep what they show, small enough to be committed.

``python -m scripts.notebooks [NAME ...]`` runs those of ``notebooks/`` in a copy of that folder,
all by default. Views stay as the pictures and tables that readers without widgets see: their state
would be megabytes, and without it JupyterLab could not show them.
"""

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
LARGE = 90_000
"""Characters of a picture from which on it is made smaller."""
VIEW = "application/vnd.jupyter.widget-view+json"


def smaller(png: str) -> str:
    """A picture as base64; a large one in 256 colours."""
    if len(png) < LARGE:
        return png
    file = BytesIO()
    picture = Image.open(BytesIO(b64decode(png))).convert("RGB")
    picture.quantize(256).save(file, "PNG", optimize=True)
    return b64encode(file.getvalue()).decode()


def shown(output: Any) -> Any:
    """An output without its view, its picture as small as it can be without a loss that is seen."""
    output = nbformat.from_dict({**output})
    if "data" in output:
        output.data.pop(VIEW, None)
        if "image/png" in output.data:
            output.data["image/png"] = smaller(output.data["image/png"])
    output.metadata = {kind: told for kind, told in output.get("metadata", {}).items() if told}
    if output.output_type == "stream":
        output.pop("metadata")
    return output


def is_kept(output: Any) -> bool:
    """Whether an output is of what the notebook shows: not of its progress, nor an empty one."""
    if output.output_type == "stream":
        return bool(output.name == "stdout")
    return bool(output.get("data", True))


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
            cell.outputs = [one for one in map(shown, cell.outputs) if is_kept(one)]
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
