"""The small study that the tests of what computes behind the views use too."""

from tests.live.conftest import image, net, study

__all__ = ["image", "net", "study"]
