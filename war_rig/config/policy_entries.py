"""From ``policies:`` of the file and of an entry to what holds for that entry.

An entry's lie over the common ones, key by key; ``null`` leaves one out.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from war_rig.config.checking import at, checked, is_unread, nearest
from war_rig.config.interpolation import interpolate
from war_rig.config.policies import PolicySettings, contradictions, target
from war_rig.config.settings import SHIPPED
from war_rig.yaml_file import Fault, Located, Origin

_RETRIES = ("max_retries", "retries", "num_retries")
"""What SDKs call the repetitions of their own."""


def laid_over(base: Located, over: Located) -> Located:
    """Return *over* laid on *base*, where an empty key leaves a policy out."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    both = dict(base.value)
    for key, item in over.value.items():
        both[key] = laid_over(both[key], item) if key in both else item
    return Located(both, over.origin)


def spelt_out(file: Located) -> Located:
    """Return what a *file* holds, with the maps that its bare lists of fallbacks are short for."""

    def policies(holder: Located) -> Located:
        return _with(holder, ("policies", "fallback"), _mapped)

    def entries(providers: Located) -> Located:
        if not isinstance(providers.value, dict):
            return providers
        spelt = {name: policies(entry) for name, entry in providers.value.items()}
        return Located(spelt, providers.origin)

    return _with(policies(file), ("providers",), entries)


def _mapped(fallback: Located) -> Located:
    is_list = isinstance(fallback.value, list)
    return Located({"to": fallback}, fallback.origin) if is_list else fallback


def _with(tree: Located, path: tuple[str, ...], change: Callable[[Located], Located]) -> Located:
    """Return *tree* with what *change* makes of the value at *path*, where there is one."""
    if not path:
        return change(tree)
    key, *rest = path
    if not isinstance(tree.value, dict) or key not in tree.value:
        return tree
    changed = _with(tree.value[key], tuple(rest), change)
    return Located({**tree.value, key: changed}, tree.origin)


def checked_policies(tree: Located, key: str, faults: list[Fault]) -> PolicySettings | None:
    """Return the policies in *tree*, which stands at *key*; what is wrong is added to *faults*."""
    policies = checked(PolicySettings, _anchored(tree), faults, key)
    if policies is None or any(is_unread(part, faults) for _, part in tree.parts()):
        return policies  # a value that is not known yet contradicts nothing

    def origin(name: str) -> Origin:
        return nearest(tree, name.split(".")).origin

    for name, text in contradictions(policies, lambda name: origin(name).label.startswith(SHIPPED)):
        if not any(f.origin == origin(name) and f.text == text for f in faults):
            faults.append(Fault(origin(name), f"{key}.{name}", text))
    return policies


def _anchored(tree: Located) -> Located:
    """Return *tree* with the cache's path from its file's folder on."""

    def whole(path: Located) -> Located:
        if not isinstance(path.value, str):
            return path
        folder = path.origin.folder or Path()
        return Located(str(folder / Path(path.value).expanduser()), path.origin)

    return _with(tree, ("cache", "path"), whole)


def doubled_retries(
    key: str, arguments: Mapping[str, Located], policies: PolicySettings, env: Mapping[str, str]
) -> Iterator[Fault]:
    """Yield what lets an SDK repeat calls that the retry policy repeats too."""
    if policies.retry is None or policies.retry.attempts == 1:
        return
    for name in _RETRIES:
        item = arguments.get(name)
        if item is not None and not _is_nothing(item.value, env):
            text = (
                f"repeats calls that policies.retry repeats too ({policies.retry.attempts} "
                f"attempts): set it to 0, or {key}.policies.retry to null"
            )
            yield Fault(item.origin, f"{key}.{name}", text)


def _is_nothing(value: object, env: Mapping[str, str]) -> bool:
    """Return whether *value* is none, as a variable may say it too."""
    if isinstance(value, str):
        try:
            value = interpolate(value, env)[0].strip().lower()
        except ValueError:  # which is told when the provider is built
            return True
    return value in (0, None, False, "", "0", "false")


def cycles(own: Mapping[str, Located]) -> Iterator[Fault]:
    """Yield the entries whose fallbacks lead back to them; *own*: their ``fallback``, by name."""
    targets = {name: _targets(item) for name, item in own.items()}
    for name, item in own.items():
        path = _path_back(name, targets)
        if path:
            yield Fault(item.origin, f"providers.{name}.policies.fallback", f"goes round: {path}")


def _targets(item: Located) -> list[str]:
    named = at(item, "to")
    if named is None or not isinstance(named.value, list):
        return []
    return [target(name) for name in named.plain() if isinstance(name, str)]


def _path_back(name: str, targets: Mapping[str, list[str]]) -> str | None:
    """Return how the fallbacks of *name* lead back to it, as ``a -> b -> a``."""
    paths, seen = [[name]], set()
    while paths:
        path = paths.pop()
        for hop in targets.get(path[-1], ()):
            if hop == name:
                return " -> ".join([*path, hop])
            if hop not in seen:
                seen.add(hop)
                paths.append([*path, hop])
    return None
