"""Paged operations: every item exactly once, resumable anywhere, and never endless."""

from __future__ import annotations

import asyncio
import copy
import datetime
import functools
import inspect
import json
import pickle
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    AsyncClient,
    Client,
    ConnectError,
    ContractError,
    DeadlineExceededError,
    JackfieldError,
    Page,
    Request,
    Response,
    Secret,
    Service,
    UnavailableError,
    UsageError,
    operation,
    paged,
)
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime, json_response

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour


class At(NamedTuple):
    """An offset, and how many pages were before."""

    offset: int
    pages: int


class Offsets:
    """Pages by offset: a page that is not full is the last."""

    def first(self, service: Any) -> At:
        return At(0, 0)

    def after(self, at: At, page: Page[Any]) -> At | None:
        return At(at.offset + len(page), at.pages + 1) if len(page) == page.raw["size"] else None


class Cursors:
    """Pages by the cursor that the service gives."""

    def first(self, service: Any) -> str:
        return ""

    def after(self, at: str, page: Page[Any]) -> str | None:
        cursor: str | None = page.raw["next"]
        return cursor


class Fleet(Service):
    @paged(Offsets())
    async def nodes(self, at: At, kind: str = "any", *, size: int = 3) -> Page[int]:
        """Numbers of nodes."""
        query = {"offset": str(at.offset), "size": str(size), "kind": kind}
        answer = (await self.send(Request("GET", self.url("nodes"), query=query))).decode(dict[str, Any])
        return Page(answer["items"], total=answer["total"], raw=answer)

    @paged(Cursors())
    async def events(self, at: str) -> Page[str]:
        """Names of events."""
        answer = (await self.send(Request("GET", self.url("events"), query={"cursor": at}))).decode(dict[str, Any])
        return Page(answer["items"], raw=answer)

    @operation
    async def first_ten(self) -> list[int]:
        """Pages inside a body."""
        found: list[int] = []
        async for node in self.nodes.all("hot"):
            found.append(node)
            if len(found) == 10:
                break
        return found

    @operation
    async def slow_pages(self) -> int:
        """Pages inside a body, with time passing between them."""
        count = 0
        async for _page in self.nodes.pages():
            count += 1
            await self.runtime.sleep(25)
        return count


class FleetClient(Fleet, Client): ...


class AsyncFleetClient(Fleet, AsyncClient): ...


def serving(total: int, *, tell: bool = True) -> Callable[[Request], Response]:
    """A service of so many nodes."""

    def serve(request: Request) -> Response:
        query = dict(request.query)
        offset, size = int(query["offset"]), int(query["size"])
        items = list(range(total))[offset : offset + size]
        return json_response({"items": items, "total": total if tell else None, "size": size})

    return serve


def fleet(total: int) -> FakeTransport:
    return FakeTransport(otherwise=serving(total))


def offsets(transport: FakeTransport) -> list[int]:
    """Which pages were asked for."""
    return [int(dict(request.query)["offset"]) for request in transport.requests]


def cursors(*answers: tuple[list[str], str | None]) -> FakeTransport:
    return FakeTransport([json_response({"items": items, "next": cursor}) for items, cursor in answers])


# --- one page, pages, items


def test_calling_gives_one_page_a_list_with_a_total_and_a_token(colour: Colour) -> None:
    transport = fleet(7)
    page: Any = colour.get(colour.client(Fleet, transport).nodes("hot", size=3))

    assert type(page) is Page
    assert page == [0, 1, 2]
    assert page.total == 7
    assert page.raw["size"] == 3
    assert json.loads(page.next or "")[:2] == ["nodes", [3, 1]]
    assert len(page.next or "") < 30
    assert dict(transport.requests[0].query) == {"offset": "0", "size": "3", "kind": "hot"}
    assert len(transport.requests) == 1


def test_the_last_page_has_no_token(colour: Colour) -> None:
    assert colour.get(colour.client(Fleet, fleet(2)).nodes()).next is None


