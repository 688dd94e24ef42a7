"""Every example in a docstring runs and prints what it says."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets

MODULES = ["xwidgets", *(m.name for m in pkgutil.walk_packages(xwidgets.__path__, "xwidgets."))]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples(name):
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = finder.find(
        importlib.import_module(name), name, extraglobs={"np": np, "nn": nn, "torch": torch}
    )
    return [test for test in found if test.examples]


TESTS = [test for name in MODULES for test in examples(name)]


def test_there_are_examples_in_every_room():
    rooms = {test.name.split(".")[1] for test in TESTS}
    assert {"networks", "images", "explain", "results", "live", "widgets"} <= rooms
    assert len(TESTS) > 25


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.name.removeprefix("xwidgets."))
def test_the_example_prints_what_it_says(test, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = []
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append)
    assert not result.failed, "".join(report)
    assert result.attempted
