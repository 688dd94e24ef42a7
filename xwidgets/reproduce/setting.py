"""How large a paper's experiments are: numbers under a name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from xwidgets.errors import unknown


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
        return setting
    if setting not in settings:
        raise unknown("setting", setting, settings)
    return settings[setting]
