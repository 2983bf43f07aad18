"""What data items find in the VALUEs that they redefine."""

import time
from pathlib import Path

import pytest

from war_rig.document import plan
from war_rig.document.estate.estate import Estate
from war_rig.readers import readers
from war_rig.readers.cobol import CobolReader
from war_rig.readers.source import Source


def found(*lines: str) -> list[tuple[str, str, int]]:
    """Return item, text and line of what a copybook of *lines* finds."""
    source = Source("TAB.cpy", tuple(f"       {line}" for line in lines), "utf-8")
    facts = CobolReader().read(source).facts
    return [(f.subject, f.object, f.line) for f in facts if f.kind == "value-redefined"]


MENU = (
    "01  MENU.",
    "    05  MENU-COUNT PIC 9(2) VALUE 2.",
    "    05  MENU-DATA.",
    "        10  FILLER PIC 9(2) VALUE 1.",
    "        10  FILLER PIC X(10) VALUE",
    "            'Lend it'.",
    "        10  FILLER PIC X(8) VALUE 'LOAN01'.",
    "        10  FILLER PIC 9(2) VALUE 2.",
    "        10  FILLER PIC X(10) VALUE 'Take it'.",
    "        10  FILLER PIC X(8) VALUE 'RETN01'.",
    "    05  MENU-TABLE REDEFINES MENU-DATA.",
    "        10  MENU-OPTION OCCURS 3 TIMES.",
    "            15  MENU-NUMBER PIC 9(2).",
    "            15  MENU-TEXT PIC X(10).",
    "            15  MENU-PROGRAM PIC X(8).",
)


def test_a_table_of_fillers_is_found_by_its_names() -> None:
    """Each item has the literals of its own columns, with their lines; numbers are no text."""
    assert found(*MENU) == [
        ("MENU-TEXT", "Lend it", 6), ("MENU-PROGRAM", "LOAN01", 7),
        ("MENU-TEXT", "Take it", 9), ("MENU-PROGRAM", "RETN01", 10),
    ]  # fmt: skip


def test_what_an_item_lies_over_may_be_called(tmp_path: Path) -> None:
    """A table of programs, in a copybook, leads to each of them; it only may be so."""
    (tmp_path / "MENUTAB.cpy").write_text("".join(f"       {line}\n" for line in MENU))
    (tmp_path / "MAIN.cbl").write_text(
        "       PROGRAM-ID. MAIN.\n       DATA DIVISION.\n       WORKING-STORAGE SECTION.\n"
        "           COPY MENUTAB.\n       PROCEDURE DIVISION.\n"
        "           EXEC CICS XCTL PROGRAM(MENU-PROGRAM(WS-AT)) END-EXEC.\n"
    )
    outgoing = Estate.of(plan(tmp_path, readers(60)).files).outgoing["MAIN.cbl"]
    transfers = [(r.name, r.is_certain) for r in outgoing if r.verb == "transfers to"]
    assert transfers == [("LOAN01", False), ("RETN01", False)]


ROWS = (
    "01  ROWS.",
    "    05  FILLER PIC X(8) VALUE 'AA  BB  '.",
    "    05  FILLER PIC X(4) VALUE 'CC'.",
)


