"""Providers of APIs that the conformance kit knows nothing about, each read in its own way."""

import itertools
import os
import socket
import sys
import threading
import time
from os import environ
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import uuid4

import httpx
from house_faults import lines_of
from pydantic import BaseModel

from war_rig.errors import ConfigError
from war_rig.providers import CompletionChunk, CompletionResponse

REGION = os.environ["SHAPES_REGION"]  # read when it is imported


class Shape:
    """Reads an answer as a subclass says."""

    default_model = "shape-1"

    def __init__(self, base_url: str, token: str) -> None:
        self.url, self.token = base_url, token

    async def complete(self, messages: Any, model: Any = None, **parameters: Any) -> Any:
        turns = [[m.role, m.content] for m in messages]
        body = {"turns": turns, "model": model or self.default_model, **parameters}
        async with httpx.AsyncClient() as client:
            response = await client.post(self.url, headers={"X-Token": self.token}, json=body)
        response.raise_for_status()
        return self.read(response)

    def read(self, response: httpx.Response) -> Any:
        answer = response.json()
        return CompletionResponse(answer["said"], answer["by"], answer["spent"])


class Nested(Shape):
    def read(self, response: httpx.Response) -> Any:
        answer = response.json()["outcome"]["blasts"][0]
        return CompletionResponse(answer["words"], "m", int(answer["spent"]))


class Joined(Shape):
    def read(self, response: httpx.Response) -> Any:
        return CompletionResponse("".join(b["w"] for b in response.json()["blasts"]), "m", 0)


class ReadsAll(Shape):
    """Reads all variables at once, as pydantic-settings does."""

    def __init__(self) -> None:
        every = {name.lower(): value for name, value in environ.items()}
        super().__init__(every["all_place"], every["all_token"])

    def __repr__(self) -> str:
        return f"ReadsAll({self.token})"


class Got(Shape):
    """Asks for nothing that is missing, so that no failure names a key."""

    def read(self, response: httpx.Response) -> Any:
        said = response.json().get("murmur", "")
        if not said:
            raise RuntimeError("nothing was said")
        return CompletionResponse(said, "m", 0)


def read_elsewhere(answer: Any) -> CompletionResponse:
    return CompletionResponse(answer.get("grumble") or "", "m", 0)


class GotElsewhere(Shape):
    def read(self, response: httpx.Response) -> Any:
        return read_elsewhere(response.json())


class _Answer(BaseModel):
    mumble: str
    price: int


class Modelled(Shape):
    def read(self, response: httpx.Response) -> Any:
        answer = _Answer.model_validate(response.json())
        return CompletionResponse(answer.mumble, "m", answer.price)


class Text(Shape):
    def read(self, response: httpx.Response) -> Any:
        return CompletionResponse(response.text, "m", 0)


class Comma(Shape):
    def read(self, response: httpx.Response) -> Any:
        _, said, spent = response.text.split(",")
        return CompletionResponse(said, "m", int(spent))


class SaysWithoutAnApi:
    default_model = "m"

    async def complete(self, messages: Any, **parameters: Any) -> Any:
        return messages[-1].content


class AsksNobody:
    """Reads a library's variable, and reaches nothing."""

    default_model = "m"

    async def complete(self, messages: Any, **parameters: Any) -> Any:
        os.getenv("PYDANTIC_DISABLE_PLUGINS")
        raise ConnectionError("nobody is there")


class Strict(Shape):
    """Takes one body and no other."""

    def read(self, response: httpx.Response) -> Any:
        answer = response.json()
        if set(answer) != {"only", "this"}:
            raise RuntimeError("no such answer")
        return CompletionResponse(answer["only"], "m", answer["this"])

    async def stream(self, messages: Any, **parameters: Any) -> Any:
        async with (
            httpx.AsyncClient() as client,
            client.stream("POST", self.url, json={"turns": [m.content for m in messages]}) as got,
        ):
            got.raise_for_status()
            text, event = "", ""
            async for line in lines_of(got):
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data: ") and event == "bit":
                    text += line.removeprefix("data: ")
                    yield CompletionChunk(line.removeprefix("data: "))
                elif line == "data: over":
                    yield CompletionChunk(response=CompletionResponse(text, "m", 0))


class AsksForAWholeAnswer(Shape):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        whole = await self.complete(messages, **parameters)
        yield CompletionChunk(whole.content, whole)


class StreamsText(Text):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        async with (
            httpx.AsyncClient() as client,
            client.stream("POST", self.url, json={"turns": [m.content for m in messages]}) as got,
        ):
            got.raise_for_status()
            text = ""
            async for piece in got.aiter_text():
                text += piece
                yield CompletionChunk(piece)
        yield CompletionChunk(response=CompletionResponse(text, "m", 0))


