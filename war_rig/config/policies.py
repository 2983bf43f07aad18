"""What can be declared under ``policies``, for all providers or for one entry.

``null`` leaves a policy out. What contradicts itself is refused at load, each
fault with the reason.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from math import inf
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from war_rig.names import normalise


def _number(value: Any) -> Any:
    """Refuse true and false, which Python counts as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


Number = BeforeValidator(_number)
Seconds = Annotated[float, Number, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Number, Field(ge=1)]
Money = Annotated[Decimal, Number, Field(ge=0, allow_inf_nan=False)]
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

    attempts: Annotated[int, Number] = Field(default=3, ge=1, le=20)
    wait_seconds: Seconds = 0.5
    longest_wait_seconds: Seconds = 30.0
    longest_retry_after_seconds: Seconds = 60.0
    share: Annotated[float, Number] = Field(default=0.2, ge=0, le=10)
    spare: Annotated[float, Number] = Field(default=100, ge=0, le=1_000_000)


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

    to: list[str]
    on: tuple[ErrorKind, ...] = FALLBACK_ON

    @field_validator("to", "on")
    @classmethod
    def _not_empty(cls, named: Any) -> Any:
        if not named:
            raise ValueError("must name one or more")
        return named

    @field_validator("to")
    @classmethod
    def _each_once(cls, names: list[str]) -> list[str]:
        known = list(map(target, names))
        twice = next((name for name in known if known.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"names {twice!r} twice")
        return names


def target(name: str) -> str:
    """Return what the entry that a fallback names is called."""
    try:
        return normalise(name)
    except ValueError:  # no entry has that name: this is told when it is looked for
        return name


class CacheSettings(_Section):
    """Where answers are kept, how long, and how many bytes of them."""

    path: str = Field(min_length=1)
    max_age_seconds: Seconds | None = None
    max_bytes: Annotated[int, Number] | None = Field(default=1_000_000_000, ge=100_000)


class BudgetSettings(_Section):
    """What a run may spend; null for no limit."""

    tokens: Count | None = None
    money: Annotated[Money, Field(gt=0)] | None = None


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

    @field_validator("*", mode="before")
    @classmethod
    def _no_switch(cls, value: Any) -> Any:
        if isinstance(value, bool):
            text = "must be a map; {} declares it with its defaults, and null leaves it out"
            raise ValueError(text)
        return value

    @field_validator("fallback", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Take a bare list of entries for a whole declaration."""
        if isinstance(value, (dict, FallbackSettings)) or value is None:
            return value
        if isinstance(value, list):
            return {"to": value}
        raise ValueError("must be a list of providers, or a map")


def contradictions(
    policies: PolicySettings, is_shipped: Callable[[str], bool]
) -> Iterator[tuple[str, str]]:
    """Yield each key that can't be what it is, and the reason.

    is_shipped: tells whether a key has its value from the shipped default. A total that is
    shorter than the attempts of that is meant so.
    """
    limits = policies.timeout or TimeoutSettings(attempt=None, total=None)
    attempt, total = limits.attempt or inf, limits.total or inf
    is_too_long = limits.attempt is not None and attempt > total
    if is_too_long and is_shipped("timeout.total"):
        yield "timeout.attempt", f"is {attempt:g} s, {_more_than('the whole call', total)}"
    elif is_too_long and not is_shipped("timeout.attempt"):
        text = f"is {total:g} s, less than one attempt may take ({attempt:g} s)"
        yield "timeout.total", text
    most, whole = min((attempt, "a whole attempt"), (total, "the whole call"))
    for name in ("connect", "first_token", "between_tokens"):
        seconds = getattr(limits, name) or 0.0
        if seconds > most:
            yield f"timeout.{name}", f"is {seconds:g} s, {_more_than(whole, most)}"
    retry = policies.retry
    if retry and retry.wait_seconds > retry.longest_wait_seconds:
        longest = f"longest_wait_seconds ({retry.longest_wait_seconds:g} s)"
        yield "retry.wait_seconds", f"is {retry.wait_seconds:g} s, more than {longest}"
    yield from _without_effect(policies)


def _more_than(whole: str, seconds: float) -> str:
    return f"more than {whole} may take ({seconds:g} s)"


def _without_effect(policies: PolicySettings) -> Iterator[tuple[str, str]]:
    for name in ("rate_limit", "budget"):
        section = getattr(policies, name)
        if section and not any(dict(section).values()):
            known = ", ".join(type(section).model_fields)
            yield name, f"limits nothing: set at least one of {known}"
    money = policies.budget.money if policies.budget else None
    prices = policies.prices
    if money is not None and not (prices and (prices.models or prices.catalogue)):
        text = (
            "needs prices: declare prices.models, or prices: {catalogue: true} "
            'with pip install "war-rig[prices]"'
        )
        yield "budget.money", text
