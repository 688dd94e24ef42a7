"""One file a method: tensors in, result out."""

from .deconvnet import deconvolve
from .excitation_backprop import excitation_backprop
from .explanation_fit import Fitting, fit_explanation, fit_explanation_steps
from .explanation_module import ExplanationModule
from .explanation_training import Training
from .image_search import search_images, search_images_steps
from .neuron_ranking import rank_neurons, rank_neurons_steps
from .patches import neuron_patches
from .prediction_difference import (
    prediction_difference,
    prediction_difference_each,
    prediction_difference_steps,
)
from .region_removal import remove_region, remove_region_steps
from .saliency import saliency
from .samplers import ConditionalSampler, ConstantSampler, MarginalSampler, Sampler
from .unit_relevance import unit_relevance
from .x_features import x_features, x_features_each

__all__ = [
    "ConditionalSampler",
    "ConstantSampler",
    "ExplanationModule",
    "Fitting",
    "MarginalSampler",
    "Sampler",
    "Training",
    "deconvolve",
    "excitation_backprop",
    "fit_explanation",
    "fit_explanation_steps",
    "neuron_patches",
    "prediction_difference",
    "prediction_difference_each",
    "prediction_difference_steps",
    "rank_neurons",
    "rank_neurons_steps",
    "remove_region",
    "remove_region_steps",
    "saliency",
    "search_images",
    "search_images_steps",
    "unit_relevance",
    "x_features",
    "x_features_each",
]
