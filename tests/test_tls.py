"""A company's network, from a user's file or environment alone: proxy, private CA, certificate."""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

import pytest
from canary import CANARY, leaks
from loopback import Request, Server, Tls, chat_completion, forward, response_bytes, serve
from streams import HELLO, streaming

from containers import application, running
from war_rig.errors import AuthenticationError, ConfigError, ProviderConnectionError, ProviderError

TOKEN = "token-canary-9876543210"
PASSWORD = "proxy-canary-5432109876"
RIG = b64encode(f"rig:{CANARY}".encode()).decode()
ENTRY = """\
llm_provider: house
providers:
  house:
    type: gateway
    base_url: URL/v1
    token_url: URL/token
    client_id: rig
    client_secret: ${HOUSE_SECRET}
    model: house-1
    proxy: PROXY
    ca: tls/ca.pem
    certificate: tls/me.pem
    certificate_key: tls/me.key
"""


def gateway(request: Request, connection: socket) -> None:
    """Be a token server for one client, and an API for who has its token."""
    if request.target == "/token":
        token = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 600}
        is_right = request.headers.get("authorization") == f"Basic {RIG}"
        wrong = {"error": "invalid_client", "error_description": "no such client"}
        connection.sendall(response_bytes(token) if is_right else response_bytes(wrong, 401))
    elif request.headers.get("authorization") != f"Bearer {TOKEN}":
        connection.sendall(response_bytes({"error": {"message": "no token"}}, 401))
    elif request.json.get("stream"):
        streaming(*HELLO)(request, connection)
    else:
        connection.sendall(response_bytes(chat_completion()))


@dataclass
class Company:
    """A gateway over TLS that asks for a certificate, and the proxy that leads to it."""

    api: Server
    proxy: Server
    folder: Path

    @property
    def proxy_url(self) -> str:
        return f"http://me:{PASSWORD}@127.0.0.1:{self.proxy.port}"

    def file(self, change: Callable[[str], str] = str) -> Path:
        """Write the user's file beside the certificates' folder."""
        path = self.folder / "house.yaml"
        text = ENTRY.replace("URL", self.api.url).replace("PROXY", self.proxy_url)
        path.write_text(change(text))
        return path

    def environment(self) -> dict[str, str]:
        """Return the same in variables, with absolute paths."""
        tls = self.folder / "tls"
        return {
            "LLM_PROVIDER": "gateway",
            "GATEWAY_BASE_URL": f"{self.api.url}/v1",
            "GATEWAY_TOKEN_URL": f"{self.api.url}/token",
            "GATEWAY_CLIENT_ID": "rig",
            "GATEWAY_CLIENT_SECRET": CANARY,
            "GATEWAY_MODEL": "house-1",
            "GATEWAY_PROXY": self.proxy_url,
            "GATEWAY_CA": str(tls / "ca.pem"),
            "GATEWAY_CERTIFICATE": str(tls / "me.pem"),
            "GATEWAY_CERTIFICATE_KEY": str(tls / "me.key"),
        }


@contextmanager
def company_in(folder: Path) -> Iterator[Company]:
    (folder / "tls").mkdir(parents=True)
    tls = Tls(folder / "tls", asks_for_certificate=True)
    with serve(gateway, tls.server) as api, serve(forward(PASSWORD)) as proxy:
        yield Company(api, proxy, folder)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    with company_in(tmp_path / "company") as company:
        yield company


def asked(path: Path | None, env: dict[str, str]) -> tuple[str, str]:
    """Return an answer and a streamed one of the same container."""

    async def ask() -> tuple[str, str]:
        async with running(application(path, env)) as app:
            agent = app.agents("assistant")
            whole = await agent.run("Hello")
            return whole.content, "".join([piece.content async for piece in agent.stream("Hello")])

    return asyncio.run(ask())


def failure(path: Path | None, env: dict[str, str], kind: type[ProviderError]) -> Any:
    with pytest.raises(kind) as failed:
        asked(path, env)
    assert type(failed.value) is kind
    for secret in (CANARY, TOKEN, PASSWORD, RIG):
        assert leaks(failed.value, secret) == []
    return failed.value


