"""What a server, and what lies before it, can be made to get wrong; with the emulator alone, as only that is."""

from __future__ import annotations

import io
import json
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.servers import Peer, Serve
from tests.servers.origin import BLOB, Origin
from tests.servers.ranges import Ranges

from jackfield import (
    BodyTooLargeError,
    DeadlineExceededError,
    DecodeError,
    JackfieldError,
    NetworkError,
    RateLimitedError,
    TruncatedBodyError,
    UsageError,
)
from jackfield_services.buffy import (
    BuffyIntegrityError,
    BuffyNotAppliedError,
    BuffyServerError,
    BuffyUnknownError,
    BuffyValueError,
)
from jackfield_services.buffy.emulator import BuffyEmulator, Fault, Quirk, Reply

from .asking import WITH_EACH, Api


@pytest.fixture
def emulator(api: Api) -> BuffyEmulator:
    """The server of `api`."""
    if not isinstance(api.server, BuffyEmulator):
        pytest.fail("a real server does not do wrong when it is told to")
    return api.server


def asked(emulator: BuffyEmulator, method: str, ending: str) -> int:
    """How often that was asked for."""
    return sum(one.method == method and one.path.endswith(ending) for one in emulator.requests)


def replaced(api: Api, emulator: BuffyEmulator, origin: Origin, polls: int) -> Any:
    """A request whose version has other content by now: it was cached again within its second."""
    at = emulator.now()
    emulator.now = lambda: at  # it stands still
    request = api.request(origin.url("/changing"), cache_configuration=WITH_EACH)
    api.get(request.wait())
    origin.things["/changing"].data = b"second"
    emulator.plan(polls=polls)
    other = api.request(origin.url("/changing"), cache_configuration=WITH_EACH)
    api.versions(other, status=None)
    return request


def test_a_version_that_was_cached_again_is_served_as_it_is(api: Api, emulator: BuffyEmulator, origin: Origin) -> None:
    request = replaced(api, emulator, origin, polls=0)
    version = request.state.bound.version
    api.until(lambda: True if api.versions(request) else None)

    assert api.content(request) == b"second"
    assert api.content(request) == b"second"
    assert request.state.bound.version == version


def test_a_version_that_is_being_cached_again_is_an_error_once(
    api: Api, emulator: BuffyEmulator, origin: Origin, tmp_path: Path
) -> None:
    request = replaced(api, emulator, origin, polls=9)
    target = tmp_path / "file"
    target.write_bytes(b"old")

    with pytest.raises(BuffyIntegrityError, match="cached again"):
        api.get(request.download_response_content_to(target))
    assert (target.read_bytes(), len(list(tmp_path.iterdir()))) == (b"old", 1)

    api.get(request.download_response_content_to(target))
    assert target.read_bytes() == b"second"


@pytest.mark.parametrize("wrong", [b"another", BLOB + b"more", BLOB[:-1]])
def test_content_that_was_never_cached_is_an_error(
    api: Api, emulator: BuffyEmulator, origin: Origin, wrong: bytes
) -> None:
    request = api.request(origin.url("/blob"))
    emulator.inject(Reply(200, wrong), path="*/content")

    with pytest.raises(BuffyIntegrityError, match=api.get(request.wait()).version):
        api.content(request)

    assert api.content(request) == BLOB


@pytest.mark.parametrize("status", [404, 500])
def test_a_version_that_cannot_be_read_is_chosen_anew_once(
    api: Api, emulator: BuffyEmulator, origin: Origin, status: int
) -> None:
    request = api.request(origin.url("/blob"))
    api.get(request.wait())

    emulator.inject(status, path="*/content")
    assert api.content(request) == BLOB

    emulator.inject(status, path="*/content", times=2)
    with pytest.raises(BuffyServerError) as caught:
        api.content(request)
    assert caught.value.status == status
    assert asked(emulator, "GET", "/content") == 4


