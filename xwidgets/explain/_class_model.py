"""Class models: the picture that raises a score most, by gradient ascent on its pixels.

Of the score s_c before softmax, or any other activation a_j, and of the picture's deviation from
grey x = pixels - 0.5, the objective (Simonyan et al. 2014, equation 1; cs230)

    L(x) = s_c(x) - λ ‖x‖² - μ TV(x),    ‖x‖² = the sum over pixels and channels of x²

is raised step by step from a little noise. Where the network's normalisation subtracts .5 and
divides by .25, as that of the embedded ones, its input is 4 x, and the λ of the same objective of
the normalised picture would be λ / 16. Pixels are projected to [0, 1] behind each step and not in
L, as a bound inside it passes no gradient.

The gradient of a class grows more than tenfold on the way from grey, and that of a feature map is
a hundredth of it. So a step has the same length everywhere, x + step · ∇L / rms(∇L); the plain
rule x + step · ∇L is an option. With μ = 0, and no blur, jitter or Fourier basis, that is all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, nan
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.errors import WrongType, a_seed, number, shown
from xwidgets.images import picture
from xwidgets.networks import Network
from xwidgets.networks._network import Watched, a_network
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Channel, Class, Resolved, Target
from xwidgets.results import ClassModel

from ._parameter import front, parameter
from .method import Method

Rule = Literal["normalized", "plain"]

_FRAMES = 8
"""Number of parts into which the frames of a result cut its way."""

_PATIENCE = 10
"""Number of steps in a row below the first objective after which an ascent is given up."""

_STARTS = 8
"""Number of starts that are tried for a gradient, each with twice the noise of the one before."""


def _check_seeds(name: str, value: Any) -> None:
    if not isinstance(value, tuple) or not value:
        raise WrongType(f"{name} is {shown(value)}, but must be different seeds, such as (0, 1, 2)")
    for seed in value:
        a_seed(seed)
    if len(set(value)) < len(value):
        raise ValueError(f"{name} is {value!r}, but must be different seeds, such as (0, 1, 2)")


def _check_penalty(name: str, value: Any) -> None:
    if value is not None:
        number(name, value, lambda x: 0 <= x < inf, "of at least 0, or None")


@dataclass(frozen=True)
class ActivationMaximization(Method[ClassModel]):
    """Gradient ascent on the pixels (Erhan et al. 2009; Simonyan et al. 2014; cs230).

    Its result does not depend on the image of a study.

    Example:
        >>> import xwidgets as xw
        >>> method = ActivationMaximization(iterations=4, jitter=2)
        >>> method.run(xw.network("birds"), xw.scenes.bird(seed=3).image, xw.Channel(7, 9))
        <ClassModel: class model of 'features.14, channel 9' (birds), ... activation>
    """

    iterations: int = parameter(
        64, "number of steps", least=1, span=(8, 256), label="Steps", step=8
    )
    step: float = parameter(
        0.02,
        "length of a step as the root mean square change of the pixels; for the plain rule, what "
        "the gradient is multiplied with",
        above=0,
        span=(0.005, 0.1),
        label="Step",
        step=0.005,
    )
    penalty: float | None = parameter(
        None,
        "λ, weight of ‖x‖², the squared deviation from grey summed over pixels and channels. "
        "``None`` for one that suits the activation: twice the root mean square of its "
        "gradient at the noise of seed 0",
        check=_check_penalty,
        choices=(None, 0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3),
        label="λ",
    )
    seeds: Sequence[int] = parameter(
        (0,), "of the noise that the pictures start from, one picture each", check=_check_seeds
    )
    noise: float = parameter(0.05, "standard deviation of that noise, in pixel values", above=0)
    rule: Rule = parameter(
        "normalized",
        'steps of one length (``"normalized"``), or ``"plain"`` gradient ascent',
        choices=("normalized", "plain"),
    )
    total_variation: float = parameter(
        0.0,
        "μ, weight of the sum of squared differences of neighbouring pixels (Mahendran & Vedaldi "
        "2015, with β = 2)",
        least=0,
        span=(0, 0.5),
        label="Total variation",
        step=0.01,
    )
    blur: float = parameter(
        0.0,
        "standard deviation, in pixels, of a Gaussian that blurs the picture after every step "
        "(Yosinski et al. 2015, section 3)",
        least=0,
        span=(0, 2),
        label="Blur",
        unit="pixels",
        step=0.1,
    )
    jitter: int = parameter(
        0,
        "largest distance, in pixels, by which the picture is moved round before every step and "
        "back behind it, at random (Mordvintsev et al. 2015)",
        least=0,
        span=(0, 8),
        label="Jitter",
        unit="pixels",
    )
    fourier: bool = parameter(
        False,
        "whether the ascent is in a Fourier basis whose waves count in proportion to their length "
        "(Olah et al. 2017, preconditioning), which smooths the steps",
        label="Fourier basis",
    )

    name, unit = "class model", "logits"

    def check(self, subject: Subject, targets: Sequence[Resolved]) -> None:
        """Check that the picture is large enough for the blur and the jitter."""
        height, width = subject.net.size
        if self.jitter >= min(height, width) or 3 * self.blur >= min(height, width):
            raise ValueError(
                f"jitter {self.jitter} and blur {self.blur:g} are too large for pictures of "
                f"{height} x {width} pixels; take less"
            )

    def begin(self, subject: Subject, targets: Sequence[Resolved]) -> Ascents:
        """Prepare to climb."""
        return Ascents(self, subject.net, targets)


@front(ActivationMaximization)
def class_model(
    net: Network,
    target: Target,
    iterations: int = 64,
    step: float = 0.02,
    penalty: float | None = None,
    seeds: Sequence[int] = (0,),
    noise: float = 0.05,
    rule: Rule = "normalized",
    total_variation: float = 0.0,
    blur: float = 0.0,
    jitter: int = 0,
    fourier: bool = False,
) -> ClassModel:
    """Picture of what the network takes for a class, or what raises any other activation most.

    Args:
        net: the classifier.
        target: class index or name, whose score before softmax is raised; or an
            :class:`xwidgets.Channel` or :class:`xwidgets.Unit` of a layer.

    Returns:
        A picture for each seed, with the curves of score and norm and frames of the way there.
        Where the objective stays below that of the start for ten steps, as with too large a step,
        or the gradient becomes zero, a seed ends early with its last good picture, and
        ``result.note`` says so.

    Raises:
        ValueError: for an invalid target or argument, or an activation that nothing raises: its
            gradient is zero at every start, as that of a dead or saturated unit.

    Example:
        >>> import xwidgets as xw
        >>> model = class_model(xw.network("birds"), "Alder finch (cone beak)", iterations=24)
        >>> model.score > 10, model.probability.round() == 1
        (array([ True]), array([ True]))
    """
    method = ActivationMaximization(
        iterations, step, penalty, _several(seeds), noise, rule, total_variation, blur, jitter,
        fourier,
    )  # fmt: skip
    return method.run(net, grey(net), _named(target))


@front(ActivationMaximization)
def class_model_steps(
    net: Network,
    target: Target,
    iterations: int = 64,
    step: float = 0.02,
    penalty: float | None = None,
    seeds: Sequence[int] = (0,),
    noise: float = 0.05,
    rule: Rule = "normalized",
    total_variation: float = 0.0,
    blur: float = 0.0,
    jitter: int = 0,
    fourier: bool = False,
) -> Iterator[ClassModel]:
    """Yield the result of :func:`class_model` as it grows, after each step of all seeds.

    The arguments are checked at once. Closing the generator cancels; nothing is computed between
    steps.

    Args:
        net, target: as of :func:`class_model`.

    Yields:
        The pictures so far. The last are those of :func:`class_model`.

    Example:
        >>> import xwidgets as xw
        >>> steps = class_model_steps(xw.network("birds"), 3, iterations=8)
        >>> before, after = next(steps), next(steps)
        >>> before.scores.shape, after.scores.shape
        ((1, 1), (1, 2))
        >>> steps.close()
    """
    method = ActivationMaximization(
        iterations, step, penalty, _several(seeds), noise, rule, total_variation, blur, jitter,
        fourier,
    )  # fmt: skip
    return method.steps(net, grey(net), _named(target))


def _several(seeds: Sequence[int] | int) -> tuple[int, ...]:
    several = isinstance(seeds, Sequence) and not isinstance(seeds, str | bytes)
    return tuple(cast("Sequence[int]", seeds)) if several else (cast(int, seeds),)


def _named(target: Target) -> Target:
    """Target that needs no image to be known.

    Raises:
        ValueError: when it is the most active class or channel of an image.
    """
    if target is None or (isinstance(target, Channel) and target.index is None):
        raise ValueError(
            f"target is {target!r}, but a class model is of no image that could choose; name a "
            "class, or xw.Channel(layer, number)"
        )
    return target


def grey(net: Network) -> Tensor:
    """Grey picture ``(C, H, W)`` of the network's size."""
    return torch.full((a_network(net).channels or 3, *net.size), 0.5)


