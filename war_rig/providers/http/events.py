"""Splits the bytes of a stream into events: server-sent events, or one JSON text a line.

Both take the bytes as they arrive, cut anywhere: inside a character, inside a
line end, in the middle of everything. What belongs together is put together
before it is decoded. A line or an event without end is refused.
"""

from dataclasses import dataclass

from war_rig.errors import MalformedAnswerError

_LONGEST_BYTES = 8 * 1024 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UNNAMED = "message"  # what the WHATWG's rules call an event that gives no name


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream, with the name that it gave itself."""

    name: str
    data: str


class SseEvents:
    """Splits server-sent events by the WHATWG's rules, with one exception.

    A last event that no blank line ends counts: where the connection was cut,
    which is what the rule is for, the transport has raised already.
    """

    def __init__(self, longest_bytes: int = _LONGEST_BYTES) -> None:
        """Keep nothing yet; a line, and the data of one event, may have *longest_bytes*."""
        self._lines = _Lines(longest_bytes)
        self._longest = longest_bytes
        self._name = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> list[Event]:
        """Return the events that *piece* completes."""
        return self._events(self._lines.feed(piece))

    def close(self) -> list[Event]:
        """Return the event that the end of the stream completes."""
        return self._events([*self._lines.close(), b""])

    def _events(self, lines: list[bytes]) -> list[Event]:
        events = []
        for line in lines:
            if line.startswith(b"data: "):
                self._add(line[6:])
            elif line:
                self._read(line)
            elif self._data:
                events.append(self._event())
            else:
                self._name = b""
        return events

    def _read(self, line: bytes) -> None:
        """Read a field in any spelling; comments and other fields count for nothing."""
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._add(value)
        elif field == b"event":
            self._name = value

    def _add(self, data: bytes) -> None:
        self._size += len(data) + 1
        if self._size > self._longest:
            raise _endless("an event", self._longest)
        self._data.append(data)

    def _event(self) -> Event:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        name = _text(self._name) if self._name else _UNNAMED
        self._name, self._data, self._size = b"", [], 0
        return Event(name, _text(data))


class NdjsonEvents:
    """Splits lines, each of them an event's data; blank lines are none."""

    def __init__(self, longest_bytes: int = _LONGEST_BYTES) -> None:
        """Keep nothing yet; a line may have *longest_bytes*."""
        self._lines = _Lines(longest_bytes)

    def feed(self, piece: bytes) -> list[Event]:
        """Return the events that *piece* completes."""
        return _each(self._lines.feed(piece))

    def close(self) -> list[Event]:
        """Return the event that the end of the stream completes."""
        return _each(self._lines.close())


class _Lines:
    """Splits bytes into lines, ended by CR, LF or CRLF; looks a fixed number of times at each."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._begun: list[bytes] = []  # the parts of a line that has no end yet
        self._size = 0
        self._is_first = True
        self._ended_with_cr = False

    def feed(self, piece: bytes) -> list[bytes]:
        if self._ended_with_cr and piece:
            self._ended_with_cr = False
            piece = piece.removeprefix(b"\n")
        if not piece:
            return []
        lines = piece.splitlines()
        part = b"" if piece.endswith((b"\n", b"\r")) else lines.pop()
        self._ended_with_cr = piece.endswith(b"\r")
        if lines:
            lines[0] = self._finished(lines[0])
        if part:
            self._begun.append(part)
            self._size += len(part)
        if max(map(len, lines), default=0) > self._longest or self._size > self._longest:
            raise _endless("a line", self._longest)
        return lines

    def close(self) -> list[bytes]:
        return [self._finished(b"")] if self._begun else []

    def _finished(self, part: bytes) -> bytes:
        """Return the line that ends with *part*."""
        if self._begun:
            part = b"".join([*self._begun, part])
            self._begun, self._size = [], 0
        if self._is_first:
            self._is_first = False
            part = part.removeprefix(_BYTE_ORDER_MARK)
        return part


def _each(lines: list[bytes]) -> list[Event]:
    return [Event(_UNNAMED, _text(line)) for line in lines if line.strip()]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _endless(what: str, longest: int) -> MalformedAnswerError:
    return MalformedAnswerError(f"streamed {what} of more than {longest} bytes")
