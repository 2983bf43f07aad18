"""Asks again where that may help: after an error that is retryable, and before any text came.

Waits are random between nothing and a bound that doubles ("full jitter"), so that
callers who failed together don't come back together. Where the server says how long
to wait, nobody comes back earlier. Retries are a share of the calls: when all calls
fail, an outage is not made worse by asking each of them three times.
"""

import asyncio
import random
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from tenacity import AsyncRetrying, AttemptManager, RetryCallState

from war_rig.errors import ProviderError
from war_rig.policies.attempts import reason_of
from war_rig.policies.call import Call, current_call
from war_rig.policies.policy import Policy, Request, StreamingProvider
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

    def seconds(self, failed_attempts: int, retry_after: float | None) -> float:
        """Return how long to wait after so many failed attempts."""
        bound = min(self.longest, self.first * 2 ** min(failed_attempts - 1, 60))
        return (retry_after or 0.0) + random.uniform(0, bound)


class RetryBudget:
    """How many retries there may be: *spare* ones, and a *share* of each call more."""

    def __init__(self, share: float, spare: float) -> None:
        self._share = share
        self._spare = self._left = spare
        self._lock = threading.Lock()

    def earn(self) -> None:
        """Count a call."""
        with self._lock:
            self._left = min(self._spare, self._left + self._share)

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
        async for attempt in self._tries():
            with attempt:
                response = await self._ask(request)
        return response

    async def _stream(self, request: Request) -> AsyncGenerator[CompletionChunk, None]:
        async for attempt in self._tries():
            with attempt:
                chunks = self._ask_stream(request)
                first = await anext(chunks)
        async with aclosing(chunks):
            yield first
            async for chunk in chunks:
                yield chunk

    def _tries(self) -> AsyncIterator[AttemptManager]:
        self._budget.earn()
        again = _Again(current_call(), self._attempts, self._waits, self._budget)
        return aiter(
            AsyncRetrying(
                retry=again.is_wanted,
                wait=again.seconds,
                stop=again.is_over,
                sleep=again.sleep,
                reraise=True,
            )
        )


class _Again:
    """Whether and when one call is tried again: what tenacity asks between two attempts."""

    def __init__(self, call: Call, attempts: int, waits: Waits, budget: RetryBudget) -> None:
        self._call = call
        self._attempts = attempts
        self._waits = waits
        self._budget = budget
        self._reason = ""

    def is_wanted(self, state: RetryCallState) -> bool:
        error = _error(state)
        if error is None or not error.is_retryable:
            return False
        self._reason = f"retry after {reason_of(error)}"
        return (error.retry_after_seconds or 0.0) <= self._waits.longest_retry_after

    def seconds(self, state: RetryCallState) -> float:
        error = _error(state)
        told = error.retry_after_seconds if error else None
        return self._waits.seconds(state.attempt_number, told)

    def is_over(self, state: RetryCallState) -> bool:
        """Return whether no attempt is left, or no time, or too many calls fail just now."""
        if state.attempt_number >= self._attempts:
            return True
        now = asyncio.get_running_loop().time()
        return now + state.upcoming_sleep >= self._call.deadline or not self._budget.take()

    async def sleep(self, seconds: float) -> None:
        await self._call.wait(seconds, self._reason)


def _error(state: RetryCallState) -> ProviderError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, ProviderError) else None
