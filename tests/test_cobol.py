"""The COBOL reader: its units, its facts, and the hard points of the language."""

import random
import textwrap
import time
from itertools import pairwise

import pytest
import readings
from hypothesis import given, settings
from hypothesis import strategies as st

from war_rig.readers.cobol import CobolReader
from war_rig.readers.cobol_arithmetic import operations
from war_rig.readers.cobol_branches import done_in_branch
from war_rig.readers.cobol_lines import scan
from war_rig.readers.cobol_moves import Declared, last_move
from war_rig.readers.cobol_numbers import declared_numbers
from war_rig.readers.cobol_program import Walk
from war_rig.readers.source import Problem, Reading, Source

SAMPLE = """\
      * Bills the accounts of a day
       IDENTIFICATION DIVISION.
       PROGRAM-ID. PAY01.
       ENVIRONMENT DIVISION.
       INPUT-OUTPUT SECTION.
       FILE-CONTROL.
           SELECT ACCT-FILE ASSIGN TO ACCTDD.
       DATA DIVISION.
       FILE SECTION.
       FD  ACCT-FILE.
       01  ACCT-REC.
           05  ACCT-ID PIC 9(8).
       WORKING-STORAGE SECTION.
       01  WS-PGM PIC X(8) VALUE 'PAY02'.
           EXEC SQL INCLUDE SQLCA END-EXEC.
       PROCEDURE DIVISION.
       MAIN-PARA.
           PERFORM READ-PARA THRU READ-EXIT UNTIL WS-END
           CALL WS-PGM USING ACCT-REC.
           GOBACK.
      * Reads one account
       READ-PARA.
           READ ACCT-FILE AT END MOVE 'Y' TO WS-END END-READ.
           EXEC SQL SELECT NAME INTO :WS-NAME FROM PAY.ACCT A, PAY.HOLD
               WHERE ID = :ACCT-ID END-EXEC.
           EXEC CICS SEND MAP('MAP1') MAPSET('SET1') END-EXEC.
       READ-EXIT.
           EXIT.
""".splitlines()


def read(*lines: str, file: str = "src/PAY01.cbl") -> Reading:
    return CobolReader().read(Source(file, lines, "utf-8"))


def in_procedure(*lines: str) -> Reading:
    """Return the reading of a program with *lines*, from line 4 on, in its first paragraph."""
    margin = [line if line[6:7] == "-" else f"           {line}" for line in lines]
    return read(" " * 7 + "PROGRAM-ID. P.", " " * 7 + "PROCEDURE DIVISION.",
                " " * 7 + "MAIN.", *margin)  # fmt: skip


def in_data(*lines: str) -> Reading:
    """Return the reading of a copybook of *lines*."""
    return read(*(f"       {line}" for line in lines), file="REC.cpy")


def wrapped(text: str) -> list[str]:
    """Return *text* in lines that end before column 72."""
    return [
        piece
        for line in text.splitlines()
        for piece in textwrap.wrap(line, 55, break_on_hyphens=False)
    ]


def facts(reading: Reading, *kinds: str) -> list[tuple[str, str, str, int]]:
    return [(f.kind, f.subject, f.object, f.line) for f in reading.facts if f.kind in kinds]


def objects(reading: Reading, *kinds: str) -> list[str]:
    return [f.object for f in reading.facts if f.kind in kinds]


def shown(reading: Reading) -> list[tuple[str, str, int, int]]:
    return [(unit.kind, unit.name, unit.first, unit.last) for unit in reading.units]


def pairs(reading: Reading, *others: str) -> list[tuple[str, str]]:
    """Return all facts but those of headers, as (kind, object)."""
    headers = ("program", "division", "section", "paragraph", "sql", "cics", *others)
    return [(f.kind, f.object) for f in reading.facts if f.kind not in headers]


# What is COBOL


@pytest.mark.parametrize("file", ["A.cbl", "a/B.CPY", "c.Cob", "d.cobol", "e.pco"])
def test_cobol_is_known_by_its_name(file: str) -> None:
    """The usual suffixes, in any case, are COBOL whatever the file holds."""
    assert CobolReader().reads(Source(file, (), "utf-8"))


@pytest.mark.parametrize(
    ("lines", "is_cobol"),
    [
        (["000100* A comment", "       CBL APOST", "", "000300 IDENTIFICATION DIVISION."], True),
        (["id division."], True),
        (["       PROGRAM-ID. X."], True),
        (["       PROCEDURE DIVISION USING A."], True),
        (["//JOB1 JOB", "       PROGRAM-ID. X."], False),
        (["# A program", "", "    IDENTIFICATION DIVISION."], False),
        (["      * only a comment"], False),
        ([], False),
    ],
)
def test_cobol_is_known_by_its_first_code(lines: list[str], is_cobol: bool) -> None:
    """Without a suffix, the first line that is no comment has to begin a program."""
    assert CobolReader().reads(Source("PAY01", tuple(lines), "utf-8")) is is_cobol


# Units and parts


def test_a_program_has_declarations_and_paragraphs() -> None:
    """What stands before PROCEDURE DIVISION is one unit, neighbouring paragraphs another."""
    reading = read(*SAMPLE)
    assert shown(reading) == [
        ("declarations", "PAY01 declarations", 1, 15),
        ("paragraphs", "MAIN-PARA to READ-EXIT", 16, 28),
    ]
    assert [(part.kind, part.name, part.first, part.last) for part in reading.parts] == [
        ("paragraph", "MAIN-PARA", 16, 20),
        ("paragraph", "READ-PARA", 21, 26),
        ("paragraph", "READ-EXIT", 27, 28),
    ]


def test_all_facts_of_a_program_have_their_subject_and_line() -> None:
    """The subject is the paragraph, before PROCEDURE DIVISION the program."""
    assert facts(read(*SAMPLE), *{fact.kind for fact in read(*SAMPLE).facts}) == [
        ("comment", "PAY01", "Bills the accounts of a day", 1),
        ("division", "PAY01", "IDENTIFICATION", 2),
        ("program", "PAY01", "PAY01", 3),
        ("division", "PAY01", "ENVIRONMENT", 4),
        ("section", "PAY01", "INPUT-OUTPUT", 5),
        ("assign", "ACCT-FILE", "ACCTDD", 7),
        ("division", "PAY01", "DATA", 8),
        ("section", "PAY01", "FILE", 9),
        ("fd", "PAY01", "ACCT-FILE", 10),
        ("data", "ACCT-REC", "01", 11),
        ("data", "ACCT-ID", "05 9(8)", 12),
        ("section", "PAY01", "WORKING-STORAGE", 13),
        ("data", "WS-PGM", "01 X(8)", 14),
        ("value", "WS-PGM", "PAY02", 14),
        ("sql", "PAY01", "INCLUDE", 15),
        ("include", "PAY01", "SQLCA", 15),
        ("division", "PAY01", "PROCEDURE", 16),
        ("paragraph", "PAY01", "MAIN-PARA", 17),
        ("perform", "MAIN-PARA", "READ-PARA", 18),
        ("thru", "MAIN-PARA", "READ-EXIT", 18),
        ("call-name", "MAIN-PARA", "WS-PGM", 19),
        ("comment", "READ-PARA", "Reads one account", 21),
        ("paragraph", "PAY01", "READ-PARA", 22),
        ("read", "READ-PARA", "ACCT-FILE", 23),
        ("move", "WS-END", "Y", 23),
        ("sql", "READ-PARA", "SELECT", 24),
        ("select", "READ-PARA", "PAY.ACCT", 24),
        ("select", "READ-PARA", "PAY.HOLD", 24),
        ("cics", "READ-PARA", "SEND MAP", 26),
        ("send", "READ-PARA", "MAP1", 26),
        ("mapset", "READ-PARA", "SET1", 26),
        ("paragraph", "PAY01", "READ-EXIT", 27),
    ]


