"""Streams split into events, wherever the bytes are cut."""

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from war_rig.errors import MalformedAnswerError
from war_rig.providers.http.events import Event, NdjsonEvents, SseEvents

Splitter = SseEvents | NdjsonEvents

A, B = Event("message", "a"), Event("message", "b")
CASES = {
    "an event ends with a blank line": (b"data: a\n\n", [A]),
    "line ends may be CR": (b"data: a\r\rdata: b\r\r", [A, B]),
    "line ends may be CRLF": (b"data: a\r\n\r\ndata: b\r\n\r\n", [A, B]),
    "line ends may be mixed": (b"data: a\r\ndata: b\n\r", [Event("message", "a\nb")]),
    "lines of data are joined": (b"data: a\ndata:\ndata: b\n\n", [Event("message", "a\n\nb")]),
    "one space after the colon does not count": (
        b"data:a\ndata:  b\n\n", [Event("message", "a\n b")]
    ),
    "a field without colon has no value": (b"data\n\n", [Event("message", "")]),
    "an event may have a name": (b"event: stop\ndata: a\n\n", [Event("stop", "a")]),
    "a name holds for one event": (b"event: e\ndata: a\n\ndata: b\n\n", [Event("e", "a"), B]),
    "a name without data is no event": (b"event: e\n\ndata: a\n\n", [A]),
    "comments do not count": (b": hello\n\n:\ndata: a\n: hello\n\n", [A]),
    "other fields do not count": (b"id: 1\nretry: 5\nDATA: x\ndata : x\ndata: a\n\n", [A]),
    "a byte order mark does not count": (b"\xef\xbb\xbfdata: a\n\n", [A]),
    "a second one is part of the line": (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
    "the last event needs no blank line": (b"data: a\n\ndata: b", [A, B]),
    "blank lines alone are nothing": (b"\n\r\n\r", []),
    "only CR and LF end a line": (
        "data: a\u2028b\u0085c\x0bd\n\n".encode(), [Event("message", "a\u2028b\u0085c\x0bd")]
    ),
    "what is no UTF-8 is replaced": (b"data: \xff\n\n", [Event("message", "\ufffd")]),
    "nothing is nothing": (b"", []),
}  # fmt: skip


def events(splitter: Splitter, *pieces: bytes) -> list[Event]:
    return [event for piece in pieces for event in splitter.feed(piece)] + splitter.close()


@pytest.mark.parametrize(("stream", "expected"), CASES.values(), ids=CASES)
def test_server_sent_events_are_read_by_the_rules(stream: bytes, expected: list[Event]) -> None:
    """The WHATWG's rules hold, in one piece and byte by byte."""
    assert events(SseEvents(), stream) == expected
    assert events(SseEvents(), *(stream[i : i + 1] for i in range(len(stream)))) == expected


def test_an_event_is_there_with_the_line_that_ends_it() -> None:
    """No event waits for the next: not even where a CR may be half of a CRLF."""
    splitter = SseEvents()
    assert splitter.feed(b"data: a\r\n\r") == [Event("message", "a")]
    assert splitter.feed(b"\ndata: b\n\n") == [Event("message", "b")]
    assert splitter.feed(b"") == splitter.close() == []


def test_every_line_is_an_event() -> None:
    """In newline-delimited JSON each line is an event, the last too; blank lines are none."""
    stream = '{"a": "ü"}\r\n\n  \n{"b": 1}'.encode()
    assert [e.data for e in events(NdjsonEvents(), stream)] == ['{"a": "ü"}', '{"b": 1}']


LINE = st.one_of(
    st.sampled_from(["data: ", "data:", "event: e", ":", "", "id: 1", "data", "\ufeff"]),
    st.text(max_size=5),
    st.builds("data: {}".format, st.text(max_size=5)),
)
STREAM = st.lists(st.tuples(LINE, st.sampled_from(["\n", "\r", "\r\n", "\n\n", ""])), max_size=20)


@given(STREAM, st.data())
def test_where_the_bytes_are_cut_does_not_matter(
    lines: list[tuple[str, str]], data: st.DataObject
) -> None:
    """Any cutting of a stream gives the events that it gives in one piece."""
    stream = "".join(line + end for line, end in lines).encode(errors="surrogatepass")
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    pieces = [stream[i:j] for i, j in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    for kind in (SseEvents, NdjsonEvents):
        assert events(kind(), *pieces) == events(kind(), stream)


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none())))
def test_what_was_sent_arrives(objects: list[object]) -> None:
    """JSON objects come out of either format as they went in."""
    sse = "".join(f"data: {json.dumps(o, ensure_ascii=False)}\n\n" for o in objects)
    ndjson = "".join(f"{json.dumps(o, ensure_ascii=False)}\n" for o in objects)
    for splitter, text in ((SseEvents(), sse), (NdjsonEvents(), ndjson)):
        found = [json.loads(event.data) for event in events(splitter, text.encode())]
        assert found == objects


@pytest.mark.parametrize("kind", [SseEvents, NdjsonEvents])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_line_without_end_is_refused(kind: Callable[[int], Splitter], size: int) -> None:
    """A line may have as many bytes as declared, and no byte more, however it is cut."""
    line = b"data: " + b"x" * 94
    pieces = [line[i : i + size] for i in range(0, 100, size)]
    assert len(events(kind(100), *pieces, b"\n\n")) == 1
    with pytest.raises(MalformedAnswerError) as caught:
        events(kind(99), *pieces, b"\n\n")
    assert str(caught.value) == "streamed a line of more than 99 bytes"


def test_an_event_without_end_is_refused() -> None:
    """An event of ever more lines is no better than a line without end."""
    splitter = SseEvents(100)
    with pytest.raises(MalformedAnswerError) as caught:
        for _ in range(101):
            splitter.feed(b"data\n")
    assert str(caught.value) == "streamed an event of more than 100 bytes"


@pytest.mark.long
@pytest.mark.parametrize("kind", [SseEvents, NdjsonEvents])
def test_the_time_for_a_long_line_grows_with_its_length(kind: Callable[[], Splitter]) -> None:
    """A line in very many pieces is put together once, not again for each piece."""

    def seconds(pieces: int) -> float:
        splitter, begin = kind(), time.process_time()
        for _ in range(pieces):
            splitter.feed(b"xxxxxxxxxx")
        splitter.feed(b"\n")
        return time.process_time() - begin

    assert min(seconds(160_000) for _ in range(3)) < 20 * min(seconds(20_000) for _ in range(3))
