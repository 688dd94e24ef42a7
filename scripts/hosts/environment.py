"""Python environments with one host each, over the one that runs this."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from tests.browser.lab import ROOT


def python_with(pins: Sequence[str], folder: Path) -> str:
    """Python that has packages besides those of this one."""
    if not pins:
        return sys.executable
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        [packages] = folder.glob("lib/python*/site-packages")
        (packages / "base.pth").write_text(sysconfig.get_path("purelib"))
        for part in ("etc/jupyter", "share/jupyter"):
            shutil.copytree(Path(sys.prefix, part), folder / part, dirs_exist_ok=True)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*pip, *pins], check=True, stderr=subprocess.DEVNULL)
    return str(python)


def variables(home: Path) -> dict[str, str]:
    """Environment of a process: this checkout, and no settings of whoever runs it."""
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    return {
        **os.environ,
        **{name: str(home / name.lower()) for name in places},
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
    }


def versions(packages: Sequence[str], python: str) -> str:
    """Names and versions of packages, as a Python has them."""
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    told = subprocess.check_output([python, "-c", code, *packages], text=True)
    return ", ".join(map(" ".join, zip(packages, told.split(), strict=True)))
