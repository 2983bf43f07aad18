"""Ten minutes of an outage in milliseconds: an event loop whose time jumps over every wait.

Nothing is replaced: the policies, ``asyncio.sleep`` and ``asyncio.timeout`` all
ask the loop for the time, and this loop's time is made up.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class RehearsalLoop(asyncio.SelectorEventLoop):
    """An event loop that never sleeps: where all wait for a time, it is that time at once.

    It begins at 0. Real sockets and threads work, but a time that somebody
    waits for does not wait for them. For a rehearsal in several steps, in one time:
    ``with asyncio.Runner(loop_factory=RehearsalLoop) as runner: runner.run(...)``.
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        """Return the seconds since the loop was made, in its own time."""
        return self._seconds

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Wait for the threads without a limit, which would be jumped over."""
        await super().shutdown_default_executor()

    def pass_time(self, seconds: float) -> None:
        """Let *seconds* pass."""
        self._seconds += seconds


class _Jumping(selectors.DefaultSelector):
    """Waits for no time, unless nobody waits for one: then something real must happen."""

    def __init__(self, loop: RehearsalLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(None if timeout is None else 0)
        if timeout and not events:
            self._loop.pass_time(timeout)
        return events


def rehearse(work: Coroutine[Any, Any, T]) -> T:
    """Run *work* as ``asyncio.run`` does, in a time that jumps over every wait."""
    with asyncio.Runner(loop_factory=RehearsalLoop) as runner:
        return runner.run(work)
