"""Numbers and quoted texts of a sentence have to stand in the lines that it cites."""

import pytest

from war_rig.document.checks.check import check
from war_rig.document.checks.ground import Ground
from war_rig.document.checks.literals import edge_faults, is_quoted_from, number_faults
from war_rig.document.claims import Claim
from war_rig.document.plan import PlannedFile
from war_rig.readers import Reading, Source, Unit

NUMBERS = [
    ("It ends with SQLCODE -803.", "WHEN -803"),
    ("It ends with SQLCODE \u2212803.", "IF SQLCODE = -803"),
    ("It ends with code 803.", "WHEN -803"),
    ("It is -5.", "VALUE MINUS 5."),
    ("It takes 3 days.", "           05  WS-GRACE   PIC 9 VALUE 3."),
    ("It has 5 characters.", "       05  WS-GRACE   PIC X(05)."),
    ("It is a group of level 5.", "       05  WS-GRACE."),
    ("Paragraph 2000 ends.", "       2000-EXIT."),
    ("28 days pass.", "28 days."),
    ("It has 7 digits, 2 of them decimals.", "FEE DECIMAL(7,2) NOT NULL"),
    ("It takes 1,500 of them.", "MOVE 1500 TO A"),
    ("It takes 1500 of them.", "of 1,500 loans"),
    ("Addresses 1 and 5 are cleared.", "MOVE SPACES TO ADR-LINE-1 ADR5"),
    ("A record has 80 bytes.", "* AN 80-BYTE RECORD"),
    ("It ends with 20240131.", "     MOVE A TO 20240131"),
    ("There are 250000 loans.", "250000 loans"),
]  # fmt: skip
NOT_THERE = [
    ("It ends with SQLCODE -805.", "WHEN -803", "the number -805 does not stand in"),
    ("It ends with SQLCODE -803.", "WHEN 803", "the number -803 does not stand in"),
    ("It takes 100 days.", "000100 IDENTIFICATION DIVISION.", "the number 100 does not stand in"),
    ("It takes 100 days.", "    MOVE A TO B.".ljust(72) + "00000100", "100 does not stand in"),
    ("It takes 1 day.", "CALL 'FEES01'", "the number 1 does not stand in"),
]
ONLY_A_LABEL = [
    ("A grace of 5 days.", "       05  WS-GRACE   PIC 9 VALUE 3."),
    ("A grace of 5 days.", "000100 05  WS-GRACE   PIC 9 VALUE 3."),
    ("A grace of 1 day.", "       01  WS-RULES."),
    ("A grace of 88 days.", "           88  NO-MORE   VALUE '10'."),
    ("At most 2000 members.", "       2000-EXIT."),
    ("At most 1000 members.", "           PERFORM 1000-START THRU 1000-EXIT."),
]


@pytest.mark.parametrize(("text", "cited"), NUMBERS)
def test_a_number_of_the_lines_passes(text: str, cited: str) -> None:
    """Whatever its sign is called, with commas, and as part of a name that is spelt so."""
    assert list(number_faults(text, cited)) == []


@pytest.mark.parametrize(("text", "cited", "fault"), NOT_THERE)
def test_another_number_is_a_fault(text: str, cited: str, fault: str) -> None:
    """Its sign counts; the sequence number of a card, and a name, hold no smaller number."""
    (found,) = number_faults(text, cited)
    assert fault in found


@pytest.mark.parametrize(("text", "cited"), ONLY_A_LABEL)
def test_what_numbers_a_line_is_no_number(text: str, cited: str) -> None:
    """The level of an item and the number of a paragraph say nothing of days or members."""
    (found,) = number_faults(text, cited)
    assert "stands in the cited lines only as a level or in a label" in found


