"""What is asked for beside the messages: a model, a temperature, and keywords of any other name."""

from collections.abc import Sequence

from war_rig.errors import WarRigError
from war_rig.providers.foreign import said
from war_rig.providers.places import place_of
from war_rig.testing.conformance.bench import HELLO, Scene, Way, kept_failure, shown_call
from war_rig.testing.conformance.call import ask, mentions
from war_rig.testing.conformance.rule import Missed, rule
from war_rig.testing.conformance.sent import Sent, differing

_MODEL = "kit-other-model"
_TEMPERATURE = 0.37


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
    asked = await ask(scene, way, HELLO, **{name: value})
    if not asked.is_refused and not mentions(asked.sent, value):
        came_back = f"it answered, but {value!r} is not in {asked.sent}"
        raise Missed(shown_call(HELLO, way=way, **{name: value}), came_back)
    return asked.sent


async def _check_zero(scene: Scene, way: Way, warm: Sent) -> None:
    """Raise Missed where a temperature of 0 changes nothing; *warm* is a call with another."""
    given: tuple[dict[str, int], ...] = ({}, {"temperature": 0}, {"temperature": 0}, {})
    asked = [await ask(scene, way, HELLO, **parameters) for parameters in given]
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
    with kept_failure() as failure:
        await scene.complete(HELLO, max_tokens=170)
    error = failure.error
    if error is None or isinstance(error, WarRigError):  # which says what there is no place for
        return
    came_back = f"it raised {said(error)}{place_of(error)}"
    raise Missed(shown_call(HELLO, max_tokens=170), came_back) from error
