"""One HTTP client a running event loop, closed with its loop.

A client belongs to the loop that it was opened on. Each is held by an async
generator, which asyncio closes at the end of ``asyncio.run``: leaving a loop
behind, or the process, needs no ``close`` and prints nothing.
"""

import asyncio
import atexit
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Any, Generic, Protocol, TypeVar

from war_rig.forking import begins_anew_in_child


class _Closable(Protocol):
    async def close(self) -> None: ...


T = TypeVar("T", bound=_Closable)


class LoopClients(Generic[T]):
    """Opens a client on first use in each running loop and keeps it for that loop."""

    def __init__(self, open_client: Callable[[], T]) -> None:
        self._open = open_client
        self._clients: dict[asyncio.AbstractEventLoop, T] = {}
        self._lifetimes: dict[asyncio.AbstractEventLoop, AsyncGenerator[None, None]] = {}
        begins_anew_in_child(self)

    def begin_anew(self) -> None:
        """Leave the clients to the parent: in a forked child their loops never run."""
        self._clients.clear()
        self._lifetimes.clear()
        _with_clients.discard(self)

    async def get(self) -> T:
        """Return the client of the running loop, which has seen by then what servers closed."""
        loop = asyncio.get_running_loop()
        for _ in range(2):  # a busy loop looks at its sockets in the first turn, and acts after it
            await asyncio.sleep(0)
        if loop not in self._clients:
            await _close_those_of_closed_loops()
        if loop not in self._clients:  # nobody else runs from here to the end
            self._clients[loop] = self._open()
            self._lifetimes[loop] = self._lifetime(loop, self._clients[loop])
            await anext(self._lifetimes[loop])
        return self._clients[loop]

    async def aclose(self) -> None:
        """Close every client, each on the loop that it belongs to."""
        for loop, lifetime in list(self._lifetimes.items()):
            if loop is asyncio.get_running_loop() or loop.is_closed():
                await lifetime.aclose()
            elif loop.is_running():
                closing = asyncio.run_coroutine_threadsafe(_closing(lifetime), loop)
                await asyncio.wrap_future(closing)
            else:
                await asyncio.to_thread(loop.run_until_complete, lifetime.aclose())

    async def close_those_of_closed_loops(self) -> None:
        """Drop the clients of loops that were closed without ending their generators."""
        for loop, lifetime in list(self._lifetimes.items()):
            if loop.is_closed():
                await lifetime.aclose()

    async def _lifetime(
        self, loop: asyncio.AbstractEventLoop, client: T
    ) -> AsyncGenerator[None, None]:
        _with_clients.add(self)
        try:
            yield
        finally:
            self._clients.pop(loop, None)
            self._lifetimes.pop(loop, None)
            if not self._lifetimes:
                _with_clients.discard(self)
            await client.close()


# Strong references: a client that is garbage-collected while open complains on stderr.
_with_clients: set[LoopClients[Any]] = set()


async def _closing(lifetime: AsyncGenerator[None, None]) -> None:
    await lifetime.aclose()


async def _close_those_of_closed_loops() -> None:
    for clients in list(_with_clients):
        await clients.close_those_of_closed_loops()


@atexit.register
def _close_all() -> None:
    for clients in list(_with_clients):
        for loop, lifetime in list(clients._lifetimes.items()):
            with contextlib.suppress(Exception):  # the process ends; nobody is left to be told
                _end(loop, lifetime)


def _end(loop: asyncio.AbstractEventLoop, lifetime: AsyncGenerator[None, None]) -> None:
    """Close one client from outside any loop; threads can't be begun any more at exit."""
    if loop.is_closed():
        asyncio.run(_closing(lifetime))
    elif loop.is_running():
        asyncio.run_coroutine_threadsafe(_closing(lifetime), loop).result(timeout=5)
    else:
        loop.run_until_complete(_closing(lifetime))
