"""How long the reader of a stream waits: for the first text, for each next piece, and in all."""

import asyncio
from math import inf
from types import TracebackType

from war_rig.errors import ProviderTimeoutError
from war_rig.providers.limit import Limit


class Patience:
    """The limits of one call, in seconds, infinite for none. Each wait stands in a ``with`` of it.

    first_token bounds each wait until there is text, between_tokens each one
    after it, total the whole call, which begins now. has_text is for its reader
    to set. A wait that takes too long ends in ProviderTimeoutError.
    """

    def __init__(
        self, total: float = inf, first_token: float = inf, between_tokens: float = inf
    ) -> None:
        self.has_text = False
        self._total = total
        self._first_token = first_token
        self._between_tokens = between_tokens
        self._is_of_pieces = min(first_token, between_tokens) < inf
        self._now = asyncio.get_running_loop().time
        self._end = self._now() + total
        self._limit = Limit(self._end)
        self._told = ("did not finish its answer in", total)

    def __enter__(self) -> None:
        if self._is_of_pieces:
            self._set()
        self._limit.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        try:
            self._limit.__exit__(kind, error, _)
            return
        except TimeoutError:  # of the limit's: any other passes
            pass
        told, seconds = self._told
        raise ProviderTimeoutError(f"{told} {seconds:g} s")

    def close(self) -> None:
        """Give the timer up; no wait may come after it."""
        self._limit.close()

    def _set(self) -> None:
        seconds = self._between_tokens if self.has_text else self._first_token
        until = self._now() + seconds
        if until < self._end:
            told = "sent nothing more for" if self.has_text else "sent no text in"
        else:
            until, seconds, told = self._end, self._total, "did not finish its answer in"
        self._limit.set(until)
        self._told = (told, seconds)
