"""The embedded provider: no model, no key, no network.

It composes claims from the comments, the facts and the numbered lines that
``war-rig document`` puts into its prompts, and says of any other prompt that it
can't answer it. The same prompt always gets the same answer.
"""

import json
import re
from collections.abc import AsyncGenerator, Iterable, Iterator
from typing import Any

from war_rig.providers.offline.definitions import Lines, Statement, names
from war_rig.providers.offline.quotations import LONGEST_QUOTE, is_legal, quote, quotes
from war_rig.providers.offline.statements import relations, statement
from war_rig.providers.protocol import CompletionChunk, CompletionResponse, Message
from war_rig.providers.streams import words
from war_rig.providers.usage import estimate_tokens

FACTS_FENCE = "war-rig-facts"
"""The info string of the fenced JSON block that holds a unit's facts and comments.

    {"file": str, "first": int, "last": int,
     "parts": [{"name": str, "first": int, "last": int, "begins": str, "ends": str}],
     "facts": [{"kind": str, "subject": str, "object": str, "line": int}],
     "deeds": [{"verb": str, "object": str, "first": int, "last": int}],
     "comments": [{"line": int, "text": str}]}

A deed without an object says that more is done of the kind. Without "deeds" there are none.
The unit's lines stand before it, each as ``  12 | TEXT``. Or, where something is to be
composed of claims:

    {"file": str, "most": int, "claims": [{"about": str, "text": str, "cites": [str]}]}
"""

