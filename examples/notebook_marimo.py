"""The explorer in marimo, and a cell that follows it: ``marimo edit notebook_marimo.py``."""

import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo

    import xwidgets as xw

    return mo, xw


@app.cell
def _(mo, xw):
    study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image, samples=2, stride=2)
    panes = xw.Explorer(study).panes
    overlay = mo.ui.anywidget(panes.overlay)
    panes
    return overlay, study


@app.cell
def _(mo, overlay, study):
    row, column = overlay.pixel or (0, 0)
    here = study.relevance.values[row, column] if study.relevance else 0
    mo.md(f"Pixel {row}, {column}: {here:.2f} {study.method.unit}")
    return


if __name__ == "__main__":
    app.run()
