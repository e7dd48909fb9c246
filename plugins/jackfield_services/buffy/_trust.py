"""Whether a Buffy server's certificate must be good, as its client says at that moment; an origin's must always."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from jackfield import Call, Request, Response, Transport, Urllib3Transport


class TrustingTransport:
    """urllib3's transport, and another one for servers that need not prove who they are.

    Args:
        verifies: whether the server must.
    """

    identity = b""  # it shows no certificate of its own

    def __init__(self, verifies: Callable[[], bool]) -> None:
        self._verifies = verifies
        self._making = Lock()
        self._careful = Urllib3Transport()
        self._trusting: Transport | None = None

    async def send(self, request: Request, call: Call) -> Response:
        """One attempt."""
        origin = request.url.origin
        trusts = origin == call.origin and origin.scheme == "https" and self._verifies() is False
        return await (self._that_trusts() if trusts else self._careful).send(request, call)

    def _that_trusts(self) -> Transport:
        with self._making:
            self._trusting = self._trusting or Urllib3Transport(verify=False)
            return self._trusting

    async def close(self) -> None:
        """Ends every connection. May be called again."""
        await self._careful.close()
        if self._trusting is not None:
            await self._trusting.close()
