"""Methods as values: a method explains one target of one image in one network.

A method is a frozen dataclass of its parameters, each defined once by :func:`parameter`: default,
range, one line that explains it, and whether it has a control. Checks, documentation, controls and
the parameters that a result lists come from there. A new method is a subclass with one function,
:meth:`Method.explain`; it can then be run, run for several targets, run live in a study, compared
and exported as any other. A method that computes in steps defines :meth:`Method.begin` instead.
"""

from __future__ import annotations

import inspect
import time
from abc import ABC
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import Field, replace
from math import inf
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from xwidgets.aliases import current_names
from xwidgets.errors import number, shown, unknown
from xwidgets.networks import Network
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Resolved, Target
from xwidgets.results import Relevance
from xwidgets.results.result import Result

from ._parameter import Control, Parameter, documented
from .run import Run, SteadyRun

R = TypeVar("R")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Method(ABC, Generic[R]):
    """Explanation method: a frozen dataclass whose fields are its parameters.

    Attributes:
        name: of the method in results.
        asks: what is measured, in a sentence.
        cost: what it takes to compute, in a sentence; "" where nothing is said.
        unit: of the values of its results for a class.
        signed: whether the values for a class can be negative, evidence against it.
        parameters: facts about each parameter, by name.
        former_names: current names of parameters, by their former ones.
    """

    parameters: ClassVar[Mapping[str, Parameter]] = {}
    former_names: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.parameters = {
            **cls.parameters,
            **{
                name: item.metadata["parameter"]
                for name, item in cls.__dict__.items()
                if isinstance(item, Field) and "parameter" in item.metadata
            },
        }
        for name in cls.parameters:
            if hasattr(Method, name):
                raise TypeError(
                    f"{cls.__name__}.{name} hides what every method has by that name; call the "
                    "parameter otherwise"
                )
        for name, kind in inspect.get_annotations(cls).items():
            if name not in cls.parameters and "ClassVar" not in str(kind):
                raise TypeError(
                    f"{cls.__name__}.{name} is no parameter; define it with "
                    f'{name}: ... = parameter(default, "what it is")'
                )
        cls.__doc__ = documented(cls.__doc__, cls.parameters)
        # what dataclasses would define fails for parameters that are arrays
        cls.__eq__, cls.__hash__ = Method.__eq__, Method.__hash__  # type: ignore[method-assign]

    def __post_init__(self) -> None:
        for name in self.parameters:
            object.__setattr__(self, name, _own(getattr(self, name)))

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return False
        pairs = zip(self._compared(), cast(Self, other)._compared(), strict=True)
        return all(_same(ours, theirs) for ours, theirs in pairs)

    def __hash__(self) -> int:
        return hash((type(self), *map(_hash, self._compared())))

    @property
    def name(self) -> str:
        """Name of the method in results."""
        raise NotImplementedError(f"{type(self).__name__} has no name; define name and unit in it")

    @property
    def asks(self) -> str:
        """What is measured, in a sentence; the first of the docstring by default."""
        first, *_ = (type(self).__doc__ or "").split("\n\n")
        return " ".join(first.split())

    @property
    def cost(self) -> str:
        """What it takes to compute, in a sentence."""
        return ""

    @property
    def unit(self) -> str:
        """Unit of the values of its results for a class."""
        raise NotImplementedError(f"{type(self).__name__} has no unit; define name and unit in it")

    @property
    def signed(self) -> bool:
        """Whether the values for a class can be negative, evidence against it."""
        return True

    @property
    def qualities(self) -> Mapping[str, Mapping[str, Any]]:
        """Parameters of a "quick", a "normal" and a "fine" result, where one can be had sooner."""
        return {}

    def explain(self, subject: Subject, target: Resolved) -> R:
        """Compute the result for one target; defined by methods that compute in one go."""
        raise NotImplementedError(
            f"{type(self).__name__} explains nothing; define explain(self, subject, target) in it"
        )

    def begin(self, subject: Subject, targets: Sequence[Resolved]) -> Run[R]:
        """Prepare to explain several targets; defined by methods that compute in steps."""
        return _OneByOne(self, subject, targets)

    def check(self, subject: Subject, targets: Sequence[Resolved]) -> None:
        """Check that the parameters fit together, and to these targets.

        Raises:
            ValueError: where they do not.
        """

    def resolved(self, subject: Subject) -> Self:
        """Copy whose parameters are resolved on a subject, such as numbers of layers to names.

        Raises:
            ValueError: for a value that is not possible there.
        """
        meant = {
            name: known.resolve(getattr(self, name), subject)
            for name, known in self.parameters.items()
            if known.resolve is not None
        }
        return self.changed(**meant)

    def suited(self, subject: Subject) -> Self:
        """Copy whose windows are not larger than the picture allows."""
        return self

    def validate(self, net: Network, image: object, target: Target = None) -> None:
        """Check that the method can explain a target of an image, without computing it.

        Raises:
            ValueError: where it cannot.
        """
        subject = Subject(net, image)
        self.admit(subject, subject.target(target))

    def admit(self, subject: Subject, target: Resolved) -> None:
        """Check that the method can explain a target of a subject.

        Raises:
            ValueError: where it cannot.
        """
        self._ready(subject, [target])
        for name, known in self.parameters.items():
            value, (least, most) = getattr(self, name), self._limits(known, subject)
            if isinstance(value, int | float) and not least <= value <= most:
                raise ValueError(
                    f"{name} {value} is not possible here: {least:g} to {most:g} {known.unit} are"
                )

    def run(
        self, net: Network, image: object, target: Target = None, seconds: float | None = None
    ) -> R:
        """Explain a target.

        Args:
            net: the classifier.
            image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1]; or a picture, as
                :class:`xwidgets.Network` says.
            target: class index or name, ``None`` for the class with the highest score; or an
                :class:`xwidgets.Channel` or :class:`xwidgets.Unit` of a layer.
            seconds: time limit, after which the result so far is returned, at the end of a step;
                ``None`` for the complete result.

        Raises:
            ValueError: for invalid arguments or parameters.
        """
        [result] = self.run_each(net, image, [target], seconds)
        return result

    def run_each(
        self,
        net: Network,
        image: object,
        targets: Sequence[Target],
        seconds: float | None = None,
    ) -> list[R]:
        """Explain several targets at once; arguments as of :meth:`run`."""
        begun = time.monotonic()
        _limit(seconds)
        run = self.on(Subject(net, image), targets)
        for _ in run.steps():
            over = seconds is not None and time.monotonic() - begun >= seconds
            if over and len(run.results()) == len(targets):
                break
        return list(run.results())

    def complete(self, subject: Subject, targets: Sequence[Target]) -> list[R]:
        """Compute the complete results for targets of a subject."""
        run = self.on(subject, targets)
        deque(run.steps(), maxlen=0)
        return list(run.results())

    def steps(
        self, net: Network, image: object, target: Target = None, seconds: float | None = None
    ) -> Iterator[R]:
        """Yield the result of :meth:`run` as it grows; arguments are checked at once.

        Closing the generator cancels; nothing is computed between steps.
        """
        begun = time.monotonic()
        _limit(seconds)
        run = self.on(Subject(net, image), [target])

        def results() -> Iterator[R]:
            for _ in run.steps():
                yield run.results()[0]
                if seconds is not None and time.monotonic() - begun >= seconds:
                    break

        return results()

    def on(
        self, subject: Subject, targets: Sequence[Target], follows: bool = False
    ) -> SteadyRun[R]:
        """Start a run for targets of a subject, which starts again when the weights change.

        Args:
            subject: an image in a network.
            targets: of its explanation.
            follows: whether it starts again at every change, and not only at the first.

        Raises:
            ValueError: for invalid targets or parameters.
        """
        resolved = [subject.target(target) for target in several(targets)]
        ready = self._ready(subject, resolved)
        return SteadyRun(lambda subject: ready.begin(subject, resolved), subject, follows)

    def controls(self, subject: Subject) -> list[Control]:
        """Controls of the parameters that have one, with their ranges on this subject."""
        return [
            self._control(name, known, subject)
            for name, known in self.parameters.items()
            if known.label
        ]

    def changed(self, **parameters: Any) -> Self:
        """Copy with other values of some parameters.

        Raises:
            ValueError: for a parameter that it does not have.
        """
        changes = current_names(type(self).__name__, self.former_names, parameters)
        for name in changes:
            if name not in self.parameters:
                raise unknown("parameter", name, self.parameters, f"(of {self.name})")
        return replace(self, **changes)  # type: ignore[type-var]

    def like(self, other: Method[Any], but: str) -> Method[Any]:
        """Copy of another method with this one's value of a parameter, where both have it."""
        both = but in self.parameters and but in other.parameters
        return other.changed(**{but: getattr(self, but)}) if both else other

    def told(self) -> dict[str, Any]:
        """Parameters that results list, in values that JSON can hold."""
        return {
            name: _plain(getattr(self, name))
            for name, known in self.parameters.items()
            if known.told
        }

    def check_parameters(self) -> None:
        """Check the parameters as far as they do not depend on a subject.

        Raises:
            ValueError: for an invalid value.
        """
        made = getattr(type(self), "__dataclass_params__", None)
        if made is None or not made.frozen:
            kind = type(self).__name__
            raise ValueError(f"{kind} is no value; write @dataclass(frozen=True) above it")
        for name, known in self.parameters.items():
            value = getattr(self, name)
            known.check(name, value)

    def _compared(self) -> list[Any]:
        return [getattr(self, name) for name, known in self.parameters.items() if known.compared]

    def _ready(self, subject: Subject, targets: Sequence[Resolved]) -> Self:
        """Copy that is checked for, and resolved on, targets of a subject."""
        self.check_parameters()
        method = self.resolved(subject)
        method.check(subject, targets)
        return method

    def _control(self, name: str, known: Parameter, subject: Subject) -> Control:
        value = getattr(self, name)
        about = name, known.label, known.line
        if known.choices is not None:
            meant = known.resolve(value, subject) if known.resolve else value
            choices = tuple(self._on(known.choices, subject))
            return Control(*about, "choice", meant, choices=choices)
        if isinstance(value, bool):
            return Control(*about, "switch", value)
        least, most = known.span or self._limits(known, subject)
        if known.span and isinstance(value, int | float):
            least, most = min(least, value), max(most, value)
        sides = tuple(self._on(known.sides, subject) or ())
        return Control(*about, "range", value, least, most, known.step, known.unit, sides=sides)

    def _limits(self, known: Parameter, subject: Subject) -> tuple[float, float]:
        least, most = self._on(known.least, subject), self._on(known.most, subject)
        return -inf if least is None else least, inf if most is None else most

    def _on(self, limit: Any, subject: Subject) -> Any:
        return limit(self, subject) if callable(limit) else limit


