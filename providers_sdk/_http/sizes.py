"""How many bytes of a response are read at the most, by what it is read as, and how long an error's are waited for."""

__all__ = ["ERROR_BODY_GRACE", "MAX_BYTES", "MAX_ERROR_BODY", "MAX_JSON", "MAX_PAGE"]

MAX_PAGE = 2_000_000
MAX_JSON = 20_000_000
MAX_BYTES = 64_000_000
MAX_ERROR_BODY = 64_000
ERROR_BODY_GRACE = 2.0
