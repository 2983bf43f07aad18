"""All policies together, in rehearsed hours: what holds whoever fails, waits, or goes away.

A ``World`` has two entries, the second a fallback of the first, each with the whole stack and
one purse between them. Callers ask, read slowly, give up, or are cancelled at some step.
"""

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Generator,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, count
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from stacked import stacked

from war_rig.agents import Agent
from war_rig.errors import ProviderError
from war_rig.ledger import Attempt, Ledger, total
from war_rig.policies.budget import Amount, Budget
from war_rig.policies.cache import CachedProvider
from war_rig.policies.cache_store import CacheStore
from war_rig.policies.circuit_breaker import CircuitBreaker
from war_rig.policies.policy import Around, Course, Policy, StreamingProvider
from war_rig.policies.rate_limit import RateLimit
from war_rig.policies.stack import Stack
from war_rig.policies.trace import Trace
from war_rig.providers import CompletionChunk, CompletionResponse, LLMProvider, Message
from war_rig.testing import (
    FakeProvider,
    Fault,
    FaultyProvider,
    cut,
    during,
    malformed,
    rate_limited,
    rehearse,
    server_error,
    stalled,
    unreachable,
)

T = TypeVar("T")
P = TypeVar("P", bound=Policy)
LAYERS = [
    "Trace", "CachedProvider", "TotalTimeout", "Fallback", "Retry", "Budget",
    "CircuitBreaker", "RateLimit", "Attempts", "AttemptTimeout", "Border",
]  # fmt: skip
NOT_SENT = ("refused", "cached")
SPANS = InMemorySpanExporter()
TRACER = TracerProvider()
TRACER.add_span_processor(SimpleSpanProcessor(SPANS))
_numbers = count()


def now() -> float:
    return asyncio.get_running_loop().time()


# ---- two entries, and what can be seen of them


