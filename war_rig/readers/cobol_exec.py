"""The blocks between EXEC and END-EXEC: SQL, CICS and DLI."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from war_rig.readers.cobol_lines import END, Found, Token, words
from war_rig.readers.cobol_statements import VERBS

EXEC_WORDS = ("EXEC", "EXECUTE")
EXEC_LANGUAGES = ("SQL", "CICS", "DLI")
# Verbs that begin no line of SQL, CICS or DLI: where END-EXEC is missing, code goes on there.
_ONLY_COBOL = words(
    "ACCEPT ADD CALL COMPUTE DISPLAY DIVIDE EVALUATE EXIT GO GOBACK IF INSPECT MOVE MULTIPLY "
    "PERFORM SEARCH STOP SUBTRACT UNSTRING"
)
_FILE_KINDS = {
    "READ": "read", "READNEXT": "read", "READPREV": "read",
    "STARTBR": "browse", "RESETBR": "browse",  # these find a place, and read nothing
    "WRITE": "write", "REWRITE": "rewrite", "DELETE": "delete",
}  # fmt: skip
# The words that make a command of two, by IBM's lists of commands; others may stand before them.
_SECOND_WORDS = {
    verb: second.split()
    for verbs, second in (
        ("SEND", "MAP TEXT CONTROL PAGE PARTNSET"),
        ("RECEIVE", "MAP PARTN"),
        ("WRITEQ READQ DELETEQ", "TS TD"),
        ("SYNCPOINT", "ROLLBACK"),
        ("HANDLE", "ABEND AID CONDITION"),
        ("IGNORE", "CONDITION"),
        ("PUSH POP", "HANDLE"),
        ("WRITE", "OPERATOR JOURNALNAME JOURNALNUM"),
        ("DELETE", "CONTAINER CHANNEL COUNTER DCOUNTER ACTIVITY EVENT TIMER"),
        ("GET PUT MOVE GET64 PUT64", "CONTAINER COUNTER DCOUNTER"),
        ("QUERY", "COUNTER DCOUNTER CHANNEL SECURITY"),
        ("UPDATE REWIND", "COUNTER DCOUNTER"),
        ("WAIT", "EVENT EXTERNAL JOURNALNAME JOURNALNUM TERMINAL CONVID SIGNAL"),
        ("START", "ATTACH BREXIT CHANNEL"),
        ("LINK SUSPEND", "ACTIVITY ACQACTIVITY ACQPROCESS"),
        ("RETURN", "ENDACTIVITY"),
        ("RETRIEVE", "REATTACH SUBEVENT"),
        ("FREE FETCH", "CHILD ANY"),
        ("ACQUIRE", "TERMINAL"),
        ("SIGNON", "TOKEN"),
        ("DUMP", "TRANSACTION"),
        ("VERIFY", "PASSWORD PHRASE TOKEN"),
    )
    for verb in verbs.split()
}
_TWO_WORD_COMMANDS = words(
    "ADD ADDRESS BIF BUILD CHANGE CHECK COLLECT CONNECT CREATE CSD DEFINE DISABLE DISCARD DOCUMENT "
    "DUMP ENABLE ENDBROWSE ENTER EXTRACT FORCE GDS GET GETNEXT INQUIRE INVOKE ISSUE MOVE PERFORM "
    "PURGE PUT QUERY REMOVE REQUEST RESET RESUME RESYNC RUN SET SIGNAL SOAPFAULT STARTBROWSE TEST "
    "TRANSFORM VERIFY WEB WSACONTEXT WSAEPR"
)
_THREE_WORD_COMMANDS = {
    **dict.fromkeys(
        ("WEB READ", "WEB READNEXT", "WEB STARTBROWSE", "WEB ENDBROWSE", "WEB WRITE", "WEB PARSE"),
        words("FORMFIELD HTTPHEADER QUERYPARM URL"),
    ),
    **dict.fromkeys(("DEFINE INPUT", "DEFINE COMPOSITE", "RETRIEVE REATTACH"), words("EVENT")),
}
_ENDS_FROM = words(
    "WHERE GROUP ORDER HAVING UNION EXCEPT INTERSECT SET VALUES FOR WITH FETCH OPTIMIZE WHEN"
)
_NO_UPDATE_AFTER = words("FOR KEEP THEN ON")
_PLAIN_NAME = re.compile(r"[A-Z@#$][A-Z0-9@#$_]*")


def block_end(tokens: Sequence[Token], first: int) -> tuple[int, bool]:
    """Return where the block ends whose first word is at *first*, and whether END-EXEC is there."""
    at = first
    while not _ends_block(tokens, at):
        at += 1
    if tokens[at].word == "END-EXEC":
        return at, True
    code = (i for i in range(first, at) if tokens[i].is_first and tokens[i].word in _ONLY_COBOL)
    return next(code, at), False


def _ends_block(tokens: Sequence[Token], at: int) -> bool:
    token, following = tokens[at], tokens[at + 1]
    if token.kind == ".":
        return not _is_in_name(token, following)
    if token.kind == "end" or token.word == "END-EXEC":
        return True
    if token.word in EXEC_WORDS and following.word in EXEC_LANGUAGES:
        return True
    return following.word == "DIVISION"


def _is_in_name(point: Token, following: Token) -> bool:
    """Return whether *point* may join the parts of a name: no statement begins behind it."""
    is_part = following.kind in ("word", "literal") and following.word not in VERBS
    return is_part and following.line == point.line


def exec_facts(language: str, tokens: Sequence[Token]) -> Iterator[Found]:
    """Yield the facts of a block of *language*; *tokens* are those between it and END-EXEC."""
    found = [token for token in tokens if token.kind == "word"]
    if not found:
        return
    if language == "SQL":
        yield from _sql(list(_with_whole_names(tokens)))
    elif language == "CICS":
        yield from _cics(found[0], _options(tokens))
    else:
        yield Found("dli", found[0].text, found[0].line)


def _with_whole_names(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield *tokens*, those that points join, since some are quoted, as one word."""
    parts: list[Token] = []
    for token in tokens:
        is_part = token.kind in ("word", "literal")
        if parts and not (token.word == "." if len(parts) % 2 else is_part):
            yield from _joined(parts)
            parts = []
        if parts or is_part:
            parts.append(token)
        else:
            yield token
    yield from _joined(parts)


