"""How an API streams: what its events hold, and which of them says that the answer is whole.

    stream:
      format: sse                          # or ndjson
      request: {stream: true}              # laid over the request, as url, query and headers are
      content: choices[0].delta.content    # what is not here is as in 'response'
      end: "[DONE]"                        # or {event: message_stop}, {path: done, equals: true}
      cumulative: false                    # true: each text is all so far, not what is new
      error: error

``end`` without ``equals``, as in ``{path: done}``, says that the answer is whole
once something stands there; what follows is read for a moment. All other marks
end the stream at once. A stream without its mark is an error, since nobody knows
what is missing.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from war_rig.errors import MalformedAnswerError, ProviderTimeoutError
from war_rig.providers.foreign import Redact, one_line
from war_rig.providers.http.answers import AnswerPaths, answer_paths
from war_rig.providers.http.events import Event, NdjsonEvents, SseEvents
from war_rig.providers.http.failures import (
    Failed,
    Rule,
    failure,
    failure_in_stream,
    fitting,
    path_at,
    several,
)
from war_rig.providers.http.paths import Getter, getter
from war_rig.providers.http.section import Section
from war_rig.providers.http.template import as_text
from war_rig.providers.http.transport import StreamedAnswer as Arriving

FORMATS: dict[str, type[SseEvents] | type[NdjsonEvents]] = {
    "sse": SseEvents,
    "ndjson": NdjsonEvents,
}

FAILURE = "error"
"""The name of an event that tells of one, in any words."""

LONGEST_TEXT = 2000  # more than the border shows, which clears it of secrets before it cuts

_decoded = json.JSONDecoder().decode


@dataclass(frozen=True, slots=True)
class EndMark:
    """What says that the answer is whole: a data text, an event's name, or a value in the data."""

    data: str | None = None
    event: str | None = None
    path: Getter | None = None
    equals: tuple[str, ...] = ()

    @property
    def is_final(self) -> bool:
        """Return whether nothing comes after it."""
        return self.path is None or bool(self.equals)

    def is_in(self, parsed: Any) -> bool:
        """Return whether the value that it looks for is in the data of an event."""
        found = None if self.path is None else self.path(parsed)
        if not self.equals:
            return bool(found)
        return found is not None and as_text(found) in self.equals


@dataclass(frozen=True, slots=True)
class Streaming:
    """The declaration of a stream."""

    format: str
    paths: AnswerPaths
    end: EndMark
    error: Getter
    reading: "type[StreamedAnswer]"


@dataclass(slots=True)
class StreamedAnswer:
    """An answer that arrives in events. told: what it said about itself, the latest."""

    streaming: Streaming
    rules: Sequence[Rule]
    redact: Redact
    texts: list[str] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)
    is_whole: bool = False
    _reason: Any = None  # the data that told the finish reason
    _last: Any = None
    _has_content: bool = False  # whether its path led to any text, if only to an empty one

    def take(self, event: Event) -> str:
        """Keep what *event* says and return its text; raise what it tells of a failure."""
        end = self.streaming.end
        if event.data == end.data or (end.event is not None and event.name == end.event):
            self.is_whole = True
            return ""
        if not event.data:
            return ""
        data = self._last = _parsed(event)
        error = self.streaming.error(data)
        if error or event.name == FAILURE:
            has_begun = bool(self.texts or self.told)
            raise failure_in_stream(data, error, has_begun, self.rules, self.redact)
        told = self.streaming.paths.told_in(data)
        self.told.update(told)
        self._reason = data if "finish_reason" in told else self._reason
        self.is_whole = self.is_whole or end.is_in(data)
        text = self.streaming.paths.text(data)
        self._has_content = self._has_content or text is not None
        if text:
            self.texts.append(text)
        return text or ""

    def end(self) -> None:
        """Raise where the stream has ended with less than an answer."""
        if not self.is_whole:
            raise self._fault("ended its stream without its end mark, so the answer is not whole")
        if fitting(self.ended, self.rules):
            raise failure(self.ended, self.rules, self.redact)
        if not self._has_content:
            reason = self.told.get("finish_reason")
            told = "" if reason is None else f" (finish reason: {as_text(reason)})"
            written = self.streaming.paths.written
            raise self._fault(f"streamed no text at {written} (stream.content){told}")

    @property
    def ended(self) -> Failed:
        """Return what the rules are asked about at the end: the event that told the reason."""
        return Failed(200, {}, self._reason, has_text=bool(self.texts))

    def _fault(self, text: str) -> MalformedAnswerError:
        """Return the error, with what the last event has: perhaps a failure that no rule knows."""
        if isinstance(self._last, dict) and self._last:
            text += f"; its last event has: {', '.join(map(str, self._last))}"
        return MalformedAnswerError(one_line(self.redact(text), LONGEST_TEXT), status=200)

    @property
    def is_over(self) -> bool:
        """Return whether the end mark has come, and nothing can come after it."""
        return self.is_whole and self.streaming.end.is_final