def test_a_file_is_begun_again_after_a_break_and_an_iterator_ends(
    api: Api, emulator: BuffyEmulator, origin: Origin, tmp_path: Path
) -> None:
    request = api.request(origin.url("/blob"))
    emulator.inject(Fault.TRUNCATED, path="*/content")

    assert api.get(request.download_response_content_to(tmp_path / "file")).read_bytes() == BLOB

    emulator.inject(Fault.TRUNCATED, path="*/content")
    with pytest.raises(TruncatedBodyError):
        api.content(request)


@pytest.mark.parametrize("fault", [503, Fault.RESET, Fault.CLOSE, Fault.LOST, Fault.TRUNCATED])
def test_an_order_is_repeated(api: Api, emulator: BuffyEmulator, origin: Origin, fault: Fault | int) -> None:
    emulator.inject(fault, path="/v1/request/")

    request = api.request(origin.url("/blob"))

    assert not request.is_local
    assert asked(emulator, "PUT", "/request/") == 2
    assert api.content(request) == BLOB
    assert len(api.get(api.client.list_requests(group_name=api.group))) == 1


def test_a_proxy_that_finds_nobody_behind_it_is_as_good_as_nobody(
    api: Api, emulator: BuffyEmulator, origin: Origin
) -> None:
    emulator.inject(503, path="/v1/request/", times=6)

    request = api.request(origin.url("/blob"))
    assert request.is_local
    assert api.content(request) == BLOB

    api.client.local_download_fallback = False
    with pytest.raises(BuffyServerError) as caught:
        api.get(request.order())
    assert caught.value.status == 503


@pytest.mark.parametrize("fault", [400, 401, 403, 422, 500])
def test_what_the_server_refuses_is_not_fetched_past_it(
    api: Api, emulator: BuffyEmulator, origin: Origin, fault: int
) -> None:
    emulator.inject(fault, path="/v1/request/")

    with pytest.raises(BuffyServerError) as caught:
        api.request(origin.url("/blob"))

    assert caught.value.status == fault
    assert origin.asked == {}


@pytest.mark.parametrize("fault", [Fault.HTML, Fault.EMPTY, Fault.MALFORMED, Reply(200, {"id": 3}), Reply(200, None)])
def test_what_is_no_answer_of_a_buffy_is_an_error(
    api: Api, emulator: BuffyEmulator, origin: Origin, fault: Fault | Reply
) -> None:
    emulator.inject(fault, path="/v1/request/")
    with pytest.raises(DecodeError):
        api.request(origin.url("/blob"))

    request = api.request(origin.url("/blob"))
    emulator.inject(fault, path="*/response")
    with pytest.raises(DecodeError):
        api.get(request.wait())
    assert api.content(request) == BLOB


@pytest.mark.parametrize("fault", [404, 500, 503, Fault.RESET, Fault.HTML, Reply(200, "?")])
def test_whether_the_server_has_looked_is_a_hint(
    api: Api, emulator: BuffyEmulator, origin: Origin, fault: Fault | Reply | int
) -> None:
    emulator.inject(fault, path="*/status/*", times=3)

    assert api.content(api.request(origin.url("/blob"))) == BLOB


def test_a_server_that_never_looks_is_not_waited_for_without_end(
    api: Api, emulator: BuffyEmulator, origin: Origin
) -> None:
    emulator.inject(Reply(202, {"status": "not_registered"}), path="*/status/*", times=1000)

    request = api.request(origin.url("/blob"))

    assert 5 < asked_of(emulator, "/status/") < 50
    assert api.content(request) == BLOB


def asked_of(emulator: BuffyEmulator, part: str) -> int:
    return sum(part in one.path for one in emulator.requests)