def _joined(parts: Sequence[Token]) -> Iterator[Token]:
    """Yield the name that is made of *parts*, names and points in turn."""
    end = len(parts) - (len(parts) + 1) % 2
    if end > 2:
        yield parts[0]._replace(kind="word", text="".join(map(_as_known, parts[:end])))
    else:
        yield from parts[:end]
    yield from parts[max(0, end) :]


def _as_known(token: Token) -> str:
    """Return a part of a name as Db2 knows it: in quotes only where it needs them."""
    is_plain = token.kind != "literal" or _PLAIN_NAME.fullmatch(token.text)
    return token.text if is_plain else f'"{token.text}"'


def _sql(tokens: Sequence[Token]) -> Iterator[Found]:
    found = [token for token in tokens if token.kind in ("word", "literal")]
    texts = [word.text for word in found]
    yield Found("sql", _sql_verb(texts), found[0].line)
    operand = next((token for token in tokens[1:] if token.kind in ("word", "literal")), END)
    if texts[0] == "INCLUDE" and operand is not END:
        yield Found("include", operand.text, operand.line)
    elif texts[0] == "CALL" and operand is not END:
        kind = "call-name" if operand.text.startswith(":") else "call"
        yield Found(kind, operand.text.lstrip(":"), operand.line)
    elif texts[0] == "WHENEVER":
        yield from (
            Found("goto", word.text.lstrip(":"), word.line)
            for before, word in pairwise(found)
            if before.text in ("GOTO", "TO")
        )
    elif texts[0] == "DECLARE" and texts[2:3] == ["TABLE"]:
        yield Found("declare-table", _as_known(found[1]), found[1].line)
    else:
        yield from _tables(tokens)


def _sql_verb(texts: Sequence[str]) -> str:
    if texts[0] == "DECLARE":
        sorts = [text for text in texts[1:8] if text in ("CURSOR", "TABLE", "STATEMENT")]
        return " ".join(["DECLARE", *sorts[:1]])
    if list(texts[1:3]) == ["DECLARE", "SECTION"]:
        return f"{texts[0]} DECLARE SECTION"
    return " ".join(texts[:2]) if texts[1:2] == ["IMMEDIATE"] else texts[0]


@dataclass(slots=True)
class _Level:
    """What holds between two parentheses: the kind of table expected next, if any."""

    expects: str = ""
    is_in_from: bool = False
    is_select: bool = False
    is_merge: bool = False


