"""The DDL reader: statements, comments and literals, tables and keys, and any text at all."""

import pytest
import readings
from hypothesis import example, given
from hypothesis import strategies as st

from war_rig.readers import Reading, Source
from war_rig.readers.ddl import DdlReader

SAMPLE = """\
-- LIB.FEE: what a member was charged;
--#SET TERMINATOR ;
SET CURRENT SQLID = 'LIBADM';
create table Lib.Fee                                                    00040000
  (Member_Id     char(8)       not null,     -- who pays; who else?
   AMOUNT        DECIMAL(7, 2) NOT NULL WITH DEFAULT,
   /* The reason of the fee;
      overdue ( or lost */
   REASON        CHAR(1) CHECK (REASON IN ('O', 'L;', 'a ''(') AND X IS NOT NULL),
   "Paid on"     TIMESTAMP(6) WITH TIME ZONE,
   NOTE          VARCHAR(60) FOR BIT DATA WITH DEFAULT '-- none',
   PRIMARY KEY (MEMBER_ID, "Paid on"),
   CONSTRAINT FKMEMB FOREIGN KEY (MEMBER_ID)
       REFERENCES "LIB"."MEMBER" ON DELETE RESTRICT)
  IN LIBDB.LIBTSFEE;
CREATE TYPE 2 UNIQUE INDEX LIB.XFEE1
    ON LIB.FEE (MEMBER_ID ASC) CLUSTER; CREATE VIEW LIB.VOWED AS
    SELECT MEMBER_ID FROM LIB.FEE;

ALTER TABLE LIB.FEE
  ADD COLUMN DUE DATE NOT NULL
  ADD FOREIGN KEY (DUE) REFERENCES LIB.DAY;
COMMENT ON TABLE LIB.FEE IS 'What the member''s
                            card costs';
LABEL ON LIB.FEE (AMOUNT IS 'Amount charged', NOTE IS 'Note');
CREATE PROCEDURE LIB.PAY (IN M CHAR(8))
BEGIN
  IF M IS NULL THEN SET M = CASE WHEN 1 = 1 THEN 'A' END; END IF;
  CASE M WHEN 'A' THEN SET M = 'B'; END CASE;
  DELETE FROM LIB.FEE;
END;
INSERT INTO LIB.FEE VALUES ('CREATE TABLE X (A INT);', 1);
-- The end of it"""


def read(text: str, file: str = "ddl/fee.sql") -> Reading:
    """Return the reading of *text*, a line each."""
    return DdlReader().read(Source(file, tuple(text.split("\n")) if text else (), "utf-8"))


def reads(text: str, file: str = "FEE") -> bool:
    """Return whether the reader takes *text*."""
    return DdlReader().reads(Source(file, tuple(text.split("\n")), "utf-8"))


def facts(text: str, *kinds: str) -> list[tuple[str, str, str, int]]:
    """Return the facts, of *kinds* if some are named."""
    return readings.facts(read(text), *kinds)


def stated(text: str) -> list[tuple[str, str]]:
    """Return kind and object of the facts but the table itself."""
    return [(kind, about) for kind, _, about, _ in facts(text) if kind != "table"]


def columns(definition: str) -> list[str]:
    """Return the columns that *definition*, in the parentheses of a table, states."""
    return [about for _, _, about, _ in facts(f"CREATE TABLE T ({definition})", "column")]


def problems(text: str) -> list[tuple[int, str]]:
    """Return what could not be read."""
    return readings.problems(read(text))


def units(text: str) -> list[tuple[str, int, int]]:
    """Return the units as name and lines."""
    return [(unit.name, unit.first, unit.last) for unit in read(text).units]


def parts(text: str) -> list[tuple[str, int, int]]:
    """Return the parts as name and lines."""
    return [(part.name, part.first, part.last) for part in read(text).parts]


