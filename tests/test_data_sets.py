"""In which data sets a program's files are: through jobs, procedures and CICS."""

from pathlib import Path

import pytest

from war_rig.document import plan
from war_rig.document.estate.estate import Estate, Relation
from war_rig.document.pages.tables import open_lines
from war_rig.readers import readers

PROGRAM = """\
       PROGRAM-ID. {name}.
       ENVIRONMENT DIVISION.
       INPUT-OUTPUT SECTION.
       FILE-CONTROL.
           SELECT STAFF-FILE ASSIGN TO STAFF.
       PROCEDURE DIVISION.
           GOBACK.
"""
PROCEDURE = "//BATCH PROC HLQ=TEST,PROG=\n//RUN EXEC PGM={program}\n{dds}"


def data_sets(src: Path, *programs: str, **members: str) -> dict[str, set[str]]:
    """Return the data sets of each program; *members* are jobs, with P_ before it procedures."""
    for name in programs:
        (src / f"{name}.cbl").write_text(PROGRAM.format(name=name))
    for name, text in members.items():
        is_procedure = name.startswith("P_")
        (src / (f"{name[2:]}.prc" if is_procedure else f"{name}.jcl")).write_text(text)
    outgoing = Estate.of(plan(src, readers(60)).files).outgoing
    return {
        name: {r.name for r in outgoing.get(f"{name}.cbl", ()) if r.verb == "has STAFF-FILE in"}
        for name in programs
    }


def test_a_step_that_calls_a_procedure_is_not_the_step_before(tmp_path: Path) -> None:
    """A DD of a procedure that is not there says nothing about the program that ran before."""
    job = (
        "//J JOB\n//S1 EXEC PGM=PAY01\n//S2 EXEC OTHER\n//STAFF DD DSN=NOT.OURS,DISP=SHR\n"
        "//RUN.STAFF DD DSN=NOR.THIS,DISP=SHR\n//RUN2.STAFF DD DSN=PAY2.STAFF,DISP=SHR\n"
        "//RUN2.SYSTSIN DD *\n  RUN PROGRAM(PAY02)\n/*\n"
    )
    assert data_sets(tmp_path, "PAY01", "PAY02", J=job) == {"PAY01": set(), "PAY02": {"PAY2.STAFF"}}


def test_a_dd_may_stand_before_what_runs_under_tso(tmp_path: Path) -> None:
    """The order of the DDs in a step does not matter."""
    job = (
        "//J JOB\n//JOBLIB DD DSN=A.LIB,DISP=SHR\n//S1 EXEC PGM=IKJEFT01\n"
        "//STAFF DD DSN=PROD.STAFF,DISP=SHR\n//SYSTSIN DD *\n  RUN PROGRAM(PAY01)\n/*\n"
    )
    assert data_sets(tmp_path, "PAY01", J=job) == {"PAY01": {"PROD.STAFF"}}


def test_each_terminal_step_has_its_own_dds(tmp_path: Path) -> None:
    """Those before and behind SYSTSIN are of what it runs, and never of a step beside it."""
    run = "//SYSTSIN DD *\n  DSN SYSTEM(D)\n  RUN PROGRAM({}) PLAN(X)\n  END\n/*\n"
    dd = "//STAFF DD DSN={},DISP=SHR\n"
    terminal, other = "//{} EXEC PGM=IKJEFT01\n", "//{} EXEC PGM=SORT\n"
    job = "".join(
        [
            "//J JOB\n", other.format("S0"), dd.format("NOBODYS"),
            terminal.format("S1"), dd.format("BEFORE"), run.format("PAY01"),
            terminal.format("S2"), run.format("PAY02"), dd.format("BEHIND"),
            "// DD DSN=MORE,DISP=SHR\n",
            other.format("S3"), dd.format("NOBODYS"),
            terminal.format("S4"), "//SYSTSIN DD *\n RUN PROG(PAY03)\n",
        ]
    )  # fmt: skip
    assert data_sets(tmp_path, "PAY01", "PAY02", "PAY03", J=job) == {
        "PAY01": {"BEFORE"}, "PAY02": {"BEHIND", "MORE"}, "PAY03": set(),
    }  # fmt: skip


