"""One file a method: tensors in, result out."""

from .deconvnet import deconvolve
from .excitation_backprop import excitation_backprop
from .image_search import search_images, search_images_steps
from .neuron_ranking import rank_neurons, rank_neurons_steps
from .patches import neuron_patches
from .prediction_difference import prediction_difference, prediction_difference_steps
from .saliency import saliency
from .samplers import ConditionalSampler, ConstantSampler, MarginalSampler, Sampler

__all__ = [
    "ConditionalSampler",
    "ConstantSampler",
    "MarginalSampler",
    "Sampler",
    "deconvolve",
    "excitation_backprop",
    "neuron_patches",
    "prediction_difference",
    "prediction_difference_steps",
    "rank_neurons",
    "rank_neurons_steps",
    "saliency",
    "search_images",
    "search_images_steps",
]
