"""The COBOL reader: programs and copybooks, in fixed and free format.

A scanner, no parser: it rejects no file, and says what it could not read.
"""

import re
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from pathlib import PurePosixPath

from war_rig.readers.cobol_cards import cards
from war_rig.readers.cobol_comments import names_in, prose
from war_rig.readers.cobol_lines import Scan, scan
from war_rig.readers.cobol_program import Block, Walk
from war_rig.readers.comments import telling
from war_rig.readers.source import Fact, Reading, Source, Unit

_SUFFIXES = frozenset((".cbl", ".cob", ".cobol", ".cpy", ".dcl", ".pco"))
_BEGINS = re.compile(
    r"\s*(?:(?:IDENTIFICATION|ID|PROCEDURE)\s+DIVISION|PROGRAM-ID)\b", re.IGNORECASE
)
_BEFORE = re.compile(r"\s*(?:CBL|PROCESS|COPY|REPLACE|EJECT|SKIP[123]|TITLE)\b", re.IGNORECASE)
_LONGEST = {"declarations": 120, "copybook": 120, "paragraphs": 60}
_LONGEST_PARAGRAPH = 150


@dataclass(frozen=True, slots=True)
class _Span:
    """A block and its lines, without blank ones at either end."""

    block: Block
    first: int
    last: int


class CobolReader:
    """Reads COBOL by its file name, or by how its first line of code begins."""

    language = "COBOL"

    def reads(self, source: Source) -> bool:
        """Return whether *source* is called like COBOL, or begins like a program."""
        if PurePosixPath(source.file).suffix.lower() in _SUFFIXES:
            return True
        code = (card.text for card in cards(source.lines) if card.kind == "code")
        first = next((text for text in code if not _BEFORE.match(text)), "")
        return _BEGINS.match(first) is not None

    def read(self, source: Source) -> Reading:
        """Return units of whole paragraphs; each paragraph, or copybook's unit, is a part."""
        found = scan(source.lines)
        walk = Walk(source.file, found.tokens)
        spans = list(_spans(walk.blocks, found, source.lines))
        units = tuple(_units(source, spans))
        said = prose(found.comments, names_in(walk.facts))
        comments = _comments(source, said, spans)
        facts = sorted((*walk.facts, *comments), key=lambda fact: fact.line)
        parts = tuple(_parts(source, spans, units)) if walk.is_program else units
        wholes = _programs(source, spans, walk.owners)
        return Reading(units, tuple(facts), parts, tuple(walk.problems), wholes)


def _spans(blocks: Sequence[Block], found: Scan, lines: Sequence[str]) -> Iterator[_Span]:
    """Yield the blocks with their lines; of those on one line, the first has all that follow."""
    starts = [1]
    for before, block in pairwise(blocks):
        start = block.line if block.line > before.line else starts[-1]
        while start > starts[-1] + 1 and start - 1 in found.comment_lines:
            start -= 1
        starts.append(start)
    end = len(lines)
    ends = [end]
    for start, following in reversed(list(pairwise(starts))):
        end = following - 1 if following > start else end
        ends.append(end)
    taken = 0
    for block, first, last in zip(blocks, starts, reversed(ends), strict=True):
        span = _trimmed(block, first, first if first == taken else last, lines)
        taken = first
        if span:
            yield span


def _trimmed(block: Block, first: int, last: int, lines: Sequence[str]) -> _Span | None:
    """Return the span without blank lines at either end, None where it has no others."""
    while first <= last and not lines[first - 1].strip():
        first += 1
    while first < last and not lines[last - 1].strip():
        last -= 1
    return _Span(block, first, last) if first <= last else None


def _programs(
    source: Source, spans: Iterable[_Span], owners: Mapping[int, tuple[int, str]]
) -> tuple[Unit, ...]:
    """Return the programs, with the lines of those inside them, where there are several."""
    lines: dict[tuple[int, str], list[int]] = defaultdict(list)
    for span in spans:
        if span.block.program in owners:
            lines[owners[span.block.program]] += (span.first, span.last)
    if len(lines) < 2:
        return ()
    return tuple(
        Unit(source.file, name, "program", min(at), max(at)) for (_, name), at in lines.items()
    )


def _units(source: Source, spans: Sequence[_Span]) -> list[Unit]:
    """Return groups of whole spans, and the pieces of long ones; names are told apart by lines."""
    ranges = [
        (_name(group), group[0].block.kind, first, last)
        for group in _groups(spans)
        for first, last in _pieces(source.lines, group)
    ]
    counts = Counter(name for name, *_ in ranges)
    return [
        Unit(source.file, _numbered(name, first, last, counts[name] > 1), kind, first, last)
        for name, kind, first, last in ranges
    ]


def _groups(spans: Sequence[_Span]) -> Iterator[list[_Span]]:
    group: list[_Span] = []
    for span in spans:
        if group and span.first <= group[-1].last:
            continue  # it stands on the line of the one before
        if group and not _fits(group, span):
            yield group
            group = []
        group.append(span)
    if group:
        yield group


def _fits(group: Sequence[_Span], span: _Span) -> bool:
    one, other = group[0].block, span.block
    length = span.last - group[0].first + 1
    return (one.program, one.kind) == (other.program, other.kind) and length <= _LONGEST[one.kind]


def _name(group: Sequence[_Span]) -> str:
    first, last = group[0].block, group[-1].block
    if first.kind == "declarations":
        return f"{first.name} declarations"
    return first.name if first.name == last.name else f"{first.name} to {last.name}"


def _numbered(name: str, first: int, last: int, is_one_of_many: bool) -> str:
    return f"{name}, lines {first}-{last}" if is_one_of_many else name


def _pieces(lines: Sequence[str], group: Sequence[_Span]) -> Iterator[tuple[int, int]]:
    """Yield the group's lines, cut at ends of sentences where it is too long."""
    first, last, kind = group[0].first, group[-1].last, group[0].block.kind
    longest = _LONGEST_PARAGRAPH if kind == "paragraphs" else _LONGEST[kind]
    size = ceil((last - first + 1) / ceil((last - first + 1) / longest))
    while last - first >= longest:
        end = _sentence_end(lines, first + size // 2, first + size - 1)
        yield first, end
        first = end + 1
        while not lines[first - 1].strip():
            first += 1
    yield first, last


def _sentence_end(lines: Sequence[str], lowest: int, highest: int) -> int:
    for line in range(highest, lowest, -1):
        if lines[line - 1][:72].rstrip().endswith("."):
            return line
    return highest


def _parts(source: Source, spans: Sequence[_Span], units: Sequence[Unit]) -> Iterator[Unit]:
    """Yield each paragraph, and code under none, as far as it lies in one unit."""
    firsts = [unit.first for unit in units]
    for span in spans:
        block = span.block
        if block.kind != "paragraphs" or not (block.is_paragraph or block.has_code):
            continue
        around = units[bisect(firsts, span.first) - 1 : bisect(firsts, span.last)]
        for unit in around:
            first, last = max(unit.first, span.first), min(unit.last, span.last)
            name = _numbered(block.name, first, last, len(around) > 1)
            yield Unit(source.file, name, "paragraph", first, last)


def _comments(
    source: Source, said: Iterable[tuple[int, str]], spans: Sequence[_Span]
) -> Iterator[Fact]:
    firsts = [span.first for span in spans]
    for line, text in telling(said):
        subject = spans[bisect(firsts, line) - 1].block.name
        yield Fact("comment", subject, text, source.file, line)
