"""``war-rig providers``: which there are, what one needs, and what becomes of a call to one."""

import inspect
import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from containers.cli.checking import check
from containers.cli.explain import table
from containers.cli.new import new
from containers.cli.options import Config, Debug, load_settings
from containers.cli.trying import try_

if TYPE_CHECKING:
    from war_rig.config import ProviderEntry, Settings
    from war_rig.providers.blueprint import Blueprint
    from war_rig.providers.registry import Registration

_LONGEST_FAULT = 500
_NOT_ALLOWED = "not allowed"
_EMULATED = "emulated, its whole answer is the only piece"

app = typer.Typer(
    name="providers",
    help="List the providers; show, try, check or begin one.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@app.callback()
def list_providers(context: typer.Context, config: Config = None, debug: Debug = False) -> None:
    """List the providers that can be selected; imports none of them."""
    context.obj = config
    if context.invoked_subcommand is not None:
        return
    from war_rig.providers.registry import unusable_entry_points

    settings = load_settings(config)
    rows = [("NAME", "STATUS", "ORIGIN"), *sorted(_rows(settings))]
    for line in table(rows):
        print(line)
    for line in unusable_entry_points():
        print(f"not usable: {line}", file=sys.stderr)
    if not any(status == "selected" for _, status, _ in rows):
        chosen = settings.llm_provider
        print(f"selected, but not usable: {chosen}; see: war-rig ask hello", file=sys.stderr)


@app.command()
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The provider's name.")],
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Import one provider, and show its parameters: which are set, from where, what is missing."""
    from war_rig.entries import provider_blueprint

    settings = load_settings(config or context.obj)
    plan = provider_blueprint(name, settings)
    print(f"{plan.name}: {plan.registration.described}{_entry(plan, settings)}")
    print(f"  {plan.shown_signature}")
    rows = [(f"  {p.name}", p.shown, f"{p.origin} ({p.variable})") for p in plan.parameters]
    rows += [(f"  {key}", plan.shown_extra(key), a.origin) for key, a in plan.extra.items()]
    for line in table(rows, settings.env):
        print(line)
    missing = [p.name for p in plan.parameters if p.is_missing]
    if (streams := _streams(plan, is_whole=not missing)) is not None:
        print(f"streams: {streams}")
    for line in _faults(plan, settings):
        print(line)
    print(f"missing: {', '.join(missing)}" if missing else "nothing is missing")


app.command(name="try")(try_)
app.command()(new)
app.command()(check)


def _entry(plan: "Blueprint", settings: "Settings") -> str:
    from war_rig.providers.foreign import one_line

    return f"; entry at {one_line(plan.origin)}" if plan.name in settings.providers else ""


def _faults(plan: "Blueprint", settings: "Settings") -> Iterator[str]:
    """Yield what is wrong with the arguments: where it stands, its key, and what it must be."""
    from war_rig.providers.foreign import one_line
    from war_rig.providers.secrets import Redactor, secrets_of

    redact = Redactor(plan.secrets | secrets_of(settings.env)).redact
    for place, text in plan.placed(plan.examined.faults):
        yield f"fault: {one_line(redact(place))}  {one_line(redact(text), _LONGEST_FAULT)}"


def _streams(plan: "Blueprint", is_whole: bool) -> str | None:
    """Return how it streams, None where that can't be known before it is built.

    A definition's provider is our own, and connects to nothing when it is made.
    """
    from war_rig.providers.streams import can_stream

    if plan.registration.templates and "stream" in plan.extra:
        has_stream: bool | None = True
    elif plan.registration.templates:
        is_buildable = is_whole and not plan.examined.faults
        has_stream = can_stream(plan.build()) if is_buildable else None
    elif inspect.isclass(plan.factory):
        found = inspect.getattr_static(plan.factory, "stream", None)
        has_stream = None if isinstance(found, property) else callable(found)
    else:
        has_stream = None
    return None if has_stream is None else "yes" if has_stream else _EMULATED


def _rows(settings: "Settings") -> Iterator[tuple[str, str, str]]:
    from war_rig.names import normalise
    from war_rig.providers.registry import registrations

    known = list(registrations())
    names = {registration.name for registration in known}
    offered = Counter(r.name for r in known if r.is_allowed(settings.plugins))
    try:
        selected = normalise(settings.llm_provider)
    except ValueError:
        selected = ""
    for registration in known:
        name = registration.name
        is_taken_twice = offered[name] > 1
        entry = settings.providers.get(name)
        if entry is not None and entry.type != name:
            continue  # the entry below takes its place
        yield name, _status(registration, settings, selected, is_taken_twice), _origin(registration)
    for entry in settings.providers.values():
        if entry.name not in names or entry.type != entry.name:
            status = "selected" if entry.name == selected else "available"
            offers = [r for r in known if r.name == entry.type and _is_meant(r, entry)]
            if offers and not any(r.is_allowed(settings.plugins) for r in offers):
                status = _NOT_ALLOWED
            yield entry.name, status, f"{entry.origin.label}, type {entry.type}"


def _is_meant(registration: "Registration", entry: "ProviderEntry") -> bool:
    return entry.distribution is None or registration.is_of(entry.distribution)


def _status(
    registration: "Registration", settings: "Settings", selected: str, is_taken_twice: bool
) -> str:
    entry = settings.providers.get(registration.name)
    if not registration.is_allowed(settings.plugins):
        return _NOT_ALLOWED
    if entry is not None and not _is_meant(registration, entry):
        return "not chosen"
    if is_taken_twice and (entry is None or entry.distribution is None):
        return "conflict"
    return "selected" if registration.name == selected else "available"


def _origin(registration: "Registration") -> str:
    return f"{registration.distribution} {registration.version}, {registration.source}"
