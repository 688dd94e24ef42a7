"""What all views have in common."""

import anywidget

from xwidgets.live.following import Following


class View(Following, anywidget.AnyWidget):
    """A view that follows what it shows until it is closed."""

    def close(self) -> None:
        """Take it off the page, and follow nothing any more."""
        self.unfollow()
        super().close()
