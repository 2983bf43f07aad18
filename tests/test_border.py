"""The host's side of the contract: an answer, or one of our errors, whatever a provider does."""

import asyncio
from math import inf, nan
from typing import Any

import pytest
from canary import CANARY, leaks

from war_rig.errors import (
    AuthenticationError,
    ConfigError,
    MalformedAnswerError,
    PluginError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitError,
    WarRigError,
)
from war_rig.providers import CompletionChunk, CompletionResponse, LLMProvider, Message
from war_rig.providers.answers import checked
from war_rig.providers.border import Border
from war_rig.providers.secrets import RedactedError

HELLO = [Message("user", "Hello")]
NEXT_STEP = "its code has to be corrected: docs/contract.md says what it returns"
ASK_OTHERWISE = MalformedAnswerError.next_step


class Scripted:
    """Returns what it was given, or raises it, and keeps the keywords it was called with."""

    default_model: Any = "m-1"

    def __init__(self, reply: Any = None) -> None:
        self.reply = CompletionResponse("Hi", "m-1", 3) if reply is None else reply
        self.calls: list[dict[str, Any]] = []

    async def complete(self, messages: list[Message], **kwargs: Any) -> Any:
        self.calls.append(kwargs)
        if isinstance(self.reply, BaseException):
            raise self.reply
        return self.reply


class Nothing(Scripted):
    """Returns None."""

    async def complete(self, messages: list[Message], **kwargs: Any) -> Any:
        return None


def ask(provider: Any, **parameters: Any) -> CompletionResponse:
    border = Border("house", provider, {CANARY})
    return asyncio.run(border.complete(HELLO, **parameters))


def failure(provider: Any, **parameters: Any) -> Any:
    with pytest.raises(WarRigError) as caught:
        ask(provider, **parameters)
    assert caught.value.__context__ is None
    return caught.value


def test_what_nobody_set_is_left_out() -> None:
    """A model or temperature of None is not passed on; all else is, None and zero too."""
    provider = Scripted()
    ask(provider, model=None, temperature=None)
    ask(provider, model="m-2", temperature=0.0, top_p=None)
    assert provider.calls == [{}, {"model": "m-2", "temperature": 0.0, "top_p": None}]


def test_everything_after_the_messages_is_passed_by_keyword() -> None:
    """A provider may take its parameters as keywords only, and in any order."""

    class Strict(Scripted):
        async def complete(
            self, messages: Any, *, temperature: float = 1.0, model: str = "m-1"
        ) -> Any:
            return CompletionResponse(f"{messages[0].content} {temperature}", model, 1)

    answer = ask(Strict(), model="m-2", temperature=0.5)
    assert (answer.content, answer.model) == ("Hello 0.5", "m-2")


@pytest.mark.parametrize("method", ["complete", "stream"])
def test_what_a_provider_does_to_its_messages_is_its_own_affair(method: str) -> None:
    """It gets a list of its own: a retry, a fallback and the caller still have all of theirs."""

    class Taking(Scripted):
        async def complete(self, messages: list[Message], **kwargs: Any) -> Any:
            return CompletionResponse(messages.pop().content, "m-1", 3)

    class Streaming(Taking):
        async def stream(self, messages: list[Message], **kwargs: Any) -> Any:
            answer = await self.complete(messages)
            yield CompletionChunk(answer.content, answer)

    async def ask(messages: list[Message]) -> None:
        for provider in (Taking(), Streaming()):
            border = Border("house", provider)
            if method == "complete":
                await border.complete(messages)
            else:
                assert [chunk async for chunk in border.stream(messages)]

    asyncio.run(ask(asked := list(HELLO)))
    assert asked == HELLO


def test_a_keyword_that_the_provider_can_not_take_is_an_error() -> None:
    """What complete() does not name is refused before it is called, with what it takes."""

    class Strict(Scripted):
        async def complete(self, messages: Any, model: str = "", seed: int = 0) -> Any:
            raise AssertionError("not called")

    error = failure(Strict(), temperature=0.5, depth=1)
    assert type(error) is ConfigError
    assert str(error) == (
        "provider 'house' does not take 'depth' and 'temperature'\n"
        "  its complete() takes: messages, model, seed\n"
        "  remove it from the agent in war_rig.yaml, or from the call"
    )


