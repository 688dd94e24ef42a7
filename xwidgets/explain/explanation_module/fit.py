"""Fitting explanation modules: the sparse reconstruction autoencoder (Qi et al. 2018, equation 4).

An encoder E of the features Z and weights v are fitted such that y^ = v^T E(Z) approximates a
class's score, while a decoder D reconstructs the features that are related to it:

    mean over images of (y^ - y)^2 + beta / S * sum over features k of log(1 + q Q_k)
    + weight decay,   with  Q_k = mean over images of (D(E(Z))_k - Z_k)^2

The logarithm tolerates features that are not reconstructed at all; ``sparsity.py`` has other
penalties of Q_k. The baselines are NN (without the second term), SAE (with the mean of Q in its
place, its limit for small q), CAE (the mean of Q alone, then v by least squares), and the Lasso,
which selects features of Z.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast, overload

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import Lasso
from torch import Tensor, nn
from tqdm import tqdm

from xwidgets.errors import a_flag, a_seed, at_least, unknown, warn
from xwidgets.explain.data_set import DataSet, cache_folder
from xwidgets.networks import Layer, Network
from xwidgets.networks._network import a_network
from xwidgets.results.result import versions

from .features import Features, classes, feature_layer, read_features
from .lack import too_few_images
from .module import METHODS, ExplanationModule, Facts, decoder_of, encoder_of
from .training import Coded, Task, Training, split, train


@dataclass(frozen=True, eq=False)
class Fitting:
    """State of the fitting of explanation modules of M classes.

    Attributes:
        completed: share of the work that is done, at least.
        epoch: number of complete passes over the training images.
        errors: float64 ``(epochs, M)``, mean \\|y^ - y\\| of each class on the held-out images.
        losses: float64 ``(epochs, M)``, training loss of each class.
        build: makes the modules; called on demand, as it takes longer than an epoch.
    """

    completed: float = 0.0
    epoch: int = 0
    errors: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    losses: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    build: Callable[[], tuple[ExplanationModule, ...]] = tuple

    @cached_property
    def modules(self) -> tuple[ExplanationModule, ...]:
        """Best modules so far, one a class; none while features are read."""
        return self.build()


@overload
def fit_explanation(
    net: Network, images: object, target: int | str, *args: Any, **options: Any
) -> ExplanationModule: ...


@overload
def fit_explanation(
    net: Network,
    images: object,
    target: Sequence[int | str] | None = None,
    *args: Any,
    **options: Any,
) -> list[ExplanationModule]: ...


def fit_explanation(
    net: Network,
    images: object,
    target: int | str | Sequence[int | str] | None = None,
    layer: str | int | None = None,
    features: int = 5,
    method: str = "srae",
    seed: int = 0,
    *,
    cache: bool | str | Path = True,
    progress: bool = True,
    **training: Any,
) -> ExplanationModule | list[ExplanationModule]:
    """Fit a few x-features of a layer whose weighted sum approximates a class's score.

    Positive for a class are the images that the network predicts it for (with a single output:
    those with a score above 0); together they weigh as much as all others. The best module is the
    one with the least mean \\|y^ - y\\| on held-out images, for CAE with the best reconstruction of
    these. Interrupting returns the best so far. All classes are in memory at once, at some eight
    times their weights; fit many classes of wide layers in parts.

    Args:
        net: the classifier.
        images: of the class and of others: all that :class:`xwidgets.images.Collection` takes.
        target: a class index or name; several, whose modules are fitted together; or ``None`` for
            all classes that the network predicts for some image.
        layer: layer whose outputs are the features Z, by name or number of the convolution; by
            default the first fully connected layer, or else the input of the last layer with
            weights. Z is read behind the rectifier that directly follows, and has at most 4096
            features: larger maps are averaged on a grid.
        features: n, the number of x-features.
        method: ``"srae"``, or a baseline: ``"nn"``, ``"sae"``, ``"cae"``, or ``"lasso"`` (at most n
            features of Z, with the smallest penalty that selects no more).
        seed: of the weights, the order of the images and the choice of those held out.
        cache: whether the features are cached in a file; or the folder of that file. Images that
            are neither files nor one tensor or array are read anew each time.
        progress: whether to show a progress bar.
        training: attributes of :class:`xwidgets.explain.Training`, such as ``beta=0.1``.

    Returns:
        The module of one class, or a list of those of several.

    Raises:
        ValueError: for invalid classes, layers or options, a class without positive images, fewer
            images than x-features, or a network whose outputs differ from run to run.

    Example:
        >>> import xwidgets as xw
        >>> images, _ = xw.scenes.draw("birds", range(300))
        >>> fit_explanation(xw.network("birds"), images, target=3, epochs=2, progress=False)
        <ExplanationModule: 5 x-features by srae of classifier.0 for 'Briar ...' (birds)>
    """
    steps = fit_explanation_steps(
        net, images, target, layer, features, method, seed, cache=cache, **training
    )
    fitting = Fitting()
    a_flag("progress", progress)
    with tqdm(total=1.0, desc="fitting", bar_format=_BAR, disable=not progress) as bar:
        try:
            for fitting in steps:
                bar.update(fitting.completed - bar.n)
                if fitting.epoch:
                    error = fitting.errors[-1].mean()
                    bar.set_postfix_str(f"epoch {fitting.epoch}, held-out error {error:.3g}")
        except KeyboardInterrupt:
            if not fitting.modules:
                raise
    return fitting.modules[0] if _is_one(target) else list(fitting.modules)


_BAR = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}{postfix}"


def fit_explanation_steps(
    net: Network,
    images: object,
    target: int | str | Sequence[int | str] | None = None,
    layer: str | int | None = None,
    features: int = 5,
    method: str = "srae",
    seed: int = 0,
    *,
    cache: bool | str | Path = True,
    **training: Any,
) -> Iterator[Fitting]:
    """Yield the fit of :func:`fit_explanation` as it grows, one step a batch or an epoch.

    The arguments are those of :func:`fit_explanation`, checked at once. Closing the generator
    cancels; the modules of the last step are the best so far.

    Yields:
        The state of the fit; without modules while the features are read.

    Example:
        >>> import xwidgets as xw
        >>> images, _ = xw.scenes.draw("birds", range(300))
        >>> *_, last = fit_explanation_steps(xw.network("birds"), images, [3, 4], epochs=2)
        >>> last.epoch, last.errors.shape
        (2, (2, 2))
    """
    if not isinstance(method, str) or method not in METHODS:
        raise unknown("method", method, METHODS)
    at_least("features", features, 1)
    a_seed(seed)
    cache_folder(cache, "features")
    options = _options(training)
    where = feature_layer(a_network(net), layer)
    count = net.layers[-1].shape[0]
    several = cast("Sequence[int | str] | None", [target] if _is_one(target) else target)
    if not isinstance(several, Iterable | None):
        raise ValueError(f"target is {target!r}, but must be a class, or several")
    targets = None if several is None else [net.class_index(name, count) for name in several]
    if targets is not None and not 0 < len({*targets}) == len(targets):
        raise ValueError(f"target is {target!r}, but must be one class or several different ones")
    data = DataSet(net, images)
    return _steps(net, data, targets, where, features, method, seed, cache, options)


def _is_one(target: object) -> bool:
    """Whether a target is one class, also as ``argmax`` returns it."""
    try:
        operator.index(target)  # type: ignore[arg-type]
    except TypeError:
        return isinstance(target, str)
    return True


def _options(training: Mapping[str, Any]) -> Training:
    known = [item.name for item in fields(Training)]
    for name in training:
        if name not in known:
            raise unknown("option", name, known)
    return Training(**training)


_FEWEST = 10
"""Least number of images, some of which are held out."""
_READING = 0.3
"""Share of the work that reading the features counts as."""


def _steps(
    net: Network,
    data: DataSet,
    targets: list[int] | None,
    layer: Layer,
    count: int,
    method: str,
    seed: int,
    cache: bool | str | Path,
    options: Training,
) -> Iterator[Fitting]:
    features: Features | None = None
    for number, so_far in read_features(net.frozen(), data, layer, cache):  # of one state
        features = so_far
        yield Fitting(completed=_READING * number / len(data))
    assert features is not None
    for fitting in fit_to_features(net, features, targets, count, method, seed, options):
        yield _at(_READING + (1 - _READING) * fitting.completed, fitting)


def fit_to_features(
    net: Network,
    features: Features,
    targets: list[int] | None,
    count: int,
    method: str,
    seed: int,
    options: Training,
) -> Iterator[Fitting]:
    """Yield the fit of modules to features that are read already, one step an epoch.

    Args:
        net: the classifier, which is not run.
        features: of its images.
        targets: class indices; ``None`` for all that are predicted for some image.
        count: n, the number of x-features.
        method: of :func:`fit_explanation`, as ``seed`` is.
        options: of the training.

    Raises:
        ValueError: for too few images, or a class without any.
    """
    top = classes(features.scores)
    if targets is None:
        targets = sorted({*top.tolist()} & {*range(features.scores.shape[1])})
    _check_images(net, features, targets, count)
    learned, held_out = split(top, options.held_out, seed)
    if len(learned) <= count:
        raise ValueError(
            f"held_out={options.held_out} leaves {len(learned)} of {len(top)} images to learn "
            f"{count} x-features from; hold out fewer"
        )
    task = Task(
        features=torch.from_numpy(features.values).to(net.device),
        scores=torch.from_numpy(features.scores[:, targets].T.copy()).to(net.device),
        positive=torch.from_numpy(top == np.array(targets)[:, None]).to(net.device),
        learned=torch.from_numpy(learned).to(net.device),
        held_out=torch.from_numpy(held_out).to(net.device),
    )
    facts = [
        Facts(
            network_name=net.name,
            layer=features.layer,
            target=target,
            label=net.class_name(target),
            method=method,
            parameters={
                "features": count,
                "seed": seed,
                "images": len(top),
                "positive": int((top == target).sum()),
                **asdict(options),
            },
            curves={},
            versions=versions(),
        )
        for target in targets
    ]
    steps = _lasso(task, facts) if method == "lasso" else _trained(task, facts, options)
    fitting = Fitting()
    for fitting in steps:
        yield fitting
    for module in fitting.modules:
        if module.lack and not module.facts.parameters["active"]:
            warn(module.lack)
    yield _at(1.0, fitting)


def _at(completed: float, fitting: Fitting) -> Fitting:
    """Same modules, at another share of the work."""
    return replace(fitting, completed=completed, build=lambda: fitting.modules)


def _check_images(net: Network, features: Features, targets: list[int], count: int) -> None:
    images, top = len(features.scores), classes(features.scores)
    if images < max(count + 1, _FEWEST):
        raise ValueError(
            f"there are {images} images for {count} x-features; give many more than that with "
            f"images=: of each class to explain at least {2 * count}, and as many of others"
        )
    if not np.isfinite(features.scores).all():
        raise ValueError(f"the scores of {net.name} are not all finite; check its weights")
    for target in targets:
        if target not in top:
            raise ValueError(
                f"{net.name} takes none of the {images} images for {net.class_name(target)!r}; "
                "give some that it does, or explain another class"
            )
        positive, label = int((top == target).sum()), net.class_name(target)
        if few := too_few_images(net.name, label, positive, images, count):
            warn(few)
    if images < features.values.shape[1]:
        warn(
            f"{images} images are fewer than the {features.values.shape[1]} features of layer "
            f"{features.layer!r}; look at the held-out error, and give more if it is large"
        )


def _trained(task: Task, facts: list[Facts], options: Training) -> Iterator[Fitting]:
    seed, count = facts[0].parameters["seed"], facts[0].parameters["features"]
    errors: list[list[float]] = []
    losses: list[list[float]] = []
    targets = [fact.target for fact in facts]
    for coded, error, loss in train(task, facts[0].method, count, targets, seed, options):
        errors.append(error.tolist())
        losses.append(loss.tolist())
        so_far = np.array(errors), np.array(losses)
        yield Fitting(
            completed=len(errors) / options.epochs,
            epoch=len(errors),
            errors=so_far[0],
            losses=so_far[1],
            build=partial(_modules, task, facts, coded, *so_far),
        )


def _modules(
    task: Task,
    facts: list[Facts],
    coded: Callable[[], list[Coded]],
    errors: NDArray[np.float64],
    losses: NDArray[np.float64],
) -> tuple[ExplanationModule, ...]:
    modules = []
    every = zip(facts, coded(), errors.T, losses.T, task.positive, strict=True)
    for fact, parts, error, loss, positive in every:
        encoder = encoder_of(None, parts.encoder)
        modules.append(
            ExplanationModule(
                replace(
                    fact,
                    parameters={**fact.parameters, "active": _active(encoder, task, positive)},
                    curves={"error": error.tolist(), "loss": loss.tolist()},
                ),
                encoder,
                parts.weights,
                parts.weights.new_zeros(()),
                decoder_of(parts.decoder) if parts.decoder else None,
            )
        )
    return tuple(modules)


@torch.no_grad()
def _active(encoder: nn.Module, task: Task, positive: Tensor) -> int:
    """Number of x-features that are active for some image of their class."""
    return int((encoder(task.features[positive]) != 0).any(0).sum())


def _lasso(task: Task, facts: list[Facts]) -> Iterator[Fitting]:
    """Fit by the smallest penalty of a geometric grid that selects at most n features."""
    inputs = task.features[task.learned].cpu().double().numpy()
    held_out = task.features[task.held_out].cpu().double().numpy()
    modules: list[ExplanationModule] = []
    errors: list[float] = []
    for number, fact in enumerate(facts):
        scores = task.scores[number].cpu().double().numpy()
        weights = task.weights[number].cpu().double().numpy()
        learned, weighting = scores[task.learned.cpu()], weights[task.learned.cpu()]
        centred = inputs - np.average(inputs, 0, weighting)
        largest = np.abs(weighting * (learned - np.average(learned, weights=weighting)) @ centred)
        best: Lasso | None = None
        for penalty in largest.max() / len(inputs) * np.geomspace(0.95, 1e-4, 100):
            model = Lasso(penalty, max_iter=10_000, random_state=0).fit(inputs, learned, weighting)
            if np.count_nonzero(model.coef_) > fact.parameters["features"]:
                break
            best = model
        if best is None or not best.coef_.any():
            raise ValueError(
                f"no penalty chooses at most {fact.parameters['features']} features for "
                f"{fact.label!r}; allow more with features="
            )
        (chosen,) = best.coef_.nonzero()
        error = float(np.abs(best.predict(held_out) - scores[task.held_out.cpu()]).mean())
        errors.append(error)
        like = task.features
        encoder = encoder_of(torch.from_numpy(chosen).to(like.device), [])
        active = _active(encoder, task, task.positive[number])
        modules.append(
            ExplanationModule(
                replace(
                    fact,
                    parameters={
                        **fact.parameters,
                        "active": active,
                        "penalty": float(best.alpha),
                    },
                    curves={"error": [error]},
                ),
                encoder,
                like.new_tensor(best.coef_[chosen]),
                like.new_tensor(best.intercept_),
            )
        )
        yield Fitting(
            build=partial(tuple, modules if len(modules) == len(facts) else ()),
            completed=len(modules) / len(facts),
        )
