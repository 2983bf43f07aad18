"""An answer in pieces: what every stream holds to, whoever the provider is."""

import asyncio
import gc
import json
import pickle
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from socket import socket
from typing import Any

import httpx
import pytest
from canary import CANARY, leaks
from conftest import ONE_ATTEMPT
from loopback import Request, Respond, answer, chat_completion, closing_after, serve
from streams import DONE, HELLO, ROLE, Watched, chunk, endless, streaming
from test_stream_faults import MIDST

from containers import Application, application, running
from war_rig.agents import Agent
from war_rig.errors import (
    AuthenticationError,
    ConfigError,
    MalformedAnswerError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitError,
    ServerError,
    WarRigError,
)
from war_rig.policies import CachedProvider, CacheStore
from war_rig.providers import CompletionChunk, CompletionResponse, Message, register_provider
from war_rig.providers.border import Border
from war_rig.providers.secrets import RedactedError
from war_rig.testing import FakeProvider

HI = [Message("user", "Hello")]
NEXT_STEP = "its code has to be corrected: docs/contract.md says what it returns"
ASK_OTHERWISE = MalformedAnswerError.next_step
ANSWER = CompletionResponse("Hello.", "m-1", 3)
LAST = CompletionChunk(response=ANSWER)


class Whole:
    """Has no stream."""

    default_model: Any = "m-1"

    async def complete(self, messages: list[Message], **kwargs: Any) -> Any:
        return CompletionResponse("Hello.", "m-1", 3)


class Pieces(Whole):
    """Streams what it was given, raises what is an exception, and says when it was closed."""

    def __init__(self, *pieces: Any) -> None:
        self.pieces = pieces
        self.events: list[Any] = []

    async def stream(self, messages: list[Message], **kwargs: Any) -> AsyncIterator[Any]:
        self.events.append(kwargs)
        try:
            for piece in self.pieces:
                if isinstance(piece, BaseException):
                    raise piece
                await asyncio.sleep(0)
                yield CompletionChunk(piece) if type(piece) is str else piece
        finally:
            self.events.append("closed")


async def chunks_of(stream: AsyncIterator[CompletionChunk]) -> list[CompletionChunk]:
    return [chunk async for chunk in stream]


def streamed(provider: Any, **parameters: Any) -> list[CompletionChunk]:
    return asyncio.run(chunks_of(Border("house", provider, {CANARY}).stream(HI, **parameters)))


def failure(provider: Any, **parameters: Any) -> Any:
    with pytest.raises(WarRigError) as caught:
        streamed(provider, **parameters)
    assert caught.value.__context__ is None
    return caught.value


def test_the_pieces_arrive_in_order_and_the_answer_at_the_end() -> None:
    """Each piece is a chunk; the last one, and only it, has the whole answer."""
    chunks = streamed(Pieces("Hel", "lo.", LAST))
    assert [chunk.content for chunk in chunks] == ["Hel", "lo.", ""]
    assert [chunk.response is None for chunk in chunks] == [True, True, False]
    assert chunks[-1].response == CompletionResponse("Hello.", "m-1", 3, usage_source="reported")


def test_the_last_chunk_may_hold_the_last_piece() -> None:
    """A provider may say with its last piece that it is the last."""
    chunks = streamed(Pieces("Hel", CompletionChunk("lo.", ANSWER)))
    assert [chunk.content for chunk in chunks] == ["Hel", "lo."]


def test_a_piece_without_text_is_none() -> None:
    """Some APIs begin with one that names the role only; its reader has nothing of it."""
    chunks = streamed(Pieces("", "Hel", "", "lo.", LAST))
    assert [chunk.content for chunk in chunks] == ["Hel", "lo.", ""]


@pytest.mark.asyncio
async def test_a_piece_does_not_wait_for_the_next() -> None:
    """A piece is there before the provider has made the one after it."""
    next_one = asyncio.Event()

    class Slow(Whole):
        async def stream(self, messages: Any) -> AsyncIterator[CompletionChunk]:
            yield CompletionChunk("Hello.")
            await next_one.wait()
            yield LAST

    stream = Agent("a", Border("house", Slow())).stream("Hello")
    assert (await anext(stream)).content == "Hello."
    next_one.set()
    assert (await anext(stream)).response is not None


