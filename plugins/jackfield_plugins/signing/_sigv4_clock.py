"""The service's clock, as its Date headers tell it: what a signature's time is corrected by."""

from __future__ import annotations

from time import gmtime, strftime

from jackfield import Origin, Response, UsageError, parse_http_date

_TOLERANCE = 240.0  # seconds; AWS refuses a request that is more than 300 off
_REFUSED = (400, 401, 403)  # which of them it is for a request that is too old differs between services
_YEAR_2100 = 4_102_444_800.0
_YEAR_10000 = 253_402_300_800.0


class ServiceClocks:
    """By how many seconds each origin's clock is ahead of this machine's. May be shared between threads."""

    def __init__(self) -> None:
        self._ahead: dict[Origin, float] = {}

    def ahead(self, origin: Origin) -> float:
        """What to add to this machine's time."""
        return self._ahead.get(origin, 0.0)

    def learn(self, origin: Origin, response: Response, now: float, added: float) -> bool:
        """Remembers the difference if an answer refuses a request, and the time in it explains that.

        Args:
            origin: who answered.
            response: the answer.
            now: this machine's time, seconds since 1970.
            added: the seconds that were added to it when the request was signed.
        """
        if response.status not in _REFUSED:
            return False
        date = parse_http_date(response.headers.get("date", ""), now)
        if date is None or not 0 <= date < _YEAR_2100 or abs(date - now - added) <= _TOLERANCE:
            return False
        self._ahead[origin] = date - now
        return True

    def confirm(self, origin: Origin, response: Response, before: float) -> None:
        """Goes back to what was added before if the corrected request is refused, too: it was not the clock."""
        if response.status in _REFUSED:
            self._ahead[origin] = before


def timestamp(seconds: float) -> str:
    """The time as X-Amz-Date has it, `"20150830T123600Z"`.

    Raises:
        UsageError: it is no time from 1970 to 9999.
    """
    if not 0 <= seconds < _YEAR_10000:
        raise UsageError(f"a signature's time is seconds since 1970, not {seconds!r}")
    return strftime("%Y%m%dT%H%M%SZ", gmtime(seconds))
