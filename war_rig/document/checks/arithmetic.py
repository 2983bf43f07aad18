"""Differences and quotients in a sentence: "A minus B" where the lines have only B - A is wrong."""

import re
from collections.abc import Iterator

from war_rig.document.checks.ground import without_comments
from war_rig.readers.cobol_statements import VERBS

_NAME = r"([A-Za-z0-9][\w$#@-]*(?:\.\d+)*)"
_THE = r"(?:(?:the|value|of)\s+){0,3}"
_SAID = tuple(
    (sign, re.compile(form, re.IGNORECASE))
    for sign, form in (
        ("-", rf"\b{_NAME}\s+(?:minus|less(?!\s+than\b))\s+{_THE}{_NAME}"),
        ("/", rf"\b{_NAME}\s+(?:(?:is|are)\s+)?divided\s+by\s+{_THE}{_NAME}"),
        ("/", rf"\bdivides?\s+{_THE}{_NAME}\s+by\s+{_THE}{_NAME}"),
    )
)
_BEHIND = r"(?:\s+(?:OF|IN)\s+[\w$#@-]+)*(?:\s*\([^()]*\))?"
_NO_ITEMS = "|".join(sorted(VERBS)) + "|ELSE|GIVING|REMAINDER|ON|NOT|FROM|INTO|BY|OF|IN"
_ITEM = rf"(?!(?:{_NO_ITEMS}|END-[A-Z]+)(?![\w-]))[\w$#@-]+(?:\.\d+)*{_BEHIND}"
_MORE = rf"(?:{_ITEM}[\s,]+)*?"
_FORMS = {
    "-": (
        rf"(?<![\w-])<one>{_BEHIND}(?:\s+[+-]\s+{_ITEM})*?\s+-\s+<other>(?![\w-])",
        rf"\bSUBTRACT\s+{_MORE}<other>{_BEHIND}[\s,]+{_MORE}FROM\s+{_MORE}<one>(?![\w-])",
    ),
    "/": (
        rf"(?<![\w-])<one>{_BEHIND}\s*/\s*<other>(?![\w-])",
        rf"\bDIVIDE\s+<other>{_BEHIND}\s+INTO\s+{_MORE}<one>(?![\w-])",
        rf"\bDIVIDE\s+<one>{_BEHIND}\s+BY\s+<other>(?![\w-])",
    ),
}
"""What stands in COBOL for one minus the other, and for one divided by the other."""


def arithmetic_faults(text: str, cited: str) -> Iterator[str]:
    """Yield what the sentence *text*, without its quotations, subtracts or divides turned round."""
    plain = text.replace("`", "")
    for sign, form in _SAID:
        for said in form.finditer(plain):
            one, other, code = said[1], said[2], without_comments(cited)
            if not _stands(sign, one, other, code) and _stands(sign, other, one, code):
                yield f"'{said[0]}': the cited lines do it the other way round"


def _stands(sign: str, one: str, other: str, code: str) -> bool:
    names = (("<one>", re.escape(one)), ("<other>", re.escape(other)))
    for form in _FORMS[sign]:
        for place, name in names:
            form = form.replace(place, name)
        if re.search(form, code, re.IGNORECASE):
            return True
    return False
