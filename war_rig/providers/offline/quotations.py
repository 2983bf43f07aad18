"""Comments as quotations of the offline provider: what says what the code is for, and no more.

Licences, version stamps, logs of changes and the commands of generators say nothing of that.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

LONGEST_QUOTE = 200

Quote = tuple[int, int, str]
"""The first and the last line, and the text without quotation marks around it."""

_LEGAL = re.compile(
    r"copyright|all rights reserved|\bspdx-|\blicen[cs]ed (?:under|to|materials)|licenses?/"
    r"|(?:under|of|with|see) the licen[cs]e\b(?! (?:number|fee))|permission is hereby",
    re.IGNORECASE,
)
_ON_RIGHTS = re.compile(r"licen[cs]e|warrant|applicable law|\bas is\b|liab", re.IGNORECASE)
_LOG = re.compile(
    r"(?:\d{4}|\d\d?)[-/.]\d\d?[-/.](?:\d{4}|\d\d)\s+(?!IS |AND |TO |OR )[A-Z]{2,3}\s"
)
_GENERATED = re.compile(
    r"DCLGEN TABLE\(|.*IS THE DCLGEN COMMAND|.*NUMBER OF COLUMNS DESCRIBED BY THIS", re.IGNORECASE
)
_SPACED = re.compile(r"(?:[A-Z] +){4}[A-Z]\b")  # T I M E S
_STAMP = re.compile(r"ver(?:sion)?\s*[:.]?\s*\S*\d\S*.*\bdate\b|\$(?:id|revision)\b", re.IGNORECASE)
_LABEL = re.compile(r"[A-Z][\w /-]{1,20}?\s*:\s", re.IGNORECASE)
_TELLING = re.compile(r"(?:function|purpose|description|abstract)\s*:\s*(?=\w)", re.IGNORECASE)
_DRAWN = re.compile(r"\s*[*=_#-]{4,}\s*")
_NEAR = 3
_PAUSES = (
    (re.compile(r"(?<!\.\w)[.!?][)'\"]*(?=\s|$)"), 60, ""),  # of a sentence, not of "e.g."
    (re.compile(r"[,;](?=\s|$)"), 120, " ..."),  # of a clause
)
"""Where a quotation that is cut may end, from which length on, and what stands for the rest."""


def is_legal(text: str) -> bool:
    """Return whether a comment is about rights, and says nothing of what the code is for."""
    return _LEGAL.search(text) is not None


def quotes(comments: Sequence[dict[str, Any]]) -> Iterator[Quote]:
    """Yield runs of *comments* on neighbouring lines, without what says nothing of the code."""
    legal_until = -_NEAR
    for run in _runs(comments):
        is_near = run[0]["line"] - legal_until <= _NEAR
        kept = []
        for comment in run:
            if is_legal(comment["text"]) or (is_near and _ON_RIGHTS.search(comment["text"])):
                legal_until = run[-1]["line"]
                break
            if _LOG.match(comment["text"]) or _GENERATED.match(comment["text"]):
                break
            kept.append(comment)
        yield from _quoted(kept)


def _quoted(run: list[dict[str, Any]]) -> Iterator[Quote]:
    """Yield the quotations of *run*, without stamps of versions and headings in spaced letters."""
    silent = (_STAMP, _SPACED)
    kept = [c for c in run if not any(form.match(c["text"]) for form in silent)]
    for part in _runs(_from_label(kept)):
        yield quote(part)


def _runs(comments: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    run: list[dict[str, Any]] = []
    for comment, following in pairwise([*comments, {"line": -1, "text": ""}]):
        run.append(comment)
        if following["line"] != comment["line"] + 1:
            yield run
            run = []


def _from_label(run: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what stands behind "Function:" in the head of a program, else all of *run*."""
    for place, comment in enumerate(run):
        label = _TELLING.match(comment["text"])
        if label and place:
            return [comment | {"text": comment["text"][label.end() :]}, *run[place + 1 :]]
        if not _LABEL.match(comment["text"]):
            break
    return run


def quote(run: Sequence[dict[str, Any]]) -> Quote:
    """Return as much of the run as fits into a quotation, whole lines unless it has to be cut."""
    text, ends = "", {}
    for comment in run:
        longer = f"{text} {_DRAWN.sub(' ', comment['text'])}".strip()
        if text and len(longer) > LONGEST_QUOTE:
            break
        text, ends[comment["line"]] = longer, len(longer)
    size, mark = _pause(text) if len(ends) < len(run) else (len(text), "")
    last = next(line for line, end in ends.items() if end >= size)
    return run[0]["line"], last, text[:size].replace('"', "'") + mark


def _pause(text: str) -> tuple[int, str]:
    """Return how much of *text*, which goes on, to quote, and what stands for the rest."""
    for end, shortest, mark in _PAUSES:
        found = [match.end() for match in end.finditer(text) if match.end() >= shortest]
        if found:
            return found[-1], mark
    return len(text), " ..."
