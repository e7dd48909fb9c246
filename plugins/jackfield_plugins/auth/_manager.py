"""The one manager of tokens: who asks for them, when, and how often; whatever the scheme, the colour or the thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable
from math import inf

from jackfield import Call, ConfigurationError, Flights, JackfieldError, Secret, check_seconds

from ._renewal import Renewal
from ._source import TokenSource
from ._store import TokenStore
from ._token import Token, same

REFRESH_AHEAD, REFRESH_MARGIN = 300.0, 30.0  # seconds
_PAUSE = 30.0  # seconds between two attempts to refresh ahead of time
_PATIENCE = 10.0  # seconds that refreshing ahead may cost the one caller who does it
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

    Attributes:
        identity: a digest that tells whose tokens these are, where the source does; and else, whose they are not.

    Raises:
        ConfigurationError: the source cannot be asked, or a time makes no sense.
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
        if not callable(getattr(source, "grant", None)) or not callable(getattr(source, "refresh", None)):
            raise ConfigurationError(f"source is a TokenSource (`grant`, `refresh`), not {type(source).__name__}")
        self.identity: bytes = getattr(source, "identity", None) or os.urandom(32)
        self._ahead = check_seconds("refresh_ahead", refresh_ahead, zero=True)
        self._margin = check_seconds("refresh_margin", refresh_margin, zero=True)
        self._renewal = Renewal(source, store, token, self._good, self._calm_until)
        self._proven: Secret | None = None
        self._replaced_at = -inf  # when a rejected token was replaced last, by the wall clock
        self._flights = Flights()
        self._guard = threading.Lock()
        self._next_ahead = -inf  # when somebody may refresh ahead of time, by the wall clock

    async def token(self, call: Call) -> Token:
        """A token that is good for this call. It is asked for where `ready` has none.

        Raises:
            TokenError: the service gives none.
            JackfieldError: the token service did not answer, or not as agreed.
        """
        token, now = self._renewal.token, call.runtime.now()
        if token is None or not self._good(token, now):
            token = await self._renewed(token, call)
        if token.expires_at is None or token.expires_at - now >= _window(token, self._ahead, _AHEAD):
            return token
        return await self._renewed_ahead(token, call) if self._take_turn(now) else token

    def ready(self, now: float) -> Token | None:
        """The token, if nothing has to be done about it, as mostly; None: `token` is to be awaited."""
        return self._renewal.ready(now)

    @property
    def current(self) -> Token | None:
        """The last token that was had, be it good or not."""
        return self._renewal.token or self._renewal.given

    def accept(self, token: Token) -> None:
        """The service took this token."""
        self._proven = token.access_token

    def reject(self, token: Token, now: float) -> bool:
        """The service does not take this token; whether there is, or should be, another. One that came after it stays.

        A token that replaced a rejected one, and was never taken itself, is not replaced for half a minute: it is not
        the token that is wrong.
        """
        with self._guard:
            current = self._renewal.token
            if current is None or not same(current, token):
                return True
            if self._proven is not current.access_token and self._replaced_at <= now < self._replaced_at + _PAUSE:
                return False
            self._renewal.token = current._replace(expires_at=0.0)
            self._replaced_at = now
            return True

    async def _renewed(self, seen: Token | None, call: Call) -> Token:
        def renew() -> Awaitable[Token]:
            return self._renewal.renew(seen, call)

        try:
            token = await self._flights.join(call.runtime, "token", renew, call.limit(inf))
        except TimeoutError as error:
            raise call.overdue() from error
        self._next_ahead = -inf
        return token

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

    def _calm_until(self, token: Token) -> float:
        if token.expires_at is None:
            return inf
        return token.expires_at - max(_window(token, self._ahead, _AHEAD), _window(token, self._margin, _MARGIN))

    def _good(self, token: Token, now: float) -> bool:
        return token.expires_at is None or token.expires_at - now > _window(token, self._margin, _MARGIN)


def _window(token: Token, seconds: float, share: float) -> float:
    return min(seconds, share * (token.lifetime or 0.0))