async def texts_of(
    pieces: AsyncIterator[bytes], answer: Arriving, found: StreamedAnswer
) -> AsyncGenerator[str, None]:
    """Yield the texts of *found* as they arrive, until its end mark or the end."""
    events = FORMATS[found.streaming.format]()
    piece: bytes | None = b""
    while piece is not None:
        try:
            piece = await anext(pieces, None)
        except ProviderTimeoutError:
            if not found.is_whole:
                raise
            piece = None  # the server keeps the connection open after its mark
        arrived = events.close() if piece is None else events.feed(piece)
        for event in arrived:
            if text := found.take(event):
                yield text
            if found.is_over:
                return
        if found.is_whole:
            answer.end_soon()
        if arrived:  # bytes that are no event, such as comments, only keep the connection open
            answer.expect_more()


def closable(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Return *pieces* as the generator that they are: one that nobody closes leaves a task."""
    return cast(AsyncGenerator[bytes, None], pieces)


class CumulativeAnswer(StreamedAnswer):
    """An answer each of whose texts is all that was said so far."""

    def take(self, event: Event) -> str:
        """Keep what *event* says and return what is new in its text."""
        text = super().take(event)
        if not text:
            return ""
        before = "".join(self.texts[:-1])
        if not text.startswith(before):
            told = "streamed a text that does not begin with the text before it"
            raise self._fault(f"{told}, which 'stream.cumulative' says")
        self.texts = [text]
        return text[len(before) :]


def streaming(place: Section, answers: AnswerPaths) -> Streaming:
    """Return the stream that the map at *place* declares; *answers* are the paths of 'response'.

    Its request is read elsewhere.
    """
    paths = answer_paths(place, answers)
    error = path_at(place, "error") or getter("error")
    chosen = place.choice("format", tuple(FORMATS), "sse")
    reading = CumulativeAnswer if place.flag("cumulative") else StreamedAnswer
    return Streaming(chosen, paths, _end(place), error, reading)


def _end(place: Section) -> EndMark:
    end = place.at("end")
    if isinstance(end.value, str) and end.value:
        return EndMark(data=end.value)
    if not isinstance(end.value, Mapping):
        text = 'must say what ends a stream: "[DONE]", {event: NAME} or {path: PATH, equals: VALUE}'
        end.note(text)
        return EndMark()
    mark = EndMark(event=end.text("event") or None, path=path_at(end, "path"))
    equals = tuple(as_text(one) for one in several(end.at("equals").value))
    if (mark.event is None) == (not end.has("path")):
        end.note("needs either an 'event' or a 'path'")
    end.finish()
    return EndMark(None, mark.event, mark.path, equals)


def _parsed(event: Event) -> Any:
    try:
        return _decoded(event.data)
    except (ValueError, RecursionError) as error:
        failure = f"sent a chunk of broken JSON: {error}"
    if event.name == FAILURE:
        return event.data
    raise MalformedAnswerError(failure, status=200)
