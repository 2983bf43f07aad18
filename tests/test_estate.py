"""What holds files together: stated by code, found over data names, and shown with links."""

import asyncio
import re
from pathlib import Path

import pytest
from pages import broken_links

from war_rig.agents import Agent
from war_rig.document import DocsFolder, document, plan
from war_rig.document.estate.estate import Estate
from war_rig.document.pages.tables import open_lines
from war_rig.providers.offline import OfflineProvider
from war_rig.readers import Fact, Reading, Source, Unit, readers

MAIN = """\
       IDENTIFICATION DIVISION.
       PROGRAM-ID. PAY01.
       ENVIRONMENT DIVISION.
       INPUT-OUTPUT SECTION.
       FILE-CONTROL.
           SELECT STAFF-FILE ASSIGN TO UT-S-STAFF.
       DATA DIVISION.
       FILE SECTION.
       FD  STAFF-FILE.
       01  STAFF-RECORD PIC X(80).
       WORKING-STORAGE SECTION.
       COPY NAMES.
       COPY NOWHERE.
       01  WS-NEXT PIC X(8) VALUE 'PAY02'.
       01  WS-OTHER PIC X(8).
       01  WS-LOOP PIC X(8).
       PROCEDURE DIVISION.
       MAIN-LINE.
           MOVE WS-FROM-COPY TO WS-OTHER.
           MOVE WS-LOOP TO WS-LOOP.
           CALL 'PAY02' USING STAFF-RECORD.
           CALL 'PAY02' USING STAFF-RECORD.
           CALL WS-NEXT.
           CALL WS-OTHER.
           CALL WS-LOOP.
           CALL 'VENDOR'.
           DELETE STAFF-FILE.
           EXEC SQL SELECT A INTO :B FROM PAY.RATE END-EXEC.
           EXEC SQL DELETE FROM PAY.OLD END-EXEC.
           EXEC CICS XCTL PROGRAM('PAY03') END-EXEC.
           GOBACK.
"""
NAMES = """\
       01  WS-FROM-COPY PIC X(8) VALUE 'PAY03'.
       01  WS-TOO-LONG PIC X(20) VALUE 'NOT A PROGRAM NAME'.
"""
JOB = """\
//PAYJOB   JOB (1),'PAY',CLASS=A
//         SET HLQ=PROD
//STEP1    EXEC PGM=PAY01
//STAFF    DD DSN=&HLQ..STAFF.FILE,DISP=SHR
//STAFF2   DD DSN=OTHER.FILE,DISP=SHR
//STEP2    EXEC PGM=SORT
//STEP3    EXEC PAYPROC
//STEP4    EXEC PGM=&UNKNOWN
"""


def program(name: str) -> str:
    return MAIN.split("       ENVIRONMENT")[0].replace("PAY01", name) + (
        "       PROCEDURE DIVISION.\n       ONLY.\n           GOBACK.\n"
    )


@pytest.fixture
def src(tmp_path: Path) -> Path:
    source = tmp_path / "src"
    source.mkdir()
    files = {
        "PAY01.cbl": MAIN, "PAY02.cbl": program("PAY02"), "PAY03.cbl": program("PAY03"),
        "NAMES.cpy": NAMES, "PAYJOB.jcl": JOB,
        "PAYPROC.prc": "//PAYPROC PROC\n//A EXEC PGM=PAY02\n",
    }  # fmt: skip
    for name, text in files.items():
        (source / name).write_text(text)
    return source


def relations(src: Path, file: str) -> set[tuple[str, str, tuple[str, ...], bool]]:
    estate = Estate.of(plan(src, readers(60)).files)
    return {(r.verb, r.name, r.files, r.is_certain) for r in estate.outgoing[file]}


def test_calls_are_found_by_literal_and_over_data_names(src: Path) -> None:
    """A target in a data item is followed over VALUE, MOVE and copybooks; it only may be so."""
    found = relations(src, "PAY01.cbl")
    assert ("calls", "PAY02", ("PAY02.cbl",), True) in found
    assert ("calls", "PAY02", ("PAY02.cbl",), False) in found
    assert ("calls", "PAY03", ("PAY03.cbl",), False) in found
    assert ("calls", "WS-LOOP", (), False) in found
    assert ("transfers to", "PAY03", ("PAY03.cbl",), True) in found
    assert ("calls", "VENDOR", (), True) in found


def test_tables_copybooks_and_data_sets_are_joined(src: Path) -> None:
    """A SELECT ... ASSIGN meets the DD of the steps that run the program."""
    found = relations(src, "PAY01.cbl")
    assert ("copies", "NAMES", ("NAMES.cpy",), True) in found
    assert ("selects from", "PAY.RATE", (), True) in found
    assert ("deletes from", "PAY.OLD", (), True) in found
    assert not any(name == "STAFF-FILE" for _, name, _, _ in found)
    assert ("has STAFF-FILE in", "PROD.STAFF.FILE", (), True) in found
    assert not any("&HLQ" in name for _, name, _, _ in found)


