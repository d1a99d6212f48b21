"""Finds the providers that ``providers check`` tests: installed, or in a module, a file or a project's folder."""

import configparser
import importlib
import importlib.util
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from providers_sdk._environment import redact_environment
from providers_sdk._plugins.registry import Registry
from providers_sdk._plugins.validation import error_text
from providers_sdk._provider.provider import Provider
from providers_sdk.errors import InvalidArgument, UnknownProvider
from providers_sdk.testing.fake_service import FakeService

__all__ = ["Target", "find_fake_service", "find_targets"]


@dataclass(frozen=True, slots=True)
class Target:
    """One provider to check.

    :param fake_service: the fake service of its service, ``None`` where there is none.
    """

    name: str
    provider: type[Provider]
    fake_service: type[FakeService] | None


def find_targets(target: str, *, fake_service: str = "", registry: Registry | None = None) -> list[Target]:
    """Return the providers that ``target`` means.

    :param target: an installed provider's name, a module's dotted name, a ``.py`` file, or a folder.
    :param fake_service: ``"module:Class"`` instead of the provider's own.
    :raises InvalidArgument: there is no provider there.
    """
    registry = registry or Registry()
    if target.rpartition(":")[2] in registry.names():
        found = [(target.rpartition(":")[2], registry.get(target))]
    else:
        found = [
            (kind.__name__.lower(), kind) for module in _import_modules(target) for kind in _find_providers(module)
        ]
    if not found:
        raise InvalidArgument(f"{target!r} is no installed provider and holds none: no subclass of Provider was found")
    return [Target(name, kind, find_fake_service(fake_service or kind.fake_service)) for name, kind in found]


def find_fake_service(path: str) -> type[FakeService] | None:
    """Return the class at ``"module:Class"``; ``None`` for an empty path.

    :raises InvalidArgument: there is no such class.
    """
    if not path:
        return None
    module, _, name = path.partition(":")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidArgument(f"the fake service {path!r} cannot be found: {error}") from error
    if not isinstance(kind, type) or not issubclass(kind, FakeService):
        raise InvalidArgument(f"the fake service {path!r} is no subclass of FakeService")
    return kind


def _import_modules(target: str) -> Iterator[ModuleType]:
    path = Path(target)
    if target and path.is_dir():
        sys.path.insert(0, str(path.resolve()))
        yield from map(_import, _list_modules(path))
    elif path.suffix == ".py" and path.is_file():
        sys.path.insert(0, str(path.resolve().parent))
        yield _import(path.stem)
    elif target.replace(".", "").replace("_", "").isalnum():
        yield _import(target)
    else:
        raise InvalidArgument(f"there is no provider, module, file or folder {target!r}")


def _list_modules(folder: Path) -> list[str]:
    """Return the modules that the folder's metadata offer as providers, else every module in it that is no test.

    :raises InvalidArgument: its ``pyproject.toml`` or ``setup.cfg`` cannot be read.
    """
    named = [value.partition(":")[0].strip() for value in (*_read_pyproject(folder), *_read_setup_cfg(folder))]
    found = list(dict.fromkeys(named))
    return found or [file.stem for file in sorted(folder.glob("*.py")) if file.stem not in ("setup", "conftest")]


def _read_pyproject(folder: Path) -> list[str]:
    """Return the values of the entry points in ``pyproject.toml``."""
    path = folder / "pyproject.toml"
    try:
        table: object = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError) as error:
        raise InvalidArgument(f"{str(path)!r} cannot be read: {error}") from None
    for key in ("project", "entry-points", "providers_sdk"):
        table = table.get(key) if isinstance(table, dict) else None
    return [value for value in table.values() if isinstance(value, str)] if isinstance(table, dict) else []


def _read_setup_cfg(folder: Path) -> list[str]:
    """Return the values of the entry points in ``setup.cfg``."""
    path = folder / "setup.cfg"
    config = configparser.ConfigParser(interpolation=None)
    try:
        config.read(path, encoding="utf-8")
    except (configparser.Error, OSError, ValueError) as error:
        raise InvalidArgument(f"{str(path)!r} cannot be read: {error}") from None
    rows = config.get("options.entry_points", "providers_sdk", fallback="").splitlines()
    return [row.partition("=")[2] for row in rows if "=" in row]


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name.partition(".")[0]:
            raise UnknownProvider(f"there is no provider, module, file or folder {name!r}") from None
        raise _import_failed(name, error) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _import_failed(name, error) from error


def _import_failed(name: str, error: BaseException) -> InvalidArgument:
    return InvalidArgument(redact_environment()(f"importing {name!r} raised {error_text(error)}"))


def _find_providers(module: ModuleType) -> Iterator[type[Provider]]:
    for kind in vars(module).values():
        own = isinstance(kind, type) and issubclass(kind, Provider) and kind.__module__ == module.__name__
        if own and kind.complete is not Provider.complete:
            yield kind
