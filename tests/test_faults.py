"""What the caller gets when a server fails: one of our errors, in time, without the key."""

import asyncio
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from itertools import chain, repeat
from pathlib import Path
from socket import SHUT_WR, socket
from threading import Thread
from typing import Any

import httpx
import httpx_aiohttp  # noqa: F401  before any clock runs: a busy machine takes seconds for these
import openai
import pytest
from canary import CANARY, leaks
from loopback import Request, Respond, answer, chat_completion, cut, response_bytes, serve, stall

from containers import Application, application, running
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

TIMEOUT_SECONDS = 1.5
Failing = Callable[[str, Respond | None], ProviderError]


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


MODELS = {
    "openai": "gpt-6.1-terra",
    "house": "house-1",
    "by_query": "house-1",
    "by_basic": "house-1",
    "small": "small-1",
}
"""The providers that are asked: two ways of ours, one with its key elsewhere, and an author's."""

ENTRIES = """\
llm_provider: PROVIDER
policies: {retry: null}
providers:
  openai:
    api_key: ${HOUSE_KEY}
    base_url: URL/v1
    connect_timeout_seconds: SECONDS
    read_timeout_seconds: SECONDS
    first_token_timeout_seconds: SECONDS
    between_tokens_timeout_seconds: SECONDS
  small: {api_key: "${HOUSE_KEY}", base_url: URL/v1}
  house: &house
    type: http
    url: URL/v1/chat/completions
    model: house-1
    auth: {bearer: "${HOUSE_KEY}"}
    request: {model: $model, messages: $messages, ...: $parameters}
    response:
      content: choices[0].message.content
      model: model
      total_tokens: usage.total_tokens
    stream:
      request: {stream: true}
      content: choices[0].delta.content
      end: "[DONE]"
    timeouts: {connect: SECONDS, first_token: SECONDS, between_tokens: SECONDS, total: SECONDS}
  by_query: {<<: *house, auth: {query: {name: key, value: "${HOUSE_KEY}"}}}
  by_basic: {<<: *house, auth: {basic: {user: me, password: "${HOUSE_KEY}"}}}
"""


def house(provider: str, url: str) -> Application:
    """Return the container of a user's file in which *provider* of the server at *url* is set."""
    register_provider("small", SmallProvider)
    text = ENTRIES.replace("PROVIDER", provider).replace("URL", url)
    path = Path("house.yaml")
    path.write_text(text.replace("SECONDS", str(TIMEOUT_SECONDS)))
    return application(path, {"HOUSE_KEY": CANARY})


@dataclass
class Flawed:
    """A server that fails once. recover: makes it answer, where it does not by itself."""

    url: str
    requests: list[Request]
    recover: Callable[[], object] = lambda: None


@contextmanager
def failing_once(respond: Respond | None, then: Respond) -> Iterator[Flawed]:
    """Run a server that fails at its first request, or is not there (None), and then answers."""
    if respond is None:
        with socket() as listener:  # bound, and not listening: connections are refused
            listener.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield Flawed(url, [], lambda: answer_one(listener))
        return
    turns = chain([respond], repeat(then))
    with serve(lambda request, connection: next(turns)(request, connection)) as server:
        yield Flawed(server.url, server.requests)


def answer_one(listener: socket) -> None:
    """Listen at last, and answer one request."""

    def respond() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(response_bytes(chat_completion()))
            connection.shutdown(SHUT_WR)
            while connection.recv(65536):
                pass

    listener.listen()
    Thread(target=respond, daemon=True).start()


async def failure(app: Application, server: Flawed) -> ProviderError:
    """Return the error of a first call; a second one, of the same container, is answered."""
    async with running(app):
        with pytest.raises(ProviderError) as caught:
            await app.agents("assistant").run("Hello")
        assert len(server.requests) <= 1  # no repetition that nobody asked for
        server.recover()
        assert (await app.agents("assistant").run("Hello")).content == "Hello."
    return caught.value


@pytest.fixture
def failure_of() -> Iterator[Failing]:
    """Give the error of one provider at one fault."""
    with ExitStack() as servers:

        def error(provider: str, respond: Respond | None) -> ProviderError:
            server = servers.enter_context(failing_once(respond, answer(chat_completion())))
            return asyncio.run(failure(house(provider, server.url), server))

        yield error


@pytest.mark.parametrize("provider", MODELS)
@pytest.mark.parametrize("name", ALL)
def test_every_fault_is_one_of_our_errors(
    name: str, provider: str, failure_of: Failing, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault arrives in time as our error with all that is known, keyless, and can be pickled."""
    caplog.set_level("DEBUG")
    fault = ALL[name]
    began = time.monotonic()
    error = failure_of(provider, fault.respond)
    assert time.monotonic() - began < TIMEOUT_SECONDS + 5
    for shown in (error, pickle.loads(pickle.dumps(error))):
        assert type(shown) is fault.kind
        assert (shown.provider, shown.model) == (provider, MODELS[provider])
        assert shown.status == fault.status or (fault.status is None and shown.status == 200)
        assert shown.retry_after_seconds == fault.retry_after_seconds
        assert shown.is_retryable is fault.is_retryable
        assert str(shown) == str(error)
    assert str(error).startswith(f"provider '{provider}' ")
    assert leaks(error) == []
    assert CANARY not in caplog.text
    assert error.__context__ is None or error.__suppress_context__


def test_the_canary_walk_finds_what_the_sdk_reaches() -> None:
    """The walk that proves the promise does find the key where nobody took it away."""

    async def ask(url: str) -> None:

        async with openai.AsyncOpenAI(api_key=CANARY, base_url=url, max_retries=0) as client:
            await client.chat.completions.create(model="m", messages=[])

    with (
        serve(answer(complaint("no"), 500)) as server,
        pytest.raises(Exception, match="no") as caught,
    ):
        asyncio.run(ask(server.url))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pickle.dumps", lambda _: b"")  # an error of the SDK's can't be pickled
        assert "headers" in leaks(caught.value)[0]


@pytest.mark.parametrize("provider", MODELS)
def test_a_retry_after_date_is_seconds_from_now(provider: str, failure_of: Failing) -> None:
    """Retry-After may be an HTTP date; one in the past means no wait."""
    for offset, least, most in ((30, 25, 30), (-30, 0, 0)):
        headers = {"Retry-After": formatdate(time.time() + offset, usegmt=True)}
        error = failure_of(provider, answer(complaint("slow"), 429, headers))
        assert error.retry_after_seconds is not None
        assert least <= error.retry_after_seconds <= most


@pytest.mark.parametrize("provider", ["openai", "small", "house"])
def test_an_error_is_one_readable_block(provider: str, failure_of: Failing) -> None:
    """The text says what failed, with which model, and what to do next."""
    error = failure_of(provider, answer(complaint("slow\ndown"), 429, {"Retry-After": "2"}))
    assert str(error) == (
        f"provider '{provider}' answered 429: slow down\n"
        f"  model {MODELS[provider]}; the server asks to wait 2 s\n"
        "  wait and ask again, or ask less often"
    )
