"""Data instead of text: how a provider is asked for an answer that fits a JSON schema.

``native``: the provider takes the schema itself. ``prompted``: it stands at the
end of the text that is asked.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

from war_rig.providers.protocol import LLMProvider


@dataclass(frozen=True, slots=True)
class WantedOutput:
    """The data that is wanted of a provider, and how it is asked for."""

    schema: dict[str, Any]
    provider: LLMProvider

    @property
    def is_object(self) -> bool:
        """Return whether the schema is an object's: an API's own mode makes nothing else."""
        return self.schema.get("type") == "object"

    @property
    def mode(self) -> Literal["native", "prompted"]:
        """Return how the data is asked for."""
        takes_one = getattr(self.provider, "takes_output_schema", False) is True
        return "native" if takes_one and self.is_object else "prompted"

    @property
    def parameters(self) -> dict[str, Any]:
        """Return what complete() is to get besides the messages."""
        return {"output_schema": self.schema} if self.mode == "native" else {}

    @property
    def request(self) -> str:
        """Return what is added to the text that is asked, nothing where the API has a place."""
        return "" if self.mode == "native" else self.shown_schema

    @property
    def shown_schema(self) -> str:
        """Return the schema as a model is shown it."""
        schema = json.dumps(self.schema, separators=(",", ":"))
        asked = "Answer with one JSON value that fits this JSON schema, and nothing else"
        return f"\n\n{asked}:\n{schema}"

    def json_in(self, content: str) -> str:
        """Return the text from the first bracket to the last: models add words and fences."""
        opening, closing = "[]" if self.schema.get("type") == "array" else "{}"
        first, last = content.find(opening), content.rfind(closing)
        return content[first : last + 1] if 0 <= first < last else content
