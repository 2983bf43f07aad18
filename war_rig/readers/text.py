"""The plain-text reader: for every file that no other reader knows.

Its units are windows of lines, cut at blank lines; its facts are the lines
that look like comments.
"""

import re
from collections.abc import Iterator, Sequence

from war_rig.readers.comments import telling
from war_rig.readers.source import Fact, Reading, Source, Unit, clipped

_LONGEST = 300
_COMMENT = re.compile(
    r"""^(?:\d{6}|.{6}(?=\*))?\s*        # a sequence number, as in fixed-format COBOL
        (?:\#+(?!\s*(?:include|define|undef|if|ifdef|ifndef|elif|else|endif|pragma|!)\b|!)
          |//\*?(?=\s|$)|--+(?=\s|$)|;+|/?\*+>?(?=\s|$)|REM\b|<!--|[rRbBuU]{0,2}\"\"\")
        \s*(?P<text>.*?)[\s*]*(?:/|-->|\"\"\")?(?:(?<=\W)\d{8}\s*)?$  # ... or columns 73-80""",
    re.VERBOSE,
)

_SWITCHED_OFF = re.compile(  # of assembler: an operation, and operands without a blank
    r"\*[ ]{3,}[A-Z]{1,8}(?:[ ]+[^\s,]+(?:,[^\s,]+)+|[ ]{2,}[A-Z0-9@#$]+)\s*"
)


class TextReader:
    """Reads any text; a unit has at most *unit_lines* lines."""

    language = "text"

    def __init__(self, unit_lines: int = 60) -> None:
        self._unit_lines = unit_lines

    def reads(self, source: Source) -> bool:
        """Return True: this is the reader of last resort."""
        return True

    def read(self, source: Source) -> Reading:
        """Return windows of lines as units; a file without any text has none."""
        units = tuple(
            Unit(source.file, f"lines {first}-{last}", "lines", first, last)
            for first, last in self._windows(source.lines)
        )
        return Reading(units, tuple(fact for unit in units for fact in _facts(source, unit)))

    def _windows(self, lines: Sequence[str]) -> Iterator[tuple[int, int]]:
        first = 1
        while (first := _next_text(lines, first)) <= len(lines):
            end = min(first + self._unit_lines, len(lines) + 1)
            if end <= len(lines):
                end = _last_blank(lines, first, end) or end
            last = end - 1
            while not lines[last - 1].strip():
                last -= 1
            yield first, last
            first = end


def _next_text(lines: Sequence[str], line: int) -> int:
    while line <= len(lines) and not lines[line - 1].strip():
        line += 1
    return line


def _last_blank(lines: Sequence[str], first: int, end: int) -> int | None:
    """Return the last blank line before *end* in the window's second half."""
    for line in range(end, first + (end - first) // 2, -1):
        if not lines[line - 1].strip():
            return line
    return None


def _facts(source: Source, unit: Unit) -> Iterator[Fact]:
    lines = (clipped(line, _LONGEST) for line in source.lines[unit.first - 1 : unit.last])
    found = (None if _SWITCHED_OFF.fullmatch(line) else _COMMENT.match(line) for line in lines)
    comments = ((n, match["text"]) for n, match in enumerate(found, unit.first) if match)
    for line, text in telling(comments):
        yield Fact("comment", unit.name, text, source.file, line)
