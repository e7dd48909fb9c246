"""Digest authentication (RFC 7616): when a request is answered for, and how often."""

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import sha256

from jackfield import Call, Proceed, Request, Response, Secret, Stage, Step, StreamBody, UsageError, hookimpl

from ._digest_answer import Session, answer
from ._digest_offer import next_nonce, strongest_offer
from ._digest_session import Sessions
from ._text import normal

_ONCE = (
    "the service gives a nonce in answer to a first request, so this request may have to be sent twice, and its body "
    "can be read once only: give bytes, or a StreamBody with a function that opens it again"
)


class Digest:
    """Answers the service's own Digest challenges, with the strongest hash it offers: SHA-512-256, SHA-256 or MD5.

    A request that was challenged is sent once more; twice more, if all that was wrong was the age of the nonce
    (`stale`). Requests that follow use the nonce at once. One object may serve many clients, threads and tasks.
    A request with an `Authorization` of its own is left alone.

    Args:
        user: the name.
        password: may be empty.

    Raises:
        ConfigurationError: one of them holds what cannot be sent.
    """

    name = "auth"

    def __init__(self, user: str | Secret, password: str | Secret) -> None:
        # Neither can hold a control character, so that one may stand between them; nor is either shown.
        self._account = Secret(f"{normal(user, 'the user')}\0{normal(password, 'the password')}")
        self._sessions: dict[int, Sessions] = {}  # by process: a forked child begins afresh

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.AUTH, self._run)]

    @hookimpl
    def jackfield_identity(self) -> bytes:
        return sha256(self._account.reveal().encode()).digest()

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        if "authorization" in request.headers:
            return await proceed(request, call)
        sessions = self._sessions.get(os.getpid()) or self._sessions.setdefault(os.getpid(), Sessions())
        session = sessions.current(call.origin)
        once = isinstance(request.body, StreamBody) and not request.body.replayable
        if once and session is None:
            raise UsageError(_ONCE)
        replays = 0
        while True:
            signed = request if session is None else await self._answered(request, call, sessions, session)
            response = await proceed(signed, call)
            fresh = _learned(response, call, sessions, session)
            if fresh is None or once or replays > fresh.offer.stale:  # True is 1
                return response
            if not isinstance(response.body, bytes):
                await response.body.close()
            replays += 1
            session = fresh

    async def _answered(self, request: Request, call: Call, sessions: Sessions, session: Session) -> Request:
        offer, body = session.offer, ""
        if offer.qop == "auth-int":
            hasher = offer.hasher()
            await request.feed(hasher.update, call.runtime)
            body = hasher.hexdigest()
        user, _, password = self._account.reveal().partition("\0")
        value = answer(
            session,
            user,
            password,
            method=request.method,
            uri=request.target,
            count=sessions.count(call.origin, session.nonce),
            cnonce=session.cnonce if offer.has_session_key else _cnonce(call),
            body=body,
        )
        return request.with_headers(request.headers.replacing("Authorization", value))


def _learned(response: Response, call: Call, sessions: Sessions, session: Session | None) -> Session | None:
    """Keeps what the response says of nonces. Gives the session that answers its challenge, if it is one."""
    if response.status != 401:
        if session is not None:
            nonce = next_nonce(response.headers) or session.nonce
            sessions.change(call.origin, session, session._replace(nonce=nonce))
        return None
    offer = strongest_offer(response.headers.get_all("www-authenticate"))
    fresh = offer and Session(offer, _cnonce(call), offer.nonce)
    # Name and password were right if the nonce was but stale; or else they are not sent again unasked.
    sessions.change(call.origin, session, fresh if offer and offer.stale else None)
    return fresh


def _cnonce(call: Call) -> str:
    return call.runtime.token_bytes(16).hex()
