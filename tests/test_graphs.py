"""Graphs in Mermaid: no name has a meaning in them, nothing is lost, and none is too large."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from war_rig.document.pages.graphs import Edge, graph_lines

_LABEL = r"""(?x:
    (?: [A-Za-z0-9\ ] | (?<=[A-Za-z0-9])[-./_](?=[A-Za-z0-9]|\#(?:67|68|99|100);)
      | \#\d{2,4}; | [^\x00-\x9f] )+
)"""
_LINE = re.compile(
    rf"""\ \ n\d+\["({_LABEL})"\] | \ \ n\d+\ (?:-->|-\.->)(?:\|"({_LABEL})"\|)?\ n\d+
      | flowchart\ LR | ```mermaid | ``` | Graph\ \d+\ of\ \d+ |
      | Edges\ that\ these\ graphs\ leave\ out:\ \d+\.""",
    re.VERBOSE,
)
_WITH_A_MEANING = re.compile(r"direction|c4[cd]|www\.|\ufb02\xb0|\xb6\xdf", re.IGNORECASE)
"""What Mermaid, in one version or another, acts upon inside of a quoted label."""

_HOSTILE = (
    '"]', "];", "`", "```", "\n", "\r\n", "\x00", "\u2028", "\u202e", "\ud800", "%%{init: {}}%%",
    "%% ", "---", "click n1 href", "end", "subgraph", "direction TB", "direction", "Direction LR",
    "C4Container", "c4d", "style x:", "classDef", "#quot;", "#35;", "#", ";", "&lt;", "&#60;",
    "<script>", "<br/>", "<img src=x onerror=alert(1)>", "$$x$$", "fa:fa-car", "1. ", "- ", "*",
    "_", "__", "-", "--", ".", "..", "/", "//", "www.", "WWW.x", "http://x.y", "a@b.c", "[a](b)",
    "|", "{", "}", "(", ")", "\\n", "\ufb02\xb0\xb0", "\ufb02", "\xb0", "\xb6\xdf", "\xb6", "\xdf",
    "\u200b", "\u017f", "\u0301", "é", "日本", "😀", " ", "n1", "-->", "-.->", "A", "0",
)  # fmt: skip
_names = st.text() | st.lists(st.sampled_from(_HOSTILE), max_size=9).map("".join)
_edges = st.builds(Edge, _names, _names, _names, st.booleans())


def fan(start: str, width: int) -> list[Edge]:
    """Return *width* edges from one node."""
    return [Edge(start, f"{start}{number}") for number in range(width)]


_starts = st.sampled_from("ABCDEFGHIJKLMNOP")
_links = st.lists(st.builds(Edge, _starts, _starts, st.sampled_from("xy"), st.booleans()))
_fans = st.lists(st.builds(fan, _starts, st.integers(1, 90)), max_size=14)
_many = st.builds(lambda fans, links: [*links, *chain(*fans)], _fans, _links)


def shown(label: str) -> str:
    """Return what Mermaid shows for *label*."""
    return re.sub(r"#(\d+);", lambda match: chr(int(match[1])), label).replace("\u200b", "")


def flat(name: str) -> str:
    """Return *name* without what can't be shown."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())


def drawn(lines: Iterable[str]) -> list[list[Edge]]:
    """Return the edges of each graph in *lines*, by the labels of their nodes."""
    graphs: list[list[Edge]] = []
    names: dict[str, str] = {}
    for line in lines:
        if line == "flowchart LR":
            graphs.append([])
            names = {}
        elif node := re.fullmatch(r'  (n\d+)\["(.*)"\]', line):
            assert node[1] not in names
            names[node[1]] = shown(node[2])
        elif edge := re.fullmatch(r'  (n\d+) (--|-\.-)>(?:\|"(.*)"\|)? (n\d+)', line):
            start, end = names[edge[1]], names[edge[4]]
            graphs[-1].append(Edge(start, end, shown(edge[3] or ""), edge[2] == "--"))
    return graphs


def left_out(lines: Sequence[str]) -> int:
    """Return how many edges *lines* say that they leave out."""
    found = re.search(r"leave out: (\d+)\.$", "\n".join(lines[-2:]).strip())
    return int(found[1]) if found else 0


def components(edges: Iterable[Edge]) -> Iterator[set[Edge]]:
    """Yield the edges that hang together, in whatever direction."""
    touching = defaultdict(set)
    for edge in edges:
        touching[edge.start].add(edge)
        touching[edge.end].add(edge)
    while touching:
        todo, group = [next(iter(touching))], set()
        while todo:
            found = touching.pop(todo.pop(), set())
            group |= found
            todo += (name for edge in found for name in (edge.start, edge.end))
        yield group


def test_no_edges_no_lines() -> None:
    """Where there is nothing to draw, nothing is written."""
    assert graph_lines([]) == []


def test_a_graph_is_a_fenced_flowchart() -> None:
    """Nodes come first and are quoted; what is not certain is dotted; no label, no bars."""
    edges = [
        Edge("PAY-01", "lib/PAY02.cbl", "calls"),
        Edge("PAY-01", "PAY.RATE", "reads", is_certain=False),
        Edge("PAY.RATE", "PAY-01"),
        Edge("PAY.RATE", "PAY.RATE", is_certain=False),
    ]
    assert graph_lines(edges) == [
        "```mermaid",
        "flowchart LR",
        '  n1["PAY-01"]',
        '  n2["lib/PAY02.cbl"]',
        '  n3["PAY.RATE"]',
        '  n1 -->|"calls"| n2',
        '  n1 -.->|"reads"| n3',
        "  n3 --> n1",
        "  n3 -.-> n3",
        "```",
        "",
    ]


def test_a_reference_is_drawn_where_nothing_else_is_known() -> None:
    """One EXEC leads to one program; PGM=*.S6.A stays where what it stands for is not known."""
    known = [Edge("S7", "*.S6.A", "runs"), Edge("S7", "PAY01", "runs")]
    unknown = Edge("S8", "*.S9.A", "runs")
    assert graph_lines([*known, unknown]) == graph_lines([known[1], unknown])
    assert "S9.A" in "".join(graph_lines([unknown]))


@given(st.lists(_edges, max_size=20))
def test_no_name_leaks(edges: list[Edge]) -> None:
    """Whatever the names are, every line is of the grammar, and no word has a meaning."""
    for line in graph_lines(edges):
        found = _LINE.fullmatch(line)
        assert found, line
        assert line.isprintable()
        assert not any(_WITH_A_MEANING.search(label or "") for label in found.groups())


@given(_names, _names)
def test_labels_show_the_names(name: str, label: str) -> None:
    """A name of up to 60 characters is shown whole, but for what can't be printed."""
    (edge,) = drawn(graph_lines([Edge(name[:60], "end", label[:60])]))[0]
    assert edge.start == (flat(name[:60]) or "(no name)")
    assert edge.label == flat(label[:60])


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ('"]; click n1', "#34;#93;#59; click n1"),
        ("&HLQ..STAFF(+1)", "#38;HLQ#46;#46;STAFF#40;#43;1#41;"),
        ("#lt;", "#35;lt#59;"),
        ("direction TB", "#100;irection TB"),
        ("a C4Context", "a #67;4Context"),
        ("AC401", "AC401"),
        ("www.x.y", "www#46;x.y"),
        ("-a-b-", "#45;a-b#45;"),
        ("\ufb02\xb0\xb060\xb6\xdf", "\ufb02#8203;\xb0\xb060\xb6#8203;\xdf"),
        ("a \t\n b\x00\u202ec", "a b c"),
        ("日本 😀", "日本 😀"),
        (" \n", "#40;no name#41;"),
        ("x" * 60, "x" * 60),
        ("a/" * 15 + "b" * 9 + "c" * 29, "a/" * 14 + "a#47;…" + "c" * 29),
    ],
)
def test_escapes(name: str, label: str) -> None:
    """A symbol is a decimal code, a name stays readable, and a long one keeps both its ends."""
    assert graph_lines([Edge(name, "x")])[2] == f'  n1["{label}"]'


