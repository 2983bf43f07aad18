"""Asks acme's API. Three places are yours to change; they are marked 1, 2 and 3."""

from typing import Any

import httpx
from war_rig.providers import CompletionResponse, Message

TIMEOUT = httpx.Timeout(300, connect=10)  # seconds; an answer comes when it is whole


class AcmeProvider:
    """The LLM acme.

    War Rig finds each argument that is named here: ACME_API_KEY, ACME_ENDPOINT
    and ACME_MODEL in the environment, or providers.acme in its file.
    """

    def __init__(self, api_key: str, endpoint: str, model: str = "acme-1") -> None:
        self._api_key = api_key
        self._endpoint = endpoint
        self._tls = httpx.create_ssl_context()  # once: it takes as long as a short call
        self.default_model = model

    async def complete(
        self, messages: list[Message], model: str | None = None, **parameters: Any
    ) -> CompletionResponse:
        """Return the answer to a conversation; raise where there is none."""
        model = model or self.default_model
        async with httpx.AsyncClient(verify=self._tls, timeout=TIMEOUT) as client:
            response = await client.post(
                self._endpoint,
                headers=self._headers(),
                json=self._request(messages, model, parameters),
            )
        response.raise_for_status()  # War Rig tells by the status whether to try again
        return self._answer(response.json(), model)

    def _headers(self) -> dict[str, str]:
        """Return what says who asks."""
        # 1. Where acme wants its key.
        return {"Authorization": f"Bearer {self._api_key}"}

    def _request(
        self, messages: list[Message], model: str, parameters: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the JSON that is sent; parameters: what was set, such as temperature."""
        # 2. How acme is asked. A role is "system", "user" or "assistant".
        turns = [{"role": m.role, "content": m.content} for m in messages]
        return {"model": model, "messages": turns, **parameters}

    def _answer(self, answer: dict[str, Any], model: str) -> CompletionResponse:
        """Return what the JSON that came back says."""
        # 3. Where acme's answer stands. What it must have is answer["..."], so that
        # it is an error where that is missing; what it may have is answer.get("...").
        return CompletionResponse(
            content=answer["text"],
            model=answer.get("model", model),
            tokens_used=answer.get("tokens", 0),
            raw_response=answer,
        )
