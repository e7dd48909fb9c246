"""Buffy as a transport: what is answered by whom, when any of them is down."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from tests.both import Both
from tests.clients import Asker
from tests.jackfield_services.buffy.buffy_world import get
from tests.jackfield_services.buffy.transport_world import (
    BASE,
    BOTH,
    DIRECT,
    DOWN,
    NEW,
    OLD,
    THINGS,
    direct,
    over,
    shelf,
)
from tests.jackfield_services.buffy.transport_world import buffy as buffy

from jackfield import (
    BodyTooLargeError,
    ConnectError,
    NotFoundError,
    Page,
    Request,
    Response,
    Service,
    operation,
    paged,
    streamed,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.caching import Cache
from jackfield_plugins.pagination import PageAt, PageNumber
from jackfield_plugins.retry import Retry
from jackfield_plugins.streaming import Download, Part
from jackfield_services.buffy import (
    BuffyClient,
    BuffyIntegrityError,
    BuffyNoMatchError,
    BuffyTransport,
    ReCachingStrategy,
    RequestCacheConfiguration,
)
from jackfield_services.buffy.emulator import BuffyEmulator, Fault, Reply

NEVER = RequestCacheConfiguration(recaching_strategy=ReCachingStrategy.never())


def later(ask: Asker, seconds: float = 1.1) -> float:
    """Lets time pass; when it is then."""
    ask.client.runtime.elapsed += seconds
    now: float = ask.client.runtime.elapsed
    return now


@BOTH
def test_buffy_answers_and_the_service_is_not_asked(colour: str, buffy: BuffyEmulator) -> None:
    service = direct()
    with shelf(colour, buffy, service) as ask:
        answer = ask()

    assert (answer.status, answer.content, service.requests) == (200, OLD, [])
    assert [(fetch.method, fetch.url) for fetch in buffy.fetches] == [("GET", THINGS)]


@BOTH
def test_each_request_gives_the_newest(colour: str, buffy: BuffyEmulator) -> None:
    with shelf(colour, buffy) as ask:
        first = ask()
        buffy.origin(THINGS, NEW)
        later(ask)
        second = ask()

    assert (first.content, second.content) == (OLD, NEW)
    assert first.headers["buffy-version"] < second.headers["buffy-version"]


@BOTH
def test_within_a_second_nothing_is_fetched_again(colour: str, buffy: BuffyEmulator) -> None:
    """A server of 0.7.3 would have what comes in the place of the version that is there, or nothing."""
    with shelf(colour, buffy) as ask:
        first = ask()
        buffy.origin(THINGS, status=503)
        second = ask()
        other = ask(headers={"accept": "text/html"})  # another request to Buffy

    assert (second.content, second.headers["buffy-version"]) == (OLD, first.headers["buffy-version"])
    assert other.content == DIRECT
    assert [fetch.headers for fetch in buffy.fetches][:2] == [{}, {"accept": "text/html"}]


@BOTH
def test_what_was_changed_is_fetched_again(colour: str, buffy: BuffyEmulator) -> None:
    with shelf(colour, buffy) as ask:
        ask()
        buffy.origin(THINGS, NEW)
        ask("OPTIONS")
        assert ask().content == OLD
        ask("POST", body=b"new")
        assert ask().content == NEW


@BOTH
def test_what_was_shared_and_is_gone_is_chosen_anew(colour: str, buffy: BuffyEmulator) -> None:
    with shelf(colour, buffy) as ask:
        ask()
        buffy.inject(404, path="*/content")
        assert ask().content == OLD
        buffy.flush()
        assert ask().content in (OLD, DIRECT)
        later(ask)
        assert ask().content == OLD


@BOTH
def test_a_service_that_is_down_is_answered_for(colour: str, buffy: BuffyEmulator) -> None:
    with shelf(colour, buffy, direct(DOWN)) as ask:
        first = ask()
        buffy.origin(THINGS, status=503)
        later(ask)
        second = ask()

    assert (second.content, second.headers["buffy-version"]) == (OLD, first.headers["buffy-version"])


@BOTH
def test_a_service_that_never_answers_is_answered_for_in_half_of_the_time(colour: str, buffy: BuffyEmulator) -> None:
    service = direct()
    with shelf(colour, buffy, service, client={"timeout": 20}) as ask:
        ask()
        began = later(ask)
        buffy.plan(polls=10**9)
        answer = ask()
        took = ask.client.runtime.elapsed - began
        later(ask, 50)
        again = ask()  # at once

    assert (answer.content, again.content, service.requests) == (OLD, OLD, [])
    assert took == pytest.approx(10)
    assert ask.client.runtime.elapsed - began < 60.6


@BOTH
def test_where_there_is_no_version_in_half_of_the_time_the_service_is_asked(colour: str, buffy: BuffyEmulator) -> None:
    buffy.plan(polls=10**9)
    with shelf(colour, buffy, client={"timeout": 20}) as ask:
        answer = ask()
        took = ask.client.runtime.elapsed

    assert answer.content == DIRECT
    assert took == pytest.approx(10)


@BOTH
def test_what_buffy_cannot_fetch_the_service_answers_itself(colour: str, buffy: BuffyEmulator) -> None:
    buffy.origin(THINGS, status=404)
    gone = direct(Response(404, body=b"no such things"))
    with shelf(colour, buffy, gone) as ask, pytest.raises(NotFoundError) as caught:
        ask()

    assert caught.value.response is not None
    assert caught.value.response.content == b"no such things"


@BOTH
def test_where_buffy_is_down_the_service_is_asked(colour: str, buffy: BuffyEmulator) -> None:
    with shelf(colour, buffy) as ask:
        assert ask().content == OLD
        buffy.kill()
        later(ask)
        assert ask().content == DIRECT
        buffy.start()
        assert ask().content == OLD


@BOTH
def test_where_both_are_down_the_error_names_both(colour: str, buffy: BuffyEmulator) -> None:
    buffy.stop()
    with shelf(colour, buffy, direct(DOWN)) as ask, pytest.raises(ConnectError) as caught:
        ask()

    assert f"the service is down; nor has Buffy an answer, at {buffy.url}/v1: " in str(caught.value)
    assert isinstance(caught.value.__context__, ConnectError)


@BOTH
def test_an_origin_that_is_down_and_unknown_to_buffy_is_told_by_both(colour: str, buffy: BuffyEmulator) -> None:
    buffy.origin(THINGS, status=502)
    with shelf(colour, buffy, direct(DOWN)) as ask, pytest.raises(ConnectError, match=r"is down;.*502 Server Error"):
        ask()


@BOTH
def test_each_attempt_asks_each_of_them_once(colour: str, buffy: BuffyEmulator) -> None:
    buffy.inject(503, times=100)
    service, client = direct(DOWN), {"plugins": [Retry(max_attempts=3)]}
    with shelf(colour, buffy, service, client=client) as ask, pytest.raises(ConnectError) as caught:
        ask()

    assert caught.value.call is not None
    assert (caught.value.call.attempts, len(service.requests), len(buffy.requests)) == (3, 3, 3)


@BOTH
def test_another_attempt_may_find_buffy_well_again(colour: str, buffy: BuffyEmulator) -> None:
    buffy.inject(503)
    with shelf(colour, buffy, direct(DOWN), client={"plugins": [Retry()]}) as ask:
        assert ask().content == OLD


FAULTS: list[Any] = [*Fault, 500, 502, 404, 422, Reply(200, b"<html>"), Reply(302, b"", {"location": "http://a.test/"})]


@BOTH
@pytest.mark.parametrize("path", ["/v1/request/", "*/status/*", "*/response", "*/content"])
@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("times", [1, 50])
def test_whatever_becomes_of_buffy_there_is_an_answer(
    colour: str, buffy: BuffyEmulator, fault: Any, path: str, times: int
) -> None:
    buffy.inject(fault, path=path, times=times)
    with shelf(colour, buffy) as ask:
        assert ask().content in (OLD, DIRECT)


@BOTH
@pytest.mark.parametrize("stream", [False, True])
def test_what_a_server_spoils_the_service_gives_itself(colour: str, buffy: BuffyEmulator, stream: bool) -> None:
    buffy.origin(THINGS, b"a;b\r\n1;2\r\n", headers={"content-type": "text/csv"})
    with library(colour, buffy) as api:
        got = b"".join(api.all(api.client.export())) if stream else api.get(api.client.things())

    assert got == DIRECT


@BOTH
def test_a_body_that_is_too_long_is_not_fetched_again(colour: str, buffy: BuffyEmulator) -> None:
    service, short, error = direct(), {"max_body_size": len(OLD) - 1}, f"max_body_size, {len(OLD) - 1} bytes"
    with shelf(colour, buffy, service, client=short) as ask, pytest.raises(BodyTooLargeError, match=error):
        ask()
    with shelf(colour, buffy, service, client={"max_body_size": len(OLD)}) as ask:
        assert ask().content == OLD
    assert service.requests == []


@BOTH
def test_the_answer_has_what_the_origin_said_so_far_as_buffy_remembers(colour: str, buffy: BuffyEmulator) -> None:
    said = {
        "content-type": "text/plain; charset=latin-1",
        "content-disposition": 'attachment; filename="things.txt"',
        "etag": '"abc"',
        "last-modified": "Wed, 21 Oct 2015 09:28:00 +0200",
        "x-total-count": "5",
        "cache-control": "max-age=60",
    }
    buffy.origin(THINGS, OLD, headers=said)
    with shelf(colour, buffy) as ask:
        headers = dict(ask().headers)

    assert parsedate_to_datetime(headers.pop("date")).timestamp() > 1_795_000_000
    assert headers.pop("buffy-version").isdigit()
    assert headers == {
        "content-type": "text/plain",
        "content-disposition": said["content-disposition"],
        "etag": 'W/"abc"',
        "last-modified": "Wed, 21 Oct 2015 07:28:00 GMT",
        "cache-control": "no-store",
    }


@BOTH
def test_headers_that_no_origin_sends_are_left_out(colour: str, buffy: BuffyEmulator) -> None:
    told = {
        "version": "20261121000000",
        "status": "ready",
        "content_hash_hex": md5(b"things", usedforsecurity=False).hexdigest(),
        "content_attributes": {
            "media_type": "text/plain\r\nx-evil: 1",
            "etag": "",
            "last_modified_datetime_utc": "0001-01-01T00:00:00+05:00",
        },
    }
    buffy.inject(Reply(200, [told]), path="*/response")
    buffy.inject(Reply(200, b"things"), path="*/content")
    with shelf(colour, buffy) as ask:
        answer = ask()

    assert (answer.content, set(answer.headers)) == (b"things", {"cache-control", "buffy-version"})


@BOTH
def test_a_tag_and_a_strategy_hold_on_to_a_version(colour: str, buffy: BuffyEmulator) -> None:
    with shelf(colour, buffy, prefer_tag="golden") as ask:
        first = ask()
        transport: Any = ask.transport
        request: Any = transport.request(THINGS)
        get(request.pin())
        get(request.tag("golden"))
        buffy.origin(THINGS, NEW)
        later(ask)
        assert ask().headers["buffy-version"] == first.headers["buffy-version"]
    with shelf(colour, buffy) as ask:
        assert ask().content == NEW


@BOTH
def test_what_is_kept_may_go_before_what_is_on_its_way(colour: str, buffy: BuffyEmulator) -> None:
    with shelf(colour, buffy, prefer_cached=True) as ask:
        assert ask().content == OLD
        buffy.origin(THINGS, NEW)
        buffy.plan(polls=50)
        later(ask)
        assert ask().content == OLD
        assert ask.client.runtime.elapsed < 5


@BOTH
def test_buffy_fetches_when_its_strategy_says_so(colour: str, buffy: BuffyEmulator) -> None:
    with shelf(colour, buffy, cache_configuration=NEVER) as ask:
        for _ in range(3):
            assert ask().content == OLD
            later(ask)

    assert len(buffy.fetches) == 1


@BOTH
def test_the_query_is_part_of_what_is_asked_for(colour: str, buffy: BuffyEmulator) -> None:
    buffy.origin(f"{THINGS}?name=a%20b&page=2", b"page 2 of a b")
    with shelf(colour, buffy) as ask:
        assert ask(query={"name": "a b", "page": "2"}).content == b"page 2 of a b"
        assert ask(query="name=a%20b&page=2").content == b"page 2 of a b"
        assert ask().content == OLD


@BOTH
def test_buffy_s_answers_are_not_kept_a_second_time(colour: str, buffy: BuffyEmulator) -> None:
    buffy.origin(THINGS, OLD, headers={"last-modified": "Wed, 21 Oct 2015 07:28:00 GMT", "etag": '"1"'})
    with shelf(colour, buffy, client={"cache": Cache()}) as ask:
        assert ask().content == OLD
        buffy.origin(THINGS, NEW)
        later(ask)
        assert ask().content == NEW


BOOKS = PageNumber(2)


class Library(Service):
    @paged(BOOKS)
    async def books(self, at: PageAt, /) -> Page[int]:
        return await BOOKS.fetch(self, at, Request("GET", self.url("books")), int)

    @streamed(Download())
    async def export(self, part: Part) -> Response:
        return await self.send(part.of(Request("GET", self.url("things"))), stream=True)

    @operation
    async def things(self) -> bytes:
        return (await self.send(Request("GET", self.url("things")))).content


@contextmanager
def library(colour: str, buffy: BuffyEmulator, service: FakeTransport | None = None) -> Generator[Both]:
    with over(colour, buffy, service) as transport, Both(colour, Library, BASE, transport) as api:
        yield api


@BOTH
def test_lists_go_on_while_the_service_is_down(colour: str, buffy: BuffyEmulator) -> None:
    def fill(status: int = 200) -> None:
        for number, page in enumerate(["[1, 2]", "[3, 4]", "[5]", "[]"], 1):
            buffy.origin(f"{BASE}/books?page={number}&pagesize=2", page if status == 200 else "", status=status)

    fill()
    with library(colour, buffy, direct(DOWN)) as api:
        assert api.all(api.client.books.all()) == [1, 2, 3, 4, 5]
        fill(status=503)
        assert api.all(api.client.books.all()) == [1, 2, 3, 4, 5]


@BOTH
def test_a_download_goes_into_a_file(colour: str, buffy: BuffyEmulator, tmp_path: Path) -> None:
    much = bytes(range(256)) * 4000
    said = {"content-type": "application/octet-stream", "content-disposition": 'attachment; filename="all.bin"'}
    buffy.origin(THINGS, much, headers=said)
    service = direct()
    with library(colour, buffy, service) as api:
        path = api.get(api.client.export().to(tmp_path))
        pieces = api.all(api.client.export())

    assert (path.name, path.read_bytes()) == ("all.bin", much)
    assert b"".join(pieces) == much
    assert len(pieces) > 1
    assert service.requests == []


def test_a_download_that_breaks_is_not_put_together_with_the_service_s_own_bytes(
    buffy: BuffyEmulator, tmp_path: Path
) -> None:
    buffy.origin(THINGS, b"a\r\n" * 300_000, headers={"content-type": "text/csv", "etag": '"1"'})
    service = direct(Response(206, {"content-range": "bytes 3-5/6"}, b"xyz"))
    with library("sync", buffy, service) as api, pytest.raises(BuffyIntegrityError):
        api.client.export().to(tmp_path / "all.csv")

    assert list(tmp_path.iterdir()) == []
    assert service.requests == []


def test_pins_of_what_was_asked_before_and_of_what_was_not(buffy: BuffyEmulator) -> None:
    with shelf("sync", buffy) as ask, BuffyClient(buffy.url) as plain:
        transport: BuffyTransport[Any] = ask.transport  # type: ignore[assignment]  # it is Buffy's
        version = ask(headers={"accept": "text/plain"}).headers["buffy-version"]
        assert transport.request(THINGS).pin() == version
        assert [one.pinned for one in transport.request(THINGS).list_cached_response_versions()] == [True]

        other = transport.request(THINGS, {"accept": "text/html"})
        other.order()
        assert other.wait().version > version
        assert len(plain.list_requests()) == 2


def test_what_is_done_to_a_request_is_no_matter_of_calls(buffy: BuffyEmulator) -> None:
    with shelf("sync", buffy) as ask:
        transport: BuffyTransport[Any] = ask.transport  # type: ignore[assignment]  # it is Buffy's
        version = ask().headers["buffy-version"]
        request = transport.request(THINGS)
        request.force_tag = "none has it"
        with pytest.raises(BuffyNoMatchError):
            request.wait()
        assert ask().headers["buffy-version"] == version
        assert transport.request(THINGS).response_version == version
        assert [one.method for one in buffy.requests].count("PUT") == 1
