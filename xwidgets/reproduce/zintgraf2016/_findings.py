"""Verdicts on the paper's claims, from :mod:`xwidgets.reproduce.zintgraf2016.claims`.

Every claim is put as a difference that it says is positive, measured in every scene. It holds when
the mean of the differences over the scenes is more than two standard errors above 0, the opposite
does when it is as far below, and it is not clear otherwise.
"""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from numbers import Real
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xwidgets.errors import listed, of_kind
from xwidgets.reproduce.a_table import a_table
from xwidgets.reproduce.spread import spread, spread_table
from xwidgets.reproduce.verdicts import mean_and_bound, sign_beyond_bound
from xwidgets.results import render

from .claims import Reproduction

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

HOLDS, FAILS, UNCLEAR = "holds", "the opposite", "not clear"


def verdict(differences: Sequence[float] | pd.Series) -> str:
    """Whether differences that a claim says are positive are so.

    Args:
        differences: one for each scene; NaN where it is not known.

    Returns:
        ``"holds"``, ``"the opposite"``, or ``"not clear"``, as it is with fewer than two scenes.

    Example:
        >>> verdict([0.2, 0.3, 0.25]), verdict([-0.2, 0.3])
        ('holds', 'not clear')
    """
    listed("differences", differences, Real, "a list of numbers, one for each scene")
    known = pd.Series(differences, dtype=float).dropna()
    return {1: HOLDS, -1: FAILS, 0: UNCLEAR}[sign_beyond_bound(known)]


def findings(results: Reproduction) -> pd.DataFrame:
    """Every claim: its section, how it was measured, and for each network what came out.

    Returns:
        A row for each claim, window size k and network: ``section`` and ``claim``; what was
        ``measured`` and its ``value``, what it is compared with (``against``) and that ``other``
        value, mean ± standard deviation over the scenes; their ``difference``, mean ± two standard
        errors; how many ``scenes`` have both; and the ``verdict``. ``k`` is empty where a claim is
        not of one window size.

    Example:
        >>> from xwidgets.reproduce.zintgraf2016.claims import Setting, reproduce
        >>> tiny = Setting("tiny", 1, ("street",), 1, 1, 8, (8,), (8, 10))
        >>> findings(reproduce(tiny))["verdict"].unique().tolist()
        ['not clear']
    """
    of_kind("results", results, Reproduction, "what claims.reproduce() returned")
    rows = []
    for network in results.maps["network"].unique():
        own = Reproduction(*(_of(frame, network) for frame in results))
        for claim in _claims(own):
            differences: pd.Series = claim.more.values - claim.less.values
            rows.append({
                "section": claim.section,
                "claim": claim.claim,
                "measured": claim.more.name,
                "against": claim.less.name,
                "k": claim.window,
                "network": network,
                "value": _worded(claim.more),
                "other": _worded(claim.less),
                "difference": _bounded(differences),
                "scenes": int(differences.notna().sum()),
                "verdict": verdict(differences),
            })  # fmt: skip
    table = pd.DataFrame(rows)
    places = {claim: place for place, claim in enumerate(table["claim"].unique())}
    return table.sort_values(
        "claim", key=lambda claims: claims.map(places), kind="stable", ignore_index=True
    )


def summary(results: Reproduction) -> list[str]:
    """Every claim with its verdict in a sentence, and which maps find the parts that matter.

    Returns:
        Sentences in Markdown. What a claim goes on with (``...``) is in the same one. Numbers are
        mean ± standard deviation over the scenes.

    Example:
        >>> from xwidgets.reproduce.zintgraf2016.claims import Setting, reproduce
        >>> tiny = Setting("tiny", 1, ("street",), 1, 1, 8, (8,), (8, 10))
        >>> summary(reproduce(tiny))[0]
        '**Marginal and conditional sampling give different maps:** not clear.'
    """
    said: list[str] = []
    for claim, rows in findings(results).groupby("claim", sort=False):
        if claim.startswith("..."):
            said[-1] += f" {claim}: {_answer(rows)}."
        else:
            said.append(f"**{claim}:** {_answer(rows)}{_numbers(rows)}.")
    return [*said, *_finding_parts(results.maps)]


def _answer(rows: pd.DataFrame) -> str:
    """The verdicts of one claim; once, if they are the same for all networks."""
    answers = {name: _over_windows(own) for name, own in rows.groupby("network", sort=False)}
    if len({*answers.values()}) == 1:
        return answers.popitem()[1]
    return "; ".join(f"{name}: {answer}" for name, answer in answers.items())


def _numbers(rows: pd.DataFrame) -> str:
    """Measured numbers of claims that are not of several window sizes."""
    if rows["k"].any():
        return ""
    told = ", ".join(f"{row.network} {row.value} against {row.other}" for row in rows.itertuples())
    return f" ({rows['measured'].iloc[0]}: {told})"


def _over_windows(rows: pd.DataFrame) -> str:
    words = rows["verdict"].replace(HOLDS, "yes")
    if words.nunique() == 1:
        return str(words.iloc[0])
    return ", ".join(f"{word} (k = {k})" for word, k in zip(words, rows["k"], strict=True))


