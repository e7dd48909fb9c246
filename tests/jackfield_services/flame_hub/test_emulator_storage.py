"""Buckets, and the files in them: uploads, streams, tarballs."""

from __future__ import annotations

import hashlib
import http.client
import io
import tarfile
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.jackfield_services.flame_hub.hub_wire import NO_SUCH, NOON, Reply, Session

from jackfield_services.flame_hub.emulator import FlameHubEmulator
from jackfield_services.flame_hub.emulator._multipart import Part, boundary_of, files
from jackfield_services.flame_hub.emulator._wire import Refused

FORM = "multipart/form-data; boundary=simple"


def form(*parts: tuple[str, bytes], boundary: str = "simple") -> bytes:
    lines: list[bytes] = []
    for name, content in parts:
        head = f'Content-Disposition: form-data; name="f"; filename="{name}"\r\nContent-Type: text/plain'
        lines += [f"--{boundary}\r\n{head}\r\n\r\n".encode(), content, b"\r\n"]
    return b"".join([*lines, f"--{boundary}--\r\n".encode()])


def upload(session: Session, bucket: str, *parts: tuple[str, bytes]) -> Reply:
    return session.storage("POST", f"/buckets/{bucket}/upload", form(*parts), **{"Content-Type": FORM})


@pytest.fixture
def bucket(session: Session) -> str:
    return str(session.make("buckets", name="bucket")["id"])


def test_an_upload_is_answered_with_its_files(session: Session, bucket: str) -> None:
    reply = upload(session, bucket, ("a.txt", b"hello"), ("dir/b.bin", b"\r\n--simpl\x00" * 2))
    first, second = map(session.named, reply.data)
    assert (reply.status, reply.json["meta"]) == (201, {"total": 2})
    assert (first["name"], first["path"], first["directory"], first["size"]) == ("a.txt", "a.txt", ".", 5)
    assert (second["name"], second["path"], second["directory"], second["size"]) == ("b.bin", "dir/b.bin", "dir", 20)
    assert (first["bucket_id"], first["actor_type"]) == (bucket, "user")
    assert first["realm_id"] == session.master_realm()


def test_the_hash_of_a_file_is_that_of_its_path_as_it_was_recorded(session: Session, bucket: str) -> None:
    first, second = upload(session, bucket, ("a.txt", b"hello"), ("dir/b.bin", b"x")).data
    assert first["hash"] == "18b7cb099a9ea3f50ba899b5ba81e0d377a5f3b16f8f6eeb8b3e58cd4692b993"
    assert second["hash"] == "69b32f769079f50a8ca2b992a4c2816f46e638e8fa633968c3d3670bb1d3045c"


def test_a_file_is_streamed_as_gzip_though_it_is_none(session: Session, bucket: str) -> None:
    (file,) = upload(session, bucket, ("a.txt", b"hello")).data
    reply = session.storage("GET", f"/bucket-files/{file['id']}/stream")
    assert (reply.status, reply.body) == (200, b"hello")
    assert (reply.headers["content-type"], reply.headers["transfer-encoding"]) == ("application/gzip", "chunked")
    assert (reply.headers["content-length"], reply.headers["content-encoding"]) == (None, None)


def test_a_bucket_is_streamed_as_a_tarball(session: Session, bucket: str) -> None:
    parts = {"a.txt": b"hello", "dir/b.bin": bytes(200_000), "empty": b"", "block": bytes(512)}
    upload(session, bucket, *parts.items())
    reply = session.storage("GET", f"/buckets/{bucket}/stream")
    assert (reply.headers["content-type"], reply.headers["transfer-encoding"]) == ("application/x-tar", "chunked")
    with tarfile.open(fileobj=io.BytesIO(reply.body)) as archive:
        found = {info.name: archive.extractfile(info) for info in archive}
        assert {name: file and file.read() for name, file in found.items()} == parts
        assert {info.mtime for info in archive} == {NOON}
    assert len(reply.body) % 10240 == 0


def test_an_empty_bucket_is_an_empty_tarball(session: Session, bucket: str) -> None:
    body = session.storage("GET", f"/buckets/{bucket}/stream").body
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert archive.getnames() == []


def test_files_are_found_by_their_bucket_which_can_be_included(session: Session, bucket: str) -> None:
    upload(session, bucket, ("a.txt", b"hello"))
    upload(session, session.make("buckets", name="other")["id"], ("b.txt", b"hello"))
    (key,) = session.wire(bucket_id=0)
    (file,) = session.storage("GET", f"/bucket-files?filter[{key}]={bucket}&include=bucket").data
    assert (file["path"], file["bucket"]["name"]) == ("a.txt", "bucket")


def test_a_bucket_that_has_files_is_not_deleted(session: Session, bucket: str) -> None:
    (file,) = upload(session, bucket, ("a.txt", b"hello")).data
    refused = session.storage("DELETE", f"/buckets/{bucket}")
    assert refused.refusal[:2] == (500, "BucketNotEmpty")
    assert session.storage("DELETE", f"/bucket-files/{file['id']}").status == 202
    assert session.storage("GET", f"/bucket-files/{file['id']}/stream").status == 404
    assert session.storage("DELETE", f"/buckets/{bucket}").status == 202


def test_a_path_that_is_taken_is_replaced(session: Session, bucket: str) -> None:
    upload(session, bucket, ("a.txt", b"first"))
    (file,) = upload(session, bucket, ("a.txt", b"second")).data
    assert [each["id"] for each in session.storage("GET", "/bucket-files").data] == [file["id"]]
    assert session.storage("GET", f"/bucket-files/{file['id']}/stream").body == b"second"


