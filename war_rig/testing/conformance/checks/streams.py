"""An answer in pieces, where the provider has stream()."""

import asyncio
import re
import threading

from war_rig.testing.conformance.bench import HELLO, PATIENCE_SECONDS, Scene, eventually
from war_rig.testing.conformance.checks.failing import ERROR, refusing
from war_rig.testing.conformance.rule import Missed, NotTested, rule
from war_rig.testing.conformance.server import Connection, Request, Script, head
from war_rig.testing.conformance.templates import StreamTemplate

_PIECES = ("Hello ", "from the ", "kit.")
_UNICODE = ("Gr\u00fc\u00dfe, ", "\u4f60\u597d,\u2028", "\U0001f9d1\u200d\U0001f680.")
_PARTS = re.compile(rb"[\x00-\x7f]+|[\x80-\xff]")  # each byte of a long character by itself


@rule(
    needs="stream",
    wanted="stream() yields chunks; the last one has the response, whose content is all of them",
    change="yield CompletionChunk(text) for each piece, then CompletionChunk(response=...)",
)
async def stream_adds_up(scene: Scene) -> None:
    """What was shown as it arrived, and what the agent keeps, must be the same answer."""
    findings = scene.bench.findings
    if findings.stream_fault is not None:
        advice = scene.bench.advice_on_streams()
        raise Missed(f"stream() with {HELLO!r}", scene.bench.told_of_streams(), advice)
    if findings.stream is not None:
        scene.server.script = findings.stream.streaming(*_PIECES)
    elif findings.template is not None:
        scene.will_answer("".join(_PIECES))
    await _content(scene)


@rule(
    needs="scripted stream",
    wanted="a text arrives as it was, wherever the network cuts it",
    change="split the bytes at b'\\n' and decode whole lines: httpx's aiter_lines() splits at "
    "U+2028 too",
)
async def stream_keeps_unicode(scene: Scene) -> None:
    """A character of several bytes may arrive in two parts, and U+2028 ends no line of JSON."""
    stream = _stream(scene)

    def script(request: Request, connection: Connection) -> None:
        connection.send(head(200, stream.kind))
        data = b"".join([*map(stream.piece_of, _UNICODE), stream.ending()])
        for part in _PARTS.findall(data):
            connection.send_chunk(part)
        connection.send_chunk(b"")

    scene.server.script = script
    content = await _content(scene)
    if content != "".join(_UNICODE):
        raise Missed(f"the API streamed {''.join(_UNICODE)!r}", f"content was {content!r}")


@rule(
    needs="scripted stream",
    wanted="a 4xx or 5xx never becomes a stream: it raises",
    change="check the status before you read the stream: response.raise_for_status()",
)
async def stream_error_is_no_answer(scene: Scene) -> None:
    """An agent takes whatever is streamed for the model's words."""
    for status in (401, 429, 500):
        scene.server.script = refusing(status)
        await _check_raises(scene, f"the API answered {status} {ERROR.decode()}")


@rule(
    needs="scripted stream",
    wanted="a stream whose connection breaks raises: it has no last chunk",
    change="don't catch what your HTTP library raises, and yield the response after the end",
)
async def cut_stream_is_no_answer(scene: Scene) -> None:
    """Half of an answer must not look like a whole one."""
    scene.server.script = _broken_off(_stream(scene), is_cut=True)
    await _check_raises(scene, "the API sent two pieces of three, and hung up")


@rule(
    needs="scripted stream",
    is_required=False,
    wanted="a stream that ends without the API's end mark raises",
    change="yield the response when the end mark came, not when the lines ended",
)
async def stream_waits_for_its_end_mark(scene: Scene) -> None:
    """A proxy that gives up ends a stream as a server does."""
    stream = _stream(scene)
    if not stream.end:
        raise NotTested("the kit knows no end mark of this API")
    scene.server.script = _broken_off(stream, is_cut=False)
    await _check_raises(scene, "the API sent two pieces of three, and ended without its end mark")


@rule(
    needs="scripted stream",
    is_required=False,
    wanted="a piece is given on when it arrives, not when the stream has ended",
    change="yield inside the loop that reads the stream, and read it with your client's stream()",
)
async def stream_gives_pieces_at_once(scene: Scene) -> None:
    """Whoever waits for an answer reads it as it comes."""
    stream, seen, late = _stream(scene), threading.Event(), threading.Event()

    def script(request: Request, connection: Connection) -> None:
        connection.send(head(200, stream.kind))
        connection.send_chunk(stream.piece_of(_PIECES[0]))
        if not seen.wait(PATIENCE_SECONDS):
            late.set()
        for part in (stream.piece_of(_PIECES[1]), stream.ending(), b""):
            connection.send_chunk(part)

    scene.server.script = script
    async with scene.stream(HELLO) as chunks:
        async for chunk in chunks:
            if chunk.content:
                seen.set()
    if late.is_set():
        sent = f"the API sent one piece, and the next {PATIENCE_SECONDS:g} s later"
        raise Missed(sent, "the first was given on after the second had come")


@rule(
    needs="scripted stream",
    wanted="a stream that is closed early closes its connection",
    change="open the request in an `async with` inside of stream(), an async generator",
)
async def closed_stream_hangs_up(scene: Scene) -> None:
    """Whoever has read enough stops reading; the API goes on, and is paid, until it is told."""
    stream, left = _stream(scene), threading.Event()

    def script(request: Request, connection: Connection) -> None:
        connection.send(head(200, stream.kind))
        for piece in _PIECES[:2]:  # one may be read ahead
            connection.send_chunk(stream.piece_of(piece))
        connection.hold(left)

    scene.server.script = script
    async with scene.stream(HELLO) as chunks:
        try:
            await asyncio.wait_for(anext(chunks), PATIENCE_SECONDS)
        except TimeoutError:
            raise NotTested("it gives no piece before the stream has ended") from None
    if not await eventually(left.is_set):
        came_back = f"its connection was still open {PATIENCE_SECONDS:g} s later"
        raise Missed("a stream was closed after its first piece", came_back)


def _stream(scene: Scene) -> StreamTemplate:
    assert scene.bench.findings.stream is not None
    return scene.bench.findings.stream


def _broken_off(stream: StreamTemplate, *, is_cut: bool) -> Script:
    def script(request: Request, connection: Connection) -> None:
        connection.send(head(200, stream.kind))
        for piece in _PIECES[:2]:
            connection.send_chunk(stream.piece_of(piece))
        if is_cut:
            connection.cut()
        else:
            connection.send_chunk(b"")

    return script


async def _content(scene: Scene) -> str:
    """Return the content of the response of a stream; raise Missed where there is none."""
    return (await scene.answer(HELLO, way="stream")).content


async def _check_raises(scene: Scene, sent: str) -> None:
    """Raise Missed where a stream ends in an answer; what is no stream is refused by War Rig."""
    try:
        content = await _content(scene)
    except Missed:
        return
    raise Missed(sent, f"its last chunk had a response: {content!r}")
