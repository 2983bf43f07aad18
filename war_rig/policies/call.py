"""One call on its way through the policies of a stack: its deadline, and the ledger it fills.

The stack begins a call, and the request takes it to each inner policy.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from typing import TypeVar

from war_rig.errors import ProviderError
from war_rig.ledger import Attempt, Outcome
from war_rig.providers.answers import message
from war_rig.providers.classification import Verdict

E = TypeVar("E", bound=ProviderError)


@dataclass(slots=True)
class Call:
    """The state of one call.

    deadline: a time of the running loop. waited_seconds and waited_for: what
    the next attempt has waited for so far. after_wait: raises where an attempt
    that has waited may not be sent any more.
    """

    attempts: list[Attempt] = field(default_factory=list)
    deadline: float = inf
    waited_seconds: float = 0.0
    waited_for: str = ""
    after_wait: Callable[[], None] | None = None

    def add(self, attempt: Attempt) -> None:
        """Take an attempt into the ledger."""
        self.attempts.append(attempt)

    async def wait(self, seconds: float, reason: str) -> None:
        """Sleep, counted for the next attempt."""
        with self.waiting(reason):
            await asyncio.sleep(seconds)

    @contextmanager
    def waiting(self, reason: str) -> Iterator[None]:
        """Count the time inside for the next attempt, also where it is cut short."""
        now = asyncio.get_running_loop().time
        begun = now()
        try:
            yield
        finally:
            self.waited_seconds += now() - begun
            if reason not in self.waited_for:
                self.waited_for = f"{self.waited_for}; {reason}" if self.waited_for else reason

    def waited(self) -> tuple[float, str]:
        """Return what was waited since the last attempt, and begin to count anew."""
        waited = self.waited_seconds, self.waited_for
        self.waited_seconds, self.waited_for = 0.0, ""
        return waited

    def unsent(self, provider: str, model: str | None, reason: str, outcome: Outcome) -> None:
        """Put an attempt that was not sent into the ledger."""
        seconds, waited_for = self.waited()
        self.add(
            Attempt(
                provider,
                model,
                outcome,
                reason,
                waited_seconds=seconds,
                waited_for=waited_for,
            )
        )

    def refuse(
        self,
        provider: str,
        model: str | None,
        kind: type[E],
        what: str,
        next_step: str = "",
    ) -> E:
        """Write down that an attempt was not sent, and return the error to raise.

        next_step: told in the place of that of *kind*.
        """
        text = message(provider, model, Verdict(kind, f"was not asked: {what}"), next_step)
        error = kind(text, provider=provider, model=model, is_retryable=False)
        self.unsent(provider, model, reason_of(error), "refused")
        return error


def reason_of(error: BaseException) -> str:
    """Return the kind of *error* and the first line of its text."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
