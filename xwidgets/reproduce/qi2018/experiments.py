"""The experiments of Qi et al. 2018: do a few x-features explain a class's score?

An explanation module embeds the first fully connected layer of a network into a few x-features
whose weighted sum is the score of a class. For several ways to find them (the sparse reconstruction
autoencoder SRAE and its baselines), it is measured how faithful they are to the score, how
different from each other, and how local: whether each looks at one part of the bird.

Every class and every seed has its own modules; the seed decides the weights that training starts
with and which images stop it. All methods see the same images, and all x-features the same pictures
of their class, to which nothing was fitted.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from .cases import Source, drawn_birds
from .laboratory import Laboratory, Setting, a_laboratory
from .shift import figure10
from .tables import figure7, figure8, table1, table2, table3, variants
from .tuning import tuned


class Reproduction(NamedTuple):
    """Results: tables with a row for each class and seed, and facts beside them.

    Attributes:
        table: Table 1 (a), by ``method``: see :func:`table1`.
        x_features: Figures 4, 6 and 7, by ``maps`` and ``x_feature``: see :func:`figure7`.
        variants: Table 1 (a) of other layers and other beta: see :func:`variants`.
        degenerate: Figure 8, by ``method`` and ``n``: see :func:`figure8`.
        masked: Tables 2 (b) and 3, by ``maps`` and ``gamma``: see :func:`table3`.
        shift: Figure 10, by ``maps``: see :func:`figure10`.
        lasso: Table 2 (a), by how many features are ``allowed``: see :func:`table2`.
        tuned: Table 1 (a) with options by cross-validation, by ``method`` and ``sparsity``: see
            :func:`tuned`.
    """

    table: pd.DataFrame
    x_features: pd.DataFrame
    variants: pd.DataFrame
    degenerate: pd.DataFrame
    masked: pd.DataFrame
    shift: pd.DataFrame
    lasso: pd.DataFrame
    tuned: pd.DataFrame


EXPERIMENTS: Mapping[str, Callable[[Laboratory], pd.DataFrame]] = {
    "table": table1,
    "x_features": figure7,
    "variants": variants,
    "degenerate": figure8,
    "masked": table3,
    "shift": figure10,
    "lasso": table2,
    "tuned": tuned,
}
"""By attribute of :class:`Reproduction`, what finds it."""


def reproduce(
    setting: str | Setting = "small",
    folder: str | Path | None = None,
    *,
    source: Source = drawn_birds,
    recompute: bool = False,
    cache: bool | str | Path = True,
) -> Reproduction:
    """All experiments, or what was saved of them.

    Args:
        setting: ``"small"``, ``"full"`` or one of your own.
        folder: where results are kept, table by table, so that what was interrupted goes on; what
            is there is not computed again. ``None`` keeps nothing.
        source: see :class:`Laboratory`.
        recompute: whether to start anew.
        cache: see :class:`Laboratory`.

    Returns:
        All tables.

    Raises:
        ValueError: for an unknown setting, or a folder that holds the results of another one.

    Example:
        >>> small = {"counts": (), "allowed": (5,), "variants": (), "tuned": ()}
        >>> tiny = Setting("tiny", (3,), 1, 100, 1, 1, epochs=1, **small)
        >>> tables = reproduce(tiny)
        >>> len(tables.table), tables.x_features["mark"].unique().tolist()
        (8, ['beak'])
    """
    *_, tables = steps(setting, folder, source=source, recompute=recompute, cache=cache)
    return tables


def steps(
    setting: str | Setting = "small",
    folder: str | Path | None = None,
    *,
    source: Source = drawn_birds,
    recompute: bool = False,
    cache: bool | str | Path = True,
) -> Iterator[Reproduction]:
    """The result of :func:`reproduce` as it grows, one step a table; those to come are empty.

    The arguments are those of :func:`reproduce`, checked at once. Closing the generator cancels.

    Example:
        >>> growing = steps("small")
        >>> growing.close()
    """
    return steps_of(Laboratory(setting, folder, source, cache, recompute))


def steps_of(lab: Laboratory) -> Iterator[Reproduction]:
    """The same of a laboratory, whose modules are there afterwards."""
    a_laboratory(lab)
    return _steps(lab)


def _steps(lab: Laboratory) -> Iterator[Reproduction]:
    tables = lab.saved.load(EXPERIMENTS)
    for name, experiment in EXPERIMENTS.items():
        if name not in tables:
            tables[name] = experiment(lab).round(5)
            lab.saved.save({name: tables[name]})
        yield Reproduction(*(tables.get(name, pd.DataFrame()) for name in Reproduction._fields))
