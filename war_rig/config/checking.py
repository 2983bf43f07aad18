"""A tree of located values against a model: the checked model, or each fault with its place."""

import typing
from collections.abc import Iterable, Iterator
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from war_rig.names import did_you_mean
from war_rig.yaml_file import Fault, Located

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)

_EXPECTED = {
    "string_type": "text: put it in quotes",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "list_type": "a list",
    "tuple_type": "a list",
    "finite_number": "a finite number",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:,.15g} or more",
    "less_than_equal": "{le:,.15g} or less",
    "string_too_short": "text, and not empty",
    "literal_error": "one of {expected}",
}


def checked(model: type[M], tree: Located, faults: list[Fault], key: str = "") -> M | None:
    """Return *tree* as a *model*; None where it does not fit, and why is added to *faults*.

    key: where the tree stands in its file. What is known to be wrong already is
    not told again.
    """
    try:
        return model.model_validate(tree.plain())
    except ValidationError as error:
        known = {fault.key for fault in faults}
        told = {(fault.origin.label, fault.text) for fault in faults}
        for found in error.errors(include_input=False, include_url=False):
            if is_unread(nearest(tree, found["loc"]), faults):
                continue
            fault = _fault(found, tree, model, key)
            if fault.key not in known and (fault.origin.label, fault.text) not in told:
                faults.append(fault)
        return None


def is_unread(item: Located, faults: Iterable[Fault]) -> bool:
    """Return whether *item* is nothing only because one of *faults* tells what is wrong there."""
    if item.value is not None:
        return False
    return any(fault.origin is item.origin for fault in faults)  # others may stand on the line


def steps(tree: Located, path: Iterable[int | str]) -> Iterator[Located]:
    """Yield what stands at each step of *path*, as far as it goes."""
    for step in path:
        is_there = isinstance(tree.value, dict) and step in tree.value
        if not (is_there or (isinstance(tree.value, list) and isinstance(step, int))):
            return
        tree = tree.value[step]
        yield tree


def nearest(tree: Located, path: Iterable[int | str]) -> Located:
    """Return what stands at *path*, else what is the nearest above it."""
    return [tree, *steps(tree, path)][-1]


def at(tree: Located, *path: str) -> Located | None:
    """Return what stands at *path*, if anything."""
    found = list(steps(tree, path))
    return found[-1] if len(found) == len(path) else None


def _fault(found: "ErrorDetails", tree: Located, model: type[BaseModel], key: str) -> Fault:
    loc, kind, text = found["loc"], found["type"], found["msg"]
    if kind == "extra_forbidden":
        known = sorted(model_at(model, loc[:-1]).model_fields)
        text = f"is no key here.{did_you_mean(str(loc[-1]), known)} Known: {', '.join(known)}"
    elif kind in ("model_type", "dict_type", "model_attributes_type"):
        text = "must be a map"
    elif kind == "missing":
        text = "is missing"
    elif kind == "value_error":
        text = str(found["ctx"]["error"])
    elif kind in _EXPECTED:
        text = f"must be {_EXPECTED[kind].format(**found.get('ctx', {}))}"
    return Fault(nearest(tree, loc).origin, ".".join(filter(None, [key, *map(str, loc)])), text)


def model_at(model: type[BaseModel], path: tuple[int | str, ...]) -> type[BaseModel]:
    """Return the model of the section at *path*."""
    for step in path:
        field = model.model_fields.get(str(step))
        if field is not None:
            model = _models_in(field.annotation) or model
    return model


def _models_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model inside ``Model``, ``Model | None`` or ``dict[str, Model]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if isinstance(annotation, UnionType) or typing.get_origin(annotation) is not None:
        inner = map(_models_in, typing.get_args(annotation))
        return next((model for model in inner if model is not None), None)
    return None
