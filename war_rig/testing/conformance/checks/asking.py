"""What reaches the API, and what comes back from it when all is well."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from war_rig.errors import MalformedAnswerError, WarRigError
from war_rig.providers import CompletionResponse, Message
from war_rig.providers.classification import classify
from war_rig.providers.foreign import repr_of, said
from war_rig.providers.places import place_of
from war_rig.testing.conformance import signatures
from war_rig.testing.conformance.bench import HELLO, Scene, Way, content_of, shown, shown_call
from war_rig.testing.conformance.rule import Missed, NotTested, rule
from war_rig.testing.conformance.sent import Sent, differing

_MEGABYTE = 1_000_000
_UNICODE = (
    "Gr\u00fc\u00dfe, \u4f60\u597d, \u0645\u0631\u062d\u0628\u0627, e\u0301, "
    '\U0001f9d1\u200d\U0001f680, "quoted", C:\\path,\ttab,\nline\u2028.'
)
_TURNS = (
    Message("system", "Kit says be brief."),
    Message("user", "Kit asks first."),
    Message("assistant", "Kit was answered."),
    Message("user", "Kit asks again."),
)
_ROLES = ("user", "assistant", "system")
_MODEL = "kit-other-model"
_TEMPERATURE = 0.37
_NO_REFUSAL = "mend it; what your API has no place for, refuse by an error that says so"


@rule(
    needs="build",
    wanted="complete() returns a CompletionResponse whose content is the text of the answer",
    change="return CompletionResponse(content=..., model=..., tokens_used=...)",
)
async def answer_is_a_response(scene: Scene) -> None:
    """What an agent gets is that object: None, a text or a dict is an error to War Rig."""
    findings = scene.bench.findings
    if findings.is_sync or not signatures.takes_messages(scene.provider.complete):
        raise NotTested("needs complete_takes_the_call, which failed")
    if findings.is_out_of_reach:
        raise NotTested(scene.bench.unreached())
    if findings.fault is not None:
        is_asked = findings.is_asked
        change = scene.bench.advice_on_answers() if is_asked else scene.bench.unreached()
        raise Missed(shown_call(HELLO), findings.fault, change)
    scene.will_answer()
    response = await scene.answer(HELLO)
    if findings.template is not None and response.content != HELLO:
        raise Missed(f"the API answered {HELLO!r}", shown(response))
    if not (isinstance(response.model, str) and response.model):
        change = "give the model's name: the API's, else the one that was asked for"
        raise Missed(shown_call(HELLO), shown(response), change)


@rule(
    needs="answer",
    wanted="tokens_used is a whole number, 0 or more; so are the other counts, or None",
    change="pass the API's number on as an int, and 0 where it tells none",
)
async def tokens_are_counted(scene: Scene) -> None:
    """Budgets and prices add them up, and to War Rig a text or a float is an error."""
    scene.will_answer()
    response = await scene.answer(HELLO)
    if not _is_count(response.tokens_used):
        raise Missed(shown_call(HELLO), shown(response))
    for name in ("prompt_tokens", "completion_tokens"):
        count = getattr(response, name)
        if count is not None and not _is_count(count):
            raise Missed(shown_call(HELLO), f"{name} was {repr_of(count)}")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


@rule(
    wanted="the text of every message reaches the API",
    change="send every message, not only the last one",
)
async def messages_reach_the_api(scene: Scene) -> None:
    """An agent's system prompt, and what was said before, are messages too."""
    for way in scene.ways:
        scene.will_answer(way=way)
        with _sending(scene) as sent:
            await scene.answer(*_TURNS, way=way)
        for message in _TURNS:
            if not _mentions(sent(), message.content):
                came_back = f"the {message.role}'s {message.content!r} is not in {sent()}"
                raise Missed(shown_call(*_TURNS, way=way), came_back)


