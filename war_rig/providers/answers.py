"""What counts as an answer, and what is said where a provider gave something else."""

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from war_rig.errors import MalformedAnswerError
from war_rig.providers.classification import Verdict
from war_rig.providers.foreign import Redact, one_line
from war_rig.providers.protocol import CompletionResponse, LLMProvider, Message

_FIELDS = tuple(field.name for field in fields(CompletionResponse))

_EMPTY = "an answer without content"
_OF_ITS_CODE = "its code has to be corrected: docs/contract.md says what it returns"

Refuse = Callable[[str], Exception]
"""Makes the exception to raise for what was returned in the place of an answer."""


class NotAnAnswerError(Exception):
    """Tells the border what a provider returned; it never gets past it."""


def checked(answer: object, provider: str, model: str | None = None) -> CompletionResponse:
    """Return a copy of *answer* where it is one; raise MalformedAnswerError naming *provider* else.

    A copy, since a provider may give the same object again.
    """
    return own(answer, model, lambda returned: malformed(returned, provider, model))


def own(answer: object, model: str | None, refuse: Refuse) -> CompletionResponse:
    """Return a plain copy of *answer* with nothing left out; raise what *refuse* makes else."""
    if not isinstance(answer, CompletionResponse):
        given = f"a {type(answer).__name__} instead of a CompletionResponse"
        raise refuse("None instead of an answer" if answer is None else given)
    copy = CompletionResponse(*[getattr(answer, name) for name in _FIELDS])
    if fault := _fault(copy):
        raise refuse(fault)
    copy.tokens_used = copy.tokens_used or 0
    copy.model = copy.model or model or "unknown"
    return copy


def _fault(answer: CompletionResponse) -> str | None:
    if not isinstance(answer.content, str):
        return f"an answer whose content is a {type(answer.content).__name__}, not text"
    if not answer.content:
        reason = f" (finish reason: {answer.finish_reason})" if answer.finish_reason else ""
        return f"{_EMPTY}{reason}"
    if answer.model and not isinstance(answer.model, str):
        return f"an answer whose model is a {type(answer.model).__name__}, not text"
    for name in ("tokens_used", "prompt_tokens", "completion_tokens"):
        count = getattr(answer, name)
        if count is not None and (not isinstance(count, int) or isinstance(count, bool)):
            return f"an answer whose {name} is a {type(count).__name__}, not a count"
        if count is not None and count < 0:
            return f"an answer whose {name} is {count}, less than none"
    return None


async def awaited(
    provider: LLMProvider, messages: list[Message], parameters: dict[str, Any]
) -> object:
    """Return what complete() of *provider* returns, whatever it is.

    It gets a list of its own: what it takes out would be missing when it is asked again.
    """
    answer: object = provider.complete([*messages], **parameters)
    if not inspect.isawaitable(answer):
        returned = f"a {type(answer).__name__} at once"
        raise NotAnAnswerError(f"{returned}: complete() is not async, write 'async def complete'")
    return await answer


def malformed(
    returned: str, provider: str, model: str | None, redact: Redact = str
) -> MalformedAnswerError:
    """Return the error for a *provider* that returned no answer."""
    model = model and redact(model)
    verdict = Verdict(MalformedAnswerError, f"returned {one_line(redact(returned))}")
    text = message(provider, model, verdict, step_after(returned))
    return MalformedAnswerError(text, provider=provider, model=model)


def step_after(returned: str) -> str:
    """Return what to do where a provider *returned* no answer: but for an empty one, correct it."""
    return "" if returned.startswith(_EMPTY) else _OF_ITS_CODE


def message(provider: str, model: str | None, verdict: Verdict, next_step: str = "") -> str:
    """Return the text of an error: what failed, with which model, and what to do next.

    next_step: what the provider says itself, where it does; its name is {provider}.
    """
    told = [f"model {model}"] if model else []
    if verdict.retry_after_seconds is not None:
        told.append(f"the server asks to wait {verdict.retry_after_seconds:g} s")
    lines = [f"provider '{provider}' {verdict.what}"]
    lines += [f"  {'; '.join(told)}"] if told else []
    advice = (next_step or verdict.kind.next_step).replace("{provider}", provider)
    return "\n".join([*lines, f"  {one_line(advice)}"])
