"""The JCL reader: columns, continuation, in-stream data, procedures, and any text at all."""

import time

import pytest
import readings
from hypothesis import example, given
from hypothesis import strategies as st

from war_rig.readers import Reading, Source
from war_rig.readers.jcl import JclReader

SAMPLE = """\
//* Nightly run of the lending library
//NIGHT    JOB (LIB),'NIGHTLY RUN',CLASS=A,COND=(8,LT),                 00010000
//             NOTIFY=&SYSUID                                           00020000
/*JOBPARM SYSAFF=ANY
//*MAIN CLASS=NIGHT
//LIBS     JCLLIB ORDER=(LIB.PROCS,
//             'LIB.MORE.PROCS')
//         SET HLQ=LIB.PROD,MEM='LOAN 1'
//JOBLIB   DD DSN=&HLQ..LOAD,DISP=SHR
//COPY     PROC PGM=IEBGENER,OUT=
//* Copy a member away
//COPY1    EXEC PGM=&PGM
//SYSUT1   DD DSN=&HLQ..SRC(&MEMBER),DISP=SHR
//SYSUT2   DD DSN=&OUT,DISP=(NEW,PASS)
//         PEND
//* Build the loan file
//BUILD    EXEC PGM=IKJEFT01,COND=((0,NE),EVEN)
//STEPLIB  DD DISP=SHR,DSN=&HLQ..LOAD      the program's own library
//         DD DISP=SHR,DSN=SYS1.LINKLIB
//WORK     DD DSN=&&TEMP,DISP=(NEW,PASS)
//OUT      DD SYSOUT=(A,INTRDR)
//SYSTSIN  DD *
  DSN SYSTEM(DBX)
  RUN PROGRAM(LOAN01) PLAN(LOANS)
/*
// IF (BUILD.RC = 0) THEN
//SAVE     EXEC COPY,OUT=LIB.OUT,MEMBER=LOANS
//COPY1.SYSUT1 DD DUMMY
// ELSE
//         EXEC PROC=ALERT
// ENDIF
//DATA     DD DATA,DLM='@@'
//FAKE     EXEC PGM=NOTHING
/*
@@
//"""


def read(text: str, file: str = "jobs/night.jcl") -> Reading:
    """Return the reading of *text*, a line each."""
    return JclReader().read(Source(file, tuple(text.split("\n")) if text else (), "utf-8"))


def facts(text: str, *kinds: str) -> list[tuple[str, str, str, int]]:
    """Return the facts of *kinds*, or all but job and step."""
    found = readings.facts(read(text), *kinds)
    return [fact for fact in found if kinds or fact[0] not in ("job", "step", "dd")]


def objects(text: str, kind: str) -> list[str]:
    """Return the objects of the facts of *kind*."""
    return [found[2] for found in facts(text, kind)]


def problems(text: str) -> list[tuple[int, str]]:
    """Return what could not be read."""
    return readings.problems(read(text))


def units(text: str) -> list[tuple[str, str, int, int]]:
    """Return the units as kind, name and lines."""
    return readings.places(read(text).units)


def test_a_job_is_its_head_its_procedures_and_its_steps() -> None:
    """Each unit goes from the comments or IF above it to before the next one."""
    assert units(SAMPLE) == [
        ("job", "NIGHT", 1, 9),
        ("procedure", "COPY", 10, 10),
        ("step", "COPY1", 11, 15),
        ("step", "BUILD", 16, 25),
        ("step", "SAVE", 26, 28),
        ("step", "line 30", 29, 36),
    ]
    assert read(SAMPLE).parts == read(SAMPLE).units
    assert problems(SAMPLE) == []


