"""Bodies that are sent piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import Checksum, SignatureError, StreamBody, Tap, UsageError


def drain(body: StreamBody, into: list[bytes]) -> None:
    """Takes every piece; those before an error are found in `into`."""
    for piece in body:
        into.append(piece)  # noqa: PERF402 - what came before an error must stay


def wide(buffer: bytearray) -> memoryview:
    """A view whose items are of two bytes."""
    return memoryview(buffer).cast("H")


def test_a_body_gives_its_pieces_from_the_beginning_each_time() -> None:
    body = StreamBody(lambda: [b"ab", b"c"], length=3)

    assert list(body) == [b"ab", b"c"]
    assert list(body) == [b"ab", b"c"]
    assert body.replayable


def test_an_empty_piece_is_left_out_as_it_would_end_a_chunked_body() -> None:
    assert list(StreamBody(lambda: [b"", b"a", b"", b"b", b""])) == [b"a", b"b"]


@pytest.mark.parametrize("length", [8, None])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, wide])
def test_whoever_makes_pieces_may_use_one_buffer_for_all(length: int | None, kind: Any) -> None:
    def pieces() -> Iterator[Any]:
        buffer = bytearray(4)
        for letter in b"ab":
            buffer[:] = bytes([letter]) * 4
            yield kind(buffer)
        buffer[:] = b"xxxx"

    assert b"".join(StreamBody(pieces, length=length)) == b"aaaabbbb"


def test_a_body_of_a_generator_function_is_replayable_too() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"a"
        yield b"b"

    body = StreamBody(pieces)

    assert [b"".join(body), b"".join(body)] == [b"ab", b"ab"]


def test_a_body_that_is_sent_once_says_so_and_refuses_a_second_time() -> None:
    body = StreamBody.once(iter([b"a", b"b"]), length=2)

    assert not body.replayable
    assert list(body) == [b"a", b"b"]
    with pytest.raises(UsageError, match="replayed"):
        list(body)


def test_a_body_of_once_that_was_begun_counts_as_sent() -> None:
    body = StreamBody.once([b"a", b"b"])

    next(iter(body))

    with pytest.raises(UsageError, match="replayed"):
        list(body)


def test_two_bodies_of_once_do_not_share_anything() -> None:
    one, other = StreamBody.once([b"a"]), StreamBody.once([b"b"])

    assert [list(one), list(other)] == [[b"a"], [b"b"]]
    assert StreamBody(lambda: [b"a"]).replayable


@pytest.mark.parametrize(
    ("pieces", "wrong"),
    [
        ([b"ab"], "fewer"),
        ([], "fewer"),
        ([b"ab", b""], "fewer"),
        ([b"abcd"], "more"),
        ([b"ab", b"cd"], "more"),
        ([b"ab", b"c", b"d"], "more"),
        ([b"abc", b"d"], "more"),
    ],
)
def test_of_a_body_that_is_not_as_long_as_announced_never_so_many_bytes_are_given(
    pieces: list[bytes], wrong: str
) -> None:
    given_out: list[bytes] = []

    with pytest.raises(UsageError, match=f"{wrong} than the 3 bytes"):
        drain(StreamBody(lambda: pieces, length=3), given_out)

    assert len(b"".join(given_out)) < 3


def test_an_endless_body_is_stopped_at_its_length() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 10

    given_out: list[bytes] = []

    with pytest.raises(UsageError, match="more than the 25 bytes"):
        drain(StreamBody(endless, length=25), given_out)

    assert len(b"".join(given_out)) < 25


def test_a_piece_is_not_held_back_longer_than_needed() -> None:
    made: list[int] = []

    def pieces() -> Iterator[bytes]:
        for number in range(5):
            made.append(number)
            yield bytes([number])

    next(iter(StreamBody(pieces)))
    assert made == [0]

    next(iter(StreamBody(pieces, length=5)))
    assert made == [0, 0]


def test_only_the_last_piece_of_a_known_length_is_held_back_until_nothing_follows() -> None:
    made: list[str] = []

    def pieces() -> Iterator[bytes]:
        yield b"ab"
        yield b"c"
        made.append("the end")

    reading = iter(StreamBody(pieces, length=3))

    assert next(reading) == b"ab"
    assert made == []
    assert next(reading) == b"c"
    assert made == ["the end"]


class Collected:
    """Taps that note what they are called with."""

    def __init__(self) -> None:
        self.sendings: list[list[bytes]] = []

    def __call__(self) -> Tap:
        self.sendings.append([])
        return self.sendings[-1].append


def test_a_tap_sees_each_piece_when_it_was_sent_and_the_end() -> None:
    seen = Collected()
    reading = iter(StreamBody(lambda: [b"ab", b"", b"c"], length=3).tapped(seen))

    assert seen.sendings == []
    assert next(reading) == b"ab"
    assert seen.sendings == [[]]
    assert next(reading) == b"c"
    assert seen.sendings == [[b"ab"]]
    assert list(reading) == []
    assert seen.sendings == [[b"ab", b"c", b""]]


def test_each_sending_has_taps_of_its_own() -> None:
    seen = Collected()
    body = StreamBody(lambda: [b"ab", b"c"]).tapped(seen)

    next(iter(body))
    list(body)

    assert seen.sendings == [[], [b"ab", b"c", b""]]


def test_taps_are_added_one_by_one_and_the_body_stays_as_it_was() -> None:
    one, other = Collected(), Collected()
    plain = StreamBody(lambda: [b"a"], length=1)
    tapped = plain.tapped(one).tapped(other)

    list(plain)
    assert (one.sendings, other.sendings) == ([], [])

    list(tapped)
    assert one.sendings == other.sendings == [[b"a", b""]]
    assert (tapped.length, tapped.replayable) == (1, True)


def test_a_tapped_body_of_once_is_sent_once_by_either() -> None:
    plain = StreamBody.once([b"a"])
    tapped = plain.tapped(Collected())

    assert not tapped.replayable
    assert list(tapped) == [b"a"]
    with pytest.raises(UsageError, match="replayed"):
        list(plain)


def test_what_is_read_and_not_sent_is_shown_to_no_tap() -> None:
    seen = Collected()

    assert list(StreamBody(lambda: [b"ab"]).tapped(seen).pieces()) == [b"ab"]
    assert seen.sendings == []


def test_a_body_that_breaks_is_not_at_its_end_for_a_tap() -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise OSError("disk")

    seen = Collected()

    with pytest.raises(UsageError, match="could not be produced"):
        list(StreamBody(broken).tapped(seen))

    assert seen.sendings == [[b"a"]]


@pytest.mark.parametrize("at", ["begin", "piece", "end"])
def test_what_a_tap_raises_is_a_usage_error_with_its_cause_and_closes_the_source(at: str) -> None:
    closed: list[str] = []

    def pieces() -> Iterator[bytes]:
        try:
            yield b"a"
        finally:
            closed.append("closed")

    def begin() -> Tap:
        if at == "begin":
            raise BrokenPipeError("the display is gone")

        def tap(piece: bytes) -> None:
            if at == ("piece" if piece else "end"):
                raise BrokenPipeError("the display is gone")

        return tap

    reading = iter(StreamBody(pieces).tapped(begin))
    with pytest.raises(UsageError, match="ended by a tap") as caught:
        list(reading)
    reading.close()

    assert isinstance(caught.value.__cause__, BrokenPipeError)
    assert closed == ([] if at == "begin" else ["closed"])


def test_an_error_of_ours_leaves_a_tap_as_it_is() -> None:
    wrong = Checksum("sha256", b"no digest")

    with pytest.raises(SignatureError):
        list(StreamBody(lambda: [b"a"]).tapped(lambda: wrong))


def test_a_reading_that_is_closed_closes_what_produces_it_and_shows_no_end() -> None:
    closed: list[str] = []
    seen = Collected()

    def pieces() -> Iterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append("closed")

    reading = iter(StreamBody(pieces).tapped(seen))
    next(reading)
    reading.close()

    assert closed == ["closed"]
    assert list(reading) == []
    assert seen.sendings == [[]]


class Source:
    """Notes what is done to it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"a", b"b"])

    def abort(self) -> None:
        self.done.append("abort")

    def close(self) -> None:
        self.done.append("close")


