"""COBOL's lines and tokens: formats, comments, continuation, literals."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Token(NamedTuple):
    """A word (in upper case), a literal (without quotes), or a sign, and where it stands.

    kind: "word", "literal", "unclosed" (a literal without its end), "picture", "." or "sign".
    """

    kind: str
    text: str
    line: int
    is_first: bool

    @property
    def word(self) -> str:
        """Return the text, "" for a literal: words in it are no code."""
        return "" if self.kind in ("literal", "unclosed") else self.text


class Found(NamedTuple):
    """A fact without its file; subject: "" for the paragraph in which it stands."""

    kind: str
    object: str
    line: int
    subject: str = ""


END = Token("end", "", 0, False)
"""What stands behind the last token."""


class Card(NamedTuple):
    """A line without its sequence numbers; kind: "code", "continued" or "comment"."""

    kind: str
    text: str
    line: int
    width: int


@dataclass(slots=True)
class Scan:
    """The tokens of a file, the texts of its comments, and the lines that are only comment."""

    tokens: list[Token] = field(default_factory=list)
    comments: list[tuple[int, str]] = field(default_factory=list)
    comment_lines: set[int] = field(default_factory=set)


def words(text: str) -> frozenset[str]:
    """Return the words of *text*, for tables of COBOL's own words."""
    return frozenset(text.split())


_FREE = 0
_WIDTHS = {"FREE": _FREE, "FIXED": 72, "VARIABLE": 1_000_000_000}
_INDICATORS = frozenset(" *-/Dd$")
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

_LITERAL = r"""(?P<prefix>[XNGZBU]{0,2})(?:'(?P<single>[^']*+(?:''[^']*+)*+)'
    |"(?P<double>[^"]*+(?:""[^"]*+)*+)")"""
