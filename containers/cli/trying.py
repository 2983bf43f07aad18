"""``war-rig providers try``: one call, and what an author wants to see of it.

Of an API that a definition describes: the request, the answer, and what each
path led to. Of any other provider: what it was asked, and what it returned.
"""

import sys
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from containers.cli.options import Config, Debug, load_settings

if TYPE_CHECKING:
    from war_rig.providers import CompletionResponse, Message
    from war_rig.providers.border import Border
    from war_rig.providers.building import Blueprint

_MOST_CHARACTERS = 4_000

Redact = Callable[[str], str]


def try_(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The provider's name.")],
    text: Annotated[str, typer.Argument(help="What to ask.")] = "hello",
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="The model to use.")
    ] = None,
    system: Annotated[
        str | None,
        typer.Option(
            "--system", metavar="TEXT", help="A system message, as an agent's; none is sent else."
        ),
    ] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Ask for a stream.")] = False,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Send one call; show the request, the answer, and what was found where."""
    import asyncio

    from war_rig.entries import provider_blueprint
    from war_rig.providers import Message
    from war_rig.providers.secrets import Redactor, secrets_of

    settings = load_settings(config or context.obj)
    plan = provider_blueprint(name, settings)
    secrets = plan.secrets | secrets_of(settings.env)
    messages = [Message("system", system)] if system else []
    messages.append(Message("user", text))
    asyncio.run(_try(plan, secrets, Redactor(secrets).redact, messages, model, stream))


async def _try(
    plan: "Blueprint",
    secrets: set[str],
    redact: Redact,
    messages: list["Message"],
    model: str | None,
    is_streamed: bool,
) -> None:
    from war_rig.providers.border import Border
    from war_rig.providers.http.provider import HttpProvider

    provider = plan.build()
    watched = provider.watched(_show, redact) if isinstance(provider, HttpProvider) else None

    def clear(text: str) -> str:
        return redact(watched.redact(text) if watched else text)

    async with aclosing(Border(plan.name, watched or provider, secrets)) as border:
        if watched is None:
            _section("asked", *_asked(messages, model or border.default_model), redact=clear)
        answer = await _answer(border, messages, model, is_streamed, clear)
        _section("result", *_result(answer), redact=clear)
        if watched is None and answer.raw_response is not None:
            _section("raw_response", _json(answer.raw_response), redact=clear)


async def _answer(
    border: "Border",
    messages: list["Message"],
    model: str | None,
    is_streamed: bool,
    redact: Redact,
) -> "CompletionResponse":
    if not is_streamed:
        return await border.complete(messages, model=model)
    if border.is_stream_emulated:
        print("note: this provider has no stream: its answer comes in one piece", file=sys.stderr)
    pieces = 0
    async with aclosing(border.stream(messages, model=model)) as chunks:
        async for chunk in chunks:
            pieces += bool(chunk.content)
            if chunk.response is not None:
                answer = chunk.response
    _section("streamed", f"{pieces} pieces" if pieces != 1 else "1 piece", redact=redact)
    return answer


def _asked(messages: list["Message"], model: str) -> list[str]:
    return [f"model: {model}", *(f"{m.role}: {m.content}" for m in messages)]


def _result(answer: "CompletionResponse") -> list[str]:
    """Return what every provider's answer has, and where its token counts come from."""
    parts = {"prompt": answer.prompt_tokens, "completion": answer.completion_tokens}
    counted = ", ".join(f"{name} {count}" for name, count in parts.items() if count is not None)
    told = f" ({counted})" if counted else ""
    source = f", {answer.usage_source}" if answer.usage_source else ""
    return [
        f"content: {answer.content}",
        f"model: {answer.model}",
        f"tokens_used: {answer.tokens_used}{told}{source}",
        f"finish_reason: {answer.finish_reason or '-'}",
    ]


def _json(value: object) -> str:
    import json

    from war_rig.providers.foreign import repr_of

    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=repr_of)
    except (TypeError, ValueError, RecursionError):  # a plugin's own idea of a response
        return repr_of(value)


def _section(title: str, *texts: str, redact: Redact) -> None:
    lines = [line for text in texts for line in redact(text)[:_MOST_CHARACTERS].split("\n")]
    _show("\n".join([title, *(f"  {line}".rstrip() for line in lines)]))


def _show(text: str) -> None:
    """Print a part of the report, as far as the terminal can, without control characters."""
    encoding = sys.stdout.encoding or "utf-8"
    text = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
    print(text.encode(encoding, "backslashreplace").decode(encoding), end="\n\n", flush=True)
