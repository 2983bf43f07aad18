"""How the kit finds out how to talk to a provider, and what it says where it can't."""

import json
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import test_conformance
from conftest import ROOT
from loopback import answer, serve
from markdown import snippets
from test_conformance import Judge, outcomes

from war_rig.testing.conformance import Kit
from war_rig.testing.conformance import discovery as discovering
from war_rig.testing.conformance import kit as judging
from war_rig.testing.conformance.report import found_out

judge = test_conformance.judge
Shape = Callable[..., Kit]


@pytest.fixture
def shape(judge: Judge) -> Shape:
    """Return a function that loads a provider of house_shapes.py."""
    return lambda name, **options: judge(f"house_shapes:{name}", **options)


def told(kit: Kit) -> str:
    return "\n".join(found_out(kit))


READS = {
    "Shape": "the content at said, the tokens at spent",
    "Nested": "the content at outcome.blasts[0].words, the tokens at outcome.blasts[0].spent",
    "Joined": "the content at blasts[0].w",
    "Got": "the content at murmur",
    "GotElsewhere": "the content at grumble",
    "Modelled": "the content at mumble, the tokens at price",
    "Text": "the content at the whole body",
}


@pytest.mark.parametrize(("name", "reads"), READS.items())
def test_where_an_answer_is_read_is_found_out(name: str, reads: str, shape: Shape) -> None:
    """Keys that failures name, or that stand in the code, are tried until there is an answer."""
    kit = shape(name)
    assert kit.verdict("answer_is_a_response").outcome == "passed"
    assert f"found   it reads {reads}\n" in f"{told(kit)}\n"


GIVEN = {
    "FromTheEnvironment": "SHAPES_API_BASE = the kit's server, SHAPES_TOKEN = a made-up key",
    "WithADefault": "gateway = the kit's server",
    "FromAVariableWithADefault": "SHAPES_GATEWAY = the kit's server",
    "WithHostAndPort": "host = the kit's server",
    "WithABareHost": "host = the kit's server",
    "WithFlags": "given   endpoint = the kit's server",
    "WithAnOddName": "where = the kit's server",
    "FromAnOddVariable": "SHAPES_WHERE = the kit's server",
    "FromHostAndPort": "SHAPES_HOST = the kit's server",
}


@pytest.mark.parametrize(("name", "given"), GIVEN.items())
def test_where_the_api_is_said_is_found_out(name: str, given: str, shape: Shape) -> None:
    """An argument, or a variable however it is read, with an address's name or default is one."""
    kit = shape(name)
    assert kit.verdict("answer_is_a_response").outcome == "passed"
    assert given in told(kit)


INVENTED = {
    "WithAnOddName": {"team = kit", "where = the kit's server", "max_size = 30"},
    "WithHostAndPort": {
        "host = the kit's server", "port = the server's", "verify = True",
        "attempts = kit", "words = kit",
    },
    "Elsewhere": {"team = kit"},
}  # fmt: skip


@pytest.mark.parametrize("name", INVENTED)
def test_what_the_kit_made_up_is_told(name: str, shape: Shape) -> None:
    """The report says what each argument got that is needed, a word or a number too."""
    given = next(line for line in found_out(shape(name)) if line.startswith("given"))
    assert set(given.removeprefix("given   ").split(", ")) >= INVENTED[name]