def test_the_head_of_a_job_is_stated() -> None:
    """Each fact of the head stands on the line of its own operand."""
    kinds = ("job", "cond", "set", "jcllib", "dsn", "disp", "proc")
    assert [found for found in facts(SAMPLE, *kinds) if found[3] < 11] == [
        ("job", "NIGHT", "NIGHT", 2),
        ("cond", "NIGHT", "(8,LT)", 2),
        ("jcllib", "NIGHT", "LIB.PROCS", 6),
        ("jcllib", "NIGHT", "LIB.MORE.PROCS", 7),
        ("set", "HLQ", "LIB.PROD", 8),
        ("set", "MEM", "LOAN 1", 8),
        ("dsn", "JOBLIB", "&HLQ..LOAD", 9),
        ("disp", "JOBLIB", "SHR", 9),
        ("proc", "COPY", "COPY", 10),
        ("set", "PGM", "IEBGENER", 10),
        ("set", "OUT", "", 10),
    ]


def test_steps_programs_and_procedures_are_stated() -> None:
    """A step belongs to its job or procedure, and a program or procedure to its step."""
    assert facts(SAMPLE, "step", "exec", "exec-proc", "exec-resolved", "runs") == [
        ("step", "COPY", "COPY1", 12),
        ("exec", "COPY1", "&PGM", 12),
        ("exec-resolved", "COPY1", "IEBGENER", 12),
        ("step", "NIGHT", "BUILD", 17),
        ("exec", "BUILD", "IKJEFT01", 17),
        ("runs", "BUILD", "LOAN01", 24),
        ("step", "NIGHT", "SAVE", 27),
        ("exec-proc", "SAVE", "COPY", 27),
        ("exec-proc", "line 30", "ALERT", 30),
    ]


def test_data_sets_are_stated_as_written_and_resolved() -> None:
    """A symbol has the value of the call, else of the PROC, else of SET; unknown, it stays."""
    assert facts(SAMPLE, "dsn", "dsn-resolved") == [
        ("dsn", "JOBLIB", "&HLQ..LOAD", 9),
        ("dsn-resolved", "JOBLIB", "LIB.PROD.LOAD", 9),
        ("dsn", "SYSUT1", "&HLQ..SRC(&MEMBER)", 13),
        ("dsn-resolved", "SYSUT1", "LIB.PROD.SRC(LOANS)", 13),
        ("dsn", "SYSUT2", "&OUT", 14),
        ("dsn-resolved", "SYSUT2", "LIB.OUT", 14),
        ("dsn", "STEPLIB", "&HLQ..LOAD", 18),
        ("dsn-resolved", "STEPLIB", "LIB.PROD.LOAD", 18),
        ("dsn", "STEPLIB", "SYS1.LINKLIB", 19),
        ("dsn", "WORK", "&&TEMP", 20),
    ]


def test_the_rest_of_a_step_is_stated() -> None:
    """Conditions, DDs, dispositions, output, in-stream data and comments have their step."""
    kinds = ("cond", "dd", "disp", "sysout", "instream", "comment")
    assert [found for found in facts(SAMPLE, *kinds) if found[3] > 15] == [
        ("comment", "BUILD", "Build the loan file", 16),
        ("cond", "BUILD", "((0,NE),EVEN)", 17),
        ("dd", "BUILD", "STEPLIB", 18),
        ("disp", "STEPLIB", "SHR", 18),
        ("dd", "BUILD", "STEPLIB", 19),
        ("disp", "STEPLIB", "SHR", 19),
        ("dd", "BUILD", "WORK", 20),
        ("disp", "WORK", "(NEW,PASS)", 20),
        ("dd", "BUILD", "OUT", 21),
        ("sysout", "OUT", "(A,INTRDR)", 21),
        ("dd", "BUILD", "SYSTSIN", 22),
        ("instream", "SYSTSIN", "2 lines", 22),
        ("cond", "SAVE", "(BUILD.RC = 0)", 26),
        ("cond", "line 30", "ELSE (BUILD.RC = 0)", 26),
        ("dd", "SAVE", "COPY1.SYSUT1", 28),
        ("dd", "line 30", "DATA", 32),
        ("instream", "DATA", "2 lines", 32),
    ]


