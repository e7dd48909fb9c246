"""Where content comes from, how long it takes, and when it comes anew."""

from __future__ import annotations

import pytest
from tests.servers import Peer, Serve

from .conftest import URL, Caller, Clock, Start

OTHER = "https://example.org/other"


def test_an_origin_answers_so_many_times_and_then_another(buffy: Caller) -> None:
    buffy.server.origin(OTHER, status=500, times=2)
    buffy.server.origin(OTHER, "well")
    assert buffy.content(buffy.fetched(OTHER)).data == b"well"
    assert len(buffy.server.fetches) == 3


def test_an_error_of_the_origin_is_met_six_times(buffy: Caller) -> None:
    buffy.server.origin(OTHER, status=404)
    failed = buffy.fetched(OTHER)
    error = failed["download_stats"]["error"].splitlines()[-1]
    assert error == f"requests.exceptions.HTTPError: 404 Client Error: Not Found for url: {OTHER}"
    assert (failed["status"], failed["download_stats"]["state"]) == ("failed", "failed")
    assert len(buffy.server.fetches) == 6


def test_an_address_has_its_own_content_for_a_query(buffy: Caller) -> None:
    buffy.server.origin(f"{URL}?a=1", "one")
    told = [buffy.content(buffy.fetched(f"{URL}?a={number}")).data for number in (1, 2)]
    assert told == [b"one", b"a;b\n"]


def test_redirects_are_followed(buffy: Caller) -> None:
    buffy.server.origin(OTHER, status=302, headers={"location": "/data.csv"})
    buffy.server.origin("https://example.org/posted", status=308, headers={"location": OTHER})
    buffy.server.origin("https://example.org/loop", status=302, headers={"location": "/loop"})
    assert buffy.content(buffy.fetched(OTHER)).data == b"a;b\n"
    buffy.fetched("https://example.org/posted", http_method="post")
    assert [fetch.method for fetch in buffy.server.fetches[-3:]] == ["POST", "POST", "GET"]
    assert "TooManyRedirects" in buffy.fetched("https://example.org/loop")["download_stats"]["error"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"retry-after": "3600"}, "ready"),
        ({"retry-after": "0"}, "ready"),
        ({}, "failed"),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, "failed"),
    ],
)
def test_an_origin_that_is_asked_too_often_says_when_to_come_again(
    buffy: Caller, headers: dict[str, str], status: str
) -> None:
    buffy.server.origin(OTHER, status=429, headers=headers, times=1)
    buffy.server.origin(OTHER, "ok")
    assert buffy.fetched(OTHER)["status"] == status


def test_an_origin_that_always_says_so_is_waited_for_for_ever(buffy: Caller) -> None:
    buffy.server.origin(OTHER, status=429, headers={"retry-after": "1"})
    request = buffy.order(OTHER)
    seen = {each["status"] for _ in range(20) for each in buffy.listed(request)}
    assert seen == {"in_progress"}


def test_an_origin_on_loopback_is_really_asked(buffy: Caller, serve: Serve) -> None:
    def tell(peer: Peer) -> None:
        for request in peer.requests():
            told = request.line.encode()
            peer.send(b"HTTP/1.1 200 \r\ncontent-length: %d\r\n\r\n%b" % (len(told), told))

    server = serve(tell)
    ready = buffy.fetched(f"{server.url}/it", http_query_params={"a": "b c"})
    assert buffy.content(ready).data == b"GET /it?a=b+c HTTP/1.1"
    assert buffy.server.fetches == ()


def test_a_slow_origin_is_given_up_when_the_server_ends(buffy: Caller, serve: Serve) -> None:
    def say_half(peer: Peer) -> None:
        next(peer.requests())
        peer.send(b"HTTP/1.1 200 \r\ncontent-length: 200000\r\n\r\n", bytes(70_000))
        peer.hang()

    request = buffy.order(f"{serve(say_half).url}/slow")
    buffy.listed(request)
    seen = buffy.listed(request)[0]
    assert (seen["status"], seen["download_stats"]["downloaded_bytes"]) == ("in_progress", 65_536)
    buffy.server.stop()


@pytest.mark.parametrize(("at_once", "running"), [(2, [3, 5]), (4, [1, 3, 5])])  # the newest request comes first
def test_so_many_downloads_run_for_a_host_and_so_many_in_all(start: Start, at_once: int, running: list[int]) -> None:
    buffy = start(max_downloads_per_domain=1, max_downloads=at_once, polls=9)
    requests = [buffy.order(f"https://{host}.org/{number}") for host in "abc" for number in "12"]
    for host in "abc":
        buffy.server.origin(f"https://{host}.org/1", "x")
        buffy.server.origin(f"https://{host}.org/2", "x")
    buffy.ask("GET", "/v1/request/")
    seen = [buffy.ask("GET", f"/v1/request/{each['id']}/response/latest").json()["status"] for each in requests]
    assert [place for place, status in enumerate(seen) if status == "in_progress"] == running


