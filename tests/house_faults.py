"""A good provider of an invented API, and one for each fault that the conformance kit looks for."""

import asyncio
import itertools
import json
import logging
import sys
import time
import warnings
from base64 import b64encode, urlsafe_b64encode
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from war_rig.providers import CompletionChunk, CompletionResponse, Message


async def lines_of(response: httpx.Response) -> Any:
    """Yield the lines: one ends at a line feed, and not at U+2028, which JSON may hold."""
    rest = b""
    async for data in response.aiter_bytes():
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield line.decode()


class House:
    """What a careful author writes."""

    def __init__(self, api_key: str, endpoint: str, model: str = "house-1") -> None:
        self._key, self._url, self._model = api_key, endpoint, model

    @property
    def default_model(self) -> str:
        return self._model

    async def complete(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **parameters: Any,
    ) -> CompletionResponse:
        response = await self.send(self.body(messages, model, temperature, parameters))
        return self.read(response)

    async def stream(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **parameters: Any,
    ) -> Any:
        body = self.body(messages, model, temperature, parameters)
        async with (
            httpx.AsyncClient() as client,
            client.stream("POST", self._url, headers=self.headers, json=body) as response,
        ):
            response.raise_for_status()
            words = ""
            async for line in self.lines(response):
                event = json.loads(line)
                if "over" not in event:
                    words += event["words"]
                    yield CompletionChunk(event["words"])
                else:
                    yield CompletionChunk(response=CompletionResponse(words, self._model, 3))

    def lines(self, response: httpx.Response) -> Any:
        return lines_of(response)

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Key": self._key}

    def body(self, messages: Any, model: Any, temperature: Any, parameters: Any) -> dict[str, Any]:
        turns = [{"who": m.role, "says": m.content} for m in messages]
        given = {} if temperature is None else {"heat": temperature}
        return {"turns": turns, "model": model or self._model, **given, **parameters}

    async def send(self, body: dict[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.post(self._url, headers=self.headers, json=body)

    def read(self, response: httpx.Response) -> Any:
        response.raise_for_status()
        answer = response.json()
        return CompletionResponse(answer["reply"]["words"], self._model, answer["cost"])

    async def aclose(self) -> None:
        pass


# the eight of the issue


class AnswersOn500(House):
    def read(self, response: httpx.Response) -> Any:
        if response.status_code == 500:
            return CompletionResponse("Sorry, try again later.", self._model, 0)
        return super().read(response)


class LeaksTheKey(House):
    def __repr__(self) -> str:
        return f"LeaksTheKey({self._key!r}, {self._url!r})"


class Blocks(House):
    async def send(self, body: dict[str, Any]) -> httpx.Response:
        return httpx.post(self._url, headers=self.headers, json=body)  # noqa: ASYNC210


class SharesItsClient(House):
    def __init__(self, api_key: str, endpoint: str) -> None:
        super().__init__(api_key, endpoint)
        self._client = httpx.AsyncClient()

    async def send(self, body: dict[str, Any]) -> httpx.Response:
        return await self._client.post(self._url, headers=self.headers, json=body)


class IgnoresTheModel(House):
    def body(self, messages: Any, model: Any, temperature: Any, parameters: Any) -> dict[str, Any]:
        return super().body(messages, None, temperature, parameters)


class ReturnsNone(House):
    async def complete(self, messages: Any, **parameters: Any) -> Any:
        await super().complete(messages, **parameters)


class AnswersOnce(House):
    has_answered = False

    async def complete(self, messages: Any, **parameters: Any) -> Any:
        if self.has_answered:
            return None
        self.has_answered = True
        return await super().complete(messages, **parameters)


class DropsUnicode(House):
    async def complete(self, messages: Any, **parameters: Any) -> CompletionResponse:
        plain = [Message(m.role, m.content.encode("ascii", "ignore").decode()) for m in messages]
        return await super().complete(plain, **parameters)


class SwallowsCancellation(House):
    async def complete(self, messages: Any, **parameters: Any) -> CompletionResponse:
        try:
            return await super().complete(messages, **parameters)
        except asyncio.CancelledError:
            return CompletionResponse("stopped", self._model, 0)


# shape


class RaisesWhenBuilt(House):
    def __init__(self) -> None:
        raise LookupError("no such region")


class ExitsWhenBuilt(House):
    def __init__(self) -> None:
        sys.exit("no licence")


class HasNoModel(House):
    default_model = None  # type: ignore[assignment]


class HasABrokenModel(House):
    @property
    def default_model(self) -> str:
        raise LookupError("no such model")


class HasAMoodyModel(House):
    reads = 0

    @property
    def default_model(self) -> str:
        self.reads += 1
        if self.reads > 1:
            raise LookupError("no such model today")
        return "house-1"


class TakesNoKeywords(House):
    async def complete(self, messages: Any, model: Any = None) -> Any:  # type: ignore[override]
        return await super().complete(messages, model)


class WantsARegion(House):
    async def complete(self, messages: Any, region: Any, /, kind: Any, **rest: Any) -> Any:  # type: ignore[override]
        return await super().complete(messages)


class TakesNothing(House):
    async def complete(self, **rest: Any) -> Any:  # type: ignore[override]
        return await super().complete(rest["messages"])


class IsNotAsync(House):
    def complete(self, messages: Any, **parameters: Any) -> Any:
        return CompletionResponse("Hello", self._model, 0)


class StreamsWithoutKeywords(House):
    async def stream(self, messages: Any) -> Any:  # type: ignore[override]
        async for chunk in super().stream(messages):
            yield chunk


class ClosesOnce(House):
    is_open = True

    async def aclose(self) -> None:
        if not self.is_open:
            raise RuntimeError("already closed")
        self.is_open = False


class ClosesOnceWhenUsed(House):
    uses, closings = 0, 0

    async def send(self, body: dict[str, Any]) -> httpx.Response:
        self.uses += 1
        return await super().send(body)

    async def aclose(self) -> None:
        self.closings += 1
        if self.uses and self.closings > 1:
            raise RuntimeError("nothing is open")


class ClosesAtOnce(House):
    def aclose(self) -> None:  # type: ignore[override]
        """Close without a wait, which War Rig takes too."""


# asking


class ReturnsText(House):
    async def complete(self, messages: Any, **parameters: Any) -> Any:
        return (await super().complete(messages, **parameters)).content


class ShoutsIt(House):
    def read(self, response: httpx.Response) -> Any:
        made = super().read(response)
        made.content = made.content.upper()
        return made


class AddsAWord(House):
    def read(self, response: httpx.Response) -> Any:
        made = super().read(response)
        made.content = f"Answer: {made.content}"
        return made


class TellsNoModel(House):
    def read(self, response: httpx.Response) -> Any:
        made = super().read(response)
        made.model = None
        return made


class CountsInText(House):
    def read(self, response: httpx.Response) -> Any:
        made = super().read(response)
        made.tokens_used = str(made.tokens_used)
        return made


class CountsPartsInText(House):
    def read(self, response: httpx.Response) -> Any:
        made = super().read(response)
        made.prompt_tokens = -1
        return made


class SendsTheLastMessage(House):
    def body(self, messages: Any, *others: Any) -> dict[str, Any]:
        return super().body(messages[-1:], *others)


class SendsNoRoles(House):
    def body(self, messages: Any, *others: Any) -> dict[str, Any]:
        return super().body([Message("user", m.content) for m in messages], *others)


class Numbered(House):
    """Right: it sends another id in each request, a 0 in all, and another in every second."""

    _turns = itertools.count()

    @property
    def headers(self) -> dict[str, str]:
        return {**super().headers, "X-Request-Id": uuid4().hex}

    def body(self, *call: Any) -> dict[str, Any]:
        made = {
            "id": str(uuid4()),
            "at": f"at {time.time_ns()}",
            "best_of": 0,
            "shard": next(self._turns) % 2,
        }
        return {**made, **super().body(*call)}


class NumbersWithoutRoles(Numbered):
    def body(self, messages: Any, *others: Any) -> dict[str, Any]:
        return super().body([Message("user", m.content) for m in messages], *others)


class NumbersWithoutAZero(Numbered):
    def body(self, messages: Any, model: Any, temperature: Any, parameters: Any) -> dict[str, Any]:
        return super().body(messages, model, temperature or None, parameters)


class CrashesAtAModel(House):
    def body(self, messages: Any, model: Any, *others: Any) -> dict[str, Any]:
        return super().body(messages, model and model.lowercase(), *others)


class ReturnsNoneForAModel(House):
    async def complete(self, messages: Any, model: Any = None, **parameters: Any) -> Any:
        if model is not None:
            return None
        return await super().complete(messages, **parameters)


class CrashesAtATemperature(House):
    def body(self, messages: Any, model: Any, temperature: Any, parameters: Any) -> dict[str, Any]:
        if temperature is not None:
            parameters["heat"] = temprature  # type: ignore[name-defined]  # noqa: F821
        return super().body(messages, model, None, parameters)


class BreaksUnicodeAnswers(House):
    def read(self, response: httpx.Response) -> Any:
        made = super().read(response)
        made.content = made.content.encode("ascii", "replace").decode()
        return made


class CutsLongMessages(House):
    def body(self, messages: Any, *others: Any) -> dict[str, Any]:
        return super().body([Message(m.role, m.content[:10_000]) for m in messages], *others)


class AnswersNothingToNothing(House):
    async def complete(self, messages: Any, **parameters: Any) -> Any:
        if not messages or not messages[-1].content:
            return None
        return await super().complete(messages, **parameters)


class IgnoresTheTemperature(House):
    def body(self, messages: Any, model: Any, temperature: Any, parameters: Any) -> dict[str, Any]:
        return super().body(messages, model, None, parameters)


class LeavesOutAZero(House):
    def body(self, messages: Any, model: Any, temperature: Any, parameters: Any) -> dict[str, Any]:
        return super().body(messages, model, temperature or None, parameters)


class RefusesKeywords(House):
    def body(self, messages: Any, model: Any, temperature: Any, parameters: Any) -> dict[str, Any]:
        if parameters:
            raise TypeError(f"unexpected {', '.join(parameters)}")
        return super().body(messages, model, temperature, parameters)


# failing


class AnswersToAnything(House):
    def read(self, response: httpx.Response) -> Any:
        response.raise_for_status()
        try:
            return super().read(response)
        except (ValueError, LookupError, TypeError):
            return CompletionResponse("Sorry?", self._model, 0)


class TakesHalfAnAnswer(House):
    async def send(self, body: dict[str, Any]) -> httpx.Response:
        read = b""
        async with (
            httpx.AsyncClient() as client,
            client.stream("POST", self._url, headers=self.headers, json=body) as response,
        ):
            try:
                async for piece in response.aiter_bytes():
                    read += piece
            except httpx.RemoteProtocolError:
                pass
        return httpx.Response(response.status_code, content=read, request=response.request)


class HidesTheStatus(House):
    def read(self, response: httpx.Response) -> Any:
        if response.is_error:
            raise LookupError("no answer")
        return super().read(response)


class HouseError(Exception):
    def __init__(self, status_code: int) -> None:
        super().__init__(f"status {status_code}")
        self.status_code = status_code


class HidesTheWait(House):
    def read(self, response: httpx.Response) -> Any:
        if response.is_error:
            raise HouseError(response.status_code)
        return super().read(response)


class Repeats(House):
    async def send(self, body: dict[str, Any]) -> httpx.Response:
        response = await super().send(body)
        return await super().send(body) if response.status_code == 429 else response


# running


class LeavesATask(House):
    async def send(self, body: dict[str, Any]) -> httpx.Response:
        return await asyncio.shield(asyncio.create_task(super().send(body)))


class RaisesWhenCancelled(House):
    async def send(self, body: dict[str, Any]) -> httpx.Response:
        try:
            return await super().send(body)
        except asyncio.CancelledError:
            raise RuntimeError("interrupted") from None


class GoesOnWhenCancelled(House):
    async def send(self, body: dict[str, Any]) -> httpx.Response:
        asked = asyncio.create_task(super().send(body))
        while not asked.done():
            try:
                await asyncio.shield(asked)
            except asyncio.CancelledError:
                continue
        return asked.result()


class KeepsItsConnections(House):
    def __init__(self, api_key: str, endpoint: str) -> None:
        super().__init__(api_key, endpoint)
        self._opened: list[asyncio.StreamWriter] = []

    async def send(self, body: dict[str, Any]) -> httpx.Response:
        url = urlsplit(self._url)
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        self._opened.append(writer)
        data = json.dumps(body).encode()
        head = f"POST / HTTP/1.1\r\nContent-Length: {len(data)}\r\nX-Key: {self._key}\r\n\r\n"
        writer.write(head.encode() + data)
        status = int((await reader.readline()).split()[1])
        size = 0
        while line := (await reader.readline()).strip():
            if line.lower().startswith(b"content-length"):
                size = int(line.split(b":")[1])
        return httpx.Response(
            status, content=await reader.readexactly(size), request=httpx.Request("POST", self._url)
        )


class RunsInAThread(House):
    async def send(self, body: dict[str, Any]) -> httpx.Response:
        return await asyncio.to_thread(
            httpx.post, self._url, headers=self.headers, json=body, timeout=10
        )


class KeepsTheCall(House):
    def body(self, messages: Any, *others: Any) -> dict[str, Any]:
        self._messages = messages
        return super().body(messages, *others)

    async def send(self, body: dict[str, Any]) -> httpx.Response:
        await asyncio.sleep(0)
        return await super().send(self.body(self._messages, None, None, {}))


# keys


class ShowsTheKeyInErrors(House):
    async def send(self, body: dict[str, Any]) -> httpx.Response:
        response = await super().send(body)
        if response.status_code == 401:
            raise HouseError(401) from ValueError(f"sent {self.headers}")
        return response


class LogsTheKey(House):
    async def send(self, body: dict[str, Any]) -> httpx.Response:
        logging.getLogger("house").debug("sending %s", self.headers)
        return await super().send(body)


class PrintsTheKey(House):
    def __init__(self, api_key: str, endpoint: str) -> None:
        super().__init__(api_key, endpoint)
        print("using", api_key)


class WarnsOfTheKey(House):
    async def send(self, body: dict[str, Any]) -> httpx.Response:
        warnings.warn(f"asking with {self._key}", stacklevel=2)
        return await super().send(body)


class HasBasicAuth(House):
    """Right: its key is sent in base64, as HTTP's Basic authentication has it."""

    @property
    def headers(self) -> dict[str, str]:
        word = b64encode(f"kit:{self._key}".encode()).decode()
        return {"Authorization": f"Basic {word}"}


class LogsBasicAuth(HasBasicAuth):
    async def send(self, body: dict[str, Any]) -> httpx.Response:
        logging.getLogger("house").warning("sending %s", self.headers)
        return await super().send(body)


class ShowsBasicAuth(HasBasicAuth):
    def __repr__(self) -> str:
        return f"ShowsBasicAuth({self.headers!r})"


class TellsBasicAuth(HasBasicAuth):
    async def send(self, body: dict[str, Any]) -> httpx.Response:
        response = await super().send(body)
        if response.is_error:
            told = f"sent {urlsafe_b64encode(self._key.encode()).decode()}"
            raise httpx.HTTPStatusError(told, request=response.request, response=response)
        return response


class CallsItsKeyAWord(House):
    def __init__(self, endpoint: str, credential: str) -> None:
        super().__init__(credential, endpoint)

    def read(self, response: httpx.Response) -> Any:
        if response.is_error:
            raise HouseError(response.status_code) from ValueError(response.text)
        return super().read(response)


# streams


class StreamsOtherWords(House):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        async for chunk in super().stream(messages, **parameters):
            if chunk.response is not None:
                chunk.response.content = chunk.response.content.upper()
            yield chunk


class ShoutsItsStream(House):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        async for chunk in super().stream(messages, **parameters):
            if chunk.response is None:
                yield CompletionChunk(chunk.content.upper())
            else:
                chunk.response.content = chunk.response.content.upper()
                yield chunk


class StreamsNoGenerator(House):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        return [chunk async for chunk in super().stream(messages, **parameters)]


class DecodesEachPart(House):
    async def lines(self, response: httpx.Response) -> Any:  # type: ignore[override]
        rest = ""
        async for piece in response.aiter_bytes():
            rest += piece.decode("utf-8", "ignore")
            *whole, rest = rest.split("\n")
            for line in whole:
                yield line


class SplitsAtEveryLineSeparator(House):
    def lines(self, response: httpx.Response) -> Any:
        return response.aiter_lines()


class StreamsErrors(House):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        try:
            async for chunk in super().stream(messages, **parameters):
                yield chunk
        except httpx.HTTPStatusError:
            yield CompletionChunk("Sorry.", CompletionResponse("Sorry.", self._model, 0))


class EndsHalfAStream(House):
    """Gives a whole answer where the connection breaks."""

    broken: type[Exception] = httpx.RemoteProtocolError

    async def stream(self, messages: Any, **parameters: Any) -> Any:
        words, has_ended = "", False
        try:
            async for chunk in super().stream(messages, **parameters):
                words, has_ended = words + chunk.content, chunk.response is not None
                yield chunk
        except self.broken:
            pass
        else:
            if has_ended or self.broken is not LookupError:
                return
        yield CompletionChunk(response=CompletionResponse(words, self._model, 0))


class EndsWithoutItsMark(EndsHalfAStream):
    broken = LookupError


class GivesAllAtOnce(House):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        for chunk in [chunk async for chunk in super().stream(messages, **parameters)]:
            yield chunk


class StreamsTheLastMessage(House):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        async for chunk in super().stream(messages[-1:], **parameters):
            yield chunk


class StreamsWithoutRoles(House):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        turns = [Message("user", m.content) for m in messages]
        async for chunk in super().stream(turns, **parameters):
            yield chunk


class StreamsNoTurns(House):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        if len(messages) == 1:
            async for chunk in super().stream(messages, **parameters):
                yield chunk


class StreamsNothingToNothing(House):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        if messages and messages[-1].content:
            async for chunk in super().stream(messages, **parameters):
                yield chunk


class StreamsNoOtherModel(House):
    async def stream(self, messages: Any, model: Any = None, **parameters: Any) -> Any:
        if model is None:
            async for chunk in super().stream(messages, **parameters):
                yield chunk


class StreamsWithoutUnicode(House):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        plain = [Message(m.role, m.content.encode("ascii", "ignore").decode()) for m in messages]
        async for chunk in super().stream(plain, **parameters):
            yield chunk


class StreamsTheBeginning(House):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        short = [Message(m.role, m.content[:10_000]) for m in messages]
        async for chunk in super().stream(short, **parameters):
            yield chunk


class StreamsWithoutTheModel(House):
    async def stream(self, messages: Any, model: Any = None, **parameters: Any) -> Any:
        async for chunk in super().stream(messages, **parameters):
            yield chunk


class StreamsWithoutTheTemperature(House):
    async def stream(self, messages: Any, *, temperature: Any = None, **parameters: Any) -> Any:
        async for chunk in super().stream(messages, **parameters):
            yield chunk


class StreamsWithoutAZero(House):
    async def stream(self, messages: Any, *, temperature: Any = None, **parameters: Any) -> Any:
        async for chunk in super().stream(messages, temperature=temperature or None, **parameters):
            yield chunk


class StreamsTheKeyInErrors(House):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        try:
            async for chunk in super().stream(messages, **parameters):
                yield chunk
        except httpx.HTTPStatusError as error:
            raise HouseError(error.response.status_code) from ValueError(f"sent {self.headers}")


class PrintsTheKeyInItsStream(House):
    async def stream(self, messages: Any, **parameters: Any) -> Any:
        print("sending", self.headers)
        async for chunk in super().stream(messages, **parameters):
            yield chunk


class BlocksInItsStream(House):
    async def stream(self, messages: Any, model: Any = None, **parameters: Any) -> Any:
        body = self.body(messages, model, parameters.pop("temperature", None), parameters)
        words = ""
        sent = ("POST", self._url)
        with (
            httpx.Client() as client,
            client.stream(*sent, headers=self.headers, json=body) as response,  # noqa: ASYNC212
        ):
            response.raise_for_status()
            for line in response.iter_raw():  # an event comes in one piece here
                event = json.loads(line)
                words += event.get("words", "")
                if "over" not in event:
                    yield CompletionChunk(event["words"])
                else:
                    yield CompletionChunk(response=CompletionResponse(words, self._model, 3))


class StreamsOn(House):
    """Reads in the background, so that whoever stops reading does not stop it."""

    def __init__(self, api_key: str, endpoint: str) -> None:
        super().__init__(api_key, endpoint)
        self._readers: list[Any] = []

    async def stream(self, messages: Any, **parameters: Any) -> Any:
        chunks: asyncio.Queue[Any] = asyncio.Queue()

        async def read() -> None:
            try:
                async for chunk in super(StreamsOn, self).stream(messages, **parameters):
                    chunks.put_nowait(chunk)
            except Exception as error:
                chunks.put_nowait(error)
            chunks.put_nowait(None)

        self._readers.append(asyncio.create_task(read()))
        while (chunk := await chunks.get()) is not None:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk
