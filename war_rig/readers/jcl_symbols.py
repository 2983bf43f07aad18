"""JCL's symbols, such as ``&HLQ``: the values that a job gives them, and text with those in it."""

import re
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from war_rig.readers.jcl_lines import Operand, bare
from war_rig.readers.source import Fact

_SYMBOL = re.compile(r"(?<!&)&([A-Z@#$][A-Z0-9@#$]*)\.?", re.IGNORECASE)
_LONGEST_VALUE = 255  # by the JCL Reference
_MOST_SUBSTITUTIONS = 15  # of symbols in the values of symbols
_MOST_CALLS = 10  # of one in-stream procedure whose symbols are substituted

Values = Mapping[str, str]
"""Values by the names of symbols; of one that has none, its own name behind ``&``."""


def has_symbol(text: str) -> bool:
    """Return whether a symbol stands in *text*."""
    return _SYMBOL.search(text) is not None


def substituted(text: str, values: Values) -> str:
    """Return *text* with *values* for its symbols, as it is where that is too long for a name."""
    found = text
    for _ in range(_MOST_SUBSTITUTIONS):
        if len(found) > _LONGEST_VALUE or not has_symbol(found):
            break
        found = _SYMBOL.sub(lambda symbol: values.get(symbol[1].upper(), symbol[0]), found)
    return found if len(found) <= _LONGEST_VALUE else text


def _resolved(text: str, values: Values) -> str | None:
    """Return *text* with *values* for its symbols; None where one is not known."""
    found = substituted(text, values)
    return None if len(found) > _LONGEST_VALUE or has_symbol(found) else found


def _resolved_fact(fact: Fact, values: Values) -> Fact:
    found = _resolved(fact.object, values)
    return replace(fact, kind=f"{fact.kind}-resolved", object=found) if found else fact


def unknown(operand: Operand) -> str:
    """Return a value for the symbol *operand* that can never be resolved: itself."""
    return f"&{operand.keyword}"


@dataclass(slots=True)
class _Procedure:
    """A procedure. templates: its facts that hold symbols, to which each call may give others."""

    defaults: dict[str, str]
    templates: list[Fact] = field(default_factory=list)
    calls: int = 0


class Symbols:
    """The symbols of one job and of its procedures, up to the statement that was read last."""

    def __init__(self) -> None:
        self._set: dict[str, str] = {}
        self._open: _Procedure | None = None
        self._procedures: dict[str, _Procedure] = {}

    @property
    def is_in_procedure(self) -> bool:
        """Return whether a procedure has begun that has not ended."""
        return self._open is not None

    def begin(self, name: str, defaults: Iterable[Operand]) -> None:
        """Begin the procedure *name*, whose PROC statement gives its symbols *defaults*."""
        values = {operand.keyword: bare(operand.value) or unknown(operand) for operand in defaults}
        self._open = self._procedures[name] = _Procedure(values)

    def end(self) -> None:
        """End the procedure."""
        self._open = None

    def set(self, operand: Operand) -> None:
        """Take what a SET statement gives to a symbol."""
        value = _resolved(bare(operand.value), self._known)
        self._set[operand.keyword] = unknown(operand) if value is None else value

    def meant(self, fact: Fact) -> Fact:
        """Return *fact* as it is resolved; itself without symbols, or where one is not known."""
        if not has_symbol(fact.object):
            return fact
        if self._open:
            self._open.templates.append(fact)
        return _resolved_fact(fact, self._known)

    def called(self, name: str, operands: Iterable[Operand]) -> Iterator[Fact]:
        """Yield the facts of the procedure *name* as a call with *operands* resolves them."""
        procedure = self._procedures.get(name)
        if not procedure or procedure is self._open or procedure.calls >= _MOST_CALLS:
            return
        procedure.calls += 1
        values = {operand.keyword: bare(operand.value) for operand in operands if operand.keyword}
        own = {key: _resolved(value, self._known) or value for key, value in values.items()}
        known = ChainMap(own, procedure.defaults, self._set)
        found = ((fact, _resolved_fact(fact, known)) for fact in procedure.templates)
        yield from (resolved for fact, resolved in found if resolved is not fact)

    @property
    def _known(self) -> Values:
        return ChainMap(self._open.defaults if self._open else {}, self._set)
