"""The official SDK with its default client."""

from collections.abc import AsyncIterator
from typing import Any

from adapters import request

REQUIRES: tuple[str, ...] = ("openai",)
IMPORT = "from openai import AsyncOpenAI"
PACKAGE = "openai"


class Adapter:
    def __init__(self, url: str, key: str, connections: int | None) -> None:
        from openai import AsyncOpenAI

        self.client: Any = AsyncOpenAI(base_url=url, api_key=key, **self.options())

    def options(self) -> dict[str, Any]:
        return {}

    async def call(self, model: str, prompt: str) -> str:
        answer = await self.client.chat.completions.create(**request(model, prompt))
        return answer.choices[0].message.content

    async def stream(self, model: str, prompt: str) -> AsyncIterator[str]:
        body = request(model, prompt, stream=True)
        async for chunk in await self.client.chat.completions.create(**body):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    async def aclose(self) -> None:
        await self.client.close()
