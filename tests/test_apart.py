"""Programs of one file are kept apart: data sets, values, declarations, graphs, tables, links."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pages import broken_links

from war_rig.agents import Agent
from war_rig.document import DocsFolder, document, plan
from war_rig.document.estate.estate import Estate, Relation
from war_rig.providers.offline import OfflineProvider
from war_rig.readers import readers


def program(name: str, *code: str, data: str = "", file: str = "", inner: str = "") -> str:
    """Return a program; *data* are its items, *file* its only one, *inner* what it contains."""
    select = f"           SELECT {file} ASSIGN TO STAFF.\n" if file else ""
    statements = "".join(f"           {line}\n" for line in (*code, "GOBACK."))
    return (
        f"       PROGRAM-ID. {name}.\n"
        f"       ENVIRONMENT DIVISION.\n       FILE-CONTROL.\n{select}"
        "       DATA DIVISION.\n       WORKING-STORAGE SECTION.\n"
        + "".join(f"       {line}\n" for line in data.splitlines())
        + f"       PROCEDURE DIVISION.\n       MAIN-LINE.\n{statements}{inner}"
        f"       END PROGRAM {name}.\n"
    )


def holding(program: str, name: str = "WS-NEXT") -> str:
    return f"01  {name} PIC X(8) VALUE '{program}'."


@pytest.fixture
def src(tmp_path: Path) -> Path:
    source = tmp_path / "src"
    source.mkdir()
    return source


def write(src: Path, **texts: str) -> None:
    """Write files, ``two_cbl`` as two.cbl."""
    for name, text in texts.items():
        (src / name.replace("_", ".")).write_text(text)


def related(src: Path, file: str = "two.cbl") -> dict[str, set[tuple[str, str]]]:
    """Return verb and name of the relations of *file*, by the innermost program around each."""
    estate = Estate.of(plan(src, readers(60)).files)
    found: dict[str, set[tuple[str, str]]] = {}
    for relation in estate.outgoing.get(file, ()):
        whole = estate.wholes[file].at(relation.line)
        found.setdefault(whole.name, set()).add((relation.verb, relation.name))
    return found


def run(src: Path, scribe: Any = None, only: str | None = None) -> Path:
    docs = src.parent / "docs"
    planned = plan(src, readers(60)).choose(only)
    agent = Agent("scribe", scribe or OfflineProvider())
    asyncio.run(document(planned, agent, DocsFolder(docs, src), provider="fake", rounds=1))
    assert broken_links(docs) == []
    return docs


def sections(page: str) -> dict[str, str]:
    """Return the text of each program's section."""
    pieces = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    named = (re.match(r"Program <code>(\w+)</code>\n", piece) for piece in pieces)
    return {m[1]: piece for m, piece in zip(named, pieces, strict=True) if m}


def test_each_program_has_the_data_sets_of_the_steps_that_run_it(src: Path) -> None:
    """Two programs of a file with the same DD name share no data set."""
    steps = "//{0} EXEC PGM={0}\n//STAFF DD DSN=OF.{0},DISP=SHR\n"
    write(
        src,
        two_cbl=program("PAY01", file="STAFF-FILE") + program("PAY02", file="STAFF-FILE"),
        night_jcl="//NIGHT JOB\n" + steps.format("PAY01") + steps.format("PAY02"),
    )
    assert related(src) == {
        "PAY01": {("has STAFF-FILE in", "OF.PAY01")}, "PAY02": {("has STAFF-FILE in", "OF.PAY02")},
    }  # fmt: skip


def test_a_contained_program_runs_in_the_steps_of_those_around_it(src: Path) -> None:
    """Its files are in the data sets that a job gives to the outermost program."""
    inner = program("TAX01", file="TAX-FILE")
    write(
        src,
        two_cbl=program("PAY01", inner=inner) + program("PAY02"),
        night_jcl="//NIGHT JOB\n//S EXEC PGM=PAY01\n//STAFF DD DSN=A.B,DISP=SHR\n"
        "//T EXEC PGM=TAX01\n//STAFF DD DSN=OF.ANOTHER,DISP=SHR\n",
    )
    assert related(src) == {"TAX01": {("has TAX-FILE in", "A.B")}}


