"""Fenced blocks of a Markdown file."""

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```([^`\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Snippet:
    file: Path
    line: int
    language: str
    code: str

    @property
    def id(self) -> str:
        return f"{self.file.name}:{self.line}"


def snippets(file: Path, *languages: str) -> list[Snippet]:
    """Return the fenced blocks of *file* in one of *languages*."""
    text = file.read_text(encoding="utf-8")
    found = [
        Snippet(file, text.count("\n", 0, match.start()) + 1, match[1], match[2])
        for match in _FENCE.finditer(text)
    ]
    return [snippet for snippet in found if snippet.language in languages]
