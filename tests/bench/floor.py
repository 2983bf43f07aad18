"""The floor: what a call costs in bare asyncio, with a hand-written HTTP/1.1 client.

Not a product, but a yardstick: its cost beside a peer's in the same process
cancels out what the machine does meanwhile.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from adapters import piece, request


class Adapter:
    """One connection, one call at a time."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname, parts.port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.head = (
            f"POST {parts.path}/chat/completions HTTP/1.1\r\nhost: {parts.netloc}\r\n"
            f"authorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: "
        )

    async def call(self, model: str, prompt: str) -> str:
        reader, headers = await self.answer(request(model, prompt))
        length = headers.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        body = json.loads(await reader.readexactly(int(length)))
        text: str = body["choices"][0]["message"]["content"]
        return text

    async def stream(self, model: str, prompt: str) -> AsyncIterator[str]:
        reader, _ = await self.answer(request(model, prompt, stream=True))
        while size := int(await reader.readline(), 16):
            event = (await reader.readexactly(size + 2))[6:-4]
            if event != b"[DONE]" and (text := piece(event)):
                yield text
        await reader.readline()

    async def answer(self, body: dict[str, object]) -> tuple[asyncio.StreamReader, bytes]:
        if self.streams is None:
            self.streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self.streams
        data = json.dumps(body).encode()
        writer.write(f"{self.head}{len(data)}\r\n\r\n".encode() + data)
        return reader, await reader.readuntil(b"\r\n\r\n")

    async def aclose(self) -> None:
        if self.streams is not None:
            self.streams[1].close()
