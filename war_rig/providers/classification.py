"""Which of our errors a provider's exception is.

Looks at the exception and its causes: an HTTP status first, then a failure of
the transport, then a slip of the provider's own code on an answer that it did
not expect. Types are told by name, so that no HTTP library is imported. On
aiohttp's transport SDKs call a refused connection a timeout: the innermost
transport error is the one that decides.
"""

import email.utils
import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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

_LONGEST_CHAIN = 20
_LONGEST_TEXT = 300

_TIMEOUTS = frozenset({
    "TimeoutError", "Timeout", "TimeoutException", "APITimeoutError", "ConnectTimeout",
    "ReadTimeout", "WriteTimeout", "PoolTimeout", "ConnectTimeoutError", "ReadTimeoutError",
    "ServerTimeoutError", "SocketTimeoutError", "ConnectionTimeoutError",
})  # fmt: skip
_TLS = frozenset({
    "SSLError", "ClientSSLError", "ClientConnectorCertificateError", "ClientConnectorSSLError",
})  # fmt: skip
_CONNECTIONS = frozenset({
    "ConnectionError", "ConnectError", "ReadError", "WriteError", "CloseError", "ProxyError",
    "NetworkError", "ProtocolError", "RemoteProtocolError", "gaierror", "herror",
    "ClientConnectionError", "ClientPayloadError", "IncompleteReadError", "IncompleteRead",
    "ChunkedEncodingError", "APIConnectionError", "NewConnectionError", "ClientHttpProxyError",
    "ClientProxyConnectionError",
})  # fmt: skip
_SLIPS = (LookupError, TypeError, AttributeError, json.JSONDecodeError, UnicodeError)