def test_a_server_that_forgets_while_it_is_waited_for_is_told_again(
    api: Api, emulator: BuffyEmulator, origin: Origin
) -> None:
    request = api.request(origin.url("/slow"))
    first = request.id

    def told(event: Any) -> None:
        if not origin.go_on.is_set():
            api.server.flush()
            origin.go_on.set()

    version = api.get(request.wait(progress=told))

    assert version.request_id == request.id != first
    assert asked(emulator, "GET", "/response") < 10  # it is not wondered at for long
    assert api.content(request) == BLOB


def test_an_order_that_was_lost_is_made_again(api: Api, emulator: BuffyEmulator, origin: Origin) -> None:
    emulator.inject(Reply(200, []), path="*/response", times=10)

    assert api.content(api.request(origin.url("/blob"))) == BLOB
    assert asked(emulator, "PUT", "/request/") == 2


def test_a_server_that_has_nothing_for_ever_ends_in_an_error(api: Api, emulator: BuffyEmulator, origin: Origin) -> None:
    emulator.inject(Reply(200, []), path="*/response", times=10_000)
    request = api.request(origin.url("/blob"))
    api.client.wait_timeout = 30

    with pytest.raises(TimeoutError, match=f"{request.id}.*no version after 30 s"):
        api.content(request)


@pytest.mark.parametrize("fault", [503, Fault.RESET, Fault.LOST, Fault.TRUNCATED])
def test_a_pin_and_a_tag_are_repeated(api: Api, emulator: BuffyEmulator, origin: Origin, fault: Fault | int) -> None:
    request = api.request(origin.url("/blob"))
    version = api.get(request.wait()).version

    emulator.inject(fault, method="PUT", path="*/pin")
    assert api.get(request.pin()) == version
    emulator.inject(fault, method="PUT", path="*/tag")
    assert api.get(request.tag("good")) == version

    (kept,) = api.versions(request)
    assert (kept.pinned, kept.tags) == (True, ["good"])


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.TRUNCATED, Fault.RESET])
def test_a_tag_is_taken_off_once(api: Api, emulator: BuffyEmulator, origin: Origin, fault: Fault) -> None:
    request = api.request(origin.url("/blob"))
    api.get(request.wait())
    api.get(request.tag("good"))
    before = asked(emulator, "PUT", "/tag")

    emulator.inject(fault, method="PUT", path="*/tag")
    if fault is Fault.RESET:  # whether it was heeded cannot be known, but by looking
        with pytest.raises(BuffyNotAppliedError, match="good") as caught:
            api.get(request.tag("good", remove_tag=True))
        assert isinstance(caught.value.__cause__, NetworkError)
    else:
        api.get(request.tag("good", remove_tag=True))

    assert asked(emulator, "PUT", "/tag") == before + 1
    assert emulator.alive


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_a_claim_that_is_refused_is_an_error(api: Api, emulator: BuffyEmulator, origin: Origin, status: int) -> None:
    request = api.request(origin.url("/blob"))
    api.get(request.wait())
    emulator.inject(status, method="PUT", path="*/pin")

    with pytest.raises(BuffyServerError) as caught:
        api.get(request.pin())

    assert caught.value.status == status


def test_a_pin_for_a_time_has_no_effect_but_where_the_server_is_mended(
    api: Api, emulator: BuffyEmulator, origin: Origin
) -> None:
    request = api.request(origin.url("/blob"))
    version = api.get(request.wait()).version

    with pytest.raises(BuffyNotAppliedError, match=f"{version}.*{request.id}"):
        api.get(request.pin(duration_sec=60))
    emulator.quirks = set(Quirk) - {Quirk.PINS_IN_THE_PAST}
    assert api.get(request.pin(duration_sec=60)) == version


@pytest.mark.parametrize("version", ["../../../request/", "a/b", "%2e%2e", "x?y", "x#y", "é"])
def test_a_version_stays_a_part_of_its_path(api: Api, emulator: BuffyEmulator, origin: Origin, version: str) -> None:
    request = api.request(origin.url("/blob"))
    before = len(emulator.requests)

    with pytest.raises(BuffyUnknownError):
        api.get(request.pin(response_version=version))

    (only,) = emulator.requests[before:]
    assert only.path.startswith(f"/v1/request/{request.id}/response/v/")


