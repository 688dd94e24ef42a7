"""Contents of saved files as JSON."""

from dataclasses import asdict, fields
from hashlib import sha256
from typing import Any

import numpy as np
import torch

import xwidgets as xw
from xwidgets.explain.explanation_module import Facts
from xwidgets.reproduce import Figure
from xwidgets.results.names import Names
from xwidgets.results.result import Result

LOADERS = {
    "prediction_difference.npz": xw.Relevance.load,
    "saliency.npz": xw.Relevance.load,
    "excitation_backprop.npz": xw.Relevance.load,
    "difference.npz": xw.Relevance.load,
    "ranking.npz": xw.Ranking.load,
    "region_removal.npz": xw.RegionRemoval.load,
    "unit_relevance.npz": xw.UnitRelevance.load,
    "neuron_patch.npz": xw.NeuronPatch.load,
    "top_images.npz": xw.TopImages.load,
    "class_model.npz": xw.ClassModel.load,
    "x_features.npz": xw.XFeatures.load,
    "module.safetensors": xw.ExplanationModule.load,
    "sampler.safetensors": xw.ConditionalSampler.load,
    "names.json": Names.load,
    "figure.npz": lambda path: Figure.load(path, seed=0),
}


def told(value: Any) -> Any:
    """Content of a value as JSON, to the bit."""
    match value:
        case np.ndarray():
            digest = sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
            return {"dtype": str(value.dtype), "shape": list(value.shape), "sha256": digest}
        case torch.Tensor():
            return told(value.numpy())
        case list() | tuple():
            return [told(item) for item in value]
        case Result():
            known = {item.name: told(getattr(value, item.name)) for item in fields(value)}
            known |= {former: known[now] for former, now in value.former_names.items()}
            return known | {"repr": repr(value), "title": getattr(value, "title", None)}
        case xw.ExplanationModule():
            facts = asdict(value.facts)
            facts |= {former: facts[now] for former, now in Facts.former_names.items()}
            known = {"facts": facts, "fingerprint": value.fingerprint}
            return known | {"repr": repr(value), "weights": told(value.weights)}
        case xw.ConditionalSampler():
            known = {"mean": told(value.mean), "covariance": told(value.covariance)}
            return known | {"repr": repr(value)}
        case Names():
            return {"suggestions": value.suggestions()}
        case Figure():
            return {item.name: told(getattr(value, item.name)) for item in fields(value)}
        case _:
            return value
