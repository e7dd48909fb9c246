"""The quirks a client can see, one by one, with and without."""

from __future__ import annotations

import http.client
from contextlib import closing
from typing import Any

import pytest
import urllib3

from jackfield_services.buffy.emulator import Quirk

from .conftest import URL, Caller, Clock, Start

WHEN_REQUESTED = {"recaching_strategy": {"strategy_name": "when_requested"}}
BOTH = pytest.mark.parametrize("quirks", [frozenset(Quirk), frozenset[Quirk]()], ids=["as it is", "as documented"])


def again(buffy: Caller, clock: Clock, body: bytes) -> dict[str, Any]:
    """The response to the same order, a second later, when there is something else to fetch."""
    clock.pass_by(1)
    buffy.server.origin(URL, body)
    return buffy.fetched(cache_configuration=WHEN_REQUESTED)


@BOTH
def test_a_pin_with_a_duration_ended_that_long_ago(start: Start, quirks: frozenset[Quirk]) -> None:
    buffy = start(quirks=quirks)
    ready = buffy.fetched()
    buffy.change(ready, "pin", value=True, duration_sec=60)
    buffy.settle({"id": ready["request_id"]})
    pinned = buffy.settle({"id": ready["request_id"]})
    until = "2026-11-18T11:05:40" if quirks else "2026-11-18T11:07:40"
    assert (pinned["pinned"], pinned["pinned_until_utc"]) == (False, until)


@BOTH
def test_pins_and_tags_are_answered_as_documented_or_not(start: Start, quirks: frozenset[Quirk]) -> None:
    buffy = start(quirks=quirks)
    answer = buffy.change(buffy.fetched(), "tag", value="good")
    assert answer.status == (500 if quirks else 200)
    if not quirks:
        assert answer.json()["tags"] == ["good"]
        assert buffy.change({"request_id": "a", "version": "1"}, "pin", value=True).status == 404


@BOTH
def test_a_configuration_stays_as_it_was(start: Start, quirks: frozenset[Quirk]) -> None:
    buffy = start(quirks=quirks)
    path = f"/v1/request/{buffy.order()['id']}/cache-config"
    answer = buffy.ask("PUT", path, {"max_cached_unpinned_versions": 5})
    kept = [each.json()["max_cached_unpinned_versions"] for each in (answer, buffy.ask("GET", path))]
    assert (answer.status, kept) == (200, [2, 2] if quirks else [5, 5])


@BOTH
def test_what_has_changed_is_not_downloaded_again(start: Start, clock: Clock, quirks: frozenset[Quirk]) -> None:
    buffy = start(quirks=quirks)
    strategy = {"strategy_name": "when_remote_changed", "check_interval_sec": 10}
    request = buffy.order(cache_configuration={"recaching_strategy": strategy})
    buffy.settle(request)
    clock.pass_by(11)
    buffy.server.origin(URL, b"new", headers={"etag": '"2"'})
    for _ in range(3):
        buffy.listed(request)
    assert buffy.content(buffy.settle(request)).data == (b"a;b\n" if quirks else b"new")


@BOTH
def test_versions_are_linked_with_the_oldest(start: Start, clock: Clock, quirks: frozenset[Quirk]) -> None:
    buffy = start(quirks=quirks, clean_every=1000)
    first = buffy.fetched(cache_configuration=WHEN_REQUESTED)
    second = again(buffy, clock, b"2")
    third = again(buffy, clock, b"3")

    newest, middle, oldest = buffy.listed({"id": first["request_id"]})

    assert [each["version"] for each in (oldest, middle, newest)] == [
        each["version"] for each in (first, second, third)
    ]
    assert newest["previous_version"] == (oldest if quirks else middle)["version"]
    assert (middle["next_version"], oldest["next_version"]) == (
        (None, newest["version"]) if quirks else (newest["version"], middle["version"])
    )
    latest = buffy.ask("GET", f"/v1/request/{first['request_id']}/response/v/latest").json()
    assert latest["version"] == (oldest if quirks else newest)["version"]


