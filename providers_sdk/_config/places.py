"""Where the user's files are: in the platform's place, never in the current folder.

The configuration file is ``config.toml`` in the user's configuration folder, unless ``PROVIDERS_SDK_CONFIG`` names
another. Stored keys are in the user's *data* folder, because many people keep their configuration folder in a
repository. A ``PROVIDERS_SDK_CONFIG`` that is set and empty means that neither is used.
"""

import os
from functools import lru_cache
from pathlib import Path

from providers_sdk._environment import CONFIG, is_set, read_variable

__all__ = ["cache_folder", "data_folder", "default_path", "is_named", "keys_folder", "shorten"]

_APPLICATION = "providers-sdk"
_DATA_VARIABLES = ("HOME", "XDG_DATA_HOME", "USERPROFILE", "LOCALAPPDATA")  # those that platformdirs looks at


def default_path() -> Path | None:
    """Return the configuration file that is read by default, whether it exists or not; ``None`` for none."""
    if is_set(CONFIG):
        named = read_variable(CONFIG)
        return Path(os.path.expanduser(named)) if named else None
    import platformdirs  # not at the top: a client that is given ``config=None`` needs none of it

    return platformdirs.user_config_path(_APPLICATION, appauthor=False) / "config.toml"


def is_named() -> bool:
    """Return whether ``PROVIDERS_SDK_CONFIG`` names a file, which then must exist."""
    return bool(read_variable(CONFIG))


def keys_folder() -> Path | None:
    """Return the folder of stored keys, whether it exists or not; ``None`` where none are used."""
    if is_set(CONFIG) and not read_variable(CONFIG):
        return None
    return _find_keys_folder(*map(read_variable, _DATA_VARIABLES))


@lru_cache(maxsize=8)
def _find_keys_folder(*_variables: str) -> Path:
    """Return the folder of keys in that of the user's data; it depends on the variables, and each call asks for it."""
    import platformdirs

    return platformdirs.user_data_path(_APPLICATION, appauthor=False) / "keys"


def data_folder() -> Path | None:
    """Return the folder of what the user said, whether it exists or not; ``None`` where none is used."""
    folder = keys_folder()
    return folder.parent if folder else None


def cache_folder() -> Path | None:
    """Return the folder of what can be asked again, whether it exists or not; ``None`` where none is used."""
    if is_set(CONFIG) and not read_variable(CONFIG):
        return None
    import platformdirs

    return platformdirs.user_cache_path(_APPLICATION, appauthor=False)


def shorten(path: Path) -> str:
    """Return ``path`` for a message, the user's home as ``~``."""
    home = os.path.expanduser("~")
    text = str(path)
    return f"~{text[len(home) :]}" if len(home) > 1 and text.startswith(home + os.sep) else text
