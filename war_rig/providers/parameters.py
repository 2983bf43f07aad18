"""A parameter of a provider's constructor, where its value comes from, and how it is shown."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from war_rig.names import is_secret_name
from war_rig.providers.conversion import Argument, Examined, convert, plain_types
from war_rig.providers.foreign import repr_of
from war_rig.providers.secrets import MASK, masked, secrets_in

UNSET = inspect.Parameter.empty


@dataclass(frozen=True, slots=True)
class Parameter:
    """A constructor's parameter with the argument it gets; argument is None for a default.

    hidden: texts inside its value that must not be shown.
    """

    name: str
    variable: str
    declared: inspect.Parameter = field(repr=False)
    argument: Argument | None
    hidden: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def is_missing(self) -> bool:
        """Return whether it has neither an argument nor a default."""
        return self.argument is None and self.declared.default is UNSET

    @property
    def is_secret(self) -> bool:
        """Return whether its value must not be shown."""
        return is_secret_name(self.name) or bool(self.argument and self.argument.is_secret)

    @property
    def origin(self) -> str:
        """Return where its value comes from."""
        if self.argument:
            return self.argument.origin
        return "missing" if self.is_missing else "default"

    @property
    def value(self) -> Any:
        """Return its argument, else its default, None where it has neither."""
        if self.argument:
            return self.argument.value
        return None if self.is_missing else self.declared.default

    def after(self, examined: Examined) -> "Parameter":
        """Return what it is with what the factory said of all arguments."""
        is_unneeded = self.is_missing and self.name in examined.unneeded
        declared = self.declared.replace(default=None) if is_unneeded else self.declared
        return replace(self, declared=declared, hidden=self.hidden | examined.secrets)

    @property
    def shown(self) -> str:
        """Return its value for a person to see; a secret is masked."""
        return "-" if self.is_missing else shown_value(self.value, self.is_secret, self.hidden)


def found_parameters(
    provider: str,
    declared: Iterable[inspect.Parameter],
    factory: Callable[..., Any],
    given: Mapping[str, Argument],
    env: Mapping[str, str],
) -> tuple[list[Parameter], dict[str, str]]:
    """Return the parameters with their arguments, and what those must be that can't be converted.

    An argument is what was *given*, else the variable of *env* that has its name.
    """
    found, wrong = [], {}
    for one in declared:
        variable = f"{provider}_{one.name}".upper()
        argument = given.get(one.name)
        if argument is None and env.get(variable):
            argument = Argument(env[variable], f"environment {variable}")
        if argument is not None:
            try:
                argument = replace(argument, value=convert(argument, plain_types(one, factory)))
            except ValueError as error:
                wrong[one.name] = f"must be {error}"
        hidden = argument.secrets if argument else frozenset()
        found.append(Parameter(one.name, variable, one, argument, hidden))
    return found, wrong


def shown_value(value: object, is_secret: bool, hidden: frozenset[str] = frozenset()) -> str:
    """Return *value* for a person to see; a secret is masked, and each of *hidden* inside it."""
    if is_secret and value is not None:
        return MASK
    return repr_of(_without(masked(value), hidden))


def shown_default(declared: inspect.Parameter) -> str:
    """Return ``name``, or ``name='default'``, as a signature shows it."""
    if declared.default is UNSET:
        return declared.name
    is_hidden = is_secret_name(declared.name) and any(secrets_in(declared.default, True))
    return f"{declared.name}={MASK if is_hidden else repr_of(masked(declared.default))}"


def _without(value: object, hidden: frozenset[str]) -> object:
    if isinstance(value, Mapping):
        return {key: _without(item, hidden) for key, item in value.items()}
    if isinstance(value, list):
        return [_without(item, hidden) for item in value]
    return MASK if isinstance(value, str) and value in hidden else value
