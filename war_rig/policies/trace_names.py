"""Every name that a trace uses, in both profiles of OpenTelemetry's GenAI conventions.

None of these conventions is declared stable yet. ``stable`` is their last numbered
version, 1.41 of open-telemetry/semantic-conventions, which SDKs and dashboards know.
``newest`` is the text of October 2026 in open-telemetry/semantic-conventions-genai,
which still changes. A name of the conventions that is not here is one that War Rig
has no value for. What they have no name for begins with ``warrig.``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from war_rig.ledger import Attempt
from war_rig.providers.secrets import Redactor

Profile = Literal["stable", "newest"]
Value = str | bool | int | float | tuple[str, ...]
Attributes = dict[str, Value]

SCHEMA_URL: dict[Profile, str | None] = {
    "stable": "https://opentelemetry.io/schemas/1.41.0",
    "newest": None,  # none is published for the new repository
}

SAME = "the same"


@dataclass(frozen=True, slots=True)
class Row:
    """One name: what trace.py calls it, what it is, and what the two profiles call it.

    None where a profile has no such name. unit and told: those of a metric.
    """

    what: str
    kind: str
    stable: str | None
    newest: str | None = SAME
    unit: str = ""
    told: str = ""

    def name(self, profile: Profile) -> str | None:
        """Return what *profile* calls it."""
        return self.stable if profile == "stable" or self.newest == SAME else self.newest


SPAN = (
    # What a span begins with. The metrics have these attributes too.
    Row("operation", "string", "gen_ai.operation.name"),  # always "chat"
    Row("provider", "string", "gen_ai.provider.name"),  # of PROVIDERS, else the type as it is
    Row("model", "string", "gen_ai.request.model"),  # the one that was asked for, or the default
    Row("address", "string", "server.address"),
    Row("port", "int", "server.port"),
    # What was asked, besides PARAMETERS.
    Row("stream", "boolean", "gen_ai.request.stream"),  # only where it is one
    Row("output_type", "string", "gen_ai.output.type"),  # "json" where a schema was asked for
    # What was answered. Usage is what this call's provider reported: no estimate, and nothing
    # for an answer of the cache, which used none.
    Row("response_model", "string", "gen_ai.response.model"),
    Row("finish_reasons", "strings", "gen_ai.response.finish_reasons"),
    Row("unfinished", "value", None, "error"),  # the finish reason of what was not answered
    Row("first_chunk", "double", "gen_ai.response.time_to_first_chunk"),  # seconds, of a stream
    Row("input", "int", "gen_ai.usage.input_tokens"),
    Row("output", "int", "gen_ai.usage.output_tokens"),
    Row("error_type", "string", "error.type"),  # the error's class, such as RateLimitError
    # Content, where it was declared: JSON in the shape of the conventions.
    Row("system", "json", "gen_ai.system_instructions"),  # the system messages at the beginning
    Row("input_messages", "json", "gen_ai.input.messages"),  # the other messages
    Row("output_messages", "json", "gen_ai.output.messages"),
    Row("message_finish_reason", "value", "finish_reason", None),  # a key inside of the last
    # War Rig's own. The duration metric has the first, too.
    Row("cancelled", "boolean", "warrig.cancelled"),  # its caller went on without it: no error
    Row("cached", "boolean", "warrig.cached"),  # the answer is the cache's
    Row("entry", "string", "warrig.provider"),  # the provider's name in war_rig.yaml
    Row("attempts", "int", "warrig.attempts"),  # how many the ledger has
    Row("cost", "double", "warrig.cost"),  # of all attempts, in the currency of the prices
    Row("waited", "double", "warrig.waited_seconds"),  # before all attempts, and after the last
    Row("attempt", "event", "warrig.attempt"),  # one for each attempt, at the time when it ended
)
"""A span's attributes, and its events."""

PARAMETERS = (
    Row("temperature", "double", "gen_ai.request.temperature"),
    Row("top_p", "double", "gen_ai.request.top_p"),
    Row("top_k", "double", "gen_ai.request.top_k", None),
    Row("top_k", "int", None, "gen_ai.request.top_k"),  # the type has changed
    Row("max_tokens", "int", "gen_ai.request.max_tokens"),
    Row("max_completion_tokens", "int", "gen_ai.request.max_tokens"),
    Row("stop", "strings", "gen_ai.request.stop_sequences"),
    Row("stop_sequences", "strings", "gen_ai.request.stop_sequences"),
    Row("frequency_penalty", "double", "gen_ai.request.frequency_penalty"),
    Row("presence_penalty", "double", "gen_ai.request.presence_penalty"),
    Row("seed", "int", "gen_ai.request.seed"),
    Row("n", "int", "gen_ai.request.choice.count"),
    Row("reasoning_effort", "string", None, "gen_ai.request.reasoning.level"),
)
"""A span's attributes for the keywords of a call, where somebody set them. No other is told."""

