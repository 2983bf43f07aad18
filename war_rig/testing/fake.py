"""A provider that answers what a test tells it to, and remembers what it was asked."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from war_rig.providers import CompletionResponse, Message

Reply = str | Exception | Callable[[list[Message]], str]


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

    A reply is a text, an exception to raise, or a function of the messages
    that returns the text. Every call is kept in ``calls``. Asking more often
    than there are *replies* raises AssertionError. One token a word.
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
        named = {"model": model, "temperature": temperature}
        parameters |= {name: value for name, value in named.items() if value is not None}
        self.calls.append(Call(list(messages), parameters))
        content = self._content(messages)
        words = len(content.split())
        return CompletionResponse(content, model or self._model, words, usage_source="estimated")

    def _content(self, messages: list[Message]) -> str:
        reply = self._reply
        if self._replies is not None:
            try:
                reply = next(self._replies)
            except StopIteration:
                made = f"call {len(self.calls)}"
                raise AssertionError(f"FakeProvider has no reply left for {made}") from None
        if isinstance(reply, Exception):
            raise reply
        return reply(messages) if callable(reply) else reply
