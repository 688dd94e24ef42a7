"""Neuron ranking by input resampling (Lengerich et al. 2017), with baselines after Konam (2017).

The image is perturbed many times, x_i = x (1 + e_i), with Gaussian noise e_i a pixel and channel. A
neuron is a channel of a convolution's output behind its rectifier; it is important when its
activation correlates with the network's output over the perturbed images (their equation 2), or
when it varies little (equation 3). Four metrics of one image, or of the weights alone, are
baselines.

Only sums over the images are kept for each place of each map, so memory does not grow with their
number. They are sums of differences from the unperturbed image, which keeps rounding errors small.
All six metrics come from one pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from xwidgets.errors import number, of_kind, unknown, warn
from xwidgets.networks import Layer, Network
from xwidgets.networks.outgoing_weights import Weights, outgoing_weights
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Class, Resolved
from xwidgets.results import METRICS, Ranking

from ._parameter import front, parameter
from .method import Method
from .run import Run

Output = Literal["logit", "probability"]


def _check_metric(name: str, value: Any) -> None:
    if value not in METRICS:
        raise unknown(name, value, METRICS)


@dataclass(frozen=True)
class InputResampling(Method[Ranking]):
    """Neuron ranking by input resampling (Lengerich et al. 2017), and four baselines.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> len(InputResampling(layers=(3,), top=2).run(net, scene.image))
        2
    """

    metric: str = parameter(
        "activation_precision",
        "the one of six metrics that ranks; all are computed, and :meth:`Ranking.by` takes another",
        check=_check_metric,
        told=False,
    )
    layers: str | int | Sequence[str | int] | None = parameter(
        None, "by name, or convolutions by number; ``None`` for every convolution", told=False
    )
    samples: int = parameter(
        50, "number of perturbed images, at least 2", least=2, span=(2, 200), label="Samples"
    )
    sigma: float = parameter(
        0.1,
        "standard deviation of the noise, as a share of the pixel",
        above=0,
        span=(0.01, 1),
        label="Noise",
        step=0.01,
    )
    top: int = parameter(5, "number of best neurons of each layer", least=1, told=False)
    seed: int = parameter(0, "of the noise", least=0)
    output: Output = parameter(
        "logit",
        'output to correlate activations with: the class\'s ``"logit"`` or ``"probability"``',
        choices=("logit", "probability"),
        label="Output",
    )
    minimum: float = parameter(0.1, "the paper's lambda", least=0, told=False)
    as_printed: bool = parameter(
        False,
        "whether variances are as the papers print them, the sum of squares less the square of the "
        "sum; the precision is then the mean of the inverse over the map, where it is not zero",
    )
    memory: float = parameter(
        128e6,
        "memory of the activations of a batch of images, in bytes, roughly",
        check=lambda name, value: number(name, value, lambda memory: memory >= 0, "of bytes"),
        told=False,
        compared=False,
    )

    name, unit = "input resampling", "importance"

    def check(self, subject: Subject, targets: Sequence[Resolved]) -> None:
        """Check that the layers have channels, and that the target is one class."""
        if len(targets) > 1:
            raise ValueError("neurons are ranked for one class at a time; give one target")
        _with_channels(subject.net, self.layers)
        for target in targets:
            of_kind("a target", target, Class, "a class, by index or name")

    def begin(self, subject: Subject, targets: Sequence[Resolved]) -> Run[Ranking]:
        """Prepare to perturb the image."""
        [target] = targets
        return _Resampling(self, subject, cast(Class, target))


@front(InputResampling)
def rank_neurons(
    net: Network,
    image: object,
    metric: str = "activation_precision",
    layers: str | int | Sequence[str | int] | None = None,
    samples: int = 50,
    sigma: float = 0.1,
    top: int = 5,
    seed: int = 0,
    *,
    target: int | str | None = None,
    output: Output = "logit",
    minimum: float = 0.1,
    as_printed: bool = False,
    memory: float = 128e6,
) -> Ranking:
    """Rank the neurons of a network by their importance for its output for an image.

    With z the neuron's map behind its rectifier, o the output, i the perturbed images:

    - ``"activation_precision"``: 1 / the variance of z over i, averaged over the map, of neurons
      whose mean activation is at least ``minimum``.
    - ``"output_correlation"``: ``|r|`` between z and o over i at each place of the map, averaged
      over the places where z is not constant.
    - ``"activation_sum"``, ``"activation_variance"``: of the unperturbed image's map.
    - ``"weight_sum"``, ``"weight_variance"``: of the weights that multiply the channel in the next
      convolution or linear layer.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1]; or a picture, as
            :class:`xwidgets.Network` says.
        target: class index or name, whose output is correlated with; ``None`` for the top class.

    Returns:
        The ranking, which :func:`xwidgets.neuron_patches` takes as it is.

    Raises:
        ValueError: for an invalid image, layer or other argument, or when no neuron is as active
            as ``minimum``.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> ranking = rank_neurons(net, scene.image, layers=[3, "features.7"], top=2)
        >>> ranking.frame()["layer"].tolist()
        ['features.5', 'features.5', 'features.7', 'features.7']
    """
    method = InputResampling(
        metric, layers, samples, sigma, top, seed, output, minimum, as_printed, memory
    )
    ranking = method.run(net, image, target).by()
    if np.isnan(ranking.values).all():
        warn(
            f"{metric} says nothing of any neuron, as when the output does not vary over the "
            'perturbed images; take output="logit", or a larger sigma'
        )
    return ranking


@front(InputResampling)
def rank_neurons_steps(
    net: Network,
    image: object,
    metric: str = "activation_precision",
    layers: str | int | Sequence[str | int] | None = None,
    samples: int = 50,
    sigma: float = 0.1,
    top: int = 5,
    seed: int = 0,
    *,
    target: int | str | None = None,
    output: Output = "logit",
    minimum: float = 0.1,
    as_printed: bool = False,
    memory: float = 128e6,
) -> Iterator[Ranking]:
    """Yield the result of :func:`rank_neurons` as it sharpens, one step a batch of images.

    The arguments are checked at once. Closing the generator cancels.

    Args:
        net, image, target: as of :func:`rank_neurons`.

    Yields:
        The ranking so far, computed again whenever the number of images is four times the last,
        and at the end; ``completed`` is the share of the images.

    Example:
        >>> import xwidgets as xw
        >>> steps = rank_neurons_steps(xw.network("birds"), xw.scenes.bird(3).image, memory=9e6)
        >>> next(steps).completed < 0.3
        True
        >>> steps.close()
    """
    method = InputResampling(
        metric, layers, samples, sigma, top, seed, output, minimum, as_printed, memory
    )
    return method.steps(net, image, target)


class _Resampling:
    """Run over perturbed images that keeps sums over their activations."""

    def __init__(self, method: InputResampling, subject: Subject, target: Class) -> None:
        net = subject.net
        self._method, self._net, self._image = method, net, subject.image
        self._target = target.index
        self._layers = _with_channels(net, method.layers)
        self._names = [layer.name for layer in self._layers]
        unperturbed = net.watched(self._image[None], self._names, gradients=False)
        self._outputs = _Outputs(
            float(self._scored(unperturbed.logits)[0]),
            torch.finfo(torch.float64 if method.output == "probability" else net.dtype).eps,
        )
        with torch.inference_mode(False):
            self._sums = [_Sums(unperturbed.activations[name][0]) for name in self._names]
        counts = [layer.shape[0] for layer in self._layers]
        self._ranking: Ranking | None = None
        self._known = 0
        self._empty = Ranking(
            layers=tuple(self._names),
            convolutions=tuple(layer.convolution for layer in self._layers),
            layer=np.repeat(np.arange(len(counts)), counts),
            channel=np.concatenate([np.arange(count) for count in counts]),
            importance=np.zeros((len(METRICS), 0)),
            activation=np.zeros(0),
            maps=np.concatenate([_thumbnails(sums.first) for sums in self._sums]),
            image=subject.picture,
            network_name=net.name,
            target=self._target,
            label=target.label(net),
            parameters=method.told(),
            metric=method.metric,
            top=method.top,
            minimum=method.minimum,
        )

    def steps(self) -> Iterator[None]:
        """Run a batch of perturbed images in each step."""
        method, outputs = self._method, self._outputs
        rng = torch.Generator().manual_seed(int(method.seed))
        size = _batch_size(self._net, self._layers, method.memory)
        while outputs.count < method.samples:
            count = min(size, method.samples - outputs.count)
            noise = [torch.randn(self._image.shape, generator=rng) for _ in range(count)]
            pixels = self._image * (1 + method.sigma * torch.stack(noise).to(self._image))
            watched = self._net.watched(pixels, self._names, gradients=False)
            changes = outputs.add(self._scored(watched.logits))
            for name, sums in zip(self._names, self._sums, strict=True):
                sums.add(watched.activations[name], changes)
            yield

    def results(self) -> list[Ranking]:
        """Ranking so far, computed again at four times the number of images."""
        count = self._outputs.count
        if self._ranking is None or count >= 4 * self._known or count == self._method.samples:
            self._ranking, self._known = self._computed(), count
        return [replace(self._ranking, completed=count / self._method.samples)]

    def _computed(self) -> Ranking:
        activation = np.concatenate([sums.mean(self._outputs.count) for sums in self._sums])
        if not np.isfinite(activation).all():
            raise ValueError(
                f"the activations of {self._net.name} are not all finite; check its weights"
            )
        rows = self._over_images() | self._still
        importance = np.stack([rows[metric] for metric in METRICS])
        return replace(self._empty, importance=importance, activation=activation)

    def _over_images(self) -> dict[str, NDArray[np.float64]]:
        return _joined(
            sums.over_images(self._outputs, self._method.as_printed) for sums in self._sums
        )

    @cached_property
    def _still(self) -> dict[str, NDArray[np.float64]]:
        """Metrics that do not depend on the perturbed images."""
        as_printed = self._method.as_printed
        of_weights = (
            _of_weights(weights, as_printed)
            for weights in outgoing_weights(self._net, self._layers)
        )
        of_image = (_of_one_image(sums.first, as_printed) for sums in self._sums)
        return _joined(of_image) | _joined(of_weights)

    def _scored(self, logits: Tensor) -> Tensor:
        values = self._net.probabilities(logits) if self._method.output == "probability" else logits
        return values[:, self._target].double().cpu()


class _Outputs:
    """Sums over perturbed images of differences of the output from that of the unperturbed."""

    def __init__(self, first: float, eps: float) -> None:
        self.first, self.count, self.total, self.squares = first, 0, 0.0, 0.0
        self.least = (8 * eps * first) ** 2  # what varies less is rounding

    def add(self, outputs: Tensor) -> list[float]:
        """Add outputs of further images; returns their differences."""
        changes: list[float] = (outputs - self.first).tolist()
        self.count += len(changes)
        self.total += sum(changes)
        self.squares += sum(change**2 for change in changes)
        return changes


class _Sums:
    """Such sums of a layer's activations ``(C, H, W)``, and of their products with the output's."""

    def __init__(self, first: Tensor) -> None:
        self._eps = torch.finfo(first.dtype).eps
        dtype = torch.promote_types(first.dtype, torch.float32)
        self.first = first.to(dtype, copy=True)
        self.total, self.squares, self.products = (torch.zeros_like(self.first) for _ in range(3))

    def add(self, activations: Tensor, changes: Sequence[float]) -> None:
        for values, change in zip(activations, changes, strict=True):
            difference = values - self.first
            self.total.add_(difference)
            self.squares.addcmul_(difference, difference)
            self.products.add_(difference, alpha=change)

    def mean(self, count: int) -> NDArray[np.float64]:
        """Mean activation ``(C,)`` over images and places."""
        means = [part.cpu().mean((1, 2), dtype=torch.float64) for part in (self.first, self.total)]
        return _array(means[0] + means[1] / count)

    def over_images(self, outputs: _Outputs, as_printed: bool) -> dict[str, NDArray[np.float64]]:
        n = outputs.count
        eps = 8 * self._eps  # what is smaller, relatively, is rounding
        least = (eps * self.first.abs().amax((1, 2), True).cpu().double()) ** 2
        output_variance = max(0.0, outputs.squares / n - (outputs.total / n) ** 2)
        if output_variance <= outputs.least:
            least.fill_(torch.inf)
        variances, rs, varying, precisions, active = torch.zeros(
            5, len(self.first), dtype=torch.float64
        )
        for part in self._parts():
            first, total, squares, products = (values.cpu().double() for values in part)
            variance = (squares / n - (total / n) ** 2).clamp_(min=0)
            covariance = products / n - total / n * (outputs.total / n)
            varies = variance > torch.maximum(least, eps * squares / n)
            r = covariance.abs_() / (variance * output_variance).sqrt_()
            variances += variance.sum((1, 2))
            rs += r.clamp_(max=1).where(varies, 0).sum((1, 2))
            varying += varies.sum((1, 2))
            if as_printed:
                whole = n * first + total
                printed = n * first**2 + 2 * first * total + squares - whole**2
                known = printed.abs() > eps * (n * first**2 + squares + whole**2)
                precisions += (1 / printed).where(known, 0).sum((1, 2))
                active += known.sum((1, 2))
        precision = precisions / active if as_printed else self.first[0].numel() / variances
        return {
            "activation_precision": _array(precision),
            "output_correlation": _array(rs / varying),
        }

    def _parts(self) -> Iterator[tuple[Tensor, ...]]:
        """Yield all sums in parts of some rows, which fit the processor's cache."""
        channels, height, width = self.first.shape
        rows = max(1, 2**16 // (channels * width))
        for top in range(0, height, rows):
            yield tuple(
                values[:, top : top + rows]
                for values in (self.first, self.total, self.squares, self.products)
            )


def _of_one_image(maps: Tensor, as_printed: bool) -> dict[str, NDArray[np.float64]]:
    maps = maps.cpu()
    total = maps.sum((1, 2), dtype=torch.float64)
    if as_printed:
        variance = maps.square().sum((1, 2), dtype=torch.float64) - total**2
    else:
        variance = maps.var((1, 2), correction=0)
    return {"activation_sum": _array(total), "activation_variance": _array(variance)}


def _of_weights(weights: Weights, as_printed: bool) -> dict[str, NDArray[np.float64]]:
    known = weights.number > 0
    mean = weights.total / weights.number
    variance = (
        weights.squares - weights.total**2
        if as_printed
        else (weights.squares / weights.number - mean**2).clamp(min=0)
    )
    return {
        name: _array(values.where(known, torch.nan))
        for name, values in (("weight_sum", weights.total), ("weight_variance", variance))
    }


def _joined(
    layers: Iterable[dict[str, NDArray[np.float64]]],
) -> dict[str, NDArray[np.float64]]:
    """Metrics of the channels of all layers, concatenated."""
    metrics = list(layers)
    return {name: np.concatenate([of_layer[name] for of_layer in metrics]) for name in metrics[0]}


def _array(values: Tensor) -> NDArray[np.float64]:
    array: NDArray[np.float64] = values.double().cpu().numpy()
    return array


def _thumbnails(maps: Tensor, size: int = 16) -> NDArray[np.uint8]:
    small = adaptive_avg_pool2d(maps.float().clamp(min=0)[None], size)[0].cpu()
    shares = small / small.amax((1, 2), True).clamp(min=torch.finfo(small.dtype).tiny)
    thumbnails: NDArray[np.uint8] = (shares * 255).round().to(torch.uint8).numpy()
    return thumbnails


def _with_channels(
    net: Network, layers: str | int | Sequence[str | int] | None
) -> tuple[Layer, ...]:
    """Chosen layers, in the order of the forward pass."""
    if layers is None:
        names = {layer.name for layer in net.layers if layer.convolution is not None}
        if not names:
            raise ValueError(f"{net.name} has no convolutions whose channels could be ranked")
    else:
        several = isinstance(layers, Iterable) and not isinstance(layers, str)
        asked: Iterable[Any] = layers if several else [layers]  # type: ignore[assignment]
        names = {net.layer(layer).name for layer in asked}
        if not names:
            raise ValueError("layers is empty; give names or numbers of convolutions, or None")
    chosen = tuple(layer for layer in net.layers if layer.name in names)
    for layer in chosen:
        if len(layer.shape) != 3:
            raise ValueError(
                f"layer {layer.name!r} has no channels (its output is {layer.shape}); "
                "choose a convolution"
            )
    return chosen


def _batch_size(net: Network, layers: Sequence[Layer], memory: float) -> int:
    """Number of images whose activations fit; at least 2, so that one batch has a variance."""
    need = sum(math.prod(layer.shape) for layer in layers) * net.dtype.itemsize
    return max(2, int(min(memory, 1e15) // need))
