"""The retry policy: what is asked again, when, and how often."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stacked import HELLO, SlowProvider, read, stacked, text

from war_rig.errors import (
    AuthenticationError,
    ProviderConnectionError,
    ProviderError,
    RateLimitError,
    ServerError,
)
from war_rig.policies.retry import RetryBudget, Waits
from war_rig.testing import FakeProvider, rehearse

BUSY = ServerError("busy", status=503)


def limited(seconds: float) -> RateLimitError:
    return RateLimitError("slow down", status=429, retry_after_seconds=seconds)


def test_a_retryable_error_is_asked_again() -> None:
    """The answer of the next attempt is the call's, and both are in its ledger."""
    fake = FakeProvider(replies=[BUSY, "hello"])
    answer = rehearse(stacked(fake, retry={}).complete(HELLO))
    assert answer.content == "hello"
    assert [(a.outcome, a.reason) for a in answer.attempts] == [
        ("failed", "ServerError: provider 'fake' reports: busy"),
        ("answered", ""),
    ]
    assert answer.attempts[1].waited_for == (
        "retry after ServerError: provider 'fake' reports: busy"
    )


def test_what_no_repetition_cures_is_not_repeated() -> None:
    """A refused key is told at once."""
    fake = FakeProvider(AuthenticationError("no", status=401))
    with pytest.raises(AuthenticationError) as caught:
        rehearse(stacked(fake, retry={}).complete(HELLO))
    assert len(fake.calls) == len(caught.value.attempts) == 1


def test_the_last_error_is_raised_after_all_attempts() -> None:
    """With the attempts that were made, and what was waited for each."""
    fake = FakeProvider(replies=[BUSY, limited(7), BUSY])
    with pytest.raises(ServerError) as caught:
        rehearse(stacked(fake, retry={"attempts": 3}).complete(HELLO))
    first, second, third = caught.value.attempts
    assert (first.waited_seconds, first.waited_for) == (0.0, "")
    assert second.waited_seconds <= 0.5
    assert third.waited_seconds >= 7
    assert third.waited_for.startswith("retry after RateLimitError")


def test_nobody_comes_back_before_the_server_wants() -> None:
    """Retry-After is the least that is waited; what is random comes on top."""

    async def ask() -> float:
        fake = FakeProvider(replies=[limited(20), "hello"])
        await stacked(fake, retry={"wait_seconds": 2}).complete(HELLO)
        return asyncio.get_running_loop().time()

    assert 20 <= rehearse(ask()) <= 22


def test_a_server_that_wants_too_much_is_not_asked_again() -> None:
    """A Retry-After above longest_retry_after_seconds is given to the caller at once."""
    fake = FakeProvider(limited(61))
    with pytest.raises(RateLimitError) as caught:
        rehearse(stacked(fake, retry={"longest_retry_after_seconds": 60}).complete(HELLO))
    assert len(fake.calls) == 1
    assert caught.value.retry_after_seconds == 61


def test_nobody_waits_for_an_attempt_that_would_come_too_late() -> None:
    """Where the wait would pass the call's deadline, the error is given at once."""

    async def ask() -> float:
        stack = stacked(FakeProvider(limited(50)), retry={}, timeout={"total": 40})
        with pytest.raises(RateLimitError):
            await stack.complete(HELLO)
        return asyncio.get_running_loop().time()

    assert rehearse(ask()) == 0.0


def test_an_outage_is_not_made_worse() -> None:
    """When all calls fail, retries are the spare ones and a share of the calls, and no more."""
    fake = FakeProvider(BUSY)
    stack = stacked(fake, retry={"attempts": 3, "share": 0.1, "spare": 5})

    async def ask() -> None:
        for _ in range(200):
            with pytest.raises(ServerError):
                await stack.complete(HELLO)

    rehearse(ask())
    assert len(fake.calls) <= 200 * 1.1 + 5


def test_a_retry_at_the_server_s_own_time_is_not_counted() -> None:
    """Whoever keeps to a Retry-After makes nothing worse."""
    fake = FakeProvider(limited(1))
    stack = stacked(fake, retry={"attempts": 3, "share": 0, "spare": 0})
    with pytest.raises(RateLimitError):
        rehearse(stack.complete(HELLO))
    assert len(fake.calls) == 3


