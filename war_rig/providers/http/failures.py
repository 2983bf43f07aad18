"""Which of our errors a failed answer is: the error map of a definition.

    errors:
      - {status: 429, path: error.code, equals: no_credit, raise: QuotaExceededError}
      - {status: 5xx, raise: ServerError, retry_after: {header: X-Wait-Ms, unit: milliseconds}}
      - {path: error.type, contains: overloaded, raise: ServerError, message: error.detail}
      - {path: why, equals: [FILTER, SAFETY], without_text: true, raise: ContentRefusedError}

The first rule that fits decides. What a rule leaves open, and what no rule fits,
is told by War Rig's own classification of the status and the body. A rule with a
``path`` also fits answers with a good status (``without_text``: only those in
which the text is missing); one without a path fits failures only.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from war_rig import errors
from war_rig.errors import (
    BadRequestError,
    ProviderError,
    ServerError,
)
from war_rig.names import did_you_mean
from war_rig.providers.classification import Verdict, classify, event_text, likely_status
from war_rig.providers.foreign import Redact, one_line, text_of
from war_rig.providers.http.paths import Getter, getter
from war_rig.providers.http.section import Section
from war_rig.providers.http.template import as_text

_NOT_SENT = (errors.BudgetExceededError, errors.CircuitOpenError)  # of calls that nobody answered

KINDS: dict[str, type[ProviderError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, ProviderError) and kind not in _NOT_SENT
}
"""What a server can mean: our own refusals are not among it."""

MESSAGES = ("error", "message", "detail")
"""Where servers say what is wrong, unless a rule knows better."""

_UNITS = {"seconds": 1.0, "milliseconds": 0.001}
_STATUS = re.compile(r"[1-5]([0-9]{2}|xx)")
_FAILURE = re.compile(r"[45][0-9]{2}")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s)")
_FIRST_FAILURE = 400
_SEVERAL = (list, tuple)


@dataclass(frozen=True, slots=True)
class Failed:
    """An answer that may have failed; data is its body, parsed where it is JSON, else its text."""

    status: int
    headers: Mapping[str, str]
    data: Any
    has_text: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of ``errors``; what is None, or empty, was left open."""

    statuses: frozenset[int]
    path: Getter | None
    equals: tuple[str, ...]
    contains: str
    is_without_text: bool
    kind: type[ProviderError] | None
    message: Getter | None
    wait: "_Wait | None"

    def fits(self, failed: Failed) -> bool:
        """Return whether it is about *failed*."""
        if self.is_without_text and failed.has_text:
            return False
        if self.statuses:
            if failed.status not in self.statuses:
                return False
        elif self.path is None and failed.status < _FIRST_FAILURE:
            return False
        return self.path is None or self._is_said(self.path(failed.data))

    def _is_said(self, found: Any) -> bool:
        if self.equals:
            return found is not None and as_text(found) in self.equals
        return bool(found) and self.contains in as_text(found).lower()


@dataclass(frozen=True, slots=True)
class _Wait:
    """Where the API says how long to wait."""

    header: str
    path: Getter | None
    scale: float

    def seconds(self, failed: Failed) -> object:
        """Return the seconds, or what else stands there: a date."""
        found: Any = self.path(failed.data) if self.path else failed.headers.get(self.header)
        duration = _DURATION.fullmatch(found.strip()) if isinstance(found, str) else None
        if duration:  # as Google writes it
            return float(duration[1]) * (0.001 if duration[2] == "ms" else 1.0)
        try:
            return float(found) * self.scale
        except (TypeError, ValueError):
            return found


class _RefusedError(Exception):
    """A failed answer in the shape that classification reads."""

    def __init__(self, failed: Failed, message: str, wait: object) -> None:
        super().__init__(message)
        self.status_code = failed.status
        self.body = failed.data
        self.headers = failed.headers
        if wait is not None:
            self.headers = {}
            self.retry_after_seconds = wait


def failure(failed: Failed, rules: Sequence[Rule], redact: Redact) -> ProviderError:
    """Return the error for *failed*: by the rules, else by its status and its words."""
    rule = fitting(failed, rules)
    verdict, message = _verdict(failed, rule, redact)
    return ((rule and rule.kind) or verdict.kind)(
        f"{verdict.what.partition(': ')[0]}: {message}",
        status=verdict.status,
        retry_after_seconds=verdict.retry_after_seconds,
    )


def failure_in_stream(
    data: Any, error: Any, has_begun: bool, rules: Sequence[Rule], redact: Redact
) -> ProviderError:
    """Return the error for an event that tells one: by the rules, by a status in it, by its words.

    error: what was found in the *data* of the event. has_begun: whether a part
    of an answer came before. Where nothing tells more, it is the server's own failure.
    """
    failed = failed_event(data, error)
    rule = fitting(failed, rules)
    told = failed.status if failed.status >= _FIRST_FAILURE else None
    status = told or likely_status(_called(_holders(data, error)), as_text(data))
    verdict, message = _verdict(Failed(status or 400, {}, data), rule, redact, error)
    kind = verdict.kind if status or verdict.kind is not BadRequestError else ServerError
    return ((rule and rule.kind) or kind)(
        event_text(message, has_begun),
        status=told,
        retry_after_seconds=verdict.retry_after_seconds,
    )