@pytest.mark.parametrize(
    ("file", "first", "is_read"),
    [
        ("a.jcl", "", True),
        ("a.PRC", "x", True),
        ("a.Proc", "x", True),
        ("a.txt", "//A JOB", True),
        ("a.txt", "//a exec pgm=b", True),
        ("A", "//P  PROC X=", True),
        ("a.c", "// EXEC this", False),
        ("a.c", "//A JOBS", False),
        ("a.c", "", False),
    ],
)
def test_jcl_is_known_by_suffix_or_first_statement(file: str, first: str, is_read: bool) -> None:
    """A suffix of JCL suffices, and so does JOB, PROC or EXEC on the first line with text."""
    assert JclReader().reads(Source(file, (" ", first), "utf-8")) is is_read


@pytest.mark.parametrize(
    "lines",
    [
        "//D DD UNIT=X,\n//   DSN=A.B",
        "//D DD UNIT=X,   a remark, isn't it\n//   DSN=A.B  another",
        "//D DD UNIT=X,\n//* between the two\n//             DSN=A.B",
        "//D DD SUBSYS=(A,'B C,D''E'),\n// DSN=A.B",
        "//D DD UNIT=X,".ljust(72) + "00010000\n//  DSN=A.B".ljust(81) + "00020000",
        "//D DD UNIT=X,".ljust(71) + "*\n//  DSN=A.B",
        "//d dd unit=x,\n//\tdsn=A.B",
        "//D DD DSNAME='A.B'",
        "//D DD UNIT=((,\n// A),B),\n//   DSN=A.B,",
    ],
)
def test_operands_go_on_after_a_comma(lines: str) -> None:
    """Remarks, comments, quoted commas and columns 72-80 do not end or enter the operands."""
    assert objects(f"//S EXEC PGM=X\n{lines}", "dsn") == ["A.B"]


def test_a_remark_may_go_on() -> None:
    """After a mark in column 72, a line with no operation of its own goes on with the remark."""
    text = "//S EXEC PGM=A  some words".ljust(71) + "X\n//  and MORE words\n//  DD DSN=B"
    assert problems(text) == [(3, "a DD without a name, and none before it")]


def test_a_quoted_string_goes_on_in_column_16() -> None:
    """An open quote takes all of its line to column 71, and the next one from column 16."""
    start = "//S EXEC PGM=DFSRRC00,PARM='BMP,".ljust(58) + "           LO\n"
    text = start.replace("           LO", "LOANS,PSB".rjust(13)) + "//" + " " * 13 + "LOAN'"
    assert problems(text) == []
    assert objects(text, "psb") == ["PSBLOAN"]
    padded = "//D DD SUBSYS='A\n//             B,''C',DSN=D"
    assert objects(f"//S EXEC PGM=X\n{padded}", "dsn") == ["D"]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("//S EXEC PGM=A,", 1, "the operands end in a comma and do not go on"),
        ("//S EXEC PGM=A,\n//* word\n/*", 1, "the operands end in a comma and do not go on"),
        ("//S EXEC PGM=A,PARM='B", 1, "a quote is not closed"),
        ("//S EXEC PGM=A,PARM='B\n//T DD DUMMY", 1, "a quote is not closed"),
        (
            "//S EXEC PGM=A,\n//                COND=EVEN",
            2,
            "operands that go on must begin in columns 4 to 16",
        ),
        ("//S EXEC", 1, "EXEC names neither a program nor a procedure"),
        ("//S EXEC PGM=", 1, "EXEC names neither a program nor a procedure"),
        ("//S EXECUTE PGM=A", 1, "the operation EXECUTE is not known"),
        ("//S", 1, "a name without an operation"),
        ("// PEND", 1, "PEND without PROC"),
        ("// ELSE", 1, "ELSE without IF"),
        ("// ENDIF", 1, "ENDIF without IF"),
        ("// IF RC=0 THEN", 1, "IF without ENDIF"),
        ("// IF RC=0\n// ENDIF", 1, "IF without THEN"),
        ("//J JOB\n//P PROC", 2, "PROC without PEND"),
        ("//J JOB\n//P PROC\n//K JOB", 2, "PROC without PEND"),
        ("words\nand more", 1, "neither a statement nor in-stream data"),
    ],
)
def test_what_can_not_be_read_is_a_problem(text: str, line: int, problem: str) -> None:
    """A problem tells its line once, and the rest is read."""
    assert problems(text) == [(line, problem)]


