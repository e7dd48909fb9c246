"""Saving to a file: whole and right, or what was there before; and what is left for another process to go on with."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import resource
import sys
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.jackfield_plugins.streaming.answers import DATA, ETAG, digest, part, sent, whole
from tests.jackfield_plugins.streaming.service import AsyncFilesClient, FilesClient
from tests.servers.ranges import Ranges

from jackfield import (
    AsyncioRuntime,
    BodyTooLargeError,
    ConnectionLostError,
    ContractError,
    JackfieldError,
    ProtocolError,
    Request,
    Response,
    SignatureError,
    TruncatedBodyError,
    UnavailableError,
    UsageError,
)
from jackfield.testing import Answer, CutBody, FakeTransport, VirtualSyncRuntime
from jackfield_plugins.auth import Bearer

if TYPE_CHECKING:
    from tests.both import Both
    from tests.jackfield_plugins.streaming.conftest import Serving

T = TypeVar("T")
SHA = hashlib.sha256(DATA).hexdigest()
LOST = ConnectionLostError("reset")
ROOT = os.geteuid() == 0


def save(api: Both, path: Path | str, call: str = "get", **wishes: Any) -> Path:
    saved: Path = api.get(getattr(api.client, call)().to(path, **wishes))
    return saved


class Told:
    """A progress callback that remembers."""

    def __init__(self) -> None:
        self.figures: list[tuple[int, int | None, float]] = []

    def __call__(self, received: int, total: int | None, rate: float) -> None:
        self.figures.append((received, total, rate))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def parts(folder: Path) -> list[Path]:
    """The files that a download which broke has left: the bytes, and the record."""
    return sorted(folder.glob(".jackfield-*"), key=lambda path: path.suffix, reverse=True)


def broken(serving: Serving, path: Path, cut: int = 40, also: dict[str, str] | None = None) -> list[Path]:
    """A process that got so many bytes, and ended; what it left."""
    with pytest.raises(TruncatedBodyError):
        save(serving([whole(cut=cut, also=also), *[TruncatedBodyError("gone")] * 6]), path)
    return parts(path.parent)


# --- the file


def test_the_file_is_there_whole_and_nothing_else(serving: Serving, tmp_path: Path) -> None:
    saved = save(serving([whole()]), tmp_path / "out")

    assert saved == tmp_path / "out"
    assert saved.read_bytes() == DATA
    assert names(tmp_path) == ["out"]


def test_a_path_may_be_text_and_relative(serving: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert save(serving([whole()]), "out") == tmp_path / "out"


def test_an_empty_file_is_a_file(serving: Serving, tmp_path: Path) -> None:
    assert save(serving([whole(b"")]), tmp_path / "out").read_bytes() == b""


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_who_may_read_it_is_the_umask_s_to_say(serving: Serving, tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        saved = save(serving([whole()]), tmp_path / "out")
    finally:
        os.umask(before)

    assert saved.stat().st_mode & 0o777 == 0o666 & ~mask


def test_breaks_are_mended_and_no_byte_is_written_twice(serving: Serving, tmp_path: Path) -> None:
    ranges = Ranges(DATA, cuts=[30, 0, 25])
    api = serving(ranges.answer)

    assert save(api, tmp_path / "out", sha256=SHA).read_bytes() == DATA
    assert ranges.starts == [0, 30, 30, 55]


def test_without_a_validator_it_begins_again(serving: Serving, tmp_path: Path) -> None:
    ranges = Ranges(DATA, etag=None, cuts=[30, 50])
    api = serving(ranges.answer)

    assert save(api, tmp_path / "out", sha256=SHA).read_bytes() == DATA
    assert ranges.starts == [0, 0, 0]
    assert names(tmp_path) == ["out"]


def test_without_a_validator_beginning_again_is_bounded_by_what_is_new(serving: Serving, tmp_path: Path) -> None:
    ranges = Ranges(DATA, etag=None, cuts=[30, 20] * 50)

    with pytest.raises(TruncatedBodyError):
        save(serving(ranges.answer), tmp_path / "out")
    assert len(ranges.starts) == 7
    assert names(tmp_path) == []


def test_an_entity_that_changed_takes_the_place_of_the_first(serving: Serving, tmp_path: Path) -> None:
    other = b"other" * 5
    api = serving(
        [
            whole(cut=50),
            whole(other, etag='"v2"', cut=10),
            Response(206, {"etag": '"v2"', "content-range": "bytes 10-24/25"}, other[10:]),
        ]
    )

    assert save(api, tmp_path / "out", sha256=hashlib.sha256(other).hexdigest()).read_bytes() == other
    assert sent(api)[1:] == [("bytes=50-", ETAG), ("bytes=10-", '"v2"')]


def test_what_a_part_should_have_been_is_not_asked_of_what_comes_in_its_place(serving: Serving, tmp_path: Path) -> None:
    other = b"other" * 5
    api = serving([whole(cut=50), part(50, cut=20, content_digest=digest(DATA[50:])), whole(other, etag='"v2"')])

    assert save(api, tmp_path / "out").read_bytes() == other


def test_a_service_that_has_no_more_than_there_is_is_believed(serving: Serving, tmp_path: Path) -> None:
    begun = Response(200, {"etag": ETAG}, CutBody(DATA, after=100))
    api = serving([begun, Response(416, {"content-range": "bytes */100"})])

    assert save(api, tmp_path / "out", sha256=SHA).read_bytes() == DATA


@pytest.mark.parametrize("place", ["bytes */99", "bytes */*", ""])
def test_a_service_that_has_less_is_asked_for_all_of_it(serving: Serving, tmp_path: Path, place: str) -> None:
    begun = Response(200, {"etag": ETAG}, CutBody(bytes(100), after=100))
    api = serving([begun, Response(416, {"content-range": place}), whole(etag='"v2"')])

    assert save(api, tmp_path / "out", sha256=SHA).read_bytes() == DATA
    assert sent(api) == [(None, None), ("bytes=100-", ETAG), (None, None)]


@given(
    data=st.binary(max_size=400),
    cuts=st.lists(st.integers(0, 50), max_size=20),
    piece=st.integers(1, 60),
    chunked=st.booleans(),
    etag=st.sampled_from(['"v1"', None]),
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_breaks_the_file_is_the_entity_or_not_there(
    tmp_path: Path, data: bytes, cuts: list[int], piece: int, chunked: bool, etag: str | None
) -> None:
    ranges = Ranges(data, etag, cuts, chunked=chunked)
    path = tmp_path / "out"
    for _ in range(20):
        transport = FakeTransport(otherwise=ranges.answer, piece=piece)
        with FilesClient("https://h", transport=transport, runtime=VirtualSyncRuntime()) as client:
            try:
                client.get().to(path)
            except TruncatedBodyError:
                assert not path.exists()
            else:
                break

    assert path.read_bytes() == data
    assert names(tmp_path) == ["out"]
    path.unlink()


# --- its name


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename=report.pdf", "report.pdf"),
        ("attachment; filename=x; filename*=UTF-8''%e2%82%ac.pdf", "€.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="/etc/cron.d/x"', "x"),
        ('attachment; filename=".bashrc"', "bashrc"),
        ('attachment; filename=".."', "a.bin"),
        ("attachment; filename=a b", "a.bin"),
        ("", "a.bin"),
    ],
)
def test_in_a_folder_it_has_the_service_s_name_made_safe(
    serving: Serving, tmp_path: Path, disposition: str, name: str
) -> None:
    saved = save(serving([whole(content_disposition=disposition)]), tmp_path)

    assert saved == tmp_path / name
    assert names(tmp_path) == [name]


def test_a_name_that_the_caller_gave_counts(serving: Serving, tmp_path: Path) -> None:
    answer = whole(content_disposition="attachment; filename=other")

    assert save(serving([answer]), tmp_path / ".out").name == ".out"


def test_a_link_to_a_folder_is_a_folder(serving: Serving, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    save(serving([whole()]), tmp_path / "link")

    assert names(tmp_path / "real") == ["a.bin"]


# --- what is there already


@pytest.mark.parametrize("kind", ["file", "link", "dangling-link"])
def test_what_is_there_stays_and_nothing_is_sent(serving: Serving, tmp_path: Path, kind: str) -> None:
    path, victim = tmp_path / "out", tmp_path / "victim"
    victim.write_bytes(b"old")
    if kind == "file":
        path.write_bytes(b"old")
    else:
        path.symlink_to("victim" if kind == "link" else "nowhere")
    api = serving([])

    with pytest.raises(UsageError, match="overwrite=True"):
        save(api, path)

    assert sent(api) == []
    assert victim.read_bytes() == b"old"
    assert names(tmp_path) == ["out", "victim"]


def test_in_a_folder_what_is_there_stays_too(serving: Serving, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")

    with pytest.raises(UsageError, match="overwrite=True"):
        save(serving([whole()]), tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_what_is_there_is_replaced_where_that_is_wanted(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old" * 100)

    assert save(serving([whole()]), path, overwrite=True) == path
    assert path.read_bytes() == DATA


def test_the_service_does_not_choose_which_file_is_replaced(serving: Serving, tmp_path: Path) -> None:
    api = serving([])

    with pytest.raises(UsageError, match="give the file's path"):
        save(api, tmp_path, overwrite=True)

    assert sent(api) == []


def test_who_may_read_what_is_replaced_stays_so(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    path.chmod(0o640)

    save(serving([whole()]), path, overwrite=True)

    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_is_replaced_and_not_followed(serving: Serving, tmp_path: Path) -> None:
    path, victim = tmp_path / "out", tmp_path / "victim"
    victim.write_bytes(b"old")
    path.symlink_to(victim)

    save(serving([whole()]), path, overwrite=True)

    assert victim.read_bytes() == b"old"
    assert not path.is_symlink()
    assert path.read_bytes() == DATA


def test_what_is_no_file_is_never_replaced(serving: Serving, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    api = serving([])

    with pytest.raises(UsageError, match="no file"):
        save(api, tmp_path / "pipe", overwrite=True)
    with pytest.raises(UsageError, match="no file"):
        save(api, "/dev/null", overwrite=True)
    assert sent(api) == []


def test_what_comes_to_be_there_meanwhile_stays(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"

    def appear(request: Request) -> Response:
        path.write_bytes(b"new")
        return whole()

    with pytest.raises(UsageError, match="meanwhile"):
        save(serving(appear), path)

    assert path.read_bytes() == b"new"
    api = serving([Response(416, {"content-range": "bytes */100"})])
    assert save(api, path, overwrite=True).read_bytes() == DATA
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("error", [TruncatedBodyError("cut"), SignatureError("?"), UnavailableError("busy")])
def test_what_was_to_be_replaced_is_there_still_if_it_fails(
    serving: Serving, tmp_path: Path, error: JackfieldError
) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    answer = Response(200, {"content-length": "100"}, CutBody(DATA, after=90, error=error))

    with pytest.raises(type(error)):
        save(serving([answer] * 7), path, overwrite=True)

    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["out"]


# --- places that cannot be written to


def test_a_place_that_cannot_be_written_to_is_said_before_anything_is_sent(serving: Serving, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    api = serving([])
    places: list[Any] = [
        *[tmp_path / "none" / "out", f"{tmp_path}/none/", tmp_path / "file" / "out", tmp_path / ("x" * 300)],
        *["", "a\0b", b"bytes", None, 3],
    ]

    for place in places:
        with pytest.raises(UsageError):
            save(api, place)
    with pytest.raises(UsageError, match="make it first"):
        save(api, places[0])
    assert sent(api) == []


@pytest.mark.skipif(ROOT, reason="root may write everywhere")
@pytest.mark.parametrize("name", ["out", "."])
def test_a_folder_that_is_read_only_is_said_before_anything_is_sent(
    serving: Serving, tmp_path: Path, name: str
) -> None:
    tmp_path.chmod(0o500)
    api = serving([])

    with pytest.raises(UsageError) as caught:
        save(api, tmp_path / name)

    assert isinstance(caught.value.__cause__, PermissionError)
    assert sent(api) == []


def test_the_system_s_own_error_is_the_cause(serving: Serving) -> None:
    with pytest.raises(UsageError) as caught:
        save(serving([]), "/proc/out")

    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize(
    "wishes",
    [
        *[{"sha256": wrong} for wrong in ("abc", "g" * 64, b"a" * 64)],
        *[{"max_bytes": wrong} for wrong in (-1, "1", True)],
        {"progress": 3},
    ],
    ids=str,
)
def test_wishes_that_make_no_sense_are_refused_before_anything_is_sent(
    serving: Serving, tmp_path: Path, wishes: dict[str, Any]
) -> None:
    api = serving([])

    with pytest.raises(UsageError):
        save(api, tmp_path / "out", **wishes)
    assert sent(api) == []
    assert names(tmp_path) == []


@contextmanager
def room_for(size: int) -> Generator[None]:
    """No file may grow beyond so many bytes: the disk is full, as far as a download sees."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_leaves_what_came_for_when_there_is_room(serving: Serving, tmp_path: Path) -> None:
    data = bytes(100) * 50
    ranges = Ranges(data)
    path = tmp_path / "out"
    path.write_bytes(b"old")
    api = serving(ranges.answer, piece=300)

    with room_for(4900), pytest.raises(UsageError) as caught:
        save(api, path, overwrite=True)

    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.call is not None
    assert path.read_bytes() == b"old"
    assert parts(tmp_path)[0].stat().st_size == 4900
    save(api, path, overwrite=True)
    assert path.read_bytes() == data
    assert ranges.starts == [0, 4900]
    assert names(tmp_path) == ["out"]