@rule(
    after=("messages_reach_the_api",),
    wanted="the API can tell a system's, a user's and an assistant's message apart",
    change="send the role of each message, in your API's own words",
)
async def roles_are_passed_on(scene: Scene) -> None:
    """A model that takes its own old answer for the user's words answers something else."""
    for way in scene.ways:
        calls: dict[str, list[Sent]] = {}
        for role in (*_ROLES, *reversed(_ROLES)):
            turns = [_TURNS[0], _TURNS[1], Message(role, _TURNS[2].content), _TURNS[3]]
            asked = await _ask(scene, way, *turns)
            if not asked.is_refused:  # else an API that wants turns in order
                calls.setdefault(role, []).append(asked.sent)
        for one, other in combinations(calls, 2):
            if not differing(calls[one], calls[other]):
                kinds = f"one message as the {one}'s and as the {other}'s"
                sent = f"{way}() with the same conversation twice, {kinds}"
                raise Missed(sent, f"the API was sent the same: {calls[other][0]}")


@rule(
    after=("messages_reach_the_api",),
    wanted="a text arrives as it was, in both directions",
    change="encode as UTF-8, and let the JSON library do the escaping",
)
async def unicode_is_kept(scene: Scene) -> None:
    """Source code and prose hold every character there is; one that is lost changes meaning."""
    for way in scene.ways:
        content = _UNICODE if way == "complete" else HELLO  # a rule of its own is about streams
        scene.will_answer(content, way)
        with _sending(scene) as sent:
            response = await scene.answer(_UNICODE, way=way)
        if not _mentions(sent(), _UNICODE):
            raise Missed(shown_call(_UNICODE, way=way), f"the API was sent {sent()}")
        if response.content != content:
            raise Missed(f"the API answered {content!r}", f"content was {response.content!r}")


@rule(
    after=("messages_reach_the_api",),
    wanted="a message of a million characters arrives whole, or is refused by an error",
    change="don't cut it: raise where it is too long, or let the API refuse it",
)
async def long_message_arrives_whole(scene: Scene) -> None:
    """An answer to half of a file looks like an answer to the file."""
    text = f"begin {'x' * _MEGABYTE} end"
    for way in scene.ways:
        sent = (await _ask(scene, way, text)).sent
        if sent.requests and not _mentions(sent, text):
            size = max(len(request.body) for request in sent.requests)
            asked = f"{way}() with one message of a million characters"
            raise Missed(asked, f"the API was sent {size} bytes")


@rule(
    needs="answer",
    wanted="an empty message is passed on, or refused by an error",
    change="don't return anything that is no CompletionResponse: raise instead",
)
async def empty_message_is_harmless(scene: Scene) -> None:
    """Prompts are made by programs, and some come out empty."""
    empty: tuple[list[Message], ...] = (
        [Message("user", "")],
        [Message("system", ""), Message("user", HELLO)],
        [],
    )
    for way, messages in product(scene.ways, empty):
        scene.will_answer(way=way)
        try:
            returned = await scene.ask(way, *messages)
        except Missed:
            raise
        except Exception:  # the plugin's border: refusing is allowed
            continue
        if not isinstance(returned, CompletionResponse):
            raise Missed(shown_call(*messages), shown(returned))


@rule(
    after=("complete_takes_the_call",),
    wanted="the model that is asked for reaches the API, or is refused by an error",
    change="send `model or self.default_model`; raise where your API has only one",
)
async def model_is_passed_on(scene: Scene) -> None:
    """An agent that names a model is priced, traced and judged by it."""
    for way in scene.ways:
        await _check_sent(scene, way, "model", _MODEL)


@rule(
    after=("complete_takes_the_call",),
    wanted="the temperature that is asked for reaches the API, or is refused by an error",
    change="send it where it is given; raise where your API has none",
)
async def temperature_is_passed_on(scene: Scene) -> None:
    """Who sets 0 wants the same answer twice, and can't see that it was left out."""
    for way in scene.ways:
        warm = await _check_sent(scene, way, "temperature", _TEMPERATURE)
        await _check_zero(scene, way, warm)


async def _check_sent(scene: Scene, way: Way, name: str, value: str | float) -> Sent:
    """Return what was sent; raise Missed where it answers, and the *value* was not."""
    asked = await _ask(scene, way, HELLO, **{name: value})
    if not asked.is_refused and not _mentions(asked.sent, value):
        came_back = f"it answered, but {value!r} is not in {asked.sent}"
        raise Missed(shown_call(HELLO, way=way, **{name: value}), came_back)
    return asked.sent


