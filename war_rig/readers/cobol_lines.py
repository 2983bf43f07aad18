"""COBOL's tokens: continuation, literals, comments and notes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from war_rig.readers.cobol_cards import FIXED, FREE, Card, cards


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


@dataclass(slots=True)
class Scan:
    """The tokens of a file, the texts of its comments, and the lines that are only comment."""

    tokens: list[Token] = field(default_factory=list)
    comments: list[tuple[int, str]] = field(default_factory=list)
    comment_lines: set[int] = field(default_factory=set)


def words(text: str) -> frozenset[str]:
    """Return the words of *text*, for tables of COBOL's own words."""
    return frozenset(text.split())


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
_NO_NOTE = re.compile(r"\s*(?:\.|SECTION\b)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"\.(?=\s|$)")


def scan(lines: Sequence[str]) -> Scan:
    """Return the tokens and comments of *lines*; takes any text.

    A line for debugging is neither, but for a program in debugging mode.
    """
    scanner = _Scanner()
    mode = _DebuggingMode(scanner.found.tokens)
    for card in cards(lines):
        if card.kind != "debugging":
            scanner.take(card)
        elif mode.is_on():
            scanner.take(card._replace(kind="code"))
    scanner.close_literal()
    return scanner.found


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of *text*, a piece of code on one line."""
    scanner = _Scanner()
    scanner.take(Card("code", text, 1, FREE))
    scanner.close_literal()
    return scanner.found.tokens


class _DebuggingMode:
    """Whether lines for debugging are code behind *tokens*, to which others come.

    So says SOURCE-COMPUTER, of a program and of those that it contains.
    """

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0  # how many were looked at
        self._last = ""
        self._open = 0  # how many programs are open
        self._is_on = False

    def is_on(self) -> bool:
        """Return whether it is on behind the last token."""
        for token in islice(self._tokens, self._at, None):
            before, self._last = self._last, token.word
            if self._last == "PROGRAM-ID":
                self._open += 1
            elif (before, self._last) == ("END", "PROGRAM"):
                self._open = max(0, self._open - 1)
                self._is_on = self._is_on and self._open > 0
            elif (before, self._last) == ("DEBUGGING", "MODE"):
                self._is_on = True
        self._at = len(self._tokens)
        return self._is_on


class _Scanner:
    """Takes one card after the other, and remembers what reaches over a line's end."""

    def __init__(self) -> None:
        self.found = Scan()
        self._open: list[str] = []  # the pieces of a literal whose end has not come yet
        self._opened = ("", 0, False)  # its quote, line, and whether it is first there
        self._is_sql = False
        self._wants_picture = False
        self._header = 0  # how many tokens stand before the last line that begins in area A
        self._note = ""  # what is a note up to its end: a "sentence", a "paragraph" or nothing

    def take(self, card: Card) -> None:
        """Add the tokens, or the comment, of one line."""
        if card.kind == "comment":
            self.found.comment_lines.add(card.line)
            self.found.comments.append((card.line, card.text))
            return
        if card.begins_in_area_a:
            self._note, self._header = "", len(self.found.tokens)
        at = self._continue(card) if card.kind == "continued" else self._take_note(card, 0)
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
        if kind == "word" and self._begins_note(match, card):
            return self._take_note(card, match.end())
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

    def _begins_note(self, match: re.Match[str], card: Card) -> bool:
        """Return whether the word is the NOTE of old, and if so remember what is a note."""
        if match["word"].upper() != "NOTE" or card.width == FREE or self._is_sql:
            return False
        before = self.found.tokens[self._header :]
        if not (before and before[-1].kind == ".") or _NO_NOTE.match(card.text, match.end()):
            return False
        is_first = len(before) < 4 and "." not in [token.text for token in before[:-1]]
        self._note = "paragraph" if is_first else "sentence"
        return True

    def _take_note(self, card: Card, at: int) -> int:
        """Add what is a note of the card from *at* on to the comments; return where that ends."""
        if not self._note:
            return at
        is_sentence = self._note == "sentence"
        end = _SENTENCE_END.search(card.text, at) if is_sentence else None
        self.found.comments.append((card.line, card.text[at : end.end() if end else None]))
        self._note = "" if end else self._note
        return end.end() if end else len(card.text)

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
    return (card.text.ljust(FIXED - 7) if card.width == FIXED else card.text)[at:]


def _content(match: re.Match[str]) -> str:
    """Return a literal without its quotes; one with a prefix, such as X'0D', as it is written."""
    if match["prefix"]:
        return match["literal"]
    if match["single"] is not None:
        return match["single"].replace("''", "'")
    return match["double"].replace('""', '"')
