"""What a call sent: one request, or several, as where a job is made and then asked for."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from war_rig.testing.conformance.server import Place, Request

_WORD = re.compile(r"[^\s<>()\[\]{}\"',;&]+")  # no mark that may stand in a random id


@dataclass(frozen=True)
class Sent:
    """The requests of one call; the same one twice says no more than once."""

    requests: Sequence[Request]

    @property
    def is_readable(self) -> bool:
        """Return whether there is something to read, and nothing that can't be read."""
        return bool(self.requests) and all(one.is_readable for one in self.requests)

    def mentions(self, value: object) -> bool:
        """Return whether one of them has *value* in it."""
        return any(one.mentions(value) for one in self.requests)

    @cached_property
    def places(self) -> dict[Place, Any]:
        """Return each number and each word of the paths, queries and bodies, by where it stands."""
        distinct = {(one.method, one.target, one.body): one for one in self.requests}
        return {
            (number, *place): word
            for number, request in enumerate(distinct.values())
            for whole, value in request.said
            for place, word in _words(whole, value)
        }

    @property
    def headers(self) -> dict[Place, str]:
        """Return the values of the headers, by where they stand."""
        every = enumerate(self.requests)
        return {(n, name): value for n, one in every for name, value in one.headers.items()}

    def __str__(self) -> str:
        """Return what was sent first, which is the call itself, for a person to see."""
        if not self.requests:
            return "nothing"
        request = self.requests[0]
        body = request.body.decode("utf-8", "backslashreplace")
        shortened = body if len(body) <= 300 else f"{body[:297]}..."
        return f"{request.method} {request.target} {shortened}".strip()


def differing(one: Sequence[Sent], other: Sequence[Sent]) -> set[Place]:
    """Return the places at which *one* call, however often made, says else than the *other*.

    What is another at each time, such as an id, is none. So that neither a clock nor a
    rotation is one, make the second calls in the reverse order of the first. A call that
    sent nothing was remembered.
    """
    here, there = _steady(one), _steady(other)
    restless = _all_places(one) - here.keys() | _all_places(other) - there.keys()
    every = here.keys() | there.keys()
    return {place for place in every - restless if here.get(place) != there.get(place)}


def _steady(calls: Sequence[Sent]) -> dict[Place, Any]:
    """Return what is the same in all *calls* that sent something."""
    known = [call.places for call in calls if call.requests]
    first = known[0] if known else {}
    return {p: value for p, value in first.items() if all(o.get(p) == value for o in known)}


def _all_places(calls: Sequence[Sent]) -> set[Place]:
    return {place for call in calls for place in call.places}


def _words(place: Place, value: Any) -> Iterator[tuple[Place, Any]]:
    if not isinstance(value, str):
        yield place, value
        return
    for number, word in enumerate(_WORD.findall(value) or [""]):
        yield (*place, number), word
