"""Relations in the passive: "`A` is performed by `B`" says that a line of B performs A.

What B does is known of the whole file, whatever part of it the sentence is about: also what
lies between the two ends of PERFORM A THRU C, and in a section that is performed.
"""

from collections.abc import Iterator

from war_rig.document.checks.denial import DENIALS, is_denied, is_unclear
from war_rig.document.checks.known import RELATIONS, Known
from war_rig.document.checks.performed import performing
from war_rig.document.checks.relations import BESIDE_NAMES, Words

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
    "must", "will", "would", "could", "should", "might", "has", "have", "had", "not", "never",
    "no", "longer", "neither", "nor", "either", "ever", "also", "only", "always", "then", "first",
    "fails-to",
})  # fmt: skip
_BEFORE_DOER = BESIDE_NAMES | {"program", "job", "only", "directly"}


_OPEN = ("copy", "include")  # what stands in a copybook is none of the file's facts


def passive_faults(sentence: Words, known: Known) -> Iterator[str]:
    """Yield what *sentence* says to be done by somebody of whom no fact says so."""
    words = sentence.all
    for at, word in enumerate(words):
        by = at + 1
        while by < len(words) and words[by] in ("only", "directly"):
            by += 1
        is_passive = word in _PARTICIPLES and by < len(words) and words[by] == "by"
        if is_passive and not is_unclear(words, at, sentence.clause(at), "called"):
            done, doer = _before(words, at), _behind(words, by)
            if done and doer:
                is_negated = _is_negated(words, at, sentence.clause(at))
                yield from _faults(_PARTICIPLES[word], done, doer, is_negated, known)


def _is_negated(words: tuple[str, ...], at: int, clause: int) -> bool:
    """Return whether the participle at *at* is denied, or what it is about is: "neither A"."""
    denied = is_denied(words, at, clause)
    if denied is not None:
        return denied
    beside = (_AUXILIARIES | BESIDE_NAMES) - DENIALS
    before = [word for word in reversed(words[clause:at]) if word not in beside]
    return bool(DENIALS.intersection(before[1:2]))


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
        is_found = any(fact.kind != "step" for fact in found)  # a job's, not a program's
        is_turned = known.found(relation, doer) and not (is_found or is_negated)
        if is_turned and (known.is_doer(done) or known.is_own(done)):
            yield f"it is the other way round: a line of this part {relation} {doer.upper()}"
    elif done in known.related:
        by_doer = [fact for fact in found if is_program or fact.subject.lower() == doer]
        if is_negated and by_doer:
            yield f"a line of {doer.upper()} {told}"
        elif not (is_negated or by_doer):
            facts = list(known.of_files())
            own = [fact for fact in facts if is_program or fact.subject.lower() == doer]
            is_open = any(f.kind in _OPEN and known.is_doer(f.subject.lower()) for f in own)
            is_found = any(f.kind in RELATIONS[relation] and f.object.lower() == done for f in own)
            is_inside = relation == "performs" and bool(performing(done, own, facts))
            if not (is_open or is_found or is_inside):
                yield f"no line of {doer.upper()} {told}"
