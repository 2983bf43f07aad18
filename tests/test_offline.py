"""The embedded provider, which answers from facts alone."""

import asyncio
import json
from typing import Any

import pytest

from war_rig.agents import Agent
from war_rig.document.checks.check import check
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
from war_rig.readers import Fact, Reading, Source, Unit, reader_for, readers
from war_rig.readers.cards import cobol_of

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


def test_a_comment_that_comes_again_is_quoted_once() -> None:
    """The heading of each block of a list is said where it comes first."""
    again = [(1, "Job information"), (3, "Other words"), (5, "Job information")]
    assert claims(facts(again)) == [quote("Job information", 1, 1), quote("Other words", 3, 3)]


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


@pytest.mark.parametrize(
    "silent",
    [
        ["Copyright 1994, all rights reserved."],
        ["Copyright Town Library.", "It may not be lent."],
        ["Licensed under the Apache License, Version 2.0 (the 'License')."],
        ["http://www.apache.org/licenses/LICENSE-2.0"],
        ["Ver: CardDemo_v1.0-70-g193b394-123 Date: 2022-08-22 17:02:44 CDT"],
        ["1994-03-01 RH  WRITTEN.", "AND A LINE THAT GOES ON.", "1999-01-02 MO  DATES."],
        ["DCLGEN TABLE(LIB.FEE) LANGUAGE(COBOL)", "... IS THE DCLGEN COMMAND"],
        ["THE NUMBER OF COLUMNS DESCRIBED BY THIS DECLARATION IS 8"],
        ["T I M E S T A M P   D B 2  X(26)     EEEE-MM-DD"],
    ],
)
def test_what_says_nothing_of_the_code_is_not_quoted(silent: list[str]) -> None:
    """A licence, a stamp, a log of changes, a generator's words, a spaced heading: no purpose."""
    lines = list(enumerate(silent, 1))
    assert claims(facts([*lines, (9, "Pays the staff.")])) == [quote("Pays the staff.", 9, 9)]
    about, *_ = claims(facts([(1, "Pays the staff."), *[(n + 1, text) for n, text in lines]]))
    assert about == quote("Pays the staff.", 1, 1)


def test_a_licence_goes_on_below_its_first_lines() -> None:
    """What is said of warranty near a licence belongs to it; elsewhere it may be the business."""
    law = "Unless required by applicable law it is without warranties."
    assert claims(facts([(1, "Licensed under the Apache License."), (3, law), (9, "Pays.")])) == [
        quote("Pays.", 9, 9)
    ]
    business = "Checks the warranty and the licence number of the car."
    assert claims(facts([(3, business)])) == [quote(business, 3, 3)]


def test_the_head_of_a_program_is_quoted_from_its_function_on() -> None:
    """Its name and its kind are facts; what it is for stands behind a label of its own."""
    head = ["Program : PAY01.CBL", "Type : BATCH COBOL", "Function : Pays the", "staff."]
    assert claims(facts(list(enumerate(head, 2)))) == [quote("Pays the staff.", 4, 5)]


def test_no_relation_is_left_out() -> None:
    """What does not fit into one claim is said by a further one, each with its lines."""
    called = [("call", f"SUB{n:02}", n) for n in range(1, 20)]
    found = claims(facts([], called))
    assert [claim["text"].count("`SUB") for claim in found] == [8, 8, 3]
    assert found[2]["text"] == "This part also calls `SUB17`, `SUB18` and `SUB19`."
    assert found[2]["cites"] == [f"{FILE}:{n}-{n}" for n in (17, 18, 19)]


