"""CloudStack's paging: `count` is the total or the page's own, by command and release; some commands ignore paging."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha1
from typing import Any, NamedTuple

from jackfield import Page

from ._json import items_of, lists, whole


class ListAt(NamedTuple):
    """Page `number` of `size` items, after `seen` items; `last` is a digest of the items before."""

    number: int
    size: int
    seen: int = 0
    last: str = ""


class ListPage(Page[dict[str, Any]]):
    """A page that can tell whether it is the one before again: by a digest of its items, whatever else varies."""

    @cached_property
    def digest(self) -> str:
        from msgspec.json import encode  # here, so that importing this stays cheap

        # Of the items as they came: the page's own may have been made into something. sha1 is the quickest there is.
        return sha1(encode(items_of(self.raw), order="deterministic"), usedforsecurity=False).hexdigest()


class ListPages:
    """Decides after a page whether there may be another: either meaning of `count` gives everything once, and ends."""

    def first(self, service: Any) -> ListAt:
        return ListAt(1, service.max_page_size)

    def page(self, at: ListAt, answer: dict[str, Any]) -> ListPage:
        """The answer as a page; an empty one where it repeats the page before: that command ignores paging."""
        count = whole(answer.get("count"))
        page = ListPage(items_of(answer), total=count if count is not None and count > at.size else None, raw=answer)
        return ListPage() if at.last and page.digest == at.last else page

    def after(self, at: ListAt, page: Page[Any]) -> ListAt | None:
        seen = at.seen + len(page)
        assert isinstance(page, ListPage)
        if not page or len(page) > at.size:
            return None
        count = whole(page.raw.get("count"))
        if count is None:
            ended = len(page) < at.size
        elif count > at.size:  # it can only be the total
            ended = seen >= count
        else:  # a full page's count may be the total or not: ask once more
            ended = count < at.size
        return None if ended else ListAt(at.number + 1, at.size, seen, page.digest)


class Merged:
    """All pages as the one answer that CloudStack would give, had it no pages."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] = {}
        self._counted = 0
        self._total: int | None = None
        self._lists: dict[str, list[Any]] = {}

    def add(self, page: Page[dict[str, Any]]) -> None:
        """Joins the page's lists to those of the same name."""
        answer: dict[str, Any] = page.raw or {}
        for key, value in lists(answer):
            self._lists.setdefault(key, []).extend(value)
        self.answer = {**answer, **self.answer, **self._lists}
        if page:
            count = whole(page.raw.get("count"))
            self._counted += len(page) if count is None else count
            self._total = page.total or self._total
        if self._lists:
            self.answer["count"] = self._counted if self._total is None else self._total
