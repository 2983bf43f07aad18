"""Find facts in COBOL and JCL with regular expressions that share nothing with War Rig's readers.

A file is flattened first: without comments, columns 1-6 and 73-80, and JCL's in-stream data, and
with what is continued joined. Patterns are searched in a second text of the same length, in which
the insides of literals and of pseudo-text are masked; names are cut from the first.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

COBOL_SUFFIXES = frozenset({".cbl", ".cob", ".cpy"})
JCL_SUFFIXES = frozenset({".jcl", ".prc", ".proc"})
MASK = "\x01"

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A fact of *kind* about *name* on *line*, in a statement on lines *first* to *last*."""

    kind: str
    file: str
    line: int
    name: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Flat:
    """A file as one text, the same masked, and where each of its lines starts."""

    file: str
    text: str
    masked: str
    starts: list[int]
    lines: list[int]

    @classmethod
    def of(cls, file: str, pieces: Iterable[tuple[int, str]]) -> "Flat":
        starts: list[int] = []
        lines: list[int] = []
        text = ""
        for line, piece in pieces:
            starts.append(len(text))
            lines.append(line)
            text += piece
        return cls(file, text, _TO_MASK.sub(_mask, text), starts, lines)

    def without(self, pattern: re.Pattern[str]) -> "Flat":
        """Return it with what *pattern* matches turned to spaces, line breaks kept."""
        masked = pattern.sub(_blank, self.masked)
        return Flat(self.file, self.text, masked, self.starts, self.lines)

    def found(self, kind: str, span: Span, statement: Span) -> Found:
        text = self.text[slice(*span)].strip("'\"").strip().upper()
        name = re.sub(r"[\"\s]*\.[\"\s]*", ".", text)  # OWNER . "TABLE"
        line, first, last = map(self._line, (span[0], statement[0], statement[1] - 1))
        return Found(kind, self.file, line, name, first, last)

    def _line(self, position: int) -> int:
        return self.lines[bisect_right(self.starts, position) - 1]


_TO_MASK = re.compile(
    r"(?<=\.)\s+NOTE\s(?!\s*(?:\.|SECTION\b))[\s\S]*?\.(?=\s|$)|"
    r"'(?:[^'\n]|'')*'?|\"(?:[^\"\n]|\"\")*\"?|\*>[^\n]*|(?<![<>=])==(?=[^=]).*?==",
    re.DOTALL,
)


def _mask(match: re.Match[str]) -> str:
    text = match[0]
    if text[0] not in "'\"":
        return _blank(match)
    is_closed = len(text) > 1 and text[-1] == text[0]
    return text[0] + MASK * (len(text) - 1 - is_closed) + text[0] * is_closed


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def extract(path: Path, file: str) -> Iterator[Found]:
    """Find the facts of one file, none where its suffix is neither COBOL's nor JCL's."""
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = [line.rstrip("\r") for line in text.split("\n")]
    if path.suffix.lower() in COBOL_SUFFIXES:
        yield from _cobol(Flat.of(file, _areas(lines)))
    elif path.suffix.lower() in JCL_SUFFIXES:
        yield from _jcl(Flat.of(file, _statements(lines)))


# COBOL


def _is_free(lines: list[str]) -> bool:
    """Whether a directive says so, or letters stand where fixed format has its indicator."""
    seventh = [line[6] for line in lines if len(line) > 6 and line.strip()]
    odd = sum(character not in " *-/DdSs$" for character in seventh)
    directive = re.compile(r"source\s*(format)?\W*(is\s+)?free", re.IGNORECASE)
    return any(map(directive.search, lines[:20])) or odd * 10 > len(seventh)