def test_a_request_that_many_share_is_ordered_once(api: Api, emulator: BuffyEmulator, origin: Origin) -> None:
    request = api.request(origin.url("/blob"), hold_request_order=True, cache_configuration=WITH_EACH)

    assert {one.version for one in api.together([request.wait] * 12)} == {request.state.bound.version}

    assert asked(emulator, "PUT", "/request/") == 1


def test_pieces_keep_their_size_over_a_break(api: Api, emulator: BuffyEmulator, origin: Origin) -> None:
    request = api.request(origin.url("/dropped"), hold_request_order=True)
    request.fetch_directly()

    pieces = api.pieces(request, 1000)

    assert b"".join(pieces) == BLOB
    assert {len(piece) for piece in pieces[:-1]} == {1000}
    assert origin.things["/dropped"].starts == [0, 131_000]


@pytest.mark.parametrize("size", [0, -1, True, 1.5, "1000"])
def test_a_piece_has_a_size(api: Api, emulator: BuffyEmulator, origin: Origin, size: Any) -> None:
    with pytest.raises(BuffyValueError, match="chunk_size"):
        api.pieces(api.request(origin.url("/blob")), size)


def test_a_file_must_take_bytes(api: Api, emulator: BuffyEmulator, origin: Origin, tmp_path: Path) -> None:
    request = api.request(origin.url("/blob"), hold_request_order=True)
    path = tmp_path / "file"
    path.touch()
    closed = io.BytesIO()
    closed.close()

    with path.open("w") as text, tempfile.NamedTemporaryFile("w") as temporary, path.open("rb") as readable:
        for target in (text, temporary, readable, closed, io.StringIO(), 3, b"file"):
            with pytest.raises(BuffyValueError, match="target"):
                api.get(request.download_response_content_to(target))
    for where in ({}, {"target": path, "dir": tmp_path}, {"dir": tmp_path / "none"}):
        with pytest.raises(BuffyValueError):
            api.get(request.download_response_content_to(**where))
    with pytest.raises(UsageError, match="no folder"):
        api.get(request.download_response_content_to(tmp_path / "none" / "file"))

    assert path.read_bytes() == b""
    assert asked(emulator, "GET", "/content") == 0


def test_a_link_is_replaced_and_not_followed(api: Api, emulator: BuffyEmulator, origin: Origin, tmp_path: Path) -> None:
    precious, link = tmp_path / "precious", tmp_path / "blob file.bin"
    precious.write_bytes(b"old")
    link.symlink_to(precious)

    api.get(api.request(origin.url("/blob")).download_response_content_to(dir=tmp_path))

    assert (precious.read_bytes(), link.is_symlink(), link.read_bytes()) == (b"old", False, BLOB)


def test_a_file_without_a_buffer_gets_all_of_it(api: Api, emulator: BuffyEmulator, origin: Origin) -> None:
    class Slow(io.RawIOBase):
        taken = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, piece: Any) -> int:
            self.taken += bytes(piece)[:1000]
            return min(len(piece), 1000)

    file = Slow()
    file.taken = bytearray()

    assert api.get(api.request(origin.url("/blob")).download_response_content_to(file)) is file
    assert file.taken == BLOB


@pytest.mark.parametrize("into", ["path", "file"])
def test_more_than_is_wanted_is_refused(
    api: Api, emulator: BuffyEmulator, origin: Origin, tmp_path: Path, into: str
) -> None:
    target = tmp_path / "file" if into == "path" else io.BytesIO()
    request = api.request(origin.url("/blob"))

    with pytest.raises(BodyTooLargeError):
        api.get(request.download_response_content_to(target, max_bytes=100_000))

    assert list(tmp_path.iterdir()) == []
    assert api.content(request) == BLOB


