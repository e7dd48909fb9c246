"""S37: a file that a service sends lies where the caller wants it, is whole, and takes the place of nothing else."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from tests.both import Both
from tests.clients import COLOURS

from jackfield import ContractError, JackfieldError, NetworkError, Request, Response, Service, UsageError, streamed
from jackfield_plugins.signing import digest_field
from jackfield_plugins.streaming import Download, Part

if TYPE_CHECKING:
    from tests.servers import Peer, ReceivedRequest, Script, Serve

VECTORS = Path(__file__).parents[1] / "vectors"
COLOUR = pytest.mark.parametrize("colour", COLOURS)
HERE = "things"  # where the service's files are


class Files(Service):
    @streamed(Download(base=1e-6, cap=1e-6, fruitless=2))
    async def file(self, part: Part, name: str = HERE) -> Response:
        return await self.send(part.of(Request("GET", self.url(name))), stream=True)


class Saver:
    """Saves the file of a service at a path, by a client of a colour."""

    def __init__(self, colour: str) -> None:
        self._colour = colour

    def save(self, url: str, path: Path, name: str = HERE, **options: Any) -> Path:
        with Both(self._colour, Files, url) as api:
            saved: Path = api.get(api.client.file(name).to(path, **options))
        return saved


class Naive(Saver):
    """Broken on purpose: believes what it is told, and writes where it finds a place."""

    def save(self, url: str, path: Path, name: str = HERE, **options: Any) -> Path:
        connection = HTTPConnection(url.partition("://")[2], timeout=5)
        try:
            connection.request("GET", f"/{name}")
            answer = connection.getresponse()
            told = re.search(r'filename\*?=(?:UTF-8\'\')?"?([^";]*)', answer.headers["content-disposition"] or "")
            target = path / unquote(told[1] if told else name) if path.is_dir() else path
            try:
                body = answer.read()
            except IncompleteRead as short:
                body = short.partial
            target.write_bytes(body)
        finally:
            connection.close()
        return target


SUBJECTS = pytest.mark.subjects(ours=Saver, naive=Naive)


def answer(body: bytes, *headers: str, status: str = "200 OK", size: int | None = None) -> bytes:
    length = len(body) if size is None else size
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {length}", *headers, "", ""]).encode("utf-8") + body


def answering(respond: Callable[[ReceivedRequest], bytes]) -> Script:
    def script(peer: Peer) -> None:
        for request in peer.requests():
            peer.send(respond(request))

    return script


def one_after_the_other(answers: Iterable[bytes]) -> Script:
    """Gives an answer to each connection, and closes."""
    left = iter(answers)

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(next(left))
        peer.close()

    return script


def files_below(folder: Path) -> list[Path]:
    """All there are, whatever their names, but those by which an unfinished download can be taken up."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted(path for path in found if not path.name.startswith(".jackfield-"))


# --- where it lies

TRICKS = [
    *(
        "../evil",
        "../../evil",
        "/evil",
        "..\\evil",
        "\\evil",
        "C:\\evil",
        "C:evil",
        "\\\\host\\share\\evil",
        "a/../../evil",
    ),
    *("..%2Fevil", "..%5Cevil", "%2e%2e/evil", ".", "..", "...", "/", "", " ", ".bashrc", ".ssh/authorized_keys", "~"),
    *(
        "-rf",
        "con",
        "NUL.txt",
        "a:b",
        "a\u202egpj.exe",
        "a\u2215b",
        "..\u2216evil",
        "a" * 5000,
        "ä" * 300,
        "x;y",
        "x%00y",
    ),
]


