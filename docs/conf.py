"""How `make docs` makes the site of these pages: offline, and with every warning an error."""

import json
import re
from pathlib import Path
from typing import Any

from docutils.nodes import document
from myst_parser.parsers.sphinx_ import MystParser
from pygments.lexers.special import TextLexer
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

import war_rig

# What the site's menu shows: below a page, by caption. A new page needs one line here.
MENU = {
    "index": {
        "Begin": [
            "tutorial",
            "http",
            "custom-provider",
            "examples/war_rig",
        ],
        "Use": [
            "configuration",
            "policies",
            "errors",
            "security",
            "command-line",
            "documenting",
            "deploying",
        ],
        "Test": [
            "testing",
            "conformance",
            "rehearsal",
        ],
        "Look up": [
            "contract",
            "reference",
            "performance",
            "architecture",
        ],
    },
    "architecture": {
        "": ["decisions/*"],
    },
    "policies": {
        "": [
            "policies/timeout",
            "policies/retry",
            "policies/fallback",
            "policies/budget",
            "policies/circuit-breaker",
            "policies/rate-limit",
            "policies/cache",
            "policies/trace",
        ],
    },
    "reference": {
        "": [
            "reference/providers",
            "reference/agents",
            "reference/containers",
            "reference/errors",
            "reference/testing",
            "reference/policies",
            "reference/ledger",
            "reference/config",
            "reference/readers",
            "reference/document",
        ],
    },
}

project = "War Rig"
version = release = war_rig.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_static"]

html_theme = "furo"
html_theme_options = {"top_of_page_buttons": []}
html_title = f"War Rig {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
smartquotes = False

myst_heading_anchors = 6

add_module_names = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True  # env=os.environ, not the environment of whoever builds the site
autodoc_default_options = {"exclude-members": "model_config"}  # pydantic's
python_maximum_signature_line_length = 100
python_use_unqualified_type_names = True

NAMED = re.compile(r"\b[a-z_]+(?:, [a-z_]+)*:(?= )")
"""Names and a colon, as docstrings explain what a type can't say."""


def setup(app: Sphinx) -> None:
    """Teach Sphinx what it does not know of these pages."""
    app.add_lexer("mermaid", TextLexer)  # drawing it takes a script from elsewhere
    app.add_source_suffix(".ipynb", "notebook")
    app.add_source_parser(NotebookParser)
    app.connect("source-read", add_menu)
    app.connect("doctree-read", keep_the_words)
    app.connect("autodoc-process-signature", tidy_signature)
    app.connect("autodoc-process-docstring", list_the_named)


def add_menu(app: Sphinx, page: str, source: list[str]) -> None:
    """Append the menu to *page*; in its file a forge would show it as code."""
    for caption, pages in MENU.get(page, {}).items():
        options = ":glob:\n:hidden:" + (f"\n:caption: {caption}" if caption else "")
        source[0] += "\n".join(["\n```{toctree}", options, "", *pages, "```", ""])


def keep_the_words(app: Sphinx, page: document) -> None:
    """Show a link to a folder of the repository as its words: the site has only the pages."""
    folder = Path(page["source"]).parent
    for link in list(page.findall(pending_xref)):
        is_page = link["refdomain"] == "doc"
        if link["reftype"] == "myst" and not is_page and (folder / link["reftarget"]).is_dir():
            link.replace_self(link.children)


def tidy_signature(
    app: Sphinx, what: str, name: str, it: Any, options: Any, signature: str | None, returns: Any
) -> tuple[str, Any] | None:
    """Leave out what a class only inherits, and write a default that is made anew as "..."."""
    if signature is None:
        return None
    is_class = what in ("class", "exception")
    own = vars(it) if is_class else {}
    is_bare = own.get("_is_protocol") or own.keys().isdisjoint({"__init__", "__signature__"})
    return "" if is_class and is_bare else signature.replace("<factory>", "..."), returns


def list_the_named(
    app: Sphinx, what: str, name: str, it: Any, options: Any, lines: list[str]
) -> None:
    """Make a list of a paragraph such as "status: the HTTP status. model: the name"."""
    paragraphs = "\n".join(lines).split("\n\n")
    lines[:] = "\n\n".join(map(listed, paragraphs)).split("\n")


def listed(paragraph: str) -> str:
    """Return *paragraph* with each name that it explains as an item."""
    if not NAMED.match(paragraph):
        return paragraph
    items = re.split(rf"(?<=[.;])\s(?={NAMED.pattern})", paragraph)
    bold = (NAMED.sub(r"**\g<0>**", item, count=1) for item in items)
    return "\n".join("- " + item.replace("\n", "\n  ") for item in bold)


class NotebookParser(MystParser):
    """Reads a notebook as the page that its cells and their stored outputs make."""

    supported = ("notebook",)

    def parse(self, inputstring: str, document: document) -> None:
        """Parse the notebook's JSON, and offer the file itself at the end."""
        parts = [part for cell in json.loads(inputstring)["cells"] for part in shown(cell)]
        parts.append(f"{{download}}`This page as a notebook <{Path(document['source']).name}>`")
        super().parse("\n\n".join(parts), document)


def shown(cell: dict[str, Any]) -> list[str]:
    """Return the Markdown of a cell, and of what it printed and was worth."""
    text = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return [text]
    outputs = (one.get("text") or one["data"]["text/plain"] for one in cell["outputs"])
    printed = "".join("".join(lines) for lines in outputs)
    return [f"```python\n{text}\n```", *([f"```text\n{printed}\n```"] if printed else [])]