METRICS = (
    Row(
        "duration", "histogram",
        "gen_ai.client.operation.duration",
        "gen_ai.client.inference.duration",
        "s", "How long a call took, with its waits and all its attempts.",
    ),
    Row(
        "to_first_chunk", "histogram",
        "gen_ai.client.operation.time_to_first_chunk",
        "gen_ai.client.inference.time_to_first_chunk",
        "s", "How long a stream took until its first text.",
    ),
    Row(
        "per_chunk", "histogram",
        "gen_ai.client.operation.time_per_output_chunk",
        "gen_ai.client.inference.time_per_output_chunk",
        "s", "How long a stream took from one piece of text to the next.",
    ),
    Row(
        "input_tokens", "histogram",
        "gen_ai.client.token.usage",
        "gen_ai.client.inference.operation.input_tokens",
        "{token}", "How many tokens one call took.",
    ),
    Row(
        "output_tokens", "histogram",
        "gen_ai.client.token.usage",
        "gen_ai.client.inference.operation.output_tokens",
        "{token}", "How many tokens one call took.",
    ),
    Row("token_type", "string", "gen_ai.token.type", None),  # its "input" or "output"
    Row(
        "all_input_tokens", "counter",
        None,
        "gen_ai.client.inference.usage.input_tokens",
        "{token}", "How many tokens all messages were.",
    ),
    Row(
        "all_output_tokens", "counter",
        None,
        "gen_ai.client.inference.usage.output_tokens",
        "{token}", "How many tokens all answers were.",
    ),
    Row("modality", "string", None, "gen_ai.token.modality"),  # always "unknown": not reported
)  # fmt: skip
"""The metrics, and attributes of theirs. An answer of the cache is in none: nothing inferred it."""

ATTEMPT = (
    Row("provider", "string", "warrig.provider"),
    Row("model", "string", "warrig.model"),
    Row("outcome", "string", "warrig.outcome"),
    Row("reason", "string", "warrig.reason"),
    Row("tokens_used", "int", "warrig.tokens"),  # estimated ones too, as the next one says
    Row("usage_source", "string", "warrig.usage_source"),
    Row("cost", "double", "warrig.cost"),
    Row("seconds", "double", "warrig.seconds"),
    Row("waited_seconds", "double", "warrig.waited_seconds"),
    Row("waited_for", "string", "warrig.waited_for"),
)
"""The attributes of the event ``warrig.attempt``, for the fields of an Attempt in the ledger."""

BUCKETS = {
    "s": tuple(0.01 * 2**power for power in range(14)),
    "{token}": tuple(4.0**power for power in range(14)),
}
"""The bounds of a histogram's buckets, by its unit."""

PROVIDERS = {
    "anthropic": "anthropic",
    "azure_openai": "azure.ai.openai",
    "deepseek": "deepseek",
    "gemini": "gcp.gemini",
    "groq": "groq",
    "mistral": "mistral_ai",
    "openai": "openai",
    "xai": "x_ai",
}
"""What the conventions call a type of provider; another type is told as it is."""


class Names:
    """The names of one profile, beside values of their kinds that *redactor* has cleared."""

    def __init__(self, profile: Profile, redactor: Redactor) -> None:
        self._span, self._parameters, self._attempt = (
            {row.what: (name, row.kind) for row in rows if (name := row.name(profile))}
            for rows in (SPAN + METRICS, PARAMETERS, ATTEMPT)
        )
        self._redactor = redactor
        self.cleared = lru_cache(256)(self._cleared)  # models and reasons come again and again

    def name(self, what: str) -> str:
        """Return the name of *what*, empty where the profile has none."""
        return self._span.get(what, ("", ""))[0]

    def named(self, **values: object) -> Attributes:
        """Return the *values* that there are, and that have a name."""
        return self._fitting(self._span, values)

    def asked(self, parameters: Mapping[str, object]) -> Attributes:
        """Return those *parameters* of a call that have a name."""
        return self._fitting(self._parameters, parameters)

    def attempted(self, attempt: Attempt) -> Attributes:
        """Return the fields of *attempt*."""
        values = {what: getattr(attempt, what) for what in self._attempt}
        return self._fitting(self._attempt, values)

    def redacted(self, texts: list[str]) -> list[str]:
        """Return *texts* without secrets; where there are none, at the price of one search."""
        whole, redact = "\n".join(texts), self._redactor.redact
        return texts if redact(whole) == whole else [redact(text) for text in texts]

    def _fitting(
        self, rows: Mapping[str, tuple[str, str]], values: Mapping[str, object]
    ) -> Attributes:
        fitting: Attributes = {}
        for what, value in values.items():
            if value is not None and what in rows:
                name, kind = rows[what]
                fitted = _fitted(kind, value, self.cleared)
                if fitted is not None:
                    fitting[name] = fitted
        return fitting

    def _cleared(self, text: str) -> str:
        """Return *text* without secrets, and without what no exporter can encode."""
        return self._redactor.redact(text).encode("utf-8", "replace").decode()


def metric_rows(profile: Profile) -> list[tuple[str, Row]]:
    """Return the metrics of *profile*, each after its name."""
    return [(name, row) for row in METRICS if row.unit and (name := row.name(profile))]


def _fitted(kind: str, value: object, clear: Callable[[str], str]) -> Value | None:
    """Return *value* as *kind* says; None where it is no such thing, as a plugin's may be."""
    if isinstance(value, bool):
        return value if kind == "boolean" else None
    if isinstance(value, str):
        if kind == "json":  # cleared text by text, before it was JSON
            return value
        text = clear(value)
        return (text,) if kind == "strings" else text if kind == "string" and text else None
    if isinstance(value, (list, tuple)):
        texts = tuple(clear(item) for item in value if isinstance(item, str))
        return texts if texts and kind == "strings" else None
    if isinstance(value, int) and abs(value) >= 2**63:  # which no exporter can encode
        return None
    if kind == "double" and isinstance(value, (int, float, Decimal)):
        return float(value)
    return value if kind == "int" and isinstance(value, int) else None