def test_what_a_program_reads_runs_nothing(tmp_path: Path) -> None:
    """Commands are those of SYSTSIN; a RUN in another DD is the program's own input."""
    job = (
        "//J JOB\n//S1 EXEC PGM=IKJEFT01\n//SYSIN DD *\n  RUN PROGRAM(PAY02)\n/*\n"
        "//STAFF DD DSN=PROD.STAFF,DISP=SHR\n//SYSTSIN DD *\n  RUN PROGRAM(PAY01)\n/*\n"
    )
    found = data_sets(tmp_path, "PAY01", "PAY02", J=job)
    assert found == {"PAY01": {"PROD.STAFF"}, "PAY02": set()}


def test_a_procedures_step_has_the_dds_of_the_call(tmp_path: Path) -> None:
    """A job's ``STEP.DD`` takes the place of the procedure's; without a step it is the first's."""
    dds = (
        "//STAFF DD DSN=&HLQ..STAFF,DISP=SHR\n//S2 EXEC PGM=PAY02\n//STAFF DD DSN=SECOND,DISP=SHR\n"
    )
    procedure = PROCEDURE.format(program="PAY01", dds=dds)
    assert data_sets(tmp_path, "PAY01", "PAY02", P_BATCH=procedure) == {
        "PAY01": {"TEST.STAFF"}, "PAY02": {"SECOND"},
    }  # fmt: skip
    jobs = {
        "A": "//A JOB\n//S EXEC BATCH\n//RUN.STAFF DD DSN=A.STAFF,DISP=SHR\n",
        "B": "//B JOB\n//S EXEC BATCH,HLQ=B\n//S2.STAFF DD DSN=B.SECOND,DISP=SHR\n",
        "C": "//C JOB\n// SET HLQ=C\n//S EXEC BATCH,HLQ=&HLQ\n",
        "D": "//D JOB\n//S EXEC BATCH\n//STAFF DD DSN=D.STAFF,DISP=SHR\n",
    }
    assert data_sets(tmp_path, "PAY01", "PAY02", **jobs) == {
        "PAY01": {"A.STAFF", "B.STAFF", "C.STAFF", "D.STAFF"}, "PAY02": {"SECOND", "B.SECOND"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("override", "found"),
    [
        ("DUMMY", set()), ("dummy,DISP=OLD", set()), ("DUMMY,DSN=A.B,DISP=SHR", set()),
        ("DSN=NULLFILE", set()), ("SYSOUT=*", set()), ("PATH='/u/a'", set()),
        ("SUBSYS=X", set()), ("*\n  TEXT\n/*", set()), ("DISP=OLD", {"TEST.STAFF"}),
        ("DSN=A.B,DISP=SHR", {"A.B"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("step", ["RUN.", ""])
def test_a_call_may_take_a_data_set_away(
    tmp_path: Path, step: str, override: str, found: set[str]
) -> None:
    """A DD that can name none, such as DUMMY, leaves the program without the procedure's."""
    dds = "//STAFF DD DSN=&HLQ..STAFF,DISP=SHR\n"
    job = f"//J JOB\n//S EXEC BATCH\n//{step}STAFF DD {override}\n"
    procedure = PROCEDURE.format(program="PAY01", dds=dds)
    assert data_sets(tmp_path, "PAY01", P_BATCH=procedure, J=job) == {"PAY01": found}


def test_a_dummy_uses_no_data_set(tmp_path: Path) -> None:
    """What a DUMMY would be is named beside it; a program does not get it, and no step uses it."""
    job = (
        "//J JOB\n//S EXEC PGM=PAY01\n//STAFF DD DUMMY,\n//  DSN=A.STAFF,DISP=SHR\n"
        "//OUT DD DSN=NULLFILE\n//LOG DD DSN=A.LOG\n"
    )
    assert data_sets(tmp_path, "PAY01", J=job) == {"PAY01": set()}
    relations = Estate.of(plan(tmp_path, readers(60)).files).outgoing["J.jcl"]
    assert [(r.verb, r.name) for r in relations] == [("runs", "PAY01"), ("uses", "A.LOG")]


def test_a_call_may_name_the_program(tmp_path: Path) -> None:
    """A symbol of the procedure is what the call says; one without a value stays a symbol."""
    procedure = PROCEDURE.format(program="&PROG", dds="//LOG DD DSN=A.LOG,DISP=SHR\n")
    job = (
        "//J JOB\n//S1 EXEC BATCH,PROG=PAY01\n//RUN.STAFF DD DSN=FIRST,DISP=SHR\n"
        "//S2 EXEC BATCH,PROG=PAY02\n//RUN.STAFF DD DSN=SECOND,DISP=SHR\n//S3 EXEC BATCH\n"
        "//S4 EXEC BATCH,PROG=\n//RUN.STAFF DD DSN=NOBODYS,DISP=SHR\n"
    )
    found = data_sets(tmp_path, "PAY01", "PAY02", J=job, P_BATCH=procedure)
    assert found == {"PAY01": {"FIRST"}, "PAY02": {"SECOND"}}
    estate = Estate.of(plan(tmp_path, readers(60)).files)
    runs = [(r.line, r.name, r.files) for r in estate.outgoing["J.jcl"] if r.verb == "runs"]
    assert runs == [(2, "PAY01", ("PAY01.cbl",)), (4, "PAY02", ("PAY02.cbl",))]
    assert estate.missing == ()


def test_what_a_job_runs_in_a_procedure_has_its_dds(tmp_path: Path) -> None:
    """The commands that a job gives a terminal step take the place of the procedure's own."""
    own = "//SYSTSIN DD *\n  RUN PROGRAM(PAY02)\n/*\n//STAFF DD DSN=SHARED,DISP=SHR\n"
    procedure = PROCEDURE.format(program="IKJEFT01", dds=own)
    job = (
        "//J JOB\n//S1 EXEC BATCH\n//RUN.SYSTSIN DD *\n  RUN PROGRAM(PAY01)\n/*\n"
        "//RUN.OTHER DD DSN=A.B,DISP=SHR\n"
    )
    found = data_sets(tmp_path, "PAY01", "PAY02", J=job, P_BATCH=procedure)
    assert found == {"PAY01": {"SHARED"}, "PAY02": set()}
    job = "//J JOB\n//S1 EXEC BATCH\n//RUN.SYSTSIN DD DUMMY\n"
    assert data_sets(tmp_path, "PAY02", J=job, P_BATCH=procedure) == {"PAY02": set()}


def test_an_in_stream_procedure_is_that_of_the_job(tmp_path: Path) -> None:
    """A job's own procedure is meant, not the job's other steps nor a member of that name."""
    procedure = PROCEDURE.format(program="PAY02", dds="//STAFF DD DSN=MEMBERS,DISP=SHR\n")
    job = (
        "//J JOB\n//BATCH PROC\n//RUN EXEC PGM=&PROG\n//STAFF DD DSN=&HLQ..STAFF,DISP=SHR\n"
        "//DEEP EXEC DEEPER\n// PEND\n//S0 EXEC PGM=SORT\n//S1 EXEC BATCH,PROG=PAY01,HLQ=PROD\n"
    )
    found = data_sets(tmp_path, "PAY01", "PAY02", J=job, P_BATCH=procedure)
    assert found == {"PAY01": {"PROD.STAFF"}, "PAY02": {"MEMBERS"}}
    estate = Estate.of(plan(tmp_path, readers(60)).files)
    called = {r.name: r.files for r in estate.outgoing["J.jcl"] if r.verb == "runs procedure"}
    assert called == {"BATCH": ("J.jcl",), "DEEPER": ()}


def test_a_call_may_change_what_a_dd_refers_to(tmp_path: Path) -> None:
    """In a procedure, a reference back is followed only where no call can change what it means."""
    steps = (
        "//ONE EXEC PGM=OTHER\n//X DD DSN=OLD.STAFF,DISP=SHR\n"
        "//TWO EXEC PGM={}\n//STAFF DD DSN=*.ONE.X,DISP=SHR\n"
    )
    found = data_sets(
        tmp_path, "PAY01", "PAY02", "PAY03",
        P_CAT="//CAT PROC\n" + steps.format("PAY01"), J="//J JOB\n//S EXEC CAT\n",
        K="//K JOB\n//P PROC\n" + steps.format("PAY02") + "// PEND\n//S EXEC P\n"
        "//ONE.X DD DSN=NEW.STAFF,DISP=SHR\n",
        L="//L JOB\n//P PROC\n" + steps.format("PAY03") + "// PEND\n//S EXEC P\n",
    )  # fmt: skip
    assert found == {"PAY01": set(), "PAY02": set(), "PAY03": {"OLD.STAFF"}}


def test_symbols_that_name_each_other_end(tmp_path: Path) -> None:
    """A symbol that grows with each turn is not followed for ever."""
    procedure = PROCEDURE.format(program="PAY01", dds="//STAFF DD DSN=&HLQ..STAFF,DISP=SHR\n")
    job = "//J JOB\n//S1 EXEC BATCH,HLQ='&A&A&A&A'\n"
    sets = "// SET A='&B&B&B&B&B&B&B&B'\n// SET B='&A&A&A&A&A&A&A&A'\n"
    job = job.replace("//S1", f"{sets}//S1")
    found = data_sets(tmp_path, "PAY01", J=job, P_BATCH=procedure)
    assert found == {"PAY01": {"&HLQ..STAFF"}}


CSD = """\
DEFINE FILE(LOANMST) GROUP(G) DSNAME(LIB.LOANMST)
DEFINE FILE(TWICE) GROUP(G) DSNAME(LIB.ONE)
DEFINE FILE(TWICE) GROUP(H) DSNAME(LIB.TWO)
"""
ONLINE = """\
       PROGRAM-ID. DESK.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01  WS-FILE PIC X(8) VALUE 'LOANMST '.
       PROCEDURE DIVISION.
           EXEC CICS READ FILE('LOANMST') INTO(A) END-EXEC.
           EXEC CICS READNEXT FILE('TWICE') END-EXEC.
           EXEC CICS WRITE FILE(WS-FILE) FROM(A) END-EXEC.
           EXEC CICS REWRITE FILE('LOANMST') FROM(A) END-EXEC.
           EXEC CICS DELETE FILE(WS-FILE) END-EXEC.
           EXEC CICS READ FILE('UNKNOWN') INTO(A) END-EXEC.
           EXEC SQL DELETE FROM LOANS END-EXEC.
"""


def online(src: Path) -> list[tuple[str, str, bool]]:
    relations: tuple[Relation, ...] = Estate.of(plan(src, readers(60)).files).relations
    return [(r.verb, r.name, r.is_certain) for r in relations]


def test_a_file_of_cics_is_in_the_data_set_that_the_csd_says(tmp_path: Path) -> None:
    """By a name in a data item, or where two groups differ, it may be so."""
    (tmp_path / "DESK.cbl").write_text(ONLINE)
    assert online(tmp_path) == [("deletes from", "WS-FILE", True), ("deletes from", "LOANS", True)]
    (tmp_path / "DEFS.csd").write_text(CSD)
    assert online(tmp_path) == [
        ("reads", "LIB.LOANMST", True), ("reads", "LIB.ONE", False), ("reads", "LIB.TWO", False),
        ("writes", "LIB.LOANMST", False), ("updates", "LIB.LOANMST", True),
        ("deletes from", "LIB.LOANMST", False), ("deletes from", "LOANS", True),
    ]  # fmt: skip


def test_a_data_set_of_cics_is_no_open_question(tmp_path: Path) -> None:
    """That a program may use it leaves nothing to be found, as a call without a target does."""
    (tmp_path / "DESK.cbl").write_text(ONLINE)
    (tmp_path / "DEFS.csd").write_text(CSD)
    estate = Estate.of(plan(tmp_path, readers(60)).files)
    assert open_lines("DESK.cbl", estate, {"DESK.cbl": ("files/DESK.md", "source/DESK.md")}) == []


def test_a_browse_that_starts_reads_nothing_yet(tmp_path: Path) -> None:
    """STARTBR and RESETBR only find a place; the program browses the file all the same."""
    (tmp_path / "DEFS.csd").write_text(CSD)
    (tmp_path / "DESK.cbl").write_text(
        ONLINE.partition("           EXEC")[0]
        + "           EXEC CICS STARTBR FILE('LOANMST') RIDFLD(A) END-EXEC.\n"
        "           EXEC CICS RESETBR FILE(WS-FILE) RIDFLD(A) END-EXEC.\n"
        "           EXEC CICS ENDBR FILE('LOANMST') END-EXEC.\n"
    )
    assert online(tmp_path) == [
        ("browses", "LIB.LOANMST", True), ("browses", "LIB.LOANMST", False),
    ]  # fmt: skip


def test_a_batch_file_is_none_of_cics(tmp_path: Path) -> None:
    """A program's own file may be called like one that a CSD defines."""
    (tmp_path / "DEFS.csd").write_text(CSD)
    (tmp_path / "BATCH.cbl").write_text(
        "       PROGRAM-ID. BATCH.\n       DATA DIVISION.\n       FILE SECTION.\n"
        "       FD  LOANMST.\n       01  A PIC X.\n       PROCEDURE DIVISION.\n"
        "           READ LOANMST.\n           DELETE LOANMST.\n"
    )
    assert online(tmp_path) == []
