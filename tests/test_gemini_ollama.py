"""Gemini and Ollama: the vendors' own clients and our definitions hear the same of one server."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import ollama
import pytest
from canary import leaks
from conftest import ONE_ATTEMPT
from google import genai
from google.genai import errors as google_errors
from google.genai import types
from loopback import Server, serve
from pydantic import BaseModel
from scripted import KEY, PIECES
from scripted import gemini as gemini_server
from scripted import ollama as ollama_server

from containers import application, running
from war_rig.errors import (
    AuthenticationError,
    ContentRefusedError,
    ModelNotFoundError,
    ProviderError,
    RateLimitError,
    ServerError,
)

SYSTEM = "You are a helpful assistant."
WHOLE = "".join(PIECES)
SERVERS = {"gemini": gemini_server, "ollama": ollama_server}


class Place(BaseModel):
    city: str


class Google:
    """Google's own client."""

    failure = google_errors.APIError

    def __init__(self, url: str, key: str = KEY) -> None:
        options = types.HttpOptions(base_url=url, api_version="v1beta")
        self._client = genai.Client(api_key=key, http_options=options)

    def _asked(self, method: Any, text: str, model: str, schema: Any = None) -> Any:
        config = types.GenerateContentConfig(
            system_instruction=SYSTEM, temperature=0.5, max_output_tokens=9
        )
        if schema is not None:
            config.response_mime_type, config.response_json_schema = "application/json", schema
        return method(model=model, contents=text, config=config)

    def ask(self, text: str, model: str = "m-1", schema: Any = None) -> tuple[Any, ...]:
        found = self._asked(self._client.models.generate_content, text, model, schema)
        usage, candidates = found.usage_metadata, found.candidates
        reason = candidates[0].finish_reason.name if candidates else found.prompt_feedback
        counts = (usage.prompt_token_count, usage.candidates_token_count, usage.total_token_count)
        return found.text, found.model_version, *counts, reason

    def stream(self, text: str, model: str = "m-1") -> Iterator[str]:
        for chunk in self._asked(self._client.models.generate_content_stream, text, model):
            if chunk.text:
                yield chunk.text

    def close(self) -> None:
        self._client.close()


class Ollama:
    """Ollama's own client."""

    failure = ollama.ResponseError

    def __init__(self, url: str, key: str = KEY) -> None:
        self._client = ollama.Client(url, headers={"Authorization": f"Bearer {key}"})

    def _asked(self, text: str, model: str, schema: Any, is_stream: bool) -> Any:
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
        options = {"temperature": 0.5, "num_predict": 9}
        return self._client.chat(model, messages, format=schema, options=options, stream=is_stream)

    def ask(self, text: str, model: str = "m-1", schema: Any = None) -> tuple[Any, ...]:
        found = self._asked(text, model, schema, False)
        counts = (found.prompt_eval_count, found.eval_count)
        return found.message.content, found.model, *counts, sum(counts), found.done_reason

    def stream(self, text: str, model: str = "m-1") -> Iterator[str]:
        for chunk in self._asked(text, model, None, True):
            if chunk.message.content:
                yield chunk.message.content

    def close(self) -> None:
        self._client.close()


CLIENTS = {"gemini": Google, "ollama": Ollama}
CALL = {"temperature": 0.5, "max_tokens": 9}
TOLD: dict[str, tuple[Any, ...]] = {
    "gemini": ("gemini-x-001", 5, 3, 10, "STOP"),
    "ollama": ("m-1", 5, 3, 8, "stop"),
}


@pytest.fixture(params=CLIENTS)
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(vendor: str) -> Iterator[Server]:
    with serve(SERVERS[vendor]) as server:
        yield server


@pytest.fixture
def theirs(vendor: str, server: Server) -> Iterator[Callable[..., Any]]:
    """Give the vendor's own client, closed at the end."""
    opened: list[Any] = []

    def client(key: str = KEY) -> Any:
        opened.append(CLIENTS[vendor](server.url, key))
        return opened[-1]

    yield client
    for one in opened:
        one.close()


def ours(vendor: str, server: Server, text: str, is_stream: bool = False, **call: Any) -> Any:
    """Return the texts and the answer of our definition, chosen by name with only its key."""
    env = {
        "LLM_PROVIDER": vendor,
        f"{vendor.upper()}_API_KEY": call.pop("key", KEY),
        f"{vendor.upper()}_BASE_URL": server.url + ("/v1beta" if vendor == "gemini" else ""),
        f"{vendor.upper()}_MODEL": call.pop("model", "m-1"),
    }

    async def ask() -> Any:
        async with running(application(ONE_ATTEMPT, env)) as app:
            agent = app.agents("assistant")
            if not is_stream:
                return await agent.run(text, **CALL, **call)
            chunks = [chunk async for chunk in agent.stream(text, **CALL)]
            return [chunk.content for chunk in chunks if chunk.content], chunks[-1].response

    return asyncio.run(ask())