def test_pages_gives_every_page_with_the_same_arguments(colour: Colour) -> None:
    transport = fleet(7)
    pages = colour.take(colour.client(Fleet, transport).nodes.pages("hot", size=3))

    assert pages == [[0, 1, 2], [3, 4, 5], [6]]
    assert [page.total for page in pages] == [7, 7, 7]
    assert [page.next is None for page in pages] == [False, False, True]
    assert offsets(transport) == [0, 3, 6]
    assert {dict(request.query)["kind"] for request in transport.requests} == {"hot"}


def test_all_gives_every_item(colour: Colour) -> None:
    assert colour.take(colour.client(Fleet, fleet(7)).nodes.all()) == list(range(7))


def test_an_empty_list_is_one_empty_page(colour: Colour) -> None:
    transport = fleet(0)
    client = colour.client(Fleet, transport)

    assert colour.take(client.nodes.all()) == []
    assert colour.take(client.nodes.pages()) == [[]]
    assert len(transport.requests) == 2


def test_an_empty_page_in_the_middle_is_not_the_end(colour: Colour) -> None:
    transport = cursors((["a"], "x"), ([], "y"), (["b"], None))

    assert colour.take(colour.client(Fleet, transport).events.all()) == ["a", "b"]


def test_a_page_is_fetched_when_its_turn_comes_and_not_before(colour: Colour) -> None:
    transport = fleet(100)
    client = colour.client(Fleet, transport)

    async def some() -> list[int]:
        found: list[int] = []
        async for node in client.nodes.all():
            found.append(node)
            if len(found) == 4:
                break
        return found

    iterator = client.nodes.all()
    assert transport.requests == []
    if colour.base is Client:
        found = [next(iterator) for _ in range(4)]
        iterator.close()
    else:
        found = asyncio.run(some())

    assert found == [0, 1, 2, 3]
    assert offsets(transport) == [0, 3]


def test_two_walks_of_one_operation_do_not_disturb_each_other() -> None:
    client = FleetClient("https://h", transport=fleet(5), runtime=VirtualSyncRuntime())
    one, other = client.nodes.all(), client.nodes.all()

    together = [(next(one), next(other)) for _ in range(5)]

    assert together == [(number, number) for number in range(5)]


def test_a_body_may_go_through_pages_in_both_colours(colour: Colour) -> None:
    transport = fleet(100)

    assert colour.get(colour.client(Fleet, transport).first_ten()) == list(range(10))
    assert offsets(transport) == [0, 3, 6, 9]


def test_pages_inside_a_bounded_body_share_its_deadline(colour: Colour) -> None:
    transport = fleet(100)

    with pytest.raises(DeadlineExceededError):
        colour.get(colour.client(Fleet, transport, timeout=60).slow_pages())

    assert offsets(transport) == [0, 3, 6]


def test_pages_outside_a_body_have_each_their_own_deadline() -> None:
    client = FleetClient("https://h", transport=fleet(10), runtime=VirtualSyncRuntime(), timeout=60)
    seen = 0

    for _page in client.nodes.pages():
        seen += 1
        client._wiring.runtime.elapsed += 1000  # type: ignore[attr-defined]  # virtual time

    assert seen == 4


def test_a_page_may_be_pickled_and_copied_with_its_token(colour: Colour) -> None:
    page = colour.get(colour.client(Fleet, fleet(7)).nodes())

    for again in (pickle.loads(pickle.dumps(page)), copy.copy(page), copy.deepcopy(page)):
        assert again == page
        assert (again.total, again.next, again.raw) == (page.total, page.next, page.raw)


def test_a_paged_operation_offers_what_every_operation_does(colour: Colour) -> None:
    transport = fleet(7)
    client = colour.client(Fleet, transport)

    assert colour.get(client.nodes.request("hot")).target == "/v1/nodes?offset=0&size=3&kind=hot"
    assert "nodes" in str(colour.get(client.nodes.explain()))
    assert transport.requests == []
    assert client.nodes.__doc__ == "Numbers of nodes."
    assert str(inspect.signature(client.nodes)).startswith("(kind: 'str' = 'any', *, size: 'int' = 3)")


