"""Reads generated documentation as a reader's browser would."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt

_LINK = re.compile(r"(?<!\\)\[(?:[^\[\]]|\\.)*\]\(([^)\s]+)\)")
_ANCHOR = re.compile(r'<a id="([^"]+)"')
_CITED = re.compile(r"\[(?:<code>[^<]*</code> )?\((\d+)(?:-(\d+))?\)\]\(([^)#]+)#L(\d+)\)")


def broken_links(docs: Path) -> list[str]:
    """Return every link of every page that leads nowhere."""
    pages = {path: path.read_text(encoding="utf-8") for path in docs.rglob("*.md")}
    anchors = {path: set(_ANCHOR.findall(text)) for path, text in pages.items()}
    broken = []
    for path, text in pages.items():
        for target in _LINK.findall(re.sub(r"<pre>.*?</pre>", "", text, flags=re.DOTALL)):
            file, _, anchor = target.partition("#")
            page = (path.parent / unquote(file)).resolve() if file else path
            is_there = page in pages or (page.suffix == ".json" and page.is_file())
            if not is_there or (anchor and anchor not in anchors[page]):
                broken.append(f"{path.relative_to(docs)}: {target}")
    return broken


def invalid_citations(docs: Path) -> list[str]:
    """Return every citation whose lines are not on the source page that it links to."""
    invalid = []
    for path in [*(docs / "files").rglob("*.md"), docs / "README.md"]:
        for first, last, target, anchor in _CITED.findall(path.read_text(encoding="utf-8")):
            source = (path.parent / unquote(target)).resolve()
            lines = set(_ANCHOR.findall(source.read_text(encoding="utf-8")))
            if anchor != first or not {f"L{first}", f"L{last or first}"} <= lines:
                invalid.append(f"{path.name}: {first}-{last}")
    return invalid


def claims(docs: Path) -> list[str]:
    """Return the lines of all pages that cite something."""
    paths = [*sorted((docs / "files").rglob("*.md")), docs / "README.md"]
    pages = (path.read_text(encoding="utf-8") for path in paths)
    return [line for text in pages for line in text.splitlines() if _CITED.search(line)]


OWN_TAGS = {"h1", "h2", "p", "a", "code", "ul", "li", "strong", "pre", "blockquote"}
OWN_TAGS |= {"table", "thead", "tbody", "tr", "th", "td", "details", "summary"}
"""The elements that War Rig's own Markdown makes."""


class Rendered(HTMLParser):
    """A page as a Markdown renderer that lets HTML through shows it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        text = path.read_text(encoding="utf-8")
        self.text_before_rendering = text.partition("<pre>")[0]
        renderer = MarkdownIt("commonmark").enable(["table", "strikethrough"])
        self.feed(renderer.render(text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        assert {name for name, _ in attrs} <= {"href", "id", "style"}
