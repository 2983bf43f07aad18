"""What a rule is, and what becomes of it: passed, failed, missed, or not tested."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Need = Literal["nothing", "build", "answer", "server", "stream", "scripted stream"]
"""What there has to be before a rule can be tested."""

PAGE = "docs/conformance.md"

Outcome = Literal["passed", "failed", "missed", "not tested"]


class Missed(Exception):  # noqa: N818  what a check tells, not an error of the kit's
    """Tells that the provider does not keep the rule: what was sent, and what came back.

    change: what to do about it, where that is not what the rule says.
    """

    def __init__(self, sent: str, came_back: str, change: str | None = None) -> None:
        super().__init__(sent, came_back)
        self.sent, self.came_back, self.change = sent, came_back, change


class NotTested(Exception):  # noqa: N818  what a check tells, not an error of the kit's
    """Tells why the rule can't be tested."""


@dataclass(frozen=True)
class Rule:
    """One sentence of the contract, and the check that holds a provider to it.

    name: also its anchor in docs/conformance.md. reason: why it is one. wanted: what it
    wants. change: what an author usually does about it. after: the rules that must have
    passed, since this one could not say anything else than they do.
    """

    name: str
    reason: str
    wanted: str
    change: str
    check: Callable[[Any], Any]
    is_required: bool
    needs: Need
    after: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """Return where the documentation tells of it."""
        return f"{PAGE}#{self.name}"


@dataclass(frozen=True)
class Verdict:
    """What became of a rule. reason: in a line, empty where it passed."""

    rule: Rule
    outcome: Outcome
    reason: str = ""
    missed: Missed | None = None


def rule(
    *,
    wanted: str,
    change: str,
    needs: Need = "server",
    is_required: bool = True,
    after: tuple[str, ...] = (),
) -> Callable[[Callable[[Any], Any]], Rule]:
    """Make a rule of a check: its name is the rule's, and its docstring the reason."""

    def made(check: Callable[[Any], Any]) -> Rule:
        reason = " ".join((check.__doc__ or "").split())
        return Rule(check.__name__, reason, wanted, change, check, is_required, needs, after)

    return made