_COBOL = re.compile(
    rf"""[\s,;]*+(?:(?P<comment>\*>.*)|(?P<literal>{_LITERAL})
    |(?P<word>[+-]?(?:\d*\.)?\d++(?![\w$\#@:-])
       |(?:[\w$\#@]|:[\w-]++:)(?:[\w$\#@-]|:[\w-]++:)*+)
    |(?P<period>\.)|(?P<sign>==|\S))""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_SQL = re.compile(
    rf"""\s*+(?:(?P<comment>(?:\*>|--).*)|(?P<literal>{_LITERAL})
    |(?P<word>:?[\w$\#@][:\w$\#@-]*+(?:\.[:\w$\#@-]++)*+)
    |(?P<period>\.(?=\s|$))|(?P<sign>\S))""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_REST = {
    "'": re.compile(r"([^']*+(?:''[^']*+)*+)'"),
    '"': re.compile(r'([^"]*+(?:""[^"]*+)*+)"'),
}
_PICTURE = re.compile(r"\s*+(?:IS\s++(?=\S))?((?:(?!==)\S)++)", re.IGNORECASE)
_NAME = re.compile(r"[\w$#@-]+")


def scan(lines: Sequence[str]) -> Scan:
    """Return the tokens and comments of *lines*; takes any text."""
    scanner = _Scanner()
    for card in cards(lines):
        scanner.take(card)
    scanner.close_literal()
    return scanner.found


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of *text*, a piece of code on one line."""
    scanner = _Scanner()
    scanner.take(Card("code", text, 1, _FREE))
    scanner.close_literal()
    return scanner.found.tokens


def cards(lines: Sequence[str]) -> Iterator[Card]:
    """Yield the lines that are neither blank nor directives, in the format that holds there."""
    width = _FREE if is_free(lines) else _WIDTHS["FIXED"]
    for number, written in enumerate(lines, 1):
        line = written.expandtabs(8)
        directive = _FORMAT.match(line)
        if directive:
            width = _WIDTHS[directive[1].upper()]
        elif line.strip() and not _DIRECTIVE.match(line):
            kind, text = _free(line) if width == _FREE else _fixed(line, width)
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
    return "continued" if indicator == "-" else "code", text


def _is_comment_from_column_1(line: str) -> bool:
    """Return whether the line starts with an asterisk that is no part of a change mark."""
    return line[0] == "*" and not line[1:2].isalnum()


class _Scanner:
    """Takes one card after the other, and remembers what reaches over a line's end."""

    def __init__(self) -> None:
        self.found = Scan()
        self._open: list[str] = []  # the pieces of a literal whose end has not come yet
        self._opened = ("", 0, False)  # its quote, line, and whether it is first there
        self._is_sql = False
        self._wants_picture = False

    def take(self, card: Card) -> None:
        """Add the tokens, or the comment, of one line."""
        if card.kind == "comment":
            self.found.comment_lines.add(card.line)
            self.found.comments.append((card.line, card.text))
            return
        at = self._continue(card) if card.kind == "continued" else 0
        if card.kind == "code":
            self.close_literal()
        is_first = True
        while at < len(card.text):
            at = self._next(card, at, is_first)
            is_first = False

    def close_literal(self) -> None:
        """End a literal that nobody closed."""
        if self._open:
            _, line, is_first = self._opened
            self._add("unclosed", "".join(self._open), line, is_first)
            self._open.clear()

    def _continue(self, card: Card) -> int:
        """Join the card to the one before; return from where on it is read as usual."""
        at = len(card.text) - len(card.text.lstrip())
        if self._open:
            return self._continue_literal(card, at)
        tokens, rest = self.found.tokens, _NAME.match(card.text, at)
        if not (rest and tokens and tokens[-1].kind == "word"):
            return at
        last = tokens.pop()
        self._word(last.text + rest[0].upper(), last.line, last.is_first)
        return rest.end()

    def _continue_literal(self, card: Card, at: int) -> int:
        quote, line, is_first = self._opened
        at += card.text.startswith(quote, at)
        rest = _REST[quote].match(card.text, at)
        if not rest:
            self._open.append(_padded(card, at))
            return len(card.text)
        text = "".join([*self._open, rest[1]])
        self._open.clear()
        self._add("literal", text.replace(quote * 2, quote), line, is_first)
        return rest.end()

    def _next(self, card: Card, at: int, is_first: bool) -> int:
        """Add the token at *at*; return where the next one may start."""
        if self._wants_picture:
            picture = _PICTURE.match(card.text, at)
            if picture:
                return self._picture(picture, card.line, is_first)
        match = (_SQL if self._is_sql else _COBOL).match(card.text, at)
        if not match:
            return len(card.text)
        kind = match.lastgroup or ""
        if kind == "word":
            self._word(match["word"].upper(), card.line, is_first)
        elif kind == "comment":
            self.found.comments.append((card.line, match["comment"]))
        elif kind == "sign" and match["sign"] in _REST:
            self._open.append(_padded(card, match.end()))
            self._opened = (match["sign"], card.line, is_first)
            return len(card.text)
        elif kind == "literal":
            self._add("literal", _content(match), card.line, is_first)
        else:
            self._sign(match, card, is_first)
        return match.end()

    def _sign(self, match: re.Match[str], card: Card, is_first: bool) -> None:
        if match["period"]:
            self._is_sql = self._is_sql and bool(card.text[match.end() :].strip())
            self._add(".", ".", card.line, is_first)
        else:
            self._add("sign", match["sign"], card.line, is_first)

    def _word(self, text: str, line: int, is_first: bool) -> None:
        tokens = self.found.tokens
        if text == "SQL":
            self._is_sql = bool(tokens) and tokens[-1].text in ("EXEC", "EXECUTE")
        elif text in ("END-EXEC", "EXEC"):
            self._is_sql = False
        self._wants_picture = text in ("PIC", "PICTURE") and not self._is_sql
        self._add("word", text, line, is_first)

    def _picture(self, match: re.Match[str], line: int, is_first: bool) -> int:
        """Take the run of signs after PIC as one token; its last period ends the sentence."""
        text = match[1].rstrip(".,;").upper()
        self._wants_picture = text == "IS"
        if not text or text[0] in _REST or text == "IS":
            return match.start(1) + 2 * (text == "IS")
        self._add("picture", text, line, is_first)
        return match.start(1) + len(text)

    def _add(self, kind: str, text: str, line: int, is_first: bool) -> None:
        self.found.tokens.append(Token(kind, text, line, is_first))


def _padded(card: Card, at: int) -> str:
    """Return the card's rest up to column 72: the blanks there are part of a literal."""
    is_fixed = card.width == _WIDTHS["FIXED"]
    return (card.text.ljust(card.width - 7) if is_fixed else card.text)[at:]


def _content(match: re.Match[str]) -> str:
    """Return a literal without its quotes; one with a prefix, such as X'0D', as it is written."""
    if match["prefix"]:
        return match["literal"]
    if match["single"] is not None:
        return match["single"].replace("''", "'")
    return match["double"].replace('""', '"')
