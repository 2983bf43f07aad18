"""Relations as Mermaid flowcharts, in a subset in which no name can have a meaning.

Mermaid reads some words inside of quotes too, and decodes character codes more
than once. So node ids are generated, labels are quoted, and in a label every
ASCII symbol becomes a decimal code (``#60;``), but for those that stand inside a
name. Letters stay, so that a page can be read where no graph is drawn.

A graph has at most 40 edges. What hangs together is drawn together; where that is
too much it is cut between the nodes that edges start from. What does not fit into
12 graphs is counted, so nothing is left out in silence.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from war_rig.readers.jcl_references import is_reference

_MOST_EDGES = 40
_MOST_GRAPHS = 12
_LONGEST = 60

_ACTIVE = re.compile(
    r"""[!-,:-@[-^`{-~\u200b]  # a symbol, but for
      | (?<![A-Za-z0-9])[-./_] | [-./_](?![A-Za-z0-9])  # those inside a name
      | (?i: (?<=www)\.  # what some versions turn into links
      | d(?=irection) | c(?=4[cd]) )  # what makes the line, or the whole, something else
    """,
    re.VERBOSE,
)
_DECODED = ("\ufb02\xb0", "\xb6\xdf")
"""What Mermaid puts in the place of ``&`` and ``;`` and turns back, wherever it came from."""


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from one name to another; one that is not certain is drawn dotted."""

    start: str
    end: str
    label: str = ""
    is_certain: bool = True


def graph_lines(edges: Iterable[Edge]) -> list[str]:
    """Return *edges* as Markdown, fenced flowcharts and what they leave out; empty for none."""
    graphs = _packed(_resolved(list(dict.fromkeys(edges))))
    drawn, rest = graphs[:_MOST_GRAPHS], graphs[_MOST_GRAPHS:]
    lines = []
    for number, graph in enumerate(drawn, 1):
        if len(drawn) > 1:
            lines += [f"Graph {number} of {len(drawn)}", ""]
        lines += ["```mermaid", *_flowchart(graph), "```", ""]
    if rest:
        lines += [f"Edges that these graphs leave out: {sum(map(len, rest))}.", ""]
    return lines


def _resolved(edges: Sequence[Edge]) -> list[Edge]:
    """Return *edges* without those to a reference of JCL, where one leads to what it stands for."""
    known = {(edge.start, edge.label) for edge in edges if not is_reference(edge.end)}
    return [
        edge
        for edge in edges
        if not is_reference(edge.end) or (edge.start, edge.label) not in known
    ]


def _packed(edges: Sequence[Edge]) -> list[list[Edge]]:
    """Return the edges of each graph, in order, a new one where the next piece does not fit."""
    graphs: list[list[Edge]] = []
    for piece in _pieces(edges):
        if not graphs or len(graphs[-1]) + len(piece) > _MOST_EDGES:
            graphs.append([])
        graphs[-1] += piece
    return graphs


def _pieces(edges: Sequence[Edge]) -> Iterator[list[Edge]]:
    """Yield what is to stay together: a component, or a node's edges where that is too large."""
    for component in _components(edges):
        if len(component) <= _MOST_EDGES:
            yield component
            continue
        by_start = defaultdict(list)
        for edge in component:
            by_start[edge.start].append(edge)
        for group in by_start.values():
            for first in range(0, len(group), _MOST_EDGES):
                yield group[first : first + _MOST_EDGES]


def _components(edges: Sequence[Edge]) -> Iterable[list[Edge]]:
    """Return the edges that hang together, in whatever direction, by their first edge."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while (parent := parents.setdefault(name, name)) != name:
            parents[name] = parents[parent]  # half the way for who comes next
            name = parent
        return name

    for edge in edges:
        parents[root(edge.end)] = root(edge.start)
    found = defaultdict(list)
    for edge in edges:
        found[root(edge.start)].append(edge)
    return found.values()


def _flowchart(edges: Sequence[Edge]) -> Iterator[str]:
    names = dict.fromkeys(name for edge in edges for name in (edge.start, edge.end))
    ids = {name: f"n{number}" for number, name in enumerate(names, 1)}
    yield "flowchart LR"
    for name, node in ids.items():
        yield f'  {node}["{_label(name) or _label("(no name)")}"]'
    for edge in edges:
        label = _label(edge.label)
        arrow = "-->" if edge.is_certain else "-.->"
        shown = f'|"{label}"|' if label else ""
        yield f"  {ids[edge.start]} {arrow}{shown} {ids[edge.end]}"


def _label(text: str) -> str:
    """Return *text* as one short line in which nothing has a meaning, its ends kept."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(flat) > _LONGEST:
        half = _LONGEST // 2
        flat = f"{flat[:half]}\u2026{flat[-half + 1 :]}"
    for pair in _DECODED:
        flat = flat.replace(pair, "\u200b".join(pair))
    return _ACTIVE.sub(lambda match: f"#{ord(match[0])};", flat)
