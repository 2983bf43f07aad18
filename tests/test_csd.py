"""The CSD reader: commands over lines, abbreviations, units, and any text at all."""

import pytest
import readings
from hypothesis import example, given
from hypothesis import strategies as st

from war_rig.readers import Reading, Source
from war_rig.readers.csd import CsdReader

SAMPLE = """\
* The desk of the lending library                                       00010000
DELETE GROUP(DESK)

DEFINE TRANSACTION(LIBM) GROUP(DESK)
       DESCRIPTION(MENU OF THE DESK (ALL BRANCHES))
       PROGRAM(LIBC01) TASKDATALOC(BELOW)                               00060000
* Returns are made here only
define trans (libr) g(desk) prog(
       libc03 )
 DEFINE FILE(LOANMST) GROUP(DESK) DSNAME(LIB.VSAM.                     *
LOANMST) ADD(YES) DELETE(NO)
        READ(YES)

DEFINE PROGRAM(LIBC01) GROUP(DESK)
DEFINE MAPSET(LIBSET)  GROUP(DESK)
DEFINE TDQUEUE(LATE) GROUP(DESK) TYPE(EXTRA) DDNAME(LATEOUT)
DEFINE DB2ENTRY(LIBDB2E) GROUP(DESK) PLAN(LIBDESK)
DEFINE DB2TRAN(LIBR) GROUP(DESK) ENTRY(LIBDB2E)
DEFINE LIBRARY(LIBLOAD) GROUP(DESK) DSNAME01(LIB.LOAD)
ADD GROUP(DESK) LIST(NIGHT)
* The end"""


def read(text: str, file: str = "cics/desk.csd") -> Reading:
    """Return the reading of *text*, a line each."""
    return CsdReader().read(Source(file, tuple(text.split("\n")) if text else (), "utf-8"))


def reads(text: str, file: str = "DESK") -> bool:
    """Return whether the reader takes *text*."""
    return CsdReader().reads(Source(file, tuple(text.split("\n")), "utf-8"))


def facts(text: str, *kinds: str) -> list[tuple[str, str, str, int]]:
    """Return the facts, of *kinds* if some are named."""
    return readings.facts(read(text), *kinds)


def problems(text: str) -> list[tuple[int, str]]:
    """Return what could not be read."""
    return readings.problems(read(text))


def test_definitions_are_stated() -> None:
    """A transaction runs a program, a file is a data set, all others have their group."""
    assert facts(SAMPLE) == [
        ("comment", "DELETE GROUP DESK", "The desk of the lending library", 1),
        ("comment", "TRANSACTION LIBM", "MENU OF THE DESK (ALL BRANCHES)", 5),
        ("transaction", "LIBM", "LIBC01", 6),
        ("comment", "TRANSACTION libr", "Returns are made here only", 7),
        ("transaction", "libr", "LIBC03", 9),
        ("csd-file", "LOANMST", "LIB.VSAM.LOANMST", 10),
        ("csd-program", "DESK", "LIBC01", 14),
        ("csd-mapset", "DESK", "LIBSET", 15),
        ("csd-queue", "DESK", "LATE", 16),
        ("csd-db2entry", "DESK", "LIBDB2E", 17),
        ("csd-db2tran", "DESK", "LIBR", 18),
        ("csd-library", "DESK", "LIBLOAD", 19),
        ("comment", "ADD GROUP DESK", "The end", 21),
    ]
    assert problems(SAMPLE) == []