@pytest.mark.parametrize("method", ["post", "put"])
def test_without_a_server_the_body_is_sent(serve: Serve, colour: str, group: str, method: str) -> None:
    got: list[Any] = []

    def answer(peer: Peer) -> None:
        for request in peer.requests():
            got.append(request)
            peer.send(b"HTTP/1.1 200 \r\ncontent-length: 2\r\n\r\nok")

    origin = serve(*[answer] * 4)
    with Api(colour, "http://127.0.0.1:9", group, http_headers={"X-Proxy": "secret"}, http_auth=("u", "p")) as api:
        request = api.request(
            f"{origin.url}/search?q=a%20b&flag&sig=%2B%2f#part",
            http_method=method,
            http_query_params={"page": [1, 2], "none": None},
            http_request_body={"names": ["ä"]},
            http_header_fields={"Content-Type": "application/sparql+json"},
        )
        assert request.is_local
        assert api.content(request) == b"ok"
        assert api.get(request.get_filename("unknown")) == "unknown"

    (only,) = got
    assert only.line == f"{method.upper()} /search?q=a%20b&flag&sig=%2B%2f&page=1&page=2 HTTP/1.1"
    assert only.body == '{"names":["ä"]}'.encode()
    assert only.get_all("content-type") == ["application/sparql+json"]
    assert only.get_all("x-proxy") == only.get_all("authorization") == []


@pytest.mark.parametrize("told", [b"", b"retry-after: 1\r\n", b"retry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n"])
def test_an_origin_that_is_always_busy_is_not_asked_for_ever(
    serve: Serve, colour: str, group: str, told: bytes
) -> None:
    busy = serve(*[_busy(told)] * 9)
    with Api(colour, "http://127.0.0.1:9", group) as api, pytest.raises(RateLimitedError):
        api.content(api.request(f"{busy.url}/file"))

    assert len(busy.requests) == 3


def _busy(told: bytes) -> Callable[[Peer], None]:
    def answer(peer: Peer) -> None:
        for _ in peer.requests():
            peer.send(b"HTTP/1.1 429 \r\ncontent-length: 0\r\n" + told + b"\r\n")

    return answer


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    value: str = request.param
    return value


def test_the_server_gets_its_headers_and_who_asks(api: Api, emulator: BuffyEmulator, origin: Origin) -> None:
    with Api(api.colour, api.server, api.group, http_headers={"X-Proxy": "here"}, http_auth=("u", "p")) as other:
        request = other.request(origin.url("/blob"))
        assert other.content(request) == BLOB
        other.get(request.pin())

    ours = [one for one in emulator.requests if one.headers.get("x-proxy") == "here"]
    assert {one.headers.get("authorization") for one in ours} == {"Basic dTpw"}
    assert {one.path.rpartition("/")[2] for one in ours} >= {"", "response", "content", "pin"}


@pytest.mark.parametrize("ends", ["stop", "kill"])
def test_nothing_is_left_of_a_client_whose_server_is_gone(
    nothing_left: None, colour: str, group: str, ends: str
) -> None:
    with BuffyEmulator() as emulator:
        emulator.origin("http://far.example/file", b"data")
        with Api(colour, emulator, group) as api:
            request = api.request("http://far.example/file")
            threading.Thread(target=getattr(emulator, ends)).start()
            try:
                api.content(request)
            except JackfieldError:
                pass


REQUEST = {"id": "4e02eb858c03", "url": "http://far.example/file", "request_timestamp": 1795218828.33}
READY = {"version": "20261120235348", "status": "ready", "content_hash_hex": "cd9709d283210ddc0d45552cdafe3652"}