class Ascents:
    """Run that climbs to the class models of several targets."""

    def __init__(
        self, method: ActivationMaximization, net: Network, targets: Sequence[Resolved]
    ) -> None:
        self._method, self._net = method, net
        self._hills = [Hill(method, net, target) for target in targets]
        self._ascents = [[Ascent(hill, seed) for seed in method.seeds] for hill in self._hills]

    def steps(self) -> Iterator[None]:
        """Take one step of every ascent.

        Raises:
            ValueError: for an activation that nothing raises.
        """
        for _ in range(self._method.iterations + 1):
            for hill, ascents in zip(self._hills, self._ascents, strict=True):
                for ascent in ascents:
                    ascent.advance()
                if not any(ascent.climbs for ascent in ascents):
                    raise ValueError(
                        f"nothing raises {hill.label}: its gradient is zero at all {_STARTS} "
                        "starts, so it is dead or saturated; choose another, or more noise"
                    )
            yield
            if all(ascent.ended for ascents in self._ascents for ascent in ascents):
                break

    def results(self) -> list[ClassModel]:
        """Pictures so far, one result a target; empty before the first step."""
        if not self._ascents[0][0].scores:
            return []
        return [
            self._result(*of_target) for of_target in zip(self._hills, self._ascents, strict=True)
        ]

    def _result(self, hill: Hill, ascents: list[Ascent]) -> ClassModel:
        method = self._method
        newest = max(len(ascent.scores) for ascent in ascents) - 1
        done = 1.0 if all(ascent.ended for ascent in ascents) else newest / method.iterations
        steps = sorted({*hill.marks, newest} & {*range(newest + 1)})
        return ClassModel(
            pixels=np.stack([ascent.pixels for ascent in ascents]),
            kept=np.array([ascent.kept for ascent in ascents]),
            scores=_rows([ascent.scores for ascent in ascents]),
            norms=_rows([ascent.norms for ascent in ascents]),
            probabilities=_rows([ascent.probabilities for ascent in ascents]),
            frames=np.stack([
                np.stack([*(ascent.frame(step) for step in steps[:-1]), ascent.picture])
                for ascent in ascents
            ]),
            frame_steps=np.array(steps),
            seeds=tuple(method.seeds),
            notes=tuple(ascent.note for ascent in ascents),
            unit=hill.target.unit,
            network_name=self._net.name,
            target=cast(int, hill.target.index),
            label=hill.label,
            parameters=dict(hill.target.facts) | method.told() | {"penalty": hill.penalty},
            completed=done,
        )  # fmt: skip


