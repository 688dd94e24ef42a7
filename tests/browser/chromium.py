"""A Chromium for the browser tests; ``python -m tests.browser.chromium`` installs one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)
ADVICE = (
    "no Chromium found: install one (Debian and Ubuntu: apt-get install chromium; anywhere: "
    "python -m playwright install chromium) or name one in XWIDGETS_BROWSER"
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find() -> str | None:
    """The path of a Chromium on this machine."""
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    candidates = [os.environ.get("XWIDGETS_BROWSER"), *map(shutil.which, NAMES), *PLACES, own]
    return next((path for path in candidates if path and _starts(path)), None)


def _starts(path: str) -> bool:
    if not Path(path).exists():
        return False
    if os.name == "nt":  # prints no version there
        return True
    return subprocess.run([path, "--version"], capture_output=True).returncode == 0


def install() -> str | None:
    """Install a Chromium where that can be done without asking anybody."""
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        commands = [["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]]
    else:
        commands = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    for command in commands:
        print("   ", " ".join(command), flush=True)
        if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
            break
    return find()


if __name__ == "__main__":
    print("==> a browser for the browser tests", flush=True)
    found = find() or install()
    print(f"    {found or ADVICE}", flush=True)
