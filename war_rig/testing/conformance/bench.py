"""Where a provider is tried: built anew for each rule, and asked as an agent asks it."""

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from war_rig.providers import CompletionResponse, LLMProvider, Message
from war_rig.providers.answers import awaited
from war_rig.providers.blueprint import Blueprint
from war_rig.providers.foreign import attribute, one_line, repr_of, said
from war_rig.providers.places import place_of
from war_rig.providers.streams import streamed
from war_rig.testing.conformance import advice, signatures
from war_rig.testing.conformance.findings import Findings
from war_rig.testing.conformance.planting import Planting
from war_rig.testing.conformance.rule import Missed
from war_rig.testing.conformance.server import ScriptedServer
from war_rig.testing.conformance.surroundings import Played, limited, surroundings
from war_rig.testing.conformance.templates import Given, Template

PATIENCE_SECONDS = 2.0
"""How long is waited for what a good provider does at once."""

_CLOSING_SECONDS = 2.0
_TURN_SECONDS = 0.005
HELLO = "Hello from the conformance kit."

Way = Literal["complete", "stream"]
"""The method of a provider that is asked."""


@dataclass
class Scene:
    """One provider, newly built, and the bench that it is tried on, in which *loop* of its own."""

    provider: LLMProvider
    bench: "Bench"
    loop: int = 1

    @property
    def server(self) -> ScriptedServer:
        """Return the server that plays the API."""
        return self.bench.server

    @property
    def template(self) -> Template:
        """Return how the API answers."""
        assert self.bench.findings.template is not None
        return self.bench.findings.template

    @property
    def ways(self) -> tuple[Way, ...]:
        """Return the methods to ask by: complete(), and a stream() that can be called and answers.

        What a stream() is without either, rules of its own tell.
        """
        findings = self.bench.findings
        is_one = findings.has_stream and findings.stream_fault is None
        if not is_one or signatures.faults(attribute(self.provider, "stream")):
            return ("complete",)
        return ("complete", "stream")

    def will_answer(self, content: str = HELLO, way: Way = "complete") -> None:
        """Let the API answer *content* from now on; a provider that has none answers by itself."""
        if way == "stream" and self.bench.findings.stream is not None:
            self.server.script = self.bench.findings.stream.streaming(content)
        elif self.bench.findings.template is not None:
            self.server.script = self.template.answering(content)

    async def complete(self, *messages: Message | str, **parameters: Any) -> object:
        """Return what complete() returns, whatever it is; a text is a user's message."""
        return await awaited(self.provider, conversation(*messages), parameters)

    async def ask(self, way: Way, *messages: Message | str, **parameters: Any) -> object:
        """Return what complete() returns, or the response of a stream; else raise Missed."""
        if way == "complete":
            return await self.complete(*messages, **parameters)
        async with self.stream(*messages, **parameters) as chunks:
            async for chunk in chunks:
                response: object = chunk.response
        return response

    async def answer(
        self, *messages: Message | str, way: Way = "complete", **parameters: Any
    ) -> CompletionResponse:
        """Return the answer; raise Missed where there is none."""
        sent = shown_call(*messages, way=way, **parameters)
        with kept_failure() as failure:
            returned = await self.ask(way, *messages, **parameters)
        if error := failure.error:
            raise Missed(sent, f"{way}() raised {said(error)}{place_of(error)}") from error
        if content_of(returned) is None:
            raise Missed(sent, shown(returned))
        assert isinstance(returned, CompletionResponse)
        return returned

    async def close(self) -> None:
        """Close the provider, where it can be closed."""
        closing = attribute(self.provider, "aclose")
        ended = closing() if callable(closing) else None
        if inspect.isawaitable(ended):
            await ended

    @asynccontextmanager
    async def stream(self, *messages: Message | str, **parameters: Any) -> AsyncIterator[Any]:
        """Ask for a stream, held to the contract; Missed is raised for what is none."""

        def refuse(what: str) -> Missed:
            sent = shown_call(*messages, way="stream", **parameters)
            return Missed(sent, f"it gave {what}")

        asked = streamed(self.provider, conversation(*messages), parameters, None, refuse)
        async with aclosing(asked) as chunks:
            yield chunks


@dataclass
class Failure:
    """What the provider's code raised, None where it did not."""

    error: Exception | None = None


@contextmanager
def kept_failure() -> Iterator[Failure]:
    """Keep what is raised inside; a Missed passes, by which a check tells what it found."""
    kept = Failure()
    try:
        yield kept
    except Missed:
        raise
    except Exception as error:  # the plugin's border
        kept.error = error


