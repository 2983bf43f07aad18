"""From files and the environment to checked settings, or to one list of all faults."""

import os
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from war_rig.config.interpolation import interpolate, references
from war_rig.config.settings import (
    SHIPPED,
    AgentSettings,
    DocumentSettings,
    FileShape,
    ProviderEntry,
    Settings,
)
from war_rig.config.yaml_file import Fault, File, Located, Origin, read, refuse
from war_rig.names import did_you_mean, normalise

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_ENTRY_DEPTH = 2  # of agents.scribe
_RESERVED = ("type", "distribution", "policies")


def load(path: Path | None, env: Mapping[str, str], *, llm_provider: str | None = None) -> Settings:
    """Return the configuration of *path*, else WAR_RIG_CONFIG, else ./war_rig.yaml, if any.

    It lies over the shipped default; LLM_PROVIDER of *env* beats both files,
    and *llm_provider* (the --provider flag) beats that. Raises ConfigError.
    """
    faults: list[Fault] = []
    file = _found(path, env)
    tree = read(File.at(_shipped_file(), SHIPPED), faults)
    if file is not None:
        own = read(file, faults)
        faults.extend(_distrusted(own, "", file))
        tree = _merged(tree, own)
    tree = _chosen(tree, env, llm_provider)
    tree = _resolved(tree, env, faults)
    entries = _entries(tree.value.get("providers"), faults)
    checked = _validated(tree, faults)
    refuse(faults)
    assert checked is not None
    return Settings(
        llm_provider=checked.llm_provider,
        providers=entries,
        agents=checked.agents,
        document=checked.document,
        origins=dict(_origins(tree, "")),
        env=env,
        file=file,
    )


def _shipped_file() -> Path:
    """Return the shipped default: inside the package where installed, else the checkout's."""
    packaged = Path(str(files("war_rig"))) / "_config" / "war_rig.yaml"
    return packaged if packaged.is_file() else Path(__file__).parents[2] / "config" / "war_rig.yaml"


def _found(path: Path | None, env: Mapping[str, str]) -> File | None:
    named = path or (Path(env["WAR_RIG_CONFIG"]) if env.get("WAR_RIG_CONFIG") else None)
    if named is not None:
        return File.at(named, str(named))
    here = Path("war_rig.yaml")
    return File.at(here, str(here), is_trusted=False) if _is_there(here) else None


def _is_there(path: Path) -> bool:
    """Return whether something of that name is there, a broken link included."""
    return os.path.lexists(path) and not path.is_dir()


def _merged(base: Located, over: Located, depth: int = 0) -> Located:
    """Return *over* laid on *base*: maps merge, all else is replaced.

    A section, or an entry of one, that is left empty changes nothing.
    """
    if isinstance(base.value, dict) and over.value is None and depth <= _ENTRY_DEPTH:
        return base
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    both = dict(base.value)
    for key, item in over.value.items():
        both[key] = _merged(both[key], item, depth + 1) if key in both else item
    return Located(both, over.origin)


def _chosen(tree: Located, env: Mapping[str, str], flag: str | None) -> Located:
    by_environment = env.get("LLM_PROVIDER", "").strip()
    if flag is None and not by_environment:
        return tree
    chosen = (
        Located(by_environment.replace("$", "$$"), Origin("environment LLM_PROVIDER"))
        if flag is None
        else Located(flag.replace("$", "$$"), Origin("--provider"))
    )
    return Located({**tree.value, "llm_provider": chosen}, tree.origin)


def _resolved(tree: Located, env: Mapping[str, str], faults: list[Fault]) -> Located:
    """Return *tree* with variables and prompt files put in, the entries of providers untouched."""
    return Located(
        {
            key: item if key == "providers" else _put_in(item, key, env, faults)
            for key, item in tree.value.items()
        },
        tree.origin,
    )


def _put_in(item: Located, key: str, env: Mapping[str, str], faults: list[Fault]) -> Located:
    if isinstance(item.value, dict):
        inner = {k: _put_in(v, f"{key}.{k}", env, faults) for k, v in item.value.items()}
        if key.endswith(".system") and inner.keys() == {"file"}:
            return _prompt(inner["file"], key, faults)
        return Located(inner, item.origin)
    if isinstance(item.value, list):
        items = [_put_in(v, f"{key}.{i}", env, faults) for i, v in enumerate(item.value)]
        return Located(items, item.origin)
    if not item.origin.is_trusted and references(item.value):
        return Located(None, item.origin)  # _distrusted() tells
    try:
        value, variables = interpolate(item.value, env)
        return Located(value, item.origin.with_variables(variables))
    except ValueError as error:
        faults.append(Fault(item.origin, key, str(error)))
        return Located(None, item.origin)


def _prompt(item: Located, key: str, faults: list[Fault]) -> Located:
    """Return the text of the file that ``system: {file: ...}`` names."""
    origin = item.origin
    if not isinstance(item.value, str):
        faults.append(Fault(origin, f"{key}.file", "must be a path"))
        return Located(None, origin)
    folder = origin.folder or Path()
    path = folder / item.value
    try:
        if not origin.is_trusted and not path.resolve().is_relative_to(folder.resolve()):
            text = f"lies outside the file's folder; {_HOW_TO_TRUST}"
            faults.append(Fault(origin, f"{key}.file", text))
            return Located(None, origin)
        text = path.read_text(encoding="utf-8")
    except (OSError, RuntimeError, ValueError) as error:
        is_text = not isinstance(error, UnicodeDecodeError)
        reason = getattr(error, "strerror", None) or (
            "that is no path" if is_text else "is not UTF-8 text"
        )
        faults.append(Fault(origin, f"{key}.file", f"{path} can't be read: {reason}"))
        return Located(None, origin)
    return Located(text, Origin(f"{origin.label} ({item.value})", folder, origin.is_trusted))


