"""The content of a version: held against the hash that the server took of it, whatever its length is said to be."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from hmac import compare_digest
from typing import TypeAlias

from jackfield import BodyTooLargeError, ByteStream, Headers, NetworkError, Runtime, Sink, TruncatedBodyError, pour
from jackfield import Response as HttpResponse

from ._errors import BuffyIntegrityError

Hash: TypeAlias = str | None
Ask: TypeAlias = Callable[[], Awaitable[Hash]]

_TEXT = ("text/", "application/json")  # what a server of 0.7.3 reads as text
_CHANGED = (
    "what came of version {} is not what was cached: a server of 0.7.3 changes line ends in text, loses text that is "
    "not UTF-8, and puts broken downloads together wrongly; fetch_directly() has it from its origin"
)
_REPLACED = (
    "version {} was cached again while it was read, as a server of 0.7.3 does within one second: what came is of "
    "neither; download it again"
)


class Expected:
    """What is to come of a version.

    Args:
        version: which one it is.
        hash_type: as hashlib calls it.
        hexadecimal: the hash.
        ask: for the hash that the version has now.
    """

    def __init__(self, version: str, hash_type: str, hexadecimal: str, ask: Ask) -> None:
        self._version = version
        self._hexadecimal = hexadecimal.lower()
        self._hash = hashlib.new(hash_type, usedforsecurity=False)  # against accidents: nobody vouches for it
        self._ask = ask
        self.add = self._hash.update

    @property
    def is_whole(self) -> bool:
        """Whether all of it has come, and nothing else."""
        return compare_digest(self._hash.hexdigest(), self._hexadecimal)

    async def check(self) -> None:
        """Raises BuffyIntegrityError unless what came is it, or what it has become meanwhile."""
        if self.is_whole:
            return
        now = await self._ask()
        if now is not None and compare_digest(self._hash.hexdigest(), now.lower()):
            return
        replaced = now is None or now.lower() != self._hexadecimal
        raise BuffyIntegrityError((_REPLACED if replaced else _CHANGED).format(self._version))


def verified(answer: HttpResponse, expected: Expected, runtime: Runtime) -> HttpResponse:
    """The answer, whose body ends with a BuffyIntegrityError where it is not what was cached.

    The length that the server tells is left out: after a broken download it is too long, though all is there.

    Args:
        answer: with its body unread.
        expected: what it should be.
        runtime: of who reads.
    """
    assert not isinstance(answer.body, bytes)
    headers = Headers.received([pair for pair in answer.headers.pairs() if pair[0].lower() != "content-length"])
    is_text = answer.headers.get("content-type", "").startswith(_TEXT)
    return answer.replace(headers=headers, body=_Verified(answer.body, expected, runtime, is_text=is_text))


class _Verified:
    def __init__(self, body: ByteStream, expected: Expected, runtime: Runtime, *, is_text: bool) -> None:
        self._body = body
        self._expected = expected
        self._runtime = runtime
        self._is_text = is_text

    async def read(self) -> bytes:
        try:
            piece = await self._body.read()
        except NetworkError as error:
            await self._broke(error)
            return b""
        self._expected.add(piece)
        if not piece:
            await self._expected.check()
        return piece

    async def pour(self, sink: Sink, at_most: int) -> int:
        """For a file: many pieces in one change of threads."""

        def take(piece: bytes | memoryview) -> None:
            self._expected.add(piece)
            sink(piece)

        try:
            count = await pour(self._body, take, self._runtime, at_most)
        except NetworkError as error:
            await self._broke(error)
            return 0
        if not count:
            await self._expected.check()
        return count

    async def close(self) -> None:
        await self._body.close()

    async def _broke(self, error: NetworkError) -> None:
        """Nothing, where all had come; else raises what it means."""
        if isinstance(error, BodyTooLargeError):  # too long for who takes it
            raise error
        if self._expected.is_whole:
            return
        if isinstance(error, TruncatedBodyError) and self._is_text:
            try:
                await self._expected.check()
            except BuffyIntegrityError as wrong:
                raise wrong from error
            return
        raise error