def test_long_paragraphs_stand_alone_or_are_cut() -> None:
    """Over 60 lines a paragraph is its own unit, over 150 it is several, cut after a sentence."""
    statement = "           ADD 1 TO A."
    reading = read(
        "       PROGRAM-ID. P.", "       PROCEDURE DIVISION.",
        "       SHORT.", statement,
        "       MIDDLE.", *[statement] * 70,
        "       LONG.", *["           ADD 1"] * 70, *[statement, ""] * 60, "           ADD 1",
    )  # fmt: skip
    assert shown(reading) == [
        ("declarations", "P declarations", 1, 1),
        ("paragraphs", "SHORT", 2, 4),
        ("paragraphs", "MIDDLE", 5, 75),
        ("paragraphs", "LONG, lines 76-171", 76, 171),
        ("paragraphs", "LONG, lines 173-267", 173, 267),
    ]
    assert [part.name for part in reading.parts] == [
        "SHORT", "MIDDLE", "LONG, lines 76-171", "LONG, lines 173-267",
    ]  # fmt: skip


def test_a_long_sentence_is_cut_anywhere() -> None:
    """Where no sentence ends, a unit ends at its greatest length."""
    reading = read(*["           ADD 1"] * 130, file="P.cpy")
    assert [(unit.first, unit.last) for unit in reading.units] == [(1, 65), (66, 130)]


def test_declarations_are_cut_at_their_records() -> None:
    """No unit of declarations is over 120 lines, and records stay whole."""
    record = ["       01  REC.", *["           05  FILLER PIC X."] * 69, ""]
    reading = read("       PROGRAM-ID. P.", "       DATA DIVISION.", *record * 3)
    assert shown(reading) == [
        ("declarations", "P declarations, lines 1-72", 1, 72),
        ("declarations", "P declarations, lines 74-143", 74, 143),
        ("declarations", "P declarations, lines 145-214", 145, 214),
    ]
    assert reading.parts == ()


def test_each_unit_of_a_copybook_is_a_part() -> None:
    """A copybook is cut at its 01-levels, and called as its file."""
    reading = in_data(
        "01  REC.", *["    05  FILLER PIC X."] * 69, "01  REC-2.", *["    05  A."] * 69
    )
    assert shown(reading) == [
        ("copybook", "REC, lines 1-70", 1, 70),
        ("copybook", "REC, lines 71-140", 71, 140),
    ]
    assert reading.parts == reading.units


def test_a_copybook_may_hold_paragraphs_and_sections() -> None:
    """A copybook's paragraphs are subjects; its unit is named by the first and the last."""
    reading = in_data("FILE SECTION.", "CHECKS SECTION.", "CHECK-DATE.", "    PERFORM X.")
    assert shown(reading) == [("copybook", "REC to CHECK-DATE", 1, 4)]
    assert facts(reading, "section", "paragraph", "perform") == [
        ("section", "REC", "FILE", 1),
        ("section", "REC", "CHECKS", 2),
        ("paragraph", "REC", "CHECK-DATE", 3),
        ("perform", "CHECK-DATE", "X", 4),
    ]


def test_code_under_no_paragraph_is_a_part() -> None:
    """Code directly under PROCEDURE DIVISION or a SECTION is named by the program or section."""
    reading = read(
        "       PROGRAM-ID. P.", "       PROCEDURE DIVISION USING A B.", "           CALL 'X'.",
        "       S1 SECTION.", "           CALL 'Y'.", "       P1.", "           CALL 'Z'.",
        "       S2 SECTION.", "       P2.", "           CALL 'Q'.", "       S3 SECTION.",
    )  # fmt: skip
    assert [(part.name, part.first, part.last) for part in reading.parts] == [
        ("P", 2, 3), ("S1", 4, 5), ("P1", 6, 7), ("P2", 8, 10),
    ]  # fmt: skip
    assert reading.units[-1].last == 11
    assert facts(reading, "call") == [
        ("call", "P", "X", 3), ("call", "S1", "Y", 5),
        ("call", "P1", "Z", 7), ("call", "P2", "Q", 10),
    ]  # fmt: skip


def test_a_paragraph_may_be_called_end_something() -> None:
    """Only what COBOL reserves, such as END-IF, ends a statement; END-PROGRAM is a name."""
    reading = in_procedure(
        "PERFORM END-ACCOUNTS THRU END-JOB", "IF A GO TO END-PROGRAM END-IF.",
        "EXEC SQL COMMIT END-EXEC END-IF.",
    )  # fmt: skip
    more = read(
        "       PROGRAM-ID. P.", "       PROCEDURE DIVISION.", "       END-PROGRAM.",
        "           EXEC SQL COMMIT END-EXEC", "           END-READ.", "       END-OF-JOB.",
        "           GOBACK.", "       END PROGRAM P.",
    )  # fmt: skip
    assert pairs(reading) == [
        ("perform", "END-ACCOUNTS"), ("thru", "END-JOB"), ("goto", "END-PROGRAM"),
    ]  # fmt: skip
    assert objects(reading, "paragraph") == ["MAIN"]
    assert objects(more, "paragraph") == ["END-PROGRAM", "END-OF-JOB"]


def test_declaratives_are_no_paragraph() -> None:
    """DECLARATIVES and END DECLARATIVES begin nothing, the sections between them do."""
    reading = read(
        "       PROGRAM-ID. P.", "       PROCEDURE DIVISION.", "       DECLARATIVES.",
        "       ERRORS SECTION.", "           USE AFTER ERROR PROCEDURE ON F.",
        "       END DECLARATIVES.", "       EJECT", "       MAIN.", "           CALL 'X'.",
    )  # fmt: skip
    assert [part.name for part in reading.parts] == ["ERRORS", "MAIN"]


