"""What a file, and the estate, is for: composed from verified claims only."""

import asyncio
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import ROOT

from war_rig.agents import Agent
from war_rig.document import DocsFolder, Summary, document, plan
from war_rig.document.claims import Citation
from war_rig.document.data import schema
from war_rig.document.ground import Ground
from war_rig.providers.offline import OfflineProvider
from war_rig.readers import readers
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
        if messages[0].content.startswith("These claims about file a.py"):
            return waiting.pop(0)
        return asyncio.run(OfflineProvider().complete(messages)).content

    class Scribe(FakeProvider):
        async def complete(self, messages: Any, **parameters: Any) -> Any:  # type: ignore[override]
            if messages[0].content.startswith("These claims about file a.py"):
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
            if "These claims about estate" in messages[0].content:
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