def _tables(tokens: Sequence[Token]) -> Iterator[Found]:
    own = {
        _as_known(first)
        for first, second, third in zip(tokens, tokens[1:], tokens[2:], strict=False)
        if second.word == "AS" and third.word == "("
    }
    levels, before = [_Level()], ""
    for token, following in pairwise([*tokens, END]):
        level = levels[-1]
        if token.kind in ("word", "literal"):
            text, behind = token.text, following.word
            is_word = token.kind == "word"
            kind = _word(level, before, text, behind) if is_word else _name(level, text, behind)
            if kind and _as_known(token) not in own:
                yield Found(kind, _as_known(token), token.line)
        elif token.word == "(":
            levels.append(_Level(level.expects, bool(level.expects)))
            level.expects = ""
        elif token.word == ")" and len(levels) > 1:
            levels.pop()
        elif token.word == "," and level.is_in_from:
            level.expects = "select"
        before = token.word


def _word(level: _Level, before: str, word: str, following: str) -> str:
    """Return the kind of table that *word* is, "" if it is none; keep *level* up to date."""
    if word in _ENDS_FROM:
        level.is_in_from, level.expects = False, ""
    elif word == "SELECT":
        level.is_select, level.is_in_from, level.expects = True, False, ""
    elif word == "FROM":
        _from(level, before)
    elif word == "JOIN" or (word == "USING" and level.is_merge):
        level.is_in_from, level.expects = True, "select"
    elif word == "INTO":
        level.is_merge = level.is_merge or before == "MERGE"
        level.expects = before.lower() if before in ("INSERT", "MERGE") else ""
    elif word == "UPDATE":
        level.expects = "" if before in _NO_UPDATE_AFTER else "update"
    elif word in ("TABLE", "TRUNCATE"):
        starts = {"LOCK": "lock", "TRUNCATE": "truncate", "TEMPORARY": "declare-table"}
        level.expects = starts.get(before, "truncate" if word == "TRUNCATE" else "")
    else:
        return _name(level, word, following)
    return ""


def _name(level: _Level, name: str, following: str) -> str:
    """Return the kind of table that *name*, which is no keyword, is where it stands."""
    kind, level.expects = level.expects, ""
    is_table = not name.startswith(":") and following != "TABLE"
    return kind if is_table and not (kind == "select" and following == "(") else ""


def _from(level: _Level, before: str) -> None:
    if before == "DELETE":
        level.expects = "delete"
    elif level.is_select and before != "DISTINCT":
        level.is_select, level.is_in_from, level.expects = False, True, "select"


def _options(tokens: Sequence[Token]) -> dict[str, Token]:
    """Return the words outside parentheses, each with what stands first in those behind it."""
    options: dict[str, Token] = {}
    depth, name = 0, ""
    for token in tokens:
        if token.kind == "sign":
            depth = max(0, depth + {"(": 1, ")": -1}.get(token.text, 0))
        elif not depth and token.kind == "word":
            name = token.text
            options.setdefault(name, END)
        elif depth and options.get(name) is END:
            options[name] = token
    return options


def _cics(verb: Token, options: dict[str, Token]) -> Iterator[Found]:
    yield Found("cics", _command(verb.text, options), verb.line)
    if verb.text in ("LINK", "XCTL"):
        yield from _resource(verb.text.lower(), options, "PROGRAM", is_split=True)
    yield from _resource("transid", options, "TRANSID", is_split=True)
    yield from _resource(_FILE_KINDS.get(verb.text, ""), options, "FILE", "DATASET")
    yield from _resource({"SEND": "send", "RECEIVE": "receive"}.get(verb.text, ""), options, "MAP")
    yield from _resource("mapset", options, "MAPSET")
    yield from _resource("queue", options, "QUEUE", "QNAME")


def _command(verb: str, options: dict[str, Token]) -> str:
    names = list(options)[1:]
    seconds = [word for word in _SECOND_WORDS.get(verb, ()) if word in names]
    if not seconds and verb in _TWO_WORD_COMMANDS:
        seconds = names
    command = " ".join([verb, *seconds[:1]])
    thirds = [word for word in names if word in _THREE_WORD_COMMANDS.get(command, ())]
    return " ".join([command, *thirds[:1]])


def _resource(
    kind: str, options: dict[str, Token], *names: str, is_split: bool = False
) -> Iterator[Found]:
    """Yield what the option holds; as kind-name where it is a data name, if the kind is split."""
    for operand in (options.get(name, END) for name in names):
        if kind and operand is not END:
            is_name = is_split and operand.kind == "word"
            yield Found(f"{kind}-name" if is_name else kind, operand.text.strip(), operand.line)
