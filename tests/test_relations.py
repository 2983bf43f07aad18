"""What a sentence says of who calls, reads, performs what is held against the facts."""

import pytest

from war_rig.document.checks.check import check
from war_rig.document.checks.denial import denial_faults
from war_rig.document.checks.ground import Ground
from war_rig.document.checks.known import Known, doers_in, related_names
from war_rig.document.checks.passive import passive_faults
from war_rig.document.checks.relations import Words, relation_faults
from war_rig.document.claims import Claim
from war_rig.document.plan import PlannedFile
from war_rig.readers import Fact, Reading, Source, Unit
from war_rig.readers.cobol import CobolReader

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
    return faults_among(text, FACTS, FACTS)


def faults_among(text: str, facts: list[Fact], of_the_file: list[Fact]) -> list[str]:
    """Return the faults of a sentence about a part with *facts*."""
    names = related_names(of_the_file), doers_in(of_the_file)
    known, words = Known(facts, *names, lambda: of_the_file), Words.of(text)
    return [*relation_faults(words, known), *passive_faults(words, known)]


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
    return faults_among(text, FACTS, OF_THE_FILE)


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
    told = Claim("`PAY02` is called by `B-1`.", wrong.cites)
    assert "no line of B-1 calls PAY02" in check(told, ground).issues
    right = Claim("`A-1` calls `PAY02`.", ("a.cbl:1-2",))
    assert check(right, ground).issues == ()
    whole = Ground.of_claims([right, Claim("`B-1` ends.", ("a.cbl:3-4",))], {"a.cbl": file})
    cites = ("a.cbl:1-2", "a.cbl:3-4")
    assert check(Claim(wrong.text, cites), whole).issues == ("no line of B-1 calls PAY02",)


def test_a_program_that_calls_itself_is_the_one_of_the_lines() -> None:
    """What it does is done here, also where its name stands as that of the program called."""
    lines = ("PROGRAM-ID. PAY01.", "PROCEDURE DIVISION.", "A-1.", "    CALL 'PAY01'.")
    source = Source("a.cbl", tuple(f"       {line}" for line in lines), "utf-8")
    file = PlannedFile.of(source, CobolReader())
    claim = Claim("`PAY01` calls `PAY01`.", ("a.cbl:1-4",))
    whole = Ground.of_claims([claim], {"a.cbl": file})
    assert check(claim, whole).issues == ()


WHERE = {"A-1": 1, "B-1": 3}


PERFORMED = "a line of this part performs CALC"
DENIED = {
    "`MAIN-LINE` doesn't perform `CALC`.": PERFORMED,
    "`MAIN-LINE` doesn\u2019t perform `CALC`.": PERFORMED,
    "`MAIN-LINE` cannot perform `CALC`.": PERFORMED,
    "`MAIN-LINE` can't perform `CALC`.": PERFORMED,
    "`MAIN-LINE` fails to perform `CALC`.": PERFORMED,
    "`MAIN-LINE` performs everything except `CALC`.": PERFORMED,
    "`MAIN-LINE` performs all but `CALC`.": PERFORMED,
    "`MAIN-LINE` performs everything other than the paragraph `CALC`.": PERFORMED,
    "`MAIN-LINE` performs no `CALC`.": PERFORMED,
    "`MAIN-LINE` performs the rest instead of `CALC`.": PERFORMED,
    "`MAIN-LINE` performs neither `FINISH` nor `CALC`.": PERFORMED,
    "`MAIN-LINE` performs neither what is late nor `CALC`.": PERFORMED,
    "`MAIN-LINE` neither goes to `CALC` nor performs `CALC`.": PERFORMED,
    "Nothing performs `CALC`.": PERFORMED,
    "It reads nothing, and calls `PAY02`, but not `PAY02`.": "a line of this part calls PAY02",
    "It calls nothing but `FINISH`.": "no line of this part calls FINISH",
    "It does not fail to perform `FINISH`.": "no line of this part performs FINISH",
}
AFFIRMED = [
    "`MAIN-LINE` performs nothing but `CALC`.",
    "`MAIN-LINE` performs no paragraph except `CALC`.",
    "`MAIN-LINE` does not perform anything other than `CALC`.",
    "`MAIN-LINE` performs not only `CALC`, but also goes to `FINISH`.",
    "`MAIN-LINE` not only performs `CALC`.",
    "`MAIN-LINE` never fails to perform `CALC`.",
    "`MAIN-LINE` performs `CALC`, not `FINISH`.",
    "`MAIN-LINE` performs everything except `FINISH`.",
    "`MAIN-LINE` performs not `FINISH` but `CALC`.",
    "`CALC` calls no program but `PAY02`.",
    "When no slip is found, performs `CALC`.",
    "If the slip is not there, this part performs `CALC`, except when it is late, and then `CALC`.",
    "It can't perform `FINISH`, and doesn't call `CALC`.",
]


