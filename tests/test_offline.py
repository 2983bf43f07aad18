"""The embedded provider, which answers from facts alone."""

import asyncio
import json
from typing import Any

import pytest

from war_rig.agents import Agent
from war_rig.document.plan import PlannedFile
from war_rig.document.write import unit_task, write
from war_rig.providers import (
    CompletionChunk,
    CompletionResponse,
    LLMProvider,
    Message,
    create_provider,
)
from war_rig.providers.offline import OfflineProvider
from war_rig.readers import Fact, Reading, Source, Unit

FILE = "src/PAY01.cbl"


def complete(*messages: Message, model: str | None = None, **settings: Any) -> CompletionResponse:
    return asyncio.run(OfflineProvider(**settings).complete(list(messages), model=model))


def block(content: str) -> str:
    return f"FILE is ...\n\n```war-rig-facts\n{content}\n```\n\nAnswer with one JSON object."


def facts(
    comments: list[tuple[int, str]],
    others: list[tuple[str, str, int]] | None = None,
    parts: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    edges = {kind: text for kind, text, _ in others or [] if kind in ("begins", "ends")}
    return {
        "file": FILE,
        "first": 1,
        "last": 60,
        "parts": [
            {"begins": "", "ends": "", **part, **edges}
            for part in parts or [{"name": "lines 1-60", "first": 1, "last": 60}]
        ],
        "facts": [
            {"kind": kind, "subject": "lines 1-60", "object": text, "line": line}
            for kind, text, line in others or []
        ],
        "comments": [{"line": line, "text": text} for line, text in comments],
    }


def claims(unit: dict[str, Any]) -> list[dict[str, Any]]:
    answer = complete(Message("user", block(json.dumps(unit))))
    written: list[dict[str, Any]] = json.loads(answer.content)["claims"]
    return written


def quote(text: str, first: int, last: int) -> dict[str, Any]:
    return {
        "about": "purpose",
        "text": f'"{text}"',
        "cites": [f"{FILE}:{first}-{last}"],
    }


def test_the_scribe_gets_claims_without_a_model() -> None:
    """What `war-rig document` asks is answered with cited claims, from its comments."""
    lines = ("* Pays the staff.", "* Runs monthly.", "ADD 1 TO X.")
    unit = Unit(FILE, "lines 1-3", "lines", 1, 3)
    found = (
        Fact("begins", unit.name, lines[0], FILE, 1),
        Fact("comment", unit.name, "Pays the staff.", FILE, 1),
        Fact("comment", unit.name, "Runs monthly.", FILE, 2),
        Fact("ends", unit.name, lines[2], FILE, 3),
    )
    file = PlannedFile(Source(FILE, lines, "utf-8"), "text", Reading((unit,), found))
    written, response = asyncio.run(
        write(Agent("scribe", OfflineProvider()), unit_task(unit, file))
    )
    assert [(claim.about, claim.text, claim.cites) for claim in written] == [
        ("purpose", '"Pays the staff. Runs monthly."', (f"{FILE}:1-2",))
    ]
    assert response.model == "offline"


def test_comments_on_neighbouring_lines_are_one_claim() -> None:
    """A gap between the lines begins another claim; each cites its own lines."""
    assert claims(facts([(3, "Pays"), (4, "the staff."), (6, "Runs monthly.")])) == [
        quote("Pays the staff.", 3, 4),
        quote("Runs monthly.", 6, 6),
    ]


def test_a_quotation_holds_whole_lines() -> None:
    """A run of comments over 200 characters is cut between lines, and cites what it quotes."""
    assert claims(facts([(1, "a" * 100), (2, "b" * 99), (3, "c")])) == [
        quote(f"{'a' * 100} {'b' * 99} ...", 1, 2)
    ]
    assert claims(facts([(1, "a" * 100), (2, "b" * 100)])) == [quote(f"{'a' * 100} ...", 1, 1)]
    assert claims(facts([(1, "a" * 300), (2, "b")])) == [quote(f"{'a' * 300} ...", 1, 1)]


@pytest.mark.parametrize(
    ("lines", "quoted", "last"),
    [
        (["A" * 60, "pays. All others", "go " * 50], f"{'A' * 60} pays.", 2),
        (["A" * 60, "pays.", "B" * 100, "go " * 50], f"{'A' * 60} pays.", 2),
        (["A" * 60, "pays (all).", "B" * 130], f"{'A' * 60} pays (all).", 2),
        (["A" * 120, "pays, all", "others", "go " * 50], f"{'A' * 120} pays, ...", 2),
        (["A" * 120, "pays; all", "others", "go " * 50], f"{'A' * 120} pays; ...", 2),
        (["A" * 60, "pays, all", "others", "go " * 50], f"{'A' * 60} pays, all others ...", 3),
        (["A" * 120, "pays", "go " * 50], f"{'A' * 120} pays ...", 2),
        (["A" * 120, "pays: all", "go " * 50], f"{'A' * 120} pays: all ...", 2),
        (["A" * 120, "pays, e.g. all", "go " * 50], f"{'A' * 120} pays, ...", 2),
        (["A" * 120, "pays 1.5 or 2,5", "go " * 50], f"{'A' * 120} pays 1.5 or 2,5 ...", 2),
        (["It pays. Or", "not, as", "go " * 70], "It pays. Or not, as ...", 2),
        (["A" * 60 + " pays ...", "go " * 70], f"{'A' * 60} pays ...", 1),
    ],
)
def test_a_quotation_that_is_cut_ends_where_a_reader_would_pause(
    lines: list[str], quoted: str, last: int
) -> None:
    """Behind a sentence, else behind a clause with an ellipsis, where most of it is kept."""
    found = claims(facts([(number, text.strip()) for number, text in enumerate(lines, 1)]))
    assert found == [quote(quoted, 1, last)]


def test_a_quotation_mark_in_a_comment_does_not_end_the_quotation() -> None:
    """Double quotes inside a quotation become single ones."""
    assert claims(facts([(1, 'Sets "A".')])) == [quote("Sets 'A'.", 1, 1)]


def test_there_are_at_most_twelve_claims() -> None:
    """A part with many comments gets the first twelve."""
    many = claims(facts([(line, f"Step {line}.") for line in range(1, 60, 2)]))
    assert [claim["cites"] for claim in many] == [
        [f"{FILE}:{line}-{line}"] for line in range(1, 24, 2)
    ]


def test_a_part_without_comments_is_told_by_its_edges() -> None:
    """The first and the last line are quoted, and the whole part is cited."""
    unit = facts([], [("begins", 'MOVE "A" TO B', 2), ("data", "PAY02", 9), ("ends", "STOP", 60)])
    assert claims(unit) == [
        {
            "about": "purpose",
            "text": 'This part begins with "MOVE \'A\' TO B" and ends with "STOP".',
            "cites": [f"{FILE}:1-60"],
        }
    ]


@pytest.mark.parametrize("others", [[], [("begins", "A", 1)]])
def test_a_part_without_words_says_so(others: list[tuple[str, str, int]]) -> None:
    """Where neither comments nor edges are known, one claim says that there is nothing."""
    (claim,) = claims(facts([], others))
    assert claim["text"] == "This part holds no words."


def test_the_last_block_counts() -> None:
    """A conversation that goes on with another part is answered about that one."""
    first, last = facts([(1, "Pays.")]), facts([(2, "Runs.")])
    both = Message("user", block(json.dumps(first)) + "\n" + block(json.dumps(last)))
    again = Message("user", "That does not fit the schema.")
    answer = complete(both, Message("assistant", block(json.dumps(first))), again)
    assert json.loads(answer.content) == {"claims": [quote("Runs.", 2, 2)]}


def test_a_fence_inside_a_comment_is_no_block() -> None:
    """Source text can't plant a block: in the JSON of the real one it has no line of its own."""
    planted = block(json.dumps(facts([(9, "Planted.")])))
    assert claims(facts([(1, f"Pays.\n{planted}")]))[0]["cites"] == [f"{FILE}:1-1"]


def test_any_other_prompt_is_refused_with_the_next_step() -> None:
    """It says that it is no model, quotes the first line, and tells how to go on."""
    answer = complete(Message("system", "Be kind."), Message("user", "\n  What is 2+2?\nTell me."))
    assert answer.content == (
        "I am War Rig's offline provider, not a language model, so I can't answer "
        '"What is 2+2?". Set LLM_PROVIDER to a provider (`war-rig providers` lists them), '
        "or try me on source code: war-rig document SRC --out DOCS"
    )


@pytest.mark.parametrize(
    ("messages", "quoted"),
    [
        ([], ""),
        ([Message("system", "Be kind.")], ""),
        ([Message("user", " \n")], ""),
        ([Message("user", "x" * 300)], "x" * 200),
        ([Message("user", "one"), Message("assistant", "two"), Message("user", "three")], "three"),
        ([Message("user", "one"), Message("assistant", "two")], "one"),
    ],
)
def test_the_refusal_quotes_what_was_asked_last(messages: list[Message], quoted: str) -> None:
    """At most 200 characters of the last user message's first line are quoted."""
    assert f'I can\'t answer "{quoted}". Set' in complete(*messages).content


BROKEN = ["", "{", "[1, 2]", "null", '"text"', "{}", '{"file": "a"}', '{"file": "a", "first": 1}']


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_block_is_refused_like_any_other_prompt(content: str) -> None:
    """A block that does not hold a part's facts is no reason to fail."""
    answer = complete(Message("user", block(content)))
    assert answer.content.startswith("I am War Rig's offline provider, not a language model")


@pytest.mark.parametrize("role", ["system", "assistant"])
def test_only_the_users_block_counts(role: str) -> None:
    """A block in another message is not read."""
    answer = complete(
        Message(role, block(json.dumps(facts([(1, "Pays.")])))), Message("user", "Hi")
    )
    assert 'I can\'t answer "Hi"' in answer.content


def test_the_same_prompt_gets_the_same_answer() -> None:
    """Nothing but the messages decides: not the instance, the model, or the temperature."""
    prompt = Message("user", block(json.dumps(facts([(1, "Pays."), (3, "Runs.")]))))
    one = asyncio.run(OfflineProvider().complete([prompt], temperature=2.0, seed=1))
    assert one == complete(prompt)
    assert one.content == complete(prompt, model="other").content


def test_tokens_are_estimated() -> None:
    """Four characters are a token; the answer says that it is an estimate."""
    answer = complete(Message("system", "12345"), Message("user", "1234"))
    assert answer.prompt_tokens == 3
    assert answer.completion_tokens == (len(answer.content) + 3) // 4
    assert answer.tokens_used == 3 + answer.completion_tokens
    assert (answer.usage_source, answer.finish_reason) == ("estimated", "stop")


def test_its_model_is_offline_or_what_was_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model's name can be set, by the argument, by OFFLINE_MODEL, or by the call."""
    assert isinstance(OfflineProvider(), LLMProvider)
    assert complete(Message("user", "Hi")).model == "offline"
    assert complete(Message("user", "Hi"), model="m-2").model == "m-2"
    monkeypatch.setenv("OFFLINE_MODEL", "m-1")
    provider = create_provider("offline")
    assert provider.default_model == "m-1"
    assert asyncio.run(provider.complete([Message("user", "Hi")])).model == "m-1"


def test_each_part_is_told_by_what_its_facts_say_it_does() -> None:
    """A paragraph is described by what code found that it performs, calls and reads."""
    unit = facts(
        [(9, "Ends the run.")],
        [
            ("paragraph", "MAIN-LINE", 2),
            ("perform", "READ-LOAN", 3),
            ("perform", "READ-LOAN", 4),
            ("perform", "CLOSE-ALL", 4),
            ("call", "DAYS01", 5),
            ("data", "WS-X", 5),
            ("paragraph", "CLOSE-ALL", 10),
            ("read", "LOAN-FILE", 21),
        ],
        [
            {"name": "MAIN-LINE", "first": 1, "last": 8},
            {"name": "CLOSE-ALL", "first": 9, "last": 19},
            {"name": "LIB", "first": 20, "last": 29},
            {"name": "LAST", "first": 30, "last": 39},
        ],
    )
    assert [(claim["text"], claim["cites"]) for claim in claims(unit)] == [
        (
            "`MAIN-LINE` performs `READ-LOAN` and `CLOSE-ALL`, and calls `DAYS01`.",
            [f"{FILE}:{n}-{n}" for n in (2, 3, 4, 5)],
        ),
        ('"Ends the run."', [f"{FILE}:9-9"]),
        ("This part reads `LOAN-FILE`.", [f"{FILE}:21-21"]),
        ("This part holds no words.", [f"{FILE}:30-39"]),
    ]


def test_it_streams_what_it_would_complete() -> None:
    """The stream is the same answer, word by word."""
    hello = [Message("user", "Hello")]

    async def read() -> list[CompletionChunk]:
        return [chunk async for chunk in OfflineProvider().stream(hello, model="m-2")]

    *pieces, last = asyncio.run(read())
    answer = complete(*hello, model="m-2")
    assert last == CompletionChunk(response=answer)
    assert len(pieces) > 20
    assert "".join(piece.content for piece in pieces) == answer.content


def test_what_is_said_of_rights_comes_last() -> None:
    """A licence at a file's head is no purpose: it is quoted behind the rest."""
    found = claims(facts([(1, "Copyright 1994, all rights reserved."), (3, "Pays the staff.")]))
    assert found == [
        quote("Pays the staff.", 3, 3),
        quote("Copyright 1994, all rights reserved.", 1, 1),
    ]
