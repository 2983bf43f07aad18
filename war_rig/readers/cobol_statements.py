"""COBOL's statements and entries: from the tokens behind a word to facts.

Each function takes the tokens, with END behind the last, and the position of the word.
"""

from collections.abc import Callable, Iterator, Sequence

from war_rig.readers.cobol_lines import Found, Token, words

Tokens = Sequence[Token]

VERBS = words(
    "ACCEPT ADD ALLOCATE ALTER CALL CANCEL CLOSE COMMIT COMPUTE CONTINUE COPY DELETE DISABLE "
    "DISPLAY DIVIDE ENABLE ENTRY EVALUATE EXAMINE EXEC EXECUTE EXHIBIT EXIT FREE GENERATE GO "
    "GOBACK IF INITIALIZE INITIATE INSPECT INVOKE JSON MERGE MOVE MULTIPLY NEXT OPEN PERFORM "
    "PURGE RAISE READ READY RECEIVE RELEASE RESET RESUME RETURN REWRITE ROLLBACK SEARCH SEND "
    "SERVICE SET SORT START STOP STRING SUBTRACT SUPPRESS TERMINATE TRANSFORM UNLOCK UNSTRING USE "
    "VALIDATE WRITE XML"
)
TERMINATORS = words(
    "END-ACCEPT END-ADD END-CALL END-COMPUTE END-DELETE END-DISPLAY END-DIVIDE END-EVALUATE "
    "END-EXEC END-IF END-INVOKE END-JSON END-MULTIPLY END-OF-PAGE END-PERFORM END-READ "
    "END-RECEIVE END-RETURN END-REWRITE END-SEARCH END-SEND END-START END-STRING END-SUBTRACT "
    "END-UNSTRING END-WRITE END-XML"
)
"""What COBOL reserves of the words in END-; any other one, such as END-PROGRAM, may be a name."""
_NO_NAMES = (
    VERBS
    | TERMINATORS
    | words(
        "ELSE WHEN NOT ON AT INVALID THEN UNTIL VARYING WITH TEST AFTER BEFORE TIMES THRU THROUGH "
        "FROM TO END RECORD INTO KEY USING GIVING RETURNING SENTENCE EOP DEPENDING FOREVER"
    )
)
FIGURATIVES = words(
    "SPACE SPACES ZERO ZEROS ZEROES LOW-VALUE LOW-VALUES HIGH-VALUE HIGH-VALUES QUOTE QUOTES "
    "NULL NULLS TRUE FALSE"
)
_OPEN_WORDS = words("INPUT OUTPUT I-O EXTEND WITH NO REWIND LOCK REVERSED")
_DEVICES = words("DISK PRINTER TAPE")
_LONGEST_PSEUDO_TEXT = 2_000


def is_name(token: Token) -> bool:
    """Return whether a data item, file or paragraph can be called so."""
    return token.kind == "word" and token.word not in _NO_NAMES


def is_number(token: Token) -> bool:
    """Return whether the word is a numeric literal."""
    return token.kind == "word" and token.text.lstrip("+-").replace(".", "", 1).isdigit()


def is_constant(token: Token) -> bool:
    """Return whether it is a literal, a number, or a word such as SPACES."""
    return token.kind == "literal" or is_number(token) or token.word in FIGURATIVES


def behind_name(tokens: Tokens, at: int) -> int:
    """Return where a name's qualifiers (OF, IN) and subscripts end."""
    at += 1
    while True:
        if tokens[at].word in ("OF", "IN") and is_name(tokens[at + 1]):
            at += 2
        elif tokens[at].word == "(":
            at = _behind_parentheses(tokens, at)
        else:
            return at


def _behind_parentheses(tokens: Tokens, at: int) -> int:
    depth = 0
    while tokens[at].kind in ("word", "literal", "sign") and tokens[at].word not in VERBS:
        depth += {"(": 1, ")": -1}.get(tokens[at].word, 0)
        at += 1
        if not depth:
            break
    return at


def _perform(tokens: Tokens, at: int) -> Iterator[Found]:
    first = tokens[at + 1]
    if not is_name(first):
        return
    at = behind_name(tokens, at + 1)
    if tokens[at].word == "TIMES":
        return  # the name counts the rounds of an inline PERFORM
    yield Found("perform", first.text, first.line)
    if tokens[at].word in ("THRU", "THROUGH") and is_name(tokens[at + 1]):
        yield Found("thru", tokens[at + 1].text, tokens[at + 1].line)


def _sort_procedure(tokens: Tokens, at: int) -> Iterator[Found]:
    """Yield the paragraphs that SORT, MERGE and XML PARSE perform."""
    if at and tokens[at - 1].word in ("INPUT", "OUTPUT", "PROCESSING"):
        yield from _perform(tokens, at + (tokens[at + 1].word == "IS"))


def _go(tokens: Tokens, at: int) -> Iterator[Found]:
    at += 1 + (tokens[at + 1].word == "TO")
    targets = []
    while is_name(tokens[at]):
        targets.append(tokens[at])
        at = behind_name(tokens, at)
    if tokens[at].word != "DEPENDING":
        del targets[1:]
    yield from (Found("goto", target.text, target.line) for target in targets)


def _call(tokens: Tokens, at: int) -> Iterator[Found]:
    operand = tokens[at + 1]
    if operand.kind == "literal":
        yield Found("call", operand.text.strip(), operand.line)
    elif is_name(operand):
        yield Found("call-name", operand.text, operand.line)


