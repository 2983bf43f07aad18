"""What counts as a secret, and that no text or error keeps one."""

import asyncio
import functools
import io
import json
import os
import pickle
import sys
import traceback
from array import array
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
from canary import CANARY, leaks
from hypothesis import given
from hypothesis import strategies as st

from war_rig.errors import ProviderError
from war_rig.providers import CompletionResponse, Message
from war_rig.providers.border import Border
from war_rig.providers.secrets import (
    RedactedError,
    Redactor,
    Secrets,
    is_secret_name,
    masked,
    secrets_in,
    secrets_of,
)

ODD = "p/ss wörd+\"'\\=\n&%-1234"
"""A secret that looks different in a URL, in JSON and in a repr."""


class OwnError(Exception):
    """A plugin's own exception, with whatever its author attached."""

    def __init__(self, text: str = "failed", **attributes: object) -> None:
        super().__init__(text)
        self.__dict__.update(attributes)


class Slotted:
    __slots__ = ("key",)

    def __init__(self, key: str) -> None:
        self.key = key

    def method(self) -> str:
        return self.key


class Response:
    """An HTTP library's message, known by the end of its name."""


class OwnResponse(Response):
    pass


class AnswerOfAnSdk(OwnResponse):
    pass


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def caused(cause: BaseException) -> OwnError:
    error = OwnError()
    error.__cause__ = cause
    return error


def in_context(context: BaseException) -> OwnError:
    error = OwnError()
    error.__context__ = context
    error.__suppress_context__ = True
    return error


def noted(note: str) -> OwnError:
    error = OwnError()
    error.add_note(note)
    return error


def closure(secret: str) -> Callable[[], str]:
    return lambda: secret


def with_default(secret: str) -> Callable[..., str]:
    def function(key: str = secret) -> str:
        return key

    return function


def with_keyword(secret: str) -> Callable[..., str]:
    def function(*, key: str = secret) -> str:
        return key

    return function


def with_attribute(secret: str) -> Callable[[], None]:
    def function() -> None: ...

    function.key = secret  # type: ignore[attr-defined]
    return function


def raised(error: BaseException, secret: str = "") -> BaseException:
    """Return *error* with a traceback whose frame knows *secret*."""
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("key", True),
        ("api_key", True),
        ("OPENAI_API_KEY", True),
        ("House_Token", True),
        ("client_secret", True),
        ("DB_PASSWORD", True),
        ("monkey", False),
        ("apikey", False),
        ("max_tokens", False),
        ("key_id", False),
        ("token_limit", False),
        ("key_", False),
        ("", False),
    ],
)
def test_a_secret_is_known_by_the_last_word_of_its_name(name: str, is_secret: bool) -> None:
    """A name is a secret's when its last word is exactly key, token, secret or password."""
    assert is_secret_name(name) is is_secret


def test_the_secrets_of_several_maps_are_the_values_under_such_names() -> None:
    """Only what stands under a secret's name is collected, as text, without what is empty."""
    maps = ({"api_key": "one", "model": "m", "token": ""}, {"PIN_SECRET": 1234, "password": None})
    assert secrets_of(*maps) == {"one", "1234"}
    assert secrets_of() == set()


def test_a_text_is_cleared_of_every_known_secret() -> None:
    """Each occurrence of each secret becomes three stars, and nothing else changes."""
    redactor = Redactor([CANARY, "another-secret"])
    text = f"{CANARY}: Bearer {CANARY}, another-secret, another secret"
    assert redactor.redact(text) == "***: Bearer ***, ***, another secret"


@pytest.mark.parametrize("secrets", [["12345678", "12345678-long"], ["12345678-long", "12345678"]])
def test_a_secret_that_begins_with_another_is_masked_whole(secrets: list[str]) -> None:
    """Of two secrets the longer one is looked for first, so no rest of it stays."""
    assert Redactor(secrets).redact("x 12345678-long y 12345678") == "x *** y ***"


@pytest.mark.parametrize(
    "written",
    [
        ODD,
        quote(ODD, safe=""),
        quote_plus(ODD),
        json.dumps(ODD),
        json.dumps(ODD, ensure_ascii=False),
        repr(ODD),
        repr({"key": ODD}),
        f"https://host/?key={quote(ODD, safe='')}&x=1",
    ],
)
def test_a_secret_is_found_as_it_looks_in_urls_json_and_reprs(written: str) -> None:
    """A secret is masked however a URL, a JSON body or a repr spells it."""
    cleared = Redactor([ODD]).redact(written)
    assert "***" in cleared
    assert "1234" not in cleared


