"""What was paid for is accounted, wherever a call was left, and in whatever process it goes on."""

import asyncio
import gc
from contextlib import closing, suppress
from typing import Any

import pytest
from stacked import HELLO, SlowProvider, stacked

from war_rig.errors import ConfigError, ServerError
from war_rig.forking import _begin_anew
from war_rig.ledger import Ledger
from war_rig.policies.budget import Budget
from war_rig.policies.policy import Around, Course, Policy
from war_rig.policies.stack import Stack
from war_rig.providers import CompletionChunk
from war_rig.testing import FakeProvider
from war_rig.testing.rehearsal import rehearse

DOWN = ServerError("down", status=503)


def purse_of(stack: Stack) -> Budget:
    """Return the budget among the layers of *stack*."""
    layer = stack.provider
    while not isinstance(layer, Budget):
        assert isinstance(layer, Policy)
        layer = layer.provider
    return layer


@pytest.mark.parametrize("failed_before", [0, 1])
def test_a_stream_left_in_a_closed_loop_is_accounted(failed_before: int) -> None:
    """Nobody ends it there: its attempts reach the run all the same, and nothing stays reserved."""
    run, model = (
        Ledger(),
        FakeProvider(replies=[*[DOWN] * failed_before, ["one ", "two ", "three"]]),
    )
    stack = stacked(
        model, run=run, retry={"attempts": 2, "wait_seconds": 0.001}, budget={"tokens": 5_000}
    )

    async def begin() -> CompletionChunk:
        left.append(stack.stream(HELLO))
        return await anext(left[0])

    with closing(asyncio.new_event_loop()) as loop:
        left: list[object] = []
        assert loop.run_until_complete(begin()).content == "one "
    left.clear()
    gc.collect()
    assert run.total.sent == 1 + failed_before
    purse = purse_of(stack).purse
    assert (purse.reserved.tokens, purse.spent.tokens) == (0, run.total.tokens_used)


def test_the_run_has_a_stream_when_its_last_chunk_arrives() -> None:
    """Who reads the sums after the answer, before the stream is closed, misses nothing."""
    run = Ledger()
    stack = stacked(FakeProvider(["one ", "two"]), run=run)

    async def play() -> None:
        async for chunk in stack.stream(HELLO):
            assert run.total.sent == (chunk.response is not None)

    rehearse(play())


def test_whatever_error_ends_a_call_has_its_attempts() -> None:
    """A mistake that shows only after paid attempts hides none of them."""
    mistake = ConfigError("the fallback takes no 'voice'")
    stack = stacked(
        FakeProvider(replies=[DOWN, mistake]), retry={"attempts": 2, "wait_seconds": 0.1}
    )
    with pytest.raises(ConfigError) as caught:
        rehearse(stack.complete(HELLO))
    assert [attempt.outcome for attempt in caught.value.attempts] == ["failed", "refused"]


IN_FLIGHT = pytest.mark.parametrize(
    "declared",
    [
        {"rate_limit": {"concurrency": 1}},
        {"budget": {"tokens": 1_100}},
        {"circuit_breaker": {"failures": 1, "open_seconds": 0.001}},
    ],
    ids=lambda declared: next(iter(declared)),
)


@IN_FLIGHT
def test_what_begins_anew_knows_of_no_call_under_way(declared: dict[str, Any]) -> None:
    """No place is taken, no money is reserved, and no probe is awaited."""
    provider = SlowProvider(0, replies=[DOWN, "slow", "fake"])
    stack = stacked(provider, retry=None, **declared)

    async def play() -> str:
        with suppress(ServerError):
            await stack.complete(HELLO)
        provider.seconds = 30
        slow = asyncio.create_task(stack.complete(HELLO))
        await asyncio.sleep(1)
        provider.seconds = 0
        _begin_anew()
        quick = (await stack.complete(HELLO)).content
        slow.cancel()
        return quick

    assert rehearse(play()) == "slow"


class Failing(Around[str]):
    """A policy with a mistake in what it does at the end."""

    async def _begin(self, course: Course) -> str:
        return "begun"

    def _end(self, begun: str, course: Course) -> None:
        raise ZeroDivisionError(begun)


def test_a_mistake_in_one_policy_keeps_no_other_from_its_end() -> None:
    """What they hold is given back, and the mistake is told."""
    budget = purse_of(stacked(FakeProvider("fine"), retry=None, budget={"tokens": 5_000}))
    budget.provider = Failing(Failing(budget.provider))
    with pytest.raises(ZeroDivisionError, match="begun"):
        rehearse(budget.complete(HELLO))
    assert budget.purse.reserved.tokens == 0