def test_literals_are_followed_the_shortest_way(tmp_path: Path) -> None:
    """A long way to a data item hides no short one; five moves away is too far."""
    moves = ("P TO T", "Q TO P", "X TO Q", "X TO T", "Y TO X", "Z TO Y", "U TO Z", "V TO U")
    (tmp_path / "A.cbl").write_text(
        "       PROGRAM-ID. A.\n       DATA DIVISION.\n       WORKING-STORAGE SECTION.\n"
        + "".join(f"       01  {n} PIC X(8) VALUE 'PROG{n}'.\n" for n in "YUV")
        + "       PROCEDURE DIVISION.\n"
        + "".join(f"           MOVE {move}.\n" for move in moves)
        + "           CALL T.\n"
    )
    assert {name for _, name, _, _ in relations(tmp_path, "A.cbl")} == {"PROGY", "PROGU"}


TARGETS = """\
       PROGRAM-ID. A.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01  AREA-1.
           05  NEXT-PGM PIC X(8) VALUE 'OTHER'.
           05  WS-DAY PIC X(8).
           05  WS-FLAG PIC X.
               88  WS-IS-ON VALUE 'Y'.
           05  WS-PART PIC X(8).
           05  WS-PART-R REDEFINES WS-PART.
               10  WS-NUMBER PIC X(8).
       COPY MORE REPLACING ==:TAG:== BY ==ONE==.
       COPY MORE REPLACING ==:TAG:== BY ==TWO==.
       01  PAIR-1. COPY PAIR.
       01  PAIR-2. COPY PAIR.
       01  GROUP-2.
           05  IN-GROUP PIC X(8).
               88  IS-IN VALUE 'PAY99'.
           05  ALSO-IN PIC X(8).
       01  SHORT-PGM PIC XXXX.
       01  RIGHT-PGM PIC X(4) JUSTIFIED RIGHT.
       01  EDITED-PGM PIC X(2)BX.
       01  AREA-3.
           05  IN-BOTH PIC X(8).
       01  AREA-4. 05 ON-LINE PIC X(8). 01  AREA-5. 05 ON-LINE PIC X(8).
       66  WS-PARTS RENAMES NEXT-PGM THRU WS-DAY.
       LINKAGE SECTION.
       01  GIVEN PIC X(8).
       PROCEDURE DIVISION.
       FIRST-LINES.
           MOVE 'FAR' TO NEXT-PGM WS-PART IN-GROUP ALSO-IN GIVEN.
           MOVE 'FAR' TO WS-TWICE OF TWO-AREA.
           MOVE 'FAR' TO LATER-PGM RIGHT-PGM EDITED-PGM IN-PAIR OF PAIR-2.
           MOVE 'FAR' TO IN-BOTH OF TWO-AREA ON-LINE OF AREA-5.
       LINES-AT-HAND.
"""
MORE = """\
       01  :TAG:-AREA.
           05  WS-TWICE PIC X(8).
           05  IN-BOTH PIC X(8).
"""


@pytest.mark.parametrize(
    "lines",
    [
        "MOVE 'NEAR' TO NEXT-PGM|CALL NEXT-PGM.",
        "MOVE 'NEAR' TO NEXT-PGM|CALL NEXT-PGM",
        "MOVE 'NEAR' TO NEXT-PGM.|CALL NEXT-PGM USING NEXT-PGM.",
        ("IF X = Y|MOVE 'NEAR' TO NEXT-PGM|SET WS-IS-ON TO TRUE|MOVE 1 TO WS-DAY|DISPLAY 'A' X|"
         "EXEC CICS XCTL COMMAREA(X) PROGRAM(NEXT-PGM) END-EXEC|END-IF."),
        "MOVE 'NEAR' TO WS-DAY|MOVE WS-DAY TO NEXT-PGM|CALL NEXT-PGM.",
        "MOVE 'NEAR' TO ALSO-IN|CALL ALSO-IN OF GROUP-2.",
        "DISPLAY 'A'|MOVE 'NEAR' TO NEXT-PGM.|CALL NEXT-PGM.",
        "MOVE 'NEAR' TO NEXT-PGM|DISPLAY 'A' UPON CONSOLE|CALL NEXT-PGM.",
        "MOVE 'NEAR' TO NEXT-PGM|D:MOVE 'FAR' TO NEXT-PGM|CALL NEXT-PGM.",
        "MOVE 'NEARLY' TO SHORT-PGM|CALL SHORT-PGM.",
        "MOVE 'NEAR-AND-FAR' TO SHORT-PGM|CALL SHORT-PGM.",
        "IF X = Y MOVE 'NEARLY' TO SHORT-PGM.|CALL SHORT-PGM.",
        "MOVE 'NEARLY' TO WS-DAY|MOVE WS-DAY TO SHORT-PGM|CALL SHORT-PGM.",
    ],
)  # fmt: skip
def test_the_move_before_a_call_decides(tmp_path: Path, lines: str) -> None:
    """Where only plain statements lie between the two, no other move counts, nor a VALUE."""
    assert _targets(tmp_path, lines) == {"NEAR"}


