"""SQL's text cut into statements, and these into tokens; comments apart.

By what SPUFI and DSNTEP2 take: statements end with a semicolon, comments are
`-- ...` and `/* ... */`, which do not nest.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from war_rig.readers.source import Problem, Unit, clipped

_PART_OF_NAME = r'(?:(?:[\w@#$&{}£§]|<\w++>)++|"(?:[^"\n]|"")*+")'  # <PLACEHOLDER>, too
_TOKEN = re.compile(
    rf"""(?P<comment>--[^\n]*+)
      | (?P<bracket>/\*)
      | (?P<literal>')
      | (?P<end>; | ^[ \t]*+(?:/|GO)[ \t]*+$ | (?<!\S)[@\#!$][ \t]*+$)
      | (?P<name>{_PART_OF_NAME}(?:\.++{_PART_OF_NAME})*+)
      | (?P<sign>\S)""",
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)
_LITERAL = re.compile(  # a semicolon before another statement: it was never closed
    r"'(?:[^';]|''|;(?![ \t]*+\n\s*+(?:ALTER|COMMENT|COMMIT|CREATE|DROP|GRANT|INSERT|LABEL)\b))*+'",
    re.IGNORECASE,
)
_NEEDLESS_QUOTES = re.compile(r'"([A-Z@#$][A-Z0-9@#$_]*)"')
_OBJECT = re.compile(
    "ALIAS|DATABASE|FUNCTION|INDEX|PROCEDURE|SCHEMA|SEQUENCE|STOGROUP|SYNONYM|TABLE|TABLESPACE"
    "|TRIGGER|TYPE|VARIABLE|VIEW"
)
_BEFORE_NAME = re.compile(
    f"{_OBJECT.pattern}|1|2|ALTER|AUX|AUXILIARY|COLUMN|COMMENT|CREATE|CURRENT|DECLARE|DELETE"
    "|DISTINCT|DROP|EXISTS|FROM|GLOBAL|IF|INSERT|INTO|LABEL|LARGE|LOB|LOCK|MERGE|NOT|NULL|ON|OR"
    "|REPLACE|SET|TEMPORARY|TRUNCATE|UNIQUE|UPDATE|WHERE"
)
_STATING = frozenset(("ALTER", "COMMENT", "CREATE", "DECLARE", "LABEL"))
_ROUTINES = frozenset(("FUNCTION", "PROCEDURE", "TRIGGER"))
_ENDED_BY_NAME = frozenset(("FOR", "IF", "LOOP", "REPEAT", "WHILE"))
_HEAD = 12  # how many words of other statements are looked at


@dataclass(frozen=True, slots=True)
class Token:
    """kind: name, literal, sign or end."""

    kind: str
    text: str
    line: int

    @property
    def word(self) -> str:
        return self.text.upper()

    @property
    def name(self) -> str:
        """The name as Db2 knows it: in upper case, in quotes only where it needs them."""
        name = _NEEDLESS_QUOTES.sub(r"\1", self.text)
        return name if '"' in name else name.upper()


@dataclass(frozen=True, slots=True)
class Statement:
    """tokens: all of a statement that may state facts, the first ones of another."""

    tokens: Sequence[Token]
    last: int

    @property
    def verb(self) -> str:
        return self.tokens[0].word

    @property
    def at(self) -> int:
        """The index of what the statement is about."""
        words = (token.word for token in self.tokens)
        return sum(1 for _ in takewhile(_BEFORE_NAME.fullmatch, words))

    @property
    def kind(self) -> str:
        """What kind of object it is about, "" where it does not say."""
        words = (token.word for token in reversed(self.tokens[: self.at]))
        return next((word for word in words if _OBJECT.fullmatch(word)), "")

    @property
    def name(self) -> str:
        return next((t.name for t in self.tokens[self.at :][:1] if t.kind == "name"), "")

    def unit(self, file: str) -> Unit:
        """Return its lines, named by what it creates, or by its first words."""
        first, kind = self.tokens[0].line, "definition" if self.verb == "CREATE" else "statement"
        words = [token.word for token in self.tokens[: self.at]]
        words = [self.kind or self.verb] if kind == "definition" else words
        name = " ".join(filter(None, (*words, self.name)))
        return Unit(file, clipped(name) or kind, kind, first, self.last)

    def said(self) -> Iterator[tuple[int, str]]:
        """Yield the lines of what it calls a table or column."""
        for before, token in pairwise(self.tokens if self.verb in ("COMMENT", "LABEL") else ()):
            if before.word == "IS" and token.kind == "literal":
                text = token.text.strip("'").replace("''", "'")
                yield from enumerate(text.split("\n"), token.line)

    def faults(self) -> Iterator[Problem]:
        depth = sum((token.text == "(") - (token.text == ")") for token in self.tokens)
        if depth > 0 and self.verb in _STATING:
            yield Problem(self.tokens[0].line, "a parenthesis is not closed")
        if self.verb == "CREATE" and not self.name:
            yield Problem(self.tokens[0].line, "CREATE names nothing")


class Scanner:
    """Cuts text into statements, and comments."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._are_comments_closed = True
        self.comments: list[tuple[int, str]] = []
        self.problems: list[Problem] = []

    def statements(self) -> Iterator[Statement]:
        tokens: list[Token] = []
        last, depth, before = 0, 0, ""
        for token in self._tokens():
            depth = _depth(depth, before, token.word, tokens)
            if token.kind == "end" and (token.text != ";" or depth == 0):
                if tokens:
                    yield Statement(tokens, token.line)
                tokens, depth, before = [], 0, ""
                continue
            if len(tokens) < _HEAD or tokens[0].word in _STATING:
                tokens.append(token)
            last, before = token.line + token.text.count("\n"), token.word
        if tokens:
            yield Statement(tokens, last)

    def _tokens(self) -> Iterator[Token]:
        at, line, counted = 0, 1, 0
        while found := _TOKEN.search(self._text, at):
            line += self._text.count("\n", counted, found.start())
            counted = found.start()
            kind = found.lastgroup or ""
            text = self._whole(kind, found[0], counted, line)
            at = counted + len(text)
            if kind in ("comment", "bracket"):
                self._comment(text, line)
            else:
                yield Token(kind, text, line)

    def _whole(self, kind: str, text: str, start: int, line: int) -> str:
        """Return the whole literal or comment; one that is not closed ends with its line."""
        if kind == "literal":
            literal = _LITERAL.match(self._text, start)
            return literal[0] if literal else self._unclosed("a quote", start, line)
        if kind == "bracket":
            end = self._text.find("*/", start + 2) if self._are_comments_closed else -1
            self._are_comments_closed = end >= 0  # else look for no further end in vain
            closed = self._text[start : end + 2]
            return closed if end >= 0 else self._unclosed("a comment", start, line)
        return text

    def _unclosed(self, what: str, start: int, line: int) -> str:
        self.problems.append(Problem(line, f"{what} is not closed"))
        end = self._text.find("\n", start)
        rest = self._text[start : end if end >= 0 else len(self._text)]
        return rest.rstrip().removesuffix(";")  # which may end the statement

    def _comment(self, text: str, line: int) -> None:
        if not text.startswith("--#"):  # which is for the program that takes the file
            bare = text.removeprefix("/*").removesuffix("*/")
            self.comments += enumerate(bare.split("\n"), line)


def _depth(depth: int, before: str, word: str, tokens: Sequence[Token]) -> int:
    """Return how many BEGIN and CASE of a routine are open at *word*: no semicolon ends it there.

    An END counts at the word after it, which says whether it ended an IF or a loop.
    """
    if depth == 0:
        words = [token.word for token in tokens[:_HEAD]] if word == "BEGIN" else []
        return int(words[:1] == ["CREATE"] and not _ROUTINES.isdisjoint(words))
    if before == "END" and word not in _ENDED_BY_NAME:
        depth -= 1
    return depth + (word == "BEGIN" or (word == "CASE" and before != "END"))
