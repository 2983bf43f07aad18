"""The contract with whoever brings an LLM: three values and one protocol.

A provider is any object with ``default_model`` and ``async complete()``. It
inherits nothing. Three more things are optional:

    async def stream(messages, ...)   an async generator of CompletionChunk
    takes_output_schema = True        complete() takes ``output_schema``, a JSON
                                      schema that its answer is made to fit
    async def aclose()                called once, when the container is closed

docs/custom-provider.md is the guide for authors.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from war_rig.ledger import Attempt


@dataclass(frozen=True)
class Message:
    """One message of a conversation; role is "system", "user" or "assistant"."""

    role: str
    content: str


@dataclass
class CompletionResponse:
    """What a provider answered.

    Authors give the first three (and raw_response for debugging); the rest is
    optional. Token counts are of the whole call. usage_source says whether
    they were reported by the API or estimated; None means that nobody said.
    output and output_mode are filled by ``Agent.run(..., output=Model)``,
    attempts by the policies around a provider: what it took to get the answer.
    """

    content: str
    model: str
    tokens_used: int
    raw_response: dict[str, Any] | None = field(default=None, repr=False)
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    usage_source: Literal["reported", "estimated"] | None = None
    finish_reason: str | None = None
    output: Any = None
    output_mode: Literal["native", "prompted"] | None = None
    attempts: tuple[Attempt, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class CompletionChunk:
    """A piece of an answer as it arrives; all pieces together are the whole text.

    The last chunk of a stream, and only it, carries ``response``: the whole
    answer with its usage. Its content may be the last piece of text, or empty.
    """

    content: str = ""
    response: CompletionResponse | None = None


@runtime_checkable
class LLMProvider(Protocol):
    """Anything that completes a conversation.

    isinstance() looks at names only; that complete() is async and that its
    answer is one is checked at the first call.
    """

    @property
    def default_model(self) -> str:
        """Return the model that is used where none is asked for."""
        ...

    async def complete(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float = 0.7,
        **kwargs: Any,
    ) -> CompletionResponse:
        """Send *messages* and return the answer; raise where there is none."""
        ...
