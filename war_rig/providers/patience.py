"""How long the reader of a stream waits: for the first text, for each next piece, and in all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf

from war_rig.errors import ProviderTimeoutError


@dataclass(slots=True)
class Patience:
    """The limits of one call, in seconds; it is to be made when the call begins.

    first_token bounds each wait until there is text, between_tokens each one
    after it, total the whole call.
    """

    first_token: float
    between_tokens: float
    total: float
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        self._end = asyncio.get_running_loop().time() + self.total

    @asynccontextmanager
    async def wait(self, has_text: bool) -> AsyncIterator[None]:
        """Raise ProviderTimeoutError where what is awaited inside takes too long."""
        left = self._end - asyncio.get_running_loop().time()
        seconds = self.between_tokens if has_text else self.first_token
        told = "sent nothing more for" if has_text else "sent no text in"
        if left <= seconds:
            seconds, told = self.total, "did not finish its answer in"
        try:
            async with asyncio.timeout(finite(min(left, seconds))):
                yield
            return
        except TimeoutError:  # a caller's own timeout is a cancellation, and passes
            pass
        raise ProviderTimeoutError(f"{told} {seconds:g} s")


def finite(seconds: float) -> float | None:
    """Return *seconds*, None where there is no limit: no timer is set for infinity."""
    return None if seconds == inf else seconds
