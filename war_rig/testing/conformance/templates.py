"""What the scripted API answers: JSON with ``$content``, ``$model`` and ``$tokens`` in it.

An author may give one (docs/conformance.md). Of an API that the kit knows nothing about
it begins with bodies in which the usual places of an answer are all filled at once.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from war_rig.testing.conformance.server import (
    JSON,
    Connection,
    Request,
    Script,
    answering,
    head,
)

MODEL = "kit-model-1"
TOKENS = 7
_CONTENT, _MODEL, _TOKENS = "$content", "$model", "$tokens"
PLACEHOLDERS = (_CONTENT, _MODEL, _TOKENS)

Format = Literal["sse", "ndjson", "text"]
KINDS: dict[Format, str] = {
    "sse": "text/event-stream",
    "ndjson": "application/x-ndjson",
    "text": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Template:
    """The body of a whole answer: a JSON value with placeholders, or a text with them."""

    body: Any

    @property
    def kind(self) -> str:
        """Return its content type."""
        return KINDS["text"] if isinstance(self.body, str) else JSON

    @property
    def is_formatted(self) -> bool:
        """Return whether the text stands in a form that is no JSON, which quotes in its own way."""
        return isinstance(self.body, str) and self.body.strip() != _CONTENT

    def filled(self, content: str) -> bytes:
        """Return the bytes of an answer that says *content*."""
        return _encoded(_put({_CONTENT: content, _MODEL: MODEL, _TOKENS: TOKENS}, self.body))

    def answering(self, content: str) -> Script:
        """Return the script of a server that answers so."""
        return answering(self.filled(content), self.kind)

    def marked(self) -> "tuple[bytes, dict[str | int, str]]":
        """Return an answer in which each placeholder has a value of its own, and their paths."""
        marks: dict[str | int, str] = {}

        def mark(placeholder: str, path: str) -> str | int:
            value = 1001 + len(marks) if placeholder == _TOKENS else f"kit-mark-{len(marks)}."
            marks[value] = path
            return value

        return _encoded(_walked(self.body, mark)), marks


@dataclass(frozen=True, slots=True)
class StreamTemplate:
    """The body of an answer in pieces. An event is a text, or JSON whose ``$event`` names it.

    piece: the events of one piece. end: those that come when the answer is whole.
    """

    format: Format
    piece: tuple[Any, ...]
    end: tuple[Any, ...] = ()

    @property
    def kind(self) -> str:
        """Return its content type."""
        return KINDS[self.format]

    def piece_of(self, content: str) -> bytes:
        """Return the events of a piece that says *content*."""
        return b"".join(self._event(event, content) for event in self.piece)

    def ending(self) -> bytes:
        """Return the events that say that the answer is whole."""
        return b"".join(self._event(event, "") for event in self.end)

    def streaming(self, *pieces: str) -> Script:
        """Return the script of a server that streams *pieces*, and says that it is whole."""

        def script(request: Request, connection: Connection) -> None:
            connection.send(head(200, self.kind))
            for part in (*map(self.piece_of, pieces), self.ending()):
                if part:
                    connection.send_chunk(part)
            connection.send_chunk(b"")

        return script

    def _event(self, event: Any, content: str) -> bytes:
        name = event.get("$event") if isinstance(event, dict) else None
        if name is not None:
            event = {key: value for key, value in event.items() if key != "$event"}
        data = _encoded(_put({_CONTENT: content, _MODEL: MODEL, _TOKENS: TOKENS}, event))
        if self.format == "sse":
            named = b"" if name is None else f"event: {name}\n".encode()
            return named + b"data: " + data + b"\n\n"
        return data + (b"\n" if self.format == "ndjson" else b"")


Given = tuple[Template | None, StreamTemplate | None]
"""What somebody said of an API's answers: whole ones, and streams."""

Fill = Callable[[str, str], str | int]


