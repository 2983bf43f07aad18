"""Which of a provider's settings says where its API is, which is a key, and what they get.

It goes by names: ``base_url`` and ``MY_PROVIDER_ENDPOINT`` get the scripted server's address,
``api_key`` and ``MY_PROVIDER_TOKEN`` a made-up key, a canary. All else keeps its default.
"""

import inspect
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from war_rig.names import is_secret_name
from war_rig.providers.blueprint import Blueprint
from war_rig.providers.conversion import Argument, plain_types
from war_rig.providers.parameters import Parameter

_ENDPOINT = re.compile(r"(^|_)(url|uri|endpoint|base|host|server|gateway|address)$", re.IGNORECASE)
_HOST = re.compile(r"(^|_)host$", re.IGNORECASE)
_PORT = re.compile(r"(^|_)port$", re.IGNORECASE)
_PROXY = re.compile(r"prox(y|ies)", re.IGNORECASE)
_KEY = re.compile(
    r"(^|_)(credentials?|passwd|pwd|bearer|pat|passphrase|auth|apikey)$", re.IGNORECASE
)
_NUMBER = re.compile(
    r"timeout|seconds|retries|max|min|size|limit|tokens|count|temperature|(^|_)n(_|$)",
    re.IGNORECASE,
)
_OF_LIBRARIES = re.compile(
    r"SSL|PYTHON|PROXY|NETRC|_CA_|^(PYDANTIC_|TERM|COLUMNS|HOME|TMP|REQUEST_METHOD)", re.IGNORECASE
)
_MODEL = "kit-default-model"
_OF_THE_MACHINE = re.compile(r"^(PWD|HOST|HOSTNAME|SERVER|ADDRESS|BASE|_?PYTHON.*)$")
_MOST_TURNS = 2
_PLAIN: Any = type(os.environ)
_NOT_THE_PROVIDERS = re.compile(r"urllib\.request$|war_rig\.")
"""The modules that read all variables, but for no provider: for proxies, and for what to mask."""

_VALUES: dict[type, Any] = {int: 30, float: 30.0, bool: True, Path: Path("kit-path")}


def is_key_name(name: str) -> bool:
    """Return whether *name* is a key's: one that War Rig knows for a secret, or another."""
    return is_secret_name(name) or bool(_KEY.search(name))


def _is_key_variable(name: str) -> bool:
    return is_key_name(name) and not _OF_THE_MACHINE.search(name)


def canary(name: str) -> str:
    """Return the made-up key for the argument or variable *name*."""
    return f"sk-canary-{name.lower().replace('_', '-')}-0123456789"


