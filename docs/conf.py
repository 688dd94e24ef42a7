"""Sphinx configuration."""

from pathlib import Path
from shutil import copyfile, copytree

project = "xwidgets"
copyright = "2026, the xwidgets developers"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
html_theme = "sphinx_book_theme"
html_title = "xwidgets"
exclude_patterns = ["_build", "jupyter_execute"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
nb_execution_timeout = 300
nb_execution_raise_on_error = True

notebooks = Path(__file__).parent.parent / "notebooks"
for name in ("quickstart.ipynb", "lengerich2017.ipynb"):
    copyfile(notebooks / name, name)
copytree(notebooks / "lengerich2017", "lengerich2017", dirs_exist_ok=True)
