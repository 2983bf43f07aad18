"""Makes a believable estate of COBOL programs, copybooks and JCL; no two programs are the same.

    python tests/bench/document/estate.py LINES OUT [--seed 0]

The same LINES and seed give the same bytes. Programs have 100 to 1,000 lines and are of four
kinds: batch on files, batch on Db2, CICS, and what those call. A job runs two to five of them.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from random import Random

from pieces import (
    ANYWHERE,
    DIVISIONS,
    END,
    FLAGS,
    JOB,
    NUMBERS,
    OF_KIND,
    REMARKS,
    STEP,
    SYSTEMS,
    TEXTS,
    VERBS,
    WORK,
)

KINDS = "BBDCCS"  # two batch programs and two of CICS to one of the others
OWN_SHARE = 3  # how often a piece of the program's own kind comes, to one of all kinds
HELD = {"number": NUMBERS, "text": TEXTS, "flag": FLAGS}

Choices = Mapping[str, Sequence[str]]
File = tuple[str, list[str]]
"""A path and its lines."""


class Estate:
    """Makes the files of one estate; what it draws comes from *seed*."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._programs: dict[str, list[str]] = {f"{s}{k}": [] for s in SYSTEMS for k in "BDCS"}
        self._copybooks: dict[str, dict[str, list[str]]] = {system: {} for system in SYSTEMS}

    def files(self, lines: int) -> Iterator[File]:
        """Yield files until they have *lines* lines in all, or a few more."""
        for number in count():
            for path, text in self._some(number, lines):
                lines -= len(text)
                yield path, text
            if lines <= 0:
                return

    def program(self, system: str, kind: str, size: int) -> File:
        """Return a program of *size* lines, or some more."""
        name = f"{system}{kind}{len(self._programs[system + kind]) + 1:03d}"
        known = self._copybooks[system]
        copied = self._random.sample(list(known), min(3, len(known)))
        choices = self._choices(system) | {"program": [name], "copybook": copied}
        lines = self._filled(choices, *self._head(name), DIVISIONS[kind])
        lines += self._data(choices, system, size)
        lines += self._procedure(choices, kind, size - len(lines)) + self._filled(choices, END)
        self._programs[system + kind].append(name)
        return f"{system.lower()}/cbl/{name}.cbl", lines

    def copybook(self, system: str) -> File:
        """Return a record whose names begin with what the one who copies it says."""
        name = f"{system}R{len(self._copybooks[system]) + 1:03d}"
        head = self._filled(self._choices(system), f"      * {name}: {{entity}} BY {{entity2}}.")
        fields = self._random.randint(8, 60)
        held = NUMBERS | TEXTS | FLAGS
        items = dict(self._item(":TAG:", system, held) for _ in range(fields))
        self._copybooks[system][name] = list(items)
        lines = [*head, "       01  :TAG:-RECORD.", *items.values()]
        return f"{system.lower()}/cpy/{name}.cpy", lines

    def _some(self, number: int, lines: int) -> Iterator[File]:
        """Yield the program of that number, and now and then a copybook before and a job behind."""
        system = self._random.choice(list(SYSTEMS))
        if number % 4 == 0 or not self._copybooks[system]:
            yield self.copybook(system)
        size = int(self._random.triangular(100, 950, 250))
        yield self.program(system, self._random.choice(KINDS), min(size, max(100, lines)))
        run = self._programs[f"{system}B"] + self._programs[f"{system}D"]
        if number % 3 == 2 and run:
            yield self._job(system, f"{system}J{number:04d}", run)

    def _job(self, system: str, name: str, run: list[str]) -> File:
        choices = self._choices(system) | {"job": [name], "program": run}
        steps = [STEP.replace("NN", f"{n}0") for n in range(1, self._random.randint(3, 6))]
        return f"{system.lower()}/jcl/{name}.jcl", self._filled(choices, JOB, *steps)

    def _choices(self, system: str) -> dict[str, Sequence[str]]:
        """Return what may stand for the names in a template."""
        words = SYSTEMS[system]
        return {
            "entity": words,
            "verb": VERBS,
            "code": "ABCDEFGHKLMNPRSTX",
            "few": "3456789",
            "limit": [f"{hundreds}00" for hundreds in range(1, 100)],
            "year": [f"{year}" for year in range(1987, 2024)],
            "callee": self._programs[f"{system}S"] + self._programs["GLXS"] or ["CEELOCT"],
            "table": [f"{system}.{word}" for word in words],
            "column": [f"{word}_{what}" for word in words for what in NUMBERS],
            "dd": [f"{word[:6]}DD" for word in words],
            "map": [f"{word[:5]}MP" for word in words],
            "prefix": [system],
        }

    def _filled(self, choices: Choices, *templates: str) -> list[str]:
        """Return the lines of *templates*, each filled with draws of its own."""
        texts = [text.format_map(_Draws(self._random, choices)) for text in templates]
        return [line for text in texts for line in text.splitlines()]

    def _head(self, name: str) -> Iterator[str]:
        """Yield what stands above the divisions in which programs differ."""
        yield f"      *{'*' * 60}\n      * {name} - {{verb}} EACH {{entity}} OF A {{entity2}}."
        for _ in range(self._random.randint(1, 6)):
            yield "      * {year}-0{few}-1{few2} {code}{code2}  {verb} {entity} AFTER {limit}."
        yield f"      *{'*' * 60}\n       IDENTIFICATION DIVISION.\n       PROGRAM-ID. {name}."

    def _item(self, prefix: str, system: str, pictures: Mapping[str, str]) -> tuple[str, str]:
        """Return the name of a data item and the line that declares it."""
        what = self._random.choice(list(pictures))
        name = f"{prefix}-{self._random.choice(SYSTEMS[system])}-{what}"
        if self._random.random() < 0.7:
            name += f"-{self._random.randint(2, 40)}"
        return name, f"           05  {name:23} PIC {pictures[what]}."

    def _data(self, choices: dict[str, Sequence[str]], system: str, size: int) -> list[str]:
        """Return the data items of a program; its *choices* are from now on among them."""
        tags = {copybook: copybook[-4:] for copybook in choices["copybook"]}
        choices["record"] = [f"{tag}-RECORD" for tag in tags.values()]
        lines = [
            f"           COPY {name} REPLACING ==:TAG:== BY =={tags[name]}==." for name in tags
        ]
        lines += WORK.splitlines()
        copied = [
            item.replace(":TAG:", tag)
            for copybook, tag in tags.items()
            for item in self._copybooks[system][copybook]
        ]
        for held, pictures in HELD.items():
            items = dict(self._item("WS", system, pictures) for _ in range(4 + size // 40))
            lines += items.values()
            choices[held] = [*items, *(item for item in copied if item.split("-")[2] in pictures)]
        return lines

    def _procedure(self, choices: dict[str, Sequence[str]], kind: str, size: int) -> list[str]:
        """Return a procedure division whose main paragraph performs the first of each group."""
        heads: list[str] = []
        lines: list[str] = []
        while len(lines) < size - 20 or not heads:
            first, *inner = self._titles(choices, 1000 * (len(heads) + 1))
            heads.append(first)
            for title in (first, *inner):
                choices["next"] = (title == first and inner) or ["9000-LOG"]
                lines += self._paragraph(choices, title, kind)
        performed = [f"           PERFORM {head}." for head in heads]
        main = ["       PROCEDURE DIVISION.", "       0000-MAIN.", *performed]
        return [*main, "           GOBACK.", *lines]

    def _titles(self, choices: Choices, number: int) -> list[str]:
        names = self._filled(choices, *["{verb}-{entity}"] * self._random.randint(1, 6))
        return [f"{number + 100 * place:04d}-{name}" for place, name in enumerate(names)]

    def _paragraph(self, choices: Choices, title: str, kind: str) -> Iterator[str]:
        yield ""
        if self._random.random() < 0.5:
            yield from self._filled(choices, f"      * {self._random.choice(REMARKS)}")
        yield f"       {title}."
        own = [piece for piece in OF_KIND[kind].split("\n\n") if piece]
        some = self._random.choices(ANYWHERE.split("\n\n") + OWN_SHARE * own, k=4)
        for line in self._filled(choices, *some[: self._random.randint(1, 4)]):
            yield f"           {line}"


class _Draws(dict[str, str]):
    """What the names in a template stand for, drawn when they are asked for."""

    def __init__(self, random: Random, choices: Choices) -> None:
        super().__init__()
        self._random, self._choices = random, choices

    def __missing__(self, name: str) -> str:
        self[name] = self._random.choice(self._choices[name.rstrip("23")])
        return self[name]


def write(files: Iterator[File], out: Path) -> tuple[int, int]:
    """Write *files* below *out*; return how many they are, and how many lines they have."""
    written = lines = 0
    for path, text in files:
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(text) + "\n", encoding="ascii", newline="\n")
        written, lines = written + 1, lines + len(text)
    return written, lines


def main() -> None:
    """Write the estate that the arguments ask for."""
    parser = argparse.ArgumentParser(description="Make a believable estate.")
    parser.add_argument("lines", type=int, metavar="LINES")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    files, lines = write(Estate(given.seed).files(given.lines), given.out)
    print(f"{lines:,} lines in {files:,} files below {given.out}, seed {given.seed}")


if __name__ == "__main__":
    main()
