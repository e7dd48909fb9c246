"""The commands of a session: `login`, its second factor, `logout`. They are posted, past every step of the client."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import isawaitable
from urllib.parse import urlencode

from jackfield import Call, Headers, Request, Secret, Url

from ._account import Account, sendable
from ._answer import payload
from ._errors import CloudStackSecondFactorError
from ._secrecy import masked
from ._session import Session, read_session

_FORM = Headers({"content-type": "application/x-www-form-urlencoded"})
_FAREWELL = 5.0  # seconds that logging out may take


async def log_in(account: Account, url: Url, call: Call) -> Session:
    """A new session, with its second factor where the server wants one.

    Raises:
        CloudStackUnauthorizedError: the name or the password is wrong, or the account may not log in.
        CloudStackSecondFactorError: the code is wrong, or there is none.
        JackfieldError: the server did not answer, or not as agreed.
    """
    pairs = [("username", account.username), ("password", account.password.reveal()), account.place]
    response = await call.fetch(_request("login", pairs, url, call), "login")
    if response.status != 200:
        response = masked(response, [account.password.reveal()])
    fields = payload(response, "login")
    session = read_session(fields, response)
    if _is_true(fields.get("is2faenabled")) and not _is_true(fields.get("is2faverified")):
        await _verify(account, session, url, call)
    return session


async def log_out(session: Session, url: Url, call: Call) -> None:
    """Ends the session at the server, as far as that can be done in a few seconds."""
    try:
        await call.bounded(_FAREWELL).fetch(session.on(_request("logout", (), url, call)), "logout")
    except Exception:
        pass  # the server forgets it by itself, in time


async def _verify(account: Account, session: Session, url: Url, call: Call) -> None:
    command = "validateUserTwoFactorAuthenticationCode"
    try:
        code = await _code(account, call)
    except Exception:
        await log_out(session, url, call)
        raise
    request = session.on(_request(command, [("codefor2fa", code)], url, call))
    payload(masked(await call.fetch(request, "second factor"), [code, *session.secrets]), command)


async def _code(account: Account, call: Call) -> str:
    factor = account.second_factor
    if factor is None:
        raise CloudStackSecondFactorError(
            "This account has a second factor, and Login(…) was given none", command="login"
        )
    given = factor if isinstance(factor, Secret) else await call.runtime.offload(factor)  # it may ask a person
    code: object = await given if isawaitable(given) else given
    code = code.reveal() if isinstance(code, Secret) else code
    return sendable("the code of second_factor", code.strip() if isinstance(code, str) else code)


def _request(command: str, pairs: Iterable[tuple[str, str]], url: Url, call: Call) -> Request:
    form = [("command", command), *pairs, ("response", "json")]
    return Request("POST", url, headers=_FORM.over(call.options.headers), body=urlencode(form).encode())


def _is_true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")
