"""What `create_request` takes, and in which form a server gets it; what would end one is not sent."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from enum import StrEnum
from inspect import signature
from math import inf, nan
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import decode
from requests.utils import check_header_validity
from tests.jackfield_services.buffy.buffy_world import BOTH, ORIGIN, FakeBuffy, get

from jackfield_services.buffy import BuffyClient, BuffyValueError, ReCachingStrategy, RequestCacheConfiguration

Strategy = ReCachingStrategy


class _Word(StrEnum):
    A = "a"


def _sent(colour: str = "sync", *args: Any, **asking: Any) -> dict[str, Any]:
    """What the server gets."""
    buffy = FakeBuffy()
    get(buffy.client(colour).create_request(*(args or (ORIGIN,)), **asking))
    return buffy.asked[0]


def _refused(**asking: Any) -> str:
    """The error's text; nothing may have been sent."""
    buffy = FakeBuffy()
    with pytest.raises(BuffyValueError) as caught:
        buffy.client().create_request(**{"url": ORIGIN} | asking)
    assert isinstance(caught.value, ValueError)
    assert buffy.transport.requests == []
    return str(caught.value)


@BOTH
def test_a_server_gets_everything_and_never_null_for_what_tells_requests_apart(colour: str) -> None:
    assert _sent(colour) == {
        "url": ORIGIN,
        "http_method": "get",
        "http_header_fields": {},
        "http_query_params": {},
        "http_request_body": {},
        "group_name": None,
        "description": None,
        "documentation_link": None,
        "validation_hash_type": "md5",
        "cache_configuration": None,
    }


@BOTH
def test_arguments_have_the_places_of_buffys_client(colour: str) -> None:
    configuration = RequestCacheConfiguration(recaching_strategy=Strategy.never())
    sent = _sent(
        colour, ORIGIN, "post", {"q": "1"}, {"b": 2}, {"Accept": "*/*"}, "what", "why", False, configuration, "sha256"
    )

    assert sent == {
        "url": ORIGIN,
        "http_method": "post",
        "http_header_fields": {"Accept": "*/*"},
        "http_query_params": {"q": "1"},
        "http_request_body": {"b": 2},
        "group_name": None,
        "description": "what",
        "documentation_link": "why",
        "validation_hash_type": "sha256",
        "cache_configuration": configuration.model_dump(),
    }


@BOTH
def test_a_held_request_is_not_ordered(colour: str) -> None:
    buffy = FakeBuffy()
    held = get(buffy.client(colour).create_request(ORIGIN, "get", {}, {}, {}, None, None, True))

    assert buffy.transport.requests == []
    assert held.id is None
    get(held.order())
    assert held.id == "4e02eb858c03"


@BOTH
def test_none_in_place_of_a_mapping_is_an_empty_one(colour: str) -> None:
    assert _sent(colour, ORIGIN, "get", None, None, None) == _sent(colour)


@BOTH
def test_help_shows_the_arguments(colour: str) -> None:
    method = FakeBuffy().client(colour).create_request

    assert list(signature(method).parameters) == [
        "url",
        "http_method",
        "http_query_params",
        "http_request_body",
        "http_header_fields",
        "info_description",
        "info_link",
        "hold_request_order",
        "cache_configuration",
        "validation_hash_type",
    ]
    assert (method.__name__, method.__doc__) == ("create_request", BuffyClient.create_request.__doc__)
    assert "http_request_body: sent as JSON" in method.__doc__


def test_a_subclass_may_do_more() -> None:
    class Grouped(BuffyClient):
        def create_request(self, url: str, **asking: Any) -> Any:  # type: ignore[override]  # as users write it
            return super().create_request(f"{url}?more", **asking)

    buffy = FakeBuffy()
    Grouped(transport=buffy.transport).create_request(ORIGIN)
    assert buffy.asked[0]["url"] == f"{ORIGIN}?more"


# Of what tells requests apart, there is one form.


@pytest.mark.parametrize("name", ["http_query_params", "http_request_body", "http_header_fields"])
def test_two_orders_of_a_dictionary_are_one_request(name: str) -> None:
    orders: list[Any] = [{"b": "1", "a": "2"}, {"a": "2", "b": "1"}]
    one, other = [_sent("sync", ORIGIN, **{name: order}) for order in orders]

    assert list(one[name]) == list(other[name]) == ["a", "b"]


