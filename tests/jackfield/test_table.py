"""A page in a notebook: a table that is bounded, and in which nothing that a service says is markup."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import Model, Page, Secret


class Node(Model):
    name: str
    online: bool = False


class Pair(NamedTuple):
    left: int
    right: int


@dataclass
class Point:
    x: int
    y: int


class Table(HTMLParser):
    """What a browser makes of it."""

    def __init__(self, page: Page[Any]) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.head: list[str] = []
        self.rows: list[list[str]] = []
        self.caption = ""
        self.feed(page._repr_html_())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert attrs == []
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.tags[-1] == "caption":
            self.caption += data
        else:
            self.rows[-1][-1] += data


TAGS = {"table", "caption", "thead", "tbody", "tr", "th", "td"}


TABLES: list[tuple[list[Any], list[list[str]]]] = [
    ([Node(name="a"), Node(name="b", online=True)], [["name", "online"], ["a", "False"], ["b", "True"]]),
    ([{"a": 1}, {"b": None, "a": "x"}], [["a", "b"], ["1", ""], ["x", "None"]]),
    ([Pair(1, 2)], [["left", "right"], ["1", "2"]]),
    ([Point(1, 2)], [["x", "y"], ["1", "2"]]),
    ([1, "b", None, 2.5], [["item"], ["1"], ["b"], ["None"], ["2.5"]]),
    ([{"a": 1}, 5], [["a", "item"], ["1", ""], ["", "5"]]),
    ([[1, [2, [3, [4]]]]], [["item"], ["[1, [2, [3, [...]]]]"]]),
    ([{1: 2}], [["1"], ["2"]]),
    ([], [[]]),
]


@pytest.mark.parametrize(("items", "rows"), TABLES)
def test_records_have_a_column_for_each_name_and_all_else_one(items: list[Any], rows: list[list[str]]) -> None:
    assert Table(Page(items)).rows == rows


@pytest.mark.parametrize(
    ("page", "caption"),
    [
        (Page([1, 2]), "2 items"),
        (Page([1, 2], total=12_345), "2 items of 12,345 in all"),
        (Page(range(1_000)), "1,000 items, the first 20 shown"),
        (Page(range(20)), "20 items"),
    ],
)
def test_the_caption_says_how_much_there_is(page: Page[Any], caption: str) -> None:
    assert Table(page).caption == caption


def test_the_caption_says_that_there_are_more_pages_but_not_where() -> None:
    page = Page([1], total=2)
    page.next = '["nodes","hunter2"]'

    assert Table(page).caption == "1 item of 2 in all, and more pages"
    assert "hunter2" not in page._repr_html_()


def test_what_a_service_says_is_never_markup() -> None:
    evil = "<script>alert('\"&')</script>"
    page = Page([{evil: evil}, {"a": [evil]}, {"b": Secret("hunter2")}])

    table = Table(page)

    assert set(table.tags) == TAGS
    assert table.rows[0] == [evil, "a", "b"]
    assert table.rows[1] == [evil, "", ""]
    assert "<script" not in page._repr_html_()
    assert "hunter2" not in page._repr_html_()


def test_rows_columns_and_cells_are_bounded() -> None:
    wide = {f"n{number}": "x" * 10_000 for number in range(1_000)}
    deep: Any = []
    for _ in range(500):
        deep = [deep]

    html = Page([wide, {"deep": deep, "long": list(range(10**5)), "number": 10**4000}] * 5_000)._repr_html_()

    assert html.count("<tr>") == 21
    assert html.count("<th>") == 20
    assert len(html) < 60_000
    assert all(len(text) <= 100 for text in re.findall(r"<td>(.*?)</td>", html))


def test_a_long_cell_shows_that_it_goes_on() -> None:
    assert Table(Page(["x" * 100, "x" * 101])).rows[1:] == [["x" * 100], ["x" * 99 + "…"]]


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers() | st.none(), max_size=3)))
@settings(deadline=None, max_examples=100)
def test_whatever_the_items_it_is_a_table(items: list[Any]) -> None:
    table = Table(Page(items))

    assert set(table.tags) <= TAGS
    assert len(table.rows) == 1 + min(20, len(items))
