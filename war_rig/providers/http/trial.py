"""A call that is watched: the request, the answer, and what the definition found in it.

    await provider.watched(print).complete(messages)

The provider's own code makes the call; only its transport is another one, which
tells as it goes. Where the call fails, all up to there has been told. Secrets
are cleared from every text before it is cut.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from typing import Any

from war_rig.errors import ProviderError
from war_rig.providers.foreign import Redact, one_line
from war_rig.providers.http.answers import TOLD
from war_rig.providers.http.auth import Auth, Credentials
from war_rig.providers.http.definition import Definition
from war_rig.providers.http.events import Event
from war_rig.providers.http.failures import Failed
from war_rig.providers.http.findings import Findings
from war_rig.providers.http.keys import Ask
from war_rig.providers.http.provider import parsed
from war_rig.providers.http.shown import data_text, head_text, request_text
from war_rig.providers.http.streaming import FORMATS, Streaming, closable
from war_rig.providers.http.streaming import StreamedAnswer as ReadAnswer
from war_rig.providers.http.transport import Answer, Request, StreamedAnswer, Transport

_SHOWN_EVENTS = 5
_LONGEST_EVENT = 400


@dataclass(frozen=True, slots=True)
class Report:
    """Tells what a call comes to. response, stream: these parts of the entry, as written."""

    show: Callable[[str], None]
    redact: Redact
    definition: Definition
    response: Mapping[str, Any]
    stream: Mapping[str, Any]

    def section(self, title: str, *texts: str) -> None:
        """Tell a part of the call."""
        lines = [line for text in texts for line in text.split("\n")]
        self.show("\n".join([title, *(f"  {line}".rstrip() for line in lines)]))

    def request(self, title: str, request: Request, sent: Credentials) -> None:
        """Tell what is sent."""
        self.section(title, request_text(request, sent.headers, sent.query, self.redact))

    def head(self, answer: Answer | StreamedAnswer) -> None:
        """Tell how an answer begins."""
        self.section("answer", head_text(answer.status, answer.headers, self.redact))

    def body(self, answer: Answer) -> None:
        """Tell a whole answer, and what the definition reads in it."""
        data = parsed(answer.body)
        self.section("body", data_text(data, self.redact) or "(empty)")
        text = self.definition.answers.text
        failed = Failed(answer.status, answer.headers, data, has_text=bool(text(data)))
        fitting = (i for i, rule in enumerate(self.definition.rules) if rule.fits(failed))
        if (first := next(fitting, None)) is not None:
            self.section("errors", f"errors[{first}] fits")
        if 200 <= answer.status < 300:
            found = Findings(_paths(self.response), text)
            found.take(data)
            self.section("response", *found.lines(self.redact))


def _paths(part: Mapping[str, Any]) -> dict[str, str]:
    return {key: path for key in ("content", *TOLD) if (path := part.get(key))}


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
        self._events: _Events | None = None

    async def pieces(self) -> AsyncIterator[bytes]:
        streaming = self._report.definition.streaming
        assert streaming is not None
        self._events = _Events(streaming, self._report)
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


class _Events:
    """The events of a stream: the first ones as they are, and what was found in all of them."""

    def __init__(self, streaming: Streaming, report: Report) -> None:
        self._report = report
        self._read = ReadAnswer(streaming, report.definition.rules, report.redact)
        paths = _paths(report.response) | _paths(report.stream)
        self._found = Findings(paths, streaming.paths.text)
        self._seen = 0
        self._end = 0

    def take(self, events: list[Event]) -> None:
        for event in events:
            if self._read.is_over:
                return
            self._seen += 1
            is_failure = self._is_failure(event)
            if self._seen <= _SHOWN_EVENTS or is_failure:
                self._show(event)
            data = parsed(event.data.encode())
            if isinstance(data, (dict, list)):
                self._found.take(data)

    def tell(self) -> None:
        count = f"{self._seen} events" if self._seen != 1 else "1 event"
        mark = self._report.redact(json.dumps(self._report.stream.get("end"), ensure_ascii=False))
        came = f"came with event {self._end}" if self._end else "did not come"
        lines = [*self._found.lines(self._report.redact), f"end mark {mark} {came}"]
        self._report.section(f"stream of {count}", *lines)

    def _is_failure(self, event: Event) -> bool:
        """Return whether *event* breaks the answer off; note where the end mark came."""
        try:
            self._read.take(event)
        except ProviderError:  # the provider raises it, too
            return True
        if self._read.is_whole and not self._end:
            self._end = self._seen
        return False

    def _show(self, event: Event) -> None:
        data = parsed(event.data.encode())
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        text = one_line(self._report.redact(text), _LONGEST_EVENT)
        name = "" if event.name == "message" else one_line(self._report.redact(event.name)) + "  "
        self._report.section(f"event {self._seen}", f"{name}{text}")