class Hill:
    """What is climbed: the objective of an activation as a function of the deviation from grey.

    Attributes:
        method, net, target: as given.
        label: name of the activation.
        marks: numbers of steps behind which a frame is kept.
    """

    def __init__(self, method: ActivationMaximization, net: Network, target: Resolved) -> None:
        self.method, self.net, self.target = method, net, target
        self.label = target.label(net)
        marks = np.linspace(0, method.iterations, _FRAMES + 1).round().astype(int)
        self.marks = frozenset(marks.tolist())

    @cached_property
    def penalty(self) -> float:
        """λ; 0 where nothing is known of the gradient."""
        if self.method.penalty is not None:
            return float(self.method.penalty)
        start = self.start(torch.Generator().manual_seed(0))
        return 0.0 if start is None else 2 * float(self.look(start)[2].square().mean().sqrt())

    def start(self, random: torch.Generator) -> Tensor | None:
        """Noise ``(1, C, H, W)`` from which there is a way up; ``None`` when there is none."""
        shape = 1, self.net.channels or 3, *self.net.size
        for doubled in range(_STARTS):
            deviation = self.method.noise * float(2**doubled)
            noise = torch.randn(shape, generator=random) * deviation
            x = noise.clamp(-0.5, 0.5).to(self.net.device, self._dtype)
            if self.look(x)[2].any():
                return x
        return None

    def look(self, x: Tensor) -> tuple[float, float, Tensor]:
        """Activation at a deviation ``(1, C, H, W)``, probability of the class, and gradient."""
        watched = self.net.watched(x + 0.5, self.target.layers)
        score = self.target.score(watched)
        gradient = watched.gradient(score, watched.pixels).to(x)
        return float(score.detach()), self._probability(watched), gradient

    def regularity(self, x: Tensor) -> tuple[float, Tensor]:
        """λ ‖x‖² + μ TV(x), and its gradient ``(1, C, H, W)``."""
        with torch.inference_mode(False), torch.enable_grad():
            x = x.detach().requires_grad_()
            roughness = x.diff(dim=2).square().sum() + x.diff(dim=3).square().sum()
            value = self.penalty * x.square().sum() + self.method.total_variation * roughness
            (gradient,) = torch.autograd.grad(value, x)
        return float(value.detach()), gradient

    @property
    def _dtype(self) -> torch.dtype:
        return torch.promote_types(self.net.dtype, torch.float32)

    def _probability(self, watched: Watched) -> float:
        if not isinstance(self.target, Class):
            return nan
        return float(self.net.probabilities(watched.logits.detach())[0, self.target.index])


