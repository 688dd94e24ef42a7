"""Fixtures of the methods' tests."""

import pytest

import xwidgets as xw


@pytest.fixture
def passes(monkeypatch):
    """The number of images of each watched pass through a network."""
    counted = []
    watched = xw.Network.watched

    def counting(self, pixels, *arguments, **options):
        counted.append(len(pixels))
        return watched(self, pixels, *arguments, **options)

    monkeypatch.setattr(xw.Network, "watched", counting)
    return counted
