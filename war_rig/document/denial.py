"""Denials in a sentence: whether a verb is turned round, and whether a name behind it is.

A sentence that denies a whole statement ("It is not true that ...") is of a form that
tells nothing of the source, so it is refused.
"""

import re
from collections.abc import Iterator, Sequence

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
    (re.compile(r"n['\u2019]t\b", re.IGNORECASE), " not"),
    (re.compile(r"\bcannot\b", re.IGNORECASE), "can not"),
    (
        re.compile(r"\b(?:fail(?:s|ed)?|refuse[sd]?|omit(?:s|ted)?|unable)\s+to\b", re.IGNORECASE),
        "fails-to",
    ),
)
_NEAR = 3
_FAILS = "fails-to"
_FAR = frozenset({"never"})  # it denies a verb over a comma, too
_NONE = frozenset({"no", "nothing", "none", "nobody"})
_NEITHER = frozenset({"neither", "nor"})
_NEGATIONS = frozenset({"not"}) | _NEITHER | _FAR | _NONE
_AFFIRMED = frozenset(
    {"only", "but", "except", "just", "merely"}
)  # as in "not only", "nothing but"
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
    """Return whether the verb at *at* is denied near before it, None where no word could.

    clause: where its clause starts, behind a comma: "when it is not there, calls" denies nothing.
    """
    near = range(max(0, at - _NEAR), at)
    found = [
        here
        for here in near
        if words[here] == _FAILS
        or (words[here] in _NEGATIONS and (here >= clause or words[here] in _FAR))
    ]
    if not found:
        return None
    is_negated = any(words[here] != _FAILS and words[here + 1] not in _AFFIRMED for here in found)
    return is_negated != any(words[here] == _FAILS for here in found)


def denies(gap: Sequence[str], verb: bool, before: bool | None) -> bool:
    """Return whether a name is denied behind *gap*, the words since the verb or the name before.

    verb: whether the verb is; before: whether the name before is, None where there is none.
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
