"""The conformance kit: holds one provider to the contract, rule by rule."""

import threading
from functools import cached_property, partial
from pathlib import Path

from war_rig.errors import ConfigError, PluginError, ProviderError, WarRigError
from war_rig.providers.blueprint import Blueprint
from war_rig.providers.foreign import said
from war_rig.providers.places import place_of
from war_rig.providers.secrets import Redactor
from war_rig.testing.conformance import advice
from war_rig.testing.conformance.bench import Bench
from war_rig.testing.conformance.definitions import declared, unmade, with_made_up_keys
from war_rig.testing.conformance.discovery import Discovery
from war_rig.testing.conformance.findings import Findings
from war_rig.testing.conformance.planting import Planting
from war_rig.testing.conformance.rule import Missed, Need, NotTested, Rule, Verdict
from war_rig.testing.conformance.rules import RULES
from war_rig.testing.conformance.server import ScriptedServer
from war_rig.testing.conformance.surroundings import TooLate, limited, surroundings, thrown_away
from war_rig.testing.conformance.target import plan_of
from war_rig.testing.conformance.templates import Given, parsed

_RULE_SECONDS = 20.0
_BUILT, _ANSWERS, _STREAMS = "it_is_built", "answer_is_a_response", "stream_adds_up"
_NEEDED: dict[Need, tuple[str, ...]] = {
    "nothing": (),
    "build": (_BUILT,),
    "answer": (_BUILT, _ANSWERS),
    "server": (_BUILT, _ANSWERS),
    "stream": (_BUILT, _ANSWERS),
    "scripted stream": (_BUILT, _ANSWERS, _STREAMS),
}


