"""Training the modules of several classes as one batched computation a core (Qi et al. 2018).

Z and y are divided by their standard deviations during training, so that beta and q mean the same
for every network. v is initialised with alternating signs: were all its signs alike by chance, no
x-feature of the class would ever be active.

Each class has its own random numbers and its own early stopping, so that its module is the same
whether trained alone or with others, but for rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import inf, sqrt
from numbers import Integral
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.errors import at_least, listed, number, unknown
from xwidgets.incremental.parts import in_parts, parts

from .features import LARGEST
from .loss import faithfulness_loss, reconstruction_loss
from .module import Layers
from .sparsity import SPARSITIES, Penalty, squared

_LEAST = 2  # classes of each of several trainers
Seed = tuple[int, int]
"""Seed of a fit, and the class."""


@dataclass(frozen=True)
class Training:
    """Options of the training of explanation modules.

    Attributes:
        hidden: widths of the encoder's hidden layers, and in reverse of the decoder's. ``None`` for
            the paper's (800, 100) on 4096 features, in proportion for fewer, at least (64, 32).
        beta: weight of the reconstruction.
        sparsity: penalty of the reconstruction errors of SRAE: ``"log"``, that of the paper;
            ``"l1"``, ``"epsilon-l1"`` or ``"kl"``, which it names too.
        q: of ``"log"`` and ``"kl"``; the larger, the smaller the error from which on they grow
            slowly.
        epsilon: of ``"epsilon-l1"``, in variances of Z.
        rho: of ``"kl"``: the least penalty is that of the error rho / ((1 - rho) q).
        learning_rate: of Adam, which falls to zero along half a cosine.
        weight_decay: of the weights; biases have none.
        batch: number of images a step.
        epochs: largest number of passes over the images.
        patience: number of epochs without a better held-out error after which a class is done.
        held_out: share of the images that is held out.
    """

    hidden: tuple[int, ...] | None = None
    beta: float = 0.1
    sparsity: str = "log"
    q: float = 100.0
    epsilon: float = 0.01
    rho: float = 0.05
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    batch: int = 50
    epochs: int = 40
    patience: int = 10
    held_out: float = 0.2

    def __post_init__(self) -> None:
        for name in ("batch", "epochs", "patience"):
            at_least(name, getattr(self, name), 1)
        for name in ("beta", "weight_decay"):
            number(name, getattr(self, name), lambda value: value >= 0, "of at least 0")
        for name in ("q", "epsilon", "learning_rate"):
            number(name, getattr(self, name), lambda value: 0 < value < inf, "above 0")
        for name in ("rho", "held_out"):
            number(name, getattr(self, name), lambda share: 0 < share < 1, "between 0 and 1")
        if not isinstance(self.sparsity, str) or self.sparsity not in SPARSITIES:
            raise unknown("sparsity", self.sparsity, SPARSITIES)
        if self.hidden is not None:
            for width in listed("hidden", self.hidden, Integral, "widths, such as (64, 32)"):
                at_least("hidden", width, 1)

    def widths(self, features: int, x_features: int) -> list[int]:
        """Widths of the encoder's layers, from Z to the x-features."""
        share = features / LARGEST
        hidden = (max(64, round(800 * share)), max(32, round(100 * share)))
        return [features, *(hidden if self.hidden is None else self.hidden), x_features]

    @property
    def penalty(self) -> Penalty:
        """Sparsity penalty with its options."""
        penalty, options = SPARSITIES[self.sparsity]
        return partial(penalty, **{name: getattr(self, name) for name in options})


@dataclass(frozen=True, eq=False)
class Task:
    """Data that the modules of M classes are trained and tested on.

    Attributes:
        features: ``(N, S)``, Z.
        scores: ``(M, N)``, y.
        positive: bool ``(M, N)``, true for images of the class.
        learned, held_out: numbers of the training images, and of the held-out ones.
    """

    features: Tensor
    scores: Tensor
    positive: Tensor
    learned: Tensor
    held_out: Tensor

    @property
    def weights(self) -> Tensor:
        """Weights ``(M, N)`` of the images: the positive ones weigh as much as all others."""
        learned = self.positive[:, self.learned].double()
        share = learned.mean(1, keepdim=True).clamp(0.5 / len(self.learned), 1)
        other = (1 - share).clamp(0.5 / len(self.learned), 1)
        weights = torch.where(self.positive, 0.5 / share, 0.5 / other)
        return (weights / weights[:, self.learned].mean(1, keepdim=True)).to(self.scores)


