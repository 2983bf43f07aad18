"""What an author wrote for contract 1. It is never edited: it goes on working."""

import os

from war_rig.providers import CompletionResponse, Message


class HarbourProvider:
    """Reads its own environment, and has nothing but what a provider must have."""

    def __init__(self):
        self._token = os.environ["HARBOUR_TOKEN"]
        self._url = os.environ["HARBOUR_URL"]
        self._model = os.getenv("HARBOUR_MODEL", "tug-1")

    @property
    def default_model(self) -> str:
        return self._model

    async def complete(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float = 0.7,
        **kwargs,
    ) -> CompletionResponse:
        import httpx

        signals = [{"flag": message.role, "text": message.content} for message in messages]
        async with httpx.AsyncClient() as client:
            reply = await client.post(
                self._url,
                headers={"Authorization": f"Bearer {self._token}"},
                json={"signals": signals, "ship": model or self._model, "steam": temperature},
            )
            body = reply.json()
        return CompletionResponse(
            content=body["answer"],
            model=body.get("ship", self._model),
            tokens_used=body.get("coal", {}).get("total", 0),
            raw_response=body,
        )
