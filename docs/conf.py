"""Sphinx configuration."""

import sys
from pathlib import Path
from shutil import copyfile, copytree

sys.path.append(str(Path(__file__).parent / "_extensions"))

project = "xwidgets"
copyright = "2026, the xwidgets developers"
extensions = [
    "about_methods",
    "mathml",
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "xwidgets.sphinx",
]
html_theme = "sphinx_book_theme"
html_title = "xwidgets"
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["views.css"]
exclude_patterns = ["_build", "jupyter_execute"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["ref.python"]  # names of types that two modules have
autodoc_typehints = "description"
autodoc_member_order = "bysource"
nb_execution_mode = "force"  # views are alive in pages that were run here alone
nb_execution_timeout = 900
nb_execution_raise_on_error = True

if tags.has("views"):  # noqa: F821  only the pages with live views, and no notebooks
    root_doc = "gallery"
    include_patterns = ["gallery.md", "hosts.md", "methods/*.md"]
    suppress_warnings += ["myst.xref_missing", "toc.not_included"]
else:
    notebooks = Path(__file__).parent.parent / "notebooks"
    for name in (
        "quickstart",
        "x_features",
        "deconvolution",
        "pet_shop",
        "neurons",
        "lengerich2017",
        "qi2018",
        "zintgraf2016",
    ):
        copyfile(notebooks / f"{name}.ipynb", f"{name}.ipynb")
    for results in ("lengerich2017", "qi2018", "zintgraf2016"):
        copytree(notebooks / results, results, dirs_exist_ok=True)
