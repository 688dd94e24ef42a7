"""Findings from :func:`xwidgets.reproduce.qi2018.reproduce`, beside the paper's.

Methods are compared pair by pair: the modules of the same class and the same seed. The mean
difference of each class, over its seeds, counts as one observation. A difference is called clear
when its mean over the classes is more than two standard errors away from 0.
"""

import numpy as np
import pandas as pd

from xwidgets.errors import of_kind
from xwidgets.explain.explanation_module import METHODS
from xwidgets.reproduce.a_table import a_table
from xwidgets.reproduce.verdicts import mean_and_bound, sign_beyond_bound

from .experiments import Reproduction
from .laboratory import EXCITATION, RANDOM, Z
from .tables import GAMMAS

PUBLISHED = pd.DataFrame(
    {
        "f_reg_learned": (0.0831, 0.0657, 0.0987, 3.9202, 3.8039, None, None),
        "f_reg_fresh": (0.1539, 0.1170, 0.1928, 3.8216, 3.7028, None, None),
        "f_cls_learned": (0.9999, 0.9999, 0.9999, 0.6238, 0.7182, None, None),
        "f_cls_fresh": (0.9999, 0.9999, 0.9998, 0.6721, 0.6833, None, None),
        "o1": (0.6141, 0.8851, 0.7161, 0.5755, 1.1407, None, None),
        "o2": (2.0790, 3.6483, 2.7710, 1.7585, 2.8632, None, None),
        "voronoi": (1.9694, 2.3078, 2.1492, 1.9989, 2.0941, 1.9623, 2.4937),
    },
    index=[*METHODS, Z, EXCITATION],
)
"""The paper's Table 1 (a), of 30 classes of CUB-200-2011 and a VGG-19."""

PUBLISHED_LASSO = pd.DataFrame(
    {
        "chosen": (8, 21, 68, 232),
        "f_reg_learned": (3.80, 3.06, 1.86, 1.00),
        "f_reg_fresh": (3.70, 2.99, 1.84, 1.03),
    },
    index=pd.Index((2.5, 1.5, 0.5, 0.1), name="penalty"),
)
"""Table 2 (a); the first two numbers of features are hard to read in the copy at hand."""

PUBLISHED_MASKED = pd.DataFrame(
    {
        "x-features": (0.8762, 0.8428, 0.7771, 0.4097),
        EXCITATION: (0.7921, 0.6742, 0.5481, 0.1832),
        "original": 0.8798,
    },
    index=pd.Index(GAMMAS, name="gamma"),
)
"""Table 3, of which Table 2 (b) is the row of 5 %."""

_COMPARED = {"o1": "O1", "o2": "O2", "voronoi": "locality (Voronoi)", "masks": "locality (masks)"}


def findings(results: Reproduction) -> dict[str, list[str]]:
    """Findings from the results, in sentences with their numbers.

    Args:
        results: all tables, of SRAE and NN at least two classes each.

    Returns:
        Sentences by attribute of :class:`xwidgets.reproduce.qi2018.Reproduction`; without
        what a table lacks.

    Example:
        >>> from xwidgets.reproduce import qi2018
        >>> small = {"counts": (3,), "allowed": (5,), "variants": (), "tuned": ()}
        >>> tiny = qi2018.Setting("tiny", (2, 3), 1, 100, 1, 1, epochs=1, **small)
        >>> said = findings(qi2018.reproduce(tiny))
        >>> print(said["table"][0])
        Faithful? On images that SRAE was not fitted to, the class stays for ...
    """
    of_kind("results", results, Reproduction, "what reproduce() returned")
    return {
        "table": [*_faithful(results.table), *_better(results.table), *_reasons(results.table)],
        "variants": _variants(results),
        "lasso": _lasso(results),
        "masked": _masked(results.masked),
        "x_features": _looked(results.x_features),
        "degenerate": _degenerate(results),
        "shift": _shift(results.shift),
        "tuned": _tuned(results.tuned),
    }


