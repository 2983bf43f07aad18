"""What an author wrote for the optional parts of contract 1. It is never edited."""

import os

from contract_1.provider import HarbourProvider
from war_rig.providers import CompletionChunk, CompletionResponse


class StreamingHarbourProvider(HarbourProvider):
    """Streams, takes a schema, and is closed."""

    takes_output_schema = True

    async def complete(self, messages, model=None, output_schema=None, **kwargs):
        if output_schema is None:
            return await super().complete(messages, model, **kwargs)
        return CompletionResponse('{"knots": 7}', self.default_model, 3)

    async def stream(self, messages, model=None, **kwargs):
        whole = ""
        for piece in ("full ", "steam"):
            whole += piece
            yield CompletionChunk(piece)
        yield CompletionChunk(response=CompletionResponse(whole, self.default_model, 5))

    async def aclose(self):
        with open(os.environ["HARBOUR_LOG"], "a") as log:
            log.write("closed\n")
