"""The emulator's pages and counts."""

from __future__ import annotations

from typing import Literal

import pytest
from tests.cloudstack_wire import call, machines, refusal

from jackfield_services.cloudstack.emulator import CloudStackEmulator


@pytest.mark.parametrize(("count", "last"), [("total", 1200), ("page", 200)])
def test_count_is_the_total_or_the_page_as_asked(count: Literal["total", "page"], last: int) -> None:
    with CloudStackEmulator(machines=1200, count=count) as cloud:
        pages = [machines(cloud, page=str(page), pagesize="500") for page in (1, 2, 3)]
    assert [len(page["virtualmachine"]) for page in pages] == [500, 500, 200]
    assert [page["count"] for page in pages] == ([1200, 1200, last] if count == "total" else [500, 500, last])
    assert len({machine["id"] for page in pages for machine in page["virtualmachine"]}) == 1200


@pytest.mark.parametrize(("count", "expected"), [("total", {"count": 3}), ("page", {})])
def test_a_page_past_the_end_has_no_list(count: Literal["total", "page"], expected: dict[str, int]) -> None:
    with CloudStackEmulator(machines=3, count=count) as cloud:
        assert machines(cloud, page="2", pagesize="3") == expected


def test_the_meaning_of_count_may_change_while_it_runs() -> None:
    with CloudStackEmulator(machines=3) as cloud:
        assert machines(cloud, page="1", pagesize="2")["count"] == 3
        cloud.count = "page"
        assert machines(cloud, page="1", pagesize="2")["count"] == 2


def test_without_paging_the_first_default_page_comes() -> None:
    with CloudStackEmulator(machines=501) as cloud:
        found = machines(cloud)
    assert (found["count"], len(found["virtualmachine"])) == (501, 500)


def test_a_pagesize_of_minus_one_brings_everything() -> None:
    with CloudStackEmulator(machines=501) as cloud:
        assert len(machines(cloud, pagesize="-1")["virtualmachine"]) == 501


def test_a_server_without_page_limit_takes_any_pagesize() -> None:
    with CloudStackEmulator(machines=501, page_size_limit=-1) as cloud:
        assert len(machines(cloud)["virtualmachine"]) == 501
        assert len(machines(cloud, page="1", pagesize="9999")["virtualmachine"]) == 501


@pytest.mark.parametrize("page", ["0", "-3", "1", ""])
def test_a_page_of_nought_or_less_is_the_first(page: str) -> None:
    with CloudStackEmulator(machines=3) as cloud:
        assert machines(cloud, page=page, pagesize="1")["virtualmachine"][0]["name"] == "vm-0001"


@pytest.mark.parametrize(
    ("paging", "cs_code", "text"),
    [
        ({"page": "1"}, 9999, '"pagesize" parameter is required when "page" is specified'),
        ({"pagesize": "10"}, 9999, '"page" parameter is required when "pagesize" is specified'),
        ({"page": "1", "pagesize": "501"}, 4350, "Page size can't exceed max allowed page size value: 500"),
        (
            {"page": "1", "pagesize": "-1"},
            4350,
            "Can't specify page parameter when pagesize is -1 (Unlimited)",
        ),
        ({"page": "1", "pagesize": "many"}, 9999, 'For input string: "many"'),
        ({"page": "one", "pagesize": "1"}, 9999, 'For input string: "one"'),
        ({"page": "1", "pagesize": ""}, 9999, 'For input string: ""'),
        ({"page": "1", "pagesize": "-2"}, 4350, "Invalid value -2 for parameter pagesize"),
    ],
)
def test_paging_that_cannot_be_is_a_431(
    cloud: CloudStackEmulator, paging: dict[str, str], cs_code: int, text: str
) -> None:
    reply = call(cloud, "listVirtualMachines", **paging)
    assert refusal(reply, "listvirtualmachinesresponse") == (431, cs_code, text)
    assert reply.headers["X-Description"] == text


def test_names_of_parameters_are_read_in_any_case() -> None:
    with CloudStackEmulator(machines=3) as cloud:
        assert len(machines(cloud, PAGE="1", PageSize="2")["virtualmachine"]) == 2


def test_a_command_that_ignores_paging_gives_everything_on_every_page(cloud: CloudStackEmulator) -> None:
    pages = [call(cloud, "listHypervisors", page=page, pagesize="1").body for page in ("1", "2")]
    assert pages[0] == pages[1] == call(cloud, "listHypervisors").body