def test_nested_programs_have_their_own_units() -> None:
    """Each program has declarations and paragraphs; END PROGRAM returns to the one around it."""
    program = ["       ID DIVISION.", "       PROGRAM-ID. {}.", "       PROCEDURE DIVISION.",
               "       A-{}.", "           CALL 'C-{}'."]  # fmt: skip
    inner = [line.format("INNER") for line in program]
    last = [line.format("LAST") for line in program]
    reading = read(
        *[line.format("OUTER") for line in program],
        "      * The inner one",
        *inner, "       END PROGRAM INNER.",
        "       END PROGRAM OUTER.",
        *last,
    )  # fmt: skip
    assert shown(reading) == [
        ("declarations", "OUTER declarations", 1, 2),
        ("paragraphs", "A-OUTER", 3, 5),
        ("declarations", "INNER declarations", 6, 8),
        ("paragraphs", "A-INNER", 9, 12),
        ("paragraphs", "OUTER", 13, 13),
        ("declarations", "LAST declarations", 14, 15),
        ("paragraphs", "A-LAST", 16, 18),
    ]
    assert facts(reading, "program", "call") == [
        ("program", "OUTER", "OUTER", 2), ("call", "A-OUTER", "C-OUTER", 5),
        ("program", "INNER", "INNER", 8), ("call", "A-INNER", "C-INNER", 11),
        ("program", "LAST", "LAST", 15), ("call", "A-LAST", "C-LAST", 18),
    ]  # fmt: skip
    assert [(whole.name, whole.kind, whole.first, whole.last) for whole in reading.wholes] == [
        ("OUTER", "program", 1, 13), ("INNER", "program", 6, 12), ("LAST", "program", 14, 18),
    ]  # fmt: skip
    assert read(*[line.format("ONLY") for line in program]).wholes == ()


def test_programs_without_their_first_header_are_told_apart() -> None:
    """A second PROGRAM-ID begins a program; END PROGRAM too many closes nothing."""
    reading = read("       PROGRAM-ID. A.", "       PROGRAM-ID. 'b'.", "       PROGRAM-ID",
                   "       PROCEDURE DIVISION.", "           CALL 'X'.", "       END PROGRAM.",
                   "       END PROGRAM B.", "       END PROGRAM A.",
                   "       END PROGRAM Q.")  # fmt: skip
    assert objects(reading, "program") == ["A", "B"]
    assert objects(reading, "call") == ["X"]


def test_a_program_without_any_divisions_but_sections_is_read() -> None:
    """A data section ends the identification division where no header does."""
    reading = read("       PROGRAM-ID. A.", "       WORKING-STORAGE SECTION.", "       01 X PIC X.")
    assert facts(reading, "section", "data") == [
        ("section", "A", "WORKING-STORAGE", 2), ("data", "X", "01 X", 3),
    ]  # fmt: skip


def test_divisions_out_of_order_are_read() -> None:
    """Declarations behind paragraphs yield their facts, and stay in the unit before them."""
    reading = in_procedure("CALL 'X'.", "DATA DIVISION.", "01  A PIC X.")
    assert facts(reading, "call", "data") == [("call", "MAIN", "X", 4), ("data", "A", "01 X", 6)]
    assert [(unit.first, unit.last) for unit in reading.units] == [(1, 1), (2, 6)]


# Lines


def test_sequence_numbers_are_no_code() -> None:
    """In fixed format, columns 1-6 and 73-80 are not read."""
    reading = read(
        "000100 PROGRAM-ID. P.".ljust(72) + "CALL 'A'",
        "CALLXX PROCEDURE DIVISION.",
        "CHG001     CALL 'B'".ljust(72) + "'C'.",
    )
    assert objects(reading, "call") == ["B"]


def test_comment_lines_are_no_code() -> None:
    """An asterisk or a slash in column 7, *>, or an asterisk in column 1 makes a comment."""
    reading = read(
        "       PROGRAM-ID. P.", "       PROCEDURE DIVISION.",
        "      *    CALL 'C'", "      /    CALL 'D'", "       *>  CALL 'E'", "* CALL 'F' NOW",
        "           CALL 'G' *> CALL 'H' later", "      $SET MAPNAME", "           .",
    )  # fmt: skip
    assert objects(reading, "call") == ["G"]
    assert objects(reading, "comment") == ["CALL 'F' NOW", "CALL 'H' later"]


DEBUGGED = (
    "       PROGRAM-ID. P.", "       ENVIRONMENT DIVISION.", "       CONFIGURATION SECTION.",
    "       SOURCE-COMPUTER. IBM-370{mode}.", "       DATA DIVISION.",
    "       WORKING-STORAGE SECTION.", "      D01  WS-TRACE PIC X.", "       PROCEDURE DIVISION.",
    "       ONE.", "           CALL 'A'.", "      D    DISPLAY 'SEEN SO FAR. CALL 'B'.",
    "      d    CALL 'C'.", "      DTWO.", "           CALL 'D'.",
)  # fmt: skip


def test_a_line_for_debugging_is_neither_code_nor_comment() -> None:
    """Without WITH DEBUGGING MODE, a line with D in column 7 states nothing at all."""
    reading = read(*(line.format(mode="") for line in DEBUGGED))
    assert objects(reading, "call") == ["A", "D"]
    assert objects(reading, "data", "paragraph", "comment") == ["ONE"]
    assert reading.problems == ()
    assert objects(read("      D    CALL 'A'.", file="CODE.cpy"), "call") == []


@pytest.mark.parametrize("mode", [" WITH DEBUGGING MODE", " DEBUGGING\n      * Or\n       MODE"])
def test_a_line_for_debugging_is_code_in_debugging_mode(mode: str) -> None:
    """SOURCE-COMPUTER says so, for all of the program behind it."""
    reading = read(*"\n".join(DEBUGGED).format(mode=mode).split("\n"))
    assert objects(reading, "call") == ["A", "C", "D"]
    assert objects(reading, "data", "paragraph") == ["01 X", "ONE", "TWO"]


def test_debugging_mode_is_of_one_program_and_what_it_contains() -> None:
    """The next program beside it says for itself whether it is debugged."""
    inner = ("       ID DIVISION.", "       PROGRAM-ID. IN{n}.", "       PROCEDURE DIVISION.",
             "      D    CALL '{n}'.", "       END PROGRAM IN{n}.")  # fmt: skip
    outer = [line.format(mode=" WITH DEBUGGING MODE") for line in DEBUGGED]
    lines = [*outer, *(line.format(n=1) for line in inner), "      D    CALL '2'.",
             "       END PROGRAM P.", *(line.format(n=3) for line in inner),
             "       END PROGRAM P.", "      D    CALL '4'."]  # fmt: skip
    assert objects(read(*lines), "call") == ["A", "C", "D", "1", "2"]


