"""The ledger's innermost layer: each attempt is written down when it ends, however it ends.

What a failed attempt cost is seldom told. An error status counts as nothing, and so does a
connection that failed before there was text. What ended otherwise may have been billed:
its messages and the text that had arrived are counted, as an estimate.
"""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol

from war_rig.errors import (
    ConfigError,
    ProviderConnectionError,
    ProviderError,
    WarRigError,
)
from war_rig.ledger import Attempt, Outcome
from war_rig.policies.call import reason_of
from war_rig.policies.policy import Around, Course, Request, StreamingProvider
from war_rig.providers import CompletionResponse
from war_rig.providers.usage import estimate_tokens


class CostOf(Protocol):
    """Tells what a call of a model costs; None without a price."""

    def __call__(
        self, model: str | None, prompt_tokens: int, completion_tokens: int
    ) -> Decimal | None: ...


class _Usage(NamedTuple):
    prompt_tokens: int | None
    completion_tokens: int | None
    tokens_used: int
    source: Literal["reported", "estimated"] | None


class _Sent(NamedTuple):
    now: Callable[[], float]
    time: float
    waited_seconds: float
    waited_for: str


class Attempts(Around[_Sent]):
    """Writes what each attempt of the provider *name* came to into the current call's ledger."""

    def __init__(self, provider: StreamingProvider, name: str, cost_of: CostOf) -> None:
        super().__init__(provider)
        self._provider_name = name
        self._cost_of = cost_of

    async def _begin(self, course: Course) -> _Sent:
        now = asyncio.get_running_loop().time  # which is not running where a call is finalised
        return _Sent(now, now(), *course.call.waited())

    def _end(self, begun: _Sent, course: Course) -> None:
        outcome, reason = _outcome(course)
        answer = course.response
        model = self.shown_model(answer.model if answer else course.request.model)
        usage = _usage(course)
        course.call.add(
            Attempt(
                self._provider_name,
                model,
                outcome,
                reason,
                usage.prompt_tokens,
                usage.completion_tokens,
                usage.tokens_used,
                usage.source,
                self._cost(model, usage),
                begun.now() - begun.time,
                begun.waited_seconds,
                begun.waited_for,
            )
        )

    def _cost(self, model: str | None, usage: _Usage) -> Decimal | None:
        """Return the cost; where the parts are not told, all tokens count as completion."""
        prompt = usage.prompt_tokens or 0
        completion = usage.completion_tokens
        if completion is None:
            completion = max(usage.tokens_used - prompt, 0)
        return self._cost_of(model, prompt, completion)


def _outcome(course: Course) -> tuple[Outcome, str]:
    error = course.error
    if course.response is not None:
        return "answered", ""
    if isinstance(error, ConfigError):
        return "refused", reason_of(error)
    if isinstance(error, WarRigError):
        return "failed", reason_of(error)
    return "cancelled", "its caller went on without it"


def _usage(course: Course) -> _Usage:
    request = course.request
    if course.response is not None:
        return _told(request, course.response)
    text = "".join(course.pieces)
    if not text and _is_free(course.error):
        return _Usage(0, 0, 0, "estimated")
    prompt, completion = request.estimated_tokens, estimate_tokens(text)
    return _Usage(prompt, completion, prompt + completion, "estimated")


def _told(request: Request, response: CompletionResponse) -> _Usage:
    """Return the counts of *response*, estimated where its provider gave none."""
    if response.tokens_used:
        return _Usage(
            response.prompt_tokens,
            response.completion_tokens,
            response.tokens_used,
            response.usage_source or "reported",
        )
    prompt, completion = request.estimated_tokens, estimate_tokens(response.content)
    return _Usage(prompt, completion, prompt + completion, "estimated")


def _is_free(error: BaseException | None) -> bool:
    if isinstance(error, (ConfigError, ProviderConnectionError)):
        return True
    return isinstance(error, ProviderError) and (error.status or 0) >= 400
