"""Page after page of a list: all of it, once, whatever the Hub makes of limits and totals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.jackfield_services.flame_hub.hub_clients import BOTH, asked_of, client, get, listed, node, page_of

from jackfield import ContractError, Request, Response, UsageError
from jackfield.testing import FakeTransport
from jackfield_services.flame_hub import CoreClient, auth
from jackfield_services.flame_hub.emulator import FlameHubEmulator


def hub_of(
    count: int,
    *,
    most: int = 50,
    told: Callable[[int, int], dict[str, Any]] | None = None,
    seen: Callable[[int], bool] = lambda number: True,
) -> FakeTransport:
    """A Hub of so many nodes; `told` gives the meta of limit and offset, `seen` says which one may see."""

    def answer(request: Request) -> Response:
        query = dict(request.query)
        limit, offset = min(int(query["page[limit]"]), most), int(query["page[offset]"])
        numbers = [number for number in range(offset, min(offset + limit, count)) if seen(number)]
        hidden = len(range(offset, min(offset + limit, count))) - len(numbers)
        meta = told(limit, offset) if told else {"total": count - hidden, "limit": limit, "offset": offset}
        return listed(map(node, numbers), **meta)

    return FakeTransport(otherwise=answer)


def numbers(records: list[Any]) -> list[int]:
    return [int(record.name.removeprefix("node-")) for record in records]


def offsets(transport: FakeTransport) -> list[int]:
    return [page_of(transport, number)[1] for number in range(len(transport.requests))]


@BOTH
@pytest.mark.parametrize(
    ("count", "asked"), [(0, [0]), (1, [0]), (50, [0]), (51, [0, 50]), (100, [0, 50]), (120, [0, 50, 100])]
)
def test_all_goes_through_every_page(colour: str, count: int, asked: list[int]) -> None:
    transport = hub_of(count)

    found = get(client(colour, transport).find_nodes.all())

    assert numbers(found) == list(range(count))
    assert offsets(transport) == asked


@BOTH
def test_pages_come_with_their_total_and_a_token_for_the_next(colour: str) -> None:
    transport = hub_of(120)
    nodes = client(colour, transport).find_nodes

    pages = get(nodes.pages(page={"limit": 48}))

    assert [(len(page), page.total) for page in pages] == [(48, 120), (48, 120), (24, 120)]
    assert pages[-1].next is None
    assert numbers(get(nodes.at(pages[0].next)(page={"limit": 48}))) == list(range(48, 96))
    assert numbers(get(nodes.at(pages[1].next).all(page={"limit": 48}))) == list(range(96, 120))


@BOTH
def test_a_walk_begins_where_the_caller_says(colour: str) -> None:
    transport = hub_of(120)

    found = get(client(colour, transport).find_nodes.all(page={"limit": 7, "offset": 100}))

    assert numbers(found) == list(range(100, 120))
    assert offsets(transport) == [100, 107, 114]


@BOTH
def test_a_limit_that_the_hub_lowers_loses_nothing(colour: str) -> None:
    transport = hub_of(120)

    assert numbers(get(client(colour, transport).find_nodes.all(page={"limit": 500}))) == list(range(120))
    assert offsets(transport) == [0, 50, 100]


@pytest.mark.parametrize("told", [{}, {"limit": 500}, {"limit": 60}, {"limit": None}])
def test_a_limit_that_is_lowered_without_a_word_loses_nothing(told: dict[str, Any]) -> None:
    transport = hub_of(120, told=lambda limit, offset: {"total": 120} | told)

    assert numbers(list(client("sync", transport).find_nodes.all(page={"limit": 60}))) == list(range(120))


@BOTH
@pytest.mark.parametrize("ahead", [1, 2, 7])
def test_reading_ahead_gives_the_same(colour: str, ahead: int) -> None:
    transport = hub_of(120)

    found = get(client(colour, transport, runtime=None).find_nodes.prefetch(ahead).all(page={"limit": 10}))

    assert numbers(found) == list(range(120))
    assert offsets(transport) == list(range(0, 120, 10))


@BOTH
def test_filters_and_whatever_else_go_along_to_every_page(colour: str) -> None:
    transport = hub_of(120)

    core = client(colour, transport, generation="1.1.0")

    get(core.find_nodes.all(filter={"realm_id": None}, sort="-name", include=(), fields="id"))

    asked = {"filter[realmId]": "null", "sort": "-name", "fields": "+id"}
    assert [asked_of(transport, number) for number in range(3)] == [asked] * 3


@BOTH
def test_without_a_total_the_walk_ends_at_an_empty_page(colour: str) -> None:
    transport = hub_of(100, told=lambda limit, offset: {})

    assert numbers(get(client(colour, transport).find_nodes.all())) == list(range(100))
    assert offsets(transport) == [0, 50, 100]


@BOTH
def test_a_total_that_grows_is_gone_after(colour: str) -> None:
    transport = hub_of(120, told=lambda limit, offset: {"total": min(offset + limit + 1, 120)})

    assert numbers(get(client(colour, transport).find_nodes.all())) == list(range(120))


@BOTH
def test_a_total_that_shrinks_ends_it(colour: str) -> None:
    transport = hub_of(120, told=lambda limit, offset: {"total": 120 if offset == 0 else 60})

    assert numbers(get(client(colour, transport).find_nodes.all())) == list(range(100))


@settings(deadline=None, max_examples=100)
@given(
    count=st.integers(0, 60),
    limit=st.integers(1, 20),
    offset=st.integers(0, 30),
    most=st.integers(1, 12),
    hidden=st.sets(st.integers(0, 60)),
)
def test_whoever_may_not_see_all_gets_what_he_may_see_once(
    count: int, limit: int, offset: int, most: int, hidden: set[int]
) -> None:
    transport = hub_of(count, most=most, seen=lambda number: number not in hidden)
    walk = client("sync", transport).find_nodes.all(page={"limit": limit, "offset": offset})

    try:
        found = numbers(list(walk))
    except ContractError:  # ten pages in a row without a record
        assert len(hidden) >= 10
    else:
        assert found == [number for number in range(offset, count) if number not in hidden]


@BOTH
def test_empty_pages_without_end_are_an_error(colour: str) -> None:
    transport = hub_of(10**9, seen=lambda number: False, told=lambda limit, offset: {"total": 10**9, "limit": limit})

    with pytest.raises(ContractError, match="empty pages"):
        get(client(colour, transport).find_nodes.all())

    assert len(transport.requests) == 10


@BOTH
def test_an_empty_page_before_the_end_is_no_end(colour: str) -> None:
    transport = FakeTransport([listed([], total=120)] * 2)

    with pytest.raises(ContractError, match="same page again"):
        get(client(colour, transport).find_nodes.all())


@BOTH
def test_one_page_that_is_empty_against_its_total_is_an_empty_page(colour: str) -> None:
    transport = FakeTransport([listed([], total=120)])

    assert get(client(colour, transport).find_nodes()) == []


@BOTH
def test_a_hub_that_passes_over_the_offset_is_an_error(colour: str) -> None:
    transport = FakeTransport(otherwise=listed(map(node, range(50)), total=120, limit=50, offset=0))

    with pytest.raises(ContractError, match="same page again"):
        get(client(colour, transport).find_nodes.all())

    assert len(transport.requests) == 2


@BOTH
@pytest.mark.parametrize("total", [-1, 0, 10])
def test_a_total_that_cannot_be_ends_it(colour: str, total: int) -> None:
    transport = FakeTransport([listed(map(node, range(50)), total=total)])

    assert len(get(client(colour, transport).find_nodes.all())) == 50


@pytest.mark.parametrize("limit", [-5, 0, 3])
def test_more_records_than_the_limit_that_is_told_are_passed_over_whole(limit: int) -> None:
    transport = hub_of(120, told=lambda _, offset: {"total": 120, "limit": limit})

    assert numbers(get(client("sync", transport).find_nodes.all())) == list(range(120))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "null",
        "{}",
        '["find_nodes",[-50],""]',
        '["find_nodes",["50"],""]',
        '["find_nodes",[1.5],""]',
        '["find_nodes",50,""]',
        '["find_realms",[50],""]',
        '["find_nodes",[50],"00000000"]',
    ],
)
def test_a_token_that_is_none_of_this_list_is_refused(token: str) -> None:
    transport = FakeTransport()

    with pytest.raises(UsageError):
        client("sync", transport).find_nodes.at(token)()

    assert transport.requests == []


def test_a_token_is_of_the_arguments_it_came_with() -> None:
    nodes = client("sync", hub_of(120)).find_nodes
    token = nodes(filter={"name": "~node"}).next

    assert len(nodes.at(token)(filter={"name": "~node"})) == 50
    with pytest.raises(UsageError, match="other arguments"):
        nodes.at(token)(filter={"name": "~no"})


@BOTH
def test_meta_says_what_the_hub_says_of_the_list(colour: str) -> None:
    transport = hub_of(120)

    page, meta = get(client(colour, transport).find_nodes(meta=True, page={"limit": 7, "offset": 3}))

    assert (len(page), meta.total, meta.limit, meta.offset) == (7, 120, 7, 3)
    assert meta.response_schema == {"name": "node", "fields": []}
    assert page.next is not None


def test_meta_is_of_one_page() -> None:
    nodes: Any = client("sync", FakeTransport()).find_nodes

    for walk in (nodes.all, nodes.pages):
        with pytest.raises(UsageError, match="one page"):
            walk(meta=True)


@pytest.mark.parametrize("meta", [None, {}])
def test_meta_of_a_hub_that_says_nothing_is_empty(meta: Any) -> None:
    body = b'{"data": []}' if meta is None else b'{"data": [], "meta": null}'

    _, told = client("sync", FakeTransport([Response(200, body=body)])).find_nodes(meta=True)

    assert (told.total, told.limit, told.offset, told.response_schema) == (None, None, None, None)


@pytest.fixture(scope="module", params=["0.1.1", "1.1.0"])
def core(request: pytest.FixtureRequest) -> Any:
    with FlameHubEmulator(request.param, nodes=120) as hub:
        who = auth.PasswordAuth(hub.username, hub.password, hub.auth_url)
        with CoreClient(hub.core_url, who) as found:
            yield found


def test_a_hub_gives_all_of_it_once(core: Any) -> None:
    found = [record.name for record in core.find_nodes.all(page={"limit": 500}, sort={"by": "name"})]

    assert found == [f"node-{number:04}" for number in range(1, 121)]


def test_a_hub_gives_the_same_whatever_the_pages(core: Any) -> None:
    assert core.find_nodes(page={"limit": 50, "offset": 0}) == core.get_nodes()
    assert core.find_nodes(page={"limit": 25})[10:20] == core.find_nodes(page={"limit": 10, "offset": 10})
    assert list(core.find_nodes.prefetch(2).all(page={"limit": 13})) == list(core.find_nodes.all())
    assert len(list(core.find_nodes.all(page={"limit": 50, "offset": 119}))) == 1
    assert list(core.find_nodes.all(page={"offset": 120})) == core.find_nodes(page={"offset": 10**6}) == []


def test_a_hub_gives_what_is_filtered_page_by_page(core: Any) -> None:
    found = [record.name for record in core.find_nodes.all(filter={"name": "~node-01"}, page={"limit": 6})]

    assert found == [f"node-{number:04}" for number in range(100, 121)]
