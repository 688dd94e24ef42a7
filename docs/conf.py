"""Sphinx configuration."""

from pathlib import Path
from shutil import copyfile, copytree

project = "xwidgets"
copyright = "2026, the xwidgets developers"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
html_theme = "sphinx_book_theme"
html_title = "xwidgets"
exclude_patterns = ["_build", "jupyter_execute"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
nb_execution_mode = "force"  # views are alive in pages that were run here alone
nb_execution_timeout = 300
nb_execution_raise_on_error = True

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
