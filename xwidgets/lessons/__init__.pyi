from .convolution import Convolution1d, SubPixelSteps
from .max_pool import MaxPool, Pooled

__all__ = ["Convolution1d", "MaxPool", "Pooled", "SubPixelSteps"]
