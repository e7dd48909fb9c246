"""When a list that is asked for by numbers has come to its end."""

from __future__ import annotations

from typing import Any

from jackfield import ConfigurationError, Page

from ._style import hint_of


def check_size(size: int) -> int:
    if size < 1:
        raise ConfigurationError(f"a page holds 1 item or more, not {size}")
    return size


def is_last(page: Page[Any], seen: int, size: int, exact: bool) -> bool:
    """Whether there is nothing after this page, of `size` items as they were asked for; `seen` counts it, too."""
    if (more := hint_of(page).more) is not None:
        return not more
    if not page:
        return True
    if page.total is None:  # a short page may be all that the service gives at once
        return exact and len(page) < size
    if page.total > len(page):
        return seen >= page.total
    return len(page) != size  # a full page's total may be its own count: then there is one more to ask for
