"""What OpenTelemetry is told of a call, and what it is never told."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from contextvars import copy_context
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from canary import CANARY
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace as otel
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    Decision,
    Sampler,
    SamplingResult,
)
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.semconv.attributes import error_attributes, server_attributes
from opentelemetry.trace import SpanKind, StatusCode

from war_rig import __version__
from war_rig.errors import ConfigError, RateLimitError
from war_rig.ledger import Ledger
from war_rig.policies.attempts import Attempts
from war_rig.policies.policy import Policy, Request, StreamingProvider
from war_rig.policies.retry import Retry, RetryBudget, Waits
from war_rig.policies.stack import Stack
from war_rig.policies.trace import Trace
from war_rig.policies.trace_names import (
    ATTEMPT,
    BUCKETS,
    METRICS,
    PARAMETERS,
    PROVIDERS,
    SCHEMA_URL,
    SPAN,
    Names,
    metric_rows,
)
from war_rig.providers import CompletionChunk, CompletionResponse, Message
from war_rig.providers.border import Border
from war_rig.providers.secrets import Redactor
from war_rig.providers.streams import words
from war_rig.testing import FakeProvider, rehearse
from war_rig.testing.rehearsal import RehearsalLoop

MESSAGES = [Message("system", "Be brief."), Message("user", "Hello")]
BEGIN = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "azure.ai.openai",
    "gen_ai.request.model": "m-1",
    "server.address": "llm.house.example",
    "server.port": 443,
}
PROFILES = pytest.mark.parametrize("profile", ["stable", "newest"])


def answered(content: str = "One two three.", **told: Any) -> CompletionResponse:
    response = CompletionResponse(content, "m-1-of-may", 30, None, 20, 10, "reported", "stop")
    return replace(response, **told)


class Model:
    """Gives each of its answers in turn, a second for each word, or raises it after a second."""

    default_model: Any = "m-1"

    def __init__(self, *answers: CompletionResponse | BaseException) -> None:
        self.answers = list(answers)
        self.current: list[otel.Span] = []

    async def complete(self, messages: list[Message], **parameters: Any) -> CompletionResponse:
        pieces = [piece async for piece in self.stream(messages)]
        assert pieces[-1].response is not None
        return pieces[-1].response

    async def stream(
        self, messages: list[Message], **parameters: Any
    ) -> AsyncGenerator[CompletionChunk, None]:
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            await asyncio.sleep(1)
            raise answer
        for word in words(answer.content):
            self.current.append(otel.get_current_span())
            await asyncio.sleep(1)
            yield CompletionChunk(word)
        yield CompletionChunk(response=answer)


class Telemetry:
    """An SDK that keeps what it is told."""

    def __init__(self, sampler: Any = ALWAYS_ON) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)

    def traced(self, provider: StreamingProvider, **declared: Any) -> Trace:
        plain = {
            "has_content": False,
            "profile": "stable",
            "server": ("llm.house.example", 443),
            "is_in_process": False,
            "provider_name": "azure_openai",
        }
        providers = {"tracer_provider": self.tracers, "meter_provider": self.meters}
        return Trace(provider, "house", **plain | providers | declared)

    def stack(self, model: Model, attempts: int = 1, **declared: Any) -> Stack:
        ledger = Attempts(Border("house", model), "house", lambda *used: Decimal("0.25"))
        inner = Retry(ledger, attempts, Waits(0, 0, 60), RetryBudget(1, 10))
        return Stack("house", self.traced(inner, **declared), inner, Ledger())

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    @property
    def span(self) -> ReadableSpan:
        (span,) = self.spans
        return span

    @property
    def attributes(self) -> dict[str, Any]:
        """Return what the one span has that it did not begin with, and nothing of War Rig's."""
        own = {n: v for n, v in (self.span.attributes or {}).items() if n not in BEGIN}
        return {name: value for name, value in own.items() if not name.startswith("warrig.")}

    @property
    def points(self) -> dict[str, list[Any]]:
        """Return the data points of each metric by its name."""
        data = self.reader.get_metrics_data()
        scopes = (
            [scope for one in data.resource_metrics for scope in one.scope_metrics] if data else []
        )
        return {m.name: list(m.data.data_points) for scope in scopes for m in scope.metrics}

    @property
    def exported(self) -> str:
        data = self.reader.get_metrics_data()
        return "".join(span.to_json() for span in self.spans) + (data.to_json() if data else "")


def told_of(*answers: CompletionResponse | BaseException, **options: Any) -> Telemetry:
    """Return what is told of one call that is answered so; parameters are those of the call."""
    telemetry = Telemetry()
    parameters = options.pop("parameters", {})
    stack = telemetry.stack(Model(*answers), **options)

    async def call() -> None:
        try:
            await stack.complete(MESSAGES, **parameters)
        except Exception as error:
            telemetry.error = error  # type: ignore[attr-defined]

    rehearse(call())
    return telemetry


