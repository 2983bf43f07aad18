"""What a run came to, in a line for people: attempts, tokens, money, and what was waited."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from war_rig.errors import WarRigError

if TYPE_CHECKING:
    from war_rig.ledger import Attempt, Total
    from war_rig.wiring import Run

_MOST_LINES = 12


def report(run: "Run", attempts: Iterable["Attempt"] = ()) -> Iterator[str]:
    """Yield what *run* came to, where there is more to tell than an answer's tokens.

    attempts: those at its one answer, each told where one of them failed.
    """
    total = run.ledger.total
    is_plain = not (total.failed or total.refused or total.cached or total.waited_seconds >= 0.05)
    if not is_plain or total.cost is not None:
        yield line(total)
    if total.failed:
        yield from _each(list(attempts))
    if run.purse.has_limit:
        yield f"budget of the run: {run.purse.text()}"


@contextmanager
def told_on_failure(run: "Run") -> Iterator[None]:
    """Print what *run* came to where an error ends it: it was paid for all the same."""
    try:
        yield
    except WarRigError:
        for told in report(run):
            print(told, file=sys.stderr)
        raise


def line(total: "Total") -> str:
    """Return one line of sums, such as ``4 attempts, 1 failed, 812 tokens, 0.0021 spent``."""
    parts = [_counted(total.sent, "attempt")]
    parts += [f"{total.failed} failed"] if total.failed else []
    parts += [f"{total.refused} not sent"] if total.refused else []
    parts += [f"{total.cached} from the cache"] if total.cached else []
    about = "about " if total.untold else ""
    parts += [f"{about}{_counted(total.tokens_used, 'token')}"]
    if total.cost is not None:
        gap = f", {total.unpriced} without a price" if total.unpriced else ""
        parts += [f"{total.cost.normalize():f} spent{gap}"]
    if total.waited_seconds >= 0.05:
        parts += [f"waited {total.waited_seconds:.1f} s"]
    return ", ".join(parts)


def lines(attempts: Iterable["Attempt"]) -> Iterator[str]:
    """Yield the sums of *attempts*, where there is more to tell than the one that failed.

    A line for each follows, where there was more than one.
    """
    from war_rig.ledger import total

    attempts = list(attempts)
    came_to = total(attempts)
    if len(attempts) > 1 or came_to.cost:
        yield f"  {line(came_to)}"
    if len(attempts) > 1:
        yield from (f"  {told}" for told in _each(attempts))


def _each(attempts: list["Attempt"]) -> Iterator[str]:
    for attempt in attempts[:_MOST_LINES]:
        yield f"  {attempt.provider}: {attempt.outcome}{_after(attempt)}{_why(attempt)}"
    if len(attempts) > _MOST_LINES:
        yield f"  and {len(attempts) - _MOST_LINES} more"


def _after(attempt: "Attempt") -> str:
    waited = attempt.waited_seconds
    return f" after {waited:.1f} s of waiting" if waited >= 0.05 else ""


def _why(attempt: "Attempt") -> str:
    return f": {attempt.reason}" if attempt.reason else ""


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
