"""What the server dies of, and what is left of it."""

from __future__ import annotations

from typing import Any

import pytest
import urllib3

from jackfield_services.buffy.emulator import Quirk

from .conftest import URL, Caller, Start


def is_refused(buffy: Caller) -> bool:
    try:
        buffy.ask("GET", "/v1/request/")
    except urllib3.exceptions.NewConnectionError:
        return True
    return False


def strategy(name: str, **more: Any) -> dict[str, Any]:
    return {"cache_configuration": {"recaching_strategy": {"strategy_name": name} | more}}


POISON = pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"url": "x"}, "MissingSchema"),
        ({"url": ""}, "MissingSchema"),
        ({"url": "ftp://127.0.0.1/x"}, "InvalidSchema"),
        ({"url": "http://h:99999/x"} | strategy("never"), "Port out of range"),
        ({"url": "http://[/x"} | strategy("never"), "Invalid IPv6"),
        ({"url": URL, "validation_hash_type": None}, "ValidationError"),
        ({"url": URL, "http_header_fields": {"a": 1}}, "InvalidHeader"),
        ({"url": URL, "http_header_fields": {"a": "b\n"}}, "InvalidHeader"),
        ({"url": URL} | strategy("cron", cron="bad"), "CroniterBadCronError"),
        ({"url": URL} | strategy("cron", cron="0 0 30 2 *"), "failed to find next date"),
        ({"url": "https://example.org/undated"}, "yesterday"),
    ],
)


@POISON
def test_some_requests_kill_it_again_at_each_start(start: Start, said: dict[str, Any], reason: str) -> None:
    buffy = start()
    buffy.server.origin("https://example.org/undated", "x", headers={"last-modified": "yesterday"})
    buffy.ask("PUT", "/v1/request/", said)
    for _ in range(2):
        reads = 0
        while buffy.server.alive:
            assert buffy.ask("GET", "/v1/request/").status == 200
            reads += 1
        assert 1 <= reads <= 3
        assert is_refused(buffy)
        assert reason in buffy.server.died_of
        buffy.server.restart()

    buffy.server.flush()
    for _ in range(4):
        assert buffy.ask("GET", "/v1/request/").json() == []
    assert buffy.server.died_of == ""


@POISON
def test_as_documented_it_survives_them(start: Start, said: dict[str, Any], reason: str) -> None:
    buffy = start(quirks=())
    buffy.server.origin("https://example.org/undated", "x", headers={"last-modified": "yesterday"})
    request = buffy.ask("PUT", "/v1/request/", said).json()
    assert buffy.settle(request)["status"] in ("ready", "failed")


@pytest.mark.parametrize(
    "said",
    [
        {"url": "x"} | strategy("never"),
        {"url": URL, "validation_hash_type": "shake_128"},
        {"url": URL, "http_header_fields": {"a": 1}} | strategy("when_requested"),
        {"url": "http://nowhere.invalid/"},
        {"url": "https://example.org/not-in-the-table"},
    ],
)
def test_other_requests_only_fail(buffy: Caller, said: dict[str, Any]) -> None:
    failed = buffy.settle(buffy.ask("PUT", "/v1/request/", said).json())
    assert (failed["status"], failed["content_download_path"], failed["content_hash_hex"]) == ("failed", None, None)
    assert failed["download_stats"]["error"].startswith("Traceback")


@pytest.mark.parametrize(
    ("what", "said"),
    [("tag", {"value": "missing", "delete": True}), ("pin", {"value": True, "duration_sec": 10**12})],
)
@pytest.mark.parametrize("dies", [True, False])
def test_some_claims_kill_it_once(start: Start, what: str, said: dict[str, Any], dies: bool) -> None:
    buffy = start(quirks=frozenset(Quirk) - (frozenset() if dies else {Quirk.DIES}))
    ready = buffy.fetched()
    buffy.change(ready, what, **said)
    buffy.ask("GET", "/v1/request/")
    assert buffy.server.alive is not dies

    buffy.server.restart()

    assert buffy.settle({"id": ready["request_id"]}) == ready


def test_who_is_connected_when_it_dies_is_cut_off(buffy: Caller) -> None:
    buffy.order("x")
    with urllib3.HTTPConnectionPool("127.0.0.1", int(buffy.server.url.rpartition(":")[2])) as pool:
        pool.request("GET", "/v1/request/")
        while buffy.server.alive:
            buffy.ask("GET", "/v1/request/")
        with pytest.raises(urllib3.exceptions.NewConnectionError):  # the pool sees the end, and connects again
            pool.request("GET", "/v1/request/", retries=False)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_was_ready_outlives_it_and_what_was_under_way_does_not(start: Start, end: str) -> None:
    buffy = start()
    ready = buffy.fetched()
    buffy.server.plan(polls=9)
    unfinished = buffy.order("https://example.org/data.csv?2")
    buffy.listed(unfinished)
    url = buffy.server.url

    getattr(buffy.server, end)()
    assert (is_refused(buffy), buffy.server.alive) == (True, False)
    buffy.server.start()

    assert (buffy.server.url, buffy.listed({"id": ready["request_id"]})) == (url, [ready])
    assert buffy.content(ready).data == b"a;b\n"
    assert buffy.settle(unfinished)["status"] == "ready"  # it begins anew


def test_a_file_that_is_not_what_it_was_is_deleted_at_the_start(buffy: Caller) -> None:
    headers = {"accept-ranges": "bytes"}
    buffy.server.origin(URL, bytes(200_000), headers=headers, broken_after=65_536, times=1)
    buffy.server.origin(URL, bytes(200_000), headers=headers)
    corrupt = buffy.fetched()
    buffy.server.restart()
    buffy.ask("GET", "/v1/request/")
    assert buffy.listed({"id": corrupt["request_id"]})[0]["id"] != corrupt["id"]


def test_what_was_flushed_is_unknown(buffy: Caller) -> None:
    ready = buffy.fetched()
    buffy.change(ready, "tag", value="missing", delete=True)
    buffy.server.flush()
    assert buffy.listed({"id": ready["request_id"]}) == []
    assert buffy.ask("PUT", "/v1/request/", {"url": URL}).status == 201
    assert buffy.server.alive
