"""COBOL's lines as cards: formats, sequence numbers, comments, and lines for debugging."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

FREE, FIXED = 0, 72
"""The width of a card in free format, which has no columns, and in fixed format."""

_WIDTHS = {"FREE": FREE, "FIXED": FIXED, "VARIABLE": 1_000_000_000}
_INDICATORS = frozenset(" *-/Dd$")
_KINDS = {"-": "continued", "D": "debugging", "d": "debugging"}
_FORMAT = re.compile(
    r"\s*(?:\d{6}\s*)?(?:>>\s*SOURCE(?:\s+FORMAT)?(?:\s+IS)?|\$SET\s+SOURCEFORMAT)"
    r"[\s('\"]*(FREE|FIXED|VARIABLE)",
    re.IGNORECASE,
)
_DIRECTIVE = re.compile(r"\s*(?:>>|\$[A-Za-z])")
_HEADER = re.compile(
    r"\s*(?:(?:ID|IDENTIFICATION|ENVIRONMENT|DATA|PROCEDURE)\s+DIVISION|PROGRAM-ID)\b",
    re.IGNORECASE,
)
_LONGEST_HEAD = 200


class Card(NamedTuple):
    """A line without its sequence numbers.

    kind: "code", "continued", "comment" or "debugging", which is code only in debugging mode.
    """

    kind: str
    text: str
    line: int
    width: int

    @property
    def begins_in_area_a(self) -> bool:
        """Return whether its text begins where only headers and the names of paragraphs do."""
        return self.width != FREE and not self.text[:4].isspace()


def cards(lines: Sequence[str]) -> Iterator[Card]:
    """Yield the lines that are neither blank nor directives, in the format that holds there."""
    width = FREE if is_free(lines) else FIXED
    for number, written in enumerate(lines, 1):
        line = written.expandtabs(8)
        directive = _FORMAT.match(line)
        if directive:
            width = _WIDTHS[directive[1].upper()]
        elif line.strip() and not _DIRECTIVE.match(line):
            kind, text = _free(line) if width == FREE else _fixed(line, width)
            if text.strip() or kind == "comment":
                yield Card(kind, text, number, width)


def is_free(lines: Sequence[str]) -> bool:
    """Return whether code stands before column 8: in a division's header, else in most lines."""
    heads = [line[:_LONGEST_HEAD].expandtabs(8) for line in lines]
    for head in heads:
        header = _HEADER.match(head)
        if header:
            return len(head) - len(head.lstrip()) < 7
    votes = [_is_free_only(head) for head in heads if head.strip()]
    return sum(votes) * 2 > len(votes)


def _is_free_only(line: str) -> bool:
    """Return whether column 7 holds what is no indicator."""
    return line.lstrip().startswith("*>") or line.ljust(7)[6] not in _INDICATORS or len(line) < 7


def _free(line: str) -> tuple[str, str]:
    text = line.lstrip()
    if text.startswith("*>") or line.startswith("* "):
        return "comment", text
    return "code", line


def _fixed(line: str, width: int) -> tuple[str, str]:
    indicator, text = line[6:7], line[7:width]
    if indicator in ("*", "/") or _is_comment_from_column_1(line):
        return "comment", text if indicator in ("*", "/") else line[:width]
    if text.lstrip().startswith("*>"):
        return "comment", text
    return _KINDS.get(indicator, "code"), text


def _is_comment_from_column_1(line: str) -> bool:
    """Return whether the line starts with an asterisk that is no part of a change mark."""
    return line[0] == "*" and not line[1:2].isalnum()
