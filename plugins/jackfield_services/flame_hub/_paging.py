"""The Hub's pages: a limit, which the Hub lowers to 50 without a word, and an offset."""

from __future__ import annotations

from typing import Any, NamedTuple

from jackfield import ContractError, Page


class PageAt(NamedTuple):
    """Where a page begins; None: where the caller's `page` says."""

    offset: int | None = None


class HubPages:
    """Goes by the records that came, not by those that were asked for."""

    counted = True  # the same records twice running: a Hub that passes over the offset

    def first(self, service: Any) -> PageAt:
        return PageAt()

    def after(self, at: PageAt, page: Page[Any]) -> PageAt | None:
        offset: int = page.hint  # where it began
        following = offset + len(page)
        if page.total is None:
            return PageAt(following) if page else None
        if not page and offset < page.total:
            raise ContractError(f"the Hub says that there are {page.total} records, and gave an empty page at {offset}")
        return PageAt(following) if following < page.total else None
