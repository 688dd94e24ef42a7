from .module import (
    METHODS,
    Choice,
    ExplanationModule,
    Facts,
    Layers,
    decoder_of,
    encoder_of,
    layers_of,
)

__all__ = [
    "METHODS",
    "Choice",
    "ExplanationModule",
    "Facts",
    "Layers",
    "decoder_of",
    "encoder_of",
    "layers_of",
]