def test_what_is_set_already_is_not_used(shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    """The author's own key and address stay out of the kit, and are back after it."""
    with serve(answer({})) as real:
        mine = {
            "SHAPES_API_BASE": real.url,
            "SHAPES_TOKEN": "my-real-token",
            "HTTP_PROXY": real.url,
        }
        for name, value in mine.items():
            monkeypatch.setenv(name, value)
        kit = shape("FromTheEnvironment")
        assert kit.verdict("answer_is_a_response").outcome == "passed"
        assert kit.verdict("logs_show_no_key").outcome == "passed"
        assert real.requests == []
    assert {name: os.environ[name] for name in mine} == mine
    assert "SHAPES_RETRIES" not in os.environ


def test_the_author_names_the_argument(shape: Shape) -> None:
    """An argument that is called like nothing, and has a default, is tried once it is named."""
    verdict = shape("WithAnOddDefault").verdict("answer_is_a_response")
    assert (verdict.outcome, verdict.reason) == (
        "not tested",
        "it asked no server, and none of its names looks like an address; say which of its "
        "arguments and variables holds the address of its API, --endpoint NAME: where, share",
    )
    named = shape("WithAnOddDefault", endpoint="Where")
    assert named.verdict("answer_is_a_response").outcome == "passed"


def test_what_needs_no_server_is_tested_anyway(shape: Shape) -> None:
    """Where the API is out of reach, its host is told, nothing is sent to it, and nothing fails."""
    found = outcomes(shape("Elsewhere"))
    assert found["passed"] == {
        "it_is_built", "default_model_is_a_name", "complete_takes_the_call",
    }  # fmt: skip
    assert "failed" not in found
    kit = shape("Elsewhere", option="--war-rig-{} {}")
    reason = kit.verdict("messages_reach_the_api").reason
    assert "stopped llm.example.com: nothing was sent beyond this machine" in told(kit)
    assert reason == (
        "it asked llm.example.com, and none of its names looks like an address; say which of its "
        "arguments and variables holds the address of its API, --war-rig-endpoint NAME: team"
    )


def test_a_provider_without_an_api_is_tested_as_far_as_it_goes(shape: Shape) -> None:
    """A model in this process answers by itself: the rules about its API are not tested."""
    kit = shape("Nowhere")
    found = outcomes(kit)
    assert {"answer_is_a_response", "second_loop_is_served", "stream_adds_up"} <= found["passed"]
    assert "failed" not in found
    assert kit.verdict("error_status_is_no_answer").reason == "it answers without its API"
    blocking = shape("NowhereAndSlow").verdict("slow_answer_blocks_nobody")
    assert (blocking.outcome, blocking.reason[:43]) == (
        "failed", "nothing else ran in the event loop for 1.1 s"[:43],
    )  # fmt: skip


STRICT = {"only": "$content", "this": "$tokens"}
BITS = {"piece": [{"$event": "bit", "text": "$content"}, "$content"], "end": "over"}


def test_an_api_that_can_not_be_found_out_is_told(shape: Shape, tmp_path: Path) -> None:
    """Where no usual answer is understood, the rule says so, and what to pass."""
    verdict = shape("Strict").verdict("answer_is_a_response")
    assert verdict.outcome == "failed"
    assert verdict.missed is not None
    assert verdict.missed.came_back.startswith("it raised RuntimeError: no such answer (")
    assert re.search(r"house_shapes\.py:\d+, in read\)$", verdict.missed.came_back)
    assert verdict.missed.change == (
        "if complete() is right, the kit does not know your API's answers: pass --answer FILE "
        'with an example, "$content" where the text stands (docs/conformance.md#answers)'
    )


RETURN = "return CompletionResponse(content=..., model=..., tokens_used=...)"
UNKNOWN = "if complete() is right, the kit does not know your API's answers: pass --answer FILE"


@pytest.mark.parametrize(("target", "change"), [
    ("house_faults:ReturnsText", RETURN),
    ("house_shapes:SaysWithoutAnApi", RETURN),
    ("house_faults:ReturnsNone", f"{RETURN} wherever it ends; {UNKNOWN}"),
])  # fmt: skip
def test_what_is_returned_in_the_place_of_an_answer_is_told(
    target: str, change: str, judge: Judge
) -> None:
    """A text is not taken for a sign that the kit does not know the API; None may be one."""
    verdict = judge(target).verdict("answer_is_a_response")
    assert verdict.missed is not None
    told = verdict.missed.change or verdict.rule.change
    assert told == change if change == RETURN else told.startswith(change)


def test_what_a_library_reads_is_no_setting(judge: Judge) -> None:
    """The variables that pydantic looks for when it is imported are not proposed as an address."""
    kit = judge("house_shapes:AsksNobody")
    assert "; it seems to have none" in kit.verdict("messages_reach_the_api").reason


def test_a_form_around_the_text_is_the_apis_own(shape: Shape, tmp_path: Path) -> None:
    """How CSV or a form quotes signs of ASCII is not known: they come back in no such answer."""
    example = tmp_path / "answer.csv"
    example.write_text("ok,$content,$tokens")
    kit = shape("Comma", answer=example)
    assert kit.verdict("unicode_is_kept").outcome == "passed"
    assert "the content at the whole body, the tokens there too" in told(kit)


DEFINED = """
providers:
  house:
    type: http
    url: https://llm.example.com/v2/chat
    model: house-1
    request: {turns: $messages, ...: $parameters}
    response: {content: PATH}
    errors: [{path: MISTAKE, raise: ServerError}]
    stream: {request: {live: true}, content: piece, end: END}
"""
ODD = {"PATH": "\"join('', parts[*].text)\"", "MISTAKE": "trouble", "END": "{path: over}"}
WRONG = {"PATH": "text", "MISTAKE": "text", "END": "over"}


@pytest.mark.parametrize(("made", "change"), [
    (ODD, "if the paths under response are right, the kit does not know your API's answers: pass"),
    (WRONG, "correct the paths under response, or the example of its API's answers"),
])  # fmt: skip
def test_a_definition_is_told_which_part_of_it_to_correct(
    made: dict[str, str], change: str, judge: Judge, tmp_path: Path
) -> None:
    """An author who wrote YAML reads of its keys, and of no complete()."""
    text = DEFINED
    for name, value in made.items():
        text = text.replace(name, value)
    (tmp_path / "house.yaml").write_text(text)
    verdict = judge("house", config=tmp_path / "house.yaml").verdict("answer_is_a_response")
    assert verdict.missed is not None
    assert (verdict.missed.change or "").startswith(change)


UNMADE = {
    "response.content: join('', parts[*].text)": {**ODD, "END": "over"},
    "stream.end.path: over && gone": {
        "PATH": "text",
        "MISTAKE": "bad",
        "END": "{path: over && gone}",
    },
}


@pytest.mark.parametrize("path", UNMADE)
def test_a_path_that_can_not_be_turned_round_is_named(
    path: str, judge: Judge, tmp_path: Path
) -> None:
    """What the kit's own answers led to is not told: the path is, and what to pass."""
    text = DEFINED
    for name, value in UNMADE[path].items():
        text = text.replace(name, value)
    (tmp_path / "house.yaml").write_text(text)
    kit = judge("house", config=tmp_path / "house.yaml")
    is_whole = path.startswith("response")
    missed = kit.verdict("answer_is_a_response" if is_whole else "stream_adds_up").missed
    assert missed is not None
    what = "an answer" if is_whole else "a stream"
    assert missed.came_back == f"the kit can't make up {what} for {path}"
    assert "pass --answer FILE with an example" in (missed.change or "")


PATHS = [
    "result.utterances[*].says", "a.b[*].c", "[0].text", "parts[-1].text", "parts[-2].text",
    'output[0]."answer.text"', '"a-b"[].c', "content[?type=='text'].text",
    "answer || result.text", "parts[*]",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_is_made_up_for_a_definitions_path(
    path: str, judge: Judge, tmp_path: Path
) -> None:
    """A path that can be turned round needs no example, whole and in a stream."""
    text = DEFINED.replace("content: piece", "content: PATH").replace("END", "over")
    text = text.replace("PATH", json.dumps(path)).replace("MISTAKE", "bad.text")
    (tmp_path / "house.yaml").write_text(text)
    kit = judge("house", config=tmp_path / "house.yaml")
    assert kit.verdict("stream_adds_up").outcome == "passed"
    assert kit.verdict("unicode_is_kept").outcome == "passed"


def test_the_odd_api_of_the_docs_keeps_the_contract(judge: Judge, tmp_path: Path) -> None:
    """The definition that docs/http.md shows passes every rule, without an example."""
    page = ROOT / "docs" / "http.md"
    shown = next(s.code for s in snippets(page, "yaml") if "blasts[*].sound" in s.code)
    (tmp_path / "foghorn.yaml").write_text(shown)
    found = outcomes(judge("foghorn", config=tmp_path / "foghorn.yaml"))
    assert "failed" not in found
    assert "stream_waits_for_its_end_mark" in found["passed"]


KEYED = """
providers:
  house:
    type: http
    url: https://llm.example.com/v2/chat
    auth: KEYS
    model: house-1
    request: {turns: $messages, ...: $parameters}
    response: {content: text}
"""


@pytest.mark.parametrize(("keys", "given"), [
    ("{header: {name: X-Ticket, value: {command: [touch, FILE]}}}", "auth.header.value"),
    ("{bearer: {file: FILE}}", "auth.bearer"),
    ("{oauth2: {token_url: 'https://l.example.com/token', client_id: me, "
     "client_secret: {command: [touch, FILE]}}}", "auth.oauth2.client_secret"),
])  # fmt: skip
def test_a_key_that_is_fetched_is_made_up(
    keys: str, given: str, judge: Judge, tmp_path: Path
) -> None:
    """No command of a definition is run and no file read: neither is the author's own key."""
    there = tmp_path / "key"
    (tmp_path / "house.yaml").write_text(KEYED.replace("KEYS", keys.replace("FILE", str(there))))
    kit = judge("house", config=tmp_path / "house.yaml")
    rules = ("answer_is_a_response", "errors_show_no_key", "echoed_key_is_known")
    assert [kit.verdict(rule).outcome for rule in rules] == ["passed"] * 3
    assert f"{given} = a made-up key" in told(kit)
    assert not there.exists()


def test_an_example_tells_how_the_api_answers(shape: Shape, tmp_path: Path) -> None:
    """With the author's example nothing else is tried."""
    example = tmp_path / "answer.json"
    example.write_text(json.dumps(STRICT))
    kit = shape("Strict", answer=example)
    assert kit.verdict("answer_is_a_response").outcome == "passed"
    assert "found   it reads the content at only, the tokens at this" in told(kit)
    example.write_text(json.dumps({"only": "$content"}))
    verdict = shape("Strict", answer=example).verdict("answer_is_a_response")
    assert verdict.missed is not None
    assert verdict.missed.change == "correct complete(), or the example of its API's answers"


def test_a_stream_that_asks_for_a_whole_answer_is_one(shape: Shape) -> None:
    """A stream() made of complete() keeps the contract; what is about pieces is not tested."""
    kit = shape("AsksForAWholeAnswer")
    assert kit.verdict("stream_adds_up").outcome == "passed"
    told = kit.verdict("cut_stream_is_no_answer")
    assert (told.outcome, told.reason) == ("not tested", "its stream() asks for a whole answer")


def test_what_can_not_be_read_is_not_judged(shape: Shape) -> None:
    """A request of bytes of an unknown kind is no fault: what is in it is not tested."""
    kit = shape("SendsBytes")
    assert kit.verdict("answer_is_a_response").outcome == "passed"
    verdict = kit.verdict("messages_reach_the_api")
    assert (verdict.outcome, verdict.reason) == (
        "not tested", "the kit can't read what it sends: that is neither JSON nor another text",
    )  # fmt: skip


def test_a_call_in_a_thread_is_not_blamed(judge: Judge) -> None:
    """Nobody can cancel a thread, so that its connection stays open is told, and no fault."""
    verdict = judge("house_faults:RunsInAThread").verdict("cancelled_call_hangs_up")
    assert (verdict.outcome, verdict.reason) == (
        "not tested",
        "the call runs in a thread, which nobody can cancel: give its client a timeout",
    )  # fmt: skip


def test_an_example_tells_how_the_api_streams(shape: Shape, tmp_path: Path) -> None:
    """Its "$stream" has the events of a piece, and those of the end."""
    example = tmp_path / "answer.json"
    example.write_text(json.dumps(STRICT))
    verdict = shape("Strict", answer=example).verdict("stream_adds_up")
    assert verdict.missed is not None
    assert verdict.missed.change == (
        "if stream() is right, the kit does not know your API's stream: pass --answer FILE with "
        'an example that has "$stream" in it (docs/conformance.md#streams)'
    )
    example.write_text(json.dumps({**STRICT, "$stream": {**BITS, "piece": "$content"}}))
    verdict = shape("Strict", answer=example).verdict("stream_adds_up")
    assert verdict.missed is not None
    assert verdict.missed.change == (
        'correct stream(), or "$stream" in the example of its API\'s answers'
    )


def test_an_api_of_texts_is_tested(shape: Shape) -> None:
    """Any text is an answer of such an API, and its streams have no end mark to wait for."""
    kit = shape("StreamsText")
    assert kit.verdict("malformed_answer_is_no_answer").outcome == "passed"
    assert kit.verdict("cut_stream_is_no_answer").outcome == "passed"
    reason = kit.verdict("stream_waits_for_its_end_mark").reason
    assert reason == "the kit knows no end mark of this API"


def test_what_an_api_has_no_place_for_may_be_refused(shape: Shape) -> None:
    """A model, a temperature, turns or a keyword that an error refuses are not left out."""
    found = outcomes(shape("Refuses"))
    assert "failed" not in found
    assert {
        "model_is_passed_on", "temperature_is_passed_on", "roles_are_passed_on",
        "empty_message_is_harmless", "other_keywords_are_taken",
    } <= found["passed"]  # fmt: skip
    assert shape("Refuses").verdict("repr_shows_no_key").reason == (
        "it has no argument, and reads no variable, that is called like a key"
    )


WELL_SENT = [
    "IsColdByItself", "SendsHeatInAHeader", "SendsOneText", "SendsAForm", "SendsAQuery",
    "SendsRolesAsKeys",
]  # fmt: skip


@pytest.mark.parametrize("name", WELL_SENT)
def test_it_does_not_matter_how_something_is_sent(name: str, shape: Shape) -> None:
    """Messages, roles and settings count wherever they are, beside what differs each time."""
    kit = shape(name)
    for rule in (
        "messages_reach_the_api", "unicode_is_kept", "roles_are_passed_on", "model_is_passed_on",
        "temperature_is_passed_on", "long_message_arrives_whole", "calls_at_once_keep_apart",
    ):  # fmt: skip
        assert (kit.verdict(rule).outcome, kit.verdict(rule).reason) == ("passed", "")


def test_a_call_may_take_several_requests(shape: Shape) -> None:
    """Where a job is made first, and asked for then, all that is sent counts."""
    kit = shape("MakesAJob")
    found = outcomes(kit)
    assert "failed" not in found
    assert {"messages_reach_the_api", "temperature_is_passed_on"} <= found["passed"]
    reason = kit.verdict("calls_at_once_keep_apart").reason
    assert reason == "it asks for its answers one by one, and the kit can't tell whose they are"


def test_an_answer_that_is_remembered_can_not_be_cancelled(shape: Shape) -> None:
    """Where a second call does not reach the API, there is nothing to interrupt."""
    verdict = shape("Remembers").verdict("cancellation_is_passed_on")
    assert (verdict.outcome, verdict.reason) == ("not tested", "the call did not reach the API")


def test_rules_about_errors_need_one(shape: Shape) -> None:
    """Who answers to an error fails that rule, and what errors tell is not tested."""
    kit = shape("SaysSorry")
    assert kit.verdict("error_status_is_no_answer").outcome == "failed"
    for name in ("error_carries_its_status", "echoed_key_is_known"):
        verdict = kit.verdict(name)
        told = (verdict.outcome, verdict.reason)
        assert told == ("not tested", "needs an error, and complete() raised none")


def test_what_follows_from_another_rule_is_not_told_twice(judge: Judge) -> None:
    """A rule that could only say the same again is not tested."""
    for name in ("IsNotAsync", "WantsARegion", "TakesNothing"):
        kit = judge(f"house_faults:{name}")
        for rule in ("answer_is_a_response", "model_is_passed_on"):
            reason = kit.verdict(rule).reason
            assert reason == "needs complete_takes_the_call, which failed"
    assert judge("house_faults:TakesNoKeywords").verdict("answer_is_a_response").reason == ""
    kit = judge("house_faults:GivesAllAtOnce")
    reason = kit.verdict("closed_stream_hangs_up").reason
    assert reason == "it gives no piece before the stream has ended"
    kit = judge("house_faults:RaisesWhenBuilt")
    assert kit.verdict("repr_shows_no_key").reason == "needs it_is_built, which failed"
    assert told(kit) == "tested  RaisesWhenBuilt(), house_faults:RaisesWhenBuilt\ngiven   nothing"
    assert judge("house_faults:ClosesAtOnce").verdict("closing_twice_is_harmless").reason == ""


def test_a_stream_without_an_api_is_held_to_the_contract_too(shape: Shape) -> None:
    """What answers by itself has to end its stream with the whole answer."""
    verdict = shape("NowhereWithHalfAStream").verdict("stream_adds_up")
    assert "ended without its last chunk" in verdict.reason


# what no provider should do


def test_who_reads_all_variables_needs_them_set(
    shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be planted that nobody asks for: the advice is to set it, and it is made up."""
    missed = shape("ReadsAll", endpoint="ALL_PLACE").verdict("it_is_built").missed
    assert missed is not None
    told = "it reads all variables at once: set each to any value, as in ACME_API_KEY=x"
    assert missed.change == told
    monkeypatch.setenv("ALL_TOKEN", "a-real-key")
    kit = shape("ReadsAll", endpoint="ALL_PLACE")
    assert kit.verdict("answer_is_a_response").outcome == "passed"
    shown = kit.verdict("repr_shows_no_key").reason
    assert shown.endswith("ReadsAll(sk-canary-all-token-0123456789)")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovering, "_FIRST_ASK_SECONDS", 1.0)
    monkeypatch.setattr(discovering, "_ASK_SECONDS", 1.0)
    monkeypatch.setattr(judging, "_RULE_SECONDS", 1.0)


@pytest.mark.usefixtures("impatient")
def test_a_provider_that_hangs_is_given_up(shape: Shape) -> None:
    """It is asked once, and what needs its answer is not tested."""
    kit = shape("Hangs")
    found = outcomes(kit)
    assert found["failed"] == {"answer_is_a_response"}
    reason = kit.verdict("answer_is_a_response").reason
    assert reason == "it had not ended after 1 s"


@pytest.mark.usefixtures("impatient")
def test_a_call_that_goes_on_has_nothing_real(
    shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a provider does when its time is up, it does with made-up keys, on this machine."""
    monkeypatch.setenv("LATE_API_KEY", "a-real-key")
    kit = shape("AsksLate")
    assert kit.verdict("answer_is_a_response").reason == "it had not ended after 1 s"
    assert kit.verdict("complete_takes_the_call").outcome == "passed"
    late: Any = kit.plan.factory
    late.gate.set()
    (thread,) = kit.stuck
    thread.join(60)
    assert late.met == [
        "sk-canary-late-api-key-0123456789",
        "the conformance kit lets nothing out: 192.0.2.1",
    ]


@pytest.mark.usefixtures("impatient")
def test_a_rule_that_does_not_end_is_missed(shape: Shape) -> None:
    """A hang in one case fails the rule of that case."""
    verdict = shape("HangsOnErrors").verdict("error_status_is_no_answer")
    assert verdict.missed is not None
    assert verdict.missed.came_back == "it had not ended after 1 s"
    assert verdict.missed.change == "bound every wait, and repeat nothing"


@pytest.mark.usefixtures("impatient")
def test_a_stream_that_hangs_is_given_up(shape: Shape) -> None:
    """One stream is asked for, not one in each format."""
    verdict = shape("HangsInItsStream").verdict("stream_adds_up")
    assert verdict.reason == "as sse, it had not ended after 1 s"


def test_a_provider_that_ends_the_process_does_not(shape: Shape) -> None:
    """SystemExit out of a call is a fault, and the run goes on."""
    exits = shape("Exits").verdict("answer_is_a_response")
    assert re.fullmatch(r"it raised SystemExit: 3 \(.*:\d+, in complete\)", exits.reason)
    verdict = shape("ExitsOnErrors").verdict("error_status_is_no_answer")
    assert re.fullmatch(r"it raised SystemExit: 3 \(.*\), which ends the process", verdict.reason)


def test_threads_of_a_provider_are_its_own(shape: Shape) -> None:
    """A provider that starts threads is tested as any other."""
    before = threading.active_count()
    found = outcomes(shape("StartsThreads"))
    assert "failed" not in found
    assert threading.active_count() > before
