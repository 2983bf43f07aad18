"""A key that is planted wherever a provider can have one, looked for in all that War Rig leaves.

The server knows the key, as the real ones do, and puts it into all that it sends: refusals,
answers, names of models, headers. All policies are around the providers.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from socket import socket
from typing import Any

import httpx
import pytest
from canary import CANARY, leaks
from loopback import Request, Server, chat_completion, response_bytes, serve
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from streams import DONE, USAGE, chunk, streaming

from containers import Application, application, close
from containers.cli import app as command
from containers.cli.document import _cached as cached
from war_rig.errors import ProviderError, ServerError
from war_rig.policies import CacheStore
from war_rig.providers import CompletionChunk, CompletionResponse, register_provider

KNOWN, PLAIN = f"I know {CANARY}, do I?", "I know nothing."
FILE = """\
llm_provider: PROVIDER
policies:
  trace: {content: true, profile: newest}
  cache: {path: kept.sqlite}
  retry: {attempts: 2, wait_seconds: 0.001}
  budget: {tokens: 1000000, money: 100}
  prices: {models: {"*": {input: 1, output: 2}}}
  circuit_breaker: {failures: 50}
  rate_limit: {requests_per_minute: 100, concurrency: 10}
providers:
  openai:
    api_key: KEY
    base_url: URL/v1
    policies: {fallback: [spare]}
  plugin: {api_key: KEY, base_url: URL/v1, policies: {fallback: [spare]}}
  header: &http
    type: http
    url: URL/v1/chat/completions
    model: house-1
    auth: {bearer: KEY}
    policies: {fallback: [spare]}
    request: {model: $model, messages: $messages, ...: $parameters}
    response: &response
      content: choices[0].message.content
      model: model
      finish_reason: choices[0].finish_reason
      total_tokens: usage.total_tokens
    stream:
      request: {stream: true}
      content: choices[0].delta.content
      end: "[DONE]"
  query: {<<: *http, auth: {query: {name: key, value: KEY}}}
  basic: {<<: *http, auth: {basic: {user: me, password: KEY}}}
  spare: {<<: *http, model: KEY, policies: {fallback: null}}
"""
PROVIDERS = ["openai", "plugin", "header", "query", "basic"]


class Plugin:
    """What an author with httpx writes; it streams, too."""

    def __init__(self, api_key: str, base_url: str, model: str = "small-1") -> None:
        self._key, self._url, self.default_model = api_key, base_url, model

    async def complete(self, messages: Any, **kwargs: Any) -> CompletionResponse:
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {self._key}"}) as client:
            response = await client.post(
                f"{self._url}/chat/completions", json={"messages": [m.content for m in messages]}
            )
        response.raise_for_status()
        told = response.json()
        choice = told["choices"][0]
        return CompletionResponse(
            choice["message"]["content"],
            told["model"],
            7,
            told,
            finish_reason=choice["finish_reason"],
        )

    async def stream(self, messages: Any, **kwargs: Any) -> Any:
        answer = await self.complete(messages, **kwargs)
        yield CompletionChunk(answer.content)
        yield CompletionChunk(response=answer)


def knowing(request: Request, connection: socket) -> None:
    """Send the key with all; fail where the question is broken, and answer plainly where plain."""
    asked = request.body.decode()
    is_plain = "plain" in asked
    model, reason = ("plain-1", "stop") if is_plain else (CANARY, CANARY)
    text, headers = PLAIN if is_plain else KNOWN, {"X-Key": CANARY}
    if request.target == "/token":
        connection.sendall(response_bytes({"access_token": CANARY}, 200))
    elif "broken" in asked:
        error = {"message": f"out of memory for {CANARY}", "code": CANARY, "key": CANARY}
        connection.sendall(response_bytes({"error": error}, 500, headers))
    elif json.loads(asked).get("stream"):
        finish = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": reason}], model=model)
        streaming(chunk(text, model=model), finish, USAGE, DONE)(request, connection)
    else:
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        body = chat_completion(choices=[choice], model=model)
        connection.sendall(response_bytes(body, 200, headers))


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(knowing) as found:
        yield found


class Telemetry:
    """The SDK of the application, which keeps what it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.spans, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        meters = MeterProvider([self.reader], shutdown_on_exit=False)
        monkeypatch.setattr(trace, "get_tracer_provider", lambda: tracers)
        monkeypatch.setattr(metrics, "get_meter_provider", lambda: meters)
        monkeypatch.setattr("opentelemetry.metrics._internal.get_meter_provider", lambda: meters)

    @property
    def exported(self) -> str:
        data = self.reader.get_metrics_data()
        assert data is not None
        return "".join(span.to_json() for span in self.spans.get_finished_spans()) + data.to_json()


async def asked(app: Application, question: str, is_stream: bool) -> Any:
    """Return the answer, or the error: both have attempts."""
    agent = app.agents("assistant")
    try:
        if not is_stream:
            return await agent.run(question)
        return [chunk async for chunk in agent.stream(question)][-1].response
    except ProviderError as error:
        return error


