"""A provider that answers what a test tells it to, and remembers what it was asked."""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from war_rig.providers import CompletionChunk, CompletionResponse, Message
from war_rig.providers.streams import words

Reply = str | Exception | list[str | Exception] | Callable[[list[Message]], str]


@dataclass(frozen=True)
class Call:
    """One call: its messages, and the keywords that came with them."""

    messages: list[Message]
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Return the content of the last message."""
        return self.messages[-1].content


class FakeProvider:
    """Answers with *reply*, or with each of *replies* in turn.

    A reply is a text, an exception to raise, a list of the pieces in which it
    arrives, or a function of the messages that returns the text. An exception
    in a list is raised after the pieces before it. A text is streamed word by
    word. Every call is kept in ``calls``. Asking more often than there are
    *replies* raises AssertionError. One token a word.
    """

    def __init__(
        self, reply: Reply = "fake", *, replies: Iterable[Reply] | None = None, model: str = "fake"
    ) -> None:
        self.calls: list[Call] = []
        self._reply = reply
        self._replies: Iterator[Reply] | None = None if replies is None else iter(replies)
        self._model = model

    @property
    def default_model(self) -> str:
        """Return the model's name, "fake" by default."""
        return self._model

    async def complete(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **parameters: Any,
    ) -> CompletionResponse:
        """Keep the call and give the next reply."""
        content = "".join(self._pieces(messages, model, temperature, parameters))
        return self._response(content, model)

    async def stream(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **parameters: Any,
    ) -> AsyncGenerator[CompletionChunk, None]:
        """Keep the call and give the next reply piece by piece."""
        content = ""
        for piece in self._pieces(messages, model, temperature, parameters):
            yield CompletionChunk(piece)
            content += piece
        yield CompletionChunk(response=self._response(content, model))

    def _response(self, content: str, model: str | None) -> CompletionResponse:
        tokens = len(content.split())
        return CompletionResponse(content, model or self._model, tokens, usage_source="estimated")

    def _pieces(
        self,
        messages: list[Message],
        model: str | None,
        temperature: float | None,
        parameters: dict[str, Any],
    ) -> Iterator[str]:
        named = {"model": model, "temperature": temperature}
        parameters |= {name: value for name, value in named.items() if value is not None}
        self.calls.append(Call(list(messages), parameters))
        reply = self._next_reply()
        if callable(reply):
            reply = reply(messages)
        if isinstance(reply, Exception):
            raise reply
        for piece in words(reply) if isinstance(reply, str) else reply:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def _next_reply(self) -> Reply:
        if self._replies is None:
            return self._reply
        try:
            return next(self._replies)
        except StopIteration:
            made = f"call {len(self.calls)}"
            raise AssertionError(f"FakeProvider has no reply left for {made}") from None