# --- limits and digests


@pytest.mark.parametrize("size", [100, 101, None])
def test_what_is_within_the_limit_is_saved(serving: Serving, tmp_path: Path, size: int | None) -> None:
    assert save(serving([whole()]), tmp_path / "out", max_bytes=size).exists()


def test_what_is_announced_to_be_too_long_is_not_read(serving: Serving, tmp_path: Path) -> None:
    api = serving([whole()])
    told = Told()

    with pytest.raises(BodyTooLargeError):
        save(api, tmp_path / "out", max_bytes=99, progress=told)
    assert told.figures == []
    assert names(tmp_path) == []


def test_what_a_part_says_to_be_too_long_is_not_read(serving: Serving, tmp_path: Path) -> None:
    broken(serving, tmp_path / "out", also={"content_length": ""})
    told = Told()

    with pytest.raises(BodyTooLargeError):
        save(serving([part(40)]), tmp_path / "out", max_bytes=60, progress=told)
    assert told.figures == []
    assert names(tmp_path) == []


@pytest.mark.parametrize("resumed", [False, True])
def test_what_turns_out_to_be_too_long_is_given_up(serving: Serving, tmp_path: Path, resumed: bool) -> None:
    answers = (
        [Response(200, {"etag": ETAG}, CutBody(DATA, after=10)), part(10)] if resumed else [whole(content_length="")]
    )

    with pytest.raises(BodyTooLargeError):
        save(serving(answers), tmp_path / "out", max_bytes=50)
    assert names(tmp_path) == []