def _finding_parts(maps: pd.DataFrame) -> list[str]:
    """Every map by its rank correlation with the true effects of the parts, the highest first."""
    said = []
    for network, own in maps.assign(map=_titles(maps)).groupby("network", sort=False):
        known = own[own["effects"].notna()]
        effects = known.groupby("map", sort=False)["effects"]
        order = effects.mean().sort_values(ascending=False).index
        above = takewhile(lambda name: not name.startswith("conditional"), order)
        said.append(
            f"**Which map finds the parts that matter ({network}, {known['scene'].nunique()} of "
            f"{own['scene'].nunique()} scenes)?** By rank correlation with what really happens "
            "without a part: "
            + ", ".join(f"{name} {spread(effects.get_group(name))}" for name in order)
            + f". Above the paper's conditional sampling: {', '.join(above) or 'none'}."
        )
    return said


def _titles(maps: pd.DataFrame) -> pd.Series:
    """Title of each map, with the size of its windows, if it has any."""
    windows = " (k = " + maps["window"].astype(str) + ")"
    return maps["map"] + windows.where(maps["window"] > 1, "")


def measures(maps: pd.DataFrame) -> pd.DataFrame:
    """Every measure of every map, mean ± standard deviation over the scenes.

    Args:
        maps: a table of :class:`xwidgets.reproduce.zintgraf2016.claims.Reproduction`.

    Returns:
        A row for each ``network`` and ``map``, by its name and its window size; ``scenes`` counts
        those in which ``effects`` is known.

    Example:
        >>> from xwidgets.reproduce.zintgraf2016.claims import Setting, reproduce
        >>> tiny = Setting("tiny", 1, ("street",), 1, 1, 8, (8,), (8, 10))
        >>> measures(reproduce(tiny).maps).loc["street", "edges"]["sharpness"]
        '0.49'
    """
    a_table("maps", maps, ["network", "map", "window", "effects"])
    titled = maps.assign(map=_titles(maps))
    names = ["on_object", "effects", "sharpness", "half_area", "negative"]
    table = spread_table(titled, ["network", "map"], names)
    scenes = titled.groupby(["network", "map"], sort=False)["effects"].count()
    table.insert(2, "scenes", scenes)
    return table


def readable(table: pd.DataFrame) -> "Styler":
    """A table of words and numbers for a notebook: on the left, and no break in a number.

    Example:
        >>> "nowrap" in readable(pd.DataFrame({"value": ["0.25 ± 0.10"]})).to_html()
        True
    """
    a_table("table", table)
    line = "1px solid rgb(128 128 128 / 30%)"
    return render.styled(table).set_table_styles([
        {"selector": "", "props": "table-layout: auto"},
        {"selector": "tr", "props": "background: none"},
        {"selector": "th, td", "props": "text-align: left; vertical-align: top; padding: 2px 6px; "
                                        f"line-height: 1.35; border-top: {line}"},
        {"selector": "tbody th", "props": "font-weight: normal; max-width: 17em; "
                                          "white-space: normal"},
        {"selector": "td", "props": "white-space: nowrap"},
    ])  # fmt: skip


class _Side(NamedTuple):
    """Side of a comparison: a value for each scene, or the value expected by chance."""

    name: str
    values: pd.Series | float


class _Claim(NamedTuple):
    section: str
    claim: str
    more: _Side
    less: _Side
    window: str = ""


EVENLY = _Side("if spread evenly", 1.0)
NOTHING = _Side("nothing", 0.0)


