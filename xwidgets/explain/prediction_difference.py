"""Prediction difference analysis: how the prediction changes when a window is unknown.

Algorithm 1 of Zintgraf et al. (2016), with its two misprints mended (relevance is added up over
windows, and the sum over samples is divided by S). For every window w of k x k pixels

    p(c | x \\ w) = 1/S sum_s p(c | x with w replaced by a sample of p(w | rest))     (2, 6)
    WE_w         = log2 odds(c | x) - log2 odds(c | x \\ w)                           (4, 5)

where p <- (p N + 1) / (N + K) keeps the odds finite. The relevance of a pixel is the mean of WE_w
over the windows it lies in.

Windows are visited in sweeps: first some that cover the picture, then each one with its first
sample, then each with its second ... up to S. The randomness of a sample depends only on the seed,
the window's corner and the sample's number, so neither order, batches nor cancelling change it.
"""

from collections import deque
from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from xwidgets.errors import at_least
from xwidgets.images import picture
from xwidgets.incremental import WholeInference
from xwidgets.networks import Network
from xwidgets.networks.network import image_for
from xwidgets.results import Relevance

from .samplers import Sampler, own_sampler
from .windows import WindowGrid

Measure = Literal["evidence", "difference"]

UNITS: dict[Measure, str] = {"evidence": "bits", "difference": "logits"}


def prediction_difference(
    net: Network,
    image: object,
    target: int | str | None = None,
    window: int = 10,
    sampler: Sampler | None = None,
    samples: int = 20,
    stride: int = 1,
    seed: int = 0,
    measure: Measure = "evidence",
    training_size: int | None = None,
    memory: float = 48e6,
) -> Relevance:
    """Relevance of every pixel by prediction difference analysis (Zintgraf et al. 2016).

    Args:
        net: the classifier.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1].
        target: class index or name; ``None`` for the class with the highest score.
        window: k, the side of the windows that are removed, in pixels.
        sampler: fills the windows; ``None`` for the network's own conditional Gaussian.
        samples: S, how many contents each window is filled with.
        stride: distance of neighbouring windows, at most ``window``. The last window of a row or
            column always ends at the border, so that every pixel is covered.
        seed: of the random contents.
        measure: ``"evidence"`` is the difference of log2 odds, in bits; ``"difference"`` is that of
            the score before softmax (their equation 9).
        training_size: N of the Laplace correction, how many images the network was trained on;
            ``None`` for what the network says. K is the number of classes, 2 for a single sigmoid.
        memory: roughly how many bytes a batch of perturbed images may take in the network. Small
            batches stay in the processor's cache and make cancelling prompt.

    Returns:
        The map, positive where a pixel speaks for the class.

    Raises:
        ValueError: for an image, class, window or other argument that cannot be; in a sentence.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> xw.prediction_difference(xw.network("birds"), scene.image, samples=1, stride=5)
        <Relevance 64 x 64: prediction difference for ...>
    """
    steps = prediction_difference_steps(
        net, image, target, window, sampler, samples, stride, seed, measure, training_size, memory
    )
    return deque(steps, maxlen=1).pop()


