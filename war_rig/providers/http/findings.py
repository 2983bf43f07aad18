"""What the paths of a definition lead to; where that is nothing, what is near.

content        choices[0].message.content  "Hello."
prompt_tokens  usage.prompt  nothing there; usage has: prompt_tokens. Nearest: ...
"""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice, pairwise
from typing import Any

from war_rig.providers.foreign import Redact, one_line
from war_rig.providers.http.paths import getter
from war_rig.providers.http.shown import value_text

_STEP = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_-]*)|\[(-?[0-9]+)\]")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_FILTER = re.compile(r"\[(?:\?[^\]]*|\*?)\]")
_CONTENT = "content"
_MOST_SAMPLES = 10
_MOST_PATHS = 500
_MOST_NEAREST = 3
_MOST_KEYS = 12
_DEEPEST = 20
_ALIKE = 0.65
_LONGEST_LINE = 1_000
_FEWEST_THAT_GROW = 3
_UNREAD = (
    "nothing there but in the event of the end mark, which is not read: "
    "say by a 'path' what ends the stream"
)
_GROWING = "each begins with the one before: if each is all text so far, say 'cumulative: true'"


class Findings:
    """What paths lead to in an answer, or in the events of a stream, taken one after the other."""

    def __init__(
        self,
        paths: Mapping[str, str],
        text: Callable[[Any], str | None],
        is_cumulative: bool = False,
    ) -> None:
        """Keep the *paths* by their keys; *text* takes the text of an answer out of its data.

        is_cumulative: each of several texts is all that was said so far.
        """
        self._is_cumulative = is_cumulative
        self._paths = {key: (path, getter(path)) for key, path in paths.items()}
        self._text = text
        self._texts: list[str] = []
        self._last: dict[str, Any] = {}
        self._first_samples: list[Any] = []
        self._last_samples: deque[Any] = deque(maxlen=_MOST_SAMPLES)
        self._unread: Any = None

    def pass_over(self, data: Any) -> None:
        """Keep the *data* of the end mark, in which no path is looked for."""
        self._unread = data

    def take(self, data: Any) -> None:
        """Look at all paths in *data*."""
        if len(self._first_samples) < _MOST_SAMPLES:
            self._first_samples.append(data)
        else:
            self._last_samples.append(data)
        if (text := self._text(data)) is not None:
            self._texts.append(text)
        for key, (_, path) in self._paths.items():
            if (value := path(data)) is not None:
                self._last[key] = value

    def lines(self, redact: Redact) -> Iterator[str]:
        """Yield a line a path: its key, itself, and what it has led to, of several the last."""
        width = max(map(len, self._paths), default=0)
        for key, (path, _) in self._paths.items():
            told = one_line(self._told(key, path, redact), _LONGEST_LINE)
            yield f"{key:<{width}}  {redact(path)}  {told}"

    def _told(self, key: str, path: str, redact: Redact) -> str:
        if key == _CONTENT and self._texts:
            whole = self._texts[-1] if self._is_cumulative else "".join(self._texts)
            pieces = f", from {len(self._texts)} pieces" if len(self._texts) > 1 else ""
            return f"{value_text(whole, redact)}{pieces}{self._hint()}"
        if key not in self._last and self._paths[key][1](self._unread) is not None:
            return _UNREAD
        if key not in self._last:
            return redact(missing(path, [*self._first_samples, *self._last_samples]))
        shown = value_text(self._last[key], redact)
        return f"{shown}, which is no text" if key == _CONTENT else shown

    def _hint(self) -> str:
        """Return what to try where each text seems to repeat the one before it."""
        first, last = self._texts[0], self._texts[-1]
        if self._is_cumulative or len(self._texts) < _FEWEST_THAT_GROW or first in ("", last):
            return ""
        is_growing = all(after.startswith(before) for before, after in pairwise(self._texts))
        return f"; {_GROWING}" if is_growing else ""


