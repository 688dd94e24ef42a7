#!/usr/bin/env bash
# Panel 1.9.4 with ipywidgets_bokeh 1.8.0 shows an ipycanvas 0.14.3 that stays empty, while its mouse
# events reach Python and other widgets of the same page are changed from there.
#
# A good guess: a host that shows ipywidgets and brings their events to Python shows what a canvas draws.
# ipycanvas draws by messages of one hidden widget, made when it is imported and shared by all canvases.
#
# Seen, in Chromium from the system's packages:
#   before a click: canvas blank True, text 'start'
#   after it:       canvas blank True, text 'drawn at 20 60'
set -euo pipefail
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) \
  || { echo "this needs Chromium: apt-get install chromium" >&2; exit 1; }
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  panel==1.9.4 ipywidgets_bokeh==1.8.0 ipycanvas==0.14.3 ipywidgets==8.1.9 playwright
cat > "$folder/app.py" <<'PYTHON'
import ipywidgets
import panel
from ipycanvas import Canvas

panel.extension("ipywidgets")
canvas, text = Canvas(width=100, height=80), ipywidgets.HTML("start")


def draw(x, y):
    text.value = f"drawn at {x:.0f} {y:.0f}"
    canvas.fill_style = "red"
    canvas.fill_rect(0, 0, 100, 80)


canvas.on_mouse_down(draw)
panel.Column(panel.pane.IPyWidget(canvas), panel.pane.IPyWidget(text)).servable()
PYTHON
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$folder/venv/bin/python" -m panel serve "$folder/app.py" --port "$port" >"$folder/log" 2>&1 &
server=$!
CHROMIUM=$chromium PORT=$port "$folder/venv/bin/python" - <<'PYTHON'
import os
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

CODE = Path(sys.prefix, "share/jupyter/nbextensions/ipycanvas/index.js")
BLANK = """(canvas) => !canvas.getContext('2d')
  .getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0)"""

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=["--no-sandbox"])
    page = browser.new_page()
    page.route("**/ipycanvas@*/**", lambda route: route.fulfill(path=CODE))
    for _ in range(60):
        try:
            page.goto(f"http://127.0.0.1:{os.environ['PORT']}/app")
            break
        except Error:
            page.wait_for_timeout(1000)
    canvas = page.locator("canvas").first
    canvas.wait_for(timeout=60_000)
    text = page.get_by_text("start")
    text.wait_for()
    blank = canvas.evaluate(BLANK)
    print("before a click: canvas blank", blank, "text", repr(text.inner_text()))
    canvas.click(position={"x": 20, "y": 60})
    text = page.get_by_text("drawn at")
    text.wait_for(timeout=30_000)
    page.wait_for_timeout(3000)
    still_blank = canvas.evaluate(BLANK)
    print("after it:       canvas blank", still_blank, "text", repr(text.inner_text()))
    browser.close()
sys.exit(0 if blank and still_blank else "the canvas shows what is drawn now")
PYTHON
