#!/usr/bin/env bash
# ipywidgets 8.1.9 with IPython 9.18.1: `Output.append_display_data` of an object that displays
# itself, with `_ipython_display_`, leaves an empty output in the widget, and the object shows in the
# cell that runs. One with `_repr_mimebundle_` is held as it should be. Raising NotImplementedError
# in `_ipython_display_` gives the way free to the bundle.
#
# A good guess: what `display(x)` shows, `output.append_display_data(x)` shows in the widget.
#
# Seen:
#   shown in the cell
#   itself  {}
#   bundle  {'text/plain': 'a bundle'}
#   either  {'text/plain': 'a bundle'}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ipywidgets==8.1.9 ipython==9.18.1
"$folder/venv/bin/python" - <<'PYTHON'
import ipywidgets
from IPython.core.interactiveshell import InteractiveShell

InteractiveShell.instance()


class Bundle:
    def _repr_mimebundle_(self, **options):
        return {"text/plain": "a bundle"}


class Itself:
    def _ipython_display_(self):
        print("shown in the cell")


class Either(Bundle):
    def _ipython_display_(self):
        raise NotImplementedError


output = ipywidgets.Output()
expected = {"text/plain": "a bundle"}
for kind, held in ((Itself, {}), (Bundle, expected), (Either, expected)):
    output.append_display_data(kind())
    data = output.outputs[-1]["data"]
    print(f"{kind.__name__.lower():7s} {data}")
    assert data == held, "this has changed"
PYTHON
