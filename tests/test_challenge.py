"""A Challenger of another provider doubts what passed the checks, and nothing else."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from war_rig.agents import Agent
from war_rig.document import DocsFolder, Summary, document, plan
from war_rig.errors import AuthenticationError, ServerError
from war_rig.policies import CachedProvider, CacheStore
from war_rig.readers import readers
from war_rig.testing import FakeProvider

SOURCE = "# Pays the staff.\nrate = 40\nif hours > rate:\n    pay_overtime()\n"


def claims(*found: tuple[str, str]) -> str:
    written = [{"about": "rule", "text": t, "cites": [f"pay.py:{lines}"]} for t, lines in found]
    return json.dumps({"claims": written})


def opinion(verdict: str, reason: str = "") -> str:
    return json.dumps({"verdict": verdict, "reason": reason})


def run(tmp_path: Path, scribe: FakeProvider, challenger: FakeProvider, rounds: int = 2) -> Summary:
    (tmp_path / "src").mkdir(exist_ok=True)
    (tmp_path / "src" / "pay.py").write_text(SOURCE)
    planned = plan(tmp_path / "src", readers(60))
    folder = DocsFolder(tmp_path / "docs", planned.root)
    return asyncio.run(
        document(
            planned,
            Agent("scribe", scribe),
            folder,
            provider="fake",
            rounds=rounds,
            challenger=Agent("challenger", challenger),
        )
    )


def page(tmp_path: Path) -> str:
    return (tmp_path / "docs" / "files" / "pay.py.md").read_text()


def data(tmp_path: Path) -> Any:
    return json.loads((tmp_path / "docs" / "files" / "pay.py.json").read_text())


def test_a_supported_claim_is_published(tmp_path: Path) -> None:
    """The Challenger sees the claim and its cited lines, and no other line."""
    doubter = FakeProvider(opinion("supported", "Line 3 says so."))
    summary = run(tmp_path, FakeProvider(claims(("The `rate` is 40.", "2-3"))), doubter)
    assert (summary.verified, summary.unverified, summary.doubted) == (1, 0, 0)
    asked = doubter.calls[0].text
    assert asked.startswith(
        'Claim: "The `rate` is 40."\n\nFILE is "pay.py".\n\n```source\n'
        "     2 | rate = 40\n     3 | if hours > rate:\n```"
    )
    assert "Pays the staff" not in asked
    found = data(tmp_path)["units"][0]["claims"][0]
    assert (found["verdict"], found["reason"]) == ("supported", "Line 3 says so.")


def test_a_contradicted_claim_goes_back_and_is_never_published(tmp_path: Path) -> None:
    """The Scribe is told what the Challenger said; what stays contradicted is unverified."""
    scribe = FakeProvider(claims(("Under `rate`, overtime is paid.", "2-4")))
    doubter = FakeProvider(opinion("contradicted", "It is above the rate."))
    summary = run(tmp_path, scribe, doubter)
    assert (summary.verified, summary.unverified) == (0, 1)
    assert "the Challenger finds it contradicted: It is above the rate." in scribe.calls[1].text
    assert "overtime is paid. (the Challenger finds it contradicted" in page(tmp_path).replace(
        "&#40;", "("
    )
    assert data(tmp_path)["units"][0]["claims"][0]["verdict"] == "contradicted"


@pytest.mark.parametrize("answer", [opinion("cannot tell", "The unit is not said."), "no JSON"])
def test_what_it_can_not_tell_is_an_open_question(tmp_path: Path, answer: str) -> None:
    """Such a claim is neither a fact nor refuted; so is one without a usable answer."""
    scribe = FakeProvider(claims(("The `rate` is 40 hours.", "2-3")))
    summary = run(tmp_path, scribe, FakeProvider(answer))
    assert (summary.verified, summary.unverified, summary.doubted) == (0, 0, 1)
    assert summary.uncovered == 1
    facts, _, questions = page(tmp_path).partition("## Open questions")
    assert "40 hours" not in facts
    assert "- Is it so? The <code>rate</code> is 40 hours. [(2-3)]" in questions
    assert "The Challenger can't tell: " in questions
    assert data(tmp_path)["units"][0]["claims"][0]["verdict"] == "cannot tell"


def test_a_claim_that_failed_the_checks_is_not_challenged(tmp_path: Path) -> None:
    """A model is asked about survivors only, and about each claim once."""
    good, bad = ("The `rate` is 40.", "2-3"), ("The `rate` is 50.", "2-3")
    doubter = FakeProvider(opinion("supported"))
    summary = run(tmp_path, FakeProvider(claims(good, bad)), doubter)
    assert (summary.verified, summary.unverified) == (1, 1)
    assert len(doubter.calls) == 1


def test_a_wrong_key_of_the_challenger_ends_the_run(tmp_path: Path) -> None:
    """A failure that is not about one claim is not taken for an opinion."""
    doubter = FakeProvider(AuthenticationError("no", provider="fake"))
    with pytest.raises(AuthenticationError):
        run(tmp_path, FakeProvider(claims(("The `rate` is 40.", "2-3"))), doubter)


def test_what_the_challenger_can_not_tell_goes_back_with_its_reason(tmp_path: Path) -> None:
    """The Scribe may write it again; the page says that it is in doubt, not that it failed."""
    scribe = FakeProvider(claims(("The `rate` is 40 hours.", "2-3")))
    doubter = FakeProvider(opinion("cannot tell", "No unit is named."))
    run(tmp_path, scribe, doubter)
    assert '"the Challenger can\'t tell: No unit is named."' in scribe.calls[1].text
    assert len(doubter.calls) == 1  # the same claim is not challenged twice
    assert "The Challenger can't tell of any claim about this unit; see below." in page(tmp_path)


def test_a_long_reason_is_cut_and_costs_nothing(tmp_path: Path) -> None:
    """A talkative model's verdict counts all the same."""
    doubter = FakeProvider(opinion("supported", "word " * 500))
    assert run(tmp_path, FakeProvider(claims(("The `rate` is 40.", "2-3"))), doubter).verified == 1
    assert len(data(tmp_path)["units"][0]["claims"][0]["reason"]) <= 300


