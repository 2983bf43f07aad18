"""From JCL cards to statements: columns, continuation, in-stream data.

These follow the z/OS MVS JCL Reference; where JES2 and JES3 differ, JES2 is followed.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from war_rig.readers.source import Problem

_JES3 = re.compile(
    r"//\*(?:MAIN|FORMAT|(?:END)?DATASET|(?:END)?PROCESS|NET|NETACCT|OPERATOR|PAUSE|ROUTE)(?:\s|$)"
)
_SEQUENCE_NUMBER = re.compile(r"(?<=^.{72})\w*\d{3}\s*$", re.DOTALL)
_XMIT_DELIMITER = re.compile(r"\bDLM=(\S{2})")
_FIELD = re.compile(r"(?:[^\s']|'[^']*')*+")  # an operand field ends at a blank outside quotes
_TOKEN = re.compile(r"'[^']*'?|[(),]|[^'(),]+")
_KEYWORD = re.compile(r"([A-Z@#$][\w@#$.]*)=(.*)", re.IGNORECASE | re.DOTALL)
_THEN = re.compile(r"\bTHEN\b", re.IGNORECASE)
SILENT = re.compile(
    r"AFTER|BEFORE|CNTL|COMMAND|CONCURRENT|ENDCNTL|ENDGROUP|ENDSET|EXPORT|GDONE|GJOB|JOBGROUP"
    r"|JOBSET|NOTIFY|OUTPUT|PRINTDEV|SCHEDULE|SJOB|XMIT"
)
_OPERATION = re.compile(
    rf"JOB|PROC|EXEC|DD|SET|INCLUDE|JCLLIB|IF|ELSE|ENDIF|PEND|{SILENT.pattern}", re.IGNORECASE
)
# A statement behind ``//*``: an operation with an operand, or operands that go on.
_SWITCHED_OFF = re.compile(
    rf"""(?:[A-Z@\#$][\w@\#$.]*)?\s+(?:{_OPERATION.pattern})\s+
          (?:[A-Z@\#$][\w@\#$.]*=\S|(?:\*|DUMMY|DATA)(?:[,\s]|$))
      | \s*[A-Z@\#$][A-Z0-9@\#$.]*=(?:[^\s']|'[^']*(?:'|$))+\s*$""",
    re.VERBOSE,
)
LAST_COLUMN = 71
_LAST_OPERAND_COLUMN = 16


@dataclass(frozen=True, slots=True)
class Operand:
    """keyword: upper case, or "" for a positional operand; value: as written."""

    keyword: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Statement:
    """above: the first line of the comments directly above it, or its own.

    data: the in-stream lines after its last one; None where it announces none.
    """

    line: int
    last: int
    above: int
    name: str
    operation: str
    operands: Sequence[Operand]
    data: Sequence[str] | None

    def having(self, *keywords: str) -> Iterator[Operand]:
        return (o for o in self.operands if o.keyword in keywords and o.value)


class Scanner:
    """Cuts lines into statements, with their operands and in-stream data, and comments."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._at = 0  # the index of the next line, and so the number of the last one
        self._above = 0
        self._stray = -1
        self.comments: list[tuple[int, str]] = []
        self.problems: list[Problem] = []

    def statements(self) -> Iterator[Statement]:
        while self._at < len(self._lines):
            card = self._card(self._at)
            self._at += 1
            if card.startswith("//*") and not _JES3.match(card):
                self._comment(self._at)
            elif card.startswith("//") and card[2:3] != "*" and card[2:].strip():
                yield self._statement(card)
            elif card.strip():
                self._other(card)

    def _card(self, index: int) -> str:
        return self._lines[index][:LAST_COLUMN] if index < len(self._lines) else ""

    def _problem(self, line: int, text: str) -> None:
        self.problems.append(Problem(line, text))

    def _comment(self, line: int) -> None:
        self._above = self._above or line
        text = _SEQUENCE_NUMBER.sub("", self._lines[line - 1][:80])[3:]
        if not _SWITCHED_OFF.match(text):
            self.comments.append((line, text))

    def _other(self, card: str) -> None:
        """Take a null or JES statement, a delimiter, or what is none of them."""
        self._above = 0
        if card.startswith("/*XMIT"):
            self._data(_XMIT_DELIMITER.findall(card) or ["/*"])
        elif card.startswith("//*DATASET"):
            self._data(["//*ENDDATASET"])
        elif not card.startswith(("//", "/*")):
            if self._stray != self._at - 1:
                self._problem(self._at, "neither a statement nor in-stream data")
            self._stray = self._at

    def _statement(self, card: str) -> Statement:
        line, is_named = self._at, not card[2].isspace()
        words = card[2:].split(None, 2 if is_named else 1)
        name, operation, rest = [*([] if is_named else [""]), *words, "", ""][:3]
        operation = operation.upper()
        operands: list[Operand] = []
        if operation == "IF":
            operands = [Operand("", self._condition(rest), line)]
        elif _OPERATION.fullmatch(operation):
            operands = _operands(list(self._field(rest)))
        last, above = self._at, self._above or line
        self._above = above if operation in ("IF", "ELSE") else 0
        delimiters = _delimiters(operation, operands)
        data = self._data(delimiters) if delimiters else None
        return Statement(line, last, above, name.upper(), operation, operands, data)

    def _condition(self, rest: str) -> str:
        """Return the expression of an IF, which ends with THEN, maybe on a later line."""
        line, pieces = self._at, [rest]
        while not (then := _THEN.search(pieces[-1])) and self._is_continued():
            pieces.append(self._card(self._at)[2:])
            self._at += 1
        if then:
            pieces[-1] = pieces[-1][: then.start()]
        else:
            self._problem(line, "IF without THEN")
        return " ".join(" ".join(pieces).split())

    def _is_continued(self) -> bool:
        """Return whether the next line has text but neither a name nor an operation."""
        words = self._card(self._at)[2:].split()
        return _is_nameless(self._card(self._at)) and not _OPERATION.fullmatch(words[0])

    def _field(self, rest: str) -> Iterator[tuple[int, str]]:
        """Yield the pieces of the operand field, each with its line."""
        line, quote = self._at, ""
        text: str | None = rest
        while text is not None:
            after = _FIELD.sub("", quote + text, count=1)
            if after.startswith("'"):  # a quote is open: it goes on in column 16
                yield self._at, text + " " * (LAST_COLUMN - len(self._card(self._at - 1)))
                quote, text = "'", self._quoted(line)
            else:
                piece = text[: len(text) - len(after)]
                yield self._at, piece
                quote, text = "", self._continuation() if piece.endswith(",") else None
        while self._lines[self._at - 1][LAST_COLUMN:][:1].strip() and self._is_continued():
            self._at += 1  # a comment field that goes on

    def _quoted(self, line: int) -> str | None:
        card, column = self._card(self._at), _LAST_OPERAND_COLUMN - 1
        if card[:column].rstrip() != "//" or not card[column:].strip():
            self._problem(line, "a quote is not closed")
            return None
        self._at += 1
        return card[column:]

    def _continuation(self) -> str | None:
        line = at = self._at
        while self._card(at).startswith("//*"):
            at += 1
        card = self._card(at)
        if not _is_nameless(card):
            if card.rstrip() != "//":  # which ends a statement in good order
                self._problem(line, "the operands end in a comma and do not go on")
            return None
        for comment in range(self._at, at):
            self._comment(comment + 1)
        self._at = at + 1
        text = card[2:].lstrip()
        if len(card) - len(text) >= _LAST_OPERAND_COLUMN:
            self._problem(self._at, "operands that go on must begin in columns 4 to 16")
        return text

    def _data(self, delimiters: Sequence[str]) -> Sequence[str]:
        first, ends = self._at, tuple(delimiters)
        while self._at < len(self._lines) and not self._lines[self._at].startswith(ends):
            self._at += 1
        data = self._lines[first : self._at]
        if not ("//" in ends and self._card(self._at).startswith("//")):
            self._at += 1  # the delimiter; // is the next statement
        return data


def _is_nameless(card: str) -> bool:
    return card.startswith("//") and card[2:3].isspace() and bool(card[2:].strip())


def _operands(pieces: Sequence[tuple[int, str]]) -> list[Operand]:
    starts = list(accumulate((len(piece) for _, piece in pieces[:-1]), initial=0))
    text = "".join(piece for _, piece in pieces)
    found = []
    for start, operand in _split(text):
        match = _KEYWORD.fullmatch(operand)
        keyword, value = (match[1].upper(), match[2]) if match else ("", operand)
        items = [(0, value)]
        if keyword == "ORDER" and value.startswith("("):  # the items of a list, on their lines
            items = [(1 + offset, item) for offset, item in _split(value[1:].rstrip(")"))]
        for offset, item in items:
            at = start + len(operand) - len(value) + offset
            found.append(Operand(keyword, item, pieces[bisect_right(starts, at) - 1][0]))
    return found


def _split(text: str) -> Iterator[tuple[int, str]]:
    """Yield what commas part outside quotes and parentheses, each with its offset."""
    start = depth = 0
    for token in _TOKEN.finditer(text):
        if token[0] == "," and depth == 0:
            yield start, text[start : token.start()]
            start = token.end()
        depth = max(0, depth + (token[0] == "(") - (token[0] == ")"))
    yield start, text[start:]


def _delimiters(operation: str, operands: Iterable[Operand]) -> list[str]:
    """Return what ends the in-stream data that follow; nothing where none do."""
    positional = {operand.value.upper() for operand in operands if not operand.keyword}
    is_star = operation == "DD" and "*" in positional
    if not (is_star or operation == "XMIT" or (operation == "DD" and "DATA" in positional)):
        return []
    named = [bare(operand.value) for operand in operands if operand.keyword == "DLM"]
    return [*(list(filter(None, named)) or ["/*"]), *(["//"] if is_star else [])]


def bare(value: str) -> str:
    """Return *value* without the quotes around it."""
    is_quoted = len(value) > 1 and value[0] == value[-1] == "'"
    return value[1:-1] if is_quoted else value
