"""Imports at first use, and the former names of modules, classes, arguments and attributes."""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pkgutil import resolve_name
from types import ModuleType
from typing import Any, TypeVar

import lazy_loader

from .errors import warn

MODULES: Mapping[str, str] = {
    "evaluate.cases": "reproduce.qi2018.cases",
    "evaluate.faithfulness": "evaluate._faithfulness",
    "evaluate.figure": "reproduce.figure",
    "evaluate.heat_maps": "reproduce.qi2018._heat_maps",
    "evaluate.jaccard": "evaluate._jaccard",
    "evaluate.lengerich2017": "reproduce.lengerich2017",
    "evaluate.localisation": "evaluate._localisation",
    "evaluate.locality": "evaluate._locality",
    "evaluate.masked_classification": "evaluate._masked_classification",
    "evaluate.orthogonality": "evaluate._orthogonality",
    "evaluate.outline": "evaluate._outline",
    "evaluate.part_deletion": "evaluate._part_deletion",
    "evaluate.part_pictures": "reproduce.qi2018.part_pictures",
    "evaluate.patch_accuracy": "evaluate._patch_accuracy",
    "evaluate.qi2018": "reproduce.qi2018",
    "evaluate.qi2018_findings": "reproduce.qi2018",
    "evaluate.shifted": "reproduce.qi2018.shift",
    "evaluate.sharpness": "evaluate._sharpness",
    "evaluate.top_pixels": "evaluate._top_pixels",
    "evaluate.two_classes": "reproduce.lengerich2017.two_classes",
    "evaluate.zintgraf2016": "reproduce.zintgraf2016",
    "evaluate.zintgraf2016_claims": "reproduce.zintgraf2016.claims",
    "evaluate.zintgraf2016_findings": "reproduce.zintgraf2016",
    "evidence": "results.evidence",
    "explain.excitation_backprop": "explain._excitation_backprop",
    "explain.explanation_fit": "explain.explanation_module.fit",
    "explain.explanation_loss": "explain.explanation_module.loss",
    "explain.explanation_training": "explain.explanation_module.training",
    "explain.features": "explain.explanation_module.features",
    "explain.occlusion": "explain._occlusion",
    "explain.parameter": "explain._parameter",
    "explain.prediction_difference": "explain._prediction_difference",
    "explain.region": "explain.removal.region",
    "explain.saliency": "explain._saliency",
    "explain.samplers": "explain.removal.samplers",
    "explain.tally": "explain.running_moments",
    "explain.unit_relevance": "explain._unit_relevance",
    "explain.window_removal": "explain.removal.window_removal",
    "explain.windows": "explain.removal.windows",
    "explain.x_features": "explain._x_features",
    "export": "widgets.page",
    "images.cub": "images._cub",
    "images.inria": "images._inria",
    "images.photo": "images._photo",
    "networks.change": "networks.intervention",
    "networks.network": "networks._network",
    "networks.readers": "networks.outgoing_weights",
    "networks.trace": "networks.propagation",
    "networks.watch": "networks.forward_trace",
    "render": "results.render",
    "results.difference": "results._difference",
    "widgets.companions": "live.companions",
    "widgets.concepts": "live.x_feature_fit",
    "widgets.difference": "live.difference",
    "widgets.following": "live.following",
    "widgets.live_result": "live.live_result",
    "widgets.neurons": "live.neurons",
    "widgets.regions": "live.regions",
    "widgets.study": "live.study",
    "widgets.worker": "live.worker",
}
"""By former name of a module, its name now, within the package."""

NAMES: Mapping[str, str] = {
    "evaluate.Figure": "reproduce.Figure",
    "evaluate.HeatMaps": "reproduce.qi2018.HeatMaps",
    "evaluate.heat_maps": "reproduce.qi2018.heat_maps",
    "evaluate.heat_maps_of_score": "reproduce.qi2018.heat_maps_of_score",
    "networks.Watch": "networks.forward_trace.ForwardTrace",
    "reproduce.qi2018.spread_table": "reproduce.spread_table",
    "widgets.Concepts": "live.XFeatureFit",
    "widgets.Difference": "live.Difference",
    "widgets.Inquiry": "live.LiveResult",
    "widgets.LiveResult": "live.LiveResult",
    "widgets.Neurons": "live.Neurons",
    "widgets.Progress": "live.Progress",
    "widgets.Question": "live.Question",
    "widgets.Regions": "live.Regions",
    "widgets.Study": "live.Study",
}
"""By former name of a class or function, its name now, within the package."""

MEMBERS: Mapping[str, str] = {
    "explain.samplers.own_sampler": "explain.removal.samplers.default_sampler",
    "explain.tally.Tally": "explain.running_moments.RunningMoments",
    "networks.change.Change": "networks.intervention.Intervention",
    "networks.trace.Trace": "networks.propagation.Propagation",
    "networks.watch.Rule": "networks.forward_trace.BackwardRule",
    "widgets.concepts.Search": "live.x_feature_fit.MatchQuestion",
    "widgets.neurons.Look": "live.neurons.PatchQuestion",
    "widgets.regions.Removal": "live.regions.RemovalQuestion",
}
"""The same for what has another name in a module that has another name too."""

