"""What the endpoints answer, in the server's words."""

from __future__ import annotations

import pytest
import urllib3

from .conftest import NOON, URL, Caller, Start

NEVER = {"recaching_strategy": {"strategy_name": "never"}}


def test_an_order_is_answered_with_all_there_is_of_it(buffy: Caller) -> None:
    answer = buffy.ask("PUT", "/v1/request/", {"url": URL, "unknown": 1})

    said = answer.json()
    assert answer.status == 201
    assert answer.headers["content-type"] == "application/json"
    assert len(said["id"]) == 12
    strategy = {"strategy_name": "when_remote_changed", "check_interval_sec": 21_600, "fallback_max_age_sec": 86_400}
    assert said == {
        "url": URL,
        "http_method": "get",
        "http_header_fields": {},
        "http_query_params": {},
        "http_request_body": {},
        "group_name": "DEFAULT_GROUP",
        "description": None,
        "documentation_link": None,
        "validation_hash_type": "md5",
        "cache_configuration": {
            "request_id": said["id"],
            "recaching_strategy": strategy,
            "max_cached_unpinned_versions": 2,
            "max_cached_pinned_versions": 10,
        },
        "id": said["id"],
        "request_timestamp": NOON,
    }


def test_time_passes_by_reads(start: Start) -> None:
    buffy = start(polls=2)
    request = buffy.order()
    status = f"/v1/request/{request['id']}/status/{request['request_timestamp']}"

    registered = [(answer.status, answer.json()["status"]) for answer in (buffy.ask("GET", status) for _ in range(2))]
    seen = [buffy.listed(request)[0] for _ in range(2)]

    assert registered == [(202, "not_registered"), (200, "registered")]
    assert [each["status"] for each in seen] == ["in_progress", "ready"]
    assert [each["download_stats"]["downloaded_bytes"] for each in seen] == [2, 4]


def test_what_is_ready_tells_of_its_content(buffy: Caller) -> None:
    ready = buffy.fetched()
    content = buffy.content(ready)

    assert ready["content_hash_hex"] == "f9c04df978c7fec88b21699e599baa36"
    assert ready["content_download_path"] == f"request/{ready['request_id']}/response/v/{ready['version']}/content"
    assert ready["content_attributes"] == {
        "media_type": "text/csv",
        "etag": '"1"',
        "content_size_bytes": 4,
        "last_modified_datetime_utc": None,
        "filename": "data.csv",
        "content_disposition": None,
    }
    assert (content.data, content.headers["content-type"]) == (b"a;b\n", "text/csv; charset=utf-8")


@pytest.mark.parametrize(
    ("first", "second", "statuses"),
    [
        ({}, {"description": "x", "cache_configuration": NEVER, "validation_hash_type": "sha1"}, [201, 202]),
        ({"http_query_params": {"a": 1, "b": 2}}, {"http_query_params": {"b": 2, "a": 1}}, [201, 201]),
        ({"http_header_fields": {}}, {"http_header_fields": None}, [201, 201]),
        ({"group_name": None}, {"group_name": "DEFAULT_GROUP"}, [201, 201]),
        ({"group_name": ""}, {"group_name": None}, [201, 201]),
        ({"group_name": None}, {"group_name": None}, [201, 202]),
    ],
)
def test_two_orders_are_one_request_or_two(
    buffy: Caller, first: dict[str, object], second: dict[str, object], statuses: list[int]
) -> None:
    asked = [buffy.ask("PUT", "/v1/request/", {"url": URL} | more) for more in (first, second)]
    assert [answer.status for answer in asked] == statuses
    assert {each["group_name"] for each in buffy.ask("GET", "/v1/request/?group_name=DEFAULT_GROUP").json()} == {
        said.get("group_name", "DEFAULT_GROUP") for said in (first, second)
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "abc"),
        ("limit=0", "abc"),
        ("skip=1&limit=1", "b"),
        ("skip=-1", "c"),
        ("limit=-1", "ab"),
        ("limit=2&limit=1", "a"),
    ],
)
def test_requests_are_listed_oldest_first(buffy: Caller, query: str, found: str) -> None:
    for name in "abc":
        buffy.order(f"https://example.org/{name}", group_name="mine")
    buffy.order()

    listed = buffy.ask("GET", f"/v1/request/?group_name=mine&{query}").json()

    assert [each["url"][-1] for each in listed] == list(found)
    assert listed[0]["request_timestamp"] is None


@pytest.mark.parametrize("fastapi", ["0.99.1", "0.78.0"])
@pytest.mark.parametrize("what", ["pin", "tag"])
def test_a_claim_is_answered_strangely_and_applied_later(start: Start, fastapi: str, what: str) -> None:
    buffy = start(fastapi=fastapi)
    ready = buffy.fetched()

    answer = buffy.change(ready, what, value=True if what == "pin" else "good")
    seen = [buffy.listed({"id": ready["request_id"]})[0] for _ in range(2)]

    said = (500, b"Internal Server Error") if fastapi == "0.99.1" else (200, b"null")
    assert (answer.status, answer.data) == said
    assert [(each["pinned"], each["tags"]) for each in seen] == [
        (False, []),
        (True, []) if what == "pin" else (False, ["good"]),
    ]