@pytest.mark.parametrize("encoded", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("around", ["", "u:", "us:", "user:"])
def test_a_secret_is_found_in_base64(around: str, encoded: Callable[[bytes], bytes]) -> None:
    """HTTP's Basic authentication sends a key in base64, behind a user of any length."""
    text = encoded(f"{around}{ODD}{around}".encode()).decode()
    cleared = Redactor([ODD]).redact(f"Authorization: Basic {text}")
    kept = cleared.removeprefix("Authorization: Basic ").partition("***")
    assert kept[1] == "***"
    assert len(kept[0]) <= len(around) * 4 // 3 + 1
    assert len(kept[2]) <= len(around) * 4 // 3 + 4


def test_a_value_under_eight_characters_is_not_searched_for() -> None:
    """A short value would mask ordinary words, so texts keep it."""
    assert Redactor(["1234567", "12345678"]).redact("1234567 12345678") == "1234567 ***"
    assert Redactor(["1234567"]).is_clean(OwnError("1234567"))


def test_the_secrets_of_the_environment_are_known_without_being_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A variable with a secret's name is masked, also one that was set later, and no other."""
    redactor = Redactor()
    monkeypatch.setenv("HOUSE_API_KEY", CANARY)
    monkeypatch.setenv("HOUSE_REGION", "eu-central-1")
    assert redactor.redact(f"{CANARY} in eu-central-1") == "*** in eu-central-1"
    assert not redactor.is_clean(OwnError(CANARY))


def test_a_secret_that_is_not_utf_8_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the environment may hold any bytes, and is masked all the same."""
    odd = os.fsdecode(b"secret-\xff\xfe-bytes")
    monkeypatch.setenv("HOUSE_TOKEN", odd)
    assert Redactor().redact(f"a {odd} b") == "a *** b"


@given(st.text(st.characters(exclude_characters="*"), min_size=8), st.text(), st.text())
def test_no_text_keeps_a_secret(secret: str, before: str, after: str) -> None:
    """Whatever a secret is and whatever stands around it, it is gone from the cleared text."""
    assert secret not in Redactor([secret]).redact(before + secret + after)


def test_a_redactor_does_not_show_what_it_knows() -> None:
    """The repr of a redactor counts its secrets and prints none."""
    assert repr(Redactor([CANARY, "b"])) == "<Redactor of 2 secrets>"


REACHES: dict[str, Callable[[str], BaseException]] = {
    "text": OwnError,
    "part of a text": lambda s: OwnError(f"Bearer {s}."),
    "attribute": lambda s: OwnError(key=s),
    "slot": lambda s: OwnError(holder=Slotted(s)),
    "bound method": lambda s: OwnError(call=Slotted(s).method),
    "bytes": lambda s: OwnError(body=s.encode()),
    "bytearray": lambda s: OwnError(body=bytearray(s.encode())),
    "memoryview": lambda s: OwnError(body=memoryview(s.encode())),
    "list": lambda s: OwnError(items=[[s]]),
    "set": lambda s: OwnError(items={s}),
    "value of a map": lambda s: OwnError(headers={"Authorization": s}),
    "key of a map": lambda s: OwnError(pool={s: "a connection"}),
    "key of a map of numbers": lambda s: OwnError(pool={1: 2, s: 3}),
    "closure": lambda s: OwnError(call=closure(s)),
    "default": lambda s: OwnError(call=with_default(s)),
    "keyword default": lambda s: OwnError(call=with_keyword(s)),
    "attribute of a function": lambda s: OwnError(call=with_attribute(s)),
    "partial": lambda s: OwnError(call=functools.partial(print, s)),
    "cause": lambda s: caused(OwnError(s)),
    "cause of the cause": lambda s: caused(caused(OwnError(s))),
    "suppressed context": lambda s: in_context(OwnError(s)),
    "note": noted,
    "group": lambda s: ExceptionGroup("two", [OwnError(), OwnError(s)]),
    "broken JSON": lambda s: json.JSONDecodeError("broken", s, 0),
    "broken text": lambda s: UnicodeDecodeError("utf-8", s.encode(), 0, 1, "broken"),
}


@pytest.mark.parametrize("name", REACHES)
def test_an_error_that_reaches_a_secret_is_not_clean(name: str) -> None:
    """A secret is found wherever attributes, items, functions and causes lead."""
    redactor = Redactor([CANARY])
    assert not redactor.is_clean(REACHES[name](CANARY))
    assert redactor.is_clean(REACHES[name]("nothing of the kind"))


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_secret_with_an_umlaut_is_found_in_bytes(encoding: str) -> None:
    """Bytes are searched for a secret in UTF-8, as HTTP bodies are, and in Latin-1."""
    error = OwnError(body="Bearer pässwörd-1234".encode(encoding))
    assert not Redactor(["pässwörd-1234"]).is_clean(error)


@pytest.mark.parametrize(
    "message", [Response(), AnswerOfAnSdk(), httpx.Response(500), httpx.Request("GET", "http://x")]
)
def test_an_error_that_reaches_an_http_message_is_not_clean(message: object) -> None:
    """A request or response holds headers, so what leads to one is never called clean."""
    assert not Redactor().is_clean(OwnError(answer=message))


def test_a_structure_too_large_to_walk_is_not_clean() -> None:
    """What can't be looked through to its end is treated as if it held a secret."""
    assert Redactor().is_clean(OwnError(numbers=[float(n) for n in range(1_000)]))
    assert not Redactor().is_clean(OwnError(numbers=[float(n) for n in range(10_000)]))


def test_a_structure_that_holds_itself_is_walked_once() -> None:
    """A cycle of references ends the walk instead of keeping it."""
    error = OwnError()
    error.__dict__["itself"] = [error]
    assert Redactor([CANARY]).is_clean(error)


def test_frames_modules_and_globals_are_not_walked() -> None:
    """The locals of a traceback, a module and a function's globals are outside the promise."""
    error = raised(OwnError(module=sys.modules[__name__], call=raised), CANARY)
    assert Redactor([CANARY]).is_clean(error)


def test_a_clean_error_is_kept_as_the_cause() -> None:
    """The original exception stays, where nothing in it is secret."""
    error = OwnError("plain")
    assert Redactor([CANARY]).safe_cause(error) is error


def test_a_cause_with_a_secret_is_replaced_by_its_type_and_clear_text() -> None:
    """The stand-in says what was raised and where, with stars for the secret."""
    cause = Redactor([CANARY]).safe_cause(raised(OwnError(f"no {CANARY}", key=CANARY)))
    assert isinstance(cause, RedactedError)
    assert str(cause) == f"{__name__}.OwnError: no ***"
    assert cause.original_type == f"{__name__}.OwnError"
    assert cause.__notes__[0].startswith("Its traceback:\n  File ")
    assert cause.__notes__[0].endswith("raise error")
    assert leaks(cause) == []


def test_the_traceback_of_a_stand_in_shows_no_secret() -> None:
    """Also a line of source that has the secret in it is cleared."""
    try:
        raise OwnError("sk-in-the-source-1234")
    except OwnError as error:
        cause = Redactor(["sk-in-the-source-1234"]).safe_cause(error)
    shown = "".join(traceback.format_exception(cause))
    assert 'raise OwnError("***")' in shown
    assert "sk-in-the-source" not in shown


def test_a_cause_that_was_never_raised_has_no_traceback_to_tell() -> None:
    """The stand-in for an exception without a traceback says so by an empty one."""
    assert RedactedError(OwnError("x"), Redactor()).__notes__ == ["Its traceback:"]


def test_a_stand_in_survives_a_pickle() -> None:
    """Another process gets the same text, type name and traceback text."""
    cause = RedactedError(raised(OwnError(f"no {CANARY}")), Redactor([CANARY]))
    copy = pickle.loads(pickle.dumps(cause))
    assert type(copy) is RedactedError
    assert str(copy) == str(cause) == f"{__name__}.OwnError: no ***"
    assert copy.original_type == cause.original_type
    assert copy.__notes__ == cause.__notes__


def test_a_cause_that_can_not_say_its_text_is_replaced_all_the_same() -> None:
    """A plugin's exception whose own text raises is known by its type."""
    error = UnprintableError()
    error.__dict__["key"] = CANARY
    cause = Redactor([CANARY]).safe_cause(error)
    assert str(cause).startswith(f"{__name__}.UnprintableError")
    assert leaks(cause) == []


class Raises:
    """A provider that fails with the text it is given."""

    default_model = "small-1"

    def __init__(self, text: str) -> None:
        self.text = text

    async def complete(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float = 0.7,
        **kwargs: Any,
    ) -> CompletionResponse:
        raise OwnError(self.text)


def shown(text: str, secret: str) -> str:
    """Return our error's message for a provider that raises *text*."""
    with pytest.raises(ProviderError) as caught:
        asyncio.run(Border("house", Raises(text), [secret]).complete([]))
    return str(caught.value)


@pytest.mark.parametrize("length", [275, 280, 285, 289])
def test_no_part_of_a_secret_is_shown_where_a_long_text_is_cut(length: int) -> None:
    """A secret that lies across the cut of a long text is not shown in part."""
    assert CANARY[:8] not in shown(f"{'x' * length} {CANARY}", CANARY)


def test_a_secret_of_several_lines_is_not_shown_in_one() -> None:
    """A private key stays masked where the message's line breaks were taken out."""
    secret = "-----BEGIN KEY-----\nMIIEvQIBADAN\n-----END KEY-----"
    assert "MIIEvQIBADAN" not in shown(f"can't use {secret}", secret)


def test_what_keeps_its_content_out_of_sight_is_not_clean() -> None:
    """Buffers are not looked into, and so not called clean; values of a class are."""

    class Configured:
        api_key = CANARY

    redactor = Redactor([CANARY])
    for hidden in (io.StringIO(CANARY), io.BytesIO(), array("B", b"x")):
        assert not redactor.is_clean(ValueError(hidden))
    assert not redactor.is_clean(ValueError(Configured()))
    assert redactor.is_clean(ValueError("nothing"))


@pytest.mark.parametrize("key", [f"{CANARY} ", f" {CANARY}", f"{CANARY}\n"])
def test_a_key_with_blanks_around_it_is_known_without_them(key: str) -> None:
    """HTTP strips the value of a header: what a server echoes is masked all the same."""
    assert CANARY not in Redactor([key]).redact(f"wrong key {CANARY}.")


def test_secrets_inside_maps_and_lists_are_found_by_their_names() -> None:
    """A header map's key counts as a secret, and is masked where it is shown."""
    value = {"accept": "text", "x_api_key": CANARY, "more": [{"token": "t-12345678"}, 3]}
    assert set(secrets_in(value, False)) == {CANARY, "t-12345678"}
    assert set(secrets_in([CANARY, None, ""], True)) == {CANARY}
    shown = {"accept": "text", "x_api_key": "***", "more": [{"token": "***"}, 3]}
    assert masked(value) == shown


class Fetching:
    """A plugin that fetches its key."""

    def __init__(self, told: Any) -> None:
        self._told = told

    def fetched_secrets(self) -> Any:
        return self._told()


def test_secrets_that_are_fetched_later_are_known_too() -> None:
    """Of all providers that were added, when a text is cleared."""
    tokens: list[str] = []
    secrets = Secrets()
    redactor = Redactor(secrets)
    secrets.add({CANARY}, object())
    secrets.add((), Fetching(lambda: tokens))
    assert redactor.redact(f"{CANARY} and a-fetched-token") == "*** and a-fetched-token"
    tokens.append("a-fetched-token")
    assert redactor.redact(f"{CANARY} and a-fetched-token") == "*** and ***"
    assert repr(secrets) == "<Secrets of 2 providers>"
    assert repr(redactor) == "<Redactor of 2 secrets>"


@pytest.mark.parametrize("told", [lambda: 1 / 0, lambda: None, lambda: [None, 5]])
def test_a_plugin_that_tells_its_secrets_wrongly_fails_no_call(told: Any) -> None:
    """What it tells is left out."""
    secrets = Secrets()
    secrets.add({CANARY}, Fetching(told))
    assert Redactor(secrets).redact(CANARY) == "***"


def test_no_secret_is_lost_where_two_providers_are_built_at_once() -> None:
    """What one thread adds while another one is adding stays."""
    secrets = Secrets()

    def meanwhile() -> Iterator[str]:
        secrets.add(["the-other-provider's"], object())
        yield "the-first-provider's"

    secrets.add(meanwhile(), object())
    assert set(secrets) == {"the-first-provider's", "the-other-provider's"}