_HOW_TO_TRUST = (
    "war_rig.yaml was only found in the current folder: "
    "to trust it, pass --config war_rig.yaml or set WAR_RIG_CONFIG=war_rig.yaml"
)


def _distrusted(tree: Located, key: str, file: File) -> Iterator[Fault]:
    """Yield what a file that was only found in the current folder may not do."""
    if file.is_trusted:
        return
    if isinstance(tree.value, (dict, list)):
        items = tree.value.items() if isinstance(tree.value, dict) else enumerate(tree.value)
        for name, item in items:
            dotted = f"{key}.{name}" if key else str(name)
            yield from _distrusted(item, dotted, file)
            if text := _forbidden(dotted, item, file.folder):
                yield Fault(item.origin, dotted, f"{text}; {_HOW_TO_TRUST}")
    elif references(tree.value):
        yield Fault(tree.origin, key, f"may not use the environment; {_HOW_TO_TRUST}")


_DISTRIBUTION = re.compile(r"providers\..*\.distribution")
_COMMAND = re.compile(r"providers\.[^.]+\.auth\..*\bcommand")
_FILE = re.compile(r"providers\.[^.]+\.(auth\..*\bfile|ca|certificate|certificate_key)")


def _forbidden(key: str, item: Located, folder: Path) -> str | None:
    """Return what a file that is not trusted may not do by setting *key*."""
    if _DISTRIBUTION.fullmatch(key):
        return "may not be set"
    if _COMMAND.fullmatch(key):
        return "may not run a command"
    if _FILE.fullmatch(key) and isinstance(item.value, str) and not _is_inside(folder, item.value):
        return "lies outside the file's folder"
    return None


def _is_inside(folder: Path, path: str) -> bool:
    try:
        there = (folder / Path(path).expanduser()).resolve()
        return there.is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a link to itself, no such ~user, a zero byte
        return False


def _entries(providers: Located | None, faults: list[Fault]) -> dict[str, ProviderEntry]:
    found: dict[str, ProviderEntry] = {}
    if providers is None or not isinstance(providers.value, dict):
        return found
    for written, item in providers.value.items():
        key = f"providers.{written}"
        try:
            name = normalise(written)
        except ValueError as error:
            faults.append(Fault(item.origin, key, str(error)))
            continue
        if name in found:
            text = f"is the same name as another entry's, at {found[name].origin.label}"
            faults.append(Fault(item.origin, key, text))
        found[name] = _entry(name, key, item, faults)
    return found


def _entry(name: str, key: str, item: Located, faults: list[Fault]) -> ProviderEntry:
    if item.value is not None and not isinstance(item.value, dict):
        faults.append(Fault(item.origin, key, "must be a map of arguments"))
        return ProviderEntry(name, name)
    given: dict[str, Located] = item.value or {}
    reserved = {word: _reserved(given.get(word), f"{key}.{word}", faults) for word in _RESERVED}
    kind = reserved["type"] or name
    try:
        kind = normalise(kind)
    except ValueError as error:
        faults.append(Fault(given["type"].origin, f"{key}.type", str(error)))
    arguments = {k: v for k, v in given.items() if k not in _RESERVED}
    return ProviderEntry(name, kind, reserved["distribution"], arguments, item.origin)


def _reserved(item: Located | None, key: str, faults: list[Fault]) -> str | None:
    if item is None or item.value is None:
        return None
    if key.endswith(".policies"):
        faults.append(Fault(item.origin, key, "policies are not available in this version"))
    elif not isinstance(item.value, str):
        faults.append(Fault(item.origin, key, "must be text"))
    else:
        return item.value
    return None


def _validated(tree: Located, faults: list[Fault]) -> FileShape | None:
    try:
        return FileShape.model_validate(tree.plain())
    except ValidationError as error:
        seen = {fault.key for fault in faults}
        for found in error.errors(include_input=False, include_url=False):
            fault = _fault(found, tree)
            if fault.key not in seen:  # what could not be read is not reported again as null
                faults.append(fault)
        return None


def _fault(found: "ErrorDetails", tree: Located) -> Fault:
    loc, kind, text = found["loc"], found["type"], found["msg"]
    key = ".".join(map(str, loc))
    here = tree
    for step in loc:
        if isinstance(here.value, dict) and step in here.value:
            here = here.value[step]
    if kind == "extra_forbidden":
        known = _known_keys(loc)
        text = f"is no key here.{did_you_mean(str(loc[-1]), known)} Known: {', '.join(known)}"
    elif kind in ("model_type", "dict_type", "model_attributes_type"):
        text = "must be a map"
    elif kind in _EXPECTED:
        text = f"must be {_EXPECTED[kind].format(**found.get('ctx', {}))}"
    return Fault(here.origin, key, text)


_EXPECTED = {
    "string_type": "text: put it in quotes",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "{le} or less",
}


def _known_keys(loc: tuple[int | str, ...]) -> list[str]:
    sections: dict[str, type[BaseModel]] = {"agents": AgentSettings, "document": DocumentSettings}
    model = sections.get(str(loc[0]) if len(loc) > 1 else "", FileShape)
    return sorted(model.model_fields)


def _origins(tree: Located, key: str) -> Iterator[tuple[str, Origin]]:
    yield key, tree.origin
    if isinstance(tree.value, dict):
        for name, item in tree.value.items():
            yield from _origins(item, f"{key}.{name}" if key else name)
