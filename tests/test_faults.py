"""What the caller gets when a server fails: one of our errors, in time, without the key."""

import asyncio
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import httpx
import pytest
from canary import CANARY, leaks
from loopback import Respond, answer, chat_completion, cut, serve, stall

from containers import application, running
from war_rig.errors import (
    AuthenticationError,
    BadRequestError,
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
)
from war_rig.providers import CompletionResponse, register_provider

TIMEOUT_SECONDS = 0.5


class SmallProvider:
    """What an author with httpx writes on a good day: it calls raise_for_status()."""

    def __init__(self, api_key: str, base_url: str):
        self._key, self._url, self.default_model = api_key, base_url, "small-1"

    async def complete(self, messages: Any, **kwargs: Any) -> CompletionResponse:
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
            response = await client.post(
                f"{self._url}/chat/completions",
                headers={"Authorization": f"Bearer {self._key}"},
                json={"messages": [m.content for m in messages]},
            )
        response.raise_for_status()
        answer = response.json()
        text = answer["choices"][0]["message"]["content"]
        return CompletionResponse(text, answer["model"], answer["usage"]["total_tokens"], answer)


def complaint(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "x", "param": None, "code": None, **more}}


@dataclass(frozen=True)
class Fault:
    respond: Respond | None
    kind: type[ProviderError]
    status: int | None = None
    retry_after_seconds: float | None = None
    is_retryable: bool = False


TOO_LONG = complaint("This model's maximum context length is 8", code="context_length_exceeded")

FAULTS = {
    "401": Fault(
        answer(complaint(f"Incorrect API key provided: {CANARY}"), 401), AuthenticationError, 401
    ),
    "404": Fault(answer(complaint("no such model"), 404), ModelNotFoundError, 404),
    "400 context too long": Fault(answer(TOO_LONG, 400), ContextTooLongError, 400),
    "429": Fault(
        answer(complaint("slow down"), 429, {"Retry-After": "2"}), RateLimitError, 429, 2.0, True
    ),
    "500": Fault(answer(complaint("oops"), 500), ServerError, 500, None, True),
    "refused": Fault(None, ProviderConnectionError, is_retryable=True),
    "truncated JSON": Fault(answer(b'{"choices": [{"mess'), MalformedAnswerError),
    "body cut off": Fault(cut(b'{"cho', 500), ProviderConnectionError, is_retryable=True),
    "choices []": Fault(answer(chat_completion(choices=[])), MalformedAnswerError),
    "HTML": Fault(answer(f"<html>{CANARY}</html>"), MalformedAnswerError),
    "error body": Fault(answer(complaint(f"bad key {CANARY}")), MalformedAnswerError),
    "no answer at all": Fault(stall(), ProviderTimeoutError, is_retryable=True),
}
MORE_FAULTS = {
    "403": Fault(answer(complaint("no"), 403), AuthenticationError, 403),
    "402": Fault(answer(complaint("pay"), 402), QuotaExceededError, 402),
    "400": Fault(answer(complaint("bad temperature"), 400), BadRequestError, 400),
    "400 refused": Fault(
        answer(complaint("filtered", code="content_filter"), 400), ContentRefusedError, 400
    ),
    "400 no model": Fault(
        answer(complaint("gone", code="model_not_found"), 400), ModelNotFoundError, 400
    ),
    "413": Fault(answer(complaint("large"), 413), ContextTooLongError, 413),
    "408": Fault(answer(complaint("slow"), 408), ProviderTimeoutError, 408, None, True),
    "429 spent": Fault(
        answer(complaint("You exceeded your current quota", code="insufficient_quota"), 429),
        QuotaExceededError,
        429,
    ),
    "429 in ms": Fault(
        answer(complaint("wait"), 429, {"retry-after-ms": "1500"}), RateLimitError, 429, 1.5, True
    ),
    "529": Fault(answer(complaint("overloaded"), 529), ServerError, 529, None, True),
    "302": Fault(
        answer("moved", 302, {"Location": "http://127.0.0.1:9/"}), MalformedAnswerError, 302
    ),
    "empty body": Fault(answer(b""), MalformedAnswerError),
    "null": Fault(answer(b"null"), MalformedAnswerError),
    "no content": Fault(answer(chat_completion("")), MalformedAnswerError),
}
ALL = FAULTS | MORE_FAULTS


