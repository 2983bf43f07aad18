"""Finds out how a provider is talked to: where it reads an answer, and the pieces of a stream.

What nobody told is tried out: usual answers first, then the keys that failures name, then
the texts in the provider's own code.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from war_rig.errors import ConfigError, PluginError, ProviderConnectionError
from war_rig.providers import CompletionResponse
from war_rig.providers.answers import NotAnAnswerError
from war_rig.providers.classification import classify
from war_rig.providers.foreign import said
from war_rig.providers.places import place_of
from war_rig.providers.streams import can_stream
from war_rig.testing.conformance.bench import HELLO, Bench, Scene, content_of, shown
from war_rig.testing.conformance.findings import Findings
from war_rig.testing.conformance.learning import Learned, constants, marked_key, named_keys
from war_rig.testing.conformance.rule import Missed
from war_rig.testing.conformance.server import Request, Script, answering
from war_rig.testing.conformance.surroundings import TooLate
from war_rig.testing.conformance.templates import USUAL, USUAL_STREAMS, Template

_FIRST_ASK_SECONDS = 20.0  # an SDK may be imported in it
_ASK_SECONDS = 10.0
_MOST_ASKS = 40
_PIECES = ("Hello from ", "the ", "kit.")

Marks = dict[str | int, str]
T = TypeVar("T")


@dataclass
class _Ask:
    """One question to the provider, and what came of it."""

    returned: object = None
    error: BaseException | None = None
    requests: list[Request] = field(default_factory=list)

    @property
    def is_final(self) -> bool:
        """Return whether asking again can't help: it hung, ended the process, or can't be built."""
        is_usual = isinstance(self.error, Exception)
        return self.error is not None and (
            not is_usual or isinstance(self.error, (TooLate, PluginError, ConfigError))
        )

    @property
    def came_back(self) -> str:
        """Return what came back, for a person to see."""
        if isinstance(self.error, Missed):
            return self.error.came_back
        if isinstance(self.error, TooLate):
            return str(self.error)
        if self.error is None:
            return shown(self.returned)
        return f"it raised {said(self.error)}{place_of(self.error)}"


@dataclass
class Discovery:
    """Asks the provider on *bench* until it answers, or nothing is left to try.

    Where somebody said how its API answers, nothing else is tried.
    """

    bench: Bench
    learned: Learned = field(default_factory=Learned)
    _is_learning: bool = False

    @property
    def findings(self) -> Findings:
        """Return what was found out until now."""
        return self.bench.findings

    def find(self) -> None:
        """Find out about answers, and about streams where there are any."""
        self._find_answer()
        if self.findings.fault is None and self.findings.has_stream:
            self._find_stream()

    def _find_answer(self) -> None:
        given = self.bench.given[0]
        candidates = [Template(body) for body in USUAL] if given is None else [given]
        rounds = [self._learn_constants] if given is None else []
        for candidate in self._tries(candidates, rounds):
            template = Template(self.learned.laid_over(candidate.body))
            body, marks = template.marked()
            ask = self._ask(answering(body, template.kind))
            self._note_fault(ask)
            is_known = self._is_answered(ask, template, body, marks)
            if is_known or ask.is_final or not self.findings.is_asked:
                self.findings.is_out_of_reach = not is_known and self._is_out_of_reach(ask)
                return
            self._is_learning = given is None and self._learn(ask, marks)

    def _note_fault(self, ask: _Ask) -> None:
        """Keep what came first; what was returned says more than what was raised at other keys."""
        findings, is_returned = self.findings, ask.error is None
        if ask.is_final or findings.fault is None or (is_returned and findings.returned is None):
            findings.fault = ask.came_back
            findings.returned = type(ask.returned) if is_returned else None

    def _is_answered(self, ask: _Ask, template: Template, body: bytes, marks: Marks) -> bool:
        content = content_of(ask.returned)
        if ask.error is not None or content is None:
            return False
        if not self.findings.is_asked:  # it answers by itself
            self.findings.fault = None
            return True
        is_body = content == body.decode()
        places = [path for mark, path in marks.items() if str(mark) in content]
        if not places or (is_body and not isinstance(template.body, str)):
            return False
        self.findings.fault, self.findings.template = None, template
        counted = getattr(ask.returned, "tokens_used", None)
        tokens = marks.get(counted) if isinstance(counted, int) else None
        self.findings.reads = f"the content at {places[0] or 'the whole body'}"
        if tokens is not None:
            self.findings.reads += f", the tokens {f'at {tokens}' if tokens else 'there too'}"
        return marked_key(counted, marks) is None  # else the tokens are a text: a number is tried

    def _is_out_of_reach(self, ask: _Ask) -> bool:
        """Return whether its API is not there, rather than its code wrong."""
        if self.findings.is_asked or not isinstance(ask.error, Exception):
            return False
        return bool(self.bench.refused) or classify(ask.error).kind is ProviderConnectionError

    def _tries(self, candidates: Sequence[T], rounds: Sequence[Callable[[], None]]) -> Iterator[T]:
        """Yield what to try: each candidate, again while something is learned from it.

        rounds: what is learned from the code before all are tried once more.
        """
        asks = 0
        for prepare in (lambda: None, *rounds):
            prepare()
            for candidate in candidates:
                self._is_learning = True
                while self._is_learning and asks < _MOST_ASKS:
                    self._is_learning, asks = False, asks + 1
                    yield candidate

    def _learn(self, ask: _Ask, marks: Marks) -> bool:
        """Take from a failure what it says about the keys of an answer, or turn the last one.

        Returns whether the same may now come out otherwise.
        """
        told: object = getattr(ask.returned, "tokens_used", None)
        if ask.error is not None:
            told = ask.error
            are_new = list(map(self.learned.add, named_keys(ask.error)))
            if any(are_new):
                return True
        key = marked_key(told, marks)
        if key is not None and self.learned.keys.get(key) != "number":
            self.learned.keys[key] = "number"
            return True
        return ask.error is not None and self.learned.turn()

    def _constants(self) -> list[str]:
        played = self.bench.play(lambda scene: constants(scene.provider), _ASK_SECONDS)
        return played.value or []

    def _learn_constants(self) -> None:
        self.learned.flags = {}
        for key in self._constants():
            self.learned.add(key)

    def _learn_flags(self) -> None:
        self.learned.flags = dict.fromkeys(self._constants(), True)

    def _find_stream(self) -> None:
        given = self.bench.given[1]
        faults: dict[str, str] = {}
        candidates = USUAL_STREAMS if given is None else (given,)
        if not self.findings.is_asked:
            candidates = candidates[:1]
        rounds = [self._learn_flags, self._learn_constants] if given is None else []
        for candidate in self._tries(candidates, rounds):
            stream = self.learned.laid_over_stream(candidate)
            ask = self._ask(stream.streaming(*_PIECES), is_streamed=True)
            if ask.error is None:
                self.findings.stream = stream if self.findings.is_asked else None
                return
            faults[f"as {candidate.format}"] = ask.came_back
            if ask.is_final:
                break
            self._is_learning = given is None and self._learn(ask, {})
        if self.bench.unmade[1] or not self._answers_whole():
            self.findings.stream_fault = "; ".join(f"{form}, {f}" for form, f in faults.items())

    def _answers_whole(self) -> bool:
        """Return whether stream() is content with a whole answer."""
        template = self.findings.template
        if template is None:
            return False
        ask = self._ask(template.answering("".join(_PIECES)), is_streamed=True)
        return ask.error is None

    def _ask(self, script: Script, *, is_streamed: bool = False) -> _Ask:
        ask = _Ask()

        async def act(scene: Scene) -> object:
            self.findings.has_stream = can_stream(scene.provider)
            scene.server.script, ask.requests = script, scene.server.requests
            return await (_streamed(scene) if is_streamed else scene.complete(HELLO))

        seconds = _ASK_SECONDS if self.findings.is_asked else _FIRST_ASK_SECONDS
        played = self.bench.play(act, seconds, watched=True)
        ask.returned, ask.error = played.value, played.error
        is_sync = isinstance(ask.error, NotAnAnswerError)
        self.findings.is_sync = self.findings.is_sync or is_sync
        self.findings.is_asked = self.findings.is_asked or bool(ask.requests)
        return ask


async def _streamed(scene: Scene) -> CompletionResponse:
    """Return the answer of a stream; raise Missed where it is not what was streamed."""
    async with scene.stream(HELLO) as chunks:
        async for chunk in chunks:
            response = chunk.response
    assert isinstance(response, CompletionResponse)
    wanted = "".join(_PIECES)
    if scene.server.requests and response.content != wanted:
        raise Missed(HELLO, f"its content was {response.content!r}, not {wanted!r}")
    return response