def test_tables_columns_keys_indexes_and_views_are_stated() -> None:
    """Names are told as Db2 knows them, on their own lines."""
    assert [fact for fact in facts(SAMPLE) if fact[0] != "comment"] == [
        ("table", "LIB.FEE", "LIB.FEE", 4),
        ("column", "LIB.FEE", "MEMBER_ID CHAR(8) NOT NULL", 5),
        ("column", "LIB.FEE", "AMOUNT DECIMAL(7,2) NOT NULL", 6),
        ("column", "LIB.FEE", "REASON CHAR(1)", 9),
        ("column", "LIB.FEE", '"Paid on" TIMESTAMP(6) WITH TIME ZONE', 10),
        ("column", "LIB.FEE", "NOTE VARCHAR(60) FOR BIT DATA", 11),
        ("primary-key", "LIB.FEE", 'MEMBER_ID, "Paid on"', 12),
        ("foreign-key", "LIB.FEE", "LIB.MEMBER", 14),
        ("index", "LIB.FEE", "LIB.XFEE1", 16),
        ("view", "LIB.VOWED", "LIB.VOWED", 17),
        ("column", "LIB.FEE", "DUE DATE NOT NULL", 21),
        ("foreign-key", "LIB.FEE", "LIB.DAY", 22),
    ]
    assert problems(SAMPLE) == []


def test_comments_are_quoted_line_by_line() -> None:
    """So is what COMMENT ON and LABEL ON say of tables and columns."""
    assert facts(SAMPLE, "comment") == [
        ("comment", "SET CURRENT SQLID", "LIB.FEE: what a member was charged;", 1),
        ("comment", "TABLE LIB.FEE", "who pays; who else?", 5),
        ("comment", "TABLE LIB.FEE", "The reason of the fee;", 7),
        ("comment", "TABLE LIB.FEE", "overdue ( or lost", 8),
        ("comment", "COMMENT ON TABLE LIB.FEE", "What the member's", 23),
        ("comment", "COMMENT ON TABLE LIB.FEE", "card costs", 24),
        ("comment", "LABEL ON LIB.FEE", "Amount charged", 25),
        ("comment", "INSERT INTO LIB.FEE", "The end of it", 33),
    ]


