"""Any classifier, with pixels in [0, 1] outside and its normalisation inside."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from fractions import Fraction
from functools import cached_property
from itertools import chain
from math import isfinite
from numbers import Integral
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from xwidgets.errors import (
    WrongType,
    at_least,
    index_within,
    listed,
    memory_ran_out,
    of_kind,
    one_of,
    shown,
    unknown,
    warn,
)
from xwidgets.images import as_pixels, one_image
from xwidgets.images._photo import is_picture, read
from xwidgets.images.pixels import in_channels
from xwidgets.images.sampler import Sampler

from .class_names import ClassNames, class_names, index_of
from .evaluation_copy import evaluation_copy
from .exact import exact_products
from .forward_trace import BackwardRule, ForwardTrace, explained, go_back, refuse_hiding
from .input_channels import input_channels
from .layers import Layer, list_layers
from .operation_table import Kind
from .outputs import OUTPUTS, Link, LinkTrace, Outputs, guessed, scores_of
from .random_draws import refusing_random

INTERPOLATIONS = ("bilinear", "bicubic")
"""How pictures are resized."""

_TRIES = 500  # to read the weights between two steps of a training


class Watched(NamedTuple):
    """A forward pass that can be gone back through.

    Attributes:
        pixels: ``(N, C, H, W)``, what came in.
        logits: ``(N, K)``, what came out.
        activations: by layer, ``(N, C', H', W')`` or ``(N, K')``.
        rules: what stood in for operations, by kind.
    """

    pixels: Tensor
    logits: Tensor
    activations: dict[str, Tensor]
    rules: Mapping[Kind, BackwardRule] | None

    def gradient(self, values: Tensor, to: Tensor) -> Tensor:
        """The gradient of the sum of ``values`` of this pass by pixels or activations of it.

        Raises:
            ValueError: when the values do not depend on them.
        """
        return go_back(values, torch.ones_like(values)[None], to)[0]


class Network:
    """A classifier to look into.

    Normalisation happens inside, so everything outside speaks of pixels in [0, 1]. The module stays
    the user's: whatever mode it is in, what runs is a copy in evaluation mode that shares its
    parameters, so that it can be trained, loaded or moved meanwhile; see :mod:`.evaluation_copy`.
    Its hooks run, as they may belong to what it computes.

    Wherever one image is asked for, tensors and arrays ``(C, H, W)`` or ``(1, C, H, W)`` of
    floating-point numbers in [0, 1] are taken as they are. A picture is read as by
    :func:`xwidgets.photo`: a path, a PIL image, an 8-bit array ``(H, W, 3)``, or an 8-bit tensor
    ``(C, H, W)``. It gets the network's channels, and unless it has the network's size, it goes
    through :meth:`prepare`.

    Args:
        module: maps ``(N, C, H, W)`` to ``(N, K)`` logits. K = 1 is a single sigmoid.
        normalize: ``(mean, std)``, one number a channel; ``None`` when the module takes pixels.
        size: ``(H, W)`` of the images that the network was made for.
        classes: the K class names, in order or as a dict by index.
        name: how results call the network; the module's class by default.
        examples: a function that returns images ``(N, C, H, W)`` like those the network was trained
            on, from which a sampler is fitted when none is given.
        training_size: how many images it was trained on; 1.2 million for ImageNet.
        prepare_size: length of the shorter side before :meth:`prepare` crops; ``size`` by default.
        interpolation: ``"bilinear"`` or ``"bicubic"``, how :meth:`prepare` resizes.
        outputs: ``"logits"`` of classes that exclude each other; those of ``"independent"`` labels,
            each with a sigmoid of its own; or, where the module ends in that, ``"probabilities"``
            or ``"log-probabilities"``. ``None`` to go by the module's last operation: a softmax, a
            sigmoid, or else logits.

    Attributes:
        memory_format: of the pixels that the module is given. ``torch.channels_last`` is faster for
            many, but fails for those that call ``view`` on their maps.
        code: Python that makes the network again, such as ``xw.network("birds")``; "" for one of
            the reader's own.
        sampler: what :func:`xwidgets.prediction_difference` resamples windows with when it is given
            no other; ``None`` until it is first needed.

    Example:
        >>> module = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
        >>> net = Network(module, size=(4, 4), classes=["cat", "dog"])
        >>> net(torch.rand(5, 3, 4, 4)).shape
        torch.Size([5, 2])
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        normalize: tuple[Sequence[float], Sequence[float]] | None = None,
        size: tuple[int, int] = (224, 224),
        classes: ClassNames | None = None,
        name: str | None = None,
        examples: Callable[[], Tensor] | None = None,
        training_size: int = 1_200_000,
        prepare_size: int | None = None,
        interpolation: str = "bilinear",
        outputs: Outputs | None = None,
    ) -> None:
        if outputs is not None and not (isinstance(outputs, str) and outputs in OUTPUTS):
            raise unknown("outputs", outputs, OUTPUTS)
        if not isinstance(module, nn.Module):
            raise ValueError(
                f"a Network wraps a torch.nn.Module, not {type(module).__name__}; "
                'trained networks come by name: xw.network("birds")'
            )
        sides = listed("size", size, Integral, "(height, width) in pixels")
        if len(sides) != 2 or not 1 <= min(sides) <= max(sides) < 2**31:
            raise ValueError(f"size is {shown(size)}, but must be (height, width) in pixels")
        at_least("training_size", training_size, 1)
        if prepare_size is not None:
            at_least("prepare_size", prepare_size, 1)
        one_of("interpolation", interpolation, INTERPOLATIONS)
        of_kind("name", name, str | None, "a text")
        if examples is not None and not callable(examples):
            raise ValueError(
                f"examples is a {type(examples).__name__}, but must be a function that returns "
                "images; give examples=lambda: images"
            )
        self.module = module
        self.size = size
        self.classes = None if classes is None else class_names(classes)
        self.name = name or type(module).__name__
        self.examples = examples
        self.training_size = training_size
        self.code = ""
        self.sampler: Sampler | None = None
        self.memory_format = torch.contiguous_format
        self._normalized_channels = _channels(normalize)
        self._normalize = normalize and [
            torch.as_tensor(part, dtype=torch.float64) for part in normalize
        ]
        self._interpolation = interpolation
        self._prepare_size = prepare_size or min(size)
        self._outputs = outputs
        self._running = threading.local()
        self._listed: dict[tuple[int, int, int], tuple[Layer, ...]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_running"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _running=threading.local())

    def __repr__(self) -> str:
        classes = "" if self.classes is None else f", {len(self.classes)} classes"
        outputs = "" if self._outputs is None else f", {self._outputs}"
        size = f"{self.channels} x {self.size[0]} x {self.size[1]}"
        return f"Network({self.name!r}, {size}{classes}{outputs})"

    def __call__(self, images: object) -> Tensor:
        """Logits ``(N, K)`` of images ``(N, C, H, W)`` in [0, 1].

        Raises:
            ValueError: for images that are no such tensor, or a module that returns no such logits.
        """
        return self.logits(as_pixels(images, self.channels))

    def logits(self, pixels: Tensor) -> Tensor:
        """Logits ``(N, K)`` of ``pixels`` ``(N, C, H, W)`` whose values are taken as they are.

        For computed pixels, which may leave [0, 1]; images from outside go through a call.
        """
        with self.evaluating():
            return self.classify(self._taken(pixels))

    def watched(
        self,
        pixels: Tensor,
        layers: Sequence[str] = (),
        rules: Mapping[Kind, BackwardRule] | None = None,
        gradients: bool = True,
    ) -> Watched:
        """A forward pass whose activations are kept, to look at or to go back through.

        Args:
            pixels: ``(N, C, H, W)``, whose values are taken as they are.
            layers: names of the layers whose activations are kept, as :class:`ForwardTrace` says.
            rules: by kind of operation, what goes back through it; by default the gradient.
            gradients: whether it can be gone back through; without, nothing is copied, and of the
                activations only the output is checked.

        Raises:
            ValueError: for activations that are NaN or infinite, or operations that cannot be seen.
        """
        with self.evaluating(gradients) as module:
            pixels = self._taken(pixels).requires_grad_(gradients)
            with explained(), ForwardTrace(module, layers, rules) as trace:
                logits = self.classify(pixels.clone() if gradients else pixels)
        kept = trace.activations.items() if gradients else ()
        for name, values in (*kept, ("the output", logits)):
            if not torch.isfinite(values).all():
                where = name if values is logits else f"layer {name!r}"
                raise ValueError(
                    f"the values of {where} of {self.name} are not all finite; check its weights"
                )
        for name in layers:
            if name not in trace.activations:
                raise unused(self, name)
        return Watched(pixels, logits, trace.activations, rules)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Class probabilities ``(N, K)``, float64 on the CPU; of independent labels, each its own.

        A single logit is that of an independent label.
        """
        logits = logits.cpu().double()  # Apple's GPUs have no float64
        return logits.sigmoid() if self._independent(logits) else logits.softmax(1)

    @property
    def outputs(self) -> Outputs:
        """Kind of the module's outputs, as told or as its last operation shows."""
        if self._outputs is None:
            self.logits(torch.zeros(1, self.channels or 3, *self.size))
        return cast(Outputs, self._outputs)

    def alternatives(self, logits: Tensor) -> int:
        """K, how many classes share the probability of which ``logits`` ``(N, K)`` are.

        2 for independent labels: a label applies, or it does not.
        """
        return 2 if self._independent(logits) else logits.shape[1]

    def _independent(self, logits: Tensor) -> bool:
        return logits.shape[1] == 1 or self.outputs == "independent"

    def top(self, image: object, k: int = 5) -> list[tuple[int, str, float]]:
        """The ``k`` most probable classes of one image: index, name, probability.

        Example:
            >>> module = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
            >>> net = Network(module, size=(4, 4), classes=["cat", "dog"])
            >>> len(net.top(torch.rand(3, 4, 4)))
            2
        """
        at_least("k", k, 1)
        return self.ranked(self(image_for(self, image)[None]))[:k]

    def ranked(self, logits: Tensor) -> list[tuple[int, str, float]]:
        """All classes of one image's ``logits`` ``(1, K)``, the most probable first, as of top."""
        values, indices = self.probabilities(logits)[0].sort(descending=True, stable=True)
        return [
            (index, self.class_name(index), value)
            for index, value in zip(indices.tolist(), values.tolist(), strict=True)
        ]

    def class_name(self, index: int) -> str:
        """The name of class ``index``."""
        return f"class {index}" if self.classes is None else self.classes[index]

    def class_index(self, target: int | str, count: int) -> int:
        """The index among ``count`` classes of ``target``, an index or a class name.

        Raises:
            ValueError: when there is no such class, or there are several of this name.
        """
        if isinstance(target, str):
            return index_of(target, self.classes or (), self.name)
        return index_within("class", target, count, self.name)

    def target_index(self, target: int | str | None, logits: Tensor) -> int:
        """The class that one image's ``logits`` ``(1, K)`` are explained for; ``None`` for the top.

        Raises:
            ValueError: when there is no such class.
        """
        return int(logits.argmax()) if target is None else self.class_index(target, logits.shape[1])

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in the order of the forward pass; see :class:`Layer`."""
        channels, (height, width) = self.channels or 3, self.size
        try:
            return self.layers_for((channels, height, width))
        except RuntimeError as error:
            raise ValueError(
                f"{self.name} cannot take images of {channels} x {height} x {width} ({error}); "
                "tell xw.Network which it takes with size=(H, W) and normalize=(mean, std)"
            ) from error

    def layers_for(self, shape: tuple[int, int, int]) -> tuple[Layer, ...]:
        """The layers with their outputs for images of ``shape`` (C, H, W), listed once."""
        if shape not in self._listed:
            image = torch.zeros(1, *shape, device=self.device, dtype=self.dtype)
            with self.evaluating() as module:
                refuse_hiding(module)
                with refusing_random(self.name, module, image):
                    self._listed[shape] = list_layers(module, image)
        return self._listed[shape]

    def layer(self, name: str | int) -> Layer:
        """A layer by its name, or a convolution by its number (1 is the first).

        Raises:
            ValueError: when there is no such layer.
        """
        if isinstance(name, bool) or not isinstance(name, str | Integral):
            raise WrongType(
                f"layer is {shown(name)}, but must be the name of a layer, or the number of a "
                "convolution; list them with net.layers"
            )
        for layer in self.layers:
            number = layer.convolution if isinstance(name, Integral) else None
            if name == layer.name or (number is not None and name == number):
                return layer
        if isinstance(name, Integral):
            count = sum(layer.convolution is not None for layer in self.layers)
            raise ValueError(f"there is no convolution {name}: {self.name} has 1 to {count}")
        names = [layer.name for layer in self.layers]
        raise unknown("layer", name, names, "(list them with net.layers)")

    def prepare(self, source: object) -> Tensor:
        """Bring a picture to this network's channels and size.

        The shorter side is resized, then the centre is cropped. Of colours, grey is the luma.

        Args:
            source: a tensor ``(C, H, W)`` in [0, 1], or whatever :func:`xwidgets.photo` reads.

        Returns:
            ``(C, *size)`` in [0, 1].

        Raises:
            ValueError: when it cannot be read, or the network's channels are other than 1 (grey), 3
                or 4 (with opacity), which only tensors can have.
        """
        tensor = isinstance(source, Tensor) and not is_picture(source)
        image = one_image(source) if tensor else read(source)
        image = in_channels(image, self.channels or (len(image) if tensor else 3))
        height, width = image.shape[1:]
        scales = (
            Fraction(self._prepare_size, min(height, width)),
            Fraction(self.size[0], height),
            Fraction(self.size[1], width),
        )
        shape = [int(side * max(scales)) for side in (height, width)]  # as torchvision rounds
        resized = interpolate(image[None], shape, mode=self._interpolation, antialias=True)[
            0
        ].clamp(0, 1)
        top, left = (round((a - b) / 2) for a, b in zip(shape, self.size, strict=True))
        return resized[:, top : top + self.size[0], left : left + self.size[1]].contiguous()

    @cached_property
    def channels(self) -> int | None:
        """Number of channels of its images; ``None`` where any will do."""
        if self._normalized_channels is not None:
            return self._normalized_channels
        with self.evaluating() as module:
            image = torch.zeros(1, 1, *self.size, device=self.device, dtype=self.dtype)
            return input_channels(module, image)

    @property
    def device(self) -> torch.device:
        """Where the module's parameters are, or its buffers."""
        parameter = next(self._numbers(), None)
        return torch.device("cpu") if parameter is None else parameter.device

    @property
    def dtype(self) -> torch.dtype:
        """Type of the module's first parameter or buffer of floating-point numbers."""
        types = (value.dtype for value in self._numbers() if value.is_floating_point())
        return next(types, torch.float32)

    @property
    def state(self) -> Hashable:
        """Key that changes when weights or running statistics are written, replaced or moved."""
        kept = [
            value
            for child in self.module.modules()
            for value in (*child._parameters.values(), *child._buffers.values())
            if value is not None
        ]
        versions = [0 if value.is_inference() else value._version for value in kept]
        places = [(id(value), value.data_ptr() if _is_dense(value) else 0) for value in kept]
        return tuple(places), tuple(versions), _sampled(kept)

    def _numbers(self) -> Iterator[Tensor]:
        return chain(self.module.parameters(), self.module.buffers())

    @contextmanager
    def evaluating(self, gradients: bool = False) -> Iterator[nn.Module]:
        """A copy of the module in evaluation mode, which this thread runs within the context.

        By default without gradients. Within another such context, the copy of that.
        """
        outer = getattr(self._running, "module", None)
        with (
            torch.inference_mode(False),
            torch.set_grad_enabled(gradients),
            exact_products(self.device),
        ):
            self._running.module = evaluation_copy(self.module) if outer is None else outer
            try:
                yield self._running.module
            finally:
                self._running.module = outer

    def frozen(self) -> Network:
        """The same network with the weights of now, whatever becomes of the module's.

        Raises:
            RuntimeError: when the weights change all the time.
        """
        frozen = copy.copy(self)
        for _ in range(_TRIES):
            state = self.state
            frozen.module = evaluation_copy(self.module, own_parameters=True)
            if self.state == state:
                return frozen
            time.sleep(0.01)
        raise RuntimeError(
            f"the weights of {self.name} change all the time, so that none of its states can be "
            "explained; explain it between steps of its training"
        )

    def _taken(self, pixels: Tensor) -> Tensor:
        pixels = pixels.detach()
        return pixels.to(self.device, self.dtype, memory_format=self.memory_format, copy=True)

    def classify(self, x: Tensor) -> Tensor:
        """Logits ``(N, K)`` of pixels as the module takes them.

        For those who watch a forward pass, within :meth:`evaluating`; outside of it, of the module
        itself.
        """
        if self._normalize is not None:
            mean, std = (part.to(x)[:, None, None] for part in self._normalize)
            x = (x - mean) / std
        try:
            with nullcontext() if self._outputs == "logits" else LinkTrace() as trace:
                outputs = self._module(x)
        except RuntimeError as error:
            if tuple(x.shape[2:]) == tuple(self.size) or memory_ran_out(error):
                raise
            raise ValueError(
                f"{self.name} cannot take images of {x.shape[2]} x {x.shape[3]} pixels "
                f"({error}); bring them to {self.size[0]} x {self.size[1]} with "
                "net.prepare(image)"
            ) from error
        self._check_outputs(outputs, len(x))
        scores = outputs if trace is None else self._scores(outputs, trace.link(outputs))
        return scores.clone()  # a module may return the same memory again

    def _scores(self, outputs: Tensor, link: Link | None) -> Tensor:
        if self._outputs is None:
            self._outputs, reason = guessed(outputs, link)
            if reason:
                warn(
                    f"{self.name} {reason}, so its outputs are taken for {self._outputs}; say "
                    'outputs="logits" to xw.Network for classes with a softmax behind it, or '
                    f'outputs="{self._outputs}" to see this no more'
                )
        return scores_of(outputs, self._outputs, link)

    @property
    def _module(self) -> nn.Module:
        """Copy that this thread runs; the module itself outside of :meth:`evaluating`."""
        running = getattr(self._running, "module", None)
        return self.module if running is None else running

    def activations(self, x: Tensor, layer: str) -> Tensor:
        """A layer's output for pixels as the module takes them.

        It is read as :class:`ForwardTrace` says. For those who watch a forward pass, as
        :meth:`classify`.

        Raises:
            ValueError: when the layer is not used.
        """
        with ForwardTrace(self._module, [layer]) as trace:
            self.classify(x)
        if layer not in trace.activations:
            raise unused(self, layer)
        return trace.activations[layer]

    def _check_outputs(self, logits: object, count: int) -> None:
        if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != count:
            got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            raise ValueError(
                f"{self.name} returned {got} for {count} images, but a classifier returns logits "
                "(N, K); wrap it in a module that returns them"
            )
        if self.classes is not None and len(self.classes) != logits.shape[1]:
            raise ValueError(
                f"{self.name} has {logits.shape[1]} outputs but {len(self.classes)} class names; "
                "give one name an output"
            )


def image_for(net: object, image: object) -> Tensor:
    """One image ``(C, H, W)`` that ``net`` can take, which is where every explanation begins.

    Raises:
        ValueError: when ``net`` is no :class:`Network`, or as :func:`xwidgets.images.one_image`.
    """
    net = a_network(net)
    if is_picture(image):
        image = sized_for(net, in_channels(read(image), net.channels or 3))
    return one_image(image, net.channels).detach()


def sized_for(net: Network, image: Tensor) -> Tensor:
    """Image ``(C, H, W)`` of the network's size, prepared where it is of another."""
    return image if tuple(image.shape[1:]) == tuple(net.size) else net.prepare(image)


def a_network(net: object) -> Network:
    """``net``, when it is one.

    Raises:
        ValueError: when it is not.
    """
    if not isinstance(net, Network):
        raise WrongType(
            f"net is a {type(net).__name__}, but must be an xw.Network; "
            "wrap a module with xw.Network(module, normalize=(mean, std), size=(H, W))"
        )
    return net


def unused(net: Network, layer: str) -> ValueError:
    """An error that names a layer which an image does not go through."""
    return ValueError(f"{net.name} does not use its layer {layer!r} for this image")


def _sampled(values: Sequence[Tensor]) -> bytes:
    """Eight numbers of each tensor: what is written through ``.data`` counts in no version."""
    samples: dict[tuple[torch.device, torch.dtype], list[Tensor]] = {}
    with torch.inference_mode(False), torch.no_grad():
        for value in values:
            if value.is_floating_point() and _is_dense(value) and value.numel():
                span = 1 + sum(
                    (size - 1) * stride
                    for size, stride in zip(value.shape, value.stride(), strict=True)
                )
                sample = value.as_strided((min(span, 8),), (max(span // 8, 1),))
                samples.setdefault((value.device, value.dtype), []).append(sample)
        joined = [torch.cat(several).cpu().double() for several in samples.values()]
    return b"".join(numbers.numpy().tobytes() for numbers in joined)


def _is_dense(value: Tensor) -> bool:
    return value.layout is torch.strided and not value.is_nested and not value.is_meta


def _are_valid(mean: list[Any], std: list[Any]) -> bool:
    """Whether these are finite numbers, the deviations above 0."""
    finite = all(isinstance(value, float) and isfinite(value) for value in (*mean, *std))
    return finite and all(value > 0 for value in std)


def _channels(normalize: tuple[Sequence[float], Sequence[float]] | None) -> int | None:
    if normalize is not None:
        try:
            mean, std = (np.asarray(part, np.float64).tolist() for part in normalize)
            mean, std = list(mean), list(std)
        except (TypeError, ValueError) as error:
            raise WrongType(
                f"normalize is {shown(normalize)}, but must be (mean, std) with one number a "
                "channel in each"
            ) from error
        if len(mean) != len(std) or not mean or not _are_valid(mean, std):
            raise ValueError(
                "normalize is (mean, std) with one number a channel in each and std > 0, "
                f"not ({list(mean)}, {list(std)})"
            )
        return len(mean)
    return None
