"""Where a key shows up that should not: the kit has planted made-up ones, canaries."""

import io
import logging
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from itertools import product

from war_rig.errors import WarRigError
from war_rig.providers.border import Border
from war_rig.providers.foreign import one_line, repr_of, said, text_of
from war_rig.providers.secrets import MASK, in_base64
from war_rig.testing.conformance.bench import HELLO, Scene, conversation
from war_rig.testing.conformance.checks.failing import ERROR, refusing
from war_rig.testing.conformance.learning import causes
from war_rig.testing.conformance.rule import Missed, NotTested, rule
from war_rig.testing.conformance.server import Connection, Request, Script

_SHORTEST = 8  # War Rig looks for no shorter one in a text either


@rule(
    needs="build",
    wanted="repr() and str() of the provider show no key",
    change="leave it out of __repr__; in a dataclass: field(repr=False)",
)
def repr_shows_no_key(scene: Scene) -> None:
    """A provider's repr stands in tracebacks, logs and debuggers."""
    for name, text in (("repr", repr_of(scene.provider)), ("str", text_of(scene.provider))):
        if found := _keys_in(scene, text):
            shown = one_line(_cleared(scene, text))
            raise Missed(f"{name}(provider)", f"it shows {found}: {shown}")


@rule(
    wanted="no exception, and no cause of one, shows a key in its text",
    change="raise with what the API answered, and without what was sent to it",
)
async def errors_show_no_key(scene: Scene) -> None:
    """Errors are logged, sent to trackers, and pasted into tickets."""
    _canaries(scene)
    for way, (sent, script) in product(scene.ways, _failures().items()):
        scene.server.script = script
        try:
            await scene.ask(way, HELLO)
        except Exception as error:  # the plugin's border
            if found := _keys_in(scene, "\n".join(_texts(error))):
                shown = said(error, lambda text: _cleared(scene, text))
                raise Missed(f"{way}(): {sent}", f"it shows {found}: {shown}") from None


@rule(
    needs="answer",
    wanted="nothing that is logged, printed or warned of shows a key, at no level",
    change="don't log the headers and the arguments of a request, nor put a key into its URL: "
    "httpx logs that",
)
async def logs_show_no_key(scene: Scene) -> None:
    """A log is read by more people than a key may be."""
    _canaries(scene)
    with _recorded() as written:
        scene.bench.blueprint.build()
    _check_written(scene, "it was built", written())
    for way in scene.ways:
        with _recorded() as written:
            scene.will_answer(way=way)
            await scene.answer(HELLO, way=way)
            for script in _failures().values() if scene.bench.findings.is_asked else ():
                scene.server.script = script
                with suppress(Exception):  # the plugin's border
                    await scene.ask(way, HELLO)
        _check_written(scene, f"{way}() answered once, and failed", written())


def _check_written(scene: Scene, sent: str, lines: list[str]) -> None:
    for line in lines:
        if found := _keys_in(scene, line):
            raise Missed(sent, f"{found} in: {one_line(_cleared(scene, line))}")


@rule(
    is_required=False,
    wanted="War Rig knows the key for one, by the name of its argument or variable",
    change="let the name end in key, token, secret or password",
)
async def echoed_key_is_known(scene: Scene) -> None:
    """Some APIs quote a wrong key in their errors; War Rig clears them of what it knows."""
    keys = _canaries(scene)
    plan = scene.bench.blueprint
    body = ERROR.replace(b"says no", f"says no to {' and '.join(keys.values())}".encode())
    scene.server.script = refusing(401, body)
    try:
        await Border(plan.name, scene.provider, plan.secrets).complete(conversation(HELLO))
    except WarRigError as error:
        text = "\n".join(_texts(error))
    else:
        raise NotTested("needs an error, and complete() raised none")
    if found := _plain_keys_in(scene, text):  # as it was quoted
        raise Missed("the API answered 401, and quoted the key", f"War Rig's error shows {found}")


def _failures() -> dict[str, Script]:
    return {
        "the API answered 401": refusing(401),
        "the API answered 500": refusing(500),
        "the API answered 200 with {}": refusing(200, b"{}"),
        "the API hung up": _hang_up,
    }


def _hang_up(request: Request, connection: Connection) -> None:
    connection.cut()


def _keys_in(scene: Scene, text: str) -> str:
    """Return which key *text* shows, for a person to see; nothing where there is none."""
    keys = _canaries(scene).items()
    coded = (name for name, key in keys if any(spelt in text for spelt in in_base64(key)))
    return _plain_keys_in(scene, text) or next((f"the key of {n} (in base64)" for n in coded), "")


def _plain_keys_in(scene: Scene, text: str) -> str:
    return next((f"the key of {name}" for name, key in _canaries(scene).items() if key in text), "")


def _cleared(scene: Scene, text: str) -> str:
    """Return *text* without keys in base64: of the others a person sees what they are."""
    for spelt in (spelt for key in _canaries(scene).values() for spelt in in_base64(key)):
        text = text.replace(spelt, MASK)
    return text


def _canaries(scene: Scene) -> dict[str, str]:
    """Return the planted keys, and those of an entry, by name; NotTested where there is none."""
    keys = dict(scene.bench.planting.canaries)
    others = sorted(scene.bench.blueprint.secrets - set(keys.values()))
    long = (secret for secret in others if len(secret) >= _SHORTEST)
    keys |= {f"its entry ({number})": secret for number, secret in enumerate(long, 1)}
    if not keys:
        raise NotTested("it has no argument, and reads no variable, that is called like a key")
    return keys


def _texts(error: BaseException) -> Iterator[str]:
    """Yield all that is printed of *error* and of what led to it."""
    yield "".join(traceback.format_exception(error))
    for inner in causes(error):
        yield from (text_of(inner), repr_of(inner), *map(repr_of, inner.args))


@contextmanager
def _recorded() -> Iterator[Callable[[], list[str]]]:
    """Record what is logged, at every level, printed and warned of, in the place of showing it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    deaf = [root, *(one for one in _loggers() if not one.propagate)]
    before = [(one, one.handlers, one.level) for one in deaf]
    try:
        for one in deaf:
            one.handlers = [handler]
            one.setLevel(logging.DEBUG)
        with (
            redirect_stdout(written),
            redirect_stderr(written),
            warnings.catch_warnings(record=True) as warned,
        ):
            warnings.simplefilter("always")
            yield lambda: [*written.getvalue().splitlines(), *map(_warning, warned)]
    finally:
        for one, handlers, level in before:
            one.handlers = handlers
            one.setLevel(level)


def _warning(warned: warnings.WarningMessage) -> str:
    return f"{warned.category.__name__}: {text_of(warned.message)}"


def _loggers() -> Iterator[logging.Logger]:
    yield from (one for one in logging.root.manager.loggerDict.values()
                if isinstance(one, logging.Logger))  # fmt: skip