class Refuses(Shape):
    """Takes one model, turns in order, and no other keyword; all else is an error of its own."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url, "none")

    async def complete(self, messages: Any, model: Any = None, **parameters: Any) -> Any:
        roles = [m.role for m in messages if m.role != "system"]
        if model not in (None, "shape-1") or "temperature" in parameters:
            raise LookupError("not with this API")
        if not all(m.content for m in messages) or not roles:
            raise ValueError("say something")
        if any(one == other for one, other in itertools.pairwise(roles)):
            raise ValueError("one after the other")
        if parameters:
            raise ConfigError(f"there is no place for {', '.join(parameters)}")
        return await super().complete(messages)


class Remembers(Shape):
    """Asks for nothing twice."""

    def __init__(self, base_url: str, token: str) -> None:
        super().__init__(base_url, token)
        self.known: dict[str, Any] = {}

    async def complete(self, messages: Any, **parameters: Any) -> Any:
        asked = str((messages, parameters))
        if asked not in self.known:
            self.known[asked] = await super().complete(messages, **parameters)
        return self.known[asked]


class SaysSorry(Shape):
    """Answers whatever went wrong."""

    async def complete(self, messages: Any, **parameters: Any) -> Any:
        try:
            return await super().complete(messages, **parameters)
        except Exception:
            return CompletionResponse("Sorry.", "m", 0)


class IsColdByItself(Shape):
    """Sends a temperature of 0 where none is asked for."""

    async def complete(self, messages: Any, model: Any = None, **parameters: Any) -> Any:
        return await super().complete(messages, model, **{"heat": 0.0, **_heated(parameters)})


class SendsHeatInAHeader(Shape):
    """Has all that is no text in its headers."""

    async def complete(
        self, messages: Any, model: Any = None, temperature: Any = None, **parameters: Any
    ) -> Any:
        heated = {} if temperature is None else {"X-Heat": str(temperature)}
        body = {"turns": [[m.role, m.content] for m in messages]}
        headers = {"X-Model": model or self.default_model, **heated}
        async with httpx.AsyncClient() as client:
            response = await client.post(self.url, headers=headers, json=body)
        response.raise_for_status()
        return self.read(response)


def _heated(parameters: dict[str, Any]) -> dict[str, Any]:
    return {"heat" if name == "temperature" else name: v for name, v in parameters.items()}


class SendsOneText(Shape):
    """Writes all into one text, with an id of its own in each."""

    async def complete(self, messages: Any, model: Any = None, **parameters: Any) -> Any:
        turns = [f"<{m.role}>{m.content}</{m.role}>" for m in messages]
        given = [f"{name}={value}" for name, value in parameters.items()]
        text = " ".join([f"<id>{uuid4()}</id>", model or self.default_model, *given, *turns])
        async with httpx.AsyncClient() as client:
            response = await client.post(self.url, content=text.encode())
        response.raise_for_status()
        return self.read(response)


class SendsAForm(Shape):
    """Sends each turn as a field of the same name."""

    async def complete(self, messages: Any, model: Any = None, **parameters: Any) -> Any:
        turns = [("turn", f"{m.role}: {m.content}") for m in messages]
        fields = [*turns, ("model", model or self.default_model), *parameters.items()]
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        async with httpx.AsyncClient() as client:
            response = await client.post(self.url, headers=kind, content=urlencode(fields))
        response.raise_for_status()
        return self.read(response)


class SendsAQuery(Shape):
    """Sends all in the address, where blanks are written as plus signs."""

    async def complete(self, messages: Any, model: Any = None, **parameters: Any) -> Any:
        turns = [(m.role, m.content) for m in messages]
        fields = [*turns, ("model", model or self.default_model), *parameters.items()]
        async with httpx.AsyncClient() as client:
            response = await client.get(f"{self.url}?{urlencode(fields)}")
        response.raise_for_status()
        return self.read(response)


class SendsRolesAsKeys(Shape):
    """Sends each turn as a map of one key, the role."""

    async def complete(self, messages: Any, model: Any = None, **parameters: Any) -> Any:
        turns = [{m.role[0]: m.content} for m in messages]
        body = {"turns": turns, "model": model or self.default_model, **parameters}
        async with httpx.AsyncClient() as client:
            response = await client.post(self.url, json=body)
        response.raise_for_status()
        return self.read(response)


class MakesAJob(Shape):
    """Sends all that there is for a job, then asks for what became of it."""

    async def complete(self, messages: Any, model: Any = None, **parameters: Any) -> Any:
        turns = [[m.role, m.content] for m in messages]
        body = {"turns": turns, "model": model or self.default_model, **parameters}
        async with httpx.AsyncClient() as client:
            made = await client.post(self.url, headers={"X-Token": self.token}, json=body)
            made.raise_for_status()
            response = await client.get(f"{self.url}/jobs/1", headers={"X-Token": self.token})
        response.raise_for_status()
        return self.read(response)


class SendsBytes(Shape):
    async def complete(self, messages: Any, **parameters: Any) -> Any:
        body = b"\xff" + "".join(m.content for m in messages).encode("utf-16")
        async with httpx.AsyncClient() as client:
            response = await client.post(self.url, content=body)
        response.raise_for_status()
        return self.read(response)


# where the API is


class FromTheEnvironment(Shape):
    def __init__(self) -> None:
        super().__init__(environ["SHAPES_API_BASE"], os.environ.get("SHAPES_TOKEN", ""))
        self.retries = int(os.environ["SHAPES_RETRIES"])
        self.has_proxy = "SHAPES_PROXY" in os.environ


class WithADefault(Shape):
    def __init__(self, gateway: str = "https://llm.example.com/v1/chat?key=1") -> None:
        super().__init__(gateway, "none")


class FromAVariableWithADefault(Shape):
    def __init__(self) -> None:
        super().__init__(os.getenv("SHAPES_GATEWAY", "https://llm.example.com/v3"), "none")


class WithHostAndPort(Shape):
    def __init__(self, host: str, port: int, verify: bool, attempts, words: dict[str, int]) -> None:  # type: ignore[no-untyped-def]
        super().__init__(f"http://{host}:{port}/chat", "none")
        assert verify is True
        assert isinstance(attempts, str)


class WithFlags(Shape):
    """Its names are those of addresses and keys, but what they take is not."""

    def __init__(
        self,
        endpoint: str,
        verify_host: bool = True,
        stop_token: int = 2,
        on_server=False,  # type: ignore[no-untyped-def]
    ) -> None:
        super().__init__(endpoint, "none")
        assert (verify_host, stop_token, on_server) == (True, 2, False)


class WithABareHost(Shape):
    def __init__(self, host: str, timeout) -> None:  # type: ignore[no-untyped-def]
        super().__init__(f"http://{host}/chat", "none")
        assert timeout == 30


class FromHostAndPort(Shape):
    def __init__(self) -> None:
        host, port = os.environ["SHAPES_HOST"], os.environ["SHAPES_PORT"]
        super().__init__(f"http://{host}:{port}/chat", "none")


class WithAnOddName(Shape):
    """Takes what is called like nothing for its address, and refuses what can't be one."""

    def __init__(self, team: str, where: str, max_size: int, auth: str | None = None) -> None:
        super().__init__(where, auth or "none")
        if "://" in team:
            raise ValueError(f"no such team: {team}")


