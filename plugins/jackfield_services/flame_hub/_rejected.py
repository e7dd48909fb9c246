"""Whether a Hub's answer means that the token is dead: some say so, of others the auth service has to be asked."""

from __future__ import annotations

from collections.abc import Awaitable

from jackfield import Call, Flights, JackfieldError, Request, Response, Secret, Url

from ._said import is_of_token, said

_PATIENCE = 5.0  # seconds that asking may take
_REFUSALS = (400, 401)
_ONE = [("page[limit]", "1")]


def is_about_token(response: Response) -> bool | None:
    """Whether an answer does nothing but refuse the token; None: it may be."""
    if response.status == 401:
        return True
    told = said(response) if response.status in (400, 500) else None
    if told is None:
        return False
    if response.status == 400 and is_of_token(told):
        return None if told.code == "BAD_REQUEST" else True
    return None if told.code == "INTERNAL_SERVER_ERROR" else False


class Rejections:
    """Asks the auth service about tokens. However many calls have one, it is asked once.

    Args:
        auth_service: where the tokens are from.
    """

    def __init__(self, auth_service: Url) -> None:
        self._auth_service = auth_service
        self._asking = Flights()
        self._dead: Secret | None = None  # the last that was found to be

    async def is_dead(self, bearer: str, call: Call) -> bool:
        """Whether the auth service does not take this token; not so if it cannot tell."""
        return await self._is_taken(Secret(bearer), call) is False

    async def is_taken(self, bearer: str, call: Call) -> bool:
        """Whether the auth service takes this token; not so if it cannot tell."""
        return await self._is_taken(Secret(bearer), call) is True

    async def _is_taken(self, bearer: Secret, call: Call) -> bool | None:
        if bearer == self._dead:
            return False
        asking = call.bounded(_PATIENCE)

        def ask() -> Awaitable[bool | None]:
            return self._ask(bearer, asking)

        try:
            taken = await self._asking.join(call.runtime, bearer, ask, _PATIENCE, apart=True)
        except (JackfieldError, TimeoutError):
            return None
        if taken is False:
            self._dead = bearer
        return taken

    async def _ask(self, bearer: Secret, call: Call) -> bool | None:
        """Whether it is taken; None: that is not told."""
        url, headers = self._auth_service.at("token", "introspect"), {"authorization": bearer.reveal()}
        told = await call.fetch(Request("GET", url, headers=headers), "introspect")
        if told.status == 200:
            active = told.decode(dict[str, object]).get("active")
            return active if isinstance(active, bool) else None
        if told.status == 500:  # is it the token, or the service? Realms are for everybody to read
            told = await call.fetch(Request("GET", self._auth_service.at("realms"), query=_ONE), "realms")
            return False if told.status < 500 else None
        return False if told.status in _REFUSALS else None
