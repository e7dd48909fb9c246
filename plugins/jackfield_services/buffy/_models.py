"""What a Buffy server tells: requests, and the versions of what came of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import field

from jackfield import Model

from ._strategies import RequestCacheConfiguration

Status: TypeAlias = Literal["wait", "in_progress", "ready", "duplicate", "failed"]
HttpMethod: TypeAlias = Literal["get", "post", "put"]

_EXCERPT = 500  # characters of a server's reason

if TYPE_CHECKING:
    _Tags: TypeAlias = list[str]
    _Flag: TypeAlias = bool
    _Count: TypeAlias = int
    _Word: TypeAlias = str
else:  # the server may say null for these; it is not kept
    _Tags, _Flag, _Count, _Word = list[str] | None, bool | None, int | None, str | None


class _Asked(Model):
    """A request; it shows neither its headers nor its query, which may hold secrets."""

    url: str = ""

    @property
    def shown_url(self) -> str:
        """The URL without its query."""
        return re.sub(r"[?#].*", "?***", self.url, flags=re.DOTALL)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.shown_url}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("url", self.shown_url)]


class RequestIn(_Asked):
    """What Buffy is to fetch. All but the last four make it the request that it is."""

    http_method: HttpMethod = "get"
    http_header_fields: dict[str, Any] = field(default_factory=dict[str, Any])
    http_query_params: dict[str, Any] = field(default_factory=dict[str, Any])
    http_request_body: dict[str, Any] = field(default_factory=dict[str, Any])
    group_name: str | None = None
    description: str | None = None
    documentation_link: str | None = None
    validation_hash_type: str = "md5"
    cache_configuration: RequestCacheConfiguration | None = None


class RequestOut(_Asked):
    """A request that the server knows, by `id`."""

    id: str
    http_method: str = "get"
    http_header_fields: dict[str, Any] | None = None
    http_query_params: dict[str, Any] | None = None
    http_request_body: dict[str, Any] | None = None
    group_name: str | None = None
    description: str | None = None
    documentation_link: str | None = None
    validation_hash_type: str | None = "md5"
    cache_configuration: RequestCacheConfiguration | None = None
    request_timestamp: float | None = None


class ResponseDownloadStats(Model):
    """How far the server is with a download. `total_bytes_to_download` is the origin's word: wrong for coded bodies."""

    downloaded_bytes: _Count = 0
    avg_bytes_per_sec: float | None = None
    download_running_duration_sec: float | None = None
    download_start_time_unix_ts: float | None = None
    total_bytes_to_download: int | None = None
    state: _Word = "init"
    error: str | None = None

    def __post_init__(self) -> None:
        self.downloaded_bytes = self.downloaded_bytes or 0
        self.state = self.state or "init"

    @property
    def reason(self) -> str:
        """The last line of `error`, which is a traceback, without the query of an URL, as it may hold a key."""
        last = (self.error or "").strip().rpartition("\n")[2]
        return re.sub(r"\?[^\s'\"]*", "?***", last)[:_EXCERPT]

    def __repr__(self) -> str:
        told = f"{type(self).__name__}: {self.state}, {self.downloaded_bytes} bytes"
        return f"<{told}, {self.reason}>" if self.reason else f"<{told}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("state", self.state), ("downloaded_bytes", self.downloaded_bytes), ("error", self.reason)]


class ResponseContentAttributes(Model):
    """What the origin said of the content; `filename` is the server's reading of it, and not to be trusted."""

    media_type: str | None = None
    etag: str | None = None
    content_size_bytes: int | None = None
    last_modified_datetime_utc: datetime | None = None
    filename: str | None = None
    content_disposition: str | None = None

    def __post_init__(self) -> None:
        self.last_modified_datetime_utc = _in_utc(self.last_modified_datetime_utc)


class Response(Model):
    """One version of what came of a request. Versions are times, to the second, by the server's clock.

    `previous_version` and `next_version` are the server's, which a server of 0.7.3 gets wrong: see `Request`.
    """

    version: str
    status: str
    id: _Word = ""
    request_id: _Word = ""
    previous_version: str | None = None
    next_version: str | None = None
    content_download_path: str | None = None
    cached_datetime_utc: datetime | None = None
    request_datetime_utc: datetime | None = None
    pinned: _Flag = False
    tags: _Tags = field(default_factory=list[str])
    download_stats: ResponseDownloadStats | None = None
    content_attributes: ResponseContentAttributes | None = None
    content_hash_hex: str | None = None
    pinned_until_utc: datetime | None = None

    def __post_init__(self) -> None:
        self.id, self.request_id = self.id or "", self.request_id or ""
        self.pinned = bool(self.pinned)
        self.tags = self.tags or []
        self.cached_datetime_utc = _in_utc(self.cached_datetime_utc)
        self.request_datetime_utc = _in_utc(self.request_datetime_utc)
        self.pinned_until_utc = _in_utc(self.pinned_until_utc)

    def is_pinned_at(self, now: datetime) -> bool:
        """Whether it is pinned, for good or until later than that."""
        return self.pinned or (self.pinned_until_utc is not None and self.pinned_until_utc > now)

    @property
    def is_pinned(self) -> bool:
        """Whether it is pinned now, by this machine's clock."""
        return self.is_pinned_at(datetime.now(UTC))


def _in_utc(moment: datetime | None) -> datetime | None:
    """Times without a zone are in UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
