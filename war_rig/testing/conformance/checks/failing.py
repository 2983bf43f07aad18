"""What becomes of an API that fails: never an answer."""

import json

from war_rig.providers.classification import classify
from war_rig.providers.foreign import said
from war_rig.testing.conformance.bench import HELLO, Scene, content_of, shown
from war_rig.testing.conformance.rule import Missed, NotTested, rule
from war_rig.testing.conformance.server import (
    JSON,
    Connection,
    Request,
    Script,
    answering,
    head,
)

STATUSES = (400, 401, 403, 404, 429, 500, 503)
_RETRY_AFTER_SECONDS = 1
ERROR = json.dumps(
    {"error": {"message": "the kit says no", "type": "kit_error", "code": "kit_error"}}
).encode()
_HTML = b"<!doctype html><html><body><h1>Welcome to the proxy</h1></body></html>"
_RAISE_FOR_STATUS = "check the status before you read the body: response.raise_for_status()"


@rule(
    wanted="a 4xx or 5xx never becomes an answer: complete() raises",
    change=_RAISE_FOR_STATUS,
)
async def error_status_is_no_answer(scene: Scene) -> None:
    """An agent takes whatever is returned for the model's words, and goes on with it."""
    for status in STATUSES:
        scene.server.script = refusing(status)
        await _check_refused(scene, f"the API answered {status} {ERROR.decode()}")


@rule(
    wanted="what is no answer never becomes one: complete() raises",
    change="read the answer by its keys, with [...], and let what is missing raise",
)
async def malformed_answer_is_no_answer(scene: Scene) -> None:
    """Proxies, login pages and bugs answer with status 200 too."""
    whole = scene.template.filled(HELLO)
    bodies = {"nothing": (b"", scene.template.kind)}
    if not isinstance(scene.template.body, str):  # any text is an answer of an API of texts
        bodies |= {
            "a web page": (_HTML, "text/html"),
            "half of its JSON": (whole[: len(whole) // 2], scene.template.kind),
            "an error": (ERROR, scene.template.kind),
            **{body: (body.encode(), scene.template.kind) for body in ("null", "{}", "[]", '"x"')},
        }
    for name, (body, kind) in bodies.items():
        scene.server.script = answering(body, kind)
        await _check_refused(scene, f"the API answered 200 with {name}")


@rule(
    wanted="an answer that is cut off never becomes one: complete() raises",
    change="read the body with your HTTP library, which knows how long it should have been",
)
async def cut_answer_is_no_answer(scene: Scene) -> None:
    """Half of a list of findings reads like a whole one."""
    body, kind = scene.template.filled(HELLO), scene.template.kind

    def halved(request: Request, connection: Connection) -> None:
        connection.send(head(200, kind, len(body)) + body[: len(body) // 2])
        connection.cut()

    def unended(request: Request, connection: Connection) -> None:
        connection.send(head(200, kind))
        connection.send_chunk(body)
        connection.cut()

    scene.server.script = halved
    await _check_refused(scene, "the API sent half of the bytes that it promised, and hung up")
    scene.server.script = unended
    await _check_refused(scene, "the API hung up before the last chunk of its answer")


@rule(
    is_required=False,
    wanted="the exception carries the HTTP status, as status_code, status or response.status_code",
    change=_RAISE_FOR_STATUS + ", or raise an error of your own with a status_code",
)
async def error_carries_its_status(scene: Scene) -> None:
    """By it War Rig knows what to repeat, and can say that the key is wrong."""
    for status in STATUSES:
        scene.server.script = refusing(status)
        error = await _error(scene)
        if (told := classify(error).status) != status:
            came_back = f"it raised {said(error)}, with {told or 'no'} status"
            raise Missed(f"the API answered {status}", came_back)


@rule(
    is_required=False,
    wanted="the exception carries the Retry-After of a 429: its response's header, or retry_after",
    change=_RAISE_FOR_STATUS + ", or raise an error of your own with retry_after_seconds",
)
async def error_carries_its_retry_after(scene: Scene) -> None:
    """Else War Rig asks again too early, or later than it had to."""
    scene.server.script = refusing(429, retry_after=str(_RETRY_AFTER_SECONDS))
    error = await _error(scene)
    if (told := classify(error).retry_after_seconds) != _RETRY_AFTER_SECONDS:
        came_back = f"it raised {said(error)}, which tells {'nothing' if told is None else told}"
        raise Missed(f"the API answered 429, Retry-After: {_RETRY_AFTER_SECONDS}", came_back)


@rule(
    is_required=False,
    wanted="a call is one request: what failed is not repeated by the provider itself",
    change="turn the repeating off in your SDK, such as max_retries=0",
)
async def call_is_one_request(scene: Scene) -> None:
    """War Rig repeats as its policies say; where a provider does so too, attempts multiply."""
    for status in (429, 500):
        scene.server.script = refusing(status)
        before = len(scene.server.requests)
        await _error(scene)
        asked = len(scene.server.requests) - before
        if asked > 1:
            raise Missed(f"the API answered {status}", f"it was asked {asked} times for one call")


def refusing(status: int, body: bytes = ERROR, **headers: str) -> Script:
    """Return the script of an API that answers with an error."""
    return answering(body, JSON, status, **headers)


async def _check_refused(scene: Scene, sent: str) -> None:
    try:
        returned = await scene.complete(HELLO)
    except Exception:  # the plugin's border: so it should be
        return
    if content_of(returned) is not None:
        raise Missed(sent, shown(returned))


async def _error(scene: Scene) -> Exception:
    """Return what complete() raises; raise NotTested where it raises nothing."""
    try:
        await scene.complete(HELLO)
    except Exception as error:  # the plugin's border
        return error
    raise NotTested("needs an error, and complete() raised none")
