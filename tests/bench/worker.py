"""Takes one measurement of one peer, in the peer's own environment.

    PYTHON worker.py '{"adapter": "raw_httpx", "part": "seq", "url": "http://127.0.0.1:1/v1"}'

bench.py starts it, and reads the one line of JSON that it prints. Before the
peer is imported, as little as possible is: that counts for the cold start.
"""

import json
import os
import sys

VERSIONS_OF = (
    *("httpx", "httpx2", "aiohttp", "httpx-aiohttp", "openai"),
    *("any-llm-sdk", "pydantic-ai-slim", "litellm", "war-rig"),
)


def versions() -> dict[str, object]:
    from importlib.metadata import distributions

    found = {one.metadata["Name"].lower(): one.version for one in distributions()}
    return {"versions": {name: found[name] for name in VERSIONS_OF if name in found}}


def measure(order: dict[str, object]) -> dict[str, object]:
    import asyncio
    from importlib import import_module

    peer = import_module(f"adapters.{order.pop('adapter')}")
    part = str(order.pop("part"))
    module = import_module("faults" if part == "faults" else "measures")
    return asyncio.run(getattr(module, part)(peer, **order))


if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    result = versions() if order["part"] == "versions" else measure(order)
    print(json.dumps(result), flush=True)
    os._exit(0)  # what a peer does at its exit, with threads and clients left open, is not measured
