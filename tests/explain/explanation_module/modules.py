"""Explanation modules that nobody fitted."""

from dataclasses import replace
from itertools import pairwise

import torch

from xwidgets.explain.explanation_module import (
    ExplanationModule,
    Facts,
    decoder_of,
    encoder_of,
)

FACTS = Facts(
    network_name="birds",
    layer="classifier.0",
    target=3,
    label="Grünfink, 'green'",
    method="srae",
    parameters={"features": 2, "seed": 0, "hidden": None, "beta": 0.1},
    curves={"error": [0.5, 0.25], "loss": [1.0, 0.125]},
    versions={"torch": "2"},
)


def drawn(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def layers(widths, seed=0, dtype=torch.float64):
    return [
        (
            drawn(outside, inside, seed=seed + place, dtype=dtype),
            drawn(outside, seed=seed + place + 300, dtype=dtype),
        )
        for place, (inside, outside) in enumerate(pairwise(widths))
    ]


def module_of(widths=(6, 5, 2), seed=0, dtype=torch.float64, intercept=0.0, facts=FACTS):
    return ExplanationModule(
        facts,
        encoder_of(None, layers(widths, seed, dtype)),
        drawn(widths[-1], seed=seed + 50, dtype=dtype),
        torch.tensor(intercept, dtype=dtype),
        decoder_of(layers(widths[::-1], seed + 70, dtype)),
    )


def chosen_module(chosen=(4, 1), facts=FACTS):
    return ExplanationModule(
        replace(facts, method="lasso"),
        encoder_of(torch.tensor(chosen), []),
        drawn(len(chosen)),
        torch.tensor(-0.75, dtype=torch.float64),
    )