def test_each_program_calls_what_its_own_items_hold(src: Path) -> None:
    """A name of two programs is two items, each with its VALUE, its moves and its copybook."""
    write(
        src,
        two_cbl=program(
            "PAY01", "IF A = 1 MOVE 'MOVED1' TO WS-NEXT.", "CALL WS-NEXT.", data=holding("HELD1")
        )
        + program("PAY02", "IF A = 1 MOVE WS-OTHER TO WS-NEXT.", "CALL WS-NEXT.",
                  data="COPY NAMES.\n" + holding("HELD2", "WS-OTHER")),
        NAMES_cpy="       01  WS-NEXT PIC X(8) VALUE 'COPIED'.\n",
    )  # fmt: skip
    found = related(src)
    assert found["PAY01"] == {("calls", "HELD1"), ("calls", "MOVED1")}
    assert found["PAY02"] == {("copies", "NAMES"), ("calls", "HELD2"), ("calls", "COPIED")}


def test_a_copybook_is_each_programs_own(src: Path) -> None:
    """Where both copy it, what one moves into it does not reach the other."""
    code = ("MOVE '{0}' TO WS-NEXT.", "CALL WS-NEXT.")
    write(
        src,
        two_cbl="".join(
            program(name, *(line.format(target) for line in code), data="COPY NAMES.")
            for name, target in (("PAY01", "ONE"), ("PAY02", "TWO"))
        ),
        NAMES_cpy="       01  WS-NEXT PIC X(8) VALUE 'COPIED'.\n",
    )
    found = related(src)
    assert found["PAY01"] == {("copies", "NAMES"), ("calls", "ONE"), ("calls", "COPIED")}
    assert found["PAY02"] == {("copies", "NAMES"), ("calls", "TWO"), ("calls", "COPIED")}


def test_a_contained_program_sees_what_it_does_not_declare_around_it(src: Path) -> None:
    """What it moves there, the program around it may call; its own items hide those of a name."""
    inner = program(
        "TAX01", "IF A = 1 MOVE 'INNER' TO WS-NEXT.", "CALL WS-NEXT.", "CALL WS-OWN.",
        data=holding("OWN2", "WS-OWN"),
    )  # fmt: skip
    outer = program(
        "PAY01", "CALL WS-NEXT.", "CALL WS-OWN.", inner=inner,
        data=f"{holding('OUTER')}\n{holding('OWN1', 'WS-OWN')}",
    )  # fmt: skip
    write(src, two_cbl=outer)
    found = related(src)
    assert found["PAY01"] == {("calls", "OUTER"), ("calls", "INNER"), ("calls", "OWN1")}
    assert found["TAX01"] == {("calls", "OUTER"), ("calls", "INNER"), ("calls", "OWN2")}


def test_a_file_of_one_program_is_a_table_of_the_other(src: Path) -> None:
    """What is a file in a program is still a table of SQL in another one."""
    delete = "EXEC SQL DELETE FROM STAFF END-EXEC."
    data = "FD  STAFF."
    write(src, two_cbl=program("PAY01", "DELETE STAFF.", data=data) + program("PAY02", delete))
    assert related(src) == {"PAY02": {("deletes from", "STAFF")}}


def test_a_contained_program_is_called_by_those_of_its_own_file(src: Path) -> None:
    """Another file may contain a program of the same name; from outside the outermost is meant."""
    write(
        src,
        one_cbl=program("PAY01", "CALL 'CHECK'.", inner=program("CHECK")),
        two_cbl=program("PAY02", "CALL 'CHECK'.", inner=program("CHECK")),
        user_cbl=program("USER", "CALL 'CHECK'."),
    )
    estate = Estate.of(plan(src, readers(60)).files)

    def called(file: str) -> list[tuple[str, ...]]:
        relations: Iterator[Relation] = iter(estate.outgoing[file])
        return [relation.files for relation in relations]

    assert called("one.cbl") == [("one.cbl",)]
    assert called("user.cbl") == [("one.cbl", "two.cbl")]
    (src / "check.cbl").write_text(program("CHECK"))
    estate = Estate.of(plan(src, readers(60)).files)
    assert called("user.cbl") == [("check.cbl",)]
    assert called("two.cbl") == [("two.cbl",)]


TWO = program(
    "PAY01", "PERFORM CALC.", "CALL 'CHECK'.", "CALL 'NOWHERE'.", data=holding("A"),
    inner=program("CHECK", "CALL 'PAY02'."),
) + program(
    "PAY02", "PERFORM SUM-UP.", "MOVE WS-NEXT TO WS-LAST.", data=holding("B"),
    inner=program("CHECK", "EXEC SQL DELETE FROM OLD END-EXEC."),
)  # fmt: skip