class Kept(Ledger):
    """The ledger of a run that keeps the attempts of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Attempt, ...]] = []

    def add(self, attempts: Iterable[Attempt]) -> None:
        self.calls.append(tuple(attempts))
        super().add(self.calls[-1])


class Watch(Around[bool]):
    """Stands inside of a rate limit, and sees who is sent while the circuit breaker is open.

    has_threads: another one may open it while a call comes from there to here; then
    the circuit counts that let the call through.
    """

    def __init__(self, breaker: CircuitBreaker) -> None:
        limit = layer(breaker, RateLimit)
        super().__init__(limit.provider)
        self.breaker = breaker
        limit.provider = self
        self.has_threads = False
        self.seconds_too_early: list[float] = []
        self.most_probes = self._probes = 0

    async def _begin(self, course: Course) -> bool:
        circuit = self.breaker._circuits[self.default_model]
        if self.has_threads:
            assert isinstance(course.call.after_wait, partial)
            circuit = course.call.after_wait.args[1].circuit
        open_until = circuit.open_until
        is_probe = open_until is not None
        if open_until is not None and now() < open_until:
            self.seconds_too_early.append(open_until - now())
        self._probes += is_probe
        self.most_probes = max(self.most_probes, self._probes)
        return is_probe

    def _end(self, begun: bool, course: Course) -> None:
        self._probes -= begun


class World:
    """Two providers, each in a whole stack; the second is the fallback of the first.

    All worlds share one cache, and no world asks what another one has asked.
    """

    store: CacheStore

    def __init__(
        self,
        providers: dict[str, FaultyProvider],
        asked: dict[str, Any],
        declared: dict[str, dict[str, Any]],
    ) -> None:
        SPANS.clear()
        self.number = next(_numbers)
        self.providers, self.asked, self.declared = providers, asked, declared
        self.run = Kept()
        self.stacks = {name: self._stack(name, provider) for name, provider in providers.items()}
        self.entries = {name: stack.inner for name, stack in self.stacks.items()}
        self.purse = layer(self.entries["first"], Budget).purse
        layer(self.entries["second"], Budget).purse = self.purse
        self.watches = [Watch(layer(one, CircuitBreaker)) for one in self.entries.values()]
        self.under_way = self.most_under_way = 0
        self.generators: list[AsyncGenerator[Any, Any]] = []

    def _stack(self, name: str, provider: LLMProvider) -> Stack:
        stack = stacked(
            provider,
            name=name,
            hops=[lambda: self.entries["second"]] if name == "first" else [],
            run=self.run,
            fallback=["second"],
            cache={"path": "never opened"},
            trace={},
            **self.declared[name],
        )
        assert stack.layers == LAYERS
        stack.provider = traced(stack.provider)
        layer(stack.provider, CachedProvider)._store = World.store
        return stack

    def held(self) -> dict[str, object]:
        """Return what has not been given back, by its kind."""
        loop: Any = asyncio.get_running_loop()
        gates = [layer(entry, RateLimit)._gate for entry in self.entries.values()]
        circuits = chain(*(watch.breaker._circuits.values() for watch in self.watches))
        found = {
            "tasks": asyncio.all_tasks() - {asyncio.current_task()},
            "timers": [timer for timer in loop._scheduled if not timer.cancelled()],
            "generators": [one for one in self.generators if one.ag_frame is not None],
            "slots": [gate._under_way for gate in gates if gate._under_way],
            "places in a queue": [gate._queue for gate in gates if gate._queue],
            "tokens in a queue": [gate._queued_tokens for gate in gates if gate._queued_tokens],
            "probes": [circuit for circuit in circuits if circuit.prober],
            "reservations": [self.purse.reserved] if self.purse.reserved != Amount() else [],
        }
        return {kind: things for kind, things in found.items() if things}

    def watch_generators(self) -> None:
        """Keep each async generator that begins: none may need the garbage collector."""
        asyncio_begins = sys.get_asyncgen_hooks().firstiter
        assert asyncio_begins is not None

        def begins(generator: AsyncGenerator[Any, Any]) -> None:
            self.generators.append(generator)
            asyncio_begins(generator)

        sys.set_asyncgen_hooks(firstiter=begins)


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    World.store = CacheStore(tmp_path_factory.mktemp("cache") / "answers.sqlite")
    yield
    World.store.close()


def layer(provider: StreamingProvider, kind: type[P]) -> P:
    """Return the policy of that kind in a stack."""
    while not isinstance(provider, kind):
        assert isinstance(provider, Policy)
        provider = provider.provider
    return provider


def traced(trace: StreamingProvider) -> Trace:
    """Return a trace like that one, whose spans can be seen."""
    assert isinstance(trace, Trace)
    return Trace(
        trace.provider,
        "first",
        has_content=True,
        profile="stable",
        server=None,
        is_in_process=True,
        tracer_provider=TRACER,
    )


# ---- callers


class CancelledAt:
    """Awaits *work*, whose task is cancelled at its step number *step*, and so many *times*.

    A step is a wait for the loop. It is cancelled when it begins; where it is *late*, when
    what it waits for has come already, and the task has not been told yet.
    """

    def __init__(self, work: Awaitable[T], step: int, is_late: bool = False, times: int = 1):
        self.work = work
        self.steps = range(step, step + times)
        self.is_late = is_late
        self.taken = 0
        self.is_cancelled = False

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self.work.__await__()
        assert isinstance(steps, Generator)
        resume = partial(steps.send, None)
        while True:
            try:
                waits_for = resume()
            except StopIteration as end:
                return end.value
            self.taken += 1
            if self.taken in self.steps:
                self._cancel(waits_for)
            try:
                resume = partial(steps.send, (yield waits_for))
            except BaseException as error:  # which is for the work
                resume = partial(steps.throw, error)

    def _cancel(self, waits_for: "asyncio.Future[Any] | None") -> None:
        task = asyncio.current_task()
        assert task is not None
        if self.is_late and waits_for is not None:
            waits_for.add_done_callback(lambda _: self._cancel_now(task))
        else:
            self._cancel_now(task)

    def _cancel_now(self, task: "asyncio.Task[Any]") -> None:
        self.is_cancelled = task.cancel()


@dataclass(frozen=True)
class Caller:
    """Who asks for what, and when it goes away.

    reading: seconds with each piece of a stream. patience: seconds until it gives up by a
    timeout of its own. pieces: how many it reads. cancelled_after: seconds. step: the one at
    which it is cancelled.
    """

    begins: float
    text: str
    is_streaming: bool
    reading: float = 0.0
    patience: float | None = None
    pieces: int | None = None
    cancelled_after: float | None = None
    step: int | None = None
    is_late: bool = False
    times: int = 1
    entry: str = "first"


@dataclass
class Visit:
    """What a caller met; waited: seconds, without those that it spent reading."""

    caller: Caller
    begun: bool = False
    is_cancelled: bool = False
    waited: float = 0.0
    attempts: tuple[Attempt, ...] | None = None

    async def make(self, world: World) -> str:
        """Ask, and return how that ended: this is the call's one result."""
        await asyncio.sleep(self.caller.begins)
        self.begun = True
        world.under_way += 1
        world.most_under_way = max(world.most_under_way, world.under_way)
        try:
            async with asyncio.timeout(self.caller.patience):
                return await self._cancelled(self._ask(world))
        except ProviderError as error:
            self.attempts = error.attempts
            return "error"
        finally:
            world.under_way -= 1

    def cancel(self, task: "asyncio.Task[Any]") -> None:
        self.is_cancelled = task.cancel()

    async def _cancelled(self, work: Awaitable[str]) -> str:
        if self.caller.step is None:
            return await work
        cancelled = CancelledAt(work, self.caller.step, self.caller.is_late, self.caller.times)
        try:
            return str(await cancelled)
        finally:
            self.is_cancelled = cancelled.is_cancelled

    async def _ask(self, world: World) -> str:
        messages = [Message("user", f"{self.caller.text} of world {world.number}")]
        stack = world.stacks[self.caller.entry]
        if self.caller.is_streaming:
            stream = stack.stream(messages, **world.asked)
            response, text = await self._read(stream, answer_to(messages))
        else:
            response = await self._timed(stack.complete(messages, **world.asked))
            text = response.content
        if response is None:
            return "left"
        assert text == response.content == answer_to(messages)
        self.attempts = response.attempts
        return "answer"

    async def _read(
        self, stream: AsyncGenerator[CompletionChunk, None], answer: str
    ) -> tuple[CompletionResponse | None, str]:
        texts: list[str] = []
        last: CompletionResponse | None = None
        async with aclosing(stream) as chunks:
            while (chunk := await self._timed(anext(chunks, None))) is not None:
                assert last is None, "a chunk after the last"
                texts.append(chunk.content)
                assert answer.startswith("".join(texts)), "text that was given before"
                last = chunk.response
                if len(texts) == self.caller.pieces:
                    return None, ""
                await asyncio.sleep(self.caller.reading)
        assert last is not None, "a stream without its last chunk"
        return last, "".join(texts)

    async def _timed(self, step: Awaitable[T]) -> T:
        begun = now()
        try:
            return await step
        finally:
            self.waited += now() - begun