def test_a_part_of_many_claims_leaves_room_for_the_others() -> None:
    """An answer has at most 50 claims; quotations make room, and each part keeps one."""
    parts = [{"name": f"P{n}", "first": 30 * n + 1, "last": 30 * n + 30} for n in range(6)]
    comments = [(n, f"Rule {n} of it.") for n in range(1, 181, 2)]
    found = claims(facts(comments, [("call", "SUB01", 30)], parts))
    assert len(found) == 50
    assert "This part calls `SUB01`." in [claim["text"] for claim in found]
    first = [int(claim["cites"][0].rpartition("-")[2]) for claim in found]
    assert {(line - 1) // 30 for line in first} == set(range(6))


def told(name: str, *lines: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the verified claims about a file of *lines*, as its own reader reads it."""
    source = Source(name, lines, "utf-8")
    file = PlannedFile.of(source, reader_for(source, readers(60)))
    found = []
    for unit in file.reading.units:
        task = unit_task(unit, file)
        written, _ = asyncio.run(write(Agent("scribe", OfflineProvider()), task))
        assert [check(claim, task.ground).issues for claim in written] == [()] * len(written)
        found += [(claim.text, claim.cites) for claim in written]
    return found


HEAD = (
    "       IDENTIFICATION DIVISION.",
    "       PROGRAM-ID. PAY01.",
    "       PROCEDURE DIVISION.",
)


def paragraph(*lines: str) -> list[str]:
    """Return what is said of the paragraph ONE of *lines*."""
    code = (*HEAD, "       ONE.", *[f"           {line}" for line in lines])
    return [text for text, _ in told("pay01.cbl", *code) if "`ONE`" in text]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["EXIT."], "`ONE` holds nothing but `EXIT`."),
        (["GOBACK."], "`ONE` holds nothing but `GOBACK`."),
        (["MOVE A-X TO", "   B-X."], "`ONE` moves `A-X` into `B-X`."),
        (["MOVE 'NO SUCH' TO WS-MSG."], '`ONE` moves "NO SUCH" into `WS-MSG`.'),
        (["MOVE 16 TO RETURN-CODE."], "`ONE` moves 16 into `RETURN-CODE`."),
        (["MOVE ZEROS TO WS-SUM."], "`ONE` moves `ZEROS` into `WS-SUM`."),
        (["IF WS-A > 1", "   ADD 1 TO WS-B", "END-IF."], "`ONE` tests `WS-A`; it adds to `WS-B`."),
        (["EVALUATE WS-K", "END-EVALUATE."], "`ONE` tests `WS-K`."),
        (["SET ALL-DONE TO TRUE."], "`ONE` sets `ALL-DONE`."),
        (["COMPUTE WS-FEE = 2 * WS-A."], "`ONE` works out `WS-FEE`."),
        (["DISPLAY 'IF WS-A IS WRONG'."], '`ONE` displays "IF WS-A IS WRONG".'),
        (["CALL WS-PGM."], "`ONE` passes control to what `WS-PGM` names."),
        (["EXEC CICS RETURN END-EXEC."], "`ONE` gives CICS `RETURN`."),
        (["MOVE A1 TO B1.", "MOVE '*' TO C1."], "`ONE` moves `A1` into `B1`."),
        (["MOVE A1 TO B1.", "", "MOVE A2 TO B2."],
         "`ONE` moves `A1` into `B1` and `A2` into `B2`."),
    ],
)  # fmt: skip
def test_a_paragraph_without_relations_is_told_by_its_statements(
    lines: list[str], text: str
) -> None:
    """What it moves, tests, sets, works out and shows is said, and stands in the cited lines."""
    assert paragraph(*lines) == [text]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["MOVE WS-ADD TO WS-SUM. MOVE WS-CLOSE TO A."],
         "`ONE` moves `WS-ADD` into `WS-SUM` and `WS-CLOSE` into `A`."),
        (["IF WS-CLOSE EQUAL 'X' CONTINUE."], "`ONE` tests `WS-CLOSE`."),
        (["IF OPT-ACCEPT GREATER THAN 1 CONTINUE."], "`ONE` tests `OPT-ACCEPT`."),
        (["IF NOT (X-IF = 1 OR 2) CONTINUE."], "`ONE` tests `X-IF`."),
        (["ADD 1 TO WS-A *> ADD 1 TO WS-B"], "`ONE` adds to `WS-A`."),
        (["MOVE A TO B.", "CALL X USING 'IT SAYS ''ADD 1 TO C'''."],
         "`ONE` moves `A` into `B`; it passes control to what `X` names."),
        (["MOVE A TO B", "EXEC SQL", "CLOSE C1", "END-EXEC."], "`ONE` moves `A` into `B`."),
        (["CONTINUE. NOTE ADD 1. ADD 1 TO A."], "`ONE` adds to `A`."),
        (["REPLACE ==X== BY ==ADD 1 TO B==.", "ADD 1 TO A."], "`ONE` adds to `A`."),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_verb_is_none(lines: list[str], text: str) -> None:
    """A verb inside a name, a comment, a literal or another language does nothing."""
    assert paragraph(*lines) == [text]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["ADD A TO B GIVING C.", "SUBTRACT A FROM B GIVING D."], "`ONE` works out `C` and `D`."),
        (["ADD A TO B", "  GIVING C."], "`ONE` works out `C`."),
        (["ADD A B GIVING C  MOVE A TO D."], "`ONE` moves `A` into `D`; it works out `C`."),
        (["ADD 1 TO A (I) OF R B ROUNDED ON SIZE ERROR GOBACK."], "`ONE` adds to `A` and `B`."),
        (["SUBTRACT 1 FROM A B."], "`ONE` subtracts from `A` and `B`."),
        (["INITIALIZE A B."], "`ONE` initializes `A` and `B`."),
        (["CLOSE A B."], "`ONE` closes `A` and `B`."),
        (["COMPUTE A B = 2 * C."], "`ONE` works out `A` and `B`."),
        (["STRING X DELIMITED BY SPACE INTO A."], "`ONE` puts text into `A`."),
        (["SEARCH ALL A WHEN B = 1 ACCEPT C."], "`ONE` searches `A`; it accepts `C`."),
        (["INSPECT A REPLACING ALL 'X' BY 'Y'."], "`ONE` inspects `A`."),
        (["MOVE CORR A TO B C.", "MOVE D TO E."],
         "`ONE` moves `D` into `E`; it fills the corresponding items of `B` and `C`."),
        (["MOVE CORRESPONDING A OF R TO B OF S."], "`ONE` fills the corresponding items of `B`."),
    ],
)  # fmt: skip
def test_of_a_statement_is_told_what_it_changes(lines: list[str], text: str) -> None:
    """All its targets are named; what GIVING leaves as it was is not."""
    assert paragraph(*lines) == [text]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["IF X-IF AND Y-IF OR Z CONTINUE."], "`ONE` tests, among others, `X-IF`."),
        (["IF A = 1 OR 2 CONTINUE."], "`ONE` tests `A`."),
        (["EVALUATE TRUE", "WHEN OTHER", "IF A CONTINUE."], "`ONE` tests, among others, `A`."),
        (["CLOSE A WITH LOCK."], "`ONE` closes, among others, `A`."),
        (["MOVE CORR A TO B FUNCTION C."],
         "`ONE` fills the corresponding items of, among others, `B`."),
        (["ADD CORR A TO B.", "ADD 1 TO C."], "`ONE` adds to, among others, `C`."),
        (["ADD 1 A.", "ADD 1 TO C."], "`ONE` adds to, among others, `C`."),
        (["SET A UP BY 1.", "SET B TO 2."], "`ONE` sets, among others, `B`."),
        (["SET A TO TRUE B TO FALSE."], "`ONE` sets, among others, `A`."),
        (["STRING X DELIMITED BY SIZE.", "STRING X DELIMITED BY SIZE INTO A."],
         "`ONE` puts text into, among others, `A`."),
        (["DISPLAY 'A ''B'''.", "DISPLAY 'NO SUCH', '***'."],
         '`ONE` displays, among others, "NO SUCH".'),
        (["ADD 1 TO", *["" for _ in range(8)], "B.", "ADD 1 TO C."],
         "`ONE` adds to, among others, `C`."),
    ],
)  # fmt: skip
def test_what_is_not_told_of_a_statement_is_said_to_be_there(lines: list[str], text: str) -> None:
    """Of what is not understood, or can not be shown, it is only said that there is more."""
    assert paragraph(*lines) == [text]


def test_a_literal_that_goes_on_in_the_next_line_is_no_code() -> None:
    """What looks like a verb in it is a part of the text."""
    lines = [
        f"           DISPLAY '{'IT IS LONG ' * 5}"[:72],
        "      -    'ADD 1 TO B'. ADD 1 TO C.",
    ]
    found = told("pay01.cbl", *HEAD, "       ONE.", *lines)
    assert [text for text, _ in found if "`ONE`" in text] == ["`ONE` adds to `C`."]


def test_a_name_that_goes_on_in_the_next_line_is_not_told() -> None:
    """No line spells it."""
    lines = ["           ADD 1 TO C.", "           ADD 1 TO WS-", "      -    SUM."]
    found = told("pay01.cbl", *HEAD, "       ONE.", *lines)
    assert [text for text, _ in found if "`ONE`" in text] == ["`ONE` adds to, among others, `C`."]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["      D    PERFORM TWO. ADD 1 TO A.", "           ADD 1 TO B."], "`ONE` adds to `B`."),
        (["           EXIT.", "      d    ADD 1 TO A."],
         "`ONE` holds nothing but `EXIT`."),
    ],
)  # fmt: skip
def test_a_line_for_debugging_does_nothing(lines: list[str], text: str) -> None:
    """With D in column 7 it is no code of the program that runs."""
    found = told("pay01.cbl", *HEAD[:2], f"{HEAD[2]} GOBACK.", "       ONE.", *lines)
    assert found[-1][0] == text


def test_a_line_in_free_format_begins_where_it_is_written() -> None:
    """A d in column 7 is the first letter of its word there."""
    head = [line.strip() for line in HEAD]
    *_, (text, _) = told("pay01.cbl", *head, "      divide 2 into ws-a", "      .")
    assert text == 'This part begins with "PROCEDURE DIVISION." and ends with "divide 2 into ws-a".'
    assert cobol_of("      divide 2 into ws-a") == "divide 2 into ws-a"
    assert cobol_of("      - 2 to ws-a", is_free=True) == "- 2 to ws-a"


def test_code_on_the_line_of_a_label_is_not_told_of_its_paragraph() -> None:
    """It may be of the one before; and what follows two labels on one line is of the second."""
    lines = [
        "       ONE.",
        "           ADD 1 TO A.",
        "           ADD 1 TO B. TWO. ADD 1 TO C.",
        "           ADD 1 TO D.",
        "       THREE.",
        "           ADD 1 TO E. FOUR. FIVE. ADD 1 TO F.",
        "           ADD 1 TO G.",
        "       SIX.",
        "           ADD 1 TO H.",
    ]
    found = [text for text, _ in told("pay01.cbl", *HEAD[:2], f"{HEAD[2]} GOBACK.", *lines)]
    assert [text for text in found if "adds" in text] == [
        "`ONE` adds to `A`.",
        "`TWO` adds to `D`.",
        "`SIX` adds to `H`.",
    ]


def test_paragraphs_of_one_name_are_told_apart() -> None:
    """Each holds its own words, though another one is called the same."""
    lines = ["       ONE.", "           EXIT.", "       ONE.", "           EXIT."]
    found = told("pay01.cbl", *HEAD[:2], f"{HEAD[2]} GOBACK.", *lines)
    assert [claim for claim in found if "`ONE`" in claim[0]] == [
        ("`ONE` holds nothing but `EXIT`.", ("pay01.cbl:4-5",)),
        ("`ONE` holds nothing but `EXIT`.", ("pay01.cbl:6-7",)),
    ]


def test_a_prompt_holds_no_more_deeds_than_are_told() -> None:
    """However often a paragraph adds, the seventh name only shows that there are others."""
    source = Source(
        "a.cpy", ("       ONE.", *[f"           ADD 1 TO A{n}." for n in range(99)]), ""
    )
    file = PlannedFile.of(source, reader_for(source, readers(60)))
    assert unit_task(file.reading.units[0], file).text.count('"adds to"') == 7
    names = ", ".join(f"`A{n}`" for n in range(5))
    text = f"This part adds to, among others, {names} and `A5`."
    assert told("a.cpy", *source.lines)[0][0] == text


def test_items_are_no_statements() -> None:
    """DISPLAY is how an item is stored; of a copybook of statements it is said what they do."""
    item = "           05 B PIC X(5) DISPLAY VALUE 'HELLO'."
    assert told("a.cpy", "       01  A.", item)[0][0] == "This part declares `A` and `B`."
    assert told("a.cpy", "           IF A CONTINUE.")[0][0] == "This part tests `A`."


@pytest.mark.parametrize(
    ("lines", "last"),
    [
        (["MULTIPLY 2 BY WS-SUM."], "MULTIPLY 2 BY WS-SUM."),
        (["MOVE WS-A TO", *["" for _ in range(8)], "WS-B."], "WS-B."),
    ],
)
def test_a_paragraph_that_nothing_can_be_said_of_is_told_by_its_edges(
    lines: list[str], last: str
) -> None:
    """A statement of a kind that is not told, or a move over very many lines."""
    (text, _), *others = told("a.cpy", "       ONE.", *[f"           {one}" for one in lines])
    assert (text, others) == (f'This part begins with "ONE." and ends with "{last}".', [])


def test_what_stands_before_a_label_is_not_of_its_paragraph() -> None:
    """A paragraph of one word is told by it, whatever its first line begins with."""
    code = "       PROCEDURE DIVISION. DISPLAY 'GO'. ONE. EXIT."
    found = [claim for claim in told("a.cbl", *HEAD[:2], code) if "`ONE`" in claim[0]]
    assert found == [("`ONE` holds nothing but `EXIT`.", ("a.cbl:3-3",))]


def test_moves_without_a_paragraph_are_those_of_the_part() -> None:
    """A copybook may hold nothing but statements."""
    found = told("a.cpy", "           MOVE A-X TO B-X.")
    assert found == [("This part moves `A-X` into `B-X`.", ("a.cpy:1-1",))]


def test_each_part_of_a_map_is_told_by_its_fields() -> None:
    """Of many fields the first and the last are named; a map's second part has its fields only."""
    fields = [f"F{n:03}    DFHMDF POS=(1,{n})" for n in range(1, 151)]
    found = told("A.bms", "SET    DFHMSD", "MAP    DFHMDI SIZE=(24,80)", *fields)
    assert [text for text, _ in found[1:]] == [
        "This part defines the map `MAP` with the fields from `F001` to `F075`.",
        "This part defines the fields from `F076` to `F150`.",
    ]


def test_a_text_that_is_put_together_is_cited_from_its_verb_on() -> None:
    """Where STRING and INTO stand on several lines, all of them are cited."""
    lines = [
        "       ONE.",
        "           ADD 1 TO N.",
        "           STRING A B",
        "             DELIMITED BY",
    ]
    found = told("pay01.cbl", *HEAD, *lines, "             SIZE INTO C-LINE.")
    (said,) = [claim for claim in found if "`ONE`" in claim[0]]
    text = "`ONE` adds to `N`; it puts text into `C-LINE`."
    assert said == (text, ("pay01.cbl:4-8",))


def test_many_moves_are_not_all_listed_and_it_is_said_so() -> None:
    """A reader sees that there are others."""
    (text,) = paragraph(*[f"MOVE A-{n} TO B-{n}." for n in range(9)])
    assert text.startswith("`ONE` moves, among others, `A-0` into `B-0`, ")
    assert text.count(" into ") == 6


@pytest.mark.parametrize(
    ("name", "lines", "text"),
    [
        ("A.csd", ["DEFINE TRANSACTION(LIBL) GROUP(G)", "  PROGRAM(LIBC02)"],
         "The transaction `LIBL` starts the program `LIBC02`."),
        ("A.csd", ["DEFINE MAPSET(LIBSET) GROUP(G)"], "This part defines the mapset `LIBSET`."),
        ("A.csd", ["DEFINE FILE(LOAN) GROUP(G)", "  DSNAME(LIB.LOAN)"],
         "The file `LOAN` is the data set `LIB.LOAN`."),
        ("a.sql", ["CREATE TABLE LIB.FEE", "(ID CHAR(8), PAID DATE, PRIMARY KEY (ID));"],
         "This part creates the table `LIB.FEE` with the columns `ID` and `PAID`; "
         "its key is `ID`."),
        ("a.sql", ["CREATE INDEX LIB.X1 ON LIB.FEE (ID);"],
         "This part creates the index `LIB.X1` on `LIB.FEE`."),
        ("a.sql", ["CREATE TABLE LIB.FEE (M CHAR(8),",
                   "FOREIGN KEY (M) REFERENCES LIB.MEMBER (ID));"],
         "This part creates the table `LIB.FEE` with the column `M`. "
         "It refers to `LIB.MEMBER`."),
        ("a.sql", ["ALTER TABLE LIB.FEE", "ADD FOREIGN KEY (M) REFERENCES LIB.MEMBER (ID);"],
         "The table `LIB.FEE` refers to `LIB.MEMBER`."),
        ("A.bms", ["MAP    DFHMDI SIZE=(24,80)", "       DFHMDF POS=(1,1),INITIAL='Fees'"],
         'This part defines the map `MAP`. It shows "Fees".'),
        ("A.jcl", ["//PAYJOB JOB (A),'PAY ALL STAFF'"],
         'The card of the job `PAYJOB` says "PAY ALL STAFF".'),
        ("A.jcl", ["//PAYJOB JOB (A),'PAYJOB'"], "The job `PAYJOB` begins here."),
        ("A.jcl", ["//PAYJOB JOB (A),'O''BRIEN RUN'"], "The job `PAYJOB` begins here."),
        ("A.jcl", ["//PAYJOB JOB '*',CLASS=A,'PAY ALL'"],
         'The card of the job `PAYJOB` says "PAY ALL".'),
        ("A.cpy", ["       01  PAY-RECORD.", "           05 PAY-SUM PIC 9(5)."],
         "This part declares `PAY-RECORD` and `PAY-SUM`."),
        ("A.cpy", ["       01  PAY-R.", *[f"           05 PAY-{n} PIC 9." for n in range(9)]],
         "This part declares `PAY-R` and the items down to `PAY-8`."),
        ("A.cpy", [f"           05 PAY-{n} PIC 9." for n in range(9)],
         "This part declares the items from `PAY-0` to `PAY-8`."),
        ("A.cpy", ["           88 IS-A VALUE 'A'.", "           88 IS-B VALUE 'B'."],
         "This part declares the conditions `IS-A` and `IS-B`."),
        ("A.cpy", ["       78  MOST VALUE 9."], "This part declares the constant `MOST`."),
        ("A.cpy", ["       78  MOST VALUE 9.", "           88 IS-A VALUE 'A'."],
         "This part declares the names `MOST` and `IS-A`."),
        ("A.cpy", ["       01  PAY-KIND PIC X.", "           88 IS-A VALUE 'A'."],
         "This part declares `PAY-KIND`."),
        ("list.txt", ["CLUSTER --- LIB.LOAN.KSDS", "REC-TOTAL--50 VOL--X'01'"],
         "This part names `LIB.LOAN.KSDS`."),
        ("notes.txt", ["Fees are due at the desk.", "They are paid in cash."],
         '"Fees are due at the desk. They are paid in cash."'),
    ],
)  # fmt: skip
def test_a_part_that_defines_something_is_told_by_what_it_defines(
    name: str, lines: list[str], text: str
) -> None:
    """Transactions, files, tables, jobs and items are named as the cited lines spell them."""
    assert [text for text, _ in told(name, *lines)] == [text]


def test_a_reference_to_a_data_set_is_not_run() -> None:
    """PGM=*.STEP.DD is no name of a program, and the program's own stands in another step."""
    step, dd = "//S6 EXEC PGM=IEFBR14", "//A DD DSN=LIB.LOAD(PAY01),DISP=SHR"
    found = told("A.jcl", "//PAYJOB JOB (A)", step, dd, "//S7 EXEC PGM=*.S6.A")
    assert [text for text, _ in found[1:]] == [
        "`S6` runs `IEFBR14`.",
        'This part begins with "//S7 EXEC PGM=*.S6.A".',
    ]


def test_the_numbers_of_a_card_are_no_text() -> None:
    """What stands in columns 1-6 and 73-80 neither begins nor ends a part."""
    lines = [f"{n:06} {text:65}{n:08}" for n, text in
             enumerate(["ONE-EXIT.", "    EXIT.", "*    THE NEXT PART", ""], 1)]  # fmt: skip
    source = Source(
        "a.cbl", (*HEAD, "       ONE.", "           STOP RUN.", *lines, "000005"), "utf-8"
    )
    file = PlannedFile.of(source, reader_for(source, readers(60)))
    block = unit_task(file.reading.units[-1], file).text.partition('"parts": [')[2]
    part = next(p for p in json.loads(f"[{block.partition(']')[0]}]") if p["name"] == "ONE-EXIT")
    assert (part["begins"], part["ends"]) == ("ONE-EXIT.", "EXIT.")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"000100     {'ADD 1 TO WS-B.':61}00000100", "ADD 1 TO WS-B."),
        (f"           {'ADD 1 TO WS-B.':61}PAY01   ", "ADD 1 TO WS-B.".ljust(61) + "PAY01"),
        (f"           {'ADD 1 TO WS-B.':61}PAYROLLX", "ADD 1 TO WS-B."),
        (f"           {'IF A = B':>46} ADD 1 TO WS-LONG-NAME", "IF A = B ADD 1 TO WS-LONG-NAME"),
        ("000100*    ADD 1 TO WS-B.", ""),
        ("000100", ""),
        ("*> ADD 1 TO WS-B.", ""),
        ("ADD 1 TO WS-B.", "ADD 1 TO WS-B."),
    ],
)
def test_a_name_is_not_cut_where_a_card_might_end(line: str, code: str) -> None:
    """Columns 73-80 are left out only where they hold a number or a word of their own."""
    assert cobol_of(line) == code


