"""The shipped definitions: vendors as data, each selectable with only its key."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from canary import CANARY, leaks
from conftest import ROOT, run
from loopback import Respond, Server, answer, chat_completion, serve
from pydantic import BaseModel
from streams import DONE, FINISH, HELLO, chunk, event, streaming

from containers import application, running
from war_rig.errors import (
    AuthenticationError,
    ConfigError,
    ContentRefusedError,
    ContextTooLongError,
    ModelNotFoundError,
    PluginError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from war_rig.providers import Message, available_providers, create_provider
from war_rig.providers.building import blueprint
from war_rig.providers.conversion import Argument
from war_rig.providers.http.provider import HttpProvider
from war_rig.providers.http.shipped import shipped
from war_rig.providers.http.vendor import Vendor, load
from war_rig.providers.registry import find, registrations

ASKED = [
    Message("system", "Be brief."),
    Message("user", "Hello"),
    Message("assistant", "Yes?"),
    Message("user", "Bye"),
]
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
KEYS = {"api_key": CANARY}
FILES = sorted((ROOT / "config" / "providers").glob("*.yaml"))
COMPATIBLE = [
    "cerebras",
    "deepseek",
    "fireworks",
    "groq",
    "mistral",
    "openrouter",
    "together",
    "xai",
]
WITHOUT_A_MODEL = ["fireworks", "xai"]
LOCAL = ["llama_cpp", "lm_studio", "vllm"]


def made(name: str, **arguments: Any) -> HttpProvider:
    """Return the provider *name*, with a model where it has none of its own."""
    try:
        built: Any = create_provider(name, **arguments)
    except ConfigError:
        built = create_provider(name, model="m-1", **arguments)
    return built  # type: ignore[no-any-return]


def asked(name: str, respond: Respond, call: dict[str, Any] | None = None, **more: Any) -> Any:
    """Return the answer of a shipped definition to one call, and the request that was sent."""

    async def ask(server: Server) -> Any:
        provider = made(name, **{"base_url": server.url, **KEYS, **more})
        try:
            return await provider.complete(ASKED, **(call or {})), server.requests[-1]
        finally:
            await provider.aclose()

    with serve(respond) as server:
        return asyncio.run(ask(server))


def streamed(name: str, respond: Respond, call: dict[str, Any] | None = None) -> Any:
    """Return the texts of a stream, its answer, and the request that was sent."""

    async def ask(server: Server) -> Any:
        provider = made(name, base_url=server.url, **KEYS)
        assert provider.stream is not None
        try:
            chunks = [chunk async for chunk in provider.stream(ASKED, **(call or {}))]
            return [c.content for c in chunks], chunks[-1].response, server.requests[-1]
        finally:
            await provider.aclose()

    with serve(respond) as server:
        return asyncio.run(ask(server))


def failure(name: str, respond: Respond, is_stream: bool = False) -> ProviderError:
    with pytest.raises(ProviderError) as failed:
        (streamed if is_stream else asked)(name, respond)
    assert leaks(failed.value) == []
    return failed.value


def test_listing_parses_and_imports_nothing() -> None:
    """The names are known without a YAML parser, an HTTP library or the code of a provider."""
    code = (
        "import sys; from war_rig.providers import available_providers; available_providers()\n"
        "print(*(name for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"yaml", "httpx", "aiohttp", "jmespath", "asyncio"}
    assert {name for name in loaded if name.startswith("war_rig.providers.http")} == {
        "war_rig.providers.http", "war_rig.providers.http.shipped",
    }  # fmt: skip


def test_every_definition_of_every_file_has_its_name() -> None:
    """What the scan for names finds is what the YAML holds, and every name is usable."""
    written = {
        name: file
        for file in FILES
        for name in yaml.safe_load(file.read_text())
        if not name.startswith("_")
    }
    assert dict(shipped()) == written
    assert {r.name for r in registrations() if r.kind == "definition"} == set(written)
    assert set(written) <= set(available_providers())
    assert set(written) == {*COMPATIBLE, *LOCAL, "anthropic", "gemini", "gateway", "ollama"}


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_definition_is_right_and_says_what_it_needs(name: str) -> None:
    """Nothing in it is a fault, its URLs are encrypted or local, and its parameters are used."""
    registration = find(name)
    vendor: Any = registration.load()
    assert isinstance(vendor, Vendor)
    given = {p.name: "https://x.example" for p in vendor.__signature__.parameters.values()
             if p.default is p.empty and p.kind is p.KEYWORD_ONLY}  # fmt: skip
    assert vendor.examined(given).faults == ()
    assert f"{vendor!r} {registration.source}" == (
        f"<definition of {name}> definition in {shipped()[name].name}"
    )
    url = vendor.__signature__.parameters["base_url"].default
    assert name == "gateway" or url.startswith(("https://", "http://localhost:"))
    text = json.dumps(vendor._definition)
    assert all(f'"${p}' in text for p in vendor._parameters)
    assert set(given) <= {"api_key", "model", "base_url", "token_url", "client_id",
                          "client_secret"}  # fmt: skip


@pytest.mark.parametrize(
    "name", [*(n for n in COMPATIBLE if n not in WITHOUT_A_MODEL), "anthropic", "gemini"]
)
def test_a_vendor_needs_only_its_key_in_the_environment(name: str) -> None:
    """LLM_PROVIDER and <NAME>_API_KEY are enough; without the key the message names it."""
    variable = f"{name.upper()}_API_KEY"
    env = {"LLM_PROVIDER": name, variable: CANARY}
    assert application(env=env).llm_provider().default_model
    with pytest.raises(ConfigError) as failed:
        application(env={"LLM_PROVIDER": name}).llm_provider()
    assert str(failed.value).startswith(f"provider '{name}' needs 'api_key'\n")
    assert f"providers.{name}.api_key in war_rig.yaml, {variable}," in str(failed.value)


@pytest.mark.parametrize("name", WITHOUT_A_MODEL)
def test_a_vendor_that_soon_gives_up_a_name_needs_a_model_too(name: str) -> None:
    """No model is a default where the vendor's names do not last; the message says how to set."""
    prefix = name.upper()
    env = {"LLM_PROVIDER": name, f"{prefix}_API_KEY": CANARY}
    provider = application(env=env | {f"{prefix}_MODEL": "m-1"}).llm_provider()
    assert provider.default_model == "m-1"
    with pytest.raises(ConfigError) as failed:
        application(env=env).llm_provider()
    assert str(failed.value).startswith(f"provider '{name}' needs 'model'\n")
    assert f"providers.{name}.model in war_rig.yaml, {prefix}_MODEL," in str(failed.value)