def test_what_was_never_awaited_is_warned_of_by_the_name_of_the_operation() -> None:
    client = AsyncFleetClient("https://h", transport=fleet(7), runtime=VirtualAsyncioRuntime())

    with pytest.warns(RuntimeWarning, match=r"coroutine 'Fleet\.nodes' was never awaited"):
        client.nodes()  # type: ignore[unused-coroutine]  # that is the mistake


# --- tokens


def test_a_token_goes_on_where_the_page_ended_in_another_process(colour: Colour) -> None:
    token = json.loads(json.dumps(colour.get(colour.client(Fleet, fleet(7)).nodes(size=2)).next))
    elsewhere = fleet(7)
    client = colour.client(Fleet, elsewhere)

    assert colour.get(client.nodes.at(token)(size=2)) == [2, 3]
    assert colour.take(client.nodes.at(token).all(size=2)) == [2, 3, 4, 5, 6]
    assert colour.take(client.nodes.at(token).pages(size=2)) == [[2, 3], [4, 5], [6]]
    assert offsets(elsewhere) == [2, 2, 4, 6, 2, 4, 6]


def test_a_token_of_one_colour_is_good_for_the_other() -> None:
    page = FleetClient("https://h", transport=fleet(7), runtime=VirtualSyncRuntime()).nodes()
    assert page.next is not None
    elsewhere = AsyncFleetClient("https://h", transport=fleet(7), runtime=VirtualAsyncioRuntime())

    assert asyncio.run(elsewhere.nodes.at(page.next)()) == [3, 4, 5]


def test_going_on_from_a_token_leaves_the_operation_as_it_was(colour: Colour) -> None:
    client = colour.client(Fleet, fleet(7))
    token = colour.get(client.nodes()).next

    later = client.nodes.at(token)

    assert colour.get(client.nodes()) == [0, 1, 2]
    assert colour.get(later()) == [3, 4, 5]
    assert colour.get(later.at(colour.get(later()).next)()) == [6]


def test_a_cursor_with_any_characters_survives_in_its_token(colour: Colour) -> None:
    odd = 'a"b\\c\n\u2028/+= \u00fc\U0001f600'
    token = colour.get(colour.client(Fleet, cursors((["a"], odd))).events()).next
    transport = cursors((["b"], None))

    colour.get(colour.client(Fleet, transport).events.at(token)())

    assert dict(transport.requests[0].query) == {"cursor": odd}


def recursive() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


BAD_TOKENS = [
    "",
    "x",
    "{}",
    "[]",
    "null",
    "[1]",
    '["a", 1]',
    "[1, 2, 3]",
    "[1, null]",
    "[1.5, 0]",
    "[1, 2",
    "[" * 10_000,
    "[3, 1]",
    '["nodes"]',
    '["nodes", 3]',
    '["nodes", [3]]',
    '["nodes", [3, 1, 1]]',
    '["nodes", ["3", 1]]',
    '["nodes", null]',
    "[null, [3, 1]]",
    '["Nodes", [3, 1]]',
    '["nodes", [3, 1], 5]',
    '["nodes", [3, 1], null]',
    '["nodes", [3, 1], "x", "y"]',
]


@pytest.mark.parametrize("token", [*BAD_TOKENS, "\ud800", "[1e400, 0]", 5, b"[", ["a"]], ids=lambda t: repr(t)[:12])
def test_what_is_no_token_is_refused_before_anything_is_sent(colour: Colour, token: Any) -> None:
    transport = fleet(7)
    nodes = colour.client(Fleet, transport).nodes

    with pytest.raises(UsageError):
        colour.get(nodes.at(token)())
    with pytest.raises(UsageError):
        colour.take(nodes.at(token).all())
    assert transport.requests == []


def test_the_refusal_of_a_token_says_what_it_should_have_been_of(colour: Colour) -> None:
    with pytest.raises(UsageError, match="token of a page of nodes"):
        colour.get(colour.client(Fleet, fleet(7)).nodes.at("x")())


