"""What comes of a download, by way of a Buffy."""

from __future__ import annotations

import hashlib
import io
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.servers.origin import BLOB, Origin

from jackfield_services.buffy import BuffyCacheEmptyError, BuffyIntegrityError

from .asking import Api


def test_a_new_file_is_ready_and_has_a_version(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/static.txt"))

    assert api.content(request) == b"hello static\n"
    assert re.fullmatch(r"\d{14}", request.response_version)
    assert request.download_stats.downloaded_bytes == 13
    assert request.state.bound.content_attributes.etag == '"s1"'


@pytest.mark.parametrize("path", ["/blob", "/flaky", "/empty", "/gzip"])
def test_what_comes_is_what_the_origin_has(api: Api, origin: Origin, path: str) -> None:
    wanted = bytes(10_000) if path == "/gzip" else origin.things[path].data

    assert api.content(api.request(origin.url(path))) == wanted


def test_the_same_order_is_the_same_request(api: Api, origin: Origin) -> None:
    first = api.request(origin.url("/blob"), http_header_fields={"a": "1", "b": "2"})
    second = api.request(origin.url("/blob"), http_header_fields={"b": "2", "a": "1"})

    assert first.id == second.id
    assert api.content(first) == api.content(second) == BLOB
    assert origin.asked["GET /blob"] == 1


def test_orders_at_one_time_are_one_request(api: Api, origin: Origin) -> None:
    def create() -> Any:
        return api.client.create_request(origin.url("/blob"))

    requests = api.together([create] * 12)

    assert len({request.id for request in requests}) == 1
    assert api.content(requests[0]) == BLOB


def test_an_attachment_has_its_name(api: Api, origin: Origin, tmp_path: Path) -> None:
    request = api.request(origin.url("/blob"))

    path = api.get(request.download_response_content_to(dir=tmp_path))

    assert path == tmp_path / "blob file.bin"
    assert path.read_bytes() == BLOB
    assert api.get(request.get_filename()) == "blob file.bin"


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_is_replaced_when_the_new_one_is_whole(api: Api, origin: Origin, tmp_path: Path, kind: type) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")

    path = api.get(api.request(origin.url("/blob")).download_response_content_to(kind(target)))

    assert path == target
    assert target.read_bytes() == BLOB


def test_an_open_file_is_filled_and_left_open(api: Api, origin: Origin) -> None:
    file = io.BytesIO()

    given = api.get(api.request(origin.url("/blob")).download_response_content_to(file))

    assert given is file
    assert file.getvalue() == BLOB


@pytest.mark.parametrize(("path", "status"), [("/missing", "404"), ("/broken", "500")])
def test_what_cannot_be_had_is_an_error_that_says_why(
    api: Api, origin: Origin, path: str, status: str, tmp_path: Path
) -> None:
    request = api.request(origin.url(path))

    for call in (request.wait, lambda: request.download_response_content_to(dir=tmp_path), request.get_filename):
        with pytest.raises(BuffyCacheEmptyError, match=f"HTTPError: {status} ") as caught:
            api.get(call())
        assert status in (caught.value.text or "")

    assert list(tmp_path.iterdir()) == []


def test_who_waits_for_a_slow_download_is_told_how_far_it_is(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/slow"))
    seen: list[float | None] = []
    sizes: list[int] = []

    def told(event: Any) -> None:
        seen.append(event.progress)
        stats = request.download_stats
        sizes.append(stats.downloaded_bytes if stats else 0)
        if sizes[-1] == 65_536:
            origin.go_on.set()

    version = api.get(request.wait(progress=told))

    assert version.status == "ready"
    assert sizes == sorted(sizes)
    assert {65_536, len(BLOB)} <= set(sizes)
    assert 65_536 / len(BLOB) in seen
    assert api.content(request) == BLOB


@pytest.mark.parametrize("text", [b"name,size\r\na,1\r\n", b"a\rb\r", "Straße\n".encode("latin-1")])
def test_text_that_the_server_changes_is_an_error_and_can_be_had_directly(
    api: Api, origin: Origin, tmp_path: Path, text: bytes
) -> None:
    origin.things["/crlf.csv"].data = text
    request = api.request(origin.url("/crlf.csv"))
    target = tmp_path / "file"
    target.write_bytes(b"old")

    with pytest.raises(BuffyIntegrityError, match="fetch_directly"):
        api.content(request)
    with pytest.raises(BuffyIntegrityError, match="fetch_directly"):
        api.get(request.download_response_content_to(target))
    assert (target.read_bytes(), len(list(tmp_path.iterdir()))) == (b"old", 1)

    request.fetch_directly()
    assert api.content(request) == text


def test_what_the_server_put_together_wrongly_is_an_error(api: Api, origin: Origin, tmp_path: Path) -> None:
    request = api.request(origin.url("/dropped"))

    with pytest.raises(BuffyIntegrityError, match=request.response_version or "version"):
        api.content(request)
    with pytest.raises(BuffyIntegrityError):
        api.get(request.download_response_content_to(dir=tmp_path))

    assert list(tmp_path.iterdir()) == []


def test_what_is_whole_is_taken_whatever_its_length_is_said_to_be(api: Api, origin: Origin, tmp_path: Path) -> None:
    thing = origin.things["/dropped"]
    del thing.headers["accept-ranges"]  # the server begins again, and adds the lengths

    request = api.request(origin.url("/dropped"))

    assert api.content(request) == BLOB
    assert api.get(request.download_response_content_to(tmp_path / "file")).read_bytes() == BLOB
    assert len(thing.starts) == 2


@pytest.mark.parametrize("kind", ["sha256", "sha3_512", "blake2b"])
def test_another_hash_is_held_against_what_comes(api: Api, origin: Origin, kind: str) -> None:
    request = api.request(origin.url("/blob"), validation_hash_type=kind)

    assert api.content(request) == BLOB
    assert request.state.bound.content_hash_hex == hashlib.new(kind, BLOB).hexdigest()


@pytest.mark.parametrize("size", [1000, 65_536, len(BLOB), 10**9])
def test_pieces_have_the_size_that_is_asked_for(api: Api, origin: Origin, size: int) -> None:
    pieces = api.pieces(api.request(origin.url("/blob")), size)

    assert b"".join(pieces) == BLOB
    assert {len(piece) for piece in pieces[:-1]} <= {size}
    assert 0 < len(pieces[-1]) <= size


def test_what_was_read_can_be_read_again(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/blob"))

    assert api.content(request) == api.content(request) == BLOB


def test_one_request_serves_many_at_one_time(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/blob"), hold_request_order=True)

    files = [io.BytesIO() for _ in range(8)]
    api.together([partial(request.download_response_content_to, file) for file in files])

    assert all(file.getvalue() == BLOB for file in files)
    assert origin.asked["GET /blob"] == 1
