"""The embedded provider: no model, no key, no network.

It composes claims from the facts that ``war-rig document`` puts into its
prompts, and says of any other prompt that it can't answer it. The same prompt
always gets the same answer.
"""

import json
import re
from collections.abc import AsyncGenerator, Iterable, Iterator
from itertools import pairwise
from typing import Any

from war_rig.providers.protocol import CompletionChunk, CompletionResponse, Message
from war_rig.providers.streams import words
from war_rig.providers.usage import estimate_tokens

FACTS_FENCE = "war-rig-facts"
"""The info string of the fenced JSON block that holds a unit's facts and comments.

    {"file": str, "first": int, "last": int,
     "parts": [{"name": str, "first": int, "last": int, "begins": str, "ends": str}],
     "facts": [{"kind": str, "subject": str, "object": str, "line": int}],
     "comments": [{"line": int, "text": str}]}

Or, where something is to be composed of claims:

    {"file": str, "most": int, "claims": [{"about": str, "text": str, "cites": [str]}]}
"""

_BLOCK = re.compile(rf"^```{FACTS_FENCE}\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
_LEGAL = re.compile(r"copyright|all rights reserved|\blicen[cs]e", re.IGNORECASE)
_LONGEST_QUOTE = 200
_PAUSES = (
    (re.compile(r"(?<!\.\w)[.!?][)'\"]*(?=\s|$)"), 60, ""),  # of a sentence, not of "e.g."
    (re.compile(r"[,;](?=\s|$)"), 120, " ..."),  # of a clause
)
"""Where a quotation that is cut may end, from which length on, and what stands for the rest."""
_MOST_OF_ONE_FILE = 3
_MOST_CLAIMS = 12


class OfflineProvider:
    """Answers from facts alone; for trying War Rig, and for tests."""

    def __init__(self, model: str = "offline") -> None:
        self._model = model

    @property
    def default_model(self) -> str:
        """Return "offline", or the name that was configured."""
        return self._model

    async def complete(
        self,
        messages: list[Message],
        model: str | None = None,
        temperature: float | None = None,
        **kwargs: Any,
    ) -> CompletionResponse:
        """Return claims for a prompt with a facts block, else a sentence on what to do next."""
        asked = next((m.content for m in reversed(messages) if m.role == "user"), "")
        block = _facts(messages)
        try:
            content = json.dumps({"claims": _answer(block)}) if block else _refusal(asked)
        except (KeyError, TypeError, AttributeError):  # a block that document did not write
            content = _refusal(asked)
        prompt_tokens = sum(estimate_tokens(m.content) for m in messages)
        return CompletionResponse(
            content=content,
            model=model or self._model,
            tokens_used=prompt_tokens + estimate_tokens(content),
            prompt_tokens=prompt_tokens,
            completion_tokens=estimate_tokens(content),
            usage_source="estimated",
            finish_reason="stop",
        )

    async def stream(
        self, messages: list[Message], **kwargs: Any
    ) -> AsyncGenerator[CompletionChunk, None]:
        """Yield the answer that ``complete`` gives, word by word."""
        answer = await self.complete(messages, **kwargs)
        for word in words(answer.content):
            yield CompletionChunk(word)
        yield CompletionChunk(response=answer)


def _facts(messages: list[Message]) -> dict[str, Any] | None:
    """Return the last facts block, None where there is none that can be read."""
    found = [match for m in messages if m.role == "user" for match in _BLOCK.findall(m.content)]
    try:
        block = json.loads(found[-1]) if found else None
    except ValueError:
        return None
    return block if isinstance(block, dict) else None


def _answer(block: dict[str, Any]) -> list[dict[str, Any]]:
    return _composed(block["claims"], block["most"]) if "claims" in block else list(_claims(block))


def _composed(claims: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Return the first claims that quote a comment, else the first: of many files one of each."""
    quotes = [claim for claim in claims if claim["text"].startswith('"')]
    quoting = [claim for claim in quotes if not _is_legal(claim["text"])] or quotes or claims
    by_file = {claim["cites"][0].rpartition(":")[0]: claim for claim in reversed(quoting)}
    if len(by_file) > 1:
        return [claim for claim in quoting if claim in by_file.values()][:most]
    return quoting[: min(most, _MOST_OF_ONE_FILE)]


def _claims(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield claims about each part of the unit: its comments, and what its facts say it does."""
    for part in block["parts"]:
        comments, facts = (
            [thing for thing in block[kind] if part["first"] <= thing["line"] <= part["last"]]
            for kind in ("comments", "facts")
        )
        quoted = sorted(_quotes(comments), key=lambda quote: _is_legal(quote[2]))[:_MOST_CLAIMS]
        for first, last, text in quoted:
            yield _claim(f'"{text}"', block["file"], [(first, last)])
        does = _does(part, facts)
        if does is not None:
            text, lines = does
            yield _claim(text, block["file"], [(line, line) for line in lines])
        elif not quoted:
            yield _claim(_edges(part), block["file"], [(part["first"], part["last"])])


_DOES = {
    "perform": "performs", "call": "calls", "link": "calls", "xctl": "calls", "exec": "runs",
    "exec-proc": "runs", "runs": "runs", "goto": "goes to", "open": "opens", "read": "reads",
    "select": "reads", "write": "writes", "insert": "writes", "rewrite": "updates",
    "update": "updates", "delete": "deletes from", "send": "sends", "receive": "receives",
    "copy": "copies", "include": "copies",
}  # fmt: skip
_NAMES = ("paragraph", "section", "step", "job", "proc", "entry")
_MOST_FACTS = 8


def _does(part: dict[str, Any], facts: list[dict[str, Any]]) -> tuple[str, list[int]] | None:
    """Return ``X performs A and B, and reads F.`` with the lines that show it, if facts do."""
    name = next((f for f in facts if f["kind"] in _NAMES and f["object"] == part["name"]), None)
    relations: dict[str, dict[str, int]] = {}
    for fact in [fact for fact in facts if fact["kind"] in _DOES][:_MOST_FACTS]:
        relations.setdefault(_DOES[fact["kind"]], {}).setdefault(fact["object"], fact["line"])
    if not relations:
        return None
    done = [f"{verb} {_listed(objects)}" for verb, objects in relations.items()]
    lines = {line for objects in relations.values() for line in objects.values()}
    subject = f"`{name['object']}`" if name else "This part"
    text = f"{subject} {', and '.join(done)}."
    return text, sorted(lines | ({name["line"]} if name else set()))


def _listed(names: Iterable[str]) -> str:
    *before, last = [f"`{name}`" for name in names]
    return f"{', '.join(before)} and {last}" if before else last


def _edges(part: dict[str, Any]) -> str:
    """Return what can be said of a part without comments and relations."""
    begins, ends = (part[edge].replace('"', "'") for edge in ("begins", "ends"))
    if not (begins and ends):
        return "This part holds no words."
    return f'This part begins with "{begins}" and ends with "{ends}".'


def _claim(text: str, file: str, lines: Iterable[tuple[int, int]]) -> dict[str, Any]:
    cites = [f"{file}:{first}-{last}" for first, last in lines]
    return {"about": "purpose", "text": text, "cites": cites}


def _is_legal(text: str) -> bool:
    """Return whether a comment is about rights, and says nothing of what the code is for."""
    return _LEGAL.search(text) is not None


def _quotes(comments: list[dict[str, Any]]) -> Iterator[tuple[int, int, str]]:
    """Yield runs of comments on neighbouring lines as (first line, last line, text)."""
    run: list[dict[str, Any]] = []
    for comment, following in pairwise([*comments, {"line": -1, "text": ""}]):
        run.append(comment)
        if following["line"] == comment["line"] + 1:
            continue
        yield _quote(run)
        run = []


def _quote(run: list[dict[str, Any]]) -> tuple[int, int, str]:
    """Return as much of the run as fits into a quotation, whole lines unless it has to be cut."""
    text, ends = "", {}
    for comment in run:
        longer = f"{text} {comment['text']}".strip()
        if text and len(longer) > _LONGEST_QUOTE:
            break
        text, ends[comment["line"]] = longer, len(longer)
    size, mark = _pause(text) if len(ends) < len(run) else (len(text), "")
    last = next(line for line, end in ends.items() if end >= size)
    return run[0]["line"], last, text[:size].replace('"', "'") + mark


def _pause(text: str) -> tuple[int, str]:
    """Return how much of *text*, which goes on, to quote, and what stands for the rest."""
    for end, shortest, mark in _PAUSES:
        found = [match.end() for match in end.finditer(text) if match.end() >= shortest]
        if found:
            return found[-1], mark
    return len(text), " ..."


def _refusal(asked: str) -> str:
    first_line = next((line.strip() for line in asked.splitlines() if line.strip()), "")
    return (
        f"I am War Rig's offline provider, not a language model, so I can't answer "
        f'"{first_line[:_LONGEST_QUOTE]}". Set LLM_PROVIDER to a provider '
        "(`war-rig providers` lists them), or try me on source code: "
        "war-rig document SRC --out DOCS"
    )
