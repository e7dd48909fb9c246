"""What must not be sent: a wrong URL, hash, cron or duration ends a Buffy server, some for every start to come."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from msgspec.structs import replace

from jackfield import Headers, Url, UsageError

from ._cron import check_cron
from ._errors import BuffyIntegrityError, BuffyValueError
from ._strategies import RequestCacheConfiguration, age, cron, never, when_remote_changed, when_requested

_METHODS = ("get", "post", "put")
_HASHES = sorted(name for name in hashlib.algorithms_guaranteed if not name.startswith("shake"))  # of fixed length
_STATUSES = ("wait", "in_progress", "ready", "duplicate", "failed")
_TEN_YEARS = 10 * 365 * 86400  # seconds
_is_tag = re.compile(r"[A-Za-z0-9_-]{3,64}").fullmatch


def check_count(name: str, given: object, *, least: int, most: int = 2**31 - 1) -> None:
    """Whether this is a whole number in these bounds; raises BuffyValueError."""
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise BuffyValueError(f"{name} is a whole number from {least} to {most}, not {given!r}")


def check_bool(name: str, given: object) -> None:
    """Whether this is True or False, and no word for it; raises BuffyValueError."""
    if not isinstance(given, bool):
        raise BuffyValueError(f"{name} is True or False, not {given!r}")


def check_text(name: str, given: object) -> None:
    """Whether this is a text, or None; raises BuffyValueError."""
    if not isinstance(given, str | None):
        raise BuffyValueError(f"{name} is a string, not {type(given).__name__}")
    try:
        (given or "").encode()
    except UnicodeEncodeError:
        raise BuffyValueError(f"{name} holds half of a surrogate pair") from None


def check_wish(name: str, given: object) -> None:
    """Whether a version can be wished for so; raises BuffyValueError."""
    if name in ("prefer_cached", "fallback"):
        check_bool(name, given)
    elif name.endswith("_pinned"):
        if given is not None:
            check_bool(name, given)
    else:
        check_text(name, given)


def check_version(given: object) -> None:
    """Whether this can name one version; raises BuffyValueError."""
    check_text("response_version", given)
    if given in (None, "", ".", "..", "latest"):  # to a server of 0.7.3 'latest' is the oldest
        raise BuffyValueError(f"response_version names one version, '20261121000000' say, not {given!r}")


def check_url(given: object) -> None:
    """Whether Buffy can fetch this; raises BuffyValueError."""
    if not isinstance(given, str):
        raise BuffyValueError(f"url is a string, 'https://host/file', not {type(given).__name__}")
    if not given.isascii() or not given.isprintable() or " " in given:
        raise BuffyValueError("url: letters beyond ASCII, blanks and controls are percent-encoded in a URL")
    address = re.split(r"[?#]", given, maxsplit=1)[0]
    if "@" in address.partition("://")[2].partition("/")[0]:
        raise BuffyValueError("url: no name and password, as Buffy shows it to everybody")
    try:
        Url.parse(address)
    except UsageError as error:
        raise BuffyValueError(f"url: {error}") from None


def check_method(given: object) -> None:
    """Whether Buffy knows this method; raises BuffyValueError."""
    if given not in _METHODS:
        raise BuffyValueError(f"http_method is 'get', 'post' or 'put', not {given!r}")


def check_hash(given: object) -> None:
    """Whether Buffy can hash with this; raises BuffyValueError."""
    if given not in _HASHES:
        raise BuffyValueError(f"validation_hash_type is one of {', '.join(_HASHES)}, not {given!r}")


def told_hash(told: str | None) -> str:
    """The hash that a server says it takes; raises BuffyIntegrityError where nothing can be verified with it."""
    if told is not None and told not in _HASHES:
        raise BuffyIntegrityError(f"what is cached cannot be verified: the server hashes with {told[:40]!r}")
    return told or "md5"


def check_status(given: object) -> None:
    """Whether versions can be of this status; raises BuffyValueError."""
    if given is not None and given not in _STATUSES:
        raise BuffyValueError(f"status is one of {', '.join(_STATUSES)}, or None for all, not {given!r}")


def check_tag(given: object) -> None:
    """Whether this can be a new tag; raises BuffyValueError."""
    if not isinstance(given, str) or not _is_tag(given):
        raise BuffyValueError(f"a tag is 3 to 64 letters, digits, '_' or '-', not {given!r}")


def check_duration(given: object) -> None:
    """Whether something can be pinned for so long; raises BuffyValueError."""
    check_count("duration_sec", given, least=1, most=_TEN_YEARS)


def checked_headers(name: str, given: Mapping[str, str] | None) -> Headers:
    """These header fields, as they may be sent; raises BuffyValueError."""
    try:
        return Headers({} if given is None else given)
    except UsageError as error:
        raise BuffyValueError(f"{name}: {error}") from None


def checked_configuration(given: object) -> RequestCacheConfiguration:
    """A copy of this, which is for no request so far; raises BuffyValueError where nothing can be cached so."""
    if not isinstance(given, RequestCacheConfiguration):
        raise BuffyValueError(f"cache_configuration is a RequestCacheConfiguration(…), not {type(given).__name__}")
    check_count("max_cached_unpinned_versions", given.max_cached_unpinned_versions, least=0)
    check_count("max_cached_pinned_versions", given.max_cached_pinned_versions, least=0)
    match given.recaching_strategy:
        case age(seconds):
            check_count("seconds", seconds, least=1)
        case cron(text, run_at_start):
            check_cron(text)
            check_bool("run_at_start", run_at_start)
        case when_remote_changed(interval, longest):
            check_count("check_interval_sec", interval, least=1)
            check_count("fallback_max_age_sec", longest, least=1)
        case never() | when_requested():
            pass
        case unknown:  # pyright: ignore[reportUnnecessaryComparison]  # who is not checked may give anything
            raise BuffyValueError(
                f"recaching_strategy is one of ReCachingStrategy, age(seconds=…) say, not {unknown!r}"
            )
    return replace(given, request_id=None, recaching_strategy=replace(given.recaching_strategy))
