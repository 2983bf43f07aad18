"""Agents: a name, an injected provider, and what to tell it.

An agent with ``output`` asked of it returns validated data: it gives the JSON
schema to a provider that takes one ("native"), else adds it to the prompt
("prompted"), and asks once more, with the validation errors, where the answer
does not fit.
"""

import asyncio
import atexit
import contextlib
import json
import threading
from collections.abc import AsyncGenerator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from war_rig.errors import MalformedAnswerError, WarRigError
from war_rig.forking import begins_anew_in_child
from war_rig.providers import CompletionChunk, CompletionResponse, LLMProvider, Message
from war_rig.providers.answers import checked
from war_rig.providers.output import WantedOutput
from war_rig.providers.streams import checked_stream

if TYPE_CHECKING:
    from pydantic import BaseModel

T = TypeVar("T")
_END_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Agent:
    """An LLM with a part to play. What is None is left to the provider."""

    name: str
    provider: LLMProvider
    system: str | None = None
    model: str | None = None
    temperature: float | None = None

    async def run(
        self, text: str, *, output: "type[BaseModel] | None" = None, **parameters: Any
    ) -> CompletionResponse:
        """Ask the provider; *parameters* go to it as they are and beat the agent's own.

        With *output*, the response's ``output`` holds an instance of it and its
        token counts are those of both calls, where it took two. Raises the errors
        of ``war_rig.errors``; MalformedAnswerError where no answer fits *output*.
        """
        if output is None:
            return await self._complete(self._messages(text), parameters)
        with _one_piece_of_work(self.provider):
            return await self._structured(text, output, parameters)

    def run_sync(
        self, text: str, *, output: "type[BaseModel] | None" = None, **parameters: Any
    ) -> CompletionResponse:
        """Do what ``run`` does, for code that is not async; works inside a running loop too."""
        return _in_background(self.run(text, output=output, **parameters))

    def stream(self, text: str, **parameters: Any) -> AsyncGenerator[CompletionChunk, None]:
        """Return an iterator over the answer as it arrives; *parameters* are those of ``run``.

        The last chunk, and only it, has a ``response``: the whole answer, its
        usage reported or estimated. A provider that does not stream gives its
        answer as one chunk. Raises what ``run`` does, also after some chunks.
        Close it where you leave early, and the connection is closed at once:
        ``async with contextlib.aclosing(agent.stream(text)) as chunks``.
        """
        asked = self._parameters(parameters)
        return checked_stream(self.provider, self._messages(text), asked, self._provider_name)

    def _messages(self, text: str) -> list[Message]:
        system = [Message("system", self.system)] if self.system else []
        return [*system, Message("user", text)]

    async def _complete(
        self, messages: list[Message], parameters: dict[str, Any]
    ) -> CompletionResponse:
        asked = self._parameters(parameters)
        answer = await self.provider.complete(messages, **asked)
        return checked(answer, self._provider_name, asked.get("model"))

    def _parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        own = {"model": self.model, "temperature": self.temperature}
        return {name: value for name, value in own.items() if value is not None} | parameters

    async def _structured(
        self, text: str, output: "type[BaseModel]", parameters: dict[str, Any]
    ) -> CompletionResponse:
        wanted = WantedOutput(json.loads(_schema(output)), self.provider)
        messages = self._messages(text + wanted.request)
        first = await self._complete(messages, wanted.parameters | parameters)
        fault = _fault(first, output, wanted)
        if fault is None:
            return first
        messages += [Message("assistant", first.content), Message("user", _again(wanted, fault))]
        try:
            second = await self._complete(messages, wanted.parameters | parameters)
        except WarRigError as error:
            error.attempts = (*first.attempts, *error.attempts)
            raise
        fault = _fault(second, output, wanted)
        _add_usage(second, first)
        if fault is None:
            return second
        failure = MalformedAnswerError(
            f"provider '{self._provider_name}' did not answer agent '{self.name}' with a valid "
            f"{output.__name__}, asked twice\n  {fault.replace(chr(10), chr(10) + '  ')}\n"
            "  choose a model that follows a JSON schema, or ask for less at once",
            provider=self._provider_name,
            model=second.model,
        )
        failure.attempts = second.attempts
        raise failure

    @property
    def _provider_name(self) -> str:
        return getattr(self.provider, "name", None) or type(self.provider).__name__