def streamed(*answers: CompletionResponse | BaseException, **options: Any) -> Telemetry:
    """Return what is told of one stream, which is read to its end."""
    telemetry = Telemetry()
    stack = telemetry.stack(Model(*answers), **options)

    async def call() -> list[CompletionChunk]:
        return [chunk async for chunk in stack.stream(MESSAGES)]

    rehearse(call())
    return telemetry


def seconds(time: int | None, span: ReadableSpan) -> float:
    """Return how long after the beginning of *span* that *time* is."""
    return ((time or 0) - (span.start_time or 0)) / 1e9


def span_id(span: Any) -> int | None:
    """Return the number of *span*, or of the context of one."""
    context = span if isinstance(span, otel.SpanContext) else span and span.get_span_context()
    return context and int(context.span_id)


# The names


def constants(*modules: Any) -> set[str]:
    return {
        value for module in modules for value in vars(module).values() if isinstance(value, str)
    }


def test_the_stable_attributes_are_those_of_the_conventions() -> None:
    """Each attribute of the stable profile is one that OpenTelemetry's own package names."""
    known = constants(gen_ai_attributes, error_attributes, server_attributes)
    kinds = ("value", "event")
    rows = [row for row in SPAN + PARAMETERS + METRICS if not row.unit and row.kind not in kinds]
    ours = {row.stable for row in rows if row.stable and not row.stable.startswith("warrig.")}
    assert len(ours) > 25
    assert ours <= known


class Meter:
    """Keeps what the conventions' package makes with it."""

    def __init__(self) -> None:
        self.made: dict[str, tuple[str, str]] = {}

    def create_histogram(self, name: str, description: str, unit: str) -> None:
        self.made[name] = "histogram", unit


def test_the_stable_metrics_are_those_of_the_conventions() -> None:
    """Each metric of the stable profile has the name, instrument and unit of OpenTelemetry's."""
    meter = Meter()
    for name, create in vars(gen_ai_metrics).items():
        if name.startswith("create_gen_ai_client"):
            create(meter)
    ours = {name: (row.kind, row.unit) for name, row in metric_rows("stable")}
    assert ours == meter.made


def test_the_values_are_those_of_the_conventions() -> None:
    """Where the conventions name a provider, an operation or a kind of output, that is told."""
    values = gen_ai_attributes
    assert set(PROVIDERS.values()) <= {v.value for v in values.GenAiProviderNameValues}
    assert values.GenAiOperationNameValues.CHAT.value == "chat"
    assert values.GenAiOutputTypeValues.JSON.value == "json"
    assert {v.value for v in values.GenAiTokenTypeValues} >= {"input", "output"}


def test_the_newest_profile_differs_in_these_names() -> None:
    """What changes with the profile is pinned: renaming is a decision."""
    differ = {
        (row.stable, row.newest)
        for row in SPAN + PARAMETERS + METRICS + ATTEMPT
        if row.name("stable") != row.name("newest")
    }
    client = "gen_ai.client."
    assert differ == {
        (None, "error"),
        ("finish_reason", None),
        ("gen_ai.request.top_k", None),
        (None, "gen_ai.request.top_k"),
        (None, "gen_ai.request.reasoning.level"),
        (client + "operation.duration", client + "inference.duration"),
        (client + "operation.time_to_first_chunk", client + "inference.time_to_first_chunk"),
        (client + "operation.time_per_output_chunk", client + "inference.time_per_output_chunk"),
        (client + "token.usage", client + "inference.operation.input_tokens"),
        (client + "token.usage", client + "inference.operation.output_tokens"),
        ("gen_ai.token.type", None),
        (None, client + "inference.usage.input_tokens"),
        (None, client + "inference.usage.output_tokens"),
        (None, "gen_ai.token.modality"),
    }


def test_the_buckets_are_those_of_the_conventions() -> None:
    """Seconds double from a hundredth, tokens grow fourfold from one."""
    assert BUCKETS["s"][:3] + BUCKETS["s"][-1:] == (0.01, 0.02, 0.04, 81.92)
    assert BUCKETS["{token}"][:3] + BUCKETS["{token}"][-1:] == (1, 4, 16, 67108864)
    assert {len(bounds) for bounds in BUCKETS.values()} == {14}


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("string", "text", "text"),
        ("string", "", None),
        ("string", 5, None),
        ("strings", "stop", ("stop",)),
        ("strings", ["a", 1, "b"], ("a", "b")),
        ("strings", [], None),
        ("string", ["a"], None),
        ("double", 1, 1.0),
        ("double", Decimal("0.5"), 0.5),
        ("double", True, None),
        ("double", 10**400, None),
        ("double", "0.5", None),
        ("int", 7, 7),
        ("int", 7.5, None),
        ("int", 2**64, None),
        ("int", True, None),
        ("boolean", True, True),
    ],
)
def test_an_attribute_is_of_its_kind_or_not_there(kind: str, value: Any, told: Any) -> None:
    """A parameter is somebody's: what is not of the attribute's kind is left out."""
    row = next(row for row in SPAN if row.kind == kind)
    named = Names("stable", Redactor()).named(**{row.what: value})
    expected = {} if told is None else {row.stable: told}
    assert named == expected
    assert [type(v) for v in named.values()] == [type(v) for v in expected.values()]


