"""Filters, sort, pages, relations and fields of a list."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from tests.jackfield_services.flame_hub.hub_wire import NOON, Session

from jackfield_services.flame_hub.emulator import FlameHubEmulator


def names(session: Session, *query: tuple[str, str], path: str = "/nodes") -> list[str]:
    return [record["name"] for record in session.core("GET", f"{path}?{urlencode(query)}").data]


@pytest.fixture
def nodes(session: Session) -> Session:
    """Nodes of three names, at three times."""
    session.make("nodes", name="Alpha", hidden=True)
    session.make("nodes", name="beta", external_name="b")
    session.make("nodes", name="gamma")
    return session


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("name", "beta", ["beta"]),
        ("name", "Beta", []),
        ("name", "!beta", ["Alpha", "gamma"]),
        ("name", "~al", ["Alpha"]),
        ("name", "~lpha", []),
        ("name", "!~al", ["beta", "gamma"]),
        ("name", "beta,gamma", ["beta", "gamma"]),
        ("name", "!beta,gamma", ["Alpha"]),
        ("name", ">beta", ["gamma"]),
        ("name", ">=beta", ["beta", "gamma"]),
        ("name", "<beta", ["Alpha"]),
        ("name", "<=beta", ["Alpha", "beta"]),
        ("hidden", "true", ["Alpha"]),
        ("hidden", "false", ["beta", "gamma"]),
        ("hidden", "True", []),
        ("external_name", "null", ["Alpha", "gamma"]),
        ("external_name", "!null", ["beta"]),
        ("external_name", "~b", ["beta"]),
        ("external_name", "~null", []),
        ("created_at", ">=2026-11-20T12:00:00Z", ["Alpha", "beta", "gamma"]),
        ("created_at", "<2026-11-20T13:00:00+01:00", []),
        ("created_at", "2026-11-20 12:00:00", ["Alpha", "beta", "gamma"]),
        ("created_at", ">nonsense", []),
    ],
)
def test_filters(nodes: Session, key: str, value: str, found: list[str]) -> None:
    (wire,) = nodes.wire(**{key: 0})
    assert names(nodes, (f"filter[{wire}]", value)) == found


def test_filters_of_numbers_compare_numbers(session: Session) -> None:
    bucket = session.make("buckets", name="numbers")
    for name, size in (("small", 9), ("large", 10)):
        body = f'--b\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n{"x" * size}\r\n--b--'
        path = f"/buckets/{bucket['id']}/upload"
        session.storage("POST", path, body.encode(), **{"Content-Type": "multipart/form-data; boundary=b"})
    found = session.storage("GET", "/bucket-files?filter[size]=%3C10").data
    assert [file["name"] for file in found] == ["small"]


def test_several_filters_hold_together(nodes: Session) -> None:
    assert names(nodes, ("filter[hidden]", "false"), ("filter[name]", "~g")) == ["gamma"]


def test_a_filter_reaches_through_a_relation(session: Session) -> None:
    analysis = session.analysis()
    (key,) = session.wire(project=0)
    found = session.core("GET", f"/analyses?filter[{key}.name]=project").data
    none = session.core("GET", f"/analyses?filter[{key}.name]=other").data
    assert ([each["id"] for each in found], none) == ([analysis["id"]], [])


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("name", ["Alpha", "beta", "gamma"]),
        ("-name", ["gamma", "beta", "Alpha"]),
        ("hidden,-name", ["gamma", "beta", "Alpha"]),
        ("hidden,name", ["beta", "gamma", "Alpha"]),
        ("-hidden,name", ["Alpha", "beta", "gamma"]),
    ],
)
def test_sort_by_one_key_or_several(nodes: Session, sort: str, found: list[str]) -> None:
    assert names(nodes, ("sort", sort)) == found


def test_descending_is_ascending_reversed_where_all_are_alike_too(nodes: Session) -> None:
    (key,) = nodes.wire(created_at=0)
    assert names(nodes, ("sort", f"-{key}")) == names(nodes, ("sort", key))[::-1]


def test_what_has_no_value_comes_first(nodes: Session) -> None:
    (key,) = nodes.wire(external_name=0)
    assert names(nodes, ("sort", key))[-1] == "beta"


def test_pages_are_cut_from_what_was_found() -> None:
    with FlameHubEmulator("1.1.0", nodes=120) as hub:
        session = Session(hub)
        pages = [session.core("GET", f"/nodes?page[limit]=50&page[offset]={start}").json for start in (0, 50, 100, 150)]
        unasked = session.core("GET", "/nodes").json
    assert [len(page["data"]) for page in pages] == [50, 50, 20, 0]
    assert pages[2]["data"][-1]["name"] == "node-0120"
    assert {page["meta"]["total"] for page in pages} == {120}
    assert (unasked["data"], unasked["meta"]["limit"], unasked["meta"]["offset"]) == (pages[0]["data"], 50, 0)


@pytest.mark.parametrize("limit", ["0", "-1", "x", "", "51", "9999999999"])
def test_a_limit_that_is_none_is_the_largest(limit: str) -> None:
    with FlameHubEmulator("0.1.1", nodes=60) as hub:
        assert Session(hub).core("GET", f"/nodes?page[limit]={limit}").json["meta"]["limit"] == 50


def test_the_auth_service_gives_all_unless_asked_for_a_page(session: Session) -> None:
    for number in range(60):
        session.make("realms", name=f"realm-{number}")
    whole, page = session.auth("GET", "/realms").json, session.auth("GET", "/realms?page[limit]=100").json
    assert (len(whole["data"]), "limit" in whole["meta"]) == (61, False)
    assert (len(page["data"]), page["meta"]["limit"], page["meta"]["total"]) == (50, 50, 61)
    assert len(session.auth("GET", "/realms?page[offset]=0").data) == 50


def test_relations_are_included_where_asked_for(session: Session) -> None:
    analysis = session.analysis()
    (image,) = session.wire(master_image=0)
    plain = session.core("GET", f"/analyses/{analysis['id']}").data
    one = session.core("GET", f"/analyses/{analysis['id']}?include=project,{image},registry").data
    (listed,) = session.core("GET", f"/analyses?include=project,{image},registry").data
    assert not {"project", image, "registry"} & set(plain)
    assert (one["project"]["name"], one[image]["name"], one["registry"]) == ("project", "base", None)
    assert listed == one


def test_fields_are_added_chosen_and_left_out(session: Session) -> None:
    path = f"/users/{session.make('users', name='carol', email='carol@example.com')['id']}"

    def shown(fields: str) -> Any:
        return session.auth("GET", f"{path}?fields={quote(fields)}").data

    assert "email" not in session.auth("GET", path).data
    assert shown("+email")["email"] == "carol@example.com"
    assert shown("id,name") == {"id": path[7:], "name": "carol"}
    assert set(shown("id,+email")) == {"id", "email"}
    assert "name" not in shown("-name")


def test_a_bare_plus_is_a_space_and_adds_nothing(old: FlameHubEmulator) -> None:
    assert "email" not in Session(old).auth("GET", "/users?fields=+email").data[0]


@pytest.mark.parametrize(
    ("query", "parameter", "key"),
    [
        ("filter[nope]=1", "filter", "nope"),
        ("filter[realm_id]=1", "filter", "realm_id"),
        ("filter[registry.nope]=1", "filter", "registry.nope"),
        ("sort=-nope", "sort", "nope"),
        ("include=nope", "include", "nope"),
        ("fields=nope", "fields", "nope"),
        ("page[nope]=1", "page", "nope"),
    ],
)
def test_the_new_generation_minds_unknown_keys(new: FlameHubEmulator, query: str, parameter: str, key: str) -> None:
    reply = Session(new).core("GET", f"/nodes?{query}")
    (issue,) = reply.json["issues"]
    assert (reply.status, issue["code"]) == (400, "keyNotAllowed")
    assert issue["meta"] == {"parameter": parameter, "key": key}


def test_other_parameters_are_nobodys_business(session: Session) -> None:
    assert session.core("GET", "/nodes?_=1&filter=x&page=1").status == 200


def test_time_passes_by_the_given_clock() -> None:
    clock = [NOON]
    with FlameHubEmulator("0.1.1", now=lambda: clock[0]) as hub:
        session = Session(hub)
        node = session.make("nodes", name="one")
        clock[0] += 90.7
        later = session.core("POST", f"/nodes/{node['id']}", {"hidden": True}).json
    assert (later["created_at"], later["updated_at"]) == ("2026-11-20T12:00:00.000Z", "2026-11-20T12:01:30.000Z")
