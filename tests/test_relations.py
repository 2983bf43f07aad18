"""What a sentence says of who calls, reads, performs what is held against the facts."""

import pytest

from war_rig.document.check import check
from war_rig.document.claims import Claim
from war_rig.document.ground import Ground
from war_rig.document.plan import PlannedFile
from war_rig.document.relations import doers_in, related_names, relation_faults
from war_rig.readers import Fact, Reading, Source, Unit

FACTS = [
    Fact("paragraph", "PAY01", "MAIN-LINE", "a", 1),
    Fact("perform", "MAIN-LINE", "CALC", "a", 2),
    Fact("goto", "MAIN-LINE", "FINISH", "a", 3),
    Fact("paragraph", "PAY01", "CALC", "a", 4),
    Fact("call", "CALC", "PAY02", "a", 5),
    Fact("delete", "CALC", "OLD-FILE", "a", 6),
    Fact("paragraph", "PAY01", "FINISH", "a", 7),
]


def faults(text: str) -> list[str]:
    return list(relation_faults(text, FACTS, related_names(FACTS), doers_in(FACTS)))


TRUE = [
    "`MAIN-LINE` performs `CALC`.",
    "`MAIN-LINE` performs `CALC`, which calls PAY02.",
    "PAY01 calls PAY02 and deletes OLD-FILE.",
    "This part goes to FINISH, and calls `PAY02`.",
    "It never calls FINISH.",
    "It performs no work: it starts PAY09.",
]
FALSE = {
    "`CALC` performs `MAIN-LINE`.": "no line of this part performs MAIN-LINE",
    "MAIN-LINE calls PAY02.": "no line of MAIN-LINE calls PAY02",
    "`MAIN-LINE` performs `FINISH`.": "no line of this part performs FINISH",
    "It goes to CALC.": "no line of this part goes CALC",
    "CALC does not call PAY02.": "a line of this part calls PAY02",
    "CALC no longer calls PAY02.": "a line of this part calls PAY02",
    "It never deletes OLD-FILE.": "a line of this part deletes OLD-FILE",
    "MAIN-LINE and FINISH call nothing, but FINISH deletes OLD-FILE.": (
        "no line of FINISH or MAIN-LINE deletes OLD-FILE"
    ),
}


@pytest.mark.parametrize("text", TRUE)
def test_what_the_facts_say_passes(text: str) -> None:
    """Whoever is named as doing it, or the program as a whole."""
    assert faults(text) == []


@pytest.mark.parametrize("text", FALSE)
def test_what_the_facts_do_not_say_is_a_fault(text: str) -> None:
    """Another doer, another verb, another object, or the opposite."""
    assert faults(text) == [FALSE[text]]


OF_THE_FILE = [
    *FACTS,
    Fact("program", "PAY01", "PAY01", "a", 8),
    Fact("section", "PAY01", "INPUT-PART", "a", 9),
    Fact("paragraph", "PAY01", "INPUT-PART", "a", 10),
    Fact("paragraph", "PAY01", "PAY01", "a", 11),
    Fact("paragraph", "PAY01", "PRINT-SLIP", "a", 12),
    Fact("step", "NIGHT", "PAY02", "b", 3),
]


def faults_in_part(text: str) -> list[str]:
    """Return the faults where the part holds FACTS, and the file and another one more."""
    related = related_names(OF_THE_FILE)
    return list(relation_faults(text, FACTS, related, doers_in(OF_THE_FILE)))


@pytest.mark.parametrize(
    "text",
    [
        "`PRINT-SLIP` calls `PAY02`.",
        "Paragraph PRINT-SLIP calls PAY02 when a slip is due.",
        "This program's paragraph PRINT-SLIP calls PAY02.",
    ],
)
def test_a_paragraph_outside_of_the_part_does_nothing_in_it(text: str) -> None:
    """It is known to the file, and so is what it does: not what the part's own paragraphs do."""
    assert faults_in_part(text) == ["no line of PRINT-SLIP calls PAY02"]


@pytest.mark.parametrize(
    "text",
    [
        "Like PRINT-SLIP, `CALC` calls `PAY02`.",
        "`PRINT-SLIP` and `CALC` call PAY02 and `CALC` deletes OLD-FILE.",
        "Once PRINT-SLIP has run, this part calls PAY02.",
        "Performed from PRINT-SLIP, it calls PAY02.",
        "Performed by paragraph PRINT-SLIP, calls PAY02.",
        "`PAY01` calls `PAY02`.",
        "`INPUT-PART` calls `PAY02`.",
        "The step PAY02 deletes OLD-FILE.",
    ],
)
def test_who_else_is_named_does_not_have_to_do_it(text: str) -> None:
    """Neither whoever performs the part, nor the program or section around it, nor another file."""
    assert faults_in_part(text) == []


def test_a_reader_is_told_of_a_paragraph_outside_of_the_unit() -> None:
    """The file's paragraphs are known to the check of each of its units."""
    lines = ("A-1.", "    CALL 'PAY02'.", "B-1.", "    GOBACK.")
    source = Source("a.cbl", lines, "utf-8")

    class Two:
        language = "two"

        def reads(self, source: Source) -> bool:
            return True

        def read(self, source: Source) -> Reading:
            units = tuple(Unit("a.cbl", n, "paragraph", at, at + 1) for n, at in WHERE.items())
            facts = [Fact("paragraph", "P", n, "a.cbl", at) for n, at in WHERE.items()]
            return Reading(units, (*facts, Fact("call", "A-1", "PAY02", "a.cbl", 2)))

    file = PlannedFile.of(source, Two())
    ground = Ground.of_unit(file.reading.units[0], file)
    wrong = Claim("`B-1` calls `PAY02`.", ("a.cbl:1-2",))
    assert "no line of B-1 calls PAY02" in check(wrong, ground).issues
    right = Claim("`A-1` calls `PAY02`.", ("a.cbl:1-2",))
    assert check(right, ground).issues == ()
    whole = Ground.of_claims([right, Claim("`B-1` ends.", ("a.cbl:3-4",))], {"a.cbl": file})
    cites = ("a.cbl:1-2", "a.cbl:3-4")
    assert check(Claim(wrong.text, cites), whole).issues == ("no line of B-1 calls PAY02",)


WHERE = {"A-1": 1, "B-1": 3}