def test_programs_of_one_name_are_two(src: Path) -> None:
    """Each has its own section, with its own code, and whoever contains it leads there."""
    write(src, two_cbl=TWO)
    page = (run(src) / "files" / "two.cbl.md").read_text()
    headings = re.findall(r'<a id="(p\d+)"></a>\n\n## Program <code>(\w+)</code>', page)
    assert [name for _, name in headings] == ["PAY01", "CHECK", "PAY02", "CHECK"]
    anchors = [anchor for anchor, _ in headings]
    assert f"| calls | [<code>CHECK</code>](two.cbl.md#{anchors[1]}) |" in sections(page)["PAY01"]
    of_last_check = page.rpartition("## Program")[2]
    assert "| deletes from | <code>OLD</code> |" in of_last_check
    assert "calls it" not in of_last_check


def test_a_page_tells_what_each_program_uses_and_how_it_flows(src: Path) -> None:
    """Tables and graphs are the program's own, links lead to its section, from the index too."""
    write(src, two_cbl=TWO, user_cbl=program("USER", "CALL 'PAY02'."))
    docs = run(src)
    page = (docs / "files" / "two.cbl.md").read_text()
    own = sections(page.partition("## Open questions")[0])
    assert "### Uses" in own["PAY01"]
    assert '["CALC"]' in own["PAY01"]
    assert "SUM-UP" not in own["PAY01"].partition("```mermaid")[2].partition("```")[0]
    assert '["SUM-UP"]' in own["PAY02"]
    place = {
        n: a for a, n in re.findall(r'id="(p\d+)"></a>\n\n## Program <code>(\w+)</code>', page)
    }
    assert (
        "| [<code>CHECK</code> in <code>two.cbl</code>]"
        f"(two.cbl.md#{re.findall(r'p[0-9]+', page)[1]}) | calls it |" in own["PAY02"]
    )
    user = (docs / "files" / "user.cbl.md").read_text()
    assert f"| calls | [<code>PAY02</code>](two.cbl.md#{place['PAY02']}) |" in user
    index = (docs / "README.md").read_text()
    linked = f"[<code>PAY01</code> in <code>two.cbl</code>](files/two.cbl.md#{place['PAY01']})"
    assert f"| <code>NOWHERE</code> | {linked} |" in index
    assert f"](files/two.cbl.md#{place['CHECK']}) deletes from it |" in index


def test_a_prompt_shows_the_declarations_of_its_own_program(src: Path) -> None:
    """A name that another program of the file declares, too, is not shown as that."""
    prompts = []

    class Watched(OfflineProvider):
        async def complete(self, messages: Any, **parameters: Any) -> Any:
            prompts.append(messages[0].content)
            return await super().complete(messages, **parameters)

    write(src, two_cbl=TWO)
    run(src, Watched())
    (shown,) = (prompt for prompt in prompts if "MOVE WS-NEXT TO WS-LAST" in prompt)
    declared = shown.partition("are declared here")[2].partition("```\n")[0]
    assert "VALUE 'B'" in declared
    assert "VALUE 'A'" not in declared


def test_a_program_that_was_not_chosen_still_has_its_section(src: Path) -> None:
    """Links to it lead somewhere, also where a run ended before it."""
    write(src, two_cbl=TWO, user_cbl=program("USER", "CALL 'PAY02'."))
    docs = src.parent / "docs"
    planned = plan(src, readers(60)).choose("two.cbl", limit=1)
    folder = DocsFolder(docs, src)
    agent = Agent("scribe", OfflineProvider())
    asyncio.run(document(planned, agent, folder, provider="fake", rounds=1))
    assert list(sections((docs / "files" / "two.cbl.md").read_text())) == [
        "PAY01",
        "CHECK",
        "PAY02",
    ]
    assert broken_links(docs) == []


def test_programs_inside_each_other_take_time_in_proportion(src: Path) -> None:
    """Nor do programs that never end make a way around each of them."""
    depth = 400
    heads = "".join(f"       PROGRAM-ID. P{n}.\n       PROCEDURE DIVISION.\n" for n in range(depth))
    ends = "".join(f"       END PROGRAM P{n}.\n" for n in reversed(range(depth)))
    write(src, two_cbl=f"{heads}           CALL WS-X.\n{ends}")
    assert related(src) == {f"P{depth - 1}": {("calls", "WS-X")}}