def test_a_provider_that_takes_messages_only_says_so() -> None:
    """A complete() without any keyword is called with none, and the error lists no other."""

    class Bare(Scripted):
        async def complete(self, messages: Any) -> Any:
            return self.reply

    assert ask(Bare()).content == "Hi"
    assert str(failure(Bare(), model="m")) == (
        "provider 'house' does not take 'model'\n"
        "  its complete() takes: messages\n"
        "  remove it from the agent in war_rig.yaml, or from the call"
    )


def test_a_parameter_that_is_positional_only_is_none_to_pass() -> None:
    """Everything is passed by keyword, so a parameter before a slash can't be given."""

    class Slashed(Scripted):
        async def complete(self, messages: Any, model: str = "m", /, *more: Any, seed=0) -> Any:
            return self.reply

    assert ask(Slashed(), seed=1).content == "Hi"
    assert "does not take 'model'\n  its complete() takes: messages, seed\n" in str(
        failure(Slashed(), model="m-2")
    )


def test_a_complete_without_a_signature_takes_any_keyword() -> None:
    """Where Python can't tell what complete() takes, everything is passed on."""

    class Unreadable(Scripted):
        @property
        def complete(self) -> Any:  # type: ignore[override]
            return dict  # a callable written in C, which makes no answer

    error = failure(Unreadable(), depth=1)
    assert type(error) is MalformedAnswerError


def test_an_answer_is_completed() -> None:
    """Token counts and the model that the provider left out are filled in."""
    empty: Any = None
    assert ask(Scripted(CompletionResponse("Hi", empty, empty))) == CompletionResponse(
        "Hi", "m-1", 0
    )
    assert ask(Scripted(CompletionResponse("Hi", "", 3)), model="m-2").model == "m-2"
    assert ask(Scripted(CompletionResponse("Hi", "m-3", 3))).model == "m-3"
    assert checked(CompletionResponse("Hi", "", 3), "house").model == "unknown"


