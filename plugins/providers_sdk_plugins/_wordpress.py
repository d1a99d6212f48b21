"""Writes a prompt so that it survives WordPress's ``sanitize_text_field``, and finds what does not. Pure.

``sanitize_text_field`` removes tags, writes a lone ``<`` as ``&lt;``, folds runs of space, tab, line feed
and carriage return to one space, cuts white space at both ends, and deletes ``%`` followed by two hexadecimal digits.
"""

import re
from collections.abc import Iterator

from providers_sdk.plugin import snippet

__all__ = ["find_losses", "keep_lines", "keep_marks"]

LINE = "\N{LINE SEPARATOR}"
INDENT = "\N{NO-BREAK SPACE}"
TAB_WIDTH = 4
_BREAK = re.compile(r"\r\n|\r|\n")
_INDENT = re.compile(rf"(?:^|(?<={LINE}))[ \t]+")
_PERCENT = re.compile(r"%(?=[0-9A-Fa-f]{2})")
_LESS = re.compile(r"<[^<>]*>?")
_RUN = re.compile(r"[ \t]{2,}|\t")
_ENDS = " \t\n\r\v\0"


def keep_lines(text: str) -> str:
    """Return ``text`` with its line structure in characters that WordPress leaves alone.

    A line break becomes U+2028; a space of a line's indentation becomes U+00A0, a tab of it four of them.
    """
    return _INDENT.sub(_replace_indentation, _BREAK.sub(LINE, text))


def keep_marks(text: str) -> str:
    """Return ``text`` with ``<`` as ``&lt;``, and U+200B after a ``%`` that begins a code such as ``%41``."""
    return _PERCENT.sub("%\N{ZERO WIDTH SPACE}", text.replace("<", "&lt;"))


def find_losses(text: str) -> Iterator[str]:
    """Yield a readable description of each change that WordPress will make to ``text``, with the first example."""
    for found in _LESS.finditer(text):
        is_tag = found[0].endswith(">")
        if not (is_tag and found[0][1].isspace() and found[0][1].isascii()):
            what = "what stands between < and >" if is_tag else "< alone, which becomes &lt;"
            yield f"{what} ({snippet(found[0], 40)})"
            break
    code = re.search(r"%[0-9A-Fa-f]{2}", text)
    if code:
        yield f"percent codes ({code[0]})"
    if _RUN.search(text):
        yield "tabs and runs of spaces within a line, which become one space"
    if text != text.strip(_ENDS):
        yield "white space at the end"


def _replace_indentation(found: re.Match[str]) -> str:
    return found[0].replace("\t", " " * TAB_WIDTH).replace(" ", INDENT)
