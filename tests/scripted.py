"""Servers that speak the wire formats of Gemini and Ollama, and know nothing of War Rig.

What they do is told by the request alone, as the vendors document it. The
vendors' own client libraries are held against them too, so what they accept
and answer is not made to fit our definitions.

    a wrong key            refused, as the vendor refuses it
    model "gone", "busy"   not found; out of its rate, come back in 7 s
    "forbidden", "unsafe"  Gemini: the prompt is blocked; the answer is emptied by a filter
    "break"                a stream fails after its first piece
    a schema               an answer that fits: {"city": "Paris"}
    all else               "Hello, world.", with the thoughts before it apart
"""

import json
from collections.abc import Iterator
from socket import socket
from typing import Any
from urllib.parse import parse_qs, urlsplit

from loopback import Request, response_bytes

KEY = "AIza-scripted-0123456789"
PIECES = ("Hello", ", wor", "ld.")
CITY = '{"city": "Paris"}'

_GEMINI_FIELDS = {
    "contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig",
    "cachedContent",
}  # fmt: skip
_GENERATION_FIELDS = {
    "temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "candidateCount", "seed",
    "responseMimeType", "responseSchema", "responseJsonSchema", "thinkingConfig",
}  # fmt: skip
_GOOGLE = "type.googleapis.com/google.rpc"
_GEMINI_USAGE = {
    "promptTokenCount": 5,
    "candidatesTokenCount": 3,
    "totalTokenCount": 10,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}],
    "thoughtsTokenCount": 2,
}
_OLLAMA_USAGE = {
    "total_duration": 4883583458,
    "load_duration": 1334875,
    "prompt_eval_count": 5,
    "prompt_eval_duration": 342546000,
    "eval_count": 3,
    "eval_duration": 4535599000,
}


class RefusalError(Exception):
    """A request that the API refuses, with what it then answers."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status)
        self.status, self.body = status, body


def gemini(request: Request, connection: socket) -> None:
    """Answer generateContent and streamGenerateContent?alt=sse as Google's API does."""
    url = urlsplit(request.target)
    model, _, method = url.path.removeprefix("/v1beta/models/").partition(":")
    query = parse_qs(url.query)
    kind = "application/json; charset=UTF-8"
    try:
        _check_gemini(request, model, method, query)
    except RefusalError as refusal:
        connection.sendall(response_bytes(_pretty(refusal.body), refusal.status, kind=kind))
        return
    if method == "generateContent":
        connection.sendall(response_bytes(_pretty(_gemini_answer(request.json)), kind=kind))
        return
    events = (f"data: {json.dumps(e)}\r\n\r\n".encode() for e in _gemini_chunks(request.json))
    _send_chunked(connection, "text/event-stream", events)


def _pretty(body: object) -> bytes:
    return json.dumps(body, indent=2).encode()


def _google_error(code: int, status: str, message: str, *details: object) -> RefusalError:
    error = {"code": code, "message": message, "status": status}
    return RefusalError(code, {"error": error | ({"details": details} if details else {})})


def _check_gemini(request: Request, model: str, method: str, query: dict[str, list[str]]) -> None:
    key = request.headers.get("x-goog-api-key") or "".join(query.get("key", []))
    if key != KEY:
        info = {"@type": f"{_GOOGLE}.ErrorInfo", "reason": "API_KEY_INVALID"}
        message = "API key not valid. Please pass a valid API key."
        raise _google_error(400, "INVALID_ARGUMENT", message, info)
    is_known = method == "generateContent" or query.get("alt") == ["sse"]
    if model == "gone" or not is_known or request.method != "POST":
        message = f"models/{model} is not found for API version v1beta"
        raise _google_error(404, "NOT_FOUND", message)
    if model == "busy":
        message = "You exceeded your current quota, please check your plan and billing details."
        wait = {"@type": f"{_GOOGLE}.RetryInfo", "retryDelay": "7s"}
        quota = {"@type": f"{_GOOGLE}.QuotaFailure", "violations": [{"quotaValue": "2"}]}
        raise _google_error(429, "RESOURCE_EXHAUSTED", message, quota, wait)
    _check_gemini_body(request.json)


