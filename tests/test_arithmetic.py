"""What is subtracted from what, and divided by what, is held against the cited lines."""

import pytest

from war_rig.document.checks.arithmetic import arithmetic_faults

CODE = """\
           COMPUTE WS-DAYS = WS-LAST (I) - WS-FIRST.
      *    OF ALL: WS-FIRST - WS-LAST.
           COMPUTE WS-FEE ROUNDED = WS-FEE OF LOAN / 2
           DIVIDE WS-COUNT INTO WS-TOTAL.
           SUBTRACT WS-PAID FROM WS-OWED.
           COMPUTE WS-A = WS-B - WS-C + WS-C - WS-B.
"""


@pytest.mark.parametrize(
    "text",
    [
        "The days are `WS-LAST` minus `WS-FIRST`.",
        "`WS-FEE` is divided by 2.",
        "It divides the `WS-TOTAL` by the value of `WS-COUNT`.",
        "What is left is `WS-OWED` less `WS-PAID`.",
        "It is `WS-B` minus `WS-C`, and `WS-C` minus `WS-B`.",
        "`WS-LAST` minus `WS-OWED` is not there.",
        "`WS-FIRST` is less than `WS-LAST`.",
    ],
)
def test_a_difference_or_quotient_of_the_lines_passes(text: str) -> None:
    """As an expression or as a statement; of what is not computed, all passes."""
    assert list(arithmetic_faults(text, CODE)) == []


TURNED = {
    "The days are `WS-FIRST` minus `WS-LAST`.": "WS-FIRST minus WS-LAST",
    "2 is divided by `WS-FEE`.": "2 is divided by WS-FEE",
    "It divides `WS-COUNT` by `WS-TOTAL`.": "divides WS-COUNT by WS-TOTAL",
    "What is left is `WS-PAID` less the `WS-OWED`.": "WS-PAID less the WS-OWED",
}


@pytest.mark.parametrize("text", TURNED)
def test_what_is_turned_round_is_a_fault(text: str) -> None:
    """Neither can be exchanged; a comment does not count."""
    assert list(arithmetic_faults(text, CODE)) == [
        f"'{TURNED[text]}': the cited lines do it the other way round"
    ]


SEVERAL = """\
           SUBTRACT WS-B, WS-C (I) FROM WS-A WS-E ROUNDED
           COMPUTE WS-X = WS-B - WS-A.
           COMPUTE WS-X = WS-C - WS-A / WS-F - WS-D - WS-E - WS-A.
           DIVIDE WS-B INTO WS-F WS-G MOVE WS-D TO WS-Z.
           COMPUTE WS-X = WS-B / WS-F - WS-B / WS-G + WS-D - WS-B.
"""


@pytest.mark.parametrize(
    "text",
    [
        "`WS-A` minus `WS-B` is left.",
        "`WS-A` is less by it: `WS-A` minus `WS-C`.",
        "`WS-E` minus `WS-B` is left.",
        "`WS-D` minus `WS-A` is left.",
        "`WS-F` is divided by `WS-B`.",
        "It divides `WS-G` by `WS-B`.",
    ],
)
def test_each_of_several_operands_counts(text: str) -> None:
    """SUBTRACT takes several from several, DIVIDE goes into several."""
    assert list(arithmetic_faults(text, SEVERAL)) == []


@pytest.mark.parametrize("text", ["`WS-Z` is divided by `WS-B`.", "`WS-D` is divided by `WS-B`."])
def test_the_next_statement_has_operands_of_its_own(text: str) -> None:
    """What is moved behind DIVIDE is not divided."""
    turned = text.split("`")
    code = f"{SEVERAL}           COMPUTE WS-X = {turned[3]} / {turned[1]}.\n"
    assert len(list(arithmetic_faults(text, code))) == 1


CARDS = """\
100300     COMPUTE WS-LEFT
100400           = WS-ALL
100500           - WS-TAKEN
100600     DISPLAY 'START - MONTH'.
"""


def test_an_expression_goes_on_over_the_numbers_of_cards() -> None:
    """They are no operands, and a literal is no expression."""
    assert list(arithmetic_faults("It is `WS-ALL` minus `WS-TAKEN`.", CARDS)) == []
    assert len(list(arithmetic_faults("It is `WS-TAKEN` minus `WS-ALL`.", CARDS))) == 1
    assert list(arithmetic_faults("It is MONTH minus START.", CARDS)) == []
