"""Which comments say something: prose, without the edges of boxes, and no code."""

import pytest

from war_rig.readers.cobol import CobolReader
from war_rig.readers.jcl import JclReader
from war_rig.readers.source import Source
from war_rig.readers.text import TextReader

PROGRAM = (
    "       PROGRAM-ID. PAY01.",
    "       DATA DIVISION.",
    "       WORKING-STORAGE SECTION.",
    "       01  RATE PIC 9(3).",
    "       PROCEDURE DIVISION.",
    "       CALC.",
    "           MOVE 1 TO RATE.",
    "       PAY-ALL.",
    "           EXIT.",
)


def cobol(*comments: str) -> list[str]:
    """Return what comments of a program say."""
    lines = [*PROGRAM, *"\n".join(f"      *{comment}" for comment in comments).split("\n")]
    reading = CobolReader().read(Source("PAY01.cbl", tuple(lines), "utf-8"))
    return [fact.object for fact in reading.facts if fact.kind == "comment"]


def jcl(*comments: str) -> list[str]:
    """Return what comments of a job say."""
    lines = ("//NIGHT JOB", *(f"//*{comment}" for comment in comments))
    reading = JclReader().read(Source("NIGHT.jcl", lines, "utf-8"))
    return [fact.object for fact in reading.facts if fact.kind == "comment"]


CODE = [
    "    MOVE WS-HOURS TO WS-LAST",
    "    move ws-hours to ws-last",
    "    MOVE 'Y' TO PAID OF STAFF-RECORD.",
    "    PERFORM CALC",
    "    PERFORM 2000-CALC THRU 2000-EXIT UNTIL WS-EOF = 'Y'",
    "    PERFORM SEND-LONG-TEXT.",
    "    DISPLAY 'HOURS: ' WS-HOURS",
    "    DISPLAY 'THE END OF THE STAFF FILE'",
    "    IF (WS-HOURS > 40 AND RATE NOT = ZERO)",
    "    ADD 2 TO WS-COUNT-9C",
    "    CALL 'TAX01' USING WS-HOURS.",
    "    COMPUTE RATE = RATE * 1.5",
    "    OPEN INPUT STAFF-FILE OUTPUT SLIP-FILE",
    "    ACCEPT WS-DAY FROM SYSIN",
    "    IF FUNCTION MOD(WS-YEAR 4) = 0",
    "    END-IF.",
    "    STOP RUN",
    "    COPY STAFFREC.",
    "    EXEC SQL COMMIT END-EXEC.",
    "              LENGTH(LENGTH OF WS-AREA)",
    "    COMMAREA (WS-AREA)",
    "    05  WS-NAME             PIC X(8) VALUE 'ANN'.",
    " 88  IS-PAID                VALUE 'Y'.",
    " 01  STAFF-RECORD.",
    "     SELECT STAFF-FILE ASSIGN TO UT-S-STAFF",
    "     SELECT OPTIONAL OLD-FILE ASSIGN OLDFILE.",
    " FD  STAFF-FILE.",
    "**** PAY-ALL ****",
    " Pay-All.",
    " WORKING STORAGE SECTION",
    "--- Linkage Section. ---",
]


@pytest.mark.parametrize("comment", CODE)
def test_code_that_was_switched_off_says_nothing(comment: str) -> None:
    """A comment that is a statement, an item or a header is not quoted as if it told something."""
    assert cobol(comment) == []


PROSE = [
    "READ THE STAFF FILE",
    "READ CROSS-REFERENCE FILE",
    "MOVE OLD VALUES TO NON-DISPLAY FIELDS",
    "INITIALIZE SEARCH CRITERIA",
    "CALL TO CEEDAYS",
    "CALL SUB-PROGRAM TO VALIDATE",
    "SET BY THE COMMITTEE EVERY JANUARY.",
    "SET: WS-HOURS",
    "Display the total in WS-TOTAL",
    "MOVE WS-RATE TO THE SLIP",
    "START OF PROGRAM",
    "WRITE-STAFF-FILE",
    "COPY LOANREC REPLACING ==:TAG:== BY ==XXXX==.",
    "SELECT THE STAFF OF A BRANCH",
    "FD is the file description",
    "In the LINKAGE SECTION",
    "PAY-ALL is for tests",
    "3. COMP and COMP-3 variables",
    "1 LENDING (PAY02)   2 RETURNS",
    "10 DAYS AT MOST.",
    "If it isn't paid, PAY02 calls again.",
    "EXECUTE THE TAX PROGRAM",
    "HOURS (OF A WEEK)",
    "RATES(WS-RATE) are yearly",
    "RATE (PER HOUR IN WS-RATE)",
]


