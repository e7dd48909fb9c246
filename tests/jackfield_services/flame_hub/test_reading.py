"""What a Hub answers: read as it is, whatever is around it; and what is no answer of its."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.jackfield_services.flame_hub.hub_clients import BOTH, ID, client, get, listed, node, one

from jackfield import BodyTooLargeError, DecodeError, JackfieldError, Response, UsageError
from jackfield.testing import FakeTransport, json_response
from jackfield_services.flame_hub import AsyncCoreClient, AuthClient, CoreClient, auth
from jackfield_services.flame_hub.emulator import FlameHubEmulator
from jackfield_services.flame_hub.emulator import Reply as Told

OLD_NODE = {"id": ID, "name": "my-node", "realm_id": ID, "created_at": "2026-11-20T12:00:00.000Z"}
NEW_NODE = {"id": ID, "name": "my-node", "realmId": ID, "createdAt": "2026-11-20T12:00:00.000Z"}


def read(answer: Response, colour: str = "sync", **how: Any) -> Any:
    return get(client(colour, FakeTransport([answer]), **how).get_node(ID))


@BOTH
@pytest.mark.parametrize(
    "body",
    [
        OLD_NODE,
        NEW_NODE,
        {"data": NEW_NODE, "meta": {}},
        {"data": NEW_NODE, "meta": {"schema": {"name": "node"}}},
        {"data": OLD_NODE, "meta": {}},
        {"data": NEW_NODE | {"tomorrow": {"a": [1]}}, "meta": {}, "more": 1},
        OLD_NODE | {"tomorrow": {"a": [1]}, "data": None},
        NEW_NODE | {"some_thing": 1},
        OLD_NODE | {"someThing": 1},
    ],
)
def test_a_record_is_read_with_or_without_an_envelope(colour: str, body: dict[str, Any]) -> None:
    record = read(json_response(body), colour)

    assert (str(record.id), record.name, str(record.realm_id)) == (ID, "my-node", ID)
    assert record.created_at.isoformat() == "2026-11-20T12:00:00+00:00"


@BOTH
@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_status_of_success_will_do(colour: str, status: int) -> None:
    core = client(colour, FakeTransport(otherwise=one(NEW_NODE, status)), generation="1.1.0")

    assert get(core.create_node("my-node")) == get(core.update_node(ID)) == get(core.get_node(ID))


@BOTH
@pytest.mark.parametrize("answer", [Response(status) for status in (200, 201, 202, 204)])
def test_nothing_is_enough_of_an_answer_where_nothing_is_promised(colour: str, answer: Response) -> None:
    core = client(colour, FakeTransport(otherwise=answer), generation="1.1.0")

    assert get(core.delete_node(ID)) is None
    assert get(core.sync_master_images()) is None
    assert get(core.delete_analysis_logs(ID)) is None


@BOTH
@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_nothing_is_no_record_and_no_list(colour: str, status: int) -> None:
    core = client(colour, FakeTransport(otherwise=Response(status)), generation="1.1.0")

    calls: list[Any] = [core.get_node, core.create_node, core.update_node, core.find_nodes]
    for call, args in zip(calls, [(ID,), ("my-node",), (ID,), ()], strict=True):
        with pytest.raises(DecodeError, match=rf"the answer \({status}\) is not the JSON expected"):
            get(call(*args))


WRONG: list[Any] = [
    None,
    True,
    5,
    "text",
    [],
    [NEW_NODE],
    {},
    {"message": "ok"},
    {"data": None, "meta": {}},
    {"data": [], "meta": {}},
    {"data": [NEW_NODE], "meta": {"total": 1}},
    {"data": "text", "meta": {}},
    {"data": {}, "meta": {}},
    {"data": {"data": NEW_NODE, "meta": {}}, "meta": {}},
    {"data": NEW_NODE},
    {"meta": {}},
    {"statusCode": 404, "code": "NOT_FOUND", "message": ""},
    NEW_NODE | {"id": 5},
    NEW_NODE | {"id": "no-uuid"},
    NEW_NODE | {"createdAt": "yesterday"},
    NEW_NODE | {"hidden": "true"},
    NEW_NODE | {"name": ["my-node"]},
]


@BOTH
@pytest.mark.parametrize("body", WRONG)
def test_what_is_no_record_is_an_error_that_says_so(colour: str, body: Any) -> None:
    with pytest.raises(DecodeError, match=r"the answer \(200\) ") as caught:
        read(json_response(body), colour)

    assert caught.value.call is not None
    assert caught.value.call.operation == "get_node"


@pytest.mark.parametrize("body", [{}, {"message": "ok"}, {"data": {}, "meta": {}}, {"data": NEW_NODE}])
def test_an_object_that_is_no_record_is_not_read_as_one_that_lacks_everything(body: Any) -> None:
    with pytest.raises(DecodeError, match="holds no Node: it has none of its fields"):
        read(json_response(body))


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (NEW_NODE | {"id": "no-uuid"}, r"\$\.id"),
        ({"data": NEW_NODE | {"online": 5}, "meta": {}}, r"\$\.online"),
        (NEW_NODE | {"registry": {"id": 5}}, r"\$\.registry\.id"),
    ],
)
def test_an_error_says_where_it_went_wrong(body: Any, where: str) -> None:
    with pytest.raises(DecodeError, match=where):
        read(json_response(body))


@BOTH
@pytest.mark.parametrize("body", [b"<html>", b"\xff", b"{", b'{"id": "\xff"}', b"[" * 100_000, b'{"a":' * 100_000])
def test_what_is_no_json_is_an_error(colour: str, body: bytes) -> None:
    core = client(colour, FakeTransport(otherwise=Response(200, body=body)))

    for call, how in ((core.get_node, {"node_id": ID}), (core.find_nodes, {}), (core.find_nodes, {"meta": True})):
        with pytest.raises(DecodeError):
            get(call(**how))


WRONG_LISTS: list[Any] = [
    None,
    5,
    {},
    [],
    [NEW_NODE],
    NEW_NODE,
    {"data": None, "meta": {"total": 0}},
    {"data": {}, "meta": {"total": 0}},
    {"data": NEW_NODE, "meta": {}},
    {"data": "text", "meta": {"total": 0}},
    {"data": [None], "meta": {"total": 1}},
    {"data": [5], "meta": {"total": 1}},
    {"data": [[NEW_NODE]], "meta": {"total": 1}},
    {"data": [{}], "meta": {"total": 1}},
    {"data": [NEW_NODE, {}], "meta": {"total": 2}},
    {"data": [NEW_NODE, {"message": "gone"}], "meta": {"total": 2}},
    {"data": [NEW_NODE, {"data": NEW_NODE, "meta": {}}], "meta": {"total": 2}},
    {"data": [NEW_NODE], "meta": 5},
    {"data": [NEW_NODE], "meta": []},
    {"data": [NEW_NODE], "meta": {"total": "1"}},
    {"data": [NEW_NODE], "meta": {"total": 1.5}},
    {"data": [NEW_NODE], "meta": {"total": 1, "limit": "50"}},
]


@BOTH
@pytest.mark.parametrize("body", WRONG_LISTS)
def test_what_is_no_list_is_an_error_that_says_so(colour: str, body: Any) -> None:
    with pytest.raises(DecodeError, match=r"the answer \(200\) "):
        get(client(colour, FakeTransport([json_response(body)])).find_nodes())


@pytest.mark.parametrize("meta", [{}, {"meta": None}, {"meta": {}}, {"meta": {"total": None}}])
@pytest.mark.parametrize("record", [OLD_NODE, NEW_NODE])
def test_a_list_may_say_nothing_of_itself(meta: dict[str, Any], record: dict[str, Any]) -> None:
    page = client("sync", FakeTransport([json_response({"data": [record]} | meta)])).find_nodes()

    assert (page[0].name, str(page[0].realm_id), page.total) == ("my-node", ID, None)


def test_what_a_record_lacks_is_none() -> None:
    for body in ({"id": ID}, {"name": "my-node"}, {"createdAt": None, "name": "my-node"}, {"id": None, "hidden": True}):
        assert read(json_response(body)).realm_id is None
        assert read(one(body)).created_at is None
        page = client("sync", FakeTransport([listed([NEW_NODE, body])])).find_nodes()
        assert page[1].public_key is None


def test_what_has_no_id_is_told_by_its_fields() -> None:
    logs: list[Any] = [{"time": "1", "message": "m"}, {"labels": {}}]
    core = client("sync", FakeTransport([listed(logs), listed([*logs, {"text": "m"}])]), generation="1.1.0")

    assert [log.message for log in core.find_analysis_logs()] == ["m", None]
    with pytest.raises(DecodeError, match="holds no Log"):
        core.find_analysis_logs()


def test_fields_that_are_null_are_fields() -> None:
    empty = {"accountName": None, "accountSecret": None, "host": None}
    core = client("sync", FakeTransport([json_response(empty)]), generation="1.1.0")

    assert core.get_node_registry_credentials(ID).account_secret is None


@BOTH
def test_meta_of_a_record_comes_with_it(colour: str) -> None:
    answer = json_response({"data": NEW_NODE, "meta": {"schema": {"name": "node"}}})

    record, meta = get(client(colour, FakeTransport([answer])).get_node(ID, meta=True))

    assert (record.name, meta.response_schema) == ("my-node", {"name": "node"})


@BOTH
@pytest.mark.parametrize("body", [OLD_NODE, NEW_NODE])
def test_meta_of_a_bare_record_is_an_error_that_says_what_to_do(colour: str, body: Any) -> None:
    core = client(colour, FakeTransport([json_response(body)]))

    with pytest.raises(ValueError, match="leave out meta") as caught:
        get(core.get_node(ID, meta=True))

    assert isinstance(caught.value, UsageError)


def test_meta_that_is_null_is_none() -> None:
    core = client("sync", FakeTransport([json_response({"data": NEW_NODE, "meta": None})] * 2))

    assert core.get_node(ID).name == "my-node"
    with pytest.raises(ValueError, match="leave out meta"):
        core.get_node(ID, meta=True)


@BOTH
def test_a_later_answer_corrects_what_an_earlier_one_told(colour: str) -> None:
    answers = [listed([{"id": ID, "some_thing": 1}]), one(NEW_NODE), listed([OLD_NODE]), listed([NEW_NODE, NEW_NODE])]
    answers += [one(OLD_NODE), one(NEW_NODE)]
    core = client(colour, FakeTransport(answers))

    assert (get(core.find_nodes())[0].realm_id, core.generation) == (None, "1.1.0")
    assert (str(get(core.get_node(ID)).realm_id), core.generation) == (ID, "1.1.0")
    assert (str(get(core.find_nodes())[0].realm_id), core.generation) == (ID, "0.1.1")
    assert ([str(each.realm_id) for each in get(core.find_nodes())], core.generation) == ([ID, ID], "1.1.0")
    assert (str(get(core.get_node(ID)).realm_id), core.generation) == (ID, "0.1.1")
    assert (str(get(core.get_node(ID)).realm_id), core.generation) == (ID, "1.1.0")


@BOTH
def test_a_long_answer_is_bounded(colour: str) -> None:
    records = [node(number, externalName="x" * 1000) for number in range(10_000)]
    core = client(colour, FakeTransport(otherwise=listed(records, total=10_000)), max_body_size=1_000_000)

    with pytest.raises(BodyTooLargeError):
        get(core.find_nodes())

    assert len(get(core.with_options(max_body_size=20_000_000).find_nodes())) == 10_000


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([ID, "my-node"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "meta", "id", "name", "createdAt", "created_at", "total", "schema", "x_y"]), inner
        )
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=100)
@given(body=JSON, status=st.sampled_from([200, 201, 400, 404, 409, 500]))
def test_whatever_a_hub_answers_is_a_value_or_an_error_of_ours(body: Any, status: int) -> None:
    answer = Response(status, body=json.dumps(body).encode())
    core = client("sync", FakeTransport(otherwise=answer))
    calls: list[tuple[Any, dict[str, Any]]] = [
        (core.get_node, {"node_id": ID}),
        (core.get_node, {"node_id": ID, "meta": True}),
        (core.find_nodes, {}),
        (core.find_nodes, {"meta": True}),
        (core.find_nodes.all, {}),
        (core.update_node, {"node_id": ID}),
    ]

    for call, how in calls:
        try:
            get(call(**how))
        except JackfieldError as error:
            assert str(error)  # noqa: PT017 - that it is one of ours is what is tested


# A Hub, over real sockets.


@pytest.mark.parametrize("kind", [CoreClient, AsyncCoreClient])
def test_the_content_coding_that_is_none_is_passed_over(hub: FlameHubEmulator, kind: Any) -> None:
    hub.inject(Told(200, {"data": [], "meta": {"total": 0}}, {"content-encoding": "utf-8"}), path="/nodes")
    connection = http.client.HTTPConnection(hub.core_url.removeprefix("http://"))
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert answer.headers["content-encoding"] == "utf-8"
    answer.read()
    connection.close()
    core = kind(hub.core_url, auth.PasswordAuth(hub.username, hub.password, hub.auth_url))

    assert get(_all_of(core, kind)) == ([], None)


def _all_of(core: Any, kind: Any) -> Any:
    """A list and what is not there, and the end of the client; in one loop, where there is one."""
    if kind is CoreClient:
        with core:
            return core.find_nodes(), core.get_node(ID)

    async def ask() -> Any:
        async with core:
            return await core.find_nodes(), await core.get_node(ID)

    return ask()


def test_a_hub_tells_records_in_either_shape(hub: FlameHubEmulator) -> None:
    who = auth.PasswordAuth(hub.username, hub.password, hub.auth_url)
    with CoreClient(hub.core_url, who) as core, AuthClient(hub.auth_url) as realms:
        made = core.create_node("my-node", realms.find_realms()[0])

        assert core.get_node(made) == core.find_nodes()[0] == core.update_node(made.id)
        assert core.generation == hub.generation
        core.delete_node(made)
        assert core.get_node(made) is None
