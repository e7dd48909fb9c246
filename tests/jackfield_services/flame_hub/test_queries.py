"""What a list is asked for with: as it is sent, as a Hub reads it, and what makes no sense."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.jackfield_services.flame_hub.hub_clients import (
    BOTH,
    ID,
    asked_of,
    client,
    get,
    listed,
    page_of,
)
from tests.jackfield_services.flame_hub.hub_models import hub_models

from jackfield import UsageError
from jackfield.testing import FakeTransport
from jackfield_services.flame_hub import AuthClient, CoreClient, auth, models
from jackfield_services.flame_hub._model import NEW, OLD, Generation
from jackfield_services.flame_hub._names import spelled
from jackfield_services.flame_hub.emulator import FlameHubEmulator
from jackfield_services.flame_hub.types import AnalysisBucketType, FilterOperator

NODE = models.Node(**dict.fromkeys(models.Node.__struct_fields__) | {"id": UUID(ID), "name": "x"})  # type: ignore[arg-type]  # the rest does not matter
LOG = models.Log(**dict.fromkeys(models.Log.__struct_fields__))  # type: ignore[arg-type]  # a record without an id


class Colour(Enum):
    RED = "red"
    NONE = None
    YES = True


def sent(generation: Generation = NEW, /, **asked: Any) -> dict[str, str]:
    """What is asked of a Hub, the page apart."""
    transport = FakeTransport(otherwise=listed([]))
    get(client("sync", transport, generation=generation).find_nodes(**asked))
    return asked_of(transport)


def sent_filter(value: Any) -> str:
    return sent(filter={"name": value}, include=None)["filter[name]"]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("my-node", "my-node"),
        ("~my-node-4", "~my-node-4"),
        ("!~a", "!~a"),
        ("a,b", "a,b"),
        ("null", "null"),
        ("", ""),
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-7, "-7"),
        (1.5, "1.5"),
        (UUID(ID), ID),
        (NODE, ID),
        (Colour.RED, "red"),
        (Colour.NONE, "null"),
        (Colour.YES, "true"),
        (AnalysisBucketType.CODE, "CODE"),
        (date(2026, 11, 20), "2026-11-20"),
        (datetime(2026, 11, 20, 12, tzinfo=UTC), "2026-11-20T12:00:00.000Z"),
        (datetime(2026, 11, 20, 12, 0, 0, 999_999, UTC), "2026-11-20T12:00:00.999Z"),
        (datetime(2026, 11, 20, 1, tzinfo=timezone(timedelta(hours=2))), "2026-11-19T23:00:00.000Z"),
        (["a", "b"], "a,b"),
        (["b", None, 1, True, NODE, UUID(ID)], f"b,null,1,true,{ID},{ID}"),
        ([None], "null"),
        ({"c", "a", "b"}, "a,b,c"),
        (frozenset({2, 1}), "1,2"),
        ((FilterOperator.eq, "a"), "a"),
        ((FilterOperator.neq, "a"), "!a"),
        ((FilterOperator.like, "my-node-4"), "~my-node-4"),
        ((FilterOperator.lt, 5), "<5"),
        ((FilterOperator.le, 5), "<=5"),
        ((FilterOperator.gt, 5), ">5"),
        ((FilterOperator.ge, 5), ">=5"),
        (("=", "a"), "a"),
        (("", "a"), "a"),
        (("~", "a"), "~a"),
        (("!~", "a"), "!~a"),
        (("!<=", 5), "!<=5"),
        (("~", "~a"), "~~a"),
        (("~", "=a"), "~=a"),
        (("~", ""), "~"),
        (("!", None), "!null"),
        (("!", ["a", "b"]), "!a,b"),
        ((FilterOperator.like, {"b", "a"}), "~a,b"),
        ((FilterOperator.ge, datetime(2026, 1, 1, tzinfo=UTC)), ">=2026-01-01T00:00:00.000Z"),
        ((FilterOperator.neq, NODE), f"!{ID}"),
    ],
)
def test_a_filter_is_sent_as_the_hub_reads_it(value: Any, told: str) -> None:
    assert sent_filter(value) == told


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([], "empty list"),
        (set(), "empty list"),
        (("!", []), "empty list"),
        (["a,b"], "has a comma"),
        (["a", "b,"], "has a comma"),
        (("~", ["a,b"]), "has a comma"),
        (("~", "a,b"), "has a comma"),
        (("=", "a,b"), "has a comma"),
        (("=", "null"), "'null' for None"),
        (["a", "null"], "'null' for None"),
        (["~a", "b"], "operator '~'"),
        (("=", "~a"), "operator '~'"),
        (("=", "!a"), "operator '!'"),
        (("<", "=5"), "operator '<='"),
        (("!", "~a"), "operator '!~'"),
        (("!", ["~a"]), "operator '!~'"),
        ((FilterOperator.eq, ">a"), "operator '>'"),
        (("==", "a"), "a tuple is an operator"),
        (("!=", "a"), "a tuple is an operator"),
        (("like", "a"), "a tuple is an operator"),
        (("~x", "a"), "a tuple is an operator"),
        (("a", "b"), "a tuple is an operator"),
        (("~",), "a tuple is an operator"),
        (("~", "a", "b"), "a tuple is an operator"),
        ((), "a tuple is an operator"),
        ((["~"], "a"), "a tuple is an operator"),
        ((NODE, NODE), "a tuple is an operator"),
        (float("nan"), "is held against"),
        (float("inf"), "is held against"),
        ([1, float("-inf")], "is held against"),
        (b"name", "is held against"),
        ({"a": 1}, "is held against"),
        ([["a"]], "is held against"),
        ([("~", "a")], "is held against"),
        (("~", ("~", "a")), "is held against"),
        (object(), "is held against"),
        (LOG, "is held against"),
        (iter("ab"), "is held against"),
        (NODE.__class__, "is held against"),
        (models.Node(**dict.fromkeys(models.Node.__struct_fields__)), "this Node has no id"),  # type: ignore[arg-type]  # as a Hub may leave it out
        (datetime(2026, 11, 20, 12), "time zone"),
        ([datetime(2026, 11, 20, 12)], "time zone"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), "dates in UTC"),
        (datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14))), "dates in UTC"),
        ("\ud800", "surrogate"),
    ],
)
def test_a_filter_that_would_be_read_as_another_is_refused(value: Any, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        sent_filter(value)


ORDERS: list[dict[str, str]] = [{}, {"order": "descending"}]


@pytest.mark.parametrize(
    "name",
    [
        "name]=x&filter[",
        "name]",
        "",
        " name",
        "name ",
        "na me",
        "a..b",
        ".a",
        "a.",
        "-name",
        "+name",
        "a,b",
        "näme",
        "n\u0660",
        "name\n",
        "name=",
        5,
        None,
        ("name",),
    ],
)
def test_what_is_no_name_is_refused_wherever_it_stands(name: Any) -> None:
    asked: list[dict[str, Any]] = [{"filter": {name: "x"}}, *({"sort": {"by": name} | order} for order in ORDERS)]
    for each in asked:
        with pytest.raises(UsageError):
            sent(**each)


def _named(parameter: str, value: Any) -> dict[str, Any]:
    return {parameter: value}


@pytest.mark.parametrize("name", ["a]b", "a b", "a&b", "a[b", "#", "a.", 5, None, "--a", "+-a"])
def test_what_is_no_name_is_refused_in_lists_of_names(name: Any) -> None:
    for parameter in ("include", "fields", "sort"):
        with pytest.raises(UsageError, match=f"{parameter}|sort key"):
            sent(**_named(parameter, ["name", name]))


@pytest.mark.parametrize("names", [["-registry"], "+registry", "registry,-registry_project"])
def test_an_include_has_no_sign(names: Any) -> None:
    with pytest.raises(UsageError, match="include"):
        sent(include=names)


def test_a_sort_key_has_no_plus() -> None:
    with pytest.raises(UsageError, match="sort"):
        sent(sort="+name")


@pytest.mark.parametrize(
    ("name", "new", "old"),
    [
        ("name", "name", "name"),
        ("realm_id", "realmId", "realm_id"),
        ("realmId", "realmId", "realm_id"),
        ("registry_project.realm_id", "registryProject.realmId", "registry_project.realm_id"),
        ("registryProject.realmId", "registryProject.realmId", "registry_project.realm_id"),
        ("nodes_approved", "nodesApproved", "nodes_approved"),
    ],
)
def test_names_are_spelled_as_the_hub_has_them(name: str, new: str, old: str) -> None:
    asked: Any = {"filter": {name: 1}, "sort": f"-{name}", "include": [name], "fields": [name]}

    expected: list[tuple[Generation, str]] = [(NEW, new), (OLD, old)]
    for generation, told in expected:
        assert sent(generation, **asked) == {
            f"filter[{told}]": "1",
            "sort": f"-{told}",
            "include": told,
            "fields": f"+{told}",
        }


def test_every_field_is_spelled_alike_however_it_was_written() -> None:
    for model in hub_models().values():
        for name in model.__struct_fields__:
            assert spelled(spelled(name, NEW), OLD) == name == spelled(name, OLD)
            assert spelled(spelled(name, NEW), NEW) == spelled(name, NEW)


def test_capitals_that_divide_no_words_stay() -> None:
    assert [spelled(name, OLD) for name in ("Name", "realmID", "SHA")] == ["Name", "realm_iD", "SHA"]


def test_a_field_in_two_spellings_is_refused() -> None:
    with pytest.raises(UsageError, match="realm_id, realmId"):
        sent(filter={"realm_id": "a", "realmId": "b"})


@pytest.mark.parametrize(
    ("sort", "told"),
    [
        ({"by": "created_at"}, "createdAt"),
        ({"by": "created_at", "order": "ascending"}, "createdAt"),
        ({"by": "created_at", "order": "descending"}, "-createdAt"),
        ("-created_at", "-createdAt"),
        ("-created_at, name", "-createdAt,name"),
        (["-created_at", "name"], "-createdAt,name"),
        ((("name"),), "name"),
        ([{"by": "created_at", "order": "descending"}, {"by": "name"}], "-createdAt,name"),
        ([{"by": "created_at", "order": "descending"}, "name"], "-createdAt,name"),
        (iter(["name"]), "name"),
    ],
)
def test_sort_keys_come_in_every_form(sort: Any, told: str) -> None:
    assert sent(sort=sort, include=None) == {"sort": told}


@pytest.mark.parametrize(
    "sort",
    [
        {},
        {"order": "descending"},
        {"by": "name", "order": "desc"},
        {"by": "name", "order": None},
        {"by": "name", "direction": "descending"},
        {"by": ["name"]},
        [[]],
        [None],
        5,
        b"name",
        True,
        "name,",
        ",",
        "-",
        [""],
        ["name,id"],
    ],
)
def test_what_is_no_sort_key_is_refused(sort: Any) -> None:
    with pytest.raises(UsageError, match="sort"):
        sent(sort=sort)


NOTHING: list[Any] = [None, "", (), [], set()]


@pytest.mark.parametrize("nothing", NOTHING)
def test_nothing_is_asked_for_by_nothing(nothing: Any) -> None:
    assert sent(sort=nothing, include=nothing, fields=nothing, filter=None) == {}


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ("registry", "registry"),
        ("registry,registry_project", "registry,registryProject"),
        ("registry , registry_project", "registry,registryProject"),
        (["registry_project"], "registryProject"),
        (("registry", "registry_project"), "registry,registryProject"),
        ((name for name in ("registry",)), "registry"),
    ],
)
def test_includes_are_names_in_a_text_or_one_by_one(names: Any, told: str) -> None:
    assert sent(include=names) == {"include": told}


@pytest.mark.parametrize("value", [5, True, b"registry", [b"registry"], 1.5])
def test_what_is_no_list_of_names_is_refused(value: Any) -> None:
    for parameter in ("include", "fields"):
        with pytest.raises(UsageError, match=parameter):
            sent(**_named(parameter, value))


def test_a_new_hub_is_asked_for_every_record_in_a_record_and_an_old_one_for_none() -> None:
    assert sent(NEW) == {"include": "registry,registryProject"}
    assert sent(OLD) == {}
    assert sent(OLD, include="registry_project") == {"include": "registry_project"}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("account_secret", "+accountSecret"),
        (["account_secret", "-name", "+id"], "+accountSecret,-name,+id"),
        ("-name,email", "-name,+email"),
    ],
)
def test_fields_are_added_unless_they_have_a_sign(fields: Any, told: str) -> None:
    assert sent(fields=fields, include=None) == {"fields": told}


@pytest.mark.parametrize("value", ["name", ["name"], [("name", "x")], 5, True, 0, False, "", ()])
def test_what_is_no_filter_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="filter is a dictionary"):
        sent(filter=value)


@pytest.mark.parametrize(
    ("page", "limit", "offset"),
    [
        (None, 50, 0),
        ({}, 50, 0),
        ({"limit": 7}, 7, 0),
        ({"offset": 7}, 50, 7),
        ({"limit": 500, "offset": 10**12}, 500, 10**12),
    ],
)
def test_a_page_has_a_limit_and_an_offset(page: Any, limit: int, offset: int) -> None:
    transport = FakeTransport(otherwise=listed([]))

    client("sync", transport).find_nodes(page=page)

    assert page_of(transport) == (limit, offset)


@pytest.mark.parametrize(
    "page",
    [
        {"limit": 0},
        {"limit": -1},
        {"limit": "5"},
        {"limit": 5.0},
        {"limit": True},
        {"limit": None},
        {"offset": -1},
        {"offset": False},
        {"offset": "0"},
        {"offset": float("inf")},
        {"size": 5},
        {5: 5},
        {"limit": 5, "page": 1},
    ],
)
def test_a_page_that_makes_no_sense_is_refused(page: Any) -> None:
    with pytest.raises(UsageError, match="page"):
        sent(page=page)


@pytest.mark.parametrize("page", [5, 0, True, "limit", [], (50, 0), [("limit", 5)]])
def test_what_is_no_page_is_refused(page: Any) -> None:
    with pytest.raises(UsageError, match="page is a dictionary"):
        sent(page=page)


def test_nothing_is_sent_for_what_is_refused() -> None:
    transport = FakeTransport()
    core = client("sync", transport)

    for asked in ({"filter": {"a]": 1}}, {"page": {"limit": 0}}, {"sort": 5}, {"include": 5}, {"fields": 5}):
        with pytest.raises(UsageError):
            core.find_nodes(**asked)

    assert transport.requests == []


@BOTH
def test_getting_a_record_takes_includes_and_fields(colour: str) -> None:
    transport = FakeTransport(otherwise=listed([]).replace(body=b'{"id": "%s"}' % ID.encode()))
    core = client(colour, transport, generation=NEW)

    get(core.get_node(ID, include="registry_project", fields="public_key"))

    assert asked_of(transport) == {"include": "registryProject", "fields": "+publicKey"}


# What a Hub makes of it.

WORDS = st.text("abAB -_.~!<>=%&[]'\"\\é0", max_size=4)
PLAIN = WORDS.filter(lambda text: not text.startswith(("~", "!", "<", ">")))
STRING_FILTERS = st.one_of(
    st.tuples(st.just("="), PLAIN),
    st.tuples(st.just("!"), PLAIN),
    st.tuples(st.just("~"), WORDS),
    st.tuples(st.just("!~"), WORDS),
    st.tuples(st.sampled_from([">", "<", ">=", "<="]), PLAIN.filter(lambda text: not text.startswith("="))),
    st.tuples(st.sampled_from(["=", "!"]), st.lists(PLAIN, min_size=1, max_size=3)),
    st.tuples(st.sampled_from(["~", "!~"]), st.lists(WORDS, min_size=1, max_size=3)),
)
NAMES = ("a", "A b", "b", "ba", "~a", "<a", "=", "é", "a%", "[a]", "a&b=c", "0")


def fits(value: str, operator: str, wanted: str | list[str]) -> bool:
    """What a filter means, in words of its own."""
    several = [wanted] if isinstance(wanted, str) else wanted
    return any(compares(value, operator.removeprefix("!"), one) for one in several) is not operator.startswith("!")


def compares(value: str, operator: str, one: str) -> bool:
    if operator == "~":
        return value.lower().startswith(one.lower())
    return {">": value > one, "<": value < one, ">=": value >= one, "<=": value <= one}.get(operator, value == one)


@pytest.fixture(scope="module", params=["0.1.1", "1.1.0"])
def core(request: pytest.FixtureRequest) -> Any:
    """A client of a Hub that has nodes of all sorts of names."""
    with FlameHubEmulator(request.param) as hub:
        who = auth.PasswordAuth(hub.username, hub.password, hub.auth_url)
        with CoreClient(hub.core_url, who) as found:
            realm = _master(hub, who)
            for number, name in enumerate(NAMES):
                found.create_node(f"node-{number:02}", realm, external_name=name, hidden=number % 2 == 0)
            yield found


def _master(hub: FlameHubEmulator, who: auth.PasswordAuth) -> models.Realm:
    with AuthClient(hub.auth_url, who) as realms:
        return realms.find_realms(filter={"name": "master"})[0]


@settings(deadline=None, max_examples=100)
@given(condition=STRING_FILTERS, descending=st.booleans())
def test_a_hub_finds_what_is_meant(core: Any, condition: Any, descending: bool) -> None:
    operator, wanted = condition

    found = core.find_nodes(
        filter={"external_name": condition}, sort={"by": "name", "order": "descending" if descending else "ascending"}
    )

    meant = sorted((f"node-{n:02}" for n, name in enumerate(NAMES) if fits(name, operator, wanted)), reverse=descending)
    assert [each.name for each in found] == meant


@pytest.mark.parametrize(
    ("filter", "count"),
    [
        ({"hidden": True}, 6),
        ({"hidden": False, "external_name": ("!", None)}, 6),
        ({"external_name": None}, 0),
        ({"created_at": (">=", datetime(2000, 1, 1, tzinfo=UTC))}, 12),
        ({"created_at": ("<", date(2000, 1, 1))}, 0),
        ({"name": {"node-01", "node-02", "none"}}, 2),
        ({"type": "default"}, 12),
    ],
)
def test_a_hub_reads_values_of_every_type(core: Any, filter: dict[str, Any], count: int) -> None:
    assert len(core.find_nodes(filter=filter)) == count


def test_a_hub_compares_records_by_their_ids(core: Any) -> None:
    some = core.find_nodes(filter={"name": "node-01"})[0]

    assert core.find_nodes(filter={"id": some}) == core.find_nodes(filter={"id": ("=", [some.id])}) == [some]


def test_a_hub_sorts_by_several_keys(core: Any) -> None:
    found = core.find_nodes(sort=[{"by": "hidden"}, "-external_name"], page={"limit": 12})

    shown = sorted(NAMES[1::2], reverse=True)
    assert [each.external_name for each in found] == [*shown, *sorted(NAMES[0::2], reverse=True)]


def test_the_like_string_is_the_tuple(core: Any) -> None:
    assert (
        core.find_nodes(filter={"name": "~node-0"})
        == core.find_nodes(filter={"name": (FilterOperator.like, "node-0")})
        == core.find_nodes(filter={"name": ("~", "node-0")})
    )


def test_descending_is_ascending_the_other_way_round(core: Any) -> None:
    up = core.find_nodes(sort={"by": "created_at"})

    assert core.find_nodes(sort={"by": "created_at", "order": "descending"}) == up[::-1]
