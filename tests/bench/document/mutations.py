"""Plants false claims, and counts how many of them War Rig's checks catch.

    python tests/bench/document/mutations.py SRC DOCS [--seed 0]

1. Each verified claim that `war-rig document SRC --out DOCS` published about a unit or a whole is
   planted anew, once in each class that its words allow, and checked as if a model had written it:
   by `check` of `war_rig.document.checks.check`, against the lines that its writer was shown.
   Caught is what the check refuses. A false alarm is a claim that is refused as it was published.
   The columns tell what the claim is made of, by its wording: a fact restated, a comment quoted
   (all of it in quotation marks), an edge (how a part begins and ends), or prose.
   Which names take part is chosen by --seed. A claim moved off its lines may still be right about
   the new ones, where it cites many.
2. PROSE are claims about the business rules of docs/examples/library as a model would write them,
   each with false forms ("by hand") and with those of 1. They are left out for another SRC.

Where a claim is refused as it is, its false versions are not counted: they would be refused for
the same reason. The lines of a whole are as they stand in its files, those of a copybook, too.
No coverage, no second round, no Challenger: only the checks of one claim.
"""

import argparse
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from war_rig.document import Claim, plan
from war_rig.document.checks.check import check
from war_rig.document.checks.ground import Ground
from war_rig.document.claims import Citation
from war_rig.document.context import Declarations
from war_rig.document.estate.estate import Estate
from war_rig.readers import Fact, Unit, readers

UNIT_LINES = 60  # the default of document.unit_lines, with which DOCS is to be written
OFF = (1, 2, 5, 20)
ORIGINS = ("fact", "comment", "edge", "prose")
VERBS = r"calls|runs|reads|writes|updates|deletes|sends|receives|performs|opens|copies|goes|begins"
PARTICIPLES = {
    "calls": "called", "runs": "run", "reads": "read", "writes": "written", "updates": "updated",
    "deletes": "deleted", "sends": "sent", "receives": "received", "performs": "performed",
    "opens": "opened",
}  # fmt: skip
DENIED = ("doesn't {}", "cannot {}", "fails to {}", "{}s all but", "{}s neither that nor")
AUXILIARIES = r"is|are|was|were|does|can|may|must|will"
SPAN = r"`([^`]+)`"
NAME = re.compile(r"[A-Z$#@\d]+(?:[-.][A-Z$#@\d]+)+|[A-Z$#@]+\d[A-Z$#@\d]*")
"""A name in a comment that is all in capitals: it has a hyphen, a dot or a digit."""


@dataclass(frozen=True)
class Case:
    """A published claim, the file that it is about, and what its writer was shown."""

    claim: Claim
    file: str
    ground: Ground
    origin: str

    @property
    def names(self) -> list[str]:
        """Return the names in the sentence."""
        text = self.claim.text
        spans = re.findall(SPAN, text)
        found = spans or [name for name in NAME.findall(text) if re.search("[A-Z]", name)]
        return list(dict.fromkeys(found))


def _origin(text: str) -> str:
    """Return what a claim is made of."""
    if text[:1] == text[-1:] == '"':
        return "comment"
    if re.fullmatch(r'This part (?:begins with ".*" and ends with ".*"|holds no words)\.', text):
        return "edge"
    return "fact" if re.match(rf"(?:{SPAN}|This part) (?:{VERBS})\b", text) else "prose"


