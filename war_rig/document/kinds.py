"""What a file is, from its readers' facts: a job, a program, a copybook, and so on."""

from dataclasses import dataclass

from war_rig.document.plan import PlannedFile


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is called in data, on its page and above its list; fact: what names it."""

    key: str
    fact: str
    word: str
    title: str


_BY_FACT = (
    Kind("job", "job", "Job", "Jobs"),
    Kind("program", "program", "Program", "Programs"),
    Kind("procedure", "proc", "Procedure", "Procedures"),
    Kind("screens", "defines-mapset", "Screens", "Screens"),
    Kind("definitions", "transaction", "Definitions", "Definitions"),
    Kind("tables", "table", "Tables", "Table definitions"),
)
_COPYBOOK = Kind("copybook", "", "Copybook", "Copybooks")
_OTHER = Kind("file", "", "File", "Other files")

KINDS = (*_BY_FACT[:2], _COPYBOOK, *_BY_FACT[2:], _OTHER)
"""All kinds, in the order of the index."""


def kind_of(file: PlannedFile) -> Kind:
    """Return what *file* is; a job before a program, where it holds both."""
    facts = {fact.kind for fact in file.reading.facts}
    found = next((kind for kind in _BY_FACT if kind.fact in facts), None)
    if found is not None:
        return found
    is_copybook = any(unit.kind == "copybook" for unit in file.reading.units)
    return _COPYBOOK if is_copybook else _OTHER


def names_of(file: PlannedFile) -> dict[str, int]:
    """Return the names of what *file* holds, such as its programs, each with its line."""
    wanted = kind_of(file).fact
    named = ("transaction",)  # whose name is the subject, its program the object
    found: dict[str, int] = {}
    for fact in file.reading.facts:
        if fact.kind == wanted:
            found.setdefault(fact.subject if wanted in named else fact.object, fact.line)
    return found