@pytest.mark.parametrize("text", DENIED)
def test_a_denial_is_one_however_it_is_worded(text: str) -> None:
    """Before the verb, or right before the name."""
    assert faults(text) == [DENIED[text]]


@pytest.mark.parametrize("text", AFFIRMED)
def test_what_is_not_denied_passes(text: str) -> None:
    """Two denials are none, "not only" is none, nor is one of a condition before the verb."""
    assert faults(text) == []


PASSIVE = {
    "`MAIN-LINE` is performed by `CALC`.": "no line of CALC performs MAIN-LINE",
    "`CALC` is not performed by `MAIN-LINE`.": "a line of MAIN-LINE performs CALC",
    "`CALC` isn't performed by the paragraph `MAIN-LINE`.": "a line of MAIN-LINE performs CALC",
    "`PAY02` is called only by `MAIN-LINE`.": "no line of MAIN-LINE calls PAY02",
    "OLD-FILE is never deleted by PAY01.": "a line of PAY01 deletes OLD-FILE",
    "`CALC` is deleted by `OLD-FILE`.": (
        "it is the other way round: a line of this part deletes OLD-FILE"
    ),
    "`PAY01` is called by `PAY02`.": ("it is the other way round: a line of this part calls PAY02"),
}


@pytest.mark.parametrize("text", PASSIVE)
def test_the_passive_needs_its_fact(text: str) -> None:
    """What is done, and who does it, are as in "`A` performs `B`"."""
    assert faults_among(text, FACTS, OF_THE_FILE[:-1]) == [PASSIVE[text]]


@pytest.mark.parametrize(
    "text",
    [
        "`CALC` is performed by `MAIN-LINE`.",
        "`CALC`, performed by `MAIN-LINE`, calls `PAY02`.",
        "`MAIN-LINE` is not performed by `CALC`.",
        "`PAY02` is called by `PAY01`, and OLD-FILE is deleted by `CALC`.",
        "`PAY02` is called by `PAY09`.",
        "What the clerk typed is read by `CALC`.",
    ],
)
def test_the_passive_of_a_fact_passes(text: str) -> None:
    """A paragraph does it, or the program around it; of what is not known, all passes."""
    assert faults_in_part(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "`PAY02` calls `PAY02`.",
        "The program PAY02 deletes OLD-FILE.",
        "When late, `PAY02` itself deletes OLD-FILE.",
        "In `PAY02`, `CALC` deletes OLD-FILE.",
    ],
)
def test_a_program_that_is_only_called_does_nothing_here(text: str) -> None:
    """The lines are those of the program that calls it."""
    (fault,) = faults(text)
    assert fault.startswith("no line of PAY02 ")
    assert fault.endswith(": these lines are of another program")


@pytest.mark.parametrize(
    "text",
    [
        "PAY01 calls PAY02, then deletes OLD-FILE.",
        "It starts PAY02 and deletes OLD-FILE.",
        "After PAY02 it deletes OLD-FILE.",
        "Like PAY02, deletes OLD-FILE.",
        "If PAY02 fails, deletes OLD-FILE.",
        "PAY09 deletes OLD-FILE.",
        "In PAY01, `CALC` deletes OLD-FILE.",
    ],
)
def test_a_called_program_may_be_named_beside_what_is_done(text: str) -> None:
    """It is not the subject, or nothing is known of it."""
    assert faults_in_part(text) == []


RUN = [
    Fact("step", "NIGHT", "POST", "j", 1),
    Fact("exec", "POST", "IKJEFT01", "j", 1),
    Fact("runs", "POST", "PAY02", "j", 2),
    Fact("exec", "POST", "&PGM", "j", 3),
]


