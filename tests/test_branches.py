"""What the cited lines do in one branch only is not said of the other one."""

import pytest

from war_rig.document.checks.branches import branch_faults
from war_rig.readers.cobol import CobolReader
from war_rig.readers.source import Source

BLOCK = """\
       05  WS-LIMIT   PIC S9(5)V99 COMP-3  VALUE 20.00.
           IF WS-OWED > WS-LIMIT
               PERFORM 3100-BLOCK
               MOVE WS-LIMIT TO WS-FEE
           END-IF.
           PERFORM 4000-REST.
"""


def faults(text: str, code: str = BLOCK) -> list[str]:
    """Return the faults of a sentence about *code*."""
    head = ("       PROGRAM-ID. P.", "       PROCEDURE DIVISION.", "       MAIN.")
    read = CobolReader().read(Source("a.cbl", (*head, *code.splitlines()[1:]), "utf-8"))
    return list(branch_faults(text, read.facts, code))


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Who owes at most 20.00 is blocked by `3100-BLOCK`.", "at most 20.00"),
        ("When `WS-OWED` is less than or equal to `WS-LIMIT`, it performs `3100-BLOCK`.",
         "less than or equal to WS-LIMIT"),
        ("If `WS-OWED` is not greater than `WS-LIMIT`, the paragraph `3100-BLOCK` is performed.",
         "greater than WS-LIMIT"),
        ("If `WS-OWED` doesn't exceed `WS-LIMIT`, `3100-BLOCK` is performed.",
         "exceed WS-LIMIT"),
        ("`3100-BLOCK` is performed when `WS-LIMIT` is at least `WS-OWED`.", "at least WS-OWED"),
        ("`3100-BLOCK` is performed when `WS-OWED` is no more than 20.00.", "more than 20.00"),
    ],
)  # fmt: skip
def test_what_is_done_in_one_branch_is_not_said_of_the_other(text: str, phrase: str) -> None:
    """Whichever way the condition is turned round."""
    assert faults(text) == [
        f"'{phrase}': the cited lines do it only on the other side of the limit"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Who owes more than 20.00 is blocked by `3100-BLOCK`.",
        "When `WS-LIMIT` is less than `WS-OWED`, it performs `3100-BLOCK`.",
        "If `WS-OWED` is at most `WS-LIMIT`, it performs `4000-REST`.",
        "If `WS-OWED` is at most `WS-LIMIT`, it doesn't perform `3100-BLOCK`.",
        "`3100-BLOCK` is performed unless `WS-OWED` is at most `WS-LIMIT`.",
        "When `WS-OWED` is at most `WS-LIMIT`, `WS-FEE` stays as it was set.",
        "When `WS-OWED` is at most `WS-LIMIT`, it is fine.",
        "It is set to the limit, so that it is at most `WS-LIMIT`.",
        "It performs `3100-BLOCK`, and `WS-FEE` is at most `WS-LIMIT` then.",
        "When `WS-OTHER` is at most `WS-LIMIT`, it performs `3100-BLOCK`.",
        "When `WS-OWED` is at most `WS-MOST`, it performs `3100-BLOCK`.",
        "When more than 20.00 is owed it is not at most 20.00, and it performs `3100-BLOCK`.",
    ],
)
def test_what_may_be_meant_otherwise_passes(text: str) -> None:
    """The branch itself, what is not done, what is done anyway, and what follows from it."""
    assert faults(text) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "           END-IF.",
            "           ELSE\n               PERFORM 3100-BLOCK\n           END-IF.",
        ),
        ("WS-OWED > WS-LIMIT", "WS-OWED > WS-LIMIT OR WS-ALL = 'Y'"),
        ("IF WS-OWED > WS-LIMIT", "IF NOT WS-OWED > WS-LIMIT"),
        ("4000-REST", "3100-BLOCK"),
        ("IF WS-OWED", "IF WS-ALL = 'Y'\n               MOVE 1 TO A\n           IF WS-OWED"),
        ("           END-IF.", "               IF WS-OWED > 5 MOVE 1 TO A."),
    ],
)
def test_of_lines_with_several_ways_all_passes(old: str, new: str) -> None:
    """What is done may be reached by another one."""
    text = "`3100-BLOCK` is performed when `WS-OWED` is at most `WS-LIMIT`."
    assert faults(text)
    assert faults(text, BLOCK.replace(old, new)) == []