@dataclass(frozen=True, eq=False)
class Coded:
    """Parts of the module of one class, on the scale of Z and y.

    Attributes:
        encoder, decoder: their layers; an empty decoder for none.
        weights: v, ``(n,)``.
    """

    encoder: Layers
    decoder: Layers
    weights: Tensor


def split(
    top: NDArray[np.int64], share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of the training images, and of the held-out ones, chosen at random.

    Held out are this share of all images and, as nearly as possible, of each predicted class.

    Example:
        >>> learned, held_out = split(np.array([0, 0, 0, 0, 1]), 0.2, seed=0)
        >>> len(learned), len(held_out)
        (4, 1)
    """
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(top))
    by_class = shuffled[np.argsort(top[shuffled], kind="stable")]
    count = min(max(1, round(share * len(top))), len(top) - 1)
    places = np.floor((np.arange(count) + rng.random()) * len(top) / count).astype(int)
    held_out = by_class[places]
    return np.setdiff1d(np.arange(len(top)), held_out), np.sort(held_out)


def train(
    task: Task, method: str, count: int, classes: Sequence[int], seed: int, options: Training
) -> Iterator[tuple[Callable[[], list[Coded]], Tensor, Tensor]]:
    """Train with Adam; yields after each epoch.

    Args:
        task: of M classes.
        method: ``"srae"``, ``"nn"``, ``"sae"`` or ``"cae"``.
        count: n, the number of x-features.
        classes: the M class indices, which seed the weights.
        seed: of the weights and the order of the images.
        options: of the training.

    Yields:
        What makes the best modules so far; the held-out error after this epoch ``(M,)``, and the
        training loss ``(M,)`` in it.
    """
    scale = task.features[task.learned].std().clamp(min=1e-12)
    spread = task.scores[:, task.learned].std(1, keepdim=True).clamp(min=1e-12)
    scaled = replace(task, features=task.features / scale, scores=task.scores / spread)
    trainers = _Trainers(scaled, method, count, [(seed, target) for target in classes], options)
    random = torch.Generator().manual_seed(seed)
    best = torch.full_like(spread[:, 0], torch.inf)
    since = torch.zeros_like(best)
    kept = [trainers.weights_of(place) for place in range(len(classes))]
    for _ in range(options.epochs):
        loss, error, criterion = trainers.learn(torch.randperm(len(task.learned), generator=random))
        better = (criterion < best) & (since < options.patience)
        best = torch.where(better, criterion, best)
        if not best.isfinite().all():
            raise ValueError(
                f"training diverges with learning_rate={options.learning_rate}; take a smaller one"
            )
        since = torch.where(better, 0, since + 1)
        for place in better.nonzero()[:, 0].tolist():
            kept[place] = trainers.weights_of(place)
        coded = partial(_coded, [*kept], scale, spread, method != "nn")
        yield coded, error * spread[:, 0], loss
        if (since >= options.patience).all():
            return


class _Trainers:
    """Trainers of a task, of which each has some of the classes and of the cores."""

    def __init__(
        self, task: Task, method: str, count: int, seeds: Sequence[Seed], options: Training
    ) -> None:
        cores = parts(task.features.device)
        trainers = cores if len(seeds) >= _LEAST * cores else 1
        self._trainers = [
            _Trainer(
                replace(task, scores=task.scores[places], positive=task.positive[places]),
                method,
                count,
                [seeds[place] for place in places],
                options,
            )
            for places in torch.arange(len(seeds)).tensor_split(trainers)
        ]
        self._numbers = torch.arange(len(self._trainers), device=task.features.device)
        self._coders = [
            (trainer.coders, place)
            for trainer in self._trainers
            for place in range(len(trainer.coders.weights))
        ]

    def learn(self, order: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run one epoch in this order of images.

        Returns:
            The mean loss, and what :meth:`_Trainer.test` does, ``(M,)`` each.
        """

        def learned(which: Tensor) -> Tensor:
            trainers = (self._trainers[number] for number in which)
            each = ((trainer.learn(order), *trainer.test()) for trainer in trainers)
            return torch.cat([torch.stack(values, 1) for values in each])

        with self._threads():
            loss, error, criterion = in_parts(learned, self._numbers, least=1).unbind(1)
        return loss, error, criterion

    @contextmanager
    def _threads(self) -> Iterator[None]:
        """Context with a single thread where matrices are too small to gain from several."""
        before = torch.get_num_threads()
        if len(self._trainers) == 1 and self._trainers[0].work < 1e8:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def weights_of(self, place: int) -> list[Tensor]:
        """Copies of the weights of one class, as of :meth:`_Autoencoders.weights_of`."""
        coders, own_place = self._coders[place]
        return coders.weights_of(own_place)


class _Trainer:
    """Trainer of a task whose features and scores have the standard deviation 1."""

    def __init__(
        self, task: Task, method: str, count: int, seeds: Sequence[Seed], options: Training
    ) -> None:
        self.faithful, self.reconstructs = method != "cae", method != "nn"
        self._task, self._options = task, options
        self._weights = task.weights
        self._penalty = options.penalty if method == "srae" else squared
        widths = options.widths(task.features.shape[1], count)
        self.coders = _Autoencoders(widths, seeds, task.features)
        weights, biases = self.coders.parameters(self.faithful, self.reconstructs)
        groups: list[dict[str, Any]] = [
            {"params": weights, "weight_decay": options.weight_decay},
            {"params": biases},
        ]
        self._optimizer = torch.optim.Adam(groups, lr=options.learning_rate, fused=True)
        self._schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimizer, options.epochs)
        self.work = len(seeds) * options.batch * widths[0] * widths[1]

    def learn(self, order: Tensor) -> Tensor:
        """Run one epoch in this order of images; returns the mean loss ``(M,)``."""
        total = torch.zeros_like(self._task.scores[:, 0])
        for batch in order.split(self._options.batch):
            loss = self._loss(self._task.learned[batch])
            self._optimizer.zero_grad()
            loss.sum().backward()
            self._optimizer.step()
            total += loss.detach() * len(batch) / len(order)
        self._schedule.step()
        return total

    @torch.no_grad()
    def test(self) -> tuple[Tensor, Tensor]:
        """Mean \\|y^ - y\\| on the held-out images, and the criterion to stop by, ``(M,)`` each."""
        task, learned = self._task, self._task.learned
        if not self.faithful:
            self.coders.solve(
                task.features[learned], task.scores[:, learned], self._weights[:, learned]
            )
        approximations = self.coders.weigh(self.coders.encode(task.features[task.held_out]))
        error = (approximations - task.scores[:, task.held_out]).abs().mean(1)
        return error, error if self.faithful else self._loss(task.held_out)

    def _loss(self, images: Tensor) -> Tensor:
        """Loss ``(M,)`` of B images."""
        features = self._task.features[images]
        weights = self._weights[:, images]
        coded = self.coders.encode(features)
        loss = torch.zeros_like(weights[:, 0])
        if self.faithful:
            scores = self._task.scores[:, images]
            loss = loss + faithfulness_loss(self.coders.weigh(coded), scores, weights)
        if self.reconstructs:
            rebuilt = self.coders.decode(coded)
            beta = self._options.beta if self.faithful else 1.0
            loss = loss + beta * reconstruction_loss(rebuilt, features, weights, self._penalty)
        return loss


