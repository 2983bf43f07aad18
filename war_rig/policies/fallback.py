"""Other entries that are asked, in their order, where one of the declared kinds of error came.

Each is asked with its own retries and limits, and with its own default model: a
model's name means nothing to another provider. Once text has arrived nothing is
replaced: whoever reads has it already, and the error says so.
"""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing

from war_rig.errors import ProviderError
from war_rig.policies.policy import Policy, Request, StreamingProvider, ask, ask_stream
from war_rig.providers import CompletionChunk, CompletionResponse


class Fallback(Policy):
    """Asks the provider, and after an error of *kinds* each of *hops*."""

    def __init__(
        self,
        provider: StreamingProvider,
        hops: Sequence[Callable[[], StreamingProvider]],
        kinds: tuple[type[ProviderError], ...],
    ) -> None:
        """Take *hops*, which return the other entries' inner stacks when they are first needed."""
        super().__init__(provider)
        self._hops = hops
        self._kinds = kinds

    async def _complete(self, request: Request) -> CompletionResponse:
        errors: list[ProviderError] = []
        for provider, asked in self._asked(request):
            try:
                return await ask(provider, asked)
            except self._kinds as error:
                errors.append(error)
        raise _last(errors)

    async def _stream(self, request: Request) -> AsyncGenerator[CompletionChunk, None]:
        errors: list[ProviderError] = []
        for provider, asked in self._asked(request):
            has_text = False
            async with aclosing(ask_stream(provider, asked)) as chunks:
                try:
                    async for chunk in chunks:
                        has_text = True
                        yield chunk
                    return
                except self._kinds as error:
                    errors.append(error)
            if has_text:
                raise _last(errors, "no fallback is asked after text that was given already")
        raise _last(errors)

    def _asked(self, request: Request) -> Iterator[tuple[StreamingProvider, Request]]:
        yield self.provider, request
        for hop in self._hops:
            provider = hop()
            yield provider, _without(request, provider)


def _last(errors: list[ProviderError], note: str | None = None) -> ProviderError:
    """Return the last error, with a line for each one before it."""
    *earlier, last = errors
    lines = [f"  before it: {str(error).partition(chr(10))[0]}" for error in earlier]
    lines += [f"  {note}"] if note else []
    last.args = ("\n".join([str(last), *lines]),)
    return last


def _without(request: Request, provider: StreamingProvider) -> Request:
    """Return the request without what only the first provider understands."""
    dropped = {"model"}
    if getattr(provider, "takes_output_schema", False) is not True:
        dropped.add("output_schema")
    kept = {name: value for name, value in request.parameters.items() if name not in dropped}
    return Request(request.messages, kept, request.call)
