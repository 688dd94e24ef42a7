"""Networks with a head of global average pooling and one linear layer, trained on pictures (cs230).

The last linear layers of a network mix places, so that a score cannot be told by place. In their
stead the maps of a layer are averaged over all places, and one linear layer of the averages is
trained, and nothing else: multinomial logistic regression, on features that are read once,

    mean cross-entropy + weight_decay / 2 * sum of squared weights

by Adam with all pictures a step, on features of mean 0 and deviation 1; biases do not decay.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from math import inf, log
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialized
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import skip_init
from tqdm import tqdm

from xwidgets.errors import a_flag, a_seed, at_least, number, one_line, warn
from xwidgets.files import whole
from xwidgets.networks import Layer, Network
from xwidgets.networks._network import a_network
from xwidgets.networks.class_names import class_names
from xwidgets.networks.pooled import Pooled
from xwidgets.results.facts import parsed, typed
from xwidgets.results.result import versions

from .data_set import DataSet
from .explanation_module.training import split


@dataclass(frozen=True)
class PooledFacts:
    """Facts about a pooled network.

    Attributes:
        network_name: name of the network whose layers it has.
        layer: name of the layer whose maps are pooled.
        rectified: whether the maps are rectified first, by a function behind that layer.
        classes: names of the classes, or ``None`` for indices.
        accuracy: share of the held-out pictures that it classifies correctly.
        accuracy_before: share that the network with its own head does; ``None`` where its classes
            are others.
        held_out: number of the held-out pictures, and ``learned`` of those it was trained on.
        parameters: of the training.
        versions: of the packages that trained it.
    """

    network_name: str
    layer: str
    rectified: bool
    classes: tuple[str, ...] | None
    accuracy: float
    accuracy_before: float | None
    held_out: int
    learned: int
    parameters: dict[str, float]
    versions: dict[str, str]


class PooledNetwork(Network):
    """A network that ends in global average pooling and one linear layer.

    Args:
        base: the network whose layers it has, up to the one that is pooled.
        facts: about it.
        weight: ``(K, C)`` of the linear layer.
        bias: ``(K,)``.

    Attributes:
        facts: :class:`PooledFacts`.
    """

    module: Pooled

    def __init__(self, base: Network, facts: PooledFacts, weight: Tensor, bias: Tensor) -> None:
        kind = {"device": base.device, "dtype": base.dtype}
        head = skip_init(nn.Linear, weight.shape[1], weight.shape[0], **kind)
        with torch.no_grad():
            head.weight.copy_(weight)
            head.bias.copy_(bias)
        super().__init__(
            Pooled(base.module, facts.layer, facts.rectified, head),
            normalize=base._normalize,  # type: ignore[arg-type]
            size=base.size,
            classes=facts.classes,
            name=f"{base.name}, pooled",
            examples=base.examples,
            training_size=facts.learned,
            prepare_size=base._prepare_size,
            interpolation=base._interpolation,
            outputs="logits",
        )
        self.memory_format, self.sampler = base.memory_format, base.sampler
        self.facts = facts

    def save(self, path: str | Path) -> None:
        """Write the linear layer to a ``.safetensors`` file that :meth:`load` reads.

        Raises:
            OSError: when that is not possible, such as in a folder that there is not.
        """
        head = self.module.head
        tensors = {
            name: value.detach().cpu().contiguous()
            for name, value in (("weight", head.weight), ("bias", head.bias))
        }
        told = {"pooled_network": json.dumps(asdict(self.facts))}
        with whole(path) as part:
            part.write_bytes(serialized(tensors, told))

    @classmethod
    def load(cls, path: str | Path, net: Network) -> PooledNetwork:
        """Read what :meth:`save` wrote.

        Args:
            path: of the file.
            net: the network whose layers it has, which the file does not hold.

        Raises:
            ValueError: when the file is missing, damaged, or of the layers of another network.
        """
        a_network(net)
        try:
            with safe_open(path, "pt") as file:
                facts = PooledFacts(**typed(PooledFacts, parsed(file.metadata()["pooled_network"])))
                weight, bias = file.get_tensor("weight"), file.get_tensor("bias")
            classes = facts.classes
            if not (weight.isfinite().all() and bias.isfinite().all()):
                raise ValueError("its weights are not all finite")
            if weight.ndim != 2 or bias.shape != weight.shape[:1]:
                raise ValueError(f"its weights are {tuple(weight.shape)}, {tuple(bias.shape)}")
            if len(classes or bias) != len(bias):
                raise ValueError(f"it has {len(bias)} outputs and {len(classes or ())} classes")
        except FileNotFoundError as error:
            raise ValueError(
                f"there is no pooled network at {str(path)!r}; check the path"
            ) from error
        except _DAMAGE as error:
            raise _unreadable(path, error) from error
        known = {layer.name: layer.shape for layer in net.layers}
        if net.name != facts.network_name or known.get(facts.layer, ())[:1] != weight.shape[1:]:
            raise ValueError(
                f"{str(path)!r} goes with layer {facts.layer!r} of {facts.network_name!r}, with "
                f"{weight.shape[1]} channels, and not with {net.name!r}; give that network"
            )
        try:
            return cls(net, facts, weight, bias)
        except ValueError as error:  # for facts that no network has
            raise _unreadable(path, error) from error


def _unreadable(path: str | Path, error: Exception) -> ValueError:
    return ValueError(
        f"{str(path)!r} holds no readable pooled network ({one_line(error)}); train it again and "
        "write it with net.save(path)"
    )


_DAMAGE = (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError)


@dataclass(frozen=True, eq=False)
class PooledTraining:
    """State of the training of a pooled network.

    Attributes:
        completed: share of the work that is done.
        epoch: number of steps over all pictures.
        losses: float64 ``(epochs, 2)``, loss on the pictures that it is trained on, and mean
            cross-entropy on the held-out ones.
        build: makes the network.
    """

    completed: float = 0.0
    epoch: int = 0
    losses: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    build: Callable[[], PooledNetwork | None] = lambda: None

    @cached_property
    def network(self) -> PooledNetwork | None:
        """Network with the least held-out cross-entropy; ``None`` while features are read."""
        return self.build()


def pooled_network(
    net: Network,
    images: object,
    labels: Sequence[int] | NDArray[np.integer] | Tensor,
    layer: str | int | None = None,
    classes: Sequence[str] | None = None,
    *,
    epochs: int = 300,
    learning_rate: float = 0.05,
    weight_decay: float = 1e-3,
    held_out: float = 0.2,
    seed: int = 0,
    progress: bool = True,
) -> PooledNetwork:
    """Replace the head of a network by global average pooling and one linear layer, and train that.

    The network stays as it is; its layers are shared, and only the linear layer is trained. The
    result is a :class:`xwidgets.Network` of which :func:`xwidgets.class_activation_map` and every
    other method can be computed. Interrupting returns the best so far.

    Args:
        net: the classifier.
        images: all that :class:`xwidgets.images.Collection` takes.
        labels: class indices ``(N,)``, of two classes at least.
        layer: whose maps are pooled, by name or number of the convolution, read behind the
            rectifier that directly follows; by default the deepest with maps of at least 7 x 7.
        classes: names of the classes that ``labels`` count; ``None`` for the network's own.
        epochs: number of steps, with all pictures each.
        learning_rate: of Adam, on features of deviation 1.
        weight_decay: of the weights.
        held_out: share of the pictures that is held out, of each class as nearly as possible.
        seed: of the choice of those held out.
        progress: whether to show a progress bar.

    Returns:
        The network with the least cross-entropy on the held-out pictures; ``facts`` tells its
        accuracy on them, and that of the network as it was.

    Raises:
        ValueError: for a network without maps, labels that do not fit the images or are of one
            class, invalid options, or a learning rate with which no step is better than none.

    Example:
        >>> import xwidgets as xw
        >>> images, labels = xw.scenes.draw("birds", range(100))
        >>> net = pooled_network(xw.network("birds"), images, labels, epochs=5, progress=False)
        >>> net.name, net.facts.layer
        ('birds, pooled', 'features.22')
    """
    steps = pooled_network_steps(
        net, images, labels, layer, classes, epochs=epochs, learning_rate=learning_rate,
        weight_decay=weight_decay, held_out=held_out, seed=seed,
    )  # fmt: skip
    training = PooledTraining()
    a_flag("progress", progress)
    with tqdm(total=1.0, desc="pooling", bar_format=_BAR, disable=not progress) as bar:
        try:
            for training in steps:
                bar.update(training.completed - bar.n)
        except KeyboardInterrupt:
            if training.network is None:
                raise
    assert training.network is not None
    return training.network


_BAR = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}{postfix}"


def pooled_network_steps(
    net: Network,
    images: object,
    labels: Sequence[int] | NDArray[np.integer] | Tensor,
    layer: str | int | None = None,
    classes: Sequence[str] | None = None,
    *,
    epochs: int = 300,
    learning_rate: float = 0.05,
    weight_decay: float = 1e-3,
    held_out: float = 0.2,
    seed: int = 0,
) -> Iterator[PooledTraining]:
    """Yield the training of :func:`pooled_network` as it goes on, one step a batch or an epoch.

    The arguments are those of :func:`pooled_network`, checked at once. Closing the generator
    cancels; the network of the last step is the best so far.

    Yields:
        The state of the training; without a network while the features are read.

    Example:
        >>> import xwidgets as xw
        >>> images, labels = xw.scenes.draw("birds", range(100))
        >>> *_, last = pooled_network_steps(xw.network("birds"), images, labels, epochs=5)
        >>> last.epoch, last.losses.shape
        (5, (5, 2))
    """
    a_network(net)
    at_least("epochs", epochs, 1)
    number("learning_rate", learning_rate, lambda rate: 0 < rate < inf, "above 0")
    number("weight_decay", weight_decay, lambda decay: 0 <= decay < inf, "of at least 0")
    number("held_out", held_out, lambda share: 0 < share < 1, "between 0 and 1")
    a_seed(seed)
    chosen = _pooled_layer(net, layer)
    classes = None if classes is None else class_names(classes)
    data = DataSet(net, images)
    outputs = net.layers[-1].shape[0] if classes is None else len(classes)
    truth = _labels(labels, len(data), outputs)
    parameters = {
        "epochs": epochs, "learning_rate": learning_rate, "weight_decay": weight_decay,
        "held_out": held_out, "seed": seed,
    }  # fmt: skip
    return _steps(net, data, truth, chosen, classes, outputs, parameters)


_FINEST = 7
"""Least number of rows and of columns of the maps that are pooled by default."""


def _pooled_layer(net: Network, layer: str | int | None) -> Layer:
    if layer is not None:
        chosen = net.layer(layer)
        if len(chosen.shape) != 3 or chosen.shape[1:] == (1, 1):
            raise ValueError(
                f"layer {chosen.name!r} puts out {chosen.shape}; choose one that puts out maps "
                "(C, H, W) of several places"
            )
        return chosen
    maps = [one for one in net.layers if len(one.shape) == 3 and one.shape[1:] != (1, 1)]
    if not maps:
        raise ValueError(f"{net.name} has no layer with maps (C, H, W) that could be pooled")
    fine = [one for one in maps if min(one.shape[1:]) >= _FINEST]
    return (fine or maps)[-1]


def _labels(labels: object, count: int, outputs: int) -> NDArray[np.int64]:
    values = np.asarray(labels.cpu() if isinstance(labels, Tensor) else labels)
    if values.shape != (count,) or values.dtype.kind not in "iu":
        raise ValueError(
            f"labels are {values.dtype} {values.shape}, but must be class indices ({count},), one "
            "for each image"
        )
    if not 0 <= values.min() <= values.max() < outputs:
        raise ValueError(
            f"labels go from {values.min()} to {values.max()}, but must be 0 to {outputs - 1}, one "
            f"of the {outputs} classes; name other classes with classes="
        )
    if len(np.unique(values)) < 2:
        raise ValueError(
            f"all labels are {values[0]}, but one class cannot be told from another; give images "
            "of two classes at least"
        )
    return values.astype(np.int64)


_READING = 0.8
"""Share of the work that reading the features counts as."""


def _steps(
    net: Network,
    data: DataSet,
    truth: NDArray[np.int64],
    layer: Layer,
    classes: Sequence[str] | None,
    outputs: int,
    parameters: dict[str, float],
) -> Iterator[PooledTraining]:
    features: list[Tensor] = []
    scores: list[Tensor] = []
    read: list[int] = []
    looked = 0
    rectified = False
    for batch in data.batches():
        images = {number: image for number, image in batch.items() if image is not None}
        if images:
            pixels = data.filled(list(images.values()))
            if not read:
                rectified = _is_rectified(net, layer.name, pixels[:1])
            watched = net.watched(pixels, [layer.name], gradients=False)
            maps = watched.activations[layer.name][: len(images)]
            features.append(maps.mean((2, 3)).cpu().double())
            scores.append(watched.logits[: len(images)].cpu())
            read += images
        looked += len(batch)
        yield PooledTraining(_READING * looked / len(data))
    data.check_skipped(sorted({*range(len(data))}.difference(read)))
    z, y = torch.cat(features), torch.from_numpy(truth[read])
    if not z.isfinite().all():
        raise ValueError(
            f"the values of layer {layer.name!r} of {net.name} are not all finite; check its "
            "weights"
        )
    learned, tested = split(y.numpy(), parameters["held_out"], int(parameters["seed"]))
    if len(y[learned].unique()) < 2:
        raise ValueError("the images that are not held out are of one class; give more images")
    before = None
    if classes is None:
        before = _share(torch.cat(scores)[tested].argmax(1) == y[tested])
    facts = partial(
        PooledFacts,
        network_name=net.name,
        layer=layer.name,
        rectified=rectified,
        classes=net.classes if classes is None else tuple(classes),
        accuracy_before=before,
        held_out=len(tested),
        learned=len(learned),
        parameters=parameters,
        versions=versions(),
    )

    def build(weight: Tensor, bias: Tensor) -> PooledNetwork:
        right = _share((z[tested] @ weight.T + bias).argmax(1) == y[tested])
        return PooledNetwork(net, facts(accuracy=right), weight, bias)

    yield from _trained(z, y, learned, tested, outputs, parameters, build)


def _is_rectified(net: Network, layer: str, pixels: Tensor) -> bool:
    """Whether maps are read behind a rectifier that is not part of the layer."""
    outputs: list[Tensor] = []
    with net.evaluating() as module:
        child = module.get_submodule(layer)
        child.register_forward_hook(lambda _, __, output: outputs.append(output.clone()))
        read = net.watched(pixels, [layer], gradients=False).activations[layer]
    if torch.equal(read, outputs[0]):
        return False
    if torch.equal(read, outputs[0].relu()):
        return True
    raise ValueError(
        f"behind layer {layer!r} of {net.name} there is more than a rectifier; choose the layer "
        "behind that"
    )


def _trained(
    features: Tensor,
    labels: Tensor,
    learned: NDArray[np.int64],
    tested: NDArray[np.int64],
    outputs: int,
    parameters: Mapping[str, float],
    build: Callable[[Tensor, Tensor], PooledNetwork],
) -> Iterator[PooledTraining]:
    """Train the linear layer; yields the best so far after each step.

    Raises:
        ValueError: when the first step diverges.
    """
    mean, deviation = features[learned].mean(0), features[learned].std(0)
    deviation = torch.where(deviation > 0, deviation, 1)
    scaled = (features - mean) / deviation
    rate, epochs = parameters["learning_rate"], int(parameters["epochs"])
    with torch.inference_mode(False), torch.enable_grad():
        weight = torch.zeros(outputs, features.shape[1], dtype=torch.float64, requires_grad=True)
        bias = torch.zeros(outputs, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.Adam([weight, bias], rate)

    def cross(numbers: NDArray[np.int64]) -> Tensor:
        return cross_entropy(scaled[numbers] @ weight.T + bias, labels[numbers])

    losses: list[tuple[float, float]] = []
    training, least = PooledTraining(), inf
    for epoch in range(1, epochs + 1):
        with torch.inference_mode(False), torch.enable_grad():
            optimizer.zero_grad()
            loss = cross(learned) + parameters["weight_decay"] / 2 * weight.square().sum()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            reached, held_out = float(cross(learned)), float(cross(tested))
        if not reached < _DIVERGED * log(outputs):
            diverges = f"training diverges with learning_rate={rate}"
            if not losses:
                raise ValueError(f"{diverges}; take a smaller one")
            warn(f"{diverges}; kept is step {1 + _best(losses)}: take a smaller one")
            yield replace(training, completed=1.0)
            return
        losses.append((loss.item(), held_out))
        if held_out < least:
            least = held_out
            kept = weight.detach() / deviation
            make = partial(build, kept, bias.detach() - kept @ mean)
        training = PooledTraining(
            _READING + (1 - _READING) * epoch / epochs, epoch, np.array(losses), make
        )
        yield training


_DIVERGED = 10
"""Cross-entropy, relative to that of equal probabilities, from which on training diverges."""


def _best(losses: Sequence[tuple[float, float]]) -> int:
    return int(np.argmin([held_out for _, held_out in losses]))


def _share(right: Tensor) -> float:
    return float(right.double().mean())
