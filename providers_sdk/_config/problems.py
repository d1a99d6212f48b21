"""Collects what is wrong with a configuration file, each with its line."""

from dataclasses import dataclass, field

__all__ = ["Keys", "Problems"]

Keys = tuple[str, ...]
"""A key with the tables that it is in, outermost first."""


@dataclass(slots=True)
class Problems:
    """The mistakes of one file.

    :param place: the file, for messages.
    :param lines: of its keys.
    :param found: one sentence a mistake, in the order of the file.
    :param plain_secrets: keys whose values are secrets that the file holds itself.
    """

    place: str
    lines: dict[Keys, int] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    plain_secrets: list[Keys] = field(default_factory=list)

    def add(self, keys: Keys, problem: str) -> None:
        """Add the mistake at ``keys``."""
        self.found.append(f"{self.locate(keys, with_profile=False)}: {problem}")

    def locate(self, keys: Keys, *, with_profile: bool = True) -> str:
        """Return where ``keys`` stand: ``"profile work, ~/config.toml, line 12"``."""
        line = next((self.lines[keys[:end]] for end in range(len(keys), 0, -1) if keys[:end] in self.lines), 1)
        profile = f"profile {keys[1]}, " if with_profile and keys[0] == "profiles" and len(keys) > 1 else ""
        return f"{profile}{self.place}, line {line}"
