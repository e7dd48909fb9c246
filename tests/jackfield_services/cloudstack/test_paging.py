"""Paging by the decision table of the specification (2.2): exact results and exact numbers of requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import Request, Response
from jackfield.testing import FakeTransport, json_response
from jackfield_services.cloudstack import CloudStack, CloudStackClientException
from jackfield_services.cloudstack.emulator import CloudStackEmulator

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse

TOTAL = [(0, 1), (3, 1), (499, 1), (500, 2), (501, 2), (1000, 2), (1200, 3)]
PAGE = [(0, 1), (3, 1), (499, 1), (500, 2), (501, 2), (1000, 3), (1200, 3)]


@pytest.mark.parametrize(
    ("count", "machines", "requests"),
    [("total", *row) for row in TOTAL] + [("page", *row) for row in PAGE],
)
def test_either_meaning_of_count_gives_every_item_once(
    count: Literal["total", "page"], machines: int, requests: int
) -> None:
    with (
        CloudStackEmulator(machines=machines, count=count) as cloud,
        CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret) as cs,
    ):
        answer = cs.listVirtualMachines()

        names = [machine["name"] for machine in answer.get("virtualmachine", [])]
        assert names == [f"vm-{n:04}" for n in range(1, machines + 1)]
        assert answer.get("count", 0) == machines
        assert len(cloud.requests) == requests


def client_of(answer: Callable[[int, int], Any]) -> tuple[CloudStack, FakeTransport]:
    """A client of a server whose answer to page and page size is the function's."""

    def respond(request: Request) -> Response:
        asked = dict(request.query)
        return json_response({"listthingsresponse": answer(int(asked["page"]), int(asked["pagesize"]))})

    transport = FakeTransport(otherwise=respond)
    return CloudStack("http://cloud.test/client/api", "key", "secret", transport=transport), transport


@pytest.mark.parametrize(("items", "requests"), [(3, 1), (800, 1), (500, 2)])
@pytest.mark.parametrize("counted", [True, False])
def test_a_command_that_ignores_paging_ends(items: int, requests: int, counted: bool) -> None:
    everything = {"thing": [{"id": n} for n in range(items)]}
    client, transport = client_of(lambda page, size: {"count": items, **everything} if counted else everything)

    answer = client.listThings()

    assert len(answer["thing"]) == answer["count"] == items
    assert len(transport.requests) == requests


@pytest.mark.parametrize(("pages", "requests"), [(2, 2), (3, 3)])
def test_pages_shorter_than_their_count_do_not_end_the_list(pages: int, requests: int) -> None:
    """CloudStackAIO's own suite has such a server: one item a page, and `count` says 500 until the last says 400."""
    client, transport = client_of(
        lambda page, size: {"count": 500 if page < pages else 400, "thing": [{"id": page}]},
    )

    answer = client.listThings()

    assert [thing["id"] for thing in answer["thing"]] == list(range(1, pages + 1))
    assert answer["count"] == 500 * (pages - 1) + 400
    assert len(transport.requests) == requests


# A row of the decision table each: pages as (count, items), of 4 a page; items that come, `count` at the end, requests.
ROWS: list[tuple[str, list[tuple[int | str | None, str]], str, int, int]] = [
    ("no list: stop", [(9, "")], "", 9, 1),
    ("no list after a total: stop", [(4, "abcd"), (4, "")], "abcd", 4, 2),
    ("empty after a page's count: stop", [(4, "abcd"), (None, "")], "abcd", 4, 2),
    ("the page before again: stop, drop it", [(4, "abcd"), (4, "abcd")], "abcd", 4, 2),
    ("another page, which begins alike: go on", [(4, "abcd"), (4, "abce"), (1, "x")], "abcdabcex", 9, 3),
    ("no count, a short page: stop", [(None, "abc")], "abc", 3, 1),
    ("no count, a full page: ask on", [(None, "abcd"), (None, "e")], "abcde", 5, 2),
    ("no count, a full page and nothing: stop", [(None, "abcd"), (None, "")], "abcd", 4, 2),
    ("a count below a page: stop", [(3, "abc")], "abc", 3, 1),
    ("a count below a page as text: stop", [("3", "abc")], "abc", 3, 1),
    ("more items than a page: stop", [(6, "abcdef")], "abcdef", 6, 1),
    ("more items than a page, no count: stop", [(None, "abcdef")], "abcdef", 6, 1),
    ("a total, all collected: stop", [(7, "abcd"), (7, "efg")], "abcdefg", 7, 2),
    ("a total as text", [("7", "abcd"), ("7", "efg")], "abcdefg", 7, 2),
    ("a total, short pages: until all are there", [(5, "ab"), (5, "cd"), (5, "e")], "abcde", 5, 3),
    ("a total that is too high: until nothing comes", [(9, "abcd"), (9, "ef"), (9, "")], "abcdef", 9, 3),
    ("a total that grows: the last one counts", [(5, "abcd"), (6, "ef")], "abcdef", 6, 2),
    ("a count of a page: ask once more", [(4, "abcd"), (2, "ef")], "abcdef", 6, 2),
    ("a count of a page, short pages: CloudStackAIO's own suite", [(4, "a"), (2, "b")], "ab", 6, 2),
    ("what no client can see: pages that are filtered after they are counted", [(2, "ab")], "ab", 2, 1),
    ("a count that is none is no count", [("many", "abcd"), (None, "")], "abcd", 4, 2),
]