class MapMethod(Method[Relevance]):
    """Method whose result is a map over the pixels.

    Example:
        >>> from dataclasses import dataclass
        >>> import xwidgets as xw
        >>> from xwidgets.explain import MapMethod, parameter
        >>> @dataclass(frozen=True)
        ... class Brightness(MapMethod):
        ...     '''How bright the picture is, whatever the network says of it.'''
        ...     name, unit, signed = "brightness", "share of white", False
        ...     gain: float = parameter(1.0, "what it is multiplied with", least=0, most=2)
        ...
        ...     def explain(self, subject, target):
        ...         return self.relevance(subject, target, self.gain * subject.pixels.mean(0))
        >>> Brightness(gain=2.0).run(xw.network("birds"), xw.scenes.bird(seed=3).image, 5)
        <Relevance 64 x 64: brightness for ... (birds), in share of white>

    Attributes:
        pictures_at_once: number of pictures that :meth:`explain_pictures` is given at most.
    """

    pictures_at_once: ClassVar[int] = 8

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = vars(cls)
        if {"explain", "begin"} & own.keys() and "explain_pictures" not in own:
            cls.explain_pictures = MapMethod.explain_pictures  # type: ignore[method-assign]

    def explain_pictures(
        self, net: Network, images: Tensor, targets: Sequence[Sequence[Resolved]]
    ) -> Tensor:
        """Compute the maps of several pictures; defined by methods that need one pass for all.

        Its parameters are resolved, as by :meth:`resolved`. By default, one picture follows
        another.

        Args:
            net: the classifier.
            images: ``(N, C, H, W)`` in [0, 1], of the network's size.
            targets: for each of the first n images, T targets, of which those in one place are of
                one kind and layer. Further images fill up the batch, with whose size the numbers of
                one pass for all change in the last digits.

        Returns:
            ``(n, T, H, W)``.
        """
        maps = [
            [torch.from_numpy(result.values) for result in self.complete(Subject(net, image), row)]
            for image, row in zip(images, targets, strict=False)
        ]
        return torch.stack([torch.stack(row) for row in maps])

    def relevance(
        self, subject: Subject, target: Resolved, values: Tensor, **facts: Any
    ) -> Relevance:
        """Result of this method from a map of values.

        Args:
            subject, target: what the map explains.
            values: ``(H, W)``, or ``(h, w)`` of a layer, resized to the picture's size.
            facts: further attributes of :class:`xwidgets.Relevance`.
        """
        size, values = subject.image.shape[1:], torch.as_tensor(values)
        if values.ndim != 2:
            raise ValueError(
                f"the values are {tuple(values.shape)}, but must be a map (H, W), or (h, w) of a "
                "layer; sum or choose channels first"
            )
        if values.shape != size:
            values = interpolate(values[None, None], size=size, mode="bilinear")[0, 0]
        net, told, facts_of_target = subject.net, self.told(), dict(target.facts)
        if told.keys() & facts_of_target.keys():
            facts_of_target = {"target": facts_of_target}
        defaults: dict[str, Any] = {
            "unit": self.unit.replace("logits", target.unit),
            "signed": self.signed or bool((values < 0).any()),
            "parameters": facts_of_target | told,
            "probability": subject.probability(target),
        }
        return Relevance(
            values=values.detach().float().cpu().numpy(),
            image=subject.picture,
            method=self.name,
            network_name=net.name,
            target=cast(int, target.index),
            label=target.label(net),
            **defaults | facts,
        )


