"""The rate limit policy: never more in a minute, and never more at once, than declared."""

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stacked import complete_in, stream_in

from war_rig.errors import BadRequestError, ProviderError, RateLimitError, ServerError
from war_rig.ledger import Attempt, Outcome
from war_rig.policies.attempts import Attempts
from war_rig.policies.call import Call
from war_rig.policies.rate_limit import RateLimit
from war_rig.providers import CompletionChunk, CompletionResponse, LLMProvider, Message
from war_rig.providers.border import Border
from war_rig.testing.rehearsal import RehearsalLoop, rehearse

ASK = [Message("user", "")]


def at_most(
    provider: LLMProvider,
    requests: int | None = None,
    tokens: int | None = None,
    concurrency: int | None = None,
) -> RateLimit:
    """Return *provider* in its ledger, within a rate limit."""
    inner = Attempts(Border("fake", provider), "fake", lambda *_: None)
    return RateLimit(inner, "fake", requests, tokens, concurrency)


def now() -> float:
    return asyncio.get_running_loop().time()


class Recorder:
    """Takes *seconds* for an answer; keeps when each call began, and how many were under way."""

    default_model = "m-1"

    def __init__(
        self, seconds: float = 0.0, used: int = 1, error: ProviderError | None = None
    ) -> None:
        self.times: list[float] = []
        self.order: list[Any] = []
        self.active = self.most = 0
        self._seconds, self._used, self._error = seconds, used, error
        self._lock = threading.Lock()

    async def complete(self, messages: list[Message], **asked: Any) -> CompletionResponse:
        self._begin(asked)
        try:
            await asyncio.sleep(asked.get("seconds", self._seconds))
        finally:
            self._end()
        if self._error:
            raise self._error
        used = asked.get("max_tokens", self._used)
        return CompletionResponse("fine", "m-1", used, usage_source="reported")

    async def stream(
        self, messages: list[Message], **asked: Any
    ) -> AsyncGenerator[CompletionChunk, None]:
        self._begin(asked)
        try:
            await asyncio.sleep(asked.get("seconds", self._seconds))
            yield CompletionChunk("fi")
            yield CompletionChunk("ne", CompletionResponse("fine", "m-1", self._used))
        finally:
            self._end()

    def _begin(self, asked: dict[str, Any]) -> None:
        with self._lock:
            self.times.append(now())
            self.order.append(asked.get("id"))
            self.active += 1
            self.most = max(self.most, self.active)

    def _end(self) -> None:
        with self._lock:
            self.active -= 1


async def ask(limit: RateLimit, call: Call | None = None, size: int = 0, **asked: Any) -> str:
    """Return the answer to a message of *size* characters, asked for in *call*."""
    messages = [Message("user", "x" * size)]
    return (await complete_in(call or Call(), limit, messages, **asked)).content


async def together(calls: int, limit: RateLimit, **asked: Any) -> list[str]:
    return await asyncio.gather(*(ask(limit, **asked) for _ in range(calls)))


