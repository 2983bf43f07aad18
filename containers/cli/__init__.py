"""The command line: one file a command group, each loading what it needs when it runs."""

from typing import Annotated

import typer

from containers.cli import ask, document, explain, providers
from war_rig import __version__

app = typer.Typer(
    name="war-rig",
    help="Agents on any LLM, and the documentation of legacy code.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)
app.command()(ask.ask)
app.command()(document.document)
app.command()(explain.explain)
app.add_typer(providers.app)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(f"war-rig {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass
