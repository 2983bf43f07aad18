"""Where a provider is tried: built anew, in a thread with a limit, with nothing real in reach."""

import asyncio
import gc
import inspect
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, aclosing, asynccontextmanager, contextmanager, suppress
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
from war_rig.testing.conformance.guard import nothing_leaves
from war_rig.testing.conformance.planting import Planting, planted_environment, watched_environment
from war_rig.testing.conformance.rule import Missed
from war_rig.testing.conformance.server import ScriptedServer
from war_rig.testing.conformance.templates import Given, Template

PATIENCE_SECONDS = 2.0
"""How long is waited for what a good provider does at once."""

_CLOSING_SECONDS = 2.0
_TURN_SECONDS = 0.005
HELLO = "Hello from the conformance kit."

Way = Literal["complete", "stream"]
"""The method of a provider that is asked."""


class TooLate(Exception):  # noqa: N818  what the bench tells, not an error of the kit's
    """Tells that something had not ended when its time was up."""


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
        try:
            returned = await self.ask(way, *messages, **parameters)
        except Missed:
            raise
        except Exception as error:  # the plugin's border
            failure = error
        else:
            if content_of(returned) is None:
                raise Missed(sent, shown(returned))
            assert isinstance(returned, CompletionResponse)
            return returned
        raised = f"{way}() raised {said(failure)}{place_of(failure)}"
        raise Missed(sent, raised) from failure

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
class Played:
    """What came of it: a value, or what was raised, of any kind."""

    value: Any = None
    error: BaseException | None = None


def limited(work: Callable[[], Any], seconds: float, stuck: list[threading.Thread]) -> Played:
    """Return what came of *work*, done in a thread that joins *stuck* when its time is up."""
    late = TooLate(f"it had not ended after {seconds:g} s")
    played = [Played(error=late)]

    def record() -> None:
        try:
            played.append(Played(work()))
        except BaseException as error:  # the plugin's border: SystemExit ends only this thread
            played.append(Played(error=error))

    thread = threading.Thread(target=record, name="war-rig-kit", daemon=True)
    thread.start()
    try:
        thread.join(seconds)
    finally:
        if thread.is_alive():
            stuck.append(thread)
    return played[-1]


_KEPT = ExitStack()
"""The surroundings of threads that did not end: whatever they do later, they do in them."""


@contextmanager
def surroundings(
    planting: Planting, refused: set[str], stuck: list[threading.Thread], *, watched: bool
) -> Iterator[None]:
    """Let the provider's code run with planted variables, and nothing leave this machine.

    Where a thread joins *stuck* meanwhile, it stays so until the process ends.
    watched: whether the variables that it reads are planted as it asks.
    """
    before = len(stuck)
    with ExitStack() as around:
        around.enter_context(planted_environment(planting.variables))
        if watched:
            around.enter_context(watched_environment(planting))
        around.enter_context(nothing_leaves(refused))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what a provider leaves open is told by rules
                yield
        finally:
            if len(stuck) > before:
                _KEPT.push(around.pop_all())


@contextmanager
def thrown_away() -> Iterator[None]:
    """Throw away at the end what came to be: a client left open must not complain in later tests.

    What was there before is not looked at, which would take longer than all else.
    """
    if gc.get_freeze_count():  # inside of another
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gc.collect()
        gc.unfreeze()


@dataclass
class Bench:
    """Builds the provider and runs it.

    given: what somebody said of its API's answers. option: how one with a value is written.
    refused: the hosts beyond this machine that it asked. stuck: the threads that did not end.
    """

    blueprint: Blueprint
    planting: Planting
    server: ScriptedServer
    stuck: list[threading.Thread]
    given: Given = (None, None)
    option: str = "--{} {}"
    findings: Findings = field(default_factory=Findings)
    refused: set[str] = field(default_factory=set)

    def unreached(self) -> str:
        """Return why nothing that needs its API can be tested, and what to pass."""
        names = [p.name for p in self.blueprint.parameters]
        return advice.unreached(self.planting, names, self.refused, self.option)

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