def prediction_difference_steps(
    net: Network,
    image: object,
    target: int | str | None = None,
    window: int = 10,
    sampler: Sampler | None = None,
    samples: int = 20,
    stride: int = 1,
    seed: int = 0,
    measure: Measure = "evidence",
    training_size: int | None = None,
    memory: float = 48e6,
) -> Iterator[Relevance]:
    """The result of :func:`prediction_difference` as it grows, one step a batch.

    The arguments are those of :func:`prediction_difference`, checked at once. Closing the generator
    cancels; nothing is computed between steps.

    Yields:
        The map so far, NaN where no window was computed yet; ``completed`` tells how far it is. The
        last one is what :func:`prediction_difference` returns.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> steps = prediction_difference_steps(xw.network("birds"), scene.image)
        >>> next(steps).completed < 0.02
        True
        >>> steps.close()
    """
    x = image_for(net, image).to(net.device, net.dtype)
    height, width = x.shape[1:]
    for name, value in {"samples": samples, "stride": stride, "window": window}.items():
        at_least(name, value, 1)
    at_least("seed", seed, 0)
    training_size = net.training_size if training_size is None else training_size
    at_least("training_size", training_size, 1)
    window, samples, stride, seed, training_size = map(
        int, (window, samples, stride, seed, training_size)
    )
    if window > min(height, width):
        raise ValueError(
            f"window {window} is larger than the image of {height} x {width} pixels; "
            f"use a window of at most {min(height, width)}"
        )
    if stride > window:
        raise ValueError(
            f"stride {stride} is larger than window {window} and would leave pixels unseen; "
            f"use a stride of at most {window}"
        )
    if not isinstance(measure, str) or measure not in UNITS:
        raise ValueError(f"measure is {measure!r}, but must be one of {', '.join(UNITS)}")
    logits = _finite(net, net.logits(x[None]))
    classes = logits.shape[1]
    index = net.target_index(target, logits)
    sampler = sampler or own_sampler(net)
    if isinstance(sampler, type) or not isinstance(sampler, Sampler):
        raise ValueError(
            f"sampler is {sampler!r}, but must be one like xw.MarginalSampler(images) or "
            "xw.ConstantSampler(0.5)"
        )
    draw = sampler.given(x, window)
    grid = WindowGrid(height, width, window, stride)

    def score(logits: Tensor) -> Tensor:
        values = logits.cpu().double() if measure == "difference" else net.probabilities(logits)
        return values[:, index]

    def gauge(scores: Tensor) -> Tensor:
        return scores if measure == "difference" else log_odds(scores, training_size, classes)

    def result(values: Tensor, completed: float) -> Relevance:
        return Relevance(
            values=values.float().numpy(),
            image=picture(x),
            unit=UNITS[measure],
            method="prediction difference",
            network=net.name,
            target=index,
            label=net.class_name(index),
            parameters={
                "window": window,
                "sampler": repr(sampler),
                "samples": samples,
                "stride": stride,
                "seed": seed,
                "measure": measure,
                "training_size": training_size,
            },
            completed=completed,
        )

    def steps() -> Iterator[Relevance]:
        whole = gauge(score(logits))
        total = torch.zeros(len(grid), dtype=torch.float64)
        drawn = torch.zeros(len(grid), dtype=torch.float64)
        done = 0
        inference = WholeInference(net, x, window, memory)
        for sample, windows in grid.sweeps(samples, seed):
            for batch in windows.split(inference.batch):
                corners = grid.corners[batch]
                rngs = [_random(seed, top * width + left, sample) for top, left in corners.tolist()]
                changed = inference.logits(corners, draw(corners, rngs))
                total[batch] += score(_finite(net, changed))
                drawn[batch] += 1
                done += len(batch)
                completed = done / (samples * len(grid))
                yield result(grid.spread(whole - gauge(total / drawn)), completed)

    return steps()


def log_odds(probability: Tensor, training_size: int, classes: int) -> Tensor:
    """log2 odds of probabilities after the Laplace correction p <- (p N + 1) / (N + K).

    Args:
        probability: any shape, in [0, 1].
        training_size: N.
        classes: K; 1, a single sigmoid, counts as 2.

    Example:
        >>> log_odds(torch.tensor([0.5]), 100, 2)
        tensor([0.])
    """
    corrected = (probability * training_size + 1) / (training_size + max(classes, 2))
    return torch.log2(corrected / (1 - corrected))


def _random(seed: int, corner: int, sample: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, sample, corner]))


def _finite(net: Network, logits: Tensor) -> Tensor:
    if not logits.isfinite().all():
        raise ValueError(
            f"{net.name} returned NaN or infinite scores; check its weights and the normalisation"
        )
    return logits
