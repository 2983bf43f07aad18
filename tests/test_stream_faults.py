"""What the reader of a stream gets when a server fails, before its first text or in its midst."""

import asyncio
import pickle
import time
from dataclasses import dataclass

import pytest
from canary import CANARY, leaks
from loopback import Respond, answer, chat_completion
from streams import DONE, HELLO, ROLE, chunk, event, streaming
from test_faults import FAULTS, MODELS, TIMEOUT_SECONDS, Flawed, failing_once, house

from containers import Application, running
from war_rig.errors import (
    BadRequestError,
    ContextTooLongError,
    MalformedAnswerError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)

PROVIDERS = ["openai", "house", "by_query"]


@dataclass(frozen=True)
class Fault:
    respond: Respond | None
    kind: type[ProviderError]
    status: int | None = None
    is_retryable: bool = False
    text: str = "Hello"
    retry_after_seconds: float | None = None


BEGUN = (ROLE, chunk("Hel"), chunk("lo"))


def told(**error: object) -> Respond:
    """Stream a part of an answer and then an error."""
    gone = event({"error": {"message": f"key {CANARY}, no", **error}})
    return streaming(*BEGUN, gone, DONE)


MIDST = {
    "cut": Fault(streaming(*BEGUN, ending="cut"), ProviderConnectionError, None, True),
    "ends with no finish": Fault(streaming(*BEGUN), MalformedAnswerError, 200),
    "error event": Fault(told(code=502), ServerError, 502, True),
    "error event, 429": Fault(told(code=429), RateLimitError, 429, True),
    "error event, spent": Fault(told(code="insufficient_quota"), QuotaExceededError),
    "error event, spent in words": Fault(
        told(message="You exceeded your current quota, see your plan"), QuotaExceededError
    ),
    "error event, spent by type": Fault(told(type="insufficient_quota"), QuotaExceededError),
    "error event, rate limit": Fault(told(code="rate_limit_exceeded"), RateLimitError, None, True),
    "error event, rate limit by type": Fault(
        told(type="rate_limit_error", code=None), RateLimitError, None, True
    ),
    "error event, rate limit in words": Fault(
        told(message=f"Rate limit reached for {CANARY}"), RateLimitError, None, True
    ),
    "error event, bad request": Fault(told(type="invalid_request_error"), BadRequestError),
    "error event, overloaded": Fault(told(type="overloaded_error"), ServerError, None, True),
    "error event, too long": Fault(told(code="context_length_exceeded"), ContextTooLongError),
    "error event, no code": Fault(told(), ServerError, None, True),
    "broken JSON": Fault(
        streaming(*BEGUN, b'data: {"id": "%b\n\n' % CANARY.encode(), DONE),
        MalformedAnswerError,
        200,
    ),
    "HTML": Fault(
        streaming(*BEGUN, b"data: <html>%b\n\n" % CANARY.encode(), DONE), MalformedAnswerError, 200
    ),
    "stalls": Fault(streaming(*BEGUN, ending="stall"), ProviderTimeoutError, None, True),
}
BEFORE = {
    name: Fault(f.respond, f.kind, f.status, f.is_retryable, "", f.retry_after_seconds)
    for name, f in FAULTS.items()
}
EMPTY = {
    "no text": Fault(streaming(ROLE, ending="stall"), ProviderTimeoutError, None, True, ""),
    "nothing": Fault(streaming(), MalformedAnswerError, 200, False, ""),
    "cut at once": Fault(streaming(ending="cut"), ProviderConnectionError, None, True, ""),
    "only its end": Fault(streaming(DONE), MalformedAnswerError, text=""),
}
ALL = (
    {f"in its midst: {name}": fault for name, fault in MIDST.items()}
    | {f"before it: {name}": fault for name, fault in BEFORE.items()}
    | {f"empty: {name}": fault for name, fault in EMPTY.items()}
)


async def read(app: Application, server: Flawed) -> tuple[str, ProviderError]:
    """Return the text and the error of a first stream; a second one is answered whole."""
    text = ""
    async with running(app):
        agent = app.agents("assistant")
        with pytest.raises(ProviderError) as caught:
            async for piece in agent.stream("Hello"):
                text += piece.content
                assert piece.response is None
        assert len(server.requests) <= 1  # no repetition that nobody asked for
        server.recover()
        *_, last = [piece async for piece in agent.stream("Hello")]
    assert last.response is not None
    assert (last.response.content, last.response.tokens_used) == ("Hello.", 7)
    return text, caught.value


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("name", ALL)
def test_every_fault_of_a_stream_is_one_of_our_errors(
    name: str, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault comes in time as our error, after the text before it, keyless, and can be pickled."""
    caplog.set_level("DEBUG")
    fault = ALL[name]
    then = streaming(*HELLO) if fault.respond else answer(chat_completion())
    began = time.monotonic()
    with failing_once(fault.respond, then) as server:
        text, error = asyncio.run(read(house(provider, server.url), server))
    assert time.monotonic() - began < TIMEOUT_SECONDS + 5
    assert text == fault.text
    for shown in (error, pickle.loads(pickle.dumps(error))):
        assert type(shown) is fault.kind
        assert (shown.provider, shown.model) == (provider, MODELS[provider])
        assert shown.status == fault.status or (fault.status is None and shown.status == 200)
        assert shown.retry_after_seconds == fault.retry_after_seconds
        assert shown.is_retryable is fault.is_retryable
        assert str(shown) == str(error)
    assert leaks(error) == []
    assert CANARY not in caplog.text
    assert error.__context__ is None or error.__suppress_context__
