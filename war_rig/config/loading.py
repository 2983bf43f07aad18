"""From files and the environment to checked settings, or to one list of all faults."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from war_rig.config.checking import at, checked, nearest
from war_rig.config.interpolation import interpolate, references
from war_rig.config.policies import PolicySettings
from war_rig.config.policy_entries import (
    checked_policies,
    cycles,
    doubled_retries,
    laid_over,
    spelt_out,
)
from war_rig.config.settings import (
    SHIPPED,
    FileShape,
    PluginSettings,
    ProviderEntry,
    Settings,
)
from war_rig.config.trust import HOW_TO_TRUST, distrusted
from war_rig.errors import ConfigError
from war_rig.names import normalise
from war_rig.plugins import EVERY_PLUGIN, AllowedPlugins
from war_rig.shipped import shipped_path
from war_rig.yaml_file import Fault, File, Located, Origin, read, refuse

_ENTRY_DEPTH = 2  # of agents.scribe
_RESERVED = ("type", "distribution", "policies")


def load(path: Path | None, env: Mapping[str, str], *, llm_provider: str | None = None) -> Settings:
    """Return the configuration of *path*, else WAR_RIG_CONFIG, else ./war_rig.yaml, if any.

    It lies over the shipped default; LLM_PROVIDER of *env* beats both files,
    and *llm_provider* (the --provider flag) beats that. Raises ConfigError.
    """
    faults: list[Fault] = []
    file = _found(path, env)
    tree = read(File.at(shipped_path("war_rig.yaml"), SHIPPED), faults)
    if file is not None:
        own = spelt_out(read(file, faults))
        faults.extend(distrusted(own, "", file))
        tree = _merged(tree, own)
    tree = _chosen(tree, env, llm_provider)
    tree = _resolved(tree, env, faults)
    common = tree.value["policies"]
    policies = checked_policies(common, "policies", faults)
    entries = _Entries(common, policies, env, faults).read(tree.value.get("providers"))
    shape = checked(FileShape, tree, faults)
    refuse(faults)
    assert shape is not None and policies is not None
    return Settings(
        llm_provider=shape.llm_provider,
        providers=entries,
        agents=shape.agents,
        document=shape.document,
        policies=policies,
        origins=dict(_origins(tree, "")),
        env=env,
        file=file,
        plugins=_allowed(shape.plugins, tree),
    )


def _allowed(plugins: PluginSettings | None, tree: Located) -> AllowedPlugins:
    if plugins is None:
        return EVERY_PLUGIN
    origin = nearest(tree, ("plugins", "allow")).origin
    return AllowedPlugins(tuple(plugins.allow), origin.label)


def _found(path: Path | None, env: Mapping[str, str]) -> File | None:
    by_environment = env.get("WAR_RIG_CONFIG", "")
    if path is not None:
        return File.at(path, str(path))
    if by_environment:
        return File.at(_named(by_environment), by_environment)
    here = Path("war_rig.yaml")
    return File.at(here, str(here), is_trusted=False) if _is_there(here) else None


def _named(by_environment: str) -> Path:
    """Return what WAR_RIG_CONFIG names; of a path that leads nowhere, tell whose it is."""
    path = Path(by_environment)
    if os.path.lexists(path):
        return path
    lines = [f"WAR_RIG_CONFIG names '{by_environment}', and there is no such file"]
    if not path.is_absolute():
        lines.append(f"  a relative path begins at the current folder, {Path.cwd()}")
    raise ConfigError("\n".join(lines))


def _is_there(path: Path) -> bool:
    """Return whether something of that name is there, a broken link included."""
    return os.path.lexists(path) and not path.is_dir()


def _merged(base: Located, over: Located, depth: int = 0) -> Located:
    """Return *over* laid on *base*: maps merge, all else is replaced.

    A section, or an entry of one, that is left empty changes nothing. But an
    empty policy is one that is left out.
    """
    if isinstance(base.value, dict) and over.value is None and depth <= _ENTRY_DEPTH:
        return base
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    both = dict(base.value)
    for key, item in over.value.items():
        lay = laid_over if key == "policies" and item.value else partial(_merged, depth=depth + 1)
        both[key] = lay(both[key], item) if key in both else item
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
        return Located(None, item.origin)  # distrusted() tells
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
            text = f"lies outside the file's folder; {HOW_TO_TRUST}"
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


@dataclass(frozen=True, slots=True)
class _Entries:
    """Reads the entries under ``providers``; each one's policies lie over the *common* ones."""

    common: Located
    inherited: PolicySettings | None
    env: Mapping[str, str]
    faults: list[Fault]

    def read(self, providers: Located | None) -> dict[str, ProviderEntry]:
        found: dict[str, ProviderEntry] = {}
        fallbacks: dict[str, Located] = {}
        if providers is None or not isinstance(providers.value, dict):
            return found
        for written, item in providers.value.items():
            key = f"providers.{written}"
            try:
                name = normalise(written)
            except ValueError as error:
                self.faults.append(Fault(item.origin, key, str(error)))
                continue
            if name in found:
                text = f"is the same name as another entry's, at {found[name].origin.label}"
                self.faults.append(Fault(item.origin, key, text))
            found[name] = self._entry(name, key, item)
            if fallback := at(item, "policies", "fallback"):
                fallbacks[name] = fallback
        self.faults.extend(cycles(fallbacks))
        return found

    def _entry(self, name: str, key: str, item: Located) -> ProviderEntry:
        if item.value is not None and not isinstance(item.value, dict):
            self.faults.append(Fault(item.origin, key, "must be a map of arguments"))
            return ProviderEntry(name, name)
        given: dict[str, Located] = item.value or {}
        kind = self._text(given.get("type"), f"{key}.type") or name
        try:
            kind = normalise(kind)
        except ValueError as error:
            self.faults.append(Fault(given["type"].origin, f"{key}.type", str(error)))
        distribution = self._text(given.get("distribution"), f"{key}.distribution")
        arguments = {k: v for k, v in given.items() if k not in _RESERVED}
        policies = self._policies(given.get("policies"), f"{key}.policies")
        if policies is not None:
            self.faults.extend(doubled_retries(key, arguments, policies, self.env))
        return ProviderEntry(name, kind, distribution, arguments, item.origin, policies)

    def _policies(self, own: Located | None, key: str) -> PolicySettings | None:
        if own is None or own.value is None:
            return self.inherited
        laid = laid_over(self.common, _put_in(own, key, self.env, self.faults))
        return checked_policies(laid, key, self.faults)

    def _text(self, item: Located | None, key: str) -> str | None:
        if item is None or item.value is None:
            return None
        if isinstance(item.value, str):
            return item.value
        self.faults.append(Fault(item.origin, key, "must be text"))
        return None


def _origins(tree: Located, key: str) -> Iterator[tuple[str, Origin]]:
    yield key, tree.origin
    if isinstance(tree.value, dict):
        for name, item in tree.value.items():
            if key == "providers":
                with suppress(ValueError):  # which was told already
                    name = normalise(name)
            yield from _origins(item, f"{key}.{name}" if key else name)