@pytest.mark.parametrize(
    ("lines", "others"),
    [
        ("IF X = Y|MOVE 'NEAR' TO NEXT-PGM|END-IF|CALL NEXT-PGM.", {"FAR", "OTHER"}),
        ("IF X = Y MOVE 'NEAR' TO NEXT-PGM.|CALL NEXT-PGM.", {"FAR", "OTHER"}),
        ("IF X = Y MOVE 'NEAR' TO NEXT-PGM ELSE|CALL NEXT-PGM.", {"FAR", "OTHER"}),
        ("MOVE 'NEAR' TO NEXT-PGM.|ANOTHER.|CALL NEXT-PGM.", {"FAR", "OTHER"}),
        ("MOVE 'NEAR' TO NEXT-PGM|PERFORM ANOTHER|CALL NEXT-PGM.", {"FAR", "OTHER"}),
        ("MOVE 'NEAR' TO NEXT-PGM|MOVE X TO AREA-1|CALL NEXT-PGM.", {"FAR", "OTHER"}),
        ("MOVE 'NEAR' TO NEXT-PGM|MOVE X TO WS-PARTS|CALL NEXT-PGM.", {"FAR", "OTHER"}),
        ("MOVE 'NEAR' TO NEXT-PGM|MOVE X TO UNKNOWN|CALL NEXT-PGM.", {"FAR", "OTHER"}),
        ("MOVE 'NEAR' TO NEXT-PGM|MOVE X TO GIVEN|CALL NEXT-PGM.", {"FAR", "OTHER"}),
        ("MOVE 'NEAR' TO NEXT-PGM|ACCEPT NEXT-PGM|CALL NEXT-PGM.", {"FAR", "OTHER"}),
        ("DISPLAY 'A' LINE 1 EXCEPTION MOVE 'NEAR' TO NEXT-PGM.|CALL NEXT-PGM.", {"FAR", "OTHER"}),
        ("MOVE 'NEAR' TO NEXT-PGM|DISPLAY FUNCTION F(A)|CALL NEXT-PGM.", {"FAR", "OTHER"}),
        ("MOVE 'NEAR' TO NEXT-PGM(1:4)|CALL NEXT-PGM.", {"FAR", "OTHER"}),
        ("MOVE 'NEAR' TO NEXT-PGM|MOVE 'FAR' TO NEXT-PGM(5:3)|CALL NEXT-PGM.", {"FAR", "OTHER"}),
        ("MOVE 'NEAR' TO WS-PART|MOVE '1' TO WS-NUMBER|CALL WS-PART.", {"FAR"}),
        ("MOVE 'NEAR' TO WS-PART|CALL WS-PART.", {"FAR"}),
        ("MOVE 'NEAR' TO IN-GROUP|SET IS-IN TO TRUE|CALL IN-GROUP.", {"FAR", "PAY99"}),
        ("MOVE 'NEAR' TO IN-GROUP|MOVE X TO GROUP-2|CALL IN-GROUP.", {"FAR"}),
        ("MOVE 'NEAR' TO WS-TWICE OF ONE-AREA|CALL WS-TWICE OF TWO-AREA.", {"FAR"}),
        ("MOVE 'NEAR' TO IN-BOTH OF AREA-3|CALL IN-BOTH OF TWO-AREA.", {"FAR"}),
        ("MOVE 'NEAR' TO ON-LINE OF AREA-4|CALL ON-LINE OF AREA-5.", {"FAR"}),
        ("MOVE 'NEAR' TO IN-PAIR OF PAIR-1|CALL IN-PAIR OF PAIR-2.", {"FAR"}),
        ("MOVE 'NEAR' TO NEXT-PGM|CALL NEXT-PGM(1:4).", {"FAR", "OTHER"}),
        ("MOVE 'NEAR' TO NEXT-PGM|CALL NEXT-PGM.|COPY MORE REPLACING ==== BY ==B==.",
         {"FAR", "OTHER"}),
        ("MOVE 'NEAR' TO GIVEN|CALL GIVEN.", {"FAR"}),
        ("MOVE 'A-NEAR' TO RIGHT-PGM|CALL RIGHT-PGM.", {"FAR"}),
        ("MOVE 'NEAR' TO EDITED-PGM|CALL EDITED-PGM.", {"FAR"}),
        ("MOVE 'NEAR' TO LATER-PGM|CALL LATER-PGM.", {"FAR"}),
        ("MOVE 'NEAR' TO NEXT-PGM|>>IF X DEFINED|MOVE 'NEAR' TO NEXT-PGM|>>END-IF|CALL NEXT-PGM.",
         {"FAR", "OTHER"}),
        ("D:MOVE 'NEAR' TO NEXT-PGM.|CALL NEXT-PGM.", {"FAR", "OTHER"}),
    ],
)  # fmt: skip
def test_a_move_that_may_not_be_the_last_decides_nothing(
    tmp_path: Path, lines: str, others: set[str]
) -> None:
    """Behind a condition, at another label, or where anything else may change the item."""
    assert _targets(tmp_path, lines) >= others