@pytest.mark.parametrize("comment", PROSE)
def test_prose_in_the_words_of_code_is_kept(comment: str) -> None:
    """A sentence may begin with a verb of COBOL, or name an item."""
    assert cobol(f" {comment}") == [comment]


def test_code_goes_on_over_the_lines_of_a_comment() -> None:
    """What follows on its next line in the words of code is of it; a sentence is none."""
    assert cobol(
        " The rate of old:", "     MOVE WS-HOURS", "       TO WS-LAST", "     IF WS-LAST > 9",
        "        AND RATE-2 = 4", "     EXEC CICS SEND MAP('PAYMAP')", "       ERASE FREEKB NOW",
        "     END-EXEC", "       TO WS-LAST", " TO BE DONE AGAIN", "       TO WS-LAST",
    ) == ["The rate of old:", "TO BE DONE AGAIN", "TO WS-LAST"]  # fmt: skip
    assert cobol(
        "     SELECT OLD-FILE ASSIGN TO OLDFILE", "     ORGANIZATION IS INDEXED",
        "     ACCESS MODE IS DYNAMIC RECORD KEY IS OLD-KEY", "     FILE STATUS IS WS-STATUS.",
        " The file is sequential",
    ) == ["The file is sequential"]  # fmt: skip
    assert cobol("     MOVE WS-HOURS TO", "", "     WS-LAST", " Reads it") == ["Reads it"]
    code = "\n           MOVE 1 TO RATE."
    assert cobol("     EXEC SQL", "", "     a select", code, " Reads the staff") == [
        "Reads the staff"
    ]


@pytest.mark.parametrize(
    "comment",
    [
        "STEP05   EXEC PGM=PAY01,PARM='A B'",
        "YSPRINT DD SYSOUT=*",
        "         DD DSN=PAY.STAFF,DISP=SHR",
        "FSVSAMP  DD DUMMY",
        "SYSIN    DD *",
        " SET HLQ=PROD",
        "LIBS     JCLLIB ORDER=PAY.PROCLIB",
        "         DISP=(OLD,KEEP),SPACE=(CYL,(10,20)),",
        "     PARM='10.81.148.4 (EXIT TIMEOUT 20'",
        " RESTART=STEP30",
    ],
)
def test_statements_that_were_switched_off_say_nothing(comment: str) -> None:
    """The same of JCL, whether the asterisk was put in or over a letter."""
    assert jcl(comment) == []


@pytest.mark.parametrize(
    "comment",
    [
        "SET PARMS FOR THIS JOB:",
        "EXEC IMS PROGRAM",
        "The DD statement is for reruns",
        "RUNDATE=20010102 is for reruns",
        "Create the database (SSID=DAZ1)",
        "STEP05 runs PAY01",
    ],
)
def test_a_sentence_about_statements_is_kept(comment: str) -> None:
    """It has no operand where a statement has one, or goes on behind it."""
    assert jcl(f" {comment}") == [comment]


def text(*lines: str) -> list[str]:
    """Return what comments of an assembler program say."""
    reading = TextReader().read(Source("PAY.asm", lines, "utf-8"))
    return [fact.object for fact in reading.facts if fact.kind == "comment"]


@pytest.mark.parametrize(
    "comment", ["        CLC   DATE+4,C'-'", "        BNE   FAILED", "   CALL (15),(A,B),VL  "]
)
def test_an_instruction_that_was_switched_off_says_nothing(comment: str) -> None:
    """An operation of assembler with its operands, in capitals behind an asterisk, is no prose."""
    assert text(f"*{comment}", "* Rounds the amounts.") == ["Rounds the amounts."]


@pytest.mark.parametrize(
    "comment", ["SAVE REGISTERS", "Rounds up,down", "ROUNDS UP, DOWN", "ROUNDS  UP AND DOWN"]
)
def test_prose_in_capitals_is_kept(comment: str) -> None:
    """Sentences have blanks behind commas, and single ones between words."""
    assert text(f"*    {comment}") == [comment]


def test_the_edges_of_a_box_are_not_of_its_text() -> None:
    """On whichever side, whatever they are drawn with, and before sequence numbers."""
    box = [
        "*" * 66 + "//",
        "  Pays the staff." + " " * 46 + "*//",
        "| and prints the slips,".ljust(67) + "|",
        "# monthly (A/B)".ljust(67) + "#",
        "*".ljust(68) + "*",
        "  of all branches".ljust(68) + "*00010000",
        "---- or of one <----",
        "=" * 60,
    ]
    told = [
        "Pays the staff.", "and prints the slips,", "monthly (A/B)", "of all branches", "or of one",
    ]  # fmt: skip
    assert jcl(*box) == told
    assert cobol(*(line[:65] for line in box)) == told
