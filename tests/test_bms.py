"""The BMS reader: macros over cards, labels and texts, and any text at all."""

import pytest
import readings
from hypothesis import example, given
from hypothesis import strategies as st

from war_rig.readers import Reading, Source
from war_rig.readers.bms import BmsReader


def card(text: str, mark: str = "X") -> str:
    """Return *text* with *mark* in column 72 and a sequence number."""
    return f"{text:<71}{mark:<1}00010000"


def again(text: str) -> str:
    """Return *text* in column 16, where operands go on."""
    return " " * 15 + text


SAMPLE = "\n".join(
    [
        "* LIBSET - screens of the desk",
        "         PRINT NOGEN",
        card("LIBSET   DFHMSD"),
        card(again("TYPE=&&SYSPARM,  a remark")),
        again("MODE=INOUT,LANG=COBOL"),
        "* The menu of the desk",
        "LIBMENU  DFHMDI SIZE=(24,80)",
        card("         DFHMDF POS=(1,30),LENGTH=21,"),
        again("INITIAL='PUBLIC LIBRARY - ''DESK'' && MORE'"),
        card("MCHOIC   DFHMDF POS=(2,30),LENGTH=1,ATTRB=(UNPROT,NUM,IC)    remark"),
        again("that goes on,INITIAL='NO'"),
        "         DFHMDF POS=(3,1),LENGTH=4,INITIAL='----'",
        ".* The screen for returns",
        "librtn   dfhmdi size=(24,80)",
        "rbook    dfhmdf pos=(1,1),initial='Book, please'     TO,INITIAL='NONE'",
        "         DFHMSD TYPE=FINAL",
        "         END",
    ]
)


def read(text: str, file: str = "maps/libset.bms") -> Reading:
    """Return the reading of *text*, a line each."""
    return BmsReader().read(Source(file, tuple(text.split("\n")) if text else (), "utf-8"))


def reads(text: str, file: str = "LIBSET") -> bool:
    """Return whether the reader takes *text*."""
    return BmsReader().reads(Source(file, tuple(text.split("\n")), "utf-8"))


def facts(text: str, *kinds: str) -> list[tuple[str, str, str, int]]:
    """Return the facts, of *kinds* if some are named."""
    return readings.facts(read(text), *kinds)


def labels(*lines: str) -> list[tuple[str, int]]:
    """Return the label texts of a map with *lines*, which begin with its line 3."""
    text = "\n".join(["SET DFHMSD TYPE=MAP", "MAP DFHMDI LINE=1", *lines])
    return [(label, line) for _, _, label, line in facts(text, "label-text")]


def problems(*lines: str) -> list[tuple[int, str]]:
    """Return what could not be read in a map with *lines*, which begin with its line 3."""
    text = "\n".join(["SET DFHMSD TYPE=MAP", "MAP DFHMDI LINE=1", *lines])
    return readings.problems(read(text))


def units(text: str) -> list[tuple[str, str, int, int]]:
    """Return the units as kind, name and lines."""
    return readings.places(read(text).units)


def test_a_mapset_its_maps_and_fields_are_stated() -> None:
    """Names are told in upper case; texts as the screen shows them; lines of dashes are none."""
    assert facts(SAMPLE) == [
        ("comment", "LIBSET", "LIBSET - screens of the desk", 1),
        ("defines-mapset", "LIBSET", "LIBSET", 3),
        ("comment", "LIBMENU", "The menu of the desk", 6),
        ("defines-map", "LIBSET", "LIBMENU", 7),
        ("label-text", "LIBMENU", "PUBLIC LIBRARY - 'DESK' & MORE", 9),
        ("field", "LIBMENU", "MCHOIC", 10),
        ("comment", "LIBRTN", "The screen for returns", 13),
        ("defines-map", "LIBSET", "LIBRTN", 14),
        ("field", "LIBRTN", "RBOOK", 15),
        ("label-text", "LIBRTN", "Book, please", 15),
    ]
    assert read(SAMPLE).problems == ()


