"""What the measures of :mod:`xwidgets.evaluate.zintgraf2016_claims` say about the paper's claims.

Every claim is put as a difference that it says is positive, measured in every scene. It holds when
the mean of the differences over the scenes is more than two standard errors above 0, does not when
it is as far below, and is not clear otherwise.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .zintgraf2016_claims import Reproduction

HOLDS, FAILS, UNCLEAR = "holds", "does not hold: the opposite", "not clear"


def verdict(differences: Sequence[float] | pd.Series) -> str:
    """Whether differences that a claim says are positive are so.

    Args:
        differences: one for each scene; NaN where it is not known.

    Returns:
        ``"holds"``, ``"does not hold: the opposite"``, or ``"not clear"``, as it is with fewer than
        two scenes.

    Example:
        >>> verdict([0.2, 0.3, 0.25]), verdict([-0.2, 0.3])
        ('holds', 'not clear')
    """
    known = pd.Series(differences, dtype=float).dropna()
    if len(known) < 2:
        return UNCLEAR
    mean, error = known.mean(), known.std() / np.sqrt(len(known))
    if abs(mean) <= 2 * error:
        return UNCLEAR
    return HOLDS if mean > 0 else FAILS


def findings(found: Reproduction) -> pd.DataFrame:
    """Every claim: its section, how it was measured, and for each network what came out.

    Returns:
        A row for each claim and network: ``section``, ``claim``, ``measured`` (mean ± standard
        deviation over the scenes of what is compared), ``difference`` (mean ± two standard errors),
        ``scenes`` and ``verdict``.

    Example:
        >>> from xwidgets.evaluate.zintgraf2016_claims import Setting, reproduce
        >>> tiny = Setting("tiny", 1, ("street",), 1, 1, 8, (8,), (8, 10))
        >>> findings(reproduce(tiny))["verdict"].unique().tolist()
        ['not clear']
    """
    rows = []
    for network in found.maps["network"].unique():
        own = Reproduction(*(_of(frame, network) for frame in found))
        for section, claim, more, less in _claims(own):
            differences = _difference(more, less)
            rows.append({
                "section": section,
                "claim": claim,
                "network": network,
                "measured": " against ".join(map(_worded, (more, less))),
                "difference": _bounded(differences),
                "scenes": int(differences.notna().sum()),
                "verdict": verdict(differences),
            })  # fmt: skip
    table = pd.DataFrame(rows)
    places = {claim: place for place, claim in enumerate(table["claim"].unique())}
    return table.sort_values("claim", key=lambda one: one.map(places), kind="stable").reset_index(
        drop=True
    )


def spread(values: pd.Series) -> str:
    """Mean and standard deviation over the scenes.

    Example:
        >>> spread(pd.Series([1.0, 2.0, 3.0]))
        '2.00 ± 1.00'
    """
    deviation = f" ± {values.std():.2f}" if values.notna().sum() > 1 else ""
    return f"{values.mean():.2f}{deviation}"


_Side = tuple[str, pd.Series] | float
"""What is compared: a name and a value for each scene, or what is expected by chance."""
_Claim = tuple[str, str, tuple[str, pd.Series], _Side]


def _claims(found: Reproduction) -> list[_Claim]:
    rows: list[_Claim] = []
    for window in sorted(found.pairs["window"].unique()):
        maps = _by(found.maps[found.maps["window"].isin((1, window))], "map")
        pairs = _by(found.pairs[found.pairs["window"] == window], "pair")["correlation"]
        size = f"k = {window}"
        same = pairs[["conditional", "marginal"]].min(axis=1)
        sides = ("conditional", "marginal")
        rows += [
            ("4.1", f"Marginal and conditional sampling give different maps ({size})",
             ("correlation with itself, another seed", same), ("with the other", pairs["both"])),
            ("4.1", f"Conditional sampling is sharper: it changes faster ({size})",
             *_sides(maps["sharpness"], *sides)),
            ("4.1", f"... and half of it lies on less of the picture ({size})",
             *_sides(1 - maps["half_area"], *sides, "the rest: ")),
            ("4.1", f"... and more of it lies on the object ({size}; not in the paper)",
             *_sides(maps["on_object"], *sides)),
            ("4.1", f"... and it finds the parts that matter better ({size}; not in the paper)",
             *_sides(maps["effects"], *sides, "rank correlation: ")),
            ("4.1", f"Sensitivity lies more on the object than prediction difference ({size})",
             *_sides(maps["on_object"], "sensitivity", "conditional")),
            ("4.1", f"Prediction difference also finds evidence against the class ({size})",
             ("share against", maps["negative"]["conditional"]), 0.0),
        ]  # fmt: skip
    maps = _by(found.maps[found.maps["window"] == 1], "map")
    rows.append(("4.1", "Sensitivity lies on the object",
                 ("times expected", maps["on_object"]["sensitivity"]), 1.0))  # fmt: skip
    if len(found.classes):
        classes = found.classes.pivot(
            index="scene", columns=["layer", "pair"], values="correlation"
        )
        rows += [
            ("4.2", "Before softmax, maps of classes that are alike look alike",
             *_sides(classes["before"], "twins", "unlike")),
            ("4.2", "Behind softmax, maps of classes that are alike differ",
             ("twins before", classes["before"]["twins"]),
             ("behind", classes["behind"]["twins"])),
            ("4.2", "Behind softmax, maps of the three best classes differ more",
             ("best three before", classes["before"]["best three"]),
             ("behind", classes["behind"]["best three"])),
        ]  # fmt: skip
    windows = found.windows.pivot(index="scene", columns="window")
    small, large = min(windows["largest"]), max(windows["largest"])
    share = windows["largest"][small] / windows["largest"][large]
    rows += [
        ("4.3", "Removing a single pixel has an effect",
         (f"largest effect as a share of that of k = {large}", share), 0.0),
        ("4.3", "Larger windows give smoother maps",
         (f"change from pixel to pixel at k = {small}", windows["sharpness"][small]),
         (f"k = {large}", windows["sharpness"][large])),
        ("4.3", "The sign means more with larger windows",
         (f"same sign as the next pixel at k = {large}", windows["same_sign"][large]),
         (f"k = {small}", windows["same_sign"][small])),
    ]  # fmt: skip
    top = _by(found.top, "map")
    rows += [
        ("4.3", "The most relevant single pixels lie on the outline",
         ("times expected", top["outline"]["single pixels"]), 1.0),
        ("4.3", "... more than inside the object",
         ("outline", top["outline"]["single pixels"]), ("inside", top["inside"]["single pixels"])),
        ("4.3", "... more than those of the sensitivity map",
         *_sides(top["outline"], "single pixels", "sensitivity")),
        ("4.3", "Those of the sensitivity map lie inside the object",
         ("times expected", top["inside"]["sensitivity"]), 1.0),
        ("4.3", "... more than single pixels",
         *_sides(top["inside"], "sensitivity", "single pixels")),
    ]  # fmt: skip
    layers = _by(found.layers, "depth")
    likeness = patterns(found.parts)
    rows += [
        ("4.4", "More feature maps are nearly empty in the last layer than in the first",
         *_sides(layers["empty"], "last", "first")),
        ("4.4", "A feature map looks for the same thing in every picture",
         ("same map", likeness["same"]), ("other maps", likeness["other"])),
    ]  # fmt: skip
    return rows


def patterns(parts: pd.DataFrame) -> pd.DataFrame:
    """How alike feature maps of different scenes are, by the parts on which they lie.

    Args:
        parts: a table of :class:`xwidgets.evaluate.zintgraf2016_claims.Reproduction`, of one
            network.

    Returns:
        For each ``scene``, the mean correlation over the parts and the background of a map with the
        ``same`` map and with ``other`` maps in the other scenes. From every part, the mean over all
        maps is taken first, or the background would make all maps alike.

    Example:
        >>> parts = pd.DataFrame({"network": "a", "scene": [0, 0, 1, 1], "channel": [0, 1, 0, 1],
        ...                       "head": [0.9, 0.1, 0.8, 0.2], "background": [0.1, 0.9, 0.2, 0.8]})
        >>> patterns(parts).round(2).loc[0].tolist()
        [1.0, -1.0]
    """
    known = parts.dropna(axis=1, how="all").dropna()  # other networks' parts, maps without effect
    shares = known.set_index(["scene", "channel"]).drop(columns="network")
    shares = shares - shares.groupby("scene").mean()
    vectors: NDArray[np.float64] = shares.sub(shares.mean(axis=1), axis=0).to_numpy(float)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    alike = unit @ unit.T
    scene, channel = (shares.index.get_level_values(name).to_numpy() for name in shares.index.names)
    elsewhere = scene[:, None] != scene
    same = channel[:, None] == channel
    rows: dict[int, Mapping[str, float]] = {}
    for one in np.unique(scene):
        here = (scene == one)[:, None] & elsewhere
        rows[int(one)] = {"same": _mean(alike[here & same]), "other": _mean(alike[here & ~same])}
    return pd.DataFrame.from_dict(rows, orient="index")


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else np.nan


def _of(frame: pd.DataFrame, network: str) -> pd.DataFrame:
    if not len(frame):
        return frame
    return frame[frame["network"] == network]


def _by(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """A column for each measure and each value of ``name``, a row for each scene."""
    values = frame.drop(columns=["network", *{"window"} & {*frame.columns}])
    return values.pivot(index="scene", columns=name)


def _sides(
    values: pd.DataFrame, more: str, less: str, words: str = ""
) -> tuple[tuple[str, pd.Series], tuple[str, pd.Series]]:
    return (words + more, values[more]), (less, values[less])


def _difference(more: tuple[str, pd.Series], less: _Side) -> pd.Series:
    return more[1] - (less if isinstance(less, float) else less[1])


def _worded(side: _Side) -> str:
    return f"{side:g}" if isinstance(side, float) else f"{side[0]} {spread(side[1])}"


def _bounded(differences: pd.Series) -> str:
    known = differences.dropna()
    if len(known) < 2:
        return f"{known.mean():+.2f}" if len(known) else "not known"
    return f"{known.mean():+.2f} ± {2 * known.std() / np.sqrt(len(known)):.2f}"
