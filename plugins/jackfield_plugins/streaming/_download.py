"""The style of streamed operations that goes on after breaks, verifies, and saves to files."""

from __future__ import annotations

from pathlib import Path

from jackfield import ByteStream, ContractError, PartSource, Saving, Tap

from ._entity import Entity
from ._pace import Resumption, checked
from ._part import Held, Part
from ._save import Save
from ._transfer import Transfer


class Download:
    """For `@streamed`: the operation's body sends `part.of(request)`.

    A broken answer is taken up where it broke, by `Range` and `If-Range` (RFC 9110 §13.1.5, §14.2), if the service gave
    it a strong validator; a file without one begins again. What comes must fit: lengths, ranges, validators, and
    digests (RFC 9530), where the service gives any.

    Args:
        fruitless: how many breaks in a row may bring no byte further.
        base: seconds, the longest wait after a break; it doubles with each break that brought nothing.
        cap: seconds, the longest wait.

    Raises:
        ConfigurationError: one of these makes no sense.
    """

    def __init__(self, *, fruitless: int = 5, base: float = 0.1, cap: float = 20.0) -> None:
        self._settings = checked(Resumption(fruitless, base, cap))

    def read(self, source: PartSource[Part]) -> ByteStream:
        """The entity's pieces."""
        return _Pieces(source, self._settings)

    async def save(self, source: PartSource[Part], saving: Saving) -> Path:
        """The entity's file."""
        return await Save(source, saving, self._settings).run()


class _Pieces:
    """What an operation's caller iterates over."""

    def __init__(self, source: PartSource[Part], settings: Resumption) -> None:
        self._transfer = Transfer(source, _Gone(), settings)
        self._piece = b""

    async def read(self) -> bytes:
        return self._piece if await self._transfer.advance(self._take) else b""

    async def close(self) -> None:
        await self._transfer.close()

    async def _take(self, body: ByteStream) -> int:
        self._piece = await body.read()
        self._transfer.took(self._piece)
        return len(self._piece)


class _Gone:
    """What was iterated over is out of our hands: it goes on, or ends with an error."""

    may_begin_again = False

    async def begin(self, entity: Entity, size: int) -> Held:
        if size:
            raise ContractError("the answer broke, and cannot be taken up: the service has something else there now")
        return entity.held

    async def recall(self, tap: Tap) -> None:
        """Never asked for: nothing was there before."""
