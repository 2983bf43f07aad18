"""The fallback policy: who is asked next, after which errors, and what is told of it."""

from typing import Any

import pytest
from stacked import HELLO, read, stacked, text

from war_rig.errors import (
    AuthenticationError,
    ConfigError,
    PluginError,
    ProviderConnectionError,
    QuotaExceededError,
    ServerError,
)
from war_rig.policies.stack import Stack
from war_rig.providers import LLMProvider
from war_rig.testing import FakeProvider, rehearse

BUSY = ServerError("busy", status=503)


def falling(first: LLMProvider, *others: Stack, **declared: Any) -> Stack:
    """Return *first* with the inner stacks of *others* as its fallbacks."""
    fallback = {"to": [other.name for other in others], **declared}
    hops = [lambda other=other: other.inner for other in others]
    return stacked(first, name="first", hops=hops, fallback=fallback)


def test_another_entry_answers_where_the_first_fails() -> None:
    """The ledger has both, by the names of their entries."""
    second = stacked(FakeProvider("from the second"), name="second")
    answer = rehearse(falling(FakeProvider(BUSY), second).complete(HELLO))
    assert answer.content == "from the second"
    assert [(a.provider, a.outcome) for a in answer.attempts] == [
        ("first", "failed"),
        ("second", "answered"),
    ]


def test_each_fallback_has_its_own_retries() -> None:
    """A hop uses the other entry's inner stack."""
    second = stacked(FakeProvider(replies=[BUSY, "hello"]), name="second", retry={})
    answer = rehearse(falling(FakeProvider(BUSY), second).complete(HELLO))
    assert [a.provider for a in answer.attempts] == ["first", "second", "second"]


def test_a_fallback_s_own_fallbacks_are_not_asked() -> None:
    """Only the entries that the first one names are hops of its calls."""
    third = stacked(FakeProvider("never"), name="third")
    second = stacked(
        FakeProvider(BUSY), name="second", hops=[lambda: third.inner], fallback=["third"]
    )
    with pytest.raises(ServerError):
        rehearse(falling(FakeProvider(BUSY), second).complete(HELLO))


def test_all_that_failed_is_told() -> None:
    """The last error is raised, with a line for each before it."""
    second = stacked(FakeProvider(QuotaExceededError("spent", status=402)), name="second")
    with pytest.raises(QuotaExceededError) as caught:
        rehearse(falling(FakeProvider(BUSY), second).complete(HELLO))
    assert str(caught.value).splitlines()[-1] == "  before it: provider 'first' reports: busy"
    assert str(caught.value).startswith("provider 'second' reports: spent")


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("parameters", [{}, {"top_k": 3}], ids=["of another kind", "no place"])
def test_an_error_that_ends_the_search_tells_what_came_before_it(
    is_stream: bool, parameters: dict[str, Any]
) -> None:
    """Else a refused key of the fallback looks like all that is wrong."""

    class Strict(FakeProvider):
        async def complete(self, messages: Any, temperature: float = 1) -> Any:
            return await super().complete(messages)

        stream = None  # type: ignore[assignment]

    second = stacked(Strict(AuthenticationError("no", status=401)), name="second")
    stack = falling(FakeProvider(BUSY), second)
    with pytest.raises((AuthenticationError, ConfigError)) as caught:
        asked = read(stack, **parameters) if is_stream else stack.complete(HELLO, **parameters)
        rehearse(asked)  # type: ignore[arg-type]
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("provider 'second' ")
    assert lines[-1] == "  before it: provider 'first' reports: busy"


@pytest.mark.parametrize("kinds", [{}, {"on": ["server"]}], ids=["default", "declared"])
def test_other_errors_are_not_replaced(kinds: dict[str, Any]) -> None:
    """A refused key is a fault of the configuration, which a fallback would hide."""
    second = FakeProvider("never")
    stack = falling(
        FakeProvider(AuthenticationError("no", status=401)), stacked(second, name="second"), **kinds
    )
    with pytest.raises(AuthenticationError):
        rehearse(stack.complete(HELLO))
    assert second.calls == []


