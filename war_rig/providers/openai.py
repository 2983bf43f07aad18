"""OpenAI, Azure OpenAI, and every server that speaks OpenAI's chat completions.

Uses the openai SDK with its aiohttp client. The SDK is imported at the first
call. It repeats nothing here, and reads nothing from the environment but what
belongs to the process: proxies and certificates.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from war_rig.errors import ProviderError, ProviderTimeoutError
from war_rig.providers.chat_completions import (
    ChunkedAnswer,
    broken_json,
    next_chunk,
    response_of,
    whole_answer,
)
from war_rig.providers.clients import LoopClients
from war_rig.providers.http.connections import LAST, leaving
from war_rig.providers.patience import Patience
from war_rig.providers.protocol import CompletionChunk, CompletionResponse, Message
from war_rig.providers.strict_schema import response_format

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.resources.chat.completions import AsyncCompletions

_CONNECT_TIMEOUT_SECONDS = 10.0
_READ_TIMEOUT_SECONDS = 600.0
_POOL_TIMEOUT_SECONDS = 60.0
_FIRST_TOKEN_TIMEOUT_SECONDS = 120.0
_BETWEEN_TOKENS_TIMEOUT_SECONDS = 60.0
_TOTAL_TIMEOUT_SECONDS = 600.0
_MAX_CONNECTIONS = 1000


@dataclass(frozen=True, slots=True)
class _Timeouts:
    connect: float
    read: float
    pool: float
    first_token: float
    between_tokens: float
    total: float


class _ChatCompletions(ABC):
    """What the two share: a call, whole or in a stream, and the reading of its answer."""

    errors_are_predicates = True

    def __init__(
        self, model: str, timeouts: _Timeouts, max_connections: int, takes_output_schema: bool
    ) -> None:
        self.takes_output_schema = takes_output_schema
        self._model = model
        self._timeouts = timeouts
        self._max_connections = max_connections
        self._clients: LoopClients[AsyncOpenAI] = LoopClients(self._open)

    @property
    def default_model(self) -> str:
        """Return the model, or for Azure the deployment, that is used by default."""
        return self._model

    async def complete(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **kwargs: Any,
    ) -> CompletionResponse:
        """Ask for one chat completion; kwargs are parameters of that API, or output_schema.

        A temperature of None is not sent. Raises the SDK's errors, and
        MalformedAnswerError for an answer of another shape.
        """
        request = self._request(messages, model, temperature, kwargs)
        completions = await self._completions()
        total = self._timeouts.total
        failure: ProviderError
        try:
            async with asyncio.timeout(total):
                return response_of(await completions.create(**request))
        except json.JSONDecodeError as error:  # the SDK parses JSON only where the status is good
            failure = broken_json(error)
        except TimeoutError:  # its transport bounds neither a slow upload nor an answer in drips
            failure = ProviderTimeoutError(f"did not finish its answer in {total:g} s")
        raise failure

    async def stream(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[CompletionChunk, None]:
        """Ask as ``complete`` does, and yield the answer as it arrives.

        A server that answers with a whole chat completion gives one chunk.
        """
        asked = {"stream": True, "stream_options": {"include_usage": True}}
        kwargs["extra_headers"] = {**(kwargs.get("extra_headers") or {}), **LAST}
        request = self._request(messages, model, temperature, asked | kwargs)
        completions = await self._completions()
        limits = self._timeouts
        answer = ChunkedAnswer()
        async with AsyncExitStack() as opened:
            patience = Patience(limits.total, limits.first_token, limits.between_tokens)
            opened.callback(patience.close)
            with patience:
                stream = await completions.create(**request)
                opened.push_async_callback(stream.close)
                whole = await whole_answer(stream.response)
                chunk = None if whole else await next_chunk(stream, has_begun=False)
            while chunk is not None:
                if text := answer.take(chunk):
                    yield CompletionChunk(text)
                patience.has_text = answer.has_text
                with patience:
                    chunk = await next_chunk(stream, has_begun=True)
        response = whole or answer.response()
        yield CompletionChunk(whole.content if whole else "", response)

    async def _completions(self) -> "AsyncCompletions":
        """Return what sends; the first call imports the SDK, which is no wait for the server."""
        return (await self._clients.get()).chat.completions

    def _request(
        self,
        messages: list[Message],
        model: str | None,
        temperature: float | None,
        parameters: dict[str, Any],
    ) -> dict[str, Any]:
        schema = parameters.pop("output_schema", None)
        if temperature is not None:
            parameters["temperature"] = temperature
        if schema is not None:
            parameters["response_format"] = response_format(schema)
        return {
            "model": model or self._model,
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            **parameters,
        }

    async def aclose(self) -> None:
        """Close the clients; the provider can be used again after it."""
        await self._clients.aclose()

    @abstractmethod
    def _open(self) -> "AsyncOpenAI": ...

    def _http(self) -> dict[str, Any]:
        """Return the arguments that both SDK clients take, with nothing left to the environment."""
        import httpx2
        from openai import DefaultAioHttpClient

        limits = self._timeouts
        timeout = httpx2.Timeout(limits.read, connect=limits.connect, pool=limits.pool)
        pool = httpx2.Limits(
            max_connections=self._max_connections, max_keepalive_connections=self._max_connections
        )
        client = DefaultAioHttpClient(timeout=timeout, limits=pool, follow_redirects=False)
        return {
            "http_client": leaving(client),
            "max_retries": 0,
            "timeout": timeout,
        }


class OpenAIProvider(_ChatCompletions):
    """OpenAI itself, or any server with its chat completions at *base_url*."""

    def __init__(
        self,
        api_key: str,
        model: str = "gpt-6.1-terra",
        base_url: str = "https://api.openai.com/v1",
        organization: str | None = None,
        project: str | None = None,
        connect_timeout_seconds: float = _CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds: float = _READ_TIMEOUT_SECONDS,
        pool_timeout_seconds: float = _POOL_TIMEOUT_SECONDS,
        first_token_timeout_seconds: float = _FIRST_TOKEN_TIMEOUT_SECONDS,
        between_tokens_timeout_seconds: float = _BETWEEN_TOKENS_TIMEOUT_SECONDS,
        total_timeout_seconds: float = _TOTAL_TIMEOUT_SECONDS,
        max_connections: int = _MAX_CONNECTIONS,
        takes_output_schema: bool = True,
    ) -> None:
        """Keep the settings; nothing is connected until the first call.

        read_timeout_seconds bounds the wait for each part of the answer,
        pool_timeout_seconds the wait for a free one of *max_connections*,
        total_timeout_seconds the whole call. In a stream, each wait for a
        chunk is bounded by first_token_timeout_seconds until there is text, by
        between_tokens_timeout_seconds after it. takes_output_schema is False
        for a server that knows no JSON schema.
        """
        timeouts = _Timeouts(
            connect_timeout_seconds,
            read_timeout_seconds,
            pool_timeout_seconds,
            first_token_timeout_seconds,
            between_tokens_timeout_seconds,
            total_timeout_seconds,
        )
        super().__init__(model, timeouts, max_connections, takes_output_schema)
        self._api_key = api_key
        self._base_url = base_url
        self._organization = organization
        self._project = project

    def _open(self) -> "AsyncOpenAI":
        from openai import AsyncOpenAI

        client = AsyncOpenAI(
            api_key=self._api_key, base_url=self._base_url, **_DEAF, **self._http()
        )
        return _undeafened(client, self._organization, self._project)


class AzureOpenAIProvider(_ChatCompletions):
    """A deployment of Azure OpenAI; *endpoint* is the resource's URL."""

    def __init__(
        self,
        api_key: str,
        endpoint: str,
        deployment: str,
        api_version: str = "2024-10-21",
        connect_timeout_seconds: float = _CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds: float = _READ_TIMEOUT_SECONDS,
        pool_timeout_seconds: float = _POOL_TIMEOUT_SECONDS,
        first_token_timeout_seconds: float = _FIRST_TOKEN_TIMEOUT_SECONDS,
        between_tokens_timeout_seconds: float = _BETWEEN_TOKENS_TIMEOUT_SECONDS,
        total_timeout_seconds: float = _TOTAL_TIMEOUT_SECONDS,
        max_connections: int = _MAX_CONNECTIONS,
        takes_output_schema: bool = True,
    ) -> None:
        """Keep the settings; nothing is connected until the first call."""
        timeouts = _Timeouts(
            connect_timeout_seconds,
            read_timeout_seconds,
            pool_timeout_seconds,
            first_token_timeout_seconds,
            between_tokens_timeout_seconds,
            total_timeout_seconds,
        )
        super().__init__(deployment, timeouts, max_connections, takes_output_schema)
        self._api_key = api_key
        self._endpoint = endpoint
        self._api_version = api_version

    def _open(self) -> "AsyncOpenAI":
        from openai import AsyncAzureOpenAI

        client = AsyncAzureOpenAI(
            api_key=self._api_key,
            azure_endpoint=self._endpoint,
            api_version=self._api_version,
            **_DEAF,
            **self._http(),
        )
        return _undeafened(client, None, None)


# An empty text keeps the SDK from looking into the environment ...
_DEAF: dict[str, Any] = {
    "organization": "",
    "project": "",
    "admin_api_key": "",
    "webhook_secret": "",
}


def _undeafened(
    client: "AsyncOpenAI", organization: str | None, project: str | None
) -> "AsyncOpenAI":
    """Put the real values in place of the empty ones, which would be sent as empty headers.

    OPENAI_CUSTOM_HEADERS can't be kept out by any argument: what the SDK has
    read from it is dropped here (a test with a poisoned environment holds this).
    """
    client.organization = organization
    client.project = project
    client.admin_api_key = None
    client.webhook_secret = None
    client._custom_headers = {}
    return client
