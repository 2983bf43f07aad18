"""``war-rig document``: documentation of a source tree."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from containers.cli.ask import forget_own_provider, note_offline
from containers.cli.options import Config, Debug, Provider

if TYPE_CHECKING:
    from containers.application import Application
    from war_rig.document import DocsFolder, Plan, Progress, Summary
    from war_rig.policies import CachedProvider

_AGENT = "scribe"
_CACHE = ".war-rig.sqlite"


def document(
    src: Annotated[Path, typer.Argument(metavar="SRC", help="The source: a folder or a file.")],
    out: Annotated[Path, typer.Option("--out", metavar="DOCS", help="Where the pages go.")],
    only: Annotated[
        str | None, typer.Option("--only", metavar="GLOB", help="Only files with such a path.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="At most N parts.")
    ] = None,
    in_flight: Annotated[
        int | None,
        typer.Option("--in-flight", metavar="N", min=1, help="Ask about N parts at a time."),
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
    it ended, and an unchanged part is not asked about again.
    """
    import asyncio

    from containers import application
    from war_rig.document import DocsFolder
    from war_rig.providers.foreign import one_line

    app = application(config, llm_provider=provider)
    if provider is not None:
        forget_own_provider(app, _AGENT)
    settings = app.settings().document
    planned = _read(src, settings.unit_lines).choose(only, limit)
    folder = DocsFolder(out, planned.root if src.is_dir() else src.resolve())
    note_offline(app, _AGENT)
    print(one_line(_destination(app)), file=sys.stderr)
    if dry_run:
        _print_estimate(planned, settings.rounds)
        return
    summary = asyncio.run(_document(app, planned, folder, in_flight or settings.in_flight))
    if summary.failures:
        raise typer.Exit(1)


def _read(src: Path, unit_lines: int) -> "Plan":
    """Read the source, telling of a reader that can't be made."""
    from war_rig.document import plan
    from war_rig.readers import readers

    broken: list[str] = []
    known = readers(unit_lines, broken)
    for reader in broken:
        print(f"note: {reader}", file=sys.stderr)
    return plan(src, known)


def _print_estimate(planned: "Plan", rounds: int) -> None:
    from war_rig.document import estimate_tokens

    chosen = set(planned.chosen)
    tokens = sum(
        estimate_tokens(unit, file)
        for file in planned.files
        for unit in file.reading.units
        if unit in chosen
    )
    parts = len(chosen)
    print(f"{parts} parts: at least {parts} calls, at most {2 * rounds * parts}")
    print(f"about {tokens} tokens in the first prompts; kept answers are not counted")


def _provider_name(app: "Application") -> str:
    settings = app.settings()
    return settings.agents[_AGENT].provider or app.config.llm_provider()


def _destination(app: "Application") -> str:
    """Return where the source will go, as far as the provider's parameters tell."""
    from war_rig.wiring import provider_blueprint

    target = provider_blueprint(_provider_name(app), app.settings())
    who = f"provider '{target.name}' ({target.registration.described})"
    if target.registration.name == "offline":
        return f"the source stays in this process: {who}"
    where = ", ".join(target.hosts) or "not known to War Rig"
    return f"the source goes to {who}, host {where}"


async def _document(
    app: "Application", planned: "Plan", folder: "DocsFolder", in_flight: int
) -> "Summary":
    from containers import running
    from war_rig.document import document
    from war_rig.policies import CachedProvider, CacheStore
    from war_rig.wiring import provider_blueprint

    name = _provider_name(app)
    scribe = app.agents(_AGENT)
    folder.begin()
    with closing(CacheStore(folder.path / _CACHE)) as store:
        identity = provider_blueprint(name, app.settings()).identity
        cached = CachedProvider(scribe.provider, store, identity)
        async with running(app):
            with _progress() as show:
                summary = await document(
                    planned,
                    replace(scribe, provider=cached),
                    folder,
                    provider=name,
                    rounds=app.settings().document.rounds,
                    in_flight=in_flight,
                    on_progress=show,
                )
        _print_summary(summary, folder, cached)
        return summary


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
            bar.update(task, total=progress.units, completed=progress.done, description=text)

        yield show


def _print_tenths() -> "Callable[[Progress], None]":
    printed = 0

    def show(progress: "Progress") -> None:
        nonlocal printed
        tenths = 10 * progress.done // progress.units
        if tenths > printed:
            printed = tenths
            print(
                f"{progress.done} of {progress.units} parts, {progress.failed} failed, "
                f"{progress.tokens} tokens, {progress.seconds_left:.0f} s left",
                file=sys.stderr,
            )

    return show


def _print_summary(summary: "Summary", folder: "DocsFolder", cached: "CachedProvider") -> None:
    from war_rig.document.render import counted
    from war_rig.providers.foreign import one_line

    plan = summary.plan
    files, parts = counted(len(plan.files), "file"), counted(plan.units, "part")
    print(f"{files}, {parts}, {summary.tokens} tokens")
    print(
        f"{counted(cached.calls, 'call')} made, {counted(cached.hits, 'answer')} kept from before"
    )
    print(f"{counted(summary.verified, 'claim')} verified, {summary.unverified} unverified")
    if summary.uncovered:
        print(f"without any verified claim: {counted(summary.uncovered, 'part')}")
    for path, reason in plan.misread:
        print(one_line(f"read as plain text: {path}: {reason}"), file=sys.stderr)
    for reason, count in sorted(plan.reasons.items()):
        print(f"left out: {count} {reason}")
    for unit, failure in summary.failures:
        text = f"not documented: {unit.file} {unit.name}: {failure}"
        print(one_line(text), file=sys.stderr)
    print(f"read {folder.path / 'README.md'}")
