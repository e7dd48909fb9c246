"""Requests, responses and what belongs to them, with the fields and the order of the wire; values, no state."""

import datetime
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Literal, TypeAlias

from ._wire import Record

Status: TypeAlias = Literal["wait", "in_progress", "ready", "duplicate", "failed"]
Marks: TypeAlias = tuple[str | None, datetime.datetime | None, int | None]  # ETag, last modification, size
STATUSES: tuple[Status, ...] = ("wait", "in_progress", "ready", "duplicate", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """How far a download is."""

    downloaded_bytes: int = 0
    avg_bytes_per_sec: int | None = None
    download_running_duration_sec: float | None = None
    download_start_time_unix_ts: float | None = None
    total_bytes_to_download: int | None = None
    state: Literal["init", "downloading", "failed", "finished"] = "init"
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What the origin said of the content."""

    media_type: str | None = None
    etag: str | None = None
    content_size_bytes: int | None = None
    last_modified_datetime_utc: datetime.datetime | None = None
    filename: str | None = None
    content_disposition: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A version of what a request asks for."""

    id: str
    request_id: str
    version: str
    previous_version: str | None = None
    next_version: str | None = None
    status: Status = "wait"
    content_download_path: str | None = None
    cached_datetime_utc: datetime.datetime | None = None
    request_datetime_utc: datetime.datetime | None = None
    pinned: bool = False
    tags: tuple[str, ...] = ()
    download_stats: Stats | None = None
    content_attributes: Attributes | None = None
    content_hash_hex: str | None = None
    pinned_until_utc: datetime.datetime | None = None

    def is_pinned(self, now: datetime.datetime) -> bool:
        """Whether clean-up counts it among the pinned."""
        return self.pinned or (self.pinned_until_utc is not None and self.pinned_until_utc > now)

    @property
    def marks(self) -> Marks:
        """What the origin said of it."""
        known, stats = self.content_attributes or Attributes(), self.download_stats or Stats()
        return known.etag, known.last_modified_datetime_utc, stats.total_bytes_to_download

    def record(self) -> Record:
        """As the API gives it."""
        return asdict(self)


@dataclass(slots=True, kw_only=True)
class Request:
    """What was asked for: `said` is the body of the PUT with its defaults; `waiting` are times nobody saw to yet."""

    id: str
    said: Record
    configuration: Record
    made: datetime.datetime
    asked_again: datetime.datetime | None = None
    waiting: list[float] = field(default_factory=list[float])

    @property
    def group(self) -> str:
        """The group it is listed under."""
        return str(self.said["group_name"] or "DEFAULT_GROUP")

    def record(self, timestamp: float | None = None) -> Record:
        """As the API gives it."""
        return self.said | {
            "cache_configuration": self.configuration,
            "id": self.id,
            "request_timestamp": timestamp,
        }


def signature(said: Record) -> tuple[str, ...]:
    """What makes two requests the same: dicts by their JSON, and so by the order of their keys."""
    dicts = [json.dumps(said[name]) for name in ("http_header_fields", "http_query_params", "http_request_body")]
    return (said["url"], said["http_method"], *dicts, repr(said["group_name"]))


def utc(seconds: float) -> datetime.datetime:
    """A time as the server keeps it: UTC, and naive."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).replace(tzinfo=None)


def ids() -> Callable[[], str]:
    """Ids of 12 hexadecimal digits, the same ones in every run."""
    numbers = count(1)
    return lambda: hashlib.sha256(f"buffy {next(numbers)}".encode()).hexdigest()[:12]
