"""Results are loaded, shown and exported where torch is not installed."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data" / "0.1.0"
HIDDEN = """
import sys
from importlib import metadata

def hide(version):
    def of(name):
        if name in ("torch", "torchvision"):
            raise metadata.PackageNotFoundError(name)
        return version(name)
    return of

class Hidden:
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in ("torch", "torchvision"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
metadata.version = hide(metadata.version)
import xwidgets as xw
"""
SHOWN = {
    "relevance": """
        relevance = xw.Relevance.load(data / "prediction_difference.npz")
        view = xw.RelevanceOverlay(relevance)
        other = xw.Comparison(relevance, xw.Relevance.load(data / "prediction_difference.npz"))
        assert other.difference is not None
        other.to_html(folder / "comparison.html")
        xw.RelevanceGrid([[relevance]], ["row"], ["column"]).to_html(folder / "grid.html")
        xw.MethodComparison([relevance, relevance]).to_html(folder / "methods.html")
    """,
    "ranking": """
        view = xw.NeuronRanking(xw.Ranking.load(data / "ranking.npz"))
    """,
    "x-features": """
        found = xw.XFeatures.load(data / "x_features.npz")
        view = xw.XFeatureExplorer(found)
        seen = replace(found, maps=found.maps + 1)  # those in the file are silent
        xw.PartsForm([seen], ["beak", "wing"]).to_html(folder / "form.html")
    """,
    "region removal": """
        from xwidgets.widgets.region_scores import RegionScores
        view = RegionScores(xw.RegionRemoval.load(data / "region_removal.npz"))
    """,
    "lessons": """
        view = xw.DeconvolutionLesson(xw.lessons.Convolution1d((1, 2, 1)), [1, 2, 3])
        xw.UnpoolingLesson().to_html(folder / "unpooling.html")
    """,
    "top images": """
        view = xw.TopImagesGallery(xw.TopImages.load(data / "top_images.npz"))
    """,
    "neuron patch": """
        view = xw.PatchGallery([xw.NeuronPatch.load(data / "neuron_patch.npz")])
    """,
}


EACH = """
import runpy
import traceback
from dataclasses import replace
from pathlib import Path

data, folder = map(Path, sys.argv[1:])
for path in sorted(folder.glob("*.py")):
    names = {"xw": xw, "replace": replace, "data": data, "folder": path.with_suffix("")}
    try:
        runpy.run_path(str(path), names)
        print(path.stem, "works")
    except Exception:
        print(path.stem, traceback.format_exc())
"""
SHOW = """
bundle = view._repr_mimebundle_()
assert 'text/plain' in (bundle[0] if isinstance(bundle, tuple) else bundle)
view.to_html(folder / 'view.html')
"""


def run(source, *arguments):
    command = [sys.executable, "-c", source, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Pages by what they show, all made by one Python, and what failed in it."""
    folder = tmp_path_factory.mktemp("shown")
    for name, source in SHOWN.items():
        (folder / name).mkdir()
        (folder / f"{name}.py").write_text(textwrap.dedent(source) + SHOW)
    told = run(HIDDEN + EACH, DATA, folder)
    return folder, told


@pytest.mark.parametrize("name", SHOWN)
def test_a_result_is_loaded_shown_and_exported(name, shown):
    folder, told = shown
    assert f"{name} works\n" in told, told
    for page in (folder / name).glob("*.html"):
        assert "<script" in page.read_text("utf-8")
    assert (folder / name / "view.html").exists()


def test_torch_is_hidden_from_these_tests():
    with pytest.raises(AssertionError, match="No module named 'torch'"):
        run(HIDDEN + "xw.network('birds')")


SURVEY = """
survey = xw.open_survey(sys.argv[1])
assert survey.progress == 1 and len(survey.table()) == len(survey) == 3
image = np.zeros((64, 64, 3), np.uint8)
assert survey.relevance(1, image).png()
assert len(survey.neurons("features.0")) == 16 and len(survey.top_pictures("features.0", 3)) == 3
assert survey.common_places()["count"].sum() == 3
explorer = xw.SurveyExplorer(survey)
explorer.growth.wait()
explorer.selected, explorer.opened = [0, 1], 2
explorer.to_html(sys.argv[1] + ".html")
explorer.close()
"""


def test_a_survey_is_read(tmp_path):
    import xwidgets as xw

    scenes = [xw.scenes.bird(seed) for seed in range(3)]
    xw.survey(
        xw.network("birds"), scenes, xw.Saliency(), tmp_path / "s", layers=[1], progress=False
    )
    run(HIDDEN + "import numpy as np\n" + SURVEY, tmp_path / "s")


PLAIN = """
from pathlib import Path
data = Path(sys.argv[1])
units = xw.UnitRelevance.load(data / "unit_relevance.npz")
assert units.png() and len(units.frame())
"""


def test_results_without_a_view_are_loaded_and_shown():
    run(HIDDEN + PLAIN, DATA)


IMPORTS = """
import sys
import xwidgets as xw
for name in {names}:
    getattr(xw, name)
assert "torch" not in sys.modules
print(len(sys.modules))
"""


def test_importing_the_package_results_or_views_imports_no_torch():
    run(IMPORTS.format(names=[]))
    import xwidgets.results
    import xwidgets.widgets

    run(IMPORTS.format(names=["open_survey", "Survey"]))
    public = set(__import__("xwidgets").__all__)
    run(IMPORTS.format(names=sorted(public & set(xwidgets.results.__all__))))
    run(IMPORTS.format(names=sorted(public & set(xwidgets.widgets.__all__))))
