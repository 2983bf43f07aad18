"""The site as a reader meets it: whole, made of the docstrings, and complete without a network.

It is built once, by the command of the Makefile, which takes every warning for an error.
"""

import ast
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from canary import CANARY
from conftest import ROOT
from test_architecture import EXPORTS
from test_docs import links

DOCS = ROOT / "docs"
SOURCES = {
    path.relative_to(DOCS).with_suffix("").as_posix()
    for path in (*DOCS.rglob("*.md"), *DOCS.rglob("*.ipynb"))
}


class Page(HTMLParser):
    """A page of the site: its anchors, its links, what a browser fetches for it, and its words."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.links_beside_the_text: list[str] = []
        self.is_text = False
        self.loads: list[str] = []
        self.words = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.ids.add(told.get("id", ""))
        loads = [told[name] for name in ("src", "srcset", "poster", "data") if name in told]
        if tag == "link" and told["rel"] not in LINKS_THAT_LOAD_NOTHING:
            loads.append(told["href"])
        elif "href" in told:
            (self.links if self.is_text else self.links_beside_the_text).append(told["href"])
        self.is_text |= tag == "article"
        self.loads += loads
        assert "style" not in told or "url(" not in told["style"]

    def handle_endtag(self, tag: str) -> None:
        self.is_text &= tag != "article"

    def handle_data(self, data: str) -> None:
        self.words += data

    def leads_to(self, link: str) -> tuple[Path, str]:
        """Return the file and the anchor that a relative *link* names."""
        parts = urlsplit(link)
        path = self.path.parent / unquote(parts.path) if parts.path else self.path
        return path.resolve(), unquote(parts.fragment)


LINKS_THAT_LOAD_NOTHING = {"index", "search", "next", "prev", "canonical", "author"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site with the command of `make docs`."""
    folder = tmp_path_factory.mktemp("site").resolve()
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    command = makefile.split("\ndocs:\n\t")[1].split("\n")[0].replace("build/", f"{folder}/")
    words = command.replace("python", sys.executable, 1).split()
    env = {**os.environ, "HOUSE_API_KEY": CANARY}
    made = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    return folder / "docs"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html")}


def test_every_page_is_there(site: Path, pages: dict[Path, Page]) -> None:
    """Each Markdown page and each notebook of docs/ is a page of the site."""
    assert {site / f"{source}.html" for source in SOURCES} <= set(pages)


def test_every_link_leads_to_a_place(pages: dict[Path, Page]) -> None:
    """A link inside the site names a file that is there, and an anchor that is on it."""
    broken = []
    for page in pages.values():
        for link in (*page.links, *page.links_beside_the_text):
            if urlsplit(link).scheme:
                continue
            path, anchor = page.leads_to(link)
            is_there = path in pages or (path.is_file() and not anchor)
            if not is_there or (anchor and anchor not in pages[path].ids):
                broken.append(f"{page.path.name}: {link}")
    assert broken == []


@pytest.mark.parametrize("source", sorted(DOCS.rglob("*.md")), ids=lambda path: path.stem)
def test_every_link_of_the_markdown_is_a_link(
    site: Path, pages: dict[Path, Page], source: Path
) -> None:
    """What links to another page, or a place on it, in the file does so on the site.

    Its place may have another name there: HTML's own takes no digit at the beginning.
    """
    page = pages[site / source.relative_to(DOCS).with_suffix(".html")]
    inside = (page.leads_to(link) for link in page.links if not urlsplit(link).scheme)
    found = {(path, bool(anchor)) for path, anchor in inside}
    for target, anchor in links(source):
        path = (source.parent / target).resolve() if target else source
        if path.suffix in (".md", ".ipynb") and path.is_relative_to(DOCS):
            assert (site / path.relative_to(DOCS).with_suffix(".html"), bool(anchor)) in found


def test_nothing_is_fetched_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    """What a browser loads for a page lies beside it: no script, style or picture of elsewhere."""
    for page in pages.values():
        for link in page.loads:
            assert not urlsplit(link).netloc, (page.path, link)
            assert link.startswith("data:") or page.leads_to(link)[0].is_file(), (page.path, link)
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert "@import" not in text
        assert not [url for url in re.findall(r"url\(\s*[\"']?([^\"')]+)", text) if "//" in url]
    for script in site.rglob("*.js"):
        quoted = re.findall(r"[\"'`](?:https?:)?//([\w.-]+)", script.read_text(encoding="utf-8"))
        assert set(quoted) <= {"www.w3.org"}, script  # the name of SVG, not an address


def test_nothing_of_the_builders_machine_is_shown(site: Path) -> None:
    """Neither a path nor the environment of whoever builds the site is in it."""
    for path in site.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert CANARY.encode() not in content, path
            assert str(ROOT).encode() not in content, path


def menu() -> Iterator[str]:
    """Yield every page that the menu in conf.py names."""
    tree = ast.parse((DOCS / "conf.py").read_text(encoding="utf-8"))
    assigned = (node for node in tree.body if isinstance(node, ast.Assign))
    (value,) = (node.value for node in assigned if ast.unparse(node.targets[0]) == "MENU")
    for captions in ast.literal_eval(value).values():
        for names in captions.values():
            for name in names:
                found = sorted(DOCS.glob(f"{name}.md")) if name.endswith("*") else []
                yield from (p.relative_to(DOCS).with_suffix("").as_posix() for p in found)
                yield from [] if found else [name]


def test_every_page_has_its_line_in_the_menu() -> None:
    """MENU in docs/conf.py names each page once, and none that does not exist."""
    assert sorted(menu()) == sorted(SOURCES - {"index"})


PUBLIC = [
    *((package, name) for package, names in EXPORTS.items() for name in names.split()),
    *(("war_rig.errors", name) for name, value in vars(import_module("war_rig.errors")).items()
      if inspect.isclass(value) and value.__module__ == "war_rig.errors"),
    ("war_rig.agents", "Agent"),
    ("war_rig.ledger", "Attempt"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_every_public_name_is_in_the_reference(
    site: Path, pages: dict[Path, Page], module: str, name: str
) -> None:
    """A public name has its entry, with the first line of its docstring as it is in the code."""
    found = [page for page in pages.values() if f"{module}.{name}" in page.ids]
    assert [page.path.parent for page in found] == [site / "reference"]
    told = inspect.getdoc(getattr(import_module(module), name)) or ""
    first = " ".join(told.split("\n\n")[0].split())
    assert re.sub(r"``|\*", "", first) in " ".join(found[0].words.split())
