"""Page of finished results, each in the view that shows its kind."""

from collections.abc import Callable, Hashable, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from xwidgets.errors import listed
from xwidgets.results import (
    ClassModel,
    NeuronPatch,
    Ranking,
    RegionRemoval,
    Relevance,
    Segmentation,
    TopImages,
    UnitRelevance,
    XFeatures,
    common_settings,
    render,
)
from xwidgets.results.numbers import percent
from xwidgets.results.result import Result
from xwidgets.results.sentences import sentence

from .class_model_explorer import ClassModelExplorer
from .method_comparison import MethodComparison
from .neuron_ranking import NeuronRanking
from .page import Page
from .patch_gallery import PatchGallery
from .region_scores import RegionScores
from .relevance_grid import RelevanceGrid
from .relevance_overlay import RelevanceOverlay, names_of
from .top_images_gallery import TopImagesGallery
from .view import View, page_of
from .xfeature_explorer import XFeatureExplorer


def results_page(results: Sequence[Result], title: str | None = None) -> Page:
    """Results below each other, for where there is neither kernel nor network; torch is not needed.

    Maps of one picture share a view: with a slider where one parameter tells them apart, beside
    each other otherwise. So do neuron patches of one picture.

    Args:
        results: of any kinds, one at least.
        title: of the page; what is shown by default.

    Raises:
        ValueError: where there is no result, or something else.

    Example:
        >>> values, image = np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)
        >>> results_page([Relevance(values, image, "bits", "", "", 0, "wren", {})], "A wren")
        <Page 'A wren', ... kB>
    """
    several = listed("results", results, Result, "a list of results, such as [relevance]")
    if not several:
        raise ValueError("there is no result to show; give one at least")
    views = views_of(several)
    try:
        about = dict.fromkeys(line for result in several for line in _about(result))
        return page_of(title, list(about), [each for view in views for each in view.stills()])
    finally:
        for view in views:
            view.close()


def views_of(results: Sequence[Result]) -> list[View]:
    """Views of results, fewer than these where some share one.

    Example:
        >>> values, image = np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)
        >>> wren = Relevance(values, image, "bits", "occlusion", "birds", 0, "wren", {"window": 2})
        >>> [view] = views_of([wren, wren])
    """
    together: dict[Hashable, list[Any]] = {}
    for result in results:
        together.setdefault(_whole(result), []).append(result)
    return [VIEWS[type(several[0])](several) for several in together.values()]


def _whole(result: Result) -> Hashable:
    """What results of one view have in common; those of other kinds stand alone."""
    if isinstance(result, Relevance | NeuronPatch):
        return type(result), result.image.shape, render.digest(result.image)
    return id(result)


def _about(result: Result) -> list[str]:
    """Lines on a result at the top of the page."""
    if isinstance(result, NeuronPatch):
        return ["What neurons look at"]
    title: str = result.title  # type: ignore[attr-defined]
    if isinstance(result, Relevance):
        known = result.probability is not None
        share = f"{result.label!r} has a probability of {percent(result.probability)}"
        return [title, *[share] * known, common_settings([result])]
    return [title, sentence(result)] if isinstance(result, UnitRelevance) else [title]


def _of_maps(maps: list[Relevance]) -> View:
    """One map, several that a slider tells apart, or several beside each other."""
    slider, _ = names_of(maps)
    if len(maps) > 1 and slider == "Map":
        return MethodComparison(maps)
    overlay = RelevanceOverlay(maps)
    overlay.segments = False  # nothing is computed on a page
    return overlay


def _of_picture(result: Any) -> View:
    """Result that is a picture, below its title."""
    picture = np.asarray(Image.open(BytesIO(result.png())).convert("RGB"))
    return RelevanceGrid([[picture]], columns=[result.title])


VIEWS: dict[type[Result], Callable[[list[Any]], View]] = {
    Relevance: _of_maps,
    NeuronPatch: PatchGallery,
    Ranking: lambda several: NeuronRanking(several[0]),
    XFeatures: lambda several: XFeatureExplorer(several[0]),
    RegionRemoval: lambda several: RegionScores(several[0]),
    TopImages: lambda several: TopImagesGallery(several[0]),
    ClassModel: lambda several: ClassModelExplorer(several[0]),
    Segmentation: lambda several: _of_picture(several[0]),
    UnitRelevance: lambda several: _of_picture(several[0]),
}
"""Makes the view of results of one kind that stand together."""
