"""A provider that is ready to be built, and what is said where it can't be."""

import inspect
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from war_rig.errors import ConfigError, PluginError, WarRigError
from war_rig.names import is_secret_name
from war_rig.providers.conversion import Argument, Examined, KeyPath, nearest
from war_rig.providers.foreign import one_line, text_of
from war_rig.providers.parameters import Parameter, shown_default, shown_value
from war_rig.providers.places import place_of
from war_rig.providers.protocol import LLMProvider
from war_rig.providers.registry import TYPES, ProviderFactory, Registration
from war_rig.providers.secrets import Redactor, secrets_in

VARIADIC: tuple[Any, Any] = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
"""The kinds of a parameter that takes any number of arguments."""

_LONGEST_FAULT = 500


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A provider that is ready to be built: its code is imported, its arguments are known.

    examined: what the factory says of its arguments. origin: where its entry
    stands, for faults in what nobody gave. file: where that could be given.
    """

    name: str
    registration: Registration
    factory: ProviderFactory
    signature: inspect.Signature
    parameters: tuple[Parameter, ...]
    extra: Mapping[str, Argument]
    notes: tuple[str, ...]
    examined: Examined = field(default=Examined(), repr=False)
    origin: str = ""
    file: str = "war_rig.yaml"

    def __repr__(self) -> str:
        return f"<Blueprint of {self.name}: {self.shown_signature}>"

    @property
    def shown_signature(self) -> str:
        """Return ``Class(parameter, other='default')``."""
        stars = {VARIADIC[0]: "*", VARIADIC[1]: "**"}
        declared = self.signature.parameters.values()
        shown = ", ".join(f"{stars.get(p.kind, '')}{shown_default(p)}" for p in declared)
        return f"{name_of(self.factory)}({shown})"

    @property
    def secrets(self) -> set[str]:
        """Return the values among arguments and defaults that are secrets."""
        given = [(p.value, p.is_secret) for p in self.parameters]
        given += [(a.value, a.is_secret or is_secret_name(n)) for n, a in self.extra.items()]
        found = {text for value, is_secret in given for text in secrets_in(value, is_secret)}
        return found.union(self._hidden, *(p.hidden for p in self.parameters))

    def shown_extra(self, key: str) -> str:
        """Return, for a person to see, what goes to ``**kwargs`` under *key*."""
        argument = self.extra[key]
        is_secret = argument.is_secret or is_secret_name(key)
        return shown_value(argument.value, is_secret, self._hidden)

    @property
    def _hidden(self) -> frozenset[str]:
        return self.examined.secrets.union(*(a.secrets for a in self.extra.values()))

    @property
    def identity(self) -> str:
        """Return what tells this provider's answers from another's; holds no secret."""
        shown = [f"{p.name}={p.shown}" for p in self.parameters if not p.is_secret]
        extra = sorted(n for n, a in self.extra.items() if not (a.is_secret or is_secret_name(n)))
        shown += [f"{name}={self.shown_extra(name)}" for name in extra]
        offer = self.registration
        made_by = f"{offer.distribution} {offer.version} {offer.source}"
        if offer.kind == "registered":  # its source is a line number, which any edit changes
            made_by = name_of(self.factory)
        return f"{self.name}: {made_by} {shown}"

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Return host and port of the API, and of those arguments and defaults that are URLs."""
        values = [self.examined.url, *(p.value for p in self.parameters)]
        values += [argument.value for argument in self.extra.values()]
        return list(dict.fromkeys(address for value in values if (address := _address(value))))

    @property
    def hosts(self) -> list[str]:
        """Return the hosts of the API, and of those arguments and defaults that are URLs."""
        return [host for host, _ in self.addresses]

    def build(self) -> LLMProvider:
        """Call the constructor and check what it made.

        Raises what ``check`` does, and PluginError where the constructor raises
        or makes something that is no provider.
        """
        self.check()
        return self._checked(self._constructed())

    def check(self) -> None:
        """Raise ConfigError for missing and wrong arguments."""
        missing = [p for p in self.parameters if p.is_missing]
        is_entry = self.registration.name in TYPES
        if self.examined.faults or (missing and is_entry):
            raise ConfigError(Redactor(self.secrets).redact(self._faulty(missing)))
        if missing:
            raise ConfigError(self._missing(missing))

    def _constructed(self) -> object:
        bound = self.signature.bind_partial()
        for p in self.parameters:
            if p.argument or p.declared.kind is inspect.Parameter.POSITIONAL_ONLY:
                bound.arguments[p.name] = p.value
        extra = {name: argument.value for name, argument in self.extra.items()}
        try:
            return self.factory(*bound.args, **bound.kwargs, **extra)
        except (Exception, SystemExit) as error:  # the plugin's border
            failure = error
        redactor = Redactor(self.secrets)
        if isinstance(failure, WarRigError) and redactor.is_clean(failure):
            raise failure
        message = redactor.redact(self._broken_constructor(failure))
        raise PluginError(message) from redactor.safe_cause(failure)

    def _checked(self, made: object) -> LLMProvider:
        missing = [part for part in ("default_model", "complete") if not self._has(made, part)]
        if not missing and callable(made.complete):  # type: ignore[attr-defined]
            return typing.cast(LLMProvider, made)
        lacks = " and no ".join(missing) or "callable complete()"
        raise PluginError(
            f"provider '{self.name}' is not one: {self.shown_signature} made "
            f"a {type(made).__name__}, which has no {lacks}\n"
            f"  {self.registration.described}\n"
            "  its author must give it a 'default_model' property and "
            "'async def complete(self, messages, **kwargs)'"
        )

    def _has(self, made: object, part: str) -> bool:
        try:
            return hasattr(made, part)
        except Exception as error:  # a property of the plugin's
            failure = error
        redactor = Redactor(self.secrets)
        raise PluginError(
            redactor.redact(
                f"provider '{self.name}' raised {type(failure).__name__} from its {part}: "
                f"{self._told(failure)}\n  {self.registration.described}"
            )
        ) from redactor.safe_cause(failure)

    def _missing(self, missing: list[Parameter]) -> str:
        names = " and ".join(f"'{p.name}'" for p in missing)
        lines = [
            f"provider '{self.name}' needs {names}",
            f"  {self.shown_signature}, {self.registration.described}",
        ]
        for p in missing:
            lines.append(
                f"  set one of: providers.{self.name}.{p.name} in {self.file}, {p.variable}, "
                f"create_provider(..., {p.name}=...)"
            )
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def placed(self, faults: Iterable[tuple[KeyPath, str]]) -> list[tuple[str, str]]:
        """Return where each of *faults* stands, and its key with the text; line by line."""
        told = [
            (self._place(path), f"{'.'.join(map(str, ('providers', self.name, *path)))}: {text}")
            for path, text in faults
        ]
        return sorted(told, key=lambda fault: _line_of(fault[0]))

    def _faulty(self, missing: list[Parameter]) -> str:
        """Return the message that lists all that is wrong, and where."""
        absent = [((p.name,), f"is missing: set it, or {p.variable}") for p in missing]
        faults = self.placed([*self.examined.faults, *absent])
        counted = f"{len(faults)} faults" if len(faults) > 1 else "a fault"
        lines = [f"provider '{self.name}' has {counted}"]
        lines += [f"  {one_line(p)}  {one_line(text, _LONGEST_FAULT)}" for p, text in faults]
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def _place(self, path: KeyPath) -> str:
        given = {p.name: p.argument for p in self.parameters if p.argument} | dict(self.extra)
        if found := given.get(str(path[0])):
            return found.origin_of(path[1:])
        places = self.examined.places
        declared = places.get(("parameters", *path), self.registration.described)
        return nearest(places, path, self.origin or declared)

    @property
    def _is_own(self) -> bool:
        """Return whether whoever sees an error of its code wrote that."""
        return self.registration.kind == "registered"

    def _told(self, error: BaseException) -> str:
        return f"{text_of(error)}{place_of(error) if self._is_own else ''}"

    def _broken_constructor(self, error: BaseException) -> str:
        lines = [
            f"provider '{self.name}' could not be built: "
            f"{type(error).__name__}: {self._told(error)}",
            f"  {self.shown_signature}, {self.registration.described}",
        ]
        if isinstance(error, KeyError):
            lines.append(
                f"  is {error} an environment variable that is not set? A provider that reads "
                "the environment by itself sees the process's own"
            )
        elif self._is_own:
            lines.append("  the constructor of the provider raised this: correct that line")
        else:
            lines.append("  the constructor of the provider raised this: see its documentation")
        return "\n".join(lines)


def name_of(factory: ProviderFactory) -> str:
    """Return what a person calls *factory*."""
    return getattr(factory, "__name__", type(factory).__name__)


def _line_of(place: str) -> tuple[str, int]:
    """Return the file and the line of a *place*, what is no line as its first."""
    file, _, line = place.rpartition(":")
    return (file, int(line)) if line.isdecimal() else (place, 0)


def _address(value: object) -> tuple[str, int] | None:
    if not (isinstance(value, str) and value.startswith(("http://", "https://"))):
        return None
    try:
        url = urlsplit(value)
        port = url.port or (443 if url.scheme == "https" else 80)
        return (url.hostname, port) if url.hostname else None
    except ValueError:  # a broken URL: the provider will say so
        return None
