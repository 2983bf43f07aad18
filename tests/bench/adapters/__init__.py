"""One file a peer: how its users make a client, ask it once, and read a stream.

    REQUIRES = ("my-peer",)        # what pip installs into the peer's own environment
    IMPORT = "import my_peer"      # the line that a user writes; its time is measured
    PACKAGE = "my_peer"            # where the peer's own errors are defined

    class Adapter: ...             # see Peer, below

An adapter is imported in its peer's environment, and by bench.py, which has no
peer: at its top level it imports the standard library alone.
"""

from collections.abc import AsyncIterator
from typing import Any, Protocol


class Peer(Protocol):
    """What each file calls Adapter.

    connections is the number of calls that will be in flight. The bare HTTP
    libraries, and War Rig, where it is a setting, make their pool that large;
    every other peer keeps its defaults. None leaves all as it comes.
    """

    def __init__(self, url: str, key: str, connections: int | None) -> None: ...

    async def call(self, model: str, prompt: str) -> str: ...

    def stream(self, model: str, prompt: str) -> AsyncIterator[str]: ...

    async def aclose(self) -> None: ...


def request(model: str, prompt: str, *, stream: bool = False) -> dict[str, Any]:
    """Return the body that the bare HTTP libraries send, and the SDK's own arguments."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": prompt}],
    }
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def piece(data: str | bytes) -> str | None:
    """Return the text in one event of a stream."""
    import json

    choices = json.loads(data)["choices"]
    return choices[0]["delta"].get("content") if choices else None
