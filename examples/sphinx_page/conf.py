"""A Sphinx site with a live view: ``sphinx-build examples/sphinx_page site``."""

project = "A lesson"
extensions = ["myst_parser", "xwidgets.sphinx"]