def test_a_token_of_another_operation_is_refused_and_says_whose_it_is(colour: Colour) -> None:
    token = colour.get(colour.client(Fleet, cursors((["a"], "x"))).events()).next
    transport = fleet(7)
    nodes = colour.client(Fleet, transport).nodes

    with pytest.raises(UsageError, match="of a page of 'events': go on there, not with 'nodes'"):
        colour.get(nodes.at(token)())
    with pytest.raises(UsageError, match="'events'"):
        colour.take(nodes.at(token).all())
    assert transport.requests == []


class Filter:
    """Of a kind that no token can tell from another."""


@dataclass
class Range:
    low: int
    high: int


class Search(Service):
    @paged(Cursors())
    async def found(
        self, at: str, what: Any = None, /, *more: Any, kind: str = "any", where: Any = (), **rest: Any
    ) -> Page[str]:
        answer = (await self.send(Request("GET", self.url("found")))).decode(dict[str, Any])
        return Page(answer["items"], raw=answer)


def token_of(colour: Colour, *args: Any, **kwargs: Any) -> str:
    token: str = colour.get(colour.client(Search, cursors((["a"], "x"))).found(*args, **kwargs)).next
    return token


def resumed(colour: Colour, token: str, *args: Any, **kwargs: Any) -> None:
    """Goes on in both ways, elsewhere."""
    client = colour.client(Search, cursors((["b"], None), (["b"], None)))
    assert colour.get(client.found.at(token)(*args, **kwargs)) == ["b"]
    assert colour.take(client.found.at(token).all(*args, **kwargs)) == ["b"]


Arguments: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]
SAME: list[Arguments] = [
    (("eu",), {}),
    (("eu", 1, 2), {"kind": "hot", "page": 3}),
    ((), {"where": {"b": [1, 2.5, None], "a": {"x", "y", "z"}}}),
    ((Range(1, 2), datetime.date(2024, 5, 6), uuid.UUID(int=7), b"x", Decimal("1.10")), {}),
]


@pytest.mark.parametrize(("args", "kwargs"), SAME)
def test_a_token_goes_on_with_the_arguments_that_it_came_with(colour: Colour, args: Any, kwargs: Any) -> None:
    resumed(colour, token_of(colour, *args, **kwargs), *copy.deepcopy(args), **copy.deepcopy(kwargs))


def logged(body: Any) -> Any:
    @functools.wraps(body)
    async def logging(*args: Any, **kwargs: Any) -> Any:
        return await body(*args, **kwargs)

    return logging


def test_a_decorated_body_has_the_parameters_that_its_callers_see(colour: Colour) -> None:
    class Logged(Service):
        @paged(Cursors())
        @logged
        async def found(self, at: str, what: str = "all") -> Page[str]:
            answer = (await self.send(Request("GET", self.url("found")))).decode(dict[str, Any])
            return Page(answer["items"], raw=answer)

    token = colour.get(colour.client(Logged, cursors((["a"], "x"))).found("eu")).next
    client = colour.client(Logged, cursors((["b"], None)))

    assert colour.get(client.found.at(token)(what="eu")) == ["b"]
    with pytest.raises(UsageError, match="other arguments"):
        colour.get(client.found.at(token)())


OTHER: list[tuple[Arguments, Arguments]] = [
    ((("eu",), {}), (("us",), {})),
    ((("eu",), {}), ((), {})),
    (((), {}), (("eu",), {})),
    (((1,), {}), (("1",), {})),
    (((1,), {}), ((True,), {})),
    ((("a", "b"), {}), (("b", "a"), {})),
    ((("a", 1, 2, "b"), {}), (("b", 1, 2, "a"), {})),
    ((("a", "b"), {}), (("a",), {"b": 1})),
    (((), {"kind": "a"}), ((), {"where": "a"})),
    (((), {"where": [["a"], "b"]}), ((), {"where": ["a", ["b"]]})),
    (((Range(1, 2),), {}), ((Range(1, 3),), {})),
    (((), {"what": "a"}), (("a",), {})),  # a name that is the caller's, not the parameter
]


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_a_token_that_came_with_other_arguments_is_refused_before_anything_is_sent(
    colour: Colour, one: Any, other: Any
) -> None:
    token = token_of(colour, *one[0], **one[1])
    transport = cursors()
    found = colour.client(Search, transport).found.at(token)

    with pytest.raises(UsageError, match="of a page of 'found' with other arguments"):
        colour.get(found(*other[0], **other[1]))
    with pytest.raises(UsageError, match="other arguments"):
        colour.take(found.all(*other[0], **other[1]))
    assert transport.requests == []