def test_dictionaries_inside_have_one_order_too() -> None:
    sent = _sent(http_request_body={"z": [{"b": {"d": 1, "c": 2}, "a": ()}], "a": None})

    assert str(sent["http_request_body"]) == "{'a': None, 'z': [{'a': [], 'b': {'c': 2, 'd': 1}}]}"


def test_what_the_caller_gave_stays_the_callers() -> None:
    inner = {"b": 1, "a": [1]}
    body = {"z": inner}
    strategy = Strategy.age(6)
    configuration = RequestCacheConfiguration(request_id="another", recaching_strategy=strategy)
    buffy = FakeBuffy()
    held = buffy.client().create_request(
        ORIGIN, http_request_body=body, cache_configuration=configuration, hold_request_order=True
    )
    inner["a"].append(2)  # type: ignore[attr-defined]  # it is a list
    body["y"] = {}
    configuration.max_cached_pinned_versions = strategy.seconds = 99
    held.order()

    assert list(inner) == ["b", "a"]
    assert buffy.asked[0]["http_request_body"] == {"z": {"a": [1], "b": 1}}
    expected = RequestCacheConfiguration(recaching_strategy=Strategy.age(6))
    assert buffy.asked[0]["cache_configuration"] == expected.model_dump()


@pytest.mark.parametrize(
    "kind", [OrderedDict[str, Any], MappingProxyType[str, Any], dict[str, Any]], ids=["ordered", "proxy", "dict"]
)
def test_any_mapping_will_do(kind: Any) -> None:
    assert _sent(http_query_params=kind({"a": _Word.A}))["http_query_params"] == {"a": "a"}


def test_values_of_kinds_of_their_own_are_sent_as_what_they_are() -> None:
    text, whole, number = [type("Own", (kind,), {}) for kind in (str, int, float)]
    body = {"a": text("x"), "b": whole(5), "c": number(1.5), text("d"): _Word.A, "e": True}

    sent = _sent("sync", ORIGIN, http_request_body=body)["http_request_body"]
    assert sent == {"a": "x", "b": 5, "c": 1.5, "d": "a", "e": True}
    assert sent["e"] is True


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), _JSON, max_size=3))
def test_any_json_arrives_as_it_is(body: dict[str, Any]) -> None:
    assert _sent(http_request_body=body)["http_request_body"] == body


# What no server is to get.


@pytest.mark.parametrize(
    "url",
    [
        "x",
        "",
        "file:///etc/passwd",
        "ftp://h/f",
        "//h/f",
        "/f",
        "http://",
        "http:///f",
        "http://h:port/",
        "http://h/ f",
        "http://h/\n",
        "http://h/ü",
        "http://ü/",
        "http://h/f?q=ü",
        "http://h/f?a b",
        "http://h/f#\n",
        "http://h:99999/",
        "http://-h/",
        "http://a..b/",
        "http://1.2.3/",
        "http://[::1/",
        "http://[",
        "http://[x]/",
        f"http://{'a' * 64}.test/",
    ],
)
def test_a_url_that_cannot_be_fetched(url: str) -> None:
    assert _refused(url=url).startswith("url: ")


@pytest.mark.parametrize("url", [None, 5, b"http://h/", ["http://h/"]])
def test_a_url_is_a_string(url: Any) -> None:
    assert "url is a string" in _refused(url=url)


@pytest.mark.parametrize("url", ["http://u:s3cr3t@h/", "http://s3cr3t@h/"])
def test_a_password_in_a_url_would_be_shown_to_everybody(url: str) -> None:
    text = _refused(url=url)

    assert "no name and password" in text
    assert "s3cr3t" not in text


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "https://h.test/a/b.txt?x=1&y=a@b#part",
        "http://[::1]:8/",
        "http://h/@a",
        "http://h?u=http://x:y@z",
        "http://127.0.0.1:8080/f?q=a|b",
        "https://www.foaas.com/awesome/:tim",
        "HTTP://H.TEST/",
    ],
)
def test_a_url_that_can(url: str) -> None:
    assert _sent("sync", url)["url"] == url


@pytest.mark.parametrize("method", ["delete", "GET", "", None, 5, ["get"], "head"])
def test_a_method_that_no_server_knows(method: Any) -> None:
    assert "http_method is 'get', 'post' or 'put'" in _refused(http_method=method)


@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_a_method_that_it_knows(method: str) -> None:
    assert _sent(http_method=method)["http_method"] == method


