"""Fingers on a touch screen, in Chromium."""

from collections.abc import Callable

from playwright.sync_api import Page


def touched(page: Page) -> Callable[..., None]:
    """Function of a touch event's type and the places (x, y) of the fingers, which sends it."""
    session = page.context.new_cdp_session(page)

    def fingers(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return fingers
