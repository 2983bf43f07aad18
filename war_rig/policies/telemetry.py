"""What a trace uses of OpenTelemetry: its API alone, which records nothing without an SDK."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from war_rig import __version__
from war_rig.errors import ConfigError
from war_rig.policies.trace_names import BUCKETS, SCHEMA_URL, Attributes, Profile, metric_rows

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import Meter, MeterProvider
    from opentelemetry.trace import TracerProvider

Record = Callable[[float, Attributes, "Context"], None]


class Telemetry:
    """The tracer and the metrics of the entry *name*, and how a span becomes the current one.

    Without providers of their own they are those of the global ones, also
    where an application sets these up later.
    """

    def __init__(
        self,
        name: str,
        profile: Profile,
        tracer_provider: "TracerProvider | None" = None,
        meter_provider: "MeterProvider | None" = None,
    ) -> None:
        """Raise ConfigError where OpenTelemetry's API is not installed."""
        try:
            from opentelemetry import context, metrics, trace
        except ImportError as error:
            raise ConfigError(
                f"the policy 'trace' of provider '{name}' needs OpenTelemetry\n"
                '  pip install "war-rig[otel]", or set trace: null under its policies'
            ) from error
        scope, url = ("war_rig", __version__), SCHEMA_URL[profile]
        self.tracer = trace.get_tracer(*scope, tracer_provider, url)
        self.records = _records(metrics.get_meter(*scope, meter_provider, url), profile)
        self.attach, self.detach = context.attach, context.detach
        self.context_with = trace.set_span_in_context
        self.client, self.internal = trace.SpanKind.CLIENT, trace.SpanKind.INTERNAL
        self.failed, self.no_span = trace.StatusCode.ERROR, trace.INVALID_SPAN
        self._has_own = tracer_provider is not None or meter_provider is not None
        self._tracers, self._meters = trace.get_tracer_provider, metrics.get_meter_provider

    @property
    def is_heard(self) -> bool:
        """Return whether somebody may record what is told: the API's own providers never do."""
        if self._has_own:
            return True
        return not (_is_of_the_api(self._tracers()) and _is_of_the_api(self._meters()))


def _is_of_the_api(provider: object) -> bool:
    return type(provider).__module__.startswith(("opentelemetry.trace", "opentelemetry.metrics"))


def _records(meter: "Meter", profile: Profile) -> dict[str, Record]:
    """Return what records each metric."""
    records: dict[str, Record] = {}
    for name, row in metric_rows(profile):
        if row.kind == "counter":
            records[row.what] = meter.create_counter(name, row.unit, row.told).add
        else:
            records[row.what] = meter.create_histogram(
                name, row.unit, row.told, explicit_bucket_boundaries_advisory=BUCKETS[row.unit]
            ).record
    return records
