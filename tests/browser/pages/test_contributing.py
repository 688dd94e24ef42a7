"""The view of CONTRIBUTING's recipe, in a page without a kernel."""

import importlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

import xwidgets as xw

from ... import recipes
from ..lab import browser_page


def test_it_draws_a_bar_and_says_its_parts(browser: Browser, tmp_path: Path) -> None:
    result = xw.saliency(xw.network("birds"), xw.scenes.bird(seed=3).image, reduce="signed")
    (tmp_path / "copy").mkdir()
    with recipes.importable(recipes.write(tmp_path / "copy")):
        views = importlib.import_module("xwidgets.widgets.relevance_balance")
        views.RelevanceBalance(result).to_html(tmp_path / "page.html")
    values = result.values
    percent = 100 * values[values > 0].sum() / abs(values).sum()
    with browser_page(browser, offline=True) as page:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((tmp_path / "page.html").as_uri())
        words = f"{percent:.1f} % for, {100 - percent:.1f} % against"
        expect(page.locator(".xw-balance")).to_have_text(words)
        bar = Image.open(BytesIO(page.locator(".xw-balance-bar").screenshot())).convert("RGB")
        [middle] = np.asarray(bar)[bar.height // 2 : bar.height // 2 + 1].astype(int)
        red = middle[:, 0] > middle[:, 2]
        assert 100 * red.mean() == pytest.approx(percent, abs=1)
        assert red[: red.sum()].all(), "what speaks for the class comes first"
        expect(page.get_by_role("heading", level=1)).to_contain_text(result.title)
        assert not errors