@pytest.mark.parametrize("name", [*COMPATIBLE, *LOCAL, "gateway"])
def test_a_compatible_service_completes_streams_and_refuses(name: str) -> None:
    """All rows of the table speak OpenAI's chat completions."""
    if name == "gateway":  # its key comes from a token server: below
        return
    call = {"temperature": 0.1, "max_tokens": 9, "seed": 7}
    found, request = asked(name, answer(chat_completion()), call)
    assert (found.content, found.model, found.finish_reason) == ("Hello.", "served-model", "stop")
    assert (found.prompt_tokens, found.completion_tokens, found.tokens_used) == (3, 4, 7)
    assert (request.method, request.target) == ("POST", "/chat/completions")
    assert request.headers["authorization"] == f"Bearer {CANARY}"
    model = request.json["model"]
    assert request.json == {
        "model": model,
        "messages": [{"role": m.role, "content": m.content} for m in ASKED],
        **call,
    }
    texts, found, request = streamed(name, streaming(*HELLO), call)
    assert (texts, found.tokens_used) == (["Hel", "lo.", ""], 7)
    assert (found.finish_reason, found.usage_source) == ("stop", "reported")
    told = {} if name == "mistral" else {"stream_options": {"include_usage": True}}
    assert request.json.items() >= {"stream": True, **call, **told}.items()
    assert ("stream_options" in request.json) == bool(told)
    refused = chat_completion()
    refused["choices"][0]["message"] |= {"content": None, "refusal": "I won't."}
    error = failure(name, answer(refused))
    assert type(error) is ContentRefusedError
    assert str(error) == "answered 200, which is no answer: I won't."


