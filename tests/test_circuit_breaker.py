"""The circuit breaker policy: what keeps failing is left alone, and tried by exactly one call."""

import asyncio
import gc
import logging
import threading
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from war_rig.errors import (
    AuthenticationError,
    BadRequestError,
    CircuitOpenError,
    ConfigError,
    ContentRefusedError,
    ContextTooLongError,
    MalformedAnswerError,
    ModelNotFoundError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    WarRigError,
)
from war_rig.policies.call import Call, under_way
from war_rig.policies.circuit_breaker import CircuitBreaker
from war_rig.providers import CompletionChunk, CompletionResponse, Message
from war_rig.providers.border import Border
from war_rig.testing.rehearsal import rehearse

ASK = [Message("user", "Hello")]
DOWN = ServerError("down", status=503)


class Patient:
    """Answers after *seconds*, or raises *error* then; remembers when it was asked."""

    default_model = "m-1"

    def __init__(self, seconds: float = 0.0) -> None:
        self.asked: list[float] = []
        self.active = self.most = 0
        self.seconds = seconds

    async def complete(self, messages: list[Message], **told: Any) -> CompletionResponse:
        await self._think(told.get("seconds", self.seconds), told.get("error"))
        return CompletionResponse("fine", told.get("model", "m-1"), 1)

    async def stream(self, messages: list[Message], **told: Any) -> Any:
        yield CompletionChunk("fi")
        await self._think(told.get("seconds", self.seconds), told.get("error"))
        yield CompletionChunk("ne", CompletionResponse("fine", "m-1", 1))

    async def _think(self, seconds: float, error: WarRigError | None) -> None:
        self.asked.append(now())
        self.active += 1
        self.most = max(self.most, self.active)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.active -= 1
        if error:
            raise error


def now() -> float:
    return asyncio.get_running_loop().time()


def breaker(provider: Patient, failures: int = 3, open_seconds: float = 30) -> CircuitBreaker:
    return CircuitBreaker(Border("fake", provider), "fake", failures, open_seconds)


async def outcome(circuit: CircuitBreaker, **told: Any) -> str:
    """Return the answer, or the name of the error."""
    try:
        return (await circuit.complete(ASK, **told)).content
    except WarRigError as error:
        return type(error).__name__


async def fail(circuit: CircuitBreaker, times: int = 3, **told: Any) -> None:
    for _ in range(times):
        assert await outcome(circuit, error=DOWN, **told) == "ServerError"


async def beginning(asking: Any) -> asyncio.Task[Any]:
    """Return a task that has come as far as it comes at once."""
    task = asyncio.create_task(asking)
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_failures_in_a_row_open_the_circuit() -> None:
    """The next call is refused; the error and the ledger say why, and for how long."""
    provider, call = Patient(), Call()

    async def play() -> None:
        circuit = breaker(provider)
        await fail(circuit)
        await asyncio.sleep(20)
        with under_way(call), pytest.raises(CircuitOpenError) as caught:
            await circuit.complete(ASK)
        assert str(caught.value) == (
            "provider 'fake' was not asked: it failed 3 times in a row, and is left alone "
            "until 10.0 s have passed\n"
            "  model m-1\n"
            "  ask again later: war-rig explain shows when a circuit opens and closes"
        )
        assert (caught.value.provider, caught.value.model) == ("fake", "m-1")
        assert caught.value.retry_after_seconds == 10
        assert not caught.value.is_retryable

    rehearse(play())
    assert len(provider.asked) == 3
    assert [(a.outcome, a.reason.partition(":")[0]) for a in call.attempts] == [
        ("refused", "CircuitOpenError")
    ]


def test_one_failure_may_be_enough() -> None:
    """The message counts in words then."""

    async def play() -> None:
        circuit = breaker(Patient(), failures=1)
        await fail(circuit, 1)
        with pytest.raises(CircuitOpenError, match="it failed once, and is left alone until 30"):
            await circuit.complete(ASK)

    rehearse(play())


def test_an_answer_sets_the_count_back() -> None:
    """Only failures in a row open the circuit."""

    async def play() -> None:
        circuit = breaker(Patient())
        for _ in range(3):
            await fail(circuit, 2)
            assert await outcome(circuit) == "fine"

    rehearse(play())


FAILURES = [ServerError, ProviderConnectionError, ProviderTimeoutError, MalformedAnswerError]
NEUTRAL = [
    RateLimitError, QuotaExceededError, AuthenticationError, ModelNotFoundError, BadRequestError,
    ContextTooLongError, ContentRefusedError, ProviderError, ConfigError,
]  # fmt: skip