def test_a_unit_is_a_group_of_statements_and_each_create_a_part() -> None:
    """A part begins at the comments above it; one on the line of another has the next lines."""
    assert units(SAMPLE) == [("SET CURRENT SQLID to INSERT INTO LIB.FEE", 1, 33)]
    assert parts(SAMPLE) == [
        ("TABLE LIB.FEE", 4, 15),
        ("INDEX LIB.XFEE1", 16, 17),
        ("VIEW LIB.VOWED", 18, 18),
        ("PROCEDURE LIB.PAY", 26, 31),
    ]


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("A INT NOT NULL PRIMARY KEY", ["A INT NOT NULL"]),
        ("A CHARACTER VARYING (20), B DOUBLE PRECISION", ["A CHARACTER VARYING(20)",
                                                          "B DOUBLE PRECISION"]),
        ("A TIMESTAMP WITHOUT TIME ZONE WITH DEFAULT", ["A TIMESTAMP WITHOUT TIME ZONE"]),
        ("A INT GENERATED ALWAYS AS IDENTITY (START WITH 1, CYCLE) NOT NULL", ["A INT NOT NULL"]),
        ("A INT DEFAULT NULL, B LIB.MONEY CCSID EBCDIC", ["A INT", "B LIB.MONEY"]),
        ("A INT CHECK (A IS NOT NULL)", ["A INT"]),
        ('"A B" CHAR(3), "KEY" CHAR(1)', ['"A B" CHAR(3)', "KEY CHAR(1)"]),
        ("PERIOD CHAR(6), UNIQUE CHAR(1)", ["PERIOD CHAR(6)", "UNIQUE CHAR(1)"]),
        ("UNIQUE (A), CHECK (A > 0), PERIOD FOR SYSTEM_TIME (A, B), LIKE B", []),
        ("CONSTRAINT C PRIMARY KEY (A), FOREIGN KEY F (A) REFERENCES B", []),
        ("A, B, , 'C' D, E 1", []),
        ("A ENUM('x', 'y')", ["A ENUM('X','Y')"]),
        ("A -- a note, of one line\n CHAR(1) /* , B INT */", ["A CHAR(1)"]),
        ("A INT, B INT", ["A INT", "B INT"]),
    ],
)  # fmt: skip
def test_columns_of_a_table(definition: str, expected: list[str]) -> None:
    """A column is a name and a type; what is not null stands outside parentheses."""
    assert columns(definition) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE TABLE T (A INT PRIMARY KEY)", [("column", "A INT"), ("primary-key", "A")]),
        ("CREATE TABLE T (A INT REFERENCES B)", [("column", "A INT"), ("foreign-key", "B")]),
        ("CREATE TABLE T LIKE B", []),
        ("CREATE TABLE T AS (SELECT A INT FROM B) DEFINITION ONLY", []),
        ("CREATE TABLE T (A INT REFERENCES", [("column", "A INT")]),
        ("CREATE GLOBAL TEMPORARY TABLE T (A INT)", [("column", "A INT")]),
        ("CREATE TABLE IF NOT EXISTS T (A INT)", [("column", "A INT")]),
        ("DECLARE GLOBAL TEMPORARY TABLE T (A INT)", [("column", "A INT")]),
        ("ALTER TABLE T FOREIGN KEY (A) REFERENCES B (A)", [("foreign-key", "B")]),
        ("ALTER TABLE T ADD A INT ADD PRIMARY KEY (A)", [("column", "A INT"),
                                                         ("primary-key", "A")]),
        ("ALTER TABLE T ADD COLUMN A INT ALTER COLUMN B SET NOT NULL", [("column", "A INT NOT NULL")
                                                                       ]),
        ("ALTER TABLE T DATA CAPTURE CHANGES", []),
        ("ALTER TABLE T DROP PRIMARY KEY", []),
        ("ALTER TABLE T", []),
        ("ALTER TABLE T ADD COLUMN", []),
        ("ALTER TABLE T ADD RESTRICT ON DROP", []),
        ("ALTER TABLE T ADD PARTITION ENDING AT (1) ADD PART 3 VALUES(1)", []),
        ("ALTER TABLE T ADD CLONE U", []),
        ("ALTER INDEX X CLUSTER", []),
        ("ALTER VIEW V REGENERATE", []),
        ("CREATE INDEX X", [("index", "X")]),
        ("CREATE OR REPLACE VIEW V AS SELECT 1 FROM B", [("view", "V")]),
        ("CREATE TABLESPACE TS IN DB", []),
        ("CREATE INDEX &HLQ..X ON <DB>.T", [("index", "&HLQ..X")]),
        ("DROP TABLE T", []),
    ],
)  # fmt: skip
def test_what_statements_state(text: str, expected: list[tuple[str, str]]) -> None:
    """Only a new table, index or view, and what is added to a table, is stated."""
    assert stated(text) == expected
    assert not [problem for problem in problems(text) if "REFERENCES" not in text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE TABLE T (A INT;\nCREATE VIEW V", [(1, "a parenthesis is not closed")]),
        ("SELECT (;\nCREATE VIEW V", []),
        ("CREATE INDEX;\nCREATE VIEW V", [(1, "CREATE names nothing")]),
        ("COMMENT ON TABLE T IS 'it;\nCREATE VIEW V", [(1, "a quote is not closed")]),
        ("-- it's\nCREATE VIEW V -- it's", []),
        ("COMMIT; 'it''s\n;CREATE VIEW V", [(1, "a quote is not closed")]),
        ("COMMIT /* all\n;CREATE VIEW V", [(1, "a comment is not closed")]),
        ("/* a /* b */ CREATE VIEW V", []),
        ('DELETE FROM "T\n;CREATE VIEW V', []),
        ("PROMPT it;\nCREATE VIEW V", []),
    ],
)
def test_what_is_not_closed_ends_soon(text: str, expected: list[tuple[int, str]]) -> None:
    """A quote or comment with its line, a parenthesis with its statement; the rest is read."""
    assert problems(text) == expected
    assert [about for kind, _, about, _ in facts(text) if kind == "view"] == ["V"]


