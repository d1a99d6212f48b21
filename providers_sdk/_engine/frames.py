"""Keeps what a caller gave out of the tracebacks of an error about it.

A traceback with local variables, as some programs log it, shows the arguments of every frame between the caller's line
and the line that raised: the settings with their keys among them. So an error about the arguments leaves without them.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from providers_sdk.errors import InvalidCall

__all__ = ["drop_frames"]

_P = ParamSpec("_P")
_S = TypeVar("_S")


def drop_frames(make: Callable[Concatenate[_S, _P], None]) -> Callable[Concatenate[_S, _P], None]:
    """Let an :class:`InvalidCall` of a constructor leave without the frames that hold its arguments."""

    @wraps(make)
    def make_without_frames(self: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            return make(self, *args, **kwargs)
        except InvalidCall as error:
            failure = error
        args = kwargs = None  # type: ignore[assignment]
        raise failure.with_traceback(None)

    return make_without_frames
