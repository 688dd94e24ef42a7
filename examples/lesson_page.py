"""A teaching page: HTML of one's own, with two views that live in it and load nothing.

Run ``python lesson_page.py lesson.html`` and open the file, or upload it to a learning platform.
"""

import sys
from pathlib import Path

import xwidgets as xw

net, bird = xw.network("birds"), xw.scenes.bird(seed=3)
maps = [xw.occlusion(net, bird.image, stride=4, window=window) for window in (8, 12, 16)]
covered = xw.RelevanceOverlay(maps).to_page(title="The score when a square is covered")
changed = xw.RelevanceOverlay(xw.saliency(net, bird.image)).to_page(title="Each pixel on its own")

Path(sys.argv[1]).write_text(
    f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Where does the network look?</title></head>
<body style="max-width: 44rem; margin: auto; padding: 1rem; font-family: system-ui">
<h1>Where does the network look?</h1>
<p>Make the square larger. When does the whole bird speak for its class?</p>
{covered.fragment}
<p>Compare: which part of the bird do both maps show?</p>
{changed.fragment}
</body>
</html>
""",
    "utf-8",
)
