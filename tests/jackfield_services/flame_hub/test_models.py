"""The Hub's models: those of the published clients, in both generations, and more tolerant."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.jackfield_services.flame_hub.hub_models import (
    FUTURE,
    bare,
    hub_models,
    named,
    published,
    read,
    records,
    told,
    vector,
)

from jackfield_services.flame_hub import models, types
from jackfield_services.flame_hub._model import (
    NEW,
    OLD,
    Generation,
    HubModel,
    Record,
    get_field_names,
    get_includable_names,
)
from jackfield_services.flame_hub.models import (
    AccessToken,
    Analysis,
    AnalysisBucket,
    MasterImage,
    Node,
    RefreshToken,
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
OTHERWISE: dict[tuple[type[Record], str], Any] = {
    (Analysis, "build_status"): types.ProcessStatus | types.AnalysisBuildStatus | None,
    (Analysis, "image_command_arguments"): list[types.MasterImageCommandArgument],
    (models.BucketFile, "realm_id"): UUID,
}


class TestWhatIsPublished:
    @pytest.mark.parametrize(("module", "names"), [(models, "models"), (types, "types")])
    def test_every_name_is_there(self, module: Any, names: str) -> None:
        assert sorted(module.__all__) == sorted(set(module.__all__))
        assert [name for name in module.__all__ if not hasattr(module, name)] == []
        assert [name for name in PUBLISHED_NAMES[names].split() if name not in module.__all__] == []

    @pytest.mark.parametrize("name", sorted({*published(OLD, "model"), *published(NEW, "model")}))
    def test_every_model_is_there(self, name: str) -> None:
        assert issubclass(hub_models()[name], HubModel)

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
            expected = named(written) if in_both or not (old and new) else Union[named(written), None]  # noqa: UP007
            assert bare(hints[name]) == OTHERWISE.get((model, name), expected), name

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
        assert bucket.type.name == FUTURE
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


def _matches(record: Record, hints: dict[str, Any]) -> None:
    """Values are of the types that the model documents, but for words."""
    for name, hint in hints.items():
        kinds = {get_origin(kind) or kind for kind in (get_args(hint) or (hint,))} if get_origin(hint) not in (
            list, dict, Literal,
        ) else {get_origin(hint)}  # fmt: skip
        expected = tuple(str if kind is Literal else kind for kind in kinds)
        if not name.startswith("_"):
            assert isinstance(getattr(record, name), expected), name
