"""The DDL reader: tables with their columns and keys, indexes and views, in any file of SQL.

By the Db2 for z/OS SQL Reference and what SPUFI and DSNTEP2 take: statements
end with a semicolon, comments are `-- ...` and `/* ... */`, which do not nest.
Statements that define nothing are read too; they are units without parts.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise, takewhile
from pathlib import PurePosixPath

from war_rig.readers.blocks import comment_facts, groups, pieces, stretched, told_apart
from war_rig.readers.source import Fact, Problem, Reading, Source, Unit, clipped

_SEQUENCE_NUMBER = re.compile(r"(?<=^.{72})\d{8}\s*$", re.DOTALL)
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
_FIRST = re.compile(
    r"""(?:\s | --[^\n]*+ | /\*(?:[^*]|\*(?!/))*+\*/)*+
        (?:CREATE\s+(?:(?:AUX\w*|GLOBAL|LARGE|LOB|NOT|NULL|OR|REPLACE|TEMPORARY|TYPE|UNIQUE|WHERE
            |[12])\s+){0,6}(?:ALIAS|DATABASE|INDEX|STOGROUP|TABLE|TABLESPACE|VIEW)\s
          |ALTER\s+TABLE\s | DROP\s+(?:INDEX|TABLE|TABLESPACE|VIEW)\s
          |INSERT\s+INTO\s+[\w.@#$"]+\s*(?:\(|SELECT\s|VALUES\s)
          |(?:COMMENT|LABEL)\s+ON\s | SET\s+CURRENT\s+(?:SQLID|SCHEMA)\b)""",
    re.VERBOSE | re.IGNORECASE,
)
_LINES_LOOKED_AT = 200
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
_NO_COLUMN = re.compile("CLONE|CONSTRAINT|LIKE")
_NO_TYPE = re.compile(
    r"BUSINESS_TIME|BY|ENDING|FOR|FROM|KEY|ON|QUERY|SYSTEM_TIME|USE|USING|\d.*", re.DOTALL
)
_AFTER_TYPE = re.compile(
    "ADD|ALTER|AS|CCSID|CHECK|COLLATE|COMPRESS|CONSTRAINT|DEFAULT|DROP|FIELDPROC|GENERATED"
    "|IMPLICITLY|INLINE|NOT|NULL|PRIMARY|REFERENCES|SECURED|UNIQUE"
)
_AROUND_SIGNS = re.compile(r" ?([(,]) ?| (?=\))")
_HEAD = 12  # how many words of other statements are looked at


class DdlReader:
    """Reads SQL files; a unit is a group of neighbouring statements."""

    language = "SQL"

    def reads(self, source: Source) -> bool:
        """Return whether the suffix, or what follows the first comments, is that of DDL."""
        if PurePosixPath(source.file).suffix.lower() in (".sql", ".ddl"):
            return True
        return _FIRST.match("\n".join(source.lines[:_LINES_LOOKED_AT])) is not None

    def read(self, source: Source) -> Reading:
        """Return groups of statements as units; each CREATE is a part."""
        scanner = _Scanner("\n".join(_SEQUENCE_NUMBER.sub("", line) for line in source.lines))
        spans: list[Unit] = []
        facts: list[Fact] = []
        for statement in scanner.statements():
            spans.append(statement.unit(source.file))
            facts += _facts(source.file, statement)
            scanner.comments += statement.said()
            scanner.problems += statement.faults()
        blocks = stretched(source, spans, "statement")
        cuts = sorted({fact.line for fact in facts} | {span.first for span in spans})
        parts = pieces(source, blocks, cuts)
        facts += comment_facts(source, blocks, scanner.comments)
        return Reading(
            told_apart(groups(parts, "statement")),
            tuple(sorted(facts, key=lambda fact: fact.line)),
            told_apart(part for part in parts if part.kind == "definition"),
            tuple(sorted(scanner.problems, key=lambda problem: problem.line)),
        )


@dataclass(frozen=True, slots=True)
class _Token:
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
class _Statement:
    """tokens: all of a statement that may state facts, the first ones of another."""

    tokens: Sequence[_Token]
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


class _Scanner:
    """Cuts text into statements, and comments."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._are_comments_closed = True
        self.comments: list[tuple[int, str]] = []
        self.problems: list[Problem] = []

    def statements(self) -> Iterator[_Statement]:
        tokens: list[_Token] = []
        last, depth, before = 0, 0, ""
        for token in self._tokens():
            depth = _depth(depth, before, token.word, tokens)
            if token.kind == "end" and (token.text != ";" or depth == 0):
                if tokens:
                    yield _Statement(tokens, token.line)
                tokens, depth, before = [], 0, ""
                continue
            if len(tokens) < _HEAD or tokens[0].word in _STATING:
                tokens.append(token)
            last, before = token.line + token.text.count("\n"), token.word
        if tokens:
            yield _Statement(tokens, last)

    def _tokens(self) -> Iterator[_Token]:
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
                yield _Token(kind, text, line)

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


def _depth(depth: int, before: str, word: str, tokens: Sequence[_Token]) -> int:
    """Return how many BEGIN and CASE of a routine are open at *word*: no semicolon ends it there.

    An END counts at the word after it, which says whether it ended an IF or a loop.
    """
    if depth == 0:
        words = [token.word for token in tokens[:_HEAD]] if word == "BEGIN" else []
        return int(words[:1] == ["CREATE"] and not _ROUTINES.isdisjoint(words))
    if before == "END" and word not in _ENDED_BY_NAME:
        depth -= 1
    return depth + (word == "BEGIN" or (word == "CASE" and before != "END"))


def _outside(tokens: Iterable[_Token]) -> Iterator[tuple[_Token, bool]]:
    """Yield each token, and whether it is outside parentheses, which are outside themselves."""
    depth = 0
    for token in tokens:
        depth = max(0, depth - (token.text == ")"))
        yield token, depth == 0
        depth += token.text == "("


def _inside(tokens: Sequence[_Token], at: int = 0) -> Iterator[_Token]:
    """Yield what stands in the parentheses that open at *at*, if they do."""
    for token, is_outside in _outside(islice(tokens, at, None)):
        if not is_outside:
            yield token
        elif token.text != "(":
            return


def _split(tokens: Iterable[_Token], separator: str) -> Iterator[list[_Token]]:
    """Yield what *separator* parts outside parentheses, as far as there is something."""
    found: list[_Token] = []
    for token, is_outside in _outside(tokens):
        if is_outside and token.word == separator:
            if found:
                yield found
            found = []
        else:
            found.append(token)
    if found:
        yield found


def _facts(file: str, statement: _Statement) -> Iterator[Fact]:
    name, kind, rest = statement.name, statement.kind, statement.tokens[statement.at + 1 :]
    is_new = statement.verb in ("CREATE", "DECLARE")
    if not name or not (is_new or statement.verb == "ALTER"):
        return
    if is_new and kind in ("INDEX", "TABLE", "VIEW"):
        tables = (token.name for before, token in pairwise(rest) if before.word == "ON")
        subject = next(tables, "") if kind == "INDEX" else name
        yield Fact(kind.lower(), subject, name, file, statement.tokens[statement.at].line)
    if kind == "TABLE":
        elements = _split(_inside(rest), ",") if is_new else _split(rest, "ADD")
        for number, element in enumerate(elements):
            is_added = is_new or number > 0 or rest[0].word == "ADD"
            yield from _element_facts(file, name, element, is_added)


def _element_facts(file: str, table: str, element: list[_Token], is_added: bool) -> Iterator[Fact]:
    """Yield what an element of a table states: a column, a key or both."""
    element = element[element[0].word == "COLUMN" :]
    is_column = is_added and _is_column(element)
    if is_column:
        yield Fact("column", table, clipped(_column(element)), file, element[0].line)
    words = [token.word for token in element]
    at = next((n for n, two in enumerate(pairwise(words)) if two == ("PRIMARY", "KEY")), None)
    if at is not None:
        columns = [column[0].name for column in _split(_inside(element, at + 2), ",")]
        columns = columns or [element[0].name] * is_column
        if columns:
            yield Fact("primary-key", table, clipped(", ".join(columns)), file, element[at].line)
    if "REFERENCES" in words[:-1]:
        referenced = element[words.index("REFERENCES") + 1]
        yield Fact("foreign-key", table, referenced.name, file, referenced.line)


def _is_column(element: Sequence[_Token]) -> bool:
    if [token.kind for token in element[:2]] != ["name", "name"]:
        return False
    name, of_type = (token.word for token in element[:2])
    return not (_NO_COLUMN.fullmatch(name) or _NO_TYPE.fullmatch(of_type))


def _column(element: Sequence[_Token]) -> str:
    """Return name, type, and NOT NULL where the column says so."""
    words = [element[0].name]
    top = [token for token, is_outside in _outside(element) if is_outside]
    for token, following in pairwise([*element[1:], element[0]]):
        is_zone = token.word == "WITH" and following.word == "TIME"
        if _AFTER_TYPE.fullmatch(token.word) or (token.word == "WITH" and not is_zone):
            break
        words.append(token.name)
    of_type = _AROUND_SIGNS.sub(r"\1", " ".join(words))
    is_not_null = any((a.word, b.word) == ("NOT", "NULL") for a, b in pairwise(top))
    return f"{of_type} NOT NULL" if is_not_null else of_type
