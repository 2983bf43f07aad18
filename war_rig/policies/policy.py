"""What all policies share: each is an LLMProvider around an LLMProvider.

A policy says what it does to one ``Request`` in ``_complete`` and ``_stream``.
Where both would be the same, it is ``Around`` a call and says so once. The
innermost provider is a Border, so what comes out is an answer or one of our errors.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable
from contextlib import (
    AbstractContextManager,
    aclosing,
    nullcontext,
)
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, cast, final

from war_rig.ledger import Attempt
from war_rig.policies.call import Call
from war_rig.providers import CompletionChunk, CompletionResponse, LLMProvider, Message
from war_rig.providers.usage import estimate_tokens

T = TypeVar("T")


class StreamingProvider(LLMProvider, Protocol):
    """A Border, or a policy: streams, and tells a model's name without secrets."""

    def shown_model(self, model: str | None) -> str | None:
        """Return the name of *model*, or of the default one; None where it is not known."""
        ...

    def stream(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[CompletionChunk, None]:
        """Yield the answer as it arrives; the last chunk has the response."""
        ...


@dataclass(slots=True)
class Request:
    """What is asked: the messages, and each parameter that somebody set, the model among them.

    call: the call that it belongs to; one that nobody reads, outside of a stack.
    """

    messages: list[Message]
    parameters: dict[str, Any]
    call: Call = field(default_factory=Call)
    _estimated_tokens: int | None = field(default=None, init=False)

    @property
    def model(self) -> str | None:
        """Return the model that was asked for, None for the provider's own."""
        return self.parameters.get("model")

    @property
    def estimated_tokens(self) -> int:
        """Return about how many tokens the messages are."""
        if self._estimated_tokens is None:
            texts = [estimate_tokens(message.content) for message in self.messages]
            self._estimated_tokens = sum(texts)
        return self._estimated_tokens


@dataclass(slots=True)
class Course:
    """One request on its way through one policy, and what has come of it so far."""

    request: Request
    attempts_before: int
    response: CompletionResponse | None = None
    pieces: list[str] = field(default_factory=list)
    error: BaseException | None = None

    @property
    def call(self) -> Call:
        """Return the call that the request belongs to."""
        return self.request.call

    @property
    def attempts(self) -> list[Attempt]:
        """Return the attempts that were made inside of the policy."""
        return self.call.attempts[self.attempts_before :]


class Policy:
    """An LLMProvider around *provider*, which by itself changes nothing.

    border: what is inside of all policies.
    """

    def __init__(self, provider: StreamingProvider) -> None:
        self.provider = provider
        self.border: StreamingProvider = (
            provider.border if isinstance(provider, Policy) else provider
        )

    @property
    def name(self) -> str:
        """Return the provider's name."""
        return getattr(self.provider, "name", type(self.provider).__name__)

    @property
    def default_model(self) -> str:
        """Return the provider's own default model."""
        return self.provider.default_model

    def shown_model(self, model: str | None) -> str | None:
        """Return the name of *model*, or of the default one, without secrets; None if unknown."""
        return self.border.shown_model(model)

    @property
    def is_stream_emulated(self) -> bool:
        """Return whether stream() gives the whole answer as one chunk: the provider has none."""
        return getattr(self.provider, "is_stream_emulated", False) is True

    @property
    def takes_output_schema(self) -> bool:
        """Return whether the provider takes a JSON schema."""
        return getattr(self.provider, "takes_output_schema", False) is True

    def one_piece_of_work(self) -> AbstractContextManager[None]:
        """Return a context: where it ends in MalformedAnswerError, caches forget what was asked."""
        begin = getattr(self.provider, "one_piece_of_work", nullcontext)
        return cast(AbstractContextManager[None], begin())

    async def complete(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **kwargs: Any,
    ) -> CompletionResponse:
        """Ask the provider; raise one of our errors where it does not answer."""
        return await self._complete(_request(messages, model, temperature, kwargs))

    def stream(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[CompletionChunk, None]:
        """Yield the answer as it arrives; the last chunk has the response."""
        return self._stream(_request(messages, model, temperature, kwargs))

    async def _complete(self, request: Request) -> CompletionResponse:
        return await ask(self.provider, request)

    def _stream(self, request: Request) -> AsyncGenerator[CompletionChunk, None]:
        return ask_stream(self.provider, request)


def ask(provider: StreamingProvider, request: Request) -> Awaitable[CompletionResponse]:
    """Return what answers *request*; a policy need not take it apart again."""
    if isinstance(provider, Policy):
        return provider._complete(request)
    return provider.complete(request.messages, **request.parameters)


def ask_stream(
    provider: StreamingProvider, request: Request
) -> AsyncGenerator[CompletionChunk, None]:
    """Return what answers *request* as a stream."""
    if isinstance(provider, Policy):
        return provider._stream(request)
    return provider.stream(request.messages, **request.parameters)


class Around(Policy, ABC, Generic[T]):
    """A policy that does something before a call and after it, whole or in a stream.

    Where one stands inside of another, the outer one runs both: a coroutine, and
    in a stream a generator, for each of them would cost more than they do.
    """

    @abstractmethod
    async def _begin(self, course: Course) -> T:
        """Return, when the call may begin, what its end needs; raise where it may not."""

    @abstractmethod
    def _end(self, begun: T, course: Course) -> None:
        """Settle a call that began, however it ended."""

    @final
    async def _complete(self, request: Request) -> CompletionResponse:
        layers = _Layers(request)
        course = layers.course
        try:
            inside = await layers.begin(self)
            course.response = await ask(inside, request)
            return course.response
        except BaseException as error:  # which is raised again: only looked at
            course.error = error
            raise
        finally:
            layers.settle()

    @final
    async def _stream(self, request: Request) -> AsyncGenerator[CompletionChunk, None]:
        layers = _Layers(request)
        course, last = layers.course, None
        try:
            inside = await layers.begin(self)
            async with aclosing(ask_stream(inside, request)) as chunks:
                async for chunk in chunks:
                    course.pieces.append(chunk.content)
                    if chunk.response is None:
                        yield chunk
                    else:
                        last, course.response = chunk, chunk.response
        except BaseException as error:  # which is raised again: only looked at
            course.error = error
            raise
        finally:
            layers.settle()
        assert last is not None, "a border lets no stream end without its last chunk"
        yield last  # now that all is settled, so that its ledger is whole


class _Layers:
    """The policies that have begun one request, each with what its end needs.

    They are settled at the latest when this is thrown away: what a loop was left
    with that is closed, nobody finalises.
    """

    __slots__ = ("_begun", "course")

    def __init__(self, request: Request) -> None:
        self.course = Course(request, len(request.call.attempts))
        self._begun: list[tuple[Around[Any], Any]] = []

    async def begin(self, layer: StreamingProvider) -> StreamingProvider:
        """Begin *layer*, and those like it inside of it; return what is inside of these."""
        while isinstance(layer, Around):
            self._begun.append((layer, await layer._begin(self.course)))
            layer = layer.provider
        return layer

    def settle(self) -> None:
        """End them, the innermost first; one that raises keeps no other from it."""
        failure: BaseException | None = None
        while self._begun:
            policy, its_own = self._begun.pop()
            try:
                policy._end(its_own, self.course)
            except BaseException as error:  # which is raised below
                failure = failure or error
        if failure is not None:
            raise failure

    __del__ = settle


def _request(
    messages: list[Message],
    model: str | None,
    temperature: float | None,
    parameters: dict[str, Any],
) -> Request:
    if model is not None:
        parameters["model"] = model
    if temperature is not None:
        parameters["temperature"] = temperature
    return Request(messages, parameters)