@pytest.mark.parametrize(
    ("texts", "kept"),
    [
        (["This part holds no words.", "It pays."], [1, 0]),
        (['"WORK AREAS"', '"It pays the staff."', '"OTHER"'], [1]),
        (['"It pays."', '"DATE FIELDS"', '"No one is paid twice a month."'], [2]),
        (['The card of the job `P` says "PAY ALL".', '"EXECUTE THE PROGRAM FOR PAY"'], [0, 1]),
    ],
)
def test_a_whole_is_composed_of_what_tells_most(texts: list[str], kept: list[int]) -> None:
    """Neither headings nor parts without words say what a file is for, where anything else does."""
    given = [
        {"about": "purpose", "text": text, "cites": [f"{FILE}:{n}"]} for n, text in enumerate(texts)
    ]
    unit = {"file": FILE, "most": 5, "claims": given}
    assert claims(unit) == [given[n] for n in kept]


def test_an_estate_is_told_each_text_once() -> None:
    """Files that say the same count as one."""
    given = [
        {"about": "purpose", "text": f'"{text}"', "cites": [f"{file}:1"]}
        for file, text in (("a", "Runs the program."), ("b", "Runs the program."), ("c", "Pays."))
    ]
    assert claims({"file": "", "most": 5, "claims": given}) == [given[0], given[2]]