class Source:
    """The source as War Rig reads it, and what was published about it."""

    def __init__(self, src: Path, docs: Path) -> None:
        planned = plan(src, readers(UNIT_LINES))
        self.files = {file.source.file: file for file in planned.files}
        self._estate = Estate.of(planned.files, ())
        self._data = [json.loads(p.read_text()) for p in sorted((docs / "files").rglob("*.json"))]
        self._overview = json.loads((docs / "estate.json").read_text())["overview"]
        self.programs = {f.object: f.file for f in self._facts("program")}
        self.names = {name: set(_names(file.reading.facts)) for name, file in self.files.items()}
        self.shown = cache(self._shown)

    def _facts(self, kind: str) -> Iterator[Any]:
        return (f for file in self.files.values() for f in file.reading.facts if f.kind == kind)

    def _shown(self, file: str) -> Declarations:
        return Declarations(self.files[file], self._estate.copybooks, self._estate.wholes[file])

    def of_unit(self, unit: Unit) -> Ground:
        """Return what the writer of claims about *unit* was shown."""
        return Ground.of_unit(unit, self.files[unit.file], self.shown(unit.file).of(unit))

    def unit_at(self, file: str, line: int) -> Unit:
        """Return the unit around a line."""
        units = self.files[file].reading.units
        return next(unit for unit in units if unit.first <= line <= unit.last)

    def cases(self) -> Iterator[Case]:
        """Yield every verified claim about a unit, then about a whole."""
        every: list[Claim] = []
        for data in self._data:
            file, own = data["file"], []
            for unit in data["units"]:
                ground = self.of_unit(Unit(**unit["unit"]))
                claims = list(_claims(unit["claims"]))
                yield from (_case(claim, file, ground) for claim in claims)
                own += claims
            composed = [c for one in data.get("programs", ()) for c in one["claims"]]
            wholes, of_whole = list(_claims([*data["whole"], *composed])), self._of_claims(own)
            yield from (_case(claim, file, of_whole) for claim in wholes)
            every += wholes or own
        ground = self._of_claims(every)
        for claim in _claims(self._overview):
            yield _case(claim, claim.citations[0].file, ground)

    def _of_claims(self, claims: Sequence[Claim]) -> Ground:
        return Ground.of_claims(claims, self.files)


def _case(claim: Claim, file: str, ground: Ground) -> Case:
    return Case(claim, file, ground, _origin(claim.text))


def _claims(told: Iterable[dict[str, Any]]) -> Iterator[Claim]:
    """Yield those that are verified."""
    for claim in told:
        if claim["verdict"] in ("verified", "supported"):
            yield Claim(claim["text"], tuple(claim["cites"]), claim["about"])


def _names(facts: Iterable[Fact]) -> Iterator[str]:
    """Yield the names in facts: of programs, paragraphs, items, files."""
    for fact in facts:
        if fact.kind not in ("comment", "move", "value", "label-text", "instream"):
            yield from (n for n in (fact.subject, fact.object) if NAME.fullmatch(n) and len(n) > 3)


Planted = Iterator[tuple[str, Claim]]
"""False versions of a claim, each with its class."""


def wrong_names(case: Case, source: Source, rng: random.Random) -> Planted:
    """Put another name in the place of one of the sentence's."""
    if not case.names:
        return
    name, own = rng.choice(case.names), source.names[case.file]
    foreign = sorted(set().union(*source.names.values()) - own)
    near = get_close_matches(name, sorted(own - {*case.names}), 1, 0.3)
    at = rng.randrange(len(name))
    misspelt = name[:at] + rng.choice([c for c in "AEIORSTX25" if c != name[at]]) + name[at + 1 :]
    for kind, other in [
        ("another file's", rng.choice(foreign)),
        ("the nearest of the file", near[0] if near else None),
        ("misspelt", misspelt),
    ]:
        if other:
            yield f"wrong name: {kind}", _replaced(case.claim, name, other)


def lines_off(case: Case, source: Source, rng: random.Random) -> Planted:
    """Move all citations by some lines, up or down, as far as the files reach."""
    for by in OFF:
        for way in rng.sample((by, -by), 2):
            moved = [Citation(c.file, c.first + way, c.last + way) for c in case.claim.citations]
            if all(c.first > 0 and c.last <= len(source.files[c.file].source.lines) for c in moved):
                yield f"line off: {by:2}", replace(case.claim, cites=tuple(map(str, moved)))
                break


def wrong_programs(case: Case, source: Source, rng: random.Random) -> Planted:
    """Say it of another program: of any, and of one that the file itself names."""
    text, own = case.claim.text, source.names[case.file]
    others = {name for name, file in source.programs.items() if file != case.file}
    said = (
        re.sub(rf"^(?:{SPAN}|This part)(?= )", "`{}`", text) if text[0] != '"' else f"{{}}: {text}"
    )
    for kind, names in (("any", others - own), ("one it uses", others & own)):
        if names:
            name = rng.choice(sorted(names))
            yield f'wrong program: "In P", {kind}', replace(case.claim, text=f"In {name}, {text}")
            if "{}" in said:
                told = said.replace("{}", name, 1)
                yield f"wrong program: as subject, {kind}", replace(case.claim, text=told)