@pytest.mark.parametrize(
    ("lines", "known"),
    [
        ("SET WS-IS-ON IS-IN OF GROUP-2 TO TRUE|CALL IN-GROUP.", {"FAR", "PAY99"}),
        ("SET WS-IS-ON TO TRUE|CALL IN-GROUP.", {"FAR"}),
        ("SET WS-IS-ON TO TRUE IS-IN TO TRUE.|CALL IN-GROUP.", {"FAR", "PAY99"}),
        ("SET WS-INDEX TO 1. EVALUATE TRUE WHEN IS-IN CALL IN-GROUP.", {"FAR"}),
    ],
)
def test_a_condition_that_is_set_moves_its_value(
    tmp_path: Path, lines: str, known: set[str]
) -> None:
    """The value of a level 88 counts as a literal of the item above it where SET makes it true."""
    assert _targets(tmp_path, lines) == known


@pytest.mark.parametrize("before", ["", "IF X = Y "])
def test_what_is_emptied_names_no_program(tmp_path: Path, before: str) -> None:
    """A word such as SPACES is no name of a program, wherever it is moved."""
    lines = f"{before}MOVE SPACES TO SHORT-PGM.|CALL SHORT-PGM."
    assert _targets(tmp_path, lines) == {"SHORT-PGM"}


def _targets(src: Path, lines: str) -> set[str]:
    """Return what the program may call with *lines*, D: before one for debugging."""
    code = (f"      D    {one[2:]}" if one[:2] == "D:" else f"           {one}"
            for one in lines.split("|"))  # fmt: skip
    (src / "A.cbl").write_text(TARGETS + "".join(f"{one}\n" for one in code))
    (src / "MORE.cpy").write_text(MORE)
    (src / "PAIR.cpy").write_text("           05  IN-PAIR PIC X(8).\n")
    return {name for _, name, _, is_certain in relations(src, "A.cbl") if not is_certain}


def test_a_data_item_may_be_called_like_the_program_that_it_names(src: Path) -> None:
    """What its VALUE holds is found, though it is no other name than its own."""
    text = MAIN.replace("WS-NEXT", "PAY02").replace("CALL 'PAY02'", "CALL 'PAY03'")
    (src / "PAY01.cbl").write_text(text)
    assert ("calls", "PAY02", ("PAY02.cbl",), False) in relations(src, "PAY01.cbl")


def test_a_fact_without_a_name_draws_no_relation(tmp_path: Path) -> None:
    """What a plugin's reader leaves empty relates to nothing."""

    class Empty:
        language = "empty"

        def reads(self, source: Source) -> bool:
            return True

        def read(self, source: Source) -> Reading:
            kinds = ("call", "call-name", "copy", "exec", "exec-proc", "select", "dsn", "csd-file")
            return Reading((), tuple(Fact(kind, "A", "", source.file, 1) for kind in kinds))

    (tmp_path / "a.x").write_text("\n")
    assert Estate.of(plan(tmp_path, [Empty()]).files).relations == ()


def test_a_table_is_in_the_file_that_creates_it(src: Path) -> None:
    """A program that selects from a table leads to its DDL."""
    (src / "pay.sql").write_text("CREATE TABLE PAY.RATE (A CHAR(1));\n")
    assert ("selects from", "PAY.RATE", ("pay.sql",), True) in relations(src, "PAY01.cbl")


def test_jobs_run_programs_and_procedures(src: Path) -> None:
    """A step's program or procedure is looked up in the estate."""
    found = relations(src, "PAYJOB.jcl")
    assert ("runs", "PAY01", ("PAY01.cbl",), True) in found
    assert ("runs procedure", "PAYPROC", ("PAYPROC.prc",), True) in found


def test_what_is_missing_is_listed_and_never_fatal(src: Path) -> None:
    """Programs and copybooks that are used and not there are open questions."""
    estate = Estate.of(plan(src, readers(60)).files)
    assert {r.name for r in estate.missing} == {"NOWHERE", "VENDOR", "SORT"}
    assert [r for r in estate.relations if r.is_missing] == list(estate.missing)


