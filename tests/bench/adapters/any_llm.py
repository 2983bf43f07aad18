"""any-llm with a provider object that is kept."""

from collections.abc import AsyncIterator

from adapters import request

REQUIRES = ("any-llm-sdk[openai]",)
IMPORT = "from any_llm import AnyLLM"
PACKAGE = "any_llm"


class Adapter:
    def __init__(self, url: str, key: str, connections: int | None) -> None:
        from any_llm import AnyLLM

        self.llm = AnyLLM.create("openai", api_key=key, api_base=url)

    async def call(self, model: str, prompt: str) -> str:
        answer = await self.llm.acompletion(**request(model, prompt))
        return answer.choices[0].message.content

    async def stream(self, model: str, prompt: str) -> AsyncIterator[str]:
        async for chunk in await self.llm.acompletion(**request(model, prompt, stream=True)):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    async def aclose(self) -> None:
        await self.llm.client.close()
