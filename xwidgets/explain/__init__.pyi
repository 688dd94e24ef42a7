from ._class_activation_map import ClassActivationMap, class_activation_map
from ._class_model import ActivationMaximization, class_model, class_model_steps
from ._excitation_backprop import ExcitationBackprop, excitation_backprop
from ._occlusion import Occlusion, occlusion, occlusion_steps
from ._parameter import Control, Parameter, layer_parameter, parameter
from ._pooled_network import (
    PooledNetwork,
    PooledTraining,
    pooled_network,
    pooled_network_steps,
)
from ._prediction_difference import (
    PredictionDifference,
    prediction_difference,
    prediction_difference_each,
    prediction_difference_steps,
)
from ._saliency import Saliency, saliency
from ._unit_relevance import UnitDifference, unit_relevance
from ._x_features import XFeatureMaps, x_features, x_features_each
from .deconvnet import Deconvnet, deconvolve
from .explanation_module import ExplanationModule
from .explanation_module.fit import Fitting, fit_explanation, fit_explanation_steps
from .explanation_module.training import Training
from .image_search import ImageSearch, search_images, search_images_steps
from .method import MapMethod, Method
from .neuron_ranking import InputResampling, rank_neurons, rank_neurons_steps
from .patches import NeuronPatches, neuron_patches
from .region_removal import RegionDifference, remove_region, remove_region_steps
from .removal.samplers import ConditionalSampler, ConstantSampler, MarginalSampler, Sampler

__all__ = [
    "ActivationMaximization",
    "ClassActivationMap",
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
    "PooledNetwork",
    "PooledTraining",
    "PredictionDifference",
    "RegionDifference",
    "Saliency",
    "Sampler",
    "Training",
    "UnitDifference",
    "XFeatureMaps",
    "class_activation_map",
    "class_model",
    "class_model_steps",
    "deconvolve",
    "excitation_backprop",
    "fit_explanation",
    "fit_explanation_steps",
    "layer_parameter",
    "neuron_patches",
    "occlusion",
    "occlusion_steps",
    "parameter",
    "pooled_network",
    "pooled_network_steps",
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