def test_operands_beyond_column_16_are_read_all_the_same() -> None:
    """Text that goes on too far right is a problem, and no fact is lost."""
    assert objects("//S EXEC PGM=A,\n//                COND=EVEN", "cond") == ["EVEN"]


def test_a_null_statement_ends_operands() -> None:
    """A line of // alone ends a statement that would go on, as its reference says."""
    assert problems("//S EXEC PGM=A,\n//") == []


@pytest.mark.parametrize(
    ("text", "count", "follows"),
    [
        ("//D DD *\nA\nB\n//E DD DSN=X", 2, ["X"]),
        ("//D DD *\nA\n/*\n//E DD DSN=X", 1, ["X"]),
        ("//D DD *\nA\n//* a comment\n//E DD DSN=X", 1, ["X"]),
        ("//D DD *,DLM=QQ\nA\n/*\nQQ\n//E DD DSN=X", 2, ["X"]),
        ("//D DD *,DLM=QQ\nA\n//E DD DSN=X", 1, ["X"]),
        ("//D DD DATA\n//X DD DSN=NO\n//* no\n/*\n//E DD DSN=X", 2, ["X"]),
        ("//D DD DATA,DLM='$$'\n/*\n//X DD DSN=NO\n$$\n//E DD DSN=X", 2, ["X"]),
        ("//D DD DCB=A,\n// DATA,DLM=\n//X DD DSN=NO", 1, []),
        ("//d dd data\nA", 1, []),
        ("//D DD *", 0, []),
    ],
)
def test_in_stream_data_end_at_their_delimiter(text: str, count: int, follows: list[str]) -> None:
    """DD * ends at /*, // or its DLM; DD DATA at /* or its DLM alone."""
    assert objects(text, "instream") == [f"{count} lines"]
    assert objects(text, "dsn") == follows
    assert problems(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "//T XMIT DEST=N1\n//X DD DSN=NO\n/*",
        "//T XMIT DEST=N1,DLM=ZZ\n//X DD DSN=NO\n/*\nZZ",
        "/*XMIT N1 DLM=ZZ\n//X DD DSN=NO\n/*\nZZ",
        "/*XMIT N1\n//X DD DSN=NO\n/*",
        "//*DATASET DDNAME=X\n//X DD DSN=NO\n//*ENDDATASET",
        "//C CNTL\n//P PRINTDEV BUFNO=20\n// ENDCNTL",
        "//*MAIN CLASS=A\n/*JOBPARM LINES=9\n/*ROUTE PRINT R1\n/*\n/*EOF",
        "// EXPORT SYMLIST=*\n//O OUTPUT CLASS=A",
    ],
)
def test_statements_of_the_job_entry_system_state_nothing(text: str) -> None:
    """JES2 and JES3 statements, XMIT and its data, CNTL and OUTPUT are passed over."""
    assert [found for found in facts(text) if found[0] != "comment"] == []
    assert problems(text) == []


