"""Findings from the results, beside the paper's."""

import pandas as pd

from xwidgets.errors import of_kind
from xwidgets.evaluate._jaccard import jaccard_of_overlap
from xwidgets.reproduce.spread import spread
from xwidgets.reproduce.verdicts import sign_of_all
from xwidgets.results import METRICS

from .experiments import PROPOSED, RANDOM, Reproduction

PUBLISHED = pd.DataFrame(
    {
        "network": (0.352, 0.89),
        "activation_precision": (0.60, 0.85),
        "output_correlation": (0.488, 0.81),
        "jaccard": (jaccard_of_overlap(0.16), jaccard_of_overlap(0.40)),
    },
    index=["first", "last"],
)
"""The paper's values, read from the authors' plots, after the first and the last of 62 epochs."""

_WORDS = {1: "Yes", -1: "No, the opposite", 0: "Not clear"}


def findings(results: Reproduction) -> list[str]:
    """Findings from the results, in sentences with numbers and their spread over the seeds.

    A difference counts as found when it has the same sign with every seed, which chance alone does
    in one of four cases with three seeds, and in one of sixteen with five.
    """
    of_kind("results", results, Reproduction, "what reproduce() returned")
    curves, table = results
    trained = curves[curves["epoch"] > 0].groupby("seed")
    first, last = (trained.nth(place).set_index("seed") for place in (0, -1))
    precision, correlation = (curves.groupby("seed")[name].mean() for name in PROPOSED)
    lot = curves.groupby("seed")[RANDOM].mean()
    located, told = (
        table.pivot(index="seed", columns="metric", values=name)
        for name in ("localisation", "accuracy")
    )
    areas = table.groupby("metric")["area"].mean()
    baselines = [name for name in METRICS if name not in PROPOSED]
    best = told[list(METRICS)].mean().idxmax()
    return [
        f"The network: its held-out accuracy goes from {_spread(first['network'])} after "
        f"{first['epoch'].mean():.1f} epochs to {_spread(last['network'])} (published .35 to .89).",
        "Do precision's patches tell the classes apart better than correlation's? "
        f"{_verdict(precision - correlation)}, mean over the checkpoints (published: at every "
        "epoch).",
        f"Better than the patches of random neurons? Precision: {_verdict(precision - lot)}. "
        f"Correlation: {_verdict(correlation - lot)}.",
        "Do precision's patches beat the network at the first checkpoint? "
        f"{_verdict(first[PROPOSED[0]] - first['network'])} (published: yes, early on). Those of "
        f"random neurons? {_verdict(first[RANDOM] - first['network'])}.",
        f"Do the two metrics come to choose the same neurons? Their Jaccard index goes from "
        f"{_spread(first['jaccard'])} to {_spread(last['jaccard'])} (published .19 to .67); "
        f"precision and random neurons have {_spread(last['jaccard_random'])} in common. "
        f"Growth: {_verdict(last['jaccard'] - first['jaccard'])}.",
        "Does precision find the person more often than the baselines of weights and activations? "
        f"{_verdict(located[PROPOSED[0]] - located[baselines].mean(axis=1))}. Than random neurons? "
        f"{_verdict(located[PROPOSED[0]] - located[RANDOM])}. Its patches cover "
        f"{areas[PROPOSED[0]]:.0%} of the picture, those of the baselines "
        f"{areas[baselines].mean():.0%} and those of random neurons {areas[RANDOM]:.0%}; larger "
        "ones find a person more easily.",
        f"Which patches tell the classes apart best at the end? Those of {best.replace('_', ' ')} "
        f"({_spread(told[best])}); precision's: {_spread(told[PROPOSED[0]])}, random neurons': "
        f"{_spread(told[RANDOM])}, chance {_spread(last['chance'])}.",
        f"Precision ranks {curves['remaining'].mean():.0%} of the neurons, the others being too "
        f"quiet; the fewest in one layer of one image were {curves['fewest'].min():g}.",
    ]


def _spread(values: pd.Series) -> str:
    return spread(values, digits=3)


def _verdict(differences: pd.Series) -> str:
    """Whether the differences are above 0 with every seed."""
    above = int((differences > 0).sum())
    return (
        f"{_WORDS[sign_of_all(differences)]}, above with {above} of {len(differences)} seeds "
        f"(by {_spread(differences)})"
    )