async def beginning(asking: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Return a task that has come as far as it comes at once."""
    task = asyncio.create_task(asking)
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_no_more_requests_than_declared_begin_in_a_minute() -> None:
    """What does not fit begins when the window has moved on, a hair more than a minute later."""
    provider = Recorder()
    rehearse(together(5, at_most(provider, requests=2)))
    assert provider.times == pytest.approx([0, 0, 60.001, 60.001, 120.002], abs=1e-6)


def test_without_limits_nobody_waits() -> None:
    """A limit that is not declared limits nothing."""
    provider = Recorder(seconds=1)
    rehearse(together(50, at_most(provider)))
    assert provider.times == [0] * 50
    assert provider.most == 50


def test_no_more_calls_than_declared_are_under_way() -> None:
    """The next one begins in the moment in which one ends."""
    provider = Recorder(seconds=1)
    rehearse(together(5, at_most(provider, concurrency=2)))
    assert provider.times == [0, 0, 1, 1, 2]
    assert provider.most == 2


def test_what_was_waited_is_in_the_ledger() -> None:
    """The attempt tells how long it waited, and for which limits, each of them once."""
    provider, call = Recorder(seconds=70), Call()
    limit = at_most(provider, requests=1, concurrency=1)

    async def play() -> None:
        await asyncio.gather(ask(limit), ask(limit, call))

    rehearse(play())
    (attempt,) = call.attempts
    assert attempt.waited_seconds == pytest.approx(70)
    assert attempt.waited_for == "rate limit: 1 request a minute; rate limit: 1 call at once"


def test_each_limit_is_named_by_its_number() -> None:
    """Whoever reads the ledger knows which key to change."""

    async def waited_for(**limits: int) -> str:
        call = Call()
        limit = at_most(Recorder(seconds=1), **limits)
        await asyncio.gather(ask(limit, max_tokens=8), ask(limit, call, max_tokens=8))
        return call.attempts[0].waited_for

    assert rehearse(waited_for(tokens=10)) == "rate limit: 10 tokens a minute"
    assert rehearse(waited_for(concurrency=1)) == "rate limit: 1 call at once"


def test_a_call_behind_others_keeps_to_their_order() -> None:
    """Where a large request waits for tokens, a small one that came later waits behind it."""
    provider = Recorder()
    limit = at_most(provider, tokens=10)

    async def play() -> None:
        asking = [ask(limit, max_tokens=n, id=n) for n in (8, 9, 1)]
        await asyncio.gather(*asking)

    rehearse(play())
    assert provider.order == [8, 9, 1]
    assert provider.times == pytest.approx([0, 60.001, 60.001])


def test_a_call_that_comes_while_the_first_wakes_does_not_overtake_it() -> None:
    """In the moment in which a slot is free, it belongs to whoever waits the longest."""
    provider, call = Recorder(), Call()
    limit = at_most(provider, concurrency=2)

    async def play() -> None:
        holders = [limit.stream(ASK), limit.stream(ASK)]
        for holder in holders:
            await anext(holder)
        waiting = await beginning(ask(limit, id="first"))
        for holder in holders:
            await holder.aclose()
        await ask(limit, call, id="second")
        await waiting

    rehearse(play())
    assert provider.order == [None, None, "first", "second"]
    assert call.attempts[0].waited_for == "rate limit: calls that came before"


def test_late_begins_count_as_late() -> None:
    """Where the loop was held up, the next minute is counted from when the calls really began."""
    provider = Recorder()

    async def play() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, RehearsalLoop)
        loop.call_later(60, loop.pass_time, 5)
        await together(5, at_most(provider, requests=2))

    rehearse(play())
    assert provider.times == pytest.approx([0, 0, 65, 65, 125.001])


def test_a_request_that_fits_into_no_minute_is_refused() -> None:
    """The message names the key, the estimate and the limit; the ledger has it as refused."""
    provider, call = Recorder(), Call()
    limit = at_most(provider, tokens=1_000)
    with pytest.raises(BadRequestError) as caught:
        rehearse(ask(limit, call, size=2_000, max_tokens=700))
    assert str(caught.value) == (
        "provider 'fake' was not asked: the request is about 1,200 tokens, and "
        "rate_limit.tokens_per_minute lets 1,000 through\n"
        "  model m-1\n"
        "  ask for less at once, or raise tokens_per_minute: war-rig explain"
    )
    assert (caught.value.provider, caught.value.model) == ("fake", "m-1")
    assert not caught.value.is_retryable
    assert [(a.outcome, a.reason.partition(":")[0]) for a in call.attempts] == [
        ("refused", "BadRequestError")
    ]
    assert not provider.times


def test_a_wait_beyond_the_deadline_is_refused_at_once() -> None:
    """Nobody waits for what would come too late, and the error tells how long it would take."""
    provider, call = Recorder(), Call(deadline=30)
    limit = at_most(provider, requests=1)

    async def play() -> float:
        await ask(limit)
        with pytest.raises(RateLimitError) as caught:
            await ask(limit, call, model="m-2")
        assert str(caught.value) == (
            "provider 'fake' was not asked: the rate limit of 1 request a minute has room for it "
            "in 60.0 s, and the call has 30.0 s left\n"
            "  model m-2\n"
            "  wait and ask again, or ask less often"
        )
        assert caught.value.retry_after_seconds == pytest.approx(60.001)
        assert not caught.value.is_retryable
        return now()

    assert rehearse(play()) == 0
    assert [(a.outcome, a.waited_seconds) for a in call.attempts] == [("refused", 0)]


@pytest.mark.parametrize(
    ("limits", "asked"), [({"requests": 2}, {}), ({"tokens": 20}, {"max_tokens": 10})], ids=str
)
def test_the_wait_counts_those_who_wait_already(
    limits: dict[str, int], asked: dict[str, Any]
) -> None:
    """With 2 a minute the seventh call of 7 begins after 3 minutes, and can know that."""
    provider = Recorder()
    limit = at_most(provider, **limits)

    async def refused(deadline: float) -> float:
        with pytest.raises(RateLimitError) as caught:
            await ask(limit, Call(deadline=deadline), **asked)
        return caught.value.retry_after_seconds or 0

    async def play() -> None:
        waiting = [await beginning(ask(limit, **asked)) for _ in range(6)]
        assert await refused(deadline=180) == pytest.approx(180.003)
        await ask(limit, Call(deadline=181), **asked)
        await asyncio.gather(*waiting)

    rehearse(play())
    assert provider.times[-1] == pytest.approx(180.003)


def test_the_wait_is_counted_from_when_the_others_began() -> None:
    """The window after the next one opens when the oldest of the log left it, twice over."""
    limit = at_most(Recorder(), requests=2)

    async def play() -> None:
        await ask(limit)
        await asyncio.sleep(10)
        waiting = [await beginning(ask(limit)) for _ in range(3)]
        with pytest.raises(RateLimitError) as caught:
            await ask(limit, Call(deadline=100))
        assert caught.value.retry_after_seconds == pytest.approx(110.002)
        await asyncio.gather(*waiting)

    rehearse(play())


def test_those_who_have_begun_wait_no_more() -> None:
    """The tokens of calls that waited once are in the log only, not in the queue as well."""
    provider = Recorder()
    limit = at_most(provider, tokens=20)

    async def play() -> None:
        await together(4, limit, max_tokens=10)
        waiting = await beginning(ask(limit, max_tokens=10))
        await ask(limit, Call(deadline=121), max_tokens=10)
        await waiting

    rehearse(play())
    assert provider.times == pytest.approx([0, 0, 60.001, 60.001, 120.002, 120.002])


def test_what_an_empty_log_lets_through_at_once_is_not_waited_for() -> None:
    """Those who wait for a slot only, fill the minute that begins now."""
    provider = Recorder(seconds=100)
    limit = at_most(provider, requests=2, concurrency=1)

    async def play() -> None:
        first = await beginning(ask(limit))
        await asyncio.sleep(90)
        waiting = [await beginning(ask(limit)) for _ in range(2)]
        with pytest.raises(RateLimitError) as caught:
            await ask(limit, Call(deadline=100))
        assert caught.value.retry_after_seconds == pytest.approx(60.001)
        await asyncio.gather(first, *waiting)

    rehearse(play())


def test_the_estimate_is_corrected_when_the_call_has_ended() -> None:
    """Calls that took less than they might have let the others in at once."""
    provider, call = Recorder(seconds=1), Call()
    limit = at_most(provider, tokens=100)

    async def play() -> None:
        first = await beginning(ask(limit, size=120))
        await asyncio.gather(first, ask(limit, call, max_tokens=50))

    rehearse(play())
    assert provider.times == [0, 1]
    assert call.attempts[0].waited_for == "rate limit: 100 tokens a minute"


def test_more_tokens_than_estimated_hold_the_others_back() -> None:
    """The minute has what the calls really took, though it be more than the limit."""
    provider = Recorder(seconds=1, used=250)
    limit = at_most(provider, tokens=100)

    async def play() -> None:
        await ask(limit)
        with pytest.raises(RateLimitError) as caught:
            await ask(limit, Call(deadline=10))
        assert caught.value.retry_after_seconds == pytest.approx(59.001)
        await ask(limit)

    rehearse(play())
    assert provider.times == pytest.approx([0, 60.001])


def test_a_correction_that_comes_after_the_minute_changes_nothing() -> None:
    """A call that took longer than the window is in it no more."""
    provider = Recorder(seconds=100, used=10)
    limit = at_most(provider, tokens=100)

    async def play() -> None:
        await asyncio.gather(ask(limit), ask(limit))
        await together(3, limit, max_tokens=60)

    rehearse(play())
    assert provider.times == pytest.approx([0, 60.001, 160.001, 220.002, 280.003])


def test_an_unknown_completion_is_estimated_by_the_mean_of_the_others() -> None:
    """After answers of 40 tokens, two more calls fit into 100 tokens, and a third does not."""
    provider = Recorder(used=40)
    limit = at_most(provider, tokens=100)

    async def play() -> None:
        await ask(limit)
        await asyncio.sleep(61)
        await together(3, limit)

    rehearse(play())
    assert provider.times == pytest.approx([0, 61, 61, 121.001])


def test_a_call_that_failed_gives_its_tokens_back() -> None:
    """An error status was counted as a request, and took no tokens."""
    provider = Recorder(error=ServerError("down", status=500))
    limit = at_most(provider, tokens=100)

    async def play() -> None:
        for _ in range(3):
            with pytest.raises(ServerError):
                await ask(limit, max_tokens=100)

    rehearse(play())
    assert provider.times == [0, 0, 0]


@pytest.mark.parametrize("outcome", ["answered", "cancelled"])
def test_an_estimate_stands_where_nobody_knows_better(outcome: Outcome) -> None:
    """An attempt that tells no tokens leaves what was counted for it."""
    call, begun = Call(), []

    class Silent(Recorder):
        async def complete(self, messages: list[Message], **asked: Any) -> CompletionResponse:
            begun.append(now())
            call.attempts.append(Attempt("fake", None, outcome))
            return CompletionResponse("fine", "m-1", 1)

    limit = RateLimit(Border("fake", Silent()), "fake", None, 100, None)

    async def play() -> None:
        await ask(limit, call, max_tokens=60)
        await ask(limit, call, max_tokens=60)

    rehearse(play())
    assert begun == pytest.approx([0, 60.001])


def test_a_stream_holds_its_slot_until_it_is_closed() -> None:
    """Reading slowly, or leaving early, makes no difference to who is under way."""
    provider = Recorder()
    limit = at_most(provider, concurrency=1)

    async def play() -> None:
        async with aclosing(limit.stream(ASK)) as chunks:
            assert (await anext(chunks)).content == "fi"
            waiting = await beginning(ask(limit))
            await asyncio.sleep(50)
            assert not waiting.done()
        await waiting
        assert "".join([chunk.content async for chunk in limit.stream(ASK)]) == "fine"

    rehearse(play())
    assert provider.times == [0, 50, 50]


def test_who_is_cancelled_in_the_moment_of_getting_a_slot_passes_it_on() -> None:
    """A slot is never given to a call that doesn't take it."""
    provider = Recorder()
    limit = at_most(provider, concurrency=1)

    async def play() -> None:
        holder = limit.stream(ASK)
        await anext(holder)
        first = await beginning(ask(limit, id="first"))
        second = await beginning(ask(limit, id="second"))
        await holder.aclose()
        await cancelled(first)
        await second

    rehearse(play())
    assert provider.order == [None, "second"]


def test_cancelling_those_who_wait_leaves_nothing_behind() -> None:
    """A thousand calls that were given up do not make the next one wait for them."""
    provider = Recorder()
    limit = at_most(provider, requests=1)

    async def play() -> None:
        waiting = [asyncio.create_task(ask(limit)) for _ in range(1_000)]
        await asyncio.sleep(1)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await ask(limit, Call(deadline=61))

    rehearse(play())
    assert provider.times == pytest.approx([0, 60.001])


def test_what_was_waited_before_a_cancellation_is_counted() -> None:
    """The ledger has the seconds of a call that never began, too."""
    call = Call()
    limit = at_most(Recorder(), requests=1)

    async def play() -> None:
        await ask(limit)
        task = await beginning(ask(limit, call))
        await asyncio.sleep(20)
        await cancelled(task)

    rehearse(play())
    assert (call.waited_seconds, call.waited_for) == (20, "rate limit: 1 request a minute")


@dataclass(frozen=True)
class Arrival:
    """A call at *time* that takes *seconds*, streamed or not, given up after *patience*."""

    time: float
    seconds: float
    tokens: int
    patience: float | None
    deadline: float | None
    is_streamed: bool


GRID = st.sampled_from([0.0, 1.0, 2.0, 30.0, 59.999, 60.0, 60.001, 61.0]) | st.floats(0, 90)
ARRIVALS = st.builds(
    Arrival,
    time=GRID,
    seconds=GRID,
    tokens=st.integers(1, 10),
    patience=st.none() | GRID,
    deadline=st.none() | GRID,
    is_streamed=st.booleans(),
)
LIMIT = st.none() | st.integers(1, 4)


async def arrive(limit: RateLimit, arrival: Arrival, number: int) -> tuple[str, Call]:
    """Return how the call ended, and the call."""
    await asyncio.sleep(arrival.time)
    call = Call() if arrival.deadline is None else Call(deadline=now() + arrival.deadline)
    return await ended(limit, arrival, number, call), call


async def ended(limit: RateLimit, arrival: Arrival, number: int, call: Call) -> str:
    asked = {"seconds": arrival.seconds, "max_tokens": arrival.tokens, "id": number}
    try:
        async with asyncio.timeout(arrival.patience):
            if not arrival.is_streamed:
                return (await complete_in(call, limit, ASK, **asked)).content
            async with aclosing(stream_in(call, limit, ASK, **asked)) as chunks:
                return (await anext(chunks)).content
    except TimeoutError:
        return "cancelled"
    except RateLimitError as error:
        assert error.retry_after_seconds is not None
        assert now() + error.retry_after_seconds > call.deadline
        return "refused"


@given(
    arrivals=st.lists(ARRIVALS, max_size=14),
    requests=LIMIT,
    tokens=st.none() | st.integers(10, 20),
    concurrency=LIMIT,
    blocks=st.lists(st.tuples(st.floats(0, 200), st.floats(0, 90)), max_size=3),
)
def test_no_window_has_more_than_declared(
    arrivals: list[Arrival],
    requests: int | None,
    tokens: int | None,
    concurrency: int | None,
    blocks: list[tuple[float, float]],
) -> None:
    """Whatever comes when, is given up, or holds the loop up: no limit is passed, all ends."""
    provider = Recorder()
    limit = at_most(provider, requests, tokens, concurrency)

    async def play() -> list[tuple[str, Call]]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, RehearsalLoop)
        for at, seconds in blocks:
            loop.call_later(at, loop.pass_time, seconds)
        return await asyncio.gather(*(arrive(limit, a, n) for n, a in enumerate(arrivals)))

    ends = rehearse(play())
    used = [sum(a.tokens_used or 0 for a in call.attempts) for _, call in ends]
    for at in provider.times:
        begun = zip(provider.times, provider.order, strict=True)
        window = [used[number] for time, number in begun if at <= time <= at + 60]
        assert requests is None or len(window) <= requests
        assert tokens is None or sum(window) <= tokens
    assert concurrency is None or provider.most <= concurrency
    assert provider.active == 0
    for arrival, (end, call) in zip(arrivals, ends, strict=True):
        assert end != "cancelled" or arrival.patience is not None
        assert end != "refused" or arrival.deadline is not None
        assert len(call.attempts) <= 1