def test_a_model_is_not_passed_on() -> None:
    """A model's name means nothing to another provider; all other parameters go along."""
    second = FakeProvider("hello", model="its-own")
    stack = falling(FakeProvider(BUSY), stacked(second, name="second"))
    answer = rehearse(stack.complete(HELLO, model="first-model", temperature=0.1, top_p=1))
    assert second.calls[0].parameters == {"temperature": 0.1, "top_p": 1}
    assert answer.model == "its-own"


class Schematic(FakeProvider):
    """One that takes a JSON schema."""

    takes_output_schema = True


@pytest.mark.parametrize(
    ("second", "passed"), [(FakeProvider("x"), {}), (Schematic("x"), {"output_schema": {"a": 1}})]
)
def test_a_schema_is_passed_on_to_who_takes_one(
    second: FakeProvider, passed: dict[str, Any]
) -> None:
    """To another it is left out; the agent asks again where the answer does not fit."""
    stack = falling(Schematic(BUSY), stacked(second, name="second"))
    rehearse(stack.complete(HELLO, output_schema={"a": 1}))
    assert second.calls[0].parameters == passed


def broken() -> Any:
    raise PluginError("provider 'second' could not be built: RuntimeError: no licence\n  its line")


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_fallback_that_can_not_be_built_keeps_nobody_from_the_next(is_stream: bool) -> None:
    """The outage for which they are there goes on; the ledger has why it was not asked."""
    third = stacked(FakeProvider("from the third"), name="third")
    fallback = ["second", "third"]
    stack = stacked(FakeProvider(BUSY), hops=[broken, lambda: third.inner], fallback=fallback)
    asked = rehearse(read(stack))[-1].response if is_stream else rehearse(stack.complete(HELLO))
    assert asked and asked.content == "from the third"
    assert [(a.provider, a.outcome) for a in asked.attempts] == [
        ("fake", "failed"),
        ("second", "refused"),
        ("third", "answered"),
    ]
    reason = "PluginError: provider 'second' could not be built: RuntimeError: no licence"
    assert asked.attempts[1].reason == reason


def test_a_fallback_that_can_not_be_built_hides_no_failure() -> None:
    """What is raised is what a provider said, in the midst or at the end."""
    stack = stacked(FakeProvider(BUSY), hops=[broken], fallback=["second"])
    with pytest.raises(ServerError) as caught:
        rehearse(stack.complete(HELLO))
    assert str(caught.value).splitlines()[-1] == (
        "  not asked: provider 'second' could not be built: RuntimeError: no licence"
    )


def test_a_stream_falls_back_before_its_first_text() -> None:
    """Nobody has read anything yet."""
    second = stacked(FakeProvider("one two"), name="second")
    chunks = rehearse(read(falling(FakeProvider(BUSY), second)))
    assert text(chunks) == "one two"
    assert chunks[-1].response is not None
    assert len(chunks[-1].response.attempts) == 2


def test_a_stream_does_not_fall_back_after_text() -> None:
    """The error says that, so that nobody looks for the fallback's fault."""
    second = FakeProvider("never")
    broken = FakeProvider(["one ", ProviderConnectionError("broke off")])
    with pytest.raises(ProviderConnectionError) as caught:
        rehearse(read(falling(broken, stacked(second, name="second"))))
    assert second.calls == []
    last = str(caught.value).splitlines()[-1]
    assert last == "  no fallback is asked after text that was given already"


def test_a_stream_that_nobody_gives_is_an_error() -> None:
    """The last one's, as with a whole answer."""
    second = stacked(FakeProvider(BUSY), name="second")
    with pytest.raises(ServerError, match="before it: provider 'first'"):
        rehearse(read(falling(FakeProvider(BUSY), second)))