def _claims(results: Reproduction) -> list[_Claim]:
    rows = [claim for window in sorted(results.pairs["window"].unique())
            for claim in _claims_of_samplers(results, window)]  # fmt: skip
    on_object = _by(results.maps[results.maps["window"] == 1], "map")["on_object"]
    rows.append(_Claim("4.1", "Sensitivity lies on the object",
                       _Side("times expected", on_object["sensitivity"]), EVENLY))  # fmt: skip
    if len(results.classes):
        classes = results.classes.pivot(
            index="scene", columns=["layer", "pair"], values="correlation"
        )
        before, behind = classes["before"], classes["behind"]
        rows += [
            _Claim("4.2", "Before softmax, maps of classes that are alike look alike",
                   _Side("correlation of twins", before["twins"]),
                   _Side("of unlike classes", before["unlike"])),
            _Claim("4.2", "Behind softmax, maps of classes that are alike differ",
                   _Side("correlation of twins, before", before["twins"]),
                   _Side("behind", behind["twins"])),
            _Claim("4.2", "Behind softmax, maps of the three best classes differ more",
                   _Side("their correlation, before", before["best three"]),
                   _Side("behind", behind["best three"])),
        ]  # fmt: skip
    windows = results.windows.pivot(index="scene", columns="window")
    small, large = min(windows["largest"]), max(windows["largest"])
    share = windows["largest"][small] / windows["largest"][large]
    rows += [
        _Claim("4.3", "Removing a single pixel has an effect",
               _Side(f"largest effect, as a share of that with k = {large}", share), NOTHING),
        _Claim("4.3", "Larger windows give smoother maps",
               _Side(f"sharpness with k = {small}", windows["sharpness"][small]),
               _Side(f"with k = {large}", windows["sharpness"][large])),
        _Claim("4.3", "The sign means more with larger windows",
               _Side(f"same sign as the next pixel, k = {large}", windows["same_sign"][large]),
               _Side(f"k = {small}", windows["same_sign"][small])),
    ]  # fmt: skip
    top = _by(results.top, "map")
    outline, inside = top["outline"], top["inside"]
    rows += [
        _Claim("4.3", "The most relevant single pixels lie on the outline",
               _Side("times expected on the outline", outline["single pixels"]), EVENLY),
        _Claim("4.3", "... more than inside the object",
               _Side("times expected on the outline", outline["single pixels"]),
               _Side("inside", inside["single pixels"])),
        _Claim("4.3", "... more than those of the sensitivity map",
               _Side("times expected on the outline", outline["single pixels"]),
               _Side("sensitivity", outline["sensitivity"])),
        _Claim("4.3", "The most relevant pixels of the sensitivity map lie inside the object",
               _Side("times expected inside", inside["sensitivity"]), EVENLY),
        _Claim("4.3", "... more than the single pixels that are removed",
               _Side("times expected inside", inside["sensitivity"]),
               _Side("single pixels", inside["single pixels"])),
    ]  # fmt: skip
    empty = _by(results.layers, "depth")["empty"]
    likeness = patterns(results.parts)
    rows += [
        _Claim("4.4", "More feature maps are nearly empty in the last layer than in the first",
               _Side("share in the last layer", empty["last"]),
               _Side("in the first", empty["first"])),
        _Claim("4.4", "A feature map looks for the same thing in every picture",
               _Side("correlation with the same map", likeness["same"]),
               _Side("with other maps", likeness["other"])),
    ]  # fmt: skip
    return rows


def _claims_of_samplers(results: Reproduction, window: int) -> list[_Claim]:
    """Marginal and conditional sampling, and sensitivity, with windows of one size."""
    maps = _by(results.maps[results.maps["window"].isin((1, window))], "map")
    pairs = _by(results.pairs[results.pairs["window"] == window], "pair")["correlation"]

    def sides(measure: str, name: str, more: str, less: str) -> tuple[_Side, _Side]:
        return _Side(f"{name}: {more}", maps[measure][more]), _Side(less, maps[measure][less])

    both = "conditional", "marginal"
    claims = [
        ("Marginal and conditional sampling give different maps",
         _Side("correlation with itself, another seed", pairs[[*both]].min(axis=1)),
         _Side("with the other", pairs["both"])),
        ("Conditional sampling is sharper: it changes faster",
         *sides("sharpness", "sharpness", *both)),
        ("... and half of it lies on less of the picture",
         *sides("half_area", "half area", *reversed(both))),
        ("... and more of it lies on the object (not in the paper)",
         *sides("on_object", "times expected", *both)),
        ("... and it finds the parts that matter better (not in the paper)",
         *sides("effects", "rank correlation", *both)),
        ("Sensitivity lies more on the object than prediction difference",
         *sides("on_object", "times expected", "sensitivity", "conditional")),
        ("... and it finds the parts better, too (not in the paper)",
         *sides("effects", "rank correlation", "sensitivity", "conditional")),
        ("Prediction difference also finds evidence against the class",
         _Side("share of it that is negative", maps["negative"]["conditional"]), NOTHING),
    ]  # fmt: skip
    return [_Claim("4.1", claim, more, less, str(window)) for claim, more, less in claims]


def patterns(parts: pd.DataFrame) -> pd.DataFrame:
    """How alike feature maps of different scenes are, by the parts on which they lie.

    Args:
        parts: a table of :class:`xwidgets.reproduce.zintgraf2016.claims.Reproduction`, of one
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
    a_table("parts", parts, ["scene", "channel"])
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
    for number in np.unique(scene):
        here = (scene == number)[:, None] & elsewhere
        rows[int(number)] = {"same": _mean(alike[here & same]), "other": _mean(alike[here & ~same])}
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


def _worded(side: _Side) -> str:
    return f"{side.values:g}" if isinstance(side.values, float) else spread(side.values)


def _bounded(differences: pd.Series) -> str:
    """The mean ± two standard errors, with two digits, or as many more as show the verdict."""
    mean, bound = mean_and_bound(differences.dropna())
    if np.isnan(bound):
        return "not known" if np.isnan(mean) else f"{mean:+.2f}"
    digits = next((digits for digits in (2, 3, 4) if _telling(mean, bound, digits)), 2)
    return f"{mean:+z.{digits}f} ± {bound:.{digits}f}"


def _telling(mean: float, bound: float, digits: int) -> bool:
    """Whether what is shown with so many digits has a sign, and says what the verdict says."""
    shown, limit = round(mean, digits), round(bound, digits)
    return shown != 0 and (abs(shown) > limit) == (abs(mean) > bound)