def answer_to(messages: Sequence[Message]) -> str:
    return f"this is the answer to {messages[-1].content}"


async def visits(world: World, callers: Sequence[Caller]) -> list[tuple[Visit, object]]:
    """Let all *callers* ask; return what they met and how it ended."""
    world.watch_generators()
    made = [Visit(caller) for caller in callers]
    tasks = [asyncio.create_task(visit.make(world)) for visit in made]
    timers = [
        asyncio.get_running_loop().call_later(
            visit.caller.begins + visit.caller.cancelled_after, visit.cancel, task
        )
        for visit, task in zip(made, tasks, strict=True)
        if visit.caller.cancelled_after is not None
    ]
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    for timer in timers:
        timer.cancel()
    assert world.held() == {}
    return list(zip(made, ends, strict=True))


# ---- what always holds


def check(world: World, met: Sequence[tuple[Visit, object]]) -> None:
    """Check all that is promised of a run that has ended."""
    for visit, end in met:
        check_end(world, visit, end)
    check_accounts(world, [visit for visit, _ in met])
    check_limits(world)


def check_end(world: World, visit: Visit, end: object) -> None:
    """Each call ends once, as its caller wanted it or by itself, and in time."""
    caller = visit.caller
    if visit.is_cancelled:
        assert isinstance(end, asyncio.CancelledError), "a cancellation was swallowed"
    elif isinstance(end, TimeoutError):
        assert caller.patience is not None
    else:
        assert end in ("answer", "error") or (end == "left" and caller.pieces), end
        assert (visit.attempts is None) == (end == "left")
    assert visit.waited <= world.declared[caller.entry]["timeout"]["total"] + 1e-6