@pytest.mark.parametrize("name", [n for n in [*COMPATIBLE, *LOCAL] if n != "deepseek"])
def test_a_compatible_service_takes_a_schema(name: str) -> None:
    """A JSON schema goes where OpenAI has it; a service without that mode says so."""
    assert made(name, **KEYS).takes_output_schema
    _, request = asked(name, answer(chat_completion()), {"output_schema": SCHEMA})
    assert request.json["response_format"] == {
        "type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA},
    }  # fmt: skip
    assert not made("deepseek", **KEYS).takes_output_schema


@pytest.mark.parametrize("name", [*LOCAL, "ollama"])
def test_a_server_of_your_own_needs_no_key(name: str) -> None:
    """Without a key no Authorization is sent at all."""
    body = chat_completion() | {"message": {"content": "Hi."}}
    _, request = asked(name, answer(body), api_key="")
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        ({"code": 502, "message": "m"}, ServerError, 502),
        ({"code": "insufficient_quota", "message": "m"}, QuotaExceededError, None),
        ({"code": "rate_limit_exceeded", "message": "m"}, RateLimitError, None),
        ({"type": "rate_limit_error", "message": "m"}, RateLimitError, None),
        ({"code": "x", "message": "m"}, ServerError, None),
        ({"code": "context_length_exceeded", "message": "m"}, ContextTooLongError, None),
    ],
)
def test_errors_in_mid_stream_of_a_compatible_service(
    error: dict[str, Any], kind: type[ProviderError], status: int | None
) -> None:
    """An error event is one of ours, by its code or its type."""
    found = failure("openrouter", streaming(chunk("H"), event({"error": error}), DONE), True)
    assert (type(found), str(found)) == (kind, "sent an error in mid-stream: m")
    assert found.status == status


def test_a_filter_of_a_compatible_service_is_a_refusal() -> None:
    """What the content filter left nothing of was refused, whole or in pieces."""
    emptied = chat_completion("", choices=[{"message": {}, "finish_reason": "content_filter"}])
    assert type(failure("groq", answer(emptied))) is ContentRefusedError
    end = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "content_filter"}])
    assert type(failure("groq", streaming(end, DONE), True)) is ContentRefusedError
    texts, found, _ = streamed("groq", streaming(chunk("H"), end, DONE))
    assert (texts, found.finish_reason) == (["H", ""], "content_filter")
    assert type(failure("groq", streaming(chunk("H"), FINISH), True)).__name__ == (
        "MalformedAnswerError"
    )


ANTHROPIC = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x-1",
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
        {"type": "text", "text": "Hel"},
        {"type": "text", "text": "lo."},
    ],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 4},
}


def test_anthropic_completes() -> None:
    """The Messages API: system apart, max_tokens always, the key in its own header."""
    found, request = asked("anthropic", answer(ANTHROPIC), {"temperature": 0.5, "top_k": 3})
    assert (found.content, found.model, found.finish_reason) == ("Hello.", "claude-x-1", "end_turn")
    assert (found.prompt_tokens, found.completion_tokens, found.tokens_used) == (3, 4, 7)
    assert request.target == "/v1/messages"
    assert request.headers["x-api-key"] == CANARY
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in request.headers
    assert request.json == {
        "model": made("anthropic", **KEYS).default_model,
        "max_tokens": 16000,
        "system": "Be brief.",
        "messages": [{"role": m.role, "content": m.content} for m in ASKED[1:]],
        "temperature": 0.5,
        "top_k": 3,
    }
    _, request = asked("anthropic", answer(ANTHROPIC), {"max_tokens": 9, "output_schema": SCHEMA})
    assert request.json["max_tokens"] == 9
    assert request.json["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}


def anthropic_events(
    *more: dict[str, Any], stop: str = "end_turn", cached: dict[str, int | None] | None = None
) -> list[bytes]:
    usage = {"input_tokens": 3, "output_tokens": 1, **(cached or {})}
    start = {**ANTHROPIC, "content": [], "stop_reason": None, "usage": usage}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *more,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 4}},
        {"type": "message_stop"},
    ]
    return [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events]


