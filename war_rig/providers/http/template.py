"""Request templates: maps, lists and texts in which ``$name`` stands for a value.

    {"model": "$model", "input": {"text": "$messages"}, "...": "$parameters"}

A text that is exactly a placeholder becomes the value itself, with its type;
``$$`` is a dollar. A key whose placeholder has no value is left out, and so is
a map or a list of which nothing is left. The key ``...`` brings in a map: its
keys beside the written ones, over them where both are there.

Values are put in and never looked at again: a ``$`` in a message means nothing.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import quote

from war_rig.errors import BadRequestError
from war_rig.names import did_you_mean, is_secret_name
from war_rig.providers.http.section import Section

Values = Mapping[str, Any]


class Absence(Enum):
    """The type of NOTHING, which stands where a placeholder has no value."""

    NOTHING = "no value"


NOTHING = Absence.NOTHING
MERGED = "..."
_NO_PLACEHOLDER = "has a '$' that names no placeholder"
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
DOLLAR = re.compile(r"\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*))?")

_Fill = Callable[[Values], Any]


@dataclass(frozen=True, slots=True)
class Template:
    """What is filled in at each call. placeholders: the values of the call that it uses."""

    fill: _Fill
    placeholders: frozenset[str]


@dataclass(frozen=True, slots=True)
class Placeholders:
    """Which names may be used: those with a value at each call, and those that have theirs."""

    of_call: tuple[str, ...]
    fixed: Values = field(default_factory=dict)

    def without(self, *names: str) -> "Placeholders":
        """Return these but for *names*."""
        return Placeholders(tuple(n for n in self.of_call if n not in names), self.fixed)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self.of_call, *self.fixed)))


def template(place: Section, placeholders: Placeholders) -> Template:
    """Return the template that stands at *place*."""
    compiler = _Compiler(placeholders)
    return Template(_filling(compiler.part(place)), frozenset(compiler.used))


def url_template(place: Section, placeholders: Placeholders) -> Template:
    """Return the template of a URL.

    A value at its very beginning is put in as it is, but for slashes at its
    end; any later one is put in as a step of the path.
    """
    compiler = _Compiler(placeholders)
    part = compiler.text(place, _as_step, _as_beginning)
    fill = _filling(_spelt(part, as_text))  # a parameter that is all of it may be a number
    return Template(fill, frozenset(compiler.used))


def laid_over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return *over* laid on *base*: maps merge at every depth, all else is replaced."""
    both = dict(base)
    for key, item in over.items():
        before = both.get(key)
        if isinstance(before, Mapping) and isinstance(item, Mapping):
            both[key] = laid_over(before, item)
        else:
            both[key] = item
    return both


def as_text(value: object) -> str:
    """Return *value* as it stands within a text: texts as they are, all else as JSON.

    What JSON lacks, such as a date that code brings, is its own text.
    """
    try:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except TypeError:
        return str(value)


