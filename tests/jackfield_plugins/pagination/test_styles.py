"""Every style against a service that pages so: each item once, whatever the sizes, totals, failures and tricks."""

from __future__ import annotations

import asyncio
import datetime
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.clients import COLOURS
from tests.made import get, made

from jackfield import (
    ConfigurationError,
    ContractError,
    DecodeError,
    JackfieldError,
    Model,
    Page,
    Request,
    Response,
    Service,
    Url,
    UsageError,
    paged,
)
from jackfield.testing import FakeTransport, json_response
from jackfield_plugins.pagination import (
    Cursor,
    CursorAt,
    InHeader,
    KeyAt,
    Keyset,
    LinkAt,
    LinkHeader,
    NextUrl,
    OffsetAt,
    OffsetLimit,
    PageAt,
    PageNumber,
)

Serve: TypeAlias = Callable[[Request], Response]


class Node(Model):
    id: int


class Colour(NamedTuple):
    name: str

    def client(self, style: Any, serve: Serve | FakeTransport, item: Any = Node) -> Any:
        class Listing(Service):
            @paged(style, max_pages=200)
            async def nodes(self, at: Any, zone: str = "a") -> Page[Any]:
                request = Request("GET", self.url("v1", "nodes"), query={"zone": zone}, headers={"x-tenant": "t"})
                page: Page[Any] = await style.fetch(self, at, request, item)
                return page

        transport = serve if isinstance(serve, FakeTransport) else FakeTransport(otherwise=serve)
        return made(self.name, Listing, transport)


BOTH = pytest.mark.parametrize("colour", [Colour(name) for name in COLOURS], ids=COLOURS)


def take(items: Iterable[Any] | AsyncIterator[Any], into: list[Any] | None = None) -> list[Any]:
    taken: list[Any] = [] if into is None else into

    async def collect(source: AsyncIterator[Any]) -> None:
        async for item in source:
            taken.append(item)  # noqa: PERF401 - what came before an error must stay

    if isinstance(items, AsyncIterator):
        asyncio.run(collect(items))
    else:
        for item in items:
            taken.append(item)  # noqa: PERF402 - what came before an error must stay
    return taken


def numbers(nodes: list[Any]) -> list[int]:
    return [node.id for node in nodes]


class World:
    """A service with so many nodes that pages in every way.

    Args:
        total: how many there are.
        size: how many it gives at once, at most.
        counts: what its `count` says: all of them, those of the page, or nothing.
        flags: whether it says whether there are more.
        caps: how many it gives at once, at most, in turns by where a page begins; by number, the first is for all.

    Attributes:
        hidden: nodes that are not shown, but leave pages short.
        gone: a page that is not there, by where it begins; the status says whether it is just empty.
        holes: how many pages were empty or not there, with others after them.
        deceives: whether such a page said nothing of those.
    """

    def __init__(
        self,
        total: int,
        size: int = 3,
        *,
        counts: str = "total",
        flags: bool = False,
        caps: Sequence[int] = (),
    ) -> None:
        self.total = total
        self.caps = caps or (size,)
        self.counts = counts
        self.flags = flags
        self.failures: dict[int, int] = {}
        self.requests: list[Request] = []
        self.hidden: set[int] = set()
        self.gone: tuple[int, int] | None = None
        self.holes = 0
        self.deceives = False

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        query = dict(request.query)
        assert query["zone"] == "a"
        assert request.headers["x-tenant"] == "t"
        start, size = self.begin(request, query)
        if self.failures.get(start):
            self.failures[start] -= 1
            return Response(503)
        shown = [number for number in range(self.total) if number not in self.hidden]
        nodes = [{"id": number} for number in shown if start <= number < start + size]
        end = min(start + size, self.total)
        more = end < self.total
        status = self.gone[1] if self.gone and self.gone[0] == start else None
        if status:
            nodes, more = [], False
        if status == 404 or (not nodes and (more or any(number >= start for number in shown))):
            self.holes += 1
            if "limit" in query and not self.flags:  # it is led by numbers
                self.deceives |= status != 404 and self.counts != "total"
            else:
                self.deceives |= status == 200
        if status == 404:
            return Response(404)
        answer: dict[str, Any] = {"nodes": nodes, "next": f"c{end}" if more else None}
        if self.counts != "nothing":
            answer["count"] = len(shown) if self.counts == "total" else len(nodes)
        if self.flags:
            answer["more"] = more
        url = f"/v1/nodes?zone=a&from={end}" if more else None
        links = f'<{url}>; rel="next"' if more else "</>; rel=first"
        return json_response({**answer, "url": url}, headers={"link": links, "x-next": f"c{end}" if more else ""})

    def begin(self, request: Request, query: dict[str, str]) -> tuple[int, int]:
        asked = int(query.get("limit", 1000))
        if "page" in query:
            size = min(self.caps[0], asked)
            return (int(query["page"]) - 1) * size, size
        if "after" in query:
            start = int(query["after"]) + 1
        else:
            cursor = query.get("cursor") or request.headers.get("x-cursor") or f"c{query.get('from', '0')}"
            start = int(query.get("offset", cursor[1:]))
        return start, min(self.caps[start % len(self.caps)], asked)


