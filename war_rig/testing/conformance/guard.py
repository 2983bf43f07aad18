"""Lets nothing leave this machine: what is tested is asked often, and with made-up keys."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from typing import Any


@contextmanager
def nothing_leaves(refused: set[str]) -> Iterator[None]:
    """Refuse what this process sends beyond loopback, and keep each host in *refused*.

    Of what opens sockets by itself, in C or in another process, nothing is known. Since
    no TLS is spoken, no authorities are read: for a client a call, that takes the longest.
    """

    def guarded(plain: Any, host_in: Callable[..., object]) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            host = _text(host_in(*args, **kwargs))
            if _is_elsewhere(host):
                refused.add(host)
                raise ConnectionRefusedError(f"the conformance kit lets nothing out: {host}")
            return plain(*args, **kwargs)

        return call

    places: tuple[tuple[Any, str, Callable[..., object]], ...] = (
        (socket.socket, "connect", _peer),
        (socket.socket, "connect_ex", _peer),
        (socket.socket, "sendto", lambda stream, *args: _peer(stream, args[-1])),
        (socket.socket, "sendmsg", _receiver),
        (socket, "getaddrinfo", lambda host, *args, **kwargs: host),
        (socket, "gethostbyname", lambda host: host),
        (socket, "gethostbyname_ex", lambda host: host),
    )
    with ExitStack() as patched:
        there = (place for place in places if hasattr(*place[:2]))  # Windows has no sendmsg
        for owner, name, host_in in there:
            patched.enter_context(_put(owner, name, guarded(getattr(owner, name), host_in)))
        for name in ("load_verify_locations", "load_default_certs"):
            patched.enter_context(_put(ssl.SSLContext, name, lambda *args, **kwargs: None))
        yield


@contextmanager
def _put(owner: Any, name: str, value: Any) -> Iterator[None]:
    is_own, before = name in vars(owner), getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if is_own:
            setattr(owner, name, before)
        else:
            delattr(owner, name)


def _peer(stream: socket.socket, address: object) -> object:
    return address[0] if isinstance(address, tuple) else None  # else the path of a Unix socket


def _receiver(
    stream: socket.socket,
    buffers: object,
    ancdata: object = (),
    flags: int = 0,
    address: object = None,
) -> object:
    return _peer(stream, address)


def _text(host: object) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")


def _is_elsewhere(host: str) -> bool:
    if host in ("", "localhost"):
        return False
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return True
    return not (address.is_loopback or address.is_unspecified)
