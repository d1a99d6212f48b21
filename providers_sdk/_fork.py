"""Renews, in a forked child, locks that another thread may hold and work that is under way in the parent."""

import os
from typing import Protocol
from weakref import WeakSet

__all__ = ["renew_after_fork"]


class _Renewable(Protocol):
    def _renew(self) -> None:
        """Make locks anew, and forget what only the parent's threads can finish."""


_known: "WeakSet[_Renewable]" = WeakSet()


def renew_after_fork(thing: _Renewable) -> None:
    """Have ``thing._renew()`` called in every child that this process forks, for as long as it lives."""
    _known.add(thing)


def _renew_all() -> None:
    for thing in list(_known):
        thing._renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
