"""How long a call may take, and an attempt of it; in a stream, the wait for each piece too.

In a stream time is bounded while somebody waits for a piece, and not while the
reader works on the last one.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from math import inf

from war_rig.errors import ProviderTimeoutError
from war_rig.policies.policy import Policy, Request, StreamingProvider, ask, ask_stream
from war_rig.providers import CompletionChunk, CompletionResponse
from war_rig.providers.answers import message
from war_rig.providers.classification import Verdict
from war_rig.providers.limit import Limit
from war_rig.providers.patience import Patience


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds; first_token and between_tokens bound each wait of a stream, total all of it."""

    total: float = inf
    first_token: float = inf
    between_tokens: float = inf

    def patience(self) -> Patience:
        """Return these limits for a call that begins now."""
        return Patience(self.total, self.first_token, self.between_tokens)


class _Timeout(Policy):
    """Raises ProviderTimeoutError where the provider *name* takes longer than its limits."""

    def __init__(self, provider: StreamingProvider, name: str, limits: Limits) -> None:
        super().__init__(provider)
        self._limits = limits
        self._provider_name = name

    async def _complete(self, request: Request) -> CompletionResponse:
        limit = Limit(self._begin(request))
        try:
            with limit:
                return await ask(self.provider, request)
        except TimeoutError:  # the caller's own one is a cancellation, and passes
            pass
        finally:
            limit.close()
        raise self._error(request, f"{self._did_not} {self._limits.total:g} s")

    async def _stream(self, request: Request) -> AsyncGenerator[CompletionChunk, None]:
        self._begin(request)
        patience = self._limits.patience()
        try:
            async with aclosing(ask_stream(self.provider, request)) as chunks:
                while True:
                    try:
                        with patience:
                            chunk = await anext(chunks)
                    except StopAsyncIteration:
                        return
                    except ProviderTimeoutError as error:
                        if error.provider is not None:  # from within, not by these limits
                            raise
                        told = str(error)
                        break
                    if chunk.content:
                        patience.has_text = True
                    yield chunk
        finally:
            patience.close()
        raise self._error(request, told)

    _did_not = "did not finish its answer in"

    def _begin(self, request: Request) -> float:
        """Return when a call that begins now is to end, in the loop's time."""
        return asyncio.get_running_loop().time() + self._limits.total

    def _error(self, request: Request, told: str) -> ProviderTimeoutError:
        model = self.shown_model(request.model)
        text = message(self._provider_name, model, Verdict(ProviderTimeoutError, told))
        return ProviderTimeoutError(text, provider=self._provider_name, model=model)


class AttemptTimeout(_Timeout):
    """Bounds one attempt of the provider, and each wait of its stream."""


class TotalTimeout(_Timeout):
    """Bounds a whole call: all its attempts, what waits between them, and every fallback."""

    _did_not = "gave no answer, with all attempts, in"

    def _begin(self, request: Request) -> float:
        """Tell what is inside too, so that nobody waits for what would come too late."""
        request.call.deadline = super()._begin(request)
        return request.call.deadline
