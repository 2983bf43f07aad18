"""OpenAI, Azure OpenAI, and every server that speaks OpenAI's chat completions.

Uses the openai SDK with its aiohttp client. The SDK is imported at the first
call. It never retries here, and reads nothing from the environment but what
belongs to the process: proxies and certificates.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from war_rig.errors import ContentRefusedError, MalformedAnswerError, ProviderTimeoutError
from war_rig.providers.clients import LoopClients
from war_rig.providers.protocol import CompletionResponse, Message

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

_CONNECT_TIMEOUT_SECONDS = 10.0
_READ_TIMEOUT_SECONDS = 600.0
_POOL_TIMEOUT_SECONDS = 60.0
_TOTAL_TIMEOUT_SECONDS = 600.0
_MAX_CONNECTIONS = 1000
_LONGEST_TEXT = 2000  # more than the border shows, which clears it of secrets before it cuts


class _ChatCompletions(ABC):
    """What the two share: a call, and the reading of its answer."""

    def __init__(
        self, model: str, timeouts: tuple[float, float, float], total: float, connections: int
    ) -> None:
        self._model = model
        self._timeouts = timeouts
        self._total_seconds = total
        self._max_connections = connections
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
        """Ask for one chat completion; kwargs are parameters of that API.

        A temperature of None is not sent. Raises the SDK's errors, and
        MalformedAnswerError for an answer of another shape.
        """
        if temperature is not None:
            kwargs["temperature"] = temperature
        request: dict[str, Any] = {
            "model": model or self._model,
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            **kwargs,
        }
        client = await self._clients.get()
        try:
            async with asyncio.timeout(self._total_seconds):
                return _response(await client.chat.completions.create(**request))
        except json.JSONDecodeError as error:  # the SDK parses JSON only where the status is good
            broken = str(error)
        except TimeoutError:  # its transport bounds neither a slow upload nor an answer in drips
            broken = None
        if broken is None:
            text = f"did not finish its answer in {self._total_seconds:g} s"
            raise ProviderTimeoutError(text)
        raise MalformedAnswerError(f"answered 200 with broken JSON: {broken}", status=200)

    async def aclose(self) -> None:
        """Close the clients; the provider can be used again after it."""
        await self._clients.aclose()

    @abstractmethod
    def _open(self) -> "AsyncOpenAI": ...

    def _http(self) -> dict[str, Any]:
        """Return the arguments that both SDK clients take, with nothing left to the environment."""
        import httpx2
        from openai import DefaultAioHttpClient

        connect, read, pool = self._timeouts
        timeout = httpx2.Timeout(read, connect=connect, pool=pool)
        limits = httpx2.Limits(
            max_connections=self._max_connections, max_keepalive_connections=self._max_connections
        )
        return {
            "http_client": DefaultAioHttpClient(
                timeout=timeout, limits=limits, follow_redirects=False
            ),
            "max_retries": 0,
            "timeout": timeout,
        }


class OpenAIProvider(_ChatCompletions):
    """OpenAI itself, or any server with its chat completions at *base_url*."""

    def __init__(
        self,
        api_key: str,
        model: str = "gpt-5-mini",
        base_url: str = "https://api.openai.com/v1",
        organization: str | None = None,
        project: str | None = None,
        connect_timeout_seconds: float = _CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds: float = _READ_TIMEOUT_SECONDS,
        pool_timeout_seconds: float = _POOL_TIMEOUT_SECONDS,
        total_timeout_seconds: float = _TOTAL_TIMEOUT_SECONDS,
        max_connections: int = _MAX_CONNECTIONS,
    ) -> None:
        """Keep the settings; nothing is connected until the first call.

        read_timeout_seconds bounds the wait for each part of the answer,
        pool_timeout_seconds the wait for a free one of *max_connections*,
        total_timeout_seconds the whole call.
        """
        timeouts = (connect_timeout_seconds, read_timeout_seconds, pool_timeout_seconds)
        super().__init__(model, timeouts, total_timeout_seconds, max_connections)
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
        total_timeout_seconds: float = _TOTAL_TIMEOUT_SECONDS,
        max_connections: int = _MAX_CONNECTIONS,
    ) -> None:
        """Keep the settings; nothing is connected until the first call."""
        timeouts = (connect_timeout_seconds, read_timeout_seconds, pool_timeout_seconds)
        super().__init__(deployment, timeouts, total_timeout_seconds, max_connections)
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


def _response(answer: "ChatCompletion") -> CompletionResponse:
    _refuse_foreign(answer)
    choice, usage = answer.choices[0], answer.usage
    if refused := choice.message.refusal or choice.finish_reason == "content_filter":
        said = refused if isinstance(refused, str) else "its content filter stopped the answer"
        if not choice.message.content:
            raise ContentRefusedError(f"refused: {said[:_LONGEST_TEXT]}", status=200)
    return CompletionResponse(
        content=choice.message.content or "",
        model=answer.model,
        tokens_used=usage.total_tokens if usage else 0,
        raw_response=answer.model_dump(warnings=False),
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
        usage_source="reported" if usage else None,
        finish_reason=choice.finish_reason,
    )


def _refuse_foreign(answer: Any) -> None:
    """Raise where the SDK took something that is no chat completion for one."""
    if isinstance(answer, str):
        text = f"answered 200 with text that is no JSON: {answer[:_LONGEST_TEXT]}"
        raise MalformedAnswerError(text, status=200)
    error = getattr(answer, "error", None)
    if error:
        text = error.get("message", error) if isinstance(error, dict) else error
        text = f"answered 200 with an error: {str(text)[:_LONGEST_TEXT]}"
        raise MalformedAnswerError(text, status=200)
    if not getattr(answer, "choices", None) or answer.choices[0].message is None:
        raise MalformedAnswerError("answered 200 without any choices", status=200)
