"""Relations in the passive: "`A` is performed by `B`" says that a line of B performs A."""

from collections.abc import Iterator

from war_rig.document.denial import is_denied
from war_rig.document.relations import BESIDE_NAMES, Known, Words

_PARTICIPLES = {
    "called": "calls",
    "read": "reads",
    "written": "writes",
    "updated": "updates",
    "deleted": "deletes",
    "copied": "copies",
    "sent": "sends",
    "received": "receives",
    "performed": "performs",
    "opened": "opens",
    "run": "runs",
}
_AUXILIARIES = frozenset({
    "is", "are", "was", "were", "be", "been", "being", "gets", "get", "can", "does", "do", "may",
    "must", "will", "would", "not", "never", "no", "longer", "neither", "nor", "either", "ever",
    "also", "only", "always", "then", "first", "fails-to",
})  # fmt: skip
_BEFORE_DOER = BESIDE_NAMES | {"program", "job", "only", "directly"}


def passive_faults(sentence: Words, known: Known) -> Iterator[str]:
    """Yield what *sentence* says to be done by somebody of whom no fact says so."""
    words = sentence.all
    for at, word in enumerate(words):
        by = at + 1
        while by < len(words) and words[by] in ("only", "directly"):
            by += 1
        if word in _PARTICIPLES and by < len(words) and words[by] == "by":
            done, doer = _before(words, at), _behind(words, by)
            if done and doer:
                is_negated = bool(is_denied(words, at, sentence.clause(at)))
                yield from _faults(_PARTICIPLES[word], done, doer, is_negated, known)


def _before(words: tuple[str, ...], at: int) -> str:
    """Return what something is done to, where it stands right before the verb."""
    return next((word for word in reversed(words[:at]) if word not in _AUXILIARIES), "")


def _behind(words: tuple[str, ...], by: int) -> str:
    return next((word for word in words[by + 1 :] if word not in _BEFORE_DOER), "")


def _faults(relation: str, done: str, doer: str, is_negated: bool, known: Known) -> Iterator[str]:
    found = known.found(relation, done)
    told = f"{relation} {done.upper()}"
    is_program = known.is_own(doer)
    if not (is_program or known.is_doer(doer)):
        is_turned = known.found(relation, doer) and not (found or is_negated)
        if is_turned and (known.is_doer(done) or known.is_own(done)):
            yield f"it is the other way round: a line of this part {relation} {doer.upper()}"
    elif done in known.related:
        by_doer = [fact for fact in found if is_program or fact.subject.lower() == doer]
        if is_negated and by_doer:
            yield f"a line of {doer.upper()} {told}"
        elif not is_negated and not by_doer:
            yield f"no line of {doer.upper()} {told}"