def test_a_utility_runs_the_program_that_it_is_given() -> None:
    """The program runs no utility; a name may begin with an ampersand."""
    for text, found in {
        "IKJEFT01 runs PAY02.": [],
        "PAY02 runs IKJEFT01.": [
            "no line of PAY02 runs IKJEFT01: these lines are of another program"
        ],
        "`POST` runs `&PGM`.": [],
        "`POST` does not run `&PGM`.": ["a line of this part runs &PGM"],
    }.items():
        assert faults_among(text, RUN, RUN) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It is not true that `A` ends.", "It is not true"),
        ("It isn't the case that `A` ends.", "It is not the case"),
        ("It is no longer true that `A` ends.", "It is no longer true"),
        ("It is false that `A` ends.", "It is false"),
        ("`A` ends, but it would be wrong to say that `B` does.", "it would be wrong"),
        ("Untrue: `A` ends.", "Untrue"),
        ("It's false that `A` ends.", "It's false"),
        ("It\u2019s not true that `A` ends.", "It\u2019s not true"),
        ("It is not the case `A` calls `B`.", "It is not the case"),
        ("It is false PAY01 calls `B`.", "It is false"),
        ("It never happens that `A` calls `B`.", "It never happens that"),
        ("It doesn't happen that `A` ends.", "It does not happen that"),
    ],
)
def test_a_whole_statement_is_not_denied(text: str, said: str) -> None:
    """Such a sentence tells nothing of the source, so it is refused for its form."""
    (fault,) = denial_faults(text)
    assert said in fault
    assert fault.endswith("denies a statement: say what the lines do, not what they do not")


@pytest.mark.parametrize(
    "text",
    [
        "It is true that `A` ends.",
        "When it is not true that a slip is due, `A` ends.",
        "It is not the last one, and it is false when none is due.",
        "It is not right of the edge.",
        "When the amount is over 100, it is an error that is written to the error file.",
        "When a clerk is unknown, it is a mistake that is told.",
        "It is not the case when a slip is due, and it never happens.",
    ],
)
def test_a_denial_inside_a_statement_is_none(text: str) -> None:
    """A condition may not hold, and a switch may be false."""
    assert list(denial_faults(text)) == []


ON_ERROR = [
    Fact("paragraph", "PAY01", "1000-MAIN", "a", 1),
    Fact("open", "1000-MAIN", "IN-FILE", "a", 2),
    Fact("read", "1000-MAIN", "IN-FILE", "a", 3),
    Fact("perform", "1000-MAIN", "9000-ABEND", "a", 4),
    Fact("perform", "1000-MAIN", "2000-CALC", "a", 5),
    Fact("call", "1000-MAIN", "PAY02", "a", 6),
    Fact("paragraph", "PAY01", "2000-CALC", "a", 7),
    Fact("paragraph", "PAY01", "3000-LIST", "a", 8),
    Fact("paragraph", "PAY01", "9000-ABEND", "a", 9),
]


@pytest.mark.parametrize(
    "text",
    [
        "If the file cannot be read performs `9000-ABEND`.",
        "The program cannot restart and calls `PAY02`.",
        "A step that fails to start performs `9000-ABEND`.",
        "When the open fails to succeed it performs `9000-ABEND`.",
        "If the status is not zero it calls `PAY02`.",
        "A file that was never opened, performs `9000-ABEND`.",
        "The program does not stop but calls `PAY02`.",
        "It doesn't end here but performs `2000-CALC`.",
        "If it cannot open `IN-FILE`, it performs `9000-ABEND`.",
        "If it cannot open `IN-FILE` it performs `9000-ABEND`.",
        "When `1000-MAIN` fails to read `IN-FILE`, it performs `9000-ABEND`.",
        "A program that is unable to open `IN-FILE` performs `9000-ABEND`.",
        "Whenever the program does not open `IN-FILE`, it calls `PAY02`.",
        "Performs `9000-ABEND` when it cannot open `IN-FILE`.",
        "Performs `9000-ABEND` when `IN-FILE` cannot be opened.",
        "Performs `9000-ABEND` if `IN-FILE` is not open.",
        "Performs `9000-ABEND` unless `IN-FILE` is there.",
        "Performs `9000-ABEND` on a failure to read `IN-FILE`.",
        "Calls `PAY02` to read `IN-FILE`.",
        "Performs `2000-CALC` before reading `IN-FILE`.",
        "Calls `PAY02`, so that it can open `IN-FILE`.",
        "If not found, call `PAY02`.",
        "If the switch is not set, both steps run and call `PAY02`.",
        "No other paragraph performs `9000-ABEND`.",
        "None of the others performs `9000-ABEND`.",
        "It never opens or performs `3000-LIST`.",
        "It never, even when late, performs `3000-LIST`.",
        "It never performs `3000-LIST`.",
        "It no longer performs `3000-LIST`.",
        "No paragraph performs `3000-LIST`.",
        "It is late, and no line performs `3000-LIST`.",
        "If there is no error performs `2000-CALC`.",
        "If nothing else calls `PAY02`, it ends.",
        "The record is not late and so it performs `2000-CALC`.",
        "Nothing fails to perform `2000-CALC`.",
        "It cannot but call `PAY02`.",
        "It does not only call `PAY02`.",
        "The clerk is not known, which is why it performs `9000-ABEND`.",
        "The amount is no more than the limit and calls `PAY02`.",
        "A record without a key is not written and performs `9000-ABEND`.",
        "Either it refuses to start or performs `9000-ABEND`.",
    ],
)
def test_what_is_done_about_an_error_is_not_denied(text: str) -> None:
    """Cannot, fails to and not deny the verb behind them, not one of another clause."""
    assert faults_among(text, ON_ERROR, ON_ERROR) == []