def _one_piece_of_work(provider: LLMProvider) -> AbstractContextManager[None]:
    """Return the context in which a cache forgets the answers that could not be used."""
    begin = getattr(provider, "one_piece_of_work", None)
    return begin() if callable(begin) else contextlib.nullcontext()


@lru_cache
def _schema(output: "type[BaseModel]") -> str:
    return json.dumps(output.model_json_schema())


def _again(wanted: WantedOutput, fault: str) -> str:
    """Return the second question; a server that ignored the schema is shown it here."""
    asked = f"That does not fit the schema. Answer with the corrected JSON only.\n{fault}"
    return asked if wanted.mode == "prompted" else asked + wanted.shown_schema


def _fault(
    response: CompletionResponse, output: "type[BaseModel]", wanted: WantedOutput
) -> str | None:
    """Put the validated object into *response*; return what is wrong where it does not fit."""
    from pydantic import ValidationError

    try:
        response.output = output.model_validate_json(wanted.json_in(response.content))
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        return "\n".join(f"{'.'.join(map(str, f['loc'])) or 'JSON'}: {f['msg']}" for f in faults)
    response.output_mode = wanted.mode
    return None


def _add_usage(response: CompletionResponse, earlier: CompletionResponse) -> None:
    """Count what *earlier* cost too; a part that one of them did not tell is unknown."""
    response.attempts = (*earlier.attempts, *response.attempts)
    response.tokens_used += earlier.tokens_used
    for part in ("prompt_tokens", "completion_tokens"):
        counts = (getattr(response, part), getattr(earlier, part))
        setattr(response, part, None if None in counts else sum(counts))
    if earlier.usage_source != response.usage_source:
        response.usage_source = "estimated" if "estimated" in (
            earlier.usage_source, response.usage_source
        ) else None  # fmt: skip


class _Background:
    """The one event loop, in a thread of its own, that run_sync uses."""

    def __init__(self) -> None:
        self.begin_anew()
        begins_anew_in_child(self)

    def begin_anew(self) -> None:
        """Forget the loop: its thread is not in a forked child, and its lock may be held there."""
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._thread is None or not self._thread.is_alive():
                self._loop = asyncio.new_event_loop()  # anew after a fork, too
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="war-rig-run-sync", daemon=True
                )
                self._thread.start()
            return self._loop

    def stop(self) -> None:
        """End the loop as asyncio.run would, so that what it holds is closed.

        A loop that a provider blocks is left to the end of the process.
        """
        if self._loop is None or self._thread is None or not self._thread.is_alive():
            return
        ending = asyncio.run_coroutine_threadsafe(_end_all(), self._loop)
        with contextlib.suppress(TimeoutError):
            ending.result(timeout=_END_SECONDS)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=_END_SECONDS)
            self._loop.close()
        self._loop = None


async def _end_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


_background = _Background()
atexit.register(_background.stop)


_is_inside: ContextVar[bool] = ContextVar("is_inside", default=False)


async def _inside(work: Coroutine[Any, Any, T]) -> T:
    _is_inside.set(True)
    return await work


def _in_background(work: Coroutine[Any, Any, T]) -> T:
    if _is_inside.get():  # a provider asks another agent: the loop waits for it already
        with ThreadPoolExecutor(1) as other:
            return other.submit(asyncio.run, _inside(work)).result()
    running = asyncio.run_coroutine_threadsafe(_inside(work), _background.loop())
    try:
        return running.result()
    except BaseException:
        running.cancel()
        raise
