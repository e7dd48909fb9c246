"""Idempotency keys: what lets a service recognise a request that it has seen before."""

from __future__ import annotations

from collections.abc import Iterable

from jackfield import Call, ConfigurationError, Headers, Pure, Request, Stage, UsageError, hookimpl

_METHODS = ("POST", "PATCH")


class IdempotencyKey:
    """Gives each POST and PATCH a key of its own, the same in every attempt, and so lets it be tried again.

    For services that promise to carry out one key once. The key is 128 random bits, in hexadecimal. One that the caller
    has set stays; so does what a request declares of itself (`idempotent=`).

    Args:
        header: the field's name.

    Raises:
        ConfigurationError: that is no name of a header.
    """

    name = "idempotency-key"

    def __init__(self, header: str = "Idempotency-Key") -> None:
        try:
            Headers({header: "key"})
        except UsageError as error:
            raise ConfigurationError(error.message) from None
        self._header = header

    @hookimpl
    def jackfield_steps(self) -> Iterable[Pure]:
        return [Pure(self.name, Stage.PREPARE, request=self._add)]

    def _add(self, request: Request, call: Call) -> Request:
        if request.method not in _METHODS or request.url.origin != call.origin:
            return request
        headers = request.headers
        if self._header not in headers:
            headers = headers.replacing(self._header, call.runtime.token_bytes(16).hex())
        return request.replace(headers=headers, idempotent=request.idempotent is not False)
