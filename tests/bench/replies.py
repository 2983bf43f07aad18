"""What the mock of the OpenAI chat completions answers, as bytes on the wire.

Standard library only; nothing here knows of sockets.
"""

import json
from functools import cache
from typing import Any

ANSWER = " ".join(
    ["The quick brown fox jumps over the lazy dog while the patient engineer counts every token."]
    * 12
)
USAGE = {"prompt_tokens": 21, "completion_tokens": 200, "total_tokens": 221}
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}
_ERRORS = {
    400: ("context_length_exceeded", "This model's maximum context length is 8192 tokens."),
    401: ("invalid_api_key", "Incorrect API key provided."),
    404: ("model_not_found", "The model does not exist."),
    429: ("rate_limit_exceeded", "Rate limit reached for requests."),
    500: (None, "The server had an error while processing your request."),
}
END = b"0\r\n\r\n"


def response(status: int, body: bytes, kind: str = "application/json", more: str = "") -> bytes:
    """Return a whole response; *more* are further header lines, each with its end."""
    return _head(status, kind, f"content-length: {len(body)}\r\n{more}") + body


def stream_head() -> bytes:
    return _head(200, "text/event-stream; charset=utf-8", "transfer-encoding: chunked\r\n")


def _head(status: int, kind: str, more: str) -> bytes:
    reason = _REASONS.get(status, "Error")
    return f"HTTP/1.1 {status} {reason}\r\ncontent-type: {kind}\r\n{more}\r\n".encode()


@cache
def completion(model: str) -> bytes:
    message = {"role": "assistant", "content": ANSWER, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return _json("chat.completion", model, choices=[choice], usage=USAGE)


def without_choices(model: str) -> bytes:
    return _json("chat.completion", model, choices=[], usage=USAGE)


def error(status: int, message: str | None = None) -> bytes:
    code, text = _ERRORS[status]
    kind = "server_error" if status >= 500 else "invalid_request_error"
    body = {"message": message or text, "type": kind, "param": None, "code": code}
    return json.dumps({"error": body}).encode()


@cache
def pieces(model: str) -> list[bytes]:
    """Return the events of a stream before its end: the role, then one event a word."""
    opening = _chunk(model, {"role": "assistant", "content": "", "refusal": None})
    return [opening, *(_chunk(model, {"content": f"{word} "}) for word in ANSWER.split())]


@cache
def finish(model: str, with_usage: bool) -> bytes:
    """Return the events that end a stream as the API does."""
    usage = event(_json("chat.completion.chunk", model, choices=[], usage=USAGE))
    return _chunk(model, {}, "stop") + (usage if with_usage else b"") + done()


def done() -> bytes:
    return event(b"[DONE]") + END


def broken_event() -> bytes:
    return event(b'{"id": "chatcmpl-bench", "choices": [{"index": 0, "delta": {"con') + done()


def error_event(model: str) -> bytes:
    """Return an error in mid-stream, as gateways send it with status 200."""
    choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
    failure = {"code": 502, "message": "Upstream provider disconnected"}
    return event(_json("chat.completion.chunk", model, choices=[choice], error=failure)) + done()


def event(data: bytes) -> bytes:
    """Return one server-sent event, as one chunk of the transfer encoding."""
    line = b"data: " + data + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(line), line)


def _chunk(model: str, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return event(_json("chat.completion.chunk", model, choices=[choice]))


def _json(kind: str, model: str, **rest: Any) -> bytes:
    head = {"id": "chatcmpl-bench", "object": kind, "created": 1700000000, "model": model}
    return json.dumps(head | {"system_fingerprint": "fp_bench"} | rest).encode()
