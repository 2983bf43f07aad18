"""``war-rig ask``: one question to one agent, whose answer is printed as it arrives."""

import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from containers.cli.options import Config, Debug, Provider, without_own_provider

if TYPE_CHECKING:
    from containers.application import Application
    from war_rig.agents import Agent
    from war_rig.providers import CompletionChunk, CompletionResponse


def ask(
    text: Annotated[
        str | None, typer.Argument(help="What to ask; without it, or as '-', standard input.")
    ] = None,
    agent: Annotated[
        str, typer.Option("--agent", metavar="NAME", help="The agent that answers.")
    ] = "assistant",
    provider: Provider = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="The model to use.")
    ] = None,
    no_stream: Annotated[
        bool, typer.Option("--no-stream", help="Print the answer when it is whole, or nothing.")
    ] = False,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Ask an agent, and print its answer as it arrives."""
    import asyncio

    from containers import application

    question = _read(text)
    app = application(config, llm_provider=provider)
    if provider is not None:
        forget_own_provider(app, agent)
    asked = app.agents(agent)
    note_offline(app, agent)
    if model is not None:
        asked = replace(asked, model=model)
    asyncio.run(_answer(app, asked, question, is_streamed=not no_stream))


def note_offline(app: "Application", agent: str) -> None:
    """Say on stderr that nobody chose a provider, where that is so."""
    settings = app.settings()
    if not settings.is_provider_chosen and settings.agents[agent].provider is None:
        print(
            "note: no provider was chosen, so the embedded 'offline' one is used; "
            "set LLM_PROVIDER or pass --provider (see: war-rig providers)",
            file=sys.stderr,
        )


def _read(text: str | None) -> str:
    if text is not None and text != "-":
        return text
    if text is None and sys.stdin.isatty():
        raise typer.BadParameter("nothing to ask: give a text, or pipe one in")
    piped = sys.stdin.read()
    if not piped.strip():
        raise typer.BadParameter("nothing to ask: standard input is empty")
    return piped


def forget_own_provider(app: "Application", agent: str) -> None:
    """Let --provider beat the provider that the agent names itself."""
    app.settings.override(without_own_provider(app.settings(), agent))


async def _answer(app: "Application", agent: "Agent", question: str, is_streamed: bool) -> None:
    from contextlib import aclosing

    from containers import running
    from containers.cli import spent

    run = app.run()
    async with running(app):
        if is_streamed:
            async with aclosing(agent.stream(question)) as chunks:
                answer = await _printed(chunks)
        else:
            answer = await agent.run(question)
            _print(answer.content + "\n")
    for line in spent.report(run, answer.attempts):
        print(line, file=sys.stderr)


async def _printed(chunks: AsyncIterator["CompletionChunk"]) -> "CompletionResponse":
    """Print *chunks* as they arrive, and return the answer that they are."""
    has_text = False
    try:
        async for chunk in chunks:
            has_text = has_text or bool(chunk.content)
            _print(chunk.content)
    finally:
        _print("\n" * has_text)  # what follows, an error too, begins on a line of its own
    assert chunk.response is not None, "an agent's stream ends with its last chunk"
    return chunk.response


def _print(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"  # a terminal may know ASCII only
    print(text.encode(encoding, "backslashreplace").decode(encoding), end="", flush=True)
