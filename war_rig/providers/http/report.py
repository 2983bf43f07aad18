"""What a watched call comes to, part by part: for who writes a definition.

Secrets are cleared from every text before it is cut.
"""

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from war_rig.errors import ProviderError
from war_rig.providers.foreign import Redact, one_line
from war_rig.providers.http.answers import TOLD
from war_rig.providers.http.auth import Credentials
from war_rig.providers.http.definition import Definition
from war_rig.providers.http.events import Event
from war_rig.providers.http.failures import Failed, failed_event, fitting
from war_rig.providers.http.findings import Findings
from war_rig.providers.http.provider import parsed
from war_rig.providers.http.shown import data_text, head_text, request_text
from war_rig.providers.http.streaming import FAILURE, Streaming
from war_rig.providers.http.transport import Answer, Request, StreamedAnswer

_FIRST_EVENTS = 5
_LAST_EVENTS = 2
_LONGEST_EVENT = 400


@dataclass(frozen=True, slots=True)
class Report:
    """Tells what a call comes to. response, stream, errors: these parts, as they are written."""

    show: Callable[[str], None]
    redact: Redact
    definition: Definition
    response: Mapping[str, Any]
    stream: Mapping[str, Any]
    errors: Sequence[Mapping[str, Any]]

    def section(self, title: str, *texts: str) -> None:
        """Tell a part of the call."""
        lines = [line for text in texts for line in text.split("\n")]
        self.show("\n".join([title, *(f"  {line}".rstrip() for line in lines)]))

    def request(self, title: str, request: Request, sent: Credentials) -> None:
        """Tell what is sent."""
        self.section(title, request_text(request, sent.headers, sent.query, self.redact))

    def head(self, answer: Answer | StreamedAnswer) -> None:
        """Tell how an answer begins, with the headers that the rules read."""
        headers = [_wait(rule).get("header") for rule in self.errors]
        read = [header.lower() for header in headers if header]
        self.section("answer", head_text(answer.status, answer.headers, self.redact, read))

    def body(self, answer: Answer) -> None:
        """Tell a whole answer, and what the definition reads in it."""
        data = parsed(answer.body)
        self.section("body", data_text(data, self.redact) or "(empty)")
        text = self.definition.answers.text
        self.rule(Failed(answer.status, answer.headers, data, has_text=bool(text(data))))
        if 200 <= answer.status < 300:
            found = Findings(paths(self.response), text)
            found.take(data)
            self.section("response", *found.lines(self.redact))

    def rule(self, failed: Failed) -> None:
        """Tell which rule decides on what has *failed*, where one does, and what it reads there."""
        rule = fitting(failed, self.definition.rules)
        if rule is None:
            return
        number = self.definition.rules.index(rule)
        written = self.errors[number]
        read = {"path": written.get("path"), "message": written.get("message")}
        read |= {"retry_after": _wait(written).get("path")}
        found = Findings({key: path for key, path in read.items() if path}, lambda data: None)
        found.take(failed.data)
        lines = [f"errors[{number}] fits", *found.lines(self.redact)]
        if header := _wait(written).get("header"):
            value = failed.headers.get(header.lower(), "nothing there")
            lines.append(f"retry_after  {header}  {one_line(self.redact(value))}")
        self.section("errors", *lines)


class EventsReport:
    """The events of a stream: the first and the last as they are, and what all of them told."""

    def __init__(self, streaming: Streaming, report: Report) -> None:
        """Begin with no event; *report* is told of each part."""
        self._report = report
        self._streaming = streaming
        self._read = streaming.reading(streaming, report.definition.rules, report.redact)
        is_cumulative = report.stream.get("cumulative") is True
        written = paths(report.response) | paths(report.stream)
        self._found = Findings(written, streaming.paths.text, is_cumulative)
        self._last: deque[tuple[int, Event]] = deque(maxlen=_LAST_EVENTS)
        self._seen = 0
        self._end = 0
        self._is_broken = False
        self._failed: Failed | None = None

    def take(self, events: list[Event]) -> None:
        """Look at the next *events*; what comes after the end mark counts for nothing."""
        for event in events:
            if self._read.is_over or self._is_broken:
                return
            self._seen += 1
            self._take(event)
            if self._seen <= _FIRST_EVENTS:
                self._show(self._seen, event)
            else:
                self._last.append((self._seen, event))

    def tell(self) -> None:
        """Tell the last events, what was found in all, and whether the end mark came."""
        for number, event in self._last:
            self._show(number, event)
        count = f"{self._seen} events" if self._seen != 1 else "1 event"
        mark = self._report.redact(json.dumps(self._report.stream.get("end"), ensure_ascii=False))
        came = f"came with event {self._end}" if self._end else "did not come"
        lines = [*self._found.lines(self._report.redact), f"end mark {mark} {came}"]
        self._report.section(f"stream of {count}", *lines)
        if self._failed is not None:
            self._report.rule(self._failed)
        elif self._read.is_whole:
            self._report.rule(self._read.ended)

    def _take(self, event: Event) -> None:
        data = parsed(event.data.encode())
        try:
            self._read.take(event)
        except ProviderError:  # the provider raises it, too
            self._is_broken = True
            self._note(event, data)
        if self._read.is_whole and not self._end:
            self._end = self._seen
        if self._read.is_whole and self._streaming.end.path is None:
            self._found.pass_over(data)
        elif isinstance(data, (dict, list)):
            self._found.take(data)

    def _note(self, event: Event, data: Any) -> None:
        """Keep an *event* that tells of a failure, which the rules are asked about."""
        error = self._streaming.error(data)
        if error or event.name == FAILURE:
            self._failed = failed_event(data, error)

    def _show(self, number: int, event: Event) -> None:
        data = parsed(event.data.encode())
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        text = one_line(self._report.redact(text), _LONGEST_EVENT)
        name = "" if event.name == "message" else one_line(self._report.redact(event.name)) + "  "
        self._report.section(f"event {number}", f"{name}{text}")


def paths(part: Mapping[str, Any]) -> dict[str, str]:
    """Return the paths that are written in *part*, by what they lead to."""
    return {key: path for key in ("content", *TOLD) if (path := part.get(key))}


def _wait(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    return rule.get("retry_after") or {}