# One span a call


def test_a_call_is_one_span() -> None:
    """The span says what was asked, of whom, what came back, and what it took."""
    telemetry = told_of(answered(), parameters={"temperature": 0.5, "max_tokens": 99})
    span = telemetry.span
    assert (span.name, span.kind, span.status.status_code) == (
        "chat m-1", SpanKind.CLIENT, StatusCode.UNSET,
    )  # fmt: skip
    assert dict(span.attributes or {}) == BEGIN | {
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 99,
        "gen_ai.response.model": "m-1-of-may",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 20,
        "gen_ai.usage.output_tokens": 10,
        "warrig.provider": "house",
        "warrig.attempts": 1,
        "warrig.cost": 0.25,
    }
    assert seconds(span.end_time, span) == 3.0
    scope = span.instrumentation_scope
    assert scope and (scope.name, scope.version, scope.schema_url) == (
        "war_rig", __version__, SCHEMA_URL["stable"],
    )  # fmt: skip


def test_what_a_sampler_decides_by_is_there_from_the_beginning() -> None:
    """A sampler sees the operation, the provider, the model and the server."""
    seen: list[Any] = []

    class Asked(Sampler):
        def should_sample(self, *asked: Any, **more: Any) -> SamplingResult:
            seen.append((asked[2], dict(asked[4])))
            return SamplingResult(Decision.DROP)

        def get_description(self) -> str:
            return "asked"

    rehearse(Telemetry(Asked()).stack(Model(answered())).complete(MESSAGES))
    assert seen == [("chat m-1", BEGIN)]


def test_a_model_of_this_process_is_no_client() -> None:
    """A call that leaves no process is an internal span, without a server."""
    span = told_of(answered(), is_in_process=True, server=None).span
    assert span.kind is SpanKind.INTERNAL
    assert not {name for name in span.attributes or {} if name.startswith("server.")}


def test_an_unknown_type_of_provider_is_told_as_it_is() -> None:
    """A provider that the conventions don't know has its type's name, else the entry's."""
    for type_, told in (("llm_of_the_house", "llm_of_the_house"), (None, "house")):
        span = told_of(answered(), provider_name=type_).span
        assert (span.attributes or {})["gen_ai.provider.name"] == told


def test_without_a_model_the_span_is_named_by_its_operation() -> None:
    """A provider whose default model can't be read is traced without one."""
    telemetry, model = Telemetry(), Model(answered())
    model.default_model = None
    rehearse(telemetry.stack(model).complete(MESSAGES))
    assert telemetry.span.name == "chat"
    assert "gen_ai.request.model" not in (telemetry.span.attributes or {})


ASKED = {
    "model": "m-2",
    "temperature": 0,
    "top_p": 1,
    "top_k": 40,
    "max_completion_tokens": 7,
    "stop": ["END", "STOP"],
    "frequency_penalty": 0.5,
    "presence_penalty": "much",
    "seed": 3,
    "n": 2,
    "reasoning_effort": "low",
    "output_schema": {"type": "object"},
    "user": "somebody",
}
TOLD = {
    "gen_ai.request.temperature": 0.0,
    "gen_ai.request.top_p": 1.0,
    "gen_ai.request.max_tokens": 7,
    "gen_ai.request.stop_sequences": ("END", "STOP"),
    "gen_ai.request.frequency_penalty": 0.5,
    "gen_ai.request.seed": 3,
    "gen_ai.request.choice.count": 2,
    "gen_ai.output.type": "json",
}


@pytest.mark.parametrize(
    ("profile", "more"),
    [
        ("stable", {"gen_ai.request.top_k": 40.0}),
        ("newest", {"gen_ai.request.top_k": 40, "gen_ai.request.reasoning.level": "low"}),
    ],
)
def test_parameters_are_told_where_they_have_a_name(profile: str, more: dict[str, Any]) -> None:
    """A parameter is told by its name in the conventions and in its kind; others are not told."""
    telemetry = told_of(answered(), parameters=ASKED, profile=profile)
    assert telemetry.span.name == "chat m-2"
    attributes = telemetry.attributes
    asked = {n: v for n, v in attributes.items() if n.startswith(("gen_ai.request", "gen_ai.out"))}
    assert asked == TOLD | more
    assert type(asked["gen_ai.request.top_k"]) is type(more["gen_ai.request.top_k"])
    assert "somebody" not in telemetry.exported