_BLOCK = re.compile(rf"^```{FACTS_FENCE}\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
_NUMBERED = re.compile(r"^ *(\d+) \| (.*)$", re.MULTILINE)
_MOST_OF_ONE_FILE = 3
_MOST_CLAIMS = 12
_A_HEADING = 3  # words at most
_QUOTES = re.compile(r'"|The card of the job `[^`]+` says "\w+ ')
_NO_WORDS = "This part holds no words."
_EDGES = "This part begins with"
_EMPTY = (_NO_WORDS, _EDGES)
_MOST_OF_A_UNIT = 50
_WORD = r"(?:[(\"']*[A-Za-z][A-Za-z'/-]*[)\"',.:;!?]*|[&-]|\d{1,4}[.,]?)"
_PROSE = re.compile(rf"{_WORD}(?: +{_WORD}){{2,}}")


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
        found = _facts(messages)
        try:
            content = json.dumps({"claims": _answer(*found)}) if found else _refusal(asked)
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


def _facts(messages: list[Message]) -> tuple[dict[str, Any], Lines] | None:
    """Return the last facts block and the numbered lines before it, None where there is none."""
    prompts = [m.content for m in messages if m.role == "user" and _BLOCK.search(m.content)]
    if not prompts:
        return None
    *_, last = _BLOCK.finditer(prompts[-1])
    try:
        block = json.loads(last[1])
    except ValueError:
        return None
    lines = {int(number): line for number, line in _NUMBERED.findall(prompts[-1][: last.start()])}
    return (block, lines) if isinstance(block, dict) else None


def _answer(block: dict[str, Any], lines: Lines) -> list[dict[str, Any]]:
    if "claims" in block:
        return _composed(block["claims"], block["most"])
    about = [list(_claims(part, block, lines)) for part in block["parts"]]
    while sum(map(len, about)) > _MOST_OF_A_UNIT and len(longest := max(about, key=len)) > 1:
        quoting = [claim for claim in longest if claim["text"].startswith('"')]
        longest.remove(quoting[-1] if quoting else longest[-1])
    return [claim for claims in about for claim in claims]


def _composed(claims: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Return the first claims that tell most, of many files one of each, each text once."""
    by_file: dict[str, list[dict[str, Any]]] = {}
    for claim in claims:
        by_file.setdefault(claim["cites"][0].rpartition(":")[0], []).append(claim)
    if len(by_file) == 1:
        return _telling(claims)[: min(most, _MOST_OF_ONE_FILE)]
    firsts = [_telling(own)[0] for own in by_file.values()]
    told = {claim["text"]: claim for claim in reversed(firsts)}
    found = [claim for claim in firsts if claim is told[claim["text"]]]
    return ([claim for claim in found if _is_quotation(claim)] or found)[:most]


def _telling(claims: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those that quote: the first of some words, and what is more than a heading.

    Without any, return all, first those that say anything.
    """
    once: dict[str, dict[str, Any]] = {}
    for claim in filter(_is_quotation, claims):
        once.setdefault(claim["text"], claim)
    quoting = list(once.values())
    if not quoting:
        return sorted(claims, key=lambda claim: claim["text"].startswith(_EMPTY))
    first = next((claim for claim in quoting if _words(claim) > 2), quoting[0])
    return [c for c in quoting if c is first or _words(c) > _A_HEADING]


def _is_quotation(claim: dict[str, Any]) -> bool:
    """Return whether a claim quotes a comment, or some words of a job's card."""
    return _QUOTES.match(claim["text"]) is not None and not is_legal(claim["text"])


def _words(claim: dict[str, Any]) -> int:
    return len(claim["text"].split())


def _claims(part: dict[str, Any], block: dict[str, Any], lines: Lines) -> Iterator[dict[str, Any]]:
    """Yield claims about a part of the unit: its comments, and what its facts say it does."""
    comments, facts = (
        [thing for thing in block[kind] if part["first"] <= thing["line"] <= part["last"]]
        for kind in ("comments", "facts")
    )
    deeds = [d for d in block.get("deeds", ()) if part["first"] <= d["first"] <= part["last"]]
    quoted: dict[str, tuple[int, int]] = {}
    for first, last, text in quotes(comments):
        quoted.setdefault(text, (first, last))
    for text, place in list(quoted.items())[:_MOST_CLAIMS]:
        yield _claim(f'"{text}"', block["file"], [place])
    related = list(relations(part, facts))
    for text, cited in related:
        yield _claim(text, block["file"], cited)
    if not (quoted or related):
        said = statement(part, facts, deeds, lines)
        text, cited = said or _otherwise(part, facts, comments, lines)
        yield _claim(text, block["file"], cited)


def _otherwise(
    part: dict[str, Any], facts: list[Any], comments: list[dict[str, Any]], lines: Lines
) -> Statement:
    """Return what can be said of a part without telling comments and facts: words of its own."""
    prose = [] if facts or comments else list(_prose(part, lines))
    named = None if facts or prose else names(part, lines)
    if named:
        return named
    has_edges = part["begins"] and part["ends"]
    shown = prose or ([] if has_edges else [comment for comment in comments if comment["text"]])
    if shown:
        first, last, text = quote(shown)
        return f'"{text}"', [(first, last)]
    if has_edges:
        return _edges(part), [_between_edges(part, lines)]
    return _NO_WORDS, [(part["first"], part["last"])]


def _prose(part: dict[str, Any], lines: Lines) -> Iterator[dict[str, Any]]:
    """Yield the first lines of a text that hold words and little else."""
    numbers = range(part["first"], part["last"] + 1)
    first = next((n for n in numbers if re.search(r"\w", lines.get(n, ""))), part["last"] + 1)
    for number in range(first, part["last"] + 1):
        line = lines[number].strip()
        if len(line) > LONGEST_QUOTE or not _PROSE.fullmatch(line):
            return
        yield {"line": number, "text": line}


def _edges(part: dict[str, Any]) -> str:
    """Return the first and the last line of a part."""
    begins, ends = (part[edge].replace('"', "'") for edge in ("begins", "ends"))
    if begins == ends:
        return f'{_EDGES} "{begins}".'
    return f'{_EDGES} "{begins}" and ends with "{ends}".'


def _between_edges(part: dict[str, Any], lines: Lines) -> tuple[int, int]:
    """Return the lines of a part without the comments around it."""
    numbers = range(part["first"], part["last"] + 1)
    first = next((n for n in numbers if part["begins"] in lines.get(n, "")), part["first"])
    last = next((n for n in reversed(numbers) if part["ends"] in lines.get(n, "")), part["last"])
    return first, last


def _claim(text: str, file: str, lines: Iterable[tuple[int, int]]) -> dict[str, Any]:
    cites = [f"{file}:{first}-{last}" for first, last in lines]
    return {"about": "purpose", "text": text, "cites": cites}


def _refusal(asked: str) -> str:
    first_line = next((line.strip() for line in asked.splitlines() if line.strip()), "")
    return (
        f"I am War Rig's offline provider, not a language model, so I can't answer "
        f'"{first_line[:LONGEST_QUOTE]}". Set LLM_PROVIDER to a provider '
        "(`war-rig providers` lists them), or try me on source code: "
        "war-rig document SRC --out DOCS"
    )
