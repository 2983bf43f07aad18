"""A provider that answers what a test tells it to, and remembers what it was asked."""

import inspect
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from war_rig.providers import CompletionChunk, CompletionResponse, Message
from war_rig.providers.foreign import one_line, repr_of
from war_rig.providers.streams import words

Answer = str | CompletionResponse | Exception | list[str | Exception]
Reply = Answer | Callable[[list[Message]], Answer]
Part = str | re.Pattern[str]
"""What a text is known by: words that stand in it, or a pattern that is found in it."""

_REPLY = (
    "a text, an exception, a list of pieces, a CompletionResponse, or a function of the messages "
    "that returns one of these"
)
_LONGEST_TEXT = 100
_MOST_CALLS = 20


@dataclass(frozen=True)
class Call:
    """One call: its messages, and the keywords that came with them."""

    messages: list[Message]
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Return the content of the last message, which is the question."""
        return self.messages[-1].content if self.messages else ""


class FakeProvider:
    """Answers with *reply*, or with each of *replies* in turn, unless one of *rules* fits.

    A reply is a text, an exception to raise, a list of the pieces in which it
    arrives, a whole CompletionResponse, or a function of the messages that
    returns one of these. An exception in a list is raised after the pieces
    before it. A text is streamed word by word, and counts one token a word.
    Asking more often than there are *replies* raises AssertionError.

    rules: a reply for questions that have a text in them, or in which a pattern
    is found; the first that fits. Every call is kept in ``calls``. Raises
    TypeError for what is no reply.
    """

    def __init__(
        self,
        reply: Reply = "fake",
        *,
        rules: Mapping[Part, Reply] | None = None,
        replies: Iterable[Reply] | None = None,
        model: str = "fake",
    ) -> None:
        self.calls: list[Call] = []
        self._reply = _checked(reply)
        self._rules = {_part(part): _checked(one) for part, one in dict(rules or {}).items()}
        self._replies = None if replies is None else _each(replies)
        self._model = model

    @property
    def default_model(self) -> str:
        """Return the model's name, "fake" by default."""
        return self._model

    def assert_asked(self, part: Part = "") -> Call:
        """Return the first call with *part* in its question; without *part*, the first of all."""
        __tracebackhide__ = True  # pytest shows the line of the test
        found = self._asked(part)
        if not found:
            asked = self._asked("")
            more = ", but:" if asked else ", nor anything else" if part else ""
            text = f"FakeProvider was not asked{_told(part)}{more}"
            raise AssertionError("\n".join([text, *self._shown(asked)]))
        return self.calls[found[0]]

    def assert_asked_once(self, part: Part = "") -> Call:
        """Return the only call with *part* in its question; without *part*, the only one."""
        __tracebackhide__ = True
        call = self.assert_asked(part)
        found = self._asked(part)
        if len(found) > 1:
            text = f"FakeProvider was asked{_told(part)} {len(found)} times, not once:"
            raise AssertionError("\n".join([text, *self._shown(found)]))
        return call

    def assert_not_asked(self, part: Part = "") -> None:
        """Raise AssertionError where there is a call with *part* in its question."""
        __tracebackhide__ = True
        found = self._asked(part)
        if found:
            text = f"FakeProvider was asked{_told(part)}:"
            raise AssertionError("\n".join([text, *self._shown(found)]))

    async def complete(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **parameters: Any,
    ) -> CompletionResponse:
        """Keep the call and give the next reply."""
        reply = self._next_reply(messages, model, temperature, parameters)
        return self._response(reply, "".join(_pieces(reply)), model)

    async def stream(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **parameters: Any,
    ) -> AsyncGenerator[CompletionChunk, None]:
        """Keep the call and give the next reply piece by piece."""
        reply = self._next_reply(messages, model, temperature, parameters)
        content = ""
        for piece in _pieces(reply):
            yield CompletionChunk(piece)
            content += piece
        yield CompletionChunk(response=self._response(reply, content, model))

    def _next_reply(
        self,
        messages: list[Message],
        model: str | None,
        temperature: float | None,
        parameters: dict[str, Any],
    ) -> Answer:
        named = {"model": model, "temperature": temperature}
        parameters |= {name: value for name, value in named.items() if value is not None}
        call = Call(list(messages), parameters)
        self.calls.append(call)
        reply = self._chosen(call.text)
        return _checked_answer(reply(messages)) if callable(reply) else reply

    def _chosen(self, text: str) -> Reply:
        for part, reply in self._rules.items():
            if _is_in(text, part):
                return reply
        if self._replies is None:
            return self._reply
        try:
            return _checked(next(self._replies))
        except StopIteration:
            made = f"call {len(self.calls)}"
            raise AssertionError(f"FakeProvider has no reply left for {made}") from None

    def _response(self, reply: Answer, content: str, model: str | None) -> CompletionResponse:
        if isinstance(reply, CompletionResponse):
            return replace(reply)
        tokens = len(content.split())
        return CompletionResponse(content, model or self._model, tokens, usage_source="estimated")

    def _asked(self, part: Part) -> list[int]:
        _part(part)
        return [number for number, call in enumerate(self.calls) if _is_in(call.text, part)]

    def _shown(self, numbers: list[int]) -> Iterator[str]:
        for number in numbers[:_MOST_CALLS]:
            yield f"  {number + 1}. {one_line(self.calls[number].text, _LONGEST_TEXT)}"
        if len(numbers) > _MOST_CALLS:
            yield f"  and {len(numbers) - _MOST_CALLS} more"


def _part(part: Part) -> Part:
    """Return *part*; raise TypeError where no text can be known by it."""
    if not isinstance(part, str | re.Pattern):
        raise TypeError(
            f"a question is known by a text or a re.Pattern in it, not by {_shown(part)}"
        )
    return part


def _each(replies: Iterable[Reply]) -> Iterator[Reply]:
    """Return the *replies* in turn; raise TypeError where they are one, or hold what is none."""
    if isinstance(replies, str) or not isinstance(replies, Iterable):
        raise TypeError(f"replies=[...] takes several replies, not {_shown(replies)}")
    if isinstance(replies, list | tuple):  # others may have no end
        replies = [_checked(reply) for reply in replies]
    return iter(replies)


def _checked(reply: Reply) -> Reply:
    """Return *reply*; raise TypeError where it is none."""
    if inspect.iscoroutinefunction(reply):
        raise TypeError(f"a reply is {_REPLY}, not the async {_shown(reply)}")
    return reply if callable(reply) else _checked_answer(reply)


def _checked_answer(reply: Answer) -> Answer:
    """Return *reply*; raise TypeError where it is none, or a function."""
    parts = reply if isinstance(reply, list | tuple) else ()
    if not isinstance(reply, str | CompletionResponse | Exception | list | tuple):
        raise TypeError(f"a reply is {_REPLY}, not {_shown(reply)}")
    for part in parts:
        if not isinstance(part, str | Exception):
            raise TypeError(f"a piece of a reply is a text or an exception, not {_shown(part)}")
    return reply


def _shown(thing: object) -> str:
    return one_line(repr_of(thing), _LONGEST_TEXT)


def _is_in(text: str, part: Part) -> bool:
    return part in text if isinstance(part, str) else part.search(text) is not None


def _told(part: Part) -> str:
    return f" {part!r}" if part else ""


def _pieces(reply: Answer) -> Iterator[str]:
    if isinstance(reply, CompletionResponse):
        reply = reply.content
    if isinstance(reply, Exception):
        raise reply
    for piece in words(reply) if isinstance(reply, str) else reply:
        if isinstance(piece, Exception):
            raise piece
        yield piece