def test_a_unit_is_the_head_of_a_mapset_or_a_map() -> None:
    """A map begins at the comments above it; what ends the mapset is in the last one."""
    assert units(SAMPLE) == [
        ("mapset", "LIBSET", 1, 5),
        ("map", "LIBMENU", 6, 12),
        ("map", "LIBRTN", 13, 17),
    ]
    assert read(SAMPLE).parts == read(SAMPLE).units


def test_a_text_goes_on_from_column_71_to_column_16() -> None:
    """Blanks before column 72 belong to it, also where the card is cut off."""
    head = "    DFHMDF POS=(1,1),INITIAL='"
    full = head + "A" * (70 - len(head))
    assert labels(card(full + "'"), again("'S',LENGTH=1")) == [("A" * (70 - len(head)) + "'S", 3)]
    assert labels(card(full + " "), again(" B'")) == [("A" * (70 - len(head)) + "  B", 3)]
    assert labels(f"{full + 'A':<71}X", again("B'")) == [("A" * (71 - len(head)) + "B", 3)]
    assert labels(card("  DFHMDF LENGTH=99,"), card(again("INITIAL='A")), again("B'")) == [
        ("A" + " " * 46 + "B", 4)
    ]


def test_an_operand_may_fill_a_card() -> None:
    """One that ends in column 71 goes on without a comma."""
    head = "    DFHMDF COLOR=".ljust(60) + "INITIAL"
    assert labels(card("    DFHMDF " + "A" * 53 + "=(),INI"), again("TIAL='TWO WORDS'")) == [
        ("TWO WORDS", 3)
    ]
    assert labels(card(head), again("='TWO'")) == []


@pytest.mark.parametrize(
    "operands",
    [
        "POS=(1,1),INITIAL='A (B',COLOR=RED",
        "VALIDN=(MUSTFILL),INITIAL='A (B'",
        "PICIN='INITIAL=''X''',INITIAL='A (B'",
        "ATTRB=(ASKIP,(NORM)),INITIAL='A (B'",
        "initial='A (B'",
    ],
)
def test_operands_are_parted_by_commas(operands: str) -> None:
    """Not by those in quotes or parentheses."""
    assert labels(f"F DFHMDF {operands}") == [("A (B", 3)]


@pytest.mark.parametrize("operands", ["INITIAL=A", "INITIAL=", "XINIT='C1'", "INITIAL=' '", ""])
def test_what_is_no_text_is_no_label(operands: str) -> None:
    """Only a text in quotes that holds a letter or digit is one."""
    assert labels(f"F DFHMDF {operands}") == []
    assert problems(f"F DFHMDF {operands}") == []


def test_a_tab_moves_to_the_next_eighth_column() -> None:
    """So that the mark is still in column 72."""
    assert labels("\tDFHMDF\tPOS=(1,1)," + "\t" * 5 + "       X", "\t       INITIAL='A B'") == [
        ("A B", 4)
    ]
    assert problems("\tDFHMDF\tPOS=(1,1)," + "\t" * 5 + "       X", "\t       LENGTH=1") == []