EMPTY: Any = None
FAULTS: dict[str, tuple[Any, str]] = {
    "None": (Nothing(), "None instead of an answer"),
    "text": (Scripted("Hi"), "a str instead of a CompletionResponse"),
    "dict": (Scripted({"content": "Hi"}), "a dict instead of a CompletionResponse"),
    "no text": (
        Scripted(CompletionResponse(EMPTY, "m-1", 1)),
        "an answer whose content is a NoneType, not text",
    ),
    "empty": (Scripted(CompletionResponse("", "m-1", 1)), "an answer without content"),
    "empty, with its reason": (
        Scripted(CompletionResponse("", "m-1", 1, finish_reason="length")),
        "an answer without content (finish reason: length)",
    ),
    "tokens": (
        Scripted(CompletionResponse("Hi", "m-1", "3")),  # type: ignore[arg-type]
        "an answer whose tokens_used is a str, not a count",
    ),
    "tokens that are none": (
        Scripted(CompletionResponse("Hi", "m-1", 3, completion_tokens=True)),
        "an answer whose completion_tokens is a bool, not a count",
    ),
    "model": (
        Scripted(CompletionResponse("Hi", ["m-1"], 3)),  # type: ignore[arg-type]
        "an answer whose model is a list, not text",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_no_answer_is_said(name: str) -> None:
    """Anything but a CompletionResponse with text is a malformed answer that says what it is."""
    provider, fault = FAULTS[name]
    error = failure(provider)
    assert type(error) is MalformedAnswerError
    step = ASK_OTHERWISE if "without content" in fault else NEXT_STEP
    assert str(error) == f"provider 'house' returned {fault}\n  model m-1\n  {step}"
    assert (error.provider, error.model, error.is_retryable) == ("house", "m-1", False)
    assert error.__cause__ is None


@pytest.mark.parametrize("returned", [CompletionResponse("Hi", "m-1", 3), None, "Hi"])
def test_a_complete_that_is_not_async_is_said(returned: Any) -> None:
    """A complete() without `async` is told how to be written, whatever it returns."""

    class Sync(Scripted):
        def complete(self, messages: Any, **kwargs: Any) -> Any:  # type: ignore[override]
            return returned

    error = failure(Sync())
    assert type(error) is MalformedAnswerError
    assert str(error) == (
        f"provider 'house' returned a {type(returned).__name__} at once: complete() is not async, "
        f"write 'async def complete'\n  model m-1\n  {NEXT_STEP}"
    )
    assert error.__cause__ is None


def test_an_awaitable_of_another_kind_is_awaited() -> None:
    """A plain complete() may return anything that can be awaited."""

    class Delegating(Scripted):
        def complete(self, messages: Any, **kwargs: Any) -> Any:  # type: ignore[override]
            return asyncio.ensure_future(Scripted().complete(messages))

    assert ask(Delegating()).content == "Hi"


def test_what_complete_raises_before_it_is_awaited_is_classified() -> None:
    """A plain complete() that raises at once is classified like one that is awaited."""

    class Hasty(Scripted):
        def complete(self, messages: Any, **kwargs: Any) -> Any:  # type: ignore[override]
            raise TimeoutError

    assert type(failure(Hasty())) is ProviderTimeoutError


def test_any_exception_is_one_of_our_errors() -> None:
    """An exception that tells nothing is a plain ProviderError with its type and text."""
    error = failure(Scripted(RuntimeError("the pump\nstopped")), model="m-2")
    assert type(error) is ProviderError
    assert str(error) == (
        "provider 'house' raised RuntimeError: the pump stopped\n"
        "  model m-2\n"
        "  see the text above; the option --debug of war-rig shows the traceback"
    )
    assert (error.provider, error.model, error.is_retryable) == ("house", "m-2", False)


def test_our_own_error_keeps_what_it_declares() -> None:
    """A provider that raises our error decides its kind, status, wait and whether to retry."""
    raised = RateLimitError(
        "busy", provider="x", model="y", status=429, retry_after_seconds=2.5, is_retryable=False
    )
    error = failure(Scripted(raised))
    assert error is not raised
    assert type(error) is RateLimitError
    assert str(error) == (
        "provider 'house' reports: busy\n"
        "  model m-1; the server asks to wait 2.5 s\n"
        "  wait and ask again, or ask less often"
    )
    assert (error.provider, error.model, error.status) == ("house", "m-1", 429)
    assert (error.retry_after_seconds, error.is_retryable) == (2.5, False)


@pytest.mark.parametrize(
    ("declared", "kept"),
    [
        ({"status": "500"}, (None, None, True)),
        ({"status": 7}, (None, None, True)),
        ({"retry_after_seconds": "5"}, (None, 5.0, True)),
        ({"retry_after_seconds": -3}, (None, 0.0, True)),
        ({"retry_after_seconds": nan}, (None, None, True)),
        ({"retry_after_seconds": inf}, (None, None, True)),
        ({"retry_after_seconds": [1]}, (None, None, True)),
        ({"is_retryable": "no"}, (None, None, True)),
        ({"is_retryable": False}, (None, None, False)),
    ],
    ids=str,
)
def test_what_our_own_error_can_not_mean_is_left_out(
    declared: dict[str, Any], kept: tuple[int | None, float | None, bool]
) -> None:
    """Policies count with what an error says, so no plugin's slip may get as far as there."""
    error = failure(Scripted(RateLimitError("busy", **declared)))
    assert type(error) is RateLimitError
    assert (error.status, error.retry_after_seconds, error.is_retryable) == kept


def test_a_provider_may_say_what_it_did_itself() -> None:
    """Where a provider's texts go on after its name, they stand there without 'reports'."""

    class Plain(Scripted):
        errors_are_predicates = True

    error = failure(Plain(RateLimitError("ran dry")))
    assert str(error).splitlines()[0] == "provider 'house' ran dry"


OURS = "check the key and its rights: war-rig providers show house"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, OURS),
        ("look", OURS),
        ({RateLimitError: "look"}, OURS),
        ({AuthenticationError: "look at {provider}'s\nbadge"}, "look at house's badge"),
    ],
)
def test_a_provider_may_say_what_to_do_next(said: object, expected: str) -> None:
    """What it says of a kind of error takes the place of our own advice."""

    class Helpful(Scripted):
        next_steps = said

    error = failure(Helpful(AuthenticationError("no")))
    assert str(error).splitlines()[-1] == f"  {expected}"


@pytest.mark.parametrize("kind", [ConfigError, PluginError])
def test_our_error_that_is_no_providererror_stays_what_it_is(kind: type[WarRigError]) -> None:
    """A ConfigError of a provider keeps its kind and its text."""
    error = failure(Scripted(kind("the model file is gone")))
    assert type(error) is kind
    assert str(error) == "the model file is gone"


class OwnConfigError(ConfigError):
    """What a plugin derives from ours, with a constructor of its own."""

    def __init__(self, key: str, file: str) -> None:
        super().__init__(f"{key} is missing in {file}")