class _OneByOne(Generic[R]):
    """Run that explains one target a step."""

    def __init__(self, method: Method[R], subject: Subject, targets: Sequence[Resolved]) -> None:
        self._method, self._subject, self._targets = method, subject, targets
        self._results: list[R] = []

    def steps(self) -> Iterator[None]:
        for target in self._targets:
            result = self._method.explain(self._subject, target)
            if not isinstance(result, Result):
                raise ValueError(
                    f"{type(self._method).__name__}.explain returns a {type(result).__name__}, but "
                    "must return a result, such as self.relevance(subject, target, values)"
                )
            self._results.append(result)
            yield

    def results(self) -> list[R]:
        return self._results


def several(targets: T) -> T:
    """Check that ``targets`` is a list of at least one target, and return it.

    Raises:
        ValueError: when it is not.
    """
    if not isinstance(targets, Sequence) or isinstance(targets, str) or not targets:
        raise ValueError(f"targets is {shown(targets)}, but must be a list of one target at least")
    return targets


def _limit(seconds: float | None) -> None:
    if seconds is not None:
        number("seconds", seconds, lambda time: time > 0, "above 0, or None for no limit")


def _same(left: Any, right: Any) -> bool:
    """Equality of two parameters; arrays are equal when they are the same object."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    return left is right or bool(_has_value(left) and _has_value(right) and left == right)


def _hash(value: Any) -> int:
    if isinstance(value, tuple):
        return hash(tuple(map(_hash, value)))
    return hash(value) if _has_value(value) else id(value)


def _has_value(value: Any) -> bool:
    """Whether a parameter is compared by value, rather than by identity."""
    return isinstance(value, Hashable) and not isinstance(value, Tensor)


def _own(value: Any) -> Any:
    """Parameter as a value: NumPy scalars as Python numbers, lists of plain values as tuples."""
    plain = isinstance(value, list) and all(isinstance(item, str | int | float) for item in value)
    if plain or isinstance(value, tuple):
        return tuple(_own(item) for item in value)
    return value.item() if isinstance(value, np.generic) else value


def _plain(value: Any) -> Any:
    """Parameter in a form that JSON can hold."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float) else repr(value)
