"""The tables of Qi et al. 2018, and the numbers behind its figures, each of a laboratory."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from xwidgets.evaluate._faithfulness import faithfulness_to
from xwidgets.evaluate._locality import locality
from xwidgets.evaluate._masked_classification import masked_classification, union_map
from xwidgets.explain.explanation_module import METHODS, ExplanationModule
from xwidgets.explain.explanation_module.features import feature_layer
from xwidgets.images.scenes.birds import PARTS
from xwidgets.reproduce.repetitions import progress

from ._heat_maps import HeatMaps, heat_maps, heat_maps_of_score, localities, measures
from .cases import Case
from .laboratory import COLUMNS, EXCITATION, RANDOM, Laboratory, a_laboratory

GAMMAS = (0.01, 0.05, 0.1, 0.3)
"""The shares of a heat map's maximum below which pixels are masked."""


def faithful(lab: Laboratory, module: ExplanationModule, layer: str | None) -> dict[str, float]:
    """``f_reg``, ``f_share`` and ``f_cls`` on the images of the fit and on fresh ones."""
    measured: dict[str, float] = {}
    for name, where in (("learned", "images"), ("fresh", "fresh")):
        kept = faithfulness_to(module, lab.features(where, layer))
        measured |= {
            f"f_reg_{name}": kept.f_reg,
            f"f_share_{name}": kept.f_reg / kept.spread,
            f"f_cls_{name}": kept.f_cls,
        }
    return measured


def table1(lab: Laboratory) -> pd.DataFrame:
    """Table 1 (a): faithfulness, orthogonality and locality.

    Returns:
        A row for each ``method`` with ``n`` x-features of ``layer``, ``seed`` and ``class``:
        ``f_reg`` and ``f_cls`` on the images that modules were fitted to (``_learned``) and on
        others (``_fresh``), ``f_share``, which is f_reg in standard deviations of the score, and
        :func:`xwidgets.reproduce.qi2018.measures`. Beside the paper's methods stand x-features of a
        ``random`` encoder. These, as many dimensions of ``z``, and ``excitation``, which depends on
        no seed, give no score.
    """
    a_laboratory(lab)
    layer = feature_layer(lab.net, None).name
    rows = []
    for method in COLUMNS:
        for seed, label, seen in _looks(lab, method, f"Table 1, {method}"):
            facts = {"layer": layer, "method": method, "n": lab.setting.features}
            row: dict[str, object] = {**facts, "seed": seed, "class": label}
            if method in METHODS:
                row |= faithful(lab, lab.modules(method, seed=seed)[label], None)
            rows.append(row | measures(seen, lab.material.cases[label]))
    return pd.DataFrame(rows)


def _looks(lab: Laboratory, method: str, title: str) -> Iterator[tuple[int, int, HeatMaps]]:
    """For each seed and class, what the x-features of one of :data:`COLUMNS` see in its cases."""
    for seed in (0,) if method == EXCITATION else lab.seeds(title):
        for label, cases in lab.material.cases.items():
            if method == EXCITATION:
                seen = heat_maps_of_score(lab.net, label, cases)
            elif method in METHODS:
                seen = heat_maps(lab.net, lab.modules(method, seed=seed)[label], cases)
            else:
                seen = heat_maps(lab.net, lab.controls(method, label, seed), cases)
            yield seed, label, seen


def table2(lab: Laboratory) -> pd.DataFrame:
    """Table 2 (a): the Lasso with more and more features of Z, by smaller and smaller penalties.

    Returns:
        A row for each number of features that are ``allowed`` and each ``class``: how many were
        ``chosen``, with what ``penalty``, and how faithful they are.
    """
    a_laboratory(lab)
    rows = []
    for n in progress(lab.setting.allowed, "Table 2, the Lasso"):
        for label, module in lab.modules("lasso", n).items():
            facts = {"penalty": module.facts.parameters["penalty"], "chosen": len(module.weights)}
            row = {"allowed": n, "class": label, **facts, **faithful(lab, module, None)}
            rows.append(row)
    return pd.DataFrame(rows)


