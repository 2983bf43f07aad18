"""One request and its answer: the steps, the limit of each, and our error where one fails."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import quote, urlencode

from war_rig import __version__
from war_rig.errors import (
    MalformedAnswerError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
)
from war_rig.providers.classification import classify
from war_rig.providers.foreign import Redact, one_line, said
from war_rig.providers.http.auth import Auth
from war_rig.providers.http.connections import Connections, texts
from war_rig.providers.http.keys import Ask
from war_rig.providers.http.wire import Answer, Query, Request, Timeouts
from war_rig.providers.limit import Limit

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

_MOST_BYTES = 64 * 1024 * 1024
_LEFT_OVER_SECONDS = 0.2  # for the few bytes after a stream's end marker
_AFTER_THE_MARK_SECONDS = 2.0  # for what may follow a mark that does not end the stream: its usage
_HEADERS = {
    "user-agent": ("User-Agent", f"war-rig/{__version__}"),
    "accept-encoding": ("Accept-Encoding", "identity"),  # a compressed stream arrives late
}


class Exchange:
    """One call: its steps, the limit of the present one, and our error where one fails.

    All of it belongs into a ``with`` of it.
    """

    def __init__(
        self,
        connections: Connections,
        timeouts: Timeouts,
        first_seconds: float,
        redact: Redact,
        ask: Ask,
        free: asyncio.Semaphore | None = None,
    ) -> None:
        """Keep the settings; free: what to wait for, the places of *connections* by default."""
        self.connections = connections
        self.free = free or connections.free
        self.redact = redact
        self._timeouts = timeouts
        self._first_seconds = first_seconds
        self._ask = ask
        self._now = asyncio.get_running_loop().time
        self._end = self._now() + timeouts.total
        self._limit = Limit(self._end)
        self._told = ("had no key in {:g} s", timeouts.total)

    def __enter__(self) -> "Exchange":
        self.connections.limits.add(self._limit)
        return self

    def __exit__(self, *_: object) -> None:
        self.connections.limits.discard(self._limit)
        self._limit.close()

    async def limited(self, step: Awaitable[T]) -> T:
        """Await a step, which may set another limit; raise our own error where it fails."""
        try:
            with self._limit:
                return await step
        except self.connections.failures as error:
            failure: Exception = error
        except RuntimeError as error:  # what aiohttp calls the use of what is closed
            if not self.connections.is_closed:
                raise
            failure = error
        raise self._error(failure)

    def expect_more(self) -> None:
        """Set the limit for the next piece."""
        self._expect("sent nothing more for {:g} s", self._timeouts.between_tokens)

    def end_soon(self) -> None:
        """Let the call end shortly, whatever still comes."""
        self._end = min(self._end, self._now() + _AFTER_THE_MARK_SECONDS)

    async def whole(self, request: Request, auth: Auth | None) -> Answer:
        """Return the answer with its body."""
        answer = await self.opened(request, auth)
        try:
            return Answer(answer.status, answer.headers, await answer.body(), answer.key)
        finally:
            await answer.aclose()

    async def opened(self, request: Request, auth: Auth | None) -> "StreamedAnswer":
        """Return the answer to *request* before its body is read."""
        if auth is None:
            return await self._sent(request, {}, ())
        credentials = await auth.credentials(self._ask)
        answer = await self._sent(request, credentials.headers, credentials.query)
        if answer.status == 401:
            await answer.body()  # which frees its connection: the next request may need it
            fresh = await auth.renewed(credentials, self._ask)
            if fresh is not None:
                credentials = fresh
                answer = await self._sent(request, fresh.headers, fresh.query)
        answer.key = credentials.key
        return answer

    async def _sent(
        self, request: Request, headers: Mapping[str, str], query: Query
    ) -> "StreamedAnswer":
        free = self.free
        if free.locked():
            told = "found none of its 'connections' free in {:g} s: declare more"
            self._set(self._end, told, self._timeouts.total)
        await free.acquire()
        self._expect("sent nothing in {:g} s", self._first_seconds)
        try:
            response = await self.connections.open(
                request.method,
                _with_query(request.url, [*request.query, *query]),
                _merged(request.headers, headers),
                request.body,
            )
        except BaseException:  # which is raised again: nobody closes what did not answer
            free.release()
            raise
        answer = StreamedAnswer(response, self)
        if fault := _fault(answer, self.redact):
            await answer.aclose()
            raise fault
        return answer

    def _expect(self, told: str, seconds: float) -> None:
        until = self._now() + seconds
        if until < self._end:
            self._set(until, told, seconds)
        else:
            self._set(self._end, "did not finish its answer in {:g} s", self._timeouts.total)

    def _set(self, until: float, told: str, seconds: float) -> None:
        """Let the step end at *until*; *told* and *seconds* are the text of that failure."""
        self._told = (told, seconds)
        self._limit.set(until)

    def _error(self, failure: Exception) -> ProviderError:
        if self.connections.is_closed:
            return ProviderConnectionError("was closed during the call", is_retryable=False)
        if self._limit.is_over:
            told, seconds = self._told
            return ProviderTimeoutError(told.format(seconds))
        names = {type(failure).__name__, type(failure.__cause__).__name__}
        if "ConnectionTimeoutError" in names:
            seconds = self._timeouts.connect
            return ProviderTimeoutError(f"accepted no connection in {seconds:g} s")
        if "DecodingError" in names:
            text = f"answered in a broken encoding: {said(failure, self.redact)}"
            return MalformedAnswerError(text)
        if isinstance(failure, ValueError):
            text = f"can't be asked: {said(failure, self.redact)}"
            return ProviderConnectionError(text, is_retryable=False)
        verdict = classify(failure, self.redact)
        what = verdict.what
        if "ReadError" in names:
            what = f"broke off: {said(failure, self.redact)}"
        return verdict.kind(what, is_retryable=verdict.is_retryable)


class StreamedAnswer:
    """An answer whose body arrives. key: what it was asked with; see Answer for the rest."""

    def __init__(self, response: "httpx.Response", exchange: Exchange) -> None:
        self.status = response.status_code
        self.key = ""
        pairs = texts(response.headers)
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in pairs}
        self._response: httpx.Response | None = response
        self._exchange = exchange
        self._body: bytes | None = None
        is_encoded = "content-encoding" in self.headers
        stream = cast("httpx.AsyncByteStream", response.stream)
        pieces = response.aiter_bytes() if is_encoded else aiter(stream)
        self._pieces = cast("AsyncGenerator[bytes, None]", pieces)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; who reads it tells by ``expect_more`` what counts."""
        if self._body is not None:
            yield self._body
            return
        while piece := await self._exchange.limited(anext(self._pieces, b"")):
            yield piece

    def expect_more(self) -> None:
        """Let the wait for what comes next begin: something that counts has come."""
        self._exchange.expect_more()

    def end_soon(self) -> None:
        """Wait only a moment for what may still come: the answer is whole."""
        self._exchange.end_soon()

    async def read(self) -> bytes:
        """Return the body; it may have up to 64 MB."""
        return await self._exchange.limited(self.body())

    async def body(self) -> bytes:
        """Return the body, within the limits of the call that awaits this."""
        if self._body is None:
            try:
                self._body = await self._collected()
            finally:
                await self.aclose()
        return self._body

    async def finish(self) -> None:
        """Read what little may be left after a stream's end: no server likes to be left before."""
        with suppress(RuntimeError, *self._exchange.connections.failures):
            async with asyncio.timeout(_LEFT_OVER_SECONDS):
                async for _ in self._pieces:
                    pass

    async def aclose(self) -> None:
        """Close the connection where it is not free already, and let the next call have it."""
        response, self._response = self._response, None
        if response is None:
            return
        try:
            await self._pieces.aclose()
            await response.aclose()
        finally:
            self._exchange.free.release()

    async def _collected(self) -> bytes:
        pieces, size = [], 0
        async for piece in self._pieces:
            self._exchange.expect_more()
            size += len(piece)
            if size > _MOST_BYTES:
                raise MalformedAnswerError(f"answered with more than {_MOST_BYTES >> 20} MB")
            pieces.append(piece)
        body = b"".join(pieces)
        return body if self.status < 400 else self._redacted(body)

    def _redacted(self, body: bytes) -> bytes:
        """Return an error's text without the key, which some servers repeat in it."""
        text = self._exchange.redact(body.decode("utf-8", "surrogateescape"))
        return text.encode("utf-8", "surrogateescape")


def _fault(answer: StreamedAnswer, redact: Redact) -> ProviderError | None:
    """Return what to raise for an answer that is none to the request."""
    if answer.status < 300:
        return None
    if answer.status < 400:
        place = one_line(redact(answer.headers.get("location", "nowhere").partition("?")[0]))
        text = f"answered {answer.status}, a redirect to {place}, which is not followed"
        return MalformedAnswerError(text, status=answer.status)
    if answer.status == 407:
        text = "could not be reached: the proxy wants a user and a password in its URL (407)"
        return ProviderConnectionError(text, is_retryable=False)
    if answer.status >= 600:
        text = f"answered {answer.status}, which is no status of HTTP"
        return MalformedAnswerError(text, status=answer.status)
    return None


def _with_query(url: str, query: Query) -> str:
    if not query:
        return url
    url = url.partition("#")[0]
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query, quote_via=quote)}"


def _merged(*all_headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the headers of a request: the later one wins, whatever its spelling."""
    merged = dict(_HEADERS)
    for headers in all_headers:
        for name, value in headers.items():
            merged[name.lower()] = (name, value)
    return list(merged.values())