def _check_gemini_body(body: dict[str, Any]) -> None:
    """Refuse names that the API does not know, as its parser does, and what is no conversation."""
    unknown = [*(body.keys() - _GEMINI_FIELDS)]
    unknown += body.get("generationConfig", {}).keys() - _GENERATION_FIELDS
    if unknown:
        message = f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.'
        raise _google_error(400, "INVALID_ARGUMENT", message)
    contents = body.get("contents")
    if not contents:
        message = "* GenerateContentRequest.contents: contents is not specified\n"
        raise _google_error(400, "INVALID_ARGUMENT", message)
    if any(c.get("role", "user") not in ("user", "model") for c in contents):
        message = "Please use a valid role: user, model."
        raise _google_error(400, "INVALID_ARGUMENT", message)


def _gemini_response(*parts: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if not parts:
        del candidate["content"]
    return {
        "candidates": [candidate | ({"finishReason": reason} if reason else {})],
        "usageMetadata": _GEMINI_USAGE,
        "modelVersion": "gemini-x-001",
        "responseId": "r-1",
    }


def _gemini_without_answer(body: dict[str, Any]) -> dict[str, Any] | None:
    asked = body["contents"][-1]["parts"][0]["text"]
    if "forbidden" in asked:
        blocked = _gemini_response() | {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
        del blocked["candidates"]
        return blocked
    return _gemini_response(reason="SAFETY") if "unsafe" in asked else None


def _gemini_texts(body: dict[str, Any]) -> tuple[str, ...]:
    wanted = body.get("generationConfig", {}).get("responseMimeType")
    return (CITY[:9], CITY[9:]) if wanted == "application/json" else PIECES


def _gemini_answer(body: dict[str, Any]) -> dict[str, Any]:
    thought = {"text": "Hm.", "thought": True}
    parts = [thought, *({"text": text} for text in _gemini_texts(body))]
    return _gemini_without_answer(body) or _gemini_response(*parts, reason="STOP")


def _gemini_chunks(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if nothing := _gemini_without_answer(body):
        yield nothing
        return
    yield _gemini_response({"text": "Hm.", "thought": True})
    *first, last = _gemini_texts(body)
    for text in first:
        yield _gemini_response({"text": text})
        if "break" in body["contents"][-1]["parts"][0]["text"]:
            yield _google_error(503, "UNAVAILABLE", "The model is overloaded.").body  # type: ignore[misc]
            return
    yield _gemini_response({"text": last}, reason="STOP")


def ollama(request: Request, connection: socket) -> None:
    """Answer /api/chat as Ollama does: in lines of JSON, unless the request says otherwise."""
    try:
        _check_ollama(request)
    except RefusalError as refusal:
        connection.sendall(response_bytes(refusal.body, refusal.status))
        return
    lines = list(_ollama_lines(request.json))
    if request.json.get("stream", True):
        parts = (json.dumps(line).encode() + b"\n" for line in lines)
        _send_chunked(connection, "application/x-ndjson", parts)
        return
    told = [line["message"] for line in lines]
    message = {"role": "assistant", "content": "".join(m["content"] for m in told)}
    message["thinking"] = "".join(m.get("thinking", "") for m in told)
    connection.sendall(response_bytes(lines[-1] | {"message": message}))


def _check_ollama(request: Request) -> None:
    if request.headers.get("authorization") != f"Bearer {KEY}":  # as ollama.com has it
        raise RefusalError(401, {"error": "unauthorized"})
    if (request.method, request.target) != ("POST", "/api/chat"):
        raise RefusalError(404, {"error": "not found"})
    if not isinstance(request.json.get("options") or {}, dict):
        raise RefusalError(400, {"error": "json: cannot unmarshal string into Go struct field"})
    model = request.json.get("model")
    if not model:
        raise RefusalError(400, {"error": "model is required"})
    if model == "gone":
        raise RefusalError(404, {"error": "model 'gone' not found"})
    if model == "busy":
        raise RefusalError(429, {"error": "too many concurrent requests"})


def _ollama_lines(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    head = {"model": body["model"], "created_at": "2026-01-02T03:04:05.678901234Z"}
    texts = (CITY[:9], CITY[9:]) if body.get("format") else PIECES
    yield head | {"message": {"role": "assistant", "content": "", "thinking": "Hm."}, "done": False}
    for text in texts:
        yield head | {"message": {"role": "assistant", "content": text}, "done": False}
        if "break" in body["messages"][-1]["content"]:
            yield {"error": "model runner has unexpectedly stopped"}
            return
    end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
    yield head | end | _OLLAMA_USAGE


def _send_chunked(connection: socket, kind: str, parts: Iterator[bytes]) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.sendall(head.encode())
    for part in parts:
        connection.sendall(b"%x\r\n%b\r\n" % (len(part), part))
    connection.sendall(b"0\r\n\r\n")