LAYOUT: dict[str, Any] = {"items": "nodes", "total": "count", "more": "more"}


def styles(size: int, *, exact: bool = False) -> dict[str, Any]:
    return {
        "page number": PageNumber(size, names=("page", "limit"), exact=exact, **LAYOUT),
        "offset": OffsetLimit(size, exact=exact, **LAYOUT),
        "cursor in the body": Cursor("next", **LAYOUT),
        "cursor in the header": Cursor(InHeader("x-next"), name=InHeader("x-cursor"), **LAYOUT),
        "url in the body": NextUrl("url", **LAYOUT),
        "link header": LinkHeader(**LAYOUT),
        "keyset": Keyset({"id": "after"}, size=size, exact=exact, **LAYOUT),
    }


KINDS = pytest.mark.parametrize("kind", list(styles(1)))


@BOTH
@KINDS
def test_every_node_comes_once_and_a_token_goes_on_anywhere(colour: Colour, kind: str) -> None:
    world = World(8)
    pages = take(colour.client(styles(3)[kind], world).nodes.pages())

    assert [numbers(page) for page in pages][:3] == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert [page.total for page in pages] == [8] * len(pages)
    assert all(len(page.next) < 80 for page in pages if page.next)
    elsewhere = colour.client(styles(3)[kind], World(8))
    token = json.loads(json.dumps(pages[0].next))
    assert numbers(take(elsewhere.nodes.at(token).all())) == [3, 4, 5, 6, 7]
    assert numbers(get(elsewhere.nodes.at(token)())) == [3, 4, 5]


def until_it_ends(items: Any, seen: list[Any]) -> JackfieldError | None:
    """Takes all, in spite of errors that pass; the one that does not."""
    last: JackfieldError | None = None
    for _ in range(20):
        try:
            take(items, seen)
        except JackfieldError as error:
            last = error
        else:
            return None
    return last


@BOTH
@KINDS
@given(
    total=st.integers(0, 25),
    size=st.integers(1, 9),
    caps=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    counts=st.sampled_from(["total", "page", "nothing"]),
    flags=st.booleans(),
    failures=st.dictionaries(st.integers(0, 25), st.integers(1, 2), max_size=3),
    ahead=st.integers(0, 2),
)
@settings(deadline=None, max_examples=30)
def test_whatever_sizes_counts_and_failures_every_node_comes_once(
    colour: Colour,
    kind: str,
    total: int,
    size: int,
    caps: list[int],
    counts: str,
    flags: bool,
    failures: dict[int, int],
    ahead: int,
) -> None:
    world = World(total, counts=counts, flags=flags, caps=caps)
    world.failures = dict(failures)
    nodes = colour.client(styles(size)[kind], world).nodes
    seen: list[Any] = []

    assert until_it_ends((nodes.prefetch(ahead) if ahead else nodes).all(), seen) is None
    assert numbers(seen) == list(range(total))