def delta(**delta: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": delta}


@pytest.mark.parametrize(
    ("cached", "prompt"),
    [
        ({"cache_creation_input_tokens": 0, "cache_read_input_tokens": 90}, 93),
        ({"cache_creation_input_tokens": 80, "cache_read_input_tokens": None}, 83),
        ({}, 3),
    ],
)
def test_the_prompt_of_anthropic_counts_what_was_cached(
    cached: dict[str, int | None], prompt: int
) -> None:
    """Tokens that were read from the cache, or written to it, are of the prompt too."""
    usage = {"input_tokens": 3, "output_tokens": 4, **cached}
    found, _ = asked("anthropic", answer({**ANTHROPIC, "usage": usage}))
    assert (found.prompt_tokens, found.tokens_used) == (prompt, prompt + 4)
    parts = anthropic_events(delta(type="text_delta", text="Hello."), cached=cached)
    _, found, _ = streamed("anthropic", streaming(*parts))
    assert (found.prompt_tokens, found.tokens_used) == (prompt, prompt + 4)
    found, _ = asked("anthropic", answer({**ANTHROPIC, "usage": None}))
    assert found.usage_source == "estimated"


def test_anthropic_streams() -> None:
    """Named events, of which only the text of text blocks is the answer's."""
    parts = anthropic_events(
        delta(type="thinking_delta", thinking="Hm."),
        delta(type="text_delta", text="Hel"),
        delta(type="text_delta", text="lo."),
    )
    texts, found, request = streamed("anthropic", streaming(*parts))
    assert texts == ["Hel", "lo.", ""]
    assert (found.content, found.model, found.finish_reason) == ("Hello.", "claude-x-1", "end_turn")
    assert (found.prompt_tokens, found.completion_tokens, found.tokens_used) == (3, 4, 7)
    assert request.json["stream"] is True
    assert type(failure("anthropic", streaming(*parts[:-1]), True)).__name__ == (
        "MalformedAnswerError"
    )


@pytest.mark.parametrize(
    ("status", "type_", "message", "kind"),
    [
        (400, "invalid_request_error", "prompt is too long: 5 tokens > 4", ContextTooLongError),
        (400, "invalid_request_error", "Your credit balance is too low", QuotaExceededError),
        (401, "authentication_error", "invalid x-api-key", AuthenticationError),
        (402, "billing_error", "m", QuotaExceededError),
        (403, "permission_error", "m", AuthenticationError),
        (404, "not_found_error", "model: x", ModelNotFoundError),
        (413, "request_too_large", "m", ContextTooLongError),
        (429, "rate_limit_error", "m", RateLimitError),
        (500, "api_error", "m", ServerError),
        (504, "timeout_error", "m", ProviderTimeoutError),
        (529, "overloaded_error", "Overloaded", ServerError),
    ],
)
def test_errors_of_anthropic(
    status: int, type_: str, message: str, kind: type[ProviderError]
) -> None:
    """Each documented error is one of ours, before the stream and in its midst."""
    body = {"type": "error", "error": {"type": type_, "message": message}}
    found = failure("anthropic", answer(body, status))
    assert (type(found), str(found), found.status) == (
        kind,
        f"answered {status}: {message}",
        status,
    )
    data = f"event: error\ndata: {json.dumps(body)}\n\n".encode()
    found = failure("anthropic", streaming(*anthropic_events()[:3], data), True)
    assert (type(found), str(found)) == (kind, f"sent an error in mid-stream: {message}")


def test_a_refusal_of_anthropic() -> None:
    """A refusal without a word is one, whole or in pieces."""
    body = {**ANTHROPIC, "content": [], "stop_reason": "refusal"}
    assert type(failure("anthropic", answer(body))) is ContentRefusedError
    parts = anthropic_events(stop="refusal")
    assert type(failure("anthropic", streaming(*parts), True)) is ContentRefusedError


def gemini(*texts: str, reason: str | None = "STOP", **more: Any) -> dict[str, Any]:
    parts = [{"text": "Hm.", "thought": True}, *({"text": text} for text in texts)]
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 9}
    return {
        "candidates": [candidate | ({"finishReason": reason} if reason else {})],
        "usageMetadata": usage,
        "modelVersion": "gemini-x-1",
        **more,
    }


