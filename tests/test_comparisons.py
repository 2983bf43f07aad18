"""What a sentence compares or changes is held against the comparisons and changes of the source."""

import textwrap

import pytest

from war_rig.document.checks.comparisons import comparison_faults
from war_rig.readers import Fact
from war_rig.readers.cobol import CobolReader
from war_rig.readers.source import Source

CODE = """\
           IF WS-FEE > WS-LIMIT
               MOVE WS-LIMIT TO WS-FEE
               MOVE CORR WS-NEW TO WS-OLD
           END-IF
           IF WS-DAYS NOT < 030 OR WS-COPIES (1) OF LOAN <= ZERO
               ADD WS-FEE TO WS-TOTAL
               SUBTRACT 1 WS-PAID FROM WS-OWED ROUNDED
           END-IF
"""


def facts(*lines: str) -> list[Fact]:
    """Return the facts of a paragraph of *lines*."""
    head = ("       PROGRAM-ID. P.", "       PROCEDURE DIVISION.", "       MAIN.")
    return list(CobolReader().read(Source("a.cbl", (*head, *lines), "utf-8")).facts)


FACTS = facts(*CODE.splitlines())

TRUE = [
    "A fee over `WS-LIMIT` is cut.",
    "`WS-FEE` is never more than the `WS-LIMIT`.",
    "`WS-FEE` stays as it is when it is less than or equal to `WS-LIMIT`.",
    "WS-LIMIT is below WS-FEE then.",
    "It is taken when `WS-FEE` exceeds the value of `WS-LIMIT`.",
    "At least 30 days late it counts.",
    "`WS-DAYS` of 30 or more count.",
    "`WS-DAYS` of 30 days or more count.",
    "Loans fewer than 30 days late do not count.",
    "With `WS-COPIES` at most 0 it counts, and not above zero.",
    "It counts when `WS-DAYS` is greater than or equal to 30.",
    "It counts when `WS-OTHER` is more than `WS-LIMIT`.",
    "It counts when WS-FEE is greater than WS-OTHER.",
    "It hands `WS-DAYS` over to 30 others.",
    "It looks over the fees, at most of them, and above all at 30 of them.",
    "More than 7 days are never late.",
    "`WS-LIMIT` is moved to `WS-FEE`.",
    "It moves `WS-LIMIT` to `WS-FEE` and adds `WS-FEE` to `WS-TOTAL`.",
    "It sets `WS-FEE` to `WS-LIMIT`.",
    "`WS-PAID` is subtracted from `WS-OWED`.",
    "It moves WS-OTHER to WS-LIMIT.",
]
FALSE = [
    ("A fee of at least `WS-LIMIT` is cut.", "at least WS-LIMIT"),
    ("A fee of `WS-LIMIT` or more is cut.", "WS-LIMIT or more"),
    ("`WS-LIMIT` is greater than `WS-FEE` then.", "greater than WS-FEE"),
    ("It is cut when `WS-FEE` is lower than `WS-LIMIT`.", "lower than WS-LIMIT"),
    ("More than 30 days late it counts.", "More than 30"),
    ("`WS-DAYS` of 30 days or less count.", "30 days or less"),
    ("It counts when `WS-DAYS` is less than or equal to the 30.", "less than or equal to the 30"),
    ("With `WS-COPIES` below zero it counts.", "below zero"),
]
TURNED = [
    "`WS-FEE` is moved to `WS-LIMIT`",
    "copies `WS-FEE` into `WS-LIMIT`",
    "moves `WS-OLD` to `WS-NEW`",
    "sets `WS-LIMIT` to `WS-FEE`",
    "adds WS-TOTAL to `WS-FEE`",
    "`WS-TOTAL` is added to `WS-FEE`",
    "subtracts `WS-OWED` from `WS-PAID`",
    "`WS-OWED` is subtracted from `WS-PAID`",
]


@pytest.mark.parametrize("text", TRUE)
def test_the_same_side_and_its_opposite_pass(text: str) -> None:
    """A condition is true in its branch and not behind it; of what is not compared, all passes."""
    assert list(comparison_faults(text, FACTS)) == []


@pytest.mark.parametrize(("text", "phrase"), FALSE)
def test_another_side_or_limit_is_a_fault(text: str, phrase: str) -> None:
    """The sides are not exchanged, and the limit itself is on the side where the source has it."""
    assert list(comparison_faults(text, FACTS)) == [
        f"'{phrase}': no line of this part compares so; see which side has the limit"
    ]


