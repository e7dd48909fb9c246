"""When a list that is asked for by numbers has come to its end."""

from __future__ import annotations

from typing import Any

from jackfield import ConfigurationError, ContractError, Page

from ._style import hint_of


def check_size(size: int) -> int:
    if size < 1:
        raise ConfigurationError(f"a page holds 1 item or more, not {size}")
    return size


def is_last(page: Page[Any], seen: int, size: int, exact: bool) -> bool:
    """Whether there is nothing after this page, of `size` items as they were asked for; `seen` counts it, too.

    Raises:
        ContractError: it is empty, and its own answer says that there are more items than came.
    """
    if (more := hint_of(page).more) is not None:
        return not more
    total = page.total
    if not page:
        if total is not None and total > seen:
            raise ContractError(f"the service says that there are {total} items, and gave an empty page after {seen}")
        return True
    if (
        total is None or len(page) == total < seen
    ):  # the page's own count: a short page may be all that is given at once
        return exact and len(page) < size
    if total > len(page):
        return seen >= total
    return len(page) != size  # a full page's total may be its own count: then there is one more to ask for
