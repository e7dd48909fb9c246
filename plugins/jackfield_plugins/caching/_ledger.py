"""What the caches on one store know in common, and the store may not know yet: what it must forget."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from weakref import WeakKeyDictionary

from jackfield import fork_safe_lock

from ._forgotten import REMEMBERED, Forgotten
from ._store import CacheStore

_guard = fork_safe_lock()


class Ledger:
    """Written in memory and at once, whatever becomes of the call, the task or the store's disk.

    Attributes:
        forgotten: what is true no more; its count changes whenever something is kept, too.
        quiet_until: when the store's next failure is worth a word, by the monotonic clock.
    """

    def __init__(self) -> None:
        self.forgotten = Forgotten()
        self.quiet_until = -inf
        self._owed: dict[bytes, int] = {}  # places that the store has not removed yet, and the count
        self._all_owed = 0  # the count at which it was to remove everything; 0: nothing but `_owed`

    def forget(self, places: Iterable[bytes]) -> None:
        """What is kept of them is given no more, and owed to the store to be removed."""
        with _guard:
            for place in places:
                self.forgotten.add(place)
                self._owed[place] = self.forgotten.count
            if len(self._owed) > REMEMBERED:
                self._owe_all()

    def forget_all(self) -> None:
        """The same of every place."""
        with _guard:
            self.forgotten.add_all()
            self._owe_all()

    def kept(self) -> None:
        """Something was put."""
        with _guard:
            self.forgotten.count += 1

    @property
    def is_even(self) -> bool:
        """Whether nothing is owed."""
        return not self._owed and not self._all_owed

    def owes(self, place: bytes) -> bool:
        """Whether nothing may be given of it."""
        return place in self._owed or self._all_owed > 0

    def pay(self, store: CacheStore) -> None:
        """Has the store remove what is owed. What is owed anew meanwhile, stays so.

        Raises:
            Exception: what the store raises. What it has not removed is owed still.
        """
        if count := self._all_owed:
            store.clear()
            with _guard:
                if self._all_owed == count:
                    self._all_owed = 0
        for place, count in tuple(self._owed.items()):
            if self._owed.get(place) == count:  # no other thread has done it
                store.remove(place)
                with _guard:
                    if self._owed.get(place) == count:
                        del self._owed[place]

    def _owe_all(self) -> None:
        self._all_owed = self.forgotten.count
        self._owed.clear()


_ledgers: WeakKeyDictionary[object, Ledger] = WeakKeyDictionary()


def ledger_of(store: object) -> Ledger:
    """The one of every cache on this store in this process, as long as there is the store."""
    with _guard:
        try:
            return _ledgers.setdefault(store, Ledger())
        except TypeError:  # it cannot be hashed, or not weakly held
            return Ledger()