def test_a_long_line_is_cut_and_cited_once(tmp_path: Path) -> None:
    """What the Challenger sees stays small, whatever is cited how often."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "long.py").write_text("x" * 10_000 + "\n")
    written = [{"about": "rule", "text": "It is so.", "cites": ["long.py:1"] * 10}]

    def scribe(messages: Any) -> str:
        is_long = '"long.py"' in messages[0].content
        return json.dumps({"claims": written if is_long else []})

    doubter = FakeProvider(opinion("supported"))
    run(tmp_path, FakeProvider(scribe), doubter)
    assert len(doubter.calls[0].text) < 2000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CacheStore]:
    (tmp_path / "src").mkdir()
    (tmp_path / "docs").mkdir()
    DocsFolder(tmp_path / "docs", tmp_path / "src").begin()
    with closing(CacheStore(tmp_path / "docs" / "cache")) as opened:
        yield opened


def cached(tmp_path: Path, store: CacheStore, scribe: Any, challenger: Any) -> Summary:
    behind = (CachedProvider(scribe, store, "s"), CachedProvider(challenger, store, "c"))
    return run(tmp_path, *behind, rounds=1)  # type: ignore[arg-type]


def test_an_opinion_of_another_form_is_asked_for_again(tmp_path: Path, store: CacheStore) -> None:
    """It is not kept, so that the next run may publish the claim; the claim itself is kept."""
    good = claims(("The `rate` is 40.", "2-3"))
    assert cached(tmp_path, store, FakeProvider(good), FakeProvider("no JSON")).doubted == 1
    scribe = FakeProvider(good)
    assert cached(tmp_path, store, scribe, FakeProvider(opinion("supported"))).verified == 1
    assert scribe.calls == []


def test_an_outage_of_the_challenger_costs_no_paid_answer(
    tmp_path: Path, store: CacheStore
) -> None:
    """What the Scribe answered is kept, though the run ended."""
    good = claims(("The `rate` is 40.", "2-3"))
    scribe = FakeProvider(good)
    for _ in range(2):
        with pytest.raises(ServerError):
            cached(tmp_path, store, scribe, FakeProvider(ServerError("down", provider="c")))
    assert len(scribe.calls) == 1