def test_a_unit_is_a_group_of_commands_and_each_definition_a_part() -> None:
    """A part begins at the comments above it; other commands are no parts."""
    assert readings.places(read(SAMPLE).units) == [
        ("definition", "DELETE GROUP DESK to ADD GROUP DESK", 1, 21)
    ]
    assert readings.places(read(SAMPLE).parts) == [
        ("definition", "TRANSACTION LIBM", 4, 6),
        ("definition", "TRANSACTION libr", 7, 9),
        ("definition", "FILE LOANMST", 10, 12),
        ("definition", "PROGRAM LIBC01", 14, 14),
        ("definition", "MAPSET LIBSET", 15, 15),
        ("definition", "TDQUEUE LATE", 16, 16),
        ("definition", "DB2ENTRY LIBDB2E", 17, 17),
        ("definition", "DB2TRAN LIBR", 18, 18),
        ("definition", "LIBRARY LIBLOAD", 19, 19),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALTER TRANSACTION(T1) GROUP(G) PROGRAM(P2)", ("transaction", "T1", "P2", 1)),
        ("USERDEFINE PROGRAM(P1)", ("csd-program", "", "P1", 1)),
        ("DEF G(G) TDQ(Q1)", ("csd-queue", "G", "Q1", 1)),
        ("DEFINE\n TRANSACTION\n (T1)\n PROGRAM\n (P1)", ("transaction", "T1", "P1", 5)),
        ("DEFINE PROGRAM(A\nB)", ("csd-program", "", "AB", 1)),
        ("\tDEFINE\tPROGRAM(P1)\tGROUP(G)", ("csd-program", "G", "P1", 1)),
        ("DEFINE NOVELTY(N1) GROUP(G)", ("csd-novelty", "G", "N1", 1)),
        ("DEFINE PRO(P1) GROUP(G)", ("csd-pro", "G", "P1", 1)),
        ("DEFINE FILE(DEFINE) DSNAME(PROGRAM)", ("csd-file", "DEFINE", "PROGRAM", 1)),
        ("DEFINE PROGRAM(P1) DESCRIPTION(A) B) GROUP(G)", ("csd-program", "G", "P1", 1)),
        ("DEFINE TRANSACTION(T1) PROGRAM(P1) PROGRAM(P2)", ("transaction", "T1", "P1", 1)),
    ],
)
def test_ways_to_define(text: str, expected: tuple[str, str, str, int]) -> None:
    """Words may be shortened, values may be split over lines, and types may be unknown."""
    assert facts(text) == [expected]
    assert problems(text) == []


@pytest.mark.parametrize(
    "text", ["DEFINE TRANSACTION(T1) GROUP(G)", "DEFINE FILE(F1) GROUP(G) DSNAME()"]
)
def test_what_names_no_program_or_data_set_states_nothing(text: str) -> None:
    """A transaction of another system, a file of the start-up job: a part, no problem, no fact."""
    assert facts(text) == problems(text) == []
    assert len(read(text).parts) == 1


def test_an_attribute_at_the_begin_of_a_line_is_no_command() -> None:
    """ADD, DELETE and LIST are commands only where no parenthesis follows them."""
    text = "DEFINE FILE(F1)\n ADD(YES)\n DELETE (NO)\nLIST(L)\n DSNAME(D)"
    assert facts(text) == [("csd-file", "F1", "D", 5)]


def test_a_description_over_lines_is_quoted_line_by_line() -> None:
    """Words of a command inside a description are text."""
    text = "DEFINE PROGRAM(P1) DESCRIPTION(Lends books\nDELETE nothing) GROUP(G)"
    assert facts(text) == [
        ("csd-program", "G", "P1", 1),
        ("comment", "PROGRAM P1", "Lends books", 1),
        ("comment", "PROGRAM P1", "DELETE nothing", 2),
    ]


