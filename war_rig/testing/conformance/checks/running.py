"""How a provider runs: beside others, in any event loop, and until it is told to stop."""

import asyncio
import threading
import time

from war_rig.providers.foreign import said
from war_rig.testing.conformance.bench import (
    HELLO,
    PATIENCE_SECONDS,
    Scene,
    Way,
    eventually,
    shown,
    shown_call,
)
from war_rig.testing.conformance.rule import Missed, NotTested, rule
from war_rig.testing.conformance.server import Connection, Request, Script, head

_CALLS = 50
_BEAT_SECONDS = 0.002
_BEATS = 3
_PARTS = 4
_LONGEST_STOP_SECONDS = 1.0


class _Heart:
    """Beats in the event loop for as long as nobody blocks it."""

    def __init__(self) -> None:
        self.beats = 0
        self.longest_stop_seconds = 0.0
        self.stood_still = False

    async def beat(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            now = time.monotonic()
            self.beats, last, stop = self.beats + 1, now, now - last
            self.longest_stop_seconds = max(self.longest_stop_seconds, stop)

    def wait(self) -> None:
        """Wait in another thread for some beats; where they don't come, it has stood still."""
        end, wanted = time.monotonic() + PATIENCE_SECONDS, self.beats + _BEATS
        while self.beats < wanted and not self.stood_still:
            self.stood_still = time.monotonic() > end
            time.sleep(_BEAT_SECONDS)


@rule(
    needs="answer",
    wanted="the event loop goes on while the API takes its time",
    change="await an async HTTP client, or wrap what blocks in asyncio.to_thread()",
)
async def slow_answer_blocks_nobody(scene: Scene) -> None:
    """One call that blocks stops every other call, and every timeout, of the process."""
    for way in scene.ways:
        await _check_beats(scene, way)


async def _check_beats(scene: Scene, way: Way) -> None:
    """Raise Missed where nothing else runs in the event loop until it has answered."""
    heart = _Heart()
    before = len(scene.server.requests)
    if scene.bench.findings.template is not None:
        scene.server.script = _dripping(scene, way, heart)
    beating = asyncio.create_task(heart.beat())
    await asyncio.sleep(_BEAT_SECONDS)
    await scene.answer(HELLO, way=way)
    await asyncio.sleep(2 * _BEAT_SECONDS)  # so that a stop is over, and has been measured
    beating.cancel()
    is_asked = len(scene.server.requests) > before
    has_stopped = not is_asked and heart.longest_stop_seconds > _LONGEST_STOP_SECONDS
    if heart.stood_still or has_stopped:
        seconds = PATIENCE_SECONDS if heart.stood_still else heart.longest_stop_seconds
        sent = f"{way}(): the API sent its answer in pieces, with pauses"
        came_back = f"nothing else ran in the event loop for {seconds:.1f} s meanwhile"
        raise Missed(sent if heart.stood_still else shown_call(HELLO, way=way), came_back)


def _dripping(scene: Scene, way: Way, heart: _Heart) -> Script:
    """Return the script of an API that goes on only when something else has run in the loop."""
    stream = scene.bench.findings.stream

    def drip(request: Request, connection: Connection) -> None:
        heart.wait()
        body = scene.template.filled(HELLO)
        connection.send(head(200, scene.template.kind, len(body)))
        size = len(body) // _PARTS + 1
        for begin in range(0, len(body), size):
            heart.wait()
            connection.send(body[begin : begin + size])

    def drip_pieces(request: Request, connection: Connection) -> None:
        assert stream is not None
        heart.wait()
        connection.send(head(200, stream.kind))
        for part in (*map(stream.piece_of, HELLO.split()), stream.ending(), b""):
            heart.wait()
            connection.send_chunk(part)

    return drip if way == "complete" or stream is None else drip_pieces


@rule(
    after=("slow_answer_blocks_nobody",),
    wanted="a cancelled complete() ends at once, in CancelledError, and leaves no task behind",
    change="let CancelledError pass: catch Exception, never BaseException, and re-raise",
)
async def cancellation_is_passed_on(scene: Scene) -> None:
    """Timeouts cancel: a provider that goes on, or answers, makes each of them longer."""
    scene.will_answer()
    await scene.answer(HELLO)
    before = asyncio.all_tasks()
    task, _ = await _cancelled(scene)
    if not task.done():
        came_back = f"complete() was still running {PATIENCE_SECONDS:g} s later"
    elif not task.cancelled():
        failure = task.exception()
        came_back = shown(task.result()) if failure is None else f"it raised {said(failure)}"
    elif not await eventually(lambda: not asyncio.all_tasks() - before):
        left = ", ".join(sorted(t.get_coro().__qualname__ for t in asyncio.all_tasks() - before))  # type: ignore[union-attr]
        came_back = f"tasks were left behind: {left}"
    else:
        return
    raise Missed("one call, cancelled while the API had not answered yet", came_back)


@rule(
    after=("cancellation_is_passed_on",),
    wanted="the connection of a cancelled call is closed",
    change="open the client, or the request, in an `async with`, which closes it either way",
)
async def cancelled_call_hangs_up(scene: Scene) -> None:
    """The API goes on working, and is paid, for whoever still listens."""
    threads = set(threading.enumerate())
    scene.will_answer()
    await scene.answer(HELLO)
    _, left = await _cancelled(scene)
    if await eventually(left.is_set):
        return
    if any("process_request" not in t.name for t in set(threading.enumerate()) - threads):
        told = "the call runs in a thread, which nobody can cancel: give its client a timeout"
        raise NotTested(told)
    came_back = f"its connection was still open {PATIENCE_SECONDS:g} s later"
    raise Missed("one call, cancelled while the API had not answered yet", came_back)


async def _cancelled(scene: Scene) -> tuple["asyncio.Task[object]", threading.Event]:
    """Return a call that was cancelled in mid-air, and what is set when its client hangs up."""
    arrived, left = threading.Event(), threading.Event()

    def hold(request: Request, connection: Connection) -> None:
        arrived.set()
        connection.hold(left)

    scene.server.script = hold
    task = asyncio.create_task(scene.complete(HELLO))
    if not await eventually(arrived.is_set):
        raise NotTested("the call did not reach the API")
    task.cancel()
    await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
    return task, left


@rule(
    after=("messages_reach_the_api",),
    wanted=f"{_CALLS} calls at once each get their own answer",
    change="keep nothing of a call on self: pass it on as arguments",
)
async def calls_at_once_keep_apart(scene: Scene) -> None:
    """One provider serves all agents of a process, and they don't wait for each other."""
    asked = [f"kit call {number:02}." for number in range(_CALLS)]
    named: list[str | None] = []

    def echo(request: Request, connection: Connection) -> None:
        own = next((text for text in asked if request.mentions(text)), None)
        named.append(own)
        time.sleep(0.01)  # so that others come in between
        scene.template.answering(own or "none of them")(request, connection)

    scene.server.script = echo
    answers = await asyncio.gather(*map(scene.answer, asked))
    mixed = [(text, a.content) for text, a in zip(asked, answers, strict=True) if a.content != text]
    if mixed and None in named and set(asked) <= set(named):
        raise NotTested("it asks for its answers one by one, and the kit can't tell whose they are")
    if mixed:
        sent = f"{_CALLS} calls at once, each answered with its own text"
        raise Missed(sent, f"{len(mixed)} got another's: {mixed[0][0]!r} got {mixed[0][1]!r}")


@rule(
    needs="answer",
    loops=2,
    wanted="the same provider answers in a second event loop, after the first was closed",
    change="make the client in complete(), or keep one for each running loop",
)
async def second_loop_is_served(scene: Scene) -> None:
    """Scripts and notebooks call asyncio.run() more than once."""
    scene.will_answer()
    try:
        await scene.answer(HELLO)
    except Missed as missed:
        sent = "one call in each of two asyncio.run(...), one after the other"
        raise Missed(sent, f"in number {scene.loop} {missed.came_back}") from missed
