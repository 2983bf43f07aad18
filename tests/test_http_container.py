"""An entry of type http in its container: whose its connections are, how many, and how long."""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path

import pytest
from loopback import chat_completion, eventually, pieces, serve
from streams import chunk, endless

from containers import Application, application, close, running

BODY = json.dumps(chat_completion()).encode()
ENTRY = """\
llm_provider: house
providers:
  house:
    type: http
    url: URL/ask
    model: house-1
    connections: 3
    request: {messages: $messages}
    response: {content: "choices[0].message.content"}
    stream: {content: "choices[0].delta.content", end: "[DONE]"}
"""


def house(url: str) -> Application:
    """Return the container of a file with one entry, for the server at *url*."""
    path = Path("house.yaml")
    path.write_text(ENTRY.replace("URL", url))
    return application(path, {})


@pytest.mark.asyncio
async def test_an_entry_has_one_pool_which_the_container_closes() -> None:
    """All agents of an entry share the connections that it declares, and a close ends them."""
    with serve(pieces(BODY, pause=0.02, kind="application/json")) as api:
        app = house(api.url)
        agents = [app.agents("assistant"), app.agents("scribe")]
        answers = await asyncio.gather(*(agents[n % 2].run("Hello") for n in range(20)))
        assert [answer.content for answer in answers] == ["Hello."] * 20
        assert (api.opened, api.closed) == (3, 0)
        await close(app)
        assert await eventually(lambda: api.closed == 3)
        assert (await app.agents("scribe").run("Hello")).content == "Hello."
        assert api.opened == 4
        await close(app)


@pytest.mark.asyncio
async def test_leaving_an_agents_stream_early_closes_its_connection() -> None:
    """Through all policies that are on by default, the server sees its client go at once."""
    with endless(chunk("Hel")) as watched:
        async with running(house(watched.server.url)) as app:
            async with aclosing(app.agents("assistant").stream("Hello")) as chunks:
                assert (await anext(chunks)).content == "Hel"
            assert await asyncio.to_thread(watched.closed.wait, 5)