@pytest.mark.parametrize("kind", FAILURES, ids=lambda kind: kind.__name__)
def test_what_says_that_the_server_is_down_counts(kind: type[ProviderError]) -> None:
    """A server error, no connection, no answer in time, and no real answer."""

    async def play() -> None:
        circuit = breaker(Patient())
        for _ in range(3):
            assert await outcome(circuit, error=kind("no")) == kind.__name__
        assert await outcome(circuit) == "CircuitOpenError"

    rehearse(play())


@pytest.mark.parametrize("kind", NEUTRAL, ids=lambda kind: kind.__name__)
def test_what_says_nothing_of_the_server_is_passed_over(kind: type[WarRigError]) -> None:
    """It neither counts nor sets the count back, and as a probe it decides nothing."""

    async def play() -> None:
        circuit = breaker(Patient())
        await fail(circuit, 2)
        for _ in range(3):
            assert await outcome(circuit, error=kind("no")) == kind.__name__
        await fail(circuit, 1)
        assert await outcome(circuit) == "CircuitOpenError"
        await asyncio.sleep(30)
        assert await outcome(circuit, error=kind("no")) == kind.__name__
        await fail(circuit, 1)
        assert await outcome(circuit) == "CircuitOpenError"

    rehearse(play())


def test_each_model_has_its_own_circuit() -> None:
    """One that is down leaves the others alone; the default model is one of them by its name."""

    async def play() -> None:
        circuit = breaker(Patient())
        await fail(circuit)
        assert await outcome(circuit, model="m-1") == "CircuitOpenError"
        assert await outcome(circuit, model="m-2") == "fine"

    rehearse(play())


def test_half_open_lets_one_call_through() -> None:
    """All others are refused until it has ended; then its answer lets all through."""
    provider = Patient()

    async def play() -> None:
        circuit = breaker(provider)
        await fail(circuit)
        await asyncio.sleep(30)
        probe = await beginning(outcome(circuit, seconds=50))
        await asyncio.sleep(40)
        with pytest.raises(CircuitOpenError) as caught:
            await circuit.complete(ASK)
        assert "is left alone until the call that tries it has ended\n" in str(caught.value)
        assert caught.value.retry_after_seconds is None
        assert await probe == "fine"
        assert await asyncio.gather(*(outcome(circuit) for _ in range(5))) == ["fine"] * 5

    rehearse(play())
    assert provider.asked == [0, 0, 0, 30, *[80] * 5]


def test_a_probe_that_fails_opens_the_circuit_anew() -> None:
    """One failure is enough then, and the time runs from its end."""
    provider = Patient()

    async def play() -> None:
        circuit = breaker(provider)
        await fail(circuit)
        await asyncio.sleep(30)
        await fail(circuit, 1, seconds=5)
        await asyncio.sleep(29)
        assert await outcome(circuit) == "CircuitOpenError"
        await asyncio.sleep(1)
        assert await outcome(circuit) == "fine"

    rehearse(play())
    assert provider.asked == [0, 0, 0, 30, 65]


def test_a_closed_circuit_counts_from_nothing() -> None:
    """After a probe that was answered it takes all failures again to open."""

    async def play() -> None:
        circuit = breaker(Patient())
        await fail(circuit)
        await asyncio.sleep(30)
        assert await outcome(circuit) == "fine"
        await fail(circuit)
        assert await outcome(circuit) == "CircuitOpenError"

    rehearse(play())


def test_a_cancelled_probe_decides_nothing() -> None:
    """The next call is the probe, at once."""

    async def play() -> None:
        circuit = breaker(Patient())
        await fail(circuit)
        await asyncio.sleep(30)
        probe = await beginning(outcome(circuit, seconds=50))
        assert await outcome(circuit) == "CircuitOpenError"
        await cancelled(probe)
        assert await outcome(circuit) == "fine"

    rehearse(play())


@pytest.mark.parametrize("told", [{}, {"error": DOWN}], ids=["answer", "failure"])
def test_a_late_result_changes_nothing(told: dict[str, Any]) -> None:
    """A call from before the circuit opened neither closes it nor keeps it open for longer."""

    async def play() -> None:
        circuit = breaker(Patient(), open_seconds=30)
        slow = await beginning(outcome(circuit, seconds=10, **told))
        slower = await beginning(outcome(circuit, seconds=35, **told))
        await fail(circuit)
        await slow
        assert await outcome(circuit) == "CircuitOpenError"
        await asyncio.sleep(20)
        probe = await beginning(outcome(circuit, seconds=20))
        await slower
        assert await outcome(circuit) == "CircuitOpenError"
        assert await probe == "fine"
        assert await outcome(circuit) == "fine"

    rehearse(play())


