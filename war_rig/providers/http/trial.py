"""A call that is watched: the request, the answer, and what the definition found in it.

    await provider.watched(print).complete(messages)

The provider's own code makes the call; only its transport is another one, which
tells as it goes. Where the call fails, all up to there has been told.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
    contextmanager,
)
from typing import Any

from war_rig.providers.http.auth import Auth, Credentials
from war_rig.providers.http.keys import Ask
from war_rig.providers.http.report import EventsReport, Report
from war_rig.providers.http.streaming import FORMATS, closable
from war_rig.providers.http.transport import Answer, Request, StreamedAnswer, Transport


class WatchedTransport(Transport):
    """Sends requests as any transport does, and tells a report of them."""

    def __init__(self, report: Report, auth: Auth, **way: Any) -> None:
        """Keep the *report*; way: all other arguments of a transport."""
        super().__init__(auth=_WatchedAuth(auth, self._tell), **way)
        self._report = report
        self._request: Request | None = None
        self._is_told = False

    async def send(self, request: Request) -> Answer:
        """Return the whole answer to *request*."""
        with self._asking(request):
            answer = await super().send(request)
        self._report.head(answer)
        self._report.body(answer)
        return answer

    def stream(self, request: Request) -> AbstractAsyncContextManager[StreamedAnswer]:
        """Open the answer to *request*; what its events held is told when it is left."""
        return self._watched(request)

    @asynccontextmanager
    async def _watched(self, request: Request) -> AsyncIterator[StreamedAnswer]:
        async with AsyncExitStack() as stack:
            with self._asking(request):
                answer = await stack.enter_async_context(super().stream(request))
            self._report.head(answer)
            watched = _WatchedAnswer(answer, self._report)
            try:
                yield watched
            finally:
                watched.tell()

    @contextmanager
    def _asking(self, request: Request) -> Iterator[None]:
        """Let what is sent be told as soon as there is a key, at the latest when there is none."""
        self._request, self._is_told = request, False
        try:
            yield
        finally:
            if not self._is_told:
                self._report.request("request, which was not sent", request, Credentials())

    def _tell(self, sent: Credentials) -> None:
        assert self._request is not None
        title = "request, once more with a fresh key" if self._is_told else "request"
        self._is_told = True
        self._report.request(title, self._request, sent)


class _WatchedAuth(Auth):
    """Authenticates as another does, and tells what each request is to carry."""

    def __init__(self, auth: Auth, tell: Callable[[Credentials], None]) -> None:
        self._auth = auth
        self._tell = tell

    async def credentials(self, ask: Ask) -> Credentials:
        found = await self._auth.credentials(ask)
        self._tell(found)
        return found

    async def renewed(self, refused: Credentials, ask: Ask) -> Credentials | None:
        fresh = await self._auth.renewed(refused, ask)
        if fresh is not None:
            self._tell(fresh)
        return fresh

    async def has_other(self, refused: str, ask: Ask) -> bool:
        return await self._auth.has_other(refused, ask)

    def secrets(self) -> set[str]:
        return self._auth.secrets()

    async def aclose(self) -> None:
        await self._auth.aclose()


class _WatchedAnswer(StreamedAnswer):
    """An answer whose pieces are looked at on their way."""

    def __init__(self, answer: StreamedAnswer, report: Report) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.key = answer.key
        self._answer = answer
        self._report = report
        self._events: EventsReport | None = None

    async def pieces(self) -> AsyncIterator[bytes]:
        streaming = self._report.definition.streaming
        assert streaming is not None
        self._events = EventsReport(streaming, self._report)
        splitter = FORMATS[streaming.format]()
        async with aclosing(closable(self._answer.pieces())) as pieces:
            async for piece in pieces:
                self._events.take(splitter.feed(piece))
                yield piece
        self._events.take(splitter.close())

    def expect_more(self) -> None:
        self._answer.expect_more()

    def end_soon(self) -> None:
        self._answer.end_soon()

    async def read(self) -> bytes:
        body = await self._answer.read()
        self._report.body(Answer(self.status, self.headers, body))
        return body

    def tell(self) -> None:
        if self._events is not None:
            self._events.tell()
