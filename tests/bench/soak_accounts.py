"""The accounts of a soak: what the calls came to, what the server saw, and what is left."""

import gc
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soak_server import MOST_QUESTIONS

from war_rig.ledger import Attempt
from war_rig.policies.budget import Amount
from war_rig.policies.circuit_breaker import CircuitBreaker
from war_rig.policies.policy import Policy
from war_rig.policies.rate_limit import RateLimit
from war_rig.policies.stack import Stack
from war_rig.wiring import Run

CONNECTIONS = 1000
MOST_GROWTH = 0.1  # of the memory that the system gave, in a minute; its peaks are only reached
MOST_BLOCKS = 0.5  # of Python's memory that a call may leave behind
_SURE = ("answered", "RateLimitError", "ServerError", "MalformedAnswerError")
_MANY = 255
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def _touched(size: int) -> bytearray:
    """Return as many zeros, which are in memory from the beginning."""
    return bytearray(b"\1" * size).translate(bytes(256))


@dataclass(slots=True)
class Accounts:
    """What the calls came to, of which *run* is the container's account.

    most, least: how often the server may, and must, have seen each question; a byte for each,
    so that they do not grow. memory: the bytes in use, by time. seen, state: what the server
    tells. left: what is still held at the end. blocks: what the soak left in Python's memory.
    """

    run: Run
    begun: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    most: bytearray = field(default_factory=lambda: _touched(MOST_QUESTIONS))
    least: bytearray = field(default_factory=lambda: _touched(MOST_QUESTIONS))
    complaints: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[float, int]] = field(default_factory=list)
    seen: bytes = b""
    state: dict[str, Any] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    blocks: int = 0

    def end(self, kind: str, number: int, attempts: tuple[Attempt, ...] | None) -> None:
        """Count how a call ended; *attempts* is None where nobody was told of them."""
        self.ends[kind] += 1
        if attempts is None:
            self.most[number] = _MANY
            return
        sent = [attempt for attempt in attempts if attempt.outcome != "refused"]
        reasons = [one.reason.partition(":")[0] or one.outcome for one in sent]
        self.sent += len(sent)
        self.reasons.update(reasons)
        self.most[number] = len(sent)
        self.least[number] = sum(reason in _SURE for reason in reasons)

    def growth(self) -> tuple[float, float]:
        """Return the bytes that the memory grows by in a minute, and its mean."""
        if len(self.memory) < 2:
            return 0.0, 1.0
        times, used = zip(*self.memory, strict=True)
        middle, mean = sum(times) / len(times), sum(used) / len(used)
        slope = sum((t - middle) * (u - mean) for t, u in self.memory)
        return 60 * slope / sum((t - middle) ** 2 for t in times), mean


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES


def live_blocks() -> int:
    """Return how much lives in Python's memory, without what waits for the garbage collector."""
    gc.collect()
    return sys.getallocatedblocks()


def sockets() -> int:
    """Return how many sockets this process has open."""
    count = 0
    for file in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            count += str(file.readlink()).startswith("socket:")
    return count


def held(run: Run) -> dict[str, int]:
    """Return what the policies and the connections have not got back."""
    found: Counter[str] = Counter()
    found["reservations"] = int(run.purse.reserved != Amount())
    for stack in run.built.values():
        for policy in _policies(stack):
            if isinstance(policy, RateLimit):
                found["slots"] += len(policy._gate._under_way)
                found["places in a queue"] += len(policy._gate._queue)
            elif isinstance(policy, CircuitBreaker):
                found["probes"] += sum(one.prober is not None for one in policy._circuits.values())
        border: Any = stack.border
        for connections in border.provider._transport._clients._clients.values():
            found["connections in use"] += CONNECTIONS - connections.free._value
            found["limits of a step"] += len(connections.limits)
    return dict(found)


def _policies(stack: Stack) -> Iterator[Policy]:
    layer: object = stack
    while isinstance(layer, Policy):
        yield layer
        layer = layer.provider


def mismatches(accounts: Accounts) -> Iterator[str]:
    """Yield what is not as it has to be."""
    run, seen, ended = accounts.run, accounts.seen, sum(accounts.ends.values())
    if accounts.begun != ended:
        yield f"{accounts.begun} calls began, and {ended} ended"
    yield from (f"{kind}: {n}" for kind, n in accounts.ends.items() if kind.startswith("wrong"))
    ledger, spent = run.ledger.total, run.purse.spent
    if sum(seen) > ledger.sent or accounts.sent > ledger.sent:
        yield f"the ledger has {ledger.sent} attempts: fewer than were told of, or seen"
    bounds = zip(accounts.least, seen, accounts.most, strict=True)
    odd = [n for n, (least, times, most) in enumerate(bounds) if not least <= times <= most]
    if odd:
        yield f"the server saw {len(odd)} questions more or less often than the ledger: {odd[:5]}"
    if (spent.tokens, spent.money) != (ledger.tokens_used, ledger.cost):
        yield f"the purse spent {spent}, the ledger {ledger.tokens_used} and {ledger.cost}"
    yield from (f"{n} {kind} left" for kind, n in accounts.left.items() if n)
    yield from (f"{n} times: {text}" for text, n in accounts.complaints.items())
    growth, mean = accounts.growth()
    if growth > MOST_GROWTH * mean or accounts.blocks > MOST_BLOCKS * accounts.begun:
        yield "the memory grows"


def report(accounts: Accounts) -> Iterator[str]:
    """Yield what the calls came to, on both sides."""
    ledger, ends, seen = accounts.run.ledger.total, accounts.ends, sum(accounts.seen)
    gone = ends["cancelled"] + ends["left"]
    answers = ends["answered"] + ends["streamed"]
    errors = sum(ends.values()) - gone - answers
    told = f"{answers:,} answers + {errors:,} errors + {gone:,} gone"
    yield f"{accounts.begun:,} calls began == {told}"
    yield f"they ended as: {_told(ends)}"
    yield f"the ledger has {ledger.sent:,} attempts, and {ledger.refused:,} that were not sent"
    yield f"  {accounts.sent:,} on answers and errors: {_told(accounts.reasons)}"
    yield f"  {ledger.sent - accounts.sent:,} of calls that went"
    yield f"the server saw {seen:,}; {ledger.sent - seen:,} were given up on their way"
    yield f"the server did: {_told(accounts.state['done'])}"
    yield f"connections at once: at most {accounts.state['most_open']:,}"
    growth, mean = accounts.growth()
    yield f"memory: {mean / 1e6:.1f} MB, {growth / 1e6:+.2f} MB a minute ({growth / mean:+.2%})"
    blocks = accounts.blocks
    yield f"blocks of memory left: {blocks:,}, {blocks / accounts.begun:.4f} a call"
    yield f"left: {_told(accounts.left)}"


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{kind} {n:,}" for kind, n in sorted(counts.items()))
