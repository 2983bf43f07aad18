"""How many tokens an answer will have: the request's own limit, else the mean of the others."""

from collections.abc import Iterable

from war_rig.ledger import Attempt
from war_rig.policies.policy import Request

FIRST_COMPLETION_TOKENS = 1_000
"""The estimate before the first answer: more than most answers have, so that it errs on the safe
side, and little enough that a small limit lets the first calls through."""

_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def declared_completion(request: Request) -> int:
    """Return how many tokens *request* lets its answer have, 0 where it does not say."""
    longest = 0
    for name in _LIMITS:
        limit = request.parameters.get(name)
        if type(limit) is int and limit > longest:  # True is none
            longest = limit
    return longest


class Mean:
    """How many tokens the answers of one entry have had.

    A thread may forget what another one learns at the same moment: it is a mean.
    """

    def __init__(self) -> None:
        self._answers, self._tokens = 0, 0

    def completion(self) -> int:
        """Return how many tokens the next answer may have."""
        return -(-self._tokens // self._answers) if self._answers else FIRST_COMPLETION_TOKENS

    def learn(self, attempts: Iterable[Attempt], request: Request) -> None:
        """Take the answers among *attempts* at *request* into the mean."""
        for attempt in attempts:
            if attempt.outcome == "answered" and attempt.tokens_used is not None:
                prompt = attempt.prompt_tokens or request.estimated_tokens
                self._answers += 1
                self._tokens += max(attempt.tokens_used - prompt, 0)