def schedule(
    arrivals: list[Arrival], requests: float, tokens: float, concurrency: float
) -> list[float]:
    """Return when each call begins, if each does so as early as it may, in this order."""
    begun: list[tuple[float, Arrival]] = []

    def has_room(at: float, arrival: Arrival) -> bool:
        window = [other.tokens for time, other in begun if time > at - 60.0005]
        under_way = [time for time, other in begun if time + other.seconds > at + 1e-6]
        is_within = len(window) < requests and sum(window) + arrival.tokens <= tokens
        return is_within and len(under_way) < concurrency

    for arrival in arrivals:
        first = max([arrival.time, *(time for time, _ in begun)])
        moments = [time + wait for time, other in begun for wait in (60.001, other.seconds)]
        at = min(t for t in [first, *moments] if t >= first and has_room(t, arrival))
        begun.append((at, arrival))
    return [time for time, _ in begun]


@given(
    calls=st.lists(st.tuples(GRID, GRID, st.integers(1, 10)), min_size=1, max_size=14),
    requests=LIMIT,
    tokens=st.none() | st.integers(10, 20),
    concurrency=LIMIT,
)
def test_calls_begin_in_their_order_as_early_as_they_may(
    calls: list[tuple[float, float, int]],
    requests: int | None,
    tokens: int | None,
    concurrency: int | None,
) -> None:
    """Nobody overtakes, and nobody waits for longer than the limits want."""
    provider = Recorder()
    limit = at_most(provider, requests, tokens, concurrency)
    arrivals = [Arrival(time, seconds, n, None, None, False) for time, seconds, n in calls]

    async def play() -> None:
        await asyncio.gather(*(arrive(limit, a, n) for n, a in enumerate(arrivals)))

    rehearse(play())
    came = [arrivals[number] for number in provider.order]
    assert [a.time for a in came] == sorted(a.time for a in arrivals)
    expected = schedule(came, requests or inf, tokens or inf, concurrency or inf)
    assert provider.times == pytest.approx(expected, abs=0.01)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.integers(1, 3))
