from ._check import check
from ._drawn_birds import DrawnBirds, drawn_birds
from .convolution import Convolution1d, SubPixelSteps
from .fitting import Epoch, fit
from .max_pool import MaxPool, Pooled
from .networks import (
    deconvolution_generator,
    dense_generator,
    encoder_decoder,
    overlap,
    parameters,
)

__all__ = [
    "Convolution1d",
    "DrawnBirds",
    "Epoch",
    "MaxPool",
    "Pooled",
    "SubPixelSteps",
    "check",
    "deconvolution_generator",
    "dense_generator",
    "drawn_birds",
    "encoder_decoder",
    "fit",
    "overlap",
    "parameters",
]
