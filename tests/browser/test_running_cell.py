"""Controls are heard while a cell runs, at first and after cells have set what they control."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page

from .lab import Notebook

STUDY = """
import time
import xwidgets as xw
net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
study = xw.Study(net, scene.image, window=8, samples={samples})
"""
EXPLORER = STUDY.format(samples=50), "explorer = xw.Explorer(study); explorer"
OTHERS = (
    STUDY.format(samples=1),
    "neurons = xw.NeuronExplorer(study); neurons",
    "painter = xw.RegionPainter(study); painter",
    """
maps = [xw.saliency(net, scene.image, reduce=reduce) for reduce in ("maximum", "signed")]
comparison = xw.Comparison(*maps)
comparison
""",
)

RUN = """(code) => new Promise((resolve) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({ code, store_history: false });
  let printed = '';
  future.onIOPub = ({ header, content }) => {
    if (header.msg_type === 'execute_input') resolve();
    if (header.msg_type === 'stream') printed += content.text;
    if (header.msg_type === 'error') printed += `${content.ename}: ${content.evalue}`;
  };
  window.ended = future.done.then(() => printed);
})"""
"""Starts a cell."""

WAITING = """
until = time.monotonic() + 10
while time.monotonic() < until and not ({condition}):
    time.sleep(0.05)
print(bool({condition}))
"""
"""A cell that runs until the kernel has heard of something, or for ten seconds."""


def key(label: str, pressed: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_label(label, exact=True).locator("visible=true").press(pressed)


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop").click()


def point(page: Page) -> None:
    page.mouse.move(5, 5)
    page.locator(".xw-map").first.hover(position={"x": 30, "y": 40})


def choose(page: Page) -> None:
    page.locator(".xw-class").nth(2).click()


def select(page: Page) -> None:
    page.locator(".xw-ranking .xw-row").nth(1).click()


def paint(page: Page) -> None:
    canvas = page.locator(".xw-painter canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 100, steps=3)
    page.mouse.up()


CONTROLS: dict[str, tuple[tuple[str, ...], Callable[[Page], None], str, str]] = {
    "stop": (EXPLORER, stop, "study.progress.state == 'stopped'",
             "study.window = 9; study.window = 8"),
    "slider": (EXPLORER, key("window in pixels", "ArrowRight"), "study.window == 9",
               "study.window = 8"),
    "choice": (EXPLORER, key("measure", "ArrowDown"), "study.method.measure == 'difference'",
               "study.move(measure='evidence')"),
    "class": (EXPLORER, choose, "study.target == explorer.panes.classes.options[2][1]",
              "study.target = explorer.panes.classes.options[0][1]"),
    "pixel": (EXPLORER, point, "explorer.overlay.pixel", "explorer.overlay.pixel = []"),
    "opacity": (EXPLORER, key("opacity", "ArrowLeft"), "explorer.overlay.opacity == 0.84",
                "explorer.overlay.opacity = 0.85"),
    "linked opacity": (OTHERS, key("opacity", "ArrowLeft"),
                       "{overlay.opacity for overlay in comparison._maps} == {0.84}",
                       "for overlay in comparison.children: overlay.opacity = 0.85"),
    "neuron": (OTHERS, select, "study.neurons.selected", "study.neurons.selected = ()"),
    "region": (OTHERS, paint, "study.regions.mask.any()",
               "study.regions.mask = study.regions.mask & False"),
}  # fmt: skip
"""By control: where it is, how it is used, what the kernel has then, and a cell that undoes it."""


@pytest.fixture(scope="module")
def opened(run: Callable[..., Notebook], request: pytest.FixtureRequest) -> Iterator[Notebook]:
    """A notebook of these cells, each of whose controls is used by one test."""
    notebook = run(*request.param)
    notebook.page.locator(".xw-map:visible").last.wait_for()
    yield notebook
    notebook.kernel("study.close()")


@pytest.mark.parametrize(
    ("opened", "name"), [(control[0], name) for name, control in CONTROLS.items()],
    indirect=["opened"], ids=list(CONTROLS), scope="module",
)  # fmt: skip
def test_a_control_is_heard_while_a_cell_runs(opened: Notebook, name: str) -> None:
    _, use, condition, undo = CONTROLS[name]
    page = opened.page
    for before in ("", undo):
        assert opened.kernel(before) == ""
        page.evaluate(RUN, WAITING.format(condition=condition))
        use(page)
        heard = page.evaluate("() => window.ended").strip()
        assert heard == "True", f"after {before!r}" if before else "at first"


# One cell runs, and every other view is used in turn

MANY = (
    """
