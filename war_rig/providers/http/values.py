"""What a call brings: from the arguments of ``complete`` to the request that is sent.

Nothing is dropped in silence: what the definition has no place for is a ConfigError.
"""

from typing import Any

from war_rig.errors import ConfigError
from war_rig.providers.http.definition import Definition
from war_rig.providers.http.request import RequestTemplate
from war_rig.providers.http.wire import Request
from war_rig.providers.protocol import Message

_BETWEEN_SYSTEM_MESSAGES = "\n\n"


def request_of(
    definition: Definition,
    is_stream: bool,
    messages: list[Message],
    model: str | None,
    temperature: float | None,
    kwargs: dict[str, Any],
) -> Request:
    """Return the request of *definition* with the arguments of a call put in."""
    given = kwargs if temperature is None else {**kwargs, "temperature": temperature}
    schema = given.pop("output_schema", None)
    template = _template(definition, is_stream, schema is not None)
    values = {**definition.defaults, "model": model or definition.model}
    if schema is not None:
        values["schema"] = schema
    _put_messages(values, definition, template, messages)
    _put_parameters(values, definition, template, given)
    if values["model"] != definition.model and "model" not in template.placeholders:
        raise _no_place(definition, f"the model '{model}'", "$model")
    return template.request(values)


def _template(definition: Definition, is_stream: bool, is_structured: bool) -> RequestTemplate:
    found = definition.requests.get((is_stream, is_structured))
    if found is None:
        raise _no_place(definition, "'output_schema'", "a 'structured' part")
    return found


def _no_place(definition: Definition, what: str, place: str) -> ConfigError:
    return ConfigError(
        f"the definition of the API at {definition.host} has no place for {what}\n"
        f"  add {place} to it, or remove that from the agent in war_rig.yaml, or from the call"
    )


def _put_messages(
    values: dict[str, Any],
    definition: Definition,
    template: RequestTemplate,
    messages: list[Message],
) -> None:
    if "system" in template.placeholders:
        system = [message.content for message in messages if message.role == "system"]
        messages = [message for message in messages if message.role != "system"]
        if system:
            values["system"] = _BETWEEN_SYSTEM_MESSAGES.join(system)
    values["messages"] = definition.shape.written(messages)


def _put_parameters(
    values: dict[str, Any],
    definition: Definition,
    template: RequestTemplate,
    given: dict[str, Any],
) -> None:
    for name in ("temperature", "max_tokens"):
        value = given.pop(name, None) if name in template.placeholders else None
        if value is not None:
            values[name] = value
    if given and "parameters" not in template.placeholders:
        what = " and ".join(map(repr, given))
        raise _no_place(definition, what, "'...: $parameters'")
    if given:
        values["parameters"] = given
