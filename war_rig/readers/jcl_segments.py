"""The units of a JCL file: what each head and step begins, up to the next one."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from war_rig.readers.source import Source, Unit

_UNIT_LINES = 150


class _Segment(NamedTuple):
    first: int
    kind: str
    name: str


class Segments:
    """Heads and steps in the order of the file, and the statements in them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: list[_Segment] = []
        self._starts: list[int] = []

    @property
    def are_begun(self) -> bool:
        """Return whether there is one."""
        return bool(self._found)

    def take(self, first: int) -> None:
        """Take where a statement starts: a long unit is cut there."""
        self._starts.append(first)

    def begin(self, kind: str, name: str, first: int) -> None:
        """Begin a head or a step on the line *first*."""
        self._found.append(_Segment(first, kind, name))

    def cover(self, kind: str, name: str) -> None:
        """Have what stands before the first one, or all where there is none, begin like this."""
        if not self._found or self._found[0].first > 1:
            self._found.insert(0, _Segment(1, kind, name))

    def name_at(self, line: int) -> str:
        """Return what the one is called that *line* lies in."""
        behind = bisect_right(self._found, line, key=lambda segment: segment.first)
        return self._found[behind - 1].name

    def units(self) -> Iterator[list[Unit]]:
        """Yield the units of each, several where it is long."""
        end = _Segment(len(self._source.lines) + 1, "", "")
        for segment, following in pairwise([*self._found, end]):
            yield list(self._cut(segment, following.first))

    def _cut(self, segment: _Segment, end: int) -> Iterator[Unit]:
        """Yield the units of *segment*, cut before a statement, else anywhere."""
        (first, kind, name), number = segment, 0
        while first < end:
            stop = min(end, first + _UNIT_LINES)
            if stop < end:
                start = self._starts[max(0, bisect_right(self._starts, stop) - 1)]
                stop = start if start > first + _UNIT_LINES // 2 else stop
            lines = [n for n in range(first, stop) if self._source.lines[n - 1].strip()]
            if lines:
                number += 1
                piece = name if number == 1 else f"{name} ({number})"
                yield Unit(self._source.file, piece, kind, lines[0], lines[-1])
            first = stop