@pytest.mark.parametrize(
    "kind", [None, "", "shake_128", "shake_256", "MD5", "crc32", "md5-sha1", 5, ["md5"], "sha256 "]
)
def test_a_hash_that_no_server_takes(kind: Any) -> None:
    assert "validation_hash_type is one of blake2b" in _refused(validation_hash_type=kind)


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b", "blake2s"])
def test_a_hash_that_it_takes(kind: str) -> None:
    assert _sent(validation_hash_type=kind)["validation_hash_type"] == kind


@pytest.mark.parametrize("name", ["http_query_params", "http_request_body", "http_header_fields"])
@pytest.mark.parametrize("value", ["a=1", [("a", "1")], 5, b"", {1: "a"}, {None: "a"}, {"\ud800": "a"}])
def test_what_is_no_mapping_of_strings(name: str, value: Any) -> None:
    assert name in _refused(**{name: value})


@pytest.mark.parametrize(
    "value",
    [b"s3cr3t", {"s3cr3t"}, datetime(2026, 1, 1), nan, inf, -inf, 2**63, -(2**63) - 1, "\ud800", object, {1: 2}],
)
@pytest.mark.parametrize("name", ["http_query_params", "http_request_body", "http_header_fields"])
@pytest.mark.parametrize("depth", [0, 1])
def test_what_is_no_json_is_named_and_not_shown(name: str, value: Any, depth: int) -> None:
    text = _refused(**{name: {"key": [value] if depth else value}})

    assert f"{name}['key']" in text
    assert "s3cr3t" not in text


def test_what_goes_in_circles() -> None:
    circle: dict[str, Any] = {}
    circle["a"] = [circle]
    assert "levels" in _refused(http_request_body=circle)


@pytest.mark.parametrize("value", [{"a": 1}, [{"a": 1}], [[1]]])
def test_a_query_holds_values_and_lists_of_them(value: Any) -> None:
    assert "http_query_params: 'q' is a value, or a list of values" in _refused(http_query_params={"q": value})


@pytest.mark.parametrize("value", ["a", 1, 1.5, True, None, ["a", 2], []])
def test_a_query_of_values(value: Any) -> None:
    assert _sent(http_query_params={"q": value})["http_query_params"] == {"q": value}


@pytest.mark.parametrize(
    "fields",
    [
        {"X": 1},
        {"X": None},
        {"X": ["a"]},
        {"": "a"},
        {"a b": "a"},
        {"a:": "a"},
        {"X": "a\r\nY: b"},
        {"X": " a"},
        {"X": "a\x00"},
        {"X\n": "a"},
        {"X": "a "},
        {"X": "Ā"},
    ],
)
def test_headers_that_cannot_be_sent(fields: Any) -> None:
    # Those that requests refuses end a server's worker with the first look at the origin.
    assert "http_header_fields" in _refused(http_header_fields=fields)


def test_an_error_about_a_header_does_not_show_it() -> None:
    assert "s3cr3t" not in _refused(http_header_fields={"Authorization": "Bearer s3cr3t\n"})


@pytest.mark.parametrize("name", ["info_description", "info_link"])
@pytest.mark.parametrize("value", [5, b"a", ["a"], "\ud800"])
def test_what_people_read_is_text(name: str, value: Any) -> None:
    assert "string" in _refused(**{name: value}) or "surrogate" in _refused(**{name: value})


@pytest.mark.parametrize("value", [5, "\ud800"])
def test_a_group_is_a_text(value: Any) -> None:
    buffy = FakeBuffy()
    with pytest.raises(BuffyValueError, match="group_name"):
        buffy.client(group_name=value).create_request(ORIGIN)
    assert buffy.transport.requests == []


