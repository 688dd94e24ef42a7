"""Every example in a docstring runs and prints what it says."""

import doctest
import pkgutil
from functools import cache
from unittest.mock import patch

import pytest

import xwidgets
from xwidgets.reproduce.zintgraf2016 import claims

from .doctests import FLAGS, examples

MODULES = ["xwidgets", *(m.name for m in pkgutil.walk_packages(xwidgets.__path__, "xwidgets."))]


TESTS = [test for name in MODULES for test in examples(name)]


def test_there_are_examples_in_every_room():
    rooms = {test.name.split(".")[1] for test in TESTS}
    assert {"networks", "images", "explain", "results", "live", "widgets"} <= rooms
    assert len(TESTS) > 25


@pytest.fixture(scope="module")
def reproduced_once():
    """Examples of findings are about one reproduction."""
    with patch.object(claims, "reproduce", cache(claims.reproduce)):
        yield


@pytest.mark.usefixtures("reproduced_once")
@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.name.removeprefix("xwidgets."))
def test_the_example_prints_what_it_says(test, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = []
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append)
    assert not result.failed, "".join(report)
    assert result.attempted