@given(_many, st.integers(0, 1000))
def test_duplicates_change_nothing(edges: list[Edge], where: int) -> None:
    """An edge is drawn once, where it was first seen, however often and wherever it comes again."""
    assert graph_lines([*edges, *edges[where:], *edges]) == graph_lines(edges)


@given(_many)
def test_nothing_is_lost(edges: list[Edge]) -> None:
    """What is drawn, each edge once, and the counted rest are all edges, at most 40 a graph."""
    lines = graph_lines(edges)
    graphs = drawn(lines)
    found = [edge for graph in graphs for edge in graph]
    assert len(graphs) <= 12
    assert all(1 <= len(graph) <= 40 for graph in graphs)
    assert len(set(found)) == len(found)
    assert set(found) <= set(edges)
    assert len(found) + left_out(lines) == len(set(edges))


@given(_many)
def test_what_belongs_together_stays_together(edges: list[Edge]) -> None:
    """Up to 40 edges that hang together, or that start from one node, are in one graph."""
    where = {
        edge: number for number, graph in enumerate(drawn(graph_lines(edges))) for edge in graph
    }
    by_start = defaultdict(set)
    for edge in edges:
        by_start[edge.start].add(edge)
    for group in (*components(edges), *by_start.values()):
        assert len(group) > 40 or len({where.get(edge) for edge in group}) == 1


