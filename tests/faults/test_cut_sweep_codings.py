"""Compressed bodies that end before their stream does, though the length that is told is right: always an error.

Each stream has a border within, where a block ends and all that came before it can be read: a cut there is the one that
a careless reader takes for the end.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

import pytest
from tests.clients import COLOURS
from tests.faults.sweeping import BODY, Fails, Swept

from jackfield import ProtocolError, TruncatedBodyError
from jackfield.testing import FaultServer, Relay, Reply, Tamper

MIDDLE = len(BODY) // 2
FIRST, SECOND = BODY[:MIDDLE], BODY[MIDDLE:]

pytestmark = [pytest.mark.usefixtures("nothing_left"), pytest.mark.parametrize("colour", COLOURS)]


def _zlib(wbits: int) -> bytes:
    pack = zlib.compressobj(wbits=wbits)
    return pack.compress(FIRST) + pack.flush(zlib.Z_FULL_FLUSH) + pack.compress(SECOND) + pack.flush()


def _brotli() -> bytes:
    pack: Any = import_module("brotli").Compressor()
    packed: bytes = pack.process(FIRST) + pack.flush() + pack.process(SECOND) + pack.finish()
    return packed


def _zstd_module() -> str:
    places = [("compression", "compression.zstd"), ("backports", "backports.zstd")]
    return next((name for package, name in places if find_spec(package) and find_spec(name)), "")


def _zstd() -> bytes:
    pack: Any = import_module(_zstd_module()).ZstdCompressor()
    packed: bytes = pack.compress(FIRST, pack.FLUSH_BLOCK) + pack.compress(SECOND, pack.FLUSH_FRAME)
    return packed


PACKS: dict[str, Callable[[], bytes]] = {
    "gzip": lambda: _zlib(31),
    "deflate": lambda: _zlib(15),
    "deflate-raw": lambda: _zlib(-15),
    "br": _brotli,
    "zstd": _zstd,
}
NEEDS = {
    "br": pytest.mark.skipif(find_spec("brotli") is None, reason="brotli is not installed"),
    "zstd": pytest.mark.skipif(not _zstd_module(), reason="backports.zstd is not installed"),
}
EACH = pytest.mark.parametrize("name", [pytest.param(name, marks=NEEDS.get(name, ())) for name in PACKS])


def coded(name: str) -> dict[str, str]:
    return {"content-encoding": name.partition("-")[0]}


@EACH
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_stream_that_is_cut_is_an_error_though_its_framing_is_right(
    framing: Literal["length", "chunked", "close"], name: str, colour: str
) -> None:
    packed = PACKS[name]()
    # With no byte of it there is no stream to cut: what is announced as empty is an empty body.
    cuts = [Reply(body=packed[:at], headers=coded(name), framing=framing) for at in range(1, len(packed))]
    whole = Reply(body=packed, headers=coded(name), framing=framing)
    with (
        FaultServer(*(step for cut in cuts for step in (cut, whole))) as server,
        Swept(colour, server.url) as swept,
    ):
        for cut in cuts:
            swept.judge(len(cut.body), swept.outcome(), Fails(TruncatedBodyError))

    assert swept.wrong == []
    assert len(server.requests) == 2 * len(cuts)


@pytest.mark.parametrize("name", ["gzip", "deflate"])
def test_a_stream_with_a_check_sum_and_a_flipped_bit_is_never_taken_for_the_body(name: str, colour: str) -> None:
    packed = PACKS[name]()
    reply = Reply(body=packed, headers=coded(name))
    end = len(reply.wire())
    places = range(end - len(packed) + (10 if name == "gzip" else 0), end)  # gzip's head has fields that mean nothing
    with FaultServer(otherwise=reply) as server, Relay(server.url) as relay, Swept(colour, relay.url) as swept:
        relay.plan(*(step for at in places for step in (Tamper("flip", at), None)))
        for at in places:
            swept.judge(at, swept.outcome(), Fails(ProtocolError, permanent=None))

    assert swept.wrong == []
    assert relay.tampered == len(places)
