"""What a test has gone wrong with an emulator: faults that wait for the requests that they are meant for."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from http import HTTPMethod
from types import UnionType
from typing import Generic, TypeVar

from ._given import expect

F = TypeVar("F")
R = TypeVar("R")


@dataclass(slots=True)
class _Waiting(Generic[F, R]):
    fault: F | int
    times: int
    fits: Callable[[R], bool]


class Injected(Generic[F, R]):
    """Faults, first in, first out; each for the next requests that fit it. An int is an HTTP status.

    Args:
        kinds: what else a fault may be.
        what: the same in words, for who gives another.
    """

    def __init__(self, kinds: type[F] | UnionType, what: str) -> None:
        self._kinds = kinds | int
        self._what = what
        self._waiting: list[_Waiting[F, R]] = []

    def add(self, fault: F | int, times: int, fits: Callable[[R], bool]) -> None:
        """Has it happen so many times to requests that fit."""
        expect(fault, self._kinds, f"a fault is {self._what} or an HTTP status, as in 503")
        expect(times, int, "times is a whole number")
        if isinstance(fault, int) and not 400 <= fault <= 599:
            raise ValueError(f"an injected HTTP status is one of 400 to 599, not {fault}")
        if times < 1:
            raise ValueError(f"a fault is injected once or more, not {times} times")
        self._waiting.append(_Waiting(fault, times, fits))

    def take(self, request: R) -> F | int | None:
        """The first fault that waits for such a request."""
        for waiting in self._waiting:
            if waiting.fits(request):
                waiting.times -= 1
                if not waiting.times:
                    self._waiting.remove(waiting)
                return waiting.fault
        return None


def at(path: str, method: str | None) -> Callable[[tuple[str, str]], bool]:
    """Whether a request, its method and path, is at a path like this, `/nodes/*` say; of this method, or of any."""
    expect(path, str, "path is a pattern")
    expect(method, str | None, "method is a text")
    if not path.startswith(("/", "*")):
        raise ValueError(f"path begins with / or *, not {path!r}")
    wanted = None if method is None else HTTPMethod(method.upper())
    return lambda request: fnmatchcase(request[1], path) and wanted in (None, request[0])