def test_a_stream_is_a_call() -> None:
    """Read to its end it is an answer; left early it says nothing; its error is a failure."""

    async def read(circuit: CircuitBreaker, **told: Any) -> str:
        return "".join([chunk.content async for chunk in circuit.stream(ASK, **told)])

    async def play() -> None:
        circuit = breaker(Patient(), failures=2)
        for _ in range(2):
            with pytest.raises(ServerError):
                await read(circuit, error=DOWN)
        with pytest.raises(CircuitOpenError):
            await read(circuit)
        await asyncio.sleep(30)
        async with aclosing(circuit.stream(ASK)) as chunks:
            await anext(chunks)
            assert await outcome(circuit) == "CircuitOpenError"
        assert await read(circuit) == "fine"
        assert await outcome(circuit) == "fine"

    rehearse(play())


def test_the_changes_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Each change is one line, with the names of the provider and the model."""
    caplog.set_level(logging.INFO, "war_rig.policies")

    async def play() -> None:
        circuit = breaker(Patient())
        await fail(circuit)
        assert await outcome(circuit) == "CircuitOpenError"
        await asyncio.sleep(30)
        await fail(circuit, 1)
        await asyncio.sleep(30)
        assert await outcome(circuit) == "fine"

    rehearse(play())
    told = "provider fake, model m-1: the circuit is "
    assert [record.getMessage() for record in caplog.records] == [
        f"{told}{state}"
        for state in (
            "open for 30 s", "half-open, one call tries it", "open for 30 s",
            "half-open, one call tries it", "closed again",
        )  # fmt: skip
    ]


def test_a_probe_that_was_left_behind_is_freed_when_it_is_finalised() -> None:
    """A loop that was closed over a probe does not keep the circuit half-open for ever."""
    circuit = breaker(Patient(), failures=1, open_seconds=1e-9)
    left = asyncio.new_event_loop()

    async def play() -> None:
        await fail(circuit, 1)
        await beginning(circuit.complete(ASK, seconds=50))

    left.run_until_complete(play())
    left.close()
    gc.collect()
    assert asyncio.run(outcome(circuit)) == "fine"


def test_threads_share_the_circuit() -> None:
    """Of the calls of eight threads at once exactly one is the probe."""
    provider, together = Patient(), threading.Barrier(8)
    circuit = breaker(provider, failures=1, open_seconds=1e-9)
    asyncio.run(fail(circuit, 1))
    ended: list[str] = []

    async def play() -> None:
        together.wait()
        task = await beginning(outcome(circuit, seconds=0.0, error=BadRequestError("no")))
        ended.append(await task)

    class Held(Patient):
        """Ends when all others were refused."""

    threads = [threading.Thread(target=lambda: asyncio.run(play())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ended) == 8
    assert provider.most == 1


@dataclass(frozen=True)
class Visit:
    """A call at *time*; None for *answers*: it ends in an error that decides nothing."""

    time: int
    seconds: int
    answers: bool | None
    patience: int | None
    is_streamed: bool


VISITS = st.builds(
    Visit,
    time=st.integers(0, 40),
    seconds=st.integers(0, 12),
    answers=st.sampled_from([True, False, False, False, None]),
    patience=st.none() | st.integers(0, 12),
    is_streamed=st.booleans(),
)
ERRORS = {True: None, False: DOWN, None: RateLimitError("busy", status=429)}


class Watched(Patient):
    """Says for each call when it was under way, and how it ended."""


async def visit(circuit: CircuitBreaker, visit: Visit) -> tuple[float, float, str]:
    """Return when the call began and ended, and how."""
    await asyncio.sleep(visit.time)
    begun = now()
    told = {"seconds": visit.seconds, "error": ERRORS[visit.answers]}
    try:
        async with asyncio.timeout(visit.patience):
            if visit.is_streamed:
                async with aclosing(circuit.stream(ASK, **told)) as chunks:
                    ended = "".join([chunk.content async for chunk in chunks])
            else:
                ended = await outcome(circuit, **told)
    except TimeoutError:
        ended = "cancelled"
    except WarRigError as error:
        ended = type(error).__name__
    return begun, now(), ended
