"""Media types of bodies that a provider reads. Pure."""

from collections.abc import Collection

__all__ = ["EVENT_TYPES", "HTML_TYPES", "JSON_TYPES", "NDJSON_TYPES", "VAGUE_TYPES", "is_one_of"]

JSON_TYPES = ("application/json", "text/json")
HTML_TYPES = ("text/html", "application/xhtml+xml")
NDJSON_TYPES = (
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/jsonlines",
    "application/x-jsonlines",
    "application/json-lines",
)
EVENT_TYPES = ("text/event-stream",)
VAGUE_TYPES = ("", "text/plain", "application/octet-stream")  # they do not tell what the bytes are


def is_one_of(kind: str, types: Collection[str]) -> bool:
    """Whether ``kind`` is one of ``types``, which may end with ``/*``."""
    return any(kind == one or (one.endswith("/*") and kind.startswith(one[:-1])) for one in types)