def check_accounts(world: World, met: Sequence[Visit]) -> None:
    """Nothing is lost and nothing is counted twice: in the ledger, the purse and the trace."""
    kept = Counter(world.run.calls)
    told = Counter(visit.attempts for visit in met if visit.attempts is not None)
    begun = sum(visit.begun for visit in met)
    assert told <= kept
    assert (len(world.run.calls), len(SPANS.get_finished_spans())) == (begun, begun)
    attempts = [attempt for call in world.run.calls for attempt in call]
    whole = total(attempts)
    waited = pytest.approx(whole.waited_seconds)  # the order of adding differs
    assert world.run.total == replace(whole, waited_seconds=waited)
    sent = [attempt for attempt in attempts if attempt.outcome not in NOT_SENT]
    assert Counter(attempt.provider for attempt in sent) == Counter(
        {name: len(one.calls) for name, one in world.providers.items()}
    )
    for name, one in world.providers.items():
        answered = sum((a.provider, a.outcome) == (name, "answered") for a in sent)
        assert one.outcomes["answered"] <= answered + sum(a.outcome == "cancelled" for a in sent)
    spent = total(sent)
    assert world.purse.spent == Amount(spent.tokens_used, spent.cost or 0)  # type: ignore[arg-type]


def check_limits(world: World) -> None:
    """No more attempts, requests, calls at once, tokens or probes than declared."""
    for watch in world.watches:
        assert (watch.most_probes <= 1, watch.seconds_too_early) == (True, [])
    for name, provider in world.providers.items():
        limit, retry = world.declared[name]["rate_limit"], world.declared[name]["retry"]
        for call in world.run.calls:
            tries = sum(a.provider == name and a.outcome not in NOT_SENT for a in call)
            assert tries <= retry["attempts"]
        assert provider.most_within(60) <= limit["requests_per_minute"]
        assert provider.most_in_flight <= limit["concurrency"]
        invited = provider.outcomes["rate_limited"]  # to come again, perhaps
        retries = len(provider.calls) - len(world.run.calls) - invited
        assert retries <= retry["spare"] + retry["share"] * len(world.run.calls) + 1e-6
        if "max_tokens" in world.asked:
            check_tokens_a_minute(provider, limit["tokens_per_minute"])
    over = 0 if "max_tokens" in world.asked else world.most_under_way * ANSWER_TOKENS
    assert world.purse.spent.tokens <= world.declared["first"]["budget"]["tokens"] + over


def check_tokens_a_minute(provider: FaultyProvider, most: int) -> None:
    """No minute has more, where no answer is longer than was estimated."""
    times = [call.seconds for call in provider.calls if call.outcome == "answered"]
    for begin in times:
        assert sum(begin <= time <= begin + 60 for time in times) * ANSWER_TOKENS <= most


# ---- whatever happens


ANSWER_TOKENS = 1_500  # more than is estimated before the first answer
SHARE = st.sampled_from([0.1, 0.5, 1.0])
FAULT = st.one_of(
    st.builds(rate_limited, st.none() | st.floats(0, 90), share=SHARE),
    st.builds(server_error, share=SHARE),
    st.builds(unreachable, share=SHARE),
    st.builds(malformed, share=SHARE),
    st.builds(stalled, st.floats(0, 200), pieces=st.integers(0, 3), share=SHARE),
    st.builds(cut, st.integers(0, 3), share=SHARE),
)
FAULTS = st.lists(FAULT | st.builds(during, st.just(0), st.floats(1, 100), FAULT), max_size=3)
GRID = st.integers(0, 120).map(lambda half_seconds: half_seconds / 2)  # so that some coincide
LEAVING = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"cancelled_after": GRID}),
    st.fixed_dictionaries({"patience": GRID}),
    st.fixed_dictionaries({"pieces": st.integers(1, 4)}),
    st.fixed_dictionaries(
        {"step": st.integers(1, 30), "is_late": st.booleans(), "times": st.integers(1, 3)}
    ),
)
CALLERS = st.lists(
    st.builds(
        lambda leaving, **told: Caller(**told, **leaving),
        LEAVING,
        begins=GRID,
        text=st.integers(0, 9).map(lambda number: f"question {number}"),
        is_streaming=st.booleans(),
        reading=st.sampled_from([0.0, 0.0, 1.0, 50.0]),
    ),
    min_size=1,
    max_size=14,
)


def or_none(values: st.SearchStrategy[T]) -> "st.SearchStrategy[T | None]":
    return st.none() | values


