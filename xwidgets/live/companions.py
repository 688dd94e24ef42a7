"""Companions of a study, by their names as its attributes: ``study.neurons`` and others.

A study imports none of them; each is imported when its attribute is first read.
"""

from collections.abc import Mapping

COMPANIONS: Mapping[str, str] = {
    "class_models": "xwidgets.live.class_models:ClassModels.of",
    "dataset_search": "xwidgets.live.dataset_search:DatasetSearch.of",
    "history": "xwidgets.live.history:History.of",
    "neurons": "xwidgets.live.neurons:Neurons.of",
    "regions": "xwidgets.live.regions:Regions.of",
    "x_features": "xwidgets.live.x_feature_fit:XFeatureFit.maker",
}
"""By name, the function that takes the study and returns the companion."""
