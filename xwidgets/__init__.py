"""See what a convolutional network is doing, live, in a notebook."""

from importlib.metadata import version

from . import evaluate
from .explain import (
    ConditionalSampler,
    ConstantSampler,
    ExplanationModule,
    MarginalSampler,
    deconvolve,
    excitation_backprop,
    fit_explanation,
    fit_explanation_steps,
    neuron_patches,
    prediction_difference,
    prediction_difference_each,
    prediction_difference_steps,
    rank_neurons,
    rank_neurons_steps,
    saliency,
    search_images,
    search_images_steps,
    x_features,
    x_features_each,
)
from .images import photo, scenes
from .networks import Network, network
from .results import NeuronPatch, Ranking, Relevance, TopImages, XFeatures
from .widgets import (
    ClassChooser,
    Explorer,
    NeuronExplorer,
    NeuronRanking,
    PartsForm,
    PatchGallery,
    RelevanceOverlay,
    Study,
    WindowSlider,
    XFeatureExplorer,
)

__all__ = [
    "ClassChooser",
    "ConditionalSampler",
    "ConstantSampler",
    "ExplanationModule",
    "Explorer",
    "MarginalSampler",
    "Network",
    "NeuronExplorer",
    "NeuronPatch",
    "NeuronRanking",
    "PartsForm",
    "PatchGallery",
    "Ranking",
    "Relevance",
    "RelevanceOverlay",
    "Study",
    "TopImages",
    "WindowSlider",
    "XFeatureExplorer",
    "XFeatures",
    "deconvolve",
    "evaluate",
    "excitation_backprop",
    "fit_explanation",
    "fit_explanation_steps",
    "network",
    "neuron_patches",
    "photo",
    "prediction_difference",
    "prediction_difference_each",
    "prediction_difference_steps",
    "rank_neurons",
    "rank_neurons_steps",
    "saliency",
    "scenes",
    "search_images",
    "search_images_steps",
    "x_features",
    "x_features_each",
]
__version__ = version("xwidgets")
