"""The limit of a call's steps: what asyncio.timeout does, for many steps one after the other.

A timer a step would cost more than a step of a stream does. So there is one, which
looks when it fires whether the time is up; where the limit has moved on meanwhile,
it is set anew.
"""

import asyncio
from math import inf
from types import TracebackType
from typing import Any


class Limit:
    """Ends the step that is awaited in a ``with`` of it, in TimeoutError, when its time is up."""

    __slots__ = ("_cancelling", "_loop", "_step", "_timer", "_until", "is_over")

    def __init__(self, until: float) -> None:
        """Let the next step end at *until*, in the time of the running loop."""
        self._loop = asyncio.get_running_loop()
        self._until = until
        self._timer: asyncio.TimerHandle | None = None
        self._step: asyncio.Task[Any] | None = None
        self._cancelling = 0
        self.is_over = False

    def __enter__(self) -> None:
        step = asyncio.current_task()
        assert step is not None
        self._step, self._cancelling, self.is_over = step, step.cancelling(), False
        if self._timer is None or self._until < self._timer.when():
            self._start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        step, self._step = self._step, None
        if self.is_over and step is not None:
            is_ours = step.uncancel() <= self._cancelling
            if is_ours and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def set(self, until: float) -> None:
        """Let the step that is awaited, or the next one, end at *until*."""
        self._until = until
        if self._step is not None and (self._timer is None or until < self._timer.when()):
            self._start()

    def close(self) -> None:
        """Give the timer up; no step may come after it."""
        if self._timer is not None:
            self._timer.cancel()

    def _start(self) -> None:
        self.close()
        if self._until < inf:
            self._timer = self._loop.call_at(self._until, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._step is None:
            return
        if self._loop.time() < self._until:
            self._start()
        elif not self.is_over:
            self.is_over = True
            self._step.cancel()
