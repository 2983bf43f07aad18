"""Bare aiohttp: one session, json of the standard library."""

import json
from collections.abc import AsyncIterator
from typing import Any

from adapters import piece, request

REQUIRES = ("aiohttp",)
IMPORT = "import aiohttp"
PACKAGE = "aiohttp"


class Adapter:
    def __init__(self, url: str, key: str, connections: int | None) -> None:
        import aiohttp

        options: dict[str, Any] = {"headers": {"authorization": f"Bearer {key}"}}
        if connections:
            options["connector"] = aiohttp.TCPConnector(limit=connections)
            options["timeout"] = aiohttp.ClientTimeout(total=60)
        self.session = aiohttp.ClientSession(**options)
        self.url = f"{url}/chat/completions"

    async def call(self, model: str, prompt: str) -> str:
        async with self.session.post(self.url, json=request(model, prompt)) as response:
            response.raise_for_status()
            return json.loads(await response.read())["choices"][0]["message"]["content"]

    async def stream(self, model: str, prompt: str) -> AsyncIterator[str]:
        body = request(model, prompt, stream=True)
        async with self.session.post(self.url, json=body) as response:
            response.raise_for_status()
            async for line in response.content:
                if line.startswith(b"data: [DONE]"):
                    break
                if line.startswith(b"data: ") and (text := piece(line[6:])):
                    yield text

    async def aclose(self) -> None:
        await self.session.close()
