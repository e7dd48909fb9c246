"""Content codings: whole or an error, whatever the pieces they come in; and no more in memory than a piece."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from itertools import repeat
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import DeadlineExceededError, ProtocolError, TruncatedBodyError, _decoding
from jackfield._decoding import decoded, offered


def nothing() -> None:
    pass


def raw(body: bytes) -> bytes:
    return zlib.compress(body, wbits=-15)


def brotli(body: bytes) -> bytes:
    packed: bytes = import_module("brotli").compress(body, quality=5)
    return packed


def zstd_module() -> str | None:
    for package, name in (("compression", "compression.zstd"), ("backports", "backports.zstd")):
        if find_spec(package) is not None and find_spec(name) is not None:
            return name
    return None


def zstd(body: bytes) -> bytes:
    packed: bytes = import_module(zstd_module() or "").compress(body)
    return packed


needs_brotli = pytest.mark.skipif(find_spec("brotli") is None, reason="brotli is not installed")
needs_zstd = pytest.mark.skipif(zstd_module() is None, reason="backports.zstd is not installed")
Pack = Callable[[bytes], bytes]
EACH = pytest.mark.parametrize(
    ("coding", "pack"),
    [
        pytest.param("gzip", gzip.compress, id="gzip"),
        pytest.param("deflate", zlib.compress, id="deflate"),
        pytest.param("deflate", raw, id="deflate-raw"),
        pytest.param("br", brotli, id="br", marks=needs_brotli),
        pytest.param("zstd", zstd, id="zstd", marks=needs_zstd),
    ],
)
PACKS: dict[str, Pack] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    **({} if find_spec("brotli") is None else {"br": brotli}),
    **({} if zstd_module() is None else {"zstd": zstd}),
}


class Source:
    """Gives these pieces, and counts the bytes it gave."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = b""
        self.given = 0

    def read1(self, size: int, /) -> bytes:
        piece = self._held or next(self._pieces, b"")
        piece, self._held = piece[:size], piece[size:]
        self.given += len(piece)
        return piece


def cut_up(body: bytes, size: int) -> list[bytes]:
    return [body[n : n + size] for n in range(0, len(body), size)]


def unpack(
    pieces: Iterable[bytes],
    field: str,
    *,
    sizes: Iterator[int] | None = None,
    may_be_empty: bool = False,
    check: Callable[[], object] = nothing,
) -> bytes:
    source = decoded(Source(pieces), field, check, may_be_empty=may_be_empty)
    found = bytearray()
    while piece := source.read1(next(sizes) if sizes else 65536):
        found += piece
    assert source.read1(65536) == b"", "the end stays the end"
    return bytes(found)


