"""Bodies of whatever there is to send: how long they are, how often they can be sent, and what is refused."""

from __future__ import annotations

import io
import os
import pickle
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import StreamBody, UsageError
from jackfield_plugins.uploads import body_of

CONTENT = bytes(range(256)) * 2400  # 600 kB: several pieces
PIECE = 256 * 1024


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "things.bin"
    file.write_bytes(CONTENT)
    return file


def sent(body: StreamBody) -> bytes:
    return b"".join(body)


class Piped:
    """A file that cannot seek, and gives what it has."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)
        self.asked: list[int] = []
        self.closed = False

    def read(self, size: int = -1, /) -> bytes:
        self.asked.append(size)
        return self._pieces.pop(0) if self._pieces else b""

    def close(self) -> None:
        self.closed = True


# --- what there is to send


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_sent_in_pieces_as_often_as_needed(kind: Callable[[bytes], Any]) -> None:
    body = body_of(kind(CONTENT))

    assert (body.length, body.replayable) == (len(CONTENT), True)
    assert [sent(body), sent(body)] == [CONTENT, CONTENT]
    assert max(map(len, body)) == PIECE


def test_a_memoryview_counts_bytes_whatever_its_items_are() -> None:
    wide = memoryview(b"abcdefgh").cast("I")

    assert (body_of(wide).length, sent(body_of(wide))) == (8, b"abcdefgh")


def test_a_memoryview_with_gaps_is_refused() -> None:
    with pytest.raises(UsageError, match="not in one place"):
        body_of(memoryview(b"abcdef")[::2])


def test_a_path_is_opened_for_each_sending(path: Path) -> None:
    body = body_of(path)

    assert (body.length, body.replayable) == (len(CONTENT), True)
    assert [sent(body), sent(body)] == [CONTENT, CONTENT]
    assert max(map(len, body)) == PIECE


def test_an_empty_file_is_an_empty_body(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    body = body_of(tmp_path / "empty")

    assert (body.length, sent(body)) == (0, b"")


def test_no_file_stays_open(path: Path) -> None:
    def opened() -> int:
        return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0

    body, before = body_of(path), opened()
    reading = iter(body)
    next(reading)
    reading.close()
    sent(body)

    assert opened() == before


@pytest.mark.parametrize("buffering", [0, -1])
def test_an_open_file_is_sent_from_where_it_stands_and_again_from_there(path: Path, buffering: int) -> None:
    with open(path, "rb", buffering=buffering) as file:
        file.read(1000)
        body = body_of(file)

        assert (body.length, body.replayable) == (len(CONTENT) - 1000, True)
        assert file.tell() == 1000
        assert [sent(body), sent(body)] == [CONTENT[1000:]] * 2


def test_what_was_written_to_a_temporary_file_is_sent_though_nobody_flushed_it() -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(CONTENT)
        file.seek(0)

        assert sent(body_of(file)) == CONTENT


def test_a_file_in_memory_is_sent_from_where_it_stands() -> None:
    file = io.BytesIO(CONTENT)
    file.seek(7)
    body = body_of(file)

    assert (body.length, body.replayable) == (len(CONTENT) - 7, True)
    assert [sent(body), sent(body)] == [CONTENT[7:]] * 2


def test_a_file_that_stands_behind_its_end_is_an_empty_body() -> None:
    file = io.BytesIO(b"abc")
    file.seek(10)

    assert (body_of(file).length, sent(body_of(file))) == (0, b"")


def test_two_sendings_of_one_open_file_do_not_disturb_each_other(path: Path) -> None:
    with path.open("rb") as file:
        body = body_of(file)
        pairs = list(zip(body, body, strict=True))

    assert [b"".join(pieces) for pieces in zip(*pairs, strict=True)] == [CONTENT, CONTENT]


@pytest.mark.parametrize("length", [None, 5])
def test_a_file_that_cannot_seek_is_sent_once_as_it_comes(length: int | None) -> None:
    file: Any = Piped(b"ab", b"cde")
    body = body_of(file, length=length)

    assert (body.length, body.replayable) == (length, False)
    assert list(body) == [b"ab", b"cde"]
    assert set(file.asked) == {PIECE}
    assert not file.closed
    with pytest.raises(UsageError, match="replayed"):
        sent(body)


def test_a_pipe_is_sent_as_it_comes() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as file, open(writing, "wb", buffering=0) as other:
        body = body_of(file)
        pieces = iter(body)
        other.write(b"first")

        assert next(pieces) == b"first"

        other.write(b"second")
        other.close()
        assert list(pieces) == [b"second"]


@pytest.mark.parametrize("length", [None, 3])
def test_an_iterator_is_sent_once(length: int | None) -> None:
    body = body_of(iter([b"ab", b"c"]), length=length)

    assert (body.length, body.replayable) == (length, False)
    assert list(body) == [b"ab", b"c"]
    with pytest.raises(UsageError, match="replayed"):
        sent(body)


def test_what_can_be_iterated_again_is_replayable() -> None:
    body = body_of([b"ab", b"c"], length=3)

    assert (body.length, body.replayable) == (3, True)
    assert [sent(body), sent(body)] == [b"abc", b"abc"]


def test_a_function_is_called_for_each_sending() -> None:
    def pieces() -> Iterator[bytes]:
        yield from (b"ab", b"c")

    body = body_of(pieces, length=3)

    assert (body.length, body.replayable) == (3, True)
    assert [sent(body), sent(body)] == [b"abc", b"abc"]


def test_a_file_that_a_function_gives_is_read_and_closed() -> None:
    files = [Piped(b"ab", b"c"), Piped(b"ab", b"c")]
    given: Any = files.copy()
    body = body_of(lambda: given.pop(0))

    assert list(body) == [b"ab", b"c"]
    assert [file.closed for file in files] == [True, False]
    reading = iter(body)
    next(reading)
    reading.close()
    assert files[1].closed


def test_a_body_is_a_source_too() -> None:
    body = StreamBody(lambda: [b"a"])

    assert body_of(body) is body


@given(st.binary(max_size=300_000), st.integers(0, 1000))
@settings(deadline=None, max_examples=40)
def test_whatever_the_source_the_same_bytes_are_sent(content: bytes, start: int) -> None:
    file = io.BytesIO(content)
    file.seek(start)

    assert sent(body_of(content)) == content
    assert sent(body_of(file)) == content[start:]
    assert sent(body_of(Piped(*[content[at : at + 999] for at in range(0, len(content), 999)]))) == content  # type: ignore[arg-type] # a file as far as needed


# --- what is refused when the body is made


@pytest.mark.parametrize(
    "source", ["text", 5, None, {b"a": b"b"}, object()], ids=["str", "int", "None", "dict", "object"]
)
def test_what_gives_no_bytes_is_refused(source: Any) -> None:
    with pytest.raises(UsageError, match="a body cannot be made of"):
        body_of(source)


def test_a_file_that_gives_text_is_refused(path: Path) -> None:
    text: Any = io.StringIO("text")
    with pytest.raises(UsageError, match='"rb"'):
        body_of(text)
    with path.open(encoding="latin-1") as file, pytest.raises(UsageError, match='"rb"'):
        body_of(file)  # type: ignore[arg-type]  # that is the mistake


def test_a_closed_file_is_refused(path: Path) -> None:
    file = path.open("rb")
    file.close()

    with pytest.raises(UsageError, match="closed"):
        body_of(file)


def test_a_path_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        body_of(tmp_path / "missing")
    with pytest.raises(UsageError, match="cannot be read"):
        body_of(Path("nul\0nul"))


def test_a_path_to_something_else_than_a_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    for other in (tmp_path, tmp_path / "fifo", Path("/dev/null")):
        with pytest.raises(UsageError, match="no regular file"):
            body_of(other)


@pytest.mark.parametrize("length", [0, 5])
def test_a_length_is_refused_where_it_is_known(path: Path, length: int) -> None:
    for source in (b"bytes", path, io.BytesIO(b"abc"), StreamBody(list)):
        with pytest.raises(UsageError, match="leave out length"):
            body_of(source, length=length)


def test_an_async_iterator_away_from_an_event_loop_is_refused() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"

    class Again:
        def __aiter__(self) -> AsyncIterator[bytes]:
            return pieces()

    for source in (pieces(), Again()):
        with pytest.raises(UsageError, match="make it in a task"):
            body_of(source)


def test_a_function_that_gives_an_async_iterator_is_refused_when_it_is_sent() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"

    with pytest.raises(UsageError, match="make it in a task"):
        sent(body_of(pieces))


# --- files that change


def rewritten(path: Path) -> None:
    path.write_bytes(b"y" * len(CONTENT))
    os.utime(path, (1, 1))


def replaced(path: Path) -> None:
    other, found = path.with_suffix(".new"), path.stat()
    other.write_bytes(b"y" * len(CONTENT))
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    other.rename(path)


def grown(path: Path) -> None:
    found = path.stat()
    with path.open("ab") as file:
        file.write(b"more")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def shrunk(path: Path) -> None:
    found = path.stat()
    os.truncate(path, len(CONTENT) - 1)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


CHANGES = [rewritten, grown, shrunk]


@pytest.mark.parametrize("change", [*CHANGES, replaced])
def test_a_file_that_has_changed_is_not_sent(path: Path, change: Callable[[Path], None]) -> None:
    body = body_of(path)
    sent(body)
    change(path)

    with pytest.raises(UsageError, match="has changed"):
        next(iter(body))


@pytest.mark.parametrize("change", CHANGES)
def test_an_open_file_that_has_changed_is_not_sent(path: Path, change: Callable[[Path], None]) -> None:
    with path.open("rb") as file:
        body = body_of(file)
        sent(body)
        change(path)

        with pytest.raises(UsageError, match="has changed"):
            next(iter(body))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("opened", [True, False], ids=["open", "path"])
def test_of_a_file_that_changes_while_it_is_sent_never_all_bytes_go_out(
    path: Path, change: Callable[[Path], None], opened: bool
) -> None:
    given_out: list[bytes] = []

    with path.open("rb", buffering=0) as file:
        reading = iter(body_of(file if opened else path))
        given_out.append(next(reading))
        change(path)
        with pytest.raises(UsageError, match=r"has changed|than the"):
            given_out.extend(reading)

    assert len(b"".join(given_out)) < len(CONTENT)


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"x"], ids=["shrunk", "grown"])
def test_a_file_in_memory_that_has_another_length_now_is_an_error(content: bytes) -> None:
    file = io.BytesIO(CONTENT)
    body = body_of(file)
    file.truncate(0)
    file.seek(0)
    file.write(content)

    with pytest.raises(UsageError, match="than the"):
        sent(body)


def test_a_file_that_is_gone_is_the_callers_error(path: Path) -> None:
    body = body_of(path)
    path.unlink()

    with pytest.raises(UsageError, match="could not be produced") as caught:
        sent(body)

    assert isinstance(caught.value.__cause__, FileNotFoundError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


# --- progress


def test_progress_tells_what_was_sent_of_how_much_and_begins_again() -> None:
    told: list[tuple[int, int | None]] = []
    body = body_of(CONTENT, progress=lambda done, total, rate: told.append((done, total)))

    sent(body)
    first = told.copy()
    sent(body)

    size = len(CONTENT)
    assert first == [(0, size), (PIECE, size), (2 * PIECE, size), (size, size), (size, size)]
    assert told == [*first, *first]


def test_progress_of_a_body_without_a_length_has_no_total() -> None:
    told: list[tuple[int, int | None]] = []

    list(body_of(iter([b"ab", b"c"]), progress=lambda done, total, rate: told.append((done, total))))

    assert told == [(0, None), (2, None), (3, None), (3, None)]


def test_progress_may_be_watched_of_any_body() -> None:
    told: list[int] = []
    body = body_of(StreamBody.once([b"ab"], length=2), progress=lambda done, total, rate: told.append(done))

    assert (body.length, body.replayable, sent(body)) == (2, False, b"ab")
    assert told == [0, 2, 2]


def test_a_progress_callback_that_raises_ends_the_upload_with_its_error_as_the_cause() -> None:
    def progress(done: int, total: int | None, rate: float) -> None:
        if done:
            raise ConnectionResetError("the window was closed")

    with pytest.raises(UsageError, match="ended by a tap") as caught:
        sent(body_of(CONTENT, progress=progress))

    assert isinstance(caught.value.__cause__, ConnectionResetError)