def _faithful(table: pd.DataFrame) -> list[str]:
    srae = table[table["method"] == "srae"]
    rest = ", ".join(
        f"{name.upper()} {table.loc[table['method'] == name, 'f_share_fresh'].mean():.1%}"
        for name in METHODS[1:]
    )
    same, close = srae["f_cls_fresh"] >= 0.99, srae["f_share_fresh"] < 0.05
    return [
        f"Faithful? On images that SRAE was not fitted to, the class stays for "
        f"{srae['f_cls_fresh'].mean():.2%} (at least {srae['f_cls_fresh'].min():.2%}; 99 % or more "
        f"for {same.sum()} of {len(srae)} modules; published 99.99 %), and F_reg is "
        f"{srae['f_share_fresh'].mean():.1%} of the score's standard deviation (at most "
        f"{srae['f_share_fresh'].max():.1%}; below 5 % for {close.sum()} of {len(srae)}). The same "
        f"share for the others: {rest}."
    ]


def _better(table: pd.DataFrame) -> list[str]:
    said = []
    for name, where in (
        ("", "where x-features are active"),
        ("_all", "of silent x-features too, as the paper's figures show them"),
    ):
        verdicts = "; ".join(
            f"{label} {_verdict(_pairs(table, column + name))}"
            for column, label in _COMPARED.items()
        )
        said.append(f"SRAE lower than NN in the heat maps {where}? {verdicts}.")
    return said


def _reasons(table: pd.DataFrame) -> list[str]:
    means = table.groupby("method").mean(numeric_only=True)
    fitted = table[table["method"].isin(("srae", "nn"))]
    several = fitted[np.isfinite(fitted["o1"]) & (fitted["ever"] > 0)]
    known = several["o1"].corr(several["ever"])
    even = _pairs(table, "ever")
    equal = even.index[even == 0]
    o1, voronoi = (_pairs(table, name).reindex(equal).dropna() for name in ("o1", "voronoi"))
    ever = means["ever"]
    alike = means["correlation_all"]
    return [
        f"O1 and O2 grow with the number of x-features that are active (O1's correlation with it: "
        f"{known:.2f}). {ever['srae']:.2f} of SRAE's and {ever['nn']:.2f} of NN's are active for "
        "some picture of their class. Where both have equally many, is SRAE lower? "
        f"O1 {_verdict(o1)}; locality (Voronoi) {_verdict(voronoi)}.",
        "Free of their number is the mean correlation of two x-features' maps. SRAE lower than NN? "
        f"Active ones {_verdict(_pairs(table, 'correlation'))}; all "
        f"{_verdict(_pairs(table, 'correlation_all'))}.",
        "Could they be less alike? The maps of two single dimensions of Z are correlated by "
        f"{alike[Z]:.2f}, of two x-features of a random encoder by {alike[RANDOM]:.2f}, of SRAE by "
        f"{alike['srae']:.2f} and of NN by {alike['nn']:.2f}.",
        "Does it matter for the maps what was learned? SRAE lower than a random encoder, all maps: "
        f"O1 {_verdict(_pairs(table, 'o1_all', RANDOM))}; "
        f"O2 {_verdict(_pairs(table, 'o2_all', RANDOM))}; "
        f"locality (Voronoi) {_verdict(_pairs(table, 'voronoi_all', RANDOM))}; "
        f"locality (masks) {_verdict(_pairs(table, 'masks_all', RANDOM))}.",
        "Could they be more local? By Voronoi cells (by masks) the locality of single dimensions "
        f"of Z is {_two(means, Z)}, of a random encoder {_two(means, RANDOM)}, of SRAE "
        f"{_two(means, 'srae')}, of NN {_two(means, 'nn')}, and of the score's one map "
        f"{_two(means, EXCITATION)} (published, Voronoi: Z 1.96, SRAE 1.97, NN 2.31, score 2.49).",
    ]


def _two(means: pd.DataFrame, method: str) -> str:
    masks = means.at[method, "masks"]
    return f"{means.at[method, 'voronoi']:.2f}" + (f" ({masks:.2f})" if np.isfinite(masks) else "")


