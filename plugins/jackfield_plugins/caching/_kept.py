"""A stored answer, with what was read of it beside it, so that it is read once."""

from __future__ import annotations

from functools import cached_property

from jackfield import Headers

from ._stored import Stored
from ._terms import Rules, Terms, terms_of


class Kept(Stored):
    """A `Stored` that remembers what was read of it.

    A store may keep it as it is, and then a hit reads nothing; or as the `Stored` that it is.
    """

    _terms: tuple[Rules, Terms] | None = None

    @cached_property
    def fields(self) -> Headers:
        """Its header fields."""
        return Headers.received(self.headers)

    def terms(self, rules: Rules) -> Terms:
        """On which terms it is given again: read once, as long as the rules are the same object."""
        known = self._terms
        if known is None or known[0] is not rules:
            known = self._terms = rules, terms_of(self, rules)
        return known[1]


def kept(entry: Stored) -> Kept:
    """The entry, ready to be decided about: the same, if it is that already."""
    return entry if isinstance(entry, Kept) else Kept(*entry)
