"""The official SDK with its own aiohttp client."""

from typing import Any

from adapters import openai_sdk

REQUIRES = ("openai[aiohttp]",)
IMPORT = "from openai import AsyncOpenAI, DefaultAioHttpClient"
PACKAGE = "openai"


class Adapter(openai_sdk.Adapter):
    def options(self) -> dict[str, Any]:
        from openai import DefaultAioHttpClient

        return {"http_client": DefaultAioHttpClient()}