def test_a_parenthesis_that_is_not_closed_ends_at_the_next_definition() -> None:
    """Until there, a value is what follows a parenthesis up to a blank."""
    text = "DEFINE TRANSACTION(T1 GROUP(G)\n PROGRAM(P1) \nDEFINE PROGRAM(P1) GROUP(G)"
    assert facts(text) == [("transaction", "T1", "P1", 2), ("csd-program", "G", "P1", 3)]
    assert problems(text) == [(1, "a parenthesis is not closed")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DEFINE GROUP(G)", [(1, "DEFINE names no resource")]),
        ("DEFINE\nDEFINE PROGRAM()", [(1, "DEFINE names no resource"),
                                      (2, "DEFINE names no resource")]),
        ("DEFINE (P1)", [(1, "neither a command nor a comment")]),
        ("\nDEFINE\n(P1)", [(2, "DEFINE names no resource")]),
        ("* note\nhello\n\nLIST ALL", [(2, "neither a command nor a comment")]),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_problem(text: str, expected: list[tuple[int, str]]) -> None:
    """It is told once, and nothing is stated about it."""
    assert problems(text) == expected
    assert facts(text) == []


def test_commands_that_define_nothing_are_named_by_their_first_words() -> None:
    """They are in units without parts."""
    reading = read("LIST ALL\nDELETE GROUP(G)\nDELETE GROUP(G)\nUPGRADE USING(X) ")
    assert readings.places(reading.units) == [("definition", "LIST to UPGRADE USING X", 1, 4)]
    assert reading.parts == ()


def test_definitions_of_one_name_are_told_apart() -> None:
    """Their lines are added to their names."""
    assert [part.name for part in read("DEFINE FILE(A)\nDEFINE FILE(A)").parts] == [
        "FILE A, lines 1-1",
        "FILE A, lines 2-2",
    ]


def test_units_are_groups_of_about_sixty_lines() -> None:
    """A group ends before the command that does not fit; one that never fits is cut."""
    some = "\n".join(f"DEFINE FILE(F{number})" + "\n READ(YES)" * 24 for number in range(5))
    assert [(unit.first, unit.last) for unit in read(some).units] == [
        (1, 50),
        (51, 100),
        (101, 125),
    ]
    assert read(some).units[0].name == "FILE F0 to FILE F1"
    long = "DEFINE FILE(F)" + "\n READ(YES)" * 130
    assert readings.places(read(long).parts) == [
        ("definition", "FILE F, lines 1-66", 1, 66),
        ("definition", "FILE F, lines 67-131", 67, 131),
    ]
    assert [(unit.first, unit.last) for unit in read(long).units] == [(1, 66), (67, 131)]


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_file_without_text_has_no_units(text: str) -> None:
    """Nothing is read from nothing."""
    assert read(text) == Reading((), ())


def test_a_file_of_comments_is_one_unit() -> None:
    """It is named by the file."""
    text = "* two words\n*\n* word"
    assert readings.places(read(text).units) == [("definition", "DESK", 1, 3)]
    assert facts(text) == [("comment", "DESK", "two words", 1)]


@pytest.mark.parametrize(
    ("text", "file", "expected"),
    [
        ("", "a/b.csd", True),
        ("anything", "a/b.CSD", True),
        ("//CSDUP JOB\nDEFINE PROGRAM(A)", "b.csd", False),
        ("* note\n\n DEFINE TRANSACTION(A)", "DESK.txt", True),
        ("def file (A)", "DESK", True),
        ("DELETE GROUP(A)", "DESK", True),
        ("DEFINE CLUSTER(NAME(A))", "DESK", False),
        ("DEFINE PROCESS(A)", "DESK", False),
        ("  words", "DESK", False),
        ("", "DESK", False),
    ],
)
def test_it_reads_by_suffix_or_first_command(text: str, file: str, expected: bool) -> None:
    """What IDCAMS, MQ or a job takes is somebody else's."""
    assert reads(text, file) is expected


LONG = {
    "definitions": ["DEFINE TRANSACTION(T1) GROUP(G)", "  PROGRAM(P1) DESCRIPTION(two words)"],
    "one command": ["  READ(YES) ADD(NO)"],
    "open": ["  READ(YES ((("],
    "closed": ["  ))) READ YES"],
    "one value": ["  word word word"],
    "comments": ["* some words"],
    "blank": [""],
    "open definitions": ["DEFINE FILE(A", "DEFINE FILE(B(("],
    "commands": ["LIST ALL"],
}


@pytest.mark.long
@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("first", ["DEFINE FILE(A)", "DEFINE FILE(A"])
def test_a_long_file_is_read_in_linear_time(kind: str, first: str) -> None:
    """Four times the lines take no more than about four times as long."""
    assert readings.is_linear(
        read, lambda count: readings.repeated(first, LONG[kind], count), 2_000
    )


@pytest.mark.long
@pytest.mark.parametrize("piece", ["A", " ", "(", ")", "A(", "A ", "\t", "DEFINE ", "*", "1"])
def test_a_long_line_is_read_in_linear_time(piece: str) -> None:
    """So is a line without an end."""
    assert readings.is_linear(read, lambda count: "DEFINE FILE(A)\n" + piece * count, 20_000)


PIECES = [
    *SAMPLE.split("\n"), "DEFINE ", "DEF TRANS(", "(", ")", "*", "GROUP(", "DESCRIPTION(a b",
    "PROGRAM(", "ADD ", "LIST", "x" * 71, " " * 71 + "*", "\n", "\t", "\r", "\x85", "\x0c", "ß",
]  # fmt: skip


def check(text: str) -> None:
    """Assert what holds for the reading of any text."""
    readings.assert_whole(read(text), text)


@given(readings.mixtures(PIECES))
@example("DEFINE A(\n\n\n*")
def test_any_text_is_read(text: str) -> None:
    """No text raises; units cover all text in order, and every line told exists."""
    check(text)
    reads(text)


@given(st.integers(0, len(SAMPLE)))
def test_a_file_may_end_anywhere(length: int) -> None:
    """A sample that is cut off at any character is read."""
    check(SAMPLE[:length])
    check(SAMPLE[length:])
