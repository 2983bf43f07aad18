"""What a file, and the estate, is for: composed from verified claims only."""

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import ROOT
from pages import broken_links

from war_rig.agents import Agent
from war_rig.document import DocsFolder, Summary, document, plan
from war_rig.document.checks.ground import Ground
from war_rig.document.claims import Citation
from war_rig.document.pages.data import schema
from war_rig.errors import ServerError
from war_rig.providers.offline import OfflineProvider
from war_rig.readers import Reading, Source, Unit, readers
from war_rig.testing import FakeProvider

ONE = "# Pays the staff.\nrate = 40\n\n# Refuses a closed account.\nstate = 'CLOSED'\nend = 1\n"


@pytest.fixture
def src(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text(ONE)
    (tmp_path / "src" / "b.py").write_text("# Adds the interest.\nx = 1\n")
    return tmp_path / "src"


def run(src: Path, provider: Any, only: str | None = None, unit_lines: int = 5) -> Summary:
    planned = plan(src, readers(unit_lines)).choose(only)
    folder = DocsFolder(src.parent / "docs", planned.root)
    work = document(planned, Agent("scribe", provider), folder, provider="fake", rounds=2)
    return asyncio.run(work)


def page(src: Path, name: str = "files/a.py.md") -> str:
    return (src.parent / "docs" / name).read_text()


def composing(*replies: str) -> FakeProvider:
    """Return a Scribe that quotes of units like `offline`, and composes with *replies* in turn."""
    waiting = list(replies)

    def reply(messages: list[Any]) -> str:
        if messages[0].content.startswith('WHOLE is file "a.py"'):
            return waiting.pop(0)
        return asyncio.run(OfflineProvider().complete(messages)).content

    class Scribe(FakeProvider):
        async def complete(self, messages: Any, **parameters: Any) -> Any:  # type: ignore[override]
            if messages[0].content.startswith('WHOLE is file "a.py"'):
                return await super().complete(messages, **parameters)
            return await OfflineProvider().complete(messages)

    return Scribe(reply)


def written(text: str, *cites: str) -> str:
    return json.dumps({"claims": [{"about": "purpose", "text": text, "cites": cites}]})


def test_a_file_of_several_parts_has_a_summary(src: Path) -> None:
    """It stands before the parts, and the index shows it."""
    run(
        src,
        composing(written("It pays the staff and refuses a closed account.", "a.py:1", "a.py:4")),
    )
    summary = page(src).partition("## What it is for")[2].partition("## ")[0]
    assert "- It pays the staff and refuses a closed account. [(1)]" in summary
    assert "| It pays the staff and refuses a closed account. |" in page(src, "README.md")
    assert "## What it is for" not in page(src, "files/b.py.md")


def test_a_composed_claim_may_cite_only_what_verified_claims_cite(src: Path) -> None:
    """A line that no verified claim cites, and a name that stands in none, are refused."""
    loose = written("The rate is 40.", "a.py:2")
    invented = written("`PAY01` pays the staff.", "a.py:1")
    summary = run(src, composing(loose, invented))
    unverified = page(src).partition("## Unverified")[2]
    assert "PAY01' is not in the file: it is invented" in unverified
    assert summary.unverified == 1
    fake = composing(loose, loose)
    run(src, fake)
    assert "a.py:2-2: the lines that may be cited here are 1-1, 4-4" in fake.calls[1].text


def test_a_summary_that_fails_costs_no_part(src: Path) -> None:
    """The parts are published all the same, and the failure is told."""
    summary = run(src, composing("no JSON", "none"))
    assert [unit.name for unit, _ in summary.failures] == ["a.py"]
    assert "Pays the staff." in page(src)


def test_the_overview_is_composed_of_the_summaries(src: Path) -> None:
    """The index begins with claims about the estate, each with links into the sources."""
    run(src, OfflineProvider())
    overview = page(src, "README.md").partition("## Overview")[2].partition("## ")[0]
    assert '- "Adds the interest." [<code>b.py</code> (1)](source/b.py.md#L1)' in overview
    assert '- "Pays the staff." [<code>a.py</code> (1)](source/a.py.md#L1)' in overview


def test_an_overview_that_fails_is_named(src: Path) -> None:
    """The rest of the index stands."""
    fake = FakeProvider(lambda messages: "no")
    assert len(run(src, fake).failures) == 3
    index = page(src, "README.md")
    assert "## Overview" not in index

    class NoOverview(OfflineProvider):
        async def complete(self, messages: Any, **parameters: Any) -> Any:
            answer = await super().complete(messages, **parameters)
            if "WHOLE is estate" in messages[0].content:
                answer.content = "no"
            return answer

    run(src, NoOverview())
    assert "Not composed: provider 'NoOverview' did not answer" in page(src, "README.md")


def test_a_part_of_the_source_has_no_overview(src: Path) -> None:
    """A run of chosen files says nothing about the whole, and links to no missing page."""
    run(src, OfflineProvider(), only="a.py")
    assert "## Overview" not in page(src, "README.md")
    assert "b.py" not in page(src, "README.md")


def test_every_page_is_there_as_data_that_fits_the_published_schema(tmp_path: Path) -> None:
    """Units, facts, claims, citations and verdicts of the example, and of the index."""
    docs = tmp_path / "docs"
    planned = plan(ROOT / "docs" / "examples" / "library", readers(60))
    scribe = Agent("scribe", OfflineProvider())
    folder = DocsFolder(docs, planned.root)
    asyncio.run(document(planned, scribe, folder, provider="offline", rounds=1))
    published = json.loads((ROOT / "docs" / "document.schema.json").read_text())
    assert published == schema()
    check = jsonschema.Draft202012Validator(published)
    estate = json.loads((docs / "estate.json").read_text())
    check.validate(estate)
    assert estate["overview"]
    for file in estate["files"]:
        assert (docs / file["page"]).exists()
        found = json.loads((docs / file["data"]).read_text())
        check.validate(found)
        assert {claim["verdict"] for unit in found["units"] for claim in unit["claims"]} == {
            "verified"
        }
    with pytest.raises(jsonschema.ValidationError):
        check.validate({"version": 2})


def test_an_unreadable_citation_is_kept_as_written(src: Path) -> None:
    """The data say what the Scribe wrote, though no line can be found."""
    run(src, FakeProvider(written("It ends.", "somewhere")))
    claim = json.loads(page(src, "files/b.py.json"))["units"][0]["claims"][0]
    assert (claim["cites"], claim["citations"], claim["verdict"]) == (
        ["somewhere"],
        [],
        "unverified",
    )
    assert claim["issues"] == ["'somewhere' is not FILE:FIRST-LAST"]


def test_many_lines_that_may_be_cited_are_not_all_listed() -> None:
    """What is told of a wrong citation stays short."""
    lines = {("a", number): "x" for number in range(1, 20, 2)}
    ground = Ground(lines, (), ())
    assert ground.fault(Citation("a", 2, 2)) == (
        "a:2-2: the lines that may be cited here are 1-1, 3-3, 5-5, 7-7, 9-9, ..."
    )


def test_a_whole_is_composed_of_a_bounded_number_of_claims(src: Path) -> None:
    """Of a long file each unit's first claim counts before any second; the page says how many."""
    (src / "long.py").write_text("\n".join(f"# Rule number {n}.\nx = {n}\n" for n in range(300)))
    asked: list[str] = []

    class Watched(OfflineProvider):
        async def complete(self, messages: Any, **parameters: Any) -> Any:
            asked.append(messages[0].content)
            return await super().complete(messages, **parameters)

    run(src, Watched())
    prompt = next(text for text in asked if text.startswith('WHOLE is file "long.py"'))
    given = re.search(r"claims about it, (\d+) of (\d+)\.", prompt)
    assert given and int(given[1]) == 100 < int(given[2])
    assert f"Composed from 100 of {given[2]} verified claims.\n" in page(src, "files/long.py.md")


def test_a_whole_keeps_the_names_that_its_units_were_shown(tmp_path: Path) -> None:
    """A claim on a copybook's line, with its name replaced, may be composed as it was verified."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "REC.cpy").write_text("       01  :TAG:-HOURS PIC 9(3).\n")
    (tmp_path / "src" / "A.cbl").write_text(
        "       PROGRAM-ID. PAY01.\n       DATA DIVISION.\n       WORKING-STORAGE SECTION.\n"
        "       COPY REC REPLACING ==:TAG:== BY ==WS==.\n       PROCEDURE DIVISION.\n"
        "           MOVE 40 TO WS-HOURS.\n"
    )
    claim = {"about": "rule", "text": "`WS-HOURS` has 9(3) digits.", "cites": ["REC.cpy:1"]}

    def reply(messages: Any) -> str:
        text = messages[0].content
        is_asked = "MOVE 40" in text or text.startswith(("WHOLE is program", "WHOLE is estate"))
        return json.dumps({"claims": [claim] if is_asked else []})

    run(tmp_path / "src", FakeProvider(reply))
    whole = json.loads((tmp_path / "docs" / "files" / "A.cbl.json").read_text())["whole"]
    assert [(c["text"], c["verdict"]) for c in whole] == [(claim["text"], "verified")]
    overview = json.loads((tmp_path / "docs" / "estate.json").read_text())["overview"]
    assert [c["verdict"] for c in overview] == ["verified"]


def test_a_failed_whole_and_a_doubted_overview_are_on_the_pages(src: Path) -> None:
    """What was asked and paid for is not swallowed."""
    run(src, composing("no JSON", "none"))
    assert "## What it is for\n\nNot composed: provider 'Scribe' did not answer" in page(src)
    assert json.loads(page(src, "files/a.py.json"))["whole_failure"].startswith("provider 'Scribe'")

    class Wrong(OfflineProvider):
        async def complete(self, messages: Any, **parameters: Any) -> Any:
            answer = await super().complete(messages, **parameters)
            if messages[0].content.startswith("WHOLE is estate"):
                answer.content = written("`PAY99` rules.", "a.py:1")
            return answer

    run(src, Wrong())
    unverified = page(src, "README.md").partition("## Unverified")[2]
    assert "<code>PAY99</code> rules. ('PAY99' is not in the file: it is invented)" in (
        unverified.replace("&#40;", "(").replace("&#41;", ")")
    )


def test_a_path_that_is_no_utf_8_is_told_in_the_data(src: Path) -> None:
    """A file that can't be named is left out, on the pages and in the data."""
    (src / os.fsdecode(b"caf\xe9.py")).write_text("x = 1\n")
    run(src, OfflineProvider())
    estate = json.loads(page(src, "estate.json"))
    assert estate["left_out"] == [["caf?.py", "name is not UTF-8, not read"]]


def test_a_chosen_file_is_shown_what_an_earlier_run_found(tmp_path: Path) -> None:
    """With --only after a whole run nothing is asked again: the prompts are the same."""
    source = tmp_path / "src"
    source.mkdir()
    (source / "A.cbl").write_text(
        "       PROGRAM-ID. PAY01.\n       PROCEDURE DIVISION.\n           CALL 'PAY02'.\n"
    )
    (source / "Z.cbl").write_text("      * Pays the staff.\n       PROGRAM-ID. PAY02.\n")
    asked: list[list[str]] = []
    for only in (None, "A.cbl"):
        prompts: list[str] = []

        class Watched(OfflineProvider):
            async def complete(self, messages: Any, *, seen: Any = prompts, **more: Any) -> Any:
                seen.append(messages[0].content)
                return await super().complete(messages, **more)

        run(source, Watched(), only=only)
        asked.append([text for text in prompts if 'FILE is "A.cbl"' in text])
    assert asked[0] == asked[1]
    assert '"Z.cbl": "\\"Pays the staff.\\""' in asked[1][-1]
    (tmp_path / "docs" / "files" / "Z.cbl.json").write_text("{")
    assert run(source, OfflineProvider(), only="A.cbl").failures == []


@pytest.mark.parametrize("limit", [1, 2])
def test_a_limited_run_leaves_no_broken_link_and_no_complete_page_worse(
    tmp_path: Path, limit: int
) -> None:
    """What was chosen is written where nothing better is there, and says so."""
    source = tmp_path / "src"
    source.mkdir()
    two = "".join(
        f"       IDENTIFICATION DIVISION.\n       PROGRAM-ID. {name}.\n       PROCEDURE DIVISION.\n"
        f"       MAIN-LINE.\n           CALL 'PAY09'.\n       END PROGRAM {name}.\n"
        for name in ("PAY01", "PAY02")
    )
    (source / "A.cbl").write_text(two)
    (source / "Z.cbl").write_text("       PROGRAM-ID. PAY09.\n")
    folder = DocsFolder(tmp_path / "docs", source)
    scribe = Agent("scribe", OfflineProvider())

    def documented(most: int | None) -> str:
        planned = plan(source, readers(5)).choose(limit=most)
        asyncio.run(document(planned, scribe, folder, provider="x", rounds=1))
        assert broken_links(tmp_path / "docs") == []
        return (tmp_path / "docs" / "files" / "A.cbl.md").read_text()

    assert "Only these units were chosen." in documented(limit)
    whole = documented(None)
    assert "Only these units" not in whole
    assert documented(limit) == whole
    (source / "A.cbl").write_text(two + "      * More.\n")
    assert "Only these units were chosen." in documented(limit)


def test_a_run_that_ended_leaves_no_broken_link(src: Path) -> None:
    """Files that it did not reach have a page that says so."""
    (src / "job.jcl").write_text("//J JOB\n//S EXEC PGM=PAY01\n")
    (src / "pay.cbl").write_text("       PROGRAM-ID. PAY01.\n       PROCEDURE DIVISION.\n")
    with pytest.raises(ServerError):
        run(src, FakeProvider(ServerError("down", provider="x")))
    assert broken_links(src.parent / "docs") == []
    assert "This run ended before the rest" in page(src, "files/job.jcl.md")
    estate = json.loads(page(src, "estate.json"))
    assert (estate["is_finished"], estate["is_whole"]) == (False, True)


def test_the_graph_starts_from_the_job_that_holds_the_line(src: Path) -> None:
    """Of a file with two jobs, each runs its own programs; nobody leads to itself."""
    (src / "two.jcl").write_text("//A JOB\n//S EXEC PGM=PAY01\n//B JOB\n//T EXEC PGM=PAY03\n")
    (src / "self.cbl").write_text(
        "       PROGRAM-ID. SELF.\n       PROCEDURE DIVISION.\n           CALL 'SELF'.\n"
    )
    run(src, OfflineProvider())
    index = page(src, "README.md")
    names = dict(re.findall(r'(n\d+)\["(\w+)"\]', index))
    arrows = {(names[a], names[b]) for a, b in re.findall(r'(n\d+) -->\|"runs"\| (n\d+)', index)}
    assert arrows == {("A", "PAY01"), ("B", "PAY03")}
    assert re.search(r"<code>SELF</code>.*\| nothing in this source \|", index)


def test_a_page_is_titled_with_all_that_it_holds(src: Path) -> None:
    """Several jobs of a file are listed as in a sentence."""
    (src / "three.jcl").write_text("//A JOB\n//B JOB\n//C JOB\n")
    run(src, OfflineProvider())
    title, *_ = page(src, "files/three.jcl.md").splitlines()
    assert title == "# Job <code>A</code>, <code>B</code> and <code>C</code>"


def test_a_reader_that_counts_wrongly_costs_its_own_file_only(src: Path) -> None:
    """A fact or a unit outside the file is the reader's failure: the file is read as text."""

    class Wrong:
        language = "wrong"

        def reads(self, source: Source) -> bool:
            return source.file == "b.py"

        def read(self, source: Source) -> Reading:
            return Reading((Unit(source.file, "all", "lines", 1, 99),), ())

    planned = plan(src, [Wrong(), *readers(60)])
    assert planned.misread == (("b.py", "Wrong failed with ValueError"),)
    assert [file.language for file in planned.files] == ["text", "text"]