def test_the_pages_show_relations_with_links(src: Path, tmp_path: Path) -> None:
    """A page says what its file uses and what uses it; the index what is not in the source."""
    (src / "MANY.cbl").write_text(
        program("MANY").replace(
            "           GOBACK", "           CALL 'PAY02'\n" * 10 + "           GOBACK"
        )
    )
    planned, docs = plan(src, readers(60)), tmp_path / "docs"
    scribe = Agent("scribe", OfflineProvider())
    asyncio.run(document(planned, scribe, DocsFolder(docs, src), provider="offline", rounds=1))
    page = (docs / "files" / "PAY01.cbl.md").read_text()
    assert (
        "| calls | [<code>PAY02</code>](PAY02.cbl.md) | [21](../source/PAY01.cbl.md#L21), "
        "[22](../source/PAY01.cbl.md#L22) |\n"
    ) in page
    assert "| perhaps calls | [<code>PAY03</code>](PAY03.cbl.md) | " in page
    assert "| [<code>PAYJOB.jcl</code>](PAYJOB.jcl.md) | runs it | " in page
    assert "- <code>NOWHERE</code> is not in this source (line " in page
    assert "- It calls what <code>WS-LOOP</code> names, which could not be found (line " in page
    used = (docs / "files" / "PAY03.cbl.md").read_text()
    assert "| [<code>PAY01.cbl</code>](PAY01.cbl.md) | perhaps calls it | " in used
    assert " and 2 more |" in (docs / "files" / "MANY.cbl.md").read_text()
    index = (docs / "README.md").read_text()
    assert "| <code>VENDOR</code> | [<code>PAY01.cbl</code>](files/PAY01.cbl.md) |\n" in index
    assert broken_links(docs) == []


def letters(tmp_path: Path) -> Path:
    """Return the pages of MAIL, which calls LETT1 or LETT2 at two lines, and SORTS twice."""
    src, docs = tmp_path / "src", tmp_path / "docs"
    src.mkdir()
    for name in ("LETT1", "LETT2"):
        (src / f"{name}.cbl").write_text(program(name))
    calls = "           MOVE 'LETT1' TO P.\n           IF A = 1 MOVE 'LETT2' TO P.\n" + "".join(
        f"           CALL {called}.\n" for called in ("P", "P", "'SORTS'", "'SORTS'")
    )
    text = program("MAIL").replace("           GOBACK", f"{calls}           GOBACK")
    item = "       DATA DIVISION.\n       WORKING-STORAGE SECTION.\n       01  P PIC X(8).\n"
    (src / "MAIL.cbl").write_text(text.replace("       PROC", f"{item}       PROC", 1))
    scribe = Agent("scribe", OfflineProvider())
    work = document(
        plan(src, readers(60)), scribe, DocsFolder(docs, src), provider="offline", rounds=1
    )
    asyncio.run(work)
    return docs


def test_what_the_same_lines_may_mean_is_one_row(tmp_path: Path) -> None:
    """The programs that a call may lead to stand side by side, not in a row each."""
    page = (letters(tmp_path) / "files" / "MAIL.cbl.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| perhaps")]
    assert [row.rpartition(" | ")[0] for row in rows] == [
        "| perhaps calls | [<code>LETT1</code>](LETT1.cbl.md) or [<code>LETT2</code>](LETT2.cbl.md)"
    ]
    assert rows[0].count("#L") == 2


def test_what_is_missing_at_several_lines_is_one_question(tmp_path: Path) -> None:
    """A name that is not in the source is asked about once, with all its lines."""
    page = (letters(tmp_path) / "files" / "MAIL.cbl.md").read_text()
    (question,) = [line for line in page.splitlines() if "is not in this source" in line]
    assert question.startswith("- <code>SORTS</code> is not in this source (lines [")
    assert question.count("#L") == 2


def test_a_literal_without_its_file_is_the_name_that_is_missing(tmp_path: Path) -> None:
    """What may be called and is not there is told as such: the literal names nothing else."""
    calls = "           CALL P.\n           CALL Q.\n           CALL P.\n"
    (tmp_path / "A.cbl").write_text(
        "       PROGRAM-ID. A.\n       DATA DIVISION.\n       WORKING-STORAGE SECTION.\n"
        "       01  P PIC X(8) VALUE 'PAY99'.\n       PROCEDURE DIVISION.\n" + calls
    )
    estate = Estate.of(plan(tmp_path, readers(60)).files)
    line = "[{0}](../source/A.md#L{0})".format
    assert open_lines("A.cbl", estate, {"A.cbl": ("files/A.md", "source/A.md")}) == [
        "- <code>PAY99</code>, which it perhaps calls, is not in this source "
        f"(lines {line(6)}, {line(8)}).",
        f"- It calls what <code>Q</code> names, which could not be found (line {line(7)}).",
    ]


