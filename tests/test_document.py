"""`war-rig document`: every claim that is published cites lines that were checked."""

import asyncio
import hashlib
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from pages import OWN_TAGS, Rendered, broken_links, claims, invalid_citations

from war_rig.agents import Agent
from war_rig.document import DocsFolder, Progress, Summary, document, plan
from war_rig.errors import (
    AuthenticationError,
    ConfigError,
    MalformedAnswerError,
    WarRigError,
)
from war_rig.policies import CachedProvider, CacheStore
from war_rig.providers.offline import OfflineProvider
from war_rig.readers import Reading, Source, Unit, readers
from war_rig.testing import FakeProvider

PROGRAM = """\
# Adds the daily interest to an account.
def add_interest(account):
    rate = 0.031
    return account.balance * rate

# Refuses an account that is closed.
def check(account):
    if account.state == "CLOSED":
        raise ValueError("account is closed")
"""


def said(*found: tuple[str, str], about: str = "purpose") -> str:
    """Return the Scribe's answer with these (text, cited lines)."""
    written = [{"about": about, "text": text, "cites": [f"interest.py:{c}"]} for text, c in found]
    return json.dumps({"claims": written})


def run(
    src: Path,
    docs: Path,
    provider: Any = None,
    rounds: int = 2,
    unit_lines: int = 60,
    **options: Any,
) -> Summary:
    planned = plan(src, readers(unit_lines))
    scribe = Agent("scribe", provider or OfflineProvider())
    folder = DocsFolder(docs, planned.root)
    return asyncio.run(document(planned, scribe, folder, provider="fake", rounds=rounds, **options))


Cached = Callable[[Path, Any], CachedProvider]


@pytest.fixture
def cached() -> Iterator[Cached]:
    """Return a function that puts a provider behind the cache of a folder."""
    stores = []

    def behind(docs: Path, provider: Any) -> CachedProvider:
        docs.mkdir(exist_ok=True)
        DocsFolder(docs, docs.parent / "src").begin()
        stores.append(CacheStore(docs / "cache"))
        return CachedProvider(provider, stores[-1], "fake")

    yield behind
    for store in stores:
        store.close()


def by_unit(messages: list[Any]) -> str:
    """Answer what is true of the unit that the prompt shows: its first words."""
    if messages[-1].content.startswith("WHOLE is"):
        return given(messages)
    line = re.search(r"^ *(\d+) \| (.*)", messages[-1].content, re.MULTILINE)
    file = re.search(r'FILE is "([^"]+)"', messages[-1].content)
    assert line and file
    claim = {
        "about": "purpose",
        "text": f'It begins "{line[2]}".',
        "cites": [f"{file[1]}:{line[1]}"],
    }
    return json.dumps({"claims": [claim]})


def given(messages: list[Any]) -> str:
    """Answer the first of the claims of which something is to be composed."""
    block = re.search(r"^(\{.*\})$", messages[-1].content, re.MULTILINE)
    assert block
    return json.dumps({"claims": json.loads(block[1])["claims"][:1]})


def of_parts(*replies: Any) -> Callable[[list[Any]], str]:
    """Return what answers the parts with *replies* in turn, and composes by repeating."""
    waiting = list(replies)

    def reply(messages: list[Any]) -> str:
        if messages[-1].content.startswith("WHOLE is"):
            return given(messages)
        answer = waiting.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return str(answer)

    return reply


@pytest.fixture
def src(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "interest.py").write_text(PROGRAM)
    return tmp_path / "src"


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    return tmp_path / "docs"


def page(docs: Path, file: str = "interest.py") -> str:
    return (docs / "files" / f"{file}.md").read_text(encoding="utf-8")


@pytest.mark.long
def test_the_repository_documents_itself_offline(docs: Path, tmp_path: Path) -> None:
    """On its own source no file is skipped in silence, no link broken, no citation invalid."""
    source = tmp_path / "repository"
    source.mkdir()
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, check=True, text=True
    )
    names = filter(None, listed.stdout.split("\0"))
    files = [name for name in names if not name.startswith("tests/")]  # more of the same
    for name in files:
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes() if (ROOT / name).exists() else b"")
    summary = run(source, docs)
    known = {file.source.file for file in summary.plan.files}
    left_out = {path for path, _ in summary.plan.left_out}
    silent = [f for f in files if f not in known and f.split("/")[0] not in left_out | {f}]
    assert [f for f in silent if f not in left_out] == []
    assert summary.failures == []
    assert summary.unverified == 0
    assert broken_links(docs) == []
    assert invalid_citations(docs) == []
    assert all(any(j for j in file.reading.units) or not any(file.source.lines)
               for file in summary.plan.files)  # fmt: skip
    assert len(claims(docs)) == summary.verified >= summary.plan.units


def test_a_second_run_gives_the_same_pages(src: Path, docs: Path) -> None:
    """The same source and answers give the same bytes."""
    run(src, docs)
    first = {path: path.read_bytes() for path in docs.rglob("*") if path.is_file()}
    run(src, docs)
    assert {path: path.read_bytes() for path in docs.rglob("*") if path.is_file()} == first