@BOTH
@KINDS
@given(
    total=st.integers(0, 25),
    size=st.integers(1, 9),
    caps=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    counts=st.sampled_from(["total", "page", "nothing"]),
    flags=st.booleans(),
    exact=st.booleans(),
    hidden=st.sets(st.integers(0, 25)),
    gone=st.none() | st.tuples(st.integers(0, 25), st.sampled_from([200, 404])),
    failures=st.dictionaries(st.integers(0, 25), st.integers(1, 2), max_size=3),
)
@settings(deadline=None, max_examples=60)
def test_whatever_is_hidden_or_gone_every_node_comes_once_or_an_error_says_that_it_did_not(
    colour: Colour,
    kind: str,
    total: int,
    size: int,
    caps: list[int],
    counts: str,
    flags: bool,
    exact: bool,
    hidden: set[int],
    gone: tuple[int, int] | None,
    failures: dict[int, int],
) -> None:
    fills = not hidden and min(caps) >= size
    world = World(total, counts=counts, flags=flags, caps=caps)
    world.hidden = hidden if kind != "offset" else set()  # an offset counts what is given
    world.gone = gone
    world.failures = dict(failures)
    client = colour.client(styles(size, exact=exact and fills)[kind], world)
    seen: list[Any] = []

    error = until_it_ends(client.nodes.all(), seen)

    given = [number for number in range(total) if number not in world.hidden]
    assert numbers(seen) == given[: len(seen)]
    if world.deceives:  # a page that is empty, and says no word of those after it, is the end
        return
    assert len(seen) == len(given) or error is not None
    assert error is None or world.holes