def test_components_share_a_graph_while_they_fit() -> None:
    """Whole components are packed in order, and each graph says which one it is."""
    two_starts = [*fan("D", 20), Edge("D", "E"), *fan("E", 19)]
    edges = [*fan("A", 20), *fan("B", 20), *fan("C", 1), *two_starts]
    lines = graph_lines(edges)
    assert drawn(lines) == [edges[:40], edges[40:41], edges[41:]]
    heads = [line for line in lines if line.startswith("Graph")]
    assert heads == ["Graph 1 of 3", "Graph 2 of 3", "Graph 3 of 3"]
    assert lines[:3] == ["Graph 1 of 3", "", "```mermaid"]


def test_a_large_component_is_cut_between_starts() -> None:
    """A component is cut by the nodes that edges start from, and such a node only above 40."""
    links = [Edge("A", "B"), Edge("B", "C")]
    one, two, three = fan("A", 30), fan("B", 8), fan("C", 85)
    graphs = drawn(graph_lines([*links, *one, *two, *three]))
    first = [links[0], *one, links[1], *two]
    assert graphs == [first, three[:40], three[40:80], three[80:]]


def test_what_is_too_much_is_counted() -> None:
    """After 12 graphs, one sentence says how many edges are not drawn."""
    full = fan("A", 480)
    assert left_out(graph_lines(full)) == 0
    lines = graph_lines([*full, *fan("B", 7)])
    assert len(drawn(lines)) == 12
    assert lines[-3:] == ["", "Edges that these graphs leave out: 7.", ""]


@pytest.mark.parametrize("symbol", ["~", "\U0001f600", "\ufb02\xb0", "direction", "C4D", "a~"])
def test_a_graph_keeps_within_the_limit_of_forges(symbol: str) -> None:
    """The longest possible graph is under 50,000 UTF-16 units, where Mermaid gives up."""
    names = [(symbol * 60)[:59] + letter for letter in map(chr, range(0x4E00, 0x4E00 + 80))]
    edges = [Edge(a, b, names[0]) for a, b in zip(names[::2], names[1::2], strict=True)]
    text = "\n".join(graph_lines(edges))
    assert len(text.encode("utf-16-le")) // 2 < 50_000