def test_gemini_completes() -> None:
    """Contents of parts, a system instruction, and a model in the URL."""
    call = {"temperature": 0.5, "max_tokens": 9, "safetySettings": []}
    found, request = asked("gemini", answer(gemini("Hel", "lo.")), call)
    assert (found.content, found.model, found.finish_reason) == ("Hello.", "gemini-x-1", "STOP")
    assert (found.prompt_tokens, found.completion_tokens, found.tokens_used) == (3, 4, 9)
    model = made("gemini", **KEYS).default_model
    assert request.target == f"/models/{model}:generateContent"
    assert request.headers["x-goog-api-key"] == CANARY
    assert request.json == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hello"}]},
            {"role": "model", "parts": [{"text": "Yes?"}]},
            {"role": "user", "parts": [{"text": "Bye"}]},
        ],
        "generationConfig": {"temperature": 0.5, "maxOutputTokens": 9},
        "safetySettings": [],
    }
    with serve(answer(gemini("Hi."))) as server:
        provider = made("gemini", base_url=server.url, **KEYS)
        asyncio.run(provider.complete([Message("user", "Hello")]))
        assert server.requests[-1].json == {
            "contents": [{"role": "user", "parts": [{"text": "Hello"}]}]
        }
    _, request = asked("gemini", answer(gemini("Hi.")), {"output_schema": SCHEMA, "temperature": 1})
    assert request.json["generationConfig"] == {
        "temperature": 1, "responseMimeType": "application/json", "responseJsonSchema": SCHEMA,
    }  # fmt: skip


def test_gemini_streams() -> None:
    """The same answer in pieces; the finish reason is the only mark of its end."""
    parts = [event(gemini("Hel", reason=None)), event(gemini("lo.", reason="STOP"))]
    texts, found, request = streamed("gemini", streaming(*parts))
    assert (texts, found.content, found.tokens_used) == (["Hel", "lo.", ""], "Hello.", 9)
    model = made("gemini", **KEYS).default_model
    assert request.target == f"/models/{model}:streamGenerateContent?alt=sse"
    assert type(failure("gemini", streaming(*parts[:1]), True)).__name__ == "MalformedAnswerError"


RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
SPENT = "You exceeded your current quota, please check your plan and billing details."


@pytest.mark.parametrize(
    ("status", "message", "details", "kind", "wait"),
    [
        (400, "API key not valid. Please pass a valid API key.", [], AuthenticationError, None),
        (400, "The input token count (5) exceeds the maximum", [], ContextTooLongError, None),
        (403, "denied", [], AuthenticationError, None),
        (404, "models/x is not found", [], ModelNotFoundError, None),
        (429, SPENT, [{"@type": "x"}, RETRY], RateLimitError, 34.5),
        (429, SPENT, [], QuotaExceededError, None),
        (503, "The model is overloaded.", [], ServerError, None),
    ],
)
def test_errors_of_gemini(
    status: int, message: str, details: list[Any], kind: type[ProviderError], wait: float | None
) -> None:
    """A key that is wrong is a 400 there, and the wait stands in the body."""
    body = {"error": {"code": status, "message": message, "details": details}}
    found = failure("gemini", answer(body, status))
    assert (type(found), found.retry_after_seconds) == (kind, wait)
    assert str(found) == f"answered {status}: {message}"
    found = failure("gemini", streaming(event(gemini("H", reason=None)), event(body)), True)
    assert (type(found), found.retry_after_seconds) == (kind, wait)


