"""The circuit breaker policy: what keeps failing is left alone, and tried by exactly one call."""

import asyncio
import gc
import logging
import threading
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from canary import CANARY
from hypothesis import given
from hypothesis import strategies as st
from stacked import complete_in, stacked

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
from war_rig.policies.call import Call
from war_rig.policies.circuit_breaker import CircuitBreaker
from war_rig.policies.rate_limit import RateLimit
from war_rig.providers import CompletionChunk, CompletionResponse, Message
from war_rig.providers.border import Border
from war_rig.testing import FakeProvider
from war_rig.testing.rehearsal import rehearse

ASK = [Message("user", "Hello")]
DOWN = ServerError("down", status=503)


class Patient:
    """Answers, or raises, after as many seconds as it is told; remembers when it was asked."""

    default_model = "m-1"

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def complete(self, messages: list[Message], **told: Any) -> CompletionResponse:
        await self._think(told.get("seconds", 0.0), told.get("error"))
        return CompletionResponse("fine", told.get("model", "m-1"), 1)

    async def stream(
        self, messages: list[Message], **told: Any
    ) -> AsyncGenerator[CompletionChunk, None]:
        yield CompletionChunk("fi")
        await self._think(told.get("seconds", 0.0), told.get("error"))
        yield CompletionChunk("ne", CompletionResponse("fine", "m-1", 1))

    async def _think(self, seconds: float, error: WarRigError | None) -> None:
        self.asked.append(now())
        await asyncio.sleep(seconds)
        if error:
            raise error


def now() -> float:
    return asyncio.get_running_loop().time()


def breaker(provider: Patient, failures: int = 3, open_seconds: float = 30) -> CircuitBreaker:
    return CircuitBreaker(Border("fake", provider), "fake", failures, open_seconds)


async def outcome(circuit: CircuitBreaker, call: Call | None = None, **told: Any) -> str:
    """Return the answer, or the name of the error."""
    try:
        return (await complete_in(call or Call(), circuit, ASK, **told)).content
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
        with pytest.raises(CircuitOpenError) as caught:
            await complete_in(call, circuit, ASK)
        assert str(caught.value) == (
            "provider 'fake' was not asked: it failed 3 times in a row, and is left alone "
            "until 10.0 s have passed\n"
            "  model m-1\n"
            "  ask again later: war-rig explain shows after how many failures a circuit opens, "
            "and for how long"
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
        assert await outcome(circuit) == "fine"
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
            "open for 30 s",
            "half-open, one call tries it",
            "open for 30 s",
            "half-open, one call tries it",
            "closed again",
        )
    ]


async def begun(circuit: CircuitBreaker, seconds: float) -> asyncio.Task[str]:
    """Open the circuit, and return its probe, which is under way."""
    await fail(circuit, 1)
    return await beginning(outcome(circuit, seconds=seconds))


def test_a_probe_that_was_left_behind_is_freed_when_it_is_finalised() -> None:
    """A loop that was closed over a probe does not keep the circuit half-open for ever."""
    circuit = breaker(Patient(), failures=1, open_seconds=1e-9)
    left = asyncio.new_event_loop()
    left.run_until_complete(begun(circuit, seconds=50))
    left.close()
    gc.collect()
    assert asyncio.run(outcome(circuit)) == "fine"


@pytest.mark.filterwarnings("ignore:.*was never awaited")
def test_a_probe_in_a_closed_loop_holds_up_nobody() -> None:
    """Not even where somebody keeps its task, so that nothing ever ends it."""
    circuit = breaker(Patient(), failures=1, open_seconds=1e-9)
    left = asyncio.new_event_loop()
    kept = left.run_until_complete(begun(circuit, seconds=50))
    left.close()
    assert asyncio.run(outcome(circuit)) == "fine"
    assert not kept.done()


def test_the_result_of_a_probe_whose_loop_had_stopped_comes_too_late() -> None:
    """Another call is the probe meanwhile, and its result is the one that counts."""

    class Held(Patient):
        async def complete(
            self, messages: list[Message], until: asyncio.Event | None = None, **told: Any
        ) -> CompletionResponse:
            if until:
                await until.wait()
            return await super().complete(messages, **told)

    circuit = breaker(Held(), failures=1, open_seconds=1e-9)

    async def play() -> None:
        probe = await beginning(outcome(circuit, until=(until := asyncio.Event())))
        await asyncio.to_thread(stopped.run_until_complete, late)
        assert await outcome(circuit) == "CircuitOpenError"
        until.set()
        assert await probe == "fine"

    with closing(asyncio.new_event_loop()) as stopped:
        late = stopped.run_until_complete(begun(circuit, seconds=0.001))
        asyncio.run(play())
    assert asyncio.run(outcome(circuit)) == "fine"