class Ascent:
    """Way up from the noise of one seed.

    Attributes:
        kept: number of steps behind the picture.
        scores, norms, probabilities: after each number of steps so far.
        note: why it ended early; "" otherwise.
        ended: whether it takes no more steps.
        climbs: whether there was a way up at the start.
    """

    def __init__(self, hill: Hill, seed: int) -> None:
        self._hill, self._method = hill, hill.method
        self._random = torch.Generator().manual_seed(seed)
        self._x = self._good = torch.empty(0)
        self._objectives: list[float] = []
        self._frames: dict[int, NDArray[np.uint8]] = {}
        self.scores: list[float] = []
        self.norms: list[float] = []
        self.probabilities: list[float] = []
        self.kept, self.note, self.ended, self.climbs = 0, "", False, True

    @property
    def pixels(self) -> NDArray[np.float32]:
        """The picture, float32 ``(C, H, W)``."""
        pixels: NDArray[np.float32] = (self._good[0] + 0.5).float().cpu().numpy()
        return pixels

    @property
    def picture(self) -> NDArray[np.uint8]:
        """The picture, 8-bit ``(H, W, 3)``."""
        return picture(self._good[0] + 0.5)

    def frame(self, step: int) -> NDArray[np.uint8]:
        """Picture after a marked number of steps; of an ascent that ended before, its last."""
        return self._frames.get(step, self.picture)

    def advance(self) -> None:
        """Look at the picture after the last step, and take the next."""
        if self.ended:
            return
        first = not self.scores
        if first:
            self._begin()
        offset = self._offset(len(self.scores))
        try:
            score, probability, gradient = self._hill.look(self._x.roll(offset, (2, 3)))
        except ValueError:
            if first:
                raise
            return self._end("what the network makes of it is no longer finite")
        burden, slope = self._hill.regularity(self._x)
        self.scores.append(score)
        self.norms.append(float(self._x.square().sum()))
        self.probabilities.append(probability)
        self._objectives.append(score - burden)
        step = len(self.scores) - 1
        if not gradient.any():
            return self._end("its gradient is zero, so that it is saturated or switched off")
        if score - burden >= self._objectives[0]:
            self._good, self.kept = self._x, step
        if step in self._hill.marks:
            self._frames[step] = picture(self._x[0] + 0.5)
        if step - self.kept >= _PATIENCE or (step == self._method.iterations > self.kept):
            return self._end("the objective is below that of the start")
        if step == self._method.iterations:
            self.ended = True
        else:
            self._step(gradient.roll([-rows for rows in offset], (2, 3)) - slope)

    def _begin(self) -> None:
        start = self._hill.start(self._random)
        self.climbs = start is not None
        if start is None:
            start = torch.zeros(1, self._hill.net.channels or 3, *self._hill.net.size)
        self._x = self._good = start

    def _offset(self, step: int) -> list[int]:
        """Rows and columns by which the picture is moved; 0 before the first and after the last."""
        reach = self._method.jitter
        if not reach or step in (0, self._method.iterations):
            return [0, 0]
        moved: list[int] = torch.randint(-reach, reach + 1, (2,), generator=self._random).tolist()
        return moved

    def _step(self, gradient: Tensor) -> None:
        if self._method.fourier:
            gradient = long_waves(gradient)
        if self._method.rule == "normalized":
            size = gradient.square().mean().sqrt()
            gradient = gradient / size if size > 0 else gradient
        x = self._x + self._method.step * gradient
        if self._method.blur:
            from torchvision.transforms.functional import gaussian_blur  # all of torchvision

            width = 2 * round(3 * self._method.blur) + 1
            x = gaussian_blur(x, [max(3, width)] * 2, [self._method.blur] * 2)
        self._x = x.clamp(-0.5, 0.5)

    def _end(self, why: str) -> None:
        self.ended = True
        self.note = (
            f"It ended after step {len(self.scores) - 1} because {why}; the picture is that of "
            f"step {self.kept}. A smaller step may lead higher."
            if self.climbs
            else f"Nothing raises it from any of {_STARTS} starts of this seed."
        )


def long_waves(gradient: Tensor) -> Tensor:
    """Gradient ``(1, C, H, W)`` as that in the Fourier basis moves the pixels.

    With pixels that are the sum over waves of amplitude / frequency, a step on the amplitudes moves
    the pixels along the gradient divided by the square of the frequency; the longest wave that
    fits, and the mean, keep theirs.
    """
    height, width = gradient.shape[2:]
    rows = torch.fft.fftfreq(height, dtype=torch.float64)[:, None]
    columns = torch.fft.rfftfreq(width, dtype=torch.float64)
    longest = 1 / max(height, width)
    weights = (longest / (rows.square() + columns.square()).sqrt().clamp(min=longest)).square()
    waves = torch.fft.rfft2(gradient) * weights.to(gradient)
    smoothed: Tensor = torch.fft.irfft2(waves, s=(height, width))
    return smoothed


def _rows(curves: list[list[float]]) -> NDArray[np.float64]:
    """Curves as one array, with NaN behind the ends of those that are shorter."""
    length = max(map(len, curves))
    return np.array([curve + [nan] * (length - len(curve)) for curve in curves])