def test_a_refusal_of_gemini() -> None:
    """A blocked prompt, and a candidate that a filter emptied, are refusals."""
    blocked = failure("gemini", answer({"promptFeedback": {"blockReason": "SAFETY"}}))
    assert (type(blocked), str(blocked)) == (
        ContentRefusedError, "answered 200, which is no answer: SAFETY",
    )  # fmt: skip
    assert type(failure("gemini", answer(gemini(reason="RECITATION")))) is ContentRefusedError
    emptied = streaming(event(gemini(reason="SAFETY")))
    assert type(failure("gemini", emptied, True)) is ContentRefusedError


def ollama(content: str, is_done: bool = True) -> dict[str, Any]:
    line: dict[str, Any] = {"model": "m-1:latest", "message": {"role": "a", "content": content}}
    if is_done:
        line |= {"done_reason": "stop", "prompt_eval_count": 3, "eval_count": 4}
    return {**line, "done": is_done}


def lines(*bodies: Any) -> bytes:
    return b"".join(json.dumps(body).encode() + b"\n" for body in bodies)


def test_ollama_completes() -> None:
    """Its own API, not the compatible one: no stream unless asked for, options apart."""
    call = {"temperature": 0.5, "max_tokens": 9, "options": {"seed": 7}, "keep_alive": "1m"}
    found, request = asked("ollama", answer(ollama("Hi.")), call)
    assert (found.content, found.model, found.finish_reason) == ("Hi.", "m-1:latest", "stop")
    assert (found.prompt_tokens, found.completion_tokens, found.tokens_used) == (3, 4, 7)
    assert request.target == "/api/chat"
    assert request.json == {
        "model": "m-1",
        "messages": [{"role": m.role, "content": m.content} for m in ASKED],
        "stream": False,
        "options": {"temperature": 0.5, "num_predict": 9, "seed": 7},
        "keep_alive": "1m",
    }
    _, request = asked("ollama", answer(ollama("{}")), {"output_schema": SCHEMA})
    assert (request.json["format"], "options" in request.json) == (SCHEMA, False)


def test_ollama_streams() -> None:
    """One JSON a line; the last says that it is done, and how many tokens it took."""
    parts = [lines(ollama("H", False), ollama("i", False)), lines(ollama(".", False), ollama(""))]
    kind = "application/x-ndjson"
    texts, found, request = streamed("ollama", streaming(*parts, kind=kind))
    assert (texts, found.content, found.tokens_used) == (["H", "i", ".", ""], "Hi.", 7)
    assert request.json["stream"] is True
    cut = failure("ollama", streaming(*parts[:1], kind=kind), True)
    assert type(cut).__name__ == "MalformedAnswerError"
    broken = streaming(lines(ollama("H", False), {"error": "model runner stopped"}), kind=kind)
    error = failure("ollama", broken, True)
    assert (type(error), str(error)) == (
        ServerError, "sent an error in mid-stream: model runner stopped",
    )  # fmt: skip
    gone = failure("ollama", answer({"error": "model 'm-1' not found"}, 404))
    assert (type(gone), str(gone)) == (ModelNotFoundError, "answered 404: model 'm-1' not found")


def test_a_gateway_exchanges_its_secret_for_a_token() -> None:
    """The example of a company's gateway: OAuth2 first, then chat completions with the token."""

    def respond(request: Any, connection: Any) -> None:
        token = {"access_token": "token-0123456789", "token_type": "Bearer", "expires_in": 60}
        is_token = request.target == "/token"
        answer(token if is_token else chat_completion())(request, connection)

    async def twice(server: Server, **more: Any) -> None:
        provider = made(
            "gateway", base_url=server.url, token_url=f"{server.url}/token", client_id="rig",
            client_secret=CANARY, **more,
        )  # fmt: skip
        for _ in range(2):
            assert (await provider.complete(ASKED)).content == "Hello."
        await provider.aclose()

    with serve(respond) as server:
        asyncio.run(twice(server, model="m-1", scope="llm"))
        targets = [request.target for request in server.requests]
        assert targets == ["/token", "/chat/completions", "/chat/completions"]
        assert b"scope=llm" in server.requests[0].body
        assert server.requests[1].headers["authorization"] == "Bearer token-0123456789"
        asyncio.run(twice(server, model="m-1"))
        assert b"scope" not in server.requests[3].body


