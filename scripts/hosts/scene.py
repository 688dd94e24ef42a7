"""The few views that every host shows, written as each host takes them."""

import subprocess
import sys
from pathlib import Path
from textwrap import indent

from tests.browser.lab import write_notebook

SETUP = """
from dataclasses import replace
import pandas as pd
import xwidgets as xw
from xwidgets.widgets.charts import Curves

net, bird = xw.network("birds"), xw.scenes.bird(seed=3)
maps = [xw.occlusion(net, bird.image, window=window, stride=4) for window in (8, 16)]
study = xw.Study(net, bird.image, method=xw.Occlusion(window=8, stride=4))
study.wait()
study.neurons.ranking.wait()
markup = "<b>bold</b> & <i>more</i>"
marked = replace(maps[0], label=markup)
curves = Curves({"accuracy": "accuracy"}, x="epoch")
curves.show(pd.DataFrame({"seed": [0, 0], "epoch": [0, 1], "accuracy": [0.5, 0.8]}))
"""
SERIES = "xw.RelevanceOverlay(maps)"
EXPLORER = "xw.Explorer(study).panes"
COMPARISON = "xw.Comparison(*maps)"
RANKING = "xw.NeuronRanking(study)"
PAINTER = "xw.RegionPainter(study)"
CHART = "curves"
MARKUP = "xw.RelevanceGrid([[marked]], [markup], [markup])"

VIEWS = (SERIES, EXPLORER, COMPARISON, RANKING, MARKUP)
"""Each a single anywidget."""
PARTS = (*VIEWS, PAINTER, CHART)


def notebook(folder: Path) -> Path:
    """Notebook that was not run."""
    path = folder / "scene.ipynb"
    write_notebook(path, SETUP, *PARTS)
    return path


def executed(folder: Path) -> Path:
    """Notebook that was run, with the state of its widgets."""
    path = notebook(folder)
    command = [sys.executable, "-m", "nbconvert", "--execute", "--inplace", "--to", "notebook"]
    subprocess.run([*command, path], check=True, capture_output=True)
    return path


def marimo_app(folder: Path) -> Path:
    """App of a cell for each part."""
    cells = (
        f"@app.cell\ndef _():\n{indent(code, '    ')}\n    return\n" for code in (SETUP, *PARTS)
    )
    path = folder / "scene.py"
    path.write_text("\n\n".join(["import marimo\n\napp = marimo.App()", *cells]), "utf-8")
    return path


def panel_app(folder: Path) -> Path:
    """App of a column of the parts."""
    path = folder / "scene.py"
    shown = "".join(f"    {part},\n" for part in PARTS)
    head = f'import panel as pn\n{SETUP}\npn.extension("ipywidgets")\n'
    path.write_text(f"{head}pn.Column(\n{shown}).servable()\n", "utf-8")
    return path


def fragments(folder: Path) -> Path:
    """Page of one's own HTML, with a fragment for each view that has one."""
    scope: dict = {}
    exec(SETUP, scope)
    bodies = "".join(eval(view, scope).to_page().fragment for view in VIEWS)
    scope["study"].close()
    path = folder / "scene.html"
    path.write_text(f'<!doctype html><meta charset="utf-8">\n{bodies}', "utf-8")
    return path


def directives(folder: Path) -> Path:
    """Source of a Sphinx site with a directive for each view that has a page."""
    (folder / "conf.py").write_text('extensions = ["myst_parser", "xwidgets.sphinx"]\n', "utf-8")
    blocks = "\n\n".join(f"```{{live-view}}\n{code.strip()}\n```" for code in (SETUP, *VIEWS))
    (folder / "index.md").write_text(f"# Scene\n\n{blocks}\n", "utf-8")
    return folder
