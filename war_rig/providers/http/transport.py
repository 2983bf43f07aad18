"""Carries one request to an API and its answer back, whole or in pieces.

An answer has any status but a redirect's; everything else is one of our errors,
and no HTTP type gets out. A call waits for a free connection, opens the
exchange (once more with a fresh key where a 401 refused the first one), and
reads the body, each within its limit. URLs go out as they are given, but for
what can't stand in one (blanks, umlauts: quoted), ``.`` and ``..`` (resolved),
the default port and the fragment (left out).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from war_rig.providers.clients import LoopClients
from war_rig.providers.http.auth import Auth
from war_rig.providers.http.connections import LAST, Network
from war_rig.providers.http.exchange import Exchange, StreamedAnswer
from war_rig.providers.http.wire import Answer, Request, Timeouts
from war_rig.providers.secrets import Redactor

__all__ = ["Answer", "Request", "StreamedAnswer", "Timeouts", "Transport"]

_KEY_SECONDS = 30.0


class Transport:
    """Sends requests by one client a running loop, closed by ``aclose`` or with its loop."""

    def __init__(
        self,
        *,
        auth: Auth,
        timeouts: Timeouts,
        connections: int,
        proxy: str | None = None,
        ca: Path | None = None,
        certificate: Path | None = None,
        certificate_key: Path | None = None,
    ) -> None:
        """Keep the settings; nothing is connected, or read, until the first exchange."""
        self._auth = auth
        self._timeouts = timeouts
        self._network = Network(
            connections, timeouts.connect, proxy, ca, certificate, certificate_key
        )
        self._clients = LoopClients(self._network.open)

    async def send(self, request: Request) -> Answer:
        """Return the whole answer to *request*."""
        with await self._exchange(self._timeouts, self._timeouts.total) as exchange:
            return await exchange.limited(exchange.whole(request, self._auth))

    def stream(self, request: Request) -> AbstractAsyncContextManager["StreamedAnswer"]:
        """Open the answer to *request*, whose connection is closed after it."""
        return self._streamed(replace(request, headers={**request.headers, **LAST}))

    async def has_other_key(self, refused: str) -> bool:
        """Get the key anew, as after a 401; return whether it is another than the *refused* one."""
        with await self._exchange(self._timeouts, self._timeouts.total) as exchange:
            return await exchange.limited(self._auth.has_other(refused, self._ask))

    def redact(self, text: str) -> str:
        """Return *text* without the secrets known by now, keys that were fetched included."""
        return Redactor(self._auth.secrets() | self._network.secrets()).redact(text)

    async def aclose(self) -> None:
        """Close the connections, and fetch no key any more; it can be used again after it."""
        await self._auth.aclose()  # before: what fetches a key would open a connection anew
        await self._clients.aclose()

    @asynccontextmanager
    async def _streamed(self, request: Request) -> AsyncIterator["StreamedAnswer"]:
        with await self._exchange(self._timeouts, self._timeouts.first_token) as exchange:
            answer = await exchange.limited(exchange.opened(request, self._auth))
            try:
                yield answer
                await answer.finish()
            finally:
                await answer.aclose()

    async def _ask(self, request: Request) -> Answer:
        """Send what it takes to get a key: it needs no key, and waits for no call that has one."""
        total = min(_KEY_SECONDS, self._timeouts.total)
        own, timeouts = asyncio.Semaphore(), replace(self._timeouts, total=total)
        with await self._exchange(timeouts, total, own) as exchange:
            return await exchange.limited(exchange.whole(request, None))

    async def _exchange(
        self, timeouts: Timeouts, first_seconds: float, free: asyncio.Semaphore | None = None
    ) -> Exchange:
        connections = await self._clients.get()
        return Exchange(connections, timeouts, first_seconds, self.redact, self._ask, free)
