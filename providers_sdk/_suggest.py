"""Suggests the known name that an unknown one probably means. ``difflib`` is loaded on error paths only."""

from collections.abc import Iterable

__all__ = ["OPTION_ADVICE", "find_nearest", "suggest_name"]

SERVICES = frozenset({"bard", "chatgpt", "claude", "copilot", "gemini", "gpt", "grok"})
"""Names of services, spelt right: a user who types one means that service, not a provider with a similar name."""

OPTION_ADVICE = {
    "api_key": "give settings={provider: {'key': ...}}, or set PROVIDERS_SDK_<PROVIDER>_KEY",
    "history": "give the whole conversation as messages, or use client.conversation(history=...)",
    "retries": "give it to Client(retries=...)",
    "registry": "give it to Client(registry=...)",
    "strict": "give it to Client(strict=...)",
    "system": "put {'role': 'system', 'content': ...} first in messages, or use client.conversation(system=...)",
    "base_url": "give settings={provider: {'url': ...}}, or set PROVIDERS_SDK_<PROVIDER>_URL",
    "key": "give settings={provider: {'key': ...}}, or set PROVIDERS_SDK_<PROVIDER>_KEY",
    "proxy": "give it to Client(proxy=...)",
    "timeout": "the limits are connect=, first_token=, idle= and deadline=, in seconds",
}
"""Well-known wrong argument of a call → the right way."""

_LONGEST = 200  # difflib's cost grows with the square of the length
_LIKENESS = 0.6
_LIKENESS_AFTER_SAME_LETTER = 0.5  # ``ekko`` for ``echo``


def find_nearest(name: str, known: Iterable[str], *, likeness: float = _LIKENESS) -> str:
    """Return the one of ``known`` that is most like ``name``, ignoring case; ``""`` where none is like it.

    :param likeness: from 0 to 1: the least ratio of :class:`difflib.SequenceMatcher`.
    """
    import difflib

    folded = {other.casefold(): other for other in sorted(known)}
    wanted = name[:_LONGEST].casefold()
    found = difflib.get_close_matches(wanted, folded, n=1, cutoff=likeness)
    return folded[found[0]] if found else ""


def suggest_name(name: str, known: Iterable[str]) -> str:
    """Return the end of the sentence "there is no ... ``name``;": the nearest of ``known``, or all, in their order."""
    known = list(known)
    near = _find_meant(name, known)
    return f"did you mean {near!r}?" if near else f"there are {', '.join(known) or 'none'}"


def _find_meant(name: str, known: list[str]) -> str:
    if name.casefold() in SERVICES:
        return ""
    same_letter = [other for other in known if name and other[:1].casefold() == name[:1].casefold()]
    return find_nearest(name, known) or find_nearest(name, same_letter, likeness=_LIKENESS_AFTER_SAME_LETTER)
