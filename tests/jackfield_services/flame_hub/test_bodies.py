"""What the Hub is told: as the published clients tell it, in both generations."""

from __future__ import annotations

import copy
import json
import pickle
from inspect import Parameter, signature
from typing import Any, get_type_hints

import msgspec
import pytest
from tests.jackfield_services.flame_hub.hub_models import (
    ID,
    body_of,
    named,
    sent,
)

from jackfield_services.flame_hub import _old_bodies, models
from jackfield_services.flame_hub._model import (
    NEW,
    OLD,
    Body,
    Generation,
)
from jackfield_services.flame_hub._on_wire import on_wire
from jackfield_services.flame_hub.models import (
    UNSET,
    CreateAnalysis,
    CreateNode,
    UpdateAnalysis,
    UpdateNode,
)

BOTH = pytest.mark.parametrize("generation", [OLD, NEW])

# What is more than what was published, and where it goes.
MORE_SENT = {
    "CreatePermission": ["policy_id"],
    "OldCreateNode": ["registry_id"],
    "UpdatePermission": ["policy_id"],
    "UpdateUser": ["password"],
}


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
            assert f"{{{name}}}" in row["path"] or hints[name] == named(written), name

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


def _default(parameter: Parameter) -> str | None:
    if parameter.default is Parameter.empty:
        return None
    return "UNSET" if parameter.default is UNSET else repr(parameter.default)