@pytest.mark.parametrize("phrase", TURNED)
def test_a_change_that_is_turned_round_is_a_fault(phrase: str) -> None:
    """What is moved, added or subtracted is not what it is moved to, added to or taken from."""
    (fault,) = comparison_faults(f"It {phrase} then.", FACTS)
    assert fault == f"'{phrase.replace('`', '')}': a line of this part does it the other way round"


DECLARED = """\
       05  WS-FEE     PIC X(2)  VALUE '40'.
       05  WS-LIMIT   PIC S9(5)V99 COMP-3
             VALUE 20.00.
"""


@pytest.mark.parametrize(
    "text", ["Who owes more than 20.00 is blocked.", "A `WS-FEE` of at most 20.00 is kept."]
)
def test_a_limit_is_also_the_number_that_is_declared(text: str) -> None:
    """The declaration is cited, so the sentence need not name the item."""
    assert list(comparison_faults(text, FACTS, DECLARED)) == []


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Who owes at least 20.00 is blocked.", "at least 20.00"),
        ("It is cut when 20.00 is above `WS-FEE`.", "above WS-FEE"),
    ],
)
def test_a_declared_number_on_the_other_side_is_a_fault(text: str, phrase: str) -> None:
    """As one of the name is; without the declaration, nothing is known of the number."""
    assert list(comparison_faults(text, FACTS, DECLARED)) == [
        f"'{phrase}': no line of this part compares so; see which side has the limit"
    ]
    assert list(comparison_faults("Who owes at least 20.00 is blocked.", FACTS)) == []


def test_without_such_facts_nothing_is_said() -> None:
    """A source whose reader tells of no comparison can't be turned round."""
    assert list(comparison_faults("It is over 40, and moves A to B.", [])) == []


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("IF A > 1", ["A greater 1"]),
        ("IF A IS NOT GREATER THAN B", ["A at-most B"]),
        ("IF A LESS THAN OR EQUAL TO B OF R", ["A at-most B"]),
        ("IF A >= '12' AND < '31'", ["A at-least 12", "A less 31"]),
        ("IF A = 1 OR > 7", ["A greater 7"]),
        ("IF (A (I) OF R > B (J) AND C < -1)", ["A greater B", "C less -1"]),
        ("PERFORM X UNTIL I > 7", ["I greater 7"]),
        ("EVALUATE TRUE WHEN C < 0 CONTINUE WHEN A NOT < B", ["C less 0", "A at-least B"]),
        ("IF A + B > C", []),
        ("IF A > B * 2", []),
        ("IF A > FUNCTION MAX (B C)", []),
        ("IF A > LENGTH OF B", []),
        ("IF 1 > A", ["1 greater A"]),
        ("IF > A", []),
        ("IF A >", []),
        ("IF ) ) ) > A", []),
        ("IF A ((((( > B", []),
        (f"IF A {'OF R ' * 9}> B", ["A greater B"]),
        (f"IF A {'OF R ' * 20}> B", []),
        (f"IF {'A OR ' * 200} A > B", []),
    ],
)  # fmt: skip
def test_a_comparison_of_two_items_is_a_fact(condition: str, found: list[str]) -> None:
    """However it is spelt, with NOT, qualifiers and subscripts; one of an expression is none."""
    kinds = ("greater", "less", "at-least", "at-most")
    lines = textwrap.indent(textwrap.fill(condition, 55), " " * 11).splitlines()
    told = [f for f in facts(*lines) if f.kind in kinds]
    assert [f"{f.subject} {f.kind} {f.object}" for f in told] == found


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("ADD 1 A (I) TO B C (J) OF R", ["B 1", "B A", "C 1", "C A"]),
        ("SUBTRACT A FROM B GIVING C", ["B A"]),
        ("ADD A B GIVING C", []),
        ("ADD CORRESPONDING A TO B", []),
        ("ADD", []),
    ],
)
def test_what_is_added_to_what_is_a_fact(statement: str, found: list[str]) -> None:
    """Each item behind TO or FROM is changed by each before it."""
    told = [f for f in facts(f"           {statement}.") if f.kind in ("add", "subtract")]
    assert [f"{f.subject} {f.object}" for f in told] == found