@pytest.mark.parametrize(
    ("lines", "label", "expected"),
    [
        (["    DFHMDF POS=(1,1),", again("INITIAL='A B'")], [("A B", 4)],
         [(3, "the operands go on, but column 72 is blank")]),
        (["    DFHMDF POS=(1,1),", "     INITIAL='A B'"], [("A B", 4)],
         [(3, "the operands go on, but column 72 is blank")]),
        (["    DFHMDF INITIAL='A B", again("C'")], [("A B" + " " * 48 + "C", 3)],
         [(3, "the operands go on, but column 72 is blank")]),
        ([card("    DFHMDF POS=(1,1),"), "     INITIAL='A B'"], [("A B", 4)], []),
        ([card("    DFHMDF POS=(1,1),INITIAL='A B'"), "F   DFHMDF LENGTH=1"], [("A B", 3)],
         [(3, "column 72 says that the operands go on, and they do not")]),
        ([card("    DFHMDF INITIAL='A B'"), "    DFHMDF INITIAL='C'"], [("A B", 3), ("C", 4)],
         [(3, "column 72 says that the operands go on, and they do not")]),
        (["    DFHMDF INITIAL='A B'", "    DFHMDF LENGTH=1,"], [("A B", 3)],
         [(4, "the operands end in a comma and do not go on")]),
        (["    DFHMDF INITIAL='A B", "    DFHMDF LENGTH=1"], [("A B", 3)],
         [(3, "a quote is not closed")]),
        (["    DFHMDF LENGTH=1,", again("remark")], [],
         [(3, "the operands end in a comma and do not go on"),
          (4, "the operation REMARK is not known")]),
    ],
)  # fmt: skip
def test_faulty_continuation(
    lines: list[str], label: list[tuple[str, int]], expected: list[tuple[int, str]]
) -> None:
    """Operands go on where they plainly do; either way it is told."""
    assert labels(*lines) == label
    assert problems(*lines) == expected


def test_a_strange_operation_is_told_once() -> None:
    """It may make fields that are not seen; those of the assembler make none."""
    lines = [
        "    COPY X",
        card("A   FIELDS 'x"),
        again("y"),
        "    fields 1",
        "NAME",
        "    TITLE 'A",
    ]
    assert problems(*lines) == [(4, "the operation FIELDS is not known"), (7, "no operation")]


def test_what_has_no_label_or_map() -> None:
    """It is a problem, and named by its line."""
    text = (
        "    DFHMDF POS=1\n    DFHMSD TYPE=MAP\nF1  DFHMDF POS=2\n    DFHMDI LINE=1\nF2 DFHMDF A=1"
    )
    assert [(problem.line, problem.text) for problem in read(text).problems] == [
        (1, "a field outside a map"),
        (2, "DFHMSD has no label"),
        (3, "a field outside a map"),
        (4, "DFHMDI has no label"),
    ]
    assert units(text) == [("mapset", "mapset on line 2", 1, 3), ("map", "map on line 4", 4, 5)]
    assert facts(text) == [("field", "", "F1", 3), ("field", "", "F2", 5)]


def test_a_file_may_hold_two_mapsets() -> None:
    """A field belongs to the last map; mapsets and maps of one name are told apart."""
    first = "A DFHMSD TYPE=MAP\nA DFHMDI LINE=1\nF DFHMDF\n  DFHMSD TYPE=FINAL\n"
    text = first + "B DFHMSD TYPE=MAP\nG DFHMDF"
    assert units(text) == [
        ("mapset", "A, lines 1-1", 1, 1),
        ("map", "A, lines 2-4", 2, 4),
        ("mapset", "B", 5, 6),
    ]
    assert facts(text, "field") == [("field", "A", "F", 3), ("field", "B", "G", 6)]


def test_a_long_map_is_cut_before_a_macro() -> None:
    """Into pieces of like length; a comment goes with what follows it."""
    field = [card("    DFHMDF POS=(1,1),"), card(again("LENGTH=1,")), again("COLOR=RED")]
    text = "\n".join(["M DFHMSD TYPE=MAP", "A DFHMDI LINE=1", *([*field, "* note"] * 50)])
    assert units(text) == [
        ("mapset", "M", 1, 1),
        ("map", "A, lines 2-105", 2, 105),
        ("map", "A, lines 106-202", 106, 202),
    ]
    one = "\n".join(["A DFHMDI LINE=1,", *([card(again("A=1,"))] * 200), "\n" * 300])
    assert [(first, last) for _, _, first, last in units(one)] == [(1, 101), (102, 201)]


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_file_without_text_has_no_units(text: str) -> None:
    """Nothing is read from nothing."""
    assert read(text) == Reading((), ())


