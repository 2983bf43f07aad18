"""Cards of 80 columns: what numbers them, and what of them is code."""

import re
from collections.abc import Iterable, Iterator

LAST_COLUMN = 72
"""Behind it no text goes on."""

_SEQUENCE_NUMBER = re.compile(r"^\d{6}(?!\d)|(?<=\W)\d{8}\s*$", re.MULTILINE)
_COBOL = re.compile(r"(?:[\d ]{6}|(?=[A-Z]{1,4}\d{2,5})\w{6})(?:[ *\-/]|[dD](?![A-Za-z])|$)")
_COBOL_ENDS = re.compile(r"\w{0,5}\d{3,8}\s*|(?<= )\w{8}")  # in columns 73-80
_COMMENTS = {"JCL": "//*", "BMS": "*", "CSD": "*"}
_COMMENT = ("*", "/*")  # in assembler, and in control cards
_LAST_OF_CODE = 71  # in JCL, BMS and CSD


def sequence_numbers(text: str) -> list[str]:
    """Return the numbers in columns 1-6, and in 73-80, of the lines of *text*."""
    return [found.strip() for found in _SEQUENCE_NUMBER.findall(text)]


def without_sequence_numbers(text: str) -> str:
    """Return *text* without them: they are no part of what runs over its lines."""
    return _SEQUENCE_NUMBER.sub(" ", text)


def cobol_of(line: str, is_free: bool = False) -> str:
    """Return a line of COBOL without what stands before and behind its code; "" for a comment.

    It is to be quoted: what is no number stays, where ``cobol_lines.cards`` counts columns.
    """
    if not is_free and _COBOL.match(line):
        has_end = _COBOL_ENDS.fullmatch(line, LAST_COLUMN)
        line = line[6:LAST_COLUMN] if has_end else line[6:]
        line = "" if line[:1] in ("*", "/") else line[1:]
    text = line.strip()
    return "" if text.startswith("*") else text


def code_in(lines: Iterable[str], language: str) -> Iterator[str]:
    """Yield *lines* of another language without its comments, and without the end of a card."""
    for line in lines:
        if not line.startswith(_COMMENTS.get(language, _COMMENT)):
            yield (line[:_LAST_OF_CODE] if language in _COMMENTS else line).strip()
