"""Options of every method by cross-validation, as Qi et al. 2018 choose them (section 4.2).

The paper tunes all methods on the training set, and tells neither the options that it tries nor
what it goes by. Here a class takes the option with the least F_reg on images that are left out in
turn, alike for all methods; early stopping sees none of these.
"""

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xwidgets.evaluate._faithfulness import faithfulness_to
from xwidgets.explain.explanation_module import ExplanationModule
from xwidgets.explain.explanation_module.features import Features, classes
from xwidgets.explain.explanation_module.fit import fit_to_features
from xwidgets.explain.explanation_module.training import Training
from xwidgets.reproduce.repetitions import progress

from ._heat_maps import heat_maps, measures
from .laboratory import Laboratory, Trial, a_laboratory
from .tables import faithful


def folds(top: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Fold of each image, chosen at random such that each has as many of every predicted class.

    Example:
        >>> np.bincount(folds(np.array([0, 0, 0, 0, 1, 1]), 2, seed=0)).tolist()
        [3, 3]
    """
    shuffled = np.random.default_rng(seed).permutation(len(top))
    by_class = shuffled[np.argsort(top[shuffled], kind="stable")]
    of_image = np.empty(len(top), np.int64)
    of_image[by_class] = np.arange(len(top)) % count
    return of_image


def cross_validated(lab: Laboratory, trial: Trial) -> NDArray[np.float64]:
    """F_reg of the modules of a trial on the images of each fold, fitted to the others.

    Returns:
        ``(V, M, K)``, of V values of the option, M classes and K folds.
    """
    features, setting = lab.features("images"), lab.setting
    of_image = folds(classes(features.scores), setting.folds, seed=0)
    errors = np.zeros((len(trial.values), len(setting.tuned_classes), setting.folds))
    for place, value in enumerate(trial.values):
        for fold in range(setting.folds):
            others, unseen = _part(features, of_image != fold), _part(features, of_image == fold)
            modules = _fitted(lab, trial, value, others, setting.tuned_classes, seed=0)
            errors[place, :, fold] = [faithfulness_to(one, unseen).f_reg for one in modules]
    return errors


def tuned(lab: Laboratory) -> pd.DataFrame:
    """Table 1 (a) of all methods, each with the option that cross-validation takes for its class.

    Returns:
        A row for each ``method``, its ``sparsity`` (``"none"`` for methods without), ``seed`` and
        ``class``: the ``option``, its best ``value``, the error by cross-validation (``cv``), its
        standard deviation over the folds (``cv_spread``), and the columns of
        :func:`xwidgets.reproduce.qi2018.table1`.
    """
    a_laboratory(lab)
    rows = []
    for trial in progress(lab.setting.tuned, "tuned by cross-validation"):
        validated = cross_validated(lab, trial)
        best = validated.mean(2).argmin(0)  # value of each class
        for seed in range(lab.setting.seeds):
            for place, value in enumerate(trial.values):
                (mine,) = (best == place).nonzero()
                labels = [lab.setting.tuned_classes[number] for number in mine]
                modules = _fitted(lab, trial, value, lab.features("images"), labels, seed)
                for number, label, module in zip(mine, labels, modules, strict=True):
                    errors, cases = validated[place, number], lab.material.cases[label]
                    row: dict[str, object] = {
                        "method": trial.method,
                        "sparsity": trial.sparsity,
                        "seed": seed,
                        "class": label,
                        "option": trial.option,
                        "value": value,
                        "cv": errors.mean(),
                        "cv_spread": errors.std(ddof=1),
                    }
                    row |= faithful(lab, module, None)
                    rows.append(row | measures(heat_maps(lab.net, module, cases), cases))
    return pd.DataFrame(rows)


def _part(features: Features, chosen: NDArray[np.bool_]) -> Features:
    return replace(
        features,
        values=features.values[chosen],
        scores=features.scores[chosen],
        numbers=features.numbers[chosen],
    )


def _fitted(
    lab: Laboratory,
    trial: Trial,
    value: float,
    features: Features,
    labels: Sequence[int],
    seed: int,
) -> tuple[ExplanationModule, ...]:
    if not labels:
        return ()
    options = {"n": lab.setting.features, "epochs": lab.setting.epochs} | trial.options(value)
    count = int(options.pop("n"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # few images, in some tests
        *_, last = fit_to_features(
            lab.net, features, list(labels), count, trial.method, seed, Training(**options)
        )
    return last.modules
