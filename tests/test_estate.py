"""What holds files together: stated by code, found over data names, and shown with links."""

import asyncio
from pathlib import Path

import pytest
from pages import broken_links

from war_rig.agents import Agent
from war_rig.document import DocsFolder, document, plan
from war_rig.document.estate import Estate
from war_rig.providers.offline import OfflineProvider
from war_rig.readers import readers

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
       COPY NAMES.
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
    assert ("selects", "PAY.RATE", (), True) in found
    assert ("deletes", "PAY.OLD", (), True) in found
    assert not any(name == "STAFF-FILE" for _, name, _, _ in found)
    assert ("as STAFF-FILE uses", "PROD.STAFF.FILE", (), True) in found
    assert not any("&HLQ" in name for _, name, _, _ in found)


def test_jobs_run_programs_and_procedures(src: Path) -> None:
    """A step's program or procedure is looked up in the estate."""
    found = relations(src, "PAYJOB.jcl")
    assert ("runs", "PAY01", ("PAY01.cbl",), True) in found
    assert ("runs procedure", "PAYPROC", ("PAYPROC.prc",), True) in found


def test_what_is_missing_is_listed_and_never_fatal(src: Path) -> None:
    """Programs and copybooks that are used and not there are open questions."""
    missing = {r.name for r in Estate.of(plan(src, readers(60)).files).missing}
    assert missing == {"NOWHERE", "VENDOR", "SORT"}


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
        "- calls [<code>PAY02</code>](PAY02.cbl.md) ([21](../source/PAY01.cbl.md#L21), "
        "[22](../source/PAY01.cbl.md#L22))\n"
    ) in page
    assert "- calls, it may be, [<code>PAY03</code>](PAY03.cbl.md) (" in page
    assert "- [<code>PAYJOB.jcl</code>](PAYJOB.jcl.md) runs it (" in page
    used = (docs / "files" / "PAY03.cbl.md").read_text()
    assert "- [<code>PAY01.cbl</code>](PAY01.cbl.md) calls it, it may be (" in used
    assert " and 2 more)" in (docs / "files" / "MANY.cbl.md").read_text()
    index = (docs / "README.md").read_text()
    assert "- <code>VENDOR</code>, used by [<code>PAY01.cbl</code>](files/PAY01.cbl.md)\n" in index
    assert broken_links(docs) == []