def test_claims_for_what_is_not_there_are_dropped(start: Start) -> None:
    buffy = start(fastapi="0.78.0")
    nothing = {"request_id": "nothing", "version": "1"}
    answers = [buffy.change(nothing, "pin", value=True), buffy.change(nothing, "tag", value="ab", delete=True)]
    buffy.ask("GET", "/v1/request/")
    assert [answer.status for answer in answers] == [200, 200]
    assert buffy.server.alive


@pytest.mark.parametrize(
    ("method", "path", "said", "status", "body"),
    [
        ("GET", "/v1/request/nothing", None, 500, b"Internal Server Error"),
        ("GET", "/v1/request/nothing/status/1.5", None, 404, b'{"status":"not_existent"}'),
        ("GET", "/v1/request/nothing/cache-config", None, 500, b"Internal Server Error"),
        ("PUT", "/v1/request/nothing/cache-config", {}, 500, b"Internal Server Error"),
        ("GET", "/v1/request/nothing/response", None, 200, b"[]"),
        ("GET", "/v1/request/nothing/response/latest", None, 204, b""),
        ("GET", "/v1/request/nothing/response/t/good", None, 200, b"[]"),
        (
            "GET",
            "/v1/request/nothing/response/v/1",
            None,
            404,
            b"{\"detail\":\"Response version '1' for request 'nothing' does not exists.\"}",
        ),
        ("GET", "/v1/request/nothing/response/v/1/content", None, 500, b"Internal Server Error"),
        ("GET", "/v1/nothing", None, 404, b'{"detail":"Not Found"}'),
        ("DELETE", "/v1/request/nothing", None, 405, b'{"detail":"Method Not Allowed"}'),
        ("POST", "/v1/request/", {}, 405, b'{"detail":"Method Not Allowed"}'),
        ("OPTIONS", "/v1/request/", None, 405, b'{"detail":"Method Not Allowed"}'),
        ("HEAD", "/v1/request/", None, 405, b""),
    ],
)
def test_what_is_not_there(buffy: Caller, method: str, path: str, said: object, status: int, body: bytes) -> None:
    answer = buffy.ask(method, path, said)
    assert (answer.status, answer.data) == (status, body)
    if status == 500:
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("asked", "location"),
    [("/v1/request?limit=0", "/v1/request/?limit=0"), ("/v1/request/a/response/", "/v1/request/a/response")],
)
def test_a_slash_too_few_or_too_many_is_redirected_to_where_host_says(buffy: Caller, asked: str, location: str) -> None:
    answer = buffy.ask("GET", asked, host="elsewhere:80")
    assert (answer.status, answer.headers["location"], answer.data) == (307, f"http://elsewhere:80{location}", b"")


@pytest.mark.parametrize(
    ("path", "said", "loc", "message"),
    [
        ("/v1/request/", None, ["body"], "field required"),
        ("/v1/request/", [1], ["body"], "value is not a valid dict"),
        ("/v1/request/", {}, ["body", "url"], "field required"),
        ("/v1/request/", {"url": None}, ["body", "url"], "none is not an allowed value"),
        (
            "/v1/request/",
            {"url": "x", "http_method": "delete"},
            ["body", "http_method"],
            "unexpected value; permitted: 'get', 'post', 'put'",
        ),
        (
            "/v1/request/",
            {"url": "x", "http_header_fields": 5},
            ["body", "http_header_fields"],
            "value is not a valid dict",
        ),
        (
            "/v1/request/",
            {"url": "x", "cache_configuration": {"recaching_strategy": {"strategy_name": "age", "seconds": "x"}}},
            ["body", "cache_configuration", "recaching_strategy", "age", "seconds"],
            "value is not a valid integer",
        ),
        (
            "/v1/request/a/cache-config",
            {"recaching_strategy": {}},
            ["body", "recaching_strategy"],
            "Discriminator 'strategy_name' is missing in value",
        ),
        (
            "/v1/request/a/cache-config",
            {"recaching_strategy": {"strategy_name": "bogus"}},
            ["body", "recaching_strategy"],
            "No match for discriminator 'strategy_name' and value 'bogus' (allowed values: "
            "'never', 'age', 'cron', 'when_requested', 'when_remote_changed')",
        ),
        (
            "/v1/request/a/response/v/1/pin",
            {"value": "perhaps"},
            ["body", "value"],
            "value could not be parsed to a boolean",
        ),
        (
            "/v1/request/a/response/v/1/tag",
            {"value": "a"},
            ["body", "value"],
            "Tag 'a' is too short. Must be at least 2 chars.",
        ),
        (
            "/v1/request/a/response/v/1/tag",
            {"value": "a b"},
            ["body", "value"],
            "Tag 'a b' is not allowed. Must pass '^[a-zA-Z0-9-_]*$' regex match",
        ),
    ],
)
def test_bodies_that_are_wrong(buffy: Caller, path: str, said: object, loc: list[str], message: str) -> None:
    answer = buffy.ask("PUT", path, said)
    error = answer.json()["detail"][0]
    assert (answer.status, error["loc"], error["msg"]) == (422, loc, message)


