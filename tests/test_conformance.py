"""The conformance kit: each fault is found by its own rule, and by no other; good ones pass."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from markdown import snippets
from test_guide import GUIDES, OWN, plugin_of

from war_rig.testing.conformance import Kit
from war_rig.testing.conformance.report import found_out
from war_rig.testing.conformance.rules import RULES

Judge = Callable[..., Kit]

EXAMPLE = {
    "reply": {"words": "$content"},
    "cost": "$tokens",
    "$stream": {"format": "ndjson", "piece": {"words": "$content"}, "end": {"over": True}},
}
"""How the API of house_faults.py answers."""


@pytest.fixture
def judge() -> Iterator[Judge]:
    """Return a function that loads a provider into a kit of its own."""
    kits = []

    def load(target: str, **options: object) -> Kit:
        kit = Kit(target, **options)  # type: ignore[arg-type]
        kits.append(kit)
        kit.load()
        return kit

    yield load
    for kit in kits:
        kit.close()


@pytest.fixture
def house(judge: Judge, tmp_path: Path) -> Judge:
    """Return a function that loads a provider of house_faults.py, whose API is told to the kit."""
    example = tmp_path / "answer.json"
    example.write_text(json.dumps(EXAMPLE))
    return lambda name: judge(f"house_faults:{name}", answer=example)


def outcomes(kit: Kit) -> dict[str, set[str]]:
    """Return the names of the rules that came to each outcome."""
    found: dict[str, set[str]] = {}
    for name in RULES:
        found.setdefault(kit.verdict(name).outcome, set()).add(name)
    return found


EIGHT = {
    "AnswersOn500": "error_status_is_no_answer",
    "LeaksTheKey": "repr_shows_no_key",
    "Blocks": "slow_answer_blocks_nobody",
    "SharesItsClient": "second_loop_is_served",
    "IgnoresTheModel": "model_is_passed_on",
    "ReturnsNone": "answer_is_a_response",
    "DropsUnicode": "unicode_is_kept",
    "SwallowsCancellation": "cancellation_is_passed_on",
}


@pytest.mark.parametrize(("name", "rule"), EIGHT.items())
def test_a_seeded_fault_fails_exactly_its_rule(name: str, rule: str, house: Judge) -> None:
    """Of all rules, a provider with one fault misses the one that is about it."""
    found = outcomes(house(name))
    assert (found.get("failed"), found.get("missed", set())) == ({rule}, set())


@pytest.mark.parametrize("name", ["House", "Numbered"])
def test_a_careful_provider_keeps_every_rule(name: str, judge: Judge) -> None:
    """A provider with a stream passes all that there is, without a word about its API."""
    assert outcomes(judge(f"house_faults:{name}")) == {"passed": set(RULES)}


OTHERS = {
    "RaisesWhenBuilt": ("it_is_built", "LookupError: no such region"),
    "ExitsWhenBuilt": ("it_is_built", "SystemExit: no licence"),
    "HasNoModel": ("default_model_is_a_name", "it is None"),
    "HasABrokenModel": ("it_is_built", "raised LookupError from its default_model: no such model"),
    "HasAMoodyModel": ("default_model_is_a_name", "it raised LookupError: no such model today"),
    "TakesNoKeywords": ("complete_takes_the_call", "other keywords, such as max_tokens, are not"),
    "WantsARegion": ("complete_takes_the_call", "'region' can't be passed by keyword; 'kind' has"),
    "TakesNothing": ("complete_takes_the_call", "nothing takes the messages, which are passed by"),
    "IsNotAsync": ("complete_takes_the_call", "it is not async, so there is nothing to await"),
    "StreamsWithoutKeywords": ("stream_takes_the_call", "other keywords, such as max_tokens, are"),
    "ClosesOnce": ("closing_twice_is_harmless", "it raised RuntimeError: already closed"),
    "ClosesOnceWhenUsed": ("closing_twice_is_harmless", "it raised RuntimeError: nothing is open"),
    "ReturnsText": ("answer_is_a_response", "complete() returned a str: 'kit-mark-0.'"),
    "ShoutsIt": ("answer_is_a_response", "content='KIT-MARK-0.'"),
    "AddsAWord": ("answer_is_a_response", "content='Answer: Hello from the conformance kit.'"),
    "TellsNoModel": ("answer_is_a_response", "model=None, tokens_used=7"),
    "CountsInText": ("tokens_are_counted", "tokens_used='7'"),
    "CountsPartsInText": ("tokens_are_counted", "prompt_tokens was -1"),
    "SendsTheLastMessage": (
        "messages_reach_the_api",
        "the system's 'Kit says be brief.' is not in",
    ),
    "SendsNoRoles": ("roles_are_passed_on", "the API was sent the same: POST / {"),
    "NumbersWithoutRoles": ("roles_are_passed_on", "the API was sent the same: POST / {"),
    "NumbersWithoutAZero": ("temperature_is_passed_on", "it was left out, as if none had been"),
    "CrashesAtAModel": ("model_is_passed_on", "'str' object has no attribute 'lowercase'"),
    "ReturnsNoneForAModel": ("model_is_passed_on", "complete() returned None"),
    "CrashesAtATemperature": ("temperature_is_passed_on", "it raised NameError: name 'temprature'"),
    "BreaksUnicodeAnswers": ("unicode_is_kept", "content was 'Gr??e, ??"),
    "CutsLongMessages": ("long_message_arrives_whole", "the API was sent 100"),
    "AnswersNothingToNothing": ("empty_message_is_harmless", "complete() returned None"),
    "IgnoresTheTemperature": ("temperature_is_passed_on", "it answered, but 0.37 is not in POST /"),
    "LeavesOutAZero": ("temperature_is_passed_on", "it was left out, as if none had been given"),
    "RefusesKeywords": ("other_keywords_are_taken", "it raised TypeError: unexpected max_tokens"),
    "AnswersToAnything": ("malformed_answer_is_no_answer", "content='Sorry?'"),
    "TakesHalfAnAnswer": ("cut_answer_is_no_answer", "content='Hello from the conformance kit.'"),
    "HidesTheStatus": ("error_carries_its_status", "it raised LookupError: no answer, with no st"),
    "HidesTheWait": ("error_carries_its_retry_after", "it raised HouseError: status 429, which t"),
    "Repeats": ("call_is_one_request", "it was asked 2 times for one call"),
    "LeavesATask": ("cancellation_is_passed_on", "tasks were left behind: House.send"),
    "RaisesWhenCancelled": ("cancellation_is_passed_on", "it raised RuntimeError: interrupted"),
    "GoesOnWhenCancelled": ("cancellation_is_passed_on", "complete() was still running"),
    "KeepsItsConnections": ("cancelled_call_hangs_up", "its connection was still open"),
    "AnswersOnce": ("second_loop_is_served", "in number 2 complete() returned None"),
    "KeepsTheCall": ("calls_at_once_keep_apart", "got another's: 'kit call"),
    "ShowsTheKeyInErrors": ("errors_show_no_key", "it shows the key of api_key: HouseError"),
    "LogsTheKey": ("logs_show_no_key", "the key of api_key in: sending {'X-Key': 'sk-canary"),
    "PrintsTheKey": ("logs_show_no_key", "the key of api_key in: using sk-canary-api-key"),
    "WarnsOfTheKey": ("logs_show_no_key", "the key of api_key in: UserWarning: asking with sk-"),
    "LogsBasicAuth": ("logs_show_no_key", "the key of api_key (in base64) in: sending {'Autho"),
    "ShowsBasicAuth": ("repr_shows_no_key", "of api_key (in base64): ShowsBasicAuth({'Authoriz"),
    "TellsBasicAuth": (
        "errors_show_no_key",
        "it shows the key of api_key (in base64): HTTPStatusE",
    ),
    "CallsItsKeyAWord": ("echoed_key_is_known", "War Rig's error shows the key of credential"),
    "StreamsOtherWords": ("stream_adds_up", "put together, are not the content of its response"),
    "ShoutsItsStream": ("stream_adds_up", "as ndjson, its content was 'HELLO FROM THE KIT.', not"),
    "StreamsNoGenerator": ("stream_adds_up", "it gave a coroutine from stream(): its 'async def'"),
    "DecodesEachPart": ("stream_keeps_unicode", "content was 'Gre, ,.'"),
    "SplitsAtEveryLineSeparator": ("stream_keeps_unicode", "JSONDecodeError"),
    "StreamsErrors": ("stream_error_is_no_answer", "its last chunk had a response: 'Sorry.'"),
    "EndsHalfAStream": ("cut_stream_is_no_answer", "its last chunk had a response: 'Hello from"),
    "EndsWithoutItsMark": ("stream_waits_for_its_end_mark", "its last chunk had a response: 'Hel"),
    "GivesAllAtOnce": ("stream_gives_pieces_at_once", "the first was given on after the second"),
    "StreamsOn": ("closed_stream_hangs_up", "its connection was still open"),
}


@pytest.mark.parametrize(("name", "rule", "came_back"), [(n, *told) for n, told in OTHERS.items()])
def test_every_fault_is_found_by_its_rule(
    name: str, rule: str, came_back: str, house: Judge
) -> None:
    """There is a provider that misses each rule, and it is told what came back from it."""
    verdict = house(name).verdict(rule)
    assert verdict.outcome == ("failed" if RULES[rule].is_required else "missed")
    assert came_back in verdict.reason


STREAMED = {
    "StreamsTheLastMessage": ("messages_reach_the_api", "the system's 'Kit says be brief.' is not"),
    "StreamsWithoutRoles": ("roles_are_passed_on", "the API was sent the same: POST / {"),
    "StreamsNoTurns": ("messages_reach_the_api", "it gave a stream that ended without its last"),
    "StreamsNothingToNothing": ("empty_message_is_harmless", "it gave a stream that ended without"),
    "StreamsNoOtherModel": ("model_is_passed_on", "it gave a stream that ended without its last"),
    "StreamsWithoutUnicode": ("unicode_is_kept", "the API was sent POST / {"),
    "StreamsTheBeginning": ("long_message_arrives_whole", "the API was sent 100"),
    "StreamsWithoutTheModel": ("model_is_passed_on", "'kit-other-model' is not in POST / {"),
    "StreamsWithoutTheTemperature": ("temperature_is_passed_on", "it answered, but 0.37 is not in"),
    "StreamsWithoutAZero": ("temperature_is_passed_on", "it was left out, as if none had been"),
    "StreamsTheKeyInErrors": ("errors_show_no_key", "it shows the key of api_key: HouseError"),
    "PrintsTheKeyInItsStream": ("logs_show_no_key", "the key of api_key in: sending {'X-Key"),
    "BlocksInItsStream": ("slow_answer_blocks_nobody", "nothing else ran in the event loop for"),
}


@pytest.mark.parametrize(
    ("name", "rule", "came_back"), [(n, *told) for n, told in STREAMED.items()]
)
def test_a_stream_is_held_to_what_an_answer_is(
    name: str, rule: str, came_back: str, house: Judge
) -> None:
    """What only stream() leaves out, shows or blocks fails the same rule, which names it."""
    verdict = house(name).verdict(rule)
    assert verdict.outcome == "failed"
    assert came_back in verdict.reason
    assert verdict.missed is not None
    assert "stream(" in verdict.missed.sent


def test_every_rule_can_fail() -> None:
    """No rule is without a provider that misses it."""
    assert {*EIGHT.values(), *(rule for rule, _ in OTHERS.values())} == set(RULES)


# good ones


@pytest.fixture
def guides_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Return a function that puts a class of a guide where it can be imported, and names it."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    name = f"guides_{tmp_path.name}"

    def supply(code: str, attribute: str) -> str:
        (tmp_path / f"{name}.py").write_text(code)
        return f"{name}:{attribute}"

    yield supply
    sys.modules.pop(name, None)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
@pytest.mark.parametrize("part", ["code", "manual"])
def test_the_guides_provider_keeps_the_contract(
    guide: Path, part: str, judge: Judge, guides_class: Callable[..., str]
) -> None:
    """What a guide shows, unedited, passes every required rule; the recommended ones are told."""
    plugin = plugin_of(guide)
    code: str = getattr(plugin, part).code
    found = outcomes(judge(guides_class(code, plugin.attribute)))
    errors_tell = "raise_for_status()" in code
    assert found.get("failed") is None
    assert found.get("missed", set()) == (
        set() if errors_tell else {"error_carries_its_status", "error_carries_its_retry_after"}
    )
    assert found["not tested"] == {"closing_twice_is_harmless", *STREAMS}


STREAMS = {name for name in RULES if "stream" in name}


def test_the_guides_stream_keeps_the_contract(
    judge: Judge, guides_class: Callable[..., str]
) -> None:
    """The class with a stream that our guide shows passes every rule, those of streams too."""
    base = plugin_of(OWN)
    streaming = next(s.code for s in snippets(OWN, "python") if "class StreamingAcme" in s.code)
    kit = judge(guides_class(f"{base.manual.code}\n{streaming}", "StreamingAcmeProvider"))
    assert outcomes(kit)["passed"] == set(RULES) - {"closing_twice_is_harmless"}


HOUSE = """
providers:
  house:
    type: http
    url: https://llm.example.com/v2/chat
    auth: {bearer: "${HOUSE_KEY}"}
    model: house-1
    request: {model: $model, turns: $messages, ...: $parameters}
    response: {content: "blasts[1].words", total_tokens: cost, model: told.by}
    stream:
      format: ndjson
      request: {in_pieces: true}
      content: piece
      end: {path: state.is, equals: [over, "off"]}
"""


def test_an_api_in_yaml_keeps_the_contract(judge: Judge, tmp_path: Path) -> None:
    """An entry of type http passes, and its API answers as its own paths say."""
    (tmp_path / "house.yaml").write_text(HOUSE)
    kit = judge("house", config=tmp_path / "house.yaml")
    assert outcomes(kit) == {"passed": set(RULES)}
    assert "the content at blasts[1].words, the tokens at cost" in "\n".join(found_out(kit))


def test_openai_keeps_the_contract(judge: Judge) -> None:
    """The built-in provider passes every rule, the recommended ones too."""
    assert outcomes(judge("openai")) == {"passed": set(RULES)}


@pytest.mark.parametrize("name", ["anthropic", "gemini", "ollama", "groq"])
def test_a_shipped_definition_is_found_out_about(name: str, judge: Judge) -> None:
    """Of a vendor's API the kit finds out how it answers and streams."""
    kit = judge(name)
    assert kit.verdict("stream_waits_for_its_end_mark").outcome == "passed"
