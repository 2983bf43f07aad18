"""Asks again where that may help: after an error that is retryable, and before any text came.

Waits are random between nothing and a bound that doubles ("full jitter"), so that
callers who failed together don't come back together. Where the server says how long
to wait, nobody comes back earlier. All other retries are a share of the calls: when all
calls fail, an outage is not made worse by asking each of them three times.
"""

import asyncio
import random
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from war_rig.errors import ProviderError
from war_rig.forking import begins_anew_in_child
from war_rig.policies.call import Call, reason_of
from war_rig.policies.policy import Policy, Request, StreamingProvider, ask, ask_stream
from war_rig.providers import CompletionChunk, CompletionResponse


@dataclass(frozen=True, slots=True)
class Waits:
    """When to ask again, in seconds.

    first: the bound of the first wait. longest: that of any wait.
    longest_retry_after: a server that wants more is not asked again.
    """

    first: float
    longest: float
    longest_retry_after: float

    def is_too_long(self, retry_after: float | None) -> bool:
        """Return whether the server wants more than is waited."""
        return (retry_after or 0.0) > self.longest_retry_after

    def seconds(self, failed_attempts: int, retry_after: float | None) -> float:
        """Return how long to wait after so many failed attempts."""
        bound = min(self.longest, self.first * 2 ** min(failed_attempts - 1, 60))
        return (retry_after or 0.0) + random.uniform(0, bound)


class RetryBudget:
    """How many retries there may be: *spare* ones, and a *share* of each call more."""

    def __init__(self, share: float, spare: float) -> None:
        self._share = share
        self._left = spare
        self._most = max(spare, share, 1.0)  # else what is less than a retry would never be one
        self._lock = threading.Lock()
        begins_anew_in_child(self)

    def begin_anew(self) -> None:
        """Keep the count: in a forked child nobody gives back a lock that another thread held."""
        self._lock = threading.Lock()

    def earn(self) -> None:
        """Count a call."""
        with self._lock:
            self._left = min(self._most, self._left + self._share)

    def take(self) -> bool:
        """Return whether a retry may be made, and count it."""
        with self._lock:
            is_there = self._left >= 1
            self._left -= is_there
            return is_there


class Retry(Policy):
    """Asks up to *attempts* times."""

    def __init__(
        self, provider: StreamingProvider, attempts: int, waits: Waits, budget: RetryBudget
    ) -> None:
        super().__init__(provider)
        self._attempts = attempts
        self._waits = waits
        self._budget = budget

    async def _complete(self, request: Request) -> CompletionResponse:
        call, made = self._begin(request), 0
        while True:
            try:
                return await ask(self.provider, request)
            except ProviderError as error:
                made += 1
                seconds, reason = self._again(error, made, call)
                if seconds is None:
                    raise
            await call.wait(seconds, reason)

    async def _stream(self, request: Request) -> AsyncGenerator[CompletionChunk, None]:
        call, made, has_begun = self._begin(request), 0, False
        while True:
            async with aclosing(ask_stream(self.provider, request)) as chunks:
                try:
                    async for chunk in chunks:
                        has_begun = True
                        yield chunk
                    return
                except ProviderError as error:
                    if has_begun:  # what was given can't be taken back
                        raise
                    made += 1
                    seconds, reason = self._again(error, made, call)
                    if seconds is None:
                        raise
            await call.wait(seconds, reason)

    def _begin(self, request: Request) -> Call:
        self._budget.earn()
        return request.call

    def _again(self, error: ProviderError, made: int, call: Call) -> tuple[float | None, str]:
        """Return how long to wait before the next attempt, and why; None where there is none."""
        told, reason = error.retry_after_seconds, f"retry after {reason_of(error)}"
        if not error.is_retryable or made >= self._attempts or self._waits.is_too_long(told):
            return None, reason
        seconds = self._waits.seconds(made, told)
        now = asyncio.get_running_loop().time()
        if now + seconds >= call.deadline:
            return None, reason
        is_invited = told is not None  # the server says itself when, so nothing gets worse
        return (seconds if is_invited or self._budget.take() else None), reason
