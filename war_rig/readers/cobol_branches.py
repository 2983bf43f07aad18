"""What COBOL's lines do in the branch of an IF and nowhere else, where that is plain.

It is where the lines have one IF, and neither ELSE, OR and NOT nor a loop. Of a branch that
leaves it is not: what stands behind it is done on the other side only.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from war_rig.readers.cobol_conditions import added
from war_rig.readers.cobol_lines import END, Token, scan, words
from war_rig.readers.cobol_statements import STATEMENTS, Tokens

_OTHER_WAYS = words("ELSE WHEN UNTIL OR")
_COMPARES = words("< > = GREATER LESS")  # NOT before them is no other way
_LEAVES = words("GO EXIT GOBACK STOP RETURN XCTL ABEND SENTENCE")
_RUNS_MORE = words("PERFORM CALL EXEC COPY")
_READ = {**STATEMENTS, "ADD": added}
_VERBS = {
    "perform": "performs", "call": "calls", "call-name": "calls", "move": "sets",
    "move-name": "sets", "add": "adds to", "write": "writes", "rewrite": "writes",
    "delete": "deletes",
}  # fmt: skip
_RUN = ("performs", "calls")


class Done(NamedTuple):
    """A verb, such as "performs", "sets" or "adds to", and what it is about, in upper case."""

    verb: str
    name: str


def done_in_branch(lines: Sequence[str]) -> frozenset[Done]:
    """Return what *lines* do in their only branch and nowhere else.

    Where more is run outside of it, what is set or written there is not known.
    """
    tokens = [*scan(lines).tokens, *[END] * 4]
    first, behind = _only_branch(tokens)
    branch, rest = tokens[first:behind], tokens[:first] + tokens[behind:]
    if any(token.word in _LEAVES for token in branch):
        return frozenset()
    others = {token.text.upper() for token in rest}
    runs_more = any(token.word in _RUNS_MORE for token in rest)
    return frozenset(
        done
        for done in _done([*branch, *[END] * 4])
        if done.name not in others and (done.verb in _RUN or not runs_more)
    )


def _only_branch(tokens: Tokens) -> tuple[int, int]:
    """Return where the only IF begins and ends; an empty range where it is not plain."""
    ifs = [at for at, token in enumerate(tokens) if token.word == "IF"]
    if len(ifs) != 1 or any(_is_other_way(*pair) for pair in pairwise(tokens)):
        return 0, 0
    first = ifs[0]
    ends = (at for at in range(first, len(tokens)) if tokens[at].word in ("END-IF", "."))
    return first, next(ends, len(tokens))


def _is_other_way(token: Token, following: Token) -> bool:
    is_denied = token.word == "NOT" and following.word not in _COMPARES
    return is_denied or token.word in _OTHER_WAYS


def _done(tokens: Tokens) -> Iterator[Done]:
    for at, token in enumerate(tokens):
        if token.word in ("SET", "COMPUTE"):
            yield Done("sets", tokens[at + 1].text.upper())
        for found in _READ[token.word](tokens, at) if token.word in _READ else ():
            if found.kind in _VERBS:
                yield Done(_VERBS[found.kind], (found.subject or found.object).upper())