def failed_event(data: Any, error: Any) -> Failed:
    """Return an event that tells an *error* as an answer with the status that it tells, else 200.

    That is what the rules are asked about.
    """
    return Failed(_told_status(_holders(data, error)) or 200, {}, data)


def fitting(failed: Failed, rules: Sequence[Rule]) -> Rule | None:
    """Return the first rule that is about *failed*, which decides."""
    return next((rule for rule in rules if rule.fits(failed)), None)


def _holders(data: Any, error: Any) -> list[Mapping[str, Any]]:
    """Return the maps of an event that may tell a status, or a code."""
    inner = data.get("error") if isinstance(data, dict) else None
    return [one for one in (error, inner, data) if isinstance(one, dict)]


def _verdict(
    failed: Failed, rule: Rule | None, redact: Redact, error: Any = None
) -> tuple[Verdict, str]:
    """Return what *failed* is by its status and words, and what the server says is wrong.

    error: what was found where the definition says that errors stand.
    """
    said = rule.message(failed.data) if rule and rule.message else None
    said = _message(failed.data, error) if said is None else said
    message = as_text(said) or "an empty body"
    wait = rule.wait.seconds(failed) if rule and rule.wait else None
    return classify(_RefusedError(failed, message, wait), redact), one_line(redact(message))


def _message(data: Any, error: Any) -> Any:
    """Return what stands in *data*, or in *error*, where servers say what is wrong, else *data*."""
    own = error if isinstance(error, (dict, str)) else None
    return _said_in(data) or _said_in(own) or data


def _said_in(found: Any) -> Any:
    while isinstance(found, dict):
        found = next((found[key] for key in MESSAGES if found.get(key)), None)
    return found


def _told_status(holders: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the HTTP status that an error names as its code."""
    told = (str(holder.get(key)) for holder in holders for key in ("code", "status"))
    return next((int(one) for one in told if _FAILURE.fullmatch(one)), None)


def _called(holders: Sequence[Mapping[str, Any]]) -> str:
    return " ".join(as_text(holder.get(key)) for holder in holders for key in ("code", "type"))


def is_failure(failed: Failed, rules: Sequence[Rule]) -> bool:
    """Return whether the status, or a rule, says that there is no answer."""
    return not 200 <= failed.status < 300 or any(rule.fits(failed) for rule in rules)


def rules(place: Section) -> tuple[Rule, ...]:
    """Return the rules that the list at *place* declares."""
    if place.value is None:
        return ()
    if not isinstance(place.value, _SEVERAL):
        place.note("must be a list of rules")
        return ()
    return tuple(_rule(item) for item in place.items())


def _rule(place: Section) -> Rule:
    if not isinstance(place.value, Mapping):
        place.note("must be a map, such as {status: 429, raise: RateLimitError}")
        return Rule(frozenset(), None, (), "", False, None, None, None)
    rule = Rule(
        _statuses(place.at("status")),
        path_at(place, "path"),
        tuple(as_text(one) for one in several(place.at("equals").value)),
        as_text(place.at("contains").value or "").lower(),
        place.flag("without_text"),
        _kind(place),
        path_at(place, "message"),
        _wait(place.map("retry_after")) if place.has("retry_after") else None,
    )
    if not place.has("path") and (rule.equals or rule.contains):
        place.note("compares nothing: it lacks its 'path'")
    place.finish()
    return rule


def several(value: Any) -> list[Any]:
    """Return the items of a list, any other value as the one item, none of None."""
    if value is None:
        return []
    return list(value) if isinstance(value, _SEVERAL) else [value]


def path_at(place: Section, key: str) -> Getter | None:
    """Return the getter for the path that is written at *key*, None where there is none."""
    written = place.text(key)
    if not written:
        return None
    try:
        return getter(written)
    except ValueError as error:
        place.note(f"'{one_line(text_of(written))}' {error}", key)
        return None


def _statuses(place: Section) -> frozenset[int]:
    told = [str(one).lower() for one in several(place.value)]
    if not all(_STATUS.fullmatch(one) for one in told):
        place.note("must be a status such as 429, a class such as 5xx, or a list of them")
        return frozenset()
    first = (int(one.replace("xx", "00")) for one in told)
    found = (range(n, n + 100) if "xx" in one else [n] for n, one in zip(first, told, strict=True))
    return frozenset(status for statuses in found for status in statuses)


def _kind(place: Section) -> type[ProviderError] | None:
    name = place.text("raise")
    if name and name not in KINDS:
        near = did_you_mean(name, KINDS) or f" Known: {', '.join(KINDS)}"
        place.note(f"'{one_line(name)}' is not the name of an error.{near}", "raise")
    return KINDS.get(name)


def _wait(place: Section) -> _Wait:
    unit = place.choice("unit", tuple(_UNITS), "seconds")
    wait = _Wait(place.text("header").lower(), path_at(place, "path"), _UNITS[unit])
    if bool(wait.header) == bool(wait.path):
        place.note("needs either a 'header' or a 'path'")
    place.finish()
    return wait
