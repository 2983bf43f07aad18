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


class _Failures:
    """What came of those that were asked, and of those that could not be built."""

    def __init__(self) -> None:
        self.last: WarRigError
        self._told: list[tuple[str, WarRigError]] = []

    def add(self, error: WarRigError) -> None:
        """Take the error of one that was asked."""
        self.last = error
        self._told.append(("before it", error))

    def add_unbuilt(self, error: WarRigError) -> None:
        """Take the error of one that was not."""
        self._told.append(("not asked", error))

    def error(self, note: str | None = None) -> WarRigError:
        """Return the last error of one that was asked, with a line for each other one."""
        lines = [str(self.last)]
        for told, error in self._told:
            if error is not self.last:
                lines.append(f"  {told}: {str(error).partition(chr(10))[0]}")
        self.last.args = ("\n".join([*lines, *([f"  {note}"] if note else [])]),)
        return self.last


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
        failures = _Failures()
        for provider, asked in self._asked(request, failures):
            try:
                return await ask(provider, asked)
            except WarRigError as error:
                failures.add(error)
            if not isinstance(failures.last, self._kinds):
                break
        raise failures.error()

    async def _stream(self, request: Request) -> AsyncGenerator[CompletionChunk, None]:
        failures = _Failures()
        for provider, asked in self._asked(request, failures):
            has_text = False
            async with aclosing(ask_stream(provider, asked)) as chunks:
                try:
                    async for chunk in chunks:
                        has_text = True
                        yield chunk
                    return
                except WarRigError as error:
                    failures.add(error)
            if not isinstance(failures.last, self._kinds):
                break
            if has_text:
                raise failures.error("no fallback is asked after text that was given already")
        raise failures.error()

    def _asked(
        self, request: Request, failures: _Failures
    ) -> Iterator[tuple[StreamingProvider, Request]]:
        """Yield whom to ask next; *failures* gets why one could not be built."""
        yield self.provider, request
        for name, hop in self._hops.items():
            try:
                provider = hop()
            except WarRigError as error:
                failures.add_unbuilt(error)
                request.call.unsent(name, None, reason_of(error), "refused")
            else:
                yield provider, _without(request, provider)


def _without(request: Request, provider: StreamingProvider) -> Request:
    """Return the request without what only the first provider understands."""
    dropped = {"model"}
    if getattr(provider, "takes_output_schema", False) is not True:
        dropped.add("output_schema")
    kept = {name: value for name, value in request.parameters.items() if name not in dropped}
    return Request(request.messages, kept, request.call)