@BOTH
@KINDS
@given(total=st.integers(0, 25), size=st.integers(1, 9))
@settings(deadline=None, max_examples=30)
def test_a_count_that_is_the_pages_own_costs_one_request_more(colour: Colour, kind: str, total: int, size: int) -> None:
    world = World(total, size, counts="page")

    assert numbers(take(colour.client(styles(size)[kind], world).nodes.all())) == list(range(total))
    assert len(world.requests) <= -(-total // size) + 1


@BOTH
@pytest.mark.parametrize("kind", ["cursor in the body", "cursor in the header", "url in the body", "link header"])
def test_who_is_led_by_the_service_asks_for_no_page_too_many(colour: Colour, kind: str) -> None:
    world = World(9)

    take(colour.client(styles(3)[kind], world).nodes.all())

    assert len(world.requests) == 3


@BOTH
@KINDS
@pytest.mark.parametrize("total", [0, 1, 3, 8, 9])
def test_where_the_service_says_whether_there_is_more_no_empty_page_is_asked_for(
    colour: Colour, kind: str, total: int
) -> None:
    world = World(total, counts="nothing", flags=True)

    take(colour.client(styles(3)[kind], world).nodes.all())

    assert len(world.requests) == max(1, -(-total // 3))


@BOTH
@KINDS
def test_the_arguments_are_sent_with_every_page(colour: Colour, kind: str) -> None:
    transport = FakeTransport(otherwise=World(7))

    take(colour.client(styles(3)[kind], transport).nodes.all())

    assert {dict(request.query)["zone"] for request in transport.requests} == {"a"}
    assert {request.headers["x-tenant"] for request in transport.requests} == {"t"}


# --- totals that change meanwhile


class Changing(World):
    """Its total is another one at each request; the nodes that there are stay."""

    def __init__(self, total: int, told: list[int]) -> None:
        super().__init__(total)
        self.told = told

    def __call__(self, request: Request) -> Response:
        answer = super().__call__(request).decode(dict[str, Any])
        return json_response({**answer, "count": self.told[min(len(self.requests), len(self.told)) - 1]})


@BOTH
@pytest.mark.parametrize("kind", ["page number", "offset", "keyset"])
@pytest.mark.parametrize(
    ("told", "found"),
    [
        ([8, 8, 8], 8),
        ([4, 7, 8], 8),  # it grows
        ([8, 6, 6], 6),  # it shrinks: what it says is over is over
        ([0], 8),  # less than there is on this very page
        ([3, 3, 8], 8),  # that of the page
    ],
)
def test_a_total_that_changes_repeats_nothing_and_ends(colour: Colour, kind: str, told: list[int], found: int) -> None:
    world = Changing(8, told)

    assert numbers(take(colour.client(styles(3)[kind], world).nodes.all())) == list(range(found))
    assert len(world.requests) <= 5


@BOTH
@pytest.mark.parametrize("kind", ["page number", "offset", "keyset"])
@pytest.mark.parametrize("told", [[100], [8, 100, 100]])
def test_a_total_that_is_never_reached_is_an_error_after_all_there_is(
    colour: Colour, kind: str, told: list[int]
) -> None:
    seen: list[Any] = []

    with pytest.raises(ContractError, match="there are 100 items"):
        take(colour.client(styles(3)[kind], Changing(8, told)).nodes.all(), seen)

    assert numbers(seen) == list(range(8))


@BOTH
@KINDS
def test_what_a_style_cannot_go_on_from_says_in_which_call_that_was(colour: Colour, kind: str) -> None:
    told = {"count": 5} if kind in ("page number", "offset") else {"more": True}
    answer = json_response({"nodes": [], **told})

    with pytest.raises(ContractError) as caught:
        get(colour.client(styles(3)[kind], FakeTransport([answer])).nodes())

    assert caught.value.call is not None
    assert caught.value.call.operation == "nodes"
    assert caught.value.call.url.startswith("https://h/v1/nodes?")


@BOTH
@pytest.mark.parametrize("kind", ["page number", "offset", "keyset"])
def test_a_service_that_ignores_which_page_it_is_asked_for_is_an_error_and_no_repetition(
    colour: Colour, kind: str
) -> None:
    transport = FakeTransport(otherwise=json_response({"nodes": [{"id": 1}, {"id": 2}], "count": 50}))
    seen: list[Any] = []

    with pytest.raises(ContractError):
        take(colour.client(styles(2)[kind], transport).nodes.all(), seen)

    assert numbers(seen) == [1, 2]
    assert len(transport.requests) == 2


@BOTH
@pytest.mark.parametrize("kind", ["page number", "offset", "keyset"])
def test_a_service_that_gives_everything_at_once_is_asked_once_where_it_counts(colour: Colour, kind: str) -> None:
    transport = FakeTransport(otherwise=json_response({"nodes": [{"id": 1}, {"id": 2}, {"id": 3}], "count": 3}))

    assert numbers(take(colour.client(styles(2)[kind], transport).nodes.all())) == [1, 2, 3]
    assert len(transport.requests) == 1


# --- page number and offset


def query(style: Any, at: Any, **given: str) -> tuple[tuple[str, str], ...]:
    client: Any = Colour("sync").client(style, FakeTransport())
    request: Request = style.ask(at, Request("GET", client.url("v1"), query=given))
    return request.query


def test_positions_become_parameters() -> None:
    assert query(PageNumber(5), PageAt(3, 10), zone="a") == (("zone", "a"), ("page", "3"), ("pagesize", "5"))
    assert query(OffsetLimit(5), OffsetAt(10), zone="a") == (("zone", "a"), ("offset", "10"), ("limit", "5"))
    assert query(OffsetLimit(5, names=("skip", "top")), OffsetAt(10)) == (("skip", "10"), ("top", "5"))
    assert query(Cursor("n", items="i"), CursorAt("x"), zone="a") == (("zone", "a"), ("cursor", "x"))
    assert query(Cursor("n", items="i", name="c"), CursorAt(7)) == (("c", "7"),)
    assert query(Cursor("n", items="i"), CursorAt(), zone="a") == (("zone", "a"),)
    assert query(Keyset({"id": "after"}, size=5), KeyAt((7,))) == (("limit", "5"), ("after", "7"))
    assert query(Keyset({"id": "after"}, size=5, limit="n"), KeyAt()) == (("n", "5"),)
    assert query(Keyset({"at": "a", "id": "i"}), KeyAt(("x", 15), 3)) == (("a", "x"), ("i", "15"))


def test_what_a_style_asks_for_takes_the_place_of_what_the_request_says() -> None:
    assert query(PageNumber(5), PageAt(2, 5), page="1", zone="a") == (("zone", "a"), ("page", "2"), ("pagesize", "5"))


def test_the_first_item_may_have_another_number() -> None:
    style = OffsetLimit(2, first=1, names=("startIndex", "count"), items="Resources", total="totalResults")
    page = Page([1, 2], total=3)

    assert style.first(None) == OffsetAt(1)
    assert style.after(OffsetAt(1), page) == OffsetAt(3)
    assert style.after(OffsetAt(3), Page([3], total=3)) is None
    assert style.after(OffsetAt(3), Page([3, 4], total=3)) is None


@pytest.mark.parametrize(("items", "expected"), [(5, OffsetAt(15)), (4, None), (0, None)])
def test_where_pages_are_exact_a_short_one_is_the_last(items: int, expected: OffsetAt | None) -> None:
    assert OffsetLimit(5, exact=True).after(OffsetAt(10), Page(range(items))) == expected


def test_the_services_word_that_there_is_more_counts_more_than_a_total() -> None:
    style: Any = OffsetLimit(2, items="nodes", total="count", more="more")
    client: Any = Colour("sync").client(style, FakeTransport())

    def after(more: bool, count: int) -> OffsetAt | None:
        answer = json_response({"nodes": [{"id": 1}], "count": count, "more": more})
        found: OffsetAt | None = style.after(OffsetAt(), style.page(Request("GET", client.url()), answer, Node))
        return found

    assert after(True, 1) == OffsetAt(1)
    assert after(False, 100) is None


@BOTH
def test_more_of_nothing_is_an_error_and_not_without_end(colour: Colour) -> None:
    nothing = FakeTransport(otherwise=json_response({"nodes": [], "more": True}))

    for kind in ("offset", "keyset"):
        with pytest.raises(ContractError):
            take(colour.client(styles(3)[kind], nothing).nodes.all())

    assert len(nothing.requests) == 2


@pytest.mark.parametrize("make", [OffsetLimit, PageNumber, partial(Keyset, {"id": "after"})])
@pytest.mark.parametrize("size", [0, -1])
def test_a_page_without_room_is_refused(make: Callable[..., Any], size: int) -> None:
    with pytest.raises(ConfigurationError, match="1 item or more"):
        make(size=size)


# --- cursors


def page_of(style: Any, answer: Any, **headers: str) -> Page[Any]:
    client: Any = Colour("sync").client(style, FakeTransport())
    page: Page[Any] = style.page(
        Request("GET", client.url("v1", "nodes")), json_response(answer, headers=headers), Node
    )
    return page


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"next": "abc"}, CursorAt("abc")),
        ({"next": 17}, CursorAt(17)),
        ({"next": 1.5}, CursorAt("1.5")),
        ({"next": "0"}, CursorAt("0")),
        ({"next": ""}, None),
        ({"next": None}, None),
        ({"next": False}, None),
        ({"next": 0}, None),
        ({"next": 0.0}, None),
        ({}, None),
        ({"next": "abc", "more": False}, None),
        ({"next": "abc", "more": True}, CursorAt("abc")),
        ({"more": False}, None),
    ],
)
def test_a_cursor_leads_on_unless_it_is_empty_or_the_service_says_that_it_is_over(
    told: dict[str, Any], expected: CursorAt | None
) -> None:
    style = Cursor("next", items="nodes", more="more")

    assert style.after(CursorAt(), page_of(style, {"nodes": [], **told})) == expected