@pytest.mark.parametrize(
    ("lines", "calls", "comments"),
    [
        (["NOTE It doesn't CALL 'B'. CALL 'C'."], ["C"], ["It doesn't CALL 'B'."]),
        (["CALL 'A'.", "NOTE The total", "is 1.5 at most.", "CALL 'B'."],
         ["A", "B"], ["The total", "is 1.5 at most."]),
        (["MOVE A TO NOTE.", "CALL 'A'."], ["A"], []),
        (["NOTE .", "CALL 'B'.", "NOTE SECTION.", "CALL 'C'."], ["B", "C"], []),
        (["EXEC SQL SELECT A FROM O. NOTE END-EXEC. CALL 'A'."], ["A"], []),
        (["CALL 'A'.", "NOTE", "That is all"], ["A"], ["That is all"]),
    ],
)  # fmt: skip
def test_a_note_is_a_comment(lines: list[str], calls: list[str], comments: list[str]) -> None:
    """It ends with its sentence; what is only called so is none."""
    reading = in_procedure("CONTINUE.", *lines)
    assert (objects(reading, "call"), objects(reading, "comment")) == (calls, comments)
    assert reading.problems == ()


def test_a_paragraph_that_begins_with_a_note_is_one() -> None:
    """All of it is a comment, up to the next line in area A; free format has no notes."""
    lines = ("PROGRAM-ID. P.", "PROCEDURE DIVISION.", "ONE.", "    NOTE Of old. CALL 'A'.",
             "    It isn't used.", "TWO SECTION.", "    NOTE Nor this.", "    CALL 'B'.",
             "THREE. CALL 'C'.", "    NOTE But this is. CALL 'D'.")  # fmt: skip
    reading = read(*(f"       {line}" for line in lines))
    assert objects(reading, "call") == ["C", "D"]
    assert objects(reading, "comment") == [
        "Of old. CALL 'A'.", "It isn't used.", "Nor this.", "But this is.",
    ]  # fmt: skip
    assert objects(reading, "paragraph", "section") == ["ONE", "TWO", "THREE"]
    assert objects(read(*lines[:4], *lines[7:]), "call") == ["A", "B", "C", "D"]


def test_comments_are_stripped_of_their_decoration() -> None:
    """A comment fact has two words or more, and at most 200 characters; what is cut is marked."""
    reading = read(
        "      *****  Opens the file  *****", "      *----------------", "      * One",
        "       >>SOURCE FORMAT IS FREE", "*> " + "word " * 60,
    )  # fmt: skip
    assert objects(reading, "comment") == ["Opens the file", "word " * 40 + "..."]


@pytest.mark.parametrize(
    "lines",
    [
        [">>SOURCE FORMAT FREE", "program-id. p.", "procedure division.", "call 'x'."],
        ["      $SET SOURCEFORMAT\"FREE\"", "PROGRAM-ID. P.", "PROCEDURE DIVISION.", "CALL 'x'."],
        ["identification division.", "program-id. p.", "procedure division.", "main.", "* call 'y'",
         "*> call 'z'", "  " * 40 + "call 'x'."],
        ["perform a", "call 'x'"],
    ],
)  # fmt: skip
def test_free_format_is_told_by_a_directive_or_by_code_before_column_8(lines: list[str]) -> None:
    """Free format has no columns; only *> and an asterisk in column 1 make comments."""
    assert objects(read(*lines), "call") == ["x"]


def test_the_format_may_change_and_have_no_right_margin() -> None:
    """SOURCEFORMAT VARIABLE reads on behind column 72."""
    reading = read("       >>SOURCE FORMAT VARIABLE", " " * 75 + "CALL 'A'",
                   "       >>SOURCE FIXED",
                   "           CALL 'B'.", " " * 75 + "CALL 'C'")  # fmt: skip
    assert objects(reading, "call") == ["A", "B"]


def test_tabs_reach_to_the_next_eighth_column() -> None:
    """A tab in column 1 leads into the code area."""
    assert objects(read("\tPERFORM A", "000100\tPERFORM B."), "perform") == ["A", "B"]


def test_a_literal_goes_on_behind_a_hyphen() -> None:
    """A literal's blanks up to column 72 are part of it; its words are no code."""
    reading = in_procedure("MOVE 'It''s", "      -    'CALL", "      -    'X' TO Y.", "CALL 'C'.")
    assert facts(reading, "move", "call") == [
        ("move", "Y", "It's".ljust(72 - 17 - 1) + "CALL".ljust(72 - 12) + "X", 4),
        ("call", "MAIN", "C", 7),
    ]
    assert reading.problems == ()


def test_a_word_goes_on_behind_a_hyphen() -> None:
    """A word is joined; where there is nothing to join, the line is read as it stands."""
    reading = in_procedure("PERFORM READ-", "      -    FILE.", "      -    CALL 'A'.")
    assert pairs(reading) == [("perform", "READ-FILE"), ("call", "A")]
    assert objects(read("      -    CALL 'A'"), "call") == ["A"]


def test_a_literal_without_its_end_is_a_problem() -> None:
    """It ends with its line and is no operand; code goes on, and free comments tell nothing."""
    reading = in_procedure("CALL 'A", "CALL 'B'.", "CALL 'C")
    assert objects(reading, "call") == ["B"]
    assert reading.problems == (
        Problem(4, "a literal has no end"),
        Problem(6, "a literal has no end"),
    )
    author = read("       PROGRAM-ID. A.", "       AUTHOR. John's. COPY X. CALL 'Y'")
    assert (author.problems, pairs(author)) == ((), [])


@pytest.mark.parametrize(
    ("written", "moved"),
    [
        ("'a''b'", "a'b"), ('"a""b"', 'a"b'), ('"it\'s"', "it's"), ("X'0D'", "X'0D'"), ("''", ""),
        ("ALL '*'", "*"), ("-1.5", "-1.5"), ("+.5", "+.5"), ("SPACES", "SPACES"),
    ],
)  # fmt: skip
def test_constants_are_moved_as_they_are_meant(written: str, moved: str) -> None:
    """Quotes are taken off and doubled ones halved; numbers and figuratives are constants too."""
    assert facts(in_procedure(f"MOVE {written} TO A."), "move") == [("move", "A", moved, 4)]


def test_keywords_in_literals_and_comments_are_no_code() -> None:
    """Neither literals nor comments hold statements, whatever they say."""
    reading = in_procedure(
        "DISPLAY 'CALL X PERFORM Y' \"GO TO Z. COPY Q.\" *> CALL 'A'",
        "MOVE 'TO' TO A", "CALL 'TIMES' USING 'DIVISION' 'SECTION'", "COPY 'COPY'.",
        "'X' . PERFORM B",
        "EXEC SQL OPEN 'END-EXEC' END-EXEC",
    )  # fmt: skip
    assert pairs(reading, "comment") == [
        ("move", "TO"), ("call", "TIMES"), ("copy", "COPY"), ("perform", "B"),
    ]  # fmt: skip


