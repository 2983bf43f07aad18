"""The fake provider of war_rig.testing."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from war_rig.errors import RateLimitError
from war_rig.providers import CompletionChunk, CompletionResponse, LLMProvider, Message
from war_rig.testing import Call, FakeProvider

CONVERSATION = [Message("system", "Be brief."), Message("user", "Hello")]


def ask(fake: FakeProvider, **parameters: Any) -> CompletionResponse:
    return asyncio.run(fake.complete(CONVERSATION, **parameters))


async def read(fake: FakeProvider, **parameters: Any) -> list[CompletionChunk]:
    return [chunk async for chunk in fake.stream(CONVERSATION, **parameters)]


def streamed(fake: FakeProvider, **parameters: Any) -> list[CompletionChunk]:
    return asyncio.run(read(fake, **parameters))


def test_a_fake_is_a_provider() -> None:
    """It fits the protocol, answers "fake", and names its model."""
    fake = FakeProvider()
    assert isinstance(fake, LLMProvider)
    assert fake.default_model == "fake"
    assert FakeProvider(model="m-1").default_model == "m-1"
    assert ask(fake) == CompletionResponse("fake", "fake", 1, usage_source="estimated")


def test_a_fake_gives_one_reply_for_ever() -> None:
    """A reply is given to every call; a word is a token; the model is the one asked for."""
    fake = FakeProvider("a canned reply", model="m-1")
    answers = [ask(fake), ask(fake, model="m-2")]
    assert [(a.content, a.model, a.tokens_used) for a in answers] == [
        ("a canned reply", "m-1", 3),
        ("a canned reply", "m-2", 3),
    ]


def test_a_fake_gives_each_of_several_replies() -> None:
    """Replies, of any kind and from any iterable, are given in turn."""
    replies = iter(["one", RateLimitError("busy"), lambda messages: messages[0].content])
    fake = FakeProvider(replies=replies)
    assert ask(fake).content == "one"
    with pytest.raises(RateLimitError, match="busy"):
        ask(fake)
    assert ask(fake).content == "Be brief."


def test_asking_more_often_than_there_are_replies_fails_the_test() -> None:
    """The call too many is an AssertionError that counts it, and it is kept too."""
    fake = FakeProvider(replies=["one"])
    ask(fake)
    with pytest.raises(AssertionError) as caught:
        ask(fake)
    assert str(caught.value) == "FakeProvider has no reply left for call 2"
    assert len(fake.calls) == 2
    with pytest.raises(AssertionError, match="no reply left for call 1"):
        ask(FakeProvider("not used", replies=[]))


async def later(messages: list[Message]) -> str:
    return "one"


NO_REPLIES: dict[str, tuple[dict[str, Any], str]] = {
    "a dict": ({"reply": {"answer": 42}}, "not {'answer': 42}"),
    "nothing": ({"reply": None}, "not None"),
    "a number": ({"rules": {"Hello": 7}}, "not 7"),
    "an async function": ({"replies": ["one", later]}, "not the async <function later"),
    "a number of a list": ({"reply": ["one", 7]}, "is a text or an exception, not 7"),
    "a text for a list": ({"replies": "one"}, "replies=[...] takes several replies, not 'one'"),
    "one for a list": ({"replies": 7}, "replies=[...] takes several replies, not 7"),
    "a rule of a number": (
        {"rules": {7: "one"}},
        "known by a text or a re.Pattern in it, not by 7",
    ),
}


@pytest.mark.parametrize("name", NO_REPLIES)
def test_what_is_no_reply_is_refused_at_once(name: str) -> None:
    """A reply of the wrong kind is told when the fake is made, with what it may be."""
    given, told = NO_REPLIES[name]
    with pytest.raises(TypeError, match=re.escape(told)):
        FakeProvider(**given)


def test_what_a_function_returns_has_to_be_a_reply() -> None:
    """What can't be known before is told when it is asked for."""
    wanted = (
        "a reply is a text, an exception, a list of pieces, a CompletionResponse, or a function"
    )
    replies: list[Any] = [lambda messages: None, 7]
    for fake in (FakeProvider(replies[0]), FakeProvider(replies=iter(replies[1:]))):
        with pytest.raises(TypeError, match=wanted):
            ask(fake)


def test_a_question_is_not_known_by_a_number() -> None:
    """An assertion says what it takes, whether or not anything was asked."""
    part: Any = 7
    for look in (FakeProvider().assert_asked, FakeProvider().assert_not_asked):
        with pytest.raises(TypeError, match=r"known by a text or a re\.Pattern in it, not by 7"):
            look(part)