def test_threads_share_the_circuit() -> None:
    """Of eight calls in eight threads one is the probe, and seven are refused while it lasts."""
    all_here, refused = threading.Barrier(8), threading.Semaphore(0)

    class Held(Patient):
        async def _think(self, seconds: float, error: WarRigError | None) -> None:
            for _ in range(0 if error else 7):
                assert await asyncio.to_thread(refused.acquire, timeout=20)
            await super()._think(seconds, error)

    circuit = breaker(Held(), failures=1, open_seconds=1e-9)
    asyncio.run(fail(circuit, 1))
    ends: list[str] = []

    def visit() -> None:
        all_here.wait()
        ends.append(asyncio.run(outcome(circuit)))
        refused.release()

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["CircuitOpenError"] * 7 + ["fine"]


def test_models_that_answer_leave_nothing_behind() -> None:
    """However many there are; those with failures are remembered."""
    circuit = breaker(Patient(), failures=2)

    async def play() -> str:
        await fail(circuit, 1, model="weak")
        for number in range(1_000):
            assert await outcome(circuit, model=f"m-{number}") == "fine"
        await fail(circuit, 1, model="weak")
        return await outcome(circuit, model="weak")

    assert rehearse(play()) == "CircuitOpenError"
    assert len(circuit._circuits) < 300