def entry(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_entry_of_a_users_own_lies_over_a_definition(tmp_path: Path) -> None:
    """A second entry of a kind: its parameters by the one rule, its maps over the shipped ones."""

    async def ask(path: Path) -> None:
        async with running(application(path, {"TEAM_API_KEY": CANARY, "TEAM_MODEL": "m-7"})) as app:
            await app.agents("assistant").run("Hello")

    with serve(answer(ANTHROPIC)) as server:
        asyncio.run(ask(entry(tmp_path, f"""\
llm_provider: team
providers:
  team:
    type: anthropic
    base_url: {server.url}/proxy/
    max_tokens: 50
    headers: {{X-Team: legacy, anthropic-version: v2}}
    auth: {{bearer: $api_key}}
    timeouts: {{total: 30}}
    request: {{metadata: {{user_id: me}}}}
""")))  # fmt: skip
        request = server.requests[-1]
    assert request.target == "/proxy/v1/messages"
    assert request.headers["authorization"] == f"Bearer {CANARY}"
    assert (request.headers["x-team"], request.headers["anthropic-version"]) == ("legacy", "v2")
    assert "x-api-key" not in request.headers
    assert request.json["metadata"] == {"user_id": "me"}
    assert (request.json["model"], request.json["max_tokens"]) == ("m-7", 50)


class Greeting(BaseModel):
    """What an agent is asked for."""

    mood: str


def test_none_takes_out_a_part_of_a_definition(tmp_path: Path) -> None:
    """A server without JSON schemas is asked by the prompt, one without a stream as a whole."""
    head = "llm_provider: llama_cpp\nproviders:\n  llama_cpp:\n"
    with serve(answer(chat_completion('{"mood": "calm"}'))) as server:
        head += f"    base_url: {server.url}\n"
        for lines, mode in [("", "native"), ("    structured: none\n", "prompted")]:
            app = application(entry(tmp_path, head + lines), {})
            found = app.agents("assistant").run_sync("Hello", output=Greeting)
            assert (found.output.mood, found.output_mode) == ("calm", mode)
            assert ("response_format" in server.requests[-1].json) == (mode == "native")
    made_without = made("llama_cpp", structured="none", stream="none")
    assert (made_without.takes_output_schema, made_without.stream) == (False, None)
    assert made("llama_cpp", errors="none", model="m-2").default_model == "m-2"
    assert not made("deepseek", structured="none", **KEYS).takes_output_schema
    assert made("lm_studio", model="none").default_model == "none"


def test_who_brings_another_way_to_authenticate_needs_no_key(tmp_path: Path) -> None:
    """A key from a file or a command, or a token, takes the place of the definition's own."""
    (tmp_path / "key.txt").write_text(f"{CANARY}\n")
    with serve(answer(chat_completion())) as server:
        path = entry(tmp_path, f"""\
llm_provider: groq
providers: {{groq: {{base_url: "{server.url}", auth: {{bearer: {{file: key.txt}}}}}}}}
""")  # fmt: skip
        app = application(path, {})
        assert app.agents("assistant").run_sync("Hello").content == "Hello."
        assert server.requests[-1].headers["authorization"] == f"Bearer {CANARY}"
    plan = blueprint("groq", find("groq"), env={}, given={"auth": Argument("none", "here")})
    assert [p.shown for p in plan.parameters if p.name == "api_key"] == ["None"]


def test_a_fault_of_such_an_entry_is_told_where_it_stands(tmp_path: Path) -> None:
    """File, line and key are the user's; what the definition holds is no fault of theirs."""
    path = entry(tmp_path, """\
llm_provider: team
providers:
  team:
    type: groq
    api_kee: x
    parameters: {region: "", list: []}
    max_tokens: many
    response: {content: "choices["}
""")  # fmt: skip
    with pytest.raises(ConfigError) as failed:
        application(path, {}).llm_provider()
    shown = str(failed.value).replace(str(path), "FILE").splitlines()
    assert [line.partition(": ")[0] for line in shown] == [
        "provider 'team' has 5 faults",
        "  FILE:3  providers.team.api_key",
        "  FILE:5  providers.team.api_kee",
        "  FILE:6  providers.team.parameters.list",
        "  FILE:7  providers.team.max_tokens",
        "  FILE:8  providers.team.response.content",
    ]
    odd = entry(tmp_path, "providers: {team: {type: groq, api_key: k, parameters: [1]}}\n")
    with pytest.raises(ConfigError, match=r"providers\.team\.parameters: must be a map"):
        application(odd, {}, llm_provider="team").llm_provider()


def test_a_parameter_with_a_number_for_its_default_is_a_number() -> None:
    """The type of the default is the type that text from the environment becomes."""
    env = {"ANTHROPIC_MAX_TOKENS": "77", "ANTHROPIC_API_KEY": CANARY, "ANTHROPIC_CA": "x.pem"}
    plan = blueprint("anthropic", find("anthropic"), env=env)
    found = {p.name: p.value for p in plan.parameters}
    assert (found["max_tokens"], found["ca"]) == (77, Path("x.pem"))
    with pytest.raises(ConfigError, match=r"max_tokens: must be a whole number"):
        blueprint("anthropic", find("anthropic"), env=env | {"ANTHROPIC_MAX_TOKENS": "x"}).build()
    assert plan.hosts == ["api.anthropic.com"]
    assert CANARY in plan.secrets
    assert CANARY not in plan.identity


def test_a_definition_has_the_signature_of_a_constructor() -> None:
    """What is needed stands first; what can't come from the environment is `**keys`."""
    plan = blueprint("vllm", find("vllm"), env={})
    assert plan.shown_signature == (
        "vllm(model, api_key='', base_url='http://localhost:8000/v1', proxy=None, ca=None, "
        "certificate=None, certificate_key=None, connections=100, **keys)"
    )


def test_a_plugin_that_takes_a_vendors_name_is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment is for War Rig's own definition, unless the file says otherwise."""
    from importlib.metadata import EntryPoint

    from war_rig.providers import registry

    plugin = EntryPoint("groq", "evil:Groq", registry.GROUP)
    monkeypatch.setattr(registry, "_entry_points", lambda: (plugin,))
    with pytest.raises(PluginError, match="provider 'groq' is offered more than once"):
        create_provider("groq", api_key=CANARY)
    assert find("groq", "war-rig").kind == "definition"


def test_the_wheel_ships_the_definitions() -> None:
    """What is in the checkout is in the package, and found there."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included["config"] == "war_rig/_config"


def test_the_command_line_lists_and_shows_them() -> None:
    """`war-rig providers` lists each with its kind; `show` says what one needs."""
    listed = run(sys.executable, "-m", "containers", "providers").stdout
    rows = {line.split()[0]: line for line in listed.splitlines()}
    assert rows["gemini"].split()[1] == "available"
    assert rows["gemini"].endswith("definition in gemini.yaml")
    shown = run(sys.executable, "-m", "containers", "providers", "show", "ollama").stdout
    assert "missing: model" in shown


def test_a_vendor_is_loaded_from_its_file(tmp_path: Path) -> None:
    """A definition is a map in a file; without parameters it has none."""
    file = tmp_path / "own.yaml"
    file.write_text(
        "own: {url: https://h, model: m, request: {t: $messages}, response: {content: c}}"
    )
    vendor = load("own", file, "own.yaml", "own")
    assert vendor().default_model == "m"
    assert list(vendor.__signature__.parameters)[:2] == ["model", "proxy"]
