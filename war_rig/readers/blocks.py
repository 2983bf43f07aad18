"""From blocks to units: stretched over blank lines, cut where long, grouped where short."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import ceil
from pathlib import PurePosixPath

from war_rig.readers.comments import telling
from war_rig.readers.source import Fact, Source, Unit

LONGEST_PIECE = 120
LONGEST_GROUP = 60


def stretched(source: Source, spans: Sequence[Unit], kind: str) -> list[Unit]:
    """Return *spans*, each from the end of the one before it to its own, without blank edges.

    So each line with text lies in one; where there is no span, the whole file is one of *kind*.
    """
    name, end = PurePosixPath(source.file).stem.upper(), len(source.lines)
    spans = spans or [Unit(source.file, name, kind, 1, end)]
    found, first = [], 1
    for number, span in enumerate(spans, 1):
        last = span.last if number < len(spans) else end
        found += _trimmed(source, span, first, last)
        first = max(first, last + 1)
    return found


def _trimmed(source: Source, unit: Unit, first: int, last: int) -> list[Unit]:
    """Return *unit* with these lines but no blank ones at either end; nothing if none is left."""
    while first <= last and not source.lines[first - 1].strip():
        first += 1
    while first <= last and not source.lines[last - 1].strip():
        last -= 1
    return [replace(unit, first=first, last=last)] if first <= last else []


def pieces(source: Source, blocks: Iterable[Unit], cuts: Sequence[int] = ()) -> list[Unit]:
    """Return *blocks*, a long one in parts of like length, cut before lines of *cuts* if it can."""
    found = []
    for block in blocks:
        first = block.first
        while block.last - first >= LONGEST_PIECE:
            cut = _cut(cuts, first, block.last - first + 1)
            found += _trimmed(source, block, first, cut - 1)
            first = cut
        found += _trimmed(source, block, first, block.last)
    return found


def _cut(cuts: Sequence[int], first: int, length: int) -> int:
    """Return where to cut off a piece from *first* on, so that as few as possible are needed."""
    middle = first + ceil(length / ceil(length / LONGEST_PIECE))
    possible = bisect_right(cuts, first + LONGEST_PIECE)
    best = cuts[min(bisect_left(cuts, middle), possible - 1)] if possible else first
    return best if best > first + LONGEST_PIECE // 2 else middle


def groups(parts: Iterable[Unit], kind: str) -> Iterator[Unit]:
    """Yield groups of neighbouring *parts*, named by the first and the last."""
    group: list[Unit] = []
    for part in parts:
        if group and part.last - group[0].first >= LONGEST_GROUP:
            yield _group(group, kind)
            group = []
        group.append(part)
    if group:
        yield _group(group, kind)


def _group(group: Sequence[Unit], kind: str) -> Unit:
    first, last = group[0], group[-1]
    name = first.name if first.name == last.name else f"{first.name} to {last.name}"
    return Unit(first.file, name, kind, first.first, last.last)


def told_apart(units: Iterable[Unit]) -> tuple[Unit, ...]:
    """Return *units*, those of one name with their lines added to it."""
    units = list(units)
    counts = Counter(unit.name for unit in units)
    return tuple(
        replace(unit, name=f"{unit.name}, lines {unit.first}-{unit.last}")
        if counts[unit.name] > 1
        else unit
        for unit in units
    )


def comment_facts(
    source: Source, blocks: Sequence[Unit], comments: Iterable[tuple[int, str]]
) -> Iterator[Fact]:
    """Yield a fact for each comment that says something, about the block that it stands in."""
    firsts = [block.first for block in blocks]
    for line, text in telling(comments):
        subject = blocks[bisect_right(firsts, line) - 1].name
        yield Fact("comment", subject, text, source.file, line)
