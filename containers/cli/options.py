"""Options that several commands share."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from containers.cli import debug

if TYPE_CHECKING:
    from war_rig.config import Settings

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The YAML file to use; else WAR_RIG_CONFIG, else ./war_rig.yaml.",
    ),
]
Provider = Annotated[
    str | None,
    typer.Option("--provider", metavar="NAME", help="The provider to use; beats LLM_PROVIDER."),
]
Debug = Annotated[
    bool,
    typer.Option("--debug", callback=debug.turn_on, help="Show the traceback and the debug log."),
]


def without_own_provider(settings: "Settings", agent: str) -> "Settings":
    """Return *settings* in which *agent* uses the provider that --provider names."""
    if agent not in settings.agents:
        return settings
    changed = settings.agents[agent].model_copy(update={"provider": None})
    return replace(settings, agents={**settings.agents, agent: changed})


def load_settings(config: Path | None, provider: str | None = None) -> "Settings":
    """Return the configuration without a container, telling of a file that was only found."""
    from war_rig.config import load

    settings = load(config, os.environ, llm_provider=provider)
    if settings.note:
        print(settings.note, file=sys.stderr)
    return settings
