"""The Hub's models as values: dumped, shown, copied, compared."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import msgspec
import pytest
from tests.jackfield_services.flame_hub.hub_models import (
    AT,
    ID,
    read,
    records,
    told,
)

from jackfield_services.flame_hub import models
from jackfield_services.flame_hub._model import (
    NEW,
    OLD,
    Generation,
    HubModel,
    Record,
)
from jackfield_services.flame_hub._on_wire import on_wire
from jackfield_services.flame_hub.models import (
    AccessToken,
    AnalysisNode,
    ClientCredentials,
    Node,
    Project,
    Realm,
    Registry,
    ResourceList,
    ResourceListMeta,
    SingleResourceMeta,
    WrappedResource,
)

BOTH = pytest.mark.parametrize("generation", [OLD, NEW])
EVERY = pytest.mark.parametrize("model", records(), ids=lambda model: model.__name__)


def a_node(**given: Any) -> Node:
    values: dict[str, Any] = {"name": "my-node", "id": ID, "online": False, "created_at": AT, "updated_at": AT, **given}
    return Node(**values)


class TestDumps:
    @BOTH
    def test_has_what_is_asked_for(self, generation: Generation) -> None:
        model: Any = on_wire(Node, generation)  # in whose place the checkers see Node, which needs more
        node = model(id=ID, name="n", realm_id=ID)
        realm = "realm_id" if generation == OLD else "realmId"

        assert node.model_dump(include={"id", "realm_id"}) == {"id": ID, realm: ID}
        assert list(node.model_dump(include=["name", "realm_id"], exclude=["name"], by_alias=False)) == ["realm_id"]
        assert node.model_dump_json(include=["name", "hidden"], exclude_none=True) == '{"name":"n"}'
        assert {*node.model_dump()} - {*node.model_dump(exclude={"realm_id"})} == {realm}
        assert node.model_dump(include=[]) == {}

    def test_is_what_the_readme_of_the_published_client_shows(self) -> None:
        node = read(Node, {
            "id": "03636152-e6a8-4e01-994e-18b2b0c3a935", "name": "my-node", "hidden": False, "online": False,
            "realmId": "794f2375-f043-4789-bd0c-e5534e8deeaa", "type": "default",
            "createdAt": "2025-05-19T15:43:57.859Z", "updatedAt": "2025-05-19T15:43:57.859Z",
        })  # fmt: skip

        assert (
            node.model_dump_json(indent=2)
            == """{
  "externalName": null,
  "hidden": false,
  "name": "my-node",
  "realmId": "794f2375-f043-4789-bd0c-e5534e8deeaa",
  "registryId": null,
  "type": "default",
  "id": "03636152-e6a8-4e01-994e-18b2b0c3a935",
  "publicKey": null,
  "online": false,
  "registry": null,
  "registryProjectId": null,
  "registryProject": null,
  "robotId": null,
  "clientId": null,
  "createdAt": "2025-05-19T15:43:57.859000Z",
  "updatedAt": "2025-05-19T15:43:57.859000Z"
}"""
        )

    def test_is_indented_as_asked(self) -> None:
        project = Project(name="p", id=ID, analyses=0, nodes=0, created_at=AT, updated_at=AT, realm_id=ID)

        assert "\n" not in project.model_dump_json()
        assert project.model_dump_json(indent=4).startswith('{\n    "description": null,\n')

    def test_has_values_or_json(self) -> None:
        realm = read(Realm, {"id": str(ID), "createdAt": "2026-11-21T00:15:34Z"})

        assert (realm.model_dump()["id"], realm.model_dump()["createdAt"]) == (ID, AT)
        assert realm.model_dump(mode="json")["id"] == str(ID)
        assert realm.model_dump(mode="json")["createdAt"] == "2026-11-21T00:15:34Z"

    @EVERY
    @BOTH
    def test_names_are_those_of_the_generation_or_of_the_attributes(
        self, model: type[Record], generation: Generation
    ) -> None:
        record = read(model, told(model, generation), generation)

        assert list(record.model_dump(by_alias=False)) == list(model.__struct_fields__)
        assert list(record.model_dump()) == list(model.__struct_fields__ if generation == OLD else _camel(model))
        assert {*told(model, generation)} - {*record.model_dump()} == {"somethingNew"}

    def test_what_is_inside_is_dumped_likewise(self) -> None:
        project = read(Project, {"masterImage": {"virtualPath": "a/b", "commandArguments": [{"value": "x"}]}})

        assert project.model_dump(exclude_none=True) == {
            "masterImage": {"virtualPath": "a/b", "commandArguments": [{"value": "x", "position": None}]}
        }
        assert project.model_dump(by_alias=False, exclude_none=True)["master_image"]["virtual_path"] == "a/b"
        assert json.loads(project.model_dump_json(exclude_none=True)) == project.model_dump(exclude_none=True)

    def test_a_list_tells_its_schema(self) -> None:
        meta = msgspec.json.decode(b'{"schema": {"a": 1}, "total": 3}', type=on_wire(ResourceListMeta, NEW))

        assert issubclass(ResourceListMeta, SingleResourceMeta)
        assert (meta.response_schema, meta.total, meta.limit) == ({"a": 1}, 3, None)
        assert meta.model_dump(exclude_none=True) == {"schema": {"a": 1}, "total": 3}

    def test_envelopes_hold_records(self) -> None:
        page = ResourceList(data=[a_node()], meta=ResourceListMeta(total=1))
        one = WrappedResource(data=a_node(), meta=SingleResourceMeta())

        assert page.model_dump()["data"][0] == one.model_dump()["data"] == a_node().model_dump()


class TestValues:
    @pytest.mark.parametrize(
        ("record", "secret"),
        [
            (ClientCredentials(id=ID, secret="hush", name="n", display_name="d"), "secret"),
            (
                Registry(name="r", host="h", account_secret="hush", id=ID, created_at=AT, updated_at=AT),
                "account_secret",
            ),
            (AccessToken(access_token="hush", expires_in=1, token_type="Bearer", scope="global"), "access_token"),
            (models.UpdateUser(password="hush"), "password"),
            (models.CreateRobot("n", ID, "hush"), "secret"),
        ],
    )
    def test_do_not_show_secrets(self, record: HubModel, secret: str) -> None:
        assert "hush" not in f"{record!r} {record} {[record]}"
        assert f"{secret}=***" in repr(record)
        assert record.model_dump(by_alias=False)[secret] == "hush"

    @EVERY
    @BOTH
    def test_survive_pickle_and_copies(self, model: type[Record], generation: Generation) -> None:
        record = read(model, told(model, generation), generation)

        for again in (pickle.loads(pickle.dumps(record)), copy.copy(record), copy.deepcopy(record)):
            assert again == record
            assert type(again) is type(record)
            assert again.model_dump_json() == record.model_dump_json()

    def test_are_equal_whoever_made_them(self) -> None:
        answered = read(Node, json.loads(a_node().model_dump_json()))
        old = read(Node, json.loads(a_node().model_dump_json(by_alias=False)), OLD)

        assert answered == a_node() == old == answered
        assert (answered != a_node()) is False
        assert answered != a_node(name="another")
        assert (answered == a_node(updated_at=None)) is False
        assert a_node() != a_node().model_dump()
        assert read(AnalysisNode, {}) != read(Node, {})
        assert (read(AnalysisNode, {}) == read(Node, {})) is False

    def test_show_themselves_as_their_models(self) -> None:
        assert repr(read(Realm, {"name": "master"})).startswith("Realm(name='master', display_name=None")


def _camel(model: type[HubModel]) -> tuple[str, ...]:
    return tuple(
        first + "".join(map(str.capitalize, rest)) for first, *rest in (n.split("_") for n in model.__struct_fields__)
    )