def test_a_symbol_is_no_program_beside_what_it_stands_for(src: Path) -> None:
    """A step runs what its symbol means; one that can't be told is shown as it is written."""
    (src / "J.jcl").write_text(
        "//J JOB\n// SET PROG=PAY01\n//S1 EXEC PGM=&PROG\n//S2 EXEC PGM=&OTHER\n"
    )
    assert relations(src, "J.jcl") == {
        ("runs", "PAY01", ("PAY01.cbl",), True), ("runs", "&OTHER", (), True),
    }  # fmt: skip


def test_what_is_perhaps_called_is_no_entry_point(tmp_path: Path) -> None:
    """Work begins where nothing leads to, not even over a data name."""
    index = (letters(tmp_path) / "README.md").read_text()
    started = starters(index)
    assert started.pop("MAIL") == "nothing in this source"
    assert set(started.values()) == {"perhaps program [<code>MAIL</code>](files/MAIL.cbl.md)"}
    assert (
        "- Programs that nothing in this source starts: [<code>MAIL</code>](files/MAIL.cbl.md)\n"
        in index
    )


@pytest.mark.parametrize(
    ("disposition", "verbs"),
    [
        ("SHR", {"uses"}), ("OLD", {"uses"}), ("(OLD,KEEP)", {"uses"}), ("MOD", {"adds to"}),
        ("(OLD,DELETE)", {"uses", "deletes"}), ("(SHR,DELETE,KEEP)", {"uses", "deletes"}),
        ("(MOD,DELETE,DELETE)", {"deletes"}), ("(MOD,CATLG,DELETE)", {"adds to"}),
        ("(NEW,CATLG,DELETE)", {"creates"}), ("(,CATLG)", {"creates"}), ("&HOW", {"uses"}),
        ("(NEW,DELETE)", {"creates", "deletes"}), ("(,DELETE)", {"creates", "deletes"}),
    ],
)  # fmt: skip
def test_a_data_set_is_deleted_by_the_step_that_ends_it_so(
    src: Path, disposition: str, verbs: set[str]
) -> None:
    """The second part of a disposition says what becomes of it where the step ends well."""
    (src / "J.jcl").write_text(
        f"//J JOB (1)\n//STEP1 EXEC PGM=IEFBR14\n//A DD DSN=A.B,DISP={disposition}\n"
        "//  DD DSN=A.C,DISP=SHR\n"
    )
    found = {(verb, name) for verb, name, _, _ in relations(src, "J.jcl")}
    assert found == {("runs", "IEFBR14"), ("uses", "A.C")} | {(verb, "A.B") for verb in verbs}


def test_a_reference_back_is_no_name(src: Path) -> None:
    """What it means is stated, what can't be told is an open question, and no name in the index."""
    (src / "J.jcl").write_text(
        "//J JOB (1)\n//S1 EXEC PGM=LINKER\n//L DD DSN=A.LOAD(PAY01),DISP=(,PASS)\n"
        "//S2 EXEC PGM=*.S1.L\n//D DD DSN=*.S1.L,DISP=(OLD,DELETE)\n"
        "//STAFF DD DSN=*.S9.X,DISP=OLD\n//S3 EXEC PGM=*.S9.L\n"
    )
    assert relations(src, "J.jcl") == {
        ("runs", "LINKER", (), True), ("creates", "A.LOAD(PAY01)", (), True),
        ("runs", "PAY01", ("PAY01.cbl",), True), ("uses", "A.LOAD(PAY01)", (), True),
        ("deletes", "A.LOAD(PAY01)", (), True), ("runs", "*.S9.L", (), False),
        ("uses", "*.S9.X", (), False),
    }  # fmt: skip
    estate = Estate.of(plan(src, readers(60)).files)
    assert {r.name for r in estate.data if r.file == "J.jcl"} == {"A.LOAD(PAY01)"}
    assert open_lines("J.jcl", estate, {"J.jcl": ("files/J.md", "source/J.md")})[-2:] == [
        f"- It {verb} what <code>&#42;.S9.{dd}</code> names, which could not be found "
        f"(line [{line}](../source/J.md#L{line}))."
        for verb, dd, line in (("runs", "L", 7), ("uses", "X", 6))
    ]
    assert not any(name == "*.S9.X" for _, name, _, _ in relations(src, "PAY01.cbl"))


