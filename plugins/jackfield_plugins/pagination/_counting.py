"""When a list that is asked for by numbers has come to its end."""

from __future__ import annotations

from typing import Any, TypeVar, Unpack

from jackfield import ConfigurationError, ContractError, Page

from ._style import Layout, Style, hint_of

At = TypeVar("At")


class Counting(Layout, total=False):
    """What every style that counts takes, besides where things are.

    Attributes:
        exact: whether every page but the last is full, or the total certainly that of all pages: then a short page
            without a larger total is the last, and no empty one is asked for.
    """

    exact: bool


class Counted(Style[At]):
    """The base of styles whose positions are counted on this side.

    Args:
        size: items per page, as they are asked for; None: as many as the service likes.
        counting: as `Counting` says.
    """

    counted = True

    def __init__(self, size: int | None, *, exact: bool = False, **layout: Unpack[Layout]) -> None:
        super().__init__(**layout)
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            raise ConfigurationError(f"a page holds 1 item or more, not {size!r}")
        if exact and size is None:
            raise ConfigurationError("pages that are exact have a size")
        self._size = size or 0
        self._exact = exact

    def is_last(self, page: Page[Any], seen: int) -> bool:
        """Whether there is nothing after this page; `seen` counts its items, too.

        Raises:
            ContractError: it is empty, and its own answer says that there are more items than came.
        """
        if (more := hint_of(page).more) is not None:
            return not more
        total, size = page.total, len(page)
        if not page:
            if total is not None and total > seen:
                raise ContractError(f"the service says that there are {total} items, and gave an empty page at {seen}")
            return True
        if total is not None and total > size:
            return seen >= total
        if total == size == seen > self._size > 0:  # whatever was asked for, here is everything
            return True
        return self._exact and size < self._size  # a total of so many may be this page's own count
