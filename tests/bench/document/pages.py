"""Checks anew what `war-rig document SRC --out DOCS` wrote, without War Rig's code.

    python tests/bench/document/pages.py SRC DOCS

Broken is, each with where:

- a JSON that docs/document.schema.json does not allow; a file that is in neither index nor SRC;
- a link of a page that leads to no file or to no anchor (`id` and `name` in HTML, and the slugs
  that GitHub makes of headings);
- a citation outside of its file; a published claim that its page does not show with a link to
  the first cited line of the numbered source; a numbered line that is not that of the file;
- a part (a paragraph, a step, a table; the unit where there are none) without a verified claim
  that cites a line of it, or whose JSON says otherwise in `uncovered`;
- a Mermaid graph of more than 40 edges, or with a line that is neither a quoted node with a
  generated id nor an arrow between two of them.

The JSON does not say what a claim was made of, so its wording does, in this order: it has no
words where it says so; it quotes an edge where it says what a part begins and ends with; a comment
where all of it is in quotation marks and those words stand in the comments on the cited lines (of a
licence, where they are about rights or warranty), else a text; it restates facts where all names in
backticks are in facts on the cited lines and nothing but verbs and commas is between them. The rest
is prose, which is no model's where `offline` wrote it: it states what the code does.
Exit code: 1 if anything is broken. Links to other sites are counted, not followed.
"""

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from html import unescape
from pathlib import Path, PurePosixPath
from posixpath import normpath
from textwrap import fill
from typing import Any
from urllib.parse import unquote, urlsplit

from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt
from markdown_it.token import Token

Json = dict[str, Any]
Fault = tuple[str, str]
"""What is broken, and where."""

SCHEMA = Path(__file__).parents[3] / "docs" / "document.schema.json"
MOST_EDGES = 40
ORIGINS = ("prose", "restated fact", "statement", "comment", "text", "licence", "edge", "no words")
PUBLISHED = ("verified", "supported")
LEGAL = re.compile(r"copyright|rights reserved|licen[cs]e|warrant|\bas is\b|spdx", re.IGNORECASE)
NODE = re.compile(r'  ([A-Za-z0-9_]+)\["[^"<>`]+"\]')
ARROW = re.compile(r'  ([A-Za-z0-9_]+) (?:-->|-\.->)(?:\|"[^"<>`]+"\|)? ([A-Za-z0-9_]+)')
NUMBERED = re.compile(r'<a id="L(\d+)"></a> *\d+  (.*)')
LISTED = r"`[^`]+`(?:(?:, | and )`[^`]+`)*"
RESTATED = re.compile(
    rf"(?:`[^`]+`|This part) \w+(?: \w+)? {LISTED}(?:, and \w+(?: \w+)? {LISTED})*\."
)


@dataclass
class Page:
    """A page as a renderer shows it."""

    text: str
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    items: dict[str, list[list[tuple[str, str]]]] = field(default_factory=lambda: defaultdict(list))
    graphs: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> "Page":
        """Return the page at *path*: what it links to, its list items, its graphs."""
        page, slugs = cls(path.read_text(encoding="utf-8")), Counter[str]()
        tokens = MarkdownIt("commonmark").enable("table").parse(page.text)
        for before, token in zip([None, *tokens], tokens, strict=False):
            if token.type == "html_block":
                page._take_html(token.content)
            elif token.type == "fence" and token.info == "mermaid":
                page.graphs.append(token.content)
            elif token.type == "inline":
                shown, links = page._inline(token)
                if before and before.type == "heading_open":
                    slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
                    page.anchors.add(f"{slug}-{slugs[slug]}" if slugs[slug] else slug)
                    slugs[slug] += 1
                page.items[" ".join(shown.split())].append(links)
        return page

    def _take_html(self, html: str) -> None:
        self.anchors |= set(re.findall(r'<[^>]*\s(?:id|name)="([^"]+)"', html))
        self.links += map(unescape, re.findall(r'<a[^>]*\shref="([^"]+)"', html))

    def _inline(self, token: Token) -> tuple[str, list[tuple[str, str]]]:
        """Return the text outside of links, and each link with its own text."""
        shown, links, is_link = "", [], False
        for child in token.children or ():
            if child.type == "link_open":
                is_link = True
                links.append((str(child.attrs["href"]), ""))
                self.links.append(links[-1][0])
            elif child.type == "link_close":
                is_link = False
            elif child.type == "html_inline":
                self._take_html(child.content)
            elif is_link:
                links[-1] = (links[-1][0], links[-1][1] + child.content)
            else:
                shown += child.content
        return shown, links


