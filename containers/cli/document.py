"""``war-rig document``: documentation of a source tree."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from containers.cli.ask import forget_own_provider, note_offline
from containers.cli.options import Config, Debug, Provider
from war_rig.errors import ConfigError

if TYPE_CHECKING:
    from containers.application import Application
    from war_rig.agents import Agent
    from war_rig.config import Settings
    from war_rig.document import DocsFolder, Plan, Progress, Summary
    from war_rig.policies import CacheStore
    from war_rig.providers import LLMProvider
    from war_rig.providers.blueprint import Blueprint

_AGENT = "scribe"
_CHALLENGER = "challenger"
_CACHE = ".war-rig.sqlite"
_MOST_PROBLEMS = 20


def document(
    src: Annotated[Path, typer.Argument(metavar="SRC", help="The source: a folder or a file.")],
    out: Annotated[Path, typer.Option("--out", metavar="DOCS", help="Where the pages go.")],
    only: Annotated[
        str | None, typer.Option("--only", metavar="GLOB", help="Only files with such a path.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="At most N units.")
    ] = None,
    in_flight: Annotated[
        int | None,
        typer.Option(
            "--in-flight", metavar="N", min=1, max=1000, help="Ask about N units at a time."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be asked, and ask nothing.")
    ] = False,
    provider: Provider = None,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Document a source tree: pages whose every claim cites checked lines.

    Answers are kept in DOCS, so that a run that was interrupted goes on where
    it ended, and an unchanged unit is not asked about again.
    """
    from war_rig.document import DocsFolder

    app = _application(config, provider)
    settings = app.settings().document
    planned = _read(src, app.settings()).choose(only, limit)
    folder = DocsFolder(out, planned.root if src.is_dir() else src.resolve())
    _print_destinations(app)
    if dry_run:
        _print_estimate(planned, settings.rounds)
    else:
        _run(app, planned, folder, in_flight or settings.in_flight)


def _application(config: Path | None, provider: str | None) -> "Application":
    """Return the container, in which --provider beats what the Scribe names itself."""
    from containers import application

    app = application(config, llm_provider=provider)
    if provider is not None:
        forget_own_provider(app, _AGENT)
    return app


def _read(src: Path, settings: "Settings") -> "Plan":
    """Read the source, telling of a reader that is left out, and of a path that is not there."""
    from war_rig.document import plan
    from war_rig.readers import readers

    broken: list[str] = []
    known = readers(settings.document.unit_lines, broken, settings.plugins)
    for reader in broken:
        print(f"note: {reader}", file=sys.stderr)
    planned = plan(src, known, settings.document.copybook_paths)
    for path in planned.unused_paths():
        print(f"note: document.copybook_paths: no folder of {src} is {path}", file=sys.stderr)
    return planned


def _print_destinations(app: "Application") -> None:
    """Say on stderr where the source will go, once all of it is known to be right."""
    from war_rig.providers.foreign import one_line

    note_offline(app, _AGENT)
    for destination in list(_destinations(app)):
        print(one_line(destination), file=sys.stderr)


def _print_estimate(planned: "Plan", rounds: int) -> None:
    from war_rig.document import estimate
    from war_rig.document.pages.render import counted

    tasks, tokens = estimate(planned)
    units = counted(len(planned.chosen), "unit")
    print(f"{units}: about {tasks} calls, at most {2 * rounds * tasks}; a challenger's come on top")
    print(f"about {tokens} tokens in the first prompts about units; kept answers are not counted")


def _provider_name(app: "Application") -> str:
    settings = app.settings()
    return settings.agents[_AGENT].provider or app.config.llm_provider()


def _destinations(app: "Application") -> "Iterator[str]":
    """Yield where the source will go, as far as the providers' parameters tell."""
    from war_rig.entries import told_who_named_it

    settings, own_key = app.settings(), f"agents.{_AGENT}.provider"
    named_by = own_key if settings.agents[_AGENT].provider else "llm_provider"
    yield from _asked(_provider_name(app), app, named_by)
    challenger, key = settings.agents[_CHALLENGER].provider, f"agents.{_CHALLENGER}.provider"
    if challenger == "offline":
        raise ConfigError(
            "'offline' can't challenge a claim: it is no language model\n"
            f"  set by: {settings.origin(key).label}\n"
            "  name a provider with a model, or remove the key"
        )
    if challenger is not None:
        with told_who_named_it(settings, key):
            first, *others = _asked(challenger, app)
        yield f"claims and the lines that they cite are challenged: {first}"
        yield from others


def _asked(name: str, app: "Application", key: str | None = None) -> "Iterator[str]":
    """Yield where that goes which the provider *name* is asked: its fallbacks are asked it too."""
    from war_rig.entries import fallbacks, provider_blueprint, told_whose_fallback

    settings = app.settings()
    first = provider_blueprint(name, settings, key)
    yield _destination(first)
    before = first.name
    for hop in fallbacks(before, settings):
        with told_whose_fallback(first.name, settings):
            other = provider_blueprint(hop, settings)
        yield f"where '{before}' fails, {_destination(other)}"
        before = hop


