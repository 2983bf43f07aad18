"""The limit of a call's steps: in time, too late, and with a timer that is seldom set."""

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from war_rig.providers.limit import Limit
from war_rig.testing import rehearse


def after(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


@contextmanager
def counted_timers() -> Iterator[list[float]]:
    """Give the moments that timers of the running loop are set to."""
    loop: Any = asyncio.get_running_loop()
    moments: list[float] = []
    call_at = loop.call_at

    def noted(when: float, *arguments: Any, **more: Any) -> Any:
        moments.append(when)
        return call_at(when, *arguments, **more)

    loop.call_at = noted
    try:
        yield moments
    finally:
        del loop.call_at


@pytest.mark.asyncio
async def test_a_step_that_takes_too_long_ends_in_a_timeout() -> None:
    """When the time is up, what is awaited is cancelled, and TimeoutError comes out."""
    limit = Limit(after(0.02))
    with pytest.raises(TimeoutError), limit:
        await asyncio.Event().wait()
    assert limit.is_over
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.asyncio
async def test_a_step_after_one_that_was_too_long_has_its_own_limit() -> None:
    """A limit can be used again, and does not remember."""
    limit = Limit(after(0.01))
    with pytest.raises(TimeoutError), limit:
        await asyncio.Event().wait()
    limit.set(after(10))
    with limit:
        await asyncio.sleep(0.02)
    assert not limit.is_over
    limit.close()


@pytest.mark.asyncio
async def test_many_steps_in_time_set_one_timer() -> None:
    """A limit that moves on with each step costs no timer a step."""
    limit = Limit(after(10))
    with counted_timers() as moments:
        for _ in range(100):
            limit.set(after(10))
            with limit:
                limit.set(after(11))
    assert len(moments) == 1
    limit.close()


@pytest.mark.asyncio
async def test_a_timer_that_is_too_early_is_set_anew() -> None:
    """A limit that moved on is kept all the same: neither too early nor for ever."""
    limit = Limit(after(0.02))
    begun = after(0)
    with pytest.raises(TimeoutError), limit:
        limit.set(after(0.1))
        await asyncio.Event().wait()
    assert 0.09 < after(0) - begun < 5


@pytest.mark.asyncio
@pytest.mark.parametrize("is_during_the_step", [True, False])
async def test_a_limit_may_come_nearer(is_during_the_step: bool) -> None:
    """A nearer limit counts at once, set within the step or before it."""
    limit = Limit(after(60))
    with limit:
        pass
    if not is_during_the_step:
        limit.set(after(0.01))
    with pytest.raises(TimeoutError), limit:
        if is_during_the_step:
            limit.set(after(0.01))
        await asyncio.wait_for(asyncio.Event().wait(), 5)
    assert limit.is_over


@pytest.mark.asyncio
async def test_time_between_two_steps_is_nobodys() -> None:
    """A limit that passes while nothing is awaited ends nothing; the next step has a new one."""
    limit = Limit(after(0.01))
    with limit:
        pass
    await asyncio.sleep(0.03)
    limit.set(after(10))
    with limit:
        await asyncio.sleep(0.01)
    limit.close()


@pytest.mark.asyncio
async def test_a_cancellation_of_the_callers_own_passes() -> None:
    """Who cancels the task gets its CancelledError, even where the time is up as well."""
    limit = Limit(after(0.01))

    async def step() -> None:
        task = asyncio.current_task()
        assert task is not None
        with limit:
            try:
                await asyncio.Event().wait()
            finally:
                task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(step())


@pytest.mark.asyncio
async def test_a_step_that_is_over_is_cancelled_once() -> None:
    """What a step still does after its time is not interrupted again."""
    limit = Limit(after(0.01))
    cleaned = False
    with pytest.raises(TimeoutError), limit:
        try:
            await asyncio.Event().wait()
        finally:
            limit.set(after(0))
            await asyncio.sleep(0.02)
            cleaned = True
    assert cleaned


@pytest.mark.asyncio
async def test_an_error_of_the_step_is_not_replaced() -> None:
    """What a step raises in its last moment comes out as it is."""
    limit = Limit(after(0.01))
    with pytest.raises(KeyError), limit:
        try:
            await asyncio.Event().wait()
        finally:
            raise KeyError("own")
    assert limit.is_over


def test_no_limit_sets_no_timer() -> None:
    """A step without a limit takes as long as it does."""

    async def step() -> float:
        limit = Limit(math.inf)
        with limit:
            await asyncio.sleep(1_000_000)
        limit.set(math.inf)
        limit.close()
        return asyncio.get_running_loop().time()

    assert rehearse(step()) == 1_000_000
