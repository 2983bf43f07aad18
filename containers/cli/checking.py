"""``war-rig providers check``: does a provider keep the contract? Its API is played by the kit."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from containers.cli.options import Config, Debug

if TYPE_CHECKING:
    from war_rig.testing.conformance import Kit, Verdict


_Answer = Annotated[
    Path | None,
    typer.Option(
        "--answer",
        metavar="FILE",
        help="An example of its API's answers, $content where the text stands.",
    ),
]
_Endpoint = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        metavar="NAME",
        help="The argument or variable that holds the address of its API.",
    ),
]


def check(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The provider's name, or MODULE:CLASS.")],
    answer: _Answer = None,
    endpoint: _Endpoint = None,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Hold a provider to the contract; its API is played by a server on this machine."""
    from containers.cli.explain import printable
    from war_rig.testing.conformance import Kit
    from war_rig.testing.conformance.rules import RULES

    kit = Kit(name, config=config or context.obj, answer=answer, endpoint=endpoint)
    try:
        kit.load()
        if kit.note:
            print(kit.note, file=sys.stderr)
        verdicts = [kit.verdict(rule) for rule in RULES]
        for line in _report(kit, verdicts):
            print(printable(line))
    finally:
        kit.close()
    code = 1 if any(one.outcome == "failed" for one in verdicts) else 0
    if kit.stuck:
        _leave(code)
    raise typer.Exit(code)


def _report(kit: "Kit", verdicts: "list[Verdict]") -> Iterator[str]:
    """Yield what was found out, all verdicts, and what an author needs of each rule not kept."""
    from war_rig.testing.conformance.report import details, found_out, summary, table

    yield from (*found_out(kit), "", *table(verdicts), "")
    for one in verdicts:
        if one.missed is not None:
            kind = "required" if one.rule.is_required else "recommended"
            yield from (f"{one.rule.name} ({kind})", *details(one), "")
    yield summary(verdicts)


def _leave(code: int) -> None:
    """End the process at once: Python would wait for threads of the provider that never end."""
    print("note: a call to the provider has not ended yet", file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
