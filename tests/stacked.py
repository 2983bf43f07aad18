"""A provider inside a stack of declared policies, and one that takes its time."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any

from war_rig.config import PolicySettings
from war_rig.ledger import Ledger
from war_rig.policies.call import Call
from war_rig.policies.policy import Policy, Request, StreamingProvider, ask, ask_stream
from war_rig.policies.stack import Stack
from war_rig.providers import CompletionChunk, CompletionResponse, LLMProvider, Message
from war_rig.providers.border import Border
from war_rig.stacks import Ground, build_stack, new_purse
from war_rig.testing import FakeProvider

HELLO = [Message("user", "Hello")]


def stacked(
    provider: LLMProvider,
    *,
    name: str = "fake",
    hops: Sequence[Callable[[], StreamingProvider]] = (),
    run: Ledger | None = None,
    **declared: Any,
) -> Stack:
    """Return *provider* inside the policies that *declared* has, as a file would."""
    policies = PolicySettings.model_validate(declared)
    to = dict(zip(policies.fallback.to if policies.fallback else (), hops, strict=bool(hops)))
    ground = Ground(name, "fake", "fake 1", (), None, new_purse(policies), to, run or Ledger())
    return build_stack(Border(name, provider), policies, ground)


def complete_in(
    call: Call, policy: Policy, messages: list[Message], **asked: Any
) -> Awaitable[CompletionResponse]:
    """Return what *policy* answers in *call*, as a stack would begin it."""
    return ask(policy, Request(messages, asked, call))


def stream_in(
    call: Call, policy: Policy, messages: list[Message], **asked: Any
) -> AsyncGenerator[CompletionChunk, None]:
    """Return what *policy* streams in *call*."""
    return ask_stream(policy, Request(messages, asked, call))


class SlowProvider(FakeProvider):
    """A FakeProvider that takes *seconds* for an answer, and for each piece of a stream."""

    def __init__(self, seconds: float, reply: Any = "slow answer", **keywords: Any) -> None:
        super().__init__(reply, **keywords)
        self.seconds = seconds

    async def complete(self, *args: Any, **kwargs: Any) -> CompletionResponse:
        await asyncio.sleep(self.seconds)
        return await super().complete(*args, **kwargs)

    async def stream(self, *args: Any, **kwargs: Any) -> AsyncGenerator[CompletionChunk, None]:
        async for chunk in super().stream(*args, **kwargs):
            await asyncio.sleep(self.seconds)
            yield chunk


async def read(provider: StreamingProvider, **asked: Any) -> list[CompletionChunk]:
    """Return all chunks that *provider* streams."""
    return [chunk async for chunk in provider.stream(HELLO, **asked)]


def text(chunks: Sequence[CompletionChunk]) -> str:
    """Return what *chunks* are together."""
    return "".join(chunk.content for chunk in chunks)