def test_every_slot_comes_back(steps: list[int], concurrency: int) -> None:
    """Cancelled after any number of steps, calls leave all slots, and those who wait get them."""
    provider = Recorder()
    limit = at_most(provider, concurrency=concurrency)

    async def play() -> None:
        tasks = [asyncio.create_task(ask(limit)) for _ in steps]
        for step in range(9):
            for task, last in zip(tasks, steps, strict=True):
                if step == last:
                    task.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert now() == 0
        provider.most = 0
        await together(concurrency + 1, limit, seconds=1)

    rehearse(play())
    assert provider.most == concurrency


async def guarded(play: Coroutine[Any, Any, None]) -> None:
    """Fail where something real is waited for that never comes."""
    async with asyncio.timeout(20):
        await play


def test_slots_are_shared_by_threads_and_their_loops() -> None:
    """Four loops with fifty calls each never have more than three under way between them."""
    provider = Recorder()
    limit = at_most(provider, concurrency=3)
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.extend(asyncio.run(together(50, limit))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["fine"] * 200
    assert 1 <= provider.most <= 3


def test_one_loop_after_another_may_use_it() -> None:
    """What was begun in a loop that is closed is still counted, and holds nobody up."""
    provider = Recorder()
    limit = at_most(provider, requests=3, concurrency=1)
    for _ in range(3):
        asyncio.run(ask(limit))
    with pytest.raises(RateLimitError):
        asyncio.run(ask(limit, Call(deadline=0)))


class Elsewhere:
    """A call that waits in a loop of another thread, which stops without looking at it again."""

    def __init__(self, limit: RateLimit) -> None:
        self.loop = asyncio.new_event_loop()
        self._limit = limit
        self._is_waiting, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._tasks: list[asyncio.Task[Any]] = []

    async def wait(self) -> None:
        self._thread.start()
        await asyncio.to_thread(self._is_waiting.wait)

    async def stop(self) -> None:
        self._stop.set()
        await asyncio.to_thread(self._thread.join)

    async def go_on(self) -> None:
        async with asyncio.timeout(20):
            await asyncio.to_thread(self.loop.run_until_complete, self._tasks.pop())
        self.loop.close()

    def close(self) -> weakref.ref[Any]:
        self.loop.close()
        return weakref.ref(self._tasks.pop())

    def _run(self) -> None:
        self.loop.run_until_complete(self._begin())

    async def _begin(self) -> None:
        self._tasks.append(await beginning(self._limit.complete(ASK, id="elsewhere")))
        self._is_waiting.set()
        self._stop.wait()  # which holds the loop up


@pytest.mark.parametrize("is_free_before", [True, False])
def test_who_waits_in_a_loop_that_stopped_holds_up_nobody(is_free_before: bool) -> None:
    """The first in the queue is passed over while its loop does not run, and may come back."""
    provider = Recorder()
    limit = at_most(provider, concurrency=1)
    elsewhere = Elsewhere(limit)

    async def play() -> None:
        holder = limit.stream(ASK)
        await anext(holder)
        await elsewhere.wait()
        if is_free_before:
            await holder.aclose()
            await elsewhere.stop()
            await ask(limit, id="here")
        else:
            waiting = await beginning(ask(limit, id="here"))
            await elsewhere.stop()
            await holder.aclose()
            await waiting
        await elsewhere.go_on()

    asyncio.run(guarded(play()))
    assert provider.order == [None, "here", "elsewhere"]


def test_who_waited_in_a_loop_that_is_closed_is_forgotten() -> None:
    """What was left behind is passed over, and leaves nothing when it is finalised later."""
    provider = Recorder()
    limit = at_most(provider, concurrency=1)
    elsewhere = Elsewhere(limit)

    async def play() -> None:
        holder = limit.stream(ASK)
        await anext(holder)
        await elsewhere.wait()
        await elsewhere.stop()
        left = elsewhere.close()
        waiting = await beginning(ask(limit))
        await holder.aclose()
        await waiting
        gc.collect()
        assert left() is None
        await ask(limit)

    asyncio.run(guarded(play()))
    assert len(provider.times) == 3


@pytest.mark.parametrize("is_finalised", [False, True])
def test_a_stream_that_was_left_in_a_closed_loop_holds_no_slot(is_finalised: bool) -> None:
    """Such a stream is never closed, not even by the garbage collector."""
    provider = Recorder()
    limit = at_most(provider, concurrency=1)
    loop = asyncio.new_event_loop()
    stream = limit.stream(ASK)
    loop.run_until_complete(anext(stream))
    loop.close()
    if is_finalised:
        del stream
        gc.collect()
    assert asyncio.run(asyncio.wait_for(ask(limit), 20)) == "fine"


def test_a_slot_that_was_taken_away_does_not_come_back_twice() -> None:
    """A call that is finalised after its loop was passed over gives nothing back."""
    provider = Recorder()
    limit = at_most(provider, concurrency=1)
    loop = asyncio.new_event_loop()
    left = [loop.run_until_complete(beginning(ask(limit, seconds=50)))]
    loop.close()
    asyncio.run(ask(limit))

    async def play() -> None:
        holder = await beginning(ask(limit, seconds=0.01))
        left.clear()
        gc.collect()
        await ask(limit)
        await holder

    asyncio.run(play())
    assert provider.most == 2  # the one that was left, and one beside it


def test_a_call_that_is_settled_while_the_log_is_summed_up_breaks_nothing() -> None:
    """The garbage collector may end a call anywhere: then the log holds less than it held."""

    async def play() -> None:
        limit = at_most(Recorder(), tokens=100)
        await limit.complete(ASK)
        last = limit._gate._log[-1]
        assert limit._gate._with_token(1_000) is last

    rehearse(play())
