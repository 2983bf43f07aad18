"""Differences and quotients in a sentence: "A minus B" where the lines have only B - A is wrong."""

import re
from collections.abc import Iterator

from war_rig.readers.cobol_arithmetic import Operation, operations

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


def arithmetic_faults(text: str, cited: str) -> Iterator[str]:
    """Yield what the sentence *text*, without its quotations, subtracts or divides turned round."""
    plain = text.replace("`", "")
    said = [(sign, found) for sign, form in _SAID for found in form.finditer(plain)]
    done = operations(cited.split("\n")) if said else frozenset()
    for sign, found in said:
        one, other = found[1].upper(), found[2].upper()
        if Operation(sign, one, other) not in done and Operation(sign, other, one) in done:
            yield f"'{found[0]}': the cited lines do it the other way round"
