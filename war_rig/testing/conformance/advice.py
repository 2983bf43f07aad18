"""What an author is told to do where the kit could not find out something by itself."""

from war_rig.testing.conformance.planting import Planting

_MOST_NAMES = 12


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
    listed = f": {', '.join(known)}" if known else ", but it seems to have none"
    return (
        f"{told}; say which of its arguments and variables holds the address of its API, "
        f"{option}endpoint NAME{listed}"
    )


def answers(is_given: bool, option: str) -> str:
    """Return what to do where it never answered."""
    if is_given:
        return f"correct complete(), or the example in {option}answer"
    return (
        f"if complete() is right, the kit does not know your API's answers: pass {option}answer "
        'FILE with an example, "$content" where the text stands (docs/conformance.md#answers)'
    )


def streams(is_given: bool, option: str) -> str:
    """Return what to do where it never streamed an answer."""
    if is_given:
        return f'correct stream(), or "$stream" in the example of {option}answer'
    return (
        f"if stream() is right, the kit does not know your API's stream: pass {option}answer FILE "
        'with an example that has "$stream" in it (docs/conformance.md#streams)'
    )
