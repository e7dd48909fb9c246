"""Uploads: what may be given, what reaches the Hub of it, and what comes back."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from msgspec.json import encode
from tests.both import Both
from tests.jackfield_services.flame_hub.storage_world import (
    BUCKET_ID,
    COLOURS,
    CONTENT,
    FILE_ID,
    TOLD,
    OnlyRead,
    Taking,
    Told,
    scripted,
    storage_of,
    uploads,
)

from jackfield import (
    Call,
    ContractError,
    DeadlineExceededError,
    DecodeError,
    NetworkError,
    Request,
    Response,
    StreamBody,
    UsageError,
)
from jackfield.testing import FakeTransport, FaultServer, Peer, Reply
from jackfield_services.flame_hub import HubAPIError, HubAuthenticationError, HubNotFoundError, HubUnavailableError
from jackfield_services.flame_hub._uploading import time_for
from jackfield_services.flame_hub.auth import PasswordAuth
from jackfield_services.flame_hub.emulator import Fault, FlameHubEmulator
from jackfield_services.flame_hub.models import Bucket, BucketFile

MEGABYTE = 1024 * 1024
HELLO: dict[str, Any] = {"file_name": "a.txt", "content": b"hello"}


def a_path(folder: Path) -> Path:
    path = folder / "content.bin"
    path.write_bytes(CONTENT)
    return path


CONTENTS: dict[str, Callable[[Path], Any]] = {
    "bytes": Path.read_bytes,
    "bytearray": lambda path: bytearray(path.read_bytes()),
    "a path": lambda path: path,
    "an open file": lambda path: path.open("rb"),
    "an unbuffered file": lambda path: path.open("rb", buffering=0),
    "a file in memory": lambda path: io.BytesIO(path.read_bytes()),
    "whatever has read": lambda path: OnlyRead(path.read_bytes()),
}


def bucket(api: Both) -> Any:
    return api.get(api.client.create_bucket("my-bucket"))


def upload(api: Both, *files: Any, **options: Any) -> Any:
    return api.get(api.client.upload_to_bucket(BUCKET_ID, *files, **options))


# --- what may be given


@COLOURS
@pytest.mark.parametrize("kind", CONTENTS)
def test_what_is_uploaded_is_what_the_hub_has(hub: FlameHubEmulator, colour: str, kind: str, tmp_path: Path) -> None:
    with storage_of(hub, colour) as api:
        content = CONTENTS[kind](a_path(tmp_path))
        (file,) = api.get(api.client.upload_to_bucket(bucket(api), {"file_name": "dir/b.bin", "content": content}))

        assert isinstance(file, BucketFile)
        assert (file.name, file.path, file.directory, file.size) == ("b.bin", "dir/b.bin", "dir", len(CONTENT))
        assert b"".join(api.all(api.client.stream_bucket_file(file))) == CONTENT
    if hasattr(content, "close"):
        content.close()


@COLOURS
def test_text_is_sent_as_utf_8(hub: FlameHubEmulator, colour: str) -> None:
    with storage_of(hub, colour) as api:
        (file,) = api.get(
            api.client.upload_to_bucket(bucket(api), {"file_name": "t.txt", "content": "schön\nund\r\ngut"})
        )

        assert b"".join(api.all(api.client.stream_bucket_file(file))) == "schön\nund\r\ngut".encode()


@COLOURS
def test_several_files_are_one_upload_and_come_back_in_their_order(hub: FlameHubEmulator, colour: str) -> None:
    with storage_of(hub, colour) as api:
        made = bucket(api)
        given = [{"file_name": f"{number}.txt", "content": str(number)} for number in range(20)]
        listed = api.get(api.client.upload_to_bucket(made, *given))

        assert [file.name for file in listed] == [file["file_name"] for file in given]
        assert {file.bucket_id for file in listed} == {made.id}
        assert uploads(hub) == [201]


@COLOURS
def test_one_file_may_be_two_parts_of_one_upload(colour: str) -> None:
    hub, shared = Taking(), io.BytesIO(CONTENT)
    with scripted(hub.transport, colour) as api:
        upload(api, {"file_name": "a", "content": shared}, {"file_name": "b", "content": shared})

    assert [part.content for part in hub.parts] == [CONTENT, CONTENT]


class AsyncFile:
    """As libraries for files in async code have them."""

    async def read(self, size: int = -1) -> bytes:
        raise AssertionError("it is iterated over")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(CONTENT), 1000):
            yield CONTENT[start : start + 1000]


@pytest.mark.parametrize("content", [AsyncFile, lambda: aiter(AsyncFile())])
def test_an_async_iterator_is_uploaded_by_an_async_client(
    hub: FlameHubEmulator, content: Callable[[], AsyncIterator[bytes]]
) -> None:
    async def run(client: Any, made: Any) -> Any:
        return await client.upload_to_bucket(made, {"file_name": "a", "content": content()})

    with storage_of(hub, "async") as api:
        (file,) = api.get(run(api.client, bucket(api)))

        assert b"".join(api.all(api.client.stream_bucket_file(file))) == CONTENT


@COLOURS
@pytest.mark.parametrize("given", ["record", "uuid", "str"])
def test_a_bucket_is_named_by_itself_or_by_its_id(hub: FlameHubEmulator, colour: str, given: str) -> None:
    with storage_of(hub, colour) as api:
        made = bucket(api)
        assert isinstance(made, Bucket)

        (file,) = api.get(
            api.client.upload_to_bucket({"record": made, "uuid": made.id, "str": str(made.id)}[given], HELLO)
        )
        assert file.bucket_id == made.id


# --- what reaches the Hub


def test_a_given_content_type_is_kept_and_octets_are_what_is_left_out() -> None:
    hub = Taking()
    with scripted(hub.transport, "sync") as api:
        upload(api, HELLO, HELLO | {"content_type": "text/plain; charset=utf-8"}, HELLO | {"content_type": "image/png"})

    kinds = [part.content_type for part in hub.parts]
    assert kinds == ["application/octet-stream", "text/plain; charset=utf-8", "image/png"]


def test_the_callers_dictionaries_stay_as_they_are() -> None:
    files: list[dict[str, Any]] = [HELLO, HELLO | {"content_type": "text/plain"}, {"file_name": "x", "content": "text"}]
    before, hub = deepcopy(files), Taking()
    with scripted(hub.transport, "sync") as api:
        upload(api, *files)
        upload(api, *[MappingProxyType(file) for file in files])

    assert files == before
    assert len(hub.parts) == 6


def test_each_part_has_a_random_name_that_a_virtual_runtime_makes_the_same_again() -> None:
    def names() -> list[str]:
        hub = Taking()
        with scripted(hub.transport, "sync") as api:
            upload(api, HELLO, HELLO)
            upload(api, HELLO)
        return [part.name for part in hub.parts]

    first = names()
    assert len(set(first)) == 3
    assert [(UUID(name).version, str(UUID(name))) for name in first] == [(4, name) for name in first]
    assert names() == first


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("dir/sub/a b.txt", "dir/sub/a b.txt"),
        ("größe/日本.txt", "größe/日本.txt"),
        ('say "hi".txt', "say %22hi%22.txt"),
        ("dir\\a.txt", "dir\\a.txt"),
        ("ends\\", "ends\\"),
        ('\\"', "\\%22"),
        ("a;b=c.txt", "a;b=c.txt"),
        ("100%41.txt", "100%41.txt"),
    ],
)
def test_a_file_name_arrives(given: str, read: str) -> None:
    hub = Taking()
    with scripted(hub.transport, "sync") as api:
        upload(api, HELLO | {"file_name": given}, HELLO)

    assert [part.file_name for part in hub.parts] == [read, "a.txt"]


def test_a_boundary_in_the_content_ends_nothing() -> None:
    hub, content = Taking(), b'\r\n--x\r\nContent-Disposition: form-data; name="y"; filename="z"\r\n\r\n--'
    with scripted(hub.transport, "sync") as api:
        upload(api, {"file_name": "a", "content": content})

    assert [part.content for part in hub.parts] == [content]


# --- what is refused before anything is sent


WRONG: dict[str, tuple[Any, str]] = {
    "no dictionary": (b"hello", "a dictionary with file_name and content, not a bytes"),
    "a name alone": ("a.txt", "a dictionary with file_name and content, not a str"),
    "nothing in it": ({}, "file_name is the file's name"),
    "no name": ({"content": b""}, "file_name is the file's name, which may hold folders, not None"),
    "an empty name": (HELLO | {"file_name": " "}, "file_name is the file's name"),
    "a path as name": (HELLO | {"file_name": Path("a")}, "file_name is the file's name"),
    "a line in the name": (HELLO | {"file_name": "a\r\nX: y"}, "the end of a line"),
    "a line feed in the name": (HELLO | {"file_name": "a\nb"}, "the end of a line"),
    "a control in the name": (HELLO | {"file_name": "a\0b"}, "control character"),
    "half a character": (HELLO | {"file_name": "a\ud800"}, "surrogate"),
    "no content": ({"file_name": "a"}, "'a': there is no content"),
    "another key": (
        HELLO | {"filename": "b"},
        "'a.txt': an upload has file_name, content and content_type, and no 'filename'",
    ),
    "content is None": (HELLO | {"content": None}, "'a.txt': a body cannot be made of a NoneType"),
    "content is a number": (HELLO | {"content": 5}, "'a.txt': a body cannot be made of a int"),
    "content is a dictionary": (HELLO | {"content": {}}, "'a.txt': a body cannot be made of a dict"),
    "text that is none": (HELLO | {"content": "\ud800"}, "'a.txt': the text holds half of a surrogate pair"),
    "text in memory": (HELLO | {"content": io.StringIO("x")}, 'open it in binary mode, "rb"'),
    "no such path": (HELLO | {"content": Path("/no/such/file")}, "'a.txt': the file cannot be read"),
    "a folder": (HELLO | {"content": Path("/")}, "is no regular file"),
    "a content type of two lines": (HELLO | {"content_type": "text/plain\r\nX: y"}, "is no media type"),
    "no content type": (HELLO | {"content_type": None}, "None is no media type"),
}


@COLOURS
@pytest.mark.parametrize(("file", "why"), WRONG.values(), ids=WRONG)
def test_what_is_no_upload_is_refused_and_nothing_is_sent(colour: str, file: Any, why: str) -> None:
    auth = PasswordAuth("admin", "start123", "https://auth.hub.test")
    with scripted(transport := FakeTransport(), colour, auth=auth) as api, pytest.raises(UsageError) as refused:
        upload(api, HELLO, file)

    assert why in str(refused.value)
    assert transport.requests == []


@COLOURS
def test_an_upload_of_nothing_is_refused(colour: str) -> None:
    with scripted(transport := FakeTransport(), colour) as api, pytest.raises(UsageError, match="nothing to upload"):
        upload(api)

    assert transport.requests == []


@pytest.mark.parametrize("kind", ["plain", "temporary"])
def test_a_file_that_gives_text_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "text"
    with (
        path.open("w+") if kind == "plain" else tempfile.NamedTemporaryFile("w+", dir=tmp_path) as file,
        scripted(transport := FakeTransport(), "sync") as api,
        pytest.raises(UsageError, match='open it in binary mode, "rb"'),
    ):
        upload(api, HELLO | {"content": file})

    assert transport.requests == []


@COLOURS
def test_a_read_that_has_to_be_awaited_is_refused(colour: str) -> None:
    class Awaited:
        async def read(self, size: int = -1) -> bytes:
            return b""

    with scripted(transport := FakeTransport(), colour) as api, pytest.raises(UsageError, match="has to be awaited"):
        upload(api, HELLO | {"content": Awaited()})

    assert transport.requests == []


@pytest.mark.parametrize("id", ["", " ", "..", None, 5, b"x"])
def test_what_is_no_bucket_is_refused(id: Any) -> None:
    with (
        scripted(transport := FakeTransport(), "sync") as api,
        pytest.raises(UsageError, match="bucket_id is a Bucket"),
    ):
        api.get(api.client.upload_to_bucket(id, HELLO))

    assert transport.requests == []


def test_an_id_is_one_segment_of_the_path_whatever_is_in_it() -> None:
    with scripted((hub := Taking()).transport, "sync") as api:
        api.get(api.client.upload_to_bucket("../nodes?x#y", HELLO))

    assert hub.transport.requests[0].target == "/buckets/..%2Fnodes%3Fx%23y/upload"


# --- progress


@COLOURS
def test_progress_is_told_from_nothing_to_all(hub: FlameHubEmulator, colour: str) -> None:
    told, content = Told(), CONTENT * 10
    with storage_of(hub, colour) as api:
        api.get(api.client.upload_to_bucket(bucket(api), {"file_name": "a", "content": content}, progress=told))

    assert told.sent[0] == 0
    assert told.sent == sorted(told.sent)
    assert len(told.sent) > 5
    assert told.totals == {told.sent[-1]}
    assert 0 < told.sent[-1] - len(content) < 1000  # the form around it


@COLOURS
def test_the_total_is_none_where_nobody_knows_it(hub: FlameHubEmulator, colour: str) -> None:
    told, file = Told(), {"file_name": "a", "content": OnlyRead(CONTENT)}
    with storage_of(hub, colour) as api:
        api.get(api.client.upload_to_bucket(bucket(api), file, progress=told))

    assert told.totals == {None}


@COLOURS
def test_progress_that_fails_ends_the_upload(hub: FlameHubEmulator, colour: str) -> None:
    def fail(sent: int, total: int | None, rate: float) -> None:
        raise KeyError("enough")

    with storage_of(hub, colour) as api:
        made = bucket(api)
        with pytest.raises(UsageError, match="enough"):
            api.get(api.client.upload_to_bucket(made, HELLO, progress=fail))

        assert api.all(api.client.find_bucket_files.all()) == []


# --- tokens


@COLOURS
@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_dead_token_is_replaced_and_the_files_are_sent_again(
    hub: FlameHubEmulator, colour: str, status: Any, tmp_path: Path
) -> None:
    hub.dead_token = status
    path = a_path(tmp_path)
    with storage_of(hub, colour) as api, path.open("rb") as opened:
        made = bucket(api)
        hub.expire_tokens()
        files = [
            HELLO,
            {"file_name": "b", "content": path},
            {"file_name": "c", "content": io.BytesIO(CONTENT)},
            {"file_name": "d", "content": opened},
        ]
        listed = api.get(api.client.upload_to_bucket(made, *files))

        assert [file.size for file in listed] == [5, *[len(CONTENT)] * 3]
        assert uploads(hub) == [status, 201]


@COLOURS
@pytest.mark.parametrize("status", [400, 401, 500])
def test_what_can_be_read_only_once_is_not_sent_again_and_the_error_says_so(
    hub: FlameHubEmulator, colour: str, status: Any
) -> None:
    hub.dead_token = status
    with storage_of(hub, colour) as api:
        made = bucket(api)
        hub.expire_tokens()
        with pytest.raises(HubAPIError) as refused:
            api.get(api.client.upload_to_bucket(made, HELLO, {"file_name": "b", "content": OnlyRead(CONTENT)}))

        assert any("can be read only once" in note for note in refused.value.__notes__)
        assert uploads(hub) == [status]
        again = api.get(api.client.upload_to_bucket(made, {"file_name": "b", "content": OnlyRead(CONTENT)}))
        assert again[0].size == len(CONTENT)


@COLOURS
@pytest.mark.parametrize(("status", "content"), [(403, OnlyRead(b"")), (401, b"")])
def test_the_error_does_not_say_so_of_anything_else(colour: str, status: int, content: Any) -> None:
    transport = FakeTransport([Response(status, body=encode({"statusCode": status, "code": "X", "message": ""}))])
    with scripted(transport, colour) as api, pytest.raises(HubAPIError) as refused:
        upload(api, {"file_name": "b", "content": content})

    assert not any("only once" in note for note in refused.value.__notes__)


@COLOURS
def test_another_may_ask_for_one_upload(hub: FlameHubEmulator, colour: str) -> None:
    with storage_of(hub, colour) as api:
        made = bucket(api)
        with pytest.raises(HubAuthenticationError):
            api.get(api.client.upload_to_bucket(made, HELLO, auth=None))

        assert api.get(api.client.upload_to_bucket(made, HELLO))[0].size == 5


# --- what goes wrong


@COLOURS
@pytest.mark.parametrize("fault", [Fault.RESET, Fault.CLOSE, Fault.LOST, Fault.TRUNCATED])
def test_an_upload_whose_answer_is_missing_is_not_sent_again(hub: FlameHubEmulator, colour: str, fault: Fault) -> None:
    with storage_of(hub, colour) as api:
        made = bucket(api)
        hub.inject(fault, path="*/upload")
        with pytest.raises(NetworkError) as broken:
            api.get(api.client.upload_to_bucket(made, HELLO))

        assert broken.value.call is not None
        assert broken.value.call.may_have_been_processed
        assert len(uploads(hub)) == 1


@COLOURS
def test_an_upload_is_not_sent_again_after_a_proxys_503(hub: FlameHubEmulator, colour: str) -> None:
    with storage_of(hub, colour) as api:
        made = bucket(api)
        hub.inject(502, path="*/upload")
        with pytest.raises(HubUnavailableError, match="received status code 502"):
            api.get(api.client.upload_to_bucket(made, HELLO))

        assert uploads(hub) == [502]


@COLOURS
def test_a_missing_bucket_is_an_error_with_what_the_hub_says(hub: FlameHubEmulator, colour: str) -> None:
    with storage_of(hub, colour) as api, pytest.raises(HubNotFoundError) as missing:
        upload(api, {"file_name": "a", "content": CONTENT * 40})

    assert str(missing.value) == "received status code 404 (NOT_FOUND): no error message present"
    assert missing.value.error_response is not None
    assert missing.value.error_response.code == "NOT_FOUND"


@COLOURS
def test_the_hubs_500_is_an_error_and_is_not_asked_again(hub: FlameHubEmulator, colour: str) -> None:
    with storage_of(hub, colour) as api:
        made = bucket(api)
        hub.inject(500, path="*/upload")
        with pytest.raises(HubAPIError, match="received status code 500"):
            api.get(api.client.upload_to_bucket(made, HELLO))

        assert uploads(hub) == [500]


# --- the answer


@COLOURS
@pytest.mark.parametrize(
    ("answer", "generation"),
    [
        ({"data": [TOLD | {"bucket_id": BUCKET_ID}]}, "0.1.1"),
        ({"data": [TOLD | {"bucket_id": BUCKET_ID}], "meta": {"total": 1}}, "0.1.1"),
        ({"data": [{"id": FILE_ID, "name": "a.txt", "size": 5, "bucketId": BUCKET_ID}]}, "1.1.0"),
        ({"data": [{"id": FILE_ID, "name": "a.txt", "size": 5, "bucketId": BUCKET_ID}], "meta": {"total": 1}}, "1.1.0"),
    ],
)
def test_answers_of_either_generation_are_read(colour: str, answer: Any, generation: str) -> None:
    with scripted(FakeTransport([Response(201, body=encode(answer))]), colour) as api:
        (file,) = upload(api, HELLO)

        assert (file.id, file.name, file.size, file.bucket_id) == (UUID(FILE_ID), "a.txt", 5, UUID(BUCKET_ID))
        assert api.client.generation == generation


@COLOURS
@pytest.mark.parametrize("fault", [Fault.HTML, Fault.EMPTY, Fault.MALFORMED])
def test_an_answer_that_is_none_is_an_error(hub: FlameHubEmulator, colour: str, fault: Fault) -> None:
    with storage_of(hub, colour) as api:
        made = bucket(api)
        hub.inject(fault, path="*/upload")
        with pytest.raises(DecodeError):
            api.get(api.client.upload_to_bucket(made, HELLO))


def test_the_request_is_shown_without_being_sent() -> None:
    with scripted(transport := FakeTransport(), "sync") as api:
        request = api.client.upload_to_bucket.request(BUCKET_ID, HELLO)

    assert (request.method, request.target) == ("POST", f"/buckets/{BUCKET_ID}/upload")
    assert transport.requests == []


# --- what the Hub says it has


def answered(*sizes: int | None) -> FakeTransport:
    """A Hub that tells of files of these sizes, whatever it gets."""
    return FakeTransport(otherwise=Response(201, body=encode({"data": [TOLD | {"size": size} for size in sizes]})))


@COLOURS
@pytest.mark.parametrize("sizes", [(), (5,), (5, 5, 5)], ids=len)
def test_a_hub_that_tells_of_other_files_than_were_sent_has_not_taken_them(colour: str, sizes: tuple[int, ...]) -> None:
    with scripted(answered(*sizes), colour) as api, pytest.raises(ContractError, match=rf"tells of {len(sizes)} files"):
        upload(api, HELLO, HELLO)


@COLOURS
@pytest.mark.parametrize("sizes", [(5, 4), (0, 5), (5, 5)])
def test_a_file_that_is_of_another_size_there_is_told(colour: str, sizes: tuple[int, ...]) -> None:
    with scripted(answered(*sizes), colour) as api, pytest.raises(ContractError, match="what was sent has 6 bytes"):
        upload(api, HELLO, HELLO | {"content": "hello!"})


@COLOURS
@pytest.mark.parametrize(
    ("sizes", "content"),
    [
        ((6, 5), b"hello!"),  # in whatever order
        ((None, 5), b"hello!"),  # not told
        ((5, 77), OnlyRead(b"hello!")),  # not known
    ],
)
def test_what_is_not_known_is_not_held_against_it(colour: str, sizes: tuple[int | None, ...], content: Any) -> None:
    with scripted(answered(*sizes), colour) as api:
        assert len(upload(api, HELLO, HELLO | {"content": content})) == 2


@COLOURS
def test_an_option_that_there_is_not_is_a_type_error(colour: str) -> None:
    with scripted(transport := answered(5), colour) as api, pytest.raises(TypeError, match="ath"):
        upload(api, HELLO, ath="other")

    assert transport.requests == []


# --- time and memory


class Slow(FakeTransport):
    """Answers after 100 seconds."""

    async def send(self, request: Request, call: Call) -> Response:
        await call.runtime.sleep(call.limit(100.0))
        return await super().send(request, call)


@COLOURS
def test_an_upload_has_the_timeout_for_each_64_kilobytes(colour: str) -> None:
    with scripted(Slow(otherwise=Taking().transport._otherwise), colour, timeout=60) as api:
        assert len(upload(api, HELLO | {"content": bytes(65536)})) == 1
        assert len(upload(api, HELLO | {"content": OnlyRead(b"")})) == 1
        with pytest.raises(DeadlineExceededError):
            upload(api, HELLO)


@pytest.mark.parametrize(
    ("length", "timeout", "seconds"),
    [(0, 60, 60), (65535, 60, 60), (65536, 60, 120), (10 * MEGABYTE, 1, 161), (10**15, 60, 604800), (5, 10**6, 10**6)],
)
def test_the_time_of_an_upload_goes_by_its_length(length: int, timeout: float, seconds: float) -> None:
    assert time_for(StreamBody(list, length=length), timeout) == seconds


def test_the_time_of_an_upload_that_nobody_knows_the_length_of_is_a_week() -> None:
    assert time_for(StreamBody(list), 60) == 604800


GROWTH = r"""
import re, sys
from pathlib import Path
from tests.both import Both
from jackfield_services.flame_hub._storage_client import StorageService

