"""What an author registered by hand for contract 1. It is never edited: it goes on working."""

from war_rig.providers import CompletionResponse


class HarbourError(Exception):
    """Carries the status, as an author's own error does."""

    def __init__(self, text: str, status_code: int | None = None):
        super().__init__(text)
        self.status_code = status_code


class RegisteredHarbourProvider:
    """Names its arguments, takes all keywords as they come, and raises an error of its own."""

    def __init__(self, api_key: str, endpoint: str, model: str = "tug-1"):
        self._key = api_key
        self._endpoint = endpoint
        self.default_model = model

    async def complete(self, messages, **kwargs):
        import httpx

        body = {"text": messages[-1].content, **kwargs}
        async with httpx.AsyncClient() as client:
            reply = await client.post(self._endpoint, headers={"X-Key": self._key}, json=body)
        if reply.status_code >= 400:
            raise HarbourError(f"the harbour says {reply.status_code}", reply.status_code)
        return CompletionResponse(reply.json()["answer"], self.default_model, 0)
