"""What the user of a peer gets when something breaks, and what of the key can be found in it.

One case after another in one process, with the peer as it comes. A case that
has no end is cancelled after *watch* seconds.
"""

import asyncio
import pickle
import socket
import time
import traceback
import urllib.request
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from measures import KEY, PROMPT

WHOLE = (
    *("err-401", "err-401-echo", "err-404", "err-400", "err-429", "err-500", "refused"),
    *("truncated", "body-cut", "no-choices", "html", "error-body", "hang"),
)
STREAMED = ("stream-cut", "stream-no-end", "stream-error", "stream-broken", "stream-hang")
_DETAILS = ("status", "status_code", "model", "model_name", "provider", "llm_provider")
_NO_PICKLE = (TypeError, AttributeError, ValueError, KeyError, pickle.PickleError)
_MOST = 20_000


async def faults(peer: Any, url: str, watch: float) -> dict[str, Any]:
    """Return the outcome of every case by its name."""
    results = {}
    for case in (*WHOLE, *STREAMED):
        before = _asked(url)
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))  # never listens, so a connection is refused
            refused = f"http://127.0.0.1:{nobody.getsockname()[1]}/v1"
            results[case] = await _outcome(peer, refused if case == "refused" else url, case, watch)
        results[case]["tries"] = _asked(url) - before
    return {"cases": results}


def _asked(url: str) -> int:
    with urllib.request.urlopen(f"{url.removesuffix('/v1')}/count", timeout=10) as answer:
        return int(answer.read())


async def _outcome(peer: Any, url: str, case: str, watch: float) -> dict[str, Any]:
    adapter, start = peer.Adapter(url, KEY, None), time.perf_counter()
    task = asyncio.create_task(_text(adapter, case))
    done, _ = await asyncio.wait({task}, timeout=watch)
    seconds = round(time.perf_counter() - start, 2)
    if not done:
        task.cancel()
        ended, _ = await asyncio.wait({task}, timeout=5)
        return {"outcome": "no end", "seconds": seconds, "was_cancelled": bool(ended)}
    error = task.exception()
    if error is None:
        return {"outcome": "answer", "seconds": seconds, "characters": len(task.result() or "")}
    return {"outcome": "error", "seconds": seconds} | _described(error, peer.PACKAGE)


async def _text(adapter: Any, case: str) -> str:
    if case in STREAMED:
        return "".join([text async for text in adapter.stream(case, PROMPT)])
    text: str = await adapter.call(case, PROMPT)
    return text


def _described(error: BaseException, package: str) -> dict[str, Any]:
    kind = type(error)
    details = {name: getattr(error, name, None) for name in _DETAILS}
    retry_after = getattr(error, "retry_after_seconds", getattr(error, "retry_after", None))
    texts = (str(error), repr(error), "".join(traceback.format_exception(error)))
    return {
        "type": f"{kind.__module__.split('.')[0]}.{kind.__qualname__}",
        "is_own": kind.__module__.split(".")[0] == package,
        "says": [name for name, value in details.items() if value],
        "retry_after": retry_after,
        "shows_key": any(KEY in text for text in texts),
        "reaches_key": next((path for path, text in _reached(error) if KEY in text), None),
        "pickles": _pickles(error),
    }


def _pickles(error: BaseException) -> bool:
    try:
        back = pickle.loads(pickle.dumps(error))
    except _NO_PICKLE:
        return False
    return type(back) is type(error) and str(back) == str(error)


def _reached(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield the texts that attributes, items and causes of *error* lead to, the nearest first."""
    waiting: deque[tuple[str, Any]] = deque([("error", error)])
    seen: dict[int, object] = {}
    while waiting and len(seen) < _MOST:
        path, thing = waiting.popleft()
        if id(thing) in seen or isinstance(thing, type):
            continue
        seen[id(thing)] = thing
        if isinstance(thing, str):
            yield path, thing
        elif isinstance(thing, (bytes, bytearray)):
            yield path, thing.decode("latin-1")
        else:
            waiting.extend(_parts(path, thing))


def _parts(path: str, thing: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, Mapping):
        yield from ((f"{path}[{key!r}]", value) for key, value in list(thing.items()))
    elif isinstance(thing, (list, tuple, set, frozenset)):
        yield from ((f"{path}[{place}]", value) for place, value in enumerate(thing))
    names = {*getattr(thing, "__dict__", ()), *getattr(type(thing), "__slots__", ())}
    if isinstance(thing, BaseException):
        names |= {"args", "__cause__", "__context__"}
    yield from ((f"{path}.{name}", getattr(thing, name, None)) for name in sorted(names))
