"""An answer in pieces: asks a provider for its stream, and holds the stream to the contract.

A provider without ``stream()`` is asked for its whole answer, which is then the
only piece. A stream that ends before its last chunk is an error, never an
answer. Whoever closes the iterator closes the provider's own, at once.
"""

import inspect
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from war_rig.providers.answers import Refuse, awaited, malformed, own
from war_rig.providers.foreign import attribute
from war_rig.providers.protocol import CompletionChunk, CompletionResponse, LLMProvider, Message
from war_rig.providers.usage import mark_usage

_log = logging.getLogger("war_rig.providers")
_WORD = re.compile(r"\S+\s*|\s+")


def can_stream(provider: object) -> bool:
    """Return whether *provider* streams by itself."""
    return callable(attribute(provider, "stream"))


async def streamed(
    provider: LLMProvider,
    messages: list[Message],
    parameters: dict[str, Any],
    model: str | None,
    refuse: Refuse,
) -> AsyncGenerator[CompletionChunk, None]:
    """Yield the chunks that *provider* streams, the last when the stream has ended.

    A piece without text is none: else nothing could be repeated after it. Raises what
    the provider raises, and what *refuse* makes for a stream that is none. The
    provider's iterator is closed when this one is.
    """
    if not can_stream(provider):
        answer = own(await awaited(provider, messages, parameters), model, refuse)
        yield whole(answer, messages)
        return
    last: CompletionChunk | None = None
    texts: list[str] = []
    chunks = _iterator(provider, messages, parameters, refuse)
    try:
        async for chunk in chunks:
            if fault := _fault(chunk, last):
                raise refuse(fault)
            texts.append(chunk.content)
            if chunk.response is not None:
                last = chunk
            elif chunk.content:
                yield chunk
    finally:
        await _close(chunks)
    yield _checked_last(last, "".join(texts), messages, model, refuse)


def checked_stream(
    provider: LLMProvider,
    messages: list[Message],
    parameters: dict[str, Any],
    name: str,
) -> AsyncGenerator[CompletionChunk, None]:
    """Do what ``streamed`` does; raise MalformedAnswerError naming the provider *name*."""
    model = parameters.get("model")
    return streamed(
        provider, messages, parameters, model, lambda returned: malformed(returned, name, model)
    )


def whole(answer: CompletionResponse, messages: list[Message]) -> CompletionChunk:
    """Return *answer* to *messages* as the one chunk of its stream."""
    return CompletionChunk(answer.content, mark_usage(answer, messages))


def words(text: str) -> list[str]:
    """Return the pieces that *text* is streamed in where no LLM cuts it: words with their space."""
    return _WORD.findall(text)


def _iterator(
    provider: Any, messages: list[Message], parameters: dict[str, Any], refuse: Refuse
) -> AsyncIterator[Any]:
    chunks = provider.stream([*messages], **parameters)  # a list of its own, as in complete()
    if hasattr(chunks, "__aiter__"):
        return aiter(chunks)
    if inspect.iscoroutine(chunks):
        chunks.close()  # else Python complains that nobody awaited it
        raise refuse("a coroutine from stream(): its 'async def' needs a 'yield', or no 'async'")
    raise refuse(f"a {type(chunks).__name__} from stream(), which is no async iterator")


def _fault(chunk: object, last: CompletionChunk | None) -> str | None:
    if last is not None:
        return "a chunk after the one with the response, which is the last"
    if not isinstance(chunk, CompletionChunk):
        return f"a {type(chunk).__name__} instead of a CompletionChunk in its stream"
    if not isinstance(chunk.content, str):
        return f"a chunk whose content is a {type(chunk.content).__name__}, not text"
    return None


def _checked_last(
    last: CompletionChunk | None,
    text: str,
    messages: list[Message],
    model: str | None,
    refuse: Refuse,
) -> CompletionChunk:
    if last is None:
        raise refuse("a stream that ended without its last chunk, the one with the response")
    answer = own(last.response, model, refuse)
    if answer.content != text:
        raise refuse("a stream whose pieces, put together, are not the content of its response")
    return CompletionChunk(last.content, mark_usage(answer, messages))


async def _close(chunks: AsyncIterator[Any]) -> None:
    """Close the iterator where it can be closed; what ended the stream counts for more."""
    try:
        closing = getattr(chunks, "aclose", lambda: None)()
        if inspect.isawaitable(closing):
            await closing
    except Exception as error:  # the plugin's border: its own aclose()
        _log.debug("a stream could not be closed: %s", type(error).__name__)
