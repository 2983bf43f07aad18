"""What a reader is given, and what it returns."""

import codecs
import re
from dataclasses import dataclass
from typing import Protocol

from war_rig.readers.ebcdic import decode_ebcdic

_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_BINARY = re.compile(r"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f-\x84\x86-\x9f]")
_MOST_BINARY = 0.02


@dataclass(frozen=True, slots=True)
class Source:
    """A source file's text. file: its path below the root, with ``/``; lines without their ends."""

    file: str
    lines: tuple[str, ...]
    encoding: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a file that is documented as one; first and last count lines from 1."""

    file: str
    name: str
    kind: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that code found in the source, on *line*.

    Every reader yields "comment" facts (object: the comment's text), so that
    the offline provider has something to say.
    """

    kind: str
    subject: str
    object: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a reader could not read, on *line*."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The units of a file, in order and without overlap, and its facts.

    parts: what has to be documented inside the units, such as paragraphs; each
    lies in one unit and needs a claim that cites it. None: the units themselves.
    wholes: what the units make up, such as programs, in order, each before those
    inside it. None: the file.
    """

    units: tuple[Unit, ...]
    facts: tuple[Fact, ...]
    parts: tuple[Unit, ...] = ()
    problems: tuple[Problem, ...] = ()
    wholes: tuple[Unit, ...] = ()


class Reader(Protocol):
    """Reads files of one language; must take any text without raising."""

    @property
    def language(self) -> str:
        """Return the language's name, as pages show it."""
        ...

    def reads(self, source: Source) -> bool:
        """Return whether *source* is of this language."""
        ...

    def read(self, source: Source) -> Reading:
        """Return the units and facts of *source*."""
        ...


def clipped(line: str, longest: int = 200, mark: str = "") -> str:
    """Return at most *longest* characters of *line*, no part of a word, and *mark* for the rest."""
    if len(line) <= longest:
        return line
    return re.sub(r"\w+$", "", line[: longest + 1]).rstrip() + mark


def decode(file: str, data: bytes) -> Source | None:
    """Return *data* as text: UTF-8, UTF-16 with its mark, EBCDIC, else latin-1; None for binary."""
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        encoding, text = decode_ebcdic(data) or ("latin-1", data.decode("latin-1"))
    if "\0" in text or len(_BINARY.findall(text)) > _MOST_BINARY * len(text):
        return None
    lines = _LINE_BREAK.split(text)
    return Source(file, tuple(lines[:-1] if lines[-1] == "" else lines), encoding)