# Statements


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["call", "'X'", "using A."], [("call", "X")]),
        (["CALL WS-A(1)."], [("call-name", "WS-A")]),
        (["CALL ."], []),
        (["ENTRY 'E1' USING A. ENTRY A."], [("entry", "E1")]),
        (["PERFORM A THROUGH B"], [("perform", "A"), ("thru", "B")]),
        (["PERFORM A THRU."], [("perform", "A")]),
        (["PERFORM A OF S 5 TIMES"], [("perform", "A")]),
        (["PERFORM A WS-N TIMES"], [("perform", "A")]),
        (["PERFORM A VARYING I FROM 1 BY 1 UNTIL X"], [("perform", "A")]),
        (["PERFORM 5 TIMES CALL 'X' END-PERFORM"], [("call", "X")]),
        (["PERFORM WS-N(I) OF G TIMES CALL 'X' END-PERFORM"], [("call", "X")]),
        (["PERFORM UNTIL A CALL 'X' END-PERFORM"], [("call", "X")]),
        (["PERFORM WITH TEST AFTER VARYING I FROM 1 BY 1"], []),
        (["PERFORM ("], []),
        (["PERFORM A(PERFORM B"], [("perform", "A"), ("perform", "B")]),
        (["SORT F INPUT PROCEDURE IS A OUTPUT PROCEDURE B THRU C"],
         [("perform", "A"), ("perform", "B"), ("thru", "C")]),
        (["USE AFTER ERROR PROCEDURE ON F"], []),
        (["GO TO A B"], [("goto", "A")]),
        (["GO A."], [("goto", "A")]),
        (["GO TO A OF S", "B", "DEPENDING ON X"], [("goto", "A"), ("goto", "B")]),
        (["GO TO."], []),
        (["READ F NEXT AT END CONTINUE END-READ"], [("read", "F")]),
        (["WRITE R FROM X. REWRITE R. DELETE F RECORD. START F KEY > K."],
         [("write", "R"), ("rewrite", "R"), ("delete", "F"), ("start", "F")]),
        (["WRITE FILE F FROM X. READ. END-WRITE END-DELETE"], [("write", "F")]),
        (["OPEN INPUT A, B OUTPUT C WITH NO REWIND CLOSE D"],
         [("open", "A"), ("open", "B"), ("open", "C")]),
        (["MOVE A(1:2) OF B TO C(I) OF D, E CALL 'X'"],
         [("move-name", "A"), ("move-name", "A"), ("call", "X")]),
        (["MOVE CORR A TO B"], [("move-corresponding", "A")]),
        (["MOVE CORRESPONDING A OF R TO B OF S C"], [("move-corresponding", "A")] * 2),
        (["MOVE FUNCTION MAX(A B) TO C", "MOVE LENGTH OF A TO B. MOVE . MOVE A CALL 'X'"],
         [("call", "X")]),
        (["NEXT SENTENCE", "EXIT.", "GOBACK.", "CONTINUE.", "STOP.", "END-IF."], []),
    ],
)  # fmt: skip
def test_statements_yield_their_operands(lines: list[str], found: list[tuple[str, str]]) -> None:
    """Each verb yields the names behind it, on whichever line, and stops at the next verb."""
    reading = in_procedure(*lines)
    assert pairs(reading) == found
    assert objects(reading, "paragraph") == ["MAIN"]


def test_a_moves_subject_is_its_target() -> None:
    """Each target of a MOVE is a subject; the line is that of what is moved."""
    assert facts(in_procedure("MOVE", "'X'", "TO A B."), "move") == [
        ("move", "A", "X", 5), ("move", "B", "X", 5),
    ]  # fmt: skip


def test_an_operand_has_its_own_line() -> None:
    """The fact's line is the operand's, not the verb's."""
    reading = in_procedure("CALL", "", "'X'", ".", "PERFORM A", "THRU", "B.")
    assert facts(reading, "call", "perform", "thru") == [
        ("call", "MAIN", "X", 6), ("perform", "MAIN", "A", 8), ("thru", "MAIN", "B", 10),
    ]  # fmt: skip


def test_a_period_may_stand_alone() -> None:
    """A paragraph's period, or the one before it, may be on a line of its own."""
    reading = in_procedure("EXIT", ".", "NEXT-PARA", ".", "CALL 'X'")
    assert facts(reading, "paragraph", "call") == [
        ("paragraph", "P", "MAIN", 3), ("paragraph", "P", "NEXT-PARA", 6),
        ("call", "NEXT-PARA", "X", 8),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["COPY A. CALL 'X'."], [("copy", "A"), ("call", "X")]),
        (["COPY 'A.cpy' IN LIB SUPPRESS."], [("copy", "A.cpy"), ("copy-library", "LIB")]),
        (["COPY A OF LIB REPLACING ==CALL 'Y'== BY ==PERFORM", "Z. GO TO B== X BY 'Q'.",
          "CALL 'X'."],
         [("copy", "A"), ("copy-library", "LIB"),
          ("copy-replacing", "==CALL 'Y'== BY ==PERFORM Z . GO TO B=="),
          ("copy-replacing", "==X== BY =='Q'=="), ("call", "X")]),
        (["COPY A REPLACING ==B BY C. CALL 'X'."],
         [("copy", "A"), ("copy-replacing", "==== ==B== BY ==C=="), ("call", "X")]),
        (["COPY A REPLACING LEADING ==:T:== BY ==== B BY C CALL 'X'"],
         [("copy", "A"), ("copy-replacing", "LEADING ==:T:== BY ===="),
          ("copy-replacing", "==B== BY ==C=="), ("call", "X")]),
        (["REPLACE ==A== BY ==CALL 'Y'==. CALL 'X'. REPLACE OFF."], [("call", "X")]),
        (["COPY. COPY CALL 'X'"], [("call", "X")]),
        (["COPY A REPLACING ==PIC== BY ==PICTURE==. CALL 'X'."],
         [("copy", "A"), ("copy-replacing", "==PIC== BY ==PICTURE=="), ("call", "X")]),
    ],
)  # fmt: skip
def test_copy_yields_the_copybook(lines: list[str], found: list[tuple[str, str]]) -> None:
    """Words in pseudo-text are no code; pseudo-text without an end swallows nothing."""
    assert pairs(in_procedure(*lines)) == found