def test_a_supported_claim_is_published_with_its_citation(src: Path, docs: Path) -> None:
    """A claim whose identifiers and numbers stand in the cited lines is published."""
    text = "`add_interest` multiplies the balance by a rate of 0.031."
    summary = run(src, docs, FakeProvider(said((text, "2-4"), about="rule")))
    assert (summary.verified, summary.unverified) == (1, 0)
    line = (
        "- <code>add_interest</code> multiplies the balance by a rate of 0.031. "
        "[(2-4)](../source/interest.py.md#L2)"
    )
    assert f"- **Rule.** {line[2:]}\n" in page(docs)


UNSUPPORTED = {
    "an invented name": ("`drop_account` is called.", "1-4", "'drop_account' is not in the file: "
                         "it is invented"),
    "a name outside the cited lines": ("`add_interest` refuses.", "7-9", "'add_interest' is in the "
                                       "file but not in the cited lines: widen the citation"),
    "a wrong number": ("The rate is 0.05.", "2-4", "the number 0.05 does not stand in the cited "
                       "lines"),
    "a wrong literal": ('It raises "account is open".', "7-9", "'account is open' does not stand "
                        "in the cited lines"),
    "lines beyond the part": ("It ends.", "8-99", "interest.py:8-99: the lines that may be "
                              "cited here are 1-9"),
    "lines the wrong way round": ("It ends.", "4-2", "interest.py:4-2: the lines that may be "
                                  "cited here are 1-9"),
    "no citation that parses": ("It ends.", "end", "'interest.py:end' is not FILE:FIRST-LAST"),
    "a line that is not cited": ("See line 9.", "1-4", "line 9 is not among the cited lines"),
    "nothing": (" ", "1-4", "it says nothing"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_an_unsupported_claim_is_never_published_as_a_fact(
    name: str, src: Path, docs: Path
) -> None:
    """What the checks do not support stands under "Unverified", with the reason."""
    text, lines, issue = UNSUPPORTED[name]
    fake = FakeProvider(said((text, lines)))
    summary = run(src, docs, fake)
    assert (summary.verified, summary.unverified) == (0, 1)
    before, _, unverified = page(docs).partition("## Unverified")
    assert "No claim about this unit passed the checks." in before
    assert issue.replace("_", "") in unverified.replace("_", "")
    assert issue in fake.calls[1].text
    assert "| 1 | 0 | 1 |" in (docs / "README.md").read_text()


def test_a_claim_must_cite(src: Path, docs: Path) -> None:
    """A claim without citations is unverified."""
    uncited = json.dumps({"claims": [{"about": "rule", "text": "It adds.", "cites": []}]})
    run(src, docs, FakeProvider(uncited))
    assert "It adds. (it cites no lines)" in page(docs).replace("&#40;", "(").replace("&#41;", ")")


def test_a_claim_may_not_cite_another_file(src: Path, docs: Path) -> None:
    """A citation of a file other than the part's own is refused."""
    other = json.dumps({"claims": [{"about": "rule", "text": "It adds.", "cites": ["b.py:1-2"]}]})
    run(src, docs, FakeProvider(other))
    assert "b.py:1-2: what may be cited here is of interest.py" in page(docs)


def test_the_scribe_is_asked_again_with_the_reasons(src: Path, docs: Path) -> None:
    """A claim that failed goes back once; the mended one is published."""
    wrong, right = said(("The rate is 0.05.", "2-4")), said(("The rate is 0.031.", "2-4"))
    fake = FakeProvider(replies=[wrong, right])
    summary = run(src, docs, fake)
    assert (summary.verified, summary.unverified) == (1, 0)
    assert '- "The rate is 0.05.": "the number 0.05 does not stand' in fake.calls[1].text


def test_a_line_that_is_cited_may_be_named(src: Path, docs: Path) -> None:
    """A sentence may name lines, where they are among the cited ones."""
    run(src, docs, FakeProvider(said(("Lines 2 to 4 are the whole of it.", "1-4"))))
    assert "Lines 2 to 4 are the whole of it." in page(docs).partition("## Unverified")[0]


def test_an_error_at_the_first_part_keeps_an_earlier_page(src: Path, docs: Path) -> None:
    """A file of which nothing was documented keeps the page of the run before."""
    run(src, docs)
    before = page(docs)
    with pytest.raises(AuthenticationError):
        run(src, docs, FakeProvider(AuthenticationError("no")))
    assert page(docs) == before


class Halves:
    """A reader whose unit is the file, and whose parts are its halves."""

    language = "halves"

    def reads(self, source: Source) -> bool:
        return True

    def read(self, source: Source) -> Reading:
        file, last = source.file, len(source.lines)
        parts = (Unit(file, "upper", "half", 1, 4), Unit(file, "lower", "half", 5, last))
        return Reading((Unit(file, "all", "file", 1, last),), (), parts)


def test_every_part_of_a_unit_needs_a_claim(src: Path, docs: Path) -> None:
    """A part that no claim cites is asked for again, and named where none passes."""
    planned = plan(src, [Halves()])
    fake = FakeProvider(said(("It adds.", "1-4")))
    folder = DocsFolder(docs, planned.root)
    work = document(planned, Agent("scribe", fake), folder, provider="fake", rounds=2)
    assert asyncio.run(work).uncovered == 1
    assert '"lower": lines 5-9' in fake.calls[1].text
    assert "No claim about these passed the checks: <code>lower</code> (5-9)." in page(docs)


def test_rounds_are_bounded(src: Path, docs: Path) -> None:
    """The Scribe is asked at most as often as document.rounds says."""
    fake = FakeProvider(said(("The rate is 0.05.", "2-4")))
    run(src, docs, fake, rounds=3)
    assert len(fake.calls) == 3


def test_the_prompt_carries_the_files_own_line_numbers(src: Path, docs: Path) -> None:
    """The Scribe sees each line with its number in the file, and the facts that code found."""
    fake = FakeProvider(of_parts(said(("It adds.", "1-4")), said(("It checks.", "6-9"))))
    run(src, docs, fake, unit_lines=5)
    assert "     2 | def add_interest(account):" in fake.calls[0].text
    assert "     6 | # Refuses an account that is closed." in fake.calls[1].text
    assert '"comments": [{"line": 6, "text": "Refuses an account that is closed."}]' in (
        fake.calls[1].text
    )


def test_one_malformed_answer_fails_one_part(src: Path, docs: Path) -> None:
    """A part whose answer is unusable is named as not documented; the others are documented."""
    good = said(("It checks.", "6-9"))
    fake = FakeProvider(of_parts("no JSON", "none again", good))
    summary = run(src, docs, fake, unit_lines=5)
    assert [(unit.name, text.split(" with ")[0]) for unit, text in summary.failures] == [
        ("lines 1-4", "provider 'FakeProvider' did not answer agent 'scribe'")
    ]
    assert "Not documented: provider" in page(docs)
    assert "It checks." in page(docs)


def test_an_error_that_ends_the_run_keeps_what_was_done(src: Path, docs: Path) -> None:
    """After a wrong key nothing more is asked; the pages of finished parts are there."""
    (src / "later.py").write_text("x = 1\n")
    error = AuthenticationError("no", provider="fake")
    fake = FakeProvider(of_parts(said(("It adds.", "1-4")), error))
    with pytest.raises(AuthenticationError):
        run(src, docs, fake, unit_lines=5)
    assert "It adds." in page(docs)
    index = (docs / "README.md").read_text()
    assert "This run did not come to its end" in index
    assert "[<code>later.py</code>](files/later.py.md) | - | 1 | 0 | 0 | 1 |" in index
    ended = "This run ended before the rest of this file was documented."
    assert ended in page(docs) and ended in page(docs, "later.py")
    assert broken_links(docs) == []


def test_an_interrupted_run_keeps_the_pages_of_the_one_before(src: Path, docs: Path) -> None:
    """Pages of an unchanged source stay, and the index says where they come from."""
    (src / "later.py").write_text("x = 1\n")
    (src / "edited.py").write_text("y = 1\n")
    run(src, docs, unit_lines=5)
    before = page(docs)
    (src / "edited.py").write_text("y = 2\n")
    fake = FakeProvider(AuthenticationError("no"))
    with pytest.raises(AuthenticationError):
        run(src, docs, fake, unit_lines=5)
    assert page(docs) == before
    assert "This run ended before the rest" in page(docs, "edited.py")
    assert "y = 2" in (docs / "source" / "edited.py.md").read_text()
    index = (docs / "README.md").read_text()
    assert "[<code>later.py</code>](files/later.py.md) | This page is of an earlier run. |" in index
    assert broken_links(docs) == []


def test_a_folder_that_can_not_be_made_is_said_before_anything_is_paid_for(src: Path) -> None:
    """A DOCS that can't be written ends the run before the first call."""
    fake = FakeProvider()
    with pytest.raises(ConfigError, match="/proc/docs can't be written: "):
        run(src, Path("/proc/docs"), fake)
    assert fake.calls == []


def test_a_page_that_can_not_be_written_is_no_traceback(
    src: Path, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk ends the run with the file and the system's reason."""

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    folder = DocsFolder(docs, src)
    folder.begin()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WarRigError, match=r"x.md can't be written: No space left on device"):
        folder.write("files/x.md", "text")


class Picky:
    """A reader of somebody else's that fails on what it claims."""

    language = "picky"

    def reads(self, source: Any) -> bool:
        return bool(source.file.endswith(".py"))

    def read(self, source: Any) -> Any:
        raise KeyError("unexpected")


def test_a_reader_that_fails_leaves_the_file_to_plain_text(src: Path, docs: Path) -> None:
    """A broken reader loses no file: it is read as plain text, and that is said."""
    planned = plan(src, [Picky(), *readers(60)])
    assert planned.misread == (("interest.py", "Picky failed with KeyError"),)
    assert planned.files[0].language == "text"
    scribe = Agent("scribe", OfflineProvider())
    folder = DocsFolder(docs, planned.root)
    asyncio.run(document(planned, scribe, folder, provider="offline", rounds=1))
    index = (docs / "README.md").read_text()
    assert "- <code>interest.py</code>: Picky failed with KeyError\n" in index


def test_progress_is_told_after_every_part(src: Path, docs: Path) -> None:
    """Whoever asks is told how far the run is."""
    seen: list[Progress] = []
    run(src, docs, FakeProvider(said(("It adds.", "1-4"))), unit_lines=5, on_progress=seen.append)
    assert [(p.done, p.tasks, p.failed, p.file) for p in seen] == [
        (number, 3, 0, "interest.py") for number in (1, 2, 3)
    ]
    assert seen[1].tokens > seen[0].tokens > 0


def test_an_unchanged_tree_is_asked_about_once(src: Path, docs: Path, cached: Cached) -> None:
    """A second run makes no call and gives the same pages; an edit asks about its part only."""
    first = cached(docs, FakeProvider(by_unit))
    summary = run(src, docs, first, unit_lines=5)
    pages = {path: path.read_bytes() for path in docs.rglob("*.md")}
    again = cached(docs, FakeProvider(by_unit))
    assert run(src, docs, again, unit_lines=5).verified == summary.verified
    assert (again.calls, again.hits) == (0, 3)
    assert {path: path.read_bytes() for path in docs.rglob("*.md")} == pages
    edited = PROGRAM.replace("state", "status")
    (src / "interest.py").write_text(edited)
    third = cached(docs, FakeProvider(by_unit))
    run(src, docs, third, unit_lines=5)
    assert (third.calls, third.hits) == (1, 2)


def test_a_part_that_failed_is_asked_about_again(src: Path, docs: Path, cached: Cached) -> None:
    """Answers that could not be used are not kept for the next run."""
    bad = cached(docs, FakeProvider("no JSON"))
    assert len(run(src, docs, bad).failures) == 1
    good = cached(docs, FakeProvider(by_unit))
    assert run(src, docs, good).failures == []
    assert good.calls == 1


def test_parts_are_asked_about_side_by_side_within_the_bound(src: Path, docs: Path) -> None:
    """At most in_flight calls are under way, and the pages do not depend on who ends first."""
    for number in range(5):
        (src / f"more{number}.py").write_text(PROGRAM)
    run(src, docs, FakeProvider(by_unit), unit_lines=5)
    alone = {path.relative_to(docs): path.read_bytes() for path in docs.rglob("*.md")}

    class Slow(FakeProvider):
        now = most = 0

        async def complete(self, messages: Any, **kwargs: Any) -> Any:  # type: ignore[override]
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0.001 * (len(self.calls) * 7 % 5))
            self.now -= 1
            return await super().complete(messages, **kwargs)

    slow, other = Slow(by_unit), docs.with_name("other")
    run(src, other, slow, unit_lines=5, in_flight=4)
    assert slow.most == 4
    assert {path.relative_to(other): path.read_bytes() for path in other.rglob("*.md")} == alone


def test_one_failure_ends_all_that_is_under_way(src: Path, docs: Path) -> None:
    """A wrong key met by one call cancels the others; what was done is kept."""
    for number in range(5):
        (src / f"more{number}.py").write_text(PROGRAM)
    cancelled: list[int] = []

    class Failing(FakeProvider):
        async def complete(self, messages: Any, **kwargs: Any) -> Any:  # type: ignore[override]
            answer = await super().complete(messages, **kwargs)
            if len(self.calls) == 4:
                raise AuthenticationError("no")
            if len(self.calls) > 1:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    cancelled.append(1)
                    raise
            return answer

    with pytest.raises(AuthenticationError):
        run(src, docs, Failing(by_unit), in_flight=3)
    assert len(cancelled) == 2
    assert "This run did not come to its end" in (docs / "README.md").read_text()


def choose(src: Path, **options: Any) -> list[str]:
    chosen = plan(src, readers(5)).choose(**options).chosen
    return [f"{unit.file}:{unit.first}" for unit in chosen]


def test_only_and_limit_choose_parts(src: Path) -> None:
    """--only takes files whose path matches, --limit the first parts."""
    (src / "sub").mkdir()
    (src / "sub" / "later.py").write_text("x = 1\n")
    assert choose(src) == ["interest.py:1", "interest.py:6", "sub/later.py:1"]
    assert choose(src, only="sub/*") == ["sub/later.py:1"]
    assert choose(src, only="*.py", limit=2) == ["interest.py:1", "interest.py:6"]
    with pytest.raises(ConfigError) as caught:
        choose(src, only="*.cbl")
    assert str(caught.value) == (
        "no file matches --only *.cbl\n"
        "  it is compared with the whole path below SRC, for example interest.py"
    )


def test_an_empty_tree_is_documented(tmp_path: Path, docs: Path) -> None:
    """A source without files gives an index that says so."""
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty", docs).plan.is_whole
    assert "0 files in 0 units" in (docs / "README.md").read_text()
    with pytest.raises(ConfigError, match=r"for example src/\*.cbl"):
        choose(tmp_path / "empty", only="x")


def test_a_partial_run_says_so_and_removes_nothing(src: Path, docs: Path) -> None:
    """With --limit the index tells how much was chosen; other pages stay."""
    (src / "later.py").write_text("x = 1\n")
    run(src, docs)
    planned = plan(src, readers(60)).choose(limit=1)
    scribe = Agent("scribe", OfflineProvider())
    asyncio.run(document(planned, scribe, DocsFolder(docs, src), provider="x", rounds=1))
    assert "> Only 1 of 2 units were chosen for this run" in (docs / "README.md").read_text()
    assert (docs / "files" / "later.py.md").exists()


def test_a_relation_needs_its_fact(src: Path) -> None:
    """Calls, reads and writes are believed only where a reader found them."""
    from war_rig.document.checks.check import check
    from war_rig.document.checks.ground import Ground
    from war_rig.document.checks.known import related_names
    from war_rig.document.claims import Claim
    from war_rig.document.plan import PlannedFile
    from war_rig.readers import Fact

    source = Source("a.cbl", ("CALL 'PAY01'.", "READ CUSTOMER-FILE."), "utf-8")
    unit = Unit("a.cbl", "all", "lines", 1, 2)
    facts = [
        Fact("call", "A", "PAY01", "a.cbl", 1),
        Fact("read", "A", "CUSTOMER-FILE", "a.cbl", 2),
    ]
    file = PlannedFile(source, "COBOL", Reading((unit,), tuple(facts)), related_names(facts))

    def issues(text: str) -> tuple[str, ...]:
        return check(Claim(text, ("a.cbl:1-2",)), Ground.of_unit(unit, file)).issues

    assert issues("It calls `PAY01` and reads CUSTOMER-FILE.") == ()
    assert issues("It writes CUSTOMER-FILE.") == ("no line of this part writes CUSTOMER-FILE",)
    assert issues("It reads PAY01.") == ("no line of this part reads PAY01",)
    assert issues("It never calls PAY01.") == ("a line of this part calls PAY01",)
    assert issues("It never writes CUSTOMER-FILE.") == ()


REFUSED = {
    "inside the source": ("src/docs", "lies inside the source"),
    "the source itself": ("src", "lies inside the source"),
    "somebody else's folder": ("theirs", "holds files that War Rig did not write"),
    "a file": ("src/../file", "is no folder"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_folder_that_is_not_ours_is_refused(name: str, src: Path, tmp_path: Path) -> None:
    """Pages go only where War Rig made the folder, never into the source."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.md").write_text("mine")
    (tmp_path / "file").touch()
    out, reason = REFUSED[name]
    with pytest.raises(ConfigError, match=reason):
        run(src, tmp_path / out)
    assert (tmp_path / "theirs" / "thesis.md").read_text() == "mine"


def test_an_empty_folder_is_taken(src: Path, docs: Path) -> None:
    """An empty folder that exists is as good as none."""
    docs.mkdir()
    run(src, docs)
    assert (docs / "README.md").exists()


def test_pages_of_files_that_are_gone_are_removed(src: Path, docs: Path) -> None:
    """A later run removes the pages that it no longer writes, and nothing else."""
    (src / "old.py").write_text("x = 1\n")
    run(src, docs)
    (docs / "notes.txt").write_text("mine")
    (src / "old.py").unlink()
    run(src, docs)
    assert not (docs / "files" / "old.py.md").exists()
    assert (docs / "notes.txt").read_text() == "mine"


def test_half_a_page_of_a_file_that_is_gone_is_removed(
    src: Path, docs: Path, tmp_path: Path
) -> None:
    """What a killed run left goes with its page; of that name, but no file of ours, stays."""
    for name in ("old.py", "link.py", "folder.py"):
        (src / name).write_text("x = 1\n")
    run(src, docs)
    (tmp_path / "precious").write_text("mine")
    parts = {name: docs / "files" / f".{name}.py.md.part" for name in ("old", "link", "folder")}
    parts["old"].write_text("half")
    parts["link"].symlink_to(tmp_path / "precious")
    parts["folder"].mkdir()
    mine = docs / "files" / ".mine.md.part"
    mine.write_text("mine")
    for name in parts:
        (src / f"{name}.py").unlink()
    run(src, docs)
    assert [name for name, part in parts.items() if os.path.lexists(part)] == ["link", "folder"]
    assert mine.read_text() == (tmp_path / "precious").read_text() == "mine"


def test_a_tampered_manifest_removes_nothing_outside(src: Path, docs: Path, tmp_path: Path) -> None:
    """A list of pages that names other files is not believed."""
    (tmp_path / "mine.md").write_text("mine")
    run(src, docs)
    names = ["../mine.md", str(tmp_path / "mine.md"), 3, "files/interest.py.md"]
    (docs / ".war-rig.json").write_text(json.dumps({"pages": names}))
    with pytest.raises(ConfigError, match=r"README.md is there, and War Rig did not write it"):
        run(src, docs)
    names += ["README.md", "estate.json", "source/interest.py.md", "files/interest.py.json"]
    (docs / ".war-rig.json").write_text(json.dumps({"pages": names}))
    run(src, docs)
    assert (tmp_path / "mine.md").read_text() == "mine"


def test_a_link_inside_the_pages_is_not_written_through(
    src: Path, docs: Path, tmp_path: Path
) -> None:
    """A folder of pages that was replaced by a link is refused."""
    run(src, docs)
    elsewhere = tmp_path / "elsewhere"
    (docs / "source").rename(elsewhere)
    (docs / "source").symlink_to(elsewhere)
    with pytest.raises(ConfigError, match="leads out of"):
        run(src, docs)


def test_a_source_that_is_not_there_is_named(docs: Path, tmp_path: Path) -> None:
    """A wrong path is an error before anything is asked."""
    with pytest.raises(ConfigError, match="there is no source at"):
        run(tmp_path / "nowhere", docs)


def test_one_file_can_be_documented(src: Path, docs: Path) -> None:
    """SRC may be a single file; its neighbours are not touched."""
    (src / "other.py").write_text("x = 1\n")
    summary = run(src / "interest.py", docs)
    assert [file.source.file for file in summary.plan.files] == ["interest.py"]


HOSTILE = """\
<script>alert(1)</script> </pre><img src=x onerror=alert(1)>
# [click](javascript:alert(1)) ![x](http://evil.example/x.png) @everyone #1 www.evil.example
| a | b | `code` **bold** _em_ ~~s~~ $x$ <!-- c -->
```mermaid
graph TD; click A "javascript:alert(1)"
```
"""


def test_hostile_text_is_inert(docs: Path, tmp_path: Path) -> None:
    """Rendered, text from source, names and claims makes no element and no link of its own."""
    source = tmp_path / "estate"
    source.mkdir()
    (source / "a](javascript:x)<b>`|.txt").write_text(HOSTILE)
    (source / "b.txt").write_text("# " + HOSTILE.replace("\n", "\n# "))
    claims = [{"about": "rule", "text": HOSTILE, "cites": ["x"]}]
    claims += [{**claims[0], "text": text} for text in HOSTILE.splitlines() if text]
    run(source, docs, FakeProvider(json.dumps({"claims": claims})))
    assert run(source, tmp_path / "docs2").verified > 0
    for path in [*docs.rglob("*.md"), *(tmp_path / "docs2").rglob("*.md")]:
        page = Rendered(path)
        assert page.tags <= OWN_TAGS
        assert not any(":" in link or link.startswith("//") for link in page.links)
        assert not re.search(r"(?<!\w)(www\.|\w+://)", page.text_before_rendering)
    assert broken_links(docs) == []


def test_everything_that_is_left_out_is_counted(docs: Path, tmp_path: Path) -> None:
    """Links, hidden, ignored, binary and special files are named with their reason."""
    source = tmp_path / "estate"
    (source / "ignored").mkdir(parents=True)
    (source / "sub").mkdir()
    (source / ".hidden").write_text("x")
    (source / "ignored" / "deep.txt").write_text("x")
    (source / ".gitignore").write_text("ignored/\n*.log\n")
    (source / "sub" / "a.log").write_text("x")
    (source / "sub" / "kept.txt").write_text("x")
    (source / "binary.bin").write_bytes(b"MZ\0\1\2")
    (source / "latin.txt").write_bytes("Grüße an alle".encode("latin-1"))
    (source / "wide.txt").write_bytes("Grüße".encode("utf-16"))
    (source / "empty.txt").touch()
    (source / "link.txt").symlink_to("latin.txt")
    (source / "out").symlink_to("/")
    os.mkfifo(source / "pipe")
    subprocess.run(["git", "init", "-q", source], check=True)
    summary = run(source, docs)
    assert [(f.source.file, f.source.encoding) for f in summary.plan.files] == [
        ("empty.txt", "utf-8"),
        ("latin.txt", "latin-1"),
        ("sub/kept.txt", "utf-8"),
        ("wide.txt", "utf-16"),
    ]
    assert dict(summary.plan.left_out) == {
        ".git": "hidden",
        ".gitignore": "hidden",
        ".hidden": "hidden",
        "binary.bin": "binary, not read",
        "ignored": "ignored by git",
        "link.txt": "symbolic link, not followed",
        "out": "symbolic link, not followed",
        "pipe": "not a regular file",
        "sub/a.log": "ignored by git",
    }
    index = (docs / "README.md").read_text()
    assert "- hidden: 3\n" in index
    assert "This file holds no text." in page(docs, "empty.txt")


def test_a_repository_runs_no_program_of_its_own(docs: Path, src: Path, tmp_path: Path) -> None:
    """A repository's configuration can't make `document` run something."""
    subprocess.run(["git", "init", "-q", src], check=True)
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    subprocess.run(["git", "-C", src, "config", "core.fsmonitor", str(trap)], check=True)
    run(src, docs)
    assert not (tmp_path / "sprung").exists()


def test_a_file_that_can_not_be_read_is_named(
    src: Path, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file or folder without permission is left out with the system's reason."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    (src / "sub").mkdir()
    (src / os.fsdecode(b"bad\xff.txt")).write_text("x")
    scan = os.scandir
    monkeypatch.setattr(
        os, "scandir", lambda path: refuse() if Path(path).name == "sub" else scan(path)
    )
    monkeypatch.setattr(os, "open", refuse)
    planned = plan(src, readers(60))
    assert dict(planned.left_out) == {
        "sub/": "folder could not be read: Permission denied",
        "interest.py": "could not be read: Permission denied",
        "bad?.txt": "name is not UTF-8, not read",
    }


def test_a_file_that_changed_into_something_else_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe or an enormous file that took a file's place is not waited for."""
    from war_rig.document import plan as module

    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"x" * 2_000_001)
    read = module.__globals__["_read"]
    assert read(tmp_path / "pipe", "pipe") == "not a regular file"
    monkeypatch.setitem(module.__globals__, "_LARGEST_BYTES", 2_000_000)
    assert read(tmp_path / "large", "large") == "larger than 2 MB, not read"


def test_without_git_nothing_is_taken_for_ignored(
    src: Path, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where git is not installed the tree is documented all the same."""
    monkeypatch.setenv("PATH", "")
    assert run(src, docs).verified > 0


def test_long_and_clashing_names_get_pages_of_their_own(docs: Path, tmp_path: Path) -> None:
    """Names that a file system could confuse lead to different pages, the same on every run."""
    source = tmp_path / "estate"
    (source / "x.md").mkdir(parents=True)
    for name in ("x", "x.md/a", "Case.txt", "case.txt", "ü.txt", "y" * 200, "a..."):
        (source / name).write_text(f"about {len(name)} things\n")
    summary = run(source, docs)
    assert len(list((docs / "files").rglob("*.md"))) == len(summary.plan.files) == 7
    assert broken_links(docs) == []


def test_many_left_out_files_do_not_flood_the_index(src: Path, docs: Path) -> None:
    """The index names the first two hundred and counts the rest."""
    for number in range(205):
        (src / f".h{number}").touch()
    run(src, docs)
    assert "- and 5 more\n" in (docs / "README.md").read_text()


def test_a_malformed_answer_names_the_schema(src: Path, docs: Path) -> None:
    """An answer of another shape is reported with what was wrong."""
    fake = FakeProvider('{"claims": [{"about": "poetry"}]}')
    summary = run(src, docs, fake)
    assert isinstance(summary.failures[0][1], str)
    assert "claims.0.about" in fake.calls[1].text
    assert issubclass(MalformedAnswerError, Exception)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("# shell", None),
        ("# shell comment", "shell comment"),
        ("// Old comment", "Old comment"),
        ("/* Old comment */", "Old comment"),
        ("-- SQL comment", "SQL comment"),
        ("      * COBOL COMMENT                    *00020000", "COBOL COMMENT"),
        ("001200* COBOL COMMENT    00020000", "COBOL COMMENT"),
        ("//* JCL COMMENT", "JCL COMMENT"),
        ("//STEP1 EXEC PGM=PAY01", None),
        ('    """Return it whole."""', "Return it whole."),
        ("<!-- HTML comment -->", "HTML comment"),
        ("#include <stdio.h>", None),
        ("#!/usr/bin/env python", None),
        ("****************", None),
        ("total = a - b", None),
    ],
)
def test_comments_are_found_in_many_languages(line: str, text: str | None) -> None:
    """The plain-text reader finds comments of two words and more, without their decoration."""
    from war_rig.readers.text import TextReader

    facts = TextReader().read(Source("f", (line,), "utf-8")).facts
    assert [f.object for f in facts if f.kind == "comment"] == ([] if text is None else [text])


def test_windows_cover_every_line_with_text() -> None:
    """No line with text is outside the parts, and no part is longer than allowed."""
    from war_rig.readers.text import TextReader

    lines = tuple("" if n % 7 == 0 else f"line {n}" for n in range(1, 200))
    units = TextReader(10).read(Source("f", lines, "utf-8")).units
    covered = {n for unit in units for n in range(unit.first, unit.last + 1)}
    assert {n for n, line in enumerate(lines, 1) if line} <= covered
    assert all(unit.last - unit.first < 10 for unit in units)
    assert [u.first for u in units] == sorted({u.first for u in units})


def test_a_window_of_text_ends_with_text() -> None:
    """Blank lines at its end belong to nobody."""
    from war_rig.readers.text import TextReader

    lines = ("one", "", "", "", "two", "three")
    units = TextReader(4).read(Source("f", lines, "utf-8")).units
    assert [(unit.first, unit.last) for unit in units] == [(1, 1), (5, 6)]


def test_a_long_line_is_cut_between_words(tmp_path: Path, docs: Path) -> None:
    """What is quoted of an endless line still stands in it word by word."""
    source = tmp_path / "estate"
    source.mkdir()
    (source / "long.txt").write_text("word " * 5000 + "\n" + "x" * 5000 + "\n" + "}" * 10 + "\n")
    (source / "marks.txt").write_text("}}}\n---\n")
    summary = run(source, docs)
    assert (summary.verified, summary.unverified) == (4, 0)
    assert "This part holds no words." in page(docs, "marks.txt")


def test_a_text_without_its_own_reader_falls_to_the_plain_one() -> None:
    """The plain-text reader is the last of all and reads everything."""
    assert [reader.language for reader in readers(60)][-1] == "text"


def test_a_repository_makes_git_fetch_nothing(docs: Path, src: Path, tmp_path: Path) -> None:
    """A repository that lacks objects can't have them fetched by a program of its own."""
    trap = tmp_path / "sprung"
    (src / "sub").mkdir()
    (src / "sub" / "a.txt").write_text("x\n")
    (src / ".gitignore").write_text("*.log\n")

    def git(*words: str) -> None:
        done = subprocess.run(["git", "-C", src, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    git("init", "-q")
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x")
    git("sparse-checkout", "set", "--cone", "--sparse-index")
    git("config", "extensions.partialClone", "origin")
    git("config", "core.repositoryFormatVersion", "1")
    git("config", "remote.origin.url", f"ext::sh -c touch% {trap}")
    git("config", "protocol.ext.allow", "always")
    tree = subprocess.run(
        ["git", "-C", src, "rev-parse", "HEAD:sub"], capture_output=True, text=True
    )
    name = tree.stdout.strip()
    (src / ".git" / "objects" / name[:2] / name[2:]).unlink()
    (src / "sub").mkdir(exist_ok=True)
    (src / "sub" / "b.txt").write_text("y\n")
    run(src, docs)
    assert not trap.exists()


def test_names_that_look_like_a_digest_get_pages_of_their_own(docs: Path, tmp_path: Path) -> None:
    """A file named like another's page with its digest still has a page of its own."""
    source = tmp_path / "estate"
    source.mkdir()
    digest = hashlib.sha256(b"a.c").hexdigest()[:8]
    for name in ("A.c", "a.c", f"a.c-{digest}"):
        (source / name).write_text(f"// about {name}\n")
    run(source, docs)
    assert len(list((docs / "files").glob("*.md"))) == 3


def test_a_deep_tree_is_walked(tmp_path: Path) -> None:
    """Nesting beyond Python's recursion limit is no fault."""
    path = tmp_path / "deep"
    path.mkdir()
    for _ in range(300):
        path = path / "d"
        path.mkdir()
    (path / "f.txt").write_text("x\n")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 200)
    try:
        assert len(plan(tmp_path / "deep", readers(60)).files) == 1
    finally:
        sys.setrecursionlimit(limit)


def test_what_the_first_round_verified_stays(src: Path, docs: Path) -> None:
    """A second round without a usable answer takes nothing away."""
    first = said(("It adds.", "1-4"), ("The rate is 0.05.", "1-4"))
    summary = run(src, docs, FakeProvider(replies=[first, "garbage", "garbage"]))
    assert (summary.verified, summary.unverified, summary.failures) == (1, 1, [])
    assert summary.tokens > 0


def test_a_page_that_somebody_else_wrote_is_not_replaced(src: Path, docs: Path) -> None:
    """A file in the way that War Rig did not write ends the run before it begins."""
    run(src, docs)
    (src / "new.py").write_text("x = 1\n")
    (docs / "files" / "new.py.md").write_text("mine")
    with pytest.raises(ConfigError, match=r"new.py.md is there, and War Rig did not write it"):
        run(src, docs)
    assert (docs / "files" / "new.py.md").read_text() == "mine"


def test_nothing_is_removed_or_written_through_a_link(
    src: Path, docs: Path, tmp_path: Path
) -> None:
    """Pages that are gone are not removed where a link leads, nor is a part file followed."""
    run(src, docs)
    victim = tmp_path / "victim"
    (docs / "files").rename(victim)
    (docs / "files").symlink_to(victim)
    (src / "interest.py").unlink()
    with pytest.raises(ConfigError, match="leads out of"):
        run(src, docs)
    assert (victim / "interest.py.md").exists()
    (tmp_path / "precious").write_text("mine")
    (docs / ".war-rig.json.part").symlink_to(tmp_path / "precious")
    DocsFolder(docs, src).begin()
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_comment_is_quoted_to_the_end_of_its_sentence(tmp_path: Path, docs: Path) -> None:
    """Its last word may stand alone on a line; what is cut is marked, and still checked."""
    source = tmp_path / "estate"
    source.mkdir()
    (source / "A.cbl").write_text(
        "       PROGRAM-ID. A.\n       PROCEDURE DIVISION.\n"
        "      * THE REST IS NOT IN THE\n      * TOTAL.\n       P1.\n           GOBACK.\n"
    )
    (source / "b.sql").write_text(f"-- It {'pays them and ' * 20}goes.\nDROP TABLE A;\n")
    (source / "c.txt").write_text(f"# It {'pays them and ' * 20}goes.\n")
    assert run(source, docs).unverified == 0
    assert '"THE REST IS NOT IN THE TOTAL."' in page(docs, "A.cbl")
    cut = f'"It {"pays them and " * 14}..."'
    assert f"- {cut} [" in page(docs, "b.sql")
    assert f"- {cut} [" in page(docs, "c.txt")
    assert (docs / "README.md").read_text().count(f"| {cut} |") == 2


def test_words_in_capitals_are_names(src: Path, docs: Path) -> None:
    """A word of five capitals and more is held to be a name of the source, acronyms aside."""
    run(src, docs, FakeProvider(said(("It calls PAYTOTAL.", "1-4"), ("COBOL adds.", "1-4"))))
    before, _, unverified = page(docs).partition("## Unverified")
    assert "COBOL adds." in before
    assert "&#39;" not in unverified
    assert "'PAYTOTAL' is not in the file: it is invented" in unverified


def test_a_file_with_an_odd_name_can_be_cited(tmp_path: Path, docs: Path) -> None:
    """A line break or blanks in a file's name do not spoil its citations."""
    source = tmp_path / "estate"
    source.mkdir()
    for name in (" a.txt", "b\nc.txt", "d.txt`"):
        (source / name).write_text("# Two words\n")
    assert run(source, docs).unverified == 0


def test_an_earlier_page_that_can_not_be_read_is_written_anew(src: Path, docs: Path) -> None:
    """What somebody overwrote with bytes that are no text stops no run."""
    run(src, docs, unit_lines=5)
    (docs / "source" / "interest.py.md").write_bytes(b"\xff\xfe")
    planned = plan(src, readers(5)).choose(limit=1)
    scribe = Agent("scribe", OfflineProvider())
    asyncio.run(document(planned, scribe, DocsFolder(docs, src), provider="x", rounds=1))
    assert "add_interest" in (docs / "source" / "interest.py.md").read_text()


def test_a_run_that_was_killed_as_it_began_goes_on(src: Path, docs: Path) -> None:
    """A half-written list of pages alone is no folder of somebody else's."""
    docs.mkdir()
    (docs / ".war-rig.json.part").write_text("{")
    assert run(src, docs).failures == []


def test_a_comment_that_runs_over_column_72_is_quoted(tmp_path: Path, docs: Path) -> None:
    """What stands behind column 72 of a card is no part of the text that goes on below."""
    (tmp_path / "estate").mkdir()
    (tmp_path / "estate" / "A.cbl").write_text(
        "       PROGRAM-ID. A.\n       PROCEDURE DIVISION.\n"
        "      * WRITTEN IN AN EVENING FOR THE COMMITTEE AND NEVER PUT RIGHT. (EDITED)\n"
        "      * ZERO IS NO LETTER TONIGHT.\n       P1.\n           GOBACK.\n"
    )
    summary = run(tmp_path / "estate", docs)
    assert (summary.unverified, summary.uncovered) == (0, 0)
