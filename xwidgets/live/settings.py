"""Settings of a study: plain data for a file, and Python that makes the study again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch

from xwidgets import explain
from xwidgets.errors import of_kind, one_line, unknown
from xwidgets.explain import Method
from xwidgets.images import coded, decoded
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Channel, Class, Unit

from .kind import check_study
from .neurons import Neurons
from .regions import Regions
from .study import Study

VALUES: tuple[type, ...] = (Class, Channel, Unit, explain.ConstantSampler)
"""Kinds of values beside methods that settings can hold."""


def settings_of(study: Study) -> dict[str, Any]:
    """Image, target, method, region and selected neurons of a study, as JSON can hold them.

    Raises:
        ValueError: for what no file can hold, such as a sampler that was fitted, or layers of one's
            own that a target reads.

    Example:
        >>> import xwidgets as xw
        >>> with xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image, samples=1) as study:
        ...     settings = settings_of(study)
        ...     study.window = 7
        ...     restore(study, settings)
        ...     study.window, settings["method"]
        (10, {'kind': 'PredictionDifference', 'parameters': {'samples': 1}})
    """
    check_study(study)
    neurons = study.made(Neurons)
    return {
        "network": study.network.name,
        "image": coded(study.image),
        "target": _plain(study.subject.target(study.target)),
        "method": _plain(study.method),
        "region": _region_of(study),
        "neurons": [] if neurons is None else [list(neuron) for neuron in neurons.selected],
    }


def restore(study: Study, settings: Mapping[str, Any]) -> None:
    """Ask a study what :func:`settings_of` told of it or another; nothing changes on an error.

    Raises:
        ValueError: for settings that are none, or of another network than the study's.
    """
    check_study(study)
    of_kind("settings", settings, Mapping, "what xw.live.settings_of(study) returns")
    name = study.network.name
    if settings.get("network", name) != name:
        raise ValueError(
            f"these settings are of network {settings['network']!r}, not of {name!r}; restore them "
            "in a study of that network"
        )
    try:
        image, region = decoded(settings["image"]), settings["region"]
        mask = torch.zeros(image.shape[1:]) if region is None else decoded(region["mask"])[0]
        fill = None if region is None else region["fill"]
        target, method = _made(settings["target"]), _made(settings["method"], study.method)
        neurons = [(str(layer), int(channel)) for layer, channel in settings["neurons"]]
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(
            f"these settings are not complete ({one_line(error)}); save them again with "
            "explorer.save(path)"
        ) from error
    of_kind("the method", method, Method, "a method such as xw.Saliency()")
    of_kind("the target", target, Class | Channel | Unit, "a class, a channel or a unit")
    method.validate(study.network, image, target)
    if mask.shape != image.shape[1:]:
        raise ValueError("the region is of another size than the image; save the settings again")
    subject = Subject(study.network, image)
    for layer, channel in neurons:
        subject.target(Channel(layer, channel))
    study.image = image
    study.ask(target, method)
    if mask.any() or study.made(Regions) is not None:
        regions = Regions.of(study)
        regions.fill = fill if fill in regions.fills else regions.fill
        regions.mask = mask > 0.5
    if neurons or study.made(Neurons) is not None:
        study.neurons.selected = neurons


def python_of(study: Study) -> str:
    """Python that makes the study again, and calls it ``study``.

    Its network is called ``net`` where it is the reader's own.

    Raises:
        ValueError: as :func:`settings_of`.

    Example:
        >>> import xwidgets as xw
        >>> net = xw.network("birds")
        >>> with xw.Study(net, xw.scenes.bird(seed=3).image, 7, xw.Saliency()) as study:
        ...     for line in python_of(study).splitlines():
        ...         print(line[:60])
        import xwidgets as xw
        net = xw.network('birds')
        image = xw.images.decoded("png:iVBORw0KGgoAAAANSUhEUgAAAEAAA
        study = xw.Study(net, image, 7, xw.Saliency())  # Dune finch
    """
    settings, net = settings_of(study), study.network
    target = study.subject.target(study.target)
    code = str(target.index) if isinstance(target, Class) else _code(target)
    label = " ".join(target.label(net).split())
    lines = [
        "import xwidgets as xw",
        f"net = {net.code}" if net.code else f"# net: your network {' '.join(net.name.split())}",
        f'image = xw.images.decoded("{settings["image"]}")',
        f"study = xw.Study(net, image, {code}, {_code(study.method)})  # {label}",
    ]
    if settings["region"] is not None:
        mask, fill = settings["region"]["mask"], settings["region"]["fill"]
        lines.append(f"study.regions.fill = {fill!r}")
        lines.append(f'study.regions.mask = xw.images.decoded("{mask}")[0] > 0.5')
    if settings["neurons"]:
        lines.append(f"study.neurons.selected = {[tuple(n) for n in settings['neurons']]!r}")
    return "\n".join(lines) + "\n"


def _region_of(study: Study) -> dict[str, str] | None:
    """Region that is removed, and what fills it; ``None`` for none."""
    regions = study.made(Regions)
    if regions is None or not regions.mask.any():
        return None
    return {"mask": coded(torch.tensor(regions.mask)[None].float()), "fill": regions.fill}


def _is_default(value: Any, default: Any) -> bool:
    """Whether a value is the default, and so is its type."""
    return value is default or (type(value) is type(default) and bool(value == default))


def _changed(value: Any) -> dict[str, Any]:
    """Fields of a dataclass whose values are not the defaults."""
    return {
        field.name: getattr(value, field.name)
        for field in fields(value)
        if not _is_default(getattr(value, field.name), field.default)
    }


def _plain(value: Any) -> Any:
    """Value as JSON can hold it: of a method, target or sampler its kind, and what is no default.

    Raises:
        ValueError: for what a file cannot hold.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, (Method, *VALUES)):
        parameters = {name: _plain(item) for name, item in _changed(value).items()}
        return {"kind": type(value).__name__, "parameters": parameters}
    raise ValueError(
        f"a {type(value).__name__} is of your own, and no file of settings can hold it; make the "
        "study in Python"
    )


def _made(plain: Any, like: Method[Any] | None = None) -> Any:
    """Value that :func:`_plain` made plain.

    Args:
        plain: from a file.
        like: a method whose kind may be a reader's own.

    Raises:
        ValueError: for an unknown kind.
    """
    if isinstance(plain, list):
        return tuple(_made(item) for item in plain)
    if not isinstance(plain, dict):
        return plain
    public = (getattr(explain, name) for name in explain.__all__)
    methods = [kind for kind in public if isinstance(kind, type) and issubclass(kind, Method)]
    own = [] if like is None else [type(like)]
    kinds = {kind.__name__: kind for kind in (*VALUES, *methods, *own)}
    if plain["kind"] not in kinds:
        raise unknown("kind", plain["kind"], kinds)
    return kinds[plain["kind"]](**{n: _made(item) for n, item in plain["parameters"].items()})


def _code(value: Any) -> str:
    """Python that makes a value of :func:`_plain` again."""
    if not is_dataclass(value):
        return repr(value)
    arguments = ", ".join(f"{name}={_code(item)}" for name, item in _changed(value).items())
    public = type(value).__module__.startswith("xwidgets.")
    return f"{'xw.' if public else ''}{type(value).__name__}({arguments})"
