"""What carries requests. A transport knows neither services nor credentials nor retries."""

from __future__ import annotations

from typing import Protocol

from ._call import Call
from ._messages import Request, Response


class Transport(Protocol):
    """Sends one request as it stands, once, and gives back whatever the peer answered.

    It obeys `call.options` and `call.limit(...)` in every wait, reads the body unless `call.stream`, raises nothing but
    `jackfield` errors for what a network or peer can do, and drops a connection that it cannot vouch for. It sets
    `call.unanswered` before the first byte is sent, and unsets it when the whole answer has come.

    It may have an `identity`: bytes that tell whose credentials it bears by itself, in a client certificate say; empty
    for none. One that has no such attribute keeps what caches hold to its client.
    """

    async def send(self, request: Request, call: Call) -> Response:
        """One attempt."""
        ...

    async def close(self) -> None:
        """Ends every connection, also those in use. May be called again."""
        ...
