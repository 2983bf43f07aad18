"""The connections of one event loop: httpx's API over aiohttp's pool, TLS and proxies.

The only file that knows these libraries; they are imported when the first
connection is made. Proxies and certificates are those that are declared, else
those of the process (HTTP(S)_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE,
SSL_CERT_DIR). Nothing else of the environment counts: no netrc, no cookies.

A connection that carried a stream is closed after it. Servers such as llama.cpp's
close it a moment later without a word: what is sent on it then is lost, and
nobody can tell whether it was read.
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote
from urllib.request import getproxies, proxy_bypass
from weakref import WeakSet

from war_rig.errors import ConfigError
from war_rig.providers.foreign import said
from war_rig.providers.http.keys import basic
from war_rig.providers.limit import Limit

if TYPE_CHECKING:
    import aiohttp
    import httpx
    import httpx2
    import yarl

_MOST_ADDRESSES = 256
_LARGE_BYTES = 1024 * 1024

LAST = {"Connection": "close"}
"""The header of a request after which its connection is closed, whatever the server does."""


class Network:
    """What is declared of the way to an API; opens connections by it."""

    def __init__(
        self,
        connections: int,
        connect_seconds: float,
        proxy: str | None,
        ca: Path | None,
        certificate: Path | None,
        certificate_key: Path | None,
    ) -> None:
        self.connections = connections
        self.connect_seconds = connect_seconds
        self._proxy = proxy
        self._ca = ca
        self._certificate = certificate
        self._certificate_key = certificate_key
        self._tls: ssl.SSLContext | None = None

    def open(self) -> "Connections":
        """Return new connections for the running loop; ConfigError where TLS can't be set up."""
        if self._tls is None:
            self._tls = self._context()
        return Connections(self, self._tls, _Proxies(self._proxy))

    def secrets(self) -> set[str]:
        """Return the passwords of the proxies, those of the process included."""
        proxies = [self._proxy or "", *getproxies().values()]
        return set().union(*map(_passwords, proxies))

    def _context(self) -> ssl.SSLContext:
        import httpx

        told = f"the certificates in '{self._ca}'" if self._ca else "the process's certificates"
        try:
            if self._ca:
                context = ssl.create_default_context(cafile=self._ca)
            else:
                context = httpx.create_ssl_context()
            if self._certificate:
                told = f"the certificate '{self._certificate}'"
                context.load_cert_chain(self._certificate, self._certificate_key, _no_password)
            return context
        except OSError as error:
            raise ConfigError(f"{told} can't be used: {said(error)}") from error


def _passwords(proxy: str) -> set[str]:
    """Return the password in the URL *proxy* as it may be shown: quoted, plain, and in a header."""
    user, _, quoted = proxy.rpartition("@")[0].rpartition("//")[2].partition(":")
    if not quoted:
        return set()
    password = unquote(quoted)
    return {quoted, password, basic(unquote(user), password).rpartition(" ")[2]}


def _no_password() -> str:
    """Keep OpenSSL from asking for the password of an encrypted key at the terminal."""
    raise ConfigError("the certificate's key is encrypted: War Rig can't ask for its password")


