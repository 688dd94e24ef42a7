"""One file a method: tensors in, result out."""

from .prediction_difference import prediction_difference, prediction_difference_steps
from .samplers import ConditionalSampler, ConstantSampler, MarginalSampler, Sampler

__all__ = [
    "ConditionalSampler",
    "ConstantSampler",
    "MarginalSampler",
    "Sampler",
    "prediction_difference",
    "prediction_difference_steps",
]
