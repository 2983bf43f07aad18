"""What an answer says: its text, and what it tells about itself.

    response:
      content: choices[0].message.content
      model: model
      prompt_tokens: usage.prompt_tokens
      completion_tokens: usage.completion_tokens
      total_tokens: usage.total_tokens
      finish_reason: choices[0].finish_reason

Only ``content`` is needed. It leads to a text, or to several, which are put together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from war_rig.providers.http.failures import path_at
from war_rig.providers.http.paths import Getter, getter
from war_rig.providers.http.section import Section
from war_rig.providers.http.template import as_text
from war_rig.providers.protocol import CompletionResponse, Message
from war_rig.providers.usage import mark_usage

_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
TOLD = ("model", *_COUNTS, "finish_reason")
"""What an answer may tell beside its content."""


@dataclass(frozen=True, slots=True)
class AnswerPaths:
    """Where things stand. written: the path of the content as it is written."""

    content: Getter
    written: str
    told: Mapping[str, Getter]

    def text(self, data: Any) -> str | None:
        """Return the text in *data*, None where there is none."""
        found = self.content(data)
        if type(found) is str:
            return found
        if isinstance(found, list) and all(isinstance(item, str) for item in found):
            return "".join(found) if found else None
        return None

    def told_in(self, data: Any) -> dict[str, Any]:
        """Return what *data* tells beside its content."""
        found = {}
        for key, path in self.told.items():
            value = path(data)
            if value is not None:
                found[key] = value
        return found


def answer_paths(place: Section, default: AnswerPaths | None = None) -> AnswerPaths:
    """Return the paths that the keys of *place* declare; what is not there is *default*'s."""
    content = path_at(place, "content")
    told = {key: path for key in TOLD if (path := path_at(place, key)) is not None}
    written = str(place.value.get("content"))
    if default is not None:
        written = default.written if content is None else written
        return AnswerPaths(content or default.content, written, {**default.told, **told})
    if not place.has("content"):
        place.note("is missing: the path to the text of an answer", "content")
    return AnswerPaths(content or getter("content"), written, told)


def response(
    content: str,
    told: Mapping[str, Any],
    asked_model: str,
    messages: Iterable[Message],
    data: Any = None,
) -> CompletionResponse:
    """Return the answer to *messages*; token counts that nobody told are estimated."""
    prompt, completion, total = (_count(told.get(key)) for key in _COUNTS)
    if total is None and not (prompt is None and completion is None):
        total = (prompt or 0) + (completion or 0)
    model, reason = told.get("model"), told.get("finish_reason")
    made = CompletionResponse(
        content=content,
        model=model if isinstance(model, str) and model else asked_model,
        tokens_used=total or 0,
        raw_response=data if isinstance(data, dict) else None,
        prompt_tokens=prompt,
        completion_tokens=completion,
        usage_source="reported" if total else None,
        finish_reason=None if reason is None else as_text(reason),
    )
    return mark_usage(made, messages)


def _count(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and value >= 0 else None
