"""One call to a provider: what it sent, and whether the provider refused it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from war_rig.errors import MalformedAnswerError
from war_rig.providers import Message
from war_rig.providers.classification import classify
from war_rig.providers.foreign import said
from war_rig.providers.places import place_of
from war_rig.testing.conformance.bench import (
    Scene,
    Way,
    content_of,
    kept_failure,
    shown,
    shown_call,
)
from war_rig.testing.conformance.rule import Missed, NotTested
from war_rig.testing.conformance.sent import Sent

_NO_REFUSAL = "mend it; what your API has no place for, refuse by an error that says so"


@dataclass(frozen=True)
class Call:
    """What became of a call: an answer, or a refusal by an error; and what it sent."""

    is_refused: bool
    sent: Sent


async def ask(scene: Scene, way: Way, *messages: Message | str, **parameters: Any) -> Call:
    """Ask for an answer; raise Missed where there is none, and that is no refusal on purpose."""
    scene.will_answer(way=way)
    asked = shown_call(*messages, way=way, **parameters)
    with sending(scene) as sent, kept_failure() as failure:
        returned = await scene.ask(way, *messages, **parameters)
    if (error := failure.error) is None:
        if content_of(returned) is None:
            raise Missed(asked, shown(returned), _NO_REFUSAL)
    elif _is_crash(error):
        raise Missed(asked, f"it raised {said(error)}{place_of(error)}", _NO_REFUSAL) from error
    return Call(error is not None, sent())


def _is_crash(error: Exception) -> bool:
    """Return whether it is a slip of the provider's code, which nobody raises to refuse.

    A plain LookupError is none: Python itself raises those of its kinds.
    """
    is_slip = isinstance(error, NameError) or classify(error).kind is MalformedAnswerError
    return is_slip and type(error) is not LookupError


@contextmanager
def sending(scene: Scene) -> Iterator[Callable[[], Sent]]:
    """Return what tells what has been sent since."""
    before = len(scene.server.requests)
    yield lambda: Sent(scene.server.requests[before:])


def mentions(sent: Sent, value: object) -> bool:
    """Return whether *value* was sent; raise NotTested where that can't be known."""
    if not sent.mentions(value) and not sent.is_readable:
        raise NotTested("the kit can't read what it sends: that is neither JSON nor another text")
    return sent.mentions(value)
