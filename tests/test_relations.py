"""What a sentence says of who calls, reads, performs what is held against the facts."""

import pytest

from war_rig.document.relations import related_names, relation_faults
from war_rig.readers import Fact

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
    return list(relation_faults(text, FACTS, related_names(FACTS)))


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