PERFORMS_CALC = "a line of this part performs 2000-CALC"


@pytest.mark.parametrize(
    "text",
    [
        "`1000-MAIN` can never perform `2000-CALC`.",
        "`1000-MAIN` never again performs `2000-CALC`.",
        "`1000-MAIN` no longer performs `2000-CALC`.",
        "`1000-MAIN` does not ever directly perform `2000-CALC`.",
        "`1000-MAIN` is unable to perform `2000-CALC`.",
        "When late, `1000-MAIN` doesn't perform `2000-CALC`.",
        "No paragraph performs `2000-CALC`.",
        "It ends, and no line performs `2000-CALC`.",
        "`1000-MAIN`, which does not perform `2000-CALC`, ends.",
    ],
)
def test_a_verb_that_is_denied_right_before_it_is_a_denial(text: str) -> None:
    """Also with an adverb between."""
    assert faults_among(text, ON_ERROR, ON_ERROR) == [PERFORMS_CALC]


@pytest.mark.parametrize(
    "text",
    [
        "Performs instead of `3000-LIST` the paragraph `9000-ABEND`.",
        "Performs, instead of `3000-LIST`, `9000-ABEND`.",
        "Performs `2000-CALC` rather than `3000-LIST`, `1000-MAIN` or `IN-FILE`.",
        "Performs all but `3000-LIST`, `1000-MAIN` and `IN-FILE`.",
        "Performs all but `3000-LIST` and `1000-MAIN`.",
    ],
)
def test_a_denial_ends_with_its_list(text: str) -> None:
    """The names of a list are denied with its first one, one that stands for them is not."""
    assert faults_among(text, ON_ERROR, ON_ERROR) == []


LISTED = [
    Fact("program", "PAY01", "PAY01", "a", 1),
    Fact("paragraph", "PAY01", "1000-MAIN", "a", 2),
    Fact("perform", "1000-MAIN", "3000-A", "a", 3),
    Fact("thru", "1000-MAIN", "3000-C", "a", 3),
    Fact("perform", "1000-MAIN", "LISTS", "a", 4),
    Fact("perform", "1000-MAIN", "IN-A-BOOK", "a", 4),
    Fact("paragraph", "PAY01", "2000-COPIED", "a", 5),
    Fact("copy", "2000-COPIED", "PAYCPY", "a", 6),
    Fact("paragraph", "PAY01", "3000-A", "a", 10),
    Fact("paragraph", "PAY01", "3000-B", "a", 11),
    Fact("paragraph", "PAY01", "3000-C", "a", 12),
    Fact("paragraph", "PAY01", "4000-D", "a", 13),
    Fact("perform", "4000-D", "3000-B", "a", 14),
    Fact("perform", "4000-D", "6000-LAST", "a", 14),
    Fact("call", "4000-D", "PAY02", "a", 15),
    Fact("section", "PAY01", "LISTS", "a", 20),
    Fact("paragraph", "PAY01", "5000-LIST", "a", 21),
    Fact("call", "5000-LIST", "PAY02", "a", 22),
    Fact("section", "PAY01", "ENDS", "a", 30),
    Fact("paragraph", "PAY01", "6000-LAST", "a", 31),
]


