"""What can be set of the emulator, while it runs too; no state of the cloud."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypedDict

from ._sessions import SessionCheck
from ._signature import Dates, Digest
from ._throttle import Throttle
from ._wire import JSON_TYPE

Count: TypeAlias = Literal["total", "page", "absent"]

UNLIMITED = -1


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

    def __post_init__(self) -> None:
        if self.job_polls < 0:
            raise ValueError("job_polls is a count: 0 or more")
        if self.page_size_limit != UNLIMITED and self.page_size_limit < 1:
            raise ValueError("page_size_limit is 1 or more, or -1 for no limit")