import time
import xwidgets as xw
net = xw.network("birds")
images, _ = xw.scenes.draw("birds", range(300))
study = xw.Study(net, xw.scenes.bird(seed=3).image, method=xw.Saliency())
module = xw.fit_explanation(net, images, study.target, epochs=2, cache=False, progress=False)
study.neurons.selected = [(5, 3)]
""",
    "lesson = xw.DeconvolutionLesson(); lesson",
    "unpooling = xw.UnpoolingLesson(); unpooling",
    "grid = xw.RelevanceGrid([[xw.saliency(net, study.image)] * 2]); grid",
    "form = xw.PartsForm([xw.x_features(net, module, study.image)], ['beak', 'tail']); form",
    "gallery = xw.PatchGallery(study); gallery",
    "features = xw.XFeatureExplorer(study, modules=module); features",
    "models = xw.ClassModelExplorer(study, seeds=(0,), iterations=16); models",
    "top = xw.TopImagesGallery(study, (5, 48), images[:20], k=3); top",
    "methods = xw.MethodComparison(study, [xw.Saliency(), xw.Deconvnet()]); methods",
    "chooser = xw.ClassChooser(study); chooser",
    """
from tempfile import mkdtemp
survey = xw.survey(net, images[:20], xw.Saliency(), mkdtemp(), progress=False)
explorer = xw.SurveyExplorer(survey, images[:20], net)
_ = explorer.growth.wait()
explorer
""",
)

SEVERAL = """
heard, wanted, until = set(), {wanted}, time.monotonic() + 60
while len(heard) < len(wanted) and time.monotonic() < until:
    heard |= {{name for name, condition in wanted.items() if eval(condition)}}
    time.sleep(0.02)
print(sorted(wanted.keys() - heard))
"""
"""A cell that runs until each of these was so once, or for a minute."""


def button(name: str) -> Callable[[Locator], None]:
    return lambda view: view.get_by_role("button", name=name).first.click()


def enlarge(view: Locator) -> None:
    view.locator("table").get_by_role("button").first.press("Enter")


def widen(view: Locator) -> None:
    view.get_by_label("Window").fill("3")
    view.page.keyboard.press("Enter")


VIEWS: dict[str, tuple[str, Callable[[Locator], None], str, str]] = {
    "lesson": (".xw-lesson:not(.xw-unpooling)", button("3 Back to x"),
               "lesson.part == 'reconstruction'", "lesson.part = 'matrix'"),
    "unpooling": (".xw-unpooling", widen, "unpooling.window == 3", "unpooling.window = 2"),
    "form": (".xw-parts-form", lambda view: view.get_by_role("checkbox", name="heat map").click(),
             "not form.heat", "form.heat = True"),
    "gallery": (".xw-gallery",
                lambda view: view.get_by_label("reconstruct from").select_option("map"),
                "study.neurons.start == 'map'", "study.neurons.start = 'maximum'"),
    "x-features": (".xw-xfeatures", button("Don't trust"), "'distrust' in features.votes",
                   "features.votes = [''] * len(features.votes)"),
    "class models": (".xw-class-models", button("Frame of step 0"), "models.shown == 0",
                     "models.shown = -1"),
    "top images": (".xw-top-images",
                   lambda view: view.get_by_role("slider", name="images").press("ArrowRight"),
                   "top.k == 4", "top.k = 3"),
    "methods": (".xw-methods", button("deconvnet"), "methods.chosen == 1", "methods.chosen = 0"),
    "class": (".xw-chooser", lambda view: view.locator(".xw-class").nth(2).click(),
              "study.target == chooser.options[2][1]", "study.target = chooser.options[0][1]"),
    "survey": (".xw-survey", button("Select what is shown"), "len(explorer.selected) == 20",
               "explorer.selected = []"),
    "grid": (".xw-grid", enlarge, "grid.enlarged", "grid.enlarged = []"),  # over all others
}  # fmt: skip
"""By view: where it is, how it is used, what the kernel has then, and a cell that undoes it."""

COMPLETE = """
study.neurons.patches.wait(), study.dataset_search.wait(), features.fit.wait()
_ = study.class_models.growing.wait(), [live.wait() for live in methods._live.maps]
"""


def test_every_other_view_is_heard_while_a_cell_runs(run: Callable[..., Notebook]) -> None:
    notebook = run(*MANY)
    page = notebook.page
    assert "Error" not in notebook.kernel(COMPLETE)
    wanted = json.dumps({name: condition for name, (_, _, condition, _) in VIEWS.items()})
    for before in ("", "\n".join(undo for *_, undo in VIEWS.values()) + COMPLETE):
        assert "Error" not in notebook.kernel(before)
        page.evaluate(RUN, SEVERAL.format(wanted=wanted))
        for place, use, _, _ in VIEWS.values():
            use(page.locator(place))
        unheard = page.evaluate("() => window.ended").strip()
        assert unheard == "[]", f"after {before!r}" if before else "at first"
    notebook.kernel("study.close()")