@pytest.mark.parametrize("answers", [[whole()], [whole(cut=33), part(33)]], ids=["at-once", "in-two"])
def test_what_is_not_what_the_caller_meant_is_thrown_away(
    serving: Serving, tmp_path: Path, answers: list[Response]
) -> None:
    with pytest.raises(SignatureError):
        save(serving(answers), tmp_path / "out", sha256="0" * 64)
    assert names(tmp_path) == []


def test_the_caller_s_digest_may_be_in_capitals(serving: Serving, tmp_path: Path) -> None:
    assert save(serving([whole()]), tmp_path / "out", sha256=SHA.upper()).exists()


@pytest.mark.parametrize("name", ["repr_digest", "content_digest"])
def test_what_is_not_what_the_service_announced_is_thrown_away(serving: Serving, tmp_path: Path, name: str) -> None:
    with pytest.raises(SignatureError):
        save(serving([whole(also={name: digest(b"other")})]), tmp_path / "out")
    assert names(tmp_path) == []
    assert save(serving([whole(also={name: digest(DATA)})]), tmp_path / "out", sha256=SHA).exists()


def test_what_does_not_fit_is_thrown_away_so_that_the_next_try_begins_afresh(serving: Serving, tmp_path: Path) -> None:
    for error in (ContractError, ProtocolError):
        wrong = part(11) if error is ContractError else ProtocolError("garbage")
        with pytest.raises(error):
            save(serving([whole(cut=10), wrong]), tmp_path / "out")
        assert names(tmp_path) == []


