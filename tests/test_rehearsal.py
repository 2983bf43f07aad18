"""Rehearsals: an hour of faults in milliseconds, the same in every run."""

import asyncio
import threading
from contextlib import aclosing, suppress
from functools import partial
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stacked import stacked

from war_rig.errors import (
    MalformedAnswerError,
    ProviderConnectionError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from war_rig.providers import CompletionResponse, LLMProvider, Message
from war_rig.providers.border import Border
from war_rig.testing import FakeProvider, RehearsalLoop, rehearse
from war_rig.testing.faults import (
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

HI = [Message("user", "Hello")]


def now() -> float:
    return asyncio.get_running_loop().time()


# ---- the loop: its time jumps, all else is real


def test_a_wait_takes_no_time_but_its_own() -> None:
    """A rehearsal begins at 0, and after a wait it is exactly that time."""

    async def work() -> list[float]:
        times = [now()]
        for seconds in (0.25, 86_400, 10_000_000):
            await asyncio.sleep(seconds)
            times.append(now())
        return times

    assert rehearse(work()) == [0, 0.25, 86_400.25, 10_086_400.25]


@given(waits=st.lists(st.floats(0, 1e6), min_size=1, max_size=8))
def test_those_who_wait_come_in_the_order_of_their_times(waits: list[float]) -> None:
    """Each wakes when it is its time, by no more than the resolution of asyncio's clock."""

    async def sleep(seconds: float) -> tuple[float, float]:
        await asyncio.sleep(seconds)
        woken.append(seconds)
        return seconds, now()

    async def work() -> list[tuple[float, float]]:
        return await asyncio.gather(*map(sleep, waits))

    woken: list[float] = []
    for seconds, woken_at in rehearse(work()):
        assert woken_at == pytest.approx(seconds, abs=1e-8)
    assert woken == sorted(waits)


def test_a_timeout_ends_what_takes_longer() -> None:
    """asyncio.timeout counts the same time, and lets pass what is done in it."""

    async def work() -> float:
        async with asyncio.timeout(30):
            await asyncio.sleep(29)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.sleep(31)
        return now()

    assert rehearse(work()) == 59


def test_real_sockets_work() -> None:
    """A server and its client, both on the loop, speak as ever; no time passes for it."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    async def work() -> tuple[bytes, float]:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"Hello\n")
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
        return answer, now()

    assert rehearse(work()) == (b"Hello\n", 0)


def test_a_loop_that_waits_for_no_time_sleeps_until_something_is_real() -> None:
    """Where only a thread can go on, the loop blocks for it, and does not spin."""
    waits: list[float | None] = []
    is_idle = threading.Event()

    def watched(select: Any) -> Any:
        def watching(timeout: float | None = None) -> Any:
            waits.append(timeout)
            if timeout is None:
                is_idle.set()
            return select(timeout)

        return watching

    async def work() -> bool:
        selector = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
        selector.select = watched(selector.select)
        return await asyncio.to_thread(is_idle.wait, 60)

    with asyncio.Runner(loop_factory=RehearsalLoop) as runner:
        assert runner.run(work())
        assert len(waits) < 20


def test_a_thread_may_wake_the_loop_while_time_jumps() -> None:
    """What comes from outside is seen between two waits, however short they are."""

    async def work() -> bool:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=lambda: loop.call_soon_threadsafe(stop.set))
        thread.start()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(60):
                    await stop.wait()
                    thread.join()
                    return True

    assert rehearse(work())


def test_each_rehearsal_begins_anew() -> None:
    """Two after each other do not share a time, and leave no loop behind."""

    async def work() -> float:
        await asyncio.sleep(5)
        return now()

    assert (rehearse(work()), rehearse(work())) == (5, 5)
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()


def test_a_rehearsal_may_have_several_steps_in_one_time() -> None:
    """What policies and providers remember of the last step is as old as it should be."""
    house = FaultyProvider(during(0, 30, server_error()))
    circuit = {"failures": 1, "open_seconds": 40}
    stack = stacked(house, retry=None, circuit_breaker=circuit)

    async def step(seconds: float) -> str:
        await asyncio.sleep(seconds)
        return await outcome(stack)

    with asyncio.Runner(loop_factory=RehearsalLoop) as runner:
        ends = [runner.run(step(seconds)) for seconds in (5, 5, 34, 1)]
    assert ends == ["ServerError", "CircuitOpenError", "CircuitOpenError", "fake"]
    assert [call.seconds for call in house.calls] == [0, 40]


def test_what_the_work_raises_comes_out() -> None:
    """A failure ends a rehearsal as it ends asyncio.run, and ends its other tasks."""
    ended: list[str] = []

    async def other() -> None:
        try:
            await asyncio.sleep(inf)
        finally:
            ended.append("other")

    async def work() -> None:
        task = asyncio.create_task(other())
        await asyncio.sleep(1)
        raise ServerError(f"gone while {task.get_name()} waits")

    with pytest.raises(ServerError):
        rehearse(work())
    assert ended == ["other"]


# ---- the provider: it fails as declared


async def outcome(provider: Any) -> str:
    """Return the answer, or the kind of the error."""
    try:
        return str((await provider.complete(HI)).content)
    except ProviderError as error:
        return type(error).__name__


async def read(provider: Any) -> list[str]:
    """Return the pieces that arrived, and the kind of the error where one came."""
    pieces: list[str] = []
    try:
        async for chunk in provider.stream(HI):
            pieces.append(chunk.content)
    except ProviderError as error:
        pieces.append(type(error).__name__)
    return pieces


async def every_second(provider: Any, seconds: int) -> None:
    """Ask once a second, and wait for nobody."""
    async with asyncio.TaskGroup() as tasks:
        for _ in range(seconds):
            tasks.create_task(outcome(provider))
            await asyncio.sleep(1)


def test_without_a_fault_it_is_its_provider() -> None:
    """It asks the provider inside, with all that was asked of it."""
    fake = FakeProvider("Hello there.", model="m-1")
    provider = FaultyProvider(provider=fake)
    assert isinstance(provider, LLMProvider)
    assert provider.default_model == "m-1"
    answer = rehearse(provider.complete(HI, "m-2", 0.5, top_p=1))
    assert (answer.content, answer.tokens_used) == ("Hello there.", 2)
    assert fake.calls[0].parameters == {"model": "m-2", "temperature": 0.5, "top_p": 1}
    assert rehearse(outcome(FaultyProvider())) == "fake"


def test_a_provider_that_does_not_stream_can_be_inside() -> None:
    """Its whole answer is then the last piece, and what comes after a piece comes before it."""

    class Whole:
        default_model = "m"

        async def complete(self, messages: Any, **kwargs: Any) -> CompletionResponse:
            return CompletionResponse("Hello.", "m", 1)

    assert rehearse(read(FaultyProvider(provider=Whole()))) == ["Hello."]
    assert rehearse(read(FaultyProvider(cut(), provider=Whole()))) == ["ProviderConnectionError"]


FAULTS: dict[str, tuple[Fault, type[ProviderError], int | None, bool]] = {
    "rate_limited": (rate_limited(20), RateLimitError, 429, True),
    "server_error": (server_error(), ServerError, 500, True),
    "overloaded": (server_error(529), ServerError, 529, True),
    "unreachable": (unreachable(), ProviderConnectionError, None, True),
    "cut": (cut(), ProviderConnectionError, None, True),
    "malformed": (malformed(), MalformedAnswerError, None, False),
    "own": (
        Fault("spent", partial(QuotaExceededError, "nothing left", status=402)),
        QuotaExceededError,
        402,
        False,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_the_error_that_a_plugin_would_raise(name: str) -> None:
    """What the border lets out is of the kind, the status and the retryability of the fault."""
    fault, kind, status, is_retryable = FAULTS[name]
    provider = FaultyProvider(fault)
    with pytest.raises(kind) as caught:
        rehearse(Border("house", provider).complete(HI))
    error = caught.value
    assert (type(error), error.status, error.is_retryable) == (kind, status, is_retryable)
    assert error.retry_after_seconds == (20 if name == "rate_limited" else None)
    assert provider.outcomes == {fault.outcome: 1}


def test_a_fault_holds_in_its_window() -> None:
    """The window counts from the first call, whenever that is; its end is not in it."""
    provider = FaultyProvider(during(2, 4, server_error()))

    async def work() -> list[str]:
        await asyncio.sleep(1_000)
        outcomes = []
        for _ in range(6):
            outcomes.append(await outcome(provider))
            await asyncio.sleep(1)
        return outcomes

    assert rehearse(work()) == ["fake", "fake", "ServerError", "ServerError", "fake", "fake"]
    assert [call.seconds for call in provider.calls] == [0, 1, 2, 3, 4, 5]


def test_a_fault_strikes_its_share_of_the_calls() -> None:
    """Half means about half, and the same half in every run of a seed."""

    def seen(seed: int) -> list[str]:
        provider = FaultyProvider(rate_limited(share=0.5), seed=seed)
        rehearse(every_second(provider, 600))
        assert 250 < provider.outcomes["rate_limited"] < 350
        assert provider.outcomes.total() == 600
        return [call.outcome for call in provider.calls]

    assert seen(1) == seen(1) != seen(2)


def test_the_first_fault_that_applies_is_the_one() -> None:
    """A later fault has its share of what the earlier ones left."""
    provider = FaultyProvider(during(0, 3, unreachable()), malformed())
    rehearse(every_second(provider, 5))
    assert provider.outcomes == {"unreachable": 3, "malformed": 2}


def test_a_call_that_a_fault_strikes_first_does_not_reach_the_provider() -> None:
    """A scripted reply is not used up by a call that was refused."""
    fake = FakeProvider(replies=["one"])
    provider = FaultyProvider(during(0, 2, rate_limited()), provider=fake)
    rehearse(every_second(provider, 2))

    async def work() -> list[str]:
        await asyncio.sleep(2)
        return await read(provider)

    assert rehearse(work()) == ["one", ""]
    assert rehearse(read(provider)) == ["RateLimitError"]
    assert len(fake.calls) == 1


def test_each_call_takes_its_latency() -> None:
    """Answers and errors come after latency_seconds, a stalled answer after its stall too."""

    async def took(*faults: Fault) -> float:
        begun = now()
        await outcome(FaultyProvider(*faults, latency_seconds=0.5))
        return now() - begun

    assert rehearse(took()) == 0.5
    assert rehearse(took(server_error())) == 0.5
    assert rehearse(took(stalled(30))) == 30.5


def test_a_stream_is_cut_after_its_pieces() -> None:
    """What arrived before stays; an answer with fewer pieces is cut before its end."""

    def seen(fault: Fault) -> list[str]:
        return rehearse(read(FaultyProvider(fault, provider=FakeProvider("one two three"))))

    assert seen(cut(0)) == ["ProviderConnectionError"]
    assert seen(cut(2)) == ["one ", "two ", "ProviderConnectionError"]
    assert seen(cut(9)) == ["one ", "two ", "three", "ProviderConnectionError"]


def test_a_stream_stalls_after_its_pieces() -> None:
    """The wait is where it was declared, once, and the answer goes on after it."""
    provider = FaultyProvider(
        stalled(30, pieces=2), provider=FakeProvider("one two three"), latency_seconds=1
    )

    async def work() -> list[tuple[float, str]]:
        return [(now(), chunk.content) async for chunk in provider.stream(HI)]

    assert rehearse(work()) == [(1, "one "), (1, "two "), (31, "three"), (31, "")]
    assert provider.outcomes == {"stalled": 1}


def test_a_call_that_is_left_is_unanswered() -> None:
    """Who gives up, in a call or in a stream, is counted, and no longer in flight."""
    provider = FaultyProvider(provider=FakeProvider("one two"), latency_seconds=10)

    async def work() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await provider.complete(HI)
        async with aclosing(provider.stream(HI)) as chunks:
            await anext(chunks)
        assert await outcome(provider) == "one two"

    rehearse(work())
    assert provider.outcomes == {"unanswered": 2, "answered": 1}
    assert [call.seconds for call in provider.calls] == [0, 5, 15]
    assert provider.most_in_flight == 1


def test_it_tells_what_each_answer_reports() -> None:
    """tokens_used is reported, whole or streamed; the prompt's part is what it is estimated at."""
    provider = FaultyProvider(tokens_used=100)

    async def work() -> list[Any]:
        chunks = [chunk async for chunk in provider.stream(HI)]
        return [await provider.complete(HI), chunks[-1].response]

    for answer in rehearse(work()):
        counts = (answer.tokens_used, answer.prompt_tokens, answer.completion_tokens)
        assert counts == (100, 2, 98)
        assert answer.usage_source == "reported"
    assert provider.outcomes == {"answered": 2}


def test_it_counts_the_most_calls_in_a_window_and_in_flight() -> None:
    """Two that are a window's length apart are not in one; calls that overlap are in flight."""
    provider = FaultyProvider(latency_seconds=2.5)
    assert (provider.most_within(60), provider.most_in_flight) == (0, 0)
    rehearse(every_second(provider, 10))
    assert [provider.most_within(seconds) for seconds in (0.5, 1, 2, 2.1, 100)] == [1, 1, 2, 3, 10]
    assert provider.most_in_flight == 3


def test_ten_minutes_of_half_429_are_an_ordinary_test() -> None:
    """A client that waits as it is told gets all its answers, and never comes back too early."""
    provider = FaultyProvider(
        during(0, 600, rate_limited(retry_after_seconds=20, share=0.5)), latency_seconds=0.8
    )
    border = Border("house", provider)

    async def patient() -> str:
        while True:
            try:
                return (await border.complete(HI)).content
            except RateLimitError as error:
                await asyncio.sleep(error.retry_after_seconds or 0)

    async def work() -> list[str]:
        async with asyncio.TaskGroup() as tasks:
            clients = []
            for _ in range(600):
                clients.append(tasks.create_task(patient()))
                await asyncio.sleep(1)
        return [client.result() for client in clients]

    assert rehearse(work()) == ["fake"] * 600
    assert provider.outcomes["answered"] == 600
    assert 400 < provider.outcomes["rate_limited"] < 800