class Connections:
    """The connections of the loop that it is made in."""

    def __init__(self, network: Network, tls: ssl.SSLContext, proxies: "_Proxies") -> None:
        import aiohttp
        import httpx
        from httpx_aiohttp import AiohttpTransport

        self.is_closed = False
        self._loop = asyncio.get_running_loop()
        self.limits: set[Limit] = set()  # of the calls that are under way
        self._opened: WeakSet[asyncio.Transport] = WeakSet()
        self.free = asyncio.Semaphore(network.connections)
        self.failures = (
            httpx.HTTPError,
            httpx.InvalidURL,
            aiohttp.ClientError,
            OSError,
            ValueError,
        )
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=tls),  # "free" is what limits them
            cookie_jar=aiohttp.DummyCookieJar(),
            response_class=_response_class(self._opened),
        )
        session = cast("aiohttp.ClientSession", _AsGiven(self._session, proxies))
        self._transport = AiohttpTransport(verify=tls, client=lambda: session)
        self._request = httpx.Request
        self._address = lru_cache(_MOST_ADDRESSES)(_address)
        self._extensions = {"timeout": {"pool": network.connect_seconds}}

    async def open(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> "httpx.Response":
        """Send a request and return the head of its answer; raise one of ``failures``."""
        request = self._request(
            method, self._address(url), headers=headers, content=body, extensions=self._extensions
        )
        return await self._transport.handle_async_request(request)

    async def close(self) -> None:
        """Close the connections, and end what is awaited on them: aiohttp would let it wait."""
        self.is_closed = True
        if self._loop.is_closed():  # nothing is awaited any more, and nothing can be ended
            await self._session.close()
            return
        for limit in self.limits:
            limit.set(self._loop.time())
        await self._session.close()
        for transport in self._opened:  # TLS would say goodbye, in a loop that may end now
            transport.abort()
        await asyncio.sleep(0)


def texts(headers: "httpx.Headers") -> list[tuple[str, str]]:
    """Return headers as pairs; httpx itself looks for their encoding at each of them."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw]


def leaving(client: "httpx2.AsyncClient") -> "httpx2.AsyncClient":
    """Return an SDK's *client* over aiohttp, made to give connections up as ours do."""
    import aiohttp

    transports: list[Any] = [client._transport, *client._mounts.values()]
    for transport in filter(None, transports):  # none is set for what goes by no proxy
        session = transport.get_client()
        transport.client = aiohttp.ClientSession(
            connector=session.connector, response_class=_response_class(WeakSet())
        )
        session.detach()
    return client


def _response_class(opened: "WeakSet[asyncio.Transport]") -> "type[aiohttp.ClientResponse]":
    """Return the kind of response that knows when to give its connection up.

    That is after the LAST request, and at once where no answer arrives: aiohttp
    waits for the server to take what was to be sent.
    """
    import aiohttp

    class Response(aiohttp.ClientResponse):
        async def start(self, connection: Any) -> aiohttp.ClientResponse:
            opened.update(filter(None, [connection.transport]))
            if self.request_info.headers.get("Connection") == LAST["Connection"]:
                connection.protocol.force_close()  # at the answer's end, which may come with it
            loop = asyncio.get_running_loop()  # which may not run where this is finalised
            try:
                return await super().start(connection)
            except BaseException:  # which is raised again
                _abort(connection, loop)
                raise

    return Response


def _abort(connection: Any, loop: asyncio.AbstractEventLoop) -> None:
    if connection.transport is not None and not loop.is_closed():
        connection.transport.abort()


def _address(url: str) -> "httpx.URL":
    import httpx

    address = httpx.URL(url)
    if address.userinfo:  # it would beat the declared authentication, and show in every message
        raise httpx.InvalidURL("it holds a user or a password: declare them under 'auth'")
    return address


class _AsGiven:
    """Stands in for the session of an AiohttpTransport, which quotes URLs anew by itself.

    Has the two things that are called: itself for a session, and ``request``.
    """

    def __init__(self, session: "aiohttp.ClientSession", proxies: "_Proxies") -> None:
        import yarl

        def route(url: str) -> tuple[yarl.URL, _Proxy]:
            target = yarl.URL(url, encoded=True)
            return target, proxies.of(target)

        self._session = session
        self._route = lru_cache(_MOST_ADDRESSES)(route)

    def __call__(self) -> "_AsGiven":
        return self

    def request(self, *, method: str, url: str, **options: Any) -> object:
        options["url"], proxy = self._route(url)
        options["headers"] = texts(options["headers"])
        options["proxy"] = proxy.url
        if options["url"].scheme == "https":
            options["proxy_headers"] = proxy.headers  # of the CONNECT
        else:
            options["headers"] += proxy.headers.items()
        if options["data"] and len(options["data"]) > _LARGE_BYTES:
            options["data"] = BytesIO(options["data"])  # sent bit by bit, and without a warning
        return self._session.request(method, **options)


@dataclass(frozen=True, slots=True)
class _Proxy:
    """A proxy, none where there is no URL. headers: what it wants to be told, its password."""

    url: "yarl.URL | None" = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class _Proxies:
    """Knows the proxy for a URL: the declared one, else that of the process."""

    def __init__(self, declared: str | None) -> None:
        self._declared = declared
        self._of_the_process = {} if declared else getproxies()

    def of(self, url: "yarl.URL") -> _Proxy:
        if self._declared:
            return _proxy(self._declared)
        proxies = self._of_the_process
        found = proxies.get(url.scheme) or proxies.get("all")
        return _Proxy() if not found or proxy_bypass(url.authority) else _proxy(found)


def _proxy(text: str) -> _Proxy:
    """Return the proxy at the URL *text*; aiohttp's errors show the URL that they are given."""
    import yarl

    url = yarl.URL(text if "://" in text else f"http://{text}")
    if url.scheme not in ("http", "https"):
        raise ConfigError(f"a proxy of the kind '{url.scheme}' can't be used: only http and https")
    if url.raw_user is None and url.raw_password is None:
        return _Proxy(url)
    told = basic(url.user or "", url.password or "")
    return _Proxy(url.with_user(None), {"Proxy-Authorization": told})
