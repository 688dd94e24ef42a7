"""Workers of pytest-xdist share the cores: one thread each, the kernels that they start too.

All tests in a browser go to one worker: their waiting is filled by the other's computing, and one
JupyterLab is started.
"""

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadFileScheduling

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "LoadFileScheduling | None":
    """A file is one worker's, and tests/browser too."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            inside = nodeid.startswith("tests/browser/")
            return "tests/browser" if inside else super()._split_scope(nodeid)

    return Scheduling(config, log)