def _variants(results: Reproduction) -> list[str]:
    if results.variants.empty:
        return []
    said = []
    nn = pd.concat([results.table[results.table["seed"] == 0], results.variants])
    nn = nn[nn["method"] == "nn"].set_index(["layer", "class"])
    srae = results.variants[results.variants["method"] == "srae"].set_index("class")
    for (layer, beta), rows in srae.groupby(["layer", "beta"], sort=False):
        other = nn.loc[layer]
        verdicts = "; ".join(
            f"{label} {_verdict(rows[name] - other[name])}"
            for name, label in (_COMPARED | {"correlation": "correlation"}).items()
        )
        said.append(
            f"{layer}, beta {beta:g}: F_reg is {rows['f_share_fresh'].mean():.1%} of the score's "
            f"standard deviation. SRAE lower than NN of this layer? {verdicts}."
        )
    return said


def _lasso(results: Reproduction) -> list[str]:
    lasso = results.lasso.groupby("allowed").mean(numeric_only=True)
    srae = results.table.loc[results.table["method"] == "srae", "f_reg_fresh"].mean()
    reached = lasso.index[lasso["f_reg_fresh"] <= srae]
    until = (
        f"it takes {lasso.loc[reached[0], 'chosen']:.0f} of them"
        if len(reached)
        else f"even {lasso['chosen'].iloc[-1]:.0f} of them do not reach it"
    )
    few, many = lasso.iloc[0], lasso.iloc[-1]
    return [
        f"The Lasso is off by {few['f_reg_fresh']:.2f} with {few['chosen']:.1f} features of Z and "
        f"by {many['f_reg_fresh']:.2f} with {many['chosen']:.1f}. SRAE's x-features are off by "
        f"{srae:.2f}; {until} (published: 232 features of 4096 are off by 1.03, five x-features of "
        "SRAE by .15)."
    ]


def _masked(masked: pd.DataFrame) -> list[str]:
    rows = masked.pivot_table(
        index=["class", "seed", "gamma"], columns="maps", values=["accuracy", "kept"]
    )
    accuracy = rows["accuracy"]
    said = []
    for other in (EXCITATION, f"{EXCITATION}, same area", "random, same area"):
        difference = accuracy["x-features"] - accuracy[other]
        by_gamma = ", ".join(
            f"{value:+.2f} at {gamma:.0%}"
            for gamma, value in difference.groupby("gamma").mean().items()
        )
        said.append(
            f"Is the class found more often from what the x-features show than from “{other}”? "
            f"{_verdict(difference, 1)}; by gamma {by_gamma}."
        )
    at = rows[rows.index.get_level_values("gamma") == 0.05].mean()
    return [
        f"At gamma 5 % the x-features leave {at['kept', 'x-features']:.0%} of a picture and "
        f"{at['accuracy', 'x-features']:.0%} are recognised; the score's own map leaves "
        f"{at['kept', EXCITATION]:.0%} and {at['accuracy', EXCITATION]:.0%} are (published: 84 % "
        f"and 67 %; all {masked['original'].mean():.0%} of the whole pictures, published 88 %).",
        *said,
    ]


def _looked(x_features: pd.DataFrame) -> list[str]:
    srae = x_features[x_features["maps"] == "srae"]
    tops = srae.loc[srae.groupby(["class", "seed"])["contribution"].idxmax()]
    parts = tops["part"].value_counts(normalize=True)
    named = ", ".join(f"{part} {share:.0%}" for part, share in parts.head(4).items())
    means = x_features.groupby(["maps", "class", "seed"])[["entropy", "context"]].mean()
    difference = means.loc["srae"] - means.loc["nn"]
    context, entropy = (x_features.groupby("maps")[name].mean() for name in ("context", "entropy"))
    by = "masks" if "masks" in srae else "voronoi"
    best, worst = best_and_worst(x_features)
    return [
        f"{context['srae']:.0%} of the maps of SRAE's x-features lie beside the bird "
        f"({context['nn']:.0%} of NN's, {context[EXCITATION]:.0%} of the score's). The context "
        "counts as a part of its own in the locality, whose correlation with the share that lies "
        f"there is {srae[by].corr(srae['context']):.2f}.",
        f"Over the parts of the bird alone the entropy is {entropy['srae']:.2f} for SRAE, "
        f"{entropy['nn']:.2f} for NN and {entropy[EXCITATION]:.2f} for the score's map. SRAE lower "
        f"than NN? {_verdict(difference['entropy'])}.",
        f"On the bird, the most important x-feature of a class looks first at: {named}; "
        f"{tops['share'].mean():.0%} of what is on the bird lies there.",
        f"The best x-feature is {_named(best)}. The worst is {_named(worst)}.",
        *([_marks(x_features)] if "mark" in x_features else []),
    ]


