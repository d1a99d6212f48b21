"""Collects all text that an error exposes when it is printed, logged, pickled or inspected, to look for secrets."""

import base64
import html
import io
import json
import pickle
import traceback
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

__all__ = ["collect_exposed_text", "spellings"]


def collect_exposed_text(error: BaseException) -> str:
    """Return all text that ``error`` exposes: messages, fields, pickle, traceback, causes and contexts."""
    texts = [text for link in _walk(error) for text in (str(link), repr(link), repr(link.args), repr(vars(link)))]
    return "\n".join([*texts, *traceback.format_exception(error), _pickle(error)])


def _pickle(error: BaseException) -> str:
    """Return the error's pickle as Python makes it, also where tblib has changed how errors are pickled."""
    written = io.BytesIO()
    pickler = pickle.Pickler(written)
    pickler.dispatch_table = {}
    pickler.dump(error)
    return written.getvalue().decode("latin-1")


def _walk(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    stack: list[BaseException | None] = [error]
    while stack:
        link = stack.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            yield link
            stack += [link.__cause__, link.__context__]


def spellings(secret: str, user: str = "") -> set[str]:
    """Return the ways in which ``secret`` may be written: plain, quoted, escaped, in base64.

    :param user: the name that goes before it, where it is a password.
    """
    raw = secret.encode()
    quoted = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret)[1:-1].replace("/", "\\/"), repr(secret)[1:-1]}
    encoded = {encode(data).decode().rstrip("=") for data in _add_user(raw, user) for encode in _BASE64}
    lower = {text.replace(text, text.lower()) for text in quoted if "%" in text}
    return {secret, html.escape(secret), raw.hex(), *quoted, *lower, *escaped, *encoded}


_BASE64 = (base64.b64encode, base64.urlsafe_b64encode)


def _add_user(secret: bytes, user: str) -> list[bytes]:
    return [secret, user.encode() + b":" + secret] if user else [secret]
