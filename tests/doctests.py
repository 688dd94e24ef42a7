"""The examples in docstrings."""

import doctest
import importlib

import numpy as np
import torch
from torch import nn

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples(name):
    finder = doctest.DocTestFinder(exclude_empty=True)
    tests = finder.find(
        importlib.import_module(name), name, extraglobs={"np": np, "nn": nn, "torch": torch}
    )
    return [test for test in tests if test.examples]