def test_what_waits_has_neither_stats_nor_content(start: Start) -> None:
    buffy = start(max_downloads=0)
    request = buffy.order()
    buffy.listed(request)
    waiting = buffy.listed(request)[0]
    assert (waiting["status"], waiting["download_stats"], waiting["content_attributes"]) == ("wait", None, None)
    assert buffy.content(waiting).status == 500


def test_plans_are_for_the_next_downloads(buffy: Caller) -> None:
    buffy.server.plan(polls=0)
    buffy.server.plan(polls=3)
    seen: list[list[str]] = []
    for url in (URL, f"{URL}?2", f"{URL}?3"):
        request = buffy.order(url)
        seen.append([each["status"] for _ in range(5) for each in buffy.listed(request)])
    assert [statuses.count("in_progress") for statuses in seen] == [0, 3, 1]


@pytest.mark.parametrize(
    ("strategy", "after", "versions"),
    [
        ({"strategy_name": "never"}, 10**7, 1),
        ({"strategy_name": "age", "seconds": 60}, 60, 1),
        ({"strategy_name": "age", "seconds": 60}, 61, 2),
        ({"strategy_name": "cron", "cron": "0 0 * * *", "run_at_start": False}, 3600, 1),
        ({"strategy_name": "cron", "cron": "0 0 * * *", "run_at_start": False}, 86_400, 2),
        ({"strategy_name": "cron", "cron": "*/15 8-18/2 * nov,dec mon-fri", "run_at_start": False}, 1200, 1),
        ({"strategy_name": "cron", "cron": "* * * * * 30", "run_at_start": False}, 59, 2),
        ({"strategy_name": "cron", "cron": "0 0 1 * thu", "run_at_start": False}, 86_400, 2),
        ({"strategy_name": "cron", "cron": "0 0 1 * *", "run_at_start": False}, 86_400, 1),
    ],
)
def test_strategies_say_when_it_comes_anew(
    buffy: Caller, clock: Clock, strategy: dict[str, object], after: int, versions: int
) -> None:
    request = buffy.order(cache_configuration={"recaching_strategy": strategy})
    buffy.settle(request)
    buffy.server.origin(URL, "new")
    clock.pass_by(after)
    found = [len(buffy.listed(request)) for _ in range(3)]
    assert found == [1, versions, versions]


def test_clean_up_keeps_the_newest_of_the_pinned_and_of_the_others(start: Start, clock: Clock) -> None:
    buffy = start(clean_every=100)
    configuration = {
        "recaching_strategy": {"strategy_name": "when_requested"},
        "max_cached_unpinned_versions": 1,
        "max_cached_pinned_versions": 1,
    }
    request = buffy.order(cache_configuration=configuration)
    versions: list[str] = []
    for number in range(4):
        buffy.server.origin(URL, str(number))
        ready = buffy.fetched(cache_configuration=configuration)
        versions.append(ready["version"])
        if number in (1, 2):
            buffy.change(ready, "pin", value=True)
        clock.pass_by(1)
    assert [each["version"] for each in buffy.listed(request)] == versions[::-1]

    clock.pass_by(100)
    buffy.listed(request)

    assert [each["version"] for each in buffy.listed(request)] == versions[:1:-1]


def test_a_duplicate_goes_after_two_minutes(start: Start, clock: Clock) -> None:
    buffy = start(clean_every=10)
    configuration = {"recaching_strategy": {"strategy_name": "when_requested"}}
    request = buffy.order(cache_configuration=configuration)
    buffy.settle(request)
    clock.pass_by(1)
    assert buffy.fetched(cache_configuration=configuration)["status"] == "duplicate"
    counts: list[int] = []
    for seconds in (119, 2):
        clock.pass_by(seconds)
        buffy.listed(request)
        counts.append(len(buffy.listed(request)))
        clock.pass_by(10)
    assert counts == [2, 1]


def test_a_cron_table_is_due_once_each_time(buffy: Caller, clock: Clock) -> None:
    strategy = {"strategy_name": "cron", "cron": "0 * * * *", "run_at_start": False}
    request = buffy.order(cache_configuration={"recaching_strategy": strategy})
    buffy.settle(request)
    clock.pass_by(3600)
    first = buffy.settle(request)["version"]
    clock.pass_by(60)
    assert buffy.settle(request)["version"] == first


def test_an_address_elsewhere_is_not_asked(buffy: Caller) -> None:
    failed = buffy.fetched("http://192.0.2.1/x")
    error = "requests.exceptions.ConnectionError: 192.0.2.1 is neither in the emulator's table nor on loopback"
    assert failed["download_stats"]["error"].splitlines()[-1] == error
