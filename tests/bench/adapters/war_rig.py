"""War Rig as its users have it: the container, and an API that only YAML describes."""

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

REQUIRES = ("-e", str(Path(__file__).parents[3]))
IMPORT = "from containers import application"
PACKAGE = "war_rig"

ENTRY = """
type: http
url: {url}/chat/completions
auth: {{bearer: "${{HOUSE_KEY}}"}}
model: house-1
connections: {connections}
request:
  model: $model
  messages: $messages
  temperature: $temperature
  ...: $parameters
response:
  content: choices[0].message.content
  model: model
  prompt_tokens: usage.prompt_tokens
  completion_tokens: usage.completion_tokens
  total_tokens: usage.total_tokens
  finish_reason: choices[0].finish_reason
stream:
  request: {{stream: true, stream_options: {{include_usage: true}}}}
  content: choices[0].delta.content
  end: "[DONE]"
"""


class Adapter:
    entry = ENTRY
    policies = "{}"  # those that everybody has

    def __init__(self, url: str, key: str, connections: int | None) -> None:
        from containers import application
        from war_rig.providers import Message

        entry = self.entry.format(url=url, connections=connections or 100)
        with TemporaryDirectory() as folder:
            file = Path(folder, "war_rig.yaml")
            entry = entry.replace("\n", "\n    ")
            file.write_text(f"policies: {self.policies}\nproviders:\n  house:{entry}")
            self.app = application(file, {"HOUSE_KEY": key}, llm_provider="house")
        self.provider = self.app.llm_provider()
        self.message = Message

    async def call(self, model: str, prompt: str) -> str:
        answer = await self.provider.complete([self.message("user", prompt)], model=model)
        return answer.content

    async def stream(self, model: str, prompt: str) -> AsyncIterator[str]:
        messages = [self.message("user", prompt)]
        async for chunk in self.provider.stream(messages, model=model):
            if chunk.content:
                yield chunk.content

    async def aclose(self) -> None:
        from containers import close

        await close(self.app)
