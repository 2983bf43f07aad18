"""Which of our errors a provider's own exception becomes, told by plain exceptions."""

import json
import socket
import ssl
import time
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from war_rig.errors import (
    AuthenticationError,
    BadRequestError,
    ContentRefusedError,
    ContextTooLongError,
    MalformedAnswerError,
    ModelNotFoundError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from war_rig.providers.classification import Verdict, classify
from war_rig.providers.foreign import one_line, said


class OwnError(Exception):
    """A plugin's own exception, with whatever its author attached."""

    def __init__(self, text: str = "", **attributes: object) -> None:
        super().__init__(text)
        self.__dict__.update(attributes)


class ShyError(Exception):
    """An exception whose property fails, as that of an unread response does."""

    status = 503

    @property
    def status_code(self) -> int:
        raise RuntimeError("not read yet")


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Unfriendly:
    """Fails whatever is asked of it."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __len__(self) -> int:
        raise RuntimeError("no length")

    def get(self, name: str) -> Any:
        raise RuntimeError("no item")


def named(name: str, text: str = "") -> Exception:
    """Return an exception of a library that is not installed, known by its type's name."""
    kind: type[Exception] = type(name, (Exception,), {})
    return kind(text)


def chained(*links: BaseException) -> BaseException:
    """Return the first of *links*, each caused by the next one."""
    for outer, inner in pairwise(links):
        outer.__cause__ = inner
    return links[0]


def during(inner: BaseException, outer: BaseException) -> BaseException:
    """Return *outer*, raised while *inner* was handled."""
    try:
        try:
            raise inner
        except type(inner):
            raise outer  # noqa: B904  what the plugin's author forgot is what is tested
    except type(outer) as error:
        return error


def response(**attributes: object) -> SimpleNamespace:
    return SimpleNamespace(**attributes)


# where the status is found


@pytest.mark.parametrize(
    "error",
    [
        OwnError("slow", status_code=503),
        OwnError("slow", status=503),
        OwnError("slow", response=response(status_code=503)),
        OwnError("slow", response=response(status=503)),
        OwnError("slow", status=HTTPStatus.SERVICE_UNAVAILABLE),
        OwnError("slow", status_code=None, status=503),
        OwnError("slow", status="late", response=response(status=503)),
    ],
)
def test_the_status_is_found_on_the_exception_or_its_response(error: OwnError) -> None:
    """Where an HTTP library keeps the status makes no difference."""
    assert classify(error) == Verdict(ServerError, "answered 503: OwnError: slow", 503)


@pytest.mark.parametrize("status", [True, "503", 99, 600, 5.03, None, 0, -1])
def test_what_is_no_http_status_says_nothing(status: object) -> None:
    """A number outside 100 to 599, a text or a truth is not taken for a status."""
    error = OwnError("slow", status=status)
    assert classify(error) == Verdict(ProviderError, "raised OwnError: slow")


def test_an_attribute_that_fails_is_passed_over() -> None:
    """A property that raises is foreign code: the next place is looked at."""
    assert classify(ShyError("x")) == Verdict(ServerError, "answered 503: ShyError: x", 503)


@pytest.mark.parametrize(
    "link",
    [
        lambda inner: chained(OwnError("outer"), inner),
        lambda inner: chained(OwnError("outer"), OwnError("middle"), inner),
        lambda inner: during(inner, OwnError("outer")),
        lambda inner: BaseExceptionGroup("two", [inner, OwnError("other")]),
        lambda inner: BaseExceptionGroup("two", [chained(OwnError("outer"), inner)]),
        lambda inner: during(inner, KeyError("choices")),
    ],
)
def test_the_status_is_found_along_the_causes(
    link: Callable[[BaseException], BaseException],
) -> None:
    """A plugin may wrap what its HTTP library raised, with 'from', without, or in a group."""
    verdict = classify(link(OwnError("slow", status=503)))
    assert verdict == Verdict(ServerError, "answered 503: OwnError: slow", 503)


def test_the_outermost_status_decides() -> None:
    """A plugin that translates a status means its own."""
    error = chained(OwnError("slow", status=429), OwnError("oops", status=500))
    assert classify(error) == Verdict(RateLimitError, "answered 429: OwnError: slow", 429)


def test_a_context_that_the_author_suppressed_is_not_looked_at() -> None:
    """'raise ... from None' says that what came before does not matter."""
    error = during(OwnError("slow", status=503), OwnError("own words"))
    error.__suppress_context__ = True
    assert classify(error) == Verdict(ProviderError, "raised OwnError: own words")


def test_a_cycle_of_causes_ends() -> None:
    """Two exceptions that name each other as cause are looked at once."""
    one, two = OwnError("one"), OwnError("two")
    chained(one, two, one)
    assert classify(one) == Verdict(ProviderError, "raised OwnError: one")


@pytest.mark.parametrize(("wrappers", "kind"), [(19, ServerError), (20, ProviderError)])
def test_a_chain_of_causes_is_followed_for_twenty_links(
    wrappers: int, kind: type[ProviderError]
) -> None:
    """A chain without end is cut, far behind what real code makes."""
    links = [OwnError(str(place)) for place in range(wrappers)]
    assert classify(chained(*links, OwnError("slow", status=500))).kind is kind


# what a status means

KINDS = {
    100: MalformedAnswerError,
    200: MalformedAnswerError,
    302: MalformedAnswerError,
    399: MalformedAnswerError,
    400: BadRequestError,
    401: AuthenticationError,
    402: QuotaExceededError,
    403: AuthenticationError,
    404: ModelNotFoundError,
    408: ProviderTimeoutError,
    409: BadRequestError,
    413: ContextTooLongError,
    422: BadRequestError,
    429: RateLimitError,
    499: BadRequestError,
    500: ServerError,
    529: ServerError,
    599: ServerError,
}


@pytest.mark.parametrize("status", KINDS)
def test_each_status_has_its_error(status: int) -> None:
    """The HTTP status decides the error, and below 400 it is no answer."""
    answered = f"answered {status}" + (", which is no answer" if status < 400 else "")
    verdict = classify(OwnError("x", status=status))
    assert verdict == Verdict(KINDS[status], f"{answered}: OwnError: x", status)


WORDS = {
    "context_length_exceeded": ContextTooLongError,
    "This model's Maximum Context is 8192": ContextTooLongError,
    "over the context length": ContextTooLongError,
    "over the Context Window": ContextTooLongError,
    "prompt is too long: 200001 tokens": ContextTooLongError,
    "too many tokens": ContextTooLongError,
    "the request exceeds the available context size": ContextTooLongError,
    "content_filter": ContentRefusedError,
    "content_policy_violation": ContentRefusedError,
    "triggering Azure's content management policy": ContentRefusedError,
    "ResponsibleAIPolicyViolation": ContentRefusedError,
    "model_not_found": ModelNotFoundError,
    "Model not found": ModelNotFoundError,
    "The model does not exist": ModelNotFoundError,
    "temperature is too high": BadRequestError,
}


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("words", WORDS)
def test_the_words_of_a_refused_request_say_why(words: str, status: int) -> None:
    """Wherever the server's words stand, they tell what is wrong with a request."""
    said_in = [
        OwnError(words, status=status),
        OwnError("x", status=status, code=words),
        OwnError("x", status=status, body={"error": {"code": words}}),
        OwnError("x", response=response(status=status, text=json.dumps([words]))),
    ]
    assert {classify(error).kind for error in said_in} == {WORDS[words]}


def test_words_do_not_outweigh_a_failing_server() -> None:
    """A status 500 is the server's fault, whatever its text talks of."""
    assert classify(OwnError("context window", status=500)).kind is ServerError


@pytest.mark.parametrize(
    ("text", "retry_after", "kind"),
    [
        ("insufficient_quota", None, QuotaExceededError),
        ("insufficient_quota", "5", QuotaExceededError),
        ("billing_hard_limit_reached", None, QuotaExceededError),
        ("Your credit balance is too low", None, QuotaExceededError),
        ("You exceeded your current quota, check your billing details", None, QuotaExceededError),
        ("You exceeded your current quota, please retry in 5 s", "5", RateLimitError),
        ("You exceeded your current quota", "soon", QuotaExceededError),
        ("slow down", None, RateLimitError),
        ("slow down", "5", RateLimitError),
    ],
)
def test_an_empty_account_is_told_from_a_rate_limit(
    text: str, retry_after: str | None, kind: type[ProviderError]
) -> None:
    """A 429 is a quota when its code says so, or its words do and no wait is named."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    assert classify(OwnError(text, status=429, headers=headers)).kind is kind


# how long to wait

WAITS: dict[str, tuple[dict[str, object], float | None]] = {
    "seconds": ({"headers": {"Retry-After": "2"}}, 2.0),
    "seconds, small letters": ({"headers": {"retry-after": "2"}}, 2.0),
    "a fraction": ({"headers": {"Retry-After": " 1.5 "}}, 1.5),
    "a number": ({"headers": {"Retry-After": 2}}, 2.0),
    "milliseconds": ({"headers": {"retry-after-ms": "1500"}}, 1.5),
    "milliseconds win": ({"headers": {"Retry-After-Ms": "1500", "Retry-After": "2"}}, 1.5),
    "broken milliseconds": ({"headers": {"retry-after-ms": "x", "Retry-After": "2"}}, 2.0),
    "on the response": ({"response": response(headers={"Retry-After": "2"})}, 2.0),
    "response without": ({"response": response(headers={}), "headers": {"retry-after": "2"}}, 2.0),
    "attribute": ({"retry_after": 3}, 3.0),
    "attribute in seconds": ({"retry_after_seconds": 4.5, "retry_after": 9}, 4.5),
    "attribute as text": ({"retry_after": "3"}, 3.0),
    "header beats attribute": ({"retry_after": 3, "headers": {"Retry-After": "2"}}, 2.0),
    "broken header": ({"retry_after": 3, "headers": {"Retry-After": "soon"}}, 3.0),
    "a past date": ({"headers": {"Retry-After": "Mon, 01 Jan 2024 00:00:00 GMT"}}, 0.0),
    "no day": ({"headers": {"Retry-After": "Sat, 31 Feb 2024 00:00:00 GMT"}}, None),
    "a year too far": ({"headers": {"Retry-After": "Fri, 01 Jan 99999 00:00:00 GMT"}}, None),
    "before all years": ({"headers": {"Retry-After": "Mon, 01 Jan 0001 00:00:00 +2359"}}, 0.0),
    "negative": ({"headers": {"Retry-After": "-5"}}, 0.0),
    "negative attribute": ({"retry_after": -5.0}, 0.0),
    "nan": ({"headers": {"Retry-After": "nan"}}, None),
    "infinite": ({"headers": {"Retry-After": "inf"}}, None),
    "endless digits": ({"headers": {"Retry-After": "9" * 400}}, None),
    "a number without end": ({"retry_after": 10**400}, None),
    "infinite attribute": ({"retry_after": float("inf")}, None),
    "true": ({"retry_after": True}, None),
    "true header": ({"headers": {"Retry-After": True}}, None),
    "empty": ({"headers": {"Retry-After": ""}}, None),
    "garbage": ({"headers": {"Retry-After": "soon"}}, None),
    "a list": ({"headers": {"Retry-After": ["2"]}}, None),
    "an object": ({"retry_after": object()}, None),
    "no headers": ({"headers": None}, None),
    "headers without get": ({"headers": [("Retry-After", "2")]}, None),
    "headers that fail": ({"headers": SimpleNamespace(get=Unfriendly().get)}, None),
    "nothing": ({}, None),
}


@pytest.mark.parametrize("name", WAITS)
def test_the_wait_that_a_server_asks_for_is_read_in_every_form(name: str) -> None:
    """A wait is a number of seconds, never negative, infinite or guessed."""
    attributes, seconds = WAITS[name]
    verdict = classify(OwnError("slow", status=429, **attributes))
    assert verdict == Verdict(RateLimitError, "answered 429: OwnError: slow", 429, seconds)
    assert type(verdict.retry_after_seconds) is type(seconds)


def test_a_date_to_come_is_the_seconds_until_then() -> None:
    """Retry-After may be an HTTP date; what counts is how far away it is."""
    date = formatdate(time.time() + 30, usegmt=True)
    waited = classify(OwnError(status=503, headers={"Retry-After": date})).retry_after_seconds
    assert waited is not None
    assert 25 < waited <= 30


@given(st.text() | st.floats() | st.integers() | st.binary())
def test_no_retry_after_stops_the_classification(value: object) -> None:
    """Whatever stands in Retry-After, the wait is finite and not negative, or there is none."""
    waited = classify(OwnError(status=429, headers={"Retry-After": value})).retry_after_seconds
    assert waited is None or 0 <= waited < float("inf")


# what the server said

BODIES: dict[str, tuple[object, str]] = {
    "openai's": ({"error": {"message": "no such model", "code": "x"}}, "no such model"),
    "the same as text": ('{"error": {"message": "no such model"}}', "no such model"),
    "error as text": ({"error": "no such model"}, "no such model"),
    "message": ({"message": "no such model"}, "no such model"),
    "detail": ({"detail": "no such model"}, "no such model"),
    "empty error": ({"error": {}, "message": "no such model"}, "no such model"),
    "plain text": ("no such\r\n model", "no such model"),
    "page": ("<h1>no such model</h1>", "<h1>no such model</h1>"),
    "text in JSON": ('"no such model"', "no such model"),
    "other keys": ({"reason": "no such model"}, "OwnError: own words"),
    "detail as a list": ({"detail": [{"msg": "no"}]}, "OwnError: own words"),
    "too deep": ({"error": {"error": {"error": {"message": "no"}}}}, "OwnError: own words"),
    "number": ({"error": {"message": 5}}, "OwnError: own words"),
    "blank": ({"message": "  "}, "OwnError: own words"),
    "list": ([1], "OwnError: own words"),
    "list as text": ("[1]", "OwnError: own words"),
    "empty text": ("", "OwnError: own words"),
    "bytes": (b"\xff", "OwnError: own words"),
    "zero": (0, "OwnError: own words"),
}


@pytest.mark.parametrize("name", BODIES)
def test_the_servers_own_words_are_shown_from_every_shape_of_body(name: str) -> None:
    """What the server says is wrong is shown where it can be found, else the exception's text."""
    body, words = BODIES[name]
    for holder in ({"body": body, "status": 400}, {"response": response(status=400, text=body)}):
        what = classify(OwnError("own words", **holder)).what
        assert what == f"answered 400: {words}"


def test_the_exceptions_body_beats_its_responses_text() -> None:
    """What an SDK has parsed is better than the raw text of the answer."""
    error = OwnError(status=400, body={"message": "parsed"}, response=response(text="raw"))
    assert classify(error).what == "answered 400: parsed"


def test_an_exception_without_words_is_shown_by_its_type() -> None:
    """Where neither server nor exception says anything, the type's name remains."""
    assert classify(OwnError(status=500)).what == "answered 500: OwnError"
    assert said(OwnError()) == "OwnError"
    assert said(OwnError("two\nlines")) == "OwnError: two lines"


FOREIGN = {
    "text that fails": UnprintableError(),
    "text that fails, with a status": chained(OwnError(), UnprintableError(), OwnError(status=500)),
    "text of a timeout that fails": chained(TimeoutError(), UnprintableError()),
    "body whose repr fails": OwnError(status=500, body=Unfriendly()),
    "headers whose length fails": OwnError(status=500, headers=Unfriendly()),
    "header whose text fails": OwnError(status=500, headers={"retry-after": Unfriendly()}),
    "response that is odd": OwnError(status=500, response=Unfriendly()),
    "body nested without end": OwnError(status=500, body="[" * 100_000),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_no_exception_is_too_odd_to_be_classified(name: str) -> None:
    """Whatever foreign code does when it is looked at, one of our errors comes of it."""
    assert issubclass(classify(FOREIGN[name]).kind, ProviderError)


# transports

TRANSPORTS: dict[str, tuple[BaseException, type[ProviderError], bool | None, str]] = {
    "timeout": (TimeoutError("late"), ProviderTimeoutError, None, "TimeoutError: late"),
    "silent timeout": (TimeoutError(), ProviderTimeoutError, None, "TimeoutError"),
    "httpx": (named("ReadTimeout", "late"), ProviderTimeoutError, None, "ReadTimeout: late"),
    "pool": (named("PoolTimeout"), ProviderTimeoutError, None, "PoolTimeout"),
    "reset": (
        ConnectionResetError(104, "reset"),
        ProviderConnectionError,
        None,
        "ConnectionResetError: [Errno 104] reset",
    ),
    "refused": (
        ConnectionRefusedError("no"),
        ProviderConnectionError,
        None,
        "ConnectionRefusedError: no",
    ),
    "broken pipe": (
        BrokenPipeError("gone"),
        ProviderConnectionError,
        None,
        "BrokenPipeError: gone",
    ),
    "no such host": (
        socket.gaierror(-2, "unknown"),
        ProviderConnectionError,
        None,
        "gaierror: [Errno -2] unknown",
    ),
    "cut answer": (
        named("RemoteProtocolError", "cut"),
        ProviderConnectionError,
        None,
        "RemoteProtocolError: cut",
    ),
    "TLS": (ssl.SSLError(1, "bad"), ProviderConnectionError, False, "SSLError: bad"),
    "certificate": (
        ssl.SSLCertVerificationError(1, "expired"),
        ProviderConnectionError,
        False,
        "SSLCertVerificationError: expired",
    ),
}
OPENINGS = {
    (ProviderTimeoutError, None): "did not answer in time",
    (ProviderConnectionError, None): "could not be reached",
    (ProviderConnectionError, False): "could not be reached over TLS",
}


@pytest.mark.parametrize("name", TRANSPORTS)
def test_a_failing_transport_is_known_by_its_types_names(name: str) -> None:
    """No answer in time, no connection, and a certificate that no retry cures differ."""
    error, kind, is_retryable, words = TRANSPORTS[name]
    opening = OPENINGS[kind, is_retryable]
    expected = Verdict(kind, f"{opening}: {words}", is_retryable=is_retryable)
    assert classify(error) == expected
    assert classify(chained(OwnError(), error)) == expected
    assert classify(BaseExceptionGroup("one", [error])) == expected


LIBRARIES = {
    (ProviderTimeoutError, None): (
        "Timeout TimeoutException APITimeoutError ConnectTimeout ReadTimeout WriteTimeout "
        "PoolTimeout ConnectTimeoutError ReadTimeoutError ServerTimeoutError SocketTimeoutError "
        "ConnectionTimeoutError"
    ),
    (ProviderConnectionError, False): (
        "SSLError ClientSSLError ClientConnectorCertificateError ClientConnectorSSLError"
    ),
    (ProviderConnectionError, None): (
        "ConnectError ReadError WriteError CloseError ProxyError NetworkError ProtocolError "
        "RemoteProtocolError herror ClientConnectionError ClientPayloadError IncompleteReadError "
        "IncompleteRead ChunkedEncodingError APIConnectionError NewConnectionError "
        "ClientHttpProxyError ClientProxyConnectionError"
    ),
}


@pytest.mark.parametrize(("kind", "is_retryable"), LIBRARIES)
def test_the_transport_errors_of_http_libraries_are_known(
    kind: type[ProviderError], is_retryable: bool | None
) -> None:
    """What httpx, aiohttp, requests, urllib3 and the SDKs call their errors is understood."""
    names = LIBRARIES[kind, is_retryable].split()
    verdicts = {name: classify(named(name, "x")) for name in names}
    opening = OPENINGS[kind, is_retryable]
    assert verdicts == {
        name: Verdict(kind, f"{opening}: {name}: x", is_retryable=is_retryable) for name in names
    }


def test_the_innermost_transport_error_decides() -> None:
    """An SDK that calls a refused connection a timeout is not believed."""
    error = chained(named("APITimeoutError", "timed out"), ConnectionRefusedError("refused"))
    assert classify(error) == Verdict(
        ProviderConnectionError, "could not be reached: ConnectionRefusedError: refused"
    )


def test_a_bad_certificate_inside_a_connection_error_is_not_retried() -> None:
    """Under an SDK's connection error, the TLS failure says what is wrong."""
    error = chained(named("APIConnectionError", "failed"), ssl.SSLError(1, "expired"))
    assert classify(error) == Verdict(
        ProviderConnectionError,
        "could not be reached over TLS: SSLError: expired",
        is_retryable=False,
    )


def test_a_silent_timeout_is_shown_by_the_text_around_it() -> None:
    """A timeout often says nothing, so the nearest text around it is shown."""
    error = chained(named("APITimeoutError", "Request timed out."), TimeoutError())
    assert classify(error) == Verdict(
        ProviderTimeoutError, "did not answer in time: APITimeoutError: Request timed out."
    )


def test_a_transport_error_beats_the_status_below_it() -> None:
    """A connection that broke after a redirect was answered is a broken connection."""
    error = chained(named("ReadError", "broke"), OwnError(status=500))
    assert classify(error).kind is ProviderConnectionError


@pytest.mark.parametrize(
    ("error", "kind", "what"),
    [
        (
            ConnectionResetError("reset"),
            ProviderConnectionError,
            "could not be reached: ConnectionResetError: reset",
        ),
        (TimeoutError(), ProviderTimeoutError, "did not answer in time: TimeoutError"),
    ],
)
def test_a_cache_miss_before_the_call_is_not_the_failure(
    error: Exception, kind: type[ProviderError], what: str
) -> None:
    """A KeyError that only stands in the context of a broken connection is not spoken of."""
    assert classify(during(KeyError("cached answer"), error)) == Verdict(kind, what)


# slips of the plugin's own code


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyError("choices"), "KeyError: 'choices'"),
        (IndexError("list index out of range"), "IndexError: list index out of range"),
        (TypeError("not subscriptable"), "TypeError: not subscriptable"),
        (AttributeError("no text"), "AttributeError: no text"),
        (json.JSONDecodeError("no", "<h", 0), "JSONDecodeError: no: line 1 column 1 (char 0)"),
        (
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
            "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: bad",
        ),
    ],
)
def test_a_slip_on_an_unexpected_answer_is_a_malformed_answer(error: Exception, words: str) -> None:
    """Code that can't read an answer says by its exception that the answer was odd."""
    what = f"got an answer that its code could not read: {words}"
    assert classify(error) == Verdict(MalformedAnswerError, what)