def test_a_fake_keeps_what_it_was_asked() -> None:
    """Each call holds its messages and those keywords that were set, failing ones too."""
    fake = FakeProvider(ValueError("no"))
    for parameters in ({}, {"model": "m-2", "temperature": 0.0, "top_p": None}):
        with pytest.raises(ValueError, match="no"):
            ask(fake, **parameters)
    assert fake.calls == [
        Call(CONVERSATION),
        Call(CONVERSATION, {"model": "m-2", "temperature": 0.0, "top_p": None}),
    ]
    assert fake.calls[0].text == "Hello"


def test_a_kept_call_does_not_change_with_the_conversation() -> None:
    """A caller that goes on with its list of messages does not change what was kept."""
    fake = FakeProvider()
    messages = [Message("user", "Hello")]
    asyncio.run(fake.complete(messages))
    messages.append(Message("assistant", "fake"))
    assert fake.calls[0].messages == [Message("user", "Hello")]


def test_two_fakes_share_nothing() -> None:
    """The calls of one fake are not those of another."""
    one, other = FakeProvider(), FakeProvider()
    ask(one)
    assert (len(one.calls), len(other.calls)) == (1, 0)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [("a canned  reply\n", ["a ", "canned  ", "reply\n"]), ("  so", ["  ", "so"]), ("", [])],
)
def test_a_fake_streams_its_reply_word_by_word(text: str, pieces: list[str]) -> None:
    """A text arrives in words; the last chunk has what complete() would return."""
    fake = FakeProvider(text)
    chunks = streamed(fake, model="m-2", temperature=0.0)
    assert [chunk.content for chunk in chunks] == [*pieces, ""]
    assert chunks[-1].response == ask(fake, model="m-2", temperature=0.0)
    assert fake.calls[0] == fake.calls[1]


def test_a_fake_streams_the_pieces_that_it_was_given() -> None:
    """A list is the pieces of one reply, for complete() put together."""
    fake = FakeProvider(["Hel", "lo, ", "you"])
    assert [chunk.content for chunk in streamed(fake)] == ["Hel", "lo, ", "you", ""]
    assert ask(fake).content == "Hello, you"


@pytest.mark.asyncio
async def test_a_fake_fails_after_some_pieces() -> None:
    """An exception among the pieces is raised after those before it."""
    stream = FakeProvider(["Hel", "lo", RateLimitError("busy"), "not sent"]).stream(CONVERSATION)
    assert [(await anext(stream)).content, (await anext(stream)).content] == ["Hel", "lo"]
    with pytest.raises(RateLimitError, match="busy"):
        await anext(stream)
    with pytest.raises(RateLimitError, match="busy"):
        await FakeProvider(["Hel", RateLimitError("busy")]).complete(CONVERSATION)


def test_a_fake_streams_each_of_several_replies() -> None:
    """Replies are given in turn, whether they are streamed or not."""
    fake = FakeProvider(replies=["one", ["t", "wo"], RateLimitError("busy")])
    assert ask(fake).content == "one"
    assert [chunk.content for chunk in streamed(fake)] == ["t", "wo", ""]
    with pytest.raises(RateLimitError, match="busy"):
        streamed(fake)


RULES: dict[str | re.Pattern[str], Any] = {
    "Sum up": "short",
    re.compile(r"^\d+ euros$"): RateLimitError("busy"),
    "Sum": "not reached by what has 'Sum up' in it",
    "euros": lambda messages: f"{len(messages)} messages",
}


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("Please Sum up: a long story", "short"),
        ("Sum: 1 and 2", "not reached by what has 'Sum up' in it"),
        ("about 5 euros", "1 messages"),
        ("sum up", "else"),
        ("", "else"),
    ],
)
def test_the_first_rule_that_fits_the_question_answers(question: str, reply: str) -> None:
    """A text is looked for as it stands, a pattern anywhere; what fits no rule gets the reply."""
    fake = FakeProvider("else", rules=RULES)
    assert asyncio.run(fake.complete([Message("user", question)])).content == reply