def negated(case: Case, source: Source, rng: random.Random) -> Planted:
    """Put a "not" behind the first verb that takes one, other denials, and deny it as a whole."""
    text = case.claim.text
    if case.origin in ("fact", "edge"):
        found = re.sub(rf"\b({VERBS}|holds)\b", lambda v: f"does not {_base(v[0])}", text, count=1)
    else:
        found = re.sub(rf"(?i)\b({AUXILIARIES})\b(?! not)", r"\1 not", text, count=1)
    if found != text:
        yield "negated: not", replace(case.claim, text=found)
    verb = re.search(rf"\b({'|'.join(PARTICIPLES)})(?= {SPAN})", text)
    if case.origin == "fact" and verb:
        for form in DENIED:
            said = form.format(_base(verb[0]))
            told = f"{text[: verb.start()]}{said}{text[verb.end() :]}"
            yield f'negated: "{form.format("...")}"', replace(case.claim, text=told)
    yield 'negated: "It is false that"', replace(case.claim, text=f"It is false that {text}")
    yield 'negated: "It is not true that"', replace(case.claim, text=f"It is not true that {text}")


def swapped(case: Case, source: Source, rng: random.Random) -> Planted:
    """Exchange the objects of two relations, subject and object, or the two edges."""
    claim, spans = case.claim, re.findall(SPAN, case.claim.text)
    edges = re.findall(r'^This part begins with "(.+)" and ends with "(.+)"', claim.text)
    if edges and edges[0][0] != edges[0][1]:
        yield "swapped: begin and end", _exchanged(claim, *edges[0])
    elif case.origin == "comment" and len(case.names) > 1:
        yield "swapped: two names", _exchanged(claim, *rng.sample(case.names, 2))
    firsts = re.findall(rf"\b(?:{VERBS})(?: to| from)? {SPAN}", claim.text)
    if len(set(firsts)) > 1:
        yield (
            "swapped: objects of two verbs",
            _exchanged(claim, *rng.sample(sorted(set(firsts)), 2)),
        )
    if firsts and claim.text[0] == "`" and spans[0] != firsts[0]:
        yield "swapped: subject and object", _exchanged(claim, spans[0], firsts[0])


def turned(case: Case, source: Source, rng: random.Random) -> Planted:
    """Say of the first relation in the passive that it is the other way round, or is not."""
    found = re.match(rf"{SPAN} ({'|'.join(PARTICIPLES)}) {SPAN}", case.claim.text)
    if found and found[1] != found[3]:
        one, verb, other = found[1], PARTICIPLES[found[2]], found[3]
        text = f"`{one}` is {verb} by `{other}`."
        yield "swapped: in the passive", replace(case.claim, text=text)
        text = f"`{other}` is not {verb} by `{one}`."
        yield "negated: in the passive", replace(case.claim, text=text)


MUTATIONS: Sequence[Callable[[Case, Source, random.Random], Planted]] = (
    wrong_names, lines_off, wrong_programs, negated, swapped, turned,
)  # fmt: skip


def _base(verb: str) -> str:
    return {"copies": "copy", "goes": "go"}.get(verb, verb.removesuffix("s"))


def _replaced(claim: Claim, old: str, new: str) -> Claim:
    return replace(claim, text=claim.text.replace(old, new, 1))


def _exchanged(claim: Claim, one: str, other: str) -> Claim:
    either = "|".join(re.escape(name) for name in sorted((one, other), key=len, reverse=True))
    text = re.sub(either, lambda found: other if found[0] == one else one, claim.text)
    return replace(claim, text=text)