def _named(row: pd.Series) -> str:
    return (
        f"number {row['x_feature']} of class {row['class']} with seed {row['seed']}: entropy "
        f"{row['entropy']:.2f}, {row['share']:.0%} on the {row['part']}"
    )


def _marks(x_features: pd.DataFrame) -> str:
    times = marked(x_features).groupby(["maps", "class", "mark"])["times"].mean()
    shares = "; ".join(
        f"{maps} {times[maps].mean():.1f} (above 1 for {(times[maps] > 1).sum()} of "
        f"{len(times[maps])} classes)"
        for maps in ("srae", "nn", EXCITATION)
    )
    named = times["srae"].groupby("mark").mean().sort_values(ascending=False)
    by_mark = ", ".join(f"{mark} {value:.1f}" for mark, value in named.items())
    every = x_features["on_mark"] / x_features["of_bird"]
    every = every.groupby([x_features["maps"], x_features["class"]]).mean().groupby("maps").mean()
    return (
        "Twins differ in one part, their mark. On the bird, the x-feature that puts most on it "
        f"puts there so many times the share that the mark covers: {shares}. SRAE by mark: "
        f"{by_mark}. That is the best of several maps, and the score has one; the mean over all "
        f"x-features is {every['srae']:.1f} for SRAE and {every['nn']:.1f} for NN."
    )


def marked(x_features: pd.DataFrame) -> pd.DataFrame:
    """For each class, seed and kind of maps, the x-feature that looks most at the mark.

    Args:
        x_features: of :class:`xwidgets.reproduce.qi2018.Reproduction`, of classes that have a twin.

    Returns:
        Their rows, with ``times``: how many times the mark's share of the bird lies on it. Only
        x-features count that are active in most pictures.

    Example:
        >>> rows = {"maps": "nn", "class": 3, "seed": 0, "active": 1, "x_feature": [1, 4]}
        >>> rows = pd.DataFrame(rows | {"on_mark": [0.1, 0.2], "of_bird": 0.05})
        >>> marked(rows)[["x_feature", "times"]].values.tolist()
        [[4.0, 4.0]]
    """
    a_table("x_features", x_features, ["maps", "class", "seed", "active", "on_mark", "of_bird"])
    rows = x_features.assign(times=x_features["on_mark"] / x_features["of_bird"])
    rows = rows[rows["active"] > 0.5]
    return rows.loc[rows.groupby(["maps", "class", "seed"])["times"].idxmax()]


