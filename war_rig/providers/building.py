"""The one rule by which a provider is built.

Each parameter that the constructor names is taken from, in this order: what
``create_provider`` was given, the configuration file, the environment variable
``<NAME>_<PARAMETER>``, the constructor's default.
"""

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any

from war_rig.errors import ConfigError, PluginError
from war_rig.names import did_you_mean
from war_rig.providers.blueprint import VARIADIC, Blueprint, name_of
from war_rig.providers.conversion import Argument, Examined
from war_rig.providers.foreign import one_line, text_of
from war_rig.providers.parameters import (
    Parameter,
    found_parameters,
)
from war_rig.providers.places import place_of
from war_rig.providers.protocol import LLMProvider
from war_rig.providers.registry import ProviderFactory, Registration
from war_rig.providers.secrets import Redactor


def blueprint(
    name: str,
    registration: Registration,
    *,
    env: Mapping[str, str],
    given: Mapping[str, Argument] | None = None,
    offered: Mapping[str, Argument] | None = None,
    notes: tuple[str, ...] = (),
    origin: str = "",
    file: str = "war_rig.yaml",
) -> Blueprint:
    """Import the provider and find each parameter's argument.

    given: from create_provider and the configuration file; offered: what is
    taken where the constructor names it and nothing is given; env is looked up
    for the rest. notes are added to the message about a missing argument,
    which says that it can be set in *file*.
    Raises PluginError for a failing import, ConfigError for an argument that
    the constructor does not take or that can't be converted; a factory that
    examines its arguments has them reported when it is built, with all others.
    """
    given = {key: argument for key, argument in (given or {}).items() if argument.is_set}
    factory = _loaded(name, registration)
    signature = _signature(factory)
    named = {p.name: p for p in signature.parameters.values() if p.kind not in VARIADIC}
    given = {key: a for key, a in (offered or {}).items() if key in named} | given
    extra = {key: argument for key, argument in given.items() if key not in named}
    if extra and not _takes_any(signature):
        raise ConfigError(_unknown_arguments(name, factory, registration, extra, list(named)))
    found, wrong = found_parameters(name, named.values(), factory, given, env)
    values = {p.name: p.value for p in found if p.argument and p.name not in wrong}
    values |= {key: argument.value for key, argument in extra.items()}
    examined = _examined(name, registration, factory, values)
    if examined is None and wrong:
        raise ConfigError(_unconverted(name, found, wrong))
    examined = (examined or Examined()).with_faults(wrong)
    parameters = tuple(p.after(examined) for p in found)
    return Blueprint(
        name, registration, factory, signature, parameters, extra, notes, examined, origin, file
    )


def build(
    name: str, registration: Registration, *, kwargs: Mapping[str, Any], env: Mapping[str, str]
) -> LLMProvider:
    """Build *registration* under its own name from *kwargs* and *env*."""
    given = {key: Argument(value, "create_provider(...)") for key, value in kwargs.items()}
    return blueprint(registration.name, registration, env=env, given=given).build()


def _takes_any(signature: inspect.Signature) -> bool:
    return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature.parameters.values())


def _loaded(name: str, registration: Registration) -> ProviderFactory:
    try:
        factory = registration.load()
    except (Exception, SystemExit) as error:  # the plugin's border: its module runs here
        failure: BaseException = error
    else:
        if callable(factory):
            return factory
        failure = TypeError(f"a {type(factory).__name__} can't be called to make a provider")
    if registration.templates and isinstance(failure, ConfigError):
        raise failure  # our own reader's: a definition's faults, each with its line
    raise _broken(
        name, registration, failure, "could not be imported", _advice(registration, failure)
    )


def _advice(registration: Registration, failure: BaseException) -> str:
    """Return what to do about a failing import: who registered it is its author."""
    if registration.kind == "plugin" and _is_misnamed(registration, failure):
        return (
            "its entry point names what is not there: correct it in the pyproject.toml of the "
            "package, and install that again; no other provider is affected"
        )
    if registration.kind != "registered":
        return "install what it misses, upgrade it, or uninstall it; no other provider is affected"
    if failure.__traceback__ is None:  # it is no factory
        return "name a class, or a function that returns a provider"
    is_missing = isinstance(failure, ImportError)
    return "install what it misses, or correct that line" if is_missing else "correct that line"


def _is_misnamed(registration: Registration, failure: BaseException) -> bool:
    """Return whether it is the entry point's own module, or a name in that, which is missing."""
    module = registration.source.rpartition("= ")[2].partition(":")[0]
    if isinstance(failure, ModuleNotFoundError):
        return f"{module}.".startswith(f"{failure.name}.")
    return isinstance(failure, AttributeError) and failure.obj is sys.modules.get(module)


def _examined(
    name: str, registration: Registration, factory: ProviderFactory, values: dict[str, Any]
) -> Examined | None:
    """Return what *factory* says of the *values* for it, None where it does not look at them."""
    try:
        examine = getattr(factory, "examined", None)
        examined = examine(values) if callable(examine) else None
    except Exception as error:  # the plugin's border
        failure = error
    else:
        return examined if isinstance(examined, Examined) else None
    raise _broken(name, registration, failure, "could not examine its arguments", "upgrade it")


def _broken(
    name: str, registration: Registration, failure: BaseException, did: str, advice: str
) -> PluginError:
    redactor = Redactor()
    place = place_of(failure) if registration.kind == "registered" else ""
    text = f"provider '{name}' {did}: {type(failure).__name__}: {text_of(failure)}{place}"
    lines = [text, f"  {registration.described}", f"  {advice}"]
    error = PluginError(redactor.redact("\n".join(lines)))
    error.__cause__ = redactor.safe_cause(failure)
    return error


def _signature(factory: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(factory)
    except Exception:  # a callable written in C tells none; a plugin's own may be wrong
        anything = inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)
        return inspect.Signature([anything])


def _unconverted(provider: str, found: list[Parameter], wrong: Mapping[str, str]) -> str:
    lines = []
    for p in found:
        if p.name in wrong:
            lines += [f"provider '{provider}': {p.name} {wrong[p.name]}", f"  set by: {p.origin}"]
    return "\n".join(lines)


def _unknown_arguments(
    name: str,
    factory: ProviderFactory,
    registration: Registration,
    extra: Mapping[str, Argument],
    known: list[str],
) -> str:
    shown = name_of(factory)
    takes = f"takes: {', '.join(known)}" if known else "takes no arguments"
    lines = [f"provider '{name}': {shown}, {registration.described}, {takes}"]
    lines += [
        "  "
        + one_line(f"it does not take '{key}'.{did_you_mean(key, known)} Set by: {argument.origin}")
        for key, argument in extra.items()
    ]
    return "\n".join(lines)
