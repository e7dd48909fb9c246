"""Which generation a Hub is of: found out by its answers, or given; and what is sent before anything has told."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from msgspec.json import decode, encode
from tests.jackfield_services.flame_hub.hub_calls import ASYNC, BOTH, GENERATIONS, SYNC, Colour, Sent, sent
from tests.jackfield_services.flame_hub.hub_models import told

from jackfield import ConfigurationError, ContractError, Request, Response, UsageError
from jackfield.testing import FakeTransport, json_response
from jackfield_services.flame_hub import CoreClient, HubNotFoundError
from jackfield_services.flame_hub._model import NEW, OLD, Generation
from jackfield_services.flame_hub._on_wire import on_wire
from jackfield_services.flame_hub.models import Node, Realm

ID = "7227f7f3-e8e8-46e4-a6d4-16055aca8290"
REALM: Any = decode(encode(told(Realm, NEW)), type=on_wire(Realm, NEW))
ASKED = Sent("GET", "/nodes", {"page[limit]": "1"}, None)

in_both_colours = pytest.mark.parametrize("colour", BOTH, ids=["sync", "async"])
of_both_generations = pytest.mark.parametrize("generation", GENERATIONS)


class Doing:
    """A call, of whichever client."""

    def __init__(self, method: str, *args: Any, **kwargs: Any) -> None:
        self._method, self._args, self._kwargs = method, args, kwargs

    def __call__(self, client: Any) -> Any:
        return getattr(client, self._method)(*self._args, **self._kwargs)


class Hub:
    """A Hub that has one node, or none; it may be upgraded while it runs."""

    def __init__(self, generation: Generation, *, nodes: int = 1) -> None:
        self.generation: Generation = generation
        self.nodes = nodes
        self.refusal: Response | None = None
        self.transport = FakeTransport(otherwise=self.answer)

    @property
    def sent(self) -> list[Sent]:
        return [sent(request) for request in self.transport.requests]

    def client(self, colour: Colour, **options: Any) -> Any:
        return colour.client("CoreClient", self.transport, **options)

    def answer(self, request: Request) -> Response:
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            return refusal
        record = told(Node, self.generation)
        if request.method == "GET" and request.url.path == "/nodes":
            extra: dict[str, Any] = {"limit": 50, "offset": 0, "schema": {}} if self.generation == NEW else {}
            return json_response({"data": [record] * self.nodes, "meta": {"total": self.nodes} | extra})
        return json_response(record if self.generation == OLD else {"data": record, "meta": {}}, 201)

    def error(self, status: int, **more: Any) -> Response:
        """One of its own."""
        issues: dict[str, Any] = {"issues": []} if self.generation == NEW else {}
        return json_response({"statusCode": status, "code": "FORBIDDEN", "message": ""} | issues | more, status)


def body_of(generation: Generation) -> dict[str, Any]:
    """Of a new node in the realm."""
    if generation == NEW:
        return {
            "name": "n",
            "realmId": ID,
            "registryId": None,
            "externalName": None,
            "type": "default",
            "hidden": False,
        }
    named = {"name": "n", "realm_id": ID, "external_name": None, "type": "default", "hidden": False}
    return named | {"registry_id": None}


def created(generation: Generation) -> Sent:
    return Sent("POST", "/nodes", {}, body_of(generation))


@in_both_colours
@of_both_generations
class TestFoundOut:
    @pytest.mark.parametrize(
        ("nodes", "method", "args"),
        [(1, "get_nodes", ()), (0, "get_nodes", ()), (1, "get_node", (ID,))],
        ids=["list", "empty list", "record"],
    )
    def test_is_told_by_the_first_answer(
        self, colour: Colour, generation: Generation, nodes: int, method: str, args: tuple[Any, ...]
    ) -> None:
        hub = Hub(generation, nodes=nodes)
        client = hub.client(colour)
        assert client.generation is None
        colour.get(getattr(client, method)(*args))
        assert client.generation == generation
        colour.get(client.create_node("n", ID))
        assert hub.sent[1:] == [created(generation)]

    def test_is_told_by_an_error_too(self, colour: Colour, generation: Generation) -> None:
        hub = Hub(generation)
        hub.refusal = hub.error(403)
        client = hub.client(colour)
        colour.get(client.create_node("n", ID))
        assert client.generation == generation
        assert hub.sent == [ASKED, created(generation)]

    def test_is_told_to_the_client_by_calls_of_others(self, colour: Colour, generation: Generation) -> None:
        hub = Hub(generation)
        client = hub.client(colour)
        colour.get(client.get_nodes(auth="another"))
        assert client.generation == generation
        assert client.with_options(timeout=5).generation == generation

    @pytest.mark.parametrize(
        ("call", "old", "new"),
        [
            (Doing("create_node", "n", ID), created(OLD), created(NEW)),
            (
                Doing("update_node", ID, realm_id=UUID(ID)),
                Sent("POST", f"/nodes/{ID}", {}, {"realm_id": ID}),
                Sent("POST", f"/nodes/{ID}", {}, {"realmId": ID}),
            ),
            (
                Doing("find_nodes", filter={"realm_id": ID}, include=None),
                Sent("GET", "/nodes", {"page[limit]": "50", "page[offset]": "0", "filter[realm_id]": ID}, None),
                Sent("GET", "/nodes", {"page[limit]": "50", "page[offset]": "0", "filter[realmId]": ID}, None),
            ),
            (
                Doing("find_nodes", sort={"by": "created_at"}, include=None),
                Sent("GET", "/nodes", {"page[limit]": "50", "page[offset]": "0", "sort": "created_at"}, None),
                Sent("GET", "/nodes", {"page[limit]": "50", "page[offset]": "0", "sort": "createdAt"}, None),
            ),
            (
                Doing("delete_analysis_logs", ID),
                Sent("DELETE", "/analysis-logs", {"filter[analysis_id]": ID}, None),
                Sent("DELETE", "/analysis-logs", {"filter[analysisId]": ID}, None),
            ),
        ],
        ids=["create", "update", "filter", "sort", "delete logs"],
    )
    def test_is_asked_for_once_where_a_first_call_has_another_form_in_each(
        self, colour: Colour, generation: Generation, call: Doing, old: Sent, new: Sent
    ) -> None:
        hub = Hub(generation)
        client = hub.client(colour)
        colour.get(call(client))
        colour.get(call(client))
        form = new if generation == NEW else old
        assert hub.sent == [ASKED, form, form]

    @pytest.mark.parametrize(
        "call",
        [
            Doing("get_nodes"),
            Doing("get_node", ID),
            Doing("find_nodes", filter={"name": "~n"}, sort={"by": "name"}, page={"limit": 5}),
            Doing("delete_node", ID),
            Doing("send_analysis_command", ID, "buildStart"),
            Doing("sync_master_images"),
        ],
        ids=["list", "get", "find", "delete", "analysis command", "command"],
    )
    def test_is_not_asked_for_where_both_have_the_same_form(
        self, colour: Colour, generation: Generation, call: Doing
    ) -> None:
        hub = Hub(generation)
        colour.get(call(hub.client(colour)))
        assert len(hub.sent) == 1

    def test_is_not_asked_for_by_a_create_that_both_have_alike(self, colour: Colour, generation: Generation) -> None:
        hub = Hub(generation)
        colour.get(colour.client("StorageClient", hub.transport).create_bucket("b"))
        assert hub.sent == [Sent("POST", "/buckets", {}, {"name": "b", "region": None})]

    def test_the_call_fails_where_nothing_tells_it(self, colour: Colour, generation: Generation) -> None:
        hub = Hub(generation)
        hub.refusal = Response(404, body=b"<html>")
        client = hub.client(colour)
        with pytest.raises(HubNotFoundError):
            colour.get(client.create_node("n", ID))
        assert (hub.sent, client.generation) == ([ASKED], None)
        colour.get(client.create_node("n", ID))
        assert hub.sent[1:] == [ASKED, created(generation)]

    def test_another_follows_an_upgrade(self, colour: Colour, generation: Generation) -> None:
        hub = Hub(generation)
        client = hub.client(colour)
        assert colour.get(client.get_nodes())[0].created_at is not None
        hub.generation = OLD if generation == NEW else NEW
        (node,) = colour.get(client.get_nodes())
        assert (node.realm_id, client.generation) == (UUID(ID), hub.generation)
        colour.get(client.create_node("n", ID))
        assert hub.sent[2:] == [created(hub.generation)]
        hub.generation = generation
        assert colour.get(client.get_node(ID)).realm_id == UUID(ID)
        assert client.generation == generation


class TestAtOnce:
    @of_both_generations
    def test_eight_threads_ask_for_it_once(self, generation: Generation) -> None:
        hub, together = Hub(generation), Barrier(8)
        client = hub.client(SYNC)

        def create(_: int) -> Any:
            together.wait()
            return client.create_node("n", ID)

        with ThreadPoolExecutor(8) as threads:
            assert len(list(threads.map(create, range(8)))) == 8
        assert hub.sent == [ASKED] + [created(generation)] * 8

    @of_both_generations
    def test_eight_tasks_ask_for_it_once(self, generation: Generation) -> None:
        hub = Hub(generation)
        client = hub.client(ASYNC)

        async def create() -> None:
            await asyncio.gather(*(client.create_node("n", ID) for _ in range(8)))

        asyncio.run(create())
        assert hub.sent == [ASKED] + [created(generation)] * 8


@in_both_colours
@of_both_generations
class TestGiven:
    def test_nothing_is_asked_for(self, colour: Colour, generation: Generation) -> None:
        hub = Hub(generation)
        client = hub.client(colour, generation=generation)
        assert client.generation == generation
        colour.get(client.create_node("n", ID))
        assert hub.sent == [created(generation)]

    @pytest.mark.parametrize("call", [Doing("get_nodes"), Doing("get_node", ID)], ids=["list", "record"])
    def test_a_hub_of_the_other_generation_is_an_error(
        self, colour: Colour, generation: Generation, call: Doing
    ) -> None:
        hub = Hub(OLD if generation == NEW else NEW)
        client = hub.client(colour, generation=generation)
        with pytest.raises(ContractError, match=f"answers as one of generation {hub.generation}.*'{generation}'"):
            colour.get(call(client))
        assert client.generation == generation

    def test_an_empty_list_may_be_of_either(self, colour: Colour, generation: Generation) -> None:
        hub = Hub(OLD if generation == NEW else NEW, nodes=0)
        assert colour.get(hub.client(colour, generation=generation).get_nodes()) == []


@in_both_colours
class TestDry:
    @pytest.mark.parametrize(
        ("method", "args", "kwargs", "form"),
        [
            ("create_node", ("n", ID), {}, created(NEW)),
            ("update_node", (ID,), {"realm_id": ID}, Sent("POST", f"/nodes/{ID}", {}, {"realmId": ID})),
            ("delete_node", (ID,), {}, Sent("DELETE", f"/nodes/{ID}", {}, None)),
            ("get_node", (ID,), {"include": None}, Sent("GET", f"/nodes/{ID}", {}, None)),
            (
                "find_nodes",
                (),
                {"filter": {"realm_id": ID}, "include": ()},
                Sent("GET", "/nodes", {"page[limit]": "50", "page[offset]": "0", "filter[realmId]": ID}, None),
            ),
            (
                "delete_analysis_logs",
                (ID,),
                {},
                Sent("DELETE", "/analysis-logs", {"filter[analysisId]": ID}, None),
            ),
            ("sync_master_images", (), {}, Sent("POST", "/master-images/command", {}, {"command": "sync"})),
        ],
    )
    def test_a_request_is_shown_and_nothing_is_sent(
        self, colour: Colour, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], form: Sent
    ) -> None:
        hub = Hub(OLD)
        client = hub.client(colour)
        operation = getattr(client, method)
        assert sent(colour.get(operation.request(*args, **kwargs))) == form
        colour.get(operation.explain(*args, **kwargs))
        assert (hub.sent, client.generation) == ([], None)

    def test_it_is_of_the_generation_that_is_known(self, colour: Colour) -> None:
        hub = Hub(OLD)
        client = hub.client(colour)
        colour.get(client.get_nodes())
        assert sent(colour.get(client.create_node.request("n", ID))) == created(OLD)


@in_both_colours
class TestTheOtherGeneration:
    @pytest.mark.parametrize(
        ("generation", "method", "args", "kwargs", "unknown"),
        [
            (OLD, "update_project", (ID,), {"display_name": "P"}, "display_name"),
            (OLD, "create_project", ("p",), {"master_image_id": ID, "display_name": "P"}, "display_name"),
            (OLD, "update_node", (ID,), {"registry_id": ID, "hidden": True}, "registry_id"),
            (OLD, "create_analysis", (), {"name": "a", "project_id": ID, "registry_id": ID}, "registry_id"),
            (OLD, "update_analysis_node", (ID,), {"execution_status": "executed"}, "execution_status"),
            (NEW, "update_analysis_node", (ID,), {"run_status": "running", "comment": "c"}, "run_status"),
            (
                NEW,
                "create_analysis_bucket_file",
                (),
                {"name": "f", "bucket_file_id": ID, "analysis_bucket_id": ID},
                "name",
            ),
        ],
    )
    def test_its_parameters_are_an_error_that_says_so(
        self,
        colour: Colour,
        generation: Generation,
        method: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        unknown: str,
    ) -> None:
        hub = Hub(generation)
        client = hub.client(colour, generation=generation)
        with pytest.raises(UsageError, match=rf"^a Hub of generation {generation} takes no {unknown} there \[{method}"):
            colour.get(getattr(client, method)(*args, **kwargs))
        assert hub.sent == []

    @of_both_generations
    def test_what_neither_has_is_no_parameter(self, colour: Colour, generation: Generation) -> None:
        hub = Hub(generation)
        client = hub.client(colour, generation=generation)
        with pytest.raises(TypeError, match=r"create_node.*colour"):
            colour.get(client.create_node("n", ID, colour="red"))
        with pytest.raises(TypeError, match=r"update_node.*colour"):
            colour.get(client.update_node(ID, colour="red"))
        with pytest.raises(TypeError, match=r"create_node.*name"):
            colour.get(client.create_node())
        with pytest.raises(TypeError, match=r"^find_nodes: .*colour"):
            colour.get(client.find_nodes(colour="red"))
        with pytest.raises(TypeError, match=r"^get_node: .*filter"):
            colour.get(client.get_node(ID, filter={}))
        with pytest.raises(TypeError, match=r"^delete_node: .*node_id"):
            colour.get(client.delete_node())
        with pytest.raises(TypeError, match=r"^update_node: .*node_id"):
            colour.get(client.update_node(ID, node_id=ID))
        assert hub.sent == []

    def test_what_an_old_hub_must_be_given_is_asked_for(self, colour: Colour) -> None:
        hub = Hub(OLD)
        with pytest.raises(TypeError, match=r"create_project.*master_image_id"):
            colour.get(hub.client(colour, generation=OLD).create_project("p"))
        assert hub.sent == []

    @of_both_generations
    def test_a_wrong_type_is_an_error_of_the_caller(self, colour: Colour, generation: Generation) -> None:
        hub = Hub(generation)
        client = hub.client(colour, generation=generation)
        with pytest.raises(UsageError, match=r"realm.*\[create_node"):
            colour.get(client.create_node("n", "no-uuid"))
        with pytest.raises(UsageError, match=r"hidden.*\[update_node"):
            colour.get(client.update_node(ID, hidden="yes"))
        assert hub.sent == []


@pytest.mark.parametrize("kind", ["2.0.0", "", 1])
def test_a_generation_that_there_is_not_is_refused(kind: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"generation is '0\.1\.1', '1\.1\.0', or None"):
        CoreClient("https://hub.test", generation=kind)


@pytest.mark.parametrize("wrong", ["", " ", ".", "..", None, 5, b"x", Realm, REALM])
@pytest.mark.parametrize("method", ["get_node", "update_node", "delete_node"])
def test_an_id_that_is_none_is_refused_before_anything_is_sent(method: str, wrong: Any) -> None:
    hub = Hub(NEW)
    with pytest.raises(UsageError, match="node_id is a Node that the Hub gave, or its id, not"):
        getattr(hub.client(SYNC), method)(wrong)
    assert hub.sent == []


@pytest.mark.parametrize("method", ["get_node", "update_node", "delete_node"])
def test_an_id_is_one_part_of_the_path_whatever_it_is(method: str) -> None:
    hub = Hub(NEW)
    getattr(hub.client(SYNC, generation=NEW), method)("../realms?x=1#é")
    (request,) = hub.transport.requests
    assert str(request.url).startswith("https://hub.test/nodes/..%2Frealms%3Fx%3D1%23%C3%A9")
