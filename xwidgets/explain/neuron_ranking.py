"""Neuron ranking by input resampling (Lengerich et al. 2017), with baselines after Konam (2017).

The image is perturbed many times, x_i = x (1 + e_i), with Gaussian noise e_i a pixel and channel. A
neuron is a channel of a convolution's output behind its rectifier; it is important when its
activation correlates with the network's output over the perturbed images (their equation 2), or
when it varies little (equation 3). Four metrics of one image, or of the weights alone, are
baselines.

Only sums over the images are kept for each place of each map, so memory does not grow with their
number. They are float64 sums of the differences from the first perturbed image: these are exact for
activations in float32, all zero at a place that is constant over the images, and there alone, and
small beside their own spread, which that image is part of. All six metrics come from one pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from xwidgets.errors import number, of_kind, unknown, warn
from xwidgets.incremental.parts import in_parts
from xwidgets.networks import Layer, Network
from xwidgets.networks.outgoing_weights import Weights, outgoing_weights
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Class, Resolved
from xwidgets.results import METRICS, Ranking

from ._parameter import front, parameter
from .method import Method
from .run import Run

_CACHED = 2**16  # numbers of float64 that stay in a core's cache, with what is made of them

Output = Literal["logit", "probability"]


def _check_metric(name: str, value: Any) -> None:
    if not isinstance(value, str) or value not in METRICS:
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
    minimum: float = parameter(
        0.1,
        "the paper's lambda, the least mean magnitude of the activation with which the precision "
        "ranks a neuron",
        least=0,
        told=False,
    )
    as_printed: bool = parameter(
        False,
        "whether variances are as the papers print them, the sum of squares less the square of the "
        "sum; the precision is then the mean of the inverse over the places where that is not zero",
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
      whose mean ``|z|`` over i and the map is at least ``minimum``.
    - ``"output_correlation"``: ``|r|`` between z and o over i at each place of the map, averaged
      over the places where z is not constant, that is, not the same number for all i.
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
        self._outputs: list[float] = []
        unperturbed = net.watched(self._image[None], self._names, gradients=False)
        maps = [unperturbed.activations[name][0] for name in self._names]
        with torch.inference_mode(False):
            self._sums = [_Sums(values, method.as_printed) for values in maps]
        self._of_image = _joined(_of_one_image(values, method.as_printed) for values in maps)
        weights = outgoing_weights(net, self._layers)
        self._of_weights = _joined(_of_weights(part, method.as_printed) for part in weights)
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
            maps=np.concatenate([_thumbnails(values) for values in maps]),
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
        while len(outputs) < method.samples:
            count = min(size, method.samples - len(outputs))
            noise = [torch.randn(self._image.shape, generator=rng) for _ in range(count)]
            pixels = self._image * (1 + method.sigma * torch.stack(noise).to(self._image))
            watched = self._net.watched(pixels, self._names, gradients=False)
            outputs += self._scored(watched.logits).tolist()
            changes = self._output_changes[-count:]
            for name, sums in zip(self._names, self._sums, strict=True):
                sums.add(watched.activations[name], changes)
            yield

    def results(self) -> list[Ranking]:
        """Ranking so far, computed again at four times the number of images."""
        count = len(self._outputs)
        if self._ranking is None or count >= 4 * self._known or count == self._method.samples:
            self._ranking, self._known = self._computed(), count
        return [replace(self._ranking, completed=count / self._method.samples)]

    def _computed(self) -> Ranking:
        count = len(self._outputs)
        activation = np.concatenate([sums.magnitude(count) for sums in self._sums])
        if not np.isfinite(activation).all():
            raise ValueError(
                f"the activations of {self._net.name} are not all finite; check its weights"
            )
        over_images = _joined(sums.over_images(self._output_changes) for sums in self._sums)
        rows = over_images | self._of_image | self._of_weights
        importance = np.stack([rows[metric] for metric in METRICS])
        return replace(self._empty, importance=importance, activation=activation)

    @property
    def _output_changes(self) -> Tensor:
        """Differences ``(n,)`` of the outputs from the first one, float64."""
        outputs = torch.tensor(self._outputs, dtype=torch.float64)
        return outputs - outputs[0]

    def _scored(self, logits: Tensor) -> Tensor:
        values = self._net.probabilities(logits) if self._method.output == "probability" else logits
        return values[:, self._target].double().cpu()


class _Sums:
    """Sums over perturbed images of a layer's activations, and of their products with the output.

    Each is of the U units of the layer, in the order of its memory.

    Args:
        unperturbed: activations ``(C, H, W)`` of the unperturbed image.
        as_printed: whether to sum for the variance as printed, too.
    """

    def __init__(self, unperturbed: Tensor, as_printed: bool) -> None:
        self._channels = len(unperturbed)
        self._channels_last = not unperturbed.is_contiguous()
        self._first = torch.empty(0)

        def zeros() -> Tensor:
            return torch.zeros(unperturbed.numel(), dtype=torch.float64, device=unperturbed.device)

        self._changes, self._squares, self._products, self._negatives = (zeros() for _ in range(4))
        self._printed = [zeros() for _ in range(2)] if as_printed else []

    def add(self, activations: Tensor, output_changes: Tensor) -> None:
        """Add activations ``(n, C, H, W)`` of n images with outputs ``(n,)``."""
        if self._channels_last:
            activations = activations.permute(0, 2, 3, 1)
        units = activations.flatten(1)
        if not len(self._first):
            self._first = units[0].clone()
        ones = torch.ones_like(output_changes)
        weights = torch.stack([ones, output_changes]).to(units.device)
        size = max(1, _CACHED // len(units))

        def added(starts: Tensor) -> Tensor:
            for start in starts.tolist():
                self._add(slice(start, start + size), units[:, start : start + size], weights)
            return starts

        in_parts(added, torch.arange(0, units.shape[1], size, device=units.device), least=1)

    def _add(self, part: slice, units: Tensor, weights: Tensor) -> None:
        values = units.double()
        if values.amin() < 0:
            self._negatives[part] += weights[0] @ values.clamp(max=0)
        if self._printed:
            total, squares = self._printed
            total[part] += weights[0] @ values
            squares[part] += weights[0] @ values.square()
        values -= self._first[part].double()
        change, product = weights @ values
        self._changes[part] += change
        self._products[part] += product
        self._squares[part] += weights[0] @ values.square_()

    def magnitude(self, count: int) -> NDArray[np.float64]:
        """Mean ``(C,)`` of the magnitude of the activations in ``count`` images."""
        total = count * self._first + self._changes - 2 * self._negatives
        return _array(self._over_places(total) / count)

    def over_images(self, output_changes: Tensor) -> dict[str, NDArray[np.float64]]:
        """Metrics ``(C,)`` over the images so far, whose outputs are given."""
        n = len(output_changes)
        variance = self._squares / n - (self._changes / n).square()
        covariance = self._products / n - self._changes / n * float(output_changes.mean())
        scale = variance * float(output_changes.var(correction=0))
        varies = (self._squares > 0) & bool(output_changes.any())
        r = covariance.abs_().div_(scale.sqrt_()).clamp_(max=1).where(varies, 0)
        if self._printed:
            total, squares = self._printed
            printed = squares - total.square()
            known = printed != 0
            inverses = (1 / printed).where(known, 0)
            precision = self._over_places(inverses) / self._over_places(known)
        else:
            precision = 1 / self._over_places(variance)
        return {
            "activation_precision": _array(precision),
            "output_correlation": _array(self._over_places(r) / self._over_places(varies)),
        }

    def _over_places(self, values: Tensor) -> Tensor:
        """Mean ``(C,)`` over the map of each channel, of values ``(U,)``."""
        if self._channels_last:
            return values.view(-1, self._channels).mean(0, dtype=torch.float64)
        return values.view(self._channels, -1).mean(1, dtype=torch.float64)


def _of_one_image(maps: Tensor, as_printed: bool) -> dict[str, NDArray[np.float64]]:
    maps = maps.double()
    total = maps.sum((1, 2))
    if as_printed:
        variance = maps.square().sum((1, 2)) - total**2
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
