"""The BMS reader: mapsets, their maps and the fields of these, as assembler macros define them.

By the High Level Assembler Reference: columns 1 to 71 hold a label, the macro
and its operands up to a blank; what stands in column 72 says that the operands
go on in column 16 of the next line; an asterisk in column 1 makes a comment.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import PurePosixPath

from war_rig.readers.blocks import comment_facts, pieces, stretched, told_apart
from war_rig.readers.source import Fact, Problem, Reading, Source, Unit, clipped

_MACRO = re.compile(r"[\w@#$&]*+\s+DFHM(?:SD|DI)\s+(?:[A-Z]+=|\S\d*\s*$)", re.IGNORECASE)
_MACROS = ("DFHMSD", "DFHMDI", "DFHMDF")
_SILENT = frozenset(
    ("AMODE", "COPY", "CSECT", "EJECT", "END", "MNOTE", "PRINT", "PUNCH", "RMODE", "SPACE", "TITLE")
)
_OPERATION = re.compile(r"[A-Z@#$&][\w@#$&]*(?:\s|$)", re.IGNORECASE)
_FIELD = re.compile(r"(?:[^\s']|'[^']*')*+")  # operands end at a blank outside quotes
_OPERAND = re.compile(
    r"(?:^|,)([A-Z]+)=('(?:[^']|'')*+'?|\([^()]*+\)?|[^,]*+)", re.IGNORECASE | re.DOTALL
)
_LAST_COLUMN = 71
_COLUMN_AGAIN = 16
_MISSING = {"'": "a quote is not closed", ",": "the operands end in a comma and do not go on"}
_LINES_LOOKED_AT = 200


class BmsReader:
    """Reads mapsets; a unit is the head of a mapset, or a map."""

    language = "BMS"

    def reads(self, source: Source) -> bool:
        """Return whether the suffix, or a macro among the first lines, is that of a mapset."""
        if PurePosixPath(source.file).suffix.lower() == ".bms":
            return True
        lines = source.lines[:_LINES_LOOKED_AT]
        is_jcl = any(line.startswith("//") for line in lines)  # which may hold a mapset
        return not is_jcl and any(_MACRO.match(line) for line in lines)

    def read(self, source: Source) -> Reading:
        """Return the head and the maps as units; a long map is cut before a macro."""
        scanner = _Scanner(source.lines)
        mapset = _Mapset(source.file, scanner.problems)
        for macro in scanner.macros():
            mapset.take(macro)
        blocks = stretched(source, mapset.spans, "mapset")
        units = told_apart(pieces(source, blocks, mapset.cuts))
        facts = [*mapset.facts, *comment_facts(source, blocks, scanner.comments)]
        return Reading(
            units,
            tuple(sorted(facts, key=lambda fact: fact.line)),
            units,
            tuple(sorted(scanner.problems, key=lambda problem: problem.line)),
        )


@dataclass(frozen=True, slots=True)
class _Operand:
    keyword: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class _Macro:
    first: int
    last: int
    label: str
    operation: str
    operands: Sequence[_Operand]

    def operand(self, keyword: str) -> _Operand | None:
        return next((o for o in self.operands if o.keyword == keyword), None)


class _Scanner:
    """Cuts lines into macros with their operands, and comments."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._at = 0  # the index of the next line, and so the number of the last one
        self._unknown: set[str] = set()
        self.comments: list[tuple[int, str]] = []
        self.problems: list[Problem] = []

    def macros(self) -> Iterator[_Macro]:
        while self._at < len(self._lines):
            card = self._card(self._at)
            self._at += 1
            if card.startswith(("*", ".*")):
                self.comments.append((self._at, card.lstrip(".")))
            elif card.strip():
                yield self._macro(card)

    def _card(self, index: int) -> str:
        return self._lines[index].expandtabs()[:_LAST_COLUMN] if index < len(self._lines) else ""

    def _problem(self, text: str) -> None:
        self.problems.append(Problem(self._at, text))

    def _macro(self, card: str) -> _Macro:
        is_named = not card[0].isspace()
        words = card.split(None, 2 if is_named else 1)
        label, operation, rest = [*([] if is_named else [""]), *words, "", ""][:3]
        first, operation = self._at, operation.upper()
        operands: list[_Operand] = []
        if operation in _MACROS:
            operands = _operands(list(self._field(rest)))
        else:
            self._skip(operation)
        return _Macro(first, self._at, label.upper(), operation, operands)

    def _skip(self, operation: str) -> None:
        """Pass over what is none of the three macros; report a strange one once."""
        if operation not in _SILENT and operation not in self._unknown:
            self._unknown.add(operation)
            told = f"the operation {operation} is not known" if operation else "no operation"
            self._problem(told)
        while self._is_marked() and self._can_go_on():
            self._at += 1

    def _field(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield the pieces of the operand field, each with its line."""
        quote, is_remark = "", False
        while not is_remark:
            after = _FIELD.sub("", quote + text, count=1)
            width = len(self._card(self._at - 1))
            wanted = "'" if after.startswith("'") else ""
            if wanted:
                yield self._at, text + " " * (_LAST_COLUMN - width)
            else:
                piece = text[: len(text) - len(after)]
                yield self._at, piece
                wanted = "," if piece.endswith(",") else ""
                is_full = not after and width == _LAST_COLUMN
                is_remark = bool(piece) and not wanted and not is_full
            if not self._goes_on(wanted):
                return
            card, quote = self._card(self._at), "'" if wanted == "'" else ""
            is_in_column = quote and not card[: _COLUMN_AGAIN - 1].strip()
            text = card[_COLUMN_AGAIN - 1 :] if is_in_column else card.lstrip()
            self._at += 1
        while self._goes_on(""):
            self._at += 1

    def _is_marked(self) -> bool:
        return bool(self._lines[self._at - 1].expandtabs()[_LAST_COLUMN:][:1].strip())

    def _can_go_on(self) -> bool:
        """Return whether the next line has text, and neither a label nor an operation."""
        card = self._card(self._at)
        is_in_column = not card[: _COLUMN_AGAIN - 1].strip()
        is_text = card[:1].isspace() and bool(card.strip())
        return is_text and (is_in_column or not _OPERATION.match(card.lstrip()))

    def _goes_on(self, wanted: str) -> bool:
        """Return whether the next line goes on; *wanted*: the sign that asks for it, if any."""
        is_possible = self._can_go_on()
        if self._is_marked():
            if not is_possible:
                self._problem("column 72 says that the operands go on, and they do not")
            return is_possible
        words = self._card(self._at).split()
        if wanted and is_possible and (wanted == "'" or "=" in words[0]):
            self._problem("the operands go on, but column 72 is blank")
            return True
        if wanted:
            self._problem(_MISSING[wanted])
        return False


def _operands(pieces: Sequence[tuple[int, str]]) -> list[_Operand]:
    starts = list(accumulate((len(piece) for _, piece in pieces[:-1]), initial=0))
    text = "".join(piece for _, piece in pieces)
    return [
        _Operand(found[1].upper(), found[2], pieces[bisect_right(starts, found.start(1)) - 1][0])
        for found in _OPERAND.finditer(text)
    ]


class _Mapset:
    """Makes spans and facts of macros. cuts: where a long map may be cut."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file, self._problems = file, problems
        self._mapset = self._map = ""
        self._has_map = False
        self.facts: list[Fact] = []
        self.spans: list[Unit] = []
        self.cuts: list[int] = []

    def take(self, macro: _Macro) -> None:
        of_type = macro.operand("TYPE")
        is_final = of_type is not None and of_type.value.upper() == "FINAL"
        if macro.operation == "DFHMSD" and not is_final:
            self._mapset, self._map, self._has_map = macro.label, "", False
            self._open("mapset", macro, macro.label)
        elif macro.operation == "DFHMDI":
            self._map, self._has_map = macro.label, True
            self._open("map", macro, self._mapset)
        elif macro.operation == "DFHMDF":
            self._take_field(macro)
        if self.spans:
            self.spans[-1] = replace(self.spans[-1], last=macro.last)
        self.cuts.append(macro.last + 1)

    def _open(self, kind: str, macro: _Macro, subject: str) -> None:
        name = macro.label or f"{kind} on line {macro.first}"
        self.spans.append(Unit(self._file, name, kind, macro.first, macro.last))
        if macro.label:
            self._fact(f"defines-{kind}", subject, macro.label, macro.first)
        else:
            self._problems.append(Problem(macro.first, f"{macro.operation} has no label"))

    def _take_field(self, macro: _Macro) -> None:
        if not self._has_map:
            self._problems.append(Problem(macro.first, "a field outside a map"))
        subject = self._map or self._mapset
        if macro.label:
            self._fact("field", subject, macro.label, macro.first)
        initial = macro.operand("INITIAL")
        if initial and initial.value.startswith("'"):
            text = _unquoted(initial.value)
            if any(character.isalnum() for character in text):  # else a line or a blank
                self._fact("label-text", subject, clipped(text), initial.line)

    def _fact(self, kind: str, subject: str, about: str, line: int) -> None:
        self.facts.append(Fact(kind, subject, about, self._file, line))


def _unquoted(value: str) -> str:
    """Return a text as the screen shows it: a quote or ampersand in it is written twice."""
    return value[1:].removesuffix("'").replace("''", "'").replace("&&", "&").strip()