def _areas(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the code of each line, with a break before each that continues no other."""
    if _is_free(lines):
        yield from ((number, f"\n{line}") for number, line in enumerate(lines, 1))
        return
    quote, pending = "", ""
    is_debugged = re.search(r"DEBUGGING\s+MODE", "\n".join(lines), re.IGNORECASE)
    for number, line in enumerate(lines, 1):
        line = line.expandtabs(8)[:72].ljust(72)
        mark, area, lead = line[6], line[7:], "\n"
        if mark in ("*/$" if is_debugged else "*/$Dd") or not area.strip():
            yield number, lead * (not quote)
            continue
        if mark == "-":
            area, lead = area.lstrip().removeprefix(quote or "\0"), ""
        pending = area if lead else pending + area
        quote = _open_quote(pending)
        yield number, lead + (area if quote else area.rstrip())


def _open_quote(text: str) -> str:
    last = ([match[0] for match in _TO_MASK.finditer(text)] or [""])[-1]
    is_last = last[:1] in ("'", '"') and text.endswith(last)
    return last[0] if is_last and last.count(last[0]) % 2 else ""


_WORD = r"[A-Z0-9](?:[\w-]*\w)?(?![\w-])"
_OPERAND = rf"(?P<name>'{MASK}*'|\"{MASK}*\"|{_WORD})"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){text}", re.IGNORECASE)


_COMMENT_ENTRY = re.compile(
    r"(?<=\n) {0,3}(?:AUTHOR|INSTALLATION|DATE-WRITTEN|DATE-COMPILED|SECURITY|REMARKS) *\."
    r"(?:(?!\n {0,3}\S)[\s\S])*",
    re.IGNORECASE,
)
_EXEC = _pattern(r"EXEC\s+(?P<kind>SQL|CICS|DLI)\s(?P<body>[\s\S]*?)(?<![\w-])END-EXEC")
_OF = rf"(?:\s+(?:OF|IN)\s+{_WORD})?"
_PERFORM = _pattern(
    rf"PERFORM\s+(?!(?:UNTIL|VARYING|WITH|TEST)\s)(?P<name>{_WORD})"
    rf"(?!{_OF}(?:\s*\([^)]*\))?\s+TIMES\b){_OF}(?:\s+(?:THRU|THROUGH)\s+(?P<thru>{_WORD}))?"
)
_STATEMENTS = (
    ("call", _pattern(rf"CALL\s+{_OPERAND}")),
    ("copy", _pattern(rf"COPY\s+{_OPERAND}")),
    ("perform", _PERFORM),
    ("goto", _pattern(rf"GO\s+(?:TO\s+)?(?!TO\b)(?P<name>{_WORD})")),
    *((verb, _pattern(rf"{verb}\s+(?:FILE\s+)?(?P<name>{_WORD})"))
      for verb in ("read", "write", "rewrite", "delete")),
)  # fmt: skip
_DEPENDING = re.compile(
    rf"(?P<more>(?:[\s,]+(?!(?:ELSE|WHEN|GO|TO|DEPENDING)\b|END-(?:IF|EVALUATE)\b){_WORD})*)"
    r"\s+DEPENDING\b",
    re.IGNORECASE,
)
_NAME = re.compile(_WORD, re.IGNORECASE)


def _cobol(flat: Flat) -> Iterator[Found]:
    flat = flat.without(_COMMENT_ENTRY)
    for match in _EXEC.finditer(flat.masked):
        if match["kind"].upper() != "DLI":
            yield from (_sql if match["kind"].upper() == "SQL" else _cics)(flat, match)
    plain = flat.without(_EXEC)
    for kind, pattern in _STATEMENTS:
        for match in pattern.finditer(plain.masked):
            suffix = "-name" if kind == "call" and match["name"][0] not in "'\"" else ""
            yield plain.found(kind + suffix, match.span("name"), match.span())
            if kind == "perform" and match["thru"]:
                yield plain.found("thru", match.span("thru"), match.span())
            if kind == "goto" and (more := _DEPENDING.match(plain.masked, match.end())):
                for word in _NAME.finditer(plain.masked, *more.span("more")):
                    yield plain.found(kind, word.span(), (match.start(), more.end()))


# EXEC CICS: the second words of commands are those of IBM's list of the API's commands

_SECOND = {
    **dict.fromkeys(("SEND", "RECEIVE"), "MAP TEXT CONTROL PAGE PARTN PARTNSET"),
    **dict.fromkeys(("HANDLE", "IGNORE"), "ABEND AID CONDITION"),
    **dict.fromkeys(("PUSH", "POP"), "HANDLE"),
    **dict.fromkeys(("READQ", "WRITEQ", "DELETEQ"), "TD TS"),
    **dict.fromkeys(("GET", "PUT", "MOVE"), "CONTAINER COUNTER DCOUNTER"),
    **dict.fromkeys(
        ("DEFINE", "DELETE", "QUERY", "UPDATE", "REWIND"), "CONTAINER COUNTER DCOUNTER"
    ),
    **dict.fromkeys(("INQUIRE", "SET"), "PROGRAM TRANSACTION FILE TERMINAL TASK SYSTEM TDQUEUE"),
    "SYNCPOINT": "ROLLBACK",
}
_CICS_FILES = {"READNEXT": "read", "READPREV": "read"} | {
    verb.upper(): verb for verb in ("read", "write", "rewrite", "delete")
}


def _cics(flat: Flat, match: re.Match[str]) -> Iterator[Found]:
    start, end = match.span("body")
    if not (verb := _NAME.search(flat.masked, start, end)):
        return
    word = verb[0].upper()
    options = re.findall(r"[\w-]+", re.sub(r"\([^()]*(?:\([^()]*\)[^()]*)*\)", " ", match["body"]))
    seconds = _SECOND.get(word, "").split()
    second = next((f" {one.upper()}" for one in options if one.upper() in seconds), "")
    command = flat.found("cics", verb.span(), match.span())
    yield Found("cics", command.file, command.line, word + second, command.first, command.last)
    if word in ("LINK", "XCTL") and (span := _argument(flat, "PROGRAM", start, end)):
        suffix = "" if flat.masked[span[0]] in "'\"" else "-name"
        yield flat.found(word.lower() + suffix, span, match.span())
    if word in _CICS_FILES and (span := _argument(flat, "(?:FILE|DATASET)", start, end)):
        yield flat.found(_CICS_FILES[word], span, match.span())


def _argument(flat: Flat, option: str, start: int, end: int) -> Span | None:
    match = _pattern(rf"{option}\s*\(\s*{_OPERAND}").search(flat.masked, start, end)
    return match.span("name") if match else None


# EXEC SQL

_SQL_NAME = rf"(?:[A-Z_#@$][\w#@$]*|\"{MASK}+\")"
_INTO = rf"(?P<name>{_SQL_NAME}(?:\s*\.\s*{_SQL_NAME}){{0,2}})(?![\w.])"
_TABLE = rf"{_INTO}(?!\s*\()"
_ALIAS = r"(?:\s+(?:AS\s+)?(?!(?:WHERE|JOIN|ON|SET|FOR|ORDER|GROUP|WITH|UNION)\b)[A-Z_]\w*)?"
_SQL_TABLES = (
    ("declare-table", _pattern(rf"DECLARE\s+{_TABLE}\s+TABLE\b")),
    ("insert", _pattern(rf"INSERT\s+INTO\s+{_INTO}")),
    ("update", _pattern(rf"UPDATE\s+{_TABLE}{_ALIAS}\s+SET\b")),
    ("delete", _pattern(rf"DELETE\s+FROM\s+{_TABLE}")),
    ("select", _pattern(rf"(?:FROM|JOIN|USING)\s+{_TABLE}{_ALIAS}")),
)
_NEXT_TABLE = re.compile(rf"\s*,\s*{_TABLE}{_ALIAS}", re.IGNORECASE)
_NOT_FROM_TABLE = re.compile(r"(?:DELETE|DISTINCT|(?:EXTRACT|TRIM)\s*\([^)]*)\s*$", re.IGNORECASE)
_COMMON_TABLE = re.compile(rf"(?:WITH|,)\s+({_SQL_NAME})\s*(?:\([^)]*\)\s*)?AS\s*\(", re.I)
_INCLUDE = re.compile(rf"\s*INCLUDE\s+{_OPERAND}", re.IGNORECASE)


def _sql(flat: Flat, match: re.Match[str]) -> Iterator[Found]:
    start, end = match.span("body")
    body = flat.masked[:start] + re.sub("--[^\n]*", _blank, match["body"])
    if include := _INCLUDE.match(body, start):
        yield flat.found("include", include.span("name"), match.span())
    elif not re.match(r"\s*(?:FETCH|OPEN|CLOSE)\b", body[start:end], re.IGNORECASE):
        common = {name.upper() for name in _COMMON_TABLE.findall(body, start, end)}
        for kind, span in _tables(body, start):
            if (table := flat.found(kind, span, match.span())).name not in common:
                yield table


def _tables(body: str, start: int) -> Iterator[tuple[str, Span]]:
    for kind, pattern in _SQL_TABLES:
        for match in pattern.finditer(body, start):
            if kind == "select" and _NOT_FROM_TABLE.search(body, start, match.start()):
                continue
            yield kind, match.span("name")
            end = match.end() if kind == "select" else len(body)
            while more := _NEXT_TABLE.match(body, end):
                yield kind, more.span("name")
                end = more.end()


# JCL

_HEAD = re.compile(r"//\S*\s+\S+\s+")
_IN_STREAM = re.compile(r"//\S*\s+DD\s+(\*|DATA)(?=[,\s]|$)(?:\S*DLM='?([^',\s]+))?", re.IGNORECASE)
_RUN = re.compile(
    r"\n//\S*\s+EXEC\s+(?:(?P<key>PGM|PROC)=)?(?P<name>[^,=()\s]+)(?=[,\s]|$)", re.IGNORECASE
)
_DATA_SET = re.compile(
    rf"\n//\S*\s+DD\s+(?:[^\n]*?,)?(?:DSN|DSNAME)=(?P<name>'{MASK}*'|[^,\s(]+(?:\([^)\n]*\))?)",
    re.IGNORECASE,
)


def _jcl(flat: Flat) -> Iterator[Found]:
    for match in _RUN.finditer(flat.masked):
        kind = "exec" if (match["key"] or "").upper() == "PGM" else "exec-proc"
        yield flat.found(kind, match.span("name"), (match.start("name"), match.end()))
    for match in _DATA_SET.finditer(flat.masked):
        yield flat.found("dsn", match.span("name"), (match.start() + 1, match.end()))


def _statements(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the statements without remarks, with a break before each line that starts one."""
    is_open, is_quoted = False, False
    ends: tuple[str, ...] = ()
    for number, line in enumerate(lines, 1):
        line = line[:72].rstrip()
        if ends and not line.startswith(ends):
            continue
        ends = ()
        if not line.startswith("//") or line.startswith("//*"):
            continue
        is_open = is_open and line[2:3] == " "
        head = re.match(r"//\s+", line) if is_open else _HEAD.match(line)
        operands = line[head.end() :] if head else ""
        text, is_quoted = _cut(operands, is_open and is_quoted)
        yield number, text if is_open else f"\n{head[0] if head else line}{text}"
        is_open = is_quoted or text.endswith(",")
        if data := _IN_STREAM.match(line):
            ends = (data[2],) if data[2] else ("/*", "//")[: 2 - (data[1] != "*")]


def _cut(text: str, is_quoted: bool) -> tuple[str, bool]:
    """Return operands without the remark after them, and whether a quote is still open."""
    for index, character in enumerate(text):
        is_quoted ^= character == "'"
        if character == " " and not is_quoted:
            return text[:index], False
    return text, is_quoted
