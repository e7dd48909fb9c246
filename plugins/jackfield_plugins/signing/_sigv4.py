"""AWS Signature Version 4 as a plugin: every attempt is signed afresh, by the service's clock."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from jackfield import (
    Call,
    ConfigurationError,
    Proceed,
    Request,
    Response,
    Stage,
    Step,
    StreamBody,
    UsageError,
    hookimpl,
)

from ._aws_credentials import AwsCredentials
from ._sigv4_clock import ServiceClocks
from ._sigv4_request import S3, UNSIGNED_PAYLOAD, Signer

_WEEK = 604_800  # seconds

_is_name = re.compile(r"[A-Za-z0-9._-]+").fullmatch


class SigV4:
    """Signs every attempt with the time of that attempt.

    A refusal (400, 401, 403) whose Date says that this machine's clock is more than 4 minutes off is answered once
    with the service's time; later requests to it use that time from the start, unless it was refused as well.

    Args:
        credentials: the caller's.
        region: `"us-east-1"`.
        service: the name the service signs by, `"execute-api"`; for `"s3"` and its kin the path is signed as sent, and
            the body's digest is sent.
        content_sha256: send the body's digest (X-Amz-Content-Sha256) to a service that is not S3, too.
        unsigned_payload: leave the body out of what is signed, for one that can be read once only; over https only.
        signed_token: whether the session token is signed; a few services want it added afterwards.

    Raises:
        ConfigurationError: region or service is not a name.
    """

    name = "signing"

    def __init__(
        self,
        credentials: AwsCredentials,
        region: str,
        service: str,
        *,
        content_sha256: bool = False,
        unsigned_payload: bool = False,
        signed_token: bool = True,
    ) -> None:
        if not isinstance(credentials, AwsCredentials):
            raise ConfigurationError("SigV4 takes AwsCredentials(access_key, secret_key, session_token)")
        for what, name in (("region", region), ("service", service)):
            if not isinstance(name, str) or not _is_name(name):
                raise ConfigurationError(f"the {what} is a name like 'us-east-1' or 'execute-api'")
        # All but a service of AWS, IoTSecuredTunneling, sign in lower case; "S3" would lose S3's rules for the path.
        if service.lower() in S3 and service not in S3:
            raise ConfigurationError("the service is written in lower case: 's3'")
        self._signer = Signer(credentials, region, service, content_sha256 or unsigned_payload, signed_token)
        session = credentials.session_token.reveal() if credentials.session_token else ""
        whole = f"{credentials.access_key} {credentials.secret_key.reveal()} {session}"
        self._identity = hashlib.sha256(whole.encode()).digest()
        self._unsigned_payload = unsigned_payload
        self._clocks = ServiceClocks()

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.SIGN, self._sign)]

    @hookimpl
    def jackfield_identity(self) -> bytes:
        return self._identity

    def presign(self, request: Request, seconds: int, now: float) -> str:
        """The request's URL with a signature in its query.

        It is a secret: whoever has it may send this one request, with the headers that `request` has.

        Args:
            request: what to allow. The body is not signed for S3, or with `unsigned_payload`.
            seconds: how long it is good for, 1 to 604800.
            now: from when on, seconds since 1970.

        Raises:
            UsageError: a time is out of range, or the body to sign is a stream.
        """
        if isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= _WEEK:
            raise UsageError(f"a presigned URL is good for 1 to {_WEEK} seconds, not {seconds!r}")
        if self._signer.is_s3 or self._unsigned_payload:
            payload = UNSIGNED_PAYLOAD
        elif isinstance(request.body, StreamBody):
            raise UsageError("a body is signed with its presigned URL at once: give bytes, not a stream")
        else:
            payload = hashlib.sha256(request.body).hexdigest()
        signed = self._signer.in_query(request, payload, seconds, now)
        return f"{signed.url.origin}{signed.target}"

    async def _sign(self, request: Request, call: Call, proceed: Proceed) -> Response:
        origin, now = request.url.origin, call.runtime.now
        payload = await self._payload(request, call)
        ahead = self._clocks.ahead(origin)
        response = await proceed(self._signer.in_headers(request, payload, now() + ahead), call)
        off = self._clocks.learn(origin, response, now(), ahead)
        if not off or (isinstance(request.body, StreamBody) and not request.body.replayable):
            return response
        if not isinstance(response.body, bytes):
            await response.body.close()
        corrected = self._signer.in_headers(request, payload, now() + self._clocks.ahead(origin))
        response = await proceed(corrected, call)
        self._clocks.confirm(origin, response, ahead)
        return response

    async def _payload(self, request: Request, call: Call) -> str:
        if self._unsigned_payload:
            if request.url.origin.scheme != "https":
                raise UsageError("a body goes unsigned over https only: leave out unsigned_payload=True")
            return UNSIGNED_PAYLOAD
        if isinstance(request.body, StreamBody) and not request.body.replayable:
            raise UsageError(
                "this request's body is signed before it is sent, and can be read once only: give bytes, a StreamBody "
                "with a function that opens it again, or, over https, SigV4(..., unsigned_payload=True)"
            )
        digest = hashlib.sha256()
        await request.feed(digest.update, call.runtime)
        return digest.hexdigest()
