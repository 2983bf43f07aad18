"""What a provider is, before anything is asked of its API."""

import inspect
from contextlib import suppress
from dataclasses import replace

from war_rig.providers.foreign import attribute, one_line, repr_of, said
from war_rig.providers.places import place_of
from war_rig.testing.conformance import signatures
from war_rig.testing.conformance.bench import HELLO, Scene
from war_rig.testing.conformance.rule import Missed, NotTested, rule


@rule(
    needs="nothing",
    wanted="the constructor makes an object with default_model and complete()",
    change="let it take its arguments by name, or read its own variables, and connect later",
)
def it_is_built(scene: Scene) -> None:
    """War Rig builds a provider when it is first used, outside of any event loop."""
    # That the scene could be set is all.


@rule(
    needs="build",
    wanted="default_model is the name of a model: a text that is not empty",
    change="make it a property, or a plain attribute, that returns the model's name",
)
def default_model_is_a_name(scene: Scene) -> None:
    """It is shown, logged and priced wherever nobody asked for another model."""
    model: object = scene.provider.default_model
    if not (isinstance(model, str) and model.strip()):
        raise Missed("default_model was read", f"it is {one_line(repr_of(model))}")


@rule(
    needs="build",
    wanted="complete() takes the messages by position, and any other argument by keyword",
    change="write the line that is shown",
)
def complete_takes_the_call(scene: Scene) -> None:
    """War Rig passes what an agent's settings name, by keyword, and leaves out all else."""
    found = (
        ["it is not async, so there is nothing to await"] if scene.bench.findings.is_sync else []
    )
    _check_signature(scene, "complete", found)


@rule(
    needs="stream",
    wanted="stream() takes what complete() takes",
    change="write the line that is shown",
)
def stream_takes_the_call(scene: Scene) -> None:
    """An agent that streams passes what it passes to complete()."""
    _check_signature(scene, "stream", [])


def _check_signature(scene: Scene, name: str, found: list[str]) -> None:
    method = getattr(scene.provider, name)
    is_async = inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
    faults = found + signatures.faults(method)
    if faults:
        written = signatures.definition(method, is_async=is_async)
        change = f"write: {signatures.corrected(method)}"
        raise Missed(f"the signature was read: {written}", "; ".join(faults), change)


@rule(
    needs="build",
    wanted="aclose() can be called twice, after an answer and where nothing was asked",
    change="let the second call find nothing to close",
)
async def closing_twice_is_harmless(scene: Scene) -> None:
    """A container closes what it has built, and so may whoever made the provider."""
    if not callable(attribute(scene.provider, "aclose")):
        raise NotTested("it has no aclose()")
    await _close_twice(scene, "")
    if scene.bench.findings.fault is None:
        used = replace(scene, provider=scene.bench.blueprint.build())
        used.will_answer()
        with suppress(Missed):  # other rules are about answers
            await used.answer(HELLO)
        await _close_twice(used, " after an answer")


async def _close_twice(scene: Scene, when: str) -> None:
    for time in ("first", "second"):
        try:
            await scene.close()
        except Exception as error:  # the plugin's border
            raise Missed(
                f"aclose(), the {time} time{when}", f"it raised {said(error)}{place_of(error)}"
            ) from error
