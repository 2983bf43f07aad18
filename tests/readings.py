"""Readings as plain values, and what holds for the reading of any text and of long ones."""

import time
import timeit
from collections.abc import Callable, Iterable, Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from war_rig.readers import Reading, Unit


def facts(reading: Reading, *kinds: str) -> list[tuple[str, str, str, int]]:
    """Return the facts, of *kinds* if some are named."""
    return [
        (fact.kind, fact.subject, fact.object, fact.line)
        for fact in reading.facts
        if not kinds or fact.kind in kinds
    ]


def problems(reading: Reading) -> list[tuple[int, str]]:
    """Return what could not be read."""
    return [(problem.line, problem.text) for problem in reading.problems]


def places(units: Iterable[Unit]) -> list[tuple[str, str, int, int]]:
    """Return units, or parts, as kind, name and lines."""
    return [(unit.kind, unit.name, unit.first, unit.last) for unit in units]


def assert_whole(reading: Reading, text: str, longest: int = 120) -> None:
    """Assert what holds for the reading of any text; *longest* is that of a unit, in lines."""
    lines = text.split("\n")
    ends = [number for unit in reading.units for number in (unit.first, unit.last)]
    assert ends == sorted(ends)
    covered = [n for unit in reading.units for n in range(unit.first, unit.last + 1)]
    assert len(covered) == len(set(covered))
    assert set(covered) >= {n for n, line in enumerate(lines, 1) if line.strip()}
    assert all(unit.last - unit.first < longest for unit in reading.units)
    assert all(1 <= found.line <= len(lines) for found in (*reading.facts, *reading.problems))
    for part in reading.parts:
        assert any(unit.first <= part.first <= part.last <= unit.last for unit in reading.units)


def mixtures(pieces: Sequence[str]) -> SearchStrategy[str]:
    """Return any text, and such as is made of *pieces*, on one line or a line each."""
    of_pieces = st.sampled_from(pieces)
    joined = st.lists(st.one_of(of_pieces, st.text(max_size=3))).map("".join)
    return st.one_of(st.text(), joined, st.lists(of_pieces).map("\n".join))


def repeated(first: str, lines: Sequence[str], count: int) -> str:
    """Return *first*, and *count* lines below it, which repeat *lines*."""
    return "\n".join([first, *(list(lines) * count)[:count]])


def is_linear(read: Callable[[str], object], text: Callable[[int], str], size: int) -> bool:
    """Return whether four times the text takes no more than about four times as long.

    One try in five has to show it, since a busy machine makes a try longer and never shorter.
    """
    short, long = text(size), text(4 * size)
    return any(seconds(read, long) < 10 * seconds(read, short) + 0.2 for _ in range(5))


def seconds(read: Callable[[str], object], text: str) -> float:
    """Return the seconds of CPU that it takes to read *text*, without collected garbage."""
    return timeit.timeit(lambda: read(text), timer=time.process_time, number=1)
