"""The REPLACING of one COPY, applied to names and to lines of what is copied.

As COBOL does it: text is compared word by word, blanks count as equal, the
first pair that matches ends a word, and what was put in is not compared again.
A parenthesis and a colon are words by themselves, so ``:TAG:`` may be part of a name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

_PAIR = re.compile(r"(?:(LEADING|TRAILING) )?==(.*?)== BY ==(.*)==", re.DOTALL)
_WORD = re.compile(r"'(?:[^']|'')*'|[\w$#@+-]+(?:\.\w+)*|\S")
_BLANKS = r"[\s,;]"
_BEFORE = r"(?<![\w$#@-])(?<!\w\.)"
_BEHIND = r"(?![\w$#@-]|\.\w)"
_BEFORE_NAME, _BEHIND_NAME = r"(?<![\w$#@:-])", r"(?![\w$#@:-])"
_LITERAL = r"""'[^'\n]*'|"[^"\n]*\""""


@dataclass(frozen=True, slots=True)
class _Pair:
    """part: LEADING, TRAILING or ""; new: None where the fact does not tell its blanks."""

    part: str
    old: str
    new: str | None

    @classmethod
    def of(cls, written: str) -> "_Pair | None":
        """Return the pair ``==OLD== BY ==NEW==``, None where it is none."""
        match = _PAIR.fullmatch(written)
        return (
            cls(match[1] or "", match[2], _set_together(match[3])) if match and match[2] else None
        )

    @property
    def may_fail(self) -> bool:
        """Return whether the old text may stand on two lines, or the new one is not known."""
        return self.new is None or " " in self.old

    def pattern(self) -> str:
        """Return what matches the old text; with a part, the rest of the name is a group."""
        if self.part == "LEADING":
            return rf"{_BEFORE_NAME}{re.escape(self.old)}([\w$#@:-]*)"
        if self.part == "TRAILING":
            return rf"{_BEFORE_NAME}([\w$#@:-]*?){re.escape(self.old)}{_BEHIND_NAME}"
        words = _WORD.findall(self.old)
        found = [_pattern(words[0])]
        for before, word in pairwise(words):
            is_apart = _is_word(before) and _is_word(word)
            found += [_BLANKS + ("+" if is_apart else "*"), _pattern(word)]
        start = _BEFORE if _is_word(words[0]) and words[0][0] not in "+-" else ""
        return f"{start}{''.join(found)}{_BEHIND if _is_word(words[-1]) else ''}"

    def text(self, rest: str) -> str:
        """Return what stands there instead; *rest* is that of the name."""
        new = self.new or ""
        return rest + new if self.part == "TRAILING" else new + rest


class Replacing:
    """The pairs of one COPY."""

    def __init__(self, written: Sequence[str]) -> None:
        """Take pairs such as ``==OLD== BY ==NEW==``, as a reader's facts have them."""
        found = [_Pair.of(one) for one in written]
        self._pairs = [pair for pair in found if pair]
        self._is_known = None not in found

    def applied(self, text: str) -> str:
        """Return *text* with the pairs applied."""
        return self._pattern.sub(self._instead, text)

    def name(self, written: str) -> str:
        """Return a name with the pairs applied, itself where it would be more than one word."""
        name = self.applied(written)
        return written if " " in name else name

    def may_fail(self) -> bool:
        """Return whether there is a text on which can_apply() says no."""
        return not self._is_known or any(pair.may_fail for pair in self._pairs)

    def can_apply(self, code: str) -> bool:
        """Return whether the pairs can be applied to each line of *code* by itself."""
        return self._is_known and all(map(self._is_in_line, self._pattern.finditer(code)))

    def _is_in_line(self, match: re.Match[str]) -> bool:
        return match.lastgroup is None or (
            "\n" not in match[0] and self._pairs[int(match.lastgroup[1:])].new is not None
        )

    def _instead(self, match: re.Match[str]) -> str:
        if match.lastgroup is None:
            return match[0]
        pair = self._pairs[int(match.lastgroup[1:])]
        rest = match[match.re.groupindex[match.lastgroup] + 1] if pair.part else ""
        return match[0] if pair.new is None else pair.text(rest)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """A group for each pair, in order; at last, a literal that none of them matches."""
        patterns = [f"(?P<p{n}>{pair.pattern()})" for n, pair in enumerate(self._pairs)]
        return re.compile("|".join([*patterns, _LITERAL]), re.IGNORECASE)


def _is_word(word: str) -> bool:
    return word[0].isalnum() or word[0] in "_$#@+-"


def _pattern(word: str) -> str:
    if word[0] != "'" or len(word) < 2:
        return re.escape(word)
    text = re.escape(word[1:-1].replace("''", "'"))
    return rf"""(?-i:{re.escape(word)}|"{text}")"""


def _set_together(words: str) -> str | None:
    """Return a new text as it was written; None for ``9 ( 7 ) X``, of which it can't be told.

    A reader gives words with one blank between them, a picture as one word.
    """
    if re.search(r" \) \w", words):
        return None
    return re.sub(r" (?=[().])|(?<=\() ", "", words)
