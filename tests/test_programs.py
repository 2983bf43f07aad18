"""A file of several programs: each has a purpose and rules of its own."""

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pages import broken_links

from war_rig.agents import Agent
from war_rig.document import DocsFolder, Summary, document, estimate, plan
from war_rig.document.pages.data import schema
from war_rig.providers.offline import OfflineProvider
from war_rig.readers import Fact, Reading, Source, Unit, readers


def program(name: str, about: str, *code: str) -> str:
    return (
        f"      * {about}\n       IDENTIFICATION DIVISION.\n       PROGRAM-ID. {name}.\n"
        "       PROCEDURE DIVISION.\n"
        f"       MAIN-{name}.\n      * The code of {name} is here.\n"
        + "".join(f"           {line}\n" for line in (*code, "GOBACK."))
    )


def end(name: str) -> str:
    return f"       END PROGRAM {name}.\n"


TWO = (
    program("PAY01", "Pays the staff.", "CALL 'TAX01'.")
    + program("TAX01", "Takes the tax off.")
    + end("TAX01")
    + end("PAY01")
    + program("PAY02", "Prints the slips.", "ENTRY 'SLIPS'.")
    + end("PAY02")
)
USER = program("USER", "Starts at night.", "CALL 'PAY02'.", "CALL 'TAX01'.", "CALL 'SLIPS'.")
JOB = "//NIGHT JOB\n//S EXEC PGM=PAY02\n"


class Watched(OfflineProvider):
    """Keeps the prompts; of a program called *broken* it composes nothing that can be used."""

    def __init__(self, broken: str = "none") -> None:
        super().__init__()
        self.prompts: list[str] = []
        self._broken = f'WHOLE is program "{broken}"'

    async def complete(self, messages: Any, **parameters: Any) -> Any:
        self.prompts.append(messages[0].content)
        answer = await super().complete(messages, **parameters)
        if messages[0].content.startswith(self._broken):
            answer.content = "no"
        return answer


@pytest.fixture
def src(tmp_path: Path) -> Path:
    source = tmp_path / "src"
    source.mkdir()
    for name, text in (("two.cbl", TWO), ("user.cbl", USER), ("night.jcl", JOB)):
        (source / name).write_text(text)
    return source


def run(
    src: Path, provider: Any = None, only: str | None = None, limit: int | None = None
) -> Summary:
    planned = plan(src, readers(60)).choose(only, limit)
    folder = DocsFolder(src.parent / "docs", src)
    scribe = Agent("scribe", provider or Watched())
    summary = asyncio.run(document(planned, scribe, folder, provider="fake", rounds=1))
    assert summary.tasks == summary.done == estimate(planned)[0]
    assert broken_links(src.parent / "docs") == []
    return summary


def page(src: Path, name: str = "files/two.cbl.md") -> str:
    return (src.parent / "docs" / name).read_text()


def part(text: str, title: str) -> str:
    """Return the text below the heading *title*, up to the next heading of its level."""
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_a_program_is_composed_of_its_own_units(src: Path) -> None:
    """Each whole is given the claims of its own lines, not those of a program inside it."""
    scribe = Watched()
    run(src, scribe)
    wholes = {
        match[1]: re.findall(r"The code of (\w+) is here|two.cbl:(\d+)-", prompt)
        for prompt in scribe.prompts
        if (match := re.match(r'WHOLE is program "(\w+)"', prompt))
    }
    assert {name: [code for code, _ in found if code] for name, found in wholes.items()} == {
        "PAY01": ["PAY01"], "TAX01": ["TAX01"], "PAY02": ["PAY02"],
    }  # fmt: skip
    lines = [int(line) for _, line in wholes["PAY01"] if line]
    assert max(lines) == TWO.splitlines().index("       END PROGRAM PAY01.") + 1


def test_the_page_has_a_section_a_program(src: Path) -> None:
    """It begins with what the program is for; its parts are below, and the index leads there."""
    run(src)
    text = page(src)
    assert "## What it is for" not in text
    for name, about in (("PAY01", "Pays"), ("TAX01", "Takes"), ("PAY02", "Prints")):
        section = part(text, f"Program <code>{name}</code>")
        purpose, _, rest = section.partition("\n### ")
        assert purpose.strip().startswith(f'- "{about} ')
        assert f"**<code>MAIN-{name}</code>**" in rest or f"### MAIN-{name}\n" in rest
    anchor = re.search(r"PAY02</code>\]\(files/two\.cbl\.md#(p\d+)\)", page(src, "README.md"))
    assert anchor
    assert f'<a id="{anchor[1]}"></a>\n\n## Program <code>PAY02</code>\n' in text


def test_the_index_has_a_row_a_program(src: Path) -> None:
    """Each has its own purpose and counts; only a program that nothing leads to is an entry."""
    run(src)
    index = page(src, "README.md")
    rows = dict(re.findall(r'\| \[<code>(\w+)</code>\]\S+ \| "(.*?)" ', part(index, "Programs")))
    assert rows == {
        "PAY01": "Pays the staff.", "TAX01": "Takes the tax off.",
        "PAY02": "Prints the slips.", "USER": "Starts at night.",
    }  # fmt: skip
    starters = re.findall(r"<code>(\w+)</code>\S+ \| \".*?\" \| (.*?) \|", part(index, "Programs"))
    assert dict(starters) == {
        "PAY01": "nothing in this source", "USER": "nothing in this source",
        "PAY02": "job [<code>NIGHT</code>](files/night.jcl.md)",
        "TAX01": "program [<code>PAY01</code>](files/two.cbl.md#p1), "
                 "program [<code>USER</code>](files/user.cbl.md)",
    }  # fmt: skip
    counts = [re.findall(r"\| (\d+) \| (\d+) \| 0 \| 0 \|", line)
              for line in part(index, "Programs").splitlines() if "two.cbl" in line]  # fmt: skip
    assert sum(int(units) for ((units, _),) in counts) == len(
        plan(src, readers(60)).files[1].reading.units
    )


