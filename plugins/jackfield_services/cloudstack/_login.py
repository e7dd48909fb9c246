"""Sessions in place of keys: who logs in, when, and how often; one session for all who share a `Login`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from hashlib import sha256
from math import inf

from jackfield import (
    Call,
    ConfigurationError,
    Flights,
    NetworkError,
    Proceed,
    Request,
    Response,
    Secret,
    Stage,
    Step,
    Url,
    hookimpl,
)

from ._account import Account, SecondFactor
from ._end_point import EndPoint
from ._errors import CloudStackSecondFactorError, CloudStackUnauthorizedError
from ._logging_in import log_in, log_out
from ._refusal import refuses_who_asks
from ._secrecy import masked
from ._session import Session

_PLANNED = Session(Secret("not-logged-in"), (("JSESSIONID", Secret("not-logged-in")),))


class Login:
    """Logs in when the first command is sent, again once the session has ended, and out when the last client closes.

    One object may serve clients of either colour, in threads and tasks: they share a session, and one of them logs in.

    Args:
        username: the account's user.
        password: kept as a `Secret`.
        domain: the path of the user's domain, as the web interface takes it or as `listDomains` tells it: `"/sales/"`,
            `"ROOT/sales"`; ROOT if None.
        domain_id: the domain's id, in place of its path.
        second_factor: the code, where it is always the same; or a function, plain or `async def`, that gives one
            whenever somebody logs in. That has to happen within the client's `timeout`.
        allow_http: whether the password may go to another machine over plain http.

    Raises:
        ConfigurationError: one of them makes no sense.
    """

    name = "auth"

    def __init__(
        self,
        username: str,
        password: str | Secret,
        *,
        domain: str | None = None,
        domain_id: str | None = None,
        second_factor: SecondFactor | None = None,
        allow_http: bool = False,
    ) -> None:
        self._account = Account.of(username, password, domain, domain_id, second_factor)
        self._allow_http = allow_http
        self._flights = Flights()
        self._end_points: dict[Url, EndPoint] = {}

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.AUTH, self._run)]

    @hookimpl
    def jackfield_identity(self) -> bytes:
        account = self._account
        return sha256(repr((account.username, account.password.reveal(), account.place)).encode()).digest()

    def opened(self, client: object, url: Url) -> None:
        """This client uses the session at this end point.

        Raises:
            ConfigurationError: the password would go there for all to read.
        """
        if url.origin.scheme == "http" and not (self._allow_http or _is_loopback(url.origin.host)):
            raise ConfigurationError(
                f"the password would go to {url.origin} for all to read: use https, or say Login(…, allow_http=True)"
            )
        self._end_points.setdefault(url, EndPoint(url)).clients.add(client)

    async def closed(self, client: object, url: Url, call: Call) -> None:
        """It uses it no longer. Whoever is the last logs out, as far as that can be done in a few seconds."""
        at = self._end_point(url)
        at.clients.discard(client)  # a view is not among them, and leaves the session to the client it was made from
        if not at.clients and (session := at.leave(call.runtime.monotonic())) is not None:
            await log_out(session, at.url, call)

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        if call.dry:  # nothing is sent, so nobody logs in
            return await proceed((self._end_point(request.url).latest or _PLANNED).on(request), call)
        response, refused = await self._sent(request, call, proceed)
        if refused:  # the server knew no such session, and did nothing: with another one it may
            response, _ = await self._sent(request, call, proceed)
        return response

    async def _sent(self, request: Request, call: Call, proceed: Proceed) -> tuple[Response, bool]:
        at = self._end_point(request.url)
        session, now = await self._session(at, call), call.runtime.monotonic()
        response = await proceed(session.on(request), call)
        refused = refuses_who_asks(response)
        if refused:
            at.end(session)
        else:
            at.used(session, now)
        return response if response.status == 200 else masked(response, session.secrets), refused

    async def _session(self, at: EndPoint, call: Call) -> Session:
        session = at.session(call.runtime.monotonic())
        if session is not None:
            return session
        try:
            return await self._flights.join(call.runtime, at.url, partial(self._open, at, call), call.limit(inf))
        except TimeoutError as error:
            raise call.overdue() from error
        except NetworkError as error:
            error.sent = False  # whatever became of the login: the call's own request has not been sent
            raise

    async def _open(self, at: EndPoint, call: Call) -> Session:
        now = call.runtime.monotonic()
        if (session := at.session(now)) is not None:  # of who led before this one asked
            return session
        at.check(now)
        try:
            session = await log_in(self._account, at.url, call)
        except CloudStackUnauthorizedError as error:
            if not (isinstance(error, CloudStackSecondFactorError) and callable(self._account.second_factor)):
                at.refuse(error, now)
            raise
        at.open(session, now)
        return session

    def _end_point(self, url: Url) -> EndPoint:
        """The one with this address; of another, a redirect's, the one of its origin: its session is good there."""
        known = self._end_points.get(url)
        same = (at for at in tuple(self._end_points.values()) if at.url.origin == url.origin)
        return known or next(same, None) or self._end_points.setdefault(url, EndPoint(url))


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