def environment(provider: str, url: str) -> dict[str, str]:
    prefix = provider.upper()
    return {
        "LLM_PROVIDER": provider,
        f"{prefix}_API_KEY": CANARY,
        f"{prefix}_BASE_URL": f"{url}/v1",
        "OPENAI_READ_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
        "OPENAI_CONNECT_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
    }


async def failure(env: dict[str, str]) -> ProviderError:
    register_provider("small", SmallProvider)
    async with running(application(env=env)) as app:
        with pytest.raises(ProviderError) as caught:
            await app.agents("assistant").run("Hello")
    return caught.value


@pytest.fixture
def url_of() -> Iterator[Callable[[Respond | None], str]]:
    with ExitStack() as servers:

        def url(respond: Respond | None) -> str:
            if respond is not None:
                return servers.enter_context(serve(respond)).url
            with serve(answer({})) as gone:  # its port is free again: connections are refused
                return gone.url

        yield url


@pytest.mark.parametrize("provider", ["openai", "small"])
@pytest.mark.parametrize("name", ALL)
def test_every_fault_is_one_of_our_errors(
    name: str, provider: str, url_of: Callable[[Respond | None], str]
) -> None:
    """A fault arrives in time as our error with all that is known, and survives a pickle."""
    fault = ALL[name]
    began = time.monotonic()
    error = asyncio.run(failure(environment(provider, url_of(fault.respond))))
    assert time.monotonic() - began < TIMEOUT_SECONDS + 5
    for shown in (error, pickle.loads(pickle.dumps(error))):
        assert type(shown) is fault.kind
        assert (shown.provider, shown.model) == (
            provider,
            {"openai": "gpt-5-mini", "small": "small-1"}[provider],
        )
        assert shown.status == fault.status or (fault.status is None and shown.status == 200)
        assert shown.retry_after_seconds == fault.retry_after_seconds
        assert shown.is_retryable is fault.is_retryable
        assert str(shown) == str(error)
    assert str(error).startswith(f"provider '{provider}' ")


@pytest.mark.parametrize("provider", ["openai", "small"])
@pytest.mark.parametrize("name", ALL)
def test_no_fault_shows_or_reaches_the_key(
    name: str, provider: str, url_of: Callable[[Respond | None], str], caplog: Any
) -> None:
    """The key, also one that the server echoes, is in no text, pickle, log or attribute."""
    caplog.set_level("DEBUG")
    error = asyncio.run(failure(environment(provider, url_of(ALL[name].respond))))
    assert leaks(error) == []
    assert CANARY not in caplog.text
    assert error.__context__ is None or error.__suppress_context__


def test_the_canary_walk_finds_what_the_sdk_reaches(
    url_of: Callable[[Respond | None], str],
) -> None:
    """The walk that proves the promise does find the key where nobody took it away."""

    async def ask() -> None:
        from openai import AsyncOpenAI

        async with AsyncOpenAI(
            api_key=CANARY, base_url=url_of(answer(complaint("no"), 500)), max_retries=0
        ) as client:
            await client.chat.completions.create(model="m", messages=[])

    with pytest.raises(Exception, match="no") as caught:
        asyncio.run(ask())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pickle.dumps", lambda _: b"")  # an error of the SDK's can't be pickled
        assert "headers" in leaks(caught.value)[0]


def test_a_retry_after_date_is_seconds_from_now(url_of: Callable[[Respond | None], str]) -> None:
    """Retry-After may be an HTTP date; one in the past means no wait."""
    for offset, least, most in ((30, 25, 30), (-30, 0, 0)):
        headers = {"Retry-After": formatdate(time.time() + offset, usegmt=True)}
        url = url_of(answer(complaint("slow"), 429, headers))
        error = asyncio.run(failure(environment("openai", url)))
        assert error.retry_after_seconds is not None
        assert least <= error.retry_after_seconds <= most


def test_an_error_is_one_readable_block(url_of: Callable[[Respond | None], str]) -> None:
    """The text says what failed, with which model, and what to do next."""
    url = url_of(answer(complaint("slow\ndown"), 429, {"Retry-After": "2"}))
    error = asyncio.run(failure(environment("openai", url)))
    assert str(error) == (
        "provider 'openai' answered 429: slow down\n"
        "  model gpt-5-mini; the server asks to wait 2 s\n"
        "  wait and ask again, or ask less often"
    )
