"""What is put on each attempt before it is signed, and checked when its signature is: times, ids, constants."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from jackfield import Request, Runtime, SignatureError, check_seconds

from ._checks import check_kind
from ._fields import Field

_is_unix_time = re.compile(r"[0-9]{10}").fullmatch  # from 2001 to 2286, all of one length: see HmacRecipe
_is_date = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{4}").fullmatch
_ISO = "%Y-%m-%dT%H:%M:%S%z"


@dataclass(frozen=True, slots=True)
class Constant:
    """The same in every message."""

    field: Field
    value: str

    def __post_init__(self) -> None:
        check_kind("the value of a Constant", self.value, str, "text")

    def on(self, request: Request, runtime: Runtime) -> Request:
        return self.field.put(request, self.value)

    def check(self, given: str, now: float) -> None:
        if given != self.value:
            raise SignatureError(f"{self.field} is not {self.value!r}")


@dataclass(frozen=True, slots=True)
class UnixTime:
    """When it was signed, in seconds since 1970.

    Attributes:
        field: where it stands.
        tolerance: how many seconds the clocks of sender and receiver may be apart, either way, delivery included.
    """

    field: Field
    tolerance: float = 300

    def __post_init__(self) -> None:
        check_seconds("tolerance", self.tolerance)

    def on(self, request: Request, runtime: Runtime) -> Request:
        return self.field.put(request, str(int(runtime.now())))

    def check(self, given: str, now: float) -> None:
        if not _is_unix_time(given):
            raise SignatureError(f"{self.field} is no time in seconds since 1970, of ten digits")
        age = now - int(given)
        if not -self.tolerance <= age <= self.tolerance:
            where = f"{age:.0f} s old" if age > 0 else f"{-age:.0f} s ahead"
            raise SignatureError(
                f"the timestamp is {where}, {self.tolerance:g} are allowed: is a clock wrong, or is this a replay?"
            )


@dataclass(frozen=True, slots=True)
class Expiry:
    """Until when it is good: `2026-11-20T12:00:00+0000` (ISO 8601, to the second, UTC).

    Attributes:
        field: where it stands.
        seconds: how long after it was signed.
    """

    field: Field
    seconds: float

    def __post_init__(self) -> None:
        check_seconds("seconds", self.seconds)

    def on(self, request: Request, runtime: Runtime) -> Request:
        return self.field.put(request, datetime.fromtimestamp(int(runtime.now() + self.seconds), UTC).strftime(_ISO))

    def check(self, given: str, now: float) -> None:
        try:
            late = now - datetime.fromisoformat(given if _is_date(given) else "").timestamp()
        except (ValueError, OverflowError):
            raise SignatureError(f"{self.field} is no date like 2026-11-20T12:00:00+0000") from None
        if not late <= 0:
            raise SignatureError(f"the request expired {late:.0f} s ago: is a clock wrong, or is this a replay?")


@dataclass(frozen=True, slots=True)
class UniqueId:
    """An id that nobody can foretell, another for each attempt; one that the request has already is kept.

    Attributes:
        field: where it stands.
        prefix: what each begins with.
    """

    field: Field
    prefix: str = ""

    def __post_init__(self) -> None:
        check_kind("the prefix of a UniqueId", self.prefix, str, "text")

    def on(self, request: Request, runtime: Runtime) -> Request:
        if self.field.values(request):
            return request
        return self.field.put(request, self.prefix + runtime.token_bytes(16).hex())

    def check(self, given: str, now: float) -> None:
        if not given:
            raise SignatureError(f"{self.field} is empty")


Stamp: TypeAlias = Constant | UnixTime | Expiry | UniqueId