def test_a_caller_is_shown_the_purpose_of_the_program_that_it_calls(src: Path) -> None:
    """By the program's name, or by that of an ENTRY in it; from an earlier run's pages too."""
    scribe = Watched()
    run(src, scribe)
    known = re.findall(r'^- "(.*?)": "(.*)"$', "\n".join(scribe.prompts), re.MULTILINE)
    assert known == [
        ("PAY02 in two.cbl", r"\"Prints the slips.\""),
        ("PAY02 in two.cbl", r"\"Prints the slips.\""),
        ("TAX01 in two.cbl", r"\"Takes the tax off.\""),
    ]
    again = Watched()
    run(src, again, only="user.cbl")
    assert [text for text in scribe.prompts if 'FILE is "user.cbl"' in text] == [
        text for text in again.prompts if 'FILE is "user.cbl"' in text
    ]


def test_the_data_have_each_program(src: Path) -> None:
    """With what it is for, its units, and why that could not be composed."""
    summary = run(src, Watched(broken="TAX01"))
    assert [unit.name for unit, _ in summary.failures] == ["TAX01"]
    data = json.loads(page(src, "files/two.cbl.json"))
    jsonschema.Draft202012Validator(schema()).validate(data)
    assert (data["whole"], data["whole_failure"]) == ([], None)
    found = {one["unit"]["name"]: one for one in data["programs"]}
    assert found["PAY01"]["claims"][0]["text"] == '"Pays the staff."'
    assert found["TAX01"]["failure"].startswith("provider 'Watched' did not answer")
    assert sorted(unit["first"] for one in found.values() for unit in one["parts"]) == sorted(
        one["unit"]["first"] for one in data["units"]
    )
    assert "Not composed: provider 'Watched' did not" in part(
        page(src), "Program <code>TAX01</code>"
    )
    assert '"Takes the tax off."' in part(page(src, "README.md"), "Programs")
    assert "programs" not in json.loads(page(src, "files/user.cbl.json"))


def test_a_limited_run_composes_the_programs_that_it_knows_all_of(src: Path) -> None:
    """A program whose units were not all chosen is not composed."""
    scribe = Watched()
    units = plan(src, readers(60)).choose("two.cbl").chosen
    limit = next(n for n, unit in enumerate(units) if unit.name.startswith("MAIN-PAY02"))
    run(src, scribe, only="two.cbl", limit=limit)
    wholes = [match[1] for p in scribe.prompts if (match := re.match(r'WHOLE is \w+ "(.*?)"', p))]
    assert wholes == ["PAY01", "TAX01"]


def test_a_program_of_one_unit_is_told_by_it(tmp_path: Path) -> None:
    """Nothing is composed of one unit; the index shows its first claim."""
    source = tmp_path / "src"
    source.mkdir()
    (source / "a.cbl").write_text(
        "      * Says yes.\n       ID DIVISION.\n       PROGRAM-ID. YES.\n       END PROGRAM YES.\n"
        "      * Says no.\n       ID DIVISION.\n       PROGRAM-ID. NO.\n"
    )
    scribe = Watched()
    run(source, scribe)
    assert not any(prompt.startswith("WHOLE is program") for prompt in scribe.prompts)
    assert '| "Says no." |' in part(page(source, "README.md"), "Programs")


@pytest.mark.long
def test_many_programs_take_time_in_proportion(tmp_path: Path) -> None:
    """Four times the programs of a file take no more than about four times as long."""

    def seconds(count: int) -> float:
        source = tmp_path / str(count) / "src"
        source.mkdir(parents=True)
        names = [f"P{number}" for number in range(count)]
        text = "".join(program(n, "Pays.", f"CALL '{n}1'.") + end(n) for n in names)
        (source / "a.cbl").write_text(text)
        start = time.process_time()
        run(source)
        return time.process_time() - start

    assert seconds(400) < 10 * seconds(100) + 0.2


def test_what_stands_outside_the_wholes_of_a_reader_goes_with_the_next(tmp_path: Path) -> None:
    """Every unit has a place, also where a plugin's wholes leave some out."""

    class Loose:
        language = "loose"

        def reads(self, source: Source) -> bool:
            return True

        def read(self, source: Source) -> Reading:
            def at(name: str, line: int, kind: str = "line") -> Unit:
                return Unit(source.file, name, kind, line, line)

            units = tuple(at(f"line {n}", n) for n in range(1, len(source.lines) + 1))
            facts = [Fact("program", n, n, source.file, line) for n, line in (("A", 2), ("B", 4))]
            wholes = (at("A", 2, "program"), at("B", 4, "program"))
            return Reading(units, tuple(facts), wholes=wholes)

    source = tmp_path / "src"
    source.mkdir()
    (source / "x").write_text("one\ntwo\nthree\nfour\nfive\n")
    folder = DocsFolder(tmp_path / "docs", source)
    planned = plan(source, [Loose()])
    asyncio.run(document(planned, Agent("scribe", Watched()), folder, provider="x", rounds=1))
    data = json.loads((tmp_path / "docs" / "files" / "x.json").read_text())
    found = {p["unit"]["name"]: [u["first"] for u in p["parts"]] for p in data["programs"]}
    assert found == {"A": [1, 2], "B": [3, 4, 5]}