# Data


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["01  A PIC -9(9).9(9)."], [("data", "A", "01 -9(9).9(9)")]),
        (["01  A PIC", "    IS", "    X(5)."], [("data", "A", "01 X(5)")]),
        (["01  A PICTURE IS ZZ,ZZ9.99- USAGE DISPLAY."], [("data", "A", "01 ZZ,ZZ9.99-")]),
        (["05  PIC X. 05 FILLER PIC X VALUE 'A'. 05 . 05 REDEFINES B PIC X."], []),
        (["05  :TAG:-A PIC 9 OCCURS 5 TIMES."], [("data", ":TAG:-A", "05 9")]),
        (["77  A PIC X VALUE IS ALL '*' PIC 9."], [("data", "A", "77 X"), ("value", "A", "*")]),
        (["01  A PIC 'X'."], [("data", "A", "01")]),
        (["01  A PIC .", "01  B."], [("data", "A", "01"), ("data", "B", "01")]),
        (["88  A VALUES ARE 1 THRU 5, 'X',", "    7", "    ZERO WHEN FALSE IS 9."],
         [("data", "A", "88"), *(("value", "A", v) for v in ("1", "5", "X", "7", "ZERO"))]),
        (["05  A PIC X(5)", "10  B VALUE 5", "15  FILLER PIC X"],
         [("data", "A", "05 X(5)"), ("data", "B", "10"), ("value", "B", "5")]),
        (["01  A VALUE 'X' COPY B."],
         [("data", "A", "01"), ("value", "A", "X"), ("copy", "REC", "B")]),
        (["01  A COPY B REPLACING ==PIC X== BY ==PIC 9==.", "01  C PIC X."],
         [("data", "A", "01"), ("copy", "REC", "B"),
          ("copy-replacing", "B", "==PIC X== BY ==PIC 9=="),
          ("data", "C", "01 X")]),
        (["01  A PIC X", "DATA DIVISION.", "01  B PIC X", "LINKAGE SECTION."],
         [("data", "A", "01 X"), ("data", "B", "01 X")]),
        (["SD  F. FD 'x'. FD"], [("fd", "REC", "F")]),
    ],
)  # fmt: skip
def test_data_items_yield_level_picture_and_values(
    lines: list[str], found: list[tuple[str, str, str]]
) -> None:
    """The subject is the item; unnamed ones yield nothing; a missing period costs no item."""
    reading = in_data(*lines)
    kinds = ("data", "value", "copy", "copy-replacing", "fd")
    assert [fact[:3] for fact in facts(reading, *kinds)] == found


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("SELECT F ASSIGN UT-S-DD1 ORGANIZATION SEQUENTIAL.", ["UT-S-DD1"]),
        ("SELECT OPTIONAL F ASSIGN TO EXTERNAL DD1.", ["DD1"]),
        ("SELECT F ASSIGN TO DISK 'a.dat'.", ["a.dat"]),
        ("SELECT F ASSIGN TO DISK.", ["DISK"]),
        ("SELECT F ASSIGN", []),
        ("SELECT F.", []),
        ("SELECT", []),
    ],
)
def test_select_yields_the_external_name(entry: str, found: list[str]) -> None:
    """The subject is the file; devices give way to a literal."""
    assert facts(in_data(entry), "assign") == [("assign", "F", name, 1) for name in found]


# EXEC


@pytest.mark.parametrize(
    ("text", "verb", "tables"),
    [
        ("DECLARE C1 CURSOR FOR SELECT A FROM T1 X, T2 AS Y WHERE B = :H FOR UPDATE OF A",
         "DECLARE CURSOR", ["select T1", "select T2"]),
        ("SELECT A INTO :H:I FROM S.T1 JOIN T2 ON X = Y LEFT JOIN (SELECT B FROM T3 GROUP BY C) Z",
         "SELECT", ["select S.T1", "select T2", "select T3"]),
        ("SELECT TRIM(LEADING '0' FROM A), (SELECT MAX(B) FROM T2) FROM (T1 JOIN T4 ON A = B), :H",
         "SELECT", ["select T2", "select T1", "select T4"]),
        ("SELECT A FROM TABLE(F(1)) WHERE A IS DISTINCT FROM B AND C IN (SELECT D FROM T1)",
         "SELECT", ["select T1"]),
        ("WITH X AS (SELECT A FROM T1) SELECT B FROM X UNION SELECT C FROM T2", "WITH",
         ["select T1", "select T2"]),
        ("INSERT INTO T1 (A, B) SELECT C, D FROM T2", "INSERT", ["insert T1", "select T2"]),
        ("SELECT A FROM FINAL TABLE (INSERT INTO T1 (A) VALUES (:H))", "SELECT", ["insert T1"]),
        ("UPDATE T1 X SET A = 1 WHERE CURRENT OF C1", "UPDATE", ["update T1"]),
        ("DELETE FROM T1 WHERE A IN (1, 2)", "DELETE", ["delete T1"]),
        ("MERGE INTO T1 USING T2 ON A = B WHEN MATCHED THEN UPDATE SET C = D", "MERGE",
         ["merge T1", "select T2"]),
        ("LOCK TABLE T1 IN SHARE MODE", "LOCK", ["lock T1"]),
        ("TRUNCATE TABLE T1", "TRUNCATE", ["truncate T1"]),
        ("TRUNCATE T1", "TRUNCATE", ["truncate T1"]),
        ("DECLARE S.T1 TABLE (A CHAR(1))", "DECLARE TABLE", ["declare-table S.T1"]),
        ("DECLARE GLOBAL TEMPORARY TABLE T1 (A CHAR(1))", "DECLARE TABLE", ["declare-table T1"]),
        ("BEGIN DECLARE SECTION", "BEGIN DECLARE SECTION", []),
        ("EXECUTE IMMEDIATE :H", "EXECUTE IMMEDIATE", []),
        ("FETCH NEXT FROM C1 INTO :A, :B", "FETCH", []),
        ("OPEN C1", "OPEN", []),
        ("CALL S.PROC(:A)", "CALL", ["call S.PROC"]),
        ("CALL :H", "CALL", ["call-name H"]),
        ("CALL", "CALL", []),
        ("INCLUDE 'M1'", "INCLUDE", ["include M1"]),
        ("INCLUDE", "INCLUDE", []),
        ("WHENEVER SQLERROR GO TO ERR", "WHENEVER", ["goto ERR"]),
        ("DELETE -- FROM T2 isn't\n FROM T1)", "DELETE", ["delete T1"]),
        ('DELETE FROM "OWN"."T6" X WHERE A = \'B\'', "DELETE", ["delete OWN.T6"]),
        ('DELETE FROM OWN . "T6"', "DELETE", ["delete OWN.T6"]),
        ('DELETE FROM "OWN" . T6 WHERE A = 1', "DELETE", ["delete OWN.T6"]),
        ('SELECT A FROM "T7" Y, T8, D."S"."T 9" Z', "SELECT",
         ["select T7", "select T8", 'select D.S."T 9"']),
        ('INSERT INTO "Own"."T11" VALUES (\'A\', \'.\', "B". \'C\' .)', "INSERT",
         ['insert "Own".T11']),
        ('WITH "X" AS (SELECT A FROM "T1") SELECT B FROM "X"', "WITH", ["select T1"]),
        ('DECLARE "S"."T1" TABLE (A CHAR(1))', "DECLARE TABLE", ["declare-table S.T1"]),
        ('CALL "S"."PROC"(:A)', "CALL", ["call S.PROC"]),
    ],
)  # fmt: skip
def test_sql_yields_its_verb_and_tables(text: str, verb: str, tables: list[str]) -> None:
    """Tables stand in lists, joins and sub-selects; cursors and host variables are none."""
    reading = in_procedure("EXEC SQL", *wrapped(text), "END-EXEC", "CALL 'Z'.")
    assert objects(reading, "sql") == [verb]
    found = [f"{kind} {name}" for kind, name in pairs(reading, "comment")]
    assert found == [*tables, "call Z"]


