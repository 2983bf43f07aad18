"""What can be configured."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from war_rig.config.interpolation import interpolate
from war_rig.config.policies import PolicySettings
from war_rig.plugins import EVERY_PLUGIN, AllowedPlugins, requirement
from war_rig.yaml_file import Fault, File, Located, Origin, refuse

SHIPPED = "shipped default"
DEFAULT = Origin("default")


class AgentSettings(BaseModel):
    """One entry under ``agents``; what is None is left to the provider."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    provider: str | None = None
    system: str | None = None
    model: str | None = None
    temperature: float | None = Field(default=None, allow_inf_nan=False)


class DocumentSettings(BaseModel):
    """What ``war-rig document`` may spend on a unit."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    rounds: int = Field(default=2, ge=1, le=5)
    in_flight: int = Field(default=8, ge=1, le=1000)
    unit_lines: int = Field(default=60, ge=5, le=500)
    copybook_paths: list[str] = []


def _named(item: str) -> str:
    requirement(item)
    return item


class PluginSettings(BaseModel):
    """Which of the installed plugins may be imported; without this section all may."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    allow: list[Annotated[str, AfterValidator(_named)]]


@dataclass(frozen=True, slots=True)
class ProviderEntry:
    """One entry under ``providers``: what to build, and with which arguments.

    Its arguments are interpolated when the provider is built, so that an
    unset variable of an unused provider stops nothing.
    """

    name: str
    type: str
    distribution: str | None = None
    arguments: Mapping[str, Located] = field(default_factory=dict, repr=False)
    origin: Origin = DEFAULT
    policies: PolicySettings | None = None

    def interpolated(
        self, env: Mapping[str, str], templates: Collection[str] = ()
    ) -> Iterator[tuple[str, Any, frozenset[str]]]:
        """Yield each argument's name, its value, and the variables that went into it.

        Raises ConfigError that lists every text with an unset variable.

        templates: the arguments in which ``$$`` stays as it is, for whoever
        reads them next.
        """
        faults: list[Fault] = []
        found: list[tuple[str, Any, frozenset[str]]] = []
        for name, located in self.arguments.items():
            dollar = "$$" if name in templates else "$"
            try:
                found.append((name, *interpolate(located.plain(), env, dollar)))
            except ValueError:
                faults += _faults(located, f"providers.{self.name}.{name}", env)
        refuse(faults)
        yield from found


def _faults(located: Located, key: str, env: Mapping[str, str]) -> Iterator[Fault]:
    """Yield each text at *key*, or inside it, into which no variables can be put."""
    for path, part in (((), located), *located.parts()):
        if isinstance(part.value, str):
            try:
                interpolate(part.value, env)
            except ValueError as error:
                yield Fault(part.origin, ".".join(map(str, (key, *path))), str(error))


@dataclass(frozen=True, slots=True)
class Settings:
    """The checked configuration. origins: where each value was set, by dotted key."""

    llm_provider: str
    providers: Mapping[str, ProviderEntry]
    agents: Mapping[str, AgentSettings] = field(repr=False)
    document: DocumentSettings
    policies: PolicySettings
    origins: Mapping[str, Origin] = field(repr=False)
    env: Mapping[str, str] = field(repr=False)
    file: File | None
    plugins: AllowedPlugins = EVERY_PLUGIN

    def origin(self, key: str) -> Origin:
        """Return where the dotted *key* was set; what nobody set has its default."""
        return self.origins.get(key, DEFAULT)

    @property
    def file_name(self) -> str:
        """Return what messages call the file to change: the one in use, else the usual one."""
        return self.file.label if self.file else "war_rig.yaml"

    def policies_of(self, name: str) -> PolicySettings:
        """Return the policies of the provider *name*: its own over the common ones."""
        entry = self.providers.get(name)
        return (entry and entry.policies) or self.policies

    def policy_key(self, name: str, key: str) -> str:
        """Return the dotted key that set *key*, such as ``retry``, for the provider *name*."""
        own = f"providers.{name}.policies.{key}"
        return own if own in self.origins else f"policies.{key}"

    @property
    def is_provider_chosen(self) -> bool:
        """Return whether a flag, the environment or the user's file chose llm_provider."""
        return not self.origin("llm_provider").label.startswith(SHIPPED)

    @property
    def note(self) -> str | None:
        """Return what to tell of misspelt variables, and of a file that was only found."""
        notes = [*_misspelt(self.env)]
        if self.file is not None and not self.file.is_trusted:
            notes.append(
                f"note: using ./{self.file.label}, found in the current folder; it gets nothing "
                f"from the environment unless you name it: --config {self.file.label}"
            )
        return "\n".join(notes) or None


def _misspelt(env: Mapping[str, str]) -> Iterator[str]:
    """Yield what to tell of each set variable that is nearly one of ours which is not set."""
    from difflib import get_close_matches

    for ours in ("LLM_PROVIDER", "WAR_RIG_CONFIG"):
        is_set = bool(env.get(ours))
        others = (name for name in env if env[name] and abs(len(name) - len(ours)) <= 2)
        alike = {} if is_set else {name.upper(): name for name in others}
        for name in get_close_matches(ours, alike, n=1, cutoff=0.9):
            theirs = alike[name]
            yield f"note: {theirs} is set, which War Rig does not read. Did you mean '{ours}'?"


class FileShape(BaseModel):
    """What a whole file holds; the entries of providers are checked by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    llm_provider: str
    providers: dict[str, Any]
    agents: dict[str, AgentSettings]
    document: DocumentSettings = DocumentSettings()
    policies: PolicySettings = PolicySettings()
    plugins: PluginSettings | None = None