# Usage


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        ({"usage_source": "estimated"}, {}),
        ({"prompt_tokens": None}, {"output": 10}),
        ({"usage_source": None}, {"input": 20, "output": 10}),
        ({"prompt_tokens": None, "completion_tokens": None}, {}),
        ({"prompt_tokens": -1, "completion_tokens": "ten"}, {}),
        ({"completion_tokens": 0}, {"input": 20, "output": 0}),
    ],
)
@PROFILES
def test_usage_is_what_was_reported(
    profile: str, usage: dict[str, Any], told: dict[str, int]
) -> None:
    """Counts that are estimated or unknown are in no attribute of usage and in no metric."""
    telemetry = told_of(answered(**usage), profile=profile)
    names = {n: v for n, v in telemetry.attributes.items() if n.startswith("gen_ai.usage.")}
    assert names == {f"gen_ai.usage.{which}_tokens": count for which, count in told.items()}
    points = [p for name, ps in telemetry.points.items() if "duration" not in name for p in ps]
    assert len(points) == len(told) * (1 if profile == "stable" else 2)


# Metrics


def shared(**more: Any) -> dict[str, Any]:
    return BEGIN | {"gen_ai.response.model": "m-1-of-may"} | more


def test_the_metrics_of_the_stable_profile() -> None:
    """Duration and tokens are histograms, the tokens told apart by an attribute."""
    points = told_of(answered()).points
    assert set(points) == {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"}
    (duration,) = points["gen_ai.client.operation.duration"]
    assert (duration.sum, duration.explicit_bounds) == (3.0, BUCKETS["s"])
    assert dict(duration.attributes) == shared()
    tokens = points["gen_ai.client.token.usage"]
    assert {p.attributes["gen_ai.token.type"]: p.sum for p in tokens} == {"input": 20, "output": 10}
    assert tokens[0].explicit_bounds == BUCKETS["{token}"]
    assert dict(tokens[0].attributes) == shared(**{"gen_ai.token.type": "input"})


def test_the_metrics_of_the_newest_profile() -> None:
    """Tokens are a counter and a histogram for each direction, of no known modality."""
    points = told_of(answered(), profile="newest").points
    prefix = "gen_ai.client.inference."
    assert {name.removeprefix(prefix) for name in points} == {
        "duration", "operation.input_tokens", "operation.output_tokens",
        "usage.input_tokens", "usage.output_tokens",
    }  # fmt: skip
    (counted,) = points[prefix + "usage.output_tokens"]
    assert (counted.value, dict(counted.attributes)) == (
        10, shared(**{"gen_ai.token.modality": "unknown"}),
    )  # fmt: skip
    (spread,) = points[prefix + "operation.output_tokens"]
    assert (spread.sum, dict(spread.attributes)) == (10, shared())
    assert spread.explicit_bounds == BUCKETS["{token}"]


def test_a_metric_leads_to_its_span() -> None:
    """A data point has the span as its exemplar."""
    telemetry = told_of(answered())
    (duration,) = telemetry.points["gen_ai.client.operation.duration"]
    assert [one.span_id for one in duration.exemplars] == [telemetry.span.context.span_id]


def test_metrics_count_what_no_span_is_kept_of() -> None:
    """Sampling is of spans: every call is measured."""
    telemetry = Telemetry(ALWAYS_OFF)
    rehearse(telemetry.stack(Model(answered())).complete(MESSAGES))
    assert telemetry.spans == ()
    assert [p.count for p in telemetry.points["gen_ai.client.operation.duration"]] == [1]


# Errors


def test_an_error_is_told_by_its_class_and_its_first_line() -> None:
    """The span of an error has its class, and what failed; not what to do next."""
    telemetry = told_of(RateLimitError("slow down"), profile="stable")
    span = telemetry.span
    assert telemetry.attributes == {"error.type": "RateLimitError"}
    assert (span.status.status_code, span.status.description) == (
        StatusCode.ERROR, "provider 'house' reports: slow down",
    )  # fmt: skip
    (duration,) = telemetry.points["gen_ai.client.operation.duration"]
    assert dict(duration.attributes) == BEGIN | {"error.type": "RateLimitError"}
    assert list(telemetry.points) == ["gen_ai.client.operation.duration"]


def test_the_newest_profile_has_a_finish_reason_for_what_did_not_finish() -> None:
    """Where no answer came, its finish reason is an error."""
    attributes = told_of(RateLimitError("slow down"), profile="newest").attributes
    assert attributes["gen_ai.response.finish_reasons"] == ("error",)


class Broken(Policy):
    """Has a fault of its own."""

    async def _complete(self, request: Request) -> CompletionResponse:
        raise ZeroDivisionError(f"in a message: {CANARY}")

    def _stream(self, request: Request) -> AsyncGenerator[CompletionChunk, None]:
        raise AssertionError("not streamed here")


def test_of_a_strangers_error_only_its_class_is_told() -> None:
    """A text that did not pass the border stays where it is."""
    telemetry = Telemetry()
    traced = telemetry.traced(Broken(Border("house", Model())))
    with pytest.raises(ZeroDivisionError):
        rehearse(traced.complete(MESSAGES))
    assert telemetry.attributes == {"error.type": "ZeroDivisionError"}
    assert telemetry.span.status.description is None
    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert CANARY not in telemetry.exported


# The ledger


def test_each_attempt_is_an_event() -> None:
    """Every attempt of the ledger stands on the span, at the time when it ended."""
    limited = RateLimitError("is busy", retry_after_seconds=5, is_retryable=True)
    telemetry = told_of(limited, answered(), attempts=2)
    span = telemetry.span
    attributes = dict(span.attributes or {})
    assert {n: v for n, v in attributes.items() if n.startswith("warrig.")} == {
        "warrig.provider": "house",
        "warrig.attempts": 2,
        "warrig.cost": 0.5,
        "warrig.waited_seconds": 5.0,
    }
    assert [event.name for event in span.events] == ["warrig.attempt"] * 2
    failed, good = (dict(event.attributes or {}) for event in span.events)
    assert failed["warrig.outcome"] == "failed"
    assert failed["warrig.reason"].startswith("RateLimitError: provider 'house' reports: is busy")
    assert failed["warrig.usage_source"] == "estimated"
    assert good.pop("warrig.waited_for").startswith("retry after RateLimitError")
    assert good == {
        "warrig.provider": "house",
        "warrig.model": "m-1-of-may",
        "warrig.outcome": "answered",
        "warrig.tokens": 30,
        "warrig.usage_source": "reported",
        "warrig.cost": 0.25,
        "warrig.seconds": 3.0,
        "warrig.waited_seconds": 5.0,
    }
    assert [seconds(event.timestamp, span) for event in span.events] == [1.0, 9.0]
    assert seconds(span.end_time, span) == 9.0


class Waiting(Policy):
    """Waits longer than anybody does."""

    async def _complete(self, request: Request) -> CompletionResponse:
        await request.call.wait(60, "too many calls")
        raise AssertionError


def test_a_wait_that_no_attempt_followed_is_told() -> None:
    """Time that was spent waiting is on the span where the call ended in it."""
    telemetry = Telemetry()
    border = Border("house", Model())
    stack = Stack("house", telemetry.traced(Waiting(border)), border, Ledger())

    async def call() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(4):
                await stack.complete(MESSAGES)

    rehearse(call())
    attributes = telemetry.span.attributes or {}
    assert (attributes["warrig.waited_seconds"], attributes["warrig.attempts"]) == (4.0, 0)


def test_a_call_that_was_left_behind_in_a_closed_loop_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The garbage collector may end a call where no loop is running: it has its span, too."""
    telemetry = Telemetry()
    border = Border("house", Model())
    stack = Stack("house", telemetry.traced(Waiting(border)), border, Ledger())
    call = stack.complete(MESSAGES)

    async def leave_behind() -> None:
        copy_context().run(call.send, None)

    loop = RehearsalLoop()
    loop.run_until_complete(leave_behind())
    loop.close()
    call.close()
    assert (telemetry.span.attributes or {})["warrig.cancelled"] is True
    assert caplog.text == ""


class Stored(Policy):
    """Has the answer already."""

    async def _complete(self, request: Request) -> CompletionResponse:
        request.call.unsent("house", "m-1", "", "cached")
        return answered()


@PROFILES
def test_a_cached_answer_is_no_inference(profile: str) -> None:
    """A cached answer has a span that says so, but neither usage nor metrics."""
    telemetry = Telemetry()
    border = Border("house", Model())
    traced = telemetry.traced(Stored(border), profile=profile)
    rehearse(Stack("house", traced, border, Ledger()).complete(MESSAGES))
    assert (telemetry.span.attributes or {})["warrig.cached"] is True
    assert set(telemetry.attributes) == {
        "gen_ai.response.model", "gen_ai.response.finish_reasons",
    }  # fmt: skip
    assert telemetry.points == {}


# Streams


@PROFILES
def test_a_stream_is_one_span_and_tells_when_its_text_came(profile: str) -> None:
    """A stream has the same span, the time to its first text, and the times between the others."""
    telemetry = streamed(answered(), profile=profile)
    assert telemetry.attributes == {
        "gen_ai.request.stream": True,
        "gen_ai.response.model": "m-1-of-may",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": 1.0,
        "gen_ai.usage.input_tokens": 20,
        "gen_ai.usage.output_tokens": 10,
    }
    what = "operation" if profile == "stable" else "inference"
    (first,) = telemetry.points[f"gen_ai.client.{what}.time_to_first_chunk"]
    (other,) = telemetry.points[f"gen_ai.client.{what}.time_per_output_chunk"]
    assert (first.count, first.sum, dict(first.attributes)) == (1, 1.0, shared())
    assert (other.count, other.sum, dict(other.attributes)) == (2, 2.0, shared())
    assert first.explicit_bounds == other.explicit_bounds == BUCKETS["s"]


def test_the_span_of_a_stream_ends_before_its_reader_has_the_last_chunk() -> None:
    """What a reader does with the answer is not the call's time."""
    telemetry = Telemetry()
    stack = telemetry.stack(Model(answered("One.")))

    async def read() -> None:
        async with aclosing(stack.stream(MESSAGES)) as chunks:
            async for chunk in chunks:
                if chunk.response is not None:
                    assert telemetry.span.attributes
                    assert len(chunk.response.attempts) == 1

    rehearse(read())
    assert len(telemetry.spans) == 1


def test_a_stream_that_fails_in_its_midst_is_an_error() -> None:
    """Text that came before an error is measured, and the error is told."""

    class Cut(Model):
        async def stream(
            self, messages: list[Message], **parameters: Any
        ) -> AsyncGenerator[CompletionChunk, None]:
            await asyncio.sleep(2)
            yield CompletionChunk("One ")
            raise RateLimitError("slow down")

    telemetry = Telemetry()
    stack = telemetry.stack(Cut())

    async def read() -> None:
        with pytest.raises(RateLimitError):
            async for _ in stack.stream(MESSAGES):
                pass

    rehearse(read())
    assert telemetry.attributes == {
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": 2.0,
        "error.type": "RateLimitError",
    }
    assert len(telemetry.span.events) == 1


def test_a_stream_that_its_reader_leaves_is_no_error() -> None:
    """A reader who has enough ends the span at once, with the attempt and without an error."""
    telemetry = Telemetry()
    stack = telemetry.stack(Model(answered()))

    async def read() -> None:
        async with aclosing(stack.stream(MESSAGES)) as chunks:
            async for _ in chunks:
                break

    rehearse(read())
    span = telemetry.span
    assert span.status.status_code is StatusCode.UNSET
    assert (span.attributes or {})["warrig.cancelled"] is True
    assert "error.type" not in (span.attributes or {})
    assert [(e.attributes or {})["warrig.outcome"] for e in span.events] == ["cancelled"]
    (duration,) = telemetry.points["gen_ai.client.operation.duration"]
    assert dict(duration.attributes) == BEGIN | {"warrig.cancelled": True}


class Ended(Policy):
    """Streams nothing, not even an end."""

    async def _stream(self, request: Request) -> AsyncGenerator[CompletionChunk, None]:
        for chunk in ():
            yield chunk


def test_a_stream_without_an_end_is_passed_on_as_it_is() -> None:
    """The trace adds nothing to what a policy inside of it streams."""
    telemetry = Telemetry()
    traced = telemetry.traced(Ended(Border("house", Model())))

    async def read() -> list[CompletionChunk]:
        return [chunk async for chunk in traced.stream(MESSAGES)]

    assert rehearse(read()) == []
    assert telemetry.attributes == {"gen_ai.request.stream": True}


def test_a_stream_that_nobody_reads_has_no_span() -> None:
    """A call begins when its first chunk is asked for."""
    telemetry = Telemetry()

    async def read() -> None:
        await telemetry.stack(Model(answered())).stream(MESSAGES).aclose()

    rehearse(read())
    assert telemetry.spans == ()


@given(st.integers(0, 8), st.booleans(), st.sampled_from(["stable", "newest"]))
def test_a_cancelled_call_is_told_once(second: int, is_stream: bool, profile: str) -> None:
    """Wherever a call is cancelled it has one span, and its task the current one that it had."""
    telemetry, after = Telemetry(), second + 0.5
    answers = (RateLimitError("later", retry_after_seconds=2, is_retryable=True), answered())
    stack = telemetry.stack(Model(*answers), attempts=2, profile=profile)

    async def call() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(after):
                if not is_stream:
                    await stack.complete(MESSAGES)
                    return
                async with aclosing(stack.stream(MESSAGES)) as chunks:
                    async for _ in chunks:
                        assert otel.get_current_span() is otel.INVALID_SPAN
        assert otel.get_current_span() is otel.INVALID_SPAN

    rehearse(call())
    span = telemetry.span
    assert ("warrig.cancelled" in (span.attributes or {})) == (after < 6)
    assert seconds(span.end_time, span) == min(after, 6)
    assert (span.attributes or {})["warrig.attempts"] == (1 if after < 3 else 2)


# The current span


def test_the_span_is_current_while_its_call_is_under_way() -> None:
    """Spans that begin inside are below this one, and those that begin after it are not."""
    telemetry, model = Telemetry(), Model(answered())
    stack = telemetry.stack(model)

    async def call() -> None:
        with telemetry.tracers.get_tracer("test").start_as_current_span("outer") as outer:
            await stack.complete(MESSAGES)
            assert otel.get_current_span() is outer

    rehearse(call())
    chat, outer = telemetry.spans
    assert {span_id(span) for span in model.current} == {span_id(chat)}
    assert span_id(chat.parent) == span_id(outer)


def test_between_two_steps_of_a_stream_its_reader_has_its_own_span() -> None:
    """Two streams that are read in turn are each below what was current when they began."""
    telemetry = Telemetry()
    models = [Model(answered()), Model(answered())]

    async def read() -> None:
        tracer = telemetry.tracers.get_tracer("test")
        with tracer.start_as_current_span("reader") as reader:
            streams = [telemetry.stack(model).stream(MESSAGES) for model in models]
            while chunks := [await anext(stream, None) for stream in streams]:
                assert otel.get_current_span() is reader
                with tracer.start_as_current_span("between"):
                    pass
                if chunks == [None, None]:
                    break

    rehearse(read())
    named: dict[str, list[ReadableSpan]] = {}
    for span in telemetry.spans:
        named.setdefault(span.name, []).append(span)
    (reader,) = named["reader"]
    below = named["chat m-1"] + named["between"]
    assert {span_id(span.parent) for span in below} == {span_id(reader)}
    inside = [{span_id(span) for span in model.current} for model in models]
    assert inside == [{span_id(span)} for span in named["chat m-1"]]


def test_a_stream_may_be_closed_by_another_task(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever closes a stream, no context is left behind or taken away."""
    telemetry = Telemetry()

    async def read() -> None:
        stream = telemetry.stack(Model(answered())).stream(MESSAGES)
        await asyncio.create_task(anext(stream))  # type: ignore[arg-type]
        await asyncio.create_task(stream.aclose())  # type: ignore[arg-type]

    rehearse(read())
    assert (telemetry.span.attributes or {})["warrig.cancelled"] is True
    assert [record for record in caplog.records if record.name != "war_rig.providers"] == []


# Content


def content_of(telemetry: Telemetry) -> dict[str, Any]:
    names = ("gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages")
    return {n: json.loads(telemetry.attributes[n]) for n in names if n in telemetry.attributes}


def part(text: str) -> dict[str, str]:
    return {"type": "text", "content": text}


def test_content_is_told_only_where_it_was_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither messages nor answers are told by default, whatever the environment asks for."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_AND_EVENT")
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental")
    telemetry = told_of(answered("The answer."))
    assert content_of(telemetry) == {}
    assert not any(text in telemetry.exported for text in ("Be brief", "Hello", "The answer"))
    assert "gen_ai.client.operation.duration" in telemetry.points


@pytest.mark.parametrize(
    ("profile", "more"), [("stable", {"finish_reason": "stop"}), ("newest", {})]
)
def test_content_is_json_in_the_shape_of_the_conventions(
    profile: str, more: dict[str, str]
) -> None:
    """System messages at the beginning are instructions, the others and the answer have parts."""
    telemetry = told_of(answered("Ünïcode."), has_content=True, profile=profile)
    assert content_of(telemetry) == {
        "gen_ai.system_instructions": [part("Be brief.")],
        "gen_ai.input.messages": [{"role": "user", "parts": [part("Hello")]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [part("Ünïcode.")]} | more],
    }


def test_an_unknown_finish_reason_is_told_as_unknown() -> None:
    """The stable profile wants a finish reason in each message of an answer."""
    told = content_of(told_of(answered(finish_reason=None), has_content=True))
    assert told["gen_ai.output.messages"][0]["finish_reason"] == "unknown"


def test_without_an_answer_the_messages_are_told() -> None:
    """What was asked stands on the span of an error too; there is no empty attribute."""
    telemetry = Telemetry()
    stack = telemetry.stack(Model(RateLimitError("no")), has_content=True)
    later = [Message("user", "Hello"), Message("system", "Be loud."), Message("user", "\udc80")]

    async def call() -> None:
        with pytest.raises(RateLimitError):
            await stack.complete(later)

    rehearse(call())
    told = [("user", "Hello"), ("system", "Be loud."), ("user", "\udc80")]
    assert content_of(telemetry) == {
        "gen_ai.input.messages": [{"role": role, "parts": [part(text)]} for role, text in told]
    }
    telemetry.exported.encode()  # a half of a character stays in JSON's own spelling


# Secrets


@PROFILES
@pytest.mark.parametrize("source", ["declared", "environment"])
def test_a_planted_key_is_in_nothing_that_is_exported(
    profile: str, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that messages, answers, errors and parameters hold is told nowhere."""
    secrets = [CANARY] if source == "declared" else []
    if source == "environment":
        monkeypatch.setenv("HOUSE_API_KEY", CANARY)
    key = f"the key is {CANARY}"
    telemetry = Telemetry()
    answers = (
        RateLimitError(key, is_retryable=True),
        answered(key, model=CANARY, finish_reason=CANARY),
        ValueError(key),
    )
    ledger = Attempts(Border("house", Model(*answers), secrets), "house", lambda *used: None)
    inner = Retry(ledger, 2, Waits(0, 0, 60), RetryBudget(1, 10))
    traced = telemetry.traced(inner, has_content=True, profile=profile, secrets=secrets)
    stack = Stack("house", traced, inner, Ledger())
    asked = {"model": CANARY, "stop": [CANARY], "reasoning_effort": CANARY, "api_key": CANARY}

    async def call() -> None:
        await stack.complete([Message("system", key), Message("user", key)], **asked)
        with pytest.raises(Exception, match="ValueError"):
            await stack.complete([Message("user", key)], **asked)

    rehearse(call())
    assert len(telemetry.spans) == 2
    assert "the key is ***" in telemetry.exported
    assert CANARY not in telemetry.exported


def test_what_no_exporter_can_encode_is_replaced() -> None:
    """Half a character in a server's text does not cost the whole batch of spans."""
    telemetry = told_of(answered(finish_reason="\udc80"), has_content=True)
    assert telemetry.attributes["gen_ai.response.finish_reasons"] == ("?",)
    str(telemetry.attributes).encode()


class Failing(SpanProcessor):
    """An exporter with a fault of its own."""

    def __init__(self, when: str) -> None:
        self.when = when

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        if self.when == "start":
            raise ValueError(f"no room for {CANARY}")

    def on_end(self, span: Any) -> None:
        if self.when == "end":
            raise ValueError(f"no room for {CANARY}")


@pytest.mark.parametrize("when", ["start", "end"])
@pytest.mark.parametrize("reply", ["One two three.", RateLimitError("slow down")])
def test_telemetry_that_fails_fails_no_call(
    when: str, reply: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer was paid for, and an error stays the provider's; the log says what is missing."""
    caplog.set_level("WARNING", "war_rig.providers")
    telemetry = Telemetry()
    telemetry.tracers.add_span_processor(Failing(when))
    traced = telemetry.traced(Border("house", FakeProvider(reply)))
    try:
        came = rehearse(traced.complete(MESSAGES)).content
    except RateLimitError as error:
        came = str(error)
    assert came.startswith(("One two three.", "provider 'house' reports: slow down"))
    told = {"start": "no span was begun: ValueError", "end": "a call was not told: ValueError"}
    assert [record.getMessage() for record in caplog.records] == [told[when]]
    assert CANARY not in caplog.text


# Without OpenTelemetry, and without an SDK


def test_without_opentelemetry_a_declared_trace_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install, and how to do without."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ConfigError) as caught:
        Telemetry().traced(Border("house", Model()))
    assert str(caught.value) == (
        "the policy 'trace' of provider 'house' needs OpenTelemetry\n"
        '  pip install "war-rig[otel]", or set trace: null under its policies'
    )


def test_importing_the_policy_loads_no_opentelemetry() -> None:
    """Whoever declares no trace does not pay for it."""
    code = "import sys, war_rig.policies.trace\nassert 'opentelemetry' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("is_stream", [False, True])
def test_without_an_sdk_nothing_is_told_and_all_works(is_stream: bool) -> None:
    """Where the application sets up no SDK, a traced call is the call, loop after loop."""
    model = Model(*[answered() for _ in range(3)])
    telemetry = Telemetry()
    stack = telemetry.stack(model, tracer_provider=None, meter_provider=None, has_content=True)

    async def call() -> str:
        if is_stream:
            return "".join([chunk.content async for chunk in stack.stream(MESSAGES)])
        return (await stack.complete(MESSAGES)).content

    assert [rehearse(call()) for _ in range(3)] == ["One two three."] * 3
    assert {span.is_recording() for span in model.current} == {False}
    assert (telemetry.spans, telemetry.points) == ((), {})


LATE = """
import asyncio, sys
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from containers import application
from war_rig.providers import Message

async def ask():
    await provider.complete([Message("user", "Hello")])
    async for _ in provider.stream([Message("user", "Hello")]):
        pass

provider = application("war_rig.yaml", {}, llm_provider="offline").llm_provider()
asyncio.run(ask())
spans, tracers, reader = InMemorySpanExporter(), TracerProvider(), InMemoryMetricReader()
tracers.add_span_processor(SimpleSpanProcessor(spans))
if "spans" in sys.argv:
    trace.set_tracer_provider(tracers)
if "metrics" in sys.argv:
    metrics.set_meter_provider(MeterProvider([reader]))
asyncio.run(ask())
has_metrics = "metrics" in sys.argv and reader.get_metrics_data() is not None
print(len(spans.get_finished_spans()), has_metrics)
"""


@pytest.mark.parametrize(("kinds", "told"), [
    (["spans"], "2 False"), (["metrics"], "0 True"), (["spans", "metrics"], "2 True"),
])  # fmt: skip
def test_an_sdk_that_is_set_up_late_is_told_from_then_on(
    kinds: list[str], told: str, tmp_path: Path
) -> None:
    """An application may set up its telemetry after its container, and only the half it wants."""
    (tmp_path / "war_rig.yaml").write_text("policies: {trace: {}}\n")
    command = [sys.executable, "-c", LATE, *kinds]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == told
