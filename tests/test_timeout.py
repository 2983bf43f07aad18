"""The timeout policies: an attempt and a whole call end in time, and say which limit it was."""

import asyncio
from contextlib import aclosing

import pytest
from stacked import HELLO, SlowProvider, read, stacked, text

from war_rig.errors import ProviderTimeoutError, ServerError
from war_rig.providers.patience import Patience
from war_rig.testing import FakeProvider, rehearse

BUSY = ServerError("busy", status=503)


def test_an_attempt_that_takes_too_long_is_an_error() -> None:
    """The message names the provider, its model and the limit, and what to do."""
    stack = stacked(SlowProvider(31), timeout={"attempt": 30, "total": None})
    with pytest.raises(ProviderTimeoutError) as caught:
        rehearse(stack.complete(HELLO))
    assert str(caught.value) == (
        "provider 'fake' did not finish its answer in 30 s\n"
        "  model fake\n"
        "  ask again later, or declare a longer timeout"
    )
    assert (caught.value.provider, caught.value.model) == ("fake", "fake")
    assert [(a.outcome, a.seconds) for a in caught.value.attempts] == [("failed", 30.0)]


def test_an_attempt_in_time_is_answered() -> None:
    """The limit is one for slow answers only."""
    answer = rehearse(stacked(SlowProvider(29), timeout={"attempt": 30}).complete(HELLO))
    assert answer.content == "slow answer"


def test_a_whole_call_ends_in_time_with_all_its_attempts() -> None:
    """The total limits the attempts and the waits between them together."""
    stack = stacked(
        SlowProvider(40, ServerError("busy", status=500)),
        timeout={"attempt": 50, "total": 100},
        retry={"attempts": 9, "wait_seconds": 0.001, "spare": 9},
    )

    async def ask() -> float:
        with pytest.raises(ProviderTimeoutError, match="gave no answer, with all attempts, in 100"):
            await stack.complete(HELLO)
        return asyncio.get_running_loop().time()

    assert rehearse(ask()) == pytest.approx(100)


def test_an_attempt_has_no_more_time_than_the_call() -> None:
    """The shipped limit of an attempt does not outlive a shorter total."""
    stack = stacked(SlowProvider(500), timeout={"total": 60})
    with pytest.raises(ProviderTimeoutError) as caught:
        rehearse(stack.complete(HELLO))
    assert sum(a.seconds for a in caught.value.attempts) == pytest.approx(60)


def test_an_attempt_of_a_fallback_has_no_more_time_than_its_own_total() -> None:
    """Also where its entry took the limit of an attempt away: nothing else of its total is left."""
    limits = {"attempt": None, "total": 20}
    second = stacked(SlowProvider(500), name="second", timeout=limits)
    hops = [lambda: second.inner]
    first = stacked(FakeProvider(BUSY), hops=hops, fallback=["second"], timeout={"total": 900})
    with pytest.raises(ProviderTimeoutError) as caught:
        rehearse(first.complete(HELLO))
    assert [a.seconds for a in caught.value.attempts] == [0, 20]


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"first_token": 5}, "sent no text in 5 s"),
        ({"attempt": 6}, "did not finish its answer in 6 s"),
        ({"total": 6}, "did not finish its answer in 6 s"),
    ],
    ids=str,
)
def test_a_stream_is_limited_until_its_first_text(limits: dict[str, float], told: str) -> None:
    """Whichever limit ends first is the one that is told."""
    stack = stacked(SlowProvider(10, "one two"), timeout={"attempt": None, "total": None, **limits})
    with pytest.raises(ProviderTimeoutError, match=f"provider 'fake' {told}"):
        rehearse(read(stack))


def test_pieces_without_text_keep_no_stream_alive() -> None:
    """What is waited for is text, the first and each further one."""
    silent = SlowProvider(4, ["", "", "one", "", "", "two"])
    for limit, told in (("first_token", "no text in"), ("between_tokens", "nothing more for")):
        with pytest.raises(ProviderTimeoutError, match=f"sent {told} 9 s"):
            rehearse(read(stacked(silent, timeout={limit: 9})))


def test_a_stream_is_limited_between_its_pieces() -> None:
    """A stream that falls silent is an error, though its attempt has time left."""
    slow = SlowProvider(10, "one two three")
    stack = stacked(slow, timeout={"first_token": 20, "between_tokens": 9})
    with pytest.raises(ProviderTimeoutError, match="sent nothing more for 9 s") as caught:
        rehearse(read(stack))
    assert caught.value.attempts[0].completion_tokens == 1  # "one ", which had arrived


def test_a_slow_reader_is_not_the_stream_s_fault() -> None:
    """What the reader of a stream takes for itself is not counted between two pieces."""
    stack = stacked(SlowProvider(1, "one two three"), timeout={"between_tokens": 2, "total": 1000})

    async def ask() -> str:
        pieces = []
        async with aclosing(stack.stream(HELLO)) as chunks:
            async for chunk in chunks:
                pieces.append(chunk)
                await asyncio.sleep(30)
        return text(pieces)

    assert rehearse(ask()) == "one two three"


def test_a_caller_s_own_timeout_passes() -> None:
    """asyncio.timeout around a call raises TimeoutError, as around anything else."""
    stack = stacked(SlowProvider(100), timeout={"total": 50, "attempt": 50})

    async def ask() -> None:
        async with asyncio.timeout(3):
            await stack.complete(HELLO)

    with pytest.raises(TimeoutError):
        rehearse(ask())


def test_without_limits_nothing_is_limited() -> None:
    """``timeout: null`` leaves both policies out."""
    stack = stacked(SlowProvider(1_000_000), timeout=None)
    assert rehearse(stack.complete(HELLO)).content == "slow answer"
    assert stack.layers == ["Attempts", "Border"]


def test_a_stream_in_time_arrives_whole() -> None:
    """Limits change nothing in a stream that keeps them."""
    chunks = rehearse(read(stacked(FakeProvider("a b c"), timeout={"first_token": 1})))
    assert text(chunks) == "a b c"


def test_a_plain_timeout_from_within_is_not_called_ours() -> None:
    """Only what these limits ended is told as theirs."""

    async def ask() -> None:
        patience = Patience(total=10)
        try:
            with patience:
                raise TimeoutError("of somebody else")
        finally:
            patience.close()

    with pytest.raises(TimeoutError, match="of somebody else"):
        rehearse(ask())