@pytest.mark.parametrize(
    "told", [{"more": True}, {"next": "", "more": True}, {"next": True}, {"next": True, "more": True}]
)
def test_more_without_a_way_to_it_is_an_error(told: dict[str, Any]) -> None:
    for style in (Cursor("next", items="nodes", more="more"), NextUrl("next", items="nodes", more="more")):
        with pytest.raises(ContractError):
            style.after(style.first(None), page_of(style, {"nodes": [], **told}))  # type: ignore[arg-type]


@pytest.mark.parametrize("number", ["1.10", "1e22", "1512085950.00021600", "123456789012345678901234567890"])
def test_a_cursor_that_is_a_number_goes_back_as_it_came(number: str) -> None:
    style = Cursor("a.next", items="nodes")
    page = style.page(
        Request("GET", Url.parse("https://h/v1")),
        Response(200, body=b'{"nodes": [], "a": {"next": %b }}' % number.encode()),
        Node,
    )
    at = style.after(CursorAt(), page)

    assert at is not None
    assert query(style, at) == (("cursor", number),)


@pytest.mark.parametrize("told", [{"next": {"a": 1}}, {"next": ["a"]}])
def test_a_cursor_that_is_none_is_an_error(told: dict[str, Any]) -> None:
    with pytest.raises(DecodeError):
        page_of(Cursor("next", items="nodes"), {"nodes": [], **told})


