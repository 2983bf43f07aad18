"""What a forked child has to forget: calls under way, locks that are held, connections.

They are its parent's, and end there.
"""

import os
from typing import Protocol
from weakref import WeakSet


class _Forgetful(Protocol):
    def begin_anew(self) -> None: ...


_all: WeakSet[_Forgetful] = WeakSet()


def begins_anew_in_child(one: _Forgetful) -> None:
    """Let ``begin_anew`` of *one* be called in each process that is forked from this one."""
    _all.add(one)


def _begin_anew() -> None:
    for one in list(_all):
        one.begin_anew()


if hasattr(os, "register_at_fork"):  # pragma: no branch  Windows has no fork
    os.register_at_fork(after_in_child=_begin_anew)