@pytest.mark.parametrize(
    "configuration",
    [
        {"recaching_strategy": {"strategy_name": "never"}},
        "never",
        Strategy.never(),
        RequestCacheConfiguration,
        RequestCacheConfiguration(max_cached_unpinned_versions=-1),
        RequestCacheConfiguration(max_cached_unpinned_versions=2**31),
        RequestCacheConfiguration(max_cached_pinned_versions=-1),
        RequestCacheConfiguration(max_cached_pinned_versions=2**31),
        RequestCacheConfiguration(max_cached_pinned_versions=True),
        RequestCacheConfiguration(max_cached_pinned_versions="5"),  # type: ignore[arg-type]  # as users may
        RequestCacheConfiguration(max_cached_pinned_versions=5.0),  # type: ignore[arg-type]
        RequestCacheConfiguration(recaching_strategy=None),  # type: ignore[arg-type]
        RequestCacheConfiguration(recaching_strategy="age"),  # type: ignore[arg-type]
        RequestCacheConfiguration(recaching_strategy=Strategy.age),  # type: ignore[arg-type]
        RequestCacheConfiguration(recaching_strategy=Strategy.age(0)),
        RequestCacheConfiguration(recaching_strategy=Strategy.age(-5)),
        RequestCacheConfiguration(recaching_strategy=Strategy.age(10**12)),
        RequestCacheConfiguration(recaching_strategy=Strategy.age(True)),
        RequestCacheConfiguration(recaching_strategy=Strategy.age("60")),  # type: ignore[arg-type]
        RequestCacheConfiguration(recaching_strategy=Strategy.when_remote_changed(check_interval_sec=-1)),
        RequestCacheConfiguration(recaching_strategy=Strategy.when_remote_changed(check_interval_sec=0)),
        RequestCacheConfiguration(recaching_strategy=Strategy.when_remote_changed(fallback_max_age_sec=0)),
        RequestCacheConfiguration(recaching_strategy=Strategy.when_remote_changed(fallback_max_age_sec=2**31)),
        RequestCacheConfiguration(recaching_strategy=Strategy.cron("nonsense")),
        RequestCacheConfiguration(recaching_strategy=Strategy.cron(run_at_start="no")),  # type: ignore[arg-type]
    ],
)
def test_a_configuration_that_ends_a_server_or_makes_no_sense(configuration: Any) -> None:
    _refused(cache_configuration=configuration)


@pytest.mark.parametrize(
    "strategy",
    [Strategy.age(1), Strategy.age(2**31 - 1), Strategy.when_remote_changed(1, 1), Strategy.cron("0 0 * * MON", False)],
)
def test_a_configuration_that_makes_sense(strategy: Any) -> None:
    configuration = RequestCacheConfiguration(
        recaching_strategy=strategy, max_cached_pinned_versions=0, max_cached_unpinned_versions=0
    )
    assert _sent(cache_configuration=configuration)["cache_configuration"] == configuration.model_dump()


def test_a_configuration_of_another_request_is_sent_as_nobodys() -> None:
    sent = _sent(cache_configuration=RequestCacheConfiguration(request_id="another"))
    assert sent["cache_configuration"]["request_id"] is None


@BOTH
def test_a_configuration_is_checked_when_it_is_set_as_well(colour: str) -> None:
    buffy = FakeBuffy()
    held = get(buffy.client(colour).create_request(ORIGIN, hold_request_order=True))
    for _ in range(2):
        sent = len(buffy.transport.requests)
        with pytest.raises(BuffyValueError):
            get(held.configure(RequestCacheConfiguration(recaching_strategy=Strategy.cron("* * 31 2 *"))))
        assert len(buffy.transport.requests) == sent
        get(held.order())


def test_json_is_what_goes_out() -> None:
    buffy = FakeBuffy()
    buffy.client().create_request(ORIGIN)
    (sent, *_) = buffy.transport.requests

    assert sent.headers["content-type"] == "application/json"
    assert isinstance(sent.body, bytes)
    assert decode(sent.body)["url"] == ORIGIN


@given(st.text(st.characters(max_codepoint=255), max_size=3), st.text(st.characters(max_codepoint=255), max_size=3))
@settings(deadline=None)
def test_a_header_that_requests_refuses_in_the_server_is_not_sent(name: str, value: str) -> None:
    try:
        sent = _sent(http_header_fields={name: value})["http_header_fields"]
    except BuffyValueError:
        return
    for pair in sent.items():
        check_header_validity(pair)


@BOTH
@pytest.mark.parametrize("blank", ["\xa0", "\x85", " ", "\t"])
def test_a_header_has_no_blank_at_its_ends(colour: str, blank: str) -> None:
    for value in (f"{blank}s3cr3t", f"s3cr3t{blank}", blank):
        text = _refused(http_header_fields={"X-A": value})
        assert "http_header_fields" in text
        assert "s3cr3t" not in text
    assert _sent(colour, http_header_fields={"X-A": f"a{blank}b"})["http_header_fields"] == {"X-A": f"a{blank}b"}