class OwnLimitError(RateLimitError):
    """As above, for an error that is classified."""

    def __init__(self, message: str, tier: str) -> None:
        super().__init__(f"{message} in tier {tier}", status=429)
        self.tier = tier


class ForgetfulError(AuthenticationError):
    """A subclass that never calls our constructor."""

    def __init__(self, text: str) -> None:
        Exception.__init__(self, text)


@pytest.mark.parametrize(
    ("raised", "kind", "text"),
    [
        (OwnConfigError("depth", "my.yaml"), ConfigError, "depth is missing in my.yaml"),
        (OwnLimitError("busy", "free"), RateLimitError, "busy in tier free"),
        (ForgetfulError("no such key"), AuthenticationError, "no such key"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_derived_from_ours_is_ours(
    raised: WarRigError, kind: type[WarRigError], text: str
) -> None:
    """A plugin may derive from our errors, and give its own ones any constructor."""
    error = failure(Scripted(raised))
    assert isinstance(error, kind)
    assert text in str(error)


def test_an_exception_that_can_not_be_shown_is_one_of_our_errors() -> None:
    """An exception whose own text raises does not break the border."""

    class UnspeakableError(Exception):
        def __str__(self) -> str:
            raise ValueError("no text")

    assert type(failure(Scripted(UnspeakableError()))) is ProviderError


def caused_by(cause: Exception | None, error: Exception) -> Exception:
    error.__cause__ = cause
    return error


LEAKS: dict[str, Exception] = {
    "any": RuntimeError(f"key {CANARY}"),
    "in an attribute": caused_by(ValueError(CANARY), RuntimeError("clean")),
    "ProviderError": AuthenticationError(f"key {CANARY}", provider=CANARY, model=CANARY),
    "its cause": caused_by(ValueError(CANARY), AuthenticationError("clean")),
    "ConfigError": ConfigError(f"key {CANARY}"),
    "cause of a ConfigError": caused_by(ValueError(CANARY), ConfigError("clean")),
    "slip": KeyError(CANARY),
}


@pytest.mark.parametrize("name", LEAKS)
def test_no_error_shows_or_reaches_a_secret(name: str) -> None:
    """A key in a provider's exception, or in what it reaches, is in no error of ours."""
    error = failure(Scripted(LEAKS[name]))
    assert leaks(error) == []
    assert "***" in str(error) or type(error.__cause__) is RedactedError


def test_no_malformed_answer_shows_a_secret() -> None:
    """What the provider says of an empty answer, and the model it was asked for, are cleared."""
    answer = CompletionResponse("", "m-1", 1, finish_reason=f"bad key {CANARY}")
    error = failure(Scripted(answer), model=f"m-{CANARY}")
    assert leaks(error) == []
    assert "(finish reason: bad key ***)\n  model m-***\n" in str(error)


def test_a_clean_exception_is_kept_as_the_cause() -> None:
    """The original exception is the cause where it reaches no secret."""
    raised = RuntimeError("the pump stopped")
    assert failure(Scripted(raised)).__cause__ is raised


def test_a_cause_with_a_secret_is_replaced() -> None:
    """A stand-in with the original's type name, text and traceback takes a secret one's place."""
    cause = failure(Scripted(RuntimeError(f"key {CANARY}"))).__cause__
    assert type(cause) is RedactedError
    assert str(cause) == "builtins.RuntimeError: key ***"
    assert cause.original_type == "builtins.RuntimeError"
    assert "in complete" in cause.__notes__[0]


def test_an_error_of_ours_is_replaced_and_its_cause_kept() -> None:
    """Where the provider raised our error from another, that one is the cause."""
    cause = ValueError("clean")
    assert failure(Scripted(caused_by(cause, RateLimitError("busy")))).__cause__ is cause
    assert failure(Scripted(RateLimitError("busy"))).__cause__ is None
    assert failure(Scripted(ConfigError("wrong"))).__cause__ is None


@pytest.mark.parametrize("kind", [asyncio.CancelledError, KeyboardInterrupt, SystemExit])
def test_what_is_no_exception_passes_through(kind: type[BaseException]) -> None:
    """A cancellation, an interrupt and an exit are not the provider's failures."""
    with pytest.raises(kind):
        ask(Scripted(kind()))


def test_the_default_model_is_the_providers() -> None:
    """The border is a provider with the default model of the one inside."""
    border = Border("house", Scripted())
    assert border.default_model == "m-1"
    assert isinstance(border, LLMProvider)


class Modelless(Nothing):
    @property
    def default_model(self) -> Any:  # type: ignore[override]
        raise LookupError(f"none for {CANARY}")


def test_a_default_model_that_raises_does_not_stop_a_call() -> None:
    """Without a model to name, the error names none; the model of the call is named."""
    expected = f"provider 'house' returned None instead of an answer\n  {NEXT_STEP}"
    assert str(failure(Modelless())) == expected
    odd = Nothing()
    odd.default_model = 5
    assert str(failure(odd)) == expected
    assert failure(Modelless(), model="m-2").model == "m-2"


def test_a_default_model_that_raises_does_not_show_the_key() -> None:
    """Asking the border for a model that the provider can't tell gives no key away."""
    with pytest.raises(WarRigError, match=r"none for \*\*\*") as caught:
        _ = Border("house", Modelless(), {CANARY}).default_model
    assert leaks(caught.value) == []
    assert caught.value.__context__ is None


@pytest.mark.parametrize(("said", "is_taken"), [(True, True), (False, False), (1, False)])
def test_the_border_says_whether_a_schema_is_taken(said: Any, is_taken: bool) -> None:
    """A provider that takes an output schema says True; all else, and silence, is no."""
    provider = Scripted()
    assert not Border("house", provider).takes_output_schema
    provider.takes_output_schema = said  # type: ignore[attr-defined]
    assert Border("house", provider).takes_output_schema is is_taken


def test_what_can_be_closed_is_closed() -> None:
    """aclose(), async or not, is called where there is one; else there is nothing to close."""
    closed = []

    class Closing(Scripted):
        async def aclose(self) -> None:
            closed.append(self)

    class ClosingAtOnce(Scripted):
        def aclose(self) -> None:
            closed.append(self)

    providers = [Scripted(), Closing(), ClosingAtOnce()]
    for provider in providers:
        asyncio.run(Border("house", provider).aclose())
    assert closed == providers[1:]


def test_a_provider_that_fails_to_close_does_not_show_the_key() -> None:
    """What aclose() raises leaves without the key."""

    class Stuck(Scripted):
        async def aclose(self) -> None:
            raise OSError(f"still sending {CANARY}")

    with pytest.raises(ProviderError) as caught:
        asyncio.run(Border("house", Stuck(), {CANARY}).aclose())
    assert str(caught.value) == "provider 'house' could not be closed: OSError: still sending ***"
    assert leaks(caught.value) == []
    assert caught.value.__context__ is None


def test_the_repr_names_the_provider_only() -> None:
    """A border shows its provider's name and class, and no secret."""
    border = Border("house", Scripted(RuntimeError(CANARY)), {CANARY})
    assert repr(border) == "<Border of provider 'house': Scripted>"


def test_the_debug_log_holds_no_content_and_no_key(caplog: pytest.LogCaptureFixture) -> None:
    """A call is logged by its provider, its model and its size; a failure by its kind."""
    caplog.set_level("DEBUG")
    ask(Scripted(CompletionResponse("the answer", "m-1", 1)), temperature=0.5)
    failure(Scripted(RateLimitError(f"busy {CANARY}", status=429)))
    failure(Scripted(ConfigError(CANARY)))
    ours = [r.getMessage() for r in caplog.records if r.name == "war_rig.providers"]
    assert ours == [
        "asking house, model m-1, 1 messages",
        "asking house, model m-1, 1 messages",
        "house failed: RateLimitError, status 429",
        "asking house, model m-1, 1 messages",
    ]
    for secret in (CANARY, "Hello", "the answer"):
        assert secret not in caplog.text


def test_an_answer_whose_own_code_raises_stays_inside() -> None:
    """A subclass of the response with a property that raises is a failure like any other."""

    class Odd(CompletionResponse):
        @property
        def content(self) -> str:  # type: ignore[override]
            raise RuntimeError(CANARY)

        @content.setter
        def content(self, value: str) -> None:
            pass

    class Answers(Scripted):
        async def complete(self, messages: Any, **kwargs: Any) -> Any:
            return Odd("x", "m", 1)

    with pytest.raises(ProviderError, match="raised RuntimeError") as caught:
        asyncio.run(Border("house", Answers(), {CANARY}).complete([]))
    assert leaks(caught.value) == []
