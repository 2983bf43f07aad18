"""How long the reader of a stream waits: for the first text, for each next piece, and in all."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

from war_rig.errors import ProviderTimeoutError
from war_rig.providers.limit import Limit


class Patience:
    """The limits of one call, in seconds, infinite for none. All of it stands in a ``with``.

    first_token bounds each wait until there is text, between_tokens each one
    after it, total the whole call, which begins now.
    """

    def __init__(
        self, total: float = inf, first_token: float = inf, between_tokens: float = inf
    ) -> None:
        self._total = total
        self._first_token = first_token
        self._between_tokens = between_tokens
        self._now = asyncio.get_running_loop().time
        self._end = self._now() + total
        self._limit = Limit(self._end)

    def __enter__(self) -> "Patience":
        return self

    def __exit__(self, *_: object) -> None:
        self._limit.close()

    @contextmanager
    def wait(self, has_text: bool = False) -> Iterator[None]:
        """Raise ProviderTimeoutError where what is awaited inside takes too long."""
        seconds = self._between_tokens if has_text else self._first_token
        told = "sent nothing more for" if has_text else "sent no text in"
        until = self._now() + seconds
        if until >= self._end:
            until, seconds, told = self._end, self._total, "did not finish its answer in"
        self._limit.set(until)
        try:
            with self._limit:
                yield
            return
        except TimeoutError:  # a caller's own timeout is a cancellation, and passes
            if not self._limit.is_over:
                raise
        raise ProviderTimeoutError(f"{told} {seconds:g} s")
