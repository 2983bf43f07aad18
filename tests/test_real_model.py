"""The providers against a real server with a real model: llama.cpp's, on loopback.

What is asserted is protocol and shape, never wording: the model is very small.
"""

import asyncio
import os
import sys
from contextlib import aclosing
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, Literal

import pytest
from conftest import ROOT, run
from pydantic import BaseModel, ConfigDict, Field
from real_model import CONTEXT_TOKENS, NAME, RealModel, mortal

from containers import Application, application, running
from war_rig.agents import Agent
from war_rig.errors import (
    AuthenticationError,
    BadRequestError,
    ContextTooLongError,
    MalformedAnswerError,
    ModelNotFoundError,
    ProviderConnectionError,
)
from war_rig.providers import CompletionChunk, CompletionResponse

CONFIG = r"""
providers:
  openai: {api_key: "${KEY}", base_url: "${URL}/v1"}
  llama_cpp: {api_key: "${KEY}", base_url: "${URL}/v1"}
  anthropic: {api_key: "${KEY}", base_url: "${URL}"}
  native:                                 # llama.cpp's own API, of which no definition is shipped
    type: http
    url: ${URL}/completion
    auth: {header: {name: X-Api-Key, value: "${KEY}"}}
    model: the-only-one
    parameters: {max_tokens: 32}
    request:
      prompt: "$messages<|im_start|>assistant\n"
      n_predict: $max_tokens
      temperature: $temperature
    messages: {each: "<|im_start|>$role\n$content<|im_end|>\n", between: ""}
    response:
      content: content
      model: model
      prompt_tokens: tokens_evaluated
      completion_tokens: tokens_predicted
      finish_reason: stop_type
    stream: {request: {stream: true}, end: {path: stop, equals: true}}
    structured:                           # without x-guidance, blanks for ever are JSON too
      json_schema: {allOf: [$schema], x-guidance: {whitespace_flexible: false}}

  prompted_http:                          # a definition that says nothing of schemas
    type: http
    url: ${URL}/v1/chat/completions
    auth: {bearer: "${KEY}"}
    model: the-only-one
    request: {model: $model, messages: $messages, "...": $parameters}
    response: {content: "choices[0].message.content", model: model}

  long_openai: {type: openai, api_key: "${KEY}", base_url: "${URL}/v1"}
  long_llama_cpp:
    type: llama_cpp
    api_key: ${KEY}
    base_url: ${URL}/v1
    request: {max_tokens: 900, ignore_eos: true}
agents:
  assistant: {system: Be brief., temperature: 0}
"""
MOST_TOKENS = 16

each_provider = pytest.mark.parametrize("provider", ["openai", "llama_cpp", "anthropic", "native"])
each_way = pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])


class Verdict(BaseModel):
    """What a schema can hold a small model to: an end is in sight everywhere."""

    model_config = ConfigDict(extra="forbid")

    colour: Literal["red", "green"]
    why: str = Field(max_length=12)
    marks: list[bool] = Field(max_length=2)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "real.yaml"
    file.write_text(CONFIG)
    return file


def using(config: Path, provider: str, model: RealModel, **env: str) -> Application:
    found = {"LLM_PROVIDER": provider, "URL": model.url, "KEY": model.api_key, **env}
    return application(config, env=found)


async def answer(
    agent: Agent, text: str = "Say hi.", is_streamed: bool = False, **parameters: Any
) -> CompletionResponse:
    asked = {"max_tokens": MOST_TOKENS, **parameters}
    if not is_streamed:
        return await agent.run(text, **asked)
    *_, last = await streamed(agent, text, **asked)
    assert last.response is not None
    return last.response


async def streamed(agent: Agent, text: str, **parameters: Any) -> list[CompletionChunk]:
    async with aclosing(agent.stream(text, **parameters)) as chunks:
        return [chunk async for chunk in chunks]


def answer_of(app: Application, *arguments: Any, **parameters: Any) -> CompletionResponse:
    async def asked() -> CompletionResponse:
        async with running(app):
            return await answer(app.agents("assistant"), *arguments, **parameters)

    return asyncio.run(asked())


