"""An entry as bytes: it comes back as it was, or is an error, whatever became of its bytes."""

from __future__ import annotations

import pickle
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield_plugins.caching import Stored, decoded, encoded

KEY = b"salt" * 4 + b"place" + b"owner"
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
TIMES = st.floats(allow_nan=False)
ENTRIES = st.builds(
    Stored,
    st.integers(100, 999),
    st.lists(st.tuples(TEXT, TEXT)).map(tuple),
    st.binary(),
    TIMES,
    TIMES,
    st.lists(st.tuples(TEXT, st.none() | TEXT)).map(tuple),
)
ENTRY = Stored(
    200, (("etag", '"1"'), ("x", "é\U0001f600")), bytes(range(256)), 1.5, 2.5, (("accept", "a"), ("b", None))
)


@given(ENTRIES, st.binary(max_size=40))
@settings(deadline=None, max_examples=100)
def test_an_entry_comes_back_as_it_was(entry: Stored, key: bytes) -> None:
    found = decoded(encoded(entry, key), key)

    assert found == entry
    assert type(found) is Stored
    assert isinstance(found.headers, tuple)
    assert all(isinstance(field, tuple) for field in (*found.headers, *found.selecting))


def test_any_flipped_bit_is_an_error() -> None:
    data = encoded(ENTRY, KEY)

    for at in range(len(data)):
        for bit in range(8):
            with pytest.raises(ValueError, match="entry"):
                decoded(data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :], KEY)


def test_any_cut_and_anything_behind_is_an_error() -> None:
    data = encoded(ENTRY, KEY)

    for size in range(len(data)):
        with pytest.raises(ValueError, match="entry"):
            decoded(data[:size], KEY)
    with pytest.raises(ValueError, match="entry"):
        decoded(data + b"\0", KEY)


@pytest.mark.parametrize("key", [b"", KEY + b"\0", KEY[1:], KEY[:-1] + b"R", b"\0" + KEY])
def test_an_entry_that_turns_up_under_another_key_is_an_error(key: bytes) -> None:
    with pytest.raises(ValueError, match="damaged entry"):
        decoded(encoded(ENTRY, KEY), key)


def test_a_key_does_not_run_into_what_is_kept() -> None:
    data = encoded(ENTRY, b"ab")

    with pytest.raises(ValueError, match="damaged entry"):
        decoded(data[:17] + b"b" + data[17:], b"a")


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_is_an_error(version: int) -> None:
    with pytest.raises(ValueError, match="version"):
        decoded(bytes([version]) + encoded(ENTRY, KEY)[1:], KEY)


def signed(packed: bytes) -> bytes:
    """What only somebody who has the key can make."""
    return b"\1" + blake2b(len(KEY).to_bytes(8, "big") + KEY + packed, digest_size=16).digest() + packed


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\xc0",
        b"\x96",
        b"\xdd\xff\xff\xff\xff",  # an array of 2**32 - 1
        b"\x96\xcc\xc8\xdd\xff\xff\xff\xff",
        b"\x96\xcc\xc8\x90\xc6\x40\x00\x00\x00body",  # bytes of 1 GiB
        b"\x96\xcc\xc8\x90\xdb\xff\xff\xff\xff",
        b"\x91" * 100_000,
        b"\xdc\xff\xff" * 10_000,
        encoded(ENTRY, KEY)[17:-1],
        encoded(ENTRY, KEY)[17:] + b"\0",
    ],
)
def test_what_is_no_entry_is_an_error_even_if_it_is_signed(packed: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decoded(signed(packed), KEY)


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    canary = tmp_path / "canary"

    class Touch:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return Path.touch, (canary,)

    for data in (pickle.dumps(Touch()), signed(pickle.dumps(Touch()))):
        with pytest.raises(ValueError, match=r"."):
            decoded(data, KEY)

    assert not canary.exists()


def test_what_is_no_text_cannot_be_encoded() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        encoded(ENTRY._replace(headers=(("x", "\ud800"),)), KEY)
