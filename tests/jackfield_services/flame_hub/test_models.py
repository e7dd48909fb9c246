"""The Hub's models: those of the published clients, in both generations, and more tolerant."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import datetime
from inspect import Parameter, signature
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.jackfield_services.flame_hub.hub_models import (
    AT,
    FUTURE,
    ID,
    bare,
    body_of,
    hub_models,
    published,
    records,
    sent,
    told,
    vector,
)

from jackfield_services.flame_hub import _old_bodies, models, types
from jackfield_services.flame_hub._model import (
    NEW,
    OLD,
    Body,
    Generation,
    HubModel,
    Id,
    Record,
    get_field_names,
    get_includable_names,
)
from jackfield_services.flame_hub._on_wire import on_wire
from jackfield_services.flame_hub.models import (
    UNSET,
    AccessToken,
    Analysis,
    AnalysisBucket,
    AnalysisNode,
    ClientCredentials,
    CreateAnalysis,
    CreateNode,
    MasterImage,
    Node,
    Project,
    Realm,
    RefreshToken,
    Registry,
    ResourceList,
    ResourceListMeta,
    SingleResourceMeta,
    UpdateAnalysis,
    UpdateNode,
    WrappedResource,
)
from jackfield_services.flame_hub.types import AnalysisBucketType, FilterOperator

BOTH = pytest.mark.parametrize("generation", [OLD, NEW])
EVERY = pytest.mark.parametrize("model", records(), ids=lambda model: model.__name__)

INCLUDABLE = {
    "Analysis": ("registry", "project", "master_image"),
    "AnalysisBucket": ("analysis",),
    "AnalysisBucketFile": ("analysis_bucket", "analysis"),
    "AnalysisNode": ("analysis", "node"),
    "BucketFile": ("bucket",),
    "Client": ("realm",),
    "Node": ("registry", "registry_project"),
    "Permission": ("realm",),
    "Project": ("master_image",),
    "ProjectNode": ("node", "project"),
    "RegistryProject": ("registry",),
    "Role": ("realm",),
    "RolePermission": ("role", "role_realm", "permission", "permission_realm"),
    "User": ("realm",),
    "UserPermission": ("permission", "user", "permission_realm", "user_realm"),
    "UserRole": ("user", "role", "user_realm", "role_realm"),
}
FIELDS = {"Registry": ("account_secret",), "RegistryProject": ("account_secret",), "User": ("email",)}

# What is more than what was published, and where it goes.
MORE_SENT = {
    "CreatePermission": ["policy_id"],
    "OldCreateNode": ["registry_id"],
    "UpdatePermission": ["policy_id"],
    "UpdateUser": ["password"],
}


def read(model: type[Record], answer: object, generation: Generation = NEW) -> Any:
    return msgspec.json.decode(json.dumps(answer), type=on_wire(model, generation))


def a_node(**given: Any) -> Node:
    values: dict[str, Any] = {"name": "my-node", "id": ID, "online": False, "created_at": AT, "updated_at": AT, **given}
    return Node(**values)


class TestWhatIsPublished:
    @pytest.mark.parametrize(("module", "names"), [(models, "models"), (types, "types")])
    def test_every_name_is_there(self, module: Any, names: str) -> None:
        assert sorted(module.__all__) == sorted(set(module.__all__))
        assert [name for name in module.__all__ if not hasattr(module, name)] == []
        assert [name for name in PUBLISHED_NAMES[names].split() if name not in module.__all__] == []

    @pytest.mark.parametrize("name", sorted({*published(OLD, "model"), *published(NEW, "model")}))
    def test_every_model_is_there(self, name: str) -> None:
        assert issubclass(getattr(models, name), HubModel)

    @BOTH
    def test_every_word_is_one_of_ours(self, generation: Generation) -> None:
        rows = published(generation, "words")

        for name, row in rows.items():
            ours = getattr(types, name, None)
            assert set(row["words"]) <= {*(get_args(ours) or map(str, ours or ()))}, name

    def test_no_word_is_more_than_those_of_both_generations(self) -> None:
        theirs: dict[str, set[str]] = {}
        for generation in (OLD, NEW):
            for name, row in published(generation, "words").items():
                theirs.setdefault(name, set()).update(row["words"])
        theirs.pop("AnalysisBucketType")  # an enum

        assert {name: set(get_args(getattr(types, name))) for name in theirs} == theirs

    def test_enums_have_their_words(self) -> None:
        assert [one.value for one in AnalysisBucketType] == published(NEW, "enum")["AnalysisBucketType"]["words"]
        assert {one.name: one.value for one in FilterOperator} == {
            "eq": "=", "neq": "!", "like": "~", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
        }  # fmt: skip

    @BOTH
    def test_dictionaries_have_their_keys(self, generation: Generation) -> None:
        for name, row in published(generation, "dictionary").items():
            assert [key for key, *_ in row["fields"]] == list(get_type_hints(getattr(types, name))), name


class TestRecords:
    @EVERY
    @BOTH
    def test_has_the_fields_of_the_published_model(self, model: type[Record], generation: Generation) -> None:
        row = published(generation, "model").get(model.__name__)
        ours = get_type_hints(model)

        assert row is None or [name for name, *_ in row["fields"] if name not in ours] == []

    @EVERY
    def test_tells_its_fields_in_the_order_of_the_published_model(self, model: type[Record]) -> None:
        row = published(NEW, "model").get(model.__name__, {"fields": []})
        names = [name for name, *_ in row["fields"]]

        assert [name for name in model.__struct_fields__ if name in names] == names

    @EVERY
    def test_has_no_field_that_neither_generation_has(self, model: type[Record]) -> None:
        rows = [published(generation, "model").get(model.__name__) for generation in (OLD, NEW)]
        known = {name for row in rows if row for name, *_ in row["fields"]}
        more = {"build_nodes_valid"} if model is Analysis else set[str]()

        assert not known or {*model.__struct_fields__} - known == more

    @EVERY
    def test_fields_are_of_the_published_types(self, model: type[Record]) -> None:
        old, new = (published(generation, "model").get(model.__name__) for generation in (OLD, NEW))
        hints = get_type_hints(model, include_extras=True)

        for name, written in {name: kind for row in (old, new) if row for name, kind, *_ in row["fields"]}.items():
            in_both = all(name in [one for one, *_ in row["fields"]] for row in (old, new) if row)
            expected = _named(written) if in_both or not (old and new) else Union[_named(written), None]  # noqa: UP007
            assert bare(hints[name]) == expected or (model, name) in OTHERWISE, name

    @pytest.mark.parametrize("name", sorted(hub_models()))
    def test_tells_which_records_and_fields_can_be_asked_for(self, name: str) -> None:
        model = hub_models()[name]

        assert get_includable_names(model) == INCLUDABLE.get(name, ())
        assert get_field_names(model) == FIELDS.get(name, ())

    def test_tells_that_of_a_record_that_was_answered_too(self) -> None:
        node: Node = read(Node, {"name": "my-node"})

        assert get_includable_names(type(node)) == INCLUDABLE["Node"]

    def test_includes_are_those_that_the_published_client_asks_for(self) -> None:
        for rows in vector("methods")[NEW].values():
            for row in rows:
                if row["includes"] and "UserRole" not in row["returns"]:
                    model = getattr(models, row["returns"].split("[")[1].rstrip("]"))
                    wire = dict(zip(model.__struct_fields__, model.__struct_encode_fields__, strict=True))
                    assert [wire[name] for name in get_includable_names(model)] == row["includes"], row["method"]


class TestReading:
    @EVERY
    @BOTH
    def test_reads_what_the_hub_tells_with_words_of_tomorrow(self, model: type[Record], generation: Generation) -> None:
        record = read(model, told(model, generation), generation)

        assert isinstance(record, model)
        assert [name for name in model.__struct_fields__ if getattr(record, name) is None] == []
        _matches(record, get_type_hints(model))

    @EVERY
    @BOTH
    def test_what_is_missing_is_none(self, model: type[Record], generation: Generation) -> None:
        record = read(model, {}, generation)

        assert {n: v for n in model.__struct_fields__ if (v := getattr(record, n)) is not None} == (
            {"image_command_arguments": []} if model is Analysis else {}
        )

    @EVERY
    @settings(max_examples=20, deadline=None)
    @given(data=st.data())
    def test_anything_may_be_missing_or_null(self, model: type[Record], data: st.DataObject) -> None:
        generation: Generation = data.draw(st.sampled_from([OLD, NEW]))
        whole = told(model, generation)
        missing = data.draw(st.sets(st.sampled_from(sorted(whole))))
        null = data.draw(st.sets(st.sampled_from(sorted(whole))))

        record = read(model, {k: None if k in null else v for k, v in whole.items() if k not in missing}, generation)

        again = json.loads(record.model_dump_json())
        assert {name for name in again if again[name] is None or again[name] == []} >= (missing & again.keys()) - {
            "distributionNodesValid", "distribution_nodes_valid", "buildNodesValid", "build_nodes_valid",
        }  # fmt: skip
        assert read(model, again, generation) == record

    @pytest.mark.parametrize("answer", [{"id": 7}, {"id": "no id"}, {"createdAt": "yesterday"}, {"online": "yes"}, []])
    def test_what_is_of_another_type_is_refused(self, answer: object) -> None:
        with pytest.raises(msgspec.ValidationError):
            read(Node, answer)

    def test_a_bucket_of_a_type_of_tomorrow_keeps_the_word(self) -> None:
        bucket = read(AnalysisBucket, {"type": FUTURE})

        assert bucket.type == FUTURE
        assert isinstance(bucket.type, AnalysisBucketType)
        assert pickle.loads(pickle.dumps(bucket.type)) == copy.deepcopy(bucket.type) == bucket.type
        assert hash(bucket.type) == hash(AnalysisBucketType(FUTURE))
        assert bucket.model_dump(mode="json")["type"] == FUTURE
        assert FUTURE not in [one.value for one in AnalysisBucketType]
        with pytest.raises(ValueError, match="7"):
            AnalysisBucketType(cast("Any", 7))

    @pytest.mark.parametrize("name", ["distribution_nodes_valid", "build_nodes_valid"])
    @pytest.mark.parametrize("valid", [True, False])
    @BOTH
    def test_either_name_tells_whether_the_nodes_are_valid(
        self, name: str, valid: bool, generation: Generation
    ) -> None:
        camel = {"distribution_nodes_valid": "distributionNodesValid", "build_nodes_valid": "buildNodesValid"}
        analysis = read(Analysis, {name if generation == OLD else camel[name]: valid}, generation)

        assert analysis.distribution_nodes_valid is analysis.build_nodes_valid is valid

    def test_the_newer_name_counts_where_both_are_told(self) -> None:
        analysis = read(Analysis, {"distributionNodesValid": False, "buildNodesValid": True})

        assert analysis.distribution_nodes_valid is analysis.build_nodes_valid is False

    @BOTH
    def test_arguments_have_a_position_though_the_hub_leaves_it_out(self, generation: Generation) -> None:
        given = [{"value": "--verbose"}, {"value": "-x", "position": "after"}]
        one, other = ("command_arguments", "image_command_arguments") if generation == OLD else (
            "commandArguments", "imageCommandArguments",
        )  # fmt: skip

        image = read(MasterImage, {one: given}, generation)
        analysis = read(Analysis, {other: given}, generation)

        assert image.command_arguments == analysis.image_command_arguments
        assert image.command_arguments == [
            {"value": "--verbose", "position": None},
            {"value": "-x", "position": "after"},
        ]

    def test_a_refresh_token_is_an_access_token(self) -> None:
        token = read(RefreshToken, {"access_token": "a", "refresh_token": "r", "expires_in": 3600}, OLD)

        assert issubclass(RefreshToken, AccessToken)
        assert (token.access_token, token.refresh_token, token.expires_in, token.scope) == ("a", "r", 3600, None)


class TestDumps:
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
        assert answered != a_node(name="another")
        assert answered != a_node(created_at=None)
        assert a_node() != a_node().model_dump()
        assert read(AnalysisNode, {}) != read(Node, {})

    def test_show_themselves_as_their_models(self) -> None:
        assert repr(read(Realm, {"name": "master"})).startswith("Realm(name='master', display_name=None")


class TestBodies:
    @pytest.mark.parametrize(
        ("generation", "row"), sent(), ids=lambda one: one if isinstance(one, str) else one["method"]
    )
    def test_takes_the_parameters_of_the_published_method(self, generation: Generation, row: dict[str, Any]) -> None:
        body = body_of(row["request"], generation)
        own = [(n, default) for n, _, default in row["parameters"] if f"{{{n}}}" not in row["path"]]

        ours = [(n, _default(parameter)) for n, parameter in signature(body).parameters.items()]

        assert ours[: len(own)] == own
        assert [name for name, _ in ours[len(own) :]] == MORE_SENT.get(body.__name__, [])
        assert all(p.kind is p.POSITIONAL_OR_KEYWORD for p in signature(body).parameters.values())

    @pytest.mark.parametrize(
        "row", [row for generation, row in sent() if generation == NEW], ids=lambda row: row["method"]
    )
    def test_parameters_are_of_the_published_types(self, row: dict[str, Any]) -> None:
        hints = get_type_hints(body_of(row["request"], NEW))

        for name, written, _ in row["parameters"]:
            assert f"{{{name}}}" in row["path"] or hints[name] == _named(written), name

    @pytest.mark.parametrize(
        ("generation", "row"), sent(), ids=lambda one: one if isinstance(one, str) else one["method"]
    )
    def test_is_sent_as_the_published_client_sends_it(self, generation: Generation, row: dict[str, Any]) -> None:
        body = body_of(row["request"], generation)
        for call in row["calls"]:
            own = {name: value for name, value in call["given"].items() if f"{{{name}}}" not in row["path"]}

            made = on_wire(body, generation)(**copy.deepcopy(own))

            assert json.loads(msgspec.json.encode(made)) == call["body"]
            assert json.loads(made.model_dump_json()) == call["body"]

    @BOTH
    def test_only_what_is_given_is_updated(self, generation: Generation) -> None:
        update = on_wire(UpdateNode, generation)

        assert msgspec.json.encode(update()) == b"{}"
        assert json.loads(msgspec.json.encode(update(external_name=None, node_type=UNSET))) in (
            {"externalName": None}, {"external_name": None},
        )  # fmt: skip

    def test_old_bodies_are_there_only_where_they_differ(self) -> None:
        old = {name for name, one in vars(_old_bodies).items() if isinstance(one, type) and issubclass(one, Body)}
        sent_by = {row["request"] for generation, row in sent() if generation == OLD}

        assert {name.removeprefix("Old") for name in old - {"Body"}} <= sent_by
        for name in old - {"Body"}:
            newer, older = getattr(models, name.removeprefix("Old")), getattr(_old_bodies, name)
            assert list(signature(newer).parameters.items()) != list(signature(older).parameters.items()), name

    def test_arguments_of_the_caller_are_left_alone(self) -> None:
        mine: list[Any] = [{"value": "--verbose"}]

        create, update = CreateAnalysis(ID, image_command_arguments=mine), UpdateAnalysis(image_command_arguments=mine)

        assert mine == [{"value": "--verbose"}]
        assert create.image_command_arguments == [{"value": "--verbose", "position": None}]
        assert update.image_command_arguments == create.image_command_arguments
        assert CreateAnalysis(ID).image_command_arguments == []
        assert UpdateAnalysis().image_command_arguments is UNSET

    @pytest.mark.parametrize("body", [CreateNode("n", ID), UpdateNode(hidden=True), CreateAnalysis(ID, "n")])
    @BOTH
    def test_survive_pickle(self, body: Body, generation: Generation) -> None:
        given = {name: getattr(body, name) for name in body.__struct_fields__}
        wired = on_wire(type(body), generation)(**given)

        assert pickle.loads(pickle.dumps(body)) == body
        assert pickle.loads(pickle.dumps(wired)) == wired == body


PUBLISHED_NAMES = {
    "types": """
        PageParams SortParams FilterOperator FilterParams FindAllKwargs GetKwargs BaseKwargs IncludeParams FieldParams
        AuthParam NodeType RegistryCommand RegistryProjectType MasterImageCommandArgument ProjectNodeApprovalStatus
        AnalysisCommand AnalysisNodeApprovalStatus AnalysisBucketType LogLevel LogChannel ProcessStatus UploadFile
        ReadableBinary UuidIdentifiable ResourceT UNSET_T SingleResourceResult ResourceListResult""",
    "models": """
        UNSET IsOptionalField IsIncludable SingleResourceMeta ResourceListMeta ResourceList WrappedResource AccessToken
        RefreshToken ConfigBaseModel AuthBaseModel CoreBaseModel StorageBaseModel
        NodeType ProjectNodeApprovalStatus AnalysisCommand AnalysisBucketType""",
}

# The words of both generations; a list where the Hub tells none; what Hubs of 0.1.1 tell, and its client passed over.
OTHERWISE = {(Analysis, "build_status"), (Analysis, "image_command_arguments"), (models.BucketFile, "realm_id")}


def _named(written: str) -> Any:
    """A type as the vectors write it."""
    names = vars(models) | vars(types) | {"UUID": UUID, "datetime": datetime, "Id": Id, "EmailStr": str}
    return eval(written.replace("UNSET_T", "UNSET").replace("UNSET", "UNSET_T"), dict(names))


def _default(parameter: Parameter) -> str | None:
    if parameter.default is Parameter.empty:
        return None
    return "UNSET" if parameter.default is UNSET else repr(parameter.default)


def _camel(model: type[HubModel]) -> tuple[str, ...]:
    return tuple(
        first + "".join(map(str.capitalize, rest)) for first, *rest in (n.split("_") for n in model.__struct_fields__)
    )


def _matches(record: Record, hints: dict[str, Any]) -> None:
    """Values are of the types that the model documents, but for words."""
    for name, hint in hints.items():
        kinds = {get_origin(kind) or kind for kind in (get_args(hint) or (hint,))} if get_origin(hint) not in (
            list, dict, Literal,
        ) else {get_origin(hint)}  # fmt: skip
        expected = tuple(str if kind is Literal else kind for kind in kinds)
        if not name.startswith("_"):
            assert isinstance(getattr(record, name), expected), name
