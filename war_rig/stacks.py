"""From the declared policies of one entry to the stack of policies around its provider.

The order is fixed, outer to inner: trace, cache, total timeout, fallback, retry, budget,
circuit breaker, rate limit, ledger, attempt timeout. What is not declared is not there, and
what few declare is not even imported.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path

from war_rig.config import PolicySettings
from war_rig.errors import (
    AuthenticationError,
    BadRequestError,
    BudgetExceededError,
    CircuitOpenError,
    ContentRefusedError,
    ContextTooLongError,
    MalformedAnswerError,
    ModelNotFoundError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from war_rig.ledger import Ledger
from war_rig.policies.attempts import Attempts
from war_rig.policies.budget import Budget, Purse
from war_rig.policies.fallback import Fallback
from war_rig.policies.policy import StreamingProvider
from war_rig.policies.prices import Price, Prices
from war_rig.policies.retry import Retry, RetryBudget, Waits
from war_rig.policies.stack import Stack
from war_rig.policies.timeout import AttemptTimeout, Limits, TotalTimeout

KINDS: Mapping[str, type[ProviderError]] = {
    "rate_limit": RateLimitError,
    "quota": QuotaExceededError,
    "server": ServerError,
    "connection": ProviderConnectionError,
    "timeout": ProviderTimeoutError,
    "malformed": MalformedAnswerError,
    "circuit_open": CircuitOpenError,
    "budget": BudgetExceededError,
    "authentication": AuthenticationError,
    "model_not_found": ModelNotFoundError,
    "bad_request": BadRequestError,
    "context_too_long": ContextTooLongError,
    "content_refused": ContentRefusedError,
}
"""What ``fallback.on`` calls the kinds of errors."""

Hop = Callable[[], StreamingProvider]


@dataclass(frozen=True, slots=True)
class Ground:
    """What a stack stands on besides its policies.

    name: the entry. type: what it is built of. identity: what tells its answers
    from another's. secrets: what its cache and trace must not hold. server: the host
    and the port that are asked, where known. hops: the fallbacks. run: what all calls come to.
    file: where its policies can be changed.
    """

    name: str
    type: str
    identity: str
    secrets: Iterable[str]
    server: tuple[str, int] | None
    purse: Purse
    hops: Mapping[str, Hop]
    run: Ledger
    file: str = "war_rig.yaml"


def build_stack(border: StreamingProvider, policies: PolicySettings, ground: Ground) -> Stack:
    """Return *policies* around *border*; nothing is asked or opened."""
    inner = _inner(border, policies, ground)
    return Stack(ground.name, _outer(inner, policies, ground), inner, ground.run)


def _inner(border: StreamingProvider, p: PolicySettings, ground: Ground) -> StreamingProvider:
    """Return what a fallback of another entry asks, too."""
    name, cost_of = ground.name, prices(p)
    provider = border
    if limits := attempt_limits(p):
        provider = AttemptTimeout(provider, name, limits)
    provider = Attempts(provider, name, cost_of)
    if p.rate_limit:
        from war_rig.policies.rate_limit import RateLimit

        limit = p.rate_limit
        provider = RateLimit(
            provider, name, limit.requests_per_minute, limit.tokens_per_minute, limit.concurrency
        )
    if p.circuit_breaker:
        from war_rig.policies.circuit_breaker import CircuitBreaker

        breaker = p.circuit_breaker
        provider = CircuitBreaker(provider, name, breaker.failures, breaker.open_seconds)
    if p.budget:
        provider = Budget(provider, name, ground.purse, cost_of, ground.file)
    if p.retry and p.retry.attempts > 1:
        waits = Waits(
            p.retry.wait_seconds, p.retry.longest_wait_seconds, p.retry.longest_retry_after_seconds
        )
        budget = RetryBudget(p.retry.share, p.retry.spare)
        provider = Retry(provider, p.retry.attempts, waits, budget)
    return provider


def _outer(inner: StreamingProvider, p: PolicySettings, ground: Ground) -> StreamingProvider:
    provider = inner
    if p.fallback:
        provider = Fallback(provider, ground.hops, tuple(KINDS[kind] for kind in p.fallback.on))
    if p.timeout and p.timeout.total:
        provider = TotalTimeout(provider, ground.name, Limits(p.timeout.total))
    if p.cache:
        from war_rig.policies.cache import CachedProvider
        from war_rig.policies.cache_store import CacheStore

        store = CacheStore(Path(p.cache.path), p.cache.max_age_seconds, p.cache.max_bytes)
        provider = CachedProvider(provider, store, ground.identity, ground.secrets)
    if p.trace:
        from war_rig.policies.trace import Trace

        provider = Trace(
            provider,
            ground.name,
            has_content=p.trace.content,
            profile=p.trace.profile,
            server=ground.server,
            is_in_process=ground.type == "offline",
            provider_name=ground.type,
            secrets=ground.secrets,
        )
    return provider


def attempt_limits(p: PolicySettings) -> Limits | None:
    """Return the limits of one attempt, which has no more time than the whole call."""
    t = p.timeout
    if t is None or not (t.attempt or t.total or t.first_token or t.between_tokens):
        return None
    whole = min(t.attempt or inf, t.total or inf)
    return Limits(whole, t.first_token or inf, t.between_tokens or inf)


def prices(p: PolicySettings) -> Prices:
    """Return the declared prices."""
    declared = p.prices.models if p.prices else {}
    table = {model: Price(price.input, price.output) for model, price in declared.items()}
    return Prices(table, bool(p.prices and p.prices.catalogue))


def new_purse(p: PolicySettings) -> Purse:
    """Return a new purse with the declared budget."""
    return Purse(p.budget.tokens, p.budget.money) if p.budget else Purse(None, None)
