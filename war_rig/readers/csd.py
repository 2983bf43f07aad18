"""The CSD reader: transactions, programs, files and queues, as DFHCSDUP defines them to CICS.

By the CICS Reference: a command stands in columns 1 to 71 and goes on until the
next one; an asterisk in column 72 says that a value goes on in column 1 of the
next line; an asterisk in column 1 makes a comment. All words may be shortened.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath

from war_rig.readers.blocks import comment_facts, groups, pieces, stretched, told_apart
from war_rig.readers.source import Fact, Problem, Reading, Source, Unit

_VERBS = (
    "ADD", "ALTER", "APPEND", "COPY", "DEFINE", "DELETE", "EXTRACT", "INITIALIZE", "LIST",
    "PROCESS", "REMOVE", "SCAN", "SERVICE", "UPGRADE", "USERDEFINE", "VERIFY",
)  # fmt: skip
_DEFINES = ("ALTER", "DEFINE", "USERDEFINE")
_TYPES = (
    "ATOMSERVICE", "BUNDLE", "CONNECTION", "CORBASERVER", "DB2CONN", "DB2ENTRY", "DB2TRAN",
    "DJAR", "DOCTEMPLATE", "DUMPCODE", "ENQMODEL", "FILE", "IPCONN", "JOURNALMODEL", "JVMSERVER",
    "LIBRARY", "LSRPOOL", "MAPSET", "MQCONN", "MQMONITOR", "PARTITIONSET", "PARTNER", "PIPELINE",
    "PROCESSTYPE", "PROFILE", "PROGRAM", "REQUESTMODEL", "SESSIONS", "TCPIPSERVICE", "TDQUEUE",
    "TERMINAL", "TRANCLASS", "TRANSACTION", "TSMODEL", "TYPETERM", "URIMAP", "WEBSERVICE",
)  # fmt: skip
_GROUPS = ("GROUP", "LIST")
_KEYWORDS = (*_GROUPS, "DESCRIPTION", "DSNAME", "DSNSHARING", "PROFILE", "PROGRAM")
_RELATED = {"TRANSACTION": ("transaction", "PROGRAM"), "FILE": ("csd-file", "DSNAME")}
_KINDS = {"TDQUEUE": "csd-queue"}

_FIRST_COMMAND = re.compile(
    rf"\s*(?:DEF(?:INE)?\s+(?:{'|'.join(_TYPES)})"
    r"|(?:ADD|ALTER|DELETE|REMOVE)\s+(?:GROUP|LIST))\s*\(",
    re.IGNORECASE,
)
_BEGINS = re.compile(r"\s*(\w+)(?:\s+\w+(?P<opens>\s*\()?|\s*$)")
_SEQUENCE_NUMBER = re.compile(r"(?<=^.{72})\w*\d{3}\s*$", re.DOTALL)
_SIGN = re.compile(r"[()]")
_OPENED = re.compile(r"(?<!\w)(\w++)\s*+\(\s*+([^\s()]*)")


class CsdReader:
    """Reads what DFHCSDUP reads; a unit is a group of neighbouring commands."""

    language = "CSD"

    def reads(self, source: Source) -> bool:
        """Return whether the first line that is no comment is a command, or the suffix says so."""
        first = next((line for line in source.lines if line.strip() and line[0] != "*"), "")
        is_named = PurePosixPath(source.file).suffix.lower() == ".csd"
        return _FIRST_COMMAND.match(first) is not None or (is_named and first[:2] != "//")

    def read(self, source: Source) -> Reading:
        """Return groups of commands as units; each definition is a part."""
        texts = [_text(line) for line in source.lines]
        commands = list(_commands(texts))
        blocks = stretched(source, [command.unit(source.file) for command in commands], "command")
        parts = pieces(source, blocks)
        comments = [
            (number, _SEQUENCE_NUMBER.sub("", line))
            for number, line in enumerate(source.lines, 1)
            if line.startswith("*")
        ]
        comments += [said for command in commands for said in command.descriptions()]
        facts = [fact for command in commands for fact in _facts(source.file, command)]
        facts += comment_facts(source, blocks, comments)
        return Reading(
            told_apart(groups(parts, "definition")),
            tuple(sorted(facts, key=lambda fact: fact.line)),
            told_apart(part for part in parts if part.kind == "definition"),
            tuple(_problems(texts, commands)),
        )


@dataclass(frozen=True, slots=True)
class _Attribute:
    """keyword: in full and upper case; value: as written, over lines; line: where it begins."""

    keyword: str
    value: str
    line: int

    @property
    def name(self) -> str:
        """The value as a name, which holds no blanks."""
        return "".join(self.value.split())


@dataclass(frozen=True, slots=True)
class _Command:
    verb: str
    first: int
    last: int
    attributes: Sequence[_Attribute]
    is_closed: bool

    @property
    def resource(self) -> _Attribute | None:
        """What is defined: the first attribute that is neither a group nor a list."""
        found = next((a for a in self.attributes if a.keyword not in _GROUPS), None)
        return found if found and found.keyword and found.name else None

    def value_of(self, keyword: str) -> _Attribute | None:
        return next((a for a in self.attributes if a.keyword == keyword), None)

    def descriptions(self) -> Iterator[tuple[int, str]]:
        attribute = self.value_of("DESCRIPTION")
        if attribute:
            yield from enumerate(attribute.value.split("\n"), attribute.line)

    def unit(self, file: str) -> Unit:
        """Return its lines, named by what it defines, or by the command and what it is about."""
        if self.verb in _DEFINES and self.resource:
            name = f"{self.resource.keyword} {self.resource.name}"
            return Unit(file, name, "definition", self.first, self.last)
        about = (word for a in self.attributes[:1] for word in (a.keyword, a.name))
        return Unit(file, " ".join((self.verb, *about)), "command", self.first, self.last)


def _text(line: str) -> str:
    """Return what *line* says: no comment, sequence number or mark in column 72."""
    text = "" if line.startswith("*") else _SEQUENCE_NUMBER.sub("", line)
    return text[:71] if text[71:].strip() == "*" else text


def _in_full(word: str, words: Sequence[str]) -> str:
    """Return the only one of *words* that *word* shortens, else *word*."""
    found = [full for full in words if full.startswith(word.upper())]
    return found[0] if len(found) == 1 else word.upper()


def _commands(texts: Sequence[str]) -> Iterator[_Command]:
    starts = [*_starts(texts), (len(texts) + 1, "", 0)]
    for (first, verb, after), (following, *_) in pairwise(starts):
        text = "\n".join(texts[first - 1 : following - 1]).rstrip()
        found, is_closed = _attributes(text, after)
        last = first + text.count("\n")
        yield _Command(verb, first, last, list(_in_lines(text, first, found)), is_closed)


def _starts(texts: Sequence[str]) -> Iterator[tuple[int, str, int]]:
    """Yield the first line of each command, its verb, and where that ends."""
    depth = 0
    for number, text in enumerate(texts, 1):
        begins = _BEGINS.match(text)
        verb = _in_full(begins[1], _VERBS) if begins else ""
        if begins and verb in _VERBS and (depth == 0 or begins["opens"]):
            depth = 0
            yield number, verb, begins.end(1)
        depth = max(0, depth + text.count("(") - text.count(")"))


def _attributes(text: str, after: int) -> tuple[list[tuple[int, str, str]], bool]:
    """Return offset, keyword and value of each that stands *after* the verb, and if all are closed.

    Where one is not, a value is what follows a parenthesis up to a blank.
    """
    found, depth, verb, opened = [], 0, after, 0
    for sign in _SIGN.finditer(text, after):
        depth += 1 if sign[0] == "(" else -1
        if sign[0] == "(" and depth == 1:
            opened = sign.end()
        elif depth == 0:
            keyword = text[after : opened - 1].split()[-1:]
            found.append((opened, "".join(keyword), text[opened : sign.start()]))
            after = sign.end()
        depth = max(0, depth)
    if depth:
        found = [(match.start(2), match[1], match[2]) for match in _OPENED.finditer(text, verb)]
    return found, not depth


def _in_lines(text: str, line: int, found: Iterable[tuple[int, str, str]]) -> Iterator[_Attribute]:
    """Yield the attributes of the command that begins on *line*, each with its own line."""
    at = 0
    resource: str | None = None
    for offset, keyword, value in found:
        start = offset + len(value) - len(value.lstrip())
        line, at = line + text.count("\n", at, start), start
        keyword = _in_full(keyword, _KEYWORDS if resource else (*_GROUPS, *_TYPES))
        resource = resource or (None if keyword in _GROUPS else keyword)
        yield _Attribute(keyword, value.strip(), line)


def _facts(file: str, command: _Command) -> Iterator[Fact]:
    """Yield what a definition states; nothing of a remote transaction, which names no program."""
    resource = command.resource
    if command.verb not in _DEFINES or resource is None:
        return
    name = resource.name if resource.keyword == "TRANSACTION" else resource.name.upper()
    if resource.keyword in _RELATED:
        kind, keyword = _RELATED[resource.keyword]
        related = command.value_of(keyword)
        if related and related.name:
            yield Fact(kind, name, related.name.upper(), file, related.line)
        return
    kind = _KINDS.get(resource.keyword, f"csd-{resource.keyword.lower()}")
    group = command.value_of("GROUP")
    yield Fact(kind, group.name.upper() if group else "", name, file, resource.line)


def _problems(texts: Sequence[str], commands: Sequence[_Command]) -> Iterator[Problem]:
    first = next((n for n, text in enumerate(texts, 1) if text.strip()), 0)
    if first and (not commands or first < commands[0].first):
        yield Problem(first, "neither a command nor a comment")
    for command in commands:
        if not command.is_closed:
            yield Problem(command.first, "a parenthesis is not closed")
        if command.verb in _DEFINES and command.resource is None:
            yield Problem(command.first, f"{command.verb} names no resource")