@pytest.mark.parametrize(
    ("table", "texts"),
    [
        (["01  TAB REDEFINES ROWS.", "    05  T PIC X(4) OCCURS 3."], ["AA", "BB", "CC"]),
        (["01  TAB REDEFINES ROWS.", "    05  T PIC XXXX OCCURS 1 TO 3 TIMES DEPENDING ON N."],
         ["AA", "BB", "CC"]),
        (["01  TAB REDEFINES ROWS.", "    05  FILLER PIC X(2).", "    05  T PIC X(10)."],
         ["BB  CC"]),
        (["01  TAB REDEFINES ROWS.", "    05  R OCCURS 3.", "      10  T PIC A(2) OCCURS 2."],
         ["AA", "BB", "CC"]),
        (["01  TAB REDEFINES ROWS.", "    05  A PIC 9(4).", "    05  B REDEFINES A.",
          "      10  T PIC X(3).", "      88  U VALUE 'X'."], ["AA"]),
        (["01  TAB REDEFINES ROWS.", "    05  FILLER PIC S9(4) COMP.",
          "    05  FILLER PIC S9(9) BINARY.", "    05  FILLER PIC S9(2)V9 COMP-3.",
          "    05  T PIC X(3)."], ["CC"]),
        (["01  TAB REDEFINES ROWS.", "    05  FILLER COMP-5.", "      10  A PIC 9(18).",
          "    05  T PIC X(2)."], ["CC"]),
        (["01  TAB REDEFINES ROWS.", "    05  FILLER COMP-1.", "    05  FILLER PIC N(2).",
          "    05  T PIC X(2)."], ["CC"]),
        (["01  TAB REDEFINES ROWS.", "    05  T PIC X(4) OCCURS 9."], ["AA", "BB", "CC"]),
        (["01  TAB REDEFINES ROWS.", "    05  A PIC 9(4).", "    05  T PIC X(9)."], []),
        (["01  TAB REDEFINES ROWS.", "    05  T PIC 9(4)."], []),
        (["01  TAB REDEFINES OTHERS.", "    05  T PIC X(4)."], []),
        (["01  TAB.", "    05  T PIC X(4)."], []),
        (["01  TAB REDEFINES ROWS.", "    05  A PIC X(4) SYNC.", "    05  T PIC X(4)."], []),
        (["01  TAB REDEFINES ROWS.", "    05  A.", "    05  T PIC X(4)."], []),
        (["01  TAB REDEFINES ROWS.", "    05  T PIC X(4) OCCURS 999999999."], []),
        (["    05  MORE REDEFINES NOWHERE.", "      10  T PIC X(4)."], []),
        (["    COPY REST.", "    05  MORE REDEFINES ROWS.", "      10  T PIC X(4)."], []),
        (["    COPY REST.", "01  TAB REDEFINES ROWS.", "    05  T PIC X(4)."], ["AA"]),
    ],
)  # fmt: skip
def test_places_follow_from_sizes(table: list[str], texts: list[str]) -> None:
    """By pictures, usages and OCCURS; where one is not known, or nothing is there, none is told."""
    told = found(*ROWS, *table)
    assert {name for name, _, _ in told} <= {"T"}
    assert [text for _, text, _ in told] == texts


def test_blanks_are_text_and_what_has_no_value_is_not() -> None:
    """SPACES may stand between; a piece without a literal makes the whole unknown."""
    blank = [
        "01  A.",
        "    05  FILLER PIC X(2) VALUE 'AB'.",
        "    05  FILLER PIC X(2) VALUE SPACES.",
        "    05  FILLER PIC X(2) VALUE 'CD'.",
        "01  B REDEFINES A.",
        "    05  T PIC X(6).",
    ]
    assert found(*blank) == [("T", "AB  CD", 2)]
    hole = [line.replace(" VALUE SPACES", "") for line in blank]
    assert found(*hole) == []
    assert found("01  A PIC X(4) VALUE 'ABCD'.", "01  B REDEFINES A.", "    05  T PIC X(2).",
                 "    05  U PIC X(2).") == [("T", "AB", 1), ("U", "CD", 1)]  # fmt: skip
    none = found("01  A PIC X(4).", "01  T REDEFINES A PIC X(4).", "01  B VALUE 1 COMP-2.")
    assert none == []


def test_tables_inside_tables_take_a_bounded_time() -> None:
    """A thousand times a thousand places are not walked one by one."""
    nested = [f"    {n:02}  G{n} OCCURS 90." for n in range(10, 14)]
    start = time.process_time()
    assert found("01  A PIC X(900) VALUE 'X'.", "01  B REDEFINES A.", "    05  H OCCURS 9.",
                 *nested, "    20  T PIC X.") == []  # fmt: skip
    assert found(
        "01  A PIC X(900) VALUE 'X'.", "01  B REDEFINES A.",
        *(f"    {n:02}  G{n} OCCURS 20." for n in (10, 11, 12, 13)), "    20  T PIC X.",
    ) == [("T", "X", 1)]  # fmt: skip
    assert time.process_time() - start < 5
