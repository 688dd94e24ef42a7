#!/usr/bin/env bash
# nbconvert 7.17.2: with `embed_images` (`jupyter nbconvert --to html --embed-images`) an answer folded
# in <details> with Markdown between blank lines is shown unfolded, in a notebook without any image:
# each piece of HTML between blank lines is parsed on its own, and its elements are closed there.
#
# A good guess: the option changes where pictures come from, and nothing else.
#
# Seen:
#   7.17.2
#   embed_images=False  <details><summary>Answer</summary> <p>The <em>beak</em>.</p> </details>
#   embed_images=True   <details><summary>Answer</summary> </details> <p>The <em>beak</em>.</p>
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nbconvert==7.17.2 mistune==3.4.0
"$folder/venv/bin/python" - <<'PYTHON'
import re

import nbconvert
from nbformat.v4 import new_markdown_cell, new_notebook
from traitlets.config import Config

TEXT = "<details><summary>Answer</summary>\n\nThe *beak*.\n\n</details>"
INSIDE = "<details><summary>Answer</summary> <p>The <em>beak</em>.</p> </details>"
OUTSIDE = "<details><summary>Answer</summary> </details> <p>The <em>beak</em>.</p>"

print(nbconvert.__version__)
for embed_images, expected in ((False, INSIDE), (True, OUTSIDE)):
    exporter = nbconvert.HTMLExporter(config=Config(HTMLExporter={"embed_images": embed_images}))
    page, _ = exporter.from_notebook_node(new_notebook(cells=[new_markdown_cell(TEXT)]))
    told = " ".join(page[page.index("<details>") :].split())
    told = re.match(r".*?</em>\.</p>(?: </details>)?", told).group()
    print(f"embed_images={embed_images!s:5}  {told}")
    assert told == expected, "this has changed"
PYTHON
