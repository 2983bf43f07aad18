"""The stack of policies around a provider, as ``war-rig explain`` shows it, and its worst case."""

from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from war_rig.config import PolicySettings, Settings

Row = tuple[str, str, str]

_LAYERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("trace", ()),
    ("cache", ()),
    ("timeout", ("total",)),
    ("fallback", ()),
    ("retry", ()),
    ("budget", ()),
    ("circuit_breaker", ()),
    ("rate_limit", ()),
    ("timeout", ("attempt", "first_token", "between_tokens", "connect")),
    ("prices", ()),
)
"""The sections in the order of the stack, outer to inner, and the keys of each; () for all."""


def stack_rows(name: str, settings: "Settings") -> Iterator[Row]:
    """Yield each value of the policies of *name*, in the order of the stack, with its origin."""
    policies = settings.policies_of(name)
    for section, keys in _LAYERS:
        declared = getattr(policies, section)
        if declared is None:
            if not keys or keys[0] != "attempt":
                key = settings.policy_key(name, section)
                yield key, "off", settings.origin(key).label
            continue
        for key, value in declared:
            if value is not None and (not keys or key in keys):
                yield _row(name, f"{section}.{key}", value, settings)


def common_rows(settings: "Settings") -> Iterator[Row]:
    """Yield what was set under ``policies``, there and in entries, as it was set."""
    yield from _set_rows("policies", settings.policies, settings)
    for name in settings.providers:
        yield from _set_rows(f"providers.{name}.policies", settings.policies_of(name), settings)


def _set_rows(place: str, policies: "PolicySettings", settings: "Settings") -> Iterator[Row]:
    for section, declared in policies:
        key = f"{place}.{section}"
        if key in settings.origins and declared is None:
            yield key, "off", settings.origin(key).label
        for name, value in declared or ():
            is_listed = section == "fallback" and name == "to"
            dotted = key if is_listed and f"{key}.to" not in settings.origins else f"{key}.{name}"
            if dotted in settings.origins:
                yield dotted, _shown(value), settings.origin(dotted).label


def _row(name: str, key: str, value: Any, settings: "Settings") -> Row:
    dotted = settings.policy_key(name, key)
    if dotted not in settings.origins:
        section = settings.policy_key(name, key.partition(".")[0])
        has_default = section in settings.origins and value == _default(key)
        origin = "default" if has_default else settings.origin(section).label
        return f"{section}.{key.partition('.')[2]}", _shown(value), origin
    return dotted, _shown(value), settings.origin(dotted).label


def _default(key: str) -> Any:
    from war_rig.config.checking import model_at
    from war_rig.config.policies import PolicySettings

    section, _, name = key.partition(".")
    return model_at(PolicySettings, (section,)).model_fields[name].default


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        prices = (
            f"{model}: {price.input} in, {price.output} out" for model, price in value.items()
        )
        return "; ".join(prices) or "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def worst_case_lines(name: str, model: str | None, settings: "Settings") -> Iterator[str]:
    """Yield the most that one call may come to: attempts, seconds, tokens, money."""
    from war_rig.names import normalise
    from war_rig.worst_case import worst_case

    policies = settings.policies_of(name)
    hops = [normalise(hop) for hop in policies.fallback.to] if policies.fallback else []
    entries = {one: settings.policies_of(one) for one in dict.fromkeys([name, *hops])}
    worst = worst_case(entries)
    each = ", ".join(f"{entry} {count}" for entry, count in worst.attempts.items())
    yield "worst case of one call"
    yield f"  attempts  {worst.all_attempts} ({each})"
    by = " (timeout.total)" if worst.bounded_by_total else ""
    seconds = "no bound: declare timeout.total" if worst.seconds == inf else f"{worst.seconds:g}"
    yield f"  seconds   {seconds}{by}"
    times = f"{worst.all_attempts} times" if worst.all_attempts > 1 else "once"
    yield f"  tokens    {times} those of one answer{_budget(policies, 'tokens')}"
    yield f"  money     {_money(policies, model, worst.attempts[name])}{_budget(policies, 'money')}"


def _budget(policies: "PolicySettings", unit: str) -> str:
    limit = getattr(policies.budget, unit, None)
    return "" if limit is None else f"; the whole run {limit} (budget.{unit})"


def _money(policies: "PolicySettings", model: str | None, attempts: int) -> str:
    from war_rig.stacks import prices

    cost = prices(policies)(model, 1000, 1000)
    if cost is None:
        return f"not known: {model or 'its model'} has no price in policies.prices.models"
    others = "; fallbacks at their own prices" if policies.fallback else ""
    cost = (attempts * cost).normalize()
    return f"{cost:f} for 1,000 tokens in and 1,000 out of {model}{others}"