async def _check_zero(scene: Scene, way: Way, warm: Sent) -> None:
    """Raise Missed where a temperature of 0 changes nothing; *warm* is a call with another."""
    given: tuple[dict[str, int], ...] = ({}, {"temperature": 0}, {"temperature": 0}, {})
    asked = [await _ask(scene, way, HELLO, **parameters) for parameters in given]
    if any(one.is_refused for one in asked):
        return
    first, *zero, last = (one.sent for one in asked)
    without = [first, last]
    if not (_is_put_at_its_place(warm, zero[0]) or _is_added(zero, without)):
        came_back = "it was left out, as if none had been given"
        sent = shown_call(HELLO, way=way, temperature=0)
        raise Missed(sent, came_back, "ask whether it is None")


def _is_put_at_its_place(warm: Sent, zero: Sent) -> bool:
    """Return whether a 0 stands in *zero* where the other temperature stood."""
    now = zero.places | zero.headers
    before = warm.places | warm.headers
    known = {p: str(value) for p, value in before.items() if str(_TEMPERATURE) in str(value)}
    return any(
        str(now.get(place)) == value.replace(str(_TEMPERATURE), spelt)
        for place, value in known.items()
        for spelt in ("0", "0.0")
    )


def _is_added(zero: Sequence[Sent], without: Sequence[Sent]) -> bool:
    """Return whether *zero* has something new, or a 0 where *without* has something else."""
    now, before = zero[0].places, without[0].places
    return any(
        place in now and (place not in before or str(now[place]) in ("0", "0.0"))
        for place in differing(zero, without)
    )


@rule(
    needs="answer",
    after=("complete_takes_the_call",),
    wanted="a keyword that it does not know is sent, left out, or refused by a WarRigError",
    change="take **kwargs, and send them to your API, or leave them out",
)
async def other_keywords_are_taken(scene: Scene) -> None:
    """Agents pass what their settings name, and tomorrow's War Rig may name more."""
    scene.will_answer()
    try:
        await scene.complete(HELLO, max_tokens=170)
    except WarRigError:  # which says what there is no place for
        return
    except Exception as error:  # the plugin's border
        failure = error
    else:
        return
    raise Missed(
        shown_call(HELLO, max_tokens=170), f"it raised {said(failure)}{place_of(failure)}"
    ) from failure


@dataclass(frozen=True)
class _Asked:
    """What became of a call: an answer, or a refusal by an error; and what it sent."""

    is_refused: bool
    sent: Sent


async def _ask(scene: Scene, way: Way, *messages: Message | str, **parameters: Any) -> _Asked:
    """Ask for an answer; raise Missed where there is none, and that is no refusal on purpose."""
    scene.will_answer(way=way)
    asked, returned, is_refused = shown_call(*messages, way=way, **parameters), None, False
    with _sending(scene) as sent:
        try:
            returned = await scene.ask(way, *messages, **parameters)
        except Missed:
            raise
        except Exception as error:  # the plugin's border: refusing is allowed
            if _is_crash(error):
                raise Missed(
                    asked, f"it raised {said(error)}{place_of(error)}", _NO_REFUSAL
                ) from error
            is_refused = True
    if not is_refused and content_of(returned) is None:
        raise Missed(asked, shown(returned), _NO_REFUSAL)
    return _Asked(is_refused, sent())


def _is_crash(error: Exception) -> bool:
    """Return whether it is a slip of the provider's code, which nobody raises to refuse.

    A plain LookupError is none: Python itself raises those of its kinds.
    """
    is_slip = isinstance(error, NameError) or classify(error).kind is MalformedAnswerError
    return is_slip and type(error) is not LookupError


@contextmanager
def _sending(scene: Scene) -> Iterator[Callable[[], Sent]]:
    """Return what tells what has been sent since."""
    before = len(scene.server.requests)
    yield lambda: Sent(scene.server.requests[before:])


def _mentions(sent: Sent, value: object) -> bool:
    """Return whether *value* was sent; raise NotTested where that can't be known."""
    if not sent.mentions(value) and not sent.is_readable:
        raise NotTested("the kit can't read what it sends: that is neither JSON nor another text")
    return sent.mentions(value)
