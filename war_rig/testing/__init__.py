"""Test doubles for code that uses agents, and faults and a time of their own for rehearsals.

Importing this package loads nothing else, since pytest imports it at every start to
find its plugin; its names load what they need when they are used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from war_rig.testing.fake import Call, FakeProvider
    from war_rig.testing.faults import (
        Arrival,
        Fault,
        FaultyProvider,
        cut,
        during,
        malformed,
        rate_limited,
        server_error,
        stalled,
        unreachable,
    )
    from war_rig.testing.rehearsal import rehearse

__all__ = [
    "Arrival",
    "Call",
    "FakeProvider",
    "Fault",
    "FaultyProvider",
    "cut",
    "during",
    "malformed",
    "rate_limited",
    "rehearse",
    "server_error",
    "stalled",
    "unreachable",
]

_ELSEWHERE = {"Call": "fake", "FakeProvider": "fake", "rehearse": "rehearsal"}
"""The modules of the names that are not in ``faults``."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'war_rig.testing' has no attribute {name!r}")
    module = import_module(f"war_rig.testing.{_ELSEWHERE.get(name, 'faults')}")
    return getattr(module, name)