def test_a_slip_tells_its_line() -> None:
    """Where the author's own code was, so that it is found without a traceback."""
    with pytest.raises(KeyError) as caught:
        {"answer": 1}["anwser"]
    line = caught.traceback[0].lineno + 1
    assert classify(caught.value).what.endswith(
        f"could not read: KeyError: 'anwser' ({__file__}:{line}, in test_a_slip_tells_its_line)"
    )


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("x"), OSError("x"), OwnError("x")])
def test_what_can_not_be_classified_is_a_plain_provider_error(error: Exception) -> None:
    """An exception that tells nothing known is named, and not retried."""
    verdict = classify(error)
    assert verdict == Verdict(ProviderError, f"raised {type(error).__name__}: x")
    assert verdict.kind("x").is_retryable is False


# one line


def test_a_text_is_shown_in_one_line_of_bounded_length() -> None:
    """Line breaks and control characters become one blank, and a long text is cut."""
    assert one_line(" a\r\n\tb\x1b[31mc\u2028d ") == "a b [31mc d"
    assert one_line("x" * 300) == "x" * 300
    assert one_line("x" * 301) == "x" * 297 + "..."
    assert one_line("abcdef", longest=5) == "ab..."


@given(st.text())
def test_every_text_fits_a_line(text: str) -> None:
    """What is shown can be printed, in one line, whatever arrived."""
    line = one_line(text, longest=20)
    assert len(line) <= 20
    assert line.isprintable()
    assert line == line.strip()


def test_a_group_is_told_by_the_failure_that_tells_most() -> None:
    """Of the exceptions of a TaskGroup, the first with a status or of the transport counts."""
    group = ExceptionGroup("both", [KeyError("x"), ConnectionResetError("gone")])
    assert classify(group).kind is ProviderConnectionError
    assert classify(ExceptionGroup("one", [KeyError("x")])).kind is ProviderError
