"""The size of the windows that are removed."""

from functools import partial
from pathlib import Path

import traitlets

from .study import Study
from .view import View

HERE = Path(__file__).parent


class WindowSlider(View):
    """A slider for a study's window size, in pixels; arrow keys move it by one.

    Args:
        *studies: whose window is chosen; several have the same from now on, at first the first's,
            and at most the largest that all of them can take.

    Attributes:
        value, min, max: in pixels.

    Raises:
        ValueError: without a study, or for what is none.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> slider = WindowSlider(study)
        >>> slider.value, slider.max
        (10, 16)
        >>> study.close()
    """

    _esm = HERE / "window_slider.mjs"
    _css = HERE / "controls.css"

    value = traitlets.Int().tag(sync=True)
    min = traitlets.Int(1).tag(sync=True)
    max = traitlets.Int().tag(sync=True)

    def __init__(self, *studies: Study) -> None:
        if not studies or not all(isinstance(study, Study) for study in studies):
            given = " and ".join(type(one).__name__ for one in studies) or "nothing"
            raise ValueError(
                f"a slider moves the windows of studies, but was given {given}; "
                "make a study with xw.Study(net, image)"
            )
        self._studies = studies
        super().__init__(value=studies[0].window, max=self._largest())
        self._choose()
        self.observe(lambda _: self._choose(), "value")
        for study in studies:
            self.follow(study, partial(self._follow, study), "window")
            self.follow(study, self._measure, "image")
        # The kernel hears a widget in the thread that last wrote to it, at first the one that runs
        # the cells. Answering a message moves the slider to the thread for widgets, so that it
        # works while a cell runs.
        self.on_msg(lambda *_: self.send({"type": "heard"}))

    def _choose(self) -> None:
        for study in self._studies:
            study.window = self.value

    def _follow(self, study: Study) -> None:
        self.value = min(study.window, self.max)
        self._choose()

    def _measure(self) -> None:
        self.max = self._largest()

    def _largest(self) -> int:
        largest: int = min(study.largest_window for study in self._studies)
        return largest

    @traitlets.validate("value")
    def _in_range(self, proposal: traitlets.Bunch) -> int:
        value: int = proposal.value
        if self.max and not self.min <= value <= self.max:
            raise ValueError(f"window {value} is not possible here: {self.min} to {self.max} are")
        return value