def test_a_tag_may_end_with_a_newline(start: Start) -> None:
    buffy = start(fastapi="0.78.0")
    assert buffy.change({"request_id": "a", "version": "1"}, "tag", value="ok\n").status == 200


@pytest.mark.parametrize(
    ("path", "loc"),
    [
        ("status/soon", ["path", "request_timestamp"]),
        ("response?limit=x", ["query", "limit"]),
        ("response?status=", ["query", "status"]),
        ("response/latest?pinned=perhaps", ["query", "pinned"]),
    ],
)
def test_paths_and_queries_that_are_wrong(buffy: Caller, path: str, loc: list[str]) -> None:
    answer = buffy.ask("GET", f"/v1/request/a/{path}")
    assert (answer.status, answer.json()["detail"][0]["loc"]) == (422, loc)


@pytest.mark.parametrize(("kind", "status"), [("application/json", 201), ("text/plain", 422), ("", 201)])
def test_a_body_is_json_unless_it_says_otherwise(buffy: Caller, kind: str, status: int) -> None:
    answer = urllib3.request(
        "PUT",
        f"{buffy.server.url}/v1/request/",
        body=b'{"url":"x"}',
        headers={"content-type": kind, "connection": "close"},
    )
    assert answer.status == status


def test_a_wrong_timestamp_counts_as_registered(buffy: Caller) -> None:
    request = buffy.order()
    assert buffy.ask("GET", f"/v1/request/{request['id']}/status/1").status == 200


def test_responses_are_listed_by_status_and_tag(buffy: Caller) -> None:
    ready = buffy.fetched()
    request = {"id": ready["request_id"]}
    buffy.change(ready, "tag", value="good")
    buffy.listed(request)

    queries = ("tag=good", "tag=bad", "status=ready", "status=failed", "status=ready&tag=good&limit=1")
    assert [len(buffy.listed(request, query)) for query in queries] == [1, 0, 1, 0, 1]


def test_openapi_tells_that_it_is_there(buffy: Caller) -> None:
    answer = buffy.ask("GET", "/openapi.json")
    assert (answer.status, answer.json()["info"]["title"]) == (200, "FastAPI")


def test_a_request_that_is_asked_for_again_dates_the_next_response(buffy: Caller) -> None:
    configuration = {"recaching_strategy": {"strategy_name": "when_requested"}}
    first = buffy.fetched(cache_configuration=configuration)
    second = buffy.fetched(cache_configuration=configuration)
    assert [first["request_datetime_utc"], second["request_datetime_utc"]] == [None, "2026-11-18T11:06:40"]


def test_a_claim_may_be_made_again_and_taken_back(buffy: Caller) -> None:
    ready = buffy.fetched()
    for what, said in [("tag", "ab"), ("tag", "ab"), ("tag", "x" * 64), ("pin", True)]:
        buffy.change(ready, what, value=said)
    buffy.change(ready, "pin", value=True, duration_sec=-60)
    request = {"id": ready["request_id"]}
    claimed = buffy.settle(request)
    latest = buffy.ask("GET", f"/v1/request/{request['id']}/response/latest?pinned=true")
    buffy.change(ready, "tag", value="ab", delete=True)
    buffy.change(ready, "pin", value=False)
    given_up = buffy.settle(request)

    assert (claimed["tags"], claimed["pinned"], claimed["pinned_until_utc"]) == (
        ["ab", "x" * 64],
        True,
        "2026-11-18T11:07:40",
    )
    assert latest.status == 200
    assert (given_up["tags"], given_up["pinned"], given_up["pinned_until_utc"]) == (["x" * 64], False, None)
    assert buffy.change(ready, "tag", value="x" * 65).status == 422


def test_what_is_pinned_for_a_time_counts_as_pinned(buffy: Caller) -> None:
    ready = buffy.fetched()
    buffy.change(ready, "pin", value=True, duration_sec=-60)
    buffy.settle({"id": ready["request_id"]})
    assert buffy.ask("GET", f"/v1/request/{ready['request_id']}/response/latest?pinned=true").status == 200


def test_numbers_are_texts_too_and_only_the_first_method_is_allowed(buffy: Caller) -> None:
    assert buffy.ask("PUT", "/v1/request/", {"url": 5}).json()["url"] == "5"
    answer = buffy.ask("DELETE", "/v1/request/")
    assert (answer.status, answer.headers["allow"]) == (405, "GET")


def test_nothing_is_served_in_chunks(buffy: Caller) -> None:
    buffy.server.origin(URL, b"", headers={"content-disposition": "attachment; filename='a b.txt  '"})
    ready = buffy.fetched()
    content = buffy.content(ready)
    assert (content.data, content.headers.get("content-length")) == (b"", None)
    assert ready["content_attributes"]["filename"] == "a b.txt"