def table3(lab: Laboratory) -> pd.DataFrame:
    """Tables 2 (b) and 3: what is dark in heat maps is masked and inpainted, and classified again.

    Returns:
        A row for each ``seed``, ``class``, ``maps`` and ``gamma``: the ``accuracy``, that for the
        ``original`` images, and how much was ``kept`` of them. ``maps`` are the union of the
        x-features' (SRAE), those of ``excitation``, and ``"excitation, same area"``, of which as
        many of the highest pixels are kept as of the x-features' union, for the union of five
        maps leaves more of a picture than one map does, and ``"random, same area"``, a smooth
        random map.
    """
    a_laboratory(lab)
    rows = []
    for seed in lab.seeds("Table 3"):
        for label, module in lab.modules("srae", seed=seed).items():
            cases = lab.material.cases[label][: lab.setting.masked]
            images = torch.stack([case.image for case in cases])
            unions = np.stack(
                [union_map(some) for some in heat_maps(lab.net, module, cases).active]
            )
            score = heat_maps_of_score(lab.net, label, cases).maps[:, 0]
            lot = np.stack(
                [_smooth_noise(unions.shape[1:], (seed, label, n)) for n in range(len(cases))]
            )
            for gamma in GAMMAS:
                areas = ((unions >= gamma) & (unions > 0)).sum((1, 2))
                kinds: dict[str, tuple[NDArray[np.floating], float]] = {
                    "x-features": (unions, gamma),
                    EXCITATION: (score, gamma),
                    f"{EXCITATION}, same area": (_highest(score, areas), 0.5),
                    "random, same area": (_highest(lot, areas), 0.5),
                }
                for kind, (maps, threshold) in kinds.items():
                    classified = masked_classification(
                        lab.net, images, maps, [label] * len(cases), (threshold,)
                    )
                    rows.append(
                        {
                            "seed": seed,
                            "class": label,
                            "maps": kind,
                            "gamma": gamma,
                            "accuracy": classified.accuracy[0],
                            "kept": classified.kept[0],
                            "original": classified.original,
                        }
                    )
    return pd.DataFrame(rows)