class Docs:
    """All that was written, and the source that it is about."""

    def __init__(self, src: Path, docs: Path) -> None:
        self.src, self.root = src, docs
        self.pages = {p.relative_to(docs).as_posix(): Page.read(p) for p in docs.rglob("*.md")}
        self.estate: Json = json.loads((docs / "estate.json").read_text(encoding="utf-8"))
        found = [p for p in docs.rglob("*.json") if not p.name.startswith(".") and p.parent != docs]
        self.data = {p.relative_to(docs).as_posix(): _json(p) for p in sorted(found)}
        self.files = {data["file"]: data for data in self.data.values()}
        self.facts: dict[tuple[str, int], list[Json]] = defaultdict(list)
        for fact in (fact for data in self.files.values() for fact in data["facts"]):
            self.facts[fact["file"], fact["line"]].append(fact)

    @cached_property
    def lines(self) -> dict[str, list[str]]:
        """Return the lines of every source file, read here, as its JSON names the encoding."""
        return {
            f: _lines((self.src / f).read_bytes(), d["encoding"]) for f, d in self.files.items()
        }

    def claims(self) -> Iterator[tuple[str, str, Json]]:
        """Yield every claim with its page and what it is about: a unit, or a whole."""
        yield from (("README.md", "whole", claim) for claim in self.estate["overview"])
        for data in self.files.values():
            programs = [claim for one in data.get("programs", ()) for claim in one["claims"]]
            yield from ((data["page"], "whole", claim) for claim in [*data["whole"], *programs])
            for unit in data["units"]:
                yield from ((data["page"], "unit", claim) for claim in unit["claims"])

    def parts(self) -> Iterator[tuple[Json, list[Json], bool]]:
        """Yield every part, the published claims that cite it, and whether the JSON has some."""
        for unit in (unit for data in self.files.values() for unit in data["units"]):
            for part in unit["parts"]:
                citing = [
                    c for c in unit["claims"] if c["verdict"] in PUBLISHED and _cites(c, part)
                ]
                yield part, citing, part not in unit["uncovered"]

    def origin(self, claim: Json) -> str:
        """Return what *claim* was made of; see above."""
        text = claim["text"]
        cited = [
            (c["file"], n) for c in claim["citations"] for n in range(c["first"], c["last"] + 1)
        ]
        facts = [fact for place in cited for fact in self.facts.get(place, ())]
        if text == "This part holds no words.":
            return "no words"
        if text.startswith('This part begins with "'):
            return "edge"
        if text[:1] == text[-1:] == '"':
            comments = _words(" ".join(f["object"] for f in facts if f["kind"] == "comment"))
            if f" {_words(text)} " in f" {comments} ":
                return "licence" if LEGAL.search(text) else "comment"
            return "licence" if LEGAL.search(text) else "text"
        names = {f[key] for f in facts if f["kind"] != "comment" for key in ("subject", "object")}
        restates = RESTATED.fullmatch(text) and names.issuperset(re.findall("`([^`]+)`", text))
        rest = "statement" if self.estate["provider"] == "offline" else "prose"
        return "restated fact" if restates else rest


def _json(path: Path) -> Json:
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return found


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _cites(claim: Json, part: Json) -> bool:
    return any(
        c["file"] == part["file"] and c["first"] <= part["last"] and c["last"] >= part["first"]
        for c in claim["citations"]
    )


def _lines(data: bytes, encoding: str) -> list[str]:
    """Return the lines of a file; one in EBCDIC may be of records of 80 characters."""
    text = data.decode("cp037" if encoding == "cp1047" else encoding).removeprefix("\ufeff")
    if encoding.startswith("cp"):
        text = text.replace("\x85", "\n")
        if "\n" not in text and len(text) % 80 == 0:
            text = "\n".join(text[at : at + 80].rstrip() for at in range(0, len(text), 80))
    lines = re.split(r"\r\n|\n|\r", text)
    return lines[:-1] if lines[-1] == "" else lines


