"""litellm.acompletion, which keeps its clients itself."""

from collections.abc import AsyncIterator
from typing import Any

from adapters import request

REQUIRES = ("litellm",)
IMPORT = "import litellm"
PACKAGE = "litellm"


class Adapter:
    def __init__(self, url: str, key: str, connections: int | None) -> None:
        import litellm

        self.acompletion: Any = litellm.acompletion
        self.options = {"api_base": url, "api_key": key}

    async def call(self, model: str, prompt: str) -> str:
        answer = await self.acompletion(**request(f"openai/{model}", prompt), **self.options)
        return answer.choices[0].message.content

    async def stream(self, model: str, prompt: str) -> AsyncIterator[str]:
        body = request(f"openai/{model}", prompt, stream=True)
        async for chunk in await self.acompletion(**body, **self.options):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    async def aclose(self) -> None:
        import litellm

        await litellm.close_litellm_async_clients()
