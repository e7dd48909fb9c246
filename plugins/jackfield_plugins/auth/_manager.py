"""The one manager of tokens: who asks for them, when, and how often; whatever the scheme, the colour or the thread."""

from __future__ import annotations

import threading
from math import inf

from jackfield import (
    Call,
    DeadlineExceededError,
    Flights,
    JackfieldError,
    NetworkError,
    Secret,
    ServiceError,
    TokenRefreshed,
    check_seconds,
)

from ._answer import TokenError
from ._shelf import Shelf
from ._source import TokenSource
from ._store import TokenStore
from ._token import Token

REFRESH_AHEAD, REFRESH_MARGIN = 300.0, 30.0  # seconds
_PAUSE = 30.0  # seconds between two attempts to refresh ahead of time
_PATIENCE = 10.0  # seconds that refreshing ahead may cost the one caller who does it
_SPENT = Token("none", expires_at=0.0)  # what a store holds while a grant that is good once is on its way
_AHEAD, _MARGIN = 0.25, 0.1  # of a token's lifetime at most, so that short-lived ones are used as well


class TokenManager:
    """Gives every caller a good token, and asks for as few as can be. One object may serve many clients.

    Until `refresh_ahead` seconds before a token ends it is simply used. From then on one caller renews it while the
    rest go on with it. In the last `refresh_margin` seconds, and without a token, everybody waits for the one who
    works. For tokens of a short life both are a part of it.

    Args:
        source: where tokens come from.
        store: where they are kept besides; None: in this object only.
        token: one to begin with.
        refresh_ahead: seconds before the end when one caller renews.
        refresh_margin: seconds before the end when all wait.
    """

    def __init__(
        self,
        source: TokenSource,
        *,
        store: TokenStore | None = None,
        token: Token | None = None,
        refresh_ahead: float = REFRESH_AHEAD,
        refresh_margin: float = REFRESH_MARGIN,
    ) -> None:
        self._source = source
        self._shelf = Shelf(store, source.key)
        self._ahead = check_seconds("refresh_ahead", refresh_ahead, zero=True)
        self._margin = check_seconds("refresh_margin", refresh_margin, zero=True)
        self._given = token and token._replace(login=source.login)
        self._token: Token | None = None
        self._proven: Secret | None = None
        self._replaced_at = -inf  # when a rejected token was replaced last, by the wall clock
        self._flights = Flights()
        self._guard = threading.Lock()
        self._next_ahead = -inf  # when somebody may refresh ahead of time, by the wall clock
        self._granted = False

    async def token(self, call: Call) -> Token:
        """A token that is good for this call.

        Raises:
            TokenError: the service gives none.
            JackfieldError: the token service did not answer, or not as agreed.
        """
        token, now = self._token, call.runtime.now()
        if token is None or not self._good(token, now):
            token = await self._renewed(token, call)
        if token.expires_at is None or token.expires_at - now >= _window(token, self._ahead, _AHEAD):
            return token
        return await self._renewed_ahead(token, call) if self._take_turn(now) else token

    @property
    def current(self) -> Token | None:
        """The last token that was had, be it good or not."""
        return self._token or self._given

    def accept(self, token: Token) -> None:
        """The service took this token."""
        self._proven = token.access_token

    def reject(self, token: Token, now: float) -> bool:
        """The service does not take this token; whether there is, or should be, another. One that came after it stays.

        A token that replaced a rejected one, and was never taken itself, is not replaced for half a minute: it is not
        the token that is wrong.
        """
        with self._guard:
            current = self._token
            if current is None or not _same(current, token):
                return True
            if self._proven is not current.access_token and self._replaced_at <= now < self._replaced_at + _PAUSE:
                return False
            self._token = current._replace(expires_at=0.0)
            self._replaced_at = now
            return True

    async def _renewed(self, seen: Token | None, call: Call) -> Token:
        try:
            return await self._flights.join(call.runtime, "token", lambda: self._renew(seen, call), call.limit(inf))
        except TimeoutError as error:
            raise call.overdue() from error

    async def _renewed_ahead(self, token: Token, call: Call) -> Token:
        try:
            return await self._renewed(token, call.bounded(_PATIENCE))
        except JackfieldError:
            return token  # it is still good; whoever needs another will be told what is wrong

    def _take_turn(self, now: float) -> bool:
        with self._guard:
            if now < self._next_ahead <= now + _PAUSE:  # beyond that the clock was set back
                return False
            self._next_ahead = now + _PAUSE
            return True

    async def _renew(self, seen: Token | None, call: Call) -> Token:
        current = self._token
        if current is not None and current is not seen and self._good(current, call.runtime.now()):
            return current
        lock = self._shelf.lock()
        try:
            await self._shelf.acquire(lock, call)
            last = await self._last(current, call)
            if last is None or _same(last, current) or not self._good(last, call.runtime.now()):
                last = await self._obtain(last, call)
                await self._keep(last, call)
            elif last is self._given:
                await self._keep(last, call)
            self._token = last
            self._next_ahead = -inf
            return last
        finally:
            if lock is not None:
                lock.release()

    async def _last(self, current: Token | None, call: Call) -> Token | None:
        """The latest token there is, here or in the store, which knows better if it could be written to."""
        kept = await self._shelf.load(call)
        if kept is None or self._shelf.is_behind or self._source.login not in (None, kept.login):
            return current or self._given
        if current is not None and _same(kept, current):
            # Whether it is good is known here; whether its refresh token is spent, perhaps by another process, there.
            return current._replace(refresh_token=kept.refresh_token)
        return kept

    async def _obtain(self, last: Token | None, call: Call) -> Token:
        if last is not None and last.refresh_token is not None:
            try:
                return await self._refresh(last, last.refresh_token, call)
            except DeadlineExceededError:
                raise
            except JackfieldError:
                if self._token is last or not self._source.repeatable:
                    raise
        return await self._grant(last, call)

    async def _refresh(self, last: Token, refresh_token: Secret, call: Call) -> Token:
        asking = call.bounded(inf)
        try:
            # It may be good once, and whoever sends it twice may lose all: from here on it is spent, whatever comes.
            await self._keep(last._replace(refresh_token=None), call)
            if self._shelf.is_behind and self._source.repeatable:  # nobody else could know that it is
                return await self._grant(last, call)
            token = await self._source.refresh(refresh_token, asking)
        except BaseException as error:
            if _unused(error, asking) or (_declined(error) and not self._source.repeatable):
                self._token = last
                await self._resave(last, error, call)
            raise
        call.emit(TokenRefreshed(call.operation, "refresh_token", token.lifetime))
        return token._replace(login=last.login)

    async def _grant(self, last: Token | None, call: Call) -> Token:
        source, once = self._source, not self._source.repeatable
        if once and (self._granted or (last is not None and last.login is not None)):
            raise TokenError(f"what the grant {source.name!r} has is good once, and was used: log in again")
        asking = call.bounded(inf)
        try:
            if once:
                self._granted = True
                await self._shelf.save(_SPENT._replace(login=source.login), call)
            token = await source.grant(asking)
        except BaseException as error:
            if once and (_unused(error, asking) or _declined(error)):
                self._granted = False
                await self._resave(_SPENT, error, call)
            raise
        call.emit(TokenRefreshed(call.operation, source.name, token.lifetime))
        return token._replace(login=source.login)

    async def _resave(self, token: Token, error: BaseException, call: Call) -> None:
        if not isinstance(error, GeneratorExit):  # after which nothing may be awaited
            await self._shelf.save(token, call)

    async def _keep(self, token: Token, call: Call) -> None:
        self._token = token
        await self._shelf.save(token, call)

    def _good(self, token: Token, now: float) -> bool:
        return token.expires_at is None or token.expires_at - now > _window(token, self._margin, _MARGIN)


def _same(one: Token, other: Token | None) -> bool:
    return other is not None and one.access_token == other.access_token


def _window(token: Token, seconds: float, share: float) -> float:
    return min(seconds, share * (token.lifetime or 0.0))


def _unused(error: BaseException, asking: Call) -> bool:
    """Whether the token service has certainly not seen the request."""
    return not asking.fetched and not (isinstance(error, NetworkError) and error.sent)


def _declined(error: BaseException) -> bool:
    """Whether it has seen it, and said that it did nothing."""
    return isinstance(error, ServiceError) and error.status in (429, 503)
