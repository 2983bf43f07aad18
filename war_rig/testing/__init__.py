"""Test doubles for code that uses agents, and faults and a time of their own for rehearsals."""

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
from war_rig.testing.rehearsal import RehearsalLoop, rehearse

__all__ = [
    "Arrival",
    "Call",
    "FakeProvider",
    "Fault",
    "FaultyProvider",
    "RehearsalLoop",
    "cut",
    "during",
    "malformed",
    "rate_limited",
    "rehearse",
    "server_error",
    "stalled",
    "unreachable",
]
