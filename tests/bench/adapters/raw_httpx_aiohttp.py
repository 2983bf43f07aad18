"""Bare httpx over the transport of aiohttp."""

from typing import Any

from adapters import raw_httpx

REQUIRES = ("httpx", "httpx-aiohttp")
IMPORT = "import httpx, httpx_aiohttp"
PACKAGE = "httpx"


class Adapter(raw_httpx.Adapter):
    def open(self, options: dict[str, Any]) -> Any:
        import httpx_aiohttp

        return httpx_aiohttp.HttpxAiohttpClient(**options)