@pytest.mark.parametrize("language", ["COBOL", "text"])
def test_only_cobol_has_levels_and_labels(language: str) -> None:
    """In a text file, 10 before a word is a number like others."""
    source = Source("limits.txt", ("10 RETRY-LIMIT.",), "utf-8")
    unit = Unit("limits.txt", "line 1", "lines", 1, 1)
    ground = Ground.of_unit(unit, PlannedFile(source, language, Reading((unit,), ())))
    issues = check(Claim("At most 10 retries are made.", ("limits.txt:1-1",)), ground).issues
    assert bool(issues) == (language == "COBOL")


@pytest.mark.parametrize(
    ("literal", "cited"),
    [
        ("S", "WHEN 'S'"),
        ("S", "CLASS=S,MSGLEVEL=1"),
        ("S", 'IF KIND = "S"'),
        ("0D", "MOVE X'0D' TO WS-END"),
        ("hbr", "IF BRANCH = 'HBR'"),
        ("CODE", "--CODE--"),
        ("not found", "'Not\n     found.'"),
        ("***", "*  ***  *"),
    ],
)
def test_a_quoted_text_is_a_literal_or_whole_words(literal: str, cited: str) -> None:
    """Apart from punctuation and line breaks."""
    assert is_quoted_from(literal, cited)


@pytest.mark.parametrize(
    ("literal", "cited"),
    [
        ("S", "MOVE 'T' TO WS-KIND"),
        ("S", "a member's kind"),
        ("S", "MOVE 'T' TO WS-S-KIND"),
        ("A", "MOVE 'T' TO a kind"),
        ("HB", "IF BRANCH = 'HBR'"),
        ("ot found", "'Not found.'"),
    ],
)
def test_a_piece_of_a_word_is_no_quotation(literal: str, cited: str) -> None:
    """One letter stands in nearly every line."""
    assert not is_quoted_from(literal, cited)


PART = "  1000-START.\n\n      * SETS UP.\n     MOVE 1 TO A.\n     GOBACK.\n"


@pytest.mark.parametrize(
    "text",
    [
        'This part begins with "1000-START." and ends with "GOBACK.".',
        'This part begins with "1000-START. SETS UP." and ends with "MOVE 1 TO A. GOBACK".',
        'This part begins with "1000-START ..." and ends with "GOBACK.".',
        'This part does not begin with "GOBACK." and end with "1000-START.".',
        'The report begins with "SETS" and ends with "1".',
    ],
)
def test_a_part_may_be_told_by_its_first_and_last_words(text: str) -> None:
    """They stand at either end of the cited lines; what else begins so is not known."""
    assert list(edge_faults(text, PART)) == []


def test_the_sequence_number_of_a_card_may_be_an_edge() -> None:
    """A card may hold nothing else, and its number is told with what stands on it."""
    cards = "000100 1000-START.".ljust(72) + "00000100\n000200 GOBACK.\n000300\n"
    text = f'This part begins with "{cards.splitlines()[0]}" and ends with "000300".'
    assert list(edge_faults(text, cards)) == []
    assert (
        list(edge_faults('This part begins with "1000-START" and ends with "GOBACK".', cards)) == []
    )


WRONG_EDGES = {
    'This part begins with "1000" and ends with "GOBACK.".': (
        "the cited lines do not begin with the one and end with the other"
    ),
    'This part begins with "GOBACK." and ends with "1000-START.".': (
        "the cited lines do not begin with the one and end with the other"
    ),
    'This part begins with "1000-START." and ends with "MOVE 1 TO A.".': (
        "the cited lines do not begin with the one and end with the other"
    ),
    'This part does not begin with "1000-START." and ends with "GOBACK.".': (
        "the cited lines do begin and end so"
    ),
}


@pytest.mark.parametrize("text", WRONG_EDGES)
def test_a_part_that_begins_or_ends_otherwise_is_a_fault(text: str) -> None:
    """The two are not exchanged, nor denied, nor words from the middle."""
    assert list(edge_faults(text, PART)) == [WRONG_EDGES[text]]