DECLARED = st.fixed_dictionaries(
    {
        "timeout": st.fixed_dictionaries(
            {
                "total": st.integers(5, 200),
                "attempt": st.integers(1, 60),
                "first_token": or_none(st.integers(1, 20)),
                "between_tokens": or_none(st.integers(1, 20)),
            }
        ),
        "retry": st.fixed_dictionaries(
            {
                "attempts": st.integers(2, 4),
                "share": st.sampled_from([0.0, 0.5, 5.0]),
                "spare": st.integers(0, 10),
                "wait_seconds": st.sampled_from([0.5, 10]),
            }
        ),
        "rate_limit": st.fixed_dictionaries(
            {
                "requests_per_minute": st.integers(1, 9) | st.just(1_000),
                "tokens_per_minute": st.integers(1_600, 12_000) | st.just(1_000_000),
                "concurrency": st.integers(1, 4),
            }
        ),
        "circuit_breaker": st.fixed_dictionaries(
            {"failures": st.integers(1, 4), "open_seconds": st.integers(1, 30)}
        ),
        "budget": st.fixed_dictionaries({"tokens": st.sampled_from([4_000, 20_000, 10**9, 10**9])}),
        "prices": st.just({"models": {"*": {"input": 1, "output": 2}}}),
    }
)


def faulty(faults: Sequence[Fault], seconds: float, seed: int = 0) -> FaultyProvider:
    return FaultyProvider(
        *faults,
        provider=FakeProvider(answer_to),
        latency_seconds=seconds,
        tokens_used=ANSWER_TOKENS,
        seed=seed,
    )


LATENCY = st.sampled_from([0.0, 0.5, 2.0, 15.0])
PROVIDER = st.builds(faulty, FAULTS, LATENCY, st.integers(0, 99))


@settings(max_examples=200)
@given(
    first=DECLARED,
    second=DECLARED,
    callers=CALLERS,
    providers=st.fixed_dictionaries({"first": PROVIDER, "second": PROVIDER}),
    asked=st.sampled_from([{}, {"max_tokens": ANSWER_TOKENS}]),
)
def test_all_limits_hold_and_all_accounts_agree(
    first: dict[str, Any],
    second: dict[str, Any],
    callers: list[Caller],
    providers: dict[str, FaultyProvider],
    asked: dict[str, Any],
) -> None:
    """Whatever fails, is slow, is asked at once, or goes away at any moment."""
    world = World(providers, asked, {"first": first, "second": second})
    check(world, rehearse(visits(world, callers)))


# ---- cancelled at every step


TROUBLE: dict[str, dict[str, Any]] = {
    "first": {
        "timeout": {"total": 100, "attempt": 3},
        "retry": {"attempts": 3, "wait_seconds": 0.01, "share": 1, "spare": 10},
        "rate_limit": {
            "requests_per_minute": 60, "tokens_per_minute": 100_000, "concurrency": 1,
        },
        "circuit_breaker": {"failures": 9, "open_seconds": 5},
        "budget": {"tokens": 1_000_000},
        "prices": {"models": {"*": {"input": 1, "output": 2}}},
    }
}  # fmt: skip
TROUBLE["second"] = TROUBLE["first"] | {
    "circuit_breaker": {"failures": 3, "open_seconds": 5},
    "rate_limit": TROUBLE["first"]["rate_limit"] | {"requests_per_minute": 3},
}


def troubled() -> World:
    """Return a world in which a call at 0.5 s meets all that it could wait for.

    It waits for a slot, for a 429, for what is stalled and fails once more; the fallback is
    half-open: as its probe it waits for the next minute, and for each part of the answer.
    """
    first = (during(1, 6, rate_limited(5)), during(6, 9, stalled(50)), during(9, 50, malformed()))
    second = (during(0, 5, server_error()), stalled(1, pieces=2))
    return World({"first": faulty(first, 1), "second": faulty(second, 1)}, {}, TROUBLE)


