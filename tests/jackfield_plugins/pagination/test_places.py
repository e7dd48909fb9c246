"""Where things are in an answer: in its body, at any depth, or in its header."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from jackfield import ConfigurationError, DecodeError, Headers, Model, Origin, Page, Request, Response, Url
from jackfield.testing import json_response
from jackfield_plugins.pagination import Cursor, CursorAt, Hint, InHeader, LinkHeader, OffsetLimit, PageNumber

HERE = Request("GET", Url(Origin("https", "h", 443), "/nodes"))


class Node(Model):
    id: int
    made: datetime.date | None = None


def read(style: Any, value: Any, headers: dict[str, str] | None = None, item: Any = Node, **more: Any) -> Page[Any]:
    page: Page[Any] = style.page(HERE, json_response(value, headers=headers), item, **more)
    return page


ITEMS = [{"id": 1, "made": "2024-05-06", "else": [1, {"a": "b"}]}, {"id": 2}]
NODES = [Node(id=1, made=datetime.date(2024, 5, 6)), Node(id=2)]


@pytest.mark.parametrize(
    ("layout", "answer"),
    [
        ({}, ITEMS),
        ({"items": ""}, ITEMS),
        ({"items": "nodes"}, {"other": 1, "nodes": ITEMS}),
        ({"items": "data.items"}, {"data": {"items": ITEMS, "x": {}}, "y": None}),
        ({"items": ("data", "items")}, {"data": {"items": ITEMS}}),
        ({"items": ("a.b", "c d")}, {"a.b": {"c d": ITEMS}}),
        ({"items": "a.b.c.d.e"}, {"a": {"b": {"c": {"d": {"e": ITEMS}}}}}),
        ({"items": "f0.f1", "total": "f1", "more": "f0.f0"}, {"f0": {"f1": ITEMS, "f0": True}, "f1": 5}),
    ],
)
def test_items_are_found_where_the_layout_says(layout: dict[str, Any], answer: Any) -> None:
    assert read(PageNumber(5, **layout), answer) == NODES


def test_a_list_may_have_a_name_of_its_own() -> None:
    style = PageNumber(5, items="nodes", total="count")

    assert read(style, {"zones": ITEMS, "count": 7}, items="zones") == NODES
    assert read(style, {"zones": ITEMS, "count": 7}, items="zones").total == 7
    assert read(PageNumber(5, items="nodes"), ITEMS, items="") == NODES


def test_items_are_of_the_type_asked_for() -> None:
    assert read(PageNumber(5), ITEMS, item=dict[str, Any]) == ITEMS
    assert read(PageNumber(5), [1, 2], item=int) == [1, 2]
    assert read(PageNumber(5), [1, "a"], item=int | str) == [1, "a"]


def test_the_whole_answer_is_kept() -> None:
    page = read(PageNumber(5, items="nodes"), {"nodes": [], "facets": {"a": 1}}, {"x-cost": "3"})

    assert page.raw.headers["x-cost"] == "3"
    assert page.raw.decode(dict[str, Any])["facets"] == {"a": 1}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({}, "missing required field `data`"),
        ({"data": {}}, r"missing required field `items` - at `\$.data`"),
        ({"data": None}, r"at `\$.data`"),
        ({"data": []}, r"at `\$.data`"),
        ({"data": {"items": {}}}, r"at `\$.data.items`"),
        ({"data": {"items": [{"id": "x"}]}}, r"got `str` - at `\$.data.items\[0\].id`"),
        ([], "got `array`"),
        (None, "got `null`"),
    ],
)
def test_where_the_items_are_not_there_the_error_says_what_is_missing(answer: Any, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        read(PageNumber(5, items="data.items"), answer)


@pytest.mark.parametrize("then", [{"a": "secret"}, ["secret"]])
def test_what_does_not_lead_on_is_not_shown_but_where_it_stands_is(then: Any) -> None:
    with pytest.raises(DecodeError, match=r"at meta\.next, is neither a text nor a number") as caught:
        read(Cursor("meta.next", items="items"), {"items": [], "meta": {"next": then}})

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "answer", [{}, {"data": {}}, {"data": None}, {"data": {"items": None}}, {"data": {"items": []}}]
)
def test_a_service_may_leave_out_an_empty_list(answer: Any) -> None:
    assert read(PageNumber(5, items="data.items", omits_empty=True), answer) == []


@pytest.mark.parametrize(
    ("layout", "answer"), [({}, None), ({"items": "nodes"}, {"nodes": None}), ({"items": "a.b"}, {"a": {"b": None}})]
)
def test_null_is_an_empty_list_only_of_a_service_that_leaves_those_out(layout: Any, answer: Any) -> None:
    with pytest.raises(DecodeError, match="got `null`"):
        read(PageNumber(5, **layout), answer)
    assert read(PageNumber(5, omits_empty=True, **layout), answer) == []


@pytest.mark.parametrize(
    ("told", "total"),
    [
        (7, 7),
        ("7", 7),
        (7.0, 7),
        (0, 0),
        (10**15, 10**15),
        (None, None),
        (-1, None),
        (7.5, None),
        ("many", None),
        ("-1", None),
        ("²", None),
        ("9" * 5000, None),
        ("", None),
        (True, None),
    ],
)
def test_a_total_is_a_number_or_unknown(told: Any, total: int | None) -> None:
    found = read(PageNumber(5, items="nodes", total="meta.total"), {"nodes": [], "meta": {"total": told}}).total

    assert found == total
    assert type(found) is type(total)


@pytest.mark.parametrize("answer", [{"nodes": []}, {"nodes": [], "meta": None}, {"nodes": [], "meta": {}}])
def test_a_total_that_is_not_there_is_unknown(answer: Any) -> None:
    assert read(PageNumber(5, items="nodes", total="meta.total"), answer).total is None


@pytest.mark.parametrize(
    ("headers", "total"), [({"X-Total-Count": "12"}, 12), ({}, None), ({"x-total-count": "?"}, None)]
)
def test_a_total_may_be_in_a_header(headers: dict[str, str], total: int | None) -> None:
    assert read(PageNumber(5, total=InHeader("x-total-count")), ITEMS, headers).total == total


@pytest.mark.parametrize(
    ("told", "more"),
    [
        (True, True),
        (False, False),
        (1, True),
        (0, False),
        ("true", True),
        ("True", True),
        ("false", False),
        ("False", False),
        ("no", False),
        ("0", False),
        ("", False),
        (None, None),
    ],
)
def test_whether_there_is_more_is_yes_no_or_unknown(told: Any, more: bool | None) -> None:
    page = read(OffsetLimit(5, items="nodes", more="more"), {"nodes": [], "more": told})

    assert page.hint == Hint(more, None)


def test_a_cursor_may_be_in_a_header_and_the_rest_in_the_body() -> None:
    style = Cursor(InHeader("x-next"), items="nodes", total="total", more=InHeader("x-more"))
    page = read(style, {"nodes": ITEMS, "total": 9}, {"X-Next": "abc", "X-More": "true"})

    assert (page.total, page.hint) == (9, Hint(True, "abc"))
    assert style.after(CursorAt(), page) == CursorAt("abc")


def test_what_is_told_beside_the_items_or_around_them_is_found() -> None:
    style = Cursor("data.next", items="data.items", total="data.info.total", more="more")
    page = read(style, {"data": {"items": ITEMS, "next": "n", "info": {"total": 3}}, "more": False})

    assert (page, page.total, page.hint) == (NODES, 3, Hint(False, "n"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: PageNumber(5, items="a", total="a"),
        lambda: PageNumber(5, items="a", total="a.b"),
        lambda: PageNumber(5, items="a.b", total="a"),
        lambda: PageNumber(5, total="count"),
        lambda: Cursor("next"),
        lambda: PageNumber(5, items=InHeader("x")),
        lambda: PageNumber(5, items="a..b"),
        lambda: PageNumber(5, items=".a"),
        lambda: PageNumber(5, items=("a", "")),
        lambda: Cursor("a.b.c", items="x", more="a.b"),
    ],
)
def test_a_layout_that_no_answer_can_have_is_refused(make: Any) -> None:
    with pytest.raises(ConfigurationError):
        make()


def test_links_in_the_header_need_no_room_in_the_body() -> None:
    assert read(LinkHeader(total=InHeader("x-total")), ITEMS, {"x-total": "2"}).total == 2


def test_an_answer_that_is_still_a_list_of_its_own_is_decoded_once() -> None:
    body = b'[{"id": 1}, {"id": 2}]'

    page = PageNumber(5).page(HERE, Response(200, Headers(), body), Node)

    assert page == [Node(id=1), Node(id=2)]