class _Autoencoders:
    """Encoders, decoders and v of M classes, each a stack of M tensors.

    Weights are ``(M, in, out)``, as their gradients come, which are not copied then; those of the
    first layer ``(M, out, in)``, which is one matrix for all.
    """

    def __init__(self, widths: list[int], seeds: Sequence[Seed], like: Tensor) -> None:
        inward = [*zip(widths[1:], widths, strict=False)]
        sizes = inward + [(inside, outside) for outside, inside in reversed(inward)]
        drawn = [_drawn(sizes, seed) for seed in seeds]
        first, *others = (torch.stack(layer).to(like) for layer in zip(*drawn, strict=True))
        weights = [first, *(layer.mT.contiguous() for layer in others)]
        biases = [like.new_zeros(len(seeds), 1, out) for out, _ in sizes]
        self.encoder, self.decoder = (
            list(zip(weights[part], biases[part], strict=True))
            for part in (slice(len(inward)), slice(len(inward), None))
        )
        self.encoder[-1][1].fill_(1.0)  # so that at first every x-feature is active
        signs = like.new_tensor([0.3, -0.3]).repeat(widths[-1])[: widths[-1]]
        self.weights = signs.repeat(len(seeds), 1)

    def parameters(self, faithful: bool, reconstructs: bool) -> tuple[list[Tensor], list[Tensor]]:
        """Trainable weights, and biases."""
        layers = self.encoder + self.decoder * reconstructs
        weights = [weight for weight, _ in layers] + [self.weights] * faithful
        biases = [bias for _, bias in layers]
        for value in weights + biases:
            value.requires_grad_()
        return weights, biases

    def weights_of(self, place: int) -> list[Tensor]:
        """Copies of the weights ``(out, in)`` and biases ``(out,)`` of one class, and of v."""
        (first, bias), *others = self.encoder + self.decoder
        layers = [(first, bias), *((weight.mT, bias) for weight, bias in others)]
        values = [value for weight, bias in layers for value in (weight[place], bias[place, 0])]
        kept = (*values, self.weights[place])
        return [value.detach().clone(memory_format=torch.contiguous_format) for value in kept]

    def encode(self, features: Tensor) -> Tensor:
        """X-features ``(M, B, n)`` of features ``(B, S)``."""
        (first, bias), *others = self.encoder
        flat = features @ first.flatten(0, 1).T  # one product for all classes
        coded = flat.view(len(features), *first.shape[:2]).transpose(0, 1) + bias
        for weight, bias in others:
            coded = torch.baddbmm(bias, coded.relu(), weight)
        return coded.relu()

    def decode(self, coded: Tensor) -> Tensor:
        """Reconstructed features ``(M, B, S)`` from x-features ``(M, B, n)``."""
        *others, (last, bias) = self.decoder
        for weight, hidden in others:
            coded = torch.baddbmm(hidden, coded, weight).relu()
        return torch.baddbmm(bias, coded, last)

    def weigh(self, coded: Tensor) -> Tensor:
        """Approximated scores v^T E ``(M, B)`` from x-features ``(M, B, n)``."""
        return (coded @ self.weights[..., None])[..., 0]

    def solve(self, features: Tensor, scores: Tensor, weights: Tensor) -> None:
        """Set v by weighted least squares."""
        coded = self.encode(features)
        weighted = (coded * weights[..., None]).mT
        products, scored = weighted @ coded, weighted @ scores[..., None]
        self.weights = (torch.linalg.pinv(products, hermitian=True) @ scored)[..., 0]


def _drawn(sizes: list[tuple[int, int]], seed: Seed) -> list[Tensor]:
    """Random weights that preserve the variance through rectified layers (He et al. 2015)."""
    random = np.random.default_rng(seed)
    return [torch.from_numpy(random.uniform(-1, 1, size) * sqrt(6 / size[1])) for size in sizes]


def _coded(
    kept: list[list[Tensor]], scale: Tensor, spread: Tensor, reconstructs: bool
) -> list[Coded]:
    """Parts of the module of each class, on the scale of Z and y."""
    modules = []
    for (*values, weights), deviation in zip(kept, spread, strict=True):
        values = [value.clone() for value in values]
        layers = [*zip(values[::2], values[1::2], strict=True)]
        depth = len(layers) // 2
        (first, _), (last, rest) = layers[0], layers[-1]
        first /= scale
        last *= scale
        rest *= scale
        modules.append(
            Coded(
                encoder=layers[:depth],
                decoder=layers[depth:] if reconstructs else [],
                weights=weights * deviation,
            )
        )
    return modules