def schema_faults(docs: Docs) -> Iterator[Fault]:
    """Yield where a JSON is not of the published form."""
    validator = Draft202012Validator(_json(SCHEMA))
    for name, data in [("estate.json", docs.estate), *docs.data.items()]:
        yield from (("schema", f"{name}: {e.json_path}") for e in validator.iter_errors(data))


def index_faults(docs: Docs) -> Iterator[Fault]:
    """Yield what is only in one of the source, the index and the folder."""
    told = {link["data"]: link["file"] for link in docs.estate["files"]}
    if told != {name: data["file"] for name, data in docs.data.items()}:
        yield "index", "estate.json names other files than there are"
    named = {data[kind] for data in docs.files.values() for kind in ("page", "source_page")}
    yield from (("index", f"{page}: not there") for page in sorted(named - {*docs.pages}))
    out = [path.rstrip("/") for path, _ in docs.estate["left_out"]]
    for path in (p.relative_to(docs.src) for p in docs.src.rglob("*") if p.is_file()):
        above = [parent.as_posix() for parent in (path, *path.parents)]
        if path.as_posix() not in docs.files and not set(above) & set(out):
            yield "index", f"{path}: neither documented nor named as left out"


def link_faults(docs: Docs) -> Iterator[Fault]:
    """Yield every link that leads nowhere."""
    for name, page in docs.pages.items():
        for link in (link for link in page.links if not urlsplit(link).scheme):
            target, _, anchor = link.partition("#")
            path = _target(name, target)
            is_there = path in docs.pages or (not anchor and (docs.root / path).is_file())
            if not is_there or (anchor and unquote(anchor) not in docs.pages[path].anchors):
                yield "link", f"{name}: {link}"


def _target(page: str, link: str) -> str:
    return normpath(f"{PurePosixPath(page).parent}/{unquote(link)}") if link else page


def claim_faults(docs: Docs) -> Iterator[Fault]:
    """Yield citations outside of their files, and claims that their page does not show so."""
    for page, _, claim in docs.claims():
        wanted = []
        for cited in claim["citations"]:
            file, first, last = cited["file"], cited["first"], cited["last"]
            if not 1 <= first <= last <= len(docs.lines.get(file, ())):
                yield "citation", f"{page}: {file}:{first}-{last}"
                continue
            label = f"({first}-{last})" if last > first else f"({first})"
            wanted.append((docs.files[file]["source_page"], f"L{first}", label))
        if claim["verdict"] in PUBLISHED:
            if len(claim["citations"]) != len(claim["cites"]) or not wanted:
                yield "citation", f"{page}: {claim['cites']} can't be read"
            if wanted not in _shown(docs, page, claim):
                yield "claim", f"{page}: not shown with its lines: {claim['text']}"


def _shown(docs: Docs, page: str, claim: Json) -> Iterator[list[tuple[str, str, str]]]:
    """Yield the links that *page* shows with *claim*, each as page, anchor and lines."""
    text = " ".join(claim["text"].replace("`", "").split())
    text = f"Rule. {text}" if claim["about"] == "rule" else text
    for links in docs.pages[page].items.get(text, ()) if page in docs.pages else ():
        split = [(*href.partition("#")[::2], label) for href, label in links]
        yield [(_target(page, p), anchor, label.split(" ")[-1]) for p, anchor, label in split]


def source_faults(docs: Docs) -> Iterator[Fault]:
    """Yield numbered lines that are not those of the file."""
    for file, data in docs.files.items():
        page = docs.pages.get(data["source_page"], Page(""))
        found = [(int(n), unescape(line)) for n, line in NUMBERED.findall(page.text)]
        own = ("".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in line)
               for line in docs.lines[file])  # fmt: skip
        if found != list(enumerate(own, 1)) or data["lines"] != len(found):
            yield "source", f"{data['source_page']}: not the lines of {file}"


def coverage_faults(docs: Docs) -> Iterator[Fault]:
    """Yield parts that no published claim is about."""
    for part, citing, is_told in docs.parts():
        place = f"{part['file']}:{part['first']}-{part['last']} {part['name']}"
        if not citing:
            yield "coverage", place
        if bool(citing) != is_told:
            yield "coverage", f"{place}: its JSON says otherwise"


