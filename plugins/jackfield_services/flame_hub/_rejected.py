"""Whether a Hub's answer means that the token is dead: some say so, of others the auth service has to be asked."""

from __future__ import annotations

from collections.abc import Awaitable

from jackfield import Call, Flights, JackfieldError, Request, Response, Secret, Url

from ._said import is_of_token, said

_PATIENCE = 5.0  # seconds that asking may take
_REFUSALS = (400, 401)
_ONE = [("page[limit]", "1")]


class Rejections:
    """Tells dead tokens by the answers they get. However many calls have one, the auth service is asked once.

    Args:
        auth_service: where the tokens are from.
    """

    def __init__(self, auth_service: Url) -> None:
        self._auth_service = auth_service
        self._asking = Flights()
        self._dead: Secret | None = None  # the last that was found to be

    async def is_dead(self, request: Request, response: Response, call: Call) -> bool:
        """Whether the service did nothing but refuse the token.

        A 401 is about the token, and so is a 400 with a code that says it. A 400 without a word, and a 500 that says no
        more than that, may be anything: what a 500 left half done must not be done twice.

        Args:
            request: as it was sent, with the token.
            response: with its body.
            call: the call that this is of.
        """
        if response.status == 401:
            return True
        told = said(response) if response.status in (400, 500) else None
        if told is None:
            return False
        if response.status == 400 and is_of_token(told):
            return told.code != "BAD_REQUEST" or await self._is_refused(request, call)
        return told.code == "INTERNAL_SERVER_ERROR" and await self._is_refused(request, call)

    async def _is_refused(self, request: Request, call: Call) -> bool:
        """Whether the auth service does not take this token either; not so if it cannot tell."""
        bearer = Secret(request.headers["authorization"])
        if bearer == self._dead:
            return True
        asking = call.bounded(_PATIENCE)

        def ask() -> Awaitable[bool]:
            return self._ask(bearer, asking)

        try:
            refused = await self._asking.join(call.runtime, bearer, ask, _PATIENCE, apart=True)
        except (JackfieldError, TimeoutError):
            return False
        if refused:
            self._dead = bearer
        return refused

    async def _ask(self, bearer: Secret, call: Call) -> bool:
        url, headers = self._auth_service.at("token", "introspect"), {"authorization": bearer.reveal()}
        told = await call.fetch(Request("GET", url, headers=headers), "introspect")
        if told.status == 200:
            return told.decode(dict[str, object]).get("active") is False
        if told.status == 500:  # is it the token, or the service? Realms are for everybody to read
            told = await call.fetch(Request("GET", self._auth_service.at("realms"), query=_ONE), "realms")
            return told.status < 500
        return told.status in _REFUSALS