SECRET = {"HOUSE_SECRET": CANARY}


def assert_seen(company: Company) -> None:
    """All went through the proxy, which saw a host and no secret of the gateway's."""
    assert [r.target for r in company.api.requests] == ["/token", *["/v1/chat/completions"] * 2]
    assert {(r.method, r.target) for r in company.proxy.requests} == {
        ("CONNECT", f"127.0.0.1:{company.api.port}")
    }
    assert CANARY not in str(company.proxy.requests)
    assert TOKEN not in str(company.proxy.requests)


def test_a_file_is_enough(company: Company) -> None:
    """Paths in a file start at the file, wherever the command runs; one token serves all calls."""
    assert asked(company.file(), SECRET) == ("Hello.", "Hello.")
    assert_seen(company)


def test_the_environment_is_enough(company: Company) -> None:
    """The shipped definition needs no file: each setting has its variable."""
    assert asked(None, company.environment()) == ("Hello.", "Hello.")
    assert_seen(company)


def test_a_path_in_a_variable_starts_where_the_command_runs(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the shell names is relative to where the shell is."""
    monkeypatch.chdir(company.folder / "tls")
    env = company.environment() | {"GATEWAY_CA": "ca.pem", "GATEWAY_CERTIFICATE": "me.pem"}
    assert asked(None, env) == ("Hello.", "Hello.")


def test_the_process_s_own_proxy_and_authority_do_too(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTPS_PROXY and SSL_CERT_FILE serve the calls and the token alike."""
    env = company.environment()
    monkeypatch.setenv("HTTPS_PROXY", env.pop("GATEWAY_PROXY"))
    monkeypatch.setenv("SSL_CERT_FILE", env.pop("GATEWAY_CA"))
    assert asked(None, env) == ("Hello.", "Hello.")
    assert_seen(company)


@pytest.mark.parametrize(
    ("setting", "value", "kind", "text"),
    [
        ("CA", None, ProviderConnectionError, "over TLS"),
        ("CERTIFICATE", None, ProviderConnectionError, "could not be reached"),
        ("PROXY", "http://127.0.0.1:1", ProviderConnectionError, "could not be reached"),
        ("CLIENT_SECRET", "another-secret-123", AuthenticationError, "no such client"),
    ],
)
def test_what_is_wrong_is_told(
    setting: str, value: str | None, kind: type[ProviderError], text: str, company: Company
) -> None:
    """Each part that is missing or wrong is an error of ours, which shows no secret."""
    env = company.environment()
    del env[f"GATEWAY_{setting}"]
    if setting == "CERTIFICATE":
        del env["GATEWAY_CERTIFICATE_KEY"]
    error = failure(None, env | ({f"GATEWAY_{setting}": value} if value else {}), kind)
    assert text in str(error)
    assert error.provider == "gateway"


def test_a_wrong_password_of_the_proxy_is_told(company: Company) -> None:
    """The proxy's refusal is no answer of the API's, and neither password is shown."""
    env = company.environment()
    env["GATEWAY_PROXY"] = env["GATEWAY_PROXY"].replace("me:", "you:")
    assert "407" in str(failure(None, env, ProviderConnectionError))
    assert company.api.requests == []


def test_files_that_are_not_there_are_told_with_their_line(company: Company) -> None:
    """All faults of an entry are one error, before anything is sent."""
    path = company.file(lambda text: text.replace("tls/", "keys/"))
    with pytest.raises(ConfigError) as failed:
        asked(path, SECRET)
    assert str(failed.value).replace(str(path), "FILE").splitlines() == [
        "provider 'house' has 3 faults",
        "  FILE:11  providers.house.ca: must be the path of a file that is there",
        "  FILE:12  providers.house.certificate: must be the path of a file that is there",
        "  FILE:13  providers.house.certificate_key: must be the path of a file that is there",
    ]
    assert company.proxy.requests == []
