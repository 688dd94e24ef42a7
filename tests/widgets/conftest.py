"""The small study that the tests of what computes behind the views use too."""

from tests.live.conftest import image, images, net, other, study

__all__ = ["image", "images", "net", "other", "study"]
