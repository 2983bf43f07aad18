"""The circuit breaker: a provider that keeps failing is left alone, and then tried by one call.

Each model has its own circuit, since one can be down while the others answer.

    closed      Calls go through. An answer sets the count of failures back to nothing, and
                so many failures in a row open the circuit.
    open        Calls are refused, for so many seconds.
    half-open   Exactly one call goes through, the probe; the others are refused until it
                ends. Its answer closes the circuit, its failure opens it anew, and any
                other end decides nothing: the next call is the probe.

A failure is what a server that is down or broken does: a 5xx, no connection, no answer in
time, an answer that is none. A 429 is none of them, though the call may be repeated: a
server that counts its callers is well, it says itself how long to wait, and to keep to its
limits is the work of the retry and of the rate limit. All other errors are about the
request, the key or the account; they neither open a circuit nor set its count back.

A result counts in the state in which its call began, or not at all: the late answer to a
call from before the failures closes nothing, and late failures don't open it again.

A call that has waited for the rate limit comes through once more before it is sent: else a
long queue would go on hitting a provider that went down while it waited.
"""

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from threading import RLock

from war_rig.errors import (
    CircuitOpenError,
    MalformedAnswerError,
    ProviderConnectionError,
    ProviderTimeoutError,
    ServerError,
)
from war_rig.forking import begins_anew_in_child
from war_rig.policies.call import Call
from war_rig.policies.policy import Around, Course, StreamingProvider

_FAILURES = (ServerError, ProviderConnectionError, ProviderTimeoutError, MalformedAnswerError)

_MOST_MODELS = 256
_log = logging.getLogger("war_rig.policies")


@dataclass(slots=True, eq=False)
class _Circuit:
    """One state of a model's circuit: closed, open, or half-open while its probe is under way.

    prober: the loop of its probe. What a loop was left with that does not run is no probe.
    """

    open_until: float | None = None
    failures: int = 0
    prober: asyncio.AbstractEventLoop | None = None

    @property
    def is_new(self) -> bool:
        """Return whether it is what a model begins with: closed, without a failure."""
        return self.open_until is None and not self.failures

    @property
    def is_probed(self) -> bool:
        """Return whether its probe is under way."""
        return self.prober is not None and self.prober.is_running()


@dataclass(slots=True)
class _Passed:
    loop: asyncio.AbstractEventLoop
    model: str
    circuit: _Circuit


class CircuitBreaker(Around[_Passed]):
    """Refuses calls of the provider *name* for *open_seconds* after *failures* in a row."""

    def __init__(
        self, provider: StreamingProvider, name: str, failures: int, open_seconds: float
    ) -> None:
        super().__init__(provider)
        self._provider_name = name
        self._failures = failures
        self._open_seconds = open_seconds
        self._circuits: dict[str, _Circuit] = {}
        self._lock = RLock()  # re-entrant: the garbage collector may end a call inside of it
        begins_anew_in_child(self)

    def begin_anew(self) -> None:
        """Forget the probes: in a forked child nobody ends them."""
        self._lock = RLock()
        for circuit in self._circuits.values():
            circuit.prober = None

    async def _begin(self, course: Course) -> _Passed:
        loop = asyncio.get_running_loop()
        model = course.request.model or self.default_model
        begun = _Passed(loop, model, self._enter(course.call, model, loop))
        course.call.after_wait = partial(self._enter_again, course.call, begun)
        return begun

    def _end(self, begun: _Passed, course: Course) -> None:
        course.call.after_wait = None
        self._leave(begun.model, begun.circuit, _is_well(course), begun.loop.time())

    def _enter(self, call: Call, model: str, loop: asyncio.AbstractEventLoop) -> _Circuit:
        """Return the circuit that lets the call through; raise CircuitOpenError where none does."""
        with self._lock:
            if len(self._circuits) > _MOST_MODELS:
                self._circuits = {m: c for m, c in self._circuits.items() if not c.is_new}
            circuit = self._circuits.setdefault(model, _Circuit())
            if circuit.open_until is None:
                return circuit
            rest = None if circuit.is_probed else circuit.open_until - loop.time()
            if is_probe := rest is not None and rest <= 0:
                self._circuits[model] = circuit = _Circuit(circuit.open_until, prober=loop)
        if not is_probe:
            raise self._refused(call, model, rest)
        self._tell(model, "half-open, one call tries it")
        return circuit

    def _enter_again(self, call: Call, begun: _Passed) -> None:
        """Do what ``_enter`` does, for a call that has waited while the circuit changed."""
        if self._circuits.get(begun.model) is not begun.circuit:
            begun.circuit = self._enter(call, begun.model, begun.loop)

    def _leave(self, model: str, circuit: _Circuit, is_well: bool | None, now: float) -> None:
        """Settle the end of a call with the circuit in which it began, if that still stands."""
        with self._lock:
            if self._circuits.get(model) is not circuit:
                return
            self._circuits[model] = after = self._after(circuit, is_well, now)
        if after.open_until is not None and after is not circuit:
            self._tell(model, f"open for {self._open_seconds:g} s")
        elif after is not circuit:
            self._tell(model, "closed again")

    def _after(self, circuit: _Circuit, is_well: bool | None, now: float) -> _Circuit:
        """Return what *circuit* becomes, itself where its state does not change."""
        circuit.prober = None
        is_closed = circuit.open_until is None
        if is_well:
            circuit.failures = 0
            return circuit if is_closed else _Circuit()
        circuit.failures += is_well is False
        is_enough = circuit.failures >= (self._failures if is_closed else 1)
        return _Circuit(now + self._open_seconds) if is_enough else circuit

    def _refused(self, call: Call, model: str, rest: float | None) -> CircuitOpenError:
        times = "once" if self._failures == 1 else f"{self._failures} times in a row"
        until = "the call that tries it has ended" if rest is None else f"{rest:.1f} s have passed"
        what = f"it failed {times}, and is left alone until {until}"
        error = call.refuse(self._provider_name, self.shown_model(model), CircuitOpenError, what)
        error.retry_after_seconds = rest
        return error

    def _tell(self, model: str, state: str) -> None:
        name, shown = self._provider_name, self.shown_model(model)
        _log.info("provider %s, model %s: the circuit is %s", name, shown, state)


def _is_well(course: Course) -> bool | None:
    """Return whether the provider is, by how a call ended; None where that says nothing."""
    if course.response is not None:
        return True
    return False if isinstance(course.error, _FAILURES) else None
