"""How a token is renewed (RFC 6749 §6): what may be sent, what has been, and what other processes know of it."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from jackfield import (
    Call,
    DeadlineExceededError,
    JackfieldError,
    NetworkError,
    Secret,
    ServiceError,
    TokenRefreshed,
)

from ._answer import TokenError
from ._shelf import Shelf
from ._source import TokenSource
from ._store import TokenStore
from ._token import Token, same

_SPENT = Token("none", expires_at=0.0)  # what a store holds while a grant that is good once is on its way


class Renewal:
    """Renews one token, for one caller at a time, and sends nothing twice that is good once.

    Args:
        source: where tokens come from.
        store: where they are kept besides; None: in this object only.
        given: a token to begin with.
        is_good: whether a token is good at a time, in seconds since 1970.
        calm_until: when something has to be done about a token, in seconds since 1970.
    """

    def __init__(
        self,
        source: TokenSource,
        store: TokenStore | None,
        given: Token | None,
        is_good: Callable[[Token, float], bool],
        calm_until: Callable[[Token], float],
    ) -> None:
        self._source = source
        self._shelf = Shelf(store, source.key)
        self._is_good = is_good
        self._calm_until = calm_until
        self._granted = False
        self.given = given and given._replace(login=source.login)
        self._had: tuple[Token | None, float] = (None, -inf)  # and until when it is left alone

    @property
    def token(self) -> Token | None:
        """The last that was had."""
        return self._had[0]

    @token.setter
    def token(self, token: Token) -> None:
        self._had = token, self._calm_until(token)

    def ready(self, now: float) -> Token | None:
        """The token, if nothing has to be done about it."""
        token, until = self._had
        return token if now < until else None

    async def renew(self, seen: Token | None, call: Call) -> Token:
        """A token that is good, and another than the one that was seen."""
        current = self.token
        if current is not None and current is not seen and self._is_good(current, call.runtime.now()):
            return current
        lock = self._shelf.lock()
        try:
            await self._shelf.acquire(lock, call)
            last = await self._last(current, call)
            if last is None or same(last, current) or not self._is_good(last, call.runtime.now()):
                last = await self._obtain(last, call)
                await self._keep(last, call)
            elif last is self.given:
                await self._keep(last, call)
            self.token = last
            return last
        finally:
            if lock is not None:
                lock.release()

    async def _last(self, current: Token | None, call: Call) -> Token | None:
        """The latest token there is, here or in the store, which knows better if it could be written to."""
        kept = await self._shelf.load(call)
        if kept is None or self._shelf.is_behind or self._source.login not in (None, kept.login):
            return current or self.given
        if current is not None and same(kept, current):
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
                if self.token is last or not self._source.repeatable:
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
                self.token = last
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
        self.token = token
        await self._shelf.save(token, call)


def _unused(error: BaseException, asking: Call) -> bool:
    """Whether the token service has certainly not seen the request."""
    return not asking.fetched and not (isinstance(error, NetworkError) and error.sent)


def _declined(error: BaseException) -> bool:
    """Whether it has seen it, and said that it did nothing."""
    return isinstance(error, ServiceError) and error.status in (429, 503)