def test_a_data_set_is_created_or_used_by_the_job_that_names_it(src: Path) -> None:
    """A DD statement's disposition says how; libraries of programs are left out."""
    (src / "SAVEJOB.jcl").write_text(
        "//SAVEJOB  JOB (1)\n//STEP1 EXEC PGM=IEBGENER\n//STEPLIB DD DSN=A.LIB,DISP=SHR\n"
        "//SYSUT1 DD DSN=A.IN,DISP=SHR\n//SYSUT2 DD DSN=A.OUT,DISP=(NEW,CATLG)\n"
        "//LOG DD DSN=A.LOG,\n//    DISP=MOD\n"
    )
    found = {(verb, name) for verb, name, _, _ in relations(src, "SAVEJOB.jcl")}
    assert found == {
        ("runs", "IEBGENER"), ("uses", "A.IN"), ("creates", "A.OUT"), ("adds to", "A.LOG"),
    }  # fmt: skip


def test_a_step_of_a_procedure_runs_what_its_override_says(src: Path) -> None:
    """A job that gives a procedure's terminal step its commands runs the program in them."""
    (src / "DB2JOB.jcl").write_text(
        "//DB2JOB JOB (1)\n//POST EXEC PAYPROC\n//RUN.SYSTSIN DD *\n"
        "  RUN PROGRAM(PAY02) PLAN(X)\n/*\n//OTHER EXEC PAYPROC\n//RUN.SYSIN DD *\n"
        "  RUN PROGRAM(PAY03)\n/*\n//FIRST EXEC PAYPROC\n//SYSTSIN DD *\n  RUN PROGRAM(PAY01)\n"
    )
    found = relations(src, "DB2JOB.jcl")
    assert ("runs", "PAY02", ("PAY02.cbl",), True) in found
    assert ("runs", "PAY01", ("PAY01.cbl",), True) in found
    assert "PAY03" not in {name for _, name, _, _ in found}


class Transactions:
    """Reads lines such as ``PAYT PAY03``: a transaction and the program that it starts."""

    language = "transactions"

    def reads(self, source: Source) -> bool:
        return source.file.endswith(".tran")

    def read(self, source: Source) -> Reading:
        facts = [
            Fact("transaction", *line.split(), source.file, number)
            for number, line in enumerate(source.lines, 1)
        ]
        unit = Unit(source.file, "all", "definition", 1, len(source.lines))
        return Reading((unit,), tuple(facts))


def starters(index: str) -> dict[str, str]:
    """Return what starts each program, as the index shows it."""
    rows = index.partition("## Programs")[2].partition("\n## ")[0].split("\n")[4:]
    cells = [row.strip("| ").split(" | ") for row in rows if row]
    return {re.findall(r"<code>(.*?)</code>", cell[0])[0]: cell[2] for cell in cells}


def test_the_index_says_what_starts_a_program(src: Path, tmp_path: Path) -> None:
    """Transactions and jobs; without these other programs, at last those that perhaps do."""
    (src / "DEFS.tran").write_text("PAYT PAY03\nPAYU PAY03\n")
    docs = tmp_path / "docs"
    scribe = Agent("scribe", OfflineProvider())
    (src / "LONE.cbl").write_text(program("LONE"))
    (src / "PAY04.cbl").write_text(program("PAY04"))
    for n in range(5):
        (src / f"C{n}.cbl").write_text(program(f"C{n}") + "           CALL 'PAY04'.\n" * 2)
    (src / "BOTH.cpy").write_text("       CODE-IN-COPYBOOK.\n           CALL 'C0'.\n")
    planned = plan(src, [Transactions(), *readers(60)])
    asyncio.run(document(planned, scribe, DocsFolder(docs, src), provider="offline", rounds=1))
    index = (docs / "README.md").read_text()
    found = starters(index)
    assert found == {
        "C0": "copybook [<code>BOTH.cpy</code>](files/BOTH.cpy.md)",
        **{f"C{n}": "nothing in this source" for n in range(1, 5)},
        "LONE": "nothing in this source",
        "PAY01": "job [<code>PAYJOB</code>](files/PAYJOB.jcl.md)",
        "PAY02": "procedure [<code>PAYPROC</code>](files/PAYPROC.prc.md)",
        "PAY03": "transaction <code>PAYT</code>, transaction <code>PAYU</code>",
        "PAY04": ", ".join(f"program [<code>C{n}</code>](files/C{n}.cbl.md)" for n in range(3))
        + " and 2 more",
    }
    assert index.count("[<code>PAYJOB</code>]") == 3  # the entry, its row, and that of what it runs
    assert broken_links(docs) == []
    assert re.findall(
        r"^- .*", index.partition("## Entry points")[2].partition("## ")[0], re.M
    ) == [
        "- Programs that transactions start: [<code>PAY03</code>](files/PAY03.cbl.md) "
        "by <code>PAYT</code> and <code>PAYU</code>",
        "- Jobs: [<code>PAYJOB</code>](files/PAYJOB.jcl.md)",
        "- Programs that nothing in this source starts: "
        + ", ".join(
            f"[<code>{n}</code>](files/{n}.cbl.md)" for n in ("C1", "C2", "C3", "C4", "LONE")
        ),
    ]