# --- in another process


def test_another_process_goes_on_where_the_first_ended(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    left = broken(serving, path)
    assert [file.suffix for file in left] == [".part", ".json"]
    assert left[0].read_bytes() == DATA[:40]
    assert not path.exists()
    api = serving([part(40)])

    save(api, path, sha256=SHA)

    assert path.read_bytes() == DATA
    assert sent(api) == [("bytes=40-", ETAG)]
    assert names(tmp_path) == ["out"]


def test_in_a_folder_too_once_the_service_has_said_what_it_is(serving: Serving, tmp_path: Path) -> None:
    with pytest.raises(TruncatedBodyError):
        save(serving([whole(cut=40), *[TruncatedBodyError("gone")] * 6]), tmp_path)
    api = serving([whole(), part(40)])

    assert save(api, tmp_path, sha256=SHA).read_bytes() == DATA
    assert sent(api) == [(None, None), ("bytes=40-", ETAG)]
    assert names(tmp_path) == ["a.bin"]


def test_in_a_folder_another_entity_begins_anew(serving: Serving, tmp_path: Path) -> None:
    with pytest.raises(TruncatedBodyError):
        save(serving([whole(cut=40), *[TruncatedBodyError("gone")] * 6]), tmp_path)
    api = serving([whole(b"other", etag='"v2"')])

    assert save(api, tmp_path).read_bytes() == b"other"
    assert len(sent(api)) == 1


def test_in_a_folder_a_service_that_changes_its_mind_is_followed_once(serving: Serving, tmp_path: Path) -> None:
    with pytest.raises(TruncatedBodyError):
        save(serving([whole(cut=40), *[TruncatedBodyError("gone")] * 6]), tmp_path)
    api = serving([whole(), whole()])

    assert save(api, tmp_path, sha256=SHA).read_bytes() == DATA
    assert sent(api) == [(None, None), ("bytes=40-", ETAG)]


def test_what_the_first_process_got_is_hashed_too(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    left = broken(serving, path)
    left[0].write_bytes(bytes(40))

    with pytest.raises(SignatureError):
        save(serving([part(40)]), path, sha256=SHA)
    assert names(tmp_path) == []
    left = broken(serving, path)
    left[0].write_bytes(bytes(40))
    with pytest.raises(SignatureError):
        save(serving([part(40, repr_digest=digest(DATA))]), path)
    assert names(tmp_path) == []


def test_what_is_there_already_may_be_all_of_it(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    broken(serving, path, cut=100, also={"content_length": ""})
    api = serving([Response(416, {"content-range": "bytes */100"})])

    assert save(api, path, sha256=SHA).read_bytes() == DATA
    assert sent(api) == [("bytes=100-", ETAG)]


def test_what_is_there_already_may_be_all_of_it_and_too_long(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    broken(serving, path, cut=100, also={"content_length": ""})

    with pytest.raises(BodyTooLargeError):
        save(serving([Response(416, {"content-range": "bytes */100"})]), path, max_bytes=99)
    assert names(tmp_path) == []


def test_what_is_there_already_may_be_all_of_it_and_wrong(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    broken(serving, path, cut=100, also={"content_length": ""})

    with pytest.raises(SignatureError):
        save(serving([Response(416, {"content-range": "bytes */100"})]), path, sha256="0" * 64)
    assert names(tmp_path) == []


@pytest.mark.parametrize("answer", [whole(b"other", etag='"v2"'), Response(416, {"content-range": "bytes */5"})])
def test_another_process_does_not_append_to_another_entity(serving: Serving, tmp_path: Path, answer: Response) -> None:
    path = tmp_path / "out"
    broken(serving, path)
    api = serving([answer, whole(b"other", etag='"v2"')])

    assert save(api, path).read_bytes() == b"other"
    assert sent(api)[0] == ("bytes=40-", ETAG)


def test_a_service_that_ends_where_the_first_process_did_has_something_else(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    broken(serving, path)
    api = serving([Response(416, {"content-range": "bytes */40"}), whole(DATA[:40])])

    assert save(api, path).read_bytes() == DATA[:40]
    assert sent(api) == [("bytes=40-", ETAG), (None, None)]


def test_another_url_is_another_entity_whatever_its_validator(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    broken(serving, path)
    api = serving([whole()])

    api.get(api.client.get("a.bin", "version=2").to(path))

    assert sent(api) == [(None, None)]
    assert path.read_bytes() == DATA


def test_another_user_gets_no_byte_of_the_first_ones(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    with pytest.raises(TruncatedBodyError):
        save(serving([whole(cut=40), *[TruncatedBodyError("gone")] * 6], plugins=[Bearer("ada")]), path)
    record = json.loads(parts(tmp_path)[1].read_text())

    other = serving([whole()], plugins=[Bearer("eve")])
    save(other, path)

    assert sent(other) == [(None, None)]
    assert path.read_bytes() == DATA
    assert "ada" not in json.dumps(record)


def test_the_same_user_goes_on(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    with pytest.raises(TruncatedBodyError):
        save(serving([whole(cut=40), *[TruncatedBodyError("gone")] * 6], plugins=[Bearer("ada")]), path)
    api = serving([part(40)], plugins=[Bearer("ada")])

    assert save(api, path).read_bytes() == DATA
    assert sent(api) == [("bytes=40-", ETAG)]


def test_there_is_no_more_of_another_entity_says_nothing_about_this_one(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    cut = whole(cut=40)
    unknown = Response(200, cut.headers.without("content-length"), cut.body)
    with pytest.raises(TruncatedBodyError):
        save(serving([unknown, *[TruncatedBodyError("gone")] * 6]), path)
    refused = Response(416, {"content-range": "bytes */40", "etag": '"other"'})
    api = serving([refused, whole(DATA[:40], etag='"other"')])

    save(api, path)

    assert sent(api) == [("bytes=40-", ETAG), (None, None)]


def test_another_method_brings_another_entity(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    broken(serving, path)
    api = serving([whole()])

    save(api, path, "post")

    assert sent(api) == [(None, None)]


def test_another_target_has_a_part_of_its_own(serving: Serving, tmp_path: Path) -> None:
    broken(serving, tmp_path / "out")
    api = serving([whole()])

    save(api, tmp_path / "another")

    assert sent(api) == [(None, None)]
    assert len(parts(tmp_path)) == 2


def test_a_request_that_fails_leaves_what_there_was(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    before = [file.read_bytes()[:40] for file in broken(serving, path)]

    for error in (LOST, UnavailableError("busy", status=503)):
        with pytest.raises(type(error)):
            save(serving([error]), path)

    assert [file.read_bytes()[:40] for file in parts(tmp_path)] == before


def test_a_first_request_that_fails_leaves_nothing(serving: Serving, tmp_path: Path) -> None:
    attempts: list[list[Answer]] = [[LOST], [whole(cut=0), *[LOST] * 6]]
    for answers in attempts:
        with pytest.raises(ConnectionLostError):
            save(serving(answers), tmp_path / "out")

        assert names(tmp_path) == []


def test_what_has_no_validator_is_of_no_use_to_anybody(serving: Serving, tmp_path: Path) -> None:
    with pytest.raises(TruncatedBodyError):
        save(serving([whole(cut=40, etag=""), *[TruncatedBodyError("gone")] * 6]), tmp_path / "out")

    assert names(tmp_path) == []


# --- the record


def test_a_record_that_was_not_written_to_its_end_is_no_record(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    bytes_, record = broken(serving, path)
    text = record.read_bytes()

    for end in range(0, len(text), 7):
        record.write_bytes(text[:end])
        bytes_.write_bytes(bytes(40))
        api = serving([whole()])
        save(api, path, overwrite=True, sha256=SHA)
        assert sent(api) == [(None, None)]


@pytest.mark.parametrize(
    "change",
    [
        {"source": "other"},
        {"source": None},
        {"validator": 1},
        {"validator": None},
        {"validator": ""},
        {"validator": '"1"\r\nx: y'},
        {"synced": "40"},
        {"synced": -5},
        {"total": "x"},
        {"total": -1},
    ],
    ids=str,
)
def test_a_record_that_makes_no_sense_is_no_record(serving: Serving, tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "out"
    _, record = broken(serving, path)
    record.write_text(json.dumps(json.loads(record.read_bytes()) | change))
    api = serving([whole()])

    assert save(api, path).read_bytes() == DATA
    assert sent(api) == [(None, None)]


def test_bytes_without_a_record_are_not_believed(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    _, record = broken(serving, path)
    record.unlink()
    api = serving([whole()])

    assert save(api, path).read_bytes() == DATA
    assert sent(api) == [(None, None)]


def test_a_record_without_bytes_is_of_no_account(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    bytes_, _ = broken(serving, path)
    bytes_.unlink()
    api = serving([whole()])

    assert save(api, path).read_bytes() == DATA
    assert sent(api) == [(None, None)]


@pytest.mark.parametrize(("boot", "synced", "start"), [("another", 25, 25), ("", 0, None), ("", 99, 40)])
def test_after_a_restart_of_the_machine_only_what_was_synced_is_believed(
    serving: Serving, tmp_path: Path, boot: str, synced: int, start: int | None
) -> None:
    path = tmp_path / "out"
    _, record = broken(serving, path)
    record.write_text(json.dumps(json.loads(record.read_bytes()) | {"boot": boot, "synced": synced}))
    api = serving([whole() if start is None else part(start)])

    assert save(api, path, sha256=SHA).read_bytes() == DATA
    assert sent(api)[0][0] == (None if start is None else f"bytes={start}-")


def test_what_was_not_believed_once_is_not_believed_later(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    bytes_, record = broken(serving, path)
    bytes_.write_bytes(DATA[:25] + bytes(15))  # as a file may be whose end was never written to the disk
    record.write_text(json.dumps(json.loads(record.read_bytes()) | {"boot": "another", "synced": 25}))
    with pytest.raises(ConnectionLostError):
        save(serving([part(25, cut=5), *[LOST] * 6]), path)
    api = serving([part(30)])

    save(api, path, sha256=SHA)
    assert sent(api)[0][0] == "bytes=30-"


def test_without_a_restart_all_that_was_written_is_believed(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    _, record = broken(serving, path)
    assert json.loads(record.read_bytes())["synced"] == 40
    record.write_text(json.dumps(json.loads(record.read_bytes()) | {"synced": 0}))
    api = serving([part(40)])

    save(api, path, sha256=SHA)
    assert sent(api)[0][0] == "bytes=40-"


def test_bytes_that_cannot_be_resumed_never_stand_beside_a_record(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    broken(serving, path)
    beside: list[list[str]] = []

    def look(received: int, total: int | None, rate: float) -> None:
        beside.append([file.suffix for file in parts(tmp_path)])

    save(serving([whole(bytes(100), etag="")]), path, progress=look)

    assert beside[0] == [".part"]


def test_a_shorter_record_takes_all_of_the_place_of_a_longer_one(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    broken(serving, path, also={"etag": f'"{"x" * 50}"'})
    broken(serving, path)
    api = serving([part(40)])

    save(api, path, sha256=SHA)
    assert sent(api)[0] == ("bytes=40-", ETAG)


def test_the_record_holds_no_url(serving: Serving, tmp_path: Path) -> None:
    api = serving([whole(cut=40), *[TruncatedBodyError("gone")] * 6])

    with pytest.raises(TruncatedBodyError):
        api.get(api.client.get("a.bin", "token=canary").to(tmp_path / "out"))

    assert b"canary" not in parts(tmp_path)[1].read_bytes()


# --- who else is there


def test_two_at_once_do_not_write_one_file(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"

    def meanwhile(request: Request) -> Response:
        other = FilesClient("https://files.example", transport=FakeTransport([]))
        with pytest.raises(UsageError, match="under way"):
            other.get().to(path)
        return whole()

    api = serving(meanwhile)

    assert save(api, path, sha256=SHA).read_bytes() == DATA
    assert names(tmp_path) == ["out"]


def test_who_is_refused_leaves_the_other_s_work_alone(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    bytes_, _ = broken(serving, path)
    with bytes_.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="under way"):
            save(serving([]), path)
    assert len(parts(tmp_path)) == 2

    save(serving([part(40)]), path, sha256=SHA)


def test_a_part_that_is_the_finished_file_as_well_is_not_written_to(serving: Serving, tmp_path: Path) -> None:
    """As it is left by who died after giving the file its name, and before taking away the other."""
    path = tmp_path / "out"
    bytes_, _ = broken(serving, path)
    os.link(bytes_, path)
    api = serving([whole(b"other", etag='"v2"', cut=2), *[TruncatedBodyError("gone")] * 6])

    with pytest.raises(TruncatedBodyError):
        save(api, path, overwrite=True)

    assert sent(api)[0] == (None, None)
    assert path.read_bytes() == DATA[:40]


@pytest.mark.parametrize("which", [0, 1], ids=["part", "record"])
@pytest.mark.parametrize("kind", ["link", "dangling-link", "folder", "pipe"])
def test_what_was_planted_in_the_way_is_not_followed(serving: Serving, tmp_path: Path, which: int, kind: str) -> None:
    path, victim = tmp_path / "out", tmp_path / "victim"
    victim.write_bytes(b"old")
    planted = broken(serving, path)[which]
    planted.unlink()
    if kind == "folder":
        planted.mkdir()
    elif kind == "pipe":
        os.mkfifo(planted)
    else:
        planted.symlink_to("victim" if kind == "link" else "nowhere")
    api = serving([whole(), whole()])

    opens = kind == "pipe" or (kind == "folder" and which == 1)
    with pytest.raises(UsageError, match="no file of the user" if opens else "cannot be written"):
        save(api, path)

    assert victim.read_bytes() == b"old"
    assert not path.exists()
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.skipif(not ROOT, reason="only root can give files away")
def test_another_user_s_file_in_the_way_is_not_written_to(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    bytes_, _ = broken(serving, path)
    os.chown(bytes_, 12345, -1)

    with pytest.raises(UsageError, match="no file of the user"):
        save(serving([]), path)
    assert bytes_.read_bytes() == DATA[:40]


def test_a_part_that_somebody_exchanged_does_not_become_the_file(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"

    def exchange(request: Request) -> Response:
        bytes_ = parts(tmp_path)[0]
        bytes_.unlink()
        bytes_.write_bytes(b"something else")
        return whole()

    with pytest.raises(UsageError, match="taken away"):
        save(serving(exchange), path)
    assert not path.exists()


def test_what_somebody_put_there_instead_is_not_removed(serving: Serving, tmp_path: Path) -> None:
    def exchange(request: Request) -> Response:
        bytes_ = parts(tmp_path)[0]
        bytes_.unlink()
        bytes_.write_bytes(b"something else")
        return part(0)

    with pytest.raises(ContractError):
        save(serving(exchange), tmp_path / "out")
    assert parts(tmp_path)[0].read_bytes() == b"something else"


# --- progress, and who gives up


def test_progress_is_told_with_total_and_rate(serving: Serving, tmp_path: Path) -> None:
    told = Told()
    api = serving([whole(cut=30), part(30)])

    save(api, tmp_path / "out", progress=told)

    assert [received for received, _, _ in told.figures] == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 100]
    assert {total for _, total, _ in told.figures} == {100}
    assert told.figures[-1][2] == pytest.approx(100 / api.client.runtime.elapsed)


def test_progress_counts_what_was_there_and_not_into_the_rate(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "out"
    broken(serving, path)
    told = Told()
    api = serving([part(40, cut=10), part(50)])

    save(api, path, progress=told)

    assert told.figures[0] == (50, 100, 0.0)
    assert told.figures[-1][2] == pytest.approx(60 / api.client.runtime.elapsed)


def test_progress_of_an_unknown_total(serving: Serving, tmp_path: Path) -> None:
    told = Told()

    save(serving([whole(content_length="")]), tmp_path / "out", progress=told)

    assert {total for _, total, _ in told.figures} == {None}


class Enough(BaseException):
    """What a caller ends a download with."""


def test_an_exception_of_the_callback_ends_it_and_what_came_stays(
    nothing_left: None, serving: Serving, tmp_path: Path
) -> None:
    path = tmp_path / "out"

    def stop(received: int, total: int | None, rate: float) -> None:
        if received >= 40:
            raise Enough

    with pytest.raises(Enough):
        save(serving([whole()]), path, progress=stop)

    assert not path.exists()
    assert parts(tmp_path)[0].read_bytes() == DATA[:40]
    assert save(serving([part(40)]), path, sha256=SHA).exists()


def test_a_task_that_is_cancelled_leaves_what_came_and_nothing_else(nothing_left: None, tmp_path: Path) -> None:
    path = tmp_path / "out"

    async def work() -> None:
        asked_again = asyncio.Event()

        async def never(request: Request) -> Response:
            asked_again.set()
            await asyncio.get_running_loop().create_future()
            raise AssertionError

        async with AsyncFilesClient("https://h", transport=FakeTransport([whole(cut=40), never])) as client:
            task = asyncio.create_task(client.get().to(path))
            await asked_again.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(work())

    assert not path.exists()
    assert parts(tmp_path)[0].read_bytes() == DATA[:40]
    with FilesClient("https://h", transport=FakeTransport([part(40)])) as client:
        assert client.get().to(path, sha256=SHA).exists()


class Suspended:
    """Waits for ever."""

    def __await__(self) -> Generator[None]:
        yield


class Inline(AsyncioRuntime):
    """Waits for nothing, until nothing may be awaited any more."""

    closing = False

    async def offload(self, work: Callable[[], T]) -> T:
        assert not self.closing
        return work()

    async def sleep(self, seconds: float) -> None: ...

    async def within(self, seconds: float, work: Awaitable[T]) -> T:
        return await work


def test_a_download_that_is_dropped_where_it_waits_leaves_what_came(tmp_path: Path) -> None:
    async def never(request: Request) -> Response:
        await Suspended()
        raise AssertionError

    runtime = Inline()
    client = AsyncFilesClient("https://h", transport=FakeTransport([whole(cut=40), never]), runtime=runtime)
    saving = client.get().to(tmp_path / "out")
    saving.send(None)
    runtime.closing = True
    saving.close()

    assert parts(tmp_path)[0].read_bytes() == DATA[:40]
    with FilesClient("https://h", transport=FakeTransport([part(40)])) as other:
        assert other.get().to(tmp_path / "out", sha256=SHA).exists()


def test_a_task_that_is_cancelled_while_its_file_is_opened_does_not_keep_it(nothing_left: None, tmp_path: Path) -> None:
    opening, go_on = threading.Event(), threading.Event()

    class Slow(AsyncioRuntime):
        works = 0

        async def offload(self, work: Callable[[], T]) -> T:
            self.works += 1
            return await super().offload(self.slowly(work) if self.works == 2 else work)

        def slowly(self, work: Callable[[], T]) -> Callable[[], T]:
            def later() -> T:
                opening.set()
                go_on.wait(10)
                return work()

            return later

    async def work() -> None:
        runtime = Slow()
        client = AsyncFilesClient("https://h", transport=FakeTransport([]), runtime=runtime)
        task = asyncio.create_task(client.get().to(tmp_path / "out"))
        await asyncio.to_thread(opening.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        await runtime.close()

    asyncio.run(work())

    assert names(tmp_path) == []


def test_files_are_opened_and_named_in_a_thread_where_the_client_is_async(tmp_path: Path) -> None:
    threads: dict[str, str] = {}

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("open", "os.link", "os.truncate") and str(tmp_path) in str(arguments[0]):
            threads[event] = threading.current_thread().name

    async def work() -> None:
        async with AsyncFilesClient("https://h", transport=FakeTransport([whole()])) as client:
            await client.get().to(tmp_path / "out")

    sys.addaudithook(audit)  # for good, and in no other test's way
    asyncio.run(work())

    assert {"open", "os.link"} <= threads.keys()
    assert "MainThread" not in threads.values()
