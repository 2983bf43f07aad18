"""How a name is compared, which one was probably meant, and which is a secret's.

Every place that takes a provider's name (YAML, environment, entry point,
``register_provider``) compares it through ``normalise``.
"""

import re
from collections.abc import Iterable

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SECRETS = frozenset({"key", "token", "secret", "password"})
_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_WORD_ENDS = re.compile(r"[-_.]|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def normalise(name: str) -> str:
    """Return *name* as War Rig compares it: stripped, lower case, ``-`` as ``_``.

    Raises ValueError, naming the rule, when what is left is not a name.
    """
    normal = name.strip().lower().replace("-", "_")
    if not _NAME.fullmatch(normal):
        raise ValueError(
            f"{name!r} is not a name: use letters, digits, '-' and '_', a letter first"
        )
    return normal


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest of *known*, or an empty string."""
    import difflib

    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.65)
    return f" Did you mean '{by_lower[near[0]]}'?" if near else ""


def is_secret_name(name: str) -> bool:
    """Return whether the last word of *name* is key, token, secret or password.

    Words are joined by ``_``, ``-`` or ``.``, or begin with a capital. Headers
    that authenticate, such as Authorization and Cookie, count too.
    """
    return _WORD_ENDS.split(name)[-1].lower() in _SECRETS or name.lower() in _HEADERS