F = TypeVar("F", bound=Callable[..., Any])

FORMER: Mapping[str, str] = {**MODULES, **MEMBERS, **NAMES}
"""By any former name, the name now; a function's is meant where a module had the same."""

_ROOT = f"{__package__}."


def attach(
    package: str, file: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]], Sequence[str]]:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a package, from its ``__init__.pyi``.

    Names and modules are imported at first use. Former names still work, with a warning.
    """
    load, listed, public = lazy_loader.attach_stub(package, file)

    def named(name: str) -> Any:
        if name in public:
            return load(name)
        before = f"{package}.{name}"
        if before.removeprefix(_ROOT) not in FORMER and find_spec(before) is not None:
            return import_module(before)
        return renamed(package, name)

    return named, listed, public


def renamed(module: str, name: str) -> Any:
    """Object with this former name in a module, with a warning that tells its name now.

    Raises:
        AttributeError: for no former name.
    """
    before = f"{module}.{name}"
    now = FORMER.get(before.removeprefix(_ROOT))
    if now is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    return resolve_name(_told(before, now))


def _told(before: str, now: str) -> str:
    """Full name now, after a warning."""
    warn(f"{before} is called {_ROOT}{now} now", DeprecationWarning)
    return _ROOT + now


class _Former(ModuleType):
    """Module by its former name.

    An import makes it an attribute of its package, in place of a function of the same name: calling
    the module calls that function.
    """

    now: ModuleType

    def __getattr__(self, name: str) -> Any:
        if hasattr(self.now, name):
            return getattr(self.now, name)
        inside = f"{self.__name__}.{name}".removeprefix(_ROOT) in MEMBERS
        return renamed(self.__name__ if inside else self.__name__.rpartition(".")[0], name)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return getattr(self.now, self.__name__.rpartition(".")[2])(*arguments, **options)


class _Finder(MetaPathFinder, Loader):
    """Finder of modules by their former names, for ``sys.meta_path``."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        now = MODULES.get(name.removeprefix(_ROOT)) if name.startswith(_ROOT) else None
        return None if now is None else ModuleSpec(name, self, origin=now)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        former = _Former(spec.name)
        former.now = import_module(_told(spec.name, str(spec.origin)))
        return former

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module by its name now is imported already."""


sys.meta_path.append(_Finder())


class FormerName:
    """Descriptor of an attribute's former name, for the body of a class; reading it warns.

    Example:
        >>> import warnings
        >>> class Disk:
        ...     radius = 2.0
        ...     r = FormerName("radius")
        >>> with warnings.catch_warnings(action="ignore"):
        ...     Disk().r
        2.0
    """

    def __init__(self, now: str) -> None:
        self._now = now

    def __set_name__(self, owner: type, name: str) -> None:
        self._former = name

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        if instance is None:
            return self
        kind = type(instance).__name__
        warn(f"{kind}.{self._former} is called {kind}.{self._now} now", DeprecationWarning)
        return getattr(instance, self._now)


def formerly(**names: str) -> Callable[[F], F]:
    """Decorator of a function, or a dataclass, for former names of its arguments.

    Former names still work as keywords, and as attributes of a dataclass, with a warning. Where
    another argument has a former name now, a keyword of that name has its former meaning if the
    argument that it named is missing otherwise.

    Args:
        names: by former name, the name now.

    Example:
        >>> import warnings
        >>> @formerly(r="radius")
        ... def area(radius):
        ...     return 3.14 * radius**2
        >>> with warnings.catch_warnings(action="ignore"):
        ...     area(r=1.0)
        3.14
    """

    def decorate(owner: Any) -> Any:
        of_class = isinstance(owner, type)
        called = owner.__init__ if of_class else owner
        arguments = list(inspect.signature(called).parameters)

        @wraps(called)
        def call(*values: Any, **options: Any) -> Any:
            taken = {*arguments[: len(values)], *options}
            former = {
                name: now
                for name, now in names.items()
                if name not in arguments or now not in taken
            }
            for name in former.keys() & options.keys() if not of_class else ():
                if former[name] in taken - former.keys():
                    raise TypeError(
                        f"{owner.__name__} has {name} and {former[name]}, which are one argument; "
                        f"give {former[name]} alone"
                    )
            return called(*values, **current_names(owner.__name__, former, options))

        if not of_class:
            return call
        owner.__init__, owner.former_names = call, names
        for former, now in names.items():
            attribute = FormerName(now)
            attribute.__set_name__(owner, former)
            setattr(owner, former, attribute)
        return owner

    return decorate


def current_names(
    owner: str, names: Mapping[str, str], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Keyword arguments of ``owner`` by their names now, with a warning for each former one.

    Args:
        names: by former name, the name now.
        options: values by either name; that of the former one counts where an argument has both,
            as :func:`dataclasses.replace` passes a value for every field.
    """
    for former in names.keys() & options.keys():
        sentence = f"the argument {former} of {owner} is called {names[former]} now"
        warn(sentence, DeprecationWarning)
    kept = {name: value for name, value in options.items() if name not in names}
    return kept | {names[name]: value for name, value in options.items() if name in names}