@pytest.mark.parametrize("silent", ["/status/", "/response?", "/content"])
def test_a_server_that_falls_silent_is_not_waited_for_without_end(
    serve: Serve, colour: str, group: str, silent: str
) -> None:
    def answer(peer: Peer) -> None:
        for request in peer.requests():
            if silent in request.line:
                continue
            said = REQUEST if "PUT" in request.line else [READY] if "/response?" in request.line else {}
            data = b"hello static\n" if "/content" in request.line else json.dumps(said).encode()
            peer.send(b"HTTP/1.1 200 \r\ncontent-length: %d\r\n\r\n" % len(data), data)

    with Api(colour, serve(*[answer] * 40).url, group, timeout=0.2) as api:
        api.client.buffy_server_timeout_sec = 0.2
        request = api.request("http://far.example/file")

        if silent == "/status/":  # which is a hint
            assert api.content(request) == b"hello static\n"
        else:
            with pytest.raises((NetworkError, DeadlineExceededError)):
                api.content(request)


def test_who_gets_an_older_version_because_the_newest_failed_is_told(
    api: Api, emulator: BuffyEmulator, origin: Origin, caplog: pytest.LogCaptureFixture
) -> None:
    request = api.request(origin.url("/changing"), cache_configuration=WITH_EACH)
    first = api.get(request.wait()).version
    del origin.things["/changing"]

    assert api.again(request).status == "failed"
    assert api.content(request) == b"first"

    assert any("404" in record.message and first in record.message for record in caplog.records)


@pytest.mark.parametrize("path", ["/v1/request/", "*/response", "*/content"])
@pytest.mark.parametrize("status", [301, 307])
def test_the_api_redirects_to_nowhere(
    api: Api, emulator: BuffyEmulator, origin: Origin, path: str, status: int
) -> None:
    emulator.inject(Reply(status, b"", {"location": origin.url("/static.txt")}), path=path)

    with pytest.raises(BuffyServerError) as caught:
        api.content(api.request(origin.url("/blob")))

    assert caught.value.status == status
    assert origin.asked["GET /static.txt"] == 0


def test_an_origin_that_redirects_is_followed_and_secrets_stay_with_it(serve: Serve, colour: str, group: str) -> None:
    there = serve(*[Ranges(b"there")] * 2)
    got: list[Any] = []

    def answer(peer: Peer) -> None:
        for request in peer.requests():
            got.append(request)
            where = f"{there.url}/file" if "moved" in request.line else "/moved"
            peer.send(f"HTTP/1.1 302 \r\nlocation: {where}\r\ncontent-length: 0\r\n\r\n".encode())

    with Api(colour, "http://127.0.0.1:9", group) as api:
        request = api.request(f"{serve(*[answer] * 4).url}/file", http_header_fields={"X-Key": "secret"})
        assert api.content(request) == b"there"

    assert [one.get_all("x-key") for one in got] == [["secret"], ["secret"]]
    assert [one.get_all("x-key") for one in there.requests] == [[]]


def test_who_reads_asks_for_what_is_gone_no_more_often_than_who_waits(serve: Serve, colour: str, group: str) -> None:
    def leave(peer: Peer) -> None:
        peer.end("close")

    gone = serve(*[leave] * 40)
    asked: list[int] = []

    with Api(colour, gone.url, group, local_download_fallback=False) as api:
        request = api.request("http://far.example/file", hold_request_order=True)
        for call in (lambda: api.get(request.wait()), lambda: api.content(request)):
            before = gone.connections
            with pytest.raises(NetworkError):
                call()
            asked.append(gone.connections - before)

    assert asked[0] == asked[1] == 3


def test_a_wait_is_not_taken_up_by_its_token_alone(api: Api, emulator: BuffyEmulator, origin: Origin) -> None:
    request = api.request(origin.url("/slow"))
    token = api.get(api.client.ready.start(request.state)).token
    origin.go_on.set()

    with pytest.raises(BuffyValueError, match="create the request"):
        api.get(api.client.ready.resume(token).result())
