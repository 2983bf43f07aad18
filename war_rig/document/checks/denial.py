"""Denials in a sentence: whether a verb is turned round, and whether a name behind it is.

A sentence that denies a whole statement ("It is not true that ...") is of a form that
tells nothing of the source, so it is refused.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Literal

_BEHIND = r"(?=\s+(?:that|to\s+say|`|(?-i:[A-Z][A-Z0-9]+(?:-[A-Z0-9]+)*\b)))"
_STATEMENT = re.compile(
    r"""(?:^|[.;:,]\s+|\b(?:and|but)\s+)["'\s]*(?:
        it(?:['\u2019]s|\s+(?:is|was|would\s+be))\s+(?:not|no\s+longer|never|hardly)\s+
            (?:true|correct|right|so|accurate|the\s+case|a\s+fact)<behind>
      | it(?:['\u2019]s|\s+(?:is|was|would\s+be))\s+(?:simply\s+|quite\s+)?
            (?:false|wrong|untrue|incorrect|inaccurate|a\s+myth)<behind>
      | it\s+(?:(?:never|hardly)\s+happens|(?:does|will|can)\s*(?:not|never)\s+(?:ever\s+)?happen)
            \s+that\b
      | (?:contrary\s+to\s+fact|untrue|not\s+true|false|wrong)(?=\s*:|\s+that)
    )""".replace("<behind>", _BEHIND),
    re.IGNORECASE | re.VERBOSE,
)
_SPELLINGS = (
    (re.compile(r"\bcan(?:not|['\u2019]t)\b", re.IGNORECASE), "can not"),
    (re.compile(r"\bwon['\u2019]t\b", re.IGNORECASE), "will not"),
    (re.compile(r"n['\u2019]t\b", re.IGNORECASE), " not"),
    (
        re.compile(r"\b(?:fail(?:s|ed)?|refuse[sd]?|omit(?:s|ted)?|unable)\s+to\b", re.IGNORECASE),
        "fails-to",
    ),
)
_NEAR = 4
_FAILS = "fails-to"
_FAR = frozenset({"never"})  # it may deny a verb over a comma, too
_NONE = frozenset({"no", "nothing", "none", "nobody"})
_NEITHER = frozenset({"neither", "nor"})
_NEGATIONS = frozenset({"not"}) | _NEITHER | _FAR | _NONE
DENIALS = _NEGATIONS | {_FAILS}
_AFFIRMED = frozenset(
    {"only", "but", "except", "just", "merely"}
)  # as in "not only", "nothing but"
_ADVERBS = frozenset({
    "longer", "ever", "again", "also", "then", "directly", "itself", "always", "even", "yet",
    "actually", "once", "be", "been", "being", "get",
})  # fmt: skip
CONDITIONS = frozenset({
    "if", "when", "whenever", "unless", "once", "until", "while", "because", "since", "where",
    "after", "before", "should", "though", "although", "on",
})  # fmt: skip
"""What a clause begins with that only may be so."""

_RELATIVES = frozenset({"that", "which", "who", "whose"})
_BEFORE_NO = frozenset({"and", "but", "that", "so"})
_BESIDE = frozenset({
    "the", "a", "an", "its", "any", "both", "either", "of", "for", "to", "from", "in", "into",
    "paragraph", "paragraphs", "section", "step", "program", "programs", "file", "files", "table",
    "record", "records", "row", "rows", "line", "lines",
})  # fmt: skip
_EXCEPT = frozenset({"except", "excepting", "excluding", "save"})
_EXCEPT_PAIRS = frozenset({("other", "than"), ("apart", "from"), ("aside", "from")})
_INSTEAD = frozenset({("rather", "than"), ("instead", "of")})
_ALL = frozenset({"all", "every", "everything", "anything", "each", "everybody", "anybody"})
_JOINS = frozenset({"and", "or", "but", "so", "also", "then"})


def denial_faults(text: str) -> Iterator[str]:
    """Yield what is wrong where *text*, without its quotations, denies a whole statement."""
    found = _STATEMENT.search(text.replace("n't", " not").replace("n\u2019t", " not"))
    if found:
        said = " ".join(found[0].strip(".;:, \"'").split())
        yield f"'{said}' denies a statement: say what the lines do, not what they do not"


def spelt_out(text: str) -> str:
    """Return *text* with its denials as words of their own: "does not" for "doesn't"."""
    for form, words in _SPELLINGS:
        text = form.sub(words, text)
    return text


def is_denied(words: Sequence[str], at: int, clause: int) -> bool | None:
    """Return whether the verb at *at* is denied right before it, None where it is not.

    clause: where its clause starts, behind a comma: "when it is not there, calls" denies nothing.
    False: there is a denial that is none, as in "not only" and "never fails to".
    """
    before = list(reversed(words[clause:at]))
    beside = _ADVERBS | _AFFIRMED | DENIALS
    near = list(takewhile(lambda word: word in beside, before))
    denials = [
        (word, behind) for word, behind in zip(near, ["", *near], strict=False) if word in DENIALS
    ]
    if not denials:
        is_none = before[1:2] == ["no"] and before[0] != "other"  # "no paragraph calls"
        return True if is_none and _BEFORE_NO.issuperset(before[2:3]) else None
    return sum(behind not in _AFFIRMED for _, behind in denials) % 2 == 1


def is_unclear(
    words: Sequence[str], at: int, clause: int, form: Literal["calls", "call", "called"]
) -> bool:
    """Return whether it can't be told if the verb at *at* is denied.

    So it is in a condition ("if it can not open the file"), and where a denial is near, but not
    right before the verb, unless that is of another form: "the file that cannot be read calls".
    """
    before = words[clause:at]
    if is_denied(words, at, clause) is not None:
        return bool(CONDITIONS.intersection(before) or _RELATIVES.intersection(before[1:]))
    near = words[max(0, at - _NEAR) : at]
    if form == "call":
        return bool(DENIALS.intersection(near))
    is_shared = before[-1:] == ("or",) and bool(DENIALS.intersection(before))
    if is_shared or _FAR.intersection(near):
        return True
    starts = CONDITIONS if form == "called" else _NONE | _NEITHER
    return bool(starts.intersection(before[:1])) and bool(DENIALS.intersection(before))


def is_list(since: Sequence[str], gap: Sequence[str], is_behind_comma: bool) -> bool:
    """Return whether a name behind *gap* is in a list with the one before it.

    since: the words between the verb and the name. "Instead of A the paragraph B" is no list.
    """
    begins = tuple(word for word in since if word not in _BESIDE or word in ("of", "from"))[:2]
    is_bare = _BESIDE.issuperset(gap)
    return not is_bare or (is_behind_comma and begins not in _INSTEAD)


def denies(gap: Sequence[str], verb: bool, before: bool | None) -> bool:
    """Return whether a name is denied behind *gap*, the words since the verb or the name before.

    verb: whether the verb is; before: whether the name before is, None where there is none,
    or where this one is in no list with it.
    """
    words = [word for word in gap if word not in _BESIDE]
    plain = tuple(word for word in gap if word not in _BESIDE or word in ("of", "from"))
    if not words:
        return verb if before is None else before
    if plain[-2:] in _INSTEAD:
        return not verb
    is_but = words[-1] == "but" and bool((_ALL | _NONE).intersection(words))
    if words[-1] in _EXCEPT or plain[-2:] in _EXCEPT_PAIRS or is_but:
        return verb if _NONE.intersection(words) else not verb
    is_joined = _JOINS.union(_NEGATIONS).issuperset(words)
    if words[-1] in _NEITHER or (words[-1] in _NEGATIONS and is_joined):
        return True
    if before is not None and {"and", "or"}.issuperset(words):
        return before
    return verb
