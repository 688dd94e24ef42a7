"""The stage of a map, as it is on the screen."""

import base64
import io

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page

COLORED = """() => {
  const canvas = document.querySelector('.xw-map');
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.filter((_, i) => i % 4 === 3).some((alpha) => alpha > 0);
}"""

CODES = """(canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  return btoa(Array.from(data, (code) => String.fromCharCode(code)).join(''));
}"""


def codes(canvas: Locator) -> np.ndarray:
    """The pixels that a canvas holds, RGBA, one after the other."""
    return np.frombuffer(base64.b64decode(canvas.evaluate(CODES)), np.uint8).astype(int)


def seen(page: Page) -> np.ndarray:
    """The stage as it is on the screen."""
    stage = page.locator(".xw-stage")
    stage.scroll_into_view_if_needed()
    return np.asarray(Image.open(io.BytesIO(stage.screenshot())).convert("RGB"), int)


def differs(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape != other.shape or np.abs(one - other).mean() > 1


def recoloured(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether more than two of a thousand pixels have clearly another colour."""
    return bool((np.abs(one - other).max(-1) > 24).mean() > 0.002)


def await_colors(page: Page) -> None:
    page.wait_for_function(COLORED, timeout=60_000)
