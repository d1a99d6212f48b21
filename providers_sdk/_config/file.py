"""Reads the configuration file.

Errors leave :func:`read_configuration` without the frames below it, whose local variables hold the file's text.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from providers_sdk._config.places import default_path, is_named, shorten
from providers_sdk._config.private_files import others_may_read, others_may_write, read_file
from providers_sdk._config.problems import Problems
from providers_sdk._config.sources import chmod_command
from providers_sdk._config.values import EMPTY, Configuration, Section, freeze
from providers_sdk._environment import PROFILE, read_variable
from providers_sdk._suggest import suggest_name
from providers_sdk.errors import InvalidArgument, InvalidConfiguration

__all__ = ["DEFAULT_PLACE", "default_path", "find_problems", "read_configuration"]

MOST_BYTES = 262_144


class _DefaultPlace:
    """The type of :data:`DEFAULT_PLACE`."""

    def __repr__(self) -> str:
        return "DEFAULT_PLACE"


DEFAULT_PLACE: Final = _DefaultPlace()
PathArgument = str | os.PathLike[str] | None | _DefaultPlace


def read_configuration(path: PathArgument = DEFAULT_PLACE, *, profile: str | None = None) -> Configuration:
    """Return what the configuration file says.

    :param path: the file; ``None`` for none; else ``PROVIDERS_SDK_CONFIG``, or the file in the platform's place.
    :param profile: else ``PROVIDERS_SDK_PROFILE``.
    :raises InvalidConfiguration: a file that was named is missing, the file cannot be read or has a mistake, others may
        read a secret in it, or it has no such profile.
    :raises InvalidArgument: ``path`` is no path.
    """
    configuration, problems = _examine(path, profile)
    if not problems:
        return configuration
    more = f" (and {len(problems) - 1} more; 'providers config check' lists all)" if len(problems) > 1 else ""
    raise InvalidConfiguration(f"{problems[0]}{more}")


def find_problems(path: PathArgument = DEFAULT_PLACE, *, profile: str | None = None) -> list[str]:
    """Return every mistake of the file, one sentence each."""
    return _examine(path, profile)[1]


class _Document:
    """A file that was read.

    :param path: ``None`` where there is none.
    """

    def __init__(
        self,
        path: Path | None,
        problems: Problems,
        top: Section | None = None,
        profiles: Mapping[str, Section] = MappingProxyType({}),
    ) -> None:
        self.path, self.problems = path, problems
        self.top, self.profiles = top or Section(), profiles


def _examine(path: PathArgument, profile: str | None) -> tuple[Configuration, list[str]]:
    """Return the configuration, and what is wrong with it."""
    if path is None and profile is None:
        return EMPTY, []
    chosen = profile or read_variable(PROFILE) or None
    document = _load(_find_file(path), must_exist=not isinstance(path, _DefaultPlace) or is_named())
    found = document.problems.found
    if chosen is not None and chosen not in document.profiles and not found:
        found.append(_explain_unknown(chosen, document))
    return _merge(document, chosen), found


def _find_file(path: PathArgument) -> Path | None:
    if path is None:
        return None
    if isinstance(path, _DefaultPlace):
        found = default_path()
        return found and found.absolute()
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        raise InvalidArgument(f"config must be the path of a file, or None for none, not {path!r:.40}")
    return Path(os.path.expanduser(path)).absolute()


def _load(path: Path | None, *, must_exist: bool) -> _Document:
    if path is None:
        return _Document(None, Problems("there is no configuration file"))
    problems = Problems(shorten(path))
    try:
        content, mode = read_file(path, most=MOST_BYTES)
    except (OSError, ValueError) as error:  # a ValueError: a path with a NUL
        if isinstance(error, FileNotFoundError) and not must_exist:
            return _Document(None, problems)
        reason = getattr(error, "strerror", None) or error
        problems.found.append(f"{problems.place}: the configuration file cannot be read: {reason}")
        return _Document(path, problems)
    document = _parse(path, content, problems)
    _check_mode(path, mode, problems)
    return document


def _parse(path: Path, content: bytes, problems: Problems) -> _Document:
    import tomllib  # most homes have no configuration file

    from providers_sdk._config.lines import locate_keys
    from providers_sdk._config.parsing import parse_document

    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        problems.found.append(_explain_no_toml(error, content, problems.place))
        return _Document(path, problems)
    problems.lines = locate_keys(text)
    top, profiles = parse_document(tree, problems, path.parent)
    return _Document(path, problems, top, profiles)


def _explain_no_toml(error: Exception, content: bytes, place: str) -> str:
    if isinstance(error, UnicodeDecodeError):
        number = content.count(b"\n", 0, error.start) + 1
        return f"{place}, line {number}: the file is not UTF-8; save it as UTF-8"
    reason, _, where = str(error).partition(" (at ")
    found = re.search(r"line (\d+), column (\d+)", where)
    last = content.rstrip().count(b"\n") + 1
    line, column = (found[1], f"in column {found[2]}") if found else (last, "at the end of the file")
    at, place = (f" {column}", f"{place}, line {line}") if where else ("", place)  # some errors have no position
    return f"{place}: this is not TOML: {reason}{at}; a value that is text needs quotes"


def _check_mode(path: Path, mode: int, problems: Problems) -> None:
    """Put first what is wrong with the file's mode: it is the most urgent."""
    if others_may_write(mode):
        problems.found.insert(
            0, f"{problems.place}: every user of this machine may change this file; run: {chmod_command(path)}"
        )
    elif others_may_read(mode) and problems.plain_secrets:
        keys = problems.plain_secrets[0]
        problems.found.insert(
            0,
            f"{problems.locate(keys, with_profile=False)}: {keys[-1]!r} is secret, and other users of this machine may "
            f"read this file; run: {chmod_command(path)}",
        )


def _explain_unknown(profile: str, document: _Document) -> str:
    if document.path is None:
        return f"there is no profile {profile!r}: {_describe_absence(document)}"
    return f"{document.problems.place}: there is no profile {profile!r}; {suggest_name(profile, document.profiles)}"


def _describe_absence(document: _Document) -> str:
    place = document.problems.place
    return place if place.startswith("there is") else f"there is no configuration file {place}"


def _merge(document: _Document, profile: str | None) -> Configuration:
    """Return the top level, and the profile over it, setting by setting."""
    top, over = document.top, document.profiles.get(profile or "", Section())
    names = [*top.services, *(name for name in over.services if name not in top.services)]
    services = {name: freeze({**top.services.get(name, {}), **over.services.get(name, {})}) for name in names}
    return Configuration(
        path=document.path,
        profile=profile,
        providers=over.providers or top.providers,
        arguments=freeze({**top.arguments, **over.arguments}),
        services=freeze(services),
        sources=freeze({**top.sources, **over.sources}),
        profiles=tuple(document.profiles),
    )