def text(size: int) -> bytes:
    """Neither noise nor monotony."""
    words = [b"zone", b"machine", b"network", b"router", b'"id":', b"12", b"{", b"}", b", ", b"\n"]
    chance = Random(size)
    return b"".join(chance.choice(words) for _ in range(size // 4 + 1))[:size]


# --- whole


@EACH
@pytest.mark.parametrize("size", [0, 1, 7, 65535, 65536, 65537, 300_000])
@pytest.mark.parametrize("piece", [1, 31, 100_000])
def test_what_was_packed_is_unpacked(coding: str, pack: Pack, size: int, piece: int) -> None:
    body = text(size)

    assert unpack(cut_up(pack(body), piece), coding) == body


@EACH
@pytest.mark.parametrize("size", [257, 4096, 65536, 258 * 1000])
def test_what_the_decompressor_still_holds_when_its_input_is_used_up_is_not_lost(
    coding: str, pack: Pack, size: int
) -> None:
    """A run of one byte is unpacked from next to nothing, and ends where a piece is full."""
    packed = pack(bytes(size))

    for at_a_time in (1, 256, 258, 4096):
        if size // at_a_time < 5000:
            assert unpack([packed], coding, sizes=repeat(at_a_time)) == bytes(size)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_body_in_any_codings_and_any_pieces_comes_back(data: st.DataObject) -> None:
    body = data.draw(st.one_of(st.binary(max_size=3000), st.builds(bytes, st.integers(0, 200_000))))
    named = st.lists(st.sampled_from(sorted(PACKS)), min_size=1, max_size=5)
    codings = data.draw(named.filter(lambda names: sum(name in ("br", "zstd") for name in names) < 2))
    chance = Random(data.draw(st.integers(0, 1000)))
    packed = body
    for coding in codings:
        packed = PACKS[coding](packed)
    pieces: list[bytes] = []
    while packed:
        size = chance.choice([1, 2, 50, 5000])
        pieces.append(packed[:size])
        packed = packed[size:]

    found = unpack(pieces, ", ".join(codings), sizes=iter(lambda: chance.choice([500, 4096, 65536]), 0))

    assert found == body


@pytest.mark.parametrize(
    "field", ["gzip", "GZIP", "x-gzip", " gzip\t", "identity, gzip", ",gzip,,", "X-GZip, Identity"]
)
def test_the_name_of_a_coding_is_read_as_rfc_9110_has_it(field: str) -> None:
    assert unpack([gzip.compress(b"hello")], field) == b"hello"


def test_the_first_that_is_listed_was_the_first_to_be_applied() -> None:
    assert unpack([gzip.compress(zlib.compress(b"hello"))], "deflate, gzip") == b"hello"
    with pytest.raises(ProtocolError):
        unpack([gzip.compress(zlib.compress(b"hello"))], "gzip, deflate")


@pytest.mark.parametrize("field", ["utf-8", "aes128gcm", "", "identity", "gzip deflate", "gzip, utf-8", "utf-8, gzip"])
def test_a_body_is_decoded_wholly_or_not_at_all(field: str) -> None:
    """A service that was met says `utf-8` of every answer."""
    packed = gzip.compress(b"hello")

    assert unpack([packed], field) == packed


@EACH
def test_several_streams_are_one_body_where_the_coding_says_so(coding: str, pack: Pack) -> None:
    packed = pack(b"one ") + pack(b"") + pack(b"two")

    for piece in (1, 7, 1000):
        if coding in ("gzip", "zstd"):
            assert unpack(cut_up(packed, piece), coding) == b"one two"
        else:
            with pytest.raises(ProtocolError):
                unpack(cut_up(packed, piece), coding)


def test_a_gzip_header_with_all_its_fields_is_passed_over() -> None:
    packed = gzip.compress(b"hello", mtime=0)
    fields = b"\x05\x00extra" + b"name\0" + b"comment\0"  # FEXTRA, FNAME, FCOMMENT: RFC 1952 §2.3
    packed = packed[:3] + b"\x1c" + packed[4:10] + fields + packed[10:]

    assert unpack(cut_up(packed, 3), "gzip") == b"hello"


@needs_zstd
def test_a_frame_of_zstd_that_is_to_be_skipped_is_skipped() -> None:
    skipped = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"  # RFC 8878 §3.1.2

    for piece in (1, 9, 1000):
        assert unpack(cut_up(skipped + zstd(b"hello") + skipped, piece), "zstd") == b"hello"


# --- cut, broken, more than whole


@EACH
@pytest.mark.parametrize("piece", [1, 1000])
def test_a_body_cut_anywhere_is_an_error(coding: str, pack: Pack, piece: int) -> None:
    packed = pack(text(600))

    for cut in range(len(packed)):
        with pytest.raises(TruncatedBodyError):
            unpack(cut_up(packed[:cut], piece), coding)


def test_a_body_of_two_codings_cut_anywhere_is_an_error() -> None:
    packed = zlib.compress(gzip.compress(text(300)))

    for cut in range(len(packed)):
        with pytest.raises(TruncatedBodyError):
            unpack([packed[:cut]], "gzip, deflate")


def test_a_cut_within_the_inner_coding_is_an_error_although_the_outer_one_is_whole() -> None:
    inner = gzip.compress(text(300))

    for cut in range(len(inner)):
        with pytest.raises(TruncatedBodyError):
            unpack([zlib.compress(inner[:cut])], "gzip, deflate")


@EACH
def test_a_second_stream_cut_anywhere_is_an_error(coding: str, pack: Pack) -> None:
    first, second = pack(b"one "), pack(b"two")

    for cut in range(1, len(second)):
        with pytest.raises((TruncatedBodyError, ProtocolError)):
            unpack([first, second[:cut]], coding)


@EACH
@pytest.mark.parametrize("junk", [b"\0", b"junk", b"\0" * 20_000])
@pytest.mark.parametrize("apart", [False, True], ids=["together", "apart"])
def test_bytes_that_follow_are_an_error(coding: str, pack: Pack, junk: bytes, apart: bool) -> None:
    packed = pack(text(600))

    with pytest.raises(ProtocolError):
        unpack([packed, junk] if apart else [packed + junk], coding)


@EACH
def test_a_body_that_is_not_in_its_coding_is_an_error(coding: str, pack: Pack) -> None:
    for body in (b'{"plain": true}', b"\xff" * 100, b"<html>" * 5000):
        with pytest.raises(ProtocolError):
            unpack([body], coding)


@pytest.mark.parametrize("at", [-1, -4, -5, -8], ids=["size", "size-low", "sum", "sum-low"])
def test_a_wrong_check_sum_or_size_of_gzip_is_an_error(at: int) -> None:
    packed = bytearray(gzip.compress(b"hello"))
    packed[at] ^= 1

    with pytest.raises(ProtocolError, match="gzip") as caught:
        unpack([bytes(packed)], "gzip")

    assert isinstance(caught.value.__cause__, zlib.error)


def test_a_wrong_check_sum_of_deflate_is_an_error() -> None:
    packed = bytearray(zlib.compress(b"hello"))
    packed[-1] ^= 1

    with pytest.raises(ProtocolError, match="deflate"):
        unpack([bytes(packed)], "deflate")


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_flipped_bit_gives_the_body_or_an_error(coding: str) -> None:
    """Where a check sum guards it. A bit of the header (of the time, say) may change nothing."""
    body = text(100)
    packed = PACKS[coding](body)

    for n in range(len(packed) * 8):
        broken = bytearray(packed)
        broken[n // 8] ^= 1 << n % 8
        try:
            assert unpack([bytes(broken)], coding) == body
        except ProtocolError:
            continue


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=200), coding=st.sampled_from(sorted(PACKS)))
def test_noise_is_no_untyped_error(body: bytes, coding: str) -> None:
    with suppress(ProtocolError):
        unpack([body], coding, may_be_empty=True)


@EACH
def test_no_byte_at_all_is_a_body_only_where_the_framing_says_so(coding: str, pack: Pack) -> None:
    assert unpack([], coding, may_be_empty=True) == b""
    with pytest.raises(TruncatedBodyError):
        unpack([], coding)


# --- bounded


@pytest.mark.parametrize("number", [1, 5])
def test_so_many_codings_are_read(number: int) -> None:
    body = b"hello"
    for _ in range(number):
        body = gzip.compress(body)

    assert unpack([body], ", ".join(["gzip"] * number)) == b"hello"


@pytest.mark.parametrize("number", [6, 12, 10_000])
def test_more_codings_are_refused_before_a_byte_is_read(number: int) -> None:
    source = Source([b"x"])

    with pytest.raises(ProtocolError, match=str(number)):
        decoded(source, ", ".join(["gzip"] * number), nothing, may_be_empty=False)

    assert source.given == 0


@EACH
def test_a_piece_is_no_longer_than_asked_for_and_no_more_is_in_memory(coding: str, pack: Pack) -> None:
    packed = pack(bytes(50_000_000))
    source = decoded(Source([packed]), coding, nothing, may_be_empty=False)
    tracemalloc.start()

    total = longest = 0
    while piece := source.read1(65536):
        total, longest = total + len(piece), max(longest, len(piece))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert total == 50_000_000
    assert longest <= (2 * 65536 if coding == "br" else 65536)  # brotli's bound is a soft one
    assert peak < 1_000_000


@EACH
def test_no_more_is_read_than_the_next_piece_needs(coding: str, pack: Pack) -> None:
    source = Source(cut_up(pack(Random(1).randbytes(1_000_000)), 1000))

    decoded(source, coding, nothing, may_be_empty=False).read1(1000)

    assert source.given <= 200_000  # a block of zstd or brotli has up to 128 KiB


def endless() -> Iterator[bytes]:
    """Empty members of gzip: input without end that comes to nothing."""
    member = gzip.compress(b"") * 100
    while True:
        yield member


@pytest.mark.parametrize("nested", [False, True])
def test_input_that_comes_to_nothing_ends_with_the_time(nested: bool) -> None:
    left = 1000

    def check() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise DeadlineExceededError.after(1)

    pieces = [gzip.compress(gzip.compress(b"") * 100_000)] if nested else endless()

    with pytest.raises(DeadlineExceededError):
        unpack(pieces, "gzip, gzip" if nested else "gzip", check=check)


@needs_zstd
def test_a_window_of_zstd_beyond_8_mebibytes_is_refused() -> None:
    module = import_module(zstd_module() or "")
    wide = {module.CompressionParameter.window_log: 27, module.CompressionParameter.content_size_flag: 0}
    stream = module.ZstdCompressor(options=wide)
    packed = stream.compress(bytes(100)) + stream.flush()

    with pytest.raises(ProtocolError, match="zstd"):
        unpack([packed], "zstd")


# --- what is asked for


def test_what_can_be_read_is_asked_for() -> None:
    assert offered().split(", ") == [name for name in PACKS if name != "x-gzip"]


@pytest.mark.parametrize(("coding", "package"), [("br", "brotli"), ("zstd", "backports.zstd")])
def test_a_coding_that_nothing_here_reads_is_an_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, coding: str, package: str
) -> None:
    def none() -> dict[str, object]:
        return {}

    monkeypatch.setattr(_decoding, "_codings", none)

    with pytest.raises(ProtocolError, match=f"install {package}"):
        unpack([b"x"], coding)


def test_a_brotli_that_knows_no_bound_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Decompressor:
        def process(self, data: bytes) -> bytes:
            return data

    def before_1_2(*_: str) -> object:
        return type("brotli", (), {"Decompressor": Decompressor})

    monkeypatch.setattr(_decoding, "_first_of", before_1_2)

    assert _decoding._brotli() is None  # pyright: ignore[reportPrivateUsage]  # what it finds decides what is offered


@pytest.mark.parametrize("field", ["br, zstd", "zstd, br", "br, br", "gzip, zstd, br"])
def test_of_the_codings_with_wide_windows_one_is_read(field: str) -> None:
    with pytest.raises(ProtocolError, match="each needs megabytes"):
        unpack([b"x"], field)
