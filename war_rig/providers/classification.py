"""Which of our errors a provider's exception is.

Looks at the exception and its causes: an HTTP status first, then a failure of
the transport, then a slip of the provider's own code on an answer that it did
not expect. Types are told by name, so that no HTTP library is imported. On
aiohttp's transport SDKs call a refused connection a timeout: the innermost
transport error is the one that decides.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

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
from war_rig.providers.foreign import (
    Redact,
    details_of,
    message_of,
    retry_after_of,
    said,
    status_of,
    text_of,
)
from war_rig.providers.places import place_of

_LONGEST_CHAIN = 20

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
_ADDRESSES = frozenset({
    "InvalidURL", "UnsupportedProtocol", "InvalidUrlClientError", "NonHttpUrlClientError",
    "LocalProtocolError",
})  # fmt: skip
_NO_HTTP = frozenset({"BadStatusLine", "BadHttpMessage"})
_TRANSPORT = _TIMEOUTS | _TLS | _CONNECTIONS | _ADDRESSES | _NO_HTTP
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
_LIMIT_WORDS = (*_QUOTA_CODES, *_QUOTA_WORDS, "rate limit", "too many requests")

# What an error is called that has no status of its own: a word of its code or type.
_STATUS_OF = {
    "quota": 429, "rate_limit": 429, "overloaded": 529, "authentication": 401, "api_key": 401,
    "permission": 403, "not_found": 404, "context_length": 400, "content_filter": 400,
    "invalid": 400, "timeout": 408,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an exception turned out to be; what follows the provider's name in a message."""

    kind: type[ProviderError]
    what: str
    status: int | None = None
    retry_after_seconds: float | None = None
    is_retryable: bool | None = None


def classify(error: BaseException, redact: Redact = str) -> Verdict:
    """Return the kind of *error*, what to say of it, and what the server told."""
    chain = list(_causes(error))
    if any(_names(inner) & (_ADDRESSES | _NO_HTTP) for inner in chain):
        return _by_transport([e for e in chain if _names(e) & _TRANSPORT], redact)
    for link, inner in enumerate(chain):
        if status_of(inner) is not None:
            return _by_status(inner, redact)
        if _names(inner) & _TRANSPORT:
            return _by_transport([e for e in chain[link:] if _names(e) & _TRANSPORT], redact)
    if isinstance(error, _SLIPS):
        told = f"{said(error, redact)}{place_of(error)}"
        what = f"got an answer that its code could not read: {told}"
        return Verdict(MalformedAnswerError, what)
    return Verdict(ProviderError, f"raised {said(error, redact)}")


def likely_status(called: str, words: str) -> int | None:
    """Return the status that an error without one would have had before its stream began.

    called: its code and its type. words: all that it says.
    """
    called, words = called.lower(), words.lower()
    likely = next((status for word, status in _STATUS_OF.items() if word in called), None)
    if likely is None and any(word in words for word in _LIMIT_WORDS):
        return 429
    return likely


def event_text(text: str, has_begun: bool) -> str:
    """Return what to say of an error in a stream that has begun to answer, or has not."""
    place = "in mid-stream" if has_begun else "instead of an answer"
    return f"sent an error {place}: {text}"


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
        known = (e for e in error.exceptions if status_of(e) or _names(e) & _TRANSPORT)
        return next(known, error.exceptions[0])
    return error.__context__


def _names(error: BaseException) -> set[str]:
    return {base.__name__ for base in type(error).__mro__}


def _by_status(error: BaseException, redact: Redact) -> Verdict:
    status = status_of(error) or 0
    retry_after = retry_after_of(error)
    kind = _kind_of_status(status, details_of(error), retry_after)
    answered = f"answered {status}" if status >= 400 else f"answered {status}, which is no answer"
    return Verdict(kind, f"{answered}: {message_of(error, redact)}", status, retry_after)


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


def _by_transport(chain: list[BaseException], redact: Redact) -> Verdict:
    """Return the verdict on a *chain* of transport errors: the innermost decides.

    Shown is the innermost that has a text, since timeouts often have none.
    """
    innermost = chain[-1]
    shown = next((e for e in reversed(chain) if text_of(e)), innermost)
    if _names(innermost) & _TLS:
        text = f"could not be reached over TLS: {said(shown, redact)}"
        return Verdict(ProviderConnectionError, text, is_retryable=False)
    if _names(innermost) & _ADDRESSES:
        text = f"has a wrong URL: {said(shown, redact)}"
        return Verdict(ProviderConnectionError, text, is_retryable=False)
    if _names(innermost) & _TIMEOUTS:
        return Verdict(ProviderTimeoutError, f"did not answer in time: {said(shown, redact)}")
    return Verdict(ProviderConnectionError, f"could not be reached: {said(shown, redact)}")
