"""What one call may come to at the most, by the declared policies of its provider and fallbacks."""

from dataclasses import dataclass
from math import inf

from war_rig.config import PolicySettings


@dataclass(frozen=True, slots=True)
class WorstCase:
    """The most that one call may take.

    attempts: by entry, the first one's and each fallback's. seconds: infinite
    where nothing bounds it; bounded_by_total tells whether the total timeout does.
    """

    attempts: dict[str, int]
    seconds: float
    bounded_by_total: bool

    @property
    def all_attempts(self) -> int:
        """Return the attempts of all entries together."""
        return sum(self.attempts.values())


def worst_case(entries: dict[str, PolicySettings]) -> WorstCase:
    """Return the worst case of the first of *entries*, to which the others are fallbacks."""
    first = next(iter(entries.values()))
    attempts = {name: p.retry.attempts if p.retry else 1 for name, p in entries.items()}
    seconds = sum(_seconds(p) for p in entries.values())
    total = (first.timeout and first.timeout.total) or inf
    return WorstCase(attempts, min(seconds, total), total < seconds)


def _seconds(policies: PolicySettings) -> float:
    """Return what one entry may take: its attempts, and the waits between them."""
    timeout = policies.timeout
    limit = min((timeout and timeout.attempt) or inf, (timeout and timeout.total) or inf)
    if policies.rate_limit:  # its queue has no end
        return inf
    retry = policies.retry
    if retry is None:
        return limit
    return retry.attempts * limit + (retry.attempts - 1) * (
        retry.longest_retry_after_seconds + retry.longest_wait_seconds
    )
