"""What an author is told to do where the kit could not find out something by itself."""

from war_rig.testing.conformance.planting import Planting

_MOST_NAMES = 12


def building(planting: Planting) -> str | None:
    """Return what to do where it can't be built, None where the rule's own advice is right."""
    if not planting.is_read_at_once:
        return None
    return "it reads all variables at once: set each to any value, as in ACME_API_KEY=x"


def unreached(planting: Planting, names: list[str], refused: set[str], option: str) -> str:
    """Return why nothing that needs the API can be tested, and what to pass.

    names: the arguments of the constructor. refused: the hosts that it asked instead.
    """
    asked = f"it asked {', '.join(sorted(refused))}" if refused else "it asked no server"
    if planting.endpoints:
        given = ", ".join(planting.endpoints)
        told = f"{asked}, though {given} got the address of the kit's"
    else:
        told = f"{asked}, and none of its names looks like an address"
    known = list(dict.fromkeys([*names, *planting.variables, *planting.read]))[:_MOST_NAMES]
    listed = f": {', '.join(known)}" if known else "; it seems to have none"
    return (
        f"{told}; say which of its arguments and variables holds the address of its API, "
        f"{option.format('endpoint', 'NAME')}{listed}"
    )


def unmade(what: str, path: str) -> str:
    """Return that *what* can't be made up for *path*, which is shown with its key."""
    return f"the kit can't make up {what} for {path}"


def answers(has_paths: bool, is_given: bool, option: str) -> str:
    """Return what to do where it never answered.

    has_paths: whether a definition says where the text stands. is_given: whether
    the author, or the definition, said how the API answers.
    """
    if is_given:
        right = "the paths under response" if has_paths else "complete()"
        return f"correct {right}, or the example of its API's answers"
    right = "if the paths under response are" if has_paths else "if complete() is"
    return (
        f"{right} right, the kit does not know your API's answers: pass "
        f"{option.format('answer', 'FILE')} with an example, "
        '"$content" where the text stands (docs/conformance.md#answers)'
    )


def streams(has_paths: bool, is_given: bool, option: str) -> str:
    """Return what to do where it never streamed an answer; see ``answers``."""
    if is_given:
        right = "the keys under stream" if has_paths else "stream()"
        return f'correct {right}, or "$stream" in the example of its API\'s answers'
    right = "if the keys under stream are" if has_paths else "if stream() is"
    return (
        f"{right} right, the kit does not know your API's stream: pass "
        f"{option.format('answer', 'FILE')} with an example that has "
        '"$stream" in it (docs/conformance.md#streams)'
    )