_CONTEXT_WORDS = (
    "context_length_exceeded", "maximum context", "context length", "context window",
    "prompt is too long", "too many tokens", "exceeds the available context",
)  # fmt: skip
_REFUSAL_WORDS = (
    "content_filter", "content_policy_violation", "content management policy",
    "responsibleaipolicyviolation",
)  # fmt: skip
_MODEL_WORDS = ("model_not_found", "model not found", "model does not exist")
_QUOTA_CODES = ("insufficient_quota", "billing_hard_limit_reached", "credit balance is too low")
_QUOTA_WORDS = ("exceeded your current quota", "billing details")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an exception turned out to be; text is not yet cleared of secrets."""

    kind: type[ProviderError]
    what: str
    status: int | None = None
    retry_after_seconds: float | None = None
    is_retryable: bool | None = None


def classify(error: BaseException) -> Verdict:
    """Return the kind of *error*, what to say of it, and what the server told."""
    chain = list(_causes(error))
    for link, inner in enumerate(chain):
        status = _status(inner)
        if status is not None:
            return _by_status(inner, status)
        if _names(inner) & (_TIMEOUTS | _TLS | _CONNECTIONS):
            return _by_transport(chain[link:])
    if isinstance(error, _SLIPS):
        return Verdict(
            MalformedAnswerError, f"got an answer that its code could not read: {said(error)}"
        )
    return Verdict(ProviderError, f"raised {said(error)}")


def said(error: BaseException) -> str:
    """Return ``TypeName: text`` of *error* in one line of bounded length."""
    text = one_line(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def one_line(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Return *text* without line breaks, control characters or more than *longest* characters."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= longest else flat[: longest - 3] + "..."


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    inner: BaseException | None = error
    while inner is not None and id(inner) not in seen and len(seen) < _LONGEST_CHAIN:
        seen.add(id(inner))
        yield inner
        inner = _cause(inner)


def _cause(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None or error.__suppress_context__:
        return error.__cause__
    if isinstance(error, BaseExceptionGroup):  # of a provider that uses a TaskGroup
        return error.exceptions[0]
    return error.__context__


def _names(error: BaseException) -> set[str]:
    return {base.__name__ for base in type(error).__mro__}


def _get(thing: object, *names: str) -> Any:
    """Return the first attribute that is there, None where reading it fails: it is foreign code."""
    for name in names:
        try:
            value = getattr(thing, name, None)
        except Exception:
            continue
        if value is not None:
            return value
    return None


def _status(error: BaseException) -> int | None:
    for holder in (error, _get(error, "response")):
        status = _get(holder, "status_code", "status")
        if isinstance(status, int) and not isinstance(status, bool) and 100 <= status <= 599:
            return int(status)
    return None


def _by_status(error: BaseException, status: int) -> Verdict:
    details = _details(error)
    retry_after = _retry_after(error)
    kind = _kind_of_status(status, details.lower(), retry_after)
    answered = f"answered {status}"
    if status < 400:
        answered += ", which is no answer"
    return Verdict(kind, f"{answered}: {_message(error)}", status, retry_after)


def _kind_of_status(status: int, details: str, retry_after: float | None) -> type[ProviderError]:
    if status < 400:
        return MalformedAnswerError
    if status == 429:
        return _kind_of_429(details, retry_after)
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return ServerError
    for words, kind in _BY_WORDS:
        if any(word in details for word in words):
            return kind
    return BadRequestError


_BY_STATUS: dict[int, type[ProviderError]] = {
    401: AuthenticationError,
    402: QuotaExceededError,
    403: AuthenticationError,
    404: ModelNotFoundError,
    408: ProviderTimeoutError,
    413: ContextTooLongError,
}
_BY_WORDS: tuple[tuple[tuple[str, ...], type[ProviderError]], ...] = (
    (_CONTEXT_WORDS, ContextTooLongError),
    (_REFUSAL_WORDS, ContentRefusedError),
    (_MODEL_WORDS, ModelNotFoundError),
)


def _kind_of_429(details: str, retry_after: float | None) -> type[ProviderError]:
    is_spent = any(code in details for code in _QUOTA_CODES)
    is_spent = is_spent or (retry_after is None and any(word in details for word in _QUOTA_WORDS))
    return QuotaExceededError if is_spent else RateLimitError


def _by_transport(chain: list[BaseException]) -> Verdict:
    for inner in reversed(chain):
        names = _names(inner)
        if names & _TLS:
            text = f"could not be reached over TLS: {said(inner)}"
            return Verdict(ProviderConnectionError, text, is_retryable=False)
        if names & _TIMEOUTS:
            return Verdict(ProviderTimeoutError, f"did not answer in time: {_first_text(chain)}")
        if names & _CONNECTIONS:
            return Verdict(ProviderConnectionError, f"could not be reached: {_first_text(chain)}")
    raise AssertionError("classify() calls this with a transport error in the chain")


def _first_text(chain: list[BaseException]) -> str:
    """Return the innermost text that says something; timeouts often have none."""
    return next((said(inner) for inner in reversed(chain) if str(inner)), said(chain[0]))


def _body(error: BaseException) -> object:
    """Return the answer's body, parsed where it is JSON, as far as the exception kept it."""
    body = _get(error, "body")
    if body is None:
        body = _get(_get(error, "response"), "text")
    if isinstance(body, str):
        try:
            return json.loads(body)
        except ValueError:
            return body
    return body


def _details(error: BaseException) -> str:
    """Return all that the server said, for matching words; never shown."""
    return f"{error} {_get(error, 'code')} {_body(error)!r}"


def _message(error: BaseException) -> str:
    """Return what the server says is wrong, for showing."""
    body = _body(error)
    for _ in range(3):
        if not isinstance(body, Mapping):
            break
        body = next((body[k] for k in ("error", "message", "detail") if body.get(k)), None)
    return one_line(body) if isinstance(body, str) and body.strip() else said(error)


def _retry_after(error: BaseException) -> float | None:
    declared = _get(error, "retry_after_seconds", "retry_after")
    headers = _get(_get(error, "response"), "headers") or _get(error, "headers") or {}
    waits = (
        _seconds(_header(headers, "retry-after-ms"), scale=0.001),
        _seconds(_header(headers, "retry-after")),
        _seconds(declared),
    )
    return next((wait for wait in waits if wait is not None), None)


def _header(headers: object, name: str) -> object:
    for spelling in (name, name.title()):
        try:
            value = headers.get(spelling)  # type: ignore[attr-defined]
        except Exception:  # a plugin's own idea of headers
            return None
        if value is not None:
            return value if isinstance(value, (str, int, float)) else str(value)
    return None


def _seconds(value: object, scale: float = 1.0) -> float | None:
    """Return *value* (a number, its text, or an HTTP date) in seconds from now, never negative."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        seconds = float(value) * scale
    except ValueError:
        seconds = _until(str(value))
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until(date: str) -> float:
    try:
        return email.utils.parsedate_to_datetime(date).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return math.nan