@pytest.mark.parametrize(
    ("operands", "expected"),
    [
        ("DUMMY", [("dummy", "DUMMY")]),
        ("dummy,DISP=OLD", [("dummy", "DUMMY"), ("disp", "OLD")]),
        ("DSN=NULLFILE", [("dsn", "NULLFILE"), ("dummy", "NULLFILE")]),
        ("PATH='/u/a'", [("path", "'/u/a'")]),
        ("SUBSYS=(X,Y)", [("subsys", "(X,Y)")]),
        ("DSN=&&T,DISP=(,PASS)", [("dsn", "&&T"), ("disp", "(,PASS)")]),
        ("DSN=*.S.D,DISP=(OLD,DELETE)", [("dsn", "*.S.D"), ("disp", "(OLD,DELETE)")]),
        ("DISP=(MOD,CATLG,DELETE),DSN=A.B(+1)", [("dsn", "A.B(+1)"),
                                                 ("disp", "(MOD,CATLG,DELETE)")]),
        ("DSN=A.B(M),DISP=", [("dsn", "A.B(M)")]),
        ("DSN='a b'", [("dsn", "a b")]),
        ("SYSOUT=*", [("sysout", "*")]),
        ("DCB=(*.D,DSN=NO)", []),
    ],
)  # fmt: skip
def test_each_form_of_a_data_set_is_as_written(
    operands: str, expected: list[tuple[str, str]]
) -> None:
    """Temporary, referred, generation and member names, and DISP, are not altered."""
    kinds = ("dsn", "dsn-resolved", "dummy", "disp", "sysout", "path", "subsys")
    found = facts(f"//S EXEC PGM=A\n//D DD {operands}", *kinds)
    assert [(kind, what) for kind, _, what, _ in found] == expected


REFERENCES = """//J JOB
//P PROC N=0
//PS EXEC PGM=LKED
//MADE DD DSN=LIB.LOAD(PAY01),DISP=SHR
//HELD DD DSN=HELD.&N,DISP=SHR
//AGAIN DD DSN=*.HELD,DISP=SHR
//RUN EXEC PGM=*.PS.MADE
// PEND
// SET HLQ=PROD
//S1 EXEC PGM=A
//ONE DD DSN=&HLQ..A,DISP=SHR
// DD DSN=OTHER.A,DISP=SHR
//TEXT DD *
//
// DD DSN=NOT.TEXT,DISP=SHR
//TWO DD DSN=*.ONE,DISP=SHR
//S2 EXEC P,N=1
//PS.MORE DD DSN=MORE.A,DISP=SHR
//S3 EXEC PGM=*.S2.PS.MADE
"""


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("*.S1.ONE", ["PROD.A"]), ("*.s1.TWO", ["PROD.A"]), ("*.MINE", ["MINE.A"]),
        ("*.S2.PS.MORE", ["MORE.A"]), ("*.S2.PS.MADE", ["LIB.LOAD(PAY01)"]),
        ("*.S2.PS.HELD", []), ("*.S1.TEXT", []), ("*.S1.THREE", []), ("*.S9.ONE", []),
        ("*.S9.PS.MADE", []), ("*.PS.MADE", []),
    ],
)  # fmt: skip
def test_a_reference_back_means_the_data_set_of_that_dd(reference: str, found: list[str]) -> None:
    """The DD stands before it in its step, in another step, or in a step of a procedure."""
    text = f"{REFERENCES}//MINE DD DSN=MINE.A\n//D DD DSN={reference}\n"
    last = text.count("\n")
    assert [f[2] for f in facts(text, "dsn") if f[3] == last] == [reference]
    assert [f[2] for f in facts(text, "dsn-resolved") if f[3] == last] == found


@pytest.mark.parametrize(
    ("override", "found"),
    [
        ("DISP=OLD", ["PROD.OUT"]), ("UNIT=TAPE,DISP=(,PASS)", ["PROD.OUT"]), ("", ["PROD.OUT"]),
        ("DSN=MINE.OUT", ["MINE.OUT"]), ("DUMMY", []), ("dummy,DISP=OLD", []), ("SYSOUT=*", []),
        ("DSN=NULLFILE", []), ("PATH='/u/out'", []), ("*\nDATA\n/*", []),
    ],
)  # fmt: skip
def test_an_override_keeps_the_data_set_that_it_does_not_name(
    override: str, found: list[str]
) -> None:
    """A job's DD changes what it says of the procedure's; another kind of DD has no data set."""
    text = (
        "//J JOB\n//P PROC\n//PS EXEC PGM=A\n//OUT DD DSN=PROD.OUT,DISP=SHR\n// PEND\n"
        f"//S3 EXEC P\n//PS.OUT DD {override}\n//S4 EXEC PGM=B\n//IN DD DSN=*.S3.PS.OUT\n"
    )
    assert objects(text, "dsn-resolved") == found
    assert objects(text.replace("//PS.", "//"), "dsn-resolved") == []  # it may be another step's