def test_a_model_that_holds_a_secret_is_masked_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As in the error beside it."""
    caplog.set_level(logging.INFO, "war_rig.policies")
    circuit = CircuitBreaker(Border("fake", Patient(), [CANARY]), "fake", 1, 30)
    rehearse(fail(circuit, 1, model=f"tuned-{CANARY}"))
    assert [record.getMessage() for record in caplog.records] == [
        "provider fake, model tuned-***: the circuit is open for 30 s"
    ]


# ---- with a queue between the breaker and the provider


def queued(
    provider: Patient, failures: int = 3, open_seconds: float = 30, **limits: int
) -> CircuitBreaker:
    """Return a breaker whose calls wait for a rate limit."""
    known = {"requests_per_minute": None, "tokens_per_minute": None, "concurrency": None}
    limit = RateLimit(Border("fake", provider), "fake", **{**known, **limits})
    return CircuitBreaker(limit, "fake", failures, open_seconds)


async def a_queue(circuit: CircuitBreaker, *calls: dict[str, Any]) -> list[asyncio.Task[str]]:
    """Return one task for each of the *calls*, which have come in this order."""
    return [await beginning(outcome(circuit, **told)) for told in calls]


def test_who_waited_while_the_circuit_opened_is_refused() -> None:
    """A queue in front of a provider that is down does not go on hitting it."""
    provider, last = Patient(), Call()

    async def play() -> None:
        circuit = queued(provider, concurrency=2)
        down = {"error": DOWN, "seconds": 5}
        asking = await a_queue(circuit, *[down] * 20, {"call": last})
        assert Counter(await asyncio.gather(*asking)) == {"ServerError": 4, "CircuitOpenError": 17}
        assert now() == 10
        await asyncio.sleep(30)
        asking = await a_queue(circuit, *[{"seconds": 5}] * 2)
        assert await asyncio.gather(*asking) == ["fine", "CircuitOpenError"]

    rehearse(play())
    assert provider.asked == [0, 0, 5, 5, 40]
    (refused,) = last.attempts
    assert (refused.outcome, refused.reason) == (
        "refused",
        "CircuitOpenError: provider 'fake' was not asked: it failed 3 times in a row, and is left "
        "alone until 30.0 s have passed",
    )
    assert (refused.waited_seconds, refused.waited_for) == (10, "rate limit: 2 calls at once")


def test_who_waited_and_was_refused_took_no_place() -> None:
    """Its request and its tokens are those of whoever comes next."""
    provider = Patient()

    async def play() -> None:
        circuit = queued(provider, failures=1, open_seconds=1, requests_per_minute=2)
        await asyncio.gather(*await a_queue(circuit, {}, {"error": DOWN, "seconds": 60}, {}, {}))
        await asyncio.sleep(1)
        assert await outcome(circuit) == "fine"

    rehearse(play())
    assert provider.asked == [0, 0, 61]


def test_one_of_those_who_waited_is_the_probe() -> None:
    """Where the circuit is due when their turn comes, exactly one of them tries it."""
    provider = Patient()

    async def play() -> None:
        circuit = queued(provider, failures=1, open_seconds=10, requests_per_minute=2)
        down, other, waiting = {"error": DOWN, "seconds": 3}, {"model": "m-2"}, {"seconds": 9}
        asking = await a_queue(circuit, down, *[other] * 2, *[waiting] * 3)
        assert await asyncio.gather(*asking) == [
            "ServerError", "fine", "fine", "fine", "CircuitOpenError", "CircuitOpenError",
        ]  # fmt: skip

    rehearse(play())
    assert provider.asked == pytest.approx([0, 0, 60.001, 60.001])


def test_a_fallback_asks_its_own_breaker_only() -> None:
    """That of the entry before it says nothing about a call that waits elsewhere."""
    spare = stacked(FakeProvider("spare"), rate_limit={"requests_per_minute": 1}, retry=None)
    circuit = {"failures": 1, "open_seconds": 300}
    house = stacked(
        FakeProvider(DOWN), hops=[lambda: spare.inner], fallback=["spare"], circuit_breaker=circuit
    )

    async def play() -> None:
        await spare.complete(ASK)
        assert (await house.complete(ASK)).content == "spare"
        assert now() > 60

    rehearse(play())


@dataclass(frozen=True)
class Visit:
    """A call after *time* and *steps*, which ends as *end* after *seconds*, or is given up."""

    time: int
    steps: int
    seconds: int
    end: str
    patience: int | None
    is_streamed: bool


VISITS = st.builds(
    Visit,
    time=st.integers(0, 20),
    steps=st.integers(0, 3),
    seconds=st.integers(0, 9),
    end=st.sampled_from(["answer", "failure", "failure", "failure", "neutral"]),
    patience=st.none() | st.integers(0, 9),
    is_streamed=st.booleans(),
)


class Watched:
    """Ends as each call wants it; writes down all that happens, in its order."""

    default_model = "m-1"

    def __init__(self) -> None:
        self.happened: list[tuple[float, str, int]] = []

    async def complete(self, messages: list[Message], **told: Any) -> CompletionResponse:
        await self._end(told["id"], told["visit"])
        return CompletionResponse("fine", "m-1", 1)

    async def stream(
        self, messages: list[Message], **told: Any
    ) -> AsyncGenerator[CompletionChunk, None]:
        await self._end(told["id"], told["visit"])
        yield CompletionChunk("fine", CompletionResponse("fine", "m-1", 1))

    async def _end(self, number: int, visit: Visit) -> None:
        self.tell("sent", number)
        end = "neutral"
        try:
            await asyncio.sleep(visit.seconds)
            end = visit.end
        finally:
            self.tell(end, number)
        if end != "answer":
            raise DOWN if end == "failure" else RateLimitError("busy", status=429)

    def tell(self, what: str, number: int) -> None:
        self.happened.append((now(), what, number))


async def come(circuit: CircuitBreaker, watched: Watched, number: int, visit: Visit) -> None:
    await asyncio.sleep(visit.time)
    for _ in range(visit.steps):
        await asyncio.sleep(0)
    told = {"id": number, "visit": visit}
    with suppress(ProviderError, TimeoutError):
        async with asyncio.timeout(visit.patience):
            watched.tell("came", number)
            if visit.is_streamed:
                async with aclosing(circuit.stream(ASK, **told)) as chunks:
                    async for _ in chunks:
                        pass
            else:
                await circuit.complete(ASK, **told)


class Expected:
    """The circuit as it should be, told what happens: one state after the other, numbered."""

    def __init__(self, failures: int, open_seconds: float) -> None:
        self.limit, self.open_seconds = failures, open_seconds
        self.state = self.failures = 0
        self.opens_at: float | None = None
        self.probe: int | None = None
        self.began_in: dict[int, int] = {}

    def lets_through(self, time: float, number: int) -> bool:
        if self.opens_at is not None:
            if time < self.opens_at or self.probe is not None:
                return False
            self.probe = number
        self.began_in[number] = self.state
        return True

    def ends(self, time: float, end: str, number: int) -> None:
        if self.began_in[number] != self.state:
            return
        was_probe, self.probe = self.probe is not None, None
        self.failures = {"answer": 0, "failure": self.failures + 1}.get(end, self.failures)
        if end == "failure" and (was_probe or self.failures == self.limit):
            self.state, self.failures, self.opens_at = self.state + 1, 0, time + self.open_seconds
        elif end == "answer" and was_probe:
            self.state, self.opens_at = self.state + 1, None


@given(
    visits=st.lists(VISITS, min_size=5, max_size=25),
    failures=st.integers(1, 3),
    open_seconds=st.integers(1, 9),
)
def test_calls_are_let_through_exactly_as_the_state_says(
    visits: list[Visit], failures: int, open_seconds: int
) -> None:
    """One probe in half-open, none while open, all while closed: in any order, with any end."""
    watched = Watched()
    circuit = CircuitBreaker(Border("fake", watched), "fake", failures, open_seconds)

    async def play() -> None:
        await asyncio.gather(*(come(circuit, watched, n, v) for n, v in enumerate(visits)))
        await asyncio.sleep(open_seconds)
        well = Visit(0, 0, 0, "answer", None, False)
        await circuit.complete(ASK, id=len(visits), visit=well)

    rehearse(play())
    expected = Expected(failures, open_seconds)
    happened = watched.happened[:-2]
    sent = {number for _, what, number in happened if what == "sent"}
    for time, what, number in happened:
        if what == "came":
            assert expected.lets_through(time, number) == (number in sent)
        elif what != "sent":
            expected.ends(time, what, number)
