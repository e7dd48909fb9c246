"""What can be set of the emulator, while it runs too; no state of the server."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypedDict

from jackfield_services._given import expect

from ._quirks import Quirk

FastApi: TypeAlias = Literal["0.99.1", "0.78.0"]

_COUNTS = ("polls", "clean_every", "max_downloads", "max_downloads_per_domain")


class Options(TypedDict, total=False):
    """The settings by name; `BuffyEmulator` says what they mean."""

    polls: int
    clean_every: float
    max_downloads: int
    max_downloads_per_domain: int
    quirks: Collection[Quirk]
    now: Callable[[], float]


@dataclass(kw_only=True, eq=False, repr=False)
class Settings:
    """The settings and what they are unless somebody says otherwise."""

    fastapi: FastApi
    polls: int = 1
    clean_every: float = 60
    max_downloads: int = 4
    max_downloads_per_domain: int = 1
    quirks: Collection[Quirk] = frozenset(Quirk)
    now: Callable[[], float] = time.time

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _COUNTS:
            expect(value, int | float if name == "clean_every" else int, f"{name} is a number")
            if value < 0:
                raise ValueError(f"{name} is 0 or more")
        if name == "fastapi" and value not in ("0.99.1", "0.78.0"):
            raise ValueError(f'fastapi is "0.99.1" or "0.78.0", not {value!r}')
        if name == "quirks":
            expect(value, Collection, "quirks is a collection of Quirks")
            for quirk in value:
                expect(quirk, Quirk, "a quirk is a Quirk, as in Quirk.DIES")
            value = frozenset(value)
        if name == "now" and not callable(value):
            raise TypeError(f"now is a function, not {value!r}")
        super().__setattr__(name, value)
