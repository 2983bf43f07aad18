"""A place in a definition, and what is wrong there.

A definition is read key by key, without stopping: every fault is noted with the
path of keys that leads to it, and all of them are told at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from war_rig.names import did_you_mean
from war_rig.providers.conversion import KeyPath

Faults = list[tuple[KeyPath, str]]
"""What is wrong, and where."""


@dataclass(frozen=True, slots=True)
class Section:
    """A value of a definition; where it is a map, its keys are asked for one by one.

    A key that is null counts as not there. ``finish`` notes the keys that
    nobody asked for.
    """

    value: Any = field(repr=False)
    path: KeyPath = ()
    faults: Faults = field(default_factory=list, repr=False)
    _asked: list[str] = field(default_factory=list, repr=False)

    @property
    def key(self) -> str | int:
        """Return the last step of the path."""
        return self.path[-1]

    def note(self, text: str, *below: str | int) -> None:
        """Note a fault, here or *below* here."""
        self.faults.append(((*self.path, *below), text))

    def items(self) -> Iterator["Section"]:
        """Yield the items of a map or a list."""
        found = self.value.items() if isinstance(self.value, Mapping) else enumerate(self.value)
        for key, value in found:
            yield Section(value, (*self.path, key), self.faults)

    def has(self, key: str) -> bool:
        """Return whether *key* is there."""
        self._asked.append(key)
        return self.value.get(key) is not None

    def at(self, key: str) -> "Section":
        """Return what is at *key*, None where it is not there."""
        self._asked.append(key)
        return Section(self.value.get(key), (*self.path, key), self.faults)

    def map(self, key: str) -> "Section":
        """Return the map at *key*, an empty one where there is none."""
        found = self.at(key)
        if found.value is None:
            return Section({}, found.path, self.faults)
        if isinstance(found.value, Mapping):
            return found
        found.note("must be a map")
        return Section({}, found.path, [])

    def text(self, key: str, default: str = "") -> str:
        """Return the text at *key*."""
        found = self.at(key)
        if found.value is None:
            return default
        if isinstance(found.value, str):
            return found.value
        found.note("must be text: put it in quotes")
        return default

    def choice(self, key: str, choices: tuple[str, ...], default: str = "") -> str:
        """Return the text at *key*, which is one of *choices*."""
        chosen = self.text(key)
        if chosen and chosen not in choices:
            near = did_you_mean(chosen, choices)
            self.note(f"must be one of: {', '.join(choices)}.{near}".removesuffix("."), key)
            return default
        return chosen or default

    def flag(self, key: str) -> bool:
        """Return the truth at *key*, false where there is none."""
        found = self.at(key)
        if found.value is not None and not isinstance(found.value, bool):
            found.note("must be true or false")
        return found.value is True

    def number(self, key: str, default: float) -> float:
        """Return the positive number at *key*, which a variable may have brought as text."""
        found = self.at(key)
        if found.value is None:
            return default
        try:
            number = default if isinstance(found.value, bool) else float(found.value)
        except (TypeError, ValueError, OverflowError):
            number = 0.0
        if isinstance(found.value, bool) or not 0 < number < float("inf"):
            found.note("must be a number above 0")
            return default
        return number

    def finish(self) -> None:
        """Note every key that was not asked for."""
        known = sorted({*self._asked})
        for key in self.value:
            if key not in known:
                near = did_you_mean(str(key), known)
                self.note(f"is no key here.{near} Known: {', '.join(known)}", key)