def test_a_reference_back_names_the_program_by_its_member() -> None:
    """A program that an earlier step links runs by the name of the DD's member."""
    assert facts(REFERENCES, "exec-resolved") == [
        ("exec-resolved", "RUN", "PAY01", 7), ("exec-resolved", "S3", "PAY01", 19),
    ]  # fmt: skip
    assert objects("//S EXEC PGM=A\n//L DD DSN=&&L\n//T EXEC PGM=*.S.L", "exec-resolved") == []


def test_a_reference_back_has_the_symbols_of_the_call() -> None:
    """In a procedure, what a DD refers to is resolved for each call."""
    assert [f[2] for f in facts(REFERENCES, "dsn-resolved") if f[3] == 6] == ["HELD.0", "HELD.1"]


def test_names_are_upper_case() -> None:
    """Lower case is read as upper case in names, and left in what is quoted or a data set."""
    assert facts("//s exec pgm=prog\n//d dd dsn=low.case\n//i include member=mem") == [
        ("exec", "S", "PROG", 1),
        ("dsn", "D", "low.case", 2),
        ("include", "S", "MEM", 3),
    ]


@pytest.mark.parametrize(
    ("parm", "expected"),
    [
        ("'BMP,P1,PSB1'", [("runs", "P1"), ("psb", "PSB1")]),
        ("(DLI,P1,PSB1,,N)", [("runs", "P1"), ("psb", "PSB1")]),
        ("('DBB','p1')", [("runs", "P1")]),
        ("'BMP,,PSB1'", [("psb", "PSB1")]),
        ("(ULU,DFSURGU0,DBD1)", [("runs", "DFSURGU0")]),
        ("'MSG,011'", []),
        ("", []),
    ],
)
def test_an_ims_region_runs_the_program_of_its_parm(
    parm: str, expected: list[tuple[str, str]]
) -> None:
    """The second word of PARM is the program, the third its PSB, save for utilities."""
    found = facts(f"//S EXEC PGM=DFSRRC00,PARM={parm}", "runs", "psb")
    assert [(kind, what) for kind, _, what, _ in found] == expected
    assert facts(f"//S EXEC PGM=OTHER,PARM={parm}", "runs", "psb") == []


@pytest.mark.parametrize("program", ["IKJEFT01", "IKJEFT1A", "IKJEFT1B", "&TSO"])
def test_a_terminal_monitor_runs_what_its_data_say(program: str) -> None:
    """RUN PROGRAM or PROG is found after other operands and on a line of its own."""
    text = f"""// SET TSO=IKJEFT01
//S EXEC PGM={program}
//SYSTSIN DD *
 RUN PROGRAM(P1) PLAN(X)
 run  prog ( p2 )
 RUN PLAN(X) PROGRAM(P3)
 RUN -
   PROGRAM(P4)
 /* RUN PROGRAM(NO) */
 RERUN PROGRAM(NO) RUN LIBRARY(PROGRAM)
"""
    assert facts(text, "runs") == [("runs", "S", f"P{n}", n + 3 + (n > 3)) for n in range(1, 5)]
    assert facts(text.replace(program, "SORT", 1).replace(program, "SORT"), "runs") == []


def test_a_file_may_be_a_procedure() -> None:
    """A PROC before any JOB is the head; it needs no PEND, and null defaults stay unknown."""
    text = """//* A catalogued procedure
//CAT PROC HLQ=,LIB=&BASE..LIB,BASE=PROD,'odd'
// SET ALSO=&BASE..X,odd,HERE=&HLQ..Y
//S EXEC PGM=A
//D DD DSN=&LIB
//E DD DSN=&HLQ..X
//F DD DSN=&ALSO
//G DD DSN=&HERE
"""
    assert units(text) == [("job", "CAT", 1, 3), ("step", "S", 4, 8)]
    assert objects(text, "dsn-resolved") == ["PROD.LIB", "PROD.X"]
    assert problems(text) == []


