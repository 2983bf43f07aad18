"""Which file a COPY means, and what it brings when its text is replaced."""

from pathlib import Path

import pytest

from war_rig.document import plan
from war_rig.document.estate.copybooks import Brought
from war_rig.document.estate.data_names import DataItems
from war_rig.document.estate.estate import Estate
from war_rig.document.pages.tables import open_lines
from war_rig.document.wholes import Wholes
from war_rig.readers import readers


def relations(src: Path, file: str) -> set[tuple[str, str, tuple[str, ...], bool]]:
    estate = Estate.of(plan(src, readers(60)).files)
    return {(r.verb, r.name, r.files, r.is_certain) for r in estate.outgoing[file]}


def estate_of(src: Path, user: str, **copybooks: str) -> Estate:
    """Return the estate of a program with the statement *user*, and *copybooks* by their name."""
    (src / "USER.cbl").write_text(
        f"       PROGRAM-ID. USER.\n       DATA DIVISION.\n       {user}\n"
    )
    for name, text in copybooks.items():
        (src / f"{name}.cpy").write_text(text)
    return Estate.of(plan(src, readers(60)).files)


def brought(src: Path, estate: Estate) -> list[Brought]:
    """Return what the program of estate_of() brings, itself left out."""
    user = next(f for f in plan(src, readers(60)).files if f.source.file == "USER.cbl")
    return [one for one in estate.copybooks.brought(user) if one.copy]


def copied(src: Path, *search_paths: str) -> set[str]:
    estate = Estate.of(plan(src, readers(60)).files, search_paths)
    return {file for r in estate.outgoing["a/USER.cbl"] if r.verb == "copies" for file in r.files}


@pytest.fixture
def libraries(tmp_path: Path) -> Path:
    """Return a source with one copybook's name in four folders, and in a file of another kind."""
    for folder in ("a", "b", "c", "paylib"):
        (tmp_path / folder).mkdir()
    for path in ("b/REC.cpy", "c/REC.cpy", "paylib/REC.cpy"):
        (tmp_path / path).write_text("       01  REC PIC X.\n")
    (tmp_path / "b" / "REC.jcl").write_text("//REC JOB\n")
    return tmp_path


@pytest.mark.parametrize(
    ("copy", "search_paths", "found"),
    [
        ("COPY REC.", (), {"b/REC.cpy", "c/REC.cpy", "paylib/REC.cpy"}),
        ("COPY 'REC.cpy'.", ("c", "b"), {"c/REC.cpy"}),
        ("COPY REC.", ("nowhere", "pay*"), {"paylib/REC.cpy"}),
        ("COPY REC OF PAYLIB.", ("b",), {"paylib/REC.cpy"}),
        ("COPY REC IN OTHER.", ("b",), {"b/REC.cpy"}),
    ],
)
def test_a_copy_is_looked_for_along_the_search_paths(
    libraries: Path, copy: str, search_paths: tuple[str, ...], found: set[str]
) -> None:
    """The library that COPY names comes first, then the paths in order; else all are meant."""
    (libraries / "a" / "USER.cbl").write_text(
        f"       PROGRAM-ID. USER.\n       DATA DIVISION.\n       {copy}\n"
    )
    assert copied(libraries, *search_paths) == found


def test_a_copybook_of_the_own_folder_is_meant(libraries: Path) -> None:
    """Where nothing else decides, the copybook beside the program is the one."""
    (libraries / "a" / "USER.cbl").write_text(
        "       PROGRAM-ID. USER.\n       DATA DIVISION.\n       COPY REC.\n"
    )
    (libraries / "a" / "REC.cpy").write_text("       01  REC PIC X.\n")
    assert copied(libraries) == {"a/REC.cpy"}


REPLACING = {
    "==:TAG:== BY ==WS==": "WS-NEXT",
    "LEADING ==:TAG:== BY ==OUR==": "OUR-NEXT",
    "TRAILING ==-NEXT== BY ==-PROGRAM==": ":TAG:-PROGRAM",
    "==:TAG:-NEXT== BY ==TARGET==": "TARGET",
    "==PLAIN== BY ==RENAMED==": "RENAMED",
}


@pytest.mark.parametrize("pair", REPLACING)
def test_a_target_is_followed_through_replaced_names(pair: str, tmp_path: Path) -> None:
    """COPY ... REPLACING gives a copybook's item the name that the program calls by."""
    (tmp_path / "REC.cpy").write_text(
        "       01  :TAG:-NEXT PIC X(8) VALUE 'PAY02'.\n       01  PLAIN PIC X(8) VALUE 'PAY02'.\n"
    )
    (tmp_path / "OUTER.cpy").write_text("       COPY REC.\n")
    (tmp_path / "USER.cbl").write_text(
        f"       PROGRAM-ID. USER.\n       DATA DIVISION.\n       COPY OUTER REPLACING {pair}.\n"
        f"       PROCEDURE DIVISION.\n           CALL {REPLACING[pair].replace(':TAG:', 'X')}.\n"
        f"           CALL {REPLACING[pair]}.\n"
    )
    found = relations(tmp_path, "USER.cbl")
    assert ("calls", "PAY02", (), False) in found