def test_a_stream_that_breaks_takes_nothing_from_the_budget() -> None:
    """Only retries that are made are counted."""
    broken: list[str | Exception] = ["one ", ProviderConnectionError("broke off")]
    fake = FakeProvider(replies=[broken, broken, BUSY, "hello"])
    stack = stacked(fake, retry={"share": 0, "spare": 1})

    async def ask() -> str:
        for _ in range(2):
            with pytest.raises(ProviderConnectionError):
                await read(stack)
        return text(await read(stack))

    assert rehearse(ask()) == "hello"


def test_a_provider_that_works_earns_its_retries_back() -> None:
    """The budget fills with calls, up to the spare ones."""
    budget = RetryBudget(share=0.5, spare=1)
    assert budget.take()
    assert not budget.take()
    budget.earn()
    budget.earn()
    budget.earn()
    assert budget.take()
    assert not budget.take()


@pytest.mark.parametrize(("share", "calls", "retries"), [(0, 9, 0), (0.5, 9, 4), (2, 9, 18)])
def test_a_share_is_earned_without_spare_retries(share: float, calls: int, retries: int) -> None:
    """``spare: 0`` takes the spare ones away, and not what the calls bring."""
    fake = FakeProvider(BUSY)
    stack = stacked(fake, retry={"attempts": 3, "share": share, "spare": 0})

    async def ask() -> None:
        for _ in range(calls):
            with pytest.raises(ServerError):
                await stack.complete(HELLO)

    rehearse(ask())
    assert len(fake.calls) == calls + retries


def test_one_attempt_is_no_retry() -> None:
    """``attempts: 1`` builds no policy."""
    assert "Retry" not in stacked(FakeProvider(), retry={"attempts": 1}).layers


@pytest.mark.parametrize("failing", [BUSY, ["", BUSY]], ids=["nothing", "a piece without text"])
def test_a_stream_is_asked_again_before_its_first_text(failing: Any) -> None:
    """Nothing was given yet, so nothing is given twice."""
    fake = FakeProvider(replies=[failing, "one two"])
    chunks = rehearse(read(stacked(fake, retry={})))
    assert text(chunks) == "one two"
    assert chunks[-1].response is not None
    assert len(chunks[-1].response.attempts) == 2


def test_a_stream_that_breaks_later_is_not_asked_again() -> None:
    """What was given can't be taken back: the error is the caller's."""
    fake = FakeProvider(["one ", ProviderConnectionError("broke off")])
    with pytest.raises(ProviderConnectionError) as caught:
        rehearse(read(stacked(fake, retry={})))
    assert len(fake.calls) == 1
    assert caught.value.attempts[0].completion_tokens == 1


def test_a_stream_that_is_left_is_closed() -> None:
    """Leaving after the first piece cancels the attempt, and its ledger says so."""

    async def ask() -> Any:
        stack = stacked(SlowProvider(1, "one two three"), retry={})
        chunks = stack.stream(HELLO)
        await anext(chunks)
        await chunks.aclose()
        return stack

    stack = rehearse(ask())
    assert stack._run.total.failed == stack._run.total.sent == 1


@settings(deadline=None)
@given(
    attempts=st.integers(1, 8),
    total=st.floats(1, 300),
    seconds=st.floats(0, 20),
    outcomes=st.lists(st.one_of(st.none(), st.floats(0, 100)), min_size=8, max_size=8),
)
def test_never_more_attempts_than_declared_and_never_past_the_deadline(
    attempts: int, total: float, seconds: float, outcomes: list[float | None]
) -> None:
    """Whatever a server answers and wants, the declared bounds hold."""
    replies = [BUSY if wanted is None else limited(wanted) for wanted in outcomes]
    fake = SlowProvider(seconds, replies=replies)
    stack = stacked(
        fake, retry={"attempts": attempts, "spare": 100}, timeout={"attempt": None, "total": total}
    )

    async def ask() -> float:
        with pytest.raises(ProviderError):
            await stack.complete(HELLO)
        return asyncio.get_running_loop().time()

    assert rehearse(ask()) <= total + 1e-6
    assert len(fake.calls) <= attempts


@given(st.integers(1, 10_000), st.floats(0, 1000))
def test_a_wait_is_never_shorter_than_wanted_nor_longer_than_declared(
    failed: int, retry_after: float
) -> None:
    """Retry-After, and on top of it at most the longest wait."""
    seconds = Waits(0.5, 30, 60).seconds(failed, retry_after)
    assert retry_after <= seconds <= retry_after + 30