def faults_between(first: int, last: int, text: str) -> list[str]:
    """Return the faults of a sentence about these lines of LISTED."""
    return faults_among(text, [f for f in LISTED if first <= f.line <= last], LISTED)


@pytest.mark.parametrize(
    "text",
    [
        "`3000-B` is performed by `1000-MAIN`.",
        "`3000-C` is performed by `PAY01`.",
        "`5000-LIST` is performed by `1000-MAIN`.",
        "`PAY02` is called by `5000-LIST`.",
        "`PAY02` is called by `2000-COPIED`.",
        "`4000-D` is not performed by `1000-MAIN`.",
        "Neither `4000-D` nor the paragraph `6000-LAST` is performed by `1000-MAIN`.",
        "`3000-B` is never opened or performed by `2000-COPIED`.",
        "If `3000-B` cannot be performed by `4000-D`, it ends.",
    ],
)
def test_whoever_does_it_may_stand_outside_of_the_part(text: str) -> None:
    """The doer's own lines tell: what they do, perform as a range or a section, or copy."""
    assert faults_between(13, 19, text) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("`4000-D` is performed by `1000-MAIN`.", "no line of 1000-MAIN performs 4000-D"),
        ("`6000-LAST` is performed by `1000-MAIN`.", "no line of 1000-MAIN performs 6000-LAST"),
        ("`PAY02` is called by `1000-MAIN`.", "no line of 1000-MAIN calls PAY02"),
        ("Neither `4000-D` nor `3000-B` is performed by `4000-D`.",
         "a line of 4000-D performs 3000-B"),
        ("`3000-B` can't be performed by `4000-D`.", "a line of 4000-D performs 3000-B"),
    ],
)  # fmt: skip
def test_what_the_doer_does_nowhere_is_a_fault(text: str, fault: str) -> None:
    """Not in the part, and not in the rest of the file."""
    assert faults_between(13, 19, text) == [fault]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("`1000-MAIN` performs `3000-B`.", []),
        ("`1000-MAIN` performs `3000-A`, `3000-B` and `3000-C`.", []),
        ("This part performs `5000-LIST`.", []),
        ("`1000-MAIN` performs `4000-D`.", ["no line of this part performs 4000-D"]),
        ("`1000-MAIN` calls `3000-B`.", ["no line of this part calls 3000-B"]),
        ("`2000-COPIED` performs `3000-B`.", ["no line of 2000-COPIED performs 3000-B"]),
        ("`1000-MAIN` does not perform `3000-B`.", []),
    ],
)
def test_what_lies_inside_of_what_is_performed_is_performed(text: str, found: list[str]) -> None:
    """Between the ends of a range, or in a section; it may stand outside of the part."""
    assert faults_between(1, 6, text) == found


def test_a_job_runs_its_steps() -> None:
    """In the passive, too; a step runs no other step."""
    facts = [Fact("job", "NIGHT", "NIGHT", "j", 1), Fact("step", "NIGHT", "LOAD", "j", 3), *RUN]
    for text, found in {
        "`LOAD` is run by `NIGHT`.": [],
        "`NIGHT` runs `LOAD`.": [],
        "`POST` runs `LOAD`.": ["no line of POST runs LOAD"],
        "`LOAD` is run by `POST`.": ["no line of POST runs LOAD"],
        "`POST` is run by `PAY02`.": ["it is the other way round: a line of this part runs PAY02"],
    }.items():
        assert faults_among(text, facts, facts) == found


def test_a_data_item_is_not_performed() -> None:
    """It is what lines move something to; what is said of it may be meant otherwise."""
    facts = [*ON_ERROR, Fact("move", "IO-STATUS", "'00'", "a", 5)]
    for text, found in {
        "It performs `IO-STATUS`.": ["IO-STATUS is a data item: no line of this part performs it"],
        "It performs the `IO-STATUS` check.": [],
        "It performs what `IO-STATUS` tells.": [],
        "It does not perform `IO-STATUS`.": [],
        "It performs `9999-ELSEWHERE`.": [],
    }.items():
        assert faults_among(text, facts, facts) == found
