"""One question of the main job: its answer is kept only where it could be used."""

from contextlib import AbstractContextManager, nullcontext

from pydantic import BaseModel

from war_rig.agents import Agent
from war_rig.policies import CachedProvider
from war_rig.providers import CompletionResponse

LONGEST_LINE = 500
"""How much of a source line stands in a prompt, in characters."""


async def asked(agent: Agent, prompt: str, output: type[BaseModel]) -> CompletionResponse:
    """Return the agent's answer; one of another form is asked for again in the next run."""
    with _forgetting(agent):
        return await agent.run(prompt, output=output)


def _forgetting(agent: Agent) -> AbstractContextManager[None]:
    provider = agent.provider
    return provider.one_piece_of_work() if isinstance(provider, CachedProvider) else nullcontext()