def test_an_argument_is_the_same_however_it_is_written(colour: Colour) -> None:
    token = colour.get(colour.client(Fleet, fleet(7)).nodes()).next

    for args, kwargs in ((("any",), {}), ((), {"kind": "any", "size": 3}), ((), {"size": 3})):
        assert colour.get(colour.client(Fleet, fleet(7)).nodes.at(token)(*args, **kwargs)) == [3, 4, 5]


@pytest.mark.parametrize("odd", [Filter(), [Filter()], {(1, 2): 3}, "\ud800", Secret("a"), object, recursive()])
def test_an_argument_that_json_cannot_say_is_not_compared(colour: Colour, odd: Any) -> None:
    token = token_of(colour, "eu", where=odd)

    resumed(colour, token, "eu", where=Filter())
    resumed(colour, token, "eu")
    with pytest.raises(UsageError, match="other arguments"):
        resumed(colour, token, "us", where=odd)


def test_the_order_of_what_has_none_does_not_count(colour: Colour) -> None:
    token = token_of(colour, kind="hot", page=3, where={"a": 1, "b": {"c": 2, "d": 3}})

    resumed(colour, token, where={"b": {"d": 3, "c": 2}, "a": 1}, page=3, kind="hot")


def test_a_token_without_a_word_on_arguments_goes_on_with_any(colour: Colour) -> None:
    resumed(colour, '["found","x"]', "eu")
    resumed(colour, '["found","x",""]', "us")


def test_arguments_cannot_be_read_from_a_token(colour: Colour) -> None:
    assert "hunter2" not in token_of(colour, "hunter2", where=["hunter2"])


def test_what_is_no_call_of_the_operation_is_a_type_error_as_it_is_without_a_token(colour: Colour) -> None:
    token = colour.get(colour.client(Fleet, fleet(7)).nodes()).next
    nodes = colour.client(Fleet, fleet(7)).nodes

    for one in (nodes, nodes.at(token[: token.rindex(",")] + "]")):
        with pytest.raises(TypeError):
            colour.get(one("a", "b"))
        with pytest.raises(TypeError):
            colour.get(one(nothing=1))


@given(st.text(max_size=20) | st.binary(max_size=20) | st.lists(st.integers(), max_size=3).map(json.dumps))
@settings(deadline=None, max_examples=200)
def test_whatever_the_token_it_is_a_page_or_a_usage_error(token: Any) -> None:
    client = FleetClient("https://h", transport=fleet(7), runtime=VirtualSyncRuntime())

    try:
        page = client.nodes.at(token)()
    except UsageError:
        return

    assert isinstance(page, Page)


# --- services that do not end, or fail


def test_a_service_that_gives_the_same_cursor_again_is_stopped(colour: Colour) -> None:
    transport = FakeTransport(otherwise=json_response({"items": ["a"], "next": "x"}))
    seen: list[str] = []

    with pytest.raises(ContractError, match="same page again"):
        colour.take(colour.client(Fleet, transport).events.all(), seen)

    assert seen == ["a"]
    assert len(transport.requests) <= 2


def test_a_service_whose_first_cursor_is_where_it_began_is_stopped(colour: Colour) -> None:
    transport = FakeTransport(otherwise=json_response({"items": ["a"], "next": ""}))

    with pytest.raises(ContractError, match="same page again"):
        colour.take(colour.client(Fleet, transport).events.all())

    assert len(transport.requests) <= 2


