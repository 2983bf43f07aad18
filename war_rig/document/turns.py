"""Calls that end together go on one after the other, each in a turn of the event loop of its own.

Else all their next prompts would be made before the first of them is sent: the
provider would wait for the work, and then the work for the provider.
"""

import asyncio
from dataclasses import replace
from typing import cast

from war_rig.agents import Agent
from war_rig.policies.policy import Policy, Request, StreamingProvider, ask
from war_rig.providers import CompletionResponse


def in_turn(agent: Agent) -> Agent:
    """Return *agent* with a provider that gives one of its answers at a time."""
    return replace(agent, provider=_InTurn(agent.provider))


class _InTurn(Policy):
    def __init__(self, provider: object) -> None:
        super().__init__(cast(StreamingProvider, provider))
        self._gate = asyncio.Lock()

    async def _complete(self, request: Request) -> CompletionResponse:
        answer = await ask(self.provider, request)
        async with self._gate:
            await asyncio.sleep(0)
        return answer
