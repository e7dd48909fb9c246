"""Pages by number: every item once, whether the service tells a total or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.made import Make, both, makers

from jackfield import ConfigurationError, ContractError, Page, Request, Response, Service, paged
from jackfield.testing import FakeTransport, json_response
from jackfield_plugins.pagination import PageAt, PageNumber

BOTH = both(*makers())  # each test has a service of its own


def take(items: Iterable[Any] | AsyncIterator[Any]) -> list[Any]:
    async def collect(source: AsyncIterator[Any]) -> list[Any]:
        return [item async for item in source]

    return asyncio.run(collect(items)) if isinstance(items, AsyncIterator) else list(items)


def listing(style: PageNumber, *, tell: bool = True) -> type[Service]:
    """A service that lists numbers in this style."""

    class Listing(Service):
        @paged(style)
        async def numbers(self, at: PageAt) -> Page[int]:
            """Numbers."""
            answer = (await self.send(Request("GET", self.url(), query=style.query(at)))).decode(dict[str, Any])
            return Page(answer["items"], total=answer["total"] if tell else None)

    return Listing


def serving(
    total: int, *, first: int = 1, most: int = 10**9, names: tuple[str, str] = ("page", "pagesize")
) -> FakeTransport:
    """A service of so many numbers that gives at most so many per page."""

    def serve(request: Request) -> Response:
        query = dict(request.query)
        size = min(int(query[names[1]]), most)
        begin = (int(query[names[0]]) - first) * size
        return json_response({"items": list(range(total))[begin : begin + size], "total": total})

    return FakeTransport(otherwise=serve)


def test_the_first_position_is_the_first_page_with_nothing_seen() -> None:
    assert PageNumber(5).first(None) == PageAt(1, 0)
    assert PageNumber(5, first=0).first(None) == PageAt(0, 0)


def test_a_position_becomes_two_query_parameters() -> None:
    assert PageNumber(500).query(PageAt(3, 1000)) == [("page", "3"), ("pagesize", "500")]
    assert PageNumber(5, names=("p", "n")).query(PageAt(3, 10)) == [("p", "3"), ("n", "5")]


@pytest.mark.parametrize(
    ("items", "total", "expected"),
    [
        (5, 12, PageAt(2, 5)),
        (5, 6, PageAt(2, 5)),
        (5, 5, PageAt(2, 5)),  # it may be this page's own count
        (4, 4, PageAt(2, 4)),  # ... of a service that gives no more at once
        (6, 6, None),  # the service ignores paging, and gave everything
        (5, 4, PageAt(2, 5)),
        (3, 12, PageAt(2, 3)),  # a short page is not the last while the total is not reached
        (5, None, PageAt(2, 5)),
        (4, None, PageAt(2, 4)),  # the service may give no more at once
        (0, None, None),
        (0, 0, None),
    ],
)
def test_what_follows_from_the_first_page(items: int, total: int | None, expected: PageAt | None) -> None:
    assert PageNumber(5).after(PageAt(1, 0), Page(range(items), total=total)) == expected


@pytest.mark.parametrize(("items", "expected"), [(5, PageAt(2, 5)), (4, None), (0, None), (6, PageAt(2, 6))])
def test_where_pages_are_exact_a_short_one_is_the_last(items: int, expected: PageAt | None) -> None:
    assert PageNumber(5, exact=True).after(PageAt(1, 0), Page(range(items))) == expected


def test_where_pages_are_exact_a_count_of_a_short_one_is_that_of_all_items() -> None:
    assert PageNumber(5, exact=True).after(PageAt(1, 0), Page(range(4), total=4)) is None
    assert PageNumber(5, exact=True).after(PageAt(1, 0), Page(range(5), total=5)) == PageAt(2, 5)


def test_what_was_seen_before_counts_towards_the_total() -> None:
    style = PageNumber(5)

    assert style.after(PageAt(3, 10), Page(range(2), total=12)) is None
    assert style.after(PageAt(3, 10), Page(range(5), total=16)) == PageAt(4, 15)


def test_a_total_that_is_less_than_what_came_is_the_pages_own_count() -> None:
    style = PageNumber(5)

    assert style.after(PageAt(2, 6), Page(range(6), total=6)) == PageAt(3, 12)
    assert style.after(PageAt(2, 6), Page(range(2), total=2)) == PageAt(3, 8)


def test_an_empty_page_is_the_last_unless_its_own_total_says_that_there_are_more() -> None:
    style = PageNumber(5)

    assert style.after(PageAt(2, 4), Page([], total=4)) is None
    assert style.after(PageAt(2, 4), Page([], total=0)) is None
    with pytest.raises(ContractError, match="there are 5 items, and gave an empty page at 4"):
        style.after(PageAt(2, 4), Page([], total=5))


@BOTH
@pytest.mark.parametrize("first", [0, 1, 7])
def test_pages_are_asked_for_by_number_from_the_first(make: Make, first: int) -> None:
    transport = serving(7, first=first, names=("p", "n"))

    items = take(make(listing(PageNumber(3, first=first, names=("p", "n"))), transport).numbers.all())

    assert items == list(range(7))
    assert [request.query for request in transport.requests] == [
        (("p", str(first + number)), ("n", "3")) for number in range(3)
    ]


@BOTH
def test_with_a_total_no_page_too_many_is_asked_for(make: Make) -> None:
    transport = serving(6)

    assert take(make(listing(PageNumber(3)), transport).numbers.all()) == list(range(6))
    assert len(transport.requests) == 2


@BOTH
@pytest.mark.parametrize("tell", [True, False])
def test_a_service_that_gives_smaller_pages_than_asked_for_loses_nothing(make: Make, tell: bool) -> None:
    transport = serving(11, most=2)

    assert take(make(listing(PageNumber(5), tell=tell), transport).numbers.all()) == list(range(11))


@BOTH
def test_a_total_that_is_never_reached_ends_with_an_error_on_the_first_empty_page(make: Make) -> None:
    def serve(request: Request) -> Response:
        number = int(dict(request.query)["page"])
        return json_response({"items": [number] if number < 4 else [], "total": 1_000})

    transport = FakeTransport(otherwise=serve)

    with pytest.raises(ContractError, match="there are 1000 items, and gave an empty page at 3"):
        take(make(listing(PageNumber(1)), transport).numbers.all())

    assert len(transport.requests) == 4


@BOTH
@given(total=st.integers(0, 25), size=st.integers(1, 9), cap=st.integers(1, 9))
@settings(deadline=None, max_examples=30)
def test_without_a_total_a_service_that_gives_less_at_once_than_it_is_asked_for_loses_nothing(
    make: Make, total: int, size: int, cap: int
) -> None:
    client = make(listing(PageNumber(min(size, cap)), tell=False), serving(total, most=cap))

    assert take(client.numbers.all()) == list(range(total))


@BOTH
def test_a_token_is_the_position_and_goes_on_from_there(make: Make) -> None:
    pages = take(make(listing(PageNumber(3)), serving(7)).numbers.pages())
    elsewhere = serving(7)

    assert [page.next and json.loads(page.next)[:2] for page in pages] == [
        ["numbers", [2, 3]],
        ["numbers", [3, 6]],
        None,
    ]
    assert take(make(listing(PageNumber(3)), elsewhere).numbers.at(pages[0].next).all()) == [3, 4, 5, 6]
    assert len(elsewhere.requests) == 2


@pytest.mark.parametrize("size", [0, -1])
def test_a_page_without_room_is_refused(size: int) -> None:
    with pytest.raises(ConfigurationError, match="1 item or more"):
        PageNumber(size)


@BOTH
@given(
    total=st.integers(0, 40),
    size=st.integers(1, 12),
    first=st.integers(0, 2),
    tell=st.booleans(),
    exact=st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_whatever_the_total_and_the_size_every_item_comes_exactly_once(
    make: Make, total: int, size: int, first: int, tell: bool, exact: bool
) -> None:
    transport = serving(total, first=first)
    style = PageNumber(size, first=first, exact=exact)

    items = take(make(listing(style, tell=tell), transport).numbers.all())

    assert items == list(range(total))
    full, rest = divmod(total, size)
    if tell:  # one too many for a single page, whose count may be its own
        assert len(transport.requests) == max(1, full + bool(rest)) + (0 < total <= size and not (exact and rest))
    elif exact:
        assert len(transport.requests) == full + 1
    else:
        assert len(transport.requests) == full + bool(rest) + 1
