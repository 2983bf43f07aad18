"""What is used is documented before whatever uses it, and its users are told of it."""

import asyncio
import json
import re
import shutil
import threading
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from war_rig.agents import Agent
from war_rig.document import DocsFolder, document, plan
from war_rig.document.estate.estate import Relation
from war_rig.document.schedule import Schedule, dependencies
from war_rig.document.turns import in_turn
from war_rig.errors import WarRigError
from war_rig.policies import CachedProvider, CacheStore
from war_rig.providers import CompletionResponse
from war_rig.readers import Unit, readers
from war_rig.testing import FakeProvider

GRAPHS = st.lists(st.lists(st.integers(0, 11), max_size=5), min_size=1, max_size=12)


def waits(uses: dict[str, list[str]]) -> dict[str, frozenset[str]]:
    outgoing = {
        file: [Relation("calls", file, 1, target, (target,)) for target in targets]
        for file, targets in uses.items()
    }
    return dependencies(list(uses), outgoing)


def files_of(graph: list[list[int]]) -> dict[str, list[str]]:
    return {str(n): [str(t % len(graph)) for t in targets] for n, targets in enumerate(graph)}


def test_what_an_answer_leads_to_is_asked_before_the_next_one_is_read() -> None:
    """Of answers that arrive together none waits until all of them are worked on."""
    arrived, log = asyncio.Event(), []

    class Together(FakeProvider):
        async def complete(self, *args: Any, **kwargs: Any) -> CompletionResponse:
            await arrived.wait()
            return await super().complete(*args, **kwargs)

    agent = in_turn(Agent("scribe", Together("answer")))

    async def work(number: int) -> None:
        await agent.run("question")
        log.append(f"worked {number}")
        await asyncio.sleep(0)  # in which a request leaves
        log.append(f"asked {number}")

    async def run() -> None:
        workers = asyncio.gather(*map(work, range(3)))
        await asyncio.sleep(0)
        arrived.set()
        await workers

    asyncio.run(run())
    assert log == [f"{what} {number}" for number in range(3) for what in ("worked", "asked")]


def test_a_file_waits_for_what_it_uses() -> None:
    """A chain is done from its end; in a circle one does not wait."""
    assert waits({"a": ["b"], "b": ["c"], "c": []}) == {"a": {"b"}, "b": {"c"}, "c": frozenset()}
    circle = waits({"a": ["b"], "b": ["a"]})
    assert circle == {"a": {"b"}, "b": frozenset()}
    assert waits({"a": ["a"]}) == {"a": frozenset()}


def test_a_chain_of_many_files_is_no_fault() -> None:
    """The order is found without recursion."""
    chain = {str(n): [str(n + 1)] for n in range(5000)} | {"5000": []}
    assert waits(chain)["0"] == {"1"}


@settings(max_examples=200, deadline=None)
@given(GRAPHS, st.integers(1, 4), st.data())
def test_everything_is_handed_out_once_and_in_order(
    graph: list[list[int]], workers: int, data: st.DataObject
) -> None:
    """Whatever the circles and the workers: each unit once, then its whole, after what it uses."""
    uses = files_of(graph)
    waits_for = waits(uses)
    units = {
        file: [Unit(file, str(n), "u", n, n) for n in range(data.draw(st.integers(0, 3)))]
        for file in uses
    }
    done: list[tuple[str, Unit | None]] = []

    async def work(schedule: Schedule) -> None:
        while (got := await schedule.next()) is not None:
            finished = {file for file, unit in done if unit is None}
            assert {f for f in waits_for[got[0]] if units[f]} <= finished
            await asyncio.sleep(0)
            done.append(got)
            schedule.is_done(*got)

    async def run() -> None:
        schedule = Schedule(units, waits_for)
        await asyncio.wait_for(asyncio.gather(*(work(schedule) for _ in range(workers))), 10)

    asyncio.run(run())
    wanted = [(f, unit) for f, found in units.items() for unit in [*found, None] if found]
    assert sorted(done, key=repr) == sorted(wanted, key=repr)


def test_without_files_there_is_nothing_to_do() -> None:
    """A source without files ends at once."""
    assert asyncio.run(Schedule({}, {}).next()) is None