def sendable(text: str) -> str:
    """Return *text*, which goes into a URL; raise BadRequestError where none can hold it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        wrong = text[error.start]
    else:
        return text
    raise BadRequestError(f"was not asked: its URL would hold {wrong!r}, which is no character")


def _as_step(value: object) -> str:
    step = quote(sendable(as_text(value)), safe="")
    if step in (".", ".."):
        raise BadRequestError(f"was not asked: '{step}' can't be a step of a URL")
    return step


def _as_beginning(value: object) -> str:
    return sendable(as_text(value)).rstrip("/")


@dataclass(frozen=True, slots=True)
class _Constant:
    """A part that no call changes. Its value is shared by all calls."""

    value: Any


_Part = _Constant | _Fill
_Spell = Callable[[object], str]


def _filling(part: _Part) -> _Fill:
    if not isinstance(part, _Constant):
        return part
    value = part.value
    return lambda values: value


class _Compiler:
    """Turns what is written into parts, and notes which placeholders were used."""

    def __init__(self, placeholders: Placeholders) -> None:
        self._placeholders = placeholders
        self.used: set[str] = set()

    def part(self, place: Section) -> _Part:
        if isinstance(place.value, str):
            return self.text(place, as_text, as_text)
        if isinstance(place.value, Mapping):
            return self._map(place)
        if isinstance(place.value, (list, tuple)):
            return _list([self.part(item) for item in place.items()])
        return _Constant(place.value)

    def text(self, place: Section, spell: _Spell, spell_first: _Spell) -> _Part:
        """Return the part that a text is; *spell_first* writes a value at its beginning."""
        segments = list(self._segments(place))
        if len(segments) == 1 and not isinstance(segments[0], str):
            return self._value(segments[0].name)
        parts: list[_Part] = []
        for i, segment in enumerate(segments):
            is_literal = isinstance(segment, str)
            part = _Constant(segment) if isinstance(segment, str) else self._value(segment.name)
            parts.append(part if is_literal else _spelt(part, spell if i else spell_first))
        return _joined(parts)

    def _value(self, name: str) -> _Part:
        if name in self._placeholders.of_call:
            self.used.add(name)
            return lambda values: values.get(name, NOTHING)
        return _Constant(self._placeholders.fixed.get(name, NOTHING))

    def _map(self, place: Section) -> _Part:
        parts = {item.key: self.part(item) for item in place.items() if item.key != MERGED}
        is_merging = MERGED in place.value
        if is_merging:
            self._merge(place)
        elif all(isinstance(part, _Constant) for part in parts.values()):
            made = _left({key: _filling(part)({}) for key, part in parts.items()})
            return _Constant(made if parts else {})
        fills = [(key, _filling(part)) for key, part in parts.items()]
        return _mapping(fills) if not is_merging else _merging(fills)

    def _merge(self, place: Section) -> None:
        self.used.add("parameters")
        if place.value[MERGED] != "$parameters" or "parameters" not in self._placeholders.of_call:
            place.note("takes $parameters and nothing else, within a request", MERGED)

    def _segments(self, place: Section) -> "Iterator[str | _Placeholder]":
        """Yield the literals and placeholders of a text; note a dollar that means nothing."""
        text, end = place.value, 0
        names = tuple(self._placeholders)
        for found in DOLLAR.finditer(text):
            if found.start() > end:
                yield text[end : found.start()]
            end = found.end()
            if found[1]:
                yield "$"
            elif found[2] in names:
                yield _Placeholder(found[2])
            else:
                is_secret = any(is_secret_name(str(key)) for key in place.path)
                is_secret = is_secret or text[: found.start()][-1:].isalnum()
                place.note(_unknown(found[2] or "", names, is_secret))
        if end < len(text):
            yield text[end:]


@dataclass(frozen=True, slots=True)
class _Placeholder:
    name: str


def _left(made: dict[Any, Any]) -> Any:
    """Return what is left of a map without what has no value, NOTHING where nothing is."""
    return {key: value for key, value in made.items() if value is not NOTHING} or NOTHING


def _mapping(fills: list[tuple[Any, _Fill]]) -> _Fill:
    def fill(values: Values) -> Any:
        made = {}
        for key, item in fills:
            value = item(values)
            if value is not NOTHING:
                made[key] = value
        return made or NOTHING

    return fill


def _merging(fills: list[tuple[Any, _Fill]]) -> _Fill:
    written = _mapping(fills)

    def fill(values: Values) -> Any:
        made = written(values)
        if "parameters" not in values:
            return made
        return laid_over({} if made is NOTHING else made, values["parameters"])

    return fill


def _list(parts: list[_Part]) -> _Part:
    fills = [_filling(part) for part in parts]

    def fill(values: Values) -> Any:
        made = [value for item in fills if (value := item(values)) is not NOTHING]
        return made or NOTHING

    if all(isinstance(part, _Constant) for part in parts):
        return _Constant(fill({}) if parts else [])
    return fill


def _spelt(part: _Part, spell: _Spell) -> _Part:
    if isinstance(part, _Constant):
        return part if part.value is NOTHING else _Constant(spell(part.value))

    def fill(values: Values) -> Any:
        value = part(values)
        return value if value is NOTHING else spell(value)

    return fill


def _joined(parts: list[_Part]) -> _Part:
    fills = [_filling(part) for part in parts]

    def fill(values: Values) -> Any:
        pieces = [item(values) for item in fills]
        return NOTHING if NOTHING in pieces else "".join(pieces)

    return _Constant(fill({})) if all(isinstance(part, _Constant) for part in parts) else fill


def _unknown(name: str, known: tuple[str, ...], is_secret: bool) -> str:
    """Return what to say of a wrong ``$name``; what may be a part of a key is not shown."""
    near = did_you_mean(name, known).replace("'", "'$", 1)
    is_shown = name and (near or not is_secret)
    wrong = f"has '${name}', which is no placeholder" if is_shown else _NO_PLACEHOLDER
    if _VARIABLE.fullmatch(name) and is_shown and not near:
        near = f" A variable of the environment is written '${{{name}}}'."
    shown = ", ".join(f"${one}" for one in known) or "none"
    return f"{wrong}.{near} Known here: {shown}; a plain '$' is written '$$'"
