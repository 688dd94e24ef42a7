"""How large a paper's experiments are: numbers under a name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from xwidgets.errors import WrongType, of_kind, shown, unknown


@dataclass(frozen=True)
class NamedSetting:
    """The size of experiments; each paper's has a field for every number that can be scaled.

    Attributes:
        name: what files of results begin with.
    """

    name: str


AnySetting = TypeVar("AnySetting", bound=NamedSetting)


def by_name(*settings: AnySetting) -> dict[str, AnySetting]:
    """Settings by their names.

    Example:
        >>> by_name(NamedSetting("small"), NamedSetting("full"))["full"]
        NamedSetting(name='full')
    """
    return {setting.name: setting for setting in settings}


def chosen(setting: str | AnySetting, settings: Mapping[str, AnySetting]) -> AnySetting:
    """A setting given by its name or itself.

    Raises:
        ValueError: for a name that is not among ``settings``.

    Example:
        >>> chosen("full", by_name(NamedSetting("small"), NamedSetting("full")))
        NamedSetting(name='full')
    """
    if not isinstance(setting, str):
        kind = type(next(iter(settings.values())))
        of_kind("setting", setting, kind, f"{', '.join(map(repr, settings))} or a Setting")
        return setting
    if setting not in settings:
        raise unknown("setting", setting, settings)
    return settings[setting]


def check_source(source: object) -> None:
    """Check that images come from a function.

    Raises:
        ValueError: when they do not.

    Example:
        >>> check_source("birds")
        Traceback (most recent call last):
        xwidgets.errors.WrongType: source is 'birds', but must be a function that returns images
    """
    if not hasattr(source, "__qualname__"):
        raise WrongType(f"source is {shown(source)}, but must be a function that returns images")
