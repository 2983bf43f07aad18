"""The direct model API of pydantic-ai, without an agent."""

from collections.abc import AsyncIterator
from functools import cache
from typing import Any

REQUIRES = ("pydantic-ai-slim[openai]",)
IMPORT = (
    "from pydantic_ai.direct import model_request; "
    "from pydantic_ai.models.openai import OpenAIChatModel"
)
PACKAGE = "pydantic_ai"


class Adapter:
    def __init__(self, url: str, key: str, connections: int | None) -> None:
        from pydantic_ai import direct, messages
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        self.provider = OpenAIProvider(base_url=url, api_key=key)
        self.model = cache(lambda name: OpenAIChatModel(name, provider=self.provider))
        self.direct: Any = direct
        self.messages: Any = messages

    async def call(self, model: str, prompt: str) -> str:
        request = [self.messages.ModelRequest.user_text_prompt(prompt)]
        answer = await self.direct.model_request(self.model(model), request)
        return "".join(p.content for p in answer.parts if isinstance(p, self.messages.TextPart))

    async def stream(self, model: str, prompt: str) -> AsyncIterator[str]:
        request = [self.messages.ModelRequest.user_text_prompt(prompt)]
        async with self.direct.model_request_stream(self.model(model), request) as events:
            async for event in events:
                if text := self.text(event):
                    yield text

    def text(self, event: Any) -> str | None:
        kinds = self.messages
        if isinstance(event, kinds.PartDeltaEvent) and isinstance(event.delta, kinds.TextPartDelta):
            return event.delta.content_delta
        if isinstance(event, kinds.PartStartEvent) and isinstance(event.part, kinds.TextPart):
            return event.part.content
        return None

    async def aclose(self) -> None:
        await self.provider.client.close()
