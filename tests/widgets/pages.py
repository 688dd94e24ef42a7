"""The views of an exported page."""

import json
import re
from pathlib import Path


def states(page: Path) -> list[dict]:
    """What the views on a page start from."""
    found = re.search(r'class="xw-page-states">(.*?)</script>', page.read_text("utf-8"))
    return [part["state"] for part in json.loads(found.group(1))["parts"]]