def _walked(value: Any, fill: Fill, path: str = "") -> Any:
    """Return *value* with what *fill* makes of each placeholder and its path."""
    if isinstance(value, dict):
        dot = "." if path else ""
        return {key: _walked(item, fill, f"{path}{dot}{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_walked(item, fill, f"{path}[{place}]") for place, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    if value in PLACEHOLDERS:
        return fill(value, path)
    pattern = "|".join(map(re.escape, PLACEHOLDERS))
    return re.sub(pattern, lambda match: str(fill(match[0], path)), value)


def _put(values: dict[str, str | int], body: Any) -> Any:
    return _walked(body, lambda placeholder, _: values[placeholder])


def _encoded(body: Any) -> bytes:
    return (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode()


def placeholders(value: Any) -> set[str]:
    """Return the placeholders in *value*."""
    found: set[str] = set()

    def note(placeholder: str, path: str) -> str:
        found.add(placeholder)
        return placeholder

    _walked(value, note)
    return found


_COUNTED = (
    "prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens",
    "promptTokenCount", "candidatesTokenCount", "totalTokenCount", "inputTokens", "outputTokens",
    "totalTokens", "total", "tokens",
)  # fmt: skip
_USAGE = dict.fromkeys(_COUNTED, _TOKENS)
_SAID = {"type": "text", "text": _CONTENT}
_TURN = {"role": "assistant", "content": _CONTENT}

_EVERYWHERE = {
    "id": "kit-1",
    "object": "chat.completion",
    "created": 1,
    "model": _MODEL,
    "modelVersion": _MODEL,
    "role": "assistant",
    "choices": [{"index": 0, "message": _TURN, "text": _CONTENT, "finish_reason": "stop"}],
    "candidates": [{"content": {"role": "model", "parts": [_SAID]}, "finishReason": "STOP"}],
    "outputs": [{"text": _CONTENT}],
    "generations": [{"text": _CONTENT}],
    "usage": _USAGE,
    "usageMetadata": _USAGE,
    "done": True,
    "done_reason": "stop",
    "stop_reason": "end_turn",
    "finish_reason": "stop",
    "prompt_eval_count": _TOKENS,
    "eval_count": _TOKENS,
    **dict.fromkeys(_COUNTED, _TOKENS),
}
_KEYS = (
    "text", "answer", "reply", "completion", "generated_text", "output_text", "output", "response",
    "result", "content",
)  # fmt: skip
_AS_TEXT = dict.fromkeys(_KEYS, _CONTENT)
_AS_MAP = {**_EVERYWHERE, **_AS_TEXT, "message": _TURN}
_AS_LIST = {**_AS_MAP, "type": "message", "content": [{**_SAID, "type": "output_text"}]}

USUAL: tuple[Any, ...] = (
    {**_AS_MAP, "type": "message", "content": [_SAID]},
    {**_AS_MAP, "message": _CONTENT, "data": _AS_MAP},
    {**_EVERYWHERE, **dict.fromkeys((*_KEYS, "data"), _AS_MAP), "message": {"content": [_SAID]}},
    {**_EVERYWHERE, **{key: [_AS_LIST] for key in (*_KEYS, "data", "message")}},
    {**_EVERYWHERE, "output": {**_AS_MAP, "message": {"content": [_SAID]}}},
    [_AS_MAP],
    _CONTENT,
)
"""What may stand in a body, in several spellings of the keys of which there are several."""

_PIECE = {
    **_AS_TEXT,
    "id": "kit-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": _MODEL,
    "type": "content_block_delta",
    "index": 0,
    "choices": [{"index": 0, "delta": _TURN, "text": _CONTENT, "finish_reason": None}],
    "candidates": [{"content": {"role": "model", "parts": [_SAID]}}],
    "delta": {"type": "text_delta", "text": _CONTENT, "content": _CONTENT},
    "message": _TURN,
    "token": {"text": _CONTENT},
    "piece": _CONTENT,
    "chunk": _CONTENT,
    "done": False,
}
_LAST = {
    "id": "kit-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": _MODEL,
    "type": "message_delta",
    "choices": [{"index": 0, "delta": {}, "text": "", "finish_reason": "stop"}],
    "candidates": [{"finishReason": "STOP"}],
    "delta": {"stop_reason": "end_turn"},
    "message": {"role": "assistant", "content": ""},
    "usage": _USAGE,
    "usageMetadata": _USAGE,
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": _TOKENS,
    "eval_count": _TOKENS,
    **dict.fromkeys(_COUNTED, _TOKENS),
}

_STOP = {"$event": "message_stop", "type": "message_stop"}

USUAL_STREAMS: tuple[StreamTemplate, ...] = (
    StreamTemplate("sse", (_PIECE,), (_LAST, _STOP, "[DONE]")),
    StreamTemplate("sse", (_PIECE,), (_LAST, _STOP)),
    StreamTemplate("ndjson", (_PIECE,), (_LAST,)),
    StreamTemplate("text", (_CONTENT,)),
)
"""The usual streams, with the usual end marks, all at once."""


def parsed(text: str) -> Given:
    """Return what an author's example *text* is: a body, and a stream under ``$stream``.

    What does not begin as JSON does is an answer in plain text; beside a stream, that
    stands under ``$body``. Raises ValueError saying
    what is wrong with it.
    """
    body = text.strip()
    if body[:1] in ("{", "["):
        try:
            body = json.loads(text)
        except ValueError as error:
            raise ValueError(f"is no JSON: {error}") from None
    streamed = body.pop("$stream", None) if isinstance(body, dict) else None
    if isinstance(body, dict) and isinstance(body.get("$body"), str):
        body = body["$body"]
    if _CONTENT not in placeholders(body):
        raise ValueError('has no "$content" where the text of the answer stands')
    return Template(body), None if streamed is None else _stream(streamed)


def _stream(given: Any) -> StreamTemplate:
    form = given.get("format", "sse") if isinstance(given, dict) else None
    if form not in KINDS:
        raise ValueError(f'"$stream" needs a "format", one of: {", ".join(KINDS)}')
    piece, end = (tuple(_events(given.get(key))) for key in ("piece", "end"))
    if _CONTENT not in placeholders(list(piece)):
        raise ValueError('"$stream" needs a "piece" with "$content" in it')
    return StreamTemplate(form, piece, end)


def _events(given: Any) -> Iterator[Any]:
    if isinstance(given, list):
        yield from given
    elif given is not None:
        yield given