@pytest.mark.parametrize("end", [";", "\n/", "\nGO", "\n go ", "\n@", " @", "\n#", "\n!", "; ;;"])
def test_what_ends_a_statement(end: str) -> None:
    """A semicolon, or a sign that SPUFI, the command line or a script is told to take for it."""
    text = f"CREATE TABLE T (A INT){end}\nCREATE VIEW V AS SELECT 1{end}"
    assert [name for name, _, _ in parts(text)] == ["TABLE T", "VIEW V"]


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("CREATE FUNCTION F ()\nBEGIN RETURN 1;\nEND;\nCOMMIT;", 3),
        ("CREATE TRIGGER R\nBEGIN ATOMIC WHILE 1 DO COMMIT;\nEND WHILE;\nEND;\nCOMMIT;", 4),
        ("CREATE PROCEDURE P\nBEGIN BEGIN COMMIT;\nEND;\nEND\n@\nCOMMIT;", 5),
        ("CREATE PROCEDURE P BEGIN COMMIT;\nCOMMIT;", 2),
        ("CREATE TABLE BEGIN (A INT);\nCOMMIT;", 1),
        ("BEGIN WORK;\nCREATE VIEW V;\nCOMMIT;", 2),
    ],
)
def test_a_semicolon_in_a_routine_ends_no_statement(text: str, last: int) -> None:
    """A routine goes on to its last END, or to another sign that ends it."""
    assert [end for _, _, end in parts(text)] == [last]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SELECT A FROM B", "SELECT"),
        ("WITH X AS (SELECT 1) SELECT 2", "WITH"),
        ("insert into lib.fee values (1)", "INSERT INTO LIB.FEE"),
        ("DELETE FROM B WHERE A = 1", "DELETE FROM B"),
        ("UPDATE B SET A = 1", "UPDATE B"),
        ("MERGE INTO B USING C", "MERGE INTO B"),
        ("DROP TABLE", "DROP TABLE"),
        ("GRANT SELECT ON B TO PUBLIC", "GRANT"),
        ("CREATE", "CREATE"),
        ("CREATE SECRET X", "CREATE SECRET"),
        ("(SELECT 1)", "statement"),
        ("CREATE (A)", "CREATE"),
    ],
)
def test_a_statement_is_named_by_its_first_words(text: str, name: str) -> None:
    """A file of queries and inserts is read, too."""
    assert units(text) == [(name, 1, 1)]


def test_units_are_groups_of_about_sixty_lines() -> None:
    """Those of one name are told apart by their lines."""
    assert units("INSERT INTO T\n VALUES (1);\n" * 50) == [
        ("INSERT INTO T, lines 1-60", 1, 60),
        ("INSERT INTO T, lines 61-100", 61, 100),
    ]


def test_a_long_table_is_cut_before_a_column() -> None:
    """Each piece is a part of its own."""
    text = "CREATE TABLE T (" + "".join(f"\nC{n}\n INT\n NOT NULL," for n in range(60)) + "A INT)"
    assert parts(text) == [
        ("TABLE T, lines 1-91", 1, 91),
        ("TABLE T, lines 92-181", 92, 181),
    ]
    assert units(text) == parts(text)


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_file_without_text_has_no_units(text: str) -> None:
    """Nothing is read from nothing."""
    assert read(text) == Reading((), ())


def test_a_file_of_comments_is_one_unit() -> None:
    """It is named by the file."""
    assert units("-- two words\n;\n/* more words */") == [("FEE", 1, 3)]
    assert facts("-- two words") == [("comment", "FEE", "two words", 1)]