def best_and_worst(x_features: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """The most and the least local x-feature of SRAE, by the entropy over the bird's parts.

    Args:
        x_features: of :class:`xwidgets.reproduce.qi2018.Reproduction`.

    Returns:
        Their rows. Only x-features count that are active in most pictures and add to the score, and
        half of whose maps lies on the bird, or as much as is usual, if that is less.

    Raises:
        ValueError: when there is none.

    Example:
        >>> rows = {"maps": "srae", "active": 1, "weight": 1, "context": 0.5, "x_feature": [1, 4]}
        >>> best, worst = best_and_worst(pd.DataFrame(rows | {"entropy": [1.9, 1.2]}))
        >>> int(best["x_feature"]), int(worst["x_feature"])
        (4, 1)
    """
    a_table("x_features", x_features, ["maps", "active", "weight", "context", "entropy"])
    rows = x_features[
        (x_features["maps"] == "srae") & (x_features["active"] > 0.5) & (x_features["weight"] > 0)
    ]
    if rows.empty:
        raise ValueError("no x-feature of SRAE is active in most pictures and adds to the score")
    rows = rows[rows["context"] <= max(0.5, rows["context"].median())]
    return rows.loc[rows["entropy"].idxmin()], rows.loc[rows["entropy"].idxmax()]


def _degenerate(results: Reproduction) -> list[str]:
    table = results.table
    first = table[table["method"].isin(("srae", "nn")) & (table["seed"] == 0)]
    rows = pd.concat([first, results.degenerate])
    said = []
    for n, some in rows.groupby("n"):
        means = some.groupby("method")[["positive", "alike_all"]].mean()
        said.append(
            f"With n = {n:g}, {means.at['srae', 'positive']:.1f} x-features of SRAE add to the "
            f"score of a picture and {means.at['nn', 'positive']:.1f} of NN; "
            f"{means.at['srae', 'alike_all']:.0%} and {means.at['nn', 'alike_all']:.0%} of the "
            "pairs have maps correlated above 0.9."
        )
    return said


def _shift(shift: pd.DataFrame) -> list[str]:
    means = shift.groupby("maps", sort=False)[["correlation", "difference"]].mean()
    told = "; ".join(
        f"{maps} by {row['difference']:.1%} of their maximum (correlation {row['correlation']:.3f})"
        for maps, row in means.iterrows()
    )
    return [
        f"The score changes by {shift['score'].mean():.5f}. The maps change at most: {told} "
        "(published: no visible change of excitation backprop)."
    ]


def _tuned(tuned: pd.DataFrame) -> list[str]:
    if tuned.empty:
        return []
    penalties = tuned["sparsity"].where(~tuned["sparsity"].isin(("none", "log")), "")
    table = tuned.assign(method=(tuned["method"] + " " + penalties).str.strip())
    chosen = table[table["seed"] == 0]
    taken = "; ".join(
        f"{name} {rows['option'].iloc[0]} "
        + ", ".join(f"{value:g} ({count})" for value, count in rows["value"].value_counts().items())
        for name, rows in chosen.groupby("method", sort=False)
    )
    close = "; ".join(
        f"{name} {rows['f_share_fresh'].mean():.1%} (cross-validated F_reg {rows['cv'].mean():.3f} "
        f"± {rows['cv_spread'].mean():.3f} over the folds)"
        for name, rows in table.groupby("method", sort=False)
    )
    said = [
        f"Taken by cross-validation, by number of classes: {taken}.",
        f"F_reg on images that nothing was fitted to or tuned on, in standard deviations of the "
        f"score: {close}.",
    ]
    names = table["method"].unique().tolist()
    for other in (name for name in names if name != "srae" and "srae" in names):
        verdicts = "; ".join(
            f"{label} {_verdict(_pairs(table, column, other))}"
            for column, label in ({"f_share_fresh": "F_reg"} | _COMPARED).items()
        )
        said.append(f"Is tuned SRAE, with the log penalty, lower than tuned {other}? {verdicts}.")
    return said


def _pairs(table: pd.DataFrame, column: str, other: str = "nn") -> pd.Series:
    """SRAE minus another method by class and seed, where both are finite."""
    pivot = table.pivot(index=["class", "seed"], columns="method", values=column)
    finite = pivot[np.isfinite(pivot[["srae", other]].astype(float)).all(axis=1)]
    return finite["srae"] - finite[other]


_WORDS = {1: "yes", -1: "no, the opposite", 0: "not clear"}


def _verdict(differences: pd.Series, sign: int = -1) -> str:
    """Whether the classes' mean differences are clearly below 0, or with sign 1 above."""
    if differences.groupby("class").ngroups < 2:
        return f"is not known ({len(differences)} pairs)"
    classes = differences.groupby("class").mean()
    mean, bound = mean_and_bound(classes)
    right, word = int((sign * differences > 0).sum()), "higher" if sign > 0 else "lower"
    return (
        f"{_WORDS[sign * sign_beyond_bound(classes)]} ({mean:+.3f} ± {bound:.3f}, {word} in "
        f"{right} of {len(differences)})"
    )
