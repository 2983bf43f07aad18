"""What reaches the API, and what comes back from it when all is well."""

from war_rig.errors import WarRigError
from war_rig.providers import CompletionResponse, Message
from war_rig.providers.foreign import repr_of, said
from war_rig.testing.conformance import signatures
from war_rig.testing.conformance.bench import HELLO, Scene, shown, shown_call
from war_rig.testing.conformance.rule import Missed, NotTested, rule
from war_rig.testing.conformance.server import Request

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
_MODEL = "kit-other-model"
_TEMPERATURE = 0.37


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
    scene.will_answer()
    await scene.answer(*_TURNS)
    request = _readable(scene)
    for message in _TURNS:
        if not request.mentions(message.content):
            came_back = f"the {message.role}'s {message.content!r} is not in {_shown(request)}"
            raise Missed(shown_call(*_TURNS), came_back)


@rule(
    after=("messages_reach_the_api",),
    wanted="the API can tell a system's, a user's and an assistant's message apart",
    change="send the role of each message, in your API's own words",
)
async def roles_are_passed_on(scene: Scene) -> None:
    """A model that takes its own old answer for the user's words answers something else."""
    bodies = []
    for role in ("user", "assistant", "system"):
        turns = [_TURNS[0], _TURNS[1], Message(role, _TURNS[2].content), _TURNS[3]]
        scene.will_answer()
        try:
            await scene.complete(*turns)
        except Exception:  # the plugin's border: an API may want turns in order
            continue
        bodies.append((role, scene.server.requests[-1].values))
    seen: dict[str, str] = {}
    for role, values in bodies:
        if (twin := seen.setdefault(str(values), role)) != role:
            sent = f"the same conversation twice, one message as the {twin}'s and as the {role}'s"
            raise Missed(sent, f"the API was sent the same: {_shown(scene.server.requests[-1])}")


@rule(
    after=("messages_reach_the_api",),
    wanted="a text arrives as it was, in both directions",
    change="encode as UTF-8, and let the JSON library do the escaping",
)
async def unicode_is_kept(scene: Scene) -> None:
    """Source code and prose hold every character there is; one that is lost changes meaning."""
    scene.will_answer(_UNICODE)
    response = await scene.answer(_UNICODE)
    request = _readable(scene)
    if not request.mentions(_UNICODE):
        raise Missed(shown_call(_UNICODE), f"the API was sent {_shown(request)}")
    if response.content != _UNICODE:
        raise Missed(f"the API answered {_UNICODE!r}", f"content was {response.content!r}")


@rule(
    after=("messages_reach_the_api",),
    wanted="a message of a million characters arrives whole, or is refused by an error",
    change="don't cut it: raise where it is too long, or let the API refuse it",
)
async def long_message_arrives_whole(scene: Scene) -> None:
    """An answer to half of a file looks like an answer to the file."""
    text = f"begin {'x' * _MEGABYTE} end"
    await _ask(scene, text)
    if scene.server.requests and not _readable(scene).mentions(text):
        size = len(scene.server.requests[-1].body)
        raise Missed("one message of a million characters", f"the API was sent {size} bytes")


@rule(
    needs="answer",
    wanted="an empty message is passed on, or refused by an error",
    change="don't return anything that is no CompletionResponse: raise instead",
)
async def empty_message_is_harmless(scene: Scene) -> None:
    """Prompts are made by programs, and some come out empty."""
    for messages in ([Message("user", "")], [Message("system", ""), Message("user", HELLO)], []):
        scene.will_answer()
        try:
            returned = await scene.complete(*messages)
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
    await _check_sent(scene, "model", _MODEL)


@rule(
    after=("complete_takes_the_call",),
    wanted="the temperature that is asked for reaches the API, or is refused by an error",
    change="send it where it is given; raise where your API has none",
)
async def temperature_is_passed_on(scene: Scene) -> None:
    """Who sets 0 wants the same answer twice, and can't see that it was left out."""
    await _check_sent(scene, "temperature", _TEMPERATURE)
    await _ask(scene, HELLO)
    without = scene.server.requests[-1:]
    if await _ask(scene, HELLO, temperature=0) is not None and not _has_zero(scene, without):
        came_back = "it was left out, as if none had been given"
        raise Missed(shown_call(HELLO, temperature=0), came_back, "ask whether it is None")


async def _check_sent(scene: Scene, name: str, value: str | float) -> None:
    """Raise Missed where the provider answers, and its API was not sent the *value*."""
    response = await _ask(scene, HELLO, **{name: value})
    if response is not None and not _readable(scene).mentions(value):
        came_back = f"{value!r} is not in {_shown(scene.server.requests[-1])}"
        raise Missed(shown_call(HELLO, **{name: value}), f"it answered, but {came_back}")


def _has_zero(scene: Scene, without: list[Request]) -> bool:
    """Return whether the last request is another than that *without* a temperature, or has a 0."""
    last = scene.server.requests[-1]
    has_zero = any(value == 0 for value in last.values if not isinstance(value, bool))
    return has_zero or [last.values] != [one.values for one in without]


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
    raise Missed(shown_call(HELLO, max_tokens=170), f"it raised {said(failure)}") from failure


async def _ask(scene: Scene, *messages: Message | str, **parameters: object) -> object:
    """Return what came back, None where the provider refused it with an error."""
    scene.will_answer()
    try:
        return await scene.complete(*messages, **parameters)
    except Exception:  # the plugin's border: refusing is allowed
        return None


def _readable(scene: Scene) -> Request:
    """Return the last request; raise NotTested where there is none, or it can't be read."""
    for request in reversed(scene.server.requests):
        if request.is_readable:
            return request
    raise NotTested("the kit can't read what it sends: that is neither JSON nor another text")


def _shown(request: Request) -> str:
    body = request.body.decode("utf-8", "backslashreplace")
    shortened = body if len(body) <= 300 else f"{body[:297]}..."
    return f"{request.method} {request.target} {shortened}".strip()
