"""Removal of windows and regions of an image: their geometry, and samplers that fill them."""
