"""Collects what is wrong with a configuration file, each with its line."""

__all__ = ["Keys", "Problems"]

Keys = tuple[str, ...]
"""A key with the tables that it is in, outermost first."""


class Problems:
    """The mistakes of one file.

    :param place: the file, for messages.
    :param lines: of its keys.
    :param found: one sentence a mistake, in the order of the file.
    :param plain_secrets: keys whose values are secrets that the file holds itself.
    """

    def __init__(self, place: str, lines: dict[Keys, int] | None = None) -> None:
        self.place, self.lines = place, lines or {}
        self.found: list[str] = []
        self.plain_secrets: list[Keys] = []

    def add(self, keys: Keys, problem: str) -> None:
        """Add the mistake at ``keys``."""
        self.found.append(f"{self.locate(keys, with_profile=False)}: {problem}")

    def locate(self, keys: Keys, *, with_profile: bool = True) -> str:
        """Return where ``keys`` stand: ``"profile work, ~/config.toml, line 12"``."""
        line = next((self.lines[keys[:end]] for end in range(len(keys), 0, -1) if keys[:end] in self.lines), 1)
        profile = f"profile {keys[1]}, " if with_profile and keys[0] == "profiles" and len(keys) > 1 else ""
        return f"{profile}{self.place}, line {line}"
