"""Names imported when they are first used, and names that were others before, in one table."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pkgutil import resolve_name
from types import ModuleType
from typing import Any

import lazy_loader

from .errors import warn

MODULES: Mapping[str, str] = {
    "evaluate.cases": "reproduce.cases",
    "evaluate.faithfulness": "evaluate._faithfulness",
    "evaluate.figure": "reproduce.figure",
    "evaluate.heat_maps": "reproduce._heat_maps",
    "evaluate.jaccard": "evaluate._jaccard",
    "evaluate.lengerich2017": "reproduce.lengerich2017",
    "evaluate.localisation": "evaluate._localisation",
    "evaluate.locality": "evaluate._locality",
    "evaluate.masked_classification": "evaluate._masked_classification",
    "evaluate.orthogonality": "evaluate._orthogonality",
    "evaluate.outline": "evaluate._outline",
    "evaluate.part_deletion": "evaluate._part_deletion",
    "evaluate.part_pictures": "reproduce.part_pictures",
    "evaluate.patch_accuracy": "evaluate._patch_accuracy",
    "evaluate.qi2018": "reproduce.qi2018",
    "evaluate.qi2018_findings": "reproduce.qi2018_findings",
    "evaluate.sharpness": "evaluate._sharpness",
    "evaluate.top_pixels": "evaluate._top_pixels",
    "evaluate.two_classes": "reproduce.two_classes",
    "evaluate.zintgraf2016": "reproduce.zintgraf2016",
    "evaluate.zintgraf2016_claims": "reproduce.zintgraf2016_claims",
    "evaluate.zintgraf2016_findings": "reproduce.zintgraf2016_findings",
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
    "explain.unit_relevance": "explain._unit_relevance",
    "explain.window_removal": "explain.removal.window_removal",
    "explain.windows": "explain.removal.windows",
    "explain.x_features": "explain._x_features",
    "export": "widgets.page",
    "images.cub": "images._cub",
    "images.inria": "images._inria",
    "images.photo": "images._photo",
    "networks.network": "networks._network",
    "render": "results.render",
    "results.difference": "results._difference",
    "widgets.concepts": "live.concepts",
    "widgets.difference": "live.difference",
    "widgets.live_result": "live.live_result",
    "widgets.neurons": "live.neurons",
    "widgets.regions": "live.regions",
    "widgets.study": "live.study",
    "widgets.worker": "live.worker",
}
"""By what a module was called before, what it is called now, within the package."""

NAMES: Mapping[str, str] = {
    "evaluate.Figure": "reproduce.Figure",
    "evaluate.HeatMaps": "reproduce.HeatMaps",
    "evaluate.heat_maps": "reproduce.heat_maps",
    "evaluate.heat_maps_of_score": "reproduce.heat_maps_of_score",
    "widgets.Concepts": "live.Concepts",
    "widgets.Difference": "live.Difference",
    "widgets.Inquiry": "live.LiveResult",
    "widgets.LiveResult": "live.LiveResult",
    "widgets.Neurons": "live.Neurons",
    "widgets.Progress": "live.Progress",
    "widgets.Question": "live.Question",
    "widgets.Regions": "live.Regions",
    "widgets.Study": "live.Study",
}
"""By what a class or function was called before, what it is called now, within the package."""

_ROOT = f"{__package__}."


def attach(
    package: str, file: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]], Sequence[str]]:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a package of names in its ``__init__.pyi``.

    They are imported when they are first used. Names of before still work, with a warning.
    """
    load, listed, public = lazy_loader.attach_stub(package, file)

    def named(name: str) -> Any:
        return load(name) if name in public else renamed(package, name)

    return named, listed, public


def renamed(module: str, name: str) -> Any:
    """What was called ``name`` before in a module, with a warning that tells its name now.

    Raises:
        AttributeError: when there was no such name.
    """
    before = f"{module}.{name}"
    now = NAMES.get(before.removeprefix(_ROOT)) or MODULES.get(before.removeprefix(_ROOT))
    if now is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    return resolve_name(_told(before, now))


def _told(before: str, now: str) -> str:
    """The whole of a new name, after the warning."""
    warn(f"{before} is called {_ROOT}{now} now", DeprecationWarning)
    return _ROOT + now


class _Former(ModuleType):
    """A module by its name of before.

    An import leaves it in its package, where a function of the same name may be looked for: calling
    it calls that function.
    """

    now: ModuleType

    def __getattr__(self, name: str) -> Any:
        return getattr(self.now, name)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return getattr(self.now, self.__name__.rpartition(".")[2])(*arguments, **options)


class _Finder(MetaPathFinder, Loader):
    """Finds modules by their names of before, for ``sys.meta_path``."""

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
        """Nothing is left to run."""


sys.meta_path.append(_Finder())