def _highest(maps: NDArray[np.floating], counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """1 where a map ``(N, H, W)`` has its highest values, this many above 0, and 0 elsewhere."""
    flat = maps.reshape(len(maps), -1)
    ranks = np.argsort(np.argsort(-flat, 1, kind="stable"), 1)
    highest = ((ranks < counts[:, None]) & (flat > 0)).astype(np.float32)
    return np.asarray(highest.reshape(maps.shape))


def _smooth_noise(size: Sequence[int], seed: Sequence[int]) -> NDArray[np.float64]:
    """Noise about as smooth as the heat maps."""
    coarse = torch.from_numpy(np.random.default_rng(seed).random((1, 1, 16, 16)))
    return np.asarray(nn.functional.interpolate(coarse, list(size), mode="bilinear")[0, 0])


def figure7(lab: Laboratory) -> pd.DataFrame:
    """Figures 4, 6 and 7: at which part does every x-feature look, and at that of the twin?

    The context, which by true masks is most of a picture, is told apart from the parts of the bird:
    a map that lies on it alone has the best locality of all, and shows nothing.

    Returns:
        A row for each ``maps`` (``srae``, ``nn`` or ``excitation``), ``seed``, ``class`` and
        ``x_feature`` that is active in some picture: its ``weight`` v_i, the mean ``contribution``
        v_i E_i, the share of pictures in which it is ``active``, its locality (``voronoi`` and
        ``masks``), and by masks, or else by Voronoi cells, what share of its maps lies on the
        ``context``. Of the rest, which is on the bird: ``entropy`` over the parts, the ``part``
        with the largest ``share``, and this. Where classes have a twin: the ``mark``, which is the
        part in which they differ, the share that is ``on_mark``, and what share of the bird the
        mark covers (``of_bird``).
    """
    a_laboratory(lab)
    rows = []
    for method in ("srae", "nn", EXCITATION):
        for seed, label, seen in _looks(lab, method, f"Figures 4, 6 and 7, {method}"):
            cases, twin = lab.material.cases[label], lab.material.twins.get(label)
            known = localities(seen.active, cases)
            best = known.get("masks", known.get("voronoi"))
            weights = (
                np.ones(1)
                if method == EXCITATION
                else lab.modules(method, seed=seed)[label].weights.cpu().numpy()
            )
            covered = None if twin is None else _covered(cases, twin.places)
            for number in np.flatnonzero((seen.contributions != 0).any(0)).tolist():
                row = {
                    "maps": method,
                    "seed": seed,
                    "class": label,
                    "x_feature": number,
                    "weight": weights[number],
                    "contribution": seen.contributions[:, number].mean(),
                    "active": (seen.contributions[:, number] != 0).mean(),
                }
                row |= {kind: local.entropies[number] for kind, local in known.items()}
                if best is not None:
                    *parts, context = best.histograms[number]
                    row |= {"context": context} | _on_bird(np.array(parts))
                if best is not None and twin is not None:
                    on_mark = best.histograms[number, list(twin.places)].sum() / (1 - context)
                    row |= {"mark": twin.part, "on_mark": on_mark, "of_bird": covered}
                rows.append(row)
    return pd.DataFrame(rows)


def _on_bird(parts: NDArray[np.float64]) -> dict[str, object]:
    """Entropy and largest part of a histogram without the context."""
    place = int(parts.argmax())
    return {
        "entropy": locality(parts[None, None]).mean,
        "part": PARTS[place],
        "share": parts[place] / parts.sum() if parts.any() else np.nan,
    }


def _covered(cases: Sequence[Case], places: Sequence[int]) -> float:
    """The mean share of the bird that some parts cover, by their masks."""
    areas = np.array([case.parts()["masks"].sum((1, 2)) for case in cases])
    return float((areas[:, list(places)].sum(1) / areas[:, :-1].sum(1)).mean())


def figure8(lab: Laboratory) -> pd.DataFrame:
    """Figure 8: are the x-features of NN alike, and are only a few positive?

    Returns:
        A row for each ``method`` (``srae`` and ``nn``), other number ``n`` of x-features than that
        of Table 1, and ``class``, of the first seed: :func:`measures`.
    """
    a_laboratory(lab)
    rows = []
    for n in progress(lab.setting.counts, "Figure 8"):
        for method in ("srae", "nn"):
            for label, module in lab.modules(method, n).items():
                cases = lab.material.cases[label]
                row = {"method": method, "n": n, "class": label}
                rows.append(row | measures(heat_maps(lab.net, module, cases), cases))
    return pd.DataFrame(rows)


def variants(lab: Laboratory) -> pd.DataFrame:
    """Table 1 (a) of SRAE with other beta, and of a layer before: what makes the difference?

    Returns:
        Rows as of :func:`table1` for the first seed, by ``layer``, ``method`` and ``beta``, which
        matters to SRAE only.
    """
    a_laboratory(lab)
    rows = []
    for layer, method, beta in progress(lab.setting.variants, "variants"):
        for label, cases in lab.material.cases.items():
            if method == RANDOM:
                module = lab.controls(method, label, 0, layer)
            else:
                module = lab.modules(method, layer=layer, beta=beta)[label]
            row: dict[str, object] = {
                "layer": module.facts.layer,
                "method": method,
                "beta": beta,
                "class": label,
            }
            if method in METHODS:
                row |= faithful(lab, module, layer)
            rows.append(row | measures(heat_maps(lab.net, module, cases), cases))
    return pd.DataFrame(rows)