@BOTH
def test_only_what_is_like_the_oldest_is_a_duplicate(start: Start, clock: Clock, quirks: frozenset[Quirk]) -> None:
    buffy = start(quirks=quirks, clean_every=1000)
    buffy.fetched(cache_configuration=WHEN_REQUESTED)
    same, other, back = [again(buffy, clock, body) for body in (b"a;b\n", b"2", b"a;b\n")]
    assert (same["status"], same["pinned_until_utc"]) == ("duplicate", "2026-11-18T11:08:41")
    assert (other["status"], back["status"]) == ("ready", "duplicate" if quirks else "ready")


@BOTH
def test_two_versions_in_a_second_are_one(start: Start, quirks: frozenset[Quirk]) -> None:
    buffy = start(quirks=quirks)
    first = buffy.fetched(cache_configuration=WHEN_REQUESTED)
    buffy.server.origin(URL, b"2")
    second = buffy.order(cache_configuration=WHEN_REQUESTED)
    for _ in range(4):
        buffy.listed(second)
    found = [each["version"] for each in buffy.listed(second)]
    assert (len(found), first["version"] in found) == ((1, True) if quirks else (2, True))


@BOTH
def test_the_body_of_a_request_is_not_sent(start: Start, quirks: frozenset[Quirk]) -> None:
    buffy = start(quirks=quirks)
    buffy.fetched(
        http_method="post", http_request_body={"a": 1}, http_query_params={"q": "x"}, http_header_fields={"X": "y"}
    )
    fetch = buffy.server.fetches[0]
    assert (fetch.method, fetch.url, fetch.headers["X"]) == ("POST", f"{URL}?q=x", "y")
    assert fetch.body == (b"" if quirks else b'{"a": 1}')


@BOTH
@pytest.mark.parametrize(
    ("sent", "kept"), [(b"a\r\nb\r\n", b"a\nb\n"), (b"a\rb", b"a\nb"), ("gr\xfc\xdf".encode("latin-1"), b"")]
)
def test_text_is_served_as_text(start: Start, quirks: frozenset[Quirk], sent: bytes, kept: bytes) -> None:
    buffy = start(quirks=quirks)
    buffy.server.origin(URL, sent, headers={"content-type": "text/csv"})
    ready = buffy.fetched()
    if quirks and len(kept) < len(sent):
        with pytest.raises(urllib3.exceptions.ProtocolError, match=f"{len(kept)} bytes read"):
            buffy.content(ready)
    else:
        assert buffy.content(ready).data == (kept if quirks else sent)


@pytest.mark.parametrize("kind", ["application/octet-stream", None])
def test_what_is_no_text_is_served_as_it_is(buffy: Caller, kind: str | None) -> None:
    buffy.server.origin(URL, b"\r\n\xff", headers={} if kind is None else {"content-type": kind})
    content = buffy.content(buffy.fetched())
    assert (content.data, content.headers.get("content-type")) == (b"\r\n\xff", kind)


@BOTH
@pytest.mark.parametrize("ranges", [True, False])
def test_what_broke_off_is_continued_wrongly(start: Start, quirks: frozenset[Quirk], ranges: bool) -> None:
    buffy = start(quirks=quirks)
    headers = {"accept-ranges": "bytes"} if ranges else {}
    body = bytes(200_000)
    buffy.server.origin(URL, body, headers=headers, broken_after=65_536, times=1)
    buffy.server.origin(URL, body, headers=headers)

    ready = buffy.fetched()

    told = ready["content_attributes"]["content_size_bytes"]
    assert told == (265_536 if quirks else 200_000)
    if quirks and not ranges:
        with pytest.raises(urllib3.exceptions.ProtocolError, match="200000 bytes read, 65536 more expected"):
            buffy.content(ready)
    else:
        assert len(buffy.content(ready).data) == told
    sent = [fetch.headers.get("Range") for fetch in buffy.server.fetches if fetch.method == "GET"]
    assert sent == ([None, None, "bytes=65536"] if quirks and ranges else [None, None])