colour, kind, url, small, big = sys.argv[1:]

def peak():  # of this process alone; `getrusage` begins with the peak of the parent
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])

class OnlyRead:
    def __init__(self, path):
        self.read = open(path, "rb").read

def upload(api, path):
    content = {"path": Path, "file": lambda path: open(path, "rb"), "read": OnlyRead}[kind](path)
    file = {"file_name": "a", "content": content}
    assert api.get(api.client.upload_to_bucket("id", file, progress=lambda *told: None))[0].size is None

with Both(colour, StorageService, url) as api:
    upload(api, small)
    before = peak()
    upload(api, big)
    print(peak() - before)
"""


def swallowing(peer: Peer) -> None:
    """Reads one upload and forgets it."""
    head = peer.head().lower()
    if b"transfer-encoding" in head:
        tail = b""
        while not tail.endswith(b"\r\n0\r\n\r\n"):
            tail = (tail + peer.read(1 << 20))[-8:]
    else:
        left = int(head.partition(b"content-length: ")[2].partition(b"\r")[0])
        while left:
            left -= len(peer.read(min(left, 1 << 20)))
    peer.send(Reply(201, body=encode({"data": [TOLD | {"size": None}]})).wire())


@COLOURS
@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
@pytest.mark.parametrize("kind", ["path", "file", "read"])
def test_an_upload_of_200_megabytes_takes_two_of_memory(colour: str, kind: str, tmp_path: Path) -> None:
    small, big = tmp_path / "small", tmp_path / "big"
    for path, size in ((small, MEGABYTE), (big, 200 * MEGABYTE)):
        with path.open("wb") as file:
            file.truncate(size)

    with FaultServer(otherwise=swallowing) as server:
        run = subprocess.run(
            [sys.executable, "-c", GROWTH, colour, kind, server.url, str(small), str(big)],
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert run.returncode == 0, run.stderr
    assert int(run.stdout) <= 2048  # kB