@BOTH
def test_a_cursor_that_no_header_can_carry_is_the_services_fault(colour: Colour) -> None:
    transport = FakeTransport(otherwise=json_response({"nodes": [], "next": "a\r\nx: y"}))
    style = Cursor("next", name=InHeader("x-cursor"), items="nodes")

    with pytest.raises(ContractError, match="cursor cannot be sent"):
        take(colour.client(style, transport).nodes.all())


@BOTH
def test_a_cursor_may_go_in_a_body_of_the_authors_own(colour: Colour) -> None:
    style = Cursor("next", items="nodes")

    class Search(Service):
        @paged(style)
        async def nodes(self, at: CursorAt) -> Page[Node]:
            request = Request("POST", self.url("search"), body=json.dumps({"cursor": at.cursor}).encode())
            return style.page(request, await self.send(request), Node)

    def serve(request: Request) -> Response:
        assert isinstance(request.body, bytes)
        cursor = json.loads(request.body)["cursor"] or 0
        return json_response({"nodes": [{"id": cursor}], "next": cursor + 1 if cursor < 3 else None})

    client = made(colour.name, Search, FakeTransport(otherwise=serve))

    assert numbers(take(client.nodes.all())) == [0, 1, 2, 3]


# --- links


@BOTH
@pytest.mark.parametrize(
    ("links", "targets"),
    [
        (["/v1/nodes?p=2"], ["/v1/nodes?p=2"]),
        (["https://h/other?p=2"], ["/other?p=2"]),
        (["//h/x"], ["/x"]),
        (["?p=2", "?p=3"], ["/v1/nodes?p=2", "/v1/nodes?p=3"]),
        (["a/b?p=2", "c?p=3", "../d?e/f:g"], ["/v1/a/b?p=2", "/v1/a/c?p=3", "/v1/d?e/f:g"]),
        (["a/b", "?p=3", "./x:y"], ["/v1/a/b", "/v1/a/b?p=3", "/v1/a/x:y"]),
    ],
)
def test_links_are_relative_to_the_page_that_holds_them(colour: Colour, links: list[str], targets: list[str]) -> None:
    def transport(how: Callable[[str | None], Response]) -> FakeTransport:
        return FakeTransport([how(link) for link in [*links, None]])

    def in_body(link: str | None) -> Response:
        return json_response({"nodes": [], "next": link})

    def in_header(link: str | None) -> Response:
        return json_response({"nodes": []}, headers={"link": f"<{link}>; rel=next"} if link else {})

    for style, how in ((NextUrl(items="nodes"), in_body), (LinkHeader(items="nodes"), in_header)):
        asked = transport(how)
        take(colour.client(style, asked).nodes.all())
        assert [request.target for request in asked.requests] == ["/v1/nodes?zone=a", *targets]
        assert {request.headers["x-tenant"] for request in asked.requests} == {"t"}


@BOTH
@pytest.mark.parametrize(
    "link",
    [
        "https://evil.test/x",
        "//evil.test/x",
        "http://h/x",
        "https://h:8443/x",
        "https://h@evil.test/",
        "javascript:x",
        "file:///etc/passwd",
        "\\\\evil.test\\x",
    ],
)
def test_a_link_to_another_origin_is_refused_after_the_page_that_holds_it(colour: Colour, link: str) -> None:
    body = {"nodes": [{"id": 1}], "next": link}
    for style in (NextUrl(items="nodes"), LinkHeader(items="nodes")):
        transport = FakeTransport(otherwise=json_response(body, headers={"link": f"<{link}>; rel=next"}))
        nodes = colour.client(style, transport).nodes
        seen: list[Any] = []

        with pytest.raises(ContractError):
            take(nodes.all(), seen)
        assert numbers(seen) == [1]
        assert numbers(get(nodes())) == [1]
        with pytest.raises(ContractError):
            get(nodes.at(json.dumps(["nodes", [link, ""]]))())
        with pytest.raises(ContractError):
            get(nodes.at(json.dumps(["nodes", ["x", link]]))())
        assert len(transport.requests) == 2