def those_who_come(**one: Any) -> list[Caller]:
    """Return who comes to a troubled world: the first of them is the *one*."""
    return [
        Caller(0.5, "one", reading=0.1, **one),
        Caller(0, "before it", is_streaming=False),
        Caller(0, "to the second", is_streaming=False, entry="second"),
        Caller(0.6, "behind it", is_streaming=True, patience=4),
        Caller(20, "beside it", is_streaming=False),
        Caller(150, "after all", is_streaming=False),
        Caller(150, "with that", is_streaming=True),
    ]


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("is_late", [False, True], ids=["at once", "late"])
@pytest.mark.parametrize("is_streaming", [False, True], ids=["complete", "stream"])
def test_a_call_may_be_cancelled_at_every_step(
    is_streaming: bool, is_late: bool, times: int
) -> None:
    """Also while it cleans up after that: nothing stays taken, nothing is lost or doubled."""
    for step in count(1):
        world = troubled()
        leaving = {"step": step, "is_late": is_late, "times": times}
        met = rehearse(visits(world, those_who_come(is_streaming=is_streaming, **leaving)))
        check(world, met)
        assert [end for _, end in met[-2:]] == ["answer", "answer"]
        one, end = met[0]
        if not one.is_cancelled:
            break
    assert end == "answer" and one.attempts
    assert [(a.provider, a.reason.partition(":")[0], a.waited_for[:13]) for a in one.attempts] == [
        ("first", "RateLimitError", "rate limit: 1"),
        ("first", "ProviderTimeoutError", "retry after R"),
        ("first", "MalformedAnswerError", "retry after P"),
        ("second", "", "rate limit: 3"),
    ]


@pytest.mark.parametrize("pieces", range(1, 8))
def test_a_stream_may_be_left_after_every_piece(pieces: int) -> None:
    """Closed early, it gives back what it took."""
    world = troubled()
    met = rehearse(visits(world, those_who_come(is_streaming=True, pieces=pieces)))
    check(world, met)
    assert [end for _, end in met[-2:]] == ["answer", "answer"]


def test_a_stream_may_be_dropped() -> None:
    """Where nobody closes it, asyncio does, and it gives back what it took."""
    world = troubled()

    async def drop() -> None:
        async for _ in world.stacks["first"].stream([Message("user", f"world {world.number}")]):
            break
        await asyncio.sleep(1)  # it is closed in a task of its own
        await nothing_held(world)

    rehearse(drop())
    assert [a.outcome for a in world.run.calls[0]] == ["cancelled"]


# ---- several event loops


HASTY = {
    "retry": {"attempts": 3, "wait_seconds": 0.001, "share": 1, "spare": 10},
    "rate_limit": {"requests_per_minute": 9_000, "tokens_per_minute": 10**9, "concurrency": 3},
    "circuit_breaker": {"failures": 3, "open_seconds": 0.01},
}


def test_event_loops_and_threads_share_one_stack() -> None:
    """Two loops after one another, and a thread's beside them, have its limits between them."""
    faults = (server_error(share=0.3), cut(2, share=0.2))
    declared = {name: common | HASTY for name, common in TROUBLE.items()}
    world = World({name: faulty(faults, 0.002) for name in TROUBLE}, {}, declared)
    for watch in world.watches:
        watch.has_threads = True
    met: list[Visit] = []

    async def run(first: int) -> None:
        callers = [Caller(0, f"{n}", is_streaming=n % 2 == 0) for n in range(first, first + 60)]
        made = [Visit(caller) for caller in callers]
        met.extend(made)
        tasks = [asyncio.create_task(visit.make(world)) for visit in made]
        await asyncio.sleep(0.01)
        for task in tasks[::4]:
            task.cancel()
        await asyncio.gather(*tasks[:30], return_exceptions=True)  # and leave the others behind

    beside = threading.Thread(target=lambda: met.extend(ask_in_a_thread(world, 40)))
    beside.start()
    asyncio.run(run(0))
    asyncio.run(run(60))
    beside.join()
    rehearse(nothing_held(world))
    check_accounts(world, met)
    check_limits(world)
    assert {a.outcome for call in world.run.calls for a in call} >= {"answered", "cancelled"}


def ask_in_a_thread(world: World, calls: int) -> list[Visit]:
    agent, visits = Agent("one", world.stacks["first"]), []
    for number in range(calls):
        visit = Visit(Caller(0, "", is_streaming=False), begun=True)
        visits.append(visit)
        try:
            visit.attempts = agent.run_sync(f"{number} of a thread").attempts
        except ProviderError as error:
            visit.attempts = error.attempts
    return visits


async def nothing_held(world: World) -> None:
    assert world.held() == {}
