"""What is told about a provider: its rules in a table, and each fault as its author needs it."""

from collections import Counter
from collections.abc import Iterator, Sequence

from war_rig.providers.foreign import one_line
from war_rig.testing.conformance.kit import Kit
from war_rig.testing.conformance.rule import PAGE, Outcome, Verdict

_LONGEST_REASON = 60
_NAME_WIDTH = 11


def table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield a line a rule: its name, what became of it, why, and where to read about it."""
    rows = [("RULE", "VERDICT", "REASON", f"ANCHOR in {PAGE}")]
    for one in verdicts:
        outcome = one.outcome if one.rule.is_required else f"{one.outcome}, recommended"
        reason = one_line(one.reason, _LONGEST_REASON)
        rows.append((one.rule.name, outcome, reason, f"#{one.rule.name}"))
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def details(verdict: Verdict, *, is_short: bool = False) -> Iterator[str]:
    """Yield what its author needs of a rule that the provider misses."""
    rule, missed = verdict.rule, verdict.missed
    assert missed is not None
    parts = {
        "sent": missed.sent,
        "came back": missed.came_back,
        "wanted": rule.wanted,
        "change": missed.change or rule.change,
        "why": rule.reason,
        "see": rule.anchor,
    }
    for name, text in parts.items():
        first, *others = text.splitlines() or [""]
        if not is_short or name in ("came back", "change", "see"):
            yield f"  {name:<{_NAME_WIDTH}}{first}"
            yield from (f"{'':<{_NAME_WIDTH + 2}}{line}" for line in others)


def found_out(kit: Kit) -> Iterator[str]:
    """Yield what the kit gave the provider, and what it found out about its API."""
    bench, planting = kit.bench, kit.bench.planting
    yield f"tested  {kit.plan.shown_signature}, {kit.plan.registration.described}"
    roles = dict.fromkeys(planting.endpoints, "the kit's server")
    roles |= dict.fromkeys(planting.canaries, "a made-up key")
    every = planting.variables | roles | planting.made_up
    given = [f"{n} = {what}" for n, what in every.items() if n not in _of_arguments(kit)]
    yield f"given   {', '.join(given) or 'nothing'}"
    findings = bench.findings
    if findings.template is not None:
        yield f"found   it reads {findings.reads}"
    if findings.stream is not None:
        yield f"found   it streams as {findings.stream.format}"
    if bench.refused:
        yield f"stopped {', '.join(sorted(bench.refused))}: nothing was sent beyond this machine"


def _of_arguments(kit: Kit) -> set[str]:
    """Return the variables that would be looked up for arguments, which the kit gives itself."""
    return {p.variable for p in kit.plan.parameters}


def remarks(kit: Kit) -> Iterator[str]:
    """Yield what pytest does not tell by itself: what was missed or not tested, and the sums."""
    for one in kit.judged:
        if one.outcome == "missed":
            yield f"{one.rule.name} (recommended)"
            yield from details(one, is_short=True)
    untested = Counter(one.reason for one in kit.judged if one.outcome == "not tested")
    for reason, count in untested.items():
        yield f"not tested: {count} {'rules' if count > 1 else 'rule'}: {reason}"
    yield summary(kit.judged)


def summary(verdicts: Sequence[Verdict]) -> str:
    """Return how many rules came to what, in a line."""
    required = Counter(one.outcome for one in verdicts if one.rule.is_required)
    others = Counter(one.outcome for one in verdicts if not one.rule.is_required)
    return f"required: {_counted(required)}; recommended: {_counted(others)}"


def _counted(outcomes: Counter[Outcome]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items()) or "none tested"