def graph_faults(docs: Docs) -> Iterator[Fault]:
    """Yield what is wrong in a graph."""
    for name, graph in ((n, graph) for n, page in docs.pages.items() for graph in page.graphs):
        head, *lines = graph.splitlines()
        nodes = [match[1] for line in lines if (match := NODE.fullmatch(line))]
        arrows = [match.groups() for line in lines if (match := ARROW.fullmatch(line))]
        is_whole = len(nodes) + len(arrows) == len(lines) and len(set(nodes)) == len(nodes)
        if head != "flowchart LR" or not is_whole or not {e for a in arrows for e in a} <= {*nodes}:
            yield "graph", f"{name}: a line that is no node and no arrow"
        if len(arrows) > MOST_EDGES:
            yield "graph", f"{name}: {len(arrows)} edges"


CHECKS = (schema_faults, index_faults, link_faults, claim_faults, source_faults, coverage_faults,
          graph_faults)  # fmt: skip


def report(docs: Docs) -> Iterator[str]:
    """Yield the counts, a line each."""
    failed = [f for f, d in docs.files.items() if d["whole_failure"] or not d["is_complete"]
              or any(u["failure"] for u in (*d["units"], *d.get("programs", ())))]  # fmt: skip
    misread, out = docs.estate["misread"], docs.estate["left_out"]
    units = sum(len(data["units"]) for data in docs.files.values())
    yield f"files: {len(docs.files)} in {units} units, {len(failed)} failed, {len(misread)} misread"
    yield f"left out: {_counted(Counter(reason for _, reason in out))}"
    kinds = Counter(fact["kind"] for facts in docs.facts.values() for fact in facts)
    yield f"facts: {sum(kinds.values())}: {_counted(kinds)}"
    every = list(docs.claims())
    for about in ("unit", "whole"):
        claims = [claim for _, what, claim in every if what == about]
        verdicts = Counter(claim["verdict"] for claim in claims)
        told = _counted(verdicts, ("verified", "unverified"))
        yield f"claims about a {about}: {len(claims)}: {told}"
        yield f"  made of: {_counted(Counter(map(docs.origin, claims)), ORIGINS)}"
    best = Counter(min(map(docs.origin, citing), key=ORIGINS.index, default="nothing")
                   for _, citing, _ in docs.parts())  # fmt: skip
    yield f"parts: {sum(best.values())}, by the best claim about each: {_counted(best, ORIGINS)}"
    cites = [c for _, _, claim in every for c in claim["citations"]]
    yield f"citations: {len(cites)}, of {sum(c['last'] - c['first'] + 1 for c in cites)} lines"
    links = [link for page in docs.pages.values() for link in page.links]
    yield f"pages: {len(docs.pages)}, links: {len(links)}, " + (
        f"to other sites: {sum(bool(urlsplit(link).scheme) for link in links)}"
    )
    edges = [len(ARROW.findall(graph)) for page in docs.pages.values() for graph in page.graphs]
    left = re.findall(
        r"these graphs leave out: (\d+)", "".join(p.text for p in docs.pages.values())
    )
    yield (
        f"graphs: {len(edges)} with {sum(edges)} edges, {max(edges, default=0)} in the largest, "
        + (f"{sum(map(int, left))} edges left out")
    )


def _counted(found: Counter[str], order: tuple[str, ...] = ()) -> str:
    """Return how many of each, in *order*, else the most frequent first."""
    first = [(name, found[name]) for name in order]
    rest = [(name, number) for name, number in found.most_common() if name not in order]
    return ", ".join(f"{name} {number}" for name, number in first + rest) or "none"


def main() -> int:
    """Print the counts and what is broken; return 1 where anything is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("src", type=Path)
    parser.add_argument("docs", type=Path)
    parser.add_argument("--most", type=int, default=10, help="how much of each kind to name")
    given = parser.parse_args()
    if not (given.src.is_dir() and (given.docs / "estate.json").is_file()):
        parser.error("SRC is no folder, or DOCS holds no estate.json")
    docs = Docs(given.src, given.docs)
    for line in report(docs):
        print(fill(line, 100, subsequent_indent="  ", break_on_hyphens=False))
    faults = [fault for check in CHECKS for fault in check(docs)]
    kinds = Counter(kind for kind, _ in faults)
    print(f"broken: {_counted(kinds)}")
    for kind in kinds:
        print(
            *[f"  {kind}: {where}" for what, where in faults if what == kind][: given.most],
            sep="\n",
        )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