@dataclass
class Planting:
    """What a provider is given in the kit.

    server_url: where the scripted server is. endpoint: the argument or variable that the
    author named. variables: those that were planted, by name. endpoints: the names that
    got the server's address. canaries: the made-up keys, by name. read: the variables
    that it asked for and that were not there. guessed: the names of the texts that it
    needs and that mean nothing to the kit. made_up: what other arguments got, to be shown.
    is_read_at_once: whether it read all variables.
    """

    server_url: str
    endpoint: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    endpoints: list[str] = field(default_factory=list)
    canaries: dict[str, str] = field(default_factory=dict)
    read: dict[str, None] = field(default_factory=dict)
    guessed: dict[str, None] = field(default_factory=dict)
    made_up: dict[str, object] = field(default_factory=dict)
    is_read_at_once: bool = False
    _turns: int = 0
    _supposed: str | None = None
    _suppositions: Iterator[str | None] | None = None

    def __post_init__(self) -> None:
        self.variables, self.endpoints = {}, []
        if self.endpoint is not None and self.endpoint.isupper():
            self.variables[self.endpoint] = self.server_url  # it may be read among all others
            self.endpoints.append(self.endpoint)

    def variable(self, name: str, real: str | None, default: object, is_needed: bool) -> str | None:
        """Return what the provider finds in the variable *name*, None for *real* and *default*."""
        if name not in self.variables:
            if real is None and not _OF_LIBRARIES.search(name):
                self.read[name] = None
            value = self._planted(name, real or default)
            if value is None and is_needed and real is None:
                value = self._guessed(name)
            if value is None:
                return None
            self.variables[name] = value
        return self.variables[name]

    def among_all(self, name: str, real: str) -> str:
        """Return what stands in the variable *name* for whoever reads all: no real key."""
        self.is_read_at_once = True
        if name not in self.variables and _is_key_variable(name):
            self.variables[name] = self.key(name)
        return self.variables.get(name, real)

    def blueprint(self, plan: Blueprint) -> Blueprint:
        """Return *plan* with the kit's arguments."""
        self.made_up = {}
        keys = _keys_to_give(p for p in plan.parameters if _takes_text(p, plan))
        given = {p.name: self._value(p, plan, p.name in keys) for p in plan.parameters}
        parameters = (
            p if given[p.name] is None else replace(p, argument=Argument(given[p.name], "the kit"))
            for p in plan.parameters
        )
        extra = {
            name: replace(argument, value=self._moved(name, argument.value))
            for name, argument in plan.extra.items()
        }
        return replace(plan, parameters=tuple(parameters), extra=extra)

    def turn(self) -> bool:
        """Give the address in another way, or to another name; return whether there was one.

        A host is less than a URL, first without a scheme, then without a port. Where no
        name looks like an address, those that mean nothing have it one after the other.
        """
        if any(map(_HOST.search, self.endpoints)) and self._turns < _MOST_TURNS:
            self._turns += 1
        elif self.endpoint is not None or not self.guessed:
            return False
        else:
            if self._suppositions is None:
                self._suppositions = iter([*self.guessed, None])
            try:
                self._supposed = next(self._suppositions)
            except StopIteration:
                return False
        self.__post_init__()
        return True

    def _planted(self, name: str, before: object) -> str | None:
        is_endpoint = self._is_endpoint(name) and not _OF_THE_MACHINE.search(name)
        if is_endpoint or (_is_url(before) and not _PROXY.search(name)):
            return self._address(name, before)
        return self.key(name) if _is_key_variable(name) else None

    def _guessed(self, name: str) -> str:
        if _PORT.search(name):
            return str(urlsplit(self.server_url).port)
        if _NUMBER.search(name):
            return "30"
        if "model" in name.lower():
            return _MODEL
        self.guessed[name] = None
        return "kit"

    def _value(self, p: Parameter, plan: Blueprint, is_key: bool) -> Any:
        """Return what *p* gets, None where it keeps what it has."""
        names = {one.name for one in plan.parameters}
        if _HOST.search(p.name) and any(map(_PORT.search, names)):
            self._address(p.name, None)
            return "127.0.0.1"
        if _PORT.search(p.name) and any(map(_HOST.search, names)):
            self.made_up[p.name] = "the server's"
            return urlsplit(self.server_url).port
        if self._is_given_as_address(p, plan):
            return self._address(p.name, p.value)
        if is_key:
            return self.key(p.name)
        if p.is_missing:
            self.made_up[p.name] = self._typed(p, plan)
            return self.made_up[p.name]
        return self._moved(p.name, p.value) if isinstance(p.value, (dict, list)) else None

    def _is_given_as_address(self, p: Parameter, plan: Blueprint) -> bool:
        if _PROXY.search(p.name):
            return False
        return _is_url(p.value) or (self._is_endpoint(p.name) and _takes_text(p, plan))

    def key(self, name: str) -> str:
        """Return the made-up key that *name* gets from now on."""
        self.canaries[name] = canary(name)
        return self.canaries[name]

    def _typed(self, p: Parameter, plan: Blueprint) -> Any:
        kinds = plain_types(p.declared, plan.factory)
        for kind in kinds:
            if kind in _VALUES:
                return _VALUES[kind]
        is_number = not kinds and p.declared.annotation is inspect.Parameter.empty
        guessed = self._guessed(p.name)
        return int(guessed) if is_number and guessed.isdigit() else guessed

    def _moved(self, name: str, value: Any) -> Any:
        """Return *value* with each URL in it moved to the scripted server."""
        if isinstance(value, Mapping):
            return {key: self._moved(f"{name}.{key}", item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._moved(name, item) for item in value]
        return self._address(name, value) if _is_url(value) else value

    def _is_endpoint(self, name: str) -> bool:
        if name.lower() in (str(self.endpoint).lower(), str(self._supposed).lower()):
            return True
        return bool(_ENDPOINT.search(name)) and not _PROXY.search(name)

    def _address(self, name: str, before: object) -> str:
        """Return the scripted server's URL, with the path of the URL that was there before."""
        if name not in self.endpoints:
            self.endpoints.append(name)
        if not _is_url(before):
            server = urlsplit(self.server_url)
            forms = (self.server_url, server.netloc, str(server.hostname))
            return forms[self._turns] if _HOST.search(name) else self.server_url
        url, here = urlsplit(str(before)), urlsplit(self.server_url)
        return url._replace(scheme=here.scheme, netloc=here.netloc).geturl()


def _takes_text(p: Parameter, plan: Blueprint) -> bool:
    """Return whether *p* may be a text, by its annotation and by what it has."""
    kinds = plain_types(p.declared, plan.factory)
    return (not kinds or str in kinds) and isinstance(p.value, str | None)


def _keys_to_give(parameters: Iterable[Parameter]) -> set[str]:
    """Return the names of the keys: those that are needed or set, else the first that may be."""
    keys = [p for p in parameters if is_key_name(p.name)]
    return {p.name for p in keys if p.is_missing or p.value} or {p.name for p in keys[:1]}


def _is_url(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))


@contextmanager
def watched_environment(planting: Planting) -> Iterator[None]:
    """Let *planting* answer whoever reads a variable of os.environ, however they got hold of it."""
    environ: Any = os.environ
    before, plain = type(environ), _PLAIN  # not another Watched, which would ask this one

    class Watched(plain):  # type: ignore[misc,valid-type]
        def __getitem__(self, name: str) -> str:
            value = planting.variable(name, self._real(name), None, is_needed=True)
            found: str = plain.__getitem__(self, name) if value is None else value
            return found

        def get(self, name: str, default: Any = None) -> Any:
            real = self._real(name)
            value = planting.variable(name, real, default, is_needed=False)
            return next((one for one in (value, real) if one is not None), default)

        def _real(self, name: str) -> str | None:
            try:
                return plain.__getitem__(self, name)  # type: ignore[no-any-return]
            except KeyError:
                return None

        def __contains__(self, name: object) -> bool:
            return isinstance(name, str) and self.get(name) is not None

        def items(self) -> Any:
            if _NOT_THE_PROVIDERS.match(str(sys._getframe(1).f_globals.get("__name__"))):
                return {name: plain.__getitem__(self, name) for name in self}.items()
            return self.copy().items()

        def copy(self) -> dict[str, str]:
            return {name: planting.among_all(name, plain.__getitem__(self, name)) for name in self}

    environ.__class__ = Watched
    try:
        yield
    finally:
        environ.__class__ = before


@contextmanager
def planted_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set *variables* in os.environ, and take out what names a proxy, until the end."""
    proxies = [name for name in os.environ if _PROXY.search(name)]
    planted = {**dict.fromkeys(proxies), **variables}
    before = {name: os.environ.get(name) for name in planted}
    _set(planted)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
