"""Sessions: opened by a login, found by cookie and key, ended by a logout, by time, or by what is wrong with one."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ._users import User

SessionCheck: TypeAlias = Literal["CookieAndParameter", "CookieOrParameter", "ParameterOnly"]

_COOKIE = "JSESSIONID"
KEY = "sessionkey"


@dataclass(slots=True, kw_only=True)
class Session:
    """One session that is open; `verified` says whether it may run every command, as far as a second factor goes."""

    id: str
    key: str = field(repr=False)
    user: User
    verified: bool
    used: float

    def cookies(self) -> tuple[str, ...]:
        """What a login sets: Jetty puts the name of its node behind the session's id; sessionkey has no path."""
        return f"{_COOKIE}={self.id}.node0; Path=/client; HttpOnly", f"{KEY}={self.key};HttpOnly"

    def proved(self, cookies: Mapping[str, str], parameters: Mapping[str, str], check: SessionCheck) -> bool:
        """HttpUtils.validateSessionKey: the key where `api.sessionkey.check.locations` wants it, and wrong nowhere."""
        found = (cookies.get(KEY), parameters.get(KEY))
        wrong = any(key is not None and not same(key, self.key) for key in found)
        in_cookie, in_parameter = (key is not None for key in found)
        needed = {
            "CookieOrParameter": in_cookie or in_parameter,
            "ParameterOnly": in_parameter,
            "CookieAndParameter": in_cookie and in_parameter,
        }
        return needed[check] and not wrong


class Sessions:
    """The sessions that are open, by the id in their cookie."""

    def __init__(self) -> None:
        self._open: dict[str, Session] = {}
        self._opened = 0

    def all(self, now: float, timeout: float) -> tuple[Session, ...]:
        """Those that have been idle for less than `timeout` seconds."""
        self._open = {id_: session for id_, session in self._open.items() if now - session.used < timeout}
        return tuple(self._open.values())

    def open(self, user: User, now: float) -> Session:
        """A new one; keys are 20 bytes in base64url, and the same in every run."""
        self._opened += 1
        id_ = f"node0{hashlib.sha256(f'id {self._opened}'.encode()).hexdigest()[:26]}"
        key = (
            base64.urlsafe_b64encode(hashlib.sha256(f"key {self._opened}".encode()).digest()[:20]).decode().rstrip("=")
        )
        session = Session(id=id_, key=key, user=user, verified=user.second_factor is None, used=now)
        self._open[id_] = session
        return session

    def find(self, cookies: Mapping[str, str], now: float, timeout: float) -> Session | None:
        """The one of these cookies, if it is open still; to be asked for makes it last longer."""
        self.all(now, timeout)
        id_, _, node = cookies.get(_COOKIE, "").partition(".")
        session = self._open.get(id_) if node else None
        if session is not None:
            session.used = now
        return session

    def end(self, session: Session) -> None:
        """That one is no more."""
        self._open.pop(session.id, None)

    def end_all(self) -> None:
        """None is left, as after a restart of the server."""
        self._open.clear()


def same(one: str, other: str) -> bool:
    """Whether two secrets are the same."""
    return hmac.compare_digest(one.encode(), other.encode())


def cookies_in(header: str) -> dict[str, str]:
    """The cookies of a request by name; the first of a name counts."""
    pairs = (pair.strip().partition("=") for pair in header.split(";"))
    return {name: value.strip('"') for name, equals, value in reversed(list(pairs)) if equals}


def forgotten(cookies: Mapping[str, str]) -> tuple[str, ...]:
    """What a logout sets: each cookie of the request again, empty and over."""
    return tuple(f"{name}=; Max-Age=0" for name in cookies)