def test_a_source_that_can_be_aborted_is_and_is_closed_in_the_end() -> None:
    source = Source()
    reading = iter(StreamBody(lambda: source))
    next(reading)

    reading.abort()
    assert source.done == ["abort"]

    assert list(reading) == [b"b"]
    assert source.done == ["abort", "close"]


def test_an_abort_that_comes_before_the_source_reaches_it() -> None:
    source = Source()
    reading = iter(StreamBody(lambda: source))

    reading.abort()
    assert source.done == []

    next(reading)
    assert source.done == ["abort"]


def test_an_abort_of_what_cannot_be_woken_does_nothing() -> None:
    reading = iter(StreamBody(lambda: [b"a", b"b"]))
    next(reading)

    reading.abort()

    assert list(reading) == [b"b"]


def test_an_empty_body_of_length_zero_is_right() -> None:
    assert list(StreamBody(list, length=0)) == []


@pytest.mark.parametrize("length", [-1, -(10**9)])
def test_a_negative_length_is_refused(length: int) -> None:
    with pytest.raises(UsageError, match="0 or more"):
        StreamBody(list, length=length)
    with pytest.raises(UsageError, match="0 or more"):
        StreamBody.once([], length=length)


def test_what_fails_while_the_pieces_are_made_is_the_callers_error_with_its_cause() -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise OSError("disk")

    with pytest.raises(UsageError, match="could not be produced") as caught:
        list(StreamBody(broken))

    assert isinstance(caught.value.__cause__, OSError)


def test_a_body_that_gives_nothing_to_iterate_is_the_callers_error() -> None:
    opens: Any = lambda: None  # noqa: E731 - the wrong thing, in one line

    with pytest.raises(UsageError, match="could not be produced"):
        list(StreamBody(opens))


@pytest.mark.parametrize("piece", ["text", 5, None])
def test_a_piece_that_is_not_bytes_is_the_callers_error(piece: Any) -> None:
    with pytest.raises(UsageError):
        list(StreamBody(lambda: [piece]))


def test_an_interruption_while_the_pieces_are_made_stays_one() -> None:
    def interrupted() -> Iterator[bytes]:
        yield b"a"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(StreamBody(interrupted))


def test_a_body_prints_no_content() -> None:
    assert "hunter2" not in repr(StreamBody(lambda: [b"hunter2"], length=7))


@given(st.lists(st.binary(max_size=5), max_size=6), st.integers(0, 20))
@settings(deadline=None, max_examples=200)
def test_a_body_ends_well_exactly_if_it_has_the_length_announced(pieces: list[bytes], length: int) -> None:
    given_out: list[bytes] = []

    try:
        drain(StreamBody(lambda: pieces, length=length), given_out)
    except UsageError:
        assert len(b"".join(pieces)) != length
        assert len(b"".join(given_out)) < max(length, 1)
    else:
        assert len(b"".join(pieces)) == length
        assert b"".join(given_out) == b"".join(pieces)
        assert b"" not in given_out
