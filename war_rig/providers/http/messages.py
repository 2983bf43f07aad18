"""How a conversation is written for an API: a list of its own maps, or one text.

messages:
  each: {role: $role, text: $content}   # one message; a text here makes one prompt of them all
  roles: {assistant: bot}               # what this API calls War Rig's roles
  between: "\\n\\n"                       # what stands between the messages of one prompt
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from war_rig.names import did_you_mean
from war_rig.providers.http.section import Section
from war_rig.providers.http.template import Placeholders, Template, template
from war_rig.providers.protocol import Message

_EACH = {"role": "$role", "content": "$content"}
_ROLES = ("system", "user", "assistant")
_BETWEEN = "\n\n"
_PLACEHOLDERS = Placeholders(("role", "content"))


@dataclass(frozen=True, slots=True)
class Shape:
    """Writes messages; between is None where they are a list."""

    each: Callable[[Message], Any]
    between: str | None

    def written(self, messages: Iterable[Message]) -> Any:
        """Return *messages* as a list, or as one text."""
        items = [self.each(message) for message in messages]
        return items if self.between is None else self.between.join(items)


def shape(place: Section) -> Shape:
    """Return the shape that the map at *place* declares."""
    roles = _roles(place.map("roles"))
    each = place.at("each")
    if each.value is None:
        each = Section(_EACH, each.path, each.faults)
    is_prompt = isinstance(each.value, str)
    between = place.text("between", _BETWEEN)
    if place.has("between") and not is_prompt:
        place.note("is for one prompt only, where 'each' is a text", "between")
    place.finish()
    return Shape(_writing(_each(each), roles), between if is_prompt else None)


def _each(place: Section) -> Template:
    if not isinstance(place.value, (str, Mapping)):
        place.note("must be a map or a text")
    made = template(place, _PLACEHOLDERS)
    if "content" not in made.placeholders:
        place.note("does not use $content, the text of the message")
    return made


def _roles(place: Section) -> dict[str, str]:
    for item in place.items():
        if item.key not in _ROLES:
            near = did_you_mean(str(item.key), _ROLES)
            item.note(f"is no role of a message.{near} Known: {', '.join(_ROLES)}")
    return {role: place.text(role) for role in _ROLES if place.has(role)}


def _writing(each: Template, roles: Mapping[str, str]) -> Callable[[Message], Any]:
    fill = each.fill
    return lambda m: fill({"role": roles.get(m.role, m.role), "content": m.content})
