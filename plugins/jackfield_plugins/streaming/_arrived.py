"""Bodies that came whole: from a cache, or a transport that has no streams."""

from __future__ import annotations


class Arrived:
    """One as a stream."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self) -> bytes:
        body, self._body = self._body, b""
        return body

    async def close(self) -> None:
        self._body = b""
