"""Bare httpx: one client, json of the standard library."""

import json
from collections.abc import AsyncIterator
from typing import Any

from adapters import piece, request

REQUIRES: tuple[str, ...] = ("httpx",)
IMPORT = "import httpx"
PACKAGE = "httpx"


class Adapter:
    def __init__(self, url: str, key: str, connections: int | None) -> None:
        import httpx

        options: dict[str, Any] = {"headers": {"authorization": f"Bearer {key}"}}
        if connections:
            options["limits"] = httpx.Limits(
                max_connections=connections, max_keepalive_connections=connections
            )
            options["timeout"] = httpx.Timeout(60.0)
        self.client = self.open(options)
        self.url = f"{url}/chat/completions"

    def open(self, options: dict[str, Any]) -> Any:
        import httpx

        return httpx.AsyncClient(**options)

    async def call(self, model: str, prompt: str) -> str:
        response = await self.client.post(self.url, json=request(model, prompt))
        response.raise_for_status()
        return json.loads(response.content)["choices"][0]["message"]["content"]

    async def stream(self, model: str, prompt: str) -> AsyncIterator[str]:
        body = request(model, prompt, stream=True)
        async with self.client.stream("POST", self.url, json=body) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line == "data: [DONE]":
                    break
                if line.startswith("data: ") and (text := piece(line[6:])):
                    yield text

    async def aclose(self) -> None:
        await self.client.aclose()