def test_copybooks_that_copy_each_other_end(tmp_path: Path) -> None:
    """A circle of copybooks, with names replaced at each turn, is walked a bounded time."""
    for name, other in (("A", "B"), ("B", "A")):
        pairs = " ".join(f"=={n}== BY =={n}X==" for n in range(20))
        lines = [
            f"       COPY {other} REPLACING =={n}== BY =={n}{name}== {pairs}." for n in range(9)
        ]
        (tmp_path / f"{name}.cpy").write_text("\n".join(lines))
    files = plan(tmp_path, readers(60)).files
    assert 2 < len(Estate.of(files).copybooks.brought(files[0])) <= 2000


def test_what_is_of_another_language_is_never_copied(tmp_path: Path) -> None:
    """A text, a job, a program of that name, or the user itself hides no missing copybook."""
    (tmp_path / "README.txt").write_text("hello\n")
    (tmp_path / "PAYJOB.jcl").write_text("//PAYJOB JOB\n//A EXEC USER\n//B EXEC PAYJOB\n")
    estate = estate_of(tmp_path, "COPY README. COPY PAYJOB. COPY USER.")
    names = [("README", ()), ("PAYJOB", ()), ("USER", ()), ("USER", ()), ("PAYJOB", ())]
    assert sorted((r.name, r.files) for r in estate.missing) == sorted(names)


def test_a_copybook_that_is_generated_from_a_mapset_is_not_missing(tmp_path: Path) -> None:
    """BMS makes it of the mapset of that name; a copybook that is there is meant all the same."""
    (tmp_path / "screens.bms").write_text("DESKSET  DFHMSD TYPE=MAP\nDESK     DFHMDI SIZE=(1,1)\n")
    estate = estate_of(tmp_path, "COPY DESKSET. COPY DESK.")
    assert {(r.name, r.files) for r in estate.outgoing["USER.cbl"]} == {
        ("DESKSET", ("screens.bms",)), ("DESK", ()),
    }  # fmt: skip
    assert [relation.name for relation in estate.missing] == ["DESK"]
    assert brought(tmp_path, estate) == []
    pages = {
        file: (f"files/{file}.md", f"source/{file}.md") for file in ("USER.cbl", "screens.bms")
    }
    assert open_lines("USER.cbl", estate, pages)[-1] == (
        "- <code>DESKSET</code> is not there itself: BMS makes it of "
        "[<code>screens.bms</code>](screens.bms.md) (line [3](../source/USER.cbl.md#L3))."
    )
    estate = estate_of(tmp_path, "COPY DESKSET.", DESKSET="       01  DESKI PIC X.\n")
    assert [r.files for r in estate.outgoing["USER.cbl"]] == [("DESKSET.cpy",)]
    assert open_lines("USER.cbl", estate, pages) == []


def test_a_member_without_a_suffix_is_copied(tmp_path: Path) -> None:
    """No reader knows a copybook that has no suffix and begins with no division."""
    (tmp_path / "REC").write_text("       01  REC PIC X.\n")
    estate = estate_of(tmp_path, "COPY REC.")
    assert [relation.files for relation in estate.relations] == [("REC",)]


def test_a_copybook_is_meant_rather_than_a_program(tmp_path: Path) -> None:
    """A program is copied only where no copybook has its name."""
    (tmp_path / "REC.cbl").write_text("       PROGRAM-ID. REC.\n")
    assert estate_of(tmp_path, "COPY REC.").outgoing["USER.cbl"][0].files == ("REC.cbl",)
    found = estate_of(tmp_path, "COPY REC.", REC="       01  REC PIC X.\n").outgoing["USER.cbl"]
    assert found[0].files == ("REC.cpy",)


LINES = {
    "==A-X== BY ==B-X== ==B-X== BY ==C-X==": "05 B-X PIC 9(3) VALUE 'A-X'. C-X",
    "==PIC 9(3)== BY ==PIC  9(7)==": "05 A-X PIC 9(7) VALUE 'A-X'. B-X",
    "==9(3)== BY ==9(7)==": "05 A-X PIC 9(7) VALUE 'A-X'. B-X",
    "==05  A-X== BY ==07 A-X==": "07 A-X PIC 9(3) VALUE 'A-X'. B-X",
    "05 BY 07": "07 A-X PIC 9(3) VALUE 'A-X'. B-X",
    "==VALUE 'A-X'== BY ==VALUE 'IT''S'==": "05 A-X PIC 9(3) VALUE 'IT''S'. B-X",
    "'a-x' BY 'Q'": "05 A-X PIC 9(3) VALUE 'A-X'. B-X",
    "LEADING ==A-== BY ==B-== TRAILING ==-X== BY ==-Y==": "05 B-X PIC 9(3) VALUE 'A-X'. B-Y",
    "TRAILING ==-X== BY ====": "05 A PIC 9(3) VALUE 'A-X'. B",
    "==X== BY ==Y== ==A== BY ==B== ==9== BY ==8==": "05 A-X PIC 8(3) VALUE 'A-X'. B-X",
    "==A-X== BY ==A-X PIC X. 88 C==": "05 A-X PIC X. 88 C PIC 9(3) VALUE 'A-X'. B-X",
    "==. B-X== BY ==.==": "05 A-X PIC 9(3) VALUE 'A-X'.",
    "==VALUE== BY ==IS ( 2 ).==": "05 A-X PIC 9(3) IS(2). 'A-X'. B-X",
}


