"""What a server tells, read whatever it leaves out or adds; and what of it is shown."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec.json import decode, encode
from tests.jackfield_services.buffy.buffy_world import BOTH, FakeBuffy, get, version

from jackfield import DecodeError
from jackfield_services.buffy import RequestOut, Response, ResponseContentAttributes, ResponseDownloadStats

# As a real server told them.
READY: dict[str, Any] = {
    "id": "ec638eb7be60",
    "request_id": "4e02eb858c03",
    "version": "20261120235348",
    "previous_version": None,
    "next_version": None,
    "status": "ready",
    "content_download_path": "request/4e02eb858c03/response/v/20261120235348/content",
    "cached_datetime_utc": "2026-11-20T23:53:48.954011",
    "request_datetime_utc": None,
    "pinned": False,
    "tags": [],
    "download_stats": {
        "downloaded_bytes": 13,
        "avg_bytes_per_sec": 47208,
        "download_running_duration_sec": 0.0002753734588623047,
        "download_start_time_unix_ts": 1795218828.6751635,
        "total_bytes_to_download": 13,
        "state": "finished",
        "error": None,
    },
    "content_attributes": {
        "media_type": "text/plain",
        "etag": '"s1"',
        "content_size_bytes": 13,
        "last_modified_datetime_utc": "2015-10-21T07:28:00+00:00",
        "filename": "static.txt",
        "content_disposition": None,
    },
    "content_hash_hex": "cd9709d283210ddc0d45552cdafe3652",
    "pinned_until_utc": None,
}
REQUEST: dict[str, Any] = {
    "url": "http://127.0.0.1:18181/static.txt?key=s3cr3t",
    "http_method": "get",
    "http_header_fields": {"Authorization": "Bearer s3cr3t"},
    "http_query_params": {"key": "s3cr3t"},
    "http_request_body": {},
    "group_name": "DEFAULT_GROUP",
    "description": None,
    "documentation_link": None,
    "validation_hash_type": "md5",
    "cache_configuration": {
        "request_id": "4e02eb858c03",
        "recaching_strategy": {
            "strategy_name": "when_remote_changed",
            "check_interval_sec": 21600,
            "fallback_max_age_sec": 86400,
        },
        "max_cached_unpinned_versions": 2,
        "max_cached_pinned_versions": 10,
    },
    "id": "4e02eb858c03",
    "request_timestamp": 1795218828.3302584,
}


def told(**changes: Any) -> Response:
    return decode(encode(READY | changes), type=Response)


def test_a_version_as_a_server_tells_it() -> None:
    response = told()

    assert response.cached_datetime_utc == datetime(2026, 11, 20, 23, 53, 48, 954011, tzinfo=UTC)
    assert response.content_attributes is not None
    assert response.content_attributes.last_modified_datetime_utc == datetime(2015, 10, 21, 7, 28, tzinfo=UTC)
    assert response.download_stats is not None
    assert response.download_stats.avg_bytes_per_sec == 47208
    assert set(response.model_dump()) == set(READY)


def test_a_request_as_a_server_tells_it() -> None:
    request = decode(encode(REQUEST), type=RequestOut)

    assert (request.id, request.request_timestamp) == ("4e02eb858c03", 1795218828.3302584)
    assert request.model_dump() == REQUEST


@pytest.mark.parametrize("name", ["url", "http_method", "http_header_fields", "http_query_params", "http_request_body"])
def test_what_a_request_holds_may_be_missing(name: str) -> None:
    decode(encode({key: value for key, value in REQUEST.items() if key != name}), type=RequestOut)


@pytest.mark.parametrize(
    "name",
    [
        "http_header_fields",
        "http_query_params",
        "http_request_body",
        "group_name",
        "description",
        "documentation_link",
        "validation_hash_type",
        "cache_configuration",
        "request_timestamp",
    ],
)
def test_what_a_request_holds_may_be_null(name: str) -> None:
    assert getattr(decode(encode(REQUEST | {name: None}), type=RequestOut), name) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("tags", list[str]()), ("pinned", False), ("id", ""), ("request_id", "")]
    + [(name, None) for name in READY if name not in ("tags", "pinned", "id", "request_id", "version", "status")],
)
def test_what_a_version_holds_may_be_null_or_missing(name: str, value: Any) -> None:
    missing = decode(encode({key: one for key, one in READY.items() if key != name}), type=Response)

    assert getattr(told(**{name: None}), name) == value
    assert getattr(missing, name) == value


def test_what_is_told_of_a_download_may_be_null() -> None:
    names = ResponseDownloadStats.__struct_fields__
    assert decode(encode(dict.fromkeys(names)), type=ResponseDownloadStats) == ResponseDownloadStats()
    assert ResponseDownloadStats() == ResponseDownloadStats(downloaded_bytes=0, state="init")


def test_what_is_told_of_a_content_may_be_null() -> None:
    names = ResponseContentAttributes.__struct_fields__
    assert decode(encode(dict.fromkeys(names)), type=ResponseContentAttributes) == ResponseContentAttributes()


def test_a_version_and_its_status_are_needed() -> None:
    assert told(status="cleaning").status == "cleaning"
    for name in ("version", "status"):
        with pytest.raises(ValueError, match=name):
            told(**{name: None})


def test_what_is_added_later_is_ignored() -> None:
    stats = READY["download_stats"] | {"eta": 5}
    assert told(more=1, download_stats=stats) == told()


@pytest.mark.parametrize(
    "text",
    ["2026-11-20T23:53:48", "2026-11-20T23:53:48Z", "2026-11-20T23:53:48+00:00", "2026-11-21T00:53:48+01:00"],
)
@pytest.mark.parametrize("name", ["cached_datetime_utc", "request_datetime_utc", "pinned_until_utc"])
def test_times_without_a_zone_are_in_utc(name: str, text: str) -> None:
    moment = getattr(told(**{name: text}), name)

    assert moment == datetime(2026, 11, 20, 23, 53, 48, tzinfo=UTC)
    assert moment.tzinfo is not None


def test_times_that_are_given_are_in_utc_too() -> None:
    naive = datetime(2026, 11, 20, 23)
    elsewhere = naive.replace(tzinfo=timezone(timedelta(hours=1)))

    assert ResponseContentAttributes(last_modified_datetime_utc=naive).last_modified_datetime_utc == naive.replace(
        tzinfo=UTC
    )
    assert Response(version="1", status="ready", pinned_until_utc=elsewhere).pinned_until_utc == elsewhere


NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pinned", "until", "is_pinned"),
    [
        (False, None, False),
        (True, None, True),
        (True, NOW - timedelta(days=1), True),
        (False, NOW + timedelta(seconds=1), True),
        (False, NOW, False),
        (False, NOW - timedelta(seconds=1), False),
    ],
)
def test_a_version_is_pinned_for_good_or_until_later(pinned: bool, until: datetime | None, is_pinned: bool) -> None:
    response = Response(version="1", status="ready", pinned=pinned, pinned_until_utc=until)
    assert response.is_pinned_at(NOW) is is_pinned


def test_a_version_is_pinned_by_this_machines_clock() -> None:
    now = datetime.now(UTC)
    for days, is_pinned in ((1, True), (-1, False)):
        response = Response(version="1", status="ready", pinned_until_utc=now + timedelta(days=days))
        assert response.is_pinned is is_pinned


def test_neither_headers_nor_queries_of_a_request_are_shown() -> None:
    request = decode(encode(REQUEST), type=RequestOut)

    assert repr(request) == "<RequestOut of http://127.0.0.1:18181/static.txt?***>"
    assert "s3cr3t" not in str(request.__rich_repr__())


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://h/f", "http://h/f"),
        ("http://h/f?k=v", "http://h/f?***"),
        ("http://h/f#k", "http://h/f?***"),
        ("http://h/f?a\nb?c", "http://h/f?***"),
        ("", ""),
    ],
)
def test_of_a_url_the_query_is_not_shown(url: str, shown: str) -> None:
    assert RequestOut(id="1", url=url).shown_url == shown


def test_models_can_be_copied_and_pickled() -> None:
    for model in (told(), decode(encode(REQUEST), type=RequestOut)):
        assert pickle.loads(pickle.dumps(model)) == model
        assert copy.deepcopy(model) == model


@BOTH
@pytest.mark.parametrize("answer", [{"version": 5}, {"status": None}, {"tags": "x"}, {"cached_datetime_utc": "never"}])
def test_an_answer_that_cannot_be_read_is_told_as_such(colour: str, answer: dict[str, Any]) -> None:
    buffy = FakeBuffy(version(**answer) if "version" not in answer else version() | answer)
    asked = get(buffy.client(colour).create_request("http://origin.test/x"))

    with pytest.raises(DecodeError):
        get(asked.wait())


def test_of_why_a_download_failed_the_last_line_is_shown_without_queries() -> None:
    trace = 'Traceback\n  get("http://o.test/?key=s3cr3t")\nHTTPError: 404 for url: http://o.test/x?key=s3cr3t'
    one = told(download_stats={"error": trace, "state": "failed"})

    assert "HTTPError: 404 for url: http://o.test/x?***" in repr(one)
    assert one.download_stats is not None
    assert one.download_stats.error == trace
    for shown in (repr(one), str(one), repr(one.download_stats), str(one.download_stats.__rich_repr__())):
        assert "s3cr3t" not in shown
    assert repr(ResponseDownloadStats()) == "<ResponseDownloadStats: init, 0 bytes>"
