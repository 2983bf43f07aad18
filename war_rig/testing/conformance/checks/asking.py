"""What reaches the API, and what comes back from it when all is well."""

from itertools import combinations, product
from types import NoneType

from war_rig.providers import CompletionResponse, Message
from war_rig.providers.foreign import repr_of
from war_rig.testing.conformance import signatures
from war_rig.testing.conformance.bench import HELLO, Bench, Scene, kept_failure, shown, shown_call
from war_rig.testing.conformance.call import ask, mentions, sending
from war_rig.testing.conformance.rule import Missed, NotTested, rule
from war_rig.testing.conformance.sent import Sent, differing

_MEGABYTE = 1_000_000
_UNICODE = (
    "Gr\u00fc\u00dfe, \u4f60\u597d, \u0645\u0631\u062d\u0628\u0627, e\u0301, "
    '\U0001f9d1\u200d\U0001f680, "quoted", C:\\path,\ttab,\nline\u2028.'
)
_UNQUOTED = "Gr\u00fc\u00dfe \u4f60\u597d \U0001f9d1\u200d\U0001f680 e\u0301\u2028e"
_TURNS = (
    Message("system", "Kit says be brief."),
    Message("user", "Kit asks first."),
    Message("assistant", "Kit was answered."),
    Message("user", "Kit asks again."),
)
_RETURN = "return CompletionResponse(content=..., model=..., tokens_used=...)"
_ROLES = ("user", "assistant", "system")


@rule(
    needs="build",
    wanted="complete() returns a CompletionResponse whose content is the text of the answer",
    change=_RETURN,
)
async def answer_is_a_response(scene: Scene) -> None:
    """What an agent gets is that object: None, a text or a dict is an error to War Rig."""
    findings = scene.bench.findings
    if findings.is_sync or not signatures.takes_messages(scene.provider.complete):
        raise NotTested("needs complete_takes_the_call, which failed")
    if findings.is_out_of_reach:
        raise NotTested(scene.bench.unreached())
    if findings.fault is not None:
        raise Missed(shown_call(HELLO), scene.bench.told_of_answers(), _advice(scene.bench))
    scene.will_answer()
    response = await scene.answer(HELLO)
    if findings.template is not None and response.content != HELLO:
        raise Missed(f"the API answered {HELLO!r}", shown(response))
    if not (isinstance(response.model, str) and response.model):
        change = "give the model's name: the API's, else the one that was asked for"
        raise Missed(shown_call(HELLO), shown(response), change)


def _advice(bench: Bench) -> str:
    """Return what to do where it never answered: None may be for want of its API's answers."""
    returned = bench.findings.returned
    if returned not in (None, NoneType, CompletionResponse):
        return _RETURN
    told = bench.advice_on_answers() if bench.findings.is_asked else bench.unreached()
    return f"{_RETURN} wherever it ends; {told}" if returned is NoneType else told


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
        with sending(scene) as sent:
            await scene.answer(*_TURNS, way=way)
        for message in _TURNS:
            if not mentions(sent(), message.content):
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
            asked = await ask(scene, way, *turns)
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
        content = _answered(scene.bench) if way == "complete" else HELLO  # else a rule of its own
        scene.will_answer(content, way)
        with sending(scene) as sent:
            response = await scene.answer(_UNICODE, way=way)
        if not mentions(sent(), _UNICODE):
            raise Missed(shown_call(_UNICODE, way=way), f"the API was sent {sent()}")
        if response.content != content:
            raise Missed(f"the API answered {content!r}", f"content was {response.content!r}")


def _answered(bench: Bench) -> str:
    """Return what the API answers: in a form that is no JSON no sign that it may have to quote."""
    template = bench.findings.template
    return _UNQUOTED if template is not None and template.is_formatted else _UNICODE


@rule(
    after=("messages_reach_the_api",),
    wanted="a message of a million characters arrives whole, or is refused by an error",
    change="don't cut it: raise where it is too long, or let the API refuse it",
)
async def long_message_arrives_whole(scene: Scene) -> None:
    """An answer to half of a file looks like an answer to the file."""
    text = f"begin {'x' * _MEGABYTE} end"
    for way in scene.ways:
        sent = (await ask(scene, way, text)).sent
        if sent.requests and not mentions(sent, text):
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
        with kept_failure() as failure:  # to refuse is allowed
            returned = await scene.ask(way, *messages)
        if failure.error is None and not isinstance(returned, CompletionResponse):
            raise Missed(shown_call(*messages), shown(returned))