@pytest.mark.parametrize(
    ("text", "command", "found"),
    [
        ("SEND FROM(A) MAP('M1') MAPSET(S)", "SEND MAP", [("send", "M1"), ("mapset", "S")]),
        ("RECEIVE MAP(M)", "RECEIVE MAP", [("receive", "M")]),
        ("SEND FROM(ABEND-DATA) NOHANDLE", "SEND", []),
        ("LINK PROGRAM('P1') COMMAREA(C)", "LINK", [("link", "P1")]),
        ("XCTL PROGRAM (WS-PGM(I))", "XCTL", [("xctl-name", "WS-PGM")]),
        ("RETURN TRANSID('T1')", "RETURN", [("transid", "T1")]),
        ("START TRANSID(WS-T)", "START", [("transid-name", "WS-T")]),
        ("READNEXT FILE('F1 ') INTO(X)", "READNEXT", [("read", "F1")]),
        ("STARTBR FILE(F) RIDFLD(K)", "STARTBR", [("browse", "F")]),
        ("RESETBR FILE('F1') RIDFLD(K)", "RESETBR", [("browse", "F1")]),
        ("REWRITE DATASET(F)", "REWRITE", [("rewrite", "F")]),
        ("ENDBR FILE(F)", "ENDBR", []),
        ("WRITEQ TD QUEUE('Q1') FROM(X)", "WRITEQ TD", [("queue", "Q1")]),
        ("HANDLE CONDITION NOTFND(A)", "HANDLE CONDITION", []),
        ("INQUIRE PROGRAM(P)", "INQUIRE PROGRAM", []),
        ("SYNCPOINT", "SYNCPOINT", []),
        ("LINK PROGRAM", "LINK", []),
    ],
)  # fmt: skip
def test_cics_yields_its_command_and_resources(
    text: str, command: str, found: list[tuple[str, str]]
) -> None:
    """A resource's kind says what is done with it, or that it stands in a data item."""
    reading = in_procedure("EXEC CICS", text, "END-EXEC", "GO TO X.")
    assert objects(reading, "cics") == [command]
    assert pairs(reading) == [*found, ("goto", "X")]


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("DELETE COUNTER(C) POOL(P) NOSUSPEND", "DELETE COUNTER"),
        ("DELETE POOL(P) DCOUNTER(C)", "DELETE DCOUNTER"),
        ("REWIND COUNTER(C)", "REWIND COUNTER"),
        ("UPDATE DCOUNTER(C) VALUE(V)", "UPDATE DCOUNTER"),
        ("GET CHANNEL(H) CONTAINER(C) INTO(D)", "GET CONTAINER"),
        ("START TRANSID('T1') CHANNEL(H)", "START CHANNEL"),
        ("SIGNAL EVENT(E) FROMCHANNEL(H)", "SIGNAL EVENT"),
        ("STARTBROWSE CONTAINER BROWSETOKEN(T)", "STARTBROWSE CONTAINER"),
        ("WEB READ FORMFIELD(F) VALUE(V)", "WEB READ FORMFIELD"),
        ("WEB SEND FROM(D)", "WEB SEND"),
        ("DEFINE INPUT EVENT(E)", "DEFINE INPUT EVENT"),
        ("WAIT SIGNAL", "WAIT SIGNAL"),
        ("WRITE JOURNALNUM(1) FROM(D)", "WRITE JOURNALNUM"),
        ("RECEIVE PARTN(P) INTO(D)", "RECEIVE PARTN"),
        ("PERFORM STATISTICS RECORD ALL", "PERFORM STATISTICS"),
        ("SPOOLOPEN INPUT TOKEN(T)", "SPOOLOPEN"),
        ("FREE CHILD(C)", "FREE CHILD"),
        ("FREE SESSION(S)", "FREE"),
    ],
)
def test_a_cics_command_has_all_of_its_words(text: str, command: str) -> None:
    """It is named as IBM's lists of commands name it, and is no command of a file."""
    reading = in_procedure("EXEC CICS", text, "END-EXEC.")
    assert objects(reading, "cics") == [command]
    assert objects(reading, "delete", "write", "read") == []


def test_dli_yields_its_function() -> None:
    """EXEC DLI has a function; a CALL of CBLTDLI stays a call; an empty block yields nothing."""
    reading = in_procedure(
        "EXEC DLI GU USING PCB(1) END-EXEC CALL 'CBLTDLI' USING F.", "EXECUTE DLI END-EXEC."
    )
    assert pairs(reading) == [("dli", "GU"), ("call", "CBLTDLI")]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["EXEC SQL DELETE FROM T1", "MOVE 'A' TO B.", "CALL 'X'."],
         [("delete", "T1"), ("move", "A"), ("call", "X")]),
        (["EXEC SQL OPEN C1.", "NEXT-PARA.", "CALL 'X'."], [("call", "X")]),
        (["EXEC SQL OPEN C1", "EXEC CICS LINK PROGRAM('P') END-EXEC"], [("link", "P")]),
        (["EXEC SQL OPEN C1", "PROCEDURE DIVISION.", "CALL 'X'."], [("call", "X")]),
        (["EXEC SQL"], []),
    ],
)  # fmt: skip
def test_a_block_without_its_end_is_a_problem(
    lines: list[str], found: list[tuple[str, str]]
) -> None:
    """A missing END-EXEC is told with the line of its EXEC, and the code behind it is read."""
    reading = in_procedure(*lines)
    assert reading.problems == (Problem(4, "EXEC SQL has no END-EXEC"),)
    assert pairs(reading) == found


def test_exec_of_another_language_is_no_block() -> None:
    """Only SQL, CICS and DLI have blocks."""
    assert pairs(in_procedure("EXEC HTML CALL 'X'.")) == [("call", "X")]


# Any text


def test_letters_outside_ascii_are_letters() -> None:
    """Names may hold latin-1 letters; they are upper-cased as all others."""
    assert objects(in_procedure("perform pr\xfcfung."), "perform") == ["PR\xdcFUNG"]


@pytest.mark.parametrize("lines", [(), ("",), ("   ", "\t")])
def test_a_file_without_text_has_nothing(lines: tuple[str, ...]) -> None:
    """No text: no units, no facts."""
    assert read(*lines) == Reading((), ())


