"""Streams of files and of buckets: in pieces or into files, whole or an error."""

from __future__ import annotations

import gzip
import inspect
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.json import decode, encode
from tests.both import Both
from tests.jackfield_services.flame_hub.storage_world import (
    BUCKET_ID,
    COLOURS,
    CONTENT,
    FILE_ID,
    TOLD,
    Told,
    scripted,
    storage_of,
    streams,
)

from jackfield import Call, ContractError, DecodeError, NetworkError, Request, Response, TruncatedBodyError, UsageError
from jackfield.testing import CutBody, FakeTransport
from jackfield_services.flame_hub import (
    HubAPIError,
    HubAuthenticationError,
    HubNotFoundError,
    HubUnavailableError,
    StorageClient,
)
from jackfield_services.flame_hub._on_wire import on_wire
from jackfield_services.flame_hub.emulator import Fault, FlameHubEmulator
from jackfield_services.flame_hub.models import Bucket, BucketFile

BOTH_STREAMS = pytest.mark.parametrize("operation", ["stream_bucket_file", "stream_bucket_tarball"])
CODED = {"content-type": "application/gzip"}


def stored(api: Both, **contents: bytes) -> tuple[Any, list[Any]]:
    """A bucket with files of these names."""
    bucket = api.get(api.client.create_bucket("my-bucket"))
    files = [{"file_name": name, "content": content} for name, content in contents.items()]
    return bucket, api.get(api.client.upload_to_bucket(bucket, *files))


def stream(api: Both, operation: str, *args: Any, **kwargs: Any) -> Any:
    return getattr(api.client, operation)(*args, **kwargs)


def pieces(api: Both, *args: Any, **kwargs: Any) -> list[bytes]:
    return api.all(api.client.stream_bucket_file(FILE_ID, *args, **kwargs))


# --- what comes


@COLOURS
@pytest.mark.parametrize("content", [b"hello", CONTENT, b"", gzip.compress(CONTENT)])
def test_a_file_comes_as_it_was_uploaded_and_is_never_unpacked(
    hub: FlameHubEmulator, colour: str, content: bytes, tmp_path: Path
) -> None:
    with storage_of(hub, colour) as api:
        _, (file,) = stored(api, a=content)

        assert b"".join(api.all(api.client.stream_bucket_file(file))) == content
        path = api.get(api.client.stream_bucket_file(file.id).to(tmp_path / "copy"))
        assert path == tmp_path / "copy"
        assert path.read_bytes() == content
        assert hub.requests[-1].headers["accept-encoding"] == "identity"


GIVEN = {"a.txt": b"hello", "big": CONTENT, "empty": b""}


def members(archive: tarfile.TarFile) -> dict[str, bytes]:
    files = {member.name: archive.extractfile(member) for member in archive}
    return {name: file.read() for name, file in files.items() if file is not None}


@COLOURS
def test_a_bucket_comes_as_a_tarball(hub: FlameHubEmulator, colour: str, tmp_path: Path) -> None:
    with storage_of(hub, colour) as api:
        bucket, _ = stored(api, **GIVEN)
        path = api.get(api.client.stream_bucket_tarball(str(bucket.id)).to(tmp_path / "copy.tar"))

    with tarfile.open(path) as archive:
        assert members(archive) == GIVEN


