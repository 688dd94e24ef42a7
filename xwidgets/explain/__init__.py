"""One file a method: what explains an image in a network, as a value and as a function."""

from xwidgets.images.sampler import Sampler

from .deconvnet import Deconvnet, deconvolve
from .excitation_backprop import ExcitationBackprop, excitation_backprop
from .explanation_fit import Fitting, fit_explanation, fit_explanation_steps
from .explanation_module import ExplanationModule
from .explanation_training import Training
from .image_search import ImageSearch, search_images, search_images_steps
from .method import MapMethod, Method
from .neuron_ranking import InputResampling, rank_neurons, rank_neurons_steps
from .occlusion import Occlusion, occlusion, occlusion_steps
from .parameter import Control, Parameter, layer_parameter, parameter
from .patches import NeuronPatches, neuron_patches
from .prediction_difference import (
    PredictionDifference,
    prediction_difference,
    prediction_difference_each,
    prediction_difference_steps,
)
from .region_removal import RegionDifference, remove_region, remove_region_steps
from .saliency import Saliency, saliency
from .samplers import ConditionalSampler, ConstantSampler, MarginalSampler
from .unit_relevance import UnitDifference, unit_relevance
from .x_features import XFeatureMaps, x_features, x_features_each

__all__ = [
    "ConditionalSampler",
    "ConstantSampler",
    "Control",
    "Deconvnet",
    "ExcitationBackprop",
    "ExplanationModule",
    "Fitting",
    "ImageSearch",
    "InputResampling",
    "MapMethod",
    "MarginalSampler",
    "Method",
    "NeuronPatches",
    "Occlusion",
    "Parameter",
    "PredictionDifference",
    "RegionDifference",
    "Saliency",
    "Sampler",
    "Training",
    "UnitDifference",
    "XFeatureMaps",
    "deconvolve",
    "excitation_backprop",
    "fit_explanation",
    "fit_explanation_steps",
    "layer_parameter",
    "neuron_patches",
    "occlusion",
    "occlusion_steps",
    "parameter",
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
