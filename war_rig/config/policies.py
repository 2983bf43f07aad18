"""What can be declared under ``policies``, for all providers or for one entry.

``null`` leaves a policy out. What contradicts itself is refused at load, each
fault with the reason.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Money = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
ErrorKind = Literal[
    "rate_limit", "quota", "server", "connection", "timeout", "malformed", "circuit_open",
    "budget", "authentication", "model_not_found", "bad_request", "context_too_long",
    "content_refused",
]  # fmt: skip
FALLBACK_ON: tuple[ErrorKind, ...] = (
    "rate_limit", "quota", "server", "connection", "timeout", "malformed", "circuit_open",
)  # fmt: skip


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class TimeoutSettings(_Section):
    """Seconds; null for no limit of the policy's own."""

    connect: Seconds | None = None
    first_token: Seconds | None = None
    between_tokens: Seconds | None = None
    attempt: Seconds | None = 300.0
    total: Seconds | None = 1800.0


class RetrySettings(_Section):
    """When a failed call is repeated."""

    attempts: int = Field(default=3, ge=1, le=20)
    wait_seconds: Seconds = 0.5
    longest_wait_seconds: Seconds = 30.0
    longest_retry_after_seconds: Seconds = 60.0
    share: float = Field(default=0.2, ge=0, le=10)
    spare: float = Field(default=100, ge=0, le=1_000_000)


class RateLimitSettings(_Section):
    """How much may be sent; null for no limit."""

    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    concurrency: Count | None = None


class CircuitBreakerSettings(_Section):
    """When a provider that fails is left alone, and for how long."""

    failures: Count = 5
    open_seconds: Seconds = 30.0


class FallbackSettings(_Section):
    """Which entries are asked instead, and after which errors."""

    to: list[str] = Field(min_length=1)
    on: tuple[ErrorKind, ...] = FALLBACK_ON


class CacheSettings(_Section):
    """Where answers are kept, how long, and how many bytes of them."""

    path: str = Field(min_length=1)
    max_age_seconds: Seconds | None = None
    max_bytes: Count | None = 1_000_000_000


class BudgetSettings(_Section):
    """What a run may spend; null for no limit."""

    tokens: Count | None = None
    money: Money | None = None


class TraceSettings(_Section):
    """What OpenTelemetry is told."""

    content: bool = False
    profile: Literal["stable", "newest"] = "stable"


class PriceSettings(_Section):
    """Money for a million tokens."""

    input: Money
    output: Money


class PricesSettings(_Section):
    """Prices by model, ``"*"`` for every other; catalogue asks genai-prices for the rest."""

    catalogue: bool = False
    models: dict[str, PriceSettings] = {}


class PolicySettings(_Section):
    """The policies of one entry; what is None is left out."""

    trace: TraceSettings | None = None
    cache: CacheSettings | None = None
    timeout: TimeoutSettings | None = None
    fallback: FallbackSettings | None = None
    retry: RetrySettings | None = None
    budget: BudgetSettings | None = None
    circuit_breaker: CircuitBreakerSettings | None = None
    rate_limit: RateLimitSettings | None = None
    prices: PricesSettings | None = None

    @field_validator("fallback", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Take a bare list of entries for a whole declaration."""
        return {"to": value} if isinstance(value, list) else value


def contradictions(policies: PolicySettings) -> Iterator[tuple[str, str, str]]:
    """Yield each key that can't be what it is, the key that it contradicts, and the reason."""
    limits = policies.timeout
    if limits and limits.attempt and limits.total and limits.attempt > limits.total:
        text = f"is {limits.total:g} s, less than one attempt may take ({limits.attempt:g} s)"
        yield "timeout.total", "timeout.attempt", text
    for name in ("first_token", "between_tokens"):
        seconds = getattr(limits, name, None)
        if limits and seconds and limits.attempt and seconds > limits.attempt:
            text = f"is {seconds:g} s, more than a whole attempt may take ({limits.attempt:g} s)"
            yield f"timeout.{name}", "timeout.attempt", text
    retry = policies.retry
    if retry and retry.wait_seconds > retry.longest_wait_seconds:
        text = f"is {retry.wait_seconds:g}, more than the longest ({retry.longest_wait_seconds:g})"
        yield "retry.wait_seconds", "retry.longest_wait_seconds", text
    yield from _without_effect(policies)


def _without_effect(policies: PolicySettings) -> Iterator[tuple[str, str, str]]:
    for name in ("rate_limit", "budget"):
        section = getattr(policies, name)
        if section and not any(dict(section).values()):
            known = ", ".join(type(section).model_fields)
            yield name, name, f"limits nothing: set at least one of {known}"
    money = policies.budget.money if policies.budget else None
    prices = policies.prices
    if money is not None and not (prices and (prices.models or prices.catalogue)):
        text = (
            "needs prices: declare prices.models, or prices: {catalogue: true} "
            'with pip install "war-rig[prices]"'
        )
        yield "budget.money", "prices", text
