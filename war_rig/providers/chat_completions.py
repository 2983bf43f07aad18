"""What OpenAI's chat completions say: a whole one, one in chunks, and an error in between.

The content of an answer is whole where a chunk told its finish reason; a stream
that ends before is no answer.
"""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from war_rig.errors import (
    ContentRefusedError,
    MalformedAnswerError,
    ProviderConnectionError,
    ProviderError,
)
from war_rig.providers.classification import classify, event_text, likely_status
from war_rig.providers.protocol import CompletionResponse

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncStream
    from openai.types import CompletionUsage
    from openai.types.chat import ChatCompletion, ChatCompletionChunk

_LONGEST_TEXT = 2000  # more than the border shows, which clears it of secrets before it cuts


def response_of(answer: "ChatCompletion") -> CompletionResponse:
    """Return what a whole chat completion says; raise where it is none, or a refusal."""
    _refuse_foreign(answer)
    choice = answer.choices[0]
    content = choice.message.content or ""
    _refuse_refusal(content, choice.message.refusal, choice.finish_reason)
    response = _response(content, answer.model, choice.finish_reason, answer.usage)
    response.raw_response = answer.model_dump(warnings=False)
    return response


@dataclass(slots=True)
class ChunkedAnswer:
    """A chat completion that arrives in chunks."""

    model: str = ""
    texts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    finish_reason: str | None = None
    usage: "CompletionUsage | None" = None

    @property
    def has_text(self) -> bool:
        """Return whether any text has arrived."""
        return bool(self.texts)

    def take(self, chunk: "ChatCompletionChunk") -> str:
        """Keep what *chunk* says of the first choice, and return its text."""
        self.model = chunk.model or self.model
        self.usage = chunk.usage or self.usage
        first = next((choice for choice in chunk.choices or () if not choice.index), None)
        if first is None:  # it tells the usage, or of a filter
            return ""
        self.finish_reason = first.finish_reason or self.finish_reason
        self.refusals.append(getattr(first.delta, "refusal", None) or "")
        text: str = getattr(first.delta, "content", None) or ""
        self.texts += [text] if text else []
        return text

    def response(self) -> CompletionResponse:
        """Return the whole answer; raise MalformedAnswerError where its end is missing."""
        if self.finish_reason is None:
            told = "ended its stream without a finish reason, so the answer is not whole"
            raise MalformedAnswerError(told, status=200)
        content = "".join(self.texts)
        _refuse_refusal(content, "".join(self.refusals), self.finish_reason)
        return _response(content, self.model, self.finish_reason, self.usage)


def _response(
    content: str, model: str, finish_reason: str, usage: "CompletionUsage | None"
) -> CompletionResponse:
    return CompletionResponse(
        content=content,
        model=model,
        tokens_used=usage.total_tokens if usage else 0,
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
        usage_source="reported" if usage else None,
        finish_reason=finish_reason,
    )


def _refuse_refusal(content: str, refusal: str | None, finish_reason: str | None) -> None:
    """Raise ContentRefusedError where the model, or a filter, left nothing of the answer."""
    if content or not (refusal or finish_reason == "content_filter"):
        return
    said = refusal or "its content filter stopped the answer"
    raise ContentRefusedError(f"refused: {said[:_LONGEST_TEXT]}", status=200)


def _refuse_foreign(answer: Any) -> None:
    """Raise where the SDK took something that is no chat completion for one."""
    if isinstance(answer, str):
        text = f"answered 200 with text that is no JSON: {answer[:_LONGEST_TEXT]}"
        raise MalformedAnswerError(text, status=200)
    error = getattr(answer, "error", None)
    if error:
        text = error.get("message", error) if isinstance(error, dict) else error
        text = f"answered 200 with an error: {str(text)[:_LONGEST_TEXT]}"
        raise MalformedAnswerError(text, status=200)
    if not getattr(answer, "choices", None) or answer.choices[0].message is None:
        raise MalformedAnswerError("answered 200 without any choices", status=200)


async def whole_answer(response: "httpx2.Response") -> CompletionResponse | None:
    """Return the answer of a server that was asked to stream and does not; None where it does."""
    kind = response.headers.get("content-type", "")
    if "json" not in kind and "html" not in kind:
        return None
    return response_of(_parsed(await response.aread(), "json" in kind))


def _parsed(body: bytes, is_json: bool) -> Any:
    """Return the *body* of an answer as the SDK would."""
    from openai.types.chat import ChatCompletion

    text = body.decode("utf-8", "replace")
    if not is_json:
        return text
    try:
        answer = json.loads(text)
    except ValueError as error:
        broken = broken_json(error)
    else:
        return ChatCompletion.construct(**answer) if isinstance(answer, dict) else answer
    raise broken


def broken_json(error: ValueError, what: str = "answered 200 with") -> MalformedAnswerError:
    """Return the error for JSON that is none."""
    return MalformedAnswerError(f"{what} broken JSON: {error}", status=200)


async def next_chunk(
    stream: "AsyncStream[ChatCompletionChunk]", has_begun: bool
) -> "ChatCompletionChunk | None":
    """Return the next chunk, None at the end; what the SDK raises of one is one of our errors.

    has_begun: whether there was a chunk before it.
    """
    from openai import APIConnectionError, APIError

    cause: Exception | None = None
    failure: ProviderError
    try:
        return await anext(stream, None)
    except json.JSONDecodeError as error:
        failure = broken_json(error, "sent a chunk of")
    except APIError as error:
        if type(error) is APIConnectionError:
            failure, cause = _broken_off(error), error
        elif type(error) is APIError:
            failure = _error_event(error.message, error.body, has_begun)
        else:
            raise
    raise failure from cause


def _broken_off(error: Exception) -> ProviderConnectionError:
    inner = error.__cause__ or error
    what = f"{type(inner).__name__}: {inner}"[:_LONGEST_TEXT]
    return ProviderConnectionError(f"broke its answer off: {what}")


class _EventError(Exception):
    """An error in the midst of a stream, with the status that it would have had before it."""

    def __init__(self, text: str, status: int, body: object) -> None:
        super().__init__(text)
        self.status_code = status
        self.body = body


def _error_event(text: str, body: object, has_begun: bool) -> ProviderError:
    """Return which of our errors an error event is: by its code, else by words, else the server's.

    A code that is an HTTP status becomes the error's ``status``.
    """
    code, kind = (body.get("code"), body.get("type")) if isinstance(body, dict) else ("", "")
    status = int(f"{code}") if f"{code}" in _STATUSES else None
    likely = status or likely_status(f"{code} {kind}", f"{text} {body}") or 500
    verdict = classify(_EventError(text, likely, body))
    return verdict.kind(event_text(text[:_LONGEST_TEXT], has_begun), status=status)


_STATUSES = frozenset(map(str, range(400, 600)))
