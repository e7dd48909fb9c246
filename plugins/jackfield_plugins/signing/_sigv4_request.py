"""AWS Signature Version 4: a request and a time become a signed request, in its headers or in its query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote

from jackfield import Headers, Request, Url

from ._aws_credentials import AwsCredentials
from ._message import Message
from ._sigv4_canonical import (
    ALGORITHM,
    Scope,
    canonical_request,
    signature,
    signed_names,
    standard_path,
    string_to_sign,
    verbatim_path,
)
from ._sigv4_clock import timestamp

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"

S3 = frozenset({"s3", "s3-object-lambda", "s3-outposts", "s3express"})  # services whose paths are keys of objects
_TOKEN = "X-Amz-Security-Token"  # noqa: S105  the header's name

_OURS = frozenset(
    {"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders", "x-amz-signature"}
    | {"x-amz-security-token"}
)


class Signer(NamedTuple):
    """Whose signature, and what a service wants of it.

    Attributes:
        sends_digest: the body's digest goes into a header, of services that are not S3 too.
        signed_token: the session token is signed, and not only sent.
    """

    credentials: AwsCredentials
    region: str
    service: str
    sends_digest: bool
    signed_token: bool

    @property
    def is_s3(self) -> bool:
        """Whether S3's rules hold: the path as it is sent, the body's digest in a header."""
        return self.service in S3

    def in_headers(self, request: Request, payload: str, now: float) -> Request:
        """The request with an Authorization header, and the others that it needs.

        Args:
            request: what to sign; signatures that it has are replaced.
            payload: the hex SHA-256 of its body, or `UNSIGNED_PAYLOAD`.
            now: seconds since 1970.
        """
        request, scope = self._as_sent(request), self._scope(now)
        headers = request.headers.without(_TOKEN).replacing("X-Amz-Date", scope.moment)
        if self.sends_digest or self.is_s3 or "x-amz-content-sha256" in headers:
            headers = headers.replacing("X-Amz-Content-Sha256", payload)
        complete = self._with_token(headers)
        message = Message.of(request.with_headers(complete if self.signed_token else headers))
        value = (
            f"{ALGORITHM} Credential={self.credentials.access_key}/{scope}, "
            f"SignedHeaders={';'.join(signed_names(message))}, Signature={self._signature(message, scope, payload)}"
        )
        return request.with_headers(complete.replacing("Authorization", value))

    def in_query(self, request: Request, payload: str, seconds: int, now: float) -> Request:
        """The request with a signature in its query, good for so many seconds from `now`."""
        request, scope = self._as_sent(request), self._scope(now)
        signed = [
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", f"{self.credentials.access_key}/{scope}"),
            ("X-Amz-Date", scope.moment),
            ("X-Amz-Expires", str(seconds)),
            ("X-Amz-SignedHeaders", ";".join(signed_names(Message.of(request)))),
        ]
        token = [(_TOKEN, self.credentials.session_token.reveal())] if self.credentials.session_token else []
        before, after = ([*signed, *token], []) if self.signed_token else (signed, token)
        request = request.replace(query=(*_without_ours(request.query), *before))
        found = self._signature(Message.of(request), scope, payload)
        return request.replace(query=(*request.query, *after, ("X-Amz-Signature", found)))

    def _as_sent(self, request: Request) -> Request:
        # S3 decodes the path and encodes it by its own rule, all but the unreserved characters: it is sent like that.
        path = quote(request.url.path, safe="/%")
        if not self.is_s3 or path == request.url.path:
            return request
        return request.replace(url=Url(request.url.origin, path))

    def _scope(self, now: float) -> Scope:
        return Scope(timestamp(now), self.region, self.service)

    def _with_token(self, headers: Headers) -> Headers:
        token = self.credentials.session_token
        return headers.replacing(_TOKEN, token.reveal()) if token else headers

    def _signature(self, message: Message, scope: Scope, payload: str) -> str:
        canonical = canonical_request(message, payload, verbatim_path if self.is_s3 else standard_path)
        return signature(string_to_sign(canonical, scope), scope, self.credentials.secret_key)


def _without_ours(query: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in query if name.lower() not in _OURS]