def _entry(tokens: Tokens, at: int) -> Iterator[Found]:
    operand = tokens[at + 1]
    if operand.kind == "literal":
        yield Found("entry", operand.text.strip(), operand.line)


def _file_verb(tokens: Tokens, at: int) -> Iterator[Found]:
    kind = tokens[at].text.lower()
    operand = tokens[at + 1 + (tokens[at + 1].word == "FILE")]
    if is_name(operand):
        yield Found(kind, operand.text, operand.line)


def _open(tokens: Tokens, at: int) -> Iterator[Found]:
    at += 1
    while tokens[at].word in _OPEN_WORDS or is_name(tokens[at]):
        if tokens[at].word not in _OPEN_WORDS:
            yield Found("open", tokens[at].text, tokens[at].line)
        at += 1


def _move(tokens: Tokens, at: int) -> Iterator[Found]:
    is_matching = tokens[at + 1].word in ("CORR", "CORRESPONDING")  # items of two groups by name
    at += 1 + (is_matching or tokens[at + 1].word == "ALL")
    source = tokens[at]
    while tokens[at].kind not in (".", "end") and tokens[at].word not in VERBS | {"TO"}:
        at += 1
    is_literal = is_constant(source)
    if tokens[at].word != "TO" or not (is_literal or is_name(source)):
        return
    if source.word in ("FUNCTION", "LENGTH", "ADDRESS"):
        return
    at += 1
    kind = "move-corresponding" if is_matching else "move" if is_literal else "move-name"
    while is_name(tokens[at]):
        yield Found(kind, source.text, source.line, tokens[at].text)
        at = behind_name(tokens, at)


STATEMENTS: dict[str, Callable[[Tokens, int], Iterator[Found]]] = {
    "PERFORM": _perform,
    "PROCEDURE": _sort_procedure,
    "GO": _go,
    "CALL": _call,
    "ENTRY": _entry,
    "MOVE": _move,
    "OPEN": _open,
    "READ": _file_verb,
    "WRITE": _file_verb,
    "REWRITE": _file_verb,
    "DELETE": _file_verb,
    "START": _file_verb,
}


def copy_facts(tokens: Tokens, at: int) -> tuple[list[Found], int]:
    """Return the facts of a COPY, and where it ends: words in its pseudo-text are no code."""
    name = tokens[at + 1]
    if name.kind not in ("word", "literal") or name.word in VERBS:
        return [], at + 1
    found = [Found("copy", name.text, name.line)]
    at += 2
    while tokens[at].word in ("OF", "IN", "SUPPRESS", "PRINTING"):
        if tokens[at].word in ("OF", "IN") and tokens[at + 1].kind in ("word", "literal"):
            at += 1
            found.append(Found("copy-library", tokens[at].text, name.line, name.text))
        at += 1
    if tokens[at].word == "REPLACING":
        pairs, at = replacing(tokens, at)
        found += [Found("copy-replacing", pair, name.line, name.text) for pair in pairs]
    return found, at


def replacing(tokens: Tokens, at: int) -> tuple[list[str], int]:
    """Return the pairs of REPLACE or REPLACING, from the word at *at* on, and where they end.

    A pair is ``==FROM== BY ==TO==``, with LEADING or TRAILING before it where they are there.
    """
    operands: list[str] = []
    pairs = []
    at += 1
    while tokens[at].kind not in (".", "end") and tokens[at].word not in VERBS:
        if tokens[at].word == "BY":
            operands = [" ".join(operands), "BY"]
            at += 1
            continue
        is_part = tokens[at].word in ("LEADING", "TRAILING")
        text, at = (tokens[at].text, at + 1) if is_part else _operand(tokens, at)
        operands.append(text)
        if operands[1:2] == ["BY"]:
            pairs.append(" ".join(operands))
            operands = []
    return pairs, at


def _operand(tokens: Tokens, at: int) -> tuple[str, int]:
    """Return a text to replace, or to replace by, between ``==``, and where it ends."""
    first = at + (tokens[at].word == "==")
    end = _behind_pseudo_text(tokens, at) if first > at else at + 1
    texts = [_as_written(token) for token in tokens[first : end - (end > first > at)]]
    return f"=={' '.join(texts).replace('- ', '-')}==", end


def _as_written(token: Token) -> str:
    """Return a literal in quotes: a name that is replaced may be spelled like one that is not."""
    if token.kind != "literal" or token.text.endswith(("'", '"')):
        return token.text
    return "'" + token.text.replace("'", "''") + "'"


def _behind_pseudo_text(tokens: Tokens, at: int) -> int:
    for end in range(at + 1, min(at + _LONGEST_PSEUDO_TEXT, len(tokens))):
        if tokens[end].word == "==":
            return end + 1
    return at + 1


def select_facts(tokens: Tokens, at: int) -> Iterator[Found]:
    """Yield the external name of a SELECT ... ASSIGN."""
    at += 1 + (tokens[at + 1].word == "OPTIONAL")
    name = tokens[at]
    while tokens[at].kind not in (".", "end") and tokens[at].word != "ASSIGN":
        at += 1
    at += tokens[at].word == "ASSIGN"
    while tokens[at].word in ("TO", "USING", "EXTERNAL", "DYNAMIC"):
        at += 1
    at += tokens[at].word in _DEVICES and tokens[at + 1].kind == "literal"
    if name.kind == "word" and tokens[at].kind in ("word", "literal"):
        yield Found("assign", tokens[at].text, tokens[at].line, name.text)
