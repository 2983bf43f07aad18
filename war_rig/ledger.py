"""What each attempt at an answer came to: on every answer, and on every error.

Nothing that was paid for is hidden: an attempt that failed, one that was cut off in
mid-answer, and one that a fallback replaced stand here beside the one that answered.
"""

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Literal

from war_rig.forking import begins_anew_in_child

EXACT = Context(prec=60)
"""Enough digits that no sum of prices is rounded, whatever the program's own context is."""

Outcome = Literal["answered", "failed", "cancelled", "refused", "cached"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at an answer.

    outcome: "refused" was never sent, "cached" cost nothing, "cancelled" was
    given up by whoever waited for it. reason: why there is no answer, empty
    where there is one. tokens_used: None where nobody knows; usage_source says
    whether the counts were reported or estimated. cost: in the currency of the
    declared prices, None without a price. seconds: from sending to the end.
    waited_seconds: before it was sent, for what waited_for says.
    """

    provider: str
    model: str | None
    outcome: Outcome
    reason: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    tokens_used: int | None = None
    usage_source: Literal["reported", "estimated"] | None = None
    cost: Decimal | None = None
    seconds: float = 0.0
    waited_seconds: float = 0.0
    waited_for: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """What some attempts came to together.

    sent: those that reached for the provider. failed: those of them without an
    answer. untold: those of them whose tokens were estimated. cost: None where
    not one has a price. unpriced: how many of those sent have none.
    """

    sent: int = 0
    failed: int = 0
    refused: int = 0
    cached: int = 0
    tokens_used: int = 0
    untold: int = 0
    cost: Decimal | None = None
    unpriced: int = 0
    waited_seconds: float = 0.0


def total(attempts: Iterable[Attempt], before: Total = Total()) -> Total:
    """Return the sums over *attempts*, and over those *before*."""
    sent, failed, refused, cached = before.sent, before.failed, before.refused, before.cached
    tokens, untold, cost, unpriced = before.tokens_used, before.untold, before.cost, before.unpriced
    waited = before.waited_seconds
    for attempt in attempts:
        waited += attempt.waited_seconds
        if attempt.outcome in ("refused", "cached"):
            refused += attempt.outcome == "refused"
            cached += attempt.outcome == "cached"
            continue
        sent += 1
        failed += attempt.outcome != "answered"
        tokens += attempt.tokens_used or 0
        untold += attempt.usage_source != "reported"
        unpriced += attempt.cost is None
        cost = _sum(cost, attempt.cost)
    return Total(sent, failed, refused, cached, tokens, untold, cost, unpriced, waited)


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    if one is None or other is None:
        return other if one is None else one
    return EXACT.add(one, other)


class Ledger:
    """What all calls of a run came to. It may be used from several threads and event loops."""

    def __init__(self) -> None:
        self._total = Total()
        self._uncounted: deque[Attempt] = deque()
        self._lock = threading.Lock()
        begins_anew_in_child(self)

    def begin_anew(self) -> None:
        """Keep the sums: in a forked child nobody gives back a lock that another thread held."""
        self._lock = threading.Lock()

    @property
    def total(self) -> Total:
        """Return the sums until now."""
        with self._lock:
            self._count()
            return self._total

    def add(self, attempts: Iterable[Attempt]) -> None:
        """Count the attempts of one call.

        Waits for no lock: the garbage collector may end a call anywhere, inside the lock too.
        """
        self._uncounted.extend(attempts)
        if self._lock.acquire(blocking=False):  # else it is counted later
            try:
                self._count()
            finally:
                self._lock.release()

    def _count(self) -> None:
        while uncounted := [self._uncounted.popleft() for _ in range(len(self._uncounted))]:
            self._total = total(uncounted, self._total)