@pytest.mark.parametrize("pairs", LINES)
def test_a_line_is_shown_as_the_program_has_it(pairs: str, tmp_path: Path) -> None:
    """Words are compared with blanks counted as equal; the first pair that matches ends a word."""
    record = "       05 A-X PIC 9(3) VALUE 'A-X'. B-X\n"
    estate = estate_of(tmp_path, f"COPY REC REPLACING\n           {pairs}.", REC=record)
    (one,) = brought(tmp_path, estate)
    assert one.line(1).strip() == LINES[pairs]
    assert one.is_exact


INEXACT = {
    "==01 A-X== BY ==03 A-X==": "       01\n      * 01 A-X\n           A-X PIC X.\n",
    "==9(3)== BY ==9(7) COMP==": "       01 A-X PIC 9(3).\n",
}


@pytest.mark.parametrize("pair", INEXACT)
def test_what_can_not_be_replaced_is_not_exact(pair: str, tmp_path: Path) -> None:
    """A text on two lines, or a new one whose blanks are not known, is left, and said to be."""
    estate = estate_of(
        tmp_path,
        f"COPY OUTER REPLACING\n           ==Q== BY ==R== {pair}.",
        OUTER="       COPY REC.\n       COPY REST.\n       COPY REST.\n       COPY OUTER.\n"
        "       COPY REST REPLACING ==K L== BY ==M==.\n",
        REC=INEXACT[pair],
        REST="       01  9(4) 03 A-X.\n",
    )
    exact = {one.file.source.file: one.is_exact for one in brought(tmp_path, estate)}
    assert exact == {"OUTER.cpy": True, "REST.cpy": True, "REC.cpy": False}
    pages = {"USER.cbl": ("files/USER.cbl.md", "source/USER.cbl.md")}
    assert open_lines("USER.cbl", estate, pages) == [
        "- <code>OUTER</code> is copied with a REPLACING that could not be applied "
        "(line [3](../source/USER.cbl.md#L3))."
    ]


def test_a_replacing_that_is_not_understood_is_not_exact(tmp_path: Path) -> None:
    """An empty text can't be looked for, so what it stands before is not known either."""
    estate = estate_of(tmp_path, "COPY REC REPLACING ==== BY ==B==.", REC="       01  A-X PIC X.\n")
    assert [one.is_exact for one in brought(tmp_path, estate)] == [False]


@pytest.mark.parametrize(("replacing", "declared"), [("", 1), (" REPLACING ==== BY ==B==", 0)])
def test_an_item_is_declared_only_in_a_copybook_whose_text_is_known(
    replacing: str, declared: int, tmp_path: Path
) -> None:
    """A REPLACING that could not be applied leaves open what the copybook declares."""
    estate = estate_of(tmp_path, f"COPY REC{replacing}.", REC="       01  A-X PIC X.\n")
    user = next(f for f in plan(tmp_path, readers(60)).files if f.source.file == "USER.cbl")
    wholes = Wholes(user)
    items = DataItems(user, estate.copybooks, wholes)
    assert len(items.places(items.item("A-X", wholes.at(3)))) == declared


def test_each_copy_ends_with_its_own_first_match(tmp_path: Path) -> None:
    """The COPY around it goes on with what the inner one made, and a name may become words."""
    estate = estate_of(
        tmp_path,
        "COPY OUTER REPLACING ==B-X== BY ==C-X== ==D== BY ==D PIC X==.",
        OUTER="       COPY REC REPLACING ==A-X== BY ==B-X== ==B-X== BY ==E-X==.\n",
        REC="       01  A-X PIC X.\n",
    )
    names = {
        one.file.source.file: (one.name("a-x"), one.name("d")) for one in brought(tmp_path, estate)
    }
    assert names == {"OUTER.cpy": ("A-X", "D"), "REC.cpy": ("C-X", "D")}


def test_a_copybook_is_entered_a_bounded_number_of_times(tmp_path: Path) -> None:
    """Eight hundred COPYs at each of four turns are not followed to their end."""
    for name, other in ("AB", "BC", "CD", "DE", "EA"):
        lines = (f"       COPY {other} REPLACING =={n}== BY =={n}{name}==.\n" for n in range(150))
        (tmp_path / f"{name}.cpy").write_text("".join(lines))
    files = plan(tmp_path, readers(60)).files
    copybooks = Estate.of(files).copybooks
    assert 150 < len(copybooks.brought(files[0])) <= 2000
    assert copybooks.brought(files[0]) is copybooks.brought(files[0])
