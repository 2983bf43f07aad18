"""The gate of a rate limit: who is under way, who began in the last minute, and who waits.

Calls begin in the order in which they came, over all event loops and threads. Only the
first in the queue may begin, and it does so itself, in code that nothing can interrupt: so
a call that is cancelled while it waits, at whatever moment, had nothing to give back.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import ceil, inf
from threading import RLock

from war_rig.forking import begins_anew_in_child

_WINDOW_SECONDS = 60.001  # more than a minute: then its last moment counts, and early timers
_EARLY_SECONDS = 0.0005  # how much too early a timer may fire
_LOOK_AGAIN_SECONDS = 60.0  # whatever became of those in front


@dataclass(slots=True, eq=False)
class Turn:
    """A call that wants to begin."""

    tokens: int
    loop: asyncio.AbstractEventLoop
    is_queued: bool = False
    waits_for: str = ""
    waiter: "asyncio.Future[None] | None" = None

    async def sleep(self, seconds: float) -> None:
        """Wait to be woken, or for so many *seconds* where they are known."""
        self.waiter = self.loop.create_future()
        timer = self.loop.call_later(seconds or _LOOK_AGAIN_SECONDS, self._look)
        try:
            await self.waiter
        finally:
            timer.cancel()

    def wake(self) -> None:
        """Let it look again; may be called from any thread."""
        with suppress(RuntimeError):  # its loop is closed: nobody waits there
            self.loop.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(None)


@dataclass(slots=True, eq=False)
class Begun:
    """A call that began, in the log for a minute."""

    loop: asyncio.AbstractEventLoop
    time: float
    tokens: int
    is_logged: bool = True


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a call may not begin; seconds: at least so long, 0 where nobody knows."""

    seconds: float
    limit: str


class Gate:
    """Who is under way, who began in the last minute, and who waits.

    The lock can be taken again by the thread that has it: the garbage collector may
    finalise a call that was left behind in a closed loop while another one begins.
    """

    def __init__(self, requests: int | None, tokens: int | None, calls: int | None) -> None:
        self._requests, self._tokens, self._calls = requests or inf, tokens or inf, calls or inf
        self._has_log = min(self._requests, self._tokens) < inf
        self._lock = RLock()
        self._queue: deque[Turn] = deque()
        self._queued_tokens = 0
        self._log: deque[Begun] = deque()
        self._logged_tokens = 0
        self._under_way: set[Begun] = set()
        begins_anew_in_child(self)

    def begin_anew(self) -> None:
        """Forget who is under way and who waits: in a forked child they are nobody."""
        self._lock = RLock()
        self._queue.clear()
        self._queued_tokens = 0
        self._under_way.clear()

    def enter(self, turn: Turn) -> Begun | Wait:
        """Begin, or put *turn* into the queue and return why it has to wait there."""
        with self._lock:
            now = turn.loop.time()
            self._forget(now)
            self._drop_dead()
            wait = self._wait(turn, now)
            if wait is None:
                return self._begin(turn, now)
            if not turn.is_queued:
                turn.is_queued, turn.waits_for = True, wait.limit
                self._queue.append(turn)
                self._queued_tokens += turn.tokens
            return wait

    def leave(self, turn: Turn) -> None:
        """Take *turn* out of the queue."""
        with self._lock:
            self._take_out(turn)
            self._wake_first()

    def end(self, begun: Begun, tokens: int | None) -> None:
        """End a call, which took so many *tokens*, None where its estimate stands."""
        with self._lock:
            self._under_way.discard(begun)
            if tokens is not None and begun.is_logged:
                self._logged_tokens += tokens - begun.tokens
                begun.tokens = tokens
            self._wake_first()

    def _wait(self, turn: Turn, now: float) -> Wait | None:
        """Return why *turn* has to wait, None where it may begin."""
        is_first = not self._queue or self._queue[0] is turn
        if turn.is_queued and not is_first:
            return Wait(0.0, turn.waits_for)
        ahead, tokens = (0, 0) if is_first else (len(self._queue), self._queued_tokens)
        log, tokens = self._log, tokens + turn.tokens
        by_requests = by_tokens = now
        if len(log) + ahead + 1 > self._requests:
            by_requests = self._from(now, self._requests, len(log), ahead + 1, lambda n: log[n - 1])
        if self._logged_tokens + tokens > self._tokens:
            by_tokens = self._from(now, self._tokens, self._logged_tokens, tokens, self._with_token)
        if by_requests > now and by_requests >= by_tokens:
            return Wait(by_requests - now, f"{_counted(self._requests, 'request')} a minute")
        if by_tokens > now:
            return Wait(by_tokens - now, f"{_counted(self._tokens, 'token')} a minute")
        if self._is_full(ahead):
            return Wait(0.0, f"{_counted(self._calls, 'call')} at once")
        return None if is_first else Wait(0.0, "calls that came before")

    def _is_full(self, ahead: int) -> bool:
        """Return whether no slot is left; calls in a loop that is closed will never end."""
        if ahead or len(self._under_way) < self._calls:
            return len(self._under_way) + ahead >= self._calls
        for begun in self._under_way.copy():  # which the garbage collector may change meanwhile
            if begun.loop.is_closed():
                self._under_way.discard(begun)
        return len(self._under_way) >= self._calls

    def _from(
        self, now: float, limit: float, used: int, wanted: int, begun_with: Callable[[int], Begun]
    ) -> float:
        """Return the earliest time at which all that is *wanted*, which is too much now, can begin.

        used: what the log holds, which may be over the limit where estimates were too low.
        begun_with: the call in the log that brought the log's sum to a number.
        """
        over = used + wanted - limit
        windows = max(ceil((over - max(used, limit)) / limit), 0)  # that those who wait fill
        over -= windows * limit
        since = begun_with(int(over)).time if over <= used else now
        return since + (windows + 1) * _WINDOW_SECONDS

    def _with_token(self, number: int) -> Begun:
        for begun in self._log:
            number -= begun.tokens
            if number <= 0:
                break
        return begun  # the last where a call was settled, for less than it was, meanwhile

    def _begin(self, turn: Turn, now: float) -> Begun:
        self._take_out(turn)
        begun = Begun(turn.loop, now, turn.tokens)
        self._under_way.add(begun)
        if self._has_log:
            self._log.append(begun)
            self._logged_tokens += begun.tokens
        self._wake_first()
        return begun

    def _take_out(self, turn: Turn) -> None:
        if turn.is_queued:
            turn.is_queued = False
            self._queue.remove(turn)
            self._queued_tokens -= turn.tokens

    def _wake_first(self) -> None:
        self._drop_dead()
        if self._queue:
            self._queue[0].wake()

    def _drop_dead(self) -> None:
        """Pass over those whose loop does not run; should it run again, they queue anew."""
        while self._queue:
            first = self._queue[0]  # which the garbage collector may take out meanwhile
            if first.loop.is_running():
                return
            self._take_out(first)
            first.wake()

    def _forget(self, now: float) -> None:
        oldest = now + _EARLY_SECONDS - _WINDOW_SECONDS
        while self._log and self._log[0].time <= oldest:
            gone = self._log.popleft()
            gone.is_logged = False
            self._logged_tokens -= gone.tokens


def _counted(number: float, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
