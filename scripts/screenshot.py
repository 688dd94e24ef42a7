"""The README's picture: the quickstart in a real JupyterLab.

``python -m scripts.screenshot [docs/quickstart.png]``. The file holds the sentence that the picture
shows; a test compares it with what the committed notebook says.
"""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.browser.lab import Notebook, browser_page, jupyter_lab, running_chromium
from xwidgets.files import whole

ROOT = Path(__file__).parent.parent


def main() -> None:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs" / "quickstart.png")
    with TemporaryDirectory() as folder:
        shutil.copy(ROOT / "notebooks" / "quickstart.ipynb", folder)
        with (
            jupyter_lab(Path(folder)) as lab,
            running_chromium() as browser,
            browser_page(browser, scale=2, width=1000, height=1130) as page,
        ):
            notebook = Notebook(page, lab, "quickstart.ipynb")
            notebook.command("application:toggle-left-area")
            notebook.run_all()
            notebook.kernel("study.resume(); study.wait(20)")
            explorer = page.locator(".jp-OutputArea-output:has(.xw-overlay)").first
            explorer.evaluate("element => element.scrollIntoView({ block: 'end' })")
            page.locator(".xw-map").first.hover(position={"x": 250, "y": 150})
            page.wait_for_timeout(500)
            told = PngInfo()
            told.add_itxt("sentence", explorer.locator(".xw-finding").inner_text())
            with whole(target) as part:
                page.screenshot(path=part, type="png")
                with Image.open(part) as picture:
                    picture.load()
                    picture.save(part, "PNG", pnginfo=told, optimize=True)


if __name__ == "__main__":
    main()
