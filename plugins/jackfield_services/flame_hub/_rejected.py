"""Whether a Hub's answer means that the token is dead: some say so, of others the auth service has to be asked."""

from __future__ import annotations

from jackfield import Call, JackfieldError, Request, Response, Url

from ._said import is_of_token, said

_PATIENCE = 5.0  # seconds that asking may take
_REFUSALS = (400, 401)
_ONE = [("page[limit]", "1")]


async def is_dead(request: Request, response: Response, call: Call, auth_service: Url) -> bool:
    """Whether the service did nothing but refuse the token.

    A 401 is about the token, and so is a 400 with a code that says it. A 400 without a word, and a 500 that says no
    more than that, may be anything: what a 500 left half done must not be done twice.

    Args:
        request: as it was sent, with the token.
        response: with its body.
        call: the call that this is of.
        auth_service: where the token is from.
    """
    if response.status == 401:
        return True
    told = said(response) if response.status in (400, 500) else None
    if told is None:
        return False
    if response.status == 400 and is_of_token(told):
        return told.code != "BAD_REQUEST" or await _is_refused(request, call, auth_service)
    return told.code == "INTERNAL_SERVER_ERROR" and await _is_refused(request, call, auth_service)


async def _is_refused(request: Request, call: Call, auth_service: Url) -> bool:
    """Whether the auth service does not take this token either; not so if it cannot tell."""
    bearer = {"authorization": request.headers["authorization"]}
    asking = call.bounded(_PATIENCE)
    try:
        told = await asking.fetch(Request("GET", auth_service.at("token", "introspect"), headers=bearer), "introspect")
        if told.status == 200:
            return told.decode(dict[str, object]).get("active") is False
        if told.status == 500:  # is it the token, or the service? Realms are for everybody to read
            told = await asking.fetch(Request("GET", auth_service.at("realms"), query=_ONE), "realms")
            return told.status < 500
    except JackfieldError:
        return False
    return told.status in _REFUSALS