class Kit:
    """Judges one provider. Nothing of it is run before ``load``; close it at the end.

    target: ``module:Class``, or a name. config: the file with its entry. answer: an
    example of its API's answers. endpoint: the argument or variable that holds the
    address of its API. option: how one with a value is written where it runs, for advice.
    note: what to tell whose file was only found. stuck: the threads that it was run in,
    and that have not ended in time.
    """

    def __init__(
        self,
        target: str,
        *,
        config: Path | None = None,
        answer: Path | None = None,
        endpoint: str | None = None,
        option: str = "--{} {}",
    ) -> None:
        self._target, self._config, self._option = target, config, option
        self._example = (None, None) if answer is None else _example(answer)
        self._server = ScriptedServer()
        self._planting = Planting(self._server.url, endpoint)
        self._plan: Blueprint | None = None
        self._verdicts: dict[str, Verdict] = {}
        self.note: str | None = None
        self.stuck: list[threading.Thread] = []

    @property
    def plan(self) -> Blueprint:
        """Return how the provider is built, without the kit's arguments."""
        assert self._plan is not None, "load() comes first"
        return self._plan

    def load(self) -> None:
        """Import the provider; raise one of War Rig's errors where that can't be."""
        with surroundings(self._planting, set(), self.stuck, watched=True):
            work = partial(plan_of, self._target, self._config, self._planting)
            played = limited(work, _RULE_SECONDS, self.stuck)
        if played.value is not None:
            self._plan, self.note = played.value
        if isinstance(played.error, TooLate):
            raise PluginError(f"{self._target} could not be imported: {played.error}")
        if played.error is not None:
            raise played.error

    def verdict(self, name: str) -> Verdict:
        """Return what became of the rule *name*; it, and what it needs, is tested once."""
        if name not in self._verdicts:
            with thrown_away():
                self._verdicts[name] = self._judged(RULES[name])
        return self._verdicts[name]

    @property
    def judged(self) -> list[Verdict]:
        """Return what became of the rules until now, in their order."""
        return [self._verdicts[name] for name in RULES if name in self._verdicts]

    def close(self) -> None:
        """Stop the scripted server."""
        self._server.close()

    @cached_property
    def bench(self) -> Bench:
        """Return where it is tried; what it is like has been found out."""
        bench = self._new_bench()
        if self.verdict(_BUILT).outcome == "passed":
            Discovery(bench).find()
            while self._is_to_turn(bench.findings) and self._planting.turn():
                bench = self._new_bench()
                Discovery(bench).find()
        return bench

    def _is_to_turn(self, findings: Findings) -> bool:
        """Return whether it failed before it asked the server, and did not hang."""
        return findings.fault is not None and not findings.is_asked and not self.stuck

    def _new_bench(self) -> Bench:
        given = self._example if self._example[0] else declared(self.plan)
        plan = self._planting.blueprint(self.plan)
        blueprint = with_made_up_keys(plan, self._planting.key)
        return Bench(
            blueprint,
            self._planting,
            self._server,
            self.stuck,
            given,
            self._option,
            unmade(self.plan, given),
        )

    def _judged(self, rule: Rule) -> Verdict:
        if rule.name == _BUILT:
            error = self._new_bench().play(rule.check, _RULE_SECONDS, watched=True).error
        elif reason := self._hindrance(rule):
            return Verdict(rule, "not tested", reason)
        else:
            error = self.bench.play(rule.check, _RULE_SECONDS, loops=rule.loops).error
        return self._of(rule, error)

    def _hindrance(self, rule: Rule) -> str | None:
        """Return why *rule* can't be tested, None where it can."""
        for name in (*_NEEDED[rule.needs], *rule.after):
            needed = self.verdict(name) if name != rule.name else None
            if needed and needed.outcome != "passed":
                is_open = needed.outcome == "not tested"
                return needed.reason if is_open else f"needs {name}, which {needed.outcome}"
        findings = self.bench.findings
        if rule.needs == "server" and findings.template is None:
            return "it answers without its API" if not findings.is_asked else f"needs {_ANSWERS}"
        if rule.needs in ("stream", "scripted stream") and not findings.has_stream:
            return "it has no stream()"
        if rule.needs == "scripted stream" and findings.stream is None:
            asks = findings.is_asked
            return "its stream() asks for a whole answer" if asks else "it answers without its API"
        return None

    def _of(self, rule: Rule, error: BaseException | None) -> Verdict:
        """Return the verdict that follows from what a check raised."""
        redact = Redactor(self.plan.secrets).redact
        if error is None:
            return Verdict(rule, "passed")
        if isinstance(error, NotTested):
            return Verdict(rule, "not tested", redact(str(error)))
        if isinstance(error, Missed):
            sent, came_back, change = error.sent, error.came_back, error.change
        else:
            sent, came_back, change = _unexpected(error)
            if rule.name == _BUILT:
                change = advice.building(self._planting) or change
        missed = Missed(redact(sent), redact(came_back), change)
        return Verdict(rule, "failed" if rule.is_required else "missed", missed.came_back, missed)


def _unexpected(error: BaseException) -> tuple[str, str, str | None]:
    """Return what to say of an error that no check has looked for."""
    if isinstance(error, TooLate):
        return "the calls of this rule", str(error), "bound every wait, and repeat nothing"
    if isinstance(error, WarRigError) and not isinstance(error, ProviderError):
        return "its constructor was called", str(error), None
    came_back = f"it raised {said(error)}{place_of(error)}"
    if not isinstance(error, Exception):
        return (
            "the calls of this rule",
            f"{came_back}, which ends the process",
            "raise an Exception",
        )
    return "the calls of this rule", came_back, None


def _example(file: Path) -> Given:
    """Return what the author's example says; raise ConfigError where it says nothing."""
    try:
        return parsed(file.read_text(encoding="utf-8"))
    except OSError as error:
        failure = f"{file} can't be read: {error.strerror}"
    except ValueError as error:  # UnicodeDecodeError is one
        failure = f"{file}, the example of an answer, {error}"
    raise ConfigError(f"{failure}\n  see docs/conformance.md#answers")
