"""One span a call, and its metrics, in the names of OpenTelemetry's GenAI conventions.

Only the API of OpenTelemetry is used: while the application has set up no SDK, nothing is
told. What is recorded is what war_rig.yaml declares: the variables in which the
conventions ask for content or for other names are not read. trace_names.py has all names.

A span is the current one while its call is under way, so that the spans of an HTTP client
are below it. In a stream that is only while a step is under way: an async generator
shares its context with whoever reads it.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise, takewhile
from time import time_ns
from typing import TYPE_CHECKING, Any, TypeVar

from war_rig.errors import WarRigError
from war_rig.ledger import Attempt
from war_rig.policies.call import Call
from war_rig.policies.policy import Policy, Request, StreamingProvider, ask, ask_stream
from war_rig.policies.telemetry import Telemetry
from war_rig.policies.trace_names import PROVIDERS, Attributes, Names, Profile
from war_rig.providers import CompletionChunk, CompletionResponse
from war_rig.providers.foreign import text_of
from war_rig.providers.secrets import Redactor

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

_MOST_MODELS = 64
_log = logging.getLogger("war_rig.policies")

T = TypeVar("T")


@dataclass(slots=True)
class _Seen:
    """What is seen of one call from outside; arrivals are the times of its pieces of text."""

    request: Request
    is_stream: bool
    call: Call
    mark: int
    now: Callable[[], float]
    begun: float
    begun_ns: int
    shared: Attributes
    span: "Span"
    context: "Context"
    response: CompletionResponse | None = None
    arrivals: list[float] = field(default_factory=list)

    @property
    def attempts(self) -> list[Attempt]:
        """Return the attempts of this call."""
        return self.call.attempts[self.mark :]

    @property
    def is_cached(self) -> bool:
        """Return whether nobody was asked."""
        return any(attempt.outcome == "cached" for attempt in self.attempts)

    @property
    def usage(self) -> dict[str, int]:
        """Return the tokens that were reported for this call, by their direction.

        No estimate: whoever adds these up takes them for what is billed. Nor
        those of a cached answer, which an earlier call has reported.
        """
        response = self.response
        if response is None or response.usage_source == "estimated" or self.is_cached:
            return {}
        counts = {"input": response.prompt_tokens, "output": response.completion_tokens}
        return {which: n for which, n in counts.items() if isinstance(n, int) and n >= 0}


class Trace(Policy):
    """Tells OpenTelemetry of each call of the entry *name*: the outermost policy."""

    def __init__(
        self,
        provider: StreamingProvider,
        name: str,
        *,
        has_content: bool,
        profile: Profile,
        server: tuple[str, int] | None,
        is_in_process: bool,
        provider_name: str | None = None,
        secrets: Iterable[str] = (),
        tracer_provider: "TracerProvider | None" = None,
        meter_provider: "MeterProvider | None" = None,
    ) -> None:
        """Raise ConfigError where OpenTelemetry's API is not installed.

        has_content: whether messages and answers are told. server: the host and
        the port that are asked. provider_name: the entry's type, or what the
        conventions call it; *name* where there is none. secrets: the border's.
        Without providers of their own, spans and metrics go to the global ones.
        """
        super().__init__(provider)
        self._telemetry = telemetry = Telemetry(name, profile, tracer_provider, meter_provider)
        self._kind = telemetry.internal if is_in_process else telemetry.client
        self._names = Names(profile, Redactor(secrets))
        self._entry, self._has_content = name, has_content
        told, (address, port) = provider_name or name, server or (None, None)
        named = self._names.named
        self._direction = {which: named(token_type=which) for which in ("input", "output")}
        self._modality = named(modality="unknown")  # which is what nobody reported
        self._shared = named(
            operation="chat", provider=PROVIDERS.get(told, told), address=address, port=port
        )
        self._opening = lru_cache(_MOST_MODELS)(self._opening_of)
        self._answered = lru_cache(_MOST_MODELS)(lambda model: named(response_model=model))

    async def _complete(self, request: Request) -> CompletionResponse:
        if not self._telemetry.is_heard:
            return await ask(self.provider, request)
        with self._told(request, is_stream=False) as seen:
            response = seen.response = await self._step(seen, ask(self.provider, request))
        return response

    def _stream(self, request: Request) -> AsyncGenerator[CompletionChunk, None]:
        if not self._telemetry.is_heard:
            return ask_stream(self.provider, request)
        return self._traced_stream(request)

    async def _traced_stream(self, request: Request) -> AsyncGenerator[CompletionChunk, None]:
        last: CompletionChunk | None = None
        with self._told(request, is_stream=True) as seen:
            async with aclosing(ask_stream(self.provider, request)) as chunks:
                while (chunk := await self._step(seen, anext(chunks, None))) is not None:
                    if chunk.content:
                        seen.arrivals.append(seen.now())
                    if chunk.response is None:
                        yield chunk
                    else:
                        last, seen.response = chunk, chunk.response
        if last is not None:  # after the span's end: a reader's time with it is not the call's
            yield last

    async def _step(self, seen: _Seen, step: Awaitable[T]) -> T:
        token = self._telemetry.attach(seen.context)
        try:
            done = await step
        except GeneratorExit:  # it is finalised, in a context that is somebody else's
            raise
        except BaseException:
            self._telemetry.detach(token)
            raise
        self._telemetry.detach(token)
        return done

    @contextmanager
    def _told(self, request: Request, is_stream: bool) -> Iterator[_Seen]:
        seen = self._begin(request, is_stream)
        try:
            yield seen
        except BaseException as error:  # which is raised again: only told
            self._tell(seen, error)
            raise
        self._tell(seen, None)

    def _tell(self, seen: _Seen, error: BaseException | None) -> None:
        try:
            self._end(seen, error)
        except Exception as failure:  # of the application's own telemetry, which fails no call
            _log.warning("a call was not told: %s", type(failure).__name__)

    def _begin(self, request: Request, is_stream: bool) -> _Seen:
        now = asyncio.get_running_loop().time  # which is not running where a call is finalised
        begun, begun_ns, call = now(), time_ns(), request.call
        shared, title = self._opening(self.shown_model(request.model))
        span = self._started(title, shared, begun_ns)
        mark, context = len(call.attempts), self._telemetry.context_with(span)
        return _Seen(request, is_stream, call, mark, now, begun, begun_ns, shared, span, context)

    def _started(self, title: str, shared: Attributes, begun_ns: int) -> "Span":
        start = self._telemetry.tracer.start_span
        try:
            return start(title, kind=self._kind, attributes=shared, start_time=begun_ns)
        except Exception as error:  # of the application's own telemetry, which fails no call
            _log.warning("no span was begun: %s", type(error).__name__)
        return self._telemetry.no_span

    def _opening_of(self, model: str | None) -> tuple[Attributes, str]:
        """Return what a span of *model* begins with, and its title."""
        shared = self._shared | self._names.named(model=model)
        told = shared.get(self._names.name("model"))
        return shared, f"chat {told}" if told else "chat"

    def _end(self, seen: _Seen, error: BaseException | None) -> None:
        """End the span, as long after its beginning as the loop's time and the metrics say."""
        seconds = seen.now() - seen.begun
        ending = {} if error is None else self._ending(error)
        if seen.span.is_recording():
            seen.span.set_attributes(self._described(seen) | ending)
            self._add_attempts(seen, seconds)
            if isinstance(error, Exception):
                seen.span.set_status(self._telemetry.failed, self._said(error))
        seen.span.end(seen.begun_ns + int(seconds * 1e9))
        if not seen.is_cached:
            self._measure(seen, ending, seconds)

    def _ending(self, error: BaseException) -> Attributes:
        if isinstance(error, Exception):
            return self._names.named(error_type=type(error).__name__)
        return self._names.named(cancelled=True)

    def _described(self, seen: _Seen) -> Attributes:
        asked, response = seen.request.parameters, seen.response
        reason = response.finish_reason if response else self._names.name("unfinished")
        described = self._names.named(
            stream=seen.is_stream or None,
            output_type=None if asked.get("output_schema") is None else "json",
            response_model=response and response.model,
            finish_reasons=reason or None,
            first_chunk=seen.arrivals[0] - seen.begun if seen.arrivals else None,
            **seen.usage,
        )
        content = _content(self._names, seen) if self._has_content else {}
        return self._names.asked(asked) | described | self._own(seen) | content

    def _own(self, seen: _Seen) -> Attributes:
        attempts = seen.attempts
        costs = [attempt.cost for attempt in attempts if attempt.cost is not None]
        waited = sum(attempt.waited_seconds for attempt in attempts) + seen.call.waited_seconds
        return self._names.named(
            entry=self._entry,
            attempts=len(attempts),
            cost=sum(costs) if costs else None,
            waited=waited or None,
            cached=seen.is_cached or None,
        )

    def _add_attempts(self, seen: _Seen, seconds: float) -> None:
        """Add an event for each attempt, at the time to which it and those before it add up."""
        at, event = 0.0, self._names.name("attempt")
        for attempt in seen.attempts:
            at = min(seconds, at + attempt.waited_seconds + attempt.seconds)
            told = self._names.attempted(attempt)
            seen.span.add_event(event, told, seen.begun_ns + int(at * 1e9))

    def _measure(self, seen: _Seen, ending: Attributes, seconds: float) -> None:
        response = seen.response
        shared = seen.shared | self._answered(response.model) if response else seen.shared
        self._record(seen, "duration", seconds, shared, ending)
        for which, count in seen.usage.items():
            self._record(seen, f"{which}_tokens", count, shared, self._direction[which])
            self._record(seen, f"all_{which}_tokens", count, shared, self._modality)
        if seen.arrivals:
            self._record(seen, "to_first_chunk", seen.arrivals[0] - seen.begun, shared, {})
        for before, after in pairwise(seen.arrivals):
            self._record(seen, "per_chunk", after - before, shared, {})

    def _record(
        self, seen: _Seen, what: str, amount: float, shared: Attributes, own: Attributes
    ) -> None:
        if what in self._telemetry.records:
            self._telemetry.records[what](amount, shared | own, seen.context)

    def _said(self, error: Exception) -> str | None:
        """Return the first line of an error of ours, nothing of a stranger's."""
        first = str(error).partition("\n")[0] if isinstance(error, WarRigError) else ""
        return self._names.cleared(first) or None


def _content(names: Names, seen: _Seen) -> Attributes:
    """Return the messages and the answer as JSON."""
    messages, response = seen.request.messages, seen.response
    answers = [] if response is None else [response.content]
    texts = names.redacted([text_of(message.content) for message in messages] + answers)
    parts = [{"type": "text", "content": text} for text in texts]
    first = sum(1 for _ in takewhile(lambda message: message.role == "system", messages))
    chat = zip(messages[first:], parts[first:], strict=False)
    told: dict[str, list[Any]] = {
        "system": parts[:first],
        "input_messages": [{"role": text_of(m.role), "parts": [part]} for m, part in chat],
    }
    if response is not None:
        answer = {"role": "assistant", "parts": parts[-1:]}
        if key := names.name("message_finish_reason"):  # which was required there
            answer[key] = names.cleared(text_of(response.finish_reason or "unknown"))
        told["output_messages"] = [answer]
    return names.named(**{what: json.dumps(value) for what, value in told.items() if value})