def test_a_rule_may_fail_the_call() -> None:
    """What a rule gives is any reply, an exception too; a system message is no question."""
    fake = FakeProvider(rules=RULES)
    with pytest.raises(RateLimitError, match="busy"):
        asyncio.run(fake.complete([Message("user", "5 euros")]))
    asked = [Message("system", "Sum up"), Message("user", "Hello")]
    assert asyncio.run(fake.complete(asked)).content == "fake"
    assert asyncio.run(fake.complete([])).content == "fake"


def test_what_fits_no_rule_takes_the_next_of_several_replies() -> None:
    """A rule's reply uses up none of the others."""
    fake = FakeProvider(rules={"Hello": "hi"}, replies=["one"])
    assert ask(fake).content == "hi"
    assert asyncio.run(fake.complete([Message("user", "Bye")])).content == "one"
    with pytest.raises(AssertionError, match="no reply left for call 3"):
        asyncio.run(fake.complete([Message("user", "Bye")]))


def test_a_whole_response_is_given_as_it_is() -> None:
    """Its tokens, model and reason are the test's own; each call gets a copy."""
    canned = CompletionResponse(
        "two words", "m-9", 120, prompt_tokens=100, completion_tokens=20, finish_reason="length"
    )
    fake = FakeProvider(canned)
    first = ask(fake, model="m-2")
    assert first == canned
    assert [chunk.content for chunk in streamed(fake)] == ["two ", "words", ""]
    assert streamed(fake)[-1].response == canned
    first.tokens_used = 7
    assert ask(FakeProvider(lambda messages: canned)).tokens_used == 120


def asked(*questions: str) -> FakeProvider:
    """Return a fake that was asked these."""
    fake = FakeProvider()
    for question in questions:
        asyncio.run(fake.complete([Message("system", "Be brief."), Message("user", question)]))
    return fake


def test_what_was_asked_is_found_by_a_part_of_it() -> None:
    """A text or a pattern finds the first call whose question has it."""
    fake = asked("Sum up: one", "Sum up: two", "Translate: 5 euros")
    assert fake.assert_asked() is fake.calls[0]
    assert fake.assert_asked("up: two") is fake.calls[1]
    assert fake.assert_asked(re.compile(r"\d")) is fake.calls[2]
    assert fake.assert_asked_once("Translate") is fake.calls[2]
    assert asked("Hello").assert_asked_once().text == "Hello"
    fake.assert_not_asked("Be brief.")
    fake.assert_not_asked(re.compile("^one"))
    FakeProvider().assert_not_asked()


Check = Callable[[FakeProvider], object]
FAILING: list[tuple[tuple[str, ...], Check, str]] = [
    (
        ("Sum up:\n  one", "x" * 120),
        lambda fake: fake.assert_asked("Translate"),
        f"FakeProvider was not asked 'Translate', but:\n  1. Sum up: one\n  2. {'x' * 97}...",
    ),
    (
        (),
        lambda fake: fake.assert_asked_once("Translate"),
        "FakeProvider was not asked 'Translate', nor anything else",
    ),
    ((), lambda fake: fake.assert_asked(), "FakeProvider was not asked"),
    (
        tuple("abcdefghijklmnopqrstuvw"),
        lambda fake: fake.assert_asked(re.compile("[0-9]")),
        "FakeProvider was not asked re.compile('[0-9]'), but:\n"
        + "".join(f"  {n}. {c}\n" for n, c in enumerate("abcdefghijklmnopqrst", 1))
        + "  and 3 more",
    ),
    (
        ("Sum up: one", "Hello", "Sum up: two"),
        lambda fake: fake.assert_asked_once("Sum up"),
        "FakeProvider was asked 'Sum up' 2 times, not once:\n  1. Sum up: one\n  3. Sum up: two",
    ),
    (
        ("one", "two"),
        lambda fake: fake.assert_asked_once(),
        "FakeProvider was asked 2 times, not once:\n  1. one\n  2. two",
    ),
    (
        ("Hello", "Sum up: two"),
        lambda fake: fake.assert_not_asked("Sum up"),
        "FakeProvider was asked 'Sum up':\n  2. Sum up: two",
    ),
    (("Hello",), lambda fake: fake.assert_not_asked(), "FakeProvider was asked:\n  1. Hello"),
]


@pytest.mark.parametrize(("questions", "check", "message"), FAILING)
def test_a_failing_assertion_shows_what_was_asked(
    questions: tuple[str, ...], check: Check, message: str
) -> None:
    """The message lists the questions by number, each in one short line, twenty at the most."""
    with pytest.raises(AssertionError) as caught:
        check(asked(*questions))
    assert str(caught.value) == message
