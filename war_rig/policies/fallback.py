"""Other entries that are asked, in their order, where one of the declared kinds of error came.

Each is asked with its own retries and limits, and with its own default model: a
model's name means nothing to another provider. Once text has arrived nothing is
replaced: whoever reads has it already, and the error says so.
"""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing

from war_rig.errors import ProviderError, WarRigError
from war_rig.policies.call import reason_of
from war_rig.policies.policy import Policy, Request, StreamingProvider, ask, ask_stream
from war_rig.providers import CompletionChunk, CompletionResponse


class Fallback(Policy):
    """Asks the provider, and after an error of *kinds* each of *hops*."""

    def __init__(
        self,
        provider: StreamingProvider,
        hops: Mapping[str, Callable[[], StreamingProvider]],
        kinds: tuple[type[ProviderError], ...],
    ) -> None:
        """Take *hops*, which return the inner stacks of the entries when they are first needed."""
        super().__init__(provider)
        self._hops = hops
        self._kinds = kinds

    async def _complete(self, request: Request) -> CompletionResponse:
        failures: list[WarRigError] = []
        for provider, asked in self._asked(request, failures):
            try:
                return await ask(provider, asked)
            except self._kinds as error:
                failures.append(error)
        raise _last(failures)

    async def _stream(self, request: Request) -> AsyncGenerator[CompletionChunk, None]:
        failures: list[WarRigError] = []
        for provider, asked in self._asked(request, failures):
            has_text = False
            async with aclosing(ask_stream(provider, asked)) as chunks:
                try:
                    async for chunk in chunks:
                        has_text = True
                        yield chunk
                    return
                except self._kinds as error:
                    failures.append(error)
            if has_text:
                raise _last(failures, "no fallback is asked after text that was given already")
        raise _last(failures)

    def _asked(
        self, request: Request, failures: list[WarRigError]
    ) -> Iterator[tuple[StreamingProvider, Request]]:
        """Yield whom to ask next; why one could not be built is added to *failures*."""
        yield self.provider, request
        for name, hop in self._hops.items():
            try:
                provider = hop()
            except WarRigError as error:
                failures.append(error)
                request.call.unsent(name, None, reason_of(error), "refused")
            else:
                yield provider, _without(request, provider)


def _last(failures: list[WarRigError], note: str | None = None) -> ProviderError:
    """Return what the last provider said, with a line for each other failure."""
    last = next(e for e in reversed(failures) if isinstance(e, ProviderError))
    lines = [_line(failure) for failure in failures if failure is not last]
    lines += [f"  {note}"] if note else []
    last.args = ("\n".join([str(last), *lines]),)
    return last


def _line(failure: WarRigError) -> str:
    told = "before it" if isinstance(failure, ProviderError) else "not asked"
    return f"  {told}: {str(failure).partition(chr(10))[0]}"


def _without(request: Request, provider: StreamingProvider) -> Request:
    """Return the request without what only the first provider understands."""
    dropped = {"model"}
    if getattr(provider, "takes_output_schema", False) is not True:
        dropped.add("output_schema")
    kept = {name: value for name, value in request.parameters.items() if name not in dropped}
    return Request(request.messages, kept, request.call)
