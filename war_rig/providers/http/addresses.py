"""What is wrong with a URL, told before anything is sent."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

_ADDRESS = re.compile(r"https?://[^/?#]", re.IGNORECASE)
_NOT_IN_URLS = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_HOSTS = re.compile(r"[\s\\%<>\"^`{|}]")


def address_fault(url: str) -> str:
    """Return what is wrong with the host of *url*, nothing where it can be asked."""
    if wrong := _NOT_IN_URLS.search(url):
        return f"holds {wrong[0]!r}, which no URL can: it is quoted as %{ord(wrong[0]):02X}"
    if not _ADDRESS.match(url):
        return "must begin with http:// or https:// and a host"
    try:
        address = urlsplit(url)
        host, _ = address.hostname or "", address.port
        if "[" in address.netloc:
            ip_address(host)
    except ValueError as error:
        return f"has a host or a port that is none: {error}"
    if "@" in address.netloc:
        return "holds a user or a password: they belong under 'auth'"
    return "" if host and not _NOT_IN_HOSTS.search(host) else "has a host that is none"