def test_a_service_that_never_ends_is_stopped(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jackfield._paging.MAX_PAGES", 50)
    numbers = iter(range(10_000))
    transport = FakeTransport(otherwise=lambda request: json_response({"items": ["a"], "next": str(next(numbers))}))
    seen: list[str] = []

    with pytest.raises(ContractError, match="50 pages"):
        colour.take(colour.client(Fleet, transport).events.all(), seen)

    assert len(seen) == len(transport.requests) == 50


def test_a_service_that_goes_in_circles_is_stopped(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jackfield._paging.MAX_PAGES", 50)
    turns = iter(["x", "y"] * 1000)
    transport = FakeTransport(otherwise=lambda request: json_response({"items": ["a"], "next": next(turns)}))

    with pytest.raises(ContractError):
        colour.take(colour.client(Fleet, transport).events.all())

    assert len(transport.requests) <= 50


def test_a_list_of_exactly_as_many_pages_as_are_allowed_is_whole(
    colour: Colour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jackfield._paging.MAX_PAGES", 3)

    assert colour.take(colour.client(Fleet, fleet(8)).nodes.all()) == list(range(8))


def test_an_error_in_the_middle_comes_after_every_page_before_it_and_a_token_goes_on_from_there(colour: Colour) -> None:
    good = serving(8)
    transport = FakeTransport([good, good, Response(503)], otherwise=good)
    client = colour.client(Fleet, transport)
    pages: list[Any] = []

    with pytest.raises(UnavailableError) as caught:
        colour.take(client.nodes.pages(), pages)
    rest = colour.take(client.nodes.at(pages[-1].next).all())

    assert pages == [[0, 1, 2], [3, 4, 5]]
    assert rest == [6, 7]
    assert offsets(transport) == [0, 3, 6, 6]
    assert caught.value.call is not None
    assert caught.value.call.operation == "nodes"


def test_an_error_in_the_middle_is_not_followed_by_a_false_end() -> None:
    good = serving(8)
    client = AsyncFleetClient(
        "https://h",
        transport=FakeTransport([good, ConnectError("down")], otherwise=good),
        runtime=VirtualAsyncioRuntime(),
    )

    async def main() -> list[int]:
        seen: list[int] = []
        items = client.nodes.all()
        while True:
            try:
                seen.append(await anext(items))
            except ConnectError:
                continue
            except StopAsyncIteration:
                return seen

    assert asyncio.run(main()) == list(range(8))


def test_the_walk_ends_for_good() -> None:
    async def main() -> None:
        items = AsyncFleetClient("https://h", transport=fleet(2), runtime=VirtualAsyncioRuntime()).nodes.all()
        assert [item async for item in items] == [0, 1]
        for _ in range(2):
            with pytest.raises(StopAsyncIteration):
                await anext(items)

    asyncio.run(main())


def test_after_the_last_page_there_is_none_to_go_on_from(colour: Colour) -> None:
    client = colour.client(Fleet, fleet(2))
    last = colour.get(client.nodes())

    with pytest.raises(UsageError):
        colour.get(client.nodes.at(last.next)())


def test_what_is_no_page_of_the_service_is_an_error_of_ours(colour: Colour) -> None:
    with pytest.raises(JackfieldError):
        colour.take(colour.client(Fleet, FakeTransport([Response(200, body=b"[]")])).nodes.all())


# --- any service


@given(total=st.integers(0, 40), size=st.integers(1, 12), start=st.integers(0, 5), tell=st.booleans())
@settings(deadline=None, max_examples=60)
def test_whatever_the_total_and_the_page_size_every_item_comes_exactly_once(
    colour: Colour, total: int, size: int, start: int, tell: bool
) -> None:
    transport = FakeTransport(otherwise=serving(total, tell=tell))
    client = colour.client(Fleet, transport)

    items = colour.take(client.nodes.all(size=size))
    pages = colour.take(client.nodes.pages(size=size))

    assert items == list(range(total))
    assert [item for page in pages for item in page] == items
    assert len(transport.requests) == 2 * (total // size + 1)
    if start < len(pages) and pages[start].next is not None:
        rest = colour.take(client.nodes.at(pages[start].next).all(size=size))
        assert rest == items[(start + 1) * size :]