@pytest.mark.parametrize("key", ["${HOUSE_KEY}", CANARY], ids=["variable", "literal"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_planted_key_is_nowhere(
    provider: str,
    key: str,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not in traces, ledger, cache file, debug logs, explain or errors; in the answer it is."""
    caplog.set_level(logging.DEBUG)
    telemetry = Telemetry(monkeypatch)
    register_provider("plugin", Plugin)
    text = FILE.replace("PROVIDER", provider).replace("URL", server.url)
    Path("house.yaml").write_text(text.replace("KEY", json.dumps(key)))
    app = application("house.yaml", env={"HOUSE_KEY": CANARY})

    async def ask() -> list[Any]:
        questions = [f"My key is {CANARY}.", f"plain: {CANARY}", f"broken: {CANARY}"]
        told = [await asked(app, q, is_stream) for is_stream in (False, True) for q in questions]
        await close(app)
        return told

    known, plain, broken, *streamed = told = asyncio.run(ask())
    assert known.content == streamed[0].content == KNOWN  # the caller's own, as it came
    assert plain.content == streamed[1].content == PLAIN
    # errors
    assert isinstance(broken, ServerError)
    assert leaks(broken) == []
    assert CANARY not in f"{streamed[2]} {streamed[2]!r} {streamed[2].__dict__}"
    # the ledger
    attempts = [attempt for one in told for attempt in one.attempts]
    outcomes = Counter(attempt.outcome for attempt in attempts)
    assert (outcomes["answered"], outcomes["cached"]) == (3, 1)
    assert CANARY not in repr((attempts, app.run().ledger.total, app))
    # the cache, which has the one answer that does not hold the key
    kept = b"".join(file.read_bytes() for file in Path().glob("kept.sqlite*"))
    assert PLAIN.encode() in kept
    assert CANARY.encode() not in kept
    # traces
    assert PLAIN in telemetry.exported
    assert CANARY not in telemetry.exported
    # debug logs of all libraries, but for the one that the plugin chose
    logged = [r for r in caplog.records if provider != "plugin" or r.name.startswith("war_rig")]
    assert "asking spare, model ***, 2 messages" in {record.getMessage() for record in logged}
    assert not [record for record in logged if CANARY in record.getMessage()]
    # explain
    monkeypatch.setenv("HOUSE_KEY", CANARY)
    for words in (["explain", "assistant"], ["explain"], ["providers", "show", provider]):
        with suppress(SystemExit):
            command([*words, "--config", "house.yaml"], standalone_mode=False)
    shown = capsys.readouterr()
    assert "***" in shown.out
    assert CANARY not in shown.out + shown.err


LATE = """\
llm_provider: house
policies: {trace: {content: true}, cache: {path: kept.sqlite}, retry: null}
providers:
  house: &http
    type: http
    url: URL/v1/chat/completions
    model: house-1
    auth: AUTH
    request: {model: $model, messages: $messages}
    response: &response
      content: choices[0].message.content
      model: model
      finish_reason: choices[0].finish_reason
    stream: {request: {stream: true}, content: "choices[0].delta.content", end: "[DONE]"}
  down: {<<: *http, url: "http://127.0.0.1:1", auth: none, policies: {fallback: [house]}}
"""
WAYS = {
    "file": "{bearer: {file: key.txt}}",
    "command": "{header: {name: X-Key, value: {command: [cat, key.txt]}}}",
    "token": "{oauth2: {token_url: URL/token, client_id: me, client_secret: a-secret}}",
    "literal": f"{{bearer: {CANARY}}}",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("entry", ["house", "down"])
def test_a_key_that_is_found_later_is_nowhere_either(
    entry: str, way: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is fetched for a call; and one of a fallback is not in the first one's trace."""
    telemetry = Telemetry(monkeypatch)
    Path("key.txt").write_text(CANARY)
    Path("house.yaml").write_text(LATE.replace("AUTH", WAYS[way]).replace("URL", server.url))
    app = application("house.yaml", env={}, llm_provider=entry)

    async def ask() -> list[Any]:
        told = [await asked(app, q, s) for s in (False, True) for q in ("Hello", "broken")]
        await close(app)
        return told

    whole, broken, streamed, broken_stream = told = asyncio.run(ask())
    assert whole.content == streamed.content == KNOWN
    assert leaks(broken) == leaks(broken_stream) == []
    assert CANARY not in repr([attempt for one in told for attempt in one.attempts])
    assert CANARY.encode() not in b"".join(f.read_bytes() for f in Path().glob("kept.sqlite*"))
    assert "I know ***" in telemetry.exported
    assert CANARY not in telemetry.exported


def test_document_keeps_no_fetched_key(server: Server) -> None:
    """Its own cache knows what the policies know."""
    Path("key.txt").write_text(CANARY)
    Path("house.yaml").write_text(LATE.replace("AUTH", WAYS["file"]).replace("URL", server.url))
    app = application("house.yaml", env={})
    store = CacheStore(Path("document.sqlite"))

    async def ask() -> None:
        agent = cached("scribe", "house", store, app)
        for question in ("Hello", "plain"):
            await agent.run(question)
        await close(app)

    asyncio.run(ask())
    store.close()
    kept = Path("document.sqlite").read_bytes()
    assert PLAIN.encode() in kept
    assert CANARY.encode() not in kept