def test_what_most_calls_wait_for_comes_first() -> None:
    """Of what is ready, a long chain of users goes before a file that nobody uses."""
    uses: dict[str, list[str]] = {"alone": [], "user": ["used"], "used": [], "top": ["user"]}
    numbers = {"alone": 3, "used": 1, "user": 2, "top": 1}
    units = {f: [Unit(f, str(n), "u", n, n) for n in range(numbers[f])] for f in uses}

    async def order() -> list[str]:
        schedule = Schedule(units, waits(uses))
        found = []
        while (got := await schedule.next()) is not None:
            found.append(got[0])
            schedule.is_done(*got)
        return list(dict.fromkeys(found))

    assert asyncio.run(order()) == ["used", "user", "alone", "top"]


class SlowFolder(DocsFolder):
    """Writes no page until *may_write*, and the page called *broken* never."""

    may_write = threading.Event()
    broken = ""

    def write(self, name: str, text: str) -> None:
        assert self.may_write.wait(20)
        if name == self.broken:
            raise WarRigError("no room")
        super().write(name, text)


def asked_while_pages_wait(tmp_path: Path, after: int, broken: str = "") -> list[str]:
    """Return which files were asked about; pages are written once *after* calls were made."""
    asked: list[str] = []
    folder = SlowFolder(tmp_path / "docs", tmp_path / "src")
    folder.may_write, folder.broken = threading.Event(), broken

    class Watched(FakeProvider):
        async def complete(self, messages: Any, **kwargs: Any) -> Any:  # type: ignore[override]
            file = re.search(r'FILE is "([^"]+)"', messages[-1].content)
            asked.append(file[1] if file else "")
            if len(asked) == after:
                folder.may_write.set()
                await asyncio.sleep(0.2)  # for the page to be tried before the next call
            return await super().complete(messages, **kwargs)

    planned = plan(estate(tmp_path), readers(60))
    agent = Agent("scribe", Watched(scribe))
    try:
        asyncio.run(document(planned, agent, folder, provider="fake", rounds=1))
    except WarRigError as error:
        asked.append(str(error))
    return asked


def test_no_call_waits_for_a_page_to_be_written(tmp_path: Path) -> None:
    """All files are asked about, one after the other, before the first page is on the disk."""
    asked = asked_while_pages_wait(tmp_path, after=8)
    assert len(asked) == 8
    assert {*asked} == {"A.cbl", "REC.cpy", "Z.cbl", ""}
    assert len(list((tmp_path / "docs" / "files").glob("*.md"))) == 3


def test_a_page_that_can_not_be_written_ends_the_run(tmp_path: Path) -> None:
    """No further call is paid for; nor is the fault of the last page lost."""
    early = asked_while_pages_wait(tmp_path, after=5, broken="files/REC.cpy.md")
    assert early[-1] == "no room"
    assert len(early) < 8
    shutil.rmtree(tmp_path / "src")
    shutil.rmtree(tmp_path / "docs")
    late = asked_while_pages_wait(tmp_path, after=8, broken="files/A.cbl.md")
    assert late[8:] == ["no room"]


CALLER = """\
       PROGRAM-ID. PAY01.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       COPY REC REPLACING ==:TAG:== BY ==WS==.
       77  RATE PIC 99.
       PROCEDURE DIVISION.
           CALL 'PAY02'.
           MOVE 40 TO WS-HOURS RATE.
"""
CALLED = """\
      * Pays the staff.
       PROGRAM-ID. PAY02.
       PROCEDURE DIVISION.
           GOBACK.
"""
COPYBOOK = """\
      * Hours.
       01  :TAG:-HOURS PIC 9(3).
"""


def estate(tmp_path: Path) -> Path:
    src = tmp_path / "src"
    src.mkdir()
    for name, text in (("A.cbl", CALLER), ("Z.cbl", CALLED), ("REC.cpy", COPYBOOK)):
        (src / name).write_text(text)
    return src


