"""Where answers are kept: the protocol that every store of a cache fulfils."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ._stored import Stored

VARIANTS = 16  # of one place and owner, at most
SALT_SIZE = 16  # bytes


class StoreStats(NamedTuple):
    """What is in a store.

    Attributes:
        entries: how many answers.
        size: bytes that they take.
    """

    entries: int
    size: int


class CacheStore(Protocol):
    """Keeps answers by place, a keyed digest of a URL, and owner, a keyed digest of who asked: both say nothing to it.

    Safe between threads. One store may serve many clients; who made it closes it. Closed, it keeps and gives nothing.
    A store forgets what it likes whenever it likes, but what it gives is what was put last: after a `put` or `remove`
    that failed it gives nothing of that place any more.
    """

    @property
    def blocks(self) -> bool:
        """Whether its calls wait for a disk or a network, and must not run on an event loop."""
        ...

    @property
    def salt(self) -> bytes:
        """Bytes that nobody can foretell, made with the store and kept in it; what makes places and owners of it."""
        ...

    def get(self, place: bytes, owner: bytes) -> Sequence[Stored]:
        """Every variant there is, newest first, 16 at most.

        Raises:
            OSError: it cannot tell; the answer is asked for.
        """
        ...

    def put(self, place: bytes, owner: bytes, entry: Stored) -> None:
        """Keeps it in place of the variant with the same `selecting`. A store in memory gives the very object again.

        Raises:
            OSError: it cannot; the answer is not kept.
        """
        ...

    def remove(self, place: bytes) -> None:
        """Forgets what is kept of a place, whoever its owner is.

        Raises:
            OSError: it cannot.
        """
        ...

    def clear(self) -> None:
        """Forgets everything.

        Raises:
            OSError: it cannot.
        """
        ...

    def stats(self) -> StoreStats:
        """What is in it now.

        Raises:
            OSError: it cannot tell.
        """
        ...

    def close(self) -> None:
        """Gives back what it holds open. May be called again."""
        ...