class Tally:
    """What was planted, by class and by origin, what of it was not caught, and false alarms."""

    def __init__(self) -> None:
        self.planted: dict[str, Counter[str]] = defaultdict(Counter)
        self.missed: dict[str, list[Case]] = defaultdict(list)
        self.true = 0
        self.alarms: list[str] = []

    def take(self, case: Case, planted: Planted) -> None:
        """Check a claim, and its false versions where it passes."""
        self.true += 1
        if issues := check(case.claim, case.ground).issues:
            self.alarms.append(f"{_told(case.claim)}: {'; '.join(issues)}")
            return
        for kind, claim in planted:
            if claim == case.claim:
                continue  # nothing was there to be changed
            self.planted[kind][case.origin] += 1
            if not check(claim, case.ground).issues:
                self.missed[kind].append(replace(case, claim=claim, origin=case.origin))

    def lines(self, most: int) -> Iterator[str]:
        """Yield a table of the classes, and below it up to *most* misses of each."""
        origins = [origin for origin in ORIGINS if any(c[origin] for c in self.planted.values())]
        yield f"{'':40}{'caught':>20}" + "".join(f"{origin:>12}" for origin in origins)
        for kind, planted in sorted(self.planted.items()):
            missed = Counter(case.origin for case in self.missed.get(kind, ()))
            caught = {origin: planted[origin] - missed[origin] for origin in origins}
            total, of = sum(caught.values()), planted.total()
            cells = [f"{caught[o]}/{planted[o]}" if planted[o] else "-" for o in origins]
            row = [f"{f'{total}/{of}':>14}{total / of:>6.0%}", *(f"{cell:>12}" for cell in cells)]
            yield f"{kind:40}{''.join(row)}"
        yield f"\nfalse alarms: {len(self.alarms)} of {self.true}"
        yield from (f"  {alarm}" for alarm in self.alarms[:most])
        for kind, cases in sorted(self.missed.items()):
            some = cases[:: max(1, -(-len(cases) // most))]  # from all over the source
            yield f"\nmissed, {kind}: {len(cases)}"
            yield from (f"  {_told(case.claim)}" for case in some)


def _told(claim: Claim) -> str:
    return f"{claim.text} [{' '.join(claim.cites)}]"


def published(source: Source, seed: int) -> Tally:
    """Return what became of the false versions of what was published."""
    tally, rng = Tally(), random.Random(seed)
    for case in source.cases():
        tally.take(case, (false for mutate in MUTATIONS for false in mutate(case, source, rng)))
    return tally


def written(source: Source, seed: int) -> Tally:
    """Return what became of the false forms of PROSE, and of what is made of it as of the rest."""
    tally, rng = Tally(), random.Random(seed)
    for block in PROSE.strip().split("\n\n"):
        cites, text, *forms = block.split("\n")
        claim = Claim(text, tuple(cites.split()), "rule")
        first = claim.citations[0]
        ground = source.of_unit(source.unit_at(first.file, first.first))
        case = Case(claim, first.file, ground, "prose")
        split = [re.split(": | -> ", form) for form in forms]
        assert all(old in text for _, old, _ in split), block
        by_hand = [(f"by hand: {kind}", _replaced(claim, old, new)) for kind, old, new in split]
        made = (false for mutate in MUTATIONS for false in mutate(case, source, rng))
        tally.take(case, chain(by_hand, made))
    return tally


PROSE = """
FEES01.cbl:255-257 FEES01.cbl:80
A senior whose `WS-DAYS-LATE` does not exceed the grace of 3 days is treated as not late.
negated: does not exceed -> exceeds
swapped: `WS-DAYS-LATE` does not exceed the grace of 3 days -> grace of 3 days does not exceed `WS-DAYS-LATE`
number: 3 days -> 5 days
name: `WS-DAYS-LATE` -> `WS-FEE`

FEES01.cbl:261-263
Children pay half: for a child's loan `WS-FEE` is divided by 2.
negated: for a child's loan -> unless it is a child's loan,
swapped: `WS-FEE` is divided by 2 -> 2 is divided by `WS-FEE`
number: by 2 -> by 4
name: `WS-FEE` -> `WS-FEE-LIMIT`

FEES01.cbl:264-266
The fee is capped: if `WS-FEE` is greater than `WS-FEE-LIMIT`, it is set to the limit.
negated: is greater -> is not greater
swapped: `WS-FEE` is greater than `WS-FEE-LIMIT` -> `WS-FEE-LIMIT` is greater than `WS-FEE`
name: `WS-FEE-LIMIT` -> `WS-FEE-A-DAY`

FEES01.cbl:267-274 FEES01.cbl:81-82
A lost copy without a price is billed at 25.00 plus 5.00 for handling.
negated: without a price -> with a price
swapped: 25.00 plus 5.00 for handling -> 5.00 plus 25.00 for handling
number: 25.00 -> 35.00

FEES01.cbl:187-189
Loans of staff are free: the program goes straight to `2000-NEXT`.
negated: of staff -> of anybody but staff
name: `2000-NEXT` -> `2000-EXIT`

FEES01.cbl:203-207
For a copy that is still out, a notice is written only if `WS-LEVEL` is greater than 0.
negated: is greater than 0 -> is 0
number: than 0 -> than 2
name: `WS-LEVEL` -> `WS-FEE`

FEES01.cbl:304-305
DVDs that are 3 days late get a notice of level 1.
negated: DVDs -> Items other than DVDs
swapped: 3 days late get a notice of level 1 -> 1 day late get a notice of level 3
number: 3 days -> 5 days

FEES01.cbl:226-235
The fee comes from the tariff line that has the loan's `LOAN-MEMBER-KIND` and `LOAN-MEDIUM`.
negated: that has -> that does not have
name: `LOAN-MEDIUM` -> `LOAN-BRANCH`

FEES01.cbl:242-246
If the copy is back, days are counted up to `LOAN-DATE-BACK`, otherwise up to `WS-TODAY`.
negated: is back -> is not back
swapped: `LOAN-DATE-BACK`, otherwise up to `WS-TODAY` -> `WS-TODAY`, otherwise up to `LOAN-DATE-BACK`
name: `LOAN-DATE-BACK` -> `LOAN-DATE-OUT`

FEES02.cbl:167-169 FEES02.cbl:44-45
A member who owes more than 20.00 is blocked by `3100-BLOCK`.
negated: more than -> at most
swapped: who owes more than 20.00 -> for whom 20.00 is more than what he owes
number: 20.00 -> 15.00
name: `3100-BLOCK` -> `4200-UNBLOCK`

FEES02.cbl:172-178
Members of kind 'T' are never blocked.
negated: never -> always
name: 'T' -> 'S'

FEES02.cbl:138-142
An insert that ends with SQLCODE -803 is counted in `WS-SKIPPED`.
negated: is counted -> is not counted
swapped: -803 is counted in `WS-SKIPPED` -> 0 is counted in `WS-SKIPPED`
number: -803 -> -805
name: `WS-SKIPPED` -> `WS-BLOCKED`

FEES02.cbl:115-119 FEES02.cbl:46
Work is committed whenever `WS-SINCE-COMMIT` has reached 100 members.
negated: has reached -> has not reached
number: 100 -> 500
name: `WS-SINCE-COMMIT` -> `WS-POSTED`

FEES02.cbl:73-83
A blocked member is let in again only when no fee has an `AMOUNT` greater than what is `PAID`.
negated: no fee has -> a fee has
swapped: `AMOUNT` greater than what is `PAID` -> `PAID` greater than its `AMOUNT`
name: `PAID` -> `REASON`

LOAN01.cbl:98-101
A copy that came back after its due date is put aside for the fees and then deleted.
negated: came back after -> came back before
swapped: put aside for the fees and then deleted -> deleted and then put aside for the fees

LOAN01.cbl:143-146 LOAN01.cbl:48
A loan that is more than 120 days overdue is marked as lost, unless the member is staff.
negated: unless -> if
number: 120 -> 90

LOAN01.cbl:104-106
A copy that is out and whose `MAST-DATE-DUE` is less than `WS-TODAY` is late.
negated: is less -> is not less
swapped: `MAST-DATE-DUE` is less than `WS-TODAY` -> `WS-TODAY` is less than `MAST-DATE-DUE`
name: `MAST-DATE-DUE` -> `MAST-DATE-OUT`

LIBC02.cbl:183-184
Lending ends with message 9 when `MC-LOANS-OUT` is not less than `TR-MAX-LOANS`.
negated: is not less -> is less
swapped: `MC-LOANS-OUT` is not less than `TR-MAX-LOANS` -> `TR-MAX-LOANS` is not less than `MC-LOANS-OUT`
number: message 9 -> message 7
name: `TR-MAX-LOANS` -> `WS-MAX-DVDS`

LIBC02.cbl:186-188 LIBC02.cbl:36
A member who has 5 DVDs out gets no other, but message 10.
negated: gets no other -> gets another
swapped: 5 DVDs out gets no other, but message 10 -> 10 DVDs out gets no other, but message 5
number: 5 DVDs -> 8 DVDs

LIBC02.cbl:254-258
Nothing is due on a Sunday: where `WS-WEEKDAY` is 0, `WS-DAY-NUMBER` goes up by 1.
negated: is 0 -> is not 0
swapped: `WS-WEEKDAY` is 0, `WS-DAY-NUMBER` goes -> `WS-DAY-NUMBER` is 0, `WS-WEEKDAY` goes
number: by 1 -> by 2
name: `WS-DAY-NUMBER` -> `WS-DATE-DUE`

LIBC03.cbl:155-157 LIBC03.cbl:31
A copy that is more than 7 days late can't be renewed.
negated: can't be renewed -> can be renewed
number: 7 -> 14

LIBC03.cbl:152-154
A renewal is refused once `WS-RENEWALS` is at least `TR-MAX-RENEWALS`.
negated: at least -> less than
swapped: `WS-RENEWALS` is at least `TR-MAX-RENEWALS` -> `TR-MAX-RENEWALS` is at least `WS-RENEWALS`
name: `TR-MAX-RENEWALS` -> `TR-MAX-LOANS`

MAIL02.cbl:152-157
A child's letter is worded by `LETT02`, anybody else's by `LETT01`.
negated: is worded -> is never worded
swapped: `LETT02`, anybody else's by `LETT01` -> `LETT01`, anybody else's by `LETT02`
name: `LETT01` -> `MAIL02`

RESV01.cbl:61-68
A copy that was held for more than 7 days is no longer kept for the member.
negated: more than -> less than
number: 7 -> 10

RESV01.cbl:156-158 RESV01.cbl:47
After 3 no-shows, `3100-CANCEL-THE-REST` cancels whatever else the member waits for.
negated: After 3 -> Before 3
number: 3 no-shows -> 5 no-shows
name: `3100-CANCEL-THE-REST` -> `4100-OFFER`

DAYS01.cbl:102-104
The branch 'HBR' is shut on Mondays.
negated: is shut -> is open
name: 'HBR' -> 'MIL'

LIBC09.cbl:88-92
A card is expired where `CARD-EXPIRES` is less than `WS-TODAY` and the member is not blocked.
negated: is less than -> is at least
swapped: `CARD-EXPIRES` is less than `WS-TODAY` -> `WS-TODAY` is less than `CARD-EXPIRES`
name: `CARD-EXPIRES` -> `BLOCKED-ON`

DAYS01.cbl:49-50
Of all days, the number is `WS-LAST-DAY` minus `WS-FIRST-DAY`.
negated: Of all days -> Unless all days are asked for
swapped: `WS-LAST-DAY` minus `WS-FIRST-DAY` -> `WS-FIRST-DAY` minus `WS-LAST-DAY`
name: `WS-FIRST-DAY` -> `WS-DAYS`
"""  # noqa: E501


def main() -> None:
    """Print how much is caught, by class, and what is not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("src", type=Path)
    parser.add_argument("docs", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--most", type=int, default=10, help="how many misses of each class to name"
    )
    given = parser.parse_args()
    source = Source(given.src, given.docs)
    print(f"== published claims, seed {given.seed}\n")
    print(*published(source, given.seed).lines(given.most), sep="\n")
    if "FEES01.cbl" in source.files:
        print(f"\n== claims in prose, seed {given.seed}\n")
        print(*written(source, given.seed).lines(given.most), sep="\n")


if __name__ == "__main__":
    main()