@each_way
@each_provider
def test_an_answer_tells_its_model_usage_and_end(
    real_model: RealModel, config: Path, provider: str, is_streamed: bool
) -> None:
    """What the server says about its answer arrives, whichever API says it."""
    found = answer_of(using(config, provider, real_model), is_streamed=is_streamed)
    assert found.content
    assert found.model == NAME
    assert found.usage_source == "reported"
    assert found.prompt_tokens is not None
    assert found.prompt_tokens > 10  # what the server had in its cache is counted too
    assert found.completion_tokens is not None
    assert 0 < found.completion_tokens <= MOST_TOKENS
    assert found.tokens_used == found.prompt_tokens + found.completion_tokens
    assert found.finish_reason


@each_provider
def test_a_stream_is_the_answer_in_pieces(
    real_model: RealModel, config: Path, provider: str
) -> None:
    """All pieces together are the content of the response, which is on the last chunk only."""
    agent = using(config, provider, real_model).agents("assistant")
    chunks = asyncio.run(streamed(agent, "Write a long story.", max_tokens=MOST_TOKENS))
    last = chunks[-1].response
    assert last is not None
    assert [chunk.response for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert len([chunk for chunk in chunks if chunk.content]) > 1
    assert "".join(chunk.content for chunk in chunks) == last.content


@pytest.mark.parametrize("provider", ["openai", "llama_cpp", "native"])
def test_the_servers_own_schema_mode_makes_an_answer_fit(
    real_model: RealModel, config: Path, provider: str
) -> None:
    """Even the smallest model answers with what was asked for, where the API holds it to it."""
    app = using(config, provider, real_model)
    asked = {"output": Verdict, "max_tokens": 160}
    found = answer_of(app, "Is grass red or green?", **asked)
    assert isinstance(found.output, Verdict)
    assert found.output_mode == "native"


@pytest.mark.parametrize("provider", ["prompted_http", "anthropic"])
def test_without_a_schema_mode_an_answer_fits_or_is_malformed(
    real_model: RealModel, config: Path, provider: str
) -> None:
    """A model that can't follow a schema is told so by name; its text is never taken for data.

    The server's messages API is Anthropic's, but for the schema, which it ignores.
    """
    app = using(config, provider, real_model)
    asked = {"output": Verdict, "max_tokens": 48}
    try:
        found = answer_of(app, "Is grass red or green?", **asked)
    except MalformedAnswerError as error:
        assert f"provider '{provider}' did not answer" in str(error)
        assert error.model == NAME
    else:
        assert isinstance(found.output, Verdict)
        assert found.output_mode == ("native" if provider == "anthropic" else "prompted")


@each_way
@each_provider
def test_a_wrong_key_is_told_as_such(
    real_model: RealModel, config: Path, provider: str, is_streamed: bool
) -> None:
    """A key that the server doesn't know is an AuthenticationError, which doesn't show it."""
    app = using(config, provider, real_model, KEY="perch-and-pike")
    with pytest.raises(AuthenticationError) as caught:
        answer_of(app, is_streamed=is_streamed)
    assert (caught.value.status, caught.value.provider) == (401, provider)
    assert "perch" not in str(caught.value)


@each_way
@each_provider
def test_a_prompt_beyond_the_context_is_told_as_such(
    real_model: RealModel, config: Path, provider: str, is_streamed: bool
) -> None:
    """More tokens than the model holds is a ContextTooLongError, which no repetition cures."""
    with pytest.raises(ContextTooLongError) as caught:
        app = using(config, provider, real_model)
        answer_of(app, "word " * 2 * CONTEXT_TOKENS, is_streamed=is_streamed)
    assert caught.value.status == 400
    assert not caught.value.is_retryable


@each_provider
def test_a_parameter_of_a_wrong_type_is_told_as_such(
    real_model: RealModel, config: Path, provider: str
) -> None:
    """What the server refuses for any other reason is a BadRequestError with its own words."""
    with pytest.raises(BadRequestError, match=r"'temperature'.*must be number") as caught:
        answer_of(using(config, provider, real_model), temperature="hot")
    assert type(caught.value) is BadRequestError
    assert caught.value.status == 400


@pytest.mark.parametrize("provider", ["openai", "llama_cpp", "anthropic"])
def test_a_wrong_base_url_is_told_as_such(
    real_model: RealModel, config: Path, provider: str
) -> None:
    """A path that the server doesn't have arrives with its 404."""
    with pytest.raises(ModelNotFoundError, match="File Not Found") as caught:
        answer_of(using(config, provider, real_model, URL=f"{real_model.url}/nowhere"))
    assert caught.value.status == 404


@each_provider
def test_calls_follow_streams_and_each_other(
    real_model: RealModel, config: Path, provider: str
) -> None:
    """The server closes a connection after a stream, without a word: no later call minds."""
    app = using(config, provider, real_model)
    ways = (True, True, False) * 4

    async def all_answers() -> list[CompletionResponse]:
        async with running(app):
            agent = app.agents("assistant")
            one_by_one = [await answer(agent, is_streamed=way, max_tokens=4) for way in ways]
            together = (answer(agent, is_streamed=way, max_tokens=4) for way in ways)
            return [*one_by_one, *await asyncio.gather(*together)]

    answers = asyncio.run(all_answers())
    assert [found.usage_source for found in answers] == ["reported"] * 2 * len(ways)


@pytest.mark.parametrize(
    "words", [["--provider", "openai"], ["--provider", "native", "--no-stream"]], ids=" ".join
)
def test_war_rig_ask_prints_the_answer(
    real_model: RealModel, config: Path, words: list[str]
) -> None:
    """The command needs a file and a key, and prints nothing but what the model said."""
    env = os.environ | {"URL": real_model.url, "KEY": real_model.api_key}
    command = [sys.executable, "-m", "containers", "ask", "Say hi.", "--config", config, *words]
    ran = run(*command, env=env, cwd=ROOT)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.strip()
    assert ran.stdout.endswith("\n")


LONG: dict[str, dict[str, Any]] = {
    "long_openai": {"max_tokens": 900, "extra_body": {"ignore_eos": True}},
    "long_llama_cpp": {},
}


@pytest.mark.parametrize("provider", LONG)
def test_a_server_that_dies_in_mid_stream_has_not_answered(
    real_model: RealModel, config: Path, provider: str
) -> None:
    """Pieces arrive while the model still writes, and without their end they are an error.

    Its parent was killed, and not it: the server never outlives the tests.
    """

    async def first_pieces(agent: Agent) -> None:
        async with aclosing(agent.stream("Write a long story.", **LONG[provider])) as chunks:
            async for chunk in chunks:
                arrived.append(chunk)
                server.kill()

    arrived: list[CompletionChunk] = []
    with mortal() as server:
        agent = using(config, provider, server.model).agents("assistant")
        with pytest.raises(ProviderConnectionError) as caught:
            asyncio.run(first_pieces(agent))
        assert server.is_gone()
    assert caught.value.is_retryable
    assert "".join(chunk.content for chunk in arrived)
    assert [chunk.response for chunk in arrived] == [None] * len(arrived)


def test_war_rig_ask_prints_as_it_arrives_and_fails_where_that_ends(
    real_model: RealModel, config: Path
) -> None:
    """What the model has said stays on stdout; that it is not all is on stderr, with code 1."""
    words = ["ask", "Write a long story.", "--config", config, "--provider", "long_llama_cpp"]
    with mortal() as server:
        env = os.environ | {"URL": server.model.url, "KEY": server.model.api_key}
        command = [sys.executable, "-m", "containers", *words]
        with Popen(command, env=env, cwd=ROOT, stdout=PIPE, stderr=PIPE, text=True) as asked:
            assert asked.stdout is not None
            first = asked.stdout.read(1)
            server.kill()
            _, errors = asked.communicate(timeout=60)
    assert first
    assert asked.returncode == 1
    assert errors.startswith("error: provider 'long_llama_cpp' broke off")