def test_only_a_link_of_the_relation_and_about_this_page_leads_on() -> None:
    style = LinkHeader()

    def after(*lines: str) -> LinkAt | None:
        client: Any = Colour("sync").client(style, FakeTransport())
        request = Request("GET", client.url("v1", "nodes"), query={"p": "1"})
        response = Response(200, [("link", line) for line in lines], b"[]")
        return style.after(LinkAt(), style.page(request, response, Node))

    assert after('</2>; rel="next"') == LinkAt("/2")
    assert after('</2>; rel="Last NEXT"') == LinkAt("/2")
    assert after("</1>; rel=prev", "</9>; rel=last, </2>; rel=next") == LinkAt("/2")
    assert after("</2>; rel=next, </3>; rel=next") == LinkAt("/2")
    assert after("<2>; rel=next") == LinkAt("/v1/2")
    assert after("<https://H:443/v1/../2#x>; rel=next") == LinkAt("/2")
    assert after("<https://elsewhere.test/2>; rel=next") == LinkAt("https://elsewhere.test/2")
    assert after("</2>; rel=nextish", "</2>") is None
    assert after("</2>; rel=prev; rel=next") is None
    assert after('</2>; title="; rel=next"') is None
    assert after() is None
    for anchor in ("/other", "#part", "https://elsewhere.test/v1/nodes?p=1", "javascript:x", "?p=2", "/v1/nodes"):
        assert after(f'</2>; rel=next; anchor="{anchor}"') is None, anchor
    for anchor in ("", "?p=1", "/v1/nodes?p=1", "https://h/v1/nodes?p=1", "nodes?p=1"):
        assert after(f'</2>; rel=next; anchor="{anchor}"') == LinkAt("/2"), anchor
    assert after("</3>; rel=next; anchor=/x, </2>; rel=next") == LinkAt("/2")


def test_the_relation_may_be_another() -> None:
    style = LinkHeader("Older")

    assert style.after(LinkAt(), page_of(style, [], link="</2>; rel=older")) == LinkAt("/2")


def test_a_url_may_be_anywhere_in_the_body() -> None:
    hal = NextUrl("_links.next.href", items="_embedded.nodes")
    odata = NextUrl(("@odata.nextLink",), items="value", total=("@odata.count",))

    assert hal.after(
        LinkAt(), page_of(hal, {"_embedded": {"nodes": []}, "_links": {"next": {"href": "/2"}}})
    ) == LinkAt("/2")
    assert hal.after(LinkAt(), page_of(hal, {"_embedded": {"nodes": []}, "_links": {}})) is None
    page = page_of(odata, {"value": [], "@odata.nextLink": "/2", "@odata.count": 12})
    assert odata.after(LinkAt(), page) == LinkAt("/2")
    assert page.total == 12


@BOTH
@pytest.mark.parametrize("spelled", ["/v1/2#{n}", "https://h/v1/2#{n}", "./2#{n}", "HTTPS://H:443/v1/./2#{n}"])
def test_a_link_is_known_again_however_it_is_spelled(colour: Colour, spelled: str) -> None:
    count = iter(range(9))

    def serve(request: Request) -> Response:
        here = next(count)
        return json_response(
            [{"id": here}], headers={"link": f"<{spelled.format(n=here) if here else '/v1/2'}>; rel=next"}
        )

    seen: list[Any] = []
    with pytest.raises(ContractError, match="same page again"):
        take(colour.client(LinkHeader(), serve).nodes.all(), seen)

    assert numbers(seen) == [0]


@BOTH
def test_a_path_that_begins_with_two_slashes_is_no_other_origin(colour: Colour) -> None:
    links = ["https://h//evil.test/x", "?page=3", None]
    transport = FakeTransport(
        [json_response([], headers={"link": f"<{link}>; rel=next"} if link else {}) for link in links]
    )

    take(colour.client(LinkHeader(), transport).nodes.all())

    assert [request.target for request in transport.requests[1:]] == ["//evil.test/x", "//evil.test/x?page=3"]
    assert {request.url.origin.host for request in transport.requests} == {"h"}