USAGE: dict[str, tuple[dict[str, Any], tuple[Any, ...]]] = {
    "reported": ({"tokens_used": 7, "usage_source": "reported"}, (7, None, None, "reported")),
    "estimated": ({"tokens_used": 7, "usage_source": "estimated"}, (7, None, None, "estimated")),
    "without a word": ({"tokens_used": 7, "prompt_tokens": 3}, (7, 3, None, "reported")),
    "not told": ({"tokens_used": 0}, (4, 2, 2, "estimated")),
    "None": ({"tokens_used": None}, (4, 2, 2, "estimated")),
}


@pytest.mark.parametrize("name", USAGE)
def test_the_last_chunk_always_tells_the_usage(name: str) -> None:
    """Token counts that nobody reported are estimated, and marked so."""
    told, expected = USAGE[name]
    answer = CompletionResponse(**{"content": "Hello.", "model": "m-1", **told})
    for provider in (Pieces("Hello.", CompletionChunk(response=answer)), Completes(answer)):
        response = streamed(provider)[-1].response
        assert response is not None
        counts = (response.tokens_used, response.prompt_tokens, response.completion_tokens)
        assert (*counts, response.usage_source) == expected


class Completes(Whole):
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def complete(self, messages: list[Message], **kwargs: Any) -> Any:
        return self.answer


def test_what_is_filled_in_does_not_change_the_provider_s_own_object() -> None:
    """A provider may give the same response again: each stream gets a copy."""
    answer = CompletionResponse("Hello.", "", 0)
    chunks = streamed(Pieces("Hello.", CompletionChunk(response=answer)))
    assert chunks[-1].response is not answer
    assert answer == CompletionResponse("Hello.", "", 0)


class Flagged(Whole):
    """Has something of that name that is no method."""

    stream = True


@pytest.mark.parametrize("provider", [Whole(), Flagged()], ids=lambda p: type(p).__name__)
def test_a_provider_without_a_stream_gives_its_answer_as_one_chunk(provider: Any) -> None:
    """The answer of complete() is the only chunk, and the border says that this is emulated."""
    (chunk,) = streamed(provider)
    assert (chunk.content, chunk.response and chunk.response.content) == ("Hello.", "Hello.")
    assert Border("house", provider).is_stream_emulated
    assert not Border("house", Pieces()).is_stream_emulated


def test_what_complete_does_wrong_is_told_when_it_is_streamed() -> None:
    """An emulated stream raises what complete() would raise."""

    class Sync(Whole):
        def complete(self, messages: Any) -> Any:  # type: ignore[override]
            return ANSWER

    assert "complete() is not async" in str(failure(Sync()))
    assert "None instead of an answer" in str(failure(Completes(None)))


class Coroutine(Whole):
    async def stream(self, messages: Any, **kwargs: Any) -> Any:
        return ANSWER


class NoIterator(Whole):
    def stream(self, messages: Any, **kwargs: Any) -> Any:
        return [LAST]