@pytest.mark.parametrize(
    ("text", "file", "expected"),
    [
        ("", "a/b.sql", True),
        ("words", "a/b.DDL", True),
        ("-- note\n/* more **\n */ CREATE TABLE T (A INT)", "FEE", True),
        ("create type 2 unique index X on T", "FEE", True),
        ("INSERT INTO LIB.FEE\n (A) VALUES (1)", "FEE.ctl", True),
        ("  SET CURRENT SQLID = 'A';", "FEE.ctl", True),
        ("COMMENT ON TABLE A IS 'B'", "FEE", True),
        ("/* CREATE TABLE T", "FEE", False),
        ("Create a new table of contents", "README", False),
        ("//A JOB\nCREATE TABLE T", "FEE.jcl", False),
        ("  DSN SYSTEM(DB2)", "FEE.ctl", False),
        ("", "FEE", False),
    ],
)
def test_it_reads_by_suffix_or_first_words(text: str, file: str, expected: bool) -> None:
    """A job with statements in it is a job."""
    assert reads(text, file) is expected


LONG = {
    "columns": ["  A CHAR(1) NOT NULL,", "  B DECIMAL(5, 2), -- two words"],
    "inserts": ["INSERT INTO T VALUES ('a b', 1);"],
    "one insert": ["('a b', 1),"],
    "keys": ["  PRIMARY KEY ("],
    "references": ["  REFERENCES A, PRIMARY KEY"],
    "adds": ["  ADD PRIMARY KEY (A)"],
    "open comments": ["/* two words"],
    "open quotes": ["it's a quote;", "CREATE TABLE X"],
    "open names": ['"A'],
    "open": ["((("],
    "closed": [")))"],
    "begins": ["; CREATE PROCEDURE P", "BEGIN CASE END IF"],
    "modifiers": ["NOT NULL OR UNIQUE TABLE"],
    "ends": [";;;"],
    "signs": ["@ @ / GO"],
    "blank": [""],
}


def read_twice(text: str) -> None:
    """Read *text*, and ask whether it is DDL, which reads it, too."""
    read(text)
    reads(text)


@pytest.mark.long
@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("first", ["CREATE TABLE T (", "ALTER TABLE T"])
def test_a_long_file_is_read_in_linear_time(kind: str, first: str) -> None:
    """Four times the lines take no more than about four times as long."""
    assert readings.is_linear(
        read_twice, lambda count: readings.repeated(first, LONG[kind], count), 1_000
    )


@pytest.mark.long
@pytest.mark.parametrize("piece", ["A", " ", "(", "'", "''", '"', ";", "\t", "/*", "*/", "-", ".",
                                   "A.", "; '", "<", "<A", "@ ", "CREATE "])  # fmt: skip
def test_a_long_line_is_read_in_linear_time(piece: str) -> None:
    """So is a line without an end."""
    assert readings.is_linear(
        read_twice, lambda count: "CREATE TABLE T (A\n" + piece * count, 5_000
    )


PIECES = [
    *SAMPLE.split("\n"), "CREATE ", "ALTER TABLE ", " ADD ", "TABLE ", "INDEX ", " ON ", "(", ")",
    ",", ";", "'", '"', "--", "/*", "*/", "@", "/", "GO", "BEGIN ", "END ", "PRIMARY KEY ",
    "REFERENCES ", "COMMENT ON T IS '", "A", ".", "\n", "\t", "\r", "\x85", "\x0c", "ß",
]  # fmt: skip


def check(text: str) -> None:
    """Assert what holds for the reading of any text."""
    readings.assert_whole(read(text), text)


@given(readings.mixtures(PIECES))
@example("ALTER TABLE A ADD COLUMN")
@example("CREATE TABLE A (COLUMN PRIMARY KEY")
def test_any_text_is_read(text: str) -> None:
    """No text raises; units cover all text in order, and every line told exists."""
    check(text)
    reads(text)


@given(st.integers(0, len(SAMPLE)))
def test_a_file_may_end_anywhere(length: int) -> None:
    """A sample that is cut off at any character is read."""
    check(SAMPLE[:length])
    check(SAMPLE[length:])
