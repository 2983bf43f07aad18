"""One client a loop: how often a loop looks at its sockets before a call."""

import asyncio

from war_rig.providers.clients import LoopClients
from war_rig.testing.rehearsal import rehearse


class Client:
    async def close(self) -> None:
        pass


def test_a_loop_looks_at_its_sockets_once_in_a_moment() -> None:
    """A call lets the loop turn before it uses a connection, and not again right after another."""
    turns: list[None] = []

    async def turned(clients: LoopClients[Client]) -> bool:
        asyncio.get_running_loop().call_soon(turns.append, None)
        before = len(turns)
        await clients.get()
        has_turned = len(turns) > before
        await asyncio.sleep(0)
        return has_turned

    async def play() -> list[bool]:
        clients = LoopClients(Client)
        seen = [await turned(clients), await turned(clients)]
        await asyncio.sleep(0.02)
        seen += [await turned(clients), await turned(clients)]
        await clients.aclose()
        return [*seen, await turned(clients)]

    assert rehearse(play()) == [True, False, True, False, True]
