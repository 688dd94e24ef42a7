"""One small result of every kind."""

import math
from dataclasses import replace

import numpy as np

from xwidgets import (
    ClassModel,
    NeuronPatch,
    Ranking,
    RegionRemoval,
    Relevance,
    Segmentation,
    TopImages,
    UnitRelevance,
    XFeatures,
)
from xwidgets.box import Box


def relevance(**changes):
    rng = np.random.default_rng(0)
    values = rng.standard_normal((5, 7)).astype(np.float32)
    values[0, :3] = np.nan
    result = Relevance(
        values=values,
        image=rng.integers(0, 256, (5, 7, 3), dtype=np.uint8),
        unit="bits",
        method="prediction difference",
        network_name="birds",
        target=3,
        label="grünspecht, 'green'",
        parameters={"window": 10, "sampler": "Conditional(…)", "seed": 0, "value": [0.5, 0.1]},
        completed=0.25,
        standard_error=rng.random((5, 7)).astype(np.float32),
    )
    return replace(result, **changes)


def ranking(layer=(0, 0, 0, 0, 1, 1, 1), importance=None, activation=None, **changes):
    """The ranking of seven neurons in two layers, by random numbers unless others are given."""
    rng = np.random.default_rng(0)
    layer = np.array(layer)
    count = len(layer)
    within = [int((layer[:at] == layer[at]).sum()) for at in range(count)]
    facts = {
        "layers": ("features.0", "features.3"),
        "convolutions": (1, None),
        "layer": layer,
        "channel": np.array(within, np.int64),
        "importance": rng.random((6, count)) if importance is None else np.array(importance),
        "activation": rng.random(count) if activation is None else np.array(activation),
        "maps": rng.integers(0, 256, (count, 4, 4), dtype=np.uint8),
        "image": rng.integers(0, 256, (5, 7, 3), dtype=np.uint8),
        "network_name": "birds",
        "target": 3,
        "label": "grünspecht, 'green'",
        "parameters": {"samples": 50, "sigma": 0.1, "output": "logit", "as_printed": False},
        "metric": "output_correlation",
        "top": 5,
        "minimum": 0.1,
    }
    return Ranking(**facts | changes)


def segmentation(**changes):
    rng = np.random.default_rng(0)
    facts = {
        "probability": rng.random((5, 7)).astype(np.float32),
        "image": rng.integers(0, 256, (5, 7, 3), dtype=np.uint8), "threshold": 0.5,
        "method": "saliency", "network_name": "birds", "label": "grünspecht, 'green'",
        "parameters": {"object_share": 0.05, "background_share": 0.3, "beta": 130.0},
    }  # fmt: skip
    return Segmentation(**facts | changes)


MASK = np.zeros((5, 7), bool)
MASK[1:3, 2:6] = True


def removal(**changes):
    rng = np.random.default_rng(0)
    result = RegionRemoval(
        image=rng.integers(0, 256, (5, 7, 3), dtype=np.uint8),
        mask=MASK,
        before=np.array([0.2, 0.7, 0.1]),
        probabilities=np.array([[0.3, 0.5, 0.2], [0.5, 0.1, 0.4]]),
        samples=rng.integers(0, 256, (2, 5, 7, 3), dtype=np.uint8),
        classes=("ant", "grünspecht", "cat"),
        network_name="zoo",
        training_size=1000,
        parameters={"sampler": "Conditional(…)", "samples": 4, "seed": 0},
        completed=0.75,
    )
    return replace(result, **changes)


def unscored():
    return removal(
        probabilities=np.empty((0, 3)), samples=np.empty((0, 5, 7, 3), np.uint8), completed=0.25
    )


def patch(**changes):
    rng = np.random.default_rng(0)
    facts = {
        "network_name": "birds", "layer": "features.3", "channel": 4, "convolution": 2,
        "depth": 0.5, "activation": 0.75,
        "image": rng.integers(0, 256, (5, 7, 3), dtype=np.uint8),
        "pixels": rng.standard_normal((3, 5, 7)).astype(np.float32),
        "box": Box(1, 2, 4, 6), "field": Box(0, 2, 5, 7),
    }  # fmt: skip
    return NeuronPatch(**facts | changes)


def top_images(**changes):
    rng = np.random.default_rng(0)
    facts = {
        "network_name": "birds", "layer": "features.3", "channel": 4,
        "activations": np.array([3, 2, 0.5], np.float32),
        "images": rng.integers(0, 256, (3, 5, 7, 3), dtype=np.uint8),
        "fields": (Box(0, 0, 2, 3), Box(1, 2, 5, 7), Box(0, 0, 5, 7)),
        "sources": ("a.png", "ü/b.png", "7"), "searched": 20, "total": 30,
        "skipped": ("broken.png",),
    }  # fmt: skip
    return TopImages(**facts | changes)


def unit_relevance(**changes):
    rng = np.random.default_rng(0)
    values = rng.standard_normal((3, 2, 4)).astype(np.float32)
    values[0, 0, 0] = math.nan
    facts = {
        "values": values, "standard_error": np.abs(values), "layer": "features.3", "unit": "bits",
        "image": rng.integers(0, 256, (5, 7, 3), dtype=np.uint8), "network_name": "birds",
        "target": 4, "label": "wren", "parameters": {"samples": 3, "target": {}}, "completed": 0.9,
        "note": "birds is run whole for every unit: it looks at values",
    }  # fmt: skip
    return UnitRelevance(**facts | changes)


def x_features(count=4, height=5, width=7, seed=0, **changes):
    rng = np.random.default_rng(seed)
    maps = rng.random((count, height, width)).astype(np.float32)
    maps /= maps.sum((1, 2), keepdims=True)
    result = XFeatures(
        maps=maps,
        activations=rng.random(count).astype(np.float32),
        weights=rng.standard_normal(count).astype(np.float32),
        intercept=0.0,
        score=2.5,
        rivals=(("tit", 1.25), ("crow, 'black'", -0.5)),
        mass=rng.random(count).astype(np.float32),
        image=rng.integers(0, 256, (height, width, 3), dtype=np.uint8),
        network_name="birds",
        layer="classifier.0",
        target=3,
        label="grünfink, 'green'",
        top="tit",
        method="srae",
        module="0f" * 32,
        parameters={"stop_at": "features.9", "contrastive": True},
    )
    return replace(result, **changes)


def class_model(**changes):
    rng = np.random.default_rng(0)
    facts = {
        "pixels": rng.random((2, 3, 5, 7), np.float32), "kept": np.array([3, 1]),
        "scores": np.array([[0, 1, 2, 4.0], [0, 2, -3, math.nan]]),
        "norms": rng.random((2, 4)), "probabilities": rng.random((2, 4)),
        "frames": rng.integers(0, 256, (2, 3, 5, 7, 3), dtype=np.uint8),
        "frame_steps": np.array([0, 2, 3]), "seeds": (0, 5), "notes": ("", "It ended early."),
        "unit": "logits", "network_name": "birds", "target": 3, "label": "grünspecht, 'green'",
        "parameters": {"penalty": 0.02, "seeds": [0, 5]}, "completed": 0.5,
    }  # fmt: skip
    return ClassModel(**facts | changes)