def test_a_call_substitutes_in_its_procedure() -> None:
    """Each call gives its values, up to ten; a procedure does not call itself."""
    head = "//J JOB\n//P PROC N=0\n//S EXEC PGM=A\n//D DD DSN=A.&N\n//T EXEC P,N=SELF\n// PEND\n"
    calls = "".join(f"//C{n} EXEC P,N=V{n}\n" for n in range(12))
    assert objects(head + calls, "dsn-resolved") == ["A.0", *(f"A.V{n}" for n in range(10))]


def test_a_job_goes_on_after_its_procedures() -> None:
    """What follows PEND and is no step is the job's; a second job forgets the first."""
    text = "//J JOB\n//P PROC\n//S EXEC PGM=A\n// PEND\n// SET X=1\n//K JOB\n//T EXEC PGM=P&X\n"
    assert units(text) == [
        ("job", "J", 1, 1),
        ("procedure", "P", 2, 2),
        ("step", "S", 3, 4),
        ("job", "J", 5, 5),
        ("job", "K", 6, 6),
        ("step", "T", 7, 7),
    ]
    assert objects(text, "exec-resolved") == []


def test_symbols_that_grow_without_end_are_left_alone() -> None:
    """A value longer than 255 characters, or that names itself, is not substituted."""
    grow = "// SET A=0123456789\n" + "// SET A=&A&A\n" * 40
    loop = "//P PROC X=&Y,Y=&X\n"
    assert objects(grow + "//S EXEC PGM=&A", "exec-resolved") == []
    assert objects(loop + "//S EXEC PGM=&X", "exec-resolved") == []
    assert objects(f"// SET B=\n//D DD DSN='&B.{'x' * 40}'", "dsn-resolved") == ["x" * 40]


def test_missing_names_are_not_made_up() -> None:
    """Without a name there is no job, proc, step or dd fact; the file's name serves for units."""
    text = "// JOB\n// PROC\n// EXEC PGM=A\n// DD DSN=B\n// PEND"
    assert units(text) == [
        ("job", "NIGHT", 1, 1),
        ("procedure", "NIGHT", 2, 2),
        ("step", "line 3", 3, 5),
    ]
    assert facts(text, "job", "proc", "step", "dd") == []
    assert problems(text) == [(4, "a DD without a name, and none before it")]


def test_the_condition_may_go_on() -> None:
    """IF takes lines until THEN, and its steps have every condition around them."""
    text = "// IF (A.RC = 0 |\n//   B.RC = 0) THEN go\n// IF ABEND THEN\n//S EXEC PGM=X\n"
    assert facts(text, "cond") == [
        ("cond", "S", "(A.RC = 0 | B.RC = 0)", 1),
        ("cond", "S", "ABEND", 3),
    ]


def test_only_comments_of_two_words_are_facts() -> None:
    """Rules, single words and sequence numbers are left out, and so are in-stream lines."""
    text = "//*\n//*****\n//* word\n//*** two words ***\n" + "//* to here".ljust(72) + "00010000"
    assert facts(text) == [
        ("comment", "NIGHT", "two words", 4),
        ("comment", "NIGHT", "to here", 5),
    ]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["which pays the", "staff."], ["which pays the", "staff."]),
        (["which pays the", "staff"], ["which pays the", "staff"]),
        (["which", "pays the", "staff,", "monthly"], ["pays the", "staff,", "monthly"]),
        (["It pays them.", "Staff."], ["It pays them."]),
        (["which pays the", "", "staff."], ["which pays the"]),
        (["staff."], []),
        (["which pays the", "staff.", "Monthly."], ["which pays the", "staff."]),
    ],
)
def test_the_last_word_of_a_sentence_is_a_fact(lines: list[str], found: list[str]) -> None:
    """A word with which the comment on the line above goes on is no single word."""
    text = "\n".join(f"//* {line}" for line in lines)
    assert [about for _, _, about, _ in facts(text, "comment")] == found


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_file_without_text_has_no_units(text: str) -> None:
    """Nothing is read from nothing."""
    assert read(text) == Reading((), ())


