"""Pagination: how services page, as styles for `@paged`."""

from ._counting import Counting
from ._cursor import Cursor, CursorAt
from ._keyset import KeyAt, Keyset
from ._link import Link, parse_links
from ._links import LinkAt, LinkHeader, NextUrl
from ._offset import OffsetAt, OffsetLimit
from ._page_number import PageAt, PageNumber
from ._places import InHeader, Place
from ._style import Hint, Layout, Style

__all__ = [
    "Counting",
    "Cursor",
    "CursorAt",
    "Hint",
    "InHeader",
    "KeyAt",
    "Keyset",
    "Layout",
    "Link",
    "LinkAt",
    "LinkHeader",
    "NextUrl",
    "OffsetAt",
    "OffsetLimit",
    "PageAt",
    "PageNumber",
    "Place",
    "Style",
    "parse_links",
]