class Tape(io.RawIOBase):
    """What tarfile reads from: it takes pieces of any length."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, size: int = -1, /) -> bytes:
        return next(self._pieces, b"")


def test_a_tarball_is_read_while_it_comes(hub: FlameHubEmulator) -> None:
    with storage_of(hub, "sync") as api:
        bucket, _ = stored(api, **GIVEN)
        found: dict[str, bytes] = {}
        opened = api.client.stream_bucket_tarball(bucket)
        with opened, tarfile.open(fileobj=Tape(opened), mode="r|") as archive:
            for member in archive:
                if (file := archive.extractfile(member)) is not None:
                    found[member.name] = file.read()

    assert found == GIVEN


@COLOURS
def test_a_file_is_named_by_itself_or_by_its_id(hub: FlameHubEmulator, colour: str) -> None:
    with storage_of(hub, colour) as api:
        _, (file,) = stored(api, a=b"hello")
        for name in (file, file.id, str(file.id)):
            assert api.all(api.client.stream_bucket_file(name)) == [b"hello"]
        assert api.all(api.client.stream_bucket_file(bucket_file_id=file)) == [b"hello"]


@COLOURS
def test_a_folder_gets_files_by_their_names_and_tarballs_by_the_buckets(
    hub: FlameHubEmulator, colour: str, tmp_path: Path
) -> None:
    with storage_of(hub, colour) as api:
        bucket, (file, other) = stored(api, **{"dir/größe.txt": b"hello", "..": b"x"})

        paths = [
            api.get(api.client.stream_bucket_file(file).to(tmp_path)),
            api.get(api.client.stream_bucket_file(file.id).to(tmp_path)),
            api.get(api.client.stream_bucket_file(other).to(tmp_path)),
            api.get(api.client.stream_bucket_tarball(bucket).to(tmp_path)),
            api.get(api.client.stream_bucket_tarball(bucket.id).to(tmp_path)),
        ]
    assert [path.parent for path in paths] == [tmp_path] * 5
    assert [path.name for path in paths] == ["größe.txt", str(file.id), "stream", "my-bucket.tar", f"{bucket.id}.tar"]


def test_a_hubs_own_name_for_a_file_is_taken(tmp_path: Path) -> None:
    answer = Response(200, {"content-disposition": 'attachment; filename="theirs.txt"'}, b"hello")
    with scripted(FakeTransport([answer]), "sync") as api:
        assert api.client.stream_bucket_file(FILE_ID).to(tmp_path) == tmp_path / "theirs.txt"


@COLOURS
def test_the_addresses_are_those_of_the_hub(colour: str) -> None:
    with scripted(transport := FakeTransport(otherwise=Response(200, CODED)), colour) as api:
        api.all(api.client.stream_bucket_file(FILE_ID))
        api.all(api.client.stream_bucket_tarball(BUCKET_ID))
        api.all(api.client.stream_bucket_tarball("../x?y"))

    assert [f"{request.method} {request.target}" for request in transport.requests] == [
        f"GET /bucket-files/{FILE_ID}/stream",
        f"GET /buckets/{BUCKET_ID}/stream",
        "GET /buckets/..%2Fx%3Fy/stream",
    ]


@COLOURS
def test_the_request_is_shown_without_being_sent(colour: str) -> None:
    with scripted(transport := FakeTransport(), colour) as api:
        request = api.get(api.client.stream_bucket_file.request(FILE_ID, 10))

    assert (request.method, request.target) == ("GET", f"/bucket-files/{FILE_ID}/stream")
    assert transport.requests == []


# --- the size of pieces


@COLOURS
@pytest.mark.parametrize("size", [1024, 1000, 65536, len(CONTENT), len(CONTENT) + 1, 100_000])
def test_pieces_are_of_the_size_that_is_given(hub: FlameHubEmulator, colour: str, size: int) -> None:
    with storage_of(hub, colour) as api:
        _, (file,) = stored(api, a=CONTENT)
        expected = [CONTENT[start : start + size] for start in range(0, len(CONTENT), size)]

        assert api.all(api.client.stream_bucket_file(file, size)) == expected
        assert api.all(api.client.stream_bucket_file(file, chunk_size=size)) == expected


@COLOURS
def test_a_tarball_has_pieces_of_that_size_too(hub: FlameHubEmulator, colour: str) -> None:
    with storage_of(hub, colour) as api:
        bucket, _ = stored(api, a=b"hello")

        assert [len(piece) for piece in api.all(api.client.stream_bucket_tarball(bucket, 4096))] == [4096, 4096, 2048]


def test_pieces_come_as_they_arrive_for_who_wants_that() -> None:
    transport = FakeTransport([Response(200, CODED, CONTENT)], piece=100_000)
    with scripted(transport, "sync") as api:
        assert [len(piece) for piece in pieces(api, None)] == [100_000, 100_000, 56_000]


@BOTH_STREAMS
def test_pieces_are_of_1024_bytes_where_nothing_is_said(operation: str) -> None:
    with scripted(FakeTransport(otherwise=Response(200, CODED, CONTENT)), "sync") as api:
        nothing, said = (api.all(stream(api, operation, FILE_ID, *given)) for given in ([], [1024]))

    assert nothing == said
    assert {len(piece) for piece in nothing} == {1024}


class Plain(FakeTransport):
    """Has no streams: bodies come whole."""

    async def send(self, request: Request, call: Call) -> Response:
        call.stream = False
        return await super().send(request, call)


@COLOURS
def test_pieces_are_of_that_size_where_the_transport_has_no_streams(colour: str, tmp_path: Path) -> None:
    with scripted(Plain(otherwise=Response(200, CODED, CONTENT)), colour) as api:
        assert {len(piece) for piece in pieces(api, 1000)} == {1000}
        path = api.get(api.client.stream_bucket_file(FILE_ID, 1000).to(tmp_path / "copy"))

    assert path.read_bytes() == CONTENT


def test_a_file_is_not_written_in_those_pieces(tmp_path: Path) -> None:
    told = Told()
    with scripted(FakeTransport([Response(200, CODED, CONTENT)], piece=100_000), "sync") as api:
        api.client.stream_bucket_file(FILE_ID, 10).to(tmp_path / "copy", progress=told)

    assert told.sent == [100_000, 200_000, 256_000, 256_000]


@pytest.mark.parametrize("size", [1, 3, 4, 7])
@pytest.mark.parametrize("arriving", [1, 2, 3, 5, 100])
def test_pieces_are_cut_and_put_together(size: int, arriving: int) -> None:
    content = bytes(range(12))
    with scripted(FakeTransport([Response(200, CODED, content)], piece=arriving), "sync") as api:
        assert pieces(api, size) == [content[start : start + size] for start in range(0, 12, size)]


def test_the_default_is_that_of_flame_hub_client() -> None:
    for operation in (StorageClient.stream_bucket_file, StorageClient.stream_bucket_tarball):
        assert type(operation.__signature__.parameters["chunk_size"].default) is int
        assert operation.__signature__.parameters["chunk_size"].default == 1024
        assert inspect.getdoc(operation)


@COLOURS
@BOTH_STREAMS
@pytest.mark.parametrize("size", [0, -1, True, 1.5, "1024", b"x"])
def test_what_is_no_size_is_refused_and_nothing_is_sent(colour: str, operation: str, size: Any) -> None:
    with (
        scripted(transport := FakeTransport(), colour) as api,
        pytest.raises(UsageError, match="chunk_size is a number"),
    ):
        api.all(stream(api, operation, FILE_ID, size))

    assert transport.requests == []


@BOTH_STREAMS
@pytest.mark.parametrize("id", ["", "..", None, 5])
def test_what_is_no_id_is_refused(operation: str, id: Any) -> None:
    with scripted(transport := FakeTransport(), "sync") as api, pytest.raises(UsageError, match=r"_id is a Bucket"):
        api.all(stream(api, operation, id))

    assert transport.requests == []


@COLOURS
def test_a_bucket_is_no_file_and_a_file_no_bucket(hub: FlameHubEmulator, colour: str) -> None:
    with storage_of(hub, colour) as api:
        bucket, (file,) = stored(api, a=b"hello")
        assert isinstance(bucket, Bucket)
        assert isinstance(file, BucketFile)

        for operation, wrong in (("stream_bucket_file", bucket), ("stream_bucket_tarball", file)):
            with pytest.raises(UsageError, match="not a Bucket"):
                api.all(stream(api, operation, wrong))


# --- errors


@COLOURS
@BOTH_STREAMS
def test_nothing_is_sent_before_the_first_piece_is_wanted(colour: str, operation: str) -> None:
    with scripted(transport := FakeTransport(), colour) as api:
        stream(api, operation, FILE_ID)

    assert transport.requests == []


@COLOURS
@BOTH_STREAMS
def test_what_is_missing_is_an_error_and_no_piece(
    hub: FlameHubEmulator, colour: str, operation: str, tmp_path: Path
) -> None:
    with storage_of(hub, colour) as api:
        with pytest.raises(HubNotFoundError) as missing:
            api.all(stream(api, operation, FILE_ID))
        with pytest.raises(HubNotFoundError):
            api.get(stream(api, operation, FILE_ID).to(tmp_path / "copy"))

    assert str(missing.value) == "received status code 404 (NOT_FOUND): no error message present"
    assert missing.value.error_response is not None
    assert missing.value.error_response.code == "NOT_FOUND"
    assert list(tmp_path.iterdir()) == []


@COLOURS
@BOTH_STREAMS
@pytest.mark.parametrize(("status", "kind"), [(403, HubAPIError), (500, HubAPIError), (502, HubUnavailableError)])
def test_an_error_of_the_hub_is_one_before_the_first_piece(
    colour: str, operation: str, status: int, kind: type[Exception]
) -> None:
    answer = Response(status, body=encode({"statusCode": status, "code": "BROKEN", "message": "what was wrong"}))
    with (
        scripted(FakeTransport(otherwise=answer), colour) as api,
        pytest.raises(kind, match=f"{status}.*what was wrong"),
    ):
        api.all(stream(api, operation, FILE_ID))


@pytest.mark.parametrize("status", [202, 204])
def test_a_success_without_a_stream_is_an_error(status: int) -> None:
    with scripted(FakeTransport([Response(status)]), "sync") as api, pytest.raises(ContractError, match=str(status)):
        pieces(api)


@COLOURS
@pytest.mark.parametrize("options", [{}, {"chunk_size": 1000}])
def test_a_broken_stream_is_an_error_and_never_a_short_file(hub: FlameHubEmulator, colour: str, options: Any) -> None:
    seen: list[bytes] = []
    with storage_of(hub, colour) as api:
        _, (file,) = stored(api, a=CONTENT)
        hub.inject(Fault.TRUNCATED, path="*/stream")
        with pytest.raises(NetworkError):
            api.all(api.client.stream_bucket_file(file, **options).tap(seen.append))

        assert b"".join(seen) == CONTENT[: len(b"".join(seen))]
        assert 60_000 < len(b"".join(seen)) < len(CONTENT)
        assert b"" not in seen


@COLOURS
@BOTH_STREAMS
def test_a_file_begins_again_after_a_break_and_is_whole(
    hub: FlameHubEmulator, colour: str, operation: str, tmp_path: Path
) -> None:
    with storage_of(hub, colour) as api:
        bucket, (file,) = stored(api, a=CONTENT)
        hub.inject(Fault.TRUNCATED, path="*/stream", times=2)
        hub.inject(Fault.RESET, path="*/stream")
        asked = file if operation == "stream_bucket_file" else bucket
        path = api.get(stream(api, operation, asked).to(tmp_path / "copy"))

        assert path.read_bytes() == b"".join(api.all(stream(api, operation, asked)))
        assert CONTENT in path.read_bytes()
        assert streams(hub) == [200, 200, 0, 200, 200]
        assert list(tmp_path.iterdir()) == [path]
        assert not any("range" in request.headers for request in hub.requests)


@COLOURS
def test_a_file_whose_stream_breaks_again_and_again_stays_as_it_was(
    hub: FlameHubEmulator, colour: str, tmp_path: Path
) -> None:
    (target := tmp_path / "copy").write_bytes(b"before")
    with storage_of(hub, colour) as api:
        _, (file,) = stored(api, a=CONTENT)
        hub.inject(Fault.TRUNCATED, path="*/stream", times=100)
        with pytest.raises(NetworkError):
            api.get(api.client.stream_bucket_file(file).to(target, overwrite=True))

    assert target.read_bytes() == b"before"
    assert 2 <= len(streams(hub)) <= 20


@COLOURS
def test_a_hub_that_gives_validators_is_asked_for_the_rest(colour: str) -> None:
    known = {"etag": '"7"', "content-length": str(len(CONTENT))}
    broken = Response(200, known, CutBody(CONTENT, after=100_500))
    span = f"bytes 100000-{len(CONTENT) - 1}/{len(CONTENT)}"
    rest = Response(206, {"etag": '"7"', "content-range": span}, CONTENT[100_000:])
    with scripted(transport := FakeTransport([broken, rest]), colour) as api:
        came = pieces(api, 1000)

    assert came == [CONTENT[start : start + 1000] for start in range(0, len(CONTENT), 1000)]
    assert transport.requests[1].headers["range"] == "bytes=100000-"  # what made no whole piece was not given out


@COLOURS
def test_a_piece_that_is_whole_is_given_before_more_is_waited_for(colour: str) -> None:
    seen: list[bytes] = []
    transport = FakeTransport([Response(200, CODED, CutBody(CONTENT, after=1000))])
    with scripted(transport, colour) as api, pytest.raises(TruncatedBodyError):
        api.all(api.client.stream_bucket_file(FILE_ID, 1000).tap(seen.append))

    assert seen == [CONTENT[:1000]]


def test_a_length_that_is_announced_is_counted() -> None:
    answer = Response(200, {"content-length": "10"}, CutBody(b"hello12345", after=5))
    with scripted(FakeTransport([answer]), "sync") as api, pytest.raises(TruncatedBodyError):
        pieces(api, None)


def told_of(size: int | None) -> BucketFile:
    """A file, as a Hub tells of it."""
    return decode(encode(TOLD | {"size": size}), type=on_wire(BucketFile, "0.1.1"))


@COLOURS
@pytest.mark.parametrize("size", [1024, None])
def test_a_stream_has_the_bytes_that_the_record_tells(colour: str, size: int | None, tmp_path: Path) -> None:
    seen = Told()
    with scripted(FakeTransport(otherwise=Response(200, CODED, CONTENT[:1024])), colour) as api:
        api.get(api.client.stream_bucket_file(told_of(size)).to(tmp_path / "copy", progress=seen))
        assert b"".join(api.all(api.client.stream_bucket_file(told_of(size)))) == CONTENT[:1024]

    assert seen.totals == {size}


@COLOURS
@pytest.mark.parametrize("chunk_size", [None, 2, 1024])
def test_a_stream_of_more_bytes_than_the_record_tells_is_an_error(colour: str, chunk_size: int | None) -> None:
    with scripted(FakeTransport(otherwise=Response(200, CODED, b"hello")), colour) as api, pytest.raises(ContractError):
        api.all(api.client.stream_bucket_file(told_of(4), chunk_size))


@COLOURS
@pytest.mark.parametrize("chunk_size", [None, 2, 1024])
def test_a_stream_of_fewer_bytes_than_the_record_tells_is_an_error(colour: str, chunk_size: int | None) -> None:
    hub = FakeTransport(otherwise=Response(200, CODED, b"hell"))
    with scripted(hub, colour) as api, pytest.raises(TruncatedBodyError):
        api.all(api.client.stream_bucket_file(told_of(5), chunk_size))


@COLOURS
def test_what_is_no_whole_file_is_none_on_disk(colour: str, tmp_path: Path) -> None:
    hub = FakeTransport(otherwise=Response(200, CODED, b"hell"))
    with scripted(hub, colour) as api, pytest.raises(TruncatedBodyError):
        api.get(api.client.stream_bucket_file(told_of(5)).to(tmp_path / "copy"))

    assert list(tmp_path.iterdir()) == []


# --- what is no file


@COLOURS
@BOTH_STREAMS
@pytest.mark.parametrize("kind", ["text/html", "text/html; charset=utf-8", "TEXT/HTML"])
def test_a_page_for_people_is_no_file(colour: str, operation: str, kind: str, tmp_path: Path) -> None:
    sign_in = Response(200, {"content-type": kind}, b"<!doctype html><title>Sign in</title>")
    with scripted(FakeTransport(otherwise=sign_in), colour) as api:
        with pytest.raises(DecodeError, match=r"text/html.*check base_url"):
            api.all(stream(api, operation, FILE_ID))
        with pytest.raises(DecodeError, match=r"text/html.*check base_url"):
            api.get(stream(api, operation, FILE_ID).to(tmp_path / "copy"))

    assert list(tmp_path.iterdir()) == []


@COLOURS
def test_a_record_without_a_name_gives_its_file_the_id(colour: str, tmp_path: Path) -> None:
    file: Any = decode(encode(TOLD | {"name": None}), type=on_wire(BucketFile, "0.1.1"))
    bucket: Any = decode(encode({"id": BUCKET_ID}), type=on_wire(Bucket, "0.1.1"))
    with scripted(FakeTransport(otherwise=Response(200, CODED, b"hello")), colour) as api:
        saved = [
            api.get(api.client.stream_bucket_file(file).to(tmp_path)),
            api.get(api.client.stream_bucket_tarball(bucket).to(tmp_path)),
        ]

    assert [path.name for path in saved] == [FILE_ID, f"{BUCKET_ID}.tar"]


@BOTH_STREAMS
def test_an_option_that_there_is_not_is_a_type_error(operation: str) -> None:
    with scripted(transport := FakeTransport(), "sync") as api, pytest.raises(TypeError, match="chunksize"):
        api.all(stream(api, operation, FILE_ID, chunksize=5))

    assert transport.requests == []


@COLOURS
@BOTH_STREAMS
def test_a_connection_that_breaks_before_the_answer_is_no_error(
    hub: FlameHubEmulator, colour: str, operation: str
) -> None:
    with storage_of(hub, colour) as api:
        bucket, (file,) = stored(api, a=b"hello")
        hub.inject(Fault.RESET, path="*/stream")
        hub.inject(503, path="*/stream")

        assert b"hello" in b"".join(api.all(stream(api, operation, file if operation.endswith("file") else bucket)))
        assert streams(hub) == [0, 503, 200]


# --- tokens


@COLOURS
@BOTH_STREAMS
@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_dead_token_is_replaced_before_the_first_piece(
    hub: FlameHubEmulator, colour: str, operation: str, status: Any
) -> None:
    hub.dead_token = status
    with storage_of(hub, colour) as api:
        bucket, (file,) = stored(api, a=b"hello")
        hub.expire_tokens()

        assert b"hello" in b"".join(api.all(stream(api, operation, file if operation.endswith("file") else bucket)))
        assert streams(hub) == [status, 200]


@COLOURS
def test_another_may_ask_for_one_stream(hub: FlameHubEmulator, colour: str) -> None:
    with storage_of(hub, colour) as api:
        bucket, (file,) = stored(api, a=b"hello")
        with pytest.raises(HubAuthenticationError):
            api.all(api.client.stream_bucket_file(file, auth=None))
        with pytest.raises(HubAuthenticationError):
            api.all(api.client.stream_bucket_tarball(bucket, auth=None))

        assert api.all(api.client.stream_bucket_file(file)) == [b"hello"]


# --- left early


def test_a_stream_that_is_left_early_gives_its_connection_up(hub: FlameHubEmulator) -> None:
    with storage_of(hub, "sync") as api:
        _, (file,) = stored(api, a=CONTENT)
        for options in ({}, {"chunk_size": 10}):
            with api.client.stream_bucket_file(file, **options) as opened:
                assert CONTENT.startswith(next(opened))
            with pytest.raises(UsageError, match="closed"):
                next(opened)

        assert b"".join(api.all(api.client.stream_bucket_file(file))) == CONTENT
        assert hub.connections >= 4


class Endless:
    """A body that has no end, and knows whether it was closed."""

    closed = False

    async def read(self) -> bytes:
        return b"more"

    async def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("size", [None, 1, 6])
def test_what_is_not_wanted_any_more_is_closed(size: int | None) -> None:
    body = Endless()
    with scripted(FakeTransport([Response(200, CODED, body)]), "sync") as api:
        with api.client.stream_bucket_file(FILE_ID, size) as opened:
            assert next(opened) == b"moremore"[: size or 4]
            assert not body.closed
        assert body.closed


def test_an_async_stream_may_be_left_early_too(hub: FlameHubEmulator) -> None:
    async def first(opened: Any) -> bytes:
        async with opened:
            async for piece in opened:
                return bytes(piece)
        raise AssertionError

    with storage_of(hub, "async") as api:
        _, (file,) = stored(api, a=CONTENT)

        assert api.get(first(api.client.stream_bucket_file(file, 10))) == CONTENT[:10]