@BOTH
def test_links_that_go_in_a_circle_end(colour: Colour) -> None:
    turns = {"/v1/nodes?zone=a": "/2", "/2": "/3", "/3": "/2"}
    transport = FakeTransport(otherwise=lambda r: json_response([], headers={"link": f"<{turns[r.target]}>; rel=next"}))

    with pytest.raises(ContractError, match="same page again"):
        take(colour.client(LinkHeader(), transport).nodes.all())

    assert len(transport.requests) == 3


# --- keysets


class Dated(Model):
    made: datetime.date
    key: uuid.UUID
    part: str | None = None


def test_the_keys_of_the_last_item_are_the_next_position() -> None:
    style = Keyset({"made": "made_after", "key": "key_after"})
    key = uuid.UUID(int=7)
    made = datetime.date(2024, 5, 6)
    position = KeyAt(("2024-05-06", str(key)), 1)

    assert style.after(KeyAt(), Page([Dated(made=made, key=key)])) == position
    assert style.after(KeyAt(), Page([{"made": made, "key": key}])) == position
    assert query(style, position) == (("made_after", "2024-05-06"), ("key_after", str(key)))


@pytest.mark.parametrize(
    ("made", "better"),
    [
        (datetime.datetime(2024, 5, 6, tzinfo=datetime.UTC), "str"),
        (datetime.time(12), "str"),
        (datetime.timedelta(1), "str"),
        (1.5, "Decimal"),
    ],
)
def test_a_key_that_may_have_been_rounded_is_refused(made: Any, better: str) -> None:
    with pytest.raises(ConfigurationError, match=f"is a {type(made).__name__}, .* have it as a {better}"):
        Keyset({"made": "made_after"}).after(KeyAt(), Page([{"made": made}]))


class Scored(Model):
    score: Decimal


@BOTH
def test_a_key_of_any_precision_goes_back_as_it_came(colour: Colour) -> None:
    scores = [Response(200, body=b'[{"score": 1.10000000000000000009}]'), json_response([])]
    transport = FakeTransport(scores)

    take(colour.client(Keyset({"score": "above"}), transport, Scored).nodes.all())

    assert dict(transport.requests[1].query)["above"] == "1.10000000000000000009"


@pytest.mark.parametrize("item", [{}, {"id": None}, {"id": True}, {"id": [1]}, 5, "x"])
def test_a_last_item_without_its_key_is_an_error(item: Any) -> None:
    with pytest.raises(ContractError, match="no id to go on from"):
        Keyset({"id": "after"}).after(KeyAt(), Page([item]))


@pytest.mark.parametrize(
    ("seen", "items", "total", "expected"),
    [(0, 3, None, 3), (0, 0, None, None), (3, 3, 6, None), (3, 3, 7, 6), (0, 2, None, None), (4, 2, 8, 6)],
)
def test_a_keyset_ends_with_the_total_or_with_a_short_page_where_they_are_exact(
    seen: int, items: int, total: int | None, expected: int | None
) -> None:
    style = Keyset({"id": "after"}, size=3, exact=True)
    at = style.after(KeyAt((1,), seen), Page([{"id": n} for n in range(items)], total=total))

    assert (at and at.seen) == expected


def test_without_a_size_a_count_may_always_be_the_pages_own() -> None:
    page = Page([{"id": 1}, {"id": 2}], total=2)

    assert Keyset({"id": "after"}).after(KeyAt(), page) == KeyAt((2,), 2)


@pytest.mark.parametrize("make", [lambda: Keyset({}), lambda: Keyset({"id": "after"}, exact=True)])
def test_a_keyset_that_cannot_be_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError):
        make()


# --- tokens


@BOTH
@KINDS
@given(
    st.text(max_size=30)
    | st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), st.lists).map(
        lambda v: json.dumps(["nodes", v])
    )
)
@settings(deadline=None, max_examples=60)
def test_whatever_the_token_it_is_a_page_or_an_error_of_ours(colour: Colour, kind: str, token: str) -> None:
    client = colour.client(styles(3)[kind], FakeTransport(otherwise=json_response({"nodes": [{"id": 1}]})))

    try:
        page = get(client.nodes.at(token)())
    except UsageError:
        return
    except ContractError:
        assert kind in ("url in the body", "link header", "cursor in the header")
        return

    assert isinstance(page, Page)
