"""What can be set of the emulator, while it runs too; no state of the cloud."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, TypeAlias, TypedDict, get_args

from jackfield_services._given import expect

from ._sessions import SessionCheck
from ._signature import Dates, Digest
from ._throttle import Throttle
from ._wire import JSON_TYPE

Count: TypeAlias = Literal["total", "page", "absent"]

UNLIMITED = -1
_CHOICES: Mapping[str, tuple[Any, ...]] = {
    "count": get_args(Count),
    "signature_algorithm": get_args(Digest),
    "expires_dates": get_args(Dates),
    "session_check": get_args(SessionCheck),
}
_WHOLE, _SWITCH = (int, "a whole number"), (bool, "True or False")
_KINDS: Mapping[str, tuple[type | UnionType, str]] = {
    "page_size_limit": _WHOLE,
    "job_polls": _WHOLE,
    "numbered_jobs": _SWITCH,
    "text_success": _SWITCH,
    "content_type": (str, "a text"),
    "enforce_post": _SWITCH,
    "session_timeout": (int | float, "a number of seconds"),
    "throttle": (Throttle | None, "a Throttle or None"),
}


class Options(TypedDict, total=False):
    """The settings by name; `CloudStackEmulator` says what they mean."""

    count: Count
    page_size_limit: int
    unpaged: Collection[str]
    job_polls: int
    numbered_jobs: bool
    text_success: bool
    content_type: str
    signature_algorithm: Digest
    expires_dates: Dates
    enforce_post: bool
    session_timeout: float
    session_check: SessionCheck
    throttle: Throttle | None
    now: Callable[[], float]


@dataclass(kw_only=True, eq=False, repr=False)
class Settings:
    """The settings and what they are unless somebody says otherwise."""

    count: Count = "total"
    page_size_limit: int = 500
    unpaged: Collection[str] = ()
    job_polls: int = 3
    numbered_jobs: bool = False
    text_success: bool = False
    content_type: str = JSON_TYPE
    signature_algorithm: Digest = "sha1"
    expires_dates: Dates = "new"
    enforce_post: bool = False
    session_timeout: float = 1800
    session_check: SessionCheck = "CookieAndParameter"
    throttle: Throttle | None = None
    now: Callable[[], float] = time.time

    def __setattr__(self, name: str, value: Any) -> None:
        self._check(name, value)
        super().__setattr__(name, value)

    def _check(self, name: str, value: Any) -> None:
        if name in _KINDS:
            kind, words = _KINDS[name]
            expect(value, kind, f"{name} is {words}")
        if name == "unpaged" and isinstance(value, str):
            raise TypeError(f"unpaged is a list of commands, not {value!r}")
        if name in _CHOICES and value not in _CHOICES[name]:
            raise ValueError(f"{name} is one of {', '.join(map(repr, _CHOICES[name]))}, not {value!r}")
        if name == "job_polls" and value < 0:
            raise ValueError("job_polls is a count: 0 or more")
        if name == "page_size_limit" and value != UNLIMITED and value < 1:
            raise ValueError("page_size_limit is 1 or more, or -1 for no limit")
        if name == "now" and not callable(value):
            raise TypeError(f"now is a function, not {value!r}")