def test_a_long_step_is_cut_before_a_statement() -> None:
    """A unit has 150 lines at most; the first piece is the part, and data are cut anywhere."""
    many = "//S EXEC PGM=A\n" + "//D DD DSN=A,\n// DISP=SHR\n" * 100
    data = "//S EXEC PGM=A\n//D DD *\n" + "x\n" * 300 + "\n" * 160
    assert units(many) == [("step", "S", 1, 149), ("step", "S (2)", 150, 201)]
    assert units(data) == [
        ("step", "S", 1, 150),
        ("step", "S (2)", 151, 300),
        ("step", "S (3)", 301, 302),
    ]
    assert [part.name for part in read(data).parts] == ["S"]


LONG = {
    "steps": ["//S EXEC PGM=A", "//D DD DSN=A.B,", "//   DISP=SHR", "//* some words"],
    "one statement": ["//  A='B,(',"],
    "one quote": ["//" + " " * 13 + "X DD 'A", "//" + " " * 13 + "x"],
    "data": ["RUN RUN RUN A B C D E F PROG("],
    "comments": ["//* some words"],
    "conditions": ["// IF RC=0 THEN", "//S EXEC PGM=A"],
    "open condition": ["//  RC = 0 AND"],
    "procedures": ["//P PROC A=1", "//S EXEC PGM=&A", "// PEND", "//C EXEC P,A=2"],
    "jobs": ["//J JOB", "//P PROC", "// IF A"],
    "symbols": ["// SET A=&A&B,B=&A", "//D DD DSN=&A.&B"],
}


@pytest.mark.long
@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("first", ["//S EXEC PGM=A,", "//S EXEC PGM=IKJEFT01\n//D DD *", "// IF A"])
def test_a_long_file_is_read_in_linear_time(kind: str, first: str) -> None:
    """Four times the lines take no more than about four times as long."""
    assert readings.is_linear(
        read, lambda count: readings.repeated(first, LONG[kind], count), 1_000
    )


@pytest.mark.long
def test_a_hundred_thousand_lines_are_read() -> None:
    """A file of 100,000 lines is read whole, in seconds."""
    start = time.process_time()
    reading = read("\n".join(LONG["steps"] * 25_000))
    assert sum(fact.kind == "exec" for fact in reading.facts) == 25_000
    assert time.process_time() - start < 30


PIECES = [
    *SAMPLE.split("\n"), "//", "/*", "//*", "// ", "'", ",", "=", "(", ")", "&A", "&&", "DD",
    "//A DD *", "//A DD DATA,DLM=", "//A EXEC ", "//A PROC B=,C=&B", "// PEND", "// IF A",
    " THEN", "//A JOB", "// SET A=&A", "\n", "\r", "\t", "\x85", "\x0c", " " * 16, "x" * 71,
]  # fmt: skip


def check(text: str) -> None:
    """Assert what holds for the reading of any text."""
    reading = read(text)
    readings.assert_whole(reading, text, longest=150)
    assert set(reading.parts) <= set(reading.units)


@given(readings.mixtures(PIECES))
@example("//A EXEC PGM=B,PARM='\n//               ")
def test_any_text_is_read(text: str) -> None:
    """No text raises; units cover all text in order, and every line told exists."""
    check(text)


@given(st.integers(0, len(SAMPLE)))
def test_a_file_may_end_anywhere(length: int) -> None:
    """A sample that is cut off at any character is read."""
    check(SAMPLE[:length])
    check(SAMPLE[length:])
