"""The Hub's pages: a limit, which the Hub lowers to 50 without a word, and an offset."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from msgspec import Meta

from jackfield import Page

_MOST = 50  # records of a page, whatever the Hub says that it looked for


class PageAt(NamedTuple):
    """Where a page begins; None: where the caller's `page` says."""

    offset: Annotated[int, Meta(ge=0)] | None = None


class Looked(NamedTuple):
    """Which records a page was looked for among: how many were passed over, and how many it might have had."""

    offset: int
    limit: int


class HubPages:
    """Goes by what the Hub says of its pages, not by what was asked for.

    A page may have fewer records than it was looked for among, where one may not see them all: the next one begins
    after all of them. Whether there is one is told by those that came, as the Hub may count no others.
    """

    counted = True  # the same records twice running: a Hub that passes over the offset

    def first(self, service: Any) -> PageAt:
        return PageAt()

    def after(self, at: PageAt, page: Page[Any]) -> PageAt | None:
        looked: Looked = page.hint
        following = PageAt(looked.offset + max(min(looked.limit, _MOST), len(page)))
        if page.total is None:
            return following if page else None
        return following if looked.offset + len(page) < page.total else None