def as_told(name: str) -> list[str]:
    """The ways in which a service may suggest a name."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    encoded = "".join(f"%{octet:02X}" for octet in name.encode())
    ways = [f'attachment; filename="{quoted}"', f"attachment; filename*=UTF-8''{encoded}", f'inline; filename="{name}"']
    return [f"Content-Disposition: {way}" for way in ways if way.isprintable()]


@SUBJECTS
@COLOUR
def test_s37_a_file_lies_in_its_folder_by_a_name_that_does_no_harm(
    subject: type[Saver], colour: str, serve: Serve, tmp_path: Path
) -> None:
    cases: list[dict[str, Any]] = json.loads((VECTORS / "content_disposition.json").read_text())["cases"]
    told = [header for name in [*TRICKS, f"{tmp_path}/evil"] for header in as_told(name)]
    told += [f"Content-Disposition: {case['input']}" for case in cases if case["input"].isprintable()]
    telling = [""]
    server = serve(answering(lambda request: answer(b"file", *telling)))
    folder = tmp_path / "a" / "b" / "downloads"
    folder.mkdir(parents=True)

    for telling[0] in told:
        with suppress(OSError):  # a naive one's name may be too long
            saved = subject(colour).save(server.url, folder)
            assert [saved] == files_below(tmp_path) == [folder / saved.name]
            assert saved.name.isprintable()
            assert not re.search(r"^[-.~ ]|[ .]$|[<>:\"/\\|?*]", saved.name)
            assert len(saved.name.encode()) <= 255
            saved.unlink()


@SUBJECTS
@COLOUR
def test_s37_a_name_out_of_a_url_lies_in_its_folder_too(
    subject: type[Saver], colour: str, serve: Serve, tmp_path: Path
) -> None:
    server = serve(answering(lambda request: answer(b"file")))
    folder = tmp_path / "downloads"
    folder.mkdir()

    for name in ("..%2Fevil", "..%5Cevil", "%2e%2e%2f%2e%2e%2fevil", ".bashrc", "-rf"):
        saved = subject(colour).save(server.url, folder, name)
        assert [saved] == files_below(tmp_path) == [folder / saved.name]
        assert not saved.name.startswith((".", "-"))
        saved.unlink()


# --- what it takes the place of


@SUBJECTS
@COLOUR
@pytest.mark.parametrize("named_by", ["the caller", "the service"])
def test_s37_a_file_that_is_there_stays_as_it_is(
    subject: type[Saver], named_by: str, colour: str, serve: Serve, tmp_path: Path
) -> None:
    server = serve(answering(lambda request: answer(b"new", 'Content-Disposition: attachment; filename="file.txt"')))
    path = tmp_path / "file.txt"
    path.write_bytes(b"old")

    with suppress(UsageError):
        subject(colour).save(server.url, path if named_by == "the caller" else tmp_path)

    assert path.read_bytes() == b"old"
    assert files_below(tmp_path) == [path]


@SUBJECTS
@COLOUR
@pytest.mark.parametrize("named_by", ["the caller", "the service"])
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("dangling", [False, True], ids=["to a file", "to nothing"])
def test_s37_a_link_in_the_place_of_the_file_is_not_followed(
    subject: type[Saver], dangling: bool, overwrite: bool, named_by: str, colour: str, serve: Serve, tmp_path: Path
) -> None:
    server = serve(answering(lambda request: answer(b"new", 'Content-Disposition: attachment; filename="file.txt"')))
    victim, folder = tmp_path / "victim", tmp_path / "downloads"
    folder.mkdir()
    path = folder / "file.txt"
    path.symlink_to(victim)
    if not dangling:
        victim.write_bytes(b"old")

    with suppress(UsageError):
        subject(colour).save(server.url, path if named_by == "the caller" else folder, overwrite=overwrite)

    replaced = overwrite and named_by == "the caller"  # the service does not choose what is replaced
    assert path.is_symlink() is not replaced
    assert victim.exists() is not dangling
    assert dangling or victim.read_bytes() == b"old"
    assert not replaced or path.read_bytes() == b"new"


class Predictable(Naive):
    """Broken on purpose: writes to a name that anybody may know, and renames that."""

    def save(self, url: str, path: Path, name: str = HERE, **options: Any) -> Path:
        part = path.with_name(f".{path.name}.part")
        super().save(url, part, name)
        if len(part.read_bytes()) < 100:
            raise NetworkError("short")
        part.rename(path)
        return path


@pytest.mark.subjects(ours=Saver, predictable=Predictable)
@COLOUR
@pytest.mark.parametrize("hard", [False, True], ids=["symbolic", "hard"])
def test_s37_a_link_in_the_place_of_the_unfinished_file_is_not_followed(
    subject: type[Saver], hard: bool, colour: str, serve: Serve, tmp_path: Path
) -> None:
    short, whole = answer(b"x" * 50, 'ETag: "1"', size=100), answer(b"y" * 100, 'ETag: "2"')
    breaking, server = serve(one_after_the_other([short] * 20)), serve(answering(lambda request: whole))
    folder, victims = tmp_path / "downloads", tmp_path / "victims"
    folder.mkdir(0o700)
    victims.mkdir()

    with suppress(NetworkError):
        subject(colour).save(breaking.url, folder / "file")
    left = [path for path in folder.iterdir() if path.name != "file"]
    assert left
    for path in left:
        victim = victims / path.name
        victim.write_bytes(b"old")
        path.unlink()
        os.link(victim, path) if hard else path.symlink_to(victim)
    with suppress(JackfieldError):
        subject(colour).save(server.url, folder / "file")

    assert {victim.read_bytes() for victim in victims.iterdir()} == {b"old"}
    assert not (folder / "file").exists() or (folder / "file").read_bytes() == b"y" * 100


# --- whether it is whole


CUTS = {
    "length": answer(b"x" * 50, size=100),
    "nothing of it": answer(b"", size=100),
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
}


@SUBJECTS
@COLOUR
@pytest.mark.parametrize("cut", CUTS)
def test_s37_a_short_download_leaves_no_file(
    subject: type[Saver], cut: str, colour: str, serve: Serve, tmp_path: Path
) -> None:
    server = serve(one_after_the_other([CUTS[cut]] * 20))

    with suppress(NetworkError):
        subject(colour).save(server.url, tmp_path / "file")

    assert files_below(tmp_path) == []


@SUBJECTS
@COLOUR
@pytest.mark.parametrize("header", ["Content-Digest", "Repr-Digest"])
def test_s37_what_is_not_what_it_says_leaves_no_file(
    subject: type[Saver], header: str, colour: str, serve: Serve, tmp_path: Path
) -> None:
    wrong = f"{header}: {digest_field(b'another')}"
    server = serve(answering(lambda request: answer(b"this", wrong)))

    with suppress(JackfieldError):
        subject(colour).save(server.url, tmp_path / "file")

    assert files_below(tmp_path) == []


WHOLE = bytes(range(100))
REST = WHOLE[40:]
PARTIAL = "206 Partial Content"


class Appending(Saver):
    """Broken on purpose: asks for what is missing, and appends whatever comes."""

    def save(self, url: str, path: Path, name: str = HERE, **options: Any) -> Path:
        host = url.partition("://")[2]
        content = b""
        for headers in ({}, {"Range": "bytes=40-"}):
            connection = HTTPConnection(host, timeout=5)
            connection.request("GET", f"/{name}", headers=headers)
            try:
                content += connection.getresponse().read()
            except IncompleteRead as short:
                content += short.partial
            connection.close()
        path.write_bytes(content)
        return path


RESUMED: dict[str, bytes] = {
    "of another entity": answer(REST, 'ETag: "2"', "Content-Range: bytes 40-99/100", status=PARTIAL),
    "from another byte": answer(REST, 'ETag: "1"', "Content-Range: bytes 39-98/100", status=PARTIAL),
    "from the beginning": answer(REST, 'ETag: "1"', "Content-Range: bytes 0-59/100", status=PARTIAL),
    "of another length": answer(REST, 'ETag: "1"', "Content-Range: bytes 40-99/101", status=PARTIAL),
    "that is shorter than its range": answer(REST[:-1], 'ETag: "1"', "Content-Range: bytes 40-99/100", status=PARTIAL),
    "that is longer than its range": answer(REST + b"x", 'ETag: "1"', "Content-Range: bytes 40-99/100", status=PARTIAL),
    "without a range": answer(REST, 'ETag: "1"', status=PARTIAL),
    "with a range that is none": answer(REST, 'ETag: "1"', "Content-Range: bytes 99-40/100", status=PARTIAL),
    "with a range of items": answer(REST, 'ETag: "1"', "Content-Range: items 40-99/100", status=PARTIAL),
    "with a huge range": answer(REST, 'ETag: "1"', f"Content-Range: bytes 40-{'9' * 400}/100", status=PARTIAL),
    "in several ranges": answer(REST, "Content-Type: multipart/byteranges; boundary=x", status=PARTIAL),
    "of the new whole": answer(WHOLE[::-1], 'ETag: "2"'),
}


@pytest.mark.subjects(ours=Saver, appending=Appending)
@COLOUR
@pytest.mark.parametrize("rest", RESUMED)
def test_s37_what_is_resumed_is_one_entity_or_no_file(
    subject: type[Saver], rest: str, colour: str, serve: Serve, tmp_path: Path
) -> None:
    first = answer(WHOLE[:40], 'ETag: "1"', size=100)
    server = serve(one_after_the_other([first, *[RESUMED[rest]] * 20]))

    with suppress(ContractError, NetworkError):
        subject(colour).save(server.url, tmp_path / "file")

    assert [path.read_bytes() for path in files_below(tmp_path)] in ([], [WHOLE[::-1]])
    asked = server.requests[1]
    assert (asked.get_all("range"), asked.get_all("if-range")) == (["bytes=40-"], ['"1"'])
