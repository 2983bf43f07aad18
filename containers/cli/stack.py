"""The stack of policies around a provider, as ``war-rig explain`` shows it, and its worst case."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from war_rig.config import PolicySettings, Settings
    from war_rig.providers.blueprint import Blueprint
    from war_rig.providers.parameters import Parameter

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

_INNER = _LAYERS[[section for section, _ in _LAYERS].index("retry") :]
"""Those that a fallback has of its own."""


def stack_rows(plan: "Blueprint", settings: "Settings") -> Iterator[Row]:
    """Yield each value of the policies around *plan*, in the order of the stack, with its origin.

    After them come its fallbacks, each with its model and the policies of its inner stack.
    """
    from war_rig.entries import fallbacks

    yield from _rows(_LAYERS, plan, settings)
    before = plan.name
    for hop in fallbacks(plan.name, settings):
        yield f"fallback {hop}, asked after {before}", "", ""
        other = _plan(hop, plan.name, settings)
        if (model := _model(other)) is not None:
            yield f"providers.{hop}.model", model.shown, model.origin
        yield from _rows(_INNER, other, settings)
        before = hop


def _plan(hop: str, name: str, settings: "Settings") -> "Blueprint":
    """Return what the fallback *hop* of *name* is built from."""
    from war_rig.entries import provider_blueprint, told_whose_fallback

    with told_whose_fallback(name, settings):
        return provider_blueprint(hop, settings)


def _model(plan: "Blueprint") -> "Parameter | None":
    """Return the model that is answered with, where that is told."""
    return next((p for p in plan.parameters if p.name == "model"), None)


def _rows(
    layers: tuple[tuple[str, tuple[str, ...]], ...], plan: "Blueprint", settings: "Settings"
) -> Iterator[Row]:
    policies = settings.policies_of(plan.name)
    for section, keys in layers:
        declared = getattr(policies, section)
        if declared is None:
            if not keys or keys[0] != "attempt":
                key = settings.policy_key(plan.name, section)
                yield key, "off", settings.origin(key).label
            continue
        for key, value in _values(section, declared):
            is_there = value is not None or settings.policy_key(plan.name, key) in settings.origins
            if is_there and (not keys or key.partition(".")[2] in keys):
                yield _row(plan, key, value, settings)


def _values(section: str, declared: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield each key of a section with its value; each price has a key of its own."""
    for name, value in declared:
        if isinstance(value, dict) and value:
            yield from ((f"{section}.{name}.{inner}", item) for inner, item in value.items())
        else:
            yield f"{section}.{name}", value


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
        for name, value in _values(section, declared or ()):
            dotted = f"{place}.{name}"
            if dotted in settings.origins:
                yield dotted, _shown(value), settings.origin(dotted).label


def _row(plan: "Blueprint", key: str, value: Any, settings: "Settings") -> Row:
    dotted = settings.policy_key(plan.name, key)
    origin = settings.origin(dotted).label
    if dotted not in settings.origins:  # nobody set it: it stands beside what was set
        section, _, name = key.partition(".")
        dotted = f"{settings.policy_key(plan.name, section)}.{name}"
    if key == "timeout.connect" and value and not _takes_connect(plan):
        origin += f"; without effect: '{plan.name}' takes no connect_timeout_seconds"
    return dotted, _shown(value), origin


def _takes_connect(plan: "Blueprint") -> bool:
    """Return whether the provider keeps the one limit that only it can."""
    names = {parameter.name for parameter in plan.parameters}
    return bool(plan.registration.templates) or "connect_timeout_seconds" in names


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    if value is None or value == {}:
        return "off" if value is None else "none"
    if hasattr(value, "input"):
        return f"{value.input} in, {value.output} out"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def worst_case_lines(name: str, model: str | None, settings: "Settings") -> Iterator[str]:
    """Yield the most that one call may come to: attempts, seconds, tokens, money."""
    from war_rig.entries import fallbacks
    from war_rig.worst_case import worst_case

    models = {name: model}
    for hop in fallbacks(name, settings):
        known = _model(_plan(hop, name, settings))
        models[hop] = known.shown.strip("'") if known else None
    worst = worst_case({entry: settings.policies_of(entry) for entry in models})
    each = ", ".join(f"{entry} {count}" for entry, count in worst.attempts.items())
    yield "worst case of one call"
    yield f"  attempts  {worst.all_attempts} ({each})"
    by = " (timeout.total)" if worst.bounded_by_total else ""
    seconds = "no bound: declare timeout.total" if worst.seconds == inf else f"{worst.seconds:g}"
    yield f"  seconds   {seconds}{by}"
    times = f"{worst.all_attempts} times" if worst.all_attempts > 1 else "once"
    yield f"  tokens    {times} those of one answer{_whole_run(models, 'tokens', settings)}"
    money = _money(models, worst.attempts, settings)
    yield f"  money     {money}{_whole_run(models, 'money', settings)}"


def _whole_run(entries: Iterable[str], unit: str, settings: "Settings") -> str:
    """Return what bounds the whole run: the budgets of all *entries*, if each has one."""
    limits: dict[str, Any] = {}
    for entry in entries:
        own = f"providers.{entry}.policies.budget"
        purse = own if own in settings.origins else "policies.budget"
        limits[f"{purse}.{unit}"] = getattr(settings.policies_of(entry).budget, unit, None)
    if None in limits.values():
        return ""
    return f"; the whole run {sum(limits.values())} ({' and '.join(limits)})"


def _money(
    models: Mapping[str, str | None], attempts: Mapping[str, int], settings: "Settings"
) -> str:
    from war_rig.stacks import prices

    whole, shares = Decimal(), []
    for entry, model in models.items():
        cost = prices(settings.policies_of(entry))(model, 1000, 1000)
        if cost is None:
            named = f"{model or 'its model'}{f' of {entry}' if len(models) > 1 else ''}"
            budget = settings.policies_of(entry).budget
            is_asked = budget is None or budget.money is None
            refused = "" if is_asked else ", and with a budget in money it is not asked"
            return f"not known: {named} has no price in policies.prices.models{refused}"
        whole += attempts[entry] * cost
        shares.append(f"{entry} {(attempts[entry] * cost).normalize():f} with {model}")
    each = f"1,000 tokens in and 1,000 out each time ({', '.join(shares)})"
    return f"{whole.normalize():f} for {each}"