def told(response: Any) -> tuple[Any, ...]:
    """Return what a response says in the order in which the clients above say it."""
    counts = (response.prompt_tokens, response.completion_tokens, response.tokens_used)
    assert response.usage_source == "reported"
    return response.content, response.model, *counts, response.finish_reason


def as_sent(body: Any) -> Any:
    """Return a request without what means nothing: a system's role, an empty list, null."""
    if "systemInstruction" in body:
        body["systemInstruction"].pop("role", None)
    return {key: value for key, value in body.items() if value not in (None, [])}


def test_both_ask_and_hear_the_same(vendor: str, server: Server, theirs: Any) -> None:
    """A whole answer: same words, model, counts and reason, for the same request."""
    expected = (WHOLE, *TOLD[vendor])
    assert theirs().ask("Hello") == expected
    assert told(ours(vendor, server, "Hello")) == expected
    first, second = (as_sent(request.json) for request in server.requests)
    assert first == second
    assert len({request.target for request in server.requests}) == 1


def test_both_stream_the_same(vendor: str, server: Server, theirs: Any) -> None:
    """An answer in pieces: the same pieces, without the thoughts, and the usage at the end."""
    assert tuple(theirs().stream("Hello")) == PIECES
    texts, response = ours(vendor, server, "Hello", is_stream=True)
    assert tuple(texts) == PIECES
    assert told(response) == (WHOLE, *TOLD[vendor])
    first, second = (as_sent(request.json) for request in server.requests)
    assert first == second
    assert len({request.target for request in server.requests}) == 1


def test_both_ask_for_a_schema_alike(vendor: str, server: Server, theirs: Any) -> None:
    """The API's own JSON mode, with the schema where the vendor's client puts it."""
    response = ours(vendor, server, "Where?", output=Place)
    assert (response.output, response.output_mode) == (Place(city="Paris"), "native")
    (request,) = server.requests
    config = request.json.get("generationConfig", {})
    schema = config.get("responseJsonSchema") or request.json["format"]
    assert Place.model_validate_json(theirs().ask("Where?", schema=schema)[0]).city == "Paris"
    first, second = (as_sent(request.json) for request in server.requests)
    assert first == second


Known = dict[str, tuple[int, float | None]]
FAULTS: dict[str, tuple[dict[str, str], type[ProviderError], Known]] = {
    "wrong key": (
        {"key": "AIza-wrong-9876543210"},
        AuthenticationError,
        {"gemini": (400, None), "ollama": (401, None)},
    ),
    "rate limit": (
        {"model": "busy"}, RateLimitError, {"gemini": (429, 7.0), "ollama": (429, None)},
    ),
    "model not found": (
        {"model": "gone"}, ModelNotFoundError, {"gemini": (404, None), "ollama": (404, None)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("name", FAULTS)
def test_both_are_refused_alike(
    name: str, is_stream: bool, vendor: str, server: Server, theirs: Any
) -> None:
    """A failure is an error of the vendor's client and of ours, with the same status."""
    call, kind, known = FAULTS[name]
    status, wait = known[vendor]
    client = theirs(call.get("key", KEY))
    model = call.get("model", "m-1")
    with pytest.raises(CLIENTS[vendor].failure) as refused:
        client.ask("Hello", model) if not is_stream else list(client.stream("Hello", model))
    found: Any = refused.value
    assert (found.code if vendor == "gemini" else found.status_code) == status
    with pytest.raises(kind) as failed:
        ours(vendor, server, "Hello", is_stream, **call)
    error = failed.value
    assert type(error) is kind
    assert (error.provider, error.model, error.status) == (vendor, model, status)
    assert error.retry_after_seconds == wait
    assert leaks(error, call.get("key", KEY)) == []


@pytest.mark.parametrize("text", ["a forbidden thing", "an unsafe thing"])
@pytest.mark.parametrize("is_stream", [False, True])
def test_what_gemini_refuses_is_a_refusal(text: str, is_stream: bool) -> None:
    """Google's client hears no text; a blocked prompt and an emptied answer are errors of ours."""
    with serve(gemini_server) as server:
        client = Google(server.url)
        heard = "".join(client.stream(text)) if is_stream else client.ask(text)[0]
        client.close()
        assert not heard
        with pytest.raises(ContentRefusedError) as failed:
            ours("gemini", server, text, is_stream)
    reason = "PROHIBITED_CONTENT" if "forbidden" in text else "SAFETY"
    assert reason in str(failed.value)


def test_an_error_in_mid_stream_is_ours(vendor: str, server: Server) -> None:
    """A stream that breaks is the server's failure, whatever came before."""
    with pytest.raises(ServerError) as failed:
        ours(vendor, server, "break", is_stream=True)
    assert "sent an error in mid-stream" in str(failed.value)
    assert leaks(failed.value, KEY) == []


def test_ollamas_own_client_fails_in_mid_stream_too() -> None:
    """The vendor's client takes such a line for an error as well."""
    with serve(ollama_server) as server:
        client = Ollama(server.url)
        with pytest.raises(ollama.ResponseError, match="unexpectedly stopped"):
            list(client.stream("break"))
        client.close()