def scribe(messages: list[Any]) -> str:
    """Answer with the first line of what is shown."""
    prompt = messages[-1].content
    file = re.search(r'FILE is "([^"]+)"', prompt)
    if file is None:
        block = re.search(r"^(\{.*\})$", prompt, re.MULTILINE)
        assert block
        return json.dumps({"claims": json.loads(block[1])["claims"][:1]})
    number, line = re.search(r"^ *(\d+) \| *(.*)", prompt, re.MULTILINE).groups()  # type: ignore[union-attr]
    claim = {"about": "purpose", "text": f'"{line}"', "cites": [f"{file[1]}:{number}"]}
    return json.dumps({"claims": [claim]})


def run(src: Path, docs: Path, provider: Any) -> None:
    planned = plan(src, readers(60))
    folder = DocsFolder(docs, planned.root)
    work = document(planned, Agent("scribe", provider), folder, provider="fake", rounds=1)
    asyncio.run(work)


def prompts(fake: FakeProvider, file: str) -> list[str]:
    return [call.text for call in fake.calls if f'FILE is "{file}"' in call.text]


def test_a_part_is_shown_with_what_it_uses(tmp_path: Path) -> None:
    """The Scribe sees what is known of a called program, and where the names are declared."""
    fake = FakeProvider(scribe)
    run(estate(tmp_path), tmp_path / "docs", fake)
    asked = [re.findall(r'FILE is "([^"]+)"', call.text) for call in fake.calls]
    order = [found[0] for found in asked if found]
    assert order.index("Z.cbl") < order.index("A.cbl") > order.index("REC.cpy")
    code = prompts(fake, "A.cbl")[-1]
    assert '- "Z.cbl": "\\"* Pays the staff.\\""' in code
    assert '     2 of "REC.cpy" |        01  WS-HOURS PIC 9(3).' in code
    assert '     5 of "A.cbl" |        77  RATE PIC 99.' in code
    assert "Pays the staff" not in prompts(fake, "A.cbl")[0]


def test_lines_that_were_shown_may_be_cited(tmp_path: Path) -> None:
    """A claim may cite a copybook's declaration, by the name that the program has for it."""
    claim = {"about": "rule", "text": "`WS-HOURS` has 9(3) digits.", "cites": ["REC.cpy:2"]}

    def reply(messages: list[Any]) -> str:
        is_code = "MOVE 40" in messages[-1].content and "FILE is" in messages[-1].content
        return json.dumps({"claims": [claim]}) if is_code else scribe(messages)

    run(estate(tmp_path), tmp_path / "docs", FakeProvider(reply))
    page = (tmp_path / "docs" / "files" / "A.cbl.md").read_text()
    assert (
        "**Rule.** <code>WS-HOURS</code> has 9&#40;3&#41; digits. "
        "[<code>REC.cpy</code> (2)](../source/REC.cpy.md#L2)"
    ) in page


def test_an_edit_asks_about_its_part_and_its_dependants_only(tmp_path: Path) -> None:
    """What is not touched, and does not use what was, is not asked about again."""
    src, docs = estate(tmp_path), tmp_path / "docs"
    docs.mkdir()
    DocsFolder(docs, src).begin()
    store = CacheStore(docs / "cache")

    def asked(edit: tuple[str, str] | None = None) -> list[str]:
        if edit is not None:
            file, text = edit
            (src / file).write_text(text)
        fake = FakeProvider(scribe)
        run(src, docs, CachedProvider(fake, store, "fake"))
        found = (re.search(r'FILE is "([^"]+)"|WHOLE is (\w+ "[^"]+")', c.text) for c in fake.calls)
        return sorted(match[1] or match[2] for match in found if match)

    everything = [
        "A.cbl",
        "A.cbl",
        "REC.cpy",
        "Z.cbl",
        "Z.cbl",
        'estate "the source"',
        'program "A.cbl"',
        'program "Z.cbl"',
    ]
    assert asked() == everything
    assert asked() == []
    edited = CALLED.replace("GOBACK", "STOP RUN")
    assert asked(("Z.cbl", edited)) == ["Z.cbl"]
    renamed = edited.replace("Pays the staff", "Pays them")
    assert asked(("Z.cbl", renamed)) == ["A.cbl", "Z.cbl", 'estate "the source"', 'program "Z.cbl"']
    longer = COPYBOOK.replace("9(3)", "9(5)")
    assert asked(("REC.cpy", longer)) == ["A.cbl", "REC.cpy"]
    store.close()
