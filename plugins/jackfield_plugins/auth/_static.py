"""What Basic, Bearer and API keys share: one credential, the same each time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256

from jackfield import Call, Headers, Pure, Request, Stage, hookimpl


class Static:
    """Adds a credential to every request to the service.

    Args:
        add: gives the request with the credential.
        credential: the credential and its place, as a text.
    """

    name = "auth"

    def __init__(self, add: Callable[[Request], Request], credential: str) -> None:
        self._add = add
        self._identity = sha256(credential.encode()).digest()

    @hookimpl
    def jackfield_steps(self) -> Iterable[Pure]:
        return [Pure(self.name, Stage.AUTH, request=self._authorise)]

    @hookimpl
    def jackfield_identity(self) -> bytes:
        return self._identity

    def _authorise(self, request: Request, call: Call) -> Request:
        return self._add(request)


def in_header(name: str, value: str) -> Callable[[Request], Request]:
    """Adds a header field, unless the request has its own.

    Raises:
        UsageError: HTTP does not allow the name or the value.
    """
    defaults = Headers({name: value})
    return lambda request: request.with_headers(request.headers.over(defaults))
