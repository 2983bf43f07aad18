"""One HTTP client a running event loop, closed with its loop.

A client belongs to the loop that it was opened on. Each is held by an async
generator, which asyncio closes at the end of ``asyncio.run``: leaving a loop
behind, or the process, needs no ``close`` and prints nothing.
"""

import asyncio
import atexit
import contextlib
import weakref
from collections.abc import AsyncGenerator, Callable
from typing import Generic, Protocol, TypeVar


class _Closable(Protocol):
    async def close(self) -> None: ...


T = TypeVar("T", bound=_Closable)


class LoopClients(Generic[T]):
    """Opens a client on first use in each running loop and keeps it for that loop."""

    def __init__(self, open_client: Callable[[], T]) -> None:
        self._open = open_client
        self._clients: dict[asyncio.AbstractEventLoop, T] = {}
        self._lifetimes: dict[asyncio.AbstractEventLoop, AsyncGenerator[None, None]] = {}
        _all.add(self)

    async def get(self) -> T:
        """Return the client of the running loop."""
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            await self._drop_closed()
            client = self._clients[loop] = self._open()
            self._lifetimes[loop] = self._lifetime(loop, client)
            await anext(self._lifetimes[loop])
        return client

    async def aclose(self) -> None:
        """Close every client, each on the loop that it belongs to."""
        for loop in list(self._lifetimes):
            lifetime = self._lifetimes[loop]
            if loop is asyncio.get_running_loop() or not loop.is_running():
                await lifetime.aclose()
            else:
                closing = asyncio.run_coroutine_threadsafe(_closed(lifetime), loop)
                await asyncio.wrap_future(closing)

    async def _lifetime(
        self, loop: asyncio.AbstractEventLoop, client: T
    ) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self._clients.pop(loop, None)
            self._lifetimes.pop(loop, None)
            await client.close()

    async def _drop_closed(self) -> None:
        """Forget the clients of loops that were closed without ending their generators."""
        for loop in [loop for loop in self._lifetimes if loop.is_closed()]:
            await self._lifetimes[loop].aclose()


async def _closed(lifetime: AsyncGenerator[None, None]) -> None:
    await lifetime.aclose()


_all: "weakref.WeakSet[LoopClients[_Closable]]" = weakref.WeakSet()


@atexit.register
def _close_what_is_left() -> None:
    for clients in list(_all):
        if clients._lifetimes:
            with contextlib.suppress(Exception):  # the process ends; nobody is left to be told
                asyncio.run(clients.aclose())
