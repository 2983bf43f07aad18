"""The rate limit: no minute has more requests or tokens, no moment more calls, than declared.

    requests    In any 60 seconds, both ends counted, at most so many begin. The log slides:
                it holds the times at which calls really began, late ones as late ones.
    tokens      Counted at the begin as an estimate: four characters a token, and for the
                completion the request's own limit, else the mean so far. When the call has
                ended, what the ledger says takes its place, and who waits is let in sooner.
    at once     So many calls are under way; a stream until it is closed.

Calls begin in the order in which they came, over all event loops and threads. Only the
first in the queue may begin, and it does so itself, in code that nothing can interrupt: so
a call that is cancelled while it waits, at whatever moment, had nothing to give back.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil, inf
from threading import RLock

from war_rig.errors import BadRequestError, ProviderError, RateLimitError
from war_rig.ledger import Attempt
from war_rig.policies.call import Call
from war_rig.policies.estimate import Mean, declared_completion
from war_rig.policies.forking import begins_anew_in_child
from war_rig.policies.policy import Around, Course, Request, StreamingProvider

_WINDOW_SECONDS = 60.001  # more than a minute: then its last moment counts, and early timers
_TOO_LARGE = "ask for less at once, or raise tokens_per_minute: war-rig explain"
_EARLY_SECONDS = 0.0005  # how much too early a timer may fire
_LOOK_AGAIN_SECONDS = 60.0  # whatever became of those in front


class RateLimit(Around["_Begun"]):
    """Lets calls of the provider *name* through at the declared rate; None is no limit."""

    def __init__(
        self,
        provider: StreamingProvider,
        name: str,
        requests_per_minute: int | None,
        tokens_per_minute: int | None,
        concurrency: int | None,
    ) -> None:
        super().__init__(provider)
        self._provider_name = name
        self._tokens_per_minute = tokens_per_minute
        self._gate = _Gate(requests_per_minute, tokens_per_minute, concurrency)
        self._mean = Mean()

    async def _begin(self, course: Course) -> "_Begun":
        """Wait until the call may begin; raise where it never could, or not in time."""
        request, call = course.request, course.call
        turn = _Turn(self._estimate(request, call), asyncio.get_running_loop())
        try:
            while not isinstance(entered := self._gate.enter(turn), _Begun):
                if turn.loop.time() + entered.seconds > call.deadline:
                    raise self._too_late(request, call, entered)
                with call.waiting(f"rate limit: {entered.limit}"):
                    await turn.sleep(entered.seconds)
                if call.after_wait:
                    call.after_wait()
        except BaseException:  # which is raised again: whoever is next takes its place
            self._gate.leave(turn)
            raise
        return entered

    def _end(self, begun: "_Begun", course: Course) -> None:
        self._gate.end(begun, self._told(course.request, course.attempts))

    def _estimate(self, request: Request, call: Call) -> int:
        """Return how many tokens to count for *request*; refuse what fits into no minute.

        Only for its own sake: for the mean of others nothing is refused.
        """
        limit = self._tokens_per_minute
        if limit is None:
            return 0
        completion = declared_completion(request)
        least = request.estimated_tokens + completion
        if least > limit:
            what = (
                f"the request is about {least:,} tokens, and "
                f"rate_limit.tokens_per_minute lets {limit:,} through"
            )
            raise self._refused(request, call, BadRequestError, what, _TOO_LARGE)
        return least if completion else min(least + self._mean.completion(), limit)

    def _told(self, request: Request, attempts: Sequence[Attempt]) -> int | None:
        """Return how many tokens *attempts* took, None where nobody knows; learn from answers."""
        if self._tokens_per_minute is None:
            return None
        self._mean.learn(attempts, request)
        told = [attempt.tokens_used for attempt in attempts if attempt.tokens_used is not None]
        return sum(told) if told else None

    def _too_late(self, request: Request, call: Call, wait: "_Wait") -> ProviderError:
        left = max(call.deadline - asyncio.get_running_loop().time(), 0.0)
        what = (
            f"the rate limit of {wait.limit} has room for it in {wait.seconds:.1f} s, "
            f"and the call has {left:.1f} s left"
        )
        error = self._refused(request, call, RateLimitError, what)
        error.retry_after_seconds = wait.seconds
        return error

    def _refused(
        self,
        request: Request,
        call: Call,
        kind: type[ProviderError],
        what: str,
        next_step: str = "",
    ) -> ProviderError:
        model = self.shown_model(request.model)
        return call.refuse(self._provider_name, model, kind, what, next_step)


def _counted(number: float, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@dataclass(slots=True, eq=False)
class _Turn:
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
class _Begun:
    """A call that began, in the log for a minute."""

    loop: asyncio.AbstractEventLoop
    time: float
    tokens: int
    is_logged: bool = True


@dataclass(frozen=True, slots=True)
class _Wait:
    """Why a call may not begin; seconds: at least so long, 0 where nobody knows."""

    seconds: float
    limit: str


class _Gate:
    """Who is under way, who began in the last minute, and who waits.

    The lock can be taken again by the thread that has it: the garbage collector may
    finalise a call that was left behind in a closed loop while another one begins.
    """

    def __init__(self, requests: int | None, tokens: int | None, calls: int | None) -> None:
        self._requests, self._tokens, self._calls = requests or inf, tokens or inf, calls or inf
        self._has_log = min(self._requests, self._tokens) < inf
        self._lock = RLock()
        self._queue: deque[_Turn] = deque()
        self._queued_tokens = 0
        self._log: deque[_Begun] = deque()
        self._logged_tokens = 0
        self._under_way: set[_Begun] = set()
        begins_anew_in_child(self)

    def begin_anew(self) -> None:
        """Forget who is under way and who waits: in a forked child they are nobody."""
        self._lock = RLock()
        self._queue.clear()
        self._queued_tokens = 0
        self._under_way.clear()

    def enter(self, turn: _Turn) -> _Begun | _Wait:
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

    def leave(self, turn: _Turn) -> None:
        """Take *turn* out of the queue."""
        with self._lock:
            self._take_out(turn)
            self._wake_first()

    def end(self, begun: _Begun, tokens: int | None) -> None:
        """End a call, which took so many *tokens*, None where its estimate stands."""
        with self._lock:
            self._under_way.discard(begun)
            if tokens is not None and begun.is_logged:
                self._logged_tokens += tokens - begun.tokens
                begun.tokens = tokens
            self._wake_first()

    def _wait(self, turn: _Turn, now: float) -> _Wait | None:
        """Return why *turn* has to wait, None where it may begin."""
        is_first = not self._queue or self._queue[0] is turn
        if turn.is_queued and not is_first:
            return _Wait(0.0, turn.waits_for)
        ahead, tokens = (0, 0) if is_first else (len(self._queue), self._queued_tokens)
        log, tokens = self._log, tokens + turn.tokens
        by_requests = by_tokens = now
        if len(log) + ahead + 1 > self._requests:
            by_requests = self._from(now, self._requests, len(log), ahead + 1, lambda n: log[n - 1])
        if self._logged_tokens + tokens > self._tokens:
            by_tokens = self._from(now, self._tokens, self._logged_tokens, tokens, self._with_token)
        if by_requests > now and by_requests >= by_tokens:
            return _Wait(by_requests - now, f"{_counted(self._requests, 'request')} a minute")
        if by_tokens > now:
            return _Wait(by_tokens - now, f"{_counted(self._tokens, 'token')} a minute")
        if self._is_full(ahead):
            return _Wait(0.0, f"{_counted(self._calls, 'call')} at once")
        return None if is_first else _Wait(0.0, "calls that came before")

    def _is_full(self, ahead: int) -> bool:
        """Return whether no slot is left; calls in a loop that is closed will never end."""
        if ahead or len(self._under_way) < self._calls:
            return len(self._under_way) + ahead >= self._calls
        for begun in self._under_way.copy():  # which the garbage collector may change meanwhile
            if begun.loop.is_closed():
                self._under_way.discard(begun)
        return len(self._under_way) >= self._calls

    def _from(
        self, now: float, limit: float, used: int, wanted: int, begun_with: Callable[[int], _Begun]
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

    def _with_token(self, number: int) -> _Begun:
        for begun in self._log:
            number -= begun.tokens
            if number <= 0:
                break
        return begun  # the last where a call was settled, for less than it was, meanwhile

    def _begin(self, turn: _Turn, now: float) -> _Begun:
        self._take_out(turn)
        begun = _Begun(turn.loop, now, turn.tokens)
        self._under_way.add(begun)
        if self._has_log:
            self._log.append(begun)
            self._logged_tokens += begun.tokens
        self._wake_first()
        return begun

    def _take_out(self, turn: _Turn) -> None:
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
