"""Workers of pytest-xdist share the cores: one thread each, the kernels that they start too.

All tests in a JupyterLab go to one worker, so that one is started, and begin first, since they take
longest. Other tests in a browser are in tests/browser/pages.
"""

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadFileScheduling

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"


def in_jupyterlab(nodeid: str) -> bool:
    """Whether a test is in tests/browser itself."""
    return nodeid.startswith("tests/browser/test_")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in JupyterLab are the first, the order of the others stays."""
    items.sort(key=lambda item: not in_jupyterlab(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "LoadFileScheduling | None":
    """A file is one worker's, and all files with tests in JupyterLab are."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "JupyterLab" if in_jupyterlab(nodeid) else super()._split_scope(nodeid)

    return Scheduling(config, log)
