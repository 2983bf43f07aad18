"""Foreign text in Markdown and HTML, so that it is shown and never does anything."""

import html
import re
from urllib.parse import quote

_ACTIVE = re.compile(
    r"""[\\`*{}\[\]<>()#|~@$&]
      | (?<![^\W_])_ | _(?![^\W_])             # inside a word it means nothing
      | (?<=\w):(?=//) | (?<=www)\.           # what forges turn into links
      | ^(?:[-+=]|\d+(?=[.)]))                # what starts a list or underlines a heading
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")


def inert(text: str) -> str:
    """Return *text* as one line of Markdown in which nothing has a meaning.

    Every character that could be markup, a link, a mention or HTML becomes a
    character reference, which Markdown shows and never acts upon.
    """
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return _ACTIVE.sub(lambda match: "".join(f"&#{ord(c)};" for c in match[0]), flat)


def sentence(text: str) -> str:
    """Return a claim's text as Markdown, its `code spans` as code and all else inert."""
    flat = " ".join(text.split())
    shown, end = "", 0
    for span in _CODE.finditer(flat):
        shown += _spaced(flat[end : span.start()]) + code(span[2])
        end = span.end()
    return (shown + _spaced(flat[end:])).strip()


def _spaced(part: str) -> str:
    """Return an inert *part* that keeps the spaces around it."""
    return f"{' ' * part.startswith(' ')}{inert(part)}{' ' * part.endswith(' ')}"


def code(text: str) -> str:
    """Return *text* as inert code in Markdown."""
    return f"<code>{inert(text)}</code>"


def pre(line: str) -> str:
    """Return *line* for a ``<pre>`` block, control characters made visible."""
    shown = "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in line)
    return html.escape(shown, quote=False)


def link(text: str, target: str, anchor: str = "") -> str:
    """Return a Markdown link to a page; *text* is already Markdown."""
    return f"[{text}]({quote(target)}{'#' + anchor if anchor else ''})"
