"""The DDL reader: tables with their columns and keys, indexes and views, in any file of SQL.

By the Db2 for z/OS SQL Reference. Statements that define nothing are read too;
they are units without parts.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import PurePosixPath

from war_rig.readers.blocks import comment_facts, groups, pieces, stretched, told_apart
from war_rig.readers.ddl_statements import Scanner, Statement, Token
from war_rig.readers.source import Fact, Reading, Source, Unit, clipped

_SEQUENCE_NUMBER = re.compile(r"(?<=^.{72})\d{8}\s*$", re.DOTALL)
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
_NO_COLUMN = re.compile("CLONE|CONSTRAINT|LIKE")
_NO_TYPE = re.compile(
    r"BUSINESS_TIME|BY|ENDING|FOR|FROM|KEY|ON|QUERY|SYSTEM_TIME|USE|USING|\d.*", re.DOTALL
)
_AFTER_TYPE = re.compile(
    "ADD|ALTER|AS|CCSID|CHECK|COLLATE|COMPRESS|CONSTRAINT|DEFAULT|DROP|FIELDPROC|GENERATED"
    "|IMPLICITLY|INLINE|NOT|NULL|PRIMARY|REFERENCES|SECURED|UNIQUE"
)
_AROUND_SIGNS = re.compile(r" ?([(,]) ?| (?=\))")


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
        scanner = Scanner("\n".join(_SEQUENCE_NUMBER.sub("", line) for line in source.lines))
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


def _outside(tokens: Iterable[Token]) -> Iterator[tuple[Token, bool]]:
    """Yield each token, and whether it is outside parentheses, which are outside themselves."""
    depth = 0
    for token in tokens:
        depth = max(0, depth - (token.text == ")"))
        yield token, depth == 0
        depth += token.text == "("


def _inside(tokens: Sequence[Token], at: int = 0) -> Iterator[Token]:
    """Yield what stands in the parentheses that open at *at*, if they do."""
    for token, is_outside in _outside(islice(tokens, at, None)):
        if not is_outside:
            yield token
        elif token.text != "(":
            return


def _split(tokens: Iterable[Token], separator: str) -> Iterator[list[Token]]:
    """Yield what *separator* parts outside parentheses, as far as there is something."""
    found: list[Token] = []
    for token, is_outside in _outside(tokens):
        if is_outside and token.word == separator:
            if found:
                yield found
            found = []
        else:
            found.append(token)
    if found:
        yield found


def _facts(file: str, statement: Statement) -> Iterator[Fact]:
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


def _element_facts(file: str, table: str, element: list[Token], is_added: bool) -> Iterator[Fact]:
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


def _is_column(element: Sequence[Token]) -> bool:
    if [token.kind for token in element[:2]] != ["name", "name"]:
        return False
    name, of_type = (token.word for token in element[:2])
    return not (_NO_COLUMN.fullmatch(name) or _NO_TYPE.fullmatch(of_type))


def _column(element: Sequence[Token]) -> str:
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