def test_rows_of_one_name_say_which_file_they_are_of(src: Path, tmp_path: Path) -> None:
    """Two jobs may be called the same; one name alone needs no more than that."""
    for name in ("one.jcl", "two.jcl"):
        (src / name).write_text("//SAME JOB (1)\n//S EXEC PGM=PAY02\n")
    docs = tmp_path / "docs"
    planned, scribe = plan(src, readers(60)), Agent("scribe", OfflineProvider())
    asyncio.run(document(planned, scribe, DocsFolder(docs, src), provider="offline", rounds=1))
    jobs = (docs / "README.md").read_text().partition("## Jobs")[2].partition("\n## ")[0]
    assert re.findall(r"^\| (.*?) \| ", jobs, re.MULTILINE)[2:] == [
        "[<code>PAYJOB</code>](files/PAYJOB.jcl.md)",
        "[<code>SAME</code>](files/one.jcl.md) in <code>one.jcl</code>",
        "[<code>SAME</code>](files/two.jcl.md) in <code>two.jcl</code>",
    ]


def test_the_steps_of_a_job_follow_each_other(src: Path, tmp_path: Path) -> None:
    """The graph of a job leads from step to step, and not from one job into the next."""
    (src / "TWO.jcl").write_text(
        "//A JOB\n//A1 EXEC PGM=PAY01\n//A2 EXEC PGM=PAY02\n//B JOB\n//B1 EXEC PGM=PAY03\n"
    )
    docs = tmp_path / "docs"
    planned, scribe = plan(src, readers(60)), Agent("scribe", OfflineProvider())
    asyncio.run(document(planned, scribe, DocsFolder(docs, src), provider="offline", rounds=1))
    page = (docs / "files" / "TWO.jcl.md").read_text()
    names = dict(re.findall(r'(n\d+)\["(\w+)"\]', page))
    arrows = {
        (names[a], label, names[b])
        for a, label, b in re.findall(r'(n\d+) -->\|"(\w+)"\| (n\d+)', page)
    }
    assert arrows == {
        ("A1", "then", "A2"), ("A1", "runs", "PAY01"), ("A2", "runs", "PAY02"),
        ("B1", "runs", "PAY03"),
    }  # fmt: skip


def test_a_program_that_was_read_as_text_is_not_missing(src: Path, tmp_path: Path) -> None:
    """Pages say that a member of its name is there, and how it was read, and link to it."""
    (src / "asm").mkdir()
    (src / "asm" / "vendor.asm").write_text("* Rounds the amounts.\nVENDOR   CSECT\n")
    (src / "asm" / "SORT").write_text("SORT     CSECT\n")
    (src / "DATES.asm").write_text("DATES    CSECT\n")
    (src / "WS-LOOP.txt").write_text("Loops.\n")
    (src / "CALLER.cbl").write_text(
        program("CALLER").replace("           GOBACK", "           CALL WS-DAY.\n           GOBACK")
        + "       DATA DIVISION.\n       WORKING-STORAGE SECTION.\n"
        "       01  WS-DAY PIC X(8) VALUE 'DATES'.\n"
    )
    found = relations(src, "PAY01.cbl")
    assert ("calls", "VENDOR", ("asm/vendor.asm",), True) in found
    assert ("calls", "WS-LOOP", (), False) in found
    assert ("runs", "SORT", ("asm/SORT",), True) in relations(src, "PAYJOB.jcl")
    assert ("calls", "DATES", ("DATES.asm",), False) in relations(src, "CALLER.cbl")
    planned, docs = plan(src, readers(60)), tmp_path / "docs"
    scribe = Agent("scribe", OfflineProvider())
    asyncio.run(document(planned, scribe, DocsFolder(docs, src), provider="offline", rounds=1))
    page = (docs / "files" / "PAY01.cbl.md").read_text()
    assert (
        "- <code>VENDOR</code> is there as [<code>asm/vendor.asm</code>](asm/vendor.asm.md), "
        "which was read as text (line [26](../source/PAY01.cbl.md#L26)).\n"
    ) in page
    assert "VENDOR</code> is not in this source" not in page
    assert "| calls | [<code>VENDOR</code>](asm/vendor.asm.md) | " in page
    assert (
        "<code>VENDOR</code>"
        not in (docs / "README.md")
        .read_text()
        .partition("## Not in this source")[2]
        .partition("\n## ")[0]
    )
    assert "NAMES.cpy</code>](NAMES.cpy.md), which was read as text" not in page
    assert broken_links(docs) == []