@pytest.mark.parametrize(
    ("pages", "items", "count", "requests"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_every_row_of_the_decision_table(
    converse: Converse, pages: list[tuple[int | str | None, str]], items: str, count: int, requests: int
) -> None:
    answers = [
        {**({} if number is None else {"count": number}), **({"thing": list(names)} if names else {})}
        for number, names in pages
    ]
    transport = FakeTransport([json_response({"listthingsresponse": answer}) for answer in answers])

    answer = converse(lambda cs: cs.listThings(), transport=transport, max_page_size=4)

    assert "".join(answer.get("thing", [])) == items
    assert answer.get("count") == count
    assert [dict(request.query)["page"] for request in transport.requests] == [str(n + 1) for n in range(requests)]


def test_an_empty_list_is_an_empty_answer() -> None:
    client, _ = client_of(lambda page, size: {})

    assert client.listThings() == {}


def test_a_list_command_that_lists_nothing_gives_its_answer() -> None:
    client, transport = client_of(lambda page, size: {"count": 1, "capability": {"cloudstackversion": "4.22"}})

    assert client.listCapabilities() == {"count": 1, "capability": {"cloudstackversion": "4.22"}}
    assert len(transport.requests) == 1


@pytest.mark.parametrize("page", [{"page": 2, "pagesize": 100}, {"PageSize": -1}])
def test_the_callers_own_page_is_respected(page: dict[str, int]) -> None:
    transport = FakeTransport([json_response({"listthingsresponse": {"count": 900, "thing": [{"id": 1}]}})])
    client = CloudStack("http://cloud.test/client/api", "key", "secret", transport=transport)

    answer = client.listThings(**page)

    assert answer == {"count": 900, "thing": [{"id": 1}]}
    assert {name: int(value) for name, value in transport.requests[0].query if name in page} == page


@settings(max_examples=60)
@given(st.integers(0, 40), st.integers(1, 12), st.sampled_from(["total", "page", "none"]), st.booleans())
def test_any_size_of_list_and_page_gives_every_item_once(total: int, size: int, count: str, as_text: bool) -> None:
    def answer(page: int, size: int) -> dict[str, Any]:
        items = [{"id": n} for n in range(total)][(page - 1) * size : page * size]
        counted = {"total": total, "page": len(items)}.get(count)
        fields = {} if counted is None else {"count": str(counted) if as_text else counted}
        return {**fields, **({"thing": items} if items else {})}

    client, transport = client_of(answer)
    client.max_page_size = size

    assert [thing["id"] for thing in client.listing.all("listThings")] == list(range(total))
    assert len(transport.requests) <= total // size + 1 + (total % size == 0)


def test_a_list_is_resumed_from_a_pages_token_by_another_client() -> None:
    with CloudStackEmulator(machines=5) as other:
        keys = (other.end_point, other.api_key, other.api_secret)
        first, second = CloudStack(*keys, max_page_size=2), CloudStack(*keys, max_page_size=500)
        with first, second:
            token = first.listing("listVirtualMachines").next or ""
            rest = [machine["name"] for machine in second.listing.at(token).all("listVirtualMachines")]

    assert rest == ["vm-0003", "vm-0004", "vm-0005"]


def test_a_page_size_over_the_servers_is_the_servers_error(cloud: CloudStackEmulator, converse: Converse) -> None:
    with pytest.raises(CloudStackClientException, match="Page size can't exceed max allowed page size value: 500"):
        converse(lambda cs: cs.listVirtualMachines(), max_page_size=501)


@pytest.mark.parametrize("kind", ["another field", "another order"])
def test_a_command_that_ignores_paging_ends_though_the_rest_of_its_answer_varies(kind: str) -> None:
    things = [{"id": n, "name": "x"} for n in range(500)]
    turned = [{"name": "x", "id": n} for n in range(500)]
    seen: list[int] = []

    def answer(page: int, size: int) -> Any:
        assert page < 4, "it does not end"
        seen.append(page)
        if kind == "another field":
            return {"count": 500, "thing": things, "asof": page}
        return {"count": 500, "thing": things} if page % 2 else {"thing": turned, "count": 500}

    client, _ = client_of(answer)

    assert len(client.listThings()["thing"]) == 500
    assert seen == [1, 2]


@pytest.mark.parametrize("name", ["page", "pagesize", "PAGE"])
def test_none_for_a_page_is_no_page(name: str) -> None:
    client, _ = client_of(lambda page, size: {"count": 1, "thing": [{"id": 1}]})

    nothing: dict[str, Any] = {name: None}
    assert client.request("listThings", fetch_list=True, **nothing) == [{"id": 1}]
    assert list(client.listing.all("listThings", **nothing)) == [{"id": 1}]


def test_the_items_are_the_first_list_that_is_not_empty() -> None:
    client, _ = client_of(lambda page, size: {"count": 2, "empty": [], "thing": [{"id": 1}, {"id": 2}]})

    assert list(client.listing.all("listThings")) == [{"id": 1}, {"id": 2}]
    assert client.listThings() == {"count": 2, "empty": [], "thing": [{"id": 1}, {"id": 2}]}
