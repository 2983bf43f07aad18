"""What is tested: ``module:Class``, or a name, which is found as the container finds it."""

import importlib
import os
import re
import sys
from contextlib import suppress
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from war_rig.errors import ConfigError, UnknownProviderError
from war_rig.names import did_you_mean, normalise
from war_rig.providers.blueprint import Blueprint
from war_rig.providers.building import blueprint
from war_rig.providers.foreign import attribute as attribute_of
from war_rig.providers.registry import GROUP, Registration
from war_rig.testing.conformance.planting import Planting

if TYPE_CHECKING:
    from war_rig.config import Settings

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def plan_of(target: str, config: Path | None, planting: Planting) -> tuple[Blueprint, str | None]:
    """Return how *target* is built, and a note about the file that was found, if any was.

    Its code is imported. Its arguments are still the author's own, but for variables that
    its entry refers to: they get what *planting* has for them. Raises UnknownProviderError,
    PluginError or ConfigError, as the container does for a name.
    """
    if ":" in target:
        if config is not None:
            raise ConfigError(
                f"a file goes with the name of a provider, and {target} is a class\n"
                f"  name an entry of {config}; its 'type' is the name that the class is "
                "installed or registered as"
            )
        return _plan_of_class(target), None
    from war_rig.config import load
    from war_rig.config.interpolation import references

    env = dict(os.environ.items())
    settings = load(config, env)
    entry = None
    with suppress(ValueError):  # no name, as will be told
        entry = settings.providers.get(normalise(target))
    for argument in entry.arguments.values() if entry else ():
        for name in references(argument.plain()):
            value = planting.variable(name, env.get(name), None, is_needed=False)
            env |= {} if value is None else {name: value}
    return _plan_of_name(target, settings), settings.note


def _plan_of_name(target: str, settings: "Settings") -> Blueprint:
    from war_rig.entries import known_names, provider_blueprint

    try:
        return provider_blueprint(target, settings)
    except UnknownProviderError as error:
        failure = str(error)
    if target not in known_names(settings):  # else the type that its entry names is unknown
        failure += "\n  a class of yours is named as MODULE:CLASS: my_provider.provider:MyProvider"
    raise UnknownProviderError(failure)


def _plan_of_class(target: str) -> Blueprint:
    value = target.replace(" ", "")
    if not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", value):
        raise ConfigError(
            f"'{target}' is not of the form MODULE:CLASS\n"
            "  write it as an import does: my_provider.provider:MyProvider"
        )
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))  # as `python -m pytest` does
    _check(*value.split(":"))
    name = _name(value)
    load = EntryPoint(name=name, value=value, group=GROUP).load
    return blueprint(name, Registration(name, "registered", value, load), env={})


def _check(module: str, attribute: str) -> None:
    """Raise ConfigError where there is no such module, or nothing of that name in it."""
    try:
        found: Any = importlib.import_module(module)
    except (Exception, SystemExit) as error:  # the plugin's border: its module runs here
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing is None or not f"{module}.".startswith(f"{missing}."):
            return  # what is wrong inside it is told where it is built
        here = sorted(path.stem for path in Path.cwd().iterdir() if path.suffix in ("", ".py"))
        failure = (
            f"there is no module '{missing}' for {module}:{attribute}."
            f"{did_you_mean(missing, here)}\n"
            f"  it is neither installed nor in {Path.cwd()}"
        )
    else:
        failure = _missing(found, module, attribute)
    if failure:
        raise ConfigError(failure)


def _missing(found: Any, module: str, attribute: str) -> str:
    for name in attribute.split("."):
        if not hasattr(found, name):
            near = did_you_mean(name, [one for one in vars(found) if not one.startswith("_")])
            return (
                f"there is no '{name}' in module '{module}'.{near}\n"
                f"  it was imported from {attribute_of(sys.modules[module], '__file__')}"
            )
        found = getattr(found, name)
    return ""


def _name(value: str) -> str:
    """Return the name that *value* is installed under, else one made of the class's."""
    offered = (e.name for e in entry_points(group=GROUP) if e.value.replace(" ", "") == value)
    with suppress(StopIteration, ValueError):  # nobody's, or one that can't be selected
        return normalise(next(offered))
    words = _CAPITAL.sub("_", re.split(r"[:.]", value)[-1]).lower().strip("_")
    name = re.sub(r"_?provider$", "", words) or words
    return name if re.match("[a-z]", name) else f"p{name}"