def _destination(target: "Blueprint") -> str:
    who = f"provider '{target.name}' ({target.registration.described})"
    if target.registration.name == "offline":
        return f"the source stays in this process: {who}"
    where = ", ".join(target.hosts) or "not known to War Rig"
    return f"the source goes to {who}, host {where}"


def _run(app: "Application", planned: "Plan", folder: "DocsFolder", in_flight: int) -> None:
    """Document; exit with 1 where a unit could not be."""
    import asyncio

    try:
        summary = asyncio.run(_document(app, planned, folder, in_flight))
    except KeyboardInterrupt:
        print("interrupted: answers are kept, the same command goes on from here", file=sys.stderr)
        raise
    if summary.failures:
        raise typer.Exit(1)


async def _document(
    app: "Application", planned: "Plan", folder: "DocsFolder", in_flight: int
) -> "Summary":
    from containers import running
    from containers.cli import spent
    from war_rig.document import document
    from war_rig.policies import CacheStore

    name = _provider_name(app)
    doubter = app.settings().agents[_CHALLENGER].provider
    app.agents(_AGENT)  # what it lacks is told before the folder is made
    folder.begin()
    with closing(CacheStore(folder.path / _CACHE)) as store:
        scribe = _cached(_AGENT, name, store, app)
        challenger = None if doubter is None else _cached(_CHALLENGER, doubter, store, app)
        run = app.run()
        async with running(app):
            with spent.told_on_failure(run), _progress() as show:
                summary = await document(
                    planned,
                    scribe,
                    folder,
                    provider=name,
                    rounds=app.settings().document.rounds,
                    challenger=challenger,
                    in_flight=in_flight,
                    on_progress=show,
                )
        asked = [agent.provider for agent in (scribe, challenger) if agent is not None]
        _print_summary(summary, folder, asked)
        for line in spent.report(run):
            print(line)
        return summary


def _cached(agent: str, provider: str, store: "CacheStore", app: "Application") -> "Agent":
    """Return the agent with its answers kept in *store*."""
    from war_rig.entries import provider_blueprint
    from war_rig.policies import CachedProvider

    found = app.agents(agent)
    plan = provider_blueprint(provider, app.settings())
    cached = CachedProvider(found.provider, store, plan.identity, app.run().secrets)
    return replace(found, provider=cached)


@contextmanager
def _progress() -> "Iterator[Callable[[Progress], None]]":
    """Show a bar on a terminal, and a line for every tenth of the work elsewhere."""
    if not sys.stderr.isatty():
        yield _print_tenths()
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True)) as bar:
        task = bar.add_task("documenting", total=None)

        def show(progress: "Progress") -> None:
            text = f"{progress.failed} failed, {progress.tokens} tokens"
            bar.update(task, total=progress.tasks, completed=progress.done, description=text)

        yield show


def _print_tenths() -> "Callable[[Progress], None]":
    printed = 0

    def show(progress: "Progress") -> None:
        nonlocal printed
        tenths = 10 * progress.done // progress.tasks
        if tenths > printed:
            printed = tenths
            print(
                f"{progress.done} of {progress.tasks} tasks, {progress.failed} failed, "
                f"{progress.tokens} tokens, {progress.seconds_left:.0f} s left",
                file=sys.stderr,
            )

    return show


def _print_summary(
    summary: "Summary", folder: "DocsFolder", asked: "Sequence[LLMProvider]"
) -> None:
    from war_rig.document.pages.render import counted
    from war_rig.providers.foreign import one_line

    plan = summary.plan
    files, units = counted(len(plan.files), "file"), counted(plan.units, "unit")
    chosen = f"{len(plan.chosen)} of " if len(plan.chosen) < plan.units else ""
    print(f"{files}, {chosen}{units}, {summary.tokens} tokens")
    calls, hits = (sum(getattr(one, count) for one in asked) for count in ("calls", "hits"))
    print(f"{counted(calls, 'call')} made, {counted(hits, 'answer')} kept from before")
    print(f"{counted(summary.verified, 'claim')} verified, {summary.unverified} unverified")
    if summary.doubted:
        print(f"left open by the challenger: {counted(summary.doubted, 'claim')}")
    if summary.uncovered:
        print(f"without any verified claim: {counted(summary.uncovered, 'part')}")
    for file, problem in plan.problems[:_MOST_PROBLEMS]:
        text = f"could not be read: {file}:{problem.line}: {problem.text}"
        print(one_line(text), file=sys.stderr)
    if len(plan.problems) > _MOST_PROBLEMS:
        print(f"and {len(plan.problems) - _MOST_PROBLEMS} more, see README.md", file=sys.stderr)
    for path, reason in plan.misread:
        print(one_line(f"read as plain text: {path}: {reason}"), file=sys.stderr)
    for reason, count in sorted(plan.reasons.items()):
        print(f"left out: {count} {reason}")
    for unit, failure in summary.failures:
        text = f"not documented: {unit.file} {unit.name}: {failure}"
        print(one_line(text), file=sys.stderr)
    print(f"read {folder.path / 'README.md'}")