CAPPED = """\
           IF WS-FEE > WS-LIMIT
               MOVE WS-LIMIT TO WS-FEE
               ADD 1 TO WS-CAPPED
               WRITE CAP-REC
               DELETE FEE-FILE
           END-IF.
           ADD 1 TO WS-COUNT.
"""


@pytest.mark.parametrize(
    "done",
    [
        "it is set to the limit", "`WS-FEE` is moved", "it sets `WS-FEE` to the limit",
        "it moves the limit to `WS-FEE`", "it adds 1 to `WS-CAPPED`", "it counts `WS-CAPPED`",
        "`CAP-REC` is written", "it writes the record `CAP-REC`", "it deletes `FEE-FILE`",
    ],
)  # fmt: skip
def test_what_is_changed_in_one_branch_is_told_by_its_name(done: str) -> None:
    """The statement's verb alone may be that of another one, behind the branch."""
    text = f"If `WS-FEE` is at most `WS-LIMIT`, {done}."
    assert faults(text, f"\n{CAPPED}") == [
        "'at most WS-LIMIT': the cited lines do it only on the other side of the limit"
    ]


@pytest.mark.parametrize(
    "done",
    [
        "it sets the count one higher", "`WS-COUNT` is set one higher", "it adds 1 to `WS-COUNT`",
        "the fee is written to the list", "`WS-COUNT` is written", "it moves on to `WS-COUNT`",
    ],
)  # fmt: skip
def test_what_another_statement_may_do_passes(done: str) -> None:
    """What is not named, or stands behind the branch, too, is done on the other side."""
    assert faults(f"If `WS-FEE` is at most `WS-LIMIT`, {done}.", f"\n{CAPPED}") == []


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("DISPLAY 'NOT PAID UNTIL THEN, OR STOP'", "it performs `3100-BLOCK`"),
        ("MOVE A OF B (C) TO D WS-LAST", "`WS-LAST` is set"),
        ('CALL "PAY02" USING A', "it calls `PAY02`"),
        ("PERFORM 2000-A THRU 2000-Z", "it performs `2000-A`"),
        ("CALL WS-PROGRAM", "it calls `WS-PROGRAM`"),
        ("SET WS-FULL TO TRUE", "`WS-FULL` is set"),
        ("COMPUTE WS-SUM = A + B", "it sets `WS-SUM`"),
    ],
)
def test_a_branch_is_read_as_code(statement: str, text: str) -> None:
    """A literal in it is no way out, and what is done is told however the statement is spelt."""
    code = BLOCK.replace("PERFORM 4000-REST", "CONTINUE").replace(
        "MOVE WS-LIMIT TO WS-FEE", statement
    )
    assert len(faults(f"When `WS-OWED` is at most `WS-LIMIT`, {text}.", code)) == 1


def test_what_runs_behind_the_branch_may_do_the_same() -> None:
    """A paragraph that is performed for all may write the record as well."""
    text = "If `WS-FEE` is at most `WS-LIMIT`, `CAP-REC` is written."
    assert faults(text, f"\n{CAPPED}")
    assert faults(text, f"\n{CAPPED}           PERFORM 2000-LIST.\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "A payment whose amount is at most 100 is written by `2000-WRITE-PAY`.",
        "A payment whose amount is at most 100 sets the count one higher.",
        "If `PAY-AMT` is at most 100, it performs `1500-LOG`.",
    ],
)
def test_behind_a_branch_that_leaves_is_the_other_one(text: str) -> None:
    """What stands there is done only where the condition does not hold."""
    code = """\

           IF PAY-AMT > 100
               PERFORM 1500-LOG
               WRITE ERR-REC
               MOVE 1 TO WS-BAD
               GO TO 1000-EXIT
           END-IF
           PERFORM 2000-WRITE-PAY
           ADD 1 TO WS-COUNT.
"""
    assert faults(text, code) == []
