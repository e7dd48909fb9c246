"""Pagination: how services page, as styles for `@paged`."""

from ._page_number import PageAt, PageNumber

__all__ = ["PageAt", "PageNumber"]