def test_a_file_without_macros_is_one_unit() -> None:
    """It is named by the file."""
    assert units("* two words\n\n* word") == [("mapset", "LIBSET", 1, 3)]


@pytest.mark.parametrize(
    ("text", "file", "expected"),
    [
        ("", "a/b.bms", True),
        ("words", "a/b.BMS", True),
        ("* note\n TITLE 'A'\nSET DFHMSD TYPE=MAP", "SET", True),
        (card("SET  dfhmsd"), "SET.txt", True),
        ("\tDFHMDI\tSIZE=(24,80)", "SET", True),
        ("//ASM EXEC ASM\nSET DFHMSD TYPE=MAP", "SET.jcl", False),
        ("The DFHMSD macro defines a mapset", "README", False),
        ("* SET DFHMSD TYPE=MAP", "SET", False),
        ("", "SET", False),
    ],
)
def test_it_reads_by_suffix_or_macro(text: str, file: str, expected: bool) -> None:
    """A job that assembles a mapset is a job."""
    assert reads(text, file) is expected


def test_a_remark_may_go_on_for_lines() -> None:
    """What follows it is read as if it were not there."""
    text = "\n".join(
        [
            "M DFHMSD TYPE=MAP",
            "N DFHMDI",
            card("F DFHMDF POS=(1,1) a remark"),
            card(again("that goes on")),
            again("and on"),
            "G DFHMDF POS=(2,1)",
        ]
    )
    assert [fact[-1] for fact in facts(text, "field")] == [3, 6]


LONG = {
    "fields": [card("F   DFHMDF POS=(1,1),"), again("INITIAL='A B'")],
    "one macro": [card(again("POS=(1,1),"))],
    "one text": [card(again("two words"))],
    "remarks": [card(again("A=1 and"))],
    "open": [card(again("A=((,'"))],
    "unmarked": [again("A=1,")],
    "maps": ["M DFHMDI LINE=1"],
    "comments": ["* some words"],
    "operations": ["  OPERATION 'x"],
    "blank": [""],
}


@pytest.mark.long
@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("first", ["M DFHMSD TYPE=MAP", card("F DFHMDF INITIAL='")])
def test_a_long_file_is_read_in_linear_time(kind: str, first: str) -> None:
    """Four times the lines take no more than about four times as long."""
    assert readings.is_linear(
        read, lambda count: readings.repeated(first, LONG[kind], count), 2_000
    )


@pytest.mark.long
@pytest.mark.parametrize("piece", ["A", " ", "(", "'", "A=1,", "\t", ","])
def test_a_long_line_is_read_in_linear_time(piece: str) -> None:
    """So is a line without an end."""
    assert readings.is_linear(read, lambda count: "F DFHMDF " + piece * count, 20_000)


PIECES = [
    *SAMPLE.split("\n"), " DFHMDF ", "A DFHMDI ", " DFHMSD TYPE=", "'", ",", "=", "(", ")", "*",
    "INITIAL='", card(""), card(" DFHMDF INITIAL='"), again("A=1,"), "x" * 71, "\n", "\t", "\r",
    "\x85", "\x0c", "ß",
]  # fmt: skip


def check(text: str) -> None:
    """Assert what holds for the reading of any text."""
    reading = read(text)
    readings.assert_whole(reading, text)
    assert reading.parts == reading.units


@given(readings.mixtures(PIECES))
@example(card("\x0c"))
@example(card("F DFHMDF INITIAL='"))
def test_any_text_is_read(text: str) -> None:
    """No text raises; units cover all text in order, and every line told exists."""
    check(text)
    reads(text)


@given(st.integers(0, len(SAMPLE)))
def test_a_file_may_end_anywhere(length: int) -> None:
    """A sample that is cut off at any character is read."""
    check(SAMPLE[:length])
    check(SAMPLE[length:])
