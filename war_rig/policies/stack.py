"""The whole stack of one entry: the option of the container's Selector.

    trace, cache, total timeout, fallback | retry, budget, circuit breaker,
    rate limit, ledger, attempt timeout, border, provider

``inner`` is what stands right of the bar: a fallback of another entry asks that,
so its own retries and limits hold there too, and never its fallbacks.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, aclosing

from war_rig.errors import WarRigError
from war_rig.ledger import Attempt, Ledger
from war_rig.policies.call import Call
from war_rig.policies.policy import Policy, Request, StreamingProvider, ask, ask_stream
from war_rig.providers import CompletionChunk, CompletionResponse


class Stack(Policy):
    """Begins a call, and gives its attempts to the answer, or to the error, and to the run's."""

    def __init__(
        self, name: str, outer: StreamingProvider, inner: StreamingProvider, run: Ledger
    ) -> None:
        super().__init__(outer)
        self.inner = inner
        self._name = name
        self._run = run

    def __repr__(self) -> str:
        return f"<Stack of provider '{self._name}': {', '.join(self.layers)}>"

    @property
    def name(self) -> str:
        """Return the name of the entry."""
        return self._name

    @property
    def layers(self) -> list[str]:
        """Return the names of the policies' classes, the outermost first."""
        return [type(policy).__name__ for policy in self._policies()]

    async def aclose(self) -> None:
        """Close each layer that can be closed, the innermost first, so the provider itself."""
        async with AsyncExitStack() as closing:
            for layer in self._policies():
                if hasattr(layer, "aclose"):
                    closing.push_async_callback(layer.aclose)

    async def _complete(self, request: Request) -> CompletionResponse:
        with _Account(self._name, self._run) as call:
            request.call = call
            response = await ask(self.provider, request)
            response.attempts = tuple(call.attempts)
        return response

    async def _stream(self, request: Request) -> AsyncGenerator[CompletionChunk, None]:
        with _Account(self._name, self._run) as call:
            request.call = call
            async with aclosing(ask_stream(self.provider, request)) as chunks:
                chunk = await anext(chunks)
                while chunk.response is None:
                    yield chunk
                    chunk = await anext(chunks)
            chunk.response.attempts = tuple(call.attempts)
        yield chunk  # now that the run's ledger has it

    def _policies(self) -> Iterator[StreamingProvider]:
        layer = self.provider
        while isinstance(layer, Policy):
            yield layer
            layer = layer.provider
        yield layer


class _Account(Call):
    """A call that gives its attempts, when it ends, to the *run*, and to its error.

    It ends at the latest when it is thrown away, as a stream is that was left in
    a loop that is closed: nobody finalises that.
    """

    __slots__ = ("_is_open", "_name", "_run")

    def __init__(self, name: str, run: Ledger) -> None:
        super().__init__()
        self._name, self._run, self._is_open = name, run, True

    def add(self, attempt: Attempt) -> None:
        """Take an attempt into the ledger; the run gets at once what comes late."""
        super().add(attempt)
        if not self._is_open:
            self._run.add([attempt])

    def __enter__(self) -> Call:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._end()
        if isinstance(error, WarRigError):
            error.attempts = tuple(self.attempts)

    def __del__(self) -> None:
        if self._is_open:
            self._end()

    def _end(self) -> None:
        if self.waited_seconds:
            self.unsent(self._name, None, "the call ended while it waited", "refused")
        self._is_open = False
        self._run.add(self.attempts)