class FromAnOddVariable(Shape):
    def __init__(self) -> None:
        super().__init__(os.environ["SHAPES_WHERE"], os.environ["SHAPES_KEY"])


class WithAnOddDefault(Shape):
    def __init__(self, where: str = "llm-gateway", share: float = 1.0) -> None:
        super().__init__(where, "none")


class Elsewhere(Shape):
    def __init__(self, team: str) -> None:
        super().__init__("https://llm.example.com/v1", "none")


class Nowhere(Shape):
    """Answers without an API, as a model in this process does."""

    def __init__(self) -> None:
        self.calls = 0

    async def complete(self, messages: Any, **parameters: Any) -> Any:
        return CompletionResponse("I am here.", "m", 3)

    async def stream(self, messages: Any, **parameters: Any) -> Any:
        yield CompletionChunk("I am here.", CompletionResponse("I am here.", "m", 3))


class NowhereWithHalfAStream(Nowhere):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        yield CompletionChunk("I am")


class NowhereAndSlow(Nowhere):
    async def complete(self, messages: Any, **parameters: Any) -> Any:
        time.sleep(1.1)  # noqa: ASYNC251
        return await super().complete(messages, **parameters)


# what no provider should do


class Hangs(Shape):
    async def complete(self, messages: Any, **parameters: Any) -> Any:
        time.sleep(100)  # noqa: ASYNC251


class AsksLate:
    """Waits in its call until *gate* is set, and then asks the address that is written into it."""

    default_model = "late-1"
    gate = threading.Event()
    met: ClassVar[list[str]] = []

    async def complete(self, messages: Any, **parameters: Any) -> Any:
        self.gate.wait(60)
        self.met.append(os.environ["LATE_API_KEY"])
        try:
            socket.create_connection(("192.0.2.1", 80), timeout=0.1)
        except OSError as error:
            self.met.append(str(error))


class HangsOnErrors(Shape):
    def read(self, response: httpx.Response) -> Any:
        return super().read(response)

    async def complete(self, messages: Any, **parameters: Any) -> Any:
        try:
            return await super().complete(messages, **parameters)
        except httpx.HTTPStatusError:
            time.sleep(100)  # noqa: ASYNC251


class Exits(Shape):
    async def complete(self, messages: Any, **parameters: Any) -> Any:
        sys.exit(3)


class ExitsOnErrors(Shape):
    async def complete(self, messages: Any, **parameters: Any) -> Any:
        try:
            return await super().complete(messages, **parameters)
        except httpx.HTTPStatusError:
            sys.exit(3)


class StartsThreads(Shape):
    def __init__(self, base_url: str, token: str) -> None:
        super().__init__(base_url, token)
        self._stop = threading.Event()
        threading.Thread(target=self._stop.wait, args=(60,), daemon=True).start()


class HangsInItsStream(Shape):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        time.sleep(100)  # noqa: ASYNC251
        yield CompletionChunk("never")
