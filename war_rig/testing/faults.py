"""A provider that fails as declared: by time, by chance, and in every run alike.

    FaultyProvider(
        during(0, 600, rate_limited(retry_after_seconds=20, share=0.5)),
        stalled(120, share=0.01),
        latency_seconds=0.8,
    )

In its first ten minutes about half of the calls are answered 429. Of the others, and
of those that come later, one in a hundred hangs for two minutes. Under ``rehearse``
that takes milliseconds. What it raises are our own errors, as a plugin may raise
them: put it inside a Border, or register it, and policies meet what they would meet.
"""

import asyncio
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import cast

from war_rig.errors import (
    MalformedAnswerError,
    ProviderConnectionError,
    RateLimitError,
    ServerError,
)
from war_rig.policies.policy import Policy, Request, StreamingProvider, ask
from war_rig.providers import CompletionChunk, CompletionResponse, LLMProvider
from war_rig.providers.streams import checked_stream
from war_rig.testing.fake import FakeProvider


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with some calls; the functions of this module make the usual ones.

    outcome: its name in ``FaultyProvider.calls``. error: makes what is raised; None
    where the answer arrives after all. stall_seconds: what passes before that.
    pieces: how many of a stream arrive before it. share: of the calls that no fault
    before this one took, from 0 to 1. begin_seconds, end_seconds: since the first call.
    """

    outcome: str
    error: Callable[[], Exception] | None = None
    stall_seconds: float = 0.0
    pieces: int = 0
    share: float = 1.0
    begin_seconds: float = 0.0
    end_seconds: float = inf

    async def strike(self) -> None:
        """Let it happen."""
        if self.stall_seconds:
            await asyncio.sleep(self.stall_seconds)
        if self.error is not None:
            raise self.error()


def during(begin_seconds: float, end_seconds: float, fault: Fault) -> Fault:
    """Return *fault* for the calls that arrive in that time since the first, the end excluded."""
    return replace(fault, begin_seconds=begin_seconds, end_seconds=end_seconds)


def rate_limited(retry_after_seconds: float | None = None, *, share: float = 1.0) -> Fault:
    """Answer 429, and tell how long to wait."""
    error = partial(
        RateLimitError, "too many requests", status=429, retry_after_seconds=retry_after_seconds
    )
    return Fault("rate_limited", error, share=share)


def server_error(status: int = 500, *, share: float = 1.0) -> Fault:
    """Answer with an error status of 500 or more."""
    error = partial(ServerError, "the server failed", status=status)
    return Fault("server_error", error, share=share)


def unreachable(*, share: float = 1.0) -> Fault:
    """Refuse the connection."""
    error = partial(ProviderConnectionError, "the connection was refused")
    return Fault("unreachable", error, share=share)


def stalled(seconds: float, *, pieces: int = 0, share: float = 1.0) -> Fault:
    """Send nothing for *seconds*, in a stream after so many pieces; then the answer goes on."""
    return Fault("stalled", stall_seconds=seconds, pieces=pieces, share=share)


def cut(pieces: int = 1, *, share: float = 1.0) -> Fault:
    """Close the connection in mid-answer, in a stream after so many pieces."""
    error = partial(ProviderConnectionError, "the connection was closed in mid-answer")
    return Fault("cut", error, pieces=pieces, share=share)


def malformed(*, share: float = 1.0) -> Fault:
    """Answer with what is no answer, such as a proxy's page."""
    error = partial(MalformedAnswerError, "the answer is no JSON")
    return Fault("malformed", error, share=share)


_NO_FAULT = Fault("unanswered")
_TIMER_ERROR = 1e-6


@dataclass(slots=True)
class Arrival:
    """One call as the provider saw it.

    seconds: since the first call. outcome: the name of its fault; without one "answered",
    or "unanswered" while it is under way and where its caller left before the end.
    """

    seconds: float
    outcome: str


class FaultyProvider(Policy):
    """Asks *provider*, a FakeProvider by default, but for the calls that a fault strikes.

    Of several faults the first that applies is the one. It counts the running loop's
    time from its first call on: one for each rehearsal.

    latency_seconds: what each call takes before its first piece, or its error.
    tokens_used: what each answer reports; None leaves it to *provider*.
    seed: another one chooses other calls.
    """

    def __init__(
        self,
        *faults: Fault,
        provider: LLMProvider | None = None,
        latency_seconds: float = 0.0,
        tokens_used: int | None = None,
        seed: int = 0,
    ) -> None:
        inner = FakeProvider() if provider is None else provider
        super().__init__(cast(StreamingProvider, inner))  # asked through checked_stream
        self.calls: list[Arrival] = []
        self.most_in_flight = 0
        self._in_flight = 0
        self._faults = faults
        self._latency_seconds = latency_seconds
        self._tokens_used = tokens_used
        self._random = random.Random(seed)
        self._first: float | None = None

    @property
    def outcomes(self) -> Counter[str]:
        """Return how many calls came to each outcome."""
        return Counter(call.outcome for call in self.calls)

    def most_within(self, seconds: float) -> int:
        """Return how many calls arrived, at the most, in any window of that length.

        Two that are just as far apart are not in one window.
        """
        times = [call.seconds for call in self.calls]
        ends = (bisect_left(times, begin + seconds - _TIMER_ERROR) for begin in times)
        return max((end - number for number, end in enumerate(ends)), default=0)

    async def _complete(self, request: Request) -> CompletionResponse:
        async with self._arrived() as (call, fault):
            await fault.strike()
            response = await ask(self.provider, request)
            return self._answered(response, request, call, fault)

    async def _stream(self, request: Request) -> AsyncGenerator[CompletionChunk, None]:
        checked = checked_stream(self.provider, request.messages, request.parameters, self.name)
        async with self._arrived() as (call, fault), aclosing(checked) as chunks:
            given = 0
            while True:
                if given == fault.pieces:
                    await fault.strike()
                chunk = await anext(chunks)
                if chunk.response is not None:
                    break
                yield chunk
                given += 1
            if given < fault.pieces:  # a short answer
                await fault.strike()
            yield CompletionChunk(
                chunk.content, self._answered(chunk.response, request, call, fault)
            )

    @asynccontextmanager
    async def _arrived(self) -> AsyncIterator[tuple[Arrival, Fault]]:
        """Take a call, and decide what goes wrong with it."""
        now = asyncio.get_running_loop().time()
        self._first = now if self._first is None else self._first
        seconds = now - self._first
        fault = self._fault(seconds)
        call = Arrival(seconds, fault.outcome)
        self.calls.append(call)
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            await asyncio.sleep(self._latency_seconds)
            yield call, fault
        finally:
            self._in_flight -= 1

    def _fault(self, seconds: float) -> Fault:
        due = (f for f in self._faults if f.begin_seconds <= seconds < f.end_seconds)
        return next((f for f in due if self._random.random() < f.share), _NO_FAULT)

    def _answered(
        self, response: CompletionResponse, request: Request, call: Arrival, fault: Fault
    ) -> CompletionResponse:
        if fault is _NO_FAULT:
            call.outcome = "answered"
        if self._tokens_used is None:
            return response
        prompt = min(request.estimated_tokens, self._tokens_used)
        return replace(
            response,
            tokens_used=self._tokens_used,
            prompt_tokens=prompt,
            completion_tokens=self._tokens_used - prompt,
            usage_source="reported",
        )
