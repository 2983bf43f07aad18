"""A YAML file as values that know the line they stand on.

Plain words stay text: only ``true``/``false``, decimal numbers and ``null``
mean something else, so that ``no``, ``0123`` and ``2024-02-01`` arrive as they
were written.
"""

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from war_rig.errors import ConfigError

_MOST_BYTES = 1_000_000
_MOST_NODES = 50_000
_DEEPEST = 50
_PLACE = re.compile(r"(.*):(\d+)(?: \(.*\))?$", re.DOTALL)  # of my.yaml:3 (${NAME})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was set. folder: where its relative paths start."""

    label: str
    folder: Path | None = None
    is_trusted: bool = True

    @property
    def place(self) -> tuple[str, int]:
        """Return the file and the line; what stands on none has 0."""
        found = _PLACE.match(self.label)
        return (found[1], int(found[2])) if found else (self.label, 0)

    def with_variables(self, names: Iterable[str]) -> "Origin":
        """Return the origin of a value that the environment variables *names* went into."""
        shown = ", ".join(f"${{{name}}}" for name in sorted(names))
        return replace(self, label=f"{self.label} ({shown})") if shown else self


@dataclass(frozen=True, slots=True)
class Located:
    """A value and its origin; the items of a map or a list are Located too."""

    value: Any
    origin: Origin

    def __repr__(self) -> str:
        return f"<value at {self.origin.label}>"

    def parts(self, path: tuple[str | int, ...] = ()) -> "Iterator[tuple[Any, Located]]":
        """Yield all that is in it, each with the keys and places that lead there."""
        items: Iterable[tuple[Any, Located]] = ()
        if isinstance(self.value, dict):
            items = self.value.items()
        elif isinstance(self.value, list):
            items = enumerate(self.value)
        for key, item in items:
            yield (*path, key), item
            yield from item.parts((*path, key))

    def plain(self) -> Any:
        """Return the value without origins."""
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a file that can't be used; key is dotted."""

    origin: Origin
    key: str
    text: str

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        line = f"{self.origin.label}  {key}{self.text}"
        return "".join(c if c.isprintable() else "\ufffd" for c in line)


def refuse(faults: list[Fault], what: str = "the configuration") -> None:
    """Raise one ConfigError that lists the *faults* of *what*, line by line, if there are any."""
    if faults:
        counted = f"{len(faults)} faults" if len(faults) > 1 else "a fault"
        told = sorted(faults, key=lambda fault: fault.origin.place)
        lines = [f"{what} has {counted}", *(f"  {fault}" for fault in told)]
        raise ConfigError("\n".join(lines))


@dataclass(frozen=True, slots=True)
class File:
    """A configuration file; label is how messages call it, folder where its paths start."""

    path: Path
    label: str
    folder: Path
    is_trusted: bool = True

    @classmethod
    def at(cls, path: Path, label: str, is_trusted: bool = True) -> "File":
        """Return the file at *path*, which need not be there."""
        try:
            return cls(path, label, path.resolve().parent, is_trusted)
        except (OSError, RuntimeError, ValueError):  # a link to itself, a zero byte: read() tells
            return cls(path, label, Path(), is_trusted)

    def origin(self, line: int) -> Origin:
        """Return the origin of what stands on *line*, counted from 1."""
        return Origin(f"{self.label}:{line}", self.folder, self.is_trusted)


def read(file: File, faults: list[Fault]) -> Located:
    """Return the map in *file*, empty for an empty one; what is wrong is added to *faults*."""
    try:
        loader = _Loader(_text(file))
        node = loader.get_single_node()
        tree = _Tree(file, loader, faults).located(node, "") if node else None
    except _UnreadableError as error:
        faults.append(Fault(Origin(file.label), "", str(error)))
    except yaml.YAMLError as error:
        faults.append(_syntax_fault(file, error))
    except RecursionError:
        faults.append(Fault(Origin(file.label), "", "is nested too deeply"))
    except (ValueError, OverflowError):  # PyYAML's, for numbers out of range in escapes
        faults.append(Fault(Origin(file.label), "", "holds an escape or a version out of range"))
    else:
        if tree is not None and isinstance(tree.value, dict):
            return tree
        if tree is not None and tree.value is not None:
            faults.append(Fault(tree.origin, "", "must be a map of 'key: value' lines"))
    return Located({}, file.origin(1))


class _UnreadableError(Exception):
    """The file has no text; says why."""


def _open_file(path: str, flags: int) -> int:
    """Open a regular file only, without waiting for anything else."""
    number = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if stat.S_ISREG(os.fstat(number).st_mode):
        return number
    os.close(number)
    raise OSError(errno.EINVAL, "not a regular file")


