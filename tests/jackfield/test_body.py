"""Bodies that are sent piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import StreamBody, UsageError


def drain(body: StreamBody, into: list[bytes]) -> None:
    """Takes every piece; those before an error are found in `into`."""
    for piece in body:
        into.append(piece)  # noqa: PERF402 - what came before an error must stay


def test_a_body_gives_its_pieces_from_the_beginning_each_time() -> None:
    body = StreamBody(lambda: [b"ab", b"c"], length=3)

    assert list(body) == [b"ab", b"c"]
    assert list(body) == [b"ab", b"c"]
    assert body.replayable


def test_an_empty_piece_is_left_out_as_it_would_end_a_chunked_body() -> None:
    assert list(StreamBody(lambda: [b"", b"a", b"", b"b", b""])) == [b"a", b"b"]


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

    assert len(made) <= 2


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