def missing(path: str, samples: Sequence[Any]) -> str:
    """Return what to say where *path* leads to nothing in any of *samples*, answers or events."""
    walked = [_walked(path, sample) for sample in samples]
    if not walked:
        return "nothing there: nothing came"
    reached, value = max(walked, key=lambda found: len(found[0]))
    if reached == path:
        return "nothing there but null"
    text = f"nothing there; {f'{reached} {_described(value)}' if reached else _whole(samples)}"
    kept = _FILTER.match(path, len(reached))
    if kept and isinstance(value, list) and not getter(f"@{kept[0]}")(value):
        return f"{text}, of which {kept[0]} keeps none"
    near = _nearest(path, samples)
    return f"{text}. Nearest: {', '.join(near)}" if near else text


def _walked(path: str, value: Any) -> tuple[str, Any]:
    """Return how far *path* leads, and what stands there."""
    end = 0
    while (step := _STEP.match(path, end)) is not None:
        name, place = step.groups()
        key: Any = name or int(place)
        try:
            if type(value) is not (dict if name else list):
                break
            value = value[key]
        except LookupError:
            break
        end = step.end()
    return path[:end], value


def _whole(samples: Sequence[Any]) -> str:
    """Return what the answer has, or all events together."""
    keys = {key: None for sample in samples if isinstance(sample, dict) for key in sample}
    if len(samples) == 1 or not keys:
        return f"the answer {_described(samples[0])}"
    return f"the events have: {_listed(keys)}"


def _described(value: Any) -> str:
    if isinstance(value, dict):
        return f"has: {_listed(value)}" if value else "is empty"
    if isinstance(value, list):
        return f"is a list of {len(value)}"
    if value is None:
        return "is null"
    return "is text" if isinstance(value, str) else "is a number, true or false"


def _listed(keys: Iterable[Any]) -> str:
    names = list(map(str, keys))
    more = f" and {len(names) - _MOST_KEYS} more" if len(names) > _MOST_KEYS else ""
    return f"{', '.join(names[:_MOST_KEYS])}{more}"


def _nearest(path: str, samples: Sequence[Any]) -> list[str]:
    """Return the paths that are there and end with the same name, else those spelt alike.

    A filter of *path* is kept: without it, a path leads to something else.
    """
    there = list(dict.fromkeys(one for sample in samples for one in _some_paths(sample)))
    plain = _FILTER.sub("[0]", path)
    last = _last_name(plain)
    same = [one for one in there if _last_name(one) == last]
    alike = get_close_matches(plain, there, _MOST_NEAREST, _ALIKE)
    alike += [one for one in there if get_close_matches(last, [_last_name(one)], 1, _ALIKE)]
    near = same or alike
    if plain != path:
        near = [one for found in near for one in _filtered(found, path, samples)]
    return list(dict.fromkeys(near))[:_MOST_NEAREST]


def _filtered(found: str, path: str, samples: Sequence[Any]) -> Iterator[str]:
    """Yield *found* with the filters of *path* in its lists, where that leads to something."""
    filters = _FILTER.findall(path)
    places = found.split("[0]")
    for first in range(len(places) - len(filters)):
        signs = ["[0]"] * (len(places) - 1)
        signs[first : first + len(filters)] = filters
        one = "".join(part for pair in zip(places, [*signs, ""], strict=True) for part in pair)
        if any(getter(one)(sample) for sample in samples):
            yield one


def _last_name(path: str) -> str:
    names = _PLAIN_NAME.findall(path)
    return names[-1] if names else ""


def _some_paths(value: Any) -> Iterator[str]:
    return islice(_paths(value, "", 0), _MOST_PATHS)


def _paths(value: Any, path: str, depth: int) -> Iterator[str]:
    """Yield the paths of what is no map, no list and not null; of a list, the first item only."""
    if depth > _DEEPEST or value is None:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            name = key if _PLAIN_NAME.fullmatch(key) else json.dumps(key)
            yield from _paths(item, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(value, list):
        for item in value[:1]:
            yield from _paths(item, f"{path}[0]", depth + 1)
    elif path:
        yield path