def conversation(*messages: Message | str) -> list[Message]:
    """Return *messages*; a text is a user's."""
    return [one if isinstance(one, Message) else Message("user", one) for one in messages]


def content_of(returned: object) -> str | None:
    """Return the text of an answer, None where War Rig would not take it for one."""
    if isinstance(returned, CompletionResponse) and isinstance(returned.content, str):
        return returned.content or None
    return None


def shown(returned: object) -> str:
    """Return what complete() returned, for a person to see."""
    if isinstance(returned, CompletionResponse):
        names = ("content", "model", "tokens_used")
        parts = ", ".join(f"{name}={repr_of(getattr(returned, name))}" for name in names)
        return f"complete() returned {one_line(f'CompletionResponse({parts})')}"
    if returned is None:
        return "complete() returned None"
    text = f"a {type(returned).__name__}: {repr_of(returned)}"
    return f"complete() returned {one_line(text)}"


def shown_call(*messages: Message | str, way: Way = "complete", **parameters: Any) -> str:
    """Return a call for a person to see."""
    said_ = (one_line(f"{m.role}: {m.content}", 60) for m in conversation(*messages))
    given = "".join(f", {name}={value!r}" for name, value in parameters.items())
    return f"{way}([{' | '.join(said_)}]{given})"


async def eventually(is_so: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
    """Return whether something comes true in time; servers are threads."""
    end = asyncio.get_running_loop().time() + seconds
    while not is_so():
        if asyncio.get_running_loop().time() > end:
            return False
        await asyncio.sleep(_TURN_SECONDS)
    return True


@dataclass
class Bench:
    """Builds the provider and runs it.

    given: what somebody said of its API's answers. option: how one with a value is written.
    unmade: the paths that no answer, and no stream, could be made up for. refused: the hosts
    beyond this machine that it asked. stuck: the threads that did not end.
    """

    blueprint: Blueprint
    planting: Planting
    server: ScriptedServer
    stuck: list[threading.Thread]
    given: Given = (None, None)
    option: str = "--{} {}"
    unmade: tuple[str | None, str | None] = (None, None)
    findings: Findings = field(default_factory=Findings)
    refused: set[str] = field(default_factory=set)

    def unreached(self) -> str:
        """Return why nothing that needs its API can be tested, and what to pass."""
        names = [p.name for p in self.blueprint.parameters]
        return advice.unreached(self.planting, names, self.refused, self.option)

    def told_of_answers(self) -> str:
        """Return what came where it never answered, or why nothing could."""
        path = self.unmade[0] if self.findings.is_asked else None
        return advice.unmade("an answer", path) if path else str(self.findings.fault)

    def told_of_streams(self) -> str:
        """Return what came where it never streamed, or why nothing could."""
        path = self.unmade[1]
        return advice.unmade("a stream", path) if path else str(self.findings.stream_fault)

    def advice_on_answers(self) -> str:
        """Return what to do where it never answered."""
        return advice.answers(self._has_paths, self.given[0] is not None, self.option)

    def advice_on_streams(self) -> str:
        """Return what to do where it never streamed."""
        return advice.streams(self._has_paths, self.given[1] is not None, self.option)

    @property
    def _has_paths(self) -> bool:
        return bool(self.blueprint.registration.templates)

    def play(
        self,
        act: Callable[[Scene], Any],
        seconds: float,
        *,
        loops: int = 1,
        watched: bool = False,
    ) -> Played:
        """Build the provider, and let *act* use it; an async one runs in a loop of its own."""

        def work() -> Any:
            scene = Scene(self.blueprint.build(), self)
            if not inspect.iscoroutinefunction(act):
                return act(scene)
            for scene.loop in range(1, loops):
                asyncio.run(_acted(act, scene))
            scene.loop = loops
            return asyncio.run(_acted(act, scene, is_last=True))

        with surroundings(self.planting, self.refused, self.stuck, watched=watched):
            played = limited(work, seconds, self.stuck)
            self.server.end_scene()
        return played


async def _acted(act: Callable[[Scene], Any], scene: Scene, *, is_last: bool = False) -> Any:
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    try:
        return await act(scene)
    finally:
        scene.server.end_scene()  # else a call in a thread keeps the loop from ending
        if is_last:
            with suppress(Exception):  # the plugin's border: a rule of its own is about closing
                await asyncio.wait_for(scene.close(), _CLOSING_SECONDS)