@BOTH
def test_content_that_is_not_ready_is_served(start: Start, quirks: frozenset[Quirk]) -> None:
    buffy = start(quirks=quirks, polls=2)
    request = buffy.order()
    buffy.server.origin("https://example.org/missing", status=404)
    missing = buffy.order("https://example.org/missing")
    buffy.listed(request)

    early = buffy.content(buffy.listed(request)[0])
    failed = buffy.content(buffy.settle(missing))

    assert [(each.status, each.headers.get("transfer-encoding")) for each in (early, failed)] == (
        [(200, "chunked"), (200, "chunked")] if quirks else [(404, None), (404, None)]
    )
    if quirks:
        assert 0 < len(early.data) < 4
        assert failed.data == b""


@BOTH
def test_three_routes_are_broken(start: Start, quirks: frozenset[Quirk]) -> None:
    buffy = start(quirks=quirks)
    ready = buffy.fetched()
    request = f"/v1/request/{ready['request_id']}"
    unpinned = buffy.ask("GET", f"{request}/response/latest?pinned=true").status
    buffy.change(ready, "tag", value="good")
    buffy.settle({"id": ready["request_id"]})

    paths = ("", "/response/t/good", "/response/latest?pinned=false")
    statuses = [buffy.ask("GET", f"{request}{path}").status for path in paths]

    assert (unpinned, statuses) == ((500, [500, 500, 200]) if quirks else (204, [200, 200, 200]))
    buffy.change(ready, "pin", value=True)
    buffy.settle({"id": ready["request_id"]})
    assert buffy.ask("GET", f"{request}/response/latest?pinned=true").status == 200


@BOTH
@pytest.mark.parametrize(
    ("disposition", "guessed", "named"),
    [
        ("attachment; filename=../../x", "....x", "../../x"),
        ("attachment; filename=..", "..", ".."),
        ("attachment; filename*=UTF-8''n%C3%A4.txt", "data.csv", "n\xe4.txt"),
        ('attachment; filename="a;b.txt"', "a", "a;b.txt"),
        ("attachment; filename=a=b.txt", "a", "a=b.txt"),
        ("inline; filename=a; x=1; y=2", "data.csv", "a"),
        ("inline", "data.csv", "data.csv"),
        ("attachment; filename=/", "", "/"),
    ],
)
def test_the_name_of_a_file_is_guessed(
    start: Start, quirks: frozenset[Quirk], disposition: str, guessed: str, named: str
) -> None:
    buffy = start(quirks=quirks)
    buffy.server.origin(URL, b"x", headers={"content-disposition": disposition})
    ready = buffy.fetched()
    assert ready["content_attributes"]["filename"] == (guessed if quirks else named)
    assert buffy.content(ready).headers["content-disposition"] == disposition


@BOTH
def test_a_connection_ends_silently_after_a_500(start: Start, quirks: frozenset[Quirk]) -> None:
    buffy = start(quirks=quirks | {Quirk.BROKEN_ROUTES})
    with closing(http.client.HTTPConnection(buffy.server.url.removeprefix("http://"), timeout=20)) as connection:
        connection.request("GET", "/v1/request/a")
        answer = connection.getresponse()
        answer.read()
        assert not answer.will_close
        if quirks:
            assert connection.sock.recv(1) == b""
        else:
            connection.request("GET", "/v1/request/")
            assert connection.getresponse().read() == b"[]"


def test_files_can_get_lost(buffy: Caller) -> None:
    ready = buffy.fetched()
    buffy.server.lose_files()
    with pytest.raises(urllib3.exceptions.ProtocolError, match="0 bytes read, 4 more expected"):
        buffy.content(ready)
