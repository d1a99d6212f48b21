"""What a client takes from the user's files: the configuration, and the keys that ``providers keys set`` has stored."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from providers_sdk._config.keys import find_stored_keys
from providers_sdk._config.values import Configuration, ConfigValue
from providers_sdk._engine.unset import Unset

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["FindStored", "read_user_files"]

FindStored = Callable[[str], Mapping[str, ConfigValue]]
"""Returns the stored settings of a name."""


def read_user_files(
    path: "str | PathLike[str] | Unset | None", profile: str | None
) -> tuple[Configuration, FindStored]:
    """Return the configuration, and what finds stored keys.

    :param path: of the configuration file; ``None`` for neither a file nor stored keys.
    :raises InvalidConfiguration: the file cannot be used.
    """
    from providers_sdk._config.file import read_configuration

    if isinstance(path, Unset):
        return read_configuration(profile=profile), find_stored_keys
    return read_configuration(path, profile=profile), _find_nothing if path is None else find_stored_keys


def _find_nothing(name: str) -> Mapping[str, ConfigValue]:
    return {}