def _text(file: File) -> str:
    try:
        with open(file.path, "rb", opener=_open_file) as opened:
            data = opened.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise _UnreadableError(f"is larger than {_MOST_BYTES} bytes")
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _UnreadableError(f"is not UTF-8 at byte {error.start}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "that is no path"
        raise _UnreadableError(f"can't be read: {reason}") from error


def _syntax_fault(file: File, error: yaml.YAMLError) -> Fault:
    """Return the parser's complaint without the line's text, which may hold a secret."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "holds a character that YAML does not allow"
    if "but got '{'" in problem:
        problem += "; between { and }, a ${NAME} needs quotes"
    elif problem.startswith("found undefined"):  # an alias or a tag: *word and !word
        problem = f"{problem.partition(' ' + chr(39))[0]}; a text with '*' or '!' needs quotes"
    elif problem.startswith("mapping values"):
        problem += ": indent it as its neighbours, or put quotes around a text that has ': ' in it"
    elif "character '\\t'" in problem:
        problem = "holds a tab where YAML wants spaces"
    return Fault(file.origin(mark.line + 1) if mark else Origin(file.label), "", problem)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  PyYAML's own way


_TAG = "tag:yaml.org,2002:"
_FLOAT = r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?"
for _kind, _pattern, _first_characters in (
    ("bool", "true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", "[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
    ("null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", "<<", ["<"]),
):
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(f"^(?:{_pattern})$"), _first_characters)


_ALLOWED_TAGS: dict[type[yaml.Node], tuple[str, ...]] = {
    yaml.MappingNode: ("map",),
    yaml.SequenceNode: ("seq",),
    yaml.ScalarNode: ("bool", "int", "float", "null", "str"),
}


class _Tree:
    """Turns nodes into located values; bounded, since aliases can multiply a small file."""

    def __init__(self, file: File, loader: _Loader, faults: list[Fault]) -> None:
        self._file = file
        self._loader = loader
        self._faults = faults
        self._nodes = 0
        self._open: list[yaml.Node] = []

    def located(self, node: yaml.Node, key: str) -> Located:
        """Return the value of *node*, whose dotted key is *key*."""
        origin = self._file.origin(node.start_mark.line + 1)
        self._nodes += 1
        if len(self._open) > _DEEPEST:
            raise RecursionError
        if node in self._open or self._nodes == _MOST_NODES:
            self._faults.append(Fault(origin, key, "holds an alias of itself, or too many values"))
        if node in self._open or self._nodes >= _MOST_NODES:
            return Located(None, origin)
        self._open.append(node)
        value = self._value(node, key, origin)
        self._open.pop()
        return Located(value, origin)

    def _value(self, node: yaml.Node, key: str, origin: Origin) -> Any:
        if node.tag.removeprefix(_TAG) not in _ALLOWED_TAGS[type(node)]:
            own = node.tag.startswith(_TAG)  # another one is a word of the file's, such as !word
            tag = f"the tag !!{node.tag.removeprefix(_TAG)}" if own else "a tag"
            self._faults.append(Fault(origin, key, f"has {tag}, which is not allowed"))
            return None
        if isinstance(node, yaml.MappingNode):
            return self._map(node, key)
        if isinstance(node, yaml.SequenceNode):
            return [self.located(item, f"{key}.{i}") for i, item in enumerate(node.value)]
        return self._scalar(node, key, origin)

    def _scalar(self, node: yaml.Node, key: str, origin: Origin) -> Any:
        try:
            return self._loader.construct_object(node)
        except (ValueError, LookupError):  # an explicit tag, such as !!int, on other text
            self._faults.append(Fault(origin, key, f"is not of the type that {node.tag} says"))
            return None

    def _map(self, node: yaml.MappingNode, key: str) -> dict[str, Located]:
        found: dict[str, Located] = {}
        inherited: dict[str, Located] = {}
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAG}merge":
                inherited = {**self._merged(value_node, key), **inherited}
                continue
            name = key_node.value if isinstance(key_node, yaml.ScalarNode) else "?"
            dotted = f"{key}.{name}" if key else name
            origin = self._file.origin(key_node.start_mark.line + 1)
            if name in found:
                first = found[name].origin.label
                self._faults.append(Fault(origin, dotted, f"is here twice, first at {first}"))
            found[name] = Located(self.located(value_node, dotted).value, origin)
        return {**inherited, **found}

    def _merged(self, node: yaml.Node, key: str) -> dict[str, Located]:
        """Return what a ``<<`` key brings in: one map, or several, the first of which wins."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Located] = {}
        for item in reversed(nodes):
            found = self.located(item, key)
            if isinstance(found.value, dict):
                merged |= found.value
            else:
                self._faults.append(Fault(found.origin, key, "has a '<<' that brings in no map"))
        return merged