def test_paragraphs_on_one_line_share_its_unit() -> None:
    """Units never overlap; where one line holds all, it is one unit with many parts."""
    line = "program-id. p. procedure division. a. call 'x'. b. call 'y'."
    reading = read(line, "call 'z'.")
    assert shown(reading) == [("declarations", "P declarations", 1, 2)]
    assert [(part.name, part.first, part.last) for part in reading.parts] == [
        ("A", 1, 1),
        ("B", 1, 1),
    ]
    assert objects(reading, "call") == ["x", "y", "z"]


WORDS = """
CALL ' " == ( ) . EXEC SQL CICS END-EXEC COPY REPLACING PIC IS - : *> -- MOVE TO GO PERFORM THRU A
B-C 01 88 VALUE DIVISION PROCEDURE SECTION PROGRAM-ID ID END PROGRAM SELECT ASSIGN FROM INSERT INTO
DECLARE TABLE CURSOR INCLUDE SEND MAP , OF DEPENDING >>SOURCE FREE \xe9 JOIN IDENTIFICATION DATA FD
"""
PIECES = st.sampled_from([*(line[7:] for line in SAMPLE), *WORDS.split(), "\t"])
MARGINS = st.sampled_from(
    ["", "       ", "      -", "      *", "000100 ", "           ", "      D"]
)
LINES = st.lists(st.tuples(MARGINS, st.lists(PIECES, max_size=6)), max_size=40)


def assert_whole(lines: list[str]) -> None:
    """Assert what holds for the reading of any text."""
    reading = read(*lines)
    for one, other in pairwise(reading.units):
        assert one.last < other.first
    covered = {line for unit in reading.units for line in range(unit.first, unit.last + 1)}
    assert {number for number, line in enumerate(lines, 1) if line.strip()} <= covered
    assert covered <= set(range(1, len(lines) + 1))
    assert all(fact.line in covered for fact in reading.facts)
    assert all(fact.subject for fact in reading.facts)
    for part in reading.parts:
        assert any(unit.first <= part.first <= part.last <= unit.last for unit in reading.units)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=90), max_size=30))
def test_any_text_is_read(lines: list[str]) -> None:
    """No text makes the reader raise; units cover all of it without overlap."""
    assert_whole(lines)


@settings(max_examples=300, deadline=None)
@given(LINES)
def test_any_mixture_of_cobol_is_read(lines: list[tuple[str, list[str]]]) -> None:
    """Neither does any sequence of the language's own words."""
    assert_whole([margin + " ".join(pieces) for margin, pieces in lines])


@settings(max_examples=300, deadline=None)
@given(LINES)
def test_what_lines_do_is_told_of_any_mixture(lines: list[tuple[str, list[str]]]) -> None:
    """Of cut lines, too; whatever is named stands there."""
    code = [margin + " ".join(pieces) for margin, pieces in lines]
    names = {token.text.upper() for token in scan(code).tokens}
    worked_out, done = operations(code), done_in_branch(code)
    assert {name for _, *both in worked_out for name in both} <= names
    assert {name for _, name in done} <= names
    assert declared_numbers(code).keys() <= names


@settings(max_examples=200, deadline=None)
@given(LINES)
def test_the_last_move_is_looked_for_in_any_mixture(lines: list[tuple[str, list[str]]]) -> None:
    """Whatever stands before the use of a name, the search for a MOVE ends there or finds it."""
    code = [margin + " ".join(pieces) for margin, pieces in lines]
    tokens = scan([*code, "       MOVE A TO B. CALL B"]).tokens
    assert Declared.of(Walk("A.cbl", tokens).items).alone.keys() <= {one.text for one in tokens}
    for token in tokens:
        found = last_move(tokens, token.word, token.line)
        assert found is None or found.first <= token.line


def test_no_move_is_found_where_none_stands_before_the_use() -> None:
    """Not even where statements that change nothing go back to the first line."""
    code = ["           DISPLAY 'A'.", "           CALL B."]
    assert last_move(scan(code).tokens, "B", 2) is None


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len("\n".join(SAMPLE))), st.randoms(use_true_random=False))
def test_a_truncated_or_shuffled_program_is_read(length: int, order: random.Random) -> None:
    """A program may end anywhere, and its lines may come in any order."""
    assert_whole("\n".join(SAMPLE)[:length].split("\n"))
    shuffled = list(SAMPLE)
    order.shuffle(shuffled)
    assert_whole(shuffled)


LARGE = {
    "a large program": SAMPLE + SAMPLE[17:] * 500,
    "one line": [" ".join(line[7:] for line in SAMPLE[1:]) * 250],
    "open parentheses": ["PERFORM A ( " * 10_000],
    "open pseudo-text": ["COPY A REPLACING == B . " * 5_000],
    "open literals": ["      -    'A"] * 10_000,
    "quotes": ["MOVE '" + "''" * 100_000],
    "names without an end": ["GO TO " + "A " * 25_000],
    "sums without an end": ["ADD " + "A " * 25_000 + "TO " + "B " * 25_000],
    "differences without an end": ["COMPUTE A = " + "A - " * 25_000 + "B"],
    "nested conditions": ["           IF A"] * 10_000,
    "open blocks": ["           EXEC SQL SELECT ("] * 5_000,
    "programs": ["       PROGRAM-ID. A."] * 5_000,
    "comments above one line": ["      * A"] * 10_000 + ["       A. " + "B. " * 50],
    "paragraphs on a line": ["PROCEDURE DIVISION. A." + " B. C." * 4_500, *["X"] * 10_000],
    "digits": ["1" * 100_000 + "-"],
    "periods": ["." * 25_000],
    "tabs and blanks": ["\t" * 10_000 + " " * 100_000 + "A"],
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("lines", LARGE.values(), ids=LARGE.keys())
def test_time_grows_with_the_text_alone(lines: list[str]) -> None:
    """No text of some hundred kilobytes takes more than a few seconds."""
    start = time.process_time()
    read(*lines)
    assert time.process_time() - start < 5


@pytest.mark.long
@pytest.mark.parametrize("lines", LARGE.values(), ids=LARGE.keys())
def test_what_lines_do_is_told_in_a_time_that_grows_with_them_alone(lines: list[str]) -> None:
    """As long as it takes to read them."""
    start = time.process_time()
    for told in (operations, done_in_branch, declared_numbers):
        told(lines)
    assert time.process_time() - start < 5


@pytest.mark.long
def test_what_many_items_are_is_found_in_linear_time() -> None:
    """Four times the items take no more than about four times as long."""

    def items(count: int) -> str:
        return "\n".join(f"       77  A{n} PIC X." for n in range(count))

    def declared(text: str) -> Declared:
        return Declared.of(Walk("A.cpy", scan(text.split("\n")).tokens).items)

    assert readings.is_linear(declared, items, 5_000)
