"""``war-rig providers try``: one call, and what an author wants to see of it.

Of an API that a definition describes: the request, the answer, and what each
path led to. Of any other provider: what it was asked, and what it returned.
"""

import sys
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from containers.cli.options import Config, Debug, load_settings

if TYPE_CHECKING:
    from war_rig.providers import CompletionResponse, Message
    from war_rig.providers.blueprint import Blueprint
    from war_rig.providers.border import Border
    from war_rig.providers.output import WantedOutput

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
    schema: Annotated[
        Path | None,
        typer.Option("--schema", metavar="FILE", help="Ask for JSON that fits this JSON schema."),
    ] = None,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Send one call; show the request, the answer, and what was found where."""
    import asyncio

    from containers.cli.schemas import schema_in
    from war_rig.entries import provider_blueprint
    from war_rig.providers import Message
    from war_rig.providers.secrets import Redactor, secrets_of

    wanted = schema_in(schema) if schema else None
    settings = load_settings(config or context.obj)
    plan = provider_blueprint(name, settings)
    secrets = plan.secrets | secrets_of(settings.env)
    messages = [Message("system", system)] if system else []
    messages.append(Message("user", text))
    question = _Question(messages, model, stream, wanted)
    asyncio.run(_try(plan, secrets, Redactor(secrets).redact, question))


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked. schema: that of the data that is wanted, None where it is text."""

    messages: list["Message"]
    model: str | None
    is_streamed: bool
    schema: dict[str, Any] | None


async def _try(plan: "Blueprint", secrets: set[str], redact: Redact, question: _Question) -> None:
    from war_rig.providers.border import Border
    from war_rig.providers.http.provider import HttpProvider

    provider = plan.build()
    watched = provider.watched(_show, redact) if isinstance(provider, HttpProvider) else None

    def clear(text: str) -> str:
        return redact(watched.redact(text) if watched else text)

    async with aclosing(Border(plan.name, watched or provider, secrets)) as border:
        question, wanted = _with_schema(question, border)
        if wanted is not None:
            _section("schema", _way(wanted, is_definition=watched is not None), redact=clear)
        if watched is None:
            _section("asked", *_asked(question, border), redact=clear)
        answer = await _answer(border, question, wanted, clear)
        _section("result", *_result(answer, wanted), redact=clear)
        if watched is None and answer.raw_response is not None:
            _section("raw_response", _json(answer.raw_response), redact=clear)
        if wanted is not None:
            _section("output", _json(_output(answer, wanted, plan.name, clear)), redact=clear)


def _with_schema(question: _Question, border: "Border") -> tuple[_Question, "WantedOutput | None"]:
    """Return the question as an agent would put it, and what it wants."""
    if question.schema is None:
        return question, None
    from war_rig.providers import Message
    from war_rig.providers.output import WantedOutput

    wanted = WantedOutput(question.schema, border)
    *before, last = question.messages
    messages = [*before, Message(last.role, last.content + wanted.request)]
    return replace(question, messages=messages), wanted


def _way(wanted: "WantedOutput", is_definition: bool) -> str:
    """Return how the data is asked for, and why."""
    if wanted.mode == "native":
        place = "under 'structured'" if is_definition else "as the provider has it"
        return f"native: it goes to the API itself, {place}"
    if not wanted.is_object:
        reason = "an API's own mode makes objects only, and its type is none"
    else:
        reason = (
            "the definition has no 'structured'" if is_definition else "the provider takes none"
        )
    return f"prompted: it stands at the end of the text, since {reason}"


def _output(
    answer: "CompletionResponse", wanted: "WantedOutput", name: str, redact: Redact
) -> object:
    """Return the data of *answer*; raise MalformedAnswerError where it holds no JSON."""
    import json

    from war_rig.errors import MalformedAnswerError

    try:
        return json.loads(wanted.json_in(answer.content))
    except (ValueError, RecursionError) as error:
        failure = f"provider '{name}' was asked for JSON, and answered with none: {error}"
    advice = "choose a model that follows a JSON schema, or describe in the text what you want"
    text = f"{failure}\n  model {redact(answer.model)}\n  {advice}"
    raise MalformedAnswerError(text, provider=name)


async def _answer(
    border: "Border", question: _Question, wanted: "WantedOutput | None", redact: Redact
) -> "CompletionResponse":
    messages, model = question.messages, question.model
    parameters = wanted.parameters if wanted else {}
    if not question.is_streamed:
        return await border.complete(messages, model=model, **parameters)
    if border.is_stream_emulated:
        print("note: this provider has no stream: its answer comes in one piece", file=sys.stderr)
    pieces = 0
    async with aclosing(border.stream(messages, model=model, **parameters)) as chunks:
        async for chunk in chunks:
            pieces += bool(chunk.content)
            if chunk.response is not None:
                answer = chunk.response
    _section("streamed", f"{pieces} pieces" if pieces != 1 else "1 piece", redact=redact)
    return answer


def _asked(question: _Question, border: "Border") -> list[str]:
    lines = [f"model: {question.model or border.default_model}"]
    return lines + [f"{message.role}: {message.content}" for message in question.messages]


def _result(answer: "CompletionResponse", wanted: "WantedOutput | None") -> list[str]:
    """Return what every provider's answer has, and where its token counts come from."""
    parts = {"prompt": answer.prompt_tokens, "completion": answer.completion_tokens}
    counted = ", ".join(f"{name} {count}" for name, count in parts.items() if count is not None)
    told = f" ({counted})" if counted else ""
    mode = [f"output_mode: {wanted.mode}"] if wanted else []
    source = f", {answer.usage_source}" if answer.usage_source else ""
    return [
        f"content: {answer.content}",
        f"model: {answer.model}",
        f"tokens_used: {answer.tokens_used}{told}{source}",
        f"finish_reason: {answer.finish_reason or '-'}",
        *mode,
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
