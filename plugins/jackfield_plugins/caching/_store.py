"""Where answers are kept: the protocol that every store of a cache fulfils."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from jackfield import ConfigurationError

from ._stored import Stored

VARIANTS = 16  # of one place and owner, at most
SALT_SIZE = 16  # bytes

Suits: TypeAlias = Callable[[tuple[tuple[str, str | None], ...]], bool]


class StoreError(OSError):
    """A store cannot do its work. What the error says is logged, so it tells nothing that is secret."""


class StoreStats(NamedTuple):
    """What is in a store.

    Attributes:
        entries: how many answers.
        size: bytes that they take.
    """

    entries: int
    size: int


class Found(NamedTuple):
    """What a store has under a key.

    Attributes:
        entries: every variant there is, newest first, 16 at most.
        moment: tells what is forgotten later from what was before: `put` is given it again. It is the store's own
            count, not a time, as clocks are set back.
    """

    entries: Sequence[Stored]
    moment: int


class CacheStore(Protocol):
    """Keeps answers by place, a keyed digest of a URL, and owner, a keyed digest of who asked: both say nothing to it.

    Safe between threads, and the same for every process that has it. One store may serve many caches; who made it
    closes it. Closed, it keeps and gives nothing. It may forget anything at any time. Whatever it raises, the call goes
    on without it: nothing is given of a place whose `put` or `remove` has failed, until `remove` has not.
    """

    @property
    def blocks(self) -> bool:
        """Whether its calls wait for a disk or a network, and must not run on an event loop."""
        ...

    @property
    def salt(self) -> bytes:
        """16 bytes or more that nobody can foretell, made with the store and kept in it: keys are made with it."""
        ...

    def get(self, place: bytes, owner: bytes, suits: Suits) -> Found:
        """What there is.

        Args:
            place: where.
            owner: whose.
            suits: whether an entry with such a `selecting` can answer the request. Of one that cannot, the body may be
                left out.

        Raises:
            StoreError: it cannot tell.
        """
        ...

    def put(self, place: bytes, owner: bytes, entry: Stored, moment: int) -> bool:
        """Keeps it in place of the variant with the same `selecting`; whether it did.

        Not if the place was forgotten after the moment, or if that variant has a later `asked_at`: what is newer stays.
        If it cannot tell, it does not keep it. All of this is one step to other threads and processes. A store in
        memory gives the very object again.

        Raises:
            StoreError: it cannot.
        """
        ...

    def remove(self, place: bytes) -> None:
        """Forgets what is kept of a place, whoever its owner is.

        Raises:
            StoreError: it cannot.
        """
        ...

    def clear(self) -> None:
        """Forgets everything: every place.

        Raises:
            StoreError: it cannot.
        """
        ...

    def stats(self) -> StoreStats:
        """What is in it now.

        Raises:
            StoreError: it cannot tell.
        """
        ...

    def close(self) -> None:
        """Gives back what it holds open. May be called again."""
        ...


def check_size(name: str, given: object) -> int:
    """The number of bytes that was given for a setting.

    Raises:
        ConfigurationError: it is no whole number, 1 or more.
    """
    if isinstance(given, int) and not isinstance(given, bool) and given > 0:
        return given
    raise ConfigurationError(f"{name} must be a number of bytes, 1 or more, not {given!r}")
