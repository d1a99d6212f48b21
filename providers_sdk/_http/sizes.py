"""How many bytes of a response are read at the most, by what it is read as."""

__all__ = ["MAX_BYTES", "MAX_ERROR_BODY", "MAX_JSON", "MAX_PAGE"]

MAX_PAGE = 2_000_000
MAX_JSON = 20_000_000
MAX_BYTES = 64_000_000
MAX_ERROR_BODY = 64_000