def test_an_upload_may_come_in_chunks(session: Session, bucket: str) -> None:
    body = form(("large", bytes(300_000)))
    pieces = (body[start : start + 7001] for start in range(0, len(body), 7001))
    headers = {"Authorization": f"Bearer {session.token}", "Content-Type": FORM}
    with closing(http.client.HTTPConnection(urlsplit(session.hub.storage_url).netloc, timeout=30)) as connection:
        connection.request("POST", f"/buckets/{bucket}/upload", pieces, headers, encode_chunked=True)
        assert connection.getresponse().status == 201
    (file,) = session.storage("GET", "/bucket-files").data
    assert file["size"] == 300_000


def test_what_is_no_form_is_an_error_of_the_server(session: Session, bucket: str) -> None:
    reply = session.storage("POST", f"/buckets/{bucket}/upload", {"file": "x"})
    assert reply.refusal[:2] == (500, "INTERNAL_SERVER_ERROR")


def test_a_form_that_is_cut_is_refused_and_leaves_nothing(session: Session, bucket: str) -> None:
    path, cut = f"/buckets/{bucket}/upload", form(("a.txt", b"hello"))[:-12]
    reply = session.storage("POST", path, cut, **{"Content-Type": FORM})
    assert reply.refusal == (400, "BAD_REQUEST", "Unexpected end of form")
    assert session.storage("GET", "/bucket-files").data == []


def test_nothing_is_uploaded_to_what_is_not_there(session: Session) -> None:
    assert upload(session, NO_SUCH, ("a.txt", b"hello")).status == 404
    assert session.storage("GET", f"/buckets/{NO_SUCH}/stream").status == 404
    assert session.storage("GET", f"/bucket-files/{NO_SUCH}/stream").status == 404


def test_an_error_is_told_before_a_stream_begins(old: FlameHubEmulator) -> None:
    session = Session(old)
    old.inject(500, path="/buckets/*/stream")
    assert session.storage("GET", f"/buckets/{NO_SUCH}/stream").refusal[0] == 500


def read_all(body: bytes, content_type: str = FORM, piece: int = 65536) -> list[Part]:
    stream = io.BytesIO(body)
    boundary = boundary_of(content_type)
    assert boundary is not None
    return list(files(lambda size: stream.read(min(size, piece)), boundary))


MISLEADING = [b"--simpl", b"x--simple--\r\n", b"\r\n--simpl", b"\r", b"\n--simple", b"\r\n\r\n"]
CONTENTS = st.lists(st.binary(max_size=60) | st.sampled_from(MISLEADING))


@settings(max_examples=100, deadline=None)
@given(pieces=CONTENTS, size=st.integers(1, 40))
def test_what_is_in_a_part_is_kept_to_the_byte_however_it_comes(pieces: list[bytes], size: int) -> None:
    content = b"".join(pieces)
    assume(b"\r\n--simple" not in b"\r\n" + content)
    parts = read_all(form(("a", content), ("b", b"!")), piece=size)
    assert [part.content for part in parts] == [content, b"!"]


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=a", b"a"),
        ('Multipart/Form-Data; charset=utf-8; boundary="a b"; x=y', b"a b"),
        ("multipart/form-data;boundary=----x;y=z", b"----x"),
        ("multipart/form-data", None),
        ("multipart/mixed; boundary=a", None),
        ("", None),
    ],
)
def test_boundaries(content_type: str, boundary: bytes | None) -> None:
    assert boundary_of(content_type) == boundary


def part(head: str, content: str = "x", *, before: str = "", after: str = "") -> list[Part]:
    return read_all(f"{before}--simple\r\n{head}\r\n\r\n{content}\r\n--simple--{after}".encode())


def test_a_part_tells_its_name_its_files_name_and_its_type() -> None:
    head = 'content-disposition: form-data; name="f\\"1"; filename="ä\\\\b.txt"\r\nCONTENT-TYPE:text/csv'
    assert part(head) == [Part('f"1', "ä\\b.txt", "text/csv", b"x")]


@pytest.mark.parametrize("head", ['Content-Disposition: form-data; name="field"', "X-Other: 1", ""])
def test_what_is_no_file_is_passed_over(head: str) -> None:
    assert part(head) == []


def test_preamble_padding_and_epilogue_are_passed_over() -> None:
    head = 'Content-Disposition: form-data; name="f"; filename="a"'
    (found,) = part(head, before="hello\r\n", after="\r\nbye")
    padded = read_all(f"--simple \t\r\n{head}\r\n\r\nx\r\n--simple--".encode())
    assert [found] == padded


def test_an_empty_form_has_no_files() -> None:
    assert read_all(b"--simple--\r\n") == []


def test_endless_headers_are_refused() -> None:
    with pytest.raises(Refused):
        part("X-Long: " + "x" * 20_000)


@pytest.mark.parametrize("body", [b"", b"hello", b"--simple", b"--simple\r\n", form(("a", b"x"))[:-4]])
def test_what_has_no_end_is_refused(body: bytes) -> None:
    with pytest.raises(Refused, match="Unexpected end of form"):
        read_all(body)


def test_a_file_of_many_pieces_keeps_its_bytes(session: Session, bucket: str) -> None:
    content = hashlib.shake_128(b"seed").digest(3_000_000)
    (file,) = upload(session, bucket, ("large", content)).data
    streamed: Any = session.storage("GET", f"/bucket-files/{file['id']}/stream").body
    assert streamed == content
