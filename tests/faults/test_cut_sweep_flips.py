"""Answers in which one bit is wrong: what nothing protects is read as it came, and no more of it is wrong than that.

HTTP in clear has no check sum. So a flipped bit of the body is a body with a flipped bit; one of the head may say
another status, length or coding. All the rest is an error of ours, within the read timeout; and the next call is right.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass

import pytest
from tests.clients import COLOURS
from tests.faults.sweeping import AT_ONCE, BODY, STALL, Outcome, Swept, many_at_once

from jackfield import DeadlineExceededError, JackfieldError, UsageError
from jackfield.testing import FaultServer, Peer, Reply

PACKED = gzip.compress(BODY, mtime=0)
SHAPES = {
    "plain": Reply(body=BODY),
    "chunked": Reply(body=BODY, framing="chunked"),
    "gzip": Reply(body=PACKED, headers={"content-encoding": "gzip"}),
    "gzip-chunked": Reply(body=PACKED, headers={"content-encoding": "gzip"}, framing="chunked"),
    "to-the-end": Reply(body=BODY, framing="close"),
}
LIMITS = {"read_timeout": 2 * STALL, "timeout": 5.0}

pytestmark = [pytest.mark.usefixtures("nothing_left"), pytest.mark.parametrize("colour", COLOURS)]


@dataclass(frozen=True)
class Flip:
    """One bit of an answer."""

    shape: str
    at: int
    bit: int

    def __call__(self, peer: Peer) -> None:
        """Answers so."""
        peer.request()
        wire = bytearray(SHAPES[self.shape].wire())
        wire[self.at] ^= 1 << self.bit
        peer.send(bytes(wire))
        if SHAPES[self.shape].framing == "close":
            peer.end("close")

    def fault(self, outcome: Outcome) -> str:
        """What is wrong with what became of it; empty if nothing is."""
        if isinstance(outcome, bytes):
            return "" if self._may_be(outcome) else f"{outcome!r}"
        if not isinstance(outcome, JackfieldError) or isinstance(outcome, DeadlineExceededError | UsageError):
            return f"{outcome!r}"
        return "" if outcome.call is not None and outcome.call.attempts == 1 else f"{outcome!r} of what call?"

    def _may_be(self, body: bytes) -> bool:
        wire = SHAPES[self.shape].wire()
        before, data = wire[: self.at], wire.partition(b"\r\n\r\n")[2]
        if before.endswith(b"\r\n\r\n") and self.shape == "chunked" and body == data[4:-7]:
            return True  # 1b has become 3b, which is what both chunks have, and all between them
        if b"\r\n\r\n" in before:
            return wrong_bits(body) <= (0 if self.shape.startswith("gzip") else 1)
        if b"\r\n" not in before:
            return body in (BODY, b"")  # RFC 9110 §15.3.5: 204 has no body, whatever is sent
        if b"content-length: " in before.rpartition(b"\r\n")[2]:
            return BODY.startswith(body)  # it has less, and nobody can know
        return body in (BODY, PACKED)  # its coding has another name


def wrong_bits(body: bytes) -> int:
    if len(body) != len(BODY):
        return 8 * len(BODY)
    return sum((one ^ other).bit_count() for one, other in zip(body, BODY, strict=True))


def flips(shape: str, colour: str) -> list[Flip]:
    """Of every byte the lowest bit, and another in turn, which is not the same in both colours."""
    turn = 1 if colour == "sync" else 4
    return [Flip(shape, at, bit) for at in range(len(SHAPES[shape].wire())) for bit in (0, 1 + (at + turn) % 7)]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_bit_that_flips_does_no_more_harm_than_it_must(shape: str, colour: str) -> None:
    def some(mine: list[Flip]) -> list[str]:
        with FaultServer(otherwise=Reply(body=BODY)) as server, Swept(colour, server.url, **LIMITS) as swept:
            for flip in mine:
                server.plan(flip)
                outcome = swept.outcome()
                server.wait_for_requests(len(server.requests) | 1)  # the plan is not for the next
                swept.judge(flip, outcome, flip)
        return swept.wrong

    every = flips(shape, colour)
    assert many_at_once(some, [every[start::AT_ONCE] for start in range(AT_ONCE)]) == []
