"""A walk over a COBOL file's tokens: its facts, and the blocks that its units are made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from war_rig.readers.cobol_conditions import CONDITIONS
from war_rig.readers.cobol_exec import EXEC_LANGUAGES, EXEC_WORDS, block_end, exec_facts
from war_rig.readers.cobol_items import Item, read_item
from war_rig.readers.cobol_layout import values_redefined
from war_rig.readers.cobol_lines import END, Found, Token, words
from war_rig.readers.cobol_statements import (
    STATEMENTS,
    TERMINATORS,
    VERBS,
    copy_facts,
    replacing,
    select_facts,
)
from war_rig.readers.source import Fact, Problem

_DIVISIONS = words("IDENTIFICATION ID ENVIRONMENT DATA PROCEDURE")
_DATA_SECTIONS = words(
    "CONFIGURATION INPUT-OUTPUT FILE WORKING-STORAGE LOCAL-STORAGE LINKAGE SCREEN REPORT"
)
_LAYOUT_WORDS = words("EJECT SKIP1 SKIP2 SKIP3")
_NO_CODE = _LAYOUT_WORDS | {"DECLARATIVES", "END"}
_NO_PARAGRAPHS = (
    VERBS
    | TERMINATORS
    | _LAYOUT_WORDS
    | words("DECLARATIVES FILE-CONTROL I-O-CONTROL SOURCE-COMPUTER OBJECT-COMPUTER SPECIAL-NAMES")
)
_ID_WORDS = ("PROGRAM-ID", "FUNCTION-ID")
_READ = {**STATEMENTS, **CONDITIONS}
_CUT_LEVELS = ("01", "1", "77")


@dataclass(slots=True)
class Block:
    """What begins on *line*; kind: "declarations", "copybook" or "paragraphs".

    program counts the programs of the file; has_code is False for a header alone.
    """

    line: int
    name: str
    kind: str
    program: int
    is_paragraph: bool = False
    has_code: bool = False


class Walk:
    """Reads *tokens* once; then facts, problems and blocks hold what it found.

    items: the data items, None where something is copied.
    owners: the program that a block is of, by the block's number of it: the number with
    which that program began, and its name.
    """

    def __init__(self, file: str, tokens: Sequence[Token]) -> None:
        self.facts: list[Fact] = []
        self.problems: list[Problem] = []
        self._file = file
        self._tokens = [*tokens, *[END] * 4]
        self._last = len(tokens)
        self._stem = file.rpartition("/")[2].partition(".")[0].upper()
        self._programs = [self._stem]  # those that are open, the innermost last
        self._began = [0]  # the number of each of these
        self._has_id = False
        self._next_entry = 0  # where an item ended, with or without its period
        self._subject = self._stem
        self.is_program = any(map(self._begins_program, range(self._last)))
        self._division = "IDENTIFICATION" if self.is_program else ""
        kind = "declarations" if self.is_program else "copybook"
        self.blocks = [Block(1, self._stem, kind, 0)]
        self.owners: dict[int, tuple[int, str]] = {}
        self.items: list[Item | None] = []
        self._walk()

    def _walk(self) -> None:
        at = 0
        while at < self._last:
            token = self._tokens[at]
            if token.kind == "word":
                at = self._read(at, token)
            else:
                at += 1
                if token.kind == "unclosed" and self._division != "IDENTIFICATION":
                    self.problems.append(Problem(token.line, "a literal has no end"))
        self._add(values_redefined(self.items))

    def _read(self, at: int, token: Token) -> int:
        """Read what begins with the word at *at*; return where to go on, always behind it."""
        following = self._tokens[at + 1]
        if following.word == "DIVISION" and token.text in _DIVISIONS:
            return self._division_header(at)
        if token.text in _ID_WORDS:
            return self._program_id(at)
        is_start = self._is_start(at)
        if is_start and following.word == "SECTION" and self._is_section(token.text):
            return self._section(at)
        if self._division == "IDENTIFICATION":
            return at + 1
        if is_start and token.text == "END" and following.word in ("PROGRAM", "FUNCTION"):
            return self._end_program(at)
        if is_start and following.kind == "." and self._is_paragraph(token.text):
            return self._paragraph(at)
        return self._code(at, token, is_start)

    def _code(self, at: int, token: Token, is_start: bool) -> int:
        """Read a statement or an entry."""
        self.blocks[-1].has_code |= token.text not in _NO_CODE
        if token.text == "COPY":
            self.items.append(None)
            found, at = copy_facts(self._tokens, at)
            self._add(found)
        elif token.text == "REPLACE" and is_start:
            _, at = replacing(self._tokens, at)
        elif token.text in EXEC_WORDS and self._tokens[at + 1].word in EXEC_LANGUAGES:
            self.items.append(None)
            at = self._exec(at)
        elif self._division != "PROCEDURE" and is_start and self._is_entry(at, token):
            at = self._entry(at, token)
        else:
            if token.text in _READ and self._division in ("PROCEDURE", ""):
                self._add(_READ[token.text](self._tokens, at))
            at += 1
        return at

    def _is_start(self, at: int) -> bool:
        """Return whether a sentence may start here."""
        before = self._tokens[at - 1] if at else END
        if before.kind in (".", "end") or before.word in ("END-EXEC", *_LAYOUT_WORDS):
            return True
        return at == self._next_entry

    def _add(self, found: Iterable[Found]) -> None:
        self.facts.extend(
            Fact(kind, subject or self._subject, text, self._file, line)
            for kind, text, line, subject in found
        )

    # Headers

    def _begins_program(self, at: int) -> bool:
        word = self._tokens[at].word
        is_header = word in ("IDENTIFICATION", "ID", "PROCEDURE")
        return word in _ID_WORDS or (is_header and self._tokens[at + 1].word == "DIVISION")

    def _division_header(self, at: int) -> int:
        token = self._tokens[at]
        before = self._division
        self._division = "IDENTIFICATION" if token.text == "ID" else token.text
        if self._division == "IDENTIFICATION" and (self._has_id or before != self._division):
            self._next_program(token.line)
        self._add([Found("division", self._division, token.line, self._programs[-1])])
        if self._division != "PROCEDURE":
            self._cut(token.line)
            return at + 2
        self._begin(token.line, self._programs[-1])
        at += 2
        while self._tokens[at].kind == "word" and self._tokens[at].text not in VERBS:
            at += 1  # USING and its names
        return at

    def _next_program(self, line: int) -> None:
        self._has_id = False
        self._subject = self._stem
        self.blocks.append(Block(line, self._stem, "declarations", self.blocks[-1].program + 1))

    def _program_id(self, at: int) -> int:
        if self._has_id:
            self._next_program(self._tokens[at].line)
        self._has_id = True
        self._division = "IDENTIFICATION"
        at += 1 + (self._tokens[at + 1].kind == ".")
        token = self._tokens[at]
        is_name = token.kind in ("word", "literal") and token.word not in _ID_WORDS
        if not is_name or self._tokens[at + 1].word == "DIVISION":
            return at
        self._subject = token.text.upper()
        self._programs.append(self._subject)
        self._began.append(self.blocks[-1].program)
        self._own_block()
        self._name_blocks()
        self._add([Found("program", self._subject, token.line)])
        return at + 1

    def _own_block(self) -> None:
        """Note that the block at hand is of the innermost program."""
        self.owners[self.blocks[-1].program] = self._began[-1], self._programs[-1]

    def _name_blocks(self) -> None:
        """Give the program's name to what stands before PROGRAM-ID."""
        for block in reversed(self.blocks):
            if block.program != self.blocks[-1].program or block.name != self._stem:
                break
            block.name = self._subject

    def _end_program(self, at: int) -> int:
        """Close a program; what follows, if it is no program, belongs to the one around it."""
        if len(self._programs) > 1:
            self._programs.pop()
            self._began.pop()
        at += 2 + (self._tokens[at + 2].kind in ("word", "literal"))
        following = self._tokens[at + (self._tokens[at].kind == ".")]
        self._subject = self._programs[-1]
        if following is not END and following.word not in ("IDENTIFICATION", "ID", *_ID_WORDS):
            self._begin(following.line, self._subject)
            self.blocks[-1].program += 1
            if len(self._programs) > 1:
                self._own_block()
        return at

    def _is_section(self, text: str) -> bool:
        return self._division != "IDENTIFICATION" or text in _DATA_SECTIONS

    def _section(self, at: int) -> int:
        token = self._tokens[at]
        if self._division == "IDENTIFICATION":
            self._division = "DATA"
        self._add([Found("section", token.text, token.line, self._programs[-1])])
        if self._division == "PROCEDURE" or (
            not self._division and token.text not in _DATA_SECTIONS
        ):
            self._begin(token.line, token.text)
        else:
            self._cut(token.line)
        return at + 2

    def _is_paragraph(self, text: str) -> bool:
        return text not in _NO_PARAGRAPHS and self._division in ("PROCEDURE", "")

    def _paragraph(self, at: int) -> int:
        token = self._tokens[at]
        self._add([Found("paragraph", token.text, token.line, self._programs[-1])])
        self._begin(token.line, token.text)
        self.blocks[-1].is_paragraph = True
        return at + 2

    def _begin(self, line: int, name: str) -> None:
        self._subject = name
        kind, last = "paragraphs" if self._division else "copybook", self.blocks[-1]
        if last.kind == "paragraphs" and not (last.is_paragraph or last.has_code):
            line = self.blocks.pop().line  # a header alone: it goes with what follows it
        self.blocks.append(Block(line, name, kind, last.program))

    def _cut(self, line: int) -> None:
        """Note that the declarations may be cut above *line*."""
        last = self.blocks[-1]
        if last.kind != "paragraphs":
            self.blocks.append(Block(line, last.name, last.kind, last.program))

    # Entries and blocks

    def _is_entry(self, at: int, token: Token) -> bool:
        is_level = token.text.isdigit() and len(token.text) < 3
        return token.text in ("SELECT", "FD", "SD") or (
            is_level and self._tokens[at + 1].kind == "word"
        )

    def _entry(self, at: int, token: Token) -> int:
        if token.text == "SELECT":
            self._add(select_facts(self._tokens, at))
            return at + 1
        if token.text in _CUT_LEVELS or not token.text.isdigit():
            self._cut(token.line)
        if token.text.isdigit():
            item, at = read_item(self._tokens, at)
            self._next_entry = at
            self._add(item.facts())
            self.items.append(item)
            return at
        name = self._tokens[at + 1]
        if name.kind == "word":
            self._add([Found("fd", name.text, name.line)])
        return at + 1

    def _exec(self, at: int) -> int:
        """Read a block up to END-EXEC; without one, up to where COBOL surely goes on."""
        opening, language = self._tokens[at], self._tokens[at + 1].text
        end, is_closed = block_end(self._tokens, at + 2)
        if not is_closed:
            self.problems.append(Problem(opening.line, f"EXEC {language} has no END-EXEC"))
        self._add(exec_facts(language, self._tokens[at + 2 : end]))
        return end + is_closed