ENDED = "a stream that ended without its last chunk, the one with the response"
FAULTS: dict[str, tuple[Any, str]] = {
    "ends": (Pieces("Hel"), ENDED),
    "never began": (Pieces(), ENDED),
    "text": (Pieces(3), "a int instead of a CompletionChunk in its stream"),
    "response": (Pieces(ANSWER), "a CompletionResponse instead of a CompletionChunk in its stream"),
    "content": (
        Pieces(CompletionChunk(b"Hel")),  # type: ignore[arg-type]
        "a chunk whose content is a bytes, not text",
    ),
    "goes on": (
        Pieces("Hello.", LAST, "Hello."),
        "a chunk after the one with the response, which is the last",
    ),
    "two lasts": (
        Pieces("Hello.", LAST, LAST),
        "a chunk after the one with the response, which is the last",
    ),
    "no answer": (
        Pieces("Hello.", CompletionChunk(response="Hello.")),  # type: ignore[arg-type]
        "a str instead of a CompletionResponse",
    ),
    "empty": (
        Pieces(CompletionChunk(response=CompletionResponse("", "m-1", 0, finish_reason="length"))),
        "an answer without content (finish reason: length)",
    ),
    "other text": (
        Pieces("Hallo.", LAST),
        "a stream whose pieces, put together, are not the content of its response",
    ),
    "coroutine": (
        Coroutine(),
        "a coroutine from stream(): its 'async def' needs a 'yield', or no 'async'",
    ),
    "no iterator": (NoIterator(), "a list from stream(), which is no async iterator"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_no_stream_is_said(name: str) -> None:
    """A stream that breaks the contract is a malformed answer that says how, never an answer."""
    provider, fault = FAULTS[name]
    error = failure(provider)
    assert type(error) is MalformedAnswerError
    step = ASK_OTHERWISE if "without content" in fault else NEXT_STEP
    assert str(error) == f"provider 'house' returned {fault}\n  model m-1\n  {step}"
    assert (error.provider, error.model, error.is_retryable) == ("house", "m-1", False)
    assert error.__cause__ is None


@pytest.mark.parametrize("name", FAULTS)
def test_an_agent_says_it_where_there_is_no_border(name: str) -> None:
    """What stands in for a provider by override is held to the same contract."""
    provider, fault = FAULTS[name]
    with pytest.raises(MalformedAnswerError) as caught:
        asyncio.run(chunks_of(Agent("a", provider, model="m-2").stream("Hello")))
    kind = type(provider).__name__
    step = ASK_OTHERWISE if "without content" in fault else NEXT_STEP
    assert str(caught.value) == f"provider '{kind}' returned {fault}\n  model m-2\n  {step}"


def test_no_malformed_stream_shows_a_secret() -> None:
    """What the provider says of itself is cleared."""
    answer = CompletionResponse("", "m-1", 0, finish_reason=CANARY)
    error = failure(Pieces(CompletionChunk(response=answer)), model=f"m-{CANARY}")
    assert leaks(error) == []


ERRORS: dict[str, tuple[Exception, type[ProviderError]]] = {
    "foreign": (RuntimeError(f"the pump stopped {CANARY}"), ProviderError),
    "connection": (ConnectionResetError(CANARY), ProviderConnectionError),
    "timeout": (TimeoutError(CANARY), ProviderTimeoutError),
    "slip": (KeyError(CANARY), MalformedAnswerError),
    "ours": (RateLimitError(f"busy {CANARY}", status=429, retry_after_seconds=2), RateLimitError),
}


@pytest.mark.parametrize("before", [(), ("Hel", "lo")])
@pytest.mark.parametrize("name", ERRORS)
def test_an_error_in_mid_stream_is_ours(name: str, before: tuple[str, ...]) -> None:
    """It is classified as one of complete() is, shows and reaches no secret, and pickles."""
    raised, kind = ERRORS[name]
    provider = Pieces(*before, raised)
    error = failure(provider)
    assert type(error) is type(pickle.loads(pickle.dumps(error))) is kind
    assert leaks(error) == []
    assert "***" in str(error)
    assert (error.provider, error.model) == ("house", "m-1")
    assert error.retry_after_seconds == (2 if name == "ours" else None)
    assert (type(error.__cause__) is RedactedError) == (name != "ours")
    assert provider.events[-1] == "closed"


def test_a_clean_error_in_mid_stream_is_the_cause() -> None:
    """The original is kept where it reaches no secret."""
    raised = RuntimeError("the pump stopped")
    assert failure(Pieces("Hel", raised)).__cause__ is raised


def test_a_configerror_in_mid_stream_stays_one() -> None:
    """An error of ours that is no ProviderError keeps its kind."""
    assert type(failure(Pieces(ConfigError("the model file is gone")))) is ConfigError


def test_what_stream_raises_before_it_is_iterated_is_classified() -> None:
    """A plain stream() may raise at once."""

    class Hasty(Whole):
        def stream(self, messages: Any) -> Any:
            raise TimeoutError

    assert type(failure(Hasty())) is ProviderTimeoutError


def test_a_response_whose_own_code_raises_stays_inside() -> None:
    """A subclass of the response with a property that raises is a failure like any other."""

    class Odd(CompletionResponse):
        @property
        def content(self) -> str:  # type: ignore[override]
            raise RuntimeError(CANARY)

        @content.setter
        def content(self, value: str) -> None:
            pass

    error = failure(Pieces(CompletionChunk(response=Odd("x", "m", 1))))
    assert type(error) is ProviderError
    assert leaks(error) == []


def test_only_what_is_set_is_passed_and_only_what_stream_takes() -> None:
    """A stream has keywords of its own; one that it can't take is refused before it is called."""
    provider = Pieces("Hello.", LAST)
    streamed(provider, model=None, temperature=0.0, top_p=None)
    assert provider.events[0] == {"temperature": 0.0, "top_p": None}

    class Strict(Whole):
        async def stream(self, messages: Any, seed: int = 0) -> AsyncIterator[CompletionChunk]:
            raise AssertionError("not called")
            yield

    error = failure(Strict(), model="m-2")
    assert type(error) is ConfigError
    assert str(error) == (
        "provider 'house' does not take 'model'\n"
        "  its stream() takes: messages, seed\n"
        "  remove it from the agent in war_rig.yaml, or from the call"
    )


def test_the_debug_log_tells_that_it_was_a_stream(caplog: pytest.LogCaptureFixture) -> None:
    """A streamed call is logged as one, without content and key; an emulated one is a call."""
    caplog.set_level("DEBUG")
    streamed(Pieces("Hello.", LAST))
    streamed(Whole())
    ours = [r.getMessage() for r in caplog.records if r.name == "war_rig.providers"]
    assert ours == [
        "streaming from house, model m-1, 1 messages",
        "asking house, model m-1, 1 messages",
    ]


class Plain:
    """An iterator that is no generator; it can be closed as *close* does, or not at all."""

    def __init__(self, close: Callable[[], Awaitable[None] | None] | None = None) -> None:
        self._left = iter([CompletionChunk("Hello."), LAST])
        if close is not None:
            self.aclose = close

    def __aiter__(self) -> "Plain":
        return self

    async def __anext__(self) -> CompletionChunk:
        for piece in self._left:
            return piece
        raise StopAsyncIteration


class Iterable:
    """Can be iterated, and is no iterator itself."""

    def __aiter__(self) -> AsyncIterator[CompletionChunk]:
        return Plain()


class Gives(Whole):
    def __init__(self, chunks: Any) -> None:
        self._chunks = chunks

    def stream(self, messages: list[Message]) -> Any:
        return self._chunks


@pytest.mark.parametrize("chunks", [Plain, Iterable])
def test_a_stream_may_be_any_async_iterator(chunks: Any) -> None:
    """stream() need not be a generator: what it returns is iterated."""
    assert [chunk.content for chunk in streamed(Gives(chunks()))] == ["Hello.", ""]


def test_an_iterator_is_closed_where_it_can_be() -> None:
    """aclose(), async or not, is called; where it fails, what was streamed still counts."""
    closed = []

    async def close() -> None:
        closed.append("async")

    def close_at_once() -> None:
        closed.append("sync")

    async def fail() -> None:
        closed.append("failed")
        raise OSError(CANARY)

    for way in (close, close_at_once, fail):
        assert len(streamed(Gives(Plain(way)))) == 2
    assert closed == ["async", "sync", "failed"]


async def _by_aclose(stream: AsyncGenerator[CompletionChunk, None]) -> None:
    await anext(stream)
    await stream.aclose()


async def _by_aclosing(stream: AsyncGenerator[CompletionChunk, None]) -> None:
    async with aclosing(stream) as chunks:
        async for _ in chunks:
            break


async def _by_break(stream: AsyncGenerator[CompletionChunk, None]) -> None:
    async for _ in stream:
        break
    del stream
    gc.collect()


async def _by_cancellation(stream: AsyncGenerator[CompletionChunk, None]) -> None:
    reading = asyncio.create_task(chunks_of(stream))
    await asyncio.sleep(0.2)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def _by_timeout(stream: AsyncGenerator[CompletionChunk, None]) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await chunks_of(stream)


WAYS = {
    "aclose": _by_aclose,
    "aclosing": _by_aclosing,
    "break": _by_break,
    "cancellation": _by_cancellation,
    "timeout": _by_timeout,
}


class Endless(Pieces):
    """Streams one piece and then nothing more; keeps what ended it."""

    async def stream(self, messages: list[Message], **kwargs: Any) -> AsyncIterator[Any]:
        try:
            yield CompletionChunk("Hel")
            await asyncio.Event().wait()
        except BaseException as end:
            self.events.append(type(end).__name__)
            raise
        finally:
            self.events.append("closed")


@pytest.mark.asyncio
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("is_cached", [False, True])
async def test_leaving_early_closes_the_provider_s_iterator(
    way: str, is_cached: bool, tmp_path: Any
) -> None:
    """Whoever stops reading, however, ends the provider's own iterator through every layer."""
    endless = Endless()
    provider: Any = Border("house", endless)
    store = CacheStore(tmp_path / "cache.sqlite")
    if is_cached:
        provider = CachedProvider(provider, store, "house")
    await WAYS[way](Agent("a", provider).stream("Hello"))
    for _ in range(3):  # what was only dropped is closed by the event loop, in its next turns
        await asyncio.sleep(0)
    ended_by = "CancelledError" if way in ("cancellation", "timeout") else "GeneratorExit"
    assert endless.events == [ended_by, "closed"]
    store.close()


@pytest.mark.asyncio
async def test_leaving_early_tells_nothing_of_a_provider_that_fails_to_close() -> None:
    """Closing is what the caller wanted: a generator that raises then is not the caller's fault."""

    class Stubborn(Pieces):
        async def stream(self, messages: list[Message], **kwargs: Any) -> AsyncIterator[Any]:
            try:
                yield CompletionChunk("Hel")
            finally:
                raise OSError(CANARY)

    await _by_aclose(Border("house", Stubborn()).stream(HI))


@pytest.mark.asyncio
async def test_a_stream_that_nobody_reads_asks_nothing() -> None:
    """The provider is called when the first chunk is awaited, not before."""
    provider = Pieces("Hello.", LAST)
    await Agent("a", Border("house", provider)).stream("Hello").aclose()
    assert provider.events == []


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_is_no_exception_passes_through(kind: type[BaseException]) -> None:
    """An interrupt and an exit are not the provider's failures."""
    with pytest.raises(kind):
        streamed(Pieces("Hel", kind()))


def test_an_agent_streams_with_all_that_it_sets() -> None:
    """System prompt, model and temperature are the agent's, and what the call says beats them."""
    fake = FakeProvider("Hello.")
    agent = Agent("a", fake, "Be brief.", model="m-2", temperature=0.5)
    asyncio.run(chunks_of(agent.stream("Hi", model="m-3", top_p=None)))
    assert fake.calls[0].messages == [Message("system", "Be brief."), Message("user", "Hi")]
    assert fake.calls[0].parameters == {"model": "m-3", "temperature": 0.5, "top_p": None}


def test_an_agent_s_stream_raises_what_an_override_raises() -> None:
    """Where an override took the border away, an error is as it was raised."""
    raised = ZeroDivisionError("no")
    with pytest.raises(ZeroDivisionError) as caught:
        asyncio.run(chunks_of(Agent("a", Pieces("Hel", raised)).stream("Hello")))
    assert caught.value is raised


class Streamer:
    """What an author with httpx writes for a streaming API, on a good day."""

    def __init__(self, api_key: str, base_url: str):
        self._key, self._url, self.default_model = api_key, base_url, "small-1"

    async def complete(self, messages: Any, **kwargs: Any) -> CompletionResponse:
        raise AssertionError("not asked")

    async def stream(self, messages: Any, **kwargs: Any) -> AsyncIterator[CompletionChunk]:
        headers = {"Authorization": f"Bearer {self._key}"}
        text = ""
        async with (
            httpx.AsyncClient(timeout=0.5, headers=headers) as client,
            client.stream("POST", f"{self._url}/chat/completions", json={}) as response,
        ):
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line == "data: [DONE]":
                    yield CompletionChunk(response=CompletionResponse(text, "small-1", 0))
                elif line:
                    piece = self._piece(json.loads(line.removeprefix("data: ")))
                    text += piece
                    yield CompletionChunk(piece)

    def _piece(self, event: Any) -> str:
        if "error" in event:
            raise ServerError(f"with key {self._key}: {event['error']['message']}")
        choices = event["choices"]
        return (choices[0]["delta"].get("content") or "") if choices else ""


def environment(provider: str, url: str) -> dict[str, str]:
    prefix = provider.upper()
    return {
        "LLM_PROVIDER": provider,
        "WAR_RIG_CONFIG": str(ONE_ATTEMPT),
        f"{prefix}_API_KEY": CANARY,
        f"{prefix}_BASE_URL": f"{url}/v1",
        "OPENAI_FIRST_TOKEN_TIMEOUT_SECONDS": "0.5",
        "OPENAI_BETWEEN_TOKENS_TIMEOUT_SECONDS": "0.5",
    }


PROVIDERS = ["openai", "streamer"]


async def read(app: Application) -> tuple[str, CompletionResponse | None, ProviderError | None]:
    """Return the text that arrived, the answer, and the error in which it ended."""
    text, response = "", None
    try:
        async with running(app):
            async for piece in app.agents("assistant").stream("Hello"):
                text, response = text + piece.content, piece.response
    except ProviderError as error:
        return text, None, error
    return text, response, None


def read_from(respond: Respond, provider: str) -> Any:
    register_provider("streamer", Streamer)
    with serve(respond) as server:
        return asyncio.run(read(application(env=environment(provider, server.url))))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_stream_through_the_whole_stack_is_an_answer(provider: str) -> None:
    """Pieces, answer and usage arrive through the container."""
    text, response, error = read_from(streaming(*HELLO), provider)
    assert error is None
    assert (text, response.content) == ("Hello.", "Hello.")
    reported = (7, "reported") if provider == "openai" else (11, "estimated")
    assert (response.tokens_used, response.usage_source) == reported


@pytest.mark.parametrize("provider", ["openai", "llama_cpp"])
def test_a_call_after_a_stream_whose_connection_is_closed_is_an_answer(
    provider: str, tmp_path: Path
) -> None:
    """A server may close it at any moment after the stream without a word, as llama.cpp's does."""
    last = b"%x\r\n%s\r\n0\r\n\r\n" % (len(DONE), DONE)
    begin = streaming(*HELLO[:-1], ending="open")

    def stream(request: Request, connection: socket) -> None:
        begin(request, connection)
        connection.sendall(last)

    leave = closing_after(stream, 0.0, 0.00002, 0.0002, 0.001)
    whole = answer(chat_completion())

    def respond(request: Request, connection: socket) -> None:
        (leave if request.json.get("stream") else whole)(request, connection)

    async def ask(app: Application) -> list[str]:
        async with running(app):
            agent = app.agents("assistant")
            told = [await collected(agent) for _ in range(50)]
            for _ in range(50):
                told += [await collected(agent), (await agent.run("Hello")).content]
        return told

    async def collected(agent: Agent) -> str:
        async with aclosing(agent.stream("Hello")) as chunks:
            return "".join([chunk.content async for chunk in chunks])

    file = tmp_path / "war_rig.yaml"
    with serve(respond) as server:
        entry = f"{{api_key: {CANARY}, base_url: '{server.url}/v1'}}"
        file.write_text(f"providers: {{{provider}: {entry}}}\nagents: {{assistant: {{}}}}\n")
        told = asyncio.run(ask(application(file, env={"LLM_PROVIDER": provider})))
    assert told == ["Hello."] * 150
    assert len(server.requests) == 150


@pytest.mark.parametrize(
    "name", ["error event", "cut", "ends with no finish", "stalls", "broken JSON"]
)
def test_every_fault_of_an_author_s_stream_is_one_of_our_errors(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault in mid-stream arrives in time, in its type, after the text before it, keyless."""
    caplog.set_level("DEBUG")
    fault = MIDST[name]
    assert fault.respond is not None
    began = time.monotonic()
    text, _, error = read_from(fault.respond, "streamer")
    assert time.monotonic() - began < 5
    assert text == "Hello"
    for shown in (error, pickle.loads(pickle.dumps(error))):
        assert type(shown) is fault.kind
        assert (shown.provider, shown.model) == ("streamer", "small-1")
        assert shown.is_retryable is fault.is_retryable
    assert leaks(error) == []
    assert CANARY not in caplog.text


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_status_before_the_stream_is_as_it_is_without_one(provider: str) -> None:
    """A refused request is classified by its status, streaming or not."""
    body = {"error": {"message": f"bad key {CANARY}"}}
    text, _, error = read_from(answer(body, 401), provider)
    assert text == ""
    assert type(error) is AuthenticationError
    assert leaks(error) == []


@contextmanager
def endless_app(provider: str) -> Iterator[tuple[Watched, Application]]:
    register_provider("streamer", Streamer)
    with endless(ROLE, chunk("Hel"), chunk("lo")) as watched:
        env = environment(provider, watched.server.url)
        env |= {"OPENAI_BETWEEN_TOKENS_TIMEOUT_SECONDS": "60"}
        yield watched, application(env=env)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_leaving_early_closes_the_connection(provider: str, way: str) -> None:
    """The server sees the connection close at once, while the provider stays open for others."""

    async def leave(app: Application, watched: Watched) -> None:
        async with running(app):
            await WAYS[way](app.agents("assistant").stream("Hello"))
            assert await asyncio.to_thread(watched.closed.wait, 5)

    with endless_app(provider) as (watched, app):
        asyncio.run(leave(app, watched))


def test_every_provider_of_a_container_streams() -> None:
    """The selected provider and those of the agents stream, whoever wrote them."""
    register_provider("whole", Whole)
    register_provider("pieces", lambda: Pieces("Hello.", LAST))
    for name in ("whole", "pieces", "offline"):
        app = application(env={"LLM_PROVIDER": name})
        provider: Any = app.llm_provider()
        for stream in (provider.stream(HI), app.agents("assistant").stream("Hello")):
            *_, last = asyncio.run(chunks_of(stream))
            assert last.response is not None
            assert last.response.usage_source in ("reported", "estimated")
        assert provider.is_stream_emulated == (name == "whole")
