"""``war-rig explain``: the effective configuration, and where each value comes from."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from containers.cli.options import Config, Debug, Provider, load_settings, without_own_provider
from containers.cli.stack import common_rows, stack_rows, worst_case_lines

if TYPE_CHECKING:
    from war_rig.config import ProviderEntry, Settings
    from war_rig.providers.registry import Registration

_WIDEST_VALUE = 72  # of fallback.on, with all the kinds that are usual


def explain(
    agent: Annotated[
        str | None, typer.Argument(help="An agent: shows it, and the provider it would use.")
    ] = None,
    provider: Provider = None,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Show the effective configuration, each value with its origin; secrets are masked."""
    settings = load_settings(config, provider)
    if provider is not None and agent is not None:
        settings = without_own_provider(settings, agent)
    rows = list(_all(settings) if agent is None else _one(agent, settings))
    for line in table(rows, settings.env):
        print(line)
    if agent is not None:
        for line in shown(_worst_case(agent, settings), settings.env):
            print(line)


Row = tuple[str, str, str]


def table(rows: list[Row], env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield *rows* as lines of aligned columns, without secrets and control characters."""
    from war_rig.providers.foreign import one_line
    from war_rig.providers.secrets import Redactor, secrets_of

    redact = Redactor(secrets_of(env or {})).redact
    rows = [
        (redact(key), _short(redact(one_line(value, 10_000))), origin)
        for key, value, origin in rows
    ]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(2)]
    lines = (f"{key:<{widths[0]}}  {value:<{widths[1]}}  {origin}" for key, value, origin in rows)
    yield from map(printable, lines)


def shown(lines: Iterable[str], env: Mapping[str, str]) -> Iterator[str]:
    """Yield *lines* without secrets and control characters."""
    from war_rig.providers.secrets import Redactor, secrets_of

    redact = Redactor(secrets_of(env)).redact
    return (printable(redact(line)) for line in lines)


def printable(line: str) -> str:
    """Return *line* with a sign in the place of each control character."""
    return "".join(c if c.isprintable() else "\ufffd" for c in line.rstrip())


def _all(settings: "Settings") -> Iterator[Row]:
    yield "llm_provider", settings.llm_provider, settings.origin("llm_provider").label
    listed = settings.plugins.items
    value = "all that are installed" if listed is None else f"[{', '.join(listed)}]"
    yield "plugins.allow", value, settings.origin("plugins.allow").label
    for entry in settings.providers.values():
        yield from _entry(entry, settings)
    for name in settings.agents:
        yield from _agent(name, settings)
    yield from common_rows(settings)
    for key, value in settings.document:
        yield f"document.{key}", str(value), settings.origin(f"document.{key}").label


def _agent(name: str, settings: "Settings") -> Iterator[Row]:
    for key, value in settings.agents[name]:
        dotted = f"agents.{name}.{key}"
        if value is not None:
            yield dotted, str(value), settings.origin(dotted).label
        elif key == "provider":
            yield dotted, settings.llm_provider, "llm_provider"
        else:
            yield dotted, "-", "left to the provider"


def _entry(entry: "ProviderEntry", settings: "Settings") -> Iterator[Row]:
    from war_rig.providers.http.hidden import secrets

    key = f"providers.{entry.name}"
    yield f"{key}.type", entry.type, entry.origin.label
    if entry.distribution is not None:
        yield f"{key}.distribution", entry.distribution, entry.origin.label
    arguments = {name: located.plain() for name, located in entry.arguments.items()}
    shown = _Shown(settings.env, frozenset(secrets(arguments)))
    for name, value in arguments.items():
        yield f"{key}.{name}", shown.masked(name, value), entry.arguments[name].origin.label


@dataclass(frozen=True, slots=True)
class _Shown:
    """Shows arguments as their file has them; of a secret, only which variables it is made of.

    hidden: the texts that are secrets wherever they stand.
    """

    env: Mapping[str, str]
    hidden: frozenset[str]

    def masked(self, name: str, value: Any, is_secret: bool = False, is_auth: bool = False) -> str:
        """Return *value*; under ``auth`` all is secret but what is known to be harmless."""
        from war_rig.names import is_secret_name
        from war_rig.providers.http.hidden import HARMLESS

        is_auth = is_auth or name == "auth"
        is_secret = is_secret or is_secret_name(name)

        def inner(key: str, item: Any) -> str:
            return self.masked(key, item, is_secret and not is_auth, is_auth)

        if isinstance(value, list):
            return f"[{', '.join(inner(name, item) for item in value)}]"
        if isinstance(value, dict):
            pairs = (f"{key}: {inner(str(key), item)}" for key, item in value.items())
            return f"{{{', '.join(pairs)}}}"
        if is_auth:
            is_secret = name not in HARMLESS and value != "none"
        return self._text(value, is_secret or value in self.hidden)

    def _text(self, value: Any, is_secret: bool) -> str:
        from war_rig.config.interpolation import references
        from war_rig.names import is_secret_name
        from war_rig.providers.http.shown import without_login
        from war_rig.providers.secrets import MASK

        used = sorted(references(value))
        if not is_secret and not any(map(is_secret_name, used)):
            return without_login(str(value))
        states = (f"{v} is {'set' if self.env.get(v) else 'not set'}" for v in used)
        return f"{MASK} ({', '.join(states)})" if used else MASK


def _one(agent: str, settings: "Settings") -> Iterator[Row]:
    from war_rig.entries import agent_settings, provider_blueprint

    own = agent_settings(agent, settings).provider
    yield from _agent(agent, settings)
    set_by = f"agents.{agent}.provider" if own else "llm_provider"
    plan = provider_blueprint(own or settings.llm_provider, settings, set_by)
    key = f"providers.{plan.name}"
    if plan.registration.templates:
        yield f"{key}.type", _type(plan.registration), plan.origin or "default"
    for parameter in plan.parameters:
        yield f"{key}.{parameter.name}", parameter.shown, parameter.origin
    for name, argument in plan.extra.items():
        yield f"{key}.{name}", plan.shown_extra(name), argument.origin
    yield from stack_rows(plan, settings)


def _type(offer: "Registration") -> str:
    """Return what a definition is: http itself, or a shipped one with its file."""
    return f"{offer.name}, {offer.source}" if offer.kind == "definition" else offer.name


def _worst_case(agent: str, settings: "Settings") -> Iterator[str]:
    from war_rig.entries import agent_settings, provider_blueprint
    from war_rig.names import normalise

    chosen = agent_settings(agent, settings)
    name = normalise(chosen.provider or settings.llm_provider)
    own = (p for p in provider_blueprint(name, settings).parameters if p.name == "model")
    model = chosen.model or next((p.shown.strip("'") for p in own), None)
    yield from worst_case_lines(name, model, settings)


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _WIDEST_VALUE else f"{text[: _WIDEST_VALUE - 3]}..."
