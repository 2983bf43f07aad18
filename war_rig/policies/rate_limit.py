"""The rate limit: no minute has more requests or tokens, no moment more calls, than declared.

    requests    In any 60 seconds, both ends counted, at most so many begin. The log slides:
                it holds the times at which calls really began, late ones as late ones.
    tokens      Counted at the begin as an estimate: four characters a token, and for the
                completion the request's own limit, else the mean so far. When the call has
                ended, what the ledger says takes its place, and who waits is let in sooner.
    at once     So many calls are under way; a stream until it is closed.

Calls begin in the order in which they came: gate.py.
"""

import asyncio
from collections.abc import Sequence

from war_rig.errors import BadRequestError, ProviderError, RateLimitError
from war_rig.ledger import Attempt
from war_rig.policies.call import Call
from war_rig.policies.estimate import Mean, declared_completion
from war_rig.policies.gate import Begun, Gate, Turn, Wait
from war_rig.policies.policy import Around, Course, Request, StreamingProvider

_TOO_LARGE = "ask for less at once, or raise tokens_per_minute: war-rig explain"


class RateLimit(Around[Begun]):
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
        self._gate = Gate(requests_per_minute, tokens_per_minute, concurrency)
        self._mean = Mean()

    async def _begin(self, course: Course) -> Begun:
        """Wait until the call may begin; raise where it never could, or not in time."""
        request, call = course.request, course.call
        turn = Turn(self._estimate(request, call), asyncio.get_running_loop())
        try:
            while not isinstance(entered := self._gate.enter(turn), Begun):
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

    def _end(self, begun: Begun, course: Course) -> None:
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

    def _too_late(self, request: Request, call: Call, wait: Wait) -> ProviderError:
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
