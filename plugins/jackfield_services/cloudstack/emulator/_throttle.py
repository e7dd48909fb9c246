"""The rate limit: ApiRateLimitServiceImpl of CloudStack, which counts an account's calls in an interval."""

from dataclasses import dataclass
from math import ceil

from jackfield_services._given import expect

from ._users import User
from ._wire import ApiError, JsonObject

_TEXT = "The given user has reached his/her account api limit, please retry after [{}] ms."


@dataclass(frozen=True, slots=True)
class Throttle:
    """So many calls an account may make in so many seconds, which begin with its first; root administrators, any."""

    calls: int = 30
    seconds: float = 1

    def __post_init__(self) -> None:
        expect(self.calls, int, "calls of a Throttle is a whole number")
        expect(self.seconds, int | float, "seconds of a Throttle is a number")
        if self.calls < 0 or self.seconds <= 0:
            raise ValueError("a Throttle allows 0 calls or more in more than 0 seconds")


def over_the_limit(milliseconds: int) -> ApiError:
    """The refusal that says in its text when to come again; there is no Retry-After."""
    return ApiError(429, _TEXT.format(milliseconds))


class Limits:
    """How many calls each account has made in its interval."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[float, int]] = {}

    def count(self, user: User, throttle: Throttle | None, now: float) -> None:
        """One call more: ApiError where that is one too many."""
        if throttle is None or user.role == "Admin":
            return
        began, calls = self._interval(user, throttle, now)
        self._counts[user.account_id] = began, calls + 1
        if calls >= throttle.calls:
            raise over_the_limit(_milliseconds(began + throttle.seconds - now))

    def shown(self, user: User, throttle: Throttle | None, now: float) -> JsonObject:
        """What getApiLimit says; its fields are in camel case, as no other's."""
        throttle = throttle or Throttle()
        began, calls = self._interval(user, throttle, now)
        left = _milliseconds(began + throttle.seconds - now)
        account: JsonObject = {"accountid": user.account_id, "account": user.username}
        return {**account, "apiIssued": calls, "apiAllowed": throttle.calls - calls, "expireAfter": left}

    def _interval(self, user: User, throttle: Throttle, now: float) -> tuple[float, int]:
        began, calls = self._counts.get(user.account_id, (now, 0))
        return (began, calls) if now - began < throttle.seconds else (now, 0)


def _milliseconds(seconds: float) -> int:
    """In whole ones, and never too few."""
    return ceil(round(seconds * 1000, 3))
