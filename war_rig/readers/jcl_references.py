"""JCL's backward references, such as ``DSN=*.STEP1.OUT``: the data set that an earlier DD names."""

import re

_REFERENCE = re.compile(r"\*((?:\.[\w@#$]+){1,3})")
_MEMBER = re.compile(r"\(([A-Z@#$&][\w@#$&.]*)\)$", re.IGNORECASE)


def is_reference(name: str) -> bool:
    """Return whether *name* stands for what another statement names."""
    return _REFERENCE.fullmatch(name) is not None


def member_of(data_set: str) -> str:
    """Return the member that *data_set* names, "" where it names none."""
    found = _MEMBER.search(data_set)
    return found[1].upper() if found else ""


class DataSetNames:
    """The data sets of one job and its in-stream procedures, by owner, step and DD.

    The owner is a procedure, "" for the job. A DD that is there and names none has "".
    """

    def __init__(self) -> None:
        self._names: dict[tuple[str, str, str], str] = {}
        self._called: dict[tuple[str, str], str] = {}

    def note(self, owner: str, step: str, dd: str, data_set: str) -> None:
        """Take what the DD statement names; of two that are called the same, the first counts."""
        self._names.setdefault((owner, step, dd), data_set)

    def note_call(self, owner: str, step: str, procedure: str) -> None:
        """Take which procedure the step calls."""
        self._called.setdefault((owner, step), procedure)

    def referred(self, reference: str, owner: str, step: str) -> str:
        """Return what *reference* stands for in *step*, "" where that can't be told.

        In a procedure that is called it is known where no symbol is in it.
        """
        found = _REFERENCE.fullmatch(reference)
        *steps, dd = found[1].upper().split(".")[1:] if found else [""]
        if len(steps) < 2:
            return self._names.get((owner, *(steps or [step]), dd), "")
        overridden = self._names.get((owner, steps[0], f"{steps[1]}.{dd}"))
        if overridden is not None:
            return overridden
        if (owner, steps[0], dd) in self._names:  # it overrides a DD of one step or another
            return ""
        procedure = self._called.get((owner, steps[0]), "")
        name = self._names.get((procedure, steps[1], dd), "") if procedure else ""
        return "" if "&" in name.removeprefix("&&") else name
